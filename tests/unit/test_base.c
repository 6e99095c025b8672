/* Status, memory, buffers, files, random numbers. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <xxhash.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/guard.h"
#include "autodidact/base/machine.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "base/digest_wide.h"

static void test_status_table(void **state) {
  (void)state;
  assert_string_equal(ad_status_name(AD_EINPUT), "AD_EINPUT");
  assert_string_equal(ad_status_text(12345), "unknown status");
  assert_int_equal(ad_status_exit_code(AD_OK), 0);
  assert_int_equal(ad_status_exit_code(AD_ECONFIG), 1);
  assert_int_equal(ad_status_exit_code(AD_ENOMEM), 2);
  assert_int_equal(ad_status_exit_code(AD_EDIVERGED), 3);
  assert_int_equal(ad_status_exit_code(AD_ESTOPPED), 75);
}

static void test_messages(void **state) {
  (void)state;
  assert_int_equal(ad_fail(AD_EINPUT, "line %d", 7), AD_EINPUT);
  assert_int_equal(ad_fail_prefix(AD_EINPUT, "%s", "file"), AD_EINPUT);
  assert_string_equal(ad_error_message(), "file: line 7");
  char longer[5000];
  memset(longer, 'x', sizeof longer);
  longer[sizeof longer - 1] = '\0';
  ad_fail(AD_EIO, "%s", longer);
  assert_true(strlen(ad_error_message()) < 2001);
  ad_fail_prefix(AD_EIO, "%s", longer);
  assert_true(strlen(ad_error_message()) < 2001);
  ad_error_clear();
  assert_string_equal(ad_error_message(), "");
}

static void test_memory(void **state) {
  (void)state;
  const struct ad_memory_stats before = ad_memory_stats();
  assert_null(ad_malloc(SIZE_MAX / 2, 3));
  char *block = ad_calloc(10, 3);
  assert_non_null(block);
  assert_int_equal((uintptr_t)block % 64, 0);
  block[29] = 5;
  block = ad_realloc(block, 100, 30);
  assert_int_equal(block[29], 5);
  ad_memory_fail_at(1);
  assert_null(ad_malloc(1, 1));
  void *array = NULL;
  size_t capacity = 0;
  ad_memory_fail_at(1);
  assert_int_equal(ad_reserve(&array, &capacity, 5, 8), AD_ENOMEM);
  assert_null(array);
  assert_int_equal(ad_reserve(&array, &capacity, 5, 8), AD_OK);
  assert_true(capacity >= 5);
  ad_free(array);
  ad_free(block);
  ad_free(NULL);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
  assert_int_equal(ad_memory_stats().live_bytes, before.live_bytes);
}

static void test_arena(void **state) {
  (void)state;
  struct ad_arena arena;
  assert_int_equal(ad_arena_create(&arena, 256), AD_OK);
  char *first = ad_arena_take(&arena, 1);
  const size_t mark = ad_arena_mark(&arena);
  char *second = ad_arena_take(&arena, 100);
  assert_int_equal(second - first, 64);
  assert_null(ad_arena_take(&arena, 65));
  ad_arena_release(&arena, mark);
  assert_ptr_equal(ad_arena_take(&arena, 192), second);
  ad_arena_destroy(&arena);
}

static void test_files(void **state) {
  (void)state;
  struct ad_buffer buffer = {0};
  assert_int_equal(ad_make_folders("test_base_folder/a/b"), AD_OK);
  assert_true(ad_is_folder("test_base_folder/a/b"));
  assert_int_equal(ad_file_write("test_base_folder/a/b/c", "hello", 5), AD_OK);
  assert_int_equal(ad_file_read("test_base_folder/a/b/c", &buffer), AD_OK);
  assert_string_equal(buffer.data, "hello");
  uint64_t digest;
  assert_int_equal(ad_digest_file("test_base_folder/a/b/c", &digest), AD_OK);
  assert_true(digest == ad_digest("hello", 5));
  assert_int_equal(ad_file_read("test_base_folder/none", &buffer), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "test_base_folder/none"));
  assert_int_equal(ad_file_read("test_base_folder", &buffer), AD_EINPUT);
  assert_int_equal(ad_file_write("test_base_folder/none/x", "", 0), AD_EIO);
  assert_int_equal(ad_make_folders("test_base_folder/a/b/c/d"), AD_EIO);
  ad_buffer_destroy(&buffer);
}

/* A file of several pieces has the digest of its bytes. */
static void test_large_file(void **state) {
  (void)state;
  const size_t sizes[] = {1 << 20, (1 << 20) + 1, (3 << 20) + 12345};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    unsigned char *data = malloc(sizes[i]);
    uint64_t digest;
    assert_non_null(data);
    for (size_t k = 0; k < sizes[i]; k++) {
      data[k] = (unsigned char)(k * 2654435761u >> 13);
    }
    assert_int_equal(ad_file_write("test_base_large", data, sizes[i]), AD_OK);
    assert_int_equal(ad_digest_file("test_base_large", &digest), AD_OK);
    assert_true(digest == XXH3_64bits(data, sizes[i]));
    free(data);
  }
}

