#include "layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/texts.h"

/* In the order of enum ad_format, of enum ad_delimiter, of 0 and 1, of enum ad_empty, of 0 and 1. */
static const char *const format_words[] = {"tsv", "csv", "jsonl", "folder", "wordnet", "lines"};
static const char *const delimiter_words[] = {"comma", "semicolon", "tab"};
static const char *const header_words[] = {"false", "true"};
static const char *const empty_words[] = {"refuse", "allow", "skip"};
static const char *const incomplete_words[] = {"refuse", "skip"};

const char *ad_layout_format_name(enum ad_format format) {
  return format_words[format];
}

const char *ad_layout_delimiter_name(enum ad_delimiter delimiter) {
  return delimiter_words[delimiter];
}

const char *ad_layout_empty_name(enum ad_empty empty) {
  return empty_words[empty];
}

/* "a, b, c", for messages. */
static int list_names(const char *const *names, size_t count, struct ad_buffer *out) {
  for (size_t i = 0; i < count; i++) {
    AD_TRY(ad_buffer_printf(out, "%s%s", i == 0 ? "" : ", ", names[i]));
  }
  return AD_OK;
}

int ad_layout_check_keys(const char *path, const struct ad_yaml *node, const char *what, const char *const *known,
                         size_t count) {
  if (node->kind != AD_YAML_MAPPING) {
    return AD_FAIL_AT(path, node, "%s: expected a mapping of keys to values", what);
  }
  for (size_t i = 0; i < node->count; i++) {
    size_t k = 0;
    while (k < count && strcmp(node->keys[i], known[k]) != 0) {
      k++;
    }
    if (k == count) {
      struct ad_buffer names = {0};
      int status = list_names(known, count, &names);
      if (status == AD_OK) {
        status = AD_FAIL_AT(path, node->items[i], "unknown key \"%s\" in %s, expected one of: %s", node->keys[i], what,
                            names.data);
      }
      ad_buffer_destroy(&names);
      return status;
    }
  }
  return AD_OK;
}

int ad_layout_text(const char *path, const struct ad_yaml *node, const char *key, char **text) {
  if (node->kind != AD_YAML_SCALAR || node->text[0] == '\0') {
    return AD_FAIL_AT(path, node, "%s: expected a text", key);
  }
  *text = ad_strdup(node->text);
  return *text == NULL ? ad_fail_memory(strlen(node->text), "a descriptor") : AD_OK;
}

/* Whole numbers are digits alone: strtoull would also take signs and spaces. */
static int is_number(const struct ad_yaml *node) {
  const size_t length = node->kind == AD_YAML_SCALAR ? strlen(node->text) : 0;
  return length > 0 && length <= 18 && !node->quoted && strspn(node->text, "0123456789") == length;
}

int ad_layout_number(const char *path, const struct ad_yaml *node, const char *key, uint64_t *number) {
  if (!is_number(node)) {
    return AD_FAIL_AT(path, node, "%s: expected a whole number of at most 18 digits, found \"%s\"", key,
                      node->kind == AD_YAML_SCALAR ? node->text : "a list or mapping");
  }
  *number = strtoull(node->text, NULL, 10);
  return AD_OK;
}

/* One of the words [count], as its number. */
static int read_choice(const char *path, const struct ad_yaml *node, const char *key, const char *const *words,
                       size_t count, int *value) {
  for (size_t i = 0; node->kind == AD_YAML_SCALAR && i < count; i++) {
    if (strcmp(node->text, words[i]) == 0) {
      *value = (int)i;
      return AD_OK;
    }
  }
  struct ad_buffer names = {0};
  int status = list_names(words, count, &names);
  if (status == AD_OK) {
    status = AD_FAIL_AT(path, node, "%s: found \"%s\", expected one of: %s", key,
                        node->kind == AD_YAML_SCALAR ? node->text : "a list or mapping", names.data);
  }
  ad_buffer_destroy(&names);
  return status;
}

static int read_column(const char *path, const struct ad_yaml *node, const char *key, const struct ad_source *source,
                       struct ad_column *column) {
  if (is_number(node)) {
    uint64_t number = 0;
    AD_TRY(ad_layout_number(path, node, key, &number));
    if (source->format == AD_FORMAT_JSONL) {
      return AD_FAIL_AT(path, node, "%s: a JSON object has no column numbers, expected a key", key);
    }
    if (number == 0 || (source->fields > 0 && number > source->fields)) {
      return AD_FAIL_AT(path, node, "%s: no column %s, they count from 1%s", key, node->text,
                        source->fields > 0 ? " to the number that `fields` says" : "");
    }
    column->number = (size_t)number;
    return AD_OK;
  }
  if (node->kind == AD_YAML_SCALAR && source->format != AD_FORMAT_JSONL && !source->header) {
    return AD_FAIL_AT(path, node, "%s: a file without header has no column names, expected a number", key);
  }
  return ad_layout_text(path, node, key, &column->name);
}

