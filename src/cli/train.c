/* autodidact train: data, model, steps, evaluations, and the run folder that keeps them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/build.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/evaluate.h"
#include "autodidact/learn/trainer.h"
#include "autodidact/math/gemm.h"
#include "autodidact/mpi/evaluate.h"
#include "autodidact/mpi/exchange.h"
#include "autodidact/store/run.h"
#include "commands.h"
#include "scores.h"
#include "session.h"

enum { SCORES_TEXT = 512 };

/* One evaluation, for the closing table. */
struct row {
  uint64_t step;
  double epoch, error, loss;
};

struct training {
  struct session session;
  struct ad_dataset train, dev;
  int has_dev;
  struct ad_comm *comm;
  int replica_owner;                /* 1 on the first rank of a node */
  int first;                        /* 1 on rank 0, which alone keeps the run folder */
  struct ad_shared replica;         /* the node's parameters, where its ranks share them */
  float *theta;                     /* [P] what forwards read: the node's or this rank's own */
  char initial[17];                 /* digest of the parameters before the first step */
  struct ad_mpi_exchange *exchange; /* NULL on one rank */
  struct ad_trainer *trainer;
  struct ad_evaluator *evaluator;
  struct ad_run run;
  float *logits;     /* [N,C] of dev */
  float *best;       /* [P] with run.select = best */
  double best_error; /* of `best`; infinite before the first evaluation */
  uint64_t best_step;
  char best_scores[SCORES_TEXT]; /* of the parameters that the run keeps */
  double dev_error;              /* the last one; NaN before */
  void *rows;                    /* struct row [row_count] */
  size_t row_count, row_capacity;
  double seconds;  /* in steps */
  size_t examples; /* in steps */
};

static struct ad_trainer_settings settings_of(const struct ad_config *c) {
  return (struct ad_trainer_settings){.batch = c->batch_size,
                                      .lanes = c->batch_lanes,
                                      .rounds = c->batch_rounds,
                                      .epochs = c->train_epochs,
                                      .steps = c->train_steps,
                                      .seed_order = c->seed_order,
                                      .seed_dropout = c->seed_dropout,
                                      .schedule = (enum ad_schedule)c->optim_schedule,
                                      .warmup = c->optim_warmup,
                                      .optimizer = {.lr = c->optim_lr,
                                                    .head_lr = c->optim_head_lr > 0.0 ? c->optim_head_lr : c->optim_lr,
                                                    .layer_decay = c->optim_layer_decay,
                                                    .beta1 = c->optim_beta1,
                                                    .beta2 = c->optim_beta2,
                                                    .eps = c->optim_eps,
                                                    .decay = c->optim_decay,
                                                    .clip = c->optim_clip,
                                                    .bias_correction = c->optim_bias_correction}};
}

static const char *file_or_null(const char *file) {
  return file[0] == '\0' ? NULL : file;
}

static int load_data(struct training *t) {
  const struct ad_config *c = &t->session.config;
  AD_TRY(session_load_descriptor(&t->session));
  if (c->data_hold_out > 0) {
    AD_TRY(ad_descriptor_hold_out(&t->session.descriptor, c->data_hold_out, 0));
  }
  AD_TRY(session_load_tokenizer(&t->session, NULL));
  AD_TRY(session_read(&t->session, AD_TRAIN, file_or_null(c->data_train), 1, &t->train));
  t->has_dev = ad_descriptor_has(&t->session.descriptor, AD_DEV) || c->data_dev[0] != '\0';
  if (t->has_dev) {
    return session_read(&t->session, AD_DEV, file_or_null(c->data_dev), 1, &t->dev);
  }
  ad_log(AD_LOG_WARNING,
         "%s has no dev split: nothing is evaluated during training (data.dev or data.hold_out give one)",
         t->session.descriptor.name);
  return c->run_select == 1
             ? ad_fail(AD_ECONFIG, "run.select=best needs a dev split, %s has none", t->session.descriptor.name)
             : AD_OK;
}

/* All ranks must have the same configuration, before they wait for each other in ways that depend on it. */
static int check_configuration(struct training *t) {
  struct ad_buffer text = {0};
  int status = ad_config_print(&t->session.config, &text);
  for (char *line = text.data; status == AD_OK && line != NULL && *line != '\0';) {
    char *end = strchr(line, '\n');
    *end = '\0';
    status = ad_comm_same(t->comm, "the configuration", line);
    line = end + 1;
  }
  ad_buffer_destroy(&text);
  return status;
}

