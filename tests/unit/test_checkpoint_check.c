/* Damaged and hostile checkpoint files: a flipped bit anywhere in the values is found, a file of any bytes is refused
 * or read, and no reader crashes. */
#include "support/checkpoint_file.h"

#include <hdf5.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "autodidact/base/random.h"
#include "store/checkpoint_internal.h"

/* Opens and compares everything; the state must be whole where the file is good. */
static int check_file(const char *path, const struct ad_params *expected, uint64_t *student) {
  struct ad_checkpoint *c;
  struct ad_params params;
  AD_TRY(ad_checkpoint_probe(path, 1));
  AD_TRY(ad_checkpoint_open(&c, path, expected));
  int status = ad_checkpoint_params(c, &params);
  if (status == AD_OK) {
    status = ad_checkpoint_check(c, &params, student);
    ad_params_destroy(&params);
  }
  ad_checkpoint_close(c);
  return status;
}

static void test_good(void **state) {
  struct checkpoint_fixture *f = *state;
  struct ad_checkpoint *c;
  struct ad_params params;
  uint64_t student = 0;
  assert_int_equal(write_file(f), AD_OK);
  assert_int_equal(ad_checkpoint_open(&c, f->path, NULL), AD_OK);
  assert_int_equal(ad_checkpoint_params(c, &params), AD_OK);
  assert_int_equal(params.count, f->params.count);
  assert_int_equal(params.tensor_count, f->params.tensor_count);
  for (size_t i = 0; i < params.tensor_count; i++) {
    assert_string_equal(params.tensors[i].name, f->params.tensors[i].name);
    assert_int_equal(params.tensors[i].offset, f->params.tensors[i].offset);
  }
  /* The student's digest is the one that a step's row has: of the trained buckets. */
  for (int frozen = 0; frozen < 2; frozen++) {
    struct ad_shard shard;
    if (frozen) {
      assert_int_equal(ad_params_freeze(&params, 1), AD_OK);
    }
    assert_int_equal(ad_checkpoint_check(c, &params, &student), AD_OK);
    assert_int_equal(ad_shard_create(&shard, &params, 0, 1), AD_OK);
    float *theta = malloc(params.count * sizeof *theta);
    memcpy(theta, row_of(f, 0, 0), params.count * sizeof *theta);
    assert_true(student == ad_shard_digest(&shard, theta));
    free(theta);
    ad_shard_destroy(&shard);
  }
  ad_params_destroy(&params);
  ad_checkpoint_close(c);
}

/* Where a dataset's values lie in the file, as HDF5 tells. */
static void place_of(const struct checkpoint_fixture *f, const char *name, size_t *begin, size_t *size) {
  const hid_t file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(file, name, H5P_DEFAULT);
  const haddr_t at = H5Dget_offset(set);
  assert_true(set >= 0);
  *size = (size_t)H5Dget_storage_size(set);
  *begin = *size > 0 ? (size_t)at : 0;
  assert_true(*size == 0 || at != HADDR_UNDEF);
  H5Dclose(set);
  H5Fclose(file);
}

static void flip(const struct checkpoint_fixture *f, size_t at, unsigned char mask) {
  FILE *file = fopen(f->path, "r+b");
  unsigned char byte;
  assert_non_null(file);
  assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
  assert_int_equal(fread(&byte, 1, 1, file), 1);
  byte ^= mask;
  assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
  assert_int_equal(fwrite(&byte, 1, 1, file), 1);
  assert_int_equal(fclose(file), 0);
}

