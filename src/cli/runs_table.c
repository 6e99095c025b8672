/* The columns of the table of runs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "runs.h"

static int add(struct runs_table *t, struct runs_column column, const char *prefix, const char *name) {
  void *columns = t->columns;
  struct ad_buffer text = {0};
  AD_TRY(ad_reserve(&columns, &t->capacity, t->count + 1, sizeof column));
  t->columns = columns;
  AD_TRY(ad_buffer_printf(&text, "%s%s", prefix, name));
  column.name = text.data;
  t->columns[t->count++] = column;
  return AD_OK;
}

static int add_plain(struct runs_table *t, enum runs_kind kind, const char *name) {
  return add(t, (struct runs_column){.kind = kind}, "", name);
}

static int add_scores(struct runs_table *t, int brief) {
  for (size_t s = 0; ad_score_at(s) != NULL; s++) {
    const struct ad_score *score = ad_score_at(s);
    int known = 0;
    for (size_t i = 0; i < t->list->count; i++) {
      const struct ad_scores *dev = &t->list->runs[i].dev;
      known = known || (dev->examples > 0 && !isnan(ad_scores_get(dev, score->name)));
    }
    if (known && (!brief || score->brief)) {
      AD_TRY(add(t, (struct runs_column){.kind = RUNS_SCORE, .score = score}, "dev.", score->name));
    }
  }
  return AD_OK;
}

/* The seeds always, then what differs and says what is computed from what: not where, by whom or when. */
static int add_keys(struct runs_table *t, int seeds) {
  for (size_t i = 0; ad_config_key(i) != NULL; i++) {
    const char *key = ad_config_key(i);
    const enum ad_role role = ad_config_role(key);
    if ((role == AD_ROLE_SEED) != seeds || role == AD_ROLE_PLACE || role == AD_ROLE_STOP || role == AD_ROLE_LAYOUT) {
      continue;
    }
    const int differs = seeds ? 1 : ad_run_list_differs(t->list, key);
    AD_TRY(differs);
    AD_TRY(differs ? add(t, (struct runs_column){.kind = RUNS_KEY, .key = key}, "", key) : AD_OK);
  }
  return AD_OK;
}

static int has_message(const struct ad_run_list *list) {
  size_t i = 0;
  while (i < list->count && list->runs[i].message == NULL) {
    i++;
  }
  return i < list->count;
}

int runs_create(struct runs_table *t, const struct ad_run_list *list, int brief) {
  *t = (struct runs_table){.list = list, .order = ad_malloc(list->count, sizeof *t->order)};
  if (t->order == NULL) {
    return ad_fail_memory(list->count * sizeof *t->order, "the table of runs");
  }
  for (size_t i = 0; i < list->count; i++) {
    t->order[i] = i;
  }
  AD_TRY(add_plain(t, RUNS_FOLDER, "run"));
  AD_TRY(add_plain(t, RUNS_STATE, "state"));
  AD_TRY(add_plain(t, RUNS_STEP, "step"));
  AD_TRY(add_plain(t, RUNS_STEPS, "steps"));
  AD_TRY(brief ? AD_OK : add_plain(t, RUNS_KEPT, "kept_step"));
  AD_TRY(add_plain(t, RUNS_SECONDS, "seconds"));
  AD_TRY(add_scores(t, brief));
  AD_TRY(add_keys(t, 1));
  AD_TRY(add_keys(t, 0));
  return has_message(list) && !brief ? add_plain(t, RUNS_WHY, "message") : AD_OK;
}

void runs_destroy(struct runs_table *t) {
  for (size_t c = 0; c < t->count; c++) {
    ad_free(t->columns[c].name);
  }
  ad_free(t->columns);
  ad_free(t->order);
  *t = (struct runs_table){0};
}

static int put_count(uint64_t count, struct ad_buffer *out) {
  return count == 0 ? AD_OK : ad_buffer_printf(out, "%" PRIu64, count);
}

static int put_score(const struct ad_run_entry *run, const struct ad_score *score, int brief, struct ad_buffer *out) {
  const double value = run->dev.examples > 0 ? ad_scores_get(&run->dev, score->name) : NAN;
  return isnan(value) ? AD_OK : ad_buffer_printf(out, brief ? "%.5g" : "%.17g", value);
}

int runs_entry(const struct runs_table *t, const struct ad_run_entry *run, size_t column, int brief,
               struct ad_buffer *out) {
  const struct runs_column *c = &t->columns[column];
  switch (c->kind) {
    case RUNS_FOLDER:
      return ad_buffer_puts(out, run->folder);
    case RUNS_STATE:
      return ad_buffer_puts(out, ad_run_condition_name(run->condition));
    case RUNS_STEP:
      return put_count(run->step, out);
    case RUNS_STEPS:
      return put_count(run->steps, out);
    case RUNS_KEPT:
      return put_count(run->kept, out);
    case RUNS_SECONDS:
      return run->seconds > 0.0 ? ad_buffer_printf(out, brief ? "%.1f" : "%.17g", run->seconds) : AD_OK;
    case RUNS_SCORE:
      return put_score(run, c->score, brief, out);
    case RUNS_KEY:
      return run->configured ? ad_config_get(&run->config, c->key, out) : AD_OK;
    case RUNS_WHY:
      return run->message == NULL ? AD_OK : ad_buffer_puts(out, run->message);
  }
  return AD_OK;
}
