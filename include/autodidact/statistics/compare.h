/* Two arms against each other. Letters: n pairs or runs. */
#ifndef AUTODIDACT_STATISTICS_COMPARE_H
#define AUTODIDACT_STATISTICS_COMPARE_H

#include "autodidact/statistics/statistics.h"

/* ---- On common seeds ---- */

struct ad_paired {
  size_t n, equal;              /* pairs; pairs of equal values */
  struct ad_figure mean, sd;    /* of the differences a - b */
  struct ad_figure effect;      /* mean / sd (Cohen's d_z) */
  struct ad_interval t;         /* of the mean: mean -+ t(n - 1) sd / sqrt(n) */
  struct ad_figure t_p;         /* two-sided, of a mean difference of 0 */
  struct ad_interval bootstrap; /* of the mean: BCa over pairs (Efron 1987, as SciPy's bootstrap) */
  struct ad_figure w, wilcoxon_p;
  const char *wilcoxon;                    /* how the p-value was found */
  struct ad_figure superiority;            /* P(a > b) + P(a = b) / 2 among the pairs */
  struct ad_interval superiority_interval; /* percentile bootstrap over pairs (Bouthillier et al. 2021) */
};

/* a [n] against b [n], pair by pair. Wilcoxon's (1945) signed ranks as SciPy's wilcoxon(method="auto"). Pairs of equal
 * values are left out; w is the smaller of the two sums of ranks. With up to 50 pairs and no ties its distribution is
 * exact. With ties and up to 13 pairs it is that of all sign changes. Otherwise it is the normal one with a correction
 * for ties. Differences within 1e-12 of the larger value of their pair (of each other: of the largest difference) count
 * as equal: k / N has roundings. AD_ENOMEM. */
int ad_compare_paired(struct ad_paired *paired, size_t n, const double *a, const double *b,
                      const struct ad_resampling *how);

/* ---- On different seeds ---- */

struct ad_unpaired {
  size_t a, b;           /* runs */
  struct ad_figure mean; /* mean(a) - mean(b) */
  struct ad_interval t;  /* Welch 1947: degrees of freedom by Satterthwaite */
  struct ad_figure df, t_p;
  struct ad_figure superiority; /* P(a > b) + P(a = b) / 2 over all pairs of runs: U / (n m) of Mann and Whitney */
  struct ad_interval superiority_interval; /* percentile bootstrap over the runs of each arm */
};

/* a [na] against b [nb]. AD_ENOMEM. */
int ad_compare_unpaired(struct ad_unpaired *unpaired, size_t na, const double *a, size_t nb, const double *b,
                        const struct ad_resampling *how);

#endif
