/* config.json in and out: what all architectures have in common. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architecture.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/task/task.h"
#include "autodidact/text/tokenizer.h"
#include "folder.h"

/* The first name of each activation is the one written; the rest are read too. */
static const struct {
  const char *name;
  enum ad_activation activation;
} activations[] = {
#define AD_ACTIVATION_ROW(constant, name) {name, constant},
    AD_ACTIVATION_MAP(AD_ACTIVATION_ROW)
#undef AD_ACTIVATION_ROW
        {"gelu_python", AD_ACTIVATION_GELU_ERF},
    {"gelu_pytorch_tanh", AD_ACTIVATION_GELU_TANH},
    {"gelu_python_tanh", AD_ACTIVATION_GELU_TANH},
    {"gelu_accurate", AD_ACTIVATION_GELU_TANH},
    {"gelu_fast", AD_ACTIVATION_GELU_TANH}};

const char *ad_model_problem(const char *problem_type) {
  return problem_type != NULL ? problem_type : ad_task_find(NULL)->problem_type;
}

int ad__problem_fits(const struct ad_folder_config *found, const struct ad_model_options *options, char *note,
                     size_t size) {
  const char *has = ad_model_problem(found->config.problem_type), *wanted = ad_model_problem(options->problem_type);
  if (options->head == AD_HEAD_REQUIRE || strcmp(has, wanted) == 0) {
    return 1;
  }
  snprintf(note, size, "its problem_type is %s, expected %s", has, wanted);
  return 0;
}

size_t ad__least_logits(const char *problem_type) {
  return ad_task_of_problem(ad_model_problem(problem_type))->least_logits;
}

const char *ad_activation_name(enum ad_activation activation) {
  size_t i = 0;
  while (activations[i].activation != activation) {
    i++;
  }
  return activations[i].name;
}

/* Keys that are supported only where they say nothing. */
static const struct {
  const char *key, *expected;
} refused[] = {
    {"is_decoder", "false: only encoders are supported"},
    {"add_cross_attention", "false: only encoders are supported"},
    {"is_encoder_decoder", "false: only encoders are supported"},
    {"cross_attention_hidden_size", "none: only encoders are supported"},
    {"pruned_heads", "none"},
    {"per_layer_config", "none: all layers are of one kind"},
    {"quantization_config", "none: weights must be F32, F16 or BF16"},
    {"compression_config", "none: weights must be F32, F16 or BF16"},
    {"auto_map", "none: a model's own code is not run"},
};

/* Keys that are read elsewhere, or leave what the encoder computes as it is: those that versions of transformers and
 * its neighbours write for every model (the older ones with the settings of generation). */
static const char *const known[] = {
    "autodidact_classifier",
    "autodidact_threshold",
    AD_CONFIG_TASKS,
    "model_type",
    "architectures",
    "problem_type",
    "id2label",
    "label2id",
    "num_labels",
    "_num_labels",
    "finetuning_task",
    "task_specific_params",
    "sentence_transformers",
    "sbert_ce_default_activation_function",
    /* how it is trained, run or stored */
    "initializer_range",
    "gradient_checkpointing",
    "chunk_size_feed_forward",
    "torch_dtype",
    "dtype",
    "torchscript",
    "use_bfloat16",
    "tf_legacy_loss",
    "xla_device",
    "use_cache",
    "output_past",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "use_return_dict",
    "attn_implementation",
    "_attn_implementation",
    "_attn_implementation_autoset",
    "tie_word_embeddings",
    "tie_encoder_decoder",
    "transformers_version",
    "transformers.js_config",
    "_name_or_path",
    "name_or_path",
    "_commit_hash",
    "_from_auto",
    "license",
    "language",
    "tokenizer_class",
    "model_max_length",
    "do_lower_case",
    "prefix",
    "pad_token_id",
    "bos_token_id",
    "eos_token_id",
    "sep_token_id",
    "unk_token_id",
    "cls_token_id",
    "mask_token_id",
    "decoder_start_token_id",
    /* how texts are generated */
    "max_length",
    "min_length",
    "do_sample",
    "early_stopping",
    "num_beams",
    "num_beam_groups",
    "diversity_penalty",
    "temperature",
    "top_k",
    "top_p",
    "typical_p",
    "repetition_penalty",
    "length_penalty",
    "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size",
    "bad_words_ids",
    "suppress_tokens",
    "begin_suppress_tokens",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "remove_invalid_values",
    "exponential_decay_length_penalty",
    "num_return_sequences",
    "output_scores",
    "return_dict_in_generate",
};

