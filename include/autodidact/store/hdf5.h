/* The HDF5 library itself; its types stay inside src/store. */
#ifndef AUTODIDACT_STORE_HDF5_H
#define AUTODIDACT_STORE_HDF5_H

/* "1.10.8", the version that is loaded; "unknown" where it does not say. Static storage, one thread. */
const char *ad_hdf5_version(void);

#endif
