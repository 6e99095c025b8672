/* plan.json: what the cells on disk were made from, so that a study file cannot quietly become another one.
 *
 *   {"format": "autodidact study", "version": 1, "bases": [{key: value}],
 *    "arms": [{"name", "base", "settings", "inputs"}], "analysis": {key: text, "digest"}}
 *
 * Arms that the study file no longer has stay in it. The analysis is the one that the study file had when the first
 * cell was begun. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "study_internal.h"

static const char FORMAT[] = "autodidact study";

/* The plan on disk, ready to be asked. root NULL: there is none. */
struct plan {
  json_t *root, *arms;      /* arms: by name */
  json_t *base;             /* of the study as it is now, as a plan has it */
  size_t number;            /* of the base in the plan that is equal to that; their count where none is */
  int has_records;          /* they were read */
  struct ad_buffer records; /* all that records/ says of cells: it stays where run folders are deleted */
};

static char *plan_path(const struct ad_study *study) {
  return ad_path_join(study->dir, "plan.json");
}

static json_t *pack_base(const struct ad_study *study) {
  json_t *base = json_object();
  struct ad_buffer text = {0};
  for (size_t i = 0; base != NULL && ad_config_key(i) != NULL; i++) {
    const char *key = ad_config_key(i);
    ad_buffer_clear(&text);
    if (ad_config_identity(key) == AD_IDENTITY_NONE) {
      continue;
    }
    if (ad_config_get(&study->base, key, &text) != AD_OK ||
        json_object_set_new(base, key, json_string(text.size == 0 ? "" : text.data)) != 0) {
      json_decref(base);
      base = NULL;
    }
  }
  ad_buffer_destroy(&text);
  return base;
}

static json_t *pack_settings(const struct ad_study_arm *arm) {
  json_t *settings = json_object();
  for (size_t i = 0; i < arm->count; i++) {
    json_object_set_new(settings, arm->settings[i].key, json_string(arm->settings[i].value));
  }
  return settings;
}

static int read_root(const char *path, struct plan *plan) {
  AD_TRY(ad_json_read(&plan->root, path));
  const char *format = json_string_value(json_object_get(plan->root, "format"));
  return format != NULL && strcmp(format, FORMAT) == 0 &&
                 json_integer_value(json_object_get(plan->root, "version")) == 1
             ? AD_OK
             : ad_fail(AD_EINPUT, "%s: expected the plan of a study, version 1, found something else", path);
}

static void close_plan(struct plan *plan) {
  json_decref(plan->root);
  json_decref(plan->arms);
  json_decref(plan->base);
  ad_buffer_destroy(&plan->records);
}

/* Close it also after a failure. */
static int open_plan(const struct ad_study *study, struct plan *plan) {
  *plan = (struct plan){.arms = json_object(), .base = pack_base(study)};
  char *path = plan_path(study);
  int status =
      path == NULL || plan->arms == NULL || plan->base == NULL ? ad_fail_memory(4096, "the plan of a study") : AD_OK;
  if (status == AD_OK && ad_is_file(path)) {
    status = read_root(path, plan);
  }
  ad_free(path);
  const json_t *arms = json_object_get(plan->root, "arms"), *bases = json_object_get(plan->root, "bases");
  for (size_t i = 0; status == AD_OK && i < json_array_size(arms); i++) {
    json_t *arm = json_array_get(arms, i);
    const char *name = json_string_value(json_object_get(arm, "name"));
    json_object_set(plan->arms, name == NULL ? "" : name, arm);
  }
  while (plan->number < json_array_size(bases) && !json_equal(json_array_get(bases, plan->number), plan->base)) {
    plan->number++;
  }
  return status;
}

