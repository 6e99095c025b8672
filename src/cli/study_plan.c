/* autodidact study plan: what the cells of each arm will need. */
#include <inttypes.h>
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "plan.h"
#include "study.h"

/* The plan of an arm, of any of its cells: seeds change nothing of it. */
static int plan_arm(const struct ad_math *math, const struct ad_study *s, size_t arm, uint32_t nodes,
                    struct ad_training_plan *plan) {
  const struct ad_training_frame frame = {.quiet = 1};
  struct ad_config config;
  struct ad_training *t;
  size_t cell = 0;
  while (s->cells[cell].arm != arm) {
    cell++;
  }
  AD_TRY(ad_study_config(s, &s->cells[cell], &config));
  int status = ad_training_create(&t, math, &frame);
  if (status == AD_OK) {
    ad_training_set_config(t, &config, s->path);
    status = ad_training_plan(t, (uint32_t)s->ranks_per_trial, nodes, plan);
  } else {
    ad_config_destroy(&config);
  }
  const int closed = ad_training_close(t, status != AD_OK);
  return status == AD_OK ? closed : status;
}

static size_t cells_of(const struct ad_study *s, size_t arm) {
  size_t count = 0;
  for (size_t i = 0; i < s->count; i++) {
    count += s->cells[i].arm == arm;
  }
  return count;
}

static void show(const struct ad_study *s, const struct ad_training_plan *plans, double peak) {
  char text[32];
  printf("%6s %8s %14s %14s  %s\n", "cells", "steps", "memory a rank", "result", "arm");
  for (size_t a = 0; a < s->arm_count; a++) {
    const struct ad_training_plan *p = &plans[a];
    printf("%6zu %8" PRIu64 " %14s ", cells_of(s, a), p->steps, plan_bytes(ad_memory_plan_peak(&p->memory), text));
    printf("%14s  %s\n", plan_bytes((double)p->disk.result, text), ad_shown(s->arms[a].name));
  }
  printf("\nmemory: %s a rank at most, with %" PRIu64 " rank%s a training\n", plan_bytes(peak, text),
         s->ranks_per_trial, s->ranks_per_trial == 1 ? "" : "s");
}

static int print_json(const struct ad_study *s, const struct ad_training_plan *plans, double peak) {
  json_t *arms = json_array(), *memory = json_pack("{s:I}", "peak", (json_int_t)peak);
  for (size_t a = 0; a < s->arm_count; a++) {
    json_t *plan = plan_json(&plans[a]);
    json_object_set_new(plan, "arm", json_string(s->arms[a].name));
    json_object_set_new(plan, "cells", json_integer((json_int_t)cells_of(s, a)));
    json_array_append_new(arms, plan);
  }
  return plan_print_json(json_pack("{s:o, s:o}", "memory", memory, "arms", arms));
}

static int plan_study(const struct ad_math *math, const char *path, uint32_t nodes, int json) {
  struct ad_study study = {0};
  struct ad_training_plan *plans = NULL;
  double peak = 0.0;
  int status = ad_study_read(&study, path);
  if (status == AD_OK) {
    plans = ad_calloc(study.arm_count, sizeof *plans);
    status = plans == NULL ? ad_fail_memory(study.arm_count * sizeof *plans, "the plans") : AD_OK;
  }
  for (size_t a = 0; status == AD_OK && a < study.arm_count; a++) {
    status = plan_arm(math, &study, a, nodes, &plans[a]);
    const double most = ad_memory_plan_peak(&plans[a].memory);
    peak = most > peak ? most : peak;
  }
  if (status == AD_OK && json) {
    status = print_json(&study, plans, peak);
  } else if (status == AD_OK) {
    show(&study, plans, peak);
  }
  ad_free(plans);
  ad_study_destroy(&study);
  return status;
}

int study_command_plan(const struct ad_math *math, int argc, char **argv) {
  int json = 0, help;
  const char *text = NULL;
  size_t count;
  uint64_t nodes = 1;
  const struct argument options[] = {
      {"json", NULL, "One JSON object, in place of the table", &json, NULL},
      {"nodes", "N", "Nodes over which the ranks of a training lie (default 1)", NULL, &text}};
  const struct arguments arguments = {
      "study plan",
      "STUDY.yaml",
      "Prints memory, steps and bytes that a training of each arm will need on study.ranks_per_trial ranks, as train "
      "--plan --ranks does. Reads data and models once for each arm, tries nothing and writes nothing.",
      options,
      sizeof options / sizeof *options,
      1,
      1};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  AD_TRY(arguments_number("nodes", text, 1, &nodes));
  return plan_study(math, argv[1], nodes > UINT32_MAX ? UINT32_MAX : (uint32_t)nodes, json);
}
