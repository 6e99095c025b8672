/* Evaluation across ranks: every example once, results in order on every rank. */
#ifndef AUTODIDACT_MPI_EVALUATE_H
#define AUTODIDACT_MPI_EVALUATE_H

#include "autodidact/learn/evaluate.h"
#include "autodidact/mpi/comm.h"

/* Logits [end - first, C] of the examples [first, end): batches of B are dealt to the ranks in contiguous runs, so that
 * a batch holds the same examples for any number of ranks. B as the evaluator was made for. Collective over the world.
 * Errors as of ad_evaluator_run. */
int ad_mpi_evaluate(const struct ad_comm *comm, struct ad_evaluator *evaluator, size_t B, size_t C,
                    struct ad_replica theta, const struct ad_dataset *data, size_t first, size_t end, float *logits);

/* What models say of hidden tokens of the examples [first, end), into sums [end - first], dealt likewise; as of
 * ad_evaluator_run_hidden. Collective over the world. */
int ad_mpi_evaluate_hidden(const struct ad_comm *comm, struct ad_evaluator *evaluator, size_t B,
                           const struct ad_replica *thetas, size_t count, const struct ad_dataset *data, size_t first,
                           size_t end, struct ad_row_sums *sums);

#endif
