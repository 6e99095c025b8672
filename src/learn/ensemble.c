#include "autodidact/learn/ensemble.h"

#include <math.h>
#include <string.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* ---- The vote ---- */

int ad_vote_create(struct ad_vote *vote, size_t K, size_t N, size_t C, const uint32_t *labels) {
  *vote = (struct ad_vote){0};
  if (K == 0 || N == 0 || C < 2) {
    return ad_fail(AD_EINTERNAL, "a vote of %zu voters on %zu examples of %zu classes", K, N, C);
  }
  for (size_t i = 0; i < N; i++) {
    if (labels[i] >= C) {
      return ad_fail(AD_EINTERNAL, "example %zu has the label %u, of %zu classes", i + 1, labels[i], C);
    }
  }
  *vote = (struct ad_vote){.voters = K,
                           .examples = N,
                           .classes = C,
                           .labels = labels,
                           .probability = ad_calloc(N * C, sizeof *vote->probability),
                           .label_probability = ad_calloc(N, sizeof *vote->label_probability),
                           .prediction = ad_calloc(K * N, sizeof *vote->prediction)};
  if (vote->probability == NULL || vote->label_probability == NULL || vote->prediction == NULL) {
    ad_vote_destroy(vote);
    return ad_fail_memory((unsigned long long)N * ((C + 1) * sizeof(double) + K * sizeof(uint32_t)), "a vote");
  }
  return AD_OK;
}

void ad_vote_destroy(struct ad_vote *vote) {
  ad_free(vote->probability);
  ad_free(vote->label_probability);
  ad_free(vote->prediction);
  *vote = (struct ad_vote){0};
}

/* log(exp(a) + exp(b)) */
static double log_sum(double a, double b) {
  return a > b ? a + ad_math_log1p(ad_math_exp(b - a)) : b + ad_math_log1p(ad_math_exp(a - b));
}

/* The first of the largest. */
static uint32_t largest(size_t C, const double *values) {
  size_t best = 0;
  for (size_t c = 1; c < C; c++) {
    best = values[c] > values[best] ? c : best;
  }
  return (uint32_t)best;
}

/* Adds the softmax of logits [C] to sum [C]; returns the voter's own class, and the logarithm of the label's
 * probability in *of_label. */
static uint32_t add_example(size_t C, const float *logits, uint32_t label, double *sum, double *of_label) {
  uint32_t best = 0;
  double total = 0.0;
  for (uint32_t c = 1; c < C; c++) {
    best = logits[c] > logits[best] ? c : best;
  }
  const double top = logits[best];
  for (size_t c = 0; c < C; c++) {
    total += ad_math_exp(logits[c] - top);
  }
  for (size_t c = 0; c < C; c++) {
    sum[c] += ad_math_exp(logits[c] - top) / total;
  }
  *of_label = logits[label] - top - ad_math_log(total);
  return best;
}

int ad_vote_add(struct ad_vote *vote, const float *logits) {
  const size_t N = vote->examples, C = vote->classes;
  if (vote->counted == vote->voters) {
    return ad_fail(AD_EINTERNAL, "more than the %zu voters announced", vote->voters);
  }
  for (size_t i = 0; i < N * C; i++) {
    if (!isfinite(logits[i])) {
      return ad_fail(AD_EDIVERGED, "example %zu: the logit of class %zu is not finite", i / C + 1, i % C);
    }
  }
  uint32_t *prediction = vote->prediction + vote->counted * N;
  for (size_t i = 0; i < N; i++) {
    double of_label;
    prediction[i] = add_example(C, logits + i * C, vote->labels[i], vote->probability + i * C, &of_label);
    vote->label_probability[i] = vote->counted == 0 ? of_label : log_sum(vote->label_probability[i], of_label);
  }
  vote->counted++;
  return AD_OK;
}

void ad_vote_predict(const struct ad_vote *vote, uint32_t *prediction) {
  for (size_t i = 0; i < vote->examples; i++) {
    prediction[i] = largest(vote->classes, vote->probability + i * vote->classes);
  }
}

double ad_vote_cross_entropy(const struct ad_vote *vote) {
  const double all = ad_math_log((double)vote->counted);
  double sum = 0.0;
  for (size_t i = 0; i < vote->examples; i++) {
    sum += all - vote->label_probability[i];
  }
  return sum / (double)vote->examples;
}

void ad_vote_on_each(size_t K, size_t n, const float *logits, float *mean) {
  for (size_t i = 0; i < n; i++) {
    double yes = 0.0, no = 0.0; /* apart, as 1 less a probability near 1 has no digits */
    for (size_t k = 0; k < K; k++) {
      yes += 1.0 / (1.0 + ad_math_exp(-(double)logits[k * n + i]));
      no += 1.0 / (1.0 + ad_math_exp(logits[k * n + i]));
    }
    mean[i] = (float)ad_math_log(yes / no);
  }
}

