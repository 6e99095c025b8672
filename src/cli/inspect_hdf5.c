/* autodidact inspect: checkpoints, snapshots, logits. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/evaluate.h"
#include "autodidact/learn/metrics.h"
#include "autodidact/store/checkpoint.h"
#include "autodidact/store/kind.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/snapshot.h"
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

/* --- Checkpoints --- */

static void print_state(const char *path, const char *text) {
  json_t *state;
  ad_json_parse(&state, path, 1, text, strlen(text)); /* one that is none has nothing to show */
  const char *part, *name;
  json_t *values, *value;
  json_object_foreach(state, part, values) {
    json_object_foreach(values, name, value) {
      if (json_is_array(value)) {
        printf("  %-8s %-12s %zu entries\n", ad_shown(part), ad_shown(name), json_array_size(value));
        continue;
      }
      char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
      printf("  %-8s %-12s %s\n", ad_shown(part), ad_shown(name), shown == NULL ? "?" : ad_shown(shown));
      free(shown);
    }
  }
  json_decref(state);
}

/* A tensor of the newest row of a float vector, in a line. */
static int print_tensor(const struct ad_checkpoint *c, size_t v, size_t row, const struct ad_tensor *tensor,
                        float *values) {
  char shape[48];
  AD_TRY(ad_checkpoint_get(c, v, row, tensor->offset, tensor->count, values));
  const struct summary s = inspect_summarise(values, tensor->count);
  snprintf(shape, sizeof shape, tensor->vector ? "[%zu]" : "[%zu, %zu]", tensor->rows, tensor->columns);
  printf("%-58s  %-16s  %12.6g  %13.6g  %13.6g  %10zu\n", ad_shown(tensor->name), shape, s.norm, s.least, s.most,
         s.not_finite);
  return AD_OK;
}

static int print_vectors(const struct ad_checkpoint *c, const struct ad_params *params, float *values) {
  const struct ad_state_vector *vectors;
  const size_t count = ad_checkpoint_vectors(c, &vectors), P = ad_checkpoint_floats(c);
  char digest[17];
  printf("\n%-12s  %-7s  %-16s  %6s  %12s  %10s  %s\n", "vector", "type", "shape", "row", "norm", "not finite", "digest");
  for (size_t v = 0; v < count; v++) {
    const uint64_t *digests = ad_checkpoint_digests(c, v);
    int status = AD_OK;
    char shape[48];
    snprintf(shape, sizeof shape, vectors[v].slots > 1 ? "[%zu, %zu]" : "[%.0zu%zu]", vectors[v].slots > 1 ? vectors[v].filled : 0, P);
    for (size_t row = 0; row < vectors[v].filled && status == AD_OK; row++) {
      struct summary all = {0};
      for (size_t i = 0; i < params->tensor_count && status == AD_OK && vectors[v].bytes == 4; i++) {
        const struct ad_tensor *tensor = &params->tensors[i];
        status = ad_checkpoint_get(c, v, row, tensor->offset, tensor->count, values);
        const struct summary s = inspect_summarise(values, tensor->count);
        all.norm += s.norm * s.norm;
        all.not_finite += s.not_finite;
      }
      printf("%-12s  %-7s  %-16s  %6zu  ", vectors[v].name, vectors[v].bytes == 4 ? "float32" : "int64", shape, row);
      if (vectors[v].bytes == 4) {
        printf("%12.6g  %10zu  %s\n", sqrt(all.norm), all.not_finite, ad_digest_text(digests[row], digest));
      } else {
        printf("%12s  %10s  %s\n", "-", "-", ad_digest_text(digests[row], digest));
      }
    }
    AD_TRY(status);
  }
  return AD_OK;
}

