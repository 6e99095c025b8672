/* Pictures as SVG. Letters: coordinates of axes are x and y, those of the screen are u and v. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "picture.h"

enum {
  TOP = 14,
  RIGHT = 20,
  BOTTOM = 50,
  LEFT = 66, /* of an axis of numbers */
  LEGEND = 170,
  LEGEND_LINE = 22,
  ROW = 36,
  ROW_NAME = 24,    /* columns of a row's name, at most */
  LEGEND_NAME = 20, /* of a name in the legend */
  LABEL_NAME = 28,
  COLUMN = 7 /* pixels of a column of text */
};

static const double ROW_ABOVE = 0.6; /* half a row and a bit of space, in rows */

enum shape {
  SHAPE_DISC,
  SHAPE_CROSS,
  SHAPE_RANGE,
  SHAPE_RECTANGLE,
  SHAPE_SEGMENT,
  SHAPE_COLUMN,
  SHAPE_LEVEL,
  SHAPE_LABEL,
  SHAPE_COUNT,
  SHAPE_PATH,
  SHAPE_BAND
};

#define PICTURE_LOOK(constant, class, shape) {class, shape},
static const struct {
  const char *class;
  enum shape shape;
} looks[PICTURE_KINDS] = {PICTURE_MAP(PICTURE_LOOK)};

/* An axis with its ends, and where these are on the screen. */
struct scale {
  struct picture_axis axis;
  double from, to;
};

struct drawing {
  const struct picture *p;
  struct ad_buffer *out;
  struct scale x, y;
  double top, height;
  const char *id;
};

int ad__markup_text(struct ad_buffer *out, const char *text) {
  for (; *text != '\0'; text++) {
    const char *entity = *text == '&'   ? "&amp;"
                         : *text == '<' ? "&lt;"
                         : *text == '>' ? "&gt;"
                         : *text == '"' ? "&quot;"
                                        : NULL;
    AD_TRY(entity != NULL ? ad_buffer_puts(out, entity) : ad_buffer_append(out, text, 1));
  }
  return AD_OK;
}

static size_t character(const char *text) {
  size_t size = 1;
  while (((unsigned char)text[size] & 0xC0) == 0x80) {
    size++;
  }
  return size;
}

int ad__markup_cut(struct ad_buffer *out, const char *text, size_t columns) {
  if (ad_text_width(text, strlen(text)) <= columns) {
    return ad__markup_text(out, text);
  }
  size_t size = 0;
  while (text[size] != '\0' && ad_text_width(text, size + character(text + size)) < columns) {
    size += character(text + size);
  }
  struct ad_buffer part = {0};
  int status = ad_buffer_append(&part, text, size);
  status = status == AD_OK ? ad_buffer_puts(&part, "\u2026") : status;
  status = status == AD_OK ? ad__markup_text(out, part.data) : status;
  ad_buffer_destroy(&part);
  return status;
}

/* ---- Axes ---- */

static double position(const struct picture_axis *axis, double value) {
  return axis->log ? ad_math_log(value) : value;
}

static double on_screen(const struct scale *s, double value) {
  const double low = position(&s->axis, s->axis.low), high = position(&s->axis, s->axis.high);
  return s->from + (s->to - s->from) * (position(&s->axis, value) - low) / (high - low);
}

static double inside(const struct picture_axis *axis, double value) {
  return fmin(fmax(value, axis->low), axis->high);
}

static int is_inside(const struct picture_axis *axis, double value) {
  return value >= axis->low && value <= axis->high;
}

static void widen(struct picture_axis *axis, double value) {
  if (isfinite(value) && (!axis->log || value > 0.0)) {
    axis->low = fmin(axis->low, value);
    axis->high = fmax(axis->high, value);
  }
}

