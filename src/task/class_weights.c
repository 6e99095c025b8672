#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/task/loss.h"
#include "autodidact/task/task.h"

static int balance(size_t C, char *const *classes, struct ad_labels labels, double *weights) {
  size_t *counts = ad_calloc(C, sizeof *counts);
  if (counts == NULL) {
    return ad_fail_memory(C * sizeof *counts, "the examples of each class");
  }
  for (size_t i = 0; i < labels.count; i++) {
    counts[labels.words[i]]++;
  }
  int status = AD_OK;
  for (size_t c = 0; c < C && status == AD_OK; c++) {
    weights[c] = (double)labels.count / ((double)C * (double)counts[c]);
    if (counts[c] == 0) {
      status = ad_fail(AD_ECONFIG,
                       "train.class_weights=balanced: no training example is of class \"%s\", so it has no weight; "
                       "expected a list of %zu numbers instead, or a descriptor without this class",
                       classes[c], C);
    }
  }
  ad_free(counts);
  return status;
}

static int read_list(const char *text, size_t C, char *const *classes, double *weights) {
  const char *p = text;
  for (size_t c = 0; c < C; c++) {
    char *end;
    weights[c] = strtod(p, &end);
    if (end == p || *end != (c + 1 < C ? ',' : '\0') || !(weights[c] >= 1e-6 && weights[c] <= 1e6)) {
      return ad_fail(
          AD_ECONFIG,
          "train.class_weights is '%s', expected none, balanced, or %zu numbers from 1e-6 to 1e6 with commas "
          "between them, in the descriptor's order of classes from \"%s\" to \"%s\"",
          text, C, classes[0], classes[C - 1]);
    }
    p = end + 1;
  }
  return AD_OK;
}

int ad_class_weights_parse(const char *text, size_t C, char *const *classes, struct ad_labels labels, double *weights) {
  return strcmp(text, "balanced") == 0 ? balance(C, classes, labels, weights) : read_list(text, C, classes, weights);
}
