/* Ids against those of Hugging Face's library tokenizers, as tests/parity/tokenizer.py recorded them: every code point,
 * hard texts, every limit; and, where AD_SHARED has them, BERT's and KoELECTRA's vocabularies and every line of SST-2,
 * AG News, SNLI and of Korean data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hdf5.h>
#include <jansson.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/text/tokenizer.h"

#define BLOCK 64 /* code points a text, as in tokenizer.py */

static hid_t fixture;

/* A dataset of the fixture as 32-bit numbers; *count elements, the caller frees them. */
static uint32_t *read_numbers(const char *name, size_t *count) {
  const hid_t dataset = H5Dopen2(fixture, name, H5P_DEFAULT);
  assert_true(dataset >= 0);
  const hid_t space = H5Dget_space(dataset);
  *count = (size_t)H5Sget_simple_extent_npoints(space);
  uint32_t *values = ad_malloc(*count, sizeof *values);
  assert_non_null(values);
  assert_true(H5Dread(dataset, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Sclose(space);
  H5Dclose(dataset);
  return values;
}

static uint32_t *read_part(const char *group, const char *part, size_t *count) {
  char name[256];
  snprintf(name, sizeof name, "%s%s%s", group, group[0] == '\0' ? "" : "/", part);
  return read_numbers(name, count);
}

/* Strings one after another. */
struct strings {
  char *bytes;
  uint32_t *size; /* [count] */
  size_t *start;  /* [count] */
  size_t count;
};

static struct strings read_strings(const char *name) {
  struct strings strings;
  char part[100];
  size_t bytes;
  snprintf(part, sizeof part, "%s_size", name);
  strings.size = read_numbers(part, &strings.count);
  snprintf(part, sizeof part, "%s_bytes", name);
  uint32_t *wide = read_numbers(part, &bytes);
  strings.bytes = ad_malloc(bytes, 1);
  strings.start = ad_malloc(strings.count, sizeof *strings.start);
  assert_true(strings.bytes != NULL && strings.start != NULL);
  for (size_t i = 0; i < bytes; i++) {
    strings.bytes[i] = (char)wide[i];
  }
  size_t start = 0;
  for (size_t i = 0; i < strings.count; i++) {
    strings.start[i] = start;
    start += strings.size[i];
  }
  assert_int_equal(start, bytes);
  ad_free(wide);
  return strings;
}

static void free_strings(struct strings *strings) {
  ad_free(strings->bytes);
  ad_free(strings->size);
  ad_free(strings->start);
}

/* Expected sequences of ids, one after another. */
struct expected {
  uint32_t *count; /* [sequences] */
  uint32_t *ids;
  size_t sequences;
  size_t total;
  size_t next; /* sequence to be compared next */
  size_t used; /* ids compared so far */
};

static struct expected read_expected(const char *group, const char *name) {
  struct expected expected = {0};
  char part[100];
  snprintf(part, sizeof part, "%s_count", name);
  expected.count = read_part(group, part, &expected.sequences);
  snprintf(part, sizeof part, "%s_ids", name);
  expected.ids = read_part(group, part, &expected.total);
  return expected;
}

static void free_expected(struct expected *expected) {
  ad_free(expected->count);
  ad_free(expected->ids);
}

/* Compares an encoding with the next expected sequence. */
static void compare(struct expected *expected, const struct ad_encoding *encoding, const char *what) {
  assert_true(expected->next < expected->sequences);
  const size_t count = expected->count[expected->next];
  const uint32_t *ids = expected->ids + expected->used;
  assert_true(expected->used + count <= expected->total);
  for (size_t i = 0; i < count && i < encoding->count; i++) {
    if (ids[i] != encoding->ids[i]) {
      fail_msg("%s, text %zu: token %zu is %u, expected %u", what, expected->next, i, encoding->ids[i], ids[i]);
    }
  }
  if (count != encoding->count) {
    fail_msg("%s, text %zu: %zu tokens, expected %zu", what, expected->next, encoding->count, count);
  }
  expected->next++;
  expected->used += count;
}

static void put_code(struct ad_buffer *text, uint32_t c) {
  char bytes[4];
  size_t size = 0;
  if (c < 0x80) {
    bytes[size++] = (char)c;
  } else {
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    bytes[size++] = (char)((0xF00 >> (more + 1) & 0xFF) | c >> (6 * more));
    for (int shift = 6 * (more - 1); shift >= 0; shift -= 6) {
      bytes[size++] = (char)(0x80 | (c >> shift & 0x3F));
    }
  }
  assert_int_equal(ad_buffer_append(text, bytes, size), AD_OK);
}

/* printf-like: each %c of the pattern is the code point. */
static void put_pattern(struct ad_buffer *text, const char *pattern, uint32_t c) {
  for (; *pattern != '\0'; pattern++) {
    if (*pattern == '%') {
      put_code(text, c);
    } else {
      assert_int_equal(ad_buffer_append(text, pattern, 1), AD_OK);
    }
  }
}

/* The small vocabulary: some tokens, then each code point of the ranges, by itself and as a continuation. */
static struct ad_tokenizer *own_tokenizer(struct ad_tokenizer_options options) {
  struct strings head = read_strings("head");
  size_t count;
  uint32_t *ranges = read_numbers("ranges", &count);
  struct ad_buffer text = {0};
  for (size_t i = 0; i < head.count; i++) {
    assert_int_equal(ad_buffer_append(&text, head.bytes + head.start[i], head.size[i]), AD_OK);
    assert_int_equal(ad_buffer_puts(&text, "\n"), AD_OK);
  }
  for (size_t i = 0; i < count; i += 2) {
    for (uint32_t c = ranges[i]; c < ranges[i + 1]; c++) {
      put_pattern(&text, "%\n##%\n", c);
    }
  }
  struct ad_tokenizer *tokenizer;
  if (ad_tokenizer_create_with(&tokenizer, "own", text.data, text.size, &options) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  ad_buffer_destroy(&text);
  ad_free(ranges);
  free_strings(&head);
  return tokenizer;
}

/* Texts that hold every code point, as point_texts in tokenizer.py makes them. */
static void check_points(struct ad_tokenizer *tokenizer, const char *group) {
  size_t count;
  uint32_t *ranges = read_numbers("ranges", &count);
  struct expected expected = read_expected(group, "points");
  struct ad_encoding encoding = {0};
  struct ad_buffer text = {0};
  size_t range = 0;
  size_t points = 0;
  for (uint32_t c = 0; c < 0x110000; c++) {
    if (c >= 0xD800 && c < 0xE000) {
      continue;
    }
    while (range < count && ranges[range + 1] <= c) {
      range += 2;
    }
    put_pattern(&text, "a%b % ", c);
    if (c < 0x2100 || (range < count && ranges[range] <= c)) {
      put_pattern(&text, "A%\xCC\x81 %\xCE\xA3 A\xCE\xA3%A ", c);
    }
    if (++points % BLOCK == 0) {
      assert_int_equal(ad_tokenizer_encode(tokenizer, text.data, text.size, NULL, 0, 0, AD_TRUNCATE_HEAD, &encoding),
                       AD_OK);
      compare(&expected, &encoding, group);
      ad_buffer_clear(&text);
    }
  }
  assert_int_equal(expected.next, expected.sequences);
  ad_buffer_destroy(&text);
  ad_encoding_destroy(&encoding);
  free_expected(&expected);
  ad_free(ranges);
}

static void check_texts(struct ad_tokenizer *tokenizer, const char *group) {
  struct strings texts = read_strings("texts");
  struct expected expected = read_expected(group, "texts");
  struct ad_encoding encoding = {0};
  for (size_t i = 0; i < texts.count; i++) {
    assert_int_equal(ad_tokenizer_encode(tokenizer, texts.bytes + texts.start[i], texts.size[i], NULL, 0, 0,
                                         AD_TRUNCATE_HEAD, &encoding),
                     AD_OK);
    compare(&expected, &encoding, group);
    assert_int_equal(encoding.first, encoding.count);
    assert_false(encoding.truncated);
  }
  assert_int_equal(expected.next, expected.sequences);
  ad_encoding_destroy(&encoding);
  free_expected(&expected);
  free_strings(&texts);
}

/* As OWN_OPTIONS in tokenizer.py. */
static const struct ad_tokenizer_options uncased = {.lower_case = 1, .strip_accents = -1, .split_cjk = 1};
static const struct ad_tokenizer_options cased = {.lower_case = 0, .strip_accents = -1, .split_cjk = 1};
static const struct ad_tokenizer_options accents = {.lower_case = 1, .strip_accents = 0, .split_cjk = 0};
static const struct ad_tokenizer_options stripped = {.lower_case = 0, .strip_accents = 1, .split_cjk = 1};

static void check_own(struct ad_tokenizer_options options, const char *group) {
  struct ad_tokenizer *tokenizer = own_tokenizer(options);
  check_texts(tokenizer, group);
  check_points(tokenizer, group);
  ad_tokenizer_destroy(tokenizer);
}

static void test_own_uncased(void **state) {
  (void)state;
  check_own(uncased, "own-uncased");
}

static void test_own_cased(void **state) {
  (void)state;
  check_own(cased, "own-cased");
}

static void test_own_accents(void **state) {
  (void)state;
  check_own(accents, "own-accents");
}

static void test_own_stripped(void **state) {
  (void)state;
  check_own(stripped, "own-stripped");
}

static void test_cut_single(void **state) {
  (void)state;
  struct ad_tokenizer *tokenizer = own_tokenizer(uncased);
  struct strings texts = read_strings("cut_single");
  struct expected expected = read_expected("", "cut_single");
  struct ad_encoding whole = {0};
  struct ad_encoding encoding = {0};
  size_t count;
  uint32_t *rows = read_numbers("cut_single_case", &count); /* text, limit, 1: head and tail */
  assert_int_equal(count, 3 * expected.sequences);
  for (const uint32_t *row = rows; row < rows + count; row += 3) {
    const char *text = texts.bytes + texts.start[row[0]];
    const size_t size = texts.size[row[0]];
    const enum ad_truncation how = row[2] ? AD_TRUNCATE_HEAD_TAIL : AD_TRUNCATE_HEAD;
    assert_int_equal(ad_tokenizer_encode(tokenizer, text, size, NULL, 0, 0, how, &whole), AD_OK);
    assert_int_equal(ad_tokenizer_encode(tokenizer, text, size, NULL, 0, row[1], how, &encoding), AD_OK);
    compare(&expected, &encoding, "cut_single");
    assert_int_equal(encoding.first, encoding.count);
    assert_int_equal(encoding.truncated, whole.count > row[1]);
  }
  ad_free(rows);
  ad_encoding_destroy(&whole);
  ad_encoding_destroy(&encoding);
  free_expected(&expected);
  free_strings(&texts);
  ad_tokenizer_destroy(tokenizer);
}

static void test_cut_pair(void **state) {
  (void)state;
  struct ad_tokenizer *tokenizer = own_tokenizer(uncased);
  struct strings texts = read_strings("cut_pair");
  struct expected expected = read_expected("", "cut_pair");
  struct ad_encoding encoding = {0};
  size_t count;
  uint32_t *rows = read_numbers("cut_pair_case", &count); /* pair, limit, tokens of the first segment */
  assert_int_equal(count, 3 * expected.sequences);
  size_t whole = 0;
  for (const uint32_t *row = rows; row < rows + count; row += 3) {
    const size_t a = 2 * row[0];
    assert_int_equal(
        ad_tokenizer_encode(tokenizer, texts.bytes + texts.start[a], texts.size[a], texts.bytes + texts.start[a + 1],
                            texts.size[a + 1], row[1], AD_TRUNCATE_HEAD, &encoding),
        AD_OK);
    compare(&expected, &encoding, "cut_pair");
    assert_int_equal(encoding.first, row[2]);
    whole = row[1] == 0 ? encoding.count : whole; /* the uncut one comes first */
    assert_int_equal(encoding.truncated, row[1] != 0 && whole > row[1]);
  }
  ad_free(rows);
  ad_encoding_destroy(&encoding);
  free_expected(&expected);
  free_strings(&texts);
  ad_tokenizer_destroy(tokenizer);
}

static char *shared_path(const char *place) {
  const char *shared = getenv("AD_SHARED");
  return shared == NULL ? NULL : ad_path_join(shared, place);
}

static int is_shared(const char *place) {
  char *path = shared_path(place);
  const int found = path != NULL && ad_is_file(path);
  ad_free(path);
  return found;
}

static struct ad_tokenizer *shared_tokenizer(const char *place, int keep_case) {
  char *path = shared_path(place);
  struct ad_buffer text = {0};
  assert_int_equal(ad_file_read(path, &text), AD_OK);
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_tokenizer_create(&tokenizer, path, text.data, text.size, keep_case), AD_OK);
  ad_buffer_destroy(&text);
  ad_free(path);
  return tokenizer;
}

/* The texts of one line. `b` stays NULL for a single text. */
struct example {
  struct ad_buffer a;
  struct ad_buffer b;
  int pair;
};

/* Korean data: all columns as one text. */
static void parse_whole(const char *line, size_t size, struct example *example) {
  assert_int_equal(ad_buffer_append(&example->a, line, size), AD_OK);
}

static void parse_tsv(const char *line, size_t size, struct example *example) {
  const char *tab = memchr(line, '\t', size);
  assert_int_equal(ad_buffer_append(&example->a, line, tab == NULL ? size : (size_t)(tab - line)), AD_OK);
}

/* "label","title","text" with doubled quotes inside: title and text with a space between them. */
static void parse_csv(const char *line, size_t size, struct example *example) {
  int quoted = 0;
  int column = 0;
  for (size_t i = 0; i < size; i++) {
    if (line[i] == '"' && quoted && i + 1 < size && line[i + 1] == '"') {
      i++;
    } else if (line[i] == '"') {
      quoted = !quoted;
      continue;
    } else if (line[i] == ',' && !quoted) {
      if (++column > 1) {
        assert_int_equal(ad_buffer_puts(&example->a, " "), AD_OK);
      }
      continue;
    }
    if (column > 0) {
      assert_int_equal(ad_buffer_append(&example->a, line + i, 1), AD_OK);
    }
  }
}

static void parse_jsonl(const char *line, size_t size, struct example *example) {
  json_t *row = json_loadb(line, size, 0, NULL);
  assert_non_null(row);
  assert_int_equal(ad_buffer_puts(&example->a, json_string_value(json_object_get(row, "sentence1"))), AD_OK);
  assert_int_equal(ad_buffer_puts(&example->b, json_string_value(json_object_get(row, "sentence2"))), AD_OK);
  example->pair = 1;
  json_decref(row);
}

/* The digest over all lines of a file of (number of ids, ids), 32-bit each. */
static void digest_file(struct ad_tokenizer *tokenizer, const char *place, uint64_t *lines, uint64_t *digest) {
  char *path = shared_path(place);
  struct ad_file_map map;
  assert_int_equal(ad_file_map(path, &map), AD_OK);
  struct ad_encoding encoding = {0};
  struct ad_buffer numbers = {0};
  struct example example = {0};
  const char *suffix = strrchr(place, '.');
  *lines = 0;
  for (size_t i = 0; i < map.size; ++*lines) {
    const char *end = memchr(map.data + i, '\n', map.size - i);
    const size_t size = (end == NULL ? map.size : (size_t)(end - map.data)) - i;
    ad_buffer_clear(&example.a);
    ad_buffer_clear(&example.b);
    assert_int_equal(ad_buffer_puts(&example.a, ""), AD_OK);
    (strncmp(place, "kor/", 4) == 0 ? parse_whole
     : strcmp(suffix, ".tsv") == 0  ? parse_tsv
     : strcmp(suffix, ".csv") == 0  ? parse_csv
                                    : parse_jsonl)(map.data + i, size, &example);
    assert_int_equal(
        ad_tokenizer_encode(tokenizer, example.a.data, example.a.size, example.pair ? example.b.data : NULL,
                            example.b.size, 0, AD_TRUNCATE_HEAD, &encoding),
        AD_OK);
    const uint32_t count = (uint32_t)encoding.count;
    assert_int_equal(ad_buffer_append(&numbers, &count, sizeof count), AD_OK);
    assert_int_equal(ad_buffer_append(&numbers, encoding.ids, count * sizeof *encoding.ids), AD_OK);
    i += size + 1;
  }
  *digest = ad_digest(numbers.data, numbers.size);
  ad_buffer_destroy(&example.a);
  ad_buffer_destroy(&example.b);
  ad_buffer_destroy(&numbers);
  ad_encoding_destroy(&encoding);
  ad_file_unmap(&map);
  ad_free(path);
}

static const char bert[] = "vocab/bert-base-uncased-vocab.txt", koelectra[] = "kor/koelectra-vocab.txt";
static const char *const places[] = {"sst2/train.tsv",
                                     "sst2/dev.tsv",
                                     "sst2/test.tsv",
                                     "agnews/train_10k.tsv",
                                     "agnews/test.csv",
                                     "snli/snli_1.0_dev.jsonl",
                                     "snli/snli_1.0_test.jsonl",
                                     "kor/question-pair-train.tsv",
                                     "kor/question-pair-dev.tsv",
                                     "kor/sts-train.tsv",
                                     "kor/sts-dev.tsv",
                                     "kor/sts-test.tsv",
                                     "kor/xnli.dev.ko.tsv"};
#define PLACES (sizeof places / sizeof *places)

static void check_shared(const char *vocabulary, int keep_case, const char *group) {
  struct ad_tokenizer *tokenizer = shared_tokenizer(vocabulary, keep_case);
  check_texts(tokenizer, group);
  check_points(tokenizer, group);
  for (size_t i = 0; i < PLACES; i++) {
    uint64_t expected[2]; /* lines, digest */
    uint64_t lines = 0;
    uint64_t digest = 0;
    const hid_t attribute = H5Aopen_by_name(fixture, group, places[i], H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0);
    assert_true(H5Aread(attribute, H5T_NATIVE_UINT64, expected) >= 0);
    H5Aclose(attribute);
    digest_file(tokenizer, places[i], &lines, &digest);
    if (lines != expected[0] || digest != expected[1]) {
      fail_msg("%s %s: %llu lines with digest %016llx, expected %llu and %016llx", group, places[i],
               (unsigned long long)lines, (unsigned long long)digest, (unsigned long long)expected[0],
               (unsigned long long)expected[1]);
    }
  }
  ad_tokenizer_destroy(tokenizer);
}

static void test_bert_uncased(void **state) {
  (void)state;
  check_shared(bert, 0, "bert-uncased");
}

static void test_bert_cased(void **state) {
  (void)state;
  check_shared(bert, 1, "bert-cased");
}

static void test_koelectra_uncased(void **state) {
  (void)state;
  check_shared(koelectra, 0, "koelectra-uncased");
}

static void test_koelectra_cased(void **state) {
  (void)state;
  check_shared(koelectra, 1, "koelectra-cased");
}

static int open_fixture(void **state) {
  (void)state;
  const char *source = getenv("AD_SOURCE");
  char *path = ad_path_join(source == NULL ? "" : source, "tests/parity/data/tokenizer.h5");
  fixture = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  ad_free(path);
  return fixture >= 0 ? 0 : -1;
}

static int close_fixture(void **state) {
  (void)state;
  return H5Fclose(fixture) >= 0 ? 0 : -1;
}

int main(void) {
  const struct CMUnitTest own[] = {
      cmocka_unit_test(test_own_uncased),  cmocka_unit_test(test_own_cased),  cmocka_unit_test(test_own_accents),
      cmocka_unit_test(test_own_stripped), cmocka_unit_test(test_cut_single), cmocka_unit_test(test_cut_pair),
  };
  const struct CMUnitTest shared[] = {
      cmocka_unit_test(test_bert_uncased),
      cmocka_unit_test(test_bert_cased),
      cmocka_unit_test(test_koelectra_uncased),
      cmocka_unit_test(test_koelectra_cased),
  };
  const int failed = cmocka_run_group_tests_name("small vocabulary", own, open_fixture, close_fixture);
  if (failed != 0) {
    return failed;
  }
  int present = is_shared(bert) && is_shared(koelectra);
  for (size_t i = 0; i < PLACES; i++) {
    present &= is_shared(places[i]);
  }
  if (!present) {
    printf(
        "skipped: real vocabularies and the data sets, which are not in the folder AD_SHARED names; the rest passed\n");
    return 77;
  }
  return cmocka_run_group_tests_name("real vocabularies", shared, open_fixture, close_fixture);
}
