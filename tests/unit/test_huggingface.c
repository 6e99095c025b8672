/* Hugging Face folders in and out. The folder tests/parity/data/tiny-bert was written by transformers
 * (tests/parity/huggingface.py fixture); the others are made here byte by byte.
 *
 * `test_huggingface copy IN OUT` reads a model folder with its head and writes it again, for
 * tests/parity/huggingface.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/huggingface.h"
#include "autodidact/model/safetensors.h"
#include "autodidact/text/tokenizer.h"
#include "support/model_folder.h"

enum { HIDDEN = 8, FFN = 16, LAYERS = 2, VOCAB = 30, POSITIONS = 16, CLASSES = 3 };
static const char WORK[] = "test_huggingface.d";
static const struct ad_model_options reuse = {.classes = CLASSES, .head = AD_HEAD_REUSE, .seed_init = 5};
static const struct ad_model_options require = {.head = AD_HEAD_REQUIRE};

/* "test_huggingface.d/NAME", without what an earlier run left there; one of several buffers in turn. */
static const char *place(const char *name) {
  static char paths[4][300];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", WORK, name);
  char command[400];
  snprintf(command, sizeof command, "rm -rf '%s' '%s.partial' && mkdir -p %s", path, path, WORK);
  assert_int_equal(system(command), 0);
  return path;
}

static const char *fixture(void) {
  static char path[4096];
  const char *source = getenv("AD_SOURCE");
  snprintf(path, sizeof path, "%s/tests/parity/data/tiny-bert", source == NULL ? "." : source);
  return path;
}

static void expect_message(const char *part) {
  if (strstr(ad_error_message(), part) == NULL) {
    fail_msg("\"%s\", expected \"%s\"", ad_error_message(), part);
  }
}

static int has_name(const struct ad_names *names, const char *name) {
  for (size_t i = 0; i < names->count; i++) {
    if (strcmp(names->items[i], name) == 0) {
      return 1;
    }
  }
  return 0;
}

/* The tensor holds what Hugging Face's tensor of `name` holds by the formula. */
static void check_values(const struct ad_params *params, const float *theta, const char *name) {
  const struct ad_tensor *tensor = ad_params_find(params, name);
  assert_non_null(tensor);
  for (size_t i = 0; i < tensor->count; i++) {
    if (theta[tensor->offset + i] != test_value(name, i)) {
      fail_msg("%s[%zu]: %g, expected %g", name, i, (double)theta[tensor->offset + i], (double)test_value(name, i));
    }
  }
}

/* ---- Folders made here ---- */

enum { MOST_TENSORS = 80 };
struct folder {
  struct test_tensor tensors[MOST_TENSORS];
  size_t count;
};

static struct test_tensor *add(struct folder *folder, const char *name, const char *dtype, size_t rows,
                               size_t columns) {
  assert_true(folder->count < MOST_TENSORS);
  struct test_tensor *tensor = &folder->tensors[folder->count++];
  *tensor = (struct test_tensor){.dtype = dtype, .rows = rows, .columns = columns};
  snprintf(tensor->name, sizeof tensor->name, "%s", name);
  return tensor;
}

static struct test_tensor *find(struct folder *folder, const char *name) {
  for (size_t i = 0; i < folder->count; i++) {
    if (strcmp(folder->tensors[i].name, name) == 0) {
      return &folder->tensors[i];
    }
  }
  fail_msg("no tensor %s", name);
  return NULL;
}

static void drop(struct folder *folder, const char *name) {
  struct test_tensor *tensor = find(folder, name);
  *tensor = folder->tensors[--folder->count];
}

/* All tensors of the classifier; `norm` names the weights of a layer norm ("weight", or in old files "gamma"). */
static struct folder make_tensors(const char *prefix, const char *dtype, const char *norm_weight,
                                  const char *norm_bias) {
  static const struct {
    const char *name;
    size_t rows, columns;
  } dense[] = {{"attention.self.query", HIDDEN, HIDDEN}, {"attention.self.key", HIDDEN, HIDDEN},
               {"attention.self.value", HIDDEN, HIDDEN}, {"attention.output.dense", HIDDEN, HIDDEN},
               {"intermediate.dense", FFN, HIDDEN},      {"output.dense", HIDDEN, FFN}};
  static const char *const norms[] = {"attention.output.LayerNorm", "output.LayerNorm"};
  struct folder f = {.count = 0};
  char name[120];
#define ADD(rows, columns, ...)               \
  do {                                        \
    snprintf(name, sizeof name, __VA_ARGS__); \
    add(&f, name, dtype, (rows), (columns));  \
  } while (0)
  ADD(VOCAB, HIDDEN, "%sembeddings.word_embeddings.weight", prefix);
  ADD(POSITIONS, HIDDEN, "%sembeddings.position_embeddings.weight", prefix);
  ADD(2, HIDDEN, "%sembeddings.token_type_embeddings.weight", prefix);
  ADD(HIDDEN, 0, "%sembeddings.LayerNorm.%s", prefix, norm_weight);
  ADD(HIDDEN, 0, "%sembeddings.LayerNorm.%s", prefix, norm_bias);
  for (int l = 0; l < LAYERS; l++) {
    for (size_t i = 0; i < sizeof dense / sizeof *dense; i++) {
      ADD(dense[i].rows, dense[i].columns, "%sencoder.layer.%d.%s.weight", prefix, l, dense[i].name);
      ADD(dense[i].rows, 0, "%sencoder.layer.%d.%s.bias", prefix, l, dense[i].name);
    }
    for (size_t i = 0; i < 2; i++) {
      ADD(HIDDEN, 0, "%sencoder.layer.%d.%s.%s", prefix, l, norms[i], norm_weight);
      ADD(HIDDEN, 0, "%sencoder.layer.%d.%s.%s", prefix, l, norms[i], norm_bias);
    }
  }
  ADD(HIDDEN, HIDDEN, "%spooler.dense.weight", prefix);
  ADD(HIDDEN, 0, "%spooler.dense.bias", prefix);
  ADD(CLASSES, HIDDEN, "classifier.weight");
  ADD(CLASSES, 0, "classifier.bias");
#undef ADD
  return f;
}

