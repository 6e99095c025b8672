#include "choose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"

/* Names of columns, compared without regard to the case of ASCII letters. The first of each list is taken even where
 * others of it are there. */
static const char *const text_names[] = {"text",    "sentence", "document", "review", "comment", "content",
                                         "message", "tweet",    "문장",     "리뷰",   "댓글"};
static const char *const label_names[] = {"label",  "labels",  "class", "category",   "sentiment", "target",
                                          "intent", "emotion", "topic", "gold_label", "라벨",      "레이블"};
static const char *const number_names[] = {"score", "rating", "stars", "similarity", "points", "value", "점수", "평점"};
static const char *const id_names[] = {"id", "idx", "index", "guid", "uid", ""};
static const char *const pair_names[][2] = {
    {"text_a", "text_b"},         {"sentence1", "sentence2"}, {"premise", "hypothesis"}, {"question1", "question2"},
    {"sentence_a", "sentence_b"}, {"text1", "text2"},         {"question", "sentence"}};
#define COUNT(names) (sizeof(names) / sizeof *(names))

/* Of a column without a telling name: so many different values at most, and each twice on average, are labels. */
enum { FEW = 50 };

const char *ad__column_show(const struct ad__scan *scan, size_t column, char *text, size_t size) {
  if (scan->header) {
    snprintf(text, size, "\"%.60s\"", ad_shown(scan->columns[column].name));
  } else {
    snprintf(text, size, "%zu", column + 1);
  }
  return text;
}

static int is_among(const char *name, const char *const *names, size_t count) {
  for (size_t i = 0; name != NULL && i < count; i++) {
    if (strcasecmp(name, names[i]) == 0) {
      return 1;
    }
  }
  return 0;
}

static size_t find_name(const struct ad__scan *scan, const char *name) {
  size_t i = 0;
  while (i < scan->count && (scan->columns[i].name == NULL || strcasecmp(scan->columns[i].name, name) != 0)) {
    i++;
  }
  return i;
}

size_t ad__column_find(const struct ad__scan *scan, const char *asked) {
  size_t i = 0;
  while (i < scan->count && (scan->columns[i].name == NULL || strcmp(scan->columns[i].name, asked) != 0)) {
    i++;
  }
  const size_t digits = strspn(asked, "0123456789");
  if (i < scan->count || digits == 0 || digits > 9 || asked[digits] != '\0') {
    return i;
  }
  const size_t number = (size_t)strtoul(asked, NULL, 10);
  return number > 0 && number <= scan->count ? number - 1 : scan->count;
}

/* Appends the columns for which `takes` is 1, or all (NULL). */
static int list_columns(const struct ad__scan *scan, const int *takes, struct ad_buffer *out) {
  char text[80];
  for (size_t i = 0; i < scan->count; i++) {
    if (takes == NULL || takes[i]) {
      AD_TRY(ad_buffer_printf(out, "%s%s", out->size == 0 ? "" : ", ", ad__column_show(scan, i, text, sizeof text)));
    }
  }
  return AD_OK;
}

/* `text` has one %s, for a list of columns. */
static int fail_with(int status, const struct ad__scan *scan, const int *takes, const char *text, const char *option) {
  struct ad_buffer list = {0};
  const int listed = list_columns(scan, takes, &list);
  if (listed == AD_OK) {
    status = ad_fail(status, "%s: %s %s; --%s COLUMN chooses one", scan->path, text,
                     list.data == NULL ? "none" : list.data, option);
  }
  ad_buffer_destroy(&list);
  return listed == AD_OK ? status : listed;
}

static int find_asked(const struct ad__scan *scan, const char *asked, const char *option, size_t *column) {
  char text[200];
  *column = asked == NULL ? scan->count : ad__column_find(scan, asked);
  if (asked == NULL || *column < scan->count) {
    return AD_OK;
  }
  snprintf(text, sizeof text, "no column \"%.80s\"; there are:", ad_shown(asked));
  return fail_with(AD_ECONFIG, scan, NULL, text, option);
}

/* --- Which rows hold. */

static int holds_texts(const struct ad__scan_column *c) {
  return !c->other && c->filled > 0 && c->numbers + c->switches < c->filled;
}

/* Values that may be classes: more than one, and not nearly one for each row. */
static int holds_classes(const struct ad__scan_column *c) {
  return !c->other && !c->values.many && c->values.count > 1 && (c->filled < 20 || 2 * c->values.count <= c->filled);
}

static int holds_few(const struct ad__scan_column *c) {
  return holds_classes(c) && c->values.count <= FEW && 2 * c->values.count <= c->filled;
}

static int holds_numbers(const struct ad__scan_column *c) {
  return !c->other && c->filled > 0 && c->numbers == c->filled;
}

/* What a column that is named like a label must hold. Of lists no value need be there twice. */
static int holds_labels(const struct ad__scan_column *c, const struct ad_task *task) {
  return task->numbers                     ? holds_numbers(c)
         : task->classes == AD_CLASSES_SET ? c->other || c->filled > 0
                                           : holds_classes(c);
}

