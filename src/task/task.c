#include "autodidact/task/task.h"

#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "heads_internal.h"

static const struct ad_task *const tasks[] = {
#define AD_TASK_ROW(name) &ad_task_##name,
    AD_TASKS(AD_TASK_ROW)
#undef AD_TASK_ROW
};
enum { TASKS = sizeof tasks / sizeof *tasks };

const struct ad_task *ad_task_at(size_t i) {
  return i < TASKS ? tasks[i] : NULL;
}

const struct ad_task *ad_task_find(const char *name) {
  for (size_t i = 0; name != NULL && i < TASKS; i++) {
    if (strcmp(tasks[i]->name, name) == 0) {
      return tasks[i];
    }
  }
  return name == NULL ? tasks[0] : NULL;
}

const struct ad_task *ad_task_hiding(void) {
  size_t i = 0;
  while (i < TASKS && !ad_task_hides(tasks[i])) {
    i++;
  }
  return ad_task_at(i);
}

int ad_task_fail(int status, const char *key, const char *found) {
  struct ad_buffer names = {0};
  int listed = AD_OK;
  for (size_t i = 0; listed == AD_OK && i < TASKS; i++) {
    listed = ad_buffer_printf(&names, "%s%s", i == 0 ? "" : ", ", tasks[i]->name);
  }
  status = listed == AD_OK ? ad_fail(status, "%s: found \"%s\", expected one of: %s", key, found, names.data) : listed;
  ad_buffer_destroy(&names);
  return status;
}

const struct ad_task *ad_task_of_problem(const char *problem_type) {
  size_t i = 0;
  while (i < TASKS && (tasks[i]->problem_type == NULL || strcmp(tasks[i]->problem_type, problem_type) != 0)) {
    i++;
  }
  return i < TASKS ? tasks[i] : NULL;
}

const char *ad_task_outputs(const struct ad_task *task, uint64_t count) {
  const char *one = task->outputs.one, *several = task->outputs.several;
  return one == NULL ? (count == 1 ? "class" : "classes") : count == 1 ? one : several;
}

const struct ad_score *ad_task_score(const struct ad_task *task, const char *name) {
  const char *dot = task->heads == NULL ? strrchr(name, '.') : NULL;
  name = dot == NULL ? name : dot + 1;
  for (size_t i = 0; i < task->score_count; i++) {
    if (strcmp(task->scores[i].name, name) == 0) {
      return &task->scores[i];
    }
  }
  return NULL;
}

/* Tables of the registry, and behind them of lists of tasks. */
static const struct ad_task *table_at(size_t i) {
  return i < TASKS ? tasks[i] : ad__task_joined(i - TASKS);
}

/* The score of exactly this name. */
static const struct ad_score *find_exactly(const char *name) {
  for (size_t t = 0; table_at(t) != NULL; t++) {
    const struct ad_score *scores = table_at(t)->scores;
    for (size_t s = 0; s < table_at(t)->score_count; s++) {
      if (strcmp(scores[s].name, name) == 0) {
        return &scores[s];
      }
    }
  }
  return NULL;
}

/* HEAD.SCORE: of a list of that head alone, with the first task that has such a score. */
static const struct ad_score *find_of_head(const char *name) {
  const struct ad_task *joined = NULL;
  const char *dot = strrchr(name, '.');
  struct ad_head head = {0};
  for (size_t t = 0; dot != NULL && head.task == NULL && t < TASKS; t++) {
    head.task = ad_task_score(tasks[t], dot + 1) != NULL ? tasks[t] : NULL;
  }
  char *copy = head.task == NULL ? NULL : ad_strndup(name, (size_t)(dot - name));
  head.name = copy;
  const int made = copy != NULL && ad_task_join(&joined, 1, &head) == AD_OK;
  ad_free(copy);
  if (!made) {
    ad_error_clear();
  }
  return made ? ad_task_score(joined, name) : NULL;
}

const struct ad_score *ad_score_find(const char *name) {
  const struct ad_score *found = find_exactly(name);
  return found == NULL ? find_of_head(name) : found;
}

const struct ad_score *ad_score_at(size_t i) {
  for (size_t t = 0; table_at(t) != NULL; t++) {
    for (size_t s = 0; s < table_at(t)->score_count; s++) {
      const struct ad_score *score = &table_at(t)->scores[s];
      if (find_exactly(score->name) == score && i-- == 0) {
        return score;
      }
    }
  }
  return NULL;
}

int ad_score_is_better(const struct ad_score *score, double a, double b) {
  return (!isnan(a) && isnan(b)) || (score->better == AD_BETTER_UP ? a > b : a < b);
}

size_t ad_task_words(const struct ad_task *task, size_t C) {
  if (task->heads == NULL) {
    return task->words == NULL ? 1 : task->words(C);
  }
  size_t most = 0;
  for (size_t t = 0; t < task->heads->count; t++) {
    const size_t own = ad_task_words(task->heads->head[t].task, task->heads->head[t].C);
    most = own > most ? own : most;
  }
  return 1 + most;
}

int ad_task_is_label(const struct ad_task *task, size_t C, const uint32_t *label) {
  if (task->heads == NULL) {
    return task->is_label(C, label);
  }
  const struct ad_head *head = *label < task->heads->count ? &task->heads->head[*label] : NULL;
  return head != NULL && head->task->is_label(head->C, label + 1);
}

int ad_label_table_open(struct ad_label_table *table, const struct ad_task *task, const struct ad_label_value *values,
                        size_t count, size_t columns) {
  *table = (struct ad_label_table){.task = task, .values = values, .count = count, .columns = columns};
  for (size_t i = 0; i < count; i++) {
    table->classes = values[i].class_id >= table->classes ? (size_t)values[i].class_id + 1 : table->classes;
  }
  return task->open == NULL ? AD_OK : task->open(table);
}

void ad_label_table_close(struct ad_label_table *table) {
  ad_free(table->state);
  *table = (struct ad_label_table){0};
}