static const char CONFIG[] =
    "{\"model_type\":\"bert\",\"hidden_size\":8,\"num_attention_heads\":2,\"intermediate_size\":16,\"num_hidden_"
    "layers\":2,"
    "\"vocab_size\":30,\"max_position_embeddings\":16,\"type_vocab_size\":2";

/* Writes the folder; `extra` goes into config.json, for example ",\"num_labels\":3". */
static const char *write_folder(const char *name, const struct folder *folder, const char *extra) {
  const char *path = place(name);
  char text[2000], file[400];
  snprintf(text, sizeof text, "%s%s}", CONFIG, extra);
  test_write_text(path, "config.json", text);
  snprintf(file, sizeof file, "%s/model.safetensors", path);
  test_write_safetensors(file, folder->tensors, folder->count);
  return path;
}

static struct folder plain(void) {
  return make_tensors("bert.", "F32", "weight", "bias");
}

/* Loading fails with AD_EINPUT and this message. */
static void refuse(const char *folder, const struct ad_model_options *options, const char *message) {
  struct ad_params params;
  float *theta;
  const struct ad_memory_stats before = ad_memory_stats();
  assert_int_equal(ad_model_load(folder, options, &params, &theta, NULL), AD_EINPUT);
  expect_message(message);
  assert_null(theta);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

struct loaded {
  struct ad_params params;
  float *theta;
  struct ad_model_report report;
};

static struct loaded load(const char *folder, const struct ad_model_options *options) {
  struct loaded l = {0};
  if (ad_model_load(folder, options, &l.params, &l.theta, &l.report) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  return l;
}

static void release(struct loaded *l) {
  ad_params_destroy(&l->params);
  ad_free(l->theta);
  ad_model_report_destroy(&l->report);
}

/* ---- config.json ---- */

static void test_config(void **state) {
  (void)state;
  struct ad_model_config m;
  struct ad_names names = {0};
  assert_int_equal(ad_model_read_config(fixture(), &m, &names), AD_OK);
  assert_int_equal(m.hidden, 8);
  assert_int_equal(m.heads, 2);
  assert_int_equal(m.ffn, 16);
  assert_int_equal(m.layers, 2);
  assert_int_equal(m.vocab, 30);
  assert_int_equal(m.positions, 16);
  assert_int_equal(m.types, 2);
  assert_int_equal(m.classes, 3);
  assert_true(m.layer_norm_eps == 1e-12f && m.hidden_dropout == 0.125f && m.attention_dropout == 0.25f);
  assert_true(m.classifier_dropout == 0.125f); /* null there: as the hidden one */
  assert_int_equal(m.activation, AD_GELU_ERF);
  assert_int_equal(m.classifier, AD_CLASSIFIER_POOLER);
  assert_int_equal(names.count, 3);
  assert_string_equal(names.items[1], "plant");
  ad_names_destroy(&names);
}

static void test_config_keys(void **state) {
  (void)state;
  const char *path = place("config");
  char text[2000];
  struct ad_model_config m;
  struct ad_names names = {0};
  snprintf(text, sizeof text,
           "%s,\"hidden_act\":\"gelu_pytorch_tanh\",\"classifier_dropout\":0,\"hidden_dropout_prob\":1e-1,"
           "\"autodidact_classifier\":\"cls\",\"num_labels\":4,\"layer_norm_eps\":1e-5,\"unknown\":{\"a\":[1]},\"is_"
           "decoder\":false,"
           "\"pruned_heads\":{},\"id2label\":null,\"position_embedding_type\":\"absolute\"}",
           CONFIG);
  test_write_text(path, "config.json", text);
  assert_int_equal(ad_model_read_config(path, &m, &names), AD_OK);
  assert_int_equal(m.activation, AD_GELU_TANH);
  assert_int_equal(m.classifier, AD_CLASSIFIER_CLS);
  assert_true(m.classifier_dropout == 0.0f && m.hidden_dropout == 0.1f && m.layer_norm_eps == 1e-5f);
  assert_int_equal(m.classes, 4);
  assert_int_equal(names.count, 0);
  /* Nothing but sizes: BertConfig's defaults. */
  snprintf(text, sizeof text, "%s}", CONFIG);
  test_write_text(path, "config.json", text);
  assert_int_equal(ad_model_read_config(path, &m, &names), AD_OK);
  assert_true(m.layer_norm_eps == 1e-12f && m.hidden_dropout == 0.1f && m.attention_dropout == 0.1f &&
              m.classifier_dropout == 0.1f);
  assert_int_equal(m.activation, AD_GELU_ERF);
  assert_int_equal(m.classes, 2);
}

static void test_bad_config(void **state) {
  (void)state;
  static const struct {
    const char *extra, *message;
  } cases[] = {
      {",\"hidden_act\":\"silu\"", "hidden_act is \"silu\", expected gelu, gelu_new"},
      {",\"hidden_act\":null", "hidden_act is null"},
      {",\"position_embedding_type\":\"relative_key\"",
       "position_embedding_type is \"relative_key\", expected \"absolute\""},
      {",\"is_decoder\":true", "is_decoder is true"},
      {",\"add_cross_attention\":true", "add_cross_attention is true"},
      {",\"is_encoder_decoder\":1", "is_encoder_decoder is 1"},
      {",\"pruned_heads\":{\"0\":[1]}", "pruned_heads is {\"0\":[1]}, expected none"},
      {",\"quantization_config\":{\"bits\":8}", "quantization_config is"},
      {",\"hidden_dropout_prob\":1.0", "hidden_dropout_prob is 1.0, expected a number from 0 to below 1"},
      {",\"attention_probs_dropout_prob\":-0.1", "attention_probs_dropout_prob is -0.1"},
      {",\"classifier_dropout\":\"x\"", "classifier_dropout is \"x\""},
      {",\"layer_norm_eps\":NaN", "config.json:1"},
      {",\"num_labels\":0", "num_labels is 0"},
      {",\"num_labels\":3,\"id2label\":{\"0\":\"a\",\"1\":\"b\"}", "num_labels is 3, but id2label has 2 entries"},
      {",\"id2label\":{\"0\":\"a\",\"2\":\"b\"}", "id2label has 2 entries, but none for \"1\""},
      {",\"id2label\":{\"0\":\"a\",\"1\":[]}", "id2label has 2 entries, but none for \"1\""},
      {",\"id2label\":[\"a\"]", "id2label is [\"a\"]"},
      {",\"autodidact_classifier\":\"mean\"", "autodidact_classifier is \"mean\""},
      {",\"model_type\":\"bert\"", "duplicate object key"},
      {"} {", "config.json:1: end of file expected"},
  };
  const char *path = place("bad");
  char text[2000];
  struct ad_model_config m;
  struct ad_names names = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(text, sizeof text, "%s%s}", CONFIG, cases[i].extra);
    test_write_text(path, "config.json", text);
    assert_int_equal(ad_model_read_config(path, &m, &names), AD_EINPUT);
    expect_message("bad/config.json");
    expect_message(cases[i].message);
  }
  static const struct {
    const char *text, *message;
  } whole[] = {{"", "config.json:1"},
               {"[]", "expected a JSON object"},
               {"{}", "model_type is nothing, expected \"bert\""},
               {"{\"model_type\":\"distilbert\"}", "model_type is \"distilbert\", expected \"bert\""},
               {"{\"model_type\":\"bert\"}", "hidden_size is nothing, expected an integer from 1"},
               {"{\"model_type\":\"bert\",\"hidden_size\":8.0}", "hidden_size is 8.0"},
               {"{\"model_type\":\"bert\",\"hidden_size\":1099511627776}", "hidden_size is 1099511627776"},
               {"{\"model_type\":\"bert\",\"hidden_size\":-8}", "hidden_size is -8"}};
  for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
    test_write_text(path, "config.json", whole[i].text);
    assert_int_equal(ad_model_read_config(path, &m, &names), AD_EINPUT);
    expect_message(whole[i].message);
  }
  assert_int_equal(ad_model_read_config("test_huggingface.none", &m, &names), AD_EINPUT);
  expect_message("test_huggingface.none: expected a Hugging Face model folder, found nothing");
  assert_int_equal(ad_model_read_config(place("empty-place"), &m, &names), AD_EINPUT);
}

