/* The section on variance components, and the mean difference of crossed seeds. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/components.h"
#include "report_internal.h"

enum { MOST_CELLS = 4000000, MOST_AXES = 8, COMPONENT_LINES = 42 };

/* The sources of chance: seed axes, those that always change together taken as one. */
struct factors {
  size_t count;
  char names[MOST_AXES][100];
  size_t axis[MOST_AXES]; /* the first of its axes */
  size_t levels[MOST_AXES];
  size_t axes; /* seed axes of more than one level */
};

static const struct ad_study_cell *cell_of(const struct report *r, size_t point) {
  return &r->study->cells[r->arm[0].runs[point].cell];
}

/* 1 where the levels of x and y determine each other over all points. map [levels of x + levels of y]. */
static int together(const struct report *r, size_t x, size_t y, size_t *map) {
  const size_t nx = r->study->axes[x].count, ny = r->study->axes[y].count;
  memset(map, 0xff, (nx + ny) * sizeof *map);
  for (size_t k = 0; k < r->points; k++) {
    const size_t a = cell_of(r, k)->level[x], b = cell_of(r, k)->level[y];
    if ((map[a] != SIZE_MAX && map[a] != b) || (map[nx + b] != SIZE_MAX && map[nx + b] != a)) {
      return 0;
    }
    map[a] = b;
    map[nx + b] = a;
  }
  return 1;
}

/* A seed's key behind its dot. */
static const char *short_name(const char *key) {
  const char *dot = strchr(key, '.');
  return dot == NULL ? key : dot + 1;
}

static void add_axis(const struct report *r, struct factors *f, size_t x, size_t *map) {
  for (size_t i = 0; i < f->count; i++) {
    if (together(r, f->axis[i], x, map)) {
      const size_t used = strlen(f->names[i]);
      snprintf(f->names[i] + used, sizeof f->names[i] - used, "+%.40s", short_name(r->study->axes[x].key));
      return;
    }
  }
  snprintf(f->names[f->count], sizeof f->names[0], "%.40s", short_name(r->study->axes[x].key));
  f->axis[f->count] = x;
  f->levels[f->count++] = r->study->axes[x].count;
}

static int find_factors(const struct report *r, struct factors *f) {
  size_t most = 1;
  *f = (struct factors){0};
  for (size_t x = 0; x < r->study->axis_count; x++) {
    most = r->study->axes[x].count > most ? r->study->axes[x].count : most;
  }
  size_t *map = ad_malloc(2 * most, sizeof *map);
  if (map == NULL) {
    return ad_fail_memory(2 * most * sizeof *map, "levels of seeds");
  }
  for (size_t x = 0; x < r->study->axis_count && f->axes < MOST_AXES; x++) {
    if (r->study->axes[x].seed && r->study->axes[x].count > 1) {
      f->axes++;
      add_axis(r, f, x, map);
    }
  }
  ad_free(map);
  return AD_OK;
}

static const char *why_no_components(const struct factors *f, char *text, size_t size) {
  double cells = 1.0;
  for (size_t i = 0; i < f->count; i++) {
    cells *= (double)f->levels[i];
  }
  if (f->count == 0) {
    return "the study varies no seed";
  }
  if (f->count == 1) {
    snprintf(text, size,
             "one source of chance was varied (%s): nothing to take apart. Crossed axes, as seed.init: 0..9 and "
             "seed.order: 0..9, can be",
             f->names[0]);
    return text;
  }
  if (f->count > AD_FACTORS) {
    return "more than three sources of chance were varied independently";
  }
  return cells > MOST_CELLS ? "the sources of chance are not crossed: far more combinations than cells" : NULL;
}

struct component_row {
  const char *arm, *term, *expected;
  struct ad_component of;
  struct ad_figure sd, share;
};

static void component_rows(struct report *r, const char *arm, const struct ad_components *c) {
  static const char negative[] = "the estimate of the variance is negative: small against its error";
  double total = 0.0;
  for (size_t i = 0; i < c->count; i++) {
    total += fmax(0.0, c->items[i].variance.value);
  }
  for (size_t i = 0; i < c->count; i++) {
    const struct ad_component *item = &c->items[i];
    const double v = item->variance.value;
    const struct component_row row = {
        .arm = arm,
        .term = item->name,
        .expected = item->ems,
        .of = *item,
        .sd = v < 0 ? ad_figure_none(negative) : ad_figure_of(sqrt(v)),
        .share = v < 0 || total <= 0 ? ad_figure_none(negative) : ad_figure_of(v / total)};
    ad__document_row(r->doc, &row);
  }
}

