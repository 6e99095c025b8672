/* Comparison of two runs: rows and columns of logs, hostile logs, values of tensors, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <unistd.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/safetensors.h"
#include "autodidact/store/compare.h"

static char folder[] = "/tmp/test_compare.XXXXXX";
static char paths[2][64];
static const char *const both[2] = {paths[0], paths[1]};

static int set_up(void **state) {
  (void)state;
  if (mkdtemp(folder) == NULL) {
    return -1;
  }
  snprintf(paths[0], sizeof paths[0], "%s/a", folder);
  snprintf(paths[1], sizeof paths[1], "%s/b", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  return ad_remove_folder(folder);
}

static void put(const char *a, size_t a_size, const char *b, size_t b_size) {
  assert_int_equal(ad_file_write(paths[0], a, a_size), AD_OK);
  assert_int_equal(ad_file_write(paths[1], b, b_size), AD_OK);
}

static int compare_texts(const char *a, const char *b, struct ad_log_comparison *out) {
  put(a, strlen(a), b, strlen(b));
  return ad_compare_logs(both, out);
}

static void test_equal_and_ends(void **state) {
  (void)state;
  static const struct {
    const char *a, *b;
    enum ad_log_verdict verdict;
    uint64_t equal, rows[2];
    int cut[2];
  } cases[] = {
      {"", "", AD_COMPARE_EQUAL, 0, {0, 0}, {0, 0}},
      {"{}\n{}\n", "{}\n{}\n", AD_COMPARE_EQUAL, 2, {2, 2}, {0, 0}},
      {"", "{}\n{}\n", AD_COMPARE_ENDS, 0, {0, 2}, {0, 0}},
      {"{}\n{}\n{}\n{}\n", "{}\n", AD_COMPARE_ENDS, 1, {4, 1}, {0, 0}},
      {"{}\n{", "{}\n{}\n{}\n", AD_COMPARE_ENDS, 1, {1, 3}, {1, 0}},
      {"{}\n", "{}\n{}\n{}", AD_COMPARE_ENDS, 1, {1, 2}, {0, 1}},
      {"{}\n{", "{}\n{", AD_COMPARE_ENDS, 1, {1, 1}, {1, 1}},
      {"{}\n{}", "{}\n", AD_COMPARE_ENDS, 1, {1, 1}, {1, 0}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_log_comparison log;
    assert_int_equal(compare_texts(cases[i].a, cases[i].b, &log), AD_OK);
    assert_int_equal(log.verdict, cases[i].verdict);
    assert_int_equal(log.equal_rows, cases[i].equal);
    for (size_t side = 0; side < 2; side++) {
      assert_int_equal(log.rows[side], cases[i].rows[side]);
      assert_int_equal(log.cut[side], cases[i].cut[side]);
    }
    ad_log_comparison_destroy(&log);
  }
}

/* "name=a|b;" for each column that differs. */
static void assert_columns(const char *a, const char *b, const char *expected) {
  struct ad_log_comparison log;
  assert_int_equal(compare_texts(a, b, &log), AD_OK);
  assert_int_equal(log.verdict, AD_COMPARE_DIFFERS);
  char text[500] = "";
  for (size_t i = 0; i < log.columns.count; i++) {
    const struct ad_difference *d = &log.columns.items[i];
    const size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s=%s|%s;", d->name, d->text[0] == NULL ? "none" : d->text[0],
             d->text[1] == NULL ? "none" : d->text[1]);
  }
  assert_string_equal(text, expected);
  ad_log_comparison_destroy(&log);
}

static void test_columns(void **state) {
  (void)state;
  assert_columns("{\"step\":1,\"loss\":0.5}\n", "{\"step\":1,\"loss\":0.50}\n",
                 "loss=0.5|0.50;"); /* the text counts, not the number */
  assert_columns("{\"a\":1,\"b\":2}\n", "{\"b\":3,\"c\":4}\n", "a=1|none;b=2|3;c=none|4;");
  assert_columns("{\"a\":[1,{\"x\":\"},]\"}],\"b\":1}\n", "{ \"a\" : [1,{\"x\":\"},]\"}] , \"b\" :\t2 }\n", "b=1|2;");
  assert_columns("{\"q\\\"\":\"\\\\\",\"b\":1}\n", "{\"q\\\"\":\"\\\\\\\"\",\"b\":1}\n",
                 "q\\\"=\"\\\\\"|\"\\\\\\\"\";");
  assert_columns("{\"a\":1,\"b\":2}\n", "{\"b\":2,\"a\":1}\n", "");
  assert_columns("{}\n", "{\"a\":null}\n", "a=none|null;");
  assert_columns("{\"a\":1}\r\n", "{\"a\":1}\n", "");
}

