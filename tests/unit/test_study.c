/* The study file: parsing, designs, identities, the plan and what it refuses. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/study/study.h"
#include "support/scratch.h"

static void write_text(const char *name, const char *text) {
  FILE *file = fopen(name, "w");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

static int enter(void **state) {
  assert_int_equal(scratch_enter(state), 0);
  write_text("train.tsv", "a\tx\nb\ty\n");
  write_text("dev.tsv", "a\tx\n");
  write_text("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n");
  write_text("d.yaml",
             "title: t\nsource: s\nlicence: l\nformat: tsv\nheader: false\ncolumns: {text: 1, label: 2}\n"
             "classes: [x, y]\nlabels: {x: x, y: y}\nsplits:\n  train: {file: train.tsv}\n  dev: {file: dev.tsv}\n");
  write_text("base.yaml",
             "data: {descriptor: ./d.yaml, folder: .}\nmodel: {vocab: vocab.txt}\noptim: {lr: 1e-3}\n"
             "run: {dir: elsewhere}\n");
  return 0;
}

static int read_study(struct ad_study *study, const char *text) {
  write_text("s.yaml", text);
  return ad_study_read(study, "s.yaml");
}

static void expect_refusal(const char *text, int expected, const char *fragment) {
  struct ad_study study;
  const int status = read_study(&study, text);
  if (status != expected || strstr(ad_error_message(), fragment) == NULL) {
    fail_msg("status %d, message '%s' lacks '%s', in:\n%s", status, ad_error_message(), fragment, text);
  }
  ad_study_destroy(&study);
}

static const char crossed[] =
    "study: {dir: out, ranks_per_trial: 2, result: teacher.macro_f1, failed: 0.25, lease: 30}\n"
    "base: base.yaml\n"
    "axes:\n  seed.init: 0..3\n  seed: {order: [7, 9..10]}\n  optim.lr: [1e-3, 0.0020]\n"
    "arms:\n  plain: {}\n  sda: {teacher: {method: sda, window: 5}}\n";

static void test_crossed(void **state) {
  (void)state;
  struct ad_study s;
  char label[200];
  assert_int_equal(read_study(&s, crossed), AD_OK);
  assert_string_equal(s.name, "s");
  assert_int_equal(s.ranks_per_trial, 2);
  assert_int_equal(s.source, AD_SOURCE_VARIANT + AD_VARIANT_TEACHER);
  assert_string_equal(s.score->name, "macro_f1");
  assert_int_equal(s.rule, AD_RULE_THRESHOLD);
  assert_true(s.threshold == 0.25 && s.lease == 30.0);
  assert_int_equal(s.axis_count, 3);
  assert_int_equal(s.axes[0].count, 4);
  assert_int_equal(s.axes[1].count, 3);
  assert_string_equal(s.axes[1].key, "seed.order");
  assert_string_equal(s.axes[1].values[2], "10");
  assert_true(s.axes[0].seed && s.axes[1].seed && !s.axes[2].seed);
  assert_string_equal(s.axes[2].values[1], "0.002");
  assert_int_equal(s.arm_count, 4);
  assert_int_equal(s.count, 2 * 4 * 3 * 2);
  assert_string_equal(s.arms[0].name, "plain optim.lr=0.001");
  assert_string_equal(s.arms[3].name, "sda optim.lr=0.002");
  /* The last axis is the fastest: cell 1 is the other learning rate. */
  assert_int_equal(s.cells[1].arm, 1);
  assert_string_equal(ad_study_label(&s, &s.cells[47], label, sizeof label),
                      "sda optim.lr=0.002, seed.init=3, seed.order=10");
  ad_study_destroy(&s);
}

/* As many times the steps of the base, or its epochs. */
static void test_compute(void **state) {
  (void)state;
  struct ad_study s;
  assert_int_equal(read_study(&s, "study: {dir: a}\nbase: {train.steps: 96}\narms: {a: {}, b: {compute: 4/3}}\n"),
                   AD_OK);
  assert_string_equal(s.arms[1].settings[0].key, "train.steps");
  assert_string_equal(s.arms[1].settings[0].value, "128");
  ad_study_destroy(&s);
  assert_int_equal(read_study(&s, "study: {dir: a}\nbase: {train.epochs: 3}\narms: {a: {}, b: {compute: 4/3}}\n"),
                   AD_OK);
  assert_string_equal(s.arms[1].settings[0].key, "train.epochs");
  assert_string_equal(s.arms[1].settings[0].value, "4");
  ad_study_destroy(&s);
}

