/* autodidact eval: the scores of a finished run on a labelled file. */
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run.h"
#include "commands.h"
#include "evaluation.h"
#include "scores.h"
#include "session.h"

struct eval_options {
  const char *run, *data;
  int json;
};

/* The run's model and the data: the file in the layout of the descriptor's test split, or a split by its name. */
static int load(struct session *s, const struct eval_options *o, struct ad_dataset *data) {
  AD_TRY(session_open_run(s, o->run));
  AD_TRY(session_load_descriptor(s));
  if (s->config.data_hold_out > 0) {
    AD_TRY(ad_descriptor_hold_out(&s->descriptor, s->config.data_hold_out, 0));
  }
  AD_TRY(session_load_result(s, o->run));
  return session_read_named(s, o->data, 1, data);
}

static int evaluate(const struct session *s, const struct eval_options *o, const struct ad_dataset *data) {
  struct evaluation evaluation = {0};
  struct scores scores = {0};
  int status = evaluation_open(&evaluation, s, data->count);
  if (status == AD_OK) {
    status = evaluation_run(&evaluation, s, data, 0, data->count);
  }
  if (status == AD_OK) {
    status = scores_create(&scores, data, s->params.config.classes, evaluation.logits);
  }
  if (status == AD_OK && o->json) {
    char text[512];
    printf("{%s}\n", scores_json(&scores, text, sizeof text));
  } else if (status == AD_OK) {
    scores_print(stdout, &scores, &s->descriptor);
  }
  scores_destroy(&scores);
  evaluation_close(&evaluation, status);
  return status;
}

int ad_command_eval(int argc, char **argv) {
  struct eval_options o = {0};
  size_t count;
  int help;
  const struct argument options[] = {
      {"data", "FILE",
       "Labelled file in the layout of the data set's test split, or train, dev, test for a split itself (required)",
       NULL, &o.data},
      {"json", NULL, "One JSON object in place of the tables", &o.json, NULL}};
  const struct arguments arguments = {
      "eval",
      "RUN --data FILE",
      "Scores the result of a finished run: error, accuracy, macro F1, Matthews correlation, loss, confusion matrix.",
      options,
      sizeof options / sizeof *options,
      0,
      1};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  if (count == 0) {
    return ad_fail(AD_ECONFIG, "eval: the run is missing; usage: autodidact eval RUN --data FILE");
  }
  if (o.data == NULL) {
    return ad_fail(AD_ECONFIG, "eval: --data is missing: a labelled file, or train, dev or test");
  }
  o.run = argv[1];
  struct session session;
  struct ad_dataset data = {0};
  AD_TRY(session_create(&session));
  int status = load(&session, &o, &data);
  if (status == AD_OK) {
    status = evaluate(&session, &o, &data);
  }
  ad_dataset_destroy(&data);
  session_destroy(&session);
  return status;
}
