/* What makes a tokenizer beside its vocabulary, and questions to one. */
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "kind.h"
#include "pipeline.h"

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
  *recipe = (struct ad_recipe){.options = {.lower_case = 1, .strip_accents = -1, .split_cjk = 1}};
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    recipe->special[i] = ad_strdup(ad_special_names[i]);
    if (recipe->special[i] == NULL) {
      return ad_fail_memory(strlen(ad_special_names[i]) + 1, "the name of a token");
    }
  }
  return AD_OK;
}

static unsigned frame_tokens(const struct ad_frame *frame) {
  return frame->before + frame->between + frame->after;
}

void ad_recipe_destroy(struct ad_recipe *recipe) {
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    ad_free(recipe->special[i]);
  }
  for (unsigned i = 0; i < 2 * AD_FRAME_MOST; i++) {
    ad_free(recipe->frame[i / AD_FRAME_MOST].token[i % AD_FRAME_MOST].content);
  }
  for (size_t i = 0; i < recipe->kept_count; i++) {
    ad_buffer_destroy(&recipe->kept[i].text);
  }
  ad_pipeline_destroy(recipe->pipeline);
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

int ad_recipe_rename(struct ad_recipe *recipe, enum ad_special place, const char *name) {
  char *copy = name == NULL ? NULL : ad_strdup(name);
  if (name != NULL && copy == NULL) {
    return ad_fail_memory(strlen(name) + 1, "the name of a token");
  }
  ad_free(recipe->special[place]);
  recipe->special[place] = copy;
  return AD_OK;
}

int ad_recipe_keep(struct ad_recipe *recipe, const char *path, const char *name) {
  struct ad_kept_file *file = &recipe->kept[recipe->kept_count];
  *file = (struct ad_kept_file){.name = name};
  recipe->kept_names[recipe->kept_count++] = name;
  return ad_file_read(path, &file->text);
}

/* ---- Frames ---- */

int ad_frame_put(struct ad_frame *frame, unsigned *part, const char *content, int64_t id) {
  const unsigned count = frame_tokens(frame);
  if (count == AD_FRAME_MOST) {
    return ad_fail(AD_EINPUT, "more than %d special tokens around texts", AD_FRAME_MOST);
  }
  char *copy = ad_strdup(content);
  if (copy == NULL) {
    return ad_fail_memory(strlen(content) + 1, "the name of a token");
  }
  frame->token[count] = (struct ad_frame_token){.content = copy, .id = id};
  ++*part;
  return AD_OK;
}

int ad_recipe_frame(struct ad_recipe *recipe, const char *cls, const char *sep, unsigned between) {
  for (unsigned pair = 0; pair < 2; pair++) {
    struct ad_frame *frame = &recipe->frame[pair];
    AD_TRY(ad_frame_put(frame, &frame->before, cls, -1));
    for (unsigned i = 0; i < pair * between; i++) {
      AD_TRY(ad_frame_put(frame, &frame->between, sep, -1));
    }
    AD_TRY(ad_frame_put(frame, &frame->after, sep, -1));
    frame->first = frame->between;
    frame->one_type = pair * between > 1;
  }
  return AD_OK;
}

int ad_recipe_is_framed(const struct ad_recipe *recipe, unsigned between) {
  const char *cls = recipe->special[AD_SPECIAL_CLS], *sep = recipe->special[AD_SPECIAL_SEP];
  int same = cls != NULL && sep != NULL;
  for (unsigned pair = 0; pair < 2; pair++) {
    const struct ad_frame *frame = &recipe->frame[pair];
    same &= frame->before == 1 && frame->between == pair * between && frame->after == 1;
    same &= frame->first == frame->between;
    for (unsigned i = 0; same && i < 2 + pair * between; i++) {
      same = strcmp(frame->token[i].content, i == 0 ? cls : sep) == 0;
    }
  }
  return same;
}

uint64_t ad_frames_digest(const struct ad_tokenizer *tokenizer, uint64_t digest) {
  for (unsigned pair = 0; pair < 2; pair++) {
    const struct ad_frame *frame = &tokenizer->recipe.frame[pair];
    const unsigned parts[] = {frame->before, frame->between, frame->after, frame->first};
    digest = ad_digest_pair(digest, ad_digest(parts, sizeof parts));
    digest = frame->one_type ? ad_digest_pair(digest, 1) : digest;
    for (unsigned i = 0; i < frame_tokens(frame); i++) {
      digest = ad_digest_pair(digest, (uint64_t)frame->token[i].id);
    }
  }
  return digest;
}

/* ---- Questions ---- */

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

int ad_tokenizer_cls_last(const struct ad_tokenizer *tokenizer) {
  return tokenizer->recipe.frame[0].before == 0;
}

int ad_tokenizer_one_type(const struct ad_tokenizer *tokenizer) {
  return tokenizer->recipe.frame[1].one_type;
}

size_t ad_tokenizer_longest(const struct ad_tokenizer *tokenizer) {
  return tokenizer->recipe.longest;
}

uint32_t ad_tokenizer_pad(const struct ad_tokenizer *tokenizer) {
  return tokenizer->special[AD_SPECIAL_PAD];
}

uint32_t ad_tokenizer_unknown(const struct ad_tokenizer *tokenizer) {
  return tokenizer->special[AD_SPECIAL_UNK];
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

size_t ad_tokenizer_specials(const struct ad_tokenizer *tokenizer) {
  return frame_tokens(&tokenizer->recipe.frame[0]);
}

size_t ad_tokenizer_specials_before(const struct ad_tokenizer *tokenizer) {
  return tokenizer->recipe.frame[0].before;
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
  const int kept = tokenizer->recipe.kept_count > 0;
  *count = kept ? tokenizer->recipe.kept_count : tokenizer->kind->file_count;
  return kept ? tokenizer->recipe.kept_names : tokenizer->kind->files;
}

int ad_tokenizer_print(const struct ad_tokenizer *tokenizer, const char *file, size_t longest, int types,
                       struct ad_buffer *out) {
  const struct ad_recipe *recipe = &tokenizer->recipe;
  for (size_t i = 0; i < recipe->kept_count; i++) {
    if (strcmp(file, recipe->kept[i].name) == 0) {
      return ad_buffer_append(out, recipe->kept[i].text.data, recipe->kept[i].text.size);
    }
  }
  return tokenizer->kind->print == NULL ? ad_fail(AD_EINTERNAL, "%s: no file of this tokenizer", file)
                                        : tokenizer->kind->print(tokenizer, file, longest, types, out);
}
