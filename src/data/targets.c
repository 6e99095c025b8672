#include "targets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"

/* Three digits meet it, and so do all that more of them are cut from. */
static const double SUM_TOLERANCE = 1e-3;

/* A number from 0 up; NaN where the field is none. */
static double parse_number(struct ad_text_span field) {
  char copy[64], *end;
  if (field.size == 0 || field.size >= sizeof copy) {
    return NAN;
  }
  memcpy(copy, field.data, field.size);
  copy[field.size] = '\0';
  const double value = strtod(copy, &end);
  return end != copy && end[strspn(end, " ")] == '\0' && value >= 0.0 && value < INFINITY ? value : NAN;
}

static int fail_number(const struct ad_reader *reader, const char *name, struct ad_text_span field) {
  enum { MOST = 80 };
  return ad_reader_fail(reader, reader->begin,
                        "the probability of the class \"%s\" is \"%.*s\", expected a number from 0 to 1",
                        ad_shown(name), (int)(field.size < MOST ? field.size : MOST), field.data);
}

int ad__targets_read(const struct ad_reader *reader, const struct ad_record *record, size_t own,
                     const struct ad_descriptor *descriptor, float *targets, uint32_t *best) {
  const size_t C = descriptor->class_count;
  const struct ad_text_span *fields = record->label + own;
  double sum = 0.0;
  if (record->label_count != own + C) {
    return ad_reader_fail(reader, reader->begin, "found %zu probabilities, expected %zu, one for each class",
                          record->label_count < own ? 0 : record->label_count - own, C);
  }
  for (size_t c = 0; c < C; c++) {
    const double value = parse_number(fields[c]);
    if (isnan(value)) {
      return fail_number(reader, descriptor->classes[c], fields[c]);
    }
    sum += value;
  }
  if (!(fabs(sum - 1.0) <= SUM_TOLERANCE)) {
    return ad_reader_fail(reader, reader->begin, "the probabilities of the classes add up to %.6g, expected 1", sum);
  }
  *best = 0;
  for (size_t c = 0; c < C; c++) {
    targets[c] = (float)(parse_number(fields[c]) / sum);
    *best = targets[c] > targets[*best] ? (uint32_t)c : *best;
  }
  return AD_OK;
}

double ad__targets_entropy(const struct ad_dataset *dataset, size_t C) {
  double entropy = 0.0;
  for (size_t i = 0; i < dataset->count * C; i++) {
    const double p = dataset->targets[i];
    entropy -= p > 0.0 ? p * ad_math_log(p) : 0.0;
  }
  return entropy / (double)dataset->count;
}

struct ad_source ad__split_layout(const struct ad_descriptor *descriptor, enum ad_split split,
                                  const struct ad_read_options *options) {
  struct ad_source source =
      descriptor->source[options->file != NULL && !ad_descriptor_has(descriptor, split) ? AD_SPLIT_TRAIN : split];
  if (split != AD_SPLIT_TRAIN && source.label.count > source.probabilities) {
    source.label.count -= source.probabilities;
    source.probabilities = 0;
  }
  return source;
}
