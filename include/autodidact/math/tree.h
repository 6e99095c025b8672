/* The fixed summation tree over lanes (docs/design.md, section 3).
 *
 * The sum over lanes [lo, hi) is the sum over [lo, split) plus the sum over [split, hi). split is lo plus the largest
 * power of two below hi - lo. A lane without examples is not a summand: it is passed over, wherever it is computed. So
 * the bits of a sum depend on the lanes only, not on who adds them. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MATH_TREE_H
#define AUTODIDACT_MATH_TREE_H

#include <stddef.h>

#include "autodidact/math/kernels.h"

enum { AD_MAX_LANES = 1024, AD_MAX_PARTS = 2 * 10 };

struct ad_span {
  size_t lo, hi; /* lanes [lo, hi) */
};

/* Where the node [lo, hi) is cut; hi - lo >= 2. */
size_t ad_tree_split(size_t lo, size_t hi);

/* Whether [lo, hi) is a node of the tree over [0, W). */
int ad_tree_is_node(size_t W, size_t lo, size_t hi);

/* Whether the neighbours left and right are the two halves of a node of the tree over [0, W), so that their sums may be
 * added. */
int ad_tree_are_halves(size_t W, struct ad_span left, struct ad_span right);

/* The largest nodes of the tree over [0, W) inside [lo, hi), in order, into parts [AD_MAX_PARTS]; returns
 * their number. They cover [lo, hi) exactly. W <= AD_MAX_LANES. */
size_t ad_tree_parts(size_t W, size_t lo, size_t hi, struct ad_span *parts);

/* Writes the summand of lane `lane` to out [n]. */
typedef void (*ad_tree_leaf)(void *context, size_t lane, float *out);

/* Floats of work memory for ad_tree_sum over `lanes` lanes and n values: one level of the tree each. */
size_t ad_tree_work(size_t lanes, size_t n);

/* Measures one lane's share of sums: each summand of the lane adds its sum of squares to `squares`, in double. */
struct ad_lane_watch {
  size_t lane;
  double squares;
};

struct ad_tree {
  const struct ad_kernels *kernels;
  const size_t *begin;         /* [hi + 1] at least: lane l is empty iff begin[l] == begin[l + 1] */
  struct ad_lane_watch *watch; /* or NULL */
};

/* out [n] = tree sum over the lanes [lo, hi) of n values each; zeros where all are empty. work: ad_tree_work(hi - lo,
 * n) floats. */
void ad_tree_sum(const struct ad_tree *tree, size_t lo, size_t hi, size_t n, ad_tree_leaf leaf, void *context,
                 float *out, float *work);

/* The same for one double a lane: values [hi]. */
double ad_tree_sum_double(const size_t *begin, size_t lo, size_t hi, const double *values);

#endif
