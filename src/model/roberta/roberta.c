/* RoBERTa (Liu et al. 2019), XLM-R (Conneau et al. 2020), CamemBERT: BERT's layers, one type for both texts, positions
 * behind that of padding, and a head of its own. */
#include "../folder.h"
#include "../post_norm/post_norm.h"
#include "autodidact/base/status.h"

static const struct post_norm roberta = {.word = "embeddings.word_embeddings",
                                         .position = "embeddings.position_embeddings",
                                         .type = "embeddings.token_type_embeddings",
                                         .norm = "embeddings.LayerNorm",
                                         POST_NORM_BERT_LAYER};

static const struct ad__config_key numbers[] = {POST_NORM_NUMBERS(768, 12, 3072, 12, 50265, 512, 2), {.name = NULL}};
static const char *const keys[] = {POST_NORM_KEYS, NULL};

/* The first token's position follows that of padding. */
static int read_config(const char *path, const json_t *root, struct ad_model_config *m) {
  AD_TRY(ad__post_norm_read_config(path, root, m));
  AD_TRY(ad__config_padding(path, root, 1, m));
  if (m->variant > 0 && json_object_get(root, "vocab_size") == NULL) {
    m->vocab = 30522; /* the default of XLMRobertaConfig and CamembertConfig */
  }
  if (m->padding == 0) {
    return ad__config_wrong(path, root, "pad_token_id", "a number: positions begin behind it");
  }
  m->first_position = m->padding;
  if (m->positions <= m->first_position) {
    return ad_fail(AD_EINPUT,
                   "%s: max_position_embeddings is %u, expected more than %u: positions begin at pad_token_id + 1",
                   path, m->positions, m->first_position);
  }
  return AD_OK;
}

static const struct ad__model_type types[] = {
    {"roberta", "Roberta"}, {"xlm-roberta", "XLMRoberta"}, {"camembert", "Camembert"}, {NULL, NULL}};
static const char *const inside[] = {"embeddings.", "encoder.", NULL};

const struct ad_architecture ad_architecture_roberta = {
    .title = "RoBERTa",
    .model_types = types,
    POST_NORM_TABLE(&roberta),
    .prefix = "roberta.",
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
    .buffers = ad__post_norm_buffers,
    .numbers = numbers,
    .keys = keys,
    .read_config = read_config,
    .write_config = ad__post_norm_write_config,
};
