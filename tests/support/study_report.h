/* Studies and reports of them, as their tests make them. */
#ifndef AUTODIDACT_TESTS_SUPPORT_STUDY_REPORT_H
#define AUTODIDACT_TESTS_SUPPORT_STUDY_REPORT_H

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/report/report.h"
#include "support/scratch.h"

static inline int enter(void **state) {
  ad_log_set_level(AD_LOG_ERROR);
  return scratch_enter(state);
}

static inline void make_study(struct ad_study *study, const char *keys, const char *axes, const char *arms) {
  FILE *file = fopen("s.yaml", "w");
  assert_non_null(file);
  fprintf(file, "study: {%s}\naxes: {%s}\narms: {%s}\n", keys, axes, arms);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(ad_study_read(study, "s.yaml"), AD_OK);
  for (size_t i = 0; i < study->count; i++) {
    study->cells[i].id = 0x1000 + i; /* no data to identify them by */
  }
}

/* A result of the student with this error. */
static inline struct ad_result result_of(uint64_t step, double error) {
  return (struct ad_result){.step = step,
                            .steps = step,
                            .kept = {1},
                            .has_dev = 1,
                            .dev = {.examples = 64, .task = &ad_task_classification, .value = {error}}};
}

/* Whatever memory cannot be had for a report, nothing leaks. */
static inline void sweep_memory(const struct ad_study *study, const struct ad_cells *cells,
                                const struct ad_report_settings *settings) {
  struct ad_buffer text = {0};
  const size_t blocks = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n += 1 + n / 12) {
    ad_memory_fail_at(n);
    status = ad_report_make(study, cells, settings, &text);
    ad_memory_fail_at(0);
    if (status != AD_OK && status != AD_ENOMEM) {
      fail_msg("allocation %lu: %s: %s", n, ad_status_name(status), ad_error_message());
    }
    ad_buffer_destroy(&text);
    if (ad_memory_stats().live_blocks != blocks) {
      fail_msg("allocation %lu leaks: %s", n, ad_error_message());
    }
    assert_true(n < 1000000);
  }
}

/* Lines are broken between words: for looking for sentences they are joined. */
static inline void join_lines(struct ad_buffer *text) {
  for (char *at = text->data; (at = strchr(at, '\n')) != NULL;) {
    *at = ' ';
  }
}

/* "nan" as a number, not inside of a word; NULL: none. */
static inline const char *find_nan(const char *text) {
  for (const char *at = text; (at = strstr(at, "nan")) != NULL; at++) {
    if ((at == text || !isalpha((unsigned char)at[-1])) && !isalpha((unsigned char)at[3])) {
      return at;
    }
  }
  return NULL;
}

/* The page refers to nothing outside itself, holds plots, and no NaN. */
static inline void check_page(const char *path, int plots) {
  static const char *const forbidden[] = {"http:", "https:",   "//cdn", "src=", "@import",
                                          "<link", "<script ", "NaN",   "-inf", "xlink:"};
  struct ad_buffer page = {0};
  assert_int_equal(ad_file_read(path, &page), AD_OK);
  for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
    const char *found = strstr(page.data, forbidden[i]);
    if (found != NULL) {
      fail_msg("%s holds \"%.60s\"", path, found);
    }
  }
  assert_null(find_nan(page.data));
  int count = 0;
  for (const char *at = page.data; (at = strstr(at, "<svg")) != NULL; at++) {
    count++;
  }
  if (plots >= 0 && count != plots) {
    fail_msg("%s holds %d pictures, expected %d", path, count, plots);
  }
  assert_non_null(strstr(page.data, "</html>"));
  ad_buffer_destroy(&page);
}

#endif
