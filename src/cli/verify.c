/* autodidact verify: a run compared with its own digests, and some of its steps trained again. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "autodidact/store/checkpoint.h"
#include "autodidact/store/verify.h"
#include "commands.h"
#include "run/training_internal.h"

struct verify {
  const char *run;
  uint64_t steps, from; /* of the replay; from UINT64_MAX: chosen here */
  struct ad_verification findings; /* rank 0 */
  struct ad_training training;
};

/* Numbers that rank 0 chooses for all. */
struct plan {
  uint64_t from, steps, count, checkpoints[64]; /* steps on the way that have a good checkpoint */
};

static int find_good(const struct ad_verification *v, uint64_t step) {
  char subject[64];
  snprintf(subject, sizeof subject, "checkpoints/step-%09" PRIu64 ".h5", step);
  for (size_t i = 0; i < v->count; i++) {
    if (strcmp(v->items[i].subject, subject) == 0) {
      return v->items[i].good;
    }
  }
  return 0;
}

/* From where: the newest good checkpoint behind which the log has so many steps, or else the start. */
static int choose(const struct verify *v, const uint64_t *steps, size_t count, struct plan *plan) {
  const uint64_t logged = v->findings.log.step_count;
  *plan = (struct plan){.from = v->from == UINT64_MAX ? 0 : v->from};
  for (size_t i = 0; i < count && v->from == UINT64_MAX && plan->from == 0; i++) {
    if (find_good(&v->findings, steps[i]) && steps[i] + v->steps <= logged) {
      plan->from = steps[i];
    }
  }
  if (v->from != UINT64_MAX && v->from > 0 && !find_good(&v->findings, v->from)) {
    return ad_fail(AD_ECONFIG, "--from %" PRIu64 ": %s has no good checkpoint of that step", v->from, v->run);
  }
  plan->steps = plan->from >= logged ? 0 : logged - plan->from < v->steps ? logged - plan->from : v->steps;
  if (plan->steps == 0) {
    return ad_fail(AD_EINPUT, "%s: log.jsonl has no step behind step %" PRIu64 " to compare with", v->run, plan->from);
  }
  for (size_t i = count; i > 0; i--) {
    const uint64_t step = steps[i - 1];
    if (step > plan->from && step <= plan->from + plan->steps && find_good(&v->findings, step) && plan->count < 64) {
      plan->checkpoints[plan->count++] = step;
    }
  }
  return AD_OK;
}

static int make_plan(const struct verify *v, struct plan *plan) {
  uint64_t *steps = NULL;
  size_t count = 0;
  const struct ad_training *t = &v->training;
  int status = t->first ? ad_checkpoint_list(v->run, &steps, &count) : AD_OK;
  status = status == AD_OK && t->first ? choose(v, steps, count, plan) : status;
  ad_free(steps);
  AD_TRY(ad_comm_settle(t->comm, status));
  return ad_comm_broadcast(t->comm, sizeof *plan, plan);
}

/* The run's configuration, but for what a replay leaves out: its folder is read and never written. */
static int configure(struct verify *v) {
  struct ad_training *t = &v->training;
  struct ad_config *c = &t->session.config;
  AD_TRY(ad_session_create(&t->session));
  AD_TRY(ad_run_config(v->run, c));
  static const char *const left_out[] = {"run.select=last", "snapshot.every=0", "snapshot.dense=0", "snapshot.growth=0",
                                         "snapshot.steps="};
  for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
    AD_TRY(ad_config_override(c, left_out[i]));
  }
  ad_free(c->run_dir);
  c->run_dir = ad_strdup(v->run);
  return c->run_dir == NULL ? ad_fail_memory(strlen(v->run) + 1, "a path") : AD_OK;
}

/* What the run was given, from where it lay: the configuration's paths may be those of another current folder. */
static int find_inputs(struct verify *v) {
  struct ad_session *s = &v->training.session;
  struct ad_config *c = &s->config;
  const struct ad_session_data_options where = {.optional = 1};
  static const char *const placed[] = {"data.train", "data.dev", "data.test"};
  AD_TRY(ad_session_open_data(s, v->run, &where));
  for (size_t i = 0; s->inputs.found && i < 3; i++) {
    AD_TRY(ad_config_set(c, v->run, placed[i], ""));
  }
  const char *model = s->inputs.model, *key = c->model_path[0] != '\0' ? "model.path" : "model.vocab";
  return model != NULL && access(model, F_OK) == 0 ? ad_config_set(c, v->run, key, model) : AD_OK;
}

