#include "autodidact/study/cells.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "autodidact/base/build.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/descriptor.h"
#include "autodidact/store/lease.h"
#include "study_internal.h"

struct ad_cells_file {
  char *name;
  uint64_t read; /* bytes of whole lines */
  size_t lines;
};

struct ad_cells_id {
  uint64_t id;
  size_t cell;
};

const char *ad_cell_state_name(enum ad_cell_state state) {
  static const char *const names[] = {AD_CELL_STATE_MAP(AD_SET_NAME)};
  return names[state];
}

static int by_id(const void *a, const void *b) {
  const struct ad_cells_id *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

static int find_cell(const struct ad_cells *table, uint64_t id, size_t *cell) {
  const struct ad_cells_id wanted = {.id = id};
  const struct ad_cells_id *found =
      table->id_count == 0 ? NULL : bsearch(&wanted, table->ids, table->id_count, sizeof wanted, by_id);
  *cell = found == NULL ? 0 : found->cell;
  return found != NULL;
}

static void empty_record(struct ad_cell_record *r) {
  ad_free(r->message);
  *r = (struct ad_cell_record){.majority = {NAN, NAN}};
}

/* --- Lines. */

static double number_or(const json_t *object, const char *key, double otherwise) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : otherwise;
}

/* The number of a line, which must lie in 0 .. most (0 where the line has none), as a whole number where `whole` is
 * given. AD_EINPUT. */
static int take_number(const json_t *line, const char *key, double most, double *real, uint64_t *whole) {
  const json_t *value = json_object_get(line, key);
  const double number = json_number_value(value);
  char shown[60];
  if (value != NULL &&
      (!json_is_number(value) || !(number >= 0.0 && number <= most) || (whole != NULL && number != floor(number)))) {
    return ad_fail(AD_EINPUT, "\"%s\" is %s, expected a %snumber from 0 to %g", key,
                   ad_json_show(value, shown, sizeof shown), whole == NULL ? "" : "whole ", most);
  }
  if (whole == NULL) {
    *real = number;
  } else {
    *whole = (uint64_t)number;
  }
  return AD_OK;
}

static int take_numbers(const json_t *line, struct ad_cell_record *r) {
  const double most = 0x1p53; /* counts are exact up to there */
  uint64_t ranks;
  AD_TRY(take_number(line, "at", most, &r->at, NULL));
  AD_TRY(take_number(line, "step", most, NULL, &r->step));
  AD_TRY(take_number(line, "steps", most, NULL, &r->steps));
  AD_TRY(take_number(line, "seconds", most, &r->seconds, NULL));
  AD_TRY(take_number(line, "cost", DBL_MAX, &r->cost, NULL));
  AD_TRY(take_number(line, "ranks", UINT32_MAX, NULL, &ranks));
  r->ranks = (uint32_t)ranks;
  return AD_OK;
}

static const char *text_or(const json_t *object, const char *key, const char *otherwise) {
  const char *text = json_string_value(json_object_get(object, key));
  return text == NULL ? otherwise : text;
}

static int status_of(const char *name) {
#define AD_CELLS_STATUS(status, value, exit_code, text) \
  if (strcmp(name, #status) == 0) {                     \
    return value;                                       \
  }
  AD_STATUS_MAP(AD_CELLS_STATUS)
#undef AD_CELLS_STATUS
  return AD_EINTERNAL;
}

static void take_scores(const json_t *line, struct ad_cell_record *r) {
  const json_t *result = json_object_get(line, "result"), *last = json_object_get(result, "last");
  struct ad_result whole;
  r->scores[AD_SOURCE_DEV] = ad_scores_read(json_object_get(result, "dev"));
  r->scores[AD_SOURCE_TEST] = ad_scores_read(json_object_get(line, "test"));
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    r->scores[AD_SOURCE_VARIANT + v] = ad_scores_read(json_object_get(last, ad_variant_name(v)));
  }
  if (result != NULL && ad_result_read(&whole, result) == AD_OK) {
    r->kept = whole.step;
    if (r->step == 0) { /* as earlier versions wrote of a run that was found finished */
      r->step = r->steps = whole.steps;
    }
    r->parameters = whole.digest[whole.model];
  }
}

