/* Sections on scores: the comparison with the baseline, the arms, their spread. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/compare.h"
#include "report_internal.h"

enum { SUMMARY_ARMS = 8 };

/* ---- The comparison ---- */

struct comparison {
  const char *arm;
  struct ad_paired paired;
  struct ad_unpaired unpaired;
  struct ad_crossed_mean crossed;
  struct ad_figure holm, holm_crossed; /* of Wilcoxon's p and of the crossed mean's */
  struct ad_figure better;
  struct ad_interval better_interval;
};

/* The share of pairs on which the arm is better, from P(arm > baseline). */
static void orient(const struct report *r, struct comparison *c) {
  const struct ad_paired *p = &c->paired;
  c->better = p->superiority;
  c->better_interval = p->superiority_interval;
  if (r->falls && c->better.why == NULL) {
    c->better.value = 1 - c->better.value;
  }
  if (r->falls && c->better_interval.why == NULL) {
    c->better_interval = ad_interval_of(1 - p->superiority_interval.high, 1 - p->superiority_interval.low);
  }
}

/* Of every arm against the baseline into c [arms]; fine: without failed runs. */
static int compare_all(const struct report *r, int fine, struct comparison *c) {
  double *scores = ad_malloc(2 * r->points, sizeof *scores);
  struct ad_figure *p = ad_malloc(4 * r->arms, sizeof *p), *crossed = p + 2 * r->arms;
  int status = scores == NULL || p == NULL ? ad_fail_memory((2 * r->points + 4 * r->arms) * 8, "comparisons") : AD_OK;
  const struct report_arm *base = &r->arm[r->baseline];
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    const struct report_arm *arm = &r->arm[a];
    p[a] = crossed[a] = ad_figure_none("the baseline");
    c[a].arm = arm->name;
    if (a == r->baseline) {
      continue;
    }
    const size_t n = report_common(r, a, r->baseline, fine, scores, scores + r->points);
    status = ad_compare_paired(&c[a].paired, n, scores, scores + r->points, &r->how);
    if (status == AD_OK) {
      status = ad_compare_unpaired(&c[a].unpaired, fine ? arm->good : arm->all_count, fine ? arm->fine : arm->all,
                                   fine ? base->good : base->all_count, fine ? base->fine : base->all, &r->how);
    }
    if (status == AD_OK) {
      status = report_crossed(r, a, &c[a].crossed);
    }
    p[a] = c[a].paired.wilcoxon_p;
    crossed[a] = c[a].crossed.p;
    orient(r, &c[a]);
  }
  if (status == AD_OK) {
    status = ad_holm(r->arms, p, p + r->arms);
  }
  if (status == AD_OK) {
    status = ad_holm(r->arms, crossed, crossed + r->arms);
  }
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    c[a].holm = p[r->arms + a];
    c[a].holm_crossed = crossed[r->arms + a];
  }
  ad_free(scores);
  ad_free(p);
  return status;
}

/* A table with a row for every arm but the baseline. */
static void comparison_table(struct report *r, const struct comparison *c, const char *id, const char *title,
                             size_t width, const struct document_column *columns) {
  document_table(r->doc, id, title, width, columns);
  for (size_t a = 0; a < r->arms; a++) {
    if (a != r->baseline) {
      document_row(r->doc, &c[a]);
    }
  }
}

