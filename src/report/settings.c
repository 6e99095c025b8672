/* The section on arms over several settings: data sets, sizes, or whatever the study crosses its arms with. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/aggregate.h"
#include "report_internal.h"

static const char is_baseline[] = "the baseline";
static const char not_above_0[] = "the baseline's mean in a setting is not above 0";
static const char no_runs[] = "a setting has no finished runs of the arm or of its baseline";

/* An arm in a setting. */
struct setting_row {
  const char *setting, *arm;
  size_t n, common; /* finished runs; combinations of seeds that the baseline has finished too */
  struct report_mean mean;
  struct ad_figure change; /* of the mean on common seeds, of the baseline's */
  struct ad_interval change_interval;
  struct ad_figure better; /* probability that a run is better than one of the baseline */
};

/* An arm over all its settings. */
struct average_row {
  const char *arm;
  size_t settings, n;
  struct report_mean change; /* the mean over settings of the relative changes, seed by seed */
  struct ad_figure better, middle;
};

/* points, a, b and sum [points]; values [arms, points]. */
struct work {
  size_t *points;
  double *a, *b, *sum, *values;
};

static int same_arm(const struct report *r, size_t a, size_t b) {
  return strcmp(r->arm[a].own, r->arm[b].own) == 0;
}

/* 1 for the first arm of its name. */
static int is_first(const struct report *r, size_t a) {
  size_t first = 0;
  while (!same_arm(r, first, a)) {
    first++;
  }
  return first == a;
}

static int better_than_baseline(const struct report *r, size_t a, struct ad_figure *better) {
  const struct report_arm *arm = &r->arm[a], *base = &r->arm[arm->baseline];
  AD_TRY(ad_probability_lower(better, arm->all_count, arm->all, base->all_count, base->all));
  if (better->why == NULL && !r->falls) {
    better->value = 1 - better->value;
  }
  return AD_OK;
}

/* The relative change in one setting. */
static int setting_row(const struct report *r, size_t a, const struct work *w, struct setting_row *row) {
  struct report_mean change;
  *row = (struct setting_row){.setting = r->arm[a].setting, .arm = r->arm[a].own, .n = r->arm[a].all_count};
  row->common = ad__report_common(r, a, r->arm[a].baseline, 0, w->points, w->a, w->b);
  row->change = row->better = ad_figure_none(is_baseline);
  row->change_interval = ad_interval_none(is_baseline);
  AD_TRY(ad__report_arm_mean(r, a, &row->mean));
  if (ad__is_baseline(r, a)) {
    return AD_OK;
  }
  row->change = ad_relative_change(row->common, w->a, w->b, w->a);
  row->change_interval = ad_interval_none(row->change.why);
  if (row->change.why == NULL) {
    AD_TRY(ad__report_mean(r, row->common, w->points, w->a, &change));
    row->change = change.of.mean;
    row->change_interval = change.of.interval;
  }
  return better_than_baseline(r, a, &row->better);
}

/* Combinations of seeds that the arms of a name and their baselines have finished in every setting. */
static size_t find_complete(const struct report *r, size_t first, size_t *points) {
  size_t n = 0;
  for (size_t k = 0; k < r->points; k++) {
    int all = 1;
    for (size_t a = first; a < r->arms; a++) {
      all = all && (!same_arm(r, a, first) ||
                    (!isnan(r->arm[a].runs[k].score) && !isnan(r->arm[r->arm[a].baseline].runs[k].score)));
    }
    points[n] = k;
    n += all != 0;
  }
  return n;
}

/* Into w->sum [n]: the mean over settings of what each combination of seeds makes of the relative change. */
static struct ad_figure add_changes(const struct report *r, size_t first, size_t settings, size_t n,
                                    const struct work *w) {
  memset(w->sum, 0, n * sizeof *w->sum);
  for (size_t a = first; a < r->arms; a++) {
    if (!same_arm(r, a, first)) {
      continue;
    }
    for (size_t i = 0; i < n; i++) {
      w->a[i] = r->arm[a].runs[w->points[i]].score;
      w->b[i] = r->arm[r->arm[a].baseline].runs[w->points[i]].score;
    }
    const struct ad_figure change = ad_relative_change(n, w->a, w->b, w->a);
    if (change.why != NULL) {
      return change;
    }
    for (size_t i = 0; i < n; i++) {
      w->sum[i] += w->a[i] / (double)settings;
    }
  }
  return ad_figure_of(0.0);
}

