/* Sections on snapshots: distances between runs, norms; the gradient noise scale is noise.c's. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/trajectory.h"
#include "autodidact/store/snapshot.h"
#include "report_internal.h"

enum { STEPS = 60, SNAPSHOT_ARMS = 8 };
enum norm { VALUE, UPDATE, TEACHER, NORMS };

static const char *const datasets[NORMS] = {"norms/value", "norms/update", "norms/distance"};
static const char *const ids[NORMS] = {"parameter_norm", "update_norm", "parameter_distance"};
static const char *const titles[NORMS] = {"Norm of the parameters", "Norm of the update",
                                          "Distance of the parameters from the teacher's"};

/* Up to STEPS of an arm's snapshots, of up to SKETCHES_OF_ARM runs. */
struct arm_snapshots {
  size_t runs, points[SKETCHES_OF_ARM];
  size_t steps;
  uint64_t step[STEPS];
  size_t buckets;
  int64_t *sketch[SKETCHES_OF_ARM]; /* [STEPS,buckets], first the start's; NULL: none */
  double *norm[NORMS];              /* [SKETCHES_OF_ARM,STEPS] */
};

struct snapshots {
  struct report *r;
  size_t arms, without, other;
  char first_other[400];     /* why the first of the `other` files could not be read */
  struct arm_snapshots *arm; /* [arms] */
  struct noise noise[SNAPSHOT_ARMS];
};

/* The steps of an arm are those of its first run: row 0, then others spread evenly with the last one. rows [STEPS]. */
static void choose_steps(struct arm_snapshots *arm, const uint64_t *step, size_t n) {
  const size_t take = n < STEPS ? n : STEPS;
  for (size_t i = 0; i < take; i++) {
    arm->step[i] = step[take == 1 ? 0 : i * (n - 1) / (take - 1)];
  }
  arm->steps = take;
}

/* The row of each step of the arm in a run that has `n` ascending steps; SIZE_MAX: none. */
static void find_rows(const struct arm_snapshots *arm, const uint64_t *step, size_t n, size_t *rows) {
  for (size_t i = 0, row = 0; i < arm->steps; i++) {
    while (row < n && step[row] < arm->step[i]) {
      row++;
    }
    rows[i] = row < n && step[row] == arm->step[i] ? row : SIZE_MAX;
  }
}

/* The norm over all tensors, from those of each; frozen ones have none. */
static double whole_norm(size_t tensors, const double *norms) {
  double sum = 0.0;
  size_t there = 0;
  for (size_t t = 0; t < tensors; t++) {
    sum += isnan(norms[t]) ? 0.0 : norms[t] * norms[t];
    there += !isnan(norms[t]);
  }
  return there > 0 ? sqrt(sum) : NAN;
}

/* The column of this name with rows of `dimensions` and elements of 8 bytes of this kind; -1: none. */
static int find_column(const struct ad_snapshot_file *file, const char *name, char kind, size_t dimensions) {
  const struct ad_snapshot_column *columns;
  ad_snapshot_file_columns(file, &columns);
  const int c = ad_snapshot_file_find(file, name);
  return c >= 0 && columns[c].kind == kind && columns[c].bytes == 8 && columns[c].dimensions == dimensions &&
                 !columns[c].once
             ? c
             : -1;
}

static int read_norms(const struct ad_snapshot_file *file, struct arm_snapshots *arm, enum norm which,
                      const size_t *rows) {
  const struct ad_snapshot_column *columns;
  ad_snapshot_file_columns(file, &columns);
  const int c = find_column(file, datasets[which], 'f', 1);
  const size_t tensors = c < 0 ? 0 : columns[c].count;
  double *norms = ad_malloc(tensors, sizeof *norms);
  int status = norms == NULL ? ad_fail_memory(tensors * sizeof *norms, "norms") : AD_OK;
  for (size_t i = 0; i < arm->steps && status == AD_OK; i++) {
    const int there = c >= 0 && rows[i] != SIZE_MAX;
    status = there ? ad_snapshot_file_get(file, (size_t)c, rows[i], norms) : AD_OK;
    arm->norm[which][arm->runs * STEPS + i] = there ? whole_norm(tensors, norms) : NAN;
  }
  ad_free(norms);
  return status;
}

