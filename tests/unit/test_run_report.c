/* The report of runs, on folders that hold what the run's writers write: numbers, states, damage, refusals, memory.
 *
 * Expected numbers: eight dev examples of two classes with logits (z, 0), z = +-log 3 and +-log 9, so that the larger
 * probability is 3/4 or 9/10; scikit-learn 1.5 gives the scores of the predictions, the calibration is by hand. */
#include "autodidact/report/run_report.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autodidact/base/digest.h"
#include "autodidact/store/events.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/run.h"
#include "autodidact/store/run_log.h"
#include "support/study_report.h"

enum { STEPS = 400, EVERY = 100, N = 8 };

static char *join(const char *run, const char *name) {
  char *path = ad_path_join(run, name);
  assert_non_null(path);
  return path;
}

static void put(const char *run, const char *name, const char *text) {
  char *path = join(run, name);
  assert_int_equal(ad_file_write(path, text, strlen(text)), AD_OK);
  ad_free(path);
}

static void put_config(const char *run, const char *changes) {
  struct ad_config config;
  struct ad_buffer text = {0};
  char keys[400], *save = NULL;
  assert_int_equal(ad_make_folders(run), AD_OK);
  assert_int_equal(ad_config_create(&config), AD_OK);
  snprintf(keys, sizeof keys, "run.dir=%s optim.lr=0.5 %s", run, changes);
  for (char *key = strtok_r(keys, " ", &save); key != NULL; key = strtok_r(NULL, " ", &save)) {
    assert_int_equal(ad_config_override(&config, key), AD_OK);
  }
  assert_int_equal(ad_config_print(&config, &text), AD_OK);
  put(run, "config.yaml", text.data);
  ad_buffer_destroy(&text);
  ad_config_destroy(&config);
}

/* Of the runs that are written. */
static const struct ad_task *task = &ad_task_classification;

/* The scores of the logits below, by scikit-learn; of numbers made up. */
static struct ad_scores scores_at(uint64_t step) {
  if (task->numbers) {
    return (struct ad_scores){.examples = N, .task = task, .value = {0.5, 0.25, 0.125, 4.0 / (double)step}};
  }
  return (struct ad_scores){.examples = N, .task = task, .value = {0.25, 0.75, 0.75, 0.5, 4.0 / (double)step}};
}

/* Steps with the loss 2 / step and an evaluation of each variant after every hundredth. `bad`: a line that is none. */
static void put_log(const char *run, uint64_t steps, const char *bad) {
  struct ad_buffer text = {0};
  uint64_t chain = 0;
  char row[AD_ROW_TEXT];
  for (uint64_t s = 1; s <= steps; s++) {
    chain = ad_digest_pair(chain, s);
    const struct ad_step_row step = {.step = s,
                                     .epoch = 1,
                                     .examples = 4,
                                     .tokens = 40,
                                     .loss = 2.0 / (double)s,
                                     .distance = NAN,
                                     .norm = 1.5,
                                     .factor = (double)s / STEPS,
                                     .parameters = s,
                                     .chain = chain};
    assert_int_equal(ad_buffer_printf(&text, "%s\n", ad_step_row_print(&step, row)), AD_OK);
    assert_int_equal(s == 7 ? ad_buffer_puts(&text, bad) : AD_OK, AD_OK);
    for (enum ad_variant v = 0; s % EVERY == 0 && v < 2; v++) {
      const struct ad_evaluation_row at = {v, s, 1, scores_at(s)};
      assert_int_equal(ad_buffer_printf(&text, "%s\n", ad_evaluation_row_print(&at, row)), AD_OK);
    }
  }
  put(run, "log.jsonl", text.data);
  ad_buffer_destroy(&text);
}

static void put_timings(const char *run, const char *bad) {
  struct ad_buffer text = {0};
  char row[AD_ROW_TEXT];
  for (uint64_t s = 1; s <= STEPS; s++) {
    const struct ad_timing_row step = {AD_TIMING_STEP, .step = s, .steps = STEPS, .seconds = s == 17 ? 2.0 : 0.5};
    assert_int_equal(ad_buffer_printf(&text, "%s\n", ad_timing_row_print(&step, row)), AD_OK);
  }
  assert_int_equal(ad_buffer_puts(&text, bad), AD_OK);
  put(run, "timing.jsonl", text.data);
  ad_buffer_destroy(&text);
}

