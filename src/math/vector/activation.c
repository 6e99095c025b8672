/* Activations of the feed-forward layer, with their biases.
 *
 * SLEEF's erf and tanh take 5 to 10 times as long as its exp, so both
 * forms of GELU are written on exp alone. */
#include "autodidact/math/bfloat16.h"
#include "vector/mask.h"

/* The standard normal distribution function of x, and exp(-x^2 / 2) with it.
 *
 * 1 - Phi(|x|) = exp(-x^2 / 2) R(t) with t = 1 / (1 + |x| / 4), where R(t) = erfcx(|x| / sqrt 2) / 2 is smooth: a
 * polynomial without constant term, fitted for least relative error (8e-9) over |x| in [0, 14]. In float32 the tail has
 * a relative error below 1e-6 + 1e-7 x^2, also where 1 + erf would cancel. */
VEC_INLINE vec normal_cdf(vec x, vec *bell) {
  static const float R[10] = {0x1.989142p-4f, 0x1.97858p-4f,  0x1.873b8cp-4f, 0x1.26e8a8p-4f,  0x1.62f2d4p-4f,
                              0x1.a084bcp-7f, 0x1.d1e752p-6f, 0x1.a72204p-5f, -0x1.013236p-4f, 0x1.0fa402p-6f};
  const vec one = vec_set1(1.0f);
  const vec t = vec_div(one, vec_fma(vec_abs(x), vec_set1(0.25f), one));
  vec r = vec_set1(R[9]);
#pragma GCC unroll 9
  for (int i = 8; i >= 0; i--) {
    r = vec_fma(r, t, vec_set1(R[i]));
  }
  *bell = vec_exp(vec_mul(vec_mul(x, x), vec_set1(-0.5f)));
  const vec tail = vec_mul(vec_mul(r, t), *bell);
  return vec_select_positive(x, vec_sub(one, tail), tail);
}

/* s = 0.5 (1 + tanh w) = 1 / (1 + exp(-2w)) with w = sqrt(2/pi) (x + 0.044715 x^3), and 1 - s without cancellation as
 * exp(-2w) s. 2w is bounded from below so that exp does not overflow: past that, s < 2e-35 stands for 0. */
static const float TANH_SCALE = 0.797884560802865356f, TANH_CUBE = 0.044715f;
VEC_INLINE vec tanh_gate(vec x, vec square, vec *complement) {
  const vec one = vec_set1(1.0f);
  const vec w2 = vec_mul(vec_mul(x, vec_set1(2.0f * TANH_SCALE)), vec_fma(square, vec_set1(TANH_CUBE), one));
  const vec e = vec_exp(vec_sub(vec_set1(0.0f), vec_max(vec_set1(-80.0f), w2)));
  const vec s = vec_div(one, vec_add(one, e));
  *complement = vec_mul(e, s);
  return s;
}

/* `activation` is a constant at every call: the switch disappears. */
VEC_INLINE vec activate(vec x, const int activation) {
  vec unused;
  switch (activation) {
    case AD_ACTIVATION_GELU_ERF:
      return vec_mul(x, normal_cdf(x, &unused));
    case AD_ACTIVATION_GELU_TANH:
      return vec_mul(x, tanh_gate(x, vec_mul(x, x), &unused));
    default:
      return vec_max(vec_set1(0.0f), x); /* in this order a NaN stays */
  }
}

/* dg times the derivative at x; *g = the activation itself. */
VEC_INLINE vec activate_backward(vec x, vec dg, const int activation, vec *g) {
  switch (activation) {
    case AD_ACTIVATION_GELU_ERF: { /* Phi(x) + x phi(x) */
      vec bell;
      const vec cdf = normal_cdf(x, &bell);
      *g = vec_mul(x, cdf);
      return vec_mul(dg, vec_fma(vec_mul(x, vec_set1(0.398942280401432678f)), bell, cdf));
    }
    case AD_ACTIVATION_GELU_TANH: { /* s + x s (1 - s) 2 dw/dx */
      const vec square = vec_mul(x, x);
      vec complement;
      const vec s = tanh_gate(x, square, &complement);
      *g = vec_mul(x, s);
      const vec slope =
          vec_mul(vec_fma(square, vec_set1(3.0f * TANH_CUBE), vec_set1(1.0f)), vec_set1(2.0f * TANH_SCALE));
      return vec_mul(dg, vec_fma(vec_mul(vec_mul(x, s), complement), slope, s));
    }
    default:
      *g = vec_max(vec_set1(0.0f), x);
      return vec_select_positive(x, dg, vec_set1(0.0f));
  }
}

