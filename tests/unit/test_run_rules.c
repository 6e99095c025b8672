/* What a training decides: when it stops, evaluates and saves, what a run may differ in when it goes on; faults on
 * demand. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "autodidact/run/signals.h"
#include "autodidact/store/provenance.h"
#include "run/faults.h"
#include "run/rules.h"

static void test_time(void **state) {
  (void)state;
  const struct ad__pace none = {0}, pace = {.step = 1.0, .evaluation = 10.0, .save = 4.0};
  assert_false(ad__out_of_time(0.0, 1e9, &pace)); /* no limit */
  assert_false(ad__out_of_time(100.0, 97.9, &none));
  assert_true(ad__out_of_time(100.0, 98.1, &none)); /* 2 % are kept back */
  assert_false(ad__out_of_time(100.0, 67.9, &pace));
  assert_true(ad__out_of_time(100.0, 68.1, &pace)); /* and twice the slowest of each, 30 s */
}

/* The largest word decides: a failure over a signal, a signal over the clock. */
static void test_words(void **state) {
  (void)state;
  assert_int_equal(ad__stop_word(0, 0, 0), AD__WORD_GO);
  assert_int_equal(ad__stop_word(0, 0, 1), AD__WORD_CLOCK);
  assert_int_equal(ad__stop_word(0, SIGTERM, 1), AD__WORD_SIGNAL + SIGTERM);
  assert_int_equal(ad__stop_word(1, SIGTERM, 1), AD__WORD_HELD);
  assert_true(AD__WORD_GO < AD__WORD_CLOCK && AD__WORD_CLOCK < AD__WORD_SIGNAL + 1 &&
              AD__WORD_SIGNAL + 64 < AD__WORD_HELD);
}

static void test_evaluations(void **state) {
  (void)state;
  /* Ten steps, four an epoch: at the end of each epoch, and at the end. */
  for (uint64_t done = 0; done <= 10; done++) {
    assert_int_equal(ad__evaluation_due(done, 10, 0, 4), done == 4 || done == 8 || done == 10);
    assert_int_equal(ad__evaluation_due(done, 10, 3, 4), done == 3 || done == 6 || done == 9 || done == 10);
    assert_int_equal(ad__evaluation_due(done, 10, 99, 4), done == 10);
  }
}

static void test_patience(void **state) {
  (void)state;
  for (uint64_t stale = 0; stale < 5; stale++) {
    assert_int_equal(ad__out_of_patience(0, stale), 0);
    assert_int_equal(ad__out_of_patience(3, stale), stale >= 3);
  }
}

static void test_checkpoints(void **state) {
  (void)state;
  for (uint64_t done = 0; done <= 10; done++) {
    assert_int_equal(ad__checkpoint_due(done, 0, 0, 4), 0);
    assert_int_equal(ad__checkpoint_due(done, 5, 0, 4), done == 5 || done == 10);
    assert_int_equal(ad__checkpoint_due(done, 0, 1, 4), done == 4 || done == 8);
    assert_int_equal(ad__checkpoint_due(done, 5, 1, 4), done == 4 || done == 5 || done == 8 || done == 10);
  }
}

static struct ad_difference difference(char *name, char *was, char *is) {
  return (struct ad_difference){name, {was, is}};
}

/* Facts of a kind have its word; other facts, and keys, have that of the configuration. */
static void test_facts(void **state) {
  (void)state;
#define FACT_HAS_KIND(name, kind) assert_int_equal(ad_fact_kind(#name), kind);
  AD_FACT_MAP(FACT_HAS_KIND)
#undef FACT_HAS_KIND
  assert_int_equal(ad_fact_kind("optim.lr"), AD_FACT_CONFIGURATION);
  assert_string_equal(ad__resume_kind("classifier"), "model");
  assert_string_equal(ad__resume_kind("reduction"), "configuration");
  assert_int_equal(ad__resume_check("configuration,data,model,arithmetic"), AD_OK);
  assert_int_equal(ad__resume_check("data,cpu"), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "expected a list of configuration, data, model, arithmetic"));
}

