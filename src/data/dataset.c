#include "autodidact/data/dataset.h"

#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"
#include "cache.h"
#include "joint_data.h"
#include "reader.h"
#include "targets.h"

/* After so many examples their mean length is known well enough to reserve memory for all of them at once. */
enum { SAMPLE = 1024 };

/* One reading of a split. */
struct reading {
  struct ad_dataset *dataset;
  const struct ad_descriptor *descriptor;
  const struct ad_read_options *options;
  struct ad_tokenizer *tokenizer;
  struct ad_source source; /* a shallow copy: without the split rule where another file is read */
  struct ad_reader reader;
  struct ad_encoding encoding;
  size_t *positions; /* [rows_in_file] of all rows, where a split rule applies */
  uint32_t *order;   /* [rows_in_file] the rows shuffled */
  size_t rows_in_file;
  size_t begin, end;            /* this split in order */
  struct ad_label_table labels; /* the source's */
  uint32_t *label;              /* [Q] of the row */
  float *target;                /* [C] of the row, where the source has probabilities; else NULL */
  size_t target_width;          /* C where they are kept, else 0 */
  size_t *taken;                /* [C] examples of each class so far, with options->per_class */
  int every;                    /* options->every_row applies */
  size_t unread_capacity;
  size_t id_capacity, offset_capacity, first_capacity, label_capacity, target_capacity;
};

/* How the readers are to treat labels (struct ad_reader): a task that hides tokens looks at none. */
static int labels_of(const struct ad_source *source, const struct ad_read_options *options) {
  return ad_task_hides(source->task) ? -1 : options->labels;
}

static void set_no_label(const struct reading *reading) {
  memset(reading->label, 0xff, reading->dataset->words * sizeof *reading->label);
  if (reading->target != NULL) {
    memset(reading->target, 0, reading->descriptor->class_count * sizeof *reading->target);
  }
}

/* A label that is none, as its task puts it. */
static int explain_label(const struct reading *reading, const struct ad_record *record) {
  struct ad_buffer text = {0};
  int status = reading->source.task->explain(&reading->labels, record->label, record->label_count, &text);
  status = status == AD_OK ? ad_reader_fail(&reading->reader, reading->reader.begin, "%s", text.data) : status;
  ad_buffer_destroy(&text);
  return status;
}

/* A label that is none, by its first fields. */
static int fail_label(const struct reading *reading, const struct ad_record *record) {
  enum { FIELDS = 8, MOST = 80 };
  struct ad_buffer shown = {0};
  int status = record->label_count == 0 ? ad_buffer_puts(&shown, "of no fields") : AD_OK;
  for (size_t i = 0; i < record->label_count && i < FIELDS && status == AD_OK; i++) {
    const struct ad_text_span field = record->label[i];
    status = ad_buffer_printf(&shown, "%s\"%.*s\"", i == 0 ? "" : ", ", (int)(field.size < MOST ? field.size : MOST),
                              field.data);
  }
  status = status == AD_OK && record->label_count > FIELDS ? ad_buffer_puts(&shown, ", ...") : status;
  const int several = reading->source.task->classes == AD_CLASSES_ONE && record->label_count != 1;
  status = status == AD_OK
               ? ad_reader_fail_label(&reading->reader, shown.data,
                                      several ? " (one label a text; data.task=multi_label has several)" : "")
               : status;
  ad_buffer_destroy(&shown);
  return status;
}

/* 1 with the label in reading->label, 0 where the row is to be left out, or AD_EINPUT. */
static int read_label(const struct reading *reading, const struct ad_record *record) {
  const struct ad_source *source = &reading->source;
  if (record->label == NULL || ad_reader_skips(source, record)) {
    return record->label == NULL;
  }
  struct ad_record own = *record; /* without the probabilities */
  if (reading->target != NULL) {
    own.label_count = source->label.count - source->probabilities;
    AD_TRY(ad__targets_read(&reading->reader, record, own.label_count, reading->descriptor, reading->target,
                            reading->label));
    if (own.label_count == 0) {
      return 1;
    }
  }
  return source->task->parse(&reading->labels, own.label, own.label_count, reading->label) ? 1
         : source->task->explain != NULL ? explain_label(reading, &own)
                                         : fail_label(reading, &own);
}

