/* TSV as GLUE has it: a line is a row, a tab stands between columns, and no character quotes another. */
#include <string.h>

#include "autodidact/base/status.h"
#include "reader.h"

/* The row at the position into reader->fields; 1, 0 at the end, or a failure. */
static int take_row(struct ad_reader *reader) {
  struct ad_text_span line;
  /* In a table of one column an empty line is a row. */
  if (reader->position >= reader->blank && reader->expected_fields != 1) {
    return 0;
  }
  const int status = ad_reader_take_line(reader, &line);
  if (status <= 0) {
    return status;
  }
  reader->field_count = 0;
  for (;;) {
    const char *tab = memchr(line.data, '\t', line.size);
    const size_t size = tab == NULL ? line.size : (size_t)(tab - line.data);
    AD_TRY(ad_table_add_field(reader, (struct ad_text_span){.data = line.data, .size = size}));
    if (tab == NULL) {
      return 1;
    }
    line = (struct ad_text_span){.data = tab + 1, .size = line.size - size - 1};
  }
}

static int open_tsv(struct ad_reader *reader) {
  return ad_table_open(reader, take_row);
}

static int next_tsv(struct ad_reader *reader, struct ad_record *record) {
  return ad_table_next(reader, take_row, record);
}

const struct ad_reader_format ad_reader_tsv = {.open = open_tsv, .next = next_tsv};