/* A little space beyond the outermost marks. */
static void pad(struct picture_axis *axis) {
  static const double SPACE = 0.04;
  if (!(axis->low <= axis->high)) {
    axis->low = axis->log ? 0.5 : 0.0;
    axis->high = axis->log ? 2.0 : 1.0;
  } else if (axis->log) {
    const double ratio = axis->low < axis->high ? ad_math_pow(axis->high / axis->low, SPACE) : 1.1;
    axis->low /= ratio;
    axis->high *= ratio;
  } else {
    const double space = axis->low < axis->high ? SPACE * (axis->high - axis->low)
                         : axis->low == 0.0     ? 1.0
                                                : 0.1 * fabs(axis->low);
    axis->low -= space;
    axis->high += space;
  }
}

/* The axis, its ends found from the marks where the caller says none. */
static struct picture_axis find_ends(const struct picture *p, const struct picture_axis *given, int vertical) {
  struct picture_axis axis = *given;
  if (axis.low < axis.high) {
    return axis;
  }
  axis.low = INFINITY;
  axis.high = -INFINITY;
  for (size_t i = 0; i < p->mark_count; i++) {
    const struct picture_mark *m = &p->marks[i];
    const enum shape shape = looks[m->kind].shape;
    if (shape == SHAPE_PATH || shape == SHAPE_BAND) {
      for (size_t k = m->first; k < m->first + m->count; k++) {
        widen(&axis, vertical ? p->points[k].y : p->points[k].x);
        widen(&axis, vertical && shape == SHAPE_BAND ? p->points[k].y2 : NAN);
      }
    } else if (shape != (vertical ? SHAPE_COLUMN : SHAPE_LEVEL)) {
      widen(&axis, vertical ? m->y : m->x);
      widen(&axis, vertical ? m->y2 : m->x2);
    }
  }
  pad(&axis);
  return axis;
}

static size_t widest_row(const struct picture *p) {
  size_t widest = 0;
  for (size_t i = 0; i < p->row_count; i++) {
    widest = ad_text_widest(widest, p->rows[i]);
  }
  return widest < ROW_NAME ? widest : ROW_NAME;
}

static void tick_text(double value, int decimals, char *text, size_t size) {
  enum { LONGEST = 5 };
  const int plain = decimals >= 0 && decimals <= LONGEST && fabs(value) < 1e6;
  snprintf(text, size, plain ? "%.*f" : "%.*g", plain ? decimals : 3, value);
}

/* Room left of an axis of numbers: for its label and its longest tick. */
static double room_for_ticks(const struct picture_axis *axis) {
  enum { LABEL = 38 };
  double ticks[PICTURE_TICKS], room = LEFT;
  int decimals;
  const size_t count = ad__picture_ticks(axis->low, axis->high, axis->log, axis->whole, ticks, &decimals);
  for (size_t i = 0; i < count && !axis->bare; i++) {
    char text[40];
    tick_text(ticks[i], decimals, text, sizeof text);
    room = fmax(room, LABEL + COLUMN * (double)strlen(text));
  }
  return room;
}

static struct drawing lay_out(const struct picture *p, const char *id, struct ad_buffer *out) {
  struct drawing d = {.p = p, .out = out, .id = id, .height = p->height, .top = TOP + (p->above ? LEGEND_LINE : 0)};
  double left = 22.0 + COLUMN * (double)widest_row(p);
  if (p->row_count > 0) {
    d.height = p->height > 0.0 ? p->height : d.top + BOTTOM + ROW * (double)p->row_count;
    d.y = (struct scale){p->y, d.top, d.height - BOTTOM};
    d.y.axis.low = -ROW_ABOVE;
    d.y.axis.high = (double)p->row_count - 1.0 + ROW_ABOVE;
  } else {
    d.y = (struct scale){find_ends(p, &p->y, 1), p->y.down ? d.top : d.height - BOTTOM,
                         p->y.down ? d.height - BOTTOM : d.top};
    left = room_for_ticks(&d.y.axis);
  }
  d.x = (struct scale){find_ends(p, &p->x, 0), left, p->width - (p->names != NULL && !p->above ? LEGEND : RIGHT)};
  return d;
}

