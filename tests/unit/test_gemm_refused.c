/* A system that lets no program make code: products fall back to OpenBLAS and say so. The calls that would be refused are
 * this program's own, which libraries find before the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "autodidact/base/status.h"
#include "autodidact/math/gemm.h"

static int refuses;

static int is_code(int protection) {
  if (refuses && (protection & PROT_EXEC) != 0) {
    errno = EACCES;
    return 1;
  }
  return 0;
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  return is_code(protection) ? MAP_FAILED
                             : (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
}
void *mmap64(void *address, size_t length, int protection, int flags, int file, off64_t offset) {
  return mmap(address, length, protection, flags, file, offset);
}
int mprotect(void *address, size_t length, int protection) {
  return is_code(protection) ? -1 : (int)syscall(SYS_mprotect, address, length, protection);
}

static void check_product(void) {
  const float X[2 * 2] = {1.0f, 2.0f, 3.0f, 4.0f}, W[2 * 2] = {1.0f, 0.0f, 1.0f, 1.0f};
  float Y[2 * 2];
  ad_gemm_nt(2, 2, 2, X, 2, W, Y, 2);
  assert_true(Y[0] == 1.0f && Y[1] == 3.0f && Y[2] == 3.0f && Y[3] == 7.0f);
}

/* Refused first: code that libxsmm has once made, it keeps. */
static void test_refused(void **state) {
  (void)state;
  refuses = 1;
  unsetenv("AUTODIDACT_GEMM");
  assert_int_equal(ad_gemm_start(), AD_OK);
  assert_null(strstr(ad_gemm_core(), "libxsmm"));
  check_product();
  setenv("AUTODIDACT_GEMM", "libxsmm", 1);
  assert_int_equal(ad_gemm_start(), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "cannot be had here"));
  assert_null(strstr(ad_gemm_core(), "libxsmm"));
  check_product();
  refuses = 0;
  if (ad_gemm_start() != AD_OK) {
    print_message("[  skipped ] libxsmm cannot be had here anyway: %s\n", ad_error_message());
    skip();
  }
  assert_non_null(strstr(ad_gemm_core(), "libxsmm"));
  check_product();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