/* Room for `more` columns behind those that are there. */
static int extend_columns(struct ad_columns *columns, size_t more) {
  struct ad_column *items = ad_calloc(columns->count + more, sizeof *items);
  if (items == NULL) {
    return ad_fail_memory((columns->count + more) * sizeof *items, "a descriptor");
  }
  if (columns->count > 0) {
    memcpy(items, columns->items, columns->count * sizeof *items);
  }
  ad_free(columns->items);
  columns->items = items;
  return AD_OK;
}

/* One column or a list of them, behind those that are there. */
static int read_columns(const char *path, const struct ad_yaml *node, const char *key, size_t most,
                        const struct ad_source *source, struct ad_columns *columns) {
  const size_t count = node->kind == AD_YAML_SEQUENCE ? node->count : 1;
  if (count == 0 || count > most || node->kind == AD_YAML_MAPPING) {
    return AD_FAIL_AT(path, node, "%s: expected a column or a list of at most %zu columns", key, most);
  }
  AD_TRY(extend_columns(columns, count));
  for (size_t i = 0; i < count; i++) {
    const struct ad_yaml *item = node->kind == AD_YAML_SEQUENCE ? node->items[i] : node;
    AD_TRY(read_column(path, item, key, source, &columns->items[columns->count++]));
  }
  return AD_OK;
}

/* "NAME.CLASS" for each class, as `predict` names them. */
static int add_named(const struct ad_descriptor *d, const char *name, struct ad_columns *label) {
  AD_TRY(extend_columns(label, d->class_count));
  for (size_t c = 0; c < d->class_count; c++) {
    struct ad_buffer text = {0};
    AD_TRY(ad_buffer_printf(&text, "%s.%s", name, d->classes[c]));
    label->items[label->count++].name = text.data;
  }
  return AD_OK;
}

/* The columns of probabilities stand behind the label's own. */
static int read_probabilities(const struct ad_descriptor *d, const struct ad_yaml *node, struct ad_source *source) {
  const size_t before = source->label.count;
  const int json = source->format == AD_FORMAT_JSONL;
  if (d->task->names == AD_NAMES_NONE) {
    return AD_OK; /* no label is read */
  }
  if (d->task->soft_loss == NULL) {
    return AD_FAIL_AT(d->path, node, "columns.probabilities: the task %s has none", d->task->name);
  }
  if (d->class_count == 0) {
    return AD_FAIL_AT(d->path, node,
                      "columns.probabilities: the key \"classes\" is missing, expected the names in their order");
  }
  if (node->kind == AD_YAML_SCALAR && node->text[0] != '\0' && (source->header || json)) {
    AD_TRY(add_named(d, node->text, &source->label));
  } else {
    AD_TRY(read_columns(d->path, node, "columns.probabilities", AD_MAX_LABEL_COLUMNS, source, &source->label));
  }
  source->labelled = 1;
  source->probabilities = source->label.count - before;
  return source->probabilities == d->class_count || (json && source->probabilities == 1)
             ? AD_OK
             : AD_FAIL_AT(d->path, node, "columns.probabilities: found %zu column%s, expected %zu, one for each class",
                          source->probabilities, source->probabilities == 1 ? "" : "s", d->class_count);
}

static int parse_columns(const struct ad_descriptor *descriptor, const struct ad_yaml *node, const struct ad_yaml *top,
                         struct ad_source *source) {
  static const char *const keys[] = {"text", "pair", "label", "probabilities"};
  const char *path = descriptor->path;
  const int table = source->format == AD_FORMAT_TSV || source->format == AD_FORMAT_CSV;
  if (!table && source->format != AD_FORMAT_JSONL) {
    source->labelled = source->format != AD_FORMAT_LINES;
    return node == NULL ? AD_OK : AD_FAIL_AT(path, node, "columns: this format has none");
  }
  if (node == NULL) {
    return AD_FAIL_AT(path, top, "the key \"columns\" is missing");
  }
  AD_TRY(ad_layout_check_keys(path, node, "columns", keys, 4));
  const struct ad_yaml *text = ad_yaml_get(node, "text"), *pair = ad_yaml_get(node, "pair");
  const struct ad_yaml *label = ad_yaml_get(node, "label"), *soft = ad_yaml_get(node, "probabilities");
  if (text == NULL) {
    return AD_FAIL_AT(path, node, "columns: the key \"text\" is missing");
  }
  AD_TRY(read_columns(path, text, "columns.text", AD_MAX_COLUMNS, source, &source->text));
  if (pair != NULL) {
    AD_TRY(read_columns(path, pair, "columns.pair", AD_MAX_COLUMNS, source, &source->pair));
  }
  if (label != NULL) {
    source->labelled = 1;
    AD_TRY(read_columns(path, label, "columns.label", AD_MAX_LABEL_COLUMNS, source, &source->label));
  }
  if (source->label.count > 1 && source->task->classes == AD_CLASSES_ONE) {
    return AD_FAIL_AT(path, label, "columns.label: found %zu columns, expected one, as the task is %s",
                      source->label.count, source->task->name);
  }
  return soft == NULL ? AD_OK : read_probabilities(descriptor, soft, source);
}

