/* Several data sets as one: a list of descriptors, what a configuration says of each, the file that a run keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"
#include "autodidact/data/joint.h"
#include "autodidact/task/heads.h"

#define FOLDER "test_joint_folder"

static void write_text(const char *path, const char *content) {
  assert_int_equal(ad_file_write(path, content, strlen(content)), AD_OK);
}

static int set_up(void **state) {
  (void)state;
  assert_int_equal(system("rm -rf " FOLDER), 0);
  assert_int_equal(ad_make_folders(FOLDER "/data"), AD_OK);
  /* The first is complete; the second leaves its classes to the data, and begins with marks that a part cannot have. */
  write_text(FOLDER "/mood.yaml",
             "title: Moods\nformat: tsv\nheader: true\ncolumns: {text: t, label: l}\n"
             "classes: [low, high]\nsplits:\n  train: {file: mood.tsv, rows: 2}\n");
  write_text(FOLDER "/nli.yaml",
             "\xEF\xBB\xBF---\nformat: csv\nheader: true\n\n# two texts\ncolumns:\n  text: a\n"
             "  pair: b\n  label: l\nfolder: elsewhere\n"
             "splits: {train: {file: nli.csv}, dev: {file: nli.csv}}");
  write_text(FOLDER "/mood.tsv", "t\tl\nx\tlow\ny\thigh\n");
  write_text(FOLDER "/data/nli.csv", "a,b,l\np,q,yes\nr,s,maybe\nt,u,no\n");
  write_text(FOLDER "/data/other.tsv", "t\tl\nz\thigh\n");
  return 0;
}

static int clean_up(void **state) {
  (void)state;
  return system("rm -rf " FOLDER);
}

static struct ad_config configure(const char *const *words) {
  struct ad_config config;
  assert_int_equal(ad_config_create(&config), AD_OK);
  for (; *words != NULL; words++) {
    assert_int_equal(ad_config_override(&config, *words), AD_OK);
  }
  return config;
}

static const char *const two[] = {"data.descriptor=" FOLDER "/mood.yaml," FOLDER "/nli.yaml",
                                  "data.folder=," FOLDER "/data", "data.dev=" FOLDER "/data/other.tsv,", NULL};

static void check_joint(const struct ad_descriptor *d) {
  static const char *const classes[] = {"mood/low", "mood/high", "nli/maybe", "nli/no", "nli/yes"};
  assert_string_equal(d->name, "mood+nli");
  assert_string_equal(d->title, "Moods; nli");
  assert_int_equal(d->set_count, 2);
  assert_int_equal(d->class_count, 5);
  for (size_t c = 0; c < 5; c++) {
    assert_string_equal(d->classes[c], classes[c]);
  }
  assert_int_equal(ad_heads_logits(d->task->heads), 5);
  assert_string_equal(d->task->heads->head[1].name, "nli");
  assert_int_equal(d->task->heads->head[1].first, 2);
  assert_true(ad_descriptor_has(d, AD_SPLIT_DEV) && !ad_descriptor_has(d, AD_SPLIT_TEST));
  assert_int_equal(ad_descriptor_pairs(d), 1);
}

static void test_list(void **state) {
  (void)state;
  struct ad_config config = configure(two);
  struct ad_descriptor d, again;
  assert_int_equal(ad_config_has_sets(&config), 1);
  assert_int_equal(ad_descriptor_configure(&d, &config, NULL), AD_OK);
  check_joint(&d);
  /* What the configuration says of each. */
  assert_string_equal(d.sets[1].place, FOLDER "/data");
  assert_true(d.sets[0].source[AD_SPLIT_DEV].file[0] == '/');
  assert_string_equal(ad_path_name(d.sets[0].source[AD_SPLIT_DEV].file), "other.tsv");
  assert_int_equal(d.sets[0].source[AD_SPLIT_TRAIN].expected.rows, 2);
  assert_int_equal(d.sets[0].source[AD_SPLIT_DEV].expected.rows_known, 0);
  /* The text says the same, without files of the configuration. */
  assert_int_equal(ad_descriptor_parse(&again, "kept.yaml", d.text, d.size), AD_OK);
  assert_true(again.digest == d.digest && again.task == d.task);
  assert_string_equal(again.classes[4], "nli/yes");
  assert_false(ad_descriptor_has(&again.sets[0], AD_SPLIT_DEV));
  assert_string_equal(again.sets[1].folder, "elsewhere");
  assert_int_equal(ad_descriptor_choose(&again, "none"), AD_ECONFIG);
  assert_string_equal(ad_error_message(), "the task is 'none', expected one of: mood, nli");
  assert_int_equal(ad_descriptor_choose(&again, "nli"), AD_OK);
  assert_true(again.set_count == 0 && again.class_count == 3);
  assert_int_equal(ad_descriptor_choose(&again, "nli"), AD_OK);
  assert_int_equal(ad_descriptor_choose(&again, "mood"), AD_ECONFIG);
  assert_string_equal(ad_error_message(), "the task is 'mood', expected the only one, nli");
  ad_descriptor_destroy(&again);
  ad_descriptor_destroy(&d);
  ad_config_destroy(&config);
}