static const char OUR_CLASSIFIER[] = "autodidact_classifier", OUR_THRESHOLD[] = "autodidact_threshold";
static const char SEQUENCE_MODEL[] = "ForSequenceClassification"; /* behind the architecture's class name */
static const char MASKED_MODEL[] = "ForMaskedLM";

int ad_names_add(struct ad_names *names, const char *name) {
  void *items = names->items;
  AD_TRY(ad_reserve(&items, &names->capacity, names->count + 1, sizeof *names->items));
  names->items = items;
  char *copy = ad_strdup(name);
  if (copy == NULL) {
    return ad_fail_memory(strlen(name) + 1, "a name");
  }
  names->items[names->count++] = copy;
  return AD_OK;
}

void ad_names_destroy(struct ad_names *names) {
  for (size_t i = 0; i < names->count; i++) {
    ad_free(names->items[i]);
  }
  ad_free(names->items);
  *names = (struct ad_names){0};
}

int ad__config_wrong(const char *path, const json_t *root, const char *key, const char *expected) {
  char text[100];
  return ad_fail(AD_EINPUT, "%s: %s is %s, expected %s", path, key,
                 ad_json_show(json_object_get(root, key), text, sizeof text), expected);
}

int ad__config_count(const char *path, const json_t *root, const char *key, json_int_t most, uint32_t *out) {
  const json_t *value = json_object_get(root, key);
  if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > most) {
    char expected[60];
    snprintf(expected, sizeof expected, "an integer from 1 to %" JSON_INTEGER_FORMAT, most);
    return ad__config_wrong(path, root, key, expected);
  }
  *out = (uint32_t)json_integer_value(value);
  return AD_OK;
}

int ad__config_other(const char *path, const json_t *root, const char *name, const char *own, json_int_t most,
                     uint32_t *value) {
  const json_t *other = json_object_get(root, name);
  if (other == NULL || (json_is_integer(other) && json_integer_value(other) == *value)) {
    return AD_OK;
  }
  if (json_object_get(root, own) == NULL) {
    return ad__config_count(path, root, name, most, value);
  }
  char expected[80];
  snprintf(expected, sizeof expected, "%u, as %s", *value, own);
  return ad__config_wrong(path, root, name, expected);
}

int ad__config_real(const char *path, const json_t *root, const char *key, float standard, double low, double high,
                    float *out) {
  const json_t *value = json_object_get(root, key);
  *out = standard;
  if (value == NULL || json_is_null(value)) {
    return AD_OK;
  }
  const double number = json_number_value(value);
  if (!json_is_number(value) || !(number >= low && number < high) || !((double)(float)number < high)) {
    char expected[80];
    snprintf(expected, sizeof expected, "a number from %g to below %g, in float32", low, high);
    return ad__config_wrong(path, root, key, expected);
  }
  *out = (float)number;
  return AD_OK;
}

int ad__config_padding(const char *path, const json_t *root, uint32_t standard, struct ad_model_config *m) {
  const json_t *value = json_object_get(root, "pad_token_id");
  m->padding = value == NULL ? standard + 1 : 0;
  if (value == NULL || json_is_null(value)) {
    return AD_OK;
  }
  if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) >= m->vocab) {
    char expected[80];
    snprintf(expected, sizeof expected, "an integer from 0 to below vocab_size %u", m->vocab);
    return ad__config_wrong(path, root, "pad_token_id", expected);
  }
  m->padding = (uint32_t)json_integer_value(value) + 1;
  return AD_OK;
}

int ad__config_activation(const char *path, const json_t *root, const char *key, enum ad_activation *out) {
  const json_t *value = json_object_get(root, key);
  const char *name = value == NULL ? ad_activation_name(AD_ACTIVATION_GELU_ERF) : json_string_value(value);
  for (size_t i = 0; name != NULL && i < sizeof activations / sizeof *activations; i++) {
    if (strcmp(name, activations[i].name) == 0) {
      *out = activations[i].activation;
      return AD_OK;
    }
  }
  return ad__config_wrong(path, root, key, "gelu, gelu_new, gelu_pytorch_tanh or relu");
}

/* As good as absent: null, false, {}, []. */
static int is_nothing(const json_t *value) {
  return value == NULL || json_is_null(value) || json_is_false(value) ||
         (json_is_object(value) && json_object_size(value) == 0) ||
         (json_is_array(value) && json_array_size(value) == 0);
}

