/* Sections on the predictions of single examples, from logits/ of the runs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/ensemble.h"
#include "autodidact/learn/metrics.h"
#include "autodidact/learn/teacher.h"
#include "autodidact/store/logits.h"
#include "autodidact/statistics/examples.h"
#include "autodidact/store/rows.h"
#include "report_internal.h"

enum { HEAT_RUNS = 60, EXAMPLE_ARMS = 40 };

struct predictions {
  size_t runs, points[LOGITS_OF_ARM];
  uint32_t *prediction;           /* [runs,N] */
  uint8_t *wrong;                 /* [runs,N] */
  double nll, brier, ece, square; /* sums over runs */
  struct ad_vote vote;
};

struct examples {
  struct report *r;
  size_t N, C; /* 0 before the first file */
  uint32_t *labels;
  size_t arms, most;
  struct predictions *arm; /* [arms] */
  size_t without, other;   /* runs without the file; with one that is damaged or of other examples */
};

/* The file that belongs to the score of a run. 0 where result.json does not say. */
static int logits_name(const struct report *r, size_t arm, size_t run, enum ad_variant variant, size_t size,
                       char *name) {
  if (r->study->source == AD_SOURCE_TEST) {
    snprintf(name, size, "logits/" AD_LOGITS_TEST);
    return 1;
  }
  char file[AD_LOGITS_NAME];
  struct ad_result result = {0};
  char *folder = report_path(r, arm, run, "");
  if (folder == NULL) {
    return AD_ENOMEM;
  }
  const int known = ad_result_find(&result, folder) == AD_OK; /* one that cannot be read does not say */
  const uint64_t step = r->study->source == AD_SOURCE_DEV ? result.step : result.steps;
  snprintf(name, size, "logits/%s", ad_logits_name(variant, step, file));
  ad_free(folder);
  return known;
}

static int usable(size_t N, size_t C, const float *logits, const uint32_t *labels) {
  for (size_t i = 0; i < N * C; i++) {
    if (!isfinite(logits[i])) {
      return 0;
    }
  }
  for (size_t i = 0; i < N; i++) {
    if (labels[i] >= C) {
      return 0;
    }
  }
  return N > 0 && C > 1;
}

static int begin_arm(struct examples *e, struct predictions *p) {
  p->prediction = ad_malloc(e->most * e->N, sizeof *p->prediction);
  p->wrong = ad_malloc(e->most * e->N, 1);
  if (p->prediction == NULL || p->wrong == NULL) {
    return ad_fail_memory(e->most * e->N * 5, "predictions");
  }
  return ad_vote_create(&p->vote, e->most, e->N, e->C, e->labels);
}

static int add_logits(struct examples *e, struct predictions *p, size_t point, const float *logits) {
  struct ad_calibration c;
  if (p->prediction == NULL) {
    AD_TRY(begin_arm(e, p));
  }
  AD_TRY(ad_vote_add(&p->vote, logits));
  ad_calibrate(&c, e->N, e->C, logits, e->labels);
  p->nll += c.nll.value;
  p->brier += c.brier.value;
  p->ece += c.ece.value;
  p->square += ad_probability_square(e->N, e->C, logits);
  for (size_t i = 0; i < e->N; i++) {
    const uint32_t predicted = ad_metrics_predict(e->C, logits + i * e->C);
    p->prediction[p->runs * e->N + i] = predicted;
    p->wrong[p->runs * e->N + i] = predicted != e->labels[i];
  }
  p->points[p->runs++] = point;
  return AD_OK;
}

/* Takes a file's logits; runs without it, or with one that does not fit the others, are counted and left out. */
static int read_run(struct examples *e, size_t arm, size_t point, const char *name) {
  char *path = report_path(e->r, arm, point, name);
  if (path == NULL) {
    return AD_ENOMEM;
  }
  struct ad_logits l = {0};
  const int there = ad_is_file(path);
  int status = there ? ad_logits_read(&l, path) : AD_OK;
  ad_free(path);
  if (!there) {
    e->without++;
  } else if (status == AD_EINPUT || (status == AD_OK && !usable(l.N, l.C, l.logits, l.labels))) {
    e->other++;
    status = AD_OK;
  } else if (status == AD_OK && e->labels == NULL) {
    e->N = l.N;
    e->C = l.C;
    e->labels = l.labels;
    l.labels = NULL;
    status = add_logits(e, &e->arm[arm], point, l.logits);
  } else if (status == AD_OK &&
             (l.N != e->N || l.C != e->C || memcmp(l.labels, e->labels, e->N * sizeof *e->labels) != 0)) {
    e->other++;
  } else if (status == AD_OK) {
    status = add_logits(e, &e->arm[arm], point, l.logits);
  }
  ad_logits_destroy(&l);
  return status;
}

