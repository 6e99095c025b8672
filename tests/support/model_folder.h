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
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/huggingface.h"

/* A tensor to be put in a file. dtype "F32", "F16", "BF16" has the values of test_value; any other, zero bytes. */
struct test_tensor {
  char name[120];
  const char *dtype;
  size_t rows, columns; /* columns 0: a vector */
  const char *like;     /* the name whose values it has; NULL: its own */
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
      test_append_value(&data, tensor->dtype, test_value(tensor->like != NULL ? tensor->like : tensor->name, j));
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

enum { HIDDEN = 8, FFN = 16, LAYERS = 2, VOCAB = 30, POSITIONS = 16, CLASSES = 3 };
/* Where the tests of one program write; each program defines its own. */
extern const char WORK[];
/* "test_huggingface.d/NAME", without what an earlier run left there; one of several buffers in turn. */
static inline const char *place(const char *name) {
  static char paths[4][300];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", WORK, name);
  char command[400];
  snprintf(command, sizeof command, "rm -rf '%s' '%s.partial' && mkdir -p %s", path, path, WORK);
  assert_int_equal(system(command), 0);
  return path;
}

static inline const char *fixture(void) {
  static char path[4096];
  const char *source = getenv("AD_SOURCE");
  snprintf(path, sizeof path, "%s/tests/parity/data/tiny-bert", source == NULL ? "." : source);
  return path;
}

static inline void expect_message(const char *part) {
  if (strstr(ad_error_message(), part) == NULL) {
    fail_msg("\"%s\", expected \"%s\"", ad_error_message(), part);
  }
}

static inline int has_name(const struct ad_names *names, const char *name) {
  for (size_t i = 0; i < names->count; i++) {
    if (strcmp(names->items[i], name) == 0) {
      return 1;
    }
  }
  return 0;
}

/* The tensor holds what Hugging Face's tensor of `name` holds by the formula. */
static inline void check_values(const struct ad_params *params, const float *theta, const char *name) {
  const struct ad_tensor *tensor = ad_params_find(params, name);
  assert_non_null(tensor);
  for (size_t i = 0; i < tensor->count; i++) {
    if (theta[tensor->offset + i] != test_value(name, i)) {
      fail_msg("%s[%zu]: %g, expected %g", name, i, (double)theta[tensor->offset + i], (double)test_value(name, i));
    }
  }
}

/* ---- Folders made here ---- */

enum { MOST_TENSORS = 80 };
struct folder {
  struct test_tensor tensors[MOST_TENSORS];
  size_t count;
};

static inline struct test_tensor *add(struct folder *folder, const char *name, const char *dtype, size_t rows,
                                      size_t columns) {
  assert_true(folder->count < MOST_TENSORS);
  struct test_tensor *tensor = &folder->tensors[folder->count++];
  *tensor = (struct test_tensor){.dtype = dtype, .rows = rows, .columns = columns};
  snprintf(tensor->name, sizeof tensor->name, "%s", name);
  return tensor;
}

static inline struct test_tensor *find(struct folder *folder, const char *name) {
  for (size_t i = 0; i < folder->count; i++) {
    if (strcmp(folder->tensors[i].name, name) == 0) {
      return &folder->tensors[i];
    }
  }
  fail_msg("no tensor %s", name);
  return NULL;
}

static inline void drop(struct folder *folder, const char *name) {
  struct test_tensor *tensor = find(folder, name);
  *tensor = folder->tensors[--folder->count];
}

/* All tensors of the classifier; `norm` names the weights of a layer norm ("weight", or in old files "gamma"). */
static inline struct folder make_tensors(const char *prefix, const char *dtype, const char *norm_weight,
                                         const char *norm_bias) {
  static const struct {
    const char *name;
    size_t rows, columns;
  } dense[] = {{"attention.self.query", HIDDEN, HIDDEN}, {"attention.self.key", HIDDEN, HIDDEN},
               {"attention.self.value", HIDDEN, HIDDEN}, {"attention.output.dense", HIDDEN, HIDDEN},
               {"intermediate.dense", FFN, HIDDEN},      {"output.dense", HIDDEN, FFN}};
  static const char *const norms[] = {"attention.output.LayerNorm", "output.LayerNorm"};
  struct folder f = {.count = 0};
  char name[120];
#define ADD(rows, columns, ...)               \
  do {                                        \
    snprintf(name, sizeof name, __VA_ARGS__); \
    add(&f, name, dtype, (rows), (columns));  \
  } while (0)
  ADD(VOCAB, HIDDEN, "%sembeddings.word_embeddings.weight", prefix);
  ADD(POSITIONS, HIDDEN, "%sembeddings.position_embeddings.weight", prefix);
  ADD(2, HIDDEN, "%sembeddings.token_type_embeddings.weight", prefix);
  ADD(HIDDEN, 0, "%sembeddings.LayerNorm.%s", prefix, norm_weight);
  ADD(HIDDEN, 0, "%sembeddings.LayerNorm.%s", prefix, norm_bias);
  for (int l = 0; l < LAYERS; l++) {
    for (size_t i = 0; i < sizeof dense / sizeof *dense; i++) {
      ADD(dense[i].rows, dense[i].columns, "%sencoder.layer.%d.%s.weight", prefix, l, dense[i].name);
      ADD(dense[i].rows, 0, "%sencoder.layer.%d.%s.bias", prefix, l, dense[i].name);
    }
    for (size_t i = 0; i < 2; i++) {
      ADD(HIDDEN, 0, "%sencoder.layer.%d.%s.%s", prefix, l, norms[i], norm_weight);
      ADD(HIDDEN, 0, "%sencoder.layer.%d.%s.%s", prefix, l, norms[i], norm_bias);
    }
  }
  ADD(HIDDEN, HIDDEN, "%spooler.dense.weight", prefix);
  ADD(HIDDEN, 0, "%spooler.dense.bias", prefix);
  ADD(CLASSES, HIDDEN, "classifier.weight");
  ADD(CLASSES, 0, "classifier.bias");
#undef ADD
  return f;
}

static const char CONFIG[] =
    "{\"model_type\":\"bert\",\"hidden_size\":8,\"num_attention_heads\":2,\"intermediate_size\":16,\"num_hidden_"
    "layers\":2,"
    "\"vocab_size\":30,\"max_position_embeddings\":16,\"type_vocab_size\":2";

/* Writes the folder; `extra` goes into config.json, for example ",\"num_labels\":3". */
static inline const char *write_folder(const char *name, const struct folder *folder, const char *extra) {
  const char *path = place(name);
  char text[2000], file[400];
  snprintf(text, sizeof text, "%s%s}", CONFIG, extra);
  test_write_text(path, "config.json", text);
  snprintf(file, sizeof file, "%s/model.safetensors", path);
  test_write_safetensors(file, folder->tensors, folder->count);
  return path;
}

static inline struct folder plain(void) {
  return make_tensors("bert.", "F32", "weight", "bias");
}

/* Loading fails with AD_EINPUT and this message. */
static inline void refuse(const char *folder, const struct ad_model_options *options, const char *message) {
  struct ad_params params;
  float *theta;
  const struct ad_memory_stats before = ad_memory_stats();
  assert_int_equal(ad_model_load(folder, options, &params, &theta, NULL), AD_EINPUT);
  expect_message(message);
  assert_null(theta);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

struct loaded {
  struct ad_params params;
  float *theta;
  struct ad_model_report report;
};

static inline struct loaded load(const char *folder, const struct ad_model_options *options) {
  struct loaded l = {0};
  if (ad_model_load(folder, options, &l.params, &l.theta, &l.report) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  return l;
}

static inline void release(struct loaded *l) {
  ad_params_destroy(&l->params);
  ad_free(l->theta);
  ad_model_report_destroy(&l->report);
}

#endif
