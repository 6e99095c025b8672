/* Several tasks at once: their table, its labels and scores; columns of logits; twenty steps of the trainer against
 * PyTorch with a classifier for each task (tests/parity/heads.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/rows.h"
#include "autodidact/task/heads.h"
#include "autodidact/task/scores.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"
#include "support/parity.h"
#include "support/trajectory.h"

enum { FIRST = 3, SECOND = 2, ALL = FIRST + SECOND, STEPS = TRAJECTORY_STEPS };

static const struct ad_task *join(const char *first, const char *second) {
  const struct ad_task *task;
  const struct ad_head heads[] = {{.name = first, .task = &ad_task_classification, .C = FIRST},
                                  {.name = second, .task = &ad_task_classification, .C = SECOND}};
  assert_int_equal(ad_task_join(&task, 2, heads), AD_OK);
  return task;
}

static void test_table(void **state) {
  (void)state;
  const struct ad_task *task = join("nli", "mood");
  assert_ptr_equal(join("nli", "mood"), task);
  assert_ptr_not_equal(join("mood", "nli"), task);
  assert_int_equal(ad_heads_logits(task->heads), ALL);
  assert_int_equal(ad_heads_find(task->heads, "mood"), 1);
  assert_int_equal(ad_heads_find(task->heads, "none"), 2);
  assert_int_equal(ad_task_words(task, ALL), 2);
  assert_string_equal(task->scores[0].name, "error");
  assert_string_equal(task->scores[0].title, "mean error");
  assert_string_equal(task->scores[task->score_count - 1].name, "loss");
  assert_non_null(ad_task_score(task, "mood.macro_f1"));
  assert_null(ad_task_score(task, "macro_f1"));
  assert_null(ad_task_score(task, "none.error"));
  assert_string_equal(task->name, "nli:classification:3,mood:classification:2");
  assert_ptr_equal(ad_task_named(task->name), task);
  assert_ptr_equal(ad_task_named("classification"), &ad_task_classification);
  assert_ptr_equal(ad_task_named(NULL), ad_task_find(NULL));
  static const char *const none[] = {"",
                                     "unheard",
                                     "a:unheard:2",
                                     "a:classification:0",
                                     "a:classification:x",
                                     ":classification:2",
                                     "a:classification:2,a:regression:1"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    assert_null(ad_task_named(none[i]));
  }
  /* A run of one task alone has its scores by either name. */
  assert_ptr_equal(ad_task_score(&ad_task_classification, "mood.error"),
                   ad_task_score(&ad_task_classification, "error"));
  assert_string_equal(ad_score_find("mood.error")->name, "mood.error");
  assert_string_equal(ad_score_find("unheard.matthews")->name, "unheard.matthews");
  assert_null(ad_score_find("unheard.unheard"));
  size_t found = 0;
  for (size_t i = 0; ad_score_at(i) != NULL; i++) {
    found += strcmp(ad_score_at(i)->name, "error") == 0 || strcmp(ad_score_at(i)->name, "nli.error") == 0;
  }
  assert_int_equal(found, 2);
}

static void test_labels(void **state) {
  (void)state;
  const struct ad_task *task = join("nli", "mood");
  const uint32_t good[] = {1, 1}, none[] = {AD_NO_LABEL, 0}, without[] = {0, AD_NO_LABEL}, large[] = {1, 2};
  assert_true(ad_task_is_label(task, ALL, good));
  assert_false(ad_task_is_label(task, ALL, none));
  assert_false(ad_task_is_label(task, ALL, without));
  assert_false(ad_task_is_label(task, ALL, large));
  const struct ad_head head = ad_task_head(task, ALL, good), only = ad_task_head(&ad_task_classification, ALL, good);
  assert_string_equal(head.name, "mood");
  assert_int_equal(head.first, FIRST);
  assert_int_equal(*ad_task_own_label(task, good), 1);
  assert_ptr_equal(ad_task_own_label(&ad_task_classification, good), good);
  assert_true(only.C == ALL && only.first == 0 && only.name == NULL && only.task == &ad_task_classification);
}

