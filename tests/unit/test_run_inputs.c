/* What a run was given: kept, found again from another folder, and compared with what has become of it. */
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
#include "autodidact/store/run_inputs.h"

#define FOLDER "test_run_inputs_folder"
static const char text[] =
    "title: T\nsource: S\nlicence: L\nformat: tsv\nheader: true\ncolumns: {text: a, label: b}\nclasses: [no, yes]\n"
    "splits: {train: {file: train.tsv, rows: 9}, test: {file: test.tsv}}\n";
static char here[512]; /* the test's folder, from the root */

static void write_text(const char *path, const char *content) {
  assert_int_equal(ad_file_write(path, content, strlen(content)), AD_OK);
}

static int set_up(void **state) {
  (void)state;
  char *folder = get_current_dir_name();
  snprintf(here, sizeof here, "%s/" FOLDER, folder);
  free(folder);
  assert_int_equal(system("rm -rf " FOLDER), 0);
  assert_int_equal(ad_make_folders(FOLDER "/data"), AD_OK);
  assert_int_equal(ad_make_folders(FOLDER "/run"), AD_OK);
  write_text(FOLDER "/d.yaml", text);
  write_text(FOLDER "/data/train.tsv", "a\tb\n");
  return 0;
}

static int clean_up(void **state) {
  (void)state;
  return system("rm -rf " FOLDER);
}

/* A configuration whose dev split is held out of train, and whose test file is another. */
static void configure(struct ad_config *config) {
  static const char *const keys[] = {"data.folder=" FOLDER "/data", "data.hold_out=3",
                                     "data.test=./" FOLDER "/other.tsv", "model.path=" FOLDER "/model"};
  assert_int_equal(ad_config_create(config), AD_OK);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    assert_int_equal(ad_config_override(config, keys[i]), AD_OK);
  }
}

static void assert_path(const char *path, const char *below) {
  char expected[600];
  snprintf(expected, sizeof expected, "%s/%s", here, below);
  assert_string_equal(path, expected);
}

static void keep(const struct ad_config *config) {
  struct ad_run_inputs inputs;
  struct ad_descriptor d;
  struct ad_run run = {.folder = (char *)(uintptr_t)FOLDER "/run"};
  assert_int_equal(ad_descriptor_load(&d, FOLDER "/d.yaml", NULL), AD_OK);
  assert_int_equal(ad_descriptor_hold_out(&d, 3, 0), AD_OK);
  assert_int_equal(ad_run_inputs_create(&inputs, config, &d), AD_OK);
  inputs.digest[AD_SPLIT_TRAIN] = 0xabcdef;
  inputs.digest[AD_SPLIT_DEV] = UINT64_MAX;
  assert_int_equal(ad_run_inputs_write(&run, &inputs, &d), AD_OK);
  ad_run_inputs_destroy(&inputs);
  ad_descriptor_destroy(&d);
}

/* The kept descriptor, its files placed as whoever stands in `folder` of FOLDER finds them. */
static void open_from(const char *folder, const char *run, const struct ad_config *config, const char *now,
                      struct ad_run_inputs *inputs, struct ad_descriptor *d) {
  char *back = get_current_dir_name(), place[600];
  snprintf(place, sizeof place, "%s%s", here, folder);
  assert_int_equal(chdir(place), 0);
  assert_int_equal(ad_run_inputs_read(inputs, run), AD_OK);
  assert_true(inputs->found);
  assert_int_equal(ad_run_inputs_descriptor(inputs, run, d), AD_OK);
  assert_int_equal(ad_descriptor_hold_out(d, 3, 0), AD_OK);
  assert_int_equal(ad_run_inputs_place(inputs, config, now, d), AD_OK);
  assert_int_equal(chdir(back), 0);
  free(back);
}

static void test_places(void **state) {
  (void)state;
  const size_t live = ad_memory_stats().live_blocks;
  struct ad_config config;
  struct ad_run_inputs inputs;
  struct ad_descriptor d;
  configure(&config);
  keep(&config);
  open_from("/data", "../run", &config, NULL, &inputs, &d);
  assert_string_equal(d.name, "d");
  assert_true(d.size == sizeof text - 1 && memcmp(d.text, text, d.size) == 0);
  assert_true(inputs.digest[AD_SPLIT_TRAIN] == 0xabcdef && inputs.digest[AD_SPLIT_DEV] == UINT64_MAX &&
              inputs.digest[AD_SPLIT_TEST] == 0);
  assert_path(inputs.descriptor, "d.yaml");
  assert_path(inputs.model, "model");
  assert_path(d.source[AD_SPLIT_TRAIN].file, "data/train.tsv");
  assert_path(d.source[AD_SPLIT_DEV].file, "data/train.tsv");
  assert_path(d.source[AD_SPLIT_TEST].file, "other.tsv");
  assert_true(d.source[AD_SPLIT_DEV].shuffled && d.source[AD_SPLIT_DEV].end == 3 &&
              d.source[AD_SPLIT_TRAIN].begin == 3);
  assert_true(!d.source[AD_SPLIT_TEST].shuffled && !d.source[AD_SPLIT_TEST].expected.rows_known);
  ad_descriptor_destroy(&d);
  ad_run_inputs_destroy(&inputs);
  /* Where the data set lies elsewhere now; the other file stays where it was. */
  open_from("/run", ".", &config, "../moved", &inputs, &d);
  assert_path(d.source[AD_SPLIT_TRAIN].file, "run/../moved/train.tsv");
  assert_path(d.source[AD_SPLIT_TEST].file, "other.tsv");
  ad_descriptor_destroy(&d);
  ad_run_inputs_destroy(&inputs);
  /* Where all was moved, the configuration's path leads there; where nothing is left, the first place is named. */
  assert_int_equal(ad_make_folders(FOLDER "/else/" FOLDER "/data"), AD_OK);
  assert_int_equal(rename(FOLDER "/data/train.tsv", FOLDER "/else/" FOLDER "/data/train.tsv"), 0);
  open_from("/else", "../run", &config, NULL, &inputs, &d);
  assert_path(d.source[AD_SPLIT_TRAIN].file, "else/" FOLDER "/data/train.tsv");
  ad_descriptor_destroy(&d);
  ad_run_inputs_destroy(&inputs);
  open_from("/data", "../run", &config, NULL, &inputs, &d);
  assert_path(d.source[AD_SPLIT_TRAIN].file, "data/train.tsv");
  ad_descriptor_destroy(&d);
  ad_run_inputs_destroy(&inputs);
  ad_config_destroy(&config);
  assert_int_equal(ad_memory_stats().live_blocks, live);
}

