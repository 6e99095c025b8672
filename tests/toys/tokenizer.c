/* X(toy, "Toy", "toy.txt") */
/* A tokenizer in one file and the line above, which the build adds to autodidact/text/tokenizer_kinds.h for
 * unit.tokenizer_kind. Nothing else is touched. Each byte is a token; what stands around texts is as RoBERTa has it. */
#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "text/kind.h"

static int load(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  static const char *const names[AD_SPECIAL_COUNT] = {"<unk>", "</s>", "<pad>", "<s>"};
  AD_TRY(ad_recipe_create(recipe));
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    ad_free(recipe->special[i]);
    recipe->special[i] = names[i] == NULL ? NULL : ad_strdup(names[i]);
  }
  AD_TRY(ad_recipe_add_special(recipe));
  AD_TRY(ad_recipe_frame(recipe, names[AD_SPECIAL_CLS], names[AD_SPECIAL_SEP], 2));
  return ad_tokenizer_make(tokenizer, &ad_tokenizer_toy, files->vocabulary_path, files->vocabulary.data,
                           files->vocabulary.size, recipe);
}

static int create(struct ad_tokenizer *tokenizer) {
  tokenizer->own = ad_calloc(1, sizeof(int));
  return tokenizer->own == NULL ? ad_fail_memory(sizeof(int), "a toy") : AD_OK;
}

static void destroy(struct ad_tokenizer *tokenizer) {
  ad_free(tokenizer->own);
}

static int normalize(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_buffer *out) {
  (void)tokenizer;
  return ad_buffer_append(out, text, size);
}

static int encode(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding) {
  for (size_t i = 0; i < size; i++) {
    const uint32_t node = ad_trie_find(&tokenizer->trie, (const char[]){text[i], '\0'});
    const uint32_t id = node == AD_TRIE_NONE ? AD_TRIE_NONE : tokenizer->trie.node[node].value;
    AD_TRY(ad_encoding_push(encoding, id == AD_TRIE_NONE ? tokenizer->special[AD_SPECIAL_UNK] : id));
  }
  return AD_OK;
}

static uint64_t digest(const struct ad_tokenizer *tokenizer, uint64_t known) {
  (void)tokenizer;
  return ad_digest_pair(known, 1);
}

static int print(const struct ad_tokenizer *tokenizer, const char *file, size_t longest, int types,
                 struct ad_buffer *out) {
  (void)types;
  (void)file;
  (void)longest;
  return ad_buffer_append(out, tokenizer->text, tokenizer->text_size);
}

static const char *const files[] = {"toy.txt"};

const struct ad_tokenizer_kind ad_tokenizer_toy = {.load = load,
                                                   .create = create,
                                                   .destroy = destroy,
                                                   .normalize = normalize,
                                                   .encode = encode,
                                                   .digest = digest,
                                                   .print = print,
                                                   .files = files,
                                                   .file_count = 1};
