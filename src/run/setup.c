/* What a training needs before its first step: data, model, the other ranks, trainer, run folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/build.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "training_internal.h"

static struct ad_trainer_settings settings_of(const struct ad_config *c) {
  return (struct ad_trainer_settings){.batch = c->batch_size,
                                      .lanes = c->batch_lanes,
                                      .rounds = c->batch_rounds,
                                      .epochs = c->train_epochs,
                                      .steps = c->train_steps,
                                      .seed_order = c->seed_order,
                                      .seed_dropout = c->seed_dropout,
                                      .temperature = c->data_temperature,
                                      .schedule = c->optim_schedule,
                                      .warmup = c->optim_warmup,
                                      .optimizer = {.lr = c->optim_lr,
                                                    .head_lr = c->optim_head_lr > 0.0 ? c->optim_head_lr : c->optim_lr,
                                                    .layer_decay = c->optim_layer_decay,
                                                    .beta1 = c->optim_beta1,
                                                    .beta2 = c->optim_beta2,
                                                    .eps = c->optim_eps,
                                                    .decay = c->optim_decay,
                                                    .clip = c->optim_clip,
                                                    .bias_correction = c->optim_bias_correction},
                                      .teacher = ad_session_teacher(c)};
}

static int read_data(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  if (t->session.descriptor.path == NULL) { /* verify has one */
    AD_TRY(ad_session_load_descriptor(&t->session));
    ad_session_tell_detected(&t->session);
    AD_TRY(ad_session_hold_out(&t->session));
  }
  AD_TRY(ad_session_load_tokenizer(&t->session, NULL));
  AD_TRY(ad_session_read(&t->session, AD_SPLIT_TRAIN, ad_split_file(c, AD_SPLIT_TRAIN), 1, &t->data.train));
  t->data.has_dev = ad_descriptor_has(&t->session.descriptor, AD_SPLIT_DEV) || ad_split_file(c, AD_SPLIT_DEV) != NULL;
  if (t->data.has_dev) {
    return ad_session_read(&t->session, AD_SPLIT_DEV, ad_split_file(c, AD_SPLIT_DEV), 1, &t->data.dev);
  }
  ad_log(AD_LOG_WARNING,
         "%s has no dev split: nothing is evaluated during training (data.dev or data.hold_out give one)",
         t->session.descriptor.name);
  return AD_OK;
}

int ad__connect(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  /* An unsharded update writes all parameters on every rank: each needs its own. */
  AD_TRY(ad_comm_create_among(&t->ranks.comm, t->frame.ranks, c->comm_shared && c->optim_shard));
  t->ranks.first = ad_comm_rank(t->ranks.comm) == 0;
  t->ranks.node_first = ad_comm_node_first(t->ranks.comm);
  return ad__describe_hosts(t);
}

int ad__load_data(struct ad_training *t) {
  /* One rank of a node fills the cache, the others map what it has made. It comes to the wait with a failure too. */
  const int cached = t->session.config.data_cache[0] != '\0';
  if (cached && !t->ranks.node_first) {
    ad_comm_wait(t->ranks.comm);
  }
  const int status = read_data(t);
  if (cached && t->ranks.node_first) {
    ad_comm_wait(t->ranks.comm);
  }
  t->data.majority = ad_majority_share(ad_dataset_labels(&t->data.dev), t->session.descriptor.class_count, NULL);
  return ad_comm_settle(t->ranks.comm, status);
}

int ad__check_configuration(struct ad_training *t) {
  struct ad_buffer text = {0};
  int status = ad_config_print(&t->session.config, &text);
  for (char *line = text.data; status == AD_OK && line != NULL && *line != '\0';) {
    char *end = strchr(line, '\n');
    *end = '\0';
    status = ad_comm_same(t->ranks.comm, "the configuration", line);
    line = end + 1;
  }
  ad_buffer_destroy(&text);
  return status;
}

/* And the same inputs, code and kernels. */
static int check_ranks(struct ad_training *t) {
  char digest[17];
  const struct ad_session *s = &t->session;
  ad_digest_text(ad_digest(s->theta, s->params.count * sizeof *s->theta), t->vectors.initial);
  AD_TRY(ad_comm_same(t->ranks.comm, "the program", ad_build_commit()));
  AD_TRY(ad_comm_same(t->ranks.comm, "the arithmetic", ad_arithmetic(s->math)));
  AD_TRY(ad_comm_same(t->ranks.comm, "the descriptor's digest", ad_digest_text(s->descriptor.digest, digest)));
  AD_TRY(ad_comm_same(t->ranks.comm, "the training data's digest", ad_digest_text(t->data.train.digest, digest)));
  AD_TRY(ad_comm_same(t->ranks.comm, "the dev data's digest", ad_digest_text(t->data.dev.digest, digest)));
  return ad_comm_same(t->ranks.comm, "the initial parameters' digest", t->vectors.initial);
}

