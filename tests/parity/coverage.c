/* Coverage of the intervals and sizes of the tests of a study's report, by simulation with the program's own code.
 *
 *   parity_coverage [STUDIES]     made-up studies of each kind; 2,000 by default
 *
 * Two arms on the same seeds, without a true difference: effects of init, order and rest with the given variances, half
 * of each common to both arms, normal or with long tails (Student's t, 5 degrees of freedom, scaled). A line a design,
 * in per cent: how often the 95 % intervals hold what is true, and how often the 5 % tests reject what is true. Exit
 * code 1 where a figure is outside its bounds, and would be so far outside in less than 1 of 1,000 simulations if it
 * were on the bound. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "autodidact/base/random.h"
#include "autodidact/statistics/aggregate.h"
#include "autodidact/statistics/mixed.h"
#include "autodidact/statistics/spread.h"

enum { MOST = 100, FIGURES = 9 };

enum kind { PAIRS, CROSSED, NESTED, LATIN };

struct design {
  enum kind kind;
  size_t I, J;
  double missing; /* share of the cells */
};

static const struct design designs[] = {
    {PAIRS, 6, 1, 0},       {PAIRS, 12, 1, 0},    {PAIRS, 30, 1, 0},    {CROSSED, 2, 2, 0},   {CROSSED, 3, 2, 0},
    {CROSSED, 3, 3, 0},     {CROSSED, 4, 4, 0},   {CROSSED, 10, 2, 0},  {CROSSED, 24, 2, 0},  {CROSSED, 10, 3, 0},
    {CROSSED, 10, 10, 0},   {NESTED, 6, 4, 0},    {NESTED, 12, 2, 0},   {NESTED, 24, 4, 0},   {CROSSED, 6, 6, 0.1},
    {CROSSED, 10, 10, 0.1}, {NESTED, 24, 4, 0.1}, {CROSSED, 4, 4, 0.1}, {CROSSED, 8, 8, 0.3}, {CROSSED, 10, 4, 0},
    {CROSSED, 20, 5, 0},    {NESTED, 3, 4, 0},    {NESTED, 6, 4, 0.3},  {LATIN, 5, 5, 0},     {LATIN, 8, 8, 0},
    {CROSSED, 6, 6, 0},
};

static const double variances[][3] = {{0, 0, 1}, {0.3, 0.3, 1}, {1, 0, 1}, {0, 1, 1}, {1, 1, 1}, {1, 1, 0.1}};

/* Bounds, for normal effects and for long tails. The test of the mean rejects where its interval does not hold 0. */
struct figure {
  const char *name;
  double low, high;
};

static const struct figure figures[FIGURES] = {{"mean", 92, 98},   {"mean size", 3, 7},  {"SD", 92, 98},
                                               {"change", 92, 98}, {"SD ratio", 92, 98}, {"its size", 3, 7},
                                               {"part 1", 92, 98}, {"part 2", 92, 98},   {"their size", 3, 7}};

struct count {
  size_t made, held;
};

static void add(struct count *c, int is_made, int is_held) {
  c->made += is_made != 0;
  c->held += is_made && is_held;
}

static int holds(struct ad_interval i, double truth) {
  return i.low <= truth && truth <= i.high;
}

struct study {
  size_t n;
  uint32_t init[MOST], order[MOST], dropout[MOST]; /* dropout: of a Latin square */
  double y[2][MOST];
};

static double normal(uint64_t *drawn) {
  return ad_random_normal(1, AD_STREAM_TEST, 0, (*drawn)++);
}

/* Of a variance of 1. */
static double draw(uint64_t *drawn, int tails) {
  const double z = normal(drawn);
  double chi2 = 0.0;
  for (int i = 0; i < 5 && tails; i++) {
    const double x = normal(drawn);
    chi2 += x * x;
  }
  return tails ? z / sqrt(chi2 / 5) * sqrt(3.0 / 5) : z;
}

/* Effects of both arms, with a correlation of one half. */
static void effects(uint64_t *drawn, int tails, double variance, size_t n, double effect[2][MOST]) {
  for (size_t i = 0; i < n; i++) {
    const double common = draw(drawn, tails);
    for (int arm = 0; arm < 2; arm++) {
      effect[arm][i] = sqrt(variance / 2) * (common + draw(drawn, tails));
    }
  }
}

static void make(uint64_t *drawn, const struct design *d, const double *v, int tails, struct study *s) {
  double init[2][MOST], order[2][MOST], dropout[2][MOST], rest[2][MOST];
  const int crossed = d->kind == CROSSED || d->kind == LATIN;
  effects(drawn, tails, d->kind == PAIRS ? 0 : v[0], d->I, init);
  effects(drawn, tails, crossed ? v[1] : 0, d->J, order);
  effects(drawn, tails, d->kind == LATIN ? v[1] : 0, d->I, dropout);
  effects(drawn, tails, v[2], d->I * d->J, rest);
  s->n = 0;
  for (size_t k = 0; k < d->I * d->J; k++) {
    const size_t i = k / d->J, j = k % d->J;
    if (ad_random_uniform(1, AD_STREAM_TEST, 1, (*drawn)++) >= d->missing) {
      s->init[s->n] = (uint32_t)i;
      s->order[s->n] = (uint32_t)(crossed ? j : k);
      s->dropout[s->n] = (uint32_t)((i + j) % d->I);
      for (int arm = 0; arm < 2; arm++) {
        s->y[arm][s->n] = init[arm][i] + order[arm][j] + dropout[arm][(i + j) % d->I] + rest[arm][k];
      }
      s->n++;
    }
  }
}

