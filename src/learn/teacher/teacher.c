#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "method.h"

static const struct teacher_method *const methods[AD_TEACHER_METHOD_COUNT] = {
#define AD_METHOD_ROW(ID, name, ...) [AD_TEACHER_##ID] = &ad_teacher_##name,
    AD_TEACHER_METHODS(AD_METHOD_ROW)
#undef AD_METHOD_ROW
};

static const struct teacher_method *method_of(const struct ad_teacher_settings *settings) {
  return methods[settings->method];
}

static int has_teacher(const struct teacher_method *method) {
  return method->enter != NULL || method->keep != NULL;
}

size_t ad_teacher_models(const struct ad_teacher_settings *settings) {
  const struct teacher_method *m = method_of(settings);
  return m->members != NULL ? m->members(settings) : (size_t)has_teacher(m);
}

int ad_teacher_averages_logits(const struct ad_teacher_settings *settings) {
  return method_of(settings)->members != NULL;
}

size_t ad_teacher_copies(const struct ad_teacher_settings *settings) {
  const size_t copies = method_of(settings)->copies;
  return copies > 0 ? copies : 1;
}

double ad_teacher_passes(const struct ad_teacher_settings *settings) {
  return 3.0 * (double)ad_teacher_copies(settings) + (double)ad_teacher_models(settings);
}

int ad_teacher_has_distance(const struct ad_teacher_settings *settings) {
  return method_of(settings)->distance != NULL;
}

void ad_teacher_distance(const struct ad_teacher_settings *settings, const struct ad_task *task,
                         const struct ad_kernels *kernels, size_t examples, size_t C, const float *logits,
                         const float *target, float scale, float *distance, float *dlogits) {
  method_of(settings)->distance(task, kernels, examples, C, logits, target, scale, distance, dlogits);
}

void ad_teacher_squared_error(const struct ad_task *task, const struct ad_kernels *kernels, size_t examples, size_t C,
                              const float *logits, const float *target, float scale, float *distance, float *dlogits) {
  (void)task;
  kernels->squared_error(examples, C, logits, target, scale, distance, dlogits);
}

void ad_teacher_replicas(const struct ad_teacher_settings *settings, size_t *teacher, size_t *mean, size_t *past) {
  const struct teacher_method *m = method_of(settings);
  *teacher = m->enter != NULL;
  *mean = ad_teacher_has(settings, AD_VARIANT_RUN);
  *past = m->keep != NULL ? ad_teacher_models(settings) : 0;
}

int ad_teacher_has(const struct ad_teacher_settings *settings, enum ad_variant variant) {
  const struct teacher_method *m = method_of(settings);
  return variant == AD_VARIANT_TEACHER ? has_teacher(m) : variant == AD_VARIANT_STUDENT || settings->means || m->means;
}

static int needs_window(const struct ad_teacher_settings *s) {
  const struct teacher_method *m = method_of(s);
  return ad_teacher_has(s, AD_VARIANT_WINDOW) || (m->windowed != NULL && m->windowed(s));
}

int ad_teacher_keeps_students(const struct ad_teacher_settings *settings) {
  return has_teacher(method_of(settings)) || ad_teacher_has(settings, AD_VARIANT_RUN);
}

uint64_t ad_teacher_slots(const struct ad_teacher_settings *settings, uint64_t T) {
  const uint64_t ever = settings->every > 0 ? T / settings->every + 1 : 0;
  return settings->window < ever ? settings->window : ever;
}

size_t ad_teacher_bytes(const struct ad_teacher_settings *settings, size_t shard_floats, uint64_t T) {
  size_t bytes = 0;
  if (needs_window(settings)) {
    const uint64_t slots = settings->window == 0 ? 0 : ad_teacher_slots(settings, T);
    /* A window of one slot has no sum; one with a single student so far has. */
    bytes += ad_window_bytes(shard_floats, slots, settings->ring_folder != NULL) +
             (slots == 1 && settings->window > 1 ? shard_floats * sizeof(int64_t) : 0);
  }
  return bytes + (ad_teacher_has(settings, AD_VARIANT_RUN) ? ad_window_bytes(shard_floats, 0, 0) : 0);
}

