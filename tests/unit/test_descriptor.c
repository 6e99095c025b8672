/* Descriptors: all those that are shipped, every key, and what is refused at which line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/descriptor.h"

#define ABOUT "title: T\nsource: S\nlicence: L\n"

static int parse(struct ad_descriptor *descriptor, const char *text) {
  return ad_descriptor_parse(descriptor, "folder/name.yaml", text, strlen(text));
}

static const char full[] = ABOUT
    "folder: data/here\n"
    "format: tsv\n"
    "header: false\n"
    "fields: 5\n"
    "columns: {text: [2, 4], pair: 3, label: 1}\n"
    "classes: [no, yes]\n"
    "labels: {\"0\": no, \"1\": yes, y: yes}\n"
    "skip: \"-\"\n"
    "empty: allow\n"
    "incomplete: skip\n"
    "split: {seed: 7, test: 20, dev: 10}\n"
    "splits:\n"
    "  train: {file: all.tsv, rows: 70, skipped: 3, digest: 00000000000000ff}\n"
    "  dev: {rows: 10}\n";

static void test_all_keys(void **state) {
  (void)state;
  struct ad_descriptor d;
  assert_int_equal(parse(&d, full), AD_OK);
  assert_string_equal(d.name, "name");
  assert_string_equal(d.path, "folder/name.yaml");
  assert_string_equal(d.title, "T");
  assert_string_equal(d.home, "S");
  assert_string_equal(d.licence, "L");
  assert_string_equal(d.folder, "data/here");
  assert_int_equal(d.class_count, 2);
  assert_string_equal(d.classes[1], "yes");
  assert_true(d.split_seed == 7);
  const struct ad_source *train = &d.source[AD_SPLIT_TRAIN], *dev = &d.source[AD_SPLIT_DEV],
                         *test = &d.source[AD_SPLIT_TEST];
  assert_int_equal(train->format, AD_FORMAT_TSV);
  assert_int_equal(train->fields, 5);
  assert_int_equal(train->text.count, 2);
  assert_int_equal(train->text.items[1].number, 4);
  assert_null(train->text.items[1].name);
  assert_int_equal(train->pair.items[0].number, 3);
  assert_true(train->labelled && train->empty == AD_EMPTY_ALLOW && train->skip_incomplete && !train->header);
  assert_int_equal(train->label_count, 3);
  assert_string_equal(train->labels[2].value, "y");
  assert_int_equal(train->labels[2].class_id, 1);
  assert_string_equal(train->skip, "-");
  /* test is cut first, then dev; train has the rest. */
  assert_true(train->shuffled && dev->shuffled && test->shuffled);
  assert_true(test->begin == 0 && test->end == 20);
  assert_true(dev->begin == 20 && dev->end == 30);
  assert_true(train->begin == 30 && train->end == SIZE_MAX);
  assert_string_equal(dev->file, "all.tsv");
  assert_string_equal(test->labels[2].value, "y");
  assert_true(train->expected.rows_known && train->expected.rows == 70 && train->expected.skipped == 3);
  assert_true(train->expected.digest_known && train->expected.digest == 0xff);
  assert_true(dev->expected.rows == 10 && !dev->expected.digest_known && !test->expected.rows_known);
  ad_descriptor_destroy(&d);
}

static void test_overrides(void **state) {
  (void)state;
  struct ad_descriptor d;
  assert_int_equal(
      parse(&d, ABOUT "format: csv\nheader: true\ncolumns: {text: t, label: l}\nclasses: [a, b]\n"
                      "splits:\n"
                      "  train: {file: x.csv}\n"
                      "  test: {file: y.jsonl, format: jsonl, columns: {text: [p, q]}, labels: {A: a, B: b}}\n"),
      AD_OK);
  const struct ad_source *train = &d.source[AD_SPLIT_TRAIN], *test = &d.source[AD_SPLIT_TEST];
  assert_true(ad_descriptor_has(&d, AD_SPLIT_TRAIN) && !ad_descriptor_has(&d, AD_SPLIT_DEV) &&
              ad_descriptor_has(&d, AD_SPLIT_TEST));
  assert_null(d.folder);
  assert_int_equal(train->format, AD_FORMAT_CSV);
  assert_true(train->header && train->labelled);
  assert_string_equal(train->labels[0].value, "a");
  assert_int_equal(test->format, AD_FORMAT_JSONL);
  assert_string_equal(test->text.items[1].name, "q");
  assert_false(test->labelled);
  assert_string_equal(test->labels[1].value, "B");
  ad_descriptor_destroy(&d);
}

