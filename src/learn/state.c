/* A trainer's state by pieces: out of it for a checkpoint, back into it for going on. */
#include "autodidact/learn/state.h"

#include <string.h>

#include "autodidact/base/status.h"
#include "trainer_internal.h"

enum own { STUDENT, MOMENT1, MOMENT2, OWN }; /* the teacher's vectors follow */

const struct ad_shard *ad_trainer_shard(const struct ad_trainer *trainer) {
  return &trainer->shard;
}

size_t ad_trainer_vectors(const struct ad_trainer *trainer, struct ad_state_vector *vectors) {
  vectors[STUDENT] = (struct ad_state_vector){"student", sizeof(float), 1, 1};
  vectors[MOMENT1] = (struct ad_state_vector){"moment1", sizeof(float), 1, 1};
  vectors[MOMENT2] = (struct ad_state_vector){"moment2", sizeof(float), 1, 1};
  return OWN + (trainer->teacher == NULL ? 0 : ad_teacher_vectors(trainer->teacher, vectors + OWN));
}

struct ad_trainer_state ad_trainer_state(const struct ad_trainer *trainer) {
  struct ad_trainer_state state = {.done = trainer->done, .chain = trainer->chain};
  if (trainer->teacher != NULL) {
    state.teacher = ad_teacher_state(trainer->teacher);
  }
  return state;
}

static size_t local_of(const struct ad_trainer *t, uint32_t bucket, size_t flat) {
  return ad_shard_local(&t->shard, bucket, flat);
}

void *ad_trainer_place(const struct ad_trainer *trainer, size_t vector, size_t slot, uint32_t bucket, size_t flat) {
  const struct ad_trainer *t = trainer;
  switch (vector) {
    case STUDENT: /* frozen buckets belong to no shard: they have no master but the replica */
      return bucket < t->params->frozen ? (float *)t->replicas.student.values + flat
                                        : ad_weights_master(&t->replicas.student, flat, local_of(t, bucket, flat));
    case MOMENT1:
      return t->optimizer.m + local_of(t, bucket, flat);
    case MOMENT2:
      return t->optimizer.v + local_of(t, bucket, flat);
    default:
      return ad_teacher_place(t->teacher, vector - OWN, slot, flat, local_of(t, bucket, flat));
  }
}

int ad_trainer_read(const struct ad_trainer *trainer, size_t vector, size_t slot, uint32_t bucket, size_t flat,
                    size_t count, void *values) {
  if (vector >= OWN) {
    return ad_teacher_read(trainer->teacher, vector - OWN, slot, flat, local_of(trainer, bucket, flat), count, values);
  }
  memcpy(values, ad_trainer_place(trainer, vector, slot, bucket, flat), count * sizeof(float));
  return AD_OK;
}

int ad_trainer_write(struct ad_trainer *trainer, size_t vector, size_t slot, uint32_t bucket, size_t flat, size_t count,
                     const void *values) {
  if (vector >= OWN) {
    return ad_teacher_write(trainer->teacher, vector - OWN, slot, flat, local_of(trainer, bucket, flat), count, values);
  }
  memcpy(ad_trainer_place(trainer, vector, slot, bucket, flat), values, count * sizeof(float));
  return AD_OK;
}

int ad_trainer_restore(struct ad_trainer *trainer, const struct ad_trainer_state *state) {
  struct ad_trainer *t = trainer;
  ad_optimizer_moments_changed(&t->optimizer);
  t->done = state->done;
  t->chain = state->chain;
  ad_replica_refresh(&t->replicas.student, &t->shard);
  AD_TRY(ad_exchange_publish(t->exchange, t->params, 1, &t->replicas.student));
  return t->teacher == NULL ? AD_OK : ad_teacher_restore(t->teacher, &state->teacher, t->done);
}
