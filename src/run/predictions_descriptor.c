/* The descriptor of a table of predictions, by which another model learns from its probabilities or numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/yaml.h"
#include "autodidact/data/detect.h"
#include "predictions_internal.h"

int ad__predictions_check_descriptor(const struct ad_predictions_options *o) {
  const char *end = strrchr(ad_path_name(o->write), '.');
  if (o->out == NULL) {
    return ad_fail(AD_ECONFIG, "--write describes the table of --out, expected --out FILE with it");
  }
  if (end == NULL || strcmp(end, ".yaml") != 0) {
    return ad_fail(AD_ECONFIG, "--write %s: expected a name that ends in .yaml", o->write);
  }
  return ad_is_file(o->write) || ad_is_folder(o->write)
             ? ad_fail(AD_ECONFIG, "--write %s: it is there already; expected the name of a new file", o->write)
             : AD_OK;
}

int ad__predictions_check_table(const struct ad_predictions *p) {
  if (p->format == AD_PREDICTIONS_TSV) {
    return ad_fail(AD_ECONFIG, "--write: a TSV table may hold quotes that no reader takes, expected .csv or .jsonl");
  }
  if (p->task->classes != AD_CLASSES_ONE && !p->task->numbers) {
    return ad_fail(AD_ECONFIG, "--write: the task of the model is %s, expected classification or numbers",
                   p->task->name);
  }
  if (p->task->numbers && p->classes > 1 && p->format == AD_PREDICTIONS_JSONL) {
    return ad_fail(AD_ECONFIG, "--write: JSON lines have several numbers as an object, expected .csv");
  }
  const enum ad_predicted needed = p->task->numbers ? AD_PREDICTED_VALUE : AD_PREDICTED_PROBABILITIES;
  size_t i = 0;
  while (i < p->column_count && p->columns[i] != needed) {
    i++;
  }
  return i < p->column_count ? AD_OK
                             : ad_fail(AD_ECONFIG, "--write: the table lacks %s, expected among --columns",
                                       p->task->numbers ? "value" : "the probabilities");
}

/* The table's name of a column of the data; NULL: it is not there. */
static const char *find_own(const struct ad_predictions *p, const struct ad_column *column) {
  const char *const *names = ad_columns_names(p->own);
  size_t i = column->number - 1;
  if (column->name != NULL) {
    for (i = 0; i < p->own_count && strcmp(names[i], column->name) != 0; i++) {
    }
  }
  return i < p->own_count ? p->own_names[i] : NULL;
}

static int put_texts(const struct ad_predictions *p, const char *key, const struct ad_columns *columns,
                     struct ad_buffer *out) {
  for (size_t i = 0; i < columns->count; i++) {
    const char *name = find_own(p, &columns->items[i]);
    if (name == NULL) {
      return ad_fail(AD_ECONFIG, "--write: the data have no column of their own for \"%s\" of the descriptor",
                     columns->items[i].name);
    }
    AD_TRY(i == 0 ? ad_buffer_printf(out, "%s: [", key) : ad_buffer_puts(out, ", "));
    AD_TRY(ad_yaml_quote(out, name));
  }
  return columns->count == 0 ? AD_OK : ad_buffer_puts(out, "], ");
}

/* Of plain text, and of a format whose text is no column, the columns that ad_columns_open makes of them. */
static int put_made(const struct ad_predictions *p, struct ad_buffer *out) {
  static const char *const keys[] = {"text", "pair"};
  for (size_t i = 0; i < p->own_count && i < 2; i++) {
    if (strcmp(ad_columns_names(p->own)[i], keys[i]) != 0) {
      return ad_fail(AD_ECONFIG, "--write: the table has the names of the files and not their texts");
    }
    AD_TRY(ad_buffer_printf(out, "%s: ", keys[i]));
    AD_TRY(ad_yaml_quote(out, p->own_names[i]));
    AD_TRY(ad_buffer_puts(out, ", "));
  }
  return AD_OK;
}

/* The absolute path of a file that is there. The caller frees it by free. */
static char *find_file(const struct ad_descriptor *d, enum ad_split split) {
  const struct ad_source *source = &d->source[split];
  return source->file == NULL || source->shuffled || !source->labelled ? NULL : realpath(source->file, NULL);
}