static void test_configuration(void **state) {
  (void)state;
  struct ad_study s;
  struct ad_config c;
  assert_int_equal(read_study(&s, crossed), AD_OK);
  assert_int_equal(ad_study_identify(&s, "."), AD_OK);
  assert_int_equal(ad_study_config(&s, &s.cells[47], &c), AD_OK);
  assert_int_equal(c.seed_init, 3);
  assert_int_equal(c.seed_order, 10);
  assert_true(c.optim_lr == 0.002);
  assert_int_equal(c.teacher_window, 5);
  assert_string_equal(c.model_vocab, "vocab.txt");
  assert_int_equal(strncmp(c.run_dir, "out/runs/", 9), 0);
  assert_int_equal(strlen(c.run_dir), 9 + 16);
  ad_config_destroy(&c);
  for (size_t i = 0; i < s.count; i++) {
    for (size_t k = 0; k < i; k++) {
      assert_true(s.cells[i].id != s.cells[k].id && s.cells[i].id != 0);
    }
  }
  ad_study_destroy(&s);
}

static uint64_t id_of(const char *text, size_t cell) {
  struct ad_study s;
  assert_int_equal(read_study(&s, text), AD_OK);
  assert_int_equal(ad_study_identify(&s, "."), AD_OK);
  const uint64_t id = s.cells[cell].id;
  ad_study_destroy(&s);
  return id;
}

/* A cell is its resolved configuration, however it is written down. */
static void test_identity(void **state) {
  (void)state;
  const uint64_t id = id_of("study: {dir: a}\nbase: base.yaml\naxes: {seed.init: 2..3, seed.order: [4]}\n", 1);
  assert_true(id == id_of("study: {dir: b, name: other}\nbase: {file: base.yaml, seed: {init: 3, order: 4}}\n", 0));
  assert_true(id == id_of("study: {dir: a}\nbase: {file: base.yaml, seed.order: 4}\narms: {x: {seed.init: 3}}\n", 0));
  assert_true(id == id_of("study: {dir: a}\nbase: {file: base.yaml, seed.init: 9, optim.lr: 1}\n"
                          "axes: {listed: {seed.init: [3, 3], seed.order: [5, 4]}, optim.lr: 0.001}\n",
                          1));
  /* Keys that say where, when and by whom. */
  assert_true(id == id_of("study: {dir: a}\nbase: {file: base.yaml, seed: {init: 3, order: 4}, run: {time_limit: 60}, "
                          "checkpoint.every: 3, batch.rounds: 2, optim.shard: false}\n",
                          0));
  assert_true(id != id_of("study: {dir: a}\nbase: {file: base.yaml, seed: {init: 3, order: 5}}\n", 0));
  assert_true(id != id_of("study: {dir: a}\nbase: {file: base.yaml, seed: {init: 4, order: 3}}\n", 0));
  assert_true(id !=
              id_of("study: {dir: a}\nbase: {file: base.yaml, seed: {init: 3, order: 4}, snapshot.every: 1}\n", 0));
  write_text("train.tsv", "a\tx\nb\tx\n");
  assert_true(id != id_of("study: {dir: b}\nbase: {file: base.yaml, seed: {init: 3, order: 4}}\n", 0));
  write_text("train.tsv", "a\tx\nb\ty\n");
  /* The same bytes elsewhere. */
  assert_int_equal(mkdir("copy", 0777), 0);
  write_text("copy/train.tsv", "a\tx\nb\ty\n");
  write_text("copy/dev.tsv", "a\tx\n");
  assert_true(id ==
              id_of("study: {dir: b}\nbase: {file: base.yaml, seed: {init: 3, order: 4}, data.folder: copy}\n", 0));
}

