/* A tokenizer is one folder and one line of autodidact/text/tokenizer_kinds.h. The build adds the line of a toy
 * (tests/toys/tokenizer.c), and everything else follows: folders of its kind are found, encoded and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/text/tokenizer.h"

static const char toy_text[] = "<s>\n<pad>\n</s>\n<unk>\na\nb\n";
static const char bert_text[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nab\n";
static char folder[100]; /* of this test */

/* Writes a file of the folder; NULL: removes it. */
static void put(const char *name, const char *text) {
  char *path = ad_path_join(folder, name);
  assert_non_null(path);
  if (text == NULL) {
    unlink(path);
  } else {
    assert_int_equal(ad_file_write(path, text, strlen(text)), AD_OK);
  }
  ad_free(path);
}

static int make_folder(void **state) {
  (void)state;
  strcpy(folder, "/tmp/autodidact-kind-XXXXXX");
  return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state) {
  (void)state;
  put("toy.txt", NULL);
  put("vocab.txt", NULL);
  put("tokenizer.json", NULL);
  return rmdir(folder);
}

/* Encodes a text or, where b is not NULL, a pair. */
static void expect(struct ad_tokenizer *tokenizer, const char *a, const char *b, size_t limit, const uint32_t *ids,
                   size_t count, size_t first) {
  struct ad_encoding encoding = {0};
  assert_int_equal(
      ad_tokenizer_encode(tokenizer, a, strlen(a), b, b == NULL ? 0 : strlen(b), limit, AD_TRUNCATE_HEAD, &encoding),
      AD_OK);
  assert_int_equal(encoding.count, count);
  assert_memory_equal(encoding.ids, ids, count * sizeof *ids);
  assert_int_equal(encoding.first, first);
  ad_encoding_destroy(&encoding);
}

/* The kind of the folder by the files that it would write. */
static const char *kind(void) {
  struct ad_tokenizer *tokenizer;
  size_t count;
  assert_int_equal(ad_tokenizer_load(&tokenizer, folder), AD_OK);
  const char *name = ad_tokenizer_files(tokenizer, &count)[0];
  ad_tokenizer_destroy(tokenizer);
  return name;
}

static void test_recognised(void **state) {
  (void)state;
  put("toy.txt", toy_text);
  assert_string_equal(kind(), "toy.txt");
  put("vocab.txt", bert_text); /* the kind of an earlier line */
  assert_string_equal(kind(), "vocab.txt");
  put("tokenizer.json", "{\"model\": {\"type\": \"Toy\"}}"); /* its type decides */
  assert_string_equal(kind(), "toy.txt");
  put("tokenizer.json", NULL);
  put("vocab.txt", NULL);
  put("toy.txt", NULL);
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_tokenizer_load(&tokenizer, folder), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), " toy.txt nor tokenizer.json"));
}

static void test_encoded(void **state) {
  (void)state;
  struct ad_tokenizer *toy, *bert;
  struct ad_encoding encoding = {0};
  struct ad_buffer text = {0};
  put("toy.txt", toy_text);
  assert_int_equal(ad_tokenizer_load(&toy, folder), AD_OK);
  expect(toy, "ab?", NULL, 0, (const uint32_t[]){0, 4, 5, 3, 2}, 5, 5);
  expect(toy, "a</s>b", NULL, 0, (const uint32_t[]){0, 4, 2, 5, 2}, 5, 5);
  expect(toy, "ab", "b", 0, (const uint32_t[]){0, 4, 5, 2, 2, 5, 2}, 7, 5);
  expect(toy, "ab", "b", 6, (const uint32_t[]){0, 4, 2, 2, 5, 2}, 6, 4);
  assert_int_equal(ad_tokenizer_encode(toy, "a", 1, "b", 1, 5, AD_TRUNCATE_HEAD, &encoding), AD_ECONFIG);
  assert_int_equal(ad_tokenizer_encode(toy, "a", 1, "", 0, 0, AD_TRUNCATE_HEAD, &encoding), AD_OK);
  assert_true(encoding.text[0] == 1 && encoding.text[1] == 0);
  assert_int_equal(ad_tokenizer_pad(toy), 1);
  assert_int_equal(ad_tokenizer_print(toy, "toy.txt", 512, 1, &text), AD_OK);
  assert_string_equal(text.data, toy_text);
  assert_int_equal(ad_tokenizer_create(&bert, "bert", bert_text, strlen(bert_text), 0), AD_OK);
  expect(bert, "ab", "ab", 0, (const uint32_t[]){2, 4, 3, 4, 3}, 5, 3);
  ad_tokenizer_destroy(bert);
  ad_buffer_destroy(&text);
  ad_encoding_destroy(&encoding);
  ad_tokenizer_destroy(toy);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_recognised), cmocka_unit_test(test_encoded)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
