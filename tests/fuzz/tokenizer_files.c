/* Any bytes as the files of a tokenizer, and as a text for it. */
#include "fuzz.h"

#include "autodidact/text/tokenizer.h"

static const char *const names[] = {"tokenizer.json",
                                    "tokenizer_config.json",
                                    "special_tokens_map.json",
                                    "added_tokens.json",
                                    "vocab.txt",
                                    "vocab.json",
                                    "merges.txt"};
enum { FILES = sizeof names / sizeof *names };

/* The tokenizer that its own files would give gives the same ids. */
static void load_again(struct ad_tokenizer *tokenizer, struct fuzz_part text, const struct ad_encoding *expected) {
  struct ad_tokenizer *again;
  struct ad_encoding encoding = {0};
  size_t count;
  const char *const *files = ad_tokenizer_files(tokenizer, &count);
  for (size_t i = 0; i < FILES; i++) {
    fuzz_drop(names[i]);
  }
  for (size_t i = 0; i < count; i++) {
    struct ad_buffer content = {0};
    demand(ad_tokenizer_print(tokenizer, files[i], 512, 1, &content) == AD_OK);
    fuzz_put(files[i], content.data, content.size);
    ad_buffer_destroy(&content);
  }
  demand(ad_tokenizer_load(&again, fuzz_folder()) == AD_OK);
  demand(ad_tokenizer_encode(again, (const char *)text.data, text.size, NULL, 0, 0, AD_TRUNCATE_HEAD, &encoding) ==
         AD_OK);
  demand(encoding.count == expected->count);
  demand(encoding.count == 0 || memcmp(encoding.ids, expected->ids, encoding.count * sizeof *encoding.ids) == 0);
  ad_tokenizer_destroy(again);
  ad_encoding_destroy(&encoding);
}

void fuzz_input(const uint8_t *data, size_t size) {
  struct fuzz_part parts[FILES + 1];
  struct ad_tokenizer *tokenizer;
  struct ad_encoding encoding = {0};
  fuzz_cut(data, size, parts, FILES + 1);
  for (size_t i = 0; i < FILES; i++) {
    fuzz_put_part(names[i], parts[i]);
  }
  if (!fuzz_accepted(ad_tokenizer_load(&tokenizer, fuzz_folder()))) {
    return;
  }
  const struct fuzz_part text = parts[FILES];
  if (fuzz_accepted(ad_tokenizer_encode(tokenizer, (const char *)text.data, text.size, NULL, 0, 0, AD_TRUNCATE_HEAD,
                                        &encoding))) {
    for (size_t i = 0; i < encoding.count; i++) {
      demand(ad_tokenizer_token(tokenizer, encoding.ids[i]) != NULL);
    }
    load_again(tokenizer, text, &encoding);
  }
  ad_encoding_destroy(&encoding);
  ad_tokenizer_destroy(tokenizer);
}
