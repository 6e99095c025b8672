/* From text to ids: special tokens, what is between them, truncation. */
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "kind.h"
#include "pipeline.h"

#define HEAD_TOKENS 128 /* of AD_TRUNCATE_HEAD_TAIL */

int ad_encoding_reserve(struct ad_encoding *encoding, size_t more) {
  if (encoding->capacity - encoding->count >= more) {
    return AD_OK;
  }
  void *ids = encoding->ids;
  AD_TRY(ad_reserve(&ids, &encoding->capacity, encoding->count + more, sizeof *encoding->ids));
  encoding->ids = ids;
  return AD_OK;
}

int ad_encoding_push(struct ad_encoding *encoding, uint32_t id) {
  AD_TRY(ad_encoding_reserve(encoding, 1));
  encoding->ids[encoding->count++] = id;
  return AD_OK;
}

/* The last code point of a text [size > 0 bytes]. */
static uint32_t last_code(const char *text, size_t size, size_t *bytes) {
  uint32_t c;
  *bytes = 1;
  while (*bytes < size && ((unsigned char)text[size - *bytes] & 0xC0) == 0x80) {
    ++*bytes;
  }
  ad_utf8_read(text + size - *bytes, *bytes, &c);
  return c;
}

/* Whether a letter stands before `start` or at `stop`. */
static int touches_letter(const char *text, size_t size, size_t start, size_t stop) {
  uint32_t c;
  size_t bytes;
  if (start > 0 && (ad_char_properties(last_code(text, start, &bytes)) & AD_CHAR_LETTER) != 0) {
    return 1;
  }
  if (stop == size) {
    return 0;
  }
  ad_utf8_read(text + stop, size - stop, &c);
  return (ad_char_properties(c) & AD_CHAR_LETTER) != 0;
}

/* A run of white space that is known to end at `end`. */
struct run {
  size_t begin, end;
};

/* Where the white space before `start`, and behind `stop`, begins and ends. */
static size_t space_before(const char *text, size_t from, size_t start) {
  size_t bytes;
  while (start > from && ad_char_is_space(last_code(text, start, &bytes))) {
    start -= bytes;
  }
  return start;
}

static size_t space_behind(const char *text, size_t size, size_t stop, struct run *known) {
  if (stop >= known->begin && stop < known->end) { /* else a token at each of its characters would go along it */
    return known->end;
  }
  known->begin = stop;
  while (stop < size) {
    uint32_t c;
    const size_t bytes = ad_utf8_read(text + stop, size - stop, &c);
    if (!ad_char_is_space(c)) {
      break;
    }
    stop += bytes;
  }
  known->end = stop;
  return stop;
}

/* Appends a text: the added tokens that the matcher finds, and by `between` what stands between them; as
 * AddedVocabulary::find_matches of the library has it. */
static int push_split(struct ad_tokenizer *tokenizer, const struct ad_matcher *matcher, const char *text, size_t size,
                      ad_text_encoder *between, struct ad_encoding *encoding) {
  struct run known = {0};
  size_t done = 0;
  uint32_t place;
  size_t length;
  for (size_t at = ad_matcher_find(matcher, text, size, 0, &place, &length); at < size;
       at = ad_matcher_find(matcher, text, size, at + length, &place, &length)) {
    const struct ad_added_token *token = &tokenizer->recipe.added.items[place];
    size_t start = at;
    size_t stop = at + length;
    if (token->single_word && touches_letter(text, size, start, stop)) {
      continue;
    }
    if (token->lstrip) {
      start = space_before(text, done, start);
      start = start < done ? done : start;
    }
    if (token->rstrip) {
      stop = space_behind(text, size, stop, &known);
    }
    if (start > done) {
      AD_TRY(between(tokenizer, text + done, start - done, encoding));
    }
    /* Where the token before has taken all of it, nothing is left. */
    if (stop > start) {
      tokenizer->begins = 0;
      AD_TRY(ad_encoding_push(encoding, (uint32_t)token->id));
    }
    done = stop;
  }
  return size > done ? between(tokenizer, text + done, size - done, encoding) : AD_OK;
}

int ad_text_normalize(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_buffer *out) {
  struct ad_pipeline *pipeline = tokenizer->recipe.pipeline;
  return pipeline == NULL ? tokenizer->kind->normalize(tokenizer, text, size, out)
                          : ad_pipeline_normalize(pipeline, text, size, out);
}

/* Appends a text in which nothing is looked for any more but tokens in its normalised form. */
static int push_piece(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding) {
  const struct ad_pipeline *pipeline = tokenizer->recipe.pipeline;
  struct ad_buffer *normalized = &tokenizer->normalized;
  if (pipeline == NULL ? tokenizer->normal.used : ad_pipeline_normalizes(pipeline)) {
    ad_buffer_clear(normalized);
    AD_TRY(ad_text_normalize(tokenizer, text, size, normalized));
    text = normalized->data;
    size = normalized->size;
  }
  return push_split(tokenizer, &tokenizer->normal, text, size, tokenizer->kind->encode, encoding);
}

