#include "autodidact/base/elementary.h"

#include "sleef.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *ad_math_version(void) {
  return TEXT(SLEEF_VERSION_MAJOR) "." TEXT(SLEEF_VERSION_MINOR) "." TEXT(SLEEF_VERSION_PATCHLEVEL);
}

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

double ad_math_sin(double x) {
  return Sleef_finz_sind1_u10purecfma(x);
}

double ad_math_pow(double x, double y) {
  return Sleef_finz_powd1_u10purecfma(x, y);
}
