/* One file encoder-*.h5 in memory: model, weights, batch, and the expected numbers (schema: tests/parity/reference.py
 * and encoders.py).
 *
 * Letters: N examples, C classes, P parameters. */
#ifndef AUTODIDACT_TESTS_SUPPORT_ENCODER_FIXTURE_H
#define AUTODIDACT_TESTS_SUPPORT_ENCODER_FIXTURE_H

#include <string.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/status.h"
#include "autodidact/data/batch.h"
#include "autodidact/model/encoder.h"
#include "autodidact/model/huggingface.h"
#include "support/fixture.h"

static const char *const ENCODER_FIXTURES[] = {
    "encoder-pooler-gelu.h5", "encoder-cls-tanh.h5", "encoder-pooler-relu.h5", "encoder-cls-wide.h5",
    "encoder-pooler-bert-head.h5",
    /* by encoders.py */
    "encoder-roberta.h5", "encoder-roberta-odd.h5", "encoder-electra.h5", "encoder-electra-odd.h5",
    "encoder-distilbert.h5", "encoder-distilbert-odd.h5", "encoder-mpnet.h5", "encoder-mpnet-odd.h5",
    "encoder-xlnet.h5", "encoder-xlnet-odd.h5"};
enum { ENCODER_FIXTURE_COUNT = sizeof ENCODER_FIXTURES / sizeof *ENCODER_FIXTURES, MOST_LANES = 16 };

struct encoder_fixture {
  hid_t file;
  struct ad_params params;
  struct ad_dataset dataset; /* the N examples */
  float *theta;              /* [P] */
  float *logits;             /* [N,C] expected */
  float *teacher;            /* [N,C] teacher logits */
  struct ad_packer packer;
};

