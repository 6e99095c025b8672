#include "autodidact/run/predictions.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/mpi/runtime.h"
#include "predictions_internal.h"

enum { FLUSHED = 1 << 16 }; /* bytes that are written at a time */

static const char *const columns[] = {AD_PREDICTION_COLUMN_MAP(AD_SET_NAME)};
static const char *const formats[] = {AD_PREDICTION_FORMAT_MAP(AD_SET_NAME)};

/* --- What is asked for. */

/* The number of a word [size] of a set [count]; count where it is none. */
static size_t find_word(const char *const *set, size_t count, const char *word, size_t size) {
  size_t i = 0;
  while (i < count && (strlen(set[i]) != size || strncasecmp(set[i], word, size) != 0)) {
    i++;
  }
  return i;
}

static int fail_word(const char *option, const char *word, size_t size, const char *const *set, size_t count) {
  char list[200] = "";
  for (size_t i = 0, used = 0; i < count; i++) {
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", set[i]);
  }
  return ad_fail(AD_ECONFIG, "%s: found '%.*s', expected %s", option, (int)(size < 80 ? size : 80), word, list);
}

static int choose_format(struct ad_predictions *p) {
  const struct ad_predictions_options *o = p->options;
  const char *dot = o->out == NULL ? NULL : strrchr(ad_path_name(o->out), '.');
  const char *word = o->format != NULL ? o->format : o->out == NULL ? formats[0] : dot == NULL ? "" : dot + 1;
  const size_t found = find_word(formats, AD_PREDICTION_FORMATS, word, strlen(word));
  if (found == AD_PREDICTION_FORMATS && o->format == NULL) {
    return ad_fail(AD_ECONFIG, "--out %s: its ending says no format, expected .csv, .tsv or .jsonl, or --format",
                   o->out);
  }
  if (found == AD_PREDICTION_FORMATS) {
    return fail_word("--format", word, strlen(word), formats, AD_PREDICTION_FORMATS);
  }
  p->format = (enum ad_prediction_format)found;
  return AD_OK;
}

static int has_column(const struct ad_predictions *p, enum ad_predicted column) {
  size_t i = 0;
  while (i < p->column_count && p->columns[i] != column) {
    i++;
  }
  return i < p->column_count;
}

/* The file's own columns behind the number of the row, or else first. */
static void insert_own(struct ad_predictions *p) {
  const size_t at = p->column_count > 0 && p->columns[0] == AD_PREDICTED_ROW;
  memmove(p->columns + at + 1, p->columns + at, (p->column_count - at) * sizeof *p->columns);
  p->columns[at] = AD_PREDICTED_OWN;
  p->column_count++;
}

/* `at`: words with commas between them. */
static int choose_columns(struct ad_predictions *p, const char *at) {
  for (;;) {
    at += strspn(at, " ");
    const size_t size = strcspn(at, ", "), behind = size + strspn(at + size, " ");
    const size_t found = find_word(columns, AD_PREDICTED, at, size);
    if (found == AD_PREDICTED) {
      return fail_word("--columns", at, size, columns, AD_PREDICTED);
    }
    if (has_column(p, (enum ad_predicted)found)) {
      return ad_fail(AD_ECONFIG, "--columns: found %s twice, expected it once", columns[found]);
    }
    p->columns[p->column_count++] = (enum ad_predicted)found;
    if (at[behind] != ',') {
      if (at[behind] != '\0') {
        return ad_fail(AD_ECONFIG, "--columns: found '%s', expected words with commas between them", at);
      }
      break;
    }
    at += behind + 1;
  }
  if (p->options->keep && !has_column(p, AD_PREDICTED_OWN)) {
    insert_own(p);
  }
  return AD_OK;
}

/* Of a file that is not there yet. */
static int check_folder(const char *out) {
  if (ad_path_name(out)[0] == '\0') {
    return ad_fail(AD_ECONFIG, "--out: found '%s', expected the name of a file", out);
  }
  char *folder = ad_path_folder(out);
  int status = folder == NULL ? ad_fail_memory(strlen(out), "a path") : AD_OK;
  if (status == AD_OK && !ad_is_folder(folder)) {
    status = ad_fail(AD_ECONFIG, "--out %s: there is no folder %s", out, folder);
  }
  ad_free(folder);
  return status;
}

