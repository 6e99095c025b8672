/* When there is a snapshot, and of what: text and numbers of the configuration. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/snapshot.h"

static int ascending(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* Appends the numbers of "1,10,100". */
static int read_steps(struct ad_snapshot_schedule *s, const char *text) {
  void *list = NULL;
  size_t capacity = 0;
  int status = AD_OK;
  for (const char *p = text; *text != '\0' && status == AD_OK;) {
    char *end;
    errno = 0;
    const unsigned long long step = strtoull(p, &end, 10);
    if (*p < '0' || *p > '9' || errno != 0 || (*end != ',' && *end != '\0')) {
      status =
          ad_fail(AD_ECONFIG, "snapshot.steps is '%s', expected steps with commas between them, as in 1,10,100", text);
      break;
    }
    status = ad_reserve(&list, &capacity, s->count + 1, sizeof *s->steps);
    if (status == AD_OK) {
      ((uint64_t *)list)[s->count++] = step;
    }
    if (*end == '\0') {
      break;
    }
    p = end + 1;
  }
  s->steps = list;
  if (status == AD_OK && s->count > 0) {
    qsort(s->steps, s->count, sizeof *s->steps, ascending);
  }
  return status;
}

int ad_snapshot_schedule_create(struct ad_snapshot_schedule *schedule, uint64_t every, uint64_t dense, double growth,
                                const char *steps, uint64_t total) {
  const double least = 1.01;
  *schedule = (struct ad_snapshot_schedule){.every = every, .dense = dense, .growth = growth, .total = total};
  if (growth != 0.0 && !(growth >= least && isfinite(growth))) {
    return ad_fail(AD_ECONFIG, "snapshot.growth is %g, expected 0 or at least %g", growth, least);
  }
  const int status = read_steps(schedule, steps);
  if (status != AD_OK) {
    ad_snapshot_schedule_destroy(schedule);
  }
  return status;
}

void ad_snapshot_schedule_destroy(struct ad_snapshot_schedule *schedule) {
  ad_free(schedule->steps);
  *schedule = (struct ad_snapshot_schedule){0};
}

static int is_on(const struct ad_snapshot_schedule *s) {
  return s->every > 0 || s->dense > 0 || s->growth > 0.0 || s->count > 0;
}

/* The first of the steps that grow, and the one after `step`. */
static uint64_t first_grown(const struct ad_snapshot_schedule *s) {
  return s->dense > 0 ? s->dense : 1;
}
static uint64_t next_grown(const struct ad_snapshot_schedule *s, uint64_t step) {
  const double next = ceil((double)step * s->growth);
  /* Beyond 2^53 doubles have no odd numbers: no run comes there. */
  return next < 0x1p53 && next > (double)step ? (uint64_t)next : step + 1;
}

static int is_grown(const struct ad_snapshot_schedule *s, uint64_t step) {
  if (s->growth == 0.0) {
    return 0;
  }
  uint64_t at = first_grown(s);
  while (at < step) {
    at = next_grown(s, at);
  }
  return at == step;
}

/* Among the first ones, or a multiple of `every`. */
static int is_regular(const struct ad_snapshot_schedule *s, uint64_t step) {
  return step <= s->dense || (s->every > 0 && step % s->every == 0);
}

static int is_listed(const struct ad_snapshot_schedule *s, uint64_t step) {
  return s->count > 0 && bsearch(&step, s->steps, s->count, sizeof step, ascending) != NULL;
}

int ad_snapshot_due(const struct ad_snapshot_schedule *schedule, uint64_t step) {
  const struct ad_snapshot_schedule *s = schedule;
  if (!is_on(s) || step > s->total) {
    return 0;
  }
  return step == 0 || step == s->total || is_regular(s, step) || is_listed(s, step) || is_grown(s, step);
}

uint64_t ad_snapshot_number(const struct ad_snapshot_schedule *schedule) {
  const struct ad_snapshot_schedule *s = schedule;
  if (!is_on(s) || s->total == 0) {
    return is_on(s);
  }
  /* Without step 0 and the last one, which are there in any case. */
  const uint64_t last = s->total - 1, dense = s->dense < last ? s->dense : last;
  uint64_t number = 2 + dense + (s->every > 0 ? last / s->every - dense / s->every : 0);
  for (uint64_t at = first_grown(s); s->growth > 0.0 && at <= last; at = next_grown(s, at)) {
    number += !is_regular(s, at);
  }
  for (size_t i = 0; i < s->count; i++) {
    const uint64_t step = s->steps[i];
    const int seen = i > 0 && s->steps[i - 1] == step;
    number += !seen && step > 0 && step <= last && !is_regular(s, step) && !is_grown(s, step);
  }
  return number;
}

uint64_t ad_snapshot_previous(const struct ad_snapshot_schedule *schedule, uint64_t step) {
  const struct ad_snapshot_schedule *s = schedule;
  uint64_t previous = s->dense < step ? s->dense : step - 1;
  if (s->every > 0 && (step - 1) / s->every * s->every > previous) {
    previous = (step - 1) / s->every * s->every;
  }
  for (uint64_t at = first_grown(s); s->growth > 0.0 && at < step; at = next_grown(s, at)) {
    previous = at > previous ? at : previous;
  }
  for (size_t i = 0; i < s->count && s->steps[i] < step; i++) {
    previous = s->steps[i] > previous ? s->steps[i] : previous;
  }
  return previous;
}

void ad_snapshot_probe_turn(const struct ad_snapshot_schedule *schedule, uint64_t step, uint64_t every, size_t B,
                            size_t *begin, size_t *count) {
  *begin = 0;
  *count = step == 0 ? 0 : B;
  if (step == 0 || step == schedule->total) {
    return;
  }
  const uint64_t previous = ad_snapshot_previous(schedule, step);
  /* Turns before the end of a step, from the begin of the run: one in every / B steps. */
  const unsigned __int128 from = (unsigned __int128)previous * B / every, to = (unsigned __int128)step * B / every;
  if (to - from < B) {
    *begin = (size_t)(from % B);
    *count = (size_t)(to - from);
  }
}

int ad_snapshot_content_read(const char *text, unsigned *content) {
  static const char *const names[] = {"scalars", "norms", "sketch", "probe", "parameters"};
  enum { NAMES = sizeof names / sizeof *names };
  *content = 0;
  for (const char *p = text;; p++) {
    const size_t length = strcspn(p, ",");
    size_t i = 0;
    while (i < NAMES && (strlen(names[i]) != length || strncmp(names[i], p, length) != 0)) {
      i++;
    }
    if (i == NAMES) {
      return ad_fail(AD_ECONFIG,
                     "snapshot.content is '%s', expected some of scalars, norms, sketch, probe, parameters with commas "
                     "between them",
                     text);
    }
    *content |= 1u << i;
    p += length;
    if (*p == '\0') {
      return AD_OK;
    }
  }
}
