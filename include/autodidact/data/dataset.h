/* Tokenised examples in memory, and how they are read.
 *
 * N examples, C classes; 4 bytes a token and 12 bytes an example, besides its label, in memory of their own or in a
 * mapped file that the processes of a node share. */
#ifndef AUTODIDACT_DATA_DATASET_H
#define AUTODIDACT_DATA_DATASET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "autodidact/base/file.h"
#include "autodidact/data/descriptor.h"
#include "autodidact/text/tokenizer.h"

/* How many of the rows that could not be read are named. */
enum { AD_UNREAD_NAMED = 10 };

struct ad_dataset {
  size_t count;               /* N; an example's global id is its row number here */
  size_t *offset;             /* [N + 1] first token of each example */
  uint32_t *ids;              /* [offset[N]] token ids, special tokens included */
  uint32_t *first;            /* [N] tokens of the first segment; those of a pair behind them are the second's */
  const struct ad_task *task; /* what a label is */
  size_t words;               /* Q, of a label (task/task.h) */
  uint32_t *label;            /* [N,Q] AD_NO_LABEL first where the file has none */
  float *targets;             /* [N,C] probabilities of the classes to learn; NULL: the labels are what is learnt */
  size_t longest;             /* tokens of the longest example */
  size_t truncated;           /* examples that lost tokens */
  size_t
      skipped;  /* rows that the descriptor leaves out (skip, incomplete, empty); the whole file's under a split rule */
  size_t empty; /* examples with an empty text, where the descriptor allows them */
  uint64_t digest;        /* of the source bytes: the whole file's; for a folder, of all names and files in order */
  struct ad_file_map map; /* data not NULL: the arrays lie in this file of a cache, read-only */
  int whole;              /* 1: the descriptor's own file, all rows of the split: its expected counts apply */
  /* With every_row, the rows that could not be read, though the descriptor lets them pass: */
  size_t *unread; /* [unread_count] their numbers from 0 among all rows, ascending */
  size_t unread_count;
  size_t unread_line[AD_UNREAD_NAMED]; /* of the first of them: the line from 1; for a folder, the file's number */
};

/* Zero-initialise, then set what is wanted. */
struct ad_read_options {
  const char *folder; /* where the descriptor's files lie (NULL or "": as the descriptor says) */
  const char *file;   /* instead of the descriptor's file of this split, or NULL; a path as it stands, no split rule */
  const struct ad_file_map *content; /* the bytes of `file`, which then is a name for messages; NULL: they are read */
  size_t limit;                      /* at most so many tokens an example (0: no limit) */
  enum ad_truncation truncation;
  size_t rows;      /* only the first so many examples (0: all) */
  size_t per_class; /* only the first so many examples of each class (0: all); not together with rows */
  int labels;       /* 1: every example must have a label; 0: a file without the label column is read without labels */
  /* 1: for predictions. Nothing is left out and no label is looked at: examples and `unread` are all rows of the file.
   * No effect with labels, rows, per_class or a split rule, where the split is not the file. */
  int every_row;
  const char *cache; /* folder where the result is kept for the next time, made where there is none; NULL or "": none */
};

/* Reads one split. With options->cache it is taken from there where all that it depends on is the same: the options,
 * and the digests of the program, the data, the descriptor and the vocabulary. Otherwise it is kept there. A cache that
 * is damaged or cannot be written gives a warning and changes nothing else. Any number of processes may do so at once.
 * The file is mapped; memory beyond the result is one record and, where a split rule applies, 12 bytes a row of the
 * file. The caller owns the result: ad_dataset_destroy. AD_EINPUT with file, line, what was found and what was
 * expected: unreadable file, invalid UTF-8, a NUL byte, a wrong number of columns, broken quotes or JSON, an unknown
 * label, no rows, a missing split. AD_ECONFIG: no folder known, a limit below what special tokens need, rows and
 * per_class both, per_class where the task has no classes. AD_ENOMEM. Of several tasks (ad_descriptor_join) the splits
 * of all follow one another, options->folder and options->file being the tasks' own. Where the descriptor's own file is
 * missing the message names the page of the data's owners; with per_class, a class of too few examples and a file
 * without labels are AD_EINPUT. */
int ad_dataset_read(struct ad_dataset *dataset, const struct ad_descriptor *descriptor, enum ad_split split,
                    const struct ad_read_options *options, struct ad_tokenizer *tokenizer);
void ad_dataset_destroy(struct ad_dataset *dataset);

/* The digest that reading this split would give, of the source bytes alone: no row is looked at. AD_EINPUT, AD_ECONFIG,
 * AD_ENOMEM as above. */
int ad_dataset_digest(const struct ad_descriptor *descriptor, enum ad_split split,
                      const struct ad_read_options *options, uint64_t *digest);

/* Tokens of example i, special ones included. */
static inline uint32_t ad_dataset_length(const struct ad_dataset *dataset, size_t i) {
  return (uint32_t)(dataset->offset[i + 1] - dataset->offset[i]);
}

/* The label [Q] of example i; of all examples. */
static inline const uint32_t *ad_dataset_label(const struct ad_dataset *dataset, size_t i) {
  return dataset->label + i * dataset->words;
}
static inline struct ad_labels ad_dataset_labels(const struct ad_dataset *dataset) {
  return (struct ad_labels){dataset->task, dataset->count, dataset->label};
}

/* The tasks of the examples (task/heads.h), which lie task by task: *count of them, those of task t being
 * [begin[t], begin[t + 1]), begin [AD_MOST_HEADS + 1]. Of a task alone: all. */
void ad_dataset_tasks(const struct ad_dataset *dataset, size_t *count, size_t *begin);

/* A data set of its own of `count` <= N examples, task by task: as many first ones of each as of any other, where it
 * has so many, the first tasks having one more. The caller owns it. AD_ENOMEM. */
int ad_dataset_take(struct ad_dataset *taken, const struct ad_dataset *dataset, size_t count);

/* Tokens of the `examples` longest examples together (of all, where there are fewer): no batch of so many has more.
 * AD_ENOMEM. */
int ad_dataset_most_tokens(const struct ad_dataset *dataset, size_t examples, size_t *tokens);

/* Prints what was read, for people: rows, classes with their counts, token lengths, truncated share, skipped rows,
 * digest, and whether that is what the descriptor expects. AD_OK, AD_ENOMEM, AD_EIO (the stream failed). */
int ad_dataset_report(FILE *out, const struct ad_descriptor *descriptor, enum ad_split split,
                      const struct ad_dataset *dataset);

#endif
