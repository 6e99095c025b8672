/* The registry of tasks: a toy one, which is one file and one line (tests/toys/task.c), is read, trained, scored,
 * logged, studied and reported; and the gradient of each task's loss is that of its loss. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/evaluate.h"
#include "autodidact/report/report.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/run_state.h"
#include "autodidact/study/cells.h"
#include "support/kernel_sets.h"
#include "support/scratch.h"
#include "support/small_training.h"

static void test_registry(void **state) {
  (void)state;
  assert_ptr_equal(ad_task_find(NULL), &ad_task_classification);
  assert_ptr_equal(ad_task_find("toy"), &ad_task_toy);
  assert_null(ad_task_find("tay"));
  size_t tasks = 0, names = 0;
  for (const struct ad_task *t; (t = ad_task_at(tasks)) != NULL; tasks++) {
    assert_true(t->score_count >= 2 && t->score_count <= AD_MOST_SCORES);
    for (size_t i = 0; i < t->score_count; i++) {
      /* A name means the same wherever it stands. */
      const struct ad_score *own = &t->scores[i], *known = ad_score_find(own->name);
      assert_ptr_equal(ad_task_score(t, own->name), own);
      assert_true(known->better == own->better && known->unit == own->unit);
      names += known == own;
    }
  }
  assert_ptr_equal(ad_task_at(tasks - 1), &ad_task_toy);
  assert_ptr_equal(ad_task_of_problem("regression"), &ad_task_regression);
  assert_ptr_equal(ad_task_of_problem("multi_label_classification"), &ad_task_multi_label);
  assert_null(ad_task_of_problem("ranking"));
  assert_ptr_equal(ad_score_at(0), &ad_task_classification.scores[0]);
  assert_string_equal(ad_score_at(names - 1)->name, "explained");
  assert_null(ad_score_at(names));
  assert_true(ad_score_is_better(ad_score_find("explained"), 0.2, 0.1));
  assert_false(ad_score_is_better(ad_score_find("mse"), 0.2, 0.1));
  assert_true(ad_score_is_better(ad_score_find("mse"), 0.2, NAN));
}

/* Central differences of the summed losses. float loss is good to 1e-7 of about 3, hence 3e-5 over a width of 0.01; the
 * cut-off term is 1e-4 / 6 times a third derivative below 1. */
static void test_gradients(void **state) {
  (void)state;
  enum { N = 5, C = 4 };
  const float width = 0x1p-7f;
  for (size_t i = 0; ad_task_at(i) != NULL; i++) {
    const struct ad_task *task = ad_task_at(i);
    const size_t Q = ad_task_words(task, C);
    float logits[N * C], other[N * C], loss[N], dlogits[N * C], ignored[N * C];
    uint32_t labels[N * C];
    assert_true(Q <= C);
    for (size_t k = 0; k < (size_t)N * C; k++) {
      logits[k] = (float)sin((double)k);
      other[k] = (float)cos(3.0 * (double)k);
    }
    for (size_t n = 0; n < N; n++) {
      task->predict(C, 0.5, other + n * C, labels + n * Q); /* a prediction is a label */
      assert_true(task->is_label(C, labels + n * Q));
    }
    task->loss(test_math->kernels, N, C, logits, labels, 2.0f, loss, dlogits);
    double mean = 0.0;
    for (size_t n = 0; n < N; n++) {
      mean += loss[n] / N;
    }
    assert_true(fabs(task->mean_loss(N, C, logits, labels) - mean) <= 1e-6 * (1.0 + mean));
    for (size_t k = 0; k < (size_t)N * C; k++) {
      const float value = logits[k];
      float up[N], down[N];
      logits[k] = value + width;
      const float above = logits[k];
      task->loss(test_math->kernels, N, C, logits, labels, 1.0f, up, ignored);
      logits[k] = value - width;
      const float below = logits[k];
      task->loss(test_math->kernels, N, C, logits, labels, 1.0f, down, ignored);
      logits[k] = value;
      const double slope = ((double)up[k / C] - down[k / C]) / ((double)above - below);
      assert_true(fabs(dlogits[k] - 2.0 * slope) <= 5e-4);
      for (size_t n = 0; n < N; n++) {
        assert_true(n == k / C || (up[n] == loss[n] && down[n] == loss[n]));
      }
    }
  }
}

