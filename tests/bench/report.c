/* Seconds to read the table of a study and to report on it: by default 10,000 cells.
 *
 *   bench_report [ARMS INITS ORDERS]    without numbers: 4 x 50 x 50, 100 x 10 x 10, 1 x 100 x 100, 2 x 5000 x 1 in
 * turn
 *
 * The cells are made up and finished. Each has a run folder as `train` leaves it: a log of 300 steps and six
 * evaluations, logits of 2,000 examples of 26 classes, thirty snapshots with norms and sketches; forty different ones,
 * linked. The study lies in a folder of its own under TMPDIR (/tmp), which is removed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"
#include "autodidact/report/report.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/snapshot.h"

enum { TEMPLATES = 40, LOG_STEPS = 300, EVERY = 50, EXAMPLES = 2000, CLASSES = 26, SNAPSHOTS = 30, SKETCH = 1024 };

/* Files of a run folder, the virtual one last. */
static const char *const files[] = {"log.jsonl", "result.json", "logits/dev-step-00000300.h5",
                                    "snapshots/segment-000000010.h5", "snapshots/all.h5"};

/* ---- Run folders ---- */

static double noise(unsigned stream, unsigned run, size_t i) {
  return ad_random_normal(2 + stream, AD_STREAM_TEST, run, i);
}

static int write_log(const char *path, unsigned run) {
  struct ad_buffer text = {0};
  int status = AD_OK;
  for (size_t s = 1; s <= LOG_STEPS && status == AD_OK; s++) {
    const double loss = 3.0 * exp(-(double)s / 80) + 0.3 + 0.1 * noise(0, run, s);
    status = ad_buffer_printf(&text,
                              "{\"step\":%zu,\"epoch\":%zu,\"examples\":16,\"tokens\":251,\"loss\":%.17g,"
                              "\"norm\":%.17g,\"factor\":1,\"lr\":%.17g,\"distance\":%.17g,"
                              "\"digest\":\"5bd8b4e92c1a0f37\",\"chain\":\"%016zx\"}\n",
                              s, 1 + s / 100, loss, 2 + loss + 0.2 * noise(1, run, s), 2e-4 * (double)(LOG_STEPS - s),
                              0.1 * loss * loss, s * 7919);
    if (status == AD_OK && s % EVERY == 0) {
      const double error = 0.2 + 0.3 * exp(-(double)s / 60) + 0.01 * noise(2, run, s);
      status = ad_buffer_printf(&text,
                                "{\"eval\":\"dev\",\"model\":\"student\",\"step\":%zu,\"epoch\":%zu,\"examples\":2000,"
                                "\"error\":%.17g,\"accuracy\":%.17g,\"loss\":%.17g}\n",
                                s, s / 100, error, 1 - error, loss);
    }
  }
  status = status == AD_OK ? ad_file_write(path, text.data, text.size) : status;
  ad_buffer_destroy(&text);
  return status;
}

static int write_logits(const char *path, unsigned run) {
  float *logits = ad_malloc((size_t)EXAMPLES * CLASSES, sizeof *logits);
  uint32_t *labels = ad_malloc(EXAMPLES, sizeof *labels);
  if (logits == NULL || labels == NULL) {
    return ad_fail_memory((size_t)EXAMPLES * CLASSES * sizeof *logits, "logits");
  }
  for (size_t i = 0; i < EXAMPLES; i++) {
    labels[i] = (uint32_t)ad_random_below(1, AD_STREAM_TEST, 3, i, CLASSES);
    for (size_t c = 0; c < CLASSES; c++) {
      logits[i * CLASSES + c] =
          (float)(noise(3, 0, i * CLASSES + c) + 0.3 * noise(4, run, i * CLASSES + c) + (c == labels[i] ? 2.5 : 0.0));
    }
  }
  const int status = ad_logits_write(path, (struct ad_labels){ad_task_find(NULL), EXAMPLES, labels}, CLASSES, logits);
  ad_free(logits);
  ad_free(labels);
  return status;
}

