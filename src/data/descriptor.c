#include "autodidact/data/descriptor.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/texts.h"
#include "layout.h"

static const char SUFFIX[] = ".yaml";
static const char *const split_names[AD_SPLITS] = {AD_SPLIT_MAP(AD_SET_NAME)};

const char *ad_split_name(enum ad_split split) {
  return split_names[split];
}

enum ad_split ad_split_find(const char *name) {
  enum ad_split s = 0;
  while (s < AD_SPLITS && strcmp(name, split_names[s]) != 0) {
    s++;
  }
  return s;
}

const char *ad_split_key(enum ad_split split) {
#define AD_SPLIT_KEY(constant, name) AD_KEY_data_##name,
  static const enum ad_key keys[] = {AD_SPLIT_MAP(AD_SPLIT_KEY)};
#undef AD_SPLIT_KEY
  return ad_config_key(keys[split]);
}

const char *ad_split_file(const struct ad_config *config, enum ad_split split) {
#define AD_SPLIT_FILE(constant, name) config->data_##name,
  const char *const files[] = {AD_SPLIT_MAP(AD_SPLIT_FILE)};
#undef AD_SPLIT_FILE
  return files[split][0] == '\0' ? NULL : files[split];
}

static int ends_with_suffix(const char *name) {
  const size_t length = strlen(name), tail = strlen(SUFFIX);
  return length > tail && strcmp(name + length - tail, SUFFIX) == 0;
}

static int set_name(struct ad_descriptor *descriptor, const char *path) {
  const char *name = ad_path_name(path);
  const size_t length = strlen(name) - (ends_with_suffix(name) ? strlen(SUFFIX) : 0);
  descriptor->path = ad_strdup(path);
  descriptor->name = ad_strndup(name, length);
  if (descriptor->path == NULL || descriptor->name == NULL) {
    return ad_fail_memory(strlen(path), "a descriptor");
  }
  return AD_OK;
}

static int keep_text(struct ad_descriptor *descriptor, const char *text, size_t size) {
  descriptor->text = ad_malloc(size + 1, 1);
  if (descriptor->text == NULL) {
    return ad_fail_memory(size + 1, "a descriptor");
  }
  if (size > 0) {
    memcpy(descriptor->text, text, size);
  }
  descriptor->text[size] = '\0';
  descriptor->size = size;
  return AD_OK;
}

/* The texts for people, and where the files lie. */
static int parse_texts(struct ad_descriptor *descriptor, const struct ad_yaml *tree) {
  struct {
    const char *key;
    char **text;
  } texts[] = {{"title", &descriptor->title},
               {"source", &descriptor->home},
               {"licence", &descriptor->licence},
               {"license", &descriptor->licence},
               {"folder", &descriptor->folder}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    const struct ad_yaml *node = ad_yaml_get(tree, texts[i].key);
    if (node != NULL && *texts[i].text != NULL) {
      return AD_FAIL_AT(descriptor->path, node, "licence and license are one key: expected one of them");
    }
    AD_TRY(node == NULL ? AD_OK : ad_layout_text(descriptor->path, node, texts[i].key, texts[i].text));
  }
  if (descriptor->title == NULL) {
    descriptor->title = ad_strdup(descriptor->name);
    return descriptor->title == NULL ? ad_fail_memory(strlen(descriptor->name), "a descriptor") : AD_OK;
  }
  return AD_OK;
}

static int check_classes(const struct ad_descriptor *descriptor, const struct ad_yaml *node) {
  const char *const *classes = (const char *const *)descriptor->classes;
  size_t before, *order = ad_malloc(descriptor->class_count, sizeof *order);
  if (order == NULL) {
    return ad_fail_memory(descriptor->class_count * sizeof *order, "the classes of a descriptor");
  }
  ad_texts_order(classes, descriptor->class_count, order);
  const size_t doubled = ad_texts_doubled(classes, descriptor->class_count, order, &before);
  ad_free(order);
  return doubled == descriptor->class_count
             ? AD_OK
             : AD_FAIL_AT(descriptor->path, node->items[doubled], "classes: \"%s\" is there twice", classes[doubled]);
}

/* Without the key: the classes that the labels at the top stand for, in their order. Without these too there are none
 * yet. */