/* ad_fail with the row's place in front of the tokenizer's message. */
static int fail_encoding(const struct reading *reading, int status) {
  return ad_fail_prefix(status, "%s:%zu", reading->reader.map_path,
                        ad_reader_line(&reading->reader, reading->reader.begin));
}

/* Whether nothing of a text is left for the tokenizer: 1, 0, or a failure. Nearly always the first bytes tell. */
static int is_blank(struct reading *reading, struct ad_text_span text) {
  enum { FIRST = 64 };
  size_t size = text.size < FIRST ? text.size : FIRST;
  while (size < text.size && ((unsigned char)text.data[size] & 0xc0) == 0x80) {
    size++;
  }
  for (;;) {
    const int status =
        ad_tokenizer_encode(reading->tokenizer, text.data, size, NULL, 0, 0, AD_TRUNCATE_HEAD, &reading->encoding);
    if (status < 0) {
      return fail_encoding(reading, status);
    }
    if (reading->encoding.text[0] > 0 || size == text.size) {
      return reading->encoding.text[0] == 0;
    }
    size = text.size;
  }
}

/* Whether a row is to be left out: 1, 0, or a failure. */
static int leave_out(struct reading *reading, const struct ad_record *record) {
  set_no_label(reading);
  if (record->incomplete) {
    return 1;
  }
  int status = reading->every ? 1 : read_label(reading, record);
  if (status <= 0) {
    return status < 0 ? status : 1;
  }
  if (reading->source.empty != AD_EMPTY_SKIP) {
    return 0;
  }
  status = is_blank(reading, record->text);
  return status == 0 && record->pair.data != NULL ? is_blank(reading, record->pair) : status;
}

/* Notes a row that is there and could not be read. */
static int note_unread(struct reading *reading, const struct ad_record *record) {
  struct ad_dataset *dataset = reading->dataset;
  void *unread = dataset->unread;
  AD_TRY(ad_reserve(&unread, &reading->unread_capacity, dataset->unread_count + 1, sizeof *dataset->unread));
  dataset->unread = unread;
  if (dataset->unread_count < AD_UNREAD_NAMED) {
    dataset->unread_line[dataset->unread_count] = reading->source.format == AD_FORMAT_FOLDER
                                                      ? record->position + 1
                                                      : ad_reader_line(&reading->reader, record->position);
  }
  dataset->unread[dataset->unread_count] = dataset->count + dataset->unread_count;
  dataset->unread_count++;
  return AD_OK;
}

/* The next row that is data: 1, 0 at the end, or a failure. */
static int next_row(struct reading *reading, struct ad_record *record) {
  for (;;) {
    int status = ad_reader_next(&reading->reader, record);
    if (status <= 0) {
      return status;
    }
    status = leave_out(reading, record);
    if (status <= 0) {
      return status < 0 ? status : 1;
    }
    if (reading->every) {
      AD_TRY(note_unread(reading, record));
    } else {
      reading->dataset->skipped++;
    }
  }
}

/* What the tokenizer has left of a text, or of the second one, is nothing: refused, or counted. */
static int check_empty(struct reading *reading, const struct ad_record *record) {
  const struct ad_encoding *e = &reading->encoding;
  const int pair = record->pair.data != NULL;
  if (e->text[0] > 0 && (!pair || e->text[1] > 0)) {
    return AD_OK;
  }
  if (reading->source.empty == AD_EMPTY_REFUSE) {
    return ad_reader_fail(
        &reading->reader, reading->reader.begin,
        "an empty text%s: found nothing but white space, expected words; the descriptor's key \"empty\" "
        "(allow or skip) lets such rows pass",
        pair ? " of a pair" : "");
  }
  reading->dataset->empty++;
  return AD_OK;
}

