/* A folder of texts, as IMDb has it: one folder per label value, one file per text, in the order of their names. Where
 * labels are not looked at, those of the label values' folders that are there; without any, the files that lie in the
 * folder itself and in folders of any name. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/looks.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "reader.h"

/* The paths are NUL-terminated in one buffer: 25,000 files of IMDb take 1 MB. */
struct folder_state {
  struct ad_buffer paths;
  struct folder_file *files; /* [count] */
  size_t count, capacity;
};

struct folder_file {
  size_t path;  /* offset in paths */
  size_t label; /* number of the label value; NO_VALUE: none */
};

static const size_t NO_VALUE = SIZE_MAX;

static int add_file(struct folder_state *state, const char *path, size_t label) {
  void *files = state->files;
  AD_TRY(ad_reserve(&files, &state->capacity, state->count + 1, sizeof *state->files));
  state->files = files;
  state->files[state->count] = (struct folder_file){.path = state->paths.size, .label = label};
  AD_TRY(ad_buffer_append(&state->paths, path, strlen(path) + 1));
  state->count++;
  return AD_OK;
}

/* "folder/name", also where the folder ends in a slash: the digest takes names from the first slash behind it. The
 * caller owns it; NULL when out of memory. */
static char *path_below(const char *folder, const char *name) {
  struct ad_buffer path = {0};
  if (ad_buffer_printf(&path, "%s/%s", folder, name) != AD_OK) {
    ad_buffer_destroy(&path);
  }
  return path.data;
}

static int list_folder(struct ad_reader *reader, const char *path, size_t label, int deep);

/* A file, or with `deep` the files of a folder in its place. */
static int list_entry(struct ad_reader *reader, const char *folder, const char *name, size_t label, int deep) {
  char *path = path_below(folder, name);
  if (path == NULL) {
    return ad_fail_memory(strlen(folder), "a path");
  }
  const int status =
      deep && ad_is_folder(path) ? list_folder(reader, path, label, 0) : add_file(reader->state, path, label);
  ad_free(path);
  return status;
}

/* All files of a folder; hidden ones are not data. */
static int list_folder(struct ad_reader *reader, const char *path, size_t label, int deep) {
  DIR *listing = opendir(path);
  int status = AD_OK;
  if (listing == NULL) {
    return ad_fail(AD_EINPUT, "%s: %s (expected one folder per label value)", path, strerror(errno));
  }
  for (const struct dirent *entry; status == AD_OK && (entry = readdir(listing)) != NULL;) {
    if (entry->d_name[0] != '.') {
      status = list_entry(reader, path, entry->d_name, label, deep);
    }
  }
  ad_ignore(closedir(listing));
  return status;
}

static int list_label(struct ad_reader *reader, size_t label) {
  char *path = path_below(reader->path, reader->source->labels[label].value);
  if (path == NULL) {
    return ad_fail_memory(strlen(reader->path), "a path");
  }
  const int passed_over = reader->labels < 0 && !ad_is_folder(path);
  const int status = passed_over ? AD_OK : list_folder(reader, path, label, 0);
  ad_free(path);
  return status;
}

static int compare_files(const void *a, const void *b, void *paths) {
  const struct folder_file *x = a, *y = b;
  const char *base = paths;
  return strcmp(base + x->path, base + y->path);
}

static int open_folder(struct ad_reader *reader) {
  struct folder_state *state = ad_calloc(1, sizeof *state);
  if (state == NULL) {
    return ad_fail_memory(sizeof *state, "a folder's reader");
  }
  reader->state = state;
  for (size_t i = 0; i < reader->source->label_count; i++) {
    AD_TRY(list_label(reader, i));
  }
  if (state->count == 0 && reader->labels < 0) {
    AD_TRY(list_folder(reader, reader->path, NO_VALUE, 1));
  }
  if (state->count > 0) {
    qsort_r(state->files, state->count, sizeof *state->files, compare_files, state->paths.data);
  }
  reader->size = state->count;
  return AD_OK;
}

static int next_folder(struct ad_reader *reader, struct ad_record *record) {
  const struct folder_state *state = reader->state;
  if (reader->position >= state->count) {
    return 0;
  }
  record->position = reader->position;
  const struct folder_file *file = &state->files[reader->position++];
  ad_file_unmap(&reader->map);
  reader->map_path = state->paths.data + file->path;
  AD_TRY(ad_file_map(reader->map_path, &reader->map));
  reader->begin = 0;
  AD_TRY(ad_looks_refuse(reader->map_path, reader->map.data, reader->map.size));
  AD_TRY(ad_reader_check_text(reader, 0, reader->map.size));
  record->text = (struct ad_text_span){.data = reader->map.size == 0 ? "" : reader->map.data, .size = reader->map.size};
  if (file->label != NO_VALUE) {
    const char *value = reader->source->labels[file->label].value;
    AD_TRY(ad_reader_put_label(reader, (struct ad_text_span){.data = value, .size = strlen(value)}, record));
  }
  return 1;
}

static void close_folder(struct ad_reader *reader) {
  struct folder_state *state = reader->state;
  if (state != NULL) {
    ad_buffer_destroy(&state->paths);
    ad_free(state->files);
    ad_free(state);
  }
}

const struct ad_reader_format ad_reader_folder = {.open = open_folder, .next = next_folder, .close = close_folder};