/* ---- Loading ---- */

static void test_load_fixture(void **state) {
  (void)state;
  struct loaded l = load(fixture(), &require);
  assert_int_equal(l.params.config.classes, 3);
  assert_int_equal(l.report.loaded, l.params.tensor_count);
  assert_true(l.report.head_loaded);
  assert_int_equal(l.report.drawn.count + l.report.ignored.count, 0);
  assert_string_equal(l.report.class_names.items[2], "stone");
  for (size_t i = 0; i < l.params.tensor_count; i++) {
    char name[100];
    const struct ad_tensor *tensor = &l.params.tensors[i];
    snprintf(name, sizeof name, "%s%s", tensor->new_head ? "" : "bert.", tensor->name);
    check_values(&l.params, l.theta, name);
  }
  release(&l);
}

static void test_new_head(void **state) {
  (void)state;
  const char *const names[] = {"w", "x", "y", "z"};
  const struct ad_model_options options = {
      .classes = 4, .class_names = names, .head = AD_HEAD_REUSE, .seed_init = 5, .cased = 1};
  struct loaded l = load(fixture(), &options);
  assert_false(l.report.head_loaded);
  assert_string_equal(l.report.head_note,
                      "classifier.weight is [3, 8] and classifier.bias [3], expected [4, 8] and [4]");
  assert_int_equal(l.report.drawn.count, 2);
  assert_int_equal(l.report.ignored.count, 2);
  assert_true(has_name(&l.report.drawn, "classifier.weight") && has_name(&l.report.ignored, "classifier.bias"));
  assert_string_equal(l.report.class_names.items[3], "z");
  assert_int_equal(l.params.config.cased, 1);
  check_values(&l.params, l.theta, "bert.pooler.dense.weight");
  float *drawn = ad_calloc(l.params.count, sizeof *drawn);
  const size_t first = l.params.tensor_count - 2;
  ad_params_draw(&l.params, first, 5, drawn);
  ad_params_draw(&l.params, first + 1, 5, drawn);
  assert_true(l.params.tensors[first].new_head);
  const size_t offset = l.params.tensors[first].offset;
  assert_memory_equal(l.theta + offset, drawn + offset, (l.params.count - offset) * sizeof *drawn);
  ad_free(drawn);
  release(&l);

  /* Asked for: the folder's fitting classifier is not used. On the bare [CLS] state: neither is its pooler. */
  const struct ad_model_options fresh = {.classes = 3, .head = AD_HEAD_NEW, .classifier = AD_CLASSIFIER_CLS};
  l = load(fixture(), &fresh);
  assert_false(l.report.head_loaded);
  assert_int_equal(l.report.ignored.count, 4);
  assert_null(ad_params_find(&l.params, "pooler.dense.weight"));
  release(&l);
  const struct ad_model_options cls = {.classes = 3, .head = AD_HEAD_REUSE, .classifier = AD_CLASSIFIER_CLS};
  l = load(fixture(), &cls);
  assert_string_equal(l.report.head_note, "it stands on the pooler");
  release(&l);
  struct ad_params params;
  float *theta;
  const struct ad_model_options none = {.head = AD_HEAD_NEW};
  assert_int_equal(ad_model_load(fixture(), &none, &params, &theta, NULL), AD_ECONFIG);
}

