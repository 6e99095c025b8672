#include "autodidact/store/run_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

struct place {
  const char *path;
  uint64_t line;
};

static int bad_row(const struct place *place, const char *what) {
  return ad_fail(AD_EINPUT, "%s:%" PRIu64 ": %s", place->path, place->line, what);
}

/* 16 hexadecimal digits. */
static int get_digest(const json_t *object, const char *name, uint64_t *value) {
  const char *text = json_string_value(json_object_get(object, name));
  char *end;
  if (text == NULL || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16) {
    return -1;
  }
  *value = strtoull(text, &end, 16);
  return 0;
}

static int get_count(const json_t *object, const char *name, uint64_t *value) {
  const json_t *number = json_object_get(object, name);
  *value = (uint64_t)json_integer_value(number);
  return json_is_integer(number) && json_integer_value(number) >= 0 ? 0 : -1;
}

static int get_real(const json_t *object, const char *name, double *value) {
  const json_t *number = json_object_get(object, name);
  *value = json_number_value(number);
  return json_is_number(number) ? 0 : -1;
}

static int add_step(struct ad_run_log *log, const struct place *place, const json_t *row, size_t begin, size_t size) {
  struct ad_log_step step = {.begin = begin, .size = size};
  char expected[17], text[160];
  if (get_count(row, "step", &step.step) != 0 || get_count(row, "epoch", &step.epoch) != 0 ||
      get_digest(row, "parameters", &step.parameters) != 0 || get_digest(row, "chain", &step.chain) != 0 ||
      get_real(row, "loss", &step.loss) != 0 || get_real(row, "norm", &step.norm) != 0) {
    return bad_row(place, "neither a step nor an evaluation");
  }
  if (step.step != log->step_count + 1) {
    snprintf(text, sizeof text, "found step %" PRIu64 ", expected %zu", step.step, log->step_count + 1);
    return bad_row(place, text);
  }
  const uint64_t before = log->step_count == 0 ? 0 : log->steps[log->step_count - 1].chain;
  const uint64_t chain = ad_digest_pair(before, step.parameters);
  if (chain != step.chain) {
    snprintf(text, sizeof text, "the chain of digests is broken: found %016" PRIx64 ", expected %s", step.chain,
             ad_digest_text(chain, expected));
    return bad_row(place, text);
  }
  void *steps = log->steps;
  AD_TRY(ad_reserve(&steps, &log->step_capacity, log->step_count + 1, sizeof step));
  log->steps = steps;
  log->steps[log->step_count++] = step;
  return AD_OK;
}

static int add_evaluation(struct ad_run_log *log, const struct place *place, const json_t *row) {
  struct ad_log_evaluation evaluation = {0};
  const char *model = json_string_value(json_object_get(row, "model"));
  if (model == NULL || strlen(model) >= sizeof evaluation.model || get_count(row, "step", &evaluation.step) != 0 ||
      get_real(row, "error", &evaluation.error) != 0 || get_real(row, "loss", &evaluation.loss) != 0) {
    return bad_row(place, "not an evaluation of this program");
  }
  if (evaluation.step != log->step_count) {
    return bad_row(place, "an evaluation that does not stand behind its step");
  }
  snprintf(evaluation.model, sizeof evaluation.model, "%s", model);
  void *evaluations = log->evaluations;
  AD_TRY(ad_reserve(&evaluations, &log->evaluation_capacity, log->evaluation_count + 1, sizeof evaluation));
  log->evaluations = evaluations;
  log->evaluations[log->evaluation_count++] = evaluation;
  return AD_OK;
}

static int read_rows(struct ad_run_log *log, const char *path, size_t bytes) {
  struct place place = {path, 1};
  for (size_t at = 0; at < bytes; place.line++) {
    const char *row = log->map.data + at, *end = memchr(row, '\n', bytes - at);
    if (end == NULL) {
      log->cut = 1;
      break;
    }
    const size_t size = (size_t)(end - row);
    json_t *object;
    int status = ad_json_parse(&object, path, place.line, row, size);
    if (status == AD_OK) {
      status = json_object_get(object, "eval") != NULL ? add_evaluation(log, &place, object)
                                                       : add_step(log, &place, object, at, size);
    }
    json_decref(object);
    AD_TRY(status);
    at += size + 1;
    log->bytes = at;
  }
  return AD_OK;
}

int ad_run_log_read(struct ad_run_log *log, const char *path, uint64_t most) {
  *log = (struct ad_run_log){0};
  AD_TRY(ad_file_map(path, &log->map));
  return read_rows(log, path, most < log->map.size ? (size_t)most : log->map.size);
}

void ad_run_log_destroy(struct ad_run_log *log) {
  ad_file_unmap(&log->map);
  ad_free(log->steps);
  ad_free(log->evaluations);
  *log = (struct ad_run_log){0};
}

const struct ad_log_step *ad_run_log_find(const struct ad_run_log *log, uint64_t step) {
  return step > 0 && step <= log->step_count ? &log->steps[step - 1] : NULL;
}
