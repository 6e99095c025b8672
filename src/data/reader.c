#include "reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/gzip.h"
#include "autodidact/base/looks.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"

static const struct ad_reader_format *const formats[] = {
    [AD_FORMAT_TSV] = &ad_reader_tsv,         [AD_FORMAT_CSV] = &ad_reader_csv,
    [AD_FORMAT_JSONL] = &ad_reader_jsonl,     [AD_FORMAT_FOLDER] = &ad_reader_folder,
    [AD_FORMAT_WORDNET] = &ad_reader_wordnet, [AD_FORMAT_LINES] = &ad_reader_lines,
};

/* Where the empty lines at the end begin: the last line that is not empty keeps its own end. */
static size_t find_blank(const char *data, size_t begin, size_t size) {
  while (size > begin && data[size - 1] == '\n') {
    const size_t end = size - 1 - (size - 1 > begin && data[size - 2] == '\r');
    if (end == begin || data[end - 1] != '\n') {
      break;
    }
    size = end;
  }
  return size;
}

/* A failed status with the kind of file in its message, where that is the reason. */
static int explain(const struct ad_reader *reader, int status) {
  return reader->map.data == NULL && reader->source->format == AD_FORMAT_FOLDER
             ? status
             : ad_looks_explain(status, AD_LOOKS_TEXT, reader->map_path, reader->map.data, reader->map.size);
}

int ad_reader_open_content(struct ad_reader *reader, const struct ad_source *source, const char *path,
                           const struct ad_file_map *content, int labels) {
  *reader = (struct ad_reader){.source = source,
                               .format = formats[source->format],
                               .path = path,
                               .map_path = path,
                               .labels = labels,
                               .labelled = source->labelled && labels >= 0};
  if (source->format != AD_FORMAT_FOLDER) {
    if (content != NULL) {
      reader->map = *content;
      reader->borrowed = 1;
    } else {
      AD_TRY(ad_text_map(path, &reader->map));
    }
    reader->size = reader->map.size;
    reader->position = ad_utf8_mark(reader->map.data, reader->size);
    reader->blank = find_blank(reader->map.data, reader->position, reader->size);
  }
  int status = ad_looks_refuse(path, reader->map.data, reader->map.size);
  if (status == AD_OK && reader->format->open != NULL) {
    status = explain(reader, reader->format->open(reader));
  }
  if (status < 0) {
    ad_reader_close(reader);
  }
  return status;
}

int ad_reader_open(struct ad_reader *reader, const struct ad_source *source, const char *path, int labels) {
  return ad_reader_open_content(reader, source, path, NULL, labels);
}

void ad_reader_close(struct ad_reader *reader) {
  if (reader->format != NULL && reader->format->close != NULL) {
    reader->format->close(reader);
  }
  if (!reader->borrowed) {
    ad_file_unmap(&reader->map);
  }
  ad_buffer_destroy(&reader->joined);
  ad_free(reader->label);
  ad_free(reader->fields);
  ad_free(reader->columns);
  *reader = (struct ad_reader){0};
}

int ad_reader_next(struct ad_reader *reader, struct ad_record *record) {
  *record = (struct ad_record){0};
  return explain(reader, reader->format->next(reader, record));
}

void ad_reader_seek(struct ad_reader *reader, size_t position) {
  reader->position = position;
}

int ad_reader_digest(struct ad_reader *reader, uint64_t *digest) {
  if (reader->source->format != AD_FORMAT_FOLDER) {
    *digest = ad_digest(reader->map.data, reader->map.size);
    return AD_OK;
  }
  *digest = 0;
  ad_reader_seek(reader, 0);
  struct ad_record record;
  int status;
  while ((status = ad_reader_next(reader, &record)) == 1) {
    const size_t root = strlen(reader->path);
    const uint64_t name = ad_digest(reader->map_path + root, strlen(reader->map_path) - root);
    *digest = ad_digest_pair(*digest, ad_digest_pair(name, ad_digest(reader->map.data, reader->map.size)));
  }
  ad_reader_seek(reader, 0);
  return status;
}

size_t ad_reader_line(const struct ad_reader *reader, size_t offset) {
  size_t line = 1;
  const char *at = reader->map.data, *end = at + (offset < reader->map.size ? offset : reader->map.size);
  while (at != NULL && at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
    at++;
    line++;
  }
  return line;
}

int ad_reader_fail(const struct ad_reader *reader, size_t offset, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return ad_fail(AD_EINPUT, "%s:%zu: %s", reader->map_path, ad_reader_line(reader, offset), text);
}