static int read_arm(struct examples *e, size_t arm) {
  size_t chosen[LOGITS_OF_ARM];
  const size_t count = report_choose(e->r, arm, e->most, chosen);
  enum ad_variant variant;
  char name[100];
  AD_TRY(report_variant(e->r, arm, &variant));
  for (size_t i = 0; i < count; i++) {
    const int known = logits_name(e->r, arm, chosen[i], variant, sizeof name, name);
    if (known < 0) {
      return known;
    }
    if (known == 0) {
      e->without++;
      continue;
    }
    AD_TRY(read_run(e, arm, chosen[i], name));
  }
  return AD_OK;
}

static void release(struct examples *e) {
  for (size_t a = 0; e->arm != NULL && a < e->arms; a++) {
    ad_free(e->arm[a].prediction);
    ad_free(e->arm[a].wrong);
    ad_vote_destroy(&e->arm[a].vote);
  }
  ad_free(e->arm);
  ad_free(e->labels);
}

static struct ad_figure mean_of(size_t count, double sum, const char *why) {
  return count > 0 ? ad_figure_of(sum / (double)count) : ad_figure_none(why);
}

/* ---- The test set's part ---- */

struct variance_row {
  const char *arm;
  struct ad_jordan of;
  struct ad_figure test_sd, distribution_sd, floor_sd;
};

static struct ad_figure root(struct ad_figure square, const char *why_negative) {
  return square.why != NULL ? square : square.value < 0 ? ad_figure_none(why_negative) : ad_figure_of(sqrt(square.value));
}

static int variance_rows(struct examples *e) {
  static const char why[] = "the variance is estimated as negative: all of the spread may be the test set's";
  for (size_t a = 0; a < e->arms; a++) {
    const struct predictions *p = &e->arm[a];
    struct variance_row row = {.arm = e->r->arm[a].name};
    if (p->runs == 0) {
      continue;
    }
    AD_TRY(ad_distribution_variance(&row.of, p->runs, e->N, e->C, p->wrong, &e->r->how));
    row.test_sd = root(row.of.test, why);
    row.distribution_sd = root(row.of.distribution, why);
    row.floor_sd = root(row.of.floor, why);
    document_row(e->r->doc, &row);
  }
  return e->r->doc->status;
}

static int variance_table(struct examples *e) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, variance_row, arm),
      COLUMN("runs", "runs", UNIT_NONE, variance_row, of.runs),
      COLUMN("examples", "examples", UNIT_NONE, variance_row, of.examples),
      COLUMN("error", "error", UNIT_PERCENT, variance_row, of.error),
      COLUMN("test_sd", "SD on these examples", UNIT_PERCENT, variance_row, test_sd),
      COLUMN("distribution_sd", "SD on new data", UNIT_PERCENT, variance_row, distribution_sd),
      COLUMN("floor_sd", "least SD of equal runs", UNIT_PERCENT, variance_row, floor_sd),
      COLUMN("test_variance", "variance on these", UNIT_PERCENT_SQUARED, variance_row, of.test),
      COLUMN("distribution_variance", "on new data", UNIT_PERCENT_SQUARED, variance_row, of.distribution),
      COLUMN("distribution_interval", "its 95 % CI", UNIT_PERCENT_SQUARED, variance_row, of.interval),
      COLUMN("noise_variance", "of the test set", UNIT_PERCENT_SQUARED, variance_row, of.noise),
      COLUMN("halves", "r of halves", UNIT_NONE, variance_row, of.halves)};
  document_table(e->r->doc, "test_set",
                 "Variance over runs on these examples, and on the distribution they come from (Jordan 2024)",
                 COLUMNS(columns));
  return variance_rows(e);
}

