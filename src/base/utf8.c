#include "autodidact/base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "autodidact/base/status.h"

size_t ad_utf8_valid(const char *text, size_t size) {
  const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
  size_t i = 0;
  while (i < size) {
    uint64_t block;
    if (size - i >= sizeof block) {
      memcpy(&block, bytes + i, sizeof block);
      if ((block & UINT64_C(0x8080808080808080)) == 0) {
        i += sizeof block;
        continue;
      }
    }
    if (bytes[i] < 0x80) {
      i++;
      continue;
    }
    utf8proc_int32_t c;
    const utf8proc_ssize_t length = utf8proc_iterate(bytes + i, (utf8proc_ssize_t)(size - i), &c);
    if (length <= 0) {
      return i;
    }
    i += (size_t)length;
  }
  return size;
}

size_t ad_utf8_mark(const char *text, size_t size) {
  return size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* ---- Other encodings, guessed by how their bytes follow each other ---- */

enum { WINDOW = 4096 }; /* so many bytes are looked at */

/* What pairs of bytes a text has: a byte from 0x81 on, and the one behind it. */
struct pairs {
  size_t all;    /* pairs of any kind, and high bytes that are in none */
  size_t broken; /* high bytes whose second byte cannot be one of a pair in any of these encodings */
  size_t hangul; /* EUC-KR: the 2,350 syllables */
  size_t hanzi;  /* GB 2312: the characters */
  size_t kana;   /* Shift_JIS: hiragana and katakana */
  size_t euc;    /* EUC-JP: the same */
  size_t lonely; /* high bytes with a byte below 0x80 behind them, as letters with accents have */
};

static int in(unsigned char c, unsigned char low, unsigned char high) {
  return c >= low && c <= high;
}

static struct pairs count_pairs(const unsigned char *text, size_t size) {
  struct pairs p = {0};
  for (size_t i = 0; i < size; i++) {
    const unsigned char a = text[i], b = i + 1 < size ? text[i + 1] : ' ';
    if (a < 0x80) {
      continue;
    }
    p.all++;
    p.hangul += in(a, 0xB0, 0xC8) && in(b, 0xA1, 0xFE);
    p.hanzi += in(a, 0xB0, 0xF7) && in(b, 0xA1, 0xFE);
    p.euc += in(a, 0xA4, 0xA5) && in(b, 0xA1, 0xF6);
    p.kana += (a == 0x82 && in(b, 0x9F, 0xF1)) || (a == 0x83 && in(b, 0x40, 0x96));
    p.lonely += b < 0x80;
    const int pair = a >= 0x81 && b >= 0x40 && b != 0x7F && b != 0xFF && i + 1 < size;
    p.broken += !pair;
    i += pair;
  }
  return p;
}

/* The name that iconv has for the encoding that the bytes look like, and for people; NULL: none comes to mind. */
static const char *guess(const char *text, size_t size, const char **language) {
  const struct pairs p = count_pairs((const unsigned char *)text, size);
  if (p.broken * 20 <= p.all && p.kana * 10 >= p.all * 3) {
    *language = "Japanese";
    return "SHIFT_JIS";
  }
  if (p.broken * 20 <= p.all && p.euc * 10 >= p.all * 3) {
    *language = "Japanese";
    return "EUC-JP";
  }
  if (p.broken * 20 <= p.all && p.hangul * 10 >= p.all * 7) {
    *language = "Korean, also EUC-KR";
    return "CP949";
  }
  if (p.broken * 20 <= p.all && p.hanzi * 10 >= p.all * 7) {
    *language = "Chinese";
    return "GB18030";
  }
  if (p.lonely * 2 > p.all) {
    *language = "Western Europe, also Latin-1";
    return "WINDOWS-1252";
  }
  return NULL;
}

/* Whether the bytes before `bad` are UTF-8 beyond ASCII, so that the text is in no other encoding. */
static int is_utf8_before(const char *text, size_t bad) {
  size_t first = bad > WINDOW ? bad - WINDOW : 0, characters = 0;
  for (size_t i = first; i < bad; i++) {
    characters += (unsigned char)text[i] >= 0xC2;
  }
  return characters >= 3;
}

static void suggest(const char *text, size_t size, size_t bad, char *out, size_t room) {
  const char *language, *encoding = guess(text + bad, size - bad < WINDOW ? size - bad : WINDOW, &language);
  if (is_utf8_before(text, bad)) {
    snprintf(out, room, "what stands before it is UTF-8, so a character is damaged or cut off");
  } else if (encoding != NULL) {
    snprintf(out, room, "it looks like %s (%s); `iconv -f %s -t UTF-8` makes UTF-8 of it", encoding, language,
             encoding);
  } else {
    snprintf(out, room, "is it in another encoding? `iconv -f ENCODING -t UTF-8` makes UTF-8 of it");
  }
}

int ad_utf8_fail(const char *name, size_t line, const char *text, size_t size, size_t bad) {
  enum { SHOWN = 4, WIDTH = 5 /* of " 0xFF" */ };
  char bytes[WIDTH * SHOWN + 1] = "", advice[160];
  size_t begin = 0;
  for (const char *end; (end = memchr(text + begin, '\n', bad - begin)) != NULL; line++) {
    begin = (size_t)(end - text) + 1;
  }
  for (size_t i = 0; i < SHOWN && bad + i < size && (i == 0 || (unsigned char)text[bad + i] >= 0x80); i++) {
    snprintf(bytes + WIDTH * i, WIDTH + 1, " 0x%02X", (unsigned)(unsigned char)text[bad + i]);
  }
  suggest(text, size, bad, advice, sizeof advice);
  return ad_fail(AD_EINPUT, "%s:%zu: invalid UTF-8%s at byte %zu of the line: %s", name, line, bytes, bad - begin + 1,
                 advice);
}

int ad_utf8_check(const char *name, const char *text, size_t size) {
  const size_t valid = ad_utf8_valid(text, size);
  return valid == size ? AD_OK : ad_utf8_fail(name, 1, text, size, valid);
}
