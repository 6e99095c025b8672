/* Two runs by what they kept on the way: checkpoints and snapshots of steps that both have. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/checkpoint.h"
#include "autodidact/store/snapshot.h"
#include "compare.h"

enum { PIECE = 65536 }; /* values of a row that are read at once */

static void clear(struct ad_step_comparison *out) {
  *out = (struct ad_step_comparison){.largest = NAN};
}

/* Counts values of a tensor that have other bits; what is known of float32 ones besides. */
static size_t compare_values(const char *a, const char *b, size_t count, size_t bytes, int floats,
                             struct ad_step_comparison *out) {
  size_t differing = 0;
  for (size_t i = 0; i < count; i++) {
    if (memcmp(a + i * bytes, b + i * bytes, bytes) == 0) {
      continue;
    }
    differing++;
    if (out == NULL || !floats) {
      continue;
    }
    float x, y;
    memcpy(&x, a + i * bytes, sizeof x);
    memcpy(&y, b + i * bytes, sizeof y);
    if (!isfinite(x) || !isfinite(y)) {
      out->not_finite++;
    } else {
      out->largest = fmax(out->largest, fabs((double)x - (double)y)); /* fmax passes over the NaN it starts from */
    }
  }
  return differing;
}

/* --- Checkpoints --- */

/* A tensor of a row of a vector in two files. */
static int compare_tensor(struct ad_checkpoint *const files[2], size_t v, const int other, size_t row, size_t bytes,
                          const struct ad_tensor *tensor, char *room, struct ad_step_comparison *out) {
  struct ad_step_comparison found;
  clear(&found);
  for (size_t at = 0; at < tensor->count; at += PIECE) {
    const size_t length = tensor->count - at < PIECE ? tensor->count - at : PIECE;
    AD_TRY(ad_checkpoint_get(files[0], v, row, tensor->offset + at, length, room));
    AD_TRY(ad_checkpoint_get(files[1], (size_t)other, row, tensor->offset + at, length, room + PIECE * bytes));
    found.differing_values += compare_values(room, room + PIECE * bytes, length, bytes, bytes == sizeof(float), &found);
  }
  if (found.differing_values > 0 && out->differing++ == 0) {
    snprintf(out->tensor, sizeof out->tensor, "%s", tensor->name);
    out->values = tensor->count;
    out->differing_values = found.differing_values;
    out->not_finite = found.not_finite;
    out->largest = found.largest;
  }
  return AD_OK;
}

/* The first row of a vector whose digests differ, tensor by tensor. */
static int compare_rows(struct ad_checkpoint *const files[2], size_t v, int other, const struct ad_params *params,
                        struct ad_step_comparison *out) {
  const struct ad_state_vector *held[2];
  ad_checkpoint_vectors(files[0], &held[0]);
  ad_checkpoint_vectors(files[1], &held[1]);
  const struct ad_state_vector *vector = &held[0][v];
  const size_t rows = vector->filled;
  if (held[1][other].filled != rows) {
    snprintf(out->what, sizeof out->what, "%s", vector->name);
    snprintf(out->tensor, sizeof out->tensor, "(%zu rows in A, %zu in B)", rows, held[1][other].filled);
    out->differs = 1;
    return AD_OK;
  }
  const uint64_t *digests[2] = {ad_checkpoint_digests(files[0], v), ad_checkpoint_digests(files[1], (size_t)other)};
  char *room = ad_malloc(2 * (size_t)PIECE, vector->bytes);
  int status = room == NULL ? ad_fail_memory(2 * (size_t)PIECE * vector->bytes, "two tensors") : AD_OK;
  for (size_t row = 0; status == AD_OK && row < rows && !out->differs; row++) {
    if (digests[0][row] == digests[1][row]) {
      continue;
    }
    out->differs = 1;
    out->tensors = params->tensor_count;
    snprintf(out->what, sizeof out->what, rows > 1 ? "%s, row %zu" : "%s", vector->name, row);
    for (size_t i = 0; i < params->tensor_count && status == AD_OK; i++) {
      status = compare_tensor(files, v, other, row, vector->bytes, &params->tensors[i], room, out);
    }
  }
  ad_free(room);
  return status;
}

static int compare_files(struct ad_checkpoint *const files[2], struct ad_step_comparison *out) {
  const struct ad_state_vector *vectors;
  struct ad_params params;
  const size_t count = ad_checkpoint_vectors(files[0], &vectors);
  if (ad_checkpoint_floats(files[0]) != ad_checkpoint_floats(files[1])) {
    out->differs = 1;
    snprintf(out->what, sizeof out->what, "student");
    snprintf(out->tensor, sizeof out->tensor, "(%zu parameters in A, %zu in B)", ad_checkpoint_floats(files[0]),
             ad_checkpoint_floats(files[1]));
    return AD_OK;
  }
  AD_TRY(ad_checkpoint_params(files[0], &params));
  int status = AD_OK;
  for (size_t v = 0; v < count && status == AD_OK && !out->differs; v++) {
    const int other = ad_checkpoint_find(files[1], vectors[v].name);
    status = other < 0 ? AD_OK : compare_rows(files, v, other, &params, out); /* settings differ, and that is told */
  }
  ad_params_destroy(&params);
  return status;
}

