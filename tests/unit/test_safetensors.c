/* safetensors: reading, hostile headers, truncation, conversion, writing, memory failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/safetensors.h"

/* A file from a header text and `data_size` bytes 0, 1, 2, ...; the caller owns it. */
static struct ad_buffer make_file(const char *header, size_t data_size) {
  struct ad_buffer file = {0};
  const uint64_t length = strlen(header);
  assert_int_equal(ad_buffer_append(&file, &length, sizeof length), AD_OK);
  assert_int_equal(ad_buffer_puts(&file, header), AD_OK);
  for (size_t i = 0; i < data_size; i++) {
    const unsigned char byte = (unsigned char)i;
    assert_int_equal(ad_buffer_append(&file, &byte, 1), AD_OK);
  }
  return file;
}

/* Parses a copy of exactly `size` bytes, so that a sanitizer sees any read beyond them. */
static int parse_exactly(struct ad_safetensors *file, const char *bytes, size_t size, char **copy) {
  *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(*copy);
  memcpy(*copy, bytes, size);
  return ad_safetensors_parse(file, "name", *copy, size);
}

static const char GOOD[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[6,14]},"
    "\"a\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[0,6]},"
    "\"none\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[14,14]},"
    "\"ids\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[14,22]}}  ";
enum { GOOD_DATA = 22 };

static void test_read(void **state) {
  (void)state;
  struct ad_buffer bytes = make_file(GOOD, GOOD_DATA);
  struct ad_safetensors file;
  assert_int_equal(ad_safetensors_parse(&file, "name", bytes.data, bytes.size), AD_OK);
  assert_int_equal(file.count, 4);
  assert_string_equal(file.tensors[0].name, "a"); /* in the order of the data */
  const struct ad_safetensor *b = ad_safetensors_find(&file, "b");
  assert_non_null(b);
  assert_int_equal(b->dtype, AD_DTYPE_F32);
  assert_int_equal(b->dimensions, 2);
  assert_int_equal(b->shape[0], 2);
  assert_int_equal(b->count, 2);
  float values[3];
  const uint32_t words[2] = {0x09080706u, 0x0d0c0b0au};
  assert_int_equal(ad_safetensors_convert(&file, b, values), AD_OK);
  assert_memory_equal(values, words, sizeof words);
  const uint32_t bfloats[3] = {0x01000000u, 0x03020000u, 0x05040000u};
  assert_int_equal(ad_safetensors_convert(&file, ad_safetensors_find(&file, "a"), values), AD_OK);
  assert_memory_equal(values, bfloats, sizeof bfloats);
  assert_int_equal(ad_safetensors_convert(&file, ad_safetensors_find(&file, "none"), values), AD_OK);
  const struct ad_safetensor *ids = ad_safetensors_find(&file, "ids");
  assert_int_equal(ids->dimensions, 0);
  assert_int_equal(ids->count, 1);
  assert_int_equal(ad_safetensors_convert(&file, ids, values), AD_EINPUT);
  assert_string_equal(ad_error_message(), "name: tensor ids has dtype I64, expected F32, F16 or BF16");
  assert_null(ad_safetensors_find(&file, "c"));
  ad_safetensors_close(&file);
  ad_buffer_destroy(&bytes);
}

/* Sign, exponent and fraction put together by ldexp, as IEEE 754 defines them. */
static double value_of(unsigned bits, int exponent_bits, int fraction_bits) {
  const unsigned exponent = bits >> fraction_bits & ((1u << exponent_bits) - 1),
                 fraction = bits & ((1u << fraction_bits) - 1);
  const double sign = bits >> (exponent_bits + fraction_bits) != 0 ? -1.0 : 1.0;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  if (exponent == (1u << exponent_bits) - 1) {
    return fraction == 0 ? sign * INFINITY : NAN;
  }
  if (exponent == 0) {
    return sign * ldexp(fraction, 1 - bias - fraction_bits);
  }
  return sign * ldexp((1u << fraction_bits) + fraction, (int)exponent - bias - fraction_bits);
}

static void check_value(float found, double expected, unsigned bits) {
  if (isnan(expected)) {
    assert_true(isnan(found));
  } else if ((double)found != expected) {
    fail_msg("bits %04x: found %a, expected %a", bits, (double)found, expected);
  }
  assert_int_equal(signbit(found) != 0, bits >> 15);
}

static void test_every_half(void **state) {
  (void)state;
  for (unsigned bits = 0; bits <= UINT16_MAX; bits++) {
    check_value(ad_float_from_f16((uint16_t)bits), value_of(bits, 5, 10), bits);
    check_value(ad_float_from_bf16((uint16_t)bits), value_of(bits, 8, 7), bits);
  }
}

