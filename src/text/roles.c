/* What the files around a vocabulary say of special tokens. */
#include <string.h>

#include "autodidact/base/status.h"
#include "pipeline.h"

static const char *content_of(const json_t *value) {
  return json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);
}

const json_t *ad_text_setting(const struct ad_text_files *files, const char *key) {
  const json_t *value = json_object_get(files->map, key);
  return value != NULL ? value : json_object_get(files->config, key);
}

/* The token of a number in the vocabulary or among the added tokens of tokenizer.json; NULL: none. */
static const char *token_of(const struct ad_text_files *files, const struct ad_recipe *recipe, json_int_t id) {
  const json_t *vocab = json_object_get(json_object_get(files->pipeline, "model"), "vocab");
  const char *token;
  json_t *value;
  for (size_t i = 0; i < recipe->added.count; i++) {
    if (recipe->added.items[i].id == id) {
      return recipe->added.items[i].content;
    }
  }
  json_object_foreach((json_t *)(uintptr_t)vocab, token, value) {
    if (json_integer_value(value) == id) {
      return token;
    }
  }
  return json_string_value(json_array_get(json_array_get(vocab, id >= 0 ? (size_t)id : 0), 0));
}

int ad_text_read_roles(const struct ad_text_files *files, struct ad_recipe *recipe) {
  for (enum ad_special place = 0; place < AD_SPECIAL_COUNT; place++) {
    AD_TRY(ad_recipe_rename(recipe, place, content_of(ad_text_setting(files, ad_special_keys[place]))));
  }
  const json_t *padding = json_object_get(files->model, "pad_token_id");
  if (recipe->special[AD_SPECIAL_PAD] == NULL && json_is_integer(padding)) {
    return ad_recipe_rename(recipe, AD_SPECIAL_PAD, token_of(files, recipe, json_integer_value(padding)));
  }
  return AD_OK;
}

int ad_text_name_as_roberta(struct ad_recipe *recipe) {
  AD_TRY(ad_recipe_rename(recipe, AD_SPECIAL_SEP, "</s>"));
  AD_TRY(ad_recipe_rename(recipe, AD_SPECIAL_PAD, "<pad>"));
  AD_TRY(ad_recipe_rename(recipe, AD_SPECIAL_CLS, "<s>"));
  return ad_recipe_rename(recipe, AD_SPECIAL_MASK, "<mask>");
}

int ad_text_add_as_roberta(const struct ad_text_files *files, struct ad_recipe *recipe) {
  static const char *const named[][2] = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
    const struct ad_added_token token = {
        .content = (char *)(uintptr_t)named[i][1], .id = -1, .implied = 1, .special = 1};
    if (ad_text_setting(files, named[i][0]) == NULL && ad_added_find(&recipe->added, named[i][1]) == NULL) {
      AD_TRY(ad_added_put(&recipe->added, &token));
    }
  }
  return AD_OK;
}

int ad_pipeline_read_folder(struct ad_recipe *recipe, const struct ad_text_files *files) {
  AD_TRY(ad_text_read_pipeline_added(files, recipe));
  AD_TRY(ad_text_read_roles(files, recipe));
  ad_text_read_limits(files, recipe);
  ad_text_warn_keys(files, files->pipeline_path, "", files->pipeline,
                    " version truncation padding added_tokens normalizer pre_tokenizer post_processor decoder model ");
  AD_TRY(ad_recipe_keep(recipe, files->pipeline_path, "tokenizer.json"));
  AD_TRY(files->config == NULL ? AD_OK : ad_recipe_keep(recipe, files->config_path, "tokenizer_config.json"));
  return files->map == NULL ? AD_OK : ad_recipe_keep(recipe, files->map_path, "special_tokens_map.json");
}
