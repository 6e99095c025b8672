/* Tokenised data kept on disk: the same data set as without, keyed by all it depends on, damage seen, many processes at
 * once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"

static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\ne\nf\n";
static const char other_vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nb\na\nc\nd\ne\nf\n";
static const char yaml[] =
    "title: T\nsource: S\nlicence: L\nclasses: [no, yes]\nlabels: {\"0\": no, \"1\": yes}\nformat: tsv\nheader: false\n"
    "columns: {text: 1, pair: 2, label: 3}\nskip: \"-\"\nempty: allow\nsplits: {train: {file: x}, dev: {file: x}}\n";
#define FOLDER "test_cache_folder"
static const struct ad_read_options plain = {.folder = FOLDER, .limit = 9, .labels = 1};
static const struct ad_read_options cached = {.folder = FOLDER, .limit = 9, .labels = 1, .cache = FOLDER "/made/here"};

static const char soft_yaml[] =
    "classes: [no, yes]\nformat: tsv\nheader: false\ncolumns: {text: 1, probabilities: [2, 3]}\n"
    "splits: {train: {file: y}}\n";

static struct ad_tokenizer *tokenizer;
static struct ad_descriptor descriptor;

static int set_up(void **state) {
  (void)state;
  static const char texts[] = "a b\tc\t1\nb\td\t-\na\tb c d e f a b c d e\t0\n\ta\t1\nf e d\tc b a\t0\n";
  if (system("rm -rf " FOLDER) != 0 || ad_make_folders(FOLDER) != AD_OK ||
      ad_file_write(FOLDER "/x", texts, sizeof texts - 1) != AD_OK ||
      ad_descriptor_parse(&descriptor, "name.yaml", yaml, sizeof yaml - 1) != AD_OK) {
    return -1;
  }
  return ad_tokenizer_create(&tokenizer, "tiny", vocabulary, sizeof vocabulary - 1, 0);
}

static int clean_up(void **state) {
  (void)state;
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&descriptor);
  return system("rm -rf " FOLDER);
}

static struct ad_dataset read_with(const struct ad_read_options *options) {
  struct ad_dataset set;
  if (ad_dataset_read(&set, &descriptor, AD_SPLIT_TRAIN, options, tokenizer) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  return set;
}

static int equal(const struct ad_dataset *a, const struct ad_dataset *b) {
  return a->count == b->count && a->longest == b->longest && a->truncated == b->truncated && a->skipped == b->skipped &&
         a->empty == b->empty && a->digest == b->digest && a->whole == b->whole &&
         memcmp(a->offset, b->offset, (a->count + 1) * sizeof *a->offset) == 0 &&
         memcmp(a->ids, b->ids, a->offset[a->count] * sizeof *a->ids) == 0 &&
         memcmp(a->first, b->first, a->count * sizeof *a->first) == 0 &&
         memcmp(a->label, b->label, a->count * sizeof *a->label) == 0;
}

/* Files in the cache; the last one's path in `path` [256]. */
static int count_files(char *path) {
  DIR *folder = opendir(cached.cache);
  int count = 0;
  for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
    if (entry->d_name[0] != '.') {
      count++;
      snprintf(path, 256, "%s/%.200s", cached.cache, entry->d_name);
    }
  }
  if (folder != NULL) {
    closedir(folder);
  }
  return count;
}

static void empty_cache(void) {
  assert_int_equal(ad_remove_folder(cached.cache), AD_OK);
}

static void test_same(void **state) {
  (void)state;
  char path[256];
  const size_t live = ad_memory_stats().live_blocks;
  struct ad_dataset without = read_with(&plain), first = read_with(&cached), second = read_with(&cached);
  assert_null(without.map.data);
  assert_non_null(first.map.data);
  assert_non_null(second.map.data);
  assert_true(equal(&without, &first) && equal(&without, &second));
  assert_true(without.truncated == 1 && without.skipped == 1 && without.empty == 1 && without.whole &&
              without.count == 4);
  assert_int_equal(count_files(path), 1);
  assert_string_equal(path + strlen(path) - 7, ".tokens");
  ad_dataset_destroy(&without);
  ad_dataset_destroy(&first);
  ad_dataset_destroy(&second);
  assert_int_equal(ad_memory_stats().live_blocks, live);
}