/* Keeps the sketch where every step has one. */
static int read_sketch(const struct ad_snapshot_file *file, struct arm_snapshots *arm, const size_t *rows) {
  const struct ad_snapshot_column *columns;
  ad_snapshot_file_columns(file, &columns);
  const int c = find_column(file, "sketch", 'i', 1);
  int whole = c >= 0 && (arm->buckets == 0 || arm->buckets == columns[c].count);
  for (size_t i = 0; i < arm->steps && whole; i++) {
    whole = rows[i] != SIZE_MAX;
  }
  if (!whole) {
    return AD_OK;
  }
  arm->buckets = columns[c].count;
  int64_t *kept = ad_malloc(arm->steps * arm->buckets, sizeof *kept);
  int status = kept == NULL ? ad_fail_memory(arm->steps * arm->buckets * sizeof *kept, "sketches") : AD_OK;
  for (size_t i = 0; i < arm->steps && status == AD_OK; i++) {
    status = ad_snapshot_file_get(file, (size_t)c, rows[i], kept + i * arm->buckets);
  }
  if (status != AD_OK) {
    ad_free(kept);
    return status;
  }
  arm->sketch[arm->runs] = kept;
  return AD_OK;
}

static int read_snapshots(struct arm_snapshots *arm, const struct ad_snapshot_file *file, size_t point) {
  const uint64_t *step;
  size_t rows[STEPS];
  const size_t n = ad_snapshot_file_rows(file, &step);
  if (n == 0) {
    return ad_fail(AD_EINPUT, "no rows");
  }
  if (arm->runs == 0) {
    choose_steps(arm, step, n);
  }
  find_rows(arm, step, n, rows);
  for (size_t k = 0; k < NORMS; k++) {
    AD_TRY(read_norms(file, arm, (enum norm)k, rows));
  }
  AD_TRY(read_sketch(file, arm, rows));
  arm->points[arm->runs++] = point;
  return AD_OK;
}

/* Warns of a file that could not be read, counts it and leaves it out. */
static void leave_out(struct snapshots *s) {
  ad_log(AD_LOG_WARNING, "%s; left out of the report", ad_error_message());
  if (s->other++ == 0) {
    snprintf(s->first_other, sizeof s->first_other, "%s", ad_error_message());
  }
  ad_error_clear();
}

/* Runs without the file are counted and left out. */
static int read_run_snapshots(struct snapshots *s, struct arm_snapshots *arm, size_t a, size_t point) {
  char *path = ad__report_path(s->r, a, point, AD_SNAPSHOTS_ALL);
  if (path == NULL) {
    return AD_ENOMEM;
  }
  struct ad_snapshot_file *file = NULL;
  const int there = ad_is_file(path);
  int status = there ? ad_snapshot_file_open(&file, path) : AD_OK;
  ad_free(path);
  s->without += !there;
  if (there && status == AD_OK) {
    status = read_snapshots(arm, file, point);
    status = status == AD_OK
                 ? ad__noise_add(&s->noise[a], file, s->r->cells->records[s->r->arm[a].runs[point].cell].steps)
                 : status;
    ad_snapshot_file_close(file);
  }
  if (status == AD_EINPUT) {
    leave_out(s);
    status = AD_OK;
  }
  return status;
}

static int read_arm_snapshots(struct snapshots *s, size_t a) {
  struct arm_snapshots *arm = &s->arm[a];
  size_t chosen[SKETCHES_OF_ARM];
  const size_t count = ad__report_choose(s->r, a, SKETCHES_OF_ARM, chosen);
  for (size_t k = 0; k < NORMS; k++) {
    arm->norm[k] = ad_malloc((size_t)SKETCHES_OF_ARM * STEPS, sizeof(double));
    if (arm->norm[k] == NULL) {
      return ad_fail_memory((size_t)SKETCHES_OF_ARM * STEPS * 8, "norms");
    }
  }
  for (size_t i = 0; i < count; i++) {
    AD_TRY(read_run_snapshots(s, arm, a, chosen[i]));
  }
  return AD_OK;
}

/* ---- Distances ---- */

static double apart(const struct arm_snapshots *a, size_t run_a, size_t i, const struct arm_snapshots *b, size_t run_b,
                    size_t j) {
  const int64_t *x = a->sketch[run_a] + i * a->buckets, *y = b->sketch[run_b] + j * b->buckets;
  return sqrt(ad_sketch_product(a->buckets, x, y, x, y));
}

struct spread_of_runs {
  double from_start, between, cosine, from_baseline; /* NaN: none */
};