/* What one's own data need not say. */
static void test_optional(void **state) {
  (void)state;
  struct ad_descriptor d;
  assert_int_equal(parse(&d,
                         "format: csv\ndelimiter: semicolon\nheader: true\ncolumns: {text: t, label: l}\n"
                         "skip: \"\"\nlicense: CC0\nsplits: {train: {file: x}}\n"),
                   AD_OK);
  assert_string_equal(d.title, "name");
  assert_string_equal(d.licence, "CC0");
  assert_null(d.home);
  assert_null(d.place);
  assert_int_equal(d.class_count, 0);
  assert_int_equal(d.source[AD_SPLIT_TRAIN].delimiter, AD_DELIMITER_SEMICOLON);
  assert_string_equal(d.source[AD_SPLIT_TRAIN].skip, "");
  ad_descriptor_destroy(&d);
  /* The labels name the classes, in their order. */
  assert_int_equal(parse(&d,
                         "format: tsv\nheader: true\ncolumns: {text: t, label: l}\n"
                         "labels: {p: good, n: bad, q: good}\nsplits: {train: {file: x}}\n"),
                   AD_OK);
  assert_int_equal(d.class_count, 2);
  assert_string_equal(d.classes[0], "good");
  assert_string_equal(d.classes[1], "bad");
  assert_int_equal(d.source[AD_SPLIT_TRAIN].labels[2].class_id, 0);
  ad_descriptor_destroy(&d);
}

#define TABLE ABOUT "format: tsv\nheader: true\ncolumns: {text: t, label: l}\n"
#define CLASSES "classes: [a, b]\n"
#define TRAIN "splits: {train: {file: x}}\n"

