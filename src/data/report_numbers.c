/* What the labels of a data set are like where they are numbers. */
#include <math.h>
#include <string.h>

#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "report.h"

enum { PARTS = 10 };

/* One target. */
struct target {
  size_t count, part[PARTS];
  double low, high, mean, square; /* of the values; square: the sum of the squared deviations */
};

/* The number of an example's target; NaN where it has no label. */
static double value_of(const struct ad_dataset *dataset, size_t i, size_t target) {
  const uint32_t *label = ad_dataset_label(dataset, i);
  float value;
  memcpy(&value, &label[target], sizeof value);
  return dataset->task->is_label(dataset->words, label) ? value : NAN;
}

static struct target measure(const struct ad_dataset *dataset, size_t target) {
  struct target t = {.low = INFINITY, .high = -INFINITY};
  double sum = 0.0;
  for (size_t i = 0; i < dataset->count; i++) {
    const double value = value_of(dataset, i, target);
    if (!isnan(value)) {
      t.count++;
      sum += value;
      t.low = fmin(t.low, value);
      t.high = fmax(t.high, value);
    }
  }
  t.mean = sum / (double)t.count;
  const double width = (t.high - t.low) / PARTS;
  for (size_t i = 0; i < dataset->count; i++) {
    const double value = value_of(dataset, i, target);
    if (!isnan(value)) {
      const size_t part = width > 0.0 ? (size_t)((value - t.low) / width) : 0;
      t.square += (value - t.mean) * (value - t.mean);
      t.part[part < PARTS ? part : PARTS - 1]++;
    }
  }
  return t;
}

static int print_target(struct ad_buffer *out, const char *name, const struct target *t) {
  const double deviation = t->count > 1 ? sqrt(t->square / (double)(t->count - 1)) : 0.0;
  const double width = (t->high - t->low) / PARTS;
  AD_TRY(ad_buffer_printf(out, "    %s: min %.6g, mean %.6g, SD %.6g, max %.6g\n", ad_shown(name), t->low, t->mean,
                          deviation, t->high));
  for (size_t p = 0; p < PARTS && width > 0.0; p++) {
    AD_TRY(ad_buffer_printf(out, "      from %10.4g  %9zu  %6.2f%%\n", t->low + width * (double)p, t->part[p],
                            100.0 * (double)t->part[p] / (double)t->count));
  }
  return AD_OK;
}

int ad__report_numbers(const struct ad_descriptor *descriptor, const struct ad_dataset *dataset,
                       struct ad_buffer *out) {
  const size_t C = descriptor->class_count;
  size_t unlabelled = dataset->count;
  AD_TRY(ad_buffer_printf(out, "  %-11s %zu\n", ad_task_outputs(dataset->task, 0), C));
  for (size_t c = 0; c < C; c++) {
    const struct target t = measure(dataset, c);
    unlabelled = dataset->count - t.count;
    AD_TRY(t.count > 0 ? print_target(out, descriptor->classes[c], &t) : AD_OK);
  }
  return unlabelled > 0 ? ad_buffer_printf(out, "    without label %zu\n", unlabelled) : AD_OK;
}
