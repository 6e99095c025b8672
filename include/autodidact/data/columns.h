/* The rows of a file as its own columns have them, for whoever writes them again beside something else. */
#ifndef AUTODIDACT_DATA_COLUMNS_H
#define AUTODIDACT_DATA_COLUMNS_H

#include "autodidact/data/dataset.h"

/* One entry of a row; not terminated. */
struct ad_cell {
  const char *data; /* [size] UTF-8; NULL: the row has none */
  size_t size;
  int json; /* 1: the text is that of a JSON value which is no string */
};

/* Of a table the columns of its header, or column1, column2 ... where it has none. Of JSON lines the keys of all
 * objects, in the order in which they are met. Of a folder the files' names, of WordNet the definitions, of plain text
 * `text`, and `pair` where a line has a TAB. */
struct ad_columns_reader;

/* Opens what ad_dataset_read reads with options->every_row, whose rows, unread ones included, are then the rows here.
 * The caller closes it, after a failure too. AD_ECONFIG: the split is no whole file but a selection of its rows. Errors
 * of the file as of ad_dataset_read. */
int ad_columns_open(struct ad_columns_reader **columns, const struct ad_descriptor *descriptor, enum ad_split split,
                    const struct ad_read_options *options);

/* Of plain text in memory, a row a line, which must outlive it. AD_ENOMEM. */
int ad_columns_open_lines(struct ad_columns_reader **columns, const struct ad_file_map *content);
void ad_columns_close(struct ad_columns_reader *columns);

/* How many there are, and their names [count], which are the reader's. */
size_t ad_columns_count(const struct ad_columns_reader *columns);
const char *const *ad_columns_names(const struct ad_columns_reader *columns);

/* The next row's cells [count] of the columns, valid until the next call. 1, 0 at the end, or AD_EINPUT, AD_ENOMEM. */
int ad_columns_next(struct ad_columns_reader *columns, const struct ad_cell **cells);

#endif
