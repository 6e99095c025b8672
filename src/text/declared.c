/* The added tokens that the files of a folder declare, with flags and in order as transformers 5 has them
 * (PreTrainedTokenizerBase._from_pretrained and TokenizersBackend.__init__): numbered ones first, then the special
 * tokens by name, then the list of further ones. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "files.h"

/* The names that every tokenizer of transformers has, in its order. */
static const char *const names[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                    "pad_token", "cls_token", "mask_token"};
#define NAMES (sizeof names / sizeof *names)

/* What transformers calls init_kwargs: the settings of all files in one. */
struct declared {
  const struct ad_text_files *files;
  json_t *settings;   /* tokenizer_config.json, with special_tokens_map.json over it where that is read */
  json_t *specific;   /* tokens by names of their own */
  int numbered;       /* 1: added_tokens_decoder has all tokens with numbers, and other files are not read */
  size_t settled;     /* so many added tokens have their flags already; of later ones the last counts */
  struct ad_added of; /* tokens with numbers */
};

static int no_memory(void) {
  return ad_fail_memory(4096, "the added tokens of a folder");
}

static int is_name(const char *key) {
  for (size_t i = 0; i < NAMES; i++) {
    if (strcmp(key, names[i]) == 0) {
      return 1;
    }
  }
  return 0;
}

static int is_empty(const json_t *value) {
  return value == NULL || json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
         (json_is_object(value) && json_object_size(value) == 0);
}

/* ---- One token ---- */

/* A token as text, or as an object with "content" and flags. Its content stays the JSON's. */
static int read_token(const char *path, const char *key, const json_t *value, struct ad_added_token *token) {
  static const char known[] = " content id __type "
#define AD_ADDED_KEY(flag) #flag " "
      AD_ADDED_FLAGS(AD_ADDED_KEY)
#undef AD_ADDED_KEY
      ;
  const json_t *content = json_is_object(value) ? json_object_get(value, "content") : value;
  char text[80];
  *token = (struct ad_added_token){.content = (char *)(uintptr_t)json_string_value(content), .id = -1, .special = 1};
  if (token->content == NULL || token->content[0] == '\0') {
    return ad_fail(AD_EINPUT, "%s: a token of \"%s\" is %s, expected its text", path, key,
                   ad_json_show(value, text, sizeof text));
  }
  if (!json_is_object(value)) {
    return AD_OK;
  }
  const char *flag;
  json_t *other;
  json_object_foreach((json_t *)(uintptr_t)value, flag, other) {
    if (!ad_text_is_listed(known, flag)) {
      return ad_fail(AD_EINPUT, "%s: the added token \"%s\" has an unknown key \"%.60s\"", path, token->content, flag);
    }
  }
  char where[200];
  snprintf(where, sizeof where, "the added token \"%.160s\": ", token->content);
  token->special = 0;
  AD_TRY(ad_text_boolean(path, where, value, "special", &token->special));
  token->normalized = !token->special;
#define AD_ADDED_READ(field) AD_TRY(ad_text_boolean(path, where, value, #field, &token->field));
  AD_ADDED_FLAGS(AD_ADDED_READ)
#undef AD_ADDED_READ
  return AD_OK;
}

/* ---- Settings of all files in one ---- */

/* The list of further tokens has two names; the newer one wins. An object of tokens gives them names of their own. */
static int move_extra(struct declared *d) {
  static const char newer[] = "extra_special_tokens", older[] = "additional_special_tokens";
  int failed = 0;
  json_t *list = json_object_get(d->settings, older);
  if (list != NULL && is_empty(json_object_get(d->settings, newer))) {
    failed = json_object_set(d->settings, newer, list);
    json_object_del(d->settings, older);
  }
  json_t *extra = json_object_get(d->settings, newer);
  if (!failed && json_is_object(extra)) {
    failed = json_object_update(d->specific, extra);
    json_object_del(d->settings, newer);
  }
  return failed ? no_memory() : AD_OK;
}

/* Appends the settings that name a token by a key of its own; `objects`: also those given as objects. */
static int add_specific(const struct declared *d, int objects, json_t *specific) {
  const char *key;
  json_t *value;
  json_object_foreach(d->settings, key, value) {
    const size_t size = strlen(key);
    const int token = size > 6 && strcmp(key + size - 6, "_token") == 0 && !is_name(key);
    if (token && (json_is_string(value) || (objects && json_is_object(value))) &&
        json_object_set(specific, key, value) != 0) {
      return no_memory();
    }
  }
  return AD_OK;
}

