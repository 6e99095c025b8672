/* Shared by ledger.c and ledger_tree.c. Private to store/. */
#ifndef AUTODIDACT_STORE_LEDGER_INTERNAL_H
#define AUTODIDACT_STORE_LEDGER_INTERNAL_H

#include "autodidact/store/ledger.h"
#include "autodidact/store/run_files.h"

/* The number of the first entry that is not before `name`. */
size_t ad__ledger_position(const struct ad_ledger *ledger, const char *name);

/* Appends a line. AD_EIO, AD_ENOMEM. */
int ad__ledger_add(struct ad_ledger *ledger, const struct ad_ledger_entry *entry);

#endif
