/* Runs a group of tests once for each set of vector kernels that this build has and this CPU can run. */
#ifndef AUTODIDACT_TESTS_SUPPORT_KERNEL_SETS_H
#define AUTODIDACT_TESTS_SUPPORT_KERNEL_SETS_H

#include <stdio.h>
#include <stdlib.h>

#include "autodidact/math/kernels.h"

/* run(name) runs the group and returns the number of failed tests; so does this, over all sets. A set named in the
 * environment (AUTODIDACT_KERNELS) is the only one. */
static inline int run_with_kernel_sets(int (*run)(const char *name)) {
  static const char *const SETS[] = {"v4", "v3", "generic"};
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

#endif
