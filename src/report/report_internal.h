/* What the sections of a report share. */
#ifndef AUTODIDACT_SRC_REPORT_REPORT_INTERNAL_H
#define AUTODIDACT_SRC_REPORT_REPORT_INTERNAL_H

#include "autodidact/report/report.h"
#include "autodidact/statistics/components.h"
#include "autodidact/statistics/mixed.h"
#include "autodidact/statistics/spread.h"
#include "autodidact/statistics/trajectory.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/snapshot.h"
#include "document.h"

enum run_state {
  RUN_GOOD,
  RUN_FAILED,   /* finished, but failed by the study's rule: it has a score */
  RUN_DIVERGED, /* no score */
  RUN_MISSING   /* not finished, or ended by the machine: no score, and no failure */
};

struct report_run {
  size_t cell;
  enum run_state state;
  double score; /* NaN: none */
};

struct report_arm {
  const char *name;          /* its own name and its setting: "sda-5 data.descriptor=a" */
  const char *own, *setting; /* "sda-5"; "data.descriptor=a", "" */
  size_t baseline;           /* number of the arm that it is compared with, of the same setting; its own: a baseline */
  struct report_run *runs;   /* [points] run k of every arm has the same seeds */
  size_t good, failed, diverged, missing;
  double *all, *fine; /* scores of all finished runs, and of those that did not fail: [all_count], [good] */
  size_t all_count;
};

/* Why a figure of independent runs is not there. */
#define AD__WHY_SHARED "runs share seeds: they are not independent"

/* Below so many independent runs an interval holds what is true too seldom (docs/statistics.md, what was simulated). */
enum { FEWEST_FOR_SHARE = 20, FEWEST_FOR_RANKS = 10, FEWEST_FOR_BOOTSTRAP = 24 };
#define AD__WHY_FEW_SHARE "needs at least 20 runs"
#define AD__WHY_FEW_RANKS "needs at least 10 runs"
#define AD__WHY_FEW_BOOTSTRAP "needs at least 24 common seeds"

/* The sources of chance: seed axes of more than one level, those that always change together taken as one. */
struct report_seeds {
  size_t count;
  char names[AD_SEED_FACTORS][100];
  size_t levels[AD_SEED_FACTORS];
  uint32_t *level[AD_SEED_FACTORS], *block; /* [points] level of each combination of seeds; block: their memory */
  int joined;                               /* 1: a factor stands for several axes */
  int independent;                          /* 1: no two runs of an arm share a seed */
  const char *why;                          /* not NULL: more sources than can be analysed */
};

/* A mean over runs, or over differences of runs, with an error that counts the levels of the seeds they share. */
struct report_mean {
  struct ad_mixed of;
  int independent;             /* 1: no two of the runs share a seed */
  char design[160];            /* "100 cells of 10 init and 10 order", "12 seeds" */
  char name[AD_TERMS + 1][96]; /* of the terms and of the rest */
};

/* The tests that were registered: one family. */
struct report_family {
  int active;          /* 1: an analysis was registered before the first cell */
  double alpha;        /* below which adjusted p-values decide at this look; 0: no look yet */
  struct ad_figure *p; /* [arms, AD_ANALYSIS_TESTS] adjusted together; a reason where a test is not primary */
};

struct report {
  const struct ad_study *study;
  const struct ad_cells *cells;
  struct document *doc;
  struct ad_resampling how;
  const struct ad_task *task; /* of the first run that has scores; NULL: none has */
  const char *unit;           /* of scores as people see them: "%", "nats", "" */
  double scale;               /* from scores to that */
  int falls;                  /* 1: less is better */
  char metric[64];            /* "dev error" */
  size_t arms, points;
  size_t baseline; /* that of the first setting; of an arm: arm[a].baseline */
  size_t settings; /* different ones */
  size_t compared; /* arms that are no baseline */
  struct report_arm *arm;
  struct report_seeds seeds;
  struct report_family family;
};

