/* Seconds to read the table of a study and to report on it: by default 10,000 cells.
 *
 *   bench_report [ARMS INITS ORDERS]    without numbers: 4 x 50 x 50, 100 x 10 x 10, 1 x 100 x 100, 2 x 5000 x 1 in
 * turn
 *
 * The cells are made up and finished; there are no run folders, so what is timed is the table, every statistic of
 * scores, plots and files. The study lies in a folder of its own under TMPDIR (/tmp), which is removed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"
#include "autodidact/study/report.h"

static int write_study(unsigned arms, unsigned inits, unsigned orders) {
  struct ad_buffer text = {0};
  AD_TRY(ad_buffer_printf(&text, "study: {name: many, dir: st}\naxes: {seed.init: 0..%u, seed.order: 0..%u}\narms:\n",
                          inits - 1, orders - 1));
  for (unsigned a = 0; a < arms; a++) {
    AD_TRY(ad_buffer_printf(&text, "  arm-%u: {optim: {lr: %ue-6}}\n", a, a + 1));
  }
  const int status = ad_file_write("study.yaml", text.data, text.size);
  ad_buffer_destroy(&text);
  return status;
}

/* One line a cell, as a worker of the study appends them. */
static int write_records(const struct ad_study *study, unsigned inits) {
  struct ad_buffer text = {0};
  for (size_t i = 0; i < study->count; i++) {
    const struct ad_study_cell *cell = &study->cells[i];
    const double error = 0.1 + 0.004 * ad_random_normal(1, AD_STREAM_TEST, 0, i) +
                         0.003 * ad_random_normal(1, AD_STREAM_TEST, 1, cell->level[0]) +
                         0.001 * (double)(cell->arm % 5) + (inits == 0);
    AD_TRY(ad_buffer_printf(&text,
                            "{\"cell\":\"%016zx\",\"state\":\"done\",\"status\":\"AD_OK\",\"at\":1,\"step\":100,"
                            "\"steps\":100,\"seconds\":1,"
                            "\"result\":{\"step\":100,\"steps\":100,\"dev\":{\"error\":%.17g}}}\n",
                            (size_t)cell->id, error));
  }
  AD_TRY(ad_make_folders("st/records"));
  const int status = ad_file_write("st/records/bench.jsonl", text.data, text.size);
  ad_buffer_destroy(&text);
  return status;
}

static int measure(unsigned arms, unsigned inits, unsigned orders) {
  struct ad_study study;
  struct ad_cells cells;
  struct ad_buffer text = {0};
  AD_TRY(write_study(arms, inits, orders));
  const double begin = ad_clock();
  AD_TRY(ad_study_read(&study, "study.yaml"));
  const double planned = ad_clock();
  for (size_t i = 0; i < study.count; i++) {
    study.cells[i].id = 0x1000 + i; /* there is no data to identify them by */
  }
  AD_TRY(write_records(&study, inits));
  const double start = ad_clock();
  AD_TRY(ad_cells_open(&cells, &study));
  const double listed = ad_clock();
  AD_TRY(ad_study_report(&study, &cells, &(struct ad_report_settings){0}, &text));
  const double reported = ad_clock();
  size_t scores = 0;
  for (size_t i = 0; i < study.count; i++) {
    scores += ad_cells_result(&cells, i) > 0.0;
  }
  printf(
      "%4u arms x %4u inits x %4u orders = %6zu cells (%zu with a score): laid out %.2f s, listed %.2f s, reported "
      "%.2f s\n",
      arms, inits, orders, study.count, scores, planned - begin, listed - start, reported - listed);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
  ad_buffer_destroy(&text);
  return system("rm -rf st") == 0 ? AD_OK : ad_fail(AD_EIO, "st: could not be removed");
}

int main(int argc, char **argv) {
  static const unsigned shapes[][3] = {{4, 50, 50}, {100, 10, 10}, {1, 100, 100}, {2, 5000, 1}};
  char folder[200], command[300];
  snprintf(folder, sizeof folder, "%.150s/ad-bench-XXXXXX", getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"));
  if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
    perror(folder);
    return 2;
  }
  int status = AD_OK;
  if (argc == 4) {
    status = measure((unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
  } else {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes && status == AD_OK; i++) {
      status = measure(shapes[i][0], shapes[i][1], shapes[i][2]);
    }
  }
  if (status != AD_OK) {
    fprintf(stderr, "bench_report: %s\n", ad_error_message());
  }
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return chdir("/") == 0 && system(command) == 0 && status == AD_OK ? 0 : 1;
}
