/* Two factors with missing cells: Henderson's method 3. */
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "components_internal.h"

enum { MOST_LEVELS = 1000 }; /* of the factor with fewer: the work grows with its cube */

/* The table, turned so that there are at most as many rows as columns. */
struct unbalanced {
  size_t rows, columns, cells;
  int turned;
  const double *values;
  double shift;                     /* mean of all, taken off */
  double *row_sum, *column_sum;     /* [rows], [columns] */
  size_t *row_count, *column_count; /* [rows], [columns] */
  gsl_matrix *normal;               /* [rows - 1, rows - 1] of the row effects, columns eliminated */
  gsl_vector *right;                /* [rows - 1] */
};

static double at(const struct unbalanced *u, size_t row, size_t column) {
  return u->turned ? u->values[column * u->rows + row] : u->values[row * u->columns + column];
}

static void sum_lines(struct unbalanced *u) {
  memset(u->row_sum, 0, (u->rows + u->columns) * sizeof *u->row_sum);
  memset(u->row_count, 0, (u->rows + u->columns) * sizeof *u->row_count);
  for (size_t r = 0; r < u->rows; r++) {
    for (size_t c = 0; c < u->columns; c++) {
      const double x = at(u, r, c) - u->shift;
      if (!isnan(x)) {
        u->row_sum[r] += x;
        u->column_sum[c] += x;
        u->row_count[r]++;
        u->column_count[c]++;
      }
    }
  }
}

/* Sum of squares around the means of rows (or columns). */
static double around(const struct unbalanced *u, int by_row) {
  double sum = 0.0;
  for (size_t r = 0; r < u->rows; r++) {
    for (size_t c = 0; c < u->columns; c++) {
      const double x = at(u, r, c) - u->shift;
      const double mean =
          by_row ? u->row_sum[r] / (double)u->row_count[r] : u->column_sum[c] / (double)u->column_count[c];
      sum += isnan(x) ? 0.0 : (x - mean) * (x - mean);
    }
  }
  return sum;
}

/* Sum of squares around the least-squares fit of rows and columns; -1 where rows and columns are not connected. */
static double around_both(struct unbalanced *u) {
  const size_t n = u->rows - 1;
  for (size_t r = 0; r < n; r++) {
    double right = u->row_sum[r];
    for (size_t s = 0; s < n; s++) {
      double sum = r == s ? (double)u->row_count[r] : 0.0;
      for (size_t c = 0; c < u->columns; c++) {
        sum -= !isnan(at(u, r, c)) && !isnan(at(u, s, c)) ? 1.0 / (double)u->column_count[c] : 0.0;
      }
      gsl_matrix_set(u->normal, r, s, sum);
    }
    for (size_t c = 0; c < u->columns; c++) {
      right -= isnan(at(u, r, c)) ? 0.0 : u->column_sum[c] / (double)u->column_count[c];
    }
    gsl_vector_set(u->right, r, right);
  }
  if (gsl_linalg_cholesky_decomp1(u->normal) != 0) {
    return -1.0;
  }
  for (size_t r = 0; r < n; r++) {
    /* Of a singular matrix the last pivots are roundings. */
    if (!(gsl_matrix_get(u->normal, r, r) > 1e-7)) {
      return -1.0;
    }
  }
  gsl_linalg_cholesky_svx(u->normal, u->right);
  double sum = 0.0;
  for (size_t c = 0; c < u->columns; c++) {
    double effect = u->column_sum[c];
    for (size_t r = 0; r < n; r++) {
      effect -= isnan(at(u, r, c)) ? 0.0 : gsl_vector_get(u->right, r);
    }
    effect /= (double)u->column_count[c];
    for (size_t r = 0; r < u->rows; r++) {
      const double x = at(u, r, c) - u->shift - effect - (r < n ? gsl_vector_get(u->right, r) : 0.0);
      sum += isnan(x) ? 0.0 : x * x;
    }
  }
  return sum;
}