int ad_reader_fail_label(const struct ad_reader *reader, const char *shown, const char *note) {
  const struct ad_source *source = reader->source;
  struct ad_buffer expected = {0};
  int status = source->task->expected(source->labels, source->label_count, &expected);
  if (status == AD_OK && source->low < source->high) {
    status = ad_buffer_printf(&expected, " from %.9g to %.9g", source->low, source->high);
  }
  if (status == AD_OK) {
    status = ad_reader_fail(reader, reader->begin, "unknown label %s, expected %s%s", shown, expected.data, note);
  }
  ad_buffer_destroy(&expected);
  return status;
}

int ad_reader_reserve_label(struct ad_reader *reader, size_t count) {
  void *label = reader->label;
  AD_TRY(ad_reserve(&label, &reader->label_capacity, count, sizeof *reader->label));
  reader->label = label;
  return AD_OK;
}

int ad_reader_put_label(struct ad_reader *reader, struct ad_text_span field, struct ad_record *record) {
  AD_TRY(ad_reader_reserve_label(reader, 1));
  reader->label[0] = field;
  record->label = reader->label;
  record->label_count = 1;
  return AD_OK;
}

static struct ad_text_span without_spaces(struct ad_text_span text) {
  while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
    text = (struct ad_text_span){text.data + 1, text.size - 1};
  }
  while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
    text.size--;
  }
  return text;
}

int ad_reader_cut_label(struct ad_reader *reader, struct ad_text_span field, struct ad_record *record) {
  const char *separator = reader->source->separator;
  const size_t width = strlen(separator);
  size_t count = 0;
  AD_TRY(ad_reader_reserve_label(reader, 1)); /* a label of no fields is one, too */
  field = without_spaces(field);
  for (int more = field.size > 0; more;) {
    const char *at = memmem(field.data, field.size, separator, width);
    const size_t size = at == NULL ? field.size : (size_t)(at - field.data);
    AD_TRY(ad_reader_reserve_label(reader, count + 1));
    reader->label[count++] = without_spaces((struct ad_text_span){field.data, size});
    more = at != NULL;
    field = more ? (struct ad_text_span){at + width, field.size - size - width} : field;
  }
  record->label = reader->label;
  record->label_count = count;
  return AD_OK;
}

int ad_reader_skips(const struct ad_source *source, const struct ad_record *record) {
  if (source->skip == NULL || record->label == NULL) {
    return 0;
  }
  const size_t size = strlen(source->skip);
  for (size_t i = 0; i < record->label_count; i++) {
    if (record->label[i].size == size && memcmp(record->label[i].data, source->skip, size) == 0) {
      return 1;
    }
  }
  return size == 0 && record->label_count == 0;
}

int ad_reader_check_text(const struct ad_reader *reader, size_t begin, size_t end) {
  const char *data = reader->map.data;
  const size_t bad = begin + ad_utf8_valid(data + begin, end - begin);
  const char *nul = bad == begin ? NULL : memchr(data + begin, '\0', bad - begin);
  if (nul != NULL) {
    const char *line = nul == data ? NULL : memrchr(data, '\n', (size_t)(nul - data));
    return ad_reader_fail(reader, (size_t)(nul - data), "a NUL byte 0x00 at byte %zu of the line",
                          (size_t)(nul - (line == NULL ? data : line + 1)) + 1);
  }
  return bad == end ? AD_OK : ad_utf8_fail(reader->map_path, 1, data, reader->map.size, bad);
}

int ad_reader_take_line(struct ad_reader *reader, struct ad_text_span *line) {
  if (reader->position >= reader->size) {
    return 0;
  }
  const size_t begin = reader->position;
  const char *data = reader->map.data + begin;
  const char *newline = memchr(data, '\n', reader->size - begin);
  size_t size = newline == NULL ? reader->size - begin : (size_t)(newline - data);
  reader->position = begin + size + (newline != NULL);
  reader->begin = begin;
  size -= newline != NULL && size > 0 && data[size - 1] == '\r';
  *line = (struct ad_text_span){.data = data, .size = size};
  AD_TRY(ad_reader_check_text(reader, begin, begin + size));
  return 1;
}

int ad_reader_join_start(struct ad_reader *reader, size_t bytes) {
  void *data = reader->joined.data;
  AD_TRY(ad_reserve(&data, &reader->joined.capacity, bytes, 1));
  reader->joined.data = data;
  ad_buffer_clear(&reader->joined);
  return AD_OK;
}

struct ad_text_span ad_reader_join(struct ad_reader *reader, const struct ad_text_span *spans, size_t count) {
  if (count <= 1) {
    return count == 1 ? spans[0] : (struct ad_text_span){.data = ""};
  }
  struct ad_buffer *joined = &reader->joined;
  struct ad_text_span whole = {.data = joined->data + joined->size};
  for (size_t i = 0; i < count; i++) {
    if (i > 0) {
      joined->data[joined->size++] = ' ';
    }
    memcpy(joined->data + joined->size, spans[i].data, spans[i].size);
    joined->size += spans[i].size;
  }
  whole.size = (size_t)(joined->data + joined->size - whole.data);
  return whole;
}
