/* The ratio of the total spread where two seeds are crossed. */
#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "spread_internal.h"

/* The grids of two arms [I,J], and means of rows and columns of one. */
struct grids {
  size_t I, J;
  const double *arm[2];
  double *row, *column;
};

/* The sum of the variance components of an arm without row or column `left_out` (I + J: none): MS_row / J + MS_column /
 * I + (1 - 1/I - 1/J) MS_rest. cells [I,J]: what each cell has of it; NULL: not asked for. */
static double total_variance(const struct grids *g, int arm, size_t left_out, double *cells) {
  const double *y = g->arm[arm];
  double rows = 0.0, columns = 0.0, mean = 0.0, total = 0.0;
  memset(g->row, 0, g->I * sizeof *g->row);
  memset(g->column, 0, g->J * sizeof *g->column);
  for (size_t i = 0; i < g->I; i++) {
    rows += i != left_out;
    for (size_t j = 0; j < g->J && i != left_out; j++) {
      const double x = g->I + j == left_out ? 0.0 : y[i * g->J + j];
      g->row[i] += x;
      g->column[j] += x;
      mean += x;
    }
  }
  for (size_t j = 0; j < g->J; j++) {
    columns += g->I + j != left_out;
  }
  mean /= rows * columns;
  const double rest = (1 - 1 / rows - 1 / columns) / ((rows - 1) * (columns - 1));
  for (size_t i = 0; i < g->I; i++) {
    for (size_t j = 0; j < g->J && i != left_out; j++) {
      if (g->I + j != left_out) {
        const double a = g->row[i] / columns - mean, b = g->column[j] / rows - mean, e = y[i * g->J + j] - mean - a - b;
        const double part = a * a / ((rows - 1) * columns) + b * b / ((columns - 1) * rows) + rest * e * e;
        total += part;
        if (cells != NULL) {
          cells[i * g->J + j] = part;
        }
      }
    }
  }
  return total;
}

static double log_ratio(const struct grids *g, size_t left_out) {
  return 0.5 * log(total_variance(g, 0, left_out, NULL) / total_variance(g, 1, left_out, NULL));
}

/* The square of the error as if cells were independent: what levels left out count twice. cells [2, I J]: work. */
static double cell_square(const struct grids *g, double *cells) {
  const size_t n = g->I * g->J;
  const double a = total_variance(g, 0, g->I + g->J, cells), b = total_variance(g, 1, g->I + g->J, cells + n);
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    const double d = 0.5 * (cells[i] / a - cells[n + i] / b);
    sum += d * d;
  }
  return sum * (double)n / (double)(n - 1);
}

/* left_out [I + J], cells [2, I J]: work memory. */
static void compare_grids(struct ad_spread *s, const struct grids *g, double level, double *left_out, double *cells) {
  static const char few[] = "needs at least 6 levels of both seeds", equal[] = "an arm does not vary";
  const double ratio = log_ratio(g, g->I + g->J);
  s->levels = g->I < g->J ? g->I : g->J;
  if (!isfinite(ratio) || s->levels < AD_SPREAD_LEVELS) {
    const char *why = isfinite(ratio) ? few : equal;
    s->ratio = isfinite(ratio) ? ad_figure_of(exp(ratio)) : ad_figure_none(why);
    ad__no_spread(s, why);
    return;
  }
  for (size_t i = 0; i < g->I + g->J; i++) {
    left_out[i] = log_ratio(g, i);
  }
  const double rows = ad__jackknife_square(g->I, left_out), columns = ad__jackknife_square(g->J, left_out + g->I);
  const double both = rows + columns, square = fmax(both / 2, both - cell_square(g, cells));
  const double df = both * both / (rows * rows / (double)(g->I - 1) + columns * columns / (double)(g->J - 1));
  s->ratio = ad_figure_of(exp(ratio));
  ad__spread_interval(s, ratio, sqrt(square), df, level);
  s->p = ad_figure_none("crossed seeds: no test of the total has a size near 5 %");
  s->test = "none";
}

int ad__compare_crossed(struct ad_spreads *spreads, const double *const arms[2], const struct ad_terms *terms,
                        double level) {
  struct ad_spread *s = &spreads->items[spreads->count++];
  struct grids g = {terms->levels[0], terms->levels[1], {NULL, NULL}, NULL, NULL};
  const size_t n = g.I * g.J;
  double *block = ad_malloc(4 * n + 2 * (g.I + g.J), sizeof *block);
  if (block == NULL) {
    return ad_fail_memory((4 * n + 2 * (g.I + g.J)) * sizeof *block, "grids of two arms");
  }
  for (int arm = 0; arm < 2; arm++) {
    double *grid = block + (size_t)arm * n;
    for (size_t i = 0; i < n; i++) {
      grid[terms->group[0][i] * g.J + terms->group[1][i]] = arms[arm][i] - arms[arm][0];
    }
    g.arm[arm] = grid;
  }
  g.row = block + 4 * n;
  g.column = g.row + g.I;
  *s = (struct ad_spread){.source = "total"};
  compare_grids(s, &g, level, g.column + g.J, block + 2 * n);
  ad_free(block);
  return AD_OK;
}
