#include "autodidact/store/run_inputs.h"

#include <string.h>
#include <unistd.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/joint.h"
#include "autodidact/store/run_files.h"

/* --- Where things lie. */

static int join_absolute(const char *folder, const char *file, char **path) {
  char *joined = ad_path_join(folder, file);
  const int status = joined == NULL ? ad_fail_memory(strlen(file), "a path") : ad_path_absolute(joined, path);
  ad_free(joined);
  return status;
}

/* Where the configuration looks for a split's file, from the current folder. *path NULL: it does not say. */
static int locate(const struct ad_config *config, const struct ad_descriptor *descriptor, enum ad_split split,
                  char **path) {
  const char *other = ad_split_file(config, split), *file = descriptor->source[split].file;
  const char *folder = ad_descriptor_place(descriptor, config->data_folder);
  *path = NULL;
  if (other != NULL) {
    return ad_path_absolute(other, path);
  }
  if (file == NULL || (folder == NULL && file[0] != '/')) {
    return AD_OK;
  }
  return join_absolute(folder == NULL ? "" : folder, file, path);
}

void ad_run_inputs_destroy(struct ad_run_inputs *inputs) {
  for (size_t k = 0; k < inputs->set_count; k++) {
    ad_run_inputs_destroy(&inputs->sets[k]);
  }
  ad_free(inputs->sets);
  ad_free(inputs->descriptor);
  ad_free(inputs->model);
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    ad_free(inputs->file[s]);
  }
  *inputs = (struct ad_run_inputs){0};
}

/* Descriptor and files of one data set. */
static int locate_set(struct ad_run_inputs *inputs, const struct ad_config *config,
                      const struct ad_descriptor *descriptor) {
  inputs->descriptor_digest = descriptor->digest;
  AD_TRY(ad_path_absolute(descriptor->path, &inputs->descriptor));
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    AD_TRY(locate(config, descriptor, s, &inputs->file[s]));
  }
  return AD_OK;
}

/* Those of several, which have the configuration's folders and files already. */
static int locate_sets(struct ad_run_inputs *inputs, const struct ad_descriptor *descriptor) {
  struct ad_config none;
  inputs->descriptor_digest = descriptor->digest;
  inputs->sets = ad_calloc(descriptor->set_count, sizeof *inputs->sets);
  if (inputs->sets == NULL) {
    return ad_fail_memory(descriptor->set_count * sizeof *inputs->sets, "the inputs of a run");
  }
  AD_TRY(ad_config_create(&none));
  int status = AD_OK;
  for (size_t k = 0; k < descriptor->set_count && status == AD_OK; k++) {
    inputs->set_count++;
    status = locate_set(&inputs->sets[k], &none, &descriptor->sets[k]);
  }
  ad_config_destroy(&none);
  return status;
}

int ad_run_inputs_create(struct ad_run_inputs *inputs, const struct ad_config *config,
                         const struct ad_descriptor *descriptor) {
  const char *model = config->model_path[0] != '\0' ? config->model_path : config->model_vocab;
  *inputs = (struct ad_run_inputs){.found = 1};
  int status = ad_path_absolute(model, &inputs->model);
  if (status == AD_OK) {
    status = descriptor->set_count > 0 ? locate_sets(inputs, descriptor) : locate_set(inputs, config, descriptor);
  }
  if (status != AD_OK) {
    ad_run_inputs_destroy(inputs);
  }
  return status;
}

/* --- The files. */

/* {"path": .., "digest": ..}; a path that is no UTF-8 is not kept. */
static json_t *make_entry(const char *path, uint64_t digest) {
  char text[17];
  json_t *entry = json_object(), *name = path == NULL ? NULL : json_string(path);
  if (name != NULL) {
    json_object_set_new(entry, "path", name);
  }
  if (digest != 0) {
    json_object_set_new(entry, "digest", json_string(ad_digest_text(digest, text)));
  }
  return entry;
}

/* Descriptor and files. */
static json_t *make_entries(const struct ad_run_inputs *inputs) {
  json_t *root = json_object();
  json_object_set_new(root, "descriptor", make_entry(inputs->descriptor, inputs->descriptor_digest));
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    if (inputs->file[s] != NULL || inputs->digest[s] != 0) {
      json_object_set_new(root, ad_split_name(s), make_entry(inputs->file[s], inputs->digest[s]));
    }
  }
  return root;
}

int ad_run_inputs_write(struct ad_run *run, const struct ad_run_inputs *inputs,
                        const struct ad_descriptor *descriptor) {
  struct ad_buffer text = {0};
  json_t *root = make_entries(inputs), *sets = inputs->set_count > 0 ? json_array() : NULL;
  json_object_set_new(root, "model", make_entry(inputs->model, 0));
  for (size_t k = 0; k < inputs->set_count; k++) {
    json_array_append_new(sets, make_entries(&inputs->sets[k]));
  }
  if (sets != NULL) {
    json_object_set_new(root, "sets", sets);
  }
  int status = root == NULL ? ad_fail_memory(1024, AD_RUN_FILE_INPUTS) : ad_json_print(root, JSON_INDENT(2), &text);
  status = status == AD_OK ? ad_buffer_puts(&text, "\n") : status;
  status = status == AD_OK ? ad_run_write(run, AD_RUN_FILE_DESCRIPTOR, descriptor->text, descriptor->size) : status;
  status = status == AD_OK ? ad_run_write(run, AD_RUN_FILE_INPUTS, text.data, text.size) : status;
  json_decref(root);
  ad_buffer_destroy(&text);
  return status;
}

