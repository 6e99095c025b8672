/* Runs a group of tests once for each set of vector kernels that this build has and this CPU can run. */
#ifndef AUTODIDACT_TESTS_SUPPORT_KERNEL_SETS_H
#define AUTODIDACT_TESTS_SUPPORT_KERNEL_SETS_H

#include <stdio.h>
#include <stdlib.h>

#include "autodidact/math/context.h"

/* What the running group computes with. */
static struct ad_math *test_math;

/* Makes it of this set of kernels and this backend of products, NULL: as the environment has it. A status. */
static inline int test_math_start(const char *set, const char *products) {
  if (set != NULL) {
    setenv("AUTODIDACT_KERNELS", set, 1);
  }
  if (products != NULL) {
    setenv("AUTODIDACT_GEMM", products, 1);
  }
  const int status = ad_math_create(&test_math);
  if (set != NULL) {
    unsetenv("AUTODIDACT_KERNELS");
  }
  if (products != NULL) {
    unsetenv("AUTODIDACT_GEMM");
  }
  return status;
}

static inline void test_math_end(void) {
  ad_math_destroy(test_math);
  test_math = NULL;
}

static inline int is_in_environment(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0';
}

/* The group for each backend of products that goes with a set (NULL: the environment's); one that is named in the
 * environment (AUTODIDACT_GEMM) is the only one. Failed tests; 1 where there is no backend. */
static inline int run_products_of_set(const char *set, int (*run)(const char *name)) {
  static const char *const BACKENDS[] = {"chain", "openblas"};
  const int given = is_in_environment("AUTODIDACT_GEMM");
  int failed = 0, backends = 0;
  for (size_t i = 0; i < (given ? 1 : sizeof BACKENDS / sizeof *BACKENDS); i++) {
    char name[64];
    const char *products = given ? NULL : BACKENDS[i];
    snprintf(name, sizeof name, "%s, products by %s", set == NULL ? getenv("AUTODIDACT_KERNELS") : set,
             given ? getenv("AUTODIDACT_GEMM") : products);
    if (test_math_start(set, products) == 0) {
      failed += run(name);
      test_math_end();
      backends++;
    } else {
      printf("kernels %s: not built, or not for these vector kernels\n", name);
    }
  }
  return backends == 0 ? 1 : failed;
}

static inline int run_with_sets(int (*run_set)(const char *set, int (*run)(const char *name)),
                                int (*run)(const char *name)) {
  static const char *const SETS[] = {"v4", "v3", "neon", "generic"};
  if (is_in_environment("AUTODIDACT_KERNELS")) {
    return run_set(NULL, run);
  }
  int failed = 0, sets = 0;
  for (size_t i = 0; i < sizeof SETS / sizeof *SETS; i++) {
    if (ad_kernels_find(SETS[i]) == NULL) {
      printf("kernels %s: not built, or not for this CPU\n", SETS[i]);
      continue;
    }
    failed += run_set(SETS[i], run);
    sets++;
  }
  return sets == 0 ? 1 : failed;
}

/* run(name) runs the group and returns the number of failed tests; so does this, over all sets, and each of them once
 * with each backend of matrix products that goes with it. A set named in the environment (AUTODIDACT_KERNELS) is the
 * only one. */
static inline int run_with_products(int (*run)(const char *name)) {
  return run_with_sets(run_products_of_set, run);
}

static inline int run_one_set(const char *set, int (*run)(const char *name)) {
  if (test_math_start(set, NULL) != 0) {
    return 1;
  }
  const int failed = run(test_math->kernels->name);
  test_math_end();
  return failed;
}

/* The same for groups without products. */
static inline int run_with_kernel_sets(int (*run)(const char *name)) {
  return run_with_sets(run_one_set, run);
}

#endif
