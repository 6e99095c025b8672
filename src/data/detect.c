/* From files without a descriptor to the text of one. */
#include "autodidact/data/detect.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/yaml.h"
#include "choose.h"
#include "layout.h"

struct detection {
  const struct ad_detect_request *request;
  const struct ad_task *task;
  struct ad__scan scan[AD_SPLITS];     /* those of files that are there */
  struct ad__chosen chosen[AD_SPLITS]; /* their columns */
  struct ad__values classes;           /* the labels of all files, sorted */
  size_t dev_rows;                     /* cut out of train; 0: none */
};

/* Whether labels are wanted. */
static int wants_labels(const struct detection *d) {
  return d->request->task == NULL || !ad_task_hides(d->request->task);
}

/* Rows that have all that is needed; an estimate from below where several gaps are in one row. */
static size_t usable_rows(const struct detection *d, enum ad_split split) {
  const struct ad__scan *scan = &d->scan[split];
  const struct ad__chosen *chosen = &d->chosen[split];
  const size_t columns[3] = {chosen->text, chosen->pair, chosen->label};
  const size_t count = d->task->classes == AD_CLASSES_SET ? 2 : 3; /* a blank label is the empty set */
  size_t lacking = 0;
  for (size_t i = 0; i < count; i++) {
    lacking += columns[i] < scan->count ? scan->rows - scan->columns[columns[i]].filled : 0;
  }
  return lacking < scan->rows ? scan->rows - lacking : 0;
}

/* --- Reading. */

static int scan_train(struct detection *d) {
  struct ad__scan *scan = &d->scan[AD_SPLIT_TRAIN];
  const char *path = d->request->file[AD_SPLIT_TRAIN];
  struct ad__form form;
  AD_TRY(ad__form_find(path, !wants_labels(d), &form));
  AD_TRY(ad__scan_file(scan, path, &form));
  AD_TRY(ad__choose_head(scan, d->task, &d->request->columns));
  if (scan->rows == 0) {
    return ad_fail(AD_EINPUT, "%s: found a header and no rows", path);
  }
  return ad__choose_columns(scan, d->task, &d->request->columns, &d->chosen[AD_SPLIT_TRAIN]);
}

/* The column of another file that stands for one of train's: of the same name, or without names of the same number. */
static int match_column(const struct detection *d, enum ad_split split, size_t column, int needed, size_t *found) {
  const struct ad__scan *train = &d->scan[AD_SPLIT_TRAIN], *scan = &d->scan[split];
  char shown[80];
  *found = scan->count;
  if (column == train->count) {
    return AD_OK;
  }
  if (train->header) {
    for (*found = 0; *found < scan->count; (*found)++) {
      if (scan->columns[*found].name != NULL && strcmp(scan->columns[*found].name, train->columns[column].name) == 0) {
        return AD_OK;
      }
    }
  } else if (column < scan->count) {
    *found = column;
  }
  return *found < scan->count || !needed ? AD_OK
                                         : ad_fail(AD_EINPUT, "%s: no column %s, which %s has", scan->path,
                                                   ad__column_show(train, column, shown, sizeof shown), train->path);
}

static int scan_other(struct detection *d, enum ad_split split) {
  const struct ad__chosen *train = &d->chosen[AD_SPLIT_TRAIN];
  struct ad__chosen *chosen = &d->chosen[split];
  struct ad__form form;
  AD_TRY(ad__form_find(d->request->file[split], !wants_labels(d), &form));
  AD_TRY(ad__scan_file(&d->scan[split], d->request->file[split], &form));
  AD_TRY(ad__scan_head(&d->scan[split], d->scan[AD_SPLIT_TRAIN].header, NULL, 0));
  AD_TRY(match_column(d, split, train->text, 1, &chosen->text));
  AD_TRY(match_column(d, split, train->pair, 1, &chosen->pair));
  AD_TRY(match_column(d, split, train->label, split == AD_SPLIT_DEV, &chosen->label));
  const struct ad__scan *scan = &d->scan[split];
  if (split == AD_SPLIT_TEST && chosen->label < scan->count && scan->columns[chosen->label].filled == 0) {
    chosen->label = scan->count; /* a column of nothing: a test file whose labels others keep */
  }
  return chosen->label < scan->count ? ad__check_label(scan, d->task, chosen->label, 1) : AD_OK;
}

