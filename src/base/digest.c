#include "autodidact/base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "autodidact/base/file.h"
#include "autodidact/base/status.h"

uint64_t ad_digest(const void *data, size_t bytes) {
  return XXH3_64bits(data, bytes);
}

uint64_t ad_digest_keyed(uint64_t key, const void *data, size_t bytes) {
  return XXH3_64bits_withSeed(data, bytes, key);
}

uint64_t ad_digest_pair(uint64_t first, uint64_t second) {
  const uint64_t pair[2] = {first, second};
  return XXH3_64bits(pair, sizeof pair);
}

int ad_digest_file(const char *path, uint64_t *digest) {
  struct ad_file_map map;
  AD_TRY(ad_file_map(path, &map));
  *digest = XXH3_64bits(map.data, map.size);
  ad_file_unmap(&map);
  return AD_OK;
}

char *ad_digest_text(uint64_t digest, char text[17]) {
  snprintf(text, 17, "%016" PRIx64, digest);
  return text;
}
