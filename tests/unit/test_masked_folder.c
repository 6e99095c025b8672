/* Model folders with a masked-language head: read, drawn where it is missing, refused, written, and read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "autodidact/text/tokenizer.h"
#include "support/model_folder.h"

const char WORK[] = "test_masked_folder.d";
static const struct ad_model_options masked = {.masked_lm = 1, .head = AD_HEAD_AUTO, .seed_init = 5},
                                     keep = {.masked_lm = 1, .head = AD_HEAD_KEEP},
                                     new_head = {.masked_lm = 1, .head = AD_HEAD_NEW, .seed_init = 5},
                                     require = {.masked_lm = 1, .head = AD_HEAD_REQUIRE},
                                     classes = {.classes = CLASSES, .head = AD_HEAD_AUTO, .seed_init = 5};

static const char WORDS[] = "bert.embeddings.word_embeddings.weight",
                  MASKED[] = ",\"architectures\":[\"BertForMaskedLM\"]";
static const char *const HEAD[] = {"cls.predictions.transform.dense.weight", "cls.predictions.transform.dense.bias",
                                   "cls.predictions.transform.LayerNorm.weight",
                                   "cls.predictions.transform.LayerNorm.bias", "cls.predictions.bias"};
enum { TENSORS = sizeof HEAD / sizeof *HEAD };

/* What transformers writes of a BertForMaskedLM: no pooler, and each tied weight once. */
static struct folder plain_masked(void) {
  struct folder f = plain();
  drop(&f, "bert.pooler.dense.weight");
  drop(&f, "bert.pooler.dense.bias");
  drop(&f, "classifier.weight");
  drop(&f, "classifier.bias");
  add(&f, HEAD[0], "F32", HIDDEN, HIDDEN);
  for (size_t i = 1; i < TENSORS; i++) {
    add(&f, HEAD[i], "F32", i + 1 < TENSORS ? HIDDEN : VOCAB, 0);
  }
  return f;
}

static void check_head(const struct loaded *l, size_t ignored) {
  assert_true(l->report.head_loaded && l->report.drawn.count == 0 && l->report.class_names.count == 0);
  assert_int_equal(l->report.ignored.count, ignored);
  assert_true(l->params.config.masked_lm && l->params.config.classes == 0);
  assert_int_equal(ad_model_logits(&l->params.config), VOCAB);
  for (size_t i = 0; i < TENSORS; i++) {
    check_values(&l->params, l->theta, HEAD[i]);
  }
}

static void test_load(void **state) {
  (void)state;
  struct folder f = plain_masked();
  const struct ad_model_options *const all[] = {&masked, &keep, &require};
  for (size_t i = 0; i < 3; i++) {
    struct loaded l = load(write_folder("plain", &f, MASKED), all[i]);
    check_head(&l, 0);
    assert_null(ad_params_find(&l.params, "pooler.dense.weight"));
    assert_string_equal(l.report.head_note, "its masked-language head fits");
    release(&l);
  }
  /* Of a model for pretraining, with all copies. */
  add(&f, "cls.predictions.decoder.weight", "F32", VOCAB, HIDDEN)->like = WORDS;
  add(&f, "cls.predictions.decoder.bias", "F32", VOCAB, 0)->like = HEAD[4];
  add(&f, "cls.seq_relationship.weight", "F32", 2, HIDDEN);
  struct loaded l = load(write_folder("copies", &f, ",\"architectures\":[\"BertForPreTraining\"]"), &keep);
  check_head(&l, 1);
  release(&l);
  /* The copy of the bias alone. */
  drop(&f, HEAD[4]);
  l = load(write_folder("copy", &f, MASKED), &keep);
  check_head(&l, 1);
  release(&l);
}

