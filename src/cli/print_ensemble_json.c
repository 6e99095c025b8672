/* What eval prints of several runs as JSON. */
#include <stdio.h>

#include "autodidact/base/json.h"
#include "autodidact/base/status.h"
#include "autodidact/store/rows.h"
#include "print_scores.h"

/* A number, or null where it is undefined. */
static void print_json_mean(const char *name, double value, size_t defined) {
  if (defined == 0) {
    printf(",\"%s\":null,\"%s_pairs\":0", name, name);
  } else {
    printf(",\"%s\":%.17g,\"%s_pairs\":%zu", name, value, name, defined);
  }
}

static void print_json_matrix(const struct ad_ensemble *e, const char *name, double mean, size_t pairs) {
  const size_t K = e->options->count;
  printf(",\"%s\":{\"matrix\":[", name);
  for (size_t i = 0; i < K * K; i++) {
    printf("%s%.17g%s", i % K == 0 ? (i == 0 ? "[" : ",[") : ",", e->matrix[i], i % K == K - 1 ? "]" : "");
  }
  printf("],\"mean\":%.17g},\"pairs\":%zu", mean, pairs);
}

static void print_json_diversity(const struct ad_ensemble *e) {
  const struct ad_diversity *d = &e->diversity;
  print_json_matrix(e, "disagreement", d->disagreement, d->pairs);
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

int print_ensemble_json(const struct ad_ensemble *e) {
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
  if (!e->options->average && e->data.task->numbers) {
    print_json_matrix(e, "difference", ad_ensemble_mean_difference(e), e->options->count * (e->options->count - 1) / 2);
  } else if (!e->options->average) {
    print_json_diversity(e);
  }
  printf("}\n");
  return AD_OK;
}
