/* Descriptors: what a data set's files look like and what they should hold. datasets/README.md explains the keys. */
#ifndef AUTODIDACT_DATA_DESCRIPTOR_H
#define AUTODIDACT_DATA_DESCRIPTOR_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/config.h"
#include "autodidact/task/task.h"

/* X(constant, name). The key of the configuration that names a split's file is data. and its name. */
#define AD_SPLIT_MAP(X)    \
  X(AD_SPLIT_TRAIN, train) \
  X(AD_SPLIT_DEV, dev)     \
  X(AD_SPLIT_TEST, test)

enum ad_split { AD_SPLIT_MAP(AD_SET_ID) AD_SPLITS };

/* "train", "dev", "test". Static storage. */
const char *ad_split_name(enum ad_split split);

/* The split of that name; AD_SPLITS where none has it. */
enum ad_split ad_split_find(const char *name);

/* The key that names a split's file, and the file that a configuration has there, in place of the descriptor's; NULL:
 * none. Static storage; the configuration's. */
const char *ad_split_key(enum ad_split split);
const char *ad_split_file(const struct ad_config *config, enum ad_split split);

enum ad_format {
  AD_FORMAT_TSV,     /* GLUE style: a line is a row, tabs between columns, no quoting */
  AD_FORMAT_CSV,     /* RFC 4180 quoting */
  AD_FORMAT_JSONL,   /* a JSON object a line */
  AD_FORMAT_FOLDER,  /* one folder per label value, one file per text */
  AD_FORMAT_WORDNET, /* data.noun and its like: the definition of each synset, by lexicographer file */
  AD_FORMAT_LINES    /* a text a line, no labels */
};

/* A column by name (a header's, or a key of the JSON object) or, where name is NULL, by number from 1. */
struct ad_column {
  char *name;
  size_t number;
};

/* What stands between the columns of a CSV file. */
enum ad_delimiter { AD_DELIMITER_COMMA, AD_DELIMITER_SEMICOLON, AD_DELIMITER_TAB };

/* Several columns of a text are joined by a space; those of a label are its fields. */
enum { AD_MAX_COLUMNS = 16, AD_MAX_LABEL_COLUMNS = 1000 };
struct ad_columns {
  struct ad_column *items; /* [count], at most AD_MAX_COLUMNS; of a label AD_MAX_LABEL_COLUMNS */
  size_t count;
};

/* What becomes of a row whose text, or whose second text, is empty: nothing of it is left for the tokenizer, as of
 * white space and control characters. */
enum ad_empty {
  AD_EMPTY_REFUSE, /* it is an error */
  AD_EMPTY_ALLOW,  /* it is data, and counted */
  AD_EMPTY_SKIP    /* it is left out and counted */
};

/* What the descriptor expects of a split; each number is known or not. */
struct ad_expected {
  size_t rows, skipped;
  uint64_t digest; /* XXH3 of the file, as in ad_dataset.digest */
  int rows_known, skipped_known, digest_known;
};

/* One split: its file and that file's layout. All memory belongs to the descriptor. */
struct ad_source {
  char *file; /* relative to the folder; NULL: there is no such split */
  enum ad_format format;
  enum ad_delimiter delimiter;   /* CSV */
  int header;                    /* TSV, CSV: the first row names the columns */
  size_t fields;                 /* columns of each row where there is no header (0: as many as the first row has) */
  struct ad_columns text;        /* at least one for TSV, CSV and JSONL; none for the others */
  struct ad_columns pair;        /* the second segment; count 0: single texts */
  struct ad_columns label;       /* its fields; count 0: there is no label, or it is the format's */
  size_t probabilities;          /* so many of these columns, the last ones, hold probabilities of the classes */
  char *separator;               /* cuts the field of one label column into fields; NULL: it is one field */
  int labelled;                  /* 0: the file has no labels */
  const struct ad_task *task;    /* the descriptor's: what a label is */
  double low, high;              /* bounds of labels that are numbers; none where low is not below high */
  struct ad_label_value *labels; /* [label_count] */
  size_t label_count;
  char *skip; /* rows with this label are left out and counted; NULL: none */
  enum ad_empty empty;
  int skip_incomplete; /* 1: rows without a column, or JSON text, that is needed are left out and counted, else an error
                        */
  int shuffled;        /* 1: this split is rows [begin, end) of the file, shuffled by the split seed */
  size_t begin, end;   /* end SIZE_MAX: up to the last row */
  struct ad_expected expected;
};

