/* autodidact diff: where two runs part, and what differs in what they were given. */
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
  const int status = ad_compare_inputs(folders, &inputs);
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

static int compare(const char *const folders[2]) {
  static const char *const names[2] = {AD_RUN_FILE_LOG, "model/model.safetensors"};
  struct ad_run_verdict verdict = {"", 0};
  size_t reasons = 0;
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
    return AD_OK;
  }
  if (fflush(stdout) != 0) {
    return ad_fail(AD_EIO, "standard output could not be written");
  }
  return ad_fail(AD_EINPUT, "%s and %s are not equal: %s%s", folders[0], folders[1], verdict.text,
                 verdict.other_bits && reasons == 0 ? "; no recorded input explains it" : "");
}

int ad_command_diff(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  static const struct arguments arguments = {
      .command = "diff",
      .usage = "RUN_A RUN_B",
      .text =
          "Compares two runs to the bit. Prints what differs in configuration, data, initial parameters, code and "
          "kernels. Prints the first row of the logs and the first tensor of the results that differ, and of the "
          "checkpoints and snapshots that both have the first step and tensor. Numbers are compared as they are "
          "written. Host, start time and number of ranks are ignored.\vExit code 0: log and result are equal "
          "to the bit, whatever the inputs. 1: they differ (the message names the first difference), a run has no "
          "result yet, or the input is bad. 2: failure of the machine.\n",
      .least = 2,
      .most = 2};
  size_t count;
  int help;
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  return help ? AD_OK : compare((const char *const[2]){argv[1], argv[2]});
}
