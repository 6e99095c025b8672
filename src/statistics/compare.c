#include "autodidact/statistics/compare.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "resample.h"

static double mean_of(size_t n, const double *x) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += x[i];
  }
  return sum / (double)n;
}

static double variance_of(size_t n, const double *x, double mean) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += (x[i] - mean) * (x[i] - mean);
  }
  return sum / (double)(n - 1);
}

/* ---- Wilcoxon ---- */

/* P(W <= w) over all 2^n choices of signs, for ranks in halves: twice[i] is twice the rank. */
static int signed_rank_tail(size_t n, const size_t *twice, size_t w, double *tail) {
  size_t total = 0;
  for (size_t i = 0; i < n; i++) {
    total += twice[i];
  }
  double *share = ad_calloc(total + 1, sizeof *share);
  if (share == NULL) {
    return ad_fail_memory((total + 1) * sizeof *share, "the distribution of signed ranks");
  }
  share[0] = 1.0;
  size_t reached = 0;
  for (size_t i = 0; i < n; i++) {
    reached += twice[i];
    for (size_t s = reached + 1; s-- > 0;) {
      share[s] = (share[s] + (s >= twice[i] ? share[s - twice[i]] : 0.0)) / 2.0;
    }
  }
  *tail = 0.0;
  for (size_t s = 0; s <= w && s <= total; s++) {
    *tail += share[s];
  }
  ad_free(share);
  return AD_OK;
}

/* Magnitudes that differ by a rounding only get the same value, so that they tie. */
static void join_close(size_t n, double *size, size_t *order) {
  gsl_sort_index(order, size, 1, n);
  for (size_t i = 1; i < n; i++) {
    if (size[order[i]] - size[order[i - 1]] <= 1e-12 * size[order[n - 1]]) {
      size[order[i]] = size[order[i - 1]];
    }
  }
}

/* d [n] without zeros; size, ranks, twice and order [n] are work memory. */
static int signed_ranks(struct ad_paired *p, size_t n, size_t pairs, const double *d, double *size, double *ranks,
                        size_t *twice, size_t *order) {
  for (size_t i = 0; i < n; i++) {
    size[i] = fabs(d[i]);
  }
  join_close(n, size, order);
  const double ties = ad__rank_values(n, size, ranks, order);
  double plus = 0.0, minus = 0.0;
  for (size_t i = 0; i < n; i++) {
    *(d[i] > 0 ? &plus : &minus) += ranks[i];
    twice[i] = (size_t)(2 * ranks[i] + 0.5);
  }
  const double w = fmin(plus, minus), count = (double)n;
  p->w = ad_figure_of(w);
  if (pairs <= 13 || (pairs <= 50 && ties == 0.0 && n == pairs)) {
    double tail = NAN;
    AD_TRY(signed_rank_tail(n, twice, (size_t)(2 * w + 0.5), &tail));
    p->wilcoxon_p = ad_figure_of(fmin(1.0, 2 * tail));
    p->wilcoxon = ties == 0.0 && n == pairs ? "exact" : "exact over all changes of sign, with ties";
    return AD_OK;
  }
  const double error = sqrt((count * (count + 1) * (2 * count + 1) - ties / 2) / 24);
  p->wilcoxon_p = ad_figure_of(2 * gsl_cdf_ugaussian_P((w - count * (count + 1) / 4) / error));
  p->wilcoxon = "normal, corrected for ties";
  return AD_OK;
}

static int wilcoxon(struct ad_paired *p, size_t pairs, const double *d) {
  double *values = ad_malloc(3 * pairs, sizeof *values);
  size_t *twice = ad_malloc(2 * pairs, sizeof *twice), n = 0;
  int status = AD_OK;
  if (values == NULL || twice == NULL) {
    status = ad_fail_memory(pairs * 40, "signed ranks");
    goto out;
  }
  for (size_t i = 0; i < pairs; i++) {
    if (d[i] != 0.0) {
      values[n++] = d[i];
    }
  }
  if (n > 0) {
    status = signed_ranks(p, n, pairs, values, values + pairs, values + 2 * pairs, twice, twice + pairs);
  } else {
    p->w = p->wilcoxon_p = ad_figure_none("all pairs have equal values");
  }
out:
  ad_free(values);
  ad_free(twice);
  return status;
}

/* ---- On common seeds ---- */

/* Of d [n]: 1, 1/2 or 0 for a > b, a = b, a < b. */
static double wins(size_t n, const double *d, const uint32_t *index) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    const double x = d[index == NULL ? i : index[i]];
    sum += x > 0 ? 1.0 : x == 0 ? 0.5 : 0.0;
  }
  return sum / (double)n;
}