static void test_place(void **state) {
  (void)state;
  struct ad_log_comparison log;
  assert_int_equal(compare_texts("{}\n{\"step\":12,\"loss\":1}\n", "{}\n{\"eval\":\"dev\",\"step\":11}\n", &log),
                   AD_OK);
  assert_int_equal(log.equal_rows, 1);
  assert_string_equal(log.place[0], "step 12");
  assert_string_equal(log.place[1], "evaluation of \"dev\" at step 11");
  ad_log_comparison_destroy(&log);
}

static void assert_refused(const char *b, size_t size, const char *message) {
  static const char a[] = "{}\n{\"step\":1}\n";
  struct ad_log_comparison log;
  char expected[200];
  put(a, sizeof a - 1, b, size);
  assert_int_equal(ad_compare_logs(both, &log), AD_EINPUT);
  ad_log_comparison_destroy(&log);
  snprintf(expected, sizeof expected, "%s:%s", paths[1], message);
  if (strncmp(ad_error_message(), expected, strlen(expected)) != 0) {
    fail_msg("%s, expected %s", ad_error_message(), expected);
  }
}

static void test_bad_logs(void **state) {
  (void)state;
  assert_refused("{}\n{\0}\n", 7, "2: found a NUL byte");
  assert_refused("{}\n{\"step\":1}\n{}\n\0\0", 20,
                 "4: found a NUL byte"); /* what a lost write leaves, behind the rows of the other */
  assert_refused("{}\n{\"step\":1\n", 13, "2: malformed JSON at byte");
  assert_refused("{}\n[1]\n", 7, "2: expected a JSON object");
  assert_refused("{}\n\n", 4, "2: malformed JSON");
  assert_refused("{}\n{\"a\":1,\"a\":2}\n", 17, "2: malformed JSON at byte 10 of the line: duplicate object key");
  assert_refused("{}\n{\"a\":\"\xff\"}\n", 13, "2: invalid UTF-8 0xFF at byte 7 of the line");
  char *longest = calloc(1, 70000);
  assert_non_null(longest);
  memset(longest, ' ', 70000);
  assert_refused(longest, 70000, "1: found a row of more than 65536 bytes");
  free(longest);
  struct ad_log_comparison log;
  assert_int_equal(unlink(paths[1]), 0);
  assert_int_equal(ad_compare_logs(both, &log), AD_EINPUT);
  ad_log_comparison_destroy(&log);
  assert_int_equal(ad_compare_logs((const char *const[2]){folder, folder}, &log), AD_EINPUT);
  ad_log_comparison_destroy(&log);
}

