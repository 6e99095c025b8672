/* What configurations of BERT's family have in common beside numbers. */
#include <string.h>

#include "../folder.h"
#include "autodidact/base/status.h"
#include "post_norm.h"

int ad__post_norm_read_config(const char *path, const json_t *root, struct ad_model_config *m) {
  const json_t *positions = json_object_get(root, "position_embedding_type");
  if (positions != NULL && (!json_is_string(positions) || strcmp(json_string_value(positions), "absolute") != 0)) {
    return ad__config_wrong(path, root, "position_embedding_type", "\"absolute\"");
  }
  if (m->hidden % m->heads != 0) {
    return ad_fail(AD_EINPUT, "%s: hidden_size %u is not a multiple of num_attention_heads %u", path, m->hidden,
                   m->heads);
  }
  AD_TRY(ad__config_real(path, root, "classifier_dropout", m->hidden_dropout, 0.0, 1.0, &m->classifier_dropout));
  return ad__config_activation(path, root, "hidden_act", &m->activation);
}

int ad__post_norm_write_config(const struct ad_model_config *m, json_t *root) {
  int failed = json_object_set_new(root, "position_embedding_type", json_string("absolute"));
  failed |= json_object_set_new(root, "hidden_act", json_string(ad_activation_name(m->activation)));
  return failed | json_object_set_new(root, "classifier_dropout", ad__config_make_real(m->classifier_dropout));
}
