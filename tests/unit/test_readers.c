/* Readers, format by format: good files, and bad ones with the place that the message must name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "data/reader.h"

/* A file's content; a string literal may hold NUL bytes. */
#define CONTENT(text) (text), sizeof(text) - 1

static const char FILE_NAME[] = "test_readers.data";

#define ABOUT "title: T\nsource: S\nlicence: L\nclasses: [no, yes]\nsplits: {train: {file: x}}\n"
#define TSV_NAMES ABOUT "format: tsv\nheader: true\ncolumns: {text: sentence, label: label}\n"
#define TSV_PAIRS ABOUT "format: tsv\nheader: true\ncolumns: {text: [b, a], pair: c, label: l}\n"
#define TSV_NUMBERS ABOUT "format: tsv\nheader: false\nfields: 4\ncolumns: {text: 4, label: 2}\n"
#define TSV_FIRST_ROW ABOUT "format: tsv\nheader: false\ncolumns: {text: 1, label: 2}\n"
#define TSV_SKIPPING ABOUT "format: tsv\nheader: true\nincomplete: skip\ncolumns: {text: a, label: b}\n"
#define TSV_ALONE ABOUT "format: tsv\nheader: false\ncolumns: {text: 1}\n"
#define CSV_SKIPPING ABOUT "format: csv\nheader: false\nincomplete: skip\nfields: 2\ncolumns: {text: 2, label: 1}\n"
#define JSONL_SKIPPING ABOUT "format: jsonl\nincomplete: skip\ncolumns: {text: s1, pair: s2, label: gold}\n"
#define CSV_NEWS ABOUT "format: csv\nheader: false\nfields: 3\ncolumns: {text: [2, 3], label: 1}\n"
#define CSV_NAMES ABOUT "format: csv\nheader: true\ncolumns: {text: t, label: l}\n"
#define JSONL_PAIRS ABOUT "format: jsonl\ncolumns: {text: s1, pair: s2, label: gold}\n"
#define JSONL_JOINED ABOUT "format: jsonl\ncolumns: {text: [a, b], pair: [b, a, a]}\n"
#define JSON_ROW "{\"s1\": \"a\", \"s2\": \"b\", \"gold\": \"1\"}"
#define WORDNET ABOUT "format: wordnet\n"
#define LINES ABOUT "format: lines\n"
#define FOLDER ABOUT "format: folder\nlabels: {neg: no, pos: yes}\n"

