/* The vector kernels: everything of a training step that is not a matrix product.
 *
 * Letters: T rows (packed tokens, or the read rows of the last layer), H columns, S one example's tokens, A heads,
 * D = H / A, C classes. All arrays float32, row-major, outermost first, contiguous unless a leading dimension is named;
 * none may overlap unless said. Nothing here allocates, fails, or depends on rows other than the ones given. A row's
 * result has the same bits whatever else is in the call. A column sum over rows [0, T) is the one of adding row after
 * row. Sums inside a row use 16 interleaved partial sums (column n goes to number n mod 16), combined as
 * ((0+8)+(4+12)) ... by halving, whatever the instruction set.
 *
 * The same source is compiled for several instruction sets; ad_kernels_find picks one at run time. All give the same
 * bits (docs/arithmetic.md); generic, in plain C, is the specification and slow. A NaN in an input reaches the outputs
 * that depend on it, dropped elements included; padding never does. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MATH_KERNELS_H
#define AUTODIDACT_MATH_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* A dropout mask as a function, never stored. Element `column` of the row at `position` of example `example` is dropped
 * iff word(column) < threshold. Kept elements are multiplied by `scale` = 1 / (1 - p).
 *
 * word(n) is of Philox 4x32-10 with key = seed (low, high) and counter = (step, example, site << 16 | position, block).
 * The 64 columns [64 q, 64 q + 64) come from the 16 blocks [16 q, 16 q + 16): column 64 q + 16 j + i is word j of block
 * 16 q + i. For attention, `position` is the head and `column` is query * S + key. */
struct ad_dropout {
  uint64_t seed;
  uint32_t step;
  uint32_t site;      /* below 2^16: what is masked (layer, place, pass) */
  uint32_t threshold; /* p * 2^32, rounded; 0 = no dropout: the kernels then do not multiply at all, nor for a NULL
                         pointer */
  float scale;
};

/* A mask for probability p in [0, 1): threshold and scale from p, the rest as given. */
struct ad_dropout ad_dropout_make(float p, uint64_t seed, uint32_t step, uint32_t site);

/* A bias of attention's scores that only the distance of key and query decides. Head a adds to the score of query q and
 * key k values[a, longest - 1 + k - place of q]. */
struct ad_distance_bias {
  size_t longest;      /* at least S */
  const float *values; /* [A, 2 longest - 1] */
  float *sums;         /* [A, 2 longest - 1] the backward adds the gradient of values, query after query; NULL: not */
  const uint32_t *places; /* [queries] number of each query's token in the example; NULL: query q is token q */
};

/* The feed-forward activation. X(constant, its name as hidden_act in config.json). */
#define AD_ACTIVATION_MAP(X)             \
  X(AD_ACTIVATION_GELU_ERF, "gelu")      \
  X(AD_ACTIVATION_GELU_TANH, "gelu_new") \
  X(AD_ACTIVATION_RELU, "relu")

enum ad_activation {
#define AD_ACTIVATION_ENUM(constant, name) constant,
  AD_ACTIVATION_MAP(AD_ACTIVATION_ENUM)
#undef AD_ACTIVATION_ENUM
};

/* A count sketch (Charikar, Chen, Farach-Colton 2002) of values in groups of AD_SKETCH_GROUP, a random word for each.
 * With h = low 16 bits of the word >> shift, number i of a group is added to sum[16 (h / 16) + (h + i) mod 16], modulo
 * 2^64. It is added in fixed point (x scale, to the nearest integer), negated where bit 16 + i of the word is set.
 * Magnitudes above AD_SKETCH_RANGE count as that, a NaN as its negative. */
enum { AD_SKETCH_GROUP = 16 };
#define AD_SKETCH_RANGE 0x1.fffffep14f /* the largest float below 2^15 */
struct ad_sketch {
  uint64_t *sum;         /* [2^(16 - shift)]; NULL: no sketch */
  double scale;          /* a power of two; AD_SKETCH_RANGE scale < 2^51 */
  uint32_t shift;        /* to 12 */
  const uint32_t *words; /* of the group that the first value is in, and on */
  size_t lane;           /* number of the first value in its group */
};

/* Sums of squares of an update, each as sum_squares gives it: of theta after it, of the gradient as it is handed in, of
 * the change of theta (as sum_squared_differences). */
