/* Whole splits: tokens, labels, skipped rows, split rules, the report; and the real files where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"

/* Ids: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, a 4, b 5, ... */
static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\ne\nf\n";
static struct ad_tokenizer *tokenizer;

#define ABOUT "title: T\nsource: S\nlicence: L\nclasses: [no, yes]\nlabels: {\"0\": no, \"1\": yes}\n"
#define TSV ABOUT "format: tsv\nheader: false\ncolumns: {text: 1, label: 2}\n"
#define PAIRS ABOUT "format: tsv\nheader: false\ncolumns: {text: 1, pair: 2, label: 3}\nskip: \"-\"\n"

static int set_up(void **state) {
  (void)state;
  return ad_tokenizer_create(&tokenizer, "tiny", vocabulary, sizeof vocabulary - 1, 0);
}

static int clean_up(void **state) {
  (void)state;
  ad_tokenizer_destroy(tokenizer);
  return system("rm -rf test_dataset_folder");
}

static struct ad_descriptor parse(const char *yaml) {
  struct ad_descriptor d;
  if (ad_descriptor_parse(&d, "name.yaml", yaml, strlen(yaml)) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  return d;
}

static void write_text(const char *path, const char *text) {
  assert_int_equal(ad_make_folders("test_dataset_folder"), AD_OK);
  assert_int_equal(ad_file_write(path, text, strlen(text)), AD_OK);
}

static const struct ad_read_options here = {.folder = "test_dataset_folder", .labels = 1};

static void test_pairs(void **state) {
  (void)state;
  static const char content[] = "a b\tc\t1\nb\td\t-\na\tb c d\t0\n";
  static const size_t offset[] = {0, 6, 13};
  static const uint32_t ids[] = {2, 4, 5, 3, 6, 3, 2, 4, 3, 5, 6, 7, 3};
  struct ad_descriptor d = parse(PAIRS "splits: {train: {file: x, rows: 2, skipped: 1}}\n");
  struct ad_dataset set;
  write_text("test_dataset_folder/x", content);
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &here, tokenizer), AD_OK);
  assert_int_equal(set.count, 2);
  assert_memory_equal(set.offset, offset, sizeof offset);
  assert_memory_equal(set.ids, ids, sizeof ids);
  assert_true(set.first[0] == 4 && set.first[1] == 3);
  assert_true(set.label[0] == 1 && set.label[1] == 0);
  assert_int_equal(ad_dataset_length(&set, 1), 7);
  assert_true(set.longest == 7 && set.truncated == 0 && set.skipped == 1 && set.empty == 0 && set.whole);
  assert_true(set.digest == ad_digest(content, strlen(content)));
  size_t tokens;
  assert_int_equal(ad_dataset_most_tokens(&set, 1, &tokens), AD_OK);
  assert_int_equal(tokens, 7);
  assert_int_equal(ad_dataset_most_tokens(&set, 5, &tokens), AD_OK);
  assert_int_equal(tokens, 13);
  ad_dataset_destroy(&set);
  ad_descriptor_destroy(&d);
}

static void test_options(void **state) {
  (void)state;
  struct ad_descriptor d = parse(TSV "splits: {train: {file: x}, test: {file: x, columns: {text: 1}}}\n");
  struct ad_dataset set;
  struct ad_read_options options = here;
  write_text("test_dataset_folder/x", "a b c d\t1\na\t0\nb\t1\n");
  write_text("test_dataset_folder/y", "c\t1\n");
  options.limit = 4;
  options.rows = 2;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 2 && set.truncated == 1 && set.longest == 4 && !set.whole);
  assert_memory_equal(set.ids, ((const uint32_t[]){2, 4, 5, 3, 2, 4, 3}), 7 * sizeof(uint32_t));
  ad_dataset_destroy(&set);
  options.file = "test_dataset_folder/y";
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 1 && set.ids[1] == 6 && !set.whole);
  ad_dataset_destroy(&set);
  options = here;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TEST, &options, tokenizer), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "test split of name has no labels"));
  options.labels = 0;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TEST, &options, tokenizer), AD_OK);
  assert_true(set.count == 3 && set.label[0] == AD_NO_LABEL && set.whole);
  ad_dataset_destroy(&set);
  ad_descriptor_destroy(&d);
}