static void put_result(const char *run) {
  struct ad_buffer text = {0};
  const struct ad_result result = {
      .step = STEPS, .steps = STEPS, .kept = {1}, .digest = {0xabcdef}, .has_dev = 1, .dev = scores_at(STEPS)};
  assert_int_equal(ad_result_print(&result, &text), AD_OK);
  put(run, "result.json", text.data);
  ad_buffer_destroy(&text);
}

/* Six of eight are right: 3 of 4 with 3/4, 3 of 4 with 9/10. Of sets the first class is told well, the second not at
 * all. */
static void put_logits(const char *run) {
  static const uint32_t labels[N] = {0, 0, 1, 1, 0, 0, 1, 1}, sets[N] = {1, 1, 2, 3, 1, 0, 2, 2};
  const float a = logf(3.0f), b = logf(9.0f);
  const float logits[2 * N] = {a, 0, a, 0, -a, 0, a, 0, b, 0, -b, 0, -b, 0, -b, 0};
  char *folder = join(run, "logits"), name[AD_LOGITS_NAME], *path = join(folder, ad_logits_name(0, STEPS, name));
  assert_int_equal(ad_make_folders(folder), AD_OK);
  const struct ad_labels written = {task, N, task == &ad_task_multi_label ? sets : labels};
  assert_int_equal(ad_logits_write(path, written, 2, logits), AD_OK);
  ad_free(path);
  ad_free(folder);
}

/* Twenty labels of two targets, descending: 19, 18, ... and their tens. The first is predicted 1/4 too low and 1/2 too
 * high in turn, the second right but for the first example. */
static void put_numbers(const char *run) {
  enum { ROWS = 20 };
  float labels[2 * ROWS], logits[2 * ROWS];
  uint32_t words[2 * ROWS];
  for (int i = 0; i < ROWS; i++) {
    labels[2 * i] = (float)(ROWS - 1 - i);
    labels[2 * i + 1] = 10.0f * labels[2 * i];
    logits[2 * i] = labels[2 * i] + (i % 2 == 0 ? -0.25f : 0.5f);
    logits[2 * i + 1] = labels[2 * i + 1] + (i == 0 ? 5.0f : 0.0f);
  }
  memcpy(words, labels, sizeof words);
  char *folder = join(run, "logits"), name[AD_LOGITS_NAME], *path = join(folder, ad_logits_name(0, STEPS, name));
  assert_int_equal(ad_make_folders(folder), AD_OK);
  assert_int_equal(ad_logits_write(path, (struct ad_labels){&ad_task_regression, ROWS, words}, 2, logits), AD_OK);
  ad_free(path);
  ad_free(folder);
}

static void put_finished(const char *run, const char *changes) {
  put_config(run, changes);
  put_log(run, STEPS, "");
  put_timings(run, "");
  if (task->numbers) {
    put_numbers(run);
  } else {
    put_logits(run);
  }
  put(run, "provenance.json", "{\"arithmetic\":\"1\",\"host\":\"<node&1>\",\"ranks\":\"4 on 2 nodes\"}");
  put_result(run);
}

