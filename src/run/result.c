/* What a run keeps of its parameters, and the result. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run_files.h"
#include "training_internal.h"

/* The files of a model are among the run's. */
static int record_model(struct ad_training *t, const char *folder) {
  const char *files[AD_MODEL_FILES];
  const size_t count = ad_model_files(t->session.tokenizer, files);
  for (size_t i = 0; i < count; i++) {
    char name[128];
    snprintf(name, sizeof name, "%s/%s", folder, files[i]);
    AD_TRY(ad_run_record(&t->run, name));
  }
  return AD_OK;
}

/* A Hugging Face folder of a variant's parameters, and the threshold of their scores; *digest of the parameters. */
static int save(struct ad_training *t, const char *name, const float *theta, const struct ad_scores *scores,
                uint64_t *digest) {
  const struct ad_session *s = &t->session;
  const size_t P = s->params.count;
  struct ad_params params = s->params; /* shares all but the threshold */
  params.config.threshold = (float)scores->threshold;
  AD_TRY(record_model(t, name));
  const float *student = ad_replica_floats(ad_weights_replica(&t->vectors.replicas.student));
  const int copied = ad_params_frozen(&s->params) > 0 && theta != student && theta != t->vectors.best;
  char *folder = ad_path_join(t->run.folder, name);
  float *copy = copied ? ad_malloc(P, sizeof *copy) : NULL;
  if (folder == NULL || (copied && copy == NULL)) {
    ad_free(folder);
    ad_free(copy);
    return ad_fail_memory(P * sizeof *copy, "the parameters to be saved");
  }
  if (copied) {
    ad__copy_parameters(t, theta, copy);
    theta = copy;
  }
  *digest = ad_digest(theta, P * sizeof *theta);
  /* A run that was stopped before result.json has the folder already. */
  const int status = ad_model_save(folder, 1, &params, theta, s->tokenizer, (const char *const *)s->descriptor.classes);
  ad_free(folder);
  ad_free(copy);
  return status;
}

/* The result's variant to model/, those beside it to variants/NAME/; which of them are kept, and their digests. */
static int save_variants(struct ad_training *t, struct ad_result *kept) {
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    const int result = v == t->session.config.run_result;
    const struct ad_replica *thetas;
    size_t count;
    char name[AD_RUN_MODEL_NAME];
    if (!result && !t->session.config.run_variants) {
      continue;
    }
    AD_TRY(ad_trainer_variant(t->trainer, v, &thetas, &count));
    if (count != 1) {
      continue; /* none, or several: SDV's teacher is no single model */
    }
    if (t->ranks.first) {
      const int best = result && t->vectors.best != NULL;
      const float *theta = best ? t->vectors.best : ad_replica_floats(thetas[0]);
      ad__hold(&t->stop, save(t, ad_run_model_name(v, t->session.config.run_result, name), theta,
                              best ? &t->state.best : &t->state.last[v], &kept->digest[v]));
      kept->kept[v] = 1;
    }
    /* The vector may be shared: the next mean must not come while it is being written. */
    AD_TRY(ad__settle(t));
  }
  return AD_OK;
}

int ad__keep_result(struct ad_training *t) {
  const struct ad_run_state *s = &t->state;
  const uint64_t done = ad_trainer_done(t->trainer);
  struct ad_result result = {.step = t->vectors.best != NULL ? s->best_step : done,
                             .steps = done,
                             .model = t->session.config.run_result,
                             .has_dev = t->data.has_dev,
                             .dev = s->best};
  memcpy(result.last, s->last, sizeof result.last);
  AD_TRY(save_variants(t, &result));
  return t->ranks.first ? ad_run_finish(&t->run, &result, t->session.config.checkpoint_finished) : AD_OK;
}