/* Memory does not grow with the log. */
static void test_long_log(void **state) {
  (void)state;
  enum { ROWS = 100000 };
  struct ad_buffer text = {0};
  for (int i = 1; i <= ROWS; i++) {
    assert_int_equal(ad_buffer_printf(&text, "{\"step\":%d,\"loss\":0.69314718055994529,\"norm\":1}\n", i), AD_OK);
  }
  const size_t size = text.size;
  assert_int_equal(ad_file_write(paths[0], text.data, size), AD_OK);
  text.data[size - 3] = '2'; /* the norm of the last row */
  assert_int_equal(ad_file_write(paths[1], text.data, size), AD_OK);
  ad_buffer_destroy(&text);
  const struct ad_memory_stats before = ad_memory_stats();
  struct ad_log_comparison log;
  assert_int_equal(ad_compare_logs(both, &log), AD_OK);
  assert_int_equal(log.equal_rows, ROWS - 1);
  assert_int_equal(log.columns.count, 1);
  assert_string_equal(log.columns.items[0].name, "norm");
  assert_true(ad_memory_stats().live_bytes - before.live_bytes < 4096); /* what remains is the answer */
  ad_log_comparison_destroy(&log);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

enum { VALUES = 5000 }; /* more than one block of the comparison */

static float values[2][VALUES], bias[2][3];

/* Two files of "w" [50,100] and "b" [3] with the values above. */
static void put_tensors(void) {
  for (size_t i = 0; i < 2; i++) {
    const struct ad_safetensor_source tensors[] = {{"b", 1, {3}, bias[i]}, {"w", 2, {50, 100}, values[i]}};
    assert_int_equal(ad_safetensors_write(paths[i], tensors, 2), AD_OK);
  }
}

static void test_tensors(void **state) {
  (void)state;
  struct ad_result_comparison r;
  memset(values, 0, sizeof values);
  memset(bias, 0, sizeof bias);
  put_tensors();
  assert_int_equal(ad_compare_results(both, &r), AD_OK);
  assert_int_equal(r.differing, 0);
  assert_int_equal(r.tensors, 2);
  assert_false(r.header);
  ad_result_comparison_destroy(&r);

  values[1][7] = -0.0f; /* other bits, no distance */
  values[1][4999] = -0.25f;
  values[0][4500] = 0.125f;
  values[1][4097] = NAN;
  put_tensors();
  assert_int_equal(ad_compare_results(both, &r), AD_OK);
  assert_int_equal(r.differing, 1);
  assert_string_equal(r.first, "w");
  assert_true(r.comparable);
  assert_string_equal(r.form[0], "F32 [50, 100]");
  assert_int_equal(r.values, VALUES);
  assert_int_equal(r.differing_values, 4);
  assert_int_equal(r.not_finite, 1);
  assert_true(r.largest == 0.25);
  ad_result_comparison_destroy(&r);

  bias[1][2] = INFINITY;
  put_tensors();
  assert_int_equal(ad_compare_results(both, &r), AD_OK);
  assert_int_equal(r.differing, 2);
  assert_string_equal(r.first, "b");
  assert_int_equal(r.differing_values, 1);
  assert_int_equal(r.not_finite, 1);
  assert_true(isnan(r.largest));
  ad_result_comparison_destroy(&r);
}

static void test_other_tensors(void **state) {
  (void)state;
  struct ad_result_comparison r;
  memset(values, 0, sizeof values);
  const struct ad_safetensor_source first[] = {{"a", 2, {2, 3}, values[0]}, {"b", 1, {3}, values[0]}},
                                    second[] = {{"a", 2, {3, 2}, values[0]}, {"c", 1, {3}, values[0]}},
                                    turned[] = {first[1], first[0]};
  assert_int_equal(ad_safetensors_write(paths[0], first, 2), AD_OK);
  assert_int_equal(ad_safetensors_write(paths[1], second, 2), AD_OK);
  assert_int_equal(ad_compare_results(both, &r), AD_OK);
  assert_int_equal(r.tensors, 3);
  assert_int_equal(r.differing, 3);
  assert_string_equal(r.first, "a");
  assert_false(r.comparable);
  assert_string_equal(r.form[0], "F32 [2, 3]");
  assert_string_equal(r.form[1], "F32 [3, 2]");
  ad_result_comparison_destroy(&r);
  assert_int_equal(ad_safetensors_write(paths[1], turned, 2), AD_OK);
  assert_int_equal(ad_compare_results(both, &r), AD_OK);
  assert_int_equal(r.differing, 0);
  assert_true(r.header);
  ad_result_comparison_destroy(&r);
  assert_int_equal(ad_safetensors_write(paths[0], first, 1), AD_OK);
  assert_int_equal(ad_compare_results(both, &r), AD_OK);
  assert_string_equal(r.first, "b");
  assert_string_equal(r.form[0], "");
  assert_string_equal(r.form[1], "F32 [3]");
  ad_result_comparison_destroy(&r);
}

/* A run folder with a configuration and a provenance. */
static void put_run(const char *path, const char *config, const char *provenance) {
  char name[128];
  assert_int_equal(ad_make_folders(path), AD_OK);
  snprintf(name, sizeof name, "%s/config.yaml", path);
  assert_int_equal(ad_file_write(name, config, strlen(config)), AD_OK);
  snprintf(name, sizeof name, "%s/provenance.json", path);
  assert_int_equal(ad_file_write(name, provenance, strlen(provenance)), AD_OK);
}

static void put_runs(const char *reduction) {
  char config[200];
  unlink(paths[0]);
  unlink(paths[1]);
  snprintf(config, sizeof config,
           "run: {dir: \"x: y\"}\noptim: {lr: 1e-3, shard: false}\nbatch: {rounds: 2}\ncomm: {reduction: %s}\n",
           reduction);
  put_run(paths[0], config,
          "{\"ranks\":\"1\",\"host\":\"p\",\"arithmetic\":\"0\",\"kernels\":\"v3\",\"odd\":[1],\"data_train\":\"00\"}");
  put_run(paths[1], "optim: {lr: 2e-3}\n",
          "{\"ranks\":\"2\",\"host\":\"q\",\"data_train\":\"01\",\"odd\":[1,2],\"extra\":true}");
}

static void assert_names(const struct ad_differences *differences, const char *expected) {
  char text[300] = "";
  for (size_t i = 0; i < differences->count; i++) {
    const size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s ", differences->items[i].name);
  }
  assert_string_equal(text, expected);
}

static void test_inputs(void **state) {
  (void)state;
  struct ad_input_comparison inputs;
  put_runs("ordered");
  assert_int_equal(ad_compare_inputs(both, &inputs), AD_OK);
  assert_names(&inputs.reasons, "optim.lr data_train arithmetic odd extra ");
  assert_names(&inputs.harmless, "run.dir batch.rounds optim.shard kernels ");
  assert_string_equal(inputs.reasons.items[0].text[0], "0.001");
  assert_string_equal(inputs.reasons.items[0].text[1], "0.002");
  assert_string_equal(inputs.reasons.items[2].text[0], "\"0\"");
  assert_null(inputs.reasons.items[2].text[1]);
  assert_string_equal(inputs.harmless.items[0].text[0], "\"x: y\"");
  assert_false(inputs.native[0] || inputs.native[1]);
  ad_input_comparison_destroy(&inputs);
  put_runs("native"); /* then the number of ranks is a reason */
  assert_int_equal(ad_compare_inputs(both, &inputs), AD_OK);
  assert_names(&inputs.reasons, "optim.lr comm.reduction data_train arithmetic ranks odd extra ");
  assert_true(inputs.native[0] && !inputs.native[1]);
  ad_input_comparison_destroy(&inputs);
}

static void clear_runs(void) {
  assert_int_equal(ad_remove_folder(paths[0]), AD_OK);
  assert_int_equal(ad_remove_folder(paths[1]), AD_OK);
}

static int fail_inputs(void) {
  struct ad_input_comparison inputs;
  const int status = ad_compare_inputs(both, &inputs);
  ad_input_comparison_destroy(&inputs);
  return status;
}

static int fail_logs(void) {
  struct ad_log_comparison log;
  const int status = ad_compare_logs(both, &log);
  ad_log_comparison_destroy(&log);
  return status;
}

static int fail_results(void) {
  struct ad_result_comparison result;
  const int status = ad_compare_results(both, &result);
  ad_result_comparison_destroy(&result);
  return status;
}

/* Each allocation in turn fails: told, and nothing is left behind. */
static void fail_each(int (*run)(void)) {
  const size_t live = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n++) {
    assert_true(n < 10000);
    ad_memory_fail_at(n);
    status = run();
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
}

static void test_memory(void **state) {
  (void)state;
  put_runs("ordered");
  fail_each(fail_inputs);
  clear_runs();
  static const char a[] = "{\"a\":1,\"b\":2}\n", b[] = "{\"b\":3,\"c\":4}\n";
  put(a, sizeof a - 1, b, sizeof b - 1);
  fail_each(fail_logs);
  values[1][0] = 1.0f;
  put_tensors();
  fail_each(fail_results);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_equal_and_ends), cmocka_unit_test(test_columns),  cmocka_unit_test(test_place),
      cmocka_unit_test(test_bad_logs),       cmocka_unit_test(test_long_log), cmocka_unit_test(test_tensors),
      cmocka_unit_test(test_other_tensors),  cmocka_unit_test(test_inputs),   cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
