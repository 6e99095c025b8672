/* The tokenizer's other side: what is loaded and what refused, and every allocation failing once. The ids themselves
 * are compared with the library tokenizers' in test_tokenizer_parity.c. */
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
#include "text/trie.h"

static const char vocabulary[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\na\nb\nA\n##A\n.\n\xC3\xA9\ne\n\xE4\xB8\xAD\n##"
    "\xE4\xB8\xAD\n";
enum { PAD, UNK, CLS, SEP, MASK, UN, AFF, ABLE, A_, B_, UPPER, UPPER_TAIL, DOT, ACUTE, E_, HAN, HAN_TAIL };

static char folder[100]; /* of this test */

static char *in_folder(const char *name) {
  char *path = ad_path_join(folder, name);
  assert_non_null(path);
  return path;
}

static void put_file(const char *name, const char *text) {
  char *path = in_folder(name);
  assert_int_equal(ad_file_write(path, text, strlen(text)), AD_OK);
  ad_free(path);
}

static void remove_file(const char *name) {
  char *path = in_folder(name);
  unlink(path);
  ad_free(path);
}

static int make_folder(void **state) {
  (void)state;
  strcpy(folder, "/tmp/autodidact-tokenizer-XXXXXX");
  return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state) {
  (void)state;
  remove_file("vocab.txt");
  remove_file("tokenizer.json");
  remove_file("tokenizer_config.json");
  return rmdir(folder);
}

static struct ad_tokenizer *create(int cased) {
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_tokenizer_create(&tokenizer, "vocab", vocabulary, strlen(vocabulary), cased), AD_OK);
  return tokenizer;
}

static void expect_ids(struct ad_tokenizer *tokenizer, const char *text, const uint32_t *ids, size_t count) {
  struct ad_encoding encoding = {0};
  assert_int_equal(ad_tokenizer_encode(tokenizer, text, strlen(text), NULL, 0, 0, AD_TRUNCATE_HEAD, &encoding), AD_OK);
  assert_int_equal(encoding.count, count);
  assert_memory_equal(encoding.ids, ids, count * sizeof *ids);
  ad_encoding_destroy(&encoding);
}
#define EXPECT_IDS(tokenizer, text, ...)                                          \
  do {                                                                            \
    const uint32_t expected_[] = {__VA_ARGS__};                                   \
    expect_ids(tokenizer, text, expected_, sizeof expected_ / sizeof *expected_); \
  } while (0)

static void test_queries(void **state) {
  (void)state;
  struct ad_tokenizer *tokenizer = create(0);
  assert_int_equal(ad_tokenizer_vocab(tokenizer), 17);
  assert_string_equal(ad_tokenizer_token(tokenizer, AFF), "##aff");
  assert_null(ad_tokenizer_token(tokenizer, 17));
  size_t size;
  const char *text = ad_tokenizer_text(tokenizer, &size);
  assert_int_equal(size, strlen(vocabulary));
  assert_memory_equal(text, vocabulary, size);
  assert_false(ad_tokenizer_cased(tokenizer));
  assert_true(ad_tokenizer_options(tokenizer).strip_accents);
  ad_tokenizer_destroy(tokenizer);
  ad_tokenizer_destroy(NULL);
}

/* A line feed at the end is not needed, CRLF is read as LF, and a byte order mark is read past. */
static void test_line_ends(void **state) {
  (void)state;
  const char text[] = "\xEF\xBB\xBF[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\nx";
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_tokenizer_create(&tokenizer, "v", text, strlen(text), 0), AD_OK);
  assert_int_equal(ad_tokenizer_vocab(tokenizer), 5);
  assert_string_equal(ad_tokenizer_token(tokenizer, 0), "[PAD]");
  assert_string_equal(ad_tokenizer_token(tokenizer, 4), "x");
  assert_int_equal(ad_tokenizer_pad(tokenizer), 0);
  size_t size;
  const char *normal = ad_tokenizer_text(tokenizer, &size);
  assert_int_equal(size, strlen("[PAD]\n[UNK]\n[CLS]\n[SEP]\nx\n"));
  assert_memory_equal(normal, "[PAD]\n[UNK]\n[CLS]\n[SEP]\nx\n", size);
  /* Without an entry [MASK] there is no such token: it is text. */
  EXPECT_IDS(tokenizer, "x[MASK]x", 2, 4, 1, 1, 1, 4, 3);
  ad_tokenizer_destroy(tokenizer);
}

