/* Several descriptors as one. */
#include "autodidact/data/joint.h"

#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "autodidact/base/yaml.h"
#include "autodidact/task/heads.h"
#include "layout.h"

/* --- What they are together. */

int ad_descriptor_has(const struct ad_descriptor *descriptor, enum ad_split split) {
  int has = descriptor->source[split].file != NULL;
  for (size_t k = 0; k < descriptor->set_count; k++) {
    has = has || ad_descriptor_has(&descriptor->sets[k], split);
  }
  return has;
}

int ad_descriptor_pairs(const struct ad_descriptor *descriptor) {
  int pairs = 0;
  for (size_t k = 0; k < descriptor->set_count; k++) {
    pairs = pairs || ad_descriptor_pairs(&descriptor->sets[k]);
  }
  for (enum ad_split split = 0; split < AD_SPLITS; split++) {
    pairs = pairs || descriptor->source[split].pair.count > 0;
  }
  return pairs;
}

int ad__descriptor_hold_out_sets(struct ad_descriptor *descriptor, size_t rows, uint64_t seed) {
  size_t held = 0;
  for (size_t k = 0; k < descriptor->set_count; k++) {
    if (!ad_descriptor_has(&descriptor->sets[k], AD_SPLIT_DEV)) {
      AD_TRY(ad_descriptor_hold_out(&descriptor->sets[k], rows, seed));
      held++;
    }
  }
  return held > 0 ? AD_OK : ad_fail(AD_ECONFIG, "%s: all data sets have a dev split already", descriptor->name);
}

/* The classes as SET/CLASS. */
static int join_classes(struct ad_descriptor *d) {
  size_t count = 0;
  for (size_t k = 0; k < d->set_count; k++) {
    count += d->sets[k].class_count;
  }
  d->classes = ad_calloc(count, sizeof *d->classes);
  if (d->classes == NULL) {
    return ad_fail_memory(count * sizeof *d->classes, "the classes of several tasks");
  }
  for (size_t k = 0; k < d->set_count; k++) {
    const struct ad_descriptor *set = &d->sets[k];
    for (size_t c = 0; c < set->class_count; c++) {
      struct ad_buffer name = {0};
      const int status = ad_buffer_printf(&name, "%s/%s", set->name, set->classes[c]);
      if (status != AD_OK) {
        ad_buffer_destroy(&name);
        return status;
      }
      d->classes[d->class_count++] = name.data;
    }
  }
  return AD_OK;
}

static int join_tasks(struct ad_descriptor *d) {
  struct ad_head heads[AD_MOST_HEADS] = {{0}};
  for (size_t k = 0; k < d->set_count && k < AD_MOST_HEADS; k++) {
    heads[k] = (struct ad_head){.name = d->sets[k].name, .task = d->sets[k].task, .C = d->sets[k].class_count};
  }
  return ad_task_join(&d->task, d->set_count, heads);
}

/* "a+b" of the names, or of the titles. */
static int join_texts(const struct ad_descriptor *d, int titles, char **text) {
  struct ad_buffer out = {0};
  int status = AD_OK;
  for (size_t k = 0; k < d->set_count && status == AD_OK; k++) {
    const struct ad_descriptor *set = &d->sets[k];
    status = ad_buffer_printf(&out, "%s%s", k == 0 ? "" : titles ? "; " : "+", titles ? set->title : set->name);
  }
  if (status != AD_OK) {
    ad_buffer_destroy(&out);
  }
  *text = out.data;
  return status;
}

/* All but sets, text and digest. */
static int describe(struct ad_descriptor *d) {
  AD_TRY(join_tasks(d));
  ad_free(d->name);
  d->name = NULL;
  AD_TRY(join_texts(d, 0, &d->name));
  AD_TRY(join_texts(d, 1, &d->title));
  return join_classes(d);
}

/* --- From a file. */

int ad__descriptor_parse_sets(struct ad_descriptor *d, const struct ad_yaml *tree) {
  static const char *const keys[] = {"sets"};
  const struct ad_yaml *sets = ad_yaml_get(tree, "sets");
  AD_TRY(ad_layout_check_keys(d->path, tree, "a descriptor of several data sets", keys, 1));
  if (sets->kind != AD_YAML_MAPPING || sets->count == 0) {
    return AD_FAIL_AT(d->path, sets, "sets: expected the names of data sets, each with the keys of a descriptor");
  }
  d->sets = ad_calloc(sets->count, sizeof *d->sets);
  if (d->sets == NULL) {
    return ad_fail_memory(sets->count * sizeof *d->sets, "a descriptor");
  }
  for (size_t k = 0; k < sets->count; k++) {
    struct ad_descriptor *set = &d->sets[d->set_count++];
    set->name = ad_strdup(sets->keys[k]);
    set->path = ad_strdup(d->path);
    set->text = ad_strdup("");
    set->digest = ad_digest_pair(d->digest, k);
    if (set->name == NULL || set->path == NULL || set->text == NULL) {
      return ad_fail_memory(strlen(d->path), "a descriptor");
    }
    AD_TRY(ad__descriptor_parse_tree(set, sets->items[k]));
    if (set->class_count == 0) {
      return AD_FAIL_AT(d->path, sets->items[k], "the key \"classes\" of %s is missing", set->name);
    }
  }
  return describe(d);
}

