/* The options table: defaults, files, overrides, messages, and the resolved file read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/config.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "base/config_internal.h"

static void expect_failure(int status, const char *fragment) {
  assert_int_equal(status, AD_ECONFIG);
  if (strstr(ad_error_message(), fragment) == NULL) {
    fail_msg("message '%s' lacks '%s'", ad_error_message(), fragment);
  }
}

static void test_values(void **state) {
  (void)state;
  struct ad_config config;
  assert_int_equal(ad_config_create(&config), AD_OK);
  assert_int_equal(config.batch_size, 32);
  assert_true(config.optim_lr == 2e-5);
  assert_int_equal(ad_config_override(&config, "optim.lr=1e-4"), AD_OK);
  assert_true(config.optim_lr == 1e-4);
  assert_int_equal(ad_config_override(&config, "data.train=a=b"), AD_OK);
  assert_string_equal(config.data_train, "a=b");
  assert_int_equal(ad_config_override(&config, "model.classifier=cls"), AD_OK);
  assert_int_equal(config.model_classifier, AD_CLASSIFIER_CLS);
  expect_failure(ad_config_override(&config, "optim.lr"), "key=value");
  expect_failure(ad_config_override(&config, "=3"), "key=value");
  expect_failure(ad_config_override(&config, "optim.rl=1"), "'optim.lr'");
  expect_failure(ad_config_override(&config, "optim.lr=fast"), "expected a number");
  expect_failure(ad_config_override(&config, "optim.lr=nan"), "expected a number");
  expect_failure(ad_config_override(&config, "optim.lr=-1"), "from 0 to 10");
  expect_failure(ad_config_override(&config, "optim.lr="), "expected a number");
  expect_failure(ad_config_override(&config, "batch.size=0"), "from 1");
  expect_failure(ad_config_override(&config, "batch.size=-3"), "from 1");
  expect_failure(ad_config_override(&config, "batch.size=3.5"), "whole number");
  expect_failure(ad_config_override(&config, "batch.size=99999999999999999999999"), "whole number");
  expect_failure(ad_config_override(&config, "run.overwrite=yes"), "true or false");
  expect_failure(ad_config_override(&config, "optim.schedule=lin"), "linear|constant|cosine");
  expect_failure(ad_config_override(&config, "run.dir=a\xE2 b"), "run.dir is no UTF-8 from byte 2 on (E2)");
  ad_config_destroy(&config);
}

static int read_text(struct ad_config *config, const char *text) {
  assert_int_equal(ad_file_write("test_config.yaml", text, strlen(text)), AD_OK);
  return ad_config_read(config, "test_config.yaml");
}

static void test_file(void **state) {
  (void)state;
  struct ad_config config, again;
  assert_int_equal(ad_config_create(&config), AD_OK);
  assert_int_equal(ad_config_create(&again), AD_OK);
  assert_int_equal(read_text(&config, "run: {dir: 'a \"b\"'}\noptim:\n  lr: 3.3e-5\nseed.order: 12\n"), AD_OK);
  assert_string_equal(config.run_dir, "a \"b\"");
  assert_int_equal(config.seed_order, 12);
  struct ad_buffer first = {0}, second = {0};
  assert_int_equal(ad_config_print(&config, &first), AD_OK);
  assert_int_equal(read_text(&again, first.data), AD_OK);
  assert_int_equal(ad_config_print(&again, &second), AD_OK);
  assert_string_equal(first.data, second.data);
  /* What YAML does not take as it is: C1, line ends beside \n, a mark of direction, U+FFFE. */
  static const char odd[] =
      "\x1b\x7f\xC2\x80\xC2\x85\xE2\x80\xA8\xE2\x80\xAE"
      "\xEF\xBB\xBF\xEF\xBF\xBE\xF3\xA0\x81\x81\r\n\t\\\"";
  ad_buffer_clear(&first);
  ad_buffer_clear(&second);
  assert_int_equal(ad_buffer_printf(&first, "run.dir=%s", odd), AD_OK);
  assert_int_equal(ad_config_override(&config, first.data), AD_OK);
  assert_int_equal(ad_config_print(&config, &second), AD_OK);
  assert_int_equal(read_text(&again, second.data), AD_OK);
  assert_string_equal(again.run_dir, odd);
  expect_failure(read_text(&config, "optim:\n  momentum: 3\n"), "test_config.yaml:2: unknown key 'optim.momentum'");
  expect_failure(read_text(&config, "optim:\n  lr: [1, 2]\n"), "is a list, expected one value");
  expect_failure(read_text(&config, "train:\n  class_weights: [1, 2]\n"), "expected one text, without brackets");
  expect_failure(read_text(&config, "optim: {lr: 1}\noptim.lr: 2\n"),
                 "test_config.yaml:2: optim.lr is there twice (first at line 1)");
  assert_int_equal(read_text(&config, "- 1\n"), AD_EINPUT);
  assert_string_equal(ad_error_message(), "test_config.yaml:1: expected keys and values, found a list");
  ad_buffer_destroy(&first);
  ad_buffer_destroy(&second);
  ad_config_destroy(&config);
  ad_config_destroy(&again);
}