#define DESCRIPTOR(task)                   \
  "title: T\nsource: S\nlicence: L\n" task \
  "classes: [x, y]\nformat: tsv\nheader: false\ncolumns: {text: 1, label: 2}\nsplits: {train: {file: f}}\n"

static struct ad_descriptor parse(const char *yaml) {
  struct ad_descriptor d;
  assert_int_equal(ad_descriptor_parse(&d, "name.yaml", yaml, strlen(yaml)), AD_OK);
  return d;
}

static void check_labels(const struct ad_dataset *set) {
  static const float values[] = {1.5f, -2.0f, 0.25f, 4.0f};
  assert_ptr_equal(set->task, &ad_task_toy);
  assert_true(set->count == 2 && set->words == 2);
  assert_memory_equal(set->label, values, sizeof values);
  assert_memory_equal(ad_dataset_label(set, 1), values + 2, 2 * sizeof *values);
}

static void test_reading(void **state) {
  (void)state;
  static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n", rows[] = "a\t1.5 -2\nb\t0.25 4\n";
  struct ad_read_options options = {.folder = ".", .labels = 1, .cache = "cache"};
  struct ad_descriptor d = parse(DESCRIPTOR("task: toy\n"));
  struct ad_tokenizer *tokenizer;
  struct ad_dataset set;
  assert_int_equal(ad_tokenizer_create(&tokenizer, "tiny", vocabulary, sizeof vocabulary - 1, 0), AD_OK);
  assert_int_equal(ad_file_write("f", rows, strlen(rows)), AD_OK);
  for (int time = 0; time < 2; time++) {
    assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
    assert_non_null(set.map.data);
    check_labels(&set);
    ad_dataset_destroy(&set);
  }
  options.per_class = 1;
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "the labels of name are no classes (task toy)"));
  options.per_class = 0;
  assert_int_equal(ad_file_write("f", "a\t1 2\nb\t1\n", 10), AD_OK);
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_EINPUT);
  assert_string_equal(ad_error_message(), "./f:2: unknown label \"1\", expected 2 numbers");
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&d);
}

/* --- Labels of several fields. */

#define FIELDS(layout) "task: toy\n" layout "splits: {train: {file: f}}\n"

static const struct {
  const char *yaml, *rows, *classes, *message; /* message NULL: the labels are 1.5, -2; 0.25, 4 */
} several[] = {
    {FIELDS("format: tsv\nheader: true\ncolumns: {text: t, label: [u, v]}\n"), "v\tt\tu\n-2\ta\t1.5\n4\tb\t0.25\n",
     "u v", NULL},
    {FIELDS("format: csv\nheader: false\nfields: 3\ncolumns: {text: 2, label: [3, 1]}\n"), "-2,a,1.5\n4,b,0.25\n",
     "column3 column1", NULL},
    {FIELDS("format: csv\nheader: false\nskip: x\ncolumns: {text: 2, label: [3, 1]}\n"),
     "-2,a,1.5\nx,a,1\n1,a,x\n4,b,0.25\n", "column3 column1", NULL},
    {FIELDS("format: jsonl\ncolumns: {text: t, label: [u, v]}\n"),
     "{\"t\": \"a\", \"u\": 1.5, \"v\": \"-2\"}\n{\"t\": \"b\", \"u\": \"0.25\", \"v\": 4.0}\n", "u v", NULL},
    {FIELDS("format: jsonl\nclasses: [x, y]\ncolumns: {text: t, label: l}\n"),
     "{\"t\": \"a\", \"l\": [1.5, -2]}\n{\"t\": \"b\", \"l\": \" 0.25 4\"}\n", "x y", NULL},
    {FIELDS("format: csv\nheader: true\nclasses: [x, y]\nseparator: \"; \"\ncolumns: {text: t, label: l}\n"),
     "t,l\na,1.5; -2\nb, 0.25 ;  4 \n", "x y", NULL},
    {FIELDS("format: csv\nheader: true\nclasses: [x, y]\nskip: \"\"\ncolumns: {text: t, label: l}\n"),
     "t,l\na,1.5 -2\na, \nb,0.25 4\n", "x y", NULL},
    {FIELDS("format: csv\nheader: true\ncolumns: {text: t, label: [u, v]}\n"), "t,u\na,1\n", "u v",
     "./f:1: no column \"v\"; the header has: t, u"},
    {FIELDS("format: jsonl\ncolumns: {text: t, label: [u, v]}\n"), "{\"t\": \"a\", \"u\": 1}\n", "u v",
     "./f:1: no key \"v\" in the object"},
    {FIELDS("format: csv\nheader: true\ncolumns: {text: t, label: [u, v]}\n"), "t,u,v\na,1,2\nb,1,nan\n", "u v",
     "./f:3: unknown label \"1\", \"nan\", expected 2 numbers"},
    {FIELDS("format: csv\nheader: true\nclasses: [x, y]\ncolumns: {text: t, label: l}\n"), "t,l\na, \n", "x y",
     "./f:2: unknown label of no fields, expected 2 numbers"},
};