/* The first so many of each class, in the order of the file or of the split. */
static void test_per_class(void **state) {
  (void)state;
  struct ad_descriptor d = parse(PAIRS "splits: {train: {file: x}}\n");
  struct ad_dataset set;
  struct ad_read_options options = here;
  write_text("test_dataset_folder/x", "a\ta\t1\nb\ta\t1\n\ta\t1\nc\ta\t-\nd\ta\t0\ne\ta\t1\nf\ta\t0\na\tb\t0\n");
  options.per_class = 2;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 4 && set.skipped == 1 && !set.whole);
  /* An empty text of a class that is full is not looked at. */
  assert_memory_equal(set.label, ((const uint32_t[]){1, 1, 0, 0}), 4 * sizeof(uint32_t));
  assert_true(set.ids[1] == 4 && set.ids[6] == 5 && set.ids[11] == 7 && set.ids[16] == 9 && set.offset[4] == 20);
  ad_dataset_destroy(&set);
  write_text("test_dataset_folder/x", "a\ta\t1\nb\ta\t1\nd\ta\t0\n");
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_EINPUT);
  assert_string_equal(ad_error_message(),
                      "test_dataset_folder/x: found 1 examples of the class no, expected 2 (data.per_class)");
  options.rows = 3;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_ECONFIG);
  assert_string_equal(ad_error_message(), "found data.per_class 2 and data.train_rows 3, expected one of them");
  ad_descriptor_destroy(&d);
  /* Labels must be there, even where they are not asked for. */
  d = parse(PAIRS "splits: {train: {file: x}, test: {file: y, columns: {text: 1, pair: 2}}}\n");
  write_text("test_dataset_folder/y", "a\ta\nb\ta\n");
  options = (struct ad_read_options){.folder = here.folder, .per_class = 1};
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_int_equal(set.count, 2);
  ad_dataset_destroy(&set);
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TEST, &options, tokenizer), AD_EINPUT);
  assert_string_equal(ad_error_message(),
                      "test_dataset_folder/y: found no labels, expected them as data.per_class is set");
  ad_descriptor_destroy(&d);
}

static void test_per_class_of_split(void **state) {
  (void)state;
  enum { N = 30, DEV = 6, EACH = 5 };
  struct ad_buffer content = {0};
  for (int i = 0; i < N; i++) {
    assert_int_equal(ad_buffer_printf(&content, "%.*s\t%d\n", 2 * i + 1,
                                      "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a", i % 3 == 0),
                     AD_OK);
  }
  write_text("test_dataset_folder/x", content.data);
  ad_buffer_destroy(&content);
  struct ad_descriptor d = parse(TSV "split: {seed: 9, dev: 6}\nsplits: {train: {file: x}}\n");
  struct ad_read_options options = here;
  struct ad_dataset set;
  options.per_class = EACH;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_int_equal(set.count, 2 * EACH);
  uint32_t order[N];
  size_t found = 0, taken[2] = {0, 0};
  ad_random_permutation(9, AD_STREAM_SPLIT, 0, N, order);
  for (size_t i = DEV; i < N && found < set.count; i++) {
    const uint32_t label = order[i] % 3 == 0;
    if (taken[label]++ < EACH) {
      assert_int_equal(ad_dataset_length(&set, found), order[i] + 3);
      assert_int_equal(set.label[found++], label);
    }
  }
  assert_int_equal(found, 2 * EACH);
  ad_dataset_destroy(&set);
  ad_descriptor_destroy(&d);
}

