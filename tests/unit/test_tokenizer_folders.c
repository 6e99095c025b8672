/* Small model folders: ids against those of Hugging Face, and the same from the folder that the program writes of each.
 * tests/parity/folders.py recorded those that declare tokens, classes and flags in every place, by transformers'
 * AutoTokenizer; pipelines.py and unigram.py those of all kinds that follow a tokenizer.json, by tokenizers. */
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
#include "autodidact/base/json.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/text/tokenizer.h"

static json_t *fixture;
static char folder[100]; /* of this test */

static const char *const names[] = {"vocab.txt",
                                    "vocab.json",
                                    "merges.txt",
                                    "spiece.model",
                                    "tokenizer.json",
                                    "tokenizer_config.json",
                                    "special_tokens_map.json",
                                    "config.json",
                                    "added_tokens.json"};
#define NAMES (sizeof names / sizeof *names)

static void put_file(const char *name, const char *text, size_t size) {
  char *path = ad_path_join(folder, name);
  FILE *out = fopen(path, "w"); /* not ad_file_write: a sync of thousands of files takes its time */
  assert_true(out != NULL && fwrite(text, 1, size, out) == size && fclose(out) == 0);
  ad_free(path);
}

static void clear(void) {
  for (size_t i = 0; i < NAMES; i++) {
    char *path = ad_path_join(folder, names[i]);
    unlink(path);
    ad_free(path);
  }
}

/* Appends a text whose @@n@@ stand for blocks, in which others may stand. */
static void expand(const char *text, struct ad_buffer *out) {
  for (const char *mark = strstr(text, "@@"); mark != NULL; mark = strstr(text, "@@")) {
    char *end;
    const long place = strtol(mark + 2, &end, 10);
    assert_int_equal(ad_buffer_append(out, text, (size_t)(mark - text)), AD_OK);
    expand(json_string_value(json_array_get(json_object_get(fixture, "blocks"), (size_t)place)), out);
    assert_memory_equal(end, "@@", 2);
    text = end + 2;
  }
  assert_int_equal(ad_buffer_puts(out, text), AD_OK);
}

static void write_folder(json_t *item) {
  const char *name;
  json_t *text;
  clear();
  json_object_foreach(json_object_get(item, "files"), name, text) {
    struct ad_buffer content = {0};
    expand(json_string_value(text), &content);
    put_file(name, content.data, content.size);
    ad_buffer_destroy(&content);
  }
}

/* Encodes a text, or a pair with a limit. */
static void encode(struct ad_tokenizer *tokenizer, const json_t *text, struct ad_encoding *encoding) {
  const json_t *a = json_is_array(text) ? json_array_get(text, 0) : text, *b = json_array_get(text, 1);
  const size_t limit = (size_t)json_integer_value(json_array_get(text, 2));
  assert_int_equal(ad_tokenizer_encode(tokenizer, json_string_value(a), json_string_length(a), json_string_value(b),
                                       json_string_length(b), limit, AD_TRUNCATE_HEAD, encoding),
                   AD_OK);
}

static void compare(struct ad_tokenizer *tokenizer, json_t *item, const char *which) {
  const json_t *texts = json_object_get(fixture, "texts");
  const json_t *all =
      json_array_get(json_object_get(fixture, "ids"), (size_t)json_integer_value(json_object_get(item, "ids")));
  struct ad_encoding encoding = {0};
  for (size_t i = 0; i < json_array_size(texts); i++) {
    const json_t *ids = json_array_get(all, i);
    encode(tokenizer, json_array_get(texts, i), &encoding);
    int same = encoding.count == json_array_size(ids);
    for (size_t k = 0; same && k < encoding.count; k++) {
      same = encoding.ids[k] == (uint32_t)json_integer_value(json_array_get(ids, k));
    }
    if (!same) {
      fail_msg("%s, %s: text %zu has other ids", json_string_value(json_object_get(item, "name")), which, i);
    }
  }
  ad_encoding_destroy(&encoding);
}

/* Writes what ad_model_save does of a tokenizer, and reads that. */
static void check_written(struct ad_tokenizer *tokenizer, json_t *item) {
  struct ad_buffer model = {0};
  struct ad_tokenizer *again;
  size_t count;
  const char *const *files = ad_tokenizer_files(tokenizer, &count);
  assert_true(count > 0 && count <= AD_TOKENIZER_FILES);
  assert_int_equal(ad_buffer_printf(&model, "{\"vocab_size\": %zu}", ad_tokenizer_vocab(tokenizer)), AD_OK);
  clear();
  for (size_t i = 0; i < count; i++) {
    struct ad_buffer text = {0};
    assert_int_equal(ad_tokenizer_print(tokenizer, files[i], 512, 1, &text), AD_OK);
    put_file(files[i], text.data, text.size);
    ad_buffer_destroy(&text);
  }
  put_file("config.json", model.data, model.size);
  if (ad_tokenizer_load(&again, folder) != AD_OK) {
    fail_msg("%s, written: %s", json_string_value(json_object_get(item, "name")), ad_error_message());
  }
  assert_int_equal(ad_tokenizer_vocab(again), ad_tokenizer_vocab(tokenizer));
  const size_t longest = ad_tokenizer_longest(again); /* of files that are written as they were read: theirs */
  assert_true(longest == 512 || longest == ad_tokenizer_longest(tokenizer));
  compare(again, item, "written");
  ad_tokenizer_destroy(again);
  ad_buffer_destroy(&model);
}

