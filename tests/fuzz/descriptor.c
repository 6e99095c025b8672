/* Any bytes as a descriptor, and as the file that it describes. */
#include "fuzz.h"

#include "data/reader.h"

static void touch(const struct ad_record *record) {
  fuzz_touch(record->text.data, record->text.size);
  fuzz_touch(record->pair.data, record->pair.size);
  for (size_t i = 0; i < record->label_count; i++) {
    fuzz_touch(record->label[i].data, record->label[i].size);
  }
}

static void read_rows(const struct ad_source *source, const char *path, int labels) {
  struct ad_reader reader;
  struct ad_record record;
  size_t first = SIZE_MAX;
  int status = ad_reader_open(&reader, source, path, labels);
  if (!fuzz_accepted(status)) {
    return;
  }
  while ((status = ad_reader_next(&reader, &record)) == 1) {
    first = first == SIZE_MAX ? record.position : first;
    touch(&record);
  }
  /* After an error only a new reader goes on. */
  if (fuzz_accepted(status) && first != SIZE_MAX) {
    ad_reader_seek(&reader, first);
    demand(ad_reader_next(&reader, &record) == 1 && record.position == first);
  }
  ad_reader_close(&reader);
}

/* What every descriptor that is taken promises. */
static void check(const struct ad_descriptor *d) {
  for (size_t s = 0; s < AD_SPLITS; s++) {
    const struct ad_source *source = &d->source[s];
    for (size_t i = 0; source->file != NULL && i < source->label_count; i++) {
      demand(source->labels[i].class_id < d->class_count);
    }
    demand(source->text.count <= AD_MAX_COLUMNS && source->pair.count <= AD_MAX_COLUMNS);
    demand(source->probabilities <= source->label.count);
  }
}

void fuzz_input(const uint8_t *data, size_t size) {
  struct fuzz_part parts[2];
  struct ad_descriptor d;
  fuzz_cut(data, size, parts, 2);
  char *text = fuzz_text(parts[0]);
  const int taken = fuzz_accepted(ad_descriptor_parse(&d, "fuzz.yaml", text, parts[0].size));
  free(text);
  if (!taken) {
    return;
  }
  check(&d);
  const char *path = fuzz_put("rows", parts[1].data, parts[1].size);
  for (size_t s = 0; s < AD_SPLITS; s++) {
    if (d.source[s].file != NULL && d.source[s].format != AD_FORMAT_FOLDER) {
      read_rows(&d.source[s], path, 0);
      read_rows(&d.source[s], path, 1);
    }
  }
  fuzz_accepted(ad_descriptor_hold_out(&d, 1 + size % 7, 1));
  check(&d);
  ad_descriptor_destroy(&d);
}
