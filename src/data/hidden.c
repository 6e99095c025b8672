#include "autodidact/data/hidden.h"

#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"

int ad_hiding_create(struct ad_hiding *hiding, const struct ad_tokenizer *tokenizer, double share, int words) {
  const size_t V = ad_tokenizer_vocab(tokenizer);
  *hiding = (struct ad_hiding){.threshold = (uint64_t)(share * 0x1p32),
                               .words = words,
                               .mask = ad_tokenizer_mask(tokenizer),
                               .vocab = V,
                               .marks = ad_malloc(V, 1),
                               .ordinary = ad_malloc(V, sizeof *hiding->ordinary)};
  if (hiding->marks == NULL || hiding->ordinary == NULL) {
    return ad_fail_memory(V * (1 + sizeof *hiding->ordinary), "the marks of the vocabulary");
  }
  const int tells = ad_tokenizer_mark(tokenizer, hiding->marks);
  for (size_t v = 0; v < V; v++) {
    if ((hiding->marks[v] & AD_TOKEN_SPECIAL) == 0) {
      hiding->ordinary[hiding->ordinary_count++] = (uint32_t)v;
    }
  }
  if (hiding->mask >= V) {
    return ad_fail(AD_EINPUT,
                   "the tokenizer has no mask token (mask_token), expected one, such as [MASK], for masked-language "
                   "modelling");
  }
  if (hiding->ordinary_count == 0) {
    return ad_fail(AD_EINPUT, "all %zu tokens of the vocabulary are special, expected some to hide", V);
  }
  return words && !tells ? ad_fail(AD_EINPUT,
                                   "train.mask_whole_words=true, and the tokenizer's tokens do not show where words "
                                   "begin; expected false")
                         : AD_OK;
}

void ad_hiding_destroy(struct ad_hiding *hiding) {
  ad_free(hiding->marks);
  ad_free(hiding->ordinary);
  *hiding = (struct ad_hiding){0};
}

/* The block of a place of an example: its words 0, 1 and 2 with 3 say whether, how, and by which token. */
static void draw_words(const struct ad_hiding_draw *draw, uint32_t example, uint32_t place, uint32_t words[4]) {
  ad_random_words(draw->seed, AD_STREAM_HIDDEN, draw->step, (uint64_t)example << 32 | place, words);
}

/* What stands in the place of a hidden token: the mask token in 8 of 10 cases, any ordinary one in 1, itself in 1. */
static uint32_t replacement(const struct ad_hiding *hiding, uint32_t id, const uint32_t words[4]) {
  static const uint64_t MASKED = 0xcccccccc, REPLACED = 0xe6666666; /* 0.8 and 0.9 of 2^32 */
  if (words[1] < MASKED) {
    return hiding->mask;
  }
  const uint64_t bits = (uint64_t)words[3] << 32 | words[2];
  return words[1] < REPLACED ? hiding->ordinary[(size_t)((unsigned __int128)bits * hiding->ordinary_count >> 64)] : id;
}

/* ids NULL: it only counts. */
static size_t hide(const struct ad_hiding *hiding, const struct ad_hiding_draw *draw, const struct ad_dataset *data,
                   uint32_t example, uint32_t *ids, uint32_t *place, uint32_t *label) {
  const uint32_t length = ad_dataset_length(data, example), *own = data->ids + data->offset[example];
  size_t count = 0;
  int in_word = 0, hidden = 0; /* whether the token before is of a word, and whether that is hidden */
  for (uint32_t i = 0; i < length; i++) {
    const unsigned char marks = own[i] < hiding->vocab ? hiding->marks[own[i]] : AD_TOKEN_SPECIAL;
    uint32_t words[4];
    if ((marks & AD_TOKEN_SPECIAL) != 0) {
      in_word = 0;
      continue;
    }
    const int goes_on = hiding->words && in_word && (marks & AD_TOKEN_CONTINUES) != 0;
    if (!goes_on || (hidden && ids != NULL)) {
      draw_words(draw, example, i, words);
      hidden = goes_on ? hidden : words[0] < hiding->threshold;
    }
    in_word = 1;
    if (hidden && ids != NULL) {
      place[count] = i;
      label[count] = own[i];
      ids[i] = replacement(hiding, own[i], words);
    }
    count += (size_t)hidden;
  }
  return count;
}

size_t ad_hiding_count(const struct ad_hiding *hiding, const struct ad_hiding_draw *draw, const struct ad_dataset *data,
                       uint32_t example) {
  return hide(hiding, draw, data, example, NULL, NULL, NULL);
}

size_t ad_hiding_apply(const struct ad_hiding *hiding, const struct ad_hiding_draw *draw, const struct ad_dataset *data,
                       uint32_t example, uint32_t *ids, uint32_t *place, uint32_t *label) {
  return hide(hiding, draw, data, example, ids, place, label);
}