/* Settings that only together make no sense. */
static int check_result(const struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  const struct ad_teacher_settings *s = &t->settings.teacher;
  const enum ad_variant v = c->run_result;
  if (v == AD_VARIANT_TEACHER && ad_teacher_averages_logits(s)) {
    return ad_fail(AD_ECONFIG,
                   "run.result=teacher with a teacher.method whose teacher is several models: choose student, or with "
                   "eval.means=true window or run");
  }
  if (!ad_teacher_has(s, v)) {
    return ad_fail(AD_ECONFIG, "run.result=%s: this run has none; %s", ad_variant_name(v),
                   v == AD_VARIANT_TEACHER ? "these values of teacher.method make one:" AD_METHODS_WITH_SINGLE
                                           : "eval.means=true keeps the means, and so do these values of "
                                             "teacher.method:" AD_METHODS_WITH_MEANS);
  }
  return AD_OK;
}

/* teacher.ring=disk: the folder for the ring. */
static int find_ring_folder(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  const char *folder = c->teacher_ring_folder;
  if (folder[0] == '\0') {
    folder = getenv("TMPDIR");
  }
  t->ring_folder = ad_strdup(folder == NULL || folder[0] == '\0' ? "/tmp" : folder);
  t->settings.teacher.ring_folder = t->ring_folder;
  return t->ring_folder == NULL ? ad_fail_memory(256, "a path") : AD_OK;
}

/* The products of train.precision. */
static int choose_precision(struct ad_training *t) {
  struct ad_session *s = &t->session;
  if (s->config.train_precision == AD_PRECISION_FLOAT32) {
    return AD_OK;
  }
  AD_TRY(ad_math_bfloat16(&t->bfloat16, s->math));
  s->math = &t->bfloat16;
  return AD_OK;
}

/* Ranks of a node share packed weights, so these have one form. */
static void agree_on_panels(const struct ad_training *t) {
  const struct ad_math *math = t->session.math;
  if (math->bf16 != NULL) {
    const uint64_t form = ad_bf16_panel_form(math->bf16), most = ad_comm_largest(t->ranks.comm, form);
    if (ad_comm_largest(t->ranks.comm, most - form) != 0) {
      ad_bf16_common_panels(math->bf16);
    }
  }
}

/* Memory for the whole vectors, one set a node: the student's, which s->theta is, and `others` more, and for what is
 * packed of them. *next: the others. AD_ENOMEM, AD_EIO. */
static int make_vectors(struct ad_training *t, size_t others, float **student, float **next, ad_bf16 **packed) {
  struct ad_session *s = &t->session;
  const size_t P = s->params.count, stride = ad_whole_lines(P), of_others = others * stride * sizeof(float);
  const size_t elements = (1 + others) * ad_weights_packed(s->math, &s->params);
  agree_on_panels(t);
  if (ad_comm_node_size(t->ranks.comm) > 1) {
    /* The first rank of the node holds them; the others have read their copy for nothing but the check before. */
    const size_t bytes = stride * sizeof(float) + of_others + elements * sizeof(ad_bf16);
    AD_TRY(ad_shared_create(&t->vectors.shared, t->ranks.comm, t->ranks.node_first ? bytes : 0));
    *student = (float *)(void *)t->vectors.shared.part[0];
    if (t->ranks.node_first) {
      memcpy(*student, s->theta, P * sizeof **student);
    }
    ad_shared_wait(&t->vectors.shared, t->ranks.comm);
    ad_free(s->theta);
    s->theta = NULL;
    *next = *student + stride;
    *packed = (ad_bf16 *)(void *)(*next + others * stride);
    return AD_OK;
  }
  *student = s->theta;
  *next = t->vectors.own = ad_malloc(others * stride, sizeof(float));
  if (t->vectors.own == NULL) {
    return ad_fail_memory(of_others, "the teacher's parameters");
  }
  *packed = t->vectors.packed = ad_malloc(elements, sizeof(ad_bf16));
  return *packed == NULL ? ad_fail_memory(elements * sizeof(ad_bf16), "the packed parameters") : AD_OK;
}

static int make_replicas(struct ad_training *t) {
  const struct ad_session *s = &t->session;
  struct ad_replicas *r = &t->vectors.replicas;
  const size_t stride = ad_whole_lines(s->params.count), width = ad_weights_packed(s->math, &s->params);
  size_t teacher, mean, past;
  ad_teacher_replicas(&t->settings.teacher, &teacher, &mean, &past);
  float *student, *next;
  ad_bf16 *packed;
  AD_TRY(make_vectors(t, teacher + mean + past, &student, &next, &packed));
  r->student = ad_weights_of(s->math, student, packed, 1);
  packed += width;
  r->teacher = ad_weights_of(s->math, teacher > 0 ? next : NULL, packed, 0);
  r->mean = ad_weights_of(s->math, mean > 0 ? next + teacher * stride : NULL, packed + teacher * width, 0);
  r->past = ad_calloc(past, sizeof *r->past);
  for (size_t k = 0; r->past != NULL && k < past; k++) {
    const size_t n = teacher + mean + k;
    r->past[k] = ad_weights_of(s->math, next + n * stride, packed + n * width, 0);
  }
  return r->past == NULL ? ad_fail_memory(past * sizeof *r->past, "the past students") : AD_OK;
}