struct ad_descriptor {
  char *name; /* the file's name without folder and ".yaml" */
  char *path; /* the descriptor's own file, for messages */
  char *text; /* that file's bytes [size], and a NUL */
  size_t size;
  uint64_t digest; /* XXH3 of them */
  char *title;     /* one line for people; the name where it does not say */
  char *home;      /* the data set's official page (key `source`); NULL: it does not say, as the licence */
  char *licence;
  const struct ad_task *task;
  char *folder; /* where the files usually lie; NULL: it does not say */
  char *place;  /* where they are looked for: `folder`, or the descriptor's own where files lie there; NULL: neither */
  char **classes;      /* [class_count] names, in the order of the class ids */
  size_t class_count;  /* 0: it does not say; ad_descriptor_complete finds them */
  uint64_t split_seed; /* of the shuffled splits */
  char *idle;          /* lines on keys that have no effect; NULL: all have one */
  struct ad_source source[AD_SPLITS];
  /* Several data sets, a task for each (data/joint.h): `task` is theirs together, `classes` are named SET/CLASS, and
   * there are no sources. */
  struct ad_descriptor *sets; /* [set_count], owned */
  size_t set_count;           /* 0: this is one data set */
};

/* Where a split's file is looked for: `configured` (data.folder) where it says, else the descriptor's `place`. NULL:
 * not known. */
static inline const char *ad_descriptor_place(const struct ad_descriptor *descriptor, const char *configured) {
  return configured != NULL && configured[0] != '\0' ? configured : descriptor->place;
}

/* Loads a descriptor: `name` is a path where it has a slash or ends in ".yaml", otherwise `folder`/name.yaml is read
 * (`folder` NULL: "datasets"). The caller owns it: ad_descriptor_destroy. AD_EINPUT with the place for a missing file
 * (the names there are listed), an unknown or missing key, a wrong type, a class or column that does not fit;
 * AD_ENOMEM. */
int ad_descriptor_load(struct ad_descriptor *descriptor, const char *name, const char *folder);

/* The same from text; `path` is for messages and gives the name. */
int ad_descriptor_parse(struct ad_descriptor *descriptor, const char *path, const char *text, size_t size);
void ad_descriptor_destroy(struct ad_descriptor *descriptor);

/* The task in place of the descriptor's: text and digest are then those of a descriptor that says so. "": the
 * descriptor's own. Before ad_descriptor_complete. AD_ECONFIG: there is no such task; AD_EINPUT: the other keys do not
 * fit it; AD_ENOMEM. Nothing is changed on failure. */
int ad_descriptor_set_task(struct ad_descriptor *descriptor, const char *task);

/* Adds the classes to a descriptor that names none, as its task has it (enum ad_task_names): the labels of train's
 * file, sorted (as numbers where all are whole numbers), or the names of the label columns ("column2" without a
 * header). Text and digest are then those of a descriptor that says so. `folder` and `file` as data.folder and
 * data.train. Does nothing where there are classes. AD_EINPUT, AD_ECONFIG (no such file is known), AD_ENOMEM. */
int ad_descriptor_complete(struct ad_descriptor *descriptor, const char *folder, const char *file);

/* A warning for each key that has no effect. */
void ad_descriptor_warn_idle(const struct ad_descriptor *descriptor);

/* Whether there is such a split; of several data sets, whether one of them has it. */
int ad_descriptor_has(const struct ad_descriptor *descriptor, enum ad_split split);

/* Whether the data have pairs of texts. */
int ad_descriptor_pairs(const struct ad_descriptor *descriptor);

/* What a difference between two states of a descriptor changes: only messages and expectations; which rows a split has;
 * which texts the model sees; which class a number or a label means. */
enum { AD_CHANGED_ABOUT = 1, AD_CHANGED_ROWS = 2, AD_CHANGED_TEXTS = 4, AD_CHANGED_CLASSES = 8 };

/* Appends to `out` in words what differs between a descriptor as it was and as it is, "" where nothing does; *kinds:
 * which of the above. AD_ENOMEM. */
int ad_descriptor_compare(const struct ad_descriptor *was, const struct ad_descriptor *is, struct ad_buffer *out,
                          unsigned *kinds);

/* Appends a split as a line of `splits` with its whole layout and the file `path`: what it needs of the top are classes
 * and task. Of a split that a rule cuts, its file. AD_ENOMEM. */
int ad_descriptor_put_split(const struct ad_descriptor *descriptor, enum ad_split split, const char *path,
                            struct ad_buffer *out);

/* For data sets that come without a dev split: takes `rows` > 0 rows out of train, shuffled by `seed`. AD_ECONFIG where
 * there is a dev split, no train split, or a split rule already; AD_ENOMEM. Of several data sets: of each that has no
 * dev split. Nothing is changed on failure. */
int ad_descriptor_hold_out(struct ad_descriptor *descriptor, size_t rows, uint64_t seed);

/* Makes a split that the descriptor lacks, with train's layout and file, for whoever has a file in place of that.
 * AD_ENOMEM. */
int ad_descriptor_add(struct ad_descriptor *descriptor, enum ad_split split);

#endif
