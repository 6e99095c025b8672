/* Random numbers as pure functions of a key (Philox 4x32-10; Salmon et al., SC 2011; the Random123 library).
 *
 * There is no state: a stream is named by (seed, purpose), a number by its index. So any rank, at any time, after any
 * restart, computes the same number, and changing one seed leaves the streams of the others alone. */
#ifndef AUTODIDACT_BASE_RANDOM_H
#define AUTODIDACT_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What a stream is for; part of the key, so that two purposes never share numbers even with equal seeds. */
enum ad_stream {
  AD_STREAM_INIT = 1,    /* new weights (seed.init) */
  AD_STREAM_ORDER = 2,   /* order of the examples (seed.order) */
  AD_STREAM_DROPOUT = 3, /* student masks (seed.dropout) */
  AD_STREAM_TEACHER = 4, /* teacher masks (seed.dropout) */
  AD_STREAM_SPLIT = 5,   /* train/dev/test split of data sets without one */
  AD_STREAM_SKETCH = 6,  /* count sketch of parameters */
  AD_STREAM_STATS = 7,   /* bootstrap and permutation tests */
  AD_STREAM_PART = 8,    /* which part of a step's batch is observed */
  AD_STREAM_HIDDEN = 9,  /* which tokens masked-language modelling hides (seed.dropout; evaluations: 0) */
  AD_STREAM_TASKS = 10,  /* order of the tasks of an epoch (seed.order) */
  AD_STREAM_TEST = 99
};

/* One Philox block: counter c [4] and key k [2] to 4 words. */
void ad_philox(const uint32_t c[4], const uint32_t k[2], uint32_t out[4]);

/* The block of seed, stream, substream and index: four words of 32 random bits, of which the functions below use the
 * first two or all. */
void ad_random_words(uint64_t seed, enum ad_stream stream, uint32_t substream, uint64_t index, uint32_t out[4]);

/* Functions of seed, stream, `substream` (an epoch, a tensor number) and index. In order: 64 random bits; a number
 * below n (unbiased up to 2^-64 n; n > 0); a uniform in (0,1); a standard normal (Box-Muller in double precision). */
uint64_t ad_random_bits(uint64_t seed, enum ad_stream stream, uint32_t substream, uint64_t index);
uint64_t ad_random_below(uint64_t seed, enum ad_stream stream, uint32_t substream, uint64_t index, uint64_t n);
double ad_random_uniform(uint64_t seed, enum ad_stream stream, uint32_t substream, uint64_t index);
double ad_random_normal(uint64_t seed, enum ad_stream stream, uint32_t substream, uint64_t index);

/* A permutation of 0 .. n-1 into order [n] (Fisher-Yates, the draw of place i being index i). */
void ad_random_permutation(uint64_t seed, enum ad_stream stream, uint32_t substream, size_t n, uint32_t *order);

#endif
