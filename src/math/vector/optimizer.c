#include "vector/set.h"
#include "vector/vec.h"

double AD_KERNEL(sum_squares)(size_t n, const float *x) {
  vecd sum = vecd_zero();
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    sum = vecd_add_square(sum, vec_load_n(x + i, n - i));
  }
  return vecd_sum(sum);
}

/* The scalars are formed in double and rounded once: 1 - beta2 would lose five digits in float. */
void AD_KERNEL(adamw)(size_t n, const struct ad_adamw *a, const float *gradient, float *theta, float *m, float *v,
                      float *old) {
  const vec beta1 = vec_set1((float)a->beta1), rest1 = vec_set1((float)(1.0 - a->beta1));
  const vec beta2 = vec_set1((float)a->beta2), rest2 = vec_set1((float)(1.0 - a->beta2));
  const vec eps = vec_set1((float)a->eps), keep = vec_set1((float)(1.0 - a->lr * a->decay));
  const vec step = vec_set1((float)(a->lr / a->correction1));
  const vec root = vec_set1((float)(1.0 / sqrt(a->correction2)));
  const vec factor = vec_set1((float)a->gradient_scale);
  for (size_t i = 0; i < n && m == NULL; i += VEC_WIDTH) {
    const vec before = vec_load_n(theta + i, n - i);
    if (old != NULL) {
      vec_store_n(old + i, before, n - i);
    }
    vec_store_n(theta + i, vec_mul(before, keep), n - i);
  }
  if (m == NULL) {
    return;
  }
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    const size_t left = n - i;
    const vec g = gradient == NULL ? vec_set1(0.0f) : vec_mul(vec_load_n(gradient + i, left), factor);
    const vec first = vec_fma(beta1, vec_load_n(m + i, left), vec_mul(rest1, g));
    const vec second = vec_fma(beta2, vec_load_n(v + i, left), vec_mul(vec_mul(rest2, g), g));
    const vec divisor = vec_fma(vec_sqrt(second), root, eps);
    const vec before = vec_load_n(theta + i, left), decayed = vec_mul(before, keep);
    if (old != NULL) {
      vec_store_n(old + i, before, left);
    }
    vec_store_n(m + i, first, left);
    vec_store_n(v + i, second, left);
    vec_store_n(theta + i, vec_fnma(step, vec_div(first, divisor), decayed), left);
  }
}