static void test_designs(void **state) {
  (void)state;
  struct ad_study s;
  assert_int_equal(
      read_study(&s, "study: {dir: a}\naxes:\n  latin: {seed.init: 0..4, seed.order: 5..9, seed.dropout: 10..14}\n"),
      AD_OK);
  assert_int_equal(s.count, 25);
  /* Each pair of values of any two axes is there once. */
  for (size_t a = 0; a < 3; a++) {
    for (size_t b = 0; b < a; b++) {
      int seen[5][5] = {{0}};
      for (size_t i = 0; i < s.count; i++) {
        seen[s.cells[i].level[a]][s.cells[i].level[b]]++;
      }
      for (size_t i = 0; i < 25; i++) {
        assert_int_equal(seen[i / 5][i % 5], 1);
      }
    }
  }
  ad_study_destroy(&s);
  assert_int_equal(read_study(&s,
                              "study: {dir: a}\naxes:\n  latin: {seed.init: 0..2, seed.order: 0..2, seed.dropout: "
                              "0..2, optim.lr: [1, 2, 3]}\n"),
                   AD_OK);
  assert_int_equal(s.count, 9);
  assert_int_equal(s.arm_count, 3);
  ad_study_destroy(&s);
  assert_int_equal(
      read_study(
          &s,
          "study: {dir: a}\naxes:\n  listed: {seed.init: [4, 4, 2], seed.order: [1, 2, 1]}\n  train.epochs: [1, 2]\n"),
      AD_OK);
  assert_int_equal(s.count, 6);
  assert_int_equal(s.axes[0].count, 2);
  assert_int_equal(s.cells[4].level[0], 1);
  assert_int_equal(s.cells[5].level[2], 1);
  ad_study_destroy(&s);
  assert_int_equal(read_study(&s, "study: {dir: a}\n"), AD_OK);
  assert_int_equal(s.count, 1);
  assert_string_equal(s.arms[0].name, "base");
  ad_study_destroy(&s);
}