/* F16, BF16, no prefix, old names, buffers and pretraining heads: the same parameters. */
static void test_variants(void **state) {
  (void)state;
  static const struct {
    const char *prefix, *dtype, *weight, *bias;
  } variants[] = {{"", "F32", "weight", "bias"}, {"bert.", "F16", "gamma", "beta"}, {"", "BF16", "gamma", "beta"}};
  for (size_t v = 0; v < 3; v++) {
    struct folder f = make_tensors(variants[v].prefix, variants[v].dtype, variants[v].weight, variants[v].bias);
    add(&f, "bert.embeddings.position_ids", "I64", 1, POSITIONS);
    add(&f, "cls.predictions.bias", "F32", VOCAB, 0);
    add(&f, "cls.seq_relationship.weight", "F32", 2, HIDDEN);
    struct loaded l = load(write_folder("variant", &f, ",\"num_labels\":3"), &reuse);
    assert_true(l.report.head_loaded);
    assert_int_equal(l.report.ignored.count, 3);
    assert_true(has_name(&l.report.ignored, "bert.embeddings.position_ids"));
    assert_int_equal(l.report.loaded, l.params.tensor_count);
    for (size_t i = 0; i < f.count; i++) {
      const struct test_tensor *tensor = &f.tensors[i];
      if (strstr(tensor->name, "LayerNorm") == NULL && strncmp(tensor->name, "cls.", 4) != 0 &&
          strcmp(tensor->dtype, "I64") != 0) {
        check_values(&l.params, l.theta, tensor->name);
      }
    }
    char norm[100];
    snprintf(norm, sizeof norm, "%sencoder.layer.1.output.LayerNorm.%s", variants[v].prefix, variants[v].weight);
    const struct ad_tensor *tensor = ad_params_find(&l.params, "encoder.layer.1.output.LayerNorm.weight");
    for (size_t i = 0; i < HIDDEN; i++) {
      assert_true(l.theta[tensor->offset + i] == test_value(norm, i));
    }
    release(&l);
  }
}

static void test_missing_pooler(void **state) {
  (void)state;
  struct folder f = plain();
  drop(&f, "bert.pooler.dense.weight");
  drop(&f, "classifier.weight");
  drop(&f, "classifier.bias");
  const char *path = write_folder("no-pooler", &f, "");
  struct loaded l = load(path, &reuse);
  assert_int_equal(l.report.drawn.count, 4);
  assert_true(has_name(&l.report.drawn, "pooler.dense.bias"));
  assert_true(has_name(&l.report.ignored, "bert.pooler.dense.bias")); /* half a pooler is none */
  assert_string_equal(l.report.head_note, "the folder has no classifier.weight");
  release(&l);
  refuse(path, &require, "no-pooler: the classification head cannot be used: the folder has no classifier.weight");
  f = plain();
  drop(&f, "bert.pooler.dense.weight");
  refuse(write_folder("no-pooler", &f, ",\"num_labels\":3"), &require,
         "it stands on a pooler that the folder does not have");
}