static void test_folders(void **state) {
  (void)state;
  json_t *item;
  size_t i;
  ad_log_set_level(AD_LOG_ERROR);
  json_array_foreach(json_object_get(fixture, "folders"), i, item) {
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *refused = json_string_value(json_object_get(item, "refused"));
    struct ad_tokenizer *tokenizer;
    write_folder(item);
    const int status = ad_tokenizer_load(&tokenizer, folder);
    if (refused != NULL && (status != AD_EINPUT || strstr(ad_error_message(), refused) == NULL)) {
      fail_msg("%s: \"%s\", expected \"%s\"", name, status == AD_OK ? "accepted" : ad_error_message(), refused);
    }
    if (refused == NULL && status != AD_OK) {
      fail_msg("%s: %s", name, ad_error_message());
    }
    if (status == AD_OK) {
      compare(tokenizer, item, "as it is");
      check_written(tokenizer, item);
    }
    ad_tokenizer_destroy(tokenizer);
  }
  assert_true(i > 100);
}

/* Loads with the n-th allocation failing. */
static void test_out_of_memory(void **state) {
  (void)state;
  json_t *item;
  size_t i;
  ad_log_set_level(AD_LOG_ERROR);
  json_array_foreach(json_object_get(fixture, "folders"), i, item) {
    if (i % (json_array_size(json_object_get(fixture, "folders")) > 300 ? 60 : 9) != 7 ||
        json_object_get(item, "refused") != NULL) {
      continue;
    }
    write_folder(item);
    const size_t live = ad_memory_stats().live_blocks;
    int status = AD_ENOMEM;
    for (unsigned long n = 1; status != AD_OK; n++) {
      struct ad_tokenizer *tokenizer;
      ad_memory_fail_at(n);
      status = ad_tokenizer_load(&tokenizer, folder);
      ad_memory_fail_at(0);
      assert_true(status == AD_OK || status == AD_ENOMEM);
      ad_tokenizer_destroy(tokenizer);
      assert_int_equal(ad_memory_stats().live_blocks, live);
    }
  }
}

static int open_fixture(const char *name) {
  const char *source = getenv("AD_SOURCE");
  char *path = ad_path_join(source == NULL ? "" : source, name);
  strcpy(folder, "/tmp/autodidact-folders-XXXXXX");
  const int status = ad_json_read(&fixture, path);
  ad_free(path);
  return status != AD_OK || mkdtemp(folder) == NULL ? -1 : 0;
}

static int open_folders(void **state) {
  (void)state;
  return open_fixture("tests/parity/data/folders.json");
}

static int open_pipelines(void **state) {
  (void)state;
  return open_fixture("tests/parity/data/pipelines.json");
}

static int open_unigram(void **state) {
  (void)state;
  return open_fixture("tests/parity/data/unigram.json");
}

static int close_fixture(void **state) {
  (void)state;
  clear();
  json_decref(fixture);
  return rmdir(folder);
}

/* Loads byte pair encoding of "a" with this post-processor and further added token. */
static struct ad_tokenizer *load_tiny(const char *processor, const char *added) {
  struct ad_buffer text = {0};
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_buffer_printf(&text,
                                    "{\"added_tokens\": [%s], \"normalizer\": null, \"pre_tokenizer\": {\"type\": "
                                    "\"WhitespaceSplit\"}, \"post_processor\": %s, \"model\": {\"type\": \"BPE\", "
                                    "\"vocab\": {\"<s>\": 0, \"</s>\": 1, \"a\": 2}, \"merges\": []}}",
                                    added, processor),
                   AD_OK);
  put_file("tokenizer.json", text.data, text.size);
  ad_buffer_destroy(&text);
  if (ad_tokenizer_load(&tokenizer, folder) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  return tokenizer;
}

