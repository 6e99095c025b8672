/* BertConfig's own part of config.json. */
#include <string.h>

#include "../folder.h"
#include "autodidact/base/status.h"
#include "bert.h"

const char *const ad__bert_keys[] = {"hidden_size", "num_attention_heads", "intermediate_size", "num_hidden_layers",
                                     "vocab_size", "max_position_embeddings", "type_vocab_size", "layer_norm_eps",
                                     "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout",
                                     "hidden_act", "position_embedding_type",
                                     /* of Google's first files, for poolers that no BERT has had */
                                     "directionality", "pooler_fc_size", "pooler_num_attention_heads",
                                     "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type", NULL};

int ad__bert_read_config(const char *path, const json_t *root, struct ad_model_config *m) {
  const json_t *positions = json_object_get(root, "position_embedding_type");
  if (positions != NULL && (!json_is_string(positions) || strcmp(json_string_value(positions), "absolute") != 0)) {
    return ad__config_wrong(path, root, "position_embedding_type", "\"absolute\"");
  }
  AD_TRY(ad__config_count(path, root, "hidden_size", 1 << 16, &m->hidden));
  AD_TRY(ad__config_count(path, root, "num_attention_heads", 1 << 16, &m->heads));
  AD_TRY(ad__config_count(path, root, "intermediate_size", 1 << 20, &m->ffn));
  AD_TRY(ad__config_count(path, root, "num_hidden_layers", 1000, &m->layers));
  AD_TRY(ad__config_count(path, root, "vocab_size", 1 << 24, &m->vocab));
  AD_TRY(ad__config_count(path, root, "max_position_embeddings", 1 << 20, &m->positions));
  AD_TRY(ad__config_count(path, root, "type_vocab_size", 1 << 16, &m->types));
  if (m->hidden % m->heads != 0) {
    return ad_fail(AD_EINPUT, "%s: hidden_size %u is not a multiple of num_attention_heads %u", path, m->hidden,
                   m->heads);
  }
  AD_TRY(ad__config_real(path, root, "layer_norm_eps", 1e-12f, 0.0, 1.0, &m->layer_norm_eps));
  AD_TRY(ad__config_real(path, root, "hidden_dropout_prob", 0.1f, 0.0, 1.0, &m->hidden_dropout));
  AD_TRY(ad__config_real(path, root, "attention_probs_dropout_prob", 0.1f, 0.0, 1.0, &m->attention_dropout));
  AD_TRY(ad__config_real(path, root, "classifier_dropout", m->hidden_dropout, 0.0, 1.0, &m->classifier_dropout));
  return ad__config_activation(path, root, "hidden_act", &m->activation);
}

int ad__bert_write_config(const struct ad_model_config *m, json_t *root) {
  int failed = 0;
  failed |= json_object_set_new(root, "hidden_size", json_integer(m->hidden));
  failed |= json_object_set_new(root, "num_attention_heads", json_integer(m->heads));
  failed |= json_object_set_new(root, "intermediate_size", json_integer(m->ffn));
  failed |= json_object_set_new(root, "num_hidden_layers", json_integer(m->layers));
  failed |= json_object_set_new(root, "vocab_size", json_integer(m->vocab));
  failed |= json_object_set_new(root, "max_position_embeddings", json_integer(m->positions));
  failed |= json_object_set_new(root, "type_vocab_size", json_integer(m->types));
  failed |= json_object_set_new(root, "position_embedding_type", json_string("absolute"));
  failed |= json_object_set_new(root, "hidden_act", json_string(ad_activation_name(m->activation)));
  failed |= json_object_set_new(root, "layer_norm_eps", ad__config_make_real(m->layer_norm_eps));
  failed |= json_object_set_new(root, "hidden_dropout_prob", ad__config_make_real(m->hidden_dropout));
  failed |= json_object_set_new(root, "attention_probs_dropout_prob", ad__config_make_real(m->attention_dropout));
  return failed | json_object_set_new(root, "classifier_dropout", ad__config_make_real(m->classifier_dropout));
}