static void test_machine(void **state) {
  (void)state;
  assert_non_null(strstr(ad_machine_os(), ", Linux "));
  assert_true(ad_machine_cores() >= 1);
  assert_true((long)ad_machine_cores() <= sysconf(_SC_NPROCESSORS_CONF));
}

static void expect_file(const char *path, const char *content) {
  struct ad_buffer found = {0};
  assert_int_equal(ad_file_read(path, &found), AD_OK);
  assert_string_equal(found.data, content);
  ad_buffer_destroy(&found);
}

/* Whole or not at all: what failed on the way leaves the file as it was. */
static void test_pieces(void **state) {
  (void)state;
  struct ad_file_out out;
  assert_int_equal(ad_make_folders("test_base_folder"), AD_OK);
  unlink("test_base_folder/pieces"); /* of a run before */
  assert_int_equal(ad_file_begin(&out, "test_base_folder/pieces"), AD_OK);
  assert_int_equal(ad_file_add(&out, "ab", 2), AD_OK);
  assert_false(ad_is_file("test_base_folder/pieces"));
  assert_int_equal(ad_file_add(&out, "c", 1), AD_OK);
  assert_int_equal(ad_file_end(&out, AD_OK), AD_OK);
  expect_file("test_base_folder/pieces", "abc");
  assert_int_equal(ad_file_begin(&out, "test_base_folder/pieces"), AD_OK);
  assert_int_equal(ad_file_add(&out, "xyz", 3), AD_OK);
  assert_int_equal(ad_file_end(&out, AD_EINPUT), AD_EINPUT);
  expect_file("test_base_folder/pieces", "abc");
  assert_int_equal(ad_file_begin(&out, "test_base_folder/none/x"), AD_EIO);
  assert_non_null(strstr(ad_error_message(), "test_base_folder/none/x.partial"));
  assert_int_equal(ad_file_end(&out, AD_EIO), AD_EIO);
  assert_false(ad_is_file("test_base_folder/pieces.partial"));
}

/* What is no regular file is refused by name and not waited for: nobody writes into these. */
static void test_no_files(void **state) {
  (void)state;
  static const struct {
    const char *path, *kind;
  } cases[] = {{"test_base_folder/fifo", "a pipe"},
               {"test_base_folder/socket", "a socket"},
               {"test_base_folder", "a folder"},
               {"/dev/zero", "a device"}};
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "test_base_folder/socket"};
  const int end = socket(AF_UNIX, SOCK_STREAM, 0);
  unlink(address.sun_path);
  unlink(cases[0].path);
  assert_int_equal(mkfifo(cases[0].path, 0600), 0);
  assert_int_equal(bind(end, (const struct sockaddr *)&address, sizeof address), 0);
  alarm(20); /* not for ever, where it waits */
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_file_map map;
    FILE *file;
    assert_int_equal(ad_file_map(cases[i].path, &map), AD_EINPUT);
    assert_non_null(strstr(ad_error_message(), cases[i].path));
    assert_non_null(strstr(ad_error_message(), cases[i].kind));
    assert_int_equal(ad_file_stream(cases[i].path, &file), AD_EINPUT);
    assert_non_null(strstr(ad_error_message(), cases[i].kind));
    assert_int_equal(ad_file_check(cases[i].path), AD_EINPUT);
  }
  alarm(0);
  close(end);
}