static const struct {
  const char *text, *place, *what;
} refusals[] = {
    {"[1, 2]", ":1:", "expected keys and values, found a list"},
    {"", ":1:", "\"splits\" is missing"},
    {"title: @x\n", ":1:", "malformed YAML"},
    {"title: {a: b}\n", ":1:", "title: expected a text"},
    {"title: ''\n", ":1:", "title: expected a text"},
    {"title: T\nlicence: L\nlicense: L\n", ":3:", "expected one of them"},
    {"tilte: T\n", ":1:", "unknown key \"tilte\""},
    {ABOUT "format: folder\n" TRAIN, ":1:", "\"classes\" is missing"},
    {"format: tsv\nheader: true\ncolumns: {text: t}\n" TRAIN, ":1:", "\"classes\" is missing"},
    {TABLE "labels: {0: a, 1: a}\n" TRAIN, ":7:", "at least two classes"},
    {TABLE CLASSES "delimiter: dot\n" TRAIN, ":8:", "expected one of: comma, semicolon, tab"},
    {TABLE CLASSES "skip:\n" TRAIN, ":8:", "in quotes where it is empty"},
    {TABLE "classes: a\n" TRAIN, ":7:", "at least two names"},
    {TABLE "classes: [a]\n" TRAIN, ":7:", "at least two names"},
    {TABLE "classes: [a, a]\n" TRAIN, ":7:", "\"a\" is there twice"},
    {TABLE "classes: [a, [b]]\n" TRAIN, ":7:", "classes: expected a text"},
    {TABLE CLASSES, ":1:", "\"splits\" is missing"},
    {TABLE CLASSES "splits: {}\n", ":8:", "expected train, dev or test"},
    {TABLE CLASSES "splits: {training: {file: x}}\n", ":8:", "unknown key \"training\""},
    {TABLE CLASSES "splits: {train: x}\n", ":8:", "expected a mapping"},
    {TABLE CLASSES "splits: {train: {rows: 1}}\n", ":8:", "\"file\" of a split is missing"},
    {TABLE CLASSES "splits:\n  train:\n    file: x\n    row: 1\n", ":11:", "unknown key \"row\""},
    {TABLE CLASSES "splits: {train: {file: x, rows: -1}}\n", ":8:", "rows: expected a whole number"},
    {TABLE CLASSES "splits: {train: {file: x, rows: 1e3}}\n", ":8:", "found \"1e3\""},
    {TABLE CLASSES "splits: {train: {file: x, rows: [1]}}\n", ":8:", "rows: expected a whole number"},
    {TABLE CLASSES "splits: {train: {file: x, rows: 9999999999999999999}}\n", ":8:", "at most 18 digits"},
    {TABLE CLASSES "splits: {train: {file: x, digest: 12}}\n", ":8:", "16 hexadecimal digits"},
    {TABLE CLASSES "splits: {train: {file: x, digest: 00000000000000FF}}\n", ":8:", "16 hexadecimal digits"},
    {TABLE CLASSES "empty: yes\n" TRAIN, ":8:", "empty: found \"yes\", expected one of: refuse, allow, skip"},
    {TABLE CLASSES "incomplete: [skip]\n" TRAIN,
     ":8:", "incomplete: found \"a list or mapping\", expected one of: refuse, skip"},
    {TABLE CLASSES "labels: {0: a}\n" TRAIN, ":8:", "no value stands for the class \"b\""},
    {TABLE CLASSES "labels: {0: a, 1: c}\n" TRAIN, ":8:", "\"1\" stands for \"c\""},
    {TABLE CLASSES "labels: [a, b]\n" TRAIN, ":8:", "labels: expected a mapping"},
    {TABLE CLASSES "split: {seed: 1}\n" TRAIN, ":8:", "expected a seed and the rows"},
    {TABLE CLASSES "split: {dev: 1}\n" TRAIN, ":8:", "expected a seed and the rows"},
    {TABLE CLASSES "split: {seed: 1, dev: 0}\n" TRAIN, ":8:", "split: 0 rows for dev"},
    {TABLE CLASSES "split: {seed: x, dev: 1}\n" TRAIN, ":8:", "split.seed: expected a whole number"},
    {TABLE CLASSES "split: {seed: 1, train: 5}\n" TRAIN, ":8:", "unknown key \"train\""},
    {TABLE CLASSES "split: {seed: 1, dev: 5}\nsplits: {test: {file: x}}\n", ":8:", "no train split to cut"},
    {TABLE CLASSES "split: {seed: 1, dev: 5}\nsplits: {train: {file: x}, dev: {file: y}}\n",
     ":9:", "unknown key \"file\" in a split that is cut out of train"},
    {ABOUT "header: true\ncolumns: {text: t}\n" CLASSES TRAIN, ":1:", "\"format\" is missing"},
    {ABOUT "format: xml\n" CLASSES TRAIN, ":4:", "found \"xml\""},
    {ABOUT "format: tsv\ncolumns: {text: t}\n" CLASSES TRAIN, ":1:", "\"header\" is missing"},
    {ABOUT "format: tsv\nheader: maybe\ncolumns: {text: t}\n" CLASSES TRAIN,
     ":5:", "header: found \"maybe\", expected one of: false, true"},
    {ABOUT "format: tsv\nheader: true\n" CLASSES TRAIN, ":1:", "\"columns\" is missing"},
    {ABOUT "format: tsv\nheader: true\ncolumns: {label: t}\n" CLASSES TRAIN, ":6:", "\"text\" is missing"},
    {ABOUT "format: tsv\nheader: true\ncolumns: {texts: t}\n" CLASSES TRAIN, ":6:", "unknown key \"texts\""},
    {ABOUT "format: tsv\nheader: true\ncolumns: {text: []}\n" CLASSES TRAIN, ":6:", "a list of at most 16 columns"},
    {ABOUT "format: tsv\nheader: true\ncolumns: {text: 0}\n" CLASSES TRAIN, ":6:", "no column 0"},
    {ABOUT "format: tsv\nheader: false\ncolumns: {text: t}\n" CLASSES TRAIN, ":6:", "has no column names"},
    {ABOUT "format: tsv\nheader: false\nfields: 2\ncolumns: {text: 3}\n" CLASSES TRAIN, ":7:", "no column 3"},
    {ABOUT "format: jsonl\ncolumns: {text: 1}\n" CLASSES TRAIN, ":5:", "has no column numbers"},
    {ABOUT "format: tsv\nheader: true\ncolumns: {text: t, label: [u, v]}\n" CLASSES TRAIN,
     ":6:", "columns.label: found 2 columns, expected one, as the task is classification"},
    {ABOUT "format: tsv\nheader: true\ncolumns: {text: t, label: []}\n" CLASSES TRAIN,
     ":6:", "columns.label: expected a column or a list of at most 1000 columns"},
    {ABOUT "format: tsv\nheader: true\ncolumns: {text: t, label: l}\nseparator: \",\"\n" CLASSES TRAIN,
     ":7:", "separator: a label of the task classification is one class"},
    {ABOUT "format: tsv\nheader: true\ncolumns: {text: t, probabilities: [u]}\n" CLASSES TRAIN,
     ":6:", "columns.probabilities: found 1 column, expected 2, one for each class"},
    {ABOUT "format: tsv\nheader: true\ncolumns: {text: t, label: l, probabilities: p}\n" TRAIN,
     ":6:", "columns.probabilities: the key \"classes\" is missing"},
    {ABOUT "format: tsv\nheader: false\ncolumns: {text: 1, probabilities: p}\n" CLASSES TRAIN,
     ":6:", "has no column names"},
    {ABOUT "format: folder\ncolumns: {text: t}\n" CLASSES TRAIN, ":5:", "this format has none"},
};

