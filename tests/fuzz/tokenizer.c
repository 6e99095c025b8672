/* Any bytes as a pair of texts, as a vocabulary, and what must hold of every result. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "autodidact/text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char vocabulary[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\nA\n##A\nab\n##ab\nabc\n##c\n.\n[\n]\nM\n\xCE\xA3\n\xCF\x83\n\xCF\x82\n##\xCF\x82\n"
    "\xC3\xA9\n##\xC3\xA9\ne\n##e\n\xCC\x81\n##\xCC\x81\n\xE4\xB8\xAD\n\xEA\xB0\x80\n\xE1\x84\x80\n##\xE1\x85\xA1\n";

static void demand(int holds) {
  if (!holds) {
    abort();
  }
}

/* What holds of every encoding, cut or not. */
static void check(const struct ad_tokenizer *tokenizer, const struct ad_encoding *encoding, size_t limit, int pair) {
  const uint32_t cls = 2;
  const uint32_t sep = 3;
  demand(encoding->count >= (pair ? 3 : 2) && (limit == 0 || encoding->count <= limit));
  demand(!encoding->truncated || encoding->count == limit);
  demand(encoding->ids[0] == cls && encoding->ids[encoding->count - 1] == sep);
  demand(encoding->first >= 2 && encoding->ids[encoding->first - 1] == sep);
  demand(pair ? encoding->first < encoding->count : encoding->first == encoding->count);
  for (size_t i = 0; i < encoding->count; i++) {
    demand(encoding->ids[i] < ad_tokenizer_vocab(tokenizer));
  }
}

/* The first byte chooses case, truncation and limit, the second where the texts part. */
static void encode(const uint8_t *data, size_t size) {
  static struct ad_tokenizer *tokenizers[2];
  static struct ad_encoding encoding;
  static struct ad_encoding whole;
  for (int cased = 0; cased < 2; cased++) {
    if (tokenizers[cased] == NULL) {
      demand(ad_tokenizer_create(&tokenizers[cased], "fuzz", vocabulary, strlen(vocabulary), cased) == AD_OK);
    }
  }
  struct ad_tokenizer *tokenizer = tokenizers[data[0] & 1];
  const enum ad_truncation how = data[0] & 2 ? AD_TRUNCATE_HEAD_TAIL : AD_TRUNCATE_HEAD;
  const int pair = data[0] >> 2 & 1;
  const size_t limit = data[0] & 8 ? 5 + (size_t)(data[0] >> 4) * 11 : 0;
  const char *text = (const char *)data + 2;
  const size_t cut = pair ? data[1] * (size - 2) / 255 : size - 2;
  const char *second = pair ? text + cut : NULL;
  const int status = ad_tokenizer_encode(tokenizer, text, cut, second, size - 2 - cut, limit, how, &encoding);
  demand(status == AD_OK || status == AD_EINPUT);
  demand(ad_tokenizer_encode(tokenizer, text, cut, second, size - 2 - cut, 0, how, &whole) == status);
  if (status == AD_OK) {
    check(tokenizer, &encoding, limit, pair);
    demand(encoding.truncated == (limit != 0 && whole.count > limit));
    demand(encoding.truncated ||
           (encoding.count == whole.count && memcmp(encoding.ids, whole.ids, whole.count * sizeof *whole.ids) == 0));
  }
}

/* Any bytes behind the special tokens as a vocabulary; then the vocabulary as a text. */
static void create(const uint8_t *data, size_t size) {
  static const char special[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n";
  char *text = malloc(sizeof special + size);
  demand(text != NULL);
  memcpy(text, special, strlen(special));
  memcpy(text + strlen(special), data, size);
  struct ad_tokenizer *tokenizer;
  const int status = ad_tokenizer_create(&tokenizer, "fuzz", text, strlen(special) + size, 1);
  demand(status == AD_OK || status == AD_EINPUT);
  if (status == AD_OK) {
    struct ad_encoding encoding = {0};
    demand(ad_tokenizer_encode(tokenizer, text, strlen(special) + size, NULL, 0, 0, AD_TRUNCATE_HEAD, &encoding) == AD_OK);
    check(tokenizer, &encoding, 0, 0);
    ad_encoding_destroy(&encoding);
    ad_tokenizer_destroy(tokenizer);
  }
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size >= 2) {
    encode(data, size);
    create(data, size);
  }
  return 0;
}
