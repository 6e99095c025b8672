/* Members of a row, for its readers: 1 where the object has one of that kind, else 0 and a value of 0. */
#ifndef AUTODIDACT_STORE_ROWS_INTERNAL_H
#define AUTODIDACT_STORE_ROWS_INTERNAL_H

#include "autodidact/store/rows.h"

int ad__row_count(const json_t *object, const char *name, uint64_t *value);
int ad__row_digest(const json_t *object, const char *name, uint64_t *value);
int ad__row_variant(const json_t *object, const char *name, enum ad_variant *variant);

#endif