/* Rows are held out of those without a dev split. */
static void test_hold_out(void **state) {
  (void)state;
  struct ad_config config = configure((const char *const[]){two[0], two[1], NULL});
  struct ad_descriptor d;
  assert_int_equal(ad_descriptor_configure(&d, &config, NULL), AD_OK);
  assert_int_equal(ad_descriptor_hold_out(&d, 1, 0), AD_OK);
  assert_true(d.sets[0].source[AD_SPLIT_DEV].shuffled && !d.sets[1].source[AD_SPLIT_DEV].shuffled);
  assert_int_equal(ad_descriptor_hold_out(&d, 1, 0), AD_ECONFIG);
  ad_descriptor_destroy(&d);
  ad_config_destroy(&config);
}

static void test_digest(void **state) {
  (void)state;
  struct ad_config config = configure(two);
  const struct ad_read_options options = {.folder = "not/used", .labels = 1};
  struct ad_descriptor d;
  uint64_t train, again, dev;
  assert_int_equal(ad_descriptor_configure(&d, &config, NULL), AD_OK);
  assert_int_equal(ad_dataset_digest(&d, AD_SPLIT_TRAIN, &options, &train), AD_OK);
  assert_int_equal(ad_dataset_digest(&d, AD_SPLIT_DEV, &options, &dev), AD_OK);
  write_text(FOLDER "/data/nli.csv", "a,b,l\np,q,yes\nr,s,maybe\nt,v,no\n");
  assert_int_equal(ad_dataset_digest(&d, AD_SPLIT_TRAIN, &options, &again), AD_OK);
  assert_true(train != dev && train != again);
  assert_int_equal(ad_dataset_digest(&d, AD_SPLIT_TEST, &options, &again), AD_EINPUT);
  ad_descriptor_destroy(&d);
  ad_config_destroy(&config);
  set_up(NULL);
}

static void test_items(void **state) {
  (void)state;
  static const char *const expected[] = {"a", "", "bc", "", ""};
  for (size_t k = 0; k < 5; k++) {
    char *item;
    assert_int_equal(ad_list_item("a,, bc ", k, &item), AD_OK);
    assert_string_equal(item, expected[k]);
    ad_free(item);
  }
}

static void test_yaml_list(void **state) {
  (void)state;
  struct ad_config config;
  write_text(FOLDER "/c.yaml", "data:\n  descriptor: [one, two.yaml]\n  folder: [\"\", x]\n");
  assert_int_equal(ad_config_create(&config), AD_OK);
  assert_int_equal(ad_config_read(&config, FOLDER "/c.yaml"), AD_OK);
  assert_string_equal(config.data_descriptor, "one,two.yaml");
  assert_string_equal(config.data_folder, ",x");
  ad_config_destroy(&config);
  static const char *const wrong[] = {"data: {descriptor: [a, \"b,c\"]}\n", "data: {descriptor: [a, [b]]}\n",
                                      "data: {cache: [a, b]}\n"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    write_text(FOLDER "/c.yaml", wrong[i]);
    assert_int_equal(ad_config_create(&config), AD_OK);
    assert_int_equal(ad_config_read(&config, FOLDER "/c.yaml"), AD_ECONFIG);
    assert_non_null(strstr(ad_error_message(), i < 2 ? "item 2 of data.descriptor is" : "data.cache is a list"));
    ad_config_destroy(&config);
  }
}

static void refuse(const char *text, const char *message) {
  struct ad_descriptor d;
  assert_int_equal(ad_descriptor_parse(&d, "kept.yaml", text, strlen(text)), AD_EINPUT);
  if (strstr(ad_error_message(), message) == NULL) {
    fail_msg("found '%s', expected '%s'", ad_error_message(), message);
  }
}

static void test_refusals(void **state) {
  (void)state;
  refuse("sets: []\n", "kept.yaml:1: sets: expected the names of data sets");
  refuse("sets: {}\n", "sets: expected the names of data sets");
  refuse("sets: {a: {classes: [x, y]}}\n", "the key \"splits\" is missing");
  refuse("title: T\nsets: {a: {}}\n", "title");
  refuse(
      "sets:\n  a:\n    format: tsv\n    header: true\n    columns: {text: t, label: l}\n"
      "    splits: {train: {file: f}}\n",
      "the key \"classes\" of a is missing");
}

/* Wherever memory ends there is an error, and nothing stays behind. */
static void test_memory(void **state) {
  (void)state;
  struct ad_config config = configure(two);
  const size_t before = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  size_t n;
  for (n = 1; status == AD_ENOMEM; n++) {
    struct ad_descriptor d;
    ad_memory_fail_at(n);
    status = ad_descriptor_configure(&d, &config, NULL);
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      ad_descriptor_destroy(&d);
    }
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
  assert_int_equal(status, AD_OK);
  assert_true(n > 50);
  ad_config_destroy(&config);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_list),      cmocka_unit_test(test_hold_out),
                                     cmocka_unit_test(test_digest),    cmocka_unit_test(test_items),
                                     cmocka_unit_test(test_yaml_list), cmocka_unit_test(test_refusals),
                                     cmocka_unit_test(test_memory)};
  return cmocka_run_group_tests(tests, set_up, clean_up);
}
