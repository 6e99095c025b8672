/* The section on variance components. */
#include <math.h>
#include <stdio.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/components.h"
#include "report_internal.h"

enum { COMPONENT_LINES = 42 };

static const char *why_no_components(const struct report_seeds *s, char *text, size_t size) {
  if (s->why != NULL || s->count == 0) {
    return s->why != NULL ? s->why : "the study varies no seed";
  }
  if (s->count == 1) {
    snprintf(text, size,
             "one source of chance was varied (%s): nothing to take apart. Crossed axes, as seed.init: 0..9 and "
             "seed.order: 0..9, can be",
             s->names[0]);
    return text;
  }
  return NULL;
}

/* The variances of an arm: of a complete table from mean squares, else by restricted maximum likelihood. */
struct arm_components {
  int complete;
  struct ad_components table;
  struct report_mean mixed;
};

struct component_row {
  const char *arm, *term, *expected;
  struct ad_figure df, ms, variance, sd, share;
};

static const char negative[] = "the estimate of the variance is negative: small against its error";

static void table_rows(struct report *r, const char *arm, const struct ad_components *c) {
  double total = 0.0;
  for (size_t i = 0; i < c->count; i++) {
    total += c->items[i].variance.value;
  }
  for (size_t i = 0; i < c->count; i++) {
    const struct ad_component *item = &c->items[i];
    const double v = item->variance.value;
    const struct component_row row = {
        .arm = arm,
        .term = item->name,
        .expected = item->ems,
        .df = ad_figure_of((double)item->df),
        .ms = item->ms,
        .variance = item->variance,
        .sd = v < 0 ? ad_figure_none(negative) : ad_figure_of(sqrt(v)),
        .share = total <= 0 ? ad_figure_none("the total is not positive") : ad_figure_of(v / total)};
    ad__document_row(r->doc, &row);
  }
}

static void mixed_rows(struct report *r, const char *arm, const struct report_mean *m) {
  static const char none[] = "not a complete table: estimated by restricted maximum likelihood";
  double total = 0.0;
  for (size_t t = 0; t <= m->of.terms; t++) {
    total += m->of.variance[t].value;
  }
  for (size_t t = 0; t <= m->of.terms; t++) {
    const struct ad_figure v = m->of.variance[t];
    const struct component_row row = {.arm = arm,
                                      .term = m->name[t],
                                      .expected = "",
                                      .df = ad_figure_none(none),
                                      .ms = ad_figure_none(none),
                                      .variance = v,
                                      .sd = v.why != NULL ? v : ad_figure_of(sqrt(v.value)),
                                      .share = v.why != NULL ? v : ad_figure_of(v.value / total)};
    ad__document_row(r->doc, &row);
  }
}

static void component_table(struct report *r, const struct arm_components *all) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, component_row, arm),
      COLUMN("term", "source", UNIT_NONE, component_row, term),
      COLUMN("variance", "variance", UNIT_SCORE_SQUARED, component_row, variance),
      COLUMN("sd", "SD", UNIT_SCORE, component_row, sd),
      COLUMN("share", "share of the total", UNIT_PERCENT, component_row, share),
      COLUMN("df", "df", UNIT_NONE, component_row, df),
      COLUMN("mean_square", "MS", UNIT_SCORE_SQUARED, component_row, ms),
      COLUMN("expected_ms", "expected mean square", UNIT_NONE, component_row, expected)};
  ad__document_table(r->doc, "components", "Variances of the sources of chance", COLUMNS(columns));
  for (size_t a = 0; a < r->arms; a++) {
    if (all[a].complete) {
      table_rows(r, r->arm[a].name, &all[a].table);
    } else {
      mixed_rows(r, r->arm[a].name, &all[a].mixed);
    }
  }
}

/* values [I,J,D] of an arm; 0 where a cell has no score or none is there. */
static int fill_table(const struct report *r, size_t a, double *values) {
  const struct report_seeds *s = &r->seeds;
  for (size_t k = 0; k < r->points; k++) {
    size_t place = 0;
    for (size_t f = 0; f < s->count; f++) {
      place = place * s->levels[f] + s->level[f][k];
    }
    values[place] = r->arm[a].runs[k].score;
    if (isnan(values[place])) {
      return 0;
    }
  }
  return 1;
}

