/* A split as a descriptor writes it. */
#include "autodidact/base/status.h"
#include "autodidact/base/yaml.h"
#include "layout.h"

static int put_column(const struct ad_column *column, struct ad_buffer *out) {
  return column->name != NULL ? ad_yaml_quote(out, column->name) : ad_buffer_printf(out, "%zu", column->number);
}

/* ", key: [a, b]"; nothing of no columns. */
static int put_list(const char *key, const struct ad_column *columns, size_t count, struct ad_buffer *out) {
  AD_TRY(count == 0 ? AD_OK : ad_buffer_printf(out, ", %s: [", key));
  for (size_t i = 0; i < count; i++) {
    AD_TRY(ad_buffer_puts(out, i == 0 ? "" : ", "));
    AD_TRY(put_column(&columns[i], out));
  }
  return count == 0 ? AD_OK : ad_buffer_puts(out, "]");
}

static int put_columns(const struct ad_source *source, struct ad_buffer *out) {
  const size_t own = source->label.count - source->probabilities;
  if (source->text.count == 0) {
    return AD_OK;
  }
  AD_TRY(ad_buffer_puts(out, ", columns: {text: "));
  for (size_t i = 0; i < source->text.count; i++) {
    AD_TRY(ad_buffer_puts(out, i == 0 ? "[" : ", "));
    AD_TRY(put_column(&source->text.items[i], out));
  }
  AD_TRY(ad_buffer_puts(out, "]"));
  AD_TRY(put_list("pair", source->pair.items, source->pair.count, out));
  AD_TRY(put_list("label", source->label.items, own, out));
  AD_TRY(put_list("probabilities", source->label.items + own, source->probabilities, out));
  return ad_buffer_puts(out, "}");
}

static int put_labels(const struct ad_descriptor *d, const struct ad_source *source, struct ad_buffer *out) {
  if (d->task->names == AD_NAMES_COLUMNS) {
    return source->low < source->high ? ad_buffer_printf(out, ", range: [%.17g, %.17g]", source->low, source->high)
                                      : AD_OK;
  }
  for (size_t i = 0; i < source->label_count; i++) {
    AD_TRY(ad_buffer_puts(out, i == 0 ? ", labels: {" : ", "));
    AD_TRY(ad_yaml_quote(out, source->labels[i].value));
    AD_TRY(ad_buffer_puts(out, ": "));
    AD_TRY(ad_yaml_quote(out, d->classes[source->labels[i].class_id]));
  }
  return source->label_count == 0 ? AD_OK : ad_buffer_puts(out, "}");
}

/* ", key: "text""; nothing of NULL. */
static int put_text(const char *key, const char *text, struct ad_buffer *out) {
  AD_TRY(text == NULL ? AD_OK : ad_buffer_printf(out, ", %s: ", key));
  return text == NULL ? AD_OK : ad_yaml_quote(out, text);
}

int ad_descriptor_put_split(const struct ad_descriptor *descriptor, enum ad_split split, const char *path,
                            struct ad_buffer *out) {
  const struct ad_source *s = &descriptor->source[split];
  const int table = s->format == AD_FORMAT_TSV || s->format == AD_FORMAT_CSV;
  AD_TRY(ad_buffer_printf(out, "  %s: {format: %s", ad_split_name(split), ad_layout_format_name(s->format)));
  if (s->format == AD_FORMAT_CSV) {
    AD_TRY(ad_buffer_printf(out, ", delimiter: %s", ad_layout_delimiter_name(s->delimiter)));
  }
  AD_TRY(table ? ad_buffer_printf(out, ", header: %s", s->header ? "true" : "false") : AD_OK);
  AD_TRY(s->fields > 0 ? ad_buffer_printf(out, ", fields: %zu", s->fields) : AD_OK);
  AD_TRY(put_columns(s, out));
  AD_TRY(put_text("separator", descriptor->task->classes == AD_CLASSES_ONE ? NULL : s->separator, out));
  AD_TRY(put_labels(descriptor, s, out));
  AD_TRY(put_text("skip", s->skip, out));
  AD_TRY(ad_buffer_printf(out, ", empty: %s", ad_layout_empty_name(s->empty)));
  AD_TRY(ad_buffer_puts(out, s->skip_incomplete ? ", incomplete: skip" : ""));
  AD_TRY(put_text("file", path, out));
  return ad_buffer_puts(out, "}\n");
}
