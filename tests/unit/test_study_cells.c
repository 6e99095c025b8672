/* The table of cells: lines, leases, size. */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/lease.h"
#include "autodidact/study/cells.h"
#include "support/scratch.h"

/* A study without data: its cells get made-up ids. */
static void make_study(struct ad_study *study, const char *keys, const char *axes) {
  FILE *file = fopen("s.yaml", "w");
  assert_non_null(file);
  fprintf(file, "study: {%s}\naxes: {%s}\n", keys, axes);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(ad_study_read(study, "s.yaml"), AD_OK);
  for (size_t i = 0; i < study->count; i++) {
    study->cells[i].id = 0x1000 + i;
  }
}

static const char *name_of(uint64_t id) {
  static char name[AD_LEASE_NAME];
  snprintf(name, sizeof name, "%016llx", (unsigned long long)id);
  return name;
}

static const struct ad_result result = {
    .step = 3,
    .steps = 3,
    .kept = {1},
    .has_dev = 1,
    .dev = {.examples = 4, .task = &ad_task_classification, .value = {0.25, 0.75, 0.7, 0.5, 0.125}},
    .last = {
        [AD_VARIANT_STUDENT] = {.examples = 4, .task = &ad_task_classification, .value = {0.5, 0.5, 0.4, 0.0, 0.75}},
        [AD_VARIANT_TEACHER] = {.examples = 4, .task = &ad_task_classification, .value = {0.1, 0.9, 0.9, 0.8, 0.25}}}};
static const struct ad_scores test_scores = {.examples = 4, .task = &ad_task_classification, .value = {0.0625}};

static double score_of(const struct ad_cell_record *r, enum ad_study_source source, const char *name) {
  return ad_scores_get(&r->scores[source], name);
}

static void append(struct ad_cells *table, size_t cell, enum ad_cell_state state, int status, const char *message) {
  struct ad_cell_record record = {.state = state,
                                  .status = status,
                                  .step = 3,
                                  .steps = 9,
                                  .seconds = 1.5,
                                  .ranks = 2,
                                  .cost = 7.0,
                                  .majority = {0.5, 0.625},
                                  .arithmetic = "1"};
  record.message = message == NULL ? NULL : ad_strdup(message);
  const struct ad_line_scores scores = {state == AD_CELL_DONE ? &result : NULL,
                                        state == AD_CELL_DONE ? &test_scores : NULL};
  assert_int_equal(ad_cells_append(table, cell, &record, &scores), AD_OK);
  ad_free(record.message);
}

