/* Any bytes as one or two files log.jsonl. */
#include "fuzz.h"

#include "autodidact/store/compare.h"
#include "autodidact/store/run_log.h"

/* The first `most` of the file's bytes. */
static void read_log(const char *path, size_t size, size_t most) {
  struct ad_run_log log;
  if (fuzz_accepted(ad_run_log_read(&log, path, most))) {
    size = size < most ? size : most;
    demand(log.bytes <= size && (log.cut || log.bytes == size));
    for (uint64_t step = 1; step <= log.step_count; step++) {
      const struct ad_log_step *row = ad_run_log_find(&log, step);
      demand(row != NULL && row->row.step == step && row->begin + row->size <= size);
      fuzz_touch(log.map.data + row->begin, row->size);
    }
    demand(log.step_count == 0 || ad_run_log_find(&log, log.step_count + 1) == NULL);
    demand(ad_run_log_find(&log, UINT64_MAX) == NULL);
  }
  ad_run_log_destroy(&log);
}

static void compare(const char *const paths[2], const struct fuzz_part parts[2]) {
  struct ad_log_comparison c;
  const int same = parts[0].size == parts[1].size && memcmp(parts[0].data, parts[1].data, parts[0].size) == 0;
  if (fuzz_accepted(ad_compare_logs(paths, &c))) {
    demand(c.verdict != AD_COMPARE_EQUAL || same);
    demand(!same || c.verdict == AD_COMPARE_EQUAL || (c.verdict == AD_COMPARE_ENDS && c.cut[0] && c.cut[1]));
    demand(c.equal_rows <= c.rows[0] && c.equal_rows <= c.rows[1]);
  }
  ad_log_comparison_destroy(&c);
}

void fuzz_input(const uint8_t *data, size_t size) {
  struct fuzz_part parts[2];
  fuzz_cut(data, size, parts, 2);
  const char *const paths[2] = {fuzz_put("a.jsonl", parts[0].data, parts[0].size),
                                fuzz_put("b.jsonl", parts[1].data, parts[1].size)};
  read_log(paths[0], parts[0].size, SIZE_MAX);
  read_log(paths[0], parts[0].size, parts[1].size);
  compare(paths, parts);
}
