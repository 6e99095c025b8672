/* The steps of a normalizer, which normalizer.c reads and rewrite.c applies. Not installed. */
#ifndef AUTODIDACT_SRC_TEXT_REWRITE_H
#define AUTODIDACT_SRC_TEXT_REWRITE_H

#include "autodidact/base/buffer.h"
#include "charsmap.h"
#include "forms.h"
#include "pattern.h"

/* Steps that look at one character at a time come first. */
enum ad_rewrite_kind {
  AD_REWRITE_CLEAN,  /* BERT's: control characters go, white space becomes a space */
  AD_REWRITE_CJK,    /* BERT's: spaces around Chinese characters */
  AD_REWRITE_ACCENT, /* BERT's: category Mn goes */
  AD_REWRITE_MARK,   /* StripAccents: categories M* go */
  AD_REWRITE_LOWER,
  AD_REWRITE_NMT,
  AD_REWRITE_FORM,
  AD_REWRITE_STRIP,
  AD_REWRITE_REPLACE,
  AD_REWRITE_PREPEND,
  AD_REWRITE_CHARSMAP
};

struct ad_rewrite {
  enum ad_rewrite_kind kind;
  enum ad_form form;            /* FORM */
  int left, right;              /* STRIP: which ends */
  struct ad_pattern pattern;    /* REPLACE, owned */
  char *text;                   /* REPLACE, PREPEND: what is put, owned */
  struct ad_charsmap *charsmap; /* CHARSMAP, owned */
  unsigned char plain[256];     /* of single characters: 1 for ASCII bytes that stay */
  int plain_all;                /* 1: all of them stay */
};

/* Fills `plain` and `plain_all`, where the kind has them. */
void ad_rewrite_prepare(struct ad_rewrite *step);

/* Appends what a step makes of a text [size bytes] to `out`, *changed = 1; or leaves it alone, *changed = 0, where the
 * text stays as it is. `codes` [2] is work memory. AD_EINPUT, AD_ENOMEM. */
int ad_rewrite_apply(const struct ad_rewrite *step, const char *text, size_t size, struct ad_codes codes[2],
                     struct ad_buffer *out, int *changed);

void ad_rewrite_destroy(struct ad_rewrite *step);

#endif
