/* Probabilities against labels, and what an ensemble gains. Letters: R runs, N examples, C classes. */
#ifndef AUTODIDACT_STATISTICS_CALIBRATION_H
#define AUTODIDACT_STATISTICS_CALIBRATION_H

#include "autodidact/statistics/statistics.h"

struct ad_calibration {
  struct ad_figure nll;   /* mean of -log p(label), nats */
  struct ad_figure brier; /* mean of sum_c (p_c - [c = label])^2 (Brier 1950), in [0, 2] */
  struct ad_figure
      ece; /* sum over 15 bins (l/15, (l+1)/15] of the largest p of n_l/N |right share - mean p| (Guo et al. 2017) */
};

/* The examples whose largest p is in one of the bins of ece: how many, the sum of these p, and how many are right. */
enum { AD_CALIBRATION_BINS = 15 };
struct ad_calibration_bin {
  double count, confidence, right;
};

/* Of the softmax of logits [N,C] against labels [N], each below C; and its bins, which are all 0 where there is no ece.
 */
void ad_calibrate_bins(struct ad_calibration *calibration, struct ad_calibration_bin bins[AD_CALIBRATION_BINS],
                       size_t N, size_t C, const float *logits, const uint32_t *labels);
void ad_calibrate(struct ad_calibration *calibration, size_t N, size_t C, const float *logits, const uint32_t *labels);

/* The same of probabilities [N,C], which sum to `scale` for each example. */
void ad_calibrate_probabilities(struct ad_calibration *calibration, size_t N, size_t C, const double *probability,
                                double scale, const uint32_t *labels);

/* ---- Ensembles ---- */

/* Krogh, Vedelsby 1995: for squared errors, that of the mean is the mean error less the mean squared deviation. */
struct ad_ambiguity {
  struct ad_figure mean;      /* mean Brier score of the runs */
  struct ad_figure diversity; /* mean over runs and examples of sum_c (p_c - mean p_c)^2 */
  struct ad_figure ensemble;  /* Brier score of the mean probabilities: mean - diversity */
};

/* From the runs' mean Brier score, their sum over runs of mean over examples of sum_c p_c^2, and the sums of
 * probabilities of R runs [N,C]. */
void ad_ambiguity_of(struct ad_ambiguity *ambiguity, size_t R, size_t N, size_t C, double mean_brier,
                     double sum_of_squares, const double *probability);

/* Mean over examples of sum_c p_c^2 of the softmax of logits [N,C]. */
double ad_probability_square(size_t N, size_t C, const float *logits);

#endif
