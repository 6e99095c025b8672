/* Which tokens masked-language modelling hides (Devlin et al. 2019), and what stands in their place.
 *
 * All is a pure function of a seed, a step, an example and a place in it: any rank, at any time, after any restart,
 * hides the same tokens. docs/methods.md has the rule. */
#ifndef AUTODIDACT_DATA_HIDDEN_H
#define AUTODIDACT_DATA_HIDDEN_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/data/dataset.h"

/* The share of evaluations, whose tokens are hidden one by one. */
#define AD_HIDING_EVALUATION 0.15

/* How tokens are hidden, by a tokenizer's vocabulary. */
struct ad_hiding {
  uint64_t threshold;   /* a token is hidden where its 32 random bits are below: 2^32 times the share */
  int words;            /* 1: a word's first token decides for all of it */
  uint32_t mask;        /* the mask token */
  size_t vocab;         /* tokens of the tokenizer */
  unsigned char *marks; /* [vocab] of ad_tokenizer_mark, owned */
  uint32_t *ordinary;   /* [ordinary_count] tokens that are not special, owned */
  size_t ordinary_count;
};

/* What the draws of a batch depend on, besides example and place. An evaluation's are all 0. */
struct ad_hiding_draw {
  uint64_t seed;
  uint32_t step;
};

/* Hides a share of the tokens in (0, 1]. The caller owns it: ad_hiding_destroy, after a failure too. AD_EINPUT: the
 * tokenizer has no mask token, no ordinary one, or (with `words`) does not tell words apart; AD_ENOMEM. */
int ad_hiding_create(struct ad_hiding *hiding, const struct ad_tokenizer *tokenizer, double share, int words);
void ad_hiding_destroy(struct ad_hiding *hiding);

/* How many tokens of an example are hidden. */
size_t ad_hiding_count(const struct ad_hiding *hiding, const struct ad_hiding_draw *draw, const struct ad_dataset *data,
                       uint32_t example);

/* Hides them in ids [length], a copy of the example's tokens. Their places from 0, ascending, into place, and what they
 * were into label: [ad_hiding_count] each, which is returned. */
size_t ad_hiding_apply(const struct ad_hiding *hiding, const struct ad_hiding_draw *draw, const struct ad_dataset *data,
                       uint32_t example, uint32_t *ids, uint32_t *place, uint32_t *label);

#endif