/* length: pixels that it may take. */
static int axis_label(const struct drawing *d, const struct picture_axis *axis, double length, const char *place) {
  if (axis->label == NULL) {
    return AD_OK;
  }
  AD_TRY(ad_buffer_printf(d->out, "<text class=\"name\" %s>", place));
  AD_TRY(ad__markup_cut(d->out, axis->label, (size_t)(length / COLUMN)));
  if (axis->unit != NULL && axis->unit[0] != '\0') {
    AD_TRY(ad_buffer_puts(d->out, " ("));
    AD_TRY(ad__markup_text(d->out, axis->unit));
    AD_TRY(ad_buffer_puts(d->out, ")"));
  }
  return ad_buffer_puts(d->out, "</text>\n");
}

static int draw_ticks(const struct drawing *d, const struct scale *s, int vertical) {
  double ticks[PICTURE_TICKS];
  int decimals;
  const size_t count =
      s->axis.bare ? 0 : ad__picture_ticks(s->axis.low, s->axis.high, s->axis.log, s->axis.whole, ticks, &decimals);
  for (size_t i = 0; i < count; i++) {
    const double at = on_screen(s, ticks[i]);
    char text[40];
    tick_text(ticks[i], decimals, text, sizeof text);
    if (vertical) {
      AD_TRY(ad_buffer_printf(d->out,
                              "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text x=\"%.1f\" y=\"%.1f\" "
                              "text-anchor=\"end\">%s</text>\n",
                              d->x.from, at, d->x.to, d->x.from - 7, at + 4, text));
    } else {
      AD_TRY(ad_buffer_printf(d->out,
                              "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/><text x=\"%.1f\" y=\"%.1f\" "
                              "text-anchor=\"middle\">%s</text>\n",
                              at, d->top, d->height - BOTTOM, at, d->height - BOTTOM + 17, text));
    }
  }
  return AD_OK;
}

static int draw_rows(const struct drawing *d) {
  for (size_t i = 0; i < d->p->row_count; i++) {
    AD_TRY(ad_buffer_printf(d->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", d->x.from - 10,
                            on_screen(&d->y, (double)i) + 4));
    AD_TRY(ad__markup_cut(d->out, d->p->rows[i], ROW_NAME));
    AD_TRY(ad_buffer_puts(d->out, "<title>"));
    AD_TRY(ad__markup_text(d->out, d->p->rows[i]));
    AD_TRY(ad_buffer_puts(d->out, "</title></text>\n"));
  }
  return AD_OK;
}

static int draw_axes(const struct drawing *d) {
  char place[160];
  AD_TRY(draw_ticks(d, &d->x, 0));
  AD_TRY(d->p->row_count > 0 ? draw_rows(d) : draw_ticks(d, &d->y, 1));
  if (!d->x.axis.bare) {
    AD_TRY(ad_buffer_printf(d->out, "<path class=\"axis\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", d->x.from, d->top,
                            d->height - BOTTOM, d->x.to));
  }
  snprintf(place, sizeof place, "x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\"", (d->x.from + d->x.to) / 2,
           d->height - 12);
  AD_TRY(axis_label(d, &d->x.axis, d->p->width, place));
  const double middle = (d->top + d->height - BOTTOM) / 2;
  snprintf(place, sizeof place, "x=\"16\" y=\"%.1f\" text-anchor=\"middle\" transform=\"rotate(-90 16 %.1f)\"", middle,
           middle);
  return d->p->row_count > 0 ? AD_OK : axis_label(d, &d->y.axis, d->height, place);
}

static int draw_legend(const struct drawing *d) {
  enum { SWATCH = 22, GAP = 18 };
  double u = d->p->above ? d->x.from : d->x.to + 16, v = TOP + 4;
  for (size_t c = 0; d->p->names != NULL && c <= PICTURE_COLOURS; c++) {
    const char *name = d->p->names[c];
    if (name == NULL) {
      continue;
    }
    AD_TRY(ad_buffer_printf(d->out, "<path class=\"line c%zu\" d=\"M%.1f %.1fh16\"/><text x=\"%.1f\" y=\"%.1f\">", c, u,
                            v, u + SWATCH, v + 4));
    AD_TRY(ad__markup_cut(d->out, name, LEGEND_NAME));
    AD_TRY(ad_buffer_puts(d->out, "<title>"));
    AD_TRY(ad__markup_text(d->out, name));
    AD_TRY(ad_buffer_puts(d->out, "</title></text>\n"));
    const size_t columns = ad_text_widest(0, name);
    u += d->p->above ? SWATCH + GAP + COLUMN * (double)(columns < LEGEND_NAME ? columns : LEGEND_NAME) : 0.0;
    v += d->p->above ? 0.0 : LEGEND_LINE;
  }
  return AD_OK;
}

