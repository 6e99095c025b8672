/* Cases of tests/parity/data/statistics.h5: a group a kind of statistic, in it a group a case. A figure that is NaN
 * there must be missing with a reason, all others must be there and equal to 1e-9. */
#ifndef AUTODIDACT_TESTS_SUPPORT_STATISTICS_H
#define AUTODIDACT_TESTS_SUPPORT_STATISTICS_H

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/statistics.h"
#include "support/fixture.h"

/* As in tests/parity/study_statistics.py. */
static const struct ad_resampling HOW __attribute__((unused)) = {.seed = 7, .replicates = 200, .level = 0.95};

struct fixture_case {
  hid_t file;
  char path[128];
};

static inline int open_statistics(void **state) {
  static hid_t file;
  file = fixture_open("statistics.h5");
  assert_true(fixture_scalar(file, "level") == HOW.level && fixture_scalar(file, "seed") == (double)HOW.seed &&
              fixture_scalar(file, "replicates") == (double)HOW.replicates);
  *state = (void *)&file;
  return 0;
}

static inline int close_statistics(void **state) {
  fixture_close(*(hid_t *)*state);
  return 0;
}

/* Members of a group, which must have some. */
static inline size_t case_count(hid_t file, const char *kind) {
  H5G_info_t info;
  assert_true(H5Gget_info_by_name(file, kind, &info, H5P_DEFAULT) >= 0 && info.nlinks > 0);
  return (size_t)info.nlinks;
}

static inline struct fixture_case case_open(hid_t file, const char *kind, size_t number) {
  struct fixture_case c = {file, ""};
  char name[64];
  assert_true(H5Lget_name_by_idx(file, kind, H5_INDEX_NAME, H5_ITER_INC, number, name, sizeof name, H5P_DEFAULT) > 0);
  snprintf(c.path, sizeof c.path, "%s/%s", kind, name);
  return c;
}

static inline void case_path(const struct fixture_case *c, const char *name, size_t size, char *path) {
  snprintf(path, size, "%s/%s", c->path, name);
}

/* The caller frees what these return. */
static inline void *case_values(const struct fixture_case *c, const char *name, hid_t type, size_t *count) {
  char path[256];
  case_path(c, name, sizeof path, path);
  return fixture_read_new(c->file, path, type, count);
}
static inline double *case_array(const struct fixture_case *c, const char *name, size_t *count) {
  return case_values(c, name, H5T_NATIVE_DOUBLE, count);
}

static inline double case_number(const struct fixture_case *c, const char *name) {
  char path[256];
  case_path(c, name, sizeof path, path);
  return fixture_scalar(c->file, path);
}

/* Extents of a dataset of up to three dimensions; their number. */
static inline size_t case_shape(const struct fixture_case *c, const char *name, size_t shape[3]) {
  char path[256];
  hsize_t extent[3];
  case_path(c, name, sizeof path, path);
  const hid_t set = H5Dopen2(c->file, path, H5P_DEFAULT), space = H5Dget_space(set);
  const int rank = H5Sget_simple_extent_ndims(space);
  assert_true(rank >= 0 && rank <= 3 && H5Sget_simple_extent_dims(space, extent, NULL) == rank);
  for (int d = 0; d < rank; d++) {
    shape[d] = (size_t)extent[d];
  }
  H5Sclose(space);
  H5Dclose(set);
  return (size_t)rank;
}

static inline void near(const char *place, const char *what, double value, const char *why, double expected) {
  if (isnan(expected)) {
    if (why == NULL || strlen(why) < 5) {
      fail_msg("%s, %s: %.17g, expected none, with a reason", place, what, value);
    }
    return;
  }
  if (why != NULL || !(fabs(value - expected) <= 1e-9 * fabs(expected) + 1e-12)) {
    fail_msg("%s, %s: %.17g (%s), expected %.17g", place, what, value, why == NULL ? "there" : why, expected);
  }
}

static inline void expect_figure(const struct fixture_case *c, const char *name, struct ad_figure figure) {
  near(c->path, name, figure.value, figure.why, case_number(c, name));
}

/* The datasets NAME_low and NAME_high. */
static inline void expect_interval(const struct fixture_case *c, const char *name, struct ad_interval interval) {
  char end[64];
  snprintf(end, sizeof end, "%s_low", name);
  near(c->path, end, interval.low, interval.why, case_number(c, end));
  snprintf(end, sizeof end, "%s_high", name);
  near(c->path, end, interval.high, interval.why, case_number(c, end));
}

/* Whichever allocation of `all` fails, of less than `most`: it says so, and nothing leaks. */
static inline void check_without_memory(int (*all)(void), unsigned long most) {
  const size_t blocks = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n++) {
    ad_memory_fail_at(n);
    status = all();
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, blocks);
    assert_true(n < most);
  }
}

#endif