static void test_refusals(void **state) {
  (void)state;
  expect_refusal("study: {dri: a}\n", AD_ECONFIG, "s.yaml:1: unknown key 'study.dri'; the nearest one is 'study.dir'");
  expect_refusal("study: {dir: a}\naxis: {}\n", AD_ECONFIG, "s.yaml:2: unknown key 'axis'; the nearest one is 'axes'");
  expect_refusal("base: {}\n", AD_ECONFIG, "'study' is missing");
  expect_refusal("study: {name: x}\n", AD_ECONFIG, "study.dir is not set");
  expect_refusal("study: {dir: a, result: dev.eror}\n", AD_ECONFIG, "study.result is 'dev.eror'");
  expect_refusal("study: {dir: a, failed: often}\n", AD_ECONFIG, "study.failed is 'often'");
  expect_refusal("study: {dir: a, ranks_per_trial: 1.5}\n", AD_ECONFIG, "whole number");
  expect_refusal("study: {dir: a, test: yes}\n", AD_ECONFIG, "expected true or false");
  expect_refusal("study: {dir: a}\nbase: none.yaml\n", AD_EINPUT, "s.yaml:2: base: none.yaml");
  expect_refusal("study: {dir: a}\nbase:\n  optim: {rl: 1}\n", AD_ECONFIG,
                 "s.yaml:3: unknown key 'optim.rl'; the nearest one is 'optim.lr'");
  expect_refusal("study: {dir: a}\naxes:\n  seed.iint: 0..9\n", AD_ECONFIG,
                 "s.yaml:3: unknown key 'seed.iint'; the nearest one is 'seed.init'");
  expect_refusal("study: {dir: a}\naxes: {seed.init: [1, x]}\n", AD_ECONFIG,
                 "seed.init is 'x', expected a whole number");
  expect_refusal("study: {dir: a}\naxes: {optim.lr: [1e-3, 0.001]}\n", AD_ECONFIG,
                 "optim.lr has the value 0.001 twice");
  expect_refusal("study: {dir: a}\naxes: {seed.init: 5..2}\n", AD_ECONFIG, "the range 5..2");
  expect_refusal("study: {dir: a}\naxes: {seed.init: 0..10000}\n", AD_ECONFIG, "the range 0..10000");
  expect_refusal("study: {dir: a}\naxes: {seed.init: []}\n", AD_ECONFIG, "has no values");
  expect_refusal("study: {dir: a}\naxes: {run.dir: [a, b]}\n", AD_ECONFIG, "run.dir cannot vary");
  expect_refusal("study: {dir: a}\naxes: {seed: {init: 1}, seed.init: 2}\n", AD_ECONFIG, "there twice");
  expect_refusal("study: {dir: a}\naxes:\n  listed: {seed.init: 0..2, seed.order: 0..1}\n", AD_ECONFIG,
                 "has 3 values, seed.order 2");
  expect_refusal("study: {dir: a}\naxes:\n  latin: {seed.init: 0..2, seed.order: 0..2}\n", AD_ECONFIG, "at least 3");
  expect_refusal(
      "study: {dir: a}\naxes:\n  latin: {seed.init: 0..1, seed.order: 0..1, seed.dropout: 0..1, optim.lr: [1, 2]}\n",
      AD_ECONFIG, "no square");
  expect_refusal("study: {dir: a}\naxes: {seed.init: 0..999, seed.order: 0..999, seed.dropout: 0..1}\n", AD_ECONFIG,
                 "more than 1000000");
  expect_refusal("study: {dir: a}\naxes: {optim.lr: [1, 2]}\narms: {x: {optim.lr: 3}}\n", AD_ECONFIG, "is an axis too");
  expect_refusal("study: {dir: a}\narms: {x: {optim.lr: [3]}}\n", AD_ECONFIG, "lists belong under axes");
  expect_refusal("study: {dir: a}\narms: {x: {compute: 4:3}}\n", AD_ECONFIG, "expected a ratio of whole numbers");
  expect_refusal("study: {dir: a}\narms: {x: {compute: 0/3}}\n", AD_ECONFIG, "expected a ratio of whole numbers");
  expect_refusal("study: {dir: a}\narms: {x: {compute: [2]}}\n", AD_ECONFIG, "compute is a list");
  expect_refusal("study: {dir: a}\narms: {x: {compute: 2, train.steps: 9}}\n", AD_ECONFIG, "the arm or an axis sets");
  expect_refusal("study: {dir: a}\naxes: {train.epochs: [2, 3]}\narms: {x: {compute: 2}}\n", AD_ECONFIG,
                 "the arm or an axis sets");
  expect_refusal("study: {dir: a}\nbase: {train.epochs: 2}\narms: {x: {compute: 4/3}}\n", AD_ECONFIG,
                 "compute 4/3 of train.epochs 2 of the base is no whole number");
  expect_refusal("study: {dir: a}\narms: {x: {}, y: {optim.lr: 2e-5}}\n", AD_ECONFIG,
                 "the same training: \"x\" and \"y\"");
  expect_refusal("study: {dir: a}\naxes:\n  listed: {seed.init: [1, 1], seed.order: [2, 2]}\n", AD_ECONFIG,
                 "the same training");
  expect_refusal("study: [1]\n", AD_ECONFIG, "expected keys and values");
  expect_refusal("study: {dir: a\n", AD_EINPUT, "malformed YAML");
}

/* Brings the plan up to date; `begun` makes the run folder of a cell. */
static int commit(const char *text, size_t begun) {
  struct ad_study s;
  assert_int_equal(read_study(&s, text), AD_OK);
  assert_int_equal(ad_study_identify(&s, "."), AD_OK);
  const int status = ad_study_commit(&s);
  if (status == AD_OK && begun < s.count) {
    char *run = ad_study_folder(&s, &s.cells[begun]);
    assert_int_equal(ad_make_folders(run), AD_OK);
    ad_free(run);
  }
  ad_study_destroy(&s);
  return status;
}

/* The record of a cell, as study/cells.h has it. */
static void record_cell(const char *text, size_t cell) {
  struct ad_study s;
  char line[64];
  assert_int_equal(read_study(&s, text), AD_OK);
  assert_int_equal(ad_study_identify(&s, "."), AD_OK);
  snprintf(line, sizeof line, "{\"cell\":\"%016llx\"}\n", (unsigned long long)s.cells[cell].id);
  assert_int_equal(mkdir("plan/records", 0777), 0);
  write_text("plan/records/host-1-2.jsonl", line);
  ad_study_destroy(&s);
}

