#include "autodidact/store/run_log.h"

#include <inttypes.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

static int add_step(struct ad_run_log *log, const json_t *row, size_t begin, size_t size) {
  struct ad_log_step step = {.begin = begin, .size = size};
  char expected[17];
  AD_TRY(ad_step_row_read(&step.row, row));
  if (step.row.step != log->step_count + 1) {
    return ad_fail(AD_EINPUT, "found step %" PRIu64 ", expected %zu", step.row.step, log->step_count + 1);
  }
  const uint64_t before = log->step_count == 0 ? 0 : log->steps[log->step_count - 1].row.chain;
  const uint64_t chain = ad_digest_pair(before, step.row.parameters);
  if (chain != step.row.chain) {
    return ad_fail(AD_EINPUT, "the chain of digests is broken: found %016" PRIx64 ", expected %s", step.row.chain,
                   ad_digest_text(chain, expected));
  }
  void *steps = log->steps;
  AD_TRY(ad_reserve(&steps, &log->step_capacity, log->step_count + 1, sizeof step));
  log->steps = steps;
  log->steps[log->step_count++] = step;
  return AD_OK;
}

static int add_evaluation(struct ad_run_log *log, const json_t *row) {
  struct ad_evaluation_row evaluation;
  AD_TRY(ad_evaluation_row_read(&evaluation, row));
  if (evaluation.step != log->step_count) {
    return ad_fail(AD_EINPUT, "an evaluation that does not stand behind its step");
  }
  void *evaluations = log->evaluations;
  AD_TRY(ad_reserve(&evaluations, &log->evaluation_capacity, log->evaluation_count + 1, sizeof evaluation));
  log->evaluations = evaluations;
  log->evaluations[log->evaluation_count++] = evaluation;
  return AD_OK;
}

static int read_row(struct ad_run_log *log, const char *path, uint64_t line, size_t begin, size_t size) {
  json_t *row;
  AD_TRY(ad_json_parse(&row, path, line, log->map.data + begin, size));
  const int status = ad_evaluation_row_is(row) ? add_evaluation(log, row) : add_step(log, row, begin, size);
  json_decref(row);
  return status == AD_EINPUT ? ad_fail_prefix(status, "%s:%" PRIu64, path, line) : status;
}

static int read_rows(struct ad_run_log *log, const char *path, size_t bytes) {
  uint64_t line = 1;
  for (size_t at = 0; at < bytes; line++) {
    const char *row = log->map.data + at, *end = memchr(row, '\n', bytes - at);
    if (end == NULL) {
      log->cut = 1;
      break;
    }
    const size_t size = (size_t)(end - row);
    AD_TRY(read_row(log, path, line, at, size));
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
