/* Variance components of a crossed design without missing cells: how much of the spread comes from new weights, order,
 * dropout, and from their interactions. Other designs: mixed.h. Letters: I, J, D levels of the factors, MS mean
 * squares.
 */
#ifndef AUTODIDACT_STATISTICS_COMPONENTS_H
#define AUTODIDACT_STATISTICS_COMPONENTS_H

#include "autodidact/statistics/statistics.h"

enum { AD_FACTORS = 3, AD_COMPONENTS = 7 };

/* One value a cell: repeats of a cell are equal to the bit and add nothing. */
struct ad_design {
  size_t factors;                /* 2 or 3 */
  const char *names[AD_FACTORS]; /* "init", "order", "dropout" */
  size_t levels[AD_FACTORS];     /* I, J, D; 1 for a factor that is not there */
  const double *values;          /* [I,J,D] */
};

struct ad_component {
  char name[96];             /* "init", "init x order"; the highest term holds what is not crossed besides */
  size_t df;                 /* degrees of freedom of its mean square */
  struct ad_figure ms;       /* mean square */
  char ems[256];             /* its expectation under the random model, "10 V(init) + V(init x order)" */
  struct ad_figure variance; /* the estimate from the mean squares, negative ones as they are */
};

struct ad_components {
  const char *why; /* NULL: there are components; else why not */
  size_t count;
  struct ad_component items[AD_COMPONENTS]; /* [count] main effects first */
};

/* Mean squares of a complete table and their expectations (E MS_A = J V(A) + V(AB), ...), all effects random.
 * AD_ENOMEM.
 */
int ad_variance_components(struct ad_components *components, const struct ad_design *design);

#endif
