/* The figures of each class where a label is a set of classes, for people and as JSON. */
#include <inttypes.h>
#include <math.h>

#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "print_scores.h"

static int json_class(const struct ad_scoring *s, uint32_t c, const char *name, struct ad_buffer *out) {
  const struct ad_metrics *m = &s->metrics;
  const double ranked = s->average_precision == NULL ? NAN : s->average_precision[c];
  AD_TRY(print_json_name(c, "class", name, out));
  AD_TRY(ad_buffer_printf(out,
                          ",\"precision\":%.17g,\"recall\":%.17g,\"f1\":%.17g,\"support\":%" PRIu64
                          ",\"predicted\":%" PRIu64 ",\"average_precision\":",
                          ad_metrics_precision(m, c), ad_metrics_recall(m, c), ad_metrics_f1(m, c), m->labels[c],
                          m->predictions[c]));
  return isnan(ranked) ? ad_buffer_puts(out, "null}") : ad_buffer_printf(out, "%.17g}", ranked);
}

int print_json_sets(const struct ad_scoring *s, const struct ad_descriptor *descriptor, struct ad_buffer *out) {
  AD_TRY(ad_buffer_puts(out, ",\"classes\":["));
  for (uint32_t c = 0; c < s->metrics.classes; c++) {
    AD_TRY(json_class(s, c, descriptor->classes[c], out));
  }
  return ad_buffer_puts(out, "]");
}

void print_sets(FILE *out, const struct ad_scoring *s, const struct ad_descriptor *descriptor) {
  const struct ad_metrics *m = &s->metrics;
  const size_t width = print_name_width("class", descriptor);
  fprintf(out, "each class\n%*s  precision  recall      F1  average precision    labels  predictions\n", (int)width,
          "class");
  for (uint32_t c = 0; c < m->classes; c++) {
    const char *name = ad_shown(descriptor->classes[c]);
    char ranked[AD_SCORE_TEXT] = "-";
    if (s->average_precision != NULL && !isnan(s->average_precision[c])) {
      snprintf(ranked, sizeof ranked, "%.4f", s->average_precision[c]);
    }
    fprintf(out, "%*s%s  %9.4f  %6.4f  %6.4f  %17s  %8" PRIu64 "  %11" PRIu64 "\n", ad_text_fill(name, width), "", name,
            ad_metrics_precision(m, c), ad_metrics_recall(m, c), ad_metrics_f1(m, c), ranked, m->labels[c],
            m->predictions[c]);
  }
}