/* --- From a list. */

int ad_config_has_sets(const struct ad_config *config) {
  return strchr(config->data_descriptor, ',') != NULL;
}

static size_t count_items(const char *list) {
  size_t count = 1;
  for (const char *p = list; *p != '\0'; p++) {
    count += *p == ',';
  }
  return count;
}

int ad_list_item(const char *list, size_t k, char **item) {
  for (; k > 0 && list[0] != '\0'; k--) {
    list += strcspn(list, ",");
    list += *list == ',';
  }
  list += strspn(list, " ");
  size_t size = strcspn(list, ",");
  while (size > 0 && list[size - 1] == ' ') {
    size--;
  }
  *item = ad_strndup(list, size);
  return *item == NULL ? ad_fail_memory(strlen(list), "an item of a list") : AD_OK;
}

/* A list that is not empty has an item for each data set. */
static int check_length(const char *key, const char *list, size_t count) {
  return list[0] == '\0' || count_items(list) == count
             ? AD_OK
             : ad_fail(AD_ECONFIG,
                       "%s is '%s', %zu item%s, expected %zu as data.descriptor has (an empty item is allowed)", key,
                       list, count_items(list), count_items(list) == 1 ? "" : "s", count);
}

static int check_lists(const struct ad_config *c, size_t count) {
  AD_TRY(check_length("data.task", c->data_task, count));
  AD_TRY(check_length("data.folder", c->data_folder, count));
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    const char *file = ad_split_file(c, s);
    AD_TRY(check_length(ad_split_key(s), file == NULL ? "" : file, count));
  }
  return AD_OK;
}

/* A file in place of the descriptor's, read whole, by its path from the root. */
static int set_file(struct ad_descriptor *d, enum ad_split split, const char *file) {
  struct ad_source *source = &d->source[split];
  AD_TRY(ad_descriptor_has(d, split) ? AD_OK : ad_descriptor_add(d, split));
  char *path;
  AD_TRY(ad_path_absolute(file, &path));
  ad_free(source->file);
  source->file = path;
  source->shuffled = 0;
  source->expected = (struct ad_expected){0};
  return AD_OK;
}

/* What the configuration says of data set k: its task and folder, its classes, its files. */
static int complete(struct ad_descriptor *d, const char *task, const char *folder, char *const *files) {
  AD_TRY(ad_descriptor_set_task(d, task));
  if (folder[0] != '\0') {
    ad_free(d->place);
    d->place = ad_strdup(folder);
    AD_TRY(d->place == NULL ? ad_fail_memory(strlen(folder), "a path") : AD_OK);
  }
  const char *train = files[AD_SPLIT_TRAIN];
  AD_TRY(ad_descriptor_complete(d, "", train[0] == '\0' ? NULL : train));
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    AD_TRY(files[s][0] == '\0' ? AD_OK : set_file(d, s, files[s]));
  }
  return AD_OK;
}

static int apply(const struct ad_config *c, size_t k, struct ad_descriptor *d) {
  char *task = NULL, *folder = NULL, *files[AD_SPLITS] = {NULL};
  int status = ad_list_item(c->data_task, k, &task);
  status = status == AD_OK ? ad_list_item(c->data_folder, k, &folder) : status;
  for (enum ad_split s = 0; s < AD_SPLITS && status == AD_OK; s++) {
    const char *list = ad_split_file(c, s);
    status = ad_list_item(list == NULL ? "" : list, k, &files[s]);
  }
  status = status == AD_OK ? complete(d, task, folder, files) : status;
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    ad_free(files[s]);
  }
  ad_free(folder);
  ad_free(task);
  return status;
}