double ad_teacher_weight(const struct ad_teacher_settings *settings, uint64_t t, uint64_t T) {
  const uint64_t step = t + 1, start = settings->start > 0 ? settings->start : 1;
  const double span = ceil(settings->ramp * (double)T);
  if (step < start) {
    return 0.0;
  }
  const double risen = (double)(step - start + 1);
  return risen < span ? settings->weight * (risen / span) : settings->weight;
}

/* Calls visit for the shard's pieces in order. */
static int each_piece(struct ad_teacher *t,
                      int (*visit)(struct ad_teacher *t, size_t flat, size_t local, size_t length)) {
  const struct ad_shard *s = t->shard;
  for (uint32_t b = 0; b < s->params->buckets; b++) {
    for (size_t flat = s->begin[b]; flat < s->end[b]; flat += AD_WINDOW_PIECE) {
      const size_t left = s->end[b] - flat;
      AD_TRY(visit(t, flat, s->local[b] + (flat - s->begin[b]), left < AD_WINDOW_PIECE ? left : AD_WINDOW_PIECE));
    }
  }
  return AD_OK;
}

static const float *student_at(const struct ad_teacher *t, size_t flat, size_t local) {
  return ad_weights_master(&t->replicas.student, flat, local);
}

/* The replica follows a piece of the master that was made, unless that failed. */
static int follow(const struct ad_weights *weights, size_t flat, size_t length, const float *made, int status) {
  if (status == AD_OK) {
    ad_replica_write(weights, flat, length, made);
  }
  return status;
}

static int enter_teacher(struct ad_teacher *t, size_t flat, size_t local, size_t length) {
  float *teacher = ad_weights_master(&t->replicas.teacher, flat, local);
  return follow(&t->replicas.teacher, flat, length, teacher,
                t->method->enter(t, local, length, student_at(t, flat, local), teacher));
}

static int enter_window(struct ad_teacher *t, size_t flat, size_t local, size_t length) {
  return ad_window_enter(&t->window, local, length, student_at(t, flat, local), NULL);
}

/* The teacher's count and its members after a student has entered. */
static void count_student(struct ad_teacher *t) {
  t->entered++;
  t->members[0] = ad_weights_replica(&t->replicas.teacher);
  for (size_t k = 0; k < t->past; k++) {
    t->members[k] = ad_weights_replica(&t->replicas.past[(t->newest + t->past - k) % t->past]);
  }
}

/* The window that is only evaluated takes each student as soon as it exists. */
static int window_is_apart(const struct ad_teacher *t) {
  return t->has_window && t->method->windowed == NULL;
}

/* The vectors that have changed, to all replicas. */
static int publish(const struct ad_teacher *t, size_t count, const struct ad_weights *vectors) {
  return ad_exchange_publish(t->exchange, t->shard->params, count, vectors);
}

/* Where theta_0 is in from the start. */
static int begin_run(struct ad_teacher *t) {
  if (window_is_apart(t)) {
    AD_TRY(each_piece(t, enter_window));
    ad_window_entered(&t->window);
  }
  if (t->settings.lag != 0 || !has_teacher(t->method)) {
    return AD_OK;
  }
  if (t->method->keep != NULL) {
    AD_TRY(t->method->keep(t));
    count_student(t);
    return AD_OK;
  }
  AD_TRY(each_piece(t, enter_teacher));
  if (t->has_window && !window_is_apart(t)) {
    ad_window_entered(&t->window);
  }
  count_student(t);
  return publish(t, 1, &t->replicas.teacher);
}

static int check(const struct ad_teacher_settings *s) {
  if (s->every == 0) {
    return ad_fail(AD_ECONFIG, "teacher.every is 0, expected at least 1");
  }
  return method_of(s)->check == NULL ? AD_OK : method_of(s)->check(s);
}

