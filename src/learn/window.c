#include "autodidact/learn/window.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* 2^(57 - ceil(log2 K)): K values below 64 in magnitude then sum to less than 2^63. */
double ad_window_scale(uint64_t K) {
  int digits = 0;
  while (digits < 57 && (1ull << digits) < K) {
    digits++;
  }
  return ldexp(1.0, 57 - digits);
}

static int fail_file(const char *what) {
  return ad_fail(AD_EIO, "the window's ring on disk could not be %s: %s", what, strerror(errno));
}

/* A file without a name, as large as the ring, so that a full disk shows now and nothing is left after a crash. */
static int open_ring(struct ad_window *w, const char *folder) {
  static const char suffix[] = "/autodidact-ring-XXXXXX";
  const size_t size = strlen(folder) + sizeof suffix;
  char *path = ad_malloc(size, 1);
  if (path == NULL) {
    return ad_fail_memory(size, "a path");
  }
  snprintf(path, size, "%s%s", folder, suffix);
  w->file = mkostemp(path, O_CLOEXEC);
  int status = AD_OK;
  if (w->file < 0) {
    status = ad_fail(AD_EIO, "%s: the window's ring could not be made: %s", path, strerror(errno));
  } else if (unlink(path) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be removed: %s", path, strerror(errno));
  } else {
    const size_t bytes = ad_window_disk_bytes(w->n, w->size);
    const int error = bytes == 0 ? 0 : posix_fallocate(w->file, 0, (off_t)bytes);
    if (error != 0) {
      status = ad_fail(AD_EIO, "%s: no room for the window's ring of %zu bytes: %s", folder, bytes, strerror(error));
    }
  }
  ad_free(path);
  return status;
}

int ad_window_create(struct ad_window *window, const struct ad_kernels *kernels, size_t n, uint64_t size, uint64_t most,
                     const char *folder) {
  struct ad_window *w = window;
  int status = AD_OK;
  *w = (struct ad_window){
      .kernels = kernels, .n = n, .size = size, .scale = ad_window_scale(size > 0 ? size : most), .file = -1};
  w->sum = size == 1 ? NULL : ad_calloc(n, sizeof *w->sum);
  w->ring = size == 0 || folder != NULL ? NULL : ad_malloc(size * ad_whole_lines(n), sizeof *w->ring);
  w->piece = folder == NULL || size == 0 ? NULL : ad_malloc(AD_WINDOW_PIECE, sizeof *w->piece);
  w->preview = ad_malloc(AD_WINDOW_PIECE, sizeof *w->preview);
  if ((w->sum == NULL && size != 1) || (w->ring == NULL && size > 0 && folder == NULL) ||
      (w->piece == NULL && size > 0 && folder != NULL) || w->preview == NULL) {
    status = ad_fail_memory(ad_window_bytes(n, size, folder != NULL), "the window of past parameters");
  }
  if (status == AD_OK && size > 0 && folder != NULL) {
    status = open_ring(w, folder);
  }
  if (status != AD_OK) {
    ad_window_destroy(w);
  }
  return status;
}

void ad_window_destroy(struct ad_window *window) {
  if (window->kernels != NULL && window->file >= 0) {
    ad_ignore(close(window->file));
  }
  ad_free(window->sum);
  ad_free(window->ring);
  ad_free(window->piece);
  ad_free(window->preview);
  *window = (struct ad_window){.file = -1};
}

size_t ad_window_bytes(size_t n, uint64_t size, int on_disk) {
  const size_t ring = on_disk ? 0 : size * ad_whole_lines(n) * sizeof(float);
  return ring + (size == 1 ? 0 : n * sizeof(int64_t)) + AD_WINDOW_PIECE * (sizeof(int64_t) + sizeof(float));
}

size_t ad_window_disk_bytes(size_t n, uint64_t size) {
  return size * ad_whole_lines(n) * sizeof(float);
}

/* Reads or writes a piece of a slot of the ring on disk. */
static int transfer(const struct ad_window *w, int write, uint64_t slot, size_t at, size_t length, float *values) {
  char *place = (char *)values;
  size_t left = length * sizeof *values;
  off_t offset = (off_t)((slot * ad_whole_lines(w->n) + at) * sizeof *values);
  while (left > 0) {
    const ssize_t done = write ? pwrite(w->file, place, left, offset) : pread(w->file, place, left, offset);
    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      errno = done == 0 ? ENODATA : errno;
      return fail_file(write ? "written" : "read");
    }
    place += done;
    offset += done;
    left -= (size_t)done;
  }
  return AD_OK;
}

/* A piece of a slot: where it lies in memory, or read into w->piece. */
static int slot_piece(const struct ad_window *w, uint64_t slot, size_t at, size_t length, float **values) {
  if (w->file < 0) {
    *values = ad_window_place(w, slot, at);
    return AD_OK;
  }
  *values = w->piece;
  return transfer(w, 0, slot, at, length, w->piece);
}

/* The first value that is too large or NaN, told; AD_OK where there is none. */
static int check_range(size_t length, const float *x) {
  for (size_t i = 0; i < length; i++) {
    if (!(fabsf(x[i]) < AD_WINDOW_RANGE)) {
      return ad_fail(AD_EDIVERGED, "a parameter is %g: the window takes magnitudes below %g", (double)x[i],
                     (double)AD_WINDOW_RANGE);
    }
  }
  return AD_OK;
}

