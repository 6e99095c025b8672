/* tokenizer.json: what it says must be what this tokenizer does. */
#include <string.h>

#include "../pipeline.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "wordpiece.h"

/* Refuses a value other than the expected string; the key may be missing. */
static int expect_string(const char *path, const json_t *object, const char *key, const char *expected) {
  const json_t *value = json_object_get(object, key);
  const char *found = json_string_value(value);
  char text[80];
  if (value == NULL || (found != NULL && strcmp(found, expected) == 0)) {
    return AD_OK;
  }
  return ad_fail(AD_EINPUT, "%s: \"%s\" is %s, expected \"%s\"", path, key, ad_json_show(value, text, sizeof text),
                 expected);
}

/* ---- Model, normalizer ---- */

static int read_model(const struct ad_text_files *files, int ruled, const json_t *model, struct ad_recipe *recipe) {
  const char *path = files->pipeline_path;
  const json_t *longest = json_object_get(model, "max_input_chars_per_word");
  const char *unknown = json_string_value(json_object_get(model, "unk_token"));
  char text[80];
  AD_TRY(expect_string(path, model, "type", "WordPiece"));
  AD_TRY(expect_string(path, model, "continuing_subword_prefix", "##"));
  if (longest != NULL && json_integer_value(longest) != 100) {
    return ad_fail(AD_EINPUT, "%s: \"max_input_chars_per_word\" is %s, expected 100", path,
                   ad_json_show(longest, text, sizeof text));
  }
  if (ruled && unknown != NULL) {
    AD_TRY(ad_recipe_rename(recipe, AD_SPECIAL_UNK, unknown));
  }
  ad_text_warn_keys(files, path, "model: ", model,
                    " type unk_token continuing_subword_prefix max_input_chars_per_word vocab ");
  const char *expected = recipe->special[AD_SPECIAL_UNK];
  return expect_string(path, model, "unk_token", expected == NULL ? "[UNK]" : expected);
}

static const char *truth(int value) {
  return value ? "true" : "false";
}

/* Of an option that two files state otherwise: which one counts. `ruled`: tokenizer.json's does. */
static void warn_other(const struct ad_text_files *files, const struct ad_text_class *class, int ruled,
                       const char *pipeline_key, int pipeline_value, const char *key, int value) {
  const char *name = json_string_value(json_object_get(files->config, "tokenizer_class"));
  name = name == NULL ? class->name : name;
  if (pipeline_value == value) {
    return;
  }
  const int stated = !json_is_null(json_object_get(files->config, key)) && json_object_get(files->config, key) != NULL;
  if (ruled && stated) {
    ad_text_warn(files, "%s: \"%s\" is %s, but \"%s\" is %s in %s; a %s takes it from there, as in transformers",
                 files->config_path, key, truth(value), pipeline_key, truth(pipeline_value), files->pipeline_path,
                 name);
  } else if (!ruled) {
    ad_text_warn(files, "%s: \"%s\" is %s, but \"%s\" is %s %s %s; a %s takes it from there, as in transformers",
                 files->pipeline_path, pipeline_key, truth(pipeline_value), key, truth(value),
                 stated ? "in" : "by default, not being set in", files->config_path, name);
  }
}

static int read_normalizer(const struct ad_text_files *files, const struct ad_text_class *class, int ruled,
                           const json_t *normalizer, struct ad_recipe *recipe) {
  const char *path = files->pipeline_path;
  struct ad_tokenizer_options o = {.lower_case = 1, .strip_accents = -1, .split_cjk = 1}, stated = o;
  int clean = 1;
  AD_TRY(expect_string(path, normalizer, "type", "BertNormalizer"));
  AD_TRY(ad_text_choice(path, normalizer, "clean_text", &clean));
  if (!clean) {
    return ad_fail(AD_EINPUT, "%s: \"clean_text\" is false, expected true", path);
  }
  AD_TRY(ad_text_choice(path, normalizer, "lowercase", &o.lower_case));
  AD_TRY(ad_text_choice(path, normalizer, "strip_accents", &o.strip_accents));
  AD_TRY(ad_text_choice(path, normalizer, "handle_chinese_chars", &o.split_cjk));
  AD_TRY(ad_text_choice(files->config_path, files->config, "do_lower_case", &stated.lower_case));
  AD_TRY(ad_text_choice(files->config_path, files->config, "strip_accents", &stated.strip_accents));
  AD_TRY(ad_text_choice(files->config_path, files->config, "tokenize_chinese_chars", &stated.split_cjk));
  ad_text_warn_keys(files, path, "normalizer: ", normalizer,
                    " type clean_text lowercase strip_accents handle_chinese_chars ");
  warn_other(files, class, ruled, "lowercase", o.lower_case != 0, "do_lower_case", stated.lower_case != 0);
  warn_other(files, class, ruled, "strip_accents", o.strip_accents < 0 ? o.lower_case != 0 : o.strip_accents,
             "strip_accents", stated.strip_accents < 0 ? stated.lower_case != 0 : stated.strip_accents);
  warn_other(files, class, ruled, "handle_chinese_chars", o.split_cjk != 0, "tokenize_chinese_chars",
             stated.split_cjk != 0);
  recipe->options = ruled ? o : recipe->options;
  return AD_OK;
}

