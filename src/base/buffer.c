#include "autodidact/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

static int make_room(struct ad_buffer *buffer, size_t extra) {
  void *data = buffer->data;
  AD_TRY(ad_reserve(&data, &buffer->capacity, buffer->size + extra + 1, 1));
  buffer->data = data;
  return AD_OK;
}

int ad_buffer_append(struct ad_buffer *buffer, const void *data, size_t size) {
  AD_TRY(make_room(buffer, size));
  if (size > 0) {
    memcpy(buffer->data + buffer->size, data, size);
  }
  buffer->size += size;
  buffer->data[buffer->size] = '\0';
  return AD_OK;
}

int ad_buffer_puts(struct ad_buffer *buffer, const char *text) {
  return ad_buffer_append(buffer, text, strlen(text));
}

int ad_buffer_printf(struct ad_buffer *buffer, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (length < 0) {
    return ad_fail(AD_EINTERNAL, "a format could not be printed: %s", format);
  }
  AD_TRY(make_room(buffer, (size_t)length));
  va_start(args, format);
  vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, args);
  va_end(args);
  buffer->size += (size_t)length;
  return AD_OK;
}

void ad_buffer_clear(struct ad_buffer *buffer) {
  buffer->size = 0;
}

void ad_buffer_destroy(struct ad_buffer *buffer) {
  ad_free(buffer->data);
  *buffer = (struct ad_buffer){0};
}
