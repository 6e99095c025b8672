/* ranks: 1 2 3 */
/* The engine by its public headers: a training step by step, evaluated and saved on demand, stopped and gone on with,
 * failing, replayed; its result predicted with. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/math/context.h"
#include "autodidact/run/predict.h"
#include "autodidact/run/program.h"
#include "autodidact/run/replay.h"
#include "autodidact/run/signals.h"
#include "autodidact/run/training.h"
#include "autodidact/store/rows.h"
#include "autodidact/store/run.h"
#include "autodidact/store/run_log.h"
#include "check.h"

static int rank, size;
static struct ad_math *math;

/* --- A small data set, in a folder that all ranks know. */

static void put(const char *name, const char *text) {
  CHECK(ad_file_write(name, text, strlen(text)) == AD_OK);
}

static void put_rows(const char *name, int count) {
  static const char *const words[] = {"film", "plot", "the story", "a", "very", "film plot"};
  struct ad_buffer text = {0};
  CHECK(ad_buffer_puts(&text, "sentence\tlabel\n") == AD_OK);
  for (int i = 0; i < count; i++) {
    CHECK(ad_buffer_printf(&text, "%s %s %s\t%d\n", i % 3 == 0 ? "good" : "bad", words[i % 6], words[i * i % 5],
                           i % 3 == 0) == AD_OK);
  }
  put(name, text.data);
  ad_buffer_destroy(&text);
}

static void enter(char folder[64]) {
  snprintf(folder, 64, "/tmp/ad-test-XXXXXX");
  CHECK(rank != 0 || mkdtemp(folder) != NULL);
  CHECK(MPI_Bcast(folder, 64, MPI_CHAR, 0, MPI_COMM_WORLD) == MPI_SUCCESS && chdir(folder) == 0);
  if (rank == 0) {
    put("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\nfilm\nplot\nthe\nstory\na\nvery\n");
    put("tiny.yaml",
        "title: tiny\nsource: made by tests\nlicence: none\nformat: tsv\nheader: true\ncolumns:\n  text: sentence\n"
        "  label: label\nlabels: {\"0\": bad, \"1\": good}\nclasses:\n  - bad\n  - good\nsplits:\n"
        "  train:\n    file: train.tsv\n  dev:\n    file: dev.tsv\n");
    put_rows("train.tsv", 24);
    put_rows("dev.tsv", 7);
    put("lines.txt", "good film\nbad plot\nthe story\n");
    put("config.yaml",
        "model: {vocab: vocab.txt, hidden: 8, heads: 2, ffn: 16, layers: 1, positions: 32}\n"
        "data: {descriptor: tiny.yaml, folder: ., max_tokens: 16}\n"
        "batch: {size: 6, lanes: 4}\ntrain: {epochs: 2}\noptim: {lr: 0.01}\nteacher: {method: sda, window: 2}\n");
  }
  CHECK(MPI_Barrier(MPI_COMM_WORLD) == MPI_SUCCESS);
}

static void leave(const char *folder) {
  char command[80];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  CHECK(MPI_Barrier(MPI_COMM_WORLD) == MPI_SUCCESS && chdir("/") == 0);
  CHECK(rank != 0 || system(command) == 0);
}

/* settings: key=value with a space between them. */
static struct ad_training *training(const char *dir, const struct ad_training_frame *frame, const char *settings) {
  enum { MOST = 9 };
  struct ad_training *t;
  char folder[80], others[200], file[] = "config.yaml", *words[MOST] = {file, folder};
  size_t count = 2;
  struct ad_training_frame quiet = frame == NULL ? (struct ad_training_frame){0} : *frame;
  quiet.quiet = 1;
  snprintf(folder, sizeof folder, "run.dir=%s", dir);
  snprintf(others, sizeof others, "%s", settings);
  for (char *p = strtok(others, " "); p != NULL && count < MOST; p = strtok(NULL, " ")) {
    words[count++] = p;
  }
  CHECK(ad_training_create(&t, math, &quiet) == AD_OK);
  CHECK(ad_training_configure(t, count, words) == AD_OK);
  return t;
}

static void same_file(const char *a, const char *b) {
  struct ad_buffer x = {0}, y = {0};
  CHECK(MPI_Barrier(MPI_COMM_WORLD) == MPI_SUCCESS);
  CHECK(ad_file_read(a, &x) == AD_OK && ad_file_read(b, &y) == AD_OK);
  CHECK(x.size == y.size && memcmp(x.data, y.data, x.size) == 0);
  ad_buffer_destroy(&x);
  ad_buffer_destroy(&y);
}

