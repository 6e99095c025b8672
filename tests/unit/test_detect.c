/* What files without a descriptor are taken for, what is refused, and what a survey of data counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/detect.h"
#include "autodidact/data/survey.h"
#include "support/scratch.h"

static void write_text(const char *path, const char *text) {
  assert_int_equal(ad_file_write(path, text, strlen(text)), AD_OK);
}

static int detect(const struct ad_detect_request *request, struct ad_buffer *text) {
  struct ad_buffer told = {0};
  const int status = ad_detect(request, text, &told);
  ad_buffer_destroy(&told);
  return status;
}

/* Six rows of three columns with a delimiter between them. */
#define ROWS(d) \
  "a" d "x y" d \
  "1\n"         \
  "b" d "x z" d \
  "2\n"         \
  "c" d "y" d   \
  "1\n"         \
  "d" d "z x" d \
  "2\n"         \
  "e" d "z y" d \
  "1\n"         \
  "f" d "w" d "2\n"

#define LOOK "empty: skip\n"
#define CUT "split: {seed: 0, dev: 1}\nsplits:\n  train: {file: \"train\"}\n"
#define ONE_TWO "classes: [\"1\", \"2\"]\n"

static const struct {
  const char *content;
  struct ad_detect_columns asked;
  const char *expected; /* behind the descriptor's first line */
} good[] = {
    /* As Excel writes it: a byte order mark, semicolons, CR LF. */
    {"\xef\xbb\xbfText;Label\r\n\"good; \"\"fine\"\"\";1\r\nbad;2\r\n",
     {0},
     "format: csv\ndelimiter: semicolon\nheader: true\ncolumns: {text: \"Text\", label: \"Label\"}\n" ONE_TWO LOOK CUT},
    {"n,words,class\n" ROWS(","),
     {.text = "words"},
     "format: csv\ndelimiter: comma\nheader: true\ncolumns: {text: \"words\", label: \"class\"}\n" ONE_TWO LOOK CUT},
    /* No header: the third column has few values, each several times. */
    {ROWS("\t"), {.text = "2"}, "format: tsv\nheader: false\ncolumns: {text: 2, label: 3}\n" ONE_TWO LOOK CUT},
    /* A header without known names stands above numbers. */
    {"words\tstars\nx y\t1\nx z\t2\ny\t1\nz\t2\n",
     {0},
     "format: tsv\nheader: true\ncolumns: {text: \"words\", label: \"stars\"}\n" ONE_TWO LOOK CUT},
    /* Tabs with quotes: all fields that begin with one are quoted. */
    {"text\tlabel\n\"say \"\"x\"\"\"\t1\ny\t2\n",
     {0},
     "format: csv\ndelimiter: tab\nheader: true\ncolumns: {text: \"text\", label: \"label\"}\n" ONE_TWO LOOK CUT},
    {"text\tlabel\n\"x\" he said\t1\ny\t2\n",
     {0},
     "format: tsv\nheader: true\ncolumns: {text: \"text\", label: \"label\"}\n" ONE_TWO LOOK CUT},
    /* Empty lines, and a row without a label. */
    {"text\tlabel\nx\t1\n\ny\t2\nz\t\nv\t1\n",
     {0},
     "format: tsv\nheader: true\ncolumns: {text: \"text\", label: \"label\"}\n" ONE_TWO LOOK
     "incomplete: skip\nskip: \"\"\n" CUT},
    {"premise,hypothesis,gold_label\nx,y,no\nz,w,yes\n",
     {0},
     "format: csv\ndelimiter: comma\nheader: true\n"
     "columns: {text: \"premise\", pair: \"hypothesis\", label: \"gold_label\"}\n"
     "classes: [\"no\", \"yes\"]\n" LOOK CUT},
    {"{\"text\": \"x\", \"label\": 10, \"more\": [1]}\n{\"label\": 9, \"text\": \"y\"}\n",
     {0},
     "format: jsonl\ncolumns: {text: \"text\", label: \"label\"}\nclasses: [\"9\", \"10\"]\n" LOOK CUT},
    /* The names of the alphabet come as bytes do, numbers as numbers do. */
    {"text,label\nx,b\ny,10\nz,a\n",
     {0},
     "format: csv\ndelimiter: comma\nheader: true\ncolumns: {text: \"text\", label: \"label\"}\n"
     "classes: [\"10\", \"a\", \"b\"]\n" LOOK CUT},
    /* A name that two columns have is written as a number. */
    {"text,text,label\nx,u,1\ny,v,2\n",
     {.text = "2"},
     "format: csv\ndelimiter: comma\nheader: true\ncolumns: {text: 2, label: \"label\"}\n" ONE_TWO LOOK CUT},
    {"a,text,b,label\n1,x,u,1\n2,y,v,2\n",
     {.text = "b", .pair = "text"},
     "format: csv\ndelimiter: comma\nheader: true\ncolumns: {text: \"b\", pair: \"text\", label: \"label\"}\n" ONE_TWO
         LOOK CUT},
    {"[{\"text\": \"x\", \"seen\": true, \"label\": true}, {\"text\": \"y\", \"seen\": true, \"label\": false}]",
     {0},
     "format: jsonl\ncolumns: {text: \"text\", label: \"label\"}\nclasses: [\"false\", \"true\"]\nempty: skip\n"
     "split: {seed: 0, dev: 1}\nsplits:\n  train: {file: \"train\"}\n"},
};

