/* The rows of a table of predictions as text. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/delimited.h"
#include "autodidact/base/json.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "predictions_internal.h"

static const char *const words[] = {AD_PREDICTION_COLUMN_MAP(AD_SET_NAME)};

const char *ad__class_name(const struct ad_predictions *p, size_t c, char number[AD_CLASS_NUMBER]) {
  if (p->class_names != NULL) {
    return p->class_names[c];
  }
  snprintf(number, AD_CLASS_NUMBER, "%zu", c);
  return number;
}

static int is_json(const struct ad_predictions *p) {
  return p->format == AD_PREDICTIONS_JSONL;
}

/* --- Entries. */

/* A string of JSON; of bytes that are no UTF-8, as a file's name may be, their escaped form. */
static int put_json_text(struct ad_predictions *p, const char *text, size_t size) {
  json_t *value = json_stringn(text, size);
  struct ad_buffer escaped = {0};
  int status = AD_OK;
  if (value == NULL) {
    status = ad_escape_append(&escaped, text, size);
    value = status == AD_OK ? json_string(escaped.data) : NULL;
  }
  status =
      value == NULL ? ad_fail_memory(size, "a text of a prediction") : ad_json_print(value, JSON_ENCODE_ANY, &p->text);
  json_decref(value);
  ad_buffer_destroy(&escaped);
  return status;
}

/* What stands in front of an entry: a delimiter, and with JSON the name of the member. */
static int begin_entry(struct ad_predictions *p, const char *name) {
  static const char *const delimiters[] = {
      [AD_PREDICTIONS_CSV] = ",", [AD_PREDICTIONS_TSV] = "\t", [AD_PREDICTIONS_JSONL] = ", "};
  AD_TRY(p->entries++ == 0 ? AD_OK : ad_buffer_puts(&p->text, delimiters[p->format]));
  if (!is_json(p)) {
    return AD_OK;
  }
  AD_TRY(put_json_text(p, name, strlen(name)));
  return ad_buffer_puts(&p->text, ": ");
}

/* An entry of CSV or TSV. A row that has nothing but one empty entry is no empty line. */
static int put_delimited(struct ad_predictions *p, const char *text, size_t size) {
  const char delimiter = p->format == AD_PREDICTIONS_TSV ? '\t' : ',';
  struct ad_buffer escaped = {0};
  if (size == 0) {
    return p->width == 1 ? ad_buffer_puts(&p->text, "\"\"") : AD_OK;
  }
  int status = p->terminal ? ad_escape_append(&escaped, text, size) : AD_OK;
  if (status == AD_OK) {
    status = p->terminal ? ad_delimited_put(&p->text, delimiter, escaped.data, escaped.size)
                         : ad_delimited_put(&p->text, delimiter, text, size);
  }
  ad_buffer_destroy(&escaped);
  return status;
}

static int put_text(struct ad_predictions *p, const char *name, const char *text, size_t size) {
  AD_TRY(begin_entry(p, name));
  return is_json(p) ? put_json_text(p, text, size) : put_delimited(p, text, size);
}

static int put_none(struct ad_predictions *p, const char *name) {
  AD_TRY(begin_entry(p, name));
  return is_json(p) ? ad_buffer_puts(&p->text, "null") : put_delimited(p, "", 0);
}

static int put_count(struct ad_predictions *p, const char *name, uint64_t count) {
  AD_TRY(begin_entry(p, name));
  return ad_buffer_printf(&p->text, "%" PRIu64, count);
}

/* Nine digits give back a float32. JSON has no word for what is not finite. */
static int put_number(struct ad_predictions *p, const char *name, double value) {
  if (is_json(p) && !isfinite(value)) {
    return put_none(p, name);
  }
  AD_TRY(begin_entry(p, name));
  return ad_buffer_printf(&p->text, "%.9g", value);
}

/* An own entry: with JSON a value as the file has it, and none where the row has none. */
static int put_cell(struct ad_predictions *p, const char *name, const struct ad_cell *cell) {
  if (!is_json(p)) {
    const int null = cell->data == NULL || (cell->json && cell->size == 4 && memcmp(cell->data, "null", 4) == 0);
    return null ? put_none(p, name) : put_text(p, name, cell->data, cell->size);
  }
  if (cell->data == NULL || !cell->json) {
    return cell->data == NULL ? AD_OK : put_text(p, name, cell->data, cell->size);
  }
  AD_TRY(begin_entry(p, name));
  return ad_buffer_append(&p->text, cell->data, cell->size);
}

/* --- Columns of several entries. */

int ad__predicted_is_wide(const struct ad_predictions *p, enum ad_predicted column) {
  return column == AD_PREDICTED_PROBABILITIES || column == AD_PREDICTED_LOGITS ||
         (column == AD_PREDICTED_VALUE && p->classes > 1);
}

const char *ad__predicted_prefix(enum ad_predicted column) {
  return column == AD_PREDICTED_LOGITS ? "logit" : column == AD_PREDICTED_VALUE ? "value" : "probability";
}

