/* autodidact diff: where two runs part, and what differs in what they were given. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/store/compare.h"
#include "autodidact/store/run.h"
#include "commands.h"

enum { VERDICT_BYTES = 1000, SHOWN = 300 /* characters of a text from a file */ };

/* The message: the first difference of log or result; "" where both are equal. */
struct verdict {
  char text[VERDICT_BYTES];
  int other_bits; /* not merely a run that ended earlier */
};

/* The beginning of a text from a file, as people are shown it. */
static const char *text_or_absent(const char *text, char out[SHOWN + 1]) {
  if (text == NULL) {
    return "(not there)";
  }
  ad_escape(text, strlen(text), out, SHOWN + 1);
  return out;
}

static void print_differences(const struct ad_differences *differences) {
  for (size_t i = 0; i < differences->count; i++) {
    const struct ad_difference *d = &differences->items[i];
    char a[SHOWN + 1], b[SHOWN + 1];
    printf("  %-22s A: %s\n  %-22s B: %s\n", ad_shown(d->name), text_or_absent(d->text[0], a), "",
           text_or_absent(d->text[1], b));
  }
}

static int print_inputs(const char *const folders[2], size_t *reasons) {
  struct ad_input_comparison inputs;
  const int status = ad_compare_inputs(folders, &inputs);
  if (status == AD_OK) {
    *reasons = inputs.reasons.count;
    printf("A: %s\nB: %s\n\n", ad_shown(folders[0]), ad_shown(folders[1]));
    puts(inputs.reasons.count > 0 ? "Inputs that differ:" : "Inputs: no difference that could give other bits");
    print_differences(&inputs.reasons);
    if (inputs.harmless.count > 0) {
      puts("Different, and no reason for other bits:");
      print_differences(&inputs.harmless);
    }
    for (size_t i = 0; i < 2; i++) {
      if (inputs.native[i]) {
        printf("%c was trained with comm.reduction=native: the reproducibility contract does not hold for it\n", "AB"[i]);
      }
    }
    putchar('\n');
  }
  ad_input_comparison_destroy(&inputs);
  return status;
}

static void print_row(const struct ad_log_comparison *log, struct verdict *verdict) {
  const uint64_t row = log->equal_rows + 1;
  printf("Log: row %" PRIu64 " is the first that differs (A: %s, B: %s)\n", row, ad_shown(log->place[0]),
         ad_shown(log->place[1]));
  print_differences(&log->columns);
  verdict->other_bits = 1;
  if (log->columns.count == 0) {
    puts("  the same columns and values, but in another order or with other spaces");
    snprintf(verdict->text, VERDICT_BYTES, "first in row %" PRIu64 " of the log (%s): order or spaces of the columns", row, log->place[0]);
    return;
  }
  const struct ad_difference *first = &log->columns.items[0];
  char a[SHOWN + 1], b[SHOWN + 1];
  snprintf(verdict->text, VERDICT_BYTES, "first in row %" PRIu64 " of the log (%s): %.*s is %s in A, %s in B", row,
           log->place[0], 100, first->name, text_or_absent(first->text[0], a), text_or_absent(first->text[1], b));
}

static void print_end(const struct ad_log_comparison *log, const char *const paths[2], struct verdict *verdict) {
  if (log->rows[0] == log->rows[1]) {
    printf("Log: all %" PRIu64 " whole rows are equal\n", log->rows[0]);
  } else {
    printf("Log: %s is the beginning of %s: %" PRIu64 " rows in A, %" PRIu64 " in B\n", log->rows[0] < log->rows[1] ? "A" : "B",
           log->rows[0] < log->rows[1] ? "B" : "A", log->rows[0], log->rows[1]);
    snprintf(verdict->text, VERDICT_BYTES, "the log of A has %" PRIu64 " rows, that of B %" PRIu64 "; the first %" PRIu64 " are equal", log->rows[0],
             log->rows[1], log->equal_rows);
  }
  for (size_t i = 0; i < 2; i++) {
    if (log->cut[i]) {
      printf("  %s:%" PRIu64 ": the last row is cut short: it has no newline at its end\n", ad_shown(paths[i]),
             log->rows[i] + 1);
      if (verdict->text[0] == '\0') {
        snprintf(verdict->text, VERDICT_BYTES, "%s:%" PRIu64 ": the last row of the log is cut short", paths[i], log->rows[i] + 1);
      }
    }
  }
}