static void component_table(struct report *r, const struct ad_components *all) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, component_row, arm),
      COLUMN("term", "source", UNIT_NONE, component_row, term),
      COLUMN("df", "df", UNIT_NONE, component_row, of.df),
      COLUMN("mean_square", "MS", UNIT_SCORE_SQUARED, component_row, of.ms),
      COLUMN("variance", "variance", UNIT_SCORE_SQUARED, component_row, of.variance),
      COLUMN("mls", "MLS 95 % CI", UNIT_SCORE_SQUARED, component_row, of.mls),
      COLUMN("satterthwaite", "Satterthwaite 95 % CI", UNIT_SCORE_SQUARED, component_row, of.satterthwaite),
      COLUMN("bootstrap", "bootstrap 95 % CI", UNIT_SCORE_SQUARED, component_row, of.bootstrap),
      COLUMN("sd", "SD", UNIT_SCORE, component_row, sd),
      COLUMN("share", "share of the total", UNIT_PERCENT, component_row, share),
      COLUMN("expected_ms", "expected mean square", UNIT_NONE, component_row, expected)};
  ad__document_table(r->doc, "components", "Mean squares, what they expect, and the variances", COLUMNS(columns));
  for (size_t a = 0; a < r->arms; a++) {
    component_rows(r, r->arm[a].name, &all[a]);
  }
}

/* values [I,J,D] of an arm's scores, NaN where there is none. */
static void fill_design(const struct report *r, size_t a, const struct factors *f, double *values, size_t cells) {
  for (size_t i = 0; i < cells; i++) {
    values[i] = NAN;
  }
  for (size_t k = 0; k < r->points; k++) {
    size_t place = 0;
    for (size_t i = 0; i < f->count; i++) {
      place = place * f->levels[i] + cell_of(r, k)->level[f->axis[i]];
    }
    values[place] = r->arm[a].runs[k].score;
  }
}

static struct ad_crossed_mean no_mean(const char *why) {
  return (struct ad_crossed_mean){ad_figure_none(why), ad_figure_none(why), ad_figure_none(why), ad_figure_none(why),
                                  ad_interval_none(why)};
}

/* values [I,J,D] become differences from the baseline. */
static int mean_of_differences(const struct report *r, size_t arm, const struct factors *f, double *values,
                               double *base, struct ad_crossed_mean *mean) {
  const struct ad_design design = {f->count,
                                   {f->names[0], f->names[1], f->names[2]},
                                   {f->levels[0], f->levels[1], f->count > 2 ? f->levels[2] : 1},
                                   values};
  const size_t cells = design.levels[0] * design.levels[1] * design.levels[2];
  const struct ad_resampling few = {r->how.seed, 2, r->how.level}; /* no interval of the components is asked for */
  struct ad_components components;
  fill_design(r, arm, f, values, cells);
  fill_design(r, r->baseline, f, base, cells);
  ad_differences(cells, values, base, values);
  AD_TRY(ad_variance_components(&components, &design, &few));
  *mean = components.mean;
  return AD_OK;
}

int ad__report_crossed(const struct report *r, size_t arm, struct ad_crossed_mean *mean) {
  struct factors f;
  char text[300];
  AD_TRY(find_factors(r, &f));
  if (why_no_components(&f, text, sizeof text) != NULL) {
    *mean =
        no_mean(f.count < 2 ? "seeds are not crossed: the pairs are independent" : "not a grid of two or three seeds");
    return AD_OK;
  }
  const size_t cells = f.levels[0] * f.levels[1] * (f.count > 2 ? f.levels[2] : 1);
  double *values = ad_malloc(2 * cells, sizeof *values);
  const int status = values == NULL ? ad_fail_memory(2 * cells * sizeof *values, "differences")
                                    : mean_of_differences(r, arm, &f, values, values + cells, mean);
  ad_free(values);
  return status;
}

static void note_design(struct report *r, const char *arm, const struct ad_components *c, size_t factors) {
  if (c->why != NULL) {
    ad__document_note(r->doc, "%s: not available: %s.", arm, c->why);
  } else if (c->missing > 0) {
    ad__document_note(r->doc, "%s: %s; %zu cells analysed (%zu x %zu%s%.0zu), %zu without a value.", arm, c->method,
                      c->cells, c->levels[0], c->levels[1], factors > 2 ? " x " : "",
                      factors > 2 ? c->levels[2] : (size_t)0, c->missing);
  }
}