/* --- The tests. The first run is what the others are compared with. */

static void test_steps(void) {
  struct ad_training *t = training("straight", NULL, "");
  int more = 1, steps = 0;
  CHECK(ad_training_summary(t).folder == NULL && ad_training_summary(t).steps == 0);
  CHECK(ad_training_open(t) == AD_OK);
  CHECK(ad_training_summary(t).step == 0 && ad_training_summary(t).steps == 8);
  while (ad_training_step(t, &more) == AD_OK && more) {
    CHECK(ad_training_summary(t).step == (uint64_t)++steps);
  }
  CHECK(!more && steps == 8);
  CHECK(ad_training_finish(t) == AD_OK);
  const struct ad_training_summary s = ad_training_summary(t);
  CHECK(s.examples == 48 && s.last.step == 8 && s.signal == 0 && s.first_step > 0.0 && s.slowest[0] > 0.0);
  CHECK(s.has[AD_VARIANT_STUDENT] && s.has[AD_VARIANT_TEACHER] && !s.has[AD_VARIANT_RUN]);
  CHECK(s.majority == 4.0 / 7.0);
  if (rank == 0) {
    CHECK(s.evaluation_count == 2 && s.evaluations[0].step == 4 && s.evaluations[1].epoch == 2.0);
    CHECK(s.scored[AD_VARIANT_TEACHER] && s.evaluations[1].score[AD_VARIANT_TEACHER] <= 1.0);
  }
  CHECK(ad_training_close(t, 0) == AD_OK);
}

/* Asked by the first rank: the reason after so many questions. */
struct question {
  int left, answer;
};

static int answer(void *context) {
  struct question *q = context;
  return --q->left > 0 ? 0 : q->answer;
}

static void test_stop_and_resume(void) {
  struct question question = {4, SIGUSR2};
  const struct ad_training_frame frame = {.asked = answer, .context = &question};
  struct ad_training *t = training("stopped", &frame, "");
  CHECK(ad_training_run(t) == AD_ESTOPPED);
  const uint64_t step = ad_training_summary(t).step;
  CHECK(step > 0 && step < 8 && ad_training_summary(t).signal == SIGUSR2);
  CHECK(ad_training_close(t, 0) == AD_OK);
  CHECK(MPI_Barrier(MPI_COMM_WORLD) == MPI_SUCCESS && ad_run_find("stopped") == AD_FOUND_UNFINISHED);
  t = training("stopped", NULL, "");
  CHECK(ad_training_open(t) == AD_OK && ad_training_summary(t).step == step &&
        ad_training_summary(t).last.step == step);
  for (int more = 1; more;) {
    CHECK(ad_training_step(t, &more) == AD_OK);
  }
  CHECK(ad_training_finish(t) == AD_OK && ad_training_summary(t).examples == 48);
  CHECK(ad_training_close(t, 0) == AD_OK);
  same_file("straight/log.jsonl", "stopped/log.jsonl");
  same_file("straight/result.json", "stopped/result.json");
  same_file("straight/model/model.safetensors", "stopped/model/model.safetensors");
}

/* An evaluation and a checkpoint out of turn, from which another training goes on. */
static void test_evaluate_and_save(void) {
  struct ad_training *t = training("evaluated", NULL, "");
  int more;
  CHECK(ad_training_open(t) == AD_OK);
  CHECK(ad_training_step(t, &more) == AD_OK && ad_training_step(t, &more) == AD_OK && more);
  CHECK(ad_training_evaluate(t) == AD_OK && ad_training_save(t) == AD_OK);
  CHECK(rank != 0 || (ad_training_summary(t).evaluation_count == 1 && ad_training_summary(t).evaluations[0].step == 2));
  CHECK(ad_training_close(t, 0) == AD_OK);
  CHECK(MPI_Barrier(MPI_COMM_WORLD) == MPI_SUCCESS);
  t = training("evaluated", NULL, "");
  CHECK(ad_training_run(t) == AD_OK && (rank != 0 || ad_training_summary(t).evaluation_count == 3));
  CHECK(ad_training_close(t, 0) == AD_OK);
  same_file("straight/model/model.safetensors", "evaluated/model/model.safetensors");
  struct ad_run_log log, straight;
  CHECK(ad_run_log_read(&log, "evaluated/log.jsonl", UINT64_MAX) == AD_OK);
  CHECK(ad_run_log_read(&straight, "straight/log.jsonl", UINT64_MAX) == AD_OK);
  CHECK(log.step_count == 8 && straight.step_count == 8 && log.steps[7].row.chain == straight.steps[7].row.chain);
  CHECK(log.evaluation_count == straight.evaluation_count + 2 && log.evaluations[0].step == 2);
  ad_run_log_destroy(&log);
  ad_run_log_destroy(&straight);
}