static void fill_items(struct ad_components *out, const struct ad_design *design, const double squares[3],
                       double level) {
  const double N = (double)out->cells, I = (double)design->levels[0], J = (double)design->levels[1];
  const double df[3] = {I - 1, J - 1, N - I - J + 1}, times[3] = {N - J, N - I, 1.0};
  out->count = 3;
  out->method = "two-way table with missing cells: Henderson's method 3, intervals approximate";
  for (size_t i = 0; i < 3; i++) {
    struct ad_component *item = &out->items[i];
    struct combination c = {1, {1.0}, {squares[2] / df[2]}, {df[2]}};
    if (i < 2) {
      const double k = df[i] / times[i];
      c = (struct combination){2, {k, -k}, {squares[i] / df[i], squares[2] / df[2]}, {df[i], df[2]}};
      snprintf(item->name, sizeof item->name, "%s", design->names[i]);
      snprintf(item->ems, sizeof item->ems, "%.6g V(%s) + V(%s x %s)", times[i] / df[i], design->names[i],
               design->names[0], design->names[1]);
    } else {
      snprintf(item->name, sizeof item->name, "%s x %s", design->names[0], design->names[1]);
      snprintf(item->ems, sizeof item->ems, "V(%s x %s)", design->names[0], design->names[1]);
    }
    item->df = (size_t)df[i];
    item->ms = ad_figure_of(squares[i] / df[i]);
    item->variance = ad_figure_of(ad__combination_value(&c));
    item->satterthwaite = ad__combination_satterthwaite(&c, level);
    item->mls = ad__combination_mls(&c, level);
    item->bootstrap = ad_interval_none("cells are missing");
  }
}

static void analyse_unbalanced(struct ad_components *out, const struct ad_design *design, struct unbalanced *u,
                               double level) {
  sum_lines(u);
  for (size_t i = 0; i < u->rows + u->columns; i++) {
    if (u->row_count[i] == 0) {
      out->why = "a level of a factor has no values";
      return;
    }
  }
  const double by_row = around(u, 1), by_column = around(u, 0), by_both = around_both(u);
  if (by_both < 0.0) {
    out->why = "so many cells are missing that rows and columns are not connected";
    return;
  }
  /* Squares of the first factor given the second, and the other way round. */
  const double total = by_row + by_column, N = (double)u->cells,
               rows = squares_of(by_column - by_both, total, N, u->shift),
               columns = squares_of(by_row - by_both, total, N, u->shift);
  const double squares[3] = {u->turned ? columns : rows, u->turned ? rows : columns,
                             squares_of(by_both, total, N, u->shift)};
  fill_items(out, design, squares, level);
}

int ad__analyse_two_way(struct ad_components *components, const struct ad_design *design, double level) {
  const size_t I = design->levels[0], J = design->levels[1], lines = I + J;
  struct unbalanced u = {.rows = I < J ? I : J, .columns = I < J ? J : I, .cells = components->cells, .turned = I > J};
  u.values = design->values;
  if (components->cells <= lines - 1) {
    components->why = "so many cells are missing that nothing is left to estimate the interaction";
    return AD_OK;
  }
  if (u.rows > MOST_LEVELS) {
    components->why = "cells are missing, and both factors have more than 1,000 levels";
    return AD_OK;
  }
  int status = AD_OK;
  u.row_sum = ad_malloc(lines, sizeof *u.row_sum);
  u.row_count = ad_malloc(lines, sizeof *u.row_count);
  double *work = ad_malloc(u.rows * (u.rows - 1), sizeof *work);
  if (u.row_sum == NULL || u.row_count == NULL || work == NULL) {
    status = ad_fail_memory(u.rows * u.rows * sizeof(double), "least squares of rows and columns");
    goto out;
  }
  gsl_matrix_view normal = gsl_matrix_view_array(work, u.rows - 1, u.rows - 1);
  gsl_vector_view right = gsl_vector_view_array(work + (u.rows - 1) * (u.rows - 1), u.rows - 1);
  u.normal = &normal.matrix;
  u.right = &right.vector;
  u.column_sum = u.row_sum + u.rows;
  u.column_count = u.row_count + u.rows;
  for (size_t i = 0; i < I * J; i++) {
    u.shift += isnan(design->values[i]) ? 0.0 : design->values[i] / (double)components->cells;
  }
  analyse_unbalanced(components, design, &u, level);
out:
  ad_free(u.row_sum);
  ad_free(u.row_count);
  ad_free(work);
  return status;
}
