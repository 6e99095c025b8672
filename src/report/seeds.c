/* Which runs share seeds, and means over them that count the levels of the seeds. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/summary.h"
#include "report_internal.h"

static uint32_t level_at(const struct report *r, size_t point, size_t axis) {
  return r->study->cells[r->arm[0].runs[point].cell].level[axis];
}

/* 1 where the levels of factor f and of the axis determine each other over all points. map [2, most]. */
static int together(const struct report *r, size_t f, size_t axis, size_t most, size_t *map) {
  memset(map, 0xff, 2 * most * sizeof *map);
  for (size_t k = 0; k < r->points; k++) {
    const size_t a = r->seeds.level[f][k], b = level_at(r, k, axis);
    if ((map[a] != SIZE_MAX && map[a] != b) || (map[most + b] != SIZE_MAX && map[most + b] != a)) {
      return 0;
    }
    map[a] = b;
    map[most + b] = a;
  }
  return 1;
}

/* A seed's key behind its dot. */
static const char *short_name(const char *key) {
  const char *dot = strchr(key, '.');
  return dot == NULL ? key : dot + 1;
}

static void add_axis(struct report *r, size_t axis, size_t most, size_t *map) {
  struct report_seeds *s = &r->seeds;
  for (size_t f = 0; f < s->count; f++) {
    if (together(r, f, axis, most, map)) {
      const size_t used = strlen(s->names[f]);
      snprintf(s->names[f] + used, sizeof s->names[f] - used, "+%.20s", short_name(r->study->axes[axis].key));
      s->joined = 1;
      return;
    }
  }
  if (s->count == AD_SEED_FACTORS) {
    s->why = "more than three sources of chance were varied independently";
    return;
  }
  snprintf(s->names[s->count], sizeof s->names[0], "%.20s", short_name(r->study->axes[axis].key));
  s->levels[s->count] = r->study->axes[axis].count;
  for (size_t k = 0; k < r->points; k++) {
    s->level[s->count][k] = level_at(r, k, axis);
  }
  s->count++;
}

/* Whether any two combinations of seeds share one. */
static int find_sharing(struct report *r) {
  struct ad_terms terms;
  size_t *all = ad_malloc(r->points, sizeof *all);
  if (all == NULL) {
    return ad_fail_memory(r->points * sizeof *all, "combinations of seeds");
  }
  for (size_t k = 0; k < r->points; k++) {
    all[k] = k;
  }
  const int status = ad__report_terms(r, r->points, all, &terms);
  r->seeds.independent = r->seeds.why == NULL && terms.count == 0;
  ad_terms_destroy(&terms);
  ad_free(all);
  return status;
}

int ad__report_find_seeds(struct report *r) {
  struct report_seeds *s = &r->seeds;
  size_t most = 1;
  for (size_t x = 0; x < r->study->axis_count; x++) {
    most = r->study->axes[x].count > most ? r->study->axes[x].count : most;
  }
  size_t *map = ad_malloc(2 * most, sizeof *map);
  s->block = ad_malloc(AD_SEED_FACTORS * r->points, sizeof *s->block);
  if (map == NULL || s->block == NULL) {
    ad_free(map);
    return ad_fail_memory((2 * most + AD_SEED_FACTORS * r->points) * sizeof *map, "levels of seeds");
  }
  for (size_t f = 0; f < AD_SEED_FACTORS; f++) {
    s->level[f] = s->block + f * r->points;
  }
  for (size_t x = 0; x < r->study->axis_count; x++) {
    if (r->study->axes[x].seed && r->study->axes[x].count > 1) {
      add_axis(r, x, most, map);
    }
  }
  ad_free(map);
  return find_sharing(r);
}

int ad__report_terms(const struct report *r, size_t n, const size_t *points, struct ad_terms *terms) {
  struct ad_seeds seeds = {.n = n, .factors = r->seeds.count};
  uint32_t *level = ad_malloc(AD_SEED_FACTORS * n + 1, sizeof *level);
  if (level == NULL) {
    *terms = (struct ad_terms){0};
    return ad_fail_memory(AD_SEED_FACTORS * n * sizeof *level, "levels of seeds");
  }
  for (size_t f = 0; f < seeds.factors; f++) {
    seeds.names[f] = r->seeds.names[f];
    seeds.level[f] = level + f * n;
    for (size_t i = 0; i < n; i++) {
      level[f * n + i] = r->seeds.level[f][points[i]];
    }
  }
  const int status = ad_terms_of(terms, &seeds);
  ad_free(level);
  return status;
}

/* No interval where it is not known which runs share what. */
static void refuse(struct ad_mixed *m, const char *why) {
  m->error = m->df = m->p = ad_figure_none(why);
  m->interval = m->sd_interval = ad_interval_none(why);
}

struct ad_interval ad__report_wilson(const struct report *r, int independent, double count, size_t n) {
  return !independent           ? ad_interval_none(AD__WHY_SHARED)
         : n < FEWEST_FOR_SHARE ? ad_interval_none(AD__WHY_FEW_SHARE)
                                : ad_wilson(count, n, r->how.level);
}

int ad__report_mean(const struct report *r, size_t n, const size_t *points, const double *values,
                    struct report_mean *mean) {
  struct ad_terms terms;
  int status = ad__report_terms(r, n, points, &terms);
  if (status == AD_OK) {
    status = ad_mixed_mean(&mean->of, n, values, &terms, r->how.level);
  }
  if (status == AD_OK && r->seeds.why != NULL) {
    refuse(&mean->of, r->seeds.why);
  }
  mean->independent = terms.count == 0 && r->seeds.why == NULL;
  size_t used = (size_t)snprintf(mean->design, sizeof mean->design, "%zu %s%s", n, terms.count == 0 ? "seed" : "cell",
                                 n == 1 ? "" : "s");
  for (size_t t = 0; t < terms.count && strchr(terms.name[t], ' ') == NULL; t++) {
    used += (size_t)snprintf(mean->design + used, sizeof mean->design - used, "%s%zu %s", t == 0 ? " of " : " and ",
                             terms.levels[t], terms.name[t]);
  }
  for (size_t t = 0; t <= terms.count; t++) {
    snprintf(mean->name[t], sizeof mean->name[t], "%s", t < terms.count ? terms.name[t] : terms.rest);
  }
  ad_terms_destroy(&terms);
  return status;
}

int ad__report_arm_mean(const struct report *r, size_t arm, struct report_mean *mean) {
  double *values = ad_malloc(r->points, sizeof *values);
  size_t *points = ad_malloc(r->points, sizeof *points), n = 0;
  int status = AD_OK;
  if (values == NULL || points == NULL) {
    status = ad_fail_memory(r->points * 16, "the scores of an arm");
  } else {
    for (size_t k = 0; k < r->points; k++) {
      if (!isnan(r->arm[arm].runs[k].score)) {
        points[n] = k;
        values[n++] = r->arm[arm].runs[k].score;
      }
    }
    status = ad__report_mean(r, n, points, values, mean);
  }
  ad_free(values);
  ad_free(points);
  return status;
}