enum { AD_SQUARES_VALUE, AD_SQUARES_GRADIENT, AD_SQUARES_UPDATE, AD_SQUARES };
struct ad_watch {
  double squares[AD_SQUARES];
  struct ad_sketch sketch;
};

/* In double: the kernel forms 1 - beta and the like in double and rounds once. */
struct ad_adamw {
  double lr; /* of this range, schedule included */
  double beta1, beta2, eps;
  double decay;          /* weight decay of this range (0 for biases and layer norms) */
  double correction1;    /* 1 - beta1^t, or 1 without bias correction */
  double correction2;    /* 1 - beta2^t, or 1 */
  double gradient_scale; /* clipping factor, multiplied into the gradient first */
};

/* Relative attention of one example (Yang et al. 2019). Its last `queries` tokens ask: all S of them, or the last one.
 * Query i is token t = S - queries + i. The score of its key j is
 *   ((Q_i + content_bias) K_j + (Q_i + position_bias) R_(queries - 1 - i + j)) + (Q_i + segment_bias) segments_s.
 * So row m of R is that of the distance t - j = S - 1 - m. s is 0 where t and j have the same type, else 1. */
struct ad_relative {
  size_t queries, S, A, D;
  const float *Q;     /* [queries,H] (ldq), H = A D */
  const float *K, *V; /* [S,H] (ldk) */
  const float *R;     /* [queries + S - 1, H] (ldr) */
  size_t ldq, ldk, ldr;
  const float *content_bias, *position_bias, *segment_bias; /* [H] */
  const float *segments;                                    /* [2,H] */
  const uint32_t *types;                                    /* [S] */
  const struct ad_dropout *dropout;
  uint32_t example;
};

/* Where its backward puts gradients, each with the leading dimension of what it is the gradient of: of the first four
 * overwritten, of the others added to. */
struct ad_relative_gradient {
  float *dQ, *dK, *dV, *dR;
  float *dcontent_bias, *dposition_bias, *dsegment_bias; /* [H] */
  float *dsegments;                                      /* [2,H] */
};

/* One table of functions per instruction set. */
struct ad_kernels {
  const char *name; /* "v4" (AVX-512), "v3" (AVX2, FMA), "neon" (Arm), "generic" */

  /* out[t,:] = word[ids[t],:] + position[positions[t],:] + type[types[t],:], added in this order. ids, positions, types
   * [T]. type NULL: the model has none. */
  void (*embed)(size_t T, size_t H, const uint32_t *ids, const uint32_t *positions, const uint32_t *types,
                const float *word, const float *position, const float *type, float *out);

  /* Layer norm of rows: mean[t], rstd[t] = 1 / sqrt(var + eps) (biased variance, two passes), out = (z - mean) * rstd *
   * gamma + beta, then dropout over the row (for embeddings). gamma, beta [H]; mean, rstd [T]; examples, positions [T].
   * out may be z. */
  void (*norm)(size_t T, size_t H, const float *z, const float *gamma, const float *beta, float eps,
               const struct ad_dropout *dropout, const uint32_t *examples, const uint32_t *positions, float *mean,
               float *rstd, float *out);

  /* y becomes z = dropout(y + bias) + residual in place, then mean, rstd and out = layer norm of z as above (no dropout
   * after it). y, residual, out [T,H]; bias, gamma, beta [H]. */
  void (*bias_residual_norm)(size_t T, size_t H, float *y, const float *bias, const float *residual, const float *gamma,
                             const float *beta, float eps, const struct ad_dropout *dropout, const uint32_t *examples,
                             const uint32_t *positions, float *mean, float *rstd, float *out);

  /* Backward of `norm`: dout [T,H] is the gradient of out (first multiplied by the dropout mask); dz [T,H] (may be
   * dout). Adds the column sums over the T rows to dgamma, dbeta [H]. */
  void (*norm_backward)(size_t T, size_t H, const float *dout, const float *z, const float *mean, const float *rstd,
                        const float *gamma, const struct ad_dropout *dropout, const uint32_t *examples,
                        const uint32_t *positions, float *dz, float *dgamma, float *dbeta);

  /* Backward of bias_residual_norm: dz [T,H] (gradient of the residual; may be dout) and dy = mask * scale * dz [T,H]
   * (may be dz only where there is no dropout: threshold 0). Adds column sums to dgamma, dbeta and (of dy) dbias [H].
   */
  void (*bias_residual_norm_backward)(size_t T, size_t H, const float *dout, const float *z, const float *mean,
                                      const float *rstd, const float *gamma, const struct ad_dropout *dropout,
                                      const uint32_t *examples, const uint32_t *positions, float *dz, float *dy,
                                      float *dgamma, float *dbeta, float *dbias);

