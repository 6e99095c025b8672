/* Layer norm and what is fused with it. A row is read from memory once: its later passes find it in the first-level
 * cache. */
#include "autodidact/math/bfloat16.h"
#include "vector/mask.h"

/* Mean and 1 / sqrt(variance + eps) of z [H], given its sum. */
static void row_moments(size_t H, const float *z, float sum, float eps, float *mean, float *rstd) {
  const float m = sum / (float)H;
  const vec center = vec_set1(m);
  vec squares = vec_set1(0.0f);
  for (size_t n = 0; n < H; n += VEC_WIDTH) {
    const vec d = vec_sub(vec_load_fill(z + n, H - n, m), center); /* 0 past the end */
    squares = vec_fma(d, d, squares);
  }
  *mean = m;
  *rstd = 1.0f / sqrtf(vec_sum(squares) / (float)H + eps);
}

/* out = (z - mean) rstd gamma + beta. */
VEC_INLINE void row_normalise(size_t H, const float *z, float mean, float rstd, const float *gamma, const float *beta,
                              float *out) {
  const vec center = vec_set1(mean), scale = vec_set1(rstd);
  for (size_t n = 0; n < H; n += VEC_WIDTH) {
    const vec x = vec_mul(vec_sub(vec_load_n(z + n, H - n), center), scale);
    vec_store_n(out + n, vec_fma(x, vec_load_n(gamma + n, H - n), vec_load_n(beta + n, H - n)), H - n);
  }
}

void AD_KERNEL(bf16_normalise)(size_t T, size_t H, const float *z, const float *mean, const float *rstd,
                               const float *gamma, const float *beta, uint16_t *rows) {
  const size_t depth = ad_bf16_depth(H);
  for (size_t t = 0; t < T; t++) {
    for (size_t n = 0; n < depth; n += VEC_WIDTH) {
      float sixteen[VEC_WIDTH] = {0.0f};
      if (n < H) {
        row_normalise(H - n < VEC_WIDTH ? H - n : VEC_WIDTH, z + t * H + n, mean[t], rstd[t], gamma + n, beta + n,
                      sixteen);
      }
      vec_bf16_round(rows + t * depth + n, vec_load(sixteen));
    }
  }
}

static void row_mask(size_t H, const float *x, struct mask_stream *mask, float *out) {
  for (size_t n = 0; n < H; n += VEC_WIDTH) {
    vec_store_n(out + n, vec_mul(vec_load_n(x + n, H - n), mask_next(mask, n)), H - n);
  }
}

void AD_KERNEL(norm)(size_t T, size_t H, const float *z, const float *gamma, const float *beta, float eps,
                     const struct ad_dropout *dropout, const uint32_t *examples, const uint32_t *positions, float *mean,
                     float *rstd, float *out) {
  struct mask_stream mask;
  for (size_t t = 0; t < T; t++) {
    const float *row = z + t * H;
    vec sum = vec_set1(0.0f);
    for (size_t n = 0; n < H; n += VEC_WIDTH) {
      sum = vec_add(sum, vec_load_n(row + n, H - n));
    }
    row_moments(H, row, vec_sum(sum), eps, &mean[t], &rstd[t]);
    row_normalise(H, row, mean[t], rstd[t], gamma, beta, out + t * H);
    if (mask_is_on(dropout)) {
      mask_start(&mask, dropout, examples[t], positions[t]);
      row_mask(H, out + t * H, &mask, out + t * H);
    }
  }
}

/* y = dropout(y + bias) + residual; returns the sum of the row. */
VEC_INLINE float row_residual(size_t H, float *y, const float *bias, const float *residual, struct mask_stream *mask) {
  vec sum = vec_set1(0.0f);
  for (size_t n = 0; n < H; n += VEC_WIDTH) {
    vec x = vec_add(vec_load_n(y + n, H - n), vec_load_n(bias + n, H - n));
    if (mask != NULL) {
      x = vec_mul(x, mask_next(mask, n));
    }
    x = vec_add(x, vec_load_n(residual + n, H - n));
    vec_store_n(y + n, x, H - n);
    /* The mask is not zero past the end, but there y, bias and residual are. */
    sum = vec_add(sum, x);
  }
  return vec_sum(sum);
}