static void test_bad_weights(void **state) {
  (void)state;
  struct folder f = plain();
  drop(&f, "bert.encoder.layer.1.output.dense.bias");
  drop(&f, "bert.embeddings.LayerNorm.bias");
  refuse(write_folder("bad", &f, ""), &reuse, "bad/model.safetensors: tensor embeddings.LayerNorm.bias is missing");
  expect_message("(2 of 41 tensors are missing)");
  f = plain();
  find(&f, "bert.encoder.layer.0.intermediate.dense.weight")->columns = 7;
  refuse(write_folder("bad", &f, ""), &reuse,
         "tensor bert.encoder.layer.0.intermediate.dense.weight has shape [16, 7], but config.json makes it [16, 8]");
  f = plain();
  find(&f, "bert.encoder.layer.0.output.dense.bias")->columns = 1;
  refuse(write_folder("bad", &f, ""), &reuse, "has shape [8, 1], but config.json makes it [8]");
  f = plain();
  find(&f, "bert.pooler.dense.bias")->dtype = "I64";
  refuse(write_folder("bad", &f, ""), &reuse, "tensor bert.pooler.dense.bias has dtype I64, expected F32, F16 or BF16");
  f = plain();
  add(&f, "pooler.dense.bias", "F32", HIDDEN, 0);
  refuse(write_folder("bad", &f, ""), &reuse, "are the same parameter");
  f = plain();
  add(&f, "bert.encoder.layer.0.output.LayerNorm.gamma", "F32", HIDDEN, 0);
  refuse(write_folder("bad", &f, ""), &reuse, "are the same parameter");
  f = plain();
  add(&f, "bert.encoder.layer.2.output.dense.bias", "F32", HIDDEN, 0);
  refuse(write_folder("bad", &f, ""), &reuse,
         "tensor bert.encoder.layer.2.output.dense.bias has no place in the model");
  f = plain();
  add(&f, "distilbert.transformer.layer.0.ffn.lin1.bias", "F32", HIDDEN, 0);
  refuse(write_folder("bad", &f, ""), &reuse, "is of a DistilBERT model, expected BERT");
  const struct ad_model_options vocab = {.classes = 3, .head = AD_HEAD_REUSE, .vocab = 31};
  refuse(fixture(), &vocab, "config.json has vocab_size 30, but the tokenizer has 31 entries");
}

/* One element of one tensor replaced in the file. */
static void test_not_finite(void **state) {
  (void)state;
  struct folder f = plain();
  const char *path = write_folder("nan", &f, "");
  char file[400];
  snprintf(file, sizeof file, "%s/model.safetensors", path);
  struct ad_buffer bytes = {0};
  assert_int_equal(ad_file_read(file, &bytes), AD_OK);
  struct ad_safetensors opened;
  assert_int_equal(ad_safetensors_open(&opened, file), AD_OK);
  const struct ad_safetensor *tensor = ad_safetensors_find(&opened, "bert.encoder.layer.1.output.dense.weight");
  const size_t at = (size_t)(tensor->data - opened.map.data) + 5 * sizeof(float);
  ad_safetensors_close(&opened);
  const float values[2] = {NAN, -INFINITY};
  const char *const messages[2] = {"bert.encoder.layer.1.output.dense.weight: element 5 is NaN",
                                   "element 5 is infinite"};
  for (int i = 0; i < 2; i++) {
    memcpy(bytes.data + at, &values[i], sizeof values[i]);
    assert_int_equal(ad_file_write(file, bytes.data, bytes.size), AD_OK);
    refuse(path, &reuse, messages[i]);
  }
  ad_buffer_destroy(&bytes);
}

static void test_head_kinds(void **state) {
  (void)state;
  struct folder f = plain();
  refuse(write_folder("kind", &f, ",\"num_labels\":3,\"architectures\":[\"BertForTokenClassification\"]"), &require,
         "it belongs to a BertForTokenClassification");
  refuse(write_folder("kind", &f, ",\"num_labels\":3,\"problem_type\":\"multi_label_classification\""), &require,
         "its problem_type is multi_label_classification");
  refuse(write_folder("kind", &f, ",\"num_labels\":4"), &require, "it has 3 classes, but config.json names 4");
  const struct ad_model_options two = {.classes = 2, .head = AD_HEAD_REQUIRE};
  refuse(fixture(), &two, "classifier.weight is [3, 8] and classifier.bias [3], expected [2, 8] and [2]");
  find(&f, "classifier.weight")->rows = 1;
  find(&f, "classifier.bias")->rows = 1;
  refuse(write_folder("kind", &f, ",\"num_labels\":1"), &require, "classifier.weight is [1, 8]");
  /* The names of the classes, in another order. */
  const char *const swapped[] = {"animal", "stone", "plant"}, *const same[] = {"animal", "plant", "stone"},
                    *const other[] = {"0", "1", "2"};
  struct ad_model_options options = reuse;
  options.class_names = swapped;
  refuse(fixture(), &options,
         "class 1 of the head is \"plant\", expected \"stone\": the same classes in another order");
  options.class_names = same;
  struct loaded l = load(fixture(), &options);
  assert_true(l.report.head_loaded);
  release(&l);
  options.class_names = other;
  l = load(fixture(), &options);
  assert_string_equal(l.report.class_names.items[0], "animal");
  release(&l);
}