  /* u += bias in place (kept for the backward), g = activation(u). u, g [T,F]; bias [F]. activation: enum
   * ad_activation as an int: 0 x Phi(x) by erf, 1 tanh approximation, 2 relu. */
  void (*bias_activation)(size_t T, size_t F, int activation, float *u, const float *bias, float *g);

  /* du = dg * activation'(u), where u has its bias; du may be dg. Adds the column sums of du to dbias [F]. */
  void (*bias_activation_backward)(size_t T, size_t F, int activation, const float *dg, const float *u, float *du,
                                   float *dbias);

  /* x[t, 0:N] += bias, leading dimension ld; and its backward: dbias [N] += column sums of dx. */
  void (*bias)(size_t T, size_t N, float *x, size_t ld, const float *bias);
  void (*column_sum)(size_t T, size_t N, const float *dx, size_t ld, float *dbias);

  /* y [N, ldy] = x [M,N] (ldx) transposed. M is rounded up to 16 with columns of zeros, for which ldy must have room.
   */
  void (*transpose)(size_t M, size_t N, const float *x, size_t ldx, float *y, size_t ldy);

  /* y [M,N] (ldy) = x (ldx): for rows so short that a call of memcpy for each would tell. */
  void (*copy)(size_t M, size_t N, const float *x, size_t ldx, float *y, size_t ldy);

  /* C [M,N] (ldc) = A B, or C += A B with accumulate: A(i,k) = A[i * row + k * column], B [K,N] (ldb). Each element is
   * one chain of fused multiply-adds over k = 0 .. K-1, begun with 0 or with C: its bits depend on its row of A and its
   * column of B alone. C overlaps neither. */
  void (*product)(size_t M, size_t N, size_t K, const float *A, size_t row, size_t column, const float *B, size_t ldb,
                  float *C, size_t ldc, int accumulate);

  /* Products with bfloat16 operands (math/bfloat16.h), whose parts these are; numbers as the upper halves of floats,
   * K and rows rounded up to 32 with zeros.
   * bf16_round: rows [M, depth(K)] = x [M,K] (ldx) rounded; bf16_values: x = rows.
   * bf16_pairs: out [depth(rows) / 2, width, 2] = two rows each of x [rows, N] (ldx) side by side. places [32] names
   * them, two by two, of every 32 rows. width: N rounded up to 16, or more; nothing is written behind that.
   * bf16_left: out [M, 32 blocks] floats = rows (ld) of so many blocks.
   * bf16_right: out [32 blocks, width] floats = a packed panel.
   * bf16_product: C [M,N] (ldc) = or += A B, A and B from these two; N at most width. Places behind the inner-th hold
   * zeros; with accumulate there are none. */
  void (*bf16_round)(size_t M, size_t K, const float *x, size_t ldx, uint16_t *rows);
  void (*bf16_values)(size_t M, size_t K, const uint16_t *rows, float *x, size_t ldx);
  void (*bf16_pairs)(size_t rows, size_t N, const uint16_t *x, size_t ldx, size_t width, const uint8_t *places,
                     uint16_t *out);
  void (*bf16_left)(size_t M, size_t blocks, const uint16_t *rows, size_t ld, float *out);
  void (*bf16_right)(size_t width, size_t blocks, const uint16_t *packed, float *out);
  void (*bf16_product)(size_t M, size_t N, size_t width, size_t inner, const float *A, const float *B, float *C,
                       size_t ldc, int accumulate);

  /* The rows that products with bfloat16 operands read, from what is kept of a forward.
   * bf16_normalise: rows [T, depth(H)] = out of `norm` and bias_residual_norm without dropout, rounded, from their z,
   * mean and rstd.
   * bf16_bias_activation: kept [T, depth(F)] = u + bias rounded, u [T,F]; g [T, depth(F)] = dropout(activation(kept))
   * rounded. kept and g may not overlap.
   * bf16_activation_backward: from dg [T,F], the gradient of g before it was rounded, du [T, depth(F)] = dropout(dg)
   * activation'(kept) rounded; adds the column sums of du, before it is rounded, to dbias [F]; g as in the forward. */
  void (*bf16_normalise)(size_t T, size_t H, const float *z, const float *mean, const float *rstd, const float *gamma,
                         const float *beta, uint16_t *rows);
  void (*bf16_bias_activation)(size_t T, size_t F, int activation, const float *u, const float *bias,
                               const struct ad_dropout *dropout, const uint32_t *examples, const uint32_t *positions,
                               uint16_t *kept, uint16_t *g);
  void (*bf16_activation_backward)(size_t T, size_t F, int activation, const float *dg, const uint16_t *kept,
                                   const struct ad_dropout *dropout, const uint32_t *examples,
                                   const uint32_t *positions, uint16_t *du, float *dbias, uint16_t *g);

