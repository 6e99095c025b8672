/* autodidact inspect: safetensors files, and model folders with them. */
#include <math.h>
#include <stdio.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "autodidact/model/huggingface.h"
#include "autodidact/model/safetensors.h"
#include "inspect.h"

/* Norm and range of the finite values [count]. */
struct summary inspect_summarise(const float *values, size_t count) {
  struct summary s = {.least = INFINITY, .most = -INFINITY};
  double squares = 0.0;
  for (size_t i = 0; i < count; i++) {
    const double x = values[i];
    if (!isfinite(x)) {
      s.not_finite++;
      continue;
    }
    squares += x * x;
    s.least = x < s.least ? x : s.least;
    s.most = x > s.most ? x : s.most;
  }
  s.norm = sqrt(squares);
  return s;
}

static int is_float(const struct ad_safetensor *tensor) {
  return tensor->dtype == AD_DTYPE_F32 || tensor->dtype == AD_DTYPE_F16 || tensor->dtype == AD_DTYPE_BF16;
}

static int print_tensor(const struct ad_safetensors *file, const struct ad_safetensor *tensor, size_t width) {
  char shape[200], digest[17];
  const char *name = ad_shown(tensor->name);
  ad_shape_text(tensor->shape, tensor->dimensions, shape, sizeof shape);
  ad_digest_text(ad_digest(tensor->data, tensor->bytes), digest);
  printf("%s%*s  %-7s  %-16s", name, ad_text_fill(name, width), "", ad_dtype_name(tensor->dtype), shape);
  if (!is_float(tensor) || tensor->count == 0) {
    printf("  %12s  %13s  %13s  %10s  %s\n", "-", "-", "-", "-", digest);
    return AD_OK;
  }
  float *values = ad_malloc(tensor->count, sizeof *values);
  if (values == NULL) {
    return ad_fail_memory((unsigned long long)tensor->count * sizeof *values, "the values of a tensor");
  }
  const int status = ad_safetensors_convert(file, tensor, values);
  if (status == AD_OK) {
    const struct summary s = inspect_summarise(values, tensor->count);
    if (s.not_finite < tensor->count) {
      printf("  %12.6g  %13.6g  %13.6g  %10zu  %s\n", s.norm, s.least, s.most, s.not_finite, digest);
    } else {
      printf("  %12s  %13s  %13s  %10zu  %s\n", "-", "-", "-", s.not_finite, digest);
    }
  }
  ad_free(values);
  return status;
}

struct totals {
  size_t tensors, elements, bytes;
};

static int print_file(const struct ad_safetensors *file, struct totals *totals) {
  size_t width = 6;
  for (size_t i = 0; i < file->count; i++) {
    const size_t own = ad_text_widest(0, ad_shown(file->tensors[i].name));
    width = own > width && own <= 100 ? own : width;
  }
  printf("%s\n%-*s  %-7s  %-16s  %12s  %13s  %13s  %10s  %s\n", ad_shown(file->name), (int)width, "tensor", "type",
         "shape", "norm", "min", "max", "not finite", "digest");
  for (size_t i = 0; i < file->count; i++) {
    AD_TRY(print_tensor(file, &file->tensors[i], width));
    totals->elements += file->tensors[i].count;
    totals->bytes += file->tensors[i].bytes;
  }
  totals->tensors += file->count;
  return AD_OK;
}

/* One safetensors file, and the digest of all its bytes. */
static int inspect_file(const char *path, struct totals *totals) {
  struct ad_safetensors file;
  AD_TRY(ad_safetensors_open(&file, path));
  int status = print_file(&file, totals);
  if (status == AD_OK) {
    char digest[17];
    printf("digest of %s: %s\n\n", ad_shown(ad_path_name(path)),
           ad_digest_text(ad_digest(file.map.data, file.map.size), digest));
  }
  ad_safetensors_close(&file);
  return status;
}

static int inspect_folder(const char *folder, struct totals *totals) {
  struct ad_names files = {0};
  AD_TRY(inspect_model(folder));
  putchar('\n');
  int status = ad_model_list_files(folder, &files);
  for (size_t i = 0; status == AD_OK && i < files.count; i++) {
    status = inspect_file(files.items[i], totals);
  }
  ad_names_destroy(&files);
  return status;
}

int inspect_weights(const char *path) {
  struct totals totals = {0};
  AD_TRY(ad_is_folder(path) ? inspect_folder(path, &totals) : inspect_file(path, &totals));
  printf("%zu tensors, %zu values, %zu bytes\n", totals.tensors, totals.elements, totals.bytes);
  return AD_OK;
}