static void test_lines(void **state) {
  (void)state;
  struct ad_study s;
  struct ad_cells one, other;
  make_study(&s, "dir: lines", "seed.init: 0..5");
  assert_int_equal(ad_cells_open(&one, &s), AD_OK);
  assert_int_equal(ad_cells_open(&other, &s), AD_OK);
  assert_int_equal(one.records[0].state, AD_CELL_WAITING);
  assert_false(one.records[0].begun);
  assert_true(isnan(score_of(&one.records[0], AD_SOURCE_DEV, "error")));
  append(&one, 1, AD_CELL_DONE, AD_OK, NULL);
  /* As earlier versions wrote of a run that was found finished: its result knows the steps. */
  const struct ad_cell_record scored = {.state = AD_CELL_DONE, .arithmetic = "1"};
  const struct ad_line_scores scores = {&result, &test_scores};
  assert_int_equal(ad_cells_append(&one, 0, &scored, &scores), AD_OK);
  append(&one, 2, AD_CELL_FAILED, AD_EDIVERGED, "diverged at step 3: \"x\"");
  append(&one, 3, AD_CELL_WAITING, AD_OK, NULL);
  append(&one, 4, AD_CELL_FAILED, AD_EIO, "disk");
  append(&one, 4, AD_CELL_DONE, AD_OK, NULL);
  append(&one, 4, AD_CELL_FAILED, AD_EIO, "too late");
  assert_int_equal(other.records[1].state, AD_CELL_WAITING);
  assert_int_equal(ad_cells_refresh(&other), AD_OK);
  for (const struct ad_cells *t = &one;; t = &other) {
    const struct ad_cell_record *r = t->records;
    assert_int_equal(r[1].state, AD_CELL_DONE);
    assert_true(score_of(&r[1], AD_SOURCE_DEV, "loss") == 0.125);
    assert_true(score_of(&r[1], AD_SOURCE_VARIANT + AD_VARIANT_STUDENT, "accuracy") == 0.5);
    assert_true(score_of(&r[1], AD_SOURCE_VARIANT + AD_VARIANT_TEACHER, "error") == 0.1);
    assert_true(score_of(&r[1], AD_SOURCE_TEST, "error") == 0.0625);
    assert_true(isnan(score_of(&r[1], AD_SOURCE_VARIANT + AD_VARIANT_RUN, "error")));
    assert_true(r[1].majority[0] == 0.5 && r[1].majority[1] == 0.625);
    assert_true(r[1].step == 3 && r[1].steps == 9 && r[1].ranks == 2 && r[1].seconds == 1.5 && r[1].cost == 7.0);
    assert_true(ad_cells_result(t, 1) == 0.25);
    assert_true(r[0].step == 3 && r[0].steps == 3);
    assert_int_equal(r[2].state, AD_CELL_FAILED);
    assert_int_equal(r[2].status, AD_EDIVERGED);
    assert_string_equal(r[2].message, "diverged at step 3: \"x\"");
    assert_true(ad_cells_is_failed_run(t, 2) && !ad_cells_is_failed_run(t, 1));
    assert_int_equal(r[3].state, AD_CELL_WAITING);
    assert_true(r[3].begun);
    assert_int_equal(r[4].state, AD_CELL_DONE);
    assert_int_equal(r[5].state, AD_CELL_WAITING);
    if (t == &other) {
      break;
    }
  }
  ad_cells_close(&one);
  ad_cells_close(&other);
  ad_study_destroy(&s);
}

static void test_rules(void **state) {
  (void)state;
  static const struct {
    const char *keys;
    int failed;
  } cases[] = {{"dir: rules, failed: majority", 0},                        /* 0.75 > 0.5 */
               {"dir: rules, failed: majority, result: student.error", 1}, /* 0.5 <= 0.5 */
               {"dir: rules, failed: majority, result: run.error", 0},     /* not known */
               {"dir: rules, failed: never, result: student.error", 0},
               {"dir: rules, failed: 0.25", 1}, /* an error as high */
               {"dir: rules, failed: 0.26", 0},
               {"dir: rules, failed: 0.75, result: dev.accuracy", 1},
               {"dir: rules, failed: 0.74, result: dev.accuracy", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_study s;
    struct ad_cells table;
    make_study(&s, cases[i].keys, "seed.init: 0..1");
    assert_int_equal(ad_cells_open(&table, &s), AD_OK);
    if (i == 0) {
      append(&table, 0, AD_CELL_DONE, AD_OK, NULL);
    }
    assert_int_equal(ad_cells_is_failed_run(&table, 0), cases[i].failed);
    assert_int_equal(ad_cells_is_failed_run(&table, 1), 0);
    ad_cells_close(&table);
    ad_study_destroy(&s);
  }
}

/* The end of a line that a crash left is passed over until it is whole; a broken line is told with its place. */
static void test_torn_and_broken(void **state) {
  (void)state;
  struct ad_study s;
  struct ad_cells table;
  make_study(&s, "dir: torn", "seed.init: 0..2");
  assert_int_equal(ad_make_folders("torn/records"), AD_OK);
  FILE *file = fopen("torn/records/a.jsonl", "w");
  fputs("{\"cell\":\"0000000000001001\",\"state\":\"done\",\"status\":\"AD_OK\"}\n{\"cell\":\"00000000", file);
  fflush(file);
  assert_int_equal(ad_cells_open(&table, &s), AD_OK);
  assert_int_equal(table.records[1].state, AD_CELL_DONE);
  assert_int_equal(table.records[2].state, AD_CELL_WAITING);
  fputs("00001002\",\"state\":\"done\"}\n{\"cell\":\"00000000000000ff\",\"state\":\"done\"}\n", file);
  fflush(file);
  assert_int_equal(ad_cells_refresh(&table), AD_OK);
  assert_int_equal(table.records[2].state, AD_CELL_DONE);
  assert_int_equal(table.unknown, 1);
  fputs("no JSON\n", file);
  fclose(file);
  assert_int_equal(ad_cells_refresh(&table), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "torn/records/a.jsonl:4: malformed JSON"));
  ad_cells_close(&table);
  ad_study_destroy(&s);
}

