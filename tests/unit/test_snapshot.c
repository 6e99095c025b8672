/* Snapshots: when they are due, what their files hold as HDF5 reads it, going on from a step, damage, a full disk. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "autodidact/store/snapshot.h"
#include "support/fixture.h"
#include "support/small_training.h"

enum { PROBE = 3, SKETCH = 32, CLASSES = 3 };

struct scene {
  char run[64];
  struct ad_params params;
  uint32_t labels[PROBE];
  struct ad_snapshot_layout layout;
};

static void remove_run(struct scene *s) {
  char path[128];
  snprintf(path, sizeof path, "%s/snapshots", s->run);
  assert_int_equal(ad_remove_folder(path), AD_OK);
  assert_int_equal(ad_remove_folder(s->run), AD_OK);
}

static int setup(void **state) {
  static struct scene scene;
  scene = (struct scene){.run = "/tmp/test_snapshot.XXXXXX", .labels = {2, 0, 1}};
  assert_non_null(mkdtemp(scene.run));
  assert_int_equal(ad_params_create(&scene.params, &small_model), AD_OK);
  scene.layout = (struct ad_snapshot_layout){.params = &scene.params,
                                             .content = AD_SNAPSHOT_SCALARS | AD_SNAPSHOT_NORMS | AD_SNAPSHOT_SKETCH |
                                                        AD_SNAPSHOT_PROBE | AD_SNAPSHOT_PARAMETERS,
                                             .teacher = 1,
                                             .sketch = SKETCH,
                                             .probe = PROBE,
                                             .labels = scene.labels,
                                             .teacher_logits = 1};
  *state = &scene;
  return 0;
}

/* No test leaves an HDF5 handle open, those with damaged files included. */
static int teardown(void **state) {
  struct scene *s = *state;
  assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
  remove_run(s);
  ad_params_destroy(&s->params);
  return 0;
}

/* Numbers of a step that tell where they belong: column `what`, element i. */
static double number(uint64_t step, int what, size_t i) {
  return (double)step * 1000.0 + what * 100.0 + (double)i * 0.25;
}

static int add(const struct scene *s, struct ad_snapshots *file, uint64_t step) {
  const size_t N = s->params.tensor_count, P = s->params.count;
  static double norm[AD_NORMS * 64];
  static int64_t sketch[SKETCH];
  static float student[PROBE * CLASSES], teacher[PROBE * CLASSES];
  float *parameters = calloc(P, sizeof *parameters);
  const struct ad_step scalars = {.step = step,
                                  .epoch = step + 1,
                                  .examples = 5,
                                  .tokens = 77,
                                  .loss = number(step, 1, 0),
                                  .distance = number(step, 2, 0),
                                  .weight = 0.5,
                                  .norm = number(step, 3, 0),
                                  .factor = 0.125,
                                  .parameters = 0xfeedfacecafebeefull + step};
  assert_true(N <= 64 && parameters != NULL);
  for (size_t i = 0; i < AD_NORMS * N; i++) {
    norm[i] = number(step, 4, i);
  }
  for (size_t i = 0; i < SKETCH; i++) {
    sketch[i] = (int64_t)(i % 2 ? step : 0 - step) * ((int64_t)1 << 40) + (int64_t)i;
  }
  for (size_t i = 0; i < PROBE * CLASSES; i++) {
    student[i] = (float)number(step, 5, i);
    teacher[i] = (float)number(step, 6, i);
  }
  for (size_t i = 0; i < P; i++) {
    parameters[i] = (float)number(step, 7, i);
  }
  const struct ad_snapshot snapshot = {.step = step,
                                       .scalars = step == 0 ? NULL : &scalars,
                                       .norm = norm,
                                       .sketch = sketch,
                                       .student = step % 2 == 0 ? student : NULL,
                                       .teacher = step % 4 == 0 ? teacher : NULL,
                                       .parameters = parameters};
  const int status = ad_snapshots_add(file, &snapshot);
  free(parameters);
  return status;
}

static struct ad_snapshots *open_run(const struct scene *s) {
  struct ad_snapshots *file;
  assert_int_equal(ad_snapshots_open(&file, s->run, &s->layout), AD_OK);
  return file;
}

