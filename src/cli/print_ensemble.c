/* What eval prints of several runs. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "print_scores.h"

/* 1 where the runs' numbers were averaged in place of a vote. */
static int averages_outputs(const struct ad_ensemble *e) {
  return !e->options->average && e->data.task->numbers;
}

/* Columns of the scores that stand where there is room for a few. */
static int brief_width(const struct ad_score *score) {
  const int title = (int)strlen(score->title) + 2;
  return title > 8 ? title : 8;
}

/* Their titles, or a row of values. */
static void print_brief(const struct ad_task *task, const struct ad_scores *scores) {
  char value[AD_SCORE_TEXT];
  for (size_t i = 0; i < task->score_count; i++) {
    const struct ad_score *s = &task->scores[i];
    if (s->brief) {
      printf("  %*s", brief_width(s), scores == NULL ? s->title : ad_score_print(s, 4, scores->value[i], value));
    }
  }
  putchar('\n');
}

static void print_runs(const struct ad_ensemble *e) {
  const size_t K = e->options->count;
  size_t width = strlen("mean");
  for (size_t k = 0; k < K; k++) {
    width = ad_text_widest(width, ad_shown(e->options->runs[k]));
  }
  const struct ad_score *first = &e->data.task->scores[0];
  char mean[AD_SCORE_TEXT];
  printf("each run alone\n      %-*s", (int)width, "run");
  print_brief(e->data.task, NULL);
  for (size_t k = 0; k < K; k++) {
    const char *run = ad_shown(e->options->runs[k]);
    printf("%4zu  %s%*s", k + 1, run, ad_text_fill(run, width), "");
    print_brief(e->data.task, &e->own[k].scores);
  }
  ad_score_print(first, 4, ad_ensemble_mean_score(e), mean);
  printf("      %-*s  %*s\n\n", (int)width, "mean", brief_width(first), mean);
}

/* A mean over pairs of voters, or that there is none. */
static void print_mean(const char *name, double value, size_t defined, size_t pairs) {
  if (defined == 0) {
    printf("%-13s  undefined (0/0 for each of %zu pairs)\n", name, pairs);
  } else if (defined < pairs) {
    printf("%-13s  %.4f (of %zu pairs; undefined, 0/0, for %zu)\n", name, value, defined, pairs - defined);
  } else {
    printf("%-13s  %.4f\n", name, value);
  }
}

/* Each number of the matrix times `scale`, with `unit` behind it. */
static void print_matrix(const struct ad_ensemble *e, int decimals, double scale, const char *unit) {
  const size_t K = e->options->count;
  printf("      ");
  for (size_t a = 0; a < K; a++) {
    printf(" %7zu", a + 1);
  }
  putchar('\n');
  for (size_t a = 0; a < K; a++) {
    printf("%6zu", a + 1);
    for (size_t b = 0; b < K; b++) {
      printf(" %*.*f%s", 7 - (int)strlen(unit), decimals, scale * e->matrix[a * K + b], unit);
    }
    putchar('\n');
  }
}

static void print_diversity(const struct ad_ensemble *e) {
  const struct ad_diversity *d = &e->diversity;
  printf("\ndisagreement of the voters (share of examples on which two predict differently)\n");
  print_matrix(e, 2, 100.0, "%");
  printf("\nmeans over the pairs of voters (Q and kappa: of right and wrong answers)\n%-13s  %.2f %%\n", "disagreement",
         100.0 * d->disagreement);
  print_mean("Yule's Q", d->q, d->q_pairs, d->pairs);
  print_mean("Cohen's kappa", d->kappa, d->kappa_pairs, d->pairs);
}

static void print_differences(const struct ad_ensemble *e) {
  printf("\ndifference of the runs (root mean square of the difference of two runs' outputs)\n");
  print_matrix(e, 4, 1.0, "");
  printf("\nover all pairs of runs  %.4f\n", ad_ensemble_mean_difference(e));
}

int print_ensemble(struct ad_ensemble *e, int json) {
  if (json) {
    return print_ensemble_json(e);
  }
  print_runs(e);
  printf("%s of the %zu runs\n",
         e->options->average   ? "mean of the parameters"
         : averages_outputs(e) ? "mean of the outputs"
                               : "vote",
         e->options->count);
  print_scoring(stdout, &e->all, &e->session.descriptor);
  if (averages_outputs(e)) {
    print_differences(e);
  } else if (!e->options->average) {
    print_diversity(e);
  }
  return AD_OK;
}
