#include "charsmap.h"

#include <stdint.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "clusters.h"
#include "unicode.h"

enum { LONGEST_CLUSTER = 5 }; /* bytes; the characters of a longer one are rewritten one by one */

struct ad_charsmap {
  uint32_t *unit; /* [units], owned: the double array */
  size_t units;
  char *text; /* [size], owned: what the values point into; a NUL ends each text */
  size_t size;
  unsigned char plain[256]; /* 1: this ASCII character alone is not rewritten */
};

/* ---- Reading ---- */

static int digit_of(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *found = c == '\0' ? NULL : strchr(digits, c);
  return found == NULL ? -1 : (int)(found - digits);
}

/* Appends the bytes of four digits, or fewer where the last of them are "=". 0: they are none. */
static int push_quad(const char *quad, int last, unsigned char *bytes, size_t *size) {
  const int padding = last && quad[3] == '=' ? 1 + (quad[2] == '=') : 0;
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) {
    const int digit = i < 4 - padding ? digit_of(quad[i]) : 0;
    if (digit < 0) {
      return 0;
    }
    value = value << 6 | (uint32_t)digit;
  }
  for (int i = 0; i < 3 - padding; i++) {
    bytes[(*size)++] = (unsigned char)(value >> (16 - 8 * i));
  }
  return (value & ((1u << 8 * padding) - 1)) == 0;
}

/* The bytes of a base64 text with its padding; 0 in *size: it is no such text. */
static int read_base64(const char *text, unsigned char **bytes, size_t *size) {
  const size_t length = strlen(text);
  *size = 0;
  *bytes = ad_malloc(length / 4 * 3 + 1, 1);
  if (*bytes == NULL) {
    return ad_fail_memory(length, "a charsmap");
  }
  for (size_t i = 0; i + 4 <= length; i += 4) {
    if (length % 4 != 0 || !push_quad(text + i, i + 4 == length, *bytes, size)) {
      *size = 0;
      break;
    }
  }
  return AD_OK;
}