static void test_out_of_memory(void **state) {
  (void)state;
  const size_t before = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n++) {
    struct ad_config config;
    ad_memory_fail_at(n);
    status = ad_config_create(&config);
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      ad_config_destroy(&config);
    } else {
      assert_int_equal(status, AD_ENOMEM);
    }
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
}

/* What scripts ask for: texts as they are, all else as in the resolved file. */
static void test_get(void **state) {
  (void)state;
  struct ad_config config;
  assert_int_equal(ad_config_create(&config), AD_OK);
  assert_int_equal(ad_config_override(&config, "run.dir=a \"b\""), AD_OK);
  assert_int_equal(ad_config_override(&config, "teacher.window=all"), AD_OK);
  assert_int_equal(ad_config_override(&config, "optim.clip=none"), AD_OK);
  const struct {
    const char *key, *value;
  } cases[] = {{"run.dir", "a \"b\""},     {"batch.lanes", "8"},      {"optim.lr", "2e-05"}, {"optim.clip", "0"},
               {"run.overwrite", "false"}, {"teacher.window", "all"}, {"run.select", "last"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_buffer text = {0};
    assert_int_equal(ad_config_get(&config, cases[i].key, &text), AD_OK);
    assert_string_equal(text.data, cases[i].value);
    ad_buffer_destroy(&text);
  }
  struct ad_buffer text = {0};
  expect_failure(ad_config_get(&config, "run.dri", &text), "'run.dir'");
  ad_buffer_destroy(&text);
  ad_config_destroy(&config);
}

static void test_help(void **state) {
  (void)state;
  struct ad_buffer text = {0};
  assert_int_equal(ad_config_help(&text, 0), AD_OK);
  assert_int_equal(ad_config_help(&text, 1), AD_OK);
  assert_non_null(strstr(text.data, "optim.layer_decay"));
  assert_null(strstr(text.data, ": \n")); /* a section without a line */
  assert_null(strstr(text.data, " \n"));  /* a choice without help */
  assert_null(strstr(text.data, ": <br>"));
  ad_buffer_destroy(&text);
}

static size_t count_of(const char *text, const char *part) {
  size_t count = 0;
  for (const char *p = strstr(text, part); p != NULL; p = strstr(p + 1, part)) {
    count++;
  }
  return count;
}

/* The keys that a pattern finds: this many, in so many sections, and among them this text. */
static void expect_keys(const char *pattern, size_t keys, size_t sections, const char *part) {
  struct ad_buffer text = {0};
  assert_int_equal(ad_config_search(pattern, &text), AD_OK);
  assert_int_equal(count_of(text.data, "; default "), keys);
  assert_int_equal(count_of(text.data, "\n\n"), sections - 1);
  assert_non_null(strstr(text.data, part));
  ad_buffer_destroy(&text);
}

static void test_search(void **state) {
  (void)state;
  struct ad_buffer text = {0};
  expect_keys("seed.*", 3, 1, "\n* seed.init ");
  expect_keys("SEED.?rder", 1, 1, "  seed.order ");
  expect_keys("Half Cosine", 1, 1, "cosine    to zero as a half cosine\n");
  expect_keys("bf16", 1, 1, "train.precision");
  expect_keys("head_tail", 1, 1, "data.truncation");
  expect_keys("lr", 2, 1, "* optim.lr "); /* not the letters inside "already" */
  expect_keys("_LR", 1, 1, "  optim.head_lr ");
  expect_failure(ad_config_search("learning_rate", &text),
                 "no key has 'learning_rate' in its name or help; here it is "
                 "'optim.lr'");
  expect_failure(ad_config_search("optim.q*", &text), "'optim.q*'");
  expect_failure(ad_config_search("qqqqqqqq", &text), "none is like it");
  assert_int_equal(ad_config_help(&text, 0), AD_OK);
  assert_int_equal(count_of(text.data, "\n* "), 10);
  ad_buffer_destroy(&text);
}

/* Keys that have an effect in every training, or say what is done should a case arise. A new key stands here, or has a
 * condition in the table. */
static const char *const always[] = {"run.dir",
                                     "run.overwrite",
                                     "run.select",
                                     "run.result",
                                     "run.time_limit",
                                     "run.signals",
                                     "resume.allow",
                                     "checkpoint.every",
                                     "checkpoint.minutes",
                                     "checkpoint.epoch",
                                     "checkpoint.keep",
                                     "checkpoint.finished",
                                     "checkpoint.full",
                                     "model.path",
                                     "model.classifier",
                                     "model.freeze",
                                     "model.dropout",
                                     "data.descriptor",
                                     "data.train",
                                     "data.dev",
                                     "data.test",
                                     "data.max_tokens",
                                     "data.train_rows",
                                     "data.per_class",
                                     "data.task",
                                     "data.cache",
                                     "batch.size",
                                     "batch.lanes",
                                     "optim.head_lr",
                                     "optim.warmup",
                                     "optim.beta1",
                                     "optim.beta2",
                                     "optim.eps",
                                     "optim.decay",
                                     "optim.bias_correction",
                                     "optim.clip",
                                     "teacher.method",
                                     "train.steps",
                                     "eval.batch",
                                     "snapshot.every",
                                     "snapshot.dense",
                                     "snapshot.growth",
                                     "snapshot.steps",
                                     "seed.order",
                                     "train.patience",
                                     "train.class_weights",
                                     "train.label_smoothing",
                                     "train.precision"};

static int is_always(const char *key) {
  for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
    if (strcmp(always[i], key) == 0) {
      return 1;
    }
  }
  return 0;
}