/* One value of the file, and the class that it stands for; order: the classes in the order of the alphabet. Without
 * `name` the file writes the class names themselves. */
static int add_label(const struct ad_descriptor *descriptor, const char *value, const struct ad_yaml *name,
                     const size_t *order, struct ad_source *source) {
  struct ad_label_value *label = &source->labels[source->label_count];
  label->value = ad_strdup(value);
  if (label->value == NULL) {
    return ad_fail_memory(strlen(value), "a descriptor");
  }
  label->class_id = (uint32_t)source->label_count++;
  if (name == NULL) {
    return AD_OK;
  }
  const size_t count = descriptor->class_count;
  const size_t found = name->kind != AD_YAML_SCALAR
                           ? count
                           : ad_texts_find((const char *const *)descriptor->classes, count, order, name->text);
  label->class_id = (uint32_t)found;
  return found < count
             ? AD_OK
             : AD_FAIL_AT(descriptor->path, name, "labels: \"%s\" stands for \"%s\", which is not among the classes",
                          value, name->kind == AD_YAML_SCALAR ? name->text : "a list or mapping");
}

/* order [class_count] is work memory. */
static int read_labels(const struct ad_descriptor *descriptor, const struct ad_yaml *node, struct ad_source *source,
                       size_t *order) {
  const size_t classes = descriptor->class_count, count = node == NULL ? classes : node->count;
  ad_texts_order((const char *const *)descriptor->classes, classes, order);
  for (size_t i = 0; i < count; i++) {
    AD_TRY(add_label(descriptor, node == NULL ? descriptor->classes[i] : node->keys[i],
                     node == NULL ? NULL : node->items[i], order, source));
  }
  memset(order, 0, classes * sizeof *order);
  for (size_t i = 0; i < count; i++) {
    order[source->labels[i].class_id]++;
  }
  for (size_t c = 0; c < classes; c++) {
    if (order[c] == 0) {
      return AD_FAIL_AT(descriptor->path, node, "labels: no value stands for the class \"%s\"", descriptor->classes[c]);
    }
  }
  return AD_OK;
}

static int parse_labels(const struct ad_descriptor *descriptor, const struct ad_yaml *node, struct ad_source *source) {
  if (node != NULL && (node->kind != AD_YAML_MAPPING || node->count == 0)) {
    return AD_FAIL_AT(descriptor->path, node, "labels: expected a mapping of the file's values to class names");
  }
  if (node != NULL && descriptor->task->names == AD_NAMES_COLUMNS) {
    return AD_FAIL_AT(descriptor->path, node,
                      "labels: those of the task %s are numbers as they stand, expected no such key",
                      descriptor->task->name);
  }
  const size_t count = node == NULL ? descriptor->class_count : node->count;
  if (count == 0 || descriptor->task->names == AD_NAMES_NONE) {
    return AD_OK; /* the classes are not known yet, or not wanted */
  }
  size_t *order = ad_malloc(descriptor->class_count, sizeof *order);
  source->labels = ad_calloc(count, sizeof *source->labels);
  const int status = order == NULL || source->labels == NULL
                         ? ad_fail_memory(count * sizeof *source->labels, "a descriptor")
                         : read_labels(descriptor, node, source, order);
  ad_free(order);
  return status;
}

static int read_bound(const struct ad_descriptor *descriptor, const struct ad_yaml *node, double *bound) {
  char *end = NULL;
  *bound = node->kind == AD_YAML_SCALAR ? strtod(node->text, &end) : 0.0;
  return end != NULL && end != node->text && *end == '\0' && isfinite((float)*bound)
             ? AD_OK
             : AD_FAIL_AT(descriptor->path, node, "range: found \"%s\", expected a number",
                          node->kind == AD_YAML_SCALAR ? node->text : "a list or mapping");
}

