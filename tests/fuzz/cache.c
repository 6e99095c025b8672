/* Any bytes as a file of tokenised data. The first byte 0: as they are. Otherwise they are what lies behind the fixed
 * part of the header and its key, which are those of the data asked for, and the digest is put right. */
#include "fuzz.h"

#include "autodidact/base/digest.h"
#include "data/cache.h"

static const char about[] =
    "title: T\nsource: S\nlicence: L\nclasses: [no, yes]\nsplits: {train: {file: x}}\nformat: tsv\nheader: true\n"
    "columns: {text: a, label: l}\nlabels: {\"0\": no, \"1\": yes}\n";
static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n";

static struct ad_descriptor descriptor;
static struct ad_tokenizer *tokenizer;

/* As src/data/cache.c has it. */
struct header {
  char magic[8];
  uint32_t order, key_size;
  uint64_t numbers[7]; /* count, tokens, longest, truncated, skipped, empty, whole */
  uint64_t digest;
};

static uint64_t digest_of(const struct header *h, const struct ad_buffer *key, const uint8_t *arrays, size_t size) {
  const uint64_t count = h->numbers[0], tokens = h->numbers[1];
  const size_t sizes[4] = {(count + 1) * 8, tokens * 4, count * 4, count * 4};
  uint64_t digest = ad_digest_pair(ad_digest(h, sizeof *h), ad_digest(key->data, key->size));
  for (size_t i = 0; i < 4 && sizes[i] <= size; i++) {
    digest = ad_digest_pair(digest, ad_digest(arrays, sizes[i]));
    arrays += sizes[i];
    size -= sizes[i];
  }
  return digest;
}

static void put_sealed(const char *name, const struct ad_buffer *key, const uint8_t *data, size_t size) {
  static const char zeros[64];
  struct header h = {.magic = "ADTOKENS", .order = 0x01020304u, .key_size = (uint32_t)key->size};
  struct ad_buffer out = {0};
  const size_t head = size < sizeof h.numbers ? size : sizeof h.numbers;
  memcpy(h.numbers, data, head);
  uint8_t *arrays = malloc(size - head + 1); /* aligned */
  demand(arrays != NULL);
  memcpy(arrays, data + head, size - head);
  h.digest = h.numbers[0] < size && h.numbers[1] < size ? digest_of(&h, key, arrays, size - head) : 0;
  demand(ad_buffer_append(&out, &h, sizeof h) == AD_OK && ad_buffer_append(&out, key->data, key->size) == AD_OK);
  demand(ad_buffer_append(&out, zeros, (64 - key->size % 64) % 64) == AD_OK);
  demand(ad_buffer_append(&out, arrays, size - head) == AD_OK);
  fuzz_put(name, out.data, out.size);
  ad_buffer_destroy(&out);
  free(arrays);
}

static void look(const struct ad_dataset *d) {
  demand(d->count > 0 && d->offset[0] == 0);
  for (size_t i = 0; i < d->count; i++) {
    demand(d->offset[i] <= d->offset[i + 1] && ad_dataset_length(d, i) <= d->longest);
    demand(d->first[i] <= ad_dataset_length(d, i));
    demand(d->label[i] == AD_NO_LABEL || d->label[i] < descriptor.class_count);
    for (size_t t = d->offset[i]; t < d->offset[i + 1]; t++) {
      demand(d->ids[t] < ad_tokenizer_vocab(tokenizer));
    }
  }
}

/* The digest of the program is in the key: it is taken once. */
static const struct ad_cache *open_cache(void) {
  static struct ad_cache cache;
  const struct ad_read_options options = {.cache = fuzz_folder()};
  if (tokenizer == NULL) {
    demand(ad_descriptor_parse(&descriptor, "fuzz.yaml", about, sizeof about - 1) == AD_OK);
    demand(ad_tokenizer_create(&tokenizer, "fuzz", vocabulary, sizeof vocabulary - 1, 0) == AD_OK);
    demand(ad_cache_open(&cache, &descriptor, AD_SPLIT_TRAIN, &descriptor.source[AD_SPLIT_TRAIN], &options, tokenizer,
                         1) == AD_OK);
    fuzz_kept = ad_memory_stats().live_blocks;
  }
  return &cache;
}

void fuzz_input(const uint8_t *data, size_t size) {
  const struct ad_cache *cache = open_cache();
  const char *name = ad_path_name(cache->path);
  struct ad_dataset dataset = {0};
  if (size > 0 && data[0] == 0) {
    fuzz_put(name, data + 1, size - 1);
  } else if (size > 0) {
    put_sealed(name, &cache->key, data + 1, size - 1);
  }
  if (size > 0 && ad_cache_load(cache, &descriptor, &dataset)) {
    look(&dataset);
    ad_dataset_destroy(&dataset);
  }
}
