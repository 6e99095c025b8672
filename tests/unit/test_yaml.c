/* YAML trees: what is accepted, what is refused and at which line, and every allocation failing once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/yaml.h"

static const char good[] =
    "# a comment\n"
    "model:\n"
    "  name: 'mini'\n"
    "  layers: 6\n"
    "  empty:\n"
    "classes: [one, \"2\", {x: y}]\n"
    "text: |\n"
    "  two\n"
    "  lines\n";

static void test_tree(void **state) {
  (void)state;
  struct ad_yaml *tree;
  assert_int_equal(ad_yaml_parse(&tree, "good", good, strlen(good)), AD_OK);
  assert_int_equal(tree->kind, AD_YAML_MAPPING);
  assert_int_equal(tree->count, 3);
  assert_string_equal(tree->keys[1], "classes");
  const struct ad_yaml *model = ad_yaml_get(tree, "model");
  assert_int_equal(model->kind, AD_YAML_MAPPING);
  assert_int_equal(model->line, 3);
  assert_string_equal(ad_yaml_get(model, "name")->text, "mini");
  assert_true(ad_yaml_get(model, "name")->quoted);
  assert_string_equal(ad_yaml_get(model, "layers")->text, "6");
  assert_false(ad_yaml_get(model, "layers")->quoted);
  assert_int_equal(ad_yaml_get(model, "layers")->line, 4);
  assert_string_equal(ad_yaml_get(model, "empty")->text, "");
  const struct ad_yaml *classes = ad_yaml_get(tree, "classes");
  assert_int_equal(classes->kind, AD_YAML_SEQUENCE);
  assert_int_equal(classes->count, 3);
  assert_null(classes->keys);
  assert_true(classes->items[1]->quoted);
  assert_string_equal(ad_yaml_get(classes->items[2], "x")->text, "y");
  assert_string_equal(ad_yaml_get(tree, "text")->text, "two\nlines\n");
  assert_null(ad_yaml_get(tree, "absent"));
  assert_null(ad_yaml_get(classes, "one"));
  assert_null(ad_yaml_get(NULL, "one"));
  ad_yaml_destroy(tree);
  ad_yaml_destroy(NULL);
}

static void test_empty(void **state) {
  (void)state;
  const char *const texts[] = {"", "\n\n", "# only a comment\n", "---\n", "--- # nothing\n...\n", "\xEF\xBB\xBF"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct ad_yaml *tree;
    assert_int_equal(ad_yaml_parse(&tree, "empty", texts[i], strlen(texts[i])), AD_OK);
    assert_int_equal(tree->kind, AD_YAML_MAPPING);
    assert_int_equal(tree->count, 0);
    ad_yaml_destroy(tree);
  }
}

static void test_roots(void **state) {
  (void)state;
  struct ad_yaml *tree;
  assert_int_equal(ad_yaml_parse(&tree, "root",
                                 "\xEF\xBB\xBF"
                                 "a: b",
                                 7),
                   AD_OK);
  assert_string_equal(ad_yaml_get(tree, "a")->text, "b");
  ad_yaml_destroy(tree);
  assert_int_equal(ad_yaml_parse(&tree, "root", "a: 1\r\nb: 2", 10), AD_OK);
  assert_string_equal(ad_yaml_get(tree, "a")->text, "1");
  assert_string_equal(ad_yaml_get(tree, "b")->text, "2");
  ad_yaml_destroy(tree);
}

static void test_malformed(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t size; /* 0: strlen */
    const char *place;
    const char *what;
  } cases[] = {
      {"\njust text\n", 0, "bad:2:", "expected keys and values, found plain text"},
      {"''", 0, "bad:1:", "expected keys and values, found plain text"},
      {"# x\n- a\n", 0, "bad:2:", "expected keys and values, found a list"},
      {"a: [1, 2\nb: 3\n", 0, "bad:2:", "malformed YAML"},
      {"a: {x: 1\n", 0, "bad:2:", "malformed YAML"},
      {"a: \"no end\n", 0, "bad:2:", "malformed YAML"},
      {"a: 1\n\tb: 2\n", 0, "bad:2:", "malformed YAML"},
      {"a: b: c\n", 0, "bad:1:", "malformed YAML"},
      {"a: 1\nb\n", 0, "bad:3:", "malformed YAML"},
      {"a: 1\n- b\n", 0, "bad:2:", "malformed YAML"},
      {"a: \"\\q\"\n", 0, "bad:1:", "malformed YAML"},
      {"a: @x\n", 0, "bad:1:", "malformed YAML"},
      {"%YAML 3.0\n---\na: 1\n", 0, "bad:1:", "malformed YAML"},
      {"a: 1\nb: 2\na: 3\n", 0, "bad:3:", "the key \"a\" is there twice (first at line 1)"},
      {"a:\n  x: 1\n  x: 2\n", 0, "bad:3:", "there twice"},
      {"a: &anchor 1\nb: *anchor\n", 0, "bad:1:", "not supported"},
      {"b: *anchor\n", 0, "bad:1:", "not supported"},
      {"*a : 1\n", 0, "bad:1:", "plain text"},
      {"&k key: 1\n", 0, "bad:1:", "not supported"},
      {"a: 1\nb: !!str 2\n", 0, "bad:2:", "not supported"},
      {"a: !seq [1]\n", 0, "bad:1:", "not supported"},
      {"--- !map {a: 1}\n", 0, "bad:1:", "not supported"},
      {"? [a, b]\n: 1\n", 0, "bad:1:", "plain text"},
      {"? {a: b}\n: 1\n", 0, "bad:1:", "plain text"},
      {"a: 1\n---\nb: 2\n", 0, "bad:2:", "second document"},
      {"a: 1\nb: \xFF\n", 0, "bad:2:", "invalid UTF-8 0xFF at byte 4 of the line"},
      {"a: \xC3", 4, "bad:1:", "invalid UTF-8 0xC3 at byte 4"},
      {"a: 1\nb: \0\n", 10, "bad:2:", "malformed YAML"},
      {"a: \"x\\0y\"\n", 0, "bad:1:", "NUL"},
      {"\"k\\0\": 1\n", 0, "bad:1:", "NUL"},
      {"a: \x01\n", 0, "bad:1:", "control characters"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const size_t live = ad_memory_stats().live_blocks;
    struct ad_yaml *tree = (struct ad_yaml *)1;
    const size_t size = cases[i].size == 0 ? strlen(cases[i].text) : cases[i].size;
    const int status = ad_yaml_parse(&tree, "bad", cases[i].text, size);
    if (status != AD_EINPUT || strncmp(ad_error_message(), cases[i].place, strlen(cases[i].place)) != 0 ||
        strstr(ad_error_message(), cases[i].what) == NULL) {
      fail_msg("case %zu: status %d, \"%s\", expected \"%s\" and \"%s\"", i, status, ad_error_message(), cases[i].place,
               cases[i].what);
    }
    assert_null(tree);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
}

static void test_depth(void **state) {
  (void)state;
  char text[4000];
  memset(text, '[', 2000);
  memset(text + 2000, ']', 2000);
  struct ad_yaml *tree;
  assert_int_equal(ad_yaml_parse(&tree, "deep", text, sizeof text), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "nested too deeply"));
  assert_null(tree);
}

