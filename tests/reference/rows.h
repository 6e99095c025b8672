/* A job of a row kernel and the checks that hold for all of them: a call on T rows gives the bits of T calls on one
 * row, and all kernel sets give the same. */
#ifndef AD_TESTS_REFERENCE_ROWS_H
#define AD_TESTS_REFERENCE_ROWS_H

#include "reference/check.h"

enum { JOB_INPUTS = 8, JOB_OUTPUTS = 8 };

struct job {
  size_t T, H;
  int variant;                    /* what the kernel at hand makes of it */
  struct ad_dropout dropout;      /* threshold 0: none */
  uint32_t *examples, *positions; /* [T] */
  float *in[JOB_INPUTS];          /* rows [T,H] and vectors [H], as the kernel wants them */
  float *out[JOB_OUTPUTS];
  size_t out_count[JOB_OUTPUTS];
};

/* Runs the kernels on the rows [first, first + count) from job->in to job->out. */
typedef void (*job_run)(const struct ad_kernels *k, struct job *job, size_t first, size_t count);

/* rows, vectors: how many inputs are [T,H] (numbered first) and [H]. */
static inline void job_make(struct job *job, size_t T, size_t H, float p, int rows, int vectors) {
  memset(job, 0, sizeof *job);
  job->T = T;
  job->H = H;
  job->dropout = ad_dropout_make(p, 0x0123456789ABCDEFull, 41, 5);
  job->examples = malloc((T + 1) * sizeof(uint32_t));
  job->positions = malloc((T + 1) * sizeof(uint32_t));
  for (size_t t = 0; t < T; t++) {
    job->examples[t] = (uint32_t)(70000 + t / 7);
    job->positions[t] = (uint32_t)(t % 7);
  }
  for (int i = 0; i < rows + vectors; i++) {
    job->in[i] = check_normals(i < rows ? T * H : H, (uint32_t)i);
  }
}

/* An output of `count` floats, starting from standard normals (what is overwritten shows as much as what is added to).
 */
static inline void job_output(struct job *job, int i, size_t count) {
  job->out_count[i] = count;
}

static inline void job_reset(struct job *job) {
  for (int i = 0; i < JOB_OUTPUTS; i++) {
    free(job->out[i]);
    job->out[i] = check_normals(job->out_count[i], 100 + (uint32_t)i);
  }
}

static inline void job_free(struct job *job) {
  for (int i = 0; i < JOB_INPUTS; i++) {
    free(job->in[i]);
  }
  for (int i = 0; i < JOB_OUTPUTS; i++) {
    free(job->out[i]);
  }
  free(job->examples);
  free(job->positions);
}

static inline void job_same_bits(const struct job *job, float *const *other, const char *what) {
  for (int i = 0; i < JOB_OUTPUTS; i++) {
    if (job->out_count[i] > 0 && memcmp(job->out[i], other[i], job->out_count[i] * sizeof(float)) != 0) {
      print_error("output %d of T %zu, H %zu, variant %d: %s\n", i, job->T, job->H, job->variant, what);
      fail();
    }
  }
}

static inline void job_check_bits(struct job *job, job_run run) {
  float *whole[JOB_OUTPUTS], *best[JOB_OUTPUTS] = {NULL};
  int have_best = 0;
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k == NULL) {
      continue;
    }
    job_reset(job);
    run(k, job, 0, job->T);
    memcpy(whole, job->out, sizeof whole);
    memset(job->out, 0, sizeof job->out);
    job_reset(job);
    for (size_t t = 0; t < job->T; t++) {
      run(k, job, t, 1);
    }
    job_same_bits(job, whole, "a row alone differs from the row among others");
    if (have_best) {
      job_same_bits(job, best, k->name);
    }
    for (int i = 0; i < JOB_OUTPUTS; i++) {
      if (have_best) {
        free(whole[i]);
      } else {
        best[i] = whole[i];
      }
    }
    have_best = 1;
  }
  for (int i = 0; i < JOB_OUTPUTS; i++) {
    free(best[i]);
  }
}

#endif
