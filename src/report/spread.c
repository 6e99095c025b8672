/* The section on the spread of the arms. */
#include "autodidact/statistics/spread.h"

#include <math.h>
#include <stdio.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/power.h"
#include "autodidact/statistics/summary.h"
#include "headline.h"

struct spread_row {
  const char *arm, *source, *test, *verdict;
  size_t pairs;
  struct ad_spread of;
  struct ad_figure holm, smallest;
};

/* The ratio below 1 that these levels show with 80 % power. */
static struct ad_figure smallest_ratio(const struct ad_spread *s) {
  if (s->error.why != NULL) {
    return s->error;
  }
  const struct ad_figure errors = ad_smallest_effect(s->df.value, 0.05, 0.8);
  return errors.why != NULL ? errors : ad_figure_of(ad_math_exp(-errors.value * s->error.value));
}

int ad__report_compare_spread(const struct report *r, size_t a, struct ad_spreads *spreads, size_t *n) {
  double *scores = ad_malloc(2 * r->points, sizeof *scores);
  size_t *points = ad_malloc(r->points, sizeof *points);
  struct ad_terms terms = {0};
  int status = AD_OK;
  if (scores == NULL || points == NULL) {
    status = ad_fail_memory(3 * r->points * sizeof *scores, "ratios of spread");
  } else {
    *n = ad__report_common(r, a, r->arm[a].baseline, 0, points, scores, scores + r->points);
    status = ad__report_terms(r, *n, points, &terms);
  }
  if (status == AD_OK) {
    status = ad_compare_spread(spreads, *n, scores, scores + r->points, &terms, &r->how);
  }
  ad_terms_destroy(&terms);
  ad_free(scores);
  ad_free(points);
  return status;
}

/* Into rows [arms, AD_SPREADS], those of an arm and a source; Holm's correction is over the arms, for each source. p
 * [2 * arms]: work memory. */
static int find_rows(struct report *r, struct spread_row *rows, struct ad_figure *p) {
  for (size_t a = 0; a < r->arms; a++) {
    struct ad_spreads spreads = {0};
    size_t n = 0;
    AD_TRY(ad__is_baseline(r, a) ? AD_OK : ad__report_compare_spread(r, a, &spreads, &n));
    for (size_t k = 0; k < spreads.count; k++) {
      rows[a * AD_SPREADS + k] = (struct spread_row){.arm = r->arm[a].name,
                                                     .test = spreads.items[k].test,
                                                     .pairs = n,
                                                     .of = spreads.items[k],
                                                     .smallest = smallest_ratio(&spreads.items[k])};
    }
  }
  for (size_t k = 0; k < AD_SPREADS; k++) {
    for (size_t a = 0; a < r->arms; a++) {
      const struct spread_row *row = &rows[a * AD_SPREADS + k];
      p[a] = row->arm == NULL ? ad_figure_none("none") : row->of.p;
    }
    AD_TRY(ad_holm(r->arms, p, p + r->arms));
    for (size_t a = 0; a < r->arms; a++) {
      rows[a * AD_SPREADS + k].holm = p[r->arms + a];
    }
  }
  return AD_OK;
}

/* The ratios of the primary arms at the top; here all, where there are more. */
static void plot_ratios(struct report *r, const struct spread_row *rows) {
  for (int lead = 1; lead >= 0; lead--) {
    struct forest forest;
    size_t others = 0;
    ad__forest_ratios(r, &forest, lead);
    for (size_t i = 0; i < r->arms * AD_SPREADS; i++) {
      const size_t a = i / AD_SPREADS;
      if (rows[i].arm != NULL && (!lead || ad__is_lead(r, a))) {
        ad__forest_ratio(r, &forest, a, i % AD_SPREADS, &rows[i].of);
      }
      others += rows[i].arm != NULL && !ad__is_lead(r, a);
    }
    if (!lead && others == 0) {
      forest.rows = 0;
    }
    ad__forest_close(r, &forest, lead ? "plot_spread" : "plot_all_ratios",
                     lead ? "SD of each arm over that of the baseline, with 95 % intervals, in all and by source of "
                            "chance; shaded: the margin of equivalence, where there is one."
                          : "SD of every arm over that of the baseline, with 95 % intervals.",
                     lead);
  }
}