/* First, last, and many bytes between of every dataset: each is found, and by the name of what it is in. */
static void test_flipped(void **state) {
  struct checkpoint_fixture *f = *state;
  enum { EACH = 60 };
  size_t flips = 0, expected = 0;
  uint64_t unused;
  assert_int_equal(write_file(f), AD_OK);
  for (size_t v = 0; v <= AD_STATE_VECTORS; v++) {
    char name[64];
    size_t begin, size;
    snprintf(name, sizeof name, v < AD_STATE_VECTORS ? "/flat/%s" : "/state",
             v < AD_STATE_VECTORS ? vectors[v].name : "");
    place_of(f, name, &begin, &size);
    /* Nothing else than the rows that hold something takes space. */
    assert_int_equal(size,
                     v < AD_STATE_VECTORS ? vectors[v].bytes * vectors[v].filled * f->params.count : sizeof state_text);
    for (size_t i = 0; i < EACH && size > 0; i++, flips++) {
      const size_t at = i == 0   ? 0
                        : i == 1 ? size - 1
                                 : (size_t)ad_random_below(5, AD_STREAM_TEST, v, i, (uint32_t)size);
      const unsigned char mask = (unsigned char)(1u << (i % 8));
      flip(f, begin + at, mask);
      const int status = check_file(f->path, &f->params, &unused);
      if (status != AD_EINPUT || strstr(ad_error_message(), v < AD_STATE_VECTORS ? vectors[v].name : "state") == NULL) {
        fail_msg("byte %zu of %s: status %d, \"%s\"", at, name, status, ad_error_message());
      }
      flip(f, begin + at, mask);
    }
    expected += size > 0 ? EACH : 0;
  }
  assert_true(flips == expected && flips == 9 * EACH); /* all but the empty ring */
  assert_int_equal(check_file(f->path, &f->params, &unused), AD_OK);
}

/* A sum and a ring that both have their digests, but do not belong together. */
static void test_window(void **state) {
  struct checkpoint_fixture *f = *state;
  uint64_t unused;
  f->changed = 1 + ad_params_find(&f->params, "pooler.dense.bias")->offset + 3;
  assert_int_equal(write_file(f), AD_OK);
  assert_int_equal(check_file(f->path, &f->params, &unused), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "at element 3 of pooler.dense.bias, its ring gives"));
  /* A program that changes the file by HDF5 cuts the index off. */
  const hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
  assert_true(H5Fclose(file) >= 0);
  assert_int_equal(check_file(f->path, &f->params, &unused), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "it does not end with an index"));
}

/* A tensor that shows another part of the flat vector, another shape, or is not there. */
static void test_tensors(void **state) {
  struct checkpoint_fixture *f = *state;
  const char *const name = "/moment1/encoder.layer.0.output.dense.bias";
  const hsize_t shape = model.hidden, P = f->params.count, wider = model.hidden + 1;
  uint64_t unused;
  for (int change = 0; change < 4; change++) {
    assert_int_equal(write_file(f), AD_OK);
    const hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hsize_t start = ad_params_find(&f->params, name + 9)->offset + (change == 0);
    const hid_t space = H5Screate_simple(1, change == 1 ? &wider : &shape, NULL), flat = H5Screate_simple(1, &P, NULL);
    const hid_t how = H5Pcreate(H5P_DATASET_CREATE);
    H5Sselect_hyperslab(flat, H5S_SELECT_SET, &start, NULL, change == 1 ? &wider : &shape, NULL);
    assert_true(H5Pset_virtual(how, space, ".", change == 2 ? "/flat/moment2" : "/flat/moment1", flat) >= 0);
    assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    if (change < 3) {
      const hid_t set = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, how, H5P_DEFAULT);
      assert_true(set >= 0);
      H5Dclose(set);
    }
    H5Pclose(how);
    H5Sclose(flat);
    H5Sclose(space);
    H5Fclose(file);
    assert_int_equal(check_file(f->path, &f->params, &unused), AD_EINPUT);
    assert_non_null(strstr(ad_error_message(), name));
  }
}

/* --- Any bytes. The reader runs in a process of its own: if it is killed, the parent knows by what. */

struct bytes {
  unsigned char *data;
  size_t size;
};

static struct bytes read_bytes(const char *path) {
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  struct bytes b = {malloc((size_t)info.st_size), (size_t)info.st_size};
  FILE *file = fopen(path, "rb");
  assert_int_equal(fread(b.data, 1, b.size, file), b.size);
  fclose(file);
  return b;
}

