/* The exact window: the mean of the last K of a sequence of vectors, or of all of them, without drift.
 *
 * Each value enters a 64-bit fixed-point sum, rounded once to the grid 2^-(57 - ceil(log2 K)); when it leaves, the same
 * integer is subtracted. So the sum is the same after any number of steps, in any order of additions, for any shards.
 * The mean is the quotient, rounded once to float32. What leaves is kept in a ring of the last K vectors, in memory or
 * in a file. A window of K = 1 needs no sum: the mean is the vector itself.
 *
 * A vector enters piece by piece, so that it can be done while the piece is in cache. Letters: n floats of a vector (a
 * shard), K vectors in the window, T vectors ever. Words: docs/glossary.md. */
#ifndef AUTODIDACT_LEARN_WINDOW_H
#define AUTODIDACT_LEARN_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/math/kernels.h"

enum {
  AD_WINDOW_PIECE = 1024
}; /* floats that enter at once, at most: sum, ring, AdamW's state stay in the first cache */

struct ad_window {
  const struct ad_kernels *kernels;
  size_t n;
  uint64_t size;    /* K; 0: all that ever enter */
  uint64_t count;   /* vectors that have entered since the start; the mean is over min(count, K) of them */
  uint64_t next;    /* slot of the ring that the next one takes */
  double scale;     /* 2^(57 - ceil(log2 K)) */
  int64_t *sum;     /* [n], owned; NULL for K = 1 */
  float *ring;      /* [K,n] in memory, owned; NULL without a ring or with one on disk */
  int file;         /* descriptor of the ring on disk (already unlinked), -1: none */
  float *piece;     /* [AD_WINDOW_PIECE] of the ring on disk */
  int64_t *preview; /* [AD_WINDOW_PIECE] sums as they would be */
};

/* An empty window. K = size, or with size 0 all of at most `most` vectors (then there is no ring). folder: where the
 * ring's file is made, whose space is taken at once; NULL: in memory. The caller owns it. AD_ENOMEM, AD_EIO (folder, or
 * no space in it). */
int ad_window_create(struct ad_window *window, const struct ad_kernels *kernels, size_t n, uint64_t size, uint64_t most,
                     const char *folder);
void ad_window_destroy(struct ad_window *window);

/* Bytes that such a window holds in memory, and on disk. */
size_t ad_window_bytes(size_t n, uint64_t size, int on_disk);
size_t ad_window_disk_bytes(size_t n, uint64_t size);

/* The piece x [length] at `at` of the vector that is entering, length <= AD_WINDOW_PIECE; after its last piece
 * ad_window_entered. mean [length], if not NULL, gets the piece of the mean as it is with x. AD_EDIVERGED where a value
 * is not below 64 in magnitude (nothing of the piece enters), AD_EIO. */
int ad_window_enter(struct ad_window *window, size_t at, size_t length, const float *x, float *mean);
void ad_window_entered(struct ad_window *window);

/* The grid of a window of K: 2^(57 - ceil(log2 K)); and the integer that a value is in its sum. */
double ad_window_scale(uint64_t K);
int64_t ad_window_fixed(double scale, float x);

/* Vectors that the mean is over. */
uint64_t ad_window_filled(const struct ad_window *window);

/* A piece of the mean. At least one vector must be in. AD_EINTERNAL, AD_EIO. */
int ad_window_mean(const struct ad_window *window, size_t at, size_t length, float *mean);

/* The same as it would be if x [length] entered now. The window is left as it is. AD_EDIVERGED, AD_EIO. */
int ad_window_mean_with(const struct ad_window *window, size_t at, size_t length, const float *x, float *mean);

/* A piece of slot `slot` of the ring (slot i holds vector number i modulo K): its address, or NULL (on disk, or there
 * is no ring). Copies it out. Overwrites it, with all that depends on it but the sum. AD_EIO. */
float *ad_window_place(const struct ad_window *window, uint64_t slot, size_t at);
int ad_window_read(const struct ad_window *window, uint64_t slot, size_t at, size_t length, float *values);
int ad_window_write(struct ad_window *window, uint64_t slot, size_t at, size_t length, const float *values);

/* Sets how many vectors have entered, after sum and ring were put in place. */
void ad_window_restore(struct ad_window *window, uint64_t count);

/* Compares the sum with the one recomputed from the ring: AD_OK where they are equal to the bit, else AD_EINTERNAL
 * naming the place. Without a ring there is nothing to compare. AD_EIO. */
int ad_window_verify(const struct ad_window *window);

#endif
