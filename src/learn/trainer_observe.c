/* The trainer's steps under observation (learn/observe.h). */
#include "autodidact/base/status.h"
#include "trainer_internal.h"

int ad_trainer_observe(struct ad_trainer *trainer, const struct ad_observer_settings *settings) {
  struct ad_trainer *t = trainer;
  if (t->observer != NULL) {
    return ad_fail(AD_EINTERNAL, "the trainer has an observer already");
  }
  const struct ad_weights *teacher = &t->replicas.teacher;
  return ad_observer_create(&t->observer, t->kernels, &t->shard, settings, teacher->values == NULL ? NULL : teacher);
}

void ad_trainer_watch(struct ad_trainer *trainer, int part) {
  trainer->watched = trainer->observer != NULL;
  trainer->part_watched = part;
}

int ad__trainer_share_observed(struct ad_trainer *t) {
  size_t count;
  uint64_t *sums = ad_observer_sums(t->observer, &count);
  t->watched = 0;
  AD_TRY(t->exchange->sum(t->exchange->context, count, sums));
  ad_observer_end(t->observer);
  return AD_OK;
}

int ad_trainer_look(struct ad_trainer *trainer) {
  struct ad_trainer *t = trainer;
  const struct ad_replica *thetas;
  const int taught = t->replicas.teacher.values != NULL && ad_teacher_members(t->teacher, &thetas) > 0;
  ad_observer_begin(t->observer);
  ad_observer_values(t->observer, &t->replicas.student, taught);
  return ad__trainer_share_observed(t);
}

struct ad_observation ad_trainer_observation(const struct ad_trainer *trainer) {
  return ad_observer_result(trainer->observer);
}
