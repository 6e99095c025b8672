/* The scores of each target of a regression, for people and as JSON. */
#include <math.h>
#include <string.h>

#include "autodidact/base/json.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "print_scores.h"

int print_json_name(size_t c, const char *key, const char *name, struct ad_buffer *out) {
  json_t *text = json_string(name);
  int status = ad_buffer_printf(out, "%s{\"%s\":", c == 0 ? "" : ",", key);
  if (status == AD_OK) {
    status = text == NULL ? ad_fail_memory(strlen(name), "a class name") : ad_json_print(text, JSON_ENCODE_ANY, out);
  }
  json_decref(text);
  return status;
}

int print_json_targets(const struct ad_scoring *s, const struct ad_descriptor *descriptor, struct ad_buffer *out) {
  const struct ad_task *task = s->scores.task;
  AD_TRY(ad_buffer_puts(out, ",\"targets\":["));
  for (size_t c = 0; c < s->targets; c++) {
    AD_TRY(print_json_name(c, "target", descriptor->classes[c], out));
    for (size_t i = 0; i < task->score_count; i++) {
      const double value = s->target[c * task->score_count + i];
      AD_TRY(ad_buffer_printf(out, ",\"%s\":", task->scores[i].name));
      AD_TRY(isfinite(value) ? ad_buffer_printf(out, "%.17g", value) : ad_buffer_puts(out, "null"));
    }
    AD_TRY(ad_buffer_puts(out, "}"));
  }
  return ad_buffer_puts(out, "]");
}

size_t print_name_width(const char *title, const struct ad_descriptor *descriptor) {
  size_t width = strlen(title);
  for (size_t c = 0; c < descriptor->class_count; c++) {
    width = ad_text_widest(width, ad_shown(descriptor->classes[c]));
  }
  return width;
}

void print_targets(FILE *out, const struct ad_scoring *s, const struct ad_descriptor *descriptor) {
  const struct ad_task *task = s->scores.task;
  const size_t width = print_name_width("target", descriptor);
  fprintf(out, "each target\n%*s", (int)width, "target");
  for (size_t i = 0; i < task->score_count; i++) {
    fprintf(out, "  %10s", task->scores[i].title);
  }
  for (size_t c = 0; c < s->targets; c++) {
    const char *name = ad_shown(descriptor->classes[c]);
    fprintf(out, "\n%*s%s", ad_text_fill(name, width), "", name);
    for (size_t i = 0; i < task->score_count; i++) {
      char value[AD_SCORE_TEXT];
      fprintf(out, "  %10s", ad_score_print(&task->scores[i], 4, s->target[c * task->score_count + i], value));
    }
  }
  fputc('\n', out);
}