static int add_classes(struct detection *d, enum ad_split split) {
  const struct ad__scan *scan = &d->scan[split];
  if (d->chosen[split].label == scan->count || d->task->classes != AD_CLASSES_ONE) {
    return AD_OK;
  }
  const struct ad__values *values = &scan->columns[d->chosen[split].label].values;
  for (size_t i = 0; i < values->count; i++) {
    AD_TRY(ad__values_add(&d->classes, (struct ad_text_span){values->items[i], strlen(values->items[i])}));
  }
  return AD_OK;
}

static int look(struct detection *d) {
  AD_TRY(scan_train(d));
  AD_TRY(add_classes(d, AD_SPLIT_TRAIN));
  for (enum ad_split s = AD_SPLIT_TRAIN + 1; s < AD_SPLITS; s++) {
    AD_TRY(d->request->file[s] == NULL ? AD_OK : scan_other(d, s));
    AD_TRY(d->request->file[s] == NULL ? AD_OK : add_classes(d, s));
  }
  AD_TRY(ad__values_sort(&d->classes));
  if (d->request->file[AD_SPLIT_DEV] == NULL) {
    const size_t rows = usable_rows(d, AD_SPLIT_TRAIN);
    const size_t part = rows / AD_DETECT_DEV_SHARE;
    d->dev_rows = part == 0 ? 1 : part < AD_DETECT_DEV_MOST ? part : AD_DETECT_DEV_MOST;
    if (rows < 2) {
      return ad_fail(AD_EINPUT, "%s: found %zu row%s with text%s, expected at least two",
                     d->request->file[AD_SPLIT_TRAIN], rows, rows == 1 ? "" : "s", wants_labels(d) ? " and label" : "");
    }
  }
  return AD_OK;
}

/* --- Writing. */

/* Whether a column's name tells it from the others of its file. */
static int is_named(const struct ad__scan *scan, size_t column) {
  size_t times = 0;
  for (size_t i = 0; scan->header && i < scan->count; i++) {
    times += strcmp(scan->columns[i].name, scan->columns[column].name) == 0;
  }
  return times == 1 && scan->columns[column].name[0] != '\0';
}

static int put_column(const struct ad__scan *scan, const char *key, size_t column, struct ad_buffer *out) {
  if (column == scan->count) {
    return AD_OK;
  }
  AD_TRY(ad_buffer_printf(out, "%s%s: ", strcmp(key, "text") == 0 ? "" : ", ", key));
  return is_named(scan, column) ? ad_yaml_quote(out, scan->columns[column].name)
                                : ad_buffer_printf(out, "%zu", column + 1);
}

static int put_columns(const struct detection *d, enum ad_split split, struct ad_buffer *out) {
  const struct ad__scan *scan = &d->scan[split];
  const struct ad__chosen *c = &d->chosen[split];
  if (scan->form.format == AD_FORMAT_LINES) {
    return AD_OK;
  }
  AD_TRY(ad_buffer_puts(out, "columns: {"));
  AD_TRY(put_column(scan, "text", c->text, out));
  AD_TRY(put_column(scan, "pair", c->pair, out));
  AD_TRY(put_column(scan, "label", c->label, out));
  return ad_buffer_puts(out, "}");
}

/* The keys of a file's form, with `separator` behind each. */
static int put_form(const struct ad__scan *scan, const char *separator, struct ad_buffer *out) {
  const struct ad__form *form = &scan->form;
  AD_TRY(ad_buffer_printf(out, "format: %s%s", ad_layout_format_name(form->format), separator));
  if (form->format == AD_FORMAT_CSV) {
    AD_TRY(ad_buffer_printf(out, "delimiter: %s%s", ad_layout_delimiter_name(form->delimiter), separator));
  }
  return form->format == AD_FORMAT_JSONL || form->format == AD_FORMAT_LINES
             ? AD_OK
             : ad_buffer_printf(out, "header: %s%s", scan->header ? "true" : "false", separator);
}

/* The path of a file from the folder of the request: what is left of it there, else from the root. */
static int put_path(const struct detection *d, enum ad_split split, struct ad_buffer *out) {
  const char *file = d->request->file[split];
  char *real = realpath(file, NULL), *folder = realpath(d->request->folder, NULL);
  const size_t length = folder == NULL ? 0 : strlen(folder);
  const int inside = real != NULL && folder != NULL && strncmp(real, folder, length) == 0 &&
                     (real[length] == '/' || strcmp(folder, "/") == 0);
  const int status = real == NULL ? ad_fail(AD_EINPUT, "%s: %s", file, strerror(errno))
                                  : ad_yaml_quote(out, inside ? real + length + (real[length] == '/') : real);
  free(real);
  free(folder);
  return status;
}