static int average_change(const struct report *r, size_t first, const struct work *w, struct average_row *row) {
  row->n = find_complete(r, first, w->points);
  const struct ad_figure known = row->n == 0 ? ad_figure_none("no combination of seeds is finished in every setting")
                                 : ad__is_baseline(r, first) ? ad_figure_none(is_baseline)
                                                             : add_changes(r, first, row->settings, row->n, w);
  AD_TRY(ad__report_mean(r, known.why == NULL ? row->n : 0, w->points, w->sum, &row->change));
  if (known.why != NULL) {
    row->change.of.mean = row->change.of.p = known;
    row->change.of.interval = ad_interval_none(known.why);
  }
  return AD_OK;
}

/* Scores of an arm over its baseline's mean, into values [all_count of the arm]; or why there are none. */
static const char *scale_scores(const struct report_arm *arm, const struct report_arm *base, double *values) {
  double mean = 0.0;
  if (arm->all_count == 0 || base->all_count == 0) {
    return no_runs;
  }
  for (size_t i = 0; i < base->all_count; i++) {
    mean += base->all[i] / (double)base->all_count;
  }
  for (size_t i = 0; mean > 0.0 && i < arm->all_count; i++) {
    values[i] = arm->all[i] / mean;
  }
  return mean > 0.0 ? NULL : not_above_0;
}

/* Over settings: the mean probability of improvement; the inter-quartile mean of the scores over the mean of the
 * baseline of each setting. */
static int average_row(const struct report *r, size_t first, const struct work *w, struct average_row *row) {
  size_t count = 0;
  const char *why = NULL;
  *row = (struct average_row){.arm = r->arm[first].own, .better = {0.0, NULL}};
  for (size_t a = first; a < r->arms; a++) {
    const struct report_arm *arm = &r->arm[a], *base = &r->arm[arm->baseline];
    struct ad_figure better;
    if (!same_arm(r, a, first)) {
      continue;
    }
    why = why != NULL ? why : scale_scores(arm, base, w->values + count);
    count += arm->all_count;
    AD_TRY(better_than_baseline(r, a, &better));
    row->better = row->better.why != NULL ? row->better
                  : better.why != NULL    ? better
                                          : ad_figure_of(row->better.value + better.value);
    row->settings++;
  }
  if (row->better.why == NULL) {
    row->better = ad__is_baseline(r, first) ? ad_figure_none(is_baseline)
                                            : ad_figure_of(row->better.value / (double)row->settings);
  }
  row->middle = ad_figure_none(why);
  AD_TRY(why != NULL ? AD_OK : ad_interquartile_mean(&row->middle, count, w->values));
  return average_change(r, first, w, row);
}

/* For the top of the report. */
static void summarize_average(struct report *r, const struct average_row *row) {
  const struct ad_mixed *c = &row->change.of;
  char interval[200];
  if (c->mean.why != NULL || row->settings < 2) {
    return;
  }
  if (c->interval.why == NULL) {
    snprintf(interval, sizeof interval, "95 %% CI %.3g to %.3g", 100 * c->interval.low, 100 * c->interval.high);
  } else {
    snprintf(interval, sizeof interval, "no interval: %s", c->interval.why);
  }
  ad__document_summary(r->doc, "%s over %zu settings: %+.3g %% of the baseline's mean on average (%s) on %s.", row->arm,
                       row->settings, 100 * c->mean.value, interval, row->change.design);
}