static struct ad_descriptor load(const char *yaml) {
  struct ad_descriptor d;
  if (ad_descriptor_parse(&d, "test.yaml", yaml, strlen(yaml)) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  return d;
}

/* All rows as "text|pair|label" lines. */
static int read_all(const char *yaml, const char *path, int labels, struct ad_buffer *out) {
  struct ad_descriptor d = load(yaml);
  struct ad_reader reader;
  int status = ad_reader_open(&reader, &d.source[AD_SPLIT_TRAIN], path, labels);
  if (status == AD_OK) {
    struct ad_record r;
    size_t incomplete = 0;
    while ((status = ad_reader_next(&reader, &r)) == 1) {
      if (r.incomplete) {
        incomplete++;
        continue;
      }
      assert_int_equal(ad_buffer_append(out, r.text.data, r.text.size), AD_OK);
      assert_int_equal(ad_buffer_printf(out, "|%.*s|", (int)r.pair.size, r.pair.data == NULL ? "" : r.pair.data),
                       AD_OK);
      for (size_t i = 0; i < r.label_count; i++) {
        assert_int_equal(ad_buffer_printf(out, "%s%.*s", i == 0 ? "" : "+", (int)r.label[i].size, r.label[i].data),
                         AD_OK);
      }
      assert_int_equal(ad_buffer_puts(out, "\n"), AD_OK);
    }
    if (incomplete > 0) {
      assert_int_equal(ad_buffer_printf(out, "%zu incomplete\n", incomplete), AD_OK);
    }
    ad_reader_close(&reader);
  }
  ad_descriptor_destroy(&d);
  return status;
}

static const struct {
  const char *yaml, *content;
  size_t size;
  const char *expected;
} good[] = {
    {TSV_NAMES, CONTENT("sentence\tlabel\na b \t1\n\"q\tno\n"), "a b ||1\n\"q||no\n"},
    {TSV_NAMES, CONTENT("label\tother\tsentence\n1\tx\ta"), "a||1\n"},
    {TSV_NAMES, CONTENT("sentence\tlabel\r\na\t1\r\nb\t0\r\n"), "a||1\nb||0\n"},
    {TSV_NAMES, CONTENT("sentence\tlabel\r\na\t1\r"), "a||1\r\n"},
    {TSV_NAMES, CONTENT("\xEF\xBB\xBFsentence\tlabel\n\xC3\xA4\t1\n"), "\xC3\xA4||1\n"},
    {TSV_NAMES, CONTENT("sentence\tlabel\n"), ""},
    {TSV_NAMES, CONTENT("sentence\tlabel\n\t1\n"), "||1\n"},
    {TSV_NAMES, CONTENT("sentence\tlabel\na\rb\t1\n"), "a\rb||1\n"},
    {TSV_PAIRS, CONTENT("a\tb\tc\tl\n1\t2\t3\t4\n\t\t\t\n"), "2 1|3|4\n ||\n"},
    {TSV_NUMBERS, CONTENT("s\t1\t*\ttext\n"), "text||1\n"},
    {TSV_FIRST_ROW, CONTENT("text\t1\tx\nmore\t0\ty\n"), "text||1\nmore||0\n"},
    {TSV_SKIPPING, CONTENT("a\tb\tc\n1\t2\n1\t2\t3\n\n4\t5\t6\n\n"), "1||2\n4||5\n2 incomplete\n"},
    {CSV_NEWS, CONTENT("\"1\",\"a, \"\"b\"\"\",\"c\nd\"\n2,e f,g"), "a, \"b\" c\nd||1\ne f g||2\n"},
    {CSV_NEWS, CONTENT("1,a,b\r\n\"2\",\"c\",\"d\"\r\n"), "a b||1\nc d||2\n"},
    {CSV_NEWS, CONTENT("1,\"\",\" b \"\n1, a ,\n"), "  b ||1\n a  ||1\n"},
    {CSV_NEWS, CONTENT("1,\"a\r\nb\",c\n1,\"\r\",\"c\r\"\r\n"), "a\r\nb c||1\n\r c\r||1\n"},
    {CSV_NEWS,
     CONTENT("\xEF\xBB\xBF"
             "1,a,b"),
     "a b||1\n"},
    {CSV_NAMES, CONTENT("\"l\",\"t\"\n1,x\n"), "x||1\n"},
    {JSONL_PAIRS,
     CONTENT("{\"s1\": \"a\\u00e4\\n\", \"s2\": \"b\", \"gold\": \"-\", \"n\": [1]}\n{\"gold\": 3, \"s2\": \"\", "
             "\"s1\": \"d\"}"),
     "a\xC3\xA4\n|b|-\nd||3\n"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": \"x\"}\r\n"), "a|b|x\n"},
    /* What no key reads may be any JSON; labels are whole numbers of any size, also as pandas writes them. */
    {JSONL_PAIRS,
     CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": 1.0, \"uid\": 14695981039346656037}\n"
             "{\"x\": [-1e400, \"\\u0000\"], \"s1\": \"c\", \"s2\": \"d\", \"gold\": -0.0, \"\\ud800\": 1}\n"
             "{\"s1\": \"e\", \"s2\": \"f\", \"gold\": 18446744073709551616}\n"),
     "a|b|1\nc|d|0\ne|f|18446744073709551616\n"},
    /* Other numbers in the shortest text that gives them back; an array is several fields. */
    {JSONL_PAIRS,
     CONTENT(
         "{\"s1\": \"a\", \"s2\": \"\", \"gold\": 0.1}\n{\"s1\": \"b\", \"s2\": \"\", \"gold\": [true, \"x\", -2.50]}\n"
         "{\"s1\": \"c\", \"s2\": \"\", \"gold\": []}\n{\"s1\": \"d\", \"s2\": \"\", \"gold\": 0.30000000000000004}\n"),
     "a||0.1\nb||true+x+-2.5\nc||\nd||0.30000000000000004\n"},
    {JSONL_SKIPPING,
     CONTENT(
         "{\"s1\": \"a\", \"s2\": \"b\"}\n{\"s1\": \"a\"}\n{\"s1\": \"a\", \"s2\": null}\n{\"s1\": 5, \"s2\": \"b\"}\n"
         "{\"s2\": \"\", \"s1\": \"d\", \"gold\": \"1\"}\n"),
     "a|b|\nd||1\n3 incomplete\n"},
    {CSV_SKIPPING, CONTENT("1,a\n\n2\r\n\r\n3,b\r\n"), "a||1\nb||3\n3 incomplete\n"},
    /* Empty lines at the end are no rows, but where a row is one column. */
    {TSV_NAMES, CONTENT("sentence\tlabel\na\t1\n\n\n"), "a||1\n"},
    {TSV_NAMES, CONTENT("sentence\tlabel\r\na\t1\r\n\r\n\n"), "a||1\n"},
    {TSV_ALONE, CONTENT("a\n\nb\n\n"), "a||\n||\nb||\n||\n"},
    {CSV_NEWS, CONTENT("1,a,b\n\n"), "a b||1\n"},
    {CSV_NEWS, CONTENT("1,a,b\r\n2,c,d\r\n\r\n\n\r\n"), "a b||1\nc d||2\n"},
    {CSV_NAMES, CONTENT("l,t\n\n\n"), ""},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": \"x\"}\n\n\r\n"), "a|b|x\n"},
    /* One array of objects. */
    {JSONL_PAIRS,
     CONTENT("\xEF\xBB\xBF \n[\n    {\n        \"s1\": \"a ] } \\\" \\\\\",\n        \"n\": {\"x\": [{}, \"}\"]},\n"
             "        \"s2\": \"b\",\n        \"gold\": 1\n    },\n{\"s1\":\"c\",\"s2\":\"d\",\"gold\":\"-\"}\n , "
             "{\"s1\":\"\","
             "\"s2\":\"e\",\"gold\":0} ]\r\n\n"),
     "a ] } \" \\|b|1\nc|d|-\n|e|0\n"},
    {JSONL_PAIRS, CONTENT("[]"), ""},
    {JSONL_SKIPPING, CONTENT("[{\"s1\": \"a\"}, {\"s1\": \"a\", \"s2\": \"b\", \"gold\": \"x\"}]"),
     "a|b|x\n1 incomplete\n"},
    {WORDNET, CONTENT("00001740 03 n 01 entity 0 000 | a thing\n\n"), "a thing||03\n"},
    {LINES,
     CONTENT("\xEF\xBB\xBF"
             "a, b\tc\r\n\n\r\n  d\n \nlast"),
     "a, b\tc||\n  d||\n ||\nlast||\n"},
    {LINES, CONTENT("\n\n"), ""},
    {JSONL_JOINED, CONTENT("{\"a\": \"1\", \"b\": \"2\"}\n{\"a\": \"\", \"b\": \"3\"}\n"), "1 2|2 1 1|\n 3|3  |\n"},
    {WORDNET,
     CONTENT("  1 This is a licence\n  2 \n00001740 03 n 01 entity 0 000 | that which is; \"an x\"; \"y\"  \n"
             "00001930 28 n 02 a 0 b 0 001 @ 00001740 n 0000 | a thing; or two  \n"),
     "that which is||03\na thing; or two||28\n"},
};

