/* The section on where the report comes from. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "report_internal.h"

enum { DIGEST = 16 /* digits */, INPUTS = 4 };

/* The path of a file, and the digest of its bytes where it can be read. */
static void add_file(struct report *r, const char *what, const char *path) {
  char value[1200], digits[17];
  uint64_t digest;
  if (path == NULL) {
    r->doc->status = ad_fail_memory(4096, "a path");
    return;
  }
  const int known = ad_is_file(path) && ad_digest_file(path, &digest) == AD_OK;
  snprintf(value, sizeof value, "%s, %s %s", path, known ? "XXH3" : "digest",
           known ? ad_digest_text(digest, digits) : "not known");
  ad__fact(r->doc, what, value);
}

static void add_times(struct report *r) {
  double first = 0.0, last = 0.0, work = 0.0;
  char value[300], text[40], other[40];
  for (size_t i = 0; i < r->study->count; i++) {
    const struct ad_cell_record *record = &r->cells->records[i];
    if (record->state == AD_CELL_DONE) {
      first = first == 0.0 || record->at < first ? record->at : first;
      last = record->at > last ? record->at : last;
      work += record->seconds * record->ranks;
    }
  }
  snprintf(value, sizeof value, "the first %s, the last %s", ad__say_time(first, text), ad__say_time(last, other));
  ad__fact(r->doc, "runs finished", value);
  snprintf(value, sizeof value, "%.4g s, all runs and ranks together", work);
  ad__fact(r->doc, "work", value);
}

static void fact_table(struct report *r) {
  const struct ad_study_analysis *analysis = &r->study->analysis;
  char *plan = ad_path_join(r->study->dir, "plan.json"), digits[17];
  ad__facts(r->doc, "provenance", "Where this comes from");
  add_file(r, "study file", r->study->path);
  add_file(r, "plan", plan);
  ad_free(plan);
  ad__fact(r->doc, "registered analysis",
           analysis->registered ? ad_digest_text(ad_study_analysis_digest(analysis->planned), digits) : "none");
  add_times(r);
  ad__fact_program(r->doc);
}

struct program_row {
  const char *commit, *arithmetic, *first, *last;
  size_t runs;
};

static int same_program(const struct ad_cell_record *a, const struct ad_cell_record *b) {
  return b->state == AD_CELL_DONE && strcmp(a->commit, b->commit) == 0 && strcmp(a->arithmetic, b->arithmetic) == 0;
}

/* A row for each commit and arithmetic, in the order of the cells. */
static void program_table(struct report *r) {
  static const struct document_column columns[] = {
      COLUMN("commit", "commit", UNIT_NONE, program_row, commit),
      COLUMN("arithmetic", "arithmetic", UNIT_NONE, program_row, arithmetic),
      COLUMN("runs", "runs", UNIT_NONE, program_row, runs),
      COLUMN("first", "first finished", UNIT_NONE, program_row, first),
      COLUMN("last", "last finished", UNIT_NONE, program_row, last)};
  const struct ad_cell_record *records = r->cells->records;
  ad__document_table(r->doc, "programs", "Programs that finished the runs", COLUMNS(columns));
  for (size_t i = 0; i < r->study->count; i++) {
    double first = records[i].at, last = records[i].at;
    size_t before = 0, runs = 0;
    while (before < i && !same_program(&records[i], &records[before])) {
      before++;
    }
    if (records[i].state != AD_CELL_DONE || before < i) {
      continue;
    }
    for (size_t k = i; k < r->study->count; k++) {
      if (same_program(&records[i], &records[k])) {
        first = records[k].at < first ? records[k].at : first;
        last = records[k].at > last ? records[k].at : last;
        runs++;
      }
    }
    char text[40], other[40];
    const struct program_row row = {
        .commit = records[i].commit[0] == '\0' ? "not known" : records[i].commit,
        .arithmetic = records[i].arithmetic[0] == '\0' ? "not known" : records[i].arithmetic,
        .first = ad__say_time(first, text),
        .last = ad__say_time(last, other),
        .runs = runs};
    ad__document_row(r->doc, &row);
  }
}

struct input_row {
  const char *arm, *input[INPUTS];
};

static void input_table(struct report *r) {
  static const struct document_column columns[] = {COLUMN("arm", "arm", UNIT_NONE, input_row, arm),
                                                   COLUMN("descriptor", "descriptor", UNIT_NONE, input_row, input[0]),
                                                   COLUMN("train", "training data", UNIT_NONE, input_row, input[1]),
                                                   COLUMN("dev", "dev data", UNIT_NONE, input_row, input[2]),
                                                   COLUMN("model", "model", UNIT_NONE, input_row, input[3])};
  ad__document_table(r->doc, "inputs", "Digests (XXH3) of data and model", COLUMNS(columns));
  for (size_t a = 0; a < r->arms; a++) {
    const char *all = r->study->arms[a].input_text;
    char digests[INPUTS][DIGEST + 1];
    struct input_row row = {.arm = r->arm[a].name};
    for (size_t i = 0; i < INPUTS; i++) {
      const size_t begin = i * (DIGEST + 1);
      const int known = strlen(all) >= begin + DIGEST;
      snprintf(digests[i], sizeof digests[i], "%.*s", DIGEST, known ? all + begin : "not known");
      row.input[i] = digests[i];
    }
    ad__document_row(r->doc, &row);
  }
}

int ad__report_provenance(struct report *r) {
  ad__document_section(r->doc, "provenance", "Provenance",
                       "What the report was computed from and by, so that it can be traced when it travels alone.",
                       "a digest that is not known: the runs were then not identified by their data.");
  fact_table(r);
  program_table(r);
  input_table(r);
  return r->doc->status;
}