/* Labels that are lists: a blank one is the empty list, and no value need be there twice. */
static void test_lists(void **state) {
  (void)state;
  static const char *const contents[] = {
      "text,labels\nx,\"a, b\"\ny,\nz,a\n",
      "{\"text\": \"x\", \"labels\": [\"b\", \"a\"]}\n{\"text\": \"y\", \"labels\": []}\n"};
  static const char *const forms[] = {"format: csv\ndelimiter: comma\nheader: true\n", "format: jsonl\n"};
  for (size_t i = 0; i < 2; i++) {
    const struct ad_detect_request request = {
        .file = {[AD_SPLIT_TRAIN] = "train"}, .folder = ".", .task = &ad_task_multi_label};
    struct ad_buffer text = {0};
    struct ad_descriptor d;
    char expected[300];
    write_text("train", contents[i]);
    assert_int_equal(detect(&request, &text), AD_OK);
    snprintf(expected, sizeof expected, "%scolumns: {text: \"text\", label: \"labels\"}\ntask: multi_label\n" LOOK CUT,
             forms[i]);
    assert_string_equal(strchr(text.data, '\n') + 1, expected);
    assert_int_equal(ad_descriptor_parse(&d, "./found.yaml", text.data, text.size), AD_OK);
    assert_int_equal(ad_descriptor_complete(&d, ".", NULL), AD_OK);
    assert_int_equal(d.class_count, 2);
    assert_string_equal(d.classes[0], "a");
    ad_descriptor_destroy(&d);
    ad_buffer_destroy(&text);
  }
}

static void test_good(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    const size_t live = ad_memory_stats().live_blocks;
    struct ad_buffer text = {0};
    struct ad_descriptor d;
    write_text("train", good[i].content);
    const struct ad_detect_request request = {.file = {"train"}, .folder = ".", .columns = good[i].asked};
    if (detect(&request, &text) != AD_OK) {
      fail_msg("case %zu: %s", i, ad_error_message());
    }
    assert_string_equal(strchr(text.data, '\n') + 1, good[i].expected);
    /* It is a descriptor. */
    assert_int_equal(ad_descriptor_parse(&d, "train.yaml", text.data, text.size), AD_OK);
    assert_null(d.idle);
    ad_descriptor_destroy(&d);
    ad_buffer_destroy(&text);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
}

