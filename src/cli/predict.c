/* autodidact predict: the class of each example of a file, with its logits if asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/metrics.h"
#include "autodidact/store/run.h"
#include "commands.h"
#include "autodidact/run/evaluation.h"
#include "autodidact/run/session.h"

enum { CHUNK = 4096 }; /* examples between two writes */

struct predict_options {
  const char *source, *data, *model;
  struct ad_session_data_options where;
  int logits, lines;
};

/* A run: its model and its data's layout. */
static int load_run(struct ad_session *s, const struct predict_options *o, struct ad_dataset *data) {
  AD_TRY(ad_session_open_run(s, o->source));
  AD_TRY(ad_session_load_result(s, o->source, o->model));
  if (o->lines) {
    return ad_session_read_lines(s, o->data, s->config.data_max_tokens, (enum ad_truncation)s->config.data_truncation,
                              data);
  }
  AD_TRY(ad_session_open_data(s, o->source, &o->where));
  AD_TRY(ad_session_check_classes(s, o->source, &s->descriptor));
  return ad_session_read_named(s, o->data, 0, data);
}

/* A Hugging Face folder: no layout is known, so the file has one example a line. */
static int load_folder(struct ad_session *s, const struct predict_options *o, struct ad_dataset *data) {
  AD_TRY(ad_session_load_tokenizer(s, o->source));
  AD_TRY(ad_session_load_classifier(s, o->source));
  return ad_session_read_lines(s, o->data, s->params.config.positions, AD_TRUNCATE_HEAD, data);
}

static int is_run(const char *folder) {
  char *path = ad_path_join(folder, "config.yaml");
  const int found = path != NULL && ad_is_file(path);
  ad_free(path);
  return found;
}

static void print_row(const struct ad_session *s, const struct predict_options *o, const float *row) {
  const size_t C = s->params.config.classes;
  const uint32_t predicted = ad_metrics_predict(C, row);
  if (s->report.class_names.count == C) {
    printf("%s", ad_shown(s->report.class_names.items[predicted]));
  } else {
    printf("%u", predicted);
  }
  for (size_t c = 0; o->logits && c < C; c++) {
    printf("\t%.9g", (double)row[c]);
  }
  putchar('\n');
}

/* An empty line for each row in front of example i that could not be read; *printed of them so far. */
static void print_unread(const struct ad_dataset *data, size_t i, size_t *printed) {
  while (*printed < data->unread_count && data->unread[*printed] == i + *printed) {
    putchar('\n');
    ++*printed;
  }
}

static int warn_unread(const struct ad_session *s, const struct predict_options *o, const struct ad_dataset *data) {
  struct ad_buffer lines = {0};
  const size_t count = data->unread_count, named = count < AD_UNREAD_NAMED ? count : AD_UNREAD_NAMED;
  int status = AD_OK;
  for (size_t i = 0; i < named && status == AD_OK; i++) {
    status = ad_buffer_printf(&lines, "%s%zu", i == 0 ? "" : ", ", data->unread_line[i]);
  }
  if (status == AD_OK && count > 0) {
    const int files = s->descriptor.source[AD_TRAIN].format == AD_FORMAT_FOLDER;
    ad_log(AD_LOG_WARNING, "%s: %zu of %zu rows could not be read, their lines of output are empty: %s %s%s", o->data, count,
           data->count + count, files ? "files" : "lines", lines.data, count > named ? ", ..." : "");
  }
  ad_buffer_destroy(&lines);
  return status;
}

static int check_output(void) {
  return ferror(stdout) ? ad_fail(AD_EIO, "standard output could not be written") : AD_OK;
}

static int predict(const struct ad_session *s, const struct predict_options *o, const struct ad_dataset *data) {
  const size_t C = s->params.config.classes;
  size_t unread = 0;
  struct ad_evaluation evaluation = {0};
  AD_TRY(warn_unread(s, o, data));
  int status = ad_evaluation_open(&evaluation, s, data, CHUNK);
  for (size_t first = 0; status == AD_OK && first < data->count; first += CHUNK) {
    const size_t end = first + CHUNK < data->count ? first + CHUNK : data->count;
    status = ad_evaluation_run(&evaluation, s, data, first, end);
    for (size_t i = first; status == AD_OK && i < end; i++) {
      print_unread(data, i, &unread);
      print_row(s, o, evaluation.logits + (i - first) * C);
    }
    status = status == AD_OK ? check_output() : status;
  }
  if (status == AD_OK) {
    print_unread(data, data->count, &unread);
    status = check_output();
  }
  ad_evaluation_close(&evaluation, status);
  return status;
}

int ad_command_predict(int argc, char **argv) {
  struct predict_options o = {.where = {.refused = AD_CHANGED_TEXTS}}; /* the classes' names come from the model */
  size_t count;
  int help;
  const struct argument options[] = {
      {"data", "FILE",
       "What to classify (required): with a run a file in the layout of its data set's test split, or train, dev, test "
       "for a split "
       "itself; with a model folder one example a line, a TAB between the texts of a pair",
       NULL, &o.data},
      {"model", "NAME", help_model, NULL, &o.model},
      {"folder", "DIR", help_folder, NULL, &o.where.folder},
      {"own-descriptor", NULL, help_own_descriptor, &o.where.own, NULL},
      {"lines", NULL, "With a run too: one example a line", &o.lines, NULL},
      {"logits", NULL, "Print the logits after the class, separated by TABs, to full precision", &o.logits, NULL}};
  const struct arguments arguments = {"predict",
                                      "RUN|MODEL --data FILE",
                                      "Prints one line for each row of the file, in order: the class. RUN is the folder "
                                      "of a finished run, MODEL a Hugging Face folder with a classifier. Labels are not "
                                      "looked at. A row that cannot be read is an error; where the descriptor lets such "
                                      "rows pass (incomplete, empty: skip), its line is empty, and a warning names it.",
                                      options,
                                      sizeof options / sizeof *options,
                                      0,
                                      1};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  if (count == 0 || o.data == NULL) {
    return ad_fail(AD_ECONFIG, "predict: %s is missing; usage: autodidact predict RUN|MODEL --data FILE",
                   count == 0 ? "the run or the model folder" : "--data");
  }
  o.source = argv[1];
  if (o.model != NULL && !is_run(o.source)) {
    return ad_fail(AD_ECONFIG, "predict: --model is for runs, %s is none", o.source);
  }
  struct ad_session session;
  struct ad_dataset data = {0};
  AD_TRY(ad_session_create(&session));
  int status = is_run(o.source) ? load_run(&session, &o, &data) : load_folder(&session, &o, &data);
  if (status == AD_OK) {
    status = predict(&session, &o, &data);
  }
  ad_dataset_destroy(&data);
  ad_session_destroy(&session);
  return status;
}
