/* Any bytes as the records of a study, and as the name and text of a lease. The cells' ids are 1, 2, 3, 4. */
#include "fuzz.h"

#include <math.h>

#include "autodidact/store/lease.h"
#include "autodidact/study/cells.h"

static const char file[] = "study: {dir: d}\naxes: {seed.init: 0..1, optim.lr: [1e-3, 2e-3]}\n";
enum { CELLS = 4 };

static struct ad_study *lay_out(void) {
  static struct ad_study study;
  demand(ad_study_read(&study, fuzz_put("study.yaml", file, sizeof file - 1)) == AD_OK && study.count == CELLS);
  ad_free(study.dir);
  study.dir = ad_strdup(fuzz_folder());
  for (size_t i = 0; i < CELLS; i++) {
    study.cells[i].id = i + 1;
  }
  demand(study.dir != NULL && mkdir(fuzz_path("records"), 0700) == 0 && mkdir(fuzz_path("leases"), 0700) == 0);
  return &study;
}

static void look(const struct ad_cells *table) {
  for (size_t i = 0; i < CELLS; i++) {
    const struct ad_cell_record *r = &table->records[i];
    demand(r->state < AD_CELL_STATES);
    demand(isfinite(r->at) && isfinite(r->seconds) && isfinite(r->cost) &&
           memchr(r->arithmetic, '\0', sizeof r->arithmetic) != NULL);
    demand(!ad_cells_is_failed_run(table, i) || r->state == AD_CELL_FAILED || r->state == AD_CELL_DONE);
    ad_cells_is_finished(r);
    ad_cells_result(table, i);
  }
}

/* The name of a lease's file is the part's first line; 0: it is none. */
static int put_lease(struct fuzz_part part, char name[64]) {
  size_t length = 0;
  snprintf(name, 64, "leases/");
  while (length < part.size && length < 40 && part.data[length] > ' ' && part.data[length] != '/') {
    name[7 + length] = (char)part.data[length];
    length++;
  }
  name[7 + length] = '\0';
  if (length == 0 || name[7] == '.') {
    return 0;
  }
  fuzz_put(name, part.data + length, part.size - length);
  return 1;
}

void fuzz_input(const uint8_t *data, size_t size) {
  static struct ad_study *study;
  struct fuzz_part parts[2];
  struct ad_cells table;
  char lease[64];
  if (study == NULL) {
    study = lay_out();
    fuzz_kept = ad_memory_stats().live_blocks;
  }
  fuzz_cut(data, size, parts, 2);
  fuzz_put("records/a.jsonl", parts[0].data, parts[0].size);
  const int leased = put_lease(parts[1], lease);
  if (fuzz_accepted(ad_cells_open(&table, study))) {
    look(&table);
    demand(ad_cells_tidy(&table) == AD_OK);
  }
  ad_cells_close(&table);
  if (leased) {
    fuzz_drop(lease);
  }
}
