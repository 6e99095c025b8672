#include "autodidact/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "autodidact/base/status.h"

/* A header of one cache line in front of each block keeps its size and the block's alignment. */
enum { ALIGNMENT = 64 };

/* Blocks from this size on lie on huge pages where the system has them to give: products walk over many pages. */
enum { HUGE_PAGE = 1 << 21, LARGE = 4 * HUGE_PAGE };

/* Huge pages begin at the same place of every cache: kernels that walk over several such blocks side by side would have
 * all their lines in the same few sets. So each begins some lines later than the one before, of COLOURS that differ. */
enum { COLOURS = 15, COLOUR = 136 * ALIGNMENT };

struct header {
  size_t bytes;
  void *base; /* what the system gave */
};

_Static_assert(sizeof(struct header) <= ALIGNMENT, "the header must fit the alignment gap");

/* One thread a rank (design, section 3): plain counters. */
static struct ad_memory_stats stats;
static unsigned long fail_countdown;
static size_t large_blocks;

static struct header *header_of(void *block) {
  return (struct header *)((char *)block - ALIGNMENT);
}

static int product_overflows(size_t count, size_t size) {
  return size != 0 && count > (SIZE_MAX / 2 - 2 * ALIGNMENT) / size;
}

size_t ad_whole_lines(size_t floats) {
  enum { LINE = ALIGNMENT / sizeof(float) };
  return (floats + LINE - 1) / LINE * LINE;
}

void *ad_malloc(size_t count, size_t size) {
  if (product_overflows(count, size)) {
    return NULL;
  }
  if (fail_countdown > 0 && --fail_countdown == 0) {
    return NULL;
  }
  stats.allocations++;
  const size_t bytes = count * size;
  size_t padded = (bytes + 2 * ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT, colour = 0;
  if (padded >= LARGE) {
    colour = large_blocks++ % COLOURS * COLOUR;
    padded += colour;
  }
  void *base; /* aligned_alloc would need a multiple of the alignment: up to a huge page lost with each block */
  if (posix_memalign(&base, padded >= LARGE ? HUGE_PAGE : ALIGNMENT, padded) != 0) {
    return NULL;
  }
#ifdef MADV_HUGEPAGE
  if (padded >= LARGE) {
    (void)madvise(base, padded, MADV_HUGEPAGE); /* a wish: any answer will do */
  }
#endif
  void *block = (char *)base + colour + ALIGNMENT;
  *header_of(block) = (struct header){bytes, base};
  stats.live_blocks++;
  stats.live_bytes += bytes;
  if (stats.live_bytes > stats.peak_bytes) {
    stats.peak_bytes = stats.live_bytes;
  }
  return block;
}

void *ad_calloc(size_t count, size_t size) {
  void *block = ad_malloc(count, size);
  if (block != NULL) {
    memset(block, 0, count * size);
  }
  return block;
}

void *ad_realloc(void *block, size_t count, size_t size) {
  if (block == NULL) {
    return ad_malloc(count, size);
  }
  void *moved = ad_malloc(count, size);
  if (moved == NULL) {
    return NULL;
  }
  const size_t old_bytes = header_of(block)->bytes;
  memcpy(moved, block, old_bytes < count * size ? old_bytes : count * size);
  ad_free(block);
  return moved;
}

void ad_free(void *block) {
  if (block == NULL) {
    return;
  }
  struct header *header = header_of(block);
  stats.live_blocks--;
  stats.live_bytes -= header->bytes;
  free(header->base);
}

char *ad_strndup(const char *text, size_t length) {
  char *copy = ad_malloc(length + 1, 1);
  if (copy != NULL) {
    memcpy(copy, text, length);
    copy[length] = '\0';
  }
  return copy;
}

char *ad_strdup(const char *text) {
  return ad_strndup(text, strlen(text));
}

int ad_reserve(void **array, size_t *capacity, size_t need, size_t size) {
  if (need <= *capacity) {
    return AD_OK;
  }
  size_t wanted = *capacity + *capacity / 2;
  if (wanted < need) {
    wanted = need;
  }
  if (wanted < 16) {
    wanted = 16;
  }
  void *grown = ad_realloc(*array, wanted, size);
  if (grown == NULL) {
    return ad_fail_memory((unsigned long long)wanted * size, "a growing array");
  }
  *array = grown;
  *capacity = wanted;
  return AD_OK;
}

void ad_memory_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

struct ad_memory_stats ad_memory_stats(void) {
  return stats;
}

void ad_memory_fail_at(unsigned long n) {
  fail_countdown = n;
}

int ad_arena_create(struct ad_arena *arena, size_t size) {
  *arena = (struct ad_arena){.base = ad_malloc(size, 1), .size = size};
  return arena->base == NULL ? ad_fail_memory(size, "work memory") : AD_OK;
}

void ad_arena_destroy(struct ad_arena *arena) {
  ad_free(arena->base);
  *arena = (struct ad_arena){0};
}

void *ad_arena_take(struct ad_arena *arena, size_t bytes) {
  const size_t padded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (padded > arena->size - arena->used) {
    return NULL;
  }
  void *block = arena->base + arena->used;
  arena->used += padded;
  if (arena->used > arena->peak) {
    arena->peak = arena->used;
  }
  return block;
}

int ad_memory_mappable(size_t bytes) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return AD_OK;
  }
  void *probe = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) {
    return ad_fail(AD_ENOMEM, "ulimit -v allows this process %.0f MiB of address space, and %.0f more are needed",
                   (double)limit.rlim_cur / 0x1p20, (double)bytes / 0x1p20);
  }
  ad_ignore(munmap(probe, bytes));
  return AD_OK;
}
