/* The heads of several tasks in a folder: config.json's own key for them, and one head taken out. */
#include <stdio.h>
#include <string.h>

#include "architecture.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "folder.h"

/* --- config.json. */

int ad__heads_write(json_t *root, const struct ad_heads *heads, const char *const *class_names) {
  json_t *list = json_array();
  int failed = list == NULL;
  for (size_t t = 0; heads != NULL && t < heads->count; t++) {
    const struct ad_head *head = &heads->head[t];
    json_t *labels = json_array();
    for (size_t c = 0; c < head->C; c++) {
      const char *name = class_names == NULL ? NULL : class_names[head->first + c];
      const char *slash = name == NULL ? NULL : strchr(name, '/');
      failed |= json_array_append_new(labels, json_string(slash == NULL ? "" : slash + 1));
    }
    failed |= json_array_append_new(list, json_pack("{s:s,s:s?,s:o}", "name", head->name, "problem_type",
                                                    head->task->problem_type, "labels", labels));
  }
  return failed | json_object_set_new(root, AD_CONFIG_TASKS, list);
}

static int fail_entry(const char *path, const json_t *root) {
  return ad__config_wrong(
      path, root, AD_CONFIG_TASKS,
      "a list of tasks, each with a \"name\", a \"problem_type\" that is known here, and \"labels\"");
}

int ad__heads_read(const char *path, const json_t *root, struct ad_folder_config *out) {
  const json_t *list = json_object_get(root, AD_CONFIG_TASKS), *entry;
  struct ad_head heads[AD_MOST_HEADS] = {{0}};
  const struct ad_task *task;
  size_t t, all = 0;
  if (list == NULL || json_is_null(list)) {
    return AD_OK;
  }
  if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > AD_MOST_HEADS) {
    return fail_entry(path, root);
  }
  json_array_foreach(list, t, entry) {
    const char *problem = json_string_value(json_object_get(entry, "problem_type"));
    heads[t] = (struct ad_head){.name = json_string_value(json_object_get(entry, "name")),
                                .task = problem == NULL ? NULL : ad_task_of_problem(problem),
                                .C = json_array_size(json_object_get(entry, "labels"))};
    if (heads[t].name == NULL || heads[t].task == NULL || heads[t].C == 0) {
      return fail_entry(path, root);
    }
    all += heads[t].C;
  }
  if (all != out->config.classes) {
    return ad_fail(AD_EINPUT, "%s: %s has %zu labels together, expected %u as id2label has", path, AD_CONFIG_TASKS, all,
                   out->config.classes);
  }
  AD_TRY(ad_task_join(&task, json_array_size(list), heads));
  out->config.tasks = task->heads;
  return AD_OK;
}

/* --- One of them. */

/* The class names of one head, without its own name before them. */
static int cut_names(const struct ad_head *head, struct ad_names *names) {
  struct ad_names own = {0};
  const size_t length = strlen(head->name);
  int status = AD_OK;
  for (size_t c = head->first; status == AD_OK && c < head->first + head->C && c < names->count; c++) {
    const char *name = names->items[c];
    const int named = strncmp(name, head->name, length) == 0 && name[length] == '/';
    status = ad_names_add(&own, named ? name + length + 1 : name);
  }
  ad_names_destroy(names);
  *names = own;
  return status;
}

/* None of the heads is of this task. */
static int refuse(const struct ad_heads *heads, const char *task, struct ad_folder_config *found) {
  struct ad_buffer names = {0};
  const int status = ad_heads_list(heads, &names);
  if (status == AD_OK) {
    snprintf(found->head_refusal, sizeof found->head_refusal, "it has heads for %s, none for %.60s", names.data, task);
  }
  ad_buffer_destroy(&names);
  return status;
}

int ad__heads_choose(const struct ad_model_options *options, struct ad_folder_config *found,
                     struct ad__head_rows *rows) {
  const struct ad_heads *heads = found->config.tasks;
  *rows = (struct ad__head_rows){0};
  if (heads == NULL || options->task == NULL) {
    return AD_OK;
  }
  const size_t t = ad_heads_find(heads, options->task);
  if (t == heads->count) {
    return refuse(heads, options->task, found);
  }
  const struct ad_head *head = &heads->head[t];
  *rows = (struct ad__head_rows){.first = head->first, .count = head->C, .total = found->config.classes};
  found->config.classes = (uint32_t)head->C;
  found->config.tasks = NULL;
  found->config.problem_type = head->task->problem_type;
  return cut_names(head, &found->class_names);
}

void ad__heads_note(const struct ad__head_rows *rows, char *note, size_t size) {
  char before[64];
  const int used =
      snprintf(before, sizeof before, "of several tasks the head of that name is taken%s", note[0] == '\0' ? "" : ": ");
  if (rows->total > 0 && (size_t)used + strlen(note) < size) {
    memmove(note + used, note, strlen(note) + 1);
    memcpy(note, before, (size_t)used);
  }
}

int ad__heads_cut(const struct ad__head_rows *rows, const struct ad_architecture *a, const struct ad_tensor *tensor) {
  const char *const *names = a->head.classifier;
  return rows->total > 0 && (strcmp(tensor->name, names[0]) == 0 || strcmp(tensor->name, names[1]) == 0);
}

size_t ad__heads_rows(const struct ad__head_rows *rows, const struct ad_safetensor *classifier) {
  return rows->total > 0 ? rows->count : classifier->shape[0];
}

int ad__heads_read_rows(const struct ad_safetensors *file, const struct ad_safetensor *tensor,
                        const struct ad__head_rows *rows, float *values) {
  const size_t columns = tensor->dimensions == 2 ? tensor->shape[1] : 1;
  float *all = ad_malloc(rows->total * columns, sizeof *all);
  if (all == NULL) {
    return ad_fail_memory(rows->total * columns * sizeof *all, "the classifier of several tasks");
  }
  const int status = ad_safetensors_convert(file, tensor, all);
  if (status == AD_OK) {
    memcpy(values, all + rows->first * columns, rows->count * columns * sizeof *values);
  }
  ad_free(all);
  return status;
}
