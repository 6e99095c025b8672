#include "pattern.h"

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "unicode.h"

/* What has a meaning of its own in an expression. */
static const char SPECIAL[] = ".^$*+?()[]{}|\\";

/* ---- Reading ---- */

/* Puts the character at *text into the set and goes behind it. 0: it is not simple. */
static int take_character(const char **text, const char *special, struct ad_pattern_run *run) {
  const unsigned char byte = (unsigned char)**text;
  if (byte == '\0' || strchr(special, byte) != NULL) {
    return 0;
  }
  if (byte < 0x80) {
    run->ascii[byte] = 1;
    ++*text;
    return 1;
  }
  *text += ad_utf8_read(*text, strlen(*text), &run->other);
  return 1;
}

/* \s, \n, \r, \t, or a special character behind a backslash. */
static int take_escape(const char **text, struct ad_pattern_run *run) {
  static const char letters[] = "nrt", meant[] = "\n\r\t";
  const char letter = (*text)[1];
  const char *found = letter == '\0' ? NULL : strchr(letters, letter);
  if (letter == '\0') {
    return 0;
  }
  if (letter == 's') {
    run->spaces = 1;
    for (uint32_t c = 0; c < 128; c++) {
      run->ascii[c] |= (unsigned char)ad_char_is_space(c);
    }
  } else if (found != NULL) {
    run->ascii[(unsigned char)meant[found - letters]] = 1;
  } else if (strchr(SPECIAL, letter) != NULL) {
    run->ascii[(unsigned char)letter] = 1;
  } else {
    return 0;
  }
  *text += 2;
  return 1;
}

/* A set holds one character past ASCII at most. */
static int take_set(const char **text, struct ad_pattern_run *run) {
  ++*text;
  const char *first = *text;
  while (**text != ']') {
    const uint32_t other = run->other;
    run->other = 0;
    if (!(**text == '\\' ? take_escape(text, run) : take_character(text, "^-[&", run)) ||
        (other != 0 && run->other != 0)) {
      return 0;
    }
    run->other = run->other != 0 ? run->other : other;
  }
  ++*text;
  return *text > first + 1;
}

/* {m} or {m,}, of one digit from 1 on. */
static int take_count(const char **text, struct ad_pattern_run *run) {
  const char *t = *text;
  run->least = run->most = 1;
  if (*t == '+') {
    run->most = SIZE_MAX;
    t++;
  } else if (*t == '{') {
    if (t[1] < '1' || t[1] > '9') {
      return 0;
    }
    run->least = (size_t)(t[1] - '0');
    run->most = t[2] == ',' ? SIZE_MAX : run->least;
    t += t[2] == ',' ? 3 : 2;
    if (*t++ != '}') {
      return 0;
    }
  }
  *text = t;
  return *t == '\0' || *t == '|';
}

static int take_run(const char **text, struct ad_pattern_run *run) {
  const int taken = **text == '['    ? take_set(text, run)
                    : **text == '\\' ? take_escape(text, run)
                                     : take_character(text, SPECIAL, run);
  return taken && take_count(text, run);
}

/* Reads an expression as runs; 0: it is another one. */
static int take_runs(const char *text, struct ad_pattern *pattern) {
  while (pattern->count < AD_PATTERN_RUNS) {
    struct ad_pattern_run *run = &pattern->run[pattern->count++];
    if (!take_run(&text, run)) {
      return 0;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
      const int other = byte >= 0xC0 && (run->spaces || run->other != 0);
      pattern->begins[byte] |= (unsigned char)(byte < 128 ? run->ascii[byte] : other);
    }
    if (*text == '\0') {
      return 1;
    }
    text++;
  }
  return 0;
}

