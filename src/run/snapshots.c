/* Snapshots of a training: which steps, the numbers of all ranks, the file that rank 0 keeps. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/snapshot.h"
#include "training_internal.h"

enum { PROBE_BATCH = 8 }; /* examples of the probe that are evaluated together: dealt to the ranks so */

struct ad__snapshots {
  struct ad_snapshot_schedule schedule;
  struct ad_snapshot_layout layout;
  uint64_t number;                   /* snapshots in the whole run */
  struct ad_evaluator *evaluator;    /* with a probe */
  struct ad_dataset probe;           /* its B examples */
  float *student, *teacher, *member; /* [B,C] logits of the probe; the last two with a teacher */
  double *sum;                       /* [B,C] with a teacher */
  struct ad_snapshots *file;         /* rank 0 */
};

/* Content, and what of it this run can have. */
static int lay_out(const struct ad_training *t, struct ad_snapshot_layout *l) {
  const struct ad_config *c = &t->session.config;
  *l = (struct ad_snapshot_layout){.params = &t->session.params, .teacher = t->vectors.replicas.teacher.values != NULL};
  AD_TRY(ad_snapshot_content_read(c->snapshot_content, &l->content));
  if ((l->content & AD_SNAPSHOT_PROBE) && (!t->data.has_dev || ad__hides(t))) {
    ad_log(AD_LOG_INFO, "snapshots: %s they have no probe", ad__hides(t) ? "of hidden tokens" : "without dev examples");
    l->content &= ~(unsigned)AD_SNAPSHOT_PROBE;
  }
  if (l->content & AD_SNAPSHOT_SKETCH) {
    l->sketch = c->snapshot_sketch;
  }
  if (l->content & AD_SNAPSHOT_PROBE) {
    l->probe = c->snapshot_probe < t->data.dev.count ? c->snapshot_probe : t->data.dev.count;
    l->labels = t->data.dev.task->classes == AD_CLASSES_ONE ? t->data.dev.label : NULL;
    l->teacher_logits = ad_teacher_has(&t->settings.teacher, AD_VARIANT_TEACHER);
  }
  return AD_OK;
}

static int prepare_probe(const struct ad_training *t, struct ad__snapshots *s) {
  const size_t n = s->layout.probe * t->session.params.config.classes;
  AD_TRY(ad_dataset_take(&s->probe, &t->data.dev, s->layout.probe));
  AD_TRY(ad_evaluator_create(&s->evaluator, t->session.math, &t->session.params, PROBE_BATCH));
  ad_evaluator_read_frozen(s->evaluator, ad_weights_replica(&t->vectors.replicas.student));
  s->student = ad_malloc(n, sizeof *s->student);
  const int taught = s->layout.teacher_logits;
  s->teacher = taught ? ad_malloc(n, sizeof *s->teacher) : NULL;
  s->member = taught ? ad_malloc(n, sizeof *s->member) : NULL;
  s->sum = taught ? ad_malloc(n, sizeof *s->sum) : NULL;
  if (s->student == NULL || (taught && (s->teacher == NULL || s->member == NULL || s->sum == NULL))) {
    return ad_fail_memory(n * 20, "the logits of the probe");
  }
  return AD_OK;
}

/* The estimate, told and held against the budget. */
static int check_budget(const struct ad_training *t, const struct ad__snapshots *s) {
  const double each = (double)ad_snapshot_bytes(&s->layout), all = each * (double)s->number;
  const double budget = (double)t->session.config.snapshot_budget;
  ad_log(AD_LOG_INFO, "snapshots: %" PRIu64 " of %.4g kB, %.4g MB in all before compression", s->number, 1e-3 * each,
         1e-6 * all);
  if (budget > 0.0 && all > budget) {
    return ad_fail(AD_ECONFIG,
                   "the snapshots of this run take %.0f bytes before compression (%" PRIu64
                   " of %.0f), snapshot.budget is %.0f: fewer steps (snapshot.every, dense, growth, steps) or less in "
                   "each (snapshot.content, sketch, probe)",
                   all, s->number, each, budget);
  }
  return AD_OK;
}

