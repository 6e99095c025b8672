/* autodidact study run. */
#include <stdint.h>

#include "arguments.h"
#include "autodidact/base/status.h"
#include "study.h"

int study_command_run(const struct ad_math *math, int argc, char **argv) {
  int help;
  size_t count;
  const struct arguments arguments = {
      "study run",
      "STUDY.yaml [key=value ...]",
      "Runs the cells of a study that are not finished, each on study.ranks_per_trial ranks, under mpirun or srun or "
      "alone. Any number of jobs may run the same study at one time. Takes keys that do not change a cell "
      "(run.time_limit, checkpoint.minutes, ...).",
      NULL,
      0,
      1,
      SIZE_MAX};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  return help ? AD_OK : ad_study_run(math, count, argv + 1, study_print_status);
}