static void test_changes(void **state) {
  (void)state;
  struct ad_config config;
  struct ad_run_inputs inputs;
  struct ad_descriptor d;
  static const struct {
    const char *content; /* NULL: no file */
    const char *told;
    unsigned kinds;
  } cases[] = {
      {text, "", 0},
      {NULL, "", 0},
      {"classes: [", "it cannot be read any more (", AD_CHANGED_CLASSES},
      {"title: T\nsource: S\nlicence: L\nformat: tsv\nheader: true\ncolumns: {text: a, label: b}\nclasses: [yes, no]\n"
       "splits: {train: {file: train.tsv, rows: 9}, test: {file: test.tsv}}\n",
       "class 0 was no, is yes", AD_CHANGED_CLASSES}};
  configure(&config);
  keep(&config);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_buffer told = {0};
    unsigned kinds;
    int there;
    if (cases[i].content == NULL) {
      assert_int_equal(unlink(FOLDER "/d.yaml"), 0);
    } else {
      write_text(FOLDER "/d.yaml", cases[i].content);
    }
    assert_int_equal(ad_run_inputs_read(&inputs, FOLDER "/run"), AD_OK);
    assert_int_equal(ad_run_inputs_descriptor(&inputs, FOLDER "/run", &d), AD_OK);
    assert_int_equal(ad_run_inputs_changes(&inputs, "", &d, &there, &told, &kinds), AD_OK);
    assert_int_equal(there, cases[i].content != NULL);
    assert_int_equal(kinds, cases[i].kinds);
    assert_int_equal(strncmp(told.data, cases[i].told, strlen(cases[i].told)), 0);
    ad_buffer_destroy(&told);
    ad_descriptor_destroy(&d);
    ad_run_inputs_destroy(&inputs);
  }
  ad_config_destroy(&config);
}

static void test_refused(void **state) {
  (void)state;
  struct ad_config config;
  struct ad_run_inputs inputs;
  struct ad_descriptor d;
  configure(&config);
  write_text(FOLDER "/d.yaml", text);
  keep(&config);
  assert_int_equal(ad_run_inputs_read(&inputs, FOLDER "/data"), AD_OK); /* a run made before */
  assert_int_equal(inputs.found, 0);
  assert_int_equal(ad_run_inputs_read(&inputs, FOLDER "/run"), AD_OK);
  write_text(FOLDER "/run/descriptor.yaml", "title: U\n");
  assert_int_equal(ad_run_inputs_descriptor(&inputs, FOLDER "/run", &d), AD_EINPUT);
  assert_int_equal(unlink(FOLDER "/run/descriptor.yaml"), 0);
  assert_int_equal(ad_run_inputs_descriptor(&inputs, FOLDER "/run", &d), AD_EINPUT);
  ad_run_inputs_destroy(&inputs);
  static const char *const broken[] = {"{", "[]", "{\"train\": {\"digest\": \"12\"}}", "{\"dev\": {\"digest\": 5}}",
                                       "{\"descriptor\": {\"digest\": \"0123456789ABCDEF\"}}"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    write_text(FOLDER "/run/inputs.json", broken[i]);
    assert_int_equal(ad_run_inputs_read(&inputs, FOLDER "/run"), AD_EINPUT);
    assert_non_null(strstr(ad_error_message(), FOLDER "/run/inputs.json"));
  }
  write_text(FOLDER "/run/inputs.json", "{\"train\": 3, \"model\": {\"path\": []}, \"more\": null}");
  assert_int_equal(ad_run_inputs_read(&inputs, FOLDER "/run"), AD_OK);
  assert_true(inputs.found && inputs.model == NULL && inputs.digest[AD_SPLIT_TRAIN] == 0);
  ad_run_inputs_destroy(&inputs);
  ad_config_destroy(&config);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_places, set_up), cmocka_unit_test(test_changes),
                                     cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, clean_up);
}
