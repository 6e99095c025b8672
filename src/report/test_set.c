/* The section on how much of the spread is the test set's. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/examples.h"
#include "examples.h"

struct variance_row {
  const char *arm;
  struct ad_jordan of;
  struct ad_figure test_sd, distribution_sd, floor_sd;
};

static struct ad_figure root(struct ad_figure square, const char *why_negative) {
  return square.why != NULL ? square
         : square.value < 0 ? ad_figure_none(why_negative)
                            : ad_figure_of(sqrt(square.value));
}

static int variance_rows(struct examples *e) {
  static const char why[] = "the variance is estimated as negative: all of the spread may be the test set's";
  for (size_t a = 0; a < e->arms; a++) {
    const struct predictions *p = &e->arm[a];
    struct variance_row row = {.arm = e->r->arm[a].name};
    if (p->runs == 0) {
      continue;
    }
    AD_TRY(ad_distribution_variance(&row.of, p->runs, e->N, e->C, p->wrong));
    row.test_sd = root(row.of.test, why);
    row.distribution_sd = root(row.of.distribution, why);
    row.floor_sd = root(row.of.floor, why);
    ad__document_row(e->r->doc, &row);
  }
  return e->r->doc->status;
}

static int variance_table(struct examples *e) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, variance_row, arm),
      COLUMN("runs", "runs", UNIT_NONE, variance_row, of.runs),
      COLUMN("examples", "examples", UNIT_NONE, variance_row, of.examples),
      COLUMN("error", "error", UNIT_PERCENT, variance_row, of.error),
      COLUMN("test_sd", "SD on these examples", UNIT_PERCENT, variance_row, test_sd),
      COLUMN("distribution_sd", "SD on new data", UNIT_PERCENT, variance_row, distribution_sd),
      COLUMN("floor_sd", "least SD of equal runs", UNIT_PERCENT, variance_row, floor_sd),
      COLUMN("test_variance", "variance on these", UNIT_PERCENT_SQUARED, variance_row, of.test),
      COLUMN("distribution_variance", "on new data", UNIT_PERCENT_SQUARED, variance_row, of.distribution),
      COLUMN("noise_variance", "of the test set", UNIT_PERCENT_SQUARED, variance_row, of.noise),
      COLUMN("halves", "r of halves", UNIT_NONE, variance_row, of.halves)};
  ad__document_table(e->r->doc, "test_set",
                     "Variance over runs on these examples, and on the distribution they come from (Jordan 2024)",
                     COLUMNS(columns));
  return variance_rows(e);
}

/* The next run of x and of y with the same seeds, from *i and *j on; 0: none. */
static int next_pair(const struct predictions *x, const struct predictions *y, size_t *i, size_t *j) {
  while (*i < x->runs && *j < y->runs && x->points[*i] != y->points[*j]) {
    *(x->points[*i] < y->points[*j] ? i : j) += 1;
  }
  return *i < x->runs && *j < y->runs;
}

/* Rows of two arms that have the same seeds, copied into a and b [LOGITS_OF_ARM,N]. */
static size_t pair_rows(const struct examples *e, const struct predictions *x, const struct predictions *y, uint8_t *a,
                        uint8_t *b) {
  size_t count = 0;
  for (size_t i = 0, j = 0; next_pair(x, y, &i, &j); i++, j++) {
    memcpy(a + count * e->N, x->wrong + i * e->N, e->N);
    memcpy(b + count++ * e->N, y->wrong + j * e->N, e->N);
  }
  return count;
}

/* 1 where there are predictions of an arm and of its baseline. */
static int has_baseline(const struct examples *e, size_t a) {
  const size_t base = e->r->arm[a].baseline;
  return a != base && base < e->arms && e->arm[a].runs > 0 && e->arm[base].runs > 0;
}

struct bootstrap_row {
  const char *arm;
  size_t pairs, examples, replicates;
  struct ad_multi_bootstrap of;
};

