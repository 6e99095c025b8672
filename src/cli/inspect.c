/* autodidact inspect: what a file or folder holds. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/file.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run_files.h"
#include "commands.h"
#include "inspect.h"

/* By its name where that says it, else by its first bytes. */
static int inspect(const char *path) {
  static const struct {
    const char *name;
    int (*show)(const char *path);
  } files[] = {
#define RUN_FILE(constant, name, shown, text) {name, inspect_##shown},
      AD_RUN_FILE_MAP(RUN_FILE)
#undef RUN_FILE
          {"config.json", inspect_model_config}};
  if (ad_is_folder(path) && inspect_is_run(path)) {
    return inspect_run(path);
  }
  for (size_t i = 0; i < sizeof files / sizeof *files && ad_is_file(path); i++) {
    if (files[i].show != NULL && strcmp(ad_path_name(path), files[i].name) == 0) {
      return files[i].show(path);
    }
  }
  if (ad_is_file(path) && inspect_is_hdf5(path)) {
    return inspect_hdf5(path);
  }
  return inspect_weights(path);
}

int ad_command_inspect(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  static const struct arguments arguments = {
      .command = "inspect",
      .usage = "FILE|MODEL|RUN",
      .text =
          "Shows what a file holds. Of each tensor of a safetensors file or a Hugging Face model folder: name, type, "
          "shape, Euclidean norm, smallest and largest value, number of NaN and infinite values, digest (XXH3) of the "
          "stored bytes. Of a model's config.json alone its keys, and the model that they describe; one that cannot be "
          "loaded is refused (exit code 1), whether its weights are there or not. Of a run, or any of its files, a "
          "summary: of config.yaml what differs from the defaults, of log.jsonl losses and evaluations, of "
          "timing.jsonl seconds, of a checkpoint vectors, tensors and numbers, of snapshots datasets and numbers, of "
          "logits scores.",
      .least = 1,
      .most = 1};
  size_t count;
  int help;
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  AD_TRY(inspect(argv[1]));
  return fflush(stdout) != 0 || ferror(stdout) ? ad_fail(AD_EIO, "standard output could not be written") : AD_OK;
}
