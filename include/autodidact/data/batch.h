/* A packed batch, and how it is built from a data set.
 *
 * Letters: B examples, T packed tokens. No padding between examples: the tokens of all examples lie one after another.
 *
 * Words: docs/glossary.md. */
#ifndef AUTODIDACT_DATA_BATCH_H
#define AUTODIDACT_DATA_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/data/dataset.h"
#include "autodidact/data/form.h"

/* The rows whose states a model's head reads, where they are not each example's [CLS]. */
struct ad_reads {
  size_t count;
  const uint32_t *row; /* [count] packed rows of tokens, ascending */
  const size_t *lane;  /* [lanes + 1] the first of each lane; lane[lanes] = count */
};

/* A packed batch: the examples of consecutive lanes, one after another. Arrays of per-token data have room for
 * ad_round_rows(T) entries; those past T are 0. The arrays belong to the caller (or to an ad_packer). */
struct ad_batch {
  size_t examples;              /* B */
  size_t tokens;                /* T rows, gaps between aligned lanes included */
  size_t lanes;                 /* consecutive lanes in this batch; some may be empty */
  const size_t *lane_example;   /* [lanes + 1] first example of each lane */
  const size_t *offset;         /* [B + 1] first row of each example; offset[B] = T */
  const uint32_t *length;       /* [B] tokens of each example */
  const uint32_t *ids;          /* [T] token ids */
  const uint32_t *types;        /* [T] token types, by the form of the model's input */
  const uint32_t *positions;    /* [T] and positions */
  const uint32_t *places;       /* [T] number of the token in its example: names its dropout masks there */
  const uint32_t *token_stream; /* [T] the stream of the token's example */
  const uint32_t *example;      /* [B] global example ids: row numbers in the split */
  const uint32_t *copy;         /* [B] which copy of the example this is, from 0 */
  const uint32_t *stream;       /* [B] ad_batch_stream of the two: names the dropout masks */
  const struct ad_reads *reads; /* rows that the head reads; NULL (a packer's batch): each example's [CLS] */
};

/* Examples whose copies all have masks of their own: at most two copies of so many, or one of 2^32. */
enum { AD_BATCH_COPIES = 2 };
#define AD_BATCH_COPIED_EXAMPLES (UINT32_C(1) << 31)

/* The number that the dropout masks of a copy of an example are drawn by. */
static inline uint32_t ad_batch_stream(uint32_t example, uint32_t copy) {
  return example | copy << 31;
}

/* The memory of batches, used again from step to step. */
struct ad_packer {
  struct ad_input_form form;
  size_t token_capacity; /* a multiple of AD_ROW_BLOCK */
  size_t example_capacity;
  size_t lane_capacity;
  size_t alignment;     /* the first row of a lane is a multiple of this */
  size_t copies;        /* of each example in its lane, all first ones first; 1 unless the owner sets AD_BATCH_COPIES */
  size_t *lane_example; /* [lane_capacity + 1], owned as all arrays here */
  size_t *offset;       /* [example_capacity + 1] */
  uint32_t *length;     /* [example_capacity] */
  uint32_t *ids;        /* [token_capacity], and the four that follow */
  uint32_t *types;
  uint32_t *positions;
  uint32_t *places;
  uint32_t *token_stream;
  uint32_t *example; /* [example_capacity], and the two that follow */
  uint32_t *copy;
  uint32_t *stream;
};

/* Memory for batches of a model's form, of up to so many rows (gaps included), examples (copies included) and lanes,
 * each lane's first row a multiple of `alignment` (>= 1; what ad_encoder_alignment asks for). Rows of a gap have id,
 * type, position, place and stream 0. The caller owns it: ad_packer_destroy. AD_ENOMEM. */
int ad_packer_create(struct ad_packer *packer, const struct ad_input_form *form, size_t rows, size_t examples,
                     size_t lanes, size_t alignment);

/* Rows that `tokens` tokens in `lanes` aligned lanes take at most. */
static inline size_t ad_packer_rows(size_t tokens, size_t lanes, size_t alignment) {
  return tokens + lanes * (alignment - 1);
}
void ad_packer_destroy(struct ad_packer *packer);

/* Packs consecutive lanes of a batch: lane i holds the examples ids[member[k]], k in [lane_begin[i], lane_begin[i +
 * 1]), as ad_lanes_assign gives them. lane_begin [lanes + 1] may point into the middle of a longer array (a rank's own
 * lanes). `member` may be NULL: then the example is ids[k]. `batch` points into the packer and is valid until its next
 * fill. No allocation. AD_EINTERNAL when the packer is too small or an id is not below dataset->count. */
int ad_packer_fill(struct ad_packer *packer, const struct ad_dataset *dataset, const uint32_t *ids, size_t lanes,
                   const size_t *lane_begin, const uint32_t *member, struct ad_batch *batch);

#endif