/* Labels that are probabilities are kept with the tokens. */
static void test_targets(void **state) {
  (void)state;
  static const char texts[] = "a b\t0.25\t0.75\nb\t1\t0\n";
  static const float expected[] = {0.25f, 0.75f, 1.0f, 0.0f};
  struct ad_descriptor soft;
  struct ad_dataset set;
  empty_cache();
  assert_int_equal(ad_file_write(FOLDER "/y", texts, sizeof texts - 1), AD_OK);
  assert_int_equal(ad_descriptor_parse(&soft, "soft.yaml", soft_yaml, sizeof soft_yaml - 1), AD_OK);
  for (int time = 0; time < 3; time++) {
    const size_t live = ad_memory_stats().live_blocks;
    assert_int_equal(ad_dataset_read(&set, &soft, AD_SPLIT_TRAIN, time == 0 ? &plain : &cached, tokenizer), AD_OK);
    assert_int_equal(set.map.data != NULL, time > 0);
    assert_true(set.count == 2 && set.label[0] == 1 && set.label[1] == 0);
    assert_memory_equal(set.targets, expected, sizeof expected);
    ad_dataset_destroy(&set);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  ad_descriptor_destroy(&soft);
}

/* Each thing that the tokens depend on makes another file; what is read is right. */
static void test_key(void **state) {
  (void)state;
  char path[256];
  empty_cache();
  struct ad_dataset set = read_with(&cached);
  ad_dataset_destroy(&set);
  struct ad_read_options options[7] = {cached, cached, cached, cached, cached, cached, cached};
  options[0].limit = 8;
  options[1].truncation = AD_TRUNCATE_HEAD_TAIL;
  options[2].rows = 2;
  options[3].per_class = 1;
  options[4].labels = 0;
  options[5].file = FOLDER "/x";
  options[6].labels = 0;
  options[6].every_row = 1;
  int files = 1;
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    struct ad_read_options bare = options[i];
    bare.cache = NULL;
    for (int again = 0; again < 2; again++) {
      struct ad_dataset kept = read_with(&options[i]), made = read_with(&bare);
      assert_true(equal(&kept, &made));
      ad_dataset_destroy(&kept);
      ad_dataset_destroy(&made);
    }
    assert_int_equal(count_files(path), ++files);
  }
  assert_int_equal(ad_dataset_read(&set, &descriptor, AD_SPLIT_DEV, &cached, tokenizer), AD_OK);
  ad_dataset_destroy(&set);
  assert_int_equal(count_files(path), ++files);

  struct ad_tokenizer *held = tokenizer;
  assert_int_equal(ad_tokenizer_create(&tokenizer, "other", other_vocabulary, sizeof other_vocabulary - 1, 0), AD_OK);
  set = read_with(&cached);
  assert_int_equal(set.ids[1], 5);
  ad_dataset_destroy(&set);
  ad_tokenizer_destroy(tokenizer);
  tokenizer = held;
  assert_int_equal(count_files(path), ++files);

  static const char texts[] = "b b\tc\t1\nb\td\t0\n";
  struct ad_buffer kept = {0};
  assert_int_equal(ad_file_read(FOLDER "/x", &kept), AD_OK);
  assert_int_equal(ad_file_write(FOLDER "/x", texts, sizeof texts - 1), AD_OK);
  set = read_with(&cached);
  assert_true(set.count == 2 && set.ids[1] == 5);
  ad_dataset_destroy(&set);
  assert_int_equal(ad_file_write(FOLDER "/x", kept.data, kept.size), AD_OK);
  ad_buffer_destroy(&kept);
  assert_int_equal(count_files(path), ++files);
}

