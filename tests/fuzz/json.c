/* Any bytes as JSON: what is taken prints to a text that reads as the same, and each value can be shown. */
#include "fuzz.h"

#include "autodidact/base/json.h"

static void show(const json_t *object) {
  char text[24];
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    demand(strlen(ad_json_show(value, text, sizeof text)) < sizeof text);
    demand(ad_json_raw(value) == NULL || (!json_is_number(value) && !json_is_string(value)));
  }
}

void fuzz_input(const uint8_t *data, size_t size) {
  json_t *first, *second;
  struct ad_buffer text = {0};
  if (!fuzz_accepted(ad_json_read(&first, fuzz_put("a.json", data, size)))) {
    demand(first == NULL);
    return;
  }
  show(first);
  demand(ad_json_print(first, JSON_COMPACT, &text) == AD_OK);
  demand(ad_json_parse(&second, "printed", 1, text.data, text.size) == AD_OK);
  demand(json_equal(first, second));
  json_decref(first);
  json_decref(second);
  ad_buffer_destroy(&text);
}