static void comparison_tables(struct report *r, const struct comparison *all, const struct comparison *fine) {
  static const struct document_column crossed[] = {
      COLUMN("arm", "arm", UNIT_NONE, comparison, arm),
      COLUMN("difference", "mean difference", UNIT_SCORE, comparison, crossed.mean),
      COLUMN("error", "standard error", UNIT_SCORE, comparison, crossed.error),
      COLUMN("df", "df", UNIT_NONE, comparison, crossed.df),
      COLUMN("interval", "95 % CI", UNIT_SCORE, comparison, crossed.interval),
      COLUMN("p", "p", UNIT_NONE, comparison, crossed.p),
      COLUMN("holm_p", "Holm p", UNIT_NONE, comparison, holm_crossed)};
  static const struct document_column paired[] = {
      COLUMN("arm", "arm", UNIT_NONE, comparison, arm),
      COLUMN("pairs", "common seeds", UNIT_NONE, comparison, paired.n),
      COLUMN("difference", "mean difference", UNIT_SCORE, comparison, paired.mean),
      COLUMN("bootstrap", "bootstrap 95 % CI", UNIT_SCORE, comparison, paired.bootstrap),
      COLUMN("t", "t 95 % CI", UNIT_SCORE, comparison, paired.t),
      COLUMN("wilcoxon_p", "Wilcoxon p", UNIT_NONE, comparison, paired.wilcoxon_p),
      COLUMN("holm_p", "Holm p", UNIT_NONE, comparison, holm),
      COLUMN("better", "P(better)", UNIT_NONE, comparison, better),
      COLUMN("better_interval", "P(better) 95 % CI", UNIT_NONE, comparison, better_interval),
      COLUMN("effect", "d_z", UNIT_NONE, comparison, paired.effect),
      COLUMN("t_p", "t p", UNIT_NONE, comparison, paired.t_p),
      COLUMN("wilcoxon", "Wilcoxon by", UNIT_NONE, comparison, paired.wilcoxon)};
  static const struct document_column unpaired[] = {
      COLUMN("arm", "arm", UNIT_NONE, comparison, arm),
      COLUMN("runs", "runs", UNIT_NONE, comparison, unpaired.a),
      COLUMN("baseline_runs", "of the baseline", UNIT_NONE, comparison, unpaired.b),
      COLUMN("difference", "mean difference", UNIT_SCORE, comparison, unpaired.mean),
      COLUMN("welch", "Welch 95 % CI", UNIT_SCORE, comparison, unpaired.t),
      COLUMN("welch_p", "Welch p", UNIT_NONE, comparison, unpaired.t_p),
      COLUMN("greater", "P(arm > baseline)", UNIT_NONE, comparison, unpaired.superiority),
      COLUMN("greater_interval", "bootstrap 95 % CI", UNIT_NONE, comparison, unpaired.superiority_interval)};
  comparison_table(r, all, "comparison_crossed", "All finished runs, for other seeds on every axis of the grid",
                   COLUMNS(crossed));
  comparison_table(r, all, "comparison", "All finished runs, failed ones with their score", COLUMNS(paired));
  comparison_table(r, fine, "comparison_without_failed", "Without failed runs", COLUMNS(paired));
  comparison_table(r, all, "comparison_unpaired", "All runs of either arm, seeds not paired", COLUMNS(unpaired));
}

/* The interval to quote: of crossed seeds where they are, else the bootstrap's, which is too short for few pairs. */
static struct ad_interval quoted(const struct comparison *c) {
  return c->crossed.interval.why == NULL                        ? c->crossed.interval
         : c->paired.n >= 10 && c->paired.bootstrap.why == NULL ? c->paired.bootstrap
                                                                : c->paired.t;
}

static void comparison_plot(struct report *r, const struct comparison *c) {
  struct ad_buffer script = {0};
  char label[300];
  size_t drawn = 0;
  script_add(r, &script, "$d << EOD\n");
  for (size_t a = 0; a < r->arms; a++) {
    const struct ad_paired *p = &c[a].paired;
    if (a != r->baseline && p->mean.why == NULL) {
      const struct ad_interval i = quoted(&c[a]);
      const double m = p->mean.value * r->scale;
      drawn++;
      script_add(r, &script, "%.9g %.9g %.9g -%zu\n", m, i.why == NULL ? i.low * r->scale : m,
                 i.why == NULL ? i.high * r->scale : m, a);
    }
  }
  script_add(r, &script, "EOD\nunset key\n");
  script_arm_axis(r, &script, r->arms);
  snprintf(label, sizeof label, "difference in %s from %s", r->metric, r->arm[r->baseline].name);
  script_axis(r, &script, 'x', label, r->unit);
  script_add(r, &script,
             "set arrow from 0, graph 0 to 0, graph 1 nohead lc rgb '#5b6775' dt 2\n"
             "plot $d using 1:4:2:3 with xerrorbars ls 1 ps 0.9\n");
  snprintf(label, sizeof label,
           "Mean difference from %s on common seeds with its 95 %% interval (of crossed seeds where they are; else by "
           "bootstrap, t below 10 pairs); %s of 0 is better.",
           r->arm[r->baseline].name, r->falls ? "left" : "right");
  if (drawn > 0) {
    document_plot(r->doc, "plot_comparison", label, 820, script_height(r->arms), &script);
  }
  ad_buffer_destroy(&script);
}