static void test_refused_vocabulary(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t size; /* 0: strlen */
    const char *message;
  } cases[] = {
      {"", 0, "v: no token [UNK]"},
      {"[PAD]\n[UNK]\n[CLS]\n", 0, "v: no token [SEP] (\"sep_token\"), expected one among the 3 lines"},
      {"[UNK]\n[CLS]\n[SEP]\na\n", 0, "v: no token [PAD]"},
      {"[PAD]\n\n[UNK]\n", 0, "v:2: empty line"},
      {"[PAD]\n\r\n[UNK]\n", 0, "v:2: empty line"},
      {"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\na\n", 0, "v:7: token \"a\" stands in line 5 already"},
      {"[PAD]\n[UNK]\n[CLS]\n[SEP]\nx\xFF\n", 0, "v:5: invalid UTF-8 0xFF at byte 2 of the line"},
      {"[PAD]\n[U\0NK]\n", 13, "v:2: a token with a NUL"},
      {"[PAD]\n[UNK]\r[CLS]\n", 0, "v:2: a token with a NUL or a carriage return"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_tokenizer *tokenizer;
    const size_t size = cases[i].size == 0 ? strlen(cases[i].text) : cases[i].size;
    assert_int_equal(ad_tokenizer_create(&tokenizer, "v", cases[i].text, size, 0), AD_EINPUT);
    assert_null(tokenizer);
    if (strncmp(ad_error_message(), cases[i].message, strlen(cases[i].message)) != 0) {
      fail_msg("case %zu: \"%s\", expected \"%s\"", i, ad_error_message(), cases[i].message);
    }
  }
}

static void test_options(void **state) {
  (void)state;
  struct ad_tokenizer *tokenizer;
  struct ad_tokenizer_options options = {.lower_case = 1, .strip_accents = 0, .split_cjk = 0};
  assert_int_equal(ad_tokenizer_create_with(&tokenizer, "v", vocabulary, strlen(vocabulary), &options), AD_OK);
  EXPECT_IDS(tokenizer, "\xC3\x89 a\xE4\xB8\xAD", CLS, ACUTE, A_, HAN_TAIL, SEP);
  ad_tokenizer_destroy(tokenizer);
  options = (struct ad_tokenizer_options){.lower_case = 0, .strip_accents = 1, .split_cjk = 1};
  assert_int_equal(ad_tokenizer_create_with(&tokenizer, "v", vocabulary, strlen(vocabulary), &options), AD_OK);
  EXPECT_IDS(tokenizer, "\xC3\xA9 A\xCC\x81.a\xE4\xB8\xAD", CLS, E_, UPPER, DOT, A_, HAN, SEP);
  ad_tokenizer_destroy(tokenizer);
  tokenizer = create(1);
  /* Nothing is composed where accents stay: tokenizers has no NFC there. */
  EXPECT_IDS(tokenizer, "e\xCC\x81 \xC3\xA9 AA unaffable", CLS, UNK, ACUTE, UPPER, UPPER_TAIL, UN, AFF, ABLE, SEP);
  ad_tokenizer_destroy(tokenizer);
}