enum {
  CURVES = 8,          /* arms drawn in one figure of curves: as many as there are colours that can be told apart */
  LOGS = 400,          /* runs whose log is read, in all */
  LOGITS = 400,        /* runs whose logits are read, in all */
  LOGITS_OF_ARM = 64,  /* of one arm */
  SKETCHES_OF_ARM = 12 /* runs of one arm whose snapshots are read */
};

/* The columns of a band's quantiles: `quantile` is the member of `struct row`. */
#define BAND_COLUMNS(row, quantile)                                                                             \
  COLUMN("q05", "5 %", UNIT_NONE, row, quantile[0]), COLUMN("q25", "25 %", UNIT_NONE, row, quantile[1]),        \
      COLUMN("q50", "median", UNIT_NONE, row, quantile[2]), COLUMN("q75", "75 %", UNIT_NONE, row, quantile[3]), \
      COLUMN("q95", "95 %", UNIT_NONE, row, quantile[4])

/* 1 where an arm is a baseline: it is compared with no other one. */
static inline int ad__is_baseline(const struct report *r, size_t a) {
  return r->arm[a].baseline == a;
}

/* Why there is nothing to compare, where no arm is compared with another one. */
static inline const char *ad__one_arm(const struct report *r) {
  return r->settings > 1 ? "each data set and setting has one arm" : "the study has one arm";
}

/* The name of the arm that an arm is compared with. */
static inline const char *ad__baseline_name(const struct report *r, size_t a) {
  return r->arm[r->arm[a].baseline].name;
}

/* Scores that both arms have, run by run, into a and b [points], and the combinations of seeds into `points` [points];
 * fine: of runs that did not fail only. Returns their number. */
size_t ad__report_common(const struct report *r, size_t arm_a, size_t arm_b, int fine, size_t *points, double *a,
                         double *b);

/* Fills r->seeds. AD_ENOMEM. */
int ad__report_find_seeds(struct report *r);

/* Which of the runs at `points` [n] share seeds; the caller's (ad_terms_destroy). AD_ENOMEM. */
int ad__report_terms(const struct report *r, size_t n, const size_t *points, struct ad_terms *terms);

/* Wilson's interval of a share, count of n runs, where these are independent and not too few. */
struct ad_interval ad__report_wilson(const struct report *r, int independent, double count, size_t n);

/* Of values [n] of runs, or differences of runs, at `points` [n]; of the scores of an arm's finished runs. AD_ENOMEM.
 */
int ad__report_mean(const struct report *r, size_t n, const size_t *points, const double *values,
                    struct report_mean *mean);
int ad__report_arm_mean(const struct report *r, size_t arm, struct report_mean *mean);

/* Says at the top what was registered and what differs; fills r->family. AD_ENOMEM. */
int ad__report_registration(struct report *r);

/* p of the mean difference of an arm from the baseline; the ratios of spread on their `n` common seeds. AD_ENOMEM. */
int ad__report_difference_p(const struct report *r, size_t arm, struct ad_figure *p);
int ad__report_compare_spread(const struct report *r, size_t arm, struct ad_spreads *spreads, size_t *n);

/* An effect, 0 where there is none, with its error and margin of equivalence (NaN: none) on the same scale. */
struct report_effect {
  size_t test; /* AD_ANALYSIS_MEAN, ... */
  struct ad_figure effect, error, df, p, holm;
  double margin;
};

/* "lower", "higher", "equivalent" or "undecided"; "exploratory" where an analysis was registered without this test. */
const char *ad__report_verdict(const struct report *r, size_t arm, const struct report_effect *effect);

/* The sections, in their order. AD_EIO, AD_ENOMEM. */
int ad__report_comparison(struct report *r);
int ad__report_failures(struct report *r); /* a table of the section before it */
int ad__report_settings(struct report *r); /* nothing where there is one setting */
int ad__report_arms(struct report *r);
int ad__report_spread(struct report *r);
int ad__report_variance(struct report *r);
int ad__report_cost(struct report *r);
int ad__report_best(struct report *r);
int ad__report_examples(struct report *r);
int ad__report_logs(struct report *r);
int ad__report_snapshots(struct report *r);
int ad__report_provenance(struct report *r);

/* ---- The gradient noise scale, from the snapshots that report_snapshots reads ---- */

