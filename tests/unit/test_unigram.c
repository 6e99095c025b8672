/* Unigram: against all ways to cut a text, equal ways, texts without a token for what is unknown, numbers as serde_json
 * reads them, and long texts. The ids of whole tokenizers are in test_tokenizer_folders.c. */
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
#include "text/tokenizer.h"
#include "text/unigram/unigram.h"

enum { PIECES = 12, LETTERS = 3, LONGEST = 9 };

static char folder[100];

static struct ad_tokenizer *load(const char *unk, const char *vocab, int *status) {
  struct ad_buffer text = {0};
  struct ad_tokenizer *tokenizer;
  char *path = ad_path_join(folder, "tokenizer.json");
  assert_int_equal(
      ad_buffer_printf(&text, "{\"model\": {\"type\": \"Unigram\", \"unk_id\": %s, \"vocab\": %s}}", unk, vocab),
      AD_OK);
  FILE *out = fopen(path, "w");
  assert_true(out != NULL && fwrite(text.data, 1, text.size, out) == text.size && fclose(out) == 0);
  *status = ad_tokenizer_load(&tokenizer, folder);
  unlink(path);
  ad_free(path);
  ad_buffer_destroy(&text);
  return tokenizer;
}

static uint64_t next(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return *seed >> 33;
}

/* ---- All ways to cut a text ---- */

struct ways {
  char piece[PIECES][4];
  double score[PIECES];
  size_t count;
  double unknown, best;
  size_t equal; /* so many ways are the best */
};

/* Goes on with a way that has come to text: the sums are of quarters, so that they are exact in any order. */
static void try_all(struct ways *w, const char *text, double score) {
  int single = 0;
  if (*text == '\0') {
    w->equal = score > w->best ? 1 : w->equal + (score >= w->best);
    w->best = score > w->best ? score : w->best;
    return;
  }
  for (size_t i = 0; i < w->count; i++) {
    const size_t length = strlen(w->piece[i]);
    if (strncmp(text, w->piece[i], length) == 0) {
      single |= length == 1;
      try_all(w, text + length, score + w->score[i]);
    }
  }
  if (!single) {
    try_all(w, text + 1, score + w->unknown);
  }
}

/* Words of up to three letters with scores of quarters; the first one is for what is unknown. */
static void draw(struct ways *w, uint64_t *seed, struct ad_buffer *vocab) {
  double worst = 0;
  w->count = 0;
  assert_int_equal(ad_buffer_puts(vocab, "[[\"?\", 0]"), AD_OK);
  for (size_t i = 0; i < PIECES; i++) {
    char word[4] = "";
    for (size_t k = 0; k < 1 + i % 3; k++) {
      word[k] = (char)('a' + next(seed) % LETTERS);
    }
    int known = 0;
    for (size_t k = 0; k < w->count; k++) {
      known |= strcmp(word, w->piece[k]) == 0;
    }
    if (!known) {
      memcpy(w->piece[w->count], word, sizeof word);
      w->score[w->count] = -0.25 * (double)(next(seed) % 20);
      worst = w->score[w->count] < worst ? w->score[w->count] : worst;
      assert_int_equal(ad_buffer_printf(vocab, ", [\"%s\", %.2f]", word, w->score[w->count]), AD_OK);
      w->count++;
    }
  }
  w->unknown = worst - 10;
  assert_int_equal(ad_buffer_puts(vocab, "]"), AD_OK);
}

/* The best sum of scores of ids [count] that make up a text: unknown ones that follow each other are one token, of any
 * length. Below any sum where they do not. */
static double sum_of(const struct ways *w, const char *text, const uint32_t *ids, size_t count) {
  double best = -1e9;
  if (count == 0) {
    return *text == '\0' ? 0 : best;
  }
  if (ids[0] > 0) {
    const size_t length = strlen(w->piece[ids[0] - 1]);
    return strncmp(text, w->piece[ids[0] - 1], length) != 0
               ? best
               : w->score[ids[0] - 1] + sum_of(w, text + length, ids + 1, count - 1);
  }
  for (size_t length = 1; length <= strlen(text); length++) {
    const double sum = w->unknown * (double)length + sum_of(w, text + length, ids + 1, count - 1);
    best = sum > best ? sum : best;
  }
  return best;
}

static void compare(const struct ways *w, const char *text, const struct ad_encoding *encoding) {
  const double score = sum_of(w, text, encoding->ids, encoding->count);
  if (!(score >= w->best) || !(score <= w->best)) {
    fail_msg("%s: %g, the best way has %g", text, score, w->best);
  }
}

static void test_all_ways(void **state) {
  (void)state;
  uint64_t seed = 5;
  struct ad_encoding encoding = {0};
  size_t single = 0;
  for (int round = 0; round < 40; round++) {
    struct ways w = {0};
    struct ad_buffer vocab = {0};
    int status;
    draw(&w, &seed, &vocab);
    struct ad_tokenizer *tokenizer = load("0", vocab.data, &status);
    assert_int_equal(status, AD_OK);
    for (int i = 0; i < 60; i++) {
      char text[LONGEST + 1] = "";
      const size_t length = 1 + next(&seed) % LONGEST;
      for (size_t k = 0; k < length; k++) {
        text[k] = (char)('a' + next(&seed) % (LETTERS + 1));
      }
      w.best = -1e9;
      try_all(&w, text, 0);
      single += w.equal == 1;
      assert_int_equal(ad_tokenizer_encode(tokenizer, text, length, NULL, 0, 0, AD_TRUNCATE_HEAD, &encoding), AD_OK);
      compare(&w, text, &encoding);
    }
    ad_tokenizer_destroy(tokenizer);
    ad_buffer_destroy(&vocab);
  }
  assert_true(single > 100);
  ad_encoding_destroy(&encoding);
}

