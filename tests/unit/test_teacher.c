/* Self-distillation through the trainer of one rank: the teacher against its definition, equal methods, predicted
 * memory, refusals. tests/mpi/test_teacher.c does the same on several ranks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "support/kernel_sets.h"
#include "support/small_training.h"

/* A trainer with its replicas. */
struct lesson {
  struct small_training f;
  struct ad_replicas replicas;
  struct ad_trainer *trainer;
};

/* A master of its own, apart from the replica, as a rank alone has it: all values in the order of the flat vector. */
static void set_apart(struct ad_weights *weights, size_t P) {
  if (weights->values != NULL) {
    weights->master = malloc(P * sizeof(float));
    memcpy(weights->master, weights->values, P * sizeof(float));
    memset(weights->values, 0xff, P * sizeof(float));
  }
}

/* apart: student, teacher and mean have masters apart from their replicas. */
static int lesson_open_as(struct lesson *l, const struct ad_model_config *model, const struct ad_trainer_settings *s,
                          int apart) {
  size_t teacher, mean, past;
  assert_int_equal(small_training_create(&l->f, model), 0);
  ad_teacher_replicas(&s->teacher, &teacher, &mean, &past);
  const size_t P = l->f.params.count;
  l->replicas = (struct ad_replicas){.student = ad_weights_float32(l->f.theta)};
  l->replicas.teacher = ad_weights_float32(teacher > 0 ? malloc(P * sizeof(float)) : NULL);
  l->replicas.mean = ad_weights_float32(mean > 0 ? malloc(P * sizeof(float)) : NULL);
  l->replicas.past = calloc(past + 1, sizeof *l->replicas.past);
  for (size_t k = 0; k < past; k++) {
    l->replicas.past[k] = ad_weights_float32(malloc(P * sizeof(float)));
  }
  if (apart) {
    set_apart(&l->replicas.teacher, P);
    set_apart(&l->replicas.mean, P);
    set_apart(&l->replicas.student, P);
    ad_replica_write(&l->replicas.student, 0, P, l->replicas.student.master);
  }
  return ad_trainer_create(&l->trainer, test_math, &l->f.params, &l->replicas, &l->f.data, s, NULL);
}

static int lesson_open(struct lesson *l, const struct ad_model_config *model, const struct ad_trainer_settings *s) {
  return lesson_open_as(l, model, s, 0);
}

static void lesson_close(struct lesson *l) {
  ad_trainer_destroy(l->trainer);
  free(l->replicas.student.master);
  free(l->replicas.teacher.master);
  free(l->replicas.mean.master);
  free(l->replicas.teacher.values);
  free(l->replicas.mean.values);
  for (size_t k = 0; l->replicas.past[k].values != NULL; k++) {
    free(l->replicas.past[k].values);
  }
  free(l->replicas.past);
  small_training_destroy(&l->f);
}

static struct ad_trainer_settings taught(enum ad_teacher_method method, uint64_t window) {
  struct ad_trainer_settings s = small_settings(8, 8, 1);
  s.teacher = (struct ad_teacher_settings){
      .method = method, .window = window, .every = 1, .lag = 1, .weight = 1.0, .start = 1, .decay = 0.9};
  return s;
}

enum { STEPS = 60 };

struct record {
  double loss[STEPS], distance[STEPS], weight[STEPS];
  uint64_t chain;
};

static void run_lesson(const struct ad_trainer_settings *settings, size_t steps, struct record *record) {
  struct lesson l;
  struct ad_trainer_settings s = *settings;
  s.steps = steps;
  assert_int_equal(lesson_open(&l, &small_model, &s), AD_OK);
  for (size_t t = 0; t < steps; t++) {
    struct ad_step step;
    assert_int_equal(ad_trainer_step(l.trainer, &step), AD_OK);
    record->loss[t] = step.loss;
    record->distance[t] = step.distance;
    record->weight[t] = step.weight;
    record->chain = step.chain;
  }
  assert_int_equal(ad_trainer_verify(l.trainer), AD_OK);
  lesson_close(&l);
}

/* K = 1: the mean of one past student's parameters is that student, the mean of its logits are its logits. */
static void test_one_student(void **state) {
  (void)state;
  for (int lag = 0; lag < 2; lag++) {
    for (int dropout = 0; dropout < 3; dropout++) {
      for (int means = 0; means < 2; means++) {
        struct record sda, sdv;
        struct ad_trainer_settings s = taught(AD_TEACHER_SDA, 1);
        s.teacher.lag = lag;
        s.teacher.dropout = (enum ad_teacher_dropout)dropout;
        s.teacher.means = means;
        run_lesson(&s, STEPS, &sda);
        s.teacher.method = AD_TEACHER_SDV;
        run_lesson(&s, STEPS, &sdv);
        assert_true(sda.chain == sdv.chain);
        assert_memory_equal(sda.loss, sdv.loss, sizeof sda.loss);
        assert_memory_equal(sda.distance + 1, sdv.distance + 1, sizeof sda.distance - sizeof(double));
        /* The first step has a past only where the student itself may be it; with its own masks it then agrees. */
        assert_true(lag == 1 ? isnan(sda.distance[0]) : sda.distance[0] >= 0.0);
        assert_true((sda.distance[0] == 0.0) == (lag == 0 && dropout == AD_DROPOUT_SAME));
        assert_true(sda.distance[1] > 0.0 || (lag == 0 && dropout == AD_DROPOUT_SAME));
      }
    }
  }
}