static int setting_table(struct report *r, const struct work *w) {
  static const struct document_column columns[] = {
      COLUMN("setting", "setting", UNIT_NONE, setting_row, setting),
      COLUMN("arm", "arm", UNIT_NONE, setting_row, arm),
      COLUMN("n", "n", UNIT_NONE, setting_row, n),
      COLUMN("common", "in common", UNIT_NONE, setting_row, common),
      COLUMN("mean", "mean", UNIT_SCORE, setting_row, mean.of.mean),
      COLUMN("sd", "SD", UNIT_SCORE, setting_row, mean.of.sd),
      COLUMN("change", "change", UNIT_PERCENT, setting_row, change),
      COLUMN("change_interval", "change 95 % CI", UNIT_PERCENT, setting_row, change_interval),
      COLUMN("better", "P(improvement)", UNIT_NONE, setting_row, better)};
  ad__document_table(r->doc, "settings", "Each arm in each setting, against the baseline there", COLUMNS(columns));
  for (size_t a = 0; a < r->arms; a++) {
    for (size_t b = 0; b < r->arms && ad__is_baseline(r, a); b++) {
      struct setting_row row;
      if (r->arm[b].baseline == a) {
        AD_TRY(setting_row(r, b, w, &row));
        ad__document_row(r->doc, &row);
      }
    }
  }
  return r->doc->status;
}

static int average_table(struct report *r, const struct work *w) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, average_row, arm),
      COLUMN("settings", "settings", UNIT_NONE, average_row, settings),
      COLUMN("n", "in common", UNIT_NONE, average_row, n),
      COLUMN("change", "average change", UNIT_PERCENT, average_row, change.of.mean),
      COLUMN("interval", "95 % CI", UNIT_PERCENT, average_row, change.of.interval),
      COLUMN("better", "P(improvement)", UNIT_NONE, average_row, better),
      COLUMN("iqm", "IQM, of the baseline's mean", UNIT_PERCENT, average_row, middle)};
  ad__document_table(r->doc, "settings_average", "Each arm over all settings", COLUMNS(columns));
  for (size_t a = 0; a < r->arms; a++) {
    struct average_row row;
    if (is_first(r, a)) {
      AD_TRY(average_row(r, a, w, &row));
      ad__document_row(r->doc, &row);
      summarize_average(r, &row);
    }
  }
  return r->doc->status;
}

int ad__report_settings(struct report *r) {
  if (r->settings < 2 || r->compared == 0) {
    return r->doc->status;
  }
  ad__document_section(
      r->doc, "settings", "Over all settings",
      "Each arm against the baseline of the same data set and setting: the change of its mean in per cent of the "
      "baseline's mean there, and the average of these changes.",
      "an average over settings that do not ask the same question, or over few of them: its interval speaks of other "
      "seeds in these settings, not of other settings. Changes where the baseline's mean is near 0. Arms of which runs "
      "diverged: these have no score and count in no figure here.");
  ad__document_note(
      r->doc,
      "%s changes are better. A combination of seeds counts once: its changes in all settings are averaged first. Only "
      "those that are finished in every setting count. P(improvement) is over all pairs of runs, IQM the mean of the "
      "middle half of all runs, each over its setting's baseline mean; neither has an interval.%s",
      r->falls ? "Negative" : "Positive",
      r->family.active ? " No registered test is of these figures: they are exploratory." : "");
  struct work w = {.points = ad_malloc(r->points, sizeof *w.points),
                   .a = ad_malloc(3 * r->points, sizeof *w.a),
                   .values = ad_malloc(r->arms * r->points, sizeof *w.values)};
  int status = AD_OK;
  if (w.points == NULL || w.a == NULL || w.values == NULL) {
    status = ad_fail_memory((r->arms + 4) * r->points * sizeof *w.values, "the scores of all settings");
  } else {
    w.b = w.a + r->points;
    w.sum = w.b + r->points;
    status = setting_table(r, &w);
    status = status == AD_OK ? average_table(r, &w) : status;
  }
  ad_free(w.points);
  ad_free(w.a);
  ad_free(w.values);
  return status;
}
