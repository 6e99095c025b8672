/* Runs as TensorBoard reads them: an event file of scalars. Only written, never read.
 *
 * The file is a sequence of records (TFRecord): the length as uint64, its masked CRC-32C as uint32, the bytes, their
 * masked CRC-32C, all little-endian; masked(c) = (c rotated right by 15 bits) + 0xa282ead8. A record is a message Event
 * of protocol buffers: wall_time = 1 (double), step = 2 (int64), file_version = 3 (string) in the first one, or
 * summary = 5. A Summary has values = 1, each a tag = 1 (string) and a simple_value = 2 (float). Sources:
 * tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto, framework/summary.proto. */
#ifndef AUTODIDACT_STORE_EVENTS_H
#define AUTODIDACT_STORE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/buffer.h"

struct ad_event_value {
  const char *tag; /* "train/loss" */
  double value;    /* becomes a float */
};

/* CRC-32C (Castagnoli) of data [size]. */
uint32_t ad_crc32c(const void *data, size_t size);

/* Appends the record that a file begins with; one with the values [count] of a step that are finite, nothing where none
 * is. wall_time: seconds since 1970. AD_ENOMEM. */
int ad_events_begin(struct ad_buffer *out, double wall_time);
int ad_events_add(struct ad_buffer *out, double wall_time, uint64_t step, size_t count,
                  const struct ad_event_value *values);

/* Writes the log of a run, finished or not, as DIR/events.out.tfevents.0.autodidact; DIR is made, and a file of that
 * name there is replaced. Tags: train/loss, train/gradient_norm, train/learning_rate, with a teacher
 * train/teacher_distance; dev/SCORE of the result's variant, dev-VARIANT/SCORE of others. Times are those of
 * timing.jsonl since the run began, as far as it has them. Rows of the log that cannot be read are left out, *damaged
 * of them. AD_EINPUT (no run, no log), AD_ECONFIG, AD_EIO, AD_ENOMEM. */
int ad_events_export(const char *run, const char *folder, size_t *steps, size_t *evaluations, size_t *damaged);

#endif
