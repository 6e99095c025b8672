#include "autodidact/statistics/spread.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "resample.h"

static double median_of(size_t n, const double *x, double *work) {
  memcpy(work, x, n * sizeof *work);
  gsl_sort(work, 1, n);
  return ad_quantile_sorted(n, work, 0.5);
}

/* Sums of squares over all arms of |x - median|: *between of the arms' means, *within around them. work: two of the
 * longest arm, and k means. */
static void deviations(size_t k, const size_t *counts, const double *const *values, double *work, size_t longest,
                       double *between, double *within) {
  double *size = work + longest, *mean = work + 2 * longest, total = 0.0, runs = 0.0;
  *between = *within = 0.0;
  for (size_t arm = 0; arm < k; arm++) {
    const size_t n = counts[arm];
    const double median = n > 0 ? median_of(n, values[arm], work) : 0.0;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
      size[i] = fabs(values[arm][i] - median);
      sum += size[i];
    }
    mean[arm] = n > 0 ? sum / (double)n : 0.0;
    for (size_t i = 0; i < n; i++) {
      /* Deviations that are equal but for roundings of the values are equal. */
      const double off = fabs(size[i] - mean[arm]) <= 1e-12 * fabs(values[arm][i]) ? 0.0 : size[i] - mean[arm];
      *within += off * off;
    }
    total += sum;
    runs += (double)n;
  }
  for (size_t arm = 0; arm < k; arm++) {
    const double off = ad_difference(mean[arm], total / runs);
    *between += (double)counts[arm] * off * off;
  }
}

int ad_brown_forsythe(struct ad_spread *spread, size_t k, const size_t *counts, const double *const *values) {
  ad__quiet_gsl();
  size_t arms = 0, runs = 0, longest = 0;
  const char *why = NULL;
  for (size_t i = 0; i < k; i++) {
    arms += counts[i] > 0;
    runs += counts[i];
    longest = counts[i] > longest ? counts[i] : longest;
    why = counts[i] > 0 && !ad__all_finite(counts[i], values[i]) ? AD__WHY_NOT_FINITE : why;
  }
  why = arms < 2                         ? "needs at least 2 arms with runs"
        : runs < arms + 1 || longest < 2 ? "needs more runs than arms"
                                         : why;
  *spread = (struct ad_spread){ad_figure_none(why), ad_figure_none(why), arms > 0 ? arms - 1 : 0, runs - arms};
  if (why != NULL) {
    return AD_OK;
  }
  double *work = ad_malloc(2 * longest + k, sizeof *work), between, within;
  if (work == NULL) {
    return ad_fail_memory((2 * longest + k) * sizeof *work, "deviations from the median");
  }
  deviations(k, counts, values, work, longest, &between, &within);
  ad_free(work);
  if (!(within > 0.0)) {
    spread->f = spread->p = ad_figure_none("the deviations from the median are equal within each arm");
    return AD_OK;
  }
  const double f = between / (double)spread->df1 / (within / (double)spread->df2);
  spread->f = ad_figure_of(f);
  spread->p = ad_figure_of(gsl_cdf_fdist_Q(f, (double)spread->df1, (double)spread->df2));
  return AD_OK;
}

/* ---- The ratio of two ---- */

/* log SD(x[index]), -inf for equal values. */
static double log_sd(size_t n, const double *x, const uint32_t *index) {
  double mean = 0.0, square = 0.0;
  int equal = 1;
  for (size_t i = 0; i < n; i++) {
    mean += x[index[i]] / (double)n;
    equal &= x[index[i]] == x[index[0]];
  }
  for (size_t i = 0; i < n; i++) {
    square += (x[index[i]] - mean) * (x[index[i]] - mean);
  }
  return equal ? -INFINITY : 0.5 * log(square / (double)(n - 1));
}

struct ratio {
  size_t na, nb;
  const double *a, *b;
  int paired;
  const struct ad_resampling *how;
  double *pool;     /* [na + nb] deviations from the medians */
  uint32_t *index;  /* [na + nb] */
  uint32_t *second; /* [na + nb] */
};