/* One bit changed in any byte of header and key, or in some of the arrays' (each write is synced), a file cut short or
 * grown, and another key's file under this name: made again, and whole.
 */
static void test_damage(void **state) {
  (void)state;
  char path[256];
  struct ad_buffer whole = {0}, now = {0};
  empty_cache();
  struct ad_dataset made = read_with(&plain), set = read_with(&cached);
  ad_dataset_destroy(&set);
  assert_int_equal(count_files(path), 1);
  assert_int_equal(ad_file_read(path, &whole), AD_OK);
  ad_log_mute(1);
  for (size_t i = 0; i <= whole.size + 3; i++) {
    if (i > 100 && i < whole.size && i % 7 != 0) {
      continue;
    }
    const size_t size = i < whole.size ? whole.size : i == whole.size ? 0 : i == whole.size + 1 ? 50 : whole.size - 4;
    if (i < whole.size) {
      whole.data[i] ^= 0x10;
    }
    assert_int_equal(ad_file_write(path, whole.data, size), AD_OK);
    if (i < whole.size) {
      whole.data[i] ^= 0x10;
    }
    set = read_with(&cached);
    assert_true(equal(&set, &made));
    ad_dataset_destroy(&set);
    ad_buffer_clear(&now);
    assert_int_equal(ad_file_read(path, &now), AD_OK);
    /* Padding behind the key may be damaged without harm; then the file stays as it is. */
    const int padding = i >= 80 && i < whole.size && whole.data[i] == 0 && now.data[i] == 0x10;
    now.data[i < whole.size ? i : 0] ^= padding ? 0x10 : 0;
    assert_true(now.size == whole.size && memcmp(now.data, whole.data, now.size) == 0);
  }
  ad_log_mute(0);
  ad_buffer_destroy(&whole);
  ad_buffer_destroy(&now);
  ad_dataset_destroy(&made);
}

static void test_other_key(void **state) {
  (void)state;
  char path[256], other[256];
  struct ad_read_options options = cached;
  options.limit = 8;
  empty_cache();
  struct ad_dataset set = read_with(&options);
  ad_dataset_destroy(&set);
  assert_int_equal(count_files(other), 1);
  struct ad_buffer bytes = {0};
  assert_int_equal(ad_file_read(other, &bytes), AD_OK);
  empty_cache();
  set = read_with(&cached);
  ad_dataset_destroy(&set);
  assert_int_equal(count_files(path), 1);
  assert_int_equal(ad_file_write(path, bytes.data, bytes.size), AD_OK);
  ad_log_mute(1);
  set = read_with(&cached);
  ad_log_mute(0);
  assert_int_equal(set.longest, 9);
  ad_dataset_destroy(&set);
  ad_buffer_destroy(&bytes);
}

/* Many processes, none of which waits for another and each of which takes the file away: all have the same, one file
 * stays. */
static void test_many(void **state) {
  (void)state;
  enum { PROCESSES = 8, TIMES = 6 };
  char path[256];
  pid_t children[PROCESSES];
  empty_cache();
  struct ad_dataset one = read_with(&cached);
  ad_dataset_destroy(&one);
  assert_int_equal(count_files(path), 1);
  ad_log_mute(1); /* of a file that goes between two looks at it */
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      struct ad_dataset made = read_with(&plain);
      int good = 1;
      for (int time = 0; time < TIMES; time++) {
        unlink(path);
        struct ad_dataset set = read_with(&cached);
        good = good && equal(&set, &made);
        ad_dataset_destroy(&set);
      }
      ad_dataset_destroy(&made);
      _exit(good ? 0 : 1);
    }
  }
  for (int i = 0; i < PROCESSES; i++) {
    int status;
    assert_int_equal(waitpid(children[i], &status, 0), children[i]);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  ad_log_mute(0);
  assert_int_equal(count_files(path), 1);
}