static int reserve(struct reading *reading, size_t tokens, size_t examples) {
  struct ad_dataset *dataset = reading->dataset;
  const size_t C = reading->target_width;
  struct {
    void *array;
    size_t *capacity;
    size_t need, size;
  } arrays[] = {{dataset->ids, &reading->id_capacity, tokens, sizeof *dataset->ids},
                {dataset->offset, &reading->offset_capacity, examples + 1, sizeof *dataset->offset},
                {dataset->first, &reading->first_capacity, examples, sizeof *dataset->first},
                {dataset->label, &reading->label_capacity, examples * dataset->words, sizeof *dataset->label},
                {dataset->targets, &reading->target_capacity, examples * C, sizeof *dataset->targets}};
  const size_t count = C > 0 ? 5 : 4;
  int status = AD_OK;
  for (size_t i = 0; i < count && status == AD_OK; i++) {
    status = ad_reserve(&arrays[i].array, arrays[i].capacity, arrays[i].need, arrays[i].size);
  }
  dataset->ids = arrays[0].array;
  dataset->offset = arrays[1].array;
  dataset->first = arrays[2].array;
  dataset->label = arrays[3].array;
  dataset->targets = arrays[4].array;
  return status;
}

/* As many examples as are asked for at most; 0: all there are. */
static size_t most_examples(const struct reading *reading) {
  const struct ad_read_options *options = reading->options;
  return options->per_class > 0 ? options->per_class * reading->descriptor->class_count : options->rows;
}

static int is_full(const struct reading *reading) {
  const size_t most = most_examples(reading);
  return most > 0 && reading->dataset->count == most;
}

/* Reserves for all examples at once, by what the first ones took, so that large arrays are not copied as they grow.
 * What is reserved too much is never touched. */
static int reserve_by_sample(struct reading *reading) {
  const struct ad_dataset *dataset = reading->dataset;
  const struct ad_reader *reader = &reading->reader;
  double examples = (double)SAMPLE * (double)reader->size / (double)reader->position;
  if (reading->order != NULL) {
    examples = (double)(reading->end - reading->begin);
  }
  const size_t most = most_examples(reading);
  if (most > 0 && examples > (double)most) {
    examples = (double)most;
  }
  const double tokens = examples * (double)dataset->offset[SAMPLE] / SAMPLE;
  return reserve(reading, (size_t)(1.1 * tokens) + SAMPLE, (size_t)(1.1 * examples) + SAMPLE);
}

/* Adds an example of so many tokens with the row's label; the place of its tokens into *ids. */
static int add_example(struct reading *reading, size_t length, size_t first, uint32_t **ids) {
  struct ad_dataset *dataset = reading->dataset;
  const size_t n = dataset->count, begin = dataset->offset[n];
  if (n + 1 >= UINT32_MAX) {
    return ad_fail(AD_EINPUT, "%s: more than %u rows", reading->reader.path, UINT32_MAX - 1);
  }
  AD_TRY(reserve(reading, begin + length, n + 1));
  dataset->offset[n + 1] = begin + length;
  dataset->first[n] = (uint32_t)first;
  memcpy(dataset->label + n * dataset->words, reading->label, dataset->words * sizeof *dataset->label);
  if (dataset->targets != NULL) {
    const size_t C = reading->target_width;
    memcpy(dataset->targets + n * C, reading->target, C * sizeof *dataset->targets);
  }
  dataset->longest = length > dataset->longest ? length : dataset->longest;
  dataset->count++;
  AD_TRY(dataset->count == SAMPLE ? reserve_by_sample(reading) : AD_OK);
  *ids = dataset->ids + begin;
  return AD_OK;
}

/* A single text that no limit has cut, as examples of at most `limit` tokens, each with the special tokens around it.
 */
static int append_pieces(struct reading *reading, size_t limit) {
  const struct ad_encoding *e = &reading->encoding;
  const size_t before = ad_tokenizer_specials_before(reading->tokenizer), special = e->count - e->text[0];
  const size_t end = e->count - (special - before), room = limit - special;
  for (size_t at = before; at < end && !is_full(reading); at += room) {
    const size_t size = end - at < room ? end - at : room, length = special + size;
    uint32_t *ids;
    AD_TRY(add_example(reading, length, length, &ids));
    memcpy(ids, e->ids, before * sizeof *ids);
    memcpy(ids + before, e->ids + at, size * sizeof *ids);
    memcpy(ids + before + size, e->ids + end, (special - before) * sizeof *ids);
  }
  return AD_OK;
}

/* Counts the class of an example; 0 where it has all that are wanted, 1, or AD_EINPUT. */
static int take_class(const struct reading *reading) {
  const uint32_t class_id = reading->label[0];
  if (class_id == AD_NO_LABEL) {
    return ad_fail(AD_EINPUT, "%s: found no labels, expected them as data.per_class is set", reading->reader.path);
  }
  if (reading->taken[class_id] == reading->options->per_class) {
    return 0;
  }
  reading->taken[class_id]++;
  return 1;
}