/* And the same inputs, code and kernels. */
static int check_ranks(struct training *t) {
  char digest[17];
  const struct session *s = &t->session;
  ad_digest_text(ad_digest(s->theta, s->params.count * sizeof *s->theta), t->initial);
  const struct ad_kernels *kernels = ad_kernels_select();
  if (kernels == NULL) {
    return AD_ECONFIG;
  }
  AD_TRY(ad_comm_same(t->comm, "the program", ad_build_commit()));
  AD_TRY(ad_comm_same(t->comm, "the kernel family", kernels->name));
  AD_TRY(ad_comm_same(t->comm, "the BLAS kernel family", ad_gemm_core()));
  AD_TRY(ad_comm_same(t->comm, "the training data's digest", ad_digest_text(t->train.digest, digest)));
  AD_TRY(ad_comm_same(t->comm, "the dev data's digest", ad_digest_text(t->dev.digest, digest)));
  return ad_comm_same(t->comm, "the initial parameters' digest", t->initial);
}

/* One replica of the parameters a node, and the exchange. */
static int connect_ranks(struct training *t) {
  struct session *s = &t->session;
  const struct ad_config *c = &s->config;
  const size_t P = s->params.count;
  size_t floats;
  t->theta = s->theta;
  if (ad_comm_size(t->comm) == 1) {
    return AD_OK;
  }
  if (ad_comm_node_size(t->comm) > 1) {
    /* The first rank of the node holds it; the others have read their copy for nothing but the check above. */
    AD_TRY(ad_shared_create(&t->replica, t->comm, t->replica_owner ? P * sizeof *t->theta : 0));
    t->theta = (float *)(void *)t->replica.part[0];
    if (t->replica_owner) {
      memcpy(t->theta, s->theta, P * sizeof *t->theta);
    }
    ad_shared_wait(&t->replica, t->comm);
    ad_free(s->theta);
    s->theta = NULL;
  }
  AD_TRY(ad_trainer_bucket_floats(&s->params, &t->train, c->batch_size, &floats));
  return ad_mpi_exchange_create(&t->exchange, t->comm, &s->params, c->batch_lanes, floats, !c->optim_shard,
                                (enum ad_reduction)c->comm_reduction);
}

static int prepare(struct training *t) {
  const struct ad_config *c = &t->session.config;
  const struct ad_trainer_settings settings = settings_of(c);
  AD_TRY(session_load_base(&t->session));
  AD_TRY(check_ranks(t));
  AD_TRY(connect_ranks(t));
  AD_TRY(ad_trainer_create(&t->trainer, &t->session.params, &(struct ad_replicas){.student = t->theta}, &t->train,
                           &settings, t->exchange == NULL ? NULL : ad_mpi_exchange_table(t->exchange)));
  if (!t->has_dev) {
    return AD_OK;
  }
  const size_t C = t->session.params.config.classes, P = t->session.params.count;
  AD_TRY(ad_evaluator_create(&t->evaluator, &t->session.params, c->eval_batch));
  t->logits = ad_malloc(t->dev.count * C, sizeof *t->logits);
  if (t->logits == NULL) {
    return ad_fail_memory(t->dev.count * C * sizeof *t->logits, "the logits of dev");
  }
  if (c->run_select == 1 && t->first) {
    t->best = ad_malloc(P, sizeof *t->best);
    if (t->best == NULL) {
      return ad_fail_memory(P * sizeof *t->best, "the best parameters");
    }
  }
  return AD_OK;
}

/* The run folder, and in its provenance what the bits depend on besides the configuration. */
static int open_run(struct training *t) {
  const struct session *s = &t->session;
  char train[17], dev[17] = "", ranks[64];
  if (!t->first) {
    return AD_OK;
  }
  snprintf(ranks, sizeof ranks, "%u on %u nodes", ad_comm_size(t->comm), ad_comm_nodes(t->comm));
  const struct ad_fact facts[] = {
      {"data_train", ad_digest_text(t->train.digest, train)},
      {"data_dev", t->has_dev ? ad_digest_text(t->dev.digest, dev) : dev},
      {"initial_parameters", t->initial},
      {"kernels", ad_kernels_select()->name},
      {"blas_core", ad_gemm_core()},
      {"blas", ad_gemm_config()},
      {"ranks", ranks},
      {"reduction",
       s->config.comm_reduction == AD_REDUCTION_ORDERED ? "ordered" : "native: outside the reproducibility contract"}};
  return ad_run_create(&t->run, &s->config, facts, sizeof facts / sizeof *facts);
}

static int keep_row(struct training *t, const struct ad_step *step, const struct scores *scores) {
  AD_TRY(ad_reserve(&t->rows, &t->row_capacity, t->row_count + 1, sizeof(struct row)));
  const double per_epoch = ceil((double)t->train.count / (double)t->session.config.batch_size);
  ((struct row *)t->rows)[t->row_count++] =
      (struct row){step->step, (double)step->step / per_epoch, scores->error, scores->loss};
  return AD_OK;
}