static int print_log(const char *const paths[2], struct verdict *verdict) {
  struct ad_log_comparison log;
  const int status = ad_compare_logs(paths, &log);
  if (status == AD_OK && log.verdict == AD_LOG_EQUAL) {
    printf("Log: equal to the end, %" PRIu64 " rows\n", log.rows[0]);
  } else if (status == AD_OK && log.verdict == AD_LOG_DIFFERS) {
    print_row(&log, verdict);
  } else if (status == AD_OK) {
    print_end(&log, paths, verdict);
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

static int print_tensors(const char *const paths[2], struct verdict *verdict) {
  struct ad_result_comparison result;
  const int status = ad_compare_results(paths, &result);
  const char *difference = NULL;
  if (status == AD_OK && result.differing > 0) {
    print_tensor(&result);
    difference = result.first;
  } else if (status == AD_OK && result.header) {
    printf("Result: all %zu tensors are equal, but the files differ in their headers\n", result.tensors);
    difference = "none, only the file's header";
  } else if (status == AD_OK) {
    printf("Result: equal, %zu tensors\n", result.tensors);
  }
  verdict->other_bits |= difference != NULL;
  if (difference != NULL && verdict->text[0] == '\0') {
    snprintf(verdict->text, VERDICT_BYTES, "the logs are equal, the results are not; first tensor that differs: %.*s", SHOWN, difference);
  }
  ad_result_comparison_destroy(&result);
  return status;
}

/* A run that was stopped has no result: then the log alone is compared. */
static int print_result(const char *const paths[2], struct verdict *verdict) {
  const int there[2] = {ad_is_file(paths[0]), ad_is_file(paths[1])};
  if (there[0] && there[1]) {
    return print_tensors(paths, verdict);
  }
  const char *who = there[0] ? "B has" : there[1] ? "A has" : "A and B have";
  printf("Result: not compared, %s no model/model.safetensors: not finished\n", who);
  if (verdict->text[0] == '\0') {
    snprintf(verdict->text, VERDICT_BYTES, "the logs are equal, but %s no result", who);
  }
  return AD_OK;
}

/* What both kept on the way. */
static int print_steps(const char *const folders[2], int (*look)(const char *const runs[2], struct ad_step_comparison *out), const char *name,
                       struct verdict *verdict) {
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
  verdict->other_bits = 1;
  if (verdict->text[0] == '\0') {
    snprintf(verdict->text, VERDICT_BYTES, "first in the %s of step %" PRIu64 ": %s %s", name[0] == 'C' ? "checkpoints" : "snapshots", s.step, s.what,
             s.tensor);
  }
  return AD_OK;
}

static int compare(const char *const folders[2]) {
  static const char *const names[2] = {"log.jsonl", "model/model.safetensors"};
  struct verdict verdict = {"", 0};
  size_t reasons = 0;
  AD_TRY(print_inputs(folders, &reasons));
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && i < 2; i++) {
    char *const paths[2] = {ad_path_join(folders[0], names[i]), ad_path_join(folders[1], names[i])};
    const char *const both[2] = {paths[0], paths[1]};
    if (paths[0] == NULL || paths[1] == NULL) {
      status = ad_fail_memory(4096, "a path");
    } else {
      status = i == 0 ? print_log(both, &verdict) : print_result(both, &verdict);
    }
    ad_free(paths[0]);
    ad_free(paths[1]);
  }
  AD_TRY(status);
  AD_TRY(print_steps(folders, ad_compare_checkpoints, "Checkpoints", &verdict));
  AD_TRY(print_steps(folders, ad_compare_snapshots, "Snapshots", &verdict));
  if (verdict.text[0] == '\0') {
    puts("\nLog and result are equal to the bit.");
    return AD_OK;
  }
  if (fflush(stdout) != 0) {
    return ad_fail(AD_EIO, "standard output could not be written");
  }
  return ad_fail(AD_EINPUT, "%s and %s are not equal: %s%s", folders[0], folders[1], verdict.text,
                 verdict.other_bits && reasons == 0 ? "; no recorded input explains it" : "");
}

int ad_command_diff(int argc, char **argv) {
  static const struct arguments arguments = {
      .command = "diff",
      .usage = "RUN_A RUN_B",
      .text = "Compares two runs to the bit: what differs in configuration, data, initial parameters, code and kernels; the first row of the logs that "
              "differs; the first tensor of the results that differs; of the checkpoints and snapshots that both have the first step and tensor that differ. Numbers are compared as they are written. Host, start time and "
              "number of ranks are passed over.\v"
              "Exit code 0: log and result are equal to the bit, whatever differs in the inputs. 1: they are not, or a run has no result yet (the message "
              "names the first difference), or the input is bad. 2: failure of the machine.\n",
      .least = 2,
      .most = 2};
  size_t count;
  int help;
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  return help ? AD_OK : compare((const char *const[2]){argv[1], argv[2]});
}