/* A line of a cell takes the place of an earlier one; "done" stays. */
static int take_line(struct ad_cells *table, size_t cell, const json_t *line) {
  struct ad_cell_record *r = &table->records[cell];
  const char *state = text_or(line, "state", "");
  const int done = strcmp(state, ad_cell_state_name(AD_CELL_DONE)) == 0;
  struct ad_cell_record now = {0};
  AD_TRY(take_numbers(line, &now));
  if (r->state == AD_CELL_DONE || (!done && now.at < r->at)) {
    return AD_OK;
  }
  empty_record(r);
  r->begun = 1;
  r->state = done                                                     ? AD_CELL_DONE
             : strcmp(state, ad_cell_state_name(AD_CELL_FAILED)) == 0 ? AD_CELL_FAILED
                                                                      : AD_CELL_WAITING;
  r->status = status_of(text_or(line, "status", "AD_OK"));
  r->at = now.at;
  r->step = now.step;
  r->steps = now.steps;
  r->seconds = now.seconds;
  r->cost = now.cost;
  r->ranks = now.ranks;
  snprintf(r->arithmetic, sizeof r->arithmetic, "%.90s", text_or(line, "arithmetic", "?"));
  snprintf(r->commit, sizeof r->commit, "%.40s", text_or(line, "commit", "?"));
  take_scores(line, r);
  const json_t *majority = json_object_get(line, "majority");
  r->majority[0] = number_or(majority, "dev", NAN);
  r->majority[1] = number_or(majority, "test", NAN);
  const char *message = text_or(line, "message", "");
  r->message = message[0] == '\0' ? NULL : ad_strdup(message);
  return message[0] != '\0' && r->message == NULL ? ad_fail_memory(strlen(message) + 1, "a message") : AD_OK;
}

static int read_line(struct ad_cells *table, const char *path, size_t number, const char *text, size_t size) {
  json_t *line;
  AD_TRY(ad_json_parse(&line, path, number, text, size));
  const char *id = text_or(line, "cell", "");
  char *end = NULL;
  const uint64_t value = strtoull(id, &end, 16);
  size_t cell;
  int status = AD_OK;
  if (strlen(id) != 16 || *end != '\0') {
    status =
        ad_fail(AD_EINPUT, "%s:%zu: expected a JSON object with the id of a cell, found another one", path, number);
  } else if (find_cell(table, value, &cell)) {
    status = take_line(table, cell, line);
    status = status == AD_EINPUT ? ad_fail_prefix(status, "%s:%zu", path, number) : status;
  } else {
    table->unknown++;
  }
  json_decref(line);
  return status;
}

/* The whole lines of a file behind those that were read before. */
static int read_record_file(struct ad_cells *table, const char *folder, struct ad_cells_file *file) {
  struct ad_file_map map = {0};
  struct stat info;
  char *path = ad_path_join(folder, file->name);
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + strlen(file->name), "a path");
  }
  int status = AD_OK;
  if (stat(path, &info) == 0 && (!S_ISREG(info.st_mode) || (uint64_t)info.st_size > file->read)) {
    status = ad_file_map(path, &map);
    while (status == AD_OK && file->read < map.size) {
      const char *text = map.data + file->read, *end = memchr(text, '\n', map.size - file->read);
      if (end == NULL) {
        break;
      }
      status = read_line(table, path, ++file->lines, text, (size_t)(end - text));
      file->read += (uint64_t)(end - text) + 1;
    }
    ad_file_unmap(&map);
  }
  ad_free(path);
  return status;
}

static int find_file(struct ad_cells *table, const char *name, struct ad_cells_file **file) {
  for (size_t i = 0; i < table->file_count; i++) {
    if (strcmp(table->files[i].name, name) == 0) {
      *file = &table->files[i];
      return AD_OK;
    }
  }
  void *files = table->files;
  AD_TRY(ad_reserve(&files, &table->file_capacity, table->file_count + 1, sizeof *table->files));
  table->files = files;
  *file = &table->files[table->file_count];
  **file = (struct ad_cells_file){.name = ad_strdup(name)};
  if ((*file)->name == NULL) {
    return ad_fail_memory(strlen(name) + 1, "a name");
  }
  table->file_count++;
  return AD_OK;
}

static int is_record_file(const char *name) {
  const size_t length = strlen(name);
  return name[0] != '.' && length > 6 && strcmp(name + length - 6, ".jsonl") == 0;
}