/* A number for each class or target; the prediction is NULL where the row was not read. */
static int put_classes(struct ad_predictions *p, enum ad_predicted column, const struct ad_prediction *prediction) {
  const int logits = column != AD_PREDICTED_PROBABILITIES;
  char number[AD_CLASS_NUMBER];
  if (is_json(p)) {
    if (prediction == NULL) {
      return put_none(p, words[column]);
    }
    AD_TRY(begin_entry(p, words[column]));
    AD_TRY(ad_buffer_puts(&p->text, "{"));
    p->entries = 0;
  }
  for (size_t c = 0; c < p->classes; c++) {
    const char *name = ad__class_name(p, c, number);
    AD_TRY(prediction == NULL ? put_none(p, name)
                              : put_number(p, name, logits ? (double)prediction->logits[c] : p->probabilities[c]));
  }
  return is_json(p) ? ad_buffer_puts(&p->text, "}") : AD_OK;
}

/* JSON: a set of classes as a list of their names. */
static int put_list(struct ad_predictions *p, const char *name, const struct ad_prediction *prediction) {
  char number[AD_CLASS_NUMBER];
  AD_TRY(begin_entry(p, name));
  AD_TRY(ad_buffer_puts(&p->text, "["));
  int any = 0;
  for (size_t c = 0; c < p->classes; c++) {
    if (p->task->has(prediction->words, c)) {
      const char *class_name = ad__class_name(p, c, number);
      AD_TRY(ad_buffer_puts(&p->text, any++ ? ", " : ""));
      AD_TRY(put_json_text(p, class_name, strlen(class_name)));
    }
  }
  return ad_buffer_puts(&p->text, "]");
}

/* What is predicted, as files write it. */
static int put_prediction(struct ad_predictions *p, const char *name, const struct ad_prediction *prediction) {
  char number[AD_CLASS_NUMBER];
  struct ad_buffer text = {0};
  if (p->task->classes == AD_CLASSES_ONE) {
    const char *class_name = ad__class_name(p, prediction->number, number);
    return put_text(p, name, class_name, strlen(class_name));
  }
  if (p->task->classes == AD_CLASSES_SET && is_json(p)) {
    return put_list(p, name, prediction);
  }
  int status = ad_prediction_print(prediction, p->class_names, &text);
  status = status == AD_OK ? put_text(p, name, text.data == NULL ? "" : text.data, text.size) : status;
  ad_buffer_destroy(&text);
  return status;
}

static int put_column(struct ad_predictions *p, enum ad_predicted column, const struct ad_prediction *prediction,
                      const struct ad_cell *own) {
  const char *name = words[column];
  switch (column) {
    case AD_PREDICTED_ROW:
      return put_count(p, name, p->row);
    case AD_PREDICTED_OWN:
      for (size_t i = 0; i < p->own_count; i++) {
        AD_TRY(put_cell(p, p->own_names[i], &own[i]));
      }
      return AD_OK;
    default:
      break;
  }
  if (ad__predicted_is_wide(p, column)) {
    return put_classes(p, column, prediction);
  }
  if (prediction == NULL) {
    return put_none(p, name);
  }
  if (column == AD_PREDICTED_CLASS) {
    return put_prediction(p, name, prediction);
  }
  if (column == AD_PREDICTED_VALUE) {
    return put_number(p, name, (double)prediction->logits[0]);
  }
  return column == AD_PREDICTED_NUMBER ? put_count(p, name, prediction->number)
                                       : put_number(p, name, p->probabilities[prediction->number]);
}

int ad__predictions_row(struct ad_predictions *p, const struct ad_prediction *prediction, const struct ad_cell *own) {
  if (prediction != NULL && p->task->probabilities != NULL) {
    p->task->probabilities(p->classes, prediction->logits, p->probabilities);
  }
  p->entries = 0;
  AD_TRY(is_json(p) ? ad_buffer_puts(&p->text, "{") : AD_OK);
  for (size_t i = 0; i < p->column_count; i++) {
    AD_TRY(put_column(p, p->columns[i], prediction, own));
  }
  return ad_buffer_puts(&p->text, is_json(p) ? "}\n" : "\n");
}

static int put_name(struct ad_predictions *p, const char *name) {
  return put_text(p, name, name, strlen(name));
}

int ad__predictions_header(struct ad_predictions *p) {
  struct ad_buffer name = {0};
  int status = AD_OK;
  p->entries = 0;
  for (size_t i = 0; i < p->column_count && status == AD_OK; i++) {
    const enum ad_predicted column = p->columns[i];
    const int classes = ad__predicted_is_wide(p, column);
    for (size_t k = 0; column == AD_PREDICTED_OWN && k < p->own_count && status == AD_OK; k++) {
      status = put_name(p, p->own_names[k]);
    }
    for (size_t c = 0; classes && c < p->classes && status == AD_OK; c++) {
      char number[AD_CLASS_NUMBER];
      ad_buffer_clear(&name);
      status = ad_buffer_printf(&name, "%s.%s", ad__predicted_prefix(column), ad__class_name(p, c, number));
      status = status == AD_OK ? put_name(p, name.data) : status;
    }
    if (!classes && column != AD_PREDICTED_OWN && status == AD_OK) {
      status = put_name(p, words[column]);
    }
  }
  ad_buffer_destroy(&name);
  return status == AD_OK ? ad_buffer_puts(&p->text, "\n") : status;
}