void AD_KERNEL(bias_residual_norm)(size_t T, size_t H, float *y, const float *bias, const float *residual,
                                   const float *gamma, const float *beta, float eps, const struct ad_dropout *dropout,
                                   const uint32_t *examples, const uint32_t *positions, float *mean, float *rstd,
                                   float *out) {
  struct mask_stream mask;
  for (size_t t = 0; t < T; t++) {
    float *row = y + t * H;
    float sum;
    if (mask_is_on(dropout)) {
      mask_start(&mask, dropout, examples[t], positions[t]);
      sum = row_residual(H, row, bias, residual + t * H, &mask);
    } else {
      sum = row_residual(H, row, bias, residual + t * H, NULL);
    }
    row_moments(H, row, sum, eps, &mean[t], &rstd[t]);
    row_normalise(H, row, mean[t], rstd[t], gamma, beta, out + t * H);
  }
}

/* dz = rstd (g - mean(g) - x mean(g x)) with g = dout gamma and x = (z - mean) rstd; dgamma += dout x, dbeta += dout.
 */
static void row_norm_backward(size_t H, const float *dout, const float *z, float mean, float rstd, const float *gamma,
                              float *dz, float *dgamma, float *dbeta) {
  const vec center = vec_set1(mean), scale = vec_set1(rstd);
  vec sum_g = vec_set1(0.0f), sum_gx = vec_set1(0.0f);
  for (size_t n = 0; n < H; n += VEC_WIDTH) {
    const vec d = vec_load_n(dout + n, H - n); /* 0 past the end, and so are g and its sums */
    const vec x = vec_mul(vec_sub(vec_load_n(z + n, H - n), center), scale);
    const vec g = vec_mul(d, vec_load_n(gamma + n, H - n));
    sum_g = vec_add(sum_g, g);
    sum_gx = vec_fma(g, x, sum_gx);
    vec_store_n(dgamma + n, vec_fma(d, x, vec_load_n(dgamma + n, H - n)), H - n);
    vec_accumulate_n(dbeta + n, d, H - n);
  }
  const vec mean_g = vec_set1(vec_sum(sum_g) / (float)H), mean_gx = vec_set1(vec_sum(sum_gx) / (float)H);
  for (size_t n = 0; n < H; n += VEC_WIDTH) {
    const vec x = vec_mul(vec_sub(vec_load_n(z + n, H - n), center), scale);
    const vec g = vec_mul(vec_load_n(dout + n, H - n), vec_load_n(gamma + n, H - n));
    vec_store_n(dz + n, vec_mul(vec_fnma(x, mean_gx, vec_sub(g, mean_g)), scale), H - n);
  }
}

void AD_KERNEL(norm_backward)(size_t T, size_t H, const float *dout, const float *z, const float *mean,
                              const float *rstd, const float *gamma, const struct ad_dropout *dropout,
                              const uint32_t *examples, const uint32_t *positions, float *dz, float *dgamma,
                              float *dbeta) {
  struct mask_stream mask;
  for (size_t t = 0; t < T; t++) {
    const float *d = dout + t * H;
    if (mask_is_on(dropout)) {
      mask_start(&mask, dropout, examples[t], positions[t]);
      row_mask(H, d, &mask, dz + t * H);
      d = dz + t * H;
    }
    row_norm_backward(H, d, z + t * H, mean[t], rstd[t], gamma, dz + t * H, dgamma, dbeta);
  }
}

/* dy = mask dz, dbias += dy. */
VEC_INLINE void row_residual_backward(size_t H, const float *dz, struct mask_stream *mask, float *dy, float *dbias) {
  for (size_t n = 0; n < H; n += VEC_WIDTH) {
    vec d = vec_load_n(dz + n, H - n);
    if (mask != NULL) {
      d = vec_mul(d, mask_next(mask, n));
    }
    if (dy != dz) {
      vec_store_n(dy + n, d, H - n);
    }
    vec_accumulate_n(dbias + n, d, H - n);
  }
}

void AD_KERNEL(bias_residual_norm_backward)(size_t T, size_t H, const float *dout, const float *z, const float *mean,
                                            const float *rstd, const float *gamma, const struct ad_dropout *dropout,
                                            const uint32_t *examples, const uint32_t *positions, float *dz, float *dy,
                                            float *dgamma, float *dbeta, float *dbias) {
  struct mask_stream mask;
  for (size_t t = 0; t < T; t++) {
    row_norm_backward(H, dout + t * H, z + t * H, mean[t], rstd[t], gamma, dz + t * H, dgamma, dbeta);
    if (mask_is_on(dropout)) {
      mask_start(&mask, dropout, examples[t], positions[t]);
      row_residual_backward(H, dz + t * H, &mask, dy + t * H, dbias);
    } else {
      row_residual_backward(H, dz + t * H, NULL, dy + t * H, dbias);
    }
  }
}