static int read_entry(const char *path, const json_t *root, const char *name, char **file, uint64_t *digest) {
  const json_t *entry = json_object_get(root, name), *text = json_object_get(entry, "digest");
  const char *where = json_string_value(json_object_get(entry, "path")), *digits = json_string_value(text);
  if (digits != NULL && strlen(digits) == 16 && strspn(digits, "0123456789abcdef") == 16) {
    *digest = strtoull(digits, NULL, 16);
  } else if (text != NULL) {
    char shown[100];
    return ad_fail(AD_EINPUT, "%s: the digest of \"%s\" is %s, expected 16 hexadecimal digits", path, name,
                   ad_json_show(text, shown, sizeof shown));
  }
  *file = where == NULL ? NULL : ad_strdup(where);
  return where != NULL && *file == NULL ? ad_fail_memory(strlen(where) + 1, "a path") : AD_OK;
}

static int read_entries(struct ad_run_inputs *inputs, const char *path, const json_t *root) {
  const json_t *sets = json_object_get(root, "sets");
  uint64_t none = 0;
  AD_TRY(read_entry(path, root, "descriptor", &inputs->descriptor, &inputs->descriptor_digest));
  AD_TRY(read_entry(path, root, "model", &inputs->model, &none));
  inputs->sets = json_array_size(sets) == 0 ? NULL : ad_calloc(json_array_size(sets), sizeof *inputs->sets);
  if (inputs->sets == NULL && json_array_size(sets) > 0) {
    return ad_fail_memory(json_array_size(sets) * sizeof *inputs->sets, path);
  }
  for (size_t k = 0; k < json_array_size(sets); k++) {
    inputs->set_count++;
    AD_TRY(read_entries(&inputs->sets[k], path, json_array_get(sets, k)));
  }
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    AD_TRY(read_entry(path, root, ad_split_name(s), &inputs->file[s], &inputs->digest[s]));
  }
  return AD_OK;
}

int ad_run_inputs_read(struct ad_run_inputs *inputs, const char *folder) {
  json_t *root = NULL;
  char *path = ad_path_join(folder, AD_RUN_FILE_INPUTS);
  *inputs = (struct ad_run_inputs){0};
  int status = path == NULL ? ad_fail_memory(strlen(folder) + sizeof AD_RUN_FILE_INPUTS, "a path") : AD_OK;
  if (status == AD_OK && ad_is_file(path)) {
    status = ad_json_read(&root, path);
    status = status == AD_OK ? read_entries(inputs, path, root) : status;
    inputs->found = 1;
  }
  if (status != AD_OK) {
    ad_run_inputs_destroy(inputs);
  }
  json_decref(root);
  ad_free(path);
  return status;
}

/* A descriptor is called as its file was. */
static int rename_descriptor(const struct ad_run_inputs *inputs, struct ad_descriptor *descriptor) {
  const char *name = inputs->descriptor == NULL ? AD_RUN_FILE_DESCRIPTOR : ad_path_name(inputs->descriptor);
  const size_t length = strlen(name), suffix = strlen(".yaml");
  const int cut = length > suffix && strcmp(name + length - suffix, ".yaml") == 0;
  char *copy = ad_strndup(name, cut ? length - suffix : length);
  if (copy == NULL) {
    return ad_fail_memory(strlen(name) + 1, "a descriptor");
  }
  ad_free(descriptor->name);
  descriptor->name = copy;
  return AD_OK;
}

int ad_run_inputs_descriptor(const struct ad_run_inputs *inputs, const char *folder, struct ad_descriptor *descriptor) {
  char *path = ad_path_join(folder, AD_RUN_FILE_DESCRIPTOR), was[17], is[17];
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + sizeof AD_RUN_FILE_DESCRIPTOR, "a path");
  }
  int status = ad_descriptor_load(descriptor, path, NULL);
  if (status == AD_OK && descriptor->digest != inputs->descriptor_digest) {
    status = ad_fail(AD_EINPUT, "%s: its digest is %s, %s has %s: it is not what the run was trained with", path,
                     ad_digest_text(descriptor->digest, is), AD_RUN_FILE_INPUTS,
                     ad_digest_text(inputs->descriptor_digest, was));
  }
  if (status == AD_OK && inputs->set_count != descriptor->set_count) {
    status = ad_fail(AD_EINPUT, "%s: %zu data sets, %s has %zu", path, descriptor->set_count, AD_RUN_FILE_INPUTS,
                     inputs->set_count);
  }
  status = status == AD_OK && descriptor->set_count == 0 ? rename_descriptor(inputs, descriptor) : status;
  ad_free(path);
  if (status != AD_OK) {
    ad_descriptor_destroy(descriptor);
  }
  return status;
}

