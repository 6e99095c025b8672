/* The section on the gradient noise scale, from the scalars of the runs' snapshots. */
#include <math.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/trajectory.h"
#include "report_internal.h"

enum { PERIODS = 4 };
enum noise_column { NOISE_NORM, NOISE_PART_NORM, NOISE_EXAMPLES, NOISE_PART_EXAMPLES, NOISE_COLUMNS };

static const struct {
  const char *name;
  char kind;
} datasets[NOISE_COLUMNS] = {
    {"scalars/norm", 'f'}, {"scalars/part_norm", 'f'}, {"scalars/examples", 'u'}, {"scalars/part_examples", 'u'}};
static const char *const periods[PERIODS] = {"all steps", "first third", "second third", "last third"};

struct noise_step {
  double norm, part_norm, examples, part_examples;
  int third; /* 1 to 3 */
};

/* The columns that are needed into which [NOISE_COLUMNS]; 0: one is not there. */
static int find_noise_columns(const struct ad_snapshot_file *file, size_t *which) {
  const struct ad_snapshot_column *columns;
  ad_snapshot_file_columns(file, &columns);
  for (size_t c = 0; c < NOISE_COLUMNS; c++) {
    const int found = ad_snapshot_file_find(file, datasets[c].name);
    if (found < 0 || columns[found].kind != datasets[c].kind || columns[found].bytes != 8 ||
        columns[found].dimensions != 0) {
      return 0;
    }
    which[c] = (size_t)found;
  }
  return 1;
}

int ad__noise_add(struct noise *noise, const struct ad_snapshot_file *file, uint64_t steps) {
  const uint64_t *step;
  size_t which[NOISE_COLUMNS];
  const size_t n = ad_snapshot_file_rows(file, &step), before = noise->count;
  if (n == 0 || noise->runs == SKETCHES_OF_ARM || !find_noise_columns(file, which)) {
    return AD_OK;
  }
  AD_TRY(ad_reserve(&noise->step, &noise->capacity, before + n, sizeof(struct noise_step)));
  const uint64_t last = steps > 0 ? steps : step[n - 1];
  for (size_t i = 0; i < n; i++) {
    struct noise_step *s = (struct noise_step *)noise->step + before + i;
    uint64_t examples, part_examples;
    AD_TRY(ad_snapshot_file_get(file, which[NOISE_NORM], i, &s->norm));
    AD_TRY(ad_snapshot_file_get(file, which[NOISE_PART_NORM], i, &s->part_norm));
    AD_TRY(ad_snapshot_file_get(file, which[NOISE_EXAMPLES], i, &examples));
    AD_TRY(ad_snapshot_file_get(file, which[NOISE_PART_EXAMPLES], i, &part_examples));
    s->examples = (double)examples;
    s->part_examples = (double)part_examples;
    s->third = 3 * step[i] <= last ? 1 : 3 * step[i] <= 2 * last ? 2 : 3;
  }
  noise->count += n;
  noise->begin[++noise->runs] = noise->count;
  return AD_OK;
}

/* Squared norms and numbers of examples [count] of the steps of a period, as the estimator takes them. */
struct sample {
  double *few_norm, *many_norm, *few, *many;
};

/* The estimate from the steps [begin, end) of a period (0: of all). */
static struct ad_noise_scale estimate(const struct noise *noise, const struct sample *sample, size_t begin, size_t end,
                                      int period) {
  struct ad_noise_scale scale;
  size_t n = 0;
  for (size_t i = begin; i < end; i++) {
    const struct noise_step *s = (const struct noise_step *)noise->step + i;
    if (period == 0 || s->third == period) {
      sample->few_norm[n] = s->part_norm * s->part_norm;
      sample->many_norm[n] = s->norm * s->norm;
      sample->few[n] = s->part_examples;
      sample->many[n++] = s->examples;
    }
  }
  ad_noise_scale_of(&scale, n, sample->few_norm, sample->many_norm, sample->few, sample->many);
  return scale;
}

struct noise_row {
  const char *arm, *period;
  size_t runs;
  struct ad_noise_scale of;
  struct ad_figure lowest, highest; /* of a run */
};

static void noise_row(struct report *r, size_t arm, const struct noise *noise, const struct sample *sample,
                      int period) {
  const struct ad_figure none = ad_figure_none("no run has an estimate of its own");
  struct noise_row row = {.arm = r->arm[arm].name,
                          .period = periods[period],
                          .runs = noise->runs,
                          .of = estimate(noise, sample, 0, noise->count, period),
                          .lowest = none,
                          .highest = none};
  for (size_t k = 0; k < noise->runs; k++) {
    const struct ad_figure own = estimate(noise, sample, noise->begin[k], noise->begin[k + 1], period).scale;
    if (own.why == NULL) {
      row.lowest = row.lowest.why != NULL || own.value < row.lowest.value ? own : row.lowest;
      row.highest = row.highest.why != NULL || own.value > row.highest.value ? own : row.highest;
    }
  }
  ad__document_row(r->doc, &row);
}

static int noise_rows(struct report *r, size_t arm, const struct noise *noise) {
  const size_t n = noise->count;
  double *memory = ad_malloc(4 * n, sizeof *memory);
  if (memory == NULL) {
    return ad_fail_memory(4 * n * sizeof *memory, "norms of gradients");
  }
  const struct sample sample = {memory, memory + n, memory + 2 * n, memory + 3 * n};
  for (int period = 0; period < PERIODS; period++) {
    noise_row(r, arm, noise, &sample, period);
  }
  ad_free(memory);
  return r->doc->status;
}

int ad__report_noise(struct report *r, size_t arms, const struct noise *noise) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, noise_row, arm),
      COLUMN("period", "steps of", UNIT_NONE, noise_row, period),
      COLUMN("runs", "runs", UNIT_NONE, noise_row, runs),
      COLUMN("steps", "steps used", UNIT_NONE, noise_row, of.steps),
      COLUMN("gradient", "|G|^2", UNIT_NONE, noise_row, of.gradient),
      COLUMN("covariance", "S", UNIT_NONE, noise_row, of.covariance),
      COLUMN("scale", "noise scale", UNIT_EXAMPLES, noise_row, of.scale),
      COLUMN("lowest", "lowest of a run", UNIT_EXAMPLES, noise_row, lowest),
      COLUMN("highest", "highest of a run", UNIT_EXAMPLES, noise_row, highest)};
  int status = AD_OK, any = 0;
  ad__document_section(
      r->doc, "noise", "Gradient noise scale",
      "The batch size at which the noise of a batch's gradient is as large as the gradient itself "
      "(McCandlish et al. 2018): well below it larger batches save steps, well above it they save little.",
      "as a rule for the learning rate, or from a few steps: |G|^2 is a small difference of large numbers, "
      "and the scale grows in the course of a training.");
  for (size_t a = 0; a < arms && status == AD_OK; a++) {
    if (noise[a].runs == 0) {
      continue;
    }
    if (!any) {
      ad__document_table(r->doc, "noise", "Gradient noise scale, runs together", COLUMNS(columns));
    }
    any = 1;
    status = noise_rows(r, a, &noise[a]);
  }
  if (status == AD_OK && !any) {
    ad__document_note(
        r->doc,
        "Not available: no run has snapshots with the gradient's norm over parts of a batch (snapshot.every and "
        "its like, with scalars in snapshot.content, and batch.lanes above 1).");
  }
  return status == AD_OK ? r->doc->status : status;
}
