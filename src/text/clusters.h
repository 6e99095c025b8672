/* Grapheme clusters, UAX 29, as Hugging Face's library `tokenizers` has them. Not installed. */
#ifndef AUTODIDACT_SRC_TEXT_CLUSTERS_H
#define AUTODIDACT_SRC_TEXT_CLUSTERS_H

#include <stddef.h>

/* The end of the cluster that begins at `start` of a text [size > start bytes] of valid UTF-8. Two regional indicators
 * count as two clusters: `Precompiled`, which asks, takes the characters of so long a cluster one by one. *single: it
 * is one character. */
size_t ad_cluster_end(const char *text, size_t size, size_t start, int *single);

#endif