/* --- The choice. */

/* Whether no other column of the file has this one's name. */
static int is_alone(const struct ad__scan *scan, size_t column) {
  size_t times = 0;
  for (size_t i = 0; i < scan->count; i++) {
    times += strcasecmp(scan->columns[i].name, scan->columns[column].name) == 0;
  }
  return times == 1;
}

/* takes [count] says which columns may be it. *found: the only one, or the one of the name `best`; count: none. */
static int take_only(const struct ad__scan *scan, const int *takes, const char *best, const char *text,
                     const char *option, size_t *found) {
  size_t times = 0;
  *found = scan->count;
  for (size_t i = 0; i < scan->count; i++) {
    if (takes[i] && best != NULL && find_name(scan, best) == i && is_alone(scan, i)) {
      *found = i;
      return AD_OK;
    }
    *found = takes[i] ? i : *found;
    times += (size_t)takes[i];
  }
  return times > 1 ? fail_with(AD_EINPUT, scan, takes, text, option) : AD_OK;
}

/* A name that texts or ids have. */
static int is_other_name(const char *name) {
  int named = is_among(name, text_names, COUNT(text_names)) || is_among(name, id_names, COUNT(id_names));
  for (size_t p = 0; p < COUNT(pair_names); p++) {
    named = named || is_among(name, pair_names[p], 2);
  }
  return named;
}

static int fail_label(const struct ad__scan *scan, const struct ad_task *task) {
  static const char text[] = "no column is named like a label, and none has few different values, each several times";
  char told[240];
  size_t numbers = 0;
  for (size_t i = 0; i < scan->count; i++) {
    numbers += (size_t)(holds_numbers(&scan->columns[i]) && !is_other_name(scan->columns[i].name));
  }
  if (task->numbers) {
    snprintf(told, sizeof told, "no column holds numbers alone; the columns are:");
  } else {
    snprintf(told, sizeof told, "%s%s; the columns are:", text,
             numbers > 0 ? " (data.task=regression learns the numbers of a column)" : "");
  }
  return fail_with(AD_EINPUT, scan, NULL, told, "label");
}

static int choose_label(const struct ad__scan *scan, const struct ad_task *task, const struct ad__chosen *chosen,
                        int *takes, size_t *label) {
  const char *several = task->classes == AD_CLASSES_SET
                            ? "several columns may be the label (a descriptor can list columns of 0 and 1):"
                            : "several columns may be the label:";
  for (size_t i = 0; i < scan->count; i++) {
    const struct ad__scan_column *c = &scan->columns[i];
    const int named = is_among(c->name, label_names, COUNT(label_names)) ||
                      (task->numbers && is_among(c->name, number_names, COUNT(number_names)));
    takes[i] = i != chosen->text && i != chosen->pair && named && holds_labels(c, task);
  }
  AD_TRY(take_only(scan, takes, label_names[0], several, "label", label));
  /* A column of that very name is meant, and what is wrong with it is told. */
  *label = *label < scan->count ? *label : find_name(scan, label_names[0]);
  if (*label < scan->count) {
    return AD_OK;
  }
  for (size_t i = 0; i < scan->count; i++) {
    const struct ad__scan_column *c = &scan->columns[i];
    takes[i] = i != chosen->text && i != chosen->pair && !is_other_name(c->name) &&
               (task->numbers ? holds_numbers(c) : holds_few(c));
  }
  AD_TRY(take_only(scan, takes, NULL, several, "label", label));
  return *label < scan->count ? AD_OK : fail_label(scan, task);
}

/* The two columns of a pair that is known by its names; 1 where it is there. */
static int find_pair(const struct ad__scan *scan, size_t label, struct ad__chosen *chosen) {
  for (size_t p = 0; p < COUNT(pair_names); p++) {
    const size_t a = find_name(scan, pair_names[p][0]), b = find_name(scan, pair_names[p][1]);
    if (a < scan->count && b < scan->count && a != label && b != label) {
      chosen->text = a;
      chosen->pair = b;
      return 1;
    }
  }
  return 0;
}

static int choose_text(const struct ad__scan *scan, const struct ad__chosen *chosen, int *takes, size_t *text) {
  static const char several[] = "several columns may be the text:";
  for (size_t i = 0; i < scan->count; i++) {
    takes[i] = i != chosen->label && i != chosen->pair && !scan->columns[i].other && scan->columns[i].filled > 0 &&
               is_among(scan->columns[i].name, text_names, COUNT(text_names));
  }
  AD_TRY(take_only(scan, takes, text_names[0], several, "text", text));
  if (*text < scan->count) {
    return AD_OK;
  }
  for (size_t i = 0; i < scan->count; i++) {
    takes[i] = i != chosen->label && i != chosen->pair && holds_texts(&scan->columns[i]) &&
               !is_among(scan->columns[i].name, id_names, COUNT(id_names));
  }
  AD_TRY(take_only(scan, takes, NULL, several, "text", text));
  return *text < scan->count
             ? AD_OK
             : fail_with(AD_EINPUT, scan, NULL, "no column beside the label holds texts; the columns are:", "text");
}

