/* The classifier and its loss: few rows, few classes. */
#include "vector/set.h"
#include "vector/vec.h"

void AD_KERNEL(classify)(size_t B, size_t C, size_t H, const float *h, const float *weight, const float *bias,
                         float *logits) {
  for (size_t b = 0; b < B; b++) {
    for (size_t c = 0; c < C; c++) {
      vec sum = vec_set1(0.0f);
      for (size_t n = 0; n < H; n += VEC_WIDTH) {
        sum = vec_fma(vec_load_n(h + b * H + n, H - n), vec_load_n(weight + c * H + n, H - n), sum);
      }
      logits[b * C + c] = vec_sum(sum) + bias[c];
    }
  }
}

void AD_KERNEL(classify_backward)(size_t B, size_t C, size_t H, const float *dlogits, const float *h,
                                  const float *weight, float *dh, float *dweight, float *dbias) {
  for (size_t b = 0; b < B; b++) {
    memset(dh + b * H, 0, H * sizeof *dh);
    for (size_t c = 0; c < C; c++) {
      const float d = dlogits[b * C + c];
      const vec factor = vec_set1(d);
      for (size_t n = 0; n < H; n += VEC_WIDTH) {
        float *to_h = dh + b * H + n, *to_weight = dweight + c * H + n;
        const vec w = vec_load_n(weight + c * H + n, H - n), x = vec_load_n(h + b * H + n, H - n);
        vec_store_n(to_h, vec_fma(factor, w, vec_load_n(to_h, H - n)), H - n);
        vec_store_n(to_weight, vec_fma(factor, x, vec_load_n(to_weight, H - n)), H - n);
      }
      dbias[c] += d;
    }
  }
}

void AD_KERNEL(cross_entropy)(size_t B, size_t C, const float *logits, const uint32_t *labels, float scale, float *loss,
                              float *dlogits) {
  for (size_t b = 0; b < B; b++) {
    const float *row = logits + b * C;
    double max = -INFINITY, sum = 0.0;
    for (size_t c = 0; c < C; c++) {
      max = row[c] > max ? row[c] : max;
    }
    for (size_t c = 0; c < C; c++) {
      sum += scalar_exp(row[c] - max);
    }
    loss[b] = (float)(scalar_log(sum) + (max - row[labels[b]]));
    if (dlogits == NULL) {
      continue;
    }
    for (size_t c = 0; c < C; c++) {
      const double p = scalar_exp(row[c] - max) / sum;
      dlogits[b * C + c] = (float)(scale * (p - (c == labels[b] ? 1.0 : 0.0)));
    }
  }
}
