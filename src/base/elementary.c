#include "autodidact/base/elementary.h"

#include "sleef.h"

double ad_math_exp(double x) {
  return Sleef_finz_expd1_u10purecfma(x);
}

double ad_math_log(double x) {
  return Sleef_finz_logd1_u10purecfma(x);
}

double ad_math_log1p(double x) {
  return Sleef_finz_log1pd1_u10purecfma(x);
}

double ad_math_cos(double x) {
  return Sleef_finz_cosd1_u10purecfma(x);
}

double ad_math_pow(double x, double y) {
  return Sleef_finz_powd1_u10purecfma(x, y);
}