static int classes_of_labels(struct ad_descriptor *d, const struct ad_yaml *labels) {
  if (labels == NULL || labels->kind != AD_YAML_MAPPING || labels->count == 0) {
    return AD_OK;
  }
  d->classes = ad_calloc(labels->count, sizeof *d->classes);
  if (d->classes == NULL) {
    return ad_fail_memory(labels->count * sizeof *d->classes, "a descriptor");
  }
  for (size_t i = 0; i < labels->count; i++) {
    size_t c = 0;
    while (c < d->class_count && labels->items[i]->kind == AD_YAML_SCALAR &&
           strcmp(d->classes[c], labels->items[i]->text) != 0) {
      c++;
    }
    if (c == d->class_count) {
      AD_TRY(ad_layout_text(d->path, labels->items[i], "labels", &d->classes[c]));
      d->class_count++;
    }
  }
  return d->class_count >= d->task->least_logits ? AD_OK
                                                 : AD_FAIL_AT(d->path, labels, "labels: expected at least two classes");
}

static int parse_classes(struct ad_descriptor *descriptor, const struct ad_yaml *tree) {
  const struct ad_yaml *node = ad_yaml_get(tree, "classes");
  const char *path = descriptor->path;
  if (descriptor->task->names == AD_NAMES_NONE) {
    return AD_OK;
  }
  if (node == NULL) {
    return classes_of_labels(descriptor, ad_yaml_get(tree, "labels"));
  }
  const size_t least = descriptor->task->least_logits;
  if (node->kind != AD_YAML_SEQUENCE || node->count < least) {
    return AD_FAIL_AT(path, node, "classes: expected a list of at least %s", least > 1 ? "two names" : "one name");
  }
  descriptor->classes = ad_calloc(node->count, sizeof *descriptor->classes);
  if (descriptor->classes == NULL) {
    return ad_fail_memory(node->count * sizeof *descriptor->classes, "a descriptor");
  }
  for (size_t i = 0; i < node->count; i++) {
    AD_TRY(ad_layout_text(path, node->items[i], "classes", &descriptor->classes[i]));
    descriptor->class_count++;
  }
  return check_classes(descriptor, node);
}

/* One of the registry; its first where there is no key. */
static int parse_task(struct ad_descriptor *descriptor, const struct ad_yaml *tree) {
  const struct ad_yaml *node = ad_yaml_get(tree, "task");
  descriptor->task = node == NULL ? ad_task_find(NULL) : node->kind == AD_YAML_SCALAR ? ad_task_find(node->text) : NULL;
  if (descriptor->task != NULL) {
    return AD_OK;
  }
  const int status = ad_task_fail(AD_EINPUT, "task", node->kind == AD_YAML_SCALAR ? node->text : "a list or mapping");
  return ad_fail_prefix(status, "%s:%zu", descriptor->path, node->line);
}

static int parse_expected(const char *path, const struct ad_yaml *node, struct ad_expected *expected) {
  uint64_t number = 0;
  const struct ad_yaml *rows = ad_yaml_get(node, "rows"), *skipped = ad_yaml_get(node, "skipped");
  const struct ad_yaml *digest = ad_yaml_get(node, "digest");
  if (rows != NULL) {
    AD_TRY(ad_layout_number(path, rows, "rows", &number));
    expected->rows = (size_t)number;
    expected->rows_known = 1;
  }
  if (skipped != NULL) {
    AD_TRY(ad_layout_number(path, skipped, "skipped", &number));
    expected->skipped = (size_t)number;
    expected->skipped_known = 1;
  }
  if (digest != NULL) {
    if (digest->kind != AD_YAML_SCALAR || strlen(digest->text) != 16 ||
        strspn(digest->text, "0123456789abcdef") != 16) {
      return AD_FAIL_AT(path, digest, "digest: expected 16 hexadecimal digits");
    }
    expected->digest = strtoull(digest->text, NULL, 16);
    expected->digest_known = 1;
  }
  return AD_OK;
}

/* A split with its own file. */
static int parse_file_split(struct ad_descriptor *descriptor, const struct ad_yaml *tree, const struct ad_yaml *node,
                            struct ad_source *source) {
  static const char *const keys[] = {"file", "rows", "skipped", "digest", AD_LAYOUT_KEYS};
  AD_TRY(ad_layout_check_keys(descriptor->path, node, "a split", keys, sizeof keys / sizeof *keys));
  const struct ad_yaml *file = ad_yaml_get(node, "file");
  if (file == NULL) {
    return AD_FAIL_AT(descriptor->path, node, "the key \"file\" of a split is missing");
  }
  AD_TRY(ad_layout_text(descriptor->path, file, "file", &source->file));
  AD_TRY(ad_layout_parse(descriptor, node, tree, source));
  return parse_expected(descriptor->path, node, &source->expected);
}

