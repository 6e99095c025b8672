/* Statistics of the predictions of single examples. How much of the spread is the test set's? Does a difference hold
 * for new seeds and new examples? How many predictions change? Letters: R runs, N examples, C classes. */
#ifndef AUTODIDACT_STATISTICS_EXAMPLES_H
#define AUTODIDACT_STATISTICS_EXAMPLES_H

#include "autodidact/statistics/statistics.h"

/* ---- Test-set and distribution-wise variance (Jordan 2024, arXiv 2304.01910) ---- */

struct ad_jordan {
  size_t runs, examples;
  struct ad_figure error;        /* mean over runs and examples */
  struct ad_figure test;         /* V_h(err_S(h)): variance over runs of the error on these examples, divisor R - 1 */
  struct ad_figure noise;        /* what the finite test set adds: test - distribution */
  struct ad_figure distribution; /* N/(N-1) (V_h(err_S(h)) - sum_i V_h(err_i(h)) / N^2), unbiased, may be negative */
  struct ad_figure floor;  /* err / (N C): the least test-set variance of class-calibrated runs alike in distribution */
  struct ad_figure halves; /* Pearson correlation over runs of the errors on even and odd examples */
};

/* wrong [R,N]: 1 where the run errs on the example. AD_ENOMEM. */
int ad_distribution_variance(struct ad_jordan *jordan, size_t R, size_t N, size_t C, const uint8_t *wrong);

/* ---- Multi-Bootstrap (Sellam et al. 2022) ---- */

struct ad_multi_bootstrap {
  size_t a, b, examples;
  struct ad_figure difference; /* mean error of a's runs minus that of b's */
  struct ad_interval interval; /* percentile: runs and examples are drawn independently, examples the same for both */
  struct ad_figure p; /* two-sided: twice the smaller share of replicates on either side of 0, at least 2/replicates */
};

/* wrong_a [Ra,N], wrong_b [Rb,N]. paired: run i of both has the same seeds, so the same runs are drawn (Ra = Rb).
 * AD_ENOMEM.
 */
int ad_multi_bootstrap(struct ad_multi_bootstrap *result, size_t Ra, const uint8_t *wrong_a, size_t Rb,
                       const uint8_t *wrong_b, size_t N, int paired, const struct ad_resampling *how);

/* ---- Two runs on the same examples ---- */

struct ad_mcnemar {
  size_t only_a, only_b; /* examples on which a errs and b does not, and the other way round */
  struct ad_figure p;    /* two-sided: min(1, 2 P(X <= the smaller of them)), X binomial(only_a + only_b, 1/2) */
};

/* McNemar's test (1947), exact: whether two runs, as they are, err equally often on examples like these. wrong_a,
 * wrong_b [N]. */
void ad_mcnemar_of(struct ad_mcnemar *mcnemar, size_t N, const uint8_t *wrong_a, const uint8_t *wrong_b);

/* ---- Churn ---- */

/* Churn between arms (Fard et al. 2016): the share of examples on which two runs predict different classes. It is the
 * mean over pairs of a run of a and one of b. predictions [Ra,N] and [Rb,N]. */
struct ad_figure ad_churn(size_t Ra, const uint32_t *a, size_t Rb, const uint32_t *b, size_t N);

#endif
