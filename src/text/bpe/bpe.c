/* The table of byte pair encoding, and from pieces to ids. */
#include "bpe.h"

#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* The id of a whole piece of bytes. */
static uint32_t bytes_token(const struct ad_tokenizer *tokenizer, const char *piece, size_t size) {
  const struct ad_trie *trie = &tokenizer->trie;
  uint32_t node = 0;
  for (size_t i = 0; i < size && node != AD_TRIE_NONE; i++) {
    char text[4];
    const size_t bytes = ad_utf8_write(text, ad_byte_char((unsigned char)piece[i]));
    for (size_t k = 0; k < bytes && node != AD_TRIE_NONE; k++) {
      node = ad_trie_step(trie, node, (unsigned char)text[k]);
    }
  }
  return node == AD_TRIE_NONE ? AD_TRIE_NONE : trie->node[node].value;
}

/* ---- Pieces ---- */

/* The symbol of a unit, a byte or a character. *fused: the unit before had none either. */
static int push_unit(struct ad_bpe *bpe, uint32_t id, int *fused) {
  if (id != AD_TRIE_NONE) {
    *fused = 0;
    return ad_bpe_push(bpe, id);
  }
  if (bpe->unknown == AD_TRIE_NONE || (*fused && bpe->fuse_unknown)) {
    return AD_OK;
  }
  *fused = 1;
  return ad_bpe_push(bpe, bpe->unknown);
}

static int push_units(const struct ad_tokenizer *tokenizer, const char *piece, size_t size) {
  struct ad_bpe *bpe = tokenizer->own;
  int fused = 0;
  bpe->symbols = 0;
  for (size_t i = 0; i < size;) {
    uint32_t c;
    const size_t bytes = bpe->bytes ? 1 : ad_utf8_read(piece + i, size - i, &c);
    const uint32_t id =
        bpe->bytes ? bpe->byte_id[(unsigned char)piece[i]] : ad_trie_value(&tokenizer->trie, piece + i, bytes);
    AD_TRY(push_unit(bpe, id, &fused));
    i += bytes;
  }
  return AD_OK;
}

static int push_new(struct ad_tokenizer *tokenizer, const char *piece, size_t size, struct ad_encoding *encoding) {
  struct ad_bpe *bpe = tokenizer->own;
  if (bpe->whole) {
    const uint32_t id = bpe->bytes ? bytes_token(tokenizer, piece, size) : ad_trie_value(&tokenizer->trie, piece, size);
    if (id != AD_TRIE_NONE) {
      return ad_encoding_push(encoding, id);
    }
  }
  AD_TRY(push_units(tokenizer, piece, size));
  return ad_bpe_merge(bpe, encoding);
}

/* ---- The cache ---- */

