/* Reads the predictions of single examples from logits/ of the runs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/teacher.h"
#include "autodidact/statistics/calibration.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/rows.h"
#include "autodidact/store/run_files.h"
#include "autodidact/task/metrics.h"
#include "examples.h"

enum { EXAMPLE_ARMS = 40 };

/* The file that belongs to the score of a run. 0 where result.json does not say. AD_ENOMEM. */
static int logits_name(const struct report *r, size_t arm, size_t run, enum ad_variant variant, size_t size,
                       char *name) {
  if (r->study->source == AD_SOURCE_TEST) {
    snprintf(name, size, "%s/%s", AD_RUN_FOLDER_LOGITS, AD_LOGITS_TEST);
    return 1;
  }
  char file[AD_LOGITS_NAME];
  struct ad_result result = {0};
  char *folder = ad__report_path(r, arm, run, "");
  if (folder == NULL) {
    return AD_ENOMEM;
  }
  const int status = ad_result_find(&result, folder);
  const uint64_t step = r->study->source == AD_SOURCE_DEV ? result.step : result.steps;
  snprintf(name, size, "%s/%s", AD_RUN_FOLDER_LOGITS, ad_logits_name(variant, step, file));
  ad_free(folder);
  return status == AD_ENOMEM ? status : status == AD_OK; /* one that cannot be read does not say */
}

int ad__logits_finite(const struct ad_logits *l) {
  size_t i = 0;
  while (i < l->N * l->C && isfinite(l->logits[i])) {
    i++;
  }
  return i == l->N * l->C;
}

int ad__logits_usable(const struct ad_logits *l) {
  if (!ad__logits_finite(l)) {
    return 0;
  }
  for (size_t i = 0; i < l->N && l->Q == 1; i++) {
    if (l->labels[i] >= l->C) {
      return 0;
    }
  }
  return l->Q == 1 && l->N > 0 && l->C > 1;
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

/* Whether a run's answers are classes. */
static int has_classes(const struct report *r, size_t arm, size_t run) {
  const struct ad_cell_record *record = &r->cells->records[r->arm[arm].runs[run].cell];
  const struct ad_task *task = record->scores[r->study->source].task;
  return task != NULL && task->classes == AD_CLASSES_ONE;
}

int ad__report_read_logits(struct report *r, size_t arm, size_t run, enum ad_variant variant, struct ad_logits *l,
                           enum logits_found *found) {
  char name[100];
  *l = (struct ad_logits){0};
  *found = LOGITS_NONE;
  const int known = logits_name(r, arm, run, variant, sizeof name, name);
  if (known <= 0 || !has_classes(r, arm, run)) {
    return known < 0 ? known : AD_OK;
  }
  char *path = ad__report_path(r, arm, run, name);
  if (path == NULL) {
    return AD_ENOMEM;
  }
  const int there = ad_is_file(path);
  const int status = there ? ad_logits_read(l, path) : AD_OK;
  ad_free(path);
  if (there && status == AD_OK && ad__logits_usable(l)) {
    *found = LOGITS_READ;
    return AD_OK;
  }
  *found = there ? LOGITS_UNUSABLE : LOGITS_NONE;
  ad_logits_destroy(l);
  return status == AD_EINPUT ? AD_OK : status;
}

/* Takes a run's logits; runs without them, or with some that do not fit the others, are counted and left out. */
static int add_run(struct examples *e, size_t arm, size_t point, struct ad_logits *l, enum logits_found found) {
  if (found != LOGITS_READ) {
    e->without += found == LOGITS_NONE;
    e->other += found == LOGITS_UNUSABLE;
    return AD_OK;
  }
  if (e->labels == NULL) {
    e->N = l->N;
    e->C = l->C;
    e->labels = l->labels;
    l->labels = NULL;
  } else if (l->N != e->N || l->C != e->C || memcmp(l->labels, e->labels, e->N * sizeof *e->labels) != 0) {
    e->other++;
    return AD_OK;
  }
  return add_logits(e, &e->arm[arm], point, l->logits);
}

static int read_arm_logits(struct examples *e, size_t arm) {
  size_t chosen[LOGITS_OF_ARM];
  const size_t count = ad__report_choose(e->r, arm, e->most, chosen);
  enum ad_variant variant;
  AD_TRY(ad__report_variant(e->r, arm, &variant));
  for (size_t i = 0; i < count; i++) {
    struct ad_logits l;
    enum logits_found found;
    AD_TRY(ad__report_read_logits(e->r, arm, chosen[i], variant, &l, &found));
    const int status = add_run(e, arm, chosen[i], &l, found);
    ad_logits_destroy(&l);
    AD_TRY(status);
  }
  return AD_OK;
}

static void release_examples(struct examples *e) {
  for (size_t a = 0; e->arm != NULL && a < e->arms; a++) {
    ad_free(e->arm[a].prediction);
    ad_free(e->arm[a].wrong);
    ad_vote_destroy(&e->arm[a].vote);
  }
  ad_free(e->arm);
  ad_free(e->labels);
}

int ad__report_examples(struct report *r) {
  struct examples e = {.r = r, .arms = r->arms < EXAMPLE_ARMS ? r->arms : EXAMPLE_ARMS};
  e.most = ad__report_share(r, LOGITS, LOGITS_OF_ARM);
  e.arm = ad_calloc(e.arms, sizeof *e.arm);
  int status = e.arm == NULL ? ad_fail_memory(e.arms * sizeof *e.arm, "predictions") : AD_OK;
  for (size_t a = 0; a < e.arms && status == AD_OK; a++) {
    status = read_arm_logits(&e, a);
  }
  if (status == AD_OK && e.labels == NULL) {
    ad__document_section(r->doc, "test_set", "How much is the test set; churn, diversity, calibration",
                         "These come from the logits of single examples.", "where logits are not kept.");
    if (r->task != NULL && r->task->classes != AD_CLASSES_ONE) {
      ad__document_note(r->doc, "Not available: labels of the task %s are not one class each.", r->task->name);
    } else {
      ad__document_note(r->doc, "Not available: no run has kept its logits (eval.keep_logits=true).");
    }
  } else if (status == AD_OK) {
    status = ad__report_test_set(&e);
    if (status == AD_OK && (e.without > 0 || e.other > 0 || e.most < r->points || e.arms < r->arms)) {
      ad__document_note(r->doc,
                        "Read: at most %zu runs of each of the first %zu arms; %zu of these without logits, %zu with "
                        "logits that cannot be used (damaged, or of other examples).",
                        e.most, e.arms, e.without, e.other);
    }
    status = status == AD_OK ? ad__report_predictions(&e) : status;
  }
  release_examples(&e);
  return status;
}