/* Adds an example, unless its class has all that are wanted. Of a task that hides tokens a long text is several. */
static int append(struct reading *reading, const struct ad_record *record) {
  struct ad_encoding *encoding = &reading->encoding;
  const struct ad_read_options *options = reading->options;
  const int pieces = ad_task_hides(reading->source.task) && record->pair.data == NULL;
  int status = reading->taken == NULL ? 1 : take_class(reading);
  if (status <= 0) {
    return status;
  }
  status = ad_tokenizer_encode(reading->tokenizer, record->text.data, record->text.size, record->pair.data,
                               record->pair.size, pieces ? 0 : options->limit, options->truncation, encoding);
  if (status < 0) {
    return fail_encoding(reading, status);
  }
  AD_TRY(check_empty(reading, record));
  if (pieces && options->limit > 0 && encoding->count > options->limit) {
    return append_pieces(reading, options->limit);
  }
  uint32_t *ids;
  AD_TRY(add_example(reading, encoding->count, encoding->first, &ids));
  memcpy(ids, encoding->ids, encoding->count * sizeof *ids);
  reading->dataset->truncated += encoding->truncated != 0;
  return AD_OK;
}

/* Where a split rule applies: notes where all rows of the file begin, and shuffles them. */
static int plan(struct reading *reading) {
  const struct ad_source *source = &reading->source;
  struct ad_record record;
  size_t capacity = 0;
  int status;
  while ((status = next_row(reading, &record)) == 1) {
    void *positions = reading->positions;
    AD_TRY(ad_reserve(&positions, &capacity, reading->rows_in_file + 1, sizeof *reading->positions));
    reading->positions = positions;
    reading->positions[reading->rows_in_file++] = record.position;
  }
  AD_TRY(status);
  const size_t rows = reading->rows_in_file;
  const size_t needed = source->end == SIZE_MAX ? source->begin + 1 : source->end;
  if (rows < needed || rows >= UINT32_MAX) {
    return ad_fail(AD_EINPUT, "%s: found %zu rows, the split rule of %s needs at least %zu", reading->reader.path, rows,
                   reading->descriptor->name, needed);
  }
  reading->order = ad_malloc(rows, sizeof *reading->order);
  if (reading->order == NULL) {
    return ad_fail_memory(rows * sizeof *reading->order, "the order of a split");
  }
  ad_random_permutation(reading->descriptor->split_seed, AD_STREAM_SPLIT, 0, rows, reading->order);
  reading->begin = source->begin;
  reading->end = source->end == SIZE_MAX ? rows : source->end;
  return AD_OK;
}

static int read_planned(struct reading *reading) {
  const size_t skipped = reading->dataset->skipped;
  for (size_t i = reading->begin; i < reading->end; i++) {
    if (is_full(reading)) {
      return AD_OK;
    }
    struct ad_record record;
    ad_reader_seek(&reading->reader, reading->positions[reading->order[i]]);
    const int status = next_row(reading, &record);
    if (status != 1) {
      return status < 0 ? status : ad_fail(AD_EINPUT, "%s: the file changed while it was read", reading->reader.path);
    }
    AD_TRY(append(reading, &record));
  }
  reading->dataset->skipped = skipped;
  reading->dataset->whole = 1;
  return AD_OK;
}

static int read_in_order(struct reading *reading) {
  while (!is_full(reading)) {
    struct ad_record record;
    const int status = next_row(reading, &record);
    if (status <= 0) {
      reading->dataset->whole = status == 0;
      return status;
    }
    AD_TRY(append(reading, &record));
  }
  return AD_OK;
}

/* With per_class: all classes must have given what is wanted. */
static int check_classes(const struct reading *reading) {
  const struct ad_descriptor *d = reading->descriptor;
  for (size_t c = 0; reading->taken != NULL && c < d->class_count; c++) {
    if (reading->taken[c] < reading->options->per_class) {
      return ad_fail(AD_EINPUT, "%s: found %zu examples of the class %s, expected %zu (data.per_class)",
                     reading->reader.path, reading->taken[c], d->classes[c], reading->options->per_class);
    }
  }
  return AD_OK;
}

