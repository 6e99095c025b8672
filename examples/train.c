/* Trains from a configuration, step by step, as `autodidact train` does:
 *
 *   train CONFIG.yaml [key=value ...]
 *   mpirun -n 4 train CONFIG.yaml
 *
 * The run goes on where it was stopped, and its folder has the same bytes, whatever the number of ranks. */
#include <autodidact/run/program.h>
#include <autodidact/run/training.h>
#include <inttypes.h>
#include <stdio.h>

/* All steps, with a line for each epoch. */
static int all_steps(struct ad_training *training) {
  int more = 1;
  uint64_t epoch = 1;
  while (more) {
    AD_TRY(ad_training_step(training, &more));
    const struct ad_training_summary now = ad_training_summary(training);
    if (now.last.epoch > epoch || !more) {
      printf("step %" PRIu64 " of %" PRIu64 ": loss %.4f\n", now.step, now.steps, now.last.loss);
      epoch = now.last.epoch;
    }
  }
  return AD_OK;
}

static int train(const struct ad_math *math, size_t count, char **words) {
  const struct ad_training_frame frame = {.quiet = 1};
  struct ad_training *training;
  int status = ad_training_create(&training, math, &frame);
  status = status == AD_OK ? ad_training_configure(training, count, words) : status;
  status = status == AD_OK ? ad_training_open(training) : status;
  status = status == AD_OK ? all_steps(training) : status;
  status = status == AD_OK ? ad_training_finish(training) : status;
  if (status == AD_OK) {
    const struct ad_training_summary end = ad_training_summary(training);
    for (size_t i = 0; i < end.evaluation_count; i++) {
      printf("epoch %.2f: dev error %.2f %%\n", end.evaluations[i].epoch,
             100.0 * end.evaluations[i].score[AD_VARIANT_STUDENT]);
    }
  }
  const int closed = ad_training_close(training, status != AD_OK);
  return status == AD_OK ? closed : status;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: train CONFIG.yaml [key=value ...]\n");
    return 1;
  }
  struct ad_math *math;
  const int status = ad_program_start(&argc, &argv, &math);
  return ad_program_end(status == AD_OK ? train(math, (size_t)argc - 1, argv + 1) : status, math);
}