/* Adds first..last and closes the segment. */
static void add_segment(const struct scene *s, struct ad_snapshots *file, uint64_t first, uint64_t last) {
  for (uint64_t step = first; step <= last; step++) {
    assert_int_equal(add(s, file, step), AD_OK);
  }
  assert_int_equal(ad_snapshots_flush(file), AD_OK);
}

static const char *path_of(const struct scene *s, const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/snapshots/%s", s->run, name);
  return path;
}

/* Compares the file (a segment, or all.h5) with what was added for the steps first..last. */
static void check_rows(const struct scene *s, const char *name, uint64_t first, uint64_t last) {
  const size_t rows = (size_t)(last - first + 1), N = s->params.tensor_count, P = s->params.count;
  const hid_t file = H5Fopen(path_of(s, name), H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  double *reals = malloc(rows * P * sizeof *reals);
  int64_t *whole = malloc(rows * SKETCH * sizeof *whole);
  uint64_t *counts = malloc(rows * sizeof *counts);
  fixture_read(file, "/step", H5T_NATIVE_UINT64, rows, counts);
  fixture_read(file, "/scalars/loss", H5T_NATIVE_DOUBLE, rows, reals);
  for (size_t r = 0; r < rows; r++) {
    assert_int_equal(counts[r], first + r);
    assert_true(first + r == 0 ? isnan(reals[r]) : reals[r] == number(first + r, 1, 0));
  }
  fixture_read(file, "/scalars/parameters", H5T_NATIVE_UINT64, rows, counts);
  fixture_read(file, "/norms/distance", H5T_NATIVE_DOUBLE, rows * N, reals);
  fixture_read(file, "/sketch", H5T_NATIVE_INT64, rows * SKETCH, whole);
  for (size_t r = 0; r < rows; r++) {
    const uint64_t step = first + r;
    assert_true(counts[r] == (step == 0 ? 0 : 0xfeedfacecafebeefull + step));
    for (size_t i = 0; i < N; i++) {
      assert_true(reals[r * N + i] == number(step, 4, AD_NORM_DISTANCE * N + i));
    }
    for (size_t i = 0; i < SKETCH; i++) {
      assert_true(whole[r * SKETCH + i] == (int64_t)(i % 2 ? step : 0 - step) * ((int64_t)1 << 40) + (int64_t)i);
    }
  }
  for (int teacher = 0; teacher < 2; teacher++) {
    const size_t each = PROBE * CLASSES;
    fixture_read(file, teacher ? "/probe/teacher" : "/probe/student", H5T_NATIVE_DOUBLE, rows * each, reals);
    for (size_t i = 0; i < rows * each; i++) {
      const uint64_t step = first + i / each;
      const int there = step % (teacher ? 4 : 2) == 0;
      assert_true(there ? reals[i] == (float)number(step, 5 + teacher, i % each) : isnan(reals[i]));
    }
  }
  fixture_read(file, "/parameters/flat", H5T_NATIVE_DOUBLE, rows * P, reals);
  for (size_t i = 0; i < rows * P; i++) {
    assert_true(reals[i] == (float)number(first + i / P, 7, i % P));
  }
  free(reals);
  free(whole);
  free(counts);
  fixture_close(file);
}

static void test_schedule(void **state) {
  (void)state;
  static const struct {
    uint64_t every, dense;
    double growth;
    const char *steps;
    uint64_t total;
    const char *due; /* all of them */
  } cases[] = {
      {0, 0, 0.0, "", 10, ""},
      {3, 0, 0.0, "", 10, "0 3 6 9 10 "},
      {5, 0, 0.0, "", 10, "0 5 10 "},
      {0, 4, 0.0, "", 10, "0 1 2 3 4 10 "},
      {0, 0, 2.0, "", 20, "0 1 2 4 8 16 20 "},
      {0, 5, 1.5, "", 30, "0 1 2 3 4 5 8 12 18 27 30 "},
      {0, 0, 1.01, "", 5, "0 1 2 3 4 5 "},
      {0, 0, 0.0, "7,2,2,0,99", 10, "0 2 7 10 "},
      {4, 2, 3.0, "5,6", 13, "0 1 2 4 5 6 8 12 13 "},
      {1, 0, 0.0, "", 0, "0 "},
      {7, 20, 0.0, "", 3, "0 1 2 3 "},
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    struct ad_snapshot_schedule s;
    char due[256] = "";
    assert_int_equal(ad_snapshot_schedule_create(&s, cases[c].every, cases[c].dense, cases[c].growth, cases[c].steps,
                                                 cases[c].total),
                     AD_OK);
    uint64_t count = 0;
    for (uint64_t step = 0; step <= cases[c].total + 5; step++) {
      if (ad_snapshot_due(&s, step)) {
        snprintf(due + strlen(due), sizeof due - strlen(due), "%d ", (int)step);
        count++;
      }
    }
    assert_string_equal(due, cases[c].due);
    assert_int_equal(ad_snapshot_number(&s), count);
    ad_snapshot_schedule_destroy(&s);
  }
}

static void test_schedule_number(void **state) {
  (void)state;
  for (uint64_t n = 0; n < 400; n++) {
    struct ad_snapshot_schedule s;
    const uint64_t total = 1 + ad_random_below(4, AD_STREAM_TEST, 0, n, 300);
    const double growth = n % 3 == 0 ? 0.0 : 1.01 + ad_random_uniform(4, AD_STREAM_TEST, 1, n);
    assert_int_equal(ad_snapshot_schedule_create(&s, ad_random_below(4, AD_STREAM_TEST, 2, n, 9),
                                                 ad_random_below(4, AD_STREAM_TEST, 3, n, 40), growth,
                                                 n % 2 == 0 ? "" : "250,17,90,90,41", total),
                     AD_OK);
    uint64_t count = 0, last = 0;
    for (uint64_t step = 0; step <= total; step++) {
      if (step > 0 && ad_snapshot_due(&s, step)) {
        assert_int_equal(ad_snapshot_previous(&s, step), last);
        last = step;
      }
      count += ad_snapshot_due(&s, step);
    }
    assert_int_equal(ad_snapshot_number(&s), count);
    ad_snapshot_schedule_destroy(&s);
  }
  /* A run of any length is counted at once. */
  struct ad_snapshot_schedule s;
  assert_int_equal(ad_snapshot_schedule_create(&s, 1, 0, 1.01, "", 1000000000000000ull), AD_OK);
  assert_int_equal(ad_snapshot_number(&s), 1000000000000001ull);
  ad_snapshot_schedule_destroy(&s);
}

/* Turn j, of example j mod B, comes at step ceil((j + 1) every / B). */
static void test_probe_turns(void **state) {
  (void)state;
  for (uint64_t n = 0; n < 300; n++) {
    const uint64_t total = 1 + ad_random_below(6, AD_STREAM_TEST, 0, n, 100);
    const uint64_t every = 1 + ad_random_below(6, AD_STREAM_TEST, 1, n, 40);
    const size_t B = 1 + (size_t)ad_random_below(6, AD_STREAM_TEST, 2, n, 50);
    struct ad_snapshot_schedule s;
    assert_int_equal(ad_snapshot_schedule_create(&s, 1 + ad_random_below(6, AD_STREAM_TEST, 3, n, 5), n % 7,
                                                 n % 2 == 0 ? 0.0 : 1.3, "11,90", total),
                     AD_OK);
    uint64_t turn = 0;
    for (uint64_t step = 0; step <= total; step++) {
      if (!ad_snapshot_due(&s, step)) {
        continue;
      }
      const uint64_t first = turn;
      while ((turn + 1) * every <= step * B) {
        turn++;
      }
      size_t begin, count;
      ad_snapshot_probe_turn(&s, step, every, B, &begin, &count);
      const int all = (step > 0 && step == total) || turn - first >= B;
      assert_int_equal(count, all ? B : turn - first);
      assert_true(all ? begin == 0 : count == 0 || begin == first % B);
    }
    ad_snapshot_schedule_destroy(&s);
  }
  /* Numbers of any size. */
  struct ad_snapshot_schedule s;
  size_t begin, count;
  assert_int_equal(ad_snapshot_schedule_create(&s, 1000, 0, 0.0, "", 1000000000000000ull), AD_OK);
  ad_snapshot_probe_turn(&s, 999999999999000ull, 1000000000000000ull, 1000000000, &begin, &count);
  assert_true(count == 0);
  ad_snapshot_probe_turn(&s, 999999999000000ull, 1000000000000000ull, 1000000000, &begin, &count);
  assert_true(begin == 999999998 && count == 1);
  ad_snapshot_schedule_destroy(&s);
}

static void test_settings(void **state) {
  (void)state;
  static const char *const wrong[] = {"a", "1,", ",1", "1,,2", "-1", "1;2", " 1", "99999999999999999999", "1.5"};
  static const double growths[] = {0.5, 1.0, 1.001, -2.0, INFINITY, NAN};
  struct ad_snapshot_schedule s;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(ad_snapshot_schedule_create(&s, 0, 0, 0.0, wrong[i], 10), AD_ECONFIG);
    assert_non_null(strstr(ad_error_message(), wrong[i]));
  }
  for (size_t i = 0; i < sizeof growths / sizeof *growths; i++) {
    assert_int_equal(ad_snapshot_schedule_create(&s, 0, 0, growths[i], "", 10), AD_ECONFIG);
  }
  unsigned content;
  assert_int_equal(ad_snapshot_content_read("probe,scalars", &content), AD_OK);
  assert_int_equal(content, AD_SNAPSHOT_PROBE | AD_SNAPSHOT_SCALARS);
  assert_int_equal(ad_snapshot_content_read("scalars,norms,sketch,probe,parameters", &content), AD_OK);
  assert_int_equal(content, 31);
  static const char *const words[] = {"", "norm", "norms,", ",norms", "norms sketch", "scalars,all"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    assert_int_equal(ad_snapshot_content_read(words[i], &content), AD_ECONFIG);
  }
}

