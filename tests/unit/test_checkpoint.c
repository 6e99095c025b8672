/* Checkpoint files: what goes in comes out, and what is no whole checkpoint is refused. Files are changed by HDF5's own
 * calls or byte by byte, not by the code under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/shard.h"
#include "autodidact/store/checkpoint.h"
#include "support/checkpoint_file.h"

static void test_round_trip(void **state) {
  struct checkpoint_fixture *f = *state;
  struct ad_checkpoint *c;
  const struct ad_state_vector *held;
  assert_int_equal(write_file(f), AD_OK);
  struct stat info;
  assert_int_equal(stat(f->path, &info), 0);
  assert_true((size_t)info.st_size <= ad_checkpoint_bytes(&f->params, vectors, AD_STATE_VECTORS));
  assert_int_equal(ad_checkpoint_open(&c, f->path, &f->params), AD_OK);
  assert_int_equal(ad_checkpoint_step(c), 7);
  assert_string_equal(ad_checkpoint_state(c), state_text);
  assert_int_equal(ad_checkpoint_floats(c), f->params.count);
  assert_int_equal(ad_checkpoint_vectors(c, &held), AD_STATE_VECTORS);
  char *got = malloc(8 * f->params.count);
  for (size_t v = 0; v < AD_STATE_VECTORS; v++) {
    const uint64_t *digests = ad_checkpoint_digests(c, v);
    assert_int_equal(ad_checkpoint_find(c, vectors[v].name), v);
    assert_string_equal(held[v].name, vectors[v].name);
    assert_int_equal(held[v].bytes, vectors[v].bytes);
    assert_int_equal(held[v].slots, vectors[v].slots);
    assert_int_equal(held[v].filled, vectors[v].filled);
    for (size_t slot = 0; slot < vectors[v].filled; slot++) {
      assert_int_not_equal(digests[slot], 0);
      const char *row = row_of(f, v, slot);
      assert_int_equal(ad_checkpoint_get(c, v, slot, 0, f->params.count, got), AD_OK);
      assert_memory_equal(got, row, vectors[v].bytes * f->params.count);
      assert_int_equal(ad_checkpoint_get(c, v, slot, 5, 9, got), AD_OK);
      assert_memory_equal(got, row + 5 * vectors[v].bytes, 9 * vectors[v].bytes);
    }
  }
  assert_int_equal(ad_checkpoint_find(c, "students"), -1);
  /* Beyond the end, also where the sum wraps. */
  assert_int_equal(ad_checkpoint_get(c, 0, 0, 1, f->params.count, got), AD_EINTERNAL);
  assert_int_equal(ad_checkpoint_get(c, 0, 0, SIZE_MAX, 1, got), AD_EINTERNAL);
  assert_int_equal(ad_checkpoint_get(c, 0, 1, 0, 1, got), AD_EINTERNAL);
  assert_int_equal(ad_checkpoint_get(c, WINDOW_RING, vectors[WINDOW_RING].filled, 0, 1, got), AD_EINTERNAL);
  assert_int_equal(ad_checkpoint_get(c, AD_STATE_VECTORS, 0, 0, 1, got), AD_EINTERNAL);
  assert_int_equal(ad_checkpoint_get(c, 0, 0, 0, 0, got), AD_OK);
  ad_checkpoint_close(c);
  free(got);
}

/* The tensors under their own names, as any reader of HDF5 sees them. */
static void test_tensors(void **state) {
  struct checkpoint_fixture *f = *state;
  assert_int_equal(write_file(f), AD_OK);
  const hid_t file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  float *got = malloc(2 * f->params.count * sizeof *got);
  for (size_t i = 0; i < f->params.tensor_count; i++) {
    const struct ad_tensor *tensor = &f->params.tensors[i];
    char name[128];
    hsize_t shape[3] = {0};
    for (size_t v = 0; v < AD_STATE_VECTORS; v++) {
      const int ring = vectors[v].slots > 1;
      snprintf(name, sizeof name, "/%s/%s", vectors[v].name, tensor->name);
      const hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);
      assert_int_equal(H5Sget_simple_extent_dims(space, shape, NULL), ring + (tensor->vector ? 1 : 2));
      assert_true(!ring || shape[0] == vectors[v].filled);
      assert_int_equal(shape[ring], tensor->rows);
      assert_true(tensor->vector || shape[ring + 1] == tensor->columns);
      if (v == 0) {
        const float *row = row_of(f, 0, 0);
        assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, got) >= 0);
        assert_memory_equal(got, row + tensor->offset, tensor->count * sizeof *got);
      }
      H5Sclose(space);
      H5Dclose(set);
    }
  }
  free(got);
  H5Fclose(file);
}

