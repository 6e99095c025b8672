#include "headline.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

enum { LEAD = 8, ROWS = 40, DOTS = 200 /* of an arm */, TALL = 70 /* pixels of a row at the top */ };

static const double ABOVE = -0.2, BELOW = 0.1, THICK = 0.32; /* where estimates and dots are in a row */

char *ad__say(double value, double error, char text[40]) {
  snprintf(text, 40, error > 0.0 ? "%.*f" : "%.*g", error > 0.0 ? ad__decimals(error) : 3, value);
  return text;
}

static int is_asked(const struct report *r, size_t arm) {
  return !ad__is_baseline(r, arm) && (!r->family.active || ad_study_is_primary(r->study, arm));
}

int ad__is_lead(const struct report *r, size_t arm) {
  size_t before = 0;
  for (size_t a = 0; a < arm; a++) {
    before += is_asked(r, a) != 0;
  }
  return is_asked(r, arm) && before < LEAD;
}

static void say(struct report *r, struct forest *f, const char *name, double value, struct ad_interval interval,
                const char *unit) {
  char mean[40], low[40], high[40];
  const double error = interval.why == NULL ? (interval.high - interval.low) / 4 : 0.0;
  if (r->doc->status != AD_OK) {
    return;
  }
  r->doc->status =
      interval.why == NULL
          ? ad_buffer_printf(&f->said, "%s: %s %s, interval %s to %s. ", name, ad__say(value, error, mean), unit,
                             ad__say(interval.low, error, low), ad__say(interval.high, error, high))
          : ad_buffer_printf(&f->said, "%s: %s %s, no interval. ", name, ad__say(value, error, mean), unit);
}

static struct ad_interval scaled(struct ad_interval interval, double scale) {
  return (struct ad_interval){interval.low * scale, interval.high * scale, interval.why};
}

/* ---- Differences ---- */

void ad__forest_differences(struct report *r, struct forest *f, int lead) {
  const struct unit_of *unit = &ad__units[r->doc->score + 2];
  const double margin = r->study->analysis.present ? r->study->analysis.margin * unit->scale : NAN;
  *f = (struct forest){.picture = {.width = lead ? 620 : 820, .above = lead}};
  snprintf(f->label, sizeof f->label, "difference in %s; %s of 0 is better", r->metric, r->falls ? "left" : "right");
  f->picture.x = (struct picture_axis){.label = f->label, .unit = unit->name};
  if (margin > 0.0) {
    ad__picture_mark(&f->picture, PICTURE_ZONE, 0, -margin, 0, margin, 0);
    ad__picture_title(&f->picture, "margin of equivalence: %.4g %s to either side", margin, unit->name);
  }
  ad__picture_mark(&f->picture, PICTURE_RULE, 0, 0, 0, 0, 0);
  if (lead) {
    ad__picture_name(&f->picture, 1, "mean, 95 % interval");
  }
}

/* Both runs at a combination of seeds. */
static void draw_pair(struct report *r, struct picture *p, size_t arm, size_t point, double row) {
  const struct report_arm *own = &r->arm[arm], *base = &r->arm[own->baseline];
  const struct report_run *x = &own->runs[point], *y = &base->runs[point];
  const struct ad_study_cell *cell = &r->study->cells[x->cell];
  const struct unit_of *unit = &ad__units[r->doc->score + 2];
  const double d = ad_difference(x->score, y->score) * unit->scale;
  char label[400];
  /* Points of one arm are spread over its line by the golden ratio. */
  const double at = row + BELOW + THICK * fmod(0.618034 * (double)point, 1.0);
  ad__picture_mark(p, x->state == RUN_FAILED || y->state == RUN_FAILED ? PICTURE_CROSS : PICTURE_DOT, 1, d, at, d, at);
  ad__picture_title(p, "%s: %.4g against %.4g, %+.3g %s; runs %016" PRIx64 " and %016" PRIx64 "%s",
                    ad_study_label(r->study, cell, label, sizeof label), x->score * r->scale, y->score * r->scale, d,
                    unit->name, cell->id, r->study->cells[y->cell].id,
                    x->state == RUN_FAILED || y->state == RUN_FAILED ? "; failed" : "");
}

static void draw_pairs(struct report *r, struct picture *p, size_t arm, double row) {
  double *scores = ad_malloc(2 * r->points, sizeof *scores);
  size_t *points = ad_malloc(r->points, sizeof *points);
  if (scores == NULL || points == NULL) {
    r->doc->status = ad_fail_memory(3 * r->points * sizeof *scores, "pairs of runs");
  } else {
    const size_t n = ad__report_common(r, arm, r->arm[arm].baseline, 0, points, scores, scores + r->points);
    const size_t drawn = n < DOTS ? n : DOTS;
    for (size_t i = 0; i < drawn; i++) {
      draw_pair(r, p, arm, points[i * n / drawn], row);
    }
  }
  ad_free(scores);
  ad_free(points);
}

