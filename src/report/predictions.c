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

/* How many percent of examples each two runs differ on. */
static void script_churn(const struct examples *e, const struct churn_map *m, struct ad_buffer *script) {
  ad__script_add(e->r, script, "$m << EOD\n");
  for (size_t i = 0; i < m->count; i++) {
    for (size_t j = 0; j < m->count; j++) {
      size_t differ = 0;
      for (size_t n = 0; n < e->N; n++) {
        differ += m->prediction[i][n] != m->prediction[j][n];
      }
      ad__script_add(e->r, script, "%.5g ", 100.0 * (double)differ / (double)e->N);
    }
    ad__script_add(e->r, script, "\n");
  }
  ad__script_add(e->r, script, "EOD\n");
}

/* The arms' names beside the map, and lines between them. */
static void script_arms(struct report *r, const struct churn_map *m, struct ad_buffer *script) {
  const double end = (double)m->count - 0.5;
  for (int axis = 'x'; axis <= 'y'; axis++) {
    ad__script_add(r, script, "set %ctics %s(", axis, axis == 'x' ? "rotate by 35 right " : "");
    for (size_t i = 0; i < m->arms; i++) {
      ad__script_add(r, script, i > 0 ? "," : "");
      ad__script_tic(r, script, r->arm[m->arm[i]].name);
      ad__script_add(r, script, " %g", (double)(m->begin[i] + m->begin[i + 1]) / 2 - 0.5);
    }
    ad__script_add(r, script, ")\n");
  }
  for (size_t i = 1; i < m->arms; i++) {
    const double at = (double)m->begin[i] - 0.5;
    ad__script_add(r, script,
                   "set arrow from %g,-0.5 to %g,%g nohead front lc rgb '#1c2530' lw 0.7\n"
                   "set arrow from -0.5,%g to %g,%g nohead front lc rgb '#1c2530' lw 0.7\n",
                   at, at, end, at, end, at);
  }
}

static void plot_churn(struct examples *e) {
  struct churn_map m = {0};
  struct ad_buffer script = {0};
  char title[240];
  choose_runs(e, &m);
  if (m.count < 2) {
    return;
  }
  const double end = (double)m.count - 0.5;
  script_churn(e, &m, &script);
  ad__script_add(e->r, &script,
                 "unset grid\nset style fill solid 1 noborder\nset border 0\nset size ratio -1\nset tics scale 0\n"
                 "set palette defined (0 '#ffffff', 0.5 '#7fb2d6', 1 '#0b3c5d')\n"
                 "set xrange [-0.5:%g]\nset yrange [%g:-0.5]\nunset key\n"
                 "set cblabel 'examples on which two runs differ (%%)' tc rgb '#1c2530'\n",
                 end, end);
  script_arms(e->r, &m, &script);
  ad__script_add(e->r, &script, "plot $m matrix with image pixels\n");
  snprintf(title, sizeof title,
           "Churn: share of examples on which two runs predict different classes, run by run, the arms one after "
           "another%s",
           m.left_out ? " (each arm's first runs: at most 60 in all)." : ".");
  ad__document_plot(e->r->doc, "plot_churn", title, 720, 600, &script);
  ad_buffer_destroy(&script);
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