int ad__plan_snapshots(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  struct ad_snapshot_schedule schedule;
  AD_TRY(ad_snapshot_schedule_create(&schedule, c->snapshot_every, c->snapshot_dense, c->snapshot_growth,
                                     c->snapshot_steps, ad_trainer_total(t->trainer)));
  const uint64_t number = ad_snapshot_number(&schedule);
  if (number == 0) {
    ad_snapshot_schedule_destroy(&schedule);
    return AD_OK;
  }
  struct ad__snapshots *s = t->snapshots = ad_calloc(1, sizeof *s);
  if (s == NULL) {
    ad_snapshot_schedule_destroy(&schedule);
    return ad_fail_memory(sizeof *s, "the snapshots");
  }
  s->schedule = schedule;
  s->number = number;
  AD_TRY(lay_out(t, &s->layout));
  const struct ad_observer_settings what = {.norms = (s->layout.content & AD_SNAPSHOT_NORMS) != 0,
                                            .buckets = s->layout.sketch};
  AD_TRY(check_budget(t, s));
  AD_TRY(s->layout.probe > 0 ? prepare_probe(t, s) : AD_OK);
  return what.norms || what.buckets > 0 ? ad_trainer_observe(t->trainer, &what) : AD_OK;
}

size_t ad__snapshot_memory(const struct ad_training *t) {
  const struct ad__snapshots *s = t->snapshots;
  if (s == NULL || !t->ranks.first) {
    return 0;
  }
  /* Rows of a segment, and half of that again for the file that is made of them. */
  const size_t each = ad_snapshot_bytes(&s->layout), most = (size_t)AD_SNAPSHOT_BYTES / each + 1;
  const size_t rows = most < AD_SNAPSHOT_ROWS ? most : AD_SNAPSHOT_ROWS;
  return each * (s->number < rows ? (size_t)s->number : rows) * 3 / 2;
}

uint64_t ad__snapshot_bytes(const struct ad_training *t) {
  return t->snapshots == NULL ? 0 : t->snapshots->number * ad_snapshot_bytes(&t->snapshots->layout);
}

/* The logits of the examples [first, end) of the probe, of student and teacher, into their places; of the teacher where
 * any student has entered it. */
static int evaluate_range(struct ad_training *t, size_t first, size_t end) {
  struct ad__snapshots *s = t->snapshots;
  const size_t C = t->session.params.config.classes, n = (end - first) * C;
  float *student = s->student + first * C, *teacher = s->layout.teacher_logits ? s->teacher + first * C : NULL;
  const struct ad_replica *thetas, student_now = ad_weights_replica(&t->vectors.replicas.student);
  size_t count = 0;
  AD_TRY(ad_mpi_evaluate(t->ranks.comm, s->evaluator, PROBE_BATCH, C, student_now, &s->probe, first, end, student));
  AD_TRY(teacher != NULL ? ad_trainer_variant(t->trainer, AD_VARIANT_TEACHER, &thetas, &count) : AD_OK);
  for (size_t k = 0; k < count; k++) {
    float *logits = count > 1 ? s->member : teacher;
    AD_TRY(ad_mpi_evaluate(t->ranks.comm, s->evaluator, PROBE_BATCH, C, thetas[k], &s->probe, first, end, logits));
    for (size_t i = 0; i < n && count > 1; i++) {
      s->sum[i] = (k == 0 ? 0.0 : s->sum[i]) + logits[i];
    }
  }
  for (size_t i = 0; i < n && count > 1; i++) {
    teacher[i] = (float)(s->sum[i] / (double)count);
  }
  return AD_OK;
}

/* The probe's logits; NaN of examples whose turn it is not, NULL where it is nobody's. */
static int evaluate_probe(struct ad_training *t, uint64_t number, const float **student, const float **teacher) {
  struct ad__snapshots *s = t->snapshots;
  const size_t B = s->layout.probe, n = B * t->session.params.config.classes;
  size_t begin, count;
  ad_snapshot_probe_turn(&s->schedule, number, t->session.config.snapshot_probe_every, B, &begin, &count);
  if (count == 0) {
    return AD_OK;
  }
  for (size_t i = 0; i < n; i++) {
    s->student[i] = NAN;
    if (s->layout.teacher_logits) {
      s->teacher[i] = NAN;
    }
  }
  const size_t end = begin + count < B ? begin + count : B;
  AD_TRY(evaluate_range(t, begin, end));
  AD_TRY(end - begin < count ? evaluate_range(t, 0, count - (end - begin)) : AD_OK);
  *student = s->student;
  *teacher = s->teacher;
  return AD_OK;
}