/* The inode of the file of tokens that this process maps; 0: none, or one that has lost its name. */
static unsigned long mapped_inode(void) {
  char line[512];
  unsigned long inode = 0, found = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    if (strstr(line, ".tokens") != NULL && strstr(line, "(deleted)") == NULL &&
        sscanf(line, "%*s %*s %*s %*s %lu", &inode) == 1) {
      found = inode;
    }
  }
  if (maps != NULL) {
    fclose(maps);
  }
  return found;
}

/* Processes that find no file and make it at once: all map the same one in the end, so that its pages are there once.
 */
static void test_one_file(void **state) {
  (void)state;
  enum { PROCESSES = 8 };
  char path[256], byte = 0;
  int go[2], told[2];
  pid_t children[PROCESSES];
  struct stat info;
  empty_cache();
  assert_true(pipe(go) == 0 && pipe(told) == 0);
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      close(go[1]);
      const int started = read(go[0], &byte, 1) == 0; /* when the parent closes it */
      struct ad_dataset set = read_with(&cached);
      usleep(300000); /* until the last one is done */
      const unsigned long inode = mapped_inode();
      const int written = write(told[1], &inode, sizeof inode) == sizeof inode;
      ad_dataset_destroy(&set);
      _exit(started && written ? 0 : 1);
    }
  }
  close(go[0]);
  close(go[1]);
  for (int i = 0; i < PROCESSES; i++) {
    int status;
    assert_int_equal(waitpid(children[i], &status, 0), children[i]);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  assert_int_equal(count_files(path), 1);
  assert_int_equal(stat(path, &info), 0);
  for (int i = 0; i < PROCESSES; i++) {
    unsigned long inode = 0;
    assert_int_equal(read(told[0], &inode, sizeof inode), sizeof inode);
    assert_int_equal(inode, info.st_ino);
  }
  close(told[0]);
  close(told[1]);
}

/* A cache that cannot be is told, and the data are there all the same. */
static void test_impossible(void **state) {
  (void)state;
  struct ad_read_options options = cached;
  options.cache = FOLDER "/x/below";
  struct ad_dataset made = read_with(&plain);
  ad_log_mute(1);
  struct ad_dataset set = read_with(&options);
  ad_log_mute(0);
  assert_true(equal(&set, &made));
  assert_null(set.map.data);
  assert_string_equal(ad_error_message(), "");
  ad_dataset_destroy(&set);
  ad_dataset_destroy(&made);
}

/* Each allocation fails once: AD_ENOMEM, or the right data without a cache; nothing is lost. */
static void test_memory(void **state) {
  (void)state;
  struct ad_dataset made = read_with(&plain), set;
  int refused = 0;
  ad_log_mute(1);
  for (unsigned long n = 1, done = 0; !done; n++) {
    const size_t live = ad_memory_stats().live_blocks;
    empty_cache();
    ad_memory_fail_at(n);
    const int status = ad_dataset_read(&set, &descriptor, AD_SPLIT_TRAIN, &cached, tokenizer);
    done = ad_memory_stats().live_blocks == live && status == AD_OK && set.map.data != NULL && n > 60;
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      assert_true(equal(&set, &made));
      ad_dataset_destroy(&set);
    } else {
      assert_int_equal(status, AD_ENOMEM);
      refused++;
    }
    assert_int_equal(ad_memory_stats().live_blocks, live);
    assert_true(n < 1000);
  }
  ad_log_mute(0);
  assert_true(refused > 5);
  ad_dataset_destroy(&made);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same),     cmocka_unit_test(test_targets),    cmocka_unit_test(test_key),
      cmocka_unit_test(test_damage),   cmocka_unit_test(test_other_key),  cmocka_unit_test(test_many),
      cmocka_unit_test(test_one_file), cmocka_unit_test(test_impossible), cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, set_up, clean_up);
}