/* As train does it, without a run folder and without evaluations. */
static int prepare(struct verify *v) {
  struct ad_training *t = &v->training;
  AD_TRY(ad__training_check_configuration(t));
  AD_TRY(find_inputs(v));
  AD_TRY(ad__training_load_data(t));
  const int has_dev = t->has_dev;
  t->has_dev = 0;
  const int status = ad__training_prepare(t);
  t->has_dev = has_dev;
  AD_TRY(status);
  return ad_comm_settle(t->comm, t->first ? ad__training_print_changes(t) : AD_OK);
}

/* Rank 0: whether the step's row is that of the log; a finding where it is not. */
static int compare_row(struct verify *v, const struct ad_step *step, int *equal) {
  char text[STEP_TEXT];
  const struct ad_run_log *log = &v->findings.log;
  const struct ad_log_step *row = ad_run_log_find(log, step->step);
  ad__training_step_text(&v->training, step, text);
  *equal = row != NULL && row->size == strlen(text) && memcmp(text, log->map.data + row->begin, row->size) == 0;
  return *equal ? AD_OK
                : ad_verification_add(&v->findings, 0, "replay", "step %" PRIu64 ": found %s, the log has %.*s",
                                      step->step, text, row == NULL ? 0 : (int)row->size,
                                      row == NULL ? "" : log->map.data + row->begin);
}

/* Trains the steps; *same: as far as it went everything was equal. */
static int replay(struct verify *v, const struct plan *plan, int *same) {
  struct ad_training *t = &v->training;
  struct ad_step step;
  size_t next = 0;
  *same = 1;
  AD_TRY(plan->from > 0 ? ad__training_load_step(t, plan->from) : AD_OK);
  for (uint64_t i = 0; i < plan->steps && *same; i++) {
    int equal = 1, status = ad_trainer_step(t->trainer, &step);
    if (status == AD_EDIVERGED) {
      equal = 0;
      status = t->first ? ad_verification_add(&v->findings, 0, "replay", "step %" PRIu64 ": %s, the log has a row of it",
                                              plan->from + i + 1, ad_error_message())
                        : AD_OK;
    } else if (status == AD_OK && t->first) {
      status = compare_row(v, &step, &equal);
    }
    AD_TRY(ad_comm_settle(t->comm, status));
    *same = ad_comm_largest(t->comm, !equal) == 0;
    if (*same && next < plan->count && plan->checkpoints[next] == step.step) {
      next++;
      status = ad__training_compare_checkpoint(t, step.step);
      *same = status == AD_OK;
      if (status == AD_EINPUT && t->first) {
        status = ad_verification_add(&v->findings, 0, "replay", "after step %" PRIu64 ": %s", step.step,
                                     ad_error_message());
      }
      AD_TRY(status == AD_EINPUT ? AD_OK : status);
    }
  }
  return AD_OK;
}

static int replay_run(struct verify *v) {
  struct plan plan = {0};
  int same = 0;
  AD_TRY(make_plan(v, &plan));
  AD_TRY(prepare(v));
  AD_TRY(replay(v, &plan, &same));
  if (!same || !v->training.first) {
    return AD_OK;
  }
  char checkpoints[96] = "";
  if (plan.count > 0) {
    snprintf(checkpoints, sizeof checkpoints, "; all vectors as in the %" PRIu64 " checkpoint%s on the way", plan.count,
             plan.count == 1 ? "" : "s");
  }
  return ad_verification_add(&v->findings, 1, "replay",
                             "%" PRIu64 " steps behind step %" PRIu64 " on %u ranks: every row as in the log, to the bit%s",
                             plan.steps, plan.from, ad_comm_size(v->training.comm), checkpoints);
}