int ad__study_each_record_file(const struct ad_study *study, int (*each)(void *what, const char *folder, const char *),
                               void *what) {
  char *folder = ad_path_join(study->dir, "records");
  if (folder == NULL) {
    return ad_fail_memory(strlen(study->dir) + 16, "a path");
  }
  DIR *opened = opendir(folder);
  int status = opened != NULL || errno == ENOENT ? AD_OK : ad_fail(AD_EIO, "%s: %s", folder, strerror(errno));
  const struct dirent *entry = NULL;
  while (opened != NULL && status == AD_OK && (entry = readdir(opened)) != NULL) {
    if (is_record_file(entry->d_name)) {
      status = each(what, folder, entry->d_name);
    }
  }
  if (opened != NULL) {
    ad_ignore(closedir(opened));
  }
  ad_free(folder);
  return status;
}

static int read_named(void *table, const char *folder, const char *name) {
  struct ad_cells_file *file;
  AD_TRY(find_file(table, name, &file));
  return read_record_file(table, folder, file);
}

/* --- Leases. */

/* The cell's id as leases are named by it. */
enum { LEASE_NAME = 17 };

static char *lease_folder(const struct ad_cells *table) {
  char *folder = ad_path_join(table->study->dir, "leases");
  if (folder == NULL) {
    ad_fail_memory(strlen(table->study->dir) + 16, "a path");
  }
  return folder;
}

static int find_leased(const struct ad_cells *table, const char *name, size_t *cell) {
  char *end;
  const uint64_t id = strtoull(name, &end, 16);
  return strlen(name) == LEASE_NAME - 1 && *end == '\0' && find_cell(table, id, cell);
}

static void apply_leases(struct ad_cells *table, const struct ad_lease_entry *entries, size_t count) {
  size_t cell;
  for (size_t i = 0; i < table->study->count; i++) {
    struct ad_cell_record *r = &table->records[i];
    r->lease = 0;
    r->state = r->state != AD_CELL_RUNNING ? r->state : r->status == AD_OK ? AD_CELL_WAITING : AD_CELL_FAILED;
  }
  for (size_t i = 0; i < count; i++) {
    if (find_leased(table, entries[i].name, &cell)) {
      struct ad_cell_record *r = &table->records[cell];
      r->lease = entries[i].generation;
      r->certain = entries[i].certain;
      r->beat = entries[i].beat;
      r->begun = 1;
      r->state = entries[i].alive && r->state != AD_CELL_DONE ? AD_CELL_RUNNING : r->state;
    }
  }
}

int ad_cells_refresh(struct ad_cells *table) {
  struct ad_lease_entry *entries = NULL;
  size_t count = 0;
  char *folder = lease_folder(table);
  /* Looked at before the records: a lease goes only once the record is there. */
  int status = folder == NULL ? AD_ENOMEM : ad_lease_list(folder, table->study->lease, &entries, &count);
  status = status == AD_OK ? ad__study_each_record_file(table->study, read_named, table) : status;
  if (status == AD_OK) {
    apply_leases(table, entries, count);
  }
  ad_free(entries);
  ad_free(folder);
  return status;
}

int ad_cells_take(const struct ad_cells *table, size_t cell, struct ad_lease *lease, int *taken) {
  char name[LEASE_NAME];
  char *folder = lease_folder(table);
  *lease = (struct ad_lease){.fd = -1};
  *taken = 0;
  snprintf(name, sizeof name, "%016" PRIx64, table->study->cells[cell].id);
  const int status = folder == NULL
                         ? AD_ENOMEM
                         : ad_lease_take(lease, folder, name, table->records[cell].lease, table->study->lease, taken);
  ad_free(folder);
  return status;
}

static int is_finished(const void *context, const char *name) {
  const struct ad_cells *table = context;
  size_t cell;
  return find_leased(table, name, &cell) && ad_cells_is_finished(&table->records[cell]);
}

int ad_cells_tidy(const struct ad_cells *table) {
  char *folder = lease_folder(table);
  const int status = folder == NULL ? AD_ENOMEM : ad_lease_tidy(folder, table->study->lease, is_finished, table);
  ad_free(folder);
  return status;
}