/* The tokens with names of their own, in the order of transformers: texts of tokenizer_config.json and an object's come
 * behind all others. They are taken out of the settings first, so that special_tokens_map.json may have other ones. */
static int begin_specific(struct declared *d) {
  AD_TRY(add_specific(d, 0, d->specific));
  const char *key;
  json_t *value;
  json_object_foreach(d->specific, key, value) {
    json_object_del(d->settings, key);
  }
  return AD_OK;
}

static int end_specific(struct declared *d) {
  json_t *all = json_object();
  int status = all == NULL ? no_memory() : add_specific(d, 1, all);
  if (status == AD_OK && json_object_update(all, d->specific) != 0) {
    status = no_memory();
  }
  if (status != AD_OK) {
    json_decref(all);
    return status;
  }
  json_decref(d->specific);
  d->specific = all;
  return AD_OK;
}

/* A value of special_tokens_map.json: what it says is special. */
static json_t *mark_special(json_t *value) {
  if (!json_is_object(value)) {
    return json_incref(value);
  }
  json_t *copy = json_copy(value);
  if (json_object_set_new(copy, "special", json_true()) != 0) {
    json_decref(copy);
    return NULL;
  }
  return copy;
}

static json_t *mark_list(const json_t *list) {
  json_t *marked = json_array();
  size_t i;
  json_t *value;
  json_array_foreach(list, i, value) {
    if (json_array_append_new(marked, mark_special(value)) != 0) {
      json_decref(marked);
      return NULL;
    }
  }
  return marked;
}

/* special_tokens_map.json over the settings; its newer list comes behind theirs. */
static int merge_map(struct declared *d) {
  const char *key;
  json_t *value;
  json_object_foreach(d->files->map, key, value) {
    json_t *marked = json_is_array(value) ? mark_list(value) : mark_special(value);
    json_t *before = json_object_get(d->settings, key);
    if (strcmp(key, "extra_special_tokens") == 0 && json_is_array(before) && json_is_array(value)) {
      json_t *both = json_copy(before);
      const int failed = json_array_extend(both, marked) != 0;
      json_decref(marked);
      marked = failed ? NULL : both;
      if (failed) {
        json_decref(both);
      }
    }
    if (json_object_set_new(d->settings, key, marked) != 0) {
      return no_memory();
    }
  }
  json_t *extra = json_object_get(d->settings, "extra_special_tokens");
  if (json_is_object(extra) && json_object_update(d->specific, extra) != 0) {
    return no_memory();
  }
  return AD_OK;
}

/* ---- Tokens with numbers ---- */

static int put_numbered(struct declared *d, const char *path, const char *key, const json_t *value, int64_t id) {
  struct ad_added_token token;
  AD_TRY(read_token(path, key, value, &token));
  token.id = id;
  return ad_added_put(&d->of, &token);
}

static int read_decoder(struct declared *d) {
  const char *path = d->files->config_path;
  json_t *decoder = json_object_get(d->settings, "added_tokens_decoder");
  if (!json_is_object(decoder)) {
    return ad_fail(AD_EINPUT, "%s: \"added_tokens_decoder\" is no object, expected tokens by their numbers", path);
  }
  const char *key;
  json_t *value;
  json_object_foreach(decoder, key, value) {
    char *end;
    const long long id = strtoll(key, &end, 10);
    if (key[0] < '0' || key[0] > '9' || *end != '\0' || id >= INT32_MAX) {
      return ad_fail(AD_EINPUT, "%s: \"added_tokens_decoder\" has \"%.60s\", expected the number of a token", path,
                     key);
    }
    AD_TRY(put_numbered(d, path, "added_tokens_decoder", value, id));
  }
  return AD_OK;
}

static int is_content(const json_t *value, const char *content) {
  const char *text = json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);
  return text != NULL && strcmp(text, content) == 0;
}

/* Whether a token is special by the settings: one of the names, or of the list. An object in tokenizer_config.json has
 * not become a token yet where transformers asks this. */
static int is_special(const struct declared *d, const char *content) {
  for (size_t n = 0; n < NAMES; n++) {
    const json_t *value = json_object_get(d->settings, names[n]);
    if ((json_is_string(value) || json_object_get(d->files->map, names[n]) != NULL) && is_content(value, content)) {
      return 1;
    }
  }
  size_t i;
  json_t *value;
  json_array_foreach(json_object_get(d->settings, "extra_special_tokens"), i, value) {
    if (json_object_get(value, "__type") == NULL && is_content(value, content)) {
      return 1;
    }
  }
  return 0;
}

