/* Reading datasets of runs for a report. Nothing in a file is trusted: a dataset of another shape is not there. */
#ifndef AUTODIDACT_SRC_STUDY_REPORT_HDF5_H
#define AUTODIDACT_SRC_STUDY_REPORT_HDF5_H

#include <hdf5.h>
#include <stddef.h>

/* Opens a file for reading; -1 where it cannot be (H5's own messages are off). The caller closes: H5Fclose. */
hid_t report_open(const char *path);

/* Reads a whole dataset of `rank` dimensions as `type` into new memory *data (ad_free), its extents into shape [rank].
 * Returns 1, or 0 where there is none of that rank, or it cannot be read, or is larger than `most` elements. AD_ENOMEM.
 */
int report_read(hid_t file, const char *name, hid_t type, int rank, size_t most, size_t *shape, void **data);

#endif
