/* Added tokens, as Hugging Face's library `tokenizers` has them: strings that are whole tokens wherever they stand in a
 * text, beside what the vocabulary makes of it. The special tokens are some of them. */
#ifndef AUTODIDACT_SRC_TEXT_ADDED_H
#define AUTODIDACT_SRC_TEXT_ADDED_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "trie.h"

/* X(flag, what it says): the booleans of an AddedToken. */
#define AD_ADDED_FLAGS(X)                                              \
  X(single_word) /* only where no letter stands before or behind it */ \
  X(lstrip)      /* white space before it belongs to it */             \
  X(rstrip)      /* white space behind it belongs to it */             \
  X(normalized)  /* looked for in normalised text, and normalised */   \
  X(special)     /* no effect on ids */

struct ad_added_token {
  char *content; /* owned by the list */
  int64_t id;    /* its number; -1: none is known, or it has none and is text */
  int implied;   /* 1: a special token's name, to which no file gives a number */
#define AD_ADDED_FIELD(flag) int flag;
  AD_ADDED_FLAGS(AD_ADDED_FIELD)
#undef AD_ADDED_FIELD
};

/* A list in the order of entering. Zero-initialise before use. */
struct ad_added {
  struct ad_added_token *items; /* [count], owned */
  size_t count;
  size_t capacity;
  json_t *places; /* content to place, owned */
};

/* The token with this content; NULL: there is none. */
struct ad_added_token *ad_added_find(const struct ad_added *added, const char *content);

/* Appends a copy of the token, or gives one of the same content its flags and, if it has one, its id. AD_ENOMEM. */
int ad_added_put(struct ad_added *added, const struct ad_added_token *token);
void ad_added_destroy(struct ad_added *added);

/* Finds strings in a text. Zero-initialised it finds none. */
struct ad_matcher {
  struct ad_trie trie;       /* of the strings; values are their places in the list */
  unsigned char begins[256]; /* 1: one of them begins with this byte */
  int used;                  /* 1: there are strings */
};

/* Makes a matcher of patterns [count], none empty; it finds their places. The caller owns it: ad_matcher_destroy.
 * AD_EINPUT where two are the same: then *doubled is the place of the second; AD_ENOMEM. */
int ad_matcher_create(struct ad_matcher *matcher, const char *const *patterns, const uint32_t *places, size_t count,
                      size_t *doubled);
void ad_matcher_destroy(struct ad_matcher *matcher);

/* The first match in text [size] from `from` on, of those that begin there the longest: where it begins, its place and
 * its bytes; `size` when there is none. */
size_t ad_matcher_find(const struct ad_matcher *matcher, const char *text, size_t size, size_t from, uint32_t *place,
                       size_t *length);

#endif
