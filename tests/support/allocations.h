/* The C library's allocator under the program's own name: what libraries ask for is seen too. Included by one file of a
 * program. Sanitizers have an allocator of their own: there nothing is counted. */
#ifndef AUTODIDACT_TESTS_SUPPORT_ALLOCATIONS_H
#define AUTODIDACT_TESTS_SUPPORT_ALLOCATIONS_H

#include <stddef.h>
#include <stdlib.h>

enum { ALLOCATIONS_LARGE = 2048 }; /* bytes: more than a message passing library needs for a request */

/* Calls since the start, and those for blocks of ALLOCATIONS_LARGE bytes and more. */
static struct {
  size_t calls, large;
} allocations;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
enum { ALLOCATIONS_COUNTED = 1 };
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
static inline void allocations_count(size_t size) {
  allocations.calls++;
  allocations.large += size >= ALLOCATIONS_LARGE;
}
void *malloc(size_t size) {
  allocations_count(size);
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  allocations_count(count * size);
  return __libc_calloc(count, size);
}
void *realloc(void *block, size_t size) {
  allocations_count(size);
  return __libc_realloc(block, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  allocations_count(size);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **block, size_t alignment, size_t size) {
  allocations_count(size);
  *block = __libc_memalign(alignment, size);
  return *block == NULL ? 12 : 0;
}
#else
enum { ALLOCATIONS_COUNTED = 0 };
#endif

#endif