/* Which architecture it is: one that there is a table of. */
static int read_architecture(const char *path, const json_t *root, struct ad_model_config *m) {
  const char *type = json_string_value(json_object_get(root, "model_type"));
  if (ad__architecture_find(type, &m->architecture, &m->variant)) {
    return AD_OK;
  }
  char types[400], expected[sizeof types + 40];
  ad__architecture_types(types, sizeof types);
  snprintf(expected, sizeof expected, "%s: no other architecture is supported", types);
  return ad__config_wrong(path, root, "model_type", expected);
}

/* Keys that make another model than the one this program computes. */
static int check_refused(const char *path, const json_t *root) {
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    if (!is_nothing(json_object_get(root, refused[i].key))) {
      return ad__config_wrong(path, root, refused[i].key, refused[i].expected);
    }
  }
  return AD_OK;
}

static int is_known(const struct ad_architecture *a, const char *key) {
  for (const struct ad__config_key *number = a->numbers; number != NULL && number->name != NULL; number++) {
    if (strcmp(key, number->name) == 0) {
      return 1;
    }
  }
  for (size_t i = 0; a->keys[i] != NULL; i++) {
    if (strcmp(key, a->keys[i]) == 0) {
      return 1;
    }
  }
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(key, known[i]) == 0) {
      return 1;
    }
  }
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    if (strcmp(key, refused[i].key) == 0) {
      return 1;
    }
  }
  return 0;
}

/* Keys of which nobody here can say that they leave the arithmetic as it is. */
static int list_unknown(const struct ad_architecture *a, const json_t *root, struct ad_names *unknown) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)root, key, value) {
    if (!is_known(a, key) && !is_nothing(value)) {
      AD_TRY(ad_names_add(unknown, key));
    }
  }
  return AD_OK;
}

/* id2label {"0": name, ...}: every number from 0 to C - 1 once. */
static int read_labels(const char *path, const json_t *labels, struct ad_names *names) {
  const size_t count = json_object_size(labels);
  for (size_t i = 0; i < count; i++) {
    char key[24];
    snprintf(key, sizeof key, "%zu", i);
    const json_t *label = json_object_get(labels, key);
    if (json_is_integer(label)) {
      char number[32];
      snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(label));
      AD_TRY(ad_names_add(names, number));
    } else if (json_is_string(label)) {
      AD_TRY(ad_names_add(names, json_string_value(label)));
    } else {
      return ad_fail(AD_EINPUT, "%s: id2label has %zu entries, but none for \"%zu\" that is a name", path, count, i);
    }
  }
  return AD_OK;
}

/* Names of transformers where num_labels and id2label do not go together. */
static int name_by_number(uint32_t count, struct ad_names *names) {
  for (uint32_t c = 0; c < count; c++) {
    char name[24];
    snprintf(name, sizeof name, "LABEL_%u", c);
    AD_TRY(ad_names_add(names, name));
  }
  return AD_OK;
}

int ad__has_class_names(const struct ad_names *own) {
  for (size_t i = 0; i < own->count; i++) {
    const char *digits = own->items[i] + strlen("LABEL_");
    if (strncmp(own->items[i], "LABEL_", strlen("LABEL_")) != 0 || *digits == '\0' ||
        digits[strspn(digits, "0123456789")] != '\0') {
      return 1;
    }
  }
  return 0;
}

static int read_classes(const char *path, const json_t *root, struct ad_folder_config *out) {
  const json_t *labels = json_object_get(root, "id2label"), *number = json_object_get(root, "num_labels");
  const int has_labels = labels != NULL && !json_is_null(labels), has_number = number != NULL && !json_is_null(number);
  out->config.classes = 2;
  out->classes_stated = has_labels || has_number;
  if (out->config.masked_lm) {
    out->config.classes = 0;
    out->config.classifier = AD_CLASSIFIER_CLS; /* whether there is a pooler, the tensors alone say */
    return AD_OK;
  }
  if (has_number) {
    AD_TRY(ad__config_count(path, root, "num_labels", 1 << 20, &out->config.classes));
  }
  if (!has_labels) {
    return AD_OK;
  }
  if (!json_is_object(labels) || json_object_size(labels) == 0) {
    return ad__config_wrong(path, root, "id2label", "an object of class names");
  }
  if (has_number && json_object_size(labels) != out->config.classes) {
    return name_by_number(out->config.classes, &out->class_names);
  }
  out->config.classes = (uint32_t)json_object_size(labels);
  return read_labels(path, labels, &out->class_names);
}

