/* What diff prints of two runs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "autodidact/base/file.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "diff.h"

static void print_row(const struct ad_log_comparison *log) {
  const uint64_t row = log->equal_rows + 1;
  printf("Log: row %" PRIu64 " is the first that differs (A: %s, B: %s)\n", row, ad_shown(log->place[0]),
         ad_shown(log->place[1]));
  diff_print_differences(&log->columns);
  if (log->columns.count == 0) {
    puts("  the same columns and values, but in another order or with other spaces");
  }
}

static void print_end(const struct ad_log_comparison *log, const char *const paths[2]) {
  if (log->rows[0] == log->rows[1]) {
    printf("Log: all %" PRIu64 " whole rows are equal\n", log->rows[0]);
  } else {
    printf("Log: %s is the beginning of %s: %" PRIu64 " rows in A, %" PRIu64 " in B\n",
           log->rows[0] < log->rows[1] ? "A" : "B", log->rows[0] < log->rows[1] ? "B" : "A", log->rows[0],
           log->rows[1]);
  }
  for (size_t i = 0; i < 2; i++) {
    if (log->cut[i]) {
      printf("  %s:%" PRIu64 ": the last row is cut short: it has no newline at its end\n", ad_shown(paths[i]),
             log->rows[i] + 1);
    }
  }
}

int diff_print_log(const char *const paths[2], struct ad_run_verdict *verdict) {
  struct ad_log_comparison log;
  const int status = ad_compare_logs(paths, &log);
  if (status == AD_OK && log.verdict == AD_COMPARE_EQUAL) {
    printf("Log: equal to the end, %" PRIu64 " rows\n", log.rows[0]);
  } else if (status == AD_OK && log.verdict == AD_COMPARE_DIFFERS) {
    print_row(&log);
  } else if (status == AD_OK) {
    print_end(&log, paths);
  }
  if (status == AD_OK) {
    ad_verdict_log(verdict, &log, paths);
  }
  ad_log_comparison_destroy(&log);
  return status;
}

static void print_tensor(const struct ad_result_comparison *r) {
  printf("Result: %zu of %zu tensors differ, the first is %s\n", r->differing, r->tensors, ad_shown(r->first));
  if (!r->comparable) {
    printf("  %-22s A: %s\n  %-22s B: %s\n", "type and shape",
           r->form[0][0] == '\0' ? "(not there)" : ad_shown(r->form[0]), "",
           r->form[1][0] == '\0' ? "(not there)" : ad_shown(r->form[1]));
    return;
  }
  printf("  %s: %zu of %zu values differ", ad_shown(r->form[0]), r->differing_values, r->values);
  if (!isnan(r->largest)) {
    printf(", by %.9g at most", r->largest);
  }
  if (r->not_finite > 0) {
    printf("; %zu of them are NaN or infinite in A or B", r->not_finite);
  }
  putchar('\n');
}

static int print_tensors(const char *const paths[2], struct ad_run_verdict *verdict) {
  struct ad_result_comparison result;
  const int status = ad_compare_results(paths, &result);
  if (status == AD_OK && result.differing > 0) {
    print_tensor(&result);
  } else if (status == AD_OK && result.header) {
    printf("Result: all %zu tensors are equal, but the files differ in their headers\n", result.tensors);
  } else if (status == AD_OK) {
    printf("Result: equal, %zu tensors\n", result.tensors);
  }
  if (status == AD_OK) {
    ad_verdict_result(verdict, &result);
  }
  ad_result_comparison_destroy(&result);
  return status;
}

/* A run that was stopped has no result: then the log alone is compared. */
int diff_print_result(const char *const paths[2], struct ad_run_verdict *verdict) {
  const int there[2] = {ad_is_file(paths[0]), ad_is_file(paths[1])};
  if (there[0] && there[1]) {
    return print_tensors(paths, verdict);
  }
  const char *who = there[0] ? "B has" : there[1] ? "A has" : "A and B have";
  printf("Result: not compared, %s no model/model.safetensors: not finished\n", who);
  ad_verdict_no_result(verdict, who);
  return AD_OK;
}

/* What both kept on the way. */
int diff_print_steps(const char *const folders[2],
                     int (*look)(const char *const runs[2], struct ad_step_comparison *out), const char *name,
                     struct ad_run_verdict *verdict) {
  struct ad_step_comparison s;
  AD_TRY(look(folders, &s));
  if (s.common == 0) {
    return AD_OK;
  }
  if (!s.differs) {
    printf("%s: equal at all %zu steps that both have, the last is %" PRIu64 "\n", name, s.common, s.step);
    return AD_OK;
  }
  printf("%s: step %" PRIu64 " is the first that differs, in %s", name, s.step, ad_shown(s.what));
  if (s.tensors > 0) {
    printf(": %zu of %zu tensors, the first is %s", s.differing, s.tensors, ad_shown(s.tensor));
  } else if (s.tensor[0] != '\0') {
    printf(": %s", ad_shown(s.tensor));
  }
  putchar('\n');
  if (s.values > 0) {
    printf("  %zu of %zu values differ", s.differing_values, s.values);
    if (!isnan(s.largest)) {
      printf(", by %.9g at most", s.largest);
    }
    if (s.not_finite > 0) {
      printf("; %zu of them are NaN or infinite in A or B", s.not_finite);
    }
    putchar('\n');
  }
  ad_verdict_step(verdict, name[0] == 'C' ? "checkpoints" : "snapshots", &s);
  return AD_OK;
}