/* The bounds of labels that are numbers. */
static int read_range(const struct ad_descriptor *descriptor, const struct ad_yaml *node, struct ad_source *source) {
  if (node == NULL) {
    return AD_OK;
  }
  if (descriptor->task->names != AD_NAMES_COLUMNS) {
    return AD_FAIL_AT(descriptor->path, node, "range: labels of the task %s are no numbers, expected no such key",
                      descriptor->task->name);
  }
  if (node->kind != AD_YAML_SEQUENCE || node->count != 2) {
    return AD_FAIL_AT(descriptor->path, node, "range: expected the least and the largest number, as [0, 5]");
  }
  AD_TRY(read_bound(descriptor, node->items[0], &source->low));
  AD_TRY(read_bound(descriptor, node->items[1], &source->high));
  return source->low < source->high
             ? AD_OK
             : AD_FAIL_AT(descriptor->path, node, "range: %.9g is not below %.9g", source->low, source->high);
}

/* Where each part of a label is a target of its own: as many parts as targets, as far as the layout tells. */
static int check_targets(const struct ad_descriptor *descriptor, const struct ad_yaml *columns,
                         const struct ad_source *source) {
  const size_t count = source->label.count, targets = descriptor->class_count;
  const int told = count > 1 || (count == 1 && source->format != AD_FORMAT_JSONL && source->separator == NULL);
  return descriptor->task->names != AD_NAMES_COLUMNS || targets == 0 || !told || count == targets
             ? AD_OK
             : AD_FAIL_AT(descriptor->path, columns,
                          "columns.label: found %zu column%s, expected one for each of %zu %s", count,
                          count == 1 ? "" : "s", targets, ad_task_outputs(descriptor->task, targets));
}

/* What cuts a label column into fields: the descriptor's key, else the task's own. */
static int read_separator(const struct ad_descriptor *descriptor, const struct ad_yaml *node,
                          struct ad_source *source) {
  const char *text = source->label.count == 1 ? descriptor->task->separator : NULL;
  if (node != NULL && descriptor->task->classes == AD_CLASSES_ONE) {
    return AD_FAIL_AT(descriptor->path, node, "separator: a label of the task %s is one class, expected no such key",
                      descriptor->task->name);
  }
  if (node != NULL && (node->kind != AD_YAML_SCALAR || node->text[0] == '\0')) {
    return AD_FAIL_AT(descriptor->path, node, "separator: expected what stands between labels, such as \",\"");
  }
  text = node == NULL ? text : node->text;
  source->separator = text == NULL ? NULL : ad_strdup(text);
  return text != NULL && source->separator == NULL ? ad_fail_memory(strlen(text), "a descriptor") : AD_OK;
}

/* The label of rows that are left out: any text, also an empty one. */
static int read_skip(const char *path, const struct ad_yaml *node, char **skip) {
  if (node->kind != AD_YAML_SCALAR || (node->text[0] == '\0' && !node->quoted)) {
    return AD_FAIL_AT(path, node, "skip: expected a label, in quotes where it is empty");
  }
  *skip = ad_strdup(node->text);
  return *skip == NULL ? ad_fail_memory(strlen(node->text), "a descriptor") : AD_OK;
}