void ad__forest_difference(struct report *r, struct forest *f, size_t arm, const struct ad_mixed *d, int lead) {
  const struct unit_of *unit = &ad__units[r->doc->score + 2];
  if (d->mean.why != NULL || r->doc->status != AD_OK) {
    return;
  }
  if (f->rows == ROWS) {
    f->left_out++;
    return;
  }
  const double row = ad__picture_row(&f->picture, r->arm[arm].name), mean = d->mean.value * unit->scale;
  const struct ad_interval interval = scaled(d->interval, unit->scale);
  char title[500], value[40], low[40], high[40];
  const double error = d->error.why == NULL ? d->error.value * unit->scale : 0.0;
  f->rows++;
  if (lead) {
    draw_pairs(r, &f->picture, arm, row);
  }
  snprintf(title, sizeof title, "%s: mean difference %s %s, 95 %% interval %s%s%s", r->arm[arm].name,
           ad__say(mean, error, value), unit->name,
           interval.why == NULL ? ad__say(interval.low, error, low) : "not available",
           interval.why == NULL ? " to " : "", interval.why == NULL ? ad__say(interval.high, error, high) : "");
  ad__picture_estimate(&f->picture, 1, lead ? row + ABOVE : row, mean, interval.low, interval.high, title);
  say(r, f, r->arm[arm].name, mean, interval, unit->name);
}

/* ---- Ratios of SDs ---- */

void ad__forest_ratios(struct report *r, struct forest *f, int lead) {
  const double margin = r->study->analysis.present ? r->study->analysis.ratio_margin : NAN;
  *f = (struct forest){.picture = {.width = lead ? 470 : 820, .above = 1}};
  snprintf(f->label, sizeof f->label, "SD over that of the baseline; left of 1 varies less");
  f->picture.x = (struct picture_axis){.label = f->label, .log = 1};
  if (margin > 1.0) {
    ad__picture_mark(&f->picture, PICTURE_ZONE, 0, 1 / margin, 0, margin, 0);
    ad__picture_title(&f->picture, "margin of equivalence: a ratio of %.3g to %.3g", 1 / margin, margin);
  }
  ad__picture_mark(&f->picture, PICTURE_RULE, 0, 1, 0, 1, 0);
}

void ad__forest_ratio(struct report *r, struct forest *f, size_t arm, size_t source, const struct ad_spread *s) {
  static const double PLACES[AD_SPREADS] = {-0.25, 0.0, 0.25};
  if (s->ratio.why != NULL || r->doc->status != AD_OK) {
    return;
  }
  if (source == 0 && f->rows == ROWS) {
    f->left_out++;
    return;
  }
  if (source == 0) {
    f->rows++;
    ad__picture_row(&f->picture, r->arm[arm].name);
  }
  if (f->rows == 0 || f->left_out > 0) {
    return;
  }
  char title[500], name[400], value[40], low[40], high[40];
  const double error = s->interval.why == NULL ? (s->interval.high - s->interval.low) / 4 : 0.0;
  snprintf(title, sizeof title, "%s, %s: SD ratio %s, 95 %% interval %s%s%s", r->arm[arm].name, s->source,
           ad__say(s->ratio.value, error, value),
           s->interval.why == NULL ? ad__say(s->interval.low, error, low) : "not available",
           s->interval.why == NULL ? " to " : "",
           s->interval.why == NULL ? ad__say(s->interval.high, error, high) : "");
  ad__picture_estimate(&f->picture, source + 1, (double)f->rows - 1 + PLACES[source], s->ratio.value, s->interval.low,
                       s->interval.high, title);
  ad__picture_name(&f->picture, source + 1, s->source);
  snprintf(name, sizeof name, "%s, %s", r->arm[arm].name, s->source);
  say(r, f, name, s->ratio.value, s->interval, "");
}

void ad__forest_close(struct report *r, struct forest *f, const char *id, const char *title, int lead) {
  char whole[500], left_out[100];
  snprintf(whole, sizeof whole, "%s%s", title, ad__left_out(f->rows, f->rows + f->left_out, sizeof left_out, left_out));
  if (lead) {
    f->picture.height = TALL + TALL * (double)f->rows; /* of both pictures alike, so that their rows line up */
  }
  if (f->rows == 0) {
    ad__picture_destroy(&f->picture);
  } else if (lead) {
    ad__document_lead(r->doc, id, whole, f->said.data, &f->picture);
  } else {
    ad__document_picture(r->doc, id, whole, f->said.data, &f->picture);
  }
  ad_buffer_destroy(&f->said);
}
