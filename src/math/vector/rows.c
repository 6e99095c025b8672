/* Kernels that take each element once: embeddings, biases, dropout, additions. */
#include "vector/mask.h"

void AD_KERNEL(embed)(size_t T, size_t H, const uint32_t *ids, const uint32_t *positions, const uint32_t *types,
                      const float *word, const float *position, const float *type, float *out) {
  for (size_t t = 0; t < T; t++) {
    const float *w = word + (size_t)ids[t] * H, *p = position + (size_t)positions[t] * H;
    for (size_t n = 0; n < H; n += VEC_WIDTH) {
      vec_store_n(out + t * H + n, vec_add(vec_load_n(w + n, H - n), vec_load_n(p + n, H - n)), H - n);
    }
    const float *y = type == NULL ? NULL : type + (size_t)types[t] * H;
    for (size_t n = 0; type != NULL && n < H; n += VEC_WIDTH) {
      vec_accumulate_n(out + t * H + n, vec_load_n(y + n, H - n), H - n);
    }
  }
}

void AD_KERNEL(bias)(size_t T, size_t N, float *x, size_t ld, const float *bias) {
  for (size_t t = 0; t < T; t++) {
    for (size_t n = 0; n < N; n += VEC_WIDTH) {
      vec_accumulate_n(x + t * ld + n, vec_load_n(bias + n, N - n), N - n);
    }
  }
}

void AD_KERNEL(column_sum)(size_t T, size_t N, const float *dx, size_t ld, float *dbias) {
  for (size_t t = 0; t < T; t++) {
    for (size_t n = 0; n < N; n += VEC_WIDTH) {
      vec_accumulate_n(dbias + n, vec_load_n(dx + t * ld + n, N - n), N - n);
    }
  }
}

/* Rows that are asked for ahead where a matrix is packed: a short part of each is read, and where the next one begins
 * the hardware does not foresee. */
enum { AHEAD = 16 };

void AD_KERNEL(transpose)(size_t M, size_t N, const float *x, size_t ldx, float *y, size_t ldy) {
  vec tile[16];
  for (size_t m = 0; m < M; m += 16) {
    for (size_t n = 0; n < N; n += 16) {
#pragma GCC unroll 16
      for (size_t i = 0; i < 16; i++) {
        tile[i] = m + i < M ? vec_load_n(x + (m + i) * ldx + n, N - n) : vec_set1(0.0f);
        __builtin_prefetch(x + (m + i + AHEAD) * ldx + n, 0, 2);
      }
      vec_transpose(tile);
#pragma GCC unroll 16
      for (size_t i = 0; i < 16; i++) {
        if (n + i < N) {
          vec_store(y + (n + i) * ldy + m, tile[i]);
        }
      }
    }
  }
}

void AD_KERNEL(copy)(size_t M, size_t N, const float *x, size_t ldx, float *y, size_t ldy) {
  for (size_t m = 0; m < M; m++) {
    for (size_t n = 0; n < N; n += VEC_WIDTH) {
      __builtin_prefetch(x + (m + AHEAD) * ldx + n, 0, 2);
      vec_store_n(y + m * ldy + n, vec_load_n(x + m * ldx + n, N - n), N - n);
    }
  }
}

void AD_KERNEL(bias_tanh)(size_t T, size_t H, float *x, const float *bias) {
  for (size_t t = 0; t < T; t++) {
    for (size_t n = 0; n < H; n += VEC_WIDTH) {
      float *p = x + t * H + n;
      vec_store_n(p, vec_tanh(vec_add(vec_load_n(p, H - n), vec_load_n(bias + n, H - n))), H - n);
    }
  }
}

void AD_KERNEL(tanh_backward)(size_t T, size_t H, const float *dy, const float *y, float *dx, float *dbias) {
  for (size_t t = 0; t < T; t++) {
    for (size_t n = 0; n < H; n += VEC_WIDTH) {
      const vec value = vec_load_n(y + t * H + n, H - n);
      const vec d = vec_mul(vec_load_n(dy + t * H + n, H - n), vec_fnma(value, value, vec_set1(1.0f)));
      vec_store_n(dx + t * H + n, d, H - n);
      vec_accumulate_n(dbias + n, d, H - n);
    }
  }
}

void AD_KERNEL(dropout)(size_t T, size_t H, float *x, const struct ad_dropout *dropout, const uint32_t *examples,
                        const uint32_t *positions) {
  struct mask_stream mask;
  if (!mask_is_on(dropout)) {
    return;
  }
  for (size_t t = 0; t < T; t++) {
    mask_start(&mask, dropout, examples[t], positions[t]);
    for (size_t n = 0; n < H; n += VEC_WIDTH) {
      float *p = x + t * H + n;
      vec_store_n(p, vec_mul(vec_load_n(p, H - n), mask_next(&mask, n)), H - n);
    }
  }
}

void AD_KERNEL(add)(size_t n, float *out, const float *in) {
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    vec_accumulate_n(out + i, vec_load_n(in + i, n - i), n - i);
  }
}

void AD_KERNEL(sum)(size_t n, const float *a, const float *b, float *out) {
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    vec_store_n(out + i, vec_add(vec_load_n(a + i, n - i), vec_load_n(b + i, n - i)), n - i);
  }
}

void AD_KERNEL(scatter_add)(size_t n, size_t H, const uint32_t *rows, const float *x, float *y) {
  for (size_t i = 0; i < n; i++) {
    AD_KERNEL(add)(H, y + (size_t)rows[i] * H, x + i * H);
  }
}