/* The task of a head whose config.json does not say: the first one that can do with so few logits. */
static const struct ad_task *task_of_logits(size_t count) {
  size_t i = 0;
  while (ad_task_at(i) != NULL && (ad_task_at(i)->problem_type == NULL || ad_task_at(i)->least_logits > count)) {
    i++;
  }
  return ad_task_at(i);
}

/* What the head is for; the classes are known. */
static void read_problem(const json_t *root, struct ad_folder_config *out) {
  const char *problem = json_string_value(json_object_get(root, "problem_type"));
  if (out->config.masked_lm) {
    return;
  }
  const struct ad_task *task = problem == NULL ? task_of_logits(out->config.classes) : ad_task_of_problem(problem);
  out->config.problem_type = task == NULL ? NULL : task->problem_type;
  if (task == NULL && out->head_refusal[0] == '\0') {
    snprintf(out->head_refusal, sizeof out->head_refusal, "its problem_type is %.60s, which no task has", problem);
  }
}

/* A classifier with the right names may still be one for tokens. */
static void read_head_kind(const char *class_name, const json_t *root, struct ad_folder_config *out) {
  const char *found = json_string_value(json_array_get(json_object_get(root, "architectures"), 0));
  const size_t own = strlen(class_name);
  if (found != NULL && strncmp(found, class_name, own) == 0 && strncmp(found + own, "For", 3) == 0 &&
      strcmp(found + own, SEQUENCE_MODEL) != 0) {
    snprintf(out->head_refusal, sizeof out->head_refusal, "it belongs to a %.60s, expected %s%s", found, class_name,
             SEQUENCE_MODEL);
    out->config.masked_lm = strcmp(found + own, MASKED_MODEL) == 0;
  }
}

static int read_classifier(const char *path, const json_t *root, enum ad_classifier *out) {
  const json_t *value = json_object_get(root, OUR_CLASSIFIER);
  const char *name = value == NULL ? "pooler" : json_string_value(value);
  if (name == NULL || (strcmp(name, "pooler") != 0 && strcmp(name, "cls") != 0)) {
    return ad__config_wrong(path, root, OUR_CLASSIFIER, "\"pooler\" or \"cls\"");
  }
  *out = strcmp(name, "cls") == 0 ? AD_CLASSIFIER_CLS : AD_CLASSIFIER_POOLER;
  return AD_OK;
}

/* The place of a key's number in the configuration. */
static void *number_place(const struct ad_model_config *m, const struct ad__config_key *key) {
  return (char *)(uintptr_t)m + key->offset;
}

static int read_numbers(const char *path, const json_t *root, const struct ad__config_key *key,
                        struct ad_model_config *m) {
  for (; key != NULL && key->name != NULL; key++) {
    if (key->most == 0) {
      AD_TRY(ad__config_real(path, root, key->name, (float)key->standard, 0.0, 1.0, number_place(m, key)));
    } else if (key->standard > 0.0 && json_object_get(root, key->name) == NULL) {
      *(uint32_t *)number_place(m, key) = (uint32_t)key->standard;
    } else {
      AD_TRY(ad__config_count(path, root, key->name, key->most, number_place(m, key)));
    }
  }
  return AD_OK;
}

static int write_numbers(const struct ad_model_config *m, const struct ad__config_key *key, json_t *root) {
  int failed = 0;
  for (; key != NULL && key->name != NULL; key++) {
    const void *place = number_place(m, key);
    json_t *value =
        key->most == 0 ? ad__config_make_real(*(const float *)place) : json_integer(*(const uint32_t *)place);
    failed |= json_object_set_new(root, key->name, value);
  }
  return failed;
}

static int read_config(const char *path, const json_t *root, struct ad_folder_config *out) {
  struct ad_model_config *m = &out->config;
  AD_TRY(read_architecture(path, root, m));
  const struct ad_architecture *a = ad__architecture(m->architecture);
  AD_TRY(check_refused(path, root));
  AD_TRY(read_numbers(path, root, a->numbers, m));
  AD_TRY(a->read_config(path, root, m));
  AD_TRY(read_classifier(path, root, &m->classifier));
  AD_TRY(ad__config_real(path, root, OUR_THRESHOLD, 0.0f, 0.0, 1.0, &m->threshold));
  read_head_kind(a->model_types[m->variant].class_name, root, out);
  out->untied = json_is_false(json_object_get(root, "tie_word_embeddings"));
  AD_TRY(list_unknown(a, root, &out->unknown));
  AD_TRY(read_classes(path, root, out));
  read_problem(root, out);
  return ad__heads_read(path, root, out);
}