static void test_files(void **state) {
  (void)state;
  char text[200];
  snprintf(text, sizeof text, "%s}", CONFIG);
  const char *path = place("files");
  test_write_text(path, "config.json", text);
  refuse(path, &reuse, "files: no model.safetensors and no model.safetensors.index.json");
  test_write_text(path, "pytorch_model.bin", "");
  refuse(path, &reuse, "files: no model.safetensors, only pytorch_model.bin, which is not read; convert it");
}

/* Two shards; then an index that does not agree with them. */
static void test_shards(void **state) {
  (void)state;
  struct folder f = plain();
  const char *path = place("shards");
  const size_t half = f.count / 2;
  char text[200], one[400], two[400];
  snprintf(text, sizeof text, "%s,\"num_labels\":3}", CONFIG);
  test_write_text(path, "config.json", text);
  snprintf(one, sizeof one, "%s/model-00001-of-00002.safetensors", path);
  snprintf(two, sizeof two, "%s/model-00002-of-00002.safetensors", path);
  test_write_safetensors(one, f.tensors, half);
  test_write_safetensors(two, f.tensors + half, f.count - half);
  struct ad_buffer index = {0};
  assert_int_equal(ad_buffer_puts(&index, "{\"metadata\":{\"total_size\":1},\"weight_map\":{"), AD_OK);
  for (size_t i = 0; i < f.count; i++) {
    assert_int_equal(ad_buffer_printf(&index, "%s\"%s\":\"model-0000%d-of-00002.safetensors\"", i == 0 ? "" : ",",
                                      f.tensors[i].name, i < half ? 1 : 2),
                     AD_OK);
  }
  assert_int_equal(ad_buffer_puts(&index, "}}"), AD_OK);
  test_write_text(path, "model.safetensors.index.json", index.data);
  struct loaded l = load(path, &reuse);
  assert_true(l.report.head_loaded);
  check_values(&l.params, l.theta, "bert.embeddings.word_embeddings.weight");
  check_values(&l.params, l.theta, "bert.pooler.dense.weight");
  release(&l);
  struct ad_names files = {0};
  assert_int_equal(ad_model_list_files(path, &files), AD_OK);
  assert_int_equal(files.count, 2);
  assert_string_equal(files.items[1], two);
  ad_names_destroy(&files);

  char *second = strstr(index.data, "model-00002");
  second[10] = '3';
  test_write_text(path, "model.safetensors.index.json", index.data);
  refuse(path, &reuse, "model-00003-of-00002.safetensors");
  second[10] = '1';
  test_write_text(path, "model.safetensors.index.json", index.data);
  refuse(path, &reuse, "weight_map has model-00001-of-00002.safetensors for tensor");
  second[10] = '2';
  second[5] = '/';
  test_write_text(path, "model.safetensors.index.json", index.data);
  refuse(path, &reuse, "is not a plain file name");
  test_write_text(path, "model.safetensors.index.json", "{\"weight_map\":{}}");
  refuse(path, &reuse, "model.safetensors.index.json: no weight_map");
  ad_buffer_destroy(&index);
}

/* The table first, the values later into memory of the caller's. */
static void test_open(void **state) {
  (void)state;
  struct ad_model *model;
  assert_int_equal(ad_model_open(&model, fixture(), &reuse), AD_OK);
  const struct ad_params *params = ad_model_params(model);
  assert_true(ad_model_get_report(model)->head_loaded);
  float *theta = ad_malloc(params->count, sizeof *theta);
  assert_int_equal(ad_model_read(model, theta), AD_OK);
  check_values(params, theta, "classifier.weight");
  ad_free(theta);
  ad_model_close(model);
  ad_model_close(NULL);
}

/* ---- Drawing and writing ---- */

static const struct ad_model_config small = {.hidden = HIDDEN,
                                             .heads = 2,
                                             .ffn = FFN,
                                             .layers = LAYERS,
                                             .vocab = VOCAB,
                                             .positions = POSITIONS,
                                             .types = 2,
                                             .classes = 3,
                                             .layer_norm_eps = 1e-12f,
                                             .hidden_dropout = 0.1f,
                                             .attention_dropout = 0.3f,
                                             .classifier_dropout = 0.123456789f,
                                             .activation = AD_GELU_TANH,
                                             .classifier = AD_CLASSIFIER_POOLER,
                                             .cased = 1};

