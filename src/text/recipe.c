/* What makes a tokenizer beside its vocabulary, and questions to one. */
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "kind.h"

const char *const ad_special_keys[AD_SPECIAL_COUNT] = {
#define AD_SPECIAL_KEY(field, key, name) [field] = key,
    AD_SPECIAL_MAP(AD_SPECIAL_KEY)
#undef AD_SPECIAL_KEY
};

const char *const ad_special_names[AD_SPECIAL_COUNT] = {
#define AD_SPECIAL_NAME(field, key, name) [field] = name,
    AD_SPECIAL_MAP(AD_SPECIAL_NAME)
#undef AD_SPECIAL_NAME
};

int ad_recipe_create(struct ad_recipe *recipe) {
  *recipe = (struct ad_recipe){.options = {.lower_case = 1, .strip_accents = -1, .split_cjk = 1},
                               .frame = {{1, 0, 1, {AD_SPECIAL_CLS, AD_SPECIAL_SEP}},
                                         {1, 1, 1, {AD_SPECIAL_CLS, AD_SPECIAL_SEP, AD_SPECIAL_SEP}}}};
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    recipe->special[i] = ad_strdup(ad_special_names[i]);
    if (recipe->special[i] == NULL) {
      return ad_fail_memory(strlen(ad_special_names[i]) + 1, "the name of a token");
    }
  }
  return AD_OK;
}

void ad_recipe_destroy(struct ad_recipe *recipe) {
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    ad_free(recipe->special[i]);
  }
  ad_added_destroy(&recipe->added);
  *recipe = (struct ad_recipe){0};
}

int ad_recipe_add_special(struct ad_recipe *recipe) {
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    const struct ad_added_token token = {.content = recipe->special[i], .id = -1, .implied = 1, .special = 1};
    if (token.content != NULL && ad_added_find(&recipe->added, token.content) == NULL) {
      AD_TRY(ad_added_put(&recipe->added, &token));
    }
  }
  return AD_OK;
}

size_t ad_tokenizer_vocab(const struct ad_tokenizer *tokenizer) {
  return tokenizer->total;
}

const char *ad_tokenizer_text(const struct ad_tokenizer *tokenizer, size_t *size) {
  *size = tokenizer->text_size;
  return tokenizer->text;
}

int ad_tokenizer_cased(const struct ad_tokenizer *tokenizer) {
  return !tokenizer->recipe.options.lower_case;
}

struct ad_tokenizer_options ad_tokenizer_options(const struct ad_tokenizer *tokenizer) {
  return tokenizer->recipe.options;
}

size_t ad_tokenizer_longest(const struct ad_tokenizer *tokenizer) {
  return tokenizer->recipe.longest;
}

uint32_t ad_tokenizer_pad(const struct ad_tokenizer *tokenizer) {
  return tokenizer->special[AD_SPECIAL_PAD];
}

const char *ad_tokenizer_token(const struct ad_tokenizer *tokenizer, uint32_t id) {
  if (id < tokenizer->count) {
    return tokenizer->tokens[id];
  }
  const struct ad_added *added = &tokenizer->recipe.added;
  for (size_t i = 0; i < added->count; i++) {
    if (added->items[i].id == (int64_t)id) {
      return added->items[i].content;
    }
  }
  return NULL;
}

/* The digest of the added tokens, in whose order they stand. */
static uint64_t added_digest(const struct ad_added *added, uint64_t digest) {
  for (size_t i = 0; i < added->count; i++) {
    const struct ad_added_token *token = &added->items[i];
    const int64_t numbers[] = {
#define AD_ADDED_VALUE(flag) token->flag,
        AD_ADDED_FLAGS(AD_ADDED_VALUE)
#undef AD_ADDED_VALUE
            token->id};
    digest = ad_digest_pair(
        digest, ad_digest_keyed(ad_digest(numbers, sizeof numbers), token->content, strlen(token->content)));
  }
  return digest;
}

uint64_t ad_tokenizer_digest(const struct ad_tokenizer *tokenizer) {
  const char *rules = ad_char_rules();
  const uint64_t vocabulary = ad_digest(tokenizer->text, tokenizer->text_size);
  uint64_t digest = ad_digest_keyed(vocabulary, rules, strlen(rules));
  digest = ad_digest_pair(digest, ad_digest(tokenizer->special, sizeof tokenizer->special));
  digest = added_digest(&tokenizer->recipe.added, digest);
  return tokenizer->kind->digest == NULL ? digest : tokenizer->kind->digest(tokenizer, digest);
}

/* The JSON of an added token as Hugging Face writes it; NULL when out of memory. */
static json_t *added_json(const struct ad_added_token *token) {
  json_t *object = json_pack("{s:s}", "content", token->content);
  int failed = object == NULL;
#define AD_ADDED_PRINT(flag) failed |= json_object_set_new(object, #flag, json_boolean(token->flag)) != 0;
  AD_ADDED_FLAGS(AD_ADDED_PRINT)
#undef AD_ADDED_PRINT
  if (failed) {
    json_decref(object);
    return NULL;
  }
  return object;
}

static int is_named(const struct ad_recipe *recipe, const char *content) {
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    if (recipe->special[i] != NULL && strcmp(recipe->special[i], content) == 0) {
      return 1;
    }
  }
  return 0;
}

int ad_recipe_write_added(const struct ad_tokenizer *tokenizer, json_t *root) {
  const struct ad_recipe *recipe = &tokenizer->recipe;
  json_t *decoder = json_object(), *list = json_array();
  int failed = decoder == NULL || list == NULL;
  for (size_t i = 0; !failed && i < recipe->added.count; i++) {
    const struct ad_added_token *token = &recipe->added.items[i];
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)token->id);
    if (token->id >= 0) {
      failed |= json_object_set_new(decoder, number, added_json(token));
      failed |= token->special && !is_named(recipe, token->content) &&
                json_array_append_new(list, json_string(token->content)) != 0;
    }
  }
  const int extra = json_array_size(list) > 0;
  failed |= json_object_set_new(root, "added_tokens_decoder", decoder) != 0;
  failed |= extra && json_object_set(root, "additional_special_tokens", list) != 0;
  json_decref(list);
  return failed;
}

int ad_recipe_write_names(const struct ad_tokenizer *tokenizer, json_t *root) {
  int failed = 0;
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    json_t *name = tokenizer->special[i] == AD_TRIE_NONE ? json_null() : json_string(tokenizer->recipe.special[i]);
    failed |= json_object_set_new(root, ad_special_keys[i], name) != 0;
  }
  return failed;
}

const char *const *ad_tokenizer_files(const struct ad_tokenizer *tokenizer, size_t *count) {
  *count = tokenizer->kind->file_count;
  return tokenizer->kind->files;
}

int ad_tokenizer_print(const struct ad_tokenizer *tokenizer, const char *file, size_t longest, struct ad_buffer *out) {
  return tokenizer->kind->print(tokenizer, file, longest, out);
}
