#include "autodidact/model/shard.h"

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* Floats of the word embedding, which lies first in the flat vector. */
static size_t word_count(const struct ad_params *params) {
  return params->embedding.position;
}

static size_t blocks_of(size_t count) {
  return (count + AD_BLOCK - 1) / AD_BLOCK;
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* The flat offset of block number `block` of a bucket; the bucket's end for the number behind the last. */
static size_t block_begin(const struct ad_params *params, uint32_t bucket, size_t block) {
  const size_t end = params->bucket_begin[bucket + 1];
  if (bucket > 0) {
    return smaller(params->bucket_begin[bucket] + block * AD_BLOCK, end);
  }
  const size_t V = params->config.vocab;
  return block <= V ? block * params->config.hidden : smaller(word_count(params) + (block - V) * AD_BLOCK, end);
}

void ad_shard_range(const struct ad_params *params, uint32_t bucket, uint32_t rank, uint32_t size, size_t *begin,
                    size_t *end) {
  if (bucket < params->frozen) {
    *begin = *end = params->bucket_begin[bucket];
    return;
  }
  const size_t total = params->bucket_begin[bucket + 1] - params->bucket_begin[bucket];
  const size_t blocks = bucket > 0 ? blocks_of(total) : params->config.vocab + blocks_of(total - word_count(params));
  *begin = block_begin(params, bucket, blocks * rank / size);
  *end = block_begin(params, bucket, blocks * (rank + 1) / size);
}

int ad_shard_create(struct ad_shard *shard, const struct ad_params *params, uint32_t rank, uint32_t size) {
  *shard = (struct ad_shard){.params = params,
                             .rank = rank,
                             .size = size,
                             .begin = ad_calloc(params->buckets, sizeof(size_t)),
                             .end = ad_calloc(params->buckets, sizeof(size_t)),
                             .local = ad_calloc((size_t)params->buckets + 1, sizeof(size_t))};
  if (shard->begin == NULL || shard->end == NULL || shard->local == NULL) {
    ad_shard_destroy(shard);
    return ad_fail_memory(3 * params->buckets * sizeof(size_t), "the shard table");
  }
  for (uint32_t b = 0; b < params->buckets; b++) {
    ad_shard_range(params, b, rank, size, &shard->begin[b], &shard->end[b]);
    shard->local[b + 1] = shard->local[b] + (shard->end[b] - shard->begin[b]);
  }
  shard->count = shard->local[params->buckets];
  return AD_OK;
}

void ad_shard_destroy(struct ad_shard *shard) {
  ad_free(shard->begin);
  ad_free(shard->end);
  ad_free(shard->local);
  *shard = (struct ad_shard){0};
}

uint64_t ad_block_digest(const struct ad_params *params, uint32_t bucket, size_t flat, size_t length, size_t bytes,
                         const void *values) {
  const size_t H = params->config.hidden, words = bucket == 0 && flat < word_count(params) ? word_count(params) : flat;
  const size_t rows = smaller(words - flat, length);
  return ad_digest_blocks(flat, H, values, rows * bytes, H * bytes) +
         ad_digest_blocks(flat + rows, AD_BLOCK, (const char *)values + rows * bytes, (length - rows) * bytes,
                          AD_BLOCK * bytes);
}

uint64_t ad_shard_digest(const struct ad_shard *shard, const float *theta) {
  uint64_t sum = 0;
  for (uint32_t b = 0; b < shard->params->buckets; b++) {
    const size_t at = shard->begin[b];
    sum += ad_block_digest(shard->params, b, at, shard->end[b] - at, sizeof *theta, theta + at);
  }
  return sum;
}

size_t ad_compact_count(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows) {
  const size_t total = params->bucket_begin[bucket + 1] - params->bucket_begin[bucket];
  if (bucket < params->frozen) {
    return 0;
  }
  return bucket > 0 ? total : rows->count * params->config.hidden + total - word_count(params);
}

size_t ad_compact_most(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t flat_begin,
                       size_t flat_end) {
  if (bucket < params->frozen) {
    return 0;
  }
  if (bucket > 0) {
    return flat_end - flat_begin;
  }
  const size_t words = smaller(flat_end, word_count(params)) - smaller(flat_begin, word_count(params));
  return smaller(words, ad_rows_most(rows) * params->config.hidden) + (flat_end - flat_begin - words);
}

/* Number of touched rows below row `row` of the table. */
static size_t rows_below(const struct ad_rows *rows, size_t row) {
  size_t lo = 0, hi = rows->count;
  while (lo < hi) {
    const size_t middle = lo + (hi - lo) / 2;
    if (rows->ids[middle] < row) {
      lo = middle + 1;
    } else {
      hi = middle;
    }
  }
  return lo;
}

static size_t compact_offset(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t flat) {
  if (bucket > 0) {
    return flat - params->bucket_begin[bucket];
  }
  const size_t H = params->config.hidden, word = word_count(params);
  return flat <= word ? rows_below(rows, flat / H) * H : rows->count * H + (flat - word);
}

void ad_compact_range(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t flat_begin,
                      size_t flat_end, size_t *begin, size_t *end) {
  *begin = compact_offset(params, bucket, rows, flat_begin);
  *end = compact_offset(params, bucket, rows, flat_end);
}

size_t ad_compact_block_end(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t at,
                            size_t end) {
  const size_t H = params->config.hidden, length = bucket == 0 && at < rows->count * H ? H : AD_BLOCK;
  return length < end - at ? at + length : end;
}

void ad_compact_squares(const struct ad_params *params, const struct ad_kernels *kernels, uint32_t bucket,
                        const struct ad_rows *rows, size_t begin, size_t end, const float *values, double *squares) {
  for (size_t at = begin, next; at < end; at = next) {
    next = ad_compact_block_end(params, bucket, rows, at, end);
    squares[ad_compact_blocks(params, bucket, rows, at)] = kernels->sum_squares(next - at, values + (at - begin));
  }
}

size_t ad_compact_blocks(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t at) {
  if (bucket > 0) {
    return blocks_of(at);
  }
  const size_t H = params->config.hidden, word = rows->count * H;
  return at <= word ? at / H : rows->count + blocks_of(at - word);
}