static void test_draw(void **state) {
  (void)state;
  struct ad_params params;
  float *theta;
  assert_int_equal(ad_model_draw(&small, 7, &params, &theta), AD_OK);
  const struct ad_tensor *norm = ad_params_find(&params, "embeddings.LayerNorm.weight");
  assert_true(theta[norm->offset] == 1.0f);
  double squares = 0.0;
  const struct ad_tensor *word = ad_params_find(&params, "embeddings.word_embeddings.weight");
  for (size_t i = 0; i < word->count; i++) {
    squares += (double)theta[word->offset + i] * (double)theta[word->offset + i];
  }
  /* N(0, 0.02^2): the mean square within five standard errors. */
  assert_true(fabs(squares / (double)word->count / 4e-4 - 1.0) <= 5.0 * sqrt(2.0 / (double)word->count));
  ad_params_destroy(&params);
  ad_free(theta);
  struct ad_model_config broken = small;
  broken.heads = 3;
  assert_int_equal(ad_model_draw(&broken, 7, &params, &theta), AD_ECONFIG);
  assert_null(theta);
}

static struct ad_tokenizer *fixture_tokenizer(void) {
  struct ad_tokenizer *tokenizer;
  if (ad_tokenizer_load(&tokenizer, fixture()) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  return tokenizer;
}

static void test_save(void **state) {
  (void)state;
  struct ad_tokenizer *tokenizer = fixture_tokenizer();
  const char *const names[] = {"a \"quoted\" one", "größer", "c"};
  for (int cls = 0; cls < 2; cls++) {
    struct ad_model_config config = small;
    config.classifier = cls ? AD_CLASSIFIER_CLS : AD_CLASSIFIER_POOLER;
    struct ad_params params;
    float *theta;
    assert_int_equal(ad_model_draw(&config, 7, &params, &theta), AD_OK);
    const char *path = place("saved");
    char slashes[300];
    snprintf(slashes, sizeof slashes, "%s//", path);
    assert_int_equal(ad_model_save(slashes, 0, &params, theta, tokenizer, names), AD_OK);
    struct loaded l = load(path, &require);
    assert_true(l.report.head_loaded);
    assert_int_equal(l.params.count, params.count);
    assert_memory_equal(l.theta, theta, params.count * sizeof *theta);
    assert_string_equal(l.report.class_names.items[0], names[0]);
    assert_string_equal(l.report.class_names.items[1], names[1]);
    l.params.config.cased = 1; /* the tokenizer's, not read here */
    assert_memory_equal(&l.params.config, &config, sizeof config);
    release(&l);
    struct ad_tokenizer *again;
    assert_int_equal(ad_tokenizer_load(&again, path), AD_OK);
    assert_int_equal(ad_tokenizer_vocab(again), VOCAB);
    assert_int_equal(ad_tokenizer_cased(again), 0);
    ad_tokenizer_destroy(again);

    /* What is there stays, unless it is a model and is to be replaced. */
    assert_int_equal(ad_model_save(path, 0, &params, theta, tokenizer, NULL), AD_EINPUT);
    expect_message("exists and holds");
    theta[0] = 42.0f;
    assert_int_equal(ad_model_save(path, 1, &params, theta, tokenizer, NULL), AD_OK);
    l = load(path, &require);
    assert_true(l.theta[0] == 42.0f);
    assert_string_equal(l.report.class_names.items[2], "LABEL_2");
    release(&l);
    char partial[320];
    snprintf(partial, sizeof partial, "%s.partial", path);
    assert_false(ad_is_folder(partial));
    test_write_text(path, "thesis.tex", "");
    assert_int_equal(ad_model_save(path, 1, &params, theta, tokenizer, NULL), AD_EINPUT);
    expect_message("thesis.tex");
    ad_params_destroy(&params);
    ad_free(theta);
  }
  ad_tokenizer_destroy(tokenizer);
}

static void test_refused_save(void **state) {
  (void)state;
  struct ad_tokenizer *tokenizer = fixture_tokenizer();
  struct ad_params params;
  float *theta;
  assert_int_equal(ad_model_draw(&small, 7, &params, &theta), AD_OK);
  const char *path = place("refused");
  const char *const twice[] = {"a", "b", "a"};
  assert_int_equal(ad_model_save(path, 0, &params, theta, tokenizer, twice), AD_EINPUT);
  expect_message("classes 0 and 2 are both named \"a\"");
  const struct ad_tensor *tensor = ad_params_find(&params, "pooler.dense.bias");
  theta[tensor->offset + 3] = NAN;
  assert_int_equal(ad_model_save(path, 0, &params, theta, tokenizer, NULL), AD_EDIVERGED);
  expect_message("element 3 of pooler.dense.bias is not finite");
  theta[tensor->offset + 3] = 0.0f;
  params.config.vocab = 31;
  assert_int_equal(ad_model_save(path, 0, &params, theta, tokenizer, NULL), AD_EINPUT);
  expect_message("a tokenizer of 30 entries, expected 31");
  params.config.vocab = VOCAB;
  test_write_text(WORK, "file", "");
  assert_int_equal(ad_model_save("test_huggingface.d/file", 1, &params, theta, tokenizer, NULL), AD_EINPUT);
  assert_int_equal(ad_model_save("test_huggingface.d/file/x", 1, &params, theta, tokenizer, NULL), AD_EINPUT);
  /* The disk is full in the middle of the weights: nothing is left. */
  struct rlimit before, limited;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  limited = before;
  limited.rlim_cur = 6000;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limited), 0);
  const int status = ad_model_save(path, 0, &params, theta, tokenizer, NULL);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(status, AD_EIO);
  expect_message("model.safetensors");
  assert_false(ad_is_folder(path));
  assert_false(ad_is_folder("test_huggingface.d/refused.partial"));
  /* An attempt that was killed left a part: it is cleared away. */
  test_write_text("test_huggingface.d/refused.partial", "config.json", "half");
  assert_int_equal(ad_model_save(path, 0, &params, theta, tokenizer, NULL), AD_OK);
  ad_params_destroy(&params);
  ad_free(theta);
  ad_tokenizer_destroy(tokenizer);
}