/* What must change nothing: means kept, the ring on disk, several rounds. What must change something: all else. */
static void test_settings(void **state) {
  (void)state;
  struct record plain, other;
  const enum ad_teacher_method methods[] = {AD_TEACHER_NONE, AD_TEACHER_SE,  AD_TEACHER_SDA,
                                            AD_TEACHER_SDV,  AD_TEACHER_EMA, AD_TEACHER_RDROP};
  uint64_t chains[6];
  for (size_t m = 0; m < 6; m++) {
    struct ad_trainer_settings s = taught(methods[m], 3);
    run_lesson(&s, STEPS, &plain);
    chains[m] = plain.chain;
    s.teacher.means = methods[m] != AD_TEACHER_NONE;
    s.teacher.ring_folder = "/tmp";
    s.rounds = 3;
    run_lesson(&s, STEPS, &other);
    assert_true(other.chain == plain.chain);
    assert_memory_equal(other.loss, plain.loss, sizeof plain.loss);
    for (size_t n = 0; n < m; n++) {
      assert_true((chains[n] == chains[m]) == (m == 1 && n == 0)); /* SE changes nothing in training */
    }
    if (methods[m] == AD_TEACHER_RDROP || ad_teacher_has(&s.teacher, AD_VARIANT_TEACHER)) {
      assert_true(plain.weight[STEPS - 1] == 1.0 && plain.distance[STEPS - 1] > 0.0);
      s.teacher.weight = 0.5;
      run_lesson(&s, STEPS, &other);
      assert_true(other.chain != plain.chain);
    }
  }
  static const struct {
    uint64_t every;
    int lag;
    uint64_t start;
    double ramp;
  } changes[] = {{2, 1, 1, 0.0}, {1, 0, 1, 0.0}, {1, 1, 9, 0.0}, {1, 1, 1, 0.5}};
  for (size_t c = 0; c < 4; c++) {
    struct ad_trainer_settings s = taught(AD_TEACHER_SDA, 3);
    s.teacher.every = changes[c].every;
    s.teacher.lag = changes[c].lag;
    s.teacher.start = changes[c].start;
    s.teacher.ramp = changes[c].ramp;
    run_lesson(&s, STEPS, &other);
    assert_true(other.chain != chains[2]);
    assert_true(changes[c].start == 1 || (isnan(other.distance[7]) && other.distance[8] >= 0.0));
    assert_true(changes[c].ramp == 0.0 || (other.weight[14] == 0.5 && other.weight[29] == 1.0));
  }
}

/* A teacher that never counts leaves the training as it is without one. */
static void test_weightless(void **state) {
  (void)state;
  struct record plain, other;
  struct ad_trainer_settings s = taught(AD_TEACHER_NONE, 1);
  run_lesson(&s, STEPS, &plain);
  for (enum ad_teacher_method m = AD_TEACHER_SDA; m <= AD_TEACHER_EMA; m++) {
    s = taught(m, 2);
    s.teacher.start = STEPS + 1;
    run_lesson(&s, STEPS, &other);
    assert_true(other.chain == plain.chain);
    s.teacher.start = 1;
    s.teacher.weight = 0.0;
    run_lesson(&s, STEPS, &other);
    assert_true(other.chain == plain.chain);
  }
}

static void test_refusals(void **state) {
  (void)state;
  struct lesson l;
  struct ad_trainer_settings s = taught(AD_TEACHER_SDV, 0);
  assert_int_equal(lesson_open(&l, &small_model, &s), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "teacher.window"));
  lesson_close(&l);
  s = taught(AD_TEACHER_SDA, 3);
  s.teacher.ring_folder = "/no/such/folder";
  assert_int_equal(lesson_open(&l, &small_model, &s), AD_EIO);
  lesson_close(&l);
  s = taught(AD_TEACHER_SDA, 3);
  assert_int_equal(lesson_open(&l, &small_model, &s), AD_OK);
  l.f.theta[ad_params_find(&l.f.params, "encoder.layer.1.output.LayerNorm.weight")->offset + 3] = 70.0f;
  struct ad_step step;
  assert_int_equal(ad_trainer_step(l.trainer, &step), AD_EDIVERGED);
  assert_non_null(strstr(ad_error_message(), "encoder.layer.1.output.LayerNorm"));
  assert_non_null(strstr(ad_error_message(), "step 1"));
  lesson_close(&l);
}