static void test_good(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    const size_t live = ad_memory_stats().live_blocks;
    struct ad_buffer out = {0};
    assert_int_equal(ad_buffer_puts(&out, ""), AD_OK);
    assert_int_equal(ad_file_write(FILE_NAME, good[i].content, good[i].size), AD_OK);
    if (read_all(good[i].yaml, FILE_NAME, 0, &out) != AD_OK || strcmp(out.data, good[i].expected) != 0) {
      fail_msg("case %zu: \"%s\", expected \"%s\" (%s)", i, out.data, good[i].expected, ad_error_message());
    }
    ad_buffer_destroy(&out);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
}

static const struct {
  const char *yaml, *content;
  size_t size;
  const char *place, *what;
} bad_files[] = {
    {TSV_NAMES, CONTENT(""), "", "empty, expected a header"},
    {TSV_NAMES, CONTENT("\xEF\xBB\xBF"), "", "empty, expected a header"},
    {TSV_NAMES, CONTENT("text\tlabel\n"), "1:", "no column \"sentence\"; the header has: text, label"},
    {TSV_NAMES, CONTENT("sentence\tgold\n"), "1:", "no column \"label\""},
    {TSV_NAMES, CONTENT("sentence\tlabel\tlabel\n"), "1:", "has the column \"label\" 2 times"},
    {TSV_NAMES, CONTENT("sentence\tlabel\na\t1\nb\n"), "3:", "found 1 column, expected 2"},
    {TSV_NAMES, CONTENT("sentence\tlabel\na\t1\n\nb\t1"), "3:", "found 1 column, expected 2"},
    {TSV_NAMES, CONTENT("sentence\tlabel\na\t1\t2\n"), "2:", "found 3 columns, expected 2"},
    {TSV_NAMES,
     CONTENT("sentence\tlabel\na\t1\nb\xFF"
             "c\t1\n"),
     "3:", "invalid UTF-8 0xFF at byte 2 of the line"},
    {TSV_NAMES, CONTENT("sentence\tlabel\na\t1\nb\xC3\t1\n"), "3:", "invalid UTF-8 0xC3 at byte 2"},
    {TSV_NAMES, CONTENT("sentence\tlabel\n\xED\xA0\x80\t1\n"), "2:", "invalid UTF-8 0xED 0xA0 0x80 at byte 1"},
    {TSV_NAMES, CONTENT("sentence\tlabel\n\xC0\xAF\t1\n"), "2:", "invalid UTF-8 0xC0 0xAF at byte 1"},
    {TSV_NAMES, CONTENT("sentence\tlabel\n\xF4\x90\x80\x80\t1\n"), "2:", "invalid UTF-8 0xF4 0x90 0x80 0x80 at byte 1"},
    {TSV_NAMES, CONTENT("sentence\tlabel\na\t1\xE2\x82"), "2:", "invalid UTF-8 0xE2 0x82 at byte 4"},
    {TSV_NAMES, CONTENT("sentence\tlabel\nab\0c\t1\n"), "2:", "a NUL byte 0x00 at byte 3"},
    {TSV_NUMBERS, CONTENT("s\t1\t*\n"), "1:", "found 3 columns, expected 4"},
    {TSV_FIRST_ROW, CONTENT("text\n"), "1:", "found 1 column, expected at least 2"},
    {TSV_FIRST_ROW, CONTENT("text\t1\nmore\t1\t2\n"), "2:", "found 3 columns, expected 2"},
    {TSV_SKIPPING, CONTENT("a\tb\tc\n1\t2\t3\t4\n"), "2:", "found 4 columns, expected 3"},
    {CSV_NAMES, CONTENT(""), "", "empty, expected a header"},
    {CSV_NAMES, CONTENT("a,b\n"), "1:", "no column \"t\"; the header has: a, b"},
    {CSV_NEWS, CONTENT("1,a,b\n1,\"a\" x,b\n"), "2:", "broken quotes"},
    {CSV_NEWS, CONTENT("1,a,b\n1,a\"x,b\n"), "2:", "broken quotes"},
    {CSV_NEWS, CONTENT("1,a,b\n1,\"x\ny\"z,b\n"), "3:", "broken quotes"},
    {CSV_NEWS, CONTENT("1,a,b\n1,\"a\n,b\n1,a,b\n"), "2:", "a quoted field of the row that begins here has no end"},
    {CSV_NEWS, CONTENT("1,a,b\n1,a,\""), "2:", "has no end"},
    {CSV_NEWS, CONTENT("1,a,b\n1,a\n"), "2:", "found 2 columns, expected 3"},
    {CSV_NEWS, CONTENT("1,\"a\nb\",c,d\n"), "1:", "found 4 columns, expected 3"},
    {CSV_NEWS, CONTENT("1,a,b\n\n1,a,b\n"), "2:", "an empty line"},
    {CSV_NEWS, CONTENT("1,a,b\r\n\r\n1,a,b\n"), "2:", "an empty line"},
    {CSV_NEWS, CONTENT("1,a,b\r1,a,b\n"), "1:", "a carriage return without line feed"},
    {CSV_NEWS, CONTENT("1,a,b\n1,\"a\",b\r\vx"), "2:", "a carriage return without line feed"},
    {CSV_NEWS, CONTENT("1,a,b\n1,a,b\r"), "2:", "a carriage return without line feed"},
    {CSV_NEWS, CONTENT("1,a,b\n\r1,a,b\n"), "2:", "an empty line"},
    {CSV_NEWS, CONTENT("1,a,b\n1,\"a\n\xFF\",b\n"), "3:", "invalid UTF-8 0xFF at byte 1"},
    {CSV_NEWS, CONTENT("1,a,b\n1,\"a\0\",b\n"), "2:", "a NUL byte"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": \"x\"}\n{\"s1\": \n"),
     "2:", "malformed JSON at byte"},
    {JSONL_PAIRS, CONTENT("\n"), "1:", "malformed JSON"},
    {JSONL_SKIPPING, CONTENT("{\"s1\": \"a\"}\n{\n"), "2:", "malformed JSON"},
    {CSV_SKIPPING, CONTENT("1,a\n\r2,b\n"), "2:", "an empty line"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\"} x\n"), "1:", "malformed JSON"},
    {JSONL_PAIRS, CONTENT("[1, 2]\n"), "1:", "expected a JSON object"},
    {JSONL_PAIRS, CONTENT("\"text\"\n"), "1:", "expected a JSON object"},
    {JSONL_PAIRS, CONTENT("\n["), "2:", "expected a JSON object of the array that the file begins with, or its end"},
    {JSONL_PAIRS, CONTENT("[\n[{}]]"), "2:", "expected a JSON object of the array"},
    {JSONL_PAIRS, CONTENT("[" JSON_ROW "\n, \n]"), "2:", "expected no comma before the end behind an object"},
    {JSONL_PAIRS, CONTENT("[" JSON_ROW "\n" JSON_ROW "]"), "2:", "expected a comma or the end behind an object"},
    {JSONL_PAIRS, CONTENT("[" JSON_ROW "\n"),
     "2:", "expected a JSON object of the array that the file begins with, or"},
    {JSONL_PAIRS, CONTENT("[" JSON_ROW ",\n"),
     "2:", "expected a JSON object of the array that the file begins with, or"},
    {JSONL_PAIRS, CONTENT("[" JSON_ROW "]\n\n" JSON_ROW), "3:", "malformed JSON: something stands behind the array"},
    {JSONL_PAIRS, CONTENT("[" JSON_ROW ",\n{\n\"s1\": \"a\"]"), "3:", "malformed JSON"},
    {JSONL_PAIRS, CONTENT("[" JSON_ROW ",\n{\"s1\": \"a\\"), "2:", "malformed JSON"},
    {JSONL_PAIRS, CONTENT("[\n{\"s1\": \"\xFF\"}]"), "2:", "UTF-8"},
    {JSONL_PAIRS, CONTENT("[\n{\"s1\": \"a\", \"s2\": \"b\", \"gold\": {}}]"), "2:", "unknown label {}"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"gold\": \"x\"}\n"), "1:", "no key \"s2\" in the object"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\"}\n"), "1:", "no key \"gold\" in the object"},
    {JSONL_PAIRS, CONTENT("{\"s1\": 5, \"s2\": \"b\", \"gold\": \"x\"}\n"),
     "1:", "the key \"s1\" is 5, expected a string"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": null, \"gold\": \"x\"}\n"),
     "1:", "the key \"s2\" is null, expected a string"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": 1e400}\n"), "1:", "unknown label 1e400, expected"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": null}\n"),
     "1:", "unknown label null, expected one of: no, yes (a string, a number, true, false, or an array of them)"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": [0, null]}\n"), "1:", "unknown label [0,null]"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": {\"a\": 1}}\n"),
     "1:", "unknown label {\"a\":1}, expected"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": [0, [1]]}\n"),
     "1:", "unknown label [0,[1]], expected"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": \"x\", \"z\": NaN}\n"),
     "1:", "malformed JSON at byte 42 of the line: NaN is not JSON (Python writes it for missing numbers"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s1\": \"b\", \"gold\": \"x\"}\n"), "1:", "malformed JSON"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"\\u0000\", \"s2\": \"b\", \"gold\": \"x\"}\n"),
     "1:", "the key \"s1\" is \"\\u0000\", expected a string without NUL"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"\\ud800\", \"s2\": \"b\", \"gold\": \"x\"}\n"),
     "1:", "the key \"s1\" is \"\\ud800\", expected a string without NUL"},
    {JSONL_PAIRS, CONTENT("{\"s1\": \"\xFF\", \"s2\": \"b\", \"gold\": \"x\"}\n"),
     "1:", "invalid UTF-8 0xFF at byte 9"},
    {WORDNET, CONTENT("  1 licence\nsynset\n"), "2:", "expected a synset"},
    {LINES, CONTENT("a\nb \xff\n"), "2:", "UTF-8"},
    {WORDNET, CONTENT("\n"), "1:", "expected a synset"},
    {WORDNET, CONTENT("00001740 3 n 01 entity 0 000 | gloss\n"), "1:", "expected a synset"},
    {WORDNET, CONTENT("00001740 03 n 01 entity 0 000\n"), "1:", "no gloss"},
};

