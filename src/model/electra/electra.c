/* ELECTRA (Clark et al. 2020): BERT's layers on embeddings that may be narrower and then are projected, and a head of
 * its own. */
#include "../folder.h"
#include "../post_norm/post_norm.h"
#include "autodidact/base/status.h"

static const struct post_norm electra = {.word = "embeddings.word_embeddings",
                                         .position = "embeddings.position_embeddings",
                                         .type = "embeddings.token_type_embeddings",
                                         .norm = "embeddings.LayerNorm",
                                         .project = "embeddings_project",
                                         POST_NORM_BERT_LAYER};

static const struct ad__config_key numbers[] = {POST_NORM_NUMBERS(256, 4, 1024, 12, 30522, 512, 2), {.name = NULL}};
static const char *const keys[] = {POST_NORM_KEYS, "embedding_size",
                                   /* of the head for multiple choice */
                                   "summary_type", "summary_use_proj", "summary_activation", "summary_last_dropout",
                                   /* of the pretraining: the generator's size by the discriminator's */
                                   "generator_size", NULL};

/* Embeddings as wide as the layers are not projected. */
static int read_config(const char *path, const json_t *root, struct ad_model_config *m) {
  m->embedding = 128;
  if (json_object_get(root, "embedding_size") != NULL) {
    AD_TRY(ad__config_count(path, root, "embedding_size", 1 << 16, &m->embedding));
  }
  m->embedding = m->embedding == m->hidden ? 0 : m->embedding;
  AD_TRY(ad__config_padding(path, root, 0, m));
  return ad__post_norm_read_config(path, root, m);
}

static int write_config(const struct ad_model_config *m, json_t *root) {
  return json_object_set_new(root, "embedding_size", json_integer(ad_model_embedding(m))) |
         ad__post_norm_write_config(m, root);
}

static const struct ad__model_type types[] = {{"electra", "Electra"}, {NULL, NULL}};
static const char *const inside[] = {"embeddings.", "embeddings_project.", "encoder.", NULL};

const struct ad_architecture ad_architecture_electra = {
    .title = "ELECTRA",
    .model_types = types,
    POST_NORM_TABLE(&electra),
    .form = {.second_type = 1},
    .prefix = "electra.",
    .layer_prefix = "encoder.layer.",
    .head = {.dense = {"classifier.dense.weight", "classifier.dense.bias"},
             .classifier = {"classifier.out_proj.weight", "classifier.out_proj.bias"},
             .activation = AD_HEAD_GELU,
             .state_dropout = AD_STATE_CLASSIFIER},
    .vocabulary = {.dense = {"generator_predictions.dense.weight", "generator_predictions.dense.bias"},
                   .norm = {"generator_predictions.LayerNorm.weight", "generator_predictions.LayerNorm.bias"},
                   .bias = "generator_lm_head.bias",
                   .decoder = {"generator_lm_head.weight", NULL},
                   .activation = AD_VOCABULARY_GELU},
    .aliases = ad__post_norm_aliases,
    .inside = inside,
    .buffers = ad__post_norm_buffers,
    .numbers = numbers,
    .keys = keys,
    .read_config = read_config,
    .write_config = write_config,
};