static int keep(struct ad_training *t, uint64_t number, const struct ad_step *step) {
  struct ad__snapshots *s = t->snapshots;
  const double start = ad_clock();
  const struct ad_replica student = ad_weights_replica(&t->vectors.replicas.student);
  struct ad_snapshot snapshot = {.step = number, .scalars = step, .parameters = ad_replica_floats(student)};
  if (s->layout.content & (AD_SNAPSHOT_NORMS | AD_SNAPSHOT_SKETCH)) {
    const struct ad_observation seen = ad_trainer_observation(t->trainer);
    snapshot.norm = seen.norm;
    snapshot.sketch = seen.sketch;
  }
  AD_TRY(s->layout.probe > 0 ? evaluate_probe(t, number, &snapshot.student, &snapshot.teacher) : AD_OK);
  ad__hold(&t->stop, t->ranks.first ? ad_snapshots_add(s->file, &snapshot) : AD_OK);
  t->stop.pace.evaluation = fmax(t->stop.pace.evaluation, ad_clock() - start);
  if (t->ranks.first) {
    const struct ad_timing_row row = {AD_TIMING_SNAPSHOT, .step = number, .seconds = ad_clock() - start};
    ad__hold(&t->stop, ad_run_time(&t->run, &row));
  }
  return AD_OK;
}

int ad__open_snapshots(struct ad_training *t) {
  struct ad__snapshots *s = t->snapshots;
  if (s == NULL) {
    return AD_OK;
  }
  AD_TRY(
      ad_comm_settle(t->ranks.comm, t->ranks.first ? ad_snapshots_open(&s->file, t->run.folder, &s->layout) : AD_OK));
  if (t->ranks.first) {
    ad_snapshots_record(s->file, &t->run.ledger);
    ad_snapshots_leave(s->file, ad__checkpoint_bytes(t));
  }
  /* A checkpoint may be of step 0 too, where a run was stopped at once: its snapshot is on disk then. */
  if (ad_trainer_done(t->trainer) > 0 || t->saved.any) {
    return AD_OK;
  }
  if (s->layout.content & (AD_SNAPSHOT_NORMS | AD_SNAPSHOT_SKETCH)) {
    AD_TRY(ad_trainer_look(t->trainer));
  }
  return keep(t, 0, NULL);
}

void ad__watch_step(struct ad_training *t) {
  if (t->snapshots != NULL && ad_snapshot_due(&t->snapshots->schedule, ad_trainer_done(t->trainer) + 1)) {
    ad_trainer_watch(t->trainer, (t->snapshots->layout.content & AD_SNAPSHOT_SCALARS) != 0);
  }
}

int ad__keep_snapshot(struct ad_training *t, const struct ad_step *step) {
  return t->snapshots != NULL && ad_snapshot_due(&t->snapshots->schedule, step->step) ? keep(t, step->step, step)
                                                                                      : AD_OK;
}

int ad__flush_snapshots(struct ad_training *t) {
  const double start = ad_clock();
  if (t->snapshots == NULL || t->snapshots->file == NULL) {
    return AD_OK;
  }
  AD_TRY(ad_run_check(&t->run));
  AD_TRY(ad_snapshots_flush(t->snapshots->file));
  const struct ad_timing_row row = {AD_TIMING_SNAPSHOTS, .seconds = ad_clock() - start};
  return ad_run_time(&t->run, &row);
}

int ad__keep_diverged(struct ad_training *t, int status) {
  char message[2048];
  snprintf(message, sizeof message, "%s", ad_error_message());
  if (ad__flush_snapshots(t) != AD_OK) {
    ad_log(AD_LOG_WARNING, "%s", ad_error_message());
  }
  return ad_fail(status, "%s", message);
}

void ad__close_snapshots(struct ad_training *t) {
  struct ad__snapshots *s = t->snapshots;
  if (s == NULL) {
    return;
  }
  ad_snapshot_schedule_destroy(&s->schedule);
  ad_evaluator_destroy(s->evaluator);
  ad_dataset_destroy(&s->probe);
  ad_snapshots_destroy(s->file);
  ad_free(s->student);
  ad_free(s->teacher);
  ad_free(s->member);
  ad_free(s->sum);
  ad_free(s);
  t->snapshots = NULL;
}