static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *content, *what;
  } cases[] = {
      {"a\t1\nb\t2\n", "test_dataset_folder/x:2: unknown label \"2\", expected one of: 0, 1"},
      {"a\t1\nb\tyes\n", "test_dataset_folder/x:2: unknown label \"yes\""},
      {"a\t1\nb\t\n", "test_dataset_folder/x:2: unknown label \"\""},
      {"a\t1\nb\t1 \n", "test_dataset_folder/x:2: unknown label \"1 \""},
      {"a\t1\n\t1\n", "test_dataset_folder/x:2: an empty text"},
      {"", "test_dataset_folder/x: no rows found"},
  };
  struct ad_descriptor d = parse(TSV "splits: {train: {file: x}}\n");
  struct ad_dataset set;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const size_t live = ad_memory_stats().live_blocks;
    write_text("test_dataset_folder/x", cases[i].content);
    assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &here, tokenizer), AD_EINPUT);
    if (strncmp(ad_error_message(), cases[i].what, strlen(cases[i].what)) != 0) {
      fail_msg("\"%s\", expected \"%s\"", ad_error_message(), cases[i].what);
    }
    assert_null(set.ids);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  struct ad_read_options options = here;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_DEV, &options, tokenizer), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "no dev split"));
  options.limit = 2;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_ECONFIG);
  options = (struct ad_read_options){.folder = ""};
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(),
                         "is not known, expected it in the configuration (data.folder); the data are "
                         "to be had from S"));
  options.folder = "no/such/folder";
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_EINPUT);
  assert_string_equal(ad_error_message(),
                      "no/such/folder/x: there is no such file, expected the train split of name there (data.folder, "
                      "for a finished run --folder); the data are to be had from S");
  ad_descriptor_destroy(&d);
}

static void test_empty_texts(void **state) {
  (void)state;
  struct ad_descriptor d = parse(PAIRS "empty: allow\nsplits: {train: {file: x}}\n");
  struct ad_dataset set;
  write_text("test_dataset_folder/x", "a\t\t1\n\t\t0\nb\tc\t1\n");
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &here, tokenizer), AD_OK);
  assert_true(set.count == 3 && set.empty == 2);
  assert_memory_equal(set.ids, ((const uint32_t[]){2, 4, 3, 3, 2, 3, 3, 2, 5, 3, 6, 3}), 12 * sizeof(uint32_t));
  ad_dataset_destroy(&set);
  ad_descriptor_destroy(&d);
}

/* White space of any kind, control characters and what else the tokenizer drops are no text. */
static void test_blank_texts(void **state) {
  (void)state;
  /* A space; no-break, ideographic, line separator; a zero-width space; a text whose word comes late. */
  static const char content[] =
      " \ta\t1\na\t\xC2\xA0\xE3\x80\x80\xE2\x80\xA8\t0\n\xE2\x80\x8B\ta\t1\n"
      "                                                               \xC2\xA0 b\tc\t1\n";
  static const struct {
    const char *key;
    size_t count, skipped, empty;
  } cases[] = {{"empty: allow\n", 4, 0, 3}, {"empty: skip\n", 1, 3, 0}};
  write_text("test_dataset_folder/x", content);
  for (size_t i = 0; i < 2; i++) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, PAIRS "%ssplits: {train: {file: x}}\n", cases[i].key);
    struct ad_descriptor d = parse(yaml);
    struct ad_dataset set;
    assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &here, tokenizer), AD_OK);
    assert_true(set.count == cases[i].count && set.skipped == cases[i].skipped && set.empty == cases[i].empty);
    assert_true(set.ids[set.offset[set.count - 1] + 1] == 5 && set.unread_count == 0);
    ad_dataset_destroy(&set);
    ad_descriptor_destroy(&d);
  }
  struct ad_dataset set;
  struct ad_descriptor d = parse(PAIRS "splits: {train: {file: x}}\n");
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &here, tokenizer), AD_EINPUT);
  assert_string_equal(ad_error_message(),
                      "test_dataset_folder/x:1: an empty text of a pair: found nothing but white space, expected "
                      "words; the descriptor's key \"empty\" (allow or skip) lets such rows pass");
  ad_descriptor_destroy(&d);
  /* A split rule shuffles the rows that are left. */
  d = parse(TSV "empty: skip\nsplit: {seed: 9, dev: 2}\nsplits: {train: {file: x}}\n");
  write_text("test_dataset_folder/x", "a\t1\n \t1\na a\t1\n\t0\na a a\t0\n");
  uint32_t order[3];
  ad_random_permutation(9, AD_STREAM_SPLIT, 0, 3, order);
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_DEV, &here, tokenizer), AD_OK);
  assert_true(set.count == 2 && set.skipped == 2);
  assert_true(ad_dataset_length(&set, 0) == order[0] + 3 && ad_dataset_length(&set, 1) == order[1] + 3);
  ad_dataset_destroy(&set);
  ad_descriptor_destroy(&d);
}

