/* Ratios of spread. */
#include "autodidact/statistics/spread.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "distributions.h"
#include "resample.h"
#include "spread_internal.h"

/* ---- Independent levels ---- */

/* The runs of a level: their mean, and the squares around it. */
struct unit {
  double mean, square, runs;
};

/* What is asked for of m levels. */
enum asked { ASKED_TOTAL, ASKED_WITHIN };

/* The levels of two arms; swap [m]: 1 where they are exchanged; NULL: none. */
struct paired_units {
  size_t m;
  const struct unit *arm[2];
  const uint32_t *swap;
};

/* The variance of an arm without level `left_out` (m: none is). The mean of a level has the variance within it over its
 * runs, which the total counts once. */
static double unit_variance(const struct paired_units *u, int arm, enum asked asked, size_t left_out) {
  double sum = 0.0, square = 0.0, within = 0.0, df = 0.0, inverse = 0.0, count = 0.0;
  for (size_t i = 0; i < u->m; i++) {
    const struct unit *x = &u->arm[u->swap == NULL || u->swap[i] >> 30 == 0 ? arm : !arm][i];
    if (i != left_out) {
      sum += x->mean;
      within += x->square;
      df += x->runs - 1;
      inverse += 1 / x->runs;
      count += 1;
    }
  }
  within = df > 0 ? within / df : 0.0;
  for (size_t i = 0; i < u->m && asked == ASKED_TOTAL; i++) {
    const struct unit *x = &u->arm[u->swap == NULL || u->swap[i] >> 30 == 0 ? arm : !arm][i];
    square += i == left_out ? 0.0 : (x->mean - sum / count) * (x->mean - sum / count);
  }
  return asked == ASKED_WITHIN ? within : square / (count - 1) + within * (1 - inverse / count);
}

static double unit_log_ratio(const struct paired_units *u, enum asked asked, size_t left_out) {
  return 0.5 * log(unit_variance(u, 0, asked, left_out) / unit_variance(u, 1, asked, left_out));
}

void ad__no_spread(struct ad_spread *s, const char *why) {
  s->interval = ad_interval_none(why);
  s->error = s->df = s->p = ad_figure_none(why);
  s->test = "none";
}

void ad__spread_interval(struct ad_spread *s, double log_ratio, double error, double df, double level) {
  static const char why[] = "the spread vanishes when a level is left out";
  if (!(isfinite(log_ratio) && error > 0.0 && isfinite(error))) {
    ad__no_spread(s, why);
    return;
  }
  const double half = ad__t_upper_quantile(0.5 - level / 2, df) * error;
  s->error = ad_figure_of(error);
  s->df = ad_figure_of(df);
  s->interval = ad_interval_of(exp(log_ratio - half), exp(log_ratio + half));
  s->p = ad_figure_none("no test is made of it");
}

double ad__jackknife_square(size_t m, const double *left_out) {
  double mean = 0.0, square = 0.0;
  for (size_t i = 0; i < m; i++) {
    mean += left_out[i] / (double)m;
  }
  for (size_t i = 0; i < m; i++) {
    square += (left_out[i] - mean) * (left_out[i] - mean);
  }
  return square * (double)(m - 1) / (double)m;
}

/* swap [m]: work memory. Sums in another order differ by roundings: what is equal must count as equal. */
static double permutation_p(const struct paired_units *u, enum asked asked, const struct ad_resampling *how,
                            uint32_t *swap) {
  const double seen = fabs(unit_log_ratio(u, asked, u->m)) * (1 - 1e-12);
  const struct paired_units exchanged = {u->m, {u->arm[0], u->arm[1]}, swap};
  size_t as_large = 0;
  for (size_t k = 0; k < how->replicates; k++) {
    ad__draw_indices(how, DRAW_SHUFFLE, k, u->m, (size_t)1 << 31, swap);
    as_large += !(fabs(unit_log_ratio(&exchanged, asked, u->m)) < seen);
  }
  return (double)(1 + as_large) / (double)(1 + how->replicates);
}

