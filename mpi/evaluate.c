#include "autodidact/mpi/evaluate.h"

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* First example of a rank's run of batches. */
static size_t run_begin(size_t first, size_t end, size_t B, size_t R, size_t rank) {
  const size_t batches = (end - first + B - 1) / B, at = first + batches * rank / R * B;
  return at < end ? at : end;
}

/* Rows of `bytes` of the examples [first, end), each rank's own being there, become all ranks'. */
static int gather(const struct ad_comm *comm, size_t B, size_t first, size_t end, size_t bytes, void *rows) {
  const size_t R = ad_comm_size(comm);
  if (R == 1) {
    return AD_OK;
  }
  size_t *counts = ad_calloc(R, sizeof *counts);
  if (counts == NULL) {
    return ad_fail_memory(R * sizeof *counts, "an evaluation");
  }
  for (size_t r = 0; r < R; r++) {
    counts[r] = run_begin(first, end, B, R, r + 1) - run_begin(first, end, B, R, r);
  }
  const int status = ad_comm_gather_rows(comm, counts, bytes, rows);
  ad_free(counts);
  return status;
}

int ad_mpi_evaluate(const struct ad_comm *comm, struct ad_evaluator *evaluator, size_t B, size_t C,
                    struct ad_replica theta, const struct ad_dataset *data, size_t first, size_t end, float *logits) {
  const size_t R = ad_comm_size(comm), rank = ad_comm_rank(comm);
  const size_t begin = run_begin(first, end, B, R, rank), stop = run_begin(first, end, B, R, rank + 1);
  AD_TRY(ad_evaluator_run(evaluator, theta, data, begin, stop, logits + (begin - first) * C));
  return gather(comm, B, first, end, C * sizeof *logits, logits);
}

int ad_mpi_evaluate_hidden(const struct ad_comm *comm, struct ad_evaluator *evaluator, size_t B,
                           const struct ad_replica *thetas, size_t count, const struct ad_dataset *data, size_t first,
                           size_t end, struct ad_row_sums *sums) {
  const size_t R = ad_comm_size(comm), rank = ad_comm_rank(comm);
  const size_t begin = run_begin(first, end, B, R, rank), stop = run_begin(first, end, B, R, rank + 1);
  AD_TRY(ad_evaluator_run_hidden(evaluator, thetas, count, data, begin, stop, sums + (begin - first)));
  return gather(comm, B, first, end, sizeof *sums, sums);
}