/* The integer that a value is in the sum. */
int64_t ad_window_fixed(double scale, float x) {
  return (int64_t)rint((double)x * scale);
}

static int64_t fixed(const struct ad_window *w, float x) {
  return ad_window_fixed(w->scale, x);
}

/* Whether the vector that is entering takes a place that no other leaves; and how many are in with it. */
static int is_fresh(const struct ad_window *w) {
  return w->size == 0 || w->count < w->size;
}

static uint64_t count_with(const struct ad_window *w) {
  return is_fresh(w) ? w->count + 1 : w->size;
}

/* K = 1: the ring's one slot is the mean. */
static int enter_single(struct ad_window *w, size_t at, size_t length, const float *x, float *mean) {
  AD_TRY(check_range(length, x));
  if (mean != NULL) {
    memcpy(mean, x, length * sizeof *x);
  }
  return ad_window_write(w, 0, at, length, x);
}

int ad_window_enter(struct ad_window *window, size_t at, size_t length, const float *x, float *mean) {
  struct ad_window *w = window;
  float *slot;
  const int fresh = is_fresh(w);
  if (w->size == 1) {
    return enter_single(w, at, length, x, mean);
  }
  if (w->file >= 0 && fresh) {
    slot = w->piece;
  } else {
    AD_TRY(slot_piece(w, w->next, at, length, &slot));
  }
  if (!w->kernels->window_push(length, w->scale, fresh, x, slot, w->sum + at, count_with(w), mean)) {
    return check_range(length, x);
  }
  return w->file >= 0 ? transfer(w, 1, w->next, at, length, slot) : AD_OK;
}

void ad_window_entered(struct ad_window *window) {
  window->count++;
  window->next = window->size == 0 ? 0 : (window->next + 1) % window->size;
}

uint64_t ad_window_filled(const struct ad_window *window) {
  return window->size > 0 && window->count > window->size ? window->size : window->count;
}

int ad_window_mean(const struct ad_window *window, size_t at, size_t length, float *mean) {
  const struct ad_window *w = window;
  const uint64_t count = ad_window_filled(w);
  if (count == 0) {
    return ad_fail(AD_EINTERNAL, "the mean of an empty window");
  }
  if (w->size == 1) {
    float *slot;
    AD_TRY(slot_piece(w, 0, at, length, &slot));
    memcpy(mean, slot, length * sizeof *mean);
    return AD_OK;
  }
  w->kernels->window_mean(length, w->scale, count, w->sum + at, mean);
  return AD_OK;
}

int ad_window_mean_with(const struct ad_window *window, size_t at, size_t length, const float *x, float *mean) {
  const struct ad_window *w = window;
  AD_TRY(check_range(length, x));
  if (w->size == 1) {
    memcpy(mean, x, length * sizeof *mean);
    return AD_OK;
  }
  const int fresh = is_fresh(w);
  float *slot = NULL;
  if (!fresh) {
    AD_TRY(slot_piece(w, w->next, at, length, &slot));
  }
  for (size_t i = 0; i < length; i++) {
    /* The change first: a full sum and one value more may be past 63 bits. */
    w->preview[i] = w->sum[at + i] + (fixed(w, x[i]) - (fresh ? 0 : fixed(w, slot[i])));
  }
  w->kernels->window_mean(length, w->scale, count_with(w), w->preview, mean);
  return AD_OK;
}

float *ad_window_place(const struct ad_window *window, uint64_t slot, size_t at) {
  return window->ring == NULL ? NULL : window->ring + slot * ad_whole_lines(window->n) + at;
}

int ad_window_read(const struct ad_window *window, uint64_t slot, size_t at, size_t length, float *values) {
  if (window->file >= 0) {
    return transfer(window, 0, slot, at, length, values);
  }
  memcpy(values, ad_window_place(window, slot, at), length * sizeof *values);
  return AD_OK;
}

int ad_window_write(struct ad_window *window, uint64_t slot, size_t at, size_t length, const float *values) {
  if (window->file >= 0) {
    return transfer(window, 1, slot, at, length, (float *)(uintptr_t)values);
  }
  memcpy(ad_window_place(window, slot, at), values, length * sizeof *values);
  return AD_OK;
}

void ad_window_restore(struct ad_window *window, uint64_t count) {
  window->count = count;
  window->next = window->size == 0 ? 0 : count % window->size;
}

int ad_window_verify(const struct ad_window *window) {
  const struct ad_window *w = window;
  const uint64_t filled = ad_window_filled(w);
  if (w->size <= 1) {
    return AD_OK;
  }
  for (size_t at = 0; at < w->n; at += AD_WINDOW_PIECE) {
    const size_t length = w->n - at < AD_WINDOW_PIECE ? w->n - at : AD_WINDOW_PIECE;
    memset(w->preview, 0, length * sizeof *w->preview);
    for (uint64_t slot = 0; slot < filled; slot++) {
      float *values;
      AD_TRY(slot_piece(w, slot, at, length, &values));
      for (size_t i = 0; i < length; i++) {
        w->preview[i] += fixed(w, values[i]);
      }
    }
    for (size_t i = 0; i < length; i++) {
      if (w->preview[i] != w->sum[at + i]) {
        return ad_fail(AD_EINTERNAL,
                       "the window's sum at parameter %zu of the shard is %" PRId64 ", its ring gives %" PRId64, at + i,
                       w->sum[at + i], w->preview[i]);
      }
    }
  }
  return AD_OK;
}