/* A name is given to the finished file, so what has the name must be a file, and not one that is still needed. */
static int check_out(const struct ad_predictions_options *o) {
  struct stat out, data;
  if (o->out == NULL || stat(o->out, &out) != 0) {
    return o->out == NULL ? AD_OK : check_folder(o->out);
  }
  if (!S_ISREG(out.st_mode)) {
    return ad_fail(AD_ECONFIG, "--out %s: found %s, expected a file; without --out, --format prints the table", o->out,
                   S_ISDIR(out.st_mode) ? "a folder" : "a pipe or a device");
  }
  if (o->data != NULL && stat(o->data, &data) == 0 && data.st_ino == out.st_ino && data.st_dev == out.st_dev) {
    return ad_fail(AD_ECONFIG, "--out %s: that is the data, expected another file", o->out);
  }
  return AD_OK;
}

int ad_predictions_create(struct ad_predictions **predictions, const struct ad_predictions_options *options) {
  struct ad_predictions *p = *predictions = ad_calloc(1, sizeof *p);
  if (p == NULL) {
    return ad_fail_memory(sizeof *p, "a table of predictions");
  }
  p->options = options;
  p->file.fd = -1;
  AD_TRY(check_out(options));
  AD_TRY(options->write == NULL ? AD_OK : ad__predictions_check_descriptor(options));
  AD_TRY(choose_format(p));
  return options->columns == NULL ? AD_OK : choose_columns(p, options->columns);
}

void ad_predictions_destroy(struct ad_predictions *p) {
  if (p == NULL) {
    return;
  }
  for (size_t i = 0; p->own_names != NULL && i < p->own_count; i++) {
    ad_free(p->own_names[i]);
  }
  ad_free(p->own_names);
  ad_columns_close(p->own);
  ad_free(p->probabilities);
  ad_buffer_destroy(&p->text);
  ad_free(p);
}

/* --- Names. */

static int is_taken(const json_t *taken, const char *name) {
  return json_object_get(taken, name) != NULL;
}

static int take(json_t *taken, const char *name) {
  return json_object_set_new_nocheck(taken, name, json_true()) == 0 ? AD_OK : ad_fail_memory(64, "a column's name");
}

/* The names that the table has beside the file's own. */
static int take_names(const struct ad_predictions *p, json_t *taken) {
  for (size_t i = 0; i < p->column_count; i++) {
    const enum ad_predicted column = p->columns[i];
    AD_TRY(take(taken, columns[column]));
    for (size_t c = 0; ad__predicted_is_wide(p, column) && c < p->classes; c++) {
      char number[AD_CLASS_NUMBER];
      struct ad_buffer name = {0};
      int status = ad_buffer_printf(&name, "%s.%s", ad__predicted_prefix(column), ad__class_name(p, c, number));
      status = status == AD_OK ? take(taken, name.data) : status;
      ad_buffer_destroy(&name);
      AD_TRY(status);
    }
  }
  return AD_OK;
}

/* An own column's name, "own.NAME" where the table has that, "own.NAME.2" where it has both. */
static int name_own(json_t *taken, const char *name, char **out) {
  struct ad_buffer text = {0};
  int status = ad_buffer_puts(&text, name);
  for (size_t n = 1; status == AD_OK && is_taken(taken, text.data); n++) {
    ad_buffer_clear(&text);
    status = n == 1 ? ad_buffer_printf(&text, "own.%s", name) : ad_buffer_printf(&text, "own.%s.%zu", name, n);
  }
  status = status == AD_OK ? take(taken, text.data) : status;
  if (status != AD_OK) {
    ad_buffer_destroy(&text);
  }
  *out = text.data;
  return status;
}

static int name_columns(struct ad_predictions *p) {
  const size_t count = ad_columns_count(p->own);
  const char *const *names = ad_columns_names(p->own);
  json_t *taken = json_object();
  p->own_names = ad_calloc(count, sizeof *p->own_names);
  int status = taken == NULL || p->own_names == NULL ? ad_fail_memory(count * sizeof *names, "the columns' names")
                                                     : take_names(p, taken);
  for (size_t i = 0; i < count && status == AD_OK; i++) {
    status = name_own(taken, names[i], &p->own_names[i]);
    p->own_count += status == AD_OK;
  }
  json_decref(taken);
  return status;
}

/* --- Writing. */

static int flush(struct ad_predictions *p) {
  if (p->options->out != NULL) {
    AD_TRY(ad_file_add(&p->file, p->text.data, p->text.size));
  } else if (fwrite(p->text.data, 1, p->text.size, stdout) != p->text.size) {
    return ad_fail(AD_EIO, "standard output could not be written");
  }
  ad_buffer_clear(&p->text);
  return AD_OK;
}

