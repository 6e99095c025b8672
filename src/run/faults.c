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
#include "autodidact/run/signals.h"
#include "autodidact/store/checkpoint.h"
#include "training_internal.h"

/* What may happen where. */
static const struct {
  const char *fault, *place; /* place NULL: a step */
} table[AD__FAULTS] = {
#define AD__FAULT_ROW(fault, what, where) [fault] = {what, where},
    AD__FAULT_MAP(AD__FAULT_ROW)
#undef AD__FAULT_ROW
};

static int is_word(const char *text, size_t length, const char *word) {
  return strlen(word) == length && strncmp(text, word, length) == 0;
}

/* One of the list: FAULT@STEP, or FAULT@PLACE with :N for the N-th time. */
static int parse(struct ad__faults *faults, const char *text, size_t length) {
  const char *at = memchr(text, '@', length);
  for (size_t i = 0; at != NULL && i < AD__FAULTS; i++) {
    const char *place = at + 1, *end = text + length, *colon = memchr(place, ':', (size_t)(end - place));
    const char *number = table[i].place == NULL ? place : colon == NULL ? "1" : colon + 1;
    const size_t width = (size_t)((colon == NULL ? end : colon) - place);
    char *stop;
    if (!is_word(text, (size_t)(at - text), table[i].fault) ||
        (table[i].place != NULL && !is_word(place, width, table[i].place))) {
      continue;
    }
    const uint64_t count = strtoull(number, &stop, 10);
    const uint64_t least = i == AD__TERM_STEP ? 0 : 1; /* 0: before the first step */
    if (*number >= '0' && *number <= '9' && count >= least &&
        (stop == end || (table[i].place != NULL && colon == NULL))) {
      faults->due[i] = table[i].place == NULL ? count + 1 : count;
      return AD_OK;
    }
  }
  return ad_fail(AD_ECONFIG,
                 "--inject: found '%.*s', expected kill@STEP, term@STEP, nan@STEP, kill@save, enospc@save, kill@eval, "
                 "term@eval or corrupt@checkpoint, a place with :N for the N-th time",
                 (int)length, text);
}

int ad__faults_parse(struct ad__faults *faults, const char *list) {
  for (const char *p = list; p != NULL && *p != '\0'; p += *p == ',') {
    const size_t length = strcspn(p, ",");
    AD_TRY(parse(faults, p, length));
    p += length;
  }
  return AD_OK;
}

int ad__fault_due(struct ad__faults *faults, enum ad__fault fault, uint64_t step) {
  if (faults->due[fault] == 0) {
    return 0;
  }
  return table[fault].place == NULL ? faults->due[fault] == step + 1 : faults->due[fault] == ++faults->times[fault];
}

void ad__fault_after_step(struct ad_training *t, uint64_t step) {
  if (ad__fault_due(&t->faults, AD__KILL_STEP, step)) {
    raise(SIGKILL);
  }
  if (ad__fault_due(&t->faults, AD__TERM_STEP, step)) {
    ad_signals_pretend(SIGTERM);
  }
}

void ad__fault_before_step(struct ad_training *t, uint64_t step) {
  if (ad__fault_due(&t->faults, AD__NAN_STEP, step)) {
    const struct ad_weights *student = &t->vectors.replicas.student;
    const float bad = NAN;
    ad_replica_write(student, t->session.params.head.classifier_weight, 1, &bad);
  }
}

void ad__fault_in_evaluation(struct ad_training *t) {
  if (ad__fault_due(&t->faults, AD__KILL_EVALUATION, 0)) {
    raise(SIGKILL);
  }
  if (ad__fault_due(&t->faults, AD__TERM_EVALUATION, 0)) {
    ad_signals_pretend(SIGTERM);
  }
}

int ad__fault_in_save(struct ad_training *t) {
  if (ad__fault_due(&t->faults, AD__KILL_SAVE, 0)) {
    raise(SIGKILL);
  }
  return ad__fault_due(&t->faults, AD__FULL_SAVE, 0) ? ad_fail(AD_EIO, "checkpoint: No space left on device (injected)")
                                                     : AD_OK;
}

int ad__fault_after_save(struct ad_training *t, uint64_t step) {
  if (!t->ranks.first || !ad__fault_due(&t->faults, AD__CORRUPT_CHECKPOINT, 0)) {
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
