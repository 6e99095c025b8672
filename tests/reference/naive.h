/* The kernels of autodidact/math/kernels.h once more, in plain loops and double precision, straight from the equations.
 *
 * They are what the fast kernels are tested against, and what is differentiated numerically to test each backward.
 * Shapes and letters as in kernels.h; everything contiguous. */
#ifndef AD_TESTS_REFERENCE_NAIVE_H
#define AD_TESTS_REFERENCE_NAIVE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "autodidact/base/random.h"
#include "autodidact/math/kernels.h"

/* The factor of one element (0 or 1 / (1 - p)), from the formula in kernels.h. */
static inline double naive_factor(const struct ad_dropout *d, uint32_t example, uint32_t position, size_t column) {
  if (d == NULL || d->threshold == 0) {
    return 1.0;
  }
  const uint32_t q = (uint32_t)(column / 64), j = (uint32_t)(column % 64 / 16), i = (uint32_t)(column % 16);
  const uint32_t counter[4] = {d->step, example, d->site << 16 | position, 16 * q + i};
  const uint32_t key[2] = {(uint32_t)(d->seed & 0xFFFFFFFFu), (uint32_t)(d->seed >> 32)};
  uint32_t words[4];
  ad_philox(counter, key, words);
  return words[j] < d->threshold ? 0.0 : (double)d->scale;
}

/* One row: out = dropout((z - mean) / sqrt(variance + eps) gamma + beta). mean, rstd may be NULL. */
static inline void naive_norm(size_t H, const double *z, const double *gamma, const double *beta, double eps,
                              const struct ad_dropout *d, uint32_t example, uint32_t position, double *mean,
                              double *rstd, double *out) {
  double m = 0.0, v = 0.0;
  for (size_t n = 0; n < H; n++) {
    m += z[n] / (double)H;
  }
  for (size_t n = 0; n < H; n++) {
    v += (z[n] - m) * (z[n] - m) / (double)H;
  }
  const double r = 1.0 / sqrt(v + eps);
  for (size_t n = 0; n < H; n++) {
    out[n] = ((z[n] - m) * r * gamma[n] + beta[n]) * naive_factor(d, example, position, n);
  }
  if (mean != NULL) {
    *mean = m;
    *rstd = r;
  }
}

/* One row: z = dropout(y + bias) + residual. */
static inline void naive_bias_residual(size_t H, const double *y, const double *bias, const double *residual,
                                       const struct ad_dropout *d, uint32_t example, uint32_t position, double *z) {
  for (size_t n = 0; n < H; n++) {
    z[n] = (y[n] + bias[n]) * naive_factor(d, example, position, n) + residual[n];
  }
}