static int put_split(const struct detection *d, enum ad_split split, struct ad_buffer *out) {
  const struct ad__scan *train = &d->scan[AD_SPLIT_TRAIN], *scan = &d->scan[split];
  AD_TRY(ad_buffer_printf(out, "  %s: {", ad_split_name(split)));
  if (split != AD_SPLIT_TRAIN &&
      (scan->form.format != train->form.format || scan->form.delimiter != train->form.delimiter)) {
    AD_TRY(put_form(scan, ", ", out));
  }
  if (split != AD_SPLIT_TRAIN && wants_labels(d) && d->chosen[split].label == scan->count) {
    AD_TRY(put_columns(d, split, out));
    AD_TRY(ad_buffer_puts(out, ", "));
  }
  AD_TRY(ad_buffer_puts(out, "file: "));
  AD_TRY(put_path(d, split, out));
  return ad_buffer_puts(out, "}\n");
}

/* Whether some file has rows without a label; without all columns. */
static void find_gaps(const struct detection *d, int *labels, int *rows) {
  *labels = *rows = 0;
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    const struct ad__scan *scan = &d->scan[s];
    const struct ad__chosen *c = &d->chosen[s];
    const int json = scan->form.format == AD_FORMAT_JSONL;
    if (d->request->file[s] != NULL) {
      *labels = *labels || (c->label < scan->count && !json && scan->columns[c->label].filled < scan->rows &&
                            d->task->classes != AD_CLASSES_SET);
      *rows = *rows || scan->blank > 0 || (json && scan->columns[c->text].filled < scan->rows) ||
              (json && c->pair < scan->count && scan->columns[c->pair].filled < scan->rows);
    }
  }
}

/* The classes; of another task its name, which finds them in the data by itself. */
static int put_task(const struct detection *d, struct ad_buffer *out) {
  if (d->task->classes != AD_CLASSES_ONE) {
    return ad_buffer_printf(out, "\ntask: %s\n", d->task->name);
  }
  AD_TRY(ad_buffer_puts(out, "\nclasses: ["));
  for (size_t i = 0; i < d->classes.count; i++) {
    AD_TRY(ad_buffer_puts(out, i == 0 ? "" : ", "));
    AD_TRY(ad_yaml_quote(out, d->classes.items[i]));
  }
  return ad_buffer_puts(out, "]\n");
}

static int put_descriptor(const struct detection *d, struct ad_buffer *out) {
  int labels, rows;
  find_gaps(d, &labels, &rows);
  AD_TRY(ad_buffer_puts(out, "# What autodidact found in the files. The keys are explained in datasets/README.md.\n"));
  AD_TRY(put_form(&d->scan[AD_SPLIT_TRAIN], "\n", out));
  AD_TRY(put_columns(d, AD_SPLIT_TRAIN, out));
  AD_TRY(put_task(d, out));
  AD_TRY(ad_buffer_printf(out, "empty: skip\n%s%s", rows ? "incomplete: skip\n" : "", labels ? "skip: \"\"\n" : ""));
  if (d->dev_rows > 0) {
    AD_TRY(ad_buffer_printf(out, "split: {seed: 0, dev: %zu}\n", d->dev_rows));
  }
  AD_TRY(ad_buffer_puts(out, "splits:\n"));
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    AD_TRY(d->request->file[s] == NULL ? AD_OK : put_split(d, s, out));
  }
  return AD_OK;
}

/* --- Telling. */

/* "text is column "review" (good film)": with the beginning of a value, from which a wrong column shows. */
static int tell_column(const struct ad__scan *scan, const char *what, size_t column, struct ad_buffer *out) {
  enum { BEGINNING = 33 };
  char shown[80], example[BEGINNING] = "";
  if (column == scan->count) {
    return AD_OK;
  }
  const struct ad__values *values = &scan->columns[column].values;
  if (values->count > 0) {
    ad_escape(values->items[0], strlen(values->items[0]), example, sizeof example);
  }
  const int whole = values->count == 0 || strlen(example) == strlen(values->items[0]);
  return ad_buffer_printf(out, ", %s is column %s (%s%s)", what, ad__column_show(scan, column, shown, sizeof shown),
                          example, whole ? "" : "...");
}