/* "sda against base: ..." for the top of the report. */
static void summarize(struct report *r, const struct comparison *c) {
  size_t told = 0;
  for (size_t a = 0; a < r->arms && told < SUMMARY_ARMS; a++) {
    const struct ad_paired *p = &c[a].paired;
    if (a == r->baseline) {
      continue;
    }
    told++;
    if (p->mean.why != NULL) {
      document_summary(r->doc, "%s against %s: not available: %s.", r->arm[a].name, r->arm[r->baseline].name,
                       p->mean.why);
      continue;
    }
    const double mean = p->mean.value * r->scale;
    const char *unit = strcmp(r->unit, "%") == 0 ? " points" : r->unit[0] == '\0' ? "" : " nats";
    char interval[120] = "no interval", test[120] = "";
    const struct ad_interval i = quoted(&c[a]);
    const int crossed = c[a].crossed.interval.why == NULL;
    if (i.why == NULL) {
      snprintf(interval, sizeof interval, "95 %% CI %.3g to %.3g%s", i.low * r->scale, i.high * r->scale,
               crossed ? ", seeds crossed" : "");
    }
    if (crossed || p->wilcoxon_p.why == NULL) {
      snprintf(test, sizeof test, "; %s = %.3g, with Holm's correction %.3g", crossed ? "p" : "Wilcoxon p",
               crossed ? c[a].crossed.p.value : p->wilcoxon_p.value,
               crossed ? c[a].holm_crossed.value : c[a].holm.value);
    }
    document_summary(r->doc, "%s against %s: %s %+.3g%s (%s) on %zu common seed%s; better on %.0f %% of them%s.",
                     r->arm[a].name, r->arm[r->baseline].name, r->metric, mean, unit, interval, p->n,
                     p->n == 1 ? "" : "s", 100 * c[a].better.value, test);
  }
  if (r->arms > told + 1) {
    document_summary(r->doc, "%zu more arms are in the table.", r->arms - 1 - told);
  }
}

int report_comparison(struct report *r) {
  struct comparison *all = ad_calloc(2 * r->arms, sizeof *all), *fine = all + r->arms;
  if (all == NULL) {
    return ad_fail_memory(2 * r->arms * sizeof *all, "comparisons");
  }
  document_section(
      r->doc, "comparison", "The comparison",
      "Each arm is compared with the baseline run by run on the same seeds; the interval says which mean "
      "differences the runs are consistent with.",
      "with fewer than about 10 common seeds (then read the t interval). Where seeds are crossed, the cells of "
      "a row or column share a seed and are not that many independent pairs: the intervals and p-values "
      "over pairs are then too sure, and those of the crossed table count.");
  int status = r->arms < 2 ? AD_OK : compare_all(r, 0, all);
  if (status == AD_OK && r->arms >= 2) {
    status = compare_all(r, 1, fine);
  }
  if (status == AD_OK && r->arms < 2) {
    document_note(r->doc, "Not available: the study has one arm.");
    document_summary(r->doc, "The study has one arm: nothing to compare.");
  } else if (status == AD_OK) {
    document_note(r->doc,
                  "Baseline: %s. Differences are arm minus baseline, so %s ones are better. %zu bootstrap replicates.",
                  r->arm[r->baseline].name, r->falls ? "negative" : "positive", r->how.replicates);
    document_note(r->doc, "Runs that diverged have no score and are in neither table.");
    summarize(r, all);
    comparison_plot(r, all);
    comparison_tables(r, all, fine);
  }
  ad_free(all);
  return status;
}

/* ---- The arms ---- */

struct arm_row {
  const char *arm;
  size_t cells, failed, missing;
  struct ad_interval failed_share;
  struct ad_summary of;
};

