/* Marks of a picture. */
#include "picture.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"

void ad__picture_destroy(struct picture *p) {
  for (size_t i = 0; i < p->row_count; i++) {
    ad_free(p->rows[i]);
  }
  for (size_t i = 0; p->names != NULL && i <= PICTURE_COLOURS; i++) {
    ad_free(p->names[i]);
  }
  for (size_t i = 0; i < p->mark_count; i++) {
    ad_free(p->marks[i].title);
  }
  ad_free(p->rows);
  ad_free(p->names);
  ad_free(p->marks);
  ad_free(p->points);
  *p = (struct picture){0};
}

/* A copy of a text as people are shown it; NULL, and the picture's status, without memory. */
static char *copy(struct picture *p, const char *text) {
  struct ad_buffer shown = {0};
  char *copied = NULL;
  if (p->status == AD_OK) {
    p->status = ad_escape_append(&shown, text, strlen(text));
  }
  if (p->status == AD_OK) {
    copied = ad_strdup(shown.data == NULL ? "" : shown.data);
    p->status = copied == NULL ? ad_fail_memory(strlen(text), "a picture") : AD_OK;
  }
  ad_buffer_destroy(&shown);
  return copied;
}

double ad__picture_row(struct picture *p, const char *name) {
  if (p->status == AD_OK) {
    p->status = ad_reserve((void **)&p->rows, &p->row_capacity, p->row_count + 1, sizeof *p->rows);
  }
  char *copied = copy(p, name);
  if (copied == NULL) {
    return 0.0;
  }
  p->rows[p->row_count] = copied;
  return (double)p->row_count++;
}

void ad__picture_name(struct picture *p, size_t colour, const char *name) {
  if (p->status == AD_OK && p->names == NULL) {
    p->names = ad_calloc(PICTURE_COLOURS + 1, sizeof *p->names);
    p->status = p->names == NULL ? ad_fail_memory(PICTURE_COLOURS * sizeof *p->names, "a legend") : AD_OK;
  }
  char *copied = copy(p, name);
  if (copied != NULL) {
    ad_free(p->names[colour]);
    p->names[colour] = copied;
  }
}

static struct picture_mark *add(struct picture *p, const struct picture_mark *mark) {
  if (p->status == AD_OK) {
    p->status = ad_reserve((void **)&p->marks, &p->mark_capacity, p->mark_count + 1, sizeof *p->marks);
  }
  if (p->status != AD_OK) {
    return NULL;
  }
  p->marks[p->mark_count] = *mark;
  return &p->marks[p->mark_count++];
}

void ad__picture_mark(struct picture *p, enum picture_kind kind, size_t colour, double x, double y, double x2,
                      double y2) {
  add(p, &(struct picture_mark){.kind = kind, .colour = colour, .x = x, .y = y, .x2 = x2, .y2 = y2});
}

void ad__picture_path(struct picture *p, enum picture_kind kind, size_t colour) {
  add(p, &(struct picture_mark){.kind = kind, .colour = colour, .first = p->point_count});
}

void ad__picture_to(struct picture *p, double x, double y, double y2) {
  if (p->status != AD_OK || !isfinite(x) || !isfinite(y) || !isfinite(y2)) {
    return;
  }
  p->status = ad_reserve((void **)&p->points, &p->point_capacity, p->point_count + 1, sizeof *p->points);
  if (p->status == AD_OK) {
    p->points[p->point_count++] = (struct picture_point){x, y, y2};
    p->marks[p->mark_count - 1].count++;
  }
}

void ad__picture_title(struct picture *p, const char *format, ...) {
  char text[1000];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (p->status == AD_OK && p->mark_count > 0) {
    struct picture_mark *mark = &p->marks[p->mark_count - 1];
    ad_free(mark->title);
    mark->title = copy(p, text);
  }
}

void ad__picture_share(struct picture *p, double share) {
  if (p->status == AD_OK && p->mark_count > 0) {
    p->marks[p->mark_count - 1].share = share;
  }
}

void ad__picture_estimate(struct picture *p, size_t colour, double y, double x, double low, double high,
                          const char *title) {
  if (isfinite(low) && isfinite(high)) {
    ad__picture_mark(p, PICTURE_RANGE, colour, low, y, high, y);
    ad__picture_title(p, "%s", title);
  }
  ad__picture_mark(p, PICTURE_MEAN, colour, x, y, x, y);
  ad__picture_title(p, "%s", title);
}