/* Appends the tokens of a text. */
static int push_whole(struct ad_tokenizer *tokenizer, const char *text, size_t size, const char *which,
                      struct ad_encoding *encoding) {
  const size_t valid = ad_utf8_valid(text, size);
  if (valid < size) {
    return ad_fail(AD_EINPUT, "invalid UTF-8 at byte %zu of the %s, found 0x%02X", valid + 1, which,
                   (unsigned)(unsigned char)text[valid]);
  }
  tokenizer->begins = 1;
  return push_split(tokenizer, &tokenizer->raw, text, size, push_piece, encoding);
}

/* Takes `count` ids out at `from`. */
static void cut(struct ad_encoding *encoding, size_t from, size_t count) {
  memmove(encoding->ids + from, encoding->ids + from + count, (encoding->count - from - count) * sizeof *encoding->ids);
  encoding->count -= count;
}

static size_t frame_tokens(const struct ad_frame *frame) {
  return (size_t)frame->before + frame->between + frame->after;
}

size_t ad_tokenizer_least(const struct ad_tokenizer *tokenizer, int pair) {
  return frame_tokens(&tokenizer->recipe.frame[pair]) + (pair ? 2 : 1);
}

/* One text: cut to limit tokens. */
static void truncate_single(const struct ad_frame *frame, struct ad_encoding *encoding, size_t limit,
                            enum ad_truncation truncation) {
  const size_t excess = encoding->count - limit;
  const size_t kept = limit - frame_tokens(frame);
  const size_t head = truncation == AD_TRUNCATE_HEAD_TAIL && kept > HEAD_TOKENS ? HEAD_TOKENS : kept;
  cut(encoding, frame->before + head, excess);
  encoding->text[0] = kept;
  encoding->first = encoding->count;
}

/* A pair: the longer text loses tokens until both are equally long; then the shorter keeps half of what there is room
 * for, and the longer (of two equally long ones the second) the rest. */
static void truncate_pair(const struct ad_frame *frame, struct ad_encoding *encoding, size_t limit) {
  const size_t a = encoding->text[0];
  const size_t b = encoding->text[1];
  const size_t kept = limit - frame_tokens(frame);
  const size_t shorter = a < b ? a : b;
  const size_t least = shorter < kept / 2 ? shorter : kept / 2;
  const size_t keep_a = a <= b ? least : kept - least;
  const size_t begin = encoding->first + (frame->between - frame->first);
  cut(encoding, begin + (kept - keep_a), b - (kept - keep_a));
  cut(encoding, frame->before + keep_a, a - keep_a);
  encoding->text[0] = keep_a;
  encoding->text[1] = kept - keep_a;
  encoding->first -= a - keep_a;
}

/* Appends `count` of the frame's special tokens from number `from` on. */
static int push_special(const struct ad_frame *frame, unsigned from, unsigned count, struct ad_encoding *encoding) {
  for (unsigned i = from; i < from + count; i++) {
    AD_TRY(ad_encoding_push(encoding, (uint32_t)frame->token[i].id));
  }
  return AD_OK;
}

/* The texts with the special tokens around them; b may be NULL. */
static int push_texts(struct ad_tokenizer *tokenizer, const struct ad_frame *frame, const char *a, size_t a_size,
                      const char *b, size_t b_size, struct ad_encoding *encoding) {
  AD_TRY(push_special(frame, 0, frame->before, encoding));
  AD_TRY(push_whole(tokenizer, a, a_size, b == NULL ? "text" : "first text", encoding));
  encoding->text[0] = encoding->count - frame->before;
  AD_TRY(push_special(frame, frame->before, frame->between, encoding));
  encoding->first = encoding->count - (frame->between - frame->first);
  const size_t begin = encoding->count;
  if (b != NULL) {
    AD_TRY(push_whole(tokenizer, b, b_size, "second text", encoding));
  }
  encoding->text[1] = encoding->count - begin;
  AD_TRY(push_special(frame, frame->before + frame->between, frame->after, encoding));
  encoding->first = b == NULL ? encoding->count : encoding->first;
  return AD_OK;
}

int ad_tokenizer_encode(struct ad_tokenizer *tokenizer, const char *a, size_t a_size, const char *b, size_t b_size,
                        size_t limit, enum ad_truncation truncation, struct ad_encoding *encoding) {
  const struct ad_frame *frame = &tokenizer->recipe.frame[b != NULL];
  const size_t least = ad_tokenizer_least(tokenizer, b != NULL);
  if (limit != 0 && limit < least) {
    return ad_fail(AD_ECONFIG, "a limit of %zu tokens, expected at least %zu for %s", limit, least,
                   b == NULL ? "a text" : "a pair of texts");
  }
  encoding->count = 0;
  AD_TRY(push_texts(tokenizer, frame, a, a_size, b, b_size, encoding));
  encoding->truncated = limit != 0 && encoding->count > limit;
  if (encoding->truncated && b == NULL) {
    truncate_single(frame, encoding, limit, truncation);
  } else if (encoding->truncated) {
    truncate_pair(frame, encoding, limit);
  }
  return AD_OK;
}

void ad_encoding_destroy(struct ad_encoding *encoding) {
  ad_free(encoding->ids);
  *encoding = (struct ad_encoding){0};
}
