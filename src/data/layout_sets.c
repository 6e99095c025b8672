/* Label columns of 0 and 1, one for each class of a set. */
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "layout.h"

/* The class of a label column: what its name stands for, or without a name that in its place i. The number of classes:
 * it stands for none. */
static size_t class_of(const struct ad_descriptor *descriptor, const struct ad_source *source, size_t i) {
  const char *name = source->label.items[i].name;
  size_t k = 0;
  while (name != NULL && k < source->label_count && strcmp(source->labels[k].value, name) != 0) {
    k++;
  }
  return name == NULL ? i : k < source->label_count ? source->labels[k].class_id : descriptor->class_count;
}

static int order(const struct ad_descriptor *descriptor, const struct ad_yaml *node, const struct ad_source *source,
                 struct ad_column *ordered) {
  const size_t classes = descriptor->class_count;
  for (size_t i = 0; i < classes; i++) {
    const struct ad_column *column = &source->label.items[i];
    const size_t c = class_of(descriptor, source, i);
    if (c == classes || ordered[c].name != NULL || ordered[c].number > 0) {
      return AD_FAIL_AT(descriptor->path, node,
                        "columns.label: \"%s\" stands for %s, expected one column for each class",
                        column->name == NULL ? node->items[i]->text : column->name,
                        c == classes ? "no class" : "a class that has another column");
    }
    ordered[c] = *column;
  }
  return AD_OK;
}

int ad_layout_order_columns(const struct ad_descriptor *descriptor, const struct ad_yaml *node,
                            struct ad_source *source) {
  const size_t count = source->label.count, classes = descriptor->class_count;
  if (source->task->classes != AD_CLASSES_SET || count < 2 || classes == 0) {
    return AD_OK;
  }
  if (count != classes) {
    return AD_FAIL_AT(descriptor->path, node, "columns.label: found %zu columns, expected one for each of %zu classes",
                      count, classes);
  }
  struct ad_column *ordered = ad_calloc(classes, sizeof *ordered);
  if (ordered == NULL) {
    return ad_fail_memory(classes * sizeof *ordered, "a descriptor");
  }
  const int status = order(descriptor, node, source, ordered);
  if (status == AD_OK) {
    memcpy(source->label.items, ordered, classes * sizeof *ordered);
  }
  ad_free(ordered);
  return status;
}
