/* The table of runs as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/json.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "runs.h"

enum { NAME_MOST = 4096 }; /* bytes of a folder's name that is no UTF-8, escaped */

/* What the text of an entry is in JSON. */
static json_t *value_of(const struct runs_column *c, const char *text) {
  const enum ad_config_values values = c->kind == RUNS_KEY ? ad_config_values(c->key) : AD_VALUES_TEXT;
  if (text[0] == '\0' && (c->kind != RUNS_KEY || values != AD_VALUES_TEXT)) {
    return json_null();
  }
  if (c->kind == RUNS_SECONDS || c->kind == RUNS_SCORE || values == AD_VALUES_REAL) {
    return json_real(strtod(text, NULL));
  }
  if (c->kind == RUNS_STEP || c->kind == RUNS_STEPS || c->kind == RUNS_KEPT || values == AD_VALUES_COUNT) {
    return json_integer(strtoll(text, NULL, 10));
  }
  return values == AD_VALUES_SWITCH ? json_boolean(strcmp(text, "true") == 0) : json_string(text);
}

static int pack_run(const struct runs_table *t, const struct ad_run_entry *run, json_t *list) {
  json_t *object = json_object();
  struct ad_buffer entry = {0};
  int status = json_array_append_new(list, object) == 0 ? AD_OK : ad_fail_memory(64, "the table as JSON");
  for (size_t c = 0; status == AD_OK && c < t->count; c++) {
    ad_buffer_clear(&entry);
    status = ad_buffer_puts(&entry, "");
    status = status == AD_OK ? runs_entry(t, run, c, 0, &entry) : status;
    if (status == AD_OK) {
      json_t *value = value_of(&t->columns[c], entry.data);
      char shown[NAME_MOST];
      /* A folder's name may be no UTF-8. */
      value = value != NULL ? value : (ad_escape(entry.data, entry.size, shown, sizeof shown), json_string(shown));
      status =
          json_object_set_new(object, t->columns[c].name, value) == 0 ? AD_OK : ad_fail_memory(64, "the table as JSON");
    }
  }
  ad_buffer_destroy(&entry);
  return status;
}

int runs_print_json(const struct runs_table *t) {
  json_t *list = json_array(), *foreign = json_array();
  struct ad_buffer text = {0};
  int status = list == NULL || foreign == NULL ? ad_fail_memory(64, "the table as JSON") : AD_OK;
  for (size_t row = 0; status == AD_OK && row < t->list->count; row++) {
    status = pack_run(t, &t->list->runs[t->order[row]], list);
  }
  for (size_t i = 0; status == AD_OK && i < t->list->foreign_count; i++) {
    const struct ad_run_foreign *f = &t->list->foreign[i];
    json_t *entry = json_pack("{s:s, s:s}", "folder", ad_shown(f->folder), "message", ad_shown(f->message));
    status = json_array_append_new(foreign, entry) == 0 ? AD_OK : ad_fail_memory(64, "the table as JSON");
  }
  json_t *whole = json_pack("{s:o, s:o}", "runs", list, "no_runs", foreign);
  if (status == AD_OK) {
    status = whole == NULL ? ad_fail_memory(64, "the table as JSON")
                           : ad_json_print(whole, JSON_INDENT(1) | JSON_REAL_PRECISION(17), &text);
  }
  json_decref(whole);
  if (status == AD_OK) {
    puts(text.data);
  }
  ad_buffer_destroy(&text);
  return status;
}