static int bootstrap_paired(struct ad_paired *p, size_t n, const double *d, const struct ad_resampling *how) {
  double *means = ad_malloc(2 * how->replicates + n, sizeof *means);
  uint32_t *index = ad_malloc(n, sizeof *index);
  int status = AD_OK;
  if (means == NULL || index == NULL) {
    status = ad_fail_memory((2 * how->replicates + n) * sizeof *means, "a bootstrap");
    goto out;
  }
  double *superiorities = means + how->replicates, *left_out = means + 2 * how->replicates;
  for (size_t r = 0; r < how->replicates; r++) {
    ad__draw_indices(how, DRAW_PAIRS, r, n, n, index);
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
      sum += d[index[i]];
    }
    means[r] = sum / (double)n;
    superiorities[r] = wins(n, d, index);
  }
  for (size_t i = 0; i < n; i++) {
    left_out[i] = (p->mean.value * (double)n - d[i]) / (double)(n - 1);
  }
  p->bootstrap = ad__bca_interval(p->mean.value, how->replicates, means, n, left_out, how->level);
  p->superiority_interval = ad__percentile_interval(how->replicates, superiorities, how->level);
out:
  ad_free(means);
  ad_free(index);
  return status;
}

static void no_paired(struct ad_paired *p, size_t n, const char *why) {
  const struct ad_figure none = ad_figure_none(why);
  const struct ad_interval interval = ad_interval_none(why);
  *p = (struct ad_paired){.n = n,
                          .mean = none,
                          .sd = none,
                          .effect = none,
                          .t = interval,
                          .t_p = none,
                          .bootstrap = interval,
                          .w = none,
                          .wilcoxon_p = none,
                          .wilcoxon = "not computed",
                          .superiority = none,
                          .superiority_interval = interval};
}

static int paired_differences(struct ad_paired *p, size_t n, const double *d, const struct ad_resampling *how) {
  const double mean = mean_of(n, d), count = (double)n;
  no_paired(p, n, "needs at least 2 pairs");
  for (size_t i = 0; i < n; i++) {
    p->equal += d[i] == 0.0;
  }
  p->mean = ad_figure_of(mean);
  p->superiority = ad_figure_of(wins(n, d, NULL));
  if (n < 2) {
    return AD_OK;
  }
  AD_TRY(wilcoxon(p, n, d));
  if (ad__all_equal(n, d)) {
    const char *why = "all differences are equal";
    p->mean = ad_figure_of(d[0]);
    p->sd = ad_figure_of(0.0);
    p->effect = p->t_p = ad_figure_none(why);
    p->t = p->bootstrap = p->superiority_interval = ad_interval_none(why);
    return AD_OK;
  }
  const double sd = sqrt(variance_of(n, d, mean)), error = sd / sqrt(count);
  const double half = gsl_cdf_tdist_Qinv(0.5 - how->level / 2, count - 1) * error;
  p->sd = ad_figure_of(sd);
  p->effect = ad_figure_of(mean / sd);
  p->t = ad_interval_of(mean - half, mean + half);
  p->t_p = ad_figure_of(2 * gsl_cdf_tdist_Q(fabs(mean) / error, count - 1));
  return bootstrap_paired(p, n, d, how);
}

int ad_compare_paired(struct ad_paired *paired, size_t n, const double *a, const double *b,
                      const struct ad_resampling *how) {
  ad__quiet_gsl();
  no_paired(paired, n, n == 0 ? "no common seeds" : AD__WHY_NOT_FINITE);
  if (n == 0 || !ad__all_finite(n, a) || !ad__all_finite(n, b)) {
    return AD_OK;
  }
  double *d = ad_malloc(n, sizeof *d);
  if (d == NULL) {
    return ad_fail_memory(n * sizeof *d, "differences");
  }
  ad_differences(n, a, b, d);
  const int status = paired_differences(paired, n, d, how);
  ad_free(d);
  return status;
}

/* ---- On different seeds ---- */

