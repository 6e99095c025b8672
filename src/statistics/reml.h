/* Restricted maximum likelihood of y = mean + an effect of each level of each term + rest (Patterson, Thompson 1971).
 */
#ifndef AUTODIDACT_SRC_STATISTICS_REML_H
#define AUTODIDACT_SRC_STATISTICS_REML_H

#include "autodidact/statistics/mixed.h"

enum { PARTS = AD_TERMS + 1 };

struct reml {
  size_t n, q, terms;
  size_t first[PARTS];                                          /* of a term's levels among all; first[terms] = q */
  double sum, square;                                           /* of the values, which are centred and scaled */
  double *counts;                                               /* [q,q] Z'Z */
  double *inner;                                                /* [q,q] B: V^-1 = (I - Z B Z') / s */
  double *work;                                                 /* [q,q] */
  double *between;                                              /* [q,q] Z'PZ */
  double *ones, *y;                                             /* [q] Z'1, Z'y */
  double *v_ones;                                               /* [q] Z'V^-1 1 */
  double *u;                                                    /* [q] Z'Py */
  double v[PARTS];                                              /* variances of the terms; v[terms]: s of the rest */
  double likelihood, precision, mean;                           /* log; 1'V^-1 1; of the scaled values */
  double score[PARTS], information[PARTS][PARTS], trace[PARTS]; /* y'P G P y, tr(P G P G'), tr(P G) for V = sum v G */
};

double ad__dot(size_t n, const double *a, const double *b);

/* Fills what depends on the values [n] and terms: n, terms, first and q are set. The values are centred and scaled. The
 * caller frees r->counts. AD_ENOMEM. */
int ad__reml_prepare(struct reml *r, const double *values, const struct ad_terms *terms, double shift, double scale);

/* The variances, from the start in r->v; used [terms + 1] is 0 for those that are 0. NULL, or why there are none. */
const char *ad__reml_maximize(struct reml *r, unsigned char *used);

#endif
