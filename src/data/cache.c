#include "cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "targets.h"

static const char MAGIC[8] = "ADTOKENS";
enum { VERSION = 3, LINE = 64 };

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "offsets are mapped as they are written");

/* Behind it the key, padded to whole lines of zeros, then offset [count + 1], ids [tokens], first [count], label
 * [count,Q], and where a split has them targets [count,C].
 */
struct header {
  char magic[8];
  uint32_t order; /* of bytes: ORDER as this machine writes it */
  uint32_t key_size;
  uint64_t count, tokens, longest, truncated, skipped, empty, whole;
  uint64_t digest; /* of the header with a 0 here, the key and the arrays, one after another */
};
static const uint32_t ORDER = 0x01020304u;

static size_t padded(size_t size) {
  return (size + LINE - 1) / LINE * LINE;
}

int ad_cache_open(struct ad_cache *cache, const struct ad_descriptor *descriptor, enum ad_split split,
                  const struct ad_source *source, const struct ad_read_options *options,
                  const struct ad_tokenizer *tokenizer, uint64_t digest) {
  *cache = (struct ad_cache){.vocab = ad_tokenizer_vocab(tokenizer),
                             .target_width = ad__target_width(source, split, descriptor->class_count)};
  const struct ad_tokenizer_options how = ad_tokenizer_options(tokenizer);
  uint64_t program;
  /* Not the commit, which says nothing of changes that are not committed. */
  const int status = ad_digest_file("/proc/self/exe", &program);
  if (status != AD_OK) {
    return status == AD_ENOMEM ? status : ad_fail_prefix(AD_EIO, "data.cache needs the digest of the program");
  }
  AD_TRY(ad_buffer_printf(
      &cache->key,
      "tokens %d\nprogram %016" PRIx64 "\ndata %016" PRIx64 "\ndescriptor %016" PRIx64
      "\nsplit %s, other file %d\nrule %d: %zu to %zu, seed %" PRIu64 "\nvocabulary %016" PRIx64
      ", lower case %d, accents stripped %d, CJK split %d\nlimit %zu, truncation %d\nrows %zu, of a class "
      "%zu, labels %d, every row %d\n",
      VERSION, program, digest, descriptor->digest, ad_split_name(split), options->file != NULL, source->shuffled,
      source->begin, source->end, descriptor->split_seed, ad_tokenizer_digest(tokenizer), how.lower_case,
      how.strip_accents, how.split_cjk, options->limit, (int)options->truncation, options->rows, options->per_class,
      options->labels, options->every_row));
  char text[17], name[32];
  snprintf(name, sizeof name, "%s.tokens", ad_digest_text(ad_digest(cache->key.data, cache->key.size), text));
  cache->path = ad_path_join(options->cache, name);
  return cache->path == NULL ? ad_fail_memory(strlen(options->cache) + sizeof name, "a path") : AD_OK;
}

void ad_cache_close(struct ad_cache *cache) {
  ad_buffer_destroy(&cache->key);
  ad_free(cache->path);
  *cache = (struct ad_cache){0};
}

/* The arrays of a data set, in the order of the file. */
struct part {
  const void *data;
  size_t bytes;
};
enum { PARTS = 5 };

static void list_parts(const struct ad_dataset *d, size_t target_width, struct part parts[PARTS]) {
  parts[0] = (struct part){d->offset, (d->count + 1) * sizeof *d->offset};
  parts[1] = (struct part){d->ids, d->offset[d->count] * sizeof *d->ids};
  parts[2] = (struct part){d->first, d->count * sizeof *d->first};
  parts[3] = (struct part){d->label, d->count * d->words * sizeof *d->label};
  parts[4] = (struct part){d->targets, d->count * target_width * sizeof *d->targets};
}

static uint64_t digest_of(const struct header *header, const char *key, const struct part parts[PARTS]) {
  struct header blank = *header;
  blank.digest = 0;
  uint64_t digest = ad_digest_pair(ad_digest(&blank, sizeof blank), ad_digest(key, header->key_size));
  for (size_t i = 0; i < PARTS; i++) {
    digest = ad_digest_pair(digest, ad_digest(parts[i].data, parts[i].bytes));
  }
  return digest;
}

