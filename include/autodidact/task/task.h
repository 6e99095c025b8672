/* What a task is: how a label is read and stored, what the model learns from it, and what an evaluation says.
 *
 * A task is a table in a file of its own, src/task/NAME.c, and a line of autodidact/task/tasks.h. All else asks the
 * table. A label is Q words of 32 bits, and so is a prediction; what they mean is the task's: a class, the bits of a
 * float, a set.
 *
 * Letters: N labelled rows, C logits of a row, Q words of a label. */
#ifndef AUTODIDACT_TASK_TASK_H
#define AUTODIDACT_TASK_TASK_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/texts.h"
#include "autodidact/math/kernels.h"
#include "autodidact/task/loss.h"
#include "autodidact/task/tasks.h"

/* The first word of a label that is not there. */
#define AD_NO_LABEL UINT32_MAX

/* Which rows of the encoder have logits and a label. */
enum ad_task_reads {
  AD_READS_CLS,   /* each example's first: the only ones that the encoder computes to the end */
  AD_READS_MASKED /* those of hidden tokens, whose labels are these tokens: no label of the data is read */
};

/* What the logits say of classes. */
enum ad_task_classes {
  AD_CLASSES_NONE, /* nothing: they are no classes' */
  AD_CLASSES_ONE,  /* which one class a text has: a label is its number, below C, and one field; so is a prediction */
  AD_CLASSES_SET   /* of each class whether a text has it: a label and a prediction are sets of classes */
};

/* Which of two values of a score is the better one, and what it counts. */
enum ad_better { AD_BETTER_DOWN, AD_BETTER_UP };
enum ad_score_unit { AD_SCORE_NUMBER, AD_SCORE_SHARE, AD_SCORE_NATS };

/* A number of an evaluation. A name means the same in all tasks that have it. */
struct ad_score {
  const char *name;  /* in files, and behind the dot of study.result */
  const char *title; /* for people */
  enum ad_better better;
  enum ad_score_unit unit;
  int brief; /* 1: also stands where there is room for a few */
};

/* Where the names of a descriptor's outputs (`classes`) come from where it does not say. */
enum ad_task_names {
  AD_NAMES_VALUES,  /* the different labels of train's file; of several label columns, their names */
  AD_NAMES_COLUMNS, /* the label columns */
  AD_NAMES_NONE     /* there are none: no label of the data is read */
};

/* A label as a file writes it, and the class that it stands for. */
struct ad_label_value {
  char *value;
  uint32_t class_id;
};

/* The labels that a descriptor declares for one file, made ready for a task's `parse`. */
struct ad_label_table {
  const struct ad_task *task;
  const struct ad_label_value *values; /* [count] not owned */
  size_t count;
  size_t classes;   /* C that they stand for */
  size_t columns;   /* label columns of the file; more than one: a field of a label is that of its column */
  double low, high; /* bounds of numbers, the caller's to set; none where low is not below high */
  void *state;      /* the task's, freed by ad_free */
};

/* What was summed over rows in whose place no logits are kept. */
struct ad_row_sums {
  double loss;          /* in the order of the rows */
  uint64_t rows, right; /* how many there were; how many of them were predicted */
};

/* Labels of N rows. Not owned. */
struct ad_labels {
  const struct ad_task *task;
  size_t count;          /* N */
  const uint32_t *words; /* [N,Q] */
};

struct ad_scoring;
struct ad_heads; /* task/heads.h */

/* A function that may be NULL says so. */
struct ad_task {
  const char *name;
  const char *problem_type; /* Hugging Face's word for it in config.json; NULL: it has none */
  struct {
    const char *one, *several;
  } outputs; /* what a logit stands for, in words: "class", "classes"; NULL: these */
  enum ad_task_reads reads;
  enum ad_task_names names;
  size_t least_logits; /* a model has at least so many logits, 1 or 2 */
  enum ad_task_classes classes;
  int numbers;           /* 1: a label is C numbers, the bits of float32, and so is a prediction: the logits */
  const char *separator; /* stands between the fields of one label column, unless the descriptor has its own; NULL: a
                            column is one field */
  const struct ad_heads *heads; /* several tasks at once; NULL: one. Of several loss, mean_loss, predict, score: NULL */

  /* [score_count], at least 2 and at most AD_MOST_OWN_SCORES. The first one selects parameters (run.metric) unless
   * another is named, and stands where there is room for one; finite logits give it a finite value. The last one is the
   * mean loss. */
  const struct ad_score *scores;
  size_t score_count;

  /* Q of a model with C logits. NULL: 1. */
  size_t (*words)(size_t C);

  /* Fills table->state. NULL: `parse` needs none. AD_ENOMEM. */
  int (*open)(struct ad_label_table *table);

  /* The label [Q] of its fields [count], as the file writes them: 1, or 0 where they are none. */
  int (*parse)(const struct ad_label_table *table, const struct ad_text_span *fields, size_t count, uint32_t *label);

  /* Appends a sentence on fields [count] that are no label: what was found and what was expected. NULL: the fields, and
   * `expected`, say enough. AD_ENOMEM. */
  int (*explain)(const struct ad_label_table *table, const struct ad_text_span *fields, size_t count,
                 struct ad_buffer *out);

  /* Appends what a label may be, behind "unknown label x, expected ". AD_ENOMEM. */
  int (*expected)(const struct ad_label_value *values, size_t count, struct ad_buffer *out);

  /* Appends a label or a prediction [Q] as files and people write it. classes [C] are the names of a descriptor; NULL:
   * there are none. AD_ENOMEM. */
  int (*print)(size_t C, char *const *classes, const uint32_t *words, struct ad_buffer *out);

  /* 1 where these words [Q] are a label of a model with C logits. */
  int (*is_label)(size_t C, const uint32_t *label);