static const struct {
  const char *content;
  struct ad_detect_columns asked;
  const char *what, *option;
} refusals[] = {
    {"", {0}, "train: the file is empty", ""},
    {"text\nx\ny\n", {0}, "found one column", "comma, semicolon or tab"},
    {"text,label\nx,1\ny,1\n", {0}, "\"label\" has 1 different value, expected at least 2", ""},
    {"text,label\nx,1\ny,2,3\n", {0}, "train:3: ", ""},
    {"text,more,label\nx,u,1\ny,v,2\nz,2\n", {0}, "train:4: found 2 columns, expected 3", ""},
    {"text,a,b\nx,1,u\ny,2,v\nz,1,u\nw,2,v\n", {0}, "may be the label: \"a\", \"b\"", "--label COLUMN"},
    {"text,sentiment,topic\nx,1,u\ny,2,v\nz,1,u\n", {0}, "may be the label: \"sentiment\", \"topic\"", "--label"},
    {"one,two,label\nx,u,1\ny,v,2\nz,w,1\n", {0}, "may be the text: \"one\", \"two\"", "--text COLUMN"},
    {"review,comment,label\nx,u,1\ny,v,2\nz,w,1\n", {0}, "may be the text: \"review\", \"comment\"", "--text"},
    {"text,words\nx,u\ny,v\nz,w\n", {0}, "no column is named like a label", "\"text\", \"words\""},
    {"n,label\n1,u\n2,v\n", {0}, "no column beside the label holds texts", "--text"},
    {"text,label\nx,1\ny,2\n", {.label = "stars"}, "no column \"stars\"", "\"text\", \"label\""},
    {"text,label\nx,1\ny,2\n", {.text = "3"}, "no column \"3\"", "--text"},
    {"text,label\nx,1\ny,2\n", {.text = "label", .label = "2"}, "name the same column", ""},
    {"text,label\n\"x,1\ny,2\n", {0}, "train:2: broken quotes", ""},
    {"text,label\nx,\xff\n", {0}, "train:2: invalid UTF-8", ""},
    {"{\"text\": \"x\"\n", {0}, "train:1: ", ""},
    {"text,label\n", {0}, "train: found a header and no rows", ""},
    {"\ntext,label\nx,1\n", {0}, "train:1: an empty line, expected the first row", ""},
    {"text,text,label\nx,u,1\ny,v,2\n", {0}, "may be the text: \"text\", \"text\"", "--text"},
    {"[{\"text\": \"x\", \"label\": [1]}, {\"text\": \"y\", \"label\": [2]}]", {0}, "an array or an object", ""},
    {"{\"text\": \"x\", \"label\": 1}\n{\"text\": \"y\"}\n{\"text\": \"z\", \"label\": 2}\n",
     {0},
     "missing, null or empty",
     ""},
    {"\xbf\xb5\xc8\xad\n", {0}, "train:1: invalid UTF-8", "CP949"},
};

static void test_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    const size_t live = ad_memory_stats().live_blocks;
    struct ad_buffer text = {0};
    write_text("train", refusals[i].content);
    const struct ad_detect_request request = {.file = {"train"}, .folder = ".", .columns = refusals[i].asked};
    const int status = detect(&request, &text);
    if (status >= 0 || strstr(ad_error_message(), refusals[i].what) == NULL ||
        strstr(ad_error_message(), refusals[i].option) == NULL) {
      fail_msg("case %zu: status %d, \"%s\", expected \"%s\" and \"%s\"", i, status, ad_error_message(),
               refusals[i].what, refusals[i].option);
    }
    ad_buffer_destroy(&text);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
}

/* Columns of more values than there are classes. */
static void test_many(void **state) {
  (void)state;
  struct ad_buffer rows = {0}, text = {0};
  assert_int_equal(ad_buffer_puts(&rows, "text,label\n"), AD_OK);
  for (int i = 0; i < 2 * AD_DETECT_MOST_CLASSES + 2; i++) {
    assert_int_equal(ad_buffer_printf(&rows, "word %d,%d\n", i, i / 2), AD_OK);
  }
  write_text("train", rows.data);
  const struct ad_detect_request request = {.file = {"train"}, .folder = "."};
  assert_int_equal(detect(&request, &text), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "more than 1000 different values"));
  ad_buffer_destroy(&rows);
  ad_buffer_destroy(&text);
}