/* Number `n` of the values that a key is tried with; its default for 0. NULL: there are no more. */
static const char *value_to_try(const struct config_option *option, size_t n, char text[64]) {
  static const char *const texts[] = {"x", "encoder", "scalars"}, *const numbers[] = {"0", "1", "2", "0.5", "200"};
  const char *p = option->choices;
  if (n == 0) {
    return option->initial;
  }
  switch (option->kind) {
    case CONFIG_KIND_TEXT:
      return n <= 3 ? texts[n - 1] : NULL;
    case CONFIG_KIND_SWITCH:
      return n == 1 ? (option->initial[0] == 't' ? "false" : "true") : NULL;
    case CONFIG_KIND_CHOICE:
      for (size_t i = 1; i < n && *p != '\0'; i++) {
        p += strcspn(p, "|") + (p[strcspn(p, "|")] == '|');
      }
      snprintf(text, 64, "%.*s", (int)strcspn(p, "|"), p);
      return text[0] == '\0' ? NULL : text;
    case CONFIG_KIND_COUNT:
    case CONFIG_KIND_REAL:
    case CONFIG_KIND_SPAN:
      break;
  }
  if (n > 5) {
    return n == 6 && option->kind == CONFIG_KIND_SPAN ? "all" : NULL;
  }
  const double number = strtod(numbers[n - 1], NULL);
  const int fits =
      number >= option->lowest && number <= option->highest && (option->kind == CONFIG_KIND_REAL || number != 0.5);
  return fits ? numbers[n - 1] : option->initial;
}

enum { MOST_GOVERNING = 8 };