/* The value that an arm of the plan has for a key; NULL: the key was not known then, and nothing stands for that. */
static const char *planned_value(const struct plan *plan, const json_t *arm, const char *key) {
  const char *own = json_string_value(json_object_get(json_object_get(arm, "settings"), key));
  const json_t *bases = json_object_get(plan->root, "bases");
  const json_t *base = json_array_get(bases, (size_t)json_integer_value(json_object_get(arm, "base")));
  const char *value = own != NULL ? own : json_string_value(json_object_get(base, key));
  return value != NULL ? value : ad_config_younger(key);
}

static const char *planned_inputs(const json_t *arm) {
  const char *text = json_string_value(json_object_get(arm, "inputs"));
  return text == NULL ? "" : text;
}

/* A key that could differ between two plans of one arm: seeds only make other cells. */
static int is_compared(const char *key) {
  return ad_config_identity(key) == AD_IDENTITY_VALUE && ad_config_role(key) != AD_ROLE_SEED;
}

/* What differs between an arm and the plan's of that name, as text; empty where nothing does. */
static int compare_arm(const struct ad_study *study, const struct ad_study_arm *arm, const struct plan *plan,
                       const json_t *planned, struct ad_buffer *text) {
  static const char *const names[] = {"descriptor", "training data", "dev data", "base model"};
  struct ad_buffer base = {0};
  int status = AD_OK;
  json_t *settings = pack_settings(arm);
  const int same = json_integer_value(json_object_get(planned, "base")) == (json_int_t)plan->number &&
                   json_equal(settings, json_object_get(planned, "settings"));
  json_decref(settings);
  for (size_t i = 0; !same && status == AD_OK && ad_config_key(i) != NULL; i++) {
    const char *key = ad_config_key(i), *is = ad__study_arm_value(arm, key), *was = planned_value(plan, planned, key);
    if (!is_compared(key)) {
      continue;
    }
    ad_buffer_clear(&base);
    status = ad_config_get(&study->base, key, &base);
    is = is != NULL ? is : base.size == 0 ? "" : base.data;
    if (status == AD_OK && (was == NULL || strcmp(is, was) != 0)) {
      status = ad_buffer_printf(text, "%s%s %s, now it is %s", text->size == 0 ? "" : "; ", key,
                                was == NULL ? "unknown" : was, is);
    }
  }
  ad_buffer_destroy(&base);
  const char *was = planned_inputs(planned);
  if (status == AD_OK && arm->inputs != 0 && strlen(was) == strlen(arm->input_text)) {
    for (size_t i = 0; status == AD_OK && i < 4; i++) {
      if (strncmp(was + 17 * i, arm->input_text + 17 * i, 16) != 0) {
        status = ad_buffer_printf(text, "%s%s %.16s, now it is %.16s", text->size == 0 ? "" : "; ", names[i],
                                  was + 17 * i, arm->input_text + 17 * i);
      }
    }
  }
  return status;
}

/* The digest of inputs that a plan's text stands for; 0 where it has none. */
static uint64_t inputs_digest(const char *text) {
  uint64_t digest = 0;
  if (strlen(text) != 67) {
    return 0;
  }
  for (size_t i = 0; i < 4; i++) {
    digest = ad_digest_pair(digest, strtoull(text + 17 * i, NULL, 16));
  }
  return digest + (digest == 0);
}

static int add_record_file(void *text, const char *folder, const char *name) {
  char *path = ad_path_join(folder, name);
  const int status =
      path == NULL ? ad_fail_memory(strlen(folder) + strlen(name) + 2, "a path") : ad_file_read(path, text);
  ad_free(path);
  return status;
}

/* All files of records/ behind each other, once. */
static int read_records(const struct ad_study *study, struct plan *plan) {
  if (plan->has_records) {
    return AD_OK;
  }
  plan->has_records = 1;
  /* What is in the folder's place is told where the folder is made. */
  return ad_is_folder(study->dir) ? ad__study_each_record_file(study, add_record_file, &plan->records) : AD_OK;
}

/* 1: the records name the cell. */
static int is_recorded(const struct ad_buffer *records, uint64_t id) {
  char text[32];
  const int length = snprintf(text, sizeof text, "\"cell\":\"%016llx\"", (unsigned long long)id);
  return records->size > 0 && memmem(records->data, records->size, text, (size_t)length) != NULL;
}

