/* Runs as their report sees them: what is in their folders, read once. */
#ifndef AUTODIDACT_SRC_REPORT_RUN_VIEW_H
#define AUTODIDACT_SRC_REPORT_RUN_VIEW_H

#include "autodidact/base/config.h"
#include "autodidact/base/json.h"
#include "autodidact/report/run_report.h"
#include "autodidact/store/lease.h"
#include "autodidact/store/progress.h"
#include "autodidact/store/run_inputs.h"
#include "logs.h"

/* X(constant, the word). What an unfinished run has come to is read from what it left: one that was stopped has a
 * checkpoint of its last step, one that was killed has left its lease. */
#define RUN_IS_MAP(X)          \
  X(RUN_IS_FINISHED, finished) \
  X(RUN_IS_RUNNING, running)   \
  X(RUN_IS_STOPPED, stopped)   \
  X(RUN_IS_KILLED, killed)     \
  X(RUN_IS_FAILED, failed)

enum run_is {
#define RUN_IS_ENUM(constant, word) constant,
  RUN_IS_MAP(RUN_IS_ENUM)
#undef RUN_IS_ENUM
      RUN_STATES
};

struct run_view {
  const char *folder; /* not owned */
  char *name;         /* what tells it from the others: the last part of `folder`, or all of it; owned */
  enum run_is is;
  struct ad_lease_entry holder; /* generation 0: none */
  uint64_t checkpoint;          /* step of the newest; 0: none */
  struct ad_config config;
  struct ad_run_log log;
  struct ad_timings timings;
  struct ad_result result; /* of a finished run */
  json_t *facts;           /* provenance.json; NULL: it cannot be read */
  struct ad_descriptor descriptor;
  int described;            /* 1: the descriptor is there */
  struct ad_scores scores;  /* on dev, of the newest parameters of run.result; of a finished run, of its result */
  uint64_t scored;          /* their step */
  uint64_t steps;           /* of the whole run; 0: not known */
  struct ad_logits logits;  /* that the scores come from, all finite; N 0: none */
  struct ad_scoring counts; /* of these */
  struct ad_buffer wrong;   /* what could not be read, in sentences */
};

/* All zero at first. */
struct run_views {
  struct run_view *view; /* [count] */
  size_t count;
  struct document *doc;
  double window; /* steps of a point of a curve */
};

/* Reads everything. AD_EINPUT (not a run folder), AD_ECONFIG, AD_EIO, AD_ENOMEM. The caller owns it, after a failure
 * too: ad__run_views_destroy. */
int ad__run_views_read(struct run_views *views, char *const *runs);
void ad__run_views_destroy(struct run_views *views);

/* The newest step of its log. */
uint64_t ad__run_step(const struct run_view *view);
const char *ad__run_word(enum run_is is);

/* The name of a class into text [200]; returns it. */
const char *ad__run_class(const struct run_view *view, uint32_t c, char text[200]);

/* 1 where several runs are shown; the colour of run k. */
static inline int ad__several(const struct run_views *views) {
  return views->count > 1;
}
static inline size_t ad__run_colour(size_t k) {
  return k + 1;
}

/* The width and the columns of a table, from an array whose first is the run; without it where there is one run. */
#define RUN_COLUMNS(views, array) sizeof(array) / sizeof *(array) - !ad__several(views), (array) + !ad__several(views)

/* What a run's task predicts. */
enum run_of { RUN_OF_CLASSES /* one a text */, RUN_OF_SETS, RUN_OF_NUMBERS };

/* 1 where the scores of a run are of such a task; of one that has none yet, 0. */
static inline int ad__run_has(const struct run_view *view, enum run_of of) {
  const struct ad_task *task = view->scores.task;
  return task != NULL && (of == RUN_OF_CLASSES ? task->classes == AD_CLASSES_ONE
                          : of == RUN_OF_SETS  ? task->classes == AD_CLASSES_SET
                                               : task->numbers);
}

/* 1 where a run has logits of such a task. Else a note says why not: `unfit`, where its task is another one, or that it
 * keeps none, and what `eval` does in their place. */
int ad__run_has_logits(struct run_views *views, const struct run_view *view, enum run_of of, const char *unfit,
                       const char *in_place);

/* 1 where some run has; of runs that all have no scores yet, for classes too. */
int ad__runs_have(const struct run_views *views, enum run_of of);

/* The sections, in their order. AD_EIO, AD_ENOMEM. */
int ad__run_top(struct run_views *views);
int ad__run_lead(struct run_views *views); /* pictures of the top */
int ad__run_table(struct run_views *views);
int ad__run_curves(struct run_views *views);
int ad__run_classes(struct run_views *views);
int ad__run_calibration(struct run_views *views);
int ad__run_sets(struct run_views *views);   /* of runs that predict sets of classes */
int ad__run_errors(struct run_views *views); /* of runs that predict numbers */
int ad__run_times(struct run_views *views);
int ad__run_differences(struct run_views *views);
int ad__run_provenance(struct run_views *views);

#endif
