/* What this program was built from and with. All texts have static storage. */
#ifndef AUTODIDACT_BASE_BUILD_H
#define AUTODIDACT_BASE_BUILD_H

const char *ad_build_version(void);  /* "0.1.0" */
const char *ad_build_commit(void);   /* git's description of the source, "unknown" outside a checkout */
const char *ad_build_compiler(void); /* "gcc 12.2.0" */
const char *ad_build_flags(void);    /* build type and compiler flags */

#endif
