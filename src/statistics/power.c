#include "autodidact/statistics/power.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#include "resample.h"

enum { MOST_RUNS = 1000000 };

static const char *const WHY_MANY = "more than a million", *const WHY_NULL = "no effect: no number of seeds shows it";

struct ad_figure ad_power_superiority(double superiority, double alpha, double power) {
  ad__quiet_gsl();
  if (!(superiority >= 0.0 && superiority <= 1.0)) {
    return ad_figure_none(AD__WHY_NOT_FINITE);
  }
  if (superiority == 0.5) {
    return ad_figure_none(WHY_NULL);
  }
  const double z = gsl_cdf_ugaussian_Qinv(alpha) + gsl_cdf_ugaussian_Pinv(power);
  const double n = ceil(z * z / (6 * (0.5 - superiority) * (0.5 - superiority)) - 1e-9);
  return n > MOST_RUNS ? ad_figure_none(WHY_MANY) : ad_figure_of(n);
}

/* P(T <= t) of the noncentral t distribution: the mean of the normal distribution function at t s - delta over s, s^2
 * df having chi2's distribution. Simpson's rule over the part of s that holds all but 1e-15; the integrand is analytic,
 * so the error falls fast with the steps. */
static double noncentral_t(double t, double df, double delta) {
  enum { STEPS = 8000 };
  /* sqrt(chi2) lies within 8.5 above and 12 below sqrt(df). */
  const double low = fmax(0.0, 1 - 12 / sqrt(df)), high = 1 + 8.5 / sqrt(df);
  const double width = (high - low) / STEPS;
  const double log_scale = 0.5 * df * log(df) - gsl_sf_lngamma(0.5 * df) - (0.5 * df - 1) * log(2.0);
  double sum = 0.0;
  for (int i = 0; i <= STEPS; i++) {
    const double s = low + i * width;
    const double density = s > 0.0     ? exp(log_scale + (df - 1) * log(s) - 0.5 * df * s * s)
                           : df == 1.0 ? exp(log_scale)
                                       : 0.0;
    sum += (i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2) * density * gsl_cdf_ugaussian_P(t * s - delta);
  }
  return sum * width / 3;
}

struct ad_figure ad_power_paired_t(double effect, size_t pairs, double alpha) {
  ad__quiet_gsl();
  if (pairs < 2) {
    return ad_figure_none("needs at least 2 pairs");
  }
  if (!isfinite(effect)) {
    return ad_figure_none(AD__WHY_NOT_FINITE);
  }
  const double df = (double)(pairs - 1), delta = fabs(effect) * sqrt((double)pairs);
  const double t = gsl_cdf_tdist_Qinv(alpha / 2, df);
  return ad_figure_of(fmin(1.0, 1 - noncentral_t(t, df, delta) + noncentral_t(-t, df, delta)));
}

/* The fewest n >= least whose power is enough; the power grows with n. */
static struct ad_figure fewest(size_t least, double power, double (*of)(double effect, size_t n, double alpha),
                               double effect, double alpha) {
  size_t low = least, high = least;
  while (!(of(effect, high, alpha) >= power)) {
    low = high + 1;
    high *= 2;
    if (high > MOST_RUNS) {
      return ad_figure_none(WHY_MANY);
    }
  }
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (!(of(effect, middle, alpha) >= power)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return ad_figure_of((double)low);
}

static double paired_power(double effect, size_t n, double alpha) {
  return ad_power_paired_t(effect, n, alpha).value;
}

struct ad_figure ad_power_pairs(double effect, double alpha, double power) {
  if (!isfinite(effect)) {
    return ad_figure_none(AD__WHY_NOT_FINITE);
  }
  return effect == 0.0 ? ad_figure_none(WHY_NULL) : fewest(2, power, paired_power, effect, alpha);
}

static double ratio_power(double ratio, size_t n, double alpha) {
  const double df = (double)(n - 1), variance = ratio * ratio;
  return gsl_cdf_fdist_Q(gsl_cdf_fdist_Qinv(alpha / 2, df, df) / variance, df, df) +
         gsl_cdf_fdist_P(gsl_cdf_fdist_Pinv(alpha / 2, df, df) / variance, df, df);
}

struct ad_figure ad_power_sd_ratio(double ratio, double alpha, double power) {
  ad__quiet_gsl();
  if (!(ratio > 0.0) || !isfinite(ratio)) {
    return ad_figure_none(AD__WHY_NOT_FINITE);
  }
  return fabs(log(ratio)) < 1e-12 ? ad_figure_none(WHY_NULL) : fewest(2, power, ratio_power, ratio, alpha);
}
