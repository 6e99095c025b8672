#include "autodidact/base/looks.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "autodidact/base/file.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"

enum { FIRST = 4096 }; /* so many bytes are looked at */

/* A kind and what to do. */
struct kind {
  const char *what, *advice;
};

#define UNPACK "unpack it first"
#define CONVERT "write it as TSV, CSV or JSON lines first"

static const struct kind pointer = {
    "a Git LFS pointer, which stands for a file that is kept elsewhere",
    "`git lfs pull` in its repository brings the file, `launch/get-model NAME` a model"};
static const struct kind torch = {
    "a PyTorch checkpoint",
    "load its folder with transformers' from_pretrained and write it with save_pretrained, as safetensors"};

/* Kinds that begin with fixed bytes. */
static const struct magic {
  size_t at;
  const char *bytes;
  size_t size;
  struct kind kind;
} magics[] = {
#define BYTES(text) (text), sizeof(text) - 1
    {0, BYTES("\x1F\x8B"), {"a gzip archive", UNPACK " (gzip -d)"}},
    {0, BYTES("BZh"), {"a bzip2 archive", UNPACK " (bzip2 -d)"}},
    {0,
     BYTES("\xFD"
           "7zXZ\0"),
     {"an xz archive", UNPACK " (xz -d)"}},
    {0, BYTES("\x28\xB5\x2F\xFD"), {"a zstd archive", UNPACK " (zstd -d)"}},
    {0, BYTES("\x04\x22\x4D\x18"), {"an lz4 archive", UNPACK " (lz4 -d)"}},
    {0, BYTES("7z\xBC\xAF\x27\x1C"), {"a 7-Zip archive", UNPACK " (7z x)"}},
    {0, BYTES("Rar!\x1A\x07"), {"a RAR archive", UNPACK}},
    {257, BYTES("ustar"), {"a tar archive", UNPACK " (tar -x)"}},
    {0, BYTES("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), {"an old Excel or Word file", "save it as CSV (UTF-8) first"}},
    {0, BYTES("%PDF-"), {"a PDF", "a text is needed"}},
    {0, BYTES("\x93NUMPY"), {"a NumPy array", CONVERT}},
    {0, BYTES("PAR1"), {"a Parquet file", CONVERT}},
    {0, BYTES("ARROW1"), {"an Arrow file", CONVERT}},
    {0, BYTES("SQLite format 3"), {"an SQLite database", CONVERT}},
    {0, BYTES("\x89PNG"), {"a picture (PNG)", "a text is needed"}},
    {0, BYTES("\xFF\xD8\xFF"), {"a picture (JPEG)", "a text is needed"}},
    {0,
     BYTES("\x7F"
           "ELF"),
     {"a program", "another file is needed"}},
    {0, BYTES("GGUF"), {"a model of llama.cpp", "a model folder of Hugging Face with safetensors is needed"}},
    {0, BYTES("{\\rtf"), {"an RTF document", "save it as plain text (UTF-8) first"}},
#undef BYTES
};

static int contains(const char *data, size_t size, const char *word) {
  return memmem(data, size, word, strlen(word)) != NULL;
}

static int is_pointer(const char *data, size_t size) {
  static const char START[] = "version https://git-lfs.github.com/spec/";
  return size >= sizeof START - 1 && memcmp(data, START, sizeof START - 1) == 0;
}

/* A zip archive is many things; its first entries tell. */
static int find_zip(const char *data, size_t size, struct kind *kind) {
  if (size < 4 || memcmp(data, "PK\3\4", 4) != 0) {
    return 0;
  }
  const size_t seen = size < FIRST ? size : FIRST;
  if (contains(data, seen, "data.pkl")) {
    *kind = torch;
  } else if (contains(data, seen, "[Content_Types].xml") || contains(data, seen, "xl/")) {
    *kind = (struct kind){"an Excel or Word file (a zip archive)", "save it as CSV (UTF-8) first"};
  } else if (contains(data, seen, ".npy")) {
    *kind = (struct kind){"NumPy arrays (a zip archive)", CONVERT};
  } else {
    *kind = (struct kind){"a zip archive", UNPACK " (unzip)"};
  }
  return 1;
}

static int find_pickle(const char *data, size_t size, struct kind *kind) {
  if (size < 4 || (unsigned char)data[0] != 0x80 || data[1] < 2 || data[1] > 5) {
    return 0;
  }
  /* PyTorch's old form begins with the pickle of a long number. */
  const int old = (unsigned char)data[2] == 0x8A && data[3] == 0x0A;
  *kind = old ? torch : (struct kind){"a pickle of Python", CONVERT};
  return 1;
}

static int find_page(const char *data, size_t size, struct kind *kind) {
  static const char *const starts[] = {"<!doctype html", "<html", "<head", "<?xml"};
  size_t i = ad_utf8_mark(data, size);
  while (i < size && i < FIRST && strchr(" \t\r\n", data[i]) != NULL && data[i] != '\0') {
    i++;
  }
  for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
    const size_t length = strlen(starts[s]);
    if (size - i >= length && strncasecmp(data + i, starts[s], length) == 0) {
      *kind = (struct kind){s == 3 ? "an XML document" : "an HTML page",
                            "was it an error page that was downloaded in place of the file?"};
      return 1;
    }
  }
  return 0;
}

static int find_safetensors(const char *data, size_t size, struct kind *kind) {
  uint64_t length = 0;
  if (size < 10 || data[8] != '{') {
    return 0;
  }
  memcpy(&length, data, sizeof length);
  *kind = (struct kind){"a safetensors file", "another file is needed here"};
  return length <= 100000000;
}

/* ---- UTF-16 and UTF-32 ---- */

/* The share of NUL bytes at each offset modulo 4, in hundredths. Returns how many there are. */
static size_t count_nuls(const char *data, size_t size, unsigned share[4]) {
  size_t nuls[4] = {0}, seen = size < FIRST ? size / 4 * 4 : FIRST;
  for (size_t i = 0; i < seen; i++) {
    nuls[i % 4] += data[i] == '\0';
  }
  for (size_t k = 0; k < 4; k++) {
    share[k] = seen == 0 ? 0 : (unsigned)(400 * nuls[k] / seen);
  }
  return nuls[0] + nuls[1] + nuls[2] + nuls[3];
}

/* Without a mark: characters of UTF-32 have a NUL at one end; of UTF-16, those of ASCII, of which any text has some. */
static const char *wide_encoding(const char *data, size_t size) {
  unsigned n[4];
  if (size >= 4 && (memcmp(data, "\xFF\xFE\0\0", 4) == 0 || memcmp(data, "\0\0\xFE\xFF", 4) == 0)) {
    return "UTF-32";
  }
  if (size >= 2 && (memcmp(data, "\xFF\xFE", 2) == 0 || memcmp(data, "\xFE\xFF", 2) == 0)) {
    return "UTF-16";
  }
  if (count_nuls(data, size, n) < 3) {
    return NULL; /* a NUL or two that strayed into a text */
  }
  if (n[3] == 100 && n[2] > 80 && n[0] < 20) {
    return "UTF-32LE";
  }
  if (n[0] == 100 && n[1] > 80 && n[3] < 20) {
    return "UTF-32BE";
  }
  if (n[0] + n[2] == 0 && n[1] + n[3] > 8) {
    return "UTF-16LE";
  }
  return n[1] + n[3] == 0 && n[0] + n[2] > 8 ? "UTF-16BE" : NULL;
}

static int is_hole(const char *data, size_t size) {
  size_t i = 0;
  while (i < size && i < FIRST && data[i] == '\0') {
    i++;
  }
  return i >= 16 && (i == size || i == FIRST);
}

/* ---- Finding ---- */

static int fail_wide(int status, const char *path, const char *encoding) {
  return ad_fail(status, "%s: it looks like %s text: `iconv -f %s -t UTF-8` makes UTF-8 of it", path, encoding,
                 encoding);
}

static int find_magic(const char *data, size_t size, struct kind *kind) {
  for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
    const struct magic *m = &magics[i];
    if (size >= m->at + m->size && memcmp(data + m->at, m->bytes, m->size) == 0) {
      *kind = m->kind;
      return 1;
    }
  }
  return find_zip(data, size, kind) || find_pickle(data, size, kind) || find_page(data, size, kind);
}

