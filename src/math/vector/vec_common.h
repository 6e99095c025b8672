/* What vec.h and its three implementations share. */
#ifndef AD_MATH_VECTOR_VEC_COMMON_H
#define AD_MATH_VECTOR_VEC_COMMON_H

#include <math.h>
#include <sleef.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VEC_INLINE static inline __attribute__((always_inline))

enum { VEC_WIDTH = 16 };

#endif