int ad_folder_read_config(const char *folder, struct ad_folder_config *out) {
  *out = (struct ad_folder_config){0};
  AD_TRY(ad_check_model_folder(folder));
  char *path = ad_path_join(folder, "config.json");
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + 1, "a path");
  }
  json_t *root;
  int status = ad_json_read(&root, path);
  if (status == AD_OK) {
    status = read_config(path, root, out);
    json_decref(root);
  }
  ad_free(path);
  if (status != AD_OK) {
    ad_names_destroy(&out->class_names);
    ad_names_destroy(&out->unknown);
  }
  return status;
}

int ad_model_read_config(const char *folder, struct ad_model_config *config, struct ad_names *class_names) {
  struct ad_folder_config read;
  AD_TRY(ad_folder_read_config(folder, &read));
  *config = read.config;
  *class_names = read.class_names;
  ad_names_destroy(&read.unknown);
  return AD_OK;
}

json_t *ad__config_make_real(float value) {
  char text[40];
  for (int digits = 1; digits <= 9; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)value);
    if ((float)strtod(text, NULL) == value) {
      break;
    }
  }
  return json_real(strtod(text, NULL));
}

static int add_labels(json_t *root, const struct ad_model_config *m, const char *const *class_names) {
  json_t *names = json_object(), *numbers = json_object();
  int failed = 0;
  for (uint32_t c = 0; c < m->classes; c++) {
    char number[16], standard[24];
    snprintf(number, sizeof number, "%u", c);
    snprintf(standard, sizeof standard, "LABEL_%u", c);
    const char *name = class_names == NULL ? standard : class_names[c];
    failed |= json_object_set_new(names, number, json_string(name));
    failed |= json_object_set_new(numbers, name, json_integer(c));
  }
  failed |= json_object_set_new(root, "id2label", names);
  return failed | json_object_set_new(root, "label2id", numbers);
}

/* The class that loads the folder: the bare encoder's where the classifier has no counterpart there. */
static json_t *make_class(const char *class_name, const struct ad_model_config *m) {
  char name[120];
  snprintf(name, sizeof name, "%s%s", class_name,
           m->masked_lm                         ? MASKED_MODEL
           : m->classifier == AD_CLASSIFIER_CLS ? "Model"
                                                : SEQUENCE_MODEL);
  return json_pack("[s]", name);
}

json_t *ad_folder_make_config(const struct ad_model_config *m, const char *const *class_names, size_t pad_id) {
  const struct ad_architecture *a = ad__architecture(m->architecture);
  const struct ad__model_type *type = &a->model_types[m->variant];
  const int cls = m->classifier == AD_CLASSIFIER_CLS && !m->masked_lm;
  const size_t padding = m->padding > 0 ? m->padding - 1 : pad_id;
  json_t *root = json_object();
  int failed = root == NULL;
  failed |= json_object_set_new(root, "architectures", make_class(type->class_name, m));
  failed |= json_object_set_new(root, "model_type", json_string(type->name));
  failed |= cls && json_object_set_new(root, OUR_CLASSIFIER, json_string("cls"));
  failed |= m->threshold > 0.0f && json_object_set_new(root, OUR_THRESHOLD, ad__config_make_real(m->threshold));
  failed |= root == NULL || write_numbers(m, a->numbers, root) || a->write_config(m, root);
  failed |= json_object_set_new(root, "pad_token_id", json_integer((json_int_t)padding));
  failed |= m->masked_lm && json_object_set_new(root, "tie_word_embeddings", json_true());
  failed |= !m->masked_lm && m->tasks == NULL &&
            json_object_set_new(root, "problem_type", json_string(ad_model_problem(m->problem_type)));
  failed |= m->tasks != NULL && ad__heads_write(root, m->tasks, class_names);
  failed |= json_object_set_new(root, "torch_dtype", json_string("float32"));
  failed |= root == NULL || (!m->masked_lm && add_labels(root, m, class_names));
  if (failed) {
    json_decref(root);
    return NULL;
  }
  return root;
}
