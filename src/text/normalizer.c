#include "normalizer.h"

#include "autodidact/base/status.h"

int ad_normalizer_create(struct ad_normalizer **out, const char *path, const json_t *component) {
  char text[120];
  *out = NULL;
  return component == NULL || json_is_null(component) ? AD_OK
                                                      : ad_fail(AD_EINPUT, "%s: \"normalizer\" is %s, expected null",
                                                                path, ad_json_show(component, text, sizeof text));
}

int ad_normalizer_apply(struct ad_normalizer *n, const char *text, size_t size, struct ad_buffer *out) {
  (void)n;
  return ad_buffer_append(out, text, size);
}

void ad_normalizer_destroy(struct ad_normalizer *n) {
  (void)n;
}
