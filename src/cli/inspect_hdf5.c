/* autodidact inspect: which kind of an HDF5 file it is; logits. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/store/kind.h"
#include "autodidact/store/logits.h"
#include "autodidact/task/scores.h"
#include "inspect.h"

int inspect_is_hdf5(const char *path) {
  char head[8] = "";
  FILE *file;
  if (ad_file_stream(path, &file) != AD_OK) {
    return 0; /* whoever reads it says why */
  }
  const size_t count = fread(head, 1, sizeof head, file);
  ad_ignore(fclose(file));
  return count == sizeof head && memcmp(head, "\x89HDF\r\n\x1a\n", sizeof head) == 0;
}

/* The counts of each class. */
static void print_counts(const struct ad_metrics *metrics) {
  printf("\n%-6s  %10s  %12s  %s\n", "class", "labels", "predictions", "right");
  for (uint32_t c = 0; c < metrics->classes; c++) {
    printf("%-6" PRIu32 "  %10" PRIu64 "  %12" PRIu64 "  %" PRIu64 "\n", c, metrics->labels[c], metrics->predictions[c],
           metrics->right[c]);
  }
}

static int inspect_scores(const char *path, const struct ad_logits *l) {
  const struct ad_task *task = l->task;
  const struct summary s = inspect_summarise(l->logits, l->N * l->C);
  struct ad_scoring scoring;
  char value[AD_SCORE_TEXT];
  if (task == NULL || ad_task_words(task, l->C) != l->Q) {
    return ad_fail(AD_EINPUT, "%s: labels of %zu words, expected those of a task that this program has", path, l->Q);
  }
  const int status = ad_scoring_create(&scoring, (struct ad_labels){task, l->N, l->labels}, l->C, l->logits);
  if (status == AD_OK || status == AD_EDIVERGED) {
    printf("%s: logits of %zu examples, %zu %s\n", ad_shown(path), l->N, l->C, ad_task_outputs(task, l->C));
    for (size_t i = 0; i < task->score_count; i++) {
      printf("%s %s, ", task->scores[i].title, ad_score_print(&task->scores[i], 6, scoring.scores.value[i], value));
    }
    if (scoring.scores.threshold > 0.0) {
      printf("threshold %.6g, ", scoring.scores.threshold);
    }
    printf("logits from %.6g to %.6g, %zu not finite\n", s.least, s.most, s.not_finite);
    if (task->classes) {
      print_counts(&scoring.metrics);
    }
  }
  ad_scoring_destroy(&scoring);
  return status == AD_EDIVERGED ? AD_OK : status;
}

static int inspect_logits(const char *path) {
  struct ad_logits l;
  AD_TRY(ad_logits_read(&l, path));
  const int status = inspect_scores(path, &l);
  ad_logits_destroy(&l);
  return status;
}

int inspect_hdf5(const char *path) {
  enum ad_file_kind kind;
  AD_TRY(ad_file_kind(path, &kind));
  return kind == AD_FILE_CHECKPOINT  ? inspect_checkpoint(path)
         : kind == AD_FILE_SNAPSHOTS ? inspect_snapshots(path)
                                     : inspect_logits(path);
}