/* Room for a row's label, and the table of those that the file may hold. */
static int open_labels(struct reading *reading) {
  const struct ad_source *source = &reading->source;
  reading->label = ad_malloc(reading->dataset->words, sizeof *reading->label);
  if (source->probabilities > 0) {
    const size_t bytes = reading->descriptor->class_count * sizeof *reading->target;
    reading->target = ad_malloc(bytes, 1);
    AD_TRY(reading->target == NULL ? ad_fail_memory(bytes, "the probabilities of a row") : AD_OK);
  }
  AD_TRY(reading->label == NULL ? ad_fail_memory(reading->dataset->words * sizeof *reading->label, "a label") : AD_OK);
  const int status =
      ad_label_table_open(&reading->labels, source->task, source->labels, source->label_count, source->label.count);
  reading->labels.low = source->low;
  reading->labels.high = source->high;
  return status;
}

static int read_rows(struct reading *reading) {
  struct ad_dataset *dataset = reading->dataset;
  AD_TRY(reserve(reading, 0, 0));
  AD_TRY(open_labels(reading));
  dataset->offset[0] = 0;
  if (reading->options->per_class > 0) {
    reading->taken = ad_calloc(reading->descriptor->class_count, sizeof *reading->taken);
    if (reading->taken == NULL) {
      return ad_fail_memory(reading->descriptor->class_count * sizeof *reading->taken, "the counts of the classes");
    }
  }
  if (reading->source.shuffled) {
    AD_TRY(plan(reading));
    AD_TRY(read_planned(reading));
  } else {
    AD_TRY(read_in_order(reading));
  }
  if (dataset->count + dataset->unread_count == 0) {
    return ad_fail(AD_EINPUT, "%s: no rows found", reading->reader.path);
  }
  AD_TRY(check_classes(reading));
  dataset->whole = dataset->whole && reading->options->file == NULL;
  return AD_OK;
}

/* From the cache, or else from the file, and into the cache. */
static int read_cached(struct reading *reading, enum ad_split split) {
  const struct ad_read_options *options = reading->options;
  struct ad_dataset *dataset = reading->dataset;
  struct ad_cache cache;
  AD_TRY(ad_reader_digest(&reading->reader, &dataset->digest));
  if (options->cache == NULL || options->cache[0] == '\0') {
    return read_rows(reading);
  }
  int status =
      ad_cache_open(&cache, reading->descriptor, split, &reading->source, options, reading->tokenizer, dataset->digest);
  if (status == AD_OK && !ad_cache_load(&cache, reading->descriptor, dataset)) {
    status = read_rows(reading);
    if (status == AD_OK && dataset->unread_count == 0) {
      ad_cache_store(&cache, reading->descriptor, dataset);
    }
  }
  ad_cache_close(&cache);
  return status;
}

static int check_request(const struct reading *reading, enum ad_split split) {
  const struct ad_descriptor *descriptor = reading->descriptor;
  const struct ad_read_options *options = reading->options;
  const struct ad_source *source = &reading->source;
  if (source->file == NULL) {
    return ad_fail(AD_EINPUT, "the data set %s has no %s split", descriptor->name, ad_split_name(split));
  }
  if (labels_of(source, options) > 0 && !source->labelled) {
    return ad_fail(AD_EINPUT, "the %s split of %s has no labels, and they are needed here", ad_split_name(split),
                   descriptor->name);
  }
  if (options->per_class > 0 && options->rows > 0) {
    return ad_fail(AD_ECONFIG, "found data.per_class %zu and data.train_rows %zu, expected one of them",
                   options->per_class, options->rows);
  }
  if (options->per_class > 0 && source->task->classes != AD_CLASSES_ONE) {
    return ad_fail(AD_ECONFIG, "found data.per_class %zu, expected 0: the labels of %s are no classes (task %s)",
                   options->per_class, descriptor->name, source->task->name);
  }
  const size_t least = reading->tokenizer == NULL ? 0 : ad_tokenizer_least(reading->tokenizer, source->pair.count > 0);
  if (options->limit > 0 && options->limit < least) {
    return ad_fail(AD_ECONFIG,
                   "at most %zu tokens an example leave no room beside the special tokens, expected at least %zu",
                   options->limit, least);
  }
  return AD_OK;
}

