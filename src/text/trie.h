/* A trie over bytes as a double array (Aoe 1989): one load and one comparison a byte, whatever the alphabet. */
#ifndef AUTODIDACT_SRC_TEXT_TRIE_H
#define AUTODIDACT_SRC_TEXT_TRIE_H

#include <stddef.h>
#include <stdint.h>

#define AD_TRIE_NONE UINT32_MAX

/* The child of node n over byte b is node base[n] + b if that one's parent is n. */
struct ad_trie_node {
  uint32_t base;
  uint32_t parent; /* AD_TRIE_NONE: not in use (or the root) */
  uint32_t value;  /* of the string that ends here; AD_TRIE_NONE: none does */
};

struct ad_trie {
  struct ad_trie_node *node; /* [count], owned; node 0 is the root */
  size_t count;              /* base + 255 of any node is below it */
};

/* Builds the trie of strings [count], sorted by their bytes (strcmp), all different and none empty; values [count].
 * The caller owns it: ad_trie_destroy. AD_OK, AD_ENOMEM. */
int ad_trie_create(struct ad_trie *trie, const char *const *strings, const uint32_t *values, size_t count);
void ad_trie_destroy(struct ad_trie *trie);

/* The child of a node over a byte; AD_TRIE_NONE when there is none. */
static inline uint32_t ad_trie_step(const struct ad_trie *trie, uint32_t node, unsigned char byte) {
  const uint32_t child = trie->node[node].base + byte;
  return trie->node[child].parent == node ? child : AD_TRIE_NONE;
}

/* The node after the bytes of a text; AD_TRIE_NONE when no string begins so. */
uint32_t ad_trie_find(const struct ad_trie *trie, const char *text);

/* The value of a string [size bytes]; AD_TRIE_NONE when it is none of them. */
uint32_t ad_trie_value(const struct ad_trie *trie, const char *text, size_t size);

#endif
