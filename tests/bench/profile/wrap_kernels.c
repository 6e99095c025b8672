/* Timers around the vector kernels: the table that ad_kernels_find hands out holds these. */
#include "autodidact/math/kernels.h"
#include "profile.h"

static const struct ad_kernels *real;

/* WRAP(part, kernel, (parameters), (arguments)) */
#define WRAP(part, kernel, parameters, arguments) \
  static void timed_##kernel parameters {         \
    profile_enter(PROFILE_##part);                \
    real->kernel arguments;                       \
    profile_leave();                              \
  }

typedef const float *in;
typedef float *out;
typedef const uint32_t *ids;
typedef const struct ad_dropout *mask;

WRAP(EMBEDDING, embed, (size_t T, size_t H, ids a, ids b, ids c, in d, in e, in f, out g), (T, H, a, b, c, d, e, f, g))
WRAP(NORM, norm, (size_t T, size_t H, in z, in c, in d, float eps, mask m, ids e, ids p, out f, out g, out h),
     (T, H, z, c, d, eps, m, e, p, f, g, h))
WRAP(NORM, bias_residual_norm,
     (size_t T, size_t H, out y, in a, in b, in c, in d, float eps, mask m, ids e, ids p, out f, out g, out h),
     (T, H, y, a, b, c, d, eps, m, e, p, f, g, h))
WRAP(NORM_BACK, norm_backward,
     (size_t T, size_t H, in a, in b, in c, in d, in e, mask m, ids f, ids p, out g, out h, out i),
     (T, H, a, b, c, d, e, m, f, p, g, h, i))
WRAP(NORM_BACK, bias_residual_norm_backward,
     (size_t T, size_t H, in a, in b, in c, in d, in e, mask m, ids f, ids p, out g, out h, out i, out j, out k),
     (T, H, a, b, c, d, e, m, f, p, g, h, i, j, k))
WRAP(GELU, bias_activation, (size_t T, size_t F, int a, out u, in b, out g), (T, F, a, u, b, g))
WRAP(GELU_BACK, bias_activation_backward, (size_t T, size_t F, int a, in b, in c, out d, out e), (T, F, a, b, c, d, e))
WRAP(BIAS, bias, (size_t T, size_t N, out x, size_t ld, in b), (T, N, x, ld, b))
WRAP(BIAS, column_sum, (size_t T, size_t N, in x, size_t ld, out b), (T, N, x, ld, b))
WRAP(HEAD, bias_tanh, (size_t T, size_t H, out x, in b), (T, H, x, b))
WRAP(HEAD, tanh_backward, (size_t T, size_t H, in a, in b, out c, out d), (T, H, a, b, c, d))
WRAP(HEAD, dropout, (size_t T, size_t H, out x, mask m, ids e, ids p), (T, H, x, m, e, p))
WRAP(HEAD, classify, (size_t B, size_t C, size_t H, in a, in b, in c, out d), (B, C, H, a, b, c, d))
WRAP(HEAD, classify_backward, (size_t B, size_t C, size_t H, in a, in b, in c, out d, out e, out f),
     (B, C, H, a, b, c, d, e, f))
WRAP(HEAD, cross_entropy, (size_t B, size_t C, in a, ids b, float c, out d, out e), (B, C, a, b, c, d, e))
WRAP(HEAD, wide_cross_entropy, (size_t B, size_t C, in a, ids b, float c, out d, out e), (B, C, a, b, c, d, e))
WRAP(HEAD, squared_error, (size_t B, size_t C, in a, in b, float c, out d, out e), (B, C, a, b, c, d, e))
WRAP(HEAD, symmetric_divergence, (size_t B, size_t C, in a, in b, float c, out d, out e, out f),
     (B, C, a, b, c, d, e, f))
WRAP(TREE, add, (size_t n, out a, in b), (n, a, b))
WRAP(TREE, sum, (size_t n, in a, in b, out c), (n, a, b, c))
WRAP(EMBEDDING, scatter_add, (size_t n, size_t H, ids a, in b, out c), (n, H, a, b, c))

/* Products inside attention: scores and context forwards; backwards the scores again and one each for dV, dP, dQ, dK.
 */
static void timed_attention(size_t queries, size_t S, size_t A, size_t D, in Q, size_t ldq, in K, in V, size_t ldk,
                            mask m, uint32_t example, const struct ad_distance_bias *bias, out context, size_t ldc,
                            out work) {
  profile_enter(PROFILE_ATTENTION);
  real->attention(queries, S, A, D, Q, ldq, K, V, ldk, m, example, bias, context, ldc, work);
  profile_leave();
  profile_attention(4.0 * (double)(queries * S) * (double)(A * D));
}

static void timed_attention_backward(size_t queries, size_t S, size_t A, size_t D, in Q, size_t ldq, in K, in V,
                                     size_t ldk, mask m, uint32_t example, const struct ad_distance_bias *bias,
                                     in dcontext, size_t ldc, out dQ, out dK, out dV, out work) {
  profile_enter(PROFILE_ATTENTION_BACK);
  real->attention_backward(queries, S, A, D, Q, ldq, K, V, ldk, m, example, bias, dcontext, ldc, dQ, dK, dV, work);
  profile_leave();
  profile_attention(10.0 * (double)(queries * S) * (double)(A * D));
}

/* Relative attention has the distances' products besides. */
static void timed_relative_attention(const struct ad_relative *r, out context, size_t ldc, out work) {
  profile_enter(PROFILE_ATTENTION);
  real->relative_attention(r, context, ldc, work);
  profile_leave();
  profile_attention(6.0 * (double)(r->queries * r->S) * (double)(r->A * r->D));
}

static void timed_relative_attention_backward(const struct ad_relative *r, in dcontext, size_t ldc,
                                              const struct ad_relative_gradient *gradient, out work) {
  profile_enter(PROFILE_ATTENTION_BACK);
  real->relative_attention_backward(r, dcontext, ldc, gradient, work);
  profile_leave();
  profile_attention(16.0 * (double)(r->queries * r->S) * (double)(r->A * r->D));
}

/* Kernels that are not listed are those of the optimizer, the window and the observer, timed as wholes in wrap_calls.c.
 */
#define TIMED(X)                 \
  X(embed)                       \
  X(norm)                        \
  X(bias_residual_norm)          \
  X(norm_backward)               \
  X(bias_residual_norm_backward) \
  X(bias_activation)             \
  X(bias_activation_backward)    \
  X(bias)                        \
  X(column_sum)                  \
  X(bias_tanh)                   \
  X(tanh_backward)               \
  X(dropout)                     \
  X(classify)                    \
  X(classify_backward)           \
  X(cross_entropy)               \
  X(wide_cross_entropy)          \
  X(squared_error)               \
  X(symmetric_divergence)        \
  X(add)                         \
  X(sum)                         \
  X(scatter_add)                 \
  X(attention)                   \
  X(attention_backward)          \
  X(relative_attention)          \
  X(relative_attention_backward)

const struct ad_kernels *__real_ad_kernels_find(const char *name);
const struct ad_kernels *__wrap_ad_kernels_find(const char *name);

const struct ad_kernels *__wrap_ad_kernels_find(const char *name) {
  static struct ad_kernels table;
  if (real == NULL) {
    real = __real_ad_kernels_find(name);
    if (real == NULL) {
      return NULL;
    }
    table = *real;
#define SET(kernel) table.kernel = timed_##kernel;
    TIMED(SET)
#undef SET
  }
  return &table;
}