/* The next run of x and of y with the same seeds, from *i and *j on; 0: none. */
static int next_pair(const struct predictions *x, const struct predictions *y, size_t *i, size_t *j) {
  while (*i < x->runs && *j < y->runs && x->points[*i] != y->points[*j]) {
    *(x->points[*i] < y->points[*j] ? i : j) += 1;
  }
  return *i < x->runs && *j < y->runs;
}

/* Rows of two arms that have the same seeds, copied into a and b [LOGITS_OF_ARM,N]. */
static size_t pair_rows(const struct examples *e, const struct predictions *x, const struct predictions *y, uint8_t *a,
                        uint8_t *b) {
  size_t count = 0;
  for (size_t i = 0, j = 0; next_pair(x, y, &i, &j); i++, j++) {
    memcpy(a + count * e->N, x->wrong + i * e->N, e->N);
    memcpy(b + count++ * e->N, y->wrong + j * e->N, e->N);
  }
  return count;
}

struct bootstrap_row {
  const char *arm;
  size_t pairs, examples, replicates;
  struct ad_multi_bootstrap of;
};

/* rows [2,most,N]: work memory. */
static int bootstrap_row(struct examples *e, size_t a, uint8_t *rows) {
  uint8_t *other = rows + e->most * e->N;
  const size_t pairs = pair_rows(e, &e->arm[a], &e->arm[e->r->baseline], rows, other);
  struct ad_resampling how = e->r->how;
  /* A replicate reads every prediction: at most a billion in all arms. */
  const size_t work = 1000000000 / (2 * (pairs + 1) * e->N * e->arms);
  how.replicates = work < how.replicates ? (work < 500 ? 500 : work) : how.replicates;
  struct bootstrap_row row = {e->r->arm[a].name, pairs, e->N, how.replicates, {0}};
  AD_TRY(ad_multi_bootstrap(&row.of, pairs, rows, pairs, other, e->N, 1, &how));
  document_row(e->r->doc, &row);
  return e->r->doc->status;
}

static int bootstrap_table(struct examples *e) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, bootstrap_row, arm),
      COLUMN("pairs", "common seeds", UNIT_NONE, bootstrap_row, pairs),
      COLUMN("examples", "examples", UNIT_NONE, bootstrap_row, examples),
      COLUMN("difference", "difference in error", UNIT_PERCENT, bootstrap_row, of.difference),
      COLUMN("interval", "95 % CI", UNIT_PERCENT, bootstrap_row, of.interval),
      COLUMN("p", "p", UNIT_NONE, bootstrap_row, of.p),
      COLUMN("replicates", "replicates", UNIT_NONE, bootstrap_row, replicates)};
  document_table(e->r->doc, "multi_bootstrap",
                 "Multi-Bootstrap over seeds and examples, against the baseline (Sellam et al. 2022)",
                 COLUMNS(columns));
  uint8_t *rows = ad_malloc(2 * e->most * e->N, 1);
  int status = rows == NULL ? ad_fail_memory(2 * e->most * e->N, "paired predictions") : AD_OK;
  for (size_t a = 0; a < e->arms && status == AD_OK; a++) {
    if (a != e->r->baseline && e->arm[a].runs > 0) {
      status = bootstrap_row(e, a, rows);
    }
  }
  ad_free(rows);
  return status;
}

/* ---- McNemar ---- */

/* "seed.init=3, seed.order=0" into `text`: what the runs of a pair have in common. */
static int list_seeds(const struct report *r, size_t point, struct ad_buffer *text) {
  const struct ad_study_cell *cell = &r->study->cells[r->arm[0].runs[point].cell];
  AD_TRY(ad_buffer_puts(text, ""));
  for (size_t x = 0; x < r->study->axis_count; x++) {
    const struct ad_study_axis *axis = &r->study->axes[x];
    if (axis->seed) {
      AD_TRY(ad_buffer_printf(text, "%s%s=%s", text->size > 0 ? ", " : "", axis->key, axis->values[cell->level[x]]));
    }
  }
  return AD_OK;
}

struct pair_row {
  const char *arm, *seeds;
  struct ad_mcnemar of; /* a: the arm, b: the baseline */
};

