#include "autodidact/math/context.h"

#include <stdio.h>
#include <stdlib.h>

#include "autodidact/base/build.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "gemm_backend.h"

int ad_math_create(struct ad_math **math) {
  *math = NULL;
  struct ad_math *m = ad_calloc(1, sizeof *m);
  if (m == NULL) {
    return ad_fail_memory(sizeof *m, "the kernels");
  }
  m->way = getenv("AUTODIDACT_BFLOAT16");
  m->kernels = ad_kernels_find(getenv("AUTODIDACT_KERNELS"));
  const int status = m->kernels == NULL ? AD_ECONFIG : ad_gemm_create(&m->gemm, m->kernels, getenv("AUTODIDACT_GEMM"));
  if (status != AD_OK) {
    ad_free(m);
    return status;
  }
  *math = m;
  return AD_OK;
}

void ad_math_destroy(struct ad_math *math) {
  if (math == NULL) {
    return;
  }
  ad_gemm_destroy(math->gemm);
  ad_free(math);
}

int ad_math_bfloat16(struct ad_math *bfloat16, const struct ad_math *math) {
  *bfloat16 = *math;
  bfloat16->bf16 = NULL;
  if (math->gemm->backend->version != NULL) {
    return ad_fail(AD_ECONFIG,
                   "AUTODIDACT_GEMM=%s has float32 products only: train.precision=bfloat16 needs AUTODIDACT_GEMM=chain",
                   math->gemm->backend->name);
  }
  snprintf(bfloat16->arithmetic, sizeof bfloat16->arithmetic, "%d, bfloat16 %d", AD_ARITHMETIC, AD_ARITHMETIC_BFLOAT16);
  return ad_bf16_create(&bfloat16->bf16, math->kernels, math->way);
}

void ad_math_bfloat16_destroy(struct ad_math *bfloat16) {
  ad_bf16_destroy(bfloat16->bf16);
  bfloat16->bf16 = NULL;
}

const char *ad_arithmetic(const struct ad_math *math) {
  return math->bf16 != NULL ? math->arithmetic : math->gemm->arithmetic;
}
