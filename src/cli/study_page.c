/* The state of a study as an HTML page. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/report/page.h"
#include "study.h"

enum { CELLS_MOST = 2000 }; /* rows of the table of cells */

struct page {
  const struct ad_cells *cells;
  const struct ad_study_summary *summary;
  const double *cost; /* [cells] */
  struct ad_buffer out;
};

static int element(struct page *p, const char *open, const char *text, const char *close) {
  AD_TRY(ad_buffer_puts(&p->out, open));
  AD_TRY(ad_page_text(&p->out, text));
  return ad_buffer_puts(&p->out, close);
}

/* An entry with a number; none where it is not finite. */
static int number(struct page *p, const char *format, double value) {
  char text[40];
  snprintf(text, sizeof text, format, value);
  return isfinite(value) ? ad_buffer_printf(&p->out, "<td data-v=\"%.9g\">%s</td>", value, text)
                         : ad_buffer_puts(&p->out, "<td class=\"na\"></td>");
}

static int count(struct page *p, size_t value) {
  return ad_buffer_printf(&p->out, "<td data-v=\"%zu\">%zu</td>", value, value);
}

static int bar(struct page *p, double share) {
  return ad_buffer_printf(&p->out, "<progress max=\"1\" value=\"%.4f\" aria-label=\"progress\"></progress>", share);
}

static int put_top(struct page *p) {
  struct ad_buffer text = {0};
  char now[STUDY_TIME];
  AD_TRY(ad_buffer_puts(&p->out, "<section class=\"top\" aria-label=\"Progress\">"));
  AD_TRY(bar(p, p->summary->share_done));
  int status = study_describe_progress(p->summary, &text);
  status = status == AD_OK ? element(p, "<p>", text.data, "</p>\n") : status;
  ad_buffer_destroy(&text);
  AD_TRY(status);
  return element(p, "<p class=\"note\">As of ", study_time(now), ".</p></section>\n");
}

static int put_arm(struct page *p, const char *name, const struct ad_arm_summary *s) {
  AD_TRY(element(p, "<tr><th scope=\"row\" title=\"", name, "\">"));
  AD_TRY(element(p, "", name, "</th>"));
  AD_TRY(count(p, s->cells));
  AD_TRY(count(p, s->of[AD_CELL_DONE]));
  AD_TRY(count(p, s->of[AD_CELL_RUNNING]));
  AD_TRY(count(p, s->of[AD_CELL_WAITING]));
  AD_TRY(count(p, s->of[AD_CELL_FAILED]));
  AD_TRY(count(p, s->failed_runs));
  AD_TRY(number(p, "%.5g", ad_arm_mean(s)));
  AD_TRY(number(p, "%.3g", ad_arm_deviation(s)));
  return ad_buffer_puts(&p->out, "</tr>\n");
}

static int put_arms(struct page *p) {
  const struct ad_study *s = p->cells->study;
  AD_TRY(ad_buffer_puts(&p->out,
                        "<section><h2>Arms</h2><div class=\"scroll\"><table><thead><tr><th>arm</th><th>cells</th>"
                        "<th>done</th><th>running</th><th>waiting</th><th>failed</th><th>bad runs</th><th>"));
  AD_TRY(ad_buffer_printf(&p->out, "%s.%s</th><th>SD</th></tr></thead><tbody>\n", ad_study_source_name(s->source),
                          s->score->name));
  for (size_t k = 0; k < s->arm_count; k++) {
    AD_TRY(put_arm(p, s->arms[k].name, &p->summary->arms[k]));
  }
  AD_TRY(s->arm_count > 1 ? put_arm(p, "all", &p->summary->all) : AD_OK);
  return ad_buffer_puts(&p->out, "</tbody></table></div></section>\n");
}

/* Seconds that a running cell still takes; NaN: not known. */
static double seconds_left(const struct page *p, size_t i) {
  const struct ad_cell_record *r = &p->cells->records[i];
  const double ranks = (double)p->cells->study->ranks_per_trial;
  return r->state == AD_CELL_RUNNING && r->steps > 0 && p->summary->seconds_known
             ? p->cost[i] / ranks * (1.0 - (double)r->step / (double)r->steps)
             : NAN;
}

