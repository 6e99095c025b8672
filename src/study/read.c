/* The study file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "study_internal.h"

static const char *const study_keys[] = {"name",   "dir",  "ranks_per_trial", "result",
                                         "failed", "test", "lease",           "analysis"};
static const char *const sections[] = {"study", "base", "axes", "arms"};

#define LENGTH(list) (sizeof(list) / sizeof *(list))

/* Whether a word is a section of the configuration, as `optim`. */
static int is_section(const char *word) {
  for (size_t i = 0; ad_config_key(i) != NULL; i++) {
    if (strcspn(ad_config_key(i), ".") == strlen(word) && strncmp(ad_config_key(i), word, strlen(word)) == 0) {
      return 1;
    }
  }
  return 0;
}

/* An unknown key: a slip in one of the study's own, or one of the configuration in the wrong place. */
static int fail_key(const char *path, const char *prefix, const struct ad_yaml *at, const char *key,
                    const char *nearest) {
  static const char PLACE[] = "keys of the configuration stand below base, axes or arms";
  struct ad_buffer meant = {0};
  int status;
  if (is_section(key)) {
    return ad__study_fail(path, at, "unknown key '%s%s'; %s", prefix, key, PLACE);
  }
  if (3 * ad_edit_distance(nearest, key) <= strlen(key) + 3) {
    return ad__study_fail(path, at, "unknown key '%s%s'; the nearest one is '%s%s'", prefix, key, prefix, nearest);
  }
  status = ad_config_suggest(key, &meant);
  status =
      status == AD_OK ? ad__study_fail(path, at, "unknown key '%s%s'; %s: %s", prefix, key, PLACE, meant.data) : status;
  ad_buffer_destroy(&meant);
  return status;
}

int ad__study_check_keys(const char *path, const char *prefix, const struct ad_yaml *tree, const char *const *known,
                         size_t count) {
  if (tree->kind != AD_YAML_MAPPING) {
    return ad__study_fail(path, tree, "%sexpected keys and values", prefix);
  }
  for (size_t i = 0; i < tree->count; i++) {
    size_t nearest = 0;
    for (size_t k = 1; k < count; k++) {
      if (ad_edit_distance(known[k], tree->keys[i]) < ad_edit_distance(known[nearest], tree->keys[i])) {
        nearest = k;
      }
    }
    if (strcmp(known[nearest], tree->keys[i]) != 0) {
      return fail_key(path, prefix, tree->items[i], tree->keys[i], known[nearest]);
    }
  }
  return AD_OK;
}

static int set_text(char **field, const char *text) {
  ad_free(*field);
  *field = ad_strdup(text);
  return *field == NULL ? ad_fail_memory(strlen(text) + 1, "a text of the study") : AD_OK;
}

static int fail_result(const struct ad_study *s, const struct ad_yaml *at) {
  struct ad_buffer names = {0};
  char sources[AD_CHOICES_TEXT];
  int status = ad_buffer_puts(&names, ad_score_at(0)->name);
  for (size_t i = 1; status == AD_OK && ad_score_at(i) != NULL; i++) {
    status = ad_buffer_printf(&names, "%s%s", ad_score_at(i + 1) == NULL ? " or " : ", ", ad_score_at(i)->name);
  }
  if (status == AD_OK) {
    status = ad__study_fail(s->path, at, "study.result is '%s', expected %s, a dot, and %s", at->text,
                            ad_choices_text(AD_SOURCE_CHOICES, sources), names.data);
  }
  ad_buffer_destroy(&names);
  return status;
}

/* "dev.error": SOURCE.SCORE. */
static int read_result(struct ad_study *s, const struct ad_yaml *at) {
  const char *dot = strchr(at->text, '.');
  const struct ad_score *score = dot == NULL ? NULL : ad_score_find(dot + 1);
  for (enum ad_study_source source = 0; score != NULL && source < AD_SOURCES; source++) {
    const char *name = ad_study_source_name(source);
    if (strlen(name) == (size_t)(dot - at->text) && strncmp(name, at->text, strlen(name)) == 0) {
      s->source = source;
      s->score = score;
      return AD_OK;
    }
  }
  return fail_result(s, at);
}

static int read_number(const struct ad_study *s, const struct ad_yaml *at, const char *key, double lowest,
                       double highest, int whole, double *number) {
  char *end;
  const double value = strtod(at->text, &end);
  if (end == at->text || *end != '\0' || !(value >= lowest && value <= highest) ||
      (whole && value != (double)(uint64_t)value)) {
    return ad__study_fail(s->path, at, "study.%s is '%s', expected a %snumber from %g to %g", key, at->text,
                          whole ? "whole " : "", lowest, highest);
  }
  *number = value;
  return AD_OK;
}

