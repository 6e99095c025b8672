/* Intervals of combinations of mean squares. */
#include <gsl/gsl_cdf.h>
#include <math.h>

#include "components_internal.h"

double ad__combination_value(const struct combination *c) {
  double sum = 0.0, size = 0.0;
  for (size_t q = 0; q < c->count; q++) {
    sum += c->k[q] * c->ms[q];
    size += fabs(c->k[q] * c->ms[q]);
  }
  return fabs(sum) <= 1e-13 * size ? 0.0 : sum; /* mean squares that are equal but for roundings */
}

/* 1 - 1/F(tail; n, infinity), and 1/F(1 - tail; n, infinity) - 1; F(., infinity) is chi2 / n. */
static double shrink(double tail, double n) {
  return 1 - n / gsl_cdf_chisq_Qinv(tail, n);
}
static double stretch(double tail, double n) {
  return n / gsl_cdf_chisq_Pinv(tail, n) - 1;
}

/* The part of two mean squares of the same sign, `others` of which there are beside one: Burdick, Graybill's G*. */
static double same_sign(double tail, double n, double m, size_t others) {
  const double both = shrink(tail, n + m), a = shrink(tail, n), b = shrink(tail, m);
  return (both * both * (n + m) * (n + m) / (n * m) - a * a * n / m - b * b * m / n) / (double)others;
}

/* V of the bound on one side: sign = 1 takes the positive terms as those that are shrunk (lower bound), -1 as those
 * that are stretched (upper bound). */
static double bound(const struct combination *c, double tail, int lower) {
  size_t count[2] = {0, 0};
  double v = 0.0;
  for (size_t q = 0; q < c->count; q++) {
    count[c->k[q] > 0]++;
  }
  for (size_t q = 0; q < c->count; q++) {
    const int shrunk = (c->k[q] > 0) == lower;
    const double part = c->k[q] * c->ms[q], a = shrunk ? shrink(tail, c->df[q]) : stretch(tail, c->df[q]);
    v += a * a * part * part;
    for (size_t r = 0; r < c->count; r++) {
      const double product = fabs(part * c->k[r] * c->ms[r]);
      if (c->k[q] > 0 && c->k[r] < 0) {
        const double f =
            lower ? gsl_cdf_fdist_Qinv(tail, c->df[q], c->df[r]) : gsl_cdf_fdist_Pinv(tail, c->df[q], c->df[r]);
        const double first = lower ? shrink(tail, c->df[q]) : stretch(tail, c->df[q]);
        const double second = lower ? stretch(tail, c->df[r]) : shrink(tail, c->df[r]);
        v += ((f - 1) * (f - 1) - first * first * f * f - second * second) / f * product;
      } else if (r > q && (c->k[q] > 0) == (c->k[r] > 0) && shrunk) {
        v += same_sign(tail, c->df[q], c->df[r], count[c->k[q] > 0] - 1) * product;
      }
    }
  }
  return v;
}

struct ad_interval ad__combination_mls(const struct combination *c, double level) {
  const double v = ad__combination_value(c), tail = 0.5 - level / 2;
  const double low = bound(c, tail, 1), high = bound(c, tail, 0);
  if (!(low >= 0.0 && high >= 0.0)) {
    return ad_interval_none("the modified large-sample bound does not exist for these mean squares");
  }
  return ad_interval_of(fmax(0.0, v - sqrt(low)), fmax(0.0, v + sqrt(high)));
}