static void test_bad(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
    const size_t live = ad_memory_stats().live_blocks;
    struct ad_buffer out = {0};
    char place[100];
    snprintf(place, sizeof place, "%s:%s", FILE_NAME, bad_files[i].place);
    assert_int_equal(ad_file_write(FILE_NAME, bad_files[i].content, bad_files[i].size), AD_OK);
    const int status = read_all(bad_files[i].yaml, FILE_NAME, 1, &out);
    if (status != AD_EINPUT || strncmp(ad_error_message(), place, strlen(place)) != 0 ||
        strstr(ad_error_message(), bad_files[i].what) == NULL) {
      fail_msg("case %zu: status %d, \"%s\", expected \"%s\" and \"%s\"", i, status, ad_error_message(), place,
               bad_files[i].what);
    }
    ad_buffer_destroy(&out);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  struct ad_buffer out = {0};
  assert_int_equal(read_all(TSV_NAMES, "no such file", 0, &out), AD_EINPUT);
  assert_int_equal(read_all(CSV_NEWS, ".", 0, &out), AD_EINPUT);
  ad_buffer_destroy(&out);
}

/* Where labels are not asked for, a file without the label column is read without labels. */
static void test_unlabelled(void **state) {
  (void)state;
  static const struct {
    const char *yaml, *content;
    size_t size;
    const char *expected;
  } cases[] = {{TSV_NAMES, CONTENT("index\tsentence\n0\ta\n"), "a||\n"},
               {CSV_NAMES, CONTENT("t\na\n"), "a||\n"},
               {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\"}\n"), "a|b|\n"}};
  for (size_t i = 0; i < 3; i++) {
    struct ad_buffer out = {0};
    assert_int_equal(ad_file_write(FILE_NAME, cases[i].content, cases[i].size), AD_OK);
    assert_int_equal(read_all(cases[i].yaml, FILE_NAME, 0, &out), AD_OK);
    assert_string_equal(out.data, cases[i].expected);
    ad_buffer_clear(&out);
    assert_int_equal(read_all(cases[i].yaml, FILE_NAME, 1, &out), AD_EINPUT);
    ad_buffer_destroy(&out);
  }
}