/* --- What has become of them. */

/* What has changed in the descriptors of several data sets. */
static int compare_sets(const struct ad_run_inputs *inputs, const char *tasks, const struct ad_descriptor *descriptor,
                        int *there, struct ad_buffer *out, unsigned *kinds) {
  for (size_t k = 0; k < inputs->set_count; k++) {
    struct ad_buffer changes = {0};
    char *task = NULL;
    unsigned of_set = 0;
    int found = 0, status = ad_list_item(tasks, k, &task);
    if (status == AD_OK) {
      status = ad_run_inputs_changes(&inputs->sets[k], task, &descriptor->sets[k], &found, &changes, &of_set);
    }
    if (status == AD_OK && changes.size > 0) {
      status = ad_buffer_printf(out, "%s%s: %s", out->size == 0 ? "" : "; ", descriptor->sets[k].name, changes.data);
    }
    *there |= found;
    *kinds |= of_set;
    ad_free(task);
    ad_buffer_destroy(&changes);
    AD_TRY(status);
  }
  return AD_OK;
}

int ad_run_inputs_changes(const struct ad_run_inputs *inputs, const char *task, const struct ad_descriptor *descriptor,
                          int *there, struct ad_buffer *out, unsigned *kinds) {
  struct ad_descriptor now;
  *kinds = 0;
  *there = inputs->descriptor != NULL && ad_is_file(inputs->descriptor);
  AD_TRY(ad_buffer_puts(out, ""));
  if (inputs->set_count > 0) {
    return compare_sets(inputs, task, descriptor, there, out, kinds);
  }
  if (!*there) {
    return AD_OK;
  }
  int status = ad_descriptor_load(&now, inputs->descriptor, NULL);
  if (status == AD_OK) {
    status = ad_descriptor_set_task(&now, task);
    if (status != AD_OK) {
      ad_descriptor_destroy(&now);
    }
  }
  if (status == AD_EINPUT) {
    *kinds = AD_CHANGED_CLASSES;
    return ad_buffer_printf(out, "it cannot be read any more (%s)", ad_error_message());
  }
  AD_TRY(status);
  status = now.digest == inputs->descriptor_digest ? AD_OK : ad_descriptor_compare(descriptor, &now, out, kinds);
  ad_descriptor_destroy(&now);
  return status;
}

/* The path of a split's file for whoever uses the run now. The caller owns it; NULL: not known. */
static int choose_path(const struct ad_run_inputs *inputs, const struct ad_config *config, const char *folder,
                       const struct ad_descriptor *descriptor, enum ad_split split, char **path) {
  const char *file = descriptor->source[split].file, *lay = inputs->file[split];
  if (folder != NULL && ad_split_file(config, split) == NULL) {
    return join_absolute(folder, file, path);
  }
  if (lay == NULL || access(lay, F_OK) != 0) {
    AD_TRY(locate(config, descriptor, split, path));
    if (lay == NULL || (*path != NULL && access(*path, F_OK) == 0)) {
      return AD_OK;
    }
    ad_free(*path);
  }
  *path = ad_strdup(lay);
  return *path == NULL ? ad_fail_memory(strlen(lay), "a path") : AD_OK;
}

static int place_set(const struct ad_run_inputs *inputs, const struct ad_config *config, const char *folder,
                     struct ad_descriptor *descriptor) {
  const struct ad_expected nothing = {0};
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    struct ad_source *source = &descriptor->source[s];
    char *path = NULL;
    const char *other = ad_split_file(config, s);
    if (source->file == NULL && (other == NULL || !ad_descriptor_has(descriptor, AD_SPLIT_TRAIN))) {
      continue;
    }
    AD_TRY(source->file == NULL ? ad_descriptor_add(descriptor, s) : AD_OK);
    AD_TRY(choose_path(inputs, config, folder, descriptor, s, &path));
    if (path != NULL) {
      ad_free(source->file);
      source->file = path;
    }
    if (other != NULL) { /* read whole */
      source->shuffled = 0;
      source->expected = nothing;
    }
  }
  return AD_OK;
}

int ad_run_inputs_place(const struct ad_run_inputs *inputs, const struct ad_config *config, const char *folder,
                        struct ad_descriptor *descriptor) {
  struct ad_config none;
  if (descriptor->set_count == 0) {
    return place_set(inputs, config, folder, descriptor);
  }
  AD_TRY(ad_config_create(&none));
  int status = AD_OK;
  for (size_t k = 0; k < descriptor->set_count && k < inputs->set_count && status == AD_OK; k++) {
    status = place_set(&inputs->sets[k], &none, folder, &descriptor->sets[k]);
  }
  ad_config_destroy(&none);
  return status;
}