/* ---- What goes around a text ---- */

/* The special tokens of tokenizer.json's frames by the names that BERT has for them. */
static int name_by_frame(struct ad_recipe *recipe) {
  const struct ad_frame *frame = &recipe->frame[0];
  const unsigned count = frame->before + frame->after;
  const char *first = count == 0 ? NULL : frame->token[0].content;
  const char *last = count == 0 ? NULL : frame->token[count - 1].content;
  AD_TRY(ad_recipe_rename(recipe, AD_SPECIAL_CLS, frame->before > 0 ? first : last));
  return ad_recipe_rename(recipe, AD_SPECIAL_SEP, frame->before > 0 ? last : first);
}

/* tokenizer.json's frames. Where that file does not rule, they must be the class's. */
static int read_frame(const struct ad_text_files *files, const struct ad_text_class *class, int ruled,
                      struct ad_recipe *recipe) {
  const json_t *processor = json_object_get(files->pipeline, "post_processor");
  char text[120];
  AD_TRY(ad_frame_read(recipe, files->pipeline_path, processor));
  if (ruled && !class->alone) {
    return name_by_frame(recipe);
  }
  if (processor == NULL || json_is_null(processor) || (!ruled && ad_recipe_is_framed(recipe, class->between))) {
    return AD_OK; /* the class has its own */
  }
  if (!ruled || recipe->frame[0].before + recipe->frame[0].after == 0) {
    return ad_fail(AD_EINPUT,
                   "%s: \"post_processor\" is %s, expected one that puts [CLS] before a text and [SEP] behind each",
                   files->pipeline_path, ad_json_show(processor, text, sizeof text));
  }
  return name_by_frame(recipe);
}

/* Whether the components are those of BERT, which this kind does by itself. */
static int is_bert(const json_t *normalizer, const json_t *splitter) {
  return strcmp(ad_component_type(normalizer), "BertNormalizer") == 0 &&
         strcmp(ad_component_type(splitter), "BertPreTokenizer") == 0 &&
         !json_is_false(json_object_get(normalizer, "clean_text"));
}

int ad_text_read_pipeline(const struct ad_text_files *files, const struct ad_text_class *class, int ruled,
                          struct ad_recipe *recipe) {
  const char *path = files->pipeline_path;
  const json_t *model = json_object_get(files->pipeline, "model");
  const json_t *normalizer = json_object_get(files->pipeline, "normalizer");
  const json_t *splitter = json_object_get(files->pipeline, "pre_tokenizer");
  const int other = json_is_object(model) && ruled && !class->alone && !is_bert(normalizer, splitter);
  if (!other && (!json_is_object(model) || !json_is_object(normalizer) || !json_is_object(splitter))) {
    return ad_fail(AD_EINPUT, "%s: expected the objects \"model\" with \"vocab\", \"normalizer\" and \"pre_tokenizer\"",
                   path);
  }
  AD_TRY(read_model(files, ruled, model, recipe));
  if (!json_is_object(json_object_get(model, "vocab"))) {
    return ad_fail(AD_EINPUT, "%s: \"model\" has no \"vocab\", expected an object of tokens and their numbers", path);
  }
  if (other) {
    AD_TRY(ad_pipeline_read(recipe, path, files->pipeline, 0));
    return name_by_frame(recipe);
  }
  AD_TRY(read_normalizer(files, class, ruled, normalizer, recipe));
  AD_TRY(expect_string(path, splitter, "type", "BertPreTokenizer"));
  ad_text_warn_keys(files, path, "pre_tokenizer: ", splitter, " type ");
  /* Truncation and padding are those of a call in transformers, whatever stands here. */
  ad_text_warn_keys(files, path, "", files->pipeline,
                    " version truncation padding added_tokens normalizer pre_tokenizer post_processor decoder model ");
  return read_frame(files, class, ruled, recipe);
}
