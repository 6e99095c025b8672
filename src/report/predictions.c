/* The section on predictions: churn and consistency, diversity, calibration. */
#include <stdio.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/calibration.h"
#include "autodidact/statistics/examples.h"
#include "examples.h"

enum { HEAT_RUNS = 60 };
#define WHY_TWO "needs at least 2 runs"

struct prediction_row {
  const char *arm;
  size_t runs;
  struct ad_figure churn, consistency, correct, q, kappa; /* means over pairs of runs */
  struct ad_figure nll, brier, ece, vote_error;           /* means over the runs; of their vote */
  struct ad_calibration vote;
  struct ad_ambiguity ambiguity;
};

static struct ad_figure where(size_t count, double value, const char *why) {
  return count > 0 ? ad_figure_of(value) : ad_figure_none(why);
}

static struct ad_figure rest_of(struct ad_figure share) {
  return share.why != NULL ? share : ad_figure_of(1.0 - share.value);
}

/* Runs of an arm that are right on example i. */
static double right_runs(const struct examples *e, const struct predictions *p, size_t i) {
  double right = 0.0;
  for (size_t k = 0; k < p->runs; k++) {
    right += p->wrong[k * e->N + i] == 0;
  }
  return right;
}

/* Correct-consistency (Wang et al. 2020): the share of examples on which both runs of a pair are right, the mean over
 * pairs of a run of a and another one of b. */
static struct ad_figure correct_consistency(const struct examples *e, const struct predictions *a,
                                            const struct predictions *b) {
  const double pairs = (double)a->runs * (double)(a == b ? a->runs - 1 : b->runs);
  double both = 0.0;
  for (size_t i = 0; i < e->N; i++) {
    const double right = right_runs(e, a, i);
    both += right * (a == b ? right - 1.0 : right_runs(e, b, i));
  }
  return where(pairs > 0.0, both / (pairs * (double)e->N), WHY_TWO);
}

/* matrix [runs,runs] and vote [N]: work memory. */
static void prediction_row(struct examples *e, size_t a, double *matrix, uint32_t *vote) {
  struct predictions *p = &e->arm[a];
  struct prediction_row row = {.arm = e->r->arm[a].name, .runs = p->runs};
  struct ad_diversity d = {0};
  size_t wrong = 0;
  if (p->runs > 1) {
    ad_diversity(p->runs, e->N, p->prediction, e->labels, matrix, &d);
  }
  ad_vote_predict(&p->vote, vote);
  for (size_t i = 0; i < e->N; i++) {
    wrong += vote[i] != e->labels[i];
  }
  row.churn = where(d.pairs, d.disagreement, WHY_TWO);
  row.consistency = rest_of(row.churn);
  row.correct = correct_consistency(e, p, p);
  row.q = where(d.q_pairs, d.q, "0/0 for every pair, or one run");
  row.kappa = where(d.kappa_pairs, d.kappa, "0/0 for every pair, or one run");
  row.nll = mean_of(p->runs, p->nll, "no runs");
  row.brier = mean_of(p->runs, p->brier, "no runs");
  row.ece = mean_of(p->runs, p->ece, "no runs");
  row.vote_error = mean_of(e->N, (double)wrong, "no examples");
  ad_ambiguity_of(&row.ambiguity, p->runs, e->N, e->C, row.brier.value, p->square, p->vote.probability);
  ad_calibrate_probabilities(&row.vote, e->N, e->C, p->vote.probability, (double)p->runs, e->labels);
  ad__document_row(e->r->doc, &row);
}

static int prediction_rows(struct examples *e) {
  double *matrix = ad_malloc(e->most * e->most, sizeof *matrix);
  uint32_t *vote = ad_malloc(e->N, sizeof *vote);
  const int missing = matrix == NULL || vote == NULL;
  for (size_t a = 0; a < e->arms && !missing; a++) {
    if (e->arm[a].runs > 0) {
      prediction_row(e, a, matrix, vote);
    }
  }
  ad_free(matrix);
  ad_free(vote);
  return missing ? ad_fail_memory(e->most * e->most * 8 + e->N * 4, "a vote") : e->r->doc->status;
}

struct churn_row {
  const char *arm, *other;
  struct ad_figure churn, consistency, correct;
};

static void churn_table(struct examples *e) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, churn_row, arm), COLUMN("other", "and", UNIT_NONE, churn_row, other),
      COLUMN("churn", "churn", UNIT_PERCENT, churn_row, churn),
      COLUMN("consistency", "consistency", UNIT_PERCENT, churn_row, consistency),
      COLUMN("correct_consistency", "correct-consistency", UNIT_PERCENT, churn_row, correct)};
  ad__document_table(e->r->doc, "churn_between", "Churn and consistency between arms", COLUMNS(columns));
  for (size_t i = 0; i < e->arms; i++) {
    for (size_t j = i + 1; j < e->arms; j++) {
      const struct predictions *a = &e->arm[i], *b = &e->arm[j];
      if (a->runs > 0 && b->runs > 0) {
        const struct ad_figure churn = ad_churn(a->runs, a->prediction, b->runs, b->prediction, e->N);
        const struct churn_row row = {e->r->arm[i].name, e->r->arm[j].name, churn, rest_of(churn),
                                      correct_consistency(e, a, b)};
        ad__document_row(e->r->doc, &row);
      }
    }
  }
}

/* Up to HEAT_RUNS runs, arm after arm. */
struct churn_map {
  size_t count, arms;
  const uint32_t *prediction[HEAT_RUNS]; /* [count] rows of N examples */
  size_t arm[HEAT_RUNS];                 /* [arms] */
  size_t begin[HEAT_RUNS + 1];           /* [arms + 1] their first runs, and the end */
  int left_out;                          /* 1: an arm has more runs */
};

