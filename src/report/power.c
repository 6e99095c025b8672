/* The section on how many seeds an effect needs. */
#include "autodidact/statistics/power.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/compare.h"
#include "autodidact/statistics/spread.h"
#include "report_internal.h"

struct power_row {
  const char *arm;
  size_t pairs;
  struct ad_paired paired;
  struct ad_sd_ratio spread;
  struct ad_figure pairs_needed, power_now, pairs_noether, runs_for_ratio;
};

static int power_row(struct report *r, size_t a, double *scores) {
  const size_t n = ad__report_common(r, a, r->baseline, 0, scores, scores + r->points);
  const struct ad_resampling few = {r->how.seed, 100, r->how.level};
  struct power_row row = {.arm = r->arm[a].name, .pairs = n};
  AD_TRY(ad_compare_paired(&row.paired, n, scores, scores + r->points, &few));
  AD_TRY(ad_compare_sd(&row.spread, n, scores, n, scores + r->points, 1, &few));
  const struct ad_figure effect = row.paired.effect, greater = row.paired.superiority, ratio = row.spread.ratio;
  row.pairs_needed = effect.why != NULL ? effect : ad_power_pairs(effect.value, 0.05, 0.8);
  row.power_now = effect.why != NULL ? effect : ad_power_paired_t(effect.value, n, 0.05);
  row.pairs_noether = greater.why != NULL ? greater : ad_power_superiority(greater.value, 0.05, 0.95);
  row.runs_for_ratio = ratio.why != NULL ? ratio : ad_power_sd_ratio(ratio.value, 0.05, 0.8);
  ad__document_row(r->doc, &row);
  return r->doc->status;
}

int ad__report_power(struct report *r) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, power_row, arm),
      COLUMN("pairs", "common seeds", UNIT_NONE, power_row, pairs),
      COLUMN("effect", "d_z seen", UNIT_NONE, power_row, paired.effect),
      COLUMN("pairs_needed", "pairs for 80 % power", UNIT_NONE, power_row, pairs_needed),
      COLUMN("power_now", "power of the t test now", UNIT_NONE, power_row, power_now),
      COLUMN("greater", "P(arm > baseline)", UNIT_NONE, power_row, paired.superiority),
      COLUMN("pairs_noether", "pairs, Noether (5 %, 95 %)", UNIT_NONE, power_row, pairs_noether),
      COLUMN("sd_ratio", "SD ratio seen", UNIT_NONE, power_row, spread.ratio),
      COLUMN("runs_for_ratio", "runs an arm for 80 % power", UNIT_NONE, power_row, runs_for_ratio)};
  ad__document_section(
      r->doc, "power", "How many seeds",
      "The number of seeds that an effect as large as the one seen would need to be found with 80 % power "
      "at 5 % (two-sided paired t; F test for SDs), or by Noether's "
      "rule for P(A > B) (one-sided 5 %, power 95 %).",
      "as the power of this study: the effect that was seen has an error of its own, and one picked for "
      "being large is too large.");
  if (r->arms < 2) {
    ad__document_note(r->doc, "Not available: the study has one arm.");
    return r->doc->status;
  }
  ad__document_table(r->doc, "power", "Seeds for the effects that were seen", COLUMNS(columns));
  double *scores = ad_malloc(2 * r->points, sizeof *scores);
  int status = scores == NULL ? ad_fail_memory(2 * r->points * sizeof *scores, "pairs") : AD_OK;
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    status = a == r->baseline ? AD_OK : power_row(r, a, scores);
  }
  ad_free(scores);
  return status;
}