static void test_out_of_memory(void **state) {
  (void)state;
  for (enum ad_teacher_method m = AD_TEACHER_SE; m <= AD_TEACHER_RDROP; m++) {
    struct lesson l;
    struct ad_trainer_settings s = taught(m, 3);
    const size_t before = ad_memory_stats().live_blocks;
    int status = AD_ENOMEM;
    for (unsigned long n = 1; status != AD_OK; n++) {
      struct ad_step step;
      assert_int_equal(lesson_open(&l, &small_model, &s), AD_OK);
      ad_trainer_destroy(l.trainer);
      l.trainer = NULL;
      ad_memory_fail_at(n);
      status = ad_trainer_create(&l.trainer, test_math, &l.f.params, &l.replicas, &l.f.data, &s, NULL);
      for (int i = 0; i < 3 && status == AD_OK; i++) {
        status = ad_trainer_step(l.trainer, &step);
      }
      ad_memory_fail_at(0);
      assert_true(status == AD_OK || status == AD_ENOMEM);
      lesson_close(&l);
      assert_int_equal(ad_memory_stats().live_blocks, before);
    }
  }
}

/* What ad_trainer_bytes foretells against what is allocated after some steps. */
static void test_memory(void **state) {
  (void)state;
  struct ad_model_config model = small_model;
  model.hidden = 128;
  model.ffn = 512;
  for (enum ad_teacher_method m = AD_TEACHER_NONE; m <= AD_TEACHER_RDROP; m++) {
    for (size_t rounds = 1; rounds <= 3; rounds += 2) {
      struct lesson l;
      struct ad_trainer_settings s = taught(m, 4);
      s.rounds = rounds;
      s.steps = 5;
      assert_int_equal(lesson_open(&l, &model, &s), AD_OK);
      const struct ad_trainer_bytes b = ad_trainer_bytes(l.trainer);
      for (int i = 0; i < 5; i++) {
        struct ad_step step;
        assert_int_equal(ad_trainer_step(l.trainer, &step), AD_OK);
      }
      const size_t with = ad_memory_stats().live_bytes;
      ad_trainer_destroy(l.trainer);
      l.trainer = NULL;
      const double held = (double)(with - ad_memory_stats().live_bytes);
      const double told = (double)(b.activations + b.work + b.partials + b.gradient + b.moments + b.window);
      if (!(fabs(told / held - 1.0) <= 0.1)) {
        fail_msg("method %d, %zu rounds: %.0f bytes foretold, %.0f held", (int)m, rounds, told, held);
      }
      lesson_close(&l);
    }
  }
}

/* Masters apart from the replicas change no bit: updates, means and teachers bring all that forwards read. */
static void check_masters(const struct ad_trainer_settings *s) {
  struct lesson l[2];
  for (int apart = 0; apart < 2; apart++) {
    struct ad_step step;
    assert_int_equal(lesson_open_as(&l[apart], &small_model, s, apart), AD_OK);
    while (ad_trainer_done(l[apart].trainer) < ad_trainer_total(l[apart].trainer)) {
      assert_int_equal(ad_trainer_step(l[apart].trainer, &step), AD_OK);
    }
  }
  assert_true(ad_trainer_state(l[0].trainer).chain == ad_trainer_state(l[1].trainer).chain);
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    const struct ad_replica *thetas[2];
    size_t count[2];
    for (int apart = 0; apart < 2; apart++) {
      assert_int_equal(ad_trainer_variant(l[apart].trainer, v, &thetas[apart], &count[apart]), AD_OK);
    }
    assert_int_equal(count[0], count[1]);
    for (size_t k = 0; k < count[0]; k++) {
      assert_memory_equal(thetas[0][k].values, thetas[1][k].values, l[0].f.params.count * sizeof(float));
    }
  }
  lesson_close(&l[0]);
  lesson_close(&l[1]);
}

static void test_masters(void **state) {
  (void)state;
  for (enum ad_teacher_method m = 0; m < AD_TEACHER_METHOD_COUNT; m++) {
    for (int lag = 0; lag < 2; lag++) {
      struct ad_trainer_settings s = taught(m, 3);
      s.steps = 7;
      s.teacher.lag = lag;
      s.teacher.means = 1;
      check_masters(&s);
    }
  }
}

static int run(const char *name) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_student),   cmocka_unit_test(test_settings),
                                     cmocka_unit_test(test_weightless),    cmocka_unit_test(test_refusals),
                                     cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_memory),
                                     cmocka_unit_test(test_masters)};
  return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
