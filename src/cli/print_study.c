/* The table of a study's cells, for people. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "study.h"

static void print_row(const char *arm, size_t width, const struct ad_arm_summary *s) {
  const char *name = ad_shown(arm);
  printf("%s%*s %6zu %6zu %8zu %8zu %7zu %7zu", name, ad_text_fill(name, width), "", s->cells, s->of[AD_CELL_DONE],
         s->of[AD_CELL_RUNNING], s->of[AD_CELL_WAITING], s->of[AD_CELL_FAILED], s->failed_runs);
  if (s->results > 0) {
    printf(" %12.6g", ad_arm_mean(s));
  }
  if (s->results > 1) {
    /* Results that differ by roundings only have no spread. */
    printf(" %10.4g", ad_arm_deviation(s) <= 1e-12 * fabs(ad_arm_mean(s)) ? 0.0 : ad_arm_deviation(s));
  }
  putchar('\n');
}

int study_describe_progress(const struct ad_study_summary *summary, struct ad_buffer *out) {
  const struct ad_arm_summary *all = &summary->all;
  char left[STUDY_TIME];
  AD_TRY(ad_buffer_printf(out, "%.1f %% of the work is done", 100.0 * summary->share_done));
  if (summary->seconds_left < 1e12) {
    return ad_buffer_printf(out, "; with the %zu trainings that run now the rest takes %s", all->of[AD_CELL_RUNNING],
                            study_duration(summary->seconds_left, left));
  }
  return summary->seconds_known && all->left > 0.0
             ? ad_buffer_printf(out, "; the rest takes about %.3g core-hours", all->left / 3600.0)
             : AD_OK;
}

static int print_progress(const struct ad_study_summary *summary) {
  struct ad_buffer text = {0};
  const int status = study_describe_progress(summary, &text);
  if (status == AD_OK) {
    printf("\n%s\n", text.data);
  }
  ad_buffer_destroy(&text);
  return status;
}

/* The cells that run, the first few. */
static void print_running(const struct ad_cells *cells) {
  enum { MOST = 20 };
  size_t found = 0;
  for (size_t i = 0; i < cells->study->count; i++) {
    const struct ad_cell_record *r = &cells->records[i];
    char label[200];
    if (r->state != AD_CELL_RUNNING || found++ >= MOST) {
      continue;
    }
    printf("running: %s: ", ad_shown(ad_study_label(cells->study, &cells->study->cells[i], label, sizeof label)));
    if (r->steps > 0) {
      printf("step %" PRIu64 " of %" PRIu64 "\n", r->step, r->steps);
    } else {
      printf("before its first step\n");
    }
  }
  if (found > MOST) {
    printf("and %zu more run: --json has all\n", found - MOST);
  }
}

/* Cells that failed for reasons of their own, the first few. */
static void print_failures(const struct ad_cells *cells) {
  enum { MOST = 5 };
  size_t found = 0;
  for (size_t i = 0; i < cells->study->count; i++) {
    const struct ad_cell_record *r = &cells->records[i];
    char label[200];
    if (r->state == AD_CELL_FAILED && found++ < MOST) {
      printf("failed: %s: %s\n", ad_shown(ad_study_label(cells->study, &cells->study->cells[i], label, sizeof label)),
             r->message == NULL ? ad_status_text(r->status) : ad_shown(r->message));
    }
  }
  if (found > MOST) {
    printf("and %zu more failed\n", found - MOST);
  }
}

/* Finished cells of several arithmetics differ by more than their settings. */
static void print_arithmetics(const struct ad_cells *cells) {
  const char *first = NULL;
  for (size_t i = 0; i < cells->study->count; i++) {
    const struct ad_cell_record *r = &cells->records[i];
    if (r->state == AD_CELL_DONE && first == NULL) {
      first = r->arithmetic;
    } else if (r->state == AD_CELL_DONE && strcmp(r->arithmetic, first) != 0) {
      printf("warning: the finished cells have different arithmetics: %s, and %s\n", ad_shown(first),
             ad_shown(r->arithmetic));
      return;
    }
  }
}

int print_study(const struct ad_cells *cells, const struct ad_study_summary *summary) {
  enum { MOST_ARMS = 60 };
  const struct ad_study *s = cells->study;
  size_t width = 4;
  for (size_t k = 0; k < s->arm_count && k < MOST_ARMS; k++) {
    width = ad_text_widest(width, ad_shown(s->arms[k].name));
  }
  char title[40];
  snprintf(title, sizeof title, "%s.%s", ad_study_source_name(s->source), s->score->name);
  printf("%s in %s\n\n%-*s %6s %6s %8s %8s %7s %7s %12s %10s\n", ad_shown(s->name), ad_shown(s->dir), (int)width, "arm",
         "cells", "done", "running", "waiting", "failed", "bad run", title, "SD");
  for (size_t k = 0; k < s->arm_count && k < MOST_ARMS; k++) {
    print_row(s->arms[k].name, width, &summary->arms[k]);
  }
  if (s->arm_count > MOST_ARMS) {
    printf("... %zu more arms: --json has all\n", s->arm_count - MOST_ARMS);
  }
  if (s->arm_count > 1) {
    print_row("all", width, &summary->all);
  }
  AD_TRY(print_progress(summary));
  print_running(cells);
  print_failures(cells);
  print_arithmetics(cells);
  if (cells->unknown > 0) {
    printf("%zu lines of the table are of cells that the study file does not have\n", cells->unknown);
  }
  return AD_OK;
}
