/* What a run records of the machine and its libraries: none of it decides a bit (docs/arithmetic.md). */
#ifndef AUTODIDACT_BASE_MACHINE_H
#define AUTODIDACT_BASE_MACHINE_H

/* The CPU's name, as "AMD EPYC 9B14", or "unknown". Static storage, one thread. */
const char *ad_machine_cpu(void);

/* Its cores, counted once where each runs several threads; processors where the machine tells no cores. At least 1.
 * One thread. */
unsigned ad_machine_cores(void);

/* The operating system and its kernel, as "Debian GNU/Linux 12 (bookworm), Linux 6.1.0-13-amd64". Static storage, one
 * thread. */
const char *ad_machine_os(void);

/* The C library and its version, as "glibc 2.36". Static storage. */
const char *ad_machine_libc(void);

/* The path of the program that runs; empty where the system does not tell. Static storage, one thread. */
const char *ad_machine_program(void);

#endif