/* A digest is a sum over blocks that know their place: pieces in any cut give it, swapped blocks do not. */
static void test_digest(void **state) {
  struct checkpoint_fixture *f = *state;
  const size_t H = model.hidden;
  float *x = malloc(f->params.count * sizeof *x);
  memcpy(x, row_of(f, 0, 0), f->params.count * sizeof *x);
  const uint64_t all = ad_block_digest(&f->params, 0, 0, 10 * H, 4, x);
  uint64_t blocks = 0;
  for (size_t row = 0; row < 10; row++) {
    blocks += ad_digest_keyed(row * H, x + row * H, H * sizeof *x);
  }
  assert_true(all == blocks);
  float row[12];
  memcpy(row, x, sizeof row);
  memcpy(x, x + H, sizeof row);
  memcpy(x + H, row, sizeof row);
  assert_true(ad_block_digest(&f->params, 0, 0, 10 * H, 4, x) != all);
  const uint32_t b = ad_params_find(&f->params, "encoder.layer.0.intermediate.dense.weight")->bucket;
  const size_t begin = f->params.bucket_begin[b], length = f->params.bucket_begin[b + 1] - begin;
  assert_true(length > 2 * AD_BLOCK);
  const uint64_t whole = ad_block_digest(&f->params, b, begin, length, 4, x + begin);
  uint64_t sum = 0;
  for (size_t at = 0; at < length; at += AD_BLOCK) {
    sum += ad_digest_keyed(begin + at, x + begin + at, (length - at < AD_BLOCK ? length - at : AD_BLOCK) * sizeof *x);
  }
  assert_true(whole == sum);
  free(x);
}

static void expect_refused(struct checkpoint_fixture *f, const char *what) {
  struct ad_checkpoint *c;
  assert_int_equal(ad_checkpoint_open(&c, f->path, NULL), AD_EINPUT);
  assert_null(c);
  if (strstr(ad_error_message(), what) == NULL || strstr(ad_error_message(), f->path) == NULL) {
    fail_msg("found \"%s\", expected \"%s\" in it", ad_error_message(), what);
  }
}

/* Replaces (or with NULL removes) an attribute of an object. */
static void change(struct checkpoint_fixture *f, const char *object, const char *name, const uint64_t *values,
                   hsize_t count) {
  const hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT), set = H5Oopen(file, object, H5P_DEFAULT);
  assert_true(set >= 0 && H5Adelete(set, name) >= 0);
  if (values != NULL) {
    const hid_t space = H5Screate_simple(1, &count, NULL);
    const hid_t attribute = H5Acreate2(set, name, H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_UINT64, values) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
  }
  H5Oclose(set);
  H5Fclose(file);
}

static void test_refusals(void **state) {
  struct checkpoint_fixture *f = *state;
  const uint64_t three[] = {3, 3, 3}, two = 2, zero = 0, one = 1;
  const struct {
    const char *object, *name, *what;
    const uint64_t *values;
    hsize_t count;
  } changes[] = {{"/", "format", "checkpoint of format 2, this program reads 3", &two, 1},
                 {"/", "format", "it has no format", NULL, 0},
                 {"/", "step", "it has no format", NULL, 0},
                 {"/", "complete", "it was not written to its end", NULL, 0},
                 {"/", "complete", "it was not written to its end", &zero, 1},
                 {"/", "state_xxh3", "its state does not match its digest", three, 1},
                 {"/", "state_xxh3", "its state does not match its digest", NULL, 0},
                 {"/flat/moment1", "xxh3", "it has no digests", NULL, 0},
                 {"/flat/moment1", "xxh3", "it has no digests", three, 3},
                 {"/flat/window_ring", "xxh3", "it has no digests", three, 1},
                 {"/flat/moment1", "slots", "/flat/moment1", NULL, 0},
                 {"/flat/moment1", "slots", "/flat/moment1", three, 1},
                 {"/flat/window_ring", "slots", "/flat/window_ring", &one, 1},
                 {"/flat/window_ring", "slots", "/flat/window_ring", &zero, 1}};
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    assert_int_equal(write_file(f), AD_OK);
    change(f, changes[i].object, changes[i].name, changes[i].values, changes[i].count);
    expect_refused(f, changes[i].what);
  }
  struct ad_checkpoint *c;
  assert_int_equal(write_file(f), AD_OK);
  struct ad_model_config wider = model;
  struct ad_params other;
  wider.classes = 4;
  assert_int_equal(ad_params_create(&other, &wider), AD_OK);
  assert_int_equal(ad_checkpoint_open(&c, f->path, &other), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "parameters, the model has"));
  ad_params_destroy(&other);

  unlink(f->path);
  expect_refused(f, "No such file or directory");
}

