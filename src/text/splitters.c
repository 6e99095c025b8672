/* The pre-tokenizers of tokenizer.json. */
#include <string.h>

#include "autodidact/base/status.h"
#include "pipeline.h"

static int put(const struct ad_piece_taker *next, const char *text, size_t begin, size_t end, int first) {
  return end > begin ? next->take(next, text + begin, end - begin, first && begin == 0) : AD_OK;
}

static int is_punctuation(uint32_t c) {
  return (ad_char_properties(c) & AD_CHAR_KIND) == AD_CHAR_PUNCTUATION;
}

/* ---- Words ---- */

/* BertPreTokenizer: words between white space, with each punctuation character a piece of its own; or by `alone` 0 the
 * words alone: WhitespaceSplit. */
static int split_white(const char *text, size_t size, int first, int alone, const struct ad_piece_taker *next) {
  size_t begin = 0;
  for (size_t i = 0; i < size;) {
    uint32_t c;
    const size_t bytes = ad_utf8_read(text + i, size - i, &c);
    const int punctuation = alone && is_punctuation(c);
    if (punctuation || ad_char_is_space(c)) {
      AD_TRY(put(next, text, begin, i, first));
      AD_TRY(punctuation ? put(next, text, i, i + bytes, first) : AD_OK);
      begin = i + bytes;
    }
    i += bytes;
  }
  return put(next, text, begin, size, first);
}

/* Whitespace: runs of letters, and runs of what is neither letter nor space. */
static int split_words(const char *text, size_t size, int first, const struct ad_piece_taker *next) {
  enum { SPACE, LETTER, OTHER } run = SPACE;
  size_t begin = 0;
  for (size_t i = 0; i < size;) {
    uint32_t c;
    const size_t bytes = ad_utf8_read(text + i, size - i, &c);
    const int kind = ad_char_is_space(c) ? SPACE : (ad_char_properties(c) & AD_CHAR_LETTER) != 0 ? LETTER : OTHER;
    if (kind != (int)run) {
      AD_TRY(run == SPACE ? AD_OK : put(next, text, begin, i, first));
      begin = i;
      run = kind == SPACE ? SPACE : kind == LETTER ? LETTER : OTHER;
    }
    i += bytes;
  }
  return run == SPACE ? AD_OK : put(next, text, begin, size, first);
}

/* ---- Patterns, as NormalizedString::split of the library ---- */

/* Goes along a text; segments are what matches and what is between. */
struct segments {
  const char *text;
  size_t size;
  const struct ad_step *step;
};

/* The end of the segment that begins at `at`, and whether it matches. */
static size_t segment_end(const struct segments *s, size_t at, int *match) {
  const struct ad_step *step = s->step;
  uint32_t c;
  if (step->kind == AD_STEP_LITERAL) {
    const size_t length = strlen(step->pattern);
    const char *found = memmem(s->text + at, s->size - at, step->pattern, length);
    const size_t start = found == NULL ? s->size : (size_t)(found - s->text);
    *match = (start == at) != step->inverted;
    return start == at ? at + length : start;
  }
  size_t i = at + ad_utf8_read(s->text + at, s->size - at, &c);
  *match = is_punctuation(c);
  while (!*match && i < s->size) {
    const size_t bytes = ad_utf8_read(s->text + i, s->size - i, &c);
    if (is_punctuation(c)) {
      break;
    }
    i += bytes;
  }
  return i;
}

/* Whether a piece ends between two segments; which of them match. */
static int parts(enum ad_behavior behavior, int before, int match) {
  switch (behavior) {
    case AD_MERGED_WITH_PREVIOUS:
      return !match || before;
    case AD_CONTIGUOUS:
      return before != match;
    case AD_MERGED_WITH_NEXT:
    case AD_ISOLATED:
    case AD_REMOVED:
      break;
  }
  return 1;
}

/* MergedWithNext: a match is joined to what is behind it, unless that is a match too. */
static int split_next(const struct segments *s, int first, const struct ad_piece_taker *next) {
  size_t begin = 0;
  for (size_t i = 0; i < s->size;) {
    int match, follows = 1;
    const size_t end = segment_end(s, i, &match);
    if (match && end < s->size) {
      segment_end(s, end, &follows);
    }
    if (!match || follows) {
      AD_TRY(put(next, s->text, begin, end, first));
      begin = end;
    }
    i = end;
  }
  return put(next, s->text, begin, s->size, first);
}

static int split_pattern(const struct segments *s, int first, const struct ad_piece_taker *next) {
  const enum ad_behavior behavior = s->step->behavior;
  size_t begin = 0;
  int before = 0;
  if (behavior == AD_MERGED_WITH_NEXT) {
    return split_next(s, first, next);
  }
  for (size_t i = 0; i < s->size;) {
    int match;
    const size_t end = segment_end(s, i, &match);
    if (i > 0 && parts(behavior, before, match)) {
      AD_TRY(before && behavior == AD_REMOVED ? AD_OK : put(next, s->text, begin, i, first));
      begin = i;
    }
    before = match;
    i = end;
  }
  return before && behavior == AD_REMOVED ? AD_OK : put(next, s->text, begin, s->size, first);
}

/* ---- Metaspace ---- */

