/* Masked-language modelling: which tokens are hidden, and by what. Rates within binomial bounds; a pure function of
 * seed, step, example and place; words as a whole. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/hidden.h"

enum { PAD, UNK, CLS, SEP, MASK, WORDS, TAILS = 305, VOCABULARY = 505, LENGTH = 52, EXAMPLES = 4000 };

static struct ad_tokenizer *make_tokenizer(const char *specials, const char *tail) {
  struct ad_buffer text = {0};
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_buffer_puts(&text, specials), AD_OK);
  for (int i = WORDS; i < VOCABULARY; i++) {
    assert_int_equal(ad_buffer_printf(&text, "%sw%d\n", i < TAILS ? "" : tail, i), AD_OK);
  }
  assert_int_equal(ad_tokenizer_create(&tokenizer, "made", text.data, text.size, 1), AD_OK);
  ad_buffer_destroy(&text);
  return tokenizer;
}

static struct ad_tokenizer *whole_tokenizer(void) {
  return make_tokenizer("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", "##");
}

/* [CLS], then words of one to three tokens, every tenth token unknown, [SEP]. */
struct texts {
  uint32_t ids[EXAMPLES * LENGTH];
  size_t offset[EXAMPLES + 1];
  struct ad_dataset data;
};

static struct texts *make_texts(void) {
  struct texts *t = calloc(1, sizeof *t);
  assert_non_null(t);
  for (size_t i = 0; i < EXAMPLES; i++) {
    uint32_t *ids = t->ids + i * LENGTH;
    for (size_t k = 0; k < LENGTH; k++) {
      const uint32_t n = (uint32_t)(i * LENGTH + k);
      ids[k] = k % 10 == 9 ? UNK : k % 3 == 1 ? WORDS + n % (TAILS - WORDS) : TAILS + n % (VOCABULARY - TAILS);
    }
    ids[0] = CLS;
    ids[LENGTH - 1] = SEP;
    t->offset[i + 1] = t->offset[i] + LENGTH;
  }
  t->data = (struct ad_dataset){.count = EXAMPLES, .offset = t->offset, .ids = t->ids, .longest = LENGTH};
  return t;
}

static struct ad_hiding make_hiding(double share, int words) {
  struct ad_tokenizer *tokenizer = whole_tokenizer();
  struct ad_hiding hiding;
  assert_int_equal(ad_hiding_create(&hiding, tokenizer, share, words), AD_OK);
  ad_tokenizer_destroy(tokenizer);
  return hiding;
}

/* Six standard deviations of a binomial count: one time in 5e8 by chance, and the draws are fixed. */
static void check_share(double count, double n, double p, const char *what) {
  if (!(fabs(count - n * p) <= 6.0 * sqrt(n * p * (1.0 - p)))) {
    fail_msg("%s: %.0f of %.0f, expected about %.0f", what, count, n, n * p);
  }
}

struct counts {
  double candidates, hidden, masked, replaced, kept;
};

static struct counts count_all(const struct ad_hiding *hiding, const struct texts *t, struct ad_hiding_draw draw) {
  struct counts c = {0};
  for (uint32_t i = 0; i < EXAMPLES; i++) {
    uint32_t ids[LENGTH], place[LENGTH], label[LENGTH];
    const uint32_t *own = t->ids + (size_t)i * LENGTH;
    memcpy(ids, own, sizeof ids);
    const size_t n = ad_hiding_apply(hiding, &draw, &t->data, i, ids, place, label);
    assert_int_equal(n, ad_hiding_count(hiding, &draw, &t->data, i));
    for (size_t k = 0, next = 0; k < LENGTH; k++) {
      const int is_hidden = next < n && place[next] == k;
      c.candidates += own[k] >= WORDS;
      if (!is_hidden) {
        assert_int_equal(ids[k], own[k]);
        continue;
      }
      assert_true(own[k] >= WORDS && label[next] == own[k]);
      assert_true(ids[k] == MASK || ids[k] >= WORDS);
      c.masked += ids[k] == MASK;
      c.kept += ids[k] == own[k];
      c.replaced += ids[k] != MASK && ids[k] != own[k];
      next++;
    }
    c.hidden += (double)n;
  }
  return c;
}

