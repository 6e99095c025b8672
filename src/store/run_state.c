/* 64-bit numbers are texts of hexadecimal digits where they use all bits; NaN and infinity are null; scores are texts
 * of their members. */
#include "autodidact/store/run_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "rows_internal.h"

struct ad_run_state ad_run_state_begin(void) {
  return (struct ad_run_state){.dev_score = NAN, .peak = NAN};
}

void ad_run_state_destroy(struct ad_run_state *state) {
  ad_free(state->points);
  *state = (struct ad_run_state){0};
}

int ad_run_state_add(struct ad_run_state *state, const struct ad_evaluation_point *point) {
  void *points = state->points;
  AD_TRY(ad_reserve(&points, &state->capacity, state->count + 1, sizeof *point));
  state->points = points;
  state->points[state->count++] = *point;
  return AD_OK;
}

/* --- Writing. */

static json_t *real_or_null(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *pack_points(const struct ad_run_state *s) {
  json_t *list = json_array();
  for (size_t i = 0; i < s->count; i++) {
    const struct ad_evaluation_point *point = &s->points[i];
    json_t *errors = json_array();
    for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
      json_array_append_new(errors, real_or_null(point->score[v]));
    }
    json_array_append_new(list, json_pack("{s:I, s:f, s:o, s:o}", "step", (json_int_t)point->step, "epoch",
                                          point->epoch, "error", errors, "loss", real_or_null(point->loss)));
  }
  return list;
}

static json_t *pack_scores(const struct ad_scores *scores) {
  char text[AD_ROW_TEXT];
  return json_string(scores->examples == 0 ? "" : ad_scores_print(scores, text));
}

static json_t *pack_last(const struct ad_run_state *s) {
  json_t *list = json_array();
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    json_array_append_new(list, pack_scores(&s->last[v]));
  }
  return list;
}

static json_t *pack_trainer(const struct ad_trainer_state *s) {
  char chain[17];
  return json_pack("{s:I, s:s, s:I, s:I, s:I, s:I}", "done", (json_int_t)s->done, "chain",
                   ad_digest_text(s->chain, chain), "entered", (json_int_t)s->teacher.entered, "newest",
                   (json_int_t)s->teacher.newest, "window", (json_int_t)s->teacher.window_count, "run",
                   (json_int_t)s->teacher.run_count);
}

/* Only where there is early stopping: the text of other runs stays as it was before there was any. */
static void add_patience(const struct ad_run_state *s, json_t *state) {
  if (!isnan(s->peak)) {
    json_object_set_new(json_object_get(state, "run"), "patience",
                        json_pack("{s:f, s:I}", "peak", s->peak, "stale", (json_int_t)s->stale));
  }
}

int ad_run_state_print(const struct ad_run_state *s, char **text) {
  const double best = s->best.examples == 0 ? NAN : ad_scores_first(&s->best);
  json_t *state =
      json_pack("{s:o, s:{s:I, s:I, s:I, s:o, s:o, s:o, s:f, s:I, s:o, s:o}}", "trainer", pack_trainer(&s->trainer),
                "run", "log_bytes", (json_int_t)s->log_bytes, "evaluated", (json_int_t)s->evaluated, "best_step",
                (json_int_t)s->best_step, "best_error", real_or_null(best), "best_scores", pack_scores(&s->best),
                "dev_error", real_or_null(s->dev_score), "seconds", s->seconds, "examples", (json_int_t)s->examples,
                "rows", pack_points(s), "last_scores", pack_last(s));
  add_patience(s, state);
  char *dumped = state == NULL ? NULL : json_dumps(state, JSON_COMPACT);
  *text = dumped == NULL ? NULL : ad_strdup(dumped);
  free(dumped);
  json_decref(state);
  return *text == NULL ? ad_fail_memory(1024, "the state of a checkpoint") : AD_OK;
}

/* --- Reading. */