/* Other files have their own form, their columns by train's names, and classes of their own. */
static void test_splits(void **state) {
  (void)state;
  struct ad_buffer text = {0};
  write_text("train", "text,label\nx,1\ny,2\n");
  write_text("dev", "label\ttext\n3\tx\n");
  write_text("test", "{\"text\": \"x\"}\n");
  struct ad_detect_request request = {.file = {"train", "dev", "test"}, .folder = "."};
  assert_int_equal(detect(&request, &text), AD_OK);
  assert_string_equal(strchr(text.data, '\n') + 1,
                      "format: csv\ndelimiter: comma\nheader: true\ncolumns: {text: \"text\", label: \"label\"}\n"
                      "classes: [\"1\", \"2\", \"3\"]\nempty: skip\nsplits:\n  train: {file: \"train\"}\n"
                      "  dev: {format: tsv, header: true, file: \"dev\"}\n"
                      "  test: {format: jsonl, columns: {text: \"text\"}, file: \"test\"}\n");
  struct ad_descriptor d;
  assert_int_equal(ad_descriptor_parse(&d, "d.yaml", text.data, text.size), AD_OK);
  assert_true(d.source[AD_SPLIT_DEV].labelled && !d.source[AD_SPLIT_TEST].labelled);
  ad_descriptor_destroy(&d);
  ad_buffer_clear(&text);
  write_text("dev", "text\nx\n");
  assert_int_equal(detect(&request, &text), AD_EINPUT);
  write_text("dev", "text,stars\nx,1\n");
  assert_int_equal(detect(&request, &text), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "dev: no column \"label\", which train has"));
  request.file[AD_SPLIT_DEV] = "nowhere";
  assert_int_equal(detect(&request, &text), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "nowhere"));
  ad_buffer_destroy(&text);
}

/* A file outside of the descriptor's folder is named from the root. */
static void test_places(void **state) {
  (void)state;
  struct ad_buffer text = {0};
  char *here = realpath(".", NULL), expected[4200];
  assert_int_equal(ad_make_folders("sub"), AD_OK);
  write_text("train", "text,label\nx,1\ny,2\n");
  const struct ad_detect_request request = {.file = {"./train"}, .folder = "sub"};
  assert_int_equal(detect(&request, &text), AD_OK);
  snprintf(expected, sizeof expected, "train: {file: \"%s/train\"}", here);
  assert_non_null(strstr(text.data, expected));
  free(here);
  ad_buffer_destroy(&text);
}

static void test_out_of_memory(void **state) {
  (void)state;
  static const char *const contents[] = {"n;text;label\n1;x;1\n\n2;y;2\n",
                                         "{\"text\": \"x\", \"label\": \"1\"}\n"
                                         "{\"text\": \"y\", \"label\": \"2\"}\n"};
  for (size_t c = 0; c < 2; c++) {
    write_text("train", contents[c]);
    int status = AD_ENOMEM;
    for (unsigned long n = 1; status == AD_ENOMEM; n++) {
      const size_t live = ad_memory_stats().live_blocks;
      struct ad_buffer text = {0};
      const struct ad_detect_request request = {.file = {"train"}, .folder = "."};
      ad_memory_fail_at(n);
      status = detect(&request, &text);
      ad_memory_fail_at(0);
      ad_buffer_destroy(&text);
      assert_int_equal(ad_memory_stats().live_blocks, live);
      assert_true(n < 2000);
    }
    assert_int_equal(status, AD_OK);
  }
}

/* --- Classes that a descriptor leaves to the data. */

#define LAYOUT "format: csv\nheader: true\ncolumns: {text: t, label: l}\n"

