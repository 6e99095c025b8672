/* Whether a run goes on to more steps than it was planned with: only with the bits of a run that was planned so. */
#include <inttypes.h>

#include "autodidact/base/status.h"
#include "autodidact/learn/schedule.h"
#include "autodidact/learn/window.h"
#include "training_internal.h"

static uint64_t steps_of(const struct ad_config *c, uint64_t steps_an_epoch) {
  return c->train_steps > 0 ? c->train_steps : c->train_epochs * steps_an_epoch;
}

/* Whether the first `was` steps have the same learning rates and weights of the distance, and means the same grid, in a
 * run of `is` steps; NULL, or why not. */
static const char *compare_steps(const struct ad_trainer_settings *s, uint64_t was, uint64_t is) {
  const uint64_t warmup[] = {ad_schedule_warmup(was, s->warmup), ad_schedule_warmup(is, s->warmup)};
  const struct ad_teacher_settings *t = &s->teacher;
  for (uint64_t step = 0; step < was; step++) {
    if (ad_schedule_factor(s->schedule, step, was, warmup[0]) != ad_schedule_factor(s->schedule, step, is, warmup[1])) {
      return "its learning rates depend on the number of all steps (with optim.schedule=constant and optim.warmup=0 "
             "they do not)";
    }
    if (ad_teacher_has_distance(t) && ad_teacher_weight(t, step, was) != ad_teacher_weight(t, step, is)) {
      return "teacher.ramp depends on the number of all steps";
    }
  }
  const int all = ad_teacher_keeps_students(t) && t->window == 0 &&
                  ad_window_scale(was / t->every + 1) != ad_window_scale(is / t->every + 1);
  return all || (ad_teacher_has(t, AD_VARIANT_RUN) && ad_window_scale(was) != ad_window_scale(is))
             ? "the units of its means over all steps depend on their number"
             : NULL;
}

static const char *compare_plans(const struct ad_training *t, uint64_t was, uint64_t is) {
  const struct ad_config *c = &t->session.config;
  if (t->evaluation.wanted && !ad__evaluation_due(was, is, c->eval_every, t->progress.steps_an_epoch)) {
    return "it was evaluated after its last step, and the longer run is not (eval.every)";
  }
  return t->snapshots != NULL ? "its snapshots depend on which step is the last one"
                              : compare_steps(&t->settings, was, is);
}

int ad__check_longer(const struct ad_training *t, int *longer) {
  struct ad_config before;
  const char *run = t->session.config.run_dir;
  const uint64_t is = ad_trainer_total(t->trainer);
  AD_TRY(ad_config_create(&before));
  int status = ad_run_config(run, &before);
  const uint64_t was = steps_of(&before, t->progress.steps_an_epoch);
  ad_config_destroy(&before);
  *longer = status == AD_OK && is > was;
  AD_TRY(status);
  const char *why = *longer ? compare_plans(t, was, is) : NULL;
  return why == NULL ? AD_OK
                     : ad_fail(AD_ECONFIG,
                               "%s: holds a run already, of %" PRIu64 " steps, which cannot go on to %" PRIu64
                               ": %s; choose another run.dir, or start anew with run.overwrite=true",
                               run, was, is, why);
}