/* The steps of the runs of an arm, run after run: run k's are [begin[k], begin[k + 1]). All zero at first; its owner
 * frees `step` (ad_free). */
struct noise {
  void *step; /* struct noise_step [count] */
  size_t count, capacity, runs, begin[SKETCHES_OF_ARM + 1];
};

/* Adds a run, if its snapshots have what is needed. `steps` of the whole run; 0: not known. AD_EINPUT, AD_ENOMEM. */
int ad__noise_add(struct noise *noise, const struct ad_snapshot_file *file, uint64_t steps);

/* The section, of the first `arms` arms: noise [arms]. AD_ENOMEM. */
int ad__report_noise(struct report *r, size_t arms, const struct noise *noise);

/* ---- Pieces that all reports share ---- */

/* What people see a score in. */
static inline enum unit ad__score_unit(const struct ad_score *score) {
  static const enum unit counted_in[] = {
      [AD_SCORE_NUMBER] = UNIT_NONE, [AD_SCORE_SHARE] = UNIT_PERCENT, [AD_SCORE_NATS] = UNIT_NATS};
  return counted_in[score->unit];
}

/* Begins a table of facts in the newest section; adds one; adds by which program the report was made. */
void ad__facts(struct document *document, const char *id, const char *title);
void ad__fact(struct document *document, const char *what, const char *value);
void ad__fact_program(struct document *document);

/* "2026-11-29 08:15:00 UTC" into text [40]; "not known" for 0. */
const char *ad__say_time(double seconds, char text[40]);

/* 1 where logits are numbers of at least two classes, and each label is one of these. */
int ad__logits_usable(const struct ad_logits *logits);
int ad__logits_finite(const struct ad_logits *logits);

/* ---- Pieces of pictures ---- */

/* What a caption adds where a figure shows less than there is: " Drawn: the first 8 of 12 arms." "" where it shows all.
 * Into text [size]; returns text. */
const char *ad__left_out(size_t drawn, size_t all, size_t size, char *text);

/* The colour of an arm that is curve k of a figure: the same in all figures, where there are enough colours. */
size_t ad__curve_colour(const struct report *r, size_t arm, size_t k);

/* A curve of an arm through points (x, y) [n], NaN where there is none: one kind of path, a line with a dot at each
 * point. k: as above. */
struct curve {
  size_t n;
  const double *x, *y;
};
void ad__draw_curve(struct report *r, struct picture *picture, enum picture_kind kind, size_t arm, size_t k,
                    const struct curve *curve);

/* Median and quartiles of bands [n] over x [n], and the arm's name in the legend; k: as above. Without runs: left out.
 */
void ad__draw_bands(struct report *r, struct picture *picture, size_t arm, size_t k, size_t n, const double *x,
                    const struct ad_band *bands, double scale);

/* The runs of an arm that are read, into chosen [most]: at most `most` combinations of seeds, the same for every arm
 * and spread evenly, of them those with a score. Their number. */
size_t ad__report_choose(const struct report *r, size_t arm, size_t most, size_t *chosen);

/* Most runs of an arm, when `all` may be read in all and `arm` of one arm. */
size_t ad__report_share(const struct report *r, size_t all, size_t arm);

/* Whose evaluations belong to the result: the variant of study.result, or what the arm's run.result names. AD_ENOMEM.
 */
int ad__report_variant(const struct report *r, size_t arm, enum ad_variant *variant);

/* Reads the logits that belong to the score of a run. *logits is the caller's (ad_logits_destroy); empty but for
 * LOGITS_READ. UNUSABLE: damaged, not finite, or of no classes. AD_EIO, AD_ENOMEM. */
enum logits_found { LOGITS_READ, LOGITS_NONE, LOGITS_UNUSABLE };
int ad__report_read_logits(struct report *r, size_t arm, size_t run, enum ad_variant variant, struct ad_logits *logits,
                           enum logits_found *found);

/* The path of a file in a run's folder; the caller frees it. NULL: out of memory, which is recorded in r->doc->status.
 */
char *ad__report_path(const struct report *r, size_t arm, size_t run, const char *name);

#endif
