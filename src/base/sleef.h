/* <sleef.h> with its scalar forms for fused multiply-adds: on x86-64 it hides them where the compiler may not use these
 * instructions itself, though the library has them. The program refuses CPUs without (math/dispatch.c). Not installed.
 */
#ifndef AUTODIDACT_SRC_BASE_SLEEF_H
#define AUTODIDACT_SRC_BASE_SLEEF_H

#include <math.h>

#ifndef FP_FAST_FMA
#define FP_FAST_FMA 1
#include <sleef.h>
#undef FP_FAST_FMA
#else
#include <sleef.h>
#endif

#endif
