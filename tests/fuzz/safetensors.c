/* Fuzz target: any bytes as a safetensors file. What is accepted is converted whole, so that a sanitizer sees each read. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct ad_safetensors file;
  if (ad_safetensors_parse(&file, "input", bytes, size) != AD_OK) {
    return 0;
  }
  size_t total = 0;
  for (size_t i = 0; i < file.count; i++) {
    const struct ad_safetensor *tensor = &file.tensors[i];
    total += tensor->bytes;
    float *values = ad_malloc(tensor->count, sizeof *values);
    if (values == NULL || ad_safetensors_find(&file, tensor->name) != tensor) {
      abort();
    }
    const int status = ad_safetensors_convert(&file, tensor, values);
    if (status != AD_OK && status != AD_EINPUT) {
      abort();
    }
    ad_free(values);
  }
  if (total > size) { /* no byte belongs to two tensors */
    abort();
  }
  ad_safetensors_close(&file);
  return 0;
}