static void test_refused_text(void **state) {
  (void)state;
  struct ad_tokenizer *tokenizer = create(0);
  struct ad_encoding encoding = {0};
  static const struct {
    const char *text;
    size_t byte;
  } cases[] = {{"\xFF", 1},         {"ab\x80", 3},           {"\xC3", 1},
               {"a\xE4\xB8", 2},    {"\xED\xA0\x80", 1},     {"\xC0\x80", 1},
               {"\xE0\x80\x80", 1}, {"\xF4\x90\x80\x80", 1}, {"12345678\xC3\xA9 1234567\xF8", 19}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char message[60];
    assert_int_equal(
        ad_tokenizer_encode(tokenizer, cases[i].text, strlen(cases[i].text), NULL, 0, 0, AD_TRUNCATE_HEAD, &encoding),
        AD_EINPUT);
    snprintf(message, sizeof message, "invalid UTF-8 at byte %zu of the text", cases[i].byte);
    assert_memory_equal(ad_error_message(), message, strlen(message));
    assert_int_equal(
        ad_tokenizer_encode(tokenizer, "a", 1, cases[i].text, strlen(cases[i].text), 0, AD_TRUNCATE_HEAD, &encoding),
        AD_EINPUT);
    assert_non_null(strstr(ad_error_message(), "of the second text"));
  }
  assert_int_equal(ad_tokenizer_encode(tokenizer, "a", 1, NULL, 0, 2, AD_TRUNCATE_HEAD, &encoding), AD_ECONFIG);
  assert_int_equal(ad_tokenizer_encode(tokenizer, "a", 1, "b", 1, 4, AD_TRUNCATE_HEAD, &encoding), AD_ECONFIG);
  assert_int_equal(ad_tokenizer_encode(tokenizer, "a", 1, "", 0, 5, AD_TRUNCATE_HEAD, &encoding), AD_OK);
  assert_int_equal(encoding.count, 4);
  assert_int_equal(encoding.first, 3);
  ad_encoding_destroy(&encoding);
  ad_tokenizer_destroy(tokenizer);
}

/* A megabyte of combining marks, or of combining characters that stay, in the worst order ends in reasonable time. */
static void test_hostile_text(void **state) {
  (void)state;
  struct ad_tokenizer *tokenizer = create(0);
  struct ad_encoding encoding = {0};
  static const char *const units[] = {
      "\xCC\x81\xCC\xA7", "\xCE\xA3\xCC\x81", "\xCD\x85", "a\xCC\xA3", "\xF0\x9D\x85\xAD\xF0\x9D\x85\xA5", "[SE", "##"};
  const size_t size = 1 << 20;
  char *text = ad_malloc(size, 1);
  assert_non_null(text);
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    const size_t unit = strlen(units[i]);
    size_t used = 0;
    for (; used + unit <= size; used += unit) {
      memcpy(text + used, units[i], unit);
    }
    assert_int_equal(ad_tokenizer_encode(tokenizer, text, used, NULL, 0, 16, AD_TRUNCATE_HEAD, &encoding), AD_OK);
  }
  ad_free(text);
  ad_encoding_destroy(&encoding);
  ad_tokenizer_destroy(tokenizer);
}

#define TOKENIZER_JSON(normalizer, vocab)                                                                              \
  "{\"added_tokens\": [{\"id\": 0, \"content\": \"[PAD]\"}], \"normalizer\": {\"type\": "                              \
  "\"BertNormalizer\", " normalizer                                                                                    \
  "}, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, \"post_processor\": {\"type\": \"BertProcessing\", "        \
  "\"cls\": [\"[CLS]\", 2], \"sep\": [\"[SEP]\", 3]}, \"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", " \
  "\"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 100, \"vocab\": {" vocab "}}}"
#define FAST "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}"
#define JSON_VOCAB "\"a\": 4, \"[SEP]\": 3, \"[UNK]\": 1, \"[CLS]\": 2, \"A\": 5, \"[PAD]\": 0"

