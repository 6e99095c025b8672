/* Several models for one task: the vote of their predictions, how much they differ, and the mean of their parameters.
 *
 * Letters: K models, N examples, C classes, P parameters. docs/methods.md, section 5, has the equations. */
#ifndef AUTODIDACT_LEARN_ENSEMBLE_H
#define AUTODIDACT_LEARN_ENSEMBLE_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/model/huggingface.h"

/* ---- The vote (Xu et al. 2020, equation 2): class probabilities are summed, the largest sum wins ---- */

/* The logits of one voter are needed at a time: they are added and may be thrown away. */
struct ad_vote {
  size_t voters, counted;    /* K of ad_vote_create, those added so far */
  size_t examples, classes;  /* N, C */
  const uint32_t *labels;    /* [N], not owned */
  double *probability;       /* [N,C] sums over the voters counted, owned */
  double *label_probability; /* [N] the logarithm of the label's sum, finite even where the sum underflows; owned */
  uint32_t *prediction;      /* [K,N] of each voter alone, owned */
};

/* labels [N], each below C, must outlive it. The caller owns it: ad_vote_destroy. AD_ENOMEM; AD_EINTERNAL (a label out
 * of range, K = 0, N = 0, C < 2). */
int ad_vote_create(struct ad_vote *vote, size_t K, size_t N, size_t C, const uint32_t *labels);
void ad_vote_destroy(struct ad_vote *vote);

/* Adds the softmax of one voter's logits [N,C], computed and summed in double, in the order of the calls. AD_EDIVERGED
 * (a logit is not finite: the example is named, and nothing was added), AD_EINTERNAL (more than K voters). */
int ad_vote_add(struct ad_vote *vote, const float *logits);

/* The class with the largest sum for each example, the first of equal ones, into prediction [N]. At least one voter. */
void ad_vote_predict(const struct ad_vote *vote, uint32_t *prediction);

/* Mean cross entropy of the mean probability over the voters with the labels, summed in order in double. At least one
 * voter. */
double ad_vote_cross_entropy(const struct ad_vote *vote);

/* The vote on each class by itself, where a label is a set of classes: the logit of the mean of K probabilities of
 * logits [K,n], computed and summed in double, in the order of the voters, into mean [n]. */
void ad_vote_on_each(size_t K, size_t n, const float *logits, float *mean);

/* The numbers [K,N] of sets predictions [K,N,Q], so that equal sets of an example have the same number. It is 0 where
 * the set is that of labels [N,Q], else 1 plus the number of the first voter who says the same. */
void ad_vote_number_sets(size_t K, size_t N, size_t Q, const uint32_t *labels, const uint32_t *predictions,
                         uint32_t *numbers);

/* ---- Diversity (Kuncheva, Whitaker 2003) ---- */

/* Two voters on the same examples. */
struct ad_pair {
  uint64_t both_right, first_right, second_right, both_wrong; /* N11, N10, N01, N00 */
  uint64_t differ;                                            /* examples on which they predict different classes */
};

/* Counts predictions a and b [N] against labels [N]. */
struct ad_pair ad_pair_count(size_t N, const uint32_t *a, const uint32_t *b, const uint32_t *labels);

/* Yule's Q, (N11 N00 - N10 N01) / (N11 N00 + N10 N01), and Cohen's kappa of right and wrong, 2 (N11 N00 - N10 N01) /
 * ((N11 + N10)(N10 + N00) + (N11 + N01)(N01 + N00)). Return 1 with the value, or 0 where it is 0/0 (for kappa: both
 * voters always right, or both always wrong); then *value is untouched. Exact up to one division. */
int ad_pair_q(const struct ad_pair *pair, double *value);
int ad_pair_kappa(const struct ad_pair *pair, double *value);

struct ad_diversity {
  size_t pairs;                /* K (K - 1) / 2 */
  double disagreement;         /* mean over the pairs of the share of examples on which two predict differently */
  double q, kappa;             /* means over the pairs where they are defined */
  size_t q_pairs, kappa_pairs; /* how many those are; with 0 of them the mean is not defined, and holds 0 */
};

/* Of K > 1 voters with predictions [K,N] against labels [N], N > 0; disagreement of each two into matrix [K,K],
 * symmetric, 0 on the diagonal. Means are summed in the order (0,1), (0,2), ..., (1,2), ... */
void ad_diversity(size_t K, size_t N, const uint32_t *predictions, const uint32_t *labels, double *matrix,
                  struct ad_diversity *diversity);

/* ---- The mean of parameters (Xu et al. 2020, equation 3) ---- */

/* The mean of K vectors values[k] [n] into mean [n]: each element is the exact sum of its K floats divided by K and
 * rounded once, to the nearest float32, ties to even. Hence no order of the vectors, and no range of the values, can
 * change a bit. The sum is taken in integers of 2^-149, the smallest float, wide enough for all of them, with K < 2^31.
 * A sum of zero gives +0. mean may be one of the vectors. AD_EDIVERGED (an element that is not finite: its place is
 * named), AD_EINTERNAL (K out of range). */
int ad_exact_mean(size_t K, size_t n, const float *const *values, float *mean);

/* The same of all parameters of K open models of one shape into theta [P]. Memory besides theta: K times the largest
 * tensor. AD_EINTERNAL (models of different tensors), AD_EINPUT, AD_ENOMEM. */
int ad_average_models(size_t K, const struct ad_model *const *models, float *theta);

#endif
