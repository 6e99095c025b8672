/* config.json of Hugging Face folders. The folder tests/parity/data/tiny-bert was written by transformers
 * (tests/parity/huggingface.py fixture). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/model_folder.h"

const char WORK[] = "test_model_config.d";

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
  assert_int_equal(m.activation, AD_ACTIVATION_GELU_ERF);
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
  assert_int_equal(m.activation, AD_ACTIVATION_GELU_TANH);
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
  assert_int_equal(m.activation, AD_ACTIVATION_GELU_ERF);
  assert_int_equal(m.classes, 2);
}

/* What transformers takes: num_labels before names of another number, and each name of an activation. */
static void test_other_writings(void **state) {
  (void)state;
  static const struct {
    const char *name;
    enum ad_activation activation;
  } cases[] = {{"gelu_python", AD_ACTIVATION_GELU_ERF},
               {"gelu_fast", AD_ACTIVATION_GELU_TANH},
               {"gelu_accurate", AD_ACTIVATION_GELU_TANH},
               {"gelu_python_tanh", AD_ACTIVATION_GELU_TANH}};
  const char *path = place("writings");
  char text[2000];
  struct ad_model_config m;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_names names = {0};
    snprintf(text, sizeof text, "%s,\"hidden_act\":\"%s\",\"num_labels\":3,\"id2label\":{\"0\":\"a\",\"1\":\"b\"}}",
             CONFIG, cases[i].name);
    test_write_text(path, "config.json", text);
    assert_int_equal(ad_model_read_config(path, &m, &names), AD_OK);
    assert_int_equal(m.activation, cases[i].activation);
    assert_int_equal(m.classes, 3);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.items[2], "LABEL_2");
    ad_names_destroy(&names);
  }
}

static const struct {
  const char *extra, *message;
} bad_configs[] = {
    {",\"hidden_act\":\"silu\"", "hidden_act is \"silu\", expected gelu, gelu_new"},
    {",\"hidden_act\":null", "hidden_act is null"},
    {",\"position_embedding_type\":\"relative_key\"",
     "position_embedding_type is \"relative_key\", expected \"absolute\""},
    {",\"is_decoder\":true", "is_decoder is true"},
    {",\"add_cross_attention\":true", "add_cross_attention is true"},
    {",\"is_encoder_decoder\":1", "is_encoder_decoder is 1"},
    {",\"pruned_heads\":{\"0\":[1]}", "pruned_heads is {\"0\":[1]}, expected none"},
    {",\"quantization_config\":{\"bits\":8}", "quantization_config is"},
    {",\"auto_map\":{\"AutoModel\":\"x.Y\"}", "auto_map is {\"AutoModel\":\"x.Y\"}, expected none"},
    {",\"per_layer_config\":{\"0\":{\"a\":1}}", "per_layer_config is {\"0\":{\"a\":1}}, expected none"},
    {",\"cross_attention_hidden_size\":8", "cross_attention_hidden_size is 8, expected none"},
    {",\"hidden_dropout_prob\":1.0", "hidden_dropout_prob is 1.0, expected a number from 0 to below 1"},
    {",\"attention_probs_dropout_prob\":-0.1", "attention_probs_dropout_prob is -0.1"},
    {",\"classifier_dropout\":\"x\"", "classifier_dropout is \"x\""},
    {",\"layer_norm_eps\":NaN", "of the line: NaN is not JSON (Python writes it for missing numbers"},
    {",\"layer_norm_eps\":1e300", "layer_norm_eps is 1e300, expected a number from 0"},
    {",\"hidden_dropout_prob\":0.99999999999", "hidden_dropout_prob is 0.99999999999, expected a number from 0"},
    {",\"layer_norm_eps\":1e400", "layer_norm_eps is 1e400, expected a number from 0"},
    {",\"num_labels\":0", "num_labels is 0"},
    {",\"num_labels\":18446744073709551617", "num_labels is 18446744073709551617, expected an integer from 1"},
    {",\"id2label\":{\"0\":\"a\",\"2\":\"b\"}", "id2label has 2 entries, but none for \"1\""},
    {",\"id2label\":{\"0\":\"a\",\"1\":[]}", "id2label has 2 entries, but none for \"1\""},
    {",\"id2label\":[\"a\"]", "id2label is [\"a\"]"},
    {",\"autodidact_classifier\":\"mean\"", "autodidact_classifier is \"mean\""},
    {",\"model_type\":\"bert\"", "duplicate object key"},
    {"} {", "config.json:1: malformed JSON at byte 173 of the line: end of file expected"},
};

static void test_bad_config(void **state) {
  (void)state;
  const char *path = place("bad");
  char text[2000];
  struct ad_model_config m;
  struct ad_names names = {0};
  for (size_t i = 0; i < sizeof bad_configs / sizeof *bad_configs; i++) {
    snprintf(text, sizeof text, "%s%s}", CONFIG, bad_configs[i].extra);
    test_write_text(path, "config.json", text);
    assert_int_equal(ad_model_read_config(path, &m, &names), AD_EINPUT);
    expect_message("bad/config.json");
    expect_message(bad_configs[i].message);
  }
  static const struct {
    const char *text, *message;
  } whole[] = {{"", "config.json:1"},
               {"[]", "expected a JSON object"},
               {"{}", "model_type is nothing, expected \"bert\""},
               {"{\"model_type\":\"albert\"}", "model_type is \"albert\", expected \"bert\""},
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
  expect_message("test_huggingface.none: there is no such folder");
  assert_int_equal(ad_model_read_config(place("empty-place"), &m, &names), AD_EINPUT);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_config), cmocka_unit_test(test_config_keys),
                                     cmocka_unit_test(test_other_writings), cmocka_unit_test(test_bad_config)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
