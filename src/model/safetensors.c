#include "autodidact/model/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/looks.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "folder.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data are little-endian and are read in place");

enum { LENGTH_BYTES = 8 };
static const uint64_t HEADER_LIMIT = 100u * 1000u * 1000u; /* as in the format's own library */

static const struct {
  const char *name;
  size_t bytes;
} dtypes[] = {
#define AD_DTYPE_ROW(name, bytes) {#name, bytes},
    AD_DTYPE_MAP(AD_DTYPE_ROW)
#undef AD_DTYPE_ROW
};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

const char *ad_dtype_name(enum ad_dtype dtype) {
  return dtypes[dtype].name;
}

size_t ad_dtype_bytes(enum ad_dtype dtype) {
  return dtypes[dtype].bytes;
}

char *ad_shape_text(const size_t *shape, size_t dimensions, char *text, size_t size) {
  size_t used = (size_t)snprintf(text, size, "[");
  for (size_t i = 0; i < dimensions && used < size; i++) {
    used += (size_t)snprintf(text + used, size - used, "%s%zu", i == 0 ? "" : ", ", shape[i]);
  }
  if (used < size) {
    snprintf(text + used, size - used, "]");
  }
  return text;
}

/* A JSON number that is a size: an integer, not negative. */
static int read_size(const json_t *value, size_t *size) {
  if (!json_is_integer(value) || json_integer_value(value) < 0) {
    return 0;
  }
  *size = (size_t)json_integer_value(value);
  return 1;
}

static int read_dtype(const struct ad_safetensors *file, const json_t *entry, struct ad_safetensor *tensor) {
  const char *text = json_string_value(json_object_get(entry, "dtype"));
  if (text == NULL) {
    return ad_fail(AD_EINPUT, "%s: tensor %s: no dtype, expected one such as \"F32\"", file->name, tensor->name);
  }
  for (int i = 0; i < DTYPES; i++) {
    if (strcmp(text, dtypes[i].name) == 0) {
      tensor->dtype = (enum ad_dtype)i;
      return AD_OK;
    }
  }
  return ad_fail(AD_EINPUT, "%s: tensor %s: dtype \"%.40s\" is not supported, expected F32, F16 or BF16", file->name,
                 tensor->name, text);
}

/* Shape, element count and byte count; every product is checked. */
static int read_shape(const struct ad_safetensors *file, const json_t *entry, struct ad_safetensor *tensor) {
  const json_t *shape = json_object_get(entry, "shape");
  if (!json_is_array(shape)) {
    return ad_fail(AD_EINPUT, "%s: tensor %s: no shape, expected a list of sizes", file->name, tensor->name);
  }
  tensor->dimensions = json_array_size(shape);
  if (tensor->dimensions > AD_SAFETENSORS_DIMENSIONS) {
    return ad_fail(AD_EINPUT, "%s: tensor %s: %zu dimensions, expected at most %d", file->name, tensor->name,
                   tensor->dimensions, AD_SAFETENSORS_DIMENSIONS);
  }
  tensor->count = 1;
  for (size_t i = 0; i < tensor->dimensions; i++) {
    if (!read_size(json_array_get(shape, i), &tensor->shape[i])) {
      return ad_fail(AD_EINPUT, "%s: tensor %s: shape[%zu] is not a size (an integer from 0)", file->name, tensor->name,
                     i);
    }
    if (__builtin_mul_overflow(tensor->count, tensor->shape[i], &tensor->count)) {
      return ad_fail(AD_EINPUT, "%s: tensor %s: the shape overflows the number of elements", file->name, tensor->name);
    }
  }
  if (__builtin_mul_overflow(tensor->count, dtypes[tensor->dtype].bytes, &tensor->bytes)) {
    return ad_fail(AD_EINPUT, "%s: tensor %s: the shape overflows the number of bytes", file->name, tensor->name);
  }
  return AD_OK;
}

/* data_offsets [begin, end) must hold exactly the shape and lie inside the data [data_size]. */
static int read_offsets(const struct ad_safetensors *file, const json_t *entry, struct ad_safetensor *tensor,
                        const char *data, size_t data_size) {
  const json_t *offsets = json_object_get(entry, "data_offsets");
  size_t begin, end;
  if (!json_is_array(offsets) || json_array_size(offsets) != 2 || !read_size(json_array_get(offsets, 0), &begin) ||
      !read_size(json_array_get(offsets, 1), &end)) {
    return ad_fail(AD_EINPUT, "%s: tensor %s: data_offsets are not two integers from 0", file->name, tensor->name);
  }
  if (begin > end || end > data_size) {
    return ad_fail(AD_EINPUT,
                   "%s: tensor %s: data_offsets [%zu, %zu] leave the data, which have %zu bytes (is the file cut off?)",
                   file->name, tensor->name, begin, end, data_size);
  }
  if (end - begin != tensor->bytes) {
    char text[200];
    return ad_fail(AD_EINPUT, "%s: tensor %s: data_offsets span %zu bytes, but shape %s of %s takes %zu", file->name,
                   tensor->name, end - begin, ad_shape_text(tensor->shape, tensor->dimensions, text, sizeof text),
                   dtypes[tensor->dtype].name, tensor->bytes);
  }
  tensor->data = data + begin;
  return AD_OK;
}

