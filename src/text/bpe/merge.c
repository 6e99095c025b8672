/* Merging the tokens of a piece. Short pieces are searched from end to end; of long ones a heap has the candidates, as
 * tokenizers' Word::merge_all does, so that a long word takes no more than n log n. */
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "bpe.h"

enum { SHORT = 24 }; /* symbols: below, a search is faster than a heap */

static size_t place_of(const struct ad_bpe *bpe, uint32_t left, uint32_t right) {
  uint64_t key = ((uint64_t)left << 32 | right) * UINT64_C(0x9E3779B97F4A7C15);
  key ^= key >> 32;
  return (size_t)(key * UINT64_C(0xD6E8FEB86659FD93) >> 20) & bpe->mask;
}

int ad_bpe_make_table(struct ad_bpe *bpe, size_t merges) {
  size_t size = 16;
  while (size < 2 * merges) {
    size *= 2;
  }
  bpe->merge = ad_malloc(size, sizeof *bpe->merge);
  if (bpe->merge == NULL) {
    return ad_fail_memory(size * sizeof *bpe->merge, "the merges of a tokenizer");
  }
  for (size_t i = 0; i < size; i++) {
    bpe->merge[i].left = AD_TRIE_NONE;
  }
  bpe->mask = size - 1;
  return AD_OK;
}

const struct ad_merge *ad_bpe_find(const struct ad_bpe *bpe, uint32_t left, uint32_t right) {
  for (size_t i = place_of(bpe, left, right);; i = (i + 1) & bpe->mask) {
    const struct ad_merge *merge = &bpe->merge[i];
    if (merge->left == AD_TRIE_NONE) {
      return NULL;
    }
    if (merge->left == left && merge->right == right) {
      return merge;
    }
  }
}

int ad_bpe_put(struct ad_bpe *bpe, const struct ad_merge *merge) {
  size_t i = place_of(bpe, merge->left, merge->right);
  for (; bpe->merge[i].left != AD_TRIE_NONE; i = (i + 1) & bpe->mask) {
    if (bpe->merge[i].left == merge->left && bpe->merge[i].right == merge->right) {
      return 0;
    }
  }
  bpe->merge[i] = *merge;
  return 1;
}

int ad_bpe_push(struct ad_bpe *bpe, uint32_t id) {
  void *symbol = bpe->symbol;
  if (bpe->symbols == bpe->symbol_capacity) {
    AD_TRY(ad_reserve(&symbol, &bpe->symbol_capacity, bpe->symbols + 1, sizeof *bpe->symbol));
    bpe->symbol = symbol;
  }
  bpe->symbol[bpe->symbols++].id = id;
  return AD_OK;
}

/* ---- Short pieces ---- */

static uint32_t rank_of(const struct ad_bpe *bpe, const uint32_t *id, size_t i, uint32_t *to) {
  const struct ad_merge *merge = ad_bpe_find(bpe, id[i], id[i + 1]);
  *to = merge == NULL ? AD_TRIE_NONE : merge->id;
  return merge == NULL ? AD_TRIE_NONE : merge->rank;
}

static int merge_short(const struct ad_bpe *bpe, struct ad_encoding *encoding) {
  uint32_t id[SHORT], rank[SHORT], to[SHORT];
  size_t count = bpe->symbols;
  for (size_t i = 0; i < count; i++) {
    id[i] = bpe->symbol[i].id;
  }
  for (size_t i = 0; i + 1 < count; i++) {
    rank[i] = rank_of(bpe, id, i, &to[i]);
  }
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; i++) {
      best = rank[i] < rank[best] ? i : best;
    }
    if (rank[best] == AD_TRIE_NONE) {
      break;
    }
    id[best] = to[best];
    count--;
    for (size_t i = best + 1; i < count; i++) {
      id[i] = id[i + 1];
      rank[i - 1] = rank[i];
      to[i - 1] = to[i];
    }
    if (best + 1 < count) {
      rank[best] = rank_of(bpe, id, best, &to[best]);
    }
    if (best > 0) {
      rank[best - 1] = rank_of(bpe, id, best - 1, &to[best - 1]);
    }
  }
  AD_TRY(ad_encoding_reserve(encoding, count));
  for (size_t i = 0; i < count; i++) {
    encoding->ids[encoding->count++] = id[i];
  }
  return AD_OK;
}

