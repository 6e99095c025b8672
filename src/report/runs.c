/* The long table of runs: a row for each cell of the study. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "table.h"

/* In front of scores and configuration. Unit NULL: that of the study's result. */
static const struct ad_table_column first[] = {
    {"arm", AD_TABLE_TEXT, "", "name of the arm", 0},
    {"cell", AD_TABLE_TEXT, "", "id of the cell, the name of its folder in runs/; empty: never planned", 0},
    {"seeds", AD_TABLE_COUNT, "1", "number of the combination of seeds: runs of several arms share it", 0},
    {"state", AD_TABLE_TEXT, "", "good, failed (by the study's rule), diverged or missing", 0},
    {"status", AD_TABLE_TEXT, "", "how the run ended, AD_OK or another status; empty: it has not", 0},
    {"message", AD_TABLE_TEXT, "", "why it did not end well", 0},
    {"score", AD_TABLE_REAL, NULL, "the result that the study compares", 0},
    {"steps_done", AD_TABLE_COUNT, "updates", "updates done", 0},
    {"steps", AD_TABLE_COUNT, "updates", "updates of the whole run", 0},
    {"kept_step", AD_TABLE_COUNT, "updates", "step of the parameters that the run has kept", 0},
    {"seconds", AD_TABLE_REAL, "s", "of work, all attempts together", 0},
    {"ranks", AD_TABLE_COUNT, "1", "ranks that trained it", 0},
    {"ended", AD_TABLE_REAL, "s", "when it ended, seconds since 1970", 0},
    {"commit", AD_TABLE_TEXT, "", "of the source of the program that ended it", 0},
    {"arithmetic", AD_TABLE_TEXT, "", "version of that program's arithmetic", 0},
    {"digest.weights", AD_TABLE_TEXT, "", "of all parameters that the run has kept, as in result.json", 0},
    {"digest.configuration", AD_TABLE_TEXT, "", "of the keys that decide the result, but for those that name files", 0},
    {"digest.descriptor", AD_TABLE_TEXT, "", "of the data's descriptor", 0},
    {"digest.train", AD_TABLE_TEXT, "", "of the training file", 0},
    {"digest.dev", AD_TABLE_TEXT, "", "of the dev file", 0},
    {"digest.model", AD_TABLE_TEXT, "", "of the pretrained model, or of a new one's vocabulary", 0}};

static const enum ad_table_type type_of_values[] = {[AD_VALUES_TEXT] = AD_TABLE_TEXT,
                                                    [AD_VALUES_COUNT] = AD_TABLE_COUNT,
                                                    [AD_VALUES_REAL] = AD_TABLE_REAL,
                                                    [AD_VALUES_SWITCH] = AD_TABLE_SWITCH};

/* ---- Columns ---- */

static const char *unit_of(const struct ad_score *score) {
  return score->unit == AD_SCORE_NATS ? "nats" : "1";
}

/* Scores of every source, as study.result names them. */
static int score_columns(struct table *t) {
  for (enum ad_study_source s = 0; s < AD_SOURCES; s++) {
    const char *source = ad_study_source_name(s);
    AD_TRY(ad__table_column(t, source, "examples", AD_TABLE_COUNT, "examples", "examples of that evaluation"));
    for (size_t i = 0; ad_score_at(i) != NULL; i++) {
      const struct ad_score *score = ad_score_at(i);
      AD_TRY(ad__table_column(t, source, score->name, AD_TABLE_REAL, unit_of(score), score->title));
    }
  }
  return AD_OK;
}

static int columns(struct table *t, const struct ad_study *study) {
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
    const char *unit = first[i].unit == NULL ? unit_of(study->score) : first[i].unit;
    AD_TRY(ad__table_column(t, "", first[i].name, first[i].type, unit, first[i].meaning));
  }
  AD_TRY(score_columns(t));
  for (size_t i = 0; ad_config_key(i) != NULL; i++) {
    const char *key = ad_config_key(i);
    AD_TRY(ad__table_column(t, "", key, type_of_values[ad_config_values(key)], "", ad_config_meaning(key)));
  }
  return AD_OK;
}

/* ---- Rows ---- */

/* Counts of a record are 0 where they are not known. */
static int64_t known(uint64_t count) {
  return count == 0 ? AD_TABLE_NO_COUNT : (int64_t)count;
}

static int put_outcome(struct table *t, const struct report *r, const struct report_run *run) {
  static const char *const states[] = {
      [RUN_GOOD] = "good", [RUN_FAILED] = "failed", [RUN_DIVERGED] = "diverged", [RUN_MISSING] = "missing"};
  const struct ad_cell_record *record = &r->cells->records[run->cell];
  const int ended = record->state == AD_CELL_DONE || record->state == AD_CELL_FAILED;
  AD_TRY(ad__table_text(t, states[run->state]));
  AD_TRY(ad__table_text(t, ended ? ad_status_name(record->status) : NULL));
  AD_TRY(ad__table_text(t, record->message));
  AD_TRY(ad__table_real(t, run->score));
  AD_TRY(ad__table_count(t, record->begun ? (int64_t)record->step : AD_TABLE_NO_COUNT));
  AD_TRY(ad__table_count(t, known(record->steps)));
  AD_TRY(ad__table_count(t, known(record->kept)));
  AD_TRY(ad__table_real(t, record->at > 0.0 ? record->seconds : NAN));
  AD_TRY(ad__table_count(t, known(record->ranks)));
  return ad__table_real(t, record->at > 0.0 ? record->at : NAN);
}

