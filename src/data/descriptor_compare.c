/* What differs between two states of a descriptor, told by what it is good for. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "autodidact/data/descriptor.h"
#include "layout.h"

struct comparison {
  struct ad_buffer *out;
  unsigned kinds;
};

/* One difference in words. */
static int tell(struct comparison *c, unsigned kind, const char *what, const char *was, const char *is) {
  c->kinds |= kind;
  return ad_buffer_printf(c->out, "%s%s was %s, is %s", c->out->size == 0 ? "" : "; ", what, was, is);
}

static int compare_texts(struct comparison *c, unsigned kind, const char *what, const char *was, const char *is) {
  was = was == NULL ? "(nothing)" : was;
  is = is == NULL ? "(nothing)" : is;
  return strcmp(was, is) == 0 ? AD_OK : tell(c, kind, what, was, is);
}

static int compare_classes(struct comparison *c, const struct ad_descriptor *was, const struct ad_descriptor *is) {
  char what[40], counts[2][40];
  if (was->class_count == 0 || is->class_count == 0) {
    return AD_OK; /* one of them leaves the classes to the data */
  }
  if (was->class_count != is->class_count) {
    snprintf(counts[0], sizeof counts[0], "%zu", was->class_count);
    snprintf(counts[1], sizeof counts[1], "%zu", is->class_count);
    return tell(c, AD_CHANGED_CLASSES, "the number of classes", counts[0], counts[1]);
  }
  for (size_t i = 0; i < was->class_count; i++) {
    if (strcmp(was->classes[i], is->classes[i]) != 0) {
      snprintf(what, sizeof what, "class %zu", i);
      return tell(c, AD_CHANGED_CLASSES, what, was->classes[i], is->classes[i]);
    }
  }
  return AD_OK;
}

static const char *class_of(const struct ad_descriptor *d, const struct ad_source *source, const char *value) {
  for (size_t i = 0; i < source->label_count; i++) {
    if (strcmp(source->labels[i].value, value) == 0) {
      return d->classes[source->labels[i].class_id];
    }
  }
  return NULL;
}

/* The first label value of `from` that stands for another class in one than in the other; NULL: none. */
static const char *other_label(const struct ad_descriptor *was, const struct ad_descriptor *is, enum ad_split split,
                               const struct ad_source *from) {
  for (size_t i = 0; i < from->label_count; i++) {
    const char *value = from->labels[i].value;
    const char *a = class_of(was, &was->source[split], value), *b = class_of(is, &is->source[split], value);
    if (a == NULL || b == NULL || strcmp(a, b) != 0) {
      return value;
    }
  }
  return NULL;
}

static int compare_labels(struct comparison *c, const struct ad_descriptor *was, const struct ad_descriptor *is,
                          enum ad_split split) {
  const struct ad_source *a = &was->source[split], *b = &is->source[split];
  if (was->class_count == 0 || is->class_count == 0) {
    return AD_OK;
  }
  const char *value = other_label(was, is, split, a);
  value = value == NULL ? other_label(was, is, split, b) : value;
  if (value == NULL) {
    return AD_OK;
  }
  char what[160];
  snprintf(what, sizeof what, "the label \"%.80s\" of %s", value, ad_split_name(split));
  return compare_texts(c, AD_CHANGED_CLASSES, what, class_of(was, a, value), class_of(is, b, value));
}

static int print_column(const struct ad_column *column, struct ad_buffer *out) {
  return column->name != NULL ? ad_buffer_puts(out, column->name) : ad_buffer_printf(out, "%zu", column->number);
}

static int print_columns(const char *name, const struct ad_columns *columns, struct ad_buffer *out) {
  for (size_t i = 0; i < columns->count; i++) {
    AD_TRY(ad_buffer_puts(out, i == 0 ? name : " and "));
    AD_TRY(print_column(&columns->items[i], out));
  }
  return AD_OK;
}

/* How the texts of a split are found in its file. */
static int print_texts(const struct ad_descriptor *d, const struct ad_source *s, struct ad_buffer *out) {
  (void)d;
  AD_TRY(ad_buffer_puts(out, ad_layout_format_name(s->format)));
  if (s->format == AD_FORMAT_CSV && s->delimiter != AD_DELIMITER_COMMA) {
    AD_TRY(ad_buffer_printf(out, " with %ss", ad_layout_delimiter_name(s->delimiter)));
  }
  AD_TRY(ad_buffer_puts(out, s->header ? " with a header" : ""));
  AD_TRY(s->fields > 0 ? ad_buffer_printf(out, " of %zu fields", s->fields) : AD_OK);
  AD_TRY(print_columns(", text ", &s->text, out));
  return print_columns(", pair ", &s->pair, out);
}