/* Levels that an interval needs: more where those within which the runs vary have unlike numbers of them. */
static size_t levels_needed(const struct paired_units *u, enum asked asked) {
  for (size_t i = 1; i < u->m && asked == ASKED_WITHIN; i++) {
    if (u->arm[0][i].runs != u->arm[0][0].runs) {
      return AD_TEST_LEVELS;
    }
  }
  return AD_SPREAD_LEVELS;
}

/* left_out [m] and swap [m]: work memory. */
static void compare_units(struct ad_spread *s, const struct paired_units *u, enum asked asked,
                          const struct ad_resampling *how, double *left_out, uint32_t *swap) {
  static const char equal[] = "an arm does not vary";
  const double log_ratio = unit_log_ratio(u, asked, u->m);
  const size_t needed = levels_needed(u, asked);
  s->levels = u->m;
  if (!isfinite(log_ratio)) {
    s->ratio = ad_figure_none(equal);
    ad__no_spread(s, equal);
    return;
  }
  s->ratio = ad_figure_of(exp(log_ratio));
  if (u->m < needed) {
    ad__no_spread(s, needed == AD_SPREAD_LEVELS ? "needs at least 6 levels of the seed"
                                                : "needs at least 10 levels of the seed, as their runs are not even");
    return;
  }
  for (size_t i = 0; i < u->m; i++) {
    left_out[i] = unit_log_ratio(u, asked, i);
  }
  ad__spread_interval(s, log_ratio, sqrt(ad__jackknife_square(u->m, left_out)), (double)(u->m - 1), how->level);
  if (s->interval.why == NULL) {
    s->p = ad_figure_of(permutation_p(u, asked, how, swap));
    s->test = "permutation of whole levels";
  }
}

/* The levels of a term (NULL: every run is one) from values [n], whose mean over levels is taken off. Those of means
 * that are equal but for roundings are equal. */
static void fill_units(struct unit *unit, size_t m, size_t n, const double *values, const uint32_t *group) {
  double mean = 0.0, size = 0.0;
  memset(unit, 0, m * sizeof *unit);
  for (size_t i = 0; i < n; i++) {
    struct unit *x = &unit[group == NULL ? i : group[i]];
    x->runs += 1;
    x->mean += values[i];
    size = fmax(size, fabs(values[i]));
  }
  for (size_t i = 0; i < m; i++) {
    unit[i].mean /= unit[i].runs;
    mean += unit[i].mean / (double)m;
  }
  for (size_t i = 0; i < n; i++) {
    struct unit *x = &unit[group == NULL ? i : group[i]];
    const double off = fabs(values[i] - x->mean) <= 1e-12 * size ? 0.0 : values[i] - x->mean;
    x->square += off * off;
  }
  for (size_t i = 0; i < m; i++) {
    unit[i].mean = fabs(unit[i].mean - mean) <= 1e-12 * size ? 0.0 : unit[i].mean - mean;
  }
}

/* The rows of the levels of `group`; means: their means alone. */
static int add_units(struct ad_spreads *spreads, size_t n, const double *const arms[2], size_t m, const uint32_t *group,
                     int means, const char *source, const struct ad_resampling *how) {
  struct unit *unit = ad_malloc(2 * m, sizeof *unit);
  double *left_out = ad_malloc(m, sizeof *left_out);
  uint32_t *swap = ad_malloc(m, sizeof *swap);
  int status = AD_OK;
  if (unit == NULL || left_out == NULL || swap == NULL) {
    status = ad_fail_memory(m * (2 * sizeof *unit + 12), "levels of seeds");
    goto out;
  }
  for (int arm = 0; arm < 2; arm++) {
    fill_units(unit + (size_t)arm * m, m, n, arms[arm], group);
    for (size_t i = 0; i < m && means; i++) {
      unit[(size_t)arm * m + i].runs = 1;
    }
  }
  const struct paired_units u = {m, {unit, unit + m}, NULL};
  struct ad_spread *total = &spreads->items[spreads->count++];
  snprintf(total->source, sizeof total->source, "%s", means ? source : "total");
  compare_units(total, &u, ASKED_TOTAL, how, left_out, swap);
  if (group != NULL && !means) {
    struct ad_spread *within = &spreads->items[spreads->count++];
    snprintf(within->source, sizeof within->source, "%s", source);
    compare_units(within, &u, ASKED_WITHIN, how, left_out, swap);
  }
out:
  ad_free(unit);
  ad_free(left_out);
  ad_free(swap);
  return status;
}

