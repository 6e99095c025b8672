/* Reads a checkpoint, without MPI: the step, the last evaluation, the norm of each vector, and of each tensor of the
 * student.
 *
 *   checkpoint RUN/checkpoints/step-NNNNNNNNN.h5 */
#include <autodidact/base/status.h>
#include <autodidact/store/checkpoint.h>
#include <autodidact/store/run_state.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int print_state(const struct ad_checkpoint *checkpoint, const char *path) {
  struct ad_run_state state;
  const int status = ad_run_state_read(&state, path, ad_checkpoint_state(checkpoint));
  if (status == AD_OK) {
    printf("after step %" PRIu64 ", %" PRIu64 " examples\n", state.trainer.done, state.examples);
    if (state.count > 0) {
      const struct ad_evaluation_point *last = &state.points[state.count - 1];
      printf("evaluated after step %" PRIu64 ": dev error %.2f %%\n", last->step,
             100.0 * last->score[AD_VARIANT_STUDENT]);
    }
  }
  ad_run_state_destroy(&state);
  return status;
}

/* The student's tensors, in the order of the flat vector. */
static int print_tensors(const struct ad_checkpoint *checkpoint, const struct ad_params *params) {
  float *values = malloc(params->count * sizeof *values);
  int status = values == NULL ? AD_ENOMEM : ad_checkpoint_get(checkpoint, 0, 0, 0, params->count, values);
  for (size_t i = 0; status == AD_OK && i < params->tensor_count; i++) {
    const struct ad_tensor *tensor = &params->tensors[i];
    double squares = 0.0;
    for (size_t k = 0; k < tensor->count; k++) {
      squares += (double)values[tensor->offset + k] * (double)values[tensor->offset + k];
    }
    printf("%-60s %12.6g\n", tensor->name, sqrt(squares));
  }
  free(values);
  return status;
}

static int print(const char *path) {
  struct ad_checkpoint *checkpoint;
  struct ad_params params;
  AD_TRY(ad_checkpoint_probe(path, 1)); /* HDF5 may crash on a damaged file: in a process of its own first */
  AD_TRY(ad_checkpoint_open(&checkpoint, path, NULL));
  int status = print_state(checkpoint, path);
  if (status == AD_OK && (status = ad_checkpoint_params(checkpoint, &params)) == AD_OK) {
    status = print_tensors(checkpoint, &params);
    ad_params_destroy(&params);
  }
  ad_checkpoint_close(checkpoint);
  return status;
}

int main(int argc, char **argv) {
  const int status = argc == 2 ? print(argv[1]) : AD_ECONFIG;
  if (status != AD_OK) {
    fprintf(stderr, "%s\n", argc == 2 ? ad_error_message() : "usage: checkpoint FILE.h5");
  }
  return ad_status_exit_code(status);
}