static struct ad_buffer report(size_t count, char *const *runs, const char *folder) {
  struct ad_buffer text = {0}, page = {0};
  const int status = ad_report_runs(count, runs, folder, 0, &text, &page);
  if (status != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  join_lines(&text);
  assert_null(find_nan(text.data));
  check_page(page.data, -1);
  ad_buffer_destroy(&page);
  return text;
}

static void expect(const struct ad_buffer *text, const char *says) {
  if (strstr(text->data, says) == NULL) {
    fail_msg("the report does not say \"%s\":\n%s", says, text->data);
  }
}

static void expect_file(const char *path, const char *says) {
  struct ad_buffer text = {0};
  assert_int_equal(ad_file_read(path, &text), AD_OK);
  expect(&text, says);
  ad_buffer_destroy(&text);
}

static void test_finished(void **state) {
  (void)state;
  char name[] = "one/", *const runs[] = {name};
  put_finished("one", "eval.keep_logits=true");
  struct ad_buffer text = report(1, runs, NULL);
  expect(&text, "one: finished. 400 of 400 steps, on dev after step 400 (student): error 25.00 %, accuracy 75.00 %");
  expect(&text, "arithmetic");
  expect(&text, "0000000000abcdef"); /* digest of the result */
  expect_file("one-report/report.html", "&lt;node&amp;1&gt;");
  /* Windows of ceil(400 / 150) = 3 steps: the first has the losses 2, 1, 2/3. */
  expect_file("one-report/curves.csv", "\nloss,2,1.2222222222222221,0.66666666666666663,2,\n");
  expect_file("one-report/curves.csv", "\nlearning_rate,2,0.0025000000000000001,0.00125,0.0037499999999999999,\n");
  expect_file("one-report/evaluations.csv", "\nteacher,100,1,8,0.25,0.75,0.75,0.5,0.040000000000000001,\n");
  expect_file("one-report/slowest_steps.csv", "\n17,2,4,\n");
  expect_file("one-report/times.csv", "\ntraining steps,400,0.5,2,201.5,1,\n");
  expect_file("one-report/confusions.csv", "\nclass 1,class 0,1,\n");
  expect_file("one-report/classes.csv", "\nclass 0,4,0.75,0.75,0.75,\n");
  ad_buffer_destroy(&text);
}

/* -log p of the label: six right, one wrong of each kind; ECE = (0 + |3 - 3.6|) / 8 = 0.075. */
static void test_calibration(void **state) {
  (void)state;
  struct ad_buffer csv = {0};
  uint64_t examples;
  double nll, brier, ece;
  assert_int_equal(ad_file_read("one-report/calibration.csv", &csv), AD_OK);
  const char *row = strchr(csv.data, '\n');
  assert_non_null(row);
  assert_int_equal(sscanf(row, "%lu,%lf,%lf,%lf,", &examples, &nll, &brier, &ece), 4);
  const double right = 3 * log(4.0 / 3) + 3 * log(10.0 / 9), wrong = log(4.0) + log(10.0);
  const double squares = 3 * 2 * 0.0625 + 2 * 0.5625 + 3 * 2 * 0.01 + 2 * 0.81;
  assert_int_equal(examples, N);
  /* float32 logits: a rounding of 6e-8 in each. */
  assert_true(fabs(nll - (right + wrong) / N) <= 1e-7);
  assert_true(fabs(brier - squares / N) <= 1e-7);
  assert_true(fabs(ece - 0.075) <= 1e-7);
  ad_buffer_destroy(&csv);
  /* Bins are (l/15, (l+1)/15]; Wilson's interval of 3 in 4 by statsmodels' proportion_confint. */
  double bin[7];
  assert_int_equal(ad_file_read("one-report/calibration_bins.csv", &csv), AD_OK);
  row = strchr(csv.data, '\n');
  assert_non_null(row);
  assert_int_equal(
      sscanf(row, "%lf,%lf,%lf,%lf,%lf,%lf,%lf,", bin, bin + 1, bin + 2, bin + 3, bin + 4, bin + 5, bin + 6), 7);
  const double expected[7] = {11.0 / 15, 12.0 / 15, 4, 0.75, 0.75, 0.30064184258309236, 0.9544127391902995};
  for (size_t i = 0; i < 7; i++) {
    assert_true(fabs(bin[i] - expected[i]) <= 1e-7);
  }
  ad_buffer_destroy(&csv);
}

static void test_several(void **state) {
  (void)state;
  char a[] = "one", b[] = "in/two", *const runs[] = {a, b};
  put_finished("in/two", "seed.order=5");
  assert_int_equal(ad_remove_folder("in/two/logits"), AD_OK);
  struct ad_buffer text = report(2, runs, "both/deep");
  expect(&text, "two: not available: it keeps no logits");
  expect_file("both/deep/differences.csv", "\nseed.order,yes,0,5,\n");
  expect_file("both/deep/differences.csv", "\nrun.dir,no,one,in/two,\n");
  expect_file("both/deep/runs.csv", "\ntwo,finished,400,400,0.25,");
  expect_file("both/deep/report.json", "\"title\": \"Runs one, two\"");
  ad_buffer_destroy(&text);
}

/* Errors by hand: of each tenth, two examples with -1/4 and 1/2, whose SD is 3/4 over the root of 2. */
/* The figures by scikit-learn. */
static void test_sets(void **state) {
  (void)state;
  char a[] = "sets", b[] = "single", *const runs[] = {a, b};
  task = &ad_task_multi_label;
  put_finished("sets", "eval.keep_logits=true");
  task = &ad_task_classification;
  put_finished("single", "eval.keep_logits=true");
  struct ad_buffer text = report(1, runs, NULL);
  assert_null(strstr(text.data, "Which classes it takes for which"));
  expect(&text, "sets: a class is predicted where its probability is at least 0.5.");
  expect_file("sets-report/sets.csv", "\nclass 0,4,4,1,1,1,1,\nclass 1,4,8,0.5,1,0.66666666666666663,0.5,\n");
  ad_buffer_destroy(&text);
  text = report(2, runs, "both");
  expect(&text, "sets: not available: its labels are sets of classes.");
  expect(&text, "single: not available: its labels are no sets of classes.");
  ad_buffer_destroy(&text);
}

static void test_numbers(void **state) {
  (void)state;
  char a[] = "numbers", b[] = "one", *const runs[] = {a, b};
  task = &ad_task_regression;
  put_finished("numbers", "eval.keep_logits=true");
  task = &ad_task_classification;
  struct ad_buffer text = report(1, runs, NULL);
  expect(&text,
         "numbers: finished. 400 of 400 steps, on dev after step 400 (student): Pearson 0.5000, Spearman 0.2500");
  assert_null(strstr(text.data, "Which classes it takes for which"));
  expect_file("numbers-report/error_targets.csv", "\ntarget 0,20,0.125,0.38474");
  expect_file("numbers-report/error_targets.csv", "\ntarget 1,20,0.25,1.11803398874989");
  expect_file("numbers-report/error_tenths.csv", "\ntarget 0,0,1,2,0.125,0.53033008588991");
  expect_file("numbers-report/error_tenths.csv", "\ntarget 1,180,190,2,2.5,3.535533905932737");
  expect_file("numbers-report/largest_errors.csv", "\ntarget 0,2,18,18.5,0.5,\n");
  expect_file("numbers-report/largest_errors.csv", "\ntarget 1,1,190,195,5,\n");
  ad_buffer_destroy(&text);
  text = report(2, runs, "mixed");
  expect(&text, "numbers: not available: its task has no classes.");
  expect(&text, "one: not available: its task does not predict numbers.");
  ad_buffer_destroy(&text);
}

/* What is not there is told, and what is damaged is counted. */
static void test_damaged(void **state) {
  (void)state;
  char a[] = "bare", b[] = "bad", *const runs[] = {a, b};
  put_config("bare", "");
  put_config("bad", "");
  put_log("bad", 50, "{\"step\":8,\n\nnonsense\n{\"step\":3,\"epoch\":1}\n");
  put_timings("bad", "{\"other\":1}\n[]\n{\"step\":");
  put("bad", "provenance.json", "{");
  struct ad_buffer text = report(2, runs, "damaged");
  expect(&text, "bare: failed. 0 steps, no scores on dev. It ended without a result");
  expect(&text, "bare: no steps: log.jsonl is missing or empty");
  expect(&text, "bad: failed. 50 of 400 steps, no scores on dev.");
  expect(&text, "bad: 4 lines of log.jsonl and 2 of timing.jsonl cannot be read, and are left out.");
  expect(&text, "bad: not all of it can be read: bad/provenance.json");
  expect(&text, "bad: not available: it has not been evaluated.");
  expect(&text, "bare: not available: timing.jsonl is missing or empty.");
  ad_buffer_destroy(&text);
}

/* Nothing in the name of a folder, of a class or in a fact commands a terminal. */
static void test_hostile(void **state) {
  (void)state;
  static const char *const files[] = {"report.txt", "report.html", "report.json", "differences.csv", "facts.csv"};
  char a[] = "one", b[] = "x\033[2J", *const runs[] = {a, b};
  put_finished(b, "");
  put(b, "provenance.json", "{\"host\":\"\\u001b[2J\"}");
  struct ad_buffer text = report(2, runs, "hostile");
  assert_null(strchr(text.data, '\033'));
  expect(&text, "x\\x1b[2J: finished.");
  ad_buffer_destroy(&text);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    struct ad_buffer file = {0};
    char *path = join("hostile", files[i]);
    assert_int_equal(ad_file_read(path, &file), AD_OK);
    assert_null(strchr(file.data, '\033'));
    ad_buffer_destroy(&file);
    ad_free(path);
  }
}

