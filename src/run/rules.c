#include "rules.h"

#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "autodidact/store/provenance.h"

int ad__out_of_time(double limit, double elapsed, const struct ad__pace *pace) {
  const double ahead = 2.0 * (pace->step + pace->evaluation + pace->save) + 0.02 * limit;
  return limit > 0.0 && elapsed + ahead >= limit;
}

uint64_t ad__stop_word(int held, int signal, int out_of_time) {
  return held          ? AD__WORD_HELD
         : signal != 0 ? (uint64_t)(AD__WORD_SIGNAL + signal)
         : out_of_time ? AD__WORD_CLOCK
                       : AD__WORD_GO;
}

int ad__evaluation_due(uint64_t done, uint64_t total, uint64_t every, uint64_t steps_an_epoch) {
  const int due = every > 0 ? done % every == 0 : done % steps_an_epoch == 0;
  return done > 0 && (due || done >= total);
}

int ad__out_of_patience(uint64_t patience, uint64_t stale) {
  return patience > 0 && stale >= patience;
}

int ad__checkpoint_due(uint64_t done, uint64_t every, int epochs, uint64_t steps_an_epoch) {
  const int by_steps = every > 0 && done % every == 0;
  return done > 0 && (by_steps || (epochs && done % steps_an_epoch == 0));
}

/* --- Going on. */

#define WORD(kind, word) #word,
#define BEHIND_COMMA(kind, word) ", " #word
static const char *const words[] = {AD_FACT_KIND_MAP(WORD)};
static const char *const all_words = &(AD_FACT_KIND_MAP(BEHIND_COMMA))[2];

const char *ad__resume_kind(const char *name) {
  const enum ad_fact_kind kind = ad_fact_kind(name);
  return words[kind < AD_FACT_KINDS ? kind : AD_FACT_CONFIGURATION];
}

/* Whether a word [length] stands in the list. */
static int has_word(const char *list, const char *word, size_t length) {
  for (const char *p = list; *p != '\0'; p += *p == ',') {
    const size_t width = strcspn(p, ",");
    if (width == length && strncmp(p, word, length) == 0) {
      return 1;
    }
    p += width;
  }
  return 0;
}

int ad__resume_check(const char *allowed) {
  for (const char *p = allowed; *p != '\0'; p += *p == ',') {
    const size_t width = strcspn(p, ",");
    int known = 0;
    for (size_t i = 0; i < AD_FACT_KINDS; i++) {
      known |= has_word(words[i], p, width);
    }
    if (!known) {
      return ad_fail(AD_ECONFIG, "resume.allow is '%s', expected a list of %s", allowed, all_words);
    }
    p += width;
  }
  return AD_OK;
}

int ad__resume_judge(const char *run, const char *allowed, const struct ad_differences *differences) {
  for (size_t i = 0; i < differences->count; i++) {
    const struct ad_difference *d = &differences->items[i];
    const char *kind = ad__resume_kind(d->name), *was = d->text[0] == NULL ? "(nothing)" : d->text[0],
               *is = d->text[1] == NULL ? "(nothing)" : d->text[1];
    if (!has_word(allowed, kind, strlen(kind))) {
      return ad_fail(AD_ECONFIG,
                     "%s holds a run, begun with %s %s, now it is %s: choose another run.dir, start anew "
                     "with run.overwrite=true, or go on all the same with resume.allow=%s",
                     run, d->name, was, is, kind);
    }
    ad_log(AD_LOG_WARNING, "%s was %s, is %s: resume.allow=%s", d->name, was, is, kind);
  }
  return AD_OK;
}