static int compare_step(const char *const runs[2], uint64_t step, struct ad_step_comparison *out) {
  struct ad_checkpoint *files[2] = {NULL, NULL};
  int status = AD_OK;
  for (int i = 0; i < 2 && status == AD_OK; i++) {
    char *path = ad_checkpoint_path(runs[i], step);
    status = path == NULL ? ad_fail_memory(64, "a path") : ad_checkpoint_probe(path, 1);
    status = status == AD_OK ? ad_checkpoint_open(&files[i], path, NULL) : status;
    ad_free(path);
  }
  status = status == AD_OK ? compare_files(files, out) : status;
  ad_checkpoint_close(files[0]);
  ad_checkpoint_close(files[1]);
  return status;
}

int ad_compare_checkpoints(const char *const runs[2], struct ad_step_comparison *out) {
  uint64_t *steps[2] = {NULL, NULL};
  size_t count[2] = {0, 0};
  clear(out);
  int status = ad_checkpoint_list(runs[0], &steps[0], &count[0]);
  status = status == AD_OK ? ad_checkpoint_list(runs[1], &steps[1], &count[1]) : status;
  /* Newest first: from the end. */
  for (size_t i = count[0], k = count[1]; status == AD_OK && i > 0 && k > 0 && !out->differs;) {
    const uint64_t a = steps[0][i - 1], b = steps[1][k - 1];
    if (a == b) {
      out->common++;
      out->step = a;
      status = compare_step(runs, a, out);
    }
    i -= a <= b;
    k -= b <= a;
  }
  ad_free(steps[0]);
  ad_free(steps[1]);
  return status;
}

/* --- Snapshots --- */

/* The snapshots of a run, one segment open at a time. */
struct series {
  const char *run;
  uint64_t *first;
  size_t count, segment, row; /* row: the next one of the open segment */
  struct ad_snapshot_file *file;
};

static int series_open(struct series *s, const char *run) {
  *s = (struct series){.run = run};
  AD_TRY(ad_snapshots_complete(run, UINT64_MAX));
  return ad_snapshots_list(run, &s->first, &s->count);
}

static void series_close(struct series *s) {
  ad_snapshot_file_close(s->file);
  ad_free(s->first);
}

/* Opens the segment with the next row, if there is any; *step is its step. *end: there is none. */
static int series_look(struct series *s, uint64_t *step, int *end) {
  const uint64_t *steps;
  *end = 0;
  while (s->file == NULL || s->row >= ad_snapshot_file_rows(s->file, &steps)) {
    ad_snapshot_file_close(s->file);
    s->file = NULL;
    s->row = 0;
    if (s->segment >= s->count) {
      *end = 1;
      return AD_OK;
    }
    char *path = ad_snapshots_path(s->run, s->first[s->segment++]);
    const int status = path == NULL ? ad_fail_memory(64, "a path") : ad_snapshot_file_open(&s->file, path);
    ad_free(path);
    AD_TRY(status);
  }
  ad_snapshot_file_rows(s->file, &steps);
  *step = steps[s->row];
  return AD_OK;
}

/* Name of tensor number i, and of all parameters where it begins and how long it is. */
struct tensors {
  char (*names)[sizeof((struct ad_tensor *)0)->name];
  uint64_t *offsets;
  size_t count;
};

static int get_tensors(const struct ad_snapshot_file *f, struct tensors *t) {
  const struct ad_snapshot_column *columns;
  const int names = ad_snapshot_file_find(f, "tensors/name"), offsets = ad_snapshot_file_find(f, "tensors/offset");
  ad_snapshot_file_columns(f, &columns);
  *t = (struct tensors){0};
  if (names < 0 || offsets < 0) {
    return AD_OK;
  }
  t->count = columns[names].count;
  t->names = ad_calloc(t->count, sizeof *t->names);
  t->offsets = ad_calloc(t->count, sizeof *t->offsets);
  if (t->names == NULL || t->offsets == NULL) {
    return ad_fail_memory(t->count * (sizeof *t->names + 8), "the names of the tensors");
  }
  AD_TRY(ad_snapshot_file_get(f, (size_t)names, 0, t->names));
  return ad_snapshot_file_get(f, (size_t)offsets, 0, t->offsets);
}