int ad_teacher_create(struct ad_teacher **teacher, const struct ad_teacher_settings *settings,
                      const struct ad_kernels *kernels, const struct ad_shard *shard,
                      const struct ad_replicas *replicas, uint64_t steps, const struct ad_exchange *exchange) {
  *teacher = NULL;
  AD_TRY(check(settings));
  struct ad_teacher *t = ad_calloc(1, sizeof *t);
  if (t == NULL) {
    return ad_fail_memory(sizeof *t, "the teacher");
  }
  size_t teacher_count, mean_count;
  *t = (struct ad_teacher){.settings = *settings,
                           .method = method_of(settings),
                           .kernels = kernels,
                           .shard = shard,
                           .replicas = *replicas,
                           .exchange = exchange,
                           .window.file = -1,
                           .run.file = -1};
  ad_teacher_replicas(settings, &teacher_count, &mean_count, &t->past);
  const size_t members = t->past > 0 ? t->past : 1;
  /* Students that ever enter: theta_0 to theta_T. */
  const uint64_t most = steps / settings->every + 1;
  t->newest = members - 1;
  t->members = ad_calloc(members, sizeof *t->members);
  int status = AD_OK;
  if (t->members == NULL) {
    status = ad_fail_memory(members * sizeof *t->members, "the teacher");
  }
  if (status == AD_OK && needs_window(settings)) {
    status = ad_window_create(&t->window, kernels, shard->count, settings->window, most, settings->ring_folder);
    t->has_window = status == AD_OK;
  }
  if (status == AD_OK && ad_teacher_has(settings, AD_VARIANT_RUN)) {
    status = ad_window_create(&t->run, kernels, shard->count, 0, steps, NULL);
    t->has_run = status == AD_OK;
  }
  if (status == AD_OK) {
    status = begin_run(t);
  }
  if (status != AD_OK) {
    ad_teacher_destroy(t);
    return status;
  }
  *teacher = t;
  return AD_OK;
}

void ad_teacher_destroy(struct ad_teacher *teacher) {
  if (teacher == NULL) {
    return;
  }
  ad_window_destroy(&teacher->window);
  ad_window_destroy(&teacher->run);
  ad_free(teacher->members);
  ad_free(teacher);
}

size_t ad_teacher_members(const struct ad_teacher *teacher, const struct ad_replica **thetas) {
  const size_t most = ad_teacher_models(&teacher->settings);
  *thetas = teacher->members;
  return (size_t)(teacher->entered < most ? teacher->entered : most);
}

const struct ad_masks *ad_teacher_masks(const struct ad_teacher *teacher, const struct ad_masks *student, size_t k,
                                        struct ad_masks *masks) {
  enum { TEACHER_PASS = 2, KEY_SHIFT = 53 }; /* seeds have 53 bits, keys 64 */
  if (teacher->settings.dropout == AD_DROPOUT_OFF) {
    return NULL;
  }
  *masks = *student;
  if (teacher->settings.dropout == AD_DROPOUT_ON) {
    masks->pass = TEACHER_PASS;
    masks->seed += (uint64_t)k << KEY_SHIFT;
  }
  return masks;
}

int ad_teacher_begin(struct ad_teacher *teacher, uint64_t t) {
  const struct ad_teacher_settings *s = &teacher->settings;
  teacher->done = t;
  teacher->enters[0] = has_teacher(teacher->method) && s->lag != 0 && t % s->every == 0;
  teacher->enters[1] = has_teacher(teacher->method) && s->lag == 0 && (t + 1) % s->every == 0;
  teacher->window_enters = window_is_apart(teacher) && (t + 1) % s->every == 0;
  return teacher->enters[0] && teacher->method->keep != NULL ? teacher->method->keep(teacher) : AD_OK;
}

/* A failing piece is told with the tensor that it begins in. */
static int name_place(const struct ad_teacher *teacher, size_t flat, int status) {
  const struct ad_params *params = teacher->shard->params;
  for (size_t i = 0; status != AD_OK && i < params->tensor_count; i++) {
    const struct ad_tensor *tensor = &params->tensors[i];
    if (flat >= tensor->offset && flat < tensor->offset + tensor->count) {
      return ad_fail_prefix(status, "step %" PRIu64 ", %s", teacher->done + 1, tensor->name);
    }
  }
  return status;
}

int ad_teacher_before(struct ad_teacher *teacher, size_t flat, size_t local, size_t length) {
  const int due = teacher->enters[0] && teacher->method->enter != NULL;
  return due ? name_place(teacher, flat, enter_teacher(teacher, flat, local, length)) : AD_OK;
}

