/* Elementary functions whose bits are part of the arithmetic (docs/arithmetic.md): the same on every CPU, whatever the C
 * library. They are SLEEF's scalar forms with fused multiply-adds (finz), within one unit in the last place. Whatever ends
 * in a saved bit calls these and not <math.h>; sqrt, fma, floor, ceil, rint and ldexp are exact there and may be used. */
#ifndef AUTODIDACT_BASE_ELEMENTARY_H
#define AUTODIDACT_BASE_ELEMENTARY_H

/* "3.5.1", the version of SLEEF that the program was built with. Static storage. */
const char *ad_math_version(void);

double ad_math_exp(double x);
double ad_math_log(double x);
double ad_math_log1p(double x);
double ad_math_cos(double x);
double ad_math_pow(double x, double y);

#endif