static void expect_conflict(const char *text, const char *fragment) {
  assert_int_equal(commit(text, SIZE_MAX), AD_ECONFIG);
  if (strstr(ad_error_message(), fragment) == NULL) {
    fail_msg("message '%s' lacks '%s'", ad_error_message(), fragment);
  }
}

static void test_plan(void **state) {
  (void)state;
#define HEAD "study: {dir: plan}\nbase: {file: base.yaml}\naxes: {seed.init: 0..2}\n"
  assert_int_equal(commit(HEAD "arms: {a: {}, b: {optim.lr: 0.5}}\n", SIZE_MAX), AD_OK);
  /* Nothing was begun: anything may change. */
  assert_int_equal(commit(HEAD "arms: {a: {}, b: {optim.lr: 0.25}}\n", 4), AD_OK);
  expect_conflict(HEAD "arms: {a: {}, b: {optim.lr: 0.125}}\n",
                  "the arm 'b' was begun in plan with optim.lr 0.25, now it is 0.125");
  /* Where its run folder was deleted, its record tells. */
  assert_int_equal(rename("plan/runs", "plan/gone"), 0);
  assert_int_equal(commit(HEAD "arms: {a: {}, b: {optim.lr: 0.125}}\n", SIZE_MAX), AD_OK);
  assert_int_equal(commit(HEAD "arms: {a: {}, b: {optim.lr: 0.25}}\n", SIZE_MAX), AD_OK);
  record_cell(HEAD "arms: {a: {}, b: {optim.lr: 0.25}}\n", 4);
  expect_conflict(HEAD "arms: {a: {}, b: {optim.lr: 0.125}}\n", "the arm 'b' was begun in plan");
  /* Not of this arm. More seeds, more arms, other limits are no change, nor is their going away. */
  assert_int_equal(commit(HEAD "arms: {a: {optim.clip: 2}, b: {optim.lr: 0.25}}\n", SIZE_MAX), AD_OK);
  assert_int_equal(
      commit(
          "study: {dir: plan}\nbase: {file: base.yaml, run.time_limit: 9}\naxes: {seed.init: 0..5, seed.order: 0..1}\n"
          "arms: {b: {optim.lr: 0.25}, c: {}}\n",
          SIZE_MAX),
      AD_OK);
  assert_int_equal(commit(HEAD "arms: {a: {optim.clip: 2}, b: {optim.lr: 0.25}}\n", SIZE_MAX), AD_OK);
  /* The base or the data may be what changed. */
  expect_conflict(
      "study: {dir: plan}\nbase: {file: base.yaml, train.epochs: 7}\naxes: {seed.init: 0..2}\narms: {b: {optim.lr: "
      "0.25}}\n",
      "train.epochs 3, now it is 7");
  write_text("train.tsv", "b\tx\nb\ty\n");
  expect_conflict(HEAD "arms: {b: {optim.lr: 0.25}}\n", "with training data ");
  write_text("train.tsv", "a\tx\nb\ty\n");
  assert_int_equal(commit(HEAD "arms: {b: {optim.lr: 0.25}}\n", SIZE_MAX), AD_OK);
  write_text("plan/plan.json", "{\"format\": 3}");
  assert_int_equal(commit(HEAD, SIZE_MAX), AD_EINPUT);
  write_text("plan/plan.json", "{");
  assert_int_equal(commit(HEAD, SIZE_MAX), AD_EINPUT);
#undef HEAD
}

static void test_recall(void **state) {
  (void)state;
  struct ad_study s, known;
  static const char text[] =
      "study: {dir: recalled}\nbase: base.yaml\naxes: {seed.init: 0..2}\narms: {a: {}, b: {optim.lr: 0.5}}\n";
  assert_int_equal(commit(text, SIZE_MAX), AD_OK);
  assert_int_equal(read_study(&known, text), AD_OK);
  assert_int_equal(ad_study_identify(&known, "."), AD_OK);
  assert_int_equal(rename("train.tsv", "gone.tsv"), 0);
  assert_int_equal(
      read_study(
          &s, "study: {dir: recalled}\nbase: base.yaml\naxes: {seed.init: 0..2}\narms: {a: {}, b: {optim.lr: 0.25}}\n"),
      AD_OK);
  assert_int_equal(ad_study_recall(&s), AD_OK);
  for (size_t i = 0; i < 6; i++) {
    assert_true(s.cells[i].id == (i < 3 ? known.cells[i].id : 0));
  }
  ad_study_destroy(&s);
  ad_study_destroy(&known);
  assert_int_equal(read_study(&s, "study: {dir: nowhere}\nbase: base.yaml\n"), AD_OK);
  assert_int_equal(ad_study_recall(&s), AD_OK);
  assert_true(s.cells[0].id == 0);
  ad_study_destroy(&s);
  assert_int_equal(rename("gone.tsv", "train.tsv"), 0);
}