/* With run.select=best: the result is the evaluation with the least error of the result's variant, the first of equal
 * ones. */
static void test_best(void) {
  struct ad_training *t = training("best", NULL, "run.select=best");
  CHECK(ad_training_run(t) == AD_OK);
  const struct ad_training_summary s = ad_training_summary(t);
  if (rank == 0) {
    size_t best = 0;
    struct ad_result result;
    for (size_t i = 1; i < s.evaluation_count; i++) {
      best = s.evaluations[i].score[AD_VARIANT_STUDENT] < s.evaluations[best].score[AD_VARIANT_STUDENT] ? i : best;
    }
    CHECK(ad_result_find(&result, "best") == AD_OK && result.has_dev && result.steps == 8);
    CHECK(result.step == s.evaluations[best].step &&
          ad_scores_first(&result.dev) == s.evaluations[best].score[AD_VARIANT_STUDENT]);
    CHECK(ad_scores_loss(&result.dev) == s.evaluations[best].loss);
    CHECK(ad_scores_first(&result.last[AD_VARIANT_STUDENT]) ==
          s.evaluations[s.evaluation_count - 1].score[AD_VARIANT_STUDENT]);
    CHECK(ad_scores_first(&result.last[AD_VARIANT_TEACHER]) ==
          s.evaluations[s.evaluation_count - 1].score[AD_VARIANT_TEACHER]);
  }
  CHECK(ad_training_close(t, 0) == AD_OK);
}

/* Early stopping: the log is the begin of the one without it, up to the second evaluation in a row whose loss is not
 * lower than the lowest before; also where it was stopped within an evaluation, whose score must not count twice. */
static void test_patience(void) {
  static const char settings[] = "eval.every=1 run.metric=loss optim.lr=0.1 train.epochs=4",
                    *dirs[] = {"whole", "broken"};
  const struct ad_training_frame faulty = {.faults = "term@eval:6"};
  char patient[160];
  snprintf(patient, sizeof patient, "%s train.patience=2", settings);
  struct ad_training *t = training("impatient", NULL, settings);
  CHECK(ad_training_run(t) == AD_OK && ad_training_summary(t).step == 16);
  uint64_t expected = 16;
  if (rank == 0) {
    const struct ad_training_summary s = ad_training_summary(t);
    size_t best = 0, i = 0;
    for (; i < s.evaluation_count && i < best + 2; i++) {
      best = i > 0 && s.evaluations[i].loss < s.evaluations[best].loss ? i : best;
    }
    expected = i < s.evaluation_count ? i + 1 : 16;
    CHECK(best > 0 && expected > 3 && expected < 16 && !(s.evaluations[i].loss < s.evaluations[best].loss));
  }
  CHECK(MPI_Bcast(&expected, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD) == MPI_SUCCESS);
  CHECK(ad_training_close(t, 0) == AD_OK);
  t = training("broken", &faulty, patient);
  CHECK(ad_training_run(t) == AD_ESTOPPED && ad_training_summary(t).step == 3);
  CHECK(ad_training_close(t, 0) == AD_OK);
  ad_signals_pretend(0); /* it was this process's own */
  for (size_t i = 0; i < 2; i++) {
    t = training(dirs[i], NULL, patient);
    CHECK(ad_training_run(t) == AD_OK && ad_training_summary(t).step == expected);
    CHECK(ad_training_close(t, 0) == AD_OK);
  }
  same_file("whole/log.jsonl", "broken/log.jsonl");
  same_file("whole/result.json", "broken/result.json");
  struct ad_buffer part = {0}, all = {0};
  CHECK(ad_file_read("whole/log.jsonl", &part) == AD_OK && ad_file_read("impatient/log.jsonl", &all) == AD_OK);
  CHECK(part.size < all.size && memcmp(part.data, all.data, part.size) == 0);
  ad_buffer_destroy(&part);
  ad_buffer_destroy(&all);
}