static double null_or_real(const json_t *value, double otherwise) {
  return json_is_number(value) ? json_number_value(value) : otherwise;
}

/* Scores from the text of their members; none from "". */
static int unpack_scores(struct ad_scores *scores, const json_t *value) {
  struct ad_buffer braced = {0};
  const char *members = json_string_value(value);
  json_t *object = NULL;
  *scores = (struct ad_scores){0};
  if (members == NULL || members[0] == '\0') {
    return AD_OK;
  }
  int status = ad_buffer_printf(&braced, "{%s}", members);
  status = status == AD_OK ? ad_json_parse(&object, "scores", 1, braced.data, braced.size) : status;
  if (status == AD_OK) {
    *scores = ad_scores_read(object);
  }
  json_decref(object);
  ad_buffer_destroy(&braced);
  return status;
}

static int unpack_points(struct ad_run_state *s, const json_t *list) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i), *errors = json_object_get(item, "error");
    struct ad_evaluation_point point = {.step = (uint64_t)json_integer_value(json_object_get(item, "step")),
                                        .epoch = json_number_value(json_object_get(item, "epoch")),
                                        .loss = null_or_real(json_object_get(item, "loss"), NAN)};
    for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
      point.score[v] = null_or_real(json_array_get(errors, v), NAN);
    }
    AD_TRY(ad_run_state_add(s, &point));
  }
  return AD_OK;
}

static int has_trainer(struct ad_trainer_state *s, const json_t *object) {
  const char *chain = json_string_value(json_object_get(object, "chain"));
  s->chain = chain == NULL ? 0 : strtoull(chain, NULL, 16);
  return chain != NULL && ad__row_count(object, "done", &s->done) &&
         ad__row_count(object, "entered", &s->teacher.entered) && ad__row_count(object, "newest", &s->teacher.newest) &&
         ad__row_count(object, "window", &s->teacher.window_count) &&
         ad__row_count(object, "run", &s->teacher.run_count);
}

static int has_run(struct ad_run_state *s, const json_t *object) {
  const json_t *seconds = json_object_get(object, "seconds"), *patience = json_object_get(object, "patience");
  s->peak = null_or_real(json_object_get(patience, "peak"), NAN);
  if (patience != NULL && (isnan(s->peak) || !ad__row_count(patience, "stale", &s->stale))) {
    return 0;
  }
  s->seconds = json_number_value(seconds);
  s->dev_score = null_or_real(json_object_get(object, "dev_error"), NAN);
  return json_is_number(seconds) && ad__row_count(object, "log_bytes", &s->log_bytes) &&
         ad__row_count(object, "evaluated", &s->evaluated) && ad__row_count(object, "best_step", &s->best_step) &&
         ad__row_count(object, "examples", &s->examples) && json_object_get(object, "rows") != NULL &&
         json_is_string(json_object_get(object, "best_scores")) && json_object_get(object, "last_scores") != NULL;
}

int ad_run_state_read(struct ad_run_state *s, const char *path, const char *text) {
  json_t *state;
  *s = ad_run_state_begin();
  AD_TRY(ad_json_parse(&state, path, 1, text, strlen(text)));
  const json_t *run = json_object_get(state, "run"), *last = json_object_get(run, "last_scores");
  int status = AD_OK;
  if (!has_trainer(&s->trainer, json_object_get(state, "trainer")) || !has_run(s, run)) {
    status = ad_fail(AD_EINPUT, "%s: its state is not one of a training", path);
  }
  status = status == AD_OK ? unpack_scores(&s->best, json_object_get(run, "best_scores")) : status;
  for (enum ad_variant v = 0; v < AD_VARIANTS && status == AD_OK; v++) {
    status = unpack_scores(&s->last[v], json_array_get(last, v));
  }
  status = status == AD_OK ? unpack_points(s, json_object_get(run, "rows")) : status;
  json_decref(state);
  return status;
}
