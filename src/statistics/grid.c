/* The interval of the mean of a complete table of two seeds, I x J runs. Its squared half width, times I J, is made of
 * parts: by how much the mean square of each seed exceeds the rest's, and the rest. As no seed is known to matter, a
 * single distribution of t would be too short where a seed with few levels does, or too long where none does. */
#include <gsl/gsl_cdf.h>
#include <math.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "mixed_internal.h"

/* A mean square with its degrees of freedom. */
struct part {
  double square, df;
};

/* Mean squares of the seed with more levels, of the other one, and of the rest. */
struct squares {
  struct part of_long, of_short, rest;
};

/* table [I,J], of which every cell is filled, rows [I] and columns [J] become 0 on average. */
static struct squares find_squares(size_t I, size_t J, const double *table, double *rows, double *columns) {
  const double n = (double)(I * J), a = (double)I - 1, b = (double)J - 1;
  double mean = 0.0, long_ = 0.0, short_ = 0.0, rest = 0.0;
  for (size_t i = 0; i < I * J; i++) {
    mean += table[i] / n;
  }
  for (size_t i = 0; i < I * J; i++) {
    rows[i / J] += (table[i] - mean) / (double)J;
    columns[i % J] += (table[i] - mean) / (double)I;
  }
  for (size_t i = 0; i < I * J; i++) {
    const double e = table[i] - mean - rows[i / J] - columns[i % J];
    long_ += rows[i / J] * rows[i / J];
    short_ += columns[i % J] * columns[i % J];
    rest += e * e;
  }
  const struct part row = {long_ / a, a}, column = {short_ / b, b};
  const int rows_longer = I >= J;
  return (struct squares){rows_longer ? row : column, rows_longer ? column : row, {rest / (a * b), a * b}};
}

/* What a mean square has above what this share of those without an effect of their seed do not exceed. */
static struct part excess(struct part seed, struct part rest, double share) {
  const double usual = fmin(1.0, gsl_cdf_fdist_Pinv(share, seed.df, rest.df));
  return (struct part){fmax(0.0, seed.square - usual * rest.square), seed.df};
}

/* The rest, together with the seeds whose mean squares are not above it. */
static struct part pooled(const struct squares *s) {
  double sum = s->rest.square * s->rest.df, df = s->rest.df;
  const struct part seeds[] = {s->of_long, s->of_short};
  for (size_t i = 0; i < 2; i++) {
    if (seeds[i].square <= s->rest.square) {
      sum += seeds[i].square * seeds[i].df;
      df += seeds[i].df;
    }
  }
  return (struct part){sum / df, df};
}

/* Half the width, squared, is `each` times the sum of the parts by their own t (Banerjee 1961: never too short), and
 * for the rest their sum by the t of Satterthwaite's degrees of freedom. */
static void combine(size_t count, const struct part *parts, double each, double n, double level, double *error,
                    double *df) {
  double sum = 0.0, own = 0.0, spread = 0.0;
  for (size_t i = 0; i < count; i++) {
    const double t = gsl_cdf_tdist_Qinv(0.5 - level / 2, parts[i].df);
    sum += parts[i].square;
    own += t * t * parts[i].square;
    spread += parts[i].square * parts[i].square / parts[i].df;
  }
  *df = fmax(1.0, sum * sum / spread);
  const double t = gsl_cdf_tdist_Qinv(0.5 - level / 2, *df);
  *error = sqrt((each * own / (t * t) + (1 - each) * sum) / n);
}

/* `share` and `each` were chosen by simulation, so that the interval holds the mean in 92 to 98 % whatever the
 * variances are. Two levels do not tell their seed from the rest: the rest is counted with them. */
static void find_error(size_t n, const struct squares *s, double level, double *error, double *df) {
  const double away = 1 - s->of_short.df / s->of_long.df, share = s->of_short.df < 3 ? 0.5 : 0.55;
  const struct part three[] = {excess(s->of_long, s->rest, share), excess(s->of_short, s->rest, share), pooled(s)};
  const struct part two[] = {excess(s->of_long, s->rest, share), s->of_short};
  if (s->of_short.df < 2) {
    combine(2, two, 0.3 * away, (double)n, level, error, df);
  } else {
    combine(3, three, 0.35 + 0.5 * away * away, (double)n, level, error, df);
  }
}

/* values [n] into table [I,J]; 0: a cell is missing, or filled twice. */
static int fill_table(size_t n, const double *values, const struct ad_terms *terms, double *table) {
  for (size_t i = 0; i < n; i++) {
    table[i] = NAN;
  }
  for (size_t i = 0; i < n; i++) {
    double *cell = &table[terms->group[0][i] * terms->levels[1] + terms->group[1][i]];
    if (!isnan(*cell)) {
      return 0;
    }
    *cell = values[i];
  }
  return 1;
}

int ad__grid_error(size_t n, const double *values, const struct ad_terms *terms, double level, int *is_grid,
                   double *error, double *df) {
  const size_t I = terms->levels[0], J = terms->levels[1];
  *is_grid = terms->count == 2 && I * J == n;
  if (!*is_grid) {
    return AD_OK;
  }
  double *table = ad_calloc(n + I + J, sizeof *table);
  if (table == NULL) {
    return ad_fail_memory((n + I + J) * sizeof *table, "a table of runs");
  }
  *is_grid = fill_table(n, values, terms, table);
  if (*is_grid) {
    const struct squares s = find_squares(I, J, table, table + n, table + n + I);
    find_error(n, &s, level, error, df);
  }
  ad_free(table);
  return AD_OK;
}
