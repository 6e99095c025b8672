/* The closed sets that keys of the configuration choose from. A set is one list, AD_SET_NAME(X) of X(constant, name,
 * help), in the order of `enum ad_NAME`. The enum, the type of the key's field, its choices, the names and a line of
 * help for each choice all come from that list.
 *
 * The methods of teaching are a set with a registry of its own (base/teacher_methods.h). Words: docs/glossary.md. */
#ifndef AUTODIDACT_BASE_CHOICES_H
#define AUTODIDACT_BASE_CHOICES_H

#include <stddef.h>

#include "autodidact/base/teacher_methods.h"

#define AD_SET_ID(constant, ...) constant,
#define AD_SET_NAME(constant, name, ...) #name,
#define AD_SET_CHOICE(constant, name, ...) "|" #name
#define AD_SET_HELP(constant, name, ...) "|" AD_SET_FIRST(__VA_ARGS__, )
#define AD_SET_FIRST(first, ...) first

/* "a|b|c": the names of a set of one at least. */
#define AD_SET_CHOICES(set) &(AD_SET_##set(AD_SET_CHOICE))[1]

/* What each of them means, likewise. */
#define AD_SET_HELPS(set) &(AD_SET_##set(AD_SET_HELP))[1]

/* run.select: the parameters after the last step, or those of the best dev score. */
#define AD_SET_select(X)                               \
  X(AD_SELECT_LAST, last, "those after the last step") \
  X(AD_SELECT_BEST, best, "those of the evaluation with the best dev score (run.metric)")

/* run.result, and which parameters are evaluated or exported. */
#define AD_SET_variant(X)                                                        \
  X(AD_VARIANT_STUDENT, student, "the parameters that are trained")              \
  X(AD_VARIANT_TEACHER, teacher, "the teacher's, where it is one model")         \
  X(AD_VARIANT_WINDOW, window, "the mean over the last teacher.window students") \
  X(AD_VARIANT_RUN, run, "the mean over all students of the run")

/* checkpoint.full: without room for a checkpoint the run stops, or waits. */
#define AD_SET_full(X)                           \
  X(AD_FULL_STOP, stop, "stop with exit code 2") \
  X(AD_FULL_WAIT, wait, "try again every ten seconds")

/* store.writer: every rank writes its shard, by plain writes into its own part of the file; or rank 0 gathers and
 * writes, for file systems where several nodes cannot write one file. */
#define AD_SET_writer(X)                        \
  X(AD_WRITER_ALL, all, "every rank its shard") \
  X(AD_WRITER_ROOT, root, "rank 0 for all: where several nodes cannot write one file, as on some NFS")

/* model.classifier: on tanh(pooler), or on the bare [CLS] state. */
#define AD_SET_classifier(X)                                          \
  X(AD_CLASSIFIER_POOLER, pooler, "tanh(pooler), as in Hugging Face") \
  X(AD_CLASSIFIER_CLS, cls, "the bare [CLS] state, as in the paper")

/* model.head. auto: take the folder's where it fits and has the same names in the same order, else draw a new one.
 * keep: take the folder's, which must fit; names that it has must be the same in the same order. new: draw a new one.
 * AD_HEAD_REQUIRE is nobody's choice: the folder's, which must fit, with names of its own, for prediction and
 * evaluation. */
#define AD_SET_head_use(X)                                                                                  \
  X(AD_HEAD_AUTO, auto, "keep it where its classes are the data's, by name and order, else draw a new one") \
  X(AD_HEAD_KEEP, keep, "keep it; refuse the run where it does not fit")                                    \
  X(AD_HEAD_NEW, new, "draw a new one")

/* data.truncation, where a single text is longer than the limit. head: the first tokens stay. head_tail: the first 128
 * tokens and the last limit - 2 - 128 stay, [CLS] and [SEP] not counted (Sun et al. 2019: 128 + 382 of 512). With limit
 * <= 130 the first tokens stay. */
#define AD_SET_truncation(X)                    \
  X(AD_TRUNCATE_HEAD, head, "the first tokens") \
  X(AD_TRUNCATE_HEAD_TAIL, head_tail, "the first 128 tokens and the last ones")

/* optim.schedule. */
#define AD_SET_schedule(X)                            \
  X(AD_SCHEDULE_LINEAR, linear, "to zero on a line")  \
  X(AD_SCHEDULE_CONSTANT, constant, "stays as it is") \
  X(AD_SCHEDULE_COSINE, cosine, "to zero as a half cosine")

/* comm.reduction: the contract's; or MPI's own, in its own order, for comparison only: other bits on other numbers of
 * ranks. */
#define AD_SET_reduction(X)                                                                   \
  X(AD_REDUCTION_ORDERED, ordered, "by the fixed tree: the same bits on any number of ranks") \
  X(AD_REDUCTION_NATIVE, native, "by MPI in its own order, for comparison: outside the reproducibility contract")

#define AD_SET_teacher_method(X) AD_TEACHER_METHODS(X)

/* teacher.dropout: none; masks of its own, for each of SDV's students; the student's masks. */
#define AD_SET_teacher_dropout(X)          \
  X(AD_DROPOUT_OFF, off, "none")           \
  X(AD_DROPOUT_ON, on, "masks of its own") \
  X(AD_DROPOUT_SAME, same, "the student's masks")

/* train.precision: how operands of the products of linear layers are taken. */
#define AD_SET_precision(X)                              \
  X(AD_PRECISION_FLOAT32, float32, "numbers of 32 bits") \
  X(AD_PRECISION_BFLOAT16, bfloat16,                     \
    "numbers of 16 bits (also bf16): faster; sums, parameters and all else stay float32")

/* teacher.ring. */
#define AD_SET_ring(X)                   \
  X(AD_RING_MEMORY, memory, "in memory") \
  X(AD_RING_DISK, disk, "in unnamed files, for a large window")

enum ad_select { AD_SET_select(AD_SET_ID) };
enum ad_variant { AD_SET_variant(AD_SET_ID) AD_VARIANTS };
enum ad_full { AD_SET_full(AD_SET_ID) };
enum ad_writer { AD_SET_writer(AD_SET_ID) };
enum ad_classifier { AD_SET_classifier(AD_SET_ID) };
enum ad_head_use { AD_SET_head_use(AD_SET_ID) AD_HEAD_REQUIRE };
enum ad_truncation { AD_SET_truncation(AD_SET_ID) };
enum ad_schedule { AD_SET_schedule(AD_SET_ID) };
enum ad_reduction { AD_SET_reduction(AD_SET_ID) };
enum ad_teacher_dropout { AD_SET_teacher_dropout(AD_SET_ID) };
enum ad_precision { AD_SET_precision(AD_SET_ID) };
enum ad_ring { AD_SET_ring(AD_SET_ID) };

/* The number of value [length] among "a|b|c", that is its constant; -1 where it is none of them. bf16
 * is bfloat16. */
int ad_choices_find(const char *choices, const char *value, size_t length);

/* "a|b|c" as "a, b or c", into text; returns text. */
enum { AD_CHOICES_TEXT = 128 };
const char *ad_choices_text(const char *choices, char text[AD_CHOICES_TEXT]);

/* "student", "teacher", "window", "run". Static storage. */
const char *ad_variant_name(enum ad_variant variant);

/* The variant of that name; AD_VARIANTS where none has it, or the name is NULL. */
enum ad_variant ad_variant_find(const char *name);

#endif
