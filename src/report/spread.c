/* The section on the spread of the arms. */
#include "autodidact/statistics/spread.h"

#include <math.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/power.h"
#include "autodidact/statistics/summary.h"
#include "report_internal.h"

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

static void plot_ratios(struct report *r, const struct spread_row *rows) {
  struct ad_buffer script = {0};
  size_t drawn = 0;
  ad__script_add(r, &script, "$d << EOD\n");
  for (size_t i = 0; i < r->arms * AD_SPREADS; i++) {
    const struct ad_spread *s = &rows[i].of;
    if (rows[i].arm != NULL && s->ratio.why == NULL) {
      const int known = s->interval.why == NULL;
      ad__script_add(r, &script, "%.9g %.9g %.9g %g %zu\n", s->ratio.value, known ? s->interval.low : s->ratio.value,
                     known ? s->interval.high : s->ratio.value,
                     0.2 - 0.2 * (double)(i % AD_SPREADS) - (double)(i / AD_SPREADS), i % AD_SPREADS);
      drawn++;
    }
  }
  ad__script_add(r, &script, "EOD\nunset key\nset logscale x 2\n");
  ad__script_arm_axis(r, &script, r->arms);
  ad__script_axis(r, &script, 'x', "SD over that of the baseline", "");
  ad__script_add(r, &script,
                 "set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb '#5b6775' dt 2\n"
                 "plot for [k=0:%d] $d using ($5==k?$1:1/0):4:2:3 with xerrorbars ls k+1 ps 0.9\n",
                 AD_SPREADS - 1);
  if (drawn > 0) {
    ad__document_plot(r->doc, "plot_spread",
                      "SD of each arm over that of the baseline with its 95 % interval: the total, and below it the "
                      "parts in the order of the table; left of 1 the arm varies less.",
                      820, ad__script_height(r->arms), &script);
  }
  ad_buffer_destroy(&script);
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
  if (s->ratio.why == NULL && s->interval.why == NULL) {
    ad__document_summary(r->doc,
                         "%s against %s: SD, %s: %s. Ratio %.3g (95 %% CI %.3g to %.3g, p = %.3g) over %zu levels.",
                         row->arm, ad__baseline_name(r, a), row->source, row->verdict, s->ratio.value, s->interval.low,
                         s->interval.high, s->p.value, s->levels);
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
  if (r->arms < 2) {
    ad__document_note(r->doc, "Not available: the study has one arm.");
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
