/* Loading Hugging Face folders. The folder tests/parity/data/tiny-bert was written by transformers
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
#include <math.h>

#include "autodidact/model/safetensors.h"
#include "autodidact/text/tokenizer.h"
#include "support/model_folder.h"

const char WORK[] = "test_huggingface.d";
static const struct ad_model_options reuse = {.classes = CLASSES, .head = AD_HEAD_AUTO, .seed_init = 5};
static const struct ad_model_options require = {.head = AD_HEAD_REQUIRE};

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
      .classes = 4, .class_names = names, .head = AD_HEAD_AUTO, .seed_init = 5, .cased = 1};
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
  const struct ad_model_options cls = {.classes = 3, .head = AD_HEAD_AUTO, .classifier = AD_CLASSIFIER_CLS};
  l = load(fixture(), &cls);
  assert_string_equal(l.report.head_note, "it stands on the pooler, but model.classifier is cls");
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
  const struct ad_model_options vocab = {.classes = 3, .head = AD_HEAD_AUTO, .vocab = 31};
  const struct ad_model_options types = {.classes = 3, .head = AD_HEAD_AUTO, .vocab = 29, .types = 3};
  refuse(fixture(), &types, "config.json: type_vocab_size is 2, expected 3 for pairs of texts");
  refuse(fixture(), &vocab, "config.json: vocab_size is 30, but the tokenizer has 31 entries");
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
  refuse(write_folder("kind", &f, ",\"num_labels\":3,\"problem_type\":\"ranking\""), &require,
         "its problem_type is ranking, which no task has");
  refuse(write_folder("kind", &f, ",\"num_labels\":4"), &require, "it has 3 classes, but config.json names 4");
  const struct ad_model_options two = {.classes = 2, .head = AD_HEAD_REQUIRE};
  refuse(fixture(), &two, "classifier.weight is [3, 8] and classifier.bias [3], expected [2, 8] and [2]");
  find(&f, "classifier.weight")->rows = 1;
  find(&f, "classifier.bias")->rows = 1;
  refuse(write_folder("kind", &f, ",\"num_labels\":1,\"problem_type\":\"single_label_classification\""), &require,
         "classifier.weight is [1, 8] and classifier.bias [1], expected [2, 8] and [2]");
}

/* A head of one number is a regression, whether its folder says so or not; data of as many numbers keep it, whatever it
 * is called. Others get a new one. */
static void test_regression_head(void **state) {
  (void)state;
  static const char *const score[] = {"score"}, *const pair[] = {"x", "y"}, *const swapped[] = {"y", "x"};
  static const char *const extra[] = {",\"num_labels\":1", ",\"id2label\":{\"0\":\"LABEL_0\"}",
                                      ",\"id2label\":{\"0\":\"similarity\"},\"problem_type\":\"regression\""};
  struct ad_model_options options = {
      .classes = 1, .problem_type = "regression", .class_names = score, .head = AD_HEAD_KEEP};
  struct folder one = plain();
  find(&one, "classifier.weight")->rows = 1;
  find(&one, "classifier.bias")->rows = 1;
  for (size_t i = 0; i < sizeof extra / sizeof *extra; i++) {
    const char *path = write_folder("numbers", &one, extra[i]);
    struct loaded l = load(path, &require);
    assert_string_equal(l.params.config.problem_type, "regression");
    assert_int_equal(l.params.config.classes, 1);
    release(&l);
    l = load(path, &options);
    assert_true(l.report.head_loaded);
    assert_string_equal(l.report.head_note, "it predicts as many numbers as the data have: 1");
    check_values(&l.params, l.theta, "classifier.weight");
    release(&l);
  }
  struct folder f = plain();
  find(&f, "classifier.weight")->rows = 2;
  find(&f, "classifier.bias")->rows = 2;
  const char *named = ",\"id2label\":{\"0\":\"x\",\"1\":\"y\"},\"problem_type\":\"regression\"";
  refuse(write_folder("numbers", &f, named), &options, "expected [1, 8] and [1]");
  options.classes = 2;
  options.class_names = pair;
  struct loaded l = load(write_folder("numbers", &f, named), &options);
  assert_true(l.report.head_loaded);
  release(&l);
  options.class_names = swapped;
  refuse(write_folder("numbers", &f, named), &options, "its class 0 is \"x\", that of the data \"y\"");
  l = load(write_folder("numbers", &f, ",\"num_labels\":2,\"problem_type\":\"regression\""), &options);
  assert_true(l.report.head_loaded);
  release(&l);
  /* A classifier for numbers. */
  refuse(write_folder("numbers", &f, ",\"num_labels\":2"), &options,
         "and model.head is keep: its problem_type is single_label_classification, expected regression");
  options.head = AD_HEAD_AUTO;
  l = load(write_folder("numbers", &f, ",\"num_labels\":2"), &options);
  assert_false(l.report.head_loaded);
  assert_string_equal(l.report.head_note, "its problem_type is single_label_classification, expected regression");
  assert_string_equal(l.params.config.problem_type, "regression");
  release(&l);
}

