/* The table of BERT (Devlin et al. 2019). */
#include "../post_norm/post_norm.h"

static const struct post_norm bert = {.word = "embeddings.word_embeddings",
                                      .position = "embeddings.position_embeddings",
                                      .type = "embeddings.token_type_embeddings",
                                      .norm = "embeddings.LayerNorm",
                                      POST_NORM_BERT_LAYER};

static const struct ad__config_key numbers[] = {POST_NORM_NUMBERS(0, 0, 0, 0, 0, 0, 0), {.name = NULL}};
static const char *const keys[] = {POST_NORM_KEYS,
                                   /* of Google's first files, for poolers that no BERT has had */
                                   "directionality", "pooler_fc_size", "pooler_num_attention_heads",
                                   "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type", NULL};

static const struct ad__model_type types[] = {{"bert", "Bert"}, {NULL, NULL}};
static const char *const inside[] = {"embeddings.", "encoder.", NULL};

const struct ad_architecture ad_architecture_bert = {
    .title = "BERT",
    .model_types = types,
    POST_NORM_TABLE(&bert),
    .form = {.second_type = 1},
    .prefix = "bert.",
    .layer_prefix = "encoder.layer.",
    .head = {.dense = {"pooler.dense.weight", "pooler.dense.bias"},
             .classifier = {"classifier.weight", "classifier.bias"},
             .activation = AD_HEAD_TANH,
             .pretrained = 1},
    .vocabulary = {.dense = {"cls.predictions.transform.dense.weight", "cls.predictions.transform.dense.bias"},
                   .norm = {"cls.predictions.transform.LayerNorm.weight", "cls.predictions.transform.LayerNorm.bias"},
                   .bias = "cls.predictions.bias",
                   .decoder = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}},
    .aliases = ad__post_norm_aliases,
    .inside = inside,
    .buffers = ad__post_norm_buffers,
    .numbers = numbers,
    .keys = keys,
    .read_config = ad__post_norm_read_config,
    .write_config = ad__post_norm_write_config,
};
