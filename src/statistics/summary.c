#include "autodidact/statistics/summary.h"

#include <math.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/sort.h"
#include "autodidact/base/status.h"
#include "distributions.h"
#include "resample.h"

/* ---- One arm ---- */

static void no_summary(struct ad_summary *s, size_t n, const char *why) {
  const struct ad_figure none = ad_figure_none(why);
  *s = (struct ad_summary){.n = n,
                           .mean = none,
                           .median = none,
                           .sd = none,
                           .minimum = none,
                           .maximum = none,
                           .lower = none,
                           .upper = none,
                           .iqr = none};
}

static void summarize_sorted(struct ad_summary *s, size_t n, const double *sorted) {
  const double count = (double)n;
  double sum = 0.0, square = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += sorted[i];
  }
  const double mean = sum / count;
  for (size_t i = 0; i < n; i++) {
    square += (sorted[i] - mean) * (sorted[i] - mean);
  }
  no_summary(s, n, AD__WHY_ONE_RUN);
  s->mean = ad_figure_of(mean);
  s->median = ad_figure_of(ad_quantile_sorted(n, sorted, 0.5));
  s->minimum = ad_figure_of(sorted[0]);
  s->maximum = ad_figure_of(sorted[n - 1]);
  s->lower = ad_figure_of(ad_quantile_sorted(n, sorted, 0.25));
  s->upper = ad_figure_of(ad_quantile_sorted(n, sorted, 0.75));
  s->iqr = ad_figure_of(s->upper.value - s->lower.value);
  if (n < 2) {
    return;
  }
  /* The mean of equal values may be off by a rounding, but their spread is 0. */
  const int equal = ad_difference(sorted[n - 1], sorted[0]) == 0.0;
  s->sd = ad_figure_of(equal ? 0.0 : sqrt(square / (count - 1)));
}

int ad_summarize(struct ad_summary *summary, size_t n, const double *values) {
  no_summary(summary, n, n == 0 ? AD__WHY_NO_RUNS : AD__WHY_NOT_FINITE);
  if (n == 0 || !ad__all_finite(n, values)) {
    return AD_OK;
  }
  double *sorted;
  AD_TRY(ad__sort_copy(n, values, "a summary", &sorted));
  summarize_sorted(summary, n, sorted);
  ad_free(sorted);
  return AD_OK;
}

struct ad_interval ad_wilson(double count, size_t n, double level) {
  if (n == 0 || !(count >= 0.0 && count <= (double)n)) {
    return ad_interval_none(AD__WHY_NO_RUNS);
  }
  const double z = ad__normal_upper_quantile(0.5 - level / 2), runs = (double)n, p = count / runs;
  const double middle = p + z * z / (2 * runs), half = z * sqrt(p * (1 - p) / runs + z * z / (4 * runs * runs));
  const double scale = 1 + z * z / runs;
  /* Exact at the ends, where the formula leaves a rounding. */
  return ad_interval_of(count == 0.0 ? 0.0 : (middle - half) / scale, count == runs ? 1.0 : (middle + half) / scale);
}

/* ---- Two columns ---- */

static double pearson(size_t n, const double *x, const double *y) {
  double mx = 0.0, my = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
  for (size_t i = 0; i < n; i++) {
    mx += x[i] / (double)n;
    my += y[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) {
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
    xy += (x[i] - mx) * (y[i] - my);
  }
  return fmin(1.0, fmax(-1.0, xy / sqrt(xx * yy)));
}

static void infer_correlation(struct ad_correlation *c, double level) {
  const double n = (double)c->n, rho = c->rho.value;
  if (fabs(rho) > 1.0 - 1e-15) {
    c->p = ad_figure_none("the ranks agree or oppose completely: the approximation by t does not hold");
    c->interval = ad_interval_none("the ranks agree or oppose completely");
    return;
  }
  c->p = ad_figure_of(2.0 * ad__t_upper(fabs(rho) * sqrt((n - 2) / (1 - rho * rho)), n - 2));
  if (c->n < 4) {
    c->interval = ad_interval_none("needs at least 4 runs");
    return;
  }
  const double half = ad__normal_upper_quantile(0.5 - level / 2) * sqrt((1 + rho * rho / 2) / (n - 3));
  c->interval = ad_interval_of(tanh(atanh(rho) - half), tanh(atanh(rho) + half));
}

int ad_spearman(struct ad_correlation *correlation, size_t n, const double *x, const double *y, double level) {
  const char *why = n < 3                                            ? AD__WHY_TWO_RUNS
                    : !ad__all_finite(n, x) || !ad__all_finite(n, y) ? AD__WHY_NOT_FINITE
                    : ad__all_equal(n, x) || ad__all_equal(n, y)     ? AD__WHY_EQUAL
                                                                     : NULL;
  *correlation = (struct ad_correlation){n, ad_figure_none(why), ad_figure_none(why), ad_interval_none(why)};
  if (why != NULL) {
    return AD_OK;
  }
  double *ranks = ad_malloc(2 * n, sizeof *ranks);
  size_t *order = ad_malloc(n, sizeof *order);
  const int status = ranks == NULL || order == NULL ? ad_fail_memory(4 * n * sizeof *ranks, "ranks") : AD_OK;
  if (status == AD_OK) {
    ad__rank_values(n, x, ranks, order);
    ad__rank_values(n, y, ranks + n, order);
    correlation->rho = ad_figure_of(pearson(n, ranks, ranks + n));
    infer_correlation(correlation, level);
  }
  ad_free(ranks);
  ad_free(order);
  return status;
}

/* ---- Many tests ---- */

int ad_holm(size_t k, const struct ad_figure *p, struct ad_figure *adjusted) {
  double *values = ad_malloc(k, sizeof *values), largest = 0.0;
  size_t *place = ad_malloc(2 * k, sizeof *place), *order = place + k, count = 0;
  const int status = values == NULL || place == NULL ? ad_fail_memory(3 * k * sizeof *values, "p-values") : AD_OK;
  for (size_t i = 0; i < k && status == AD_OK; i++) {
    adjusted[i] = p[i];
    if (p[i].why == NULL) {
      place[count] = i;
      values[count++] = p[i].value;
    }
  }
  if (status == AD_OK) {
    ad_sort_places(count, values, order);
  }
  for (size_t i = 0; i < count; i++) {
    largest = fmax(largest, fmin(1.0, (double)(count - i) * values[order[i]]));
    adjusted[place[order[i]]] = ad_figure_of(largest);
  }
  ad_free(values);
  ad_free(place);
  return status;
}
