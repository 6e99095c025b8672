/* Which columns of a file are its texts and its labels. Private to src/data. */
#ifndef AUTODIDACT_SRC_DATA_CHOOSE_H
#define AUTODIDACT_SRC_DATA_CHOOSE_H

#include "scan.h"

/* Numbers from 0 of columns; `count` of the scan: there is none. */
struct ad__chosen {
  size_t text, pair, label;
};

/* Finds the columns of a training file for a task. What is asked for is a name or a number from 1. AD_ECONFIG (no such
 * column), AD_EINPUT (the file leaves it open: the candidates, and the option that chooses one), AD_ENOMEM. Of a task
 * without labels none is wanted, and a column that looks like one is no text. */
int ad__choose_columns(const struct ad__scan *scan, const struct ad_task *task, const struct ad_detect_columns *asked,
                       struct ad__chosen *chosen);

/* The column of that name, or of that number from 1; scan->count: there is none. */
size_t ad__column_find(const struct ad__scan *scan, const char *asked);

/* Whether the first row of a table is a header, as far as names tell: those that are asked for, or known here; decides
 * it for the scan (ad__scan_head). AD_ENOMEM. */
int ad__choose_head(struct ad__scan *scan, const struct ad_task *task, const struct ad_detect_columns *asked);

/* Refuses a label column whose values the readers would refuse, or that has fewer different ones than `least`. Of a
 * task whose labels are numbers, one without any number. AD_EINPUT. */
int ad__check_label(const struct ad__scan *scan, const struct ad_task *task, size_t label, size_t least);

/* How messages call a column: "\"review\"", "2". text [size]; returns it. */
const char *ad__column_show(const struct ad__scan *scan, size_t column, char *text, size_t size);

#endif
