#include "vector/set.h"
#include "vector/vec.h"

extern const struct ad_kernels AD_PASTE(ad_kernels_, AD_KERNEL_SET);

#define AD_KERNEL_ENTRY(member) .member = AD_KERNEL(member),
const struct ad_kernels AD_PASTE(ad_kernels_, AD_KERNEL_SET) = {.name = VEC_SET_NAME, AD_KERNEL_LIST(AD_KERNEL_ENTRY)};
