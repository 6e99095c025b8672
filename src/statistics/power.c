#include "autodidact/statistics/power.h"

#include <math.h>

#include "distributions.h"
#include "resample.h"

/* P(T <= t) of the noncentral t distribution: the mean of the normal distribution function at t s - delta over s, s^2
 * df having chi2's distribution. Simpson's rule over the part of s that holds all but 1e-15; the integrand is analytic,
 * so the error falls fast with the steps. */
static double noncentral_t(double t, double df, double delta) {
  enum { STEPS = 8000 };
  /* sqrt(chi2) lies within 8.5 above and 12 below sqrt(df). */
  const double low = fmax(0.0, 1 - 12 / sqrt(df)), high = 1 + 8.5 / sqrt(df);
  const double width = (high - low) / STEPS;
  const double log_scale = 0.5 * df * log(df) - ad__log_gamma(0.5 * df) - (0.5 * df - 1) * log(2.0);
  double sum = 0.0;
  for (int i = 0; i <= STEPS; i++) {
    const double s = low + i * width;
    const double density = s > 0.0     ? exp(log_scale + (df - 1) * log(s) - 0.5 * df * s * s)
                           : df == 1.0 ? exp(log_scale)
                                       : 0.0;
    sum += (i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2) * density * ad__normal_lower(t * s - delta);
  }
  return sum * width / 3;
}

struct ad_figure ad_power_t(double errors, double df, double alpha) {
  if (!isfinite(errors) || !(df >= 1.0)) {
    return ad_figure_none(isfinite(errors) ? "needs at least 1 degree of freedom" : AD__WHY_NOT_FINITE);
  }
  const double t = ad__t_upper_quantile(alpha / 2, df), delta = fabs(errors);
  return ad_figure_of(fmin(1.0, 1 - noncentral_t(t, df, delta) + noncentral_t(-t, df, delta)));
}

struct ad_figure ad_smallest_effect(double df, double alpha, double power) {
  double low = 0.0, high = 1.0;
  if (ad_power_t(0.0, df, alpha).why != NULL) {
    return ad_power_t(0.0, df, alpha);
  }
  while (ad_power_t(high, df, alpha).value < power && high < 1e6) {
    high *= 2;
  }
  for (int i = 0; i < 60 && high - low > 1e-12 * high; i++) {
    const double middle = low + (high - low) / 2;
    *(ad_power_t(middle, df, alpha).value < power ? &low : &high) = middle;
  }
  return ad_figure_of(high);
}

double ad_t_tail(double t, double df) {
  return ad__t_upper(t, df);
}
