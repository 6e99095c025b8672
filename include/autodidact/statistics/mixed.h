/* Means and variances of runs that share seeds: y = mean + an effect of each level of each term + rest, all random, by
 * restricted maximum likelihood. For any design: crossed, nested, Latin, with missing cells, or independent runs.
 * Letters: n runs with a value, q levels of all terms together. */
#ifndef AUTODIDACT_STATISTICS_MIXED_H
#define AUTODIDACT_STATISTICS_MIXED_H

#include "autodidact/statistics/statistics.h"

enum { AD_SEED_FACTORS = 3, AD_TERMS = 6, AD_MOST_LEVELS = 400 };

/* The seeds of n runs: the level of each factor, from 0. */
struct ad_seeds {
  size_t n, factors;                      /* factors: at most AD_SEED_FACTORS */
  const char *names[AD_SEED_FACTORS];     /* "init", "order", "dropout" */
  const uint32_t *level[AD_SEED_FACTORS]; /* [n] */
};

/* Which runs share what: a term is a factor, or two of them together, of which some runs share a level and not all. */
struct ad_terms {
  size_t count;
  char name[AD_TERMS][96]; /* "init", "init x order" */
  size_t levels[AD_TERMS];
  uint32_t *group[AD_TERMS]; /* [n] level of each run, from 0; one block of memory, owned */
  char rest[96];             /* what makes single runs differ: "order" where it is nested, "init x order" */
};

/* Factors whose levels no two runs share, and those that divide the runs like an earlier one, are no terms: they are in
 * the rest, or in the earlier one. The caller owns it: ad_terms_destroy, also after a failure. AD_ENOMEM. */
int ad_terms_of(struct ad_terms *terms, const struct ad_seeds *seeds);
void ad_terms_destroy(struct ad_terms *terms);

/* The estimates of lme4's lmer(y ~ 1 + (1|term) + ...). A variance is never negative: one that would be is 0, and the
 * others are estimated without it. */
struct ad_mixed {
  size_t n, terms;
  const char *name[AD_TERMS + 1];          /* of the terms, and of the rest; the terms' */
  size_t levels[AD_TERMS + 1];             /* n for the rest */
  struct ad_figure variance[AD_TERMS + 1]; /* [terms + 1] */
  struct ad_figure mean, reml_error;       /* reml_error: lme4's standard error, for other levels of every term */
  struct ad_figure error, df;              /* of the interval */
  struct ad_figure p;                      /* two-sided, of a mean of 0, by t(df) */
  struct ad_interval interval;             /* mean -+ t(df) error */
  struct ad_figure sd;                     /* of a run with seeds of its own: the root of the sum of the variances */
  struct ad_interval sd_interval;          /* by the jackknife of its logarithm over whole levels */
};

/* Of values [n]. Without terms the interval is Student's. Where all terms lie within one it is made of that term's
 * level means. Where they are crossed it is made of the excess of their mean squares over the rest (docs/statistics.md,
 * runs that share seeds). Other designs have none, nor do those with too few levels. The interval of the SD needs
 * AD_SPREAD_LEVELS (spread.h) levels and seeds that are not crossed, p of crossed seeds AD_TEST_LEVELS of each.
 * AD_ENOMEM. */
int ad_mixed_mean(struct ad_mixed *mixed, size_t n, const double *values, const struct ad_terms *terms, double level);

#endif
