#include "vector/set.h"
#include "vector/sketch.h"

double AD_KERNEL(sum_squares)(size_t n, const float *x) {
  vecd sum = vecd_zero();
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    sum = vecd_add_square(sum, vec_load_n(x + i, n - i));
  }
  return vecd_sum(sum);
}

/* What is seen of a watched update. The compiler makes a copy of the loops for watch == NULL. */
struct seen {
  vecd value, gradient, update;
  int grouped; /* the sketch's groups are those of the loop */
};
/* What comes a piece later is on its way meanwhile: a watched loop is slower than memory, which would wait for it (and
 * an unwatched one faster, which then waits for these). */
VEC_INLINE void fetch_ahead(const float *at) {
  enum { AHEAD = 1024 };
  __builtin_prefetch(at + AHEAD, 0, 2);
}
VEC_INLINE struct seen see_nothing(const struct ad_watch *watch) {
  const int grouped = watch != NULL && watch->sketch.sum != NULL && watch->sketch.lane == 0;
  return (struct seen){vecd_zero(), vecd_zero(), vecd_zero(), grouped};
}
VEC_INLINE void see(struct seen *s, const struct ad_watch *watch, size_t i, size_t left, vec before, vec after) {
  s->value = vecd_add_square(s->value, after);
  s->update = vecd_add_square(s->update, vec_sub(after, before));
  if (s->grouped && left >= AD_SKETCH_GROUP) {
    sketch_group(&watch->sketch, watch->sketch.words[i / AD_SKETCH_GROUP], after);
  }
}
VEC_INLINE void see_end(const struct seen *s, struct ad_watch *watch, size_t n, const float *theta) {
  const struct ad_sketch *sketch = &watch->sketch;
  const size_t whole = n / AD_SKETCH_GROUP;
  watch->squares[AD_SQUARES_VALUE] = vecd_sum(s->value);
  watch->squares[AD_SQUARES_GRADIENT] = vecd_sum(s->gradient);
  watch->squares[AD_SQUARES_UPDATE] = vecd_sum(s->update);
  if (sketch->sum != NULL && !s->grouped) {
    AD_KERNEL(sketch)(n, sketch, theta);
  } else if (s->grouped && n > whole * AD_SKETCH_GROUP) {
    sketch_part(sketch, sketch->words[whole], 0, n - whole * AD_SKETCH_GROUP, theta + whole * AD_SKETCH_GROUP);
  }
}

_Static_assert((int)VEC_WIDTH == (int)AD_SKETCH_GROUP, "a vector is a group of the sketch");

VEC_INLINE void decay_alone(size_t n, vec keep, float *theta, struct ad_watch *watch) {
  struct seen seen = see_nothing(watch);
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    const vec before = vec_load_n(theta + i, n - i), after = vec_mul(before, keep);
    vec_store_n(theta + i, after, n - i);
    if (watch != NULL) {
      fetch_ahead(theta + i);
      see(&seen, watch, i, n - i, before, after);
    }
  }
  if (watch != NULL) {
    see_end(&seen, watch, n, theta);
  }
}

/* The scalars are formed in double and rounded once: 1 - beta2 would lose five digits in float. */
VEC_INLINE void adamw(size_t n, const struct ad_adamw *a, const float *gradient, float *theta, float *m, float *v,
                      struct ad_watch *watch) {
  const vec beta1 = vec_set1((float)a->beta1), rest1 = vec_set1((float)(1.0 - a->beta1));
  const vec beta2 = vec_set1((float)a->beta2), rest2 = vec_set1((float)(1.0 - a->beta2));
  const vec eps = vec_set1((float)a->eps), keep = vec_set1((float)(1.0 - a->lr * a->decay));
  const vec step = vec_set1((float)(a->lr / a->correction1));
  const vec root = vec_set1((float)(1.0 / sqrt(a->correction2)));
  const vec factor = vec_set1((float)a->gradient_scale);
  if (m == NULL) {
    decay_alone(n, keep, theta, watch);
    return;
  }
  struct seen seen = see_nothing(watch);
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    const size_t left = n - i;
    const vec raw = gradient == NULL ? vec_set1(0.0f) : vec_load_n(gradient + i, left), g = vec_mul(raw, factor);
    const vec first = vec_fma(beta1, vec_load_n(m + i, left), vec_mul(rest1, g));
    const vec second = vec_fma(beta2, vec_load_n(v + i, left), vec_mul(vec_mul(rest2, g), g));
    const vec divisor = vec_fma(vec_sqrt(second), root, eps);
    const vec before = vec_load_n(theta + i, left), decayed = vec_mul(before, keep);
    const vec after = vec_fnma(step, vec_div(first, divisor), decayed);
    vec_store_n(m + i, first, left);
    vec_store_n(v + i, second, left);
    vec_store_n(theta + i, after, left);
    if (watch != NULL) {
      fetch_ahead(theta + i);
      fetch_ahead(m + i);
      fetch_ahead(v + i);
      if (gradient != NULL) {
        fetch_ahead(gradient + i);
      }
      seen.gradient = vecd_add_square(seen.gradient, raw);
      see(&seen, watch, i, left, before, after);
    }
  }
  if (watch != NULL) {
    see_end(&seen, watch, n, theta);
  }
}

void AD_KERNEL(adamw)(size_t n, const struct ad_adamw *a, const float *gradient, float *theta, float *m, float *v,
                      struct ad_watch *watch) {
  if (watch == NULL) {
    adamw(n, a, gradient, theta, m, v, NULL);
  } else {
    adamw(n, a, gradient, theta, m, v, watch);
  }
}
