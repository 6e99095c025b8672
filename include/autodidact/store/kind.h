/* Which of this program's HDF5 files a file is. */
#ifndef AUTODIDACT_STORE_KIND_H
#define AUTODIDACT_STORE_KIND_H

enum ad_file_kind { AD_FILE_CHECKPOINT, AD_FILE_SNAPSHOTS, AD_FILE_LOGITS };

/* By its datasets. AD_EINPUT: none of them, or no HDF5. AD_EIO. */
int ad_file_kind(const char *path, enum ad_file_kind *kind);

#endif
