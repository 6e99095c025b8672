/* The list of a run's files: lines, torn ones, seals; what is foreign; removing without following links. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/ledger.h"
#include "support/scratch.h"

/* In place of the system's, so that a disk may be full: after so many bytes. */
static int full_after = -1;

ssize_t write(int fd, const void *data, size_t size) {
  if (full_after >= 0) {
    const size_t part = (size_t)full_after < size ? (size_t)full_after : size;
    const ssize_t written = part > 0 ? syscall(SYS_write, fd, data, part) : -1;
    full_after -= (int)part;
    errno = ENOSPC;
    return written;
  }
  return syscall(SYS_write, fd, data, size);
}

static void put(const char *path, const char *text) {
  assert_int_equal(ad_file_write(path, text, strlen(text)), AD_OK);
}

static void check_text(const char *path, const char *expected) {
  struct ad_buffer text = {0};
  assert_int_equal(ad_file_read(path, &text), AD_OK);
  assert_int_equal(ad_buffer_append(&text, "", 1), AD_OK);
  assert_string_equal(text.data, expected);
  ad_buffer_destroy(&text);
}

static void check_names(const struct ad_ledger *l, int which, const char *expected) {
  struct ad_ledger_names names;
  char text[500] = "";
  assert_int_equal(ad_ledger_list(l, which, &names), AD_OK);
  for (size_t i = 0; i < names.count; i++) {
    strcat(strcat(text, i > 0 ? " " : ""), names.items[i]);
  }
  assert_string_equal(text, expected);
  ad_ledger_names_destroy(&names);
}

static void test_lines(void **state) {
  (void)state;
  struct ad_ledger l;
  assert_int_equal(ad_make_folders("lines/model"), AD_OK);
  assert_int_equal(ad_ledger_open(&l, "lines"), AD_OK);
  assert_false(l.there);
  assert_int_equal(ad_ledger_record(&l, "log.jsonl"), AD_OK);
  assert_int_equal(ad_ledger_record(&l, "model/config.json"), AD_OK);
  assert_int_equal(ad_ledger_record(&l, "log.jsonl"), AD_OK);
  put("lines/log.jsonl", "rows");
  put("lines/model/config.json", "");
  assert_int_equal(ad_ledger_record(&l, "checkpoints/step-000000001.h5"), AD_OK);
  assert_int_equal(ad_ledger_record(&l, "logits/gone.h5"), AD_OK);
  assert_int_equal(ad_ledger_seal_all(&l, "checkpoints/"), AD_OK);
  assert_int_equal(ad_ledger_seal_text(&l, "result.json", "{}\n", 3), AD_OK);
  ad_ledger_close(&l);
  /* The digests are those of Python's xxhash.xxh3_64. */
  check_text("lines/files.jsonl",
             "{\"file\":\"log.jsonl\"}\n{\"file\":\"model/config.json\"}\n"
             "{\"file\":\"checkpoints/step-000000001.h5\"}\n{\"file\":\"logits/gone.h5\"}\n"
             "{\"file\":\"log.jsonl\",\"bytes\":4,\"xxh3\":\"896f249d4a4013ec\"}\n"
             "{\"file\":\"model/config.json\",\"bytes\":0,\"xxh3\":\"2d06800538d394c2\"}\n"
             "{\"file\":\"result.json\"}\n{\"file\":\"result.json\",\"bytes\":3,\"xxh3\":\"daa13e4f205dc5ba\"}\n");
  assert_int_equal(ad_ledger_open(&l, "lines"), AD_OK);
  assert_true(l.there && l.count == 5 && ad_ledger_find(&l, "log.jsonl")->sealed);
  assert_true(ad_ledger_find(&l, "model/config.json")->bytes == 0 && !ad_ledger_find(&l, "logits/gone.h5")->sealed);
  assert_null(ad_ledger_find(&l, "model"));
  /* To be made again: open once more. What was sealed and is gone is so, too. */
  assert_int_equal(ad_ledger_record(&l, "log.jsonl"), AD_OK);
  assert_false(ad_ledger_find(&l, "log.jsonl")->sealed);
  assert_int_equal(unlink("lines/model/config.json"), 0);
  assert_int_equal(ad_ledger_seal_all(&l, NULL), AD_OK);
  assert_true(ad_ledger_find(&l, "log.jsonl")->sealed && !ad_ledger_find(&l, "model/config.json")->sealed);
  /* A run that goes on after its end may change all its files. */
  assert_int_equal(ad_ledger_unseal(&l), AD_OK);
  assert_false(ad_ledger_find(&l, "log.jsonl")->sealed);
  ad_ledger_close(&l);
  assert_int_equal(ad_ledger_open(&l, "lines"), AD_OK);
  assert_true(l.count == 5 && !ad_ledger_find(&l, "log.jsonl")->sealed && !ad_ledger_find(&l, "result.json")->sealed);
  put("lines/logits", "in the way");
  assert_int_equal(ad_ledger_seal(&l, "logits/gone.h5"), AD_EINPUT);
  ad_ledger_close(&l);
  ad_ledger_close(&l);
}