/* Each kind of difference needs its own word; the first that lacks it refuses. */
static void test_resume(void **state) {
  (void)state;
  static char lr[] = "optim.lr", data[] = "data_train", model[] = "initial_parameters", sum[] = "arithmetic", a[] = "1",
              b[] = "2";
  struct ad_difference items[] = {difference(lr, a, b), difference(data, a, NULL), difference(model, NULL, b),
                                  difference(sum, a, b)};
  const char *const kinds[] = {"configuration", "data", "model", "arithmetic"};
  for (size_t i = 0; i < 4; i++) {
    const struct ad_differences one = {&items[i], 1, 1};
    assert_string_equal(ad__resume_kind(items[i].name), kinds[i]);
    assert_int_equal(ad__resume_judge("run", "", &one), AD_ECONFIG);
    assert_non_null(strstr(ad_error_message(), kinds[i]));
    for (size_t k = 0; k < 4; k++) {
      assert_int_equal(ad__resume_judge("run", kinds[k], &one), i == k ? AD_OK : AD_ECONFIG);
    }
  }
  const struct ad_differences all = {items, 4, 4};
  assert_int_equal(ad__resume_judge("run", "model,data,arithmetic,configuration", &all), AD_OK);
  assert_int_equal(ad__resume_judge("run", "model,data,configuration", &all), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "begun with arithmetic 1, now it is 2"));
  assert_int_equal(ad__resume_judge("run", "", &(struct ad_differences){0}), AD_OK);
  assert_int_equal(ad__resume_judge("run", "mode,modelling", &(struct ad_differences){&items[2], 1, 1}), AD_ECONFIG);
}

static void test_allowed(void **state) {
  (void)state;
  static const char *const good[] = {"", "data", "data,", "data,model", "configuration,data,model,arithmetic"};
  static const char *const bad[] = {"all", "dat", "data model", "data,,model", "code"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_int_equal(ad__resume_check(good[i]), AD_OK);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(ad__resume_check(bad[i]), AD_ECONFIG);
  }
}

static void test_signals(void **state) {
  (void)state;
  assert_int_equal(ad_signals_check("TERM,SIGUSR1,usr2"), AD_OK);
  assert_int_equal(ad_signals_check("TERM,KILL"), AD_ECONFIG);
  assert_string_equal(ad_signals_name(SIGTERM), "TERM");
  assert_string_equal(ad_signals_name(0), "?");
  assert_int_equal(ad_signals_watch("USR1"), AD_OK);
  assert_int_equal(ad_signals_seen(), 0);
  assert_int_equal(raise(SIGUSR1), 0);
  assert_int_equal(ad_signals_seen(), SIGUSR1);
  ad_signals_pretend(0);
  assert_int_equal(ad_signals_seen(), 0);
}

static void test_faults(void **state) {
  (void)state;
  struct ad__faults f = {0};
  assert_int_equal(ad__faults_parse(&f, NULL), AD_OK);
  assert_int_equal(ad__faults_parse(&f, "kill@3,term@0,enospc@save:2,kill@eval"), AD_OK);
  assert_false(ad__fault_due(&f, AD__KILL_STEP, 2));
  assert_true(ad__fault_due(&f, AD__KILL_STEP, 3));
  assert_true(ad__fault_due(&f, AD__TERM_STEP, 0));
  assert_false(ad__fault_due(&f, AD__NAN_STEP, 0));
  assert_false(ad__fault_due(&f, AD__FULL_SAVE, 0)); /* the first time */
  assert_true(ad__fault_due(&f, AD__FULL_SAVE, 0));
  assert_false(ad__fault_due(&f, AD__FULL_SAVE, 0));
  assert_true(ad__fault_due(&f, AD__KILL_EVALUATION, 0));
  static const char *const bad[] = {"kill",        "kill@",         "kill@0", "nan@eval",
                                    "kill@save:0", "enospc@save:x", "x@1",    "kill@1x"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(ad__faults_parse(&f, bad[i]), AD_ECONFIG);
  }
}

int main(void) {
  ad_log_set_level(AD_LOG_ERROR);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_time),        cmocka_unit_test(test_words),
                                     cmocka_unit_test(test_evaluations), cmocka_unit_test(test_patience),
                                     cmocka_unit_test(test_checkpoints), cmocka_unit_test(test_facts),
                                     cmocka_unit_test(test_resume),      cmocka_unit_test(test_allowed),
                                     cmocka_unit_test(test_signals),     cmocka_unit_test(test_faults)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
