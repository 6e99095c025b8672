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

int ad__architecture_find(const char *type, enum ad_architecture_id *id, uint32_t *variant) {
  for (*id = 0; type != NULL && *id < AD_ARCHITECTURE_COUNT; ++*id) {
    const struct ad__model_type *types = tables[*id]->model_types;
    for (*variant = 0; types[*variant].name != NULL; ++*variant) {
      if (strcmp(type, types[*variant].name) == 0) {
        return 1;
      }
    }
  }
  return 0;
}

void ad__architecture_types(char *text, size_t size) {
  size_t length = 0;
  for (enum ad_architecture_id id = 0; id < AD_ARCHITECTURE_COUNT; id++) {
    for (const struct ad__model_type *type = tables[id]->model_types; type->name != NULL && length < size; type++) {
      length += (size_t)snprintf(text + length, size - length, "%s\"%s\"", length == 0 ? "" : " or ", type->name);
    }
  }
}

static int starts_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

/* Of no table here; some begin as those of a table. */
static const char *const others[][2] = {
    {"albert.", "ALBERT"}, {"deberta.", "DeBERTa"}, {"transformer.h.", "GPT-2"}, {"transformer.wte.", "GPT-2"}};

const char *ad__architecture_stranger(const struct ad_architecture *a, const char *name) {
  if (starts_with(name, a->prefix) || starts_with(name, a->layer_prefix)) {
    return NULL;
  }
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    if (starts_with(name, others[i][0])) {
      return others[i][1];
    }
  }
  for (enum ad_architecture_id id = 0; id < AD_ARCHITECTURE_COUNT; id++) {
    if (starts_with(name, tables[id]->prefix) || starts_with(name, tables[id]->layer_prefix)) {
      return tables[id]->title;
    }
  }
  return NULL;
}

const char *ad_architecture_title(enum ad_architecture_id id) {
  return tables[id]->title;
}

int ad_architecture_any_length(enum ad_architecture_id id) {
  return ad__architecture(id)->any_length;
}

int ad_params_recognise(struct ad_model_config *config, ad_shape_of shape, void *context) {
  uint32_t dense[2], classifier[2];
  for (enum ad_architecture_id id = 0; id < AD_ARCHITECTURE_COUNT; id++) {
    const struct ad_architecture *a = tables[id];
    uint32_t bias[2] = {0, 0};
    *config = (struct ad_model_config){.architecture = id, .heads = 1, .layer_norm_eps = 1e-12f};
    AD_TRY(a->recognise(config, shape, context));
    AD_TRY(shape(context, a->head.dense[0], dense));
    AD_TRY(shape(context, a->head.classifier[0], classifier));
    AD_TRY(a->vocabulary.bias == NULL ? AD_OK : shape(context, a->vocabulary.bias, bias));
    config->classes = classifier[0];
    config->masked_lm = classifier[0] == 0 && bias[0] > 0;
    config->classifier = dense[0] > 0 ? AD_CLASSIFIER_POOLER : AD_CLASSIFIER_CLS;
    if (config->hidden > 0 && config->layers > 0 && ad_model_logits(config) > 0) {
      break;
    }
  }
  return AD_OK;
}
