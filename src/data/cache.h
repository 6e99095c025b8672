/* Tokenised data on disk, so that they are made once for many runs and shared by the ranks of a node. Private to
 * src/data.
 *
 * A file FOLDER/KEY.tokens holds a header, the text of the key, and the arrays of struct ad_dataset as they lie in
 * memory. The key names all that the arrays depend on: the program, the bytes of the data and of the descriptor, split,
 * tokenizer and its options, limit, truncation, and which rows are taken; KEY is its digest. A file is written
 * under a name of its own and linked to KEY's, so that any number of processes may make it at once: the first one's
 * stays, and all map that. */
#ifndef AUTODIDACT_DATA_CACHE_H
#define AUTODIDACT_DATA_CACHE_H

#include "autodidact/base/buffer.h"
#include "autodidact/data/dataset.h"

struct ad_cache {
  struct ad_buffer key; /* text, a line an entry */
  size_t vocab;         /* of the tokenizer: every token is below it */
  size_t target_width;  /* C where examples have probabilities of the classes, else 0 */
  char *path;           /* of the file */
};

/* The cache file of a split in options->cache (a folder, which need not exist) for data of digest `digest`; the split
 * is read as `source` says. On success and failure alike the caller releases it: ad_cache_close. AD_ENOMEM, AD_EIO (the
 * program cannot be read). */
int ad_cache_open(struct ad_cache *cache, const struct ad_descriptor *descriptor, enum ad_split split,
                  const struct ad_source *source, const struct ad_read_options *options,
                  const struct ad_tokenizer *tokenizer, uint64_t digest);
void ad_cache_close(struct ad_cache *cache);

/* Maps the file: 1 and the data set filled in (but for `digest`), or 0 where there is none, or none that is whole and
 * of this key: then a warning says what was found. */
int ad_cache_load(const struct ad_cache *cache, const struct ad_descriptor *descriptor, struct ad_dataset *dataset);

/* Writes the data set, and has it mapped from then on in place of its own memory. Where that fails a warning says why,
 * and the data set stays as it is. */
void ad_cache_store(const struct ad_cache *cache, const struct ad_descriptor *descriptor, struct ad_dataset *dataset);

#endif