static void put_checkpoint(const char *run, uint64_t step) {
  char name[40], *folder = join(run, "checkpoints");
  assert_int_equal(ad_make_folders(folder), AD_OK);
  ad_free(folder);
  snprintf(name, sizeof name, "checkpoints/step-%09lu.h5", step);
  put(run, name, "x");
}

/* What has become of an unfinished run is read from what it left. */
static void test_states(void **state) {
  (void)state;
  char name[] = "part", *const runs[] = {name};
  struct ad_run run;
  struct ad_lease_entry holder;
  put_config("part", "");
  put_log("part", 60, "");
  put_checkpoint("part", 40);
  struct ad_buffer text = report(1, runs, NULL);
  expect(&text, "part: failed. 60 steps, no scores on dev.");
  expect(&text, "training it again goes on from the checkpoint of step 40.");
  ad_buffer_destroy(&text);
  put_checkpoint("part", 60);
  text = report(1, runs, NULL);
  expect(&text,
         "part: stopped. 60 steps, no scores on dev. It was stopped; training it again goes on from the checkpoint "
         "of step 60.");
  ad_buffer_destroy(&text);
  assert_int_equal(ad_run_enter(&run, "part", &holder), AD_OK);
  text = report(1, runs, NULL);
  expect(&text, "part: running. 60 steps, no scores on dev. Process ");
  ad_buffer_destroy(&text);
  assert_int_equal(ad_run_close(&run), AD_OK);
}

