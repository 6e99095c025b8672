/* Normalizers: every code point and hard texts against tokenizers (tests/parity/normalizers.py recorded it), what every
 * step refuses, out of memory, and long texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "text/normalizer.h"
#include "text/unicode.h"

enum { BLOCK = 4096, POINTS = 0x110000 };

static json_t *fixture;

/* CRC-32 of zlib. */
static uint32_t crc(const char *text, size_t size) {
  static uint32_t table[256];
  for (uint32_t byte = 0; table[255] == 0 && byte < 256; byte++) {
    table[byte] = byte;
    for (int bit = 0; bit < 8; bit++) {
      table[byte] = table[byte] >> 1 ^ (0xEDB88320u & (0u - (table[byte] & 1)));
    }
  }
  uint32_t sum = ~0u;
  for (size_t i = 0; i < size; i++) {
    sum = sum >> 8 ^ table[(sum ^ (unsigned char)text[i]) & 0xFF];
  }
  return ~sum;
}

static void push_code(struct ad_buffer *text, uint32_t c) {
  char bytes[4];
  assert_int_equal(ad_buffer_append(text, bytes, ad_utf8_write(bytes, c)), AD_OK);
}

/* "a" c "b " c for each code point of a block, but NUL. */
static void write_block(uint32_t first, struct ad_buffer *text) {
  ad_buffer_clear(text);
  for (uint32_t c = first; c < first + BLOCK; c++) {
    if (c != 0 && (c < 0xD800 || c >= 0xE000)) {
      push_code(text, 'a');
      push_code(text, c);
      push_code(text, 'b');
      push_code(text, ' ');
      push_code(text, c);
    }
  }
}

/* The digest of a text normalised. */
static uint32_t digest(struct ad_normalizer *normalizer, const char *text, size_t size) {
  struct ad_buffer out = {0};
  assert_int_equal(ad_normalizer_apply(normalizer, text, size, &out), AD_OK);
  const uint32_t sum = crc(out.data, out.size);
  ad_buffer_destroy(&out);
  return sum;
}

static uint32_t expected(const json_t *item, const char *key, size_t i) {
  return (uint32_t)json_integer_value(json_array_get(json_object_get(item, key), i));
}

static void check(const json_t *item, struct ad_normalizer *normalizer) {
  const json_t *texts = json_object_get(fixture, "texts");
  const char *name = json_string_value(json_object_get(item, "name"));
  struct ad_buffer text = {0};
  for (uint32_t first = 0; first < POINTS; first += BLOCK) {
    write_block(first, &text);
    if (digest(normalizer, text.data == NULL ? "" : text.data, text.size) != expected(item, "points", first / BLOCK)) {
      fail_msg("%s: U+%04X to U+%04X become another text", name, first, first + BLOCK - 1);
    }
  }
  for (size_t i = 0; i < json_array_size(texts); i++) {
    const json_t *one = json_array_get(texts, i);
    if (digest(normalizer, json_string_value(one), json_string_length(one)) != expected(item, "texts", i)) {
      fail_msg("%s: text %zu becomes another text", name, i);
    }
  }
  ad_buffer_destroy(&text);
}

static struct ad_normalizer *create(const json_t *component) {
  struct ad_normalizer *normalizer;
  if (ad_normalizer_create(&normalizer, "tokenizer.json", component) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  return normalizer;
}

static void test_truth(void **state) {
  (void)state;
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(fixture, "normalizers"), i, item) {
    struct ad_normalizer *normalizer = create(json_object_get(item, "normalizer"));
    check(item, normalizer);
    ad_normalizer_destroy(normalizer);
  }
  assert_true(i > 20);
}

/* None, and appending. */
static void test_none(void **state) {
  (void)state;
  struct ad_normalizer *none = create(NULL);
  struct ad_buffer out = {0};
  assert_int_equal(ad_buffer_puts(&out, "x"), AD_OK);
  assert_int_equal(ad_normalizer_apply(none, "A ", 2, &out), AD_OK);
  assert_string_equal(out.data, "xA ");
  ad_buffer_destroy(&out);
  ad_normalizer_destroy(none);
  json_t *null = json_null();
  none = create(null);
  ad_normalizer_destroy(none);
  ad_normalizer_destroy(NULL);
}

