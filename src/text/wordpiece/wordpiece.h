/* WordPiece as BERT has it: what its files share. Not installed. */
#ifndef AUTODIDACT_TEXT_WORDPIECE_WORDPIECE_H
#define AUTODIDACT_TEXT_WORDPIECE_WORDPIECE_H

#include "../kind.h"

/* What the fast path of pure ASCII words does at a byte. */
enum ad_byte_kind { AD_BYTE_WORD, AD_BYTE_SPACE, AD_BYTE_PUNCTUATION, AD_BYTE_OTHER /* not ASCII, or to be dropped */ };

/* The `own` of such a tokenizer. */
struct ad_wordpiece {
  uint32_t continuation;   /* the trie's node after "##"; AD_TRIE_NONE: no token continues a word */
  unsigned char kind[256]; /* enum ad_byte_kind of each byte */
  unsigned char fold[256]; /* each byte, lower case if case is to be lowered */
  unsigned char same[256]; /* each byte itself: the fold of text already lowered */
  struct ad_codes word;    /* work memory of words that are not plain ASCII */
  struct ad_codes scratch;
};

/* A class of transformers that tokenises as BERT does. */
struct ad_text_class {
  const char *name; /* without the "Fast" that it may end in */
  int pipeline; /* 1: where there is a tokenizer.json, all rules are those of that file; 0: its flags count for nothing
                 */
  int alone;    /* 1: vocab.txt is enough */
  int names;    /* 1: it has names of special tokens by itself */
  unsigned between; /* so many separators between a pair where no tokenizer.json rules */
};

/* The class that the files name; 1 in *ruled where tokenizer.json has all rules. AD_EINPUT: one that tokenises
 * otherwise. */
int ad_text_read_class(const struct ad_text_files *files, const struct ad_text_class **class, int *ruled);

/* Options and names of special tokens by tokenizer_config.json and its like. AD_EINPUT with file and key: a setting
 * that would give other ids than this tokenizer can. AD_ENOMEM. */
int ad_text_read_settings(const struct ad_text_files *files, int ruled, struct ad_recipe *recipe);

/* Checks tokenizer.json, all but its vocabulary and added tokens, and where it rules takes options and names from it;
 * elsewhere it warns of flags that disagree. AD_EINPUT, AD_ENOMEM. */
int ad_text_read_pipeline(const struct ad_text_files *files, const struct ad_text_class *class, int ruled,
                          struct ad_recipe *recipe);

/* The table's functions (kind.h). */
int ad_wordpiece_load(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer);
int ad_words_normalize(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_buffer *out);
int ad_words_push(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding);

#endif
