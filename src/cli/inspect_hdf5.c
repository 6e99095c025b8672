/* autodidact inspect: which kind of an HDF5 file it is; logits. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/store/kind.h"
#include "autodidact/store/logits.h"
#include "autodidact/task/metrics.h"
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

static int inspect_logits(const char *path) {
  struct ad_logits l;
  struct ad_metrics metrics = {0};
  AD_TRY(ad_logits_read(&l, path));
  int status = l.Q == 1 ? ad_metrics_create(&metrics, (uint32_t)l.C)
                        : ad_fail(AD_EINPUT, "%s: labels of %zu words are no classes", path, l.Q);
  for (size_t n = 0; n < l.N && status == AD_OK; n++) {
    const uint32_t guess = ad_metrics_predict(l.C, l.logits + n * l.C);
    status = ad_metrics_add(&metrics, 1, &l.labels[n], &guess);
  }
  if (status == AD_OK) {
    const struct summary s = inspect_summarise(l.logits, l.N * l.C);
    printf(
        "%s: logits of %zu examples, %zu classes\n"
        "error %.4f %%, macro F1 %.6f, cross entropy %.6f nats; logits from %.6g to %.6g, %zu not finite\n\n"
        "%-6s  %10s  %12s  %s\n",
        ad_shown(path), l.N, l.C, 100.0 * ad_metrics_error(&metrics), ad_metrics_macro_f1(&metrics),
        ad_mean_cross_entropy(l.N, l.C, l.logits, l.labels), s.least, s.most, s.not_finite, "class", "labels",
        "predictions", "right");
  }
  for (uint32_t c = 0; c < l.C && status == AD_OK; c++) {
    printf("%-6" PRIu32 "  %10" PRIu64 "  %12" PRIu64 "  %" PRIu64 "\n", c, metrics.labels[c], metrics.predictions[c],
           metrics.right[c]);
  }
  ad_metrics_destroy(&metrics);
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
