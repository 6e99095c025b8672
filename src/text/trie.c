#include "trie.h"

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* A node whose children are still to be placed: the strings [first, end) share their first `depth` bytes. */
struct task {
  uint32_t node;
  size_t first;
  size_t end;
  size_t depth;
};

struct builder {
  struct ad_trie *trie;
  size_t capacity; /* nodes allocated */
  size_t search;   /* first place worth trying */
  struct task *tasks;
  size_t task_count;
  size_t task_capacity;
};

/* Makes the nodes below `need` exist, unused. */
static int grow(struct builder *builder, size_t need) {
  struct ad_trie *trie = builder->trie;
  if (need <= trie->count) {
    return AD_OK;
  }
  if (need >= AD_TRIE_NONE) {
    return ad_fail(AD_EINPUT, "the vocabulary is too large: %zu trie nodes, at most %u", need, AD_TRIE_NONE - 1);
  }
  void *node = trie->node;
  AD_TRY(ad_reserve(&node, &builder->capacity, need, sizeof *trie->node));
  trie->node = node;
  memset(trie->node + trie->count, 0xFF, (need - trie->count) * sizeof *trie->node);
  trie->count = need;
  return AD_OK;
}

/* Finds a base that puts all `bytes` [count], ascending, on unused nodes. Node 0 is the root, so places start at 1. */
static int find_base(struct builder *builder, const unsigned char *bytes, size_t count, uint32_t *base) {
  struct ad_trie *trie = builder->trie;
  size_t used = 0;
  const size_t from = builder->search > bytes[0] ? builder->search : (size_t)bytes[0] + 1;
  for (size_t place = from;; place++) {
    const size_t candidate = place - bytes[0];
    AD_TRY(grow(builder, candidate + 512));
    if (trie->node[place].parent != AD_TRIE_NONE) {
      used++;
      continue;
    }
    size_t i = 1;
    while (i < count && trie->node[candidate + bytes[i]].parent == AD_TRIE_NONE) {
      i++;
    }
    if (i == count) {
      /* Nearly full regions are not searched again; this keeps the build linear in practice. */
      if (used * 20 >= (place - from + 1) * 19) {
        builder->search = place;
      }
      *base = (uint32_t)candidate;
      return AD_OK;
    }
  }
}

/* Collects the different bytes that follow the shared start, and where the strings of each begin. */
static size_t children(const char *const *strings, const struct task *task, size_t first, unsigned char bytes[256],
                       size_t starts[257]) {
  size_t count = 0;
  for (size_t i = first; i < task->end; i++) {
    const unsigned char byte = (unsigned char)strings[i][task->depth];
    if (count == 0 || bytes[count - 1] != byte) {
      bytes[count] = byte;
      starts[count++] = i;
    }
  }
  starts[count] = task->end;
  return count;
}

static int place_children(struct builder *builder, const char *const *strings, const uint32_t *values,
                          struct task task) {
  struct ad_trie *trie = builder->trie;
  if (strings[task.first][task.depth] == '\0') {
    trie->node[task.node].value = values[task.first++]; /* sorted, so the string that ends here comes first */
  }
  trie->node[task.node].base = 0;
  unsigned char bytes[256];
  size_t starts[257];
  const size_t count = children(strings, &task, task.first, bytes, starts);
  if (count == 0) {
    return AD_OK;
  }
  uint32_t base = 0;
  AD_TRY(find_base(builder, bytes, count, &base));
  trie->node[task.node].base = base;
  void *tasks = builder->tasks;
  AD_TRY(ad_reserve(&tasks, &builder->task_capacity, builder->task_count + count, sizeof *builder->tasks));
  builder->tasks = tasks;
  for (size_t i = 0; i < count; i++) {
    const uint32_t child = base + bytes[i];
    trie->node[child] = (struct ad_trie_node){.parent = task.node, .value = AD_TRIE_NONE};
    builder->tasks[builder->task_count++] =
        (struct task){.node = child, .first = starts[i], .end = starts[i + 1], .depth = task.depth + 1};
  }
  return AD_OK;
}

int ad_trie_create(struct ad_trie *trie, const char *const *strings, const uint32_t *values, size_t count) {
  *trie = (struct ad_trie){0};
  struct builder builder = {.trie = trie, .search = 1};
  int status = grow(&builder, 512);
  if (status == AD_OK && count > 0) {
    status = place_children(&builder, strings, values, (struct task){.end = count});
  } else if (status == AD_OK) {
    trie->node[0].base = 0;
  }
  while (status == AD_OK && builder.task_count > 0) {
    status = place_children(&builder, strings, values, builder.tasks[--builder.task_count]);
  }
  ad_free(builder.tasks);
  if (status != AD_OK) {
    ad_trie_destroy(trie);
  }
  return status;
}

void ad_trie_destroy(struct ad_trie *trie) {
  ad_free(trie->node);
  *trie = (struct ad_trie){0};
}

uint32_t ad_trie_find(const struct ad_trie *trie, const char *text) {
  uint32_t node = 0;
  while (*text != '\0' && node != AD_TRIE_NONE) {
    node = ad_trie_step(trie, node, (unsigned char)*text++);
  }
  return node;
}

uint32_t ad_trie_value(const struct ad_trie *trie, const char *text, size_t size) {
  uint32_t node = 0;
  for (size_t i = 0; i < size && node != AD_TRIE_NONE; i++) {
    node = ad_trie_step(trie, node, (unsigned char)text[i]);
  }
  return node == AD_TRIE_NONE ? AD_TRIE_NONE : trie->node[node].value;
}