/* Rows by their positions, in any order, are the rows that were read one after another. */
static void test_seek(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    struct ad_descriptor d = load(good[i].yaml);
    struct ad_reader reader;
    struct ad_record r;
    char texts[8][64] = {{0}};
    size_t positions[8], sizes[8], count = 0;
    assert_int_equal(ad_file_write(FILE_NAME, good[i].content, good[i].size), AD_OK);
    assert_int_equal(ad_reader_open(&reader, &d.source[AD_SPLIT_TRAIN], FILE_NAME, 0), AD_OK);
    while (ad_reader_next(&reader, &r) == 1) {
      /* One that is left out has no text. */
      if (r.text.size > 0) {
        memcpy(texts[count], r.text.data, r.text.size);
      }
      sizes[count] = r.text.size;
      positions[count++] = r.position;
    }
    for (size_t n = count; n-- > 0;) {
      ad_reader_seek(&reader, positions[n]);
      assert_int_equal(ad_reader_next(&reader, &r), 1);
      assert_int_equal(r.text.size, sizes[n]);
      if (sizes[n] > 0) {
        assert_memory_equal(r.text.data, texts[n], sizes[n]);
      }
    }
    uint64_t digest;
    assert_int_equal(ad_reader_digest(&reader, &digest), AD_OK);
    assert_true(digest == ad_digest(good[i].content, good[i].size));
    ad_reader_close(&reader);
    ad_descriptor_destroy(&d);
  }
}

