/* Scores for people, and as JSON. */
#include "print_scores.h"

#include <inttypes.h>
#include <string.h>

#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"

static int json_class(const struct ad_metrics *m, uint32_t c, const char *name, struct ad_buffer *out) {
  AD_TRY(print_json_name(c, "class", name, out));
  return ad_buffer_printf(out, ",\"precision\":%.17g,\"recall\":%.17g,\"f1\":%.17g,\"support\":%" PRIu64 "}",
                          ad_metrics_precision(m, c), ad_metrics_recall(m, c), ad_metrics_f1(m, c), m->labels[c]);
}

int print_scoring_classes(const struct ad_scoring *s, const struct ad_descriptor *descriptor, struct ad_buffer *out) {
  const struct ad_metrics *m = &s->metrics;
  if (!s->scores.task->classes) {
    return s->targets > 1 ? print_json_targets(s, descriptor, out) : ad_buffer_puts(out, "");
  }
  if (s->scores.task->classes == AD_CLASSES_SET) {
    return print_json_sets(s, descriptor, out);
  }
  AD_TRY(ad_buffer_puts(out, ",\"classes\":["));
  for (uint32_t c = 0; c < m->classes; c++) {
    AD_TRY(json_class(m, c, descriptor->classes[c], out));
  }
  AD_TRY(ad_buffer_puts(out, "],\"confusion\":["));
  for (size_t i = 0; i < s->confusion.count; i++) {
    const struct ad_confused *p = &s->confusion.items[i];
    AD_TRY(ad_buffer_printf(out, "%s[%" PRIu32 ",%" PRIu32 ",%" PRIu64 "]", i == 0 ? "" : ",", p->label, p->prediction,
                            p->count));
  }
  return ad_buffer_puts(out, "]");
}

static int digits(uint64_t number) {
  return snprintf(NULL, 0, "%" PRIu64, number);
}

/* Columns of counts: as wide as the largest count and the last class number. */
static int count_width(const struct ad_scoring *s) {
  int width = digits(s->metrics.classes - 1);
  width = width > 5 ? width : 5;
  for (size_t i = 0; i < s->confusion.count; i++) {
    const int own = digits(s->confusion.items[i].count);
    width = own > width ? own : width;
  }
  return width;
}

static void print_matrix(FILE *out, const struct ad_scoring *s, const struct ad_descriptor *descriptor) {
  const struct ad_metrics *m = &s->metrics;
  const struct ad_confused *next = s->confusion.items, *end = next + s->confusion.count;
  const int column = count_width(s);
  const size_t width = print_name_width("class", descriptor);
  fprintf(out, "confusion (rows: labels, columns: predictions in the same order)\n%*s  precision  recall      F1",
          (int)width, "class");
  for (uint32_t c = 0; c < m->classes; c++) {
    fprintf(out, " %*" PRIu32, column, c);
  }
  for (uint32_t r = 0; r < m->classes; r++) {
    const char *name = ad_shown(descriptor->classes[r]);
    fprintf(out, "\n%*s%s  %9.4f  %6.4f  %6.4f", ad_text_fill(name, width), "", name, ad_metrics_precision(m, r),
            ad_metrics_recall(m, r), ad_metrics_f1(m, r));
    for (uint32_t c = 0; c < m->classes; c++) {
      const int there = next < end && next->label == r && next->prediction == c;
      fprintf(out, " %*" PRIu64, column, there ? next->count : 0);
      next += there;
    }
  }
  fputc('\n', out);
}

/* With many classes: what is taken for what most often. */
static void print_largest(FILE *out, struct ad_scoring *s, const struct ad_descriptor *descriptor) {
  enum { SHOWN = 20 };
  const size_t wrong = ad_confusion_rank(&s->confusion), shown = wrong < SHOWN ? wrong : SHOWN;
  char *const *names = descriptor->classes;
  size_t label = strlen("label"), prediction = strlen("prediction");
  for (size_t i = 0; i < shown; i++) {
    label = ad_text_widest(label, ad_shown(names[s->confusion.items[i].label]));
    prediction = ad_text_widest(prediction, ad_shown(names[s->confusion.items[i].prediction]));
  }
  fprintf(out, "confusion: %" PRIu32 " classes are too many for a table (--json has all of it, and each class)\n",
          s->metrics.classes);
  if (shown == 0) {
    fputs("no example was taken for one of another class\n", out);
    return;
  }
  fprintf(out, "the %zu largest of %zu confusions:\n%-*s  %-*s  examples\n", shown, wrong, (int)label, "label",
          (int)prediction, "prediction");
  for (size_t i = 0; i < shown; i++) {
    const struct ad_confused *p = &s->confusion.items[i];
    const char *from = ad_shown(names[p->label]), *to = ad_shown(names[p->prediction]);
    fprintf(out, "%s%*s  %s%*s  %8" PRIu64 "\n", from, ad_text_fill(from, label), "", to, ad_text_fill(to, prediction),
            "", p->count);
  }
}

void print_scoring(FILE *out, struct ad_scoring *s, const struct ad_descriptor *descriptor) {
  enum { TABLE = 40 };
  const struct ad_task *task = s->scores.task;
  char value[AD_SCORE_TEXT];
  size_t width = 12;
  for (size_t i = 0; i < task->score_count; i++) {
    width = strlen(task->scores[i].title) > width ? strlen(task->scores[i].title) : width;
  }
  fprintf(out, "%-*s %" PRIu64 "\n", (int)width, "examples", s->scores.examples);
  for (size_t i = 0; i < task->score_count; i++) {
    fprintf(out, "%-*s %s\n", (int)width, task->scores[i].title,
            ad_score_print(&task->scores[i], 4, s->scores.value[i], value));
  }
  if (s->scores.threshold > 0.0) {
    fprintf(out, "%-12s %.6g\n", "threshold", s->scores.threshold);
  }
  fputc('\n', out);
  if (s->skipped > 0) {
    fprintf(
        out,
        "%zu rows of the file are not among the examples: the descriptor leaves them out (skip, incomplete, empty)\n\n",
        s->skipped);
  }
  if (task->classes == AD_CLASSES_SET) {
    print_sets(out, s, descriptor);
  } else if (task->classes && s->metrics.classes <= TABLE) {
    print_matrix(out, s, descriptor);
  } else if (task->classes) {
    print_largest(out, s, descriptor);
  } else if (s->targets > 1) {
    print_targets(out, s, descriptor);
  }
}
