#include "autodidact/base/choices.h"

#include <stdio.h>
#include <string.h>

int ad_choices_find(const char *choices, const char *value, size_t length) {
  int place = 0;
  for (const char *p = choices; *p != '\0'; place++) {
    const size_t width = strcspn(p, "|");
    if (width == length && strncmp(p, value, length) == 0) {
      return place;
    }
    p += width + (p[width] == '|');
  }
  return length == 4 && strncmp(value, "bf16", length) == 0 ? ad_choices_find(choices, "bfloat16", 8) : -1;
}

const char *ad_choices_text(const char *choices, char text[AD_CHOICES_TEXT]) {
  size_t used = 0;
  for (const char *p = choices; *p != '\0' && used < AD_CHOICES_TEXT;) {
    const size_t width = strcspn(p, "|");
    const char *rest = p[width] == '\0' ? "" : strchr(p + width + 1, '|') != NULL ? ", " : " or ";
    used += (size_t)snprintf(text + used, AD_CHOICES_TEXT - used, "%.*s%s", (int)width, p, rest);
    p += width + (p[width] == '|');
  }
  return text;
}

const char *ad_variant_name(enum ad_variant variant) {
  static const char *const names[] = {AD_SET_variant(AD_SET_NAME)};
  return names[variant];
}

enum ad_variant ad_variant_find(const char *name) {
  enum ad_variant v = 0;
  while (v < AD_VARIANTS && (name == NULL || strcmp(name, ad_variant_name(v)) != 0)) {
    v++;
  }
  return v;
}