static int pair_row(struct examples *e, size_t a, size_t point, const struct ad_mcnemar *m) {
  struct ad_buffer seeds = {0};
  const int status = list_seeds(e->r, point, &seeds);
  if (status == AD_OK) {
    const struct pair_row row = {e->r->arm[a].name, seeds.data, *m};
    document_row(e->r->doc, &row);
  }
  ad_buffer_destroy(&seeds);
  return status;
}

struct pairs_row {
  const char *arm;
  size_t pairs, better, worse, undecided;
  struct ad_figure only_arm, only_baseline;
};

/* The sums over the pairs of an arm and the baseline; each: a row for every pair instead. */
static int mcnemar_rows(struct examples *e, size_t a, int each) {
  const struct predictions *x = &e->arm[a], *y = &e->arm[e->r->baseline];
  struct pairs_row row = {.arm = e->r->arm[a].name};
  double only_arm = 0.0, only_base = 0.0;
  for (size_t i = 0, j = 0; next_pair(x, y, &i, &j); i++, j++) {
    struct ad_mcnemar m;
    ad_mcnemar_of(&m, e->N, x->wrong + i * e->N, y->wrong + j * e->N);
    const int differ = m.p.why == NULL && m.p.value < 0.05;
    row.pairs++;
    row.better += differ && m.only_a < m.only_b;
    row.worse += differ && m.only_a > m.only_b;
    only_arm += (double)m.only_a / (double)e->N;
    only_base += (double)m.only_b / (double)e->N;
    AD_TRY(each ? pair_row(e, a, x->points[i], &m) : AD_OK);
  }
  row.undecided = row.pairs - row.better - row.worse;
  row.only_arm = mean_of(row.pairs, only_arm, "no common seeds");
  row.only_baseline = mean_of(row.pairs, only_base, "no common seeds");
  if (!each) {
    document_row(e->r->doc, &row);
  }
  return e->r->doc->status;
}

static int mcnemar_table(struct examples *e, int each) {
  static const struct document_column sums[] = {
      COLUMN("arm", "arm", UNIT_NONE, pairs_row, arm),
      COLUMN("pairs", "common seeds", UNIT_NONE, pairs_row, pairs),
      COLUMN("only_arm", "only the arm errs", UNIT_PERCENT, pairs_row, only_arm),
      COLUMN("only_baseline", "only the baseline errs", UNIT_PERCENT, pairs_row, only_baseline),
      COLUMN("better", "pairs better, p < 0.05", UNIT_NONE, pairs_row, better),
      COLUMN("worse", "pairs worse, p < 0.05", UNIT_NONE, pairs_row, worse),
      COLUMN("undecided", "undecided", UNIT_NONE, pairs_row, undecided)};
  static const struct document_column single[] = {
      COLUMN("arm", "arm", UNIT_NONE, pair_row, arm),
      COLUMN("seeds", "seeds", UNIT_NONE, pair_row, seeds),
      COLUMN("only_arm", "only the arm errs", UNIT_NONE, pair_row, of.only_a),
      COLUMN("only_baseline", "only the baseline errs", UNIT_NONE, pair_row, of.only_b),
      COLUMN("p", "p", UNIT_NONE, pair_row, of.p)};
  if (each) {
    document_table(e->r->doc, "mcnemar_pairs", "McNemar's test of every pair", COLUMNS(single));
    document_data_only(e->r->doc);
  } else {
    document_table(e->r->doc, "mcnemar",
                   "Pairs of trained models on these examples (McNemar's exact test; about models, not methods)",
                   COLUMNS(sums));
  }
  for (size_t a = 0; a < e->arms; a++) {
    if (a != e->r->baseline && e->arm[a].runs > 0) {
      AD_TRY(mcnemar_rows(e, a, each));
    }
  }
  return e->r->doc->status;
}

static int test_set_section(struct examples *e) {
  struct report *r = e->r;
  document_section(
      r->doc, "test_set", "How much is the test set",
      "Errors are means over a finite set of examples; this takes that part off the spread over runs, and asks whether "
      "a difference holds for new seeds and new examples.",
      "with fewer than about 10 runs an arm, or examples that depend on each other (several from one document).");
  document_note(r->doc,
                "From the logits of %zu %s examples. The variance on new data may be estimated as negative: then all "
                "of the spread may be the test set's.",
                e->N, r->study->source == AD_SOURCE_TEST ? "test" : "dev");
  AD_TRY(variance_table(e));
  if (r->baseline < e->arms && e->arm[r->baseline].runs > 0 && e->arms > 1) {
    AD_TRY(bootstrap_table(e));
    AD_TRY(mcnemar_table(e, 0));
    AD_TRY(mcnemar_table(e, 1));
  }
  return r->doc->status;
}

