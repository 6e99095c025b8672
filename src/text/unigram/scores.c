/* The scores of a vocabulary. Where two ways to cut a text are equally good, the last bit of a score decides. The
 * library reads numbers by serde_json, which rounds twice: digits to a double, and this by a power of ten. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "unigram.h"

/* Goes along the text of a JSON file that is known to be valid. */
struct reader {
  const char *at, *end;
};

static int is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct reader *r) {
  while (r->at < r->end && is_space(*r->at)) {
    r->at++;
  }
}

/* Takes one character, if it is next. */
static int take(struct reader *r, char wanted) {
  skip_space(r);
  const int is = r->at < r->end && *r->at == wanted;
  r->at += is;
  return is;
}

static void skip_string(struct reader *r) {
  for (r->at++; r->at < r->end && *r->at != '"'; r->at++) {
    r->at += *r->at == '\\' && r->at + 1 < r->end;
  }
  r->at += r->at < r->end;
}

/* Skips a value of any kind. */
static void skip_value(struct reader *r) {
  size_t depth = 0;
  skip_space(r);
  while (r->at < r->end) {
    const char c = *r->at;
    if (depth == 0 && (c == ',' || c == ']' || c == '}')) {
      return;
    }
    if (c == '"') {
      skip_string(r);
      continue;
    }
    depth += c == '[' || c == '{';
    depth -= c == ']' || c == '}';
    r->at++;
  }
}

/* Goes to the value of a key of the object that comes next. 0: there is none. */
static int find_key(struct reader *r, const char *key) {
  const size_t length = strlen(key);
  if (!take(r, '{')) {
    return 0;
  }
  do {
    skip_space(r);
    if (r->at == r->end || *r->at != '"') {
      return 0;
    }
    const char *name = r->at + 1;
    skip_string(r);
    const int found = (size_t)(r->at - name) == length + 1 && memcmp(name, key, length) == 0;
    take(r, ':');
    if (found) {
      return 1;
    }
    skip_value(r);
  } while (take(r, ','));
  return 0;
}

static int is_digit(const struct reader *r) {
  return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

/* Adds a digit to the digits read, while they fit in 64 bits. */
static int add_digit(uint64_t *digits, char c) {
  const uint64_t digit = (uint64_t)(c - '0');
  const int fits = *digits < UINT64_MAX / 10 || (*digits == UINT64_MAX / 10 && digit <= UINT64_MAX % 10);
  *digits = fits ? *digits * 10 + digit : *digits;
  return fits;
}

/* Digits that do not fit count as zeros before the point, and not at all behind it. */
static uint64_t read_digits(struct reader *r, int64_t *exponent) {
  uint64_t digits = 0;
  int fits = 1;
  for (; is_digit(r); r->at++) {
    fits = fits && add_digit(&digits, *r->at);
    *exponent += !fits;
  }
  if (r->at < r->end && *r->at == '.') {
    fits = 1;
    for (r->at++; is_digit(r); r->at++) {
      fits = fits && add_digit(&digits, *r->at);
      *exponent -= fits;
    }
  }
  return digits;
}

static int64_t read_exponent(struct reader *r) {
  int64_t exponent = 0;
  if (r->at == r->end || (*r->at != 'e' && *r->at != 'E')) {
    return 0;
  }
  r->at++;
  const int negative = r->at < r->end && *r->at == '-';
  r->at += negative || (r->at < r->end && *r->at == '+');
  for (; is_digit(r); r->at++) {
    exponent = exponent < 1000000 ? exponent * 10 + (*r->at - '0') : exponent;
  }
  return negative ? -exponent : exponent;
}

/* The powers of ten, each the nearest double. */
static double power(int exponent) {
#define TEN(n) 1e##n##0, 1e##n##1, 1e##n##2, 1e##n##3, 1e##n##4, 1e##n##5, 1e##n##6, 1e##n##7, 1e##n##8, 1e##n##9
#define HUNDRED(n) \
  TEN(n##0), TEN(n##1), TEN(n##2), TEN(n##3), TEN(n##4), TEN(n##5), TEN(n##6), TEN(n##7), TEN(n##8), TEN(n##9)
  static const double powers[] = {HUNDRED(0), HUNDRED(1), HUNDRED(2), 1e300, 1e301, 1e302,
                                  1e303,      1e304,      1e305,      1e306, 1e307, 1e308};
#undef HUNDRED
#undef TEN
  return powers[exponent];
}

static double scale(double value, int64_t exponent) {
  while (exponent < -308 && value != 0) {
    value /= 1e308;
    exponent += 308;
  }
  if (value == 0) {
    return 0;
  }
  return exponent > 308 ? INFINITY : exponent >= 0 ? value * power((int)exponent) : value / power((int)-exponent);
}

static double read_number(struct reader *r) {
  int64_t exponent = 0;
  skip_space(r);
  const int negative = r->at < r->end && *r->at == '-';
  r->at += negative;
  const uint64_t digits = read_digits(r, &exponent);
  const double value = scale((double)digits, exponent + read_exponent(r));
  return negative ? -value : value;
}

int ad_unigram_read_scores(const char *path, const char *text, size_t size, double *score, size_t count) {
  struct reader r = {.at = text, .end = text + size};
  if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
    r.at += 3;
  }
  int found = find_key(&r, "model") && find_key(&r, "vocab") && take(&r, '[');
  for (size_t i = 0; found && i < count; i++) {
    found = (i == 0 || take(&r, ',')) && take(&r, '[');
    skip_value(&r);
    found = found && take(&r, ',');
    score[i] = read_number(&r);
    found = found && take(&r, ']');
    if (found && !isfinite(score[i])) {
      return ad_fail(AD_EINPUT, "%s: model: \"vocab\": the score of token %zu is not finite, expected a number", path,
                     i);
    }
  }
  return found ? AD_OK : ad_fail(AD_EINPUT, "%s: model: \"vocab\" is not written as a list of [token, score]", path);
}