static int write_snapshots(const char *folder, unsigned run) {
  static const struct ad_model_config model = {
      .hidden = 32, .heads = 4, .ffn = 64, .layers = 6, .vocab = 40, .positions = 16, .types = 2, .classes = 3};
  struct ad_params params;
  struct ad_snapshots *snapshots;
  AD_TRY(ad_params_create(&params, &model));
  const struct ad_snapshot_layout layout = {
      .params = &params, .content = AD_SNAPSHOT_SCALARS | AD_SNAPSHOT_NORMS | AD_SNAPSHOT_SKETCH, .sketch = SKETCH};
  double *norm = ad_calloc((size_t)AD_NORMS * params.tensor_count, sizeof *norm);
  int64_t *sketch = ad_calloc(SKETCH, sizeof *sketch);
  int status = norm == NULL || sketch == NULL ? ad_fail_memory(SKETCH * sizeof *sketch, "snapshots")
                                              : ad_snapshots_open(&snapshots, folder, &layout);
  for (size_t i = 1; i <= SNAPSHOTS && status == AD_OK; i++) {
    for (size_t k = 0; k < AD_NORMS * params.tensor_count; k++) {
      norm[k] = 1.0 + 0.1 * fabs(noise(5, run, i * 1000 + k));
    }
    for (size_t k = 0; k < SKETCH; k++) {
      sketch[k] += (int64_t)(1e9 * noise(6, run, i * SKETCH + k));
    }
    const struct ad_snapshot snapshot = {.step = 10 * i, .norm = norm, .sketch = sketch};
    status = ad_snapshots_add(snapshots, &snapshot);
  }
  if (status == AD_OK) {
    status = ad_snapshots_flush(snapshots);
    ad_snapshots_destroy(snapshots);
  }
  ad_free(norm);
  ad_free(sketch);
  ad_params_destroy(&params);
  return status;
}

/* templates/RUN, of which all run folders are made. */
static int write_template(unsigned run) {
  static const char result[] = "{\"step\":300,\"steps\":300,\"model\":\"student\",\"dev\":{\"error\":0.2}}\n";
  char folder[60], path[120];
  snprintf(folder, sizeof folder, "templates/%u", run);
  snprintf(path, sizeof path, "%s/logits", folder);
  AD_TRY(ad_make_folders(path));
  snprintf(path, sizeof path, "%s/%s", folder, files[0]);
  AD_TRY(write_log(path, run));
  snprintf(path, sizeof path, "%s/%s", folder, files[1]);
  AD_TRY(ad_file_write(path, result, sizeof result - 1));
  snprintf(path, sizeof path, "%s/%s", folder, files[2]);
  AD_TRY(write_logits(path, run));
  return write_snapshots(folder, run);
}

static int link_run(const struct ad_study *study, size_t cell) {
  char path[300], from[120];
  char *folder = ad_study_folder(study, &study->cells[cell]);
  int status = folder == NULL ? ad_fail_memory(100, "a path") : AD_OK;
  for (size_t i = 0; i < 2 && status == AD_OK; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, i == 0 ? "logits" : "snapshots");
    status = ad_make_folders(path);
  }
  for (size_t i = 0; i < sizeof files / sizeof *files && status == AD_OK; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, files[i]);
    snprintf(from, sizeof from, "templates/%zu/%s", (cell * 7919) % TEMPLATES, files[i]);
    status = link(from, path) == 0 ? AD_OK : ad_fail(AD_EIO, "%s could not be linked to %s", path, from);
  }
  ad_free(folder);
  return status;
}

/* ---- The study ---- */

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
                            "{\"cell\":\"%016zx\",\"state\":\"done\",\"status\":\"AD_OK\",\"at\":1,\"step\":300,"
                            "\"steps\":300,\"seconds\":1,"
                            "\"result\":{\"step\":300,\"steps\":300,\"dev\":{\"error\":%.17g}}}\n",
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
  for (size_t i = 0; i < study.count; i++) {
    AD_TRY(link_run(&study, i));
  }
  const double start = ad_clock();
  AD_TRY(ad_cells_open(&cells, &study));
  const double listed = ad_clock();
  AD_TRY(ad_report_make(&study, &cells, &(struct ad_report_settings){0}, &text));
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
  for (unsigned run = 0; run < TEMPLATES && status == AD_OK; run++) {
    status = write_template(run);
  }
  if (status != AD_OK) {
    /* said below */
  } else if (argc == 4) {
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