/* ---- Predictions ---- */

struct prediction_row {
  const char *arm;
  size_t runs;
  struct ad_figure churn, q, kappa, nll, brier, ece, vote_error; /* means over the runs; of their vote */
  struct ad_calibration vote;
  struct ad_ambiguity ambiguity;
};

static struct ad_figure where(size_t count, double value, const char *why) {
  return count > 0 ? ad_figure_of(value) : ad_figure_none(why);
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
  row.churn = where(d.pairs, d.disagreement, "needs at least 2 runs");
  row.q = where(d.q_pairs, d.q, "0/0 for every pair, or one run");
  row.kappa = where(d.kappa_pairs, d.kappa, "0/0 for every pair, or one run");
  row.nll = mean_of(p->runs, p->nll, "no runs");
  row.brier = mean_of(p->runs, p->brier, "no runs");
  row.ece = mean_of(p->runs, p->ece, "no runs");
  row.vote_error = mean_of(e->N, (double)wrong, "no examples");
  ad_ambiguity_of(&row.ambiguity, p->runs, e->N, e->C, row.brier.value, p->square, p->vote.probability);
  ad_calibrate_probabilities(&row.vote, e->N, e->C, p->vote.probability, (double)p->runs, e->labels);
  document_row(e->r->doc, &row);
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
  struct ad_figure churn;
};

static void churn_table(struct examples *e) {
  static const struct document_column columns[] = {COLUMN("arm", "arm", UNIT_NONE, churn_row, arm),
                                                   COLUMN("other", "and", UNIT_NONE, churn_row, other),
                                                   COLUMN("churn", "churn", UNIT_PERCENT, churn_row, churn)};
  document_table(e->r->doc, "churn_between", "Churn between arms", COLUMNS(columns));
  for (size_t i = 0; i < e->arms; i++) {
    for (size_t j = i + 1; j < e->arms; j++) {
      const struct predictions *a = &e->arm[i], *b = &e->arm[j];
      if (a->runs > 0 && b->runs > 0) {
        const struct churn_row row = {e->r->arm[i].name, e->r->arm[j].name,
                                      ad_churn(a->runs, a->prediction, b->runs, b->prediction, e->N)};
        document_row(e->r->doc, &row);
      }
    }
  }
}

