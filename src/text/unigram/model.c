/* From a piece of text to ids: of all ways to cut it into tokens, the first one of the best sum of scores. */
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "unigram.h"

static size_t character_bytes(const char *text) {
  const unsigned char byte = (unsigned char)*text;
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/* ---- The best way ---- */

static inline void offer(struct ad_unigram_best *end, double score, size_t start, uint32_t id) {
  if (end->start == SIZE_MAX || score > end->score) {
    *end = (struct ad_unigram_best){score, start, id};
  }
}

/* Goes on from `start` by each token that the text has there; *single: one of them is its first character. */
static void extend(const struct ad_tokenizer *tokenizer, const char *text, size_t size, size_t start, size_t character,
                   int *single) {
  const struct ad_unigram *u = tokenizer->own;
  const struct ad_trie *trie = &tokenizer->trie;
  const double here = u->best[start].score;
  uint32_t node = 0;
  *single = 0;
  for (size_t i = start; i < size;) {
    node = ad_trie_step(trie, node, (unsigned char)text[i++]);
    if (node == AD_TRIE_NONE) {
      break;
    }
    const uint32_t id = trie->node[node].value;
    if (id != AD_TRIE_NONE) {
      offer(&u->best[i], u->score[id] + here, start, id);
      *single |= i == character;
    }
  }
}

static int fail_unknown(const char *text, size_t bytes) {
  return ad_fail(AD_EINPUT,
                 "the vocabulary has no token for \"%.*s\", and tokenizer.json has no \"unk_id\": expected texts that "
                 "the vocabulary covers",
                 (int)bytes, text);
}

static int find_best(const struct ad_tokenizer *tokenizer, const char *text, size_t size) {
  struct ad_unigram *u = tokenizer->own;
  void *best = u->best;
  AD_TRY(ad_reserve(&best, &u->capacity, size + 1, sizeof *u->best));
  u->best = best;
  u->best[0] = (struct ad_unigram_best){0, 0, 0};
  for (size_t i = 1; i <= size; i++) {
    u->best[i].start = SIZE_MAX;
  }
  for (size_t start = 0; start < size;) {
    const size_t character = start + character_bytes(text + start);
    int single;
    extend(tokenizer, text, size, start, character, &single);
    const double score = u->unknown + u->best[start].score;
    if (!single) {
      struct ad_unigram_best *end = &u->best[character];
      if (u->unk == AD_TRIE_NONE && (end->start == SIZE_MAX || score > end->score)) {
        return fail_unknown(text + start, character - start);
      }
      offer(end, score, start, u->unk);
    }
    start = character;
  }
  return AD_OK;
}

/* ---- Its ids, last first ---- */

/* Appends the ids of neighbours that are unknown: they are one token. */
static int push_unknown(const struct ad_tokenizer *tokenizer, const char *text, size_t size,
                        struct ad_encoding *encoding) {
  const struct ad_unigram *u = tokenizer->own;
  const uint32_t id = ad_trie_value(&tokenizer->trie, text, size);
  int bytes = u->fallback && id == AD_TRIE_NONE;
  for (size_t i = 0; bytes && i < size; i++) {
    bytes = u->byte[(unsigned char)text[i]] != AD_TRIE_NONE;
  }
  if (!bytes) {
    return ad_encoding_push(encoding, id == AD_TRIE_NONE ? u->unk : id);
  }
  for (size_t i = size; i-- > 0;) {
    AD_TRY(ad_encoding_push(encoding, u->byte[(unsigned char)text[i]]));
  }
  return AD_OK;
}

static int push_back(const struct ad_tokenizer *tokenizer, const char *text, size_t size,
                     struct ad_encoding *encoding) {
  const struct ad_unigram *u = tokenizer->own;
  for (size_t end = size; end > 0;) {
    size_t start = u->best[end].start;
    if (u->best[end].id != u->unk) {
      AD_TRY(ad_encoding_push(encoding, u->best[end].id));
    } else {
      while (start > 0 && u->best[start].id == u->unk) {
        start = u->best[start].start;
      }
      AD_TRY(push_unknown(tokenizer, text + start, end - start, encoding));
    }
    end = start;
  }
  return AD_OK;
}

static int push_best(const struct ad_tokenizer *tokenizer, const char *text, size_t size,
                     struct ad_encoding *encoding) {
  const size_t before = encoding->count;
  AD_TRY(find_best(tokenizer, text, size));
  AD_TRY(push_back(tokenizer, text, size, encoding));
  for (size_t i = before, k = encoding->count; i + 1 < k; i++) {
    const uint32_t id = encoding->ids[i];
    encoding->ids[i] = encoding->ids[--k];
    encoding->ids[k] = id;
  }
  return AD_OK;
}

/* ---- Short pieces are looked up ---- */

int ad_unigram_push(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding) {
  const struct ad_unigram *u = tokenizer->own;
  if (size > AD_KEPT_BYTES) {
    return push_best(tokenizer, text, size, encoding);
  }
  struct ad_unigram_kept *kept = &u->kept[ad_digest(text, size) % AD_KEPT_PIECES];
  const size_t before = encoding->count;
  if (kept->size == size && memcmp(kept->text, text, size) == 0) {
    AD_TRY(ad_encoding_reserve(encoding, AD_KEPT_IDS));
    memcpy(encoding->ids + before, kept->id, sizeof kept->id);
    encoding->count += kept->count;
    return AD_OK;
  }
  AD_TRY(push_best(tokenizer, text, size, encoding));
  if (encoding->count - before <= AD_KEPT_IDS) {
    kept->size = (unsigned char)size;
    kept->count = (unsigned char)(encoding->count - before);
    memcpy(kept->text, text, size);
    memcpy(kept->id, encoding->ids + before, kept->count * sizeof *kept->id);
  }
  return AD_OK;
}
