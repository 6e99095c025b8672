/* DistilBERT (Sanh et al. 2019): BERT's layers without token types, without a pooler, and with one dropout less. */
#include <stdio.h>

#include "../folder.h"
#include "../post_norm/post_norm.h"
#include "autodidact/base/status.h"

static const struct post_norm distilbert = {.word = "embeddings.word_embeddings",
                                            .position = "embeddings.position_embeddings",
                                            .norm = "embeddings.LayerNorm",
                                            .query = "attention.q_lin",
                                            .key = "attention.k_lin",
                                            .value = "attention.v_lin",
                                            .output = "attention.out_lin",
                                            .norm1 = "sa_layer_norm",
                                            .up = "ffn.lin1",
                                            .down = "ffn.lin2",
                                            .norm2 = "output_layer_norm",
                                            .undropped = 1};

static const struct ad__config_key numbers[] = {POST_NORM_NUMBER("dim", hidden, 1 << 16, 768),
                                                POST_NORM_NUMBER("n_heads", heads, 1 << 16, 12),
                                                POST_NORM_NUMBER("hidden_dim", ffn, 1 << 20, 3072),
                                                POST_NORM_NUMBER("n_layers", layers, 1000, 6),
                                                POST_NORM_NUMBER("vocab_size", vocab, 1 << 24, 30522),
                                                POST_NORM_NUMBER("max_position_embeddings", positions, 1 << 20, 512),
                                                POST_NORM_NUMBER("dropout", hidden_dropout, 0, 0.1),
                                                POST_NORM_NUMBER("attention_dropout", attention_dropout, 0, 0.1),
                                                POST_NORM_NUMBER("seq_classif_dropout", classifier_dropout, 0, 0.2),
                                                {.name = NULL}};
/* sinusoidal_pos_embds says how the table of positions was begun; the files have it in any case. */
static const char *const keys[] = {"activation",          "sinusoidal_pos_embds", "qa_dropout",   "hidden_size",
                                   "num_attention_heads", "num_hidden_layers",    "tie_weights_", NULL};

static int read_config(const char *path, const json_t *root, struct ad_model_config *m) {
  m->layer_norm_eps = 1e-12f;
  AD_TRY(ad__config_other(path, root, "hidden_size", "dim", 1 << 16, &m->hidden));
  AD_TRY(ad__config_other(path, root, "num_attention_heads", "n_heads", 1 << 16, &m->heads));
  AD_TRY(ad__config_other(path, root, "num_hidden_layers", "n_layers", 1000, &m->layers));
  if (m->hidden % m->heads != 0) {
    return ad_fail(AD_EINPUT, "%s: dim %u is not a multiple of n_heads %u", path, m->hidden, m->heads);
  }
  const json_t *sinusoidal = json_object_get(root, "sinusoidal_pos_embds");
  if (sinusoidal != NULL && !json_is_boolean(sinusoidal)) {
    return ad__config_wrong(path, root, "sinusoidal_pos_embds", "true or false");
  }
  AD_TRY(ad__config_padding(path, root, 0, m));
  return ad__config_activation(path, root, "activation", &m->activation);
}

static int write_config(const struct ad_model_config *m, json_t *root) {
  return json_object_set_new(root, "activation", json_string(ad_activation_name(m->activation))) |
         json_object_set_new(root, "sinusoidal_pos_embds", json_false());
}

static const struct ad__model_type types[] = {{"distilbert", "DistilBert"}, {NULL, NULL}};
static const char *const inside[] = {"embeddings.", "transformer.", NULL};
static const char *const buffers[] = {"embeddings.position_ids", NULL};

const struct ad_architecture ad_architecture_distilbert = {
    .title = "DistilBERT",
    .model_types = types,
    POST_NORM_TABLE(&distilbert),
    .prefix = "distilbert.",
    .layer_prefix = "transformer.layer.",
    .head = {.dense = {"pre_classifier.weight", "pre_classifier.bias"},
             .classifier = {"classifier.weight", "classifier.bias"},
             .activation = AD_HEAD_RELU},
    .vocabulary = {.dense = {"vocab_transform.weight", "vocab_transform.bias"},
                   .norm = {"vocab_layer_norm.weight", "vocab_layer_norm.bias"},
                   .bias = "vocab_projector.bias",
                   .decoder = {"vocab_projector.weight", NULL}},
    .aliases = ad__post_norm_aliases,
    .inside = inside,
    .buffers = buffers,
    .numbers = numbers,
    .keys = keys,
    .read_config = read_config,
    .write_config = write_config,
};
