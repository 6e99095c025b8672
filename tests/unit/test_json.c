/* JSON: what is valid is read whatever jansson holds of it, what is not is refused at its place, and every allocation
 * failing once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

#define CONTENT(text) (text), sizeof(text) - 1

/* Valid JSON, and what a message shows of the key "a". */
static void test_shown(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t size;
    const char *shown;
  } cases[] = {
      {CONTENT("{\"a\": 9223372036854775807}"), "9223372036854775807"},
      {CONTENT("{\"a\": 9223372036854775808}"), "9223372036854775808"},
      {CONTENT("{\"a\":-9223372036854775808}"), "-9223372036854775808"},
      {CONTENT("{\"a\":-9223372036854775809 }"), "-9223372036854775809"},
      {CONTENT("{\"a\":[1000000000000000019884624838656,-1]}"),
       "[{\"\\u0001\":\"1000000000000000019884624838656\"},-1]"},
      {CONTENT("{\"a\":1.7976931348623157e308}"), "1.79769313486232e308"},
      {CONTENT("{\"a\":1e400}"), "1e400"},
      {CONTENT("{\"a\":-12.5E+0999\n}"), "-12.5E+0999"},
      {CONTENT("{\"a\":1e-400}"), "0.0"},
      {CONTENT("{\"a\":0.5, \"b\": 1e999}"), "0.5"},
      {CONTENT("{\"b\": \"1e999, \\\" 99999999999999999999\", \"c\": 1e999, \"a\": \"1e999\"}"), "\"1e999\""},
      {CONTENT("{\"a\":\"x\\u0000\\\"\"}"), "\"x\\u0000\\\"\""},
      {CONTENT("{\"a\":\"\\ud83d\"}"), "\"\\ud83d\""},
      {CONTENT("{\"a\":\"\\uDE00\\uD83D\"}"), "\"\\uDE00\\uD83D\""},
      {CONTENT("{\"a\":\"\\ud83d\\ude00\", \"b\":\"\\ud83d\"}"), "\"\xF0\x9F\x98\x80\""},
      {CONTENT("{\"\\u0000\": 1, \"\\ud800b\" : 2, \"a\":true}"), "true"},
      {CONTENT("\xEF\xBB\xBF{\"a\": null}"), "null"},
      {CONTENT("{\"b\": 1}"), "nothing"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    json_t *object;
    char text[100];
    if (ad_json_parse(&object, "name", 1, cases[i].text, cases[i].size) != AD_OK) {
      fail_msg("%s: %s", cases[i].text, ad_error_message());
    }
    assert_string_equal(ad_json_show(json_object_get(object, "a"), text, sizeof text), cases[i].shown);
    json_decref(object);
  }
}

static void test_raw(void **state) {
  (void)state;
  json_t *object;
  assert_int_equal(ad_json_parse(&object, "name", 1, CONTENT("{\"a\": 1e400, \"b\": {\"c\": 1}, \"d\": \"\\u0000\"}")),
                   AD_OK);
  assert_string_equal(ad_json_raw(json_object_get(object, "a")), "1e400");
  assert_string_equal(ad_json_raw(json_object_get(object, "d")), "\"\\u0000\"");
  assert_null(ad_json_raw(json_object_get(object, "b")));
  assert_null(ad_json_raw(object));
  assert_null(ad_json_raw(NULL));
  assert_false(json_is_number(json_object_get(object, "a")) || json_is_string(json_object_get(object, "d")));
  json_decref(object);
}

static void test_cut(void **state) {
  (void)state;
  json_t *object;
  char text[12];
  assert_int_equal(ad_json_parse(&object, "name", 1,
                                 CONTENT("{\"a\": [1, 22, 333], \"b\": [1,22,3333], \"c\": \"1234567\xC3\xA4\xC3\xA4\","
                                         " \"d\": 123456789012345678901}")),
                   AD_OK);
  assert_string_equal(ad_json_show(json_object_get(object, "a"), text, sizeof text), "[1,22,333]");
  assert_string_equal(ad_json_show(json_object_get(object, "b"), text, sizeof text), "[1,22,3333]");
  assert_string_equal(ad_json_show(json_object_get(object, "c"), text, sizeof text), "\"1234567...");
  assert_string_equal(ad_json_show(json_object_get(object, "d"), text, sizeof text), "12345678...");
  json_decref(object);
}