int ad_teacher_after(struct ad_teacher *teacher, size_t flat, size_t local, size_t length) {
  int status = AD_OK;
  if (teacher->enters[1] && teacher->method->enter != NULL) {
    status = enter_teacher(teacher, flat, local, length);
  }
  if (status == AD_OK && teacher->window_enters) {
    status = enter_window(teacher, flat, local, length);
  }
  if (status == AD_OK && teacher->has_run) {
    status = ad_window_enter(&teacher->run, local, length, student_at(teacher, flat, local), NULL);
  }
  return name_place(teacher, flat, status);
}

int ad_teacher_end(struct ad_teacher *teacher) {
  const int entered = teacher->enters[0] || teacher->enters[1], kept = teacher->method->keep != NULL;
  teacher->done++;
  if (teacher->window_enters || (teacher->has_window && !window_is_apart(teacher) && entered)) {
    ad_window_entered(&teacher->window);
  }
  if (teacher->has_run) {
    ad_window_entered(&teacher->run);
  }
  /* One that is kept whole with lag 0 is taken once it is published. */
  if (entered && !(kept && teacher->enters[1])) {
    count_student(teacher);
  }
  return entered && !kept;
}

int ad_teacher_published(struct ad_teacher *teacher) {
  if (teacher->method->keep == NULL || !teacher->enters[1]) {
    return AD_OK;
  }
  AD_TRY(teacher->method->keep(teacher));
  count_student(teacher);
  return AD_OK;
}

static int mean_of_window(struct ad_teacher *t, size_t flat, size_t local, size_t length) {
  float *mean = ad_weights_master(&t->replicas.mean, flat, local);
  /* The teacher's window has not seen the present student yet. */
  const int with = !window_is_apart(t) && t->settings.lag != 0 && t->done % t->settings.every == 0;
  const int status =
      with ? name_place(t, flat, ad_window_mean_with(&t->window, local, length, student_at(t, flat, local), mean))
           : ad_window_mean(&t->window, local, length, mean);
  return follow(&t->replicas.mean, flat, length, mean, status);
}

static int mean_of_run(struct ad_teacher *t, size_t flat, size_t local, size_t length) {
  float *mean = ad_weights_master(&t->replicas.mean, flat, local);
  return follow(&t->replicas.mean, flat, length, mean, ad_window_mean(&t->run, local, length, mean));
}

int ad_teacher_mean(struct ad_teacher *teacher, enum ad_variant variant) {
  struct ad_teacher *t = teacher;
  if (!t->has_run || (variant != AD_VARIANT_WINDOW && variant != AD_VARIANT_RUN)) {
    return ad_fail(AD_EINTERNAL, "no mean of this kind is kept");
  }
  AD_TRY(each_piece(t, variant == AD_VARIANT_WINDOW ? mean_of_window : mean_of_run));
  return publish(t, 1, &t->replicas.mean);
}

/* Which of its vectors are state: those that no other tells. */
enum kept { KEPT_TEACHER, KEPT_WINDOW_SUM, KEPT_WINDOW_RING, KEPT_RUN_SUM, KEPT_PAST, KEPT };

static size_t list_kept(const struct ad_teacher *t, enum kept list[KEPT]) {
  size_t count = 0;
  const int told = t->has_window && !window_is_apart(t); /* by the window */
  if (t->method->enter != NULL && !told) {
    list[count++] = KEPT_TEACHER;
  }
  if (t->has_window && t->window.sum != NULL) {
    list[count++] = KEPT_WINDOW_SUM;
  }
  if (t->has_window && t->window.size > 0) {
    list[count++] = KEPT_WINDOW_RING;
  }
  if (t->has_run) {
    list[count++] = KEPT_RUN_SUM;
  }
  if (t->past > 0) {
    list[count++] = KEPT_PAST;
  }
  return count;
}

