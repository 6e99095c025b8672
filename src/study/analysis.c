/* study.analysis: what is asked of a study, fixed before its first cell. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "study_internal.h"

static const char *const names[AD_ANALYSIS_KEYS] = {AD_ANALYSIS_MAP(AD_SET_NAME)};
static const char *const tests[AD_ANALYSIS_TESTS] = {"mean", "spread", "part"};

const char *ad_study_analysis_key(enum ad_analysis_key key) {
  return names[key];
}

/* A value, or a list of values, as "a, b". */
static int join(const struct ad_study *s, const struct ad_yaml *at, const char *key, char **text) {
  struct ad_buffer all = {0};
  int status = ad_buffer_puts(&all, at->kind == AD_YAML_SCALAR ? at->text : "");
  for (size_t i = 0; i < at->count && status == AD_OK; i++) {
    status = at->kind == AD_YAML_SEQUENCE && at->items[i]->kind == AD_YAML_SCALAR
                 ? ad_buffer_printf(&all, "%s%s", i > 0 ? ", " : "", at->items[i]->text)
                 : ad__study_fail(s->path, at, "study.analysis.%s: expected a value or a list of values", key);
  }
  *text = status == AD_OK ? ad_strdup(all.data) : NULL;
  ad_buffer_destroy(&all);
  return status == AD_OK && *text == NULL ? ad_fail_memory(64, "study.analysis") : status;
}

/* The item of "a, b" that begins at *at, into item [size]; 0: there is none any more. */
static int next_item(const char **at, char *item, size_t size) {
  const size_t length = strcspn(*at, ",");
  if (**at == '\0') {
    return 0;
  }
  snprintf(item, size, "%.*s", (int)length, *at);
  *at += length;
  *at += strspn(*at, ", ");
  return 1;
}

static int fail_value(const struct ad_study *s, const struct ad_yaml *at, enum ad_analysis_key key,
                      const char *expected) {
  return ad__study_fail(s->path, at, "study.analysis.%s is '%s', expected %s", names[key], s->analysis.text[key],
                        expected);
}

static int read_number(const struct ad_study *s, const struct ad_yaml *at, enum ad_analysis_key key, double low,
                       double high, double *value) {
  char *end;
  *value = strtod(s->analysis.text[key], &end);
  return end != s->analysis.text[key] && *end == '\0' && *value > low && *value < high
             ? AD_OK
             : fail_value(s, at, key, key == AD_ANALYSIS_ALPHA ? "a number between 0 and 0.5" : "a number above it");
}

static int read_looks(struct ad_study *s, const struct ad_yaml *at) {
  struct ad_study_analysis *a = &s->analysis;
  const char *text = a->text[AD_ANALYSIS_LOOKS];
  char item[40];
  while (next_item(&text, item, sizeof item)) {
    const double value = strtod(item, NULL), before = a->look_count > 0 ? (double)a->looks[a->look_count - 1] : 0.0;
    if (a->look_count == AD_ANALYSIS_LOOKS_MOST || !(value > before && value <= 1e9) || value != floor(value)) {
      return fail_value(s, at, AD_ANALYSIS_LOOKS, "up to ten whole numbers of combinations of seeds that ascend");
    }
    a->looks[a->look_count++] = (size_t)value;
  }
  return AD_OK;
}

static int read_tests(struct ad_study *s, const struct ad_yaml *at) {
  const char *text = s->analysis.text[AD_ANALYSIS_TESTS_KEY];
  char item[40];
  while (next_item(&text, item, sizeof item)) {
    size_t t = 0;
    while (t < AD_ANALYSIS_TESTS && strcmp(item, tests[t]) != 0) {
      t++;
    }
    if (t == AD_ANALYSIS_TESTS) {
      return fail_value(s, at, AD_ANALYSIS_TESTS_KEY, "mean, spread, part, or several of them");
    }
    s->analysis.test[t] = 1;
  }
  return AD_OK;
}

