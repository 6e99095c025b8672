/* Descriptors that are not as their file says: with another task, and with classes that are left to the data. */
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/yaml.h"
#include "values.h"

/* All labels of a file, those that `skip` leaves out aside. */
static int read_labels(const struct ad_source *source, const char *path, struct ad__values *labels) {
  struct ad_reader reader;
  struct ad_record record;
  AD_TRY(ad_reader_open(&reader, source, path, 1));
  int status;
  while ((status = ad_reader_next(&reader, &record)) == 1) {
    const size_t fields = record.incomplete || ad_reader_skips(source, &record) ? 0 : record.label_count;
    status = AD_OK;
    for (size_t i = 0; i < fields && status == AD_OK; i++) {
      status = ad__values_add(labels, record.label[i]);
    }
    if (status < 0) {
      break;
    }
  }
  ad_reader_close(&reader);
  AD_TRY(status);
  if (labels->many) {
    return ad_fail(AD_EINPUT, "%s: found more than %d different labels, expected classes", path,
                   AD_DETECT_MOST_CLASSES);
  }
  return labels->count > 1 ? ad__values_sort(labels)
                           : ad_fail(AD_EINPUT, "%s: found %zu different label%s, expected at least two classes", path,
                                     labels->count, labels->count == 1 ? "" : "s");
}

/* A line more at the end of a descriptor's text begins with this. */
static int begin_line(struct ad_buffer *text) {
  return ad_buffer_puts(text, text->size > 0 && text->data[text->size - 1] != '\n' ? "\n" : "");
}

static int add_classes(struct ad_buffer *text, const struct ad__values *labels) {
  AD_TRY(begin_line(text));
  AD_TRY(ad_buffer_puts(text, "classes: ["));
  for (size_t i = 0; i < labels->count; i++) {
    AD_TRY(ad_buffer_puts(text, i == 0 ? "" : ", "));
    AD_TRY(ad_yaml_quote(text, labels->items[i]));
  }
  return ad_buffer_puts(text, "]\n");
}

static int add_columns(struct ad_buffer *text, const struct ad_columns *columns) {
  AD_TRY(begin_line(text));
  AD_TRY(ad_buffer_puts(text, "classes: ["));
  for (size_t i = 0; i < columns->count; i++) {
    const struct ad_column *column = &columns->items[i];
    AD_TRY(ad_buffer_puts(text, i == 0 ? "" : ", "));
    AD_TRY(column->name != NULL ? ad_yaml_quote(text, column->name)
                                : ad_buffer_printf(text, "column%zu", column->number));
  }
  return ad_buffer_puts(text, "]\n");
}

/* The descriptor of the longer text takes the place of this one. */
static int parse_again(struct ad_descriptor *descriptor, const struct ad_buffer *text) {
  struct ad_descriptor whole;
  int status = ad_descriptor_parse(&whole, descriptor->path, text->data, text->size);
  if (status < 0) {
    return status;
  }
  ad_free(whole.place);
  whole.place = descriptor->place;
  descriptor->place = NULL;
  ad_descriptor_destroy(descriptor);
  *descriptor = whole;
  return AD_OK;
}

/* The labels of train's file. */
static int add_values(const struct ad_descriptor *descriptor, const char *folder, const char *file,
                      struct ad_buffer *text) {
  const struct ad_source *train = &descriptor->source[AD_SPLIT_TRAIN];
  struct ad__values labels = {0};
  char *path = NULL;
  AD_TRY(ad__split_path(descriptor, AD_SPLIT_TRAIN, train, folder, file, &path));
  int status = read_labels(train, path, &labels);
  status = status == AD_OK ? add_classes(text, &labels) : status;
  ad__values_destroy(&labels);
  ad_free(path);
  return status;
}

int ad_descriptor_complete(struct ad_descriptor *descriptor, const char *folder, const char *file) {
  const struct ad_columns *label = &descriptor->source[AD_SPLIT_TRAIN].label;
  struct ad_buffer text = {0};
  if (descriptor->class_count > 0 || descriptor->task->names == AD_NAMES_NONE) {
    return AD_OK;
  }
  const int columns = descriptor->task->names == AD_NAMES_COLUMNS || label->count > 1;
  int status = ad_buffer_append(&text, descriptor->text, descriptor->size);
  if (status == AD_OK) {
    status = columns ? add_columns(&text, label) : add_values(descriptor, folder, file, &text);
  }
  status = status == AD_OK ? parse_again(descriptor, &text) : status;
  ad_buffer_destroy(&text);
  return status;
}

/* The line at the left margin that says the task; NULL: there is none. */
static const char *find_task(const struct ad_descriptor *d) {
  const char *line = d->text;
  while (line != NULL && strncmp(line, "task:", 5) != 0) {
    line = strchr(line, '\n');
    line = line == NULL ? NULL : line + 1;
  }
  return line;
}

int ad_descriptor_set_task(struct ad_descriptor *descriptor, const char *task) {
  const struct ad_task *found = ad_task_find(task);
  if (task[0] == '\0' || found == descriptor->task) {
    return AD_OK;
  }
  struct ad_buffer text = {0};
  AD_TRY(found == NULL ? ad_task_fail(AD_ECONFIG, "data.task", task) : AD_OK);
  const char *own = find_task(descriptor);
  const size_t before = own == NULL ? descriptor->size : (size_t)(own - descriptor->text);
  int status = ad_buffer_append(&text, descriptor->text, before);
  status = status == AD_OK ? begin_line(&text) : status;
  status = status == AD_OK ? ad_buffer_printf(&text, "task: %s", task) : status;
  status = status == AD_OK ? ad_buffer_puts(&text, own == NULL ? "\n" : own + strcspn(own, "\n")) : status;
  if (status == AD_OK) {
    status = parse_again(descriptor, &text);
    status = status == AD_OK ? AD_OK : ad_fail_prefix(status, "with data.task=%s", task);
  }
  ad_buffer_destroy(&text);
  return status;
}
