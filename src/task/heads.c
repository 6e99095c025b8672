/* Several tasks as one: the table is made of those of its heads. */
#include "autodidact/task/heads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/task/scores.h"
#include "heads_internal.h"

/* Lists of tasks that one process may meet, as a table of many runs does. */
enum { LISTS = 32, SCORE_NAME = AD_HEAD_NAME + 24 };

/* A table, and what it points to. */
struct joined {
  struct ad_task task;
  struct ad_heads heads;
  char name[AD_TASK_NAME], names[AD_MOST_HEADS][AD_HEAD_NAME];
  struct ad_score scores[AD_MOST_SCORES];
  char score_names[AD_MOST_SCORES][SCORE_NAME], titles[AD_MOST_SCORES][SCORE_NAME];
};

static struct joined lists[LISTS]; /* one thread a process; entries are never changed once they are there */
static size_t list_count;

const struct ad_task *ad__task_joined(size_t i) {
  return i < list_count ? &lists[i].task : NULL;
}

/* --- The table. */

static int expected(const struct ad_label_value *values, size_t count, struct ad_buffer *out) {
  (void)values;
  (void)count;
  return ad_buffer_puts(out, "the label of one of several tasks");
}

/* The score that a mean over the heads is of: their first one, or their last, the loss; NULL: they have different ones.
 */
static const struct ad_score *common_score(size_t count, const struct ad_head *heads, int last) {
  const struct ad_score *common = NULL;
  for (size_t t = 0; t < count; t++) {
    const struct ad_task *task = heads[t].task;
    const struct ad_score *own = &task->scores[last ? task->score_count - 1 : 0];
    if (t > 0 && strcmp(own->name, common->name) != 0) {
      return NULL;
    }
    common = own;
  }
  return common;
}

static struct ad_score *add_score(struct joined *j, const struct ad_score *of, const char *head) {
  const size_t i = j->task.score_count++;
  snprintf(j->score_names[i], SCORE_NAME, "%s%s%s", head, head[0] == '\0' ? "" : ".", of->name);
  snprintf(j->titles[i], SCORE_NAME, "%s%s%s", head[0] == '\0' ? "mean" : head, " ", of->title);
  j->scores[i] = *of;
  j->scores[i].name = j->score_names[i];
  j->scores[i].title = j->titles[i];
  return &j->scores[i];
}

/* The mean loss of tasks with different ones. */
static const struct ad_score mixed_loss = {"loss", "loss", AD_BETTER_DOWN, AD_SCORE_NUMBER, 1};

static void fill_in(struct joined *j, size_t count, const struct ad_head *heads) {
  *j = (struct joined){.heads = {.count = count}};
  j->task = (struct ad_task){
      .name = j->name, .outputs = {"logit", "logits"}, .scores = j->scores, .expected = expected, .heads = &j->heads};
  size_t first = 0;
  const struct ad_score *common = common_score(count, heads, 0);
  if (common != NULL) {
    add_score(j, common, "");
  }
  for (size_t t = 0; t < count; t++) {
    const struct ad_task *task = heads[t].task;
    const size_t used = strlen(j->name);
    snprintf(j->name + used, sizeof j->name - used, "%s%s:%s:%zu", t == 0 ? "" : ",", heads[t].name, task->name,
             heads[t].C);
    snprintf(j->names[t], AD_HEAD_NAME, "%s", heads[t].name);
    j->heads.head[t] = (struct ad_head){.name = j->names[t], .task = task, .C = heads[t].C, .first = first};
    first += heads[t].C;
    for (size_t i = 0; i < task->score_count; i++) {
      add_score(j, &task->scores[i], heads[t].name)->brief = i == 0;
    }
  }
  common = common_score(count, heads, 1);
  add_score(j, common != NULL ? common : &mixed_loss, "");
}

/* What would end a name where it is written: in files of ours, in JSON, in paths. */
static const char MARKS[] =
    "\":,/"
    "\\\x01\x02\x03\x04\x05\x06\x07\b\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e"
    "\x1f\x7f";

