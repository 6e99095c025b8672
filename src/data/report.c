/* What a data set holds, in numbers. */
#include <inttypes.h>
#include <stdio.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "report.h"
#include "targets.h"

/* count[l]: the examples of l tokens, l in 0 .. longest. The caller owns it. */
static int count_lengths(const struct ad_dataset *dataset, size_t **count) {
  *count = ad_calloc(dataset->longest + 1, sizeof **count);
  if (*count == NULL) {
    return ad_fail_memory((dataset->longest + 1) * sizeof **count, "the lengths of the examples");
  }
  for (size_t i = 0; i < dataset->count; i++) {
    (*count)[ad_dataset_length(dataset, i)]++;
  }
  return AD_OK;
}

int ad_dataset_most_tokens(const struct ad_dataset *dataset, size_t examples, size_t *tokens) {
  size_t *count = NULL;
  *tokens = 0;
  AD_TRY(count_lengths(dataset, &count));
  for (size_t length = dataset->longest + 1; length-- > 0 && examples > 0;) {
    const size_t taken = count[length] < examples ? count[length] : examples;
    *tokens += taken * length;
    examples -= taken;
  }
  ad_free(count);
  return AD_OK;
}

/* The length of the example of rank `rank` from 0, in ascending order of lengths. */
static size_t length_at(const size_t *count, size_t rank) {
  size_t length = 0;
  for (size_t seen = count[0]; seen <= rank; seen += count[length]) {
    length++;
  }
  return length;
}

static int report_lengths(FILE *out, const struct ad_dataset *dataset) {
  const size_t N = dataset->count;
  if (N == 0) {
    return AD_OK;
  }
  size_t *count = NULL;
  AD_TRY(count_lengths(dataset, &count));
  const double median = 0.5 * (double)(length_at(count, (N - 1) / 2) + length_at(count, N / 2));
  fprintf(out, "  tokens      %zu; an example: min %zu, median %.1f, mean %.2f, max %zu\n", dataset->offset[N],
          length_at(count, 0), median, (double)dataset->offset[N] / (double)N, dataset->longest);
  fprintf(out, "  truncated   %zu (%.2f%%)\n", dataset->truncated, 100.0 * (double)dataset->truncated / (double)N);
  ad_free(count);
  return AD_OK;
}

/* count [C + 2]: the examples of each class, those whose label has no class, and those without a label. */
static void count_classes(const struct ad_dataset *dataset, size_t C, size_t *count) {
  for (size_t i = 0; i < dataset->count; i++) {
    const uint32_t *label = ad_dataset_label(dataset, i);
    if (*label == AD_NO_LABEL) {
      count[C + 1]++;
    } else if (dataset->task->count(C, label, count) == 0) {
      count[C]++;
    }
  }
}

static int report_classes(FILE *out, const struct ad_descriptor *descriptor, const struct ad_dataset *dataset) {
  const size_t C = descriptor->class_count;
  size_t *count = ad_calloc(C + 2, sizeof *count);
  if (count == NULL) {
    return ad_fail_memory((C + 2) * sizeof *count, "the counts of the classes");
  }
  count_classes(dataset, C, count);
  size_t width = 24;
  for (size_t c = 0; c < C; c++) {
    width = ad_text_widest(width, ad_shown(descriptor->classes[c]));
  }
  fprintf(out, "  classes     %zu\n", C);
  for (size_t c = 0; c < C && count[C + 1] < dataset->count; c++) {
    const char *name = ad_shown(descriptor->classes[c]);
    fprintf(out, "    %4zu  %s%*s %9zu  %6.2f%%\n", c, name, ad_text_fill(name, width), "", count[c],
            100.0 * (double)count[c] / (double)dataset->count);
  }
  if (count[C] > 0) {
    fprintf(out, "    of no class%*s %9zu  %6.2f%%\n", (int)(width - 5), "", count[C],
            100.0 * (double)count[C] / (double)dataset->count);
  }
  if (count[C + 1] > 0) {
    fprintf(out, "    without label%*s %9zu\n", (int)(width - 7), "", count[C + 1]);
  }
  ad_free(count);
  return AD_OK;
}

static int report_numbers(FILE *out, const struct ad_descriptor *descriptor, const struct ad_dataset *dataset) {
  struct ad_buffer text = {0};
  const int status = ad__report_numbers(descriptor, dataset, &text);
  fputs(text.data == NULL ? "" : text.data, out);
  ad_buffer_destroy(&text);
  return status;
}

static void report_count(FILE *out, const char *name, size_t found, int known, size_t expected, int whole) {
  fprintf(out, "  %-11s %zu", name, found);
  if (!whole) {
    fputs(known ? " (not compared: not the whole split)\n" : "\n", out);
  } else if (!known) {
    fprintf(out, "\n");
  } else if (found == expected) {
    fprintf(out, " (as expected)\n");
  } else {
    fprintf(out, " (DIFFERS: the descriptor expects %zu)\n", expected);
  }
}

int ad_dataset_report(FILE *out, const struct ad_descriptor *descriptor, enum ad_split split,
                      const struct ad_dataset *dataset) {
  const struct ad_source *source = &descriptor->source[split];
  const struct ad_expected *expected = &source->expected;
  const int whole = dataset->whole;
  char found[17], wanted[17];
  fprintf(out, "%s %s: %s\n", ad_shown(descriptor->name), ad_split_name(split), ad_shown(descriptor->title));
  report_count(out, "rows", dataset->count, expected->rows_known, expected->rows, whole);
  report_count(out, "skipped", dataset->skipped, expected->skipped_known, expected->skipped, whole);
  if (source->empty == AD_EMPTY_ALLOW) {
    fprintf(out, "  empty       %zu\n", dataset->empty);
  }
  AD_TRY(report_lengths(out, dataset));
  AD_TRY(descriptor->task->classes ? report_classes(out, descriptor, dataset) : AD_OK);
  if (dataset->targets != NULL) {
    fprintf(out, "  learnt      probabilities of the classes, mean entropy %.4f nats\n",
            ad__targets_entropy(dataset, descriptor->class_count));
  }
  AD_TRY(descriptor->task->numbers ? report_numbers(out, descriptor, dataset) : AD_OK);
  fprintf(out, "  digest      %s", ad_digest_text(dataset->digest, found));
  if (!whole || !expected->digest_known) {
    fprintf(out, "\n");
  } else if (dataset->digest == expected->digest) {
    fprintf(out, " (as expected)\n");
  } else {
    fprintf(out, " (DIFFERS: the descriptor expects %s)\n", ad_digest_text(expected->digest, wanted));
  }
  if (ferror(out)) {
    return ad_fail(AD_EIO, "the report on %s could not be written", descriptor->name);
  }
  return AD_OK;
}
