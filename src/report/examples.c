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

/* ---- The test set's part ---- */

static int jordan_rows(struct examples *e) {
  struct report *r = e->r;
  for (size_t a = 0; a < e->arms; a++) {
    const struct predictions *p = &e->arm[a];
    struct ad_jordan j;
    if (p->runs == 0) {
      continue;
    }
    AD_TRY(ad_distribution_variance(&j, p->runs, e->N, e->C, p->wrong, &r->how));
    put_text(r->doc, r->arm[a].name);
    put_count(r->doc, j.runs);
    put_count(r->doc, j.examples);
    put_figure(r->doc, j.error);
    put_figure(r->doc, j.test.why != NULL ? j.test : ad_figure_of(sqrt(j.test.value)));
    put_figure(r->doc,
               j.distribution.why != NULL ? j.distribution
               : j.distribution.value < 0
                   ? ad_figure_none("the variance is estimated as negative: all of the spread may be the test set's")
                   : ad_figure_of(sqrt(j.distribution.value)));
    put_figure(r->doc, j.floor.why != NULL ? j.floor : ad_figure_of(sqrt(j.floor.value)));
    put_figure(r->doc, j.test);
    put_figure(r->doc, j.distribution);
    put_interval(r->doc, j.interval);
    put_figure(r->doc, j.noise);
    put_figure(r->doc, j.halves);
  }
  return r->doc->status;
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

static int multi_rows(struct examples *e) {
  struct report *r = e->r;
  const struct predictions *base = &e->arm[r->baseline];
  uint8_t *rows = ad_malloc(2 * e->most * e->N, 1);
  int status = rows == NULL ? ad_fail_memory(2 * e->most * e->N, "paired predictions") : AD_OK;
  for (size_t a = 0; a < e->arms && status == AD_OK; a++) {
    if (a == r->baseline || e->arm[a].runs == 0) {
      continue;
    }
    uint8_t *other = rows + e->most * e->N;
    const size_t pairs = pair_rows(e, &e->arm[a], base, rows, other);
    struct ad_resampling how = r->how;
    /* A replicate reads every prediction: at most a billion in all arms. */
    const size_t work = 1000000000 / (2 * (pairs + 1) * e->N * e->arms);
    how.replicates = work < how.replicates ? (work < 500 ? 500 : work) : how.replicates;
    struct ad_multi_bootstrap m;
    status = ad_multi_bootstrap(&m, pairs, rows, pairs, other, e->N, 1, &how);
    put_text(r->doc, r->arm[a].name);
    put_count(r->doc, pairs);
    put_count(r->doc, e->N);
    put_figure(r->doc, m.difference);
    put_interval(r->doc, m.interval);
    put_figure(r->doc, m.p);
    put_count(r->doc, how.replicates);
  }
  ad_free(rows);
  return status;
}

/* ---- McNemar ---- */

/* "seed.init=3, seed.order=0": what the runs of a pair have in common. */
static void put_seeds(struct report *r, size_t point) {
  const struct ad_study_cell *cell = &r->study->cells[r->arm[0].runs[point].cell];
  struct ad_buffer text = {0};
  int status = ad_buffer_puts(&text, "");
  for (size_t x = 0; x < r->study->axis_count && status == AD_OK; x++) {
    const struct ad_study_axis *axis = &r->study->axes[x];
    if (axis->seed) {
      status = ad_buffer_printf(&text, "%s%s=%s", text.size > 0 ? ", " : "", axis->key, axis->values[cell->level[x]]);
    }
  }
  if (status == AD_OK) {
    put_text(r->doc, text.data);
  } else if (r->doc->status == AD_OK) {
    r->doc->status = status;
  }
  ad_buffer_destroy(&text);
}

/* Every pair of the arm and the baseline (each = 1), or how many of them differ. */
static void mcnemar_rows(struct examples *e, size_t a, int each) {
  struct report *r = e->r;
  const struct predictions *x = &e->arm[a], *y = &e->arm[r->baseline];
  size_t pairs = 0, better = 0, worse = 0;
  double only_arm = 0.0, only_base = 0.0;
  for (size_t i = 0, j = 0; next_pair(x, y, &i, &j); i++, j++) {
    struct ad_mcnemar m;
    ad_mcnemar_of(&m, e->N, x->wrong + i * e->N, y->wrong + j * e->N);
    const int differ = m.p.why == NULL && m.p.value < 0.05;
    pairs++;
    better += differ && m.only_a < m.only_b;
    worse += differ && m.only_a > m.only_b;
    only_arm += (double)m.only_a / (double)e->N;
    only_base += (double)m.only_b / (double)e->N;
    if (each) {
      put_text(r->doc, r->arm[a].name);
      put_seeds(r, x->points[i]);
      put_count(r->doc, m.only_a);
      put_count(r->doc, m.only_b);
      put_figure(r->doc, m.p);
    }
  }
  if (!each) {
    static const char none[] = "no common seeds";
    put_text(r->doc, r->arm[a].name);
    put_count(r->doc, pairs);
    put_figure(r->doc, pairs > 0 ? ad_figure_of(only_arm / (double)pairs) : ad_figure_none(none));
    put_figure(r->doc, pairs > 0 ? ad_figure_of(only_base / (double)pairs) : ad_figure_none(none));
    put_count(r->doc, better);
    put_count(r->doc, worse);
    put_count(r->doc, pairs - better - worse);
  }
}

static void mcnemar_tables(struct examples *e) {
  struct report *r = e->r;
  static const struct document_column sums[] = {{"arm", "arm", "", 1},
                                                {"pairs", "common seeds", "", 1},
                                                {"only_arm", "only the arm errs", "%", 100},
                                                {"only_baseline", "only the baseline errs", "%", 100},
                                                {"better", "pairs better, p < 0.05", "", 1},
                                                {"worse", "pairs worse, p < 0.05", "", 1},
                                                {"undecided", "undecided", "", 1}};
  static const struct document_column each[] = {{"arm", "arm", "", 1},
                                                {"seeds", "seeds", "", 1},
                                                {"only_arm", "only the arm errs", "", 1},
                                                {"only_baseline", "only the baseline errs", "", 1},
                                                {"p", "p", "", 1}};
  document_table(r->doc, "mcnemar",
                 "Pairs of trained models on these examples (McNemar's exact test; about models, not methods)",
                 sizeof sums / sizeof *sums, sums);
  for (int rows = 0; rows < 2; rows++) {
    for (size_t a = 0; a < e->arms; a++) {
      if (a != r->baseline && e->arm[a].runs > 0) {
        mcnemar_rows(e, a, rows);
      }
    }
    if (rows == 0) {
      document_table(r->doc, "mcnemar_pairs", "McNemar's test of every pair", sizeof each / sizeof *each, each);
      document_data_only(r->doc);
    }
  }
}

static int test_set_section(struct examples *e) {
  struct report *r = e->r;
  static const struct document_column multi[] = {{"arm", "arm", "", 1},
                                                 {"pairs", "common seeds", "", 1},
                                                 {"examples", "examples", "", 1},
                                                 {"difference", "difference in error", "%", 100},
                                                 {"interval", "95 % CI", "%", 100},
                                                 {"p", "p", "", 1},
                                                 {"replicates", "replicates", "", 1}};
  static const struct document_column jordan[] = {{"arm", "arm", "", 1},
                                                  {"runs", "runs", "", 1},
                                                  {"examples", "examples", "", 1},
                                                  {"error", "error", "%", 100},
                                                  {"test_sd", "SD on these examples", "%", 100},
                                                  {"distribution_sd", "SD on new data", "%", 100},
                                                  {"floor_sd", "least SD of equal runs", "%", 100},
                                                  {"test_variance", "variance on these", "%\u00b2", 1e4},
                                                  {"distribution_variance", "on new data", "%\u00b2", 1e4},
                                                  {"distribution_interval", "its 95 % CI", "%\u00b2", 1e4},
                                                  {"noise_variance", "of the test set", "%\u00b2", 1e4},
                                                  {"halves", "r of halves", "", 1}};
  document_section(
      r->doc, "test_set", "How much is the test set",
      "Errors are means over a finite set of examples; this takes that part off the spread over runs, and asks whether "
      "a difference holds for new seeds and new examples.",
      "with fewer than about 10 runs an arm, or examples that depend on each other (several from one document).");
  document_note(r->doc,
                "From the logits of %zu %s examples. The variance on new data may be estimated as negative: then all "
                "of the spread may be the test set's.",
                e->N, r->study->source == AD_SOURCE_TEST ? "test" : "dev");
  document_table(r->doc, "test_set",
                 "Variance over runs on these examples, and on the distribution they come from (Jordan 2024)",
                 sizeof jordan / sizeof *jordan, jordan);
  AD_TRY(jordan_rows(e));
  if (r->baseline < e->arms && e->arm[r->baseline].runs > 0 && e->arms > 1) {
    document_table(r->doc, "multi_bootstrap",
                   "Multi-Bootstrap over seeds and examples, against the baseline (Sellam et al. 2022)",
                   sizeof multi / sizeof *multi, multi);
    AD_TRY(multi_rows(e));
    mcnemar_tables(e);
  }
  return r->doc->status;
}

/* ---- Predictions ---- */

static struct ad_figure mean_where(size_t count, double value, const char *why) {
  return count > 0 ? ad_figure_of(value) : ad_figure_none(why);
}

static int prediction_row(struct examples *e, size_t a) {
  struct report *r = e->r;
  struct predictions *p = &e->arm[a];
  const double runs = (double)p->runs;
  struct ad_diversity d = {0};
  struct ad_ambiguity ambiguity;
  struct ad_calibration ensemble;
  double *matrix = ad_malloc(p->runs * p->runs, sizeof *matrix);
  uint32_t *vote = ad_malloc(e->N, sizeof *vote);
  if (matrix == NULL || vote == NULL) {
    ad_free(matrix);
    ad_free(vote);
    return ad_fail_memory(p->runs * p->runs * 8 + e->N * 4, "a vote");
  }
  if (p->runs > 1) {
    ad_diversity(p->runs, e->N, p->prediction, e->labels, matrix, &d);
  }
  size_t wrong = 0;
  ad_vote_predict(&p->vote, vote);
  for (size_t i = 0; i < e->N; i++) {
    wrong += vote[i] != e->labels[i];
  }
  ad_ambiguity_of(&ambiguity, p->runs, e->N, e->C, p->brier / runs, p->square, p->vote.probability);
  ad_calibrate_probabilities(&ensemble, e->N, e->C, p->vote.probability, runs, e->labels);
  put_text(r->doc, r->arm[a].name);
  put_count(r->doc, p->runs);
  put_figure(r->doc, mean_where(d.pairs, d.disagreement, "needs at least 2 runs"));
  put_figure(r->doc, mean_where(d.q_pairs, d.q, "0/0 for every pair, or one run"));
  put_figure(r->doc, mean_where(d.kappa_pairs, d.kappa, "0/0 for every pair, or one run"));
  put_figure(r->doc, ad_figure_of(p->nll / runs));
  put_figure(r->doc, ad_figure_of(p->brier / runs));
  put_figure(r->doc, ad_figure_of(p->ece / runs));
  put_figure(r->doc, ad_figure_of((double)wrong / (double)e->N));
  put_figure(r->doc, ensemble.nll);
  put_figure(r->doc, ambiguity.diversity);
  put_figure(r->doc, ensemble.brier);
  put_figure(r->doc, ensemble.ece);
  ad_free(matrix);
  ad_free(vote);
  return r->doc->status;
}

static void churn_rows(struct examples *e) {
  struct report *r = e->r;
  for (size_t a = 0; a < e->arms; a++) {
    for (size_t b = a + 1; b < e->arms; b++) {
      if (e->arm[a].runs > 0 && e->arm[b].runs > 0) {
        put_text(r->doc, r->arm[a].name);
        put_text(r->doc, r->arm[b].name);
        put_figure(r->doc, ad_churn(e->arm[a].runs, e->arm[a].prediction, e->arm[b].runs, e->arm[b].prediction, e->N));
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
  static const struct document_column columns[] = {{"arm", "arm", "", 1},
                                                   {"runs", "runs", "", 1},
                                                   {"churn", "churn", "%", 100},
                                                   {"q", "Yule's Q", "", 1},
                                                   {"kappa", "kappa", "", 1},
                                                   {"nll", "NLL", "nats", 1},
                                                   {"brier", "Brier", "", 1},
                                                   {"ece", "ECE", "%", 100},
                                                   {"vote_error", "error of their vote", "%", 100},
                                                   {"vote_nll", "NLL of the vote", "nats", 1},
                                                   {"diversity", "diversity", "", 1},
                                                   {"vote_brier", "Brier of the vote", "", 1},
                                                   {"vote_ece", "ECE of the vote", "%", 100}};
  static const struct document_column between[] = {
      {"arm", "arm", "", 1}, {"other", "and", "", 1}, {"churn", "churn", "%", 100}};
  document_section(r->doc, "predictions", "Predictions: churn, diversity, calibration",
                   "On how many examples runs that differ in seeds alone disagree, what their vote gains from that "
                   "(its Brier score is the runs' mean less their diversity, exactly), and whether "
                   "their probabilities can be believed.",
                   "ECE on few examples (biased upwards, and bound to 15 bins), and the vote as if it cost one run.");
  plot_churn(e);
  document_table(r->doc, "predictions", "Means over the runs of an arm, and their vote",
                 sizeof columns / sizeof *columns, columns);
  for (size_t a = 0; a < e->arms; a++) {
    AD_TRY(e->arm[a].runs > 0 ? prediction_row(e, a) : AD_OK);
  }
  if (e->arms > 1) {
    document_table(r->doc, "churn_between", "Churn between arms", sizeof between / sizeof *between, between);
    churn_rows(e);
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
