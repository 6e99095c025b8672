/* Any bytes as a checkpoint, or as the index behind one. The first byte 0: the others are a file. Otherwise they are
 * the index of a file of VALUES bytes, which is sealed with it, so that no digest stands in the way. */
#include "fuzz.h"

#include <fcntl.h>

#include "store/checkpoint_internal.h"

enum { VALUES = 8192 };

static void read_values(const struct ad_checkpoint *c) {
  const struct ad_state_vector *vectors;
  const size_t count = ad_checkpoint_vectors(c, &vectors), floats = ad_checkpoint_floats(c);
  demand(count > 0 && ad_checkpoint_find(c, "student") == 0 && ad_checkpoint_state(c) != NULL);
  for (size_t v = 0; v < count; v++) {
    demand(vectors[v].filled <= vectors[v].slots && vectors[v].filled <= VALUES / vectors[v].bytes);
    fuzz_touch(ad_checkpoint_digests(c, v), vectors[v].filled * sizeof(uint64_t));
    for (size_t row = 0; row < vectors[v].filled; row++) {
      void *values = malloc(floats * vectors[v].bytes);
      demand(ad_checkpoint_get(c, v, row, 0, floats, values) == AD_OK);
      free(values);
    }
  }
}

static void open_sealed(const uint8_t *data, size_t size) {
  static const char values[VALUES];
  struct ad_checkpoint *c;
  struct ad_buffer index = {0}, again = {0};
  const char *path = fuzz_put("checkpoint", values, VALUES);
  demand(ad_buffer_append(&index, data, size) == AD_OK);
  if (fuzz_accepted(ad_checkpoint_open_index(&c, path, &index, NULL))) {
    size_t whole;
    read_values(c);
    c->out = open(path, O_WRONLY);
    demand(c->out >= 0 && ad__checkpoint_seal(c, &whole) == AD_OK && whole > VALUES + size);
    ad_checkpoint_close(c);
    /* What stands in an index besides, as behind the end of a name, is not written again. */
    demand(ad_checkpoint_index(path, &again) == AD_OK && again.size == size);
    demand(ad_checkpoint_open_index(&c, path, &again, NULL) == AD_OK);
    read_values(c);
    ad_checkpoint_close(c);
  }
  ad_buffer_destroy(&again);
  ad_buffer_destroy(&index);
}

void fuzz_input(const uint8_t *data, size_t size) {
  struct ad_buffer index = {0};
  if (size > 0 && data[0] != 0) {
    open_sealed(data + 1, size - 1);
  } else if (size > 0) {
    fuzz_accepted(ad_checkpoint_index(fuzz_put("checkpoint", data + 1, size - 1), &index));
    ad_buffer_destroy(&index);
  }
}
