/* Whether every arm can have the result that a study compares: asked before anything is trained. */
#include <string.h>
#include "autodidact/base/buffer.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "autodidact/run/model_name.h"
#include "autodidact/run/study.h"
#include "training_internal.h"

/* What was told last: digests of the descriptor whose keys have no effect, and of the text about the classifier. */
struct told {
  uint64_t descriptor, head;
};

/* The split that a result is of, in the data of an arm. */
static int check_split(const struct ad_study *study, const char *arm, const struct ad_session *session,
                       enum ad_split split) {
  const struct ad_config *c = &session->config;
  if (ad_split_file(c, split) == NULL && !ad_descriptor_has(&session->descriptor, split)) {
    return ad_fail(
        AD_ECONFIG, "%s: arm '%s': %s, but %s has no %s split; %s names a file for it", study->path, arm,
        split == AD_SPLIT_TEST ? "study.result or study.test asks for scores on test" : "study.result is on dev",
        session->descriptor.name, ad_split_name(split), ad_split_key(split));
  }
  return AD_OK;
}

/* The parameters that a result is of. */
static int check_variant(const struct ad_study *study, const char *arm, const struct ad_config *config) {
  if (study->source < AD_SOURCE_VARIANT) {
    return AD_OK;
  }
  const enum ad_variant v = study->source - AD_SOURCE_VARIANT;
  const struct ad_teacher_settings teacher = ad_session_teacher(config);
  return ad_teacher_has(&teacher, v)
             ? AD_OK
             : ad_fail(
                   AD_ECONFIG,
                   "%s: study.result is %s.%s, but the runs of arm '%s' have none: %s; dev.%s compares the result of "
                   "each run, whatever run.result names",
                   study->path, ad_study_source_name(study->source), study->score->name, arm,
                   v == AD_VARIANT_TEACHER ? "these values of teacher.method make one:" AD_METHODS_WITH_LAG
                                           : "eval.means=true keeps the means, and so do these values of "
                                             "teacher.method:" AD_METHODS_WITH_MEANS,
                   study->score->name);
}

/* The score that the study compares, among those of the arm's task. */
static int check_score(const struct ad_study *study, const char *arm, const struct ad_descriptor *data) {
  const struct ad_task *task = data->task;
  char names[200] = "";
  const char *name = study->score->name, *dot = strrchr(name, '.');
  /* HEAD.SCORE is also the score of a run of that task alone. */
  const int own = dot == NULL || task->heads != NULL ||
                  (strlen(data->name) == (size_t)(dot - name) && strncmp(name, data->name, strlen(data->name)) == 0);
  if (own && ad_task_score(task, name) != NULL) {
    return AD_OK;
  }
  for (size_t i = 0, used = 0; i < task->score_count && used < sizeof names; i++) {
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ", task->scores[i].name);
  }
  return ad_fail(
      AD_ECONFIG, "%s: arm '%s': study.result is %s.%s, which the task of %s (%s) does not have: expected %s",
      study->path, arm, ad_study_source_name(study->source), study->score->name, data->name, task->name, names);
}

/* What becomes of the classifier of the arm's model folder, told where the arm before had another answer. */
static int tell_head(const struct ad_study *study, const char *arm, const char *folder, const struct ad_model *model,
                     struct told *told) {
  const struct ad_model_report *report = ad_model_get_report(model);
  struct ad_buffer text = {0};
  const int axis = ad_study_find_axis(study, "seed.init");
  int status = ad_session_describe_head(folder, &ad_model_params(model)->config, report, &text);
  const uint64_t head = status == AD_OK ? ad_digest(text.data, text.size) : 0;
  if (status == AD_OK && head != told->head) {
    told->head = head;
    ad_log(AD_LOG_INFO, "%s: arm '%s': %s", study->path, arm, text.data);
    if (report->drawn.count == 0 && axis >= 0 && study->axes[axis].count > 1) {
      ad_log(AD_LOG_WARNING,
             "%s: axes: seed.init has no effect in the arm '%s', so its cells are equal: it is used where %s",
             study->path, arm, ad_config_condition("seed.init"));
    }
    status = ad_session_warn_keys(folder, report);
  }
  ad_buffer_destroy(&text);
  return status;
}

static int check_head(const struct ad_study *study, const char *arm, struct ad_session *session, struct told *told) {
  struct ad_model *model;
  if (session->config.model_path[0] == '\0') {
    return AD_OK;
  }
  AD_TRY(ad_model_name_resolve(&session->config));
  AD_TRY(ad_session_open_base(session, &model));
  const int status = tell_head(study, arm, session->config.model_path, model, told);
  ad_model_close(model);
  return status;
}

static int check_data(const struct ad_study *study, const char *arm, struct ad_session *session, struct told *told) {
  AD_TRY(ad_session_load_descriptor(session));
  AD_TRY(check_score(study, arm, &session->descriptor));
  if (told->descriptor != session->descriptor.digest) {
    ad_descriptor_warn_idle(&session->descriptor);
    told->descriptor = session->descriptor.digest;
  }
  AD_TRY(ad_session_hold_out(session));
  AD_TRY(study->source != AD_SOURCE_TEST ? check_split(study, arm, session, AD_SPLIT_DEV) : AD_OK);
  AD_TRY(study->test ? check_split(study, arm, session, AD_SPLIT_TEST) : AD_OK);
  return check_head(study, arm, session, told);
}

static int check_arm(const struct ad_study *study, const struct ad_study_cell *cell, struct told *told) {
  const char *arm = study->arms[cell->arm].name;
  struct ad_session session;
  AD_TRY(ad_session_create(&session, NULL));
  ad_config_destroy(&session.config);
  int status = ad_study_config(study, cell, &session.config);
  status = status == AD_OK ? check_variant(study, arm, &session.config) : status;
  status = status == AD_OK ? check_data(study, arm, &session, told) : status;
  ad_session_destroy(&session);
  return status;
}

int ad_study_check_result(const struct ad_study *study) {
  struct told told = {0};
  for (size_t i = 0; i < study->count; i++) {
    if (i == 0 || study->cells[i].arm != study->cells[i - 1].arm) {
      AD_TRY(check_arm(study, &study->cells[i], &told));
    }
  }
  return AD_OK;
}