static void refuse(size_t count, const struct ad_head *heads, const char *message) {
  const struct ad_task *task;
  assert_int_equal(ad_task_join(&task, count, heads), AD_ECONFIG);
  assert_null(task);
  assert_non_null(strstr(ad_error_message(), message));
  ad_error_clear();
}

static void test_refusals(void **state) {
  (void)state;
  struct ad_head heads[AD_MOST_HEADS + 1];
  char names[AD_MOST_HEADS + 1][8], long_name[AD_HEAD_NAME + 1];
  for (size_t t = 0; t <= AD_MOST_HEADS; t++) {
    snprintf(names[t], sizeof names[t], "t%zu", t);
    heads[t] = (struct ad_head){.name = names[t], .task = &ad_task_classification, .C = 2};
  }
  refuse(0, heads, "0 tasks at once, expected 1 to 8");
  refuse(AD_MOST_HEADS + 1, heads, "9 tasks at once");
  heads[2].name = "t0";
  refuse(3, heads, "tasks 1 and 3 both have the name \"t0\"");
  heads[2].name = "a:b";
  refuse(3, heads, "task 3 has the name \"a:b\", expected none of");
  heads[2].name = "";
  refuse(3, heads, "task 3 has the name \"\"");
  memset(long_name, 'x', AD_HEAD_NAME);
  long_name[AD_HEAD_NAME] = '\0';
  heads[2].name = long_name;
  refuse(3, heads, "of 48 bytes, expected 1 to 47");
}

static void test_columns(void **state) {
  (void)state;
  enum { N = 3, C = 4 };
  float values[N * C];
  const float narrow[N * 2] = {1, 2, 5, 6, 9, 10}, wide[N * C] = {0, 1, 2, 0, 0, 5, 6, 0, 0, 9, 10, 0};
  for (size_t i = 0; i < (size_t)N * C; i++) {
    values[i] = (float)i;
  }
  ad_columns_narrow(N, C, 1, 2, values);
  assert_memory_equal(values, narrow, sizeof narrow);
  ad_columns_widen(N, C, 1, 2, values);
  assert_memory_equal(values, wide, sizeof wide);
  ad_columns_narrow(N, C, 0, C, values);
  ad_columns_widen(N, C, 0, C, values);
  assert_memory_equal(values, wide, sizeof wide);
}

