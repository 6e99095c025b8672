/* What two runs were given: configuration, provenance, and the files of the model that are not weights. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/config.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/provenance.h"
#include "autodidact/store/run.h"
#include "autodidact/store/run_files.h"
#include "compare.h"

#define FACT_NAME(name, kind) #name,
static const char *const facts[] = {AD_FACT_MAP(FACT_NAME)};
#undef FACT_NAME

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static void release(struct ad_difference *item) {
  ad_free(item->name);
  ad_free(item->text[0]);
  ad_free(item->text[1]);
}

void ad_differences_drop(struct ad_differences *differences, int (*drops)(const char *name)) {
  size_t kept = 0;
  for (size_t i = 0; i < differences->count; i++) {
    struct ad_difference *item = &differences->items[i];
    if (drops(item->name)) {
      release(item);
    } else {
      differences->items[kept++] = *item;
    }
  }
  differences->count = kept;
}

void ad_differences_destroy(struct ad_differences *differences) {
  for (size_t i = 0; i < differences->count; i++) {
    release(&differences->items[i]);
  }
  ad_free(differences->items);
  *differences = (struct ad_differences){0};
}

int ad__differences_add(struct ad_differences *differences, struct slice name, struct slice a, struct slice b) {
  void *items = differences->items;
  if (ad_reserve(&items, &differences->capacity, differences->count + 1, sizeof *differences->items) != AD_OK) {
    return ad_fail_memory((differences->count + 1) * sizeof *differences->items, "the differences");
  }
  differences->items = items;
  struct ad_difference *item = &differences->items[differences->count++];
  *item = (struct ad_difference){
      .name = ad_strndup(name.data, name.size),
      .text = {a.data == NULL ? NULL : ad_strndup(a.data, a.size), b.data == NULL ? NULL : ad_strndup(b.data, b.size)}};
  if (item->name == NULL || (a.data != NULL && item->text[0] == NULL) || (b.data != NULL && item->text[1] == NULL)) {
    return ad_fail_memory(name.size + a.size + b.size + 3, "a difference");
  }
  return AD_OK;
}

static struct slice slice_of(const char *text) {
  return (struct slice){text, text == NULL ? 0 : strlen(text)};
}

static int is_one_of(const char *name, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(name, list[i]) == 0) {
      return 1;
    }
  }
  return 0;
}

/* The resolved configuration of a run as YAML text; *native whether it leaves the contract. */
static int read_config(const char *folder, struct ad_buffer *text, int *native) {
  struct ad_config config;
  AD_TRY(ad_config_create(&config));
  int status = ad_run_config(folder, &config);
  if (status == AD_OK) {
    *native = config.comm_reduction == AD_REDUCTION_NATIVE;
    status = ad_config_print(&config, text);
  }
  ad_config_destroy(&config);
  return status;
}

/* Both texts have all keys in the table's order, one a line, under a line for each section. */
static int compare_config_texts(char *a, char *b, struct ad_input_comparison *out) {
  char *save[2], *section = a, key[128];
  char *line_a = strtok_r(a, "\n", &save[0]), *line_b = strtok_r(b, "\n", &save[1]);
  for (; line_a != NULL && line_b != NULL;
       line_a = strtok_r(NULL, "\n", &save[0]), line_b = strtok_r(NULL, "\n", &save[1])) {
    if (line_a[0] != ' ') {
      section = line_a;
    } else if (strcmp(line_a, line_b) != 0) {
      const size_t width = strcspn(line_a, ":");
      snprintf(key, sizeof key, "%.*s.%.*s", (int)strcspn(section, ":"), section, (int)width - 2, line_a + 2);
      AD_TRY(ad__differences_add(ad_config_keeps_bits(key) ? &out->harmless : &out->reasons, slice_of(key),
                                 slice_of(line_a + width + 2), slice_of(line_b + width + 2)));
    }
  }
  return AD_OK;
}

static int compare_config(const char *const folders[2], struct ad_input_comparison *out) {
  struct ad_buffer texts[2] = {{0}};
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && i < 2; i++) {
    status = read_config(folders[i], &texts[i], &out->native[i]);
  }
  if (status == AD_OK) {
    status = compare_config_texts(texts[0].data, texts[1].data, out);
  }
  ad_buffer_destroy(&texts[0]);
  ad_buffer_destroy(&texts[1]);
  return status;
}

static int read_provenance(const char *folder, json_t **object) {
  char *path = ad_path_join(folder, AD_RUN_FILE_PROVENANCE);
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + 32, "a path");
  }
  const int status = ad_json_read(object, path);
  ad_free(path);
  return status;
}

static int compare_fact(json_t *const objects[2], const char *name, struct ad_input_comparison *out) {
  struct ad_differences *list = ad_fact_kind(name) == AD_FACT_CIRCUMSTANCE ? &out->harmless : &out->reasons;
  const json_t *const values[2] = {json_object_get(objects[0], name), json_object_get(objects[1], name)};
  if ((values[0] == NULL && values[1] == NULL) || json_equal(values[0], values[1])) {
    return AD_OK;
  }
  char *texts[2] = {NULL, NULL};
  int status = AD_OK;
  for (size_t i = 0; i < 2; i++) {
    texts[i] = values[i] == NULL ? NULL : json_dumps(values[i], JSON_ENCODE_ANY | JSON_SORT_KEYS);
    if (values[i] != NULL && texts[i] == NULL) {
      status = ad_fail_memory(1024, "a value of provenance.json");
    }
  }
  if (status == AD_OK) {
    status = ad__differences_add(list, slice_of(name), slice_of(texts[0]), slice_of(texts[1]));
  }
  free(texts[0]);
  free(texts[1]);
  return status;
}