/* The keys that a condition names, and those that their conditions name. */
static void list_governing(const char *when, const struct config_option *list[MOST_GOVERNING], size_t *count) {
  for (const char *p = when; *p != '\0';) {
    char word[64];
    const size_t width = strcspn(p, " =!>;|");
    snprintf(word, sizeof word, "%.*s", (int)width, p);
    const struct config_option *option = ad__config_find(word);
    assert_true(option != NULL || strchr(word, '.') == NULL);
    size_t i = 0;
    while (i < *count && list[i] != option) {
      i++;
    }
    if (option != NULL && i == *count) {
      assert_true(*count < MOST_GOVERNING);
      list[(*count)++] = option;
      list_governing(option->when, list, count);
    }
    p += width + strspn(p + width, " =!>;|");
  }
}

/* Goes through the values of the keys that govern `option`, until it has an effect (wanted 1) or none. */
static int find_case(struct ad_config *config, const struct ad_config_facts *facts, const struct config_option *option,
                     int wanted, const struct config_option *const *list, size_t count) {
  char text[64];
  if (count == 0) {
    return ad_config_has_effect(config, facts, option->key) == wanted;
  }
  for (size_t n = 0;; n++) {
    const char *value = value_to_try(list[0], n, text);
    if (value == NULL) {
      return 0;
    }
    assert_int_equal(ad_config_set(config, "test", list[0]->key, value), AD_OK);
    if (find_case(config, facts, option, wanted, list + 1, count - 1)) {
      return 1;
    }
  }
}

/* For each key of the table a configuration in which it has no effect, if there may be one, and one in which it has. */
static void test_conditions(void **state) {
  (void)state;
  const struct ad_config_facts lonely = {.dev = 0, .ranks = 0, .drawn = 0, .hidden = 0, .tasks = 0},
                               rich = {.dev = 1, .ranks = 1, .drawn = 1, .hidden = 1, .tasks = 1};
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    const struct config_option *option = &ad__config_options[i], *governing[MOST_GOVERNING];
    const int free_of_condition = option->when[0] == '\0';
    struct ad_config config;
    char text[64];
    size_t count = 0, n = 1;
    if (free_of_condition != is_always(option->key)) {
      fail_msg("%s: the test and the table disagree on whether it always has an effect", option->key);
    }
    list_governing(option->when, governing, &count);
    assert_int_equal(ad_config_create(&config), AD_OK);
    for (; strcmp(value_to_try(option, n, text), option->initial) == 0; n++) {
    }
    for (int wanted = free_of_condition; wanted <= 1; wanted++) {
      if (!find_case(&config, wanted ? &rich : &lonely, option, wanted, governing, count)) {
        fail_msg("%s: no configuration found with%s an effect of it", option->key, wanted ? "" : "out");
      }
      assert_int_equal(ad_config_is_idle(&config, &lonely, option->key), 0); /* at its default */
      assert_int_equal(ad_config_set(&config, "test", option->key, value_to_try(option, n, text)), AD_OK);
      assert_int_equal(ad_config_is_idle(&config, wanted ? &rich : &lonely, option->key), !wanted);
      assert_int_equal(ad_config_set(&config, "test", option->key, option->initial), AD_OK);
    }
    ad_config_destroy(&config);
  }
}

/* What a person gave is looked at, and not what a resolved file repeats. */
static void test_given(void **state) {
  (void)state;
  struct ad_config config, again;
  struct ad_buffer text = {0};
  assert_int_equal(ad_config_create(&config), AD_OK);
  assert_int_equal(ad_config_create(&again), AD_OK);
  assert_int_equal(read_text(&config, "teacher: {window: 5}\n"), AD_OK);
  assert_int_equal(ad_config_is_idle(&config, NULL, "teacher.window"), 1);
  assert_int_equal(ad_config_print(&config, &text), AD_OK);
  assert_int_equal(read_text(&again, text.data), AD_OK);
  assert_int_equal(again.teacher_window, 5);
  /* A resolved configuration of a version that had no model.head: it drew the classifier. */
  char *line = strstr(text.data, "  head: auto\n");
  assert_int_equal(again.model_head, AD_HEAD_AUTO);
  assert_non_null(line);
  memset(line, ' ', strlen("  head: auto"));
  assert_int_equal(read_text(&again, text.data), AD_OK);
  assert_int_equal(again.model_head, AD_HEAD_NEW);
  assert_int_equal(ad_config_is_idle(&again, NULL, "teacher.window"), 0);
  assert_int_equal(ad_config_override(&again, "teacher.window=4"), AD_OK);
  assert_int_equal(ad_config_is_idle(&again, NULL, "teacher.window"), 1);
  assert_int_equal(ad_config_set_default(&again, "teacher.window", "3"), AD_OK);
  assert_int_equal(ad_config_is_idle(&again, NULL, "teacher.window"), 0);
  ad_buffer_destroy(&text);
  ad_config_destroy(&config);
  ad_config_destroy(&again);
}