/* rows [2,most,N]: work memory. */
static int bootstrap_row(struct examples *e, size_t a, uint8_t *rows) {
  uint8_t *other = rows + e->most * e->N;
  const size_t pairs = pair_rows(e, &e->arm[a], &e->arm[e->r->arm[a].baseline], rows, other);
  struct ad_resampling how = e->r->how;
  /* A replicate reads every prediction: at most a billion in all arms. */
  const size_t work = 1000000000 / (2 * (pairs + 1) * e->N * e->arms);
  how.replicates = work < how.replicates ? (work < 500 ? 500 : work) : how.replicates;
  struct bootstrap_row row = {e->r->arm[a].name, pairs, e->N, how.replicates, {0}};
  AD_TRY(ad_multi_bootstrap(&row.of, pairs, rows, pairs, other, e->N, 1, &how));
  const char *why = !e->r->seeds.independent       ? AD__WHY_SHARED
                    : pairs < FEWEST_FOR_BOOTSTRAP ? AD__WHY_FEW_BOOTSTRAP
                                                   : NULL;
  if (why != NULL) {
    row.of.interval = ad_interval_none(why);
    row.of.p = ad_figure_none(why);
  }
  ad__document_row(e->r->doc, &row);
  return e->r->doc->status;
}

static int bootstrap_table(struct examples *e) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, bootstrap_row, arm),
      COLUMN("pairs", "common seeds", UNIT_NONE, bootstrap_row, pairs),
      COLUMN("examples", "examples", UNIT_NONE, bootstrap_row, examples),
      COLUMN("difference", "difference in error", UNIT_PERCENT, bootstrap_row, of.difference),
      COLUMN("interval", "95 % CI", UNIT_PERCENT, bootstrap_row, of.interval),
      COLUMN("p", "p", UNIT_NONE, bootstrap_row, of.p),
      COLUMN("replicates", "replicates", UNIT_NONE, bootstrap_row, replicates)};
  ad__document_table(e->r->doc, "multi_bootstrap",
                     "Multi-Bootstrap over seeds and examples, against the baseline (Sellam et al. 2022)",
                     COLUMNS(columns));
  uint8_t *rows = ad_malloc(2 * e->most * e->N, 1);
  int status = rows == NULL ? ad_fail_memory(2 * e->most * e->N, "paired predictions") : AD_OK;
  for (size_t a = 0; a < e->arms && status == AD_OK; a++) {
    if (has_baseline(e, a)) {
      status = bootstrap_row(e, a, rows);
    }
  }
  ad_free(rows);
  return status;
}

/* ---- McNemar ---- */

/* "seed.init=3, seed.order=0" into `text`: what the runs of a pair have in common. */
static int list_seeds(const struct report *r, size_t point, struct ad_buffer *text) {
  const struct ad_study_cell *cell = &r->study->cells[r->arm[0].runs[point].cell];
  AD_TRY(ad_buffer_puts(text, ""));
  for (size_t x = 0; x < r->study->axis_count; x++) {
    const struct ad_study_axis *axis = &r->study->axes[x];
    if (axis->seed) {
      AD_TRY(ad_buffer_printf(text, "%s%s=%s", text->size > 0 ? ", " : "", axis->key, axis->values[cell->level[x]]));
    }
  }
  return AD_OK;
}

struct pair_row {
  const char *arm, *seeds;
  struct ad_mcnemar of; /* a: the arm, b: the baseline */
};

static int pair_row(struct examples *e, size_t a, size_t point, const struct ad_mcnemar *m) {
  struct ad_buffer seeds = {0};
  const int status = list_seeds(e->r, point, &seeds);
  if (status == AD_OK) {
    const struct pair_row row = {e->r->arm[a].name, seeds.data, *m};
    ad__document_row(e->r->doc, &row);
  }
  ad_buffer_destroy(&seeds);
  return status;
}

struct pairs_row {
  const char *arm;
  size_t pairs, better, worse, undecided;
  struct ad_figure only_arm, only_baseline;
};

