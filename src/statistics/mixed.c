/* The mean of runs that share seeds, and its interval. */
#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "distributions.h"
#include "mixed_internal.h"
#include "reml.h"
#include "resample.h"
#include "spread_internal.h"

/* A mean that is 0 but for roundings of the values. */
static double rounded(double mean, size_t n, const double *values) {
  double size = 0.0;
  for (size_t i = 0; i < n; i++) {
    size = fmax(size, fabs(values[i]));
  }
  return fabs(mean) <= 1e-13 * size ? 0.0 : mean;
}

/* Mean, error and degrees of freedom are known. */
static void conclude(struct ad_mixed *m, double error, double df, double level) {
  const double mean = m->mean.value, half = ad__t_upper_quantile(0.5 - level / 2, df) * error;
  m->error = ad_figure_of(error);
  m->df = ad_figure_of(df);
  m->p = ad_figure_of(2 * ad__t_upper(fabs(mean) / error, df));
  m->interval = ad_interval_of(mean - half, mean + half);
}

static void mean_of(const struct reml *r, double shift, double scale, struct ad_mixed *m) {
  m->mean = ad_figure_of(shift + scale * r->mean);
  m->reml_error = ad_figure_of(scale / sqrt(r->precision));
}

static void spread_of(const struct reml *r, double scale, struct ad_mixed *m) {
  double sum = 0.0;
  for (size_t t = 0; t <= r->terms; t++) {
    sum += r->v[t];
    m->variance[t] = ad_figure_of(scale * scale * r->v[t]);
  }
  m->sd = ad_figure_of(scale * sqrt(sum));
}

static void no_mixed(struct ad_mixed *m, size_t n, const struct ad_terms *terms, const char *why) {
  const struct ad_figure none = ad_figure_none(why);
  *m = (struct ad_mixed){.n = n,
                         .terms = terms->count,
                         .mean = none,
                         .reml_error = none,
                         .error = none,
                         .df = none,
                         .p = none,
                         .sd = none};
  m->interval = m->sd_interval = ad_interval_none(why);
  for (size_t t = 0; t <= terms->count; t++) {
    m->name[t] = t < terms->count ? terms->name[t] : terms->rest;
    m->levels[t] = t < terms->count ? terms->levels[t] : n;
    m->variance[t] = none;
  }
}

/* Why there is no estimate; the mean of the values, and their SD as if all were independent. */
static const char *why_none(size_t n, const double *values, const struct ad_terms *terms, double *mean, double *sd) {
  size_t q = 0;
  double square = 0.0;
  if (n == 0 || !ad__all_finite(n, values)) {
    return n == 0 ? AD__WHY_NO_RUNS : AD__WHY_NOT_FINITE;
  }
  for (size_t i = 0; i < n; i++) {
    *mean += values[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) {
    square += (values[i] - *mean) * (values[i] - *mean);
  }
  *sd = sqrt(square / (double)(n - 1));
  *mean = rounded(*mean, n, values);
  for (size_t t = 0; t < terms->count; t++) {
    q += terms->levels[t];
  }
  return n < 2                      ? AD__WHY_ONE_RUN
         : ad__all_equal(n, values) ? AD__WHY_EQUAL
         : q > AD_MOST_LEVELS       ? "runs share more than 400 levels of seeds"
                                    : NULL;
}

/* From the levels of the term that holds all others: their means are independent, whatever the variances are. Their
 * weights w in the mean are lme4's; the error's square is sum w^2 (mean - level's mean)^2 / (1 - sum w^2), without bias
 * where one of the variances is 0. */
static void nested_error(const struct reml *r, size_t term, double scale, struct ad__mean_error *e) {
  static const char few[] = "a seed that runs share has fewer than 3 levels: too few to speak of others";
  static const char unlike[] = "the levels of a seed that runs share have too unlike numbers of runs";
  static const char equal[] = "the means of the levels are equal";
  const size_t first = r->first[term], levels = r->first[term + 1] - first;
  const double weights = ad__dot(levels, r->v_ones + first, r->v_ones + first) / (r->precision * r->precision);
  const double square = ad__dot(levels, r->u + first, r->u + first) / (r->precision * r->precision);
  *e = (struct ad__mean_error){.why = levels < 3                               ? few
                                      : 1 / weights < 2.0 / 3 * (double)levels ? unlike
                                      : sqrt(square) <= 1e-12                  ? equal
                                                                               : NULL,
                               .error = scale * sqrt(square / (1 - weights)),
                               .df = 1 / weights - 1,
                               .is_tested = 1};
}

/* Student's t where no runs share seeds. Where some do lme4's error is not used: with estimated variances t's degrees
 * of freedom are a guess. */
static int settle_intervals(const struct reml *r, const double *values, const struct ad_terms *terms, double scale,
                            double level, struct ad_mixed *m) {
  static const char few[] = "no test is made of this design: its size would not be near 5 %";
  const size_t outer = ad__outer_term(terms, m->n);
  struct ad__mean_error e;
  AD_TRY(ad__total_sd(&m->sd_interval, m->n, values, terms, level));
  if (terms->count == 0) {
    e = (struct ad__mean_error){.error = m->reml_error.value, .df = (double)m->n - 1, .is_tested = 1};
  } else if (outer < terms->count) {
    nested_error(r, outer, scale, &e);
  } else {
    AD_TRY(ad__crossed_error(m->n, values, terms, level, &e));
  }
  m->error = m->df = m->p = ad_figure_none(e.why);
  m->interval = ad_interval_none(e.why);
  if (e.why == NULL) {
    conclude(m, e.error, e.df, level);
  }
  if (e.why == NULL && !e.is_tested) {
    m->p = ad_figure_none(few);
  }
  return AD_OK;
}

int ad_mixed_mean(struct ad_mixed *mixed, size_t n, const double *values, const struct ad_terms *terms, double level) {
  double mean = 0.0, scale = 0.0;
  struct reml r = {.n = n, .terms = terms->count};
  const char *why = why_none(n, values, terms, &mean, &scale);
  no_mixed(mixed, n, terms, why);
  if (why != NULL) {
    mixed->mean = n > 0 && ad__all_finite(n, values) ? ad_figure_of(mean) : mixed->mean;
    mixed->sd = n > 1 && mixed->mean.why == NULL && ad__all_equal(n, values) ? ad_figure_of(0.0) : mixed->sd;
    return AD_OK;
  }
  unsigned char used[PARTS];
  memset(used, 1, sizeof used);
  for (size_t t = 0; t < r.terms; t++) {
    r.first[t + 1] = r.q += terms->levels[t];
    r.v[t] = 1.0 / (double)(r.terms + 1);
  }
  r.v[r.terms] = 1.0 / (double)(r.terms + 1);
  int status = ad__reml_prepare(&r, values, terms, mean, scale);
  AD_TRY(status);
  why = ad__reml_maximize(&r, used);
  no_mixed(mixed, n, terms, why);
  mixed->mean = ad_figure_of(mean);
  if (why == NULL) {
    mean_of(&r, mean, scale, mixed);
    mixed->mean.value = rounded(mixed->mean.value, n, values);
    spread_of(&r, scale, mixed);
    status = settle_intervals(&r, values, terms, scale, level, mixed);
  }
  ad_free(r.counts);
  return status;
}
