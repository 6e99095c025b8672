/* The index behind a checkpoint: the file read by it is the file, any byte that changed or is not there is found, and
 * an index of any numbers leads nowhere else. */
#include "support/checkpoint_file.h"

#include <fcntl.h>
#include <sys/stat.h>

struct bytes {
  unsigned char *data;
  size_t size;
};

static struct bytes read_bytes(const char *path) {
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  struct bytes b = {malloc((size_t)info.st_size), (size_t)info.st_size};
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_int_equal(fread(b.data, 1, b.size, file), b.size);
  fclose(file);
  return b;
}

static void test_round_trip(void **state) {
  struct checkpoint_fixture *f = *state;
  struct ad_buffer index = {0};
  struct ad_checkpoint *plain, *c;
  const struct ad_state_vector *held;
  assert_int_equal(write_file(f), AD_OK);
  assert_int_equal(ad_checkpoint_index(f->path, &index), AD_OK);
  assert_int_equal(ad_checkpoint_open_index(&c, f->path, &index, &f->params), AD_OK);
  assert_int_equal(ad_checkpoint_open(&plain, f->path, &f->params), AD_OK);
  assert_int_equal(ad_checkpoint_step(c), 7);
  assert_string_equal(ad_checkpoint_state(c), state_text);
  assert_int_equal(ad_checkpoint_floats(c), f->params.count);
  assert_int_equal(ad_checkpoint_vectors(c, &held), AD_STATE_VECTORS);
  char *got = malloc(8 * f->params.count);
  for (size_t v = 0; v < AD_STATE_VECTORS; v++) {
    assert_string_equal(held[v].name, vectors[v].name);
    assert_true(held[v].bytes == vectors[v].bytes && held[v].slots == vectors[v].slots);
    assert_int_equal(held[v].filled, vectors[v].filled);
    for (size_t slot = 0; slot < vectors[v].filled; slot++) {
      const void *row = row_of(f, v, slot);
      assert_true(ad_checkpoint_digests(c, v)[slot] == ad_checkpoint_digests(plain, v)[slot]);
      assert_int_equal(ad_checkpoint_get(c, v, slot, 0, f->params.count, got), AD_OK);
      assert_memory_equal(got, row, vectors[v].bytes * f->params.count);
    }
  }
  free(got);
  ad_checkpoint_close(plain);
  ad_checkpoint_close(c);

  struct ad_model_config wider = model;
  struct ad_params other;
  wider.classes = 4;
  assert_int_equal(ad_params_create(&other, &wider), AD_OK);
  assert_int_equal(ad_checkpoint_open_index(&c, f->path, &index, &other), AD_EINPUT);
  assert_null(c);
  assert_non_null(strstr(ad_error_message(), "parameters, the model has"));
  ad_params_destroy(&other);
  unlink(f->path);
  assert_int_equal(ad_checkpoint_open_index(&c, f->path, &index, &f->params), AD_EINPUT);
  assert_int_equal(ad_checkpoint_index(f->path, &index), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), f->path));
  ad_buffer_destroy(&index);
}

static void expect_damaged(const struct checkpoint_fixture *f, const char *what, size_t at) {
  struct ad_buffer index = {0};
  if (ad_checkpoint_index(f->path, &index) != AD_EINPUT || strstr(ad_error_message(), f->path) == NULL) {
    fail_msg("%s at byte %zu: \"%s\"", what, at, ad_error_message());
  }
  ad_buffer_destroy(&index);
}

