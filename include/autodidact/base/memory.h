/* The one seam for memory: counted, aligned, and made to fail in tests.
 *
 * All blocks are aligned to 64 bytes (a cache line, an AVX-512 register). A block from here is released by ad_free
 * only. Out of memory returns NULL and records nothing: the caller says what the memory was for (ad_fail_memory). */
#ifndef AUTODIDACT_BASE_MEMORY_H
#define AUTODIDACT_BASE_MEMORY_H

#include <stddef.h>

/* Uninitialised / zeroed memory for `count` items of `size` bytes; NULL when out of memory or when the product
 * overflows. A count of 0 gives a valid pointer. The caller owns the block. */
void *ad_malloc(size_t count, size_t size);
void *ad_calloc(size_t count, size_t size);

/* Grows or shrinks a block; `block` may be NULL. On failure NULL, and the old block stays valid. */
void *ad_realloc(void *block, size_t count, size_t size);

/* Releases a block; NULL is allowed. */
void ad_free(void *block);

/* Copies of a string, of its first `length` bytes (a NUL is added); NULL when out of memory. The caller owns them. */
char *ad_strdup(const char *text);
char *ad_strndup(const char *text, size_t length);

/* Makes room for `need` items of `size` bytes in the array *array with *capacity items, growing by half at least.
 * AD_OK or AD_ENOMEM (then array and capacity are unchanged). */
int ad_reserve(void **array, size_t *capacity, size_t need, size_t size);

/* Floats rounded up to whole cache lines: vectors of so many, one after another, all begin at one. */
size_t ad_whole_lines(size_t floats);

struct ad_memory_stats {
  size_t live_blocks; /* blocks not yet released */
  size_t live_bytes;
  size_t peak_bytes;
  size_t allocations; /* blocks ever asked for */
};
struct ad_memory_stats ad_memory_stats(void);

/* Gives freed memory back to the system. For the end of a phase that needed much for a while: the C library keeps up to
 * 64 MiB of it otherwise. Does nothing where the C library is not glibc. */
void ad_memory_trim(void);

/* For tests: the n-th allocation from now (1 = the next) fails, once. 0 switches this off. */
void ad_memory_fail_at(unsigned long n);

/* Work memory with a stack discipline: one block, handed out from the bottom, given back by a mark. */
struct ad_arena {
  char *base;  /* [size] bytes, owned */
  size_t size; /* bytes */
  size_t used; /* bytes handed out */
  size_t peak; /* highest `used` */
};

/* Allocates `size` bytes. AD_OK or AD_ENOMEM. */
int ad_arena_create(struct ad_arena *arena, size_t size);
void ad_arena_destroy(struct ad_arena *arena);

/* `bytes` of work memory aligned to 64; NULL when the arena is full (a broken size computation: AD_EINTERNAL). */
void *ad_arena_take(struct ad_arena *arena, size_t bytes);

/* The arena's position, and back to it: everything taken since is given back. */
static inline size_t ad_arena_mark(const struct ad_arena *arena) {
  return arena->used;
}
static inline void ad_arena_release(struct ad_arena *arena, size_t mark) {
  arena->used = mark;
}

/* AD_OK where this process may map so many bytes more; AD_ENOMEM where ulimit -v forbids it: both sizes. For libraries
 * that do not come back where they cannot. */
int ad_memory_mappable(size_t bytes);

#endif