static int read_number(const char *path, const char *content, const json_t *value, int64_t *id) {
  char text[80];
  if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) >= INT32_MAX) {
    return ad_fail(AD_EINPUT, "%s: the number of the added token \"%.60s\" is %s, expected a whole number from 0 on",
                   path, content, ad_json_show(value, text, sizeof text));
  }
  *id = json_integer_value(value);
  return AD_OK;
}

/* added_tokens.json: {"token": number}. */
static int read_older(struct declared *d) {
  const char *content;
  json_t *value;
  json_object_foreach(d->files->added, content, value) {
    if (strstr(content, AD_JSON_NO_KEY) != NULL) {
      return ad_fail(AD_EINPUT, "%s: a token has U+0000, U+FFFF or half a surrogate pair in it, expected none",
                     d->files->added_path);
    }
    const int special = is_special(d, content);
    struct ad_added_token token = {
        .content = (char *)(uintptr_t)content, .id = -1, .normalized = !special, .special = special};
    AD_TRY(read_number(d->files->added_path, content, value, &token.id));
    AD_TRY(ad_added_put(&d->of, &token));
  }
  return AD_OK;
}

/* The added tokens of tokenizer.json into a list. */
static int read_pipeline_tokens(const struct ad_text_files *files, struct ad_added *added) {
  json_t *list = json_object_get(files->pipeline, "added_tokens");
  const char *path = files->pipeline_path;
  size_t i;
  json_t *value;
  if (!is_empty(list) && !json_is_array(list)) {
    return ad_fail(AD_EINPUT, "%s: \"added_tokens\" is no list", path);
  }
  json_array_foreach(list, i, value) {
    struct ad_added_token token;
    AD_TRY(read_token(path, "added_tokens", value, &token));
    if (json_is_object(value)) {
      AD_TRY(read_number(path, token.content, json_object_get(value, "id"), &token.id));
    }
    AD_TRY(ad_added_put(added, &token));
  }
  return AD_OK;
}

int ad_text_read_pipeline_added(const struct ad_text_files *files, struct ad_recipe *recipe) {
  return read_pipeline_tokens(files, &recipe->added);
}

