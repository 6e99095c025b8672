/* What a run was given, kept in its folder, so that it can be used from anywhere and after the files have changed:
 *
 *   descriptor.yaml  the descriptor of its data, byte for byte
 *   inputs.json      paths of descriptor, data and base model, absolute, and the digests of what was read
 *
 * Runs that were made before have neither: found 0. */
#ifndef AUTODIDACT_STORE_RUN_INPUTS_H
#define AUTODIDACT_STORE_RUN_INPUTS_H

#include <stdint.h>

#include "autodidact/base/config.h"
#include "autodidact/data/descriptor.h"
#include "autodidact/store/run.h"

struct ad_run_inputs {
  int found;
  char *descriptor; /* absolute paths, owned; NULL: not known */
  char *model;
  char *file[AD_SPLITS];
  uint64_t descriptor_digest;
  uint64_t digest[AD_SPLITS]; /* of the file's bytes, as ad_dataset.digest; 0: not read */
  /* Of several data sets: paths of each, owned; the digests above are those of all together. */
  struct ad_run_inputs *sets; /* [set_count] in the descriptor's order */
  size_t set_count;
};

/* What a training of this configuration is given: `descriptor` with hold-out, digests 0. The caller owns it:
 * ad_run_inputs_destroy. AD_ENOMEM, AD_EIO (no current folder). */
int ad_run_inputs_create(struct ad_run_inputs *inputs, const struct ad_config *config,
                         const struct ad_descriptor *descriptor);
void ad_run_inputs_destroy(struct ad_run_inputs *inputs);

/* Writes both files. AD_EIO, AD_ENOMEM. */
int ad_run_inputs_write(struct ad_run *run, const struct ad_run_inputs *inputs, const struct ad_descriptor *descriptor);

/* Reads inputs.json of a run's folder. The caller owns it. AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_run_inputs_read(struct ad_run_inputs *inputs, const char *folder);

/* The run's own descriptor, under the name that it had. The caller owns it. AD_EINPUT (missing, or not the bytes that
 * inputs.json names), AD_EIO, AD_ENOMEM. */
int ad_run_inputs_descriptor(const struct ad_run_inputs *inputs, const char *folder, struct ad_descriptor *descriptor);

/* What has changed in the descriptor since, `task` (data.task) in place of its own as before, as ad_descriptor_compare
 * reports it, "" and *kinds 0 where nothing has or where it is not there any more (*there 0). One that cannot be read
 * any more is AD_CHANGED_CLASSES. AD_EIO, AD_ENOMEM.
 */
int ad_run_inputs_changes(const struct ad_run_inputs *inputs, const char *task, const struct ad_descriptor *descriptor,
                          int *there, struct ad_buffer *out, unsigned *kinds);

/* Lets the descriptor (after hold-out) name the files that the run was given, whatever the current folder is. Each has
 * its recorded path. Where that no longer exists, it has the configuration's path, if that leads to a file from here. A
 * file that the configuration has for a split which the descriptor lacks makes that split, with train's layout.
 * `folder` not NULL: where the descriptor's files lie now. For a run made before, the configuration's folder is taken
 * as it stands. AD_EIO, AD_ENOMEM. */
int ad_run_inputs_place(const struct ad_run_inputs *inputs, const struct ad_config *config, const char *folder,
                        struct ad_descriptor *descriptor);

#endif