  /* x = tanh(x + bias) in place, [T,H] (the pooler); backward: dx = dy * (1 - y^2), adds column sums to dbias. dx may
   * be dy. */
  void (*bias_tanh)(size_t T, size_t H, float *x, const float *bias);
  void (*tanh_backward)(size_t T, size_t H, const float *dy, const float *y, float *dx, float *dbias);

  /* Dropout of rows in place, and (the same function) of their gradient. x [T,H]. */
  void (*dropout)(size_t T, size_t H, float *x, const struct ad_dropout *dropout, const uint32_t *examples,
                  const uint32_t *positions);

  /* Attention of one example: Q rows ("queries" of them, none as well), K and V rows (S), each head in its
   * columns [a D, a D + D), leading dimensions ldq, ldk (keys and values), ldc. context = dropout(softmax(Q K^T /
   * sqrt(D) + bias)) V, without a bias where it is NULL. `work`:
   * ad_attention_work(queries, S, D) floats, aligned 64. Each element is one chain of multiply-adds over d, then over
   * the keys, so the rows of a call with fewer queries have the bits of the full one. */
  void (*attention)(size_t queries, size_t S, size_t A, size_t D, const float *Q, size_t ldq, const float *K,
                    const float *V, size_t ldk, const struct ad_dropout *dropout, uint32_t example,
                    const struct ad_distance_bias *bias, float *context, size_t ldc, float *work);

  /* Its backward, probabilities recomputed: dcontext [queries, H] (ldc) to dQ (ldq), dK, dV (ldk), which are
   * overwritten (dK and dV by zeros where there are no queries). Adds to bias->sums. */
  void (*attention_backward)(size_t queries, size_t S, size_t A, size_t D, const float *Q, size_t ldq, const float *K,
                             const float *V, size_t ldk, const struct ad_dropout *dropout, uint32_t example,
                             const struct ad_distance_bias *bias, const float *dcontext, size_t ldc, float *dQ,
                             float *dK, float *dV, float *work);

  /* context [queries, H] (ldc) = dropout(softmax(scores / sqrt(D))) V, with the scores of struct ad_relative. `work`:
   * ad_relative_work(queries, S, D) floats, aligned 64. Sums inside a row: the segment's term; the others are chains as
   * of attention. The last query alone has the bits that it has among all. */
  void (*relative_attention)(const struct ad_relative *r, float *context, size_t ldc, float *work);

  /* Its backward, probabilities recomputed, from dcontext [queries, H] (ldc). Biases and segments: each query's part is
   * added, query after query. */
  void (*relative_attention_backward)(const struct ad_relative *r, const float *dcontext, size_t ldc,
                                      const struct ad_relative_gradient *gradient, float *work);

  /* logits[b,c] = dot(h[b,:], weight[c,:]) + bias[c]: [B,H] x [C,H] to [B,C], each dot by the rule of sums inside a
   * row. */
  void (*classify)(size_t B, size_t C, size_t H, const float *h, const float *weight, const float *bias, float *logits);
  /* dh [B,H] = dlogits weight; adds to dweight [C,H], dbias [C], row after row. */
  void (*classify_backward)(size_t B, size_t C, size_t H, const float *dlogits, const float *h, const float *weight,
                            float *dh, float *dweight, float *dbias);

  /* Cross entropy of row b: loss[b] = log sum exp(logits[b,:]) - logits[b,label[b]] (max subtracted), in double inside
   * the row; dlogits = scale * (softmax - onehot) unless dlogits is NULL. logits [B,C], labels [B] < C. */
  void (*cross_entropy)(size_t B, size_t C, const float *logits, const uint32_t *labels, float scale, float *loss,
                        float *dlogits);

