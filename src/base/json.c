#include "autodidact/base/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "autodidact/base/file.h"
#include "autodidact/base/looks.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"

/* A raw value is an object whose only key is this one. */
static const char RAW[] = "\001";

/* ---- What jansson cannot hold, written so that it can ---- */

/* Behind this byte of the text, byte `to` of the rewritten text is byte `from` of it. */
struct shift {
  size_t from, to;
};

struct rewriting {
  const char *text; /* [size] as it was read */
  size_t size;
  size_t copied; /* so many bytes of it are in `out` */
  struct ad_buffer out;
  struct shift *shifts; /* [count] */
  size_t count, capacity;
  size_t alien; /* where the first NaN or Infinity stands; size: nowhere */
};

/* Copies what was not copied yet up to `end`. */
static int copy_to(struct rewriting *r, size_t end) {
  AD_TRY(ad_buffer_append(&r->out, r->text + r->copied, end - r->copied));
  r->copied = end;
  return AD_OK;
}

/* Ends a piece of `out` that stands for the text up to `end`. */
static int shift(struct rewriting *r, size_t end) {
  void *shifts = r->shifts;
  AD_TRY(ad_reserve(&shifts, &r->capacity, r->count + 1, sizeof *r->shifts));
  r->shifts = shifts;
  r->shifts[r->count++] = (struct shift){.from = end, .to = r->out.size};
  r->copied = end;
  return AD_OK;
}

/* Puts the token at [begin, end) as a raw value. */
static int put_raw(struct rewriting *r, size_t begin, size_t end) {
  AD_TRY(copy_to(r, begin));
  AD_TRY(ad_buffer_puts(&r->out, "{\"\\u0001\":\""));
  for (size_t i = begin; i < end; i++) {
    AD_TRY(ad_buffer_append(&r->out, "\\", r->text[i] == '"' || r->text[i] == '\\'));
    AD_TRY(ad_buffer_append(&r->out, r->text + i, 1));
  }
  AD_TRY(ad_buffer_puts(&r->out, "\"}"));
  return shift(r, end);
}

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

static size_t skip_digits(const char *text, size_t i, size_t size) {
  while (i < size && is_digit(text[i])) {
    i++;
  }
  return i;
}

/* The end of the number that begins at `begin`, by the grammar of RFC 8259; `begin` where there is none. *whole: it is
 * written without fraction and exponent. */
static size_t number_end(const char *text, size_t begin, size_t size, int *whole) {
  size_t i = begin + (text[begin] == '-'), next = skip_digits(text, i, size);
  if (next == i || (text[i] == '0' && next > i + 1)) {
    return begin;
  }
  *whole = 1;
  i = next;
  if (i < size && text[i] == '.') {
    *whole = 0;
    next = skip_digits(text, i + 1, size);
    i = next == i + 1 ? i : next;
  }
  if (i + 1 < size && (text[i] == 'e' || text[i] == 'E')) {
    *whole = 0;
    const size_t digits = i + 1 + (text[i + 1] == '+' || text[i + 1] == '-');
    next = skip_digits(text, digits, size);
    i = next == digits ? i : next;
  }
  return i;
}

/* Whether jansson has no room for the number [size]: past 64 bits, or infinite as a double. */
static int is_too_large(const char *number, size_t size, int whole, int *too_large) {
  char *copy = ad_strndup(number, size);
  if (copy == NULL) {
    return ad_fail_memory(size, "a number");
  }
  errno = 0;
  if (whole) {
    strtoll(copy, NULL, 10);
    *too_large = errno == ERANGE;
  } else {
    *too_large = isinf(strtod(copy, NULL));
  }
  ad_free(copy);
  return AD_OK;
}

static int take_number(struct rewriting *r, size_t *at) {
  const size_t begin = *at;
  int whole = 0, too_large = 0;
  const size_t end = number_end(r->text, begin, r->size, &whole);
  *at = end > begin ? end : begin + 1;
  if (end == begin) {
    return AD_OK;
  }
  AD_TRY(is_too_large(r->text + begin, end - begin, whole, &too_large));
  return too_large ? put_raw(r, begin, end) : AD_OK;
}

/* The value of \uXXXX at `at`, or -1. */
static long escape_value(const struct rewriting *r, size_t at) {
  char digits[5] = "", *end = NULL;
  if (at + 6 > r->size || r->text[at] != '\\' || r->text[at + 1] != 'u') {
    return -1;
  }
  memcpy(digits, r->text + at + 2, 4);
  const long value = strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtol(digits, &end, 16) : -1;
  return value;
}

/* Whether \uXXXX at `at` is a character that jansson refuses: a NUL, or half of a surrogate pair. *length: of the
 * escape, both halves of a pair. */