int ad_layout_parse(const struct ad_descriptor *descriptor, const struct ad_yaml *split, const struct ad_yaml *top,
                    struct ad_source *source) {
  static const char *const keys[] = {AD_LAYOUT_KEYS};
  enum { FORMAT, DELIMITER, HEADER, FIELDS, COLUMNS, SEPARATOR, RANGE, LABELS, SKIP, EMPTY, INCOMPLETE, KEYS };
  _Static_assert(sizeof keys / sizeof *keys == KEYS, "one number per key");
  const struct ad_yaml *node[KEYS];
  for (size_t i = 0; i < KEYS; i++) {
    node[i] = ad_yaml_get(split, keys[i]);
    if (node[i] == NULL) {
      node[i] = ad_yaml_get(top, keys[i]);
    }
  }
  const char *path = descriptor->path;
  if (node[FORMAT] == NULL) {
    return AD_FAIL_AT(path, top, "the key \"format\" is missing");
  }
  int format = 0, delimiter = 0, empty = 0;
  AD_TRY(read_choice(path, node[FORMAT], "format", format_words, sizeof format_words / sizeof *format_words, &format));
  source->format = (enum ad_format)format;
  if (node[DELIMITER] != NULL) {
    AD_TRY(read_choice(path, node[DELIMITER], "delimiter", delimiter_words, 3, &delimiter));
    source->delimiter = (enum ad_delimiter)delimiter;
  }
  const int table = source->format == AD_FORMAT_TSV || source->format == AD_FORMAT_CSV;
  if (table && node[HEADER] == NULL) {
    return AD_FAIL_AT(path, top, "the key \"header\" is missing");
  }
  if (table) {
    AD_TRY(read_choice(path, node[HEADER], "header", header_words, 2, &source->header));
  }
  if (table && !source->header && node[FIELDS] != NULL) {
    uint64_t fields = 0;
    AD_TRY(ad_layout_number(path, node[FIELDS], "fields", &fields));
    source->fields = (size_t)fields;
  }
  source->task = descriptor->task;
  AD_TRY(parse_columns(descriptor, node[COLUMNS], top, source));
  AD_TRY(read_separator(descriptor, node[SEPARATOR], source));
  AD_TRY(read_range(descriptor, node[RANGE], source));
  AD_TRY(check_targets(descriptor, node[COLUMNS], source));
  AD_TRY(parse_labels(descriptor, node[LABELS], source));
  AD_TRY(ad_layout_order_columns(descriptor, ad_yaml_get(node[COLUMNS], "label"), source));
  if (node[SKIP] != NULL) {
    AD_TRY(read_skip(path, node[SKIP], &source->skip));
  }
  if (node[EMPTY] != NULL) {
    AD_TRY(read_choice(path, node[EMPTY], "empty", empty_words, 3, &empty));
    source->empty = (enum ad_empty)empty;
  }
  if (node[INCOMPLETE] != NULL) {
    AD_TRY(read_choice(path, node[INCOMPLETE], "incomplete", incomplete_words, 2, &source->skip_incomplete));
  }
  return AD_OK;
}

static int copy_text(const char *text, char **copy) {
  *copy = text == NULL ? NULL : ad_strdup(text);
  return text != NULL && *copy == NULL ? AD_ENOMEM : AD_OK;
}

static int copy_columns(const struct ad_columns *columns, struct ad_columns *copy) {
  copy->items = ad_calloc(columns->count, sizeof *copy->items);
  if (copy->items == NULL) {
    return AD_ENOMEM;
  }
  copy->count = columns->count;
  for (size_t i = 0; i < columns->count; i++) {
    copy->items[i].number = columns->items[i].number;
    AD_TRY(copy_text(columns->items[i].name, &copy->items[i].name));
  }
  return AD_OK;
}

static int copy_parts(const struct ad_source *source, struct ad_source *copy) {
  AD_TRY(copy_text(source->file, &copy->file));
  AD_TRY(copy_text(source->skip, &copy->skip));
  AD_TRY(copy_text(source->separator, &copy->separator));
  AD_TRY(copy_columns(&source->label, &copy->label));
  AD_TRY(copy_columns(&source->text, &copy->text));
  AD_TRY(copy_columns(&source->pair, &copy->pair));
  copy->labels = ad_calloc(source->label_count, sizeof *copy->labels);
  if (copy->labels == NULL) {
    return AD_ENOMEM;
  }
  for (size_t i = 0; i < source->label_count; i++) {
    copy->labels[i].class_id = source->labels[i].class_id;
    AD_TRY(copy_text(source->labels[i].value, &copy->labels[i].value));
    copy->label_count++;
  }
  return AD_OK;
}

int ad_layout_copy(const struct ad_source *source, struct ad_source *copy) {
  *copy = *source;
  copy->file = copy->skip = copy->separator = NULL;
  copy->text = copy->pair = copy->label = (struct ad_columns){0};
  copy->labels = NULL;
  copy->label_count = 0;
  if (copy_parts(source, copy) < 0) {
    ad_layout_destroy(copy);
    return ad_fail_memory(sizeof *copy, "the layout of a split");
  }
  return AD_OK;
}

static void destroy_columns(struct ad_columns *columns) {
  for (size_t i = 0; i < columns->count; i++) {
    ad_free(columns->items[i].name);
  }
  ad_free(columns->items);
}

void ad_layout_destroy(struct ad_source *source) {
  ad_free(source->file);
  ad_free(source->skip);
  ad_free(source->separator);
  destroy_columns(&source->label);
  destroy_columns(&source->text);
  destroy_columns(&source->pair);
  for (size_t i = 0; i < source->label_count; i++) {
    ad_free(source->labels[i].value);
  }
  ad_free(source->labels);
  *source = (struct ad_source){0};
}