int ad__check_label(const struct ad__scan *scan, const struct ad_task *task, size_t label, size_t least) {
  const struct ad__scan_column *c = &scan->columns[label];
  char shown[80];
  ad__column_show(scan, label, shown, sizeof shown);
  if (task->classes == AD_CLASSES_SET) {
    return AD_OK; /* whoever reads the lists looks at them */
  }
  if (c->other || (scan->form.format == AD_FORMAT_JSONL && c->filled < scan->rows)) {
    return ad_fail(AD_EINPUT,
                   "%s: the label column %s is %s in some objects, expected a string, a number, true or false%s",
                   scan->path, shown, c->other ? "an array or an object" : "missing, null or empty",
                   c->other ? "; data.task=multi_label learns arrays of classes" : "");
  }
  if (task->numbers) {
    return c->numbers > 0 ? AD_OK
                          : ad_fail(AD_EINPUT, "%s: the label column %s has no numbers, expected some (task %s)",
                                    scan->path, shown, task->name);
  }
  if (c->values.many) {
    return ad_fail(AD_EINPUT, "%s: the label column %s has more than %d different values, expected classes%s",
                   scan->path, shown, AD_DETECT_MOST_CLASSES,
                   holds_numbers(c) ? "; data.task=regression learns its numbers" : "");
  }
  if (c->values.count < least) {
    return ad_fail(AD_EINPUT, "%s: the label column %s has %zu different value%s, expected at least %zu", scan->path,
                   shown, c->values.count, c->values.count == 1 ? "" : "s", least);
  }
  return AD_OK;
}

static int choose(const struct ad__scan *scan, const struct ad_task *task, const struct ad_detect_columns *asked,
                  int *takes, struct ad__chosen *chosen) {
  AD_TRY(find_asked(scan, asked->text, "text", &chosen->text));
  AD_TRY(find_asked(scan, asked->pair, "pair", &chosen->pair));
  AD_TRY(find_asked(scan, asked->label, "label", &chosen->label));
  if (chosen->label == scan->count) {
    const int status = choose_label(scan, task, chosen, takes, &chosen->label);
    AD_TRY(status == AD_EINPUT && ad_task_hides(task) ? AD_OK : status);
    chosen->label = status == AD_OK ? chosen->label : scan->count;
  }
  if (asked->text == NULL && (asked->pair != NULL || !find_pair(scan, chosen->label, chosen))) {
    AD_TRY(choose_text(scan, chosen, takes, &chosen->text));
  }
  return chosen->text == chosen->label || chosen->text == chosen->pair ||
                 (chosen->label == chosen->pair && chosen->label < scan->count)
             ? ad_fail(AD_ECONFIG, "%s: --text, --pair and --label name the same column, expected different ones",
                       scan->path)
             : AD_OK;
}

int ad__choose_columns(const struct ad__scan *scan, const struct ad_task *task, const struct ad_detect_columns *asked,
                       struct ad__chosen *chosen) {
  const int labels = !ad_task_hides(task);
  if (scan->form.format == AD_FORMAT_LINES) {
    *chosen = (struct ad__chosen){.text = 0, .pair = scan->count, .label = scan->count};
    return AD_OK;
  }
  if (scan->count < 2 && labels) {
    return ad_fail(AD_EINPUT, "%s: the objects have one key, expected a text and a label", scan->path);
  }
  int *takes = ad_calloc(scan->count, sizeof *takes);
  if (takes == NULL) {
    return ad_fail_memory(scan->count * sizeof *takes, "the columns of a table");
  }
  const int status = choose(scan, task, asked, takes, chosen);
  ad_free(takes);
  AD_TRY(status);
  if (!labels) {
    chosen->label = scan->count;
    return AD_OK;
  }
  return ad__check_label(scan, task, chosen->label, 2);
}

static int is_number(const char *text) {
  return text != NULL && text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

int ad__choose_head(struct ad__scan *scan, const struct ad_task *task, const struct ad_detect_columns *asked) {
  const char *wanted[COUNT(text_names) + COUNT(label_names) + COUNT(number_names) + COUNT(id_names) +
                     2 * COUNT(pair_names) + 3];
  size_t count = 0;
  const char *const names[3] = {asked->text, asked->pair, asked->label};
  for (size_t i = 0; i < 3; i++) {
    wanted[count++] = is_number(names[i]) ? NULL : names[i];
  }
  memcpy(wanted + count, text_names, sizeof text_names);
  count += COUNT(text_names);
  memcpy(wanted + count, label_names, sizeof label_names);
  count += COUNT(label_names);
  memcpy(wanted + count, number_names, sizeof number_names);
  count += task->numbers ? COUNT(number_names) : 0;
  memcpy(wanted + count, id_names, sizeof id_names);
  count += COUNT(id_names) - 1; /* an empty cell names nothing */
  memcpy(wanted + count, pair_names, sizeof pair_names);
  return ad__scan_head(scan, -1, wanted, count + 2 * COUNT(pair_names));
}
