/* The registry of tasks. A task is one line here and one file, src/task/NAME.c, which defines its table
 * (autodidact/task/task.h). A descriptor names its task; the first line is that of descriptors, and of rows of files,
 * which name none. */
#ifndef AUTODIDACT_TASK_TASKS_H
#define AUTODIDACT_TASK_TASKS_H

/* X(name) */
/* clang-format off */
#define AD_TASKS(X) \
  X(classification) \
  X(mlm) \
  X(multi_label) \
  X(regression)
/* clang-format on */

#endif
