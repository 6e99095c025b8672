/* Two weights files, tensor by tensor: bits first, and values only of the first tensor that differs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/safetensors.h"
#include "compare.h"

enum { BLOCK = 4096 }; /* values converted at a time: an embedding table is not copied whole */

static int has_same_form(const struct ad_safetensor *a, const struct ad_safetensor *b) {
  return a->dtype == b->dtype && a->dimensions == b->dimensions &&
         memcmp(a->shape, b->shape, a->dimensions * sizeof *a->shape) == 0;
}

static int is_equal(const struct ad_safetensor *a, const struct ad_safetensor *b) {
  return has_same_form(a, b) && (a->bytes == 0 || memcmp(a->data, b->data, a->bytes) == 0);
}

static int is_float(enum ad_dtype dtype) {
  return dtype == AD_DTYPE_F32 || dtype == AD_DTYPE_F16 || dtype == AD_DTYPE_BF16;
}

static void describe(const struct ad_safetensor *tensor, char *text, size_t size) {
  char shape[160];
  snprintf(text, size, "%s %s", ad_dtype_name(tensor->dtype),
           ad_shape_text(tensor->shape, tensor->dimensions, shape, sizeof shape));
}

/* `count` values from `first` on, as a tensor. */
static struct ad_safetensor part(const struct ad_safetensor *tensor, size_t first, size_t count) {
  const size_t width = ad_dtype_bytes(tensor->dtype);
  struct ad_safetensor result = *tensor;
  result.data += first * width;
  result.count = count;
  result.bytes = count * width;
  return result;
}

static int compare_values(const struct ad_safetensors files[2], const struct ad_safetensor *a,
                          const struct ad_safetensor *b, struct ad_result_comparison *out) {
  float x[BLOCK], y[BLOCK];
  const size_t width = ad_dtype_bytes(a->dtype);
  out->values = a->count;
  for (size_t first = 0; first < a->count; first += BLOCK) {
    const size_t count = a->count - first < BLOCK ? a->count - first : BLOCK;
    const struct ad_safetensor parts[2] = {part(a, first, count), part(b, first, count)};
    if (is_float(a->dtype)) {
      AD_TRY(ad_safetensors_convert(&files[0], &parts[0], x));
      AD_TRY(ad_safetensors_convert(&files[1], &parts[1], y));
    }
    for (size_t i = 0; i < count; i++) {
      if (memcmp(parts[0].data + i * width, parts[1].data + i * width, width) == 0) {
        continue;
      }
      out->differing_values++;
      if (!is_float(a->dtype)) {
        continue;
      }
      if (!isfinite(x[i]) || !isfinite(y[i])) {
        out->not_finite++;
        continue;
      }
      out->largest =
          fmax(out->largest, fabs((double)x[i] - (double)y[i])); /* fmax passes over the NaN it starts from */
    }
  }
  return AD_OK;
}

/* Counts a tensor that differs; the first is looked at. a or b is NULL where its file does not have it. */
static int add(const struct ad_safetensors files[2], const struct ad_safetensor *a, const struct ad_safetensor *b,
               struct ad_result_comparison *out) {
  if (out->differing++ > 0) {
    return AD_OK;
  }
  const char *name = a != NULL ? a->name : b->name;
  out->first = ad_strdup(name);
  if (out->first == NULL) {
    return ad_fail_memory(strlen(name) + 1, "a tensor's name");
  }
  const struct ad_safetensor *const tensors[2] = {a, b};
  for (size_t i = 0; i < 2; i++) {
    if (tensors[i] != NULL) {
      describe(tensors[i], out->form[i], sizeof out->form[i]);
    }
  }
  out->comparable = a != NULL && b != NULL && has_same_form(a, b);
  return out->comparable ? compare_values(files, a, b, out) : AD_OK;
}

static int compare(const struct ad_safetensors files[2], struct ad_result_comparison *out) {
  for (size_t i = 0; i < files[0].count; i++) {
    const struct ad_safetensor *a = &files[0].tensors[i], *b = ad_safetensors_find(&files[1], a->name);
    if (b == NULL || !is_equal(a, b)) {
      AD_TRY(add(files, a, b, out));
    }
  }
  out->tensors = files[0].count;
  for (size_t i = 0; i < files[1].count; i++) {
    if (ad_safetensors_find(&files[0], files[1].tensors[i].name) == NULL) {
      out->tensors++;
      AD_TRY(add(files, NULL, &files[1].tensors[i], out));
    }
  }
  const struct ad_file_map *a = &files[0].map, *b = &files[1].map;
  out->header = out->differing == 0 && (a->size != b->size || memcmp(a->data, b->data, a->size) != 0);
  return AD_OK;
}

int ad_compare_results(const char *const paths[2], struct ad_result_comparison *out) {
  *out = (struct ad_result_comparison){.largest = NAN};
  struct ad_safetensors files[2] = {{0}};
  int status = ad_safetensors_open(&files[0], paths[0]);
  if (status == AD_OK) {
    status = ad_safetensors_open(&files[1], paths[1]);
  }
  if (status == AD_OK) {
    status = compare(files, out);
  }
  ad_safetensors_close(&files[0]);
  ad_safetensors_close(&files[1]);
  return status;
}

void ad_result_comparison_destroy(struct ad_result_comparison *comparison) {
  ad_free(comparison->first);
  comparison->first = NULL;
}
