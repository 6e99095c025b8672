/* The list of architectures. */
#include <stdio.h>
#include <string.h>

#include "architecture.h"
#include "autodidact/base/status.h"

static const struct ad_architecture *const tables[AD_ARCHITECTURE_COUNT] = {
#define TABLE(ID, name) &ad_architecture_##name,
    AD_ARCHITECTURES(TABLE)
#undef TABLE
};

const struct ad_architecture *ad__architecture(enum ad_architecture_id id) {
  return tables[id];
}

int ad__architecture_find(const char *type, enum ad_architecture_id *id) {
  for (*id = 0; type != NULL && *id < AD_ARCHITECTURE_COUNT; ++*id) {
    if (strcmp(type, tables[*id]->model_type) == 0) {
      return 1;
    }
  }
  return 0;
}

void ad__architecture_types(char *text, size_t size) {
  size_t length = 0;
  for (enum ad_architecture_id id = 0; id < AD_ARCHITECTURE_COUNT && length < size; id++) {
    length += (size_t)snprintf(text + length, size - length, "%s\"%s\"", id == 0 ? "" : " or ", tables[id]->model_type);
  }
}

const char *ad_architecture_title(enum ad_architecture_id id) {
  return tables[id]->title;
}

int ad_params_recognise(struct ad_model_config *config, ad_shape_of shape, void *context) {
  uint32_t pooler[2], classifier[2];
  for (enum ad_architecture_id id = 0; id < AD_ARCHITECTURE_COUNT; id++) {
    const struct ad_architecture *a = tables[id];
    *config = (struct ad_model_config){.architecture = id, .heads = 1, .layer_norm_eps = 1e-12f};
    AD_TRY(a->recognise(config, shape, context));
    AD_TRY(shape(context, a->pooler[0], pooler));
    AD_TRY(shape(context, a->classifier[0], classifier));
    config->classes = classifier[0];
    config->classifier = pooler[0] > 0 ? AD_CLASSIFIER_POOLER : AD_CLASSIFIER_CLS;
    if (config->hidden > 0 && config->layers > 0) {
      break;
    }
  }
  return AD_OK;
}
