/* From text to token ids, equal to those of Hugging Face's library `tokenizers`, which transformers 5 uses, in the
 * version of tests/parity/truth.py. The machine's Unicode does not matter. text/tokenizer_kinds.h lists the kinds of
 * tokenizers, docs/tokenizers.md what of their files is known. */
#ifndef AUTODIDACT_TEXT_TOKENIZER_H
#define AUTODIDACT_TEXT_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/choices.h"

/* Holds work memory besides the vocabulary: one thread at a time. */
struct ad_tokenizer;

/* The names of Hugging Face: do_lower_case, strip_accents, tokenize_chinese_chars. */
struct ad_tokenizer_options {
  int lower_case;
  int strip_accents; /* 1 or 0; -1: as lower_case */
  int split_cjk;
};

/* Loads the tokenizer of a model folder, whose files say its kind. Of WordPiece: vocab.txt, or without it the
 * vocabulary of a WordPiece tokenizer.json. Follows tokenizer_config.json, special_tokens_map.json, added_tokens.json,
 * tokenizer.json and config.json as transformers 5 does. The class comes first, which decides whose flags count; then
 * the added tokens of all files, each with its flags. The caller owns it: ad_tokenizer_destroy. AD_EINPUT with the
 * place: a missing file; no unknown, class, separator or padding token; a doubled or empty entry; invalid UTF-8;
 * vocab.txt and tokenizer.json that differ. Also: a class or setting that would give other ids; an added token whose
 * number is not its place. AD_ENOMEM. Warnings say what has no effect: a key that is not known, flags that disagree. */
int ad_tokenizer_load(struct ad_tokenizer **tokenizer, const char *folder);

/* WordPiece from the text of a vocabulary [size bytes], one token a line (LF or CRLF), behind a byte order mark or not.
 * `name` is for messages. */
int ad_tokenizer_create(struct ad_tokenizer **tokenizer, const char *name, const char *vocabulary, size_t size,
                        int cased);
int ad_tokenizer_create_with(struct ad_tokenizer **tokenizer, const char *name, const char *vocabulary, size_t size,
                             const struct ad_tokenizer_options *options);
void ad_tokenizer_destroy(struct ad_tokenizer *tokenizer);

/* In order: number of tokens, added ones included; the vocabulary without these as the text of a vocab.txt [*size],
 * owned by the tokenizer; whether case is kept; all options, strip_accents resolved to 0 or 1. Then the longest input
 * of the model by tokenizer_config.json, 0 where it does not say; the numbers of the padding token and of the unknown
 * token, UINT32_MAX where there is none; the special tokens around a single text. */
size_t ad_tokenizer_vocab(const struct ad_tokenizer *tokenizer);
const char *ad_tokenizer_text(const struct ad_tokenizer *tokenizer, size_t *size);
int ad_tokenizer_cased(const struct ad_tokenizer *tokenizer);
struct ad_tokenizer_options ad_tokenizer_options(const struct ad_tokenizer *tokenizer);
size_t ad_tokenizer_longest(const struct ad_tokenizer *tokenizer);
uint32_t ad_tokenizer_pad(const struct ad_tokenizer *tokenizer);
uint32_t ad_tokenizer_unknown(const struct ad_tokenizer *tokenizer);
size_t ad_tokenizer_specials(const struct ad_tokenizer *tokenizer);

/* How many of these stand before it. */
size_t ad_tokenizer_specials_before(const struct ad_tokenizer *tokenizer);

/* The number of the mask token; UINT32_MAX where there is none. */
uint32_t ad_tokenizer_mask(const struct ad_tokenizer *tokenizer);

/* Marks tokens by their ids into marks [ad_tokenizer_vocab]: AD_TOKEN_SPECIAL (those with a name or in a frame, and
 * added ones that files call special), AD_TOKEN_CONTINUES (goes on with the word of the token before it). Returns 1; 0
 * where no token tells words apart, and none has the second mark then. */
enum { AD_TOKEN_SPECIAL = 1, AD_TOKEN_CONTINUES = 2 };
int ad_tokenizer_mark(const struct ad_tokenizer *tokenizer, unsigned char *marks);

/* Whether the class token is an input's last: no special token stands before the text. */
int ad_tokenizer_cls_last(const struct ad_tokenizer *tokenizer);

/* Whether both texts of a pair have the same token type: by the template, or as the files say that a model gets none.
 */
int ad_tokenizer_one_type(const struct ad_tokenizer *tokenizer);

/* A digest of all that gives a text its ids but the options: rules, vocabulary, added tokens. */
uint64_t ad_tokenizer_digest(const struct ad_tokenizer *tokenizer);

/* The names of the files with which Hugging Face, and ad_tokenizer_load, give the same ids again: [*count], at most
 * AD_TOKENIZER_FILES. The tokenizer's. */
enum { AD_TOKENIZER_FILES = 6 };
const char *const *ad_tokenizer_files(const struct ad_tokenizer *tokenizer, size_t *count);

/* Appends the text of one of them; `longest`: the longest input of the model; types: whether it tells the texts of a
 * pair apart by token types. AD_EINTERNAL (another name), AD_ENOMEM. */
int ad_tokenizer_print(const struct ad_tokenizer *tokenizer, const char *file, size_t longest, int types,
                       struct ad_buffer *out);

/* The token of an id, as in the vocabulary; NULL when out of range. Owned by the tokenizer. */
const char *ad_tokenizer_token(const struct ad_tokenizer *tokenizer, uint32_t id);

/* Whether a path is a folder, as a model is given. AD_EINPUT otherwise: the message says how launch/get-model brings a
 * model, with the command where the path is the name of one. */
int ad_check_model_folder(const char *path);

/* Whether a text has the form of a model's name: OWNER/NAME, or one word. 1 or 0. */
int ad_is_model_name(const char *text);

struct ad_encoding {
  uint32_t *ids;   /* [count], owned; of BERT [CLS] a [SEP] or [CLS] a [SEP] b [SEP] */
  size_t count;    /* tokens, special ones included */
  size_t capacity; /* tokens allocated */
  size_t first;    /* tokens of the first segment, special ones included; the others are the second's */
  size_t text[2];  /* tokens of each text without the special ones around it; 0: nothing is left of it */
  int truncated;   /* 1: tokens were cut off */
};
void ad_encoding_destroy(struct ad_encoding *encoding);

/* The least limit of tokens that leaves room for each text beside the special tokens: of BERT 3, and 5 for a pair. */
size_t ad_tokenizer_least(const struct ad_tokenizer *tokenizer, int pair);

/* Encodes a text [a_size bytes], or a pair when b is not NULL (b_size 0: an empty second text), into at most `limit`
 * tokens, special ones included (limit >= ad_tokenizer_least, else AD_ECONFIG; 0: no limit). `truncation` is for single
 * texts. Pairs are always cut longest first, from the end; where both come to the same length and one token more has
 * room, it is of the text that was longer, or else of the second. Added tokens in the text,
 * the special ones [UNK], [CLS] and so on among them, are whole tokens ([MASK] only where vocabulary or model know it).
 * `encoding` is reused from call to call (zero-initialise it once). Invalid UTF-8 is AD_EINPUT with the byte offset; a
 * NUL byte is dropped as Hugging Face does. AD_ENOMEM. After a failure the content of `encoding` is unspecified. */
int ad_tokenizer_encode(struct ad_tokenizer *tokenizer, const char *a, size_t a_size, const char *b, size_t b_size,
                        size_t limit, enum ad_truncation truncation, struct ad_encoding *encoding);

#endif