/* Numbers that no record has: refused with line and key, not converted. */
static void test_numbers(void **state) {
  (void)state;
  static const char *const lines[][2] = {{"\"step\": -1", "\"step\" is -1, expected a whole number from 0 to"},
                                         {"\"steps\": 1e300", "\"steps\" is 1e300, expected a whole number from 0 to"},
                                         {"\"ranks\": 4294967296", "\"ranks\" is 4294967296, expected"},
                                         {"\"ranks\": 1.5", "\"ranks\" is 1.5, expected a whole number"},
                                         {"\"at\": -1e-9", "\"at\" is -1e-9, expected a number from 0 to"},
                                         {"\"seconds\": 1e400", "\"seconds\" is 1e400, expected"},
                                         {"\"step\": \"3\"", "\"step\" is \"3\", expected"}};
  struct ad_study s;
  struct ad_cells table;
  make_study(&s, "dir: numbers", "seed.init: 0..2");
  assert_int_equal(ad_make_folders("numbers/records"), AD_OK);
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    FILE *file = fopen("numbers/records/a.jsonl", "w");
    fprintf(file, "{\"cell\": \"0000000000001001\", \"state\": \"failed\"}\n{\"cell\": \"0000000000001001\", %s}\n",
            lines[i][0]);
    fclose(file);
    assert_int_equal(ad_cells_open(&table, &s), AD_EINPUT);
    assert_non_null(strstr(ad_error_message(), "numbers/records/a.jsonl:2: "));
    if (strstr(ad_error_message(), lines[i][1]) == NULL) {
      fail_msg("%s", ad_error_message());
    }
    ad_cells_close(&table);
  }
  ad_study_destroy(&s);
}

/* Killed between its line and the end of its lease, or while a lease was made: what is left goes, but nothing of those
 * who live. */
static void test_tidy(void **state) {
  (void)state;
  struct ad_study s;
  struct ad_cells table;
  struct ad_lease dead, living, others;
  int taken = 0, status;
  make_study(&s, "dir: tidy, lease: 60", "seed.init: 0..5");
  const pid_t child = fork();
  if (child == 0) {
    int all = 1;
    for (uint64_t id = 0x1000; id < 0x1003; id++) {
      all &= ad_lease_take(&dead, "tidy/leases", name_of(id), 0, 60.0, &taken) == AD_OK && taken;
    }
    all &= symlink("0000000000001000.1", "tidy/leases/.of-the-dead") == 0;
    _exit(!all);
  }
  assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_int_equal(ad_lease_take(&living, "tidy/leases", name_of(0x1003), 0, 60.0, &taken), AD_OK);
  assert_int_equal(ad_lease_take(&others, "tidy/leases", name_of(0x1005), 0, 60.0, &taken), AD_OK);
  assert_int_equal(symlink("0000000000001003.1", "tidy/leases/.of-the-living"), 0);
  assert_int_equal(ad_cells_open(&table, &s), AD_OK);
  append(&table, 0, AD_CELL_DONE, AD_OK, NULL);
  append(&table, 1, AD_CELL_FAILED, AD_EDIVERGED, "diverged");
  append(&table, 2, AD_CELL_FAILED, AD_EIO, "disk");
  append(&table, 3, AD_CELL_DONE, AD_OK, NULL);
  assert_int_equal(ad_cells_tidy(&table), AD_OK);
  assert_false(ad_is_file("tidy/leases/0000000000001000.1"));
  assert_false(ad_is_file("tidy/leases/0000000000001001.1"));
  assert_true(ad_is_file("tidy/leases/0000000000001002.1"));
  assert_true(ad_is_file("tidy/leases/0000000000001003.1"));
  assert_true(ad_is_file("tidy/leases/0000000000001005.1"));
  assert_true(ad_is_file("tidy/leases/.of-the-living"));
  assert_int_not_equal(access("tidy/leases/.of-the-dead", F_OK), 0);
  assert_true(ad_lease_beat(&living) && ad_lease_beat(&others));
  ad_lease_end(&living, 1);
  ad_lease_end(&others, 1);
  ad_cells_close(&table);
  ad_study_destroy(&s);
}