static void test_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    const size_t live = ad_memory_stats().live_blocks;
    struct ad_descriptor d;
    char place[64];
    snprintf(place, sizeof place, "folder/name.yaml%s", refusals[i].place);
    const int status = parse(&d, refusals[i].text);
    if (status != AD_EINPUT || strncmp(ad_error_message(), place, strlen(place)) != 0 ||
        strstr(ad_error_message(), refusals[i].what) == NULL) {
      fail_msg("case %zu: status %d, \"%s\", expected \"%s\" and \"%s\"", i, status, ad_error_message(), place,
               refusals[i].what);
    }
    assert_null(d.name);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
}

static void test_out_of_memory(void **state) {
  (void)state;
  const size_t live = ad_memory_stats().live_blocks;
  unsigned long n = 1;
  for (;; n++) {
    struct ad_descriptor d;
    ad_memory_fail_at(n);
    const int status = parse(&d, full);
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      ad_descriptor_destroy(&d);
      break;
    }
    assert_int_equal(status, AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  assert_true(n > 50);
  assert_int_equal(ad_memory_stats().live_blocks, live);
}

static void test_hold_out(void **state) {
  (void)state;
  struct ad_descriptor d;
  assert_int_equal(parse(&d, TABLE CLASSES "splits: {train: {file: x, rows: 100, skipped: 2}, test: {file: y}}\n"),
                   AD_OK);
  assert_int_equal(ad_descriptor_hold_out(&d, 0, 1), AD_ECONFIG);
  assert_int_equal(ad_descriptor_hold_out(&d, 100, 1), AD_ECONFIG);
  const size_t live = ad_memory_stats().live_blocks;
  for (unsigned long n = 1;; n++) {
    ad_memory_fail_at(n);
    const int status = ad_descriptor_hold_out(&d, 10, 5);
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      assert_true(n > 5);
      break;
    }
    assert_int_equal(status, AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, live);
    assert_false(ad_descriptor_has(&d, AD_SPLIT_DEV));
    assert_false(d.source[AD_SPLIT_TRAIN].shuffled);
  }
  const struct ad_source *train = &d.source[AD_SPLIT_TRAIN], *dev = &d.source[AD_SPLIT_DEV];
  assert_true(d.split_seed == 5 && dev->shuffled && train->shuffled);
  assert_true(dev->begin == 0 && dev->end == 10 && train->begin == 10 && train->end == SIZE_MAX);
  assert_true(dev->expected.rows == 10 && dev->expected.skipped == 2 && train->expected.rows == 90);
  assert_string_equal(dev->file, "x");
  assert_string_equal(dev->text.items[0].name, "t");
  assert_false(d.source[AD_SPLIT_TEST].shuffled);
  assert_int_equal(ad_descriptor_hold_out(&d, 10, 5), AD_ECONFIG);
  ad_descriptor_destroy(&d);
}