static int read_rule(struct ad_study *s, const struct ad_yaml *at) {
  if (strcmp(at->text, "majority") == 0 || strcmp(at->text, "never") == 0) {
    s->rule = at->text[0] == 'm' ? AD_RULE_MAJORITY : AD_RULE_NEVER;
    return AD_OK;
  }
  char *end;
  s->rule = AD_RULE_THRESHOLD;
  s->threshold = strtod(at->text, &end);
  if (end == at->text || *end != '\0' || !(s->threshold - s->threshold == 0.0)) {
    return ad__study_fail(s->path, at,
                          "study.failed is '%s', expected majority, never, or a number: the value of study.result from "
                          "which on a run has failed",
                          at->text);
  }
  return AD_OK;
}

static int read_key(struct ad_study *s, const char *key, const struct ad_yaml *at) {
  double number = 1.0;
  if (strcmp(key, "analysis") == 0) {
    return ad__study_read_analysis(s, at);
  }
  if (at->kind != AD_YAML_SCALAR) {
    return ad__study_fail(s->path, at, "study.%s: expected one value", key);
  }
  if (strcmp(key, "name") == 0 || strcmp(key, "dir") == 0) {
    if (at->text[0] == '\0') {
      return ad__study_fail(s->path, at, "study.%s is empty", key);
    }
    return set_text(key[0] == 'n' ? &s->name : &s->dir, at->text);
  }
  if (strcmp(key, "result") == 0) {
    return read_result(s, at);
  }
  if (strcmp(key, "failed") == 0) {
    return read_rule(s, at);
  }
  if (strcmp(key, "test") == 0) {
    s->test = strcmp(at->text, "true") == 0;
    return s->test || strcmp(at->text, "false") == 0
               ? AD_OK
               : ad__study_fail(s->path, at, "study.test is '%s', expected true or false", at->text);
  }
  if (strcmp(key, "lease") == 0) {
    return read_number(s, at, key, 1.0, 1e6, 0, &s->lease);
  }
  AD_TRY(read_number(s, at, key, 1.0, 1e6, 1, &number));
  s->ranks_per_trial = (uint64_t)number;
  return AD_OK;
}

static int read_study(struct ad_study *s, const struct ad_yaml *tree) {
  const struct ad_yaml *section = ad_yaml_get(tree, "study");
  if (section == NULL) {
    return ad_fail(AD_ECONFIG, "%s:%zu: the section 'study' is missing, expected at least study.dir", s->path,
                   tree->line);
  }
  AD_TRY(ad__study_check_keys(s->path, "study.", section, study_keys, LENGTH(study_keys)));
  for (size_t i = 0; i < section->count; i++) {
    AD_TRY(read_key(s, section->keys[i], section->items[i]));
  }
  if (s->dir == NULL) {
    return ad__study_fail(s->path, section, "study.dir is not set: the folder of the study, for example studies/%s",
                          s->name);
  }
  const struct ad_yaml *test = ad_yaml_get(section, "test");
  if (test != NULL && !s->test && s->source == AD_SOURCE_TEST) {
    return ad__study_fail(s->path, test, "study.test is false, but study.result is test.%s", s->score->name);
  }
  s->test |= s->source == AD_SOURCE_TEST;
  return AD_OK;
}

static int read_base(struct ad_study *s, const struct ad_yaml *tree) {
  const struct ad_yaml *base = ad_yaml_get(tree, "base"), *file = ad_yaml_get(base, "file");
  struct study_leaves leaves = {0};
  AD_TRY(ad_config_create(&s->base));
  /* Reports need the answers of every run, example by example. */
  AD_TRY(ad_config_set_default(&s->base, "eval.keep_logits", "true"));
  if (base == NULL || (base->kind == AD_YAML_SCALAR && base->text[0] == '\0')) {
    return AD_OK;
  }
  if (base->kind == AD_YAML_SCALAR || file != NULL) {
    const struct ad_yaml *name = file != NULL ? file : base;
    if (name->kind != AD_YAML_SCALAR) {
      return ad__study_fail(s->path, name, "base.file: expected the path of a configuration");
    }
    const int read = ad_config_read(&s->base, name->text);
    if (read != AD_OK) {
      return ad_fail_prefix(read, "%s:%zu: base", s->path, name->line);
    }
  }
  if (base->kind == AD_YAML_SCALAR) {
    return AD_OK;
  }
  int status = ad__study_leaves_read(&leaves, s->path, base);
  for (size_t i = 0; status == AD_OK && i < leaves.count; i++) {
    const struct ad_yaml *value = leaves.items[i].value;
    char place[1024];
    snprintf(place, sizeof place, "%s:%zu", s->path, value->line);
    if (strcmp(leaves.items[i].key, "file") == 0) {
      continue;
    }
    status = value->kind == AD_YAML_SCALAR
                 ? ad_config_set(&s->base, place, leaves.items[i].key, value->text)
                 : ad__study_fail(s->path, value, "base: %s is a list; lists belong under axes", leaves.items[i].key);
  }
  ad__study_leaves_destroy(&leaves);
  return status;
}

