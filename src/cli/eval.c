/* autodidact eval: the scores of a finished run on a labelled file, or of several runs together. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/status.h"
#include "autodidact/run/ensemble.h"
#include "autodidact/run/evaluation.h"
#include "autodidact/store/rows.h"
#include "commands.h"
#include "print_scores.h"

static int print_json(const struct ad_session *session, const struct ad_scoring *scoring) {
  static const char *const precisions[] = {AD_SET_precision(AD_SET_NAME)};
  char text[AD_ROW_TEXT];
  struct ad_buffer classes = {0};
  const int status = print_scoring_classes(scoring, &session->descriptor, &classes);
  if (status == AD_OK) {
    printf("{%s,\"computed_in\":\"%s\",\"skipped\":%zu", ad_scores_print(&scoring->scores, text),
           precisions[session->config.train_precision], scoring->skipped);
    if (session->unfinished) {
      printf(",\"checkpoint\":%" PRIu64, session->checkpoint);
    }
    printf("%s}\n", classes.data);
  }
  ad_buffer_destroy(&classes);
  return status;
}

static int evaluate_one(const struct ad_math *math, const struct ad_ensemble_options *o, int json) {
  struct ad_session session;
  struct ad_dataset data = {0};
  struct ad_scoring scoring = {0};
  AD_TRY(ad_session_create(&session, math));
  int status = ad_evaluation_load(&session, o->runs[0], o->model, o->data, &o->where, &data);
  status = status == AD_OK ? ad_session_choose_precision(&session, o->precision) : status;
  status = status == AD_OK ? ad_evaluation_score(&session, &data, &scoring) : status;
  if (status == AD_OK && json) {
    status = print_json(&session, &scoring);
  } else if (status == AD_OK) {
    print_scoring(stdout, &scoring, &session.descriptor);
  }
  ad_scoring_destroy(&scoring);
  ad_dataset_destroy(&data);
  ad_session_destroy(&session);
  return status;
}

static int evaluate_several(const struct ad_math *math, const struct ad_ensemble_options *o, int json) {
  struct ad_ensemble ensemble;
  int status = ad_ensemble_evaluate(&ensemble, math, o);
  status = status == AD_OK ? print_ensemble(&ensemble, json) : status;
  ad_ensemble_destroy(&ensemble);
  return status;
}

/* How several runs are to be combined must be said, and there must be several. */
static int check_request(size_t count, const char *data, int vote, int average, const char *out) {
  if (count == 0) {
    return ad_fail(AD_ECONFIG, "eval: the run is missing; usage: autodidact eval RUN... --data FILE");
  }
  if (data == NULL) {
    return ad_fail(AD_ECONFIG, "eval: --data is missing: a labelled file, or train, dev or test");
  }
  if (vote && average) {
    return ad_fail(AD_ECONFIG, "eval: found both --vote and --average, expected one of them");
  }
  if ((vote || average) && count < 2) {
    return ad_fail(AD_ECONFIG, "eval: found 1 run, expected at least 2 with %s", vote ? "--vote" : "--average");
  }
  if (!vote && !average && count > 1) {
    return ad_fail(AD_ECONFIG, "eval: found %zu runs: expected --vote or --average, or one run", count);
  }
  return out != NULL && !average ? ad_fail(AD_ECONFIG, "eval: --out is for the model that --average makes") : AD_OK;
}

int ad_command_eval(const struct ad_math *math, int argc, char **argv) {
  const char *data = NULL, *out = NULL, *model = NULL, *precision = NULL;
  struct ad_session_data_options where = {.refused = AD_CHANGED_TEXTS | AD_CHANGED_CLASSES};
  int json = 0, vote = 0, average = 0, help;
  size_t count;
  const struct argument options[] = {
      {"data", "FILE",
       "Labelled file in the layout of the data set's test split, or train, dev, test for a split itself (required)",
       NULL, &data},
      {"model", "NAME", help_model, NULL, &model},
      {"task", "NAME", help_task, NULL, &where.task},
      {"folder", "DIR", help_folder, NULL, &where.folder},
      {"own-descriptor", NULL, help_own_descriptor, &where.own, NULL},
      {"precision", "NAME", help_precision, NULL, &precision},
      {"vote", NULL,
       "Several runs: sum their class probabilities, the largest sum wins; of a regression: the mean of their outputs. "
       "Also prints each run alone, and how much the runs differ",
       &vote, NULL},
      {"average", NULL, "Several runs: one model with the mean of their parameters. Also prints each run alone",
       &average, NULL},
      {"out", "DIR", "With --average: write that model as a Hugging Face folder; it must not exist, or be empty", NULL,
       &out},
      {"json", NULL, "One JSON object in place of the tables", &json, NULL}};
  const struct arguments arguments = {
      "eval",
      "RUN... --data FILE",
      "Scores the result of a run, or the newest checkpoint of one that is not finished. Of classes: error, accuracy, "
      "macro F1, Matthews correlation, loss, confusion matrix. Of a regression: Pearson, Spearman, R2, mean squared "
      "error. Of sets of classes: micro F1, macro F1, mean average precision, exact sets. "
      "Scores several runs together, by vote or by averaged parameters.",
      options,
      sizeof options / sizeof *options,
      0,
      SIZE_MAX};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  AD_TRY(check_request(count, data, vote, average, out));
  const struct ad_ensemble_options o = {.runs = argv + 1,
                                        .count = count,
                                        .data = data,
                                        .model = model,
                                        .precision = precision,
                                        .where = where,
                                        .out = out,
                                        .average = average};
  return count == 1 ? evaluate_one(math, &o, json) : evaluate_several(math, &o, json);
}