/* Keeps the scores of the parameters that the run will end with, and with run.select=best those parameters. */
static void select_parameters(struct training *t, const struct ad_step *step, const struct scores *scores) {
  if (t->best == NULL || scores->error < t->best_error) {
    t->best_error = scores->error;
    t->best_step = step->step;
    scores_json(scores, t->best_scores, sizeof t->best_scores);
    if (t->best != NULL) {
      memcpy(t->best, t->theta, t->session.params.count * sizeof *t->best);
    }
  }
}

static int evaluate(struct training *t, const struct ad_step *step) {
  const size_t C = t->session.params.config.classes;
  const double start = ad_clock();
  struct scores scores = {0};
  char text[SCORES_TEXT], name[64];
  AD_TRY(ad_mpi_evaluate(t->comm, t->evaluator, t->session.config.eval_batch, C, t->theta, &t->dev, 0, t->dev.count,
                         t->logits));
  if (!t->first) {
    return AD_OK;
  }
  int status = scores_create(&scores, &t->dev, C, t->logits);
  if (status == AD_OK) {
    status =
        ad_run_log(&t->run, "{\"eval\":\"dev\",\"model\":\"student\",\"step\":%" PRIu64 ",\"epoch\":%" PRIu64 ",%s}",
                   step->step, step->epoch, scores_json(&scores, text, sizeof text));
  }
  if (status == AD_OK) {
    status = ad_run_timing(&t->run, "{\"eval\":\"dev\",\"step\":%" PRIu64 ",\"seconds\":%.6f}", step->step,
                           ad_clock() - start);
  }
  if (status == AD_OK && t->session.config.eval_keep_logits) {
    snprintf(name, sizeof name, "dev-step-%08" PRIu64 ".h5", step->step);
    status = ad_run_keep_logits(&t->run, name, t->dev.count, C, t->logits, t->dev.label);
  }
  if (status == AD_OK) {
    t->dev_error = scores.error;
    select_parameters(t, step, &scores);
    status = keep_row(t, step, &scores);
  }
  scores_destroy(&scores);
  return status;
}

static void show_progress(const struct training *t, const struct ad_step *step) {
  const uint64_t total = ad_trainer_total(t->trainer);
  const double left = t->seconds / (double)step->step * (double)(total - step->step);
  char dev[32] = "", text[200];
  if (!isnan(t->dev_error)) {
    snprintf(dev, sizeof dev, "  dev error %.2f %%", 100.0 * t->dev_error);
  }
  snprintf(text, sizeof text,
           "step %" PRIu64 "/%" PRIu64 "  epoch %" PRIu64 "  loss %.4f  %.0f examples/s%s  ETA %d:%02d:%02d",
           step->step, total, step->epoch, step->loss, (double)t->examples / t->seconds, dev, (int)(left / 3600),
           (int)(left / 60) % 60, (int)left % 60);
  ad_progress(text, step->step == total);
}

static int log_step(struct training *t, const struct ad_step *step) {
  if (!t->first) {
    return AD_OK;
  }
  AD_TRY(ad_run_log(&t->run,
                    "{\"step\":%" PRIu64 ",\"epoch\":%" PRIu64
                    ",\"examples\":%zu,\"tokens\":%zu,\"loss\":%.17g,\"norm\":%.17g,\"factor\":%.17g,"
                    "\"parameters\":\"%016" PRIx64 "\",\"chain\":\"%016" PRIx64 "\"}",
                    step->step, step->epoch, step->examples, step->tokens, step->loss, step->norm, step->factor,
                    step->parameters, step->chain));
  return ad_run_timing(&t->run, "{\"step\":%" PRIu64 ",\"seconds\":%.6f}", step->step, step->seconds);
}

static int train_steps(struct training *t) {
  const uint64_t total = ad_trainer_total(t->trainer), every = t->session.config.eval_every;
  while (ad_trainer_done(t->trainer) < total) {
    struct ad_step step;
    AD_TRY(ad_trainer_step(t->trainer, &step));
    t->seconds += step.seconds;
    t->examples += step.examples;
    AD_TRY(log_step(t, &step));
    const int due = every > 0 ? step.step % every == 0 : step.epoch_end;
    if (t->has_dev && (due || step.step == total)) {
      AD_TRY(evaluate(t, &step));
    }
    show_progress(t, &step);
  }
  return AD_OK;
}