static void test_every_truncation(void **state) {
  (void)state;
  struct ad_buffer bytes = make_file(GOOD, GOOD_DATA);
  for (size_t size = 0; size < bytes.size; size++) {
    struct ad_safetensors file;
    char *copy;
    ad_error_clear();
    assert_int_equal(parse_exactly(&file, bytes.data, size, &copy), AD_EINPUT);
    assert_int_equal(strncmp(ad_error_message(), "name: ", 6), 0);
    free(copy);
  }
  /* The same where the length says that the header ends at the cut. */
  for (uint64_t length = 0; length < strlen(GOOD) - 2; length++) {
    struct ad_safetensors file;
    char *copy;
    memcpy(bytes.data, &length, sizeof length);
    assert_int_equal(parse_exactly(&file, bytes.data, 8 + length, &copy), AD_EINPUT);
    free(copy);
  }
  ad_buffer_destroy(&bytes);
}

/* Any byte of the file replaced: read or refused, never a crash, nothing lost. */
static void test_changed_bytes(void **state) {
  (void)state;
  const unsigned char others[] = {0, '"', '{', '}', '[', ']', ',', ':', '-', '9', '\\', 0x7f, 0xff};
  struct ad_buffer bytes = make_file(GOOD, GOOD_DATA);
  const size_t live = ad_memory_stats().live_blocks;
  for (size_t i = 0; i < bytes.size; i++) {
    for (size_t j = 0; j < sizeof others; j++) {
      const char held = bytes.data[i];
      bytes.data[i] = (char)others[j];
      struct ad_safetensors file;
      char *copy;
      if (parse_exactly(&file, bytes.data, bytes.size, &copy) == AD_OK) {
        ad_safetensors_close(&file);
      }
      free(copy);
      bytes.data[i] = held;
    }
  }
  assert_int_equal(ad_memory_stats().live_blocks, live);
  ad_buffer_destroy(&bytes);
}

#define T(name, dtype, shape, offsets) \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
static const struct {
  const char *header;
  size_t data_size;
  const char *message; /* a part of it */
} hostile_headers[] = {
    {"", 0, "does not begin with '{'"},
    {" {}", 0, "does not begin with '{'"},
    {"[]", 0, "does not begin with '{'"},
    {"{", 0, "header:1: malformed JSON at byte 1 of the line"},
    {"{}x", 0, "header:1: malformed JSON"},
    {"{\"a\":1}", 0, "tensor a: expected an object"},
    {"{\"a\":{}}", 0, "tensor a: no dtype"},
    {"{\"a\":{\"dtype\":7}}", 0, "tensor a: no dtype"},
    {"{" T("a", "F4", "[1]", "[0,4]") "}", 4, "tensor a: dtype \"F4\" is not supported"},
    {"{" T("a", "f32", "[1]", "[0,4]") "}", 4, "dtype \"f32\""},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor a: no shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets are not two integers"},
    {"{" T("a", "F32", "1", "[0,4]") "}", 4, "tensor a: no shape"},
    {"{" T("a", "F32", "[-1]", "[0,4]") "}", 4, "shape[0] is not a size"},
    {"{" T("a", "F32", "[1,1.0]", "[0,4]") "}", 4, "shape[1] is not a size"},
    {"{" T("a", "F32", "[\"1\"]", "[0,4]") "}", 4, "shape[0] is not a size"},
    {"{" T("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "9 dimensions, expected at most 8"},
    {"{" T("a", "F32", "[4294967296,4294967296]", "[0,0]") "}", 0, "overflows the number of elements"},
    {"{" T("a", "F32", "[9223372036854775807,3]", "[0,0]") "}", 0, "overflows the number of elements"},
    {"{" T("a", "F32", "[4611686018427387904]", "[0,0]") "}", 0, "overflows the number of bytes"},
    {"{" T("a", "F32", "[9223372036854775808]", "[0,0]") "}", 0, "shape[0] is not a size"},
    {"{" T("a", "F32", "[1]", "[0]") "}", 4, "not two integers"},
    {"{" T("a", "F32", "[1]", "[0,4,8]") "}", 4, "not two integers"},
    {"{" T("a", "F32", "[1]", "[-4,0]") "}", 4, "not two integers"},
    {"{" T("a", "F32", "[1]", "[0.0,4]") "}", 4, "not two integers"},
    {"{" T("a", "F32", "[1]", "[4,0]") "}", 4, "data_offsets [4, 0]"},
    {"{" T("a", "F32", "[1]", "[0,4]") "}", 3, "data_offsets [0, 4] leave the data, which have 3 bytes"},
    {"{" T("a", "F32", "[1]", "[4,8]") "}", 4, "leave the data"},
    {"{" T("a", "F32", "[1]", "[9223372036854775800,9223372036854775804]") "}", 4, "leave the data"},
    {"{" T("a", "F32", "[2]", "[0,4]") "}", 4, "span 4 bytes, but shape [2] of F32 takes 8"},
    {"{" T("a", "F16", "[2,2]", "[0,4]") "}", 4, "span 4 bytes, but shape [2, 2] of F16 takes 8"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[2,6]") "}", 6, "tensors a and b overlap"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[0,4]") "}", 4, "tensors a and b overlap"},
    {"{" T("a", "F32", "[1]", "[4,8]") "}", 8, "bytes 0 to 4 of the data, before tensor a, belong to no tensor"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[5,9]") "}", 9, "bytes 4 to 5"},
    {"{" T("a", "F32", "[1]", "[0,4]") "}", 5, "the last 1 bytes of the file belong to no tensor"},
    {"{}", 1, "the last 1 bytes"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[4,8]") "}", 8, "duplicate object key"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "duplicate object key"},
    {"{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ a is not a string"},
    {"{\"a\\u0000b\":{}}", 0, "tensor a\\uffffb: no dtype"},
    {"{\"\xff\":{}}", 0, "header:1: invalid UTF-8 0xFF at byte 3"},
};
#undef T

