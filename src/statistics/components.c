/* Variance components of complete tables. */
#include "components_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* ---- Squares ---- */

/* Sums of squares of every term of a complete table values [n[0],n[1],n[2]] into squares [TERMS], 0 for the empty term.
 * sums: work memory, [(n[0] + 1)(n[1] + 1)(n[2] + 1)]. */
static void table_squares(const double *values, const size_t n[AD_FACTORS], double *sums, double squares[TERMS]) {
  /* sums[i,j,k] over the factors whose place is 0; place 1 + level otherwise. */
  const size_t width[3] = {n[0] + 1, n[1] + 1, n[2] + 1}, cells = n[0] * n[1] * n[2];
  double shift = 0.0;
  memset(sums, 0, width[0] * width[1] * width[2] * sizeof *sums);
  /* The mean is taken off first: what is squared is of the size of the differences. */
  for (size_t i = 0; i < cells; i++) {
    shift += values[i] / (double)cells;
  }
  for (size_t i = 0; i < n[0]; i++) {
    for (size_t j = 0; j < n[1]; j++) {
      for (size_t k = 0; k < n[2]; k++) {
        for (size_t term = 0; term < TERMS; term++) {
          const size_t p = term & 1 ? i + 1 : 0, q = term & 2 ? j + 1 : 0, r = term & 4 ? k + 1 : 0;
          sums[(p * width[1] + q) * width[2] + r] += values[(i * n[1] + j) * n[2] + k] - shift;
        }
      }
    }
  }
  double quadratic[TERMS];
  for (size_t term = 0; term < TERMS; term++) {
    const size_t own[3] = {term & 1 ? n[0] : 1, term & 2 ? n[1] : 1, term & 4 ? n[2] : 1};
    const double each = (double)(cells / (own[0] * own[1] * own[2]));
    double sum = 0.0;
    for (size_t i = 0; i < own[0]; i++) {
      for (size_t j = 0; j < own[1]; j++) {
        for (size_t k = 0; k < own[2]; k++) {
          const size_t p = term & 1 ? i + 1 : 0, q = term & 2 ? j + 1 : 0, r = term & 4 ? k + 1 : 0;
          const double x = sums[(p * width[1] + q) * width[2] + r];
          sum += x * x / each;
        }
      }
    }
    quadratic[term] = sum;
  }
  for (size_t term = 0; term < TERMS; term++) {
    double sum = 0.0;
    for (size_t part = 0; part < TERMS; part++) {
      if ((part & term) == part) {
        sum += __builtin_popcountl(term ^ part) % 2 ? -quadratic[part] : quadratic[part];
      }
    }
    squares[term] = term == 0 ? 0.0 : squares_of(sum, quadratic[TERMS - 1], (double)cells, shift);
  }
}

/* ---- Names ---- */

static void term_name(const struct ad_design *design, size_t term, size_t size, char *text) {
  size_t used = 0;
  text[0] = '\0';
  for (size_t f = 0; f < AD_FACTORS; f++) {
    if (term >> f & 1 && used < size) {
      used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? " x " : "", design->names[f]);
    }
  }
}

/* "10 V(init) + V(init x order)": the terms that hold `term`, with the number of cells that each sums over. */
static void term_expectation(const struct ad_design *design, const size_t n[AD_FACTORS], size_t all, size_t term,
                             size_t size, char *text) {
  size_t used = 0;
  text[0] = '\0';
  for (size_t holder = term; holder <= all; holder++) {
    if ((holder & term) != term || (holder & all) != holder) {
      continue;
    }
    size_t cells = 1;
    for (size_t f = 0; f < AD_FACTORS; f++) {
      cells *= all >> f & 1 && !(holder >> f & 1) ? n[f] : 1;
    }
    char name[96], factor[24] = "";
    term_name(design, holder, sizeof name, name);
    if (cells > 1) {
      snprintf(factor, sizeof factor, "%zu ", cells);
    }
    if (used < size) {
      used += (size_t)snprintf(text + used, size - used, "%s%sV(%s)", used > 0 ? " + " : "", factor, name);
    }
  }
}

