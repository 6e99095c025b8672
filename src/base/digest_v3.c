/* Compiled for x86-64-v3 (src/CMakeLists.txt). */
#define XXH_INLINE_ALL
#include "digest_blocks.h"

uint64_t ad__digest_blocks_v3(uint64_t key, uint64_t step, const void *data, size_t bytes, size_t block) {
  return sum_of_blocks(key, step, data, bytes, block);
}