static void check_names(const struct ad_descriptor *d, const char *expected) {
  char names[100] = "";
  for (size_t c = 0; c < d->class_count; c++) {
    strcat(strcat(names, c == 0 ? "" : " "), d->classes[c]);
  }
  assert_string_equal(names, expected);
}

static void test_several_fields(void **state) {
  (void)state;
  static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n";
  const struct ad_read_options options = {.folder = ".", .labels = 1}, predicted = {.folder = ".", .every_row = 1};
  struct ad_tokenizer *tokenizer;
  struct ad_dataset set;
  assert_int_equal(ad_tokenizer_create(&tokenizer, "tiny", vocabulary, sizeof vocabulary - 1, 0), AD_OK);
  for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
    struct ad_descriptor d = parse(several[i].yaml);
    assert_int_equal(ad_file_write("f", several[i].rows, strlen(several[i].rows)), AD_OK);
    assert_int_equal(ad_descriptor_complete(&d, ".", NULL), AD_OK);
    check_names(&d, several[i].classes);
    const int status = ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer);
    if (several[i].message != NULL) {
      assert_int_equal(status, AD_EINPUT);
      assert_string_equal(ad_error_message(), several[i].message);
    } else {
      if (status != AD_OK) {
        fail_msg("case %zu: %s", i, ad_error_message());
      }
      check_labels(&set);
      ad_dataset_destroy(&set);
      assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &predicted, tokenizer), AD_OK);
      assert_int_equal(set.label[0], AD_NO_LABEL);
      ad_dataset_destroy(&set);
    }
    ad_descriptor_destroy(&d);
  }
  ad_tokenizer_destroy(tokenizer);
}

/* A file without header that lacks both label columns, for predictions. */
static void test_labels_absent(void **state) {
  (void)state;
  static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n";
  const struct ad_read_options options = {.folder = ".", .every_row = 1};
  struct ad_descriptor d =
      parse(FIELDS("format: csv\nheader: false\nfields: 4\nclasses: [x, y]\ncolumns: {text: [2, 4], label: [1, 3]}\n"));
  struct ad_tokenizer *tokenizer;
  struct ad_dataset set;
  assert_int_equal(ad_tokenizer_create(&tokenizer, "tiny", vocabulary, sizeof vocabulary - 1, 0), AD_OK);
  assert_int_equal(ad_file_write("f", "a,b\nb,a\n", 8), AD_OK);
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  static const uint32_t ids[] = {2, 4, 5, 3, 2, 5, 4, 3};
  assert_int_equal(set.count, 2);
  assert_memory_equal(set.ids, ids, sizeof ids);
  ad_dataset_destroy(&set);
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&d);
}

