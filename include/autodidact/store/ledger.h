/* The files that a run has made: files.jsonl in its folder.
 *
 * A line is appended, and synced, before a file is made; once the run is finished another, with its size and digest:
 *
 *   {"file":"model/config.json"}
 *   {"file":"model/config.json","bytes":612,"xxh3":"0123456789abcdef"}
 *
 * The last line of a file counts. Without a digest it may be there or not; with one it is sealed: it must be there, and
 * the same. The line of result.json is the last one that is sealed before that file is written. While a file is written
 * its name, or that of its folder, has ".partial" behind it. What is not named was made by somebody else: a run neither
 * removes it nor writes over it. Whoever writes here holds the folder's lease. Words: docs/glossary.md. */
#ifndef AUTODIDACT_STORE_LEDGER_H
#define AUTODIDACT_STORE_LEDGER_H

#include <stddef.h>
#include <stdint.h>

struct ad_ledger_entry {
  char *name; /* relative to the folder; owned */
  int sealed;
  uint64_t bytes, digest; /* of a sealed one */
};

struct ad_ledger {
  char *folder;                    /* owned */
  struct ad_ledger_entry *entries; /* [count], by name */
  size_t count, capacity;
  int there;      /* 1: the folder has a files.jsonl */
  uint64_t whole; /* bytes of its whole lines */
  int fd;         /* for appending, or -1 */
};

/* Reads a folder's; one that has none has made nothing. The caller closes it, after a failure too. AD_EINPUT (it is no
 * list of files), AD_EIO, AD_ENOMEM. */
int ad_ledger_open(struct ad_ledger *ledger, const char *folder);
void ad_ledger_close(struct ad_ledger *ledger);

/* The entry of a file; NULL: the run has not made it. Valid until the next line. */
const struct ad_ledger_entry *ad_ledger_find(const struct ad_ledger *ledger, const char *name);

/* Before a file is made, or made again. AD_EINPUT where something is there that the run has not made, or a symbolic
 * link in place of the file or of a folder on the way to it. AD_EIO, AD_ENOMEM. */
int ad_ledger_record(struct ad_ledger *ledger, const char *name);

/* Seals all files that exist, but for those whose names begin with `but` (NULL: none). A sealed file that no longer
 * exists is unsealed. Or one file; or one that is yet to be written, with this text [size]. AD_EINPUT, AD_EIO,
 * AD_ENOMEM. */
int ad_ledger_seal_all(struct ad_ledger *ledger, const char *but);
int ad_ledger_seal(struct ad_ledger *ledger, const char *name);
int ad_ledger_seal_text(struct ad_ledger *ledger, const char *name, const char *text, size_t size);

/* Unseals all files: the run goes on, and they may change again. AD_EIO, AD_ENOMEM. */
int ad_ledger_unseal(struct ad_ledger *ledger);

/* Names of files, sorted. Owned: ad_ledger_names_destroy. */
struct ad_ledger_names {
  char **items; /* [count] */
  size_t count, capacity;
};
void ad_ledger_names_destroy(struct ad_ledger_names *names);

/* What is in the folder and not the run's. AD_LEDGER_FOREIGN: files (or whole folders) that it has not made, but for
 * leases and logs of Slurm; AD_LEDGER_LINKS: symbolic links in place of what it has made. AD_EIO, AD_ENOMEM. */
enum { AD_LEDGER_FOREIGN = 1, AD_LEDGER_LINKS = 2 };
int ad_ledger_list(const struct ad_ledger *ledger, int which, struct ad_ledger_names *names);

/* Removes files that the run has made and whose names begin with `under` ("": all, and files.jsonl after them), and the
 * folders that are empty then. Removes links in their places, never what they lead to. Partial: only what was being
 * written when a run was stopped. AD_EIO, AD_ENOMEM. */
int ad_ledger_remove(struct ad_ledger *ledger, const char *under);
int ad_ledger_remove_partial(const struct ad_ledger *ledger);

#endif