/* Datasets of other shapes and types, and the text changed in place. */
static void test_other_datasets(void **state) {
  struct checkpoint_fixture *f = *state;
  const hsize_t P = f->params.count, shapes[][2] = {{P + 1, 0}, {1, P}, {0, 0}};
  const struct {
    const char *name;
    int rank, shape;
    hid_t type;
  } sets[] = {{"/flat/moment2", 1, 0, H5T_IEEE_F32LE}, {"/flat/moment2", 2, 1, H5T_IEEE_F32LE},
              {"/flat/moment2", 1, 2, H5T_IEEE_F32LE}, {"/flat/moment2", 1, 0, H5T_IEEE_F64LE},
              {"/flat/run_sum", 1, 0, H5T_STD_I32LE},  {"/flat/student", 1, 0, H5T_STD_I32LE}};
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    assert_int_equal(write_file(f), AD_OK);
    const hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(sets[i].rank, shapes[sets[i].shape], NULL);
    assert_true(H5Ldelete(file, sets[i].name, H5P_DEFAULT) >= 0);
    const hid_t set = H5Dcreate2(file, sets[i].name, sets[i].type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(file);
    expect_refused(f, sets[i].name);
  }
  assert_int_equal(write_file(f), AD_OK);
  hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
  assert_true(H5Ldelete(file, "/flat/student", H5P_DEFAULT) >= 0);
  H5Fclose(file);
  expect_refused(f, "it has no student");

  assert_int_equal(write_file(f), AD_OK);
  file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, "/state", H5P_DEFAULT), type = H5Dget_type(set);
  char text[sizeof state_text];
  assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0);
  text[3] ^= 1;
  assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0);
  H5Tclose(type);
  H5Dclose(set);
  H5Fclose(file);
  expect_refused(f, "its state does not match its digest");
}

/* Changes one byte after another of the file's `bytes` [size] and opens it. 0: an answer was wrong. */
static int flipped_are_safe(const struct checkpoint_fixture *f, char *bytes, size_t size) {
  for (size_t at = 0; at < 3000; at += 3) {
    struct ad_checkpoint *c;
    FILE *file = fopen(f->path, "wb");
    bytes[at] ^= 0x15;
    const int written = file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0;
    bytes[at] ^= 0x15;
    const int status = written ? ad_checkpoint_open(&c, f->path, &f->params) : AD_EIO;
    if (status != AD_OK && status != AD_EINPUT && status != AD_ENOMEM) {
      fprintf(stderr, "byte %zu: %s\n", at, ad_error_message());
      return 0;
    }
    if (status == AD_OK) {
      const int same = strcmp(ad_checkpoint_state(c), state_text) == 0;
      ad_checkpoint_close(c);
      if (!same) {
        fprintf(stderr, "byte %zu: another state was read\n", at);
        return 0;
      }
    }
  }
  return 1;
}

/* Cut anywhere, or with any byte of the first ones changed, a file is refused or read: no crash. One that is read has a
 * state that its digest holds. */
static void test_cut_and_flipped(void **state) {
  struct checkpoint_fixture *f = *state;
  struct stat info;
  assert_int_equal(write_file(f), AD_OK);
  assert_int_equal(stat(f->path, &info), 0);
  const size_t size = (size_t)info.st_size;
  char *bytes = malloc(size);
  FILE *file = fopen(f->path, "rb");
  assert_int_equal(fread(bytes, 1, size, file), size);
  fclose(file);
  for (size_t i = 0; i < 40; i++) {
    const size_t at = size * i / 40;
    file = fopen(f->path, "wb");
    assert_int_equal(fwrite(bytes, 1, at, file), at);
    fclose(file);
    expect_refused(f, "");
  }
  /* In a child that ends at once: HDF5 loses the object headers of a file that it finds damaged. */
  const pid_t child = fork();
  if (child == 0) {
    _exit(flipped_are_safe(f, bytes, size) ? 0 : 1);
  }
  int ended = -1;
  assert_int_equal(waitpid(child, &ended, 0), child);
  assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
  free(bytes);
}

