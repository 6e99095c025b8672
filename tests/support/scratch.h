/* A folder of a test program's own: its tests run in it. */
#ifndef AUTODIDACT_TESTS_SUPPORT_SCRATCH_H
#define AUTODIDACT_TESTS_SUPPORT_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch_folder[] = "/tmp/ad-test-XXXXXX";

/* Makes the folder and goes there; leaves and removes it. For cmocka_run_group_tests; 0 or -1. */
static inline int scratch_enter(void **state) {
  (void)state;
  return mkdtemp(scratch_folder) != NULL && chdir(scratch_folder) == 0 ? 0 : -1;
}

static inline int scratch_leave(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", scratch_folder);
  return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

#endif
