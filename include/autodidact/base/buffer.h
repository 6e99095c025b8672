/* A growing byte buffer: file contents, messages, lines of output. */
#ifndef AUTODIDACT_BASE_BUFFER_H
#define AUTODIDACT_BASE_BUFFER_H

#include <stddef.h>

/* Zero-initialise before use. `data` always has a NUL after `size` bytes once something was appended. */
struct ad_buffer {
  char *data;      /* [size] bytes, owned */
  size_t size;     /* bytes in use */
  size_t capacity; /* bytes allocated */
};

/* All return AD_OK or AD_ENOMEM. */
int ad_buffer_append(struct ad_buffer *buffer, const void *data, size_t size);
int ad_buffer_puts(struct ad_buffer *buffer, const char *text);
int ad_buffer_printf(struct ad_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ad_buffer_clear(struct ad_buffer *buffer);   /* size = 0, memory kept */
void ad_buffer_destroy(struct ad_buffer *buffer); /* memory released, zeroed */

#endif
