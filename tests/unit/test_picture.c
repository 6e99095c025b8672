/* Pictures: where ticks and marks are, what is cut, and that names stay text. Expected places are computed by hand from
 * the margins: 66 left of an axis of numbers, 14 above, 20 at the right, 50 below. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "report/picture.h"

/* 114 pixels from x = 0 to 10, 100 from y = 0 (at 114) to 1 (at 14). */
static struct picture begin(void) {
  return (struct picture){.width = 200,
                          .height = 164,
                          .x = {.low = 0, .high = 10, .label = "time", .unit = "s"},
                          .y = {.low = 0, .high = 1}};
}

static struct ad_buffer draw(struct picture *p) {
  struct ad_buffer svg = {0};
  assert_int_equal(ad__picture_svg(p, "id", "A <title>", "What \"it\" says", NULL, &svg), AD_OK);
  ad__picture_destroy(p);
  return svg;
}

static void has(const struct ad_buffer *svg, const char *part) {
  if (strstr(svg->data, part) == NULL) {
    fail_msg("no %s in\n%s", part, svg->data);
  }
}

static void lacks(const struct ad_buffer *svg, const char *part) {
  if (strstr(svg->data, part) != NULL) {
    fail_msg("%s in\n%s", part, svg->data);
  }
}

static void test_places(void **state) {
  (void)state;
  struct picture p = begin();
  ad__picture_mark(&p, PICTURE_DOT, 1, 5, 0.25, 5, 0.25);
  ad__picture_title(&p, "%s", "<b>&\"x\"");
  ad__picture_mark(&p, PICTURE_RANGE, 2, 5, 0.5, 20, 0.5);  /* goes on beyond the axis */
  ad__picture_mark(&p, PICTURE_DOT, 3, 11, 0.5, 11, 0.5);   /* lies beyond it */
  ad__picture_mark(&p, PICTURE_DOT, 4, NAN, 0.5, NAN, 0.5); /* is none */
  ad__picture_mark(&p, PICTURE_ZONE, 0, -5, 0, 5, 0);
  ad__picture_path(&p, PICTURE_BAND, 5);
  ad__picture_to(&p, 0, 0, 0.5);
  ad__picture_to(&p, 5, NAN, 1);
  ad__picture_to(&p, 10, 0.5, 1);
  struct ad_buffer svg = draw(&p);
  has(&svg,
      "<circle cx=\"123.0\" cy=\"89.0\" r=\"3\" class=\"dot c1\"><title>&lt;b&gt;&amp;&quot;x&quot;</title></circle>");
  has(&svg, "<path d=\"M123.0 64.0H180.0M174.0 60.0l6 4l-6 4\" class=\"range c2\"/>");
  has(&svg, "<path d=\"M66.0 114.0V14.0H123.0V114.0Z\" class=\"zone c0\"/>");
  has(&svg, "<path d=\"M66.0 114.0L180.0 64.0L180.0 14.0L66.0 64.0\" class=\"band c5\"/>");
  has(&svg, "role=\"img\" aria-labelledby=\"id-title id-description\"");
  has(&svg,
      "<title id=\"id-title\">A &lt;title&gt;</title>\n<desc id=\"id-description\">What &quot;it&quot; says</desc>");
  has(&svg, ">time (s)</text>");
  lacks(&svg, "c3\"");
  lacks(&svg, "c4\"");
  lacks(&svg, "nan");
  ad_buffer_destroy(&svg);
}

/* The ends of an axis are found from what lies along it: 0 to 10 and a 25th beyond either. 10 lies in the middle of 1
 * and 100, and 0 nowhere. */