static int arm_table(struct report *r, int fine, const char *id, const char *title) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, arm_row, arm),
      COLUMN("cells", "cells", UNIT_NONE, arm_row, cells),
      COLUMN("n", "n", UNIT_NONE, arm_row, of.n),
      COLUMN("failed", "failed", UNIT_NONE, arm_row, failed),
      COLUMN("failed_share", "failed, Wilson 95 % CI", UNIT_PERCENT, arm_row, failed_share),
      COLUMN("missing", "missing", UNIT_NONE, arm_row, missing),
      COLUMN("mean", "mean", UNIT_SCORE, arm_row, of.mean),
      COLUMN("mean_interval", "95 % CI", UNIT_SCORE, arm_row, of.mean_interval),
      COLUMN("median", "median", UNIT_SCORE, arm_row, of.median),
      COLUMN("sd", "SD", UNIT_SCORE, arm_row, of.sd),
      COLUMN("sd_interval", "SD 95 % CI", UNIT_SCORE, arm_row, of.sd_interval),
      COLUMN("minimum", "min", UNIT_SCORE, arm_row, of.minimum),
      COLUMN("maximum", "max", UNIT_SCORE, arm_row, of.maximum),
      COLUMN("lower", "quartile 1", UNIT_SCORE, arm_row, of.lower),
      COLUMN("upper", "quartile 3", UNIT_SCORE, arm_row, of.upper),
      COLUMN("iqr", "IQR", UNIT_SCORE, arm_row, of.iqr)};
  document_table(r->doc, id, title, COLUMNS(columns));
  for (size_t a = 0; a < r->arms; a++) {
    const struct report_arm *arm = &r->arm[a];
    struct arm_row row = {.arm = arm->name,
                          .cells = r->points,
                          .failed = arm->failed + arm->diverged,
                          .missing = arm->missing,
                          .failed_share = ad_wilson(arm->failed + arm->diverged, arm->all_count + arm->diverged,
                                                    r->how.level)};
    AD_TRY(ad_summarize(&row.of, fine ? arm->good : arm->all_count, fine ? arm->fine : arm->all, r->how.level));
    document_row(r->doc, &row);
  }
  return r->doc->status;
}

enum { SEED_COLUMNS = 8 };

struct run_row {
  const char *arm, *seed[SEED_COLUMNS], *cell, *state;
  struct ad_figure score;
};

static struct ad_figure run_score(const struct report_run *run) {
  return !isnan(run->score) ? ad_figure_of(run->score)
                            : ad_figure_none(run->state == RUN_DIVERGED ? "the run diverged" : "no result");
}

/* The row of run i, arm after arm. */
static void run_row(struct report *r, size_t i, size_t seeds, const size_t *axes) {
  static const char *const states[] = {"good", "failed", "diverged", "missing"};
  const struct report_arm *arm = &r->arm[i / r->points];
  const struct report_run *run = &arm->runs[i % r->points];
  const struct ad_study_cell *cell = &r->study->cells[run->cell];
  char id[20];
  snprintf(id, sizeof id, "%016" PRIx64, cell->id);
  struct run_row row = {.arm = arm->name, .cell = id, .state = states[run->state], .score = run_score(run)};
  for (size_t x = 0; x < seeds; x++) {
    row.seed[x] = r->study->axes[axes[x]].values[cell->level[axes[x]]];
  }
  document_row(r->doc, &row);
}

/* Every cell, for CSV and JSON: a column for each axis of seeds. */
static void run_table(struct report *r) {
  const struct document_column last[] = {COLUMN("cell", "cell", UNIT_NONE, run_row, cell),
                                         COLUMN("state", "state", UNIT_NONE, run_row, state),
                                         COLUMN("score", r->metric, UNIT_SCORE, run_row, score)};
  struct document_column columns[1 + SEED_COLUMNS + sizeof last / sizeof *last] = {
      COLUMN("arm", "arm", UNIT_NONE, run_row, arm)};
  size_t seeds = 0, axes[SEED_COLUMNS];
  for (size_t x = 0; x < r->study->axis_count && seeds < SEED_COLUMNS; x++) {
    const char *key = r->study->axes[x].key;
    if (r->study->axes[x].seed) {
      columns[1 + seeds] = (struct document_column)COLUMN(key, key, UNIT_NONE, run_row, seed[0]);
      columns[1 + seeds].offset += seeds * sizeof(char *);
      axes[seeds++] = x;
    }
  }
  memcpy(columns + 1 + seeds, last, sizeof last);
  document_table(r->doc, "runs", "Every run", 1 + seeds + sizeof last / sizeof *last, columns);
  document_data_only(r->doc);
  for (size_t i = 0; i < r->arms * r->points; i++) {
    run_row(r, i, seeds, axes);
  }
}