/* For predictions labels are not looked at: whatever stands there, and where the column is missing. */
static void test_labels_not_read(void **state) {
  (void)state;
  static const struct {
    const char *yaml, *content;
    size_t size;
    const char *expected;
  } cases[] = {
      {TSV_NAMES, CONTENT("sentence\tlabel\na\t-1\nb\t\n"), "a||\nb||\n"},
      {TSV_NAMES, CONTENT("sentence\ta\tlabel\tlabel\na\t\t\t\n"), "a||\n"},
      {TSV_NAMES, CONTENT("sentence\na\n\n"), "a||\n||\n"},
      {TSV_NUMBERS, CONTENT("s\t1\t*\ttext\n"), "text||\n"},
      {TSV_NUMBERS, CONTENT("s\t*\ttext\nt\t\tmore\n"), "text||\nmore||\n"},
      {TSV_FIRST_ROW, CONTENT("a\nb\n"), "a||\nb||\n"},
      {TSV_FIRST_ROW, CONTENT("a\tx\ty\nb\tx\ty\n"), "a||\nb||\n"},
      {CSV_NEWS, CONTENT("\"a, b\",c\nd,e\n\n"), "a, b c||\nd e||\n"},
      {CSV_NEWS, CONTENT("9,a,b\n,c,d\n"), "a b||\nc d||\n"},
      /* A row without label is no sign of a file without them. */
      {CSV_SKIPPING, CONTENT("a\n1,b\n"), "b||\n1 incomplete\n"},
      {CSV_SKIPPING, CONTENT("a\n\nb\n"), "a||\nb||\n1 incomplete\n"},
      {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\", \"gold\": [1]}\n"), "a|b|\n"},
      {JSONL_PAIRS, CONTENT("{\"s1\": \"a\", \"s2\": \"b\"}\n"), "a|b|\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_buffer out = {0};
    assert_int_equal(ad_file_write(FILE_NAME, cases[i].content, cases[i].size), AD_OK);
    if (read_all(cases[i].yaml, FILE_NAME, -1, &out) != AD_OK || strcmp(out.data, cases[i].expected) != 0) {
      fail_msg("case %zu: \"%s\", expected \"%s\" (%s)", i, out.data, cases[i].expected, ad_error_message());
    }
    ad_buffer_destroy(&out);
  }
  struct ad_buffer out = {0};
  static const char mixed[] = "a,b\n1,c,d\n";
  assert_int_equal(ad_file_write(FILE_NAME, mixed, sizeof mixed - 1), AD_OK);
  assert_int_equal(read_all(CSV_NEWS, FILE_NAME, -1, &out), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), ":1: found 2 columns, expected 3"));
  ad_buffer_destroy(&out);
}