/* A line whose end was lost is no line, and the next one takes its place. */
static void test_torn(void **state) {
  (void)state;
  struct ad_ledger l;
  assert_int_equal(ad_make_folders("torn"), AD_OK);
  put("torn/files.jsonl", "{\"file\":\"a\"}\n{\"file\":\"b");
  assert_int_equal(ad_ledger_open(&l, "torn"), AD_OK);
  assert_true(l.count == 1);
  assert_int_equal(ad_ledger_record(&l, "c"), AD_OK);
  check_text("torn/files.jsonl", "{\"file\":\"a\"}\n{\"file\":\"c\"}\n");
  /* A disk without room, at once and in the midst of a line: nothing is recorded. */
  for (int room = 0; room < 6; room += 5) {
    full_after = room;
    assert_int_equal(ad_ledger_record(&l, "d"), AD_EIO);
    assert_int_equal(errno, ENOSPC);
    assert_null(ad_ledger_find(&l, "d"));
  }
  full_after = -1;
  assert_int_equal(ad_ledger_record(&l, "e"), AD_OK);
  check_text("torn/files.jsonl", "{\"file\":\"a\"}\n{\"file\":\"c\"}\n{\"file\":\"e\"}\n");
  ad_ledger_close(&l);
}

static void test_not_a_list(void **state) {
  (void)state;
  static const char *const lines[] = {"my notes",
                                      "[]",
                                      "{}",
                                      "{\"file\":1}",
                                      "{\"file\":\"\"}",
                                      "{\"file\":\"/etc/passwd\"}",
                                      "{\"file\":\"..\"}",
                                      "{\"file\":\"a/../../b\"}",
                                      "{\"file\":\"a//b\"}",
                                      "{\"file\":\"a/\"}",
                                      "{\"file\":\"./a\"}",
                                      "{\"file\":\"files.jsonl\"}",
                                      "{\"file\":\"a.partial\"}",
                                      "{\"file\":\"a\\u0000b\"}",
                                      "{\"file\":\"a\\nb\"}",
                                      "{\"file\":\"a\",\"bytes\":-1,\"xxh3\":\"0123456789abcdef\"}",
                                      "{\"file\":\"a\",\"bytes\":1,\"xxh3\":\"0123\"}",
                                      "{\"file\":\"a\",\"xxh3\":\"0123456789abcdef\"}"};
  struct ad_ledger l;
  assert_int_equal(ad_make_folders("list"), AD_OK);
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    char text[200];
    snprintf(text, sizeof text, "{\"file\":\"good\"}\n%s\n", lines[i]);
    put("list/files.jsonl", text);
    assert_int_equal(ad_ledger_open(&l, "list"), AD_EINPUT);
    assert_non_null(strstr(ad_error_message(), "list/files.jsonl:2:"));
    ad_ledger_close(&l);
  }
  assert_int_equal(unlink("list/files.jsonl"), 0);
  assert_int_equal(symlink("../torn/files.jsonl", "list/files.jsonl"), 0);
  assert_int_equal(ad_ledger_open(&l, "list"), AD_EINPUT);
  ad_ledger_close(&l);
}

