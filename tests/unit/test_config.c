/* The options table: defaults, files, overrides, messages, and the resolved file read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/config.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

static void expect_failure(int status, const char *fragment) {
  assert_int_equal(status, AD_ECONFIG);
  if (strstr(ad_error_message(), fragment) == NULL) {
    fail_msg("message '%s' lacks '%s'", ad_error_message(), fragment);
  }
}

static void test_values(void **state) {
  (void)state;
  struct ad_config config;
  assert_int_equal(ad_config_create(&config), AD_OK);
  assert_int_equal(config.batch_size, 32);
  assert_true(config.optim_lr == 2e-5);
  assert_int_equal(ad_config_override(&config, "optim.lr=1e-4"), AD_OK);
  assert_true(config.optim_lr == 1e-4);
  assert_int_equal(ad_config_override(&config, "data.train=a=b"), AD_OK);
  assert_string_equal(config.data_train, "a=b");
  assert_int_equal(ad_config_override(&config, "model.classifier=cls"), AD_OK);
  assert_int_equal(config.model_classifier, 1);
  expect_failure(ad_config_override(&config, "optim.lr"), "key=value");
  expect_failure(ad_config_override(&config, "=3"), "key=value");
  expect_failure(ad_config_override(&config, "optim.rl=1"), "'optim.lr'");
  expect_failure(ad_config_override(&config, "optim.lr=fast"), "expected a number");
  expect_failure(ad_config_override(&config, "optim.lr=nan"), "expected a number");
  expect_failure(ad_config_override(&config, "optim.lr=-1"), "from 0 to 10");
  expect_failure(ad_config_override(&config, "optim.lr="), "expected a number");
  expect_failure(ad_config_override(&config, "batch.size=0"), "from 1");
  expect_failure(ad_config_override(&config, "batch.size=-3"), "from 1");
  expect_failure(ad_config_override(&config, "batch.size=3.5"), "whole number");
  expect_failure(ad_config_override(&config, "batch.size=99999999999999999999999"), "whole number");
  expect_failure(ad_config_override(&config, "run.overwrite=yes"), "true or false");
  expect_failure(ad_config_override(&config, "optim.schedule=lin"), "linear|constant|cosine");
  ad_config_destroy(&config);
}

static int read_text(struct ad_config *config, const char *text) {
  assert_int_equal(ad_file_write("test_config.yaml", text, strlen(text)), AD_OK);
  return ad_config_read(config, "test_config.yaml");
}

static void test_file(void **state) {
  (void)state;
  struct ad_config config, again;
  assert_int_equal(ad_config_create(&config), AD_OK);
  assert_int_equal(ad_config_create(&again), AD_OK);
  assert_int_equal(read_text(&config, "run: {dir: 'a \"b\"'}\noptim:\n  lr: 3.3e-5\nseed.order: 12\n"), AD_OK);
  assert_string_equal(config.run_dir, "a \"b\"");
  assert_int_equal(config.seed_order, 12);
  struct ad_buffer first = {0}, second = {0};
  assert_int_equal(ad_config_print(&config, &first), AD_OK);
  assert_int_equal(read_text(&again, first.data), AD_OK);
  assert_int_equal(ad_config_print(&again, &second), AD_OK);
  assert_string_equal(first.data, second.data);
  expect_failure(read_text(&config, "optim:\n  momentum: 3\n"), "test_config.yaml:2: unknown key 'optim.momentum'");
  expect_failure(read_text(&config, "optim:\n  lr: [1, 2]\n"), "is a list");
  expect_failure(read_text(&config, "- 1\n"), "expected keys and values");
  ad_buffer_destroy(&first);
  ad_buffer_destroy(&second);
  ad_config_destroy(&config);
  ad_config_destroy(&again);
}

static void test_out_of_memory(void **state) {
  (void)state;
  const size_t before = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n++) {
    struct ad_config config;
    ad_memory_fail_at(n);
    status = ad_config_create(&config);
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      ad_config_destroy(&config);
    } else {
      assert_int_equal(status, AD_ENOMEM);
    }
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
}

/* What scripts ask for: texts as they are, all else as in the resolved file. */
static void test_get(void **state) {
  (void)state;
  struct ad_config config;
  assert_int_equal(ad_config_create(&config), AD_OK);
  assert_int_equal(ad_config_override(&config, "run.dir=a \"b\""), AD_OK);
  assert_int_equal(ad_config_override(&config, "teacher.window=all"), AD_OK);
  const struct {
    const char *key, *value;
  } cases[] = {{"run.dir", "a \"b\""},     {"batch.lanes", "8"},      {"optim.lr", "2e-05"}, {"run.overwrite", "false"},
               {"teacher.window", "all"}, {"run.select", "last"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_buffer text = {0};
    assert_int_equal(ad_config_get(&config, cases[i].key, &text), AD_OK);
    assert_string_equal(text.data, cases[i].value);
    ad_buffer_destroy(&text);
  }
  struct ad_buffer text = {0};
  expect_failure(ad_config_get(&config, "run.dri", &text), "'run.dir'");
  ad_buffer_destroy(&text);
  ad_config_destroy(&config);
}

static void test_help(void **state) {
  (void)state;
  struct ad_buffer text = {0};
  assert_int_equal(ad_config_help(&text, 0), AD_OK);
  assert_int_equal(ad_config_help(&text, 1), AD_OK);
  assert_non_null(strstr(text.data, "optim.layer_decay"));
  ad_buffer_destroy(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_file),
                                     cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_help), cmocka_unit_test(test_get)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