static int points_plot(struct report *r) {
  struct ad_buffer script = {0};
  for (int failed = 0; failed < 2; failed++) {
    script_add(r, &script, failed ? "$failed << EOD\n" : "$good << EOD\n");
    for (size_t i = 0; i < r->arms * r->points; i++) {
      const struct report_run *run = &r->arm[i / r->points].runs[i % r->points];
      if (run->state == (failed ? RUN_FAILED : RUN_GOOD)) {
        /* Points of one arm are spread over its line by the golden ratio. */
        script_add(r, &script, "%.9g %.4f\n", run->score * r->scale,
                   0.22 - fmod(0.618034 * (double)(i % r->points), 1.0) * 0.44 - (double)(i / r->points));
      }
    }
    script_add(r, &script, "EOD\n");
  }
  script_add(r, &script, "$box << EOD\n");
  for (size_t a = 0; a < r->arms; a++) {
    struct ad_summary s;
    if (r->doc->status == AD_OK) {
      r->doc->status = ad_summarize(&s, r->arm[a].all_count, r->arm[a].all, r->how.level);
    }
    if (r->doc->status == AD_OK && s.n > 0) {
      script_add(r, &script, "%.9g %.9g %.9g -%zu %.9g\n", s.median.value * r->scale, s.lower.value * r->scale,
                 s.upper.value * r->scale, a, s.mean.value * r->scale);
    }
  }
  script_add(r, &script, "EOD\n");
  script_arm_axis(r, &script, r->arms);
  script_axis(r, &script, 'x', r->metric, r->unit);
  script_add(r, &script,
             "set key outside top center horizontal\nset offsets graph 0.02, graph 0.02, 0, 0\n"
             "plot $box using 1:4:2:3:($4-0.32):($4+0.32) with boxxyerror fc rgb '#0072b2' fs transparent solid 0.14 "
             "border lc rgb '#8fb6d3' t 'quartiles', "
             "$box using 1:($4-0.32):(0):(0.64) with vectors nohead lc rgb '#0072b2' lw 2 t 'median', "
             "$good using 1:2 with points pt 7 ps 0.45 lc rgb '#1c2530' t 'run', "
             "$failed using 1:2 with points pt 2 ps 0.7 lw 1.5 lc rgb '#d55e00' t 'failed run'\n");
  size_t finished = 0;
  for (size_t a = 0; a < r->arms; a++) {
    finished += r->arm[a].all_count;
  }
  if (finished == 0) {
    document_note(r->doc, "No run is finished: nothing to plot.");
    ad_buffer_destroy(&script);
    return r->doc->status;
  }
  document_plot(r->doc, "plot_runs",
                "Every finished run, with median and quartiles of each arm. The height within a line means nothing.",
                820, script_height(r->arms) + 30, &script);
  ad_buffer_destroy(&script);
  return r->doc->status;
}

int report_arms(struct report *r) {
  static const char *const rules[] = {"accuracy not above that of always naming the most frequent class", "none",
                                      "a threshold on the result"};
  document_section(r->doc, "arms", "The arms",
                   "Each point is a training that differs from its neighbours in seeds alone, so the spread is what "
                   "chance does to this method.",
                   "the SD's interval where values are far from normal (outliers, two humps), and any mean over failed "
                   "and good runs together.");
  document_note(r->doc,
                "A run counts as failed if it diverged, or by the study's rule: %s. Cells without a result are missing "
                "and count as nothing.",
                rules[r->study->rule]);
  AD_TRY(points_plot(r));
  AD_TRY(arm_table(r, 0, "arms", "All finished runs, failed ones with their score"));
  AD_TRY(arm_table(r, 1, "arms_without_failed", "Without failed runs"));
  run_table(r);
  return r->doc->status;
}

/* ---- Spread ---- */

struct spread_row {
  const char *runs;
  struct ad_spread of;
};

static int omnibus(struct report *r, int fine) {
  size_t *counts = ad_malloc(r->arms, sizeof *counts);
  const double **values = ad_malloc(r->arms, sizeof *values);
  struct spread_row row = {.runs = fine ? "without failed runs" : "all finished runs"};
  int status = counts == NULL || values == NULL ? ad_fail_memory(16 * r->arms, "arms") : AD_OK;
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    counts[a] = fine ? r->arm[a].good : r->arm[a].all_count;
    values[a] = fine ? r->arm[a].fine : r->arm[a].all;
  }
  if (status == AD_OK) {
    status = ad_brown_forsythe(&row.of, r->arms, counts, values);
    document_row(r->doc, &row);
  }
  ad_free(counts);
  ad_free(values);
  return status;
}

/* Brown-Forsythe of an arm against the baseline, as a p-value. */
static int pair_p(const struct report *r, size_t a, struct ad_figure *p) {
  const size_t counts[2] = {r->arm[a].all_count, r->arm[r->baseline].all_count};
  const double *const values[2] = {r->arm[a].all, r->arm[r->baseline].all};
  struct ad_spread s;
  AD_TRY(ad_brown_forsythe(&s, 2, counts, values));
  *p = s.p;
  return AD_OK;
}

