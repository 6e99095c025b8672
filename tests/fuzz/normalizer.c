/* Any bytes as a normalizer of a tokenizer.json, and as a text for it. */
#include "fuzz.h"

#include "autodidact/base/json.h"
#include "autodidact/base/utf8.h"
#include "text/normalizer.h"

/* The normalised text is UTF-8 behind what was there, and the same again. */
static void apply(struct ad_normalizer *normalizer, struct fuzz_part text) {
  struct ad_buffer once = {0}, again = {0};
  demand(ad_buffer_puts(&again, "x") == AD_OK);
  const char *data = (const char *)text.data;
  if (ad_utf8_valid(data, text.size) == text.size &&
      fuzz_accepted(ad_normalizer_apply(normalizer, data, text.size, &once))) {
    demand(ad_utf8_valid(once.data, once.size) == once.size);
    demand(ad_normalizer_apply(normalizer, data, text.size, &again) == AD_OK);
    demand(again.size == once.size + 1 && (once.size == 0 || memcmp(again.data + 1, once.data, once.size) == 0));
  }
  ad_buffer_destroy(&once);
  ad_buffer_destroy(&again);
}

void fuzz_input(const uint8_t *data, size_t size) {
  struct fuzz_part parts[2];
  struct ad_normalizer *normalizer;
  json_t *root;
  fuzz_cut(data, size, parts, 2);
  if (!fuzz_accepted(ad_json_parse(&root, "tokenizer.json", 1, (const char *)parts[0].data, parts[0].size))) {
    return;
  }
  if (fuzz_accepted(ad_normalizer_create(&normalizer, "tokenizer.json", root))) {
    apply(normalizer, parts[1]);
    ad_normalizer_destroy(normalizer);
  }
  json_decref(root);
}
