/* Reads the folders of runs. What is missing or damaged there is told in the report, and ends nothing. */
#include "run_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/teacher.h"
#include "autodidact/store/checkpoint.h"
#include "autodidact/store/run_files.h"

const char *ad__run_word(enum run_is is) {
  static const char *const words[] = {
#define RUN_IS_WORD(constant, word) #word,
      RUN_IS_MAP(RUN_IS_WORD)
#undef RUN_IS_WORD
  };
  return words[is];
}

uint64_t ad__run_step(const struct run_view *v) {
  return v->log.step_count == 0 ? 0 : v->log.steps[v->log.step_count - 1].row.step;
}

int ad__run_has_logits(struct run_views *views, const struct run_view *view, enum run_of of, const char *unfit,
                       const char *in_place) {
  if (view->logits.N > 0 && ad__run_has(view, of)) {
    return 1;
  }
  if (ad__run_has(view, of) && !view->config.eval_keep_logits) {
    ad__document_note(views->doc, "%s: not available: it keeps no logits (eval.keep_logits=true does; `eval` %s).",
                      view->name, in_place);
    return 0;
  }
  ad__document_note(views->doc, "%s: not available: %s.", view->name,
                    view->scores.task == NULL ? "it has not been evaluated"
                    : !ad__run_has(view, of)  ? unfit
                                              : "the logits of these parameters are missing, or cannot be read");
  return 0;
}

const char *ad__run_class(const struct run_view *v, uint32_t c, char text[200]) {
  if (v->described && c < v->descriptor.class_count) {
    snprintf(text, 200, "%s", v->descriptor.classes[c]);
  } else {
    snprintf(text, 200, "%s %" PRIu32, v->scores.task == NULL ? "class" : ad_task_outputs(v->scores.task, 1), c);
  }
  return text;
}

/* A failure to read is a sentence of the report; others, as that of memory, end it. */
static int tolerate(struct run_view *v, int status) {
  if (status == AD_OK || status == AD_ENOMEM || status == AD_EINTERNAL) {
    return status;
  }
  const int added = ad_buffer_printf(&v->wrong, "%s%s", v->wrong.size > 0 ? "\n" : "", ad_error_message());
  ad_error_clear();
  return added;
}

/* The path of a file of the run where it is there, else NULL. The caller frees it. AD_ENOMEM. */
static int find_file(const struct run_view *v, const char *name, char **path) {
  *path = ad_path_join(v->folder, name);
  if (*path == NULL) {
    return ad_fail_memory(strlen(v->folder) + strlen(name) + 2, "a path");
  }
  if (!ad_is_file(*path)) {
    ad_free(*path);
    *path = NULL;
  }
  return AD_OK;
}

static int read_log(struct run_view *v) {
  char *path;
  AD_TRY(find_file(v, AD_RUN_FILE_LOG, &path));
  const int status = path == NULL ? AD_OK : tolerate(v, ad_run_log_read_sound(&v->log, path));
  ad_free(path);
  return status;
}

static int read_timings(struct run_view *v) {
  char *path;
  AD_TRY(find_file(v, AD_RUN_FILE_TIMING, &path));
  int status = path == NULL ? AD_OK : tolerate(v, ad_timings_read(&v->timings, path));
  for (size_t i = 0; status == AD_OK && i < v->timings.count; i++) {
    const struct ad_timing_row *row = &v->timings.rows[i];
    v->steps = row->kind == AD_TIMING_STEP && row->steps > 0 ? row->steps : v->steps;
  }
  ad_free(path);
  return status;
}

static int read_facts(struct run_view *v) {
  char *path;
  AD_TRY(find_file(v, AD_RUN_FILE_PROVENANCE, &path));
  const int status = path == NULL ? AD_OK : tolerate(v, ad_json_read(&v->facts, path));
  ad_free(path);
  return status;
}

static int read_descriptor(struct run_view *v) {
  struct ad_run_inputs inputs;
  int status = ad_run_inputs_read(&inputs, v->folder);
  if (status == AD_OK && inputs.found) {
    status = ad_run_inputs_descriptor(&inputs, v->folder, &v->descriptor);
    v->described = status == AD_OK;
  }
  ad_run_inputs_destroy(&inputs);
  return tolerate(v, status);
}

static int read_state(struct run_view *v) {
  uint64_t *steps = NULL;
  size_t count = 0;
  AD_TRY(tolerate(v, ad_lease_find(v->folder, AD_RUN_LEASE, AD_RUN_PATIENCE, &v->holder)));
  AD_TRY(tolerate(v, ad_checkpoint_list(v->folder, &steps, &count)));
  v->checkpoint = count > 0 ? steps[0] : 0;
  ad_free(steps);
  const int left = v->holder.generation > 0 && v->holder.beat > 0.0;
  v->is = ad_run_find(v->folder) == AD_FOUND_FINISHED             ? RUN_IS_FINISHED
          : v->holder.alive                                       ? RUN_IS_RUNNING
          : v->checkpoint > 0 && v->checkpoint >= ad__run_step(v) ? RUN_IS_STOPPED
          : left                                                  ? RUN_IS_KILLED
                                                                  : RUN_IS_FAILED;
  return AD_OK;
}

/* Of a finished run what its result says, else the last row of the log. */
static int read_scores(struct run_view *v) {
  for (size_t i = 0; i < v->log.evaluation_count; i++) {
    const struct ad_evaluation_row *row = &v->log.evaluations[i];
    if (row->model == v->config.run_result) {
      v->scores = row->scores;
      v->scored = row->step;
    }
  }
  if (v->is != RUN_IS_FINISHED) {
    return AD_OK;
  }
  const int status = ad_result_find(&v->result, v->folder);
  if (status == AD_OK) {
    v->steps = v->result.steps;
    v->scored = v->result.step;
    v->scores = v->result.has_dev ? v->result.dev : (struct ad_scores){0};
  }
  return tolerate(v, status);
}