static void test_complete(void **state) {
  (void)state;
  struct ad_descriptor d, again;
  write_text("train.csv", "t,l\nx,10\ny,9\nz,-\n");
  write_text("own.yaml", LAYOUT "skip: \"-\"\nsplits: {train: {file: train.csv}}");
  assert_int_equal(ad_descriptor_load(&d, "./own.yaml", NULL), AD_OK);
  assert_string_equal(d.place, ".");
  assert_int_equal(ad_descriptor_complete(&d, NULL, NULL), AD_OK);
  assert_int_equal(d.class_count, 2);
  assert_string_equal(d.classes[0], "9");
  assert_string_equal(d.classes[1], "10");
  assert_string_equal(d.place, ".");
  /* The text says so, and is what a run keeps. */
  assert_int_equal(ad_descriptor_parse(&again, "own.yaml", d.text, d.size), AD_OK);
  assert_true(again.class_count == 2 && again.digest == d.digest);
  ad_descriptor_destroy(&again);
  /* The file that it was read from still means the same. */
  struct ad_buffer changes = {0};
  unsigned kinds;
  assert_int_equal(ad_descriptor_load(&again, "./own.yaml", NULL), AD_OK);
  assert_int_equal(ad_descriptor_compare(&d, &again, &changes, &kinds), AD_OK);
  assert_int_equal(kinds, 0);
  ad_buffer_destroy(&changes);
  ad_descriptor_destroy(&again);
  ad_descriptor_destroy(&d);

  /* Its folder is one beside it, where there is none in the current folder. */
  assert_int_equal(ad_make_folders("there/data"), AD_OK);
  write_text("there/own.yaml", LAYOUT "folder: data\nsplits: {train: {file: train.csv}}");
  assert_int_equal(ad_descriptor_load(&d, "there/own.yaml", NULL), AD_OK);
  assert_string_equal(d.place, "there/data");
  assert_string_equal(d.folder, "data");
  assert_string_equal(ad_descriptor_place(&d, "other"), "other");
  ad_descriptor_destroy(&d);
  assert_int_equal(ad_make_folders("data"), AD_OK);
  assert_int_equal(ad_descriptor_load(&d, "there/own.yaml", NULL), AD_OK);
  assert_string_equal(ad_descriptor_place(&d, ""), "data");
  ad_descriptor_destroy(&d);

  write_text("train.csv", "t,l\nx,1\ny,1\n");
  assert_int_equal(ad_descriptor_load(&d, "./own.yaml", NULL), AD_OK);
  assert_int_equal(ad_descriptor_complete(&d, NULL, NULL), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "found 1 different label,"));
  assert_int_equal(ad_descriptor_complete(&d, "nowhere", NULL), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "nowhere/train.csv"));
  ad_descriptor_destroy(&d);
}

/* --- Surveys. */

#define VOCABULARY "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nx\ny\nz\n"