VEC_INLINE void forward_rows(size_t T, size_t F, const int activation, float *u, const float *bias, float *g) {
  for (size_t t = 0; t < T; t++) {
    for (size_t n = 0; n < F; n += VEC_WIDTH) {
      const vec x = vec_add(vec_load_n(u + t * F + n, F - n), vec_load_n(bias + n, F - n));
      vec_store_n(u + t * F + n, x, F - n);
      vec_store_n(g + t * F + n, activate(x, activation), F - n);
    }
  }
}

void AD_KERNEL(bias_activation)(size_t T, size_t F, int activation, float *u, const float *bias, float *g) {
  switch (activation) {
    case AD_ACTIVATION_GELU_ERF:
      forward_rows(T, F, AD_ACTIVATION_GELU_ERF, u, bias, g);
      break;
    case AD_ACTIVATION_GELU_TANH:
      forward_rows(T, F, AD_ACTIVATION_GELU_TANH, u, bias, g);
      break;
    default:
      forward_rows(T, F, AD_ACTIVATION_RELU, u, bias, g);
  }
}

VEC_INLINE void backward_rows(size_t T, size_t F, const int activation, const float *dg, const float *u, float *du,
                              float *dbias) {
  for (size_t t = 0; t < T; t++) {
    for (size_t n = 0; n < F; n += VEC_WIDTH) {
      const vec x = vec_load_n(u + t * F + n, F - n);
      vec g;
      const vec d = activate_backward(x, vec_load_n(dg + t * F + n, F - n), activation, &g);
      vec_store_n(du + t * F + n, d, F - n);
      vec_accumulate_n(dbias + n, d, F - n);
    }
  }
}

void AD_KERNEL(bias_activation_backward)(size_t T, size_t F, int activation, const float *dg, const float *u, float *du,
                                         float *dbias) {
  switch (activation) {
    case AD_ACTIVATION_GELU_ERF:
      backward_rows(T, F, AD_ACTIVATION_GELU_ERF, dg, u, du, dbias);
      break;
    case AD_ACTIVATION_GELU_TANH:
      backward_rows(T, F, AD_ACTIVATION_GELU_TANH, dg, u, du, dbias);
      break;
    default:
      backward_rows(T, F, AD_ACTIVATION_RELU, dg, u, du, dbias);
  }
}

/* --- With bfloat16: what is kept is rounded, and so is what products read --- */

/* The dropout factors of a row, where there are any. */
struct row_mask {
  int on;
  struct mask_stream stream;
};

VEC_INLINE void row_mask_start(struct row_mask *mask, const struct ad_dropout *dropout, const uint32_t *examples,
                               const uint32_t *positions, size_t t) {
  mask->on = mask_is_on(dropout);
  if (mask->on) {
    mask_start(&mask->stream, dropout, examples[t], positions[t]);
  }
}

VEC_INLINE vec row_masked(struct row_mask *mask, vec x, size_t n) {
  return mask->on ? vec_mul(x, mask_next(&mask->stream, n)) : x;
}

/* A row is taken in blocks, and a block in short loops: rounding in the loop of an activation would leave the CPU too
 * few of them to overlap. */
enum { BLOCK = 256 };

/* Columns [0, n) of a block rounded, and where the row of F ends in it, zeros up to its depth. */
VEC_INLINE void round_block(size_t n, const float *x, size_t end, uint16_t *rows) {
  for (size_t i = 0; i < end; i += VEC_WIDTH) {
    vec_bf16_round(rows + i, i < n ? vec_load_n(x + i, n - i) : vec_set1(0.0f));
  }
}

