/* Which files of a Hugging Face folder hold the weights. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/text/tokenizer_kinds.h"
#include "folder.h"

static int has_name(const struct ad_names *names, const char *name) {
  for (size_t i = 0; i < names->count; i++) {
    if (strcmp(names->items[i], name) == 0) {
      return 1;
    }
  }
  return 0;
}

/* Adds each shard once. A shard is a plain file name, so that an index cannot lead out of the folder. */
static int list_shards(const char *path, json_t *map, struct ad_names *names) {
  const char *tensor;
  json_t *value;
  json_object_foreach(map, tensor, value) {
    const char *name = json_string_value(value);
    if (name == NULL || name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL) {
      return ad_fail(AD_EINPUT, "%s: weight_map: the file of %.80s is not a plain file name", path, tensor);
    }
    if (!has_name(names, name)) {
      AD_TRY(ad_names_add(names, name));
    }
  }
  return AD_OK;
}

static int read_index(const char *path, struct ad_names *names, json_t **map) {
  json_t *root;
  AD_TRY(ad_json_read(&root, path));
  json_t *weight_map = json_object_get(root, "weight_map");
  int status = AD_OK;
  if (json_object_size(weight_map) == 0) {
    status = ad_fail(AD_EINPUT, "%s: no weight_map with the file of each tensor", path);
  } else {
    *map = json_incref(weight_map);
    status = list_shards(path, weight_map, names);
  }
  json_decref(root);
  return status;
}

/* Whether the folder has such a file; *path is the caller's (NULL: out of memory). */
static int find_file(const char *folder, const char *name, char **path) {
  *path = ad_path_join(folder, name);
  return *path != NULL && ad_is_file(*path);
}

static int fail_without_weights(const char *folder) {
  static const char *const others[] = {"pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5",
                                       "flax_model.msgpack"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    char *path;
    const int found = find_file(folder, others[i], &path);
    ad_free(path);
    if (found) {
      return ad_fail(
          AD_EINPUT,
          "%s: no model.safetensors, only %s, which is not read; convert it: load the folder with transformers' "
          "AutoModel.from_pretrained and write it with save_pretrained",
          folder, others[i]);
    }
  }
  return ad_fail(AD_EINPUT, "%s: no model.safetensors and no %s", folder, AD_WEIGHT_INDEX);
}

int ad_folder_list_weights(const char *folder, struct ad_names *names, json_t **map) {
  *map = NULL;
  char *whole, *index;
  const int has_whole = find_file(folder, "model.safetensors", &whole),
            has_index = find_file(folder, AD_WEIGHT_INDEX, &index);
  int status;
  if (whole == NULL || index == NULL) {
    status = ad_fail_memory(strlen(folder) + sizeof AD_WEIGHT_INDEX, "a path");
  } else if (has_whole) {
    status = ad_names_add(names, "model.safetensors");
  } else {
    status = has_index ? read_index(index, names, map) : fail_without_weights(folder);
  }
  ad_free(whole);
  ad_free(index);
  return status;
}

int ad_model_list_files(const char *folder, struct ad_names *paths) {
  struct ad_names names = {0};
  json_t *map;
  int status = ad_folder_list_weights(folder, &names, &map);
  for (size_t i = 0; status == AD_OK && i < names.count; i++) {
    char *path = ad_path_join(folder, names.items[i]);
    status = path == NULL ? ad_fail_memory(strlen(folder) + strlen(names.items[i]) + 2, "a path")
                          : ad_names_add(paths, path);
    ad_free(path);
  }
  ad_names_destroy(&names);
  json_decref(map);
  if (status != AD_OK) {
    ad_names_destroy(paths);
  }
  return status;
}

/* The folder's path of such a file is added where there is one. */
static int add_if_there(const char *folder, const char *name, struct ad_names *paths) {
  char *path;
  const int found = find_file(folder, name, &path);
  const int status = path == NULL ? ad_fail_memory(strlen(folder) + strlen(name) + 2, "a path")
                     : found      ? ad_names_add(paths, path)
                                  : AD_OK;
  ad_free(path);
  return status;
}

int ad_model_digest(const char *folder, uint64_t *digest) {
#define AD_KIND_FILE(name, type, file) file,
  static const char *const others[] = {"config.json", AD_TOKENIZER_KINDS(AD_KIND_FILE) "tokenizer.json",
                                       "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"};
#undef AD_KIND_FILE
  struct ad_names paths = {0};
  *digest = 0;
  int status = ad_model_list_files(folder, &paths);
  for (size_t i = 0; status == AD_OK && i < sizeof others / sizeof *others; i++) {
    status = add_if_there(folder, others[i], &paths);
  }
  for (size_t i = 0; status == AD_OK && i < paths.count; i++) {
    const char *name = strrchr(paths.items[i], '/') + 1;
    uint64_t content;
    status = ad_digest_file(paths.items[i], &content);
    if (status == AD_OK) {
      *digest = ad_digest_pair(*digest, ad_digest_keyed(content, name, strlen(name)));
    }
  }
  ad_names_destroy(&paths);
  return status;
}