/* One change of the full descriptor, what it changes, and how it is told. */
static void test_compare(void **state) {
  (void)state;
  static const struct {
    const char *from, *to, *told;
    unsigned kinds;
  } cases[] = {
      {"title: T", "title: T", "", 0},
      {"title: T", "title: T # a note", "", 0},
      {"title: T", "title: U", "the title was T, is U", AD_CHANGED_ABOUT},
      {"rows: 70", "rows: 71",
       "the expected rows, skipped rows and digest of train was 70, 3 and 00000000000000ff, is 71, 3 and "
       "00000000000000ff",
       AD_CHANGED_ABOUT},
      {"[no, yes]", "[yes, no]", "class 0 was no, is yes", AD_CHANGED_CLASSES},
      {"{\"0\": no, \"1\": yes}", "{\"1\": yes, \"0\": no}", "", 0},
      {"\"0\": no", "\"2\": no, \"0\": no",
       "the label \"2\" of train was (nothing), is no; the label \"2\" of test was (nothing), is no",
       AD_CHANGED_CLASSES},
      {"text: b", "text: [b, a]",
       "the layout of test was csv with a header, text b, is csv with a header, text b and a", AD_CHANGED_TEXTS},
      {"label: l", "label: m", "the label column of test was l, is m", AD_CHANGED_CLASSES},
      {"skip: x", "skip: y",
       "the rows of train was t.csv, empty: refuse, incomplete: refuse, skip: x, is t.csv, empty: refuse, incomplete: "
       "refuse, skip: y",
       AD_CHANGED_ROWS},
      {"file: d.csv", "file: e.csv, empty: skip",
       "the rows of test was d.csv, empty: refuse, incomplete: refuse, is e.csv, empty: skip, incomplete: refuse",
       AD_CHANGED_ROWS},
  };
  static const char text[] =
      "title: T\nsource: S\nlicence: L\nformat: csv\nheader: true\ncolumns: {text: a, pair: c, label: k}\nclasses: "
      "[no, yes]\n"
      "labels: {\"0\": no, \"1\": yes}\n"
      "splits:\n  train: {file: t.csv, rows: 70, skipped: 3, digest: 00000000000000ff, skip: x}\n"
      "  test: {file: d.csv, columns: {text: b, label: l}}\n";
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_descriptor was, is;
    struct ad_buffer changed = {0}, told = {0};
    unsigned kinds;
    const char *at = strstr(text, cases[i].from);
    assert_non_null(at);
    assert_int_equal(
        ad_buffer_printf(&changed, "%.*s%s%s", (int)(at - text), text, cases[i].to, at + strlen(cases[i].from)), AD_OK);
    assert_int_equal(parse(&was, text), AD_OK);
    assert_int_equal(parse(&is, changed.data), AD_OK);
    assert_int_equal(ad_descriptor_compare(&was, &is, &told, &kinds), AD_OK);
    assert_string_equal(told.data, cases[i].told);
    assert_int_equal(kinds, cases[i].kinds);
    ad_descriptor_destroy(&was);
    ad_descriptor_destroy(&is);
    ad_buffer_destroy(&changed);
    ad_buffer_destroy(&told);
  }
}