/* Verdict and adjusted p of row i; primary are the total and the last source. */
static void judge(const struct report *r, size_t i, struct spread_row *row) {
  const size_t arm = i / AD_SPREADS, k = i % AD_SPREADS;
  const struct ad_figure ratio = row->of.ratio;
  const int last = k > 0 && (k + 1 == AD_SPREADS || row[1].arm != row->arm);
  const size_t test = last ? AD_ANALYSIS_PART : AD_ANALYSIS_SPREAD;
  const int primary = r->family.active && (k == 0 || last);
  row->holm = primary ? r->family.p[arm * AD_ANALYSIS_TESTS + test] : row->holm;
  row->verdict = r->family.active && !primary
                     ? "exploratory"
                     : ad__report_verdict(
                           r, arm,
                           &(struct report_effect){
                               test, ratio.why != NULL ? ratio : ad_figure_of(ad_math_log(ratio.value)), row->of.error,
                               row->of.df, row->of.p, row->holm, ad_math_log(r->study->analysis.ratio_margin)});
}

/* For the top of the report. */
static void summarize_ratio(struct report *r, size_t a, const struct spread_row *row) {
  const struct ad_spread *s = &row->of;
  char subject[500], ratio[40], low[40], high[40];
  const double error = (s->interval.high - s->interval.low) / 4;
  if (s->ratio.why == NULL && s->interval.why == NULL) {
    snprintf(subject, sizeof subject, "%s against %s: SD, %s", row->arm, ad__baseline_name(r, a), row->source);
    ad__document_verdict(r->doc, subject, row->verdict, "Ratio %s (95 %% CI %s to %s, p = %.2g) over %zu levels.",
                         ad__say(s->ratio.value, error, ratio), ad__say(s->interval.low, error, low),
                         ad__say(s->interval.high, error, high), s->p.value, s->levels);
  }
}

static void spread_table(struct report *r, struct spread_row *rows) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, spread_row, arm),
      COLUMN("verdict", "verdict", UNIT_NONE, spread_row, verdict),
      COLUMN("source", "spread over", UNIT_NONE, spread_row, source),
      COLUMN("levels", "levels", UNIT_NONE, spread_row, of.levels),
      COLUMN("ratio", "SD ratio", UNIT_NONE, spread_row, of.ratio),
      COLUMN("interval", "95 % CI", UNIT_NONE, spread_row, of.interval),
      COLUMN("p", "p", UNIT_NONE, spread_row, of.p),
      COLUMN("holm_p", "Holm p", UNIT_NONE, spread_row, holm),
      COLUMN("smallest", "shown with 80 % power", UNIT_NONE, spread_row, smallest),
      COLUMN("test", "p by", UNIT_NONE, spread_row, test),
      COLUMN("pairs", "in common", UNIT_NONE, spread_row, pairs)};
  ad__document_table(r->doc, "spread", "SD of each arm over that of the baseline", COLUMNS(columns));
  for (size_t i = 0; i < r->arms * AD_SPREADS; i++) {
    if (rows[i].arm != NULL) {
      rows[i].source = rows[i].of.source;
      judge(r, i, &rows[i]);
      summarize_ratio(r, i / AD_SPREADS, &rows[i]);
      ad__document_row(r->doc, &rows[i]);
    }
  }
}

int ad__report_spread(struct report *r) {
  ad__document_section(
      r->doc, "spread", "Is the spread the same?",
      "The SD of each arm over that of the baseline, in all and for each source of chance: below 1 the arm varies "
      "less over seeds.",
      "a large p-value as a sign of equal spread: read the interval. Whole levels of a seed count, not runs; with "
      "few levels the interval is wide, below 6 there is none.");
  if (r->compared == 0) {
    ad__document_note(r->doc, "Not available: %s.", ad__one_arm(r));
    return r->doc->status;
  }
  struct spread_row *rows = ad_calloc(r->arms * AD_SPREADS, sizeof *rows);
  struct ad_figure *p = ad_malloc(2 * r->arms, sizeof *p);
  int status = rows == NULL || p == NULL ? ad_fail_memory(r->arms * AD_SPREADS * sizeof *rows, "ratios of spread")
                                         : find_rows(r, rows, p);
  if (status == AD_OK) {
    plot_ratios(r, rows);
    spread_table(r, rows);
    status = r->doc->status;
  }
  ad_free(rows);
  ad_free(p);
  return status;
}