static int is_refused_escape(const struct rewriting *r, size_t at, size_t *length) {
  const long value = escape_value(r, at), next = value < 0 ? -1 : escape_value(r, at + 6);
  const int pair = value >= 0xD800 && value < 0xDC00 && next >= 0xDC00 && next < 0xE000;
  *length = pair ? 12 : value >= 0 ? 6 : 2;
  return value == 0 || (value >= 0xD800 && value < 0xE000 && !pair);
}

/* The end of the string that opens at `begin`, behind its quote; a control character, which is an error, ends it too.
 * *refused: it is a string with an escape that jansson refuses. */
static size_t string_end(const struct rewriting *r, size_t begin, int *refused) {
  size_t i = begin + 1, length = 0;
  for (*refused = 0; i < r->size && r->text[i] != '"'; i += length) {
    length = 1;
    if ((unsigned char)r->text[i] < ' ') {
      *refused = 0;
      return i;
    }
    if (r->text[i] == '\\') {
      *refused |= is_refused_escape(r, i, &length);
    }
  }
  return i < r->size ? i + 1 : r->size;
}

/* A key cannot be a raw value: what jansson refuses in it becomes AD_JSON_NO_KEY. */
static int put_key(struct rewriting *r, size_t begin, size_t end) {
  for (size_t i = begin, length = 0; i < end; i += length) {
    length = 1;
    if (r->text[i] == '\\' && is_refused_escape(r, i, &length)) {
      AD_TRY(copy_to(r, i));
      AD_TRY(ad_buffer_puts(&r->out, "\\uffff"));
      AD_TRY(shift(r, i + length));
    }
  }
  return AD_OK;
}

static int take_string(struct rewriting *r, size_t *at) {
  int refused;
  const size_t begin = *at, end = string_end(r, begin, &refused);
  *at = end;
  if (!refused) {
    return AD_OK;
  }
  size_t next = end;
  while (next < r->size && strchr(" \t\r\n", r->text[next]) != NULL && r->text[next] != '\0') {
    next++;
  }
  return next < r->size && r->text[next] == ':' ? put_key(r, begin, end) : put_raw(r, begin, end);
}

static int starts_with(const struct rewriting *r, size_t at, const char *word) {
  return r->size - at >= strlen(word) && memcmp(r->text + at, word, strlen(word)) == 0;
}

static int rewrite(struct rewriting *r) {
  for (size_t i = 0; i < r->size;) {
    if (r->alien == r->size && (starts_with(r, i, "NaN") || starts_with(r, i + (r->text[i] == '-'), "Infinity"))) {
      r->alien = i;
    }
    if (r->text[i] == '"') {
      AD_TRY(take_string(r, &i));
    } else if (r->text[i] == '-' || is_digit(r->text[i])) {
      AD_TRY(take_number(r, &i));
    } else {
      i++;
    }
  }
  return copy_to(r, r->size);
}

/* The byte of the text that a byte of the rewritten one stands for. */
static size_t origin(const struct rewriting *r, size_t at) {
  for (size_t i = r->count; i-- > 0;) {
    if (r->shifts[i].to <= at) {
      return r->shifts[i].from + (at - r->shifts[i].to);
    }
  }
  return at;
}

/* ---- Reading ---- */

/* jansson leaves the text empty where memory failed, but for a string that it could not copy it reports bad syntax. */
static int is_out_of_memory(const json_error_t *error) {
  return error->text[0] == '\0' || json_error_code(error) == json_error_out_of_memory;
}

static int fail_at(const struct rewriting *r, const char *name, size_t line, size_t at, const char *what) {
  size_t begin = 0;
  at = at > r->size ? r->size : at;
  for (const char *end; (end = memchr(r->text + begin, '\n', at - begin)) != NULL; line++) {
    begin = (size_t)(end - r->text) + 1;
  }
  return ad_fail(AD_EINPUT, "%s:%zu: malformed JSON at byte %zu of the line: %s", name, line, at - begin + 1, what);
}

static int fail_parse(const struct rewriting *r, const char *name, size_t line, const json_error_t *error) {
  if (is_out_of_memory(error)) {
    return ad_fail_memory(r->size, "a JSON text");
  }
  /* jansson's position is behind the token that it could not use. */
  const size_t at = origin(r, error->position > 0 ? (size_t)error->position - 1 : 0);
  if (json_error_code(error) == json_error_invalid_utf8) {
    return ad_utf8_fail(name, line, r->text, r->size, ad_utf8_valid(r->text, r->size));
  }
  if (r->alien <= at && r->alien < r->size) {
    return fail_at(r, name, line, r->alien,
                   r->text[r->alien] == 'N'
                       ? "NaN is not JSON (Python writes it for missing numbers), null is"
                       : "Infinity is not JSON (Python writes it for numbers past the largest one), null is");
  }
  return fail_at(r, name, line, at, error->text);
}

