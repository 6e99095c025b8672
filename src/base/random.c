#include "autodidact/base/random.h"

#include <Random123/philox.h>
#include <math.h>

#include "autodidact/base/elementary.h"

void ad_philox(const uint32_t c[4], const uint32_t k[2], uint32_t out[4]) {
  const philox4x32_ctr_t counter = {{c[0], c[1], c[2], c[3]}};
  const philox4x32_key_t key = {{k[0], k[1]}};
  const philox4x32_ctr_t words = philox4x32(counter, key);
  for (int i = 0; i < 4; i++) {
    out[i] = words.v[i];
  }
}

/* Key: the seed. Counter: index (64 bits), substream, stream. */
void ad_random_words(uint64_t seed, enum ad_stream stream, uint32_t substream, uint64_t index, uint32_t out[4]) {
  const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), substream, (uint32_t)stream};
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  ad_philox(counter, key, out);
}

uint64_t ad_random_bits(uint64_t seed, enum ad_stream stream, uint32_t substream, uint64_t index) {
  uint32_t words[4];
  ad_random_words(seed, stream, substream, index, words);
  return (uint64_t)words[1] << 32 | words[0];
}

uint64_t ad_random_below(uint64_t seed, enum ad_stream stream, uint32_t substream, uint64_t index, uint64_t n) {
  const uint64_t bits = ad_random_bits(seed, stream, substream, index);
  return (uint64_t)((unsigned __int128)bits * n >> 64);
}

/* The middle of one of 2^53 equal cells: never 0, never 1. */
static double unit(uint32_t high, uint32_t low) {
  const uint64_t bits = ((uint64_t)high << 32 | low) >> 11;
  return ((double)bits + 0.5) * 0x1p-53;
}

double ad_random_uniform(uint64_t seed, enum ad_stream stream, uint32_t substream, uint64_t index) {
  uint32_t words[4];
  ad_random_words(seed, stream, substream, index, words);
  return unit(words[1], words[0]);
}

double ad_random_normal(uint64_t seed, enum ad_stream stream, uint32_t substream, uint64_t index) {
  uint32_t words[4];
  ad_random_words(seed, stream, substream, index, words);
  return sqrt(-2.0 * ad_math_log(unit(words[1], words[0]))) *
         ad_math_cos(6.283185307179586476925 * unit(words[3], words[2]));
}

void ad_random_permutation(uint64_t seed, enum ad_stream stream, uint32_t substream, size_t n, uint32_t *order) {
  for (size_t i = 0; i < n; i++) {
    order[i] = (uint32_t)i;
  }
  for (size_t i = n; i > 1; i--) {
    const size_t j = (size_t)ad_random_below(seed, stream, substream, i - 1, i);
    const uint32_t held = order[i - 1];
    order[i - 1] = order[j];
    order[j] = held;
  }
}
