/* Votes, diversity and exact means against NumPy, SciPy, scikit-learn and exact fractions (tests/parity/ensemble.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/ensemble.h"
#include "autodidact/text/tokenizer.h"
#include "support/fixture.h"

static const char *const VOTES[] = {"two",       "three",          "seven",     "one-perfect",       "all-perfect",
                                    "all-wrong", "the-same-twice", "underflow", "underflow-not-all", "ties"};
static const char *const MEANS[] = {"weights", "close",     "any-2",          "any-3",     "any-7", "any-10",
                                    "any-64",  "subnormal", "subnormal-ties", "remainder", "edges"};
enum { VOTE_COUNT = sizeof VOTES / sizeof *VOTES, MEAN_COUNT = sizeof MEANS / sizeof *MEANS };

/* A few operations in double on numbers of about K, in another order and with another exp. */
static const double TOLERANCE = 1e-14;

struct vote_case {
  size_t K, N, C, pairs;
  float *logits;
  uint32_t *labels, *prediction, *each;
  double *probability, *matrix, *q, *kappa;
  double loss;
};

static void *read(hid_t file, const char *group, const char *name, const char *field, hid_t type, size_t *count) {
  char path[96];
  snprintf(path, sizeof path, "%s/%s/%s", group, name, field);
  return fixture_read_new(file, path, type, count);
}

static struct vote_case read_vote(hid_t file, const char *name) {
  struct vote_case c;
  size_t count;
  char path[96];
  c.labels = read(file, "vote", name, "labels", H5T_NATIVE_UINT32, &c.N);
  c.logits = read(file, "vote", name, "logits", H5T_NATIVE_FLOAT, &count);
  c.each = read(file, "vote", name, "each", H5T_NATIVE_UINT32, &c.K);
  c.K /= c.N;
  c.C = count / c.N / c.K;
  c.prediction = read(file, "vote", name, "prediction", H5T_NATIVE_UINT32, &count);
  c.probability = read(file, "vote", name, "probability", H5T_NATIVE_DOUBLE, &count);
  assert_int_equal(count, c.N * c.C);
  c.matrix = read(file, "vote", name, "matrix", H5T_NATIVE_DOUBLE, &count);
  assert_int_equal(count, c.K * c.K);
  c.q = read(file, "vote", name, "q", H5T_NATIVE_DOUBLE, &c.pairs);
  c.kappa = read(file, "vote", name, "kappa", H5T_NATIVE_DOUBLE, &count);
  assert_true(count == c.pairs && c.pairs == c.K * (c.K - 1) / 2);
  snprintf(path, sizeof path, "vote/%s/loss", name);
  c.loss = fixture_scalar(file, path);
  return c;
}

static void free_vote(struct vote_case *c) {
  void *all[] = {c->logits, c->labels, c->prediction, c->each, c->probability, c->matrix, c->q, c->kappa};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    free(all[i]);
  }
}

static void near(const char *name, const char *what, double value, double expected, double scale) {
  if (!(fabs(value - expected) <= TOLERANCE * scale)) {
    fail_msg("%s, %s: %.17g, expected %.17g", name, what, value, expected);
  }
}

static void check_vote(const char *name, const struct vote_case *c) {
  struct ad_vote vote;
  assert_int_equal(ad_vote_create(&vote, c->K, c->N, c->C, c->labels), AD_OK);
  for (size_t k = 0; k < c->K; k++) {
    assert_int_equal(ad_vote_add(&vote, c->logits + k * c->N * c->C), AD_OK);
  }
  for (size_t i = 0; i < c->N * c->C; i++) {
    near(name, "probability", vote.probability[i], c->probability[i], (double)c->K);
  }
  assert_memory_equal(vote.prediction, c->each, c->K * c->N * sizeof *c->each);
  uint32_t *prediction = calloc(c->N, sizeof *prediction);
  ad_vote_predict(&vote, prediction);
  assert_memory_equal(prediction, c->prediction, c->N * sizeof *prediction);
  near(name, "loss", ad_vote_cross_entropy(&vote), c->loss, 1.0 + fabs(c->loss));
  assert_int_equal(ad_vote_add(&vote, c->logits), AD_EINTERNAL);
  free(prediction);
  ad_vote_destroy(&vote);
}

