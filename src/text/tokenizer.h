/* The tokenizer's inside, shared by vocabulary.c (building) and encode.c (using). */
#ifndef AUTODIDACT_SRC_TEXT_TOKENIZER_H
#define AUTODIDACT_SRC_TEXT_TOKENIZER_H

#include "autodidact/text/tokenizer.h"
#include "trie.h"
#include "unicode.h"

/* X(field, name): the special tokens; all but the last must be in the vocabulary. */
#define AD_SPECIAL_MAP(X)    \
  X(AD_SPECIAL_UNK, "[UNK]") \
  X(AD_SPECIAL_CLS, "[CLS]") \
  X(AD_SPECIAL_SEP, "[SEP]") \
  X(AD_SPECIAL_PAD, "[PAD]") \
  X(AD_SPECIAL_MASK, "[MASK]")

enum ad_special {
#define AD_SPECIAL_ENUM(field, name) field,
  AD_SPECIAL_MAP(AD_SPECIAL_ENUM)
#undef AD_SPECIAL_ENUM
      AD_SPECIAL_COUNT
};
extern const char *const ad_special_names[AD_SPECIAL_COUNT];

/* What the fast path of pure ASCII words does at a byte. */
enum ad_byte_kind { AD_BYTE_WORD, AD_BYTE_SPACE, AD_BYTE_PUNCTUATION, AD_BYTE_OTHER /* not ASCII, or to be dropped */ };

struct ad_tokenizer {
  struct ad_tokenizer_options options;
  char *text;                         /* [text_size], owned: the vocabulary, each token ended by LF */
  size_t text_size;                   /* bytes */
  char *names;                        /* [text_size], owned: the same, each token ended by NUL */
  const char **tokens;                /* [count], owned; into names */
  size_t count;                       /* vocabulary entries */
  struct ad_trie trie;                /* all tokens, the continuations with their "##" */
  uint32_t continuation;              /* the trie's node after "##"; AD_TRIE_NONE: no token continues a word */
  uint32_t special[AD_SPECIAL_COUNT]; /* ids; AD_TRIE_NONE for a missing [MASK] */
  unsigned char kind[256];            /* enum ad_byte_kind of each byte */
  unsigned char fold[256];            /* each byte, lower case if case is to be lowered */
  unsigned char same[256];            /* each byte itself: the fold of text already lowered */
  struct ad_codes word;               /* work memory of words that are not plain ASCII */
  struct ad_codes scratch;
};

#endif
