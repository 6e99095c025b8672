/* Digests: XXH3, 64 bits. They show whether bits are equal. They are no protection against intent. */
#ifndef AUTODIDACT_BASE_DIGEST_H
#define AUTODIDACT_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* The digest of `bytes` bytes. */
uint64_t ad_digest(const void *data, size_t bytes);

/* One that depends on a key too: a place, a purpose. */
uint64_t ad_digest_keyed(uint64_t key, const void *data, size_t bytes);

/* The sum modulo 2^64 of the keyed digests of blocks that follow one another: of `block` bytes each, the last one of
 * what is left. Their keys are key, key + step, key + 2 step, ... */
uint64_t ad_digest_blocks(uint64_t key, uint64_t step, const void *data, size_t bytes, size_t block);

/* The digest of a pair, for chains and for combining the digests of blocks in a fixed order. */
uint64_t ad_digest_pair(uint64_t first, uint64_t second);

/* The digest of a file's bytes. AD_EINPUT, AD_EIO. */
int ad_digest_file(const char *path, uint64_t *digest);

/* 16 hexadecimal digits and a NUL into text [17]; returns text. */
char *ad_digest_text(uint64_t digest, char text[17]);

#endif
