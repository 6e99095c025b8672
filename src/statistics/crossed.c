/* The interval of the mean of runs whose seeds are crossed, with or without missing cells. Its squared half width,
 * times n, is made of parts: by how much the mean square of each seed exceeds the rest's, and the rest. As no seed is
 * known to matter, a single distribution of t would be too short where a seed with few levels does, or too long where
 * none does. A seed's mean square is that of what it explains after all other seeds. */
#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/spread.h"
#include "distributions.h"
#include "mixed_internal.h"

enum { MOST_SWEEPS = 1000 };

/* A mean square with its degrees of freedom. */
struct part {
  double square, df;
};

/* Runs of crossed seeds. */
struct table {
  size_t n;
  const struct ad_terms *terms;
  double *count[AD_SEED_FACTORS]; /* [levels] runs of each level of each term */
  double *sum;                    /* [most levels] work memory */
};

/* Takes the mean of each level of a term from r [n]. Returns the largest of these means. */
static double center(const struct table *table, size_t term, double *r) {
  const uint32_t *group = table->terms->group[term];
  const size_t levels = table->terms->levels[term];
  double most = 0.0;
  memset(table->sum, 0, levels * sizeof *table->sum);
  for (size_t i = 0; i < table->n; i++) {
    table->sum[group[i]] += r[i];
  }
  for (size_t l = 0; l < levels; l++) {
    table->sum[l] /= table->count[term][l];
    most = fmax(most, fabs(table->sum[l]));
  }
  for (size_t i = 0; i < table->n; i++) {
    r[i] -= table->sum[group[i]];
  }
  return most;
}

/* r [n] becomes what the terms but `skipped` leave of it: their means are taken off in turn until there are none. 0: it
 * does not come to an end. */
static int take_off(const struct table *table, size_t skipped, double *r) {
  double size = 0.0;
  for (size_t i = 0; i < table->n; i++) {
    size = fmax(size, fabs(r[i]));
  }
  for (size_t sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    double moved = 0.0;
    for (size_t t = 0; t < table->terms->count; t++) {
      moved = t == skipped ? moved : fmax(moved, center(table, t, r));
    }
    if (moved <= 1e-13 * size) {
      return 1;
    }
  }
  return 0;
}

static double sum_of_squares(size_t n, const double *a, const double *b) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return sum;
}

/* The factor of a term's variance in the expectation of the squares that it explains after all others: the squares that
 * they leave of the indicators of its levels. r, zero [n]: work memory, and zeros. */
static double own_share(const struct table *table, size_t term, double *r, const double *zero) {
  double sum = 0.0;
  for (size_t l = 0; l < table->terms->levels[term]; l++) {
    for (size_t i = 0; i < table->n; i++) {
      r[i] = table->terms->group[term][i] == l;
    }
    if (!take_off(table, term, r)) {
      return 0.0;
    }
    sum += sum_of_squares(table->n, r, zero);
  }
  return sum;
}

/* What a mean square has above what this share of those without an effect of their seed do not exceed. */
static double excess(struct part seed, struct part rest, double share) {
  const double usual = fmin(1.0, ad__f_lower_quantile(share, seed.df, rest.df));
  return fmax(0.0, seed.square - usual * rest.square);
}

/* The rest, together with the seeds whose mean squares are not above it. */
static struct part pooled(size_t count, const struct part *seeds, struct part rest) {
  double sum = rest.square * rest.df, df = rest.df;
  for (size_t i = 0; i < count; i++) {
    if (seeds[i].square <= rest.square) {
      sum += seeds[i].square * seeds[i].df;
      df += seeds[i].df;
    }
  }
  return (struct part){sum / df, df};
}

/* Half the width, squared, is `each` times the sum of the parts by their own t (Banerjee 1961: never too short), and
 * for the rest their sum by the t of Satterthwaite's degrees of freedom. */
static void combine(size_t count, const struct part *parts, double each, double n, double level,
                    struct ad__mean_error *e) {
  double sum = 0.0, own = 0.0, spread = 0.0;
  for (size_t i = 0; i < count; i++) {
    const double t = ad__t_upper_quantile(0.5 - level / 2, parts[i].df);
    sum += parts[i].square;
    own += t * t * parts[i].square;
    spread += parts[i].square * parts[i].square / parts[i].df;
  }
  e->df = fmax(1.0, sum * sum / spread);
  const double t = ad__t_upper_quantile(0.5 - level / 2, e->df);
  e->error = sqrt((each * own / (t * t) + (1 - each) * sum) / n);
}

/* `share` and `each` were chosen by simulation, so that the interval holds the mean in 92 to 98 % whatever the
 * variances are. scale [count]: of an excess in n times the variance of the mean. Two levels do not tell their seed
 * from the rest: the rest is counted with them. */