/* 10,000 cells, done: listed within a second or two even in a build with checks. */
static void test_size(void **state) {
  (void)state;
  struct ad_study s;
  struct ad_cells table;
  struct ad_buffer text = {0};
  assert_int_equal(ad_result_print(&result, &text), AD_OK);
  text.data[text.size - 1] = '\0'; /* a line of the table has its own newline */
  make_study(&s, "dir: big", "seed.init: 0..99, seed.order: 0..99");
  assert_int_equal(ad_make_folders("big/records"), AD_OK);
  for (int writer = 0; writer < 10; writer++) {
    char name[64];
    snprintf(name, sizeof name, "big/records/%d.jsonl", writer);
    FILE *file = fopen(name, "w");
    for (int i = 0; i < 1000; i++) {
      fprintf(file, "{\"cell\":\"%016x\",\"state\":\"done\",\"status\":\"AD_OK\",\"at\":1,\"result\":%s}\n",
              0x1000u + (unsigned)(writer * 1000 + i), text.data);
    }
    fclose(file);
  }
  const double start = ad_clock();
  assert_int_equal(ad_cells_open(&table, &s), AD_OK);
  for (size_t i = 0; i < s.count; i++) {
    assert_int_equal(table.records[i].state, AD_CELL_DONE);
    assert_true(ad_cells_result(&table, i) == 0.25);
  }
  print_message("10,000 done cells read in %.3f s\n", ad_clock() - start);
  ad_buffer_destroy(&text);
  ad_cells_close(&table);
  ad_study_destroy(&s);
}

static void test_memory(void **state) {
  (void)state;
  struct ad_study s;
  make_study(&s, "dir: memory", "seed.init: 0..3");
  int failed = 1;
  for (unsigned long n = 1; failed; n++) {
    struct ad_cells table = {0};
    struct ad_lease lease = {.fd = -1};
    struct ad_cell_record record = {.state = AD_CELL_DONE, .arithmetic = "1"};
    const struct ad_line_scores scores = {&result, NULL};
    const size_t before = ad_memory_stats().live_blocks;
    int taken = 0;
    ad_memory_fail_at(n);
    int status = ad_cells_open(&table, &s);
    status = status == AD_OK ? ad_cells_take(&table, 0, &lease, &taken) : status;
    status = status == AD_OK ? ad_cells_append(&table, 0, &record, &scores) : status;
    status = status == AD_OK ? ad_cells_refresh(&table) : status;
    failed = status != AD_OK;
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    ad_lease_end(&lease, 1);
    ad_cells_close(&table);
    assert_int_equal(ad_memory_stats().live_blocks, before);
    assert_int_equal(system("rm -rf memory/records"), 0); /* else each round has more files to read */
  }
  ad_study_destroy(&s);
}

int main(void) {
  ad_log_set_level(AD_LOG_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines),   cmocka_unit_test(test_rules), cmocka_unit_test(test_torn_and_broken),
      cmocka_unit_test(test_numbers), cmocka_unit_test(test_tidy),  cmocka_unit_test(test_size),
      cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
