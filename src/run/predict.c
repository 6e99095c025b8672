#include "autodidact/run/predict.h"

#include <stdlib.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/joint.h"
#include "autodidact/run/evaluation.h"
#include "autodidact/store/run_files.h"
#include "autodidact/task/heads.h"
#include "autodidact/task/ranking.h"

enum { CHUNK = 4096 }; /* examples that are computed at a time */

struct ad_predictor {
  const struct ad_predict_options *options;
  struct ad_session session;
  struct ad_dataset data;
  struct ad_evaluation evaluation;
  const struct ad_task *task;
  double threshold; /* where the task has one */
  uint32_t *words;  /* [Q] the prediction of the row */
  size_t unread;    /* rows so far that could not be read */
};

/* One text for a run that was trained on one, two for one that was trained on pairs. */
static int check_pair(const char *run, const struct ad_predict_options *o) {
  struct ad_run_inputs inputs = {0};
  struct ad_descriptor descriptor = {0};
  int status = ad_run_inputs_read(&inputs, run);
  if (status == AD_OK && inputs.found) {
    status = ad_run_inputs_descriptor(&inputs, run, &descriptor);
    status = status == AD_OK && o->where.task != NULL ? ad_descriptor_choose(&descriptor, o->where.task) : status;
    const int pairs = ad_descriptor_pairs(&descriptor);
    if (status == AD_OK && pairs != (o->pair != NULL)) {
      status = ad_fail(AD_ECONFIG, "%s: trained on %s, expected --text TEXT %s", run, pairs ? "pairs" : "single texts",
                       pairs ? "and --pair TEXT" : "without --pair");
    }
  }
  ad_descriptor_destroy(&descriptor);
  ad_run_inputs_destroy(&inputs);
  return status;
}

/* A run: its model and its data's layout. */
static int load_run(struct ad_session *s, const char *source, const struct ad_predict_options *o,
                    struct ad_dataset *data) {
  const int plain = o->text != NULL || o->lines;
  AD_TRY(ad_session_open_any_run(s, source));
  s->task = o->where.task;
  AD_TRY(plain ? AD_OK : ad_session_open_data(s, source, &o->where));
  AD_TRY(ad_session_load_result(s, source, o->model));
  if (o->text != NULL) {
    AD_TRY(check_pair(source, o));
    return ad_session_read_text(s, o->text, o->pair, s->config.data_max_tokens, s->config.data_truncation, data);
  }
  if (o->lines) {
    return ad_session_read_lines(s, o->data, s->config.data_max_tokens, s->config.data_truncation, data);
  }
  AD_TRY(ad_session_check_classes(s, source, &s->descriptor));
  return ad_session_read_named(s, o->data, 0, data);
}

/* A Hugging Face folder: no layout is known, so the file has one example a line. */
static int load_folder(struct ad_session *s, const char *source, const struct ad_predict_options *o,
                       struct ad_dataset *data) {
  s->task = o->where.task;
  AD_TRY(ad_session_load_tokenizer(s, source));
  AD_TRY(ad_session_load_classifier(s, source));
  if (o->text != NULL) {
    return ad_session_read_text(s, o->text, o->pair, s->params.form.longest, AD_TRUNCATE_HEAD, data);
  }
  return ad_session_read_lines(s, o->data, s->params.form.longest, AD_TRUNCATE_HEAD, data);
}

int ad_predictor_is_run(const char *folder) {
  char *path = ad_path_join(folder, AD_RUN_FILE_CONFIG);
  const int found = path != NULL && ad_is_file(path);
  ad_free(path);
  return found;
}

static int warn_unread(const struct ad_session *s, const char *name, const struct ad_dataset *data) {
  struct ad_buffer lines = {0};
  const size_t count = data->unread_count, named = count < AD_UNREAD_NAMED ? count : AD_UNREAD_NAMED;
  int status = AD_OK;
  for (size_t i = 0; i < named && status == AD_OK; i++) {
    status = ad_buffer_printf(&lines, "%s%zu", i == 0 ? "" : ", ", data->unread_line[i]);
  }
  if (status == AD_OK && count > 0) {
    const int files = s->descriptor.source[AD_SPLIT_TRAIN].format == AD_FORMAT_FOLDER;
    ad_log(AD_LOG_WARNING, "%s: %zu of %zu rows could not be read, their lines of output are empty: %s %s%s", name,
           count, data->count + count, files ? "files" : "lines", lines.data, count > named ? ", ..." : "");
  }
  ad_buffer_destroy(&lines);
  return status;
}

/* The option's, or the model's, or the usual one. */
static int choose_threshold(struct ad_predictor *p, const char *source) {
  const char *text = p->options->threshold;
  char *end = NULL;
  p->threshold = ad_threshold_of(p->session.params.config.threshold);
  if (text == NULL) {
    return AD_OK;
  }
  if (p->task->choose_threshold == NULL) {
    return ad_fail(AD_ECONFIG, "--threshold is '%s', and %s is a model of the task %s, which has no threshold", text,
                   source, p->task->name);
  }
  p->threshold = strtod(text, &end);
  return end != text && *end == '\0' && p->threshold > 0.0 && p->threshold < 1.0
             ? AD_OK
             : ad_fail(AD_ECONFIG, "--threshold is '%s', expected a number between 0 and 1, as 0.5", text);
}

