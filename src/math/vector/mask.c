#include "vector/mask.h"

/* Philox 4x32-10 (Salmon et al., SC 2011): multipliers and key increments. */
static const uint32_t M0 = 0xD2511F53, M1 = 0xCD9E8D57, W0 = 0x9E3779B9, W1 = 0xBB67AE85;

/* One round: (c0, c1, c2, c3) becomes (high(M1 c2) ^ c1 ^ k0, low(M1 c2), high(M0 c0) ^ c3 ^ k1, low(M0 c0)). Only c3
 * differs between the blocks of a row, so it takes three rounds until all four words do. */
void AD_KERNEL(mask_row)(const struct ad_dropout *dropout, uint32_t example, uint32_t position, struct mask_row *row) {
  const uint32_t key0 = (uint32_t)dropout->seed, key1 = (uint32_t)(dropout->seed >> 32);
  const uint64_t first0 = (uint64_t)M0 * dropout->step;
  const uint64_t first1 = (uint64_t)M1 * (dropout->site << 16 | position);
  const uint64_t second0 = (uint64_t)M0 * ((uint32_t)(first1 >> 32) ^ example ^ key0);
  const uint32_t b2 = (uint32_t)(second0 >> 32) ^ (uint32_t)first0 ^ (key1 + W1);
  const uint64_t third1 = (uint64_t)M1 * b2;
  row->a2 = (uint32_t)(first0 >> 32) ^ key1;
  row->b0 = (uint32_t)first1 ^ (key0 + W0);
  row->c0 = (uint32_t)(third1 >> 32) ^ (key0 + 2 * W0);
  row->c1 = (uint32_t)third1;
  row->c2 = (uint32_t)second0 ^ (key1 + 2 * W1);
  row->key0 = key0 + 3 * W0;
  row->key1 = key1 + 3 * W1;
  row->threshold = dropout->threshold;
  row->scale = dropout->scale;
}

void AD_KERNEL(mask_fill)(const struct mask_row *row, size_t piece, float *factors) {
  const vecq b1 = vecq_mul(vecq_count(16 * (uint32_t)piece, row->a2), M1); /* its low words are word 1 after round 2 */
  const vecq c3 = vecq_mul(vecq_high_xor1(b1, row->b0), M0);
  vecq x0 = vecq_xor1(b1, row->c0), x1, x2 = vecq_high_xor1(c3, row->c2), x3 = c3;
  uint32_t key0 = row->key0, key1 = row->key1;
  /* Round 4: word 1 is still the same for all blocks. */
  vecq p0 = vecq_mul(x0, M0), p1 = vecq_mul(x2, M1);
  x0 = vecq_high_xor1(p1, row->c1 ^ key0);
  x1 = p1;
  x2 = vecq_high_xor(p0, x3, key1);
  x3 = p0;
#pragma GCC unroll 6
  for (int round = 5; round <= 10; round++) {
    key0 += W0;
    key1 += W1;
    p0 = vecq_mul(x0, M0);
    p1 = vecq_mul(x2, M1);
    x0 = vecq_high_xor(p1, x1, key0);
    x1 = p1;
    x2 = vecq_high_xor(p0, x3, key1);
    x3 = p0;
  }
  vec_store(factors, vecq_factor(x0, row->threshold, row->scale));
  vec_store(factors + 16, vecq_factor(x1, row->threshold, row->scale));
  vec_store(factors + 32, vecq_factor(x2, row->threshold, row->scale));
  vec_store(factors + 48, vecq_factor(x3, row->threshold, row->scale));
}