static struct spread_of_runs measure(const struct arm_snapshots *arm, size_t i, const struct arm_snapshots *base) {
  struct spread_of_runs m = {0.0, 0.0, 0.0, 0.0};
  size_t moved = 0, pairs = 0, turned = 0, common = 0;
  for (size_t k = 0; k < arm->runs; k++) {
    if (arm->sketch[k] == NULL) {
      continue;
    }
    m.from_start += apart(arm, k, i, arm, k, 0);
    moved++;
    for (size_t l = k + 1; l < arm->runs; l++) {
      if (arm->sketch[l] == NULL) {
        continue;
      }
      const int64_t *a0 = arm->sketch[k], *b0 = arm->sketch[l], *a1 = a0 + i * arm->buckets,
                    *b1 = b0 + i * arm->buckets;
      const double lengths = apart(arm, k, i, arm, k, 0) * apart(arm, l, i, arm, l, 0);
      m.between += apart(arm, k, i, arm, l, i);
      pairs++;
      if (lengths > 0.0) {
        m.cosine += ad_sketch_product(arm->buckets, a1, a0, b1, b0) / lengths;
        turned++;
      }
    }
    for (size_t l = 0; base != NULL && l < base->runs; l++) {
      if (base->points[l] == arm->points[k] && base->sketch[l] != NULL && base->buckets == arm->buckets &&
          i < base->steps && base->step[i] == arm->step[i]) {
        m.from_baseline += apart(arm, k, i, base, l, i);
        common++;
      }
    }
  }
  m.from_start = moved > 0 ? m.from_start / (double)moved : NAN;
  m.between = pairs > 0 ? m.between / (double)pairs : NAN;
  m.cosine = turned > 0 ? m.cosine / (double)turned : NAN;
  m.from_baseline = common > 0 ? m.from_baseline / (double)common : NAN;
  return m;
}

static struct ad_figure known(double value, const char *why) {
  return isnan(value) ? ad_figure_none(why) : ad_figure_of(value);
}

struct distance_row {
  const char *arm;
  size_t step;
  struct ad_figure from_start, between, cosine, from_baseline;
};

static void distance_row(struct report *r, const char *arm, uint64_t step, const struct spread_of_runs *m) {
  const struct distance_row row = {
      .arm = arm,
      .step = step,
      .from_start = known(m->from_start, "no sketches"),
      .between = known(m->between, "needs at least 2 runs with sketches of the same steps"),
      .cosine = known(m->cosine, "needs at least 2 runs that have moved"),
      .from_baseline = known(m->from_baseline, "the baseline itself, or no common seeds and steps")};
  ad__document_row(r->doc, &row);
}

/* Rows and curves of an arm; how many of its distances between runs are known. */
static size_t distances_of_arm(struct snapshots *s, size_t a, size_t k, struct picture *p) {
  struct report *r = s->r;
  const struct arm_snapshots *arm = &s->arm[a];
  const size_t base = r->arm[a].baseline;
  double x[STEPS], from_start[STEPS], between[STEPS];
  size_t known = 0;
  for (size_t i = 0; i < arm->steps; i++) {
    const struct spread_of_runs m = measure(arm, i, a != base && base < s->arms ? &s->arm[base] : NULL);
    distance_row(r, r->arm[a].name, arm->step[i], &m);
    x[i] = (double)arm->step[i];
    from_start[i] = m.from_start;
    between[i] = m.between;
    known += !isnan(m.between);
  }
  ad__draw_curve(r, p, PICTURE_DASHED, a, k, &(struct curve){arm->steps, x, from_start});
  ad__draw_curve(r, p, PICTURE_LINE, a, k, &(struct curve){arm->steps, x, between});
  return known;
}

static int distances(struct snapshots *s) {
  struct report *r = s->r;
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, distance_row, arm),
      COLUMN("step", "step", UNIT_NONE, distance_row, step),
      COLUMN("from_start", "distance from the start", UNIT_NONE, distance_row, from_start),
      COLUMN("between", "between two runs", UNIT_NONE, distance_row, between),
      COLUMN("cosine", "cosine of displacements", UNIT_NONE, distance_row, cosine),
      COLUMN("from_baseline", "from the baseline, same seeds", UNIT_NONE, distance_row, from_baseline)};
  struct picture p = {.width = 820,
                      .height = 360,
                      .x = {.label = "step", .unit = "optimizer updates"},
                      .y = {.label = "distance of parameters, L2"}};
  size_t drawn = 0, between = 0;
  ad__document_table(r->doc, "distances", "Mean distances of parameters (L2), from sketches", COLUMNS(columns));
  ad__document_data_only(r->doc);
  for (size_t a = 0; a < s->arms; a++) {
    if (s->arm[a].buckets > 0) {
      between += distances_of_arm(s, a, drawn++, &p);
    }
  }
  if (between > 0) {
    ad__document_picture(r->doc, "plot_distances",
                         "Mean distance between two runs of an arm (line), and of a run from its start (dashed).", NULL,
                         &p);
  }
  ad__picture_destroy(&p);
  return r->doc->status;
}

/* ---- Norms ---- */

struct norm_row {
  const char *arm, *quantity;
  size_t step;
  struct ad_band of;
};

