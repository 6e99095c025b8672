/* autodidact inspect: checkpoints. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/store/checkpoint.h"
#include "inspect.h"

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
  printf("\n%-12s  %-7s  %-16s  %6s  %12s  %10s  %s\n", "vector", "type", "shape", "row", "norm", "not finite",
         "digest");
  for (size_t v = 0; v < count; v++) {
    const uint64_t *digests = ad_checkpoint_digests(c, v);
    int status = AD_OK;
    char shape[48];
    snprintf(shape, sizeof shape, vectors[v].slots > 1 ? "[%zu, %zu]" : "[%.0zu%zu]",
             vectors[v].slots > 1 ? vectors[v].filled : 0, P);
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

int inspect_checkpoint(const char *path) {
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
    printf("\n%-58s  %-16s  %12s  %13s  %13s  %10s\n", "tensor of the student", "shape", "norm", "min", "max",
           "not finite");
  }
  for (size_t i = 0; i < params.tensor_count && status == AD_OK; i++) {
    status = print_tensor(c, 0, 0, &params.tensors[i], values);
  }
  ad_free(values);
  ad_params_destroy(&params);
  ad_checkpoint_close(c);
  return status;
}
