/* The section on the comparison of each arm with the baseline. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/power.h"
#include "autodidact/statistics/summary.h"
#include "headline.h"

enum { SUMMARY_ARMS = 8 };

struct comparison {
  const char *arm;
  size_t n; /* combinations of seeds that both have */
  struct report_mean difference;
  struct ad_figure holm;
  struct ad_figure share;    /* the mean difference, of the baseline's mean */
  struct ad_figure in_sds;   /* the same, in SDs of the baseline */
  struct ad_figure smallest; /* difference that these seeds show with 80 % power */
  struct ad_figure better;   /* share of pairs on which the arm is better, ties count half */
  struct ad_interval better_interval;
  const char *verdict;
};

/* values [n] of differences. */
static void count_wins(const struct report *r, size_t n, const double *values, struct comparison *c) {
  double wins = 0.0;
  for (size_t i = 0; i < n; i++) {
    wins += values[i] == 0.0 ? 0.5 : (values[i] < 0.0) == r->falls ? 1.0 : 0.0;
  }
  c->better = n == 0 ? ad_figure_none("no common seeds") : ad_figure_of(wins / (double)n);
  c->better_interval = ad__report_wilson(r, c->difference.independent, wins, n);
}

/* The effect against the baseline, of its scores [n] on the same seeds. */
static int relate(const struct report *r, size_t n, const size_t *points, const double *base, struct comparison *c) {
  static const char none[] = "the baseline has no spread, or a mean of 0";
  struct report_mean own;
  const struct ad_figure d = c->difference.of.mean;
  AD_TRY(ad__report_mean(r, n, points, base, &own));
  const struct ad_figure mean = own.of.mean, sd = own.of.sd;
  c->share = d.why != NULL                                 ? d
             : mean.why != NULL || !(fabs(mean.value) > 0) ? ad_figure_none(none)
                                                           : ad_figure_of(d.value / mean.value);
  c->in_sds = d.why != NULL                         ? d
              : sd.why != NULL || !(sd.value > 0.0) ? ad_figure_none(none)
                                                    : ad_figure_of(d.value / sd.value);
  return AD_OK;
}

static struct ad_figure smallest_difference(const struct ad_mixed *d) {
  if (d->error.why != NULL) {
    return d->error;
  }
  const struct ad_figure errors = ad_smallest_effect(d->df.value, 0.05, 0.8);
  return errors.why != NULL ? errors : ad_figure_of(errors.value * d->error.value);
}

/* scores [2 * points] and points [points]: work memory. */
static int compare(const struct report *r, size_t a, int fine, size_t *points, double *scores, struct comparison *c) {
  double *base = scores + r->points;
  c->arm = r->arm[a].name;
  c->n = ad__report_common(r, a, r->arm[a].baseline, fine, points, scores, base);
  ad_differences(c->n, scores, base, scores);
  AD_TRY(ad__report_mean(r, c->n, points, scores, &c->difference));
  if (c->n == 0) {
    c->difference.of.mean = ad_figure_none("no common seeds");
  }
  count_wins(r, c->n, scores, c);
  c->smallest = smallest_difference(&c->difference.of);
  return relate(r, c->n, points, base, c);
}

int ad__report_difference_p(const struct report *r, size_t arm, struct ad_figure *p) {
  double *scores = ad_malloc(2 * r->points, sizeof *scores);
  size_t *points = ad_malloc(r->points, sizeof *points);
  struct comparison c = {0};
  const int status = scores == NULL || points == NULL ? ad_fail_memory(3 * r->points * sizeof *scores, "pairs")
                                                      : compare(r, arm, 0, points, scores, &c);
  *p = c.difference.of.p;
  ad_free(scores);
  ad_free(points);
  return status;
}