static int norm_bands(struct snapshots *s, enum norm which) {
  struct report *r = s->r;
  struct picture p = {.width = 820,
                      .height = 320,
                      .x = {.label = "step", .unit = "optimizer updates"},
                      .y = {.label = titles[which], .unit = "L2"}};
  struct ad_band band[STEPS];
  double x[STEPS];
  size_t drawn = 0;
  int status = AD_OK;
  char id[60], title[160];
  for (size_t a = 0; a < s->arms && status == AD_OK; a++) {
    const struct arm_snapshots *arm = &s->arm[a];
    size_t rows = 0;
    status = ad_bands(band, arm->runs, STEPS, arm->norm[which]);
    for (size_t i = 0; i < arm->steps && status == AD_OK; i++) {
      x[i] = (double)arm->step[i];
      if (band[i].n > 0) {
        const struct norm_row row = {r->arm[a].name, ids[which], arm->step[i], band[i]};
        ad__document_row(r->doc, &row);
        rows++;
      }
    }
    if (rows > 0) {
      ad__draw_bands(r, &p, a, drawn++, arm->steps, x, band, 1.0);
    }
  }
  if (status == AD_OK && drawn > 0) {
    snprintf(id, sizeof id, "plot_%s", ids[which]);
    snprintf(title, sizeof title, "%s over steps: median and quartiles over the runs of an arm.", titles[which]);
    ad__document_picture(r->doc, id, title, NULL, &p);
  }
  ad__picture_destroy(&p);
  return status == AD_OK ? r->doc->status : status;
}

static int snapshot_sections(struct snapshots *s) {
  struct report *r = s->r;
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, norm_row, arm),
      COLUMN("quantity", "quantity", UNIT_NONE, norm_row, quantity),
      COLUMN("step", "step", UNIT_NONE, norm_row, step),
      COLUMN("runs", "runs", UNIT_NONE, norm_row, of.n),
      BAND_COLUMNS(norm_row, of.quantile),
  };
  size_t runs = 0, sketches = 0;
  for (size_t a = 0; a < s->arms; a++) {
    runs += s->arm[a].runs;
    sketches += s->arm[a].buckets;
  }
  ad__document_section(r->doc, "distances", "Distances between runs",
                       "How far runs that differ in seeds alone move apart, and how far from their start: where the "
                       "distance between two runs nears sqrt(2) times that from the start, "
                       "their displacements have nothing in common.",
                       "small differences: a distance from a sketch of 1,024 buckets has an error of about 2 %; and "
                       "distance in parameters is not distance in function.");
  if (s->other > 0) {
    ad__document_note(r->doc, "Snapshots of %zu runs could not be read; the first: %s", s->other, s->first_other);
  }
  if (runs == 0) {
    ad__document_note(r->doc, s->other > 0 ? "Not available: no run has snapshots that can be read."
                                           : "Not available: no run has snapshots (snapshot.every and its like).");
    return r->doc->status;
  }
  ad__document_note(r->doc,
                    "Read: at most %d runs of each of the first %zu arms, %d steps of each; %zu of these runs without "
                    "snapshots, %zu with a file that could not be read.",
                    SKETCHES_OF_ARM, s->arms, STEPS, s->without, s->other);
  if (sketches == 0) {
    ad__document_note(r->doc, "Distances are not available: no snapshot has a sketch (snapshot.content).");
  } else {
    AD_TRY(distances(s));
  }
  ad__document_table(r->doc, "norms", "Quantiles of norms over runs", COLUMNS(columns));
  ad__document_data_only(r->doc);
  for (size_t k = 0; k < NORMS; k++) {
    AD_TRY(norm_bands(s, (enum norm)k));
  }
  return r->doc->status;
}

int ad__report_snapshots(struct report *r) {
  struct snapshots s = {.r = r, .arms = r->arms < SNAPSHOT_ARMS ? r->arms : SNAPSHOT_ARMS};
  s.arm = ad_calloc(s.arms, sizeof *s.arm);
  int status = s.arm == NULL ? ad_fail_memory(s.arms * sizeof *s.arm, "snapshots") : AD_OK;
  for (size_t a = 0; a < s.arms && status == AD_OK; a++) {
    status = read_arm_snapshots(&s, a);
  }
  status = status == AD_OK ? snapshot_sections(&s) : status;
  status = status == AD_OK ? ad__report_noise(r, s.arms, s.noise) : status;
  for (size_t a = 0; s.arm != NULL && a < s.arms; a++) {
    for (size_t k = 0; k < SKETCHES_OF_ARM; k++) {
      ad_free(s.arm[a].sketch[k]);
    }
    for (size_t k = 0; k < NORMS; k++) {
      ad_free(s.arm[a].norm[k]);
    }
  }
  for (size_t a = 0; a < s.arms; a++) {
    ad_free(s.noise[a].step);
  }
  ad_free(s.arm);
  return status;
}
