/* What this program was built from and with. All texts have static storage. */
#ifndef AUTODIDACT_BASE_BUILD_H
#define AUTODIDACT_BASE_BUILD_H

/* The version of the arithmetic (docs/arithmetic.md): programs of one version end with the same bits. It is raised
 * where a saved bit changes, together with tests/golden. */
#define AD_ARITHMETIC 1
#define AD_ARITHMETIC_BFLOAT16 2 /* the same of what runs with train.precision=bfloat16 have besides */

const char *ad_build_version(void);  /* "0.1.0" */
const char *ad_build_commit(void);   /* git's description of the source, "unknown" outside a checkout */
const char *ad_build_citation(void); /* "AUTHORS: TITLE, version 0.1.0" of CITATION.cff */
const char *ad_build_cite(void);     /* the same with its date, and the paper, as text and as BibTeX: some lines */
const char *ad_build_compiler(void); /* "gcc 12.2.0" */
const char *ad_build_flags(void);    /* build type and compiler flags */

#endif
