#include "autodidact/math/tree.h"

#include <string.h>

size_t ad_tree_split(size_t lo, size_t hi) {
  size_t half = 1;
  while (2 * half < hi - lo) {
    half *= 2;
  }
  return lo + half;
}

int ad_tree_is_node(size_t W, size_t lo, size_t hi) {
  size_t a = 0, b = W;
  while (a < lo || b > hi) {
    if (b - a < 2) {
      return 0;
    }
    const size_t middle = ad_tree_split(a, b);
    if (hi <= middle) {
      b = middle;
    } else if (lo >= middle) {
      a = middle;
    } else {
      return 0;
    }
  }
  return a == lo && b == hi;
}

int ad_tree_are_halves(size_t W, struct ad_span left, struct ad_span right) {
  return ad_tree_is_node(W, left.lo, right.hi) && ad_tree_split(left.lo, right.hi) == left.hi;
}

static size_t collect(size_t a, size_t b, size_t lo, size_t hi, struct ad_span *parts, size_t count) {
  if (a >= hi || b <= lo) {
    return count;
  }
  if (a >= lo && b <= hi) {
    parts[count] = (struct ad_span){a, b};
    return count + 1;
  }
  const size_t middle = ad_tree_split(a, b);
  count = collect(a, middle, lo, hi, parts, count);
  return collect(middle, b, lo, hi, parts, count);
}

size_t ad_tree_parts(size_t W, size_t lo, size_t hi, struct ad_span *parts) {
  return lo < hi ? collect(0, W, lo, hi, parts, 0) : 0;
}

size_t ad_tree_work(size_t lanes, size_t n) {
  size_t levels = 0;
  for (size_t span = 1; span < lanes; span *= 2) {
    levels++;
  }
  return levels * n;
}

void ad_tree_sum(const struct ad_tree *tree, size_t lo, size_t hi, size_t n, ad_tree_leaf leaf, void *context,
                 float *out, float *work) {
  const size_t *begin = tree->begin;
  if (lo >= hi || begin[lo] == begin[hi]) {
    memset(out, 0, n * sizeof *out);
    return;
  }
  if (hi - lo == 1) {
    leaf(context, lo, out);
    if (tree->watch != NULL && tree->watch->lane == lo) {
      tree->watch->squares += tree->kernels->sum_squares(n, out);
    }
    return;
  }
  const size_t middle = ad_tree_split(lo, hi);
  if (begin[middle] == begin[hi]) {
    ad_tree_sum(tree, lo, middle, n, leaf, context, out, work);
    return;
  }
  if (begin[lo] == begin[middle]) {
    ad_tree_sum(tree, middle, hi, n, leaf, context, out, work);
    return;
  }
  ad_tree_sum(tree, lo, middle, n, leaf, context, out, work);
  ad_tree_sum(tree, middle, hi, n, leaf, context, work, work + n);
  tree->kernels->add(n, out, work);
}

double ad_tree_sum_double(const size_t *begin, size_t lo, size_t hi, const double *values) {
  if (lo >= hi || begin[lo] == begin[hi]) {
    return 0.0;
  }
  if (hi - lo == 1) {
    return values[lo];
  }
  const size_t middle = ad_tree_split(lo, hi);
  if (begin[middle] == begin[hi]) {
    return ad_tree_sum_double(begin, lo, middle, values);
  }
  if (begin[lo] == begin[middle]) {
    return ad_tree_sum_double(begin, middle, hi, values);
  }
  return ad_tree_sum_double(begin, lo, middle, values) + ad_tree_sum_double(begin, middle, hi, values);
}
