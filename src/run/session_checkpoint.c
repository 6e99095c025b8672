/* A run that is not finished, as eval and predict use it: the parameters of its newest good checkpoint. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/run/session.h"
#include "autodidact/store/checkpoint.h"
#include "autodidact/store/progress.h"
#include "autodidact/store/run_state.h"

/* The model that the run began from, by the path that was recorded where that still exists. */
static int load_base(struct ad_session *s, const char *run) {
  struct ad_config *c = &s->config;
  const char *model = s->inputs.model, *key = c->model_path[0] != '\0' ? "model.path" : "model.vocab";
  AD_TRY(model != NULL && access(model, F_OK) == 0 ? ad_config_set(c, run, key, model) : AD_OK);
  AD_TRY(ad_session_load_tokenizer(s, NULL));
  AD_TRY(ad_session_load_base(s));
  for (size_t i = s->report.class_names.count; i < s->descriptor.class_count; i++) {
    AD_TRY(ad_names_add(&s->report.class_names, s->descriptor.classes[i]));
  }
  return AD_OK;
}

/* A vector [P] into the session's parameters, checked by its digest. */
static int read_vector(struct ad_session *s, const struct ad_checkpoint *c, const char *path, int vector) {
  const struct ad_params *params = &s->params;
  uint64_t digest = 0;
  for (uint32_t b = 0; b < params->buckets; b++) {
    const size_t begin = params->bucket_begin[b], length = params->bucket_begin[b + 1] - begin;
    AD_TRY(ad_checkpoint_get(c, (size_t)vector, 0, begin, length, s->theta + begin));
    digest += ad_block_digest(params, b, begin, length, sizeof *s->theta, s->theta + begin);
  }
  return digest == ad_checkpoint_digests(c, (size_t)vector)[0]
             ? AD_OK
             : ad_fail(AD_EINPUT, "%s: damaged: its parameters do not match their digest", path);
}

/* The parameters that the model has; of a vector without frozen ones, they are the student's. */
static int take_vector(struct ad_session *s, const struct ad_checkpoint *c, const char *path, const char *name) {
  const struct ad_state_vector *vectors;
  const int student = ad_checkpoint_find(c, ad_variant_name(AD_VARIANT_STUDENT)), vector = ad_checkpoint_find(c, name);
  ad_ignore((long long)ad_checkpoint_vectors(c, &vectors));
  if (student < 0 || vector < 0 || vectors[vector].bytes != sizeof *s->theta || vectors[vector].filled != 1) {
    return ad_fail(AD_ECONFIG, "%s: it does not hold the parameters '%s', expected --model student", path, name);
  }
  const size_t frozen = ad_params_frozen(&s->params);
  if (vector == student || frozen == 0) {
    return read_vector(s, c, path, vector);
  }
  AD_TRY(read_vector(s, c, path, vector));
  return ad_checkpoint_get(c, (size_t)student, 0, 0, frozen, s->theta);
}

/* The threshold that the last evaluation of these parameters chose. */
static int take_threshold(struct ad_session *s, const struct ad_checkpoint *c, const char *path, const char *name) {
  struct ad_run_state state;
  const int status = ad_run_state_read(&state, path, ad_checkpoint_state(c));
  s->params.config.threshold = status == AD_OK ? (float)state.last[ad_variant_find(name)].threshold : 0.0f;
  ad_run_state_destroy(&state);
  return status;
}

static int load_step(struct ad_session *s, const char *run, uint64_t step, const char *variant) {
  struct ad_checkpoint *checkpoint = NULL;
  struct ad_buffer index = {0};
  char *path = ad_checkpoint_path(run, step);
  int status = path == NULL ? ad_fail_memory(strlen(run) + 32, "a path") : ad_checkpoint_index(path, &index);
  status = status == AD_OK ? ad_checkpoint_open_index(&checkpoint, path, &index, &s->params) : status;
  status = status == AD_OK ? take_vector(s, checkpoint, path, variant) : status;
  status = status == AD_OK ? take_threshold(s, checkpoint, path, variant) : status;
  if (checkpoint != NULL) {
    ad_checkpoint_close(checkpoint);
  }
  ad_buffer_destroy(&index);
  ad_free(path);
  return status;
}

/* The newest that is good. */
static int load_newest(struct ad_session *s, const char *run, const char *variant) {
  uint64_t *steps;
  size_t count;
  AD_TRY(ad_checkpoint_list(run, &steps, &count));
  int status =
      count == 0 ? ad_fail(AD_EINPUT, "%s: the run is not complete: it has no result.json, and no checkpoint yet", run)
                 : AD_EINPUT;
  for (size_t i = 0; status == AD_EINPUT && i < count; i++) {
    status = load_step(s, run, steps[i], variant);
    s->checkpoint = steps[i];
    if (status == AD_EINPUT && i + 1 < count) {
      ad_log(AD_LOG_WARNING, "%s; the checkpoint before it is tried", ad_error_message());
    }
  }
  ad_free(steps);
  return status;
}

int ad_session_load_checkpoint(struct ad_session *session, const char *run, const char *variant) {
  const struct ad_session_data_options own = {.own = 1};
  const char *name = variant == NULL ? ad_variant_name(AD_VARIANT_STUDENT) : variant;
  char names[AD_CHOICES_TEXT];
  uint64_t step, steps;
  if (session->task != NULL) {
    return ad_fail(
        AD_ECONFIG,
        "%s: the run is not finished, and --task is for finished runs: the train command, given again, ends it", run);
  }
  if (ad_variant_find(name) == AD_VARIANTS) {
    return ad_fail(AD_ECONFIG, "--model is '%s', expected %s", name, ad_choices_text(AD_SET_CHOICES(variant), names));
  }
  AD_TRY(session->descriptor.path == NULL ? ad_session_open_data(session, run, &own) : AD_OK);
  AD_TRY(load_base(session, run));
  AD_TRY(ad_params_freeze_named(&session->params, session->config.model_freeze));
  AD_TRY(load_newest(session, run, name));
  if (ad_run_progress(run, &step, &steps)) {
    ad_log(AD_LOG_INFO,
           "%s: the run is not finished: the %s of its checkpoint of step %" PRIu64 " of %" PRIu64 " is used", run,
           name, session->checkpoint, steps);
  } else {
    ad_log(AD_LOG_INFO, "%s: the run is not finished: the %s of its checkpoint of step %" PRIu64 " is used", run, name,
           session->checkpoint);
  }
  return AD_OK;
}