/* Whether a cell of the planned arm was begun: it has a run folder or a record. */
static int was_begun(const struct ad_study *study, const struct ad_study_arm *arm, struct plan *plan,
                     const json_t *planned, int *begun) {
  uint64_t digest = 0;
  const uint64_t inputs = inputs_digest(planned_inputs(planned));
  *begun = 0;
  AD_TRY(read_records(study, plan));
  for (size_t i = 0; ad_config_key(i) != NULL; i++) {
    const char *key = ad_config_key(i), *value = planned_value(plan, planned, key);
    const int axis = ad_study_find_axis(study, key);
    if (ad_config_identity(key) == AD_IDENTITY_VALUE && value != NULL && !(axis >= 0 && study->axes[axis].seed)) {
      digest += ad__study_key_digest(key, value);
    }
  }
  for (size_t i = 0; i < study->count && !*begun; i++) {
    struct ad_study_cell cell = study->cells[i];
    if (&study->arms[cell.arm] == arm) {
      AD_TRY(ad__study_cell_id(study, &cell, digest, inputs, &cell.id));
      char *folder = ad_study_folder(study, &cell);
      if (folder == NULL) {
        return ad_fail_memory(strlen(study->dir) + 32, "a path");
      }
      *begun = ad_is_folder(folder) || is_recorded(&plan->records, cell.id);
      ad_free(folder);
    }
  }
  return AD_OK;
}

static int check_arm(const struct ad_study *study, const struct ad_study_arm *arm, struct plan *plan) {
  const json_t *planned = json_object_get(plan->arms, arm->name);
  struct ad_buffer text = {0};
  int begun = 0;
  if (planned == NULL) {
    return AD_OK;
  }
  int status = compare_arm(study, arm, plan, planned, &text);
  if (status == AD_OK && text.size > 0) {
    status = was_begun(study, arm, plan, planned, &begun);
  }
  if (begun) {
    status = ad_fail(AD_ECONFIG,
                     "%s: the arm '%s' was begun in %s with %s: take the change back, give the arm another name, or "
                     "choose another study.dir",
                     study->path, arm->name, study->dir, text.data);
  }
  ad_buffer_destroy(&text);
  return status;
}

static json_t *pack_arm(const struct ad_study_arm *arm, size_t base) {
  return json_pack("{s:s, s:I, s:o, s:s}", "name", arm->name, "base", (json_int_t)base, "settings", pack_settings(arm),
                   "inputs", arm->input_text);
}

/* 1: a cell was begun. */
static int is_begun(const struct ad_study *study, struct plan *plan, int *begun) {
  char *runs = ad_path_join(study->dir, "runs");
  if (runs == NULL) {
    return ad_fail_memory(strlen(study->dir) + 8, "a path");
  }
  *begun = ad_is_folder(runs);
  ad_free(runs);
  if (!*begun) {
    AD_TRY(read_records(study, plan));
    *begun = plan->records.size > 0;
  }
  return AD_OK;
}

/* The plan with this study's arms in place of those of their names; NULL: out of memory. begun: the analysis stays. */
static json_t *merge(const struct ad_study *study, const struct plan *plan, int begun) {
  json_t *bases = json_deep_copy(json_object_get(plan->root, "bases")), *arms = json_array(), *names = json_object();
  bases = bases == NULL ? json_array() : bases;
  if (plan->number == json_array_size(bases)) {
    json_array_append(bases, plan->base);
  }
  for (size_t i = 0; i < study->arm_count; i++) {
    json_array_append_new(arms, pack_arm(&study->arms[i], plan->number));
    json_object_set_new(names, study->arms[i].name, json_true());
  }
  const json_t *old = json_object_get(plan->root, "arms");
  for (size_t i = 0; i < json_array_size(old); i++) {
    const char *name = json_string_value(json_object_get(json_array_get(old, i), "name"));
    if (name != NULL && json_object_get(names, name) == NULL) {
      json_array_append(arms, json_array_get(old, i));
    }
  }
  json_decref(names);
  json_t *analysis = NULL;
  if (begun) {
    analysis = json_incref(json_object_get(plan->root, "analysis"));
  } else if (study->analysis.present) {
    analysis = ad__study_pack_analysis(study);
  }
  return json_pack("{s:s, s:i, s:s, s:o, s:o, s:o*}", "format", FORMAT, "version", 1, "name", study->name, "bases",
                   bases, "arms", arms, "analysis", analysis);
}