size_t ad_teacher_vectors(const struct ad_teacher *teacher, struct ad_state_vector *vectors) {
  static const char *const names[KEPT] = {"teacher", "window_sum", "window_ring", "run_sum", "past"};
  enum kept list[KEPT];
  const size_t count = list_kept(teacher, list);
  for (size_t i = 0; i < count; i++) {
    const int wide = list[i] == KEPT_WINDOW_SUM || list[i] == KEPT_RUN_SUM;
    const int many = list[i] == KEPT_WINDOW_RING || list[i] == KEPT_PAST;
    const uint64_t entered = list[i] == KEPT_PAST ? teacher->entered : teacher->window.count;
    const size_t slots = list[i] == KEPT_PAST ? teacher->past : many ? teacher->settings.window : 1;
    vectors[i] = (struct ad_state_vector){names[list[i]], wide ? 8 : 4, slots,
                                          many && entered < slots ? (size_t)entered : slots};
  }
  return count;
}

struct ad_teacher_state ad_teacher_state(const struct ad_teacher *teacher) {
  return (struct ad_teacher_state){.entered = teacher->entered,
                                   .newest = teacher->newest,
                                   .window_count = teacher->has_window ? teacher->window.count : 0,
                                   .run_count = teacher->has_run ? teacher->run.count : 0};
}

void *ad_teacher_place(const struct ad_teacher *teacher, size_t vector, size_t slot, size_t flat, size_t local) {
  const struct ad_teacher *t = teacher;
  enum kept list[KEPT];
  list_kept(t, list);
  switch (list[vector]) {
    case KEPT_TEACHER:
      return ad_weights_master(&t->replicas.teacher, flat, local);
    case KEPT_WINDOW_SUM:
      return t->window.sum + local;
    case KEPT_WINDOW_RING:
      return ad_window_place(&t->window, slot, local);
    case KEPT_RUN_SUM:
      return t->run.sum + local;
    case KEPT_PAST:
      return t->replicas.past[slot].values + flat;
    case KEPT:
      break;
  }
  return NULL;
}

int ad_teacher_read(const struct ad_teacher *teacher, size_t vector, size_t slot, size_t flat, size_t local,
                    size_t count, void *values) {
  struct ad_state_vector vectors[AD_STATE_VECTORS];
  const void *place = ad_teacher_place(teacher, vector, slot, flat, local);
  if (place == NULL) {
    return ad_window_read(&teacher->window, slot, local, count, values);
  }
  ad_teacher_vectors(teacher, vectors);
  memcpy(values, place, count * vectors[vector].bytes);
  return AD_OK;
}

int ad_teacher_write(struct ad_teacher *teacher, size_t vector, size_t slot, size_t flat, size_t local, size_t count,
                     const void *values) {
  struct ad_state_vector vectors[AD_STATE_VECTORS];
  void *place = ad_teacher_place(teacher, vector, slot, flat, local);
  if (place == NULL) {
    return ad_window_write(&teacher->window, slot, local, count, values);
  }
  ad_teacher_vectors(teacher, vectors);
  memcpy(place, values, count * vectors[vector].bytes);
  return AD_OK;
}

static int teacher_from_window(struct ad_teacher *t, size_t flat, size_t local, size_t length) {
  float *teacher = ad_weights_master(&t->replicas.teacher, flat, local);
  return follow(&t->replicas.teacher, flat, length, teacher, ad_window_mean(&t->window, local, length, teacher));
}

int ad_teacher_restore(struct ad_teacher *teacher, const struct ad_teacher_state *state, uint64_t done) {
  struct ad_teacher *t = teacher;
  t->done = done;
  t->newest = state->newest;
  if (t->has_window) {
    ad_window_restore(&t->window, state->window_count);
  }
  if (t->has_run) {
    ad_window_restore(&t->run, state->run_count);
  }
  if (t->has_window && !window_is_apart(t) && state->entered > 0) {
    AD_TRY(each_piece(t, teacher_from_window));
  }
  t->entered = state->entered;
  if (t->entered > 0 && has_teacher(t->method)) {
    t->entered--;
    count_student(t);
  }
  if (t->past > 0) {
    return publish(t, t->past, t->replicas.past);
  }
  if (t->replicas.teacher.values == NULL) {
    return AD_OK;
  }
  ad_replica_refresh(&t->replicas.teacher, t->shard);
  return publish(t, 1, &t->replicas.teacher);
}

int ad_teacher_verify(const struct ad_teacher *teacher) {
  return teacher->has_window ? ad_window_verify(&teacher->window) : AD_OK;
}