/* Of the four digests of an arm's inputs, number `which`; "" where they are not known. */
static const char *input_digest(const struct ad_study_arm *arm, size_t which, char text[17]) {
  enum { DIGITS = 16 };
  const size_t begin = which * (DIGITS + 1);
  text[0] = '\0';
  if (strlen(arm->input_text) >= begin + DIGITS) {
    memcpy(text, arm->input_text + begin, DIGITS);
    text[DIGITS] = '\0';
  }
  return text;
}

static int put_digests(struct table *t, const struct report *r, size_t cell) {
  enum { INPUTS = 4 /* descriptor, train, dev, model */ };
  const struct ad_study_cell *of = &r->study->cells[cell];
  char text[17];
  AD_TRY(ad__table_text(t, ad__table_digest(r->cells->records[cell].parameters, text)));
  AD_TRY(ad__table_text(t, ad__table_digest(ad_study_cell_digest(r->study, of), text)));
  for (size_t i = 0; i < INPUTS; i++) {
    AD_TRY(ad__table_text(t, input_digest(&r->study->arms[of->arm], i, text)));
  }
  return AD_OK;
}

static int put_scores(struct table *t, const struct ad_cell_record *record) {
  for (enum ad_study_source s = 0; s < AD_SOURCES; s++) {
    const struct ad_scores *scores = &record->scores[s];
    const int there = scores->task != NULL && scores->examples > 0;
    AD_TRY(ad__table_count(t, known(there ? scores->examples : 0)));
    for (size_t i = 0; ad_score_at(i) != NULL; i++) {
      AD_TRY(ad__table_real(t, there ? ad_scores_get(scores, ad_score_at(i)->name) : NAN));
    }
  }
  return AD_OK;
}

static int put_key(struct table *t, const struct ad_config *config, const char *key, struct ad_buffer *value) {
  ad_buffer_clear(value);
  AD_TRY(ad_config_get(config, key, value));
  const char *text = value->data;
  switch (ad_config_values(key)) {
    case AD_VALUES_COUNT:
      return ad__table_count(t, strtoll(text, NULL, 10));
    case AD_VALUES_REAL:
      return ad__table_real(t, strtod(text, NULL));
    case AD_VALUES_SWITCH:
      return ad__table_switch(t, strcmp(text, "true") == 0);
    case AD_VALUES_TEXT:
      break;
  }
  return ad__table_text(t, text);
}

static int put_configuration(struct table *t, const struct report *r, const struct ad_study_cell *cell) {
  struct ad_config config;
  struct ad_buffer value = {0};
  AD_TRY(ad_study_config(r->study, cell, &config));
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && ad_config_key(i) != NULL; i++) {
    status = put_key(t, &config, ad_config_key(i), &value);
  }
  ad_buffer_destroy(&value);
  ad_config_destroy(&config);
  return status;
}

/* In the order of `columns`. */
static int put_run(struct table *t, const struct report *r, size_t arm, size_t point) {
  const struct report_run *run = &r->arm[arm].runs[point];
  const struct ad_study_cell *cell = &r->study->cells[run->cell];
  const struct ad_cell_record *record = &r->cells->records[run->cell];
  char text[17];
  AD_TRY(ad__table_text(t, r->arm[arm].name));
  AD_TRY(ad__table_text(t, ad__table_digest(cell->id, text)));
  AD_TRY(ad__table_count(t, (int64_t)point));
  AD_TRY(put_outcome(t, r, run));
  AD_TRY(ad__table_text(t, record->commit));
  AD_TRY(ad__table_text(t, record->arithmetic));
  AD_TRY(put_digests(t, r, run->cell));
  AD_TRY(put_scores(t, record));
  return put_configuration(t, r, cell);
}

static int write_table(struct table *t, const struct report *r, const char *folder, struct ad_table_file *file) {
  const size_t count = r->arms * r->points;
  AD_TRY(columns(t, r->study));
  for (size_t i = 0; file != NULL && i < count; i++) {
    AD_TRY(put_run(t, r, i / r->points, i % r->points));
    ad__table_measure(t);
  }
  AD_TRY(ad__table_open(t, folder, "runs", "a row for each run of the study", count, file));
  for (size_t i = 0; i < count; i++) {
    AD_TRY(put_run(t, r, i / r->points, i % r->points));
    AD_TRY(ad__table_add(t));
  }
  return AD_OK;
}

int ad__report_run_table(struct report *r, const char *folder, struct ad_table_file *file) {
  struct table table = {0};
  return ad__table_close(&table, write_table(&table, r, folder, file));
}
