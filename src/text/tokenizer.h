/* The tokenizer's inside, shared by what builds and what uses one: files here, and those of each kind (kind.h). */
#ifndef AUTODIDACT_SRC_TEXT_TOKENIZER_H
#define AUTODIDACT_SRC_TEXT_TOKENIZER_H

#include "added.h"
#include "autodidact/text/tokenizer.h"
#include "trie.h"
#include "unicode.h"

/* X(field, key of Hugging Face's files, name where they give none): the special tokens; only the last may be missing.
 */
#define AD_SPECIAL_MAP(X)                 \
  X(AD_SPECIAL_UNK, "unk_token", "[UNK]") \
  X(AD_SPECIAL_SEP, "sep_token", "[SEP]") \
  X(AD_SPECIAL_PAD, "pad_token", "[PAD]") \
  X(AD_SPECIAL_CLS, "cls_token", "[CLS]") \
  X(AD_SPECIAL_MASK, "mask_token", "[MASK]")

enum ad_special {
#define AD_SPECIAL_ENUM(field, key, name) field,
  AD_SPECIAL_MAP(AD_SPECIAL_ENUM)
#undef AD_SPECIAL_ENUM
      AD_SPECIAL_COUNT
};
extern const char *const ad_special_keys[AD_SPECIAL_COUNT];
extern const char *const ad_special_names[AD_SPECIAL_COUNT];

/* Special tokens around a text or two, in this order: `before` the first, `between` them, `after` the last. */
enum { AD_FRAME_MOST = 8 };
struct ad_frame_token {
  char *content; /* owned by the recipe */
  int64_t id;    /* of a recipe: the one that a file states, or -1; of a tokenizer: its id */
};
struct ad_frame {
  unsigned before, between, after;
  unsigned first;                             /* so many of those between belong to the first segment */
  int one_type;                               /* of a pair: both texts have the same token type */
  struct ad_frame_token token[AD_FRAME_MOST]; /* [before + between + after] */
};

/* Appends a copy of a token to the last part of a frame that has some, `part`. AD_EINPUT (too many), AD_ENOMEM. */
int ad_frame_put(struct ad_frame *frame, unsigned *part, const char *content, int64_t id);

/* A file as it was read, to be written again. */
struct ad_kept_file {
  const char *name; /* static */
  struct ad_buffer text;
};

/* All that makes a tokenizer beside its vocabulary. */
struct ad_recipe {
  struct ad_tokenizer_options options;
  struct ad_frame frame[2];        /* around one text; around a pair */
  char *special[AD_SPECIAL_COUNT]; /* their names, owned; NULL: it has none */
  struct ad_added added;           /* in the order of entering: those that the vocabulary lacks come behind it */
  struct ad_pipeline *pipeline;    /* owned; NULL: the kind normalises and splits by itself */
  struct ad_kept_file kept[AD_TOKENIZER_FILES]; /* [kept_count], owned */
  const char *kept_names[AD_TOKENIZER_FILES];   /* [kept_count] */
  size_t kept_count;
  int alone;      /* 1: tokenizer.json says all: no special tokens are needed but those of its frames */
  size_t rows;    /* of the model: implied tokens behind them are text; 0: not known */
  size_t longest; /* model_max_length; 0: not said */
};

/* The defaults of BERT, without added tokens and frames. On failure too: ad_recipe_destroy. AD_ENOMEM. */
int ad_recipe_create(struct ad_recipe *recipe);
void ad_recipe_destroy(struct ad_recipe *recipe);

/* Adds the special tokens by their names as implied ones, where they are not added already. AD_ENOMEM. */
int ad_recipe_add_special(struct ad_recipe *recipe);

/* The frames of the classifier's token and the separator: cls a sep, cls a sep b sep, with so many between a pair. With
 * two, as RoBERTa has it, both texts have one type. AD_ENOMEM. */
int ad_recipe_frame(struct ad_recipe *recipe, const char *cls, const char *sep, unsigned between);

/* Whether the frames are those of ad_recipe_frame. A digest of a tokenizer's frames. */
int ad_recipe_is_framed(const struct ad_recipe *recipe, unsigned between);
uint64_t ad_frames_digest(const struct ad_tokenizer *tokenizer, uint64_t digest);

/* Gives a special token another name; NULL: there is none. AD_ENOMEM. */
int ad_recipe_rename(struct ad_recipe *recipe, enum ad_special place, const char *name);

/* Keeps the bytes of a file of this name, static, as one that gives the same tokenizer again. AD_EINPUT, AD_EIO,
 * AD_ENOMEM. */
int ad_recipe_keep(struct ad_recipe *recipe, const char *path, const char *name);

struct ad_pipeline;
struct ad_tokenizer_kind;

/* A tokenizer of a kind from the text of its vocabulary (ad_tokenizer_create), by a recipe whose added tokens and names
 * it takes over. AD_EINPUT, AD_ENOMEM. */
int ad_tokenizer_make(struct ad_tokenizer **tokenizer, const struct ad_tokenizer_kind *kind, const char *name,
                      const char *vocabulary, size_t size, struct ad_recipe *recipe);

struct ad_tokenizer {
  const struct ad_tokenizer_kind *kind;
  void *own;                          /* the kind's, or NULL */
  struct ad_recipe recipe;            /* options with strip_accents resolved; added tokens with their ids */
  char *text;                         /* [text_size], owned: the vocabulary, each token ended by LF */
  size_t text_size;                   /* bytes */
  char *names;                        /* [text_size], owned: the same, each token ended by NUL */
  const char **tokens;                /* [count], owned; into names */
  size_t count;                       /* vocabulary entries */
  size_t total;                       /* and the added tokens behind them */
  struct ad_trie trie;                /* the vocabulary, token to id */
  uint32_t special[AD_SPECIAL_COUNT]; /* ids; AD_TRIE_NONE for one that is missing */
  struct ad_matcher raw;              /* added tokens that are looked for in the text as it is */
  struct ad_matcher normal;           /* and those in normalised text */
  struct ad_buffer normalized;        /* work memory: normalised text */
  int begins;                         /* 1: what `encode` gets begins the text */
};

/* Makes room for so many ids more; appends one. AD_OK, AD_ENOMEM. */
int ad_encoding_reserve(struct ad_encoding *encoding, size_t more);
int ad_encoding_push(struct ad_encoding *encoding, uint32_t id);

/* Appends the ids of a text [size bytes] of valid UTF-8. AD_OK, AD_ENOMEM. */
typedef int ad_text_encoder(struct ad_tokenizer *tokenizer, const char *text, size_t size,
                            struct ad_encoding *encoding);

/* Appends a text [size bytes] of valid UTF-8 normalised to `out`. AD_ENOMEM. */
int ad_text_normalize(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_buffer *out);

/* Appends the names of the special tokens to a JSON object, null for a mask token that is none; and the added tokens by
 * their numbers, with a list of those that are special without a name. 1: out of memory. */
int ad_recipe_write_names(const struct ad_tokenizer *tokenizer, json_t *root);
int ad_recipe_write_added(const struct ad_tokenizer *tokenizer, json_t *root);

#endif