/* A classifier of sets of classes, and its threshold. */
static void test_sets_head(void **state) {
  (void)state;
  static const char *const names[] = {"a", "b", "c"};
  static const char named[] =
      ",\"id2label\":{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"},\"problem_type\":"
      "\"multi_label_classification\",\"autodidact_threshold\":0.375";
  struct ad_model_options options = {
      .classes = 3, .problem_type = "multi_label_classification", .class_names = names, .head = AD_HEAD_KEEP};
  struct folder f = plain();
  struct loaded l = load(write_folder("sets", &f, named), &options);
  assert_true(l.report.head_loaded && l.params.config.threshold == 0.375f);
  assert_string_equal(l.params.config.problem_type, "multi_label_classification");
  release(&l);
  options.problem_type = NULL;
  refuse(write_folder("sets", &f, named), &options,
         "its problem_type is multi_label_classification, expected single_label_classification");
  options.head = AD_HEAD_AUTO;
  l = load(write_folder("sets", &f, named), &options);
  assert_false(l.report.head_loaded);
  assert_true(l.params.config.threshold == 0.0f); /* of the head that was left */
  release(&l);
  refuse(write_folder("sets", &f, ",\"num_labels\":3,\"autodidact_threshold\":1.5"), &require,
         "autodidact_threshold is 1.5, expected a number from 0 to below 1");
}

static const char *const same_names[] = {"animal", "plant", "stone"},
                         *const moved_names[] = {"animal", "stone", "plant"},
                         *const other_names[] = {"animal", "plant", "water"};
enum { NAMED, NUMBERED, NAMELESS, OTHER_KIND };
static const char *const head_extra[] = {
    [NAMED] = ",\"id2label\":{\"0\":\"animal\",\"1\":\"plant\",\"2\":\"stone\"}",
    [NUMBERED] = ",\"id2label\":{\"0\":\"LABEL_0\",\"1\":\"LABEL_1\",\"2\":\"LABEL_2\"}",
    [NAMELESS] = ",\"num_labels\":3",
    [OTHER_KIND] = ",\"num_labels\":3,\"problem_type\":\"regression\""};
static const struct {
  int folder;
  enum ad_head_use head;
  const char *const *names;
  int kept; /* -1: refused */
  const char *note;
} head_cases[] = {
    {NAMED, AD_HEAD_AUTO, same_names, 1, "its classes are those of the data, in the same order"},
    {NAMED, AD_HEAD_KEEP, same_names, 1, "its classes are those of the data, in the same order"},
    {NAMED, AD_HEAD_NEW, same_names, 0, "model.head is new"},
    {NAMED, AD_HEAD_AUTO, moved_names, 0,
     "its class 1 is \"plant\", that of the data \"stone\": the same classes in another order"},
    {NAMED, AD_HEAD_KEEP, moved_names, -1, "its class 1 is \"plant\", that of the data \"stone\": the same classes in"},
    {NAMED, AD_HEAD_AUTO, other_names, 0, "its class 2 is \"stone\", that of the data \"water\""},
    {NAMED, AD_HEAD_KEEP, other_names, -1, "head is keep: its class 2 is \"stone\", that of the data \"water\""},
    {NUMBERED, AD_HEAD_AUTO, same_names, 0, "its config.json has no names of classes, only LABEL_0 and so on"},
    {NUMBERED, AD_HEAD_KEEP, same_names, 1,
     "model.head is keep, and its config.json has no names of classes, only LABEL_0 and so on"},
    {NAMELESS, AD_HEAD_AUTO, same_names, 0, "its config.json has no names of classes"},
    {NAMELESS, AD_HEAD_KEEP, same_names, 1, "model.head is keep, and its config.json has no names of classes"},
    {OTHER_KIND, AD_HEAD_AUTO, same_names, 0, "its problem_type is regression, expected single_label_classification"},
    {OTHER_KIND, AD_HEAD_KEEP, same_names, -1, "its problem_type is regression"},
};

