/* Event files: bytes that TensorBoard's own writer gives, and checksums of RFC 3720. */
#include "autodidact/store/events.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* RFC 3720, B.4: 32 bytes of zeros, of ones; and the check value that catalogues of CRCs have. */
static void test_checksums(void **state) {
  (void)state;
  unsigned char bytes[32] = {0};
  assert_int_equal(ad_crc32c(bytes, sizeof bytes), 0x8a9136aa);
  memset(bytes, 0xff, sizeof bytes);
  assert_int_equal(ad_crc32c(bytes, sizeof bytes), 0x62a8ab43);
  assert_int_equal(ad_crc32c("123456789", 9), 0xe3069283);
  assert_int_equal(ad_crc32c("", 0), 0);
}

/* tests/parity/events.py writes the same events by tensorboard 2.21's RecordWriter and prints these bytes. */
static const char expected[] =
    "1800000000000000a37f4b220900002040fc54d9411a0d627261696e2e4576656e743a322b3531103600000000000000"
    "4f578cef0900005040fc54d94110ac022a280a110a0a747261696e2f6c6f7373151872313f0a130a0c6465762f6d6174"
    "746865777315000080bf1480b0790f000000000000006d532b092a0d0a0b0a047a65726f15000000008bf188bc";

static int write_events(struct ad_buffer *out) {
  const struct ad_event_value step[] = {
      {"train/loss", 0.6931471805599453}, {"train/teacher_distance", NAN}, {"dev/matthews", -1.0}};
  const struct ad_event_value zero = {"zero", 0.0}, none = {"none", INFINITY};
  AD_TRY(ad_events_begin(out, 1700000000.5));
  AD_TRY(ad_events_add(out, 1700000001.25, 300, 3, step));
  AD_TRY(ad_events_add(out, 1700000001.25, 300, 1, &none));
  return ad_events_add(out, 0.0, 0, 1, &zero);
}

static void test_bytes(void **state) {
  (void)state;
  struct ad_buffer out = {0};
  char digits[2 * sizeof expected] = "";
  assert_int_equal(write_events(&out), AD_OK);
  assert_int_equal(out.size, (sizeof expected - 1) / 2);
  for (size_t i = 0; i < out.size; i++) {
    snprintf(digits + 2 * i, 3, "%02x", (unsigned char)out.data[i]);
  }
  assert_string_equal(digits, expected);
  ad_buffer_destroy(&out);
}

static void test_memory(void **state) {
  (void)state;
  const size_t blocks = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n++) {
    struct ad_buffer out = {0};
    ad_memory_fail_at(n);
    status = write_events(&out);
    ad_memory_fail_at(0);
    ad_buffer_destroy(&out);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, blocks);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_checksums), cmocka_unit_test(test_bytes),
                                     cmocka_unit_test(test_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
