/* The classes of a descriptor that leaves them to the data. */
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
    const struct ad_text_span l = record.label;
    const char *skip = source->skip;
    const int left_out = record.incomplete || l.data == NULL ||
                         (skip != NULL && strlen(skip) == l.size && memcmp(skip, l.data, l.size) == 0);
    status = left_out ? AD_OK : ad__values_add(labels, l);
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

static int add_classes(struct ad_buffer *text, const struct ad__values *labels) {
  AD_TRY(ad_buffer_puts(text, text->size > 0 && text->data[text->size - 1] != '\n' ? "\nclasses: [" : "classes: ["));
  for (size_t i = 0; i < labels->count; i++) {
    AD_TRY(ad_buffer_puts(text, i == 0 ? "" : ", "));
    AD_TRY(ad_yaml_quote(text, labels->items[i]));
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

int ad_descriptor_complete(struct ad_descriptor *descriptor, const char *folder, const char *file) {
  const struct ad_source *train = &descriptor->source[AD_SPLIT_TRAIN];
  struct ad__values labels = {0};
  struct ad_buffer text = {0};
  char *path = NULL;
  if (descriptor->class_count > 0) {
    return AD_OK;
  }
  AD_TRY(ad__split_path(descriptor, AD_SPLIT_TRAIN, train, folder, file, &path));
  int status = read_labels(train, path, &labels);
  status = status == AD_OK ? ad_buffer_append(&text, descriptor->text, descriptor->size) : status;
  status = status == AD_OK ? add_classes(&text, &labels) : status;
  status = status == AD_OK ? parse_again(descriptor, &text) : status;
  ad__values_destroy(&labels);
  ad_buffer_destroy(&text);
  ad_free(path);
  return status;
}
