/* What train prints at its end. */
#include "print_training.h"

#include <inttypes.h>
#include <stdio.h>

#include "autodidact/base/shown.h"

void print_training(const struct ad_training_summary *s) {
  const int alone = !s->has[AD_VARIANT_TEACHER] && !s->has[AD_VARIANT_RUN];
  const struct ad_score *first = &s->task->scores[0], *loss = &s->task->scores[s->task->score_count - 1];
  char value[AD_SCORE_TEXT];
  printf("%7s %8s", "epoch", "step");
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    if (s->scored[v]) {
      char title[40];
      snprintf(title, sizeof title, "%s %s", alone ? "dev" : ad_variant_name(v), first->title);
      printf(" %13s", title);
    }
  }
  printf(" %9s\n", "dev loss");
  for (size_t i = 0; i < s->evaluation_count; i++) {
    const struct ad_evaluation_point *e = &s->evaluations[i];
    printf("%7.2f %8" PRIu64, e->epoch, e->step);
    for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
      if (s->scored[v]) {
        printf(" %13s", ad_score_print(first, 4, e->score[v], value));
      }
    }
    printf(" %9s\n", ad_score_print(loss, 4, e->loss, value));
  }
  printf("\n%.0f examples/s in training; the run is in %s\n", (double)s->examples / s->seconds, ad_shown(s->folder));
}
