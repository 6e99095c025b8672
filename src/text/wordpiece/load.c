/* WordPiece from a folder: vocab.txt, tokenizer.json, and the settings around them. What these files can say and this
 * tokenizer cannot do is refused, as the ids would silently differ. */
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "wordpiece.h"

/* Refuses a vocab.txt and a tokenizer.json that give a token different ids. */
static int compare_vocabularies(const struct ad_text_files *files, const struct ad_tokenizer *tokenizer) {
  const json_t *vocab = json_object_get(json_object_get(files->pipeline, "model"), "vocab");
  const size_t count = tokenizer->count;
  if (json_object_size(vocab) != count) {
    return ad_fail(AD_EINPUT, "%s has %zu tokens, %s has %zu; expected the same vocabulary", files->vocabulary_path,
                   count, files->pipeline_path, json_object_size(vocab));
  }
  for (size_t i = 0; i < count; i++) {
    const char *token = ad_tokenizer_token(tokenizer, (uint32_t)i);
    const json_t *id = json_object_get(vocab, token);
    if (!json_is_integer(id) || json_integer_value(id) != (json_int_t)i) {
      return ad_fail(AD_EINPUT, "%s:%zu: token \"%s\" has another id in %s", files->vocabulary_path, i + 1, token,
                     files->pipeline_path);
    }
  }
  return AD_OK;
}

/* MPNet's mask without flags of its own takes the spaces before it. */
static void strip_mask(const struct ad_text_files *files, struct ad_recipe *recipe) {
  const char *mask = recipe->special[AD_SPECIAL_MASK];
  struct ad_added_token *token = mask == NULL ? NULL : ad_added_find(&recipe->added, mask);
  if (token != NULL && token->implied && !json_is_object(ad_text_setting(files, ad_special_keys[AD_SPECIAL_MASK]))) {
    token->lstrip = 1;
  }
}

/* Files that give this tokenizer again, where those that this kind writes would not. */
static int keep_files(const struct ad_text_files *files, struct ad_recipe *recipe) {
  AD_TRY(files->has_vocabulary ? ad_recipe_keep(recipe, files->vocabulary_path, "vocab.txt") : AD_OK);
  AD_TRY(files->pipeline != NULL ? ad_recipe_keep(recipe, files->pipeline_path, "tokenizer.json") : AD_OK);
  AD_TRY(files->config != NULL ? ad_recipe_keep(recipe, files->config_path, "tokenizer_config.json") : AD_OK);
  AD_TRY(files->map != NULL ? ad_recipe_keep(recipe, files->map_path, "special_tokens_map.json") : AD_OK);
  return files->added != NULL ? ad_recipe_keep(recipe, files->added_path, "added_tokens.json") : AD_OK;
}

static int make_recipe(const struct ad_text_files *files, struct ad_recipe *recipe) {
  const struct ad_text_class *class;
  int ruled;
  AD_TRY(ad_text_read_class(files, &class, &ruled));
  const int roberta = class->names && class->between == 2;
  AD_TRY(roberta ? ad_text_name_as_roberta(recipe) : AD_OK);
  AD_TRY(ad_text_read_settings(files, ruled, recipe));
  AD_TRY(ad_text_read_added(files, class->names, ruled, recipe));
  if (roberta) {
    AD_TRY(ad_text_add_as_roberta(files, recipe));
    strip_mask(files, recipe);
  }
  AD_TRY(files->pipeline == NULL ? AD_OK : ad_text_read_pipeline(files, class, ruled, recipe));
  const char *cls = recipe->special[AD_SPECIAL_CLS], *sep = recipe->special[AD_SPECIAL_SEP];
  recipe->alone = ruled && !class->alone;
  const int framed = recipe->alone || recipe->frame[0].before + recipe->frame[0].after > 0;
  AD_TRY(framed || cls == NULL || sep == NULL ? AD_OK : ad_recipe_frame(recipe, cls, sep, class->between));
  const int written = ad_recipe_is_framed(recipe, 1) || ad_recipe_is_framed(recipe, 2) || cls == NULL || sep == NULL;
  return recipe->alone || !written ? keep_files(files, recipe) : AD_OK;
}

static int build(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  if (files->has_vocabulary) {
    const char *text = files->vocabulary.data == NULL ? "" : files->vocabulary.data;
    AD_TRY(ad_tokenizer_make(tokenizer, &ad_tokenizer_wordpiece, files->vocabulary_path, text, files->vocabulary.size,
                             recipe));
    return files->pipeline == NULL ? AD_OK : compare_vocabularies(files, *tokenizer);
  }
  struct ad_buffer text = {0};
  json_t *vocab = json_object_get(json_object_get(files->pipeline, "model"), "vocab");
  int status = ad_text_write_vocabulary(files->pipeline_path, vocab, &text);
  if (status == AD_OK) {
    status = ad_tokenizer_make(tokenizer, &ad_tokenizer_wordpiece, files->pipeline_path,
                               text.data == NULL ? "" : text.data, text.size, recipe);
  }
  ad_buffer_destroy(&text);
  return status;
}

int ad_wordpiece_load(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  AD_TRY(ad_recipe_create(recipe));
  AD_TRY(make_recipe(files, recipe));
  return build(files, recipe, tokenizer);
}