/* Of every arm against the baseline into c [arms]; fine: without failed runs. */
static int compare_all(const struct report *r, int fine, struct comparison *c) {
  double *scores = ad_malloc(2 * r->points, sizeof *scores);
  size_t *points = ad_malloc(r->points, sizeof *points);
  struct ad_figure *p = ad_malloc(2 * r->arms, sizeof *p);
  int status = AD_OK;
  if (scores == NULL || points == NULL || p == NULL) {
    status = ad_fail_memory((3 * r->points + 4 * r->arms) * 8, "comparisons");
  }
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    p[a] = ad_figure_none("the baseline");
    if (!ad__is_baseline(r, a)) {
      status = compare(r, a, fine, points, scores, &c[a]);
      p[a] = c[a].difference.of.p;
    }
  }
  status = status == AD_OK ? ad_holm(r->arms, p, p + r->arms) : status;
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    const struct ad_mixed *d = &c[a].difference.of;
    c[a].holm = r->family.active && !ad__is_baseline(r, a) ? r->family.p[a * AD_ANALYSIS_TESTS] : p[r->arms + a];
    c[a].verdict = ad__report_verdict(r, a,
                                      &(struct report_effect){AD_ANALYSIS_MEAN, d->mean, d->error, d->df, d->p,
                                                              c[a].holm, r->study->analysis.margin});
  }
  ad_free(scores);
  ad_free(points);
  ad_free(p);
  return status;
}

/* A table with a row for every arm but the baseline. */
static void comparison_table(struct report *r, const struct comparison *c, const char *id, const char *title,
                             size_t width, const struct document_column *columns) {
  ad__document_table(r->doc, id, title, width, columns);
  for (size_t a = 0; a < r->arms; a++) {
    if (!ad__is_baseline(r, a)) {
      ad__document_row(r->doc, &c[a]);
    }
  }
}

static void comparison_tables(struct report *r, const struct comparison *all, const struct comparison *fine) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, comparison, arm),
      COLUMN("verdict", "verdict", UNIT_NONE, comparison, verdict),
      COLUMN("pairs", "in common", UNIT_NONE, comparison, n),
      COLUMN_BY("difference", "mean difference", UNIT_SCORE_DIFFERENCE, comparison, difference.of.mean, "error"),
      COLUMN("interval", "95 % CI", UNIT_SCORE_DIFFERENCE, comparison, difference.of.interval),
      COLUMN("p", "p", UNIT_NONE, comparison, difference.of.p),
      COLUMN("holm_p", "Holm p", UNIT_NONE, comparison, holm),
      COLUMN("share", "of the baseline", UNIT_PERCENT, comparison, share),
      COLUMN("in_sds", "in SDs of the baseline", UNIT_NONE, comparison, in_sds),
      COLUMN("smallest", "shown with 80 % power", UNIT_SCORE_DIFFERENCE, comparison, smallest),
      COLUMN("better", "P(better)", UNIT_NONE, comparison, better),
      COLUMN("better_interval", "P(better) 95 % CI", UNIT_NONE, comparison, better_interval),
      COLUMN("error", "standard error", UNIT_SCORE_DIFFERENCE, comparison, difference.of.error),
      COLUMN("df", "df", UNIT_NONE, comparison, difference.of.df)};
  static const struct document_column conditional[] = {
      COLUMN("arm", "arm", UNIT_NONE, comparison, arm), COLUMN("pairs", "in common", UNIT_NONE, comparison, n),
      COLUMN("difference", "mean difference", UNIT_SCORE_DIFFERENCE, comparison, difference.of.mean),
      COLUMN("better", "P(better)", UNIT_NONE, comparison, better)};
  comparison_table(r, all, "comparison", "All finished runs, failed ones with their score", COLUMNS(columns));
  comparison_table(r, fine, "comparison_without_failed",
                   "Conditional: only seeds on which neither arm failed, a choice by the outcome and no test",
                   COLUMNS(conditional));
}

/* The differences of the primary arms at the top; here all, where there are more. */
static void comparison_plot(struct report *r, const struct comparison *c) {
  for (int lead = 1; lead >= 0; lead--) {
    struct forest forest;
    size_t others = 0;
    ad__forest_differences(r, &forest, lead);
    for (size_t a = 0; a < r->arms; a++) {
      if (!ad__is_baseline(r, a) && (!lead || ad__is_lead(r, a))) {
        ad__forest_difference(r, &forest, a, &c[a].difference.of, lead);
      }
      others += !ad__is_baseline(r, a) && !ad__is_lead(r, a);
    }
    if (!lead && others == 0) {
      forest.rows = 0;
    }
    ad__forest_close(r, &forest, lead ? "plot_comparison" : "plot_all_arms",
                     lead ? "Differences of the means on common seeds, with 95 % intervals. A dot is a pair of runs, a "
                            "cross one of which a run failed; shaded: the margin of equivalence, where there is one."
                          : "Differences of the means of all arms on common seeds, with 95 % intervals.",
                     lead);
  }
}

