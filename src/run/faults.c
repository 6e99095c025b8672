/* Faults on demand (`train --inject`), for tests of what a run survives, ours and users'. */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/checkpoint.h"
#include "training_internal.h"

/* What may happen where. */
static const struct {
  const char *fault, *place; /* place NULL: a step */
  enum injection kind;
} table[] = {{"kill", NULL, INJECT_KILL_STEP},   {"nan", NULL, INJECT_NAN_STEP},
             {"term", NULL, INJECT_TERM_STEP},   {"kill", "save", INJECT_KILL_SAVE},
             {"kill", "eval", INJECT_KILL_EVAL}, {"enospc", "save", INJECT_ENOSPC_SAVE},
             {"term", "eval", INJECT_TERM_EVAL}, {"corrupt", "checkpoint", INJECT_CORRUPT_CHECKPOINT}};

enum { KINDS = sizeof table / sizeof *table };

static int is_word(const char *text, size_t length, const char *word) {
  return strlen(word) == length && strncmp(text, word, length) == 0;
}

/* One of the list: FAULT@STEP, or FAULT@PLACE with :N for the N-th time. */
static int parse(struct ad_training *t, const char *text, size_t length) {
  const char *at = memchr(text, '@', length);
  for (size_t i = 0; at != NULL && i < KINDS; i++) {
    const char *place = at + 1, *end = text + length, *colon = memchr(place, ':', (size_t)(end - place));
    const char *number = table[i].place == NULL ? place : colon == NULL ? "1" : colon + 1;
    const size_t width = (size_t)((colon == NULL ? end : colon) - place);
    char *stop;
    if (!is_word(text, (size_t)(at - text), table[i].fault) ||
        (table[i].place != NULL && !is_word(place, width, table[i].place))) {
      continue;
    }
    const uint64_t count = strtoull(number, &stop, 10);
    const uint64_t least = table[i].kind == INJECT_TERM_STEP ? 0 : 1; /* 0: before the first step */
    if (*number >= '0' && *number <= '9' && count >= least &&
        (stop == end || (table[i].place != NULL && colon == NULL))) {
      t->inject[table[i].kind] = table[i].place == NULL ? count + 1 : count;
      return AD_OK;
    }
  }
  return ad_fail(AD_ECONFIG,
                 "--inject: found '%.*s', expected kill@STEP, term@STEP, nan@STEP, kill@save, enospc@save, kill@eval, "
                 "term@eval or corrupt@checkpoint, a place with :N for the N-th time",
                 (int)length, text);
}

int ad__training_parse_faults(struct ad_training *t, const char *list) {
  for (const char *p = list; p != NULL && *p != '\0'; p += *p == ',') {
    const size_t length = strcspn(p, ",");
    AD_TRY(parse(t, p, length));
    p += length;
  }
  return AD_OK;
}

/* Whether it is due: a step of that number, or the N-th time that this is asked. */
static int is_due(struct ad_training *t, enum injection kind, uint64_t step) {
  const int by_step = kind == INJECT_KILL_STEP || kind == INJECT_NAN_STEP || kind == INJECT_TERM_STEP;
  if (t->inject[kind] == 0) {
    return 0;
  }
  return by_step ? t->inject[kind] == step + 1 : t->inject[kind] == ++t->injected[kind];
}

void ad__training_fault_after_step(struct ad_training *t, uint64_t step) {
  if (is_due(t, INJECT_KILL_STEP, step)) {
    raise(SIGKILL);
  }
  if (is_due(t, INJECT_TERM_STEP, step)) {
    ad__training_pretend_signal(SIGTERM);
  }
}

void ad__training_fault_before_step(struct ad_training *t, uint64_t step) {
  if (is_due(t, INJECT_NAN_STEP, step)) {
    t->replicas.student[t->session.params.head.classifier_weight] = NAN;
  }
}

void ad__training_fault_in_evaluation(struct ad_training *t) {
  if (is_due(t, INJECT_KILL_EVAL, 0)) {
    raise(SIGKILL);
  }
  if (is_due(t, INJECT_TERM_EVAL, 0)) {
    ad__training_pretend_signal(SIGTERM);
  }
}

int ad__training_fault_in_save(struct ad_training *t) {
  if (is_due(t, INJECT_KILL_SAVE, 0)) {
    raise(SIGKILL);
  }
  return is_due(t, INJECT_ENOSPC_SAVE, 0) ? ad_fail(AD_EIO, "checkpoint: No space left on device (injected)") : AD_OK;
}

int ad__training_fault_after_save(struct ad_training *t, uint64_t step) {
  if (!t->first || !is_due(t, INJECT_CORRUPT_CHECKPOINT, 0)) {
    return AD_OK;
  }
  struct stat info;
  unsigned char byte = 0;
  char *path = ad_checkpoint_path(t->run.folder, step);
  const int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  /* The middle of the file is in the middle of a vector. */
  const int done = fd >= 0 && fstat(fd, &info) == 0 && pread(fd, &byte, 1, info.st_size / 2) == 1 &&
                   pwrite(fd, (unsigned char[]){byte ^ 0x10}, 1, info.st_size / 2) == 1;
  if (fd >= 0) {
    ad_ignore(close(fd));
  }
  ad_free(path);
  return done ? AD_OK : ad_fail(AD_EIO, "--inject corrupt@checkpoint: the file could not be changed");
}