/* Takes rows [begin, begin + rows) of the shuffled train file away, for this split. Its expected numbers are its own.
 */
static int cut_split(struct ad_descriptor *descriptor, const struct ad_yaml *node, enum ad_split split, size_t rows) {
  static const char *const keys[] = {"rows", "skipped", "digest"};
  struct ad_source *train = &descriptor->source[AD_SPLIT_TRAIN];
  const struct ad_expected none = {0};
  if (node != NULL) {
    AD_TRY(ad_layout_check_keys(descriptor->path, node, "a split that is cut out of train", keys, 3));
  }
  struct ad_source *source = &descriptor->source[split];
  AD_TRY(ad_layout_copy(train, source));
  source->expected = none;
  source->shuffled = train->shuffled = 1;
  source->begin = train->begin;
  source->end = source->begin + rows;
  train->begin = source->end;
  train->end = SIZE_MAX;
  return node == NULL ? AD_OK : parse_expected(descriptor->path, node, &source->expected);
}

/* The split rule: test first, then dev, are cut out of the shuffled train file. */
static int parse_rule(struct ad_descriptor *descriptor, const struct ad_yaml *rule, const struct ad_yaml *splits) {
  static const enum ad_split order[] = {AD_SPLIT_TEST, AD_SPLIT_DEV};
  const char *const keys[] = {"seed", ad_split_name(AD_SPLIT_DEV), ad_split_name(AD_SPLIT_TEST)};
  AD_TRY(ad_layout_check_keys(descriptor->path, rule, "split", keys, 3));
  const struct ad_yaml *seed = ad_yaml_get(rule, "seed");
  if (seed == NULL || rule->count < 2) {
    return AD_FAIL_AT(descriptor->path, rule, "split: expected a seed and the rows of dev, of test, or of both");
  }
  AD_TRY(ad_layout_number(descriptor->path, seed, "split.seed", &descriptor->split_seed));
  for (size_t i = 0; i < 2; i++) {
    const char *name = split_names[order[i]];
    const struct ad_yaml *node = ad_yaml_get(rule, name);
    uint64_t rows = 0;
    if (node == NULL) {
      continue;
    }
    AD_TRY(ad_layout_number(descriptor->path, node, "split", &rows));
    if (rows == 0 || rows >= UINT32_MAX) {
      return AD_FAIL_AT(descriptor->path, node, "split: %s rows for %s, expected at least 1 and less than 2^32 - 1",
                        node->text, name);
    }
    AD_TRY(cut_split(descriptor, ad_yaml_get(splits, name), order[i], (size_t)rows));
  }
  return AD_OK;
}

static int parse_splits(struct ad_descriptor *descriptor, const struct ad_yaml *tree) {
  const struct ad_yaml *splits = ad_yaml_get(tree, "splits"), *rule = ad_yaml_get(tree, "split");
  if (splits == NULL) {
    return AD_FAIL_AT(descriptor->path, tree, "the key \"splits\" is missing");
  }
  AD_TRY(ad_layout_check_keys(descriptor->path, splits, "splits", split_names, AD_SPLITS));
  if (splits->count == 0) {
    return AD_FAIL_AT(descriptor->path, splits, "splits: expected train, dev or test");
  }
  for (size_t s = 0; s < AD_SPLITS; s++) {
    const struct ad_yaml *node = ad_yaml_get(splits, split_names[s]);
    const int cut = s != AD_SPLIT_TRAIN && ad_yaml_get(rule, split_names[s]) != NULL;
    if (node != NULL && !cut) {
      AD_TRY(parse_file_split(descriptor, tree, node, &descriptor->source[s]));
    }
  }
  if (rule == NULL) {
    return AD_OK;
  }
  if (!ad_descriptor_has(descriptor, AD_SPLIT_TRAIN)) {
    return AD_FAIL_AT(descriptor->path, rule, "split: there is no train split to cut");
  }
  return parse_rule(descriptor, rule, splits);
}

