/* What eval prints of several runs. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/json.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "autodidact/store/rows.h"
#include "print_scores.h"

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

static void print_diversity(const struct ad_ensemble *e) {
  const size_t K = e->options->count;
  const struct ad_diversity *d = &e->diversity;
  printf("\ndisagreement of the voters (share of examples on which two predict differently)\n      ");
  for (size_t a = 0; a < K; a++) {
    printf(" %7zu", a + 1);
  }
  putchar('\n');
  for (size_t a = 0; a < K; a++) {
    printf("%6zu", a + 1);
    for (size_t b = 0; b < K; b++) {
      printf(" %6.2f%%", 100.0 * e->matrix[a * K + b]);
    }
    putchar('\n');
  }
  printf("\nmeans over the pairs of voters (Q and kappa: of right and wrong answers)\n%-13s  %.2f %%\n", "disagreement",
         100.0 * d->disagreement);
  print_mean("Yule's Q", d->q, d->q_pairs, d->pairs);
  print_mean("Cohen's kappa", d->kappa, d->kappa_pairs, d->pairs);
}

/* A number, or null where it is undefined. */
static void print_json_mean(const char *name, double value, size_t defined) {
  if (defined == 0) {
    printf(",\"%s\":null,\"%s_pairs\":0", name, name);
  } else {
    printf(",\"%s\":%.17g,\"%s_pairs\":%zu", name, value, name, defined);
  }
}

static void print_json_diversity(const struct ad_ensemble *e) {
  const size_t K = e->options->count;
  const struct ad_diversity *d = &e->diversity;
  printf(",\"disagreement\":{\"matrix\":[");
  for (size_t i = 0; i < K * K; i++) {
    printf("%s%.17g%s", i % K == 0 ? (i == 0 ? "[" : ",[") : ",", e->matrix[i], i % K == K - 1 ? "]" : "");
  }
  printf("],\"mean\":%.17g},\"pairs\":%zu", d->disagreement, d->pairs);
  print_json_mean("q", d->q, d->q_pairs);
  print_json_mean("kappa", d->kappa, d->kappa_pairs);
}

/* A run's name as a JSON string. */
static int quote(const char *run, struct ad_buffer *out) {
  json_t *name = json_string(run);
  const int status = name == NULL ? ad_fail(AD_ECONFIG, "%s: --json needs names of runs that are UTF-8", run)
                                  : ad_json_print(name, JSON_ENCODE_ANY, out);
  json_decref(name);
  return status;
}

static int print_json(const struct ad_ensemble *e) {
  char text[AD_ROW_TEXT];
  struct ad_buffer classes = {0};
  printf("{\"runs\":[");
  for (size_t k = 0; k < e->options->count; k++) {
    struct ad_buffer quoted = {0};
    const int status = quote(e->options->runs[k], &quoted);
    if (status == AD_OK) {
      printf("%s{\"run\":%s,%s}", k == 0 ? "" : ",", quoted.data, ad_scores_print(&e->own[k].scores, text));
    }
    ad_buffer_destroy(&quoted);
    AD_TRY(status);
  }
  AD_TRY(print_scoring_classes(&e->all, &e->session.descriptor, &classes));
  printf("],\"skipped\":%zu,\"mean_%s\":%.17g,\"%s\":{%s%s}", e->all.skipped, e->data.task->scores[0].name,
         ad_ensemble_mean_score(e), e->options->average ? "average" : "vote", ad_scores_print(&e->all.scores, text),
         classes.data);
  ad_buffer_destroy(&classes);
  if (!e->options->average) {
    print_json_diversity(e);
  }
  printf("}\n");
  return AD_OK;
}

int print_ensemble(struct ad_ensemble *e, int json) {
  if (json) {
    return print_json(e);
  }
  print_runs(e);
  printf("%s of the %zu runs\n", e->options->average ? "mean of the parameters" : "vote", e->options->count);
  print_scoring(stdout, &e->all, &e->session.descriptor);
  if (!e->options->average) {
    print_diversity(e);
  }
  return AD_OK;
}
