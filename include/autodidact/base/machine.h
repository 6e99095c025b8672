/* What a run records of the machine and its libraries: none of it decides a bit (docs/arithmetic.md). */
#ifndef AUTODIDACT_BASE_MACHINE_H
#define AUTODIDACT_BASE_MACHINE_H

/* The CPU's name, as "AMD EPYC 9B14", or "unknown". Static storage, one thread. */
const char *ad_machine_cpu(void);

/* The C library and its version, as "glibc 2.36". Static storage. */
const char *ad_machine_libc(void);

#endif
