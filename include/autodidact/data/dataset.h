/* Tokenised examples in memory, and how they are read.
 *
 * N examples; 4 bytes a token and 24 bytes an example. */
#ifndef AUTODIDACT_DATA_DATASET_H
#define AUTODIDACT_DATA_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/data/descriptor.h"
#include "autodidact/text/tokenizer.h"

#define AD_NO_LABEL UINT32_MAX

struct ad_dataset {
  size_t count;       /* N */
  size_t *offset;     /* [N + 1] first token of each example */
  uint32_t *ids;      /* [offset[N]] token ids, special tokens included */
  uint32_t *first;    /* [N] tokens of the first segment */
  uint32_t *label;    /* [N] below the descriptor's number of classes; AD_NO_LABEL where the file has none */
  size_t longest;     /* tokens of the longest example */
  size_t truncated;   /* examples that lost tokens */
  size_t skipped;     /* lines left out by the format's own rule (gold_label "-") */
  uint64_t digest;    /* of the source bytes */
};

enum ad_split { AD_TRAIN, AD_DEV, AD_TEST };

struct ad_read_options {
  const char *folder;   /* where the descriptor's files lie ("" = as the descriptor says) */
  const char *file;     /* instead of the descriptor's file of this split, or NULL */
  size_t limit;         /* at most so many tokens an example (0: no limit) */
  enum ad_truncation truncation;
  size_t rows;          /* only the first so many examples (0: all) */
  int labels;           /* 1: every example must have a label */
};

/* Reads one split. The caller owns the result: ad_dataset_destroy. AD_EINPUT with file, line, what was found and what was
 * expected; AD_ENOMEM. */
int ad_dataset_read(struct ad_dataset *dataset, const struct ad_descriptor *descriptor, enum ad_split split,
                    const struct ad_read_options *options, struct ad_tokenizer *tokenizer);
void ad_dataset_destroy(struct ad_dataset *dataset);

#endif
