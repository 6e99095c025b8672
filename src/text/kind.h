/* What a tokenizer is: a table in a folder of its own, src/text/NAME/, and a line of autodidact/text/tokenizer_kinds.h.
 * src/text does what all have in common (files, added tokens, special tokens, truncation) and asks the table for the
 * rest. Not installed. */
#ifndef AUTODIDACT_TEXT_KIND_H
#define AUTODIDACT_TEXT_KIND_H

#include "autodidact/text/tokenizer_kinds.h"
#include "files.h"
#include "tokenizer.h"

/* A function that may be NULL says so. */
struct ad_tokenizer_kind {
  int named; /* 1: it must have all special tokens but the mask token */

  /* Whether "model" of a tokenizer.json, which has no type, is of this kind. NULL: never. */
  int (*owns)(const json_t *model);

  /* Fills an empty recipe by the files of a folder and makes the tokenizer by ad_tokenizer_make, which takes the recipe
   * over; then fills tokenizer->own by what the files say beside the vocabulary. AD_EINPUT with the place: files that
   * do not go together, or ask for other ids than this kind gives. AD_ENOMEM.
   */
  int (*load)(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer);

  /* Makes tokenizer->own, once vocabulary, trie and recipe are there; frees it (own may be NULL). NULL: there is none.
   * AD_ENOMEM. */
  int (*create)(struct ad_tokenizer *tokenizer);
  void (*destroy)(struct ad_tokenizer *tokenizer);

  /* Appends a text [size bytes] of valid UTF-8 normalised to `out`. To do so twice changes nothing. AD_ENOMEM. NULL:
   * the recipe has a pipeline (pipeline.h). */
  int (*normalize)(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_buffer *out);

  /* Appends the ids of a text [size bytes] of valid UTF-8 without added tokens; with a pipeline it is normalised.
   * AD_ENOMEM. */
  ad_text_encoder *encode;

  /* Adds to a digest what gives a text its ids beside vocabulary, special and added tokens, and options: merges,
   * scores, pipeline, another frame than BERT's. NULL: nothing does. */
  uint64_t (*digest)(const struct ad_tokenizer *tokenizer, uint64_t digest);

  /* Appends the text of the file of this name (ad_tokenizer_print). AD_EINTERNAL (none of `files`), AD_ENOMEM. NULL:
   * the recipe keeps the files that it was read from. */
  int (*print)(const struct ad_tokenizer *tokenizer, const char *file, size_t longest, int types,
               struct ad_buffer *out);
  /* How a token's text shows where words begin: its beginning, on tokens that continue a word or on those that begin
   * one. NULL: it does not. */
  const char *word_mark;
  int mark_continues;

  const char *const *files; /* [file_count] names of what a folder needs, so that it gives the same tokenizer again */
  size_t file_count;        /* at most AD_TOKENIZER_FILES */
};

/* The tables. */
#define AD_KIND_TABLE(name, type, file) extern const struct ad_tokenizer_kind ad_tokenizer_##name;
AD_TOKENIZER_KINDS(AD_KIND_TABLE)
#undef AD_KIND_TABLE

#endif