/* A finished run goes on to more steps with the bits of a run that was planned so, also after a kill on the way there,
 * or it is refused and stays as it is. */
static void test_longer(void) {
  static const char constant[] = "optim.schedule=constant optim.warmup=0 checkpoint.finished=true run.select=best";
  static const char *const refused[][3] = {
      {"linear", "checkpoint.finished=true", "learning rates depend on the number of all steps"},
      {"unkept", "optim.schedule=constant optim.warmup=0", "kept no checkpoint of its end"},
      {"warmed", "optim.schedule=constant checkpoint.finished=true", "learning rates depend"},
      {"ramped", "optim.schedule=constant optim.warmup=0 teacher.ramp=0.5", "teacher.ramp depends"},
      {"averaged", "optim.schedule=constant optim.warmup=0 teacher.method=se", "means over all steps"},
      {"odd", "optim.schedule=constant optim.warmup=0 eval.every=3", "evaluated after its last step"},
      {"seen", "optim.schedule=constant optim.warmup=0 snapshot.every=2", "snapshots depend"}};
  const struct ad_training_frame faulty = {.faults = "term@10"};
  char settings[200];
  struct ad_training *t =
      training("planned", NULL, "optim.schedule=constant optim.warmup=0 run.select=best train.epochs=4");
  CHECK(ad_training_run(t) == AD_OK && ad_training_close(t, 0) == AD_OK);
  t = training("longer", NULL, constant);
  CHECK(ad_training_run(t) == AD_OK && ad_training_close(t, 0) == AD_OK);
  t = training("longer", NULL, constant); /* no longer than it is */
  CHECK(ad_training_run(t) == AD_ECONFIG && strstr(ad_error_message(), "holds a run already: choose") != NULL);
  CHECK(ad_training_close(t, 0) == AD_OK);
  snprintf(settings, sizeof settings, "%s train.epochs=4 optim.lr=0.02", constant);
  t = training("longer", NULL, settings);
  CHECK(ad_training_run(t) == AD_ECONFIG && strstr(ad_error_message(), "begun with optim.lr 0.01") != NULL);
  CHECK(ad_training_close(t, 0) == AD_OK);
  snprintf(settings, sizeof settings, "%s train.epochs=4", constant);
  t = training("longer", &faulty, settings);
  CHECK(ad_training_run(t) == AD_ESTOPPED && ad_training_summary(t).step == 10);
  CHECK(ad_training_close(t, 0) == AD_OK && ad_run_find("longer") == AD_FOUND_UNFINISHED);
  ad_signals_pretend(0);
  t = training("longer", NULL, settings);
  CHECK(ad_training_run(t) == AD_OK && ad_training_summary(t).step == 16 && ad_training_close(t, 0) == AD_OK);
  same_file("planned/log.jsonl", "longer/log.jsonl");
  same_file("planned/result.json", "longer/result.json");
  same_file("planned/model/model.safetensors", "longer/model/model.safetensors");
  /* The first rank decides: one alone shows it all. */
  for (size_t i = 0; i < sizeof refused / sizeof *refused && size == 1; i++) {
    t = training(refused[i][0], NULL, refused[i][1]);
    CHECK(ad_training_run(t) == AD_OK && ad_training_close(t, 0) == AD_OK);
    snprintf(settings, sizeof settings, "%s train.epochs=4", refused[i][1]);
    t = training(refused[i][0], NULL, settings);
    CHECK(ad_training_run(t) == AD_ECONFIG && strstr(ad_error_message(), refused[i][2]) != NULL);
    CHECK(ad_training_close(t, 0) == AD_OK && ad_run_find(refused[i][0]) == AD_FOUND_FINISHED);
  }
}