static void test_hostile_headers(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof hostile_headers / sizeof *hostile_headers; i++) {
    struct ad_buffer bytes = make_file(hostile_headers[i].header, hostile_headers[i].data_size);
    struct ad_safetensors file;
    char *copy;
    assert_int_equal(parse_exactly(&file, bytes.data, bytes.size, &copy), AD_EINPUT);
    if (strstr(ad_error_message(), hostile_headers[i].message) == NULL) {
      fail_msg("%s: \"%s\", expected \"%s\"", hostile_headers[i].header, ad_error_message(),
               hostile_headers[i].message);
    }
    free(copy);
    ad_buffer_destroy(&bytes);
  }
  /* Lengths that no file has, and arrays nested without end. */
  const uint64_t lengths[] = {UINT64_MAX, UINT64_MAX - 7, INT64_MAX, 100000001u};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    char bytes[10] = "........{}";
    memcpy(bytes, &lengths[i], 8);
    struct ad_safetensors file;
    assert_int_equal(ad_safetensors_parse(&file, "name", bytes, sizeof bytes), AD_EINPUT);
    assert_non_null(strstr(ad_error_message(), "expected at most 100000000"));
  }
  static char deep[100001] = "{\"a\":";
  memset(deep + 5, '[', sizeof deep - 6);
  struct ad_buffer bytes = make_file(deep, 0);
  struct ad_safetensors file;
  assert_int_equal(ad_safetensors_parse(&file, "name", bytes.data, bytes.size), AD_EINPUT);
  ad_buffer_destroy(&bytes);
}

static void test_open(void **state) {
  (void)state;
  struct ad_safetensors file;
  assert_int_equal(ad_safetensors_open(&file, "test_safetensors.none"), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "test_safetensors.none"));
  assert_int_equal(ad_safetensors_open(&file, "."), AD_EINPUT);
  assert_int_equal(ad_file_write("test_safetensors.empty", "", 0), AD_OK);
  assert_int_equal(ad_safetensors_open(&file, "test_safetensors.empty"), AD_EINPUT);
  assert_string_equal(
      ad_error_message(),
      "test_safetensors.empty: 0 bytes are too few for a safetensors file, which begins with an 8-byte length");
  ad_safetensors_close(&file); /* nothing was opened: allowed */
}

static const float matrix[6] = {0.0f, -0.0f, 1.5f, -3.25f, 1e-45f, 3.4e38f};
static const float vector[1] = {7.0f};
static const struct ad_safetensor_source sources[] = {
    {.name = "layer.\"w\"", .dimensions = 2, .shape = {2, 3}, .data = matrix},
    {.name = "bias", .dimensions = 1, .shape = {1}, .data = vector}};