  /* 1 where a label or a prediction has class c. NULL: there are no classes. */
  int (*has)(const uint32_t *label, size_t c);

  /* Adds 1 to count [C] of each class of a label or a prediction; how many these are. NULL: there are no classes. */
  size_t (*count)(size_t C, const uint32_t *label, size_t *count);

  /* The loss of each row into loss [N], and scale times its gradient into dlogits [N,C]. logits [N,C], labels [N,Q]. A
   * row's numbers do not depend on the other rows. With AD_READS_MASKED dlogits may be logits, or NULL. */
  void (*loss)(const struct ad_kernels *kernels, size_t N, size_t C, const float *logits, const uint32_t *labels,
               float scale, float *loss, float *dlogits);

  /* The same with class weights and label smoothing (task/loss.h): a row's loss counts by the weight of its label.
   * NULL: the task has neither. */
  void (*weighted_loss)(const struct ad_loss_settings *settings, size_t N, size_t C, const float *logits,
                        const uint32_t *labels, float scale, float *loss, float *dlogits);

  /* The same where the label is a probability of each class, targets [N,C]; plain settings too. NULL: the task has no
   * such labels. */
  void (*soft_loss)(const struct ad_loss_settings *settings, size_t N, size_t C, const float *logits,
                    const float *targets, float scale, float *loss, float *dlogits);

  /* How far the outputs of two passes over the same rows are apart, into distance [N], and scale times its gradient,
   * which is added to da and db. a, b, da, db [N,C]. NULL: the symmetric divergence of the softmax (math/kernels.h). */
  void (*copies_distance)(const struct ad_kernels *kernels, size_t N, size_t C, const float *a, const float *b,
                          float scale, float *distance, float *da, float *db);

  /* The mean loss of logits [N,C] with labels [N,Q], summed in order in double. N > 0. */
  double (*mean_loss)(size_t N, size_t C, const float *logits, const uint32_t *labels);

  /* The probability in (0,1) from which on an answer is yes, chosen so that logits [N,C] with labels [N,Q] score best.
   * NULL: the task has no threshold. AD_ENOMEM. */
  int (*choose_threshold)(struct ad_labels labels, size_t C, const float *logits, double *threshold);

  /* The prediction [Q] of logits [C] at a threshold, which a task that has none does not look at. */
  void (*predict)(size_t C, double threshold, const float *logits, uint32_t *prediction);

  /* The probability of each class [C] by logits [C], in double. NULL: there are no classes. */
  void (*probabilities)(size_t C, const float *logits, double *probabilities);

  /* Scores of predictions [N,Q], but for the mean loss, into scoring->scores.value, and what they come from; and of the
   * logits [N,C] that made them, NULL where no single row of logits did. AD_ENOMEM, AD_EINTERNAL. NULL
   * with AD_READS_MASKED. */
  int (*score)(struct ad_scoring *scoring, struct ad_labels labels, size_t C, const float *logits,
               const uint32_t *predictions);

  /* All scores into value [score_count]. With AD_READS_MASKED only. */
  void (*score_sums)(const struct ad_row_sums *sums, double *value);

  /* The accuracy of always giving the same answer; NaN: not known. NULL: there is no such thing. */
  double (*majority)(struct ad_labels labels, size_t C);
};

/* 1 where the labels are hidden tokens. */
static inline int ad_task_hides(const struct ad_task *task) {
  return task->reads == AD_READS_MASKED;
}

/* The tables. */
#define AD_TASK_TABLE(name) extern const struct ad_task ad_task_##name;
AD_TASKS(AD_TASK_TABLE)
#undef AD_TASK_TABLE

/* Task number i of the registry; NULL behind the last one. Number 0 is that of files which name none. */
const struct ad_task *ad_task_at(size_t i);

/* The task of this name (NULL: number 0); NULL: there is none. */
const struct ad_task *ad_task_find(const char *name);

/* The first task whose labels are hidden tokens. */
const struct ad_task *ad_task_hiding(void);

/* ad_fail(status): `key` names a task that there is not; with those that there are. */
int ad_task_fail(int status, const char *key, const char *found);

/* The first task of this problem type; NULL: there is none. */
const struct ad_task *ad_task_of_problem(const char *problem_type);

/* What `count` logits are called: "class" or "classes". */
const char *ad_task_outputs(const struct ad_task *task, uint64_t count);

/* The task's score of this name; NULL: it has none. Of one task alone HEAD.SCORE, a name of several, is its SCORE. */
const struct ad_score *ad_task_score(const struct ad_task *task, const char *name);

/* Score number i of all tasks, each name once, in the order of the registry, and behind these of the lists of tasks
 * (task/heads.h) that the process has met; NULL behind the last one. And the one of a name, also HEAD.SCORE of a head
 * that was not met yet; NULL: no task has it. */
const struct ad_score *ad_score_at(size_t i);
const struct ad_score *ad_score_find(const char *name);

/* 1 where a is better than b; NaN is better than nothing, and nothing is better than NaN. */
int ad_score_is_better(const struct ad_score *score, double a, double b);

/* Q. */
size_t ad_task_words(const struct ad_task *task, size_t C);

/* 1 where these words [Q] are a label of a model with C logits. */
int ad_task_is_label(const struct ad_task *task, size_t C, const uint32_t *label);

/* Makes a table ready; columns: label columns of the file. Its values must outlive it. The caller owns it:
 * ad_label_table_close, after a failure too. AD_ENOMEM. */
int ad_label_table_open(struct ad_label_table *table, const struct ad_task *task, const struct ad_label_value *values,
                        size_t count, size_t columns);
void ad_label_table_close(struct ad_label_table *table);

#endif
