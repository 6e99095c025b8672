#include <math.h>
#include <string.h>

#include "attention.h"
#include "autodidact/base/status.h"
#include "autodidact/math/kernels.h"

#ifdef AD_HAVE_KERNELS_v4
extern const struct ad_kernels ad_kernels_v4;
static int runs_v4(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}
#endif
#ifdef AD_HAVE_KERNELS_v3
extern const struct ad_kernels ad_kernels_v3;
static int runs_v3(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}
#endif
#ifdef AD_HAVE_KERNELS_neon
extern const struct ad_kernels ad_kernels_neon;
static int runs_neon(void) {
  return 1;
}
#endif
#ifdef AD_HAVE_KERNELS_generic
extern const struct ad_kernels ad_kernels_generic;
/* It has fused multiply-adds too, in SLEEF's functions. */
static int runs_generic(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("fma");
#else
  return 1;
#endif
}
#endif

/* What was built, best first. */
static const struct {
  const struct ad_kernels *kernels;
  int (*runs)(void);
} SETS[] = {
#ifdef AD_HAVE_KERNELS_v4
    {&ad_kernels_v4, runs_v4},
#endif
#ifdef AD_HAVE_KERNELS_v3
    {&ad_kernels_v3, runs_v3},
#endif
#ifdef AD_HAVE_KERNELS_neon
    {&ad_kernels_neon, runs_neon},
#endif
#ifdef AD_HAVE_KERNELS_generic
    {&ad_kernels_generic, runs_generic},
#endif
};
enum { SET_COUNT = sizeof SETS / sizeof SETS[0] };

const struct ad_kernels *ad_kernels_find(const char *name) {
  for (size_t i = 0; i < SET_COUNT; i++) {
    const int named = name != NULL && strcmp(name, SETS[i].kernels->name) == 0;
    if (name != NULL && name[0] != '\0' && !named) {
      continue;
    }
    if (SETS[i].runs()) {
      return SETS[i].kernels;
    }
    if (named) {
      ad_fail(AD_ECONFIG,
              "AUTODIDACT_KERNELS: this CPU cannot run the kernels '%s'; leave it unset for the best it can", name);
      return NULL;
    }
  }
  ad_fail(AD_ECONFIG, "AUTODIDACT_KERNELS: found '%s', expected v4, v3, neon or generic, as far as this build has them",
          name == NULL ? "" : name);
  return NULL;
}

struct ad_dropout ad_dropout_make(float p, uint64_t seed, uint32_t step, uint32_t site) {
  /* p < 1 in float, so p 2^32 is at most 2^32 - 2^8. */
  return (struct ad_dropout){.seed = seed,
                             .step = step,
                             .site = site,
                             .threshold = (uint32_t)llround((double)p * 0x1p32),
                             .scale = (float)(1.0 / (1.0 - (double)p))};
}

size_t ad_attention_work(size_t queries, size_t S, size_t D) {
  const size_t keys = attention_keys(S), block = queries < ATTENTION_BLOCK ? queries : ATTENTION_BLOCK;
  /* K and V transposed; probabilities and their gradient; mask factors, which begin and end inside 64-column pieces. */
  return 2 * D * keys + 2 * block * keys + (block * S + 2 * 64 + 15) / 16 * 16;
}

size_t ad_relative_work(size_t queries, size_t S, size_t D) {
  const size_t keys = attention_keys(S), block = queries < ATTENTION_BLOCK ? queries : ATTENTION_BLOCK,
               rows = attention_keys(queries + S - 1), wide = attention_keys(block + S - 1);
  /* What attention needs; rows of distances transposed and the scores of theirs; marks; four blocks of queries. */
  return ad_attention_work(queries, S, D) + D * rows + block * wide + keys + attention_keys(4 * block * D);
}
