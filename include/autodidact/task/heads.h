/* Several tasks at once: one encoder with a head for each task (MT-DNN; Liu et al. 2019). The heads are ranges of the
 * rows of one classifier, hence columns of one row of logits. Together they are a task again, a table like any other. A
 * label of it is the number of its head, and behind that the label of the head's own task.
 *
 * Letters: N labelled rows, C logits of all heads together, Q words of a label. */
#ifndef AUTODIDACT_TASK_HEADS_H
#define AUTODIDACT_TASK_HEADS_H

#include "autodidact/task/task.h"

/* The most heads, and the longest name of one and of a task of them, their NUL included. */
enum { AD_MOST_HEADS = 8, AD_HEAD_NAME = 48, AD_TASK_NAME = AD_MOST_HEADS * (AD_HEAD_NAME + 48) };

struct ad_head {
  const char *name;           /* the data set's */
  const struct ad_task *task; /* what its labels are */
  size_t C;                   /* its logits; 0: not known */
  size_t first;               /* the first of them among those of all heads */
};

struct ad_heads {
  size_t count;
  struct ad_head head[AD_MOST_HEADS];
};

/* The task of these heads [count], whose `first` is found here. The same list gives the same table, which stays as long
 * as the process. Where all heads have the same first score, its mean over the heads comes first, by its own name. Each
 * score of each head follows as HEAD.SCORE. The last one is the mean of the heads' losses, by their name or else as
 * `loss`. Its name says the list, as "snli:classification:3,sts:regression:1". AD_ECONFIG: no head or too many, a name
 * that is used twice, is empty or too long or has a character that would end it; more lists in one process than there
 * is room for. */
int ad_task_join(const struct ad_task **task, size_t count, const struct ad_head *heads);

/* The task of this name, of one or several (NULL: number 0 of the registry); NULL: there is none. */
const struct ad_task *ad_task_named(const char *name);

/* The head that a label [Q] belongs to, and the label of its own task. Of a task without heads: the task as the only
 * one, with all C logits, and the label itself. */
struct ad_head ad_task_head(const struct ad_task *task, size_t C, const uint32_t *label);
static inline const uint32_t *ad_task_own_label(const struct ad_task *task, const uint32_t *label) {
  return label + (task->heads != NULL);
}

/* The logits of all heads together; 0: not known. */
size_t ad_heads_logits(const struct ad_heads *heads);

/* The number of the head of this name; `count` where there is none. */
size_t ad_heads_find(const struct ad_heads *heads, const char *name);

/* Appends the names of all heads, with a comma between them. AD_ENOMEM. */
int ad_heads_list(const struct ad_heads *heads, struct ad_buffer *out);

/* Logits [N,C] of one head: their columns [first, first + count) become rows [N,count] in the same place. And back: its
 * rows [N,count] become columns of [N,C], zero elsewhere. */
void ad_columns_narrow(size_t N, size_t C, size_t first, size_t count, float *values);
void ad_columns_widen(size_t N, size_t C, size_t first, size_t count, float *values);

#endif
