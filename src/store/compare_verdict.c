/* The first difference of two runs, in a sentence. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/shown.h"
#include "autodidact/store/compare.h"

enum { SHOWN = 300 }; /* characters of a text from a file */

/* The beginning of a text from a file, as people are shown it. */
static const char *text_or_absent(const char *text, char out[SHOWN + 1]) {
  if (text == NULL) {
    return "(not there)";
  }
  ad_escape(text, strlen(text), out, SHOWN + 1);
  return out;
}

static void tell_row(struct ad_run_verdict *v, const struct ad_log_comparison *log) {
  const uint64_t row = log->equal_rows + 1;
  char a[SHOWN + 1], b[SHOWN + 1];
  v->other_bits = 1;
  if (log->columns.count == 0) {
    snprintf(v->text, sizeof v->text, "first in row %" PRIu64 " of the log (%s): order or spaces of the columns", row,
             log->place[0]);
    return;
  }
  const struct ad_difference *first = &log->columns.items[0];
  snprintf(v->text, sizeof v->text, "first in row %" PRIu64 " of the log (%s): %.*s is %s in A, %s in B", row,
           log->place[0], 100, first->name, text_or_absent(first->text[0], a), text_or_absent(first->text[1], b));
}

void ad_verdict_log(struct ad_run_verdict *v, const struct ad_log_comparison *log, const char *const paths[2]) {
  if (log->verdict == AD_COMPARE_EQUAL) {
    return;
  }
  if (log->verdict == AD_COMPARE_DIFFERS) {
    tell_row(v, log);
    return;
  }
  if (log->rows[0] != log->rows[1]) {
    snprintf(v->text, sizeof v->text,
             "the log of A has %" PRIu64 " rows, that of B %" PRIu64 "; the first %" PRIu64 " are equal", log->rows[0],
             log->rows[1], log->equal_rows);
  }
  for (size_t i = 0; i < 2; i++) {
    if (log->cut[i] && v->text[0] == '\0') {
      snprintf(v->text, sizeof v->text, "%s:%" PRIu64 ": the last row of the log is cut short", paths[i],
               log->rows[i] + 1);
    }
  }
}

void ad_verdict_result(struct ad_run_verdict *v, const struct ad_result_comparison *r) {
  const char *difference = r->differing > 0 ? r->first : r->header ? "none, only the file's header" : NULL;
  v->other_bits |= difference != NULL;
  if (difference != NULL && v->text[0] == '\0') {
    snprintf(v->text, sizeof v->text, "the logs are equal, the results are not; first tensor that differs: %.*s", SHOWN,
             difference);
  }
}

void ad_verdict_no_result(struct ad_run_verdict *v, const char *who) {
  if (v->text[0] == '\0') {
    snprintf(v->text, sizeof v->text, "the logs are equal, but %s no result", who);
  }
}

void ad_verdict_step(struct ad_run_verdict *v, const char *what, const struct ad_step_comparison *s) {
  v->other_bits = 1;
  if (v->text[0] == '\0') {
    snprintf(v->text, sizeof v->text, "first in the %s of step %" PRIu64 ": %s %s", what, s->step, s->what, s->tensor);
  }
}
