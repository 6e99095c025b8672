/* The section on the best of n runs. */
#include <stdio.h>

#include "autodidact/base/status.h"
#include "autodidact/statistics/search.h"
#include "report_internal.h"

enum { BEST_POINTS = 80 };

struct best_picture {
  struct picture picture;
  size_t curves, all; /* drawn, there */
};

static void best_curve(struct report *r, struct best_picture *b, size_t a, size_t points,
                       const struct ad_best_of *best) {
  double x[BEST_POINTS], unbiased[BEST_POINTS], plug_in[BEST_POINTS];
  b->all += points > 0;
  if (points == 0 || b->curves == CURVES) {
    return;
  }
  ad__picture_path(&b->picture, PICTURE_BAND, ad__curve_colour(r, a, b->curves));
  for (size_t k = 0; k < points; k++) {
    x[k] = (double)best[k].n;
    unbiased[k] = best[k].unbiased.value * r->scale;
    plug_in[k] = best[k].plug_in.value * r->scale;
    if (best[k].band.why == NULL) {
      ad__picture_to(&b->picture, x[k], best[k].band.low * r->scale, best[k].band.high * r->scale);
    }
  }
  ad__draw_curve(r, &b->picture, PICTURE_DOTTED, a, b->curves, &(struct curve){points, x, plug_in});
  ad__draw_curve(r, &b->picture, PICTURE_LINE, a, b->curves, &(struct curve){points, x, unbiased});
  b->curves++;
}

static void plot_best(struct report *r, struct best_picture *b) {
  char title[240], left_out[100];
  snprintf(title, sizeof title,
           "Expected best of n runs: unbiased (line) and plug-in (dotted); the band holds 95 %% of single bests.%s",
           ad__left_out(b->curves, b->all, sizeof left_out, left_out));
  if (b->curves > 0) {
    ad__document_picture(r->doc, "plot_best", title, NULL, &b->picture);
  }
}

struct best_row {
  const char *arm;
  struct ad_best_of of;
};

static int best_rows(struct report *r, struct best_picture *picture) {
  struct ad_best_of best[BEST_POINTS];
  size_t n[BEST_POINTS];
  for (size_t a = 0; a < r->arms; a++) {
    const struct report_arm *arm = &r->arm[a];
    const size_t points = ad_best_of_counts(arm->all_count, BEST_POINTS, n);
    AD_TRY(ad_best_of(best, points, n, arm->all_count, arm->all, !r->falls, r->how.level));
    best_curve(r, picture, a, points, best);
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
  struct best_picture picture = {.picture = {.width = 820,
                                             .height = 400,
                                             .x = {.label = "n, runs tried", .whole = 1},
                                             .y = {.label = "expected best", .unit = r->unit}}};
  const int status = best_rows(r, &picture);
  if (status == AD_OK) {
    plot_best(r, &picture);
  }
  ad__picture_destroy(&picture.picture);
  return status;
}