/* Each task's scores are those of its rows and columns alone; a row of the log keeps all. */
static void test_scores(void **state) {
  (void)state;
  enum { N = 7, N_SECOND = 3 };
  const struct ad_task *task = join("nli", "mood");
  const uint32_t labels[N][2] = {{0, 2}, {1, 1}, {0, 0}, {0, 1}, {1, 0}, {1, 1}, {0, 2}};
  float logits[N][ALL], own[N_SECOND][SECOND];
  uint32_t own_labels[N_SECOND];
  struct ad_scoring all, second;
  for (size_t i = 0, k = 0; i < N; i++) {
    for (size_t c = 0; c < ALL; c++) {
      logits[i][c] = (float)sin((double)(i * ALL + c));
    }
    if (labels[i][0] == 1) {
      memcpy(own[k], &logits[i][FIRST], sizeof own[k]);
      own_labels[k++] = labels[i][1];
    }
  }
  assert_int_equal(ad_scoring_create(&all, (struct ad_labels){task, N, labels[0]}, ALL, logits[0]), AD_OK);
  assert_int_equal(
      ad_scoring_create(&second, (struct ad_labels){&ad_task_classification, N_SECOND, own_labels}, SECOND, own[0]),
      AD_OK);
  const char *const names[] = {"error", "accuracy", "macro_f1", "matthews", "loss"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char name[40];
    snprintf(name, sizeof name, "mood.%s", names[i]);
    assert_true(ad_scores_get(&all.scores, name) == ad_scores_get(&second.scores, names[i]));
  }
  assert_true(ad_scores_first(&all.scores) ==
              ad_scores_get(&all.scores, "nli.error") / 2.0 + ad_scores_get(&all.scores, "mood.error") / 2.0);
  assert_true(ad_scores_loss(&all.scores) ==
              ad_scores_get(&all.scores, "nli.loss") / 2.0 + ad_scores_get(&all.scores, "mood.loss") / 2.0);
  char text[AD_ROW_TEXT];
  json_t *object = json_pack("{}");
  struct ad_buffer braced = {0};
  json_decref(object);
  assert_int_equal(ad_buffer_printf(&braced, "{%s}", ad_scores_print(&all.scores, text)), AD_OK);
  assert_int_equal(ad_json_parse(&object, "row", 1, braced.data, braced.size), AD_OK);
  const struct ad_scores read = ad_scores_read(object);
  assert_ptr_equal(read.task, task);
  assert_memory_equal(read.value, all.scores.value, task->score_count * sizeof *read.value);
  json_decref(object);
  ad_buffer_destroy(&braced);
  ad_scoring_destroy(&second);
  assert_int_equal(ad_scoring_create(&second, (struct ad_labels){task, N, labels[0]}, ALL - 1, logits[0]), AD_EINPUT);
  const struct ad_labels given = {task, N, labels[0]};
  assert_true(ad_majority_share(given, ALL, "nli.error") == 2.0 / 4.0);
  assert_true(ad_majority_share(given, ALL, "mood.loss") == 2.0 / 3.0);
  assert_true(isnan(ad_majority_share(given, ALL, "none.error")) && isnan(ad_majority_share(given, ALL, NULL)));
  ad_scoring_destroy(&all);
  ad_scoring_destroy(&second);
}

/* Examples dealt over the tasks, as many first ones of each. */
static void test_take(void **state) {
  (void)state;
  enum { N = 6 };
  size_t offset[N + 1] = {0, 1, 3, 6, 10, 15, 21};
  uint32_t ids[21], first[N] = {1, 2, 3, 4, 5, 6}, label[2 * N] = {0, 2, 0, 1, 0, 0, 0, 2, 1, 1, 1, 0};
  static const size_t expected[N + 1][N] = {
      {0}, {0}, {0, 4}, {0, 1, 4}, {0, 1, 4, 5}, {0, 1, 2, 4, 5}, {0, 1, 2, 3, 4, 5}};
  for (uint32_t i = 0; i < 21; i++) {
    ids[i] = 100 + i;
  }
  const struct ad_dataset all = {.count = N,
                                 .offset = offset,
                                 .ids = ids,
                                 .first = first,
                                 .label = label,
                                 .task = join("nli", "mood"),
                                 .words = 2};
  struct ad_dataset taken;
  for (size_t count = 1; count <= N; count++) {
    assert_int_equal(ad_dataset_take(&taken, &all, count), AD_OK);
    assert_int_equal(taken.count, count);
    for (size_t n = 0; n < count; n++) {
      const size_t i = expected[count][n];
      assert_int_equal(ad_dataset_length(&taken, n), ad_dataset_length(&all, i));
      assert_memory_equal(taken.ids + taken.offset[n], ids + offset[i], ad_dataset_length(&all, i) * sizeof *ids);
      assert_memory_equal(ad_dataset_label(&taken, n), label + 2 * i, 2 * sizeof *label);
      assert_int_equal(taken.first[n], first[i]);
    }
    ad_dataset_destroy(&taken);
  }
  ad_memory_fail_at(3);
  assert_int_equal(ad_dataset_take(&taken, &all, N), AD_ENOMEM);
  ad_memory_fail_at(0);
  ad_dataset_destroy(&taken);
}

/* --- Twenty steps. */