/* A digest is no protection against intent: what others index by is looked at. */
static const char *check_numbers(const struct ad_dataset *d, size_t tokens, size_t classes, size_t vocab) {
  for (size_t i = 0; i < d->count; i++) {
    const uint32_t *label = ad_dataset_label(d, i);
    if (d->offset[i + 1] < d->offset[i] || d->offset[i + 1] - d->offset[i] > d->longest || d->offset[i + 1] > tokens ||
        d->first[i] > d->offset[i + 1] - d->offset[i] ||
        (label[0] != AD_NO_LABEL && !d->task->is_label(classes, label))) {
      return "its offsets or labels are damaged";
    }
  }
  for (size_t t = 0; t < tokens; t++) {
    if (d->ids[t] >= vocab) {
      return "its tokens are damaged";
    }
  }
  return NULL;
}

/* What is wrong with a mapped file; NULL and the data set's arrays inside the map where nothing is. */
static const char *check(const struct ad_cache *cache, const struct ad_file_map *map,
                         const struct ad_descriptor *descriptor, struct ad_dataset *d) {
  const size_t words = ad_task_words(descriptor->task, descriptor->class_count);
  struct header h;
  if (map->size < sizeof h) {
    return "it is too short";
  }
  memcpy(&h, map->data, sizeof h);
  if (memcmp(h.magic, MAGIC, sizeof MAGIC) != 0 || h.order != ORDER) {
    return "it is no file of tokens of this kind of machine";
  }
  const uint64_t most = map->size / sizeof(uint32_t);
  if (h.key_size > map->size || h.count == 0 || h.count >= most || h.tokens >= most ||
      map->size != sizeof h + padded(h.key_size) + (h.count + 1) * sizeof(size_t) +
                       (h.tokens + (1 + words + cache->target_width) * h.count) * sizeof(uint32_t)) {
    return "its size is not what its header says";
  }
  const char *key = map->data + sizeof h;
  if (h.key_size != cache->key.size || memcmp(key, cache->key.data, h.key_size) != 0) {
    return "it is of other data";
  }
  /* Read-only: nobody writes into a data set. */
  char *at = (char *)(uintptr_t)(key + padded(h.key_size));
  *d = (struct ad_dataset){.count = h.count,
                           .offset = (size_t *)(void *)at,
                           .longest = h.longest,
                           .truncated = h.truncated,
                           .skipped = h.skipped,
                           .empty = h.empty,
                           .whole = h.whole != 0,
                           .task = descriptor->task,
                           .words = words,
                           .map = *map};
  d->ids = (uint32_t *)(void *)(d->offset + h.count + 1);
  d->first = d->ids + h.tokens;
  d->label = d->first + h.count;
  d->targets = cache->target_width == 0 ? NULL : (float *)(void *)(d->label + words * h.count);
  struct part parts[PARTS];
  if (d->offset[0] != 0 || d->offset[h.count] != h.tokens) {
    return "its offsets are damaged";
  }
  list_parts(d, cache->target_width, parts);
  if (digest_of(&h, key, parts) != h.digest) {
    return "its digest is not that of its bytes";
  }
  return check_numbers(d, (size_t)h.tokens, descriptor->class_count, cache->vocab);
}

/* 1: the data set is that of the file; 0: there is none; -1: it is of no use, and a warning says why, if asked for. */
static int load(const struct ad_cache *cache, const struct ad_descriptor *descriptor, int warn,
                struct ad_dataset *dataset) {
  struct ad_file_map map;
  struct ad_dataset found;
  if (access(cache->path, F_OK) != 0 && errno == ENOENT) {
    return 0;
  }
  const int there = ad_file_map(cache->path, &map) == AD_OK;
  const char *reason = there ? check(cache, &map, descriptor, &found) : ad_error_message();
  if (there && reason == NULL) {
    found.digest = dataset->digest;
    *dataset = found;
    return 1;
  }
  if (warn) {
    ad_log(AD_LOG_WARNING, "%s: %s; the data are tokenised again", there ? cache->path : "data.cache", reason);
  }
  if (there) {
    ad_file_unmap(&map);
  } else {
    ad_error_clear();
  }
  return -1;
}

int ad_cache_load(const struct ad_cache *cache, const struct ad_descriptor *descriptor, struct ad_dataset *dataset) {
  return load(cache, descriptor, 1, dataset) > 0;
}