/* The place is that of the file, whatever was rewritten before it. */
static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t size;
    const char *message;
  } cases[] = {
      {CONTENT(""), "name:7: malformed JSON at byte 1 of the line: "},
      {CONTENT("[1]"), "name:7: expected a JSON object, found [1]"},
      {CONTENT("1e400"), "name:7: expected a JSON object, found 1e400"},
      {CONTENT("\"\\u0000\""), "name:7: expected a JSON object, found \"\\u0000\""},
      {CONTENT("{\"a\": 1,\n \"b\": x}"), "name:8: malformed JSON at byte 7 of the line: invalid token near 'x'"},
      {CONTENT("{\"a\": 1e400, \"b\": 99999999999999999999, \"c\": x}"),
       "name:7: malformed JSON at byte 46 of the line"},
      {CONTENT("{\"a\": 1e400,\n \"b\": 99999999999999999999, \"c\": x}"),
       "name:8: malformed JSON at byte 34 of the line"},
      {CONTENT("{\"a\": 1, \"a\": 2}"),
       "name:7: malformed JSON at byte 12 of the line: duplicate object key near '\"a\"'"},
      {CONTENT("{\"a\": 1e400, \"a\": 2}"), "name:7: malformed JSON at byte 16 of the line: duplicate object key"},
      {CONTENT("{\"a\": NaN}"),
       "name:7: malformed JSON at byte 7 of the line: NaN is not JSON (Python writes it for missing numbers"},
      {CONTENT("{\"b\": 1e999,\n\"a\": [0, -Infinity]}"),
       "name:8: malformed JSON at byte 10 of the line: Infinity is not JSON"},
      {CONTENT("{\"NaN\": x, \"a\": NaN}"), "name:7: malformed JSON at byte 9 of the line: invalid token near 'x'"},
      {CONTENT("{\"a\": 012345678901234567890}"), "name:7: malformed JSON"},
      {CONTENT("{\"a\": 1e400e400}"), "name:7: malformed JSON"},
      {CONTENT("{\"a\": 1e400 1}"), "name:7: malformed JSON at byte 13"},
      {CONTENT("{\"a\": \"\\ud800}"), "name:7: malformed JSON"},
      {CONTENT("{\"a\": \"\\ud800\n\"}"), "name:7: malformed JSON"},
      {CONTENT("{\"a\": \"\0\"}"), "name:7: malformed JSON"},
      {CONTENT("{\"a\": \"\xB3\xAA\"}"), "name:7: invalid UTF-8 0xB3 0xAA at byte 8 of the line: it looks like CP949"},
      {CONTENT("{\"a\": 1e400}\0"), "name:7: malformed JSON at byte 13"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    json_t *object;
    assert_int_equal(ad_json_parse(&object, "name", 7, cases[i].text, cases[i].size), AD_EINPUT);
    assert_null(object);
    if (strncmp(ad_error_message(), cases[i].message, strlen(cases[i].message)) != 0) {
      fail_msg("%s: \"%s\", expected \"%s\"", cases[i].text, ad_error_message(), cases[i].message);
    }
  }
  assert_int_equal(ad_json_parse(&(json_t *){NULL}, "name", 1, NULL, 0), AD_EINPUT);
}

/* A list of 2,048 levels is the deepest, with a number past 64 bits in it or not. */
static void test_depth(void **state) {
  (void)state;
  for (size_t depth = 2000; depth <= 100000; depth += 98000) {
    struct ad_buffer text = {0};
    json_t *object;
    assert_int_equal(ad_buffer_puts(&text, "{\"b\": 1e400, \"a\": "), AD_OK);
    for (size_t i = 0; i < 2 * depth; i++) {
      assert_int_equal(ad_buffer_puts(&text, i < depth ? "[" : "]"), AD_OK);
    }
    assert_int_equal(ad_buffer_puts(&text, "}"), AD_OK);
    const int status = ad_json_parse(&object, "name", 1, text.data, text.size);
    assert_int_equal(status, depth == 2000 ? AD_OK : AD_EINPUT);
    assert_true(status == AD_OK || strstr(ad_error_message(), "maximum parsing depth") != NULL);
    json_decref(object);
    ad_buffer_destroy(&text);
  }
}

static void *counted_malloc(size_t size) {
  return ad_malloc(size, 1);
}

static void test_out_of_memory(void **state) {
  (void)state;
  static const char text[] = "{\"a\": 1e400, \"\\u0000\": [\"\\ud800\", 123456789012345678901]}";
  json_malloc_t old_malloc;
  json_free_t old_free;
  json_get_alloc_funcs(&old_malloc, &old_free);
  json_set_alloc_funcs(counted_malloc, ad_free);
  const size_t live = ad_memory_stats().live_blocks;
  unsigned long failed = 0;
  for (unsigned long n = 1; n < 100; n++) {
    json_t *object;
    ad_memory_fail_at(n);
    const int status = ad_json_parse(&object, "name", 1, text, sizeof text - 1);
    ad_memory_fail_at(0);
    /* jansson reports some of its failures as bad syntax: in the first parse, the second one reads the text. */
    assert_true(status == AD_OK || status == AD_ENOMEM || status == AD_EINPUT);
    assert_true((status == AD_OK) == (object != NULL));
    failed += status != AD_OK;
    json_decref(object);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  json_set_alloc_funcs(old_malloc, old_free);
  assert_true(failed > 20);
}

static void test_file(void **state) {
  (void)state;
  static const char text[] = "{\n\"a\": 1\n";
  json_t *object;
  assert_int_equal(ad_json_read(&object, "test_json.none"), AD_EINPUT);
  assert_null(object);
  assert_int_equal(ad_file_write("test_json.data", text, sizeof text - 1), AD_OK);
  assert_int_equal(ad_json_read(&object, "test_json.data"), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(),
                         "test_json.data:2: malformed JSON at byte 7 of the line: '}' expected near end of file"));
  assert_int_equal(remove("test_json.data"), 0);
}

/* Printed text holds nothing that a terminal would obey, and is the same value. */
static void test_print(void **state) {
  (void)state;
  static const char odd[] = "\x1b\x7f\xC2\x9B\xE2\x80\xAE\xF3\xA0\x81\x81\xED\x95\x9C\n";
  json_t *value = json_pack("{s:[s]}", "\xC2\x80k", odd), *again;
  struct ad_buffer text = {0};
  assert_int_equal(ad_json_print(value, JSON_COMPACT, &text), AD_OK);
  assert_string_equal(text.data, "{\"\\u0080k\":[\"\\u001B\\u007f\\u009b\\u202e\\udb40\\udc41\xED\x95\x9C\\n\"]}");
  assert_int_equal(ad_json_parse(&again, "text", 1, text.data, text.size), AD_OK);
  assert_true(json_equal(value, again));
  json_decref(value);
  json_decref(again);
  ad_buffer_destroy(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_shown), cmocka_unit_test(test_raw),
                                     cmocka_unit_test(test_cut),   cmocka_unit_test(test_refused),
                                     cmocka_unit_test(test_depth), cmocka_unit_test(test_out_of_memory),
                                     cmocka_unit_test(test_file),  cmocka_unit_test(test_print)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