int ad_cells_open(struct ad_cells *table, const struct ad_study *study) {
  *table = (struct ad_cells){.study = study,
                             .records = ad_calloc(study->count, sizeof *table->records),
                             .ids = ad_malloc(study->count, sizeof *table->ids)};
  if (table->records == NULL || table->ids == NULL) {
    return ad_fail_memory(study->count * sizeof *table->records, "the table of cells");
  }
  for (size_t i = 0; i < study->count; i++) {
    empty_record(&table->records[i]);
    if (study->cells[i].id != 0) {
      table->ids[table->id_count++] = (struct ad_cells_id){study->cells[i].id, i};
    }
  }
  qsort(table->ids, table->id_count, sizeof *table->ids, by_id);
  return ad_cells_refresh(table);
}

void ad_cells_close(struct ad_cells *table) {
  for (size_t i = 0; table->records != NULL && i < table->study->count; i++) {
    ad_free(table->records[i].message);
  }
  for (size_t i = 0; i < table->file_count; i++) {
    ad_free(table->files[i].name);
  }
  ad_free(table->files);
  ad_free(table->records);
  ad_free(table->ids);
  ad_free(table->own);
  *table = (struct ad_cells){0};
}

/* --- Writing. */

/* Result and scores as store/rows.h prints them. AD_ENOMEM. */
static int set_scores(json_t *line, const struct ad_line_scores *scores) {
  char members[AD_ROW_TEXT];
  struct ad_buffer text = {0};
  json_t *value = NULL;
  int status = scores->result == NULL ? AD_OK : ad_result_print(scores->result, &text);
  if (status == AD_OK && scores->result != NULL) {
    status = ad_json_parse(&value, "result", 1, text.data, text.size);
    json_object_set_new(line, "result", value);
  }
  ad_buffer_clear(&text);
  if (status == AD_OK && scores->test != NULL) {
    status = ad_buffer_printf(&text, "{%s}", ad_scores_print(scores->test, members));
    status = status == AD_OK ? ad_json_parse(&value, "test", 1, text.data, text.size) : status;
    json_object_set_new(line, "test", status == AD_OK ? value : NULL);
  }
  ad_buffer_destroy(&text);
  return status;
}

static json_t *pack_axes(const struct ad_study *s, const struct ad_study_cell *cell) {
  json_t *axes = json_object();
  for (size_t a = 0; a < s->axis_count; a++) {
    json_object_set_new(axes, s->axes[a].key, json_string(s->axes[a].values[cell->level[a]]));
  }
  return axes;
}

static json_t *pack_line(const struct ad_cells *table, size_t cell, const struct ad_cell_record *r,
                         const struct ad_line_scores *scores) {
  const struct ad_study *s = table->study;
  const struct ad_study_cell *c = &s->cells[cell];
  char id[32], host[128] = "";
  struct timespec now;
  snprintf(id, sizeof id, "%016" PRIx64, c->id);
  gethostname(host, sizeof host - 1);
  clock_gettime(CLOCK_REALTIME, &now);
  const char *state = r->state == AD_CELL_DONE || r->state == AD_CELL_FAILED ? ad_cell_state_name(r->state) : "stopped";
  json_t *line =
      json_pack("{s:s, s:s, s:s, s:f, s:s, s:o, s:I, s:I, s:f, s:f, s:I, s:s, s:s, s:s}", "cell", id, "state", state,
                "status", ad_status_name(r->status), "at", (double)now.tv_sec + 1e-9 * (double)now.tv_nsec, "arm",
                s->arms[c->arm].name, "axes", pack_axes(s, c), "step", (json_int_t)r->step, "steps",
                (json_int_t)r->steps, "seconds", r->seconds, "cost", r->cost, "ranks", (json_int_t)r->ranks, "host",
                host, "commit", ad_build_commit(), "arithmetic", r->arithmetic);
  if (line == NULL) {
    return NULL;
  }
  json_t *majority = json_object();
  for (size_t i = 0; i < 2; i++) {
    if (isfinite(r->majority[i])) {
      json_object_set_new(majority, ad_split_name(i == 0 ? AD_SPLIT_DEV : AD_SPLIT_TEST), json_real(r->majority[i]));
    }
  }
  json_object_set_new(line, "majority", majority);
  if (set_scores(line, scores) != AD_OK) {
    json_decref(line);
    return NULL;
  }
  if (r->message != NULL) {
    json_object_set_new(line, "message", json_string(r->message));
  }
  return line;
}