void ad_vote_number_sets(size_t K, size_t N, size_t Q, const uint32_t *labels, const uint32_t *predictions,
                         uint32_t *numbers) {
  const size_t bytes = Q * sizeof *labels;
  for (size_t k = 0; k < K; k++) {
    for (size_t i = 0; i < N; i++) {
      const uint32_t *set = predictions + (k * N + i) * Q;
      uint32_t first = 0;
      while (first < k && memcmp(predictions + (first * N + i) * Q, set, bytes) != 0) {
        first++;
      }
      numbers[k * N + i] = memcmp(labels + i * Q, set, bytes) == 0 ? 0 : first + 1;
    }
  }
}

/* ---- Diversity ---- */

struct ad_pair ad_pair_count(size_t N, const uint32_t *a, const uint32_t *b, const uint32_t *labels) {
  struct ad_pair pair = {0};
  for (size_t i = 0; i < N; i++) {
    const int first = a[i] == labels[i], second = b[i] == labels[i];
    pair.both_right += (uint64_t)(first && second);
    pair.first_right += (uint64_t)(first && !second);
    pair.second_right += (uint64_t)(!first && second);
    pair.both_wrong += (uint64_t)(!first && !second);
    pair.differ += a[i] != b[i];
  }
  return pair;
}

/* Counts are below 2^33 (examples have 32-bit numbers), so products of two sums of them fit in 128 bits. */
static __int128 product(uint64_t a, uint64_t b) {
  return (__int128)a * (__int128)b;
}

static int divide(__int128 numerator, __int128 denominator, double *value) {
  if (denominator == 0) {
    return 0;
  }
  *value = (double)numerator / (double)denominator;
  return 1;
}

int ad_pair_q(const struct ad_pair *pair, double *value) {
  const __int128 same = product(pair->both_right, pair->both_wrong);
  const __int128 other = product(pair->first_right, pair->second_right);
  return divide(same - other, same + other, value);
}

int ad_pair_kappa(const struct ad_pair *pair, double *value) {
  const uint64_t n11 = pair->both_right, n10 = pair->first_right, n01 = pair->second_right, n00 = pair->both_wrong;
  return divide(2 * (product(n11, n00) - product(n10, n01)),
                product(n11 + n10, n10 + n00) + product(n11 + n01, n01 + n00), value);
}

void ad_diversity(size_t K, size_t N, const uint32_t *predictions, const uint32_t *labels, double *matrix,
                  struct ad_diversity *diversity) {
  struct ad_diversity d = {.pairs = K * (K - 1) / 2};
  for (size_t a = 0; a < K; a++) {
    matrix[a * K + a] = 0.0;
    for (size_t b = a + 1; b < K; b++) {
      const struct ad_pair pair = ad_pair_count(N, predictions + a * N, predictions + b * N, labels);
      double q = 0.0, kappa = 0.0;
      d.q_pairs += (size_t)ad_pair_q(&pair, &q);
      d.kappa_pairs += (size_t)ad_pair_kappa(&pair, &kappa);
      d.q += q;
      d.kappa += kappa;
      const double share = (double)pair.differ / (double)N;
      matrix[a * K + b] = matrix[b * K + a] = share;
      d.disagreement += share;
    }
  }
  d.disagreement /= (double)d.pairs;
  d.q /= d.q_pairs > 0 ? (double)d.q_pairs : 1.0;
  d.kappa /= d.kappa_pairs > 0 ? (double)d.kappa_pairs : 1.0;
  *diversity = d;
}

/* ---- The mean of parameters ---- */

/* A sum of floats in units of 2^-149: limbs of 32 bits, the lowest first. A float has 24 bits at a place of 0 to 253,
 * 2^31 of them 308 bits. While adding, each limb is a signed sum of up to 2^31 numbers below 2^32 in size. */
enum { LIMBS = 10, UNIT = 149, MANTISSA = 24 };

static void add_float(int64_t limbs[LIMBS], float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t exponent = bits >> 23 & 0xffu, fraction = bits & 0x7fffffu;
  /* Subnormal numbers have the exponent of the smallest normal ones, without the hidden bit. */
  const uint64_t mantissa = exponent == 0 ? fraction : fraction | 0x800000u;
  const uint32_t place = exponent == 0 ? 0 : exponent - 1;
  const uint64_t shifted = mantissa << (place % 32);
  const int64_t low = (int64_t)(shifted & 0xffffffffu), high = (int64_t)(shifted >> 32);
  int64_t *limb = limbs + place / 32;
  limb[0] += bits >> 31 ? -low : low;
  limb[1] += bits >> 31 ? -high : high;
}

