#include "autodidact/task/ranking.h"

#include <math.h>
#include <stdlib.h>

#include "autodidact/base/elementary.h"

static int by_logit(const void *a, const void *b) {
  const struct ad_ranked *x = a, *y = b;
  return (x->logit < y->logit) - (x->logit > y->logit);
}

void ad_ranking_sort(size_t count, struct ad_ranked *items) {
  if (count > 0) {
    qsort(items, count, sizeof *items, by_logit);
  }
}

/* The items from `first` on that have its logit end before the result; their yes are added to *yes. */
static size_t end_of_equal(size_t count, const struct ad_ranked *items, size_t first, uint64_t *yes) {
  size_t end = first;
  for (; end < count && items[end].logit == items[first].logit; end++) {
    *yes += items[end].yes;
  }
  return end;
}

static uint64_t count_yes(size_t count, const struct ad_ranked *items) {
  uint64_t yes = 0;
  for (size_t i = 0; i < count; i++) {
    yes += items[i].yes;
  }
  return yes;
}

double ad_ranking_average_precision(size_t count, const struct ad_ranked *items) {
  const uint64_t all = count_yes(count, items);
  uint64_t found = 0;
  double sum = 0.0;
  for (size_t i = 0; i < count;) {
    const uint64_t before = found;
    i = end_of_equal(count, items, i, &found);
    sum += (double)(found - before) * ((double)found / (double)i);
  }
  return all == 0 ? NAN : sum / (double)all;
}

double ad_threshold_logit(double threshold) {
  return ad_math_log(threshold / (1.0 - threshold));
}

static double probability(double logit) {
  return 1.0 / (1.0 + ad_math_exp(-logit));
}

/* 2 TP / (2 TP + FP + FN); 0 where it is 0/0. */
static double f1(uint64_t right, uint64_t said, uint64_t all) {
  return said + all == 0 ? 0.0 : 2.0 * (double)right / (double)(said + all);
}

double ad_ranking_threshold(size_t count, const struct ad_ranked *items) {
  const uint64_t all = count_yes(count, items);
  uint64_t found = 0;
  size_t said = 0;
  for (; said < count && items[said].logit >= 0.0f; said++) {
    found += items[said].yes;
  }
  double best = f1(found, said, all), threshold = AD_THRESHOLD;
  found = 0;
  for (size_t i = 0; i < count;) {
    const double last = items[i].logit;
    i = end_of_equal(count, items, i, &found);
    const double next = i < count ? items[i].logit : -INFINITY;
    const double between = (float)(0.5 * (probability(last) + probability(next)));
    const double cut = ad_threshold_logit(between);
    const double value = f1(found, i, all);
    const int nearer = fabs(between - AD_THRESHOLD) < fabs(threshold - AD_THRESHOLD);
    /* Of very large logits the probabilities are the same, and no threshold lies between them. */
    if (next < cut && cut <= last && (value > best || (value == best && nearer))) {
      best = value;
      threshold = between;
    }
  }
  return threshold;
}
