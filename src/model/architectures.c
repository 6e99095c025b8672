/* The list of architectures. */
#include "architecture.h"

static const struct ad_architecture *const tables[AD_ARCHITECTURE_COUNT] = {
#define TABLE(ID, name) &ad_architecture_##name,
    AD_ARCHITECTURES(TABLE)
#undef TABLE
};

const struct ad_architecture *ad__architecture(enum ad_architecture_id id) {
  return tables[id];
}
