/* Runs a group of tests once for each set of vector kernels that this build has and this CPU can run. */
#ifndef AUTODIDACT_TESTS_SUPPORT_KERNEL_SETS_H
#define AUTODIDACT_TESTS_SUPPORT_KERNEL_SETS_H

#include <stdio.h>
#include <stdlib.h>

#include "autodidact/math/gemm.h"
#include "autodidact/math/kernels.h"

/* run(name) runs the group and returns the number of failed tests; so does this, over all sets. A set named in the
 * environment (AUTODIDACT_KERNELS) is the only one. */
static inline int run_with_kernel_sets(int (*run)(const char *name)) {
  static const char *const SETS[] = {"v4", "v3", "neon", "generic"};
  const char *chosen = getenv("AUTODIDACT_KERNELS");
  if (chosen != NULL && chosen[0] != '\0') {
    return run(chosen);
  }
  int failed = 0, sets = 0;
  for (size_t i = 0; i < sizeof SETS / sizeof *SETS; i++) {
    setenv("AUTODIDACT_KERNELS", SETS[i], 1);
    if (ad_kernels_select() == NULL) {
      printf("kernels %s: not built, or not for this CPU\n", SETS[i]);
      continue;
    }
    failed += run(SETS[i]);
    sets++;
  }
  return sets == 0 ? 1 : failed;
}

/* The group given to run_with_products. */
static int (*products_run)(const char *name);

static inline int products_of_set(const char *set) {
  static const char *const BACKENDS[] = {"chain", "openblas"};
  const char *chosen = getenv("AUTODIDACT_GEMM");
  if (chosen != NULL && chosen[0] != '\0') {
    return ad_gemm_start() == 0 ? products_run(set) : 1;
  }
  int failed = 0, backends = 0;
  for (size_t i = 0; i < sizeof BACKENDS / sizeof *BACKENDS; i++) {
    char name[64];
    setenv("AUTODIDACT_GEMM", BACKENDS[i], 1);
    snprintf(name, sizeof name, "%s, products by %s", set, BACKENDS[i]);
    if (ad_gemm_start() == 0) {
      failed += products_run(name);
      backends++;
    } else {
      printf("kernels %s: not built, or not for these vector kernels\n", name);
    }
    unsetenv("AUTODIDACT_GEMM");
  }
  return backends == 0 ? 1 : failed;
}

/* The same, and for each of these sets once with each backend of matrix products that goes with it; one that is named in
 * the environment (AUTODIDACT_GEMM) is the only one. */
static inline int run_with_products(int (*run)(const char *name)) {
  products_run = run;
  return run_with_kernel_sets(products_of_set);
}

#endif