/* Every byte but those of values, which have digests of their own; every length. */
static void test_damage(void **state) {
  struct checkpoint_fixture *f = *state;
  struct ad_buffer index = {0};
  assert_int_equal(write_file(f), AD_OK);
  const struct bytes good = read_bytes(f->path);
  size_t changed = 0, values = 0;
  char *in_values = calloc(good.size, 1);
  for (size_t v = 0; v < AD_STATE_VECTORS; v++) {
    for (size_t slot = 0; slot < vectors[v].filled; slot++) {
      const size_t size = vectors[v].bytes * f->params.count;
      const unsigned char *at = memmem(good.data, good.size, row_of(f, v, slot), size);
      assert_non_null(at);
      memset(in_values + (at - good.data), 1, size);
      values += size;
    }
  }
  const int fd = open(f->path, O_RDWR);
  for (size_t at = 0; at < good.size; at += at < good.size - 1000 ? 37 : 1) {
    if (!in_values[at]) {
      const unsigned char byte = good.data[at] ^ (unsigned char)(1u << at % 8);
      assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
      expect_damaged(f, "changed", at);
      assert_int_equal(pwrite(fd, good.data + at, 1, (off_t)at), 1);
      changed++;
    }
  }
  assert_true(changed > 1000 + (good.size - values) / 50);
  for (size_t size = good.size; size > 0; size -= size + 300 > good.size ? 1 : size / 50 + 1) {
    assert_int_equal(ftruncate(fd, (off_t)size - 1), 0);
    expect_damaged(f, "cut", size);
  }
  assert_int_equal(pwrite(fd, good.data, good.size, 0), (ssize_t)good.size);
  close(fd);
  assert_int_equal(ad_checkpoint_index(f->path, &index), AD_OK);
  ad_buffer_destroy(&index);
  free(in_values);
  free(good.data);
}

/* Numbers that no writer makes, in an index that somebody has given the right digest. */
static void test_hostile(void **state) {
  struct checkpoint_fixture *f = *state;
  struct ad_buffer index = {0};
  size_t refused = 0, tried = 0;
  assert_int_equal(write_file(f), AD_OK);
  assert_int_equal(ad_checkpoint_index(f->path, &index), AD_OK);
  enum { NUMBERS = 5 + 4 * AD_STATE_VECTORS };
  uint64_t *numbers = (uint64_t *)(void *)index.data;
  char *got = malloc(8 * f->params.count);
  const uint64_t bad[] = {0, 1, 8, 1u << 31, UINT64_MAX, UINT64_MAX / 8, (uint64_t)1 << 62, f->params.count + 1};
  for (size_t n = 0; n < NUMBERS; n++) {
    const uint64_t held = numbers[n];
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++, tried++) {
      struct ad_checkpoint *c;
      const struct ad_state_vector *list;
      numbers[n] = bad[b];
      const int status = ad_checkpoint_open_index(&c, f->path, &index, &f->params);
      assert_true(status == AD_OK || status == AD_EINPUT || status == AD_ENOMEM);
      refused += status != AD_OK;
      const size_t count = status == AD_OK ? ad_checkpoint_vectors(c, &list) : 0;
      for (size_t v = 0; v < count; v++) {
        for (size_t slot = 0; slot < list[v].filled; slot++) {
          assert_int_equal(ad_checkpoint_get(c, v, slot, 0, f->params.count, got), AD_OK);
        }
      }
      ad_checkpoint_close(c);
    }
    numbers[n] = held;
  }
  print_message("%zu of %zu changed indexes are refused\n", refused, tried);
  assert_true(refused > tried / 2);
  for (size_t size = 0; size < index.size; size += size < 500 ? 1 : 97) {
    struct ad_checkpoint *c;
    const struct ad_buffer cut = {index.data, size, index.capacity};
    assert_int_equal(ad_checkpoint_open_index(&c, f->path, &cut, &f->params), AD_EINPUT);
  }
  free(got);
  ad_buffer_destroy(&index);
}

/* Each allocation that fails is told, and nothing stays behind. */
static void test_memory(void **state) {
  struct checkpoint_fixture *f = *state;
  assert_int_equal(write_file(f), AD_OK);
  const size_t before = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  unsigned long n = 1;
  for (; status == AD_ENOMEM; n++) {
    struct ad_buffer index = {0};
    struct ad_checkpoint *c = NULL;
    ad_memory_fail_at(n);
    status = ad_checkpoint_index(f->path, &index);
    status = status == AD_OK ? ad_checkpoint_open_index(&c, f->path, &index, &f->params) : status;
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    ad_checkpoint_close(c);
    ad_buffer_destroy(&index);
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
  assert_true(n > 2 * AD_STATE_VECTORS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_round_trip, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_damage, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_hostile, checkpoint_setup, checkpoint_teardown),
      cmocka_unit_test_setup_teardown(test_memory, checkpoint_setup, checkpoint_teardown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