/* Whether both texts of a pair have one type: by the template, by RobertaProcessing, or as the model gets none. */
static void test_types_of_a_pair(void **state) {
#define TEMPLATE(type)                                                                                              \
  "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}, "         \
  "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], \"pair\": [{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": " \
  "0}}, {\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"B\", \"type_id\": " type         \
  "}}], \"special_tokens\": {\"<s>\": {\"id\": \"<s>\", \"ids\": [0], \"tokens\": [\"<s>\"]}}}"
#define FIXED(type, flags) "{\"type\": \"" type "\", \"cls\": [\"<s>\", 0], \"sep\": [\"</s>\", 1]" flags "}"
  static const char flags[] = ", \"trim_offsets\": true, \"add_prefix_space\": false";
  static const struct {
    const char *processor, *names;
    int one_type;
  } cases[] = {{FIXED("BertProcessing", ""), NULL, 0},
               {TEMPLATE("1"), NULL, 0},
               {TEMPLATE("0"), NULL, 1},
               {TEMPLATE("1"), "[\"input_ids\", \"token_type_ids\"]", 0},
               {TEMPLATE("1"), "[\"input_ids\", \"attention_mask\"]", 1},
               {NULL, NULL, 1}};
  char roberta[200];
  (void)state;
  snprintf(roberta, sizeof roberta, FIXED("RobertaProcessing", "%s"), flags);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_buffer settings = {0};
    clear();
    if (cases[i].names != NULL) {
      assert_int_equal(ad_buffer_printf(&settings, "{\"model_input_names\": %s}", cases[i].names), AD_OK);
      put_file("tokenizer_config.json", settings.data, settings.size);
    }
    struct ad_tokenizer *tokenizer = load_tiny(cases[i].processor == NULL ? roberta : cases[i].processor, "");
    assert_int_equal(ad_tokenizer_one_type(tokenizer), cases[i].one_type);
    ad_tokenizer_destroy(tokenizer);
    ad_buffer_destroy(&settings);
  }
#undef TEMPLATE
#undef FIXED
}

/* <s> </s> a <s> </s> <s> | <s> </s> a: a template whose special tokens are several, the last of the second segment. */
static void test_segments_of_a_template(void **state) {
#define SPECIAL(name, type) "{\"SpecialToken\": {\"id\": \"" name "\", \"type_id\": " type "}}, "
#define TEXT(name, type) "{\"Sequence\": {\"id\": \"" name "\", \"type_id\": " type "}}"
  static const char processor[] =
      "{\"type\": \"TemplateProcessing\", \"single\": [" TEXT("A", "0") "], \"pair\": [" SPECIAL("two", "0") TEXT(
          "A", "0") ", " SPECIAL("two", "0") SPECIAL("<s>", "0") SPECIAL("two", "1") TEXT("B", "1") "], "
      "\"special_tokens\": {\"two\": {\"id\": \"two\", \"ids\": [0, 1], \"tokens\": [\"<s>\", \"</s>\"]}, "
      "\"<s>\": {\"id\": \"<s>\", \"ids\": [0], \"tokens\": [\"<s>\"]}}}";
#undef SPECIAL
#undef TEXT
  struct ad_encoding encoding = {0};
  clear();
  struct ad_tokenizer *tokenizer = load_tiny(processor, "");
  (void)state;
  assert_int_equal(ad_tokenizer_encode(tokenizer, "a", 1, "a", 1, 0, AD_TRUNCATE_HEAD, &encoding), AD_OK);
  static const uint32_t expected[] = {0, 1, 2, 0, 1, 0, 0, 1, 2};
  assert_int_equal(encoding.count, sizeof expected / sizeof *expected);
  assert_memory_equal(encoding.ids, expected, sizeof expected);
  assert_int_equal(encoding.first, 6);
  ad_encoding_destroy(&encoding);
  ad_tokenizer_destroy(tokenizer);
}

/* A token of one space that takes those behind it: each of a long run is a token, in a time that grows as the run. */
static void test_long_white_space(void **state) {
  enum { LENGTH = 1000000 };
  struct ad_encoding encoding = {0};
  clear();
  struct ad_tokenizer *tokenizer = load_tiny("null", "{\"content\": \" \", \"id\": 3, \"rstrip\": true}");
  char *text = malloc(LENGTH);
  (void)state;
  assert_non_null(text);
  memset(text, ' ', LENGTH);
  text[0] = text[LENGTH - 1] = 'a';
  assert_int_equal(ad_tokenizer_encode(tokenizer, text, LENGTH, NULL, 0, 0, AD_TRUNCATE_HEAD, &encoding), AD_OK);
  assert_int_equal(encoding.count, LENGTH);
  free(text);
  ad_encoding_destroy(&encoding);
  ad_tokenizer_destroy(tokenizer);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_folders), cmocka_unit_test(test_out_of_memory)};
  const struct CMUnitTest pairs[] = {cmocka_unit_test(test_types_of_a_pair),
                                     cmocka_unit_test(test_segments_of_a_template),
                                     cmocka_unit_test(test_long_white_space)};
  int failed = cmocka_run_group_tests_name("folders", tests, open_folders, close_fixture);
  failed += cmocka_run_group_tests_name("pairs", pairs, open_folders, close_fixture);
  failed += cmocka_run_group_tests_name("unigram", tests, open_unigram, close_fixture);
  return failed + cmocka_run_group_tests_name("pipelines", tests, open_pipelines, close_fixture);
}
