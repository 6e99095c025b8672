/* Whether every arm can have the result that a study compares: asked before anything is trained. */
#include "autodidact/base/status.h"
#include "study.h"
#include "training.h"

/* The split that a result is of, in the data of an arm. *told: digest of the descriptor of which keys without effect were
 * told last. */
static int check_split(const struct ad_study *study, const char *arm, struct session *session, enum ad_split split,
                       uint64_t *told) {
  const struct ad_config *c = &session->config;
  AD_TRY(session_load_descriptor(session));
  if (*told != session->descriptor.digest) {
    ad_descriptor_warn_idle(&session->descriptor);
    *told = session->descriptor.digest;
  }
  AD_TRY(session_hold_out(session));
  const char *file = split == AD_TEST ? c->data_test : c->data_dev;
  if (file[0] == '\0' && !ad_descriptor_has(&session->descriptor, split)) {
    return ad_fail(AD_ECONFIG, "%s: arm '%s': %s, but %s has no %s split; data.%s names a file for it", study->path, arm,
                   split == AD_TEST ? "study.result or study.test asks for scores on test" : "study.result is on dev",
                   session->descriptor.name, ad_split_name(split), ad_split_name(split));
  }
  return AD_OK;
}

/* The parameters that a result is of. */
static int check_variant(const struct ad_study *study, const char *arm, const struct ad_config *config) {
  static const enum ad_variant variants[] = {[AD_SOURCE_STUDENT] = AD_STUDENT,
                                             [AD_SOURCE_TEACHER] = AD_TEACHER,
                                             [AD_SOURCE_WINDOW] = AD_WINDOW_MEAN,
                                             [AD_SOURCE_RUN] = AD_RUN_MEAN};
  if (study->source == AD_SOURCE_DEV || study->source == AD_SOURCE_TEST) {
    return AD_OK;
  }
  const enum ad_variant v = variants[study->source];
  const struct ad_teacher_settings teacher = training_teacher(config);
  return ad_teacher_has(&teacher, v)
             ? AD_OK
             : ad_fail(AD_ECONFIG,
                       "%s: study.result is %s.%s, but the runs of arm '%s' have none: %s; dev.%s compares the result of "
                       "each run, whatever run.result names",
                       study->path, ad_study_source_name(study->source), ad_study_metric_name(study->metric), arm,
                       v == AD_TEACHER ? "teacher.method=sda, sdv or ema makes one"
                                       : "eval.means=true or teacher.method=se keeps the means",
                       ad_study_metric_name(study->metric));
}

static int check_arm(const struct ad_study *study, const struct ad_study_cell *cell, uint64_t *told) {
  const char *arm = study->arms[cell->arm].name;
  struct session session;
  AD_TRY(session_create(&session));
  ad_config_destroy(&session.config);
  int status = ad_study_config(study, cell, &session.config);
  status = status == AD_OK ? check_variant(study, arm, &session.config) : status;
  if (status == AD_OK && study->source != AD_SOURCE_TEST) {
    status = check_split(study, arm, &session, AD_DEV, told);
    ad_descriptor_destroy(&session.descriptor);
  }
  if (status == AD_OK && study->test) {
    status = check_split(study, arm, &session, AD_TEST, told);
  }
  session_destroy(&session);
  return status;
}

int study_check_result(const struct ad_study *study) {
  uint64_t told = 0;
  for (size_t i = 0; i < study->count; i++) {
    if (i == 0 || study->cells[i].arm != study->cells[i - 1].arm) {
      AD_TRY(check_arm(study, &study->cells[i], &told));
    }
  }
  return AD_OK;
}