/* Prints findings from number `from` on. */
static void print_findings(const struct ad_verification *v, size_t from) {
  size_t width = 9;
  for (size_t i = 0; i < v->count; i++) {
    width = ad_text_widest(width, ad_shown(v->items[i].subject));
  }
  for (size_t i = from; i < v->count; i++) {
    const struct ad_finding *f = &v->items[i];
    const char *subject = ad_shown(f->subject);
    printf("  %-8s  %s%*s  %s\n", f->good ? "ok" : "WRONG", subject, ad_text_fill(subject, width), "",
           ad_shown(f->text));
  }
  ad_ignore(fflush(stdout));
}

/* The verdict on rank 0 decides on all. */
static int conclude(const struct verify *v) {
  const struct ad_verification *f = &v->findings;
  if (f->bad == 0) {
    printf("all %zu good\n", f->count);
    return AD_OK;
  }
  size_t first = 0;
  while (f->items[first].good) {
    first++;
  }
  printf("%zu of %zu wrong\n", f->bad, f->count);
  ad_ignore(fflush(stdout));
  return ad_fail(AD_EINPUT, "%s: %zu of %zu wrong, the first is %s: %.600s", v->run, f->bad, f->count,
                 f->items[first].subject, f->items[first].text);
}

static int verify(struct verify *v) {
  struct ad_training *t = &v->training;
  AD_TRY(configure(v));
  AD_TRY(ad_comm_create(&t->comm, t->session.config.comm_shared && t->session.config.optim_shard));
  t->first = ad_comm_rank(t->comm) == 0;
  t->replica_owner = ad_comm_node_first(t->comm);
  int status = t->first ? ad_verify_run(v->run, &v->findings) : AD_OK;
  AD_TRY(ad_comm_settle(t->comm, status));
  const size_t files = v->findings.count;
  if (t->first) {
    printf("%s: %s, %zu steps\n", ad_shown(v->run), v->findings.finished ? "a finished run" : "an unfinished run",
           v->findings.log.step_count);
    print_findings(&v->findings, 0);
  }
  if (v->steps > 0) {
    AD_TRY(replay_run(v));
    if (t->first) {
      print_findings(&v->findings, files);
    }
  }
  return ad_comm_settle(t->comm, t->first ? conclude(v) : AD_OK);
}

/* A whole number from an option; *value is untouched where it was not given. */
static int read_count(const char *option, const char *text, uint64_t least, uint64_t *value) {
  char *end;
  if (text == NULL) {
    return AD_OK;
  }
  errno = 0;
  const unsigned long long number = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < least || number > INT64_MAX) {
    return ad_fail(AD_ECONFIG, "--%s is '%s', expected a whole number from %" PRIu64, option, text, least);
  }
  *value = number;
  return AD_OK;
}

int ad_command_verify(int argc, char **argv) {
  const char *steps = NULL, *from = NULL;
  const struct argument options[] = {
      {"replay", "N", "Train N steps again, in memory, and compare each with the log to the bit", NULL, &steps},
      {"from", "STEP", "Begin the replay at the checkpoint of this step, 0: at the start (default: the newest that leaves N steps)", NULL, &from}};
  const struct arguments arguments = {
      "verify",
      "RUN",
      "Compares a run with itself: log.jsonl with its chain of digests; checkpoints with their digests, the window's sum "
      "with its ring; snapshots, logits, model/ and variants/ with theirs; and all of them with the log. Of a finished run "
      "each file must be there, and no other. Nothing is written. Works on any number of ranks.\v"
      "Exit code 0: everything is good. 1: something is wrong (each is told), or the input is bad. 2: failure of the "
      "machine.\n",
      options,
      sizeof options / sizeof *options,
      1,
      1};
  size_t count;
  int help;
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  struct verify v = {.run = argv[1], .from = UINT64_MAX, .training = {.dev_error = 0.0}};
  AD_TRY(read_count("replay", steps, 1, &v.steps));
  AD_TRY(read_count("from", from, 0, &v.from));
  if (from != NULL && steps == NULL) {
    return ad_fail(AD_ECONFIG, "--from goes with --replay");
  }
  const int status = verify(&v);
  ad_verification_destroy(&v.findings);
  ad_training_close(&v.training, status != AD_OK);
  return status;
}