/* The examples of both tasks, task by task, so that the trainer's own order gives the file's batches. */
static struct ad_dataset dataset_of(const struct encoder_fixture *f, hid_t file) {
  enum { ROWS = STEPS * TRAJECTORY_BATCH };
  const struct ad_dataset *from = &f->dataset;
  uint32_t tasks[STEPS], batches[ROWS], source[ROWS], ids[TRAJECTORY_BATCH];
  struct ad_order order;
  size_t N, firsts = 0;
  fixture_read(file, "tasks", H5T_NATIVE_UINT32, STEPS, tasks);
  fixture_read(file, "batches", H5T_NATIVE_UINT32, ROWS, batches);
  uint32_t *labels = fixture_read_new(file, "labels", H5T_NATIVE_UINT32, &N);
  for (size_t step = 0; step < STEPS; step++) {
    firsts += tasks[step] == 0 ? TRAJECTORY_BATCH : 0;
  }
  const struct ad_order_tasks parts = {.count = 2, .begin = {0, firsts, ROWS}, .temperature = 1.0};
  assert_int_equal(ad_order_create_tasks(&order, &parts, TRAJECTORY_BATCH, TRAJECTORY_SEED), AD_OK);
  for (uint64_t step = 0; step < STEPS; step++) {
    size_t count;
    assert_int_equal(ad_order_batch(&order, step, ids, &count), AD_OK);
    assert_int_equal(count, TRAJECTORY_BATCH);
    assert_int_equal(ids[0] >= firsts, tasks[step]);
    for (size_t i = 0; i < TRAJECTORY_BATCH; i++) {
      source[ids[i]] = batches[step * TRAJECTORY_BATCH + i];
    }
  }
  ad_order_destroy(&order);
  struct ad_dataset d = {.count = ROWS, .task = join("nli", "mood"), .words = 2};
  d.offset = calloc(ROWS + 1, sizeof *d.offset);
  d.first = calloc(ROWS, sizeof *d.first);
  d.label = calloc(2 * ROWS, sizeof *d.label);
  d.ids = calloc(ROWS * from->offset[from->count], sizeof *d.ids);
  for (size_t row = 0; row < ROWS; row++) {
    const uint32_t length = ad_dataset_length(from, source[row]);
    memcpy(d.ids + d.offset[row], from->ids + from->offset[source[row]], length * sizeof *d.ids);
    d.offset[row + 1] = d.offset[row] + length;
    d.first[row] = from->first[source[row]];
    d.label[2 * row] = row >= firsts;
    d.label[2 * row + 1] = labels[source[row]];
    d.longest = length > d.longest ? length : d.longest;
  }
  free(labels);
  return d;
}

static void check_run(const char *group, const struct ad_teacher_settings *teacher) {
  struct encoder_fixture f;
  struct trajectory t;
  const hid_t file = fixture_open("heads.h5");
  fixture_load(&f, "encoder-pooler-relu.h5");
  trajectory_start_on(&t, &f, teacher, NULL, dataset_of(&f, file));
  expect_run(&t, file, group);
  trajectory_end(&t);
  fixture_unload(&f);
  fixture_close(file);
}

static void test_runs(void **state) {
  (void)state;
  const struct ad_memory_stats before = ad_memory_stats();
  const struct ad_teacher_settings none = {0}, drop = {.method = AD_TEACHER_RDROP, .every = 1, .weight = 3.0},
                                   sda = {.method = AD_TEACHER_SDA, .window = 3, .every = 1, .lag = 1, .weight = 3.0},
                                   sdv = {.method = AD_TEACHER_SDV, .window = 2, .every = 1, .lag = 1, .weight = 3.0};
  failures = 0;
  check_run("plain", &none);
  check_run("plain", &drop);
  check_run("sda", &sda);
  check_run("sdv", &sdv);
  assert_int_equal(failures, 0);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_table),    cmocka_unit_test(test_labels),
                                     cmocka_unit_test(test_refusals), cmocka_unit_test(test_columns),
                                     cmocka_unit_test(test_scores),   cmocka_unit_test(test_take),
                                     cmocka_unit_test(test_runs)};
  return cmocka_run_group_tests_name(kernels, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
