#include "autodidact/base/digest.h"

#include <inttypes.h>
#include <stdio.h>

#include "autodidact/base/file.h"
#include "autodidact/base/status.h"
#include "digest_blocks.h"

uint64_t ad__digest_blocks_base(uint64_t key, uint64_t step, const void *data, size_t bytes, size_t block) {
  return sum_of_blocks(key, step, data, bytes, block);
}

size_t ad__digest_functions(digest_function *functions[DIGEST_FUNCTIONS]) {
  size_t count = 0;
#ifdef AD_HAVE_WIDE_DIGESTS
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    functions[count++] = ad__digest_blocks_v4;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) {
    functions[count++] = ad__digest_blocks_v3;
  }
#endif
  functions[count++] = ad__digest_blocks_base;
  return count;
}

uint64_t ad_digest_blocks(uint64_t key, uint64_t step, const void *data, size_t bytes, size_t block) {
  digest_function *functions[DIGEST_FUNCTIONS];
  ad__digest_functions(functions);
  return functions[0](key, step, data, bytes, block);
}

uint64_t ad_digest_keyed(uint64_t key, const void *data, size_t bytes) {
  return bytes == 0 ? XXH3_64bits_withSeed(data, 0, key) : ad_digest_blocks(key, 0, data, bytes, bytes);
}

/* Key 0 is XXH3 without one. */
uint64_t ad_digest(const void *data, size_t bytes) {
  return ad_digest_keyed(0, data, bytes);
}

uint64_t ad_digest_pair(uint64_t first, uint64_t second) {
  const uint64_t pair[2] = {first, second};
  return XXH3_64bits(pair, sizeof pair);
}

int ad_digest_file(const char *path, uint64_t *digest) {
  enum { PIECE = 1 << 20 }; /* bytes: as much of the file is in memory at a time */
  struct ad_file_map map;
  XXH3_state_t state;
  AD_TRY(ad_file_map(path, &map));
  XXH3_64bits_reset(&state);
  for (size_t at = 0, next; at < map.size; at = next) {
    next = map.size - at < PIECE ? map.size : at + PIECE;
    XXH3_64bits_update(&state, map.data + at, next - at);
    ad_file_forget(&map, at, next);
  }
  *digest = XXH3_64bits_digest(&state);
  ad_file_unmap(&map);
  return AD_OK;
}

char *ad_digest_text(uint64_t digest, char text[17]) {
  snprintf(text, 17, "%016" PRIx64, digest);
  return text;
}
