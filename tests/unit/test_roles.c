/* The roles of keys, key by key: whether a run may go on with another value, and whether a study takes it for another
 * training. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/config.h"
#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "autodidact/store/compare.h"
#include "autodidact/store/run.h"
#include "autodidact/study/study.h"
#include "base/config_internal.h"
#include "run/rules.h"
#include "support/scratch.h"

/* What this file expects of each role. */
static const struct {
  int may_differ; /* in a run that goes on */
  int is_told;    /* a study takes another value for another training */
  int may_vary;   /* between the arms of a study */
} expected[AD_ROLES] = {[AD_ROLE_RESULT] = {0, 1, 1},   [AD_ROLE_LENGTH] = {0, 1, 1},      [AD_ROLE_TOKENS] = {0, 1, 1},
                        [AD_ROLE_EXAMPLES] = {0, 1, 1}, [AD_ROLE_INPUT] = {0, 0, 1},       [AD_ROLE_SEED] = {0, 1, 1},
                        [AD_ROLE_LAYOUT] = {1, 0, 0},   [AD_ROLE_OBSERVATION] = {1, 1, 1}, [AD_ROLE_STOP] = {1, 0, 0},
                        [AD_ROLE_PLACE] = {1, 0, 0}};

/* A value that is not the key's default; static storage. */
static const char *other_value(const struct config_option *option) {
  static char text[64];
  switch (option->kind) {
    case CONFIG_KIND_TEXT:
      return "x";
    case CONFIG_KIND_SWITCH:
      return strcmp(option->initial, "true") == 0 ? "false" : "true";
    case CONFIG_KIND_CHOICE: /* the second one: the first is the default */
      snprintf(text, sizeof text, "%s", strchr(option->choices, '|') + 1);
      text[strcspn(text, "|")] = '\0';
      return text;
    case CONFIG_KIND_COUNT:
    case CONFIG_KIND_REAL:
    case CONFIG_KIND_SPAN:
      break;
  }
  snprintf(text, sizeof text, "%.10g", option->lowest + (option->lowest == strtod(option->initial, NULL)));
  return text;
}

static void describe(const char *folder, const char *key, const char *value) {
  static const struct ad_fact facts[] = {{"arithmetic", "1"}};
  struct ad_config config;
  assert_int_equal(ad_config_create(&config), AD_OK);
  assert_int_equal(key == NULL ? AD_OK : ad_config_set(&config, "here", key, value), AD_OK);
  assert_int_equal(ad_run_describe(folder, &config, facts, 1), AD_OK);
  ad_config_destroy(&config);
}

/* A run that was begun at the defaults, and goes on with one key at another value. */
static void test_going_on(void **state) {
  (void)state;
  describe("run", NULL, NULL);
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    const char *key = ad_config_key(i);
    struct ad_input_comparison found;
    describe("again", key, other_value(&ad__config_options[i]));
    assert_int_equal(ad_compare_inputs((const char *const[2]){"run", "again"}, &found), AD_OK);
    const int may_differ = expected[ad_config_role(key)].may_differ;
    const struct ad_differences *told = may_differ ? &found.harmless : &found.reasons;
    if (found.harmless.count != (size_t)may_differ || found.reasons.count != (size_t)!may_differ ||
        strcmp(told->items[0].name, key) != 0) {
      fail_msg("%s: %zu harmless differences, %zu reasons", key, found.harmless.count, found.reasons.count);
    }
    assert_int_equal(ad__resume_judge("run", "", &found.reasons), may_differ ? AD_OK : AD_ECONFIG);
    assert_true(may_differ || strstr(ad_error_message(), key) != NULL);
    /* For `diff` a path is no reason where the digests are the same. */
    assert_int_equal(ad_input_comparison_sort_paths(&found), AD_OK);
    const int alike = ad_config_identity(key) == AD_IDENTITY_CONTENT;
    assert_int_equal(found.harmless.count, may_differ || alike);
    assert_int_equal(found.reasons.count, !may_differ && !alike);
    ad_input_comparison_destroy(&found);
  }
}

/* Reads a study with this text; *digest: of its first arm's configuration. */
static int read_study(const char *text, uint64_t *digest) {
  struct ad_study study;
  FILE *file = fopen("s.yaml", "w");
  assert_non_null(file);
  fprintf(file, "study: {dir: out}\n%s", text);
  assert_int_equal(fclose(file), 0);
  const int status = ad_study_read(&study, "s.yaml");
  *digest = status == AD_OK ? study.arms[0].digest : 0;
  ad_study_destroy(&study);
  return status;
}

static void test_studies(void **state) {
  (void)state;
  uint64_t plain, digest;
  char text[200];
  assert_int_equal(read_study("base: {}\n", &plain), AD_OK);
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    const struct config_option *option = &ad__config_options[i];
    const enum ad_role role = ad_config_role(option->key);
    /* A study's own default is to keep logits. */
    const char *value = i == AD_KEY_eval_keep_logits ? "false" : other_value(option);
    snprintf(text, sizeof text, "base: {%s: %s}\n", option->key, value);
    assert_int_equal(read_study(text, &digest), AD_OK);
    if ((digest != plain) != expected[role].is_told) {
      fail_msg("%s=%s: the training is %s", option->key, value, digest != plain ? "another one" : "the same");
    }
    snprintf(text, sizeof text, "arms: {a: {%s: %s}}\n", option->key, value);
    const int status = read_study(text, &digest);
    if (status != (expected[role].may_vary ? AD_OK : AD_ECONFIG)) {
      fail_msg("%s=%s in an arm: status %d", option->key, value, status);
    }
    assert_true(expected[role].may_vary || strstr(ad_error_message(), "cannot vary in a study") != NULL);
  }
}

static int same_value(const struct ad_config *a, const struct ad_config *b, const char *key) {
  struct ad_buffer texts[2] = {{0}, {0}};
  assert_int_equal(ad_config_get(a, key, &texts[0]), AD_OK);
  assert_int_equal(ad_config_get(b, key, &texts[1]), AD_OK);
  const size_t size = texts[0].size;
  const int same = size == texts[1].size && (size == 0 || memcmp(texts[0].data, texts[1].data, size) == 0);
  ad_buffer_destroy(&texts[0]);
  ad_buffer_destroy(&texts[1]);
  return same;
}

/* Every role has a key, and no other key is touched when one role's keys get their defaults. */
static void test_reset(void **state) {
  (void)state;
  struct ad_config plain;
  assert_int_equal(ad_config_create(&plain), AD_OK);
  for (enum ad_role role = 0; role < AD_ROLES; role++) {
    struct ad_config config;
    size_t keys = 0;
    assert_int_equal(ad_config_create(&config), AD_OK);
    for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
      assert_int_equal(ad_config_set(&config, "here", ad_config_key(i), other_value(&ad__config_options[i])), AD_OK);
    }
    assert_int_equal(ad_config_reset(&config, role), AD_OK);
    for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
      const int initial = same_value(&config, &plain, ad_config_key(i));
      assert_int_equal(initial, ad_config_role(ad_config_key(i)) == role);
      assert_int_equal(config.given[i], !initial);
      keys += (size_t)initial;
    }
    assert_true(keys > 0);
    ad_config_destroy(&config);
  }
  ad_config_destroy(&plain);
  assert_int_equal(ad_config_role("no.key"), AD_ROLE_RESULT);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_going_on), cmocka_unit_test(test_studies),
                                     cmocka_unit_test(test_reset)};
  ad_log_set_level(AD_LOG_ERROR);
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
