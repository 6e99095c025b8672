/* Keys of a study that change nothing. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/task/task.h"
#include "study_internal.h"

/* What became of a key over all arms. */
struct tally {
  const struct ad_study_arm *in_vain; /* the first arm that sets it without effect */
  size_t own_idle;                    /* arms of that kind */
  size_t base_idle, base_used;        /* arms that leave it to the base: there without effect, with one */
  size_t effect;                      /* arms in which it has, or would have, an effect */
};

struct survey {
  const struct ad_study *study;
  struct ad_config config; /* the base, and in turn each arm */
  struct ad_config_facts facts;
  struct tally tally[AD_CONFIG_KEYS];
};

/* data.task tells whether tokens are hidden; a descriptor's own task is not looked at. */
static void count_arm(struct survey *s, const struct ad_study_arm *arm) {
  const char *name = s->config.data_task;
  const struct ad_task *task = name[0] == '\0' ? NULL : ad_task_find(name);
  s->facts.hidden = task != NULL && ad_task_hides(task);
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    const char *key = ad_config_key(i);
    struct tally *t = &s->tally[i];
    const int idle = ad_config_is_idle(&s->config, &s->facts, key);
    if (ad__study_arm_value(arm, key) != NULL) {
      t->in_vain = idle && t->in_vain == NULL ? arm : t->in_vain;
      t->own_idle += (size_t)idle;
    } else {
      t->base_idle += (size_t)idle;
      t->base_used += (size_t)!idle;
    }
    t->effect += (size_t)ad_config_has_effect(&s->config, &s->facts, key);
  }
}

/* The arm's settings come and go again. */
static int visit_arm(struct survey *s, const struct ad_study_arm *arm) {
  struct ad_buffer value = {0};
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && i < arm->count; i++) {
    status = ad_config_set(&s->config, s->study->path, arm->settings[i].key, arm->settings[i].value);
  }
  if (status == AD_OK) {
    count_arm(s, arm);
  }
  for (size_t i = 0; status == AD_OK && i < arm->count; i++) {
    ad_buffer_clear(&value);
    status = ad_config_get(&s->study->base, arm->settings[i].key, &value);
    status = status == AD_OK
                 ? ad_config_set(&s->config, s->study->path, arm->settings[i].key, value.size == 0 ? "" : value.data)
                 : status;
  }
  ad_buffer_destroy(&value);
  return status;
}

/* "and 3 more" arms, or nothing. */
static const char *more_arms(size_t count, char text[40]) {
  text[0] = '\0';
  if (count > 1) {
    snprintf(text, 40, " and %zu more", count - 1);
  }
  return text;
}

static int warn_key(const struct survey *s, size_t i) {
  const struct tally *t = &s->tally[i];
  const char *key = ad_config_key(i), *path = s->study->path, *when = ad_config_condition(key);
  struct ad_buffer value = {0};
  char more[40];
  if (t->in_vain != NULL) {
    ad_log(AD_LOG_WARNING, "%s: %s=%s has no effect in the arm '%s'%s: it is used where %s", path, key,
           ad__study_arm_value(t->in_vain, key), t->in_vain->name, more_arms(t->own_idle, more), when);
  }
  if (!s->study->base.given[i] || t->base_idle == 0 || t->base_used > 0) {
    return AD_OK;
  }
  const int status = ad_config_get(&s->study->base, key, &value);
  if (status == AD_OK) {
    ad_log(AD_LOG_WARNING, "%s: base: %s=%s has no effect in any arm: it is used where %s", path, key,
           value.size == 0 ? "" : value.data, when);
  }
  ad_buffer_destroy(&value);
  return status;
}

/* What a study decides for every cell. */
static void warn_decided(const struct ad_study *study, enum ad_key key, const char *why) {
  if (study->base.given[key]) {
    ad_log(AD_LOG_WARNING, "%s: base: %s has no effect in a study: %s", study->path, ad_config_key(key), why);
  }
}

static void warn_axes(const struct survey *s) {
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    const int axis = ad_study_find_axis(s->study, ad_config_key(i));
    if (axis >= 0 && s->study->axes[axis].seed && s->study->axes[axis].count > 1 && s->tally[i].effect == 0) {
      ad_log(AD_LOG_WARNING, "%s: axes: %s has no effect in any arm, so its cells are equal: it is used where %s",
             s->study->path, ad_config_key(i), ad_config_condition(ad_config_key(i)));
    }
  }
}

int ad_study_warn_idle(const struct ad_study *study) {
  struct survey *s = ad_calloc(1, sizeof *s);
  if (s == NULL) {
    return ad_fail_memory(sizeof *s, "the keys of a study");
  }
  s->study = study;
  s->facts = (struct ad_config_facts){.dev = -1, .ranks = study->ranks_per_trial > 1, .drawn = -1};
  int status = ad__study_copy_base(study, &s->config);
  for (size_t k = 0; status == AD_OK && k < study->arm_count; k++) {
    status = visit_arm(s, &study->arms[k]);
  }
  for (size_t i = 0; status == AD_OK && i < AD_CONFIG_KEYS; i++) {
    status = warn_key(s, i);
  }
  if (status == AD_OK) {
    warn_axes(s);
    warn_decided(study, AD_KEY_run_dir, "each cell has a folder of its own below study.dir");
    warn_decided(study, AD_KEY_run_overwrite, "a cell goes on with what it has, and is never begun anew");
  }
  ad_config_destroy(&s->config);
  ad_free(s);
  return status;
}
