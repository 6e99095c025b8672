/* Shards: which part of the flat vector [P] a rank owns (optimizer state, reduced gradient, update).
 *
 * Every bucket is cut into R contiguous ranges at block boundaries, so that what is summed block by block (the gradient
 * norm) does not depend on R. Blocks are the rows of the row table (model/params.h) and 4,096 floats elsewhere (the
 * last one of a bucket may be shorter). Rank and size are plain numbers here. Letters: P parameters, R ranks, U touched
 * rows of a step. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MODEL_SHARD_H
#define AUTODIDACT_MODEL_SHARD_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/model/encoder.h"
#include "autodidact/model/params.h"

enum { AD_BLOCK = 4096 };

struct ad_shard {
  const struct ad_params *params;
  uint32_t rank, size;
  size_t *begin; /* [buckets] first owned float of the flat vector */
  size_t *end;   /* [buckets] behind the last one; begin == end: nothing of this bucket */
  size_t *local; /* [buckets + 1] where the bucket begins in the shard's own vectors */
  size_t count;  /* floats of the shard's own vectors */
};

/* The shard of `rank` (< size). params must outlive it. The caller owns it. AD_ENOMEM. */
int ad_shard_create(struct ad_shard *shard, const struct ad_params *params, uint32_t rank, uint32_t size);
void ad_shard_destroy(struct ad_shard *shard);

/* Where `flat`, a place of the bucket inside the shard, lies in the shard's own vectors. */
static inline size_t ad_shard_local(const struct ad_shard *shard, uint32_t bucket, size_t flat) {
  return shard->local[bucket] + (flat - shard->begin[bucket]);
}

/* The range [*begin, *end) of the flat vector that a rank owns of a bucket; nothing of a frozen one. */
void ad_shard_range(const struct ad_params *params, uint32_t bucket, uint32_t rank, uint32_t size, size_t *begin,
                    size_t *end);

/* Where the blocks of AD_BLOCK floats of a bucket begin: behind the row table. */
static inline size_t ad_block_base(const struct ad_params *params, uint32_t bucket) {
  return bucket == params->table.bucket ? params->table.end : params->bucket_begin[bucket];
}

/* Floats from `flat` of a bucket to the row table's end; 0 outside of it. */
static inline size_t ad_table_rest(const struct ad_params *params, uint32_t bucket, size_t flat) {
  return bucket == params->table.bucket && flat < params->table.end ? params->table.end - flat : 0;
}

/* Floats of the longest run of whole blocks from the block boundary `at` of a bucket up to `end`, of one kind, that has
 * at most `most` floats, or else is one block. For those who read and write a bucket piece by piece. */
size_t ad_block_run(const struct ad_params *params, uint32_t bucket, size_t at, size_t end, size_t most);

/* The most floats that such a run has. */
static inline size_t ad_block_run_most(const struct ad_params *params, size_t most) {
  const size_t block = params->table.width < AD_BLOCK ? AD_BLOCK : params->table.width;
  return block < most ? most : block;
}

/* The digest of a piece of a flat vector that begins and ends at blocks: the sum modulo 2^64 of a digest of each block,
 * keyed by the block's offset. A block is a row of the row table, elsewhere AD_BLOCK elements. So the sum over pieces
 * is the whole's digest, whoever computes them. values: elements of `bytes` bytes, the first of them at `flat` of
 * bucket `bucket`. */
uint64_t ad_block_digest(const struct ad_params *params, uint32_t bucket, size_t flat, size_t length, size_t bytes,
                         const void *values);

/* The digest of the shard's parameters of theta [P], frozen ones not among them. The sum over the ranks is the digest
 * of all parameters, the same for any R. */
uint64_t ad_shard_digest(const struct ad_shard *shard, const float *theta);

/* A step's gradient of a bucket is compact: of the row table it has the touched rows only, [U, width], then the rest.
 * Floats of the whole compact bucket (none of a frozen one), and the part [*begin, *end) of it that belongs to the flat
 * range [flat_begin, flat_end) of that bucket. */
size_t ad_compact_count(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows);
void ad_compact_range(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t flat_begin,
                      size_t flat_end, size_t *begin, size_t *end);

/* The most floats that this part will have in any step (ad_rows_most): what memory is made for. */
size_t ad_compact_most(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t flat_begin,
                       size_t flat_end);

/* Blocks of a compact bucket (U rows and the blocks of the rest; or the bucket's blocks), and the number of blocks in
 * front of compact offset `at`, which is a block boundary. */
size_t ad_compact_blocks(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t at);

/* Where the block that begins at compact offset `at` ends, if the part [.., end) that it is of ends there. */
size_t ad_compact_block_end(const struct ad_params *params, uint32_t bucket, const struct ad_rows *rows, size_t at,
                            size_t end);

/* The sum of squares of each block of the compact part [begin, end), whose values are `values`, into squares by the
 * block's number in the bucket. */
void ad_compact_squares(const struct ad_params *params, const struct ad_kernels *kernels, uint32_t bucket,
                        const struct ad_rows *rows, size_t begin, size_t end, const float *values, double *squares);

#endif
