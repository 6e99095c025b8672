/* Readers: the rows of a file, one after another, each checked as it is read. Private to src/data.
 *
 * One format, one source file (tsv.c, csv.c, jsonl.c, folder.c, wordnet.c, lines.c); tsv.c and csv.c share table.c. */
#ifndef AUTODIDACT_DATA_READER_H
#define AUTODIDACT_DATA_READER_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/texts.h"
#include "autodidact/data/dataset.h"
#include "autodidact/data/descriptor.h"

/* One row, valid until the next call on the reader. */
struct ad_record {
  struct ad_text_span text;
  struct ad_text_span pair;         /* data NULL: a single text */
  const struct ad_text_span *label; /* [label_count] the label's fields as the file writes them; NULL: the file has no
                                       labels, or they are not read */
  size_t label_count;
  size_t position; /* for ad_reader_seek */
  int incomplete;  /* 1: it lacks a text, as `incomplete: skip` allows; text, pair and label are not set */
};

struct ad_reader;

struct ad_reader_format {
  int (*open)(struct ad_reader *reader);
  /* 1: a row is in record; 0: there are no more; or a failure. Starts at reader->position and moves it on. */
  int (*next)(struct ad_reader *reader, struct ad_record *record);
  void (*close)(struct ad_reader *reader); /* NULL: nothing to release */
};

extern const struct ad_reader_format ad_reader_tsv, ad_reader_csv, ad_reader_jsonl, ad_reader_folder, ad_reader_wordnet,
    ad_reader_lines;

struct ad_reader {
  const struct ad_source *source;
  const struct ad_reader_format *format;
  const char *path;           /* the file (or the folder); the caller's */
  int labels;                 /* labels must be there (1), may be missing (0), are not looked at (-1) */
  struct ad_file_map map;     /* the file; for a folder, the file of the row */
  int borrowed;               /* the map is the caller's */
  const char *map_path;       /* what is mapped, for messages */
  size_t position;            /* of the next row: a byte of the file; for a folder, a file's number */
  size_t size;                /* the end of all positions */
  size_t begin;               /* the byte of the map at which the row begins, for messages */
  size_t blank;               /* only empty lines from here to the end; the size where there are none */
  void *state;                /* the format's own */
  const json_t *object;       /* JSON lines: the row, valid until the next call */
  struct ad_buffer joined;    /* texts made of several columns, both segments */
  struct ad_text_span *label; /* [label_capacity] fields of a row's label, where they are not those of a table */
  size_t label_capacity;
  /* Tables (table.c): */
  struct ad_text_span *fields; /* [field_count] of the row */
  size_t field_count, field_capacity;
  size_t expected_fields; /* 0: not known yet */
  size_t *columns;        /* [text.count + pair.count + label.count] numbers from 0 of these columns */
  int labelled;           /* the file has the label columns */
  int label_absent;       /* a file without header lacks them: columns behind one have a number less */
};

/* Opens a file as `source` describes it, packed by gzip or not; labels as in struct ad_reader. path and source must
 * outlive the reader; ad_reader_close also after a failure of later calls. AD_EINPUT, AD_ENOMEM. */
int ad_reader_open(struct ad_reader *reader, const struct ad_source *source, const char *path, int labels);

/* The same of bytes in memory, which must outlive the reader; `path` is for messages. NULL, or a folder: of the path.
 */
int ad_reader_open_content(struct ad_reader *reader, const struct ad_source *source, const char *path,
                           const struct ad_file_map *content, int labels);
void ad_reader_close(struct ad_reader *reader);

/* The path of a split's file: `other` as it stands, or where `configured` (data.folder) and the descriptor say. The
 * caller owns it. AD_ECONFIG: no folder is known; AD_EINPUT: nothing is there; AD_ENOMEM. */
int ad__split_path(const struct ad_descriptor *descriptor, enum ad_split split, const struct ad_source *source,
                   const char *configured, const char *other, char **path);

/* The next row: 1, 0 at the end, or AD_EINPUT, AD_ENOMEM. */
int ad_reader_next(struct ad_reader *reader, struct ad_record *record);

/* Back to a row, by its record's position. */
void ad_reader_seek(struct ad_reader *reader, size_t position);