static void write_text(const char *path, const char *text) {
  assert_int_equal(ad_file_write(path, text, strlen(text)), AD_OK);
}

static uint64_t folder_digest(void) {
  struct ad_descriptor d = load(FOLDER);
  struct ad_reader reader;
  uint64_t digest = 0;
  assert_int_equal(ad_reader_open(&reader, &d.source[AD_SPLIT_TRAIN], "test_readers_folder", 1), AD_OK);
  assert_int_equal(ad_reader_digest(&reader, &digest), AD_OK);
  ad_reader_close(&reader);
  ad_descriptor_destroy(&d);
  return digest;
}

static void test_folder(void **state) {
  (void)state;
  struct ad_buffer out = {0};
  assert_int_equal(ad_make_folders("test_readers_folder/neg"), AD_OK);
  rmdir("test_readers_folder/pos");
  assert_int_equal(read_all(FOLDER, "test_readers_folder", 1, &out), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "test_readers_folder/pos"));
  assert_int_equal(ad_make_folders("test_readers_folder/pos"), AD_OK);
  assert_int_equal(ad_make_folders("test_readers_folder/unsup"), AD_OK);
  write_text("test_readers_folder/urls.txt", "not data");
  write_text("test_readers_folder/unsup/0_0.txt", "not data");
  write_text("test_readers_folder/pos/.hidden", "not data");
  write_text("test_readers_folder/pos/2_9.txt", "good\nfilm");
  write_text("test_readers_folder/neg/9_1.txt", "bad");
  write_text("test_readers_folder/neg/10_1.txt", "worse");
  write_text("test_readers_folder/neg/0_2.txt", "");
  assert_int_equal(read_all(FOLDER, "test_readers_folder", 1, &out), AD_OK);
  assert_string_equal(out.data, "||neg\nworse||neg\nbad||neg\ngood\nfilm||pos\n");

  /* Without labels: the folders of the labels that are there, else all files, one folder deep. */
  ad_buffer_clear(&out);
  assert_int_equal(rename("test_readers_folder/neg", "test_readers_folder/neu"), 0);
  assert_int_equal(read_all(FOLDER, "test_readers_folder", -1, &out), AD_OK);
  assert_string_equal(out.data, "good\nfilm||pos\n");
  ad_buffer_clear(&out);
  assert_int_equal(rename("test_readers_folder/pos", "test_readers_folder/z"), 0);
  assert_int_equal(read_all(FOLDER, "test_readers_folder", -1, &out), AD_OK);
  assert_string_equal(out.data, "||\nworse||\nbad||\nnot data||\nnot data||\ngood\nfilm||\n");
  assert_int_equal(rename("test_readers_folder/neu", "test_readers_folder/neg"), 0);
  assert_int_equal(rename("test_readers_folder/z", "test_readers_folder/pos"), 0);

  /* The digest sees contents and names. */
  const uint64_t before = folder_digest();
  write_text("test_readers_folder/neg/9_1.txt", "bax");
  const uint64_t changed = folder_digest();
  assert_true(before != changed);
  write_text("test_readers_folder/neg/9_1.txt", "bad");
  assert_true(before == folder_digest());
  assert_int_equal(rename("test_readers_folder/neg/9_1.txt", "test_readers_folder/neg/9_2.txt"), 0);
  assert_true(before != folder_digest());

  write_text("test_readers_folder/pos/2_9.txt", "good\nf\xFFlm");
  assert_int_equal(read_all(FOLDER, "test_readers_folder", 1, &out), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "test_readers_folder/pos/2_9.txt:2: invalid UTF-8 0xFF at byte 2"));
  assert_int_equal(ad_make_folders("test_readers_folder/neg/sub"), AD_OK);
  assert_int_equal(read_all(FOLDER, "test_readers_folder", 1, &out), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "neg/sub: expected a file, found a folder"));
  assert_int_equal(read_all(FOLDER, "test_readers_folder/urls.txt", 1, &out), AD_EINPUT);
  ad_buffer_destroy(&out);
}