static int check(size_t count, const struct ad_head *heads) {
  size_t scores = 2;
  if (count == 0 || count > AD_MOST_HEADS) {
    return ad_fail(AD_ECONFIG, "%zu tasks at once, expected 1 to %d", count, AD_MOST_HEADS);
  }
  for (size_t t = 0; t < count; t++) {
    if (heads[t].task->reads != AD_READS_CLS) {
      return ad_fail(AD_ECONFIG, "the task %s of %.80s has no labels, expected it alone", heads[t].task->name,
                     heads[t].name);
    }
    const size_t length = strlen(heads[t].name), good = strcspn(heads[t].name, MARKS);
    scores += heads[t].task->score_count;
    if (good < length) {
      return ad_fail(AD_ECONFIG, "task %zu has the name \"%.80s\", expected none of %s in it", t + 1, heads[t].name,
                     "\" \\ : , / and no control characters");
    }
    if (length == 0 || length >= AD_HEAD_NAME) {
      return ad_fail(AD_ECONFIG, "task %zu has the name \"%.80s\" of %zu bytes, expected 1 to %d", t + 1, heads[t].name,
                     length, AD_HEAD_NAME - 1);
    }
    for (size_t s = 0; s < t; s++) {
      if (strcmp(heads[s].name, heads[t].name) == 0) {
        return ad_fail(AD_ECONFIG, "tasks %zu and %zu both have the name \"%s\", expected each name once", s + 1, t + 1,
                       heads[t].name);
      }
    }
  }
  return scores <= AD_MOST_SCORES
             ? AD_OK
             : ad_fail(AD_ECONFIG, "the tasks have %zu scores together, expected at most %d", scores, AD_MOST_SCORES);
}

static int is_same(const struct ad_heads *a, size_t count, const struct ad_head *heads) {
  int same = a->count == count;
  for (size_t t = 0; same && t < count; t++) {
    const struct ad_head *x = &a->head[t], *y = &heads[t];
    same = strcmp(x->name, y->name) == 0 && x->task == y->task && x->C == y->C;
  }
  return same;
}

int ad_task_join(const struct ad_task **task, size_t count, const struct ad_head *heads) {
  *task = NULL;
  AD_TRY(check(count, heads));
  for (size_t i = 0; i < list_count && *task == NULL; i++) {
    *task = is_same(&lists[i].heads, count, heads) ? &lists[i].task : NULL;
  }
  if (*task != NULL) {
    return AD_OK;
  }
  if (list_count == LISTS) {
    return ad_fail(AD_ECONFIG, "more than %d different lists of tasks in one process", LISTS);
  }
  fill_in(&lists[list_count], count, heads);
  *task = &lists[list_count++].task;
  return AD_OK;
}

/* The head of one item "sst2:classification:2" of a list, whose text [size] is cut into parts. 1, or 0: it is none. */
static int read_head(char *item, struct ad_head *head) {
  char *C = strrchr(item, ':'), *task = NULL, *end = NULL;
  if (C != NULL) {
    *C++ = '\0';
    task = strrchr(item, ':');
  }
  if (task == NULL || *C < '0' || *C > '9') {
    return 0;
  }
  *task++ = '\0';
  const unsigned long count = strtoul(C, &end, 10);
  *head = (struct ad_head){.name = item, .task = ad_task_find(task), .C = count};
  return *end == '\0' && head->task != NULL && count > 0 && count <= UINT32_MAX;
}

const struct ad_task *ad_task_named(const char *name) {
  const struct ad_task *found = ad_task_find(name), *joined = NULL;
  struct ad_head heads[AD_MOST_HEADS];
  char list[AD_TASK_NAME], *rest;
  size_t count = 0;
  if (found != NULL || strlen(name) >= sizeof list) {
    return found;
  }
  snprintf(list, sizeof list, "%s", name);
  for (char *item = strtok_r(list, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest)) {
    if (count == AD_MOST_HEADS || !read_head(item, &heads[count])) {
      return NULL;
    }
    count++;
  }
  if (ad_task_join(&joined, count, heads) != AD_OK) {
    ad_error_clear();
  }
  return joined;
}

/* --- Rows. */

struct ad_head ad_task_head(const struct ad_task *task, size_t C, const uint32_t *label) {
  return task->heads == NULL ? (struct ad_head){.task = task, .C = C} : task->heads->head[*label];
}

size_t ad_heads_logits(const struct ad_heads *heads) {
  const struct ad_head *last = &heads->head[heads->count - 1];
  return last->C == 0 ? 0 : last->first + last->C;
}

size_t ad_heads_find(const struct ad_heads *heads, const char *name) {
  size_t t = 0;
  while (t < heads->count && strcmp(heads->head[t].name, name) != 0) {
    t++;
  }
  return t;
}

int ad_heads_list(const struct ad_heads *heads, struct ad_buffer *out) {
  for (size_t t = 0; t < heads->count; t++) {
    AD_TRY(ad_buffer_printf(out, "%s%s", t == 0 ? "" : ", ", heads->head[t].name));
  }
  return AD_OK;
}

