/* The section on the comparison of each arm with the baseline. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/compare.h"
#include "autodidact/statistics/summary.h"
#include "report_internal.h"

enum { SUMMARY_ARMS = 8 };

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
    const size_t n = ad__report_common(r, a, r->baseline, fine, scores, scores + r->points);
    status = ad_compare_paired(&c[a].paired, n, scores, scores + r->points, &r->how);
    if (status == AD_OK) {
      status = ad_compare_unpaired(&c[a].unpaired, fine ? arm->good : arm->all_count, fine ? arm->fine : arm->all,
                                   fine ? base->good : base->all_count, fine ? base->fine : base->all, &r->how);
    }
    if (status == AD_OK) {
      status = ad__report_crossed(r, a, &c[a].crossed);
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
  ad__document_table(r->doc, id, title, width, columns);
  for (size_t a = 0; a < r->arms; a++) {
    if (a != r->baseline) {
      ad__document_row(r->doc, &c[a]);
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
  ad__script_add(r, &script, "$d << EOD\n");
  for (size_t a = 0; a < r->arms; a++) {
    const struct ad_paired *p = &c[a].paired;
    if (a != r->baseline && p->mean.why == NULL) {
      const struct ad_interval i = quoted(&c[a]);
      const double m = p->mean.value * r->scale;
      drawn++;
      ad__script_add(r, &script, "%.9g %.9g %.9g -%zu\n", m, i.why == NULL ? i.low * r->scale : m,
                     i.why == NULL ? i.high * r->scale : m, a);
    }
  }
  ad__script_add(r, &script, "EOD\nunset key\n");
  ad__script_arm_axis(r, &script, r->arms);
  snprintf(label, sizeof label, "difference in %s from %s", r->metric, r->arm[r->baseline].name);
  ad__script_axis(r, &script, 'x', label, r->unit);
  ad__script_add(r, &script,
                 "set arrow from 0, graph 0 to 0, graph 1 nohead lc rgb '#5b6775' dt 2\n"
                 "plot $d using 1:4:2:3 with xerrorbars ls 1 ps 0.9\n");
  snprintf(label, sizeof label,
           "Mean difference from %s on common seeds with its 95 %% interval (of crossed seeds where they are; else by "
           "bootstrap, t below 10 pairs); %s of 0 is better.",
           r->arm[r->baseline].name, r->falls ? "left" : "right");
  if (drawn > 0) {
    ad__document_plot(r->doc, "plot_comparison", label, 820, ad__script_height(r->arms), &script);
  }
  ad_buffer_destroy(&script);
}

/* "sda against base: ..." for the top of the report. */
static void summarize(struct report *r, const struct comparison *c) {
  size_t shown = 0;
  for (size_t a = 0; a < r->arms && shown < SUMMARY_ARMS; a++) {
    const struct ad_paired *p = &c[a].paired;
    if (a == r->baseline) {
      continue;
    }
    shown++;
    if (p->mean.why != NULL) {
      ad__document_summary(r->doc, "%s against %s: not available: %s.", r->arm[a].name, r->arm[r->baseline].name,
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
    ad__document_summary(r->doc, "%s against %s: %s %+.3g%s (%s) on %zu common seed%s; better on %.0f %% of them%s.",
                         r->arm[a].name, r->arm[r->baseline].name, r->metric, mean, unit, interval, p->n,
                         p->n == 1 ? "" : "s", 100 * c[a].better.value, test);
  }
  if (r->arms > shown + 1) {
    ad__document_summary(r->doc, "%zu more arms are in the table.", r->arms - 1 - shown);
  }
}

int ad__report_comparison(struct report *r) {
  struct comparison *all = ad_calloc(2 * r->arms, sizeof *all), *fine = all + r->arms;
  if (all == NULL) {
    return ad_fail_memory(2 * r->arms * sizeof *all, "comparisons");
  }
  ad__document_section(
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
    ad__document_note(r->doc, "Not available: the study has one arm.");
    ad__document_summary(r->doc, "The study has one arm: nothing to compare.");
  } else if (status == AD_OK) {
    ad__document_note(
        r->doc, "Baseline: %s. Differences are arm minus baseline, so %s ones are better. %zu bootstrap replicates.",
        r->arm[r->baseline].name, r->falls ? "negative" : "positive", r->how.replicates);
    ad__document_note(r->doc, "Runs that diverged have no score and are in neither table.");
    summarize(r, all);
    comparison_plot(r, all);
    comparison_tables(r, all, fine);
  }
  ad_free(all);
  return status;
}
