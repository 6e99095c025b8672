/* The body of digest_wide.h's functions, for files that compile it for one instruction set. Not installed. */
#ifndef AUTODIDACT_BASE_DIGEST_BLOCKS_H
#define AUTODIDACT_BASE_DIGEST_BLOCKS_H

#include "digest_wide.h"

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

/* XXH3's key is a secret made of it, kept in memory. Where blocks are short, waiting for that memory to be written
 * takes as long as the digest does, so the next block's secret is made before this block's digest. */
static inline uint64_t sum_of_blocks(uint64_t key, uint64_t step, const void *data, size_t bytes, size_t block) {
  enum { SHORT = 240 /* up to here XXH3 mixes the key in otherwise */ };
  _Alignas(64) unsigned char secret[2][XXH3_SECRET_DEFAULT_SIZE];
  uint64_t sum = 0;
  XXH3_generateSecret_fromSeed(secret[0], key);
  for (size_t at = 0, i = 0; at < bytes; at += block, i++) {
    const size_t length = bytes - at < block ? bytes - at : block;
    XXH3_generateSecret_fromSeed(secret[(i + 1) % 2], key + (i + 1) * step);
    sum += length <= SHORT ? XXH3_64bits_withSeed((const char *)data + at, length, key + i * step)
                           : XXH3_64bits_withSecret((const char *)data + at, length, secret[i % 2], sizeof secret[0]);
  }
  return sum;
}

#endif