/* A head that is drawn, and a pooler that stays. */
static void test_draw(void **state) {
  (void)state;
  struct folder f = plain();
  const struct ad_model_options *const all[] = {&masked, &new_head};
  for (size_t k = 0; k < 2; k++) {
    struct loaded l = load(write_folder("bare", &f, ",\"num_labels\":3"), all[k]);
    assert_false(l.report.head_loaded);
    assert_int_equal(l.report.drawn.count, TENSORS);
    assert_int_equal(l.report.ignored.count, 2); /* the classifier */
    assert_string_equal(l.report.head_note,
                        k > 0 ? "model.head is new" : "the folder has no cls.predictions.transform.dense.weight");
    check_values(&l.params, l.theta, "bert.pooler.dense.weight");
    const struct ad_tensor *pooler = ad_params_find(&l.params, "pooler.dense.weight");
    assert_true(!pooler->decay && !pooler->new_head);
    for (size_t i = 0; i < TENSORS; i++) {
      const struct ad_tensor *tensor = ad_params_find(&l.params, HEAD[i]);
      assert_true(tensor->decay == (i == 0) && tensor->new_head && tensor->bucket == l.params.buckets - 1);
      for (size_t n = 0; n < tensor->count && i > 0; n++) {
        assert_true(l.theta[tensor->offset + n] == (i == 2 ? 1.0f : 0.0f));
      }
      assert_true(i > 0 || (l.theta[tensor->offset] != 0.0f && l.theta[tensor->offset] < 0.2f));
    }
    release(&l);
  }
  refuse(write_folder("bare", &f, ""), &require,
         "the masked-language head cannot be used: the folder has no cls.predictions.transform.dense.weight");
}

static void test_refused(void **state) {
  (void)state;
  struct folder f = plain_masked();
  add(&f, "cls.predictions.decoder.weight", "F32", VOCAB, HIDDEN);
  const char *path = write_folder("untied", &f, MASKED);
  refuse(
      path, &masked,
      "tensor cls.predictions.decoder.weight differs from bert.embeddings.word_embeddings.weight, expected the same");
  struct loaded l = load(path, &new_head);
  release(&l);
  l = load(path, &classes); /* for classification nothing is tied */
  assert_true(has_name(&l.report.ignored, "cls.predictions.decoder.weight"));
  release(&l);
  find(&f, "cls.predictions.decoder.weight")->like = WORDS;
  find(&f, "cls.predictions.decoder.weight")->dtype = "BF16";
  refuse(write_folder("untied", &f, MASKED), &masked, "differs from bert.embeddings.word_embeddings.weight");
  drop(&f, "cls.predictions.decoder.weight");
  add(&f, "cls.predictions.decoder.bias", "F32", VOCAB, 0);
  refuse(write_folder("untied", &f, MASKED), &masked, "cls.predictions.decoder.bias differs from cls.predictions.bias");
  f = plain_masked();
  refuse(write_folder("untied", &f, ",\"tie_word_embeddings\":false"), &masked,
         "config.json: tie_word_embeddings is false, expected true");
  find(&f, HEAD[4])->rows = VOCAB - 1;
  refuse(write_folder("shape", &f, MASKED), &keep, "model.head is keep: cls.predictions.bias is [29], expected [30]");
  f = plain_masked();
  find(&f, HEAD[3])->dtype = "I64";
  refuse(write_folder("shape", &f, MASKED), &masked, "has dtype I64, expected F32, F16 or BF16");
}

#define COMMON                                                                                   \
  .hidden = HIDDEN, .heads = 2, .ffn = FFN, .layers = 1, .vocab = VOCAB, .positions = POSITIONS, \
  .layer_norm_eps = 1e-12f, .classifier = AD_CLASSIFIER_CLS, .masked_lm = 1
static const struct ad_model_config sizes[] = {
    {COMMON, .architecture = AD_ARCHITECTURE_BERT, .types = 2},
    {COMMON, .architecture = AD_ARCHITECTURE_ROBERTA, .types = 1, .first_position = 2, .padding = 2},
    {COMMON, .architecture = AD_ARCHITECTURE_ELECTRA, .types = 2, .embedding = 6, .padding = 1},
    {COMMON, .architecture = AD_ARCHITECTURE_DISTILBERT, .padding = 1},
    {COMMON, .architecture = AD_ARCHITECTURE_MPNET, .buckets = 32, .first_position = 2, .padding = 2}};

static int shape_of(void *context, const char *name, uint32_t shape[2]) {
  const struct ad_tensor *tensor = ad_params_find(context, name);
  shape[0] = tensor == NULL ? 0 : (uint32_t)tensor->rows;
  shape[1] = tensor == NULL ? 0 : (uint32_t)tensor->columns;
  return AD_OK;
}