int ad__study_settle_value(struct study_draft *draft, const struct ad_yaml *at, const char *key, const char *text,
                           char **value) {
  char place[1024];
  struct ad_buffer printed = {0};
  snprintf(place, sizeof place, "%s:%zu", draft->study->path, at->line);
  AD_TRY(ad_config_set(&draft->scratch, place, key, text));
  if (ad_config_identity(key) == AD_IDENTITY_NONE) {
    return ad__study_fail(draft->study->path, at,
                          "%s cannot vary in a study: it says where or how a run computes, not what", key);
  }
  AD_TRY(ad_config_get(&draft->scratch, key, &printed));
  *value = ad_strdup(printed.data == NULL ? "" : printed.data);
  ad_buffer_destroy(&printed);
  return *value == NULL ? ad_fail_memory(strlen(text) + 1, "a value") : AD_OK;
}

static int add_named(struct study_draft *d, const char *name) {
  void *named = d->named;
  AD_TRY(ad_reserve(&named, &d->named_capacity, d->named_count + 1, sizeof *d->named));
  d->named = named;
  d->named[d->named_count] = (struct ad_study_arm){.name = ad_strdup(name)};
  return d->named[d->named_count++].name == NULL ? ad_fail_memory(strlen(name) + 1, "the name of an arm") : AD_OK;
}

/* "4/3" or "2", above 0. */
static int parse_ratio(const char *text, unsigned long long *over, unsigned long long *under) {
  char *end;
  *under = 1;
  if (text[0] < '0' || text[0] > '9') {
    return 0;
  }
  *over = strtoull(text, &end, 10);
  if (*end == '/' && end[1] >= '0' && end[1] <= '9') {
    *under = strtoull(end + 1, &end, 10);
  }
  return *end == '\0' && *over > 0 && *under > 0 && *over <= 1000 && *under <= 1000;
}

/* `compute: 4/3` of an arm: as many times the base's train.steps, or where that is 0 its train.epochs. */
static int add_compute(struct study_draft *d, struct ad_study_arm *arm, const struct ad_yaml *at) {
  const struct ad_study *s = d->study;
  const char *key = s->base.train_steps > 0 ? "train.steps" : "train.epochs";
  const unsigned long long own = s->base.train_steps > 0 ? s->base.train_steps : s->base.train_epochs;
  unsigned long long over, under;
  char text[40], *value = NULL;
  if (at->kind != AD_YAML_SCALAR || !parse_ratio(at->text, &over, &under)) {
    return ad__study_fail(s->path, at, "arms: compute is %s, expected a ratio of whole numbers up to 1000, as 4/3",
                          at->kind == AD_YAML_SCALAR ? at->text : "a list");
  }
  if (ad__study_arm_value(arm, "train.steps") != NULL || ad__study_arm_value(arm, "train.epochs") != NULL ||
      ad_study_find_axis(s, "train.steps") >= 0 || ad_study_find_axis(s, "train.epochs") >= 0) {
    return ad__study_fail(s->path, at,
                          "arms: compute multiplies train.steps or train.epochs of the base, which the arm or an axis "
                          "sets too");
  }
  if (own * over % under != 0) {
    return ad__study_fail(
        s->path, at,
        "arms: compute %s of %s %llu of the base is no whole number; set train.steps of the base to a "
        "number that can be divided",
        at->text, key, own);
  }
  snprintf(text, sizeof text, "%llu", own * over / under);
  int status = ad__study_settle_value(d, at, key, text, &value);
  status = status == AD_OK ? ad__study_add_setting(arm, key, value) : status;
  ad_free(value);
  return status;
}