static void welch(struct ad_unpaired *u, size_t na, const double *a, size_t nb, const double *b, double level) {
  const double ma = mean_of(na, a), mb = mean_of(nb, b);
  u->mean = ad_figure_of(ad_difference(ma, mb));
  if (na < 2 || nb < 2) {
    u->df = u->t_p = ad_figure_none("needs at least 2 runs of each arm");
    u->t = ad_interval_none(u->df.why);
    return;
  }
  if (ad__all_equal(na, a) && ad__all_equal(nb, b)) {
    u->df = u->t_p = ad_figure_none("all values of each arm are equal");
    u->t = ad_interval_none(u->df.why);
    return;
  }
  const double va = variance_of(na, a, ma) / (double)na, vb = variance_of(nb, b, mb) / (double)nb;
  const double df = (va + vb) * (va + vb) / (va * va / (double)(na - 1) + vb * vb / (double)(nb - 1));
  const double half = gsl_cdf_tdist_Qinv(0.5 - level / 2, df) * sqrt(va + vb);
  u->df = ad_figure_of(df);
  u->t = ad_interval_of(u->mean.value - half, u->mean.value + half);
  u->t_p = ad_figure_of(2 * gsl_cdf_tdist_Q(fabs(u->mean.value) / sqrt(va + vb), df));
}

/* Share of pairs with a > b, a tie counting half, from how often each value (by its place among the `places` different
 * ones) occurs in either arm. */
static double superiority(size_t places, const uint32_t *of_a, const uint32_t *of_b, double pairs) {
  double sum = 0.0, below = 0.0;
  for (size_t i = 0; i < places; i++) {
    sum += of_a[i] * (below + 0.5 * of_b[i]);
    below += of_b[i];
  }
  return sum / pairs;
}

static int bootstrap_unpaired(struct ad_unpaired *u, size_t na, const double *a, size_t nb, const double *b,
                              const struct ad_resampling *how) {
  const size_t n = na + nb, longest = na > nb ? na : nb;
  double *all = ad_malloc(n, sizeof *all);
  size_t *order = ad_malloc(n, sizeof *order);
  uint32_t *place = ad_malloc(3 * n + longest, sizeof *place);
  double *replicates = ad_malloc(how->replicates, sizeof *replicates);
  int status = AD_OK;
  if (all == NULL || order == NULL || place == NULL || replicates == NULL) {
    status = ad_fail_memory(n * 40 + how->replicates * sizeof *replicates, "a bootstrap");
    goto out;
  }
  uint32_t *index = place + n, *count[2] = {index + longest, index + longest + n};
  for (size_t i = 0; i < n; i++) {
    all[i] = i < na ? a[i] : b[i - na];
  }
  gsl_sort_index(order, all, 1, n);
  size_t places = 0;
  for (size_t i = 0; i < n; i++) {
    places += i == 0 || all[order[i]] != all[order[i - 1]];
    place[order[i]] = (uint32_t)(places - 1);
  }
  /* Replicate 0 is the sample itself. */
  for (size_t r = 0; r <= how->replicates; r++) {
    memset(count[0], 0, n * sizeof *count[0]);
    memset(count[1], 0, n * sizeof *count[1]);
    for (int arm = 0; arm < 2; arm++) {
      const size_t runs = arm == 0 ? na : nb, first = arm == 0 ? 0 : na;
      if (r > 0) {
        ad__draw_indices(how, arm == 0 ? DRAW_PAIRS : DRAW_SECOND, r - 1, runs, runs, index);
      }
      for (size_t i = 0; i < runs; i++) {
        count[arm][place[first + (r > 0 ? index[i] : i)]]++;
      }
    }
    const double value = superiority(places, count[0], count[1], (double)na * (double)nb);
    if (r == 0) {
      u->superiority = ad_figure_of(value);
    } else {
      replicates[r - 1] = value;
    }
  }
  u->superiority_interval = ad__percentile_interval(how->replicates, replicates, how->level);
out:
  ad_free(all);
  ad_free(order);
  ad_free(place);
  ad_free(replicates);
  return status;
}

int ad_compare_unpaired(struct ad_unpaired *unpaired, size_t na, const double *a, size_t nb, const double *b,
                        const struct ad_resampling *how) {
  ad__quiet_gsl();
  const char *why = na == 0 || nb == 0                                 ? "an arm has no runs"
                    : !ad__all_finite(na, a) || !ad__all_finite(nb, b) ? AD__WHY_NOT_FINITE
                                                                       : NULL;
  const struct ad_figure none = ad_figure_none(why);
  *unpaired = (struct ad_unpaired){na, nb, none, ad_interval_none(why), none, none, none, ad_interval_none(why)};
  if (why != NULL) {
    return AD_OK;
  }
  welch(unpaired, na, a, nb, b, how->level);
  return bootstrap_unpaired(unpaired, na, a, nb, b, how);
}