/* For predictions every row of a file counts; the rows of a split that is no file are those that training has. */
static void test_every_row(void **state) {
  (void)state;
  static const char content[] = "a\t1\nb\nc\t-\n\t1\nd\t9\ne\n";
  struct ad_read_options options = {.folder = here.folder, .every_row = 1};
  struct ad_descriptor d = parse(TSV "fields: 2\nskip: \"-\"\nincomplete: skip\nsplits: {train: {file: x}}\n");
  struct ad_dataset set;
  write_text("test_dataset_folder/x", content);
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 3 && set.skipped == 0 && set.unread_count == 3);
  assert_memory_equal(set.ids, ((const uint32_t[]){2, 4, 3, 2, 6, 3, 2, 7, 3}), 9 * sizeof(uint32_t));
  assert_memory_equal(set.unread, ((const size_t[]){1, 3, 5}), 3 * sizeof(size_t));
  assert_true(set.unread_line[0] == 2 && set.unread_line[1] == 4 && set.unread_line[2] == 6);
  assert_true(set.label[0] == AD_NO_LABEL && set.label[2] == AD_NO_LABEL);
  ad_dataset_destroy(&set);
  /* Of a file in which no row can be read, too. */
  options.file = "test_dataset_folder/y";
  write_text("test_dataset_folder/y", "a\tb\tc\n");
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_EINPUT);
  write_text("test_dataset_folder/y", " \t1\n\t0\n");
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 0 && set.unread_count == 2);
  ad_dataset_destroy(&set);
  options.file = NULL;
  write_text("test_dataset_folder/x", "a\t1\nb\t-\nc\t0\nd\t1\n");
  options.rows = 2;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 2 && set.skipped == 1 && set.ids[4] == 6);
  ad_dataset_destroy(&set);
  ad_descriptor_destroy(&d);
  options.rows = 0;
  d = parse(TSV "skip: \"-\"\nsplit: {seed: 9, dev: 1}\nsplits: {train: {file: x}}\n");
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 2 && set.skipped == 1);
  ad_dataset_destroy(&set);
  ad_descriptor_destroy(&d);
}

/* The splits are slices of the one permutation of the file's rows, without those that are skipped. */
static void test_split_rule(void **state) {
  (void)state;
  enum { N = 40 };
  struct ad_buffer content = {0};
  for (int i = 0; i < N; i++) {
    assert_int_equal(ad_buffer_printf(&content, "%.*s\t%s\n", 2 * i + 1,
                                      "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a",
                                      i % 2 ? "1" : "0"),
                     AD_OK);
    assert_int_equal(ad_buffer_puts(&content, "b\t-\n"), AD_OK);
  }
  write_text("test_dataset_folder/x", content.data);
  ad_buffer_destroy(&content);
  struct ad_descriptor d = parse(TSV "skip: \"-\"\nsplit: {seed: 9, test: 5, dev: 3}\nsplits: {train: {file: x}}\n");
  uint32_t order[N];
  ad_random_permutation(9, AD_STREAM_SPLIT, 0, N, order);
  const struct {
    enum ad_split split;
    size_t begin, end;
  } parts[] = {{AD_SPLIT_TEST, 0, 5}, {AD_SPLIT_DEV, 5, 8}, {AD_SPLIT_TRAIN, 8, N}};
  for (size_t p = 0; p < 3; p++) {
    struct ad_dataset set;
    assert_int_equal(ad_dataset_read(&set, &d, parts[p].split, &here, tokenizer), AD_OK);
    assert_int_equal(set.count, parts[p].end - parts[p].begin);
    assert_int_equal(set.skipped, N);
    assert_true(set.whole);
    for (size_t i = 0; i < set.count; i++) {
      const uint32_t row = order[parts[p].begin + i];
      assert_int_equal(ad_dataset_length(&set, i), row + 3);
      assert_int_equal(set.label[i], row % 2);
    }
    ad_dataset_destroy(&set);
  }
  /* The first rows of a split; another file is read whole. */
  struct ad_read_options options = here;
  struct ad_dataset set;
  options.rows = 4;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 4 && !set.whole && ad_dataset_length(&set, 3) == order[11] + 3);
  ad_dataset_destroy(&set);
  options.rows = 0;
  options.file = "test_dataset_folder/x";
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_DEV, &options, tokenizer), AD_OK);
  assert_true(set.count == N && ad_dataset_length(&set, 7) == 10);
  ad_dataset_destroy(&set);
  /* Too few rows for the rule. */
  write_text("test_dataset_folder/x", "a\t1\na\t1\na\t1\na\t1\na\t1\na\t1\na\t1\na\t1\n");
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_DEV, &here, tokenizer), AD_OK);
  ad_dataset_destroy(&set);
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &here, tokenizer), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "found 8 rows, the split rule of name needs at least 9"));
  ad_descriptor_destroy(&d);
}