/* What fails on the first rank between two steps fails on all; a second training may not have the folder's run anew. */
static void test_failures(void) {
  struct question question = {3, 0};
  const struct ad_training_frame frame = {.asked = answer, .context = &question}, faulty = {.faults = "kill@nowhere"};
  question.answer = ad_fail(AD_EIO, "the disk is gone");
  struct ad_training *t = training("failed", &frame, "");
  CHECK(ad_training_run(t) == AD_EIO);
  CHECK(ad_training_close(t, 0) == AD_OK);
  t = training("straight", NULL, "");
  CHECK(ad_training_open(t) == AD_ECONFIG && strstr(ad_error_message(), "holds a run already") != NULL);
  CHECK(ad_training_close(t, 0) == AD_OK);
  t = training("closed", NULL, "");
  CHECK(ad_training_evaluate(t) == AD_ECONFIG);
  CHECK(ad_training_close(t, 0) == AD_OK);
  CHECK(ad_training_create(&t, math, &faulty) == AD_ECONFIG);
  CHECK(ad_training_close(t, 0) == AD_OK && ad_training_close(NULL, 0) == AD_OK);
}

static void test_replay(void) {
  struct ad_replay *replay;
  CHECK(ad_replay_open(&replay, math, "straight") == AD_OK);
  const struct ad_verification *found = ad_replay_findings(replay);
  const size_t files = found->count;
  CHECK(ad_replay_prepare(replay, 8, 0) == AD_OK && ad_replay_steps(replay) == AD_OK);
  CHECK(ad_replay_is_first(replay) == (rank == 0));
  CHECK(found->bad == 0 && (rank != 0 || (files > 0 && found->count == files + 1)));
  CHECK(ad_replay_changes(replay)->count == 0);
  ad_replay_close(replay, 0);
  CHECK(ad_replay_open(&replay, math, "straight") == AD_OK);
  CHECK(ad_replay_prepare(replay, 1, 3) == AD_ECONFIG); /* no checkpoint of it */
  ad_replay_close(replay, 0);
  CHECK(ad_replay_open(&replay, math, "nothing") == AD_EINPUT);
  ad_replay_close(replay, 0);
}

/* Counts rows; logits and class are of one another. */
static int take(void *context, const struct ad_prediction *p) {
  int *rows = context;
  CHECK(p != NULL && p->classes == 2 && p->logits[p->number] >= p->logits[1 - p->number]);
  CHECK(strcmp(p->name, p->number == 0 ? "bad" : "good") == 0);
  return ++*rows == 7 ? ad_fail(AD_EIO, "enough") : AD_OK;
}

static void test_predict(void) {
  struct ad_predictor *p;
  int rows = 0;
  CHECK(ad_predictor_is_run("straight") && !ad_predictor_is_run("straight/model"));
  CHECK(ad_predictor_open(&p, math, "straight", &(struct ad_predict_options){.data = "lines.txt", .lines = 1}) ==
        AD_OK);
  CHECK(ad_predictor_run(p, take, &rows) == AD_OK && rows == 3);
  ad_predictor_close(p, 0);
  rows = 0;
  CHECK(ad_predictor_open(&p, math, "straight/model", &(struct ad_predict_options){.data = "lines.txt"}) == AD_OK);
  CHECK(ad_predictor_run(p, take, &rows) == AD_OK && rows == 3);
  ad_predictor_close(p, 0);
  rows = 0;
  CHECK(ad_predictor_open(&p, math, "straight", &(struct ad_predict_options){.data = "dev", .model = "teacher"}) ==
        AD_OK);
  CHECK(ad_predictor_run(p, take, &rows) == AD_EIO && rows == 7);
  ad_predictor_close(p, 0);
  CHECK(ad_predictor_open(&p, math, "straight", &(struct ad_predict_options){.data = "dev", .model = "window"}) ==
        AD_EINPUT);
  ad_predictor_close(p, 0);
}

int main(int argc, char **argv) {
  char folder[64];
  CHECK(ad_program_start(&argc, &argv, &math) == AD_OK);
  CHECK(MPI_Comm_rank(MPI_COMM_WORLD, &rank) == MPI_SUCCESS && MPI_Comm_size(MPI_COMM_WORLD, &size) == MPI_SUCCESS);
  ad_log_set_level(AD_LOG_ERROR);
  enter(folder);
  test_steps();
  test_stop_and_resume();
  test_evaluate_and_save();
  test_best();
  test_patience();
  if (size < 3) { /* the ranks of a training take no part in the decision */
    test_longer();
  }
  test_failures();
  test_replay();
  test_predict();
  leave(folder);
  ad_math_destroy(math);
  CHECK(ad_memory_stats().live_blocks == 0);
  return ad_program_end(AD_OK, NULL);
}