static int read_arm(struct study_draft *d, const char *name, const struct ad_yaml *tree) {
  const char *path = d->study->path;
  struct study_leaves leaves = {0};
  if (name[0] == '\0' || strpbrk(name, ",\"\n\t") != NULL) {
    return ad__study_fail(path, tree, "arms: the name '%s' is empty or has a comma, quote, tab or newline", name);
  }
  AD_TRY(add_named(d, name));
  struct ad_study_arm *arm = &d->named[d->named_count - 1];
  int status = ad__study_leaves_read(&leaves, path, tree);
  for (size_t i = 0; status == AD_OK && i < leaves.count; i++) {
    const char *key = leaves.items[i].key;
    const struct ad_yaml *at = leaves.items[i].value;
    char *value = NULL;
    if (strcmp(key, "compute") == 0) {
      continue;
    }
    if (at->kind != AD_YAML_SCALAR) {
      status = ad__study_fail(path, at, "arms: %s is a list; lists belong under axes", key);
    } else if (ad_study_find_axis(d->study, key) >= 0) {
      status = ad__study_fail(path, at, "arms: %s is an axis too", key);
    } else {
      status = ad__study_settle_value(d, at, key, at->text, &value);
      status = status == AD_OK ? ad__study_add_setting(arm, key, value) : status;
    }
    ad_free(value);
  }
  const struct ad_yaml *compute = ad_yaml_get(tree, "compute");
  status = status == AD_OK && compute != NULL ? add_compute(d, arm, compute) : status;
  ad__study_leaves_destroy(&leaves);
  return status;
}

static int read_arms(struct study_draft *d, const struct ad_yaml *tree) {
  const struct ad_yaml *arms = ad_yaml_get(tree, "arms");
  if (arms == NULL) {
    return add_named(d, "");
  }
  if (arms->kind != AD_YAML_MAPPING || arms->count == 0) {
    return ad__study_fail(d->study->path, arms, "arms: expected names, each with the keys that it sets");
  }
  for (size_t i = 0; i < arms->count; i++) {
    AD_TRY(read_arm(d, arms->keys[i], arms->items[i]));
  }
  return AD_OK;
}

/* The study file's name without folder and suffix. */
static int set_defaults(struct ad_study *s, const char *path) {
  const char *name = ad_path_name(path), *dot = strrchr(name, '.');
  *s = (struct ad_study){.path = ad_strdup(path),
                         .score = ad_score_at(0),
                         .name = ad_strndup(name, dot == NULL ? strlen(name) : (size_t)(dot - name)),
                         .ranks_per_trial = 1,
                         .lease = 120.0};
  AD_TRY(ad__study_read_analysis(s, NULL));
  return s->path == NULL || s->name == NULL ? ad_fail_memory(2 * strlen(path), "a path") : AD_OK;
}

/* Trials share tokenised data through the study's folder, if the base names no other. */
static int set_cache(struct ad_study *s) {
  if (s->base.data_cache[0] != '\0') {
    return AD_OK;
  }
  char *folder = ad_path_join(s->dir, "cache");
  const int status = folder == NULL ? ad_fail_memory(strlen(s->dir) + 8, "a path")
                                    : ad_config_set_default(&s->base, "data.cache", folder);
  ad_free(folder);
  return status;
}

static int read_tree(struct study_draft *d, const struct ad_yaml *tree) {
  AD_TRY(ad__study_check_keys(d->study->path, "", tree, sections, LENGTH(sections)));
  AD_TRY(read_study(d->study, tree));
  AD_TRY(read_base(d->study, tree));
  AD_TRY(set_cache(d->study));
  const struct ad_yaml *axes = ad_yaml_get(tree, "axes");
  AD_TRY(axes == NULL ? AD_OK : ad__study_read_axes(d, axes));
  AD_TRY(read_arms(d, tree));
  AD_TRY(ad__study_lay_out(d));
  return ad__study_settle_analysis(d->study);
}

int ad_study_read(struct ad_study *study, const char *path) {
  struct study_draft draft = {.study = study};
  struct ad_yaml *tree = NULL;
  int status;
  AD_TRY_GOTO(set_defaults(study, path), done);
  AD_TRY_GOTO(ad_yaml_read(&tree, path), done);
  AD_TRY_GOTO(ad_config_create(&draft.scratch), done);
  status = read_tree(&draft, tree);
done:
  for (size_t b = 0; b < draft.bundle_count; b++) {
    ad_free(draft.bundles[b].level);
  }
  for (size_t i = 0; i < draft.named_count; i++) {
    ad__study_arm_destroy(&draft.named[i]);
  }
  ad_free(draft.bundles);
  ad_free(draft.named);
  ad_config_destroy(&draft.scratch);
  ad_yaml_destroy(tree);
  return status;
}
