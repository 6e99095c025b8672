/* The pictures of the comparisons: differences of means, and ratios of SDs, a row for each arm. The top of the report
 * shows those of the primary arms; where no analysis is registered, of the first arms. */
#ifndef AUTODIDACT_SRC_REPORT_HEADLINE_H
#define AUTODIDACT_SRC_REPORT_HEADLINE_H

#include "autodidact/statistics/mixed.h"
#include "autodidact/statistics/spread.h"
#include "report_internal.h"

/* A picture and what it says in words, to those who do not see it. */
struct forest {
  struct picture picture;
  struct ad_buffer said;
  size_t rows, left_out;
  char label[200]; /* of the axis */
};

/* Whether an arm is at the top: primary, or nothing is registered; among the first `LEAD` such arms. */
int ad__is_lead(const struct report *r, size_t arm);

/* Begins the picture of differences, with the margin of equivalence and a line at 0; adds a row for an arm, at the top
 * with a dot for each pair of runs. What cannot be had stays in r->doc->status. */
void ad__forest_differences(struct report *r, struct forest *forest, int lead);
void ad__forest_difference(struct report *r, struct forest *forest, size_t arm, const struct ad_mixed *difference,
                           int lead);

/* The same of the ratios of SDs: a row for an arm, all its sources in it. */
void ad__forest_ratios(struct report *r, struct forest *forest, int lead);
void ad__forest_ratio(struct report *r, struct forest *forest, size_t arm, size_t source,
                      const struct ad_spread *spread);

/* Puts the picture at the top, or into the newest section, if it has rows; destroys it. */
void ad__forest_close(struct report *r, struct forest *forest, const char *id, const char *title, int lead);

/* "-0.53" into text [40]: with the decimals that show two digits of the error; returns text. */
char *ad__say(double value, double error, char text[40]);

#endif