/* The relative change of the mean, of scores around 10 with an SD of half of one: no change is true. */
static int look_at_change(const struct study *s, const struct ad_terms *terms, struct count *c) {
  double scores[2][MOST];
  struct ad_mixed m;
  for (size_t i = 0; i < s->n; i++) {
    scores[0][i] = 10 + s->y[0][i] / 2;
    scores[1][i] = 10 + s->y[1][i] / 2;
  }
  ad_relative_change(s->n, scores[0], scores[1], scores[0]);
  const int status = ad_mixed_mean(&m, s->n, scores[0], terms, 0.95);
  add(c, status == 0 && m.interval.why == NULL, holds(m.interval, 0));
  return status;
}

static int look_at(const struct design *d, const double *v, const struct study *s, struct count *c) {
  const struct ad_seeds seeds = {
      s->n, d->kind == LATIN ? 3 : 2, {"init", "order", "dropout"}, {s->init, s->order, s->dropout}};
  const struct ad_resampling how = {0, 500, 0.95};
  struct ad_terms terms;
  struct ad_mixed m;
  struct ad_spreads spreads;
  const double total =
      (d->kind == PAIRS ? 0 : v[0]) + (d->kind == CROSSED ? v[1] : 0) + (d->kind == LATIN ? 2 * v[1] : 0) + v[2];
  int status = ad_terms_of(&terms, &seeds);
  status = status != 0 ? status : ad_mixed_mean(&m, s->n, s->y[0], &terms, 0.95);
  status = status != 0 ? status : look_at_change(s, &terms, &c[3]);
  status = status != 0 ? status : ad_compare_spread(&spreads, s->n, s->y[0], s->y[1], &terms, &how);
  ad_terms_destroy(&terms);
  if (status != 0) {
    return status;
  }
  add(&c[0], m.interval.why == NULL, holds(m.interval, 0));
  add(&c[1], m.p.why == NULL, m.p.value < 0.05);
  add(&c[2], m.sd_interval.why == NULL, holds(m.sd_interval, sqrt(total)));
  for (size_t k = 0; k < spreads.count; k++) {
    add(&c[k == 0 ? 4 : 5 + k], spreads.items[k].interval.why == NULL, holds(spreads.items[k].interval, 1));
    add(&c[k == 0 ? 5 : 8], spreads.items[k].p.why == NULL, spreads.items[k].p.value <= 0.05);
  }
  return 0;
}

/* The probability of at most k of n, each with this share. */
static double at_most(size_t k, size_t n, double share) {
  double sum = 0.0;
  for (size_t i = 0; i <= k; i++) {
    sum += exp(lgamma((double)n + 1) - lgamma((double)i + 1) - lgamma((double)(n - i) + 1) + (double)i * log(share) +
               (double)(n - i) * log1p(-share));
  }
  return sum;
}

/* 1 where so many held are too few or too many for the bounds, in per cent. */
static int is_outside(const struct count *c, const struct figure *bounds) {
  const double few = at_most(c->held, c->made, bounds->low / 100);
  const double many = c->held == 0 ? 1.0 : 1 - at_most(c->held - 1, c->made, bounds->high / 100);
  return !(few >= 0.001 && many >= 0.001);
}

/* Prints a line; 1 where a figure is outside its bounds. */
static int print(const struct design *d, const double *v, int tails, const struct count *c) {
  static const char *const names[] = {"pairs", "crossed", "nested", "latin"};
  int bad = 0;
  printf("%-7s %2zu x %-2zu %3.0f %%  %3.1f %3.1f %3.1f  %-6s", names[d->kind], d->I, d->J, 100 * (1 - d->missing),
         v[0], v[1], v[2], tails ? "tails" : "normal");
  for (size_t f = 0; f < FIGURES; f++) {
    if (c[f].made == 0) {
      printf("         -  ");
    } else {
      const double percent = 100 * (double)c[f].held / (double)c[f].made;
      const int out = is_outside(&c[f], &figures[f]);
      printf("  %8.1f %c", percent, out ? '!' : ' ');
      bad |= out;
    }
  }
  printf("\n");
  return bad;
}

int main(int argc, char **argv) {
  const size_t studies = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 2000;
  uint64_t drawn = 0;
  int bad = 0;
  printf("%-42s", "design, cells, V(init, order, rest)");
  for (size_t f = 0; f < FIGURES; f++) {
    printf("%12s", figures[f].name);
  }
  printf("\n");
  for (size_t d = 0; d < sizeof designs / sizeof *designs; d++) {
    for (size_t v = 0; v < (designs[d].kind == PAIRS ? 1 : sizeof variances / sizeof *variances); v++) {
      for (int tails = 0; tails < 2; tails++) {
        struct count counts[FIGURES] = {{0, 0}};
        struct study s;
        for (size_t k = 0; k < studies; k++) {
          make(&drawn, &designs[d], variances[v], tails, &s);
          if (look_at(&designs[d], variances[v], &s, counts) != 0) {
            return 2;
          }
        }
        bad |= print(&designs[d], variances[v], tails, counts);
      }
    }
  }
  return bad;
}