/* A run's folder with all that may be in it. */
static void make_tree(struct ad_ledger *l, const char *name) {
  static const char *const own[] = {"config.yaml",
                                    "log.jsonl",
                                    "model/config.json",
                                    "model/vocab.txt",
                                    "variants/run/config.json",
                                    "checkpoints/step-000000001.h5",
                                    "logits/dev.h5"};
  char path[200];
  assert_int_equal(ad_make_folders(name), AD_OK);
  assert_int_equal(ad_ledger_open(l, name), AD_OK);
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
    assert_int_equal(ad_ledger_record(l, own[i]), AD_OK);
    snprintf(path, sizeof path, "%s/%s", name, own[i]);
    *strrchr(path, '/') = '\0';
    assert_int_equal(ad_make_folders(path), AD_OK);
    snprintf(path, sizeof path, "%s/%s", name, own[i]);
    put(path, "x");
  }
  static const char *const passed[] = {"lease.3",     ".lease-host-17-0", "reviews-12.log", "a-b-12_3.log",
                                       "slurm-7.out", ".nfs0001",         "model/.nfs01"};
  static const char *const partial[] = {"log.jsonl.partial", "model.partial/vocab.txt.partial",
                                        "checkpoints/step-000000001.h5.partial"};
  for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
    snprintf(path, sizeof path, "%s/%s", name, passed[i]);
    put(path, "");
  }
  snprintf(path, sizeof path, "%s/model.partial", name);
  assert_int_equal(ad_make_folders(path), AD_OK);
  for (size_t i = 0; i < sizeof partial / sizeof *partial; i++) {
    snprintf(path, sizeof path, "%s/%s", name, partial[i]);
    put(path, "");
  }
}

static void test_foreign(void **state) {
  (void)state;
  static const char *const foreign[] = {
      "notes",   "model/notes", "model.json", ".git",    "model/lease.3", "checkpoints/a-12.log",         "train.log",
      "-12.log", "x-.log",      "x-_1.log",   "lease.x", "log.jsonl.bak", "checkpoints/step-000000002.h5"};
  struct ad_ledger l;
  char path[200];
  make_tree(&l, "tree");
  check_names(&l, AD_LEDGER_FOREIGN | AD_LEDGER_LINKS, "");
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    snprintf(path, sizeof path, "tree/%s", foreign[i]);
    put(path, "mine");
    check_names(&l, AD_LEDGER_FOREIGN, foreign[i]);
    assert_int_equal(ad_ledger_record(&l, foreign[i]), AD_EINPUT);
    assert_non_null(strstr(ad_error_message(), "is there already, and no run has made it"));
    assert_int_equal(unlink(path), 0);
  }
  assert_int_equal(ad_make_folders("tree/variants/mine/deep"), AD_OK);
  assert_int_equal(ad_make_folders("tree/log"), AD_OK);
  assert_int_equal(symlink("/", "tree/zlink"), 0);
  assert_int_equal(mkfifo("tree/pipe", 0600), 0);
  check_names(&l, AD_LEDGER_FOREIGN, "log/ pipe variants/mine/ zlink");
  check_names(&l, AD_LEDGER_LINKS, "");
  ad_ledger_close(&l);
  /* Without a list all is. */
  assert_int_equal(unlink("tree/files.jsonl"), 0);
  assert_int_equal(ad_ledger_open(&l, "tree"), AD_OK);
  check_names(
      &l, AD_LEDGER_FOREIGN,
      "checkpoints/ config.yaml log.jsonl log.jsonl.partial log/ logits/ model.partial/ model/ pipe variants/ zlink");
  ad_ledger_close(&l);
}