  /* The same of many classes, as a vocabulary has: exponentials are float, each 1,024 of them a sum by the rule of sums
   * inside a row, these sums added in double. dlogits may be logits. */
  void (*wide_cross_entropy)(size_t B, size_t C, const float *logits, const uint32_t *labels, float scale, float *loss,
                             float *dlogits);

  /* Distance of two rows of logits, for distillation: distance[b] = mean over C of (student - teacher)^2, and dlogits
   * += scale * 2 (student - teacher) / C, the teacher being a constant. In double inside the row. All [B,C]; distance
   * [B].
   */
  void (*squared_error)(size_t B, size_t C, const float *student, const float *teacher, float scale, float *distance,
                        float *dlogits);

  /* R-Drop (Liang et al. 2021): divergence[b] = (KL(p||q) + KL(q||p)) / 2 of p = softmax(first[b,:]) and q =
   * softmax(second[b,:]); adds scale times its gradient to dfirst and dsecond. In double inside the row. All [B,C];
   * divergence [B]. */
  void (*symmetric_divergence)(size_t B, size_t C, const float *first, const float *second, float scale,
                               float *divergence, float *dfirst, float *dsecond);

  /* out[i] += in[i] (the tree's addition: out is the lower half); out[i] = a[i] + b[i], out may be a or b; and
   * y[rows[i],:] += x[i,:] one after another. */
  void (*add)(size_t n, float *out, const float *in);
  void (*sum)(size_t n, const float *a, const float *b, float *out);
  void (*scatter_add)(size_t n, size_t H, const uint32_t *rows, const float *x, float *y);

  /* Sum of squares in double over x [n], by the rule of sums inside a row (16 partial sums, in double). */
  double (*sum_squares)(size_t n, const float *x);
  /* The same over a - b, rounded to float. */
  double (*sum_squared_differences)(size_t n, const float *a, const float *b);

  /* Adds x [n] to a count sketch, x[0] being number sketch->lane of its group. */
  void (*sketch)(size_t n, const struct ad_sketch *sketch, const float *x);

  /* AdamW (Loshchilov, Hutter 2019; as torch.optim.AdamW): theta -= lr * decay * theta; then the Adam step with m, v.
   * gradient NULL means zeros, m and v NULL too: they are zeros and stay so (eps > 0), and only the decay is left. All
   * [n]. watch, if not NULL: gets the sums of squares, and theta after the update is added to its sketch. */
  void (*adamw)(size_t n, const struct ad_adamw *a, const float *gradient, float *theta, float *m, float *v,
                struct ad_watch *watch);

  /* The exact window (docs/methods.md, section 6), all [n]. x enters the sums in fixed point, sum += round(x scale),
   * and takes the place of slot. What was in slot leaves them unless `fresh` (slot holds nothing yet). slot NULL:
   * nothing ever leaves. scale = 2^shift. mean, if not NULL: gets the window_mean of count vectors after that, meant
   * for a vector that is not read soon. 1, or 0 and nothing done where a |x| is not below AD_WINDOW_RANGE (a NaN is
   * not). */
  int (*window_push)(size_t n, double scale, int fresh, const float *x, float *slot, int64_t *sum, uint64_t count,
                     float *mean);
  /* mean = sum / (count scale), rounded once, to nearest, ties to even. scale = 2^shift with 0 <= shift <= 57, 0 <
   * count < 2^40. */
  void (*window_mean)(size_t n, double scale, uint64_t count, const int64_t *sum, float *mean);

  /* mean = decay mean + (1 - decay) x. */
  void (*moving_average)(size_t n, double decay, const float *x, float *mean);
};

/* Parameters in a window must be of smaller magnitude: the sum of K of them at 2^(57 - ceil(log2 K)) fits in 63 bits.
 */
#define AD_WINDOW_RANGE 64.0f

/* Floats of work memory for attention and its backward of one example. */
size_t ad_attention_work(size_t queries, size_t S, size_t D);
size_t ad_relative_work(size_t queries, size_t S, size_t D);

/* The table of this name (v4, v3, neon, generic), or where name is NULL or "" the best that this CPU runs. NULL with a
 * message (AD_ECONFIG recorded) if the name is unknown or the CPU cannot run it. Static storage. */
const struct ad_kernels *ad_kernels_find(const char *name);

/* Whether the exp and tanh of a set have the bits of the arithmetic (docs/arithmetic.md), on a few hundred arguments.
 * AD_OK, AD_EINTERNAL, AD_ENOMEM. */
int ad_kernels_check(const struct ad_kernels *kernels);

#endif