/* Which rows the split has. */
static int print_rows(const struct ad_descriptor *d, const struct ad_source *s, struct ad_buffer *out) {
  AD_TRY(ad_buffer_printf(out, "%s, empty: %s, incomplete: %s", s->file, ad_layout_empty_name(s->empty),
                          s->skip_incomplete ? "skip" : "refuse"));
  AD_TRY(s->skip == NULL ? AD_OK : ad_buffer_printf(out, ", skip: %s", s->skip));
  AD_TRY(s->low < s->high ? ad_buffer_printf(out, ", range: %.9g to %.9g", s->low, s->high) : AD_OK);
  if (!s->shuffled) {
    return AD_OK;
  }
  AD_TRY(ad_buffer_printf(out, ", from %zu", s->begin));
  AD_TRY(s->end == SIZE_MAX ? AD_OK : ad_buffer_printf(out, " to %zu", s->end));
  return ad_buffer_printf(out, " of the rows shuffled by %" PRIu64, d->split_seed);
}

static int print_label(const struct ad_descriptor *d, const struct ad_source *s, struct ad_buffer *out) {
  AD_TRY(!s->labelled          ? ad_buffer_puts(out, "(nothing)")
         : s->label.count == 0 ? ad_buffer_puts(out, "the format's")
                               : print_columns("", &s->label, out));
  AD_TRY(s->probabilities == 0 ? AD_OK : ad_buffer_printf(out, ", %zu of them probabilities", s->probabilities));
  const int own = s->separator != NULL && (d->task->separator == NULL || strcmp(s->separator, d->task->separator) != 0);
  return own ? ad_buffer_printf(out, " cut at \"%s\"", s->separator) : AD_OK;
}

/* What a split is expected to hold. */
static int print_expected(const struct ad_descriptor *d, const struct ad_source *s, struct ad_buffer *out) {
  const struct ad_expected *e = &s->expected;
  (void)d;
  return ad_buffer_printf(out, "%zu, %zu and %016" PRIx64, e->rows, e->skipped, e->digest);
}

static const struct {
  unsigned kind;
  const char *name;
  int (*print)(const struct ad_descriptor *d, const struct ad_source *source, struct ad_buffer *out);
} aspects[] = {{AD_CHANGED_TEXTS, "layout", print_texts},
               {AD_CHANGED_CLASSES, "label column", print_label},
               {AD_CHANGED_ROWS, "rows", print_rows},
               {AD_CHANGED_ABOUT, "expected rows, skipped rows and digest", print_expected}};

static int compare_split(struct comparison *c, const struct ad_descriptor *was, const struct ad_descriptor *is,
                         enum ad_split split) {
  const struct ad_descriptor *const both[2] = {was, is};
  char what[80];
  const int has = ad_descriptor_has(was, split);
  if (has != ad_descriptor_has(is, split)) {
    return tell(c, AD_CHANGED_ROWS, ad_split_name(split), has ? "there" : "not there", has ? "not there" : "there");
  }
  int status = has ? compare_labels(c, was, is, split) : AD_OK;
  for (size_t i = 0; has && status == AD_OK && i < sizeof aspects / sizeof *aspects; i++) {
    struct ad_buffer texts[2] = {{0}};
    for (size_t k = 0; status == AD_OK && k < 2; k++) {
      status = aspects[i].print(both[k], &both[k]->source[split], &texts[k]);
    }
    snprintf(what, sizeof what, "the %s of %s", aspects[i].name, ad_split_name(split));
    status = status == AD_OK ? compare_texts(c, aspects[i].kind, what, texts[0].data, texts[1].data) : status;
    ad_buffer_destroy(&texts[0]);
    ad_buffer_destroy(&texts[1]);
  }
  return status;
}

int ad_descriptor_compare(const struct ad_descriptor *was, const struct ad_descriptor *is, struct ad_buffer *out,
                          unsigned *kinds) {
  struct comparison c = {.out = out};
  AD_TRY(ad_buffer_puts(out, ""));
  AD_TRY(compare_texts(&c, AD_CHANGED_CLASSES, "the task", was->task->name, is->task->name));
  AD_TRY(compare_classes(&c, was, is));
  for (enum ad_split split = 0; split < AD_SPLITS; split++) {
    AD_TRY(compare_split(&c, was, is, split));
  }
  AD_TRY(compare_texts(&c, AD_CHANGED_ROWS, "the folder", was->folder, is->folder));
  AD_TRY(compare_texts(&c, AD_CHANGED_ABOUT, "the title", was->title, is->title));
  AD_TRY(compare_texts(&c, AD_CHANGED_ABOUT, "the source", was->home, is->home));
  AD_TRY(compare_texts(&c, AD_CHANGED_ABOUT, "the licence", was->licence, is->licence));
  *kinds = c.kinds;
  return AD_OK;
}