/* ---- What is unknown ---- */

static void test_no_unknown(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int status;
  } cases[] = {{"ab", AD_EINPUT}, {"b", AD_OK}, {"cab", AD_OK}, {"cabcab", AD_OK}, {"cabx", AD_EINPUT}, {"", AD_OK}};
  int status;
  /* "ab" has no token "a": that way fails though another one would go on, as in the library. */
  struct ad_tokenizer *tokenizer = load("null", "[[\"ab\", -1], [\"b\", -1], [\"c\", -2], [\"ca\", -1]]", &status);
  struct ad_encoding encoding = {0};
  assert_int_equal(status, AD_OK);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(
        ad_tokenizer_encode(tokenizer, cases[i].text, strlen(cases[i].text), NULL, 0, 0, AD_TRUNCATE_HEAD, &encoding),
        cases[i].status);
    if (cases[i].status != AD_OK) {
      assert_non_null(strstr(ad_error_message(), "tokenizer.json has no \"unk_id\""));
    }
  }
  ad_encoding_destroy(&encoding);
  ad_tokenizer_destroy(tokenizer);
}

/* ---- Numbers ---- */

static void test_numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double value; /* of tokenizers 0.23.3 */
  } cases[] = {{"0", 0},
               {"-17", -17},
               {"1e2", 100},
               {"-12.5E-1", -1.25},
               {"18446744073709551616", 18446744073709551616.0},
               {"-7.096348285675049", -7.0963482856750490},
               {"0.00000000000000000000000000000000000001", 1e-38},
               {"1e-400", 0},
               {"123456789012345678901234567890e-29", 1.2345678901234567}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[300];
    double score[2];
    const int size = snprintf(text, sizeof text,
                              "{\"a\\\"]\": [\"}\"], \"model\" : { \"b\": {\"vocab\": 1}, \"vocab\" : [ [\"x,]\", %s ] "
                              ", [\"y\",2] ] } }",
                              cases[i].text);
    assert_int_equal(ad_unigram_read_scores("f", text, (size_t)size, score, 2), AD_OK);
    assert_true(!(score[0] < cases[i].value - 1e-15 * 8) && !(score[0] > cases[i].value + 1e-15 * 8));
    assert_true(!(score[1] < 2) && !(score[1] > 2));
  }
  double score[1];
  static const char *const bad[] = {"",
                                    "{",
                                    "{\"model\": 1}",
                                    "{\"model\": {\"vocab\": [1]}}",
                                    "{\"model\": {\"vocab\": [[\"a\", 1e309]]}}",
                                    "{\"model\": {\"vocab\": [[\"a"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(ad_unigram_read_scores("f", bad[i], strlen(bad[i]), score, 1), AD_EINPUT);
  }
}

/* The last bit of a score, which serde_json rounds otherwise than strtod does. */
static void test_last_bit(void **state) {
  (void)state;
  static const char text[] = "{\"model\": {\"vocab\": [[\"a\", -7.096348285675049]]}}";
  double score;
  assert_int_equal(ad_unigram_read_scores("f", text, sizeof text - 1, &score, 1), AD_OK);
  const double twice = -(7096348285675049.0 / 1e15);
  assert_memory_equal(&score, &twice, sizeof score);
}

/* ---- Long texts ---- */

static void test_long(void **state) {
  (void)state;
  enum { SIZE = 3000000 };
  int status;
  struct ad_tokenizer *tokenizer = load("0", "[[\"?\", 0], [\"a\", -1], [\"aa\", -1.5], [\"aaaa\", -3.5]]", &status);
  struct ad_encoding encoding = {0};
  char *text = ad_malloc(SIZE, 1);
  assert_int_equal(status, AD_OK);
  memset(text, 'a', SIZE);
  text[SIZE - 1] = text[SIZE - 2] = 'x';
  assert_int_equal(ad_tokenizer_encode(tokenizer, text, SIZE, NULL, 0, 0, AD_TRUNCATE_HEAD, &encoding), AD_OK);
  assert_int_equal(encoding.count, (SIZE - 2) / 2 + 1);
  assert_int_equal(encoding.ids[0], 2);
  assert_int_equal(encoding.ids[encoding.count - 1], 0);
  ad_free(text);
  ad_encoding_destroy(&encoding);
  ad_tokenizer_destroy(tokenizer);
}

static int open_folder(void **state) {
  (void)state;
  ad_log_set_level(AD_LOG_ERROR);
  strcpy(folder, "/tmp/autodidact-unigram-XXXXXX");
  return mkdtemp(folder) == NULL ? -1 : 0;
}

static int close_folder(void **state) {
  (void)state;
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_ways), cmocka_unit_test(test_no_unknown),
                                     cmocka_unit_test(test_numbers), cmocka_unit_test(test_last_bit),
                                     cmocka_unit_test(test_long)};
  return cmocka_run_group_tests(tests, open_folder, close_folder);
}
