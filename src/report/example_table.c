/* The long table of examples: a row for each run and example of the split that the study's result is of. One run's
 * logits are in memory at a time. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/task/metrics.h"
#include "table.h"

struct writer {
  struct report *r;
  struct table table;
  size_t classes;           /* of the arm that has most */
  uint64_t rows;            /* that are expected */
  double *log_p;            /* [classes] */
  size_t without, unusable; /* runs with a score that have no logits, or damaged ones */
};

/* ---- Before the first row ---- */

/* The first run of an arm whose logits can be used says how many classes and examples there are. */
static int look_at_arm(struct writer *w, size_t arm) {
  enum ad_variant variant;
  AD_TRY(ad__report_variant(w->r, arm, &variant));
  for (size_t k = 0; k < w->r->points; k++) {
    struct ad_logits l;
    enum logits_found found;
    AD_TRY(ad__report_read_logits(w->r, arm, k, variant, &l, &found));
    if (found == LOGITS_READ) {
      w->classes = l.C > w->classes ? l.C : w->classes;
      w->rows += l.N * w->r->points;
      ad_logits_destroy(&l);
      return AD_OK;
    }
  }
  return AD_OK;
}

static int columns(struct writer *w) {
  struct table *t = &w->table;
  AD_TRY(ad__table_column(t, "", "arm", AD_TABLE_TEXT, "", "name of the arm"));
  AD_TRY(ad__table_column(t, "", "cell", AD_TABLE_TEXT, "", "id of the cell, as in the table of runs"));
  AD_TRY(ad__table_seed_columns(t, w->r->study));
  AD_TRY(ad__table_column(t, "", "example", AD_TABLE_COUNT, "1", "number of the example in the data, from 0"));
  AD_TRY(ad__table_column(t, "", "label", AD_TABLE_COUNT, "class", "label, from 0 in the order of the descriptor"));
  AD_TRY(ad__table_column(t, "", "predicted", AD_TABLE_COUNT, "class", "class of the largest logit"));
  AD_TRY(ad__table_column(t, "", "right", AD_TABLE_SWITCH, "1", "whether that is the label"));
  for (size_t c = 0; c < w->classes; c++) {
    char name[32];
    snprintf(name, sizeof name, "%zu", c);
    AD_TRY(ad__table_column(t, "log_p", name, AD_TABLE_FLOAT, "nats", "logarithm of the probability of this class"));
  }
  return AD_OK;
}

/* Widths of the names; all ids have one. */
static int measure(struct writer *w) {
  for (size_t a = 0; a < w->r->arms; a++) {
    AD_TRY(ad__table_text(&w->table, w->r->arm[a].name));
    AD_TRY(ad__table_text(&w->table, "0123456789abcdef"));
    ad__table_measure(&w->table);
  }
  return AD_OK;
}

/* ---- Rows ---- */

/* log softmax of logits [C]. The largest is left out of the sum, so that a probability near 1 keeps its digits. */
static void log_probabilities(size_t C, const float *logits, double *log_p) {
  const uint32_t best = ad_metrics_predict(C, logits);
  double others = 0.0;
  for (size_t c = 0; c < C; c++) {
    log_p[c] = (double)logits[c] - logits[best];
    others += c == best ? 0.0 : ad_math_exp(log_p[c]);
  }
  for (size_t c = 0; c < C; c++) {
    log_p[c] -= ad_math_log1p(others);
  }
}

static int put_example(struct writer *w, const struct ad_study_cell *cell, const struct ad_logits *l, size_t i) {
  struct table *t = &w->table;
  char text[17];
  const float *logits = l->logits + i * l->C;
  const uint32_t predicted = ad_metrics_predict(l->C, logits);
  AD_TRY(ad__table_text(t, w->r->study->arms[cell->arm].name));
  AD_TRY(ad__table_text(t, ad__table_digest(cell->id, text)));
  AD_TRY(ad__table_seeds(t, w->r->study, cell));
  AD_TRY(ad__table_count(t, (int64_t)i));
  AD_TRY(ad__table_count(t, l->labels[i]));
  AD_TRY(ad__table_count(t, predicted));
  AD_TRY(ad__table_switch(t, predicted == l->labels[i]));
  log_probabilities(l->C, logits, w->log_p);
  for (size_t c = 0; c < w->classes; c++) {
    AD_TRY(ad__table_real(t, c < l->C ? w->log_p[c] : NAN));
  }
  return ad__table_add(t);
}

static int put_run(struct writer *w, size_t arm, size_t point, enum ad_variant variant) {
  struct report *r = w->r;
  struct ad_logits l;
  enum logits_found found;
  if (isnan(r->arm[arm].runs[point].score)) {
    return AD_OK;
  }
  AD_TRY(ad__report_read_logits(r, arm, point, variant, &l, &found));
  int status = AD_OK;
  if (found == LOGITS_READ && l.C <= w->classes) {
    for (size_t i = 0; status == AD_OK && i < l.N; i++) {
      status = put_example(w, &r->study->cells[r->arm[arm].runs[point].cell], &l, i);
    }
  } else {
    w->without += found == LOGITS_NONE;
    w->unusable += found != LOGITS_NONE;
  }
  ad_logits_destroy(&l);
  return status;
}

static int put_runs(struct writer *w) {
  for (size_t a = 0; a < w->r->arms; a++) {
    enum ad_variant variant;
    AD_TRY(ad__report_variant(w->r, a, &variant));
    for (size_t k = 0; k < w->r->points; k++) {
      AD_TRY(put_run(w, a, k, variant));
    }
  }
  return AD_OK;
}

static int write_table(struct writer *w, const char *folder, struct ad_table_file *file) {
  for (size_t a = 0; a < w->r->arms; a++) {
    AD_TRY(look_at_arm(w, a));
  }
  w->log_p = ad_malloc(w->classes, sizeof *w->log_p);
  AD_TRY(w->log_p == NULL ? ad_fail_memory(w->classes * sizeof *w->log_p, "probabilities") : AD_OK);
  AD_TRY(columns(w));
  AD_TRY(measure(w));
  AD_TRY(ad__table_open(&w->table, folder, "examples", "a row for each run and example", w->rows, file));
  return put_runs(w);
}

int ad__report_example_table(struct report *r, const char *folder, struct ad_table_file *file) {
  struct writer w = {.r = r};
  const int status = ad__table_close(&w.table, write_table(&w, folder, file));
  ad_free(w.log_p);
  if (status == AD_OK && w.without + w.unusable > 0) {
    ad_log(AD_LOG_WARNING,
           "%s/examples.csv: finished runs that are not in it: %zu without logits, %zu with logits that cannot be used "
           "(damaged, or not of classes)",
           folder, w.without, w.unusable);
  }
  return status;
}