static void test_rates(void **state) {
  (void)state;
  struct texts *t = make_texts();
  for (int words = 0; words < 2; words++) {
    struct ad_hiding hiding = make_hiding(0.15, words);
    const struct counts c = count_all(&hiding, t, (struct ad_hiding_draw){.seed = 3, .step = 9});
    const double same = 1.0 / (VOCABULARY - WORDS); /* a token drawn in place of itself */
    /* Words have two or three tokens, which go together: thrice the variance at most. */
    check_share(c.hidden / (words ? 3.0 : 1.0), c.candidates / (words ? 3.0 : 1.0), 0.15, "hidden");
    check_share(c.masked, c.hidden, 0.8, "masked");
    check_share(c.replaced, c.hidden, 0.1 * (1.0 - same), "replaced");
    check_share(c.kept, c.hidden, 0.1 + 0.1 * same, "kept");
    ad_hiding_destroy(&hiding);
  }
  free(t);
}

/* Each word is hidden as a whole or not at all; an unknown token ends it. */
static void test_words(void **state) {
  (void)state;
  struct texts *t = make_texts();
  struct ad_hiding hiding = make_hiding(0.3, 1);
  const struct ad_hiding_draw draw = {.seed = 1, .step = 1};
  for (uint32_t i = 0; i < EXAMPLES; i++) {
    uint32_t ids[LENGTH], place[LENGTH], label[LENGTH];
    const uint32_t *own = t->ids + (size_t)i * LENGTH;
    int hidden[LENGTH] = {0};
    memcpy(ids, own, sizeof ids);
    const size_t n = ad_hiding_apply(&hiding, &draw, &t->data, i, ids, place, label);
    for (size_t k = 0; k < n; k++) {
      hidden[place[k]] = 1;
    }
    for (size_t k = 2; k < LENGTH; k++) {
      if (own[k] >= TAILS && own[k - 1] >= WORDS) {
        assert_int_equal(hidden[k], hidden[k - 1]);
      }
    }
  }
  ad_hiding_destroy(&hiding);
  free(t);
}

/* The same draw again, and others by seed, by step and by example. */
static void test_purity(void **state) {
  (void)state;
  struct texts *t = make_texts();
  struct ad_hiding hiding = make_hiding(0.15, 0);
  const struct ad_hiding_draw draws[] = {{1, 1}, {1, 1}, {2, 1}, {1, 2}};
  uint32_t ids[4][2][LENGTH], place[LENGTH], label[LENGTH];
  memcpy(t->ids + LENGTH, t->ids, LENGTH * sizeof *t->ids); /* two examples of the same tokens */
  for (size_t d = 0; d < 4; d++) {
    for (uint32_t i = 0; i < 2; i++) {
      memcpy(ids[d][i], t->ids, sizeof ids[d][i]);
      ad_hiding_apply(&hiding, &draws[d], &t->data, i, ids[d][i], place, label);
    }
  }
  assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
  assert_memory_not_equal(ids[0], ids[2], sizeof ids[0]);
  assert_memory_not_equal(ids[0], ids[3], sizeof ids[0]);
  assert_memory_not_equal(ids[0][0], ids[0][1], sizeof ids[0][0]);
  ad_hiding_destroy(&hiding);
  free(t);
}

/* A share of 1 hides every ordinary token. */
static void test_all(void **state) {
  (void)state;
  struct texts *t = make_texts();
  struct ad_hiding hiding = make_hiding(1.0, 0);
  const struct counts c = count_all(&hiding, t, (struct ad_hiding_draw){.seed = 3, .step = 9});
  assert_true(c.hidden == c.candidates && c.hidden > 0.0);
  ad_hiding_destroy(&hiding);
  free(t);
}

static void refuse(struct ad_tokenizer *tokenizer, int words, const char *message) {
  struct ad_hiding hiding;
  assert_int_equal(ad_hiding_create(&hiding, tokenizer, 0.15, words), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), message));
  ad_hiding_destroy(&hiding);
  ad_tokenizer_destroy(tokenizer);
}

static void test_refused(void **state) {
  (void)state;
  struct ad_hiding hiding;
  struct ad_tokenizer *tokenizer = whole_tokenizer(), *none;
  static const char special[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  refuse(make_tokenizer("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", "##"), 0, "no mask token");
  refuse(make_tokenizer("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", "x"), 1, "do not show where words begin");
  assert_int_equal(ad_tokenizer_create(&none, "made", special, sizeof special - 1, 1), AD_OK);
  refuse(none, 0, "are special");
  for (long at = 1; at <= 2; at++) {
    ad_memory_fail_at(at);
    assert_int_equal(ad_hiding_create(&hiding, tokenizer, 0.15, 0), AD_ENOMEM);
    ad_memory_fail_at(0);
    ad_hiding_destroy(&hiding);
  }
  ad_tokenizer_destroy(tokenizer);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rates), cmocka_unit_test(test_words),
                                     cmocka_unit_test(test_purity), cmocka_unit_test(test_all),
                                     cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