/* The sums over the pairs of an arm and the baseline; each: a row for every pair instead. */
static int mcnemar_rows(struct examples *e, size_t a, int each) {
  const struct predictions *x = &e->arm[a], *y = &e->arm[e->r->arm[a].baseline];
  struct pairs_row row = {.arm = e->r->arm[a].name};
  double only_arm = 0.0, only_base = 0.0;
  for (size_t i = 0, j = 0; next_pair(x, y, &i, &j); i++, j++) {
    struct ad_mcnemar m;
    ad_mcnemar_of(&m, e->N, x->wrong + i * e->N, y->wrong + j * e->N);
    const int differ = m.p.why == NULL && m.p.value < 0.05;
    row.pairs++;
    row.better += differ && m.only_a < m.only_b;
    row.worse += differ && m.only_a > m.only_b;
    only_arm += (double)m.only_a / (double)e->N;
    only_base += (double)m.only_b / (double)e->N;
    AD_TRY(each ? pair_row(e, a, x->points[i], &m) : AD_OK);
  }
  row.undecided = row.pairs - row.better - row.worse;
  row.only_arm = mean_of(row.pairs, only_arm, "no common seeds");
  row.only_baseline = mean_of(row.pairs, only_base, "no common seeds");
  if (!each) {
    ad__document_row(e->r->doc, &row);
  }
  return e->r->doc->status;
}

static int mcnemar_table(struct examples *e, int each) {
  static const struct document_column sums[] = {
      COLUMN("arm", "arm", UNIT_NONE, pairs_row, arm),
      COLUMN("pairs", "common seeds", UNIT_NONE, pairs_row, pairs),
      COLUMN("only_arm", "only the arm errs", UNIT_PERCENT, pairs_row, only_arm),
      COLUMN("only_baseline", "only the baseline errs", UNIT_PERCENT, pairs_row, only_baseline),
      COLUMN("better", "pairs better, p < 0.05", UNIT_NONE, pairs_row, better),
      COLUMN("worse", "pairs worse, p < 0.05", UNIT_NONE, pairs_row, worse),
      COLUMN("undecided", "undecided", UNIT_NONE, pairs_row, undecided)};
  static const struct document_column single[] = {
      COLUMN("arm", "arm", UNIT_NONE, pair_row, arm), COLUMN("seeds", "seeds", UNIT_NONE, pair_row, seeds),
      COLUMN("only_arm", "only the arm errs", UNIT_NONE, pair_row, of.only_a),
      COLUMN("only_baseline", "only the baseline errs", UNIT_NONE, pair_row, of.only_b),
      COLUMN("p", "p", UNIT_NONE, pair_row, of.p)};
  if (each) {
    ad__document_table(e->r->doc, "mcnemar_pairs", "McNemar's test of every pair", COLUMNS(single));
    ad__document_data_only(e->r->doc);
  } else {
    ad__document_table(e->r->doc, "mcnemar",
                       "Pairs of trained models on these examples (McNemar's exact test; about models, not methods)",
                       COLUMNS(sums));
  }
  for (size_t a = 0; a < e->arms; a++) {
    if (has_baseline(e, a)) {
      AD_TRY(mcnemar_rows(e, a, each));
    }
  }
  return e->r->doc->status;
}

int ad__report_test_set(struct examples *e) {
  struct report *r = e->r;
  ad__document_section(
      r->doc, "test_set", "How much is the test set",
      "Errors are means over a finite set of examples; this takes that part off the spread over runs, and asks whether "
      "a difference holds for new seeds and new examples.",
      "with fewer than about 10 runs an arm, or examples that depend on each other (several from one document).");
  ad__document_note(
      r->doc,
      "From the logits of %zu %s examples. The variance on new data may be estimated as negative: then all "
      "of the spread may be the test set's.",
      e->N, ad_study_source_name(r->study->source == AD_SOURCE_TEST ? AD_SOURCE_TEST : AD_SOURCE_DEV));
  AD_TRY(variance_table(e));
  size_t compared = 0;
  for (size_t a = 0; a < e->arms; a++) {
    compared += has_baseline(e, a) != 0;
  }
  if (compared > 0) {
    AD_TRY(bootstrap_table(e));
    AD_TRY(mcnemar_table(e, 0));
    AD_TRY(mcnemar_table(e, 1));
  }
  return r->doc->status;
}
