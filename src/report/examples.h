/* The predictions of an arm's runs, as the sections on single examples share them. */
#ifndef AUTODIDACT_SRC_REPORT_EXAMPLES_H
#define AUTODIDACT_SRC_REPORT_EXAMPLES_H

#include "autodidact/learn/ensemble.h"
#include "report_internal.h"

struct predictions {
  size_t runs, points[LOGITS_OF_ARM];
  uint32_t *prediction;           /* [runs,N] */
  uint8_t *wrong;                 /* [runs,N] */
  double nll, brier, ece, square; /* sums over runs */
  struct ad_vote vote;
};

struct examples {
  struct report *r;
  size_t N, C; /* 0 before the first file */
  uint32_t *labels;
  size_t arms, most;
  struct predictions *arm; /* [arms] */
  size_t without, other;   /* runs without the file; with one that is damaged or of other examples */
};

/* The mean of `count` values whose sum is this; for the reason `why` none of no values. */
static inline struct ad_figure mean_of(size_t count, double sum, const char *why) {
  return count > 0 ? ad_figure_of(sum / (double)count) : ad_figure_none(why);
}

/* How much of the spread is the test set's, and whether a difference holds for other examples. AD_ENOMEM. */
int ad__report_test_set(struct examples *e);

/* Churn, diversity, calibration. AD_ENOMEM. */
int ad__report_predictions(struct examples *e);

#endif
