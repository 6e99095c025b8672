/* Scores for people, and as JSON. Not installed. */
#ifndef AUTODIDACT_CLI_PRINT_SCORES_H
#define AUTODIDACT_CLI_PRINT_SCORES_H

#include <stdio.h>

#include "autodidact/base/buffer.h"
#include "autodidact/data/descriptor.h"
#include "autodidact/run/ensemble.h"
#include "autodidact/task/scores.h"

/* Appends `,"classes":[..],"confusion":[..]`, nothing of tasks without classes: of each class name, precision, recall,
 * F1 and support; the confusion matrix without zeros as [label, prediction, count], classes by their numbers.
 * AD_ENOMEM. */
int print_scoring_classes(const struct ad_scoring *scoring, const struct ad_descriptor *descriptor,
                          struct ad_buffer *out);

/* The scores and, of tasks with classes, the confusion matrix (rows: labels, columns: predictions) for people; with
 * many classes the largest confusions instead, in whose order scoring->confusion is left. */
void print_scoring(FILE *out, struct ad_scoring *scoring, const struct ad_descriptor *descriptor);

/* What several runs come to: each alone, all together, how much they differ. AD_ECONFIG (json: a name that is not
 * UTF-8), AD_ENOMEM. */
int print_ensemble(struct ad_ensemble *ensemble, int json);
int print_ensemble_json(const struct ad_ensemble *ensemble);

/* The scores of each target: a table; and appended as JSON, where one that is not a number is null. */
void print_targets(FILE *out, const struct ad_scoring *scoring, const struct ad_descriptor *descriptor);
int print_json_targets(const struct ad_scoring *scoring, const struct ad_descriptor *descriptor, struct ad_buffer *out);

/* The figures of each class where labels are sets of classes: a table; and appended as JSON, as of
 * print_scoring_classes without the matrix, but with how often the class is predicted and its average precision, null
 * where no label has it. */
void print_sets(FILE *out, const struct ad_scoring *scoring, const struct ad_descriptor *descriptor);
int print_json_sets(const struct ad_scoring *scoring, const struct ad_descriptor *descriptor, struct ad_buffer *out);

/* The beginning of object number c of a list of JSON, whose first member is a name. */
int print_json_name(size_t c, const char *key, const char *name, struct ad_buffer *out);

/* The columns that the names of the classes take, or the title above them. */
size_t print_name_width(const char *title, const struct ad_descriptor *descriptor);

#endif
