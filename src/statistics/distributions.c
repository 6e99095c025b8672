/* All from the incomplete beta function, by a continued fraction (DiDonato, Morris 1992, ACM TOMS 18, equation 9), and
 * erfc. Factors with gamma functions are taken from Stirling's formula and what it errs by, so that no large logarithms
 * cancel (Loader 2000, Fast and accurate computation of binomial probabilities). */
#include "distributions.h"

#include <math.h>

static const double HALF_LOG_2PI = 0.91893853320467274178;

/* log Gamma(z) less Stirling's (z - 1/2) log z - z + log(2 pi) / 2. */
static double stirling_error(double z) {
  /* B(2k) / (2k (2k - 1)), k = 1 ... 8. */
  static const double terms[] = {1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
                                 1.0 / 1188, -691.0 / 360360, 1.0 / 156,  -3617.0 / 122400};
  double error = 0.0, sum = 0.0;
  for (; z < 12.0; z += 1.0) {
    error += (z + 0.5) * log1p(1 / z) - 1;
  }
  for (size_t k = sizeof terms / sizeof *terms; k-- > 0;) {
    sum = sum / (z * z) + terms[k];
  }
  return error + sum / z;
}

double ad__log_gamma(double z) {
  return z > 0.0 ? (z - 0.5) * log(z) - z + HALF_LOG_2PI + stirling_error(z) : NAN;
}

/* log(w) - u for w = 1 + u, of which both are given: near 0 the two would cancel. */
static double log_less(double w, double u) {
  const double v = u / (2 + u), square = v * v;
  double term = 2 * v * square, sum = 0.0;
  if (!(fabs(u) < 0.3)) {
    return log(w) - u;
  }
  for (double k = 3; fabs(term) > 1e-18 * fabs(u * v); k += 2) {
    sum += term / k;
    term *= square;
  }
  return sum - u * v;
}

/* x^a y^b / B(a, b), x + y = 1. */
static double beta_factor(double a, double b, double x, double y) {
  const double n = a + b, away = x * b - y * a;
  const double powers = a * log_less(x * n / a, away / a) + b * log_less(y * n / b, -away / b);
  return exp(powers + stirling_error(n) - stirling_error(a) - stirling_error(b) - HALF_LOG_2PI) * sqrt(a / n * b);
}

/* I_x(a, b) where x is not far above its mean: the continued fraction by Lentz's method. */
static double beta_fraction(double a, double b, double x, double y) {
  enum { MOST = 100000 };
  const double away = a * y - b * x + 1;
  double value = a * away / (a + 1), c = value, d = 0.0, factor = 0.0;
  for (int m = 1; m < MOST && fabs(factor - 1) > 1e-15; m++) {
    const double next = a + 2 * m - 1;
    const double above = (a + m - 1) * (a + b + m - 1) * m * (b - m) * x * x / (next * next);
    const double below = m + m * (b - m) * x / next + (a + m) * (away + m * (1 + y)) / (next + 2);
    d = 1 / (below + above * d);
    c = below + above / c;
    factor = c * d;
    value *= factor;
  }
  return beta_factor(a, b, x, y) / value;
}

/* I_x(a, b), x + y = 1, both as exact as they can be had. */
static double beta_lower(double a, double b, double x, double y) {
  return x <= (a + 1) / (a + b + 2) ? beta_fraction(a, b, x, y) : 1 - beta_fraction(b, a, y, x);
}

/* ---- Normal ---- */

double ad__normal_lower(double z) {
  return 0.5 * erfc(-z * M_SQRT1_2);
}

double ad__normal_upper(double z) {
  return 0.5 * erfc(z * M_SQRT1_2);
}

double ad__normal_density(double z) {
  return exp(-0.5 * z * z - HALF_LOG_2PI);
}

/* Right of the middle an upper tail is convex, so Newton's steps from its left come ever nearer and never too far. */
static int step_right(double *place, double above, double density) {
  const double step = above / density;
  *place += step;
  return step > 4e-16 * *place;
}

double ad__normal_upper_quantile(double q) {
  double z = 0.0;
  if (!(q > 0.0 && q < 0.5)) {
    return q == 0.5 ? 0.0 : q == 0.0 ? INFINITY : q > 0.5 && q <= 1.0 ? -ad__normal_upper_quantile(1 - q) : NAN;
  }
  while (step_right(&z, q > 0.25 ? (0.5 - q) - 0.5 * erf(z * M_SQRT1_2) : ad__normal_upper(z) - q,
                    ad__normal_density(z))) {
  }
  return z;
}

/* ---- Student's t ---- */

double ad__t_upper(double t, double df) {
  const double square = t * t, x = df / (df + square), y = 1 / (1 + df / square);
  if (!(df > 0.0) || isnan(t)) {
    return NAN;
  }
  if (t <= 0.0) {
    return t == 0.0 ? 0.5 : 1 - ad__t_upper(-t, df);
  }
  return 0.5 * beta_lower(0.5 * df, 0.5, x, y);
}

double ad__t_upper_quantile(double q, double df) {
  if (!(df > 0.0) || !(q > 0.0 && q < 0.5)) {
    return !(df > 0.0) ? NAN : q > 0.5 && q < 1.0 ? -ad__t_upper_quantile(1 - q, df) : ad__normal_upper_quantile(q);
  }
  double t = ad__normal_upper_quantile(q); /* its tail is lighter: the root is not left of it */
  while (t < 1e150 && step_right(&t, ad__t_upper(t, df) - q,
                                 beta_factor(0.5 * df, 0.5, df / (df + t * t), t * t / (df + t * t)) / t)) {
  }
  return t;
}

/* ---- F ---- */

double ad__f_lower_quantile(double p, double df_above, double df_below) {
  const double a = 0.5 * df_above, b = 0.5 * df_below;
  double low = -700.0, high = 700.0, u = 0.0; /* the logarithm of the quotient of both sums of squares */
  if (!(df_above > 0.0 && df_below > 0.0 && p >= 0.0 && p <= 1.0)) {
    return NAN;
  }
  if (p == 0.0 || p == 1.0) {
    return p == 0.0 ? 0.0 : INFINITY;
  }
  for (int i = 0; i < 200; i++) {
    const double x = 1 / (1 + exp(-u)), y = 1 / (1 + exp(u)), above = beta_lower(a, b, x, y) - p;
    const double next = u - above / beta_factor(a, b, x, y);
    *(above > 0.0 ? &high : &low) = u;
    if (fabs(next - u) <= 1e-15 * fmax(1.0, fabs(u))) {
      break;
    }
    u = next > low && next < high ? next : low + (high - low) / 2;
  }
  return exp(u) * df_below / df_above;
}

/* ---- Coins ---- */

double ad__coins_lower(size_t k, size_t n) {
  return k >= n ? 1.0 : beta_lower((double)(n - k), (double)k + 1, 0.5, 0.5);
}
