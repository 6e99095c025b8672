/* Entries of tables, and files that gzip has packed. With commas and semicolons an entry is that of Python's
 * csv.writer; between TABs csv.reader gives the text back. The packed bytes are those of Python's gzip.compress(text,
 * mtime=0). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/delimited.h"
#include "autodidact/base/gzip.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

static void check(char delimiter, const char *text, const char *expected) {
  struct ad_buffer out = {0};
  assert_int_equal(ad_delimited_put(&out, delimiter, text, strlen(text)), AD_OK);
  assert_int_equal(out.size, strlen(expected));
  assert_memory_equal(out.size == 0 ? "" : out.data, expected, out.size);
  ad_buffer_destroy(&out);
}

static void test_entries(void **state) {
  (void)state;
  check(',', "", "");
  check(',', " plain; text\t", " plain; text\t");
  check(',', "a,b", "\"a,b\"");
  check(',', "\"", "\"\"\"\"");
  check(',', "say \"no\"", "\"say \"\"no\"\"\"");
  check(',', "two\nlines", "\"two\nlines\"");
  check(',', "two\rlines", "\"two\rlines\"");
  check(';', "a;b,c", "\"a;b,c\"");
  check('\t', "a,b \"c\"", "a,b \"c\"");
  check('\t', "\"c\" d", "\"\"\"c\"\" d\"");
  check('\t', "a\tb", "\"a\tb\"");
}

static const char FILE_NAME[] = "test_delimited.gz";
/* gzip.compress(b"good film\n", mtime=0) */
static const unsigned char PACKED[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                       0x4b, 0xcf, 0xcf, 0x4f, 0x51, 0x48, 0xcb, 0xcc, 0xc9, 0xe5,
                                       0x02, 0x00, 0x09, 0x12, 0xe2, 0x03, 0x0a, 0x00, 0x00, 0x00};

static void write_file(const void *data, size_t size, size_t times) {
  FILE *file = fopen(FILE_NAME, "wbe");
  assert_non_null(file);
  for (size_t i = 0; i < times; i++) {
    assert_int_equal(fwrite(data, 1, size, file), size);
  }
  assert_int_equal(fclose(file), 0);
}

static void expect(const char *text) {
  struct ad_file_map map;
  assert_int_equal(ad_text_map(FILE_NAME, &map), AD_OK);
  assert_int_equal(map.size, strlen(text));
  assert_memory_equal(map.data, text, map.size);
  ad_file_unmap(&map);
}

static void expect_failure(const char *part) {
  struct ad_file_map map;
  assert_int_equal(ad_text_map(FILE_NAME, &map), AD_EINPUT);
  if (strstr(ad_error_message(), part) == NULL || strstr(ad_error_message(), FILE_NAME) == NULL) {
    fail_msg("found %s, expected %s", ad_error_message(), part);
  }
  assert_null(map.data);
}

static void test_gzip(void **state) {
  (void)state;
  unsigned char damaged[sizeof PACKED];
  write_file("plain\n", 6, 1);
  expect("plain\n");
  write_file(PACKED, sizeof PACKED, 1);
  expect("good film\n");
  write_file(PACKED, sizeof PACKED, 3);
  expect("good film\ngood film\ngood film\n");
  for (size_t size = 2; size < sizeof PACKED; size++) {
    write_file(PACKED, size, 1);
    expect_failure("the file ends here");
  }
  memcpy(damaged, PACKED, sizeof PACKED);
  damaged[sizeof PACKED - 6] ^= 1;
  write_file(damaged, sizeof damaged, 1);
  expect_failure("gzip: byte ");
  memcpy(damaged, PACKED, sizeof PACKED);
  damaged[3] = 0xff;
  write_file(damaged, sizeof damaged, 1);
  expect_failure("gzip: byte ");
  FILE *file = fopen(FILE_NAME, "wbe");
  assert_non_null(file);
  assert_int_equal(fwrite(PACKED, 1, sizeof PACKED, file), sizeof PACKED);
  assert_int_equal(fputs("tail", file) >= 0, 1);
  assert_int_equal(fclose(file), 0);
  expect_failure("other bytes");
  unlink(FILE_NAME);
  assert_int_equal(ad_text_map(FILE_NAME, &(struct ad_file_map){0}), AD_EINPUT);
}

/* Wherever memory ends, a status says so and nothing is left behind. */
static void test_memory(void **state) {
  (void)state;
  struct ad_file_map map;
  const size_t live = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  write_file(PACKED, sizeof PACKED, 2);
  for (unsigned long n = 1; status == AD_ENOMEM; n++) {
    ad_memory_fail_at(n);
    status = ad_text_map(FILE_NAME, &map);
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      ad_file_unmap(&map);
    }
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  assert_int_equal(status, AD_OK);
  unlink(FILE_NAME);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_entries), cmocka_unit_test(test_gzip),
                                     cmocka_unit_test(test_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
