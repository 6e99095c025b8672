/* Pictures: marks in the units of their axes, written as SVG. Colours come from classes, so that one picture serves a
 * light page, a dark one and print (style.h); marks carry a title, which browsers show beside the pointer.
 *
 * What adds to a picture returns nothing: the first failure (AD_ENOMEM) stays in picture->status, and what comes after
 * it does nothing. Marks are drawn in their order. */
#ifndef AUTODIDACT_SRC_REPORT_PICTURE_H
#define AUTODIDACT_SRC_REPORT_PICTURE_H

#include <stddef.h>

#include "autodidact/base/buffer.h"

/* X(constant, class, shape): the places (x, y) and (x2, y2) mean what the shape needs. */
#define PICTURE_MAP(X)                                                                               \
  X(PICTURE_DOT, "dot", SHAPE_DISC)            /* a run */                                           \
  X(PICTURE_HIT, "hit", SHAPE_DISC)            /* a point of a curve, seen under the pointer only */ \
  X(PICTURE_CROSS, "cross", SHAPE_CROSS)       /* a failed run */                                    \
  X(PICTURE_MEAN, "mean", SHAPE_DISC)          /* an estimate */                                     \
  X(PICTURE_RANGE, "range", SHAPE_RANGE)       /* its interval: from x to x2, at y */                \
  X(PICTURE_BOX, "box", SHAPE_RECTANGLE)       /* from (x, y) to (x2, y2) */                         \
  X(PICTURE_CELL, "cell", SHAPE_RECTANGLE)     /* the same, as dark as the mark's share */           \
  X(PICTURE_STROKE, "stroke", SHAPE_SEGMENT)   /* from (x, y) to (x2, y2) */                         \
  X(PICTURE_EDGE, "edge", SHAPE_SEGMENT)       /* the same, thin and without colour */               \
  X(PICTURE_ZONE, "zone", SHAPE_COLUMN)        /* from x to x2, over the whole height */             \
  X(PICTURE_RULE, "rule", SHAPE_COLUMN)        /* at x, over the whole height */                     \
  X(PICTURE_LEVEL, "rule", SHAPE_LEVEL)        /* at y, over the whole width */                      \
  X(PICTURE_LABEL, "label", SHAPE_LABEL)       /* its title, beside (x, y) */                        \
  X(PICTURE_COUNT, "count", SHAPE_COUNT)       /* its title, at (x, y) */                            \
  X(PICTURE_LINE, "line", SHAPE_PATH)          /* a curve through points (x, y) */                   \
  X(PICTURE_DASHED, "line dashed", SHAPE_PATH) /* */                                                 \
  X(PICTURE_DOTTED, "line dotted", SHAPE_PATH) /* */                                                 \
  X(PICTURE_BAND, "band", SHAPE_BAND)          /* between y and y2 of points (x, y) (x, y2) */

#define PICTURE_ID(constant, class, shape) constant,
enum picture_kind { PICTURE_MAP(PICTURE_ID) PICTURE_KINDS };

enum { PICTURE_COLOURS = 8 };

struct picture_point {
  double x, y, y2;
};

struct picture_mark {
  enum picture_kind kind;
  size_t colour; /* 1 to PICTURE_COLOURS; 0: the ink */
  double x, y, x2, y2;
  double share;        /* of a cell: 0 to 1 */
  size_t first, count; /* points of a path */
  char *title;         /* NULL: none; owned */
};

/* Where low < high these are the ends, and what lies beyond is cut; else they are found from the marks. */
struct picture_axis {
  const char *label, *unit; /* not owned */
  double low, high;
  int log;   /* 1: logarithmic; marks at 0 or below are left out */
  int whole; /* 1: ticks at whole numbers only */
  int bare;  /* 1: neither ticks nor a grid */
  int down;  /* 1: of y, from the top down */
};

/* All zero at first, but for what the caller says of its size and axes. */
struct picture {
  int status;
  double width, height; /* in pixels of a screen; the height of a picture with rows is found from them, where it is 0 */
  struct picture_axis x, y;
  char **rows; /* [row_count] names beside y = 0, 1, ... from the top down; none: y is an axis of numbers; owned */
  size_t row_count, row_capacity;
  char **names;               /* [PICTURE_COLOURS + 1] of colours, for the legend; NULL: none; owned */
  int above;                  /* 1: a legend of few names above the marks; 0: at the right */
  struct picture_mark *marks; /* [mark_count] owned */
  size_t mark_count, mark_capacity;
  struct picture_point *points; /* [point_count] of all paths; owned */
  size_t point_count, point_capacity;
};

void ad__picture_destroy(struct picture *picture);

/* Adds a row and returns its y; the name is copied. */
double ad__picture_row(struct picture *picture, const char *name);

/* The name of a colour in the legend, copied. */
void ad__picture_name(struct picture *picture, size_t colour, const char *name);

/* Adds a mark; of a path the points follow by ad__picture_to, y2 being used by bands only. What is not finite is left
 * out. */
void ad__picture_mark(struct picture *picture, enum picture_kind kind, size_t colour, double x, double y, double x2,
                      double y2);
void ad__picture_path(struct picture *picture, enum picture_kind kind, size_t colour);
void ad__picture_to(struct picture *picture, double x, double y, double y2);

/* How dark the newest mark is, 0 to 1: of a cell. */
void ad__picture_share(struct picture *picture, double share);

/* The title of the newest mark. */
void ad__picture_title(struct picture *picture, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An estimate at (x, y) with its interval from low to high; a NaN for none. Both have the title. */
void ad__picture_estimate(struct picture *picture, size_t colour, double y, double x, double low, double high,
                          const char *title);

/* Appends the picture as <svg>, named and described for those who cannot see it; ids begin with `id`. style: written
 * into it, for a file of its own; NULL: the page has it. The first failure, or AD_ENOMEM. */
int ad__picture_svg(const struct picture *picture, const char *id, const char *title, const char *description,
                    const char *style, struct ad_buffer *out);

/* Ticks of an axis from low to high: about `most`, at multiples of 1, 2 or 5 times a power of ten; into ticks
 * [PICTURE_TICKS]. Returns their number. decimals: how many their labels need. */
enum { PICTURE_TICKS = 24 };
size_t ad__picture_ticks(double low, double high, int log, int whole, double *ticks, int *decimals);

/* Text as XML and HTML have it; and cut to `columns`, an ellipsis at its end. AD_ENOMEM. */
int ad__markup_text(struct ad_buffer *out, const char *text);
int ad__markup_cut(struct ad_buffer *out, const char *text, size_t columns);

#endif