/* What a descriptor may leave to the data, only some formats tell. */
static int check_known(struct ad_descriptor *d, const struct ad_yaml *tree) {
  const struct ad_source *train = &d->source[AD_SPLIT_TRAIN];
  const int columns =
      train->format == AD_FORMAT_TSV || train->format == AD_FORMAT_CSV || train->format == AD_FORMAT_JSONL;
  if (d->class_count == 0 && d->task->names != AD_NAMES_NONE && !(train->file != NULL && train->labelled && columns)) {
    return AD_FAIL_AT(d->path, tree,
                      "the key \"classes\" is missing; only a train split of tsv, csv or jsonl with "
                      "labels tells the classes by itself");
  }
  d->place = d->folder == NULL ? NULL : ad_strdup(d->folder);
  return d->folder != NULL && d->place == NULL ? ad_fail_memory(strlen(d->folder), "a descriptor") : AD_OK;
}

int ad__descriptor_parse_tree(struct ad_descriptor *descriptor, const struct ad_yaml *tree) {
  static const char *const keys[] = {"title", "source",  "licence", "license", "folder",
                                     "task",  "classes", "split",   "splits",  AD_LAYOUT_KEYS};
  AD_TRY(ad_layout_check_keys(descriptor->path, tree, "a descriptor", keys, sizeof keys / sizeof *keys));
  AD_TRY(parse_texts(descriptor, tree));
  AD_TRY(parse_task(descriptor, tree));
  AD_TRY(parse_classes(descriptor, tree));
  AD_TRY(parse_splits(descriptor, tree));
  AD_TRY(check_known(descriptor, tree));
  return ad_layout_find_idle(descriptor, tree);
}