/* The size of the sum as digits in [0, 2^32); returns 1 where it is negative. */
static int normalise(int64_t limbs[LIMBS], uint32_t digits[LIMBS]) {
  int64_t carry = 0;
  for (size_t i = 0; i < LIMBS; i++) {
    limbs[i] += carry;
    digits[i] = (uint32_t)(limbs[i] & 0xffffffff);
    carry = (limbs[i] - (int64_t)digits[i]) / ((int64_t)1 << 32); /* exact */
  }
  if (carry >= 0) {
    return 0;
  }
  uint64_t borrow = 1; /* two's complement */
  for (size_t i = 0; i < LIMBS; i++) {
    const uint64_t digit = (uint64_t)(uint32_t)~digits[i] + borrow;
    digits[i] = (uint32_t)digit;
    borrow = digit >> 32;
  }
  return 1;
}

static int bit(const uint32_t digits[LIMBS], int place) {
  return (int)(digits[place / 32] >> (place % 32) & 1u);
}

/* Whether a bit below `place` is set. */
static int any_below(const uint32_t digits[LIMBS], int place) {
  for (int i = 0; i < place / 32; i++) {
    if (digits[i] != 0) {
      return 1;
    }
  }
  return place % 32 > 0 && (digits[place / 32] & ((1u << (place % 32)) - 1u)) != 0;
}

/* digits / K, rounded to 24 bits, ties to even, in units of 2^-149. */
static float divide_and_round(uint32_t digits[LIMBS], uint64_t K) {
  uint64_t rest = 0;
  int top = -1; /* the highest bit of the quotient */
  for (int i = LIMBS - 1; i >= 0; i--) {
    const uint64_t part = rest << 32 | digits[i];
    digits[i] = (uint32_t)(part / K);
    rest = part % K;
    if (top < 0 && digits[i] != 0) {
      top = 32 * i + 31 - __builtin_clz(digits[i]);
    }
  }
  const int shift = top >= MANTISSA ? top - (MANTISSA - 1) : 0;
  uint32_t mantissa = 0;
  for (int place = top; place >= shift; place--) {
    mantissa = mantissa << 1 | (uint32_t)bit(digits, place);
  }
  /* What is cut off, against one half: the bits below `shift`, then rest / K. */
  const int half = shift > 0 ? bit(digits, shift - 1) : 2 * rest >= K;
  const int more = shift > 0 ? any_below(digits, shift - 1) || rest != 0 : 2 * rest > K;
  mantissa += (uint32_t)(half && (more || (mantissa & 1u)));
  return ldexpf((float)mantissa, shift - UNIT);
}

int ad_exact_mean(size_t K, size_t n, const float *const *values, float *mean) {
  if (K == 0 || K > INT32_MAX) {
    return ad_fail(AD_EINTERNAL, "a mean of %zu vectors", K);
  }
  for (size_t i = 0; i < n; i++) {
    int64_t limbs[LIMBS] = {0};
    uint32_t digits[LIMBS];
    for (size_t k = 0; k < K; k++) {
      if (!isfinite(values[k][i])) {
        return ad_fail(AD_EDIVERGED, "element %zu of vector %zu is not finite", i, k);
      }
      add_float(limbs, values[k][i]);
    }
    const int negative = normalise(limbs, digits);
    const float size = divide_and_round(digits, K);
    mean[i] = negative ? -size : size;
  }
  return AD_OK;
}

/* The models must have the same tensors at the same places. */
static int check_tensors(size_t K, const struct ad_model *const *models, size_t *longest) {
  const struct ad_params *first = ad_model_params(models[0]);
  *longest = 0;
  for (size_t k = 0; k < K; k++) {
    const struct ad_params *params = ad_model_params(models[k]);
    int same = params->count == first->count && params->tensor_count == first->tensor_count;
    for (size_t i = 0; same && i < params->tensor_count; i++) {
      const struct ad_tensor *a = &first->tensors[i], *b = &params->tensors[i];
      same = strcmp(a->name, b->name) == 0 && a->offset == b->offset && a->rows == b->rows && a->columns == b->columns;
      *longest = a->count > *longest ? a->count : *longest;
    }
    if (!same) {
      return ad_fail(AD_EINTERNAL, "the mean of models of different tensors: %zu parameters, and %zu", first->count,
                     params->count);
    }
  }
  return AD_OK;
}

int ad_average_models(size_t K, const struct ad_model *const *models, float *theta) {
  size_t longest;
  AD_TRY(check_tensors(K, models, &longest));
  float *values = ad_malloc(K * longest, sizeof *values);
  const float **each = ad_malloc(K, sizeof *each);
  int status = values == NULL || each == NULL
                   ? ad_fail_memory((unsigned long long)K * longest * sizeof *values, "one tensor of each model")
                   : AD_OK;
  const struct ad_params *params = ad_model_params(models[0]);
  for (size_t i = 0; status == AD_OK && i < params->tensor_count; i++) {
    for (size_t k = 0; status == AD_OK && k < K; k++) {
      each[k] = values + k * longest;
      status = ad_model_read_tensor(models[k], i, values + k * longest);
    }
    if (status == AD_OK) {
      status = ad_exact_mean(K, params->tensors[i].count, each, theta + params->tensors[i].offset);
    }
  }
  ad_free(each);
  ad_free(values);
  return status;
}
