/* The section on the spread of the arms. */
#include "autodidact/statistics/spread.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/summary.h"
#include "report_internal.h"

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
    ad__document_row(r->doc, &row);
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
      rows[a].pairs = ad__report_common(r, a, r->baseline, 0, scores, scores + r->points);
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
      ad__document_row(r->doc, &rows[a]);
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
    ad__document_table(r->doc, "spread", "SD of each arm over that of the baseline", COLUMNS(columns));
    status = ratio_rows(r, scores, rows, p);
  }
  ad_free(scores);
  ad_free(rows);
  ad_free(p);
  return status;
}

int ad__report_spread(struct report *r) {
  static const struct document_column columns[] = {
      COLUMN("runs", "runs", UNIT_NONE, spread_row, runs), COLUMN("f", "F", UNIT_NONE, spread_row, of.f),
      COLUMN("df1", "df", UNIT_NONE, spread_row, of.df1),
      COLUMN("df2", "df of the rest", UNIT_NONE, spread_row, of.df2), COLUMN("p", "p", UNIT_NONE, spread_row, of.p)};
  ad__document_section(
      r->doc, "spread", "Is the spread the same?",
      "Brown and Forsythe's test asks whether arms differ in spread over seeds; the ratio of the SDs says by how much.",
      "a large p-value as a sign of equal spread: 10 runs an arm see a ratio of 2.7, 30 runs one of 1.7, 100 runs one "
      "of 1.33 (80 % power).");
  if (r->arms < 2) {
    ad__document_note(r->doc, "Not available: the study has one arm.");
    return r->doc->status;
  }
  ad__document_table(r->doc, "brown_forsythe", "Brown-Forsythe over all arms", COLUMNS(columns));
  AD_TRY(omnibus(r, 0));
  AD_TRY(omnibus(r, 1));
  return ratio_table(r);
}
