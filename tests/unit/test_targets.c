/* Labels that are probabilities of the classes, of tables and of JSON lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"
#include "support/scratch.h"

static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n";
static struct ad_tokenizer *tokenizer;

static struct ad_descriptor parse(const char *yaml) {
  struct ad_descriptor d;
  if (ad_descriptor_parse(&d, "name.yaml", yaml, strlen(yaml)) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  return d;
}

static const struct ad_read_options here = {.folder = ".", .labels = 1};

#define SOFT(columns)                                                          \
  "classes: [no, yes]\nformat: csv\nheader: true\ncolumns: {text: t, " columns \
  "}\nskip: \"\"\n"                                                            \
  "splits: {train: {file: x}, dev: {file: x}}\n"
#define SOFT_JSON(columns) \
  "classes: [no, yes]\nformat: jsonl\ncolumns: {text: t, " columns "}\nsplits: {train: {file: x}, dev: {file: x}}\n"

static void check_soft(const char *yaml, const char *content, uint32_t first_label) {
  static const float targets[] = {0.25f, 0.75f, 1.0f, 0.0f};
  struct ad_descriptor d = parse(yaml);
  struct ad_dataset set;
  assert_int_equal(ad_file_write("x", content, strlen(content)), AD_OK);
  for (enum ad_split split = AD_SPLIT_TRAIN; split <= AD_SPLIT_DEV; split++) {
    if (ad_dataset_read(&set, &d, split, &here, tokenizer) != AD_OK) {
      fail_msg("%s", ad_error_message());
    }
    assert_true(set.count == 2 && set.label[0] == first_label && set.label[1] == 0);
    assert_int_equal(set.targets != NULL, split == AD_SPLIT_TRAIN);
    if (split == AD_SPLIT_TRAIN) {
      assert_memory_equal(set.targets, targets, sizeof targets);
    }
    ad_dataset_destroy(&set);
  }
  ad_descriptor_destroy(&d);
}

static void test_soft(void **state) {
  (void)state;
  check_soft(SOFT("probabilities: [n, y]"), "y,t,n\n0.75,a,0.25\n,b,\n0,b,1\n", 1);
  check_soft(SOFT("probabilities: p"), "p.yes,t,p.no\n.75,a,2.5e-1\n0,b, 1 \n", 1);
  check_soft(SOFT("label: l, probabilities: p"), "l,p.yes,t,p.no\nno,.75,a,2.5e-1\nno,0,b,1\n", 0);
  check_soft(SOFT_JSON("probabilities: p"),
             "{\"t\": \"a\", \"p\": {\"yes\": 0.75, \"no\": 0.25}}\n{\"t\": \"b\", \"p.no\": 1, \"p.yes\": 0}\n", 1);
  check_soft(SOFT_JSON("probabilities: [p]"), "{\"t\": \"a\", \"p\": [0.25, 0.75]}\n{\"t\": \"b\", \"p\": [1.0, 0]}\n",
             1);
  /* Divided by their sum: 0.2501 / 1.0004 is 1/4. */
  check_soft(SOFT("probabilities: p"), "t,p.no,p.yes\na,0.2501,0.7503\nb,0.9991,0\n", 1);
}

static void test_soft_refused(void **state) {
  (void)state;
  static const struct {
    const char *yaml, *content, *what;
  } cases[] = {
      {SOFT("probabilities: p"), "t,p.no,p.yes\na,nan,1\n",
       "x:2: the probability of the class \"no\" is \"nan\", expected a number from 0 to 1"},
      {SOFT("probabilities: p"), "t,p.no,p.yes\na,0,1\nb,-0.1,1.1\n",
       "x:3: the probability of the class \"no\" is \"-0.1\""},
      {SOFT("probabilities: p"), "t,p.no,p.yes\na,0.5,half\n", "x:2: the probability of the class \"yes\" is \"half\""},
      {SOFT("probabilities: p"), "t,p.no,p.yes\na,inf,0\n", "x:2: the probability of the class \"no\" is \"inf\""},
      {SOFT("probabilities: p"), "t,p.no,p.yes\na,0.5,0.4\n",
       "x:2: the probabilities of the classes add up to 0.9, expected 1"},
      {SOFT("probabilities: p"), "t,p.no,p.yes\na,0,0\n",
       "x:2: the probabilities of the classes add up to 0, expected 1"},
      {SOFT("probabilities: p"), "t,p.no,p.maybe\na,0,1\n",
       "x:1: no column \"p.yes\"; the header has: t, p.no, p.maybe"},
      {SOFT("label: l, probabilities: p"), "t,l,p.no,p.yes\na,x,0,1\n",
       "x:2: unknown label \"x\", expected one of: no, yes"},
      {SOFT_JSON("probabilities: [p]"), "{\"t\": \"a\", \"p\": [0.5, 0.25, 0.25]}\n",
       "x:1: found 3 probabilities, expected 2, one for each class"},
      {SOFT_JSON("probabilities: p"), "{\"t\": \"a\", \"p\": {\"no\": 1}}\n", "x:1: no key \"p.yes\" in the object"},
      {SOFT_JSON("probabilities: p"), "{\"t\": \"a\", \"p\": null}\n", "x:1: no key \"p.no\" in the object"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_descriptor d = parse(cases[i].yaml);
    struct ad_dataset set;
    const size_t live = ad_memory_stats().live_blocks;
    assert_int_equal(ad_file_write("x", cases[i].content, strlen(cases[i].content)), AD_OK);
    assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &here, tokenizer), AD_EINPUT);
    if (strstr(ad_error_message(), cases[i].what) == NULL) {
      fail_msg("\"%s\", expected \"%s\"", ad_error_message(), cases[i].what);
    }
    assert_int_equal(ad_memory_stats().live_blocks, live);
    ad_descriptor_destroy(&d);
  }
}

/* Whichever allocation fails, the status says so and nothing is left. */
static void test_out_of_memory(void **state) {
  (void)state;
  static const char yaml[] = SOFT("probabilities: p"), content[] = "t,p.no,p.yes\na,0.25,0.75\nb,1,0\n";
  const size_t live = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  assert_int_equal(ad_file_write("x", content, sizeof content - 1), AD_OK);
  for (unsigned long n = 1; status != AD_OK; n++) {
    struct ad_descriptor d;
    struct ad_dataset set;
    ad_memory_fail_at(n);
    status = ad_descriptor_parse(&d, "name.yaml", yaml, sizeof yaml - 1);
    if (status == AD_OK) {
      status = ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &here, tokenizer);
      ad_descriptor_destroy(&d);
    }
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      ad_dataset_destroy(&set);
    }
    assert_true(status == AD_OK || status == AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_soft), cmocka_unit_test(test_soft_refused),
                                     cmocka_unit_test(test_out_of_memory)};
  if (ad_tokenizer_create(&tokenizer, "tiny", vocabulary, sizeof vocabulary - 1, 0) != AD_OK) {
    return 1;
  }
  const int failed = cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
  ad_tokenizer_destroy(tokenizer);
  return failed;
}