static void write_bytes(const char *path, const unsigned char *data, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

/* Changes a few bytes, mostly where HDF5 keeps its own: values take the most space and are another test's. */
static void change_bytes(const struct bytes *good, unsigned char *out, uint64_t number, const size_t (*values)[2],
                         size_t count) {
  memcpy(out, good->data, good->size);
  const uint32_t changes = 1 + ad_random_below(6, AD_STREAM_TEST, 0, number, 4);
  for (uint32_t k = 0; k < changes; k++) {
    size_t at = ad_random_below(6, AD_STREAM_TEST, 1 + k, number, (uint32_t)good->size);
    for (size_t v = 0; v < count; v++) {
      if (at >= values[v][0] && at < values[v][0] + values[v][1]) {
        at = ad_random_below(6, AD_STREAM_TEST, 9 + k, number, 2048);
      }
    }
    const uint32_t how = ad_random_below(6, AD_STREAM_TEST, 17 + k, number, 4);
    const uint32_t word = ad_random_below(6, AD_STREAM_TEST, 25 + k, number, 256);
    out[at] = how == 0   ? 0xff
              : how == 1 ? 0
              : how == 2 ? (unsigned char)word
                         : (unsigned char)(out[at] ^ (1u << word % 8));
  }
}

/* What a reader makes of the file: 0 good, 1 refused; anything else is a defect. */
static int read_hostile(const char *path) {
  uint64_t unused;
  const int status = check_file(path, NULL, &unused);
  return status == AD_OK ? 0 : status == AD_EINPUT || status == AD_ENOMEM ? 1 : 2;
}

static void test_hostile(void **state) {
  struct checkpoint_fixture *f = *state;
  enum { FILES = 600, BATCH = 200 };
  size_t values[AD_STATE_VECTORS][2], refused = 0;
  assert_int_equal(write_file(f), AD_OK);
  for (size_t v = 0; v < AD_STATE_VECTORS; v++) {
    char name[64];
    snprintf(name, sizeof name, "/flat/%s", vectors[v].name);
    place_of(f, name, &values[v][0], &values[v][1]);
  }
  const struct bytes good = read_bytes(f->path);
  unsigned char *bad = malloc(good.size);
  for (uint64_t first = 0; first < FILES; first += BATCH) {
    int pipes[2], last[2] = {-1, -1};
    assert_int_equal(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
      for (uint64_t i = first; i < first + BATCH; i++) {
        change_bytes(&good, bad, i, (const size_t(*)[2])values, AD_STATE_VECTORS);
        /* Every tenth is cut besides. */
        write_bytes(f->path, bad,
                    i % 10 == 0 ? ad_random_below(7, AD_STREAM_TEST, 0, i, (uint32_t)good.size) : good.size);
        const int seen[2] = {(int)i, read_hostile(f->path)};
        if (write(pipes[1], seen, sizeof seen) != sizeof seen || seen[1] > 1) {
          _exit(1);
        }
      }
      _exit(0);
    }
    close(pipes[1]);
    for (int seen[2]; read(pipes[0], seen, sizeof seen) == sizeof seen;) {
      refused += seen[1] == 1;
      memcpy(last, seen, sizeof last);
    }
    close(pipes[0]);
    int how = 0;
    assert_true(waitpid(child, &how, 0) == child);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) {
      fail_msg("file %d: %s %d", last[0] + (WIFSIGNALED(how) ? 1 : 0), WIFSIGNALED(how) ? "signal" : "status",
               WIFSIGNALED(how) ? WTERMSIG(how) : last[1]);
    }
  }
  /* Bytes that nothing reads may have changed in some. */
  assert_true(refused > FILES / 2);
  print_message("%zu of %d changed files are refused\n", refused, FILES);
  free(bad);
  free(good.data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_good, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_flipped, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_window, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_tensors, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_hostile, checkpoint_setup, checkpoint_teardown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
