/* Unigram, SentencePiece's model of XLM-R, CamemBERT, ALBERT and others: what its files share. Not installed. */
#ifndef AUTODIDACT_TEXT_UNIGRAM_UNIGRAM_H
#define AUTODIDACT_TEXT_UNIGRAM_UNIGRAM_H

#include "../kind.h"

/* The best way to come to a byte of a piece of text. */
struct ad_unigram_best {
  double score;
  size_t start; /* of its last token; SIZE_MAX: there is no way yet */
  uint32_t id;  /* of that token */
};

/* The ids of a short piece of text, kept. */
enum { AD_KEPT_BYTES = 34, AD_KEPT_IDS = 7 };
struct ad_unigram_kept {
  unsigned char size, count; /* size 0: nothing is kept here */
  char text[AD_KEPT_BYTES];  /* [size] */
  uint32_t id[AD_KEPT_IDS];  /* [count] */
};

/* The `own` of such a tokenizer. */
struct ad_unigram {
  double *score;      /* [count] of the vocabulary, owned */
  double unknown;     /* the score of a character that the vocabulary lacks */
  uint32_t unk;       /* its token; AD_TRIE_NONE: there is none, and such a text is refused */
  int fallback;       /* 1: the bytes of an unknown text have tokens, where all of them are in the vocabulary */
  uint32_t byte[256]; /* AD_TRIE_NONE: it has none */
  struct ad_unigram_best *best; /* [capacity], work memory */
  size_t capacity;
  struct ad_unigram_kept *kept; /* [AD_KEPT_PIECES], owned: what a piece gives depends on nothing else */
};
enum { AD_KEPT_PIECES = 1 << 16 };

/* The scores of "model.vocab" in the text of a tokenizer.json [size bytes], which is valid JSON, into score [count]:
 * as serde_json reads numbers, whose last bit may differ from the nearest double's. AD_EINPUT with `path`: the text
 * has no such list, or a number is past the largest double. */
int ad_unigram_read_scores(const char *path, const char *text, size_t size, double *score, size_t count);

/* The table's functions (kind.h). */
int ad_unigram_load(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer);
int ad_unigram_push(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding);

#endif