/* Up to HEAT_RUNS runs, arm after arm, as a map of how many percent of examples each two differ on. */
static void plot_churn(struct examples *e) {
  struct report *r = e->r;
  const uint32_t *rows[HEAT_RUNS];
  size_t count = 0, arms = 0, begin[HEAT_RUNS + 1] = {0}, of[HEAT_RUNS];
  for (size_t a = 0; a < e->arms; a++) {
    arms += e->arm[a].runs > 0;
  }
  const size_t each = arms == 0 ? 0 : HEAT_RUNS / arms;
  size_t drawn = 0;
  int left_out = 0;
  char title[240];
  for (size_t a = 0; a < e->arms && each > 0; a++) {
    left_out |= e->arm[a].runs > each;
    for (size_t k = 0; k < e->arm[a].runs && k < each; k++) {
      rows[count++] = e->arm[a].prediction + k * e->N;
    }
    if (e->arm[a].runs > 0) {
      of[drawn++] = a;
      begin[drawn] = count;
    }
  }
  if (count < 2) {
    return;
  }
  struct ad_buffer script = {0};
  script_add(r, &script, "$m << EOD\n");
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < count; j++) {
      size_t differ = 0;
      for (size_t n = 0; n < e->N; n++) {
        differ += rows[i][n] != rows[j][n];
      }
      script_add(r, &script, "%.5g ", 100.0 * (double)differ / (double)e->N);
    }
    script_add(r, &script, "\n");
  }
  script_add(r, &script,
             "EOD\nunset grid\nset style fill solid 1 noborder\nset border 0\nset size ratio -1\nset tics scale 0\nset "
             "palette defined (0 '#ffffff', 0.5 "
             "'#7fb2d6', 1 '#0b3c5d')\n"
             "set xrange [-0.5:%g]\nset yrange [%g:-0.5]\nunset key\nset cblabel 'examples on which two runs differ "
             "(%%)' tc rgb '#1c2530'\n",
             (double)count - 0.5, (double)count - 0.5);
  for (int axis = 'x'; axis <= 'y'; axis++) {
    script_add(r, &script, "set %ctics %s(", axis, axis == 'x' ? "rotate by 35 right " : "");
    for (size_t i = 0; i < drawn; i++) {
      script_add(r, &script, i > 0 ? "," : "");
      script_tic(r, &script, r->arm[of[i]].name);
      script_add(r, &script, " %g", (double)(begin[i] + begin[i + 1]) / 2 - 0.5);
    }
    script_add(r, &script, ")\n");
  }
  for (size_t i = 1; i < drawn; i++) {
    const double at = (double)begin[i] - 0.5;
    script_add(r, &script,
               "set arrow from %g,-0.5 to %g,%g nohead front lc rgb '#1c2530' lw 0.7\nset arrow from -0.5,%g to %g,%g "
               "nohead front lc rgb '#1c2530' lw 0.7\n",
               at, at, (double)count - 0.5, at, (double)count - 0.5, at);
  }
  script_add(r, &script, "plot $m matrix with image pixels\n");
  snprintf(title, sizeof title,
           "Churn: share of examples on which two runs predict different classes, run by run, the arms one after "
           "another%s",
           left_out ? " (each arm's first runs: at most 60 in all)." : ".");
  document_plot(r->doc, "plot_churn", title, 720, 600, &script);
  ad_buffer_destroy(&script);
}

static int predictions_section(struct examples *e) {
  struct report *r = e->r;
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, prediction_row, arm),
      COLUMN("runs", "runs", UNIT_NONE, prediction_row, runs),
      COLUMN("churn", "churn", UNIT_PERCENT, prediction_row, churn),
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
  document_section(r->doc, "predictions", "Predictions: churn, diversity, calibration",
                   "On how many examples runs that differ in seeds alone disagree, what their vote gains from that "
                   "(its Brier score is the runs' mean less their diversity, exactly), and whether "
                   "their probabilities can be believed.",
                   "ECE on few examples (biased upwards, and bound to 15 bins), and the vote as if it cost one run.");
  plot_churn(e);
  document_table(r->doc, "predictions", "Means over the runs of an arm, and their vote",
                 COLUMNS(columns));
  AD_TRY(prediction_rows(e));
  if (e->arms > 1) {
    churn_table(e);
  }
  return r->doc->status;
}

int report_examples(struct report *r) {
  struct examples e = {.r = r, .arms = r->arms < EXAMPLE_ARMS ? r->arms : EXAMPLE_ARMS};
  e.most = report_share(r, LOGITS, LOGITS_OF_ARM);
  e.arm = ad_calloc(e.arms, sizeof *e.arm);
  int status = e.arm == NULL ? ad_fail_memory(e.arms * sizeof *e.arm, "predictions") : AD_OK;
  for (size_t a = 0; a < e.arms && status == AD_OK; a++) {
    status = read_arm(&e, a);
  }
  if (status == AD_OK && e.labels == NULL) {
    document_section(r->doc, "test_set", "How much is the test set; churn, diversity, calibration",
                     "These come from the logits of single examples.", "where logits are not kept.");
    document_note(r->doc, "Not available: no run has kept its logits (eval.keep_logits=true).");
  } else if (status == AD_OK) {
    status = test_set_section(&e);
    if (status == AD_OK && (e.without > 0 || e.other > 0 || e.most < r->points || e.arms < r->arms)) {
      document_note(r->doc,
                    "Read: at most %zu runs of each of the first %zu arms; %zu of these without logits, %zu with "
                    "logits that cannot be used (damaged, or of other examples).",
                    e.most, e.arms, e.without, e.other);
    }
    status = status == AD_OK ? predictions_section(&e) : status;
  }
  release(&e);
  return status;
}