static int read_value(struct ad_study *s, const struct ad_yaml *at, enum ad_analysis_key key) {
  struct ad_study_analysis *a = &s->analysis;
  double number = 0.0;
  switch (key) {
    case AD_ANALYSIS_TESTS_KEY:
      return read_tests(s, at);
    case AD_ANALYSIS_MARGIN:
      return read_number(s, at, key, 0.0, 1e9, &a->margin);
    case AD_ANALYSIS_RATIO_MARGIN:
      return read_number(s, at, key, 1.0, 1e9, &a->ratio_margin);
    case AD_ANALYSIS_ALPHA:
      return read_number(s, at, key, 0.0, 0.5, &a->alpha);
    case AD_ANALYSIS_SEEDS:
      AD_TRY(read_number(s, at, key, 0.0, 1e9, &number));
      a->seeds = (size_t)number;
      return AD_OK;
    case AD_ANALYSIS_LOOKS:
      return read_looks(s, at);
    case AD_ANALYSIS_EXCLUSIONS:
      return strcmp(a->text[key], "diverged") == 0
                 ? AD_OK
                 : fail_value(s, at, key, "diverged: these have no score, and all others are kept");
    default:
      return AD_OK;
  }
}

static int set_default(struct ad_study *s, enum ad_analysis_key key, const char *text) {
  if (s->analysis.text[key] == NULL) {
    s->analysis.text[key] = ad_strdup(text);
  }
  return s->analysis.text[key] == NULL ? ad_fail_memory(strlen(text) + 1, "study.analysis") : AD_OK;
}

int ad__study_read_analysis(struct ad_study *s, const struct ad_yaml *tree) {
  s->analysis.margin = s->analysis.ratio_margin = NAN;
  s->analysis.alpha = 0.05;
  if (tree == NULL) {
    return AD_OK;
  }
  s->analysis.present = 1;
  AD_TRY(ad__study_check_keys(s->path, "study.analysis.", tree, names, AD_ANALYSIS_KEYS));
  for (enum ad_analysis_key key = 0; key < AD_ANALYSIS_KEYS; key++) {
    const struct ad_yaml *at = ad_yaml_get(tree, names[key]);
    if (at != NULL) {
      AD_TRY(join(s, at, names[key], &s->analysis.text[key]));
      AD_TRY(read_value(s, at, key));
    } else if (key == AD_ANALYSIS_ARMS || key == AD_ANALYSIS_TESTS_KEY || key == AD_ANALYSIS_SEEDS) {
      return ad__study_fail(s->path, tree, "study.analysis.%s is missing", names[key]);
    }
  }
  return AD_OK;
}

int ad_study_is_primary(const struct ad_study *study, size_t arm) {
  const char *text = study->analysis.present ? study->analysis.text[AD_ANALYSIS_ARMS] : "";
  char item[300];
  while (next_item(&text, item, sizeof item)) {
    if (strcmp(item, study->arms[arm].name) == 0 || strcmp(item, study->arms[arm].own) == 0) {
      return 1;
    }
  }
  return 0;
}

static int check_arms(const struct ad_study *s) {
  const char *text = s->analysis.text[AD_ANALYSIS_ARMS];
  char item[300];
  while (next_item(&text, item, sizeof item)) {
    size_t a = 0;
    while (a < s->arm_count && strcmp(s->arms[a].name, item) != 0 && strcmp(s->arms[a].own, item) != 0) {
      a++;
    }
    if (a == s->arm_count || strcmp(s->arms[a].own, s->arms[0].own) == 0) {
      return ad_fail(AD_ECONFIG, "%s: study.analysis.arms names '%s', expected arms of the study, not the first (%s)",
                     s->path, item, s->arms[0].own);
    }
  }
  return AD_OK;
}

