/* What a token is by its number alone: special, or the continuation of a word. */
#include <string.h>

#include "kind.h"

uint32_t ad_tokenizer_mask(const struct ad_tokenizer *tokenizer) {
  return tokenizer->special[AD_SPECIAL_MASK];
}

static void mark_special(const struct ad_tokenizer *tokenizer, int64_t id, unsigned char *marks) {
  if (id >= 0 && (size_t)id < tokenizer->total) {
    marks[id] = AD_TOKEN_SPECIAL;
  }
}

static void mark_all_special(const struct ad_tokenizer *tokenizer, unsigned char *marks) {
  const struct ad_added *added = &tokenizer->recipe.added;
  for (size_t i = 0; i < AD_SPECIAL_COUNT; i++) {
    mark_special(tokenizer, tokenizer->special[i] == AD_TRIE_NONE ? -1 : (int64_t)tokenizer->special[i], marks);
  }
  for (size_t f = 0; f < 2; f++) {
    const struct ad_frame *frame = &tokenizer->recipe.frame[f];
    for (size_t i = 0; i < frame->before + frame->between + frame->after; i++) {
      mark_special(tokenizer, frame->token[i].id, marks);
    }
  }
  for (size_t i = 0; i < added->count; i++) {
    mark_special(tokenizer, added->items[i].special ? added->items[i].id : -1, marks);
  }
}

int ad_tokenizer_mark(const struct ad_tokenizer *tokenizer, unsigned char *marks) {
  const char *word_mark = tokenizer->kind->word_mark;
  const size_t length = word_mark == NULL ? 0 : strlen(word_mark);
  size_t marked = 0;
  memset(marks, 0, tokenizer->total);
  for (size_t i = 0; i < tokenizer->count && length > 0; i++) {
    const int is_marked = strncmp(tokenizer->tokens[i], word_mark, length) == 0;
    marks[i] = is_marked == tokenizer->kind->mark_continues ? AD_TOKEN_CONTINUES : 0;
    marked += (size_t)is_marked;
  }
  if (marked == 0) {
    memset(marks, 0, tokenizer->total);
  }
  mark_all_special(tokenizer, marks);
  return marked > 0;
}