static void note_design(struct report *r, size_t arm, const struct arm_components *c) {
  const struct ad_mixed *m = &c->mixed.of;
  if (c->complete && c->table.why != NULL) {
    ad__document_note(r->doc, "%s: not available: %s.", r->arm[arm].name, c->table.why);
  } else if (!c->complete && m->variance[0].why != NULL) {
    ad__document_note(r->doc, "%s: not available: %s.", r->arm[arm].name, m->variance[0].why);
  } else if (!c->complete) {
    ad__document_note(r->doc,
                      "%s: not a complete table (%s): by restricted maximum likelihood, as lme4 does; a variance "
                      "that would be negative is 0.",
                      r->arm[arm].name, c->mixed.design);
  }
}

static void draw_component(struct picture *p, const char *arm, const struct ad_component *item, double scale) {
  char name[300], title[500];
  const double v = item->variance.value * scale;
  snprintf(name, sizeof name, "%s: %s", arm, item->name);
  snprintf(title, sizeof title, "%s: %.3g", name, v);
  ad__picture_estimate(p, 1, ad__picture_row(p, name), v, NAN, NAN, title);
}

/* The first arms with components, as many as there is room for. */
static void plot_components(struct report *r, const struct arm_components *all) {
  char title[300], left_out[100];
  size_t arms = 0, drawn = 0, there = 0;
  for (size_t a = 0, lines = 0; a < r->arms; a++) {
    lines += all[a].table.count;
    there += all[a].table.count > 0;
    if (lines <= COMPONENT_LINES) {
      arms = a + 1;
      drawn = there;
    }
  }
  const struct unit_of *squared = &ad__units[r->doc->score + 1];
  struct picture p = {.width = 820, .x = {.label = "variance", .unit = squared->name}};
  ad__picture_mark(&p, PICTURE_RULE, 0, 0, 0, 0, 0);
  for (size_t a = 0; a < arms; a++) {
    for (size_t i = 0; i < all[a].table.count; i++) {
      draw_component(&p, r->arm[a].name, &all[a].table.items[i], squared->scale);
    }
  }
  snprintf(title, sizeof title, "Variance components. Estimates left of 0 are shown as they are.%s",
           ad__left_out(drawn, there, sizeof left_out, left_out));
  if (p.row_count > 0) {
    ad__document_picture(r->doc, "plot_components", title, NULL, &p);
  }
  ad__picture_destroy(&p);
}

static int analyse_arm(struct report *r, size_t a, double *values, struct arm_components *c) {
  const struct report_seeds *s = &r->seeds;
  const struct ad_design design = {s->count,
                                   {s->names[0], s->names[1], s->names[2]},
                                   {s->levels[0], s->levels[1], s->count > 2 ? s->levels[2] : 1},
                                   values};
  c->complete = design.levels[0] * design.levels[1] * design.levels[2] == r->points && fill_table(r, a, values);
  AD_TRY(c->complete ? ad_variance_components(&c->table, &design) : ad__report_arm_mean(r, a, &c->mixed));
  note_design(r, a, c);
  return AD_OK;
}

static int analyse_arms(struct report *r) {
  double *values = ad_malloc(r->points, sizeof *values);
  struct arm_components *all = ad_calloc(r->arms, sizeof *all);
  int status = AD_OK;
  if (values == NULL || all == NULL) {
    status = ad_fail_memory(r->points * 8 + r->arms * sizeof *all, "variance components");
  }
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    status = analyse_arm(r, a, values, &all[a]);
  }
  if (status == AD_OK) {
    plot_components(r, all);
    component_table(r, all);
  }
  ad_free(values);
  ad_free(all);
  return status;
}

int ad__report_variance(struct report *r) {
  char text[300];
  ad__document_section(
      r->doc, "variance", "Where the variance comes from",
      "The spread over seeds is taken apart into its sources: new weights (init), order of the examples, dropout "
      "masks, and their interactions.",
      "estimates from fewer than about 10 levels of a source, and comparisons of them: no interval is known that holds "
      "a "
      "component under long tails. The ratios of spread have intervals. Repeats are "
      "equal to the bit, so the highest term is pure "
      "interaction, with whatever is not crossed held fixed.");
  const char *why = why_no_components(&r->seeds, text, sizeof text);
  if (why != NULL) {
    ad__document_note(r->doc, "Not available: %s.", why);
    return r->doc->status;
  }
  if (r->seeds.joined) {
    ad__document_note(r->doc,
                      "Seeds joined by + always changed together in this study: their effects cannot be told apart.");
  }
  return analyse_arms(r);
}
