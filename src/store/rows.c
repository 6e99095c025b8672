#include "autodidact/store/rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "autodidact/task/heads.h"
#include "rows_internal.h"

int ad__row_count(const json_t *object, const char *name, uint64_t *value) {
  const json_t *number = json_object_get(object, name);
  *value = (uint64_t)json_integer_value(number);
  return json_is_integer(number) && json_integer_value(number) >= 0;
}

static int get_real(const json_t *object, const char *name, double *value) {
  const json_t *number = json_object_get(object, name);
  *value = json_is_number(number) ? json_number_value(number) : NAN;
  return json_is_number(number);
}

int ad__row_digest(const json_t *object, const char *name, uint64_t *value) {
  const char *text = json_string_value(json_object_get(object, name));
  *value = 0;
  return text != NULL && strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16 &&
         sscanf(text, "%" SCNx64, value) == 1;
}

int ad__row_variant(const json_t *object, const char *name, enum ad_variant *variant) {
  *variant = ad_variant_find(json_string_value(json_object_get(object, name)));
  return *variant < AD_VARIANTS;
}

/* --- Steps. */

struct ad_step_row ad_step_row_of(const struct ad_step *step, int taught) {
  return (struct ad_step_row){.step = step->step,
                              .epoch = step->epoch,
                              .task = step->task,
                              .examples = step->examples,
                              .tokens = step->tokens,
                              .loss = step->loss,
                              .taught = taught,
                              .distance = step->distance,
                              .weight = step->weight,
                              .norm = step->norm,
                              .factor = step->factor,
                              .parameters = step->parameters,
                              .chain = step->chain};
}

const char *ad_step_row_print(const struct ad_step_row *row, char text[AD_ROW_TEXT]) {
  char distance[40] = "null", taught[96] = "", task[AD_HEAD_NAME + 16] = "";
  if (row->task != NULL) {
    snprintf(task, sizeof task, "\"task\":\"%s\",", row->task);
  }
  if (!isnan(row->distance)) {
    snprintf(distance, sizeof distance, "%.17g", row->distance);
  }
  if (row->taught) {
    snprintf(taught, sizeof taught, "\"distance\":%s,\"weight\":%.17g,", distance, row->weight);
  }
  snprintf(text, AD_ROW_TEXT,
           "{\"step\":%" PRIu64 ",\"epoch\":%" PRIu64 ",%s\"examples\":%" PRIu64 ",\"tokens\":%" PRIu64
           ",\"loss\":%.17g,%s\"norm\":%.17g,\"factor\":%.17g,"
           "\"parameters\":\"%016" PRIx64 "\",\"chain\":\"%016" PRIx64 "\"}",
           row->step, row->epoch, task, row->examples, row->tokens, row->loss, taught, row->norm, row->factor,
           row->parameters, row->chain);
  return text;
}

int ad_step_row_read(struct ad_step_row *row, const json_t *object) {
  *row = (struct ad_step_row){.taught = json_object_get(object, "weight") != NULL};
  ad__row_count(object, "examples", &row->examples);
  ad__row_count(object, "tokens", &row->tokens);
  get_real(object, "distance", &row->distance);
  get_real(object, "weight", &row->weight);
  get_real(object, "factor", &row->factor);
  return ad__row_count(object, "step", &row->step) && ad__row_count(object, "epoch", &row->epoch) &&
                 ad__row_digest(object, "parameters", &row->parameters) &&
                 ad__row_digest(object, "chain", &row->chain) && get_real(object, "loss", &row->loss) &&
                 get_real(object, "norm", &row->norm)
             ? AD_OK
             : ad_fail(AD_EINPUT, "neither a step nor an evaluation");
}

/* --- Evaluations. */

const char *ad_scores_print(const struct ad_scores *scores, char text[AD_ROW_TEXT]) {
  size_t used = (size_t)snprintf(text, AD_ROW_TEXT, "\"examples\":%" PRIu64, scores->examples);
  const struct ad_task *task = scores->task;
  if (task != ad_task_find(NULL)) {
    used += (size_t)snprintf(text + used, AD_ROW_TEXT - used, ",\"task\":\"%s\"", task->name);
  }
  for (size_t i = 0; i < task->score_count; i++) {
    char value[40] = "null";
    if (isfinite(scores->value[i])) {
      snprintf(value, sizeof value, "%.17g", scores->value[i]);
    }
    used += (size_t)snprintf(text + used, AD_ROW_TEXT - used, ",\"%s\":%s", task->scores[i].name, value);
  }
  if (scores->threshold > 0.0) {
    snprintf(text + used, AD_ROW_TEXT - used, ",\"threshold\":%.17g", scores->threshold);
  }
  return text;
}

