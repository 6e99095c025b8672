/* The parts of diff: each compares, prints, and adds to the verdict. Errors as of the comparison (store/compare.h). Not
 * installed. */
#ifndef AUTODIDACT_CLI_DIFF_H
#define AUTODIDACT_CLI_DIFF_H

#include <stddef.h>

#include "autodidact/store/compare.h"

void diff_print_differences(const struct ad_differences *differences);

/* Two log.jsonl; two weights files, which may not be there. */
int diff_print_log(const char *const paths[2], struct ad_run_verdict *verdict);
int diff_print_result(const char *const paths[2], struct ad_run_verdict *verdict);

/* What both kept on the way, as `look` compares it. */
int diff_print_steps(const char *const folders[2],
                     int (*look)(const char *const runs[2], struct ad_step_comparison *out), const char *name,
                     struct ad_run_verdict *verdict);

#endif
