/* Processes, as the files of leases name them. Private to store/. */
#ifndef AUTODIDACT_STORE_OWNER_H
#define AUTODIDACT_STORE_OWNER_H

enum { OWNER_TEXT = 512, OWNER_WORD = 100 };

/* "HOST PID START BOOT SPACE SINCE": the numbers of processes mean something only within a boot of a machine (the
 * kernel's number for it) and a namespace of process numbers. */
struct owner {
  char host[OWNER_WORD], boot[OWNER_WORD], space[OWNER_WORD]; /* "?": not known */
  long pid;
  unsigned long long start; /* of the process, in clock ticks since the boot */
  double since;             /* when the line was made, seconds since 1970; 0: not known */
};

/* This process, as a line. */
void ad__owner_print(char text[OWNER_TEXT]);

/* Reads such a line; 0 where it is none. */
int ad__owner_read(const char *text, struct owner *owner);

/* Whether the process exists, as far as this one can tell. */
enum owner_presence { OWNER_GONE, OWNER_PRESENT, OWNER_ELSEWHERE };
enum owner_presence ad__owner_find(const struct owner *owner);

#endif
