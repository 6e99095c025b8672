/* Byte pair encoding: what its files share. Not installed. */
#ifndef AUTODIDACT_TEXT_BPE_BPE_H
#define AUTODIDACT_TEXT_BPE_BPE_H

#include "../kind.h"
#include "../pipeline.h"

/* Two tokens that become one, the earlier the lower the rank. */
struct ad_merge {
  uint32_t left, right; /* left AD_TRIE_NONE: a place of the table that is not in use */
  uint32_t rank;
  uint32_t id; /* of the token that they become */
};

/* A piece of a text with its ids, one line of the processor's cache. A piece has as many places as there are ways. */
enum { AD_BPE_KEY = 32, AD_BPE_IDS = 7, AD_BPE_BITS = 14, AD_BPE_WAYS = 2 };
struct ad_bpe_entry {
  uint64_t key[AD_BPE_KEY / 8]; /* the piece; the bytes of a short one overlap */
  uint8_t size;                 /* of the piece; 0: the entry is empty */
  uint8_t count;
  uint32_t id[AD_BPE_IDS]; /* [count] */
};

/* A token of a piece while it is merged. */
struct ad_symbol {
  uint32_t id;   /* AD_TRIE_NONE: it has become part of the one before it */
  uint32_t prev; /* places; AD_TRIE_NONE: there is none */
  uint32_t next;
};

/* A merge that was possible when it was found: the symbol at `place` with the next one. */
struct ad_candidate {
  uint32_t rank, place, id;
};

/* The `own` of such a tokenizer. */
struct ad_bpe {
  int bytes;              /* 1: pieces are bytes; 0: characters */
  uint32_t byte_id[256];  /* of pieces of bytes: the token of each; AD_TRIE_NONE: there is none */
  struct ad_merge *merge; /* [mask + 1], owned: a table by hashing */
  size_t mask;
  uint32_t unknown; /* for what has no token; AD_TRIE_NONE: that is left out */
  int fuse_unknown; /* 1: several of them in a row are one */
  int whole;        /* 1: a piece that is a token is that token, whatever the merges give ("ignore_merges") */
  uint64_t digest;  /* of merges and options */
  /* Work memory. */
  struct ad_bpe_entry *cache; /* [AD_BPE_WAYS << AD_BPE_BITS], owned: no id depends on it */
  struct ad_symbol *symbol;   /* [symbols], owned */
  size_t symbols;
  size_t symbol_capacity;
  struct ad_candidate *heap; /* [candidates], owned */
  size_t candidates;
  size_t heap_capacity;
};

/* Makes an empty table for so many merges. AD_ENOMEM. */
int ad_bpe_make_table(struct ad_bpe *bpe, size_t merges);

/* The merge of two tokens; NULL: there is none. */
const struct ad_merge *ad_bpe_find(const struct ad_bpe *bpe, uint32_t left, uint32_t right);

/* Puts a merge into the table, which has room. 0: one of the same tokens is there already. */
int ad_bpe_put(struct ad_bpe *bpe, const struct ad_merge *merge);

/* The place for one symbol more. AD_ENOMEM. */
int ad_bpe_push(struct ad_bpe *bpe, uint32_t id);

/* Merges the symbols as far as it goes, always the pair of the lowest rank, of several the first, and appends what is
 * left. AD_ENOMEM. */
int ad_bpe_merge(struct ad_bpe *bpe, struct ad_encoding *encoding);

/* The table's functions (kind.h). */
int ad_bpe_load(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer);
int ad_bpe_encode(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding);

#endif