/* data.task: the text is then that of a descriptor with this task. */
static void test_set_task(void **state) {
  (void)state;
  struct ad_descriptor d = parse(DESCRIPTOR("")), same = parse(DESCRIPTOR("") "task: toy\n");
  assert_int_equal(ad_descriptor_set_task(&d, ""), AD_OK);
  assert_int_equal(ad_descriptor_set_task(&d, "classification"), AD_OK);
  assert_string_equal(d.text, DESCRIPTOR(""));
  assert_int_equal(ad_descriptor_set_task(&d, "tay"), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "data.task: found \"tay\", expected one of: classification, "));
  assert_int_equal(ad_descriptor_set_task(&d, "toy"), AD_OK);
  assert_ptr_equal(d.task, &ad_task_toy);
  assert_ptr_equal(d.source[AD_SPLIT_TRAIN].task, &ad_task_toy);
  assert_string_equal(d.text, same.text);
  assert_true(d.digest == same.digest);
  assert_int_equal(ad_descriptor_set_task(&d, "classification"), AD_OK);
  assert_string_equal(d.text, DESCRIPTOR("") "task: classification\n");
  ad_descriptor_destroy(&d);
  ad_descriptor_destroy(&same);
  d = parse(DESCRIPTOR("task:   toy # a remark\n"));
  assert_int_equal(ad_descriptor_set_task(&d, "classification"), AD_OK);
  assert_string_equal(d.text, DESCRIPTOR("task: classification\n"));
  ad_descriptor_destroy(&d);
  d = parse("{format: csv, header: true, columns: {text: t, label: [u, v]}, task: toy, splits: {train: {file: f}}}");
  assert_int_equal(ad_descriptor_set_task(&d, "classification"), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "with data.task=classification: name.yaml:"));
  assert_ptr_equal(d.task, &ad_task_toy);
  ad_descriptor_destroy(&d);
}

static void test_print(void **state) {
  (void)state;
  char no[] = "no", yes[] = "yes", *const names[] = {no, yes};
  static const float numbers[] = {0.5f, -2.0f};
  static const uint32_t one = 1;
  uint32_t words[2];
  struct ad_buffer out = {0};
  memcpy(words, numbers, sizeof words);
  assert_int_equal(ad_task_classification.print(2, names, &one, &out), AD_OK);
  assert_int_equal(ad_task_classification.print(2, NULL, &one, &out), AD_OK);
  assert_int_equal(ad_task_toy.print(2, names, words, &out), AD_OK);
  assert_string_equal(out.data, "yes10.5 -2");
  ad_buffer_destroy(&out);
}

static void test_descriptors(void **state) {
  (void)state;
  struct ad_descriptor was = parse(DESCRIPTOR("")), is = parse(DESCRIPTOR("task: toy\n")), none;
  struct ad_buffer text = {0};
  unsigned kinds;
  assert_ptr_equal(was.task, &ad_task_classification);
  assert_int_equal(ad_descriptor_compare(&was, &is, &text, &kinds), AD_OK);
  assert_string_equal(text.data, "the task was classification, is toy");
  assert_int_equal(kinds, AD_CHANGED_CLASSES);
  static const char unknown[] = DESCRIPTOR("task: tay\n");
  assert_int_equal(ad_descriptor_parse(&none, "name.yaml", unknown, strlen(unknown)), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "name.yaml:4: task: found \"tay\", expected one of: classification, "));
  ad_buffer_destroy(&text);
  ad_descriptor_destroy(&was);
  ad_descriptor_destroy(&is);
}

/* Labels of the small training: what a model can learn by its first word. */
static void set_labels(struct small_training *f, uint32_t *labels) {
  for (size_t i = 0; i < (size_t)SMALL_EXAMPLES * 3; i++) {
    const float value = 1.0f + (float)(f->ids[f->offset[i / 3]] % 3 == i % 3);
    memcpy(&labels[i], &value, sizeof value);
  }
  f->data.task = &ad_task_toy;
  f->data.words = 3;
  f->data.label = labels;
}