/* A process that was killed leaves its lease. */
static void test_killed(void **state) {
  (void)state;
  char name[] = "killed", *const runs[] = {name};
  struct ad_run run;
  struct ad_lease_entry holder;
  put_config("killed", "");
  put_log("killed", 60, "");
  const pid_t child = fork();
  if (child == 0) {
    _exit(ad_run_enter(&run, "killed", &holder) == AD_OK ? raise(SIGKILL) : 1);
  }
  int left;
  assert_true(child > 0 && waitpid(child, &left, 0) == child && WIFSIGNALED(left));
  struct ad_buffer text = report(1, runs, NULL);
  expect(&text, "killed: killed. 60 steps, no scores on dev. Process ");
  expect(&text, "trained it and gives no sign of life; as it has no checkpoint, training it begins anew.");
  ad_buffer_destroy(&text);
}

/* The same folders as TensorBoard's events: what is read, and that nothing leaks. tests/system/page.py reads the file.
 */
static void test_events(void **state) {
  (void)state;
  size_t steps, evaluations, damaged;
  assert_int_equal(ad_events_export("one", "events/one", &steps, &evaluations, &damaged), AD_OK);
  assert_true(steps == STEPS && evaluations == 2 * STEPS / EVERY && damaged == 0);
  assert_int_equal(ad_events_export("bad", "events/bad", &steps, &evaluations, &damaged), AD_OK);
  assert_true(steps == 50 && evaluations == 0 && damaged == 4);
  assert_int_equal(ad_events_export("bare", "events/bare", &steps, &evaluations, &damaged), AD_EINPUT);
  assert_int_equal(ad_events_export("nothing", "events/no", &steps, &evaluations, &damaged), AD_EINPUT);
  assert_int_equal(ad_events_export("one", "one/events", &steps, &evaluations, &damaged), AD_ECONFIG);
  ad_error_clear();
  const size_t blocks = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n += 1 + n / 8) {
    ad_memory_fail_at(n);
    status = ad_events_export("one", "events/one", &steps, &evaluations, &damaged);
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, blocks);
  }
}

