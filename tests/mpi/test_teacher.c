/* ranks: 1 2 3 8 */
/* Over 200 steps the teacher is, to the bit, the mean of the stored students by its definition, on one node and on
 * many; and every method trains to the bits that a rank alone gets, allocating nothing in a step: not a byte through
 * base/memory.h, nor any large block past it (MPI makes small ones for its requests). */
#include "support/allocations.h"
#include "support/kernel_sets.h"
#include "support/small_training.h"

#include "autodidact/mpi/exchange.h"
#include "check.h"
#include "comm_internal.h"

enum { STEPS = 200 };

struct lesson {
  struct small_training f;
  struct ad_comm *comm;
  struct ad_mpi_exchange *exchange;
  struct ad_shared shared;
  struct ad_replicas replicas;
  struct ad_trainer *trainer;
  float *students; /* [STEPS + 1][P] */
};

/* frozen: encoder layers that are not trained, -1: all is trained. */
static void lesson_open(struct lesson *l, const struct ad_trainer_settings *s, int shared, int whole, int frozen) {
  size_t teacher, mean, past, floats;
  CHECK(small_training_create(&l->f, &small_model) == 0);
  CHECK(frozen < 0 || ad_params_freeze(&l->f.params, (uint32_t)frozen) == AD_OK);
  const size_t P = l->f.params.count;
  ad_teacher_replicas(&s->teacher, &teacher, &mean, &past);
  CHECK(ad_comm_create(&l->comm, shared) == AD_OK);
  CHECK(ad_shared_create(&l->shared, l->comm,
                         ad_comm_node_first(l->comm) ? (1 + teacher + mean + past) * P * sizeof(float) : 0) == AD_OK);
  float *vectors = (float *)(void *)l->shared.part[0];
  l->replicas = (struct ad_replicas){ad_weights_float32(vectors), ad_weights_float32(vectors + P),
                                     ad_weights_float32(vectors + (1 + teacher) * P),
                                     calloc(past + 1, sizeof(struct ad_weights))};
  for (size_t k = 0; k < past; k++) {
    l->replicas.past[k] = ad_weights_float32(vectors + (1 + teacher + mean + k) * P);
  }
  if (ad_comm_node_first(l->comm)) {
    memcpy(vectors, l->f.theta, P * sizeof(float));
  }
  ad_shared_wait(&l->shared, l->comm);
  CHECK(ad_trainer_bucket_floats(&l->f.params, &l->f.data, s->batch, &floats) == AD_OK);
  CHECK(ad_mpi_exchange_create(&l->exchange, l->comm, test_math->kernels, &l->f.params, s->lanes, floats, whole,
                               AD_REDUCTION_ORDERED) == AD_OK);
  CHECK(ad_trainer_create(&l->trainer, test_math, &l->f.params, &l->replicas, &l->f.data, s,
                          ad_mpi_exchange_table(l->exchange)) == AD_OK);
  l->students = malloc((STEPS + 1) * P * sizeof(float));
  CHECK(l->students != NULL);
}

static void lesson_close(struct lesson *l) {
  ad_trainer_destroy(l->trainer);
  ad_mpi_exchange_destroy(l->exchange);
  ad_shared_destroy(&l->shared);
  ad_comm_destroy(l->comm);
  free(l->replicas.past);
  free(l->students);
  small_training_destroy(&l->f);
}

static struct ad_trainer_settings taught(enum ad_teacher_method method, uint64_t window, uint64_t every, int lag) {
  struct ad_trainer_settings s = small_settings(8, 8, 1);
  s.steps = STEPS;
  s.teacher = (struct ad_teacher_settings){.method = method,
                                           .window = window,
                                           .every = every,
                                           .lag = lag,
                                           .weight = 1.0,
                                           .start = 1,
                                           .dropout = AD_DROPOUT_ON,
                                           .decay = 0.9,
                                           .means = 1};
  return s;
}

/* The ranks check every R-th parameter each, of one vector. */
static void check_mean(const struct lesson *l, struct ad_replica replica, uint64_t first, uint64_t last, uint64_t every,
                       uint64_t K, uint64_t most) {
  const size_t P = l->f.params.count;
  const float *mean = ad_replica_floats(replica);
  for (size_t i = (size_t)l->comm->rank; i < P; i += (size_t)l->comm->size) {
    const float expected = defined_mean(l->students, P, i, first, last, every, K, most);
    CHECK(memcmp(&mean[i], &expected, sizeof expected) == 0);
  }
}

/* After t updates: the students theta_0 .. theta_t are known. */
static void check_variants(struct lesson *l, const struct ad_teacher_settings *s, uint64_t t) {
  const struct ad_replica *thetas;
  size_t count;
  CHECK(ad_trainer_variant(l->trainer, AD_VARIANT_TEACHER, &thetas, &count) == AD_OK);
  CHECK(count == 1);
  check_mean(l, thetas[0], 0, t - (uint64_t)s->lag, s->every, s->window, STEPS / s->every + 1);
  CHECK(ad_trainer_variant(l->trainer, AD_VARIANT_WINDOW, &thetas, &count) == AD_OK);
  CHECK(count == 1);
  check_mean(l, thetas[0], 0, t, s->every, s->window, STEPS / s->every + 1);
  ad_comm_wait(l->comm);
  CHECK(ad_trainer_variant(l->trainer, AD_VARIANT_RUN, &thetas, &count) == AD_OK);
  CHECK(count == 1);
  check_mean(l, thetas[0], 1, t, 1, 0, STEPS);
  ad_comm_wait(l->comm);
}

