/* Tables of facts, which are named and have a text each. */
#include <stdio.h>
#include <time.h>

#include "autodidact/base/build.h"
#include "report_internal.h"

struct fact_row {
  const char *what, *value;
};

void ad__facts(struct document *document, const char *id, const char *title) {
  static const struct document_column columns[] = {COLUMN("what", "what", UNIT_NONE, fact_row, what),
                                                   COLUMN("value", "value", UNIT_NONE, fact_row, value)};
  ad__document_table(document, id, title, COLUMNS(columns));
}

void ad__fact(struct document *document, const char *what, const char *value) {
  ad__document_row(document, (&(const struct fact_row){what, value}));
}

void ad__fact_program(struct document *document) {
  char value[600];
  snprintf(value, sizeof value, "autodidact %s, commit %s", ad_build_version(), ad_build_commit());
  ad__fact(document, "report made by", value);
  ad__fact(document, "to cite", ad_build_citation());
}

const char *ad__say_time(double seconds, char text[40]) {
  const time_t at = (time_t)seconds;
  struct tm parts;
  if (!(seconds > 0.0) || gmtime_r(&at, &parts) == NULL || strftime(text, 40, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
    snprintf(text, 40, "not known");
  }
  return text;
}
