/* Sums of XXH3 (base/digest.h: ad_digest_blocks), compiled for several instruction sets: the same digests, faster than
 * by the library, which Debian compiles for the oldest x86-64. Not installed. */
#ifndef AUTODIDACT_BASE_DIGEST_WIDE_H
#define AUTODIDACT_BASE_DIGEST_WIDE_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t digest_function(uint64_t key, uint64_t step, const void *data, size_t bytes, size_t block);

digest_function ad__digest_blocks_base, ad__digest_blocks_v3, ad__digest_blocks_v4;

enum { DIGEST_FUNCTIONS = 3 };

/* Those that this build has and this CPU runs, fastest first. Returns how many. */
size_t ad__digest_functions(digest_function *functions[DIGEST_FUNCTIONS]);

#endif
