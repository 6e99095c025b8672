/* What figures of curves share. */
#include <stdio.h>

#include "autodidact/base/status.h"
#include "report_internal.h"

const char *ad__left_out(size_t drawn, size_t all, size_t size, char *text) {
  text[0] = '\0';
  if (drawn < all) {
    snprintf(text, size, " Drawn: the first %zu of %zu arms; the table has all.", drawn, all);
  }
  return text;
}

size_t ad__curve_colour(const struct report *r, size_t arm, size_t k) {
  return 1 + (r->arms <= CURVES ? arm : k);
}

void ad__draw_bands(struct report *r, struct picture *p, size_t arm, size_t k, size_t n, const double *x,
                    const struct ad_band *bands, double scale) {
  const size_t colour = ad__curve_colour(r, arm, k);
  ad__picture_path(p, PICTURE_BAND, colour);
  ad__picture_title(p, "%s: quartiles", r->arm[arm].name);
  for (size_t i = 0; i < n; i++) {
    if (bands[i].n > 0) {
      ad__picture_to(p, x[i], bands[i].quantile[1].value * scale, bands[i].quantile[3].value * scale);
    }
  }
  ad__picture_path(p, PICTURE_LINE, colour);
  ad__picture_title(p, "%s: median", r->arm[arm].name);
  for (size_t i = 0; i < n; i++) {
    if (bands[i].n > 0) {
      ad__picture_to(p, x[i], bands[i].quantile[2].value * scale, 0.0);
    }
  }
  ad__picture_name(p, colour, r->arm[arm].name);
}

void ad__draw_curve(struct report *r, struct picture *p, enum picture_kind kind, size_t arm, size_t k,
                    const struct curve *curve) {
  const size_t colour = ad__curve_colour(r, arm, k);
  ad__picture_path(p, kind, colour);
  ad__picture_title(p, "%s", r->arm[arm].name);
  for (size_t i = 0; i < curve->n; i++) {
    ad__picture_to(p, curve->x[i], curve->y[i], 0.0);
  }
  for (size_t i = 0; kind == PICTURE_LINE && i < curve->n; i++) {
    ad__picture_mark(p, PICTURE_DOT, colour, curve->x[i], curve->y[i], curve->x[i], curve->y[i]);
    ad__picture_title(p, "%s at %.4g: %.4g", r->arm[arm].name, curve->x[i], curve->y[i]);
  }
  ad__picture_name(p, colour, r->arm[arm].name);
}
