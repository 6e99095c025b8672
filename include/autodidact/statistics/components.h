/* Variance components of a crossed design: how much of the spread comes from new weights, order, dropout, and from
 * their interactions. Letters: I, J, D levels of the factors, N cells with a value, MS mean squares. */
#ifndef AUTODIDACT_STATISTICS_COMPONENTS_H
#define AUTODIDACT_STATISTICS_COMPONENTS_H

#include "autodidact/statistics/statistics.h"

enum { AD_FACTORS = 3, AD_COMPONENTS = 7 };

/* One value a cell: repeats of a cell are equal to the bit and add nothing. */
struct ad_design {
  size_t factors;                /* 2 or 3 */
  const char *names[AD_FACTORS]; /* "init", "order", "dropout" */
  size_t levels[AD_FACTORS];     /* I, J, D; 1 for a factor that is not there */
  const double *values;          /* [I,J,D]; NaN: no value */
};

struct ad_component {
  char name[96];             /* "init", "init x order"; the highest term holds what is not crossed besides */
  size_t df;                 /* degrees of freedom of its mean square */
  struct ad_figure ms;       /* mean square */
  char ems[256];             /* its expectation under the random model, "10 V(init) + V(init x order)" */
  struct ad_figure variance; /* the estimate from the mean squares, negative ones as they are */
  struct ad_interval
      satterthwaite;      /* df v / chi2, df = v^2 / sum((k MS)^2 / df) (Satterthwaite 1946); v > 0 and df >= 1 only */
  struct ad_interval mls; /* modified large sample (Ting et al. 1990; Burdick, Graybill 1992, section 3.3) */
  struct ad_interval bootstrap; /* over whole levels of every factor, never cells; shifted by the mean of the replicates
                                   less the estimate, as drawing levels twice biases them */
};

/* The mean over the cells of a complete table as an estimate of what other levels would give. Its error counts levels
 * and not cells, which share them: v = sum over the terms of max(0, V(term)) / (combinations of its levels). v is a
 * combination of mean squares: of two factors (MS_A + MS_B - MS_AB) / (I J) where no estimate is negative. Student's t
 * with Satterthwaite's df = v^2 / sum((k MS)^2 / df). */
struct ad_crossed_mean {
  struct ad_figure mean, error; /* error: sqrt(v) */
  struct ad_figure df, p;       /* p: two-sided, of a mean of 0 */
  struct ad_interval interval;
};

struct ad_components {
  const char *why;           /* NULL: there are components; else why not */
  const char *method;        /* which design was found, and how it was analysed */
  size_t missing;            /* cells of the design without a value */
  size_t cells;              /* N, those analysed */
  size_t levels[AD_FACTORS]; /* of those analysed */
  size_t count;
  struct ad_component items[AD_COMPONENTS]; /* [count] main effects first */
  struct ad_crossed_mean mean;              /* of complete tables */
};

/* Random effects, one value a cell:
 * - complete two- and three-way tables: mean squares and their expectations (E MS_A = J V(A) + V(AB), ...);
 * - two-way tables with missing cells: Henderson's method 3 (1953): squares of each factor given the other by least
 *   squares, E SS(A|B) = (N - J) V(A) + (I - 1) V(AB);
 * - three-way tables that are a Latin square: main effects and the rest;
 * - other three-way tables with missing cells: the complete block that is left when the level with most missing cells
 * is dropped again and again; `cells` and `levels` say which. AD_ENOMEM. */
int ad_variance_components(struct ad_components *components, const struct ad_design *design,
                           const struct ad_resampling *how);

#endif