static int by_number(const void *a, const void *b) {
  const struct ad_added_token *const *x = a, *const *y = b;
  return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

/* Appends the tokens with numbers by these. */
static int put_by_number(const struct ad_added *numbered, struct ad_added *added) {
  const struct ad_added_token **order = ad_malloc(numbered->count, sizeof *order);
  int status = order == NULL ? ad_fail_memory(numbered->count * sizeof *order, "added tokens") : AD_OK;
  for (size_t i = 0; status == AD_OK && i < numbered->count; i++) {
    order[i] = &numbered->items[i];
  }
  if (status == AD_OK && numbered->count > 0) {
    qsort(order, numbered->count, sizeof *order, by_number);
  }
  for (size_t i = 0; status == AD_OK && i < numbered->count; i++) {
    status = ad_added_put(added, order[i]);
  }
  ad_free(order);
  return status;
}

/* ---- Special tokens ---- */

/* The name of a special token that this tokenizer uses itself; its place, or AD_SPECIAL_COUNT. */
static enum ad_special used_name(const char *key) {
  enum ad_special i = 0;
  while (i < AD_SPECIAL_COUNT && strcmp(key, ad_special_keys[i]) != 0) {
    i++;
  }
  return i;
}

static int put_unless_settled(const struct declared *d, const struct ad_added_token *token, struct ad_added *added) {
  const struct ad_added_token *found = ad_added_find(added, token->content);
  return found != NULL && (size_t)(found - added->items) < d->settled ? AD_OK : ad_added_put(added, token);
}

/* `value`: what the files say of a name, NULL: nothing. */
static int put_named(const struct declared *d, int named, const char *key, const json_t *value,
                     struct ad_recipe *recipe) {
  const enum ad_special place = used_name(key);
  struct ad_added_token token;
  if (value == NULL && (place == AD_SPECIAL_COUNT || !named)) {
    return AD_OK;
  }
  if (json_is_null(value)) {
    return place < AD_SPECIAL_COUNT ? ad_recipe_rename(recipe, place, NULL) : AD_OK;
  }
  if (value == NULL) {
    token = (struct ad_added_token){.content = recipe->special[place], .id = -1, .special = 1};
  } else {
    const struct ad_text_files *files = d->files;
    const int mapped = !d->numbered && json_object_get(files->map, key) != NULL;
    AD_TRY(read_token(mapped ? files->map_path : files->config_path, key, value, &token));
  }
  token.implied = 1;
  AD_TRY(put_unless_settled(d, &token, &recipe->added));
  return place < AD_SPECIAL_COUNT && value != NULL ? ad_recipe_rename(recipe, place, token.content) : AD_OK;
}

static int put_names(const struct declared *d, int named, struct ad_recipe *recipe) {
  for (size_t i = 0; i < NAMES; i++) {
    AD_TRY(put_named(d, named, names[i], json_object_get(d->settings, names[i]), recipe));
  }
  const char *key;
  json_t *value;
  json_object_foreach(d->specific, key, value) {
    AD_TRY(put_named(d, named, key, value, recipe));
  }
  return AD_OK;
}

static int put_extra(const struct declared *d, struct ad_recipe *recipe) {
  static const char key[] = "extra_special_tokens";
  json_t *list = json_object_get(d->settings, key);
  const char *path = d->files->config_path;
  size_t i;
  json_t *value;
  if (!is_empty(list) && !json_is_array(list)) {
    return json_is_object(list) ? AD_OK : ad_fail(AD_EINPUT, "%s: \"%s\" is no list of tokens", path, key);
  }
  json_array_foreach(list, i, value) {
    struct ad_added_token token;
    AD_TRY(read_token(path, "additional_special_tokens", value, &token));
    AD_TRY(put_unless_settled(d, &token, &recipe->added));
  }
  return AD_OK;
}

/* ---- What is left out ---- */

static void warn_left_out(const struct ad_text_files *files, const struct ad_recipe *recipe, const char *path,
                          const json_t *value) {
  const json_t *content = json_is_object(value) ? json_object_get(value, "content") : value;
  if (json_is_string(content) && ad_added_find(&recipe->added, json_string_value(content)) == NULL) {
    ad_text_warn(files,
                 "%s: the token \"%s\" is text: transformers does not look there, since %s has tokens of its own", path,
                 json_string_value(content), files->config_path);
  }
}

/* Tokens of files, or under keys, that transformers does not look at because others are there. */
static void warn_all_left_out(const struct ad_text_files *files, const struct ad_recipe *recipe) {
  const char *key;
  json_t *value, *item;
  size_t i;
  json_object_foreach(files->map, key, value) {
    warn_left_out(files, recipe, files->map_path, value);
    json_array_foreach(value, i, item) {
      warn_left_out(files, recipe, files->map_path, item);
    }
  }
  json_object_foreach(files->added, key, value) {
    json_t *content = json_string(key);
    warn_left_out(files, recipe, files->added_path, content);
    json_decref(content);
  }
  json_array_foreach(json_object_get(files->pipeline, "added_tokens"), i, item) {
    warn_left_out(files, recipe, files->pipeline_path, item);
  }
  json_array_foreach(json_object_get(files->config, "additional_special_tokens"), i, item) {
    warn_left_out(files, recipe, files->config_path, item);
  }
}

static int read_declared(struct declared *d) {
  d->settings = d->files->config == NULL ? json_object() : json_copy(d->files->config);
  d->specific = json_object();
  if (d->settings == NULL || d->specific == NULL) {
    return no_memory();
  }
  d->numbered = json_object_get(d->settings, "added_tokens_decoder") != NULL;
  AD_TRY(begin_specific(d));
  AD_TRY(move_extra(d));
  if (!d->numbered) {
    AD_TRY(merge_map(d));
  }
  AD_TRY(end_specific(d));
  if (d->numbered) {
    return read_decoder(d);
  }
  AD_TRY(read_older(d));
  if (json_object_get(d->settings, "extra_special_tokens") == NULL) {
    AD_TRY(move_extra(d)); /* the older name in special_tokens_map.json is seen only here */
  }
  return read_pipeline_tokens(d->files, &d->of);
}

int ad_text_read_added(const struct ad_text_files *files, int named, int ruled, struct ad_recipe *recipe) {
  struct declared d = {.files = files};
  int status = read_declared(&d);
  if (status == AD_OK && ruled) {
    status = read_pipeline_tokens(files, &recipe->added);
  }
  if (status == AD_OK) {
    status = put_by_number(&d.of, &recipe->added);
  }
  d.settled = recipe->added.count;
  if (status == AD_OK) {
    status = put_names(&d, named, recipe);
  }
  if (status == AD_OK) {
    status = put_extra(&d, recipe);
  }
  if (status == AD_OK) {
    warn_all_left_out(files, recipe);
  }
  json_decref(d.settings);
  json_decref(d.specific);
  ad_added_destroy(&d.of);
  return status;
}