static void combine_seeds(size_t count, const struct part *seeds, const double *scale, struct part rest, double n,
                          double level, struct ad__mean_error *e) {
  struct part parts[AD_SEED_FACTORS + 1];
  double fewest = seeds[0].df, most = seeds[0].df;
  for (size_t i = 1; i < count; i++) {
    fewest = fmin(fewest, seeds[i].df);
    most = fmax(most, seeds[i].df);
  }
  const double away = 1 - fewest / most;
  const double share = fewest < 3 ? 0.5 : fewest < 5 && count == 2 ? 0.55 : 0.6;
  const double each = (share < 0.6 ? 0.35 : 0.1) + 0.5 * away * away;
  for (size_t i = 0; i < count; i++) {
    parts[i] = (struct part){scale[i] * excess(seeds[i], rest, share), seeds[i].df};
  }
  if (fewest < 2) {
    const size_t thin = seeds[0].df < 2 && seeds[1].df >= 2 ? 0 : 1;
    parts[thin].square = seeds[thin].square;
    combine(2, parts, 0.3 * away, n, level, e);
    return;
  }
  parts[count] = pooled(count, seeds, rest);
  combine(count + 1, parts, each, n, level, e);
}

/* Why this design has no interval. */
static const char *why_none(const struct table *table) {
  const struct ad_terms *terms = table->terms;
  size_t fewest = terms->levels[0], cells = 1;
  for (size_t t = 0; t < terms->count; t++) {
    fewest = terms->levels[t] < fewest ? terms->levels[t] : fewest;
    cells *= terms->levels[t];
  }
  if (terms->count == 2 && fewest < 4 && table->n < cells) {
    return "cells are missing, and a seed that runs share has fewer than 4 levels: too few to speak of others";
  }
  if (terms->count == 3 && fewest < 5) {
    return "one of three seeds that runs share has fewer than 5 levels: too few to speak of others";
  }
  return NULL;
}

/* 1 where p by the interval's t holds its level: of two seeds with enough levels, and four fifths of the cells. */
static int can_test(const struct table *table) {
  const struct ad_terms *terms = table->terms;
  const size_t cells = terms->levels[0] * terms->levels[1];
  const size_t fewest = terms->levels[0] < terms->levels[1] ? terms->levels[0] : terms->levels[1];
  return terms->count == 2 && fewest >= AD_TEST_LEVELS && 10 * table->n >= 8 * cells;
}

/* Of values [n]; block [4,n] is work memory, whose last is 0. Sets *e, whose reason stays where the seeds cannot be
 * told apart. */
static void find_error(const struct table *table, const double *values, double *block, double level,
                       struct ad__mean_error *e) {
  static const char apart[] = "the seeds that runs share are neither crossed nor nested";
  const size_t n = table->n, count = table->terms->count;
  double *all = block, *others = block + n, *work = block + 2 * n, *zero = block + 3 * n, scale[AD_SEED_FACTORS];
  struct part seeds[AD_SEED_FACTORS], rest = {0.0, (double)n - 1};
  e->why = apart;
  memcpy(all, values, n * sizeof *all);
  if (!take_off(table, count, all)) {
    return;
  }
  for (size_t t = 0; t < count; t++) {
    const double df = (double)table->terms->levels[t] - 1, own = own_share(table, t, work, zero);
    double squares = 0.0;
    memcpy(others, values, n * sizeof *others);
    if (!(own > 1e-6 * (double)n) || !take_off(table, t, others)) {
      return;
    }
    seeds[t] = (struct part){sum_of_squares(n, others, all) / df, df};
    for (size_t l = 0; l < table->terms->levels[t]; l++) {
      squares += table->count[t][l] * table->count[t][l];
    }
    scale[t] = squares / (double)n / (own / df);
    rest.df -= df;
  }
  if (rest.df < 1) {
    return;
  }
  rest.square = sum_of_squares(n, all, zero) / rest.df;
  e->why = NULL;
  combine_seeds(count, seeds, scale, rest, (double)n, level, e);
}

int ad__crossed_error(size_t n, const double *values, const struct ad_terms *terms, double level,
                      struct ad__mean_error *e) {
  static const char many[] = "more than three independent sources of chance";
  struct table table = {.n = n, .terms = terms};
  size_t levels = 0, most = 0;
  *e = (struct ad__mean_error){.why = terms->count > AD_SEED_FACTORS ? many : why_none(&table)};
  if (e->why != NULL) {
    return AD_OK;
  }
  for (size_t t = 0; t < terms->count; t++) {
    levels += terms->levels[t];
    most = terms->levels[t] > most ? terms->levels[t] : most;
  }
  e->is_tested = can_test(&table);
  double *block = ad_calloc(4 * n + levels + most, sizeof *block), *count = block == NULL ? NULL : block + 4 * n;
  if (block == NULL) {
    return ad_fail_memory((4 * n + levels + most) * sizeof *block, "a table of runs");
  }
  for (size_t t = 0; t < terms->count; count += terms->levels[t++]) {
    table.count[t] = count;
    for (size_t i = 0; i < n; i++) {
      count[terms->group[t][i]] += 1;
    }
  }
  table.sum = count;
  find_error(&table, values, block, level, e);
  ad_free(block);
  return AD_OK;
}