static uint32_t read_number(const unsigned char *bytes) {
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static int fill(struct ad_charsmap *charsmap, const char *path, const unsigned char *bytes, size_t size) {
  const size_t array = size < 4 ? 0 : read_number(bytes) / 4 * 4;
  if (array == 0 || array > size - 4) {
    return ad_fail(AD_EINPUT,
                   "%s: normalizer Precompiled: \"precompiled_charsmap\" has %zu bytes, expected base64 of an array's "
                   "size, the array and its texts",
                   path, size);
  }
  charsmap->units = array / 4;
  charsmap->size = size - 4 - array;
  charsmap->unit = ad_malloc(charsmap->units, sizeof *charsmap->unit);
  charsmap->text = ad_malloc(charsmap->size + 1, 1);
  if (charsmap->unit == NULL || charsmap->text == NULL) {
    return ad_fail_memory(size, "a charsmap");
  }
  for (size_t i = 0; i < charsmap->units; i++) {
    charsmap->unit[i] = read_number(bytes + 4 + 4 * i);
  }
  memcpy(charsmap->text, bytes + 4 + array, charsmap->size);
  charsmap->text[charsmap->size] = '\0';
  if (ad_utf8_valid(charsmap->text, charsmap->size) < charsmap->size) {
    return ad_fail(AD_EINPUT, "%s: normalizer Precompiled: the texts of \"precompiled_charsmap\" are no UTF-8", path);
  }
  return AD_OK;
}

/* ---- Looking up ---- */

static size_t offset_of(uint32_t unit) {
  return (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6);
}

/* The value of the shortest key that begins a text; 0: there is none. */
static int find(const struct ad_charsmap *charsmap, const char *text, size_t size, uint32_t *value) {
  size_t at = offset_of(charsmap->unit[0]);
  for (size_t i = 0; i < size && text[i] != '\0'; i++) {
    const unsigned char byte = (unsigned char)text[i];
    at ^= byte;
    if (at >= charsmap->units) {
      return 0;
    }
    const uint32_t unit = charsmap->unit[at];
    if ((unit & (1u << 31 | 0xFFu)) != byte) {
      return 0;
    }
    at ^= offset_of(unit);
    if ((unit >> 8 & 1) != 0) {
      *value = at < charsmap->units ? charsmap->unit[at] & ~(1u << 31) : UINT32_MAX;
      return 1;
    }
  }
  return 0;
}

/* Appends what a text becomes; *found: it is rewritten. */
static int push_found(const struct ad_charsmap *charsmap, const char *text, size_t size, int *found,
                      struct ad_buffer *out) {
  uint32_t value;
  *found = find(charsmap, text, size, &value);
  if (!*found) {
    return AD_OK;
  }
  if (value > charsmap->size || ((unsigned char)charsmap->text[value] & 0xC0) == 0x80) {
    return ad_fail(AD_EINPUT, "the charsmap of the normalizer Precompiled is damaged: a value %u, expected at most %zu",
                   value, charsmap->size);
  }
  return ad_buffer_puts(out, charsmap->text + value);
}

static int push_cluster(const struct ad_charsmap *charsmap, const char *text, size_t size, int single,
                        struct ad_buffer *out) {
  int found = 0;
  if (size <= LONGEST_CLUSTER) {
    AD_TRY(push_found(charsmap, text, size, &found, out));
  }
  for (size_t i = 0; i < size && !found;) {
    uint32_t c;
    const size_t bytes = ad_utf8_read(text + i, size - i, &c);
    int part = 0;
    if (!single) {
      AD_TRY(push_found(charsmap, text + i, bytes, &part, out));
    }
    AD_TRY(part ? AD_OK : ad_buffer_append(out, text + i, bytes));
    i += bytes;
  }
  return AD_OK;
}

/* ---- Texts ---- */

/* ASCII characters are clusters of their own but for CR LF, and before what may extend them. */
size_t ad_charsmap_kept(const struct ad_charsmap *charsmap, const char *text, size_t size) {
  size_t i = 0;
  while (i < size && charsmap->plain[(unsigned char)text[i]]) {
    i++;
  }
  return i > 0 && i < size && (unsigned char)text[i] >= 0x80 ? i - 1 : i;
}

int ad_charsmap_apply(const struct ad_charsmap *charsmap, const char *text, size_t size, struct ad_buffer *out) {
  size_t at = 0;
  while (at < size) {
    const size_t kept = ad_charsmap_kept(charsmap, text + at, size - at);
    AD_TRY(ad_buffer_append(out, text + at, kept));
    at += kept;
    if (at < size) {
      int single;
      const size_t end = ad_cluster_end(text, size, at, &single);
      AD_TRY(push_cluster(charsmap, text + at, end - at, single, out));
      at = end;
    }
  }
  return AD_OK;
}

int ad_charsmap_create(struct ad_charsmap **out, const char *path, const json_t *base64) {
  const char *text = json_string_value(base64);
  char shown[80];
  *out = NULL;
  if (text == NULL) {
    return ad_fail(AD_EINPUT, "%s: normalizer Precompiled: \"precompiled_charsmap\" is %s, expected a text in base64",
                   path, ad_json_show(base64, shown, sizeof shown));
  }
  struct ad_charsmap *charsmap = ad_calloc(1, sizeof *charsmap);
  unsigned char *bytes = NULL;
  size_t size = 0;
  int status = charsmap == NULL ? ad_fail_memory(sizeof *charsmap, "a charsmap") : read_base64(text, &bytes, &size);
  status = status == AD_OK ? fill(charsmap, path, bytes, size) : status;
  ad_free(bytes);
  if (status != AD_OK) {
    ad_charsmap_destroy(charsmap);
    return status;
  }
  for (unsigned byte = 0; byte < 128; byte++) {
    uint32_t value;
    charsmap->plain[byte] = byte != '\r' && !find(charsmap, (const char[]){(char)byte}, 1, &value);
  }
  *out = charsmap;
  return AD_OK;
}

void ad_charsmap_destroy(struct ad_charsmap *charsmap) {
  if (charsmap != NULL) {
    ad_free(charsmap->unit);
    ad_free(charsmap->text);
    ad_free(charsmap);
  }
}
