/* Elementary functions whose bits are part of the arithmetic (docs/arithmetic.md): the same on every CPU, whatever the
 * C library. They are SLEEF's scalar forms with fused multiply-adds (finz), within one unit in the last place. Whatever
 * ends in a saved bit calls these and not <math.h>; sqrt, fma, floor, ceil, rint and ldexp are exact there and may be
 * used. */
#ifndef AUTODIDACT_BASE_ELEMENTARY_H
#define AUTODIDACT_BASE_ELEMENTARY_H

/* "3.5.1", the version of SLEEF that the program was built with. Static storage. */
const char *ad_math_version(void);

/* e^x. */
double ad_math_exp(double x);
/* The natural logarithm of x > 0, and of 1 + x for x > -1, exact where x is small. */
double ad_math_log(double x);
double ad_math_log1p(double x);
/* The cosine and the sine of x radians. */
double ad_math_cos(double x);
double ad_math_sin(double x);
/* x^y for x > 0. */
double ad_math_pow(double x, double y);

#endif
