/* MPNet (Song et al. 2020): BERT's layers without token types, RoBERTa's positions and head, and a bias of the scores
 * by distance as in T5 (Raffel et al. 2020), which all layers share. */
#include "../folder.h"
#include "../post_norm/post_norm.h"
#include "autodidact/base/status.h"

/* Hugging Face computes with so many rows of the table and so large distances, whatever config.json says. */
enum { BUCKETS = 32, EXACT = 8, STEPS = 7 };

/* Half of the rows are for keys that follow the query. Distances below EXACT have a row each. Above, n is in row EXACT
 * + j where j = floor(2 log2(n / EXACT)), at most STEPS: (n / EXACT)^2 >= 2^j, without a logarithm. */
static uint32_t bucket(ptrdiff_t distance) {
  const uint64_t n = (uint64_t)(distance < 0 ? -distance : distance), first = distance > 0 ? BUCKETS / 2 : 0;
  uint32_t j = 0;
  while (j < STEPS && n * n >= (uint64_t)EXACT * EXACT << (j + 1)) {
    j++;
  }
  return (uint32_t)(first + (n < EXACT ? n : EXACT + j));
}

static const struct post_norm mpnet = {.word = "embeddings.word_embeddings",
                                       .position = "embeddings.position_embeddings",
                                       .norm = "embeddings.LayerNorm",
                                       .distance = "encoder.relative_attention_bias",
                                       .query = "attention.attn.q",
                                       .key = "attention.attn.k",
                                       .value = "attention.attn.v",
                                       .output = "attention.attn.o",
                                       .norm1 = "attention.LayerNorm",
                                       .up = "intermediate.dense",
                                       .down = "output.dense",
                                       .norm2 = "output.LayerNorm",
                                       .bucket = bucket};

static const struct ad__config_key numbers[] = {
    POST_NORM_NUMBER("hidden_size", hidden, 1 << 16, 768),
    POST_NORM_NUMBER("num_attention_heads", heads, 1 << 16, 12),
    POST_NORM_NUMBER("intermediate_size", ffn, 1 << 20, 3072),
    POST_NORM_NUMBER("num_hidden_layers", layers, 1000, 12),
    POST_NORM_NUMBER("vocab_size", vocab, 1 << 24, 30527),
    POST_NORM_NUMBER("max_position_embeddings", positions, 1 << 20, 512),
    POST_NORM_NUMBER("relative_attention_num_buckets", buckets, 1 << 16, BUCKETS),
    POST_NORM_NUMBER("layer_norm_eps", layer_norm_eps, 0, 1e-12),
    POST_NORM_NUMBER("hidden_dropout_prob", hidden_dropout, 0, 0.1),
    POST_NORM_NUMBER("attention_probs_dropout_prob", attention_dropout, 0, 0.1),
    {.name = NULL}};
static const char *const keys[] = {"hidden_act", NULL};

/* The token of number 1 is padding, whatever config.json says. */
static int read_config(const char *path, const json_t *root, struct ad_model_config *m) {
  enum { PADDING = 1 };
  if (m->hidden % m->heads != 0) {
    return ad_fail(AD_EINPUT, "%s: hidden_size %u is not a multiple of num_attention_heads %u", path, m->hidden,
                   m->heads);
  }
  if (m->buckets < BUCKETS) {
    return ad_fail(AD_EINPUT,
                   "%s: relative_attention_num_buckets is %u, expected at least %d: distances have so many buckets",
                   path, m->buckets, BUCKETS);
  }
  m->padding = m->first_position = PADDING + 1;
  if (m->positions <= m->first_position) {
    return ad_fail(AD_EINPUT,
                   "%s: max_position_embeddings is %u, expected more than %u: positions begin behind padding", path,
                   m->positions, m->first_position);
  }
  if (m->vocab <= PADDING) {
    return ad_fail(AD_EINPUT, "%s: vocab_size is %u, expected more than %d: the token %d is padding", path, m->vocab,
                   PADDING, PADDING);
  }
  m->classifier_dropout = m->hidden_dropout;
  return ad__config_activation(path, root, "hidden_act", &m->activation);
}

static int write_config(const struct ad_model_config *m, json_t *root) {
  return json_object_set_new(root, "hidden_act", json_string(ad_activation_name(m->activation)));
}

static const struct ad__model_type types[] = {{"mpnet", "MPNet"}, {NULL, NULL}};
static const char *const inside[] = {"embeddings.", "encoder.", NULL};
static const char *const buffers[] = {"embeddings.position_ids", NULL};

const struct ad_architecture ad_architecture_mpnet = {
    .title = "MPNet",
    .model_types = types,
    POST_NORM_TABLE(&mpnet),
    .prefix = "mpnet.",
    .layer_prefix = "encoder.layer.",
    .head = {.dense = {"classifier.dense.weight", "classifier.dense.bias"},
             .classifier = {"classifier.out_proj.weight", "classifier.out_proj.bias"},
             .activation = AD_HEAD_TANH,
             .state_dropout = AD_STATE_CLASSIFIER},
    .vocabulary = {.dense = {"lm_head.dense.weight", "lm_head.dense.bias"},
                   .norm = {"lm_head.layer_norm.weight", "lm_head.layer_norm.bias"},
                   .bias = "lm_head.bias",
                   .decoder = {"lm_head.decoder.weight", "lm_head.decoder.bias"},
                   .activation = AD_VOCABULARY_GELU},
    .aliases = ad__post_norm_aliases,
    .inside = inside,
    .buffers = buffers,
    .numbers = numbers,
    .keys = keys,
    .read_config = read_config,
    .write_config = write_config,
};