static void test_axes(void **state) {
  (void)state;
  struct picture p = begin();
  p.x = (struct picture_axis){0};
  ad__picture_mark(&p, PICTURE_DOT, 1, 0, 0.25, 0, 0.25);
  ad__picture_mark(&p, PICTURE_DOT, 2, 10, 0.25, 10, 0.25);
  ad__picture_mark(&p, PICTURE_LEVEL, 0, 1000, 0.5, 1000, 0.5);
  struct ad_buffer svg = draw(&p);
  has(&svg, "cx=\"70.2\""); /* 66 + 114 * 0.4 / 10.8 */
  has(&svg, "cx=\"175.8\"");
  ad_buffer_destroy(&svg);
  p = begin();
  p.x = (struct picture_axis){.low = 1, .high = 100, .log = 1};
  ad__picture_mark(&p, PICTURE_MEAN, 1, 10, 0.5, 10, 0.5);
  ad__picture_mark(&p, PICTURE_MEAN, 2, 0, 0.5, 0, 0.5);
  svg = draw(&p);
  has(&svg, "<circle cx=\"123.0\" cy=\"64.0\" r=\"5\" class=\"mean c1\"/>");
  lacks(&svg, "c2\"");
  ad_buffer_destroy(&svg);
}

/* Two rows of 36 pixels from 14 on, 0.2 of 2.2 rows above the middle of the first: 14 + 72 * 0.6 / 2.2. Names are cut
 * to 24 columns, and whole in the title. */
static void test_rows(void **state) {
  (void)state;
  struct picture p = {.width = 300, .x = {.low = 0, .high = 1}};
  assert_true(ad__picture_row(&p, "a & b") == 0.0);
  assert_true(ad__picture_row(&p, "0123456789 0123456789 0123456789\x1b[2J") == 1.0);
  ad__picture_estimate(&p, 1, 0, 0.5, NAN, NAN, "no interval");
  struct ad_buffer svg = draw(&p);
  has(&svg, "viewBox=\"0 0 300 136\"");
  has(&svg, ">a &amp; b<title>a &amp; b</title></text>");
  has(&svg, ">0123456789 0123456789 0\u2026<title>0123456789 0123456789 0123456789\\x1b[2J</title></text>");
  has(&svg, "cy=\"33.6\" r=\"5\"");
  lacks(&svg, "range");
  ad_buffer_destroy(&svg);
}

static void check_ticks(double low, double high, int log, int whole, size_t count, const double *expected, int places) {
  double ticks[PICTURE_TICKS];
  int decimals;
  assert_int_equal(ad__picture_ticks(low, high, log, whole, ticks, &decimals), count);
  assert_int_equal(decimals, places);
  for (size_t i = 0; i < count; i++) {
    if (!(fabs(ticks[i] - expected[i]) <= 1e-12)) {
      fail_msg("tick %zu of %g to %g is %.17g, not %g", i, low, high, ticks[i], expected[i]);
    }
  }
}

static void test_ticks(void **state) {
  (void)state;
  check_ticks(0, 10, 0, 0, 6, (const double[]){0, 2, 4, 6, 8, 10}, 0);
  check_ticks(-0.32, 0.31, 0, 0, 7, (const double[]){-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3}, 1);
  check_ticks(0.9, 3.2, 0, 1, 3, (const double[]){1, 2, 3}, 0);
  check_ticks(0.5, 2, 1, 0, 5, (const double[]){0.5, 0.7, 1, 1.5, 2}, -1);
  check_ticks(0.5, 2000, 1, 0, 4, (const double[]){1, 10, 100, 1000}, -1);
  check_ticks(0.98, 1.03, 1, 0, 6, (const double[]){0.98, 0.99, 1, 1.01, 1.02, 1.03}, 2);
}

/* Whatever memory cannot be had is told, and nothing leaks. */
static void test_no_memory(void **state) {
  (void)state;
  const size_t blocks = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n++) {
    struct picture p = begin();
    struct ad_buffer svg = {0};
    ad_memory_fail_at(n);
    ad__picture_row(&p, "a");
    ad__picture_name(&p, 1, "b");
    ad__picture_path(&p, PICTURE_LINE, 1);
    ad__picture_to(&p, 1, 1, 0);
    ad__picture_title(&p, "c");
    status = ad__picture_svg(&p, "id", "title", "text", "", &svg);
    ad_memory_fail_at(0);
    ad__picture_destroy(&p);
    ad_buffer_destroy(&svg);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    assert_true(ad_memory_stats().live_blocks == blocks);
    assert_true(n < 1000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_axes),
                                     cmocka_unit_test(test_rows), cmocka_unit_test(test_ticks),
                                     cmocka_unit_test(test_no_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