static void refuse(struct ad_spreads *spreads, const char *why) {
  spreads->count = 1;
  spreads->items[0] = (struct ad_spread){.source = "total", .ratio = ad_figure_none(why)};
  ad__no_spread(&spreads->items[0], why);
}

/* ---- The SD of one arm ---- */

/* Of m levels; the mean of the pseudo-values takes the bias of the logarithm off. */
static int units_sd(struct ad_interval *interval, size_t n, const double *values, size_t m, const uint32_t *group,
                    double level) {
  struct unit *unit = ad_malloc(m, sizeof *unit);
  double *left_out = ad_malloc(m, sizeof *left_out), mean = 0.0;
  int status = AD_OK;
  if (unit == NULL || left_out == NULL) {
    status = ad_fail_memory(m * (sizeof *unit + sizeof *left_out), "levels of seeds");
  } else {
    fill_units(unit, m, n, values, group);
    const struct paired_units u = {m, {unit, unit}, NULL};
    const double count = (double)m, log_sd = 0.5 * log(unit_variance(&u, 0, ASKED_TOTAL, m));
    for (size_t i = 0; i < m; i++) {
      left_out[i] = 0.5 * log(unit_variance(&u, 0, ASKED_TOTAL, i));
      mean += left_out[i] / count;
    }
    const double error = sqrt(ad__jackknife_square(m, left_out)), middle = count * log_sd - (count - 1) * mean;
    /* Under long tails the jackknife's error is too small. So much wider, the interval holds the SD in 92 to 98 % there
     * and for normal effects (docs/statistics.md). */
    const double half = 1.15 * ad__t_upper_quantile(0.5 - level / 2, count - 1) * error;
    *interval = error > 0.0 && isfinite(error) ? ad_interval_of(exp(middle - half), exp(middle + half))
                                               : ad_interval_none("the spread vanishes when a level is left out");
  }
  ad_free(unit);
  ad_free(left_out);
  return status;
}

int ad__total_sd(struct ad_interval *interval, size_t n, const double *values, const struct ad_terms *terms,
                 double level) {
  const size_t m = terms->count == 0 ? n : terms->levels[0];
  if (terms->count > 1 || m < AD_SPREAD_LEVELS) {
    *interval = ad_interval_none(terms->count > 1 ? "seeds are crossed: no interval is known to hold the SD"
                                                  : "an interval that holds the SD needs at least 6 levels");
    return AD_OK;
  }
  return units_sd(interval, n, values, m, terms->count == 0 ? NULL : terms->group[0], level);
}

/* ---- Two arms ---- */

int ad_compare_spread(struct ad_spreads *spreads, size_t n, const double *a, const double *b,
                      const struct ad_terms *terms, const struct ad_resampling *how) {
  const double *const arms[2] = {a, b};
  char within[96];
  *spreads = (struct ad_spreads){0};
  if (n < 3 || !ad__all_finite(n, a) || !ad__all_finite(n, b)) {
    refuse(spreads, n < 3 ? "needs at least 3 common seeds" : AD__WHY_NOT_FINITE);
    return AD_OK;
  }
  if (terms->count == 0) {
    return add_units(spreads, n, arms, n, NULL, 0, "", how);
  }
  if (terms->count == 1) {
    snprintf(within, sizeof within, "%.40s within %.40s", terms->rest, terms->name[0]);
    return add_units(spreads, n, arms, terms->levels[0], terms->group[0], 0, within, how);
  }
  if (terms->count > 2 || terms->levels[0] * terms->levels[1] != n) {
    refuse(spreads, terms->count > 2 ? "more than two sources of chance are crossed" : "cells of the grid are missing");
    return AD_OK;
  }
  AD_TRY(ad__compare_crossed(spreads, arms, terms, how->level));
  for (size_t t = 0; t < 2; t++) {
    snprintf(within, sizeof within, "means of %.60s", terms->name[t]);
    AD_TRY(add_units(spreads, n, arms, terms->levels[t], terms->group[t], 1, within, how));
  }
  return AD_OK;
}