static void test_write(void **state) {
  (void)state;
  const char *path = "test_safetensors.out";
  assert_int_equal(ad_safetensors_write(path, sources, 2), AD_OK);
  assert_false(ad_is_file("test_safetensors.out.partial"));
  struct ad_buffer bytes = {0};
  assert_int_equal(ad_file_read(path, &bytes), AD_OK);
  const char header[] =
      "{\"__metadata__\":{\"format\":\"pt\"},"
      "\"layer.\\\"w\\\"\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
      "\"bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[24,28]}}";
  uint64_t length;
  memcpy(&length, bytes.data, sizeof length);
  assert_int_equal(length % 8, 0);
  assert_in_range(length, strlen(header), strlen(header) + 7);
  assert_memory_equal(bytes.data + 8, header, strlen(header));
  assert_int_equal(bytes.size, 8 + length + 28);
  assert_memory_equal(bytes.data + 8 + length, matrix, sizeof matrix);
  assert_memory_equal(bytes.data + 8 + length + 24, vector, sizeof vector);
  struct ad_safetensors file;
  assert_int_equal(ad_safetensors_open(&file, path), AD_OK);
  assert_int_equal(file.count, 2);
  ad_safetensors_close(&file);
  ad_buffer_destroy(&bytes);

  const struct ad_safetensor_source twice[] = {sources[0], sources[0]};
  assert_int_equal(ad_safetensors_write("test_safetensors.twice", twice, 2), AD_EINTERNAL);
  assert_int_equal(ad_safetensors_write("test_safetensors.none/x", sources, 2), AD_EIO);
}

/* A disk that is full in the middle of the file: the old file stays, no other is left. */
static void test_failing_write(void **state) {
  (void)state;
  const char *path = "test_safetensors.kept";
  assert_int_equal(ad_file_write(path, "old", 3), AD_OK);
  struct rlimit before, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  small = before;
  small.rlim_cur = 100;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  const int status = ad_safetensors_write(path, sources, 2);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(status, AD_EIO);
  assert_non_null(strstr(ad_error_message(), path));
  assert_false(ad_is_file("test_safetensors.kept.partial"));
  struct ad_buffer bytes = {0};
  assert_int_equal(ad_file_read(path, &bytes), AD_OK);
  assert_string_equal(bytes.data, "old");
  ad_buffer_destroy(&bytes);
}

static void *counted_malloc(size_t size) {
  return ad_malloc(size, 1);
}

/* Every allocation fails once; `either`: a second status that a failure may have. */
static unsigned long fail_each_allocation(int either) {
  struct ad_buffer bytes = make_file(GOOD, GOOD_DATA);
  const size_t live = ad_memory_stats().live_blocks;
  unsigned long n = 0, total = 0;
  for (int status = AD_ENOMEM; status != AD_OK; total++) {
    struct ad_safetensors file;
    ad_memory_fail_at(++n);
    status = ad_safetensors_parse(&file, "name", bytes.data, bytes.size);
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      ad_safetensors_close(&file);
    } else {
      assert_true(status == AD_ENOMEM || status == either);
    }
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  n = 0;
  for (int status = AD_ENOMEM; status != AD_OK; total++) {
    ad_memory_fail_at(++n);
    status = ad_safetensors_write("test_safetensors.out", sources, 2);
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, live);
    assert_false(ad_is_file("test_safetensors.out.partial"));
  }
  ad_buffer_destroy(&bytes);
  return total;
}

static void test_out_of_memory(void **state) {
  (void)state;
  assert_true(fail_each_allocation(AD_ENOMEM) > 10);
  /* jansson's allocations too; it reports some of its failures as bad syntax. */
  json_malloc_t old_malloc;
  json_free_t old_free;
  json_get_alloc_funcs(&old_malloc, &old_free);
  json_set_alloc_funcs(counted_malloc, ad_free);
  const unsigned long total = fail_each_allocation(AD_EINPUT);
  json_set_alloc_funcs(old_malloc, old_free);
  assert_true(total > 60);
}

static void test_shape_text(void **state) {
  (void)state;
  const size_t shape[3] = {384, 1536, 2};
  char text[16], cut[6];
  assert_string_equal(ad_shape_text(shape, 2, text, sizeof text), "[384, 1536]");
  assert_string_equal(ad_shape_text(shape, 0, text, sizeof text), "[]");
  assert_string_equal(ad_shape_text(shape, 3, cut, sizeof cut), "[384,");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_read),
                                     cmocka_unit_test(test_every_half),
                                     cmocka_unit_test(test_every_truncation),
                                     cmocka_unit_test(test_changed_bytes),
                                     cmocka_unit_test(test_hostile_headers),
                                     cmocka_unit_test(test_open),
                                     cmocka_unit_test(test_write),
                                     cmocka_unit_test(test_failing_write),
                                     cmocka_unit_test(test_out_of_memory),
                                     cmocka_unit_test(test_shape_text)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
