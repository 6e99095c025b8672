/* tokenizer_config.json and its like: class, options, names of special tokens; and which keys have no effect on ids. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "wordpiece.h"

/* What transformers 5 makes of each name, tried with a vocab.txt, a tokenizer.json and both. */
static const struct ad_text_class classes[] = {
    {"BertTokenizer", 0, 1, 1, 1},
    {"DistilBertTokenizer", 0, 1, 1, 1},
    {"ElectraTokenizer", 0, 1, 1, 1},
    {"MobileBertTokenizer", 0, 1, 1, 1},
    {"SqueezeBertTokenizer", 0, 1, 1, 1},
    {"LayoutLMTokenizer", 0, 1, 1, 1},
    {"LxmertTokenizer", 0, 1, 1, 1},
    {"DPRQuestionEncoderTokenizer", 0, 1, 1, 1},
    {"DPRContextEncoderTokenizer", 0, 1, 1, 1},
    {"DPRReaderTokenizer", 0, 1, 1, 1},
    {"ConvBertTokenizer", 1, 1, 1, 1},
    {"RetriBertTokenizer", 1, 1, 0, 1},
    {"RealmTokenizer", 1, 1, 0, 1},
    {"NezhaTokenizer", 1, 1, 0, 1},
    {"ErnieTokenizer", 1, 1, 0, 1},
    {"MegatronBertTokenizer", 1, 1, 0, 1},
    {"QDQBertTokenizer", 1, 1, 0, 1},
    {"VisualBertTokenizer", 1, 1, 0, 1},
    {"MPNetTokenizer", 0, 1, 1, 2},
    {"PreTrainedTokenizer", 1, 0, 0, 1},
    {"TokenizersBackend", 1, 0, 0, 1},
};

/* Keys of tokenizer_config.json that this tokenizer can only follow with this value, null or nothing. */
static const struct {
  const char *key, *value;
} fixed[] = {
    {"do_basic_tokenize", "true"},
    {"do_word_tokenize", "true"},
    {"do_subword_tokenize", "true"},
    {"clean_text", "true"},
    {"split_special_tokens", "false"},
    {"word_tokenizer_type", "\"basic\""},
    {"subword_tokenizer_type", "\"wordpiece\""},
    {"wordpieces_prefix", "\"##\""},
    {"never_split", "[]"},
    {"mecab_kwargs", "{}"},
    {"sudachi_kwargs", "{}"},
    {"jumanpp_kwargs", "{}"},
    {"auto_map", "{}"},
    {"fast_tokenizer_files", "[]"},
};

/* Keys of it that are read elsewhere, or have no effect on the ids of a text. */
static const char known[] =
    " tokenizer_class do_lower_case strip_accents tokenize_chinese_chars additional_special_tokens extra_special_tokens"
    " added_tokens_decoder model_max_length truncation_side"
    " max_len max_length stride truncation truncation_strategy padding padding_side pad_to_multiple_of "
    "pad_token_type_id"
    " clean_up_tokenization_spaces clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output "
    "model_input_names"
    " name_or_path special_tokens_map_file tokenizer_file vocab_file merges_file full_tokenizer_file init_inputs "
    "use_fast"
    " processor_class chat_template response_template response_schema chat_control_tokens backend files_loaded is_local"
    " local_files_only add_bos_token add_eos_token add_prefix_space verbose trust_remote_code _commit_hash"
    " transformers_version tokenizer_type ";

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Tokens by names of their own: "image_token" and so on. */
static int names_token(const char *key) {
  const size_t size = strlen(key);
  return size > strlen("_token") && strcmp(key + size - strlen("_token"), "_token") == 0;
}

/* ad_text_warn_keys for files whose keys may name tokens. */
static void warn_settings(const struct ad_text_files *files, const char *path, const json_t *object,
                          const char *listed) {
  json_t *others = json_object();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    int is_fixed = names_token(key);
    for (size_t i = 0; i < COUNT(fixed); i++) {
      is_fixed |= strcmp(key, fixed[i].key) == 0;
    }
    if (!is_fixed) {
      json_object_set(others, key, value);
    }
  }
  ad_text_warn_keys(files, path, "", others, listed);
  json_decref(others);
}

/* ---- The class ---- */