/* The first arms with components, as many as there is room for. */
static void plot_components(struct report *r, const struct ad_components *all) {
  struct ad_buffer script = {0};
  char title[200], left_out[100];
  size_t arms = 0, drawn = 0, there = 0;
  for (size_t a = 0, lines = 0; a < r->arms; a++) {
    lines += all[a].count;
    there += all[a].count > 0;
    if (lines <= COMPONENT_LINES) {
      arms = a + 1;
      drawn = there;
    }
  }
  const struct unit_of *squared = &ad__units[r->doc->score + 1];
  size_t line = 0;
  ad__script_add(r, &script, "$d << EOD\n");
  for (size_t a = 0; a < arms; a++) {
    for (size_t i = 0; i < all[a].count; i++, line++) {
      const struct ad_component *item = &all[a].items[i];
      const double v = item->variance.value * squared->scale;
      const int known = item->mls.why == NULL;
      ad__script_add(r, &script, "%.9g %.9g %.9g -%zu\n", v, known ? item->mls.low * squared->scale : v,
                     known ? item->mls.high * squared->scale : v, line);
    }
  }
  ad__script_add(
      r, &script,
      "EOD\nunset key\nset grid noytics\nset grid xtics lc rgb '#e3e8ee' lt 1 lw 1\nset yrange [%g:0.6]\nset ytics (",
      0.4 - (double)line);
  line = 0;
  for (size_t a = 0; a < arms; a++) {
    for (size_t i = 0; i < all[a].count; i++, line++) {
      char name[300];
      snprintf(name, sizeof name, "%s: %s", r->arm[a].name, all[a].items[i].name);
      ad__script_add(r, &script, line > 0 ? "," : "");
      ad__script_tic(r, &script, name);
      ad__script_add(r, &script, " -%zu", line);
    }
  }
  ad__script_add(r, &script, ")\n");
  ad__script_axis(r, &script, 'x', "variance", squared->name);
  ad__script_add(r, &script,
                 "set arrow from 0, graph 0 to 0, graph 1 nohead lc rgb '#5b6775' dt 2\nplot $d using 1:4:2:3 with "
                 "xerrorbars ls 1 ps 0.8\n");
  if (line > 0) {
    snprintf(title, sizeof title,
             "Variance components with MLS intervals. Estimates left of 0 are shown as they are.%s",
             ad__script_left_out(drawn, there, sizeof left_out, left_out));
    ad__document_plot(r->doc, "plot_components", title, 820, ad__script_height(line), &script);
  }
  ad_buffer_destroy(&script);
}

static int analyse_arms(struct report *r, const struct factors *f) {
  struct ad_design design = {f->count,
                             {f->names[0], f->names[1], f->names[2]},
                             {f->levels[0], f->levels[1], f->count > 2 ? f->levels[2] : 1},
                             NULL};
  const size_t cells = design.levels[0] * design.levels[1] * design.levels[2];
  double *values = ad_malloc(cells, sizeof *values);
  struct ad_components *all = ad_calloc(r->arms, sizeof *all);
  int status =
      values == NULL || all == NULL ? ad_fail_memory(cells * 8 + r->arms * sizeof *all, "variance components") : AD_OK;
  design.values = values;
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    fill_design(r, a, f, values, cells);
    status = ad_variance_components(&all[a], &design, &r->how);
    note_design(r, r->arm[a].name, &all[a], f->count);
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
  struct factors f;
  char text[300];
  ad__document_section(
      r->doc, "variance", "Where the variance comes from",
      "The spread over a crossed grid of seeds is taken apart into its sources: new weights (init), order "
      "of the examples, dropout masks, and their interactions.",
      "single estimates from fewer than about 10 levels of a source: read the MLS intervals. Repeats are "
      "equal to the bit, so the highest term is pure "
      "interaction, with whatever is not crossed held fixed.");
  AD_TRY(find_factors(r, &f));
  const char *why = why_no_components(&f, text, sizeof text);
  if (why != NULL) {
    ad__document_note(r->doc, "Not available: %s.", why);
    return r->doc->status;
  }
  if (f.count < f.axes) {
    ad__document_note(r->doc,
                      "Seeds joined by + always changed together in this study: their effects cannot be told apart.");
  }
  return analyse_arms(r, &f);
}