/* A run of one ASCII character is found as a text of its least length. */
static int write_run(struct ad_pattern *pattern) {
  const struct ad_pattern_run *run = &pattern->run[0];
  const unsigned char *one = memchr(run->ascii, 1, sizeof run->ascii);
  if (pattern->count != 1 || one == NULL || run->spaces || run->other != 0 ||
      memchr(one + 1, 1, (size_t)(run->ascii + sizeof run->ascii - one - 1)) != NULL) {
    return AD_OK;
  }
  pattern->size = run->least;
  pattern->goes_on = run->most > run->least;
  pattern->text = ad_malloc(pattern->size + 1, 1);
  if (pattern->text == NULL) {
    return ad_fail_memory(pattern->size + 1, "a pattern");
  }
  memset(pattern->text, (int)(one - run->ascii), pattern->size);
  pattern->text[pattern->size] = '\0';
  return AD_OK;
}

static int copy_text(struct ad_pattern *pattern, const char *text, size_t size) {
  pattern->text = ad_strndup(text, size);
  pattern->size = size;
  return pattern->text == NULL ? ad_fail_memory(size, "a pattern") : AD_OK;
}

int ad_pattern_create(struct ad_pattern *pattern, const char *path, const char *what, const json_t *value) {
  const json_t *plain = json_object_get(value, "String"), *regex = json_object_get(value, "Regex");
  const char *text = json_string_value(plain != NULL ? plain : regex);
  char shown[80];
  *pattern = (struct ad_pattern){0};
  if (text != NULL && text[0] != '\0' && json_object_size(value) == 1) {
    if (plain != NULL || strpbrk(text, SPECIAL) == NULL) {
      return copy_text(pattern, text, strlen(text));
    }
    if (take_runs(text, pattern)) {
      return write_run(pattern);
    }
  }
  *pattern = (struct ad_pattern){0};
  return ad_fail(AD_EINPUT,
                 "%s: %s: \"pattern\" is %s, expected {\"String\": text} or {\"Regex\": \" {2,}\"} or another run of "
                 "characters, \\s, or a [set]",
                 path, what, ad_json_show(value, shown, sizeof shown));
}

void ad_pattern_destroy(struct ad_pattern *pattern) {
  ad_free(pattern->text);
  *pattern = (struct ad_pattern){0};
}

/* ---- Finding ---- */

static int is_in(const struct ad_pattern_run *run, uint32_t c) {
  return c < 128 ? run->ascii[c] : c == run->other || (run->spaces && ad_char_is_space(c));
}

/* The bytes of a run at the start of a text; 0: it does not fit. */
static size_t run_length(const struct ad_pattern_run *run, const char *text, size_t size) {
  size_t length = 0, characters = 0;
  while (length < size && characters < run->most) {
    uint32_t c;
    const size_t bytes = ad_utf8_read(text + length, size - length, &c);
    if (!is_in(run, c)) {
      break;
    }
    length += bytes;
    characters++;
  }
  return characters >= run->least ? length : 0;
}

static size_t match_length(const struct ad_pattern *pattern, const char *text, size_t size) {
  size_t length = 0;
  for (size_t i = 0; i < pattern->count && length == 0; i++) {
    length = run_length(&pattern->run[i], text, size);
  }
  return length;
}

static size_t find_text(const struct ad_pattern *pattern, const char *text, size_t size, size_t from, size_t *length) {
  /* Most texts have none of a quotation mark, and many of a space. */
  const char *first =
      from >= size || pattern->goes_on ? text + from : memchr(text + from, pattern->text[0], size - from);
  const char *found = first == NULL ? NULL : memmem(first, size - (size_t)(first - text), pattern->text, pattern->size);
  const size_t at = found == NULL ? size : (size_t)(found - text);
  *length = pattern->size;
  while (pattern->goes_on && at + *length < size && text[at + *length] == pattern->text[0]) {
    ++*length;
  }
  return at;
}

size_t ad_pattern_find(const struct ad_pattern *pattern, const char *text, size_t size, size_t from, size_t *length) {
  if (pattern->text != NULL) {
    return find_text(pattern, text, size, from, length);
  }
  for (size_t at = from; at < size; at++) {
    if (pattern->begins[(unsigned char)text[at]]) {
      *length = match_length(pattern, text + at, size - at);
      if (*length > 0) {
        return at;
      }
    }
  }
  return size;
}