static struct ad_interval ratio_interval(const struct ratio *r, double *replicates) {
  for (size_t k = 0; k < r->how->replicates; k++) {
    ad__draw_indices(r->how, DRAW_PAIRS, k, r->na, r->na, r->index);
    if (!r->paired) {
      ad__draw_indices(r->how, DRAW_SECOND, k, r->nb, r->nb, r->second);
    }
    replicates[k] = log_sd(r->na, r->a, r->index) - log_sd(r->nb, r->b, r->paired ? r->index : r->second);
    /* Equal values in both: the ratio is unknown, not 1. */
    if (isnan(replicates[k])) {
      return ad_interval_none("not defined in some resamples: too few different values");
    }
  }
  const struct ad_interval logs = ad__percentile_interval(r->how->replicates, replicates, r->how->level);
  return logs.why != NULL ? logs : ad_interval_of(exp(logs.low), exp(logs.high));
}

/* The places of the pool for replicate k: those of arm a first. */
static void permute(const struct ratio *r, size_t k) {
  const size_t n = r->na + r->nb;
  ad__draw_indices(r->how, DRAW_SHUFFLE, k, n, (size_t)1 << 31, r->second);
  for (size_t i = 0; i < n; i++) {
    r->index[i] = (uint32_t)i;
  }
  if (r->paired) {
    for (size_t i = 0; i < r->na; i++) {
      if (r->second[i] >> 30) {
        r->index[i] = (uint32_t)(r->na + i);
        r->index[r->na + i] = (uint32_t)i;
      }
    }
    return;
  }
  for (size_t i = n; i > 1; i--) {
    const size_t j = (size_t)((uint64_t)r->second[i - 1] * i >> 31);
    const uint32_t held = r->index[i - 1];
    r->index[i - 1] = r->index[j];
    r->index[j] = held;
  }
}

static double ratio_p(const struct ratio *r) {
  const size_t n = r->na + r->nb;
  for (size_t i = 0; i < n; i++) {
    r->index[i] = (uint32_t)i;
  }
  const double seen = fabs(log_sd(r->na, r->pool, r->index) - log_sd(r->nb, r->pool, r->index + r->na));
  size_t as_large = 0;
  for (size_t k = 0; k < r->how->replicates; k++) {
    permute(r, k);
    /* Sums in another order differ by roundings: what is equal must count as equal. */
    const double value = fabs(log_sd(r->na, r->pool, r->index) - log_sd(r->nb, r->pool, r->index + r->na));
    as_large += !(value < seen * (1 - 1e-12));
  }
  return (double)(1 + as_large) / (double)(1 + r->how->replicates);
}

int ad_compare_sd(struct ad_sd_ratio *ratio, size_t na, const double *a, size_t nb, const double *b, int paired,
                  const struct ad_resampling *how) {
  const char *why = na < 2 || nb < 2                                   ? "needs at least 2 runs of each arm"
                    : !ad__all_finite(na, a) || !ad__all_finite(nb, b) ? AD__WHY_NOT_FINITE
                    : ad__all_equal(na, a) || ad__all_equal(nb, b)     ? "all values of an arm are equal"
                                                                       : NULL;
  *ratio = (struct ad_sd_ratio){ad_figure_none(why), ad_interval_none(why), ad_figure_none(why)};
  if (why != NULL) {
    return AD_OK;
  }
  const size_t n = na + nb;
  double *pool = ad_malloc(n + how->replicates, sizeof *pool);
  uint32_t *index = ad_malloc(2 * n, sizeof *index);
  int status = AD_OK;
  if (pool == NULL || index == NULL) {
    status = ad_fail_memory((2 * n + how->replicates) * sizeof *pool, "a bootstrap");
    goto out;
  }
  const struct ratio r = {na, nb, a, b, paired, how, pool, index, index + n};
  for (size_t i = 0; i < n; i++) {
    index[i] = (uint32_t)i;
  }
  ratio->ratio = ad_figure_of(exp(log_sd(na, a, index) - log_sd(nb, b, index)));
  if (na < 4 || nb < 4) {
    ratio->interval = ad_interval_none("needs at least 4 runs of each arm");
    ratio->p = ad_figure_none(ratio->interval.why);
    goto out;
  }
  const double medians[2] = {median_of(na, a, pool), median_of(nb, b, pool)};
  for (size_t i = 0; i < n; i++) {
    pool[i] = i < na ? a[i] - medians[0] : b[i - na] - medians[1];
  }
  ratio->p = ad_figure_of(ratio_p(&r));
  ratio->interval = ratio_interval(&r, pool + n);
out:
  ad_free(pool);
  ad_free(index);
  return status;
}