/* ---- Out of memory ---- */

static void *counted_malloc(size_t size) {
  return ad_malloc(size, 1);
}

/* Loading and saving with each allocation failing once; `either`: a second status that a failure may have. */
static unsigned long fail_each_allocation(struct ad_tokenizer *tokenizer, int either) {
  struct ad_params params;
  float *theta;
  unsigned long total = 0;
  const char *const names[] = {"x", "y", "z"};
  struct ad_model_options options = reuse;
  options.class_names = names;
  const size_t live = ad_memory_stats().live_blocks;
  for (int status = AD_ENOMEM; status != AD_OK; total++) {
    struct ad_model_report report = {0};
    ad_memory_fail_at(total + 1);
    status = ad_model_load(fixture(), &options, &params, &theta, &report);
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM || status == either);
    ad_model_report_destroy(&report);
    assert_int_equal(ad_memory_stats().live_blocks, status == AD_OK ? live + 4 : live);
  }
  const char *path = place("memory");
  unsigned long n = 0;
  for (int status = AD_ENOMEM; status != AD_OK;) {
    ad_memory_fail_at(++n);
    status = ad_model_save(path, 1, &params, theta, tokenizer, names);
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, live + 4);
    assert_false(ad_is_folder("test_huggingface.d/memory.partial"));
    assert_int_equal(ad_is_folder(path), status == AD_OK);
  }
  struct loaded l = load(path, &require);
  assert_memory_equal(l.theta, theta, params.count * sizeof *theta);
  release(&l);
  ad_params_destroy(&params);
  ad_free(theta);
  return total + n;
}

static void test_out_of_memory(void **state) {
  (void)state;
  struct ad_tokenizer *tokenizer = fixture_tokenizer();
  const unsigned long own = fail_each_allocation(tokenizer, AD_ENOMEM);
  assert_true(own > 120);
  /* jansson's allocations too; it reports some of its failures as bad syntax. */
  json_malloc_t old_malloc;
  json_free_t old_free;
  json_get_alloc_funcs(&old_malloc, &old_free);
  json_set_alloc_funcs(counted_malloc, ad_free);
  const unsigned long total = fail_each_allocation(tokenizer, AD_EINPUT);
  json_set_alloc_funcs(old_malloc, old_free);
  assert_true(total > 2 * own);
  ad_tokenizer_destroy(tokenizer);
}

/* ---- For tests/parity/huggingface.py ---- */

static int copy(const char *in, const char *out) {
  struct ad_tokenizer *tokenizer = NULL;
  struct loaded l = {0};
  int status = ad_tokenizer_load(&tokenizer, in);
  if (status == AD_OK) {
    const struct ad_model_options options = {.head = AD_HEAD_REQUIRE, .vocab = ad_tokenizer_vocab(tokenizer)};
    status = ad_model_load(in, &options, &l.params, &l.theta, &l.report);
  }
  if (status == AD_OK) {
    const char *const *names = l.report.class_names.count > 0 ? (const char *const *)l.report.class_names.items : NULL;
    status = ad_model_save(out, 0, &l.params, l.theta, tokenizer, names);
  }
  if (status != AD_OK) {
    fprintf(stderr, "%s\n", ad_error_message());
  }
  release(&l);
  ad_tokenizer_destroy(tokenizer);
  return ad_status_exit_code(status);
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "copy") == 0) {
    return copy(argv[2], argv[3]);
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_config),         cmocka_unit_test(test_config_keys),  cmocka_unit_test(test_bad_config),
      cmocka_unit_test(test_load_fixture),   cmocka_unit_test(test_new_head),     cmocka_unit_test(test_variants),
      cmocka_unit_test(test_missing_pooler), cmocka_unit_test(test_bad_weights),  cmocka_unit_test(test_not_finite),
      cmocka_unit_test(test_head_kinds),     cmocka_unit_test(test_files),        cmocka_unit_test(test_shards),
      cmocka_unit_test(test_open),           cmocka_unit_test(test_draw),         cmocka_unit_test(test_save),
      cmocka_unit_test(test_refused_save),   cmocka_unit_test(test_out_of_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