/* Written and read again, by a training of each kind. */
static void test_save(void **state) {
  (void)state;
  static const char *const classes_of[] = {"BertForMaskedLM", "RobertaForMaskedLM", "ElectraForMaskedLM",
                                           "DistilBertForMaskedLM", "MPNetForMaskedLM"};
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_tokenizer_load(&tokenizer, fixture()), AD_OK);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct ad_params params;
    float *theta;
    struct ad_model_config seen;
    assert_int_equal(ad_model_draw(&sizes[i], 7, &params, &theta), AD_OK);
    assert_int_equal(ad_params_recognise(&seen, shape_of, &params), AD_OK);
    assert_true(seen.architecture == sizes[i].architecture && seen.masked_lm && seen.classes == 0);
    assert_true(seen.vocab == VOCAB && seen.hidden == HIDDEN && seen.layers == 1);
    const char *path = place(classes_of[i]);
    assert_int_equal(ad_model_save(path, 0, &params, theta, tokenizer, NULL), AD_OK);
    struct loaded l = load(path, &require);
    assert_memory_equal(&l.params.config, &sizes[i], sizeof sizes[i]);
    assert_int_equal(l.params.count, params.count);
    assert_memory_equal(l.theta, theta, params.count * sizeof *theta);
    assert_int_equal(l.report.unknown.count, 0);
    release(&l);
    char name[400];
    snprintf(name, sizeof name, "%s/config.json", path);
    json_t *root = json_load_file(name, 0, NULL);
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "architectures"), 0)), classes_of[i]);
    assert_true(json_is_true(json_object_get(root, "tie_word_embeddings")));
    assert_null(json_object_get(root, "id2label"));
    assert_null(json_object_get(root, "problem_type"));
    json_decref(root);
    struct ad_model_config config;
    struct ad_names names = {0};
    assert_int_equal(ad_model_read_config(path, &config, &names), AD_OK);
    assert_true(config.masked_lm == 1 && config.classes == 0 && names.count == 0);
    l = load(path, &classes);
    assert_true(!l.report.head_loaded && !l.params.config.masked_lm);
    assert_memory_equal(l.theta, theta, params.bucket_begin[params.buckets - 1] * sizeof *theta);
    release(&l);
    ad_params_destroy(&params);
    ad_free(theta);
  }
  ad_tokenizer_destroy(tokenizer);
}

/* From a classifier's folder to a masked-language model's and back: the pooler is as it was. */
static void test_pooler(void **state) {
  (void)state;
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_tokenizer_load(&tokenizer, fixture()), AD_OK);
  struct loaded l = load(fixture(), &masked);
  const char *path = place("pooler");
  assert_int_equal(ad_model_save(path, 0, &l.params, l.theta, tokenizer, NULL), AD_OK);
  struct loaded again = load(path, &require);
  assert_memory_equal(again.theta, l.theta, l.params.count * sizeof *l.theta);
  release(&again);
  release(&l);
  l = load(path, &classes);
  assert_int_equal(l.report.drawn.count, 2);
  check_values(&l.params, l.theta, "bert.pooler.dense.weight");
  check_values(&l.params, l.theta, "bert.pooler.dense.bias");
  release(&l);
  ad_tokenizer_destroy(tokenizer);
}

static void test_no_head(void **state) {
  (void)state;
  struct ad_model_config config = sizes[0];
  struct ad_params params;
  float *theta;
  config.architecture = AD_ARCHITECTURE_XLNET;
  config.types = 3;
  assert_int_equal(ad_model_draw(&config, 7, &params, &theta), AD_ECONFIG);
  expect_message("XLNet has no head for masked-language modelling");
  config.masked_lm = 0;
  config.classes = 2;
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_tokenizer_load(&tokenizer, fixture()), AD_OK);
  assert_int_equal(ad_model_draw(&config, 7, &params, &theta), AD_OK);
  const char *path = place("xlnet");
  assert_int_equal(ad_model_save(path, 0, &params, theta, tokenizer, NULL), AD_OK);
  refuse(path, &masked, "the model is of the type XLNet, which has no head for masked-language modelling");
  ad_params_destroy(&params);
  ad_free(theta);
  ad_tokenizer_destroy(tokenizer);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_load),    cmocka_unit_test(test_draw),
                                     cmocka_unit_test(test_refused), cmocka_unit_test(test_save),
                                     cmocka_unit_test(test_pooler),  cmocka_unit_test(test_no_head)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