/* Replaces spaces, and puts one before the text. */
static int write_metaspace(struct ad_step *step, const char *text, size_t size, int first) {
  const size_t length = strlen(step->replacement);
  const int has = size > 0 && (text[0] == ' ' || (size >= length && memcmp(text, step->replacement, length) == 0));
  struct ad_buffer *out = &step->text;
  ad_buffer_clear(out);
  if (!has && (step->prefix > 0 || (step->prefix < 0 && first))) {
    AD_TRY(ad_buffer_append(out, step->replacement, length));
  }
  for (size_t i = 0; i < size;) {
    const char *space = memchr(text + i, ' ', size - i);
    const size_t end = space == NULL ? size : (size_t)(space - text);
    AD_TRY(ad_buffer_append(out, text + i, end - i));
    if (end < size) {
      AD_TRY(ad_buffer_append(out, step->replacement, length));
    }
    i = end + 1;
  }
  return AD_OK;
}

static int split_metaspace(struct ad_step *step, const char *given, size_t given_size, int first,
                           const struct ad_piece_taker *next) {
  const size_t length = strlen(step->replacement);
  AD_TRY(write_metaspace(step, given, given_size, first));
  const char *text = step->text.data;
  const size_t size = step->text.size;
  size_t begin = 0;
  for (size_t i = 1; step->splits && i + length <= size; i++) {
    /* Not memmem, which prepares for long texts: these are words, mostly. */
    const char *found = memchr(text + i, step->replacement[0], size - i);
    if (found == NULL) {
      break;
    }
    i = (size_t)(found - text);
    if (i + length <= size && memcmp(found, step->replacement, length) == 0) {
      AD_TRY(put(next, text, begin, i, first));
      begin = i;
    }
  }
  return put(next, text, begin, size, first);
}

/* ---- ByteLevel ---- */

enum { CONTRACTION_MOST = 3 };

/* The bytes of 's, 't, 're, 've, 'm, 'll, 'd at the start of a text; 0: there is none. */
static inline size_t contraction(const char *text, size_t size) {
  if (size < 2 || text[0] != '\'') {
    return 0;
  }
  const char a = text[1], b = size < CONTRACTION_MOST ? '\0' : text[2];
  if (a == 's' || a == 't' || a == 'm' || a == 'd') {
    return 2;
  }
  return (b == 'e' && (a == 'r' || a == 'v')) || (a == 'l' && b == 'l') ? CONTRACTION_MOST : 0;
}

/* The classes of ASCII. */
static const unsigned char ascii[128] = {
    ['\t'] = AD_SPLIT_SPACE,         ['\n'] = AD_SPLIT_SPACE,         ['\v'] = AD_SPLIT_SPACE,
    ['\f'] = AD_SPLIT_SPACE,         ['\r'] = AD_SPLIT_SPACE,         [' '] = AD_SPLIT_SPACE,
    ['0' ... '9'] = AD_SPLIT_NUMBER, ['A' ... 'Z'] = AD_SPLIT_LETTER, ['a' ... 'z'] = AD_SPLIT_LETTER};

/* The class of the character at `at` [at < size], and in *end where it ends. */
static inline unsigned class_at(const char *text, size_t size, size_t at, size_t *end) {
  const unsigned char byte = (unsigned char)text[at];
  if (byte < 0x80) {
    *end = at + 1;
    return ascii[byte];
  }
  uint32_t c;
  *end = at + ad_utf8_read(text + at, size - at, &c);
  return ad_split_class(c);
}

/* Where the run of a class ends that has come to `at`; *last: where its last character begins. */
static inline size_t run_end(const char *text, size_t size, size_t at, unsigned class, size_t *last) {
  size_t end;
  while (at < size && class_at(text, size, at, &end) == class) {
    *last = at;
    at = end;
  }
  return at;
}

/* The pattern is 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+, of which each place takes
 * the first alternative that matches. */
int ad_split_bytes(const char *text, size_t size, const struct ad_piece_taker *next) {
  for (size_t begin = 0; begin < size;) {
    size_t end = begin + contraction(text + begin, size - begin);
    if (end == begin) {
      size_t last = begin;
      unsigned class = class_at(text, size, begin, &end);
      if (text[begin] == ' ' && end < size) {
        class = class_at(text, size, end, &end);
      }
      end = run_end(text, size, class == AD_SPLIT_SPACE ? begin : end, class, &last);
      /* White space before something else leaves its last character to that. */
      end = class == AD_SPLIT_SPACE && end < size && last > begin ? last : end;
    }
    AD_TRY(next->take(next, text + begin, end - begin, 0));
    begin = end;
  }
  return AD_OK;
}

static int split_byte_level(struct ad_step *step, const char *text, size_t size, const struct ad_piece_taker *next) {
  if (step->prefix && text[0] != ' ') {
    ad_buffer_clear(&step->text);
    AD_TRY(ad_buffer_append(&step->text, " ", 1));
    AD_TRY(ad_buffer_append(&step->text, text, size));
    text = step->text.data;
    size = step->text.size;
  }
  return step->splits ? ad_split_bytes(text, size, next) : put(next, text, 0, size, 0);
}

int ad_step_run(struct ad_step *step, const char *text, size_t size, int first, const struct ad_piece_taker *next) {
  const struct segments segments = {.text = text, .size = size, .step = step};
  switch (step->kind) {
    case AD_STEP_BERT:
      return split_white(text, size, first, 1, next);
    case AD_STEP_WHITE:
      return split_white(text, size, first, 0, next);
    case AD_STEP_WORDS:
      return split_words(text, size, first, next);
    case AD_STEP_PUNCTUATION:
    case AD_STEP_LITERAL:
      return split_pattern(&segments, first, next);
    case AD_STEP_METASPACE:
      return split_metaspace(step, text, size, first, next);
    case AD_STEP_BYTES:
      return split_byte_level(step, text, size, next);
  }
  return ad_fail(AD_EINTERNAL, "no such step of a pre-tokenizer");
}
