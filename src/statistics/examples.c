#include "autodidact/statistics/examples.h"

#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "distributions.h"
#include "resample.h"

/* ---- Test-set and distribution-wise variance ---- */

/* together [R,R]: on how many examples both runs err. bits: [R,words] work memory. */
static void count_together(size_t R, size_t N, const uint8_t *wrong, uint64_t *bits, double *together) {
  const size_t words = (N + 63) / 64;
  memset(bits, 0, R * words * sizeof *bits);
  for (size_t r = 0; r < R; r++) {
    for (size_t i = 0; i < N; i++) {
      bits[r * words + i / 64] |= (uint64_t)(wrong[r * N + i] != 0) << (i % 64);
    }
  }
  for (size_t a = 0; a < R; a++) {
    for (size_t b = a; b < R; b++) {
      uint64_t sum = 0;
      for (size_t w = 0; w < words; w++) {
        sum += (uint64_t)__builtin_popcountll(bits[a * words + w] & bits[b * words + w]);
      }
      together[a * R + b] = together[b * R + a] = (double)sum;
    }
  }
}

/* With run r taken weight[r] times, R in all: *test = V(err_S), *each = sum_i V(err_i) / N^2. An example's runs err
 * with the share q_i = sum_r weight[r] wrong[r,i] / R; sum_i q_i^2 is a quadratic form in `together`. */
static void variances(size_t R, size_t N, const double *together, const double *weight, double *test, double *each) {
  const double runs = (double)R, n = (double)N;
  double all = 0.0, square = 0.0, joint = 0.0;
  /* Counts, which a double holds exactly: equal runs have no variance at all. */
  for (size_t a = 0; a < R; a++) {
    all += weight[a] * together[a * R + a];
    double sum = 0.0;
    for (size_t b = 0; b < R && weight[a] > 0; b++) {
      sum += weight[b] * together[a * R + b];
    }
    joint += weight[a] * sum;
  }
  for (size_t a = 0; a < R; a++) {
    const double d = (runs * together[a * R + a] - all) / (n * runs);
    square += weight[a] * d * d;
  }
  *test = square / (runs - 1);
  *each = (runs * all - joint) / (runs * (runs - 1) * n * n);
}

static double distribution(size_t N, double test, double each) {
  return (double)N / (double)(N - 1) * (test - each);
}

/* Pearson's correlation over runs of the errors on even and on odd examples. */
static struct ad_figure split_halves(size_t R, size_t N, const uint8_t *wrong) {
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  for (size_t pass = 0; pass < 2; pass++) {
    for (size_t r = 0; r < R; r++) {
      double half[2] = {0, 0};
      for (size_t i = 0; i < N; i++) {
        half[i % 2] += wrong[r * N + i] != 0;
      }
      if (pass == 0) {
        x += half[0] / (double)R;
        y += half[1] / (double)R;
      } else {
        xx += (half[0] - x) * (half[0] - x);
        yy += (half[1] - y) * (half[1] - y);
        xy += (half[0] - x) * (half[1] - y);
      }
    }
  }
  return xx > 0 && yy > 0 ? ad_figure_of(xy / sqrt(xx * yy))
                          : ad_figure_none("the runs have equal errors on a half of the examples");
}

int ad_distribution_variance(struct ad_jordan *jordan, size_t R, size_t N, size_t C, const uint8_t *wrong) {
  const char *why = R < 2 ? AD__WHY_ONE_RUN : N < 2 ? "needs at least 2 examples" : NULL;
  const struct ad_figure none = ad_figure_none(why);
  *jordan = (struct ad_jordan){R, N, none, none, none, none, none, none};
  if (why != NULL) {
    return AD_OK;
  }
  double *together = ad_malloc(R * R + R, sizeof *together);
  uint64_t *bits = ad_malloc(R * ((N + 63) / 64), sizeof *bits);
  int status = AD_OK;
  if (together == NULL || bits == NULL) {
    status = ad_fail_memory((R * R + R * (N / 64 + 2)) * 8, "errors that two runs share");
    goto out;
  }
  double *weight = together + R * R, test, each, mean = 0.0;
  count_together(R, N, wrong, bits, together);
  for (size_t r = 0; r < R; r++) {
    weight[r] = 1.0;
    mean += together[r * R + r] / ((double)N * (double)R);
  }
  variances(R, N, together, weight, &test, &each);
  const double value = distribution(N, test, each);
  jordan->error = ad_figure_of(mean);
  jordan->test = ad_figure_of(test);
  jordan->distribution = ad_figure_of(value);
  jordan->noise = ad_figure_of(test - value);
  jordan->floor = C >= 2 ? ad_figure_of(mean / ((double)N * (double)C)) : ad_figure_none("fewer than 2 classes");
  jordan->halves = R < 3 ? ad_figure_none(AD__WHY_TWO_RUNS) : split_halves(R, N, wrong);
out:
  ad_free(together);
  ad_free(bits);
  return status;
}

/* ---- Two runs on the same examples ---- */