/* ---- Complete tables ---- */

static size_t degrees(const size_t n[AD_FACTORS], size_t term) {
  size_t df = 1;
  for (size_t f = 0; f < AD_FACTORS; f++) {
    df *= term >> f & 1 ? n[f] - 1 : 1;
  }
  return df;
}

/* The variance of a term as mean squares: those of the terms that hold it, by turns, over its number of cells. */
static struct combination combine(const size_t n[AD_FACTORS], size_t all, size_t term, const double squares[TERMS]) {
  struct combination c = {0};
  double cells = 1.0;
  for (size_t f = 0; f < AD_FACTORS; f++) {
    cells *= all >> f & 1 && !(term >> f & 1) ? (double)n[f] : 1.0;
  }
  for (size_t holder = term; holder <= all; holder++) {
    if ((holder & term) == term && (holder & all) == holder) {
      const size_t df = degrees(n, holder);
      c.k[c.count] = (__builtin_popcountl(holder ^ term) % 2 ? -1.0 : 1.0) / cells;
      c.ms[c.count++] = squares[holder] / (double)df;
    }
  }
  return c;
}

static double value_of(const struct combination *c) {
  double sum = 0.0, size = 0.0;
  for (size_t q = 0; q < c->count; q++) {
    sum += c->k[q] * c->ms[q];
    size += fabs(c->k[q] * c->ms[q]);
  }
  return fabs(sum) <= 1e-13 * size ? 0.0 : sum; /* mean squares that are equal but for roundings */
}

/* Main effects, then pairs, then the triple. */
static size_t next_term(size_t all, size_t number) {
  static const size_t order[] = {1, 2, 4, 3, 5, 6, 7};
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    if ((order[i] & all) == order[i] && number-- == 0) {
      return order[i];
    }
  }
  return 0;
}

static int analyse_complete(struct ad_components *components, const struct ad_design *design) {
  const size_t *n = design->levels, all = ((size_t)1 << design->factors) - 1;
  double *sums = ad_malloc((n[0] + 1) * (n[1] + 1) * (n[2] + 1), sizeof *sums), squares[TERMS];
  if (sums == NULL) {
    return ad_fail_memory((n[0] + 1) * (n[1] + 1) * (n[2] + 1) * sizeof *sums, "variance components");
  }
  table_squares(design->values, n, sums, squares);
  ad_free(sums);
  components->count = design->factors == 2 ? 3 : 7;
  for (size_t i = 0; i < components->count; i++) {
    struct ad_component *item = &components->items[i];
    const size_t term = next_term(all, i);
    const struct combination c = combine(n, all, term, squares);
    term_name(design, term, sizeof item->name, item->name);
    term_expectation(design, n, all, term, sizeof item->ems, item->ems);
    item->df = degrees(n, term);
    item->ms = ad_figure_of(squares[term] / (double)item->df);
    item->variance = ad_figure_of(value_of(&c));
  }
  return AD_OK;
}

int ad_variance_components(struct ad_components *components, const struct ad_design *design) {
  const size_t total = design->levels[0] * design->levels[1] * design->levels[2];
  *components = (struct ad_components){0};
  for (size_t i = 0; i < total; i++) {
    if (!isfinite(design->values[i])) {
      components->why = isnan(design->values[i]) ? "a cell has no value" : AD__WHY_NOT_FINITE;
      return AD_OK;
    }
  }
  for (size_t f = 0; f < design->factors; f++) {
    if (design->levels[f] < 2) {
      components->why = "needs at least 2 levels of each factor";
      return AD_OK;
    }
  }
  if (ad__all_equal(total, design->values)) {
    components->why = AD__WHY_EQUAL;
    return AD_OK;
  }
  return analyse_complete(components, design);
}
