/* XLNetConfig's own part of config.json. */
#include <stdio.h>
#include <string.h>

#include "../folder.h"
#include "autodidact/base/status.h"
#include "xlnet.h"

#define NUMBER(name, member, most, standard) {name, offsetof(struct ad_model_config, member), most, standard}

const struct ad__config_key ad__xlnet_numbers[] = {NUMBER("d_model", hidden, 1 << 16, 1024),
                                                   NUMBER("n_head", heads, 1 << 16, 16),
                                                   NUMBER("d_inner", ffn, 1 << 20, 4096),
                                                   NUMBER("n_layer", layers, 1000, 24),
                                                   NUMBER("vocab_size", vocab, 1 << 24, 32000),
                                                   NUMBER("layer_norm_eps", layer_norm_eps, 0, 1e-12),
                                                   NUMBER("dropout", hidden_dropout, 0, 0.1),
                                                   NUMBER("summary_last_dropout", classifier_dropout, 0, 0.1),
                                                   {NULL, 0, 0, 0.0}};

const char *const ad__xlnet_keys[] = {
    "d_head", "ff_activation", "attn_type", "bi_data", "clamp_len", "summary_type", "summary_use_proj",
    "summary_activation", "summary_proj_to_labels", "summary_first_dropout", "n_token", "hidden_size",
    "num_attention_heads", "num_hidden_layers",
    /* of states that are kept from text to text, and of answers to questions */
    "mem_len", "reuse_len", "use_mems_eval", "use_mems_train", "same_length", "start_n_top", "end_n_top",
    /* the files have the biases of each layer in any case */
    "untie_r", NULL};

/* Keys that must say this where they are there. */
static const struct {
  const char *key, *expected, *text; /* text: the value, NULL where it is true, "" where it is false */
} fixed[] = {
    {"attn_type", "\"bi\": attention to all tokens", "bi"},
    {"bi_data", "false: each text is read in one direction", ""},
    {"summary_type", "\"last\": the class token's state", "last"},
    {"summary_use_proj", "true", NULL},
    {"summary_activation", "\"tanh\"", "tanh"},
    {"summary_proj_to_labels", "false", ""},
};

static int says(const json_t *value, const char *text) {
  return text == NULL      ? json_is_true(value)
         : text[0] == '\0' ? json_is_false(value)
                           : json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

static int check_fixed(const char *path, const json_t *root) {
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
    const json_t *value = json_object_get(root, fixed[i].key);
    if (value != NULL && !says(value, fixed[i].text)) {
      return ad__config_wrong(path, root, fixed[i].key, fixed[i].expected);
    }
  }
  const json_t *clamp = json_object_get(root, "clamp_len"), *first = json_object_get(root, "summary_first_dropout");
  if (clamp != NULL && !(json_is_integer(clamp) && json_integer_value(clamp) <= 0)) {
    return ad__config_wrong(path, root, "clamp_len", "-1: distances of any length differ");
  }
  if (first != NULL && !json_is_null(first) && !(json_is_number(first) && json_number_value(first) == 0.0)) {
    return ad__config_wrong(path, root, "summary_first_dropout", "0");
  }
  return AD_OK;
}

int ad__xlnet_read_config(const char *path, const json_t *root, struct ad_model_config *m) {
  const json_t *head = json_object_get(root, "d_head");
  AD_TRY(check_fixed(path, root));
  AD_TRY(ad__config_other(path, root, "n_token", "vocab_size", 1 << 24, &m->vocab));
  AD_TRY(ad__config_other(path, root, "hidden_size", "d_model", 1 << 16, &m->hidden));
  AD_TRY(ad__config_other(path, root, "num_attention_heads", "n_head", 1 << 16, &m->heads));
  AD_TRY(ad__config_other(path, root, "num_hidden_layers", "n_layer", 1000, &m->layers));
  if (m->hidden % m->heads != 0) {
    return ad_fail(AD_EINPUT, "%s: d_model %u is not a multiple of n_head %u", path, m->hidden, m->heads);
  }
  if (head != NULL && !json_is_null(head) &&
      !(json_is_integer(head) && json_integer_value(head) == (json_int_t)(m->hidden / m->heads))) {
    char expected[60];
    snprintf(expected, sizeof expected, "%u: d_model / n_head", m->hidden / m->heads);
    return ad__config_wrong(path, root, "d_head", expected);
  }
  if (m->hidden % 2 != 0 || m->hidden == m->heads) {
    return ad__config_wrong(path, root, "d_model", "an even number above n_head: half of it are sines, half cosines");
  }
  m->attention_dropout = m->hidden_dropout;
  m->positions = XLNET_LONGEST;
  m->types = XLNET_TYPES;
  return ad__config_activation(path, root, "ff_activation", &m->activation);
}

int ad__xlnet_write_config(const struct ad_model_config *m, json_t *root) {
  int failed = 0;
  failed |= json_object_set_new(root, "d_head", json_integer(m->hidden / m->heads));
  failed |= json_object_set_new(root, "ff_activation", json_string(ad_activation_name(m->activation)));
  failed |= json_object_set_new(root, "attn_type", json_string("bi"));
  failed |= json_object_set_new(root, "summary_type", json_string("last"));
  failed |= json_object_set_new(root, "summary_use_proj", json_true());
  return failed | json_object_set_new(root, "summary_activation", json_string("tanh"));
}