void ad_mcnemar_of(struct ad_mcnemar *mcnemar, size_t N, const uint8_t *wrong_a, const uint8_t *wrong_b) {
  size_t a = 0, b = 0;
  for (size_t i = 0; i < N; i++) {
    a += wrong_a[i] != 0 && wrong_b[i] == 0;
    b += wrong_a[i] == 0 && wrong_b[i] != 0;
  }
  const double p = 2.0 * ad__coins_lower(a < b ? a : b, a + b);
  *mcnemar = (struct ad_mcnemar){
      a, b, a + b == 0 ? ad_figure_none("no example on which one of the two errs alone") : ad_figure_of(fmin(1.0, p))};
}

/* ---- Multi-Bootstrap ---- */

static void add_runs(size_t runs, size_t N, const uint8_t *wrong, const uint32_t *index, int sign, int32_t *sum) {
  for (size_t r = 0; r < runs; r++) {
    const uint8_t *row = wrong + (index == NULL ? r : index[r]) * N;
    for (size_t i = 0; i < N; i++) {
      sum[i] += sign * (row[i] != 0);
    }
  }
}

struct multi {
  size_t Ra, Rb, N;
  const uint8_t *a, *b;
  int paired;
  int32_t *of_a, *of_b; /* [N] runs that err */
  uint32_t *index;      /* [max(Ra, Rb, N)] */
};

/* Replicate k, or with how = NULL the sample itself. */
static double multi_replicate(const struct multi *m, size_t k, const struct ad_resampling *how) {
  double of_a = 0.0, of_b = 0.0;
  memset(m->of_a, 0, m->N * sizeof *m->of_a);
  memset(m->of_b, 0, m->N * sizeof *m->of_b);
  if (how != NULL) {
    ad__draw_indices(how, DRAW_PAIRS, k, m->Ra, m->Ra, m->index);
  }
  add_runs(m->Ra, m->N, m->a, how == NULL ? NULL : m->index, 1, m->of_a);
  if (how != NULL && !m->paired) {
    ad__draw_indices(how, DRAW_SECOND, k, m->Rb, m->Rb, m->index);
  }
  add_runs(m->Rb, m->N, m->b, how == NULL ? NULL : m->index, 1, m->of_b);
  if (how != NULL) {
    ad__draw_indices(how, DRAW_EXAMPLES, k, m->N, m->N, m->index);
  }
  for (size_t i = 0; i < m->N; i++) {
    const size_t e = how == NULL ? i : m->index[i];
    of_a += m->of_a[e];
    of_b += m->of_b[e];
  }
  return (of_a * (double)m->Rb - of_b * (double)m->Ra) / ((double)m->Ra * (double)m->Rb * (double)m->N);
}

int ad_multi_bootstrap(struct ad_multi_bootstrap *result, size_t Ra, const uint8_t *wrong_a, size_t Rb,
                       const uint8_t *wrong_b, size_t N, int paired, const struct ad_resampling *how) {
  const char *why = Ra == 0 || Rb == 0 ? "an arm has no runs" : N < 2 ? "needs at least 2 examples" : NULL;
  *result = (struct ad_multi_bootstrap){Ra, Rb, N, ad_figure_none(why), ad_interval_none(why), ad_figure_none(why)};
  if (why != NULL) {
    return AD_OK;
  }
  const size_t most = Ra > Rb ? Ra : Rb;
  struct multi m = {.Ra = Ra, .Rb = Rb, .N = N, .a = wrong_a, .b = wrong_b, .paired = paired};
  m.of_a = ad_malloc(2 * N, sizeof *m.of_a);
  m.index = ad_malloc(most > N ? most : N, sizeof *m.index);
  double *replicates = ad_malloc(how->replicates, sizeof *replicates);
  int status = AD_OK;
  if (m.of_a == NULL || m.index == NULL || replicates == NULL) {
    status = ad_fail_memory(N * 12 + how->replicates * 8, "a bootstrap of runs and examples");
    goto out;
  }
  m.of_b = m.of_a + N;
  result->difference = ad_figure_of(multi_replicate(&m, 0, NULL));
  if (Ra < 2 || Rb < 2) {
    result->interval = ad_interval_none("needs at least 2 runs of each arm");
    result->p = ad_figure_none(result->interval.why);
    goto out;
  }
  size_t low = 0, high = 0;
  for (size_t k = 0; k < how->replicates; k++) {
    replicates[k] = multi_replicate(&m, k, how);
    low += replicates[k] <= 0.0;
    high += replicates[k] >= 0.0;
  }
  result->interval = ad__percentile_interval(how->replicates, replicates, how->level);
  const double share = (double)(low < high ? low : high) / (double)how->replicates;
  result->p = result->interval.why != NULL ? ad_figure_none(result->interval.why)
                                           : ad_figure_of(fmin(1.0, 2.0 * fmax(share, 1.0 / (double)how->replicates)));
out:
  ad_free(m.of_a);
  ad_free(m.index);
  ad_free(replicates);
  return status;
}

/* ---- Churn ---- */

struct ad_figure ad_churn(size_t Ra, const uint32_t *a, size_t Rb, const uint32_t *b, size_t N) {
  if (Ra == 0 || Rb == 0 || N == 0) {
    return ad_figure_none("an arm has no predictions");
  }
  uint64_t differ = 0;
  for (size_t r = 0; r < Ra; r++) {
    for (size_t s = 0; s < Rb; s++) {
      for (size_t i = 0; i < N; i++) {
        differ += a[r * N + i] != b[s * N + i];
      }
    }
  }
  return ad_figure_of((double)differ / ((double)Ra * (double)Rb * (double)N));
}
