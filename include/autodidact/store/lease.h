/* Leases: who is writing, be it into a cell of a study or into the folder of a run. Without a server, on a shared file
 * system, among any number of jobs.
 *
 * A lease is a file FOLDER/NAME.N, N being its generation. It is made by link(2), or by O_EXCL where a file system has
 * no links. Both fail where the name exists, so only one of those who want generation N gets it. The highest generation
 * is the valid one. Its holder sets the file's time every now and then; whoever finds it too old, by the file server's
 * own clock, makes generation N + 1. One that ended orderly is gone, or has its time set to 1970. A holder that was
 * only slow finds its file gone, and must write nothing more. On the same machine a holder that no longer exists is
 * seen at once, and one that exists is never overtaken.
 *
 * Who has got a lease must look again at the cell or the run: another holder may have worked on it in between. Words:
 * docs/glossary.md. */
#ifndef AUTODIDACT_STORE_LEASE_H
#define AUTODIDACT_STORE_LEASE_H

#include <stddef.h>

enum { AD_LEASE_NAME = 32 };

struct ad_lease {
  char *path; /* NULL: not held; owned */
  int fd;
  unsigned generation;
};

/* Tries to get the lease `name` (shorter than AD_LEASE_NAME) in a folder, which is made. `known`: its latest generation
 * as far as the caller knows (0: none). `patience`: seconds without a sign of life after which a holder on another
 * machine counts as gone. *taken 0: somebody has it. AD_EIO, AD_ENOMEM. The caller ends it: ad_lease_end. */
int ad_lease_take(struct ad_lease *lease, const char *folder, const char *name, unsigned known, double patience,
                  int *taken);

/* Whether it is still held; 0 where somebody else has overtaken. Beat: a sign of life besides. May be called by another
 * thread than the holder's. */
int ad_lease_held(const struct ad_lease *lease);
int ad_lease_beat(const struct ad_lease *lease);

/* Gives it up: done 1 removes it, 0 leaves the cell to whoever comes next. A lost or empty one is allowed. */
void ad_lease_end(struct ad_lease *lease, int done);

/* Removes what holders left that were killed: files on their way to become leases, and leases of what is finished.
 * `finished`: 1 for such names; NULL: for none. What belongs to somebody who lives stays. AD_EIO, AD_ENOMEM. */
int ad_lease_tidy(const char *folder, double patience, int (*finished)(const void *context, const char *name),
                  const void *context);

/* Signs of life from a thread of their own, while the holder computes. */
struct ad_heartbeat;

/* Begins to beat every `interval` seconds. The lease must outlive it. The caller ends it: ad_heartbeat_stop (NULL is
 * allowed). AD_ENOMEM, AD_EIO (no thread to be had). */
int ad_heartbeat_start(struct ad_heartbeat **heartbeat, const struct ad_lease *lease, double interval);
void ad_heartbeat_stop(struct ad_heartbeat *heartbeat);

/* 1 once a beat has found the lease lost. */
int ad_heartbeat_lost(struct ad_heartbeat *heartbeat);

/* One lease of a folder, and its holder. */
struct ad_lease_entry {
  char name[AD_LEASE_NAME];
  unsigned generation; /* 0: there is none */
  int alive;           /* 1: held, with a sign of life within `patience` by this machine's clock */
  int certain;         /* 1: its holder is a process of this machine, known to exist */
  double beat;         /* when the last sign of life was given, by the file server's clock, seconds since 1970 */
  double since;        /* when it was taken, by its holder's clock; 0: not known */
  long pid;
  char host[100];
};

/* The latest lease of each name, in no order; *entries is the caller's (ad_free). No folder: none. AD_EIO, AD_ENOMEM.
 */
int ad_lease_list(const char *folder, double patience, struct ad_lease_entry **entries, size_t *count);

/* That of one name. AD_EIO, AD_ENOMEM. */
int ad_lease_find(const char *folder, const char *name, double patience, struct ad_lease_entry *entry);

/* Whether a file's name is that of a lease `name`, or of one on its way. */
int ad_lease_is_file(const char *file, const char *name);

#endif