static void test_remove(void **state) {
  (void)state;
  struct ad_ledger l;
  make_tree(&l, "gone");
  assert_int_equal(ad_make_folders("target"), AD_OK);
  put("target/dev.h5", "mine");
  put("target/config.json", "mine");
  /* Links in the place of a folder, of a file, and of one that was being written. */
  assert_int_equal(unlink("gone/logits/dev.h5") | rmdir("gone/logits") | symlink("../target", "gone/logits"), 0);
  assert_int_equal(unlink("gone/model/config.json") | symlink("../../target/config.json", "gone/model/config.json"), 0);
  assert_int_equal(symlink("../target", "gone/variants.partial"), 0);
  check_names(&l, AD_LEDGER_LINKS, "logits model/config.json variants.partial");
  assert_int_equal(ad_ledger_record(&l, "logits/dev.h5"), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "gone/logits: a symbolic link"));
  assert_int_equal(ad_ledger_record(&l, "model/config.json"), AD_EINPUT);
  /* What was being written goes. */
  assert_int_equal(ad_ledger_remove_partial(&l), AD_OK);
  assert_false(ad_is_file("gone/log.jsonl.partial") || ad_is_folder("gone/model.partial"));
  assert_true(ad_is_file("gone/log.jsonl") && ad_is_file("gone/checkpoints/step-000000001.h5"));
  /* The checkpoints go, sealed or not; what somebody has put beside them stays. */
  assert_int_equal(ad_ledger_seal(&l, "checkpoints/step-000000001.h5"), AD_OK);
  put("gone/checkpoints/notes", "mine");
  assert_int_equal(ad_ledger_remove(&l, "checkpoints/"), AD_OK);
  assert_false(ad_is_file("gone/checkpoints/step-000000001.h5"));
  assert_false(ad_ledger_find(&l, "checkpoints/step-000000001.h5")->sealed);
  assert_true(ad_is_file("gone/checkpoints/notes") && ad_is_file("gone/log.jsonl"));
  assert_int_equal(ad_ledger_remove(&l, ""), AD_OK);
  assert_int_equal(l.count, 0);
  check_text("target/dev.h5", "mine");
  check_text("target/config.json", "mine");
  check_names(&l, AD_LEDGER_FOREIGN | AD_LEDGER_LINKS, "checkpoints/ model/");
  assert_false(ad_is_file("gone/files.jsonl") || ad_is_folder("gone/variants"));
  assert_true(ad_is_file("gone/model/.nfs01") && ad_is_file("gone/reviews-12.log"));
  assert_int_equal(ad_ledger_record(&l, "log.jsonl"), AD_OK);
  check_text("gone/files.jsonl", "{\"file\":\"log.jsonl\"}\n");
  ad_ledger_close(&l);
}

static void test_memory(void **state) {
  (void)state;
  int failed = 1;
  for (unsigned long n = 1; failed; n++) {
    struct ad_ledger l;
    struct ad_ledger_names names = {0};
    assert_int_equal(system("rm -rf memory && mkdir memory && echo '{\"file\":\"z\"}' >memory/files.jsonl && touch "
                            "memory/z memory/mine"),
                     0);
    const size_t before = ad_memory_stats().live_blocks;
    ad_memory_fail_at(n);
    int status = ad_ledger_open(&l, "memory");
    status = status == AD_OK ? ad_ledger_record(&l, "a") : status;
    status = status == AD_OK ? ad_ledger_seal_all(&l, NULL) : status;
    status = status == AD_OK ? ad_ledger_list(&l, AD_LEDGER_FOREIGN, &names) : status;
    status = status == AD_OK ? ad_ledger_remove(&l, "") : status;
    ad_memory_fail_at(0);
    failed = status != AD_OK;
    assert_true(status == AD_OK || status == AD_ENOMEM);
    ad_ledger_names_destroy(&names);
    ad_ledger_close(&l);
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
}

int main(void) {
  ad_log_set_level(AD_LOG_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines),   cmocka_unit_test(test_torn),   cmocka_unit_test(test_not_a_list),
      cmocka_unit_test(test_foreign), cmocka_unit_test(test_remove), cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