/* Under a name of this process first: several jobs may begin at once. */
static int write_plan(const struct ad_study *study, const json_t *plan) {
  char name[300], host[200] = "";
  gethostname(host, sizeof host - 1);
  snprintf(name, sizeof name, "plan.json.%s.%ld", host, (long)getpid());
  char *text = json_dumps(plan, JSON_INDENT(1)), *own = ad_path_join(study->dir, name), *path = plan_path(study);
  int status = text == NULL || own == NULL || path == NULL ? ad_fail_memory(4096, "the plan of a study") : AD_OK;
  status = status == AD_OK ? ad_make_folders(study->dir) : status;
  status = status == AD_OK ? ad_file_write(own, text, strlen(text)) : status;
  status = status == AD_OK ? ad_file_rename(own, path) : status;
  free(text);
  ad_free(own);
  ad_free(path);
  return status;
}

int ad_study_commit(struct ad_study *study) {
  struct plan plan;
  int status = open_plan(study, &plan);
  for (size_t i = 0; status == AD_OK && plan.root != NULL && i < study->arm_count; i++) {
    status = check_arm(study, &study->arms[i], &plan);
  }
  int begun = 0;
  status = status == AD_OK ? is_begun(study, &plan, &begun) : status;
  json_t *merged = status == AD_OK ? merge(study, &plan, begun) : NULL;
  if (status == AD_OK && merged == NULL) {
    status = ad_fail_memory(4096, "the plan of a study");
  }
  if (status == AD_OK && !json_equal(merged, plan.root)) {
    status = write_plan(study, merged);
  }
  json_decref(merged);
  close_plan(&plan);
  return status;
}

static int recall_arm(const struct ad_study *study, struct ad_study_arm *arm, const struct plan *plan) {
  const json_t *planned = json_object_get(plan->arms, arm->name);
  struct ad_buffer text = {0};
  if (planned == NULL) {
    return AD_OK;
  }
  const int status = compare_arm(study, arm, plan, planned, &text);
  if (status == AD_OK && text.size > 0) {
    ad_log(AD_LOG_WARNING, "%s: the arm '%s' was planned in %s with %s: what was run so far is not of this arm",
           study->path, arm->name, study->dir, text.data);
  } else if (status == AD_OK) {
    arm->inputs = inputs_digest(planned_inputs(planned));
    snprintf(arm->input_text, sizeof arm->input_text, "%s", planned_inputs(planned));
  }
  ad_buffer_destroy(&text);
  return status;
}

int ad_study_recall(struct ad_study *study) {
  struct plan plan;
  int status = open_plan(study, &plan);
  status = status == AD_OK ? ad__study_recall_analysis(study, json_object_get(plan.root, "analysis")) : status;
  for (size_t i = 0; status == AD_OK && i < study->arm_count; i++) {
    status = recall_arm(study, &study->arms[i], &plan);
  }
  for (size_t i = 0; status == AD_OK && i < study->count; i++) {
    struct ad_study_cell *cell = &study->cells[i];
    const struct ad_study_arm *arm = &study->arms[cell->arm];
    status = arm->inputs == 0 ? AD_OK : ad__study_cell_id(study, cell, arm->digest, arm->inputs, &cell->id);
  }
  close_plan(&plan);
  return status;
}
