/* What the files of inspect share. Not installed. */
#ifndef AUTODIDACT_CLI_INSPECT_H
#define AUTODIDACT_CLI_INSPECT_H

#include <stddef.h>

struct summary {
  double norm, least, most; /* of the finite values */
  size_t not_finite;
};
struct summary inspect_summarise(const float *values, size_t count);

/* A safetensors file, or a model folder. */
int inspect_weights(const char *path);

/* What the model of a folder is like by its config.json; that file alone, with the errors of loading it. */
int inspect_model(const char *folder);
int inspect_model_config(const char *path);

/* Whether a file begins as HDF5 does; checkpoints, snapshots and logits. */
int inspect_is_hdf5(const char *path);
int inspect_hdf5(const char *path);
int inspect_checkpoint(const char *path);
int inspect_snapshots(const char *path);

/* Whether a folder is a run's; the run, and the files of its folder that are text. */
int inspect_is_run(const char *path);
int inspect_run(const char *path);
int inspect_log(const char *path);
int inspect_timing(const char *path);
int inspect_json(const char *path);
int inspect_configuration(const char *path);
#define inspect_nothing NULL /* by its name; its first bytes may tell */

#endif
