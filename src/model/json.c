/* JSON files in and out. */
#include "autodidact/base/file.h"
#include "autodidact/base/status.h"
#include "folder.h"

int ad_folder_read_json(const char *path, json_t **value) {
  *value = NULL;
  struct ad_file_map map;
  AD_TRY(ad_file_map(path, &map));
  json_error_t error;
  *value = json_loadb(map.data == NULL ? "" : map.data, map.size, JSON_REJECT_DUPLICATES, &error);
  ad_file_unmap(&map);
  if (*value == NULL && ad_json_out_of_memory(&error)) {
    return ad_fail_memory(map.size, "a JSON file");
  }
  if (*value == NULL) {
    return ad_fail(AD_EINPUT, "%s:%d: %s", path, error.line, error.text);
  }
  if (!json_is_object(*value)) {
    json_decref(*value);
    *value = NULL;
    return ad_fail(AD_EINPUT, "%s:1: expected a JSON object", path);
  }
  return AD_OK;
}

struct printer {
  struct ad_buffer *out;
  int status;
};

static int append_text(const char *text, size_t size, void *context) {
  struct printer *printer = context;
  if (printer->status == AD_OK) {
    printer->status = ad_buffer_append(printer->out, text, size);
  }
  return printer->status == AD_OK ? 0 : -1;
}

int ad_folder_print_json(const json_t *value, size_t flags, struct ad_buffer *out) {
  /* The status is kept aside: jansson 2.14 goes on, and reports success, when a key could not be appended. */
  struct printer printer = {.out = out};
  const int failed = json_dump_callback(value, append_text, &printer, flags) != 0;
  AD_TRY(printer.status);
  return failed ? ad_fail_memory(4096, "the text of a JSON file") : AD_OK;
}