/* Once more, with what jansson cannot hold rewritten: only few texts need it, and they are not many bytes. */
static int parse_again(json_t **object, const char *name, size_t line, const char *text, size_t size) {
  struct rewriting r = {.text = text, .size = size, .alien = size};
  json_error_t error;
  int status = rewrite(&r);
  if (status == AD_OK) {
    *object =
        json_loadb(r.out.data == NULL ? "" : r.out.data, r.out.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    status = *object == NULL ? fail_parse(&r, name, line, &error) : AD_OK;
  }
  ad_buffer_destroy(&r.out);
  ad_free(r.shifts);
  return status;
}

int ad_json_parse(json_t **object, const char *name, size_t line, const char *text, size_t size) {
  json_error_t error;
  const size_t mark = ad_utf8_mark(text, size);
  text = text == NULL ? "" : text + mark;
  size -= mark;
  *object = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
  if (*object == NULL && is_out_of_memory(&error)) {
    return ad_fail_memory(size, "a JSON text");
  }
  if (*object == NULL) {
    AD_TRY(parse_again(object, name, line, text, size));
  }
  if (!json_is_object(*object) || ad_json_raw(*object) != NULL) {
    char shown[60];
    ad_fail(AD_EINPUT, "%s:%zu: expected a JSON object, found %s", name, line,
            ad_json_show(*object, shown, sizeof shown));
    json_decref(*object);
    *object = NULL;
    return AD_EINPUT;
  }
  return AD_OK;
}

int ad_json_read(json_t **object, const char *path) {
  struct ad_file_map map;
  *object = NULL;
  AD_TRY(ad_file_map(path, &map));
  const int status =
      ad_looks_explain(ad_json_parse(object, path, 1, map.data, map.size), AD_LOOKS_TEXT, path, map.data, map.size);
  ad_file_unmap(&map);
  return status;
}

/* ---- Looking and writing ---- */

const char *ad_json_raw(const json_t *value) {
  return json_object_size(value) == 1 ? json_string_value(json_object_get(value, RAW)) : NULL;
}

struct printer {
  struct ad_buffer *out;
  int status;
};

/* A character that a terminal must not get, as its escapes. jansson escapes those of ASCII itself. */
static int append_escaped(struct ad_buffer *out, uint32_t c) {
  return c < 0x10000 ? ad_buffer_printf(out, "\\u%04x", (unsigned)c)
                     : ad_buffer_printf(out, "\\u%04x\\u%04x", (unsigned)(0xD7C0 + (c >> 10)),
                                        (unsigned)(0xDC00 + (c & 0x3FF)));
}

/* Pieces of jansson's begin and end between characters; what is not ASCII stands in strings. */
static int append_plain(struct ad_buffer *out, const char *text, size_t size) {
  size_t copied = 0;
  for (size_t i = 0, length; i < size; i += length) {
    utf8proc_int32_t c = 0;
    const utf8proc_ssize_t read =
        utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(size - i), &c);
    length = read > 0 ? (size_t)read : 1;
    if (read > 0 && c >= 0x7F && !ad_is_plain(c)) {
      AD_TRY(ad_buffer_append(out, text + copied, i - copied));
      AD_TRY(append_escaped(out, (uint32_t)c));
      copied = i + length;
    }
  }
  return ad_buffer_append(out, text + copied, size - copied);
}

static int append_text(const char *text, size_t size, void *context) {
  struct printer *printer = context;
  if (printer->status == AD_OK) {
    printer->status = append_plain(printer->out, text, size);
  }
  return printer->status == AD_OK ? 0 : -1;
}

int ad_json_print(const json_t *value, size_t flags, struct ad_buffer *out) {
  /* The status is kept aside: jansson 2.14 goes on, and reports success, when a key could not be appended. */
  struct printer printer = {.out = out};
  const int failed = json_dump_callback(value, append_text, &printer, flags) != 0;
  AD_TRY(printer.status);
  return failed ? ad_fail_memory(4096, "the text of a JSON file") : AD_OK;
}

/* Copies a text of `length` bytes to text [size]; one that is too long is cut between two characters and ends in dots.
 */
static void copy_cut(const char *from, size_t length, char *text, size_t size) {
  static const char DOTS[] = "...";
  size_t end = length;
  if (length >= size) {
    end = size - sizeof DOTS;
    while (end > 0 && ((unsigned char)from[end] & 0xC0) == 0x80) {
      end--;
    }
  }
  memcpy(text, from, end);
  memcpy(text + end, length >= size ? DOTS : "", length >= size ? sizeof DOTS : 1);
}

const char *ad_json_show(const json_t *value, char *text, size_t size) {
  const char *raw = ad_json_raw(value);
  struct ad_buffer whole = {0};
  if (value == NULL) {
    return "nothing";
  }
  if (raw != NULL) {
    copy_cut(raw, strlen(raw), text, size);
    return text;
  }
  const int status = ad_json_print(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15), &whole);
  if (status == AD_OK) {
    copy_cut(whole.data, whole.size, text, size);
  }
  ad_buffer_destroy(&whole);
  return status == AD_OK ? text : "a value that cannot be shown";
}