static struct ad_scores evaluate(const struct small_training *f) {
  float logits[SMALL_EXAMPLES * 3];
  struct ad_evaluator *evaluator;
  struct ad_scoring scoring;
  assert_int_equal(ad_evaluator_create(&evaluator, test_math, &f->params, 8), AD_OK);
  assert_int_equal(ad_evaluator_run(evaluator, ad_replica_float32(f->theta), &f->data, 0, SMALL_EXAMPLES, logits),
                   AD_OK);
  assert_int_equal(ad_scoring_create(&scoring, ad_dataset_labels(&f->data), 3, logits), AD_OK);
  const struct ad_scores scores = scoring.scores;
  assert_int_equal(scoring.metrics.classes, 0);
  assert_true(isnan(ad_majority_share(ad_dataset_labels(&f->data), 3, NULL)));
  ad_scoring_destroy(&scoring);
  ad_evaluator_destroy(evaluator);
  return scores;
}

static void test_training(void **state) {
  (void)state;
  struct small_training f;
  struct ad_trainer *trainer;
  struct ad_trainer_settings s = small_settings(8, 8, 1);
  struct ad_step step;
  uint32_t labels[SMALL_EXAMPLES * 3];
  s.steps = 40;
  s.optimizer.lr = 1e-3;
  assert_int_equal(small_training_create(&f, &small_model), 0);
  set_labels(&f, labels);
  const struct ad_replicas replicas = {.student = ad_weights_float32(f.theta)};
  const struct ad_scores before = evaluate(&f);
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL), AD_OK);
  for (uint64_t t = 0; t < s.steps; t++) {
    assert_int_equal(ad_trainer_step(trainer, &step), AD_OK);
    assert_true(t > 0 || (step.loss > 1.0 && step.loss < 3.0)); /* logits of about 0 against 1 and 2 */
  }
  ad_trainer_destroy(trainer);
  const struct ad_scores after = evaluate(&f);
  assert_true(after.task == &ad_task_toy && after.examples == SMALL_EXAMPLES);
  assert_true(ad_scores_loss(&after) < 0.5 * ad_scores_loss(&before));
  assert_true(ad_score_is_better(&ad_task_toy.scores[0], ad_scores_first(&after), ad_scores_first(&before)));
  labels[3] = AD_NO_LABEL;
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL), AD_EINPUT);
  struct ad_task tokens = ad_task_toy;
  tokens.reads = AD_READS_MASKED;
  f.data.task = &tokens;
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL), AD_ECONFIG);
  small_training_destroy(&f);
}

static const struct ad_scores scored = {.examples = 8, .task = &ad_task_toy, .value = {0.75, 0.5}};
static const char members[] = "\"examples\":8,\"task\":\"toy\",\"explained\":0.75,\"mse\":0.5";

static int is_scored(const struct ad_scores *s) {
  return s->examples == 8 && s->task == &ad_task_toy && s->value[0] == 0.75 && s->value[1] == 0.5;
}

static void test_rows(void **state) {
  (void)state;
  struct ad_scores undefined = scored;
  const struct ad_evaluation_row row = {AD_VARIANT_STUDENT, 9, 3, scored};
  struct ad_evaluation_row read;
  char text[AD_ROW_TEXT];
  json_t *object;
  assert_string_equal(ad_scores_print(&scored, text), members);
  ad_evaluation_row_print(&row, text);
  assert_int_equal(ad_json_parse(&object, "row", 1, text, strlen(text)), AD_OK);
  assert_int_equal(ad_evaluation_row_read(&read, object), AD_OK);
  assert_true(is_scored(&read.scores));
  json_object_set_new(object, "task", json_string("tay"));
  assert_int_equal(ad_evaluation_row_read(&read, object), AD_EINPUT);
  assert_int_equal(ad_scores_read(object).examples, 0);
  json_decref(object);
  undefined.value[0] = NAN;
  assert_non_null(strstr(ad_scores_print(&undefined, text), "\"explained\":null,"));
}

