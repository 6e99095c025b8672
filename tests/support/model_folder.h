/* Model folders made by tests: safetensors files byte by byte, independent of the writer under test. Whatever is not as
 * expected fails the test. */
#ifndef AUTODIDACT_TESTS_SUPPORT_MODEL_FOLDER_H
#define AUTODIDACT_TESTS_SUPPORT_MODEL_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"

/* A tensor to be put in a file. dtype "F32", "F16", "BF16" has the values of test_value; any other, zero bytes. */
struct test_tensor {
  char name[120];
  const char *dtype;
  size_t rows, columns; /* columns 0: a vector */
};

/* Element i of the tensor that Hugging Face calls `name`: a multiple of 1/64 of at most 1, exact in all three types.
 * The same formula is in tests/parity/huggingface.py. */
static inline float test_value(const char *name, size_t i) {
  size_t sum = 0;
  for (const char *c = name; *c != '\0'; c++) {
    sum += (unsigned char)*c;
  }
  return (float)((int)((i * 37 + sum * 11) % 129) - 64) / 64.0f;
}

static inline size_t test_count(const struct test_tensor *tensor) {
  return tensor->columns == 0 ? tensor->rows : tensor->rows * tensor->columns;
}

/* The bits of a value of test_value in half precision: 1.f * 2^e with e from -6 to 0. */
static inline uint16_t test_half(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) == 0) {
    return (uint16_t)(bits >> 16);
  }
  return (uint16_t)(bits >> 16 & 0x8000u) | (uint16_t)(((bits >> 23 & 0xffu) - 112) << 10) |
         (uint16_t)(bits >> 13 & 0x3ffu);
}

static inline void test_append(struct ad_buffer *out, const void *data, size_t size) {
  assert_int_equal(ad_buffer_append(out, data, size), 0);
}

static inline void test_append_value(struct ad_buffer *data, const char *dtype, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint16_t brain = (uint16_t)(bits >> 16), half = test_half(value);
  if (strcmp(dtype, "F32") == 0) {
    test_append(data, &value, 4);
  } else if (strcmp(dtype, "BF16") == 0) {
    test_append(data, &brain, 2);
  } else if (strcmp(dtype, "F16") == 0) {
    test_append(data, &half, 2);
  } else {
    const int64_t zero = 0;
    test_append(data, &zero, strcmp(dtype, "I64") == 0 ? 8 : 1);
  }
}

/* Writes a safetensors file. */
static inline void test_write_safetensors(const char *path, const struct test_tensor *tensors, size_t count) {
  struct ad_buffer header = {0}, data = {0}, file = {0};
  assert_int_equal(ad_buffer_puts(&header, "{\"__metadata__\":{\"format\":\"pt\"}"), 0);
  for (size_t i = 0; i < count; i++) {
    const struct test_tensor *tensor = &tensors[i];
    const size_t begin = data.size;
    for (size_t j = 0; j < test_count(tensor); j++) {
      test_append_value(&data, tensor->dtype, test_value(tensor->name, j));
    }
    char shape[60];
    snprintf(shape, sizeof shape, tensor->columns == 0 ? "[%zu]" : "[%zu,%zu]", tensor->rows, tensor->columns);
    assert_int_equal(ad_buffer_printf(&header, ",\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
                                      tensor->name, tensor->dtype, shape, begin, data.size),
                     0);
  }
  assert_int_equal(ad_buffer_puts(&header, "}"), 0);
  const uint64_t length = header.size;
  test_append(&file, &length, sizeof length);
  test_append(&file, header.data, header.size);
  test_append(&file, data.data, data.size);
  assert_int_equal(ad_file_write(path, file.data, file.size), 0);
  ad_buffer_destroy(&header);
  ad_buffer_destroy(&data);
  ad_buffer_destroy(&file);
}

static inline void test_write_text(const char *folder, const char *name, const char *text) {
  char path[300];
  assert_int_equal(ad_make_folders(folder), 0);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_int_equal(ad_file_write(path, text, strlen(text)), 0);
}

#endif