static void test_same_inputs(void **state) {
  (void)state;
  struct ad_study s;
  assert_int_equal(mkdir("twin", 0777), 0);
  write_text("twin/train.tsv", "a\tx\nb\ty\n");
  write_text("twin/dev.tsv", "a\tx\n");
  assert_int_equal(read_study(&s, "study: {dir: a}\nbase: base.yaml\naxes: {data.folder: [., twin]}\n"), AD_OK);
  assert_int_equal(ad_study_identify(&s, "."), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "their data and models have the same bytes"));
  ad_study_destroy(&s);
  assert_int_equal(read_study(&s, "study: {dir: a}\n"), AD_OK);
  assert_int_equal(ad_study_identify(&s, "."), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "data.descriptor"));
  ad_study_destroy(&s);
}

/* Every allocation fails once: an error, no crash, nothing lost. */
static void test_memory(void **state) {
  (void)state;
  static const char text[] =
      "study: {dir: memory}\nbase: base.yaml\naxes: {seed.init: 0..1, optim.lr: [1, 2]}\narms: {a: {}, b: {optim.clip: "
      "2}}\n";
  write_text("s.yaml", text);
  int failed = 1;
  for (unsigned long n = 1; failed; n++) {
    struct ad_study s = {0};
    const size_t before = ad_memory_stats().live_blocks;
    ad_memory_fail_at(n);
    int status = ad_study_read(&s, "s.yaml");
    status = status == AD_OK ? ad_study_identify(&s, ".") : status;
    status = status == AD_OK ? ad_study_commit(&s) : status;
    status = status == AD_OK ? ad_study_recall(&s) : status;
    failed = status != AD_OK;
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    ad_study_destroy(&s);
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
}

/* 100 x 100 seeds: planned far faster than ten seconds, whatever the build. */
static void test_size(void **state) {
  (void)state;
  struct ad_study s;
  assert_int_equal(read_study(&s, "study: {dir: many}\nbase: base.yaml\naxes: {seed.init: 0..99, seed.order: 0..99}\n"),
                   AD_OK);
  assert_int_equal(ad_study_identify(&s, "."), AD_OK);
  assert_int_equal(ad_study_commit(&s), AD_OK);
  assert_int_equal(s.count, 10000);
  assert_int_equal(s.arm_count, 1);
  ad_study_destroy(&s);
  /* As many arms as cells. */
  assert_int_equal(
      read_study(&s, "study: {dir: arms}\nbase: base.yaml\naxes: {train.epochs: 1..100, teacher.window: 1..100}\n"),
      AD_OK);
  assert_int_equal(ad_study_identify(&s, "."), AD_OK);
  assert_int_equal(ad_study_commit(&s), AD_OK);
  assert_int_equal(s.arm_count, 10000);
  assert_int_equal(ad_study_recall(&s), AD_OK);
  ad_study_destroy(&s);
}

static const char with_analysis[] =
    "study: {dir: registered, analysis: {arms: [sda], tests: [mean, part], margin: 0.01, seeds: 4, looks: [2, 4]}}\n"
    "base: base.yaml\naxes: {seed.init: 0..3}\narms: {plain: {}, sda: {teacher: {method: sda}}}\n";

static void test_analysis(void **state) {
  (void)state;
  struct ad_study s;
  assert_int_equal(read_study(&s, with_analysis), AD_OK);
  assert_true(s.analysis.present && s.analysis.margin == 0.01 && s.analysis.alpha == 0.05 && s.analysis.seeds == 4);
  assert_true(s.analysis.look_count == 2 && s.analysis.looks[0] == 2 && isnan(s.analysis.ratio_margin));
  assert_true(s.analysis.test[AD_ANALYSIS_MEAN] && !s.analysis.test[AD_ANALYSIS_SPREAD]);
  assert_true(!ad_study_is_primary(&s, 0) && ad_study_is_primary(&s, 1));
  assert_string_equal(s.analysis.text[AD_ANALYSIS_RESULT], "dev.error");
  assert_string_equal(s.analysis.text[AD_ANALYSIS_ARMS], "sda");
  ad_study_destroy(&s);
  static const char *const bad[][2] = {
      {"arms: [sda], seeds: 4", "study.analysis.tests is missing"},
      {"arms: [plain], tests: mean, seeds: 4", "names 'plain', expected arms of the study, not the first"},
      {"arms: sda, tests: median, seeds: 4", "expected mean, spread, part"},
      {"arms: sda, tests: mean, seeds: 4, looks: [2, 2, 4]", "that ascend"},
      {"arms: sda, tests: mean, seeds: 4, looks: [2, 3]", "the last of study.analysis.looks is 3"},
      {"arms: sda, tests: mean, seeds: 4, alpha: 2", "a number between 0 and 0.5"},
      {"arms: sda, tests: mean, seeds: 4, result: test.error", "the study of dev.error"},
      {"arms: sda, tests: mean, seeds: 4, exclusions: bad", "these have no score"},
      {"arms: {a: b}, tests: mean, seeds: 4", "expected a value or a list of values"},
      {"arm: sda", "unknown key 'study.analysis.arm'"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[400];
    snprintf(text, sizeof text,
             "study: {dir: x, analysis: {%s}}\nbase: base.yaml\naxes: {seed.init: 0..3}\n"
             "arms: {plain: {}, sda: {teacher: {method: sda}}}\n",
             bad[i][0]);
    expect_refusal(text, AD_ECONFIG, bad[i][1]);
  }
}

/* Reads the study with the margin that `text` has in place of 0.01, and brings the plan up to date. */
static void commit_margin(struct ad_study *s, const char *margin) {
  char text[600], *at;
  snprintf(text, sizeof text, "%s", with_analysis);
  at = strstr(text, "0.01");
  memcpy(at, margin, 4);
  assert_int_equal(read_study(s, text), AD_OK);
  assert_int_equal(ad_study_identify(s, "."), AD_OK);
  assert_int_equal(ad_study_commit(s), AD_OK);
  assert_int_equal(ad_study_recall(s), AD_OK);
}

/* The analysis may change until the first cell is begun; then the plan keeps it. */
static void test_registered(void **state) {
  (void)state;
  struct ad_study s;
  commit_margin(&s, "0.01");
  const uint64_t first = ad_study_analysis_digest(s.analysis.planned);
  assert_true(s.analysis.registered && first == ad_study_analysis_digest(s.analysis.text));
  ad_study_destroy(&s);
  commit_margin(&s, "0.02");
  assert_string_equal(s.analysis.planned[AD_ANALYSIS_MARGIN], "0.02");
  ad_study_destroy(&s);
  /* A record is enough: run folders may have been deleted. */
  assert_int_equal(mkdir("registered/records", 0777), 0);
  write_text("registered/records/a.jsonl", "{\"cell\":\"0000000000000001\"}\n");
  commit_margin(&s, "0.03");
  assert_string_equal(s.analysis.planned[AD_ANALYSIS_MARGIN], "0.02");
  assert_true(ad_study_analysis_digest(s.analysis.planned) != ad_study_analysis_digest(s.analysis.text));
  ad_study_destroy(&s);
}

int main(void) {
  ad_log_set_level(AD_LOG_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_analysis), cmocka_unit_test(test_registered),    cmocka_unit_test(test_crossed),
      cmocka_unit_test(test_compute),  cmocka_unit_test(test_configuration), cmocka_unit_test(test_identity),
      cmocka_unit_test(test_designs),  cmocka_unit_test(test_refusals),      cmocka_unit_test(test_plan),
      cmocka_unit_test(test_recall),   cmocka_unit_test(test_same_inputs),   cmocka_unit_test(test_memory),
      cmocka_unit_test(test_size),
  };
  return cmocka_run_group_tests(tests, enter, scratch_leave);
}