static int inspect_checkpoint(const char *path) {
  struct ad_checkpoint *c;
  struct ad_params params = {0};
  AD_TRY(ad_checkpoint_probe(path, 1));
  AD_TRY(ad_checkpoint_open(&c, path, NULL));
  int status = ad_checkpoint_params(c, &params);
  size_t most = 1;
  for (size_t i = 0; i < params.tensor_count; i++) {
    most = params.tensors[i].count > most ? params.tensors[i].count : most;
  }
  float *values = ad_malloc(most, sizeof *values);
  status = status == AD_OK && values == NULL ? ad_fail_memory(most * sizeof *values, "the values of a tensor") : status;
  if (status == AD_OK) {
    printf("%s: checkpoint after step %" PRIu64 ", %zu parameters in %zu tensors\n", ad_shown(path),
           ad_checkpoint_step(c), ad_checkpoint_floats(c), params.tensor_count);
    print_state(path, ad_checkpoint_state(c));
    status = print_vectors(c, &params, values);
  }
  if (status == AD_OK) {
    printf("\n%-58s  %-16s  %12s  %13s  %13s  %10s\n", "tensor of the student", "shape", "norm", "min", "max", "not finite");
  }
  for (size_t i = 0; i < params.tensor_count && status == AD_OK; i++) {
    status = print_tensor(c, 0, 0, &params.tensors[i], values);
  }
  ad_free(values);
  ad_params_destroy(&params);
  ad_checkpoint_close(c);
  return status;
}

/* --- Snapshots --- */

/* First, and last value of a column of single numbers. */
static int print_ends(const struct ad_snapshot_file *f, size_t column, const struct ad_snapshot_column *c, size_t rows) {
  const size_t ends[2] = {0, rows - 1};
  for (int i = 0; i < 2; i++) {
    union {
      uint64_t count;
      double real;
    } value = {0};
    AD_TRY(ad_snapshot_file_get(f, column, ends[i], &value));
    if (strcmp(c->name, "scalars/parameters") == 0) {
      printf("  %s %016" PRIx64, i == 0 ? "first" : "last", value.count);
    } else if (c->kind == 'u') {
      printf("  %s %" PRIu64, i == 0 ? "first" : "last", value.count);
    } else {
      printf("  %s %.9g", i == 0 ? "first" : "last", value.real);
    }
  }
  putchar('\n');
  return AD_OK;
}

static int inspect_snapshots(const char *path) {
  struct ad_snapshot_file *f;
  const struct ad_snapshot_column *columns;
  const uint64_t *steps;
  AD_TRY(ad_snapshot_file_open(&f, path));
  const size_t rows = ad_snapshot_file_rows(f, &steps), count = ad_snapshot_file_columns(f, &columns);
  printf("%s: %zu snapshots, steps %" PRIu64 " to %" PRIu64 "%s\n\n%-20s  %-18s  %-9s  %s\n", ad_shown(path), rows,
         steps[0], steps[rows - 1],
         ad_snapshot_file_is_virtual(f) ? ", virtual datasets over the segments beside it" : "", "dataset", "shape",
         "unit", "meaning");
  int status = AD_OK;
  for (size_t i = 0; i < count && status == AD_OK; i++) {
    const struct ad_snapshot_column *c = &columns[i];
    char shape[64] = "";
    size_t used = c->once ? 0 : (size_t)snprintf(shape, sizeof shape, "%zu", rows);
    for (size_t d = 0; d < c->dimensions; d++) {
      used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%zu", used > 0 ? ", " : "", c->shape[d]);
    }
    printf("%-20s  [%s]%*s  %-9s  %s\n", ad_shown(c->name), shape, (int)(16 - strlen(shape)), "", ad_shown(c->unit),
           ad_shown(c->meaning));
    if (!c->once && c->dimensions == 0) {
      status = print_ends(f, i, c, rows);
    }
  }
  ad_snapshot_file_close(f);
  return status;
}

/* --- Logits --- */

static int inspect_logits(const char *path) {
  struct ad_logits l;
  struct ad_metrics metrics = {0};
  AD_TRY(ad_logits_read(&l, path));
  int status = ad_metrics_create(&metrics, (uint32_t)l.C);
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