/* Which one is to predict must be said. */
static int fail_tasks(const struct ad_session *s, const char *source, const struct ad_heads *tasks) {
  struct ad_buffer names = {0};
  if (s->checkpoint > 0) {
    return ad_fail(AD_ECONFIG,
                   "%s: a run of several tasks that is not finished: the train command, given again, ends it; --task "
                   "then names one",
                   source);
  }
  int status = ad_heads_list(tasks, &names);
  status = status == AD_OK ? ad_fail(AD_ECONFIG, "%s: a model of several tasks, expected --task with one of: %s",
                                     source, names.data)
                           : status;
  ad_buffer_destroy(&names);
  return status;
}

int ad_predictor_open(struct ad_predictor **predictor, const struct ad_math *math, const char *source,
                      const struct ad_predict_options *options) {
  struct ad_predictor *p = *predictor = ad_calloc(1, sizeof *p);
  if (p == NULL) {
    return ad_fail_memory(sizeof *p, "a predictor");
  }
  struct ad_session *s = &p->session;
  p->options = options;
  AD_TRY(ad_session_create(s, math));
  AD_TRY(ad_predictor_is_run(source) ? load_run(s, source, options, &p->data)
                                     : load_folder(s, source, options, &p->data));
  if (s->params.config.masked_lm) {
    return ad_fail(AD_ECONFIG,
                   "%s: a masked language model, expected one that classifies texts; `autodidact eval` gives its "
                   "perplexity",
                   source);
  }
  AD_TRY(ad_session_choose_precision(s, options->precision));
  AD_TRY(s->params.config.tasks != NULL ? fail_tasks(s, source, s->params.config.tasks) : AD_OK);
  p->task = ad_task_of_problem(ad_model_problem(s->params.config.problem_type));
  AD_TRY(choose_threshold(p, source));
  const size_t Q = ad_task_words(p->task, s->params.config.classes);
  p->words = ad_malloc(Q, sizeof *p->words);
  if (p->words == NULL) {
    return ad_fail_memory(Q * sizeof *p->words, "a prediction");
  }
  AD_TRY(warn_unread(s, s->input_name != NULL ? s->input_name : options->data, &p->data));
  return ad_evaluation_open(&p->evaluation, s, &p->data, CHUNK);
}

const struct ad_task *ad_predictor_task(const struct ad_predictor *p) {
  return p->task;
}

size_t ad_predictor_classes(const struct ad_predictor *p, const char *const **names) {
  const struct ad_names *known = &p->session.report.class_names;
  const size_t C = p->session.params.config.classes;
  *names = known->count == C ? (const char *const *)known->items : NULL;
  return C;
}

int ad_predictor_open_columns(const struct ad_predictor *p, struct ad_columns_reader **columns) {
  *columns = NULL;
  if (p->options->text != NULL) {
    return ad_fail(AD_ECONFIG, "--text has no columns of its own to keep, expected --data FILE");
  }
  return p->session.descriptor.class_count == 0 || p->options->lines
             ? ad_columns_open_lines(columns, &p->session.input)
             : ad_session_open_columns(&p->session, p->options->data, columns);
}

const struct ad_descriptor *ad_predictor_descriptor(const struct ad_predictor *p, const struct ad_source **source) {
  const struct ad_session *s = &p->session;
  const int plain = s->descriptor.class_count == 0 || p->options->lines || p->options->data == NULL;
  *source = plain ? NULL : ad_session_named_source(s, p->options->data);
  return plain ? NULL : &s->descriptor;
}

int ad_predictor_is_first(const struct ad_predictor *p) {
  return ad_comm_rank(p->evaluation.comm) == 0;
}

int ad_predictor_settle(const struct ad_predictor *p, int status) {
  return ad_comm_settle(p->evaluation.comm, status);
}

/* The rows in front of example i that could not be read. */
static int take_unread(struct ad_predictor *p, size_t i, ad_prediction_taker take, void *context) {
  while (p->unread < p->data.unread_count && p->data.unread[p->unread] == i + p->unread) {
    AD_TRY(take(context, NULL));
    p->unread++;
  }
  return AD_OK;
}

int ad_prediction_print(const struct ad_prediction *p, const char *const *names, struct ad_buffer *out) {
  return p->task->print(p->classes, (char *const *)(uintptr_t)names, p->words, out);
}

static int take_row(const struct ad_predictor *p, const float *logits, ad_prediction_taker take, void *context) {
  const char *const *names;
  const size_t C = ad_predictor_classes(p, &names);
  p->task->predict(C, p->threshold, logits, p->words);
  struct ad_prediction prediction = {.task = p->task, .words = p->words, .classes = C, .logits = logits};
  if (p->task->classes == AD_CLASSES_ONE) {
    prediction.number = p->words[0];
    prediction.name = names == NULL ? NULL : names[p->words[0]];
  }
  return take(context, &prediction);
}

int ad_predictor_run(struct ad_predictor *p, ad_prediction_taker take, void *context) {
  const struct ad_session *s = &p->session;
  const size_t N = p->data.count, C = s->params.config.classes;
  for (size_t first = 0; first < N; first += CHUNK) {
    const size_t end = first + CHUNK < N ? first + CHUNK : N;
    AD_TRY(ad_evaluation_run(&p->evaluation, s, &p->data, first, end));
    for (size_t i = first; i < end; i++) {
      AD_TRY(take_unread(p, i, take, context));
      AD_TRY(take_row(p, p->evaluation.logits + (i - first) * C, take, context));
    }
  }
  return take_unread(p, N, take, context);
}

void ad_predictor_close(struct ad_predictor *p, int alone) {
  if (p == NULL) {
    return;
  }
  ad_evaluation_close(&p->evaluation, alone ? AD_EINTERNAL : AD_OK);
  ad_dataset_destroy(&p->data);
  ad_free(p->words);
  ad_session_destroy(&p->session);
  ad_free(p);
}