/* More rows than the sample by which memory is reserved. */
static void test_many_rows(void **state) {
  (void)state;
  enum { N = 5000 };
  struct ad_buffer content = {0};
  for (int i = 0; i < N; i++) {
    assert_int_equal(ad_buffer_puts(&content, i < N / 2 ? "a\t1\n" : "a b c d e f\t0\n"), AD_OK);
  }
  write_text("test_dataset_folder/x", content.data);
  ad_buffer_destroy(&content);
  struct ad_descriptor d = parse(TSV "splits: {train: {file: x}}\n");
  struct ad_dataset set;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &here, tokenizer), AD_OK);
  assert_true(set.count == N && set.offset[N] == (size_t)N / 2 * (3 + 8));
  for (size_t i = 0; i < N; i++) {
    assert_int_equal(set.label[i], i < N / 2);
    assert_int_equal(set.ids[set.offset[i]], 2);
    assert_int_equal(set.ids[set.offset[i + 1] - 1], 3);
  }
  size_t tokens;
  assert_int_equal(ad_dataset_most_tokens(&set, N / 2 + 10, &tokens), AD_OK);
  assert_int_equal(tokens, N / 2 * 8 + 10 * 3);
  ad_dataset_destroy(&set);
  ad_descriptor_destroy(&d);
}

static void test_out_of_memory(void **state) {
  (void)state;
  write_text("test_dataset_folder/x", "a b\tc\t1\na\tb\t-\nb\td\t1\na\tb c d\t0\na\tb c d\t0\n");
  struct ad_descriptor d = parse(PAIRS "split: {seed: 9, dev: 3}\nsplits: {train: {file: x}}\n");
  struct ad_read_options options = here;
  options.per_class = 1; /* of three of the four rows that are data: each class is among them */
  unsigned long n = 1;
  for (;; n++) {
    struct ad_dataset set;
    const size_t live = ad_memory_stats().live_blocks;
    size_t tokens;
    ad_memory_fail_at(n);
    int status = ad_dataset_read(&set, &d, AD_SPLIT_DEV, &options, tokenizer);
    if (status == AD_OK) {
      status = ad_dataset_most_tokens(&set, 2, &tokens);
    }
    if (status == AD_OK) {
      FILE *out = fopen("/dev/null", "w");
      status = ad_dataset_report(out, &d, AD_SPLIT_DEV, &set);
      fclose(out);
    }
    ad_memory_fail_at(0);
    ad_dataset_destroy(&set);
    if (status == AD_OK) {
      break;
    }
    assert_int_equal(status, AD_ENOMEM);
    /* The tokenizer may keep work memory that it has grown. */
    assert_true(ad_memory_stats().live_blocks <= live + 4);
  }
  assert_true(n > 10);
  ad_descriptor_destroy(&d);
}

