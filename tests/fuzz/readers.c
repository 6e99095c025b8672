/* Any bytes as a file of each format, and what must hold of every row. */
#include "fuzz.h"

#include "autodidact/base/digest.h"
#include "data/reader.h"

#define ABOUT "title: T\nsource: S\nlicence: L\nclasses: [no, yes]\nsplits: {train: {file: x}}\n"

/* The first byte of the input chooses one. */
static const char *const layouts[] = {
    ABOUT "format: tsv\nheader: true\ncolumns: {text: [a, b], pair: c, label: l}\n",
    ABOUT "format: tsv\nheader: false\nincomplete: skip\ncolumns: {text: 1, label: 2}\n",
    ABOUT "format: tsv\nheader: false\nfields: 3\ncolumns: {text: [3, 1]}\n",
    ABOUT "format: csv\nheader: true\ncolumns: {text: a, label: l}\n",
    ABOUT "format: csv\nheader: false\ncolumns: {text: [2, 2, 1], label: 1}\n",
    ABOUT "format: jsonl\ncolumns: {text: [a, b], pair: a, label: l}\n",
    ABOUT "format: jsonl\ncolumns: {text: a, label: l}\n",
    ABOUT "format: wordnet\n",
    ABOUT "format: jsonl\ncolumns: {text: a.b, label: l, probabilities: p}\n",
    ABOUT "format: lines\n",
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts, ROWS = 256 };

static struct ad_descriptor descriptors[LAYOUTS];

static uint64_t digest_of(const struct ad_record *record) {
  const struct ad_text_span spans[] = {record->text, record->pair};
  uint64_t digest = record->label_count;
  for (size_t i = 0; i < 2; i++) {
    digest = ad_digest_pair(digest, spans[i].data == NULL ? 1 : ad_digest(spans[i].data, spans[i].size));
  }
  for (size_t i = 0; i < record->label_count; i++) {
    digest = ad_digest_pair(digest, ad_digest(record->label[i].data, record->label[i].size));
  }
  return digest;
}

/* Reads the file through; then its first rows once more, backwards, by their positions. */
static void read_file(const struct ad_source *source, const char *path, int labels) {
  struct ad_reader reader;
  struct ad_record record;
  size_t positions[ROWS], rows = 0;
  uint64_t digests[ROWS];
  int status = ad_reader_open(&reader, source, path, labels);
  if (status < 0) {
    demand(status == AD_EINPUT && strncmp(ad_error_message(), path, strlen(path)) == 0);
    return;
  }
  while ((status = ad_reader_next(&reader, &record)) == 1) {
    /* A row that is left out, as the descriptor says, has nothing but its position. */
    demand(record.incomplete ? source->skip_incomplete : record.text.data != NULL);
    demand(record.incomplete || (record.pair.data != NULL) == (source->pair.count > 0));
    demand(record.incomplete || !labels || !source->labelled || record.label != NULL);
    if (rows < ROWS) {
      positions[rows] = record.position;
      digests[rows++] = digest_of(&record);
    }
  }
  demand(status == AD_OK || (status == AD_EINPUT && strncmp(ad_error_message(), path, strlen(path)) == 0));
  /* After an error only a new reader goes on. */
  while (status == AD_OK && rows > 0) {
    rows--;
    ad_reader_seek(&reader, positions[rows]);
    demand(ad_reader_next(&reader, &record) == 1);
    demand(record.position == positions[rows] && digest_of(&record) == digests[rows]);
  }
  ad_reader_close(&reader);
}

void fuzz_input(const uint8_t *data, size_t size) {
  if (descriptors[0].name == NULL) {
    for (size_t i = 0; i < LAYOUTS; i++) {
      demand(ad_descriptor_parse(&descriptors[i], "fuzz", layouts[i], strlen(layouts[i])) == AD_OK);
    }
    fuzz_kept = ad_memory_stats().live_blocks;
  }
  if (size > 0) {
    const char *path = fuzz_put("rows", data + 1, size - 1);
    read_file(&descriptors[data[0] % LAYOUTS].source[AD_SPLIT_TRAIN], path, data[0] / LAYOUTS % 2);
  }
}