/* ---- Marks ---- */

static int path_points(const struct drawing *d, const struct picture_mark *m, int band) {
  const struct picture_point *points = d->p->points + m->first;
  for (size_t k = 0; k < m->count; k++) {
    AD_TRY(ad_buffer_printf(d->out, "%s%.1f %.1f", k == 0 ? "M" : "L", on_screen(&d->x, points[k].x),
                            on_screen(&d->y, inside(&d->y.axis, points[k].y))));
  }
  for (size_t k = m->count; band && k-- > 0;) {
    AD_TRY(ad_buffer_printf(d->out, "L%.1f %.1f", on_screen(&d->x, points[k].x),
                            on_screen(&d->y, inside(&d->y.axis, points[k].y2))));
  }
  return AD_OK;
}

/* A horizontal line; an arrow where it goes on beyond the axis. */
static int draw_range(const struct drawing *d, const struct picture_mark *m) {
  const double a = on_screen(&d->x, inside(&d->x.axis, m->x)), b = on_screen(&d->x, inside(&d->x.axis, m->x2));
  const double v = on_screen(&d->y, m->y);
  AD_TRY(ad_buffer_printf(d->out, "<path d=\"M%.1f %.1fH%.1f", a, v, b));
  AD_TRY(m->x < d->x.axis.low ? ad_buffer_printf(d->out, "M%.1f %.1fl-6 4l6 4", a + 6, v - 4) : AD_OK);
  return m->x2 > d->x.axis.high ? ad_buffer_printf(d->out, "M%.1f %.1fl6 4l-6 4", b - 6, v - 4) : AD_OK;
}

static int draw_column(const struct drawing *d, const struct picture_mark *m) {
  const double a = on_screen(&d->x, inside(&d->x.axis, m->x)), b = on_screen(&d->x, inside(&d->x.axis, m->x2));
  return ad_buffer_printf(d->out, "<path d=\"M%.1f %.1fV%.1fH%.1fV%.1fZ", a, d->y.from, d->y.to, b, d->y.from);
}

/* Up to what stands in the end of the element's first tag. */
static int draw_shape(const struct drawing *d, const struct picture_mark *m) {
  const double u = on_screen(&d->x, inside(&d->x.axis, m->x)), u2 = on_screen(&d->x, inside(&d->x.axis, m->x2));
  const double v = on_screen(&d->y, inside(&d->y.axis, m->y)), v2 = on_screen(&d->y, inside(&d->y.axis, m->y2));
  switch (looks[m->kind].shape) {
    case SHAPE_DISC:
      return ad_buffer_printf(d->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s", u, v,
                              m->kind == PICTURE_MEAN ? "5" : "3");
    case SHAPE_CROSS:
      return ad_buffer_printf(d->out, "<path d=\"M%.1f %.1fl7 7m0 -7l-7 7", u - 3.5, v - 3.5);
    case SHAPE_RANGE:
      return draw_range(d, m);
    case SHAPE_RECTANGLE:
    case SHAPE_SEGMENT:
      return looks[m->kind].shape == SHAPE_SEGMENT
                 ? ad_buffer_printf(d->out, "<path d=\"M%.1f %.1fL%.1f %.1f", u, v, u2, v2)
                 : ad_buffer_printf(d->out, "<path d=\"M%.1f %.1fH%.1fV%.1fH%.1fZ", u, v, u2, v2, u);
    case SHAPE_COLUMN:
      return draw_column(d, m);
    case SHAPE_LEVEL:
      return ad_buffer_printf(d->out, "<path d=\"M%.1f %.1fH%.1f", d->x.from, v, d->x.to);
    case SHAPE_LABEL:
      return ad_buffer_printf(d->out, "<text x=\"%.1f\" y=\"%.1f", u + 9, v + 4);
    case SHAPE_COUNT:
      return ad_buffer_printf(d->out, "<text text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f", u, v + 4);
    case SHAPE_PATH:
    case SHAPE_BAND:
      AD_TRY(ad_buffer_puts(d->out, "<path d=\""));
      return path_points(d, m, looks[m->kind].shape == SHAPE_BAND);
  }
  return AD_OK;
}

