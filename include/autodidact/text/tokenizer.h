/* BERT's tokenizer: Unicode clean-up, basic splitting, WordPiece; ids equal to Hugging Face's BertTokenizer. */
#ifndef AUTODIDACT_TEXT_TOKENIZER_H
#define AUTODIDACT_TEXT_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

struct ad_tokenizer;

/* Where a text longer than the limit is cut. Pairs are always cut longest first, a token at a time, from the end. */
enum ad_truncation {
  AD_TRUNCATE_HEAD,     /* the first tokens stay */
  AD_TRUNCATE_HEAD_TAIL /* the first 128 and the last ones stay (Sun et al. 2019) */
};

/* Loads vocab.txt, or the vocabulary of a WordPiece tokenizer.json, from a model folder; with tokenizer_config.json or
 * tokenizer.json there, their do_lower_case/lowercase, strip_accents, tokenize_chinese_chars are followed (default: lower
 * case, accents stripped where case is lowered, CJK split). The caller owns it: ad_tokenizer_destroy. AD_EINPUT (missing file, no
 * [UNK]/[CLS]/[SEP]/[PAD], a doubled or empty entry), AD_ENOMEM. */
int ad_tokenizer_load(struct ad_tokenizer **tokenizer, const char *folder);

/* The same from the text of a vocabulary, one token a line. `name` is for messages. */
int ad_tokenizer_create(struct ad_tokenizer **tokenizer, const char *name, const char *vocabulary, size_t size, int cased);
void ad_tokenizer_destroy(struct ad_tokenizer *tokenizer);

/* Number of vocabulary entries; the vocabulary as the text of a vocab.txt [*size], owned by the tokenizer; whether case is kept. */
size_t ad_tokenizer_vocab(const struct ad_tokenizer *tokenizer);
const char *ad_tokenizer_text(const struct ad_tokenizer *tokenizer, size_t *size);
int ad_tokenizer_cased(const struct ad_tokenizer *tokenizer);

/* The token of an id, as in the vocabulary; NULL when out of range. */
const char *ad_tokenizer_token(const struct ad_tokenizer *tokenizer, uint32_t id);

struct ad_encoding {
  uint32_t *ids;      /* [count], owned; [CLS] a [SEP] or [CLS] a [SEP] b [SEP] */
  size_t count;
  size_t capacity;
  size_t first;       /* tokens of the first segment, its [SEP] included; later tokens have type 1 */
  int truncated;      /* 1: tokens were cut off */
};
void ad_encoding_destroy(struct ad_encoding *encoding);

/* Encodes a text, or a pair when b is not NULL, into at most `limit` tokens, special ones included (limit >= 3, or 5 for a pair; 0: no limit).
 * `encoding` is reused from call to call (zero-initialise it once). Invalid UTF-8 is AD_EINPUT with the byte offset; a NUL byte is
 * dropped as Hugging Face does. AD_ENOMEM. */
int ad_tokenizer_encode(struct ad_tokenizer *tokenizer, const char *a, size_t a_size, const char *b, size_t b_size, size_t limit,
                        enum ad_truncation truncation, struct ad_encoding *encoding);

#endif