/* model/ and result.json: the latter last, it says that the run is complete. */
static int keep_result(struct training *t) {
  const struct session *s = &t->session;
  if (!t->first) {
    return AD_OK;
  }
  const float *theta = t->best != NULL ? t->best : t->theta;
  const uint64_t step = t->best != NULL ? t->best_step : ad_trainer_done(t->trainer);
  char *folder = ad_path_join(t->run.folder, "model");
  if (folder == NULL) {
    return ad_fail_memory(strlen(t->run.folder) + 8, "a path");
  }
  /* A run that was stopped between this and result.json has the folder already. */
  int status = ad_model_save(folder, 1, &s->params, theta, s->tokenizer, (const char *const *)s->descriptor.classes);
  ad_free(folder);
  AD_TRY(status);
  struct ad_buffer text = {0};
  char digest[17];
  status = ad_buffer_printf(&text, "{\"step\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"parameters\":\"%s\"%s%s%s}\n", step,
                            ad_trainer_done(t->trainer),
                            ad_digest_text(ad_digest(theta, s->params.count * sizeof *theta), digest),
                            t->has_dev ? ",\"dev\":{" : "", t->has_dev ? t->best_scores : "", t->has_dev ? "}" : "");
  if (status == AD_OK) {
    status = ad_run_write(&t->run, "result.json", text.data, text.size);
  }
  ad_buffer_destroy(&text);
  return status;
}

static void print_summary(const struct training *t) {
  const struct row *rows = t->rows;
  printf("%7s %8s %10s %9s\n", "epoch", "step", "dev error", "dev loss");
  for (size_t i = 0; i < t->row_count; i++) {
    printf("%7.2f %8" PRIu64 " %8.2f %% %9.4f\n", rows[i].epoch, rows[i].step, 100.0 * rows[i].error, rows[i].loss);
  }
  printf("\n%.0f examples/s in training; the run is in %s\n", (double)t->examples / t->seconds, t->run.folder);
}

static void close_training(struct training *t, int status) {
  /* To free these takes all ranks: after a failure the others may wait elsewhere, and the process ends anyway. */
  if (status == AD_OK || t->comm == NULL || ad_comm_size(t->comm) == 1) {
    ad_mpi_exchange_destroy(t->exchange);
    ad_shared_destroy(&t->replica);
    ad_comm_destroy(t->comm);
  }
  ad_evaluator_destroy(t->evaluator);
  ad_trainer_destroy(t->trainer);
  ad_dataset_destroy(&t->train);
  ad_dataset_destroy(&t->dev);
  ad_free(t->logits);
  ad_free(t->best);
  ad_free(t->rows);
  session_destroy(&t->session);
}

static int train(struct training *t, size_t count, char **positional) {
  AD_TRY(session_create(&t->session));
  AD_TRY(session_configure(&t->session, count, positional));
  /* An unsharded update writes all parameters on every rank: each needs its own. */
  AD_TRY(ad_comm_create(&t->comm, t->session.config.comm_shared && t->session.config.optim_shard));
  t->first = ad_comm_rank(t->comm) == 0;
  t->replica_owner = ad_comm_node_first(t->comm);
  AD_TRY(check_configuration(t));
  AD_TRY(load_data(t));
  AD_TRY(prepare(t));
  /* Reading data and model took more than training will. */
  ad_memory_trim();
  AD_TRY(open_run(t));
  ad_log(AD_LOG_INFO, "%zu training examples, %zu dev examples, %u classes, %.1f M parameters, %" PRIu64 " steps",
         t->train.count, t->has_dev ? t->dev.count : 0, t->session.params.config.classes,
         1e-6 * (double)t->session.params.count, ad_trainer_total(t->trainer));
  AD_TRY(train_steps(t));
  AD_TRY(keep_result(t));
  print_summary(t);
  return AD_OK;
}

static int print_keys(int markdown) {
  struct ad_buffer text = {0};
  const int status = ad_config_help(&text, markdown);
  if (status == AD_OK) {
    fputs(text.data, stdout);
  }
  ad_buffer_destroy(&text);
  return status;
}

int ad_command_train(int argc, char **argv) {
  int keys = 0, markdown = 0, help;
  size_t count;
  const struct argument options[] = {{"keys", NULL, "Print all configuration keys", &keys, NULL},
                                     {"keys-markdown", NULL, "Print them as docs/configuration.md", &markdown, NULL}};
  const struct arguments arguments = {"train",
                                      "CONFIG.yaml [key=value ...]",
                                      "Fine-tunes an encoder as CONFIG.yaml says; key=value arguments come on top. "
                                      "run.dir, data.descriptor and model.path "
                                      "(or model.vocab) must be set.",
                                      options,
                                      sizeof options / sizeof *options,
                                      0,
                                      SIZE_MAX};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  if (keys || markdown) {
    return print_keys(markdown);
  }
  if (count == 0) {
    return ad_fail(AD_ECONFIG,
                   "train: the configuration file is missing; usage: autodidact train CONFIG.yaml [key=value ...]");
  }
  struct training t = {.best_error = INFINITY, .dev_error = NAN};
  int status = train(&t, count, argv + 1);
  const int closed = ad_run_close(&t.run);
  close_training(&t, status);
  return status == AD_OK ? closed : status;
}