static void test_files(void **state) {
  struct scene *s = *state;
  struct ad_snapshots *file = open_run(s);
  assert_int_equal(ad_snapshots_flush(file), AD_OK);
  assert_false(ad_is_file(path_of(s, "all.h5")));
  add_segment(s, file, 0, 4);
  add_segment(s, file, 5, 5);
  check_rows(s, "segment-000000000.h5", 0, 4);
  check_rows(s, "segment-000000005.h5", 5, 5);
  check_rows(s, "all.h5", 0, 5);
  assert_int_equal(add(s, file, 5), AD_EINTERNAL);
  ad_snapshots_destroy(file);
  /* Another process goes on. */
  file = open_run(s);
  assert_int_equal(add(s, file, 5), AD_EINTERNAL);
  add_segment(s, file, 6, 8);
  check_rows(s, "all.h5", 0, 8);
  ad_snapshots_destroy(file);
  assert_int_equal(ad_snapshots_check(path_of(s, "segment-000000000.h5")), AD_OK);

  const hid_t all = H5Fopen(path_of(s, "all.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  uint32_t labels[PROBE];
  fixture_read(all, "/probe/labels", H5T_NATIVE_UINT32, PROBE, labels);
  assert_memory_equal(labels, s->labels, sizeof labels);
  /* A tensor with its own name and shape. */
  const struct ad_tensor *tensor = ad_params_find(&s->params, "encoder.layer.1.output.dense.weight");
  float *values = malloc(9 * tensor->count * sizeof *values);
  fixture_read(all, "/parameters/encoder.layer.1.output.dense.weight", H5T_NATIVE_FLOAT, 9 * tensor->count, values);
  for (size_t i = 0; i < 9 * tensor->count; i++) {
    assert_true(values[i] == (float)number(i / tensor->count, 7, tensor->offset + i % tensor->count));
  }
  free(values);
  hsize_t shape[3];
  const hid_t set = H5Dopen2(all, "/parameters/encoder.layer.1.output.dense.weight", H5P_DEFAULT);
  const hid_t space = H5Dget_space(set);
  assert_int_equal(H5Sget_simple_extent_dims(space, shape, NULL), 3);
  assert_true(shape[0] == 9 && shape[1] == tensor->rows && shape[2] == tensor->columns);
  H5Sclose(space);
  H5Dclose(set);
  fixture_close(all);
}

/* A segment that all.h5 shows and that is not there, or is another one, is named; one of its name elsewhere is not
 * taken, wherever HDF5 may be told to look. */
static void test_missing(void **state) {
  struct scene *s = *state;
  struct ad_snapshots *file = open_run(s);
  struct ad_snapshot_file *all;
  char segment[256], elsewhere[] = "segment-000000004.h5", moved[256], held[4096];
  add_segment(s, file, 0, 3);
  add_segment(s, file, 4, 6);
  add_segment(s, file, 7, 9);
  ad_snapshots_destroy(file);
  snprintf(segment, sizeof segment, "%s", path_of(s, elsewhere));
  snprintf(moved, sizeof moved, "%s/%s", s->run, elsewhere);
  const char *path = path_of(s, "all.h5");
  assert_int_equal(ad_snapshot_file_open(&all, path), AD_OK);
  ad_snapshot_file_close(all);
  assert_int_equal(rename(segment, moved), 0);
  /* The current folder, and HDF5's own variable. */
  assert_non_null(getcwd(held, sizeof held));
  assert_int_equal(chdir(s->run), 0);
  setenv("HDF5_VDS_PREFIX", s->run, 1);
  assert_int_equal(ad_snapshot_file_open(&all, path), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "all.h5: what it shows cannot be read: "));
  assert_non_null(strstr(ad_error_message(), segment));
  assert_null(all);
  assert_int_equal(ad_snapshots_complete(s->run, 4), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), segment));
  assert_int_equal(ad_snapshots_complete(s->run, 3), AD_OK);
  assert_int_equal(ad_snapshots_cut(s->run, 8), AD_EINPUT);
  unsetenv("HDF5_VDS_PREFIX");
  assert_int_equal(chdir(held), 0);
  /* Cut short; the segment before in its place; whole again. */
  assert_int_equal(rename(moved, segment), 0);
  file = open_run(s);
  ad_snapshots_destroy(file);
  assert_int_equal(truncate(segment, 3000), 0);
  assert_int_equal(ad_snapshot_file_open(&all, path), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), segment));
  unlink(segment);
  assert_int_equal(link(path_of(s, "segment-000000000.h5"), segment), 0);
  assert_int_equal(ad_snapshot_file_open(&all, path_of(s, "all.h5")), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "its snapshots are not the 3 from step 4 on"));
}