/* Mean of the defined ones among `expected`, and how many they are. */
static void check_mean(const char *name, const char *what, double value, size_t defined, const double *expected,
                       size_t pairs) {
  double sum = 0.0;
  size_t count = 0;
  for (size_t i = 0; i < pairs; i++) {
    if (!isnan(expected[i])) {
      sum += expected[i];
      count++;
    }
  }
  assert_int_equal(defined, count);
  near(name, what, value, count == 0 ? 0.0 : sum / (double)count, 1.0);
}

static void check_pair(const char *name, int defined, double value, double expected) {
  if (defined != !isnan(expected)) {
    fail_msg("%s: defined %d, expected %g", name, defined, expected);
  }
  if (defined) {
    near(name, "pair", value, expected, 1.0);
  }
}

static void check_diversity(const char *name, const struct vote_case *c) {
  double *matrix = calloc(c->K * c->K, sizeof *matrix), sum = 0.0;
  struct ad_diversity d;
  ad_diversity(c->K, c->N, c->each, c->labels, matrix, &d);
  for (size_t i = 0; i < c->K * c->K; i++) {
    near(name, "disagreement", matrix[i], c->matrix[i], 1.0);
  }
  size_t pair = 0;
  for (size_t a = 0; a < c->K; a++) {
    for (size_t b = a + 1; b < c->K; b++, pair++) {
      const struct ad_pair counts = ad_pair_count(c->N, c->each + a * c->N, c->each + b * c->N, c->labels);
      double q = -9.0, kappa = -9.0;
      assert_int_equal(counts.both_right + counts.first_right + counts.second_right + counts.both_wrong, c->N);
      const int q_defined = ad_pair_q(&counts, &q), kappa_defined = ad_pair_kappa(&counts, &kappa);
      check_pair(name, q_defined, q, c->q[pair]);
      check_pair(name, kappa_defined, kappa, c->kappa[pair]);
      assert_true(isnan(c->q[pair]) == (q == -9.0) && isnan(c->kappa[pair]) == (kappa == -9.0));
      sum += c->matrix[a * c->K + b];
    }
  }
  assert_int_equal(d.pairs, c->pairs);
  near(name, "mean disagreement", d.disagreement, sum / (double)c->pairs, 1.0);
  check_mean(name, "mean Q", d.q, d.q_pairs, c->q, c->pairs);
  check_mean(name, "mean kappa", d.kappa, d.kappa_pairs, c->kappa, c->pairs);
  free(matrix);
}

static void test_votes(void **state) {
  (void)state;
  const hid_t file = fixture_open("ensemble.h5");
  size_t undefined = 0;
  for (size_t i = 0; i < VOTE_COUNT; i++) {
    struct vote_case c = read_vote(file, VOTES[i]);
    check_vote(VOTES[i], &c);
    check_diversity(VOTES[i], &c);
    for (size_t p = 0; p < c.pairs; p++) {
      undefined += (isnan(c.q[p]) != 0) + (isnan(c.kappa[p]) != 0);
    }
    free_vote(&c);
  }
  assert_true(undefined > 6); /* the fixture has pairs that are 0/0 */
  fixture_close(file);
}

/* Counts of 4e9 examples: products of two of them need more than 64 bits. */
static void test_large_counts(void **state) {
  (void)state;
  const struct ad_pair small = {40, 7, 3, 11, 12};
  const struct ad_pair large = {40000000000, 7000000000, 3000000000, 11000000000, 12000000000};
  double a, b;
  assert_true(ad_pair_q(&small, &a) && ad_pair_q(&large, &b));
  near("large", "Q", b, a, 1.0);
  near("large", "Q", a, (40.0 * 11.0 - 7.0 * 3.0) / (40.0 * 11.0 + 7.0 * 3.0), 1.0);
  assert_true(ad_pair_kappa(&small, &a) && ad_pair_kappa(&large, &b));
  near("large", "kappa", b, a, 1.0);
}

