/* The names in a run's folder (docs/user-guide.md). Code that opens one takes its name
 * from here. */
#ifndef AUTODIDACT_STORE_RUN_FILES_H
#define AUTODIDACT_STORE_RUN_FILES_H

#include "autodidact/base/choices.h"

/* X(constant, name, as what `inspect` shows it, what it holds), in the order in which it shows them. */
#define AD_RUN_FILE_MAP(X)                                                                                      \
  X(AD_RUN_FILE_CONFIG, "config.yaml", configuration, "the resolved configuration")                             \
  X(AD_RUN_FILE_PROVENANCE, "provenance.json", json, "what the bits depend on besides; where and when it ran")  \
  X(AD_RUN_FILE_LOG, "log.jsonl", log, "a line a step and one an evaluation: reproducible columns only")        \
  X(AD_RUN_FILE_TIMING, "timing.jsonl", timing, "everything that is not reproducible")                          \
  X(AD_RUN_FILE_RESULT, "result.json", json, "the final metrics; written last: with it a run is complete")      \
  X(AD_RUN_FILE_DESCRIPTOR, "descriptor.yaml", nothing, "the descriptor of the data, byte for byte")            \
  X(AD_RUN_FILE_INPUTS, "inputs.json", nothing, "where descriptor, data and base model lay, and their digests") \
  X(AD_RUN_FILE_LEDGER, "files.jsonl", nothing, "what of all this the run has made (store/ledger.h)")

/* X(constant, name, what it holds), in that order too. */
#define AD_RUN_FOLDER_MAP(X)                                                         \
  X(AD_RUN_FOLDER_CHECKPOINTS, "checkpoints", "what an unfinished run goes on from") \
  X(AD_RUN_FOLDER_SNAPSHOTS, "snapshots", "numbers of chosen steps")                 \
  X(AD_RUN_FOLDER_LOGITS, "logits", "logits of evaluations, when kept")              \
  X(AD_RUN_FOLDER_MODEL, "model", "the result as a Hugging Face folder")             \
  X(AD_RUN_FOLDER_VARIANTS, "variants", "by name, the other parameters that were evaluated, likewise")

#define AD_RUN_NAME(constant, name, ...) static const char constant[] = name;
AD_RUN_FILE_MAP(AD_RUN_NAME)
AD_RUN_FOLDER_MAP(AD_RUN_NAME)
#undef AD_RUN_NAME

/* The folder of a variant in the run's: "model" of the result, "variants/teacher"; returns name. */
enum { AD_RUN_MODEL_NAME = 32 };
const char *ad_run_model_name(enum ad_variant variant, enum ad_variant result, char name[AD_RUN_MODEL_NAME]);

#endif