static int connect_ranks(struct ad_training *t) {
  const struct ad_session *s = &t->session;
  const struct ad_config *c = &s->config;
  size_t floats;
  if (ad_comm_size(t->ranks.comm) == 1) {
    return AD_OK;
  }
  AD_TRY(ad_trainer_bucket_floats(&s->params, &t->data.train, c->batch_size, &floats));
  return ad_mpi_exchange_create(&t->ranks.exchange, t->ranks.comm, s->math->kernels, &s->params, c->batch_lanes, floats,
                                !c->optim_shard, c->comm_reduction);
}

/* Memory for evaluations of hidden tokens. */
static int prepare_sums(struct ad_training *t) {
  const size_t N = t->data.dev.count;
  ad_evaluator_hide(t->evaluation.evaluator, &t->evaluation.hiding);
  t->evaluation.row_sums = ad_malloc(N, sizeof *t->evaluation.row_sums);
  return t->evaluation.row_sums == NULL ? ad_fail_memory(N * sizeof *t->evaluation.row_sums, "the losses of dev")
                                        : AD_OK;
}

/* And of logits. */
static int prepare_logits(struct ad_training *t) {
  const size_t n = t->data.dev.count * t->session.params.config.classes;
  const int averaged = ad_teacher_models(&t->settings.teacher) > 1;
  t->evaluation.logits = ad_malloc(n, sizeof *t->evaluation.logits);
  t->evaluation.member = averaged ? ad_malloc(n, sizeof *t->evaluation.member) : NULL;
  t->evaluation.sum = averaged ? ad_malloc(n, sizeof *t->evaluation.sum) : NULL;
  if (t->evaluation.logits == NULL || (averaged && (t->evaluation.member == NULL || t->evaluation.sum == NULL))) {
    return ad_fail_memory(n * 16, "the logits of dev");
  }
  return AD_OK;
}

/* Memory for evaluations on dev. */
static int prepare_evaluation(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  const size_t P = t->session.params.count;
  AD_TRY(ad_evaluator_create(&t->evaluation.evaluator, t->session.math, &t->session.params, c->eval_batch));
  ad_evaluator_read_frozen(t->evaluation.evaluator, ad_weights_replica(&t->vectors.replicas.student));
  AD_TRY(ad__hides(t) ? prepare_sums(t) : prepare_logits(t));
  if (c->run_select == AD_SELECT_BEST && t->ranks.first) {
    t->vectors.best = ad_malloc(P, sizeof *t->vectors.best);
    if (t->vectors.best == NULL) {
      return ad_fail_memory(P * sizeof *t->vectors.best, "the best parameters");
    }
  }
  return AD_OK;
}

int ad__prepare(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  t->settings = settings_of(c);
  AD_TRY(ad__choose_metric(t));
  AD_TRY(ad__choose_loss(t));
  AD_TRY(ad__choose_hiding(t));
  AD_TRY(check_result(t));
  AD_TRY(c->teacher_ring == AD_RING_DISK ? find_ring_folder(t) : AD_OK);
  AD_TRY(ad_comm_settle(t->ranks.comm, choose_precision(t)));
  AD_TRY(ad_comm_settle(t->ranks.comm, ad_session_load_base(&t->session)));
  AD_TRY(check_ranks(t));
  AD_TRY(ad_params_freeze_named(&t->session.params, c->model_freeze));
  /* The row self-check makes the BLAS library take its buffers, which belong to the program. */
  AD_TRY(ad_encoder_alignment(t->session.math, &t->session.params));
  /* Reading data and model took more than training will. */
  ad_memory_trim();
  const size_t resident = ad__resident(), theta = t->session.params.count * sizeof(float);
  t->memory.base = resident > theta ? resident - theta : 0;
  AD_TRY(ad_comm_settle(t->ranks.comm, make_replicas(t)));
  AD_TRY(ad_comm_settle(t->ranks.comm, connect_ranks(t)));
  AD_TRY(ad_comm_settle(t->ranks.comm, ad__imagine_exchange(t)));
  const struct ad_exchange *exchange = t->imagined.size > 1        ? &t->imagined.table
                                       : t->ranks.exchange != NULL ? ad_mpi_exchange_table(t->ranks.exchange)
                                                                   : NULL;
  AD_TRY(ad_trainer_create(&t->trainer, t->session.math, &t->session.params, &t->vectors.replicas, &t->data.train,
                           &t->settings, exchange));
  AD_TRY(t->evaluation.wanted ? prepare_evaluation(t) : AD_OK);
  t->progress.steps_an_epoch = ad_trainer_epoch_steps(t->trainer);
  AD_TRY(ad__plan_snapshots(t));
  return ad__predict_memory(t);
}
