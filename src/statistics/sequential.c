/* By numerical integration over the paths that have crossed no bound yet (Armitage, McPherson, Rowe 1969). */
#include "autodidact/statistics/sequential.h"

#include <math.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "distributions.h"
#include "resample.h"

enum { POINTS = 801 }; /* of Simpson's rule between the bounds */

/* The density of the sum S(t) = z sqrt t on paths between the bounds so far, at POINTS places from -width to width. */
struct paths {
  double width, time;
  double *density, *next;
};

static double weight(size_t i) {
  return (i == 0 || i == POINTS - 1 ? 1.0 : i % 2 ? 4.0 : 2.0) / 3.0;
}

static double place(double width, size_t i) {
  return width * (2.0 * (double)i / (POINTS - 1) - 1.0);
}

/* The chance to be outside -+ bound at time t. */
static double crossing(const struct paths *p, double t, double bound) {
  const double sd = sqrt(t - p->time), step = 2 * p->width / (POINTS - 1);
  double sum = 0.0;
  if (p->time == 0.0) {
    return 2 * ad__normal_upper(bound / sd);
  }
  for (size_t i = 0; i < POINTS; i++) {
    const double x = place(p->width, i);
    sum +=
        weight(i) * step * p->density[i] * (ad__normal_upper((bound - x) / sd) + ad__normal_lower((-bound - x) / sd));
  }
  return sum;
}

/* Goes on to time t, where paths outside -+ bound end. */
static void go_on(struct paths *p, double t, double bound) {
  const double sd = sqrt(t - p->time), step = 2 * p->width / (POINTS - 1);
  for (size_t j = 0; j < POINTS; j++) {
    const double y = place(bound, j);
    double sum = p->time == 0.0 ? ad__normal_density(y / sd) / sd : 0.0;
    for (size_t i = 0; i < POINTS && p->time > 0.0; i++) {
      sum += weight(i) * step * p->density[i] * ad__normal_density((y - place(p->width, i)) / sd) / sd;
    }
    p->next[j] = sum;
  }
  for (size_t j = 0; j < POINTS; j++) {
    p->density[j] = p->next[j];
  }
  p->time = t;
  p->width = bound;
}

int ad_sequential_bounds(size_t looks, const double *t, double alpha, double *p) {
  double *memory = ad_malloc(2 * POINTS, sizeof *memory), spent = 0.0;
  if (memory == NULL) {
    return ad_fail_memory(2 * POINTS * sizeof *memory, "bounds of looks");
  }
  struct paths paths = {0.0, 0.0, memory, memory + POINTS};
  for (size_t k = 0; k < looks; k++) {
    const double spend = 4 * ad__normal_upper(ad__normal_upper_quantile(alpha / 4) / sqrt(t[k])) - spent;
    double low = 0.0, high = 12.0; /* of z */
    for (int i = 0; i < 60; i++) {
      const double middle = (low + high) / 2;
      *(crossing(&paths, t[k], middle * sqrt(t[k])) > spend ? &low : &high) = middle;
    }
    p[k] = 2 * ad__normal_upper(high);
    spent += spend;
    go_on(&paths, t[k], high * sqrt(t[k]));
  }
  ad_free(memory);
  return AD_OK;
}
