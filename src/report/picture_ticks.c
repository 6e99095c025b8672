/* Where the ticks of an axis are. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "picture.h"

/* The step of about `most` ticks over `span`: 1, 2 or 5 times a power of ten. decimals: of its multiples. */
static double find_step(double span, int whole, size_t most, int *decimals) {
  char text[40];
  snprintf(text, sizeof text, "%.0e", span / (double)most);
  const int digit = text[0] - '0';
  int exponent = atoi(text + 2);
  const int first = digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10;
  snprintf(text, sizeof text, "%de%d", first, exponent);
  const double step = strtod(text, NULL);
  exponent += first == 10;
  *decimals = exponent < 0 ? -exponent : 0;
  if (whole && step < 1.0) {
    *decimals = 0;
    return 1.0;
  }
  return step;
}

static size_t linear_ticks(double low, double high, int whole, double *ticks, int *decimals) {
  enum { MOST = 6 };
  const double step = find_step(high - low, whole, MOST, decimals);
  size_t count = 0;
  /* A tick at an end that a rounding puts outside is one. */
  for (double k = ceil(low / step - 1e-9); k <= high / step + 1e-9 && count < PICTURE_TICKS; k += 1.0) {
    ticks[count++] = k * step + 0.0;
  }
  return count;
}

/* The multiples in one decade; the first list that gives enough is taken. */
static size_t log_ticks(double low, double high, double *ticks) {
  static const double lists[][10] = {
      {1}, {1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}, {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8}};
  enum { ENOUGH = 4, LISTS = sizeof lists / sizeof *lists };
  size_t count = 0;
  for (size_t list = 0; list < LISTS && count < ENOUGH; list++) {
    char text[40];
    snprintf(text, sizeof text, "%.0e", low);
    count = 0;
    for (int exponent = atoi(text + 2) - 1; exponent < 400 && count < PICTURE_TICKS; exponent++) {
      snprintf(text, sizeof text, "1e%d", exponent);
      const double decade = strtod(text, NULL);
      for (size_t i = 0; i < 10 && lists[list][i] > 0.0 && count < PICTURE_TICKS; i++) {
        const double tick = lists[list][i] * decade;
        if (tick >= low && tick <= high) {
          ticks[count++] = tick;
        }
      }
      if (!(decade < high)) {
        break;
      }
    }
  }
  return count;
}

size_t ad__picture_ticks(double low, double high, int log, int whole, double *ticks, int *decimals) {
  enum { FEW = 3 };
  *decimals = -1; /* each as short as it can be */
  const size_t count = log ? log_ticks(low, high, ticks) : 0;
  return count >= FEW ? count : linear_ticks(low, high, whole, ticks, decimals);
}
