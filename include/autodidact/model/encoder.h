/* The packed encoder: forward and backward on tokens without padding, of any architecture (model/architectures.h), with
 * a head that reads the state of some rows: the [CLS] of each example, or the rows that the batch names.
 *
 * Letters: B rows that the head reads (one an example, unless batch->reads says otherwise), T packed tokens, H hidden,
 * A heads, F feed-forward, L layers, C numbers in a row of logits (ad_model_logits), P parameters, W lanes. In the last
 * layer only the read rows go past keys and values: nobody reads the others. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MODEL_ENCODER_H
#define AUTODIDACT_MODEL_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/data/batch.h"
#include "autodidact/math/context.h"
#include "autodidact/math/tree.h"
#include "autodidact/model/params.h"
#include "autodidact/model/replica.h"

/* What names the masks of one forward: NULL in place of it means evaluation mode (no dropout). */
struct ad_masks {
  uint64_t seed; /* seed.dropout */
  uint32_t step;
  uint32_t pass; /* 0 student, 2 teacher; below 16 (a batch's copies of an example have other streams) */
};

struct ad_encoder;

/* The alignment (data/batch.h) that this model's products need on this machine, so that a lane's bits do not depend on
 * what is computed beside it. math/gemm.h checks the shapes in use. 1, 12, 48, or AD_ENOMEM. */
int ad_encoder_alignment(const struct ad_math *math, const struct ad_params *params);

/* Memory for batches of up to `tokens` rows (aligned), `reads` rows that the head reads and `lanes` lanes; `training`
 * keeps the activations that the backward needs. math and params must outlive the encoder. The caller owns it:
 * ad_encoder_destroy. AD_ENOMEM, AD_ECONFIG. */
int ad_encoder_create(struct ad_encoder **encoder, const struct ad_math *math, const struct ad_params *params,
                      size_t tokens, size_t reads, size_t lanes, int training);
void ad_encoder_destroy(struct ad_encoder *encoder);

/* Bytes of activations and work memory that such an encoder holds. */
size_t ad_encoder_bytes(const struct ad_math *math, const struct ad_params *params, size_t tokens, size_t reads,
                        size_t lanes, int training);

/* Bytes of further work memory that backwards of such batches grow to: column sums aside, the tree over the lanes.
 * touched: rows of the word embedding. */
size_t ad_encoder_backward_bytes(const struct ad_math *math, const struct ad_params *params, size_t tokens,
                                 size_t lanes, size_t touched);

/* Forwards to come read the frozen parameters (model/params.h) from `theta`, whatever vector they are given for the
 * others. Without values: from that one. */
void ad_encoder_read_frozen(struct ad_encoder *encoder, struct ad_replica theta);

/* logits [B,C] of the batch with parameters theta. The batch must fit what the encoder was created for
 * (AD_EINTERNAL). */
int ad_encoder_forward(struct ad_encoder *encoder, struct ad_replica theta, const struct ad_batch *batch,
                       const struct ad_masks *masks, float *logits);

/* The rows of the row table that a step touches: its gradient is a dense [count, width] block of these rows only. */
struct ad_rows {
  uint32_t *ids; /* [count] ascending token ids */
  size_t count;
  size_t most;            /* no step will have more, as far as is known: memory is made for so many (0: not known) */
  size_t vocab;           /* V */
  uint32_t *slot;         /* [V] place in ids; meaningful for touched ids only */
  unsigned char *touched; /* [V] */
};

/* An empty set over a vocabulary of V tokens. The caller owns it. AD_ENOMEM. */
int ad_rows_create(struct ad_rows *rows, size_t V);
void ad_rows_destroy(struct ad_rows *rows);

/* Rows that memory is made for. */
static inline size_t ad_rows_most(const struct ad_rows *rows) {
  return rows->most > rows->count ? rows->most : rows->count;
}

/* Empties the set; adds the tokens ids [n], each below V; orders it (call once after the last add, before use). No
 * allocation. */
void ad_rows_clear(struct ad_rows *rows);
void ad_rows_add(struct ad_rows *rows, size_t n, const uint32_t *ids);
void ad_rows_order(struct ad_rows *rows);

/* All V rows: those that a masked-language head touches. No allocation. */
void ad_rows_fill(struct ad_rows *rows);

/* Where a backward puts the gradient, bucket by bucket, from the head down to the embeddings. The lanes of the batch
 * are cut in `parts`; each part's sum over its lanes is written by itself, so that the rest of the tree can be finished
 * elsewhere. A bucket has the flat vector's layout, but where the row table is, which is the block [rows, width]
 * of touched rows. */
struct ad_gradient_sink {
  void *context;
  const struct ad_span *part; /* [parts] lane ranges of the batch, nodes of the tree */
  size_t parts;
  /* Memory for a part of a bucket, valid until its `done`. NULL: out of memory (recorded). */
  float *(*place)(void *context, uint32_t bucket, size_t part);
  /* All parts of this bucket are written. A negative status ends the backward. */
  int (*done)(void *context, uint32_t bucket);
  /* Called now and then between two products, for what is under way elsewhere. NULL: not. A negative status ends the
   * backward. */
  int (*advance)(void *context);
  struct ad_lane_watch *watch; /* of a lane of the batch, or NULL */
};

/* Backward, down to the frozen layers, of sum(logits * dlogits), dlogits [B,C], after a forward of the same batch,
 * theta and masks by an encoder created for training. rows: the touched rows, those of this batch among them.
 * AD_ENOMEM, or what the sink returns. */
int ad_encoder_backward(struct ad_encoder *encoder, struct ad_replica theta, const struct ad_batch *batch,
                        const struct ad_masks *masks, const float *dlogits, const struct ad_rows *rows,
                        const struct ad_gradient_sink *sink);

/* Scratch memory: activations that are free once the backward has completed bucket `bucket`, *count floats, of which
 * only the beginning depends on `bucket`. The caller may write there until the next forward; the encoder owns it. NULL
 * (and 0): there are none. */
float *ad_encoder_spare(const struct ad_encoder *encoder, uint32_t bucket, size_t *count);

/* Work memory of backwards of at most so many lanes and touched rows, which otherwise they make themselves when they
 * come to need it. AD_ENOMEM. */
int ad_encoder_reserve(struct ad_encoder *encoder, size_t lanes, size_t touched);

/* The whole gradient [P] of the same, all lanes combined by the tree. For tests and tools: training never holds a whole
 * gradient vector. AD_ENOMEM. */
int ad_encoder_gradient(struct ad_encoder *encoder, struct ad_replica theta, const struct ad_batch *batch,
                        const struct ad_masks *masks, const float *dlogits, float *gradient);

#endif