static void check_report(const struct ad_descriptor *d, const struct ad_dataset *set, const char *expected) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  assert_int_equal(ad_dataset_report(out, d, AD_SPLIT_TRAIN, set), AD_OK);
  fclose(out);
  assert_string_equal(text, expected);
  free(text);
}

static void test_report(void **state) {
  (void)state;
  write_text("test_dataset_folder/x", "a\t1\na b c\t0\na b\t1\na b c d e f\t1\n");
  struct ad_descriptor d = parse(TSV "splits: {train: {file: x, rows: 4, skipped: 1, digest: 0000000000000001}}\n");
  struct ad_dataset set;
  struct ad_read_options options = here;
  options.limit = 7;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  char digest[17], expected[1000];
  snprintf(expected, sizeof expected,
           "name train: T\n"
           "  rows        4 (as expected)\n"
           "  skipped     0 (DIFFERS: the descriptor expects 1)\n"
           "  tokens      19; an example: min 3, median 4.5, mean 4.75, max 7\n"
           "  truncated   1 (25.00%%)\n"
           "  classes     2\n"
           "       0  no                               1   25.00%%\n"
           "       1  yes                              3   75.00%%\n"
           "  digest      %s (DIFFERS: the descriptor expects 0000000000000001)\n",
           ad_digest_text(set.digest, digest));
  check_report(&d, &set, expected);
  set.whole = 0;
  set.label[0] = set.label[1] = set.label[2] = set.label[3] = AD_NO_LABEL;
  snprintf(expected, sizeof expected,
           "name train: T\n"
           "  rows        4 (not compared: not the whole split)\n"
           "  skipped     0 (not compared: not the whole split)\n"
           "  tokens      19; an example: min 3, median 4.5, mean 4.75, max 7\n"
           "  truncated   1 (25.00%%)\n"
           "  classes     2\n"
           "    without label                          4\n"
           "  digest      %s\n",
           digest);
  check_report(&d, &set, expected);
  ad_dataset_destroy(&set);
  ad_descriptor_destroy(&d);
}

/* Real files. The numbers are those of Python's csv and json modules and Hugging Face's tokenizers on the same files.
 */
struct real {
  const char *name, *folder; /* below AD_SHARED; NULL: the descriptor's own */
  unsigned splits;           /* bit s: split s, read together */
  size_t limit, rows, skipped;
  uint64_t tokens, id_sum, first;
  size_t longest;
  size_t labels[4]; /* counts of the first classes; 0: not compared */
};

enum { TRAIN = 1 << AD_SPLIT_TRAIN, DEV = 1 << AD_SPLIT_DEV, TEST = 1 << AD_SPLIT_TEST, EVERY = TRAIN | DEV | TEST };

static const struct real reals[] = {
    {"sst2-labelled", "sst2", TRAIN, 0, 60614, 0, 806814, 3521789722, 806814, 66, {26786, 33828}},
    {"sst2-labelled", "sst2", DEV, 0, 6735, 0, 90225, 391401990, 90225, 62, {2994, 3741}},
    {"sst2-labelled", "sst2", DEV, 16, 6735, 0, 70925, 298831645, 70925, 16, {2994, 3741}},
    {"sst2-labelled", "sst2", TEST, 0, 872, 0, 21943, 97569520, 21943, 55, {428, 444}},
    {"agnews-10k", "agnews", TRAIN | DEV, 0, 10001, 0, 439333, 1953724624, 439333, 354, {2509, 2458, 2496, 2538}},
    {"agnews-10k", "agnews", TEST, 0, 7600, 0, 400871, 1893626599, 400871, 277, {1900, 1900, 1900, 1900}},
    {"agnews-10k", "agnews", TEST, 64, 7600, 0, 379772, 1798213686, 379772, 64, {1900, 1900, 1900, 1900}},
    {"snli-cut", "snli", TRAIN | DEV, 0, 1273, 16, 35277, 117450204, 22831, 60, {433, 421, 419}},
    {"snli-cut", "snli", TEST, 0, 1254, 23, 34116, 113905590, 22198, 74, {405, 429, 420}},
    {"wordnet-nouns", NULL, EVERY, 64, 82115, 0, 1294326, 6108108474, 1294326, 64, {51, 6650, 7509, 11587}},
};