VEC_INLINE void bf16_forward_row(size_t F, const int activation, const float *u, const float *bias,
                                 struct row_mask *mask, uint16_t *kept, uint16_t *g) {
  for (size_t begin = 0; begin < F; begin += BLOCK) {
    const size_t n = F - begin < BLOCK ? F - begin : BLOCK, end = ad_bf16_depth(n);
    float x[BLOCK];
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
      const size_t at = begin + i;
      vec_store_n(x + i, vec_add(vec_load_n(u + at, F - at), vec_load_n(bias + at, F - at)), F - at);
    }
    round_block(n, x, end, kept + begin);
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
      vec_store(x + i, row_masked(mask, activate(vec_bf16_load(kept + begin + i), activation), begin + i));
    }
    round_block(n, x, end, g + begin);
  }
}

void AD_KERNEL(bf16_bias_activation)(size_t T, size_t F, int activation, const float *u, const float *bias,
                                     const struct ad_dropout *dropout, const uint32_t *examples,
                                     const uint32_t *positions, uint16_t *kept, uint16_t *g) {
  const size_t depth = ad_bf16_depth(F);
  struct row_mask mask;
  for (size_t t = 0; t < T; t++) {
    row_mask_start(&mask, dropout, examples, positions, t);
    switch (activation) {
      case AD_ACTIVATION_GELU_ERF:
        bf16_forward_row(F, AD_ACTIVATION_GELU_ERF, u + t * F, bias, &mask, kept + t * depth, g + t * depth);
        break;
      case AD_ACTIVATION_GELU_TANH:
        bf16_forward_row(F, AD_ACTIVATION_GELU_TANH, u + t * F, bias, &mask, kept + t * depth, g + t * depth);
        break;
      default:
        bf16_forward_row(F, AD_ACTIVATION_RELU, u + t * F, bias, &mask, kept + t * depth, g + t * depth);
    }
  }
}

VEC_INLINE void bf16_backward_row(size_t F, const int activation, const float *dg, const uint16_t *kept,
                                  struct row_mask *mask, uint16_t *du, float *dbias, uint16_t *g) {
  for (size_t begin = 0; begin < F; begin += BLOCK) {
    const size_t n = F - begin < BLOCK ? F - begin : BLOCK, end = ad_bf16_depth(n);
    float d[BLOCK], activated[BLOCK];
    for (size_t i = 0; i < n; i += VEC_WIDTH) {
      const size_t at = begin + i;
      const vec factor = row_masked(mask, vec_set1(1.0f), at), gradient = vec_load_n(dg + at, F - at);
      vec value;
      const vec x = activate_backward(vec_bf16_load(kept + at), mask->on ? vec_mul(gradient, factor) : gradient,
                                      activation, &value);
      vec_accumulate_n(dbias + at, x, F - at);
      vec_store(d + i, x);
      vec_store(activated + i, mask->on ? vec_mul(value, factor) : value);
    }
    round_block(n, d, end, du + begin);
    round_block(n, activated, end, g + begin);
  }
}

void AD_KERNEL(bf16_activation_backward)(size_t T, size_t F, int activation, const float *dg, const uint16_t *kept,
                                         const struct ad_dropout *dropout, const uint32_t *examples,
                                         const uint32_t *positions, uint16_t *du, float *dbias, uint16_t *g) {
  const size_t depth = ad_bf16_depth(F);
  struct row_mask mask;
  for (size_t t = 0; t < T; t++) {
    const float *d = dg + t * F;
    const uint16_t *u = kept + t * depth;
    row_mask_start(&mask, dropout, examples, positions, t);
    switch (activation) {
      case AD_ACTIVATION_GELU_ERF:
        bf16_backward_row(F, AD_ACTIVATION_GELU_ERF, d, u, &mask, du + t * depth, dbias, g + t * depth);
        break;
      case AD_ACTIVATION_GELU_TANH:
        bf16_backward_row(F, AD_ACTIVATION_GELU_TANH, d, u, &mask, du + t * depth, dbias, g + t * depth);
        break;
      default:
        bf16_backward_row(F, AD_ACTIVATION_RELU, d, u, &mask, du + t * depth, dbias, g + t * depth);
    }
  }
}
