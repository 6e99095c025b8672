/* Lines of text: one text a line, empty ones left out. There are no labels. */
#include "autodidact/base/status.h"
#include "reader.h"

static int next_text(struct ad_reader *reader, struct ad_record *record) {
  struct ad_text_span line = {0};
  while (line.size == 0) {
    const int status = reader->position >= reader->blank ? 0 : ad_reader_take_line(reader, &line);
    if (status <= 0) {
      return status;
    }
  }
  record->text = line;
  record->position = reader->begin;
  return 1;
}

const struct ad_reader_format ad_reader_lines = {.next = next_text};