static void test_load(void **state) {
  (void)state;
  struct ad_descriptor d;
  char folder[1000], path[1100];
  snprintf(folder, sizeof folder, "%s/datasets", getenv("AD_SOURCE"));
  assert_int_equal(ad_descriptor_load(&d, "imdb", folder), AD_OK);
  assert_string_equal(d.name, "imdb");
  ad_descriptor_destroy(&d);
  snprintf(path, sizeof path, "%s/imdb.yaml", folder);
  assert_int_equal(ad_descriptor_load(&d, path, NULL), AD_OK);
  ad_descriptor_destroy(&d);
  assert_int_equal(ad_descriptor_load(&d, "imdbb", folder), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "no data set \"imdbb\""));
  assert_non_null(strstr(ad_error_message(), "agnews, agnews-10k, dbpedia"));
  assert_int_equal(ad_descriptor_load(&d, "imdb", "no/such/folder"), AD_EINPUT);
  assert_int_equal(ad_descriptor_load(&d, "no/such.yaml", NULL), AD_EINPUT);
  assert_int_equal(ad_descriptor_load(&d, "none.yaml", NULL), AD_EINPUT);
  const size_t live = ad_memory_stats().live_blocks;
  for (unsigned long n = 1; n < 60; n++) {
    ad_memory_fail_at(n);
    const int status = ad_descriptor_load(&d, "imdbb", folder);
    ad_memory_fail_at(0);
    assert_true(status == AD_ENOMEM || status == AD_EINPUT);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
}

/* Every descriptor of the folder loads; the row counts are those that the data sets' papers give. */
static void test_shipped(void **state) {
  (void)state;
  static const struct {
    const char *name;
    size_t classes, rows[AD_SPLITS];
  } known[] = {
      {"imdb", 2, {25000, 0, 25000}},
      {"agnews", 4, {120000, 0, 7600}},
      {"dbpedia", 14, {560000, 0, 70000}},
      {"yelp-polarity", 2, {560000, 0, 38000}},
      {"yelp-full", 5, {650000, 0, 50000}},
      {"snli", 3, {549367, 9842, 9824}},
      {"mnli", 3, {392702, 9815, 0}},
      {"mnli-mm", 3, {392702, 9832, 0}},
      {"glue-cola", 2, {8551, 1043, 1063}},
      {"glue-sst2", 2, {67349, 872, 1821}},
      {"glue-mrpc", 2, {3668, 408, 1725}},
      {"glue-qqp", 2, {363846, 40430, 390965}},
      {"glue-stsb", 0, {5749, 1500, 1379}},
      {"korsts", 0, {5749, 1500, 1379}},
      {"glue-mnli", 3, {392702, 9815, 9796}},
      {"glue-mnli-mm", 3, {392702, 9832, 9847}},
      {"glue-qnli", 2, {104743, 5463, 5463}},
      {"glue-rte", 2, {2490, 277, 3000}},
      {"glue-wnli", 2, {635, 71, 146}},
      {"nsmc", 2, {150000, 0, 50000}},
      {"klue-ynat", 7, {45678, 9107, 0}},
      {"klue-nli", 3, {24998, 3000, 0}},
      {"kornli", 3, {942854, 2490, 5010}},
      {"sst2-labelled", 2, {60614, 6735, 872}},
      {"agnews-10k", 4, {9001, 1000, 7600}},
      {"snli-cut", 3, {1073, 200, 1254}},
      {"wordnet-nouns", 26, {78115, 2000, 2000}},
      {"wordnet-nouns-dev-500", 26, {79615, 500, 2000}},
      {"sst2-phrases", 2, {60414, 200, 6735}},
      {"wordnet-nouns-test-8000", 26, {73615, 500, 8000}},
  };
  char folder[1000];
  snprintf(folder, sizeof folder, "%s/datasets", getenv("AD_SOURCE"));
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    struct ad_descriptor d;
    if (ad_descriptor_load(&d, known[i].name, folder) != AD_OK) {
      fail_msg("%s", ad_error_message());
    }
    assert_int_equal(d.class_count, known[i].classes);
    for (int s = 0; s < AD_SPLITS; s++) {
      assert_int_equal(ad_descriptor_has(&d, s), known[i].rows[s] > 0);
      assert_int_equal(d.source[s].expected.rows, known[i].rows[s]);
    }
    ad_descriptor_destroy(&d);
  }
  size_t files = 0;
  DIR *listing = opendir(folder);
  for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    files += strstr(entry->d_name, ".yaml") != NULL;
  }
  closedir(listing);
  assert_int_equal(files, sizeof known / sizeof *known);
}

