#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/safetensors.h"
#include "folder.h"
#include "output.h"

static size_t elements(const struct ad_safetensor_source *tensor) {
  size_t count = 1;
  for (size_t i = 0; i < tensor->dimensions; i++) {
    count *= tensor->shape[i];
  }
  return count;
}

static int json_fill(void *target, json_t *value) {
  return value == NULL ? -1 : json_array_append_new(target, value);
}

/* {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]}; NULL when out of memory. */
static json_t *describe(const struct ad_safetensor_source *tensor, size_t begin, size_t end) {
  json_t *entry = json_object(), *shape = json_array(), *offsets = json_array();
  int failed = entry == NULL || shape == NULL || offsets == NULL;
  for (size_t i = 0; !failed && i < tensor->dimensions; i++) {
    failed = json_fill(shape, json_integer((json_int_t)tensor->shape[i])) != 0;
  }
  failed = failed || json_fill(offsets, json_integer((json_int_t)begin)) != 0 ||
           json_fill(offsets, json_integer((json_int_t)end)) != 0 ||
           json_object_set_new(entry, "dtype", json_string("F32")) != 0 ||
           json_object_set(entry, "shape", shape) != 0 || json_object_set(entry, "data_offsets", offsets) != 0;
  json_decref(shape);
  json_decref(offsets);
  if (failed) {
    json_decref(entry);
    return NULL;
  }
  return entry;
}

static json_t *make_header(const struct ad_safetensor_source *tensors, size_t count) {
  json_t *header = json_object();
  int failed = header == NULL || json_object_set_new(header, "__metadata__", json_pack("{s:s}", "format", "pt")) != 0;
  size_t begin = 0;
  for (size_t i = 0; !failed && i < count; i++) {
    const size_t end = begin + elements(&tensors[i]) * sizeof(float);
    failed = json_object_set_new(header, tensors[i].name, describe(&tensors[i], begin, end)) != 0;
    begin = end;
  }
  if (failed) {
    json_decref(header);
    return NULL;
  }
  return header;
}

/* The 8-byte length and the header into `text`, padded with spaces so that the data begin at a multiple of 8 bytes. */
static int header_text(const struct ad_safetensor_source *tensors, size_t count, struct ad_buffer *text) {
  json_t *header = make_header(tensors, count);
  if (header == NULL) {
    return ad_fail_memory(100 * count, "the header of a safetensors file");
  }
  if (json_object_size(header) != count + 1) {
    json_decref(header);
    return ad_fail(AD_EINTERNAL, "two tensors of a safetensors file have the same name");
  }
  uint64_t length = 0;
  int status = ad_buffer_append(text, &length, sizeof length);
  if (status == AD_OK) {
    status = ad_json_print(header, JSON_COMPACT, text);
  }
  json_decref(header);
  AD_TRY(status);
  while (text->size % sizeof length != 0) {
    AD_TRY(ad_buffer_append(text, " ", 1));
  }
  length = text->size - sizeof length;
  memcpy(text->data, &length, sizeof length);
  return AD_OK;
}

int ad_safetensors_write(const char *path, const struct ad_safetensor_source *tensors, size_t count) {
  struct ad_buffer header = {0};
  struct ad_output output;
  int status = header_text(tensors, count, &header);
  if (status == AD_OK) {
    status = ad_output_begin(&output, path);
  }
  if (status != AD_OK) {
    ad_buffer_destroy(&header);
    return status;
  }
  status = ad_output_write(&output, header.data, header.size);
  for (size_t i = 0; status == AD_OK && i < count; i++) {
    status = ad_output_write(&output, tensors[i].data, elements(&tensors[i]) * sizeof(float));
  }
  ad_buffer_destroy(&header);
  return ad_output_end(&output, status);
}
