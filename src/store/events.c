#include "autodidact/store/events.h"

#include <math.h>
#include <string.h>

#include "autodidact/base/status.h"

/* ---- Records ---- */

uint32_t ad_crc32c(const void *data, size_t size) {
  static const uint32_t POLYNOMIAL = 0x82f63b78; /* reversed */
  const unsigned char *bytes = data;
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < size; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) {
      crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    }
  }
  return ~crc;
}

static int put_little(struct ad_buffer *out, uint64_t value, size_t bytes) {
  unsigned char text[8];
  for (size_t i = 0; i < bytes; i++) {
    text[i] = (unsigned char)(value >> 8 * i);
  }
  return ad_buffer_append(out, text, bytes);
}

static int put_checksum(struct ad_buffer *out, const void *data, size_t size) {
  const uint32_t crc = ad_crc32c(data, size);
  return put_little(out, (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8U), 4);
}

static int put_record(struct ad_buffer *out, const struct ad_buffer *event) {
  const size_t begin = out->size;
  AD_TRY(put_little(out, event->size, 8));
  AD_TRY(put_checksum(out, out->data + begin, 8));
  AD_TRY(ad_buffer_append(out, event->data, event->size));
  return put_checksum(out, event->data, event->size);
}

/* ---- Messages ---- */

/* A field's key: its number and how it is written. */
enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static int put_varint(struct ad_buffer *out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    AD_TRY(put_little(out, value | 0x80, 1));
  }
  return put_little(out, value, 1);
}

static int put_key(struct ad_buffer *out, unsigned field, enum wire wire) {
  return put_varint(out, field << 3 | wire);
}

static int put_bytes(struct ad_buffer *out, unsigned field, const char *data, size_t size) {
  AD_TRY(put_key(out, field, WIRE_BYTES));
  AD_TRY(put_varint(out, size));
  return ad_buffer_append(out, data, size);
}

/* A member that has its type's default, 0, is left out, as protocol buffers have it. */
static int put_place(struct ad_buffer *out, double wall_time, uint64_t step) {
  uint64_t bits;
  memcpy(&bits, &wall_time, sizeof bits);
  if (bits != 0) {
    AD_TRY(put_key(out, 1, WIRE_64));
    AD_TRY(put_little(out, bits, 8));
  }
  if (step != 0) {
    AD_TRY(put_key(out, 2, WIRE_VARINT));
    AD_TRY(put_varint(out, step));
  }
  return AD_OK;
}

static int put_value(struct ad_buffer *summary, const struct ad_event_value *value) {
  const float single = (float)value->value;
  struct ad_buffer text = {0};
  uint32_t bits;
  memcpy(&bits, &single, sizeof bits);
  int status = put_bytes(&text, 1, value->tag, strlen(value->tag));
  status = status == AD_OK ? put_key(&text, 2, WIRE_32) : status;
  status = status == AD_OK ? put_little(&text, bits, 4) : status;
  status = status == AD_OK ? put_bytes(summary, 1, text.data, text.size) : status;
  ad_buffer_destroy(&text);
  return status;
}

int ad_events_begin(struct ad_buffer *out, double wall_time) {
  static const char version[] = "brain.Event:2";
  struct ad_buffer event = {0};
  int status = put_place(&event, wall_time, 0);
  status = status == AD_OK ? put_bytes(&event, 3, version, sizeof version - 1) : status;
  status = status == AD_OK ? put_record(out, &event) : status;
  ad_buffer_destroy(&event);
  return status;
}

int ad_events_add(struct ad_buffer *out, double wall_time, uint64_t step, size_t count,
                  const struct ad_event_value *values) {
  struct ad_buffer event = {0}, summary = {0};
  int status = AD_OK;
  for (size_t i = 0; i < count && status == AD_OK; i++) {
    status = isfinite(values[i].value) ? put_value(&summary, &values[i]) : AD_OK;
  }
  if (status == AD_OK && summary.size > 0) {
    status = put_place(&event, wall_time, step);
    status = status == AD_OK ? put_bytes(&event, 5, summary.data, summary.size) : status;
    status = status == AD_OK ? put_record(out, &event) : status;
  }
  ad_buffer_destroy(&event);
  ad_buffer_destroy(&summary);
  return status;
}