/* A pipe that the process holds is read to its end, as a shell's <(...) gives one. */
static void test_pipe(void **state) {
  (void)state;
  enum { N = 200000 };
  int ends[2];
  char path[40], *text = malloc(N);
  assert_int_equal(pipe(ends), 0);
  for (size_t i = 0; i < N; i++) {
    text[i] = (char)('a' + i * 7 % 26);
  }
  const pid_t writer = fork();
  if (writer == 0) {
    close(ends[0]);
    _exit(write(ends[1], text, N) == N ? 0 : 1);
  }
  close(ends[1]);
  snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
  struct ad_file_map map;
  assert_int_equal(ad_file_map(path, &map), AD_OK);
  assert_int_equal(map.size, N);
  assert_memory_equal(map.data, text, N);
  ad_file_unmap(&map);
  assert_int_equal(ad_file_map(path, &map), AD_OK);
  assert_int_equal(map.size, 0);
  ad_file_unmap(&map);
  assert_int_equal(waitpid(writer, NULL, 0), writer);
  close(ends[0]);
  free(text);
}

static int crash(void *context) {
  return raise(*(const int *)context);
}

/* More than a child may have, though the machine has it. */
static int take_much(void *context) {
  void *room = ad_malloc((size_t)3 << 29, 1);
  (void)context;
  const int status = room == NULL ? AD_ENOMEM : AD_OK;
  ad_free(room);
  return status;
}

static int answer(void *context) {
  return *(const int *)context == 0 ? AD_OK : ad_fail(AD_EINPUT, "number %d", *(const int *)context);
}

static void test_guard(void **state) {
  (void)state;
  static const int numbers[] = {SIGSEGV, SIGABRT, SIGKILL};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    int number = numbers[i];
    assert_int_equal(ad_guard("some/file", crash, &number), AD_EINPUT);
    assert_non_null(strstr(ad_error_message(), "some/file: damaged: "));
  }
  int number = 0;
  assert_int_equal(ad_guard("some/file", answer, &number), AD_OK);
  number = 7;
  assert_int_equal(ad_guard("some/file", answer, &number), AD_EINPUT);
  assert_string_equal(ad_error_message(), "number 7");
  assert_true(ad_guard("some/file", take_much, NULL) != AD_OK);
}

/* Writing in the place of a link does not write where it leads; a link to a folder is no folder to be removed. */
static void test_links(void **state) {
  (void)state;
  struct ad_buffer buffer = {0};
  assert_int_equal(system("rm -rf test_base_links"), 0);
  assert_int_equal(ad_make_folders("test_base_links/kept"), AD_OK);
  assert_int_equal(ad_file_write("test_base_links/kept/file", "mine", 4), AD_OK);
  assert_int_equal(symlink("kept/file", "test_base_links/new.partial"), 0);
  assert_int_equal(ad_file_write("test_base_links/new", "other", 5), AD_OK);
  assert_int_equal(symlink("kept", "test_base_links/folder"), 0);
  assert_int_equal(ad_remove_folder("test_base_links/folder"), AD_EIO);
  assert_int_equal(ad_file_read("test_base_links/kept/file", &buffer), AD_OK);
  assert_int_equal(ad_file_read("test_base_links/new", &buffer), AD_OK);
  assert_string_equal(buffer.data, "mineother");
  ad_buffer_destroy(&buffer);
}

