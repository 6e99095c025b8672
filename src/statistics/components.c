/* Variance components of complete tables and Latin squares. */
#include "components_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* ---- Squares ---- */

void ad__table_squares(const double *values, const size_t extent[AD_FACTORS], const size_t n[AD_FACTORS],
                       const uint32_t *const index[AD_FACTORS], double *sums, double squares[TERMS]) {
  /* sums[i,j,k] over the factors whose place is 0; place 1 + level otherwise. */
  const size_t width[3] = {n[0] + 1, n[1] + 1, n[2] + 1};
  double shift = 0.0;
  memset(sums, 0, width[0] * width[1] * width[2] * sizeof *sums);
  for (int pass = 0; pass < 2; pass++) {
    double total = 0.0;
    for (size_t i = 0; i < n[0]; i++) {
      const size_t a = index[0] == NULL ? i : index[0][i];
      for (size_t j = 0; j < n[1]; j++) {
        const size_t b = index[1] == NULL ? j : index[1][j];
        for (size_t k = 0; k < n[2]; k++) {
          const size_t c = index[2] == NULL ? k : index[2][k];
          const double x = values[(a * extent[1] + b) * extent[2] + c] - shift;
          total += x;
          for (size_t term = 0; pass == 1 && term < TERMS; term++) {
            const size_t p = term & 1 ? i + 1 : 0, q = term & 2 ? j + 1 : 0, r = term & 4 ? k + 1 : 0;
            sums[(p * width[1] + q) * width[2] + r] += x;
          }
        }
      }
    }
    /* The mean is taken off first: what is squared is of the size of the differences. */
    shift = total / (double)(n[0] * n[1] * n[2]);
  }
  double quadratic[TERMS];
  for (size_t term = 0; term < TERMS; term++) {
    const size_t own[3] = {term & 1 ? n[0] : 1, term & 2 ? n[1] : 1, term & 4 ? n[2] : 1};
    const double cells = (double)(n[0] * n[1] * n[2] / (own[0] * own[1] * own[2]));
    double sum = 0.0;
    for (size_t i = 0; i < own[0]; i++) {
      for (size_t j = 0; j < own[1]; j++) {
        for (size_t k = 0; k < own[2]; k++) {
          const size_t p = term & 1 ? i + 1 : 0, q = term & 2 ? j + 1 : 0, r = term & 4 ? k + 1 : 0;
          const double x = sums[(p * width[1] + q) * width[2] + r];
          sum += x * x / cells;
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
    squares[term] = term == 0 ? 0.0 : squares_of(sum, quadratic[TERMS - 1], (double)(n[0] * n[1] * n[2]), shift);
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
      c.ms[c.count] = squares[holder] / (double)df;
      c.df[c.count++] = (double)df;
    }
  }
  return c;
}

/* Mean of the table and its error: the sum of the variances that are positive, each over the number of combinations of
 * its levels. */
static struct ad_crossed_mean mean_of_levels(const double *values, const size_t n[AD_FACTORS], size_t all,
                                             const double squares[TERMS], double level) {
  const double cells = (double)(n[0] * n[1] * n[2]);
  double k[TERMS] = {0}, mean = 0.0;
  struct combination sum = {0};
  for (size_t term = 1; term <= all; term++) {
    if ((term & all) != term) {
      continue;
    }
    const struct combination c = combine(n, all, term, squares);
    for (size_t holder = term; holder <= all && ad__combination_value(&c) > 0.0; holder++) {
      if ((holder & term) == term && (holder & all) == holder) {
        k[holder] += (__builtin_popcountl(holder ^ term) % 2 ? -1.0 : 1.0) / cells;
      }
    }
  }
  for (size_t term = 1; term <= all; term++) {
    if ((term & all) == term) {
      const double df = (double)degrees(n, term);
      sum.k[sum.count] = k[term];
      sum.ms[sum.count] = squares[term] / df;
      sum.df[sum.count++] = df;
    }
  }
  for (size_t i = 0; i < n[0] * n[1] * n[2]; i++) {
    mean += values[i] / cells;
  }
  return ad__combination_mean(&sum, mean, level);
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

struct complete_table {
  const double *values; /* complete */
  const size_t *n;      /* [AD_FACTORS] */
  size_t all, terms;    /* all factors as bits; 3 or 7 terms */
  double *sums;         /* of table_squares */
  double *replicates;   /* [terms, replicates] */
  uint32_t *index;      /* [n[0] + n[1] + n[2]] */
};

static void bootstrap_levels(struct ad_components *components, const struct complete_table *t,
                             const struct ad_resampling *how) {
  const size_t R = how->replicates;
  const uint32_t *index[AD_FACTORS] = {t->index, t->index + t->n[0], t->index + t->n[0] + t->n[1]};
  for (size_t r = 0; r < R; r++) {
    for (size_t f = 0, first = 0; f < AD_FACTORS; first += t->n[f++]) {
      ad__draw_indices(how, DRAW_ROWS + (uint32_t)f, r, t->n[f], t->n[f], t->index + first);
    }
    double squares[TERMS];
    ad__table_squares(t->values, t->n, t->n, index, t->sums, squares);
    for (size_t i = 0; i < t->terms; i++) {
      const struct combination c = combine(t->n, t->all, next_term(t->all, i), squares);
      t->replicates[i * R + r] = ad__combination_value(&c);
    }
  }
  for (size_t i = 0; i < t->terms; i++) {
    struct ad_component *item = &components->items[i];
    double *replicates = t->replicates + i * R, mean = 0.0;
    for (size_t r = 0; r < R; r++) {
      mean += replicates[r] / (double)R;
    }
    for (size_t r = 0; r < R; r++) {
      replicates[r] += item->variance.value - mean;
    }
    item->bootstrap = ad__percentile_interval(R, replicates, how->level);
  }
}

static struct ad_crossed_mean no_mean(const char *why) {
  return (struct ad_crossed_mean){ad_figure_none(why), ad_figure_none(why), ad_figure_none(why), ad_figure_none(why),
                                  ad_interval_none(why)};
}

static int analyse_complete(struct ad_components *components, const struct ad_design *design, const double *values,
                            const struct ad_resampling *how) {
  const size_t *n = components->levels, all = ((size_t)1 << design->factors) - 1;
  struct complete_table t = {.values = values, .n = n, .all = all, .terms = design->factors == 2 ? 3 : 7};
  size_t fewest = n[0];
  for (size_t f = 0; f < design->factors; f++) {
    fewest = n[f] < fewest ? n[f] : fewest;
  }
  t.sums = ad_malloc((n[0] + 1) * (n[1] + 1) * (n[2] + 1), sizeof *t.sums);
  t.replicates = ad_malloc(t.terms * how->replicates, sizeof *t.replicates);
  t.index = ad_malloc(n[0] + n[1] + n[2], sizeof *t.index);
  int status = AD_OK;
  if (t.sums == NULL || t.replicates == NULL || t.index == NULL) {
    status = ad_fail_memory(t.terms * how->replicates * sizeof *t.replicates, "variance components");
    goto out;
  }
  double squares[TERMS];
  ad__table_squares(values, n, n, (const uint32_t *const[AD_FACTORS]){NULL}, t.sums, squares);
  components->mean = mean_of_levels(values, n, all, squares, how->level);
  components->count = t.terms;
  for (size_t i = 0; i < t.terms; i++) {
    struct ad_component *item = &components->items[i];
    const size_t term = next_term(all, i);
    const struct combination c = combine(n, all, term, squares);
    term_name(design, term, sizeof item->name, item->name);
    term_expectation(design, n, all, term, sizeof item->ems, item->ems);
    item->df = degrees(n, term);
    item->ms = ad_figure_of(squares[term] / (double)item->df);
    item->variance = ad_figure_of(ad__combination_value(&c));
    item->satterthwaite = ad__combination_satterthwaite(&c, how->level);
    item->mls = ad__combination_mls(&c, how->level);
    item->bootstrap = ad_interval_none("needs at least 4 levels of every factor");
  }
  if (fewest >= 4) {
    bootstrap_levels(components, &t, how);
  }
out:
  ad_free(t.sums);
  ad_free(t.replicates);
  ad_free(t.index);
  return status;
}

/* ---- Latin squares ---- */

static double value_at(const struct ad_design *d, size_t i, size_t j, size_t k) {
  return d->values[(i * d->levels[1] + j) * d->levels[2] + k];
}

/* Each pair of levels of two factors meets once; line[f,level] counts and sums of each level. */
static int is_latin(const struct ad_design *d, size_t cells) {
  const size_t n = d->levels[0];
  if (d->factors != 3 || n < 3 || d->levels[1] != n || d->levels[2] != n || cells != n * n) {
    return 0;
  }
  for (size_t a = 0; a < n; a++) {
    for (size_t b = 0; b < n; b++) {
      size_t met[3] = {0};
      for (size_t c = 0; c < n; c++) {
        met[0] += !isnan(value_at(d, a, b, c));
        met[1] += !isnan(value_at(d, a, c, b));
        met[2] += !isnan(value_at(d, c, a, b));
      }
      if (met[0] != 1 || met[1] != 1 || met[2] != 1) {
        return 0;
      }
    }
  }
  return 1;
}

/* Sums of squares of the three factors and of what is left. */
static void latin_squares(const struct ad_design *d, double squares[4]) {
  const size_t n = d->levels[0];
  double mean = 0.0;
  for (size_t i = 0; i < n * n * n; i++) {
    mean += isnan(d->values[i]) ? 0.0 : d->values[i] / (double)(n * n);
  }
  squares[0] = squares[1] = squares[2] = squares[3] = 0.0;
  for (size_t a = 0; a < n; a++) {
    double sum[3] = {0};
    for (size_t b = 0; b < n; b++) {
      for (size_t c = 0; c < n; c++) {
        const double x[3] = {value_at(d, a, b, c), value_at(d, b, a, c), value_at(d, b, c, a)};
        for (size_t f = 0; f < 3; f++) {
          sum[f] += isnan(x[f]) ? 0.0 : x[f] - mean;
        }
        squares[3] += isnan(x[0]) ? 0.0 : (x[0] - mean) * (x[0] - mean);
      }
    }
    for (size_t f = 0; f < 3; f++) {
      squares[f] += sum[f] * sum[f] / (double)n;
    }
  }
  const double total = squares[3], cells = (double)(n * n);
  squares[3] -= squares[0] + squares[1] + squares[2];
  for (size_t i = 0; i < 4; i++) {
    squares[i] = squares_of(squares[i], total, cells, mean);
  }
}

static void analyse_latin(struct ad_components *components, const struct ad_design *design, double level) {
  const size_t n = design->levels[0];
  double squares[4];
  latin_squares(design, squares);
  const double df[4] = {(double)(n - 1), (double)(n - 1), (double)(n - 1), (double)((n - 1) * (n - 2))};
  components->method = "Latin square: main effects; all interactions are in the rest";
  components->count = 4;
  for (size_t i = 0; i < 4; i++) {
    struct ad_component *item = &components->items[i];
    struct combination c = {1, {1.0}, {squares[i] / df[i]}, {df[i]}};
    snprintf(item->name, sizeof item->name, "%s", i < 3 ? design->names[i] : "rest");
    snprintf(item->ems, sizeof item->ems, "V(rest)");
    if (i < 3) {
      c = (struct combination){
          2, {1.0 / (double)n, -1.0 / (double)n}, {squares[i] / df[i], squares[3] / df[3]}, {df[i], df[3]}};
      snprintf(item->ems, sizeof item->ems, "%zu V(%s) + V(rest)", n, design->names[i]);
    }
    item->df = (size_t)df[i];
    item->ms = ad_figure_of(squares[i] / df[i]);
    item->variance = ad_figure_of(ad__combination_value(&c));
    item->satterthwaite = ad__combination_satterthwaite(&c, level);
    item->mls = ad__combination_mls(&c, level);
    item->bootstrap = ad_interval_none("levels of a Latin square cannot be drawn one by one");
  }
}

/* ---- Missing cells of three factors ---- */

/* Cells without a value among the kept levels, of every level into lacking[f] [levels]. */
static size_t count_missing(const struct ad_design *d, unsigned char *const keep[AD_FACTORS],
                            size_t *const lacking[AD_FACTORS]) {
  size_t missing = 0;
  for (size_t f = 0; f < AD_FACTORS; f++) {
    memset(lacking[f], 0, d->levels[f] * sizeof *lacking[f]);
  }
  for (size_t i = 0; i < d->levels[0]; i++) {
    for (size_t j = 0; j < d->levels[1]; j++) {
      for (size_t k = 0; k < d->levels[2]; k++) {
        if (keep[0][i] && keep[1][j] && keep[2][k] && isnan(value_at(d, i, j, k))) {
          missing++;
          lacking[0][i]++;
          lacking[1][j]++;
          lacking[2][k]++;
        }
      }
    }
  }
  return missing;
}

/* Drops levels until no cell is missing; n: how many are kept. 0 where fewer than 2 of a factor would stay. */
static int drop_levels(const struct ad_design *d, unsigned char *const keep[AD_FACTORS],
                       size_t *const lacking[AD_FACTORS], size_t n[AD_FACTORS]) {
  memcpy(n, d->levels, AD_FACTORS * sizeof *n);
  while (count_missing(d, keep, lacking) > 0) {
    size_t factor = AD_FACTORS, worst = 0;
    double most = 0.0;
    for (size_t f = 0; f < AD_FACTORS; f++) {
      const double cells = (double)(n[0] * n[1] * n[2] / n[f]);
      for (size_t l = 0; n[f] > 2 && l < d->levels[f]; l++) {
        if (keep[f][l] && (double)lacking[f][l] / cells > most) {
          most = (double)lacking[f][l] / cells;
          factor = f;
          worst = l;
        }
      }
    }
    if (factor == AD_FACTORS) {
      return 0;
    }
    keep[factor][worst] = 0;
    n[factor]--;
  }
  return 1;
}

static int analyse_block(struct ad_components *components, const struct ad_design *d, const struct ad_resampling *how) {
  const size_t total = d->levels[0] + d->levels[1] + d->levels[2];
  unsigned char *kept = ad_malloc(total, 1), *const keep[] = {kept, kept + d->levels[0],
                                                              kept + d->levels[0] + d->levels[1]};
  size_t *lacks = ad_malloc(total, sizeof *lacks), *const lacking[] = {lacks, lacks + d->levels[0],
                                                                       lacks + d->levels[0] + d->levels[1]};
  double *block = ad_malloc(d->levels[0] * d->levels[1] * d->levels[2], sizeof *block);
  int status = AD_OK;
  if (kept == NULL || lacks == NULL || block == NULL) {
    status = ad_fail_memory(total * 9, "a complete block");
    goto out;
  }
  memset(kept, 1, total);
  if (!drop_levels(d, keep, lacking, components->levels)) {
    components->why = "no block of at least 2 x 2 x 2 cells is complete: the factors are not crossed";
    goto out;
  }
  size_t cells = 0;
  for (size_t i = 0; i < d->levels[0] * d->levels[1] * d->levels[2]; i++) {
    const size_t a = i / (d->levels[1] * d->levels[2]), b = i / d->levels[2] % d->levels[1], c = i % d->levels[2];
    if (keep[0][a] && keep[1][b] && keep[2][c]) {
      block[cells++] = d->values[i];
    }
  }
  components->cells = cells;
  components->method = "the complete block left after levels with missing cells were dropped; mean squares";
  status = analyse_complete(components, d, block, how);
  components->mean = no_mean("needs all cells of the crossed seeds");
out:
  ad_free(kept);
  ad_free(lacks);
  ad_free(block);
  return status;
}

int ad_variance_components(struct ad_components *components, const struct ad_design *design,
                           const struct ad_resampling *how) {
  ad__quiet_gsl();
  const size_t total = design->levels[0] * design->levels[1] * design->levels[2];
  *components = (struct ad_components){.method = "none", .mean = no_mean("needs all cells of the crossed seeds")};
  memcpy(components->levels, design->levels, sizeof components->levels);
  for (size_t i = 0; i < total; i++) {
    components->cells += isfinite(design->values[i]);
    if (isinf(design->values[i])) {
      components->why = AD__WHY_NOT_FINITE;
      return AD_OK;
    }
  }
  components->missing = total - components->cells;
  for (size_t f = 0; f < design->factors; f++) {
    if (design->levels[f] < 2) {
      components->why = "needs at least 2 levels of each factor";
      return AD_OK;
    }
  }
  double first = NAN;
  int equal = 1;
  for (size_t i = 0; i < total; i++) {
    first = isnan(first) ? design->values[i] : first;
    equal &= isnan(design->values[i]) || ad_difference(design->values[i], first) == 0.0;
  }
  if (equal) {
    components->why = components->cells == 0 ? AD__WHY_NO_RUNS : AD__WHY_EQUAL;
    components->mean = components->missing == 0 ? no_mean(AD__WHY_EQUAL) : components->mean;
    return AD_OK;
  }
  if (components->missing == 0) {
    components->method = "complete table: mean squares";
    return analyse_complete(components, design, design->values, how);
  }
  if (design->factors == 2) {
    return ad__analyse_two_way(components, design, how->level);
  }
  if (is_latin(design, components->cells)) {
    analyse_latin(components, design, how->level);
    return AD_OK;
  }
  return analyse_block(components, design, how);
}
