/* How much work a cell is, before and after some are done. */
#include <math.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/joint.h"
#include "autodidact/learn/teacher.h"
#include "autodidact/model/huggingface.h"
#include "autodidact/run/session.h"
#include "autodidact/run/study.h"

/* Training examples as far as configuration and descriptor tell; else a number like any other, the same for all. */
static double examples_of(const struct ad_config *c) {
  struct ad_descriptor d = {0};
  double rows = c->data_train_rows > 0 ? (double)c->data_train_rows : 1e4;
  if (c->data_descriptor[0] == '\0' || ad_descriptor_configure(&d, c, ad_session_datasets()) != AD_OK) {
    ad_error_clear();
    return rows;
  }
  if (c->data_per_class > 0) {
    rows = (double)c->data_per_class * (double)d.class_count;
  } else if (c->data_train_rows == 0 && d.source[AD_SPLIT_TRAIN].expected.rows_known && c->data_train[0] == '\0') {
    rows = (double)d.source[AD_SPLIT_TRAIN].expected.rows;
  }
  for (size_t k = 0; k < d.set_count && c->data_train_rows == 0; k++) {
    const struct ad_expected *expected = &d.sets[k].source[AD_SPLIT_TRAIN].expected;
    rows = (k == 0 ? 0.0 : rows) + (expected->rows_known ? (double)expected->rows : 1e4);
  }
  rows *= c->data_train_rows > 0 && d.set_count > 0 ? (double)d.set_count : 1.0;
  ad_descriptor_destroy(&d);
  return fmax(rows - (double)c->data_hold_out, 1.0);
}

static double passes_of(const struct ad_config *c) {
  const struct ad_teacher_settings teacher = {.method = c->teacher_method, .window = c->teacher_window};
  return ad_teacher_passes(&teacher);
}

/* Weights that a token is multiplied with on its way through the layers. */
static double layer_size_of(const struct ad_config *c) {
  struct ad_model_config model = {.hidden = (uint32_t)c->model_hidden,
                                  .heads = (uint32_t)c->model_heads,
                                  .ffn = (uint32_t)c->model_ffn,
                                  .layers = (uint32_t)c->model_layers,
                                  .vocab = 1,
                                  .positions = 1,
                                  .types = 1};
  struct ad_names names = {0};
  if (c->model_path[0] != '\0' && ad_model_read_config(c->model_path, &model, &names) != AD_OK) {
    ad_error_clear();
  }
  ad_names_destroy(&names);
  model.classes = 2;
  struct ad_params params;
  double size = 0.0;
  if (ad_params_create(&params, &model) != AD_OK) {
    ad_error_clear();
    return size;
  }
  for (size_t i = 0; i < params.tensor_count; i++) {
    const struct ad_tensor *tensor = &params.tensors[i];
    const int of_layer = tensor->layer > 0 && tensor->layer <= model.layers;
    size += of_layer && !tensor->vector ? (double)tensor->count : 0.0;
  }
  ad_params_destroy(&params);
  return size;
}

static double work_of(const struct ad_config *c) {
  enum { TYPICAL = 48 }; /* tokens of an example, where the limit does not cut it */
  const double examples = examples_of(c), steps_an_epoch = ceil(examples / (double)c->batch_size);
  const double steps = c->train_steps > 0 ? (double)c->train_steps : (double)c->train_epochs * steps_an_epoch;
  const double tokens =
      steps * (double)c->batch_size * (c->data_max_tokens < TYPICAL ? (double)c->data_max_tokens : (double)TYPICAL);
  return 1e-9 * tokens * passes_of(c) * layer_size_of(c);
}

/* Seconds of rank's work of the done cells, in all and of each arm, and what was estimated for them. */
struct measured {
  double seconds, work;
  size_t done;
};

int ad_study_estimate(const struct ad_cells *cells, double *cost, int *seconds_known) {
  const struct ad_study *s = cells->study;
  struct measured all = {0}, *arms = ad_calloc(s->arm_count, sizeof *arms);
  double *work = ad_calloc(s->arm_count, sizeof *work);
  int status = arms == NULL || work == NULL ? ad_fail_memory(s->arm_count * sizeof *arms, "estimates") : AD_OK;
  for (size_t i = 0; status == AD_OK && i < s->count; i++) {
    const struct ad_cell_record *r = &cells->records[i];
    struct measured *arm = &arms[s->cells[i].arm];
    if (work[s->cells[i].arm] == 0.0) {
      struct ad_config config;
      status = ad_study_config(s, &s->cells[i], &config);
      work[s->cells[i].arm] = status == AD_OK ? work_of(&config) : 0.0;
      if (status == AD_OK) {
        ad_config_destroy(&config);
      }
    }
    if (status == AD_OK && r->state == AD_CELL_DONE && r->seconds > 0.0) {
      arm->seconds += r->seconds * (double)(r->ranks > 0 ? r->ranks : 1);
      arm->done++;
      all.seconds += r->seconds * (double)(r->ranks > 0 ? r->ranks : 1);
      all.work += work[s->cells[i].arm];
    }
  }
  *seconds_known = all.work > 0.0;
  for (size_t i = 0; status == AD_OK && i < s->count; i++) {
    const struct measured *arm = &arms[s->cells[i].arm];
    cost[i] = arm->done > 0 ? arm->seconds / (double)arm->done
                            : work[s->cells[i].arm] * (*seconds_known ? all.seconds / all.work : 1.0);
  }
  ad_free(arms);
  ad_free(work);
  return status;
}
