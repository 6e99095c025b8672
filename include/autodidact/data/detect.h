/* Data sets without a descriptor: what the files look like is found in them, and written as the text of a descriptor.
 *
 * Found are format, delimiter, quoting, header, the columns of texts and labels, and the classes. docs/user-guide.md
 * has the rules. All is a function of the files' bytes and of what is asked for. What the files leave open is refused,
 * with the candidates and the option that chooses one. */
#ifndef AUTODIDACT_DATA_DETECT_H
#define AUTODIDACT_DATA_DETECT_H

#include "autodidact/base/buffer.h"
#include "autodidact/data/descriptor.h"

/* Without a dev file, one of so many rows of train is dev, and so many at most. */
enum { AD_DETECT_DEV_SHARE = 10, AD_DETECT_DEV_MOST = 5000 };

/* A label column has so many different values at most. */
enum { AD_DETECT_MOST_CLASSES = 1000 };

struct ad_detect_columns {
  const char *text, *pair, *label; /* names, or numbers from 1; NULL: to be found. Not owned */
};

/* Zero-initialise, then set what is known. */
struct ad_detect_request {
  const char *file[AD_SPLITS]; /* train's must be there; NULL: there is none. Not owned */
  const char *folder;          /* the descriptor names the files from here */
  const struct ad_task *task;  /* what the labels are; NULL: number 0 of the registry */
  struct ad_detect_columns columns;
};

/* Appends the text of a descriptor to `descriptor`, and to `told` lines for people: what was decided. AD_EINPUT (a
 * file, or what it leaves open), AD_ECONFIG (no such column), AD_ENOMEM. */
int ad_detect(const struct ad_detect_request *request, struct ad_buffer *descriptor, struct ad_buffer *told);

#endif