static void test_states(void **state) {
  (void)state;
  struct ad_run_state s = ad_run_state_begin(), read;
  char *text;
  s.best = s.last[AD_VARIANT_STUDENT] = scored;
  assert_int_equal(ad_run_state_print(&s, &text), AD_OK);
  assert_int_equal(ad_run_state_read(&read, "c.h5", text), AD_OK);
  assert_true(is_scored(&read.best) && is_scored(&read.last[AD_VARIANT_STUDENT]) &&
              read.last[AD_VARIANT_TEACHER].examples == 0);
  ad_free(text);
  ad_run_state_destroy(&read);
}

static void test_logits(void **state) {
  (void)state;
  static const float logits[] = {0.5f, 1.5f, -2.5f, 3.5f};
  uint32_t words[4];
  struct ad_logits read;
  memcpy(words, logits, sizeof words);
  assert_int_equal(ad_logits_write("l.h5", (struct ad_labels){&ad_task_toy, 2, words}, 2, logits), AD_OK);
  assert_int_equal(ad_logits_read(&read, "l.h5"), AD_OK);
  assert_true(read.N == 2 && read.C == 2 && read.Q == 2);
  assert_memory_equal(read.labels, words, sizeof words);
  ad_logits_destroy(&read);
}

static void read_study(struct ad_study *study, const char *result, int status) {
  char text[200];
  snprintf(text, sizeof text, "study: {dir: made, failed: 0.5, result: %s}\naxes: {seed.init: 0..3}\n", result);
  assert_int_equal(ad_file_write("s.yaml", text, strlen(text)), AD_OK);
  assert_int_equal(ad_study_read(study, "s.yaml"), status);
}

/* A study of its first score: more is better, so that the runs up to 0.5 have failed. */
static void test_study(void **state) {
  (void)state;
  static const double values[] = {0.25, 0.5, 0.75, 1.0};
  struct ad_study study;
  struct ad_cells cells;
  struct ad_buffer text = {0};
  read_study(&study, "dev.explaint", AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "error, accuracy, macro_f1, matthews, loss, "));
  ad_study_destroy(&study);
  read_study(&study, "dev.explained", AD_OK);
  for (size_t i = 0; i < study.count; i++) {
    study.cells[i].id = 0x1000 + i;
  }
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  for (size_t i = 0; i < study.count; i++) {
    struct ad_result result = {.step = 1, .steps = 1, .kept = {1}, .has_dev = 1, .dev = scored};
    const struct ad_cell_record record = {.state = AD_CELL_DONE, .step = 1, .steps = 1};
    const struct ad_line_scores scores = {&result, NULL};
    result.dev.value[0] = values[i];
    assert_int_equal(ad_cells_append(&cells, i, &record, &scores), AD_OK);
    assert_true(ad_cells_result(&cells, i) == values[i]);
    assert_int_equal(ad_cells_is_failed_run(&cells, i), i < 2);
  }
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){0}, &text), AD_OK);
  assert_non_null(strstr(text.data, "dev explained"));
  assert_non_null(strstr(text.data, "2 finished well, 2 failed by the study's rule"));
  assert_non_null(strstr(text.data, "mean (%)")); /* a share, in percent */
  ad_buffer_destroy(&text);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_registry),       cmocka_unit_test(test_gradients),     cmocka_unit_test(test_reading),
      cmocka_unit_test(test_several_fields), cmocka_unit_test(test_labels_absent), cmocka_unit_test(test_set_task),
      cmocka_unit_test(test_print),          cmocka_unit_test(test_descriptors),   cmocka_unit_test(test_training),
      cmocka_unit_test(test_rows),           cmocka_unit_test(test_states),        cmocka_unit_test(test_logits),
      cmocka_unit_test(test_study)};
  if (test_math_start(NULL, NULL) != AD_OK) {
    return 1;
  }
  const int failed = cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
  test_math_end();
  return failed;
}