static void test_inside(void **state) {
  (void)state;
  assert_int_equal(system("rm -rf test_base_inside"), 0);
  assert_int_equal(ad_make_folders("test_base_inside/a/b"), AD_OK);
  assert_int_equal(ad_make_folders("test_base_inside/ab"), AD_OK);
  assert_int_equal(symlink("../a/b", "test_base_inside/ab/link"), 0);
  assert_int_equal(symlink(".", "test_base_inside/here"), 0);
  static const struct {
    const char *path, *folder;
    int inside;
  } cases[] = {{"a/b", "a", 1},     {"a", "a", 1},        {"a", "a/b", 0},       {"ab", "a", 0},
               {"ab/link", "a", 1}, {"ab/link", "ab", 0}, {"a/b", "ab/link", 1}, {"here/a", "here/here", 1},
               {"a/../ab", "a", 0}, {"none", ".", 0},     {"a", "none", 0},      {"a/b/", "here/a/", 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[100], of[100];
    snprintf(path, sizeof path, "test_base_inside/%s", cases[i].path);
    snprintf(of, sizeof of, "test_base_inside/%s", cases[i].folder);
    assert_int_equal(ad_is_inside(path, of), cases[i].inside);
  }
  assert_true(ad_is_inside("test_base_inside", ".") && ad_is_inside(".", "/") && !ad_is_inside("/", "."));
}

/* Every instruction set's XXH3 is the library's, at each length where it takes another way; and that one is the
 * standard's: the digest of nothing, as its
 * reference implementation's table of answers has it (xxHash, XSUM_XXH3_testdata). */
static void test_digests(void **state) {
  (void)state;
  enum { MOST = 70000 };
  digest_function *functions[DIGEST_FUNCTIONS];
  const size_t count = ad__digest_functions(functions);
  const size_t lengths[] = {0,   1,   3,    4,    8,    9,    16,    17,    128,     129,
                            240, 241, 1023, 1024, 1025, 1536, 16384, 65535, MOST - 1};
  const uint64_t keys[] = {0, 1, 4096, UINT64_MAX};
  unsigned char *bytes = malloc(MOST);
  for (size_t i = 0; i < MOST; i++) {
    bytes[i] = (unsigned char)(i * 2654435761u >> 13);
  }
  assert_true(count >= 1 && count <= DIGEST_FUNCTIONS);
  for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
    const unsigned char *data = bytes + l % 2; /* unaligned too */
    for (size_t k = 0; k < 4; k++) {
      assert_true(ad_digest_keyed(keys[k], data, lengths[l]) == XXH3_64bits_withSeed(data, lengths[l], keys[k]));
    }
    assert_true(ad_digest(data, lengths[l]) == XXH3_64bits(data, lengths[l]));
    for (size_t m = 1; m < sizeof lengths / sizeof *lengths; m++) {
      const size_t block = lengths[m];
      uint64_t sum = 0;
      for (size_t at = 0, i = 0; at < lengths[l]; at += block, i++) {
        sum += XXH3_64bits_withSeed(data + at, lengths[l] - at < block ? lengths[l] - at : block, 77 + 5 * i);
      }
      for (size_t f = 0; f < count; f++) {
        assert_true(functions[f](77, 5, data, lengths[l], block) == sum);
      }
      assert_true(ad_digest_blocks(77, 5, data, lengths[l], block) == sum);
    }
  }
  assert_true(ad_digest("", 0) == 0x2D06800538D394C2u);
  free(bytes);
}

/* Known answers of the Random123 distribution (kat_vectors, philox4x32 with 10 rounds). */
static void test_philox(void **state) {
  (void)state;
  const uint32_t zero[4] = {0, 0, 0, 0};
  const uint32_t ones[4] = {0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu};
  const uint32_t expected_zero[4] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
  const uint32_t expected_ones[4] = {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu};
  uint32_t out[4];
  ad_philox(zero, zero, out);
  assert_memory_equal(out, expected_zero, sizeof out);
  ad_philox(ones, ones, out);
  assert_memory_equal(out, expected_ones, sizeof out);
}

static void test_permutation(void **state) {
  (void)state;
  enum { N = 1000 };
  uint32_t order[N], again[N], other[N];
  int seen[N] = {0};
  ad_random_permutation(7, AD_STREAM_ORDER, 0, N, order);
  ad_random_permutation(7, AD_STREAM_ORDER, 0, N, again);
  ad_random_permutation(7, AD_STREAM_ORDER, 1, N, other);
  assert_memory_equal(order, again, sizeof order);
  assert_memory_not_equal(order, other, sizeof order);
  for (int i = 0; i < N; i++) {
    assert_true(order[i] < N);
    seen[order[i]]++;
  }
  for (int i = 0; i < N; i++) {
    assert_int_equal(seen[i], 1);
  }
}

static void test_normal_moments(void **state) {
  (void)state;
  double sum = 0.0, squares = 0.0;
  enum { N = 100000 };
  for (uint64_t i = 0; i < N; i++) {
    const double x = ad_random_normal(1, AD_STREAM_TEST, 0, i);
    sum += x;
    squares += x * x;
  }
  /* Five standard errors. */
  assert_true(sum / N < 5.0 / 316.0 && sum / N > -5.0 / 316.0);
  assert_true(squares / N < 1.0 + 5.0 * 0.00447 && squares / N > 1.0 - 5.0 * 0.00447);
}