static void choose_runs(const struct examples *e, struct churn_map *m) {
  size_t arms = 0;
  for (size_t a = 0; a < e->arms; a++) {
    arms += e->arm[a].runs > 0;
  }
  const size_t each = arms == 0 ? 0 : HEAT_RUNS / arms;
  for (size_t a = 0; a < e->arms && each > 0; a++) {
    m->left_out |= e->arm[a].runs > each;
    for (size_t k = 0; k < e->arm[a].runs && k < each; k++) {
      m->prediction[m->count++] = e->arm[a].prediction + k * e->N;
    }
    if (e->arm[a].runs > 0) {
      m->arm[m->arms++] = a;
      m->begin[m->arms] = m->count;
    }
  }
}

static size_t count_different(size_t n, const uint32_t *a, const uint32_t *b) {
  size_t differ = 0;
  for (size_t i = 0; i < n; i++) {
    differ += a[i] != b[i];
  }
  return differ;
}

/* A cell for each two runs below the diagonal, as dark as the share of examples that they differ on, of the largest
 * such share; which is returned, in percent. */
static double draw_churn(const struct examples *e, const struct churn_map *m, struct picture *p) {
  double most = 0.0;
  const size_t first = p->mark_count;
  for (size_t i = 0; i < m->count; i++) {
    for (size_t j = 0; j < i; j++) {
      const double share = (double)count_different(e->N, m->prediction[i], m->prediction[j]) / (double)e->N;
      ad__picture_mark(p, PICTURE_CELL, 1, (double)j, (double)i, (double)j + 1, (double)i + 1);
      ad__picture_share(p, share);
      ad__picture_title(p, "runs %zu and %zu: %.3g %%", i + 1, j + 1, 100 * share);
      most = fmax(most, share);
    }
  }
  for (size_t k = first; k < p->mark_count; k++) {
    p->marks[k].share /= most > 0.0 ? most : 1.0;
  }
  return 100 * most;
}

/* The arms' names beside the map, and lines between them. */
static void draw_arms(const struct report *r, const struct churn_map *m, struct picture *p) {
  const double end = (double)m->count;
  for (size_t i = 0; i < m->arms; i++) {
    const double begin = (double)m->begin[i], after = (double)m->begin[i + 1];
    ad__picture_mark(p, PICTURE_LABEL, 0, after, (begin + after) / 2, after, (begin + after) / 2);
    ad__picture_title(p, "%s", r->arm[m->arm[i]].name);
    ad__picture_mark(p, PICTURE_EDGE, 0, 0, after, after, after);
    ad__picture_mark(p, PICTURE_EDGE, 0, begin, begin, begin, end);
  }
}

static void plot_churn(struct examples *e) {
  struct churn_map m = {0};
  char title[300];
  choose_runs(e, &m);
  if (m.count < 2) {
    return;
  }
  /* The first run at the top. */
  struct picture p = {.width = 720,
                      .height = 560,
                      .x = {.bare = 1, .low = 0, .high = 1.25 * (double)m.count},
                      .y = {.bare = 1, .down = 1, .low = 0, .high = (double)m.count}};
  const double most = draw_churn(e, &m, &p);
  draw_arms(e->r, &m, &p);
  snprintf(title, sizeof title,
           "Churn: share of examples on which two runs predict different classes, run by run, the arms one after "
           "another%s; the darkest is %.3g %%.",
           m.left_out ? " (each arm's first runs: at most 60 in all)" : "", most);
  ad__document_picture(e->r->doc, "plot_churn", title, NULL, &p);
}

int ad__report_predictions(struct examples *e) {
  struct report *r = e->r;
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, prediction_row, arm),
      COLUMN("runs", "runs", UNIT_NONE, prediction_row, runs),
      COLUMN("churn", "churn", UNIT_PERCENT, prediction_row, churn),
      COLUMN("consistency", "consistency", UNIT_PERCENT, prediction_row, consistency),
      COLUMN("correct_consistency", "correct-consistency", UNIT_PERCENT, prediction_row, correct),
      COLUMN("q", "Yule's Q", UNIT_NONE, prediction_row, q),
      COLUMN("kappa", "kappa", UNIT_NONE, prediction_row, kappa),
      COLUMN("nll", "NLL", UNIT_NATS, prediction_row, nll),
      COLUMN("brier", "Brier", UNIT_NONE, prediction_row, brier),
      COLUMN("ece", "ECE", UNIT_PERCENT, prediction_row, ece),
      COLUMN("vote_error", "error of their vote", UNIT_PERCENT, prediction_row, vote_error),
      COLUMN("vote_nll", "NLL of the vote", UNIT_NATS, prediction_row, vote.nll),
      COLUMN("diversity", "diversity", UNIT_NONE, prediction_row, ambiguity.diversity),
      COLUMN("vote_brier", "Brier of the vote", UNIT_NONE, prediction_row, vote.brier),
      COLUMN("vote_ece", "ECE of the vote", UNIT_PERCENT, prediction_row, vote.ece)};
  ad__document_section(
      r->doc, "predictions", "Predictions: churn, diversity, calibration",
      "On how many examples runs that differ in seeds alone disagree (churn; the rest is consistency), what their vote "
      "gains from that "
      "(its Brier score is the runs' mean less their diversity, exactly), and whether "
      "their probabilities can be believed.",
      "ECE on few examples (biased upwards, and bound to 15 bins), and the vote as if it cost one run.");
  plot_churn(e);
  ad__document_table(r->doc, "predictions", "Means over the runs of an arm, and their vote", COLUMNS(columns));
  AD_TRY(prediction_rows(e));
  if (e->arms > 1) {
    churn_table(e);
  }
  return r->doc->status;
}
