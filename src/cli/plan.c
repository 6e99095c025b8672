/* autodidact train --plan: what a training will need. */
#include "plan.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* The parts of the memory, for people and in JSON. */
#define MEMORY_MAP(X)                          \
  X(program, "program and data")               \
  X(parameters, "parameters (replicas)")       \
  X(moments, "optimizer's moments")            \
  X(past, "teacher's window and ring")         \
  X(gradient, "gradient and exchange")         \
  X(activations, "activations, largest batch") \
  X(evaluation, "evaluations")                 \
  X(snapshots, "snapshots")

/* --- For people. */

const char *plan_bytes(double bytes, char text[32]) {
  static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  for (; bytes >= 1000.0 && unit + 1 < sizeof units / sizeof *units; unit++) {
    bytes /= 1000.0;
  }
  snprintf(text, 32, unit == 0 ? "%.0f %s" : "%.2f %s", bytes, units[unit]);
  return text;
}

/* "2 h 03 min" into text [48]; returns text. */
static const char *print_time(double seconds, char text[48]) {
  const uint64_t whole = (uint64_t)fmin(fmax(seconds, 0.0), 1e15);
  if (seconds < 120.0) {
    snprintf(text, 48, "%.3g s", seconds);
  } else if (whole < 7200) {
    snprintf(text, 48, "%" PRIu64 " min %02d s", whole / 60, (int)(whole % 60));
  } else {
    snprintf(text, 48, "%" PRIu64 " h %02d min", whole / 3600, (int)(whole / 60 % 60));
  }
  return text;
}

static void show_memory(const struct ad_training_plan *p) {
  char text[32], node[32];
  const double peak = ad_memory_plan_peak(&p->memory);
  const uint32_t each = (p->ranks + p->nodes - 1) / p->nodes;
  printf("memory     %s a rank at most, %s a node of %u rank%s\n", plan_bytes(peak, text),
         plan_bytes(peak * each, node), each, each == 1 ? "" : "s");
#define SHOW(field, title) printf("  %-28s %12s\n", title, plan_bytes(p->memory.field, text));
  MEMORY_MAP(SHOW)
#undef SHOW
  printf("  %-28s %12s\n", "while the model is read", plan_bytes(p->memory.loading, text));
}

static void show_disk(const struct ad_training_plan *p) {
  const struct ad_disk_plan *d = &p->disk;
  char one[32], all[32];
  printf("disk       checkpoints %s each, %" PRIu64 " at once at most: %s\n", plan_bytes((double)d->checkpoint, one),
         d->kept, plan_bytes((double)d->checkpoint * (double)d->kept, all));
  printf("  %-28s %12s\n", "result and variants", plan_bytes((double)d->result, one));
  printf("  %-28s %12s\n", "logits of evaluations", plan_bytes((double)d->logits, one));
  printf("  %-28s %12s\n", "snapshots", plan_bytes((double)d->snapshots, one));
  if (d->ring > 0) {
    printf("  %-28s %12s\n", "teacher's ring, each rank", plan_bytes((double)d->ring, one));
  }
}

static void show(const struct ad_training_plan *p) {
  char text[48];
  printf("ranks      %u on %u node%s\n", p->ranks, p->nodes, p->nodes == 1 ? "" : "s");
  printf("model      %.4g M parameters, %" PRIu64 " %s\n", 1e-6 * (double)p->parameters, p->classes, p->outputs);
  printf("data       %" PRIu64 " training examples, %" PRIu64 " dev examples\n", p->train, p->dev);
  printf("steps      %" PRIu64 ", %" PRIu64 " an epoch; %" PRIu64 " evaluation%s\n", p->steps, p->steps_an_epoch,
         p->evaluations, p->evaluations == 1 ? "" : "s");
  show_memory(p);
  show_disk(p);
  if (p->tried == 0) {
    printf("time       not tried: --ranks plans for ranks that are not there\n");
    return;
  }
  printf("time       %s a step (%" PRIu64 " tried), ", print_time(p->step, text), p->tried);
  printf("%s an evaluation\n", print_time(p->evaluation, text));
  printf("  about %s in all, without checkpoints and snapshots\n", print_time(p->whole, text));
}

/* --- As JSON. */

static json_t *seconds_of(double seconds) {
  return isnan(seconds) ? json_null() : json_real(seconds);
}

json_t *plan_json(const struct ad_training_plan *p) {
  json_t *memory = json_object();
#define PUT(field, title) json_object_set_new(memory, #field, json_integer((json_int_t)p->memory.field));
  MEMORY_MAP(PUT)
#undef PUT
  json_object_set_new(memory, "loading", json_integer((json_int_t)p->memory.loading));
  json_object_set_new(memory, "peak", json_integer((json_int_t)ad_memory_plan_peak(&p->memory)));
  json_t *disk =
      json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "checkpoint", (json_int_t)p->disk.checkpoint, "checkpoints_at_once",
                (json_int_t)p->disk.kept, "result", (json_int_t)p->disk.result, "logits", (json_int_t)p->disk.logits,
                "snapshots", (json_int_t)p->disk.snapshots, "ring", (json_int_t)p->disk.ring);
  json_t *seconds = json_pack("{s:I, s:o, s:o, s:o}", "steps_tried", (json_int_t)p->tried, "step", seconds_of(p->step),
                              "evaluation", seconds_of(p->evaluation), "whole", seconds_of(p->whole));
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "ranks", (json_int_t)p->ranks,
                   "nodes", (json_int_t)p->nodes, "parameters", (json_int_t)p->parameters, "classes",
                   (json_int_t)p->classes, "train", (json_int_t)p->train, "dev", (json_int_t)p->dev, "steps",
                   (json_int_t)p->steps, "steps_an_epoch", (json_int_t)p->steps_an_epoch, "evaluations",
                   (json_int_t)p->evaluations, "memory", memory, "disk", disk, "seconds", seconds);
}

int plan_print_json(json_t *value) {
  struct ad_buffer text = {0};
  int status = value == NULL ? ad_fail_memory(4096, "the plan")
                             : ad_json_print(value, JSON_INDENT(2) | JSON_REAL_PRECISION(6), &text);
  if (status == AD_OK) {
    puts(text.data);
  }
  ad_buffer_destroy(&text);
  json_decref(value);
  return status;
}

/* --- The command. */

int plan_training(const struct ad_math *math, const struct plan_options *o, const struct ad_training_frame *frame,
                  size_t count, char *const *words) {
  enum { MOST = 65536 };
  struct ad_training *t;
  struct ad_training_plan plan;
  uint64_t ranks = 0, nodes = 1;
  AD_TRY(arguments_number("ranks", o->ranks, 1, &ranks));
  AD_TRY(arguments_number("nodes", o->nodes, 1, &nodes));
  if (ranks > MOST || nodes > MOST || (o->nodes != NULL && o->ranks == NULL)) {
    return ad_fail(AD_ECONFIG, "train: --nodes goes with --ranks, each up to %d", MOST);
  }
  int status = ad_training_create(&t, math, frame);
  status = status == AD_OK ? ad_training_configure(t, count, words) : status;
  status = status == AD_OK ? ad_training_plan(t, (uint32_t)ranks, (uint32_t)nodes, &plan) : status;
  if (status == AD_OK) {
    status = o->json ? plan_print_json(plan_json(&plan)) : (show(&plan), AD_OK);
  }
  const int closed = ad_training_close(t, status != AD_OK);
  return status == AD_OK ? closed : status;
}