/* Every prefix of a good document gives a tree or a message, and leaves nothing behind. */
static void test_prefixes(void **state) {
  (void)state;
  const size_t live = ad_memory_stats().live_blocks;
  for (size_t size = 0; size < sizeof good; size++) {
    struct ad_yaml *tree;
    const int status = ad_yaml_parse(&tree, "prefix", good, size);
    assert_true(status == AD_OK || status == AD_EINPUT);
    assert_true((status == AD_OK) == (tree != NULL));
    ad_yaml_destroy(tree);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
}

static void test_files(void **state) {
  (void)state;
  struct ad_yaml *tree;
  assert_int_equal(ad_file_write("test_yaml.yaml", "a: [\n", 5), AD_OK);
  assert_int_equal(ad_yaml_read(&tree, "test_yaml.yaml"), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "test_yaml.yaml:2:"));
  assert_int_equal(ad_file_write("test_yaml.yaml", "", 0), AD_OK);
  assert_int_equal(ad_yaml_read(&tree, "test_yaml.yaml"), AD_OK);
  assert_int_equal(tree->count, 0);
  ad_yaml_destroy(tree);
  assert_int_equal(ad_yaml_read(&tree, "no_such.yaml"), AD_EINPUT);
  assert_null(tree);
  assert_int_equal(ad_yaml_read(&tree, "."), AD_EINPUT);
  remove("test_yaml.yaml");
}

static void test_out_of_memory(void **state) {
  (void)state;
  const size_t live = ad_memory_stats().live_blocks;
  unsigned long n = 1;
  for (;; n++) {
    struct ad_yaml *tree;
    ad_memory_fail_at(n);
    const int status = ad_yaml_parse(&tree, "memory", good, strlen(good));
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      ad_yaml_destroy(tree);
      break;
    }
    assert_int_equal(status, AD_ENOMEM);
    assert_null(tree);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  assert_true(n > 20);
  assert_int_equal(ad_memory_stats().live_blocks, live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tree),      cmocka_unit_test(test_empty),         cmocka_unit_test(test_roots),
      cmocka_unit_test(test_malformed), cmocka_unit_test(test_depth),         cmocka_unit_test(test_prefixes),
      cmocka_unit_test(test_files),     cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