/* A long run of marks, which are put in order, and a long run of spaces: no more than linear. */
static void test_long(void **state) {
  (void)state;
  static const uint32_t marks[] = {0x0301, 0x0316, 0x0345, 0x0334};
  enum { MARKS = 400000 };
  json_t *component = json_pack("{s:s, s:[{s:s}, {s:s, s:{s:s}, s:s}]}", "type", "Sequence", "normalizers", "type",
                                "NFKC", "type", "Replace", "pattern", "Regex", " {2,}", "content", " ");
  struct ad_normalizer *normalizer = create(component);
  struct ad_buffer text = {0}, out = {0};
  push_code(&text, 'e');
  for (size_t i = 0; i < MARKS; i++) {
    push_code(&text, marks[i % 4]);
  }
  for (size_t i = 0; i < MARKS; i++) {
    push_code(&text, ' ');
  }
  assert_int_equal(ad_normalizer_apply(normalizer, text.data, text.size, &out), AD_OK);
  assert_int_equal(out.size, 2 * MARKS + 1); /* the first acute accent joins the letter: a byte less than each alone */
  assert_memory_equal(out.data, "\xC3\xA9\xCC\xB4\xCC\xB4", 6);
  ad_buffer_destroy(&text);
  ad_buffer_destroy(&out);
  ad_normalizer_destroy(normalizer);
  json_decref(component);
}

/* A charsmap whose values point outside. */
static void test_damaged(void **state) {
  (void)state;
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(fixture, "normalizers"), i, item) {
    json_t *component = json_object_get(item, "normalizer"),
           *base64 = json_object_get(component, "precompiled_charsmap");
    if (base64 == NULL) {
      continue;
    }
    for (size_t byte = 0; byte < json_string_length(base64); byte++) {
      char *text = ad_strdup(json_string_value(base64));
      struct ad_normalizer *normalizer = NULL;
      struct ad_buffer out = {0};
      text[byte] = text[byte] == 'B' ? '/' : 'B';
      json_t *damaged = json_pack("{s:s, s:s}", "type", "Precompiled", "precompiled_charsmap", text);
      int status = ad_normalizer_create(&normalizer, "tokenizer.json", damaged);
      if (status == AD_OK) {
        const char hard[] = "e\xCC\x81 \xEF\xAC\x81\t\r\n \xE3\x80\x80 x'' \xF0\x9F\x91\xA9\xE2\x80\x8D";
        status = ad_normalizer_apply(normalizer, hard, sizeof hard - 1, &out);
      }
      assert_true(status == AD_OK || status == AD_EINPUT);
      ad_normalizer_destroy(normalizer);
      ad_buffer_destroy(&out);
      ad_free(text);
      json_decref(damaged);
    }
  }
}

static void test_out_of_memory(void **state) {
  (void)state;
  static const char text[] = "  \xEF\xAC\x81 e\xCC\x81\xCC\xA3 \xEA\xB0\x81 A''  ab\t\xE4\xB8\xAD ";
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(fixture, "normalizers"), i, item) {
    const size_t live = ad_memory_stats().live_blocks;
    int status = AD_ENOMEM;
    for (unsigned long n = 1; status != AD_OK; n++) {
      struct ad_normalizer *normalizer = NULL;
      struct ad_buffer out = {0};
      ad_memory_fail_at(n);
      status = ad_normalizer_create(&normalizer, "tokenizer.json", json_object_get(item, "normalizer"));
      status = status == AD_OK ? ad_normalizer_apply(normalizer, text, sizeof text - 1, &out) : status;
      ad_memory_fail_at(0);
      assert_true(status == AD_OK || status == AD_ENOMEM);
      ad_normalizer_destroy(normalizer);
      ad_buffer_destroy(&out);
      assert_int_equal(ad_memory_stats().live_blocks, live);
    }
  }
}

static int open_fixture(void **state) {
  (void)state;
  const char *source = getenv("AD_SOURCE");
  char *path = ad_path_join(source == NULL ? "" : source, "tests/parity/data/normalizers.json");
  const int status = ad_json_read(&fixture, path);
  ad_free(path);
  return status;
}

static int close_fixture(void **state) {
  (void)state;
  json_decref(fixture);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_truth), cmocka_unit_test(test_none),
                                     cmocka_unit_test(test_long), cmocka_unit_test(test_damaged),
                                     cmocka_unit_test(test_out_of_memory)};
  return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
