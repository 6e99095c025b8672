#include "autodidact/statistics/search.h"

#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/sort.h"
#include "autodidact/base/status.h"
#include "resample.h"

/* ---- Expected best of n ---- */

size_t ad_best_of_counts(size_t N, size_t most, size_t *n) {
  size_t count = 0;
  for (size_t next = 1; next <= N / 2 && count < most; next += next < 20 ? 1 : next / 10) {
    n[count++] = next;
  }
  return count;
}

static double plug_in(size_t N, const double *sorted, double n) {
  double sum = 0.0, below = 0.0;
  for (size_t i = 0; i < N; i++) {
    const double up_to = pow((double)(i + 1) / (double)N, n);
    sum += sorted[i] * (up_to - below);
    below = up_to;
  }
  return sum;
}

/* C(i - 1, n - 1) / C(N, n) for i = 1 .. N into weight [N]: from the top down, w(N) = n / N and w(i - 1) = w(i) (i - n)
 * / (i - 1). */
static void unbiased_weights(size_t N, size_t n, double *weight) {
  double w = (double)n / (double)N;
  for (size_t i = N; i >= 1; i--) {
    weight[i - 1] = w;
    w = i > n ? w * (double)(i - n) / (double)(i - 1) : 0.0;
  }
}

/* The smallest value that the best of n does not exceed with probability p. */
static double plug_in_quantile(size_t N, const double *sorted, double n, double p) {
  const double place = ceil(pow(p, 1 / n) * (double)N - 1e-9);
  return sorted[place<1 ? 0 : place>(double) N ? N - 1 : (size_t)place - 1];
}

static struct ad_figure turned(double value, int higher) {
  return ad_figure_of(higher ? value : -value);
}

static struct ad_interval turned_interval(struct ad_interval i, int higher) {
  return i.why != NULL || higher ? i : ad_interval_of(-i.high, -i.low);
}

int ad_best_of(struct ad_best_of *best, size_t count, const size_t *n, size_t N, const double *values, int higher,
               double level) {
  const int finite = ad__all_finite(N, values);
  double *sorted = ad_malloc(2 * N, sizeof *sorted);
  if (sorted == NULL) {
    return ad_fail_memory(2 * N * sizeof *sorted, "the best of n");
  }
  double *weight = sorted + N;
  for (size_t i = 0; i < N; i++) {
    sorted[i] = higher ? values[i] : -values[i];
  }
  ad_sort_doubles(N, sorted);
  for (size_t k = 0; k < count; k++) {
    const char *why = !finite ? AD__WHY_NOT_FINITE : n[k] == 0 || n[k] > N ? "more runs than there are" : NULL;
    best[k] = (struct ad_best_of){n[k], ad_figure_none(why), ad_figure_none(why), ad_interval_none(why)};
    if (why != NULL) {
      continue;
    }
    const double runs = (double)n[k];
    double unbiased = 0.0;
    unbiased_weights(N, n[k], weight);
    for (size_t i = 0; i < N; i++) {
      unbiased += sorted[i] * weight[i];
    }
    best[k].plug_in = turned(plug_in(N, sorted, runs), higher);
    best[k].unbiased = turned(unbiased, higher);
    best[k].band = turned_interval(ad_interval_of(plug_in_quantile(N, sorted, runs, 0.5 - level / 2),
                                                  plug_in_quantile(N, sorted, runs, 0.5 + level / 2)),
                                   higher);
  }
  ad_free(sorted);
  return AD_OK;
}

/* ---- Stopping early ---- */

/* A run that a plan trains to the end; the lower key is the better score. */
struct picked {
  double key;
  size_t run;
};

/* The best `top` of draws by the score at a point: the score at the end of the best of the first 1, 2, ... of them is
 * added to sum[0 ..]. picked [t]: work. */
static void add_plan(size_t t, size_t top, const uint32_t *draw, const double *at, const double *end,
                     struct picked *picked, double *sum) {
  size_t count = 0;
  for (size_t i = 0; i < t; i++) {
    const struct picked one = {-at[draw[i]], draw[i]};
    if (count == top && !(one.key < picked[count - 1].key)) {
      continue;
    }
    size_t place = count < top ? count++ : count - 1;
    for (; place > 0 && one.key < picked[place - 1].key; place--) {
      picked[place] = picked[place - 1];
    }
    picked[place] = one;
  }
  double best = -INFINITY;
  for (size_t p = 0; p < count; p++) {
    best = fmax(best, end[picked[p].run]);
    sum[p] += best;
  }
}

struct frontier {
  size_t N, F, count;
  const double *share;
  double *so_far; /* [F,N] best score up to each point, larger is better */
  double *end;    /* [N] */
  uint32_t *draw;
  struct picked *picked;
  double *sum; /* [count] */
};