int ad_dataset_digest(const struct ad_descriptor *descriptor, enum ad_split split,
                      const struct ad_read_options *options, uint64_t *digest) {
  if (descriptor->set_count > 0) {
    return ad__dataset_digest_sets(descriptor, split, options, digest);
  }
  struct reading reading = {
      .descriptor = descriptor, .options = options, .source = ad__split_layout(descriptor, split, options)};
  char *path = NULL;
  AD_TRY(check_request(&reading, split));
  AD_TRY(ad__split_path(descriptor, split, &reading.source, options->folder, options->file, &path));
  int status = ad_reader_open(&reading.reader, &reading.source, path, labels_of(&reading.source, options));
  if (status == AD_OK) {
    status = ad_reader_digest(&reading.reader, digest);
    ad_reader_close(&reading.reader);
  }
  ad_free(path);
  return status;
}

/* The file of a split, and with every_row what changes in its layout. */
static int open_file(struct reading *reading, enum ad_split split, char **path) {
  const struct ad_read_options *options = reading->options;
  struct ad_source *source = &reading->source;
  AD_TRY(check_request(reading, split));
  AD_TRY(ad__split_path(reading->descriptor, split, source, options->folder, options->file, path));
  if (options->file != NULL) {
    source->shuffled = 0;
  }
  reading->every =
      options->every_row && !options->labels && options->rows == 0 && options->per_class == 0 && !source->shuffled;
  if (reading->every && source->skip_incomplete && source->empty == AD_EMPTY_REFUSE) {
    source->empty = AD_EMPTY_SKIP; /* a row without its text, too */
  }
  return ad_reader_open_content(&reading->reader, source, *path, options->content,
                                reading->every ? -1 : labels_of(source, options));
}

int ad__dataset_open_rows(struct ad_reader *reader, struct ad_source *source, char **path,
                          const struct ad_descriptor *descriptor, enum ad_split split,
                          const struct ad_read_options *options) {
  struct reading reading = {
      .descriptor = descriptor, .options = options, .source = ad__split_layout(descriptor, split, options)};
  AD_TRY(open_file(&reading, split, path));
  *reader = reading.reader;
  *source = reading.source;
  reader->source = source;
  return reading.every ? AD_OK
                       : ad_fail(AD_ECONFIG,
                                 "the %s split of %s is a selection of the rows of %s, expected a whole "
                                 "file to keep its own columns: name that file",
                                 ad_split_name(split), descriptor->name, *path);
}

int ad_dataset_read(struct ad_dataset *dataset, const struct ad_descriptor *descriptor, enum ad_split split,
                    const struct ad_read_options *options, struct ad_tokenizer *tokenizer) {
  if (descriptor->set_count > 0) {
    return ad__dataset_read_sets(dataset, descriptor, split, options, tokenizer);
  }
  *dataset =
      (struct ad_dataset){.task = descriptor->task, .words = ad_task_words(descriptor->task, descriptor->class_count)};
  struct reading reading = {.dataset = dataset,
                            .descriptor = descriptor,
                            .options = options,
                            .tokenizer = tokenizer,
                            .source = ad__split_layout(descriptor, split, options)};
  reading.target_width = ad__target_width(&reading.source, split, descriptor->class_count);
  char *path = NULL;
  int status = open_file(&reading, split, &path);
  if (status == AD_OK) {
    status = read_cached(&reading, split);
    ad_reader_close(&reading.reader);
  }
  ad_encoding_destroy(&reading.encoding);
  ad_free(reading.positions);
  ad_free(reading.order);
  ad_free(reading.taken);
  ad_free(reading.label);
  ad_free(reading.target);
  ad_label_table_close(&reading.labels);
  ad_free(path);
  if (status < 0) {
    ad_dataset_destroy(dataset);
  }
  return status;
}

void ad_dataset_destroy(struct ad_dataset *dataset) {
  if (dataset->map.data != NULL) {
    ad_file_unmap(&dataset->map);
  } else {
    ad_free(dataset->offset);
    ad_free(dataset->ids);
    ad_free(dataset->first);
    ad_free(dataset->label);
    ad_free(dataset->targets);
  }
  ad_free(dataset->unread);
  *dataset = (struct ad_dataset){0};
}