/* Widths by Unicode's EastAsianWidth: Hangul, Kanji and fullwidth forms two columns, accents none. */
static void test_width(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t width;
  } cases[] = {{"", 0},
               {"abc", 3},
               {"\xC3\xA4", 1},                             /* a letter of two bytes */
               {"a\xCC\x88", 1},                            /* the same in two characters */
               {"\xEA\xB8\x8D\xEC\xA0\x95", 4},             /* geungjeong, positive */
               {"\xE6\xBC\xA2", 2},                         /* a Kanji */
               {"\xEF\xBC\xA1", 2},                         /* a fullwidth A */
               {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", 2}, /* han, as three letters */
               {"\xF0\x9F\x99\x82", 2},                     /* an emoji */
               {"x\xFFy\xE3", 4}};                          /* no UTF-8 */
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const size_t width = ad_text_width(cases[i].text, strlen(cases[i].text));
    if (width != cases[i].width) {
      fail_msg("case %zu: %zu columns, expected %zu", i, width, cases[i].width);
    }
    assert_int_equal(ad_text_fill(cases[i].text, 5), 5 - cases[i].width);
    assert_int_equal(ad_text_fill(cases[i].text, 0), 0);
    assert_int_equal(ad_text_widest(3, cases[i].text), cases[i].width > 3 ? cases[i].width : 3);
  }
}

/* What is shown of texts that a terminal would obey, or that are no UTF-8; categories as Unicode has them. */
static void test_shown(void **state) {
  (void)state;
  static const struct {
    const char *text, *shown;
  } cases[] = {{"", ""},
               {"a \\ '\"%s", "a \\ '\"%s"},
               {"\x1b[2J\a\x7f", "\\x1b[2J\\x07\\x7f"},
               {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
               {"\xC2\x9B"
                "31m\xC2\xA0\xC2\xAD",
                "\\u009b31m\xC2\xA0\\u00ad"}, /* CSI in C1, a space, a soft hyphen */
               {"\xE2\x80\xAE\xE2\x81\xA6\xE2\x80\xA8\xEF\xBB\xBF", "\\u202e\\u2066\\u2028\\ufeff"},
               {"\xF3\xA0\x81\x81\xEF\xBF\xBE", "\\U000e0041\\ufffe"},
               {"\xED\x95\x9C e\xCC\x81 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB", /* Hangul, an accent, an emoji */
                "\xED\x95\x9C e\xCC\x81 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"},
               {"\x9B\xED\xA0\x80\xC0\x9B\xE3\x81", "\\x9b\\xed\\xa0\\x80\\xc0\\x9b\\xe3\\x81"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *text = cases[i].text, *shown = ad_shown(text);
    struct ad_buffer whole = {0};
    char out[6] = "";
    assert_string_equal(shown, cases[i].shown);
    assert_ptr_equal(ad_shown(shown), shown); /* a second time changes nothing */
    assert_int_equal(shown == text, strcmp(text, shown) == 0);
    assert_int_equal(ad_escape_append(&whole, text, strlen(text)), AD_OK);
    assert_string_equal(whole.data == NULL ? "" : whole.data, cases[i].shown);
    const size_t length = ad_escape(text, strlen(text), out, sizeof out);
    assert_true(length == strlen(out) && length < sizeof out && strncmp(out, shown, length) == 0);
    ad_buffer_destroy(&whole);
  }
  char out[6];
  assert_int_equal(ad_escape("ab\x1b", 3, out, sizeof out), 2); /* not half of an escape */
  assert_int_equal(ad_escape("\0a", 2, out, sizeof out), 5);
  assert_string_equal(out, "\\x00a");
  assert_string_equal(ad_shown(NULL), "");
  ad_fail(AD_EINPUT, "class '%s'", "\x1b[31m\n");
  assert_string_equal(ad_error_message(), "class '\\x1b[31m\\n'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_status_table),   cmocka_unit_test(test_messages), cmocka_unit_test(test_memory),
      cmocka_unit_test(test_arena),          cmocka_unit_test(test_files),    cmocka_unit_test(test_large_file),
      cmocka_unit_test(test_machine),        cmocka_unit_test(test_no_files), cmocka_unit_test(test_pipe),
      cmocka_unit_test(test_guard),          cmocka_unit_test(test_links),    cmocka_unit_test(test_inside),
      cmocka_unit_test(test_digests),        cmocka_unit_test(test_philox),   cmocka_unit_test(test_permutation),
      cmocka_unit_test(test_normal_moments), cmocka_unit_test(test_width),    cmocka_unit_test(test_shown),
      cmocka_unit_test(test_pieces)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
