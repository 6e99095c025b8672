/* Names of one instruction set's copy of the kernels: kernel `norm` of the set v4 is the function ad_norm_v4. */
#ifndef AD_MATH_VECTOR_SET_H
#define AD_MATH_VECTOR_SET_H

#include "autodidact/math/kernels.h"

#define AD_PASTE_(a, b) a##b
#define AD_PASTE(a, b) AD_PASTE_(a, b)
#define AD_KERNEL(name) AD_PASTE(ad_##name##_, AD_KERNEL_SET)

/* The members of struct ad_kernels, all of them. */
/* clang-format off */
#define AD_KERNEL_LIST(X)         \
  X(embed)                        \
  X(norm)                         \
  X(bias_residual_norm)           \
  X(norm_backward)                \
  X(bias_residual_norm_backward)  \
  X(bias_activation)              \
  X(bias_activation_backward)     \
  X(bias)                         \
  X(transpose)                    \
  X(copy)                         \
  X(product)                      \
  X(column_sum)                   \
  X(bf16_round)                   \
  X(bf16_values)                  \
  X(bf16_pairs)                   \
  X(bf16_left)                    \
  X(bf16_right)                   \
  X(bf16_product)                 \
  X(bf16_normalise)               \
  X(bf16_bias_activation)         \
  X(bf16_activation_backward)     \
  X(bias_tanh)                    \
  X(tanh_backward)                \
  X(dropout)                      \
  X(attention)                    \
  X(attention_backward)           \
  X(relative_attention)           \
  X(relative_attention_backward)  \
  X(classify)                     \
  X(classify_backward)            \
  X(cross_entropy)                \
  X(wide_cross_entropy)           \
  X(squared_error)                \
  X(symmetric_divergence)         \
  X(add)                          \
  X(sum)                          \
  X(scatter_add)                  \
  X(sum_squares)                  \
  X(sum_squared_differences)      \
  X(sketch)                       \
  X(adamw)                        \
  X(window_push)                  \
  X(window_mean)                  \
  X(moving_average)
/* clang-format on */

/* Each function has the type its table entry points to. */
#define AD_KERNEL_PROTOTYPE(name) __typeof__(*((struct ad_kernels *)0)->name) AD_KERNEL(name);
AD_KERNEL_LIST(AD_KERNEL_PROTOTYPE)
#undef AD_KERNEL_PROTOTYPE

#endif
