/* What was registered before the first cell, and what of it the report keeps. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/power.h"
#include "autodidact/statistics/sequential.h"
#include "autodidact/statistics/spread.h"
#include "autodidact/statistics/summary.h"
#include "report_internal.h"

/* "margin 0.005, now 0.01" for each key that differs. */
static int list_differences(const struct report *r, struct ad_buffer *text) {
  const struct ad_study_analysis *a = &r->study->analysis;
  int status = AD_OK;
  for (enum ad_analysis_key key = 0; key < AD_ANALYSIS_KEYS && status == AD_OK; key++) {
    if (strcmp(a->text[key], a->planned[key]) != 0) {
      status = ad_buffer_printf(text, "%s%s %s, now %s", text->size > 0 ? "; " : "", ad_study_analysis_key(key),
                                a->planned[key], a->text[key]);
    }
  }
  if (status == AD_OK && strcmp(r->arm[r->baseline].own, r->arm[0].own) != 0) {
    status = ad_buffer_printf(text, "%sbaseline %s, now %s", text->size > 0 ? "; " : "", r->arm[0].own,
                              r->arm[r->baseline].own);
  }
  return status;
}

/* Combinations of seeds of which the baselines and all primary arms are finished, in every setting. */
static size_t count_complete(const struct report *r) {
  size_t complete = 0;
  for (size_t k = 0; k < r->points; k++) {
    int all = 1;
    for (size_t a = 0; a < r->arms; a++) {
      const int asked = ad__is_baseline(r, a) || ad_study_is_primary(r->study, a);
      all = all && (!asked || r->arm[a].runs[k].state != RUN_MISSING);
    }
    complete += all != 0;
  }
  return complete;
}

/* The bound of the latest look that `complete` combinations have reached; 0 before the first. */
static int find_look(struct report *r, size_t complete, size_t *look) {
  const struct ad_study_analysis *a = &r->study->analysis;
  double t[AD_ANALYSIS_LOOKS_MOST], p[AD_ANALYSIS_LOOKS_MOST];
  *look = 0;
  while (*look < a->look_count && a->looks[*look] <= complete) {
    t[*look] = (double)a->looks[*look] / (double)a->seeds;
    ++*look;
  }
  if (*look == 0) {
    r->family.alpha = 0.0;
    return AD_OK;
  }
  /* The latest look is at what is there now. */
  t[*look - 1] = fmin(1.0, (double)complete / (double)a->seeds);
  AD_TRY(ad_sequential_bounds(*look, t, a->alpha, p));
  r->family.alpha = p[*look - 1];
  return AD_OK;
}

static int describe_look(struct report *r) {
  const struct ad_study_analysis *a = &r->study->analysis;
  const size_t complete = count_complete(r);
  size_t look;
  AD_TRY(find_look(r, complete, &look));
  const char *begin = complete < a->seeds ? "Unfinished" : complete > a->seeds ? "More than planned" : "Finished";
  if (look == 0) {
    ad__document_summary(r->doc,
                         "%s: %zu of %zu planned combinations of seeds are complete, fewer than the first look "
                         "has: no verdict.",
                         begin, complete, a->seeds);
  } else {
    ad__document_summary(r->doc,
                         "%s: %zu of %zu planned combinations of seeds are complete; look %zu of %zu, where "
                         "p-values below %.3g decide.",
                         begin, complete, a->seeds, look, a->look_count, r->family.alpha);
  }
  return r->doc->status;
}

/* The p-values of the primary tests, adjusted together, into r->family.p. */
static int adjust_family(struct report *r) {
  const struct ad_study_analysis *a = &r->study->analysis;
  const size_t count = r->arms * AD_ANALYSIS_TESTS;
  struct ad_figure *p = ad_malloc(count, sizeof *p);
  r->family.p = ad_malloc(count, sizeof *p);
  int status = p == NULL || r->family.p == NULL ? ad_fail_memory(2 * count * sizeof *p, "primary tests") : AD_OK;
  for (size_t i = 0; i < count && status == AD_OK; i++) {
    p[i] = ad_figure_none("not a registered test: exploratory");
  }
  for (size_t arm = 0; arm < r->arms && status == AD_OK; arm++) {
    struct ad_spreads spreads;
    size_t n;
    if (ad__is_baseline(r, arm) || !ad_study_is_primary(r->study, arm)) {
      continue;
    }
    struct ad_figure *own = p + arm * AD_ANALYSIS_TESTS;
    status = a->test[AD_ANALYSIS_MEAN] ? ad__report_difference_p(r, arm, &own[AD_ANALYSIS_MEAN]) : AD_OK;
    if (status == AD_OK && (a->test[AD_ANALYSIS_SPREAD] || a->test[AD_ANALYSIS_PART])) {
      status = ad__report_compare_spread(r, arm, &spreads, &n);
    }
    if (status == AD_OK && a->test[AD_ANALYSIS_SPREAD]) {
      own[AD_ANALYSIS_SPREAD] = spreads.items[0].p;
    }
    if (status == AD_OK && a->test[AD_ANALYSIS_PART]) {
      own[AD_ANALYSIS_PART] =
          spreads.count > 1 ? spreads.items[spreads.count - 1].p : ad_figure_none("the design has no parts");
    }
  }
  status = status == AD_OK ? ad_holm(count, p, r->family.p) : status;
  ad_free(p);
  return status;
}

int ad__report_registration(struct report *r) {
  const struct ad_study_analysis *a = &r->study->analysis;
  struct ad_buffer text = {0};
  r->family = (struct report_family){.alpha = 0.05};
  if (!a->registered || !a->present) {
    ad__document_summary(r->doc, "%s: everything here is exploratory.",
                         a->registered ? "The study file no longer has the analysis that was registered"
                         : a->present  ? "The analysis of the study file was not registered before the first cell"
                                       : "No analysis was registered before the first cell (study.analysis)");
    return r->doc->status;
  }
  AD_TRY(list_differences(r, &text));
  ad__document_summary(r->doc,
                       "Analysis %016llx, registered before the first cell: %s%s. What it does not name is "
                       "exploratory.",
                       (unsigned long long)ad_study_analysis_digest(a->planned),
                       text.size == 0 ? "as registered" : "it differs now: ", text.size == 0 ? "" : text.data);
  ad_buffer_destroy(&text);
  r->family.active = 1;
  AD_TRY(describe_look(r));
  return adjust_family(r);
}

const char *ad__report_verdict(const struct report *r, size_t arm, const struct report_effect *e) {
  static const char *const words[] = {"lower", "higher"};
  const struct ad_figure p = r->family.active ? r->family.p[arm * AD_ANALYSIS_TESTS + e->test] : e->holm;
  if (r->family.active && !(ad_study_is_primary(r->study, arm) && r->study->analysis.test[e->test])) {
    return "exploratory";
  }
  if (p.why != NULL) {
    return "undecided";
  }
  if (p.value < r->family.alpha) {
    return words[e->effect.value > 0.0];
  }
  if (e->error.why != NULL || !(e->margin > 0.0) || !(r->family.alpha > 0.0)) {
    return "undecided";
  }
  /* Both one-sided tests of a difference beyond the margin (Schuirmann 1987). */
  const double t = (e->margin - fabs(e->effect.value)) / e->error.value;
  return t > 0.0 && ad_t_tail(t, e->df.value) < r->family.alpha ? "equivalent" : "undecided";
}