static void test_equation(uint64_t window, uint64_t every, int lag, int shared) {
  struct lesson l;
  const struct ad_trainer_settings s = taught(AD_TEACHER_SDA, window, every, lag);
  lesson_open(&l, &s, shared, 0, -1);
  const size_t P = l.f.params.count;
  for (uint64_t t = 0; t < STEPS; t++) {
    struct ad_step step;
    memcpy(l.students + t * P, l.replicas.student.values, P * sizeof(float));
    ad_comm_wait(l.comm);
    CHECK(ad_trainer_step(l.trainer, &step) == AD_OK);
    memcpy(l.students + (t + 1) * P, l.replicas.student.values, P * sizeof(float));
    if (t < 9 || t % 25 == 3 || t + 1 == STEPS) {
      check_variants(&l, &s.teacher, t + 1);
    }
    ad_comm_wait(l.comm);
  }
  CHECK(ad_trainer_verify(l.trainer) == AD_OK);
  lesson_close(&l);
}

/* The last digest chain of a run by a rank alone, and its losses. */
static uint64_t train_alone(const struct ad_trainer_settings *s, int frozen, double *distance) {
  struct small_training f;
  struct ad_trainer *trainer;
  struct ad_step step = {0};
  size_t teacher, mean, past;
  CHECK(small_training_create(&f, &small_model) == 0);
  CHECK(frozen < 0 || ad_params_freeze(&f.params, (uint32_t)frozen) == AD_OK);
  const size_t P = f.params.count;
  ad_teacher_replicas(&s->teacher, &teacher, &mean, &past);
  float *vectors = calloc(2 + past, P * sizeof(float));
  struct ad_weights *slots = calloc(past + 1, sizeof *slots);
  CHECK(vectors != NULL && slots != NULL);
  for (size_t k = 0; k < past; k++) {
    slots[k] = ad_weights_float32(vectors + (2 + k) * P);
  }
  const struct ad_replicas replicas = {ad_weights_float32(f.theta), ad_weights_float32(vectors),
                                       ad_weights_float32(vectors + P), slots};
  CHECK(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, s, NULL) == AD_OK);
  while (ad_trainer_done(trainer) < ad_trainer_total(trainer)) {
    CHECK(ad_trainer_step(trainer, &step) == AD_OK);
    distance[step.step - 1] = step.distance;
  }
  ad_trainer_destroy(trainer);
  free(slots);
  free(vectors);
  small_training_destroy(&f);
  return step.chain;
}

/* MPICH takes memory of its own in collective calls, Open MPI none of this size. */
#ifdef MPICH
enum { MPI_TAKES_MEMORY = 1 };
#else
enum { MPI_TAKES_MEMORY = 0 };
#endif

static void test_methods(enum ad_teacher_method method, uint64_t window, int lag, size_t rounds, int shared, int whole,
                         int frozen) {
  static double alone[STEPS], together[STEPS];
  struct ad_trainer_settings s = taught(method, window, 2, lag);
  s.steps = 30;
  s.rounds = rounds;
  const uint64_t chain = train_alone(&s, frozen, alone);
  struct lesson l;
  struct ad_step step = {0};
  lesson_open(&l, &s, shared, whole, frozen);
  while (ad_trainer_done(l.trainer) < ad_trainer_total(l.trainer)) {
    const size_t asked = ad_memory_stats().allocations, large = allocations.large;
    CHECK(ad_trainer_step(l.trainer, &step) == AD_OK);
    CHECK(ad_memory_stats().allocations == asked && (MPI_TAKES_MEMORY || allocations.large == large));
    together[step.step - 1] = step.distance;
  }
  CHECK(step.chain == chain);
  CHECK(memcmp(alone, together, 30 * sizeof *alone) == 0);
  CHECK(method == AD_TEACHER_SE ? step.weight == 0.0 : step.weight == 1.0 && step.distance > 0.0);
  lesson_close(&l);
}

static void test_counter(void) {
  const size_t large = allocations.large;
  void *(*volatile ask)(size_t) = malloc; /* the compiler knows malloc, and that it counts nothing */
  void *block = ask(ALLOCATIONS_LARGE);
  CHECK(block != NULL && allocations.large == large + ALLOCATIONS_COUNTED);
  free(block);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  test_counter();
  CHECK(test_math_start(NULL, NULL) == AD_OK);
  static const uint64_t windows[] = {1, 3, 5, 0};
  for (size_t w = 0; w < 4; w++) {
    for (uint64_t every = 1; every <= 4; every += 3) {
      const int lag = (w + every) % 2;
      test_equation(windows[w], every, lag, lag);
    }
  }
  for (enum ad_teacher_method m = AD_TEACHER_SE; m <= AD_TEACHER_RDROP; m++) {
    for (int lag = 0; lag < 2; lag++) {
      test_methods(m, 3, lag, 1, 1, 0, lag - 1);
      test_methods(m, 3, lag, 2, 0, 0, 1);
      test_methods(m, 4, lag, 1, 0, 1, 2 * lag);
    }
  }
  test_math_end();
  MPI_Finalize();
  return 0;
}