/* What the text of a config.json says, without dropout. */
static inline struct ad_model_config fixture_read_config(hid_t file) {
  char folder[64];
  static char text[8000];
  struct ad_model_config config;
  struct ad_names names = {0};
  char path[96];
  fixture_text(file, "config", sizeof text, text);
  snprintf(folder, sizeof folder, "encoder_fixture-%ld.d", (long)getpid()); /* tests run side by side */
  assert_int_equal(ad_make_folders(folder), AD_OK);
  snprintf(path, sizeof path, "%s/config.json", folder);
  assert_int_equal(ad_file_write(path, text, strlen(text)), AD_OK);
  if (ad_model_read_config(folder, &config, &names) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  ad_names_destroy(&names);
  assert_int_equal(ad_remove_folder(folder), AD_OK);
  config.hidden_dropout = config.attention_dropout = config.classifier_dropout = 0.0f;
  return config;
}

static inline struct ad_model_config fixture_config(hid_t file) {
  if (H5Aexists(file, "config") > 0) {
    return fixture_read_config(file);
  }
  char activation[32], classifier[32];
  fixture_text(file, "activation", sizeof activation, activation);
  fixture_text(file, "classifier", sizeof classifier, classifier);
  struct ad_model_config config = {.hidden = (uint32_t)fixture_number(file, "hidden"),
                                   .heads = (uint32_t)fixture_number(file, "heads"),
                                   .ffn = (uint32_t)fixture_number(file, "ffn"),
                                   .layers = (uint32_t)fixture_number(file, "layers"),
                                   .vocab = (uint32_t)fixture_number(file, "vocab"),
                                   .positions = (uint32_t)fixture_number(file, "positions"),
                                   .types = (uint32_t)fixture_number(file, "types"),
                                   .classes = (uint32_t)fixture_number(file, "classes"),
                                   .layer_norm_eps = (float)fixture_number(file, "layer_norm_eps")};
  config.activation = strcmp(activation, "gelu") == 0       ? AD_ACTIVATION_GELU_ERF
                      : strcmp(activation, "gelu_new") == 0 ? AD_ACTIVATION_GELU_TANH
                                                            : AD_ACTIVATION_RELU;
  config.classifier = strcmp(classifier, "pooler") == 0 ? AD_CLASSIFIER_POOLER : AD_CLASSIFIER_CLS;
  return config;
}

/* The tensors PREFIX/NAME of the file into a flat vector [P]. */
static inline void fixture_vector(const struct encoder_fixture *f, const char *prefix, float *flat) {
  for (size_t i = 0; i < f->params.tensor_count; i++) {
    const struct ad_tensor *tensor = &f->params.tensors[i];
    char path[160];
    snprintf(path, sizeof path, "%s/%s", prefix, tensor->name);
    fixture_read(f->file, path, H5T_NATIVE_FLOAT, tensor->count, flat + tensor->offset);
  }
}

/* Segments are stored per token, the data set holds the length of the first one. */
static inline void fixture_examples(struct encoder_fixture *f) {
  size_t count, tokens;
  uint32_t *lengths = fixture_read_new(f->file, "lengths", H5T_NATIVE_UINT32, &count);
  uint32_t *types = fixture_read_new(f->file, "types", H5T_NATIVE_UINT32, &tokens);
  struct ad_dataset *d = &f->dataset;
  d->count = count;
  d->task = &ad_task_classification;
  d->words = 1;
  d->ids = fixture_read_new(f->file, "ids", H5T_NATIVE_UINT32, &tokens);
  d->label = fixture_read_new(f->file, "labels", H5T_NATIVE_UINT32, &count);
  d->offset = calloc(count + 1, sizeof *d->offset);
  d->first = calloc(count, sizeof *d->first);
  for (size_t i = 0; i < count; i++) {
    d->offset[i + 1] = d->offset[i] + lengths[i];
    while (d->first[i] < lengths[i] && types[d->offset[i] + d->first[i]] == 0) {
      d->first[i]++;
    }
    for (uint32_t t = d->first[i]; t < lengths[i]; t++) {
      assert_int_equal(types[d->offset[i] + t], 1);
    }
  }
  assert_int_equal(d->offset[count], tokens);
  free(lengths);
  free(types);
}

/* The caller releases everything: fixture_unload. */
static inline void fixture_load(struct encoder_fixture *f, const char *name) {
  *f = (struct encoder_fixture){.file = fixture_open(name)};
  const struct ad_model_config config = fixture_config(f->file);
  assert_int_equal(ad_params_create(&f->params, &config), AD_OK);
  fixture_examples(f);
  size_t count;
  f->logits = fixture_read_new(f->file, "logits", H5T_NATIVE_FLOAT, &count);
  f->teacher = fixture_read_new(f->file, "distill/teacher_logits", H5T_NATIVE_FLOAT, &count);
  assert_int_equal(count, f->dataset.count * config.classes);
  f->theta = calloc(f->params.count, sizeof *f->theta);
  assert_non_null(f->theta);
  fixture_vector(f, "weights", f->theta);
  const size_t tokens = f->dataset.offset[f->dataset.count];
  const struct ad_input_form *form = &f->params.form;
  assert_int_equal(ad_packer_create(&f->packer, form, tokens, f->dataset.count, MOST_LANES, 1), AD_OK);
}

static inline void fixture_unload(struct encoder_fixture *f) {
  ad_packer_destroy(&f->packer);
  ad_params_destroy(&f->params);
  free(f->dataset.ids);
  free(f->dataset.label);
  free(f->dataset.offset);
  free(f->dataset.first);
  free(f->theta);
  free(f->logits);
  free(f->teacher);
  fixture_close(f->file);
}

/* The examples ids [count] in order, dealt in equal runs to the lanes (some are empty where there are more lanes than
 * examples). The batch is valid until the next call. */
static inline struct ad_batch fixture_batch(struct encoder_fixture *f, size_t count, const uint32_t *ids,
                                            size_t lanes) {
  size_t begin[MOST_LANES + 1];
  assert_true(lanes <= MOST_LANES);
  for (size_t w = 0; w <= lanes; w++) {
    begin[w] = w * count / lanes;
  }
  struct ad_batch batch;
  assert_int_equal(ad_packer_fill(&f->packer, &f->dataset, ids, lanes, begin, NULL, &batch), AD_OK);
  return batch;
}

/* Whether a tensor is the bias of keys, under any of its names. */
static inline int fixture_is_key_bias(const struct ad_tensor *tensor) {
  static const char *const names[] = {"self.key.bias", "k_lin.bias", "attn.k.bias"};
  int is = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    is |= strstr(tensor->name, names[i]) != NULL;
  }
  return is;
}

/* XLNet's embedding of the mask: no forward reads it, and its gradient is zero. */
static inline int fixture_is_unread(const struct ad_tensor *tensor) {
  return strcmp(tensor->name, "mask_emb") == 0;
}

/* What the error of a tensor's gradient is relative to: the norm of what is expected (flat [P]). A key bias adds one
 * number to all scores of a softmax row, so its gradient is zero for any loss; in float32 it is what rounding leaves of
 * a sum of terms as large as those of the query bias, its mirror image in query . key. */
static inline double fixture_gradient_scale(const struct encoder_fixture *f, const struct ad_tensor *tensor,
                                            const float *expected) {
  const double scale = norm(tensor->count, expected + tensor->offset);
  if (!fixture_is_key_bias(tensor)) {
    return scale;
  }
  assert_true(scale == 0.0 && tensor > f->params.tensors);
  const struct ad_tensor *mirror = tensor - 1; /* the query's lies before it */
  assert_true(strstr(mirror->name, "bias") != NULL && mirror->count == tensor->count);
  return norm(mirror->count, expected + mirror->offset);
}

#endif