static const struct ad_text_class *find_class(const char *name) {
  for (size_t i = 0; i < COUNT(classes); i++) {
    const size_t size = strlen(classes[i].name);
    if (strncmp(name, classes[i].name, size) == 0 && (name[size] == '\0' || strcmp(name + size, "Fast") == 0)) {
      return &classes[i];
    }
  }
  return NULL;
}

/* The class whose name has this type of a model in it; NULL: there is none. */
static const struct ad_text_class *class_of_type(const char *type) {
  for (size_t i = 0; type != NULL && i < COUNT(classes); i++) {
    const size_t size = strlen(type);
    if (strncasecmp(classes[i].name, type, size) == 0 && strcmp(classes[i].name + size, "Tokenizer") == 0) {
      return &classes[i];
    }
  }
  return NULL;
}

/* Where no file names one: the class of the model's type; or where tokenizer.json stands alone, or the type is of
 * another tokenizer, the one that takes that file as it is. */
static const struct ad_text_class *class_by_default(const struct ad_text_files *files) {
  const char *type = json_string_value(json_object_get(files->model, "model_type"));
  const struct ad_text_class *class = class_of_type(type);
  const int ruled = files->pipeline != NULL && (files->config == NULL || type != NULL);
  return class != NULL ? class : ruled ? find_class("TokenizersBackend") : &classes[0];
}

/* The class that one file names; NULL: it names none. */
static int class_of(const char *path, const json_t *object, const struct ad_text_class **class) {
  const json_t *value = json_object_get(object, "tokenizer_class");
  char text[100];
  *class = NULL;
  if (value == NULL || json_is_null(value)) {
    return AD_OK;
  }
  *class = json_is_string(value) ? find_class(json_string_value(value)) : NULL;
  return *class != NULL
             ? AD_OK
             : ad_fail(AD_EINPUT,
                       "%s: \"tokenizer_class\" is %s, expected BertTokenizer or BertTokenizerFast, or the name "
                       "of a class that does the same: other ids than the model was trained with would come of it",
                       path, ad_json_show(value, text, sizeof text));
}

int ad_text_read_class(const struct ad_text_files *files, const struct ad_text_class **class, int *ruled) {
  const struct ad_text_class *other;
  AD_TRY(class_of(files->config_path, files->config, class));
  const int status = class_of(files->model_path, files->model, &other);
  if (status != AD_OK && *class == NULL) {
    return status;
  }
  if (status != AD_OK) { /* transformers looks at config.json only where tokenizer_config.json says nothing */
    ad_text_warn(files, "%s; taken is \"%s\" of %s", ad_error_message(), (*class)->name, files->config_path);
    ad_error_clear();
  }
  const char *path = *class == NULL ? files->model_path : files->config_path;
  *class = *class != NULL ? *class : other != NULL ? other : class_by_default(files);
  *ruled = (*class)->pipeline && files->pipeline != NULL;
  if (!(*class)->alone && files->pipeline == NULL) {
    return ad_fail(AD_EINPUT, "%s: \"tokenizer_class\" is \"%s\", which needs a tokenizer.json; there is none", path,
                   (*class)->name);
  }
  return AD_OK;
}

/* ---- Settings ---- */

static int check_fixed(const char *path, const json_t *config) {
  for (size_t i = 0; i < COUNT(fixed); i++) {
    const json_t *value = json_object_get(config, fixed[i].key);
    char text[100];
    const char *shown = ad_json_show(value, text, sizeof text);
    if (value != NULL && !json_is_null(value) && strcmp(shown, fixed[i].value) != 0) {
      return ad_fail(AD_EINPUT, "%s: \"%s\" is %s, expected %s", path, fixed[i].key, shown, fixed[i].value);
    }
  }
  return AD_OK;
}

int ad_text_read_settings(const struct ad_text_files *files, int ruled, struct ad_recipe *recipe) {
  const char *path = files->config_path;
  AD_TRY(check_fixed(path, files->config));
  warn_settings(files, path, files->config, known);
  warn_settings(files, files->map_path, files->map, " additional_special_tokens extra_special_tokens ");
  ad_text_read_limits(files, recipe);
  struct ad_tokenizer_options options = recipe->options;
  AD_TRY(ad_text_choice(path, files->config, "do_lower_case", &options.lower_case));
  AD_TRY(ad_text_choice(path, files->config, "strip_accents", &options.strip_accents));
  AD_TRY(ad_text_choice(path, files->config, "tokenize_chinese_chars", &options.split_cjk));
  recipe->options = ruled ? recipe->options : options;
  return AD_OK;
}