static void expect_load(const char *json, const char *config, const char *text, int lower, int accents, int cjk) {
  struct ad_tokenizer *tokenizer;
  text == NULL ? remove_file("vocab.txt") : put_file("vocab.txt", text);
  json == NULL ? remove_file("tokenizer.json") : put_file("tokenizer.json", json);
  config == NULL ? remove_file("tokenizer_config.json") : put_file("tokenizer_config.json", config);
  if (ad_tokenizer_load(&tokenizer, folder) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  const struct ad_tokenizer_options options = ad_tokenizer_options(tokenizer);
  assert_int_equal(options.lower_case, lower);
  assert_int_equal(options.strip_accents, accents);
  assert_int_equal(options.split_cjk, cjk);
  ad_tokenizer_destroy(tokenizer);
}

static void test_load(void **state) {
  (void)state;
  const char text[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nA\n";
  expect_load(NULL, NULL, text, 1, 1, 1);
  expect_load(NULL, "{\"do_lower_case\": false, \"model_max_length\": 1000000000000000019884624838656}", text, 0, 0, 1);
  expect_load(NULL, "{\"do_lower_case\": false, \"strip_accents\": true, \"tokenize_chinese_chars\": false}", text, 0,
              1, 0);
  expect_load(NULL, "{\"strip_accents\": null, \"unk_token\": {\"content\": \"[UNK]\"}, \"never_split\": null}", text,
              1, 1, 1);
  /* A BertTokenizer, the default, takes flags from tokenizer_config.json alone. */
  expect_load(TOKENIZER_JSON("\"lowercase\": false", JSON_VOCAB), "{}", NULL, 1, 1, 1);
  /* Alone, tokenizer.json says all. */
  expect_load(TOKENIZER_JSON("\"lowercase\": false", JSON_VOCAB), NULL, NULL, 0, 0, 1);
  expect_load(TOKENIZER_JSON("\"lowercase\": false", JSON_VOCAB), FAST, NULL, 0, 0, 1);
  expect_load(
      TOKENIZER_JSON("\"lowercase\": true, \"strip_accents\": false, \"handle_chinese_chars\": false", JSON_VOCAB),
      FAST, NULL, 1, 0, 0);
  expect_load(TOKENIZER_JSON("\"lowercase\": false, \"strip_accents\": true", JSON_VOCAB), "{\"do_lower_case\": true}",
              text, 1, 1, 1);
  struct ad_tokenizer *tokenizer;
  remove_file("vocab.txt");
  assert_int_equal(ad_tokenizer_load(&tokenizer, folder), AD_OK);
  size_t size;
  const char *written = ad_tokenizer_text(tokenizer, &size);
  assert_int_equal(size, strlen(text));
  assert_memory_equal(written, text, size);
  ad_tokenizer_destroy(tokenizer);
}

/* A tokenizer_config.json of our own gives the same options back. */
static void test_config_round_trip(void **state) {
  (void)state;
  for (int bits = 0; bits < 8; bits++) {
    const struct ad_tokenizer_options options = {
        .lower_case = bits & 1, .strip_accents = bits >> 1 & 1, .split_cjk = bits >> 2};
    struct ad_tokenizer *tokenizer;
    struct ad_buffer config = {0};
    assert_int_equal(ad_tokenizer_create_with(&tokenizer, "v", vocabulary, strlen(vocabulary), &options), AD_OK);
    assert_int_equal(ad_tokenizer_print(tokenizer, "tokenizer_config.json", 512, 1, &config), AD_OK);
    expect_load(NULL, config.data, vocabulary, options.lower_case, options.strip_accents, options.split_cjk);
    ad_buffer_destroy(&config);
    ad_tokenizer_destroy(tokenizer);
  }
}

static const struct {
  const char *json;
  const char *config;
  int text; /* 1: with vocab.txt */
  const char *message;
} refused_folders[] = {
    {NULL, NULL, 0, "neither vocab.txt, "},
    {"{", NULL, 1, "tokenizer.json:1: "},
    {"", NULL, 1, "tokenizer.json:1: "},
    {"[]", NULL, 1, "tokenizer.json:1: expected a JSON object"},
    {"{}", NULL, 1, "tokenizer.json: expected the objects \"model\""},
    {NULL, "{\"do_lower_case\": 1}", 1, "tokenizer_config.json: \"do_lower_case\" is 1, expected true or false"},
    {NULL, "{\"do_lower_case\": true, \"do_lower_case\": true}", 1, "tokenizer_config.json:1: "},
    {NULL, "{\"unk_token\": \"<unk>\"}", 1, "no token <unk> (\"unk_token\")"},
    {NULL, "{\"do_basic_tokenize\": false}", 1, "\"do_basic_tokenize\" is false"},
    {NULL, "{\"never_split\": [\"x\"]}", 1, "\"never_split\" is [\"x\"], expected []"},
    {NULL, "{\"added_tokens_decoder\": {\"9\": {\"content\": \"[E1]\"}}}", 1,
     "the added token \"[E1]\" has the number 9 in the tokenizer's files, expected 6, the next one"},
    {TOKENIZER_JSON("\"clean_text\": false", JSON_VOCAB), "{\"tokenizer_class\": \"BertTokenizer\"}", 0,
     "\"clean_text\" is false, expected true"},
    {TOKENIZER_JSON("\"clean_text\": false", JSON_VOCAB), NULL, 0, "\"handle_chinese_chars\" is nothing"},
    {TOKENIZER_JSON("\"type\": \"NFC\"", JSON_VOCAB), NULL, 0, "tokenizer.json:1: "},
    {TOKENIZER_JSON("\"lowercase\": true", JSON_VOCAB ", \"b\": 5"), NULL, 0,
     "tokenizer.json: token \"b\" has no id of its own"},
    {TOKENIZER_JSON("\"lowercase\": true", JSON_VOCAB ", \"b\": 7"), NULL, 0,
     "tokenizer.json: token \"b\" has no id of its own"},
    {TOKENIZER_JSON("\"lowercase\": true", JSON_VOCAB ", \"b\": -1"), NULL, 0, "tokenizer.json: token \"b\" has no id"},
    {TOKENIZER_JSON("\"lowercase\": true", JSON_VOCAB ", \"b\": \"6\""), NULL, 0,
     "tokenizer.json: token \"b\" has no id"},
    {TOKENIZER_JSON("\"lowercase\": true", JSON_VOCAB ", \"b\\n\": 6"), NULL, 0,
     "tokenizer.json: token 6 has a line end"},
    {TOKENIZER_JSON("\"lowercase\": true", JSON_VOCAB ", \"\": 6"), NULL, 0, "tokenizer.json:7: empty line"},
    {TOKENIZER_JSON("\"lowercase\": true", JSON_VOCAB ", \"b\": 6"), NULL, 1, "expected the same vocabulary"},
    {TOKENIZER_JSON("\"lowercase\": true",
                    "\"a\": 5, \"[SEP]\": 3, \"[UNK]\": 1, \"[CLS]\": 2, \"A\": 4, \"[PAD]\": 0"),
     NULL, 1, "vocab.txt:5: token \"a\" has another id"},
    {"{\"model\": {\"type\": \"BPE\", \"vocab\": {}}, \"normalizer\": {}, \"pre_tokenizer\": {}}", NULL, 0,
     "model: \"merges\" is nothing"},
    {"{\"model\": {\"max_input_chars_per_word\": 50, \"vocab\": {}}, \"normalizer\": {}, \"pre_tokenizer\": {}}", NULL,
     0, "\"max_input_chars_per_word\" is 50, expected 100"},
    {"{\"model\": {\"vocab\": {}}, \"normalizer\": {\"type\": \"Sequence\"}, \"pre_tokenizer\": {}}", "{}", 0,
     "\"type\" is \"Sequence\", expected \"BertNormalizer\""},
};

static void test_refused_folder(void **state) {
  (void)state;
  const char text[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nA\n";
  for (size_t i = 0; i < sizeof refused_folders / sizeof *refused_folders; i++) {
    refused_folders[i].text ? put_file("vocab.txt", text) : remove_file("vocab.txt");
    refused_folders[i].json == NULL ? remove_file("tokenizer.json")
                                    : put_file("tokenizer.json", refused_folders[i].json);
    refused_folders[i].config == NULL ? remove_file("tokenizer_config.json")
                                      : put_file("tokenizer_config.json", refused_folders[i].config);
    struct ad_tokenizer *tokenizer;
    assert_int_equal(ad_tokenizer_load(&tokenizer, folder), AD_EINPUT);
    assert_null(tokenizer);
    if (strstr(ad_error_message(), refused_folders[i].message) == NULL) {
      fail_msg("case %zu: \"%s\", expected \"%s\"", i, ad_error_message(), refused_folders[i].message);
    }
  }
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_tokenizer_load(&tokenizer, "/nowhere"), AD_EINPUT);
}

/* Loads and encodes with the n-th allocation failing; the status. */
static int use_all(void) {
  struct ad_tokenizer *tokenizer;
  struct ad_encoding encoding = {0};
  struct ad_buffer config = {0};
  int status = ad_tokenizer_load(&tokenizer, folder);
  if (status == AD_OK) {
    const char a[] =
        "unaffable \xC3\x89\xCC\xA3\xCC\xA7\xCC\x81\xCE\xA3. [SEP] a\xE4\xB8\xAD [M\xE2\x80\x8B"
        "ASK]";
    status = ad_tokenizer_encode(tokenizer, a, strlen(a), a, strlen(a), 16, AD_TRUNCATE_HEAD, &encoding);
  }
  if (status == AD_OK) {
    status = ad_tokenizer_print(tokenizer, "tokenizer_config.json", 512, 1, &config);
  }
  ad_buffer_destroy(&config);
  ad_encoding_destroy(&encoding);
  ad_tokenizer_destroy(tokenizer);
  return status;
}

static void test_out_of_memory(void **state) {
  (void)state;
  for (int with_text = 0; with_text < 2; with_text++) {
    with_text ? put_file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nA\n") : remove_file("vocab.txt");
    put_file("tokenizer.json", TOKENIZER_JSON("\"lowercase\": true", JSON_VOCAB));
    put_file("tokenizer_config.json", "{}");
    const size_t live = ad_memory_stats().live_blocks;
    unsigned long n = 1;
    for (int status = AD_ENOMEM; status != AD_OK; n++) {
      ad_memory_fail_at(n);
      status = use_all();
      ad_memory_fail_at(0);
      assert_true(status == AD_OK || status == AD_ENOMEM);
      assert_int_equal(ad_memory_stats().live_blocks, live);
    }
    assert_true(n > 10);
  }
}

/* The trie alone: every string is found, and no other. */
static void test_trie(void **state) {
  (void)state;
  const char *const strings[] = {"\x01", "\x01\xFF", "a", "ab", "abc", "b", "\xFE", "\xFF\x01\xFF"};
  const uint32_t values[] = {7, 6, 5, 4, 3, 2, 1, 0};
  struct ad_trie trie;
  assert_int_equal(ad_trie_create(&trie, strings, values, 8), AD_OK);
  size_t found = 0;
  for (uint32_t node = 1; node < trie.count; node++) {
    found += trie.node[node].value != AD_TRIE_NONE;
  }
  assert_int_equal(found, 8);
  for (size_t i = 0; i < 8; i++) {
    uint32_t node = 0;
    for (const char *c = strings[i]; *c != '\0'; c++) {
      node = ad_trie_step(&trie, node, (unsigned char)*c);
      assert_int_not_equal(node, AD_TRIE_NONE);
    }
    assert_int_equal(trie.node[node].value, values[i]);
  }
  assert_int_equal(ad_trie_step(&trie, 0, 'c'), AD_TRIE_NONE);
  ad_trie_destroy(&trie);
  assert_int_equal(ad_trie_create(&trie, NULL, NULL, 0), AD_OK);
  for (int byte = 0; byte < 256; byte++) {
    assert_int_equal(ad_trie_step(&trie, 0, (unsigned char)byte), AD_TRIE_NONE);
  }
  ad_trie_destroy(&trie);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_queries),
      cmocka_unit_test(test_line_ends),
      cmocka_unit_test(test_refused_vocabulary),
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_refused_text),
      cmocka_unit_test(test_hostile_text),
      cmocka_unit_test(test_load),
      cmocka_unit_test(test_config_round_trip),
      cmocka_unit_test(test_refused_folder),
      cmocka_unit_test(test_out_of_memory),
      cmocka_unit_test(test_trie),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
