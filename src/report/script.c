/* Pieces of gnuplot scripts. */
#include <stdarg.h>
#include <stdio.h>

#include "autodidact/base/status.h"
#include "report_internal.h"

void ad__script_add(struct report *r, struct ad_buffer *script, const char *format, ...) {
  char text[1000];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (r->doc->status == AD_OK) {
    r->doc->status = ad_buffer_puts(script, text);
  }
}

void ad__script_name(struct report *r, struct ad_buffer *script, const char *name) {
  if (r->doc->status == AD_OK) {
    r->doc->status = ad__plot_quote(script, name);
  }
}

void ad__script_tic(struct report *r, struct ad_buffer *script, const char *name) {
  if (r->doc->status == AD_OK) {
    r->doc->status = ad__plot_tic(script, name);
  }
}

void ad__script_arm_axis(struct report *r, struct ad_buffer *script, size_t count) {
  ad__script_add(r, script,
                 "set yrange [%g:0.6]\nset grid noytics\nset grid xtics lc rgb '#e3e8ee' lt 1 lw 1\nset ytics (",
                 0.4 - (double)count);
  for (size_t a = 0; a < count; a++) {
    ad__script_add(r, script, a > 0 ? "," : "");
    ad__script_tic(r, script, r->arm[a].name);
    ad__script_add(r, script, " -%zu", a);
  }
  ad__script_add(r, script, ")\n");
}

void ad__script_axis(struct report *r, struct ad_buffer *script, const char axis, const char *what, const char *unit) {
  char label[200];
  snprintf(label, sizeof label, unit[0] == '\0' ? "%s" : "%s (%s)", what, unit);
  ad__script_add(r, script, "set %clabel ", axis);
  ad__script_name(r, script, label);
  ad__script_add(r, script, " tc rgb '#1c2530'\n");
}

void ad__script_bands(struct report *r, struct ad_buffer *script, size_t count, const size_t *which) {
  for (size_t k = 0; k < count; k++) {
    const size_t style = ad__script_style(r, which[k], k);
    ad__script_add(r, script,
                   "%s$b%zu using 1:3:5 with filledcurves ls %zu notitle, $b%zu using 1:4 with lines ls %zu t ",
                   k == 0 ? "plot " : ", ", k, style, k, style);
    ad__script_name(r, script, r->arm[which[k]].name);
  }
  ad__script_add(r, script, "\n");
}

size_t ad__script_style(const struct report *r, size_t arm, size_t k) {
  return 1 + (r->arms <= CURVES ? arm : k);
}

const char *ad__script_left_out(size_t drawn, size_t all, size_t size, char *text) {
  text[0] = '\0';
  if (drawn < all) {
    snprintf(text, size, " Drawn: the first %zu of %zu arms; the table has all.", drawn, all);
  }
  return text;
}

unsigned ad__script_height(size_t arms) {
  return (unsigned)(90 + 34 * arms);
}