static int put_cell(struct page *p, size_t i) {
  const struct ad_cell_record *r = &p->cells->records[i];
  const double share = r->state == AD_CELL_DONE ? 1.0 : r->steps > 0 ? (double)r->step / (double)r->steps : 0.0;
  const double left = seconds_left(p, i);
  char label[200], time[STUDY_TIME];
  ad_study_label(p->cells->study, &p->cells->study->cells[i], label, sizeof label);
  AD_TRY(element(p, "<tr><th scope=\"row\" title=\"", label, "\">"));
  AD_TRY(element(p, "", label, "</th>"));
  AD_TRY(ad_buffer_printf(&p->out, "<td class=\"text\">%s</td>", ad_cell_state_name(r->state)));
  AD_TRY(ad_buffer_printf(&p->out, "<td class=\"text\" data-v=\"%.6f\">", share));
  AD_TRY(bar(p, share));
  AD_TRY(r->steps > 0 ? ad_buffer_printf(&p->out, " %" PRIu64 " of %" PRIu64 "</td>", r->step, r->steps)
                      : ad_buffer_puts(&p->out, "</td>"));
  AD_TRY(isfinite(left) ? ad_buffer_printf(&p->out, "<td data-v=\"%.1f\">%s</td>", left, study_duration(left, time))
                        : ad_buffer_puts(&p->out, "<td class=\"na\"></td>"));
  AD_TRY(number(p, "%.5g", ad_cells_result(p->cells, i)));
  AD_TRY(number(p, "%.1f", r->seconds > 0.0 ? r->seconds : NAN));
  return element(p, "<td class=\"text\">", r->message == NULL ? "" : r->message, "</td></tr>\n");
}

/* Those that run first, then those that failed; the others in the study's order. */
static int put_cells(struct page *p) {
  static const enum ad_cell_state order[] = {AD_CELL_RUNNING, AD_CELL_FAILED, AD_CELL_DONE, AD_CELL_WAITING};
  size_t rows = 0;
  AD_TRY(ad_buffer_puts(
      &p->out,
      "<section><h2>Cells</h2><div class=\"scroll\"><table><thead><tr><th>cell</th>"
      "<th class=\"text\">state</th><th class=\"text\">step</th><th>time left</th><th>result</th><th>seconds</th>"
      "<th class=\"text\">message</th></tr></thead><tbody>\n"));
  for (size_t s = 0; s < sizeof order / sizeof *order; s++) {
    for (size_t i = 0; i < p->cells->study->count; i++) {
      AD_TRY(p->cells->records[i].state == order[s] && rows++ < CELLS_MOST ? put_cell(p, i) : AD_OK);
    }
  }
  AD_TRY(ad_buffer_puts(&p->out, "</tbody></table></div>"));
  AD_TRY(rows > CELLS_MOST
             ? ad_buffer_printf(&p->out, "<p class=\"note\">%zu more cells: --json has all.</p>", rows - CELLS_MOST)
             : AD_OK);
  return ad_buffer_puts(&p->out, "</section>\n");
}

int study_page_write(const char *path, const struct ad_cells *cells, const struct ad_study_summary *summary,
                     unsigned refresh) {
  double *cost = ad_calloc(cells->study->count, sizeof *cost);
  struct page p = {.cells = cells, .summary = summary, .cost = cost};
  const size_t left = summary->all.of[AD_CELL_RUNNING] + summary->all.of[AD_CELL_WAITING];
  int known, status = cost == NULL ? ad_fail_memory(cells->study->count * sizeof *cost, "estimates") : AD_OK;
  status = status == AD_OK ? ad_study_estimate(cells, cost, &known) : status;
  status = status == AD_OK ? ad_page_begin(&p.out, cells->study->name, left > 0 ? refresh : 0) : status;
  status = status == AD_OK ? put_top(&p) : status;
  status = status == AD_OK ? put_arms(&p) : status;
  status = status == AD_OK ? put_cells(&p) : status;
  status = status == AD_OK ? ad_page_end(&p.out, "Made by autodidact study status. A click on a head sorts.") : status;
  status = status == AD_OK ? ad_file_write(path, p.out.data, p.out.size) : status;
  ad_buffer_destroy(&p.out);
  ad_free(cost);
  return status;
}