static int check_metadata(const struct ad_safetensors *file, json_t *metadata) {
  if (!json_is_object(metadata)) {
    return ad_fail(AD_EINPUT, "%s: __metadata__ is not an object of strings", file->name);
  }
  const char *key;
  json_t *value;
  json_object_foreach(metadata, key, value) {
    if (!json_is_string(value)) {
      return ad_fail(AD_EINPUT, "%s: __metadata__ %.60s is not a string", file->name, key);
    }
  }
  return AD_OK;
}

static int read_entries(struct ad_safetensors *file, json_t *header, const char *data, size_t data_size) {
  file->tensors = ad_calloc(json_object_size(header), sizeof *file->tensors);
  if (file->tensors == NULL) {
    return ad_fail_memory(json_object_size(header) * sizeof *file->tensors, "the list of tensors");
  }
  const char *name;
  json_t *entry;
  json_object_foreach(header, name, entry) {
    if (strcmp(name, "__metadata__") == 0) {
      AD_TRY(check_metadata(file, entry));
      continue;
    }
    struct ad_safetensor *tensor = &file->tensors[file->count];
    tensor->name = ad_strdup(name);
    if (tensor->name == NULL) {
      return ad_fail_memory(strlen(name) + 1, "the name of a tensor");
    }
    file->count++;
    if (!json_is_object(entry)) {
      return ad_fail(AD_EINPUT, "%s: tensor %s: expected an object with dtype, shape and data_offsets", file->name,
                     name);
    }
    AD_TRY(read_dtype(file, entry, tensor));
    AD_TRY(read_shape(file, entry, tensor));
    AD_TRY(read_offsets(file, entry, tensor, data, data_size));
  }
  return AD_OK;
}

static int by_place(const void *a, const void *b) {
  const struct ad_safetensor *x = a, *y = b;
  if (x->data != y->data) {
    return x->data < y->data ? -1 : 1;
  }
  if (x->bytes != y->bytes) {
    return x->bytes < y->bytes ? -1 : 1;
  }
  return strcmp(x->name, y->name);
}

/* Sorts the tensors by place; then each must begin where the one before ends, and the last end where the file ends. */
static int check_places(struct ad_safetensors *file, const char *data, size_t data_size) {
  qsort(file->tensors, file->count, sizeof *file->tensors, by_place);
  size_t end = 0;
  for (size_t i = 0; i < file->count; i++) {
    const struct ad_safetensor *tensor = &file->tensors[i];
    const size_t begin = (size_t)(tensor->data - data);
    if (begin < end) {
      return ad_fail(AD_EINPUT,
                     "%s: tensors %s and %s overlap: one ends at byte %zu of the data, the other begins at %zu",
                     file->name, tensor[-1].name, tensor->name, end, begin);
    }
    if (begin > end) {
      return ad_fail(AD_EINPUT, "%s: bytes %zu to %zu of the data, before tensor %s, belong to no tensor", file->name,
                     end, begin, tensor->name);
    }
    end = begin + tensor->bytes;
  }
  if (end != data_size) {
    return ad_fail(AD_EINPUT, "%s: the last %zu bytes of the file belong to no tensor", file->name, data_size - end);
  }
  return AD_OK;
}

/* Whether the length of the header is written in characters. The length of a real one has bytes of 0. */
static int is_text(const char *bytes) {
  size_t i = 0;
  while (i < LENGTH_BYTES && ((unsigned char)bytes[i] >= ' ' || strchr("\t\n\r", bytes[i]) != NULL) && bytes[i] != 0 &&
         bytes[i] != '\x7f' && (unsigned char)bytes[i] < 0xf5) {
    i++;
  }
  return i == LENGTH_BYTES;
}