/* Every allocation of this program's that fails is told as that, and nothing leaks. */
static void test_memory(void **state) {
  struct checkpoint_fixture *f = *state;
  const size_t before = ad_memory_stats().live_blocks;
  unsigned long n = 1;
  int status = AD_ENOMEM;
  for (; status == AD_ENOMEM; n++) {
    ad_memory_fail_at(n);
    status = write_file(f);
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
  assert_true(n > 2);
  n = 1;
  for (status = AD_ENOMEM; status == AD_ENOMEM; n++) {
    struct ad_checkpoint *c;
    ad_memory_fail_at(n);
    status = ad_checkpoint_open(&c, f->path, &f->params);
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    ad_checkpoint_close(c);
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
  assert_int_equal(n - 1, 2 + 1 + AD_STATE_VECTORS + 1); /* itself, its path, the text, digests; then none fails */
  n = 1;
  for (status = AD_ENOMEM; status == AD_ENOMEM; n++) {
    uint64_t *steps;
    size_t count;
    ad_memory_fail_at(n);
    status = ad_checkpoint_list(f->folder, &steps, &count);
    ad_memory_fail_at(0);
    assert_true(status == AD_OK ? count == 1 : count == 0 && steps == NULL);
    ad_free(steps);
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
  assert_int_equal(n - 1, 3);
}

static void touch(const struct checkpoint_fixture *f, const char *name) {
  char path[200];
  snprintf(path, sizeof path, "%s/checkpoints/%s", f->folder, name);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  fclose(file);
}

static void test_list(void **state) {
  struct checkpoint_fixture *f = *state;
  uint64_t *steps;
  size_t count;
  assert_int_equal(ad_checkpoint_list(f->folder, &steps, &count), AD_OK);
  assert_true(count == 0 && steps == NULL);
  assert_int_equal(ad_checkpoint_list("/tmp/ad-no-such-run", &steps, &count), AD_OK);
  assert_true(count == 0 && steps == NULL);
  const char *const names[] = {"step-000000005.h5",
                               ".partial.h5",
                               "step-000000040.h5",
                               "step-.h5",
                               "step-000000007.h5.new",
                               "step-000000009.h5~",
                               "step--00000003.h5",
                               "stop-000000001.h5",
                               "step-000000100.h5",
                               "step-1000000000.h5",
                               "step-5",
                               "notes.txt",
                               "step-99999999999999999999.h5"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    touch(f, names[i]);
  }
  assert_int_equal(ad_checkpoint_list(f->folder, &steps, &count), AD_OK);
  const uint64_t expected[] = {1000000000, 100, 40, 5};
  assert_int_equal(count, 4);
  assert_memory_equal(steps, expected, sizeof expected);
  ad_free(steps);
  char *path = ad_checkpoint_path("runs/a", 123);
  assert_string_equal(path, "runs/a/checkpoints/step-000000123.h5");
  ad_free(path);
  path = ad_checkpoint_path("runs/a", 1000000000);
  assert_string_equal(path, "runs/a/checkpoints/step-1000000000.h5");
  ad_free(path);
}

/* A file where the folder should be, a folder that is not there. */
static void test_no_place(void **state) {
  struct checkpoint_fixture *f = *state;
  struct ad_checkpoint *c;
  uint64_t *steps;
  size_t count;
  char path[128];
  touch(f, "checkpoints");
  snprintf(path, sizeof path, "%s/checkpoints", f->folder);
  assert_int_equal(ad_checkpoint_list(path, &steps, &count), AD_EIO);
  assert_int_equal(ad_checkpoint_create(&c, "/no/such/folder/x.h5", &f->params, vectors, AD_STATE_VECTORS, 1, "{}"),
                   AD_EIO);
  assert_non_null(strstr(ad_error_message(), "/no/such/folder/x.h5: could not be made"));
  ad_checkpoint_close(c);
  ad_checkpoint_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_round_trip, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_tensors, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_digest, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_refusals, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_other_datasets, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_cut_and_flipped, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_memory, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_list, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_no_place, checkpoint_setup, checkpoint_teardown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