/* A name that no other process writes under: of this host, process and moment. */
static int own_name(const struct ad_cache *cache, char **path) {
  struct {
    char host[256];
    long process;
    double moment;
  } self;
  memset(&self, 0, sizeof self);
  gethostname(self.host, sizeof self.host - 1);
  self.process = (long)getpid();
  self.moment = ad_clock();
  struct ad_buffer name = {0};
  AD_TRY(ad_buffer_printf(&name, "%s.%016" PRIx64, cache->path, ad_digest(&self, sizeof self)));
  *path = name.data;
  return AD_OK;
}

static int write_parts(FILE *out, const char *path, const struct ad_cache *cache, const struct header *header,
                       const struct part parts[PARTS]) {
  static const char zeros[LINE];
  const size_t gap = padded(cache->key.size) - cache->key.size;
  int whole = fwrite(header, sizeof *header, 1, out) == 1 &&
              fwrite(cache->key.data, 1, cache->key.size, out) == cache->key.size && fwrite(zeros, 1, gap, out) == gap;
  for (size_t i = 0; whole && i < PARTS; i++) {
    whole = parts[i].bytes == 0 || fwrite(parts[i].data, 1, parts[i].bytes, out) == parts[i].bytes;
  }
  whole = whole && fflush(out) == 0 && fsync(fileno(out)) == 0;
  return whole ? AD_OK : ad_fail(AD_EIO, "%s: could not be written: %s", path, strerror(errno));
}

/* Gives a file that was written under `own` its name. Of processes that come here at once the first one wins, and all
 * map its file; `replace`: what has the name is of no use. */
static int place(const char *own, const char *path, int replace) {
  if (replace || (link(own, path) != 0 && errno != EEXIST)) {
    return ad_file_rename(own, path); /* also where a file system has no links */
  }
  ad_ignore(unlink(own));
  return AD_OK;
}

static int write_file(const struct ad_cache *cache, const struct ad_dataset *d, int replace) {
  struct header header = {.order = ORDER,
                          .key_size = (uint32_t)cache->key.size,
                          .count = d->count,
                          .tokens = d->offset[d->count],
                          .longest = d->longest,
                          .truncated = d->truncated,
                          .skipped = d->skipped,
                          .empty = d->empty,
                          .whole = d->whole != 0};
  struct part parts[PARTS];
  char *path = NULL, *folder = ad_strndup(cache->path, (size_t)(ad_path_name(cache->path) - cache->path));
  memcpy(header.magic, MAGIC, sizeof MAGIC);
  list_parts(d, cache->target_width, parts);
  header.digest = digest_of(&header, cache->key.data, parts);
  int status = folder == NULL ? ad_fail_memory(strlen(cache->path), "a path") : ad_make_folders(folder);
  status = status == AD_OK ? own_name(cache, &path) : status;
  FILE *out = status == AD_OK ? fopen(path, "wxe") : NULL;
  if (status == AD_OK && out == NULL) {
    status = ad_fail(AD_EIO, "%s: could not be made: %s", path, strerror(errno));
  }
  if (out != NULL) {
    status = write_parts(out, path, cache, &header, parts);
    if (fclose(out) != 0 && status == AD_OK) {
      status = ad_fail(AD_EIO, "%s: could not be written: %s", path, strerror(errno));
    }
    status = status == AD_OK ? place(path, cache->path, replace) : status;
    if (status != AD_OK) {
      ad_ignore(unlink(path));
    }
  }
  ad_free(path);
  ad_free(folder);
  return status;
}

void ad_cache_store(const struct ad_cache *cache, const struct ad_descriptor *descriptor, struct ad_dataset *dataset) {
  struct ad_dataset mapped = {.digest = dataset->digest};
  /* Another process may have made it while this one tokenised: then all map one file. */
  int found = load(cache, descriptor, 0, &mapped);
  if (found <= 0 && write_file(cache, dataset, found < 0) != AD_OK) {
    ad_log(AD_LOG_WARNING, "data.cache: %s; the data are not kept", ad_error_message());
    ad_error_clear();
    return;
  }
  found = found > 0 ? found : load(cache, descriptor, 1, &mapped);
  if (found > 0) {
    ad_dataset_destroy(dataset);
    *dataset = mapped;
  }
}