static void test_vote_refused(void **state) {
  (void)state;
  const uint32_t labels[2] = {0, 2};
  const float fine[6] = {1, 2, 3, 4, 5, 6}, broken[6] = {1, 2, 3, 4, NAN, 6};
  struct ad_vote vote;
  assert_int_equal(ad_vote_create(&vote, 2, 2, 2, labels), AD_EINTERNAL);
  assert_int_equal(ad_vote_create(&vote, 0, 2, 3, labels), AD_EINTERNAL);
  const size_t live = ad_memory_stats().live_blocks;
  for (unsigned long n = 1; n <= 3; n++) {
    ad_memory_fail_at(n);
    assert_int_equal(ad_vote_create(&vote, 2, 2, 3, labels), AD_ENOMEM);
    ad_memory_fail_at(0);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  assert_int_equal(ad_vote_create(&vote, 2, 2, 3, labels), AD_OK);
  assert_int_equal(ad_vote_add(&vote, broken), AD_EDIVERGED);
  assert_non_null(strstr(ad_error_message(), "example 2: the logit of class 1"));
  assert_true(vote.counted == 0 && vote.probability[0] == 0.0);
  assert_int_equal(ad_vote_add(&vote, fine), AD_OK);
  ad_vote_destroy(&vote);
}

/* Every order of the vectors (three of them: shifted, reversed, as they are) gives the bits of the exact mean. */
static void check_exact_mean(hid_t file, const char *name) {
  size_t n, total;
  float *expected = read(file, "mean", name, "mean", H5T_NATIVE_FLOAT, &n);
  float *values = read(file, "mean", name, "values", H5T_NATIVE_FLOAT, &total);
  float *mean = calloc(n, sizeof *mean);
  const size_t K = total / n;
  const float *vectors[64];
  assert_true(K <= 64);
  for (size_t turn = 0; turn < 3; turn++) {
    for (size_t k = 0; k < K; k++) {
      const size_t from = turn == 0 ? k : turn == 1 ? (k + 1) % K : K - 1 - k;
      vectors[k] = values + from * n;
    }
    assert_int_equal(ad_exact_mean(K, n, vectors, mean), AD_OK);
    for (size_t i = 0; i < n; i++) {
      if (mean[i] != expected[i] || (mean[i] == 0.0f && signbit(mean[i]) && !signbit(expected[i]))) {
        fail_msg("%s[%zu], order %zu: %.9g (%a), expected %.9g (%a)", name, i, turn, (double)mean[i], (double)mean[i],
                 (double)expected[i], (double)expected[i]);
      }
    }
  }
  free(mean);
  free(values);
  free(expected);
}

static void test_means(void **state) {
  (void)state;
  const hid_t file = fixture_open("ensemble.h5");
  for (size_t i = 0; i < MEAN_COUNT; i++) {
    check_exact_mean(file, MEANS[i]);
  }
  fixture_close(file);
}

static void test_mean_alone(void **state) {
  (void)state;
  float values[3] = {-1.5f, 3e38f, 1e-45f}, other[3] = {-1.5f, INFINITY, 0.0f};
  const float *one[] = {values}, *two[] = {values, other};
  /* One vector is its own mean, in place. */
  assert_int_equal(ad_exact_mean(1, 3, one, values), AD_OK);
  assert_true(values[0] == -1.5f && values[1] == 3e38f && values[2] == 1e-45f);
  assert_int_equal(ad_exact_mean(2, 3, two, values), AD_EDIVERGED);
  assert_non_null(strstr(ad_error_message(), "element 1 of vector 1"));
  assert_int_equal(ad_exact_mean(0, 3, two, values), AD_EINTERNAL);
  if (SIZE_MAX > INT32_MAX) {
    assert_int_equal(ad_exact_mean((size_t)INT32_MAX + 1, 3, two, values), AD_EINTERNAL);
  }
}

enum { MODELS = 3 };
static const struct ad_model_config small = {.hidden = 8,
                                             .heads = 2,
                                             .ffn = 12,
                                             .layers = 2,
                                             .vocab = 7,
                                             .positions = 16,
                                             .types = 2,
                                             .classes = 3,
                                             .layer_norm_eps = 1e-12f};

/* Model folder `number`, drawn from that seed; its parameters [P] into *theta, to be released by ad_free. */
static size_t save_model(unsigned number, float **theta) {
  static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n";
  struct ad_tokenizer *tokenizer;
  struct ad_params params;
  char folder[64];
  struct ad_model_config config = small;
  config.layers += number == MODELS; /* the one after the last is another model */
  snprintf(folder, sizeof folder, "test_ensemble_%u", number);
  assert_int_equal(ad_tokenizer_create(&tokenizer, "tiny", vocabulary, sizeof vocabulary - 1, 0), AD_OK);
  assert_int_equal(ad_model_draw(&config, number, &params, theta), AD_OK);
  if (ad_model_save(folder, 1, &params, *theta, tokenizer, NULL) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  const size_t P = params.count;
  ad_params_destroy(&params);
  ad_tokenizer_destroy(tokenizer);
  return P;
}

/* The mean of three folders is the mean of what was written; without memory it fails cleanly. */
static void test_models(void **state) {
  (void)state;
  static const struct ad_model_options options = {.head = AD_HEAD_REQUIRE};
  struct ad_model *models[MODELS + 1];
  float *theta[MODELS + 1];
  char folder[64];
  size_t P = 0;
  for (unsigned k = 0; k <= MODELS; k++) {
    const size_t count = save_model(k, &theta[k]);
    P = k < MODELS ? count : P;
    snprintf(folder, sizeof folder, "test_ensemble_%u", k);
    assert_int_equal(ad_model_open(&models[k], folder, &options), AD_OK);
  }
  float *mean = calloc(P, sizeof *mean), *expected = calloc(P, sizeof *expected);
  for (size_t i = 0; i < P; i++) {
    /* These three floats lie within a factor of 2^29 or are 0: their sum in double is exact. */
    expected[i] = (float)(((double)theta[0][i] + theta[1][i] + theta[2][i]) / 3.0);
  }
  const struct ad_model *same[] = {models[0], models[1], models[2]}, *turned[] = {models[2], models[0], models[1]};
  const struct ad_model *other[] = {models[0], models[MODELS]};
  const size_t live = ad_memory_stats().live_blocks;
  for (unsigned long n = 1; n <= 2; n++) {
    ad_memory_fail_at(n);
    assert_int_equal(ad_average_models(MODELS, same, mean), AD_ENOMEM);
    ad_memory_fail_at(0);
  }
  assert_int_equal(ad_average_models(MODELS, same, mean), AD_OK);
  assert_memory_equal(mean, expected, P * sizeof *mean);
  memset(mean, 0, P * sizeof *mean);
  assert_int_equal(ad_average_models(MODELS, turned, mean), AD_OK);
  assert_memory_equal(mean, expected, P * sizeof *mean);
  assert_int_equal(ad_average_models(2, other, mean), AD_EINTERNAL);
  assert_int_equal(ad_memory_stats().live_blocks, live);
  for (size_t k = 0; k <= MODELS; k++) {
    ad_model_close(models[k]);
    ad_free(theta[k]);
  }
  free(mean);
  free(expected);
  assert_int_equal(system("rm -rf test_ensemble_[0-9]"), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_votes), cmocka_unit_test(test_large_counts), cmocka_unit_test(test_vote_refused),
      cmocka_unit_test(test_means), cmocka_unit_test(test_mean_alone),   cmocka_unit_test(test_models),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