/* Checks the fixed start of the file and hands out the header's bytes. */
static int find_header(const struct ad_safetensors *file, const char *bytes, size_t size, size_t *header_size) {
  if (size < LENGTH_BYTES) {
    return ad_fail(AD_EINPUT, "%s: %zu bytes are too few for a safetensors file, which begins with an 8-byte length",
                   file->name, size);
  }
  uint64_t length;
  memcpy(&length, bytes, sizeof length);
  if (is_text(bytes)) {
    return ad_fail(AD_EINPUT, "%s: found text, expected a safetensors file (`autodidact data FILE` shows a data file)",
                   file->name);
  }
  if (length > HEADER_LIMIT) {
    return ad_fail(AD_EINPUT, "%s: a header of %llu bytes, expected at most %llu (is this a safetensors file?)",
                   file->name, (unsigned long long)length, (unsigned long long)HEADER_LIMIT);
  }
  if (length > size - LENGTH_BYTES) {
    return ad_fail(AD_EINPUT, "%s: the header has %llu bytes, but only %zu follow its length (is the file cut off?)",
                   file->name, (unsigned long long)length, size - LENGTH_BYTES);
  }
  if (length == 0 || bytes[LENGTH_BYTES] != '{') {
    return ad_fail(AD_EINPUT, "%s: the header does not begin with '{' (is this a safetensors file?)", file->name);
  }
  *header_size = (size_t)length;
  return AD_OK;
}

static int parse(struct ad_safetensors *file, const char *bytes, size_t size) {
  size_t header_size = 0;
  AD_TRY(find_header(file, bytes, size, &header_size));
  json_t *header;
  int status = ad_json_parse(&header, "header", 1, bytes + LENGTH_BYTES, header_size);
  if (status != AD_OK) {
    return ad_fail_prefix(status, "%s", file->name);
  }
  const char *data = bytes + LENGTH_BYTES + header_size;
  const size_t data_size = size - LENGTH_BYTES - header_size;
  status = read_entries(file, header, data, data_size);
  json_decref(header);
  return status == AD_OK ? check_places(file, data, data_size) : status;
}

int ad_safetensors_parse(struct ad_safetensors *file, const char *name, const void *data, size_t size) {
  *file = (struct ad_safetensors){.name = ad_strdup(name)};
  if (file->name == NULL) {
    return ad_fail_memory(strlen(name) + 1, "a path");
  }
  const int status = ad_looks_explain(parse(file, data, size), AD_LOOKS_SAFETENSORS, name, data, size);
  if (status != AD_OK) {
    ad_safetensors_close(file);
  }
  return status;
}

int ad_safetensors_open(struct ad_safetensors *file, const char *path) {
  *file = (struct ad_safetensors){0};
  struct ad_file_map map;
  AD_TRY(ad_file_map(path, &map));
  const int status = ad_safetensors_parse(file, path, map.data, map.size);
  if (status != AD_OK) {
    ad_file_unmap(&map);
    return status;
  }
  file->map = map;
  return AD_OK;
}

void ad_safetensors_close(struct ad_safetensors *file) {
  for (size_t i = 0; i < file->count; i++) {
    ad_free(file->tensors[i].name);
  }
  ad_free(file->tensors);
  ad_free(file->name);
  ad_file_unmap(&file->map);
  *file = (struct ad_safetensors){0};
}

const struct ad_safetensor *ad_safetensors_find(const struct ad_safetensors *file, const char *name) {
  for (size_t i = 0; i < file->count; i++) {
    if (strcmp(file->tensors[i].name, name) == 0) {
      return &file->tensors[i];
    }
  }
  return NULL;
}

static float float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

float ad_float_from_f16(uint16_t bits) {
  const uint32_t sign = (uint32_t)(bits & 0x8000u) << 16, exponent = bits >> 10 & 0x1fu, fraction = bits & 0x3ffu;
  if (exponent == 0x1f) { /* infinity or NaN: all ones in float32 too */
    return float_of_bits(sign | 0x7f800000u | fraction << 13);
  }
  if (exponent == 0) { /* zero or subnormal: fraction * 2^-24, exact */
    const float magnitude = (float)fraction * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  return float_of_bits(sign | (exponent + (127 - 15)) << 23 | fraction << 13);
}

float ad_float_from_bf16(uint16_t bits) {
  return float_of_bits((uint32_t)bits << 16);
}

int ad_safetensors_convert(const struct ad_safetensors *file, const struct ad_safetensor *tensor, float *out) {
  switch (tensor->dtype) {
    case AD_DTYPE_F32:
      if (tensor->bytes > 0) {
        memcpy(out, tensor->data, tensor->bytes);
      }
      return AD_OK;
    case AD_DTYPE_F16:
    case AD_DTYPE_BF16:
      for (size_t i = 0; i < tensor->count; i++) {
        uint16_t bits;
        memcpy(&bits, tensor->data + 2 * i, sizeof bits);
        out[i] = tensor->dtype == AD_DTYPE_F16 ? ad_float_from_f16(bits) : ad_float_from_bf16(bits);
      }
      return AD_OK;
    default:
      return ad_fail(AD_EINPUT, "%s: tensor %s has dtype %s, expected F32, F16 or BF16", file->name, tensor->name,
                     dtypes[tensor->dtype].name);
  }
}