/* Keys that change nothing are noted with their line; all others are not. */
static void test_idle(void **state) {
  (void)state;
  static const char columns[] = "columns: {text: t, label: l}\n", classes[] = "classes: [a, b]\n";
  static const struct {
    const char *text, *noted; /* noted: "" nothing */
  } cases[] = {
      {"format: tsv\nheader: true\nincomplete: skip\nskip: x\nempty: allow\nsplits: {train: {file: x}}\n", ""},
      {"format: tsv\nheader: true\nfields: 2\nsplits: {train: {file: x}}\n", ":8: fields has no effect"},
      {"format: jsonl\nheader: true\nsplits: {train: {file: x}}\n", ":7: header has no effect: only tables"},
      {"format: jsonl\nsplits: {train: {file: x, fields: 3}}\n", ":7: fields has no effect"},
      {"format: jsonl\nincomplete: skip\nsplits: {train: {file: x}}\n", ""},
      {"format: tsv\nheader: true\nsplits: {train: {file: x, header: false, columns: {text: 1, label: 2}}}\n",
       ":7: header has no effect: each split has its own"},
      {"format: tsv\nheader: true\nfields: 2\nsplits: {train: {file: x}, dev: {file: y, header: false, columns: {text: "
       "1}}}\n",
       ""},
      {"format: jsonl\nlabels: {\"1\": a, \"2\": b}\nsplits: {train: {file: x}, test: {file: y, columns: {text: t}}}\n",
       ""},
      {"format: jsonl\nsplits: {train: {file: x}, test: {file: y, columns: {text: t}, skip: z}}\n",
       ":7: skip has no effect: the file has no labels"},
      {"format: folder\nsplits: {train: {file: x, skip: z, incomplete: skip}}\n", ":6: skip has no effect"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_descriptor d;
    char text[600];
    const int folder = strncmp(cases[i].text, "format: folder", 14) == 0;
    snprintf(text, sizeof text, ABOUT "%s%s%s", classes, folder ? "" : columns, cases[i].text);
    assert_int_equal(parse(&d, text), AD_OK);
    const char *noted = d.idle == NULL ? "" : d.idle;
    if (cases[i].noted[0] == '\0' ? noted[0] != '\0' : strstr(noted, cases[i].noted) == NULL) {
      fail_msg("noted '%s', expected '%s' of:\n%s", noted, cases[i].noted, text);
    }
    ad_descriptor_destroy(&d);
  }
}

/* Each split has a name, and a key of the configuration that names another file. */
static void test_splits(void **state) {
  (void)state;
  struct ad_config config;
  assert_int_equal(ad_config_create(&config), AD_OK);
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    char key[32];
    snprintf(key, sizeof key, "data.%s", ad_split_name(s));
    assert_string_equal(ad_split_key(s), key);
    assert_int_equal(ad_split_find(ad_split_name(s)), s);
    assert_null(ad_split_file(&config, s));
    assert_int_equal(ad_config_set(&config, "test", key, ad_split_name(s)), AD_OK);
    assert_string_equal(ad_split_file(&config, s), ad_split_name(s));
  }
  assert_int_equal(ad_split_find("devs"), AD_SPLITS);
  ad_config_destroy(&config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_keys), cmocka_unit_test(test_overrides),     cmocka_unit_test(test_optional),
      cmocka_unit_test(test_refused),  cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_hold_out),
      cmocka_unit_test(test_compare),  cmocka_unit_test(test_load),          cmocka_unit_test(test_shipped),
      cmocka_unit_test(test_idle),     cmocka_unit_test(test_splits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