/* The digest of the file's bytes; of a folder's names and files in order. AD_EINPUT. */
int ad_reader_digest(struct ad_reader *reader, uint64_t *digest);

/* ad_fail(AD_EINPUT) with the file and the line of byte `offset` of the map in front. */
int ad_reader_fail(const struct ad_reader *reader, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ad_fail(AD_EINPUT) of a label, as a message shows it ("\"x\"", "{}"), with those that are known and `note` behind
 * them.
 */
int ad_reader_fail_label(const struct ad_reader *reader, const char *shown, const char *note);

/* The label of a row is one field, valid as long as the row is, kept in reader->label. AD_ENOMEM. */
int ad_reader_put_label(struct ad_reader *reader, struct ad_text_span field, struct ad_record *record);

/* Room for `count` fields in reader->label. AD_ENOMEM. */
int ad_reader_reserve_label(struct ad_reader *reader, size_t count);

/* The label of a row is the pieces of one field between the source's separators, without spaces around them; of a blank
 * field none. AD_ENOMEM. */
int ad_reader_cut_label(struct ad_reader *reader, struct ad_text_span field, struct ad_record *record);

/* Whether a row is left out for its label: one of its fields is the source's `skip`, or that is "" and there is none.
 */
int ad_reader_skips(const struct ad_source *source, const struct ad_record *record);

/* The line from 1 of a byte of the map. */
size_t ad_reader_line(const struct ad_reader *reader, size_t offset);

/* Refuses invalid UTF-8 and NUL bytes in bytes [begin, end) of the map. AD_EINPUT. */
int ad_reader_check_text(const struct ad_reader *reader, size_t begin, size_t end);

/* The line at reader->position, without its end (LF or CR LF; the last line needs none), checked by
 * ad_reader_check_text; moves the position on. Where only empty lines follow is a question of the format's
 * (reader->blank). 1, 0 at the end, or AD_EINPUT. */
int ad_reader_take_line(struct ad_reader *reader, struct ad_text_span *line);

/* A text of one span, or of several joined by spaces in reader->joined. spans [count]. The memory of the joined texts
 * is made ready by ad_reader_join_start for all joins of a row together. AD_ENOMEM. */
int ad_reader_join_start(struct ad_reader *reader, size_t bytes);
struct ad_text_span ad_reader_join(struct ad_reader *reader, const struct ad_text_span *spans, size_t count);

/* JSON lines: calls `take` with each member of the last row's object, in the order of the file. value.data NULL: it is
 * null, or neither a string nor a number nor true nor false. Ends with the first failure of `take`. */
enum ad_jsonl_kind { AD_JSONL_TEXT, AD_JSONL_SWITCH, AD_JSONL_OTHER };
typedef int (*ad_jsonl_take)(void *context, const char *key, struct ad_text_span value, enum ad_jsonl_kind kind);
int ad_jsonl_members(const struct ad_reader *reader, ad_jsonl_take take, void *context);

/* Tables: a format supplies its rows. Puts the next row into reader->fields by ad_table_add_field: 1, 0 at the end, or
 * what failed. */
typedef int (*ad_table_row)(struct ad_reader *reader);
int ad_table_add_field(struct ad_reader *reader, struct ad_text_span field);

/* A format's `open`: reads the header, where there is one, and finds the columns; without header and where labels are
 * not looked at, finds out whether the label column is there. AD_EINPUT, AD_ENOMEM. */
int ad_table_open(struct ad_reader *reader, ad_table_row take_row);

/* A format's `next`: 1 with the next record, 0 at the end, or AD_EINPUT, AD_ENOMEM. */
int ad_table_next(struct ad_reader *reader, ad_table_row take_row, struct ad_record *record);

/* Opens the file of a split as ad_dataset_read does with every_row (dataset.c), into *reader and *source, to which the
 * reader points; *path is the caller's (ad_free), as is the reader after a failure, too. AD_ECONFIG: the split is not a
 * whole file. Otherwise as ad_reader_open. */
int ad__dataset_open_rows(struct ad_reader *reader, struct ad_source *source, char **path,
                          const struct ad_descriptor *descriptor, enum ad_split split,
                          const struct ad_read_options *options);

#endif