struct ratio_row {
  const char *arm;
  size_t pairs;
  struct ad_sd_ratio of;
  struct ad_figure holm, brown, holm_brown;
};

/* rows [arms], p [4 * arms] and scores [2 * points] are work memory. */
static int ratio_rows(struct report *r, double *scores, struct ratio_row *rows, struct ad_figure *p) {
  struct ad_figure *adjusted = p + r->arms, *brown = p + 2 * r->arms, *brown_adjusted = p + 3 * r->arms;
  for (size_t a = 0; a < r->arms; a++) {
    p[a] = brown[a] = ad_figure_none("the baseline");
    if (a != r->baseline) {
      rows[a].arm = r->arm[a].name;
      rows[a].pairs = report_common(r, a, r->baseline, 0, scores, scores + r->points);
      AD_TRY(ad_compare_sd(&rows[a].of, rows[a].pairs, scores, rows[a].pairs, scores + r->points, 1, &r->how));
      AD_TRY(pair_p(r, a, &brown[a]));
      p[a] = rows[a].of.p;
    }
  }
  AD_TRY(ad_holm(r->arms, p, adjusted));
  AD_TRY(ad_holm(r->arms, brown, brown_adjusted));
  for (size_t a = 0; a < r->arms; a++) {
    if (a != r->baseline) {
      rows[a].holm = adjusted[a];
      rows[a].brown = brown[a];
      rows[a].holm_brown = brown_adjusted[a];
      document_row(r->doc, &rows[a]);
    }
  }
  return r->doc->status;
}

static int ratio_table(struct report *r) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, ratio_row, arm),
      COLUMN("pairs", "common seeds", UNIT_NONE, ratio_row, pairs),
      COLUMN("ratio", "SD ratio", UNIT_NONE, ratio_row, of.ratio),
      COLUMN("interval", "bootstrap 95 % CI", UNIT_NONE, ratio_row, of.interval),
      COLUMN("permutation_p", "permutation p", UNIT_NONE, ratio_row, of.p),
      COLUMN("holm_permutation_p", "Holm p", UNIT_NONE, ratio_row, holm),
      COLUMN("brown_forsythe_p", "Brown-Forsythe p", UNIT_NONE, ratio_row, brown),
      COLUMN("holm_brown_forsythe_p", "Holm p", UNIT_NONE, ratio_row, holm_brown)};
  double *scores = ad_malloc(2 * r->points, sizeof *scores);
  struct ratio_row *rows = ad_calloc(r->arms, sizeof *rows);
  struct ad_figure *p = ad_malloc(4 * r->arms, sizeof *p);
  int status = AD_OK;
  if (scores == NULL || rows == NULL || p == NULL) {
    status = ad_fail_memory(2 * r->points * sizeof *scores, "ratios of spread");
  } else {
    document_table(r->doc, "spread", "SD of each arm over that of the baseline", COLUMNS(columns));
    status = ratio_rows(r, scores, rows, p);
  }
  ad_free(scores);
  ad_free(rows);
  ad_free(p);
  return status;
}

int report_spread(struct report *r) {
  static const struct document_column columns[] = {COLUMN("runs", "runs", UNIT_NONE, spread_row, runs),
                                                   COLUMN("f", "F", UNIT_NONE, spread_row, of.f),
                                                   COLUMN("df1", "df", UNIT_NONE, spread_row, of.df1),
                                                   COLUMN("df2", "df of the rest", UNIT_NONE, spread_row, of.df2),
                                                   COLUMN("p", "p", UNIT_NONE, spread_row, of.p)};
  document_section(
      r->doc, "spread", "Is the spread the same?",
      "Brown and Forsythe's test asks whether arms differ in spread over seeds; the ratio of the SDs says by how much.",
      "a large p-value as a sign of equal spread: 10 runs an arm see a ratio of 2.7, 30 runs one of 1.7, 100 runs one "
      "of 1.33 (80 % power).");
  if (r->arms < 2) {
    document_note(r->doc, "Not available: the study has one arm.");
    return r->doc->status;
  }
  document_table(r->doc, "brown_forsythe", "Brown-Forsythe over all arms", COLUMNS(columns));
  AD_TRY(omnibus(r, 0));
  AD_TRY(omnibus(r, 1));
  return ratio_table(r);
}