static int is_usable(const struct run_view *v) {
  const struct ad_logits *l = &v->logits;
  const struct ad_task *task = v->scores.task;
  int usable = l->C >= task->least_logits && l->Q == ad_task_words(task, l->C) && ad__logits_finite(l);
  for (size_t i = 0; i < l->N && usable; i++) {
    usable = ad_task_is_label(task, l->C, l->labels + i * l->Q);
  }
  return usable;
}

int ad__runs_have(const struct run_views *views, enum run_of of) {
  size_t has = 0, scored = 0;
  for (size_t k = 0; k < views->count; k++) {
    has += (size_t)ad__run_has(&views->view[k], of);
    scored += views->view[k].scores.task != NULL;
  }
  return has > 0 || (scored == 0 && of == RUN_OF_CLASSES);
}

static int read_logits(struct run_view *v) {
  char name[AD_LOGITS_NAME], file[AD_LOGITS_NAME + sizeof AD_RUN_FOLDER_LOGITS], *path;
  snprintf(file, sizeof file, "%s/%s", AD_RUN_FOLDER_LOGITS, ad_logits_name(v->config.run_result, v->scored, name));
  AD_TRY(find_file(v, file, &path));
  if (path == NULL || v->scores.task == NULL || v->scores.task->heads != NULL) { /* of one task alone */
    ad_free(path);
    return AD_OK;
  }
  int status = ad_logits_read(&v->logits, path);
  if (status == AD_OK && !is_usable(v)) {
    status = ad_fail(AD_EINPUT, "%s: found logits that are not finite, or labels of another task than %s", path,
                     v->scores.task->name);
  }
  if (status == AD_OK) {
    const struct ad_labels labels = {v->scores.task, v->logits.N, v->logits.labels};
    status = ad_scoring_create(&v->counts, labels, v->logits.C, v->logits.logits);
  }
  if (status != AD_OK) {
    ad_logits_destroy(&v->logits);
    v->logits = (struct ad_logits){0};
  }
  ad_free(path);
  return tolerate(v, status);
}

static int read_view(struct run_view *v) {
  AD_TRY(ad_config_create(&v->config));
  AD_TRY(ad_run_config(v->folder, &v->config));
  AD_TRY(read_log(v));
  AD_TRY(read_timings(v));
  AD_TRY(read_state(v));
  AD_TRY(read_scores(v));
  AD_TRY(read_facts(v));
  AD_TRY(read_descriptor(v));
  return read_logits(v);
}

/* A text [length] as people are shown it: it also stands in heads of tables. NULL: out of memory. */
static char *show(const char *text, size_t length) {
  struct ad_buffer shown = {0};
  char *copied =
      ad_escape_append(&shown, text, length) == AD_OK ? ad_strdup(shown.data == NULL ? "" : shown.data) : NULL;
  ad_buffer_destroy(&shown);
  return copied;
}

/* The last part of a path, without what is only slashes; all of it where that says nothing. NULL: out of memory. */
static char *last_part(const char *folder) {
  size_t end = strlen(folder), begin;
  while (end > 1 && folder[end - 1] == '/') {
    end--;
  }
  for (begin = end; begin > 0 && folder[begin - 1] != '/'; begin--) {
  }
  return folder[begin] == '.' || begin == end ? show(folder, strlen(folder)) : show(folder + begin, end - begin);
}

/* Short names where these tell runs apart, else the folders as they were given. */
static int name_views(struct run_views *views) {
  int apart = 1;
  for (size_t i = 0; i < views->count; i++) {
    struct run_view *v = &views->view[i];
    v->name = last_part(v->folder);
    if (v->name == NULL) {
      return ad_fail_memory(strlen(v->folder) + 1, "a name");
    }
    for (size_t k = 0; k < i; k++) {
      apart = apart && strcmp(v->name, views->view[k].name) != 0;
    }
  }
  for (size_t i = 0; i < views->count && !apart; i++) {
    ad_free(views->view[i].name);
    views->view[i].name = show(views->view[i].folder, strlen(views->view[i].folder));
    if (views->view[i].name == NULL) {
      return ad_fail_memory(strlen(views->view[i].folder) + 1, "a name");
    }
  }
  return AD_OK;
}

int ad__run_views_read(struct run_views *views, char *const *runs) {
  uint64_t most = 1;
  views->view = ad_calloc(views->count, sizeof *views->view);
  if (views->view == NULL) {
    return ad_fail_memory(views->count * sizeof *views->view, "the runs of a report");
  }
  for (size_t i = 0; i < views->count; i++) {
    struct run_view *v = &views->view[i];
    v->folder = runs[i];
    AD_TRY(read_view(v));
    most = ad__run_step(v) > most ? ad__run_step(v) : most;
  }
  views->window = ad__window_of(most);
  return name_views(views);
}

static void destroy_view(struct run_view *v) {
  ad_free(v->name);
  ad_config_destroy(&v->config);
  ad_run_log_destroy(&v->log);
  ad_timings_destroy(&v->timings);
  json_decref(v->facts);
  if (v->described) {
    ad_descriptor_destroy(&v->descriptor);
  }
  ad_logits_destroy(&v->logits);
  ad_scoring_destroy(&v->counts);
  ad_buffer_destroy(&v->wrong);
}

void ad__run_views_destroy(struct run_views *views) {
  for (size_t i = 0; views->view != NULL && i < views->count; i++) {
    destroy_view(&views->view[i]);
  }
  ad_free(views->view);
  views->view = NULL;
}