/* What becomes of a folder's classifier, by model.head and the names of the data's classes. */
static void test_head_use(void **state) {
  (void)state;
  struct folder f = plain();
  drop(&f, "bert.pooler.dense.weight");
  refuse(write_folder("head", &f, head_extra[NAMED]),
         &(struct ad_model_options){.classes = 3, .class_names = same_names, .head = AD_HEAD_KEEP},
         "it stands on a pooler");
  f = plain();
  for (size_t i = 0; i < sizeof head_cases / sizeof *head_cases; i++) {
    const char *path = write_folder("head", &f, head_extra[head_cases[i].folder]);
    const struct ad_model_options options = {
        .classes = 3, .class_names = head_cases[i].names, .head = head_cases[i].head, .seed_init = 5};
    if (head_cases[i].kept < 0) {
      refuse(path, &options, head_cases[i].note);
      continue;
    }
    struct loaded l = load(path, &options);
    assert_string_equal(l.report.head_note, head_cases[i].note);
    assert_int_equal(l.report.head_loaded, head_cases[i].kept);
    assert_int_equal(l.report.drawn.count, head_cases[i].kept ? 0 : 2);
    assert_string_equal(l.report.class_names.items[2], head_cases[i].names[2]);
    check_values(&l.params, l.theta, "bert.pooler.dense.weight");
    if (head_cases[i].kept) {
      check_values(&l.params, l.theta, "classifier.weight");
    }
    release(&l);
  }
  const struct ad_model_options two = {.classes = 2, .class_names = same_names, .head = AD_HEAD_KEEP};
  refuse(fixture(), &two, "classifier.weight is [3, 8] and classifier.bias [3], expected [2, 8] and [2]");
  drop(&f, "classifier.bias");
  refuse(write_folder("head", &f, head_extra[NAMED]),
         &(struct ad_model_options){.classes = 3, .class_names = same_names, .head = AD_HEAD_KEEP},
         "and model.head is keep: the folder has no classifier.bias");
}

/* Keys of config.json that nobody here knows; those that real files have are not among them. */
static void test_unknown_keys(void **state) {
  (void)state;
  struct folder f = plain();
  struct loaded l = load(write_folder("keys", &f,
                                      ",\"attention_bias\":true,\"rope_theta\":1e4,\"_name_or_path\":\"x\","
                                      "\"head_dim\":null,\"use_flash\":false,\"num_labels\":3"),
                         &reuse);
  assert_int_equal(l.report.unknown.count, 2);
  assert_true(has_name(&l.report.unknown, "attention_bias") && has_name(&l.report.unknown, "rope_theta"));
  release(&l);
  l = load(fixture(), &require);
  assert_int_equal(l.report.unknown.count, 0);
  release(&l);
  /* What Google's multilingual model, transformers 2 to 5, sentence-transformers and its cross-encoders have added. */
  l = load(write_folder("keys", &f,
                        ",\"directionality\":\"bidi\",\"pooler_fc_size\":768,\"pooler_num_attention_heads\":12,"
                        "\"pooler_num_fc_layers\":3,\"pooler_size_per_head\":128,\"pooler_type\":\"x\","
                        "\"output_past\":true,\"_num_labels\":5,\"finetuning_task\":\"x\",\"num_labels\":3,"
                        "\"gradient_checkpointing\":true,\"torch_dtype\":\"float32\",\"dtype\":\"float16\","
                        "\"use_cache\":true,\"num_beams\":1,\"top_k\":50,\"length_penalty\":1.0,\"return_dict\":"
                        "true,\"sentence_transformers\":{\"version\":\"4\"},\"chunk_size_feed_forward\":4,"
                        "\"transformers_version\":\"5.0.0\",\"tie_word_embeddings\":true,\"model_max_length\":512"),
           &reuse);
  assert_int_equal(l.report.unknown.count, 0);
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

static uint64_t digest_of(const char *path) {
  uint64_t digest;
  assert_int_equal(ad_model_digest(path, &digest), AD_OK);
  return digest;
}

/* The digest is that of names and contents, wherever the folder lies. */
static void test_digest(void **state) {
  (void)state;
  const char *path = place("digest-a"), *other = place("digest-b");
  uint64_t digest = 1;
  assert_int_equal(ad_model_digest(path, &digest), AD_EINPUT);
  const char *const names[] = {"model.safetensors", "config.json", "vocab.txt", "tokenizer.json",
                               "tokenizer_config.json"};
  uint64_t last = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    test_write_text(path, names[i], "one");
    assert_true(digest_of(path) != last);
    last = digest_of(path);
    test_write_text(other, names[i], "two");
    assert_true(digest_of(other) != last);
    test_write_text(other, names[i], "one");
    assert_true(digest_of(other) == last);
  }
  test_write_text(path, "README.md", "not read");
  assert_true(digest_of(path) == last);
  for (unsigned long n = 1;; n++) {
    ad_memory_fail_at(n);
    const int status = ad_model_digest(path, &digest);
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      assert_true(n > 5);
      break;
    }
    assert_int_equal(status, AD_ENOMEM);
  }
  assert_true(digest == last);
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_load_fixture), cmocka_unit_test(test_new_head),
                                     cmocka_unit_test(test_variants),     cmocka_unit_test(test_missing_pooler),
                                     cmocka_unit_test(test_bad_weights),  cmocka_unit_test(test_not_finite),
                                     cmocka_unit_test(test_head_kinds),   cmocka_unit_test(test_regression_head),
                                     cmocka_unit_test(test_sets_head),    cmocka_unit_test(test_head_use),
                                     cmocka_unit_test(test_unknown_keys), cmocka_unit_test(test_files),
                                     cmocka_unit_test(test_shards),       cmocka_unit_test(test_open),
                                     cmocka_unit_test(test_digest)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
