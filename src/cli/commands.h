/* The commands: each lives in its own file and returns a status. */
#ifndef AUTODIDACT_CLI_COMMANDS_H
#define AUTODIDACT_CLI_COMMANDS_H

#include "autodidact/math/context.h"

/* X(name, parallel, usage, what it does). Parallel commands start MPI, with 2 where their first argument is "run" or
 * "plan"; the others run on the first rank only. */
#define AD_COMMAND_MAP(X)                                                                                           \
  X(train, 1, "[CONFIG.yaml] [--train FILE] ...", "fine-tune an encoder")                                           \
  X(eval, 1, "RUN... --data FILE", "error, F1, confusion matrix; of several runs their --vote or --average")        \
  X(predict, 1, "RUN|MODEL --data FILE [--out FILE]", "the class of each example, or a table of probabilities")     \
  X(tokenize, 0, "--model DIR [FILE]", "the token ids of each line")                                                \
  X(data, 0, "CONFIG.yaml|FILE [key=value ...]", "what the readers see: rows, classes, lengths, digests")           \
  X(order, 0, "CONFIG.yaml [key=value ...]", "the example ids of every step, for use in other tools")               \
  X(runs, 0, "[FOLDER...]", "one table of many runs: state, steps, scores, seeds, keys that differ")                \
  X(diff, 0, "RUN_A RUN_B...", "the first difference of two runs, and what differs in their inputs")                \
  X(verify, 1, "RUN [--replay N]", "compares a run with its own digests; trains N of its steps again")              \
  X(report, 0, "RUN... [--out DIR] [--json]",                                                                       \
    "curves, confusion matrix, calibration, times, provenance: a page and text")                                    \
  X(inspect, 0, "FILE|MODEL|RUN", "what a run, or any file of it, holds")                                           \
  X(export, 0, "RUN --out|--tensorboard DIR", "a Hugging Face folder of the run's result; its log for TensorBoard") \
  X(study, 2, "run|plan|status|report STUDY.yaml", "many trainings: seeds x settings, packed into ranks of jobs")   \
  X(doctor, 1, "", "checks MPI, HDF5, BLAS kernels, threads, row independence, disk; speed of sgemm")

/* math: NULL for commands that are not parallel, and for those that are asked for a text alone. */
#define AD_COMMAND_PROTOTYPE(name, parallel, usage, text) \
  int ad_command_##name(const struct ad_math *math, int argc, char **argv);
AD_COMMAND_MAP(AD_COMMAND_PROTOTYPE)
#undef AD_COMMAND_PROTOTYPE

#endif