static int find(enum ad_looks own, const char *data, size_t size, struct kind *kind) {
  if (is_pointer(data, size)) {
    *kind = pointer;
    return 1;
  }
  if (own != AD_LOOKS_HDF5 && size >= 8 && memcmp(data, "\x89HDF\r\n\x1A\n", 8) == 0) {
    *kind = (struct kind){"an HDF5 file", "another file is needed here"};
    return 1;
  }
  if (is_hole(data, size)) {
    *kind = (struct kind){"a file of NUL bytes", "was it cut off as it was copied or downloaded?"};
    return 1;
  }
  return find_magic(data, size, kind) || (own != AD_LOOKS_SAFETENSORS && find_safetensors(data, size, kind));
}

/* Whether the first bytes are a text, so that what they look like may be a coincidence. */
static int is_text(const char *data, size_t size) {
  const size_t seen = size < FIRST ? size : FIRST;
  return memchr(data, '\0', seen) == NULL && ad_utf8_valid(data, seen) + 3 >= seen;
}

int ad_looks_refuse(const char *path, const char *data, size_t size) {
  const char *encoding = size == 0 ? NULL : wide_encoding(data, size);
  if (is_pointer(data, size)) {
    return ad_fail(AD_EINPUT, "%s: it looks like %s: %s", path, pointer.what, pointer.advice);
  }
  return encoding == NULL ? AD_OK : fail_wide(AD_EINPUT, path, encoding);
}

int ad_looks_explain(int status, enum ad_looks own, const char *path, const char *data, size_t size) {
  struct kind kind;
  if (status != AD_EINPUT && status != AD_ECONFIG) {
    return status;
  }
  if (size == 0) {
    return strstr(ad_error_message(), "empty") != NULL ? status
                                                       : ad_fail(status, "%s (the file is empty)", ad_error_message());
  }
  if (find(own, data, size, &kind)) {
    return is_text(data, size) && !is_pointer(data, size)
               ? ad_fail(status, "%s (the file looks like %s: %s)", ad_error_message(), kind.what, kind.advice)
               : ad_fail(status, "%s: it looks like %s: %s", path, kind.what, kind.advice);
  }
  const char *encoding = own == AD_LOOKS_TEXT ? wide_encoding(data, size) : NULL;
  return encoding == NULL ? status : fail_wide(status, path, encoding);
}

int ad_looks_explain_file(int status, enum ad_looks own, const char *path) {
  char data[FIRST];
  FILE *file = status != AD_OK && ad_is_file(path) ? fopen(path, "rbe") : NULL;
  if (file == NULL) {
    return status;
  }
  const size_t size = fread(data, 1, sizeof data, file);
  const int known = size > 0 || feof(file);
  ad_ignore(fclose(file));
  return known ? ad_looks_explain(status, own, path, data, size) : status;
}