/* Train is the table. Dev and test are those of the model's own data; without a dev file rows of the table are. */
static int put_splits(const struct ad_predictions *p, const struct ad_descriptor *d, struct ad_buffer *out) {
  char *train = realpath(p->options->out, NULL), *dev = d == NULL ? NULL : find_file(d, AD_SPLIT_DEV);
  char *test = d == NULL ? NULL : find_file(d, AD_SPLIT_TEST);
  const uint64_t share = p->row / AD_DETECT_DEV_SHARE;
  int status = train == NULL ? ad_fail(AD_EIO, "%s: %s", p->options->out, strerror(errno)) : AD_OK;
  if (status == AD_OK && dev == NULL) {
    status = ad_buffer_printf(out, "split: {seed: 0, dev: %zu}\n",
                              (size_t)(share == 0                   ? 1
                                       : share < AD_DETECT_DEV_MOST ? share
                                                                    : AD_DETECT_DEV_MOST));
  }
  status = status == AD_OK ? ad_buffer_puts(out, "splits:\n  train: {file: ") : status;
  status = status == AD_OK ? ad_yaml_quote(out, train) : status;
  status = status == AD_OK ? ad_buffer_puts(out, "}\n") : status;
  status = status == AD_OK && dev != NULL ? ad_descriptor_put_split(d, AD_SPLIT_DEV, dev, out) : status;
  status = status == AD_OK && test != NULL ? ad_descriptor_put_split(d, AD_SPLIT_TEST, test, out) : status;
  free(train);
  free(dev);
  free(test);
  return status;
}

/* What is learnt: the probabilities, or the numbers as labels. */
static int put_labels(const struct ad_predictions *p, struct ad_buffer *out) {
  char number[AD_CLASS_NUMBER];
  struct ad_buffer name = {0};
  if (!p->task->numbers) {
    return ad_buffer_printf(out, "probabilities: %s}\n",
                            p->format == AD_PREDICTIONS_JSONL ? "probabilities" : "probability");
  }
  int status = ad_buffer_puts(out, p->classes > 1 ? "label: [" : "label: value");
  for (size_t c = 0; c < p->classes && p->classes > 1 && status == AD_OK; c++) {
    ad_buffer_clear(&name);
    status = ad_buffer_printf(&name, "%s.%s", ad__predicted_prefix(AD_PREDICTED_VALUE), ad__class_name(p, c, number));
    status = status == AD_OK ? ad_buffer_puts(out, c == 0 ? "" : ", ") : status;
    status = status == AD_OK ? ad_yaml_quote(out, name.data) : status;
  }
  ad_buffer_destroy(&name);
  return status == AD_OK ? ad_buffer_printf(out, "%s}\ntask: %s\n", p->classes > 1 ? "]" : "", p->task->name) : status;
}

static int put_descriptor(const struct ad_predictions *p, const struct ad_predictor *predictor, struct ad_buffer *out) {
  const int json = p->format == AD_PREDICTIONS_JSONL;
  const struct ad_source *source;
  const struct ad_descriptor *d = ad_predictor_descriptor(predictor, &source);
  AD_TRY(ad_buffer_puts(out, "# Learns what autodidact predict has written.\n"));
  AD_TRY(ad_buffer_puts(out, json ? "format: jsonl\ncolumns: {" : "format: csv\nheader: true\ncolumns: {"));
  if (source != NULL && source->text.count > 0) {
    AD_TRY(put_texts(p, "text", &source->text, out));
    AD_TRY(put_texts(p, "pair", &source->pair, out));
  } else {
    AD_TRY(put_made(p, out));
  }
  AD_TRY(put_labels(p, out));
  AD_TRY(ad_buffer_puts(out, "classes: ["));
  for (size_t c = 0; c < p->classes; c++) {
    char number[AD_CLASS_NUMBER];
    AD_TRY(ad_buffer_puts(out, c == 0 ? "" : ", "));
    AD_TRY(ad_yaml_quote(out, ad__class_name(p, c, number)));
  }
  AD_TRY(ad_buffer_puts(out, "]\nempty: skip\nskip: \"\"\nincomplete: skip\n"));
  return put_splits(p, d, out);
}

int ad__predictions_describe(const struct ad_predictions *p, const struct ad_predictor *predictor) {
  struct ad_buffer text = {0};
  int status = put_descriptor(p, predictor, &text);
  status = status == AD_OK ? ad_file_write(p->options->write, text.data, text.size) : status;
  ad_buffer_destroy(&text);
  if (status == AD_OK) {
    const char *name = ad_shown(p->options->write);
    ad_log(AD_LOG_INFO, "%s learns from %s; next: autodidact train data.descriptor=%s%s --model DIR --out DIR", name,
           ad_shown(p->options->out), strchr(name, '/') == NULL ? "./" : "", name);
  }
  return status;
}