struct ad_scores ad_scores_read(const json_t *object) {
  struct ad_scores scores = {.task = ad_task_named(json_string_value(json_object_get(object, "task")))};
  if (scores.task == NULL) {
    return scores;
  }
  ad__row_count(object, "examples", &scores.examples);
  for (size_t i = 0; i < scores.task->score_count; i++) {
    get_real(object, scores.task->scores[i].name, &scores.value[i]);
  }
  if (scores.task->choose_threshold != NULL) {
    get_real(object, "threshold", &scores.threshold);
  }
  return scores;
}

const char *ad_evaluation_row_print(const struct ad_evaluation_row *row, char text[AD_ROW_TEXT]) {
  char scores[AD_ROW_TEXT];
  const int size =
      snprintf(text, AD_ROW_TEXT, "{\"eval\":\"dev\",\"model\":\"%s\",\"step\":%" PRIu64 ",\"epoch\":%" PRIu64 ",",
               ad_variant_name(row->model), row->step, row->epoch);
  snprintf(text + size, AD_ROW_TEXT - (size_t)size, "%s}", ad_scores_print(&row->scores, scores));
  return text;
}

int ad_evaluation_row_is(const json_t *object) {
  return json_object_get(object, "eval") != NULL;
}

int ad_evaluation_row_read(struct ad_evaluation_row *row, const json_t *object) {
  *row = (struct ad_evaluation_row){.scores = ad_scores_read(object)};
  ad__row_count(object, "epoch", &row->epoch);
  return ad__row_variant(object, "model", &row->model) && ad__row_count(object, "step", &row->step) &&
                 !isnan(ad_scores_first(&row->scores)) && !isnan(ad_scores_loss(&row->scores))
             ? AD_OK
             : ad_fail(AD_EINPUT, "not an evaluation of this program");
}

/* --- Times. */

static const char *const timed[AD_TIMINGS] = {
#define AD_TIMING_MEMBER(kind, member) [kind] = member,
    AD_TIMING_MAP(AD_TIMING_MEMBER)
#undef AD_TIMING_MEMBER
};

const char *ad_timing_row_print(const struct ad_timing_row *row, char text[AD_ROW_TEXT]) {
  const char *name = timed[row->kind];
  switch (row->kind) {
    case AD_TIMING_STEP:
      snprintf(text, AD_ROW_TEXT, "{\"step\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"seconds\":%.6f}", row->step,
               row->steps, row->seconds);
      break;
    case AD_TIMING_EVALUATION:
      snprintf(text, AD_ROW_TEXT, "{\"%s\":\"dev\",\"step\":%" PRIu64 ",\"seconds\":%.6f}", name, row->step,
               row->seconds);
      break;
    case AD_TIMING_SNAPSHOTS:
      snprintf(text, AD_ROW_TEXT, "{\"%s\":\"written\",\"seconds\":%.6f}", name, row->seconds);
      break;
    case AD_TIMING_RESUMED:
      snprintf(text, AD_ROW_TEXT, "{\"%s\":%" PRIu64 ",\"ranks\":\"%.64s\",\"host\":\"%.256s\"}", name, row->step,
               row->ranks, row->host);
      break;
    case AD_TIMING_MEMORY:
      snprintf(text, AD_ROW_TEXT, "{\"%s\":{\"predicted\":%.0f,\"used\":%.0f}}", name, row->predicted, row->used);
      break;
    default:
      snprintf(text, AD_ROW_TEXT, "{\"%s\":%" PRIu64 ",\"seconds\":%.6f}", name, row->step, row->seconds);
  }
  return text;
}

int ad_timing_row_read(struct ad_timing_row *row, const json_t *object) {
  const json_t *memory = json_object_get(object, "memory");
  enum ad_timing kind = 0;
  while (kind < AD_TIMINGS && json_object_get(object, timed[kind]) == NULL) {
    kind++;
  }
  *row = (struct ad_timing_row){.kind = kind};
  const int named = kind == AD_TIMING_SNAPSHOT || kind == AD_TIMING_CHECKPOINT || kind == AD_TIMING_RESUMED;
  ad__row_count(object, named ? timed[kind] : "step", &row->step);
  ad__row_count(object, "steps", &row->steps);
  get_real(object, "seconds", &row->seconds);
  get_real(memory, "predicted", &row->predicted);
  get_real(memory, "used", &row->used);
  return kind < AD_TIMINGS ? AD_OK : ad_fail(AD_EINPUT, "not a row of this program");
}