static void refuse(size_t count, char *const *runs, const char *folder, int expected, const char *says) {
  struct ad_buffer text = {0}, page = {0};
  assert_int_equal(ad_report_runs(count, runs, folder, 0, &text, &page), expected);
  if (strstr(ad_error_message(), says) == NULL) {
    fail_msg("found \"%s\", expected \"%s\"", ad_error_message(), says);
  }
  ad_error_clear();
  ad_buffer_destroy(&text);
  ad_buffer_destroy(&page);
}

static void test_refusals(void **state) {
  (void)state;
  char one[] = "one", again[] = "./one/", none[] = "nothing", file[] = "one/log.jsonl", empty[] = "empty",
       other[] = "bare", folder[] = "in", study[] = "one/config.yaml";
  char *const runs[AD_REPORT_RUNS + 1] = {one};
  assert_int_equal(ad_make_folders("empty"), AD_OK);
  refuse(0, runs, NULL, AD_ECONFIG, "found 0 runs, expected 1 to 8");
  refuse(AD_REPORT_RUNS + 1, runs, NULL, AD_ECONFIG, "found 9 runs, expected 1 to 8");
  refuse(2, (char *const[]){one, again}, NULL, AD_ECONFIG, "found ./one/ twice");
  refuse(1, (char *const[]){none}, NULL, AD_EINPUT, "nothing: expected the folder of a run, found nothing");
  refuse(1, (char *const[]){file}, NULL, AD_EINPUT, "expected the folder of a run, found a file");
  refuse(1, (char *const[]){folder}, NULL, AD_EINPUT,
         "in: not the folder of a run, but one with runs: name some of them, "
         "as in: report in/two");
  refuse(1, (char *const[]){study}, NULL, AD_EINPUT,
         "one/config.yaml: expected the folder of a run, found a file; `study");
  refuse(1, (char *const[]){empty}, NULL, AD_EINPUT, "empty: not the folder of a run");
  refuse(1, (char *const[]){one}, "one/report", AD_ECONFIG, "one/report lies in the folder of the run one");
  refuse(2, (char *const[]){one, other}, "bare", AD_ECONFIG, "bare lies in the folder of the run bare");
  refuse(1, (char *const[]){one}, "one/log.jsonl/x", AD_ECONFIG, "");
  put_config("broken", "");
  put("broken", "config.yaml", "run: {dri: x}\n");
  char broken[] = "broken";
  refuse(1, (char *const[]){broken}, NULL, AD_ECONFIG, "dri");
}

/* Whatever memory cannot be had, nothing leaks. */
static void test_memory(void **state) {
  (void)state;
  char a[] = "one", b[] = "numbers", *const runs[] = {a, b};
  const size_t blocks = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n += 1 + n / 12) {
    struct ad_buffer text = {0}, page = {0};
    ad_memory_fail_at(n);
    status = ad_report_runs(2, runs, "memory", 1, &text, &page);
    ad_memory_fail_at(0);
    ad_buffer_destroy(&text);
    ad_buffer_destroy(&page);
    if (status != AD_OK && status != AD_ENOMEM) {
      fail_msg("allocation %lu: %s: %s", n, ad_status_name(status), ad_error_message());
    }
    if (ad_memory_stats().live_blocks != blocks) {
      fail_msg("allocation %lu leaks", n);
    }
    assert_true(n < 1000000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_finished), cmocka_unit_test(test_calibration), cmocka_unit_test(test_several),
      cmocka_unit_test(test_sets),     cmocka_unit_test(test_numbers),     cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_states),   cmocka_unit_test(test_killed),      cmocka_unit_test(test_hostile),
      cmocka_unit_test(test_events),   cmocka_unit_test(test_refusals),    cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, enter, scratch_leave);
}