static int compare_facts(json_t *const objects[2], struct ad_input_comparison *out) {
  for (size_t i = 0; i < LENGTH(facts); i++) {
    AD_TRY(ad_fact_kind(facts[i]) < AD_FACT_KINDS ? compare_fact(objects, facts[i], out) : AD_OK);
  }
  for (size_t side = 0; side < 2; side++) {
    const char *name;
    json_t *value;
    json_object_foreach(objects[side], name, value) {
      const int told = (is_one_of(name, facts, LENGTH(facts)) && ad_fact_kind(name) != AD_FACT_CIRCUMSTANCE) ||
                       (strcmp(name, "ranks") == 0 && !out->native[0] && !out->native[1]) ||
                       (side == 1 && json_object_get(objects[0], name) != NULL);
      if (!told) {
        AD_TRY(compare_fact(objects, name, out));
      }
    }
  }
  return AD_OK;
}

static int compare_provenance(const char *const folders[2], struct ad_input_comparison *out) {
  json_t *objects[2] = {NULL, NULL};
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && i < 2; i++) {
    status = read_provenance(folders[i], &objects[i]);
  }
  if (status == AD_OK) {
    status = compare_facts(objects, out);
  }
  json_decref(objects[0]);
  json_decref(objects[1]);
  return status;
}

static int compare_model_file(const char *const folders[2], const char *name, struct ad_input_comparison *out) {
  char *paths[2] = {ad_path_join(folders[0], name), ad_path_join(folders[1], name)};
  int status = paths[0] == NULL || paths[1] == NULL
                   ? ad_fail_memory(strlen(folders[0]) + strlen(folders[1]) + 64, "a path")
                   : AD_OK;
  if (status == AD_OK && ad_is_file(paths[0]) && ad_is_file(paths[1])) {
    uint64_t digests[2];
    for (size_t i = 0; status == AD_OK && i < 2; i++) {
      status = ad_digest_file(paths[i], &digests[i]);
    }
    if (status == AD_OK && digests[0] != digests[1]) {
      char a[17], b[17];
      status = ad__differences_add(&out->reasons, slice_of(name), slice_of(ad_digest_text(digests[0], a)),
                                   slice_of(ad_digest_text(digests[1], b)));
    }
  }
  ad_free(paths[0]);
  ad_free(paths[1]);
  return status;
}

/* Of a result's model, the files that are inputs: all but the weights come from the model's folder as they are. */
static int is_input(const struct dirent *entry) {
  return entry->d_name[0] != '.' && strstr(entry->d_name, ".safetensors") == NULL;
}

static int compare_model_files(const char *const folders[2], struct ad_input_comparison *out) {
  char *model = ad_path_join(folders[0], AD_RUN_FOLDER_MODEL);
  if (model == NULL) {
    return ad_fail_memory(strlen(folders[0]) + 8, "a path");
  }
  struct dirent **entries = NULL;
  const int count = scandir(model, &entries, is_input, alphasort); /* below 0: there is none */
  int status = AD_OK;
  for (int i = 0; i < count; i++) {
    char name[sizeof AD_RUN_FOLDER_MODEL + sizeof entries[i]->d_name + 1];
    snprintf(name, sizeof name, "%s/%s", AD_RUN_FOLDER_MODEL, entries[i]->d_name);
    status = status == AD_OK ? compare_model_file(folders, name, out) : status;
    free(entries[i]);
  }
  free(entries);
  ad_free(model);
  return status;
}

int ad_compare_inputs(const char *const folders[2], struct ad_input_comparison *out) {
  *out = (struct ad_input_comparison){0};
  AD_TRY(compare_config(folders, out));
  AD_TRY(compare_provenance(folders, out));
  return compare_model_files(folders, out);
}

/* Whether a path leads elsewhere: data, or files of the base model, are others by the digests that were compared. */
static int has_other_files(const struct ad_differences *reasons) {
  for (size_t i = 0; i < reasons->count; i++) {
    const char *name = reasons->items[i].name;
    if (ad_fact_kind(name) == AD_FACT_DATA || strcmp(name, "base_model") == 0 || strncmp(name, "model/", 6) == 0) {
      return 1;
    }
  }
  return 0;
}

static int is_path(const char *name) {
  return ad_config_identity(name) == AD_IDENTITY_CONTENT;
}

int ad_input_comparison_sort_paths(struct ad_input_comparison *comparison) {
  struct ad_differences *reasons = &comparison->reasons;
  if (has_other_files(reasons)) {
    return AD_OK;
  }
  for (size_t i = 0; i < reasons->count; i++) {
    const struct ad_difference *item = &reasons->items[i];
    if (is_path(item->name)) {
      AD_TRY(ad__differences_add(&comparison->harmless, slice_of(item->name), slice_of(item->text[0]),
                                 slice_of(item->text[1])));
    }
  }
  ad_differences_drop(reasons, is_path);
  return AD_OK;
}

void ad_input_comparison_destroy(struct ad_input_comparison *comparison) {
  ad_differences_destroy(&comparison->reasons);
  ad_differences_destroy(&comparison->harmless);
}