/* "sda against base: ..." for the top of the report. */
static void summarize_arm(struct report *r, size_t a, const struct comparison *c) {
  const struct ad_mixed *d = &c->difference.of;
  char subject[500], interval[300] = "", relative[80] = "", holm[60] = "", low[40], high[40], mean[40];
  snprintf(subject, sizeof subject, "%s against %s", r->arm[a].name, ad__baseline_name(r, a));
  if (d->mean.why != NULL) {
    ad__document_summary(r->doc, "%s: not available: %s.", subject, d->mean.why);
    return;
  }
  const struct unit_of *unit = &ad__units[r->doc->score + 2];
  const double error = d->error.why == NULL ? d->error.value * unit->scale : 0.0;
  char p[40] = ", no p";
  if (d->p.why == NULL) {
    snprintf(p, sizeof p, ", p = %.2g", d->p.value);
  }
  if (c->holm.why == NULL) {
    snprintf(holm, sizeof holm, ", with Holm's correction %.2g", c->holm.value);
  }
  if (d->interval.why == NULL) {
    snprintf(interval, sizeof interval, "95 %% CI %s to %s%s%s", ad__say(d->interval.low * unit->scale, error, low),
             ad__say(d->interval.high * unit->scale, error, high), p, holm);
  } else {
    snprintf(interval, sizeof interval, "no interval: %s", d->interval.why);
  }
  if (c->share.why == NULL && c->in_sds.why == NULL) {
    snprintf(relative, sizeof relative, ", %+.3g %% of the baseline, %+.2g of its SDs", 100 * c->share.value,
             c->in_sds.value);
  }
  ad__document_verdict(r->doc, subject, c->verdict, "%s %s%s%s%s%s (%s) on %s; better on %.0f %% of them.", r->metric,
                       d->mean.value > 0 ? "+" : "", ad__say(d->mean.value * unit->scale, error, mean),
                       unit->name[0] == '\0' ? "" : " ", unit->name, relative, interval, c->difference.design,
                       100 * c->better.value);
}

static void summarize(struct report *r, const struct comparison *c) {
  size_t shown = 0;
  for (size_t a = 0; a < r->arms && shown < SUMMARY_ARMS; a++) {
    if (!ad__is_baseline(r, a)) {
      shown++;
      summarize_arm(r, a, &c[a]);
    }
  }
  if (r->compared > shown) {
    ad__document_summary(r->doc, "%zu more arms are in the table.", r->compared - shown);
  }
}

int ad__report_comparison(struct report *r) {
  struct comparison *all = ad_calloc(2 * r->arms, sizeof *all), *fine = all + r->arms;
  if (all == NULL) {
    return ad_fail_memory(2 * r->arms * sizeof *all, "comparisons");
  }
  ad__document_section(
      r->doc, "comparison", "The comparison",
      "Each arm is compared with the baseline on the same seeds; the interval says which mean differences on other "
      "seeds the runs are consistent with, and counts the levels of the seeds that runs share, not the cells.",
      "with fewer than about 6 levels of a seed that runs share: the interval is then wide, and on a single "
      "far-out level it rests. Below 3 levels there is none.");
  int status = r->compared == 0 ? AD_OK : compare_all(r, 0, all);
  if (status == AD_OK && r->compared > 0) {
    status = compare_all(r, 1, fine);
  }
  if (status == AD_OK && r->compared == 0) {
    ad__document_note(r->doc, "Not available: %s.", ad__one_arm(r));
    ad__document_summary(r->doc, "Nothing to compare: %s.", ad__one_arm(r));
  } else if (status == AD_OK) {
    ad__document_note(r->doc, "Baseline: %s%s. Differences are arm minus baseline, so %s ones are better.",
                      r->arm[r->baseline].own, r->settings > 1 ? " of the same setting" : "",
                      r->falls ? "negative" : "positive");
    ad__document_note(r->doc,
                      "Means are by restricted maximum likelihood, effects of seeds being random. Intervals are "
                      "Student's t, over pairs or whole levels; of crossed seeds they are made of mean squares. Runs "
                      "that diverged have no score and are in neither table.");
    summarize(r, all);
    comparison_plot(r, all);
    comparison_tables(r, all, fine);
  }
  ad_free(all);
  return status;
}