/* Every allocation fails once, in every format. */
static void test_out_of_memory(void **state) {
  (void)state;
  assert_int_equal(ad_make_folders("test_readers_folder2/neg"), AD_OK);
  assert_int_equal(ad_make_folders("test_readers_folder2/pos"), AD_OK);
  write_text("test_readers_folder2/pos/a", "a");
  const size_t cases = sizeof good / sizeof *good;
  for (size_t i = 0; i <= cases; i++) {
    struct ad_descriptor d = load(i < cases ? good[i].yaml : FOLDER);
    const char *path = i < cases ? FILE_NAME : "test_readers_folder2";
    if (i < cases) {
      assert_int_equal(ad_file_write(FILE_NAME, good[i].content, good[i].size), AD_OK);
    }
    const size_t live = ad_memory_stats().live_blocks;
    for (unsigned long n = 1;; n++) {
      struct ad_reader reader;
      struct ad_record r;
      ad_memory_fail_at(n);
      int status = ad_reader_open(&reader, &d.source[AD_SPLIT_TRAIN], path, 0);
      if (status == AD_OK) {
        while ((status = ad_reader_next(&reader, &r)) == 1) {
        }
        ad_reader_close(&reader);
      }
      ad_memory_fail_at(0);
      assert_int_equal(ad_memory_stats().live_blocks, live);
      if (status == AD_OK) {
        break;
      }
      assert_int_equal(status, AD_ENOMEM);
    }
    ad_descriptor_destroy(&d);
  }
}

/* Every prefix of a good file gives rows or a message. */
static void test_prefixes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    for (size_t size = 0; size < good[i].size; size++) {
      struct ad_buffer out = {0};
      FILE *file = fopen(FILE_NAME, "wb");
      assert_int_equal(fwrite(good[i].content, 1, size, file), size);
      fclose(file);
      const int status = read_all(good[i].yaml, FILE_NAME, 0, &out);
      assert_true(status == AD_OK || status == AD_EINPUT);
      ad_buffer_destroy(&out);
    }
  }
}

static int clean_up(void **state) {
  (void)state;
  remove(FILE_NAME);
  return system("rm -rf test_readers_folder test_readers_folder2") == 0 ? 0 : -1;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good),          cmocka_unit_test(test_bad),
      cmocka_unit_test(test_unlabelled),    cmocka_unit_test(test_labels_not_read),
      cmocka_unit_test(test_seek),          cmocka_unit_test(test_folder),
      cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_prefixes),
  };
  return cmocka_run_group_tests(tests, NULL, clean_up);
}
