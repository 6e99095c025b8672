/* The classifier and its loss: few rows, few classes. */
#include "autodidact/base/elementary.h"
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
      sum += ad_math_exp(row[c] - max);
    }
    loss[b] = (float)(ad_math_log(sum) + (max - row[labels[b]]));
    if (dlogits == NULL) {
      continue;
    }
    for (size_t c = 0; c < C; c++) {
      const double p = ad_math_exp(row[c] - max) / sum;
      dlogits[b * C + c] = (float)(scale * (p - (c == labels[b] ? 1.0 : 0.0)));
    }
  }
}

/* exp(row - max) of a row [C] into `out` (NULL: nowhere), and their sum. */
static double wide_exponentials(size_t C, const float *row, float max, float *out) {
  enum { PART = 1024 };
  const vec largest = vec_set1(max);
  double total = 0.0;
  for (size_t begin = 0; begin < C; begin += PART) {
    const size_t end = C - begin < PART ? C : begin + PART;
    vec sum = vec_set1(0.0f);
    for (size_t c = begin; c < end; c += VEC_WIDTH) {
      const vec e = vec_exp(vec_sub(vec_load_fill(row + c, end - c, -INFINITY), largest));
      sum = vec_add(sum, e);
      if (out != NULL) {
        vec_store_n(out + c, e, end - c);
      }
    }
    total += (double)vec_sum(sum);
  }
  return total;
}

void AD_KERNEL(wide_cross_entropy)(size_t B, size_t C, const float *logits, const uint32_t *labels, float scale,
                                   float *loss, float *dlogits) {
  for (size_t b = 0; b < B; b++) {
    const float *row = logits + b * C, own = row[labels[b]];
    float *slope = dlogits == NULL ? NULL : dlogits + b * C;
    vec largest = vec_set1(-INFINITY);
    for (size_t c = 0; c < C; c += VEC_WIDTH) {
      largest = vec_max(vec_load_fill(row + c, C - c, -INFINITY), largest);
    }
    const float max = vec_largest(largest);
    const double sum = wide_exponentials(C, row, max, slope);
    loss[b] = (float)(ad_math_log(sum) + ((double)max - (double)own));
    if (slope == NULL) {
      continue;
    }
    const double at_label = (double)slope[labels[b]] / sum - 1.0;
    const vec factor = vec_set1((float)(scale / sum));
    for (size_t c = 0; c < C; c += VEC_WIDTH) {
      vec_store_n(slope + c, vec_mul(vec_load_n(slope + c, C - c), factor), C - c);
    }
    slope[labels[b]] = (float)(scale * at_label);
  }
}

void AD_KERNEL(squared_error)(size_t B, size_t C, const float *student, const float *teacher, float scale,
                              float *distance, float *dlogits) {
  for (size_t b = 0; b < B; b++) {
    double sum = 0.0;
    for (size_t c = 0; c < C; c++) {
      const size_t at = b * C + c;
      const double difference = (double)student[at] - (double)teacher[at];
      sum += difference * difference;
      dlogits[at] = (float)(dlogits[at] + scale * (2.0 * difference / (double)C));
    }
    distance[b] = (float)(sum / (double)C);
  }
}

/* log(sum exp) of a row. */
static double log_partition(size_t C, const float *row) {
  double max = -INFINITY, sum = 0.0;
  for (size_t c = 0; c < C; c++) {
    max = row[c] > max ? row[c] : max;
  }
  for (size_t c = 0; c < C; c++) {
    sum += ad_math_exp(row[c] - max);
  }
  return max + ad_math_log(sum);
}

/* D = 1/2 sum (p - q) l, l = log p - log q. By the logits a of p: dD/da = 1/2 (p (l - sum p l) + p - q). */
void AD_KERNEL(symmetric_divergence)(size_t B, size_t C, const float *first, const float *second, float scale,
                                     float *divergence, float *dfirst, float *dsecond) {
  for (size_t b = 0; b < B; b++) {
    const float *a = first + b * C, *z = second + b * C;
    const double of_p = log_partition(C, a), of_q = log_partition(C, z);
    double over_p = 0.0, over_q = 0.0; /* sum p l, sum q l */
    for (size_t c = 0; c < C; c++) {
      const double log_p = a[c] - of_p, log_q = z[c] - of_q;
      over_p += ad_math_exp(log_p) * (log_p - log_q);
      over_q += ad_math_exp(log_q) * (log_p - log_q);
    }
    divergence[b] = (float)(0.5 * (over_p - over_q));
    for (size_t c = 0; c < C; c++) {
      const size_t at = b * C + c;
      const double log_p = a[c] - of_p, log_q = z[c] - of_q, l = log_p - log_q;
      const double p = ad_math_exp(log_p), q = ad_math_exp(log_q);
      dfirst[at] = (float)(dfirst[at] + scale * (0.5 * (p * (l - over_p) + (p - q))));
      dsecond[at] = (float)(dsecond[at] + scale * (0.5 * (q * (over_q - l) + (q - p))));
    }
  }
}