void ad_columns_narrow(size_t N, size_t C, size_t first, size_t count, float *values) {
  for (size_t i = 0; i < N && count < C; i++) {
    memmove(values + i * count, values + i * C + first, count * sizeof *values);
  }
}

void ad_columns_widen(size_t N, size_t C, size_t first, size_t count, float *values) {
  for (size_t i = N; i-- > 0 && count < C;) {
    float *row = values + i * C;
    memmove(row + first, values + i * count, count * sizeof *values);
    memset(row, 0, first * sizeof *row);
    memset(row + first + count, 0, (C - first - count) * sizeof *row);
  }
}

/* --- Scores. */

/* The rows of one head, its logits and labels one behind another. */
struct rows {
  size_t N;
  float *logits;    /* [N,C] of the head; nothing where no logits are given */
  uint32_t *labels; /* [N,Q] of its task */
};

static int take_rows(struct ad_labels labels, size_t C, const float *logits, size_t t, struct rows *rows) {
  const struct ad_head *head = &labels.task->heads->head[t];
  const size_t Q = ad_task_words(head->task, head->C), all = ad_task_words(labels.task, C);
  *rows = (struct rows){.logits = ad_malloc(labels.count * head->C, sizeof *rows->logits),
                        .labels = ad_malloc(labels.count * Q, sizeof *rows->labels)};
  if (rows->logits == NULL || rows->labels == NULL) {
    return ad_fail_memory(labels.count * (head->C + Q) * 4, "the logits of a task");
  }
  for (size_t i = 0; i < labels.count; i++) {
    const uint32_t *label = labels.words + i * all;
    if (*label == t) {
      if (logits != NULL) {
        memcpy(rows->logits + rows->N * head->C, logits + i * C + head->first, head->C * sizeof *logits);
      }
      memcpy(rows->labels + rows->N++ * Q, label + 1, Q * sizeof *label);
    }
  }
  return AD_OK;
}

/* The scores of one head, from place *at of those of all. */
static int score_head(struct ad_scoring *s, struct ad_labels labels, size_t C, const float *logits, size_t t,
                      size_t *at) {
  const struct ad_head *head = &labels.task->heads->head[t];
  struct rows rows;
  struct ad_scoring own = {0};
  int status = take_rows(labels, C, logits, t, &rows);
  if (status == AD_OK && rows.N > 0) {
    status = ad_scoring_create_at(&own, (struct ad_labels){head->task, rows.N, rows.labels}, head->C, rows.logits, 0.0);
  }
  for (size_t i = 0; i < head->task->score_count; i++) {
    s->scores.value[(*at)++] = rows.N > 0 ? own.scores.value[i] : NAN;
  }
  ad_scoring_destroy(&own);
  ad_free(rows.logits);
  ad_free(rows.labels);
  return status == AD_OK ? AD_OK : ad_fail_prefix(status, "%s", head->name);
}

int ad__scoring_of_heads(struct ad_scoring *s, struct ad_labels labels, size_t C, const float *logits) {
  const struct ad_heads *heads = labels.task->heads;
  const int same = common_score(heads->count, heads->head, 0) != NULL;
  size_t at = same ? 1 : 0;
  double first = 0.0, loss = 0.0;
  for (size_t t = 0; t < heads->count; t++) {
    const size_t begin = at;
    AD_TRY(score_head(s, labels, C, logits, t, &at));
    first += s->scores.value[begin] / (double)heads->count;
    loss += s->scores.value[at - 1] / (double)heads->count;
  }
  s->scores.value[0] = same ? first : s->scores.value[0];
  s->scores.value[at] = loss;
  return AD_OK;
}

double ad__majority_of_head(struct ad_labels labels, size_t C, const char *score) {
  const struct ad_heads *heads = labels.task->heads;
  const char *dot = score == NULL ? NULL : strrchr(score, '.');
  char *name = dot == NULL ? NULL : ad_strndup(score, (size_t)(dot - score));
  const size_t t = name == NULL ? heads->count : ad_heads_find(heads, name);
  struct rows rows = {0};
  double share = NAN;
  if (t < heads->count && take_rows(labels, C, NULL, t, &rows) == AD_OK) {
    const struct ad_head *head = &heads->head[t];
    share = ad_majority_share((struct ad_labels){head->task, rows.N, rows.labels}, head->C, NULL);
  }
  ad_free(name);
  ad_free(rows.logits);
  ad_free(rows.labels);
  return share;
}