/* Which tensors of two rows differ: a norm a tensor, or all parameters. */
static void name_tensors(const struct ad_snapshot_column *column, const struct tensors *t, const char *a, const char *b,
                         struct ad_step_comparison *out) {
  const int flat = strcmp(column->name, "parameters/flat") == 0;
  if (!flat && (strncmp(column->name, "norms/", 6) != 0 || column->count != t->count)) {
    return;
  }
  out->tensors = t->count;
  for (size_t i = 0; i < t->count; i++) {
    const size_t begin = flat ? (size_t)t->offsets[i] : i;
    const size_t end = !flat ? i + 1 : i + 1 < t->count ? (size_t)t->offsets[i + 1] : column->count;
    if (begin >= end || end > column->count) {
      continue;
    }
    const size_t at = begin * column->bytes, count = end - begin;
    const int first = out->differing == 0;
    const size_t found = compare_values(a + at, b + at, count, column->bytes, flat, first && flat ? out : NULL);
    if (found > 0 && first) {
      snprintf(out->tensor, sizeof out->tensor, "%.*s", (int)sizeof *t->names, t->names[i]);
      out->values = flat ? count : 0;
      out->differing_values = flat ? found : 0;
    }
    out->differing += found > 0;
  }
}

/* Whether a row was not measured: nothing but NaN. */
static int is_empty(const struct ad_snapshot_column *column, const char *row) {
  size_t i = 0;
  for (; i < column->count && column->kind == 'f'; i++) {
    double wide;
    float narrow;
    memcpy(column->bytes == sizeof wide ? (void *)&wide : (void *)&narrow, row + i * column->bytes, column->bytes);
    if (!isnan(column->bytes == sizeof wide ? wide : (double)narrow)) {
      return 0;
    }
  }
  return column->kind == 'f';
}

/* The columns of one step in their order; parameters first, as they tell most. */
static int compare_columns(const struct series s[2], const struct tensors *t, struct ad_step_comparison *out) {
  const struct ad_snapshot_column *columns, *others;
  const size_t count = ad_snapshot_file_columns(s[0].file, &columns);
  ad_snapshot_file_columns(s[1].file, &others);
  const int flat = ad_snapshot_file_find(s[0].file, "parameters/flat");
  int status = AD_OK;
  for (size_t i = 0; i <= count && status == AD_OK && !out->differs; i++) {
    const size_t c = i > 0 ? i - 1 : flat < 0 ? 0 : (size_t)flat;
    const int other = ad_snapshot_file_find(s[1].file, columns[c].name);
    if (other < 0 || columns[c].once || others[other].count != columns[c].count) {
      continue; /* settings differ, and that is told */
    }
    const size_t bytes = columns[c].count * columns[c].bytes;
    char *room = ad_malloc(2 * bytes, 1);
    status = room == NULL ? ad_fail_memory(2 * bytes, "two rows of snapshots") : AD_OK;
    status = status == AD_OK ? ad_snapshot_file_get(s[0].file, c, s[0].row, room) : status;
    status = status == AD_OK ? ad_snapshot_file_get(s[1].file, (size_t)other, s[1].row, room + bytes) : status;
    if (status == AD_OK && memcmp(room, room + bytes, bytes) != 0 && !is_empty(&columns[c], room) &&
        !is_empty(&columns[c], room + bytes)) {
      out->differs = 1;
      snprintf(out->what, sizeof out->what, "%s", columns[c].name);
      name_tensors(&columns[c], t, room, room + bytes, out);
    }
    ad_free(room);
  }
  return status;
}

int ad_compare_snapshots(const char *const runs[2], struct ad_step_comparison *out) {
  struct series s[2] = {{0}};
  struct tensors tensors = {0};
  clear(out);
  int status = series_open(&s[0], runs[0]);
  status = status == AD_OK ? series_open(&s[1], runs[1]) : status;
  while (status == AD_OK && !out->differs) {
    uint64_t step[2] = {0, 0};
    int end[2] = {0, 0};
    status = series_look(&s[0], &step[0], &end[0]);
    status = status == AD_OK ? series_look(&s[1], &step[1], &end[1]) : status;
    if (status != AD_OK || end[0] || end[1]) {
      break;
    }
    if (step[0] == step[1]) {
      status = out->common++ == 0 ? get_tensors(s[0].file, &tensors) : AD_OK;
      out->step = step[0];
      status = status == AD_OK ? compare_columns(s, &tensors, out) : status;
    }
    s[0].row += step[0] <= step[1];
    s[1].row += step[1] <= step[0];
  }
  ad_free(tensors.names);
  ad_free(tensors.offsets);
  series_close(&s[0]);
  series_close(&s[1]);
  return status;
}
