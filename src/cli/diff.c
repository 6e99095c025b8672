/* autodidact diff: where two runs part, and what differs in what they were given. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run_files.h"
#include "commands.h"
#include "diff.h"

enum { SHOWN = 300 /* characters of a text from a file */ };

/* The beginning of a text from a file, as people are shown it. */
static const char *text_or_absent(const char *text, char out[SHOWN + 1]) {
  if (text == NULL) {
    return "(not there)";
  }
  ad_escape(text, strlen(text), out, SHOWN + 1);
  return out;
}

void diff_print_differences(const struct ad_differences *differences) {
  for (size_t i = 0; i < differences->count; i++) {
    const struct ad_difference *d = &differences->items[i];
    char a[SHOWN + 1], b[SHOWN + 1];
    printf("  %-22s A: %s\n  %-22s B: %s\n", ad_shown(d->name), text_or_absent(d->text[0], a), "",
           text_or_absent(d->text[1], b));
  }
}

static int print_inputs(const char *const folders[2], size_t *reasons) {
  struct ad_input_comparison inputs;
  int status = ad_compare_inputs(folders, &inputs);
  status = status == AD_OK ? ad_input_comparison_sort_paths(&inputs) : status;
  if (status == AD_OK) {
    *reasons = inputs.reasons.count;
    printf("A: %s\nB: %s\n\n", ad_shown(folders[0]), ad_shown(folders[1]));
    puts(inputs.reasons.count > 0 ? "Inputs that differ:" : "Inputs: no difference that could give other bits");
    diff_print_differences(&inputs.reasons);
    if (inputs.harmless.count > 0) {
      puts("Different, and no reason for other bits:");
      diff_print_differences(&inputs.harmless);
    }
    for (size_t i = 0; i < 2; i++) {
      if (inputs.native[i]) {
        printf("%c was trained with comm.reduction=native: the reproducibility contract does not hold for it\n",
               "AB"[i]);
      }
    }
    putchar('\n');
  }
  ad_input_comparison_destroy(&inputs);
  return status;
}

/* Prints how two runs compare. *different: where they first part, "" where log and result are equal. AD_ENOMEM. */
static int compare(const char *const folders[2], struct ad_buffer *different) {
  static const char *const names[2] = {AD_RUN_FILE_LOG, "model/model.safetensors"};
  struct ad_run_verdict verdict = {"", 0};
  size_t reasons = 0;
  ad_buffer_clear(different);
  AD_TRY(print_inputs(folders, &reasons));
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && i < 2; i++) {
    char *const paths[2] = {ad_path_join(folders[0], names[i]), ad_path_join(folders[1], names[i])};
    const char *const both[2] = {paths[0], paths[1]};
    if (paths[0] == NULL || paths[1] == NULL) {
      status = ad_fail_memory(4096, "a path");
    } else {
      status = i == 0 ? diff_print_log(both, &verdict) : diff_print_result(both, &verdict);
    }
    ad_free(paths[0]);
    ad_free(paths[1]);
  }
  AD_TRY(status);
  AD_TRY(diff_print_steps(folders, ad_compare_checkpoints, "Checkpoints", &verdict));
  AD_TRY(diff_print_steps(folders, ad_compare_snapshots, "Snapshots", &verdict));
  if (verdict.text[0] == '\0') {
    puts("\nLog and result are equal to the bit.");
  }
  return ad_buffer_printf(different, "%s%s", verdict.text,
                          verdict.other_bits && reasons == 0 ? "; no recorded input explains it" : "");
}

/* Each run with the first. The first that is not equal makes the message. */
static int compare_all(size_t count, char *const *runs, struct ad_buffer *different) {
  struct ad_buffer first = {0};
  size_t unequal = 0, which = 0;
  int status = AD_OK;
  for (size_t i = 1; i < count && status == AD_OK; i++) {
    printf("%s", i > 1 ? "\n" : "");
    status = compare((const char *const[2]){runs[0], runs[i]}, different);
    if (status == AD_OK && different->size > 0 && unequal++ == 0) {
      which = i;
      status = ad_buffer_puts(&first, different->data);
    }
  }
  if (status == AD_OK && fflush(stdout) != 0) {
    status = ad_fail(AD_EIO, "standard output could not be written");
  }
  if (status == AD_OK && unequal > 0 && count == 2) {
    status = ad_fail(AD_EINPUT, "%s and %s are not equal: %s", runs[0], runs[1], first.data);
  } else if (status == AD_OK && unequal > 0) {
    status = ad_fail(AD_EINPUT, "%zu of %zu runs are not equal to %s; the first is %s: %s", unequal, count - 1, runs[0],
                     runs[which], first.data);
  }
  ad_buffer_destroy(&first);
  return status;
}

int ad_command_diff(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  static const struct arguments arguments = {
      .command = "diff",
      .usage = "RUN_A RUN_B...",
      .text =
          "Compares two runs to the bit, or several with the first. Prints what differs in configuration, data, "
          "initial parameters, code and "
          "kernels. Prints the first row of the logs and the first tensor of the results that differ, and of the "
          "checkpoints and snapshots that both have the first step and tensor. Numbers are compared as they are "
          "written. Host, start time and number of ranks are ignored.\vExit code 0: log and result are equal "
          "to the bit, whatever the inputs. 1: they differ (the message names the first difference), a run has no "
          "result yet, or the input is bad. 2: failure of the machine.\n",
      .least = 2,
      .most = SIZE_MAX};
  size_t count;
  int help;
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  struct ad_buffer different = {0};
  const int status = help ? AD_OK : compare_all(count, argv + 1, &different);
  ad_buffer_destroy(&different);
  return status;
}
