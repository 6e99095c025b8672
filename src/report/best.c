/* The section on the best of n runs. */
#include <stdio.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/search.h"
#include "report_internal.h"

enum { BEST_POINTS = 80 };

static void best_curve(struct report *r, struct ad_buffer *script, size_t a, size_t points,
                       const struct ad_best_of *best) {
  ad__script_add(r, script, "$b%zu << EOD\n", a);
  for (size_t k = 0; k < points; k++) {
    if (best[k].unbiased.why == NULL) {
      ad__script_add(r, script, "%zu %.9g %.9g %.9g %.9g\n", best[k].n, best[k].unbiased.value * r->scale,
                     best[k].plug_in.value * r->scale, best[k].band.low * r->scale, best[k].band.high * r->scale);
    }
  }
  ad__script_add(r, script, "EOD\n");
}

static void plot_best(struct report *r, struct ad_buffer *script, const unsigned char *drawn) {
  size_t curves = 0, all = 0;
  char title[240], left_out[100];
  ad__script_axis(r, script, 'x', "n, runs tried", "");
  ad__script_axis(r, script, 'y', "expected best", r->metric);
  ad__script_add(r, script, r->points <= 40 ? "set xtics 1\n" : "");
  ad__script_add(r, script, "plot ");
  for (size_t a = 0; a < r->arms; a++) {
    all += drawn[a];
    if (drawn[a] && curves < CURVES) {
      const size_t style = ad__script_style(r, a, curves);
      ad__script_add(r, script,
                     "%s$b%zu using 1:4:5 with filledcurves ls %zu notitle, $b%zu using 1:2 with linespoints ls %zu t ",
                     curves > 0 ? ", " : "", a, style, a, style);
      ad__script_name(r, script, r->arm[a].name);
      ad__script_add(r, script, ", $b%zu using 1:3 with lines ls %zu lw 1 dt 3 notitle", a, style);
      curves++;
    }
  }
  ad__script_add(r, script, "\n");
  if (curves > 0) {
    snprintf(title, sizeof title,
             "Expected best of n runs: unbiased (line) and plug-in (dotted); the band holds 95 %% of single bests.%s",
             ad__script_left_out(curves, all, sizeof left_out, left_out));
    ad__document_plot(r->doc, "plot_best", title, 820, 400, script);
  }
}

struct best_row {
  const char *arm;
  struct ad_best_of of;
};

static int best_rows(struct report *r, struct ad_buffer *script, unsigned char *drawn) {
  struct ad_best_of best[BEST_POINTS];
  size_t n[BEST_POINTS];
  for (size_t a = 0; a < r->arms; a++) {
    const struct report_arm *arm = &r->arm[a];
    const size_t points = ad_best_of_counts(arm->all_count, BEST_POINTS, n);
    AD_TRY(ad_best_of(best, points, n, arm->all_count, arm->all, !r->falls, r->how.level));
    best_curve(r, script, a, points, best);
    drawn[a] = points > 0;
    for (size_t k = 0; k < points; k++) {
      const struct best_row row = {arm->name, best[k]};
      ad__document_row(r->doc, &row);
    }
    if (points == 0) {
      ad__document_note(r->doc, "%s: not available: needs at least 2 finished runs.", arm->name);
    }
  }
  return r->doc->status;
}

int ad__report_best(struct report *r) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, best_row, arm), COLUMN("n", "n", UNIT_NONE, best_row, of.n),
      COLUMN("unbiased", "expected best", UNIT_SCORE, best_row, of.unbiased),
      COLUMN("plug_in", "plug-in", UNIT_SCORE, best_row, of.plug_in),
      COLUMN("band", "95 % of bests", UNIT_SCORE, best_row, of.band)};
  ad__document_section(
      r->doc, "best", "The best of n runs",
      "What score the best of n runs is expected to have: how much of a reported best is the number of tries.",
      "as a promise for new data: the best on the set it was chosen on is optimistic. Curves end at half of the runs; "
      "beyond n = 20 they go in steps of a tenth.");
  ad__document_table(r->doc, "best", "Expected best of n", COLUMNS(columns));
  struct ad_buffer script = {0};
  unsigned char *drawn = ad_calloc(r->arms, 1);
  int status = drawn == NULL ? ad_fail_memory(r->arms, "arms") : best_rows(r, &script, drawn);
  if (status == AD_OK) {
    plot_best(r, &script, drawn);
  }
  ad_free(drawn);
  ad_buffer_destroy(&script);
  return status;
}