/* Appends a descriptor's text, each line behind four spaces; marks of documents are left out. */
static int indent(const struct ad_descriptor *set, struct ad_buffer *out) {
  AD_TRY(ad_buffer_puts(out, "  "));
  AD_TRY(ad_yaml_quote(out, set->name));
  AD_TRY(ad_buffer_puts(out, ":\n"));
  const char *end = set->text + set->size;
  for (const char *line = set->text + ad_utf8_mark(set->text, set->size); line < end;) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    const size_t size = newline == NULL ? (size_t)(end - line) : (size_t)(newline - line);
    const int mark =
        (size >= 3 && (strncmp(line, "---", 3) == 0 || strncmp(line, "...", 3) == 0)) || (size > 0 && line[0] == '%');
    if (!mark) {
      AD_TRY(ad_buffer_printf(out, "%s%.*s\n", size > 0 ? "    " : "", (int)size, line));
    }
    line += size + (newline != NULL);
  }
  return AD_OK;
}

/* The text of several. */
static int write_text(struct ad_descriptor *d) {
  struct ad_buffer text = {0};
  int status = ad_buffer_puts(&text, "sets:\n");
  for (size_t k = 0; k < d->set_count && status == AD_OK; k++) {
    status = indent(&d->sets[k], &text);
  }
  if (status != AD_OK) {
    ad_buffer_destroy(&text);
    return status;
  }
  d->text = text.data;
  d->size = text.size;
  d->digest = ad_digest(text.data, text.size);
  return AD_OK;
}

/* The descriptors of a list, each as its own file has it. */
static int load_list(struct ad_descriptor *d, const struct ad_config *c, const char *folder) {
  const size_t count = count_items(c->data_descriptor);
  d->path = ad_strdup(c->data_descriptor);
  d->sets = ad_calloc(count, sizeof *d->sets);
  if (d->path == NULL || d->sets == NULL) {
    return ad_fail_memory(count * sizeof *d->sets, "the descriptors");
  }
  for (size_t k = 0; k < count; k++) {
    char *name = NULL;
    AD_TRY(ad_list_item(c->data_descriptor, k, &name));
    int status = name[0] == '\0'
                     ? ad_fail(AD_ECONFIG, "data.descriptor is '%s', expected a name or a path in each place",
                               c->data_descriptor)
                     : ad_descriptor_load(&d->sets[k], name, folder);
    ad_free(name);
    d->set_count += status == AD_OK;
    AD_TRY(status);
    if (d->sets[k].set_count > 0) {
      return ad_fail(AD_ECONFIG, "%s has several data sets, expected one in a list", d->sets[k].path);
    }
  }
  return join_tasks(d); /* their names and number, before files are looked at */
}

static int configure(struct ad_descriptor *d, const struct ad_config *c, const char *folder) {
  const int list = ad_config_has_sets(c);
  AD_TRY(list ? load_list(d, c, folder) : ad_descriptor_load(d, c->data_descriptor, folder));
  if (d->set_count == 0) {
    return ad_descriptor_set_task(d, c->data_task);
  }
  AD_TRY(check_lists(c, d->set_count));
  for (size_t k = 0; k < d->set_count; k++) {
    AD_TRY(apply(c, k, &d->sets[k]));
  }
  AD_TRY(list ? write_text(d) : AD_OK);
  return list ? describe(d) : AD_OK;
}

int ad_descriptor_configure(struct ad_descriptor *descriptor, const struct ad_config *config, const char *folder) {
  *descriptor = (struct ad_descriptor){0};
  const int status = configure(descriptor, config, folder);
  if (status != AD_OK) {
    ad_descriptor_destroy(descriptor);
  }
  return status;
}

/* Lists what there is. */
static int fail_choice(const struct ad_descriptor *d, const char *name) {
  struct ad_buffer names = {0};
  int status = d->set_count == 0 ? ad_buffer_puts(&names, d->name) : ad_heads_list(d->task->heads, &names);
  status = status == AD_OK ? ad_fail(AD_ECONFIG, "the task is '%s', expected %s%s", name,
                                     d->set_count == 0 ? "the only one, " : "one of: ", names.data)
                           : status;
  ad_buffer_destroy(&names);
  return status;
}

int ad_descriptor_choose(struct ad_descriptor *descriptor, const char *name) {
  for (size_t k = 0; k < descriptor->set_count; k++) {
    if (strcmp(descriptor->sets[k].name, name) == 0) {
      const struct ad_descriptor chosen = descriptor->sets[k];
      descriptor->sets[k] = (struct ad_descriptor){0};
      ad_descriptor_destroy(descriptor);
      *descriptor = chosen;
      return AD_OK;
    }
  }
  const int only = descriptor->set_count == 0 && strcmp(descriptor->name, name) == 0;
  return only ? AD_OK : fail_choice(descriptor, name);
}