static void test_survey(void **state) {
  (void)state;
  static const char about[] =
      "format: csv\nheader: false\ncolumns: {text: 1, label: 2}\nclasses: [a, b, c]\n"
      "splits: {train: {file: train.csv}, test: {file: test.csv}}\n";
  struct ad_descriptor d;
  struct ad_tokenizer *tokenizer;
  struct ad_dataset data[AD_SPLITS] = {{0}};
  struct ad_survey survey[AD_SPLITS];
  assert_int_equal(ad_descriptor_parse(&d, "d.yaml", about, strlen(about)), AD_OK);
  assert_int_equal(ad_tokenizer_create(&tokenizer, "vocab.txt", VOCABULARY, strlen(VOCABULARY), 0), AD_OK);
  /* X y is x y to this tokenizer, q is unknown as w is. */
  write_text("train.csv", "x y,a\nX y,b\nq z,a\nw z,a\nz,b\n");
  write_text("test.csv", "x y,a\ny,c\nv z,a\nx q q,a\n");
  const struct ad_read_options options = {.folder = ".", .labels = 1};
  assert_int_equal(ad_dataset_read(&data[AD_SPLIT_TRAIN], &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_int_equal(ad_dataset_read(&data[AD_SPLIT_TEST], &d, AD_SPLIT_TEST, &options, tokenizer), AD_OK);
  assert_int_equal(ad_survey_make(data, tokenizer, survey), AD_OK);
  const struct ad_survey *train = &survey[AD_SPLIT_TRAIN], *test = &survey[AD_SPLIT_TEST];
  assert_true(train->unknown_tokens == 2 && train->unknown_examples == 2);
  assert_true(train->repeated == 2 && train->contradicted == 1 && train->in_train == 0);
  assert_true(test->unknown_tokens == 3 && test->unknown_examples == 2);
  assert_true(test->repeated == 0 && test->contradicted == 0 && test->in_train == 2);
  assert_true(survey[AD_SPLIT_DEV].repeated == 0);
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status == AD_ENOMEM; n++) {
    const size_t live = ad_memory_stats().live_blocks;
    ad_memory_fail_at(n);
    status = ad_survey_make(data, tokenizer, survey);
    ad_memory_fail_at(0);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  assert_int_equal(status, AD_OK);
  struct ad_buffer text = {0};
  assert_int_equal(ad_survey_report(&d, data, survey, &text), AD_OK);
  /* 2 of 19 tokens: [CLS] and [SEP] of five texts beside nine words; 3 of 16. */
  assert_non_null(strstr(text.data, "train  unknown tokens 2 (10.53%), in 2 texts (40.00%); repeated 2\n"));
  assert_non_null(strstr(text.data, "unknown tokens 3 (18.75%), in 2 texts (50.00%); repeated 0; also in train 2\n"));
  ad_buffer_destroy(&text);
  ad_dataset_destroy(&data[AD_SPLIT_TRAIN]);
  ad_dataset_destroy(&data[AD_SPLIT_TEST]);
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&d);
}

/* A column of numbers, which has a name of its own among the known ones; without one the only one of numbers alone. */
static void test_numbers(void **state) {
  (void)state;
  static const struct {
    const char *content, *label; /* NULL: refused, with */
    const char *message;
  } cases[] = {
      {"review,id,Rating\nx,1,4.5\ny,2,3\nz,3,-1e-1\n", "Rating", NULL},
      {"text,other,n\nx,u,4.5\ny,v,3\nz,w,0\n", "n", NULL},
      {"text,score,label\nx,1,4.5\ny,2,3\nz,3,0\n", "label", NULL},
      {"text,label\nx,4.5\ny,n/a\nz,0\n", "label", NULL}, /* the reader says which row */
      {"text,label\nx,good\ny,bad\nz,bad\n", NULL, "the label column \"label\" has no numbers"},
      {"text,a,b\nx,1,2\ny,2,3\nz,3,4\n", NULL, "several columns may be the label: \"a\", \"b\""},
      {"text,other\nx,u\ny,v\nz,w\n", NULL, "no column holds numbers alone"},
  };
  const struct ad_detect_request request = {.file = {"train"}, .folder = ".", .task = &ad_task_regression};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_buffer text = {0};
    char wanted[80];
    write_text("train", cases[i].content);
    if (cases[i].label == NULL) {
      assert_int_equal(detect(&request, &text), AD_EINPUT);
      assert_non_null(strstr(ad_error_message(), cases[i].message));
    } else {
      assert_int_equal(detect(&request, &text), AD_OK);
      snprintf(wanted, sizeof wanted, "label: \"%s\"}\ntask: regression\n", cases[i].label);
      assert_non_null(strstr(text.data, wanted));
      assert_null(strstr(text.data, "classes:"));
    }
    ad_buffer_destroy(&text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers), cmocka_unit_test(test_good),          cmocka_unit_test(test_lists),
      cmocka_unit_test(test_refused), cmocka_unit_test(test_many),          cmocka_unit_test(test_splits),
      cmocka_unit_test(test_places),  cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_complete),
      cmocka_unit_test(test_survey),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