static void check_real(const struct real *real, const char *shared, struct ad_tokenizer *bert) {
  struct ad_descriptor d;
  char folder[1000], text[1000];
  snprintf(folder, sizeof folder, "%s/datasets", getenv("AD_SOURCE"));
  if (ad_descriptor_load(&d, real->name, folder) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  snprintf(folder, sizeof folder, "%s/%s", shared, real->folder == NULL ? "" : real->folder);
  struct ad_read_options options = {.folder = real->folder == NULL ? NULL : folder, .limit = real->limit, .labels = 1};
  size_t rows = 0, longest = 0, labels[4] = {0};
  uint64_t tokens = 0, id_sum = 0, first = 0;
  for (int s = 0; s < AD_SPLITS; s++) {
    struct ad_dataset set;
    if ((real->splits >> s & 1) == 0) {
      continue;
    }
    if (ad_dataset_read(&set, &d, s, &options, bert) != AD_OK) {
      fail_msg("%s", ad_error_message());
    }
    rows += set.count;
    tokens += set.offset[set.count];
    longest = set.longest > longest ? set.longest : longest;
    for (size_t i = 0; i < set.offset[set.count]; i++) {
      id_sum += set.ids[i];
    }
    for (size_t i = 0; i < set.count; i++) {
      first += set.first[i];
      labels[set.label[i] < 4 ? set.label[i] : 3] += set.label[i] < 4;
    }
    assert_int_equal(set.skipped, real->skipped);
    assert_int_equal(set.count, d.source[s].expected.rows);
    assert_true(set.whole);
    /* The report finds nothing that differs. */
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_int_equal(ad_dataset_report(out, &d, s, &set), AD_OK);
    fclose(out);
    text[sizeof text - 1] = '\0';
    assert_null(strstr(text, "DIFFERS"));
    assert_non_null(strstr(text, "(as expected)"));
    ad_dataset_destroy(&set);
  }
  if (rows != real->rows || tokens != real->tokens || id_sum != real->id_sum || first != real->first ||
      longest != real->longest) {
    fail_msg("%s, limit %zu: rows %zu, tokens %llu, sum of ids %llu, first %llu, longest %zu", real->name, real->limit,
             rows, (unsigned long long)tokens, (unsigned long long)id_sum, (unsigned long long)first, longest);
  }
  for (size_t c = 0; c < 4 && real->labels[c] > 0; c++) {
    assert_int_equal(labels[c], real->labels[c]);
  }
  ad_descriptor_destroy(&d);
}

static void test_real_files(void **state) {
  (void)state;
  const char *shared = getenv("AD_SHARED");
  char path[1000];
  snprintf(path, sizeof path, "%s/vocab/bert-base-uncased-vocab.txt", shared == NULL ? "" : shared);
  if (!ad_is_file(path)) {
    print_message("skipped: the real files are not here (%s)\n", path);
    skip();
  }
  struct ad_tokenizer *bert;
  struct ad_buffer words = {0};
  assert_int_equal(ad_file_read(path, &words), AD_OK);
  assert_int_equal(ad_tokenizer_create(&bert, path, words.data, words.size, 0), AD_OK);
  ad_buffer_destroy(&words);
  for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
    if (reals[i].folder == NULL && !ad_is_file("/usr/share/wordnet/data.noun")) {
      print_message("left out: %s (the Debian package wordnet-base is not installed)\n", reals[i].name);
      continue;
    }
    check_real(&reals[i], shared, bert);
  }
  ad_tokenizer_destroy(bert);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_per_class),     cmocka_unit_test(test_per_class_of_split),
      cmocka_unit_test(test_pairs),         cmocka_unit_test(test_options),
      cmocka_unit_test(test_refused),       cmocka_unit_test(test_empty_texts),
      cmocka_unit_test(test_blank_texts),   cmocka_unit_test(test_every_row),
      cmocka_unit_test(test_split_rule),    cmocka_unit_test(test_many_rows),
      cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_report),
      cmocka_unit_test(test_real_files),
  };
  return cmocka_run_group_tests(tests, set_up, clean_up);
}
