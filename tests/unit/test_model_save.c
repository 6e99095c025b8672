/* Writing Hugging Face folders, drawing models, and failing allocations in both directions. */
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

#include "autodidact/task/task.h"
#include "autodidact/text/tokenizer.h"
#include "support/model_folder.h"

const char WORK[] = "test_model_save.d";
static const struct ad_model_options reuse = {.classes = CLASSES, .head = AD_HEAD_AUTO, .seed_init = 5};
static const struct ad_model_options require = {.head = AD_HEAD_REQUIRE};

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
                                             .activation = AD_ACTIVATION_GELU_TANH,
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
    config.vocab = cls ? VOCAB + 10 : VOCAB; /* rows past the vocabulary stay */
    config.threshold = cls ? 0.0f : 0.123456789f;
    config.problem_type = cls ? ad_task_regression.problem_type : ad_task_classification.problem_type;
    struct ad_params params;
    float *theta;
    assert_int_equal(ad_model_draw(&config, 7, &params, &theta), AD_OK);
    const char *path = place("saved");
    char slashes[300];
    snprintf(slashes, sizeof slashes, "%s//", path);
    assert_int_equal(ad_model_save(slashes, 0, &params, theta, tokenizer, names), AD_OK);
    struct loaded l = load(path, &require);
    assert_true(l.report.head_loaded && l.params.config.threshold == config.threshold);
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
  params.config.vocab = 29;
  assert_int_equal(ad_model_save(path, 0, &params, theta, tokenizer, NULL), AD_EINPUT);
  expect_message("a tokenizer of 30 entries, expected no more than the 29");
  params.config.vocab = VOCAB;
  test_write_text(WORK, "file", "");
  assert_int_equal(ad_model_save("test_model_save.d/file", 1, &params, theta, tokenizer, NULL), AD_EINPUT);
  assert_int_equal(ad_model_save("test_model_save.d/file/x", 1, &params, theta, tokenizer, NULL), AD_EINPUT);
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
  assert_false(ad_is_folder("test_model_save.d/refused.partial"));
  /* An attempt that was killed left a part: it is cleared away. */
  test_write_text("test_model_save.d/refused.partial", "config.json", "half");
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
    assert_int_equal(ad_memory_stats().live_blocks, status == AD_OK ? live + 6 : live);
  }
  const char *path = place("memory");
  unsigned long n = 0;
  for (int status = AD_ENOMEM; status != AD_OK;) {
    ad_memory_fail_at(++n);
    status = ad_model_save(path, 1, &params, theta, tokenizer, names);
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, live + 6);
    assert_false(ad_is_folder("test_model_save.d/memory.partial"));
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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_draw), cmocka_unit_test(test_save),
                                     cmocka_unit_test(test_refused_save), cmocka_unit_test(test_out_of_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