/* records/HOST-PID-TIME.jsonl: no other process has that name, neither now nor on a later boot. */
static int name_own(struct ad_cells *table) {
  char name[300], host[128] = "host";
  struct timespec now;
  gethostname(host, sizeof host - 1);
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(name, sizeof name, "records/%s-%ld-%lld%03ld.jsonl", host, (long)getpid(), (long long)now.tv_sec,
           now.tv_nsec / 1000000);
  char *folder = ad_path_join(table->study->dir, "records");
  int status = folder == NULL ? ad_fail_memory(strlen(table->study->dir) + 16, "a path") : ad_make_folders(folder);
  ad_free(folder);
  if (status == AD_OK) {
    table->own = ad_path_join(table->study->dir, name);
    status = table->own == NULL ? ad_fail_memory(strlen(table->study->dir) + sizeof name, "a path") : AD_OK;
  }
  return status;
}

/* Whole or not at all: what was written of a line is cut off again where the disk is full. */
static int write_line(const char *path, const char *text) {
  struct stat info;
  const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  int status = AD_OK;
  if (fd < 0 || fstat(fd, &info) != 0 || lseek(fd, 0, SEEK_END) < 0) {
    status = ad_fail(AD_EIO, "%s: could not be opened: %s", path, strerror(errno));
  } else if (ad_write_all(fd, text, strlen(text)) != 0 || fsync(fd) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be written: %s", path, strerror(errno));
    if (ftruncate(fd, info.st_size) != 0) {
      status = ad_fail(AD_EIO, "%s: could neither be written nor cut: %s", path, strerror(errno));
    }
  }
  if (fd >= 0 && close(fd) != 0 && status == AD_OK) {
    status = ad_fail(AD_EIO, "%s: could not be written: %s", path, strerror(errno));
  }
  return status;
}

int ad_cells_append(struct ad_cells *table, size_t cell, const struct ad_cell_record *record,
                    const struct ad_line_scores *scores) {
  AD_TRY(table->own == NULL ? name_own(table) : AD_OK);
  json_t *line = pack_line(table, cell, record, scores);
  char *dumped = line == NULL ? NULL : json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(17));
  struct ad_buffer text = {0};
  int status = dumped == NULL ? ad_fail_memory(4096, "a line of the table") : ad_buffer_printf(&text, "%s\n", dumped);
  status = status == AD_OK ? write_line(table->own, text.data) : status;
  status = status == AD_OK ? take_line(table, cell, line) : status;
  free(dumped);
  json_decref(line);
  ad_buffer_destroy(&text);
  return status;
}

/* --- Questions. */

double ad_cells_result(const struct ad_cells *table, size_t cell) {
  const struct ad_study *s = table->study;
  return ad_scores_get(&table->records[cell].scores[s->source], s->score->name);
}

int ad_cells_is_finished(const struct ad_cell_record *record) {
  return record->state == AD_CELL_DONE || (record->state == AD_CELL_FAILED && record->status == AD_EDIVERGED);
}

/* The value of a score; where the result is one of several tasks', of that task's. */
static double get_beside(const struct ad_scores *scores, const struct ad_score *result, const char *name) {
  char whole[100];
  const char *dot = strrchr(result->name, '.');
  snprintf(whole, sizeof whole, "%.*s%s", dot == NULL ? 0 : (int)(dot + 1 - result->name), result->name, name);
  return ad_scores_get(scores, whole);
}

int ad_cells_is_failed_run(const struct ad_cells *table, size_t cell) {
  const struct ad_study *s = table->study;
  const struct ad_cell_record *r = &table->records[cell];
  if (r->state != AD_CELL_DONE) {
    return r->state == AD_CELL_FAILED && r->status == AD_EDIVERGED;
  }
  if (s->rule == AD_RULE_MAJORITY) {
    /* NaN, an unknown share or a score that the task does not have, fails nobody. */
    const struct ad_scores *scores = &r->scores[s->source];
    return get_beside(scores, s->score, "accuracy") <= r->majority[s->source == AD_SOURCE_TEST] ||
           get_beside(scores, s->score, "r2") <= 0.0;
  }
  const double result = ad_cells_result(table, cell);
  return s->rule == AD_RULE_THRESHOLD &&
         (s->score->better == AD_BETTER_DOWN ? result >= s->threshold : result <= s->threshold);
}