/* 0: x Phi(x); 1: its tanh form; 2: relu. */
static inline double naive_activation(int activation, double x) {
  switch (activation) {
    case 0:
      return x * 0.5 * erfc(-x / sqrt(2.0));
    case 1:
      return 0.5 * x * (1.0 + tanh(sqrt(2.0 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
    default:
      return isnan(x) || x > 0.0 ? x : 0.0;
  }
}

/* Its derivative, from the equations. */
static inline double naive_activation_slope(int activation, double x) {
  const double pi = acos(-1.0);
  switch (activation) {
    case 0:
      return 0.5 * erfc(-x / sqrt(2.0)) + x * exp(-0.5 * x * x) / sqrt(2.0 * pi);
    case 1: {
      const double t = tanh(sqrt(2.0 / pi) * (x + 0.044715 * x * x * x));
      return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * sqrt(2.0 / pi) * (1.0 + 3.0 * 0.044715 * x * x);
    }
    default:
      return x > 0.0 ? 1.0 : 0.0;
  }
}

/* Attention of one head. Q [queries,D], K, V [S,D]; bias [2 S - 1] by key - query + S - 1, or NULL; p [queries,S]
 * receives the probabilities before dropout, context [queries,D]. */
static inline void naive_attention(size_t queries, size_t S, size_t D, const double *Q, const double *K,
                                   const double *V, const double *bias, const struct ad_dropout *d, uint32_t example,
                                   uint32_t head, double *p, double *context) {
  for (size_t q = 0; q < queries; q++) {
    double max = -INFINITY, sum = 0.0;
    for (size_t k = 0; k < S; k++) {
      double score = 0.0;
      for (size_t n = 0; n < D; n++) {
        score += Q[q * D + n] * K[k * D + n];
      }
      p[q * S + k] = score / sqrt((double)D) + (bias == NULL ? 0.0 : bias[S - 1 + k - q]);
      max = p[q * S + k] > max ? p[q * S + k] : max;
    }
    for (size_t k = 0; k < S; k++) {
      p[q * S + k] = exp(p[q * S + k] - max);
      sum += p[q * S + k];
    }
    for (size_t n = 0; n < D; n++) {
      context[q * D + n] = 0.0;
    }
    for (size_t k = 0; k < S; k++) {
      p[q * S + k] /= sum;
      const double dropped = p[q * S + k] * naive_factor(d, example, head, q * S + k);
      for (size_t n = 0; n < D; n++) {
        context[q * D + n] += dropped * V[k * D + n];
      }
    }
  }
}

/* Its backward from the probabilities p of the forward: with f the dropout factors, P' = p f,
 * dV = P'^T dC; dP = (dC V^T) f; dS = p (dP - sum_k p dP); dQ = dS K / sqrt D; dK = dS^T Q / sqrt D; dbias, unless
 * NULL, [2 S - 1] sums of dS by distance. */
static inline void naive_attention_backward(size_t queries, size_t S, size_t D, const double *Q, const double *K,
                                            const double *V, const struct ad_dropout *d, uint32_t example,
                                            uint32_t head, const double *p, const double *dcontext, double *dQ,
                                            double *dK, double *dV, double *dbias) {
  double *dp = malloc(S * sizeof *dp);
  for (size_t i = 0; dbias != NULL && i < 2 * S - 1; i++) {
    dbias[i] = 0.0;
  }
  for (size_t i = 0; i < S * D; i++) {
    dK[i] = dV[i] = 0.0;
  }
  for (size_t q = 0; q < queries; q++) {
    double inner = 0.0;
    for (size_t k = 0; k < S; k++) {
      const double factor = naive_factor(d, example, head, q * S + k);
      dp[k] = 0.0;
      for (size_t n = 0; n < D; n++) {
        dp[k] += dcontext[q * D + n] * V[k * D + n] * factor;
        dV[k * D + n] += p[q * S + k] * factor * dcontext[q * D + n];
      }
      inner += p[q * S + k] * dp[k];
    }
    for (size_t n = 0; n < D; n++) {
      dQ[q * D + n] = 0.0;
    }
    for (size_t k = 0; k < S; k++) {
      const double dscore = p[q * S + k] * (dp[k] - inner), ds = dscore / sqrt((double)D);
      if (dbias != NULL) {
        dbias[S - 1 + k - q] += dscore;
      }
      for (size_t n = 0; n < D; n++) {
        dQ[q * D + n] += ds * K[k * D + n];
        dK[k * D + n] += ds * Q[q * D + n];
      }
    }
  }
  free(dp);
}

/* Relative attention of one head, as struct ad_relative defines it: Q [queries,D], K, V [S,D], R [queries+S-1,D], the
 * three biases [3,D] (content, position, segment), segments [2,D]. p [queries,S] as of naive_attention. */
struct naive_relative {
  size_t queries, S, D;
  const double *Q, *K, *V, *R, *bias, *segments;
  const uint32_t *types;
  const struct ad_dropout *dropout;
  uint32_t example, head;
};

/* The three vectors that query q is multiplied with key k by: of term n (0 to 2) element i. */
static inline double naive_relative_key(const struct naive_relative *r, size_t q, size_t k, size_t n, size_t i) {
  const size_t other = r->types[r->S - r->queries + q] != r->types[k];
  return n == 0   ? r->K[k * r->D + i]
         : n == 1 ? r->R[(r->queries - 1 - q + k) * r->D + i]
                  : r->segments[other * r->D + i];
}

static inline void naive_relative_attention(const struct naive_relative *r, double *p, double *context) {
  const size_t S = r->S, D = r->D;
  for (size_t q = 0; q < r->queries; q++) {
    double max = -INFINITY, sum = 0.0;
    for (size_t k = 0; k < S; k++) {
      double score = 0.0;
      for (size_t i = 0; i < 3 * D; i++) {
        score += (r->Q[q * D + i % D] + r->bias[i]) * naive_relative_key(r, q, k, i / D, i % D);
      }
      p[q * S + k] = score / sqrt((double)D);
      max = p[q * S + k] > max ? p[q * S + k] : max;
    }
    for (size_t k = 0; k < S; k++) {
      p[q * S + k] = exp(p[q * S + k] - max);
      sum += p[q * S + k];
    }
    for (size_t i = 0; i < D; i++) {
      context[q * D + i] = 0.0;
    }
    for (size_t k = 0; k < S; k++) {
      p[q * S + k] /= sum;
      const double f = naive_factor(r->dropout, r->example, r->head, (S - r->queries + q) * S + k);
      for (size_t i = 0; i < D; i++) {
        context[q * D + i] += p[q * S + k] * f * r->V[k * D + i];
      }
    }
  }
}

/* Its backward: every gradient has the shape of what it is of, and is overwritten. */
static inline void naive_relative_backward(const struct naive_relative *r, const double *p, const double *dcontext,
                                           double *dQ, double *dK, double *dV, double *dR, double *dbias,
                                           double *dsegments) {
  const size_t S = r->S, D = r->D;
  double *const all[] = {dQ, dK, dV, dR, dbias, dsegments};
  const size_t rows[] = {r->queries, S, S, r->queries + S - 1, 3, 2};
  for (size_t n = 0; n < 6; n++) {
    for (size_t i = 0; i < rows[n] * D; i++) {
      all[n][i] = 0.0;
    }
  }
  double *dp = malloc(S * sizeof *dp);
  for (size_t q = 0; q < r->queries; q++) {
    double inner = 0.0;
    for (size_t k = 0; k < S; k++) {
      const double f = naive_factor(r->dropout, r->example, r->head, (S - r->queries + q) * S + k);
      dp[k] = 0.0;
      for (size_t i = 0; i < D; i++) {
        dp[k] += dcontext[q * D + i] * r->V[k * D + i] * f;
        dV[k * D + i] += p[q * S + k] * f * dcontext[q * D + i];
      }
      inner += p[q * S + k] * dp[k];
    }
    for (size_t k = 0; k < S; k++) {
      const double ds = p[q * S + k] * (dp[k] - inner) / sqrt((double)D);
      const size_t other = r->types[S - r->queries + q] != r->types[k];
      double *const key[] = {dK + k * D, dR + (r->queries - 1 - q + k) * D, dsegments + other * D};
      for (size_t i = 0; i < 3 * D; i++) {
        dQ[q * D + i % D] += ds * naive_relative_key(r, q, k, i / D, i % D);
        dbias[i] += ds * naive_relative_key(r, q, k, i / D, i % D);
        key[i / D][i % D] += ds * (r->Q[q * D + i % D] + r->bias[i]);
      }
    }
  }
  free(dp);
}

/* logits [C] of one row h [H]. */
static inline void naive_classify(size_t C, size_t H, const double *h, const double *weight, const double *bias,
                                  double *logits) {
  for (size_t c = 0; c < C; c++) {
    logits[c] = bias[c];
    for (size_t n = 0; n < H; n++) {
      logits[c] += h[n] * weight[c * H + n];
    }
  }
}

/* log sum exp(logits) - logits[label]. */
static inline double naive_cross_entropy(size_t C, const double *logits, size_t label) {
  double max = -INFINITY, sum = 0.0;
  for (size_t c = 0; c < C; c++) {
    max = logits[c] > max ? logits[c] : max;
  }
  for (size_t c = 0; c < C; c++) {
    sum += exp(logits[c] - max);
  }
  return max + log(sum) - logits[label];
}

/* Mean over C of (student - teacher)^2. */
static inline double naive_squared_error(size_t C, const double *student, const double *teacher) {
  double sum = 0.0;
  for (size_t c = 0; c < C; c++) {
    sum += (student[c] - teacher[c]) * (student[c] - teacher[c]);
  }
  return sum / (double)C;
}

/* KL(softmax(a) || softmax(z)). */
static inline double naive_divergence(size_t C, const double *a, const double *z) {
  double sum = 0.0;
  for (size_t c = 0; c < C; c++) {
    const double log_p = -naive_cross_entropy(C, a, c);
    sum += exp(log_p) * (log_p + naive_cross_entropy(C, z, c));
  }
  return sum;
}

/* The slope of 1/2 (KL(p || q) + KL(q || p)) by the logits a of p, term by term: d KL(p || q) / da_c = p_c (log p_c -
 * log q_c - KL(p || q)), d KL(q || p) / da_c = p_c - q_c. */
static inline double naive_divergence_slope(size_t C, const double *a, const double *z, size_t c) {
  const double log_p = -naive_cross_entropy(C, a, c), log_q = -naive_cross_entropy(C, z, c);
  return 0.5 * (exp(log_p) * (log_p - log_q - naive_divergence(C, a, z)) + exp(log_p) - exp(log_q));
}

/* One step of torch.optim.AdamW (its documentation's algorithm), corrections given as 1 - beta^t. */
static inline void naive_adamw(const struct ad_adamw *a, double gradient, double *theta, double *m, double *v) {
  const double g = gradient * a->gradient_scale;
  *theta -= a->lr * a->decay * *theta;
  *m = a->beta1 * *m + (1.0 - a->beta1) * g;
  *v = a->beta2 * *v + (1.0 - a->beta2) * g * g;
  *theta -= a->lr * (*m / a->correction1) / (sqrt(*v / a->correction2) + a->eps);
}

#endif