/* ---- Long ones ---- */

static int is_before(const struct ad_candidate *a, const struct ad_candidate *b) {
  return a->rank != b->rank ? a->rank < b->rank : a->place < b->place;
}

/* Puts the merge of the symbol at `place` with the next one into the heap, if there is one. */
static int push_candidate(struct ad_bpe *bpe, uint32_t place) {
  const struct ad_symbol *symbol = &bpe->symbol[place];
  const struct ad_merge *merge =
      symbol->next == AD_TRIE_NONE ? NULL : ad_bpe_find(bpe, symbol->id, bpe->symbol[symbol->next].id);
  if (merge == NULL) {
    return AD_OK;
  }
  void *heap = bpe->heap;
  AD_TRY(ad_reserve(&heap, &bpe->heap_capacity, bpe->candidates + 1, sizeof *bpe->heap));
  bpe->heap = heap;
  const struct ad_candidate candidate = {.rank = merge->rank, .place = place, .id = merge->id};
  size_t i = bpe->candidates++;
  while (i > 0 && is_before(&candidate, &bpe->heap[(i - 1) / 2])) {
    bpe->heap[i] = bpe->heap[(i - 1) / 2];
    i = (i - 1) / 2;
  }
  bpe->heap[i] = candidate;
  return AD_OK;
}

static struct ad_candidate pop_candidate(struct ad_bpe *bpe) {
  struct ad_candidate *heap = bpe->heap;
  const struct ad_candidate first = heap[0], last = heap[--bpe->candidates];
  size_t i = 0;
  for (size_t child = 1; child < bpe->candidates; child = 2 * i + 1) {
    child += child + 1 < bpe->candidates && is_before(&heap[child + 1], &heap[child]);
    if (!is_before(&heap[child], &last)) {
      break;
    }
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = last;
  return first;
}

/* Does a merge, unless what stood there has become something else since it was found. */
static int apply(struct ad_bpe *bpe, struct ad_candidate candidate) {
  struct ad_symbol *symbol = bpe->symbol, *left = &symbol[candidate.place];
  if (left->id == AD_TRIE_NONE || left->next == AD_TRIE_NONE) {
    return AD_OK;
  }
  struct ad_symbol *right = &symbol[left->next];
  const struct ad_merge *merge = ad_bpe_find(bpe, left->id, right->id);
  if (merge == NULL || merge->id != candidate.id) {
    return AD_OK;
  }
  left->id = candidate.id;
  left->next = right->next;
  right->id = AD_TRIE_NONE;
  if (left->next != AD_TRIE_NONE) {
    symbol[left->next].prev = candidate.place;
  }
  AD_TRY(left->prev != AD_TRIE_NONE ? push_candidate(bpe, left->prev) : AD_OK);
  return push_candidate(bpe, candidate.place);
}

static int merge_long(struct ad_bpe *bpe, struct ad_encoding *encoding) {
  const uint32_t count = (uint32_t)bpe->symbols;
  bpe->candidates = 0;
  for (uint32_t i = 0; i < count; i++) {
    bpe->symbol[i].prev = i == 0 ? AD_TRIE_NONE : i - 1;
    bpe->symbol[i].next = i + 1 == count ? AD_TRIE_NONE : i + 1;
  }
  for (uint32_t i = 0; i < count; i++) {
    AD_TRY(push_candidate(bpe, i));
  }
  while (bpe->candidates > 0) {
    AD_TRY(apply(bpe, pop_candidate(bpe)));
  }
  for (uint32_t i = 0; i < count; i++) {
    AD_TRY(bpe->symbol[i].id == AD_TRIE_NONE ? AD_OK : ad_encoding_push(encoding, bpe->symbol[i].id));
  }
  return AD_OK;
}

int ad_bpe_merge(struct ad_bpe *bpe, struct ad_encoding *encoding) {
  if (bpe->symbols >= AD_TRIE_NONE) {
    return ad_fail(AD_EINPUT, "a word of %zu bytes, expected fewer than %u", bpe->symbols, AD_TRIE_NONE);
  }
  return bpe->symbols <= SHORT ? merge_short(bpe, encoding) : merge_long(bpe, encoding);
}
