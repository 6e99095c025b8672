/* Loading a tokenizer from a Hugging Face folder: which kind it is of, which then reads the folder's files. */
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "kind.h"

/* The registry's lines, with their tables. */
static const struct {
  const char *type, *file;
  const struct ad_tokenizer_kind *kind;
} kinds[] = {
#define AD_KIND_ROW(name, type, file) {type, file, &ad_tokenizer_##name},
    AD_TOKENIZER_KINDS(AD_KIND_ROW)
#undef AD_KIND_ROW
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* The line of a folder with this type in tokenizer.json (NULL: none); KINDS where it is none of them. */
static size_t kind_of_type(const char *type) {
  size_t k = 0;
  while (k < KINDS && (type == NULL || strcmp(type, kinds[k].type) != 0)) {
    k++;
  }
  return k;
}

/* The line whose file is in the folder; KINDS where none is. */
static int kind_of_file(const char *folder, size_t *kind) {
  int found = 0;
  for (*kind = 0; *kind < KINDS; ++*kind) {
    AD_TRY(ad_text_has_file(folder, kinds[*kind].file, &found));
    if (found) {
      break;
    }
  }
  return AD_OK;
}

/* The line of the first kind that takes a model without a type for its own; KINDS where none does. */
static size_t kind_of_model(const json_t *model) {
  size_t k = json_is_object(model) && json_object_get(model, "type") == NULL ? 0 : KINDS;
  while (k < KINDS && (kinds[k].kind->owns == NULL || !kinds[k].kind->owns(model))) {
    k++;
  }
  return k;
}

#define NO_PIPELINE " nor tokenizer.json. From a SentencePiece model transformers makes one: " AD_TEXT_CONVERSION

/* Where nothing says what kind a folder is of. */
static int refuse_folder(const struct ad_text_files *files, const json_t *type) {
#define AD_KIND_FILE(name, type, file) file ", "
#define AD_KIND_TYPE(name, type, file) type ", "
  static const char names[] = AD_TOKENIZER_KINDS(AD_KIND_FILE), types[] = AD_TOKENIZER_KINDS(AD_KIND_TYPE);
  char text[80];
  if (files->pipeline == NULL) {
    return ad_fail(AD_EINPUT, "%s: neither %.*s" NO_PIPELINE, files->folder, (int)sizeof names - 3, names,
                   files->folder, files->folder);
  }
  return ad_fail(AD_EINPUT, "%s: model: \"type\" is %s, expected one of %.*s", files->pipeline_path,
                 ad_json_show(type, text, sizeof text), (int)sizeof types - 3, types);
#undef AD_KIND_FILE
#undef AD_KIND_TYPE
}

static int find_kind(const struct ad_text_files *files, size_t *kind) {
  const json_t *model = json_object_get(files->pipeline, "model"), *type = json_object_get(model, "type");
  const size_t by_type = kind_of_type(json_string_value(type)), by_model = kind_of_model(model);
  size_t by_file;
  AD_TRY(kind_of_file(files->folder, &by_file));
  if (by_type == KINDS && (type != NULL || (files->pipeline == NULL && by_file == KINDS))) {
    return refuse_folder(files, type);
  }
  *kind = by_type < KINDS ? by_type : by_model < KINDS ? by_model : by_file < KINDS ? by_file : 0;
  return AD_OK;
}

/* Whether this folder is another one than the last: a process that loads one for many trainings warns once. */
static int is_new(const char *path) {
  static uint64_t last;
  const uint64_t digest = ad_digest(path, strlen(path));
  const int other = digest != last;
  last = digest;
  return other;
}

/* model_input_names without token types: transformers gives a model none, and then all are the same. */
static void read_inputs(const struct ad_text_files *files, struct ad_tokenizer *tokenizer) {
  const json_t *names = json_object_get(files->config, "model_input_names");
  int types = !json_is_array(names);
  size_t i;
  json_t *name;
  json_array_foreach(names, i, name) {
    const char *text = json_string_value(name);
    types |= text != NULL && strcmp(text, "token_type_ids") == 0;
  }
  tokenizer->recipe.frame[1].one_type |= !types;
}

int ad_tokenizer_load(struct ad_tokenizer **tokenizer, const char *path) {
  *tokenizer = NULL;
  struct ad_text_files files = {.folder = path, .quiet = !is_new(path)};
  struct ad_recipe recipe = {0};
  size_t kind = 0;
  int status = ad_text_read_files(&files);
  if (status == AD_OK) {
    status = find_kind(&files, &kind);
  }
  if (status == AD_OK) {
    status = ad_text_map_vocabulary(&files, kinds[kind].file);
  }
  if (status == AD_OK) {
    status = kinds[kind].kind->load(&files, &recipe, tokenizer);
  }
  if (status == AD_OK) {
    read_inputs(&files, *tokenizer);
  }
  if (status != AD_OK) {
    ad_tokenizer_destroy(*tokenizer);
    *tokenizer = NULL;
  }
  ad_recipe_destroy(&recipe);
  ad_text_files_destroy(&files);
  return status;
}
