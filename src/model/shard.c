#include "autodidact/model/shard.h"

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

static size_t blocks_of(size_t count) {
  return (count + AD_BLOCK - 1) / AD_BLOCK;
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* The flat offset of block number `block` of a bucket; the bucket's end for the number behind the last. */
static size_t block_begin(const struct ad_params *params, uint32_t bucket, size_t block) {
  const struct ad_row_table *t = &params->table;
  const size_t rows = bucket == t->bucket ? t->rows : 0, end = params->bucket_begin[bucket + 1];
  return block <= rows ? params->bucket_begin[bucket] + block * t->width
                       : smaller(ad_block_base(params, bucket) + (block - rows) * AD_BLOCK, end);
}

void ad_shard_range(const struct ad_params *params, uint32_t bucket, uint32_t rank, uint32_t size, size_t *begin,
                    size_t *end) {
  if (bucket < params->frozen) {
    *begin = *end = params->bucket_begin[bucket];
    return;
  }
  const size_t rows = bucket == params->table.bucket ? params->table.rows : 0;
  const size_t blocks = rows + blocks_of(params->bucket_begin[bucket + 1] - ad_block_base(params, bucket));
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
  const size_t rows = smaller(ad_table_rest(params, bucket, flat), length), width = params->table.width;
  return ad_digest_blocks(flat, width, values, rows * bytes, width * bytes) +
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

/* Floats of the touched rows, which are in front of the rest of a compact bucket. */
static size_t table_floats(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows) {
  return bucket == params->table.bucket ? rows->count * params->table.width : 0;
}

size_t ad_compact_count(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows) {
  if (bucket < params->frozen) {
    return 0;
  }
  return table_floats(params, bucket, rows) + params->bucket_begin[bucket + 1] - ad_block_base(params, bucket);
}

size_t ad_compact_most(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t flat_begin,
                       size_t flat_end) {
  if (bucket < params->frozen) {
    return 0;
  }
  if (bucket != params->table.bucket) {
    return flat_end - flat_begin;
  }
  const struct ad_row_table *t = &params->table;
  const size_t of_table = smaller(flat_end, t->end) - smaller(flat_begin, t->end);
  return smaller(of_table, ad_rows_most(rows) * t->width) + (flat_end - flat_begin - of_table);
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
  const struct ad_row_table *t = &params->table;
  if (bucket == t->bucket && flat <= t->end) {
    return rows_below(rows, (flat - t->begin) / t->width) * t->width;
  }
  return table_floats(params, bucket, rows) + flat - ad_block_base(params, bucket);
}

void ad_compact_range(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t flat_begin,
                      size_t flat_end, size_t *begin, size_t *end) {
  *begin = compact_offset(params, bucket, rows, flat_begin);
  *end = compact_offset(params, bucket, rows, flat_end);
}

size_t ad_compact_block_end(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t at,
                            size_t end) {
  const size_t length = at < table_floats(params, bucket, rows) ? params->table.width : AD_BLOCK;
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
  const size_t of_table = table_floats(params, bucket, rows), width = params->table.width;
  return at <= of_table ? at / width : of_table / width + blocks_of(at - of_table);
}

size_t ad_block_run(const struct ad_params *params, uint32_t bucket, size_t at, size_t end, size_t most) {
  const size_t rest = ad_table_rest(params, bucket, at), block = rest > 0 ? params->table.width : AD_BLOCK;
  const size_t left = rest > 0 ? smaller(end - at, rest) : end - at;
  return smaller(left, block < most ? most / block * block : block);
}