/* Whether any of it can be seen. */
static int is_drawn(const struct drawing *d, const struct picture_mark *m) {
  const enum shape shape = looks[m->kind].shape;
  if (shape == SHAPE_PATH || shape == SHAPE_BAND) {
    return m->count > 0;
  }
  if (!isfinite(m->x) || !isfinite(m->y) || !isfinite(m->x2) || !isfinite(m->y2) ||
      (d->x.axis.log && !(fmin(m->x, m->x2) > 0.0))) {
    return 0;
  }
  return shape == SHAPE_LEVEL ? is_inside(&d->y.axis, m->y)
                              : fmax(m->x, m->x2) >= d->x.axis.low && fmin(m->x, m->x2) <= d->x.axis.high;
}

static int draw_mark(const struct drawing *d, const struct picture_mark *m) {
  const int label = looks[m->kind].shape == SHAPE_LABEL || looks[m->kind].shape == SHAPE_COUNT;
  AD_TRY(draw_shape(d, m));
  AD_TRY(ad_buffer_printf(d->out, "\" class=\"%s c%zu\"", looks[m->kind].class, m->colour));
  AD_TRY(m->kind == PICTURE_CELL ? ad_buffer_printf(d->out, " fill-opacity=\"%.3f\"", m->share) : AD_OK);
  if (m->title == NULL) {
    return ad_buffer_puts(d->out, label ? "></text>\n" : "/>\n");
  }
  AD_TRY(ad_buffer_puts(d->out, ">"));
  AD_TRY(label ? ad__markup_cut(d->out, m->title, LABEL_NAME) : AD_OK);
  AD_TRY(ad_buffer_puts(d->out, "<title>"));
  AD_TRY(ad__markup_text(d->out, m->title));
  return ad_buffer_printf(d->out, "</title></%s>\n",
                          label                                ? "text"
                          : looks[m->kind].shape == SHAPE_DISC ? "circle"
                                                               : "path");
}

/* ---- The whole ---- */

static int open_svg(const struct drawing *d, const char *title, const char *description, const char *style) {
  AD_TRY(style == NULL
             ? ad_buffer_printf(d->out, "<svg style=\"max-width:%gpx\"", d->p->width)
             : ad_buffer_printf(d->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\"",
                                d->p->width, d->height));
  AD_TRY(ad_buffer_printf(d->out,
                          " class=\"picture\" viewBox=\"0 0 %g %g\" role=\"img\" aria-labelledby=\"%s-title "
                          "%s-description\">\n<title id=\"%s-title\">",
                          d->p->width, d->height, d->id, d->id, d->id));
  AD_TRY(ad__markup_text(d->out, title));
  AD_TRY(ad_buffer_printf(d->out, "</title>\n<desc id=\"%s-description\">", d->id));
  AD_TRY(ad__markup_text(d->out, description));
  AD_TRY(ad_buffer_puts(d->out, "</desc>\n"));
  return style == NULL ? AD_OK : ad_buffer_printf(d->out, "<style>%s</style>\n", style);
}

int ad__picture_svg(const struct picture *p, const char *id, const char *title, const char *description,
                    const char *style, struct ad_buffer *out) {
  AD_TRY(p->status);
  const struct drawing d = lay_out(p, id, out);
  AD_TRY(open_svg(&d, title, description, style));
  AD_TRY(draw_axes(&d));
  for (size_t i = 0; i < p->mark_count; i++) {
    AD_TRY(is_drawn(&d, &p->marks[i]) ? draw_mark(&d, &p->marks[i]) : AD_OK);
  }
  AD_TRY(draw_legend(&d));
  return ad_buffer_puts(out, "</svg>\n");
}
