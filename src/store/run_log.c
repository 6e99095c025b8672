#include "autodidact/store/run_log.h"

#include <inttypes.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* How much of a log is asked for: all of it in order, or what can be read. */
enum strictness { READ_ALL, READ_SOUND };

/* The row after those that are there. */
static int check_step(const struct ad_run_log *log, const struct ad_step_row *row, enum strictness how) {
  const struct ad_step_row *last = log->step_count == 0 ? NULL : &log->steps[log->step_count - 1].row;
  char expected[17];
  if (how == READ_SOUND) {
    return row->step > (last == NULL ? 0 : last->step)
               ? AD_OK
               : ad_fail(AD_EINPUT, "found step %" PRIu64 ", expected a later one", row->step);
  }
  if (row->step != log->step_count + 1) {
    return ad_fail(AD_EINPUT, "found step %" PRIu64 ", expected %zu", row->step, log->step_count + 1);
  }
  const uint64_t chain = ad_digest_pair(last == NULL ? 0 : last->chain, row->parameters);
  return chain == row->chain ? AD_OK
                             : ad_fail(AD_EINPUT, "the chain of digests is broken: found %016" PRIx64 ", expected %s",
                                       row->chain, ad_digest_text(chain, expected));
}

static int add_step(struct ad_run_log *log, const json_t *row, size_t begin, size_t size, enum strictness how) {
  struct ad_log_step step = {.begin = begin, .size = size};
  AD_TRY(ad_step_row_read(&step.row, row));
  AD_TRY(check_step(log, &step.row, how));
  void *steps = log->steps;
  AD_TRY(ad_reserve(&steps, &log->step_capacity, log->step_count + 1, sizeof step));
  log->steps = steps;
  log->steps[log->step_count++] = step;
  return AD_OK;
}

static int add_evaluation(struct ad_run_log *log, const json_t *row, enum strictness how) {
  struct ad_evaluation_row evaluation;
  AD_TRY(ad_evaluation_row_read(&evaluation, row));
  if (how == READ_ALL && evaluation.step != log->step_count) {
    return ad_fail(AD_EINPUT, "an evaluation that does not stand behind its step");
  }
  void *evaluations = log->evaluations;
  AD_TRY(ad_reserve(&evaluations, &log->evaluation_capacity, log->evaluation_count + 1, sizeof evaluation));
  log->evaluations = evaluations;
  log->evaluations[log->evaluation_count++] = evaluation;
  return AD_OK;
}

static int read_row(struct ad_run_log *log, const char *path, uint64_t line, size_t begin, size_t size,
                    enum strictness how) {
  json_t *row;
  AD_TRY(ad_json_parse(&row, path, line, log->map.data + begin, size));
  const int status = ad_evaluation_row_is(row) ? add_evaluation(log, row, how) : add_step(log, row, begin, size, how);
  json_decref(row);
  return status == AD_EINPUT ? ad_fail_prefix(status, "%s:%" PRIu64, path, line) : status;
}

static int read_rows(struct ad_run_log *log, const char *path, size_t bytes, enum strictness how) {
  uint64_t line = 1;
  for (size_t at = 0; at < bytes; line++) {
    const char *row = log->map.data + at, *end = memchr(row, '\n', bytes - at);
    if (end == NULL) {
      log->cut = 1;
      break;
    }
    const size_t size = (size_t)(end - row);
    const int status = read_row(log, path, line, at, size, how);
    if (how == READ_ALL || status != AD_EINPUT) {
      AD_TRY(status);
    } else {
      ad_error_clear();
      log->damaged++;
    }
    at += size + 1;
    log->bytes = at;
  }
  return AD_OK;
}

int ad_run_log_read(struct ad_run_log *log, const char *path, uint64_t most) {
  *log = (struct ad_run_log){0};
  AD_TRY(ad_file_map(path, &log->map));
  return read_rows(log, path, most < log->map.size ? (size_t)most : log->map.size, READ_ALL);
}

int ad_run_log_read_sound(struct ad_run_log *log, const char *path) {
  *log = (struct ad_run_log){0};
  AD_TRY(ad_file_map(path, &log->map));
  return read_rows(log, path, log->map.size, READ_SOUND);
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
