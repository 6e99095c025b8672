/* The table of failed runs as an end point of their own. */
#include <stdio.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/exchange.h"
#include "autodidact/statistics/summary.h"
#include "report_internal.h"

struct failure_row {
  const char *arm;
  size_t pairs, failed, baseline, only_arm, only_baseline;
  struct ad_figure difference, p, holm;
};

static int has_failed(const struct report_run *run) {
  return run->state == RUN_FAILED || run->state == RUN_DIVERGED;
}

/* Exchanges whole levels of the seeds that runs share. difference, points and level [points]: of the pairs. */
static int test_levels(const struct report *r, struct failure_row *row, const size_t *points, long *difference) {
  static const char shared[] = "more than one seed is shared: no level can be exchanged alone";
  struct ad_terms terms;
  int status = ad__report_terms(r, row->pairs, points, &terms);
  row->p = ad_figure_none(r->seeds.why != NULL ? r->seeds.why : shared);
  if (status == AD_OK && r->seeds.why == NULL && terms.count == 0) {
    status = ad_exchange_test(&row->p, row->pairs, difference);
  } else if (status == AD_OK && r->seeds.why == NULL && terms.count == 1) {
    long *sum = ad_calloc(terms.levels[0], sizeof *sum);
    status = sum == NULL ? ad_fail_memory(terms.levels[0] * sizeof *sum, "levels of seeds") : AD_OK;
    for (size_t i = 0; i < row->pairs && status == AD_OK; i++) {
      sum[terms.group[0][i]] += difference[i];
    }
    status = status == AD_OK ? ad_exchange_test(&row->p, terms.levels[0], sum) : status;
    ad_free(sum);
  }
  ad_terms_destroy(&terms);
  return status;
}

static int fill_row(const struct report *r, size_t a, struct failure_row *row, size_t *points, long *difference) {
  *row = (struct failure_row){.arm = r->arm[a].name};
  for (size_t k = 0; k < r->points; k++) {
    const struct report_run *own = &r->arm[a].runs[k], *base = &r->arm[r->arm[a].baseline].runs[k];
    if (own->state != RUN_MISSING && base->state != RUN_MISSING) {
      const int x = has_failed(own), y = has_failed(base);
      row->failed += x != 0;
      row->baseline += y != 0;
      row->only_arm += x > y;
      row->only_baseline += y > x;
      points[row->pairs] = k;
      difference[row->pairs++] = x - y;
    }
  }
  row->difference = row->pairs == 0 ? ad_figure_none("no common seeds")
                                    : ad_figure_of(((double)row->failed - (double)row->baseline) / (double)row->pairs);
  return test_levels(r, row, points, difference);
}

static int fill_rows(struct report *r, struct failure_row *rows, struct ad_figure *p) {
  size_t *points = ad_malloc(r->points, sizeof *points);
  long *difference = ad_malloc(r->points, sizeof *difference);
  int status = points == NULL || difference == NULL ? ad_fail_memory(16 * r->points, "pairs of failed runs") : AD_OK;
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    p[a] = ad_figure_none("the baseline");
    if (!ad__is_baseline(r, a)) {
      status = fill_row(r, a, &rows[a], points, difference);
      p[a] = rows[a].p;
    }
  }
  ad_free(points);
  ad_free(difference);
  return status == AD_OK ? ad_holm(r->arms, p, p + r->arms) : status;
}

static void summarize_row(struct report *r, size_t a, const struct failure_row *row) {
  char test[80] = "no test";
  if (row->p.why == NULL) {
    snprintf(test, sizeof test, "exact p = %.3g, with Holm's correction %.3g", row->p.value, row->holm.value);
  }
  if (row->failed + row->baseline > 0) {
    ad__document_summary(r->doc, "%s: %zu of %zu runs failed, of %s %zu (%s).", row->arm, row->failed, row->pairs,
                         ad__baseline_name(r, a), row->baseline, test);
  }
}

int ad__report_failures(struct report *r) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, failure_row, arm),
      COLUMN("pairs", "in common", UNIT_NONE, failure_row, pairs),
      COLUMN("failed", "failed", UNIT_NONE, failure_row, failed),
      COLUMN("baseline", "of the baseline", UNIT_NONE, failure_row, baseline),
      COLUMN("difference", "difference", UNIT_POINTS, failure_row, difference),
      COLUMN("only_arm", "only the arm", UNIT_NONE, failure_row, only_arm),
      COLUMN("only_baseline", "only the baseline", UNIT_NONE, failure_row, only_baseline),
      COLUMN("p", "exact p", UNIT_NONE, failure_row, p),
      COLUMN("holm_p", "Holm p", UNIT_NONE, failure_row, holm)};
  if (r->compared == 0) {
    return r->doc->status;
  }
  struct failure_row *rows = ad_calloc(r->arms, sizeof *rows);
  struct ad_figure *p = ad_malloc(2 * r->arms, sizeof *p);
  int status =
      rows == NULL || p == NULL ? ad_fail_memory(r->arms * sizeof *rows, "failed runs") : fill_rows(r, rows, p);
  if (status == AD_OK) {
    ad__document_table(r->doc, "failures", "Failed and diverged runs against the baseline, on common seeds",
                       COLUMNS(columns));
  }
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    rows[a].holm = p[r->arms + a];
    if (!ad__is_baseline(r, a)) {
      ad__document_row(r->doc, &rows[a]);
      summarize_row(r, a, &rows[a]);
    }
  }
  ad_free(rows);
  ad_free(p);
  return status == AD_OK ? r->doc->status : status;
}