/* A key's field holds the constant that stands beside the name in its set. */
static void test_choices(void **state) {
  (void)state;
  struct ad_config config;
  char text[AD_CHOICES_TEXT];
  assert_int_equal(ad_config_create(&config), AD_OK);
#define SET_CHOICE(constant, name, ...)                                             \
  assert_int_equal(ad_config_set(&config, "test", "optim.schedule", #name), AD_OK); \
  assert_int_equal(config.optim_schedule, constant);
  AD_SET_schedule(SET_CHOICE)
#undef SET_CHOICE
      ad_config_destroy(&config);
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    assert_int_equal(ad_variant_find(ad_variant_name(v)), v);
  }
  assert_int_equal(ad_variant_find("runs"), AD_VARIANTS);
  assert_int_equal(ad_variant_find(NULL), AD_VARIANTS);
  assert_string_equal(ad_choices_text(AD_SET_CHOICES(variant), text), "student, teacher, window or run");
  assert_string_equal(ad_choices_text("all|root", text), "all or root");
  assert_string_equal(ad_choices_text("one", text), "one");
}

/* Some conditions by hand: what the code does, told without the table. */
static void test_effects(void **state) {
  (void)state;
  static const struct {
    const char *set, *key;
    int effect;
  } cases[] = {{"teacher.method=none", "teacher.window", 0},
               {"teacher.method=ema", "teacher.window", 0},
               {"eval.means=true", "teacher.window", 1},
               {"teacher.method=sda", "teacher.window", 1},
               {"teacher.method=rdrop", "teacher.weight", 1},
               {"teacher.method=rdrop", "teacher.every", 0},
               {"teacher.method=sda teacher.window=1 teacher.ring=disk", "teacher.ring_folder", 0},
               {"teacher.method=sda teacher.window=2 teacher.ring=disk", "teacher.ring_folder", 1},
               {"teacher.method=sda teacher.window=2", "teacher.ring_folder", 0},
               {"teacher.method=sda teacher.window=all teacher.ring=disk", "teacher.ring_folder", 0},
               {"teacher.method=sdv teacher.window=3 teacher.ring=disk", "teacher.ring_folder", 0},
               {"teacher.method=sdv teacher.window=3 teacher.ring=disk eval.means=true", "teacher.ring_folder", 1},
               {"teacher.method=sdv teacher.window=3", "run.variants", 0},
               {"teacher.method=sdv", "run.variants", 1},
               {"snapshot.growth=2 snapshot.content=scalars,norms", "snapshot.sketch", 0},
               {"snapshot.growth=2 snapshot.content=scalars,sketch", "snapshot.sketch", 1},
               {"snapshot.steps=1", "snapshot.budget", 1},
               {"data.max_tokens=130", "data.truncation", 0},
               {"data.max_tokens=131", "data.truncation", 1},
               {"model.path=m", "model.hidden", 0},
               {"train.steps=1", "train.epochs", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_config config;
    char assignments[128];
    assert_int_equal(ad_config_create(&config), AD_OK);
    snprintf(assignments, sizeof assignments, "%s", cases[i].set);
    for (char *rest, *one = strtok_r(assignments, " ", &rest); one != NULL; one = strtok_r(NULL, " ", &rest)) {
      assert_int_equal(ad_config_override(&config, one), AD_OK);
    }
    if (ad_config_has_effect(&config, NULL, cases[i].key) != cases[i].effect) {
      fail_msg("%s: expected effect %d of %s", cases[i].set, cases[i].effect, cases[i].key);
    }
    ad_config_destroy(&config);
  }
}

/* The keys named by other names, and in their notes, are there; no name is a key's own end, which would hide it. */
static void test_aliases(void **state) {
  (void)state;
  size_t count;
  const struct ad_config_alias *aliases = ad_config_aliases(&count);
  for (size_t i = 0; i < count; i++) {
    char words[200], place[300];
    struct ad_config config;
    snprintf(words, sizeof words, "%s %s", aliases[i].keys, aliases[i].note);
    for (char *rest, *word = strtok_r(words, " ,;=()", &rest); word != NULL; word = strtok_r(NULL, " ,;=()", &rest)) {
      const char *dot = strchr(word, '.');
      if (dot != NULL && dot[1] >= 'a' && strcmp(word, "log.jsonl") != 0 && strcmp(word, "config.json") != 0) {
        assert_non_null(ad__config_find(word));
      }
    }
    assert_true(aliases[i].keys[0] != '\0' || aliases[i].note[0] != '\0');
    assert_int_equal(ad_config_create(&config), AD_OK);
    snprintf(place, sizeof place, "trainer.%s", aliases[i].name);
    const char *told = aliases[i].keys[0] == '\0' ? aliases[i].note : "here it is '";
    expect_failure(ad_config_set(&config, "x", aliases[i].name, "1"), told);
    expect_failure(ad_config_set(&config, "x", place, "1"), told);
    ad_config_destroy(&config);
  }
}

static void test_suggestions(void **state) {
  (void)state;
  static const struct {
    const char *key, *expected;
  } cases[] = {{"lr", "it could be 'optim.lr'"},
               {"train.lr", "it could be 'optim.lr'"},
               {"optim-lr", "it could be 'optim.lr'"},
               {"every", "it could be 'checkpoint.every', 'teacher.every', 'eval.every' or 'snapshot.every'"},
               {"evl.every", "it could be 'eval.every', "},
               {"epochs", "it could be 'train.epochs' or 'checkpoint.epoch'"},
               {"batch_size", "it could be 'batch.size'"},
               {"learning_rate", "here it is 'optim.lr'"},
               {"Learning-Rate", "here it is 'optim.lr'"},
               {"lerning_rate", "here it is 'optim.lr'"},
               {"args.num_train_epochs", "here it is 'train.epochs'"},
               {"seed", "here it is 'seed.init', 'seed.order' and 'seed.dropout'"},
               {"early_stopping_patience", "here it is 'train.patience'"},
               {"teacher.windw", "the nearest one is 'teacher.window'"},
               {"zyx", "none is like it"}};
  struct ad_config config;
  assert_int_equal(ad_config_create(&config), AD_OK);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    expect_failure(ad_config_set(&config, "x", cases[i].key, "1"), cases[i].expected);
  }
  ad_config_destroy(&config);
}

/* What float32 cannot tell from 0 or 1 is refused. */
static void test_single(void **state) {
  (void)state;
  struct ad_config config;
  assert_int_equal(ad_config_create(&config), AD_OK);
  expect_failure(ad_config_override(&config, "teacher.decay=0.999999999"), "which is 1 in float32");
  expect_failure(ad_config_override(&config, "optim.lr=1e-39"), "which is 0 in float32");
  expect_failure(ad_config_override(&config, "model.dropout=1e-60"), "which is 0 in float32");
  expect_failure(ad_config_override(&config, "optim.lr=1e-310"), "expected a number");
  assert_int_equal(ad_config_override(&config, "teacher.decay=0.9999999"), AD_OK);
  assert_int_equal(ad_config_override(&config, "optim.lr=1e-37"), AD_OK);
  assert_int_equal(ad_config_override(&config, "model.dropout=-1"), AD_OK);
  assert_int_equal(ad_config_override(&config, "optim.lr=0"), AD_OK);
  ad_config_destroy(&config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),     cmocka_unit_test(test_file),    cmocka_unit_test(test_out_of_memory),
      cmocka_unit_test(test_help),       cmocka_unit_test(test_search),  cmocka_unit_test(test_get),
      cmocka_unit_test(test_conditions), cmocka_unit_test(test_given),   cmocka_unit_test(test_choices),
      cmocka_unit_test(test_effects),    cmocka_unit_test(test_aliases), cmocka_unit_test(test_suggestions),
      cmocka_unit_test(test_single)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
