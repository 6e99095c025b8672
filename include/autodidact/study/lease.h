/* Leases: who is running a cell. Without a server, on a shared file system, among any number of jobs.
 *
 * A lease is a file leases/ID.N of study.dir, N being its generation. It is made by link(2), which fails where the name
 * is there: so only one of those who want generation N gets it. The highest generation is the valid one. Its holder sets
 * the file's time every now and then; whoever finds it too old, by the file server's own clock, makes generation N + 1.
 * One that ended orderly sets the time to 1970. A holder that was only slow finds its file gone, and must leave the cell.
 * On the same machine a holder that no longer exists is seen at once, and one that exists is never overtaken.
 *
 * Who has got a lease must look again whether the cell is still to be done. */
#ifndef AUTODIDACT_STUDY_LEASE_H
#define AUTODIDACT_STUDY_LEASE_H

#include <stddef.h>
#include <stdint.h>

struct ad_lease {
  char *path; /* NULL: not held; owned */
  int fd;
  unsigned generation;
};

/* Tries to get the lease of `id` in dir/leases, its latest generation being `known` as far as the caller knows.
 * `patience`: seconds without a sign of life after which a holder counts as gone. *taken 0: somebody has it. AD_EIO,
 * AD_ENOMEM. The caller ends it: ad_lease_end. */
int ad_lease_take(struct ad_lease *lease, const char *dir, uint64_t id, unsigned known, double patience, int *taken);

/* A sign of life; 0 where the lease is lost: somebody else runs the cell now. May be called by another thread than the
 * holder's. */
int ad_lease_beat(const struct ad_lease *lease);

/* Gives it up: done 1 removes it, 0 leaves the cell to whoever comes next. A lost or empty one is allowed. */
void ad_lease_end(struct ad_lease *lease, int done);

/* Removes what holders left that were killed: leases of cells that are finished, and files on their way to become leases.
 * `finished`: 1 for ids of such cells. What belongs to somebody who lives stays. AD_EIO, AD_ENOMEM. */
int ad_lease_tidy(const char *dir, double patience, int (*finished)(const void *context, uint64_t id), const void *context);

/* Signs of life from a thread of their own, while the holder computes. */
struct ad_heartbeat;

/* Begins to beat every `interval` seconds. The lease must outlive it. The caller ends it: ad_heartbeat_stop (NULL is
 * allowed). AD_ENOMEM, AD_EIO (no thread to be had). */
int ad_heartbeat_start(struct ad_heartbeat **heartbeat, const struct ad_lease *lease, double interval);
void ad_heartbeat_stop(struct ad_heartbeat *heartbeat);

/* 1 once a beat has found the lease lost. */
int ad_heartbeat_lost(struct ad_heartbeat *heartbeat);

/* One file of leases/. */
struct ad_lease_entry {
  uint64_t id;
  unsigned generation;
  int alive;   /* 1: held, with a sign of life within `patience` by this machine's clock */
  int certain; /* 1: its holder is a process of this machine, known to exist */
  double beat; /* when the last sign of life was given, by the file server's clock, seconds since 1970 */
};

/* The latest lease of each id, in no order; *entries is the caller's (ad_free). No folder: none. AD_EIO, AD_ENOMEM. */
int ad_lease_list(const char *dir, double patience, struct ad_lease_entry **entries, size_t *count);

#endif
