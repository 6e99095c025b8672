/* autodidact inspect: configurations, and files that are one JSON object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/config.h"
#include "autodidact/base/json.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "inspect.h"

/* --- config.yaml: lines of the resolved text that are not those of the defaults --- */

static int print_changed(const char *path, const char *text, const char *defaults) {
  printf("%s: what differs from the defaults\n", ad_shown(path));
  char section[64] = "";
  while (*text != '\0' && *defaults != '\0') {
    const size_t length = strcspn(text, "\n"), other = strcspn(defaults, "\n");
    if (text[0] != ' ') {
      snprintf(section, sizeof section, "%.*s", (int)strcspn(text, ":"), text);
    }
    if (length != other || strncmp(text, defaults, length) != 0) {
      const size_t indent = strspn(text, " ");
      char line[1000];
      ad_escape(text + indent, length - indent, line, sizeof line);
      printf("  %s.%s\n", section, line);
    }
    text += length + (text[length] == '\n');
    defaults += other + (defaults[other] == '\n');
  }
  return AD_OK;
}

int inspect_configuration(const char *path) {
  struct ad_config config, initial;
  struct ad_buffer text = {0}, defaults = {0};
  AD_TRY(ad_config_create(&config));
  int status = ad_config_create(&initial);
  if (status == AD_OK) {
    status = ad_config_read(&config, path);
    status = status == AD_OK ? ad_config_print(&config, &text) : status;
    status = status == AD_OK ? ad_config_print(&initial, &defaults) : status;
    status = status == AD_OK ? print_changed(path, text.data, defaults.data) : status;
    ad_config_destroy(&initial);
  }
  ad_buffer_destroy(&text);
  ad_buffer_destroy(&defaults);
  ad_config_destroy(&config);
  return status;
}

/* --- JSON --- */

/* Names with dots, one a line. */
static void print_json(const char *prefix, const json_t *value) {
  const char *name;
  json_t *item;
  if (!json_is_object(value) || ad_json_raw(value) != NULL) {
    char *text = ad_json_raw(value) != NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    printf("  %-28s %s\n", ad_shown(prefix), ad_shown(text != NULL ? text : ad_json_raw(value)));
    free(text);
    return;
  }
  json_object_foreach((json_t *)(uintptr_t)value, name, item) {
    char path[256];
    snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", name);
    print_json(path, item);
  }
}

int inspect_json(const char *path) {
  json_t *value;
  AD_TRY(ad_json_read(&value, path));
  printf("%s\n", ad_shown(path));
  print_json("", value);
  json_decref(value);
  return AD_OK;
}
