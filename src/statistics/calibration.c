#include "autodidact/statistics/calibration.h"

#include <math.h>
#include <string.h>

#include "resample.h"

enum { BINS = AD_CALIBRATION_BINS };

struct bins {
  double nll, brier;
  struct ad_calibration_bin bin[BINS];
};

/* One example: log p(label), sum_c (p_c - [c = label])^2, the largest p and whether it is the label's. */
static void add_example(struct bins *bins, double log_label, double brier, double top, int right) {
  /* Bins are open below and closed above. */
  int bin = (int)ceil(top * BINS) - 1;
  bin = bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
  bins->nll -= log_label;
  bins->brier += brier;
  bins->bin[bin].count += 1.0;
  bins->bin[bin].confidence += top;
  bins->bin[bin].right += right;
}

static void finish(struct ad_calibration *calibration, const struct bins *bins, size_t N) {
  const double n = (double)N;
  double ece = 0.0;
  for (int bin = 0; bin < BINS; bin++) {
    ece += fabs(bins->bin[bin].right - bins->bin[bin].confidence) / n;
  }
  calibration->nll =
      isfinite(bins->nll) ? ad_figure_of(bins->nll / n) : ad_figure_none("a label has the probability 0");
  calibration->brier = ad_figure_of(bins->brier / n);
  calibration->ece = ad_figure_of(ece);
}

static void no_calibration(struct ad_calibration *calibration, const char *why) {
  *calibration = (struct ad_calibration){ad_figure_none(why), ad_figure_none(why), ad_figure_none(why)};
}

void ad_calibrate_bins(struct ad_calibration *calibration, struct ad_calibration_bin out[AD_CALIBRATION_BINS], size_t N,
                       size_t C, const float *logits, const uint32_t *labels) {
  struct bins bins = {0};
  memset(out, 0, sizeof bins.bin);
  no_calibration(calibration, N == 0 ? "no examples" : AD__WHY_NOT_FINITE);
  for (size_t i = 0; i < N; i++) {
    const float *row = logits + i * C;
    size_t best = 0;
    double total = 0.0, brier = 0.0;
    for (size_t c = 0; c < C; c++) {
      if (!isfinite(row[c])) {
        return;
      }
      best = row[c] > row[best] ? c : best;
    }
    for (size_t c = 0; c < C; c++) {
      total += exp((double)row[c] - row[best]);
    }
    for (size_t c = 0; c < C; c++) {
      const double d = exp((double)row[c] - row[best]) / total - (c == labels[i] ? 1.0 : 0.0);
      brier += d * d;
    }
    add_example(&bins, (double)row[labels[i]] - row[best] - log(total), brier, 1.0 / total, best == labels[i]);
  }
  if (N > 0) {
    finish(calibration, &bins, N);
    memcpy(out, bins.bin, sizeof bins.bin);
  }
}

void ad_calibrate(struct ad_calibration *calibration, size_t N, size_t C, const float *logits, const uint32_t *labels) {
  struct ad_calibration_bin bins[BINS];
  ad_calibrate_bins(calibration, bins, N, C, logits, labels);
}

void ad_calibrate_probabilities(struct ad_calibration *calibration, size_t N, size_t C, const double *probability,
                                double scale, const uint32_t *labels) {
  struct bins bins = {0};
  no_calibration(calibration, N == 0 ? "no examples" : AD__WHY_NOT_FINITE);
  for (size_t i = 0; i < N; i++) {
    const double *row = probability + i * C;
    size_t best = 0;
    double brier = 0.0;
    for (size_t c = 0; c < C; c++) {
      if (!isfinite(row[c])) {
        return;
      }
      best = row[c] > row[best] ? c : best;
    }
    for (size_t c = 0; c < C; c++) {
      const double d = row[c] / scale - (c == labels[i] ? 1.0 : 0.0);
      brier += d * d;
    }
    add_example(&bins, log(row[labels[i]] / scale), brier, row[best] / scale, best == labels[i]);
  }
  if (N > 0) {
    finish(calibration, &bins, N);
  }
}

double ad_probability_square(size_t N, size_t C, const float *logits) {
  double sum = 0.0;
  for (size_t i = 0; i < N; i++) {
    const float *row = logits + i * C;
    double top = row[0], total = 0.0, square = 0.0;
    for (size_t c = 1; c < C; c++) {
      top = fmax(top, row[c]);
    }
    for (size_t c = 0; c < C; c++) {
      const double e = exp((double)row[c] - top);
      total += e;
      square += e * e;
    }
    sum += square / (total * total);
  }
  return sum / (double)N;
}

void ad_ambiguity_of(struct ad_ambiguity *ambiguity, size_t R, size_t N, size_t C, double mean_brier,
                     double sum_of_squares, const double *probability) {
  const char *why = R < 2                   ? AD__WHY_ONE_RUN
                    : N == 0                ? "no examples"
                    : !isfinite(mean_brier) ? AD__WHY_NOT_FINITE
                                            : NULL;
  *ambiguity = (struct ad_ambiguity){ad_figure_none(why), ad_figure_none(why), ad_figure_none(why)};
  if (why != NULL) {
    return;
  }
  double of_mean = 0.0;
  for (size_t i = 0; i < N * C; i++) {
    const double p = probability[i] / (double)R;
    of_mean += p * p;
  }
  /* The mean over runs of |p - mean p|^2 is that of |p|^2 less |mean p|^2. */
  const double diversity = sum_of_squares / (double)R - of_mean / (double)N;
  ambiguity->mean = ad_figure_of(mean_brier);
  ambiguity->diversity = ad_figure_of(fmax(0.0, diversity));
  ambiguity->ensemble = ad_figure_of(mean_brier - fmax(0.0, diversity));
}