static inline uint64_t eight(const char *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

/* Up to eight bytes as a number that, with their count, has all of them. */
static inline uint64_t few(const char *bytes, size_t count) {
  if (count >= 4) {
    uint32_t begin, end;
    memcpy(&begin, bytes, sizeof begin);
    memcpy(&end, bytes + count - 4, sizeof end);
    return begin | (uint64_t)end << 32;
  }
  return (uint64_t)(unsigned char)bytes[0] | (uint64_t)(unsigned char)bytes[count / 2] << 8 |
         (uint64_t)(unsigned char)bytes[count - 1] << 16;
}

/* Fills the key of a piece [0 < size <= AD_BPE_KEY]; returns its place. */
static inline size_t make_key(const char *piece, size_t size, uint64_t key[AD_BPE_KEY / 8]) {
  key[0] = size <= 8 ? few(piece, size) : eight(piece);
  key[1] = size <= 8 ? 0 : size <= 16 ? eight(piece + size - 8) : eight(piece + 8);
  key[2] = size <= 16 ? 0 : eight(piece + size - 16);
  key[3] = size <= 16 ? 0 : eight(piece + size - 8);
  uint64_t hash = (key[0] + size) * UINT64_C(0x9E3779B97F4A7C15);
  hash = (hash ^ hash >> 32 ^ key[1]) * UINT64_C(0xD6E8FEB86659FD93);
  hash = (hash ^ hash >> 32 ^ key[2] ^ (key[3] << 31 | key[3] >> 33)) * UINT64_C(0xC2B2AE3D27D4EB4F);
  return (size_t)(hash >> (64 - AD_BPE_BITS)) * AD_BPE_WAYS;
}

static inline int is_key(const struct ad_bpe_entry *entry, const uint64_t key[AD_BPE_KEY / 8], size_t size) {
  return entry->size == size && entry->key[0] == key[0] && entry->key[1] == key[1] && entry->key[2] == key[2] &&
         entry->key[3] == key[3];
}

static int push_piece(struct ad_tokenizer *tokenizer, const char *piece, size_t size, struct ad_encoding *encoding) {
  if (size > AD_BPE_KEY) {
    return push_new(tokenizer, piece, size, encoding);
  }
  uint64_t key[AD_BPE_KEY / 8];
  struct ad_bpe_entry *entry = &((struct ad_bpe *)tokenizer->own)->cache[make_key(piece, size, key)];
  AD_TRY(ad_encoding_reserve(encoding, AD_BPE_IDS));
  if (!is_key(entry, key, size) && is_key(entry + 1, key, size)) {
    entry++;
  }
  if (is_key(entry, key, size)) {
    memcpy(encoding->ids + encoding->count, entry->id, sizeof entry->id);
    encoding->count += entry->count;
    return AD_OK;
  }
  const size_t before = encoding->count;
  AD_TRY(push_new(tokenizer, piece, size, encoding));
  const size_t count = encoding->count - before;
  if (count <= AD_BPE_IDS) {
    entry[1] = entry[0];
    *entry = (struct ad_bpe_entry){.size = (uint8_t)size, .count = (uint8_t)count};
    memcpy(entry->key, key, sizeof key);
    memcpy(entry->id, encoding->ids + before, count * sizeof *entry->id);
  }
  return AD_OK;
}

int ad_bpe_encode(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding) {
  return ad_pipeline_encode(tokenizer, text, size, push_piece, encoding);
}

/* ---- The table ---- */

static int create(struct ad_tokenizer *tokenizer) {
  struct ad_bpe *bpe = ad_calloc(1, sizeof *bpe);
  tokenizer->own = bpe;
  if (bpe != NULL) {
    bpe->cache = ad_calloc((size_t)AD_BPE_WAYS << AD_BPE_BITS, sizeof *bpe->cache);
  }
  if (bpe == NULL || bpe->cache == NULL) {
    return ad_fail_memory(AD_BPE_WAYS * sizeof *bpe->cache << AD_BPE_BITS, "a tokenizer");
  }
  bpe->bytes = ad_pipeline_gives_bytes(tokenizer->recipe.pipeline);
  for (unsigned byte = 0; byte < 256; byte++) {
    bpe->byte_id[byte] = bytes_token(tokenizer, (const char[]){(char)byte}, 1);
  }
  return AD_OK;
}

static void destroy(struct ad_tokenizer *tokenizer) {
  struct ad_bpe *bpe = tokenizer->own;
  if (bpe != NULL) {
    ad_free(bpe->merge);
    ad_free(bpe->cache);
    ad_free(bpe->symbol);
    ad_free(bpe->heap);
  }
  ad_free(bpe);
}

static int owns(const json_t *model) {
  return json_is_array(json_object_get(model, "merges"));
}

static uint64_t digest(const struct ad_tokenizer *tokenizer, uint64_t known) {
  const struct ad_bpe *bpe = tokenizer->own;
  known = ad_pipeline_digest(tokenizer->recipe.pipeline, ad_digest_pair(known, bpe->digest));
  return ad_frames_digest(tokenizer, known);
}

/* The mark is the byte of a space, as pieces of bytes show it; pieces of characters lack it. */
const struct ad_tokenizer_kind ad_tokenizer_bpe = {.owns = owns,
                                                   .load = ad_bpe_load,
                                                   .create = create,
                                                   .destroy = destroy,
                                                   .encode = ad_bpe_encode,
                                                   .digest = digest,
                                                   .word_mark = "\u0120"};