int ad__study_settle_analysis(struct ad_study *s) {
  struct ad_study_analysis *a = &s->analysis;
  char result[100], rule[60], last[40];
  if (!a->present) {
    return AD_OK;
  }
  snprintf(result, sizeof result, "%s.%s", ad_study_source_name(s->source), s->score->name);
  snprintf(rule, sizeof rule, "%.17g", s->threshold);
  snprintf(last, sizeof last, "%zu", a->seeds);
  AD_TRY(check_arms(s));
  AD_TRY(set_default(s, AD_ANALYSIS_RESULT, result));
  AD_TRY(set_default(s, AD_ANALYSIS_BASELINE, s->arms[0].own));
  AD_TRY(set_default(s, AD_ANALYSIS_RULE,
                     s->rule == AD_RULE_MAJORITY ? "majority"
                     : s->rule == AD_RULE_NEVER  ? "never"
                                                 : rule));
  AD_TRY(set_default(s, AD_ANALYSIS_MARGIN, "none"));
  AD_TRY(set_default(s, AD_ANALYSIS_RATIO_MARGIN, "none"));
  AD_TRY(set_default(s, AD_ANALYSIS_ALPHA, "0.05"));
  AD_TRY(set_default(s, AD_ANALYSIS_LOOKS, last));
  AD_TRY(set_default(s, AD_ANALYSIS_EXCLUSIONS, "diverged"));
  if (strcmp(a->text[AD_ANALYSIS_RESULT], result) != 0 || strcmp(a->text[AD_ANALYSIS_BASELINE], s->arms[0].own) != 0) {
    return ad_fail(AD_ECONFIG, "%s: study.analysis is of %s against %s, the study of %s against its first arm, %s",
                   s->path, a->text[AD_ANALYSIS_RESULT], a->text[AD_ANALYSIS_BASELINE], result, s->arms[0].own);
  }
  if (a->look_count == 0) {
    a->looks[a->look_count++] = a->seeds;
  }
  return a->looks[a->look_count - 1] == a->seeds
             ? AD_OK
             : ad_fail(AD_ECONFIG, "%s: the last of study.analysis.looks is %zu, expected study.analysis.seeds, %zu",
                       s->path, a->looks[a->look_count - 1], a->seeds);
}

uint64_t ad_study_analysis_digest(char *const text[AD_ANALYSIS_KEYS]) {
  uint64_t digest = 0;
  for (enum ad_analysis_key key = 0; key < AD_ANALYSIS_KEYS; key++) {
    const char *value = text[key] == NULL ? "" : text[key];
    digest = ad_digest_pair(digest, ad_digest(value, strlen(value)));
  }
  return digest;
}

json_t *ad__study_pack_analysis(const struct ad_study *s) {
  json_t *packed = json_object();
  char digest[20];
  snprintf(digest, sizeof digest, "%016llx", (unsigned long long)ad_study_analysis_digest(s->analysis.text));
  for (enum ad_analysis_key key = 0; key < AD_ANALYSIS_KEYS; key++) {
    json_object_set_new(packed, names[key], json_string(s->analysis.text[key]));
  }
  json_object_set_new(packed, "digest", json_string(digest));
  return packed;
}

int ad__study_recall_analysis(struct ad_study *s, const json_t *planned) {
  s->analysis.registered = planned != NULL;
  for (enum ad_analysis_key key = 0; planned != NULL && key < AD_ANALYSIS_KEYS; key++) {
    const char *text = json_string_value(json_object_get(planned, names[key]));
    s->analysis.planned[key] = ad_strdup(text == NULL ? "" : text);
    if (s->analysis.planned[key] == NULL) {
      return ad_fail_memory(64, "the registered analysis");
    }
  }
  return AD_OK;
}

void ad__study_analysis_destroy(struct ad_study_analysis *analysis) {
  for (enum ad_analysis_key key = 0; key < AD_ANALYSIS_KEYS; key++) {
    ad_free(analysis->text[key]);
    ad_free(analysis->planned[key]);
  }
}