/* All plans that start t runs and stop some at point f. */
static void try_plans(const struct frontier *s, size_t t, size_t f, struct ad_early_plan *plan,
                      const struct ad_resampling *how) {
  const double share = s->share[f];
  const double most = ((double)s->count - (double)t * share) / (1.0 - share);
  const size_t top = most >= (double)t ? t : (size_t)fmax(0.0, most + 1e-9);
  if (top == 0) {
    return;
  }
  memset(s->sum, 0, top * sizeof *s->sum);
  for (size_t r = 0; r < how->replicates; r++) {
    ad__draw_indices(how, DRAW_TRIALS + (uint32_t)t, r, t, s->N, s->draw);
    add_plan(t, top, s->draw, s->so_far + f * s->N, s->end, s->picked, s->sum);
  }
  for (size_t p = 1; p <= top; p++) {
    const double cost = (double)t * share + (double)p * (1.0 - share), value = s->sum[p - 1] / (double)how->replicates;
    for (size_t b = (size_t)ceil(cost - 1e-9); b <= s->count; b++) {
      if (b >= 1 && (plan[b - 1].expected.why != NULL || value > plan[b - 1].expected.value)) {
        plan[b - 1] = (struct ad_early_plan){ad_figure_of(value), t, p, f, cost};
      }
    }
  }
}

static void prepare_scores(const struct frontier *s, const double *scores, int higher) {
  for (size_t i = 0; i < s->N; i++) {
    double best = -INFINITY;
    for (size_t f = 0; f < s->F; f++) {
      const double score = higher ? scores[i * s->F + f] : -scores[i * s->F + f];
      best = fmax(best, score);
      s->so_far[f * s->N + i] = best;
      s->end[i] = score;
    }
  }
}

static void plain_plans(const struct frontier *s, struct ad_early_plan *plan, struct ad_early_plan *plain,
                        const struct ad_resampling *how) {
  for (size_t b = 1; b <= s->count; b++) {
    double sum = 0.0;
    for (size_t r = 0; r < how->replicates; r++) {
      double best = -INFINITY;
      ad__draw_indices(how, DRAW_TRIALS + (uint32_t)b, r, b, s->N, s->draw);
      for (size_t i = 0; i < b; i++) {
        best = fmax(best, s->end[s->draw[i]]);
      }
      sum += best;
    }
    plain[b - 1] = plan[b - 1] =
        (struct ad_early_plan){ad_figure_of(sum / (double)how->replicates), b, b, s->F, (double)b};
  }
}

int ad_early_frontier(struct ad_early_plan *plan, struct ad_early_plan *plain, size_t count, size_t N, size_t F,
                      const double *scores, const double *share, int higher, const struct ad_resampling *how) {
  const char *why = N < 2                            ? AD__WHY_ONE_RUN
                    : F < 2                          ? "the runs were scored at their end only"
                    : !ad__all_finite(N * F, scores) ? AD__WHY_NOT_FINITE
                                                     : NULL;
  for (size_t b = 0; b < count; b++) {
    plan[b] = plain[b] = (struct ad_early_plan){ad_figure_none(why), b + 1, b + 1, F, (double)(b + 1)};
  }
  if (why != NULL) {
    return AD_OK;
  }
  const size_t most = count > (size_t)1 << 16 ? 0 : (size_t)fmin(4.0 * (double)count, (double)count / share[0]);
  struct frontier s = {.N = N, .F = F, .count = count, .share = share};
  s.so_far = ad_malloc((F + 1) * N + count, sizeof *s.so_far);
  s.draw = ad_malloc(most + count, sizeof *s.draw);
  s.picked = ad_malloc(most + 1, sizeof *s.picked);
  int status = AD_OK;
  if (s.so_far == NULL || s.draw == NULL || s.picked == NULL) {
    status = ad_fail_memory(((F + 1) * N + count) * sizeof *s.so_far, "plans that stop early");
    goto out;
  }
  s.end = s.so_far + F * N;
  s.sum = s.end + N;
  prepare_scores(&s, scores, higher);
  plain_plans(&s, plan, plain, how);
  for (size_t f = 0; f + 1 < F; f++) {
    for (size_t t = 2; t <= most && (double)t * share[f] < (double)count; t++) {
      try_plans(&s, t, f, plan, how);
    }
  }
  for (size_t b = 0; b < count && !higher; b++) {
    plan[b].expected.value = -plan[b].expected.value;
    plain[b].expected.value = -plain[b].expected.value;
  }
out:
  ad_free(s.so_far);
  ad_free(s.draw);
  ad_free(s.picked);
  return status;
}