/* Whether a model of the task gives this column. */
static int is_given(const struct ad_task *task, enum ad_predicted column) {
  switch (column) {
    case AD_PREDICTED_CLASS:
    case AD_PREDICTED_PROBABILITIES:
      return task->probabilities != NULL;
    case AD_PREDICTED_NUMBER:
    case AD_PREDICTED_CONFIDENCE:
      return task->classes == AD_CLASSES_ONE;
    case AD_PREDICTED_VALUE:
      return task->numbers;
    default:
      return 1;
  }
}

static int fail_column(const struct ad_task *task, enum ad_predicted column) {
  char list[200] = "";
  size_t used = 0;
  for (enum ad_predicted i = 0; i < AD_PREDICTED; i++) {
    if (is_given(task, i)) {
      used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used == 0 ? "" : ", ", columns[i]);
    }
  }
  return ad_fail(AD_ECONFIG, "--columns: found %s, which a model of the task %s does not give, expected %s",
                 columns[column], task->name, list);
}

/* The columns, once the model is there. */
static int fit_columns(struct ad_predictions *p) {
  if (p->options->columns == NULL) {
    return choose_columns(p, p->task->numbers ? "row,value" : "row,class,probabilities");
  }
  for (size_t i = 0; i < p->column_count; i++) {
    AD_TRY(is_given(p->task, p->columns[i]) ? AD_OK : fail_column(p->task, p->columns[i]));
  }
  return AD_OK;
}

/* The first rank's, before the first row. */
static int begin(struct ad_predictions *p, const struct ad_predictor *predictor) {
  p->task = ad_predictor_task(predictor);
  p->classes = ad_predictor_classes(predictor, &p->class_names);
  AD_TRY(fit_columns(p));
  AD_TRY(p->options->write == NULL ? AD_OK : ad__predictions_check_table(p));
  p->probabilities = ad_malloc(p->classes, sizeof *p->probabilities);
  if (p->probabilities == NULL) {
    return ad_fail_memory(p->classes * sizeof *p->probabilities, "the probabilities of a row");
  }
  if (has_column(p, AD_PREDICTED_OWN)) {
    AD_TRY(ad_predictor_open_columns(predictor, &p->own));
    AD_TRY(name_columns(p));
  }
  for (size_t i = 0; i < p->column_count; i++) {
    const enum ad_predicted column = p->columns[i];
    p->width += ad__predicted_is_wide(p, column) ? p->classes : column == AD_PREDICTED_OWN ? p->own_count : 1;
  }
  /* mpirun gives its ranks a terminal, and hands on what they write, to a file or a pipe as well. */
  p->terminal = p->options->out == NULL && isatty(STDOUT_FILENO) && ad_mpi_launched_rank() == NULL;
  AD_TRY(p->options->out == NULL ? AD_OK : ad_file_begin(&p->file, p->options->out));
  return p->format == AD_PREDICTIONS_JSONL ? AD_OK : ad__predictions_header(p);
}

static int write_row(void *context, const struct ad_prediction *prediction) {
  struct ad_predictions *p = context;
  const struct ad_cell *own = NULL;
  if (p->own != NULL) {
    const int status = ad_columns_next(p->own, &own);
    AD_TRY(status == 0 ? ad_fail(AD_EINPUT, "%s: the file changed while it was read", p->options->data) : status);
  }
  p->row++;
  AD_TRY(ad__predictions_row(p, prediction, own));
  return p->text.size < FLUSHED ? AD_OK : flush(p);
}

static int pass_row(void *context, const struct ad_prediction *prediction) {
  (void)context;
  (void)prediction;
  return AD_OK;
}

int ad_predictions_write(struct ad_predictions *p, struct ad_predictor *predictor) {
  if (!ad_predictor_is_first(predictor)) {
    AD_TRY(ad_predictor_settle(predictor, AD_OK));
    return ad_predictor_run(predictor, pass_row, NULL);
  }
  int status = ad_predictor_settle(predictor, begin(p, predictor));
  status = status == AD_OK ? ad_predictor_run(predictor, write_row, p) : status;
  status = status == AD_OK ? flush(p) : status;
  AD_TRY(ad_file_end(&p->file, status));
  return p->options->write == NULL ? AD_OK : ad__predictions_describe(p, predictor);
}