int ad_descriptor_parse(struct ad_descriptor *descriptor, const char *path, const char *text, size_t size) {
  *descriptor = (struct ad_descriptor){0};
  struct ad_yaml *tree = NULL;
  descriptor->digest = ad_digest(text, size);
  int status = set_name(descriptor, path);
  if (status == AD_OK) {
    status = keep_text(descriptor, text, size);
  }
  if (status == AD_OK) {
    status = ad_yaml_parse(&tree, path, text, size);
  }
  if (status == AD_OK) {
    status = ad_yaml_get(tree, "sets") != NULL ? ad__descriptor_parse_sets(descriptor, tree)
                                               : ad__descriptor_parse_tree(descriptor, tree);
  }
  ad_yaml_destroy(tree);
  if (status < 0) {
    ad_descriptor_destroy(descriptor);
  }
  return status;
}

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the descriptors in a folder, sorted, as "a, b, c". */
static int list_known(const char *folder, struct ad_buffer *out) {
  DIR *listing = opendir(folder);
  char **names = NULL;
  size_t count = 0, capacity = 0;
  int status = AD_OK;
  for (const struct dirent *entry; listing != NULL && status == AD_OK && (entry = readdir(listing)) != NULL;) {
    if (!ends_with_suffix(entry->d_name)) {
      continue;
    }
    void *array = names;
    status = ad_reserve(&array, &capacity, count + 1, sizeof *names);
    names = array;
    if (status == AD_OK) {
      names[count] = ad_strndup(entry->d_name, strlen(entry->d_name) - strlen(SUFFIX));
      status = names[count] == NULL ? ad_fail_memory(sizeof entry->d_name, "a file name") : AD_OK;
      count += names[count] != NULL;
    }
  }
  if (count > 0) {
    qsort(names, count, sizeof *names, compare_texts);
  }
  for (size_t i = 0; i < count; i++) {
    if (status == AD_OK) {
      status = ad_buffer_printf(out, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    ad_free(names[i]);
  }
  ad_free(names);
  if (listing != NULL) {
    ad_ignore(closedir(listing));
  }
  return status;
}

static int fail_unknown(const char *name, const char *folder) {
  struct ad_buffer known = {0};
  int status = list_known(folder, &known);
  if (status == AD_OK) {
    status = ad_fail(AD_EINPUT, "no data set \"%s\" in the folder %s; there are: %s", name, folder,
                     known.size == 0 ? "none" : known.data);
  }
  ad_buffer_destroy(&known);
  return status;
}

/* Paths of a descriptor are relative to its own folder, where nothing is there in the current one. */
static int find_place(struct ad_descriptor *d) {
  int status = AD_OK;
  char *own = ad_path_folder(d->path);
  if (own == NULL) {
    return ad_fail_memory(strlen(d->path), "a path");
  }
  if (d->folder != NULL && !ad_is_folder(d->folder)) {
    char *beside = ad_path_join(own, d->folder);
    status = beside == NULL ? ad_fail_memory(strlen(own), "a path") : AD_OK;
    if (beside != NULL && ad_is_folder(beside)) {
      ad_free(d->place);
      d->place = beside;
      beside = NULL;
    }
    ad_free(beside);
  }
  for (size_t s = 0; s < AD_SPLITS && status == AD_OK && d->place == NULL; s++) {
    char *file = d->source[s].file == NULL ? NULL : ad_path_join(own, d->source[s].file);
    if (file != NULL && (ad_is_file(file) || ad_is_folder(file))) {
      d->place = ad_strdup(own);
      status = d->place == NULL ? ad_fail_memory(strlen(own), "a path") : AD_OK;
    }
    ad_free(file);
  }
  ad_free(own);
  return status;
}

int ad_descriptor_load(struct ad_descriptor *descriptor, const char *name, const char *folder) {
  *descriptor = (struct ad_descriptor){0};
  struct ad_buffer path = {0};
  struct ad_file_map map = {0};
  const int is_path = strchr(name, '/') != NULL || ends_with_suffix(name);
  folder = folder == NULL ? "datasets" : folder;
  int status = is_path ? ad_buffer_puts(&path, name) : ad_buffer_printf(&path, "%s/%s%s", folder, name, SUFFIX);
  if (status == AD_OK && !is_path && !ad_is_file(path.data)) {
    status = fail_unknown(name, folder);
  }
  if (status == AD_OK) {
    status = ad_file_map(path.data, &map);
  }
  if (status == AD_OK) {
    status = ad_descriptor_parse(descriptor, path.data, map.data, map.size);
  }
  if (status == AD_OK && is_path) {
    status = find_place(descriptor);
    for (size_t k = 0; status == AD_OK && k < descriptor->set_count; k++) {
      status = find_place(&descriptor->sets[k]);
    }
    if (status != AD_OK) {
      ad_descriptor_destroy(descriptor);
    }
  }
  ad_file_unmap(&map);
  ad_buffer_destroy(&path);
  return status;
}

void ad_descriptor_destroy(struct ad_descriptor *descriptor) {
  for (size_t k = 0; k < descriptor->set_count; k++) {
    ad_descriptor_destroy(&descriptor->sets[k]);
  }
  ad_free(descriptor->sets);
  ad_free(descriptor->name);
  ad_free(descriptor->path);
  ad_free(descriptor->text);
  ad_free(descriptor->title);
  ad_free(descriptor->home);
  ad_free(descriptor->licence);
  ad_free(descriptor->folder);
  ad_free(descriptor->place);
  ad_free(descriptor->idle);
  for (size_t i = 0; i < descriptor->class_count; i++) {
    ad_free(descriptor->classes[i]);
  }
  ad_free(descriptor->classes);
  for (size_t s = 0; s < AD_SPLITS; s++) {
    ad_layout_destroy(&descriptor->source[s]);
  }
  *descriptor = (struct ad_descriptor){0};
}

int ad_descriptor_hold_out(struct ad_descriptor *descriptor, size_t rows, uint64_t seed) {
  if (descriptor->set_count > 0) {
    return ad__descriptor_hold_out_sets(descriptor, rows, seed);
  }
  struct ad_source *train = &descriptor->source[AD_SPLIT_TRAIN];
  if (!ad_descriptor_has(descriptor, AD_SPLIT_TRAIN) || ad_descriptor_has(descriptor, AD_SPLIT_DEV) ||
      train->shuffled) {
    return ad_fail(AD_ECONFIG,
                   "%s: rows can be held out of train only where there is a train split, no dev split and no "
                   "split rule",
                   descriptor->name);
  }
  const struct ad_expected expected = train->expected;
  if (rows == 0 || rows >= UINT32_MAX || (expected.rows_known && rows >= expected.rows)) {
    return ad_fail(AD_ECONFIG, "%s: %zu rows cannot be held out of train's %zu", descriptor->name, rows, expected.rows);
  }
  AD_TRY(cut_split(descriptor, NULL, AD_SPLIT_DEV, rows));
  descriptor->split_seed = seed;
  descriptor->source[AD_SPLIT_DEV].expected = expected;
  descriptor->source[AD_SPLIT_DEV].expected.rows = rows;
  descriptor->source[AD_SPLIT_DEV].expected.rows_known = 1;
  train->expected.rows -= expected.rows_known ? rows : 0;
  return AD_OK;
}

int ad_descriptor_add(struct ad_descriptor *descriptor, enum ad_split split) {
  AD_TRY(ad_layout_copy(&descriptor->source[AD_SPLIT_TRAIN], &descriptor->source[split]));
  descriptor->source[split].expected = (struct ad_expected){0};
  return AD_OK;
}