/* Segments end by themselves at AD_SNAPSHOT_ROWS rows. */
static void test_rows(void **state) {
  struct scene *s = *state;
  s->layout.content = AD_SNAPSHOT_SCALARS;
  struct ad_snapshots *file = open_run(s);
  for (uint64_t step = 0; step < AD_SNAPSHOT_ROWS + 10; step++) {
    assert_int_equal(add(s, file, step), AD_OK);
  }
  assert_true(ad_is_file(path_of(s, "segment-000000000.h5")));
  assert_false(ad_is_file(path_of(s, "segment-000001000.h5")));
  assert_int_equal(ad_snapshots_flush(file), AD_OK);
  assert_true(ad_is_file(path_of(s, "segment-000001000.h5")));
  ad_snapshots_destroy(file);
  const hid_t all = H5Fopen(path_of(s, "all.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_int_equal(fixture_count(all, "/scalars/loss"), AD_SNAPSHOT_ROWS + 10);
  assert_true(H5Lexists(all, "/norms", H5P_DEFAULT) == 0 && H5Lexists(all, "/sketch", H5P_DEFAULT) == 0);
  fixture_close(all);
}

static void test_cut(void **state) {
  struct scene *s = *state;
  assert_int_equal(ad_snapshots_cut(s->run, 3), AD_OK); /* nothing there at all */
  for (uint64_t step = 0; step <= 11; step++) {
    struct ad_snapshots *file = open_run(s);
    add_segment(s, file, 0, 3);
    add_segment(s, file, 4, 8);
    add_segment(s, file, 9, 10);
    ad_snapshots_destroy(file);
    const uint64_t left = step < 10 ? step : 10;
    assert_int_equal(ad_snapshots_cut(s->run, step), AD_OK);
    check_rows(s, "all.h5", 0, left);
    assert_true(ad_is_file(path_of(s, "segment-000000004.h5")) == (step >= 4));
    assert_true(ad_is_file(path_of(s, "segment-000000009.h5")) == (step >= 9));
    file = open_run(s);
    if (left < 10) {
      add_segment(s, file, left + 1, 10);
    }
    check_rows(s, "all.h5", 0, 10);
    ad_snapshots_destroy(file);
    char path[128];
    snprintf(path, sizeof path, "%s/snapshots", s->run);
    assert_int_equal(ad_remove_folder(path), AD_OK);
  }
}

/* A run whose first snapshot is later than the step leaves nothing. */
static void test_cut_all(void **state) {
  struct scene *s = *state;
  struct ad_snapshots *file = open_run(s);
  add_segment(s, file, 5, 6);
  ad_snapshots_destroy(file);
  assert_int_equal(ad_snapshots_cut(s->run, 2), AD_OK);
  assert_false(ad_is_file(path_of(s, "segment-000000005.h5")));
  assert_false(ad_is_file(path_of(s, "all.h5")));
}

static void change_byte(const char *path, long place) {
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  assert_int_equal(fseek(file, place, place < 0 ? SEEK_END : SEEK_SET), 0);
  const int byte = fgetc(file);
  assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
  fputc(byte ^ 0x10, file);
  assert_int_equal(fclose(file), 0);
}

/* Whatever byte is changed: the file is refused, or nothing was lost. */
static void test_damage(void **state) {
  struct scene *s = *state;
  s->layout.content = AD_SNAPSHOT_SCALARS | AD_SNAPSHOT_SKETCH;
  struct ad_snapshots *file = open_run(s);
  add_segment(s, file, 0, 3);
  ad_snapshots_destroy(file);
  char path[256];
  snprintf(path, sizeof path, "%s", path_of(s, "segment-000000000.h5"));
  struct ad_file_map map;
  assert_int_equal(ad_file_map(path, &map), AD_OK);
  const size_t size = map.size;
  ad_file_unmap(&map);
  size_t refused = 0, tried = 0;
  for (size_t place = 0; place < size; place += 37, tried++) {
    change_byte(path, (long)place);
    const int status = ad_snapshots_check(path);
    assert_true(status == AD_OK || status == AD_EINPUT);
    refused += status == AD_EINPUT;
    change_byte(path, (long)place);
  }
  assert_int_equal(ad_snapshots_check(path), AD_OK);
  assert_true(refused > tried / 20);

  /* Another layout, another first step, a file cut short, and none of HDF5's. */
  s->layout.sketch = 64;
  assert_int_equal(ad_snapshots_open(&file, s->run, &s->layout), AD_EINPUT);
  assert_null(file);
  s->layout.sketch = SKETCH;
  char other[256];
  snprintf(other, sizeof other, "%s", path_of(s, "segment-000000002.h5"));
  assert_int_equal(rename(path, other), 0);
  assert_int_equal(ad_snapshots_open(&file, s->run, &s->layout), AD_EINPUT);
  assert_int_equal(rename(other, path), 0);
  assert_int_equal(truncate(path, (off_t)(size / 2)), 0);
  assert_int_equal(ad_snapshots_open(&file, s->run, &s->layout), AD_EINPUT);
  assert_int_equal(ad_snapshots_cut(s->run, 2), AD_EINPUT);
  assert_int_equal(truncate(path, 0), 0);
  assert_int_equal(ad_snapshots_check(path), AD_EINPUT);
  assert_int_equal(ad_snapshots_check(path_of(s, "nothing.h5")), AD_EINPUT);
}

/* A stored value changed together with nothing else is seen by its digest. */
static void test_digest(void **state) {
  struct scene *s = *state;
  struct ad_snapshots *file = open_run(s);
  add_segment(s, file, 0, 3);
  ad_snapshots_destroy(file);
  static const char *const names[] = {"/scalars/loss", "/probe/labels"};
  const char *path = path_of(s, "segment-000000000.h5");
  for (size_t n = 0; n < 2; n++) {
    double values[4];
    const size_t count = n == 0 ? 4 : PROBE;
    for (int changed = 1; changed >= 0; changed--) {
      const hid_t hdf = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(hdf, names[n], H5P_DEFAULT);
      fixture_read(hdf, names[n], H5T_NATIVE_DOUBLE, count, values);
      values[2] += changed ? 1.0 : -1.0;
      assert_true(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
      H5Dclose(set);
      fixture_close(hdf);
      assert_int_equal(ad_snapshots_check(path), changed ? AD_EINPUT : AD_OK);
      assert_true(!changed || strstr(ad_error_message(), names[n] + 1) != NULL);
    }
  }
}

/* In place of the system's, so that a disk may be full. */
static int disk_is_full;

ssize_t write(int fd, const void *data, size_t size) {
  if (disk_is_full) {
    errno = ENOSPC;
    return -1;
  }
  return syscall(SYS_write, fd, data, size);
}

static void test_full_disk(void **state) {
  struct scene *s = *state;
  struct ad_snapshots *file = open_run(s);
  add_segment(s, file, 0, 3);
  disk_is_full = 1;
  ad_log_mute(1);
  add_segment(s, file, 4, 8);
  assert_string_equal(ad_error_message(), "");
  add_segment(s, file, 9, 12);
  ad_log_mute(0);
  disk_is_full = 0;
  ad_snapshots_destroy(file);
  assert_false(ad_is_file(path_of(s, "segment-000000004.h5")));
  assert_false(ad_is_file(path_of(s, "segment-000000009.h5")));
  check_rows(s, "all.h5", 0, 3);
}

/* Any other failure of the machine ends the run. */
static void test_failing_disk(void **state) {
  struct scene *s = *state;
  struct ad_snapshots *file = open_run(s);
  assert_int_equal(ad_make_folders(path_of(s, "segment-000000000.h5.partial")), AD_OK);
  assert_int_equal(add(s, file, 0), AD_OK);
  assert_int_equal(ad_snapshots_flush(file), AD_EIO);
  assert_non_null(strstr(ad_error_message(), "segment-000000000.h5.partial"));
  ad_snapshots_destroy(file);
  assert_int_equal(ad_remove_folder(path_of(s, "segment-000000000.h5.partial")), AD_OK);
}

static void test_out_of_memory(void **state) {
  struct scene *s = *state;
  const size_t blocks = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n++) {
    struct ad_snapshots *file = NULL;
    char path[128];
    snprintf(path, sizeof path, "%s/snapshots", s->run);
    assert_int_equal(ad_remove_folder(path), AD_OK);
    ad_memory_fail_at(n);
    status = ad_snapshots_open(&file, s->run, &s->layout);
    for (uint64_t step = 0; step < 3 && status == AD_OK; step++) {
      status = add(s, file, step);
    }
    status = status == AD_OK ? ad_snapshots_flush(file) : status;
    status = status == AD_OK ? ad_snapshots_cut(s->run, 1) : status;
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    ad_snapshots_destroy(file);
    assert_int_equal(ad_memory_stats().live_blocks, blocks);
  }
  check_rows(s, "all.h5", 0, 1);
}

int main(void) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
#define SNAPSHOT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_schedule),    cmocka_unit_test(test_schedule_number),
                                     cmocka_unit_test(test_probe_turns), cmocka_unit_test(test_settings),
                                     SNAPSHOT_TEST(test_files),          SNAPSHOT_TEST(test_missing),
                                     SNAPSHOT_TEST(test_rows),           SNAPSHOT_TEST(test_cut),
                                     SNAPSHOT_TEST(test_cut_all),        SNAPSHOT_TEST(test_damage),
                                     SNAPSHOT_TEST(test_digest),         SNAPSHOT_TEST(test_full_disk),
                                     SNAPSHOT_TEST(test_failing_disk),   SNAPSHOT_TEST(test_out_of_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