static int tell_file(const struct detection *d, enum ad_split split, struct ad_buffer *out) {
  static const char *const between[] = {"commas", "semicolons", "tabs, quoted"};
  const struct ad__scan *scan = &d->scan[split];
  const struct ad__chosen *c = &d->chosen[split];
  const int lines = scan->form.format == AD_FORMAT_LINES;
  const char *form = scan->form.format == AD_FORMAT_JSONL ? "JSON"
                     : lines                              ? "lines of text"
                     : scan->form.format == AD_FORMAT_TSV ? "tabs"
                                                          : between[scan->form.delimiter];
  AD_TRY(ad_buffer_printf(out, "%s: %s, %zu rows (%s%s)", ad_split_name(split), ad_shown(scan->path), scan->rows, form,
                          scan->form.format == AD_FORMAT_JSONL || lines ? ""
                          : scan->header                                ? ", a header"
                                                                        : ", no header"));
  AD_TRY(lines ? AD_OK : tell_column(scan, "text", c->text, out));
  AD_TRY(tell_column(scan, "second text", c->pair, out));
  AD_TRY(tell_column(scan, "label", c->label, out));
  AD_TRY(ad_buffer_puts(out, c->label < scan->count || !wants_labels(d) ? "" : ", no labels"));
  const size_t lacking = scan->blank + scan->rows - usable_rows(d, split);
  return lacking == 0 ? ad_buffer_puts(out, "\n")
                      : ad_buffer_printf(out, "; up to %zu rows without text%s are left out\n", lacking,
                                         wants_labels(d) ? " or label" : "");
}

/* Whether the classes are numbers that are not all whole. */
static int are_fractions(const struct detection *d) {
  const struct ad__scan *train = &d->scan[AD_SPLIT_TRAIN];
  const struct ad__scan_column *column = &train->columns[d->chosen[AD_SPLIT_TRAIN].label];
  size_t i = 0;
  while (i < d->classes.count && strtod(d->classes.items[i], NULL) == trunc(strtod(d->classes.items[i], NULL))) {
    i++;
  }
  return column->numbers == column->filled && i < d->classes.count;
}

static int tell_classes(const struct detection *d, struct ad_buffer *out) {
  enum { MOST = 10 };
  const struct ad__scan *train = &d->scan[AD_SPLIT_TRAIN];
  const struct ad__values *values = &train->columns[d->chosen[AD_SPLIT_TRAIN].label].values;
  AD_TRY(ad_buffer_printf(out, "%zu classes (rows of train):", d->classes.count));
  for (size_t i = 0; i < d->classes.count && i < MOST; i++) {
    const char *name = d->classes.items[i];
    AD_TRY(ad_buffer_printf(out, "%s %s (%zu)", i == 0 ? "" : ",", ad_shown(name),
                            ad__values_times(values, (struct ad_text_span){name, strlen(name)})));
  }
  AD_TRY(ad_buffer_puts(out, d->classes.count > MOST ? ", ...\n" : "\n"));
  return are_fractions(d) ? ad_buffer_puts(out, "the labels are numbers: data.task=regression learns their size\n")
                          : AD_OK;
}

static int tell(const struct detection *d, struct ad_buffer *out) {
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    AD_TRY(d->request->file[s] == NULL ? AD_OK : tell_file(d, s, out));
  }
  if (d->dev_rows > 0) {
    AD_TRY(ad_buffer_printf(out, "dev: %zu row%s of train, drawn by seed 0 (one in %d, at most %d)\n", d->dev_rows,
                            d->dev_rows == 1 ? "" : "s", AD_DETECT_DEV_SHARE, AD_DETECT_DEV_MOST));
  }
  if (!wants_labels(d)) {
    return AD_OK;
  }
  return d->task->classes == AD_CLASSES_ONE
             ? tell_classes(d, out)
             : ad_buffer_printf(out, "the label is %s (task %s)\n", d->task->numbers ? "a number" : "a list of classes",
                                d->task->name);
}

int ad_detect(const struct ad_detect_request *request, struct ad_buffer *descriptor, struct ad_buffer *told) {
  struct detection *d = ad_calloc(1, sizeof *d);
  if (d == NULL) {
    return ad_fail_memory(sizeof *d, "the look at the files");
  }
  d->request = request;
  d->task = request->task == NULL ? ad_task_find(NULL) : request->task;
  int status = look(d);
  status = status == AD_OK ? put_descriptor(d, descriptor) : status;
  status = status == AD_OK ? tell(d, told) : status;
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    ad__scan_destroy(&d->scan[s]);
  }
  ad__values_destroy(&d->classes);
  ad_free(d);
  return status;
}
