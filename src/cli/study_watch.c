/* autodidact study status --watch: the table again and again on a terminal, elsewhere a line for each change. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "study.h"

const char *study_time(char text[STUDY_TIME]) {
  const time_t now = time(NULL);
  struct tm local;
  if (localtime_r(&now, &local) == NULL || strftime(text, STUDY_TIME, "%Y-%m-%d %H:%M:%S", &local) == 0) {
    text[0] = '\0';
  }
  return text;
}

const char *study_duration(double seconds, char text[STUDY_TIME]) {
  const long whole = seconds < 1e12 ? lround(seconds) : 0;
  snprintf(text, STUDY_TIME, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  return text;
}

/* What is watched. */
struct watch {
  const char *path;
  const struct study_view *view;
  struct ad_study study;
  struct ad_cells cells;
  enum ad_cell_state *states; /* [count] that were told; NULL: none yet */
  size_t count;
};

static void close_study(struct watch *w) {
  ad_cells_close(&w->cells);
  ad_study_destroy(&w->study);
  w->cells = (struct ad_cells){0};
  w->study = (struct ad_study){0};
}

static int open_study(struct watch *w) {
  AD_TRY(ad_study_read(&w->study, w->path));
  AD_TRY(ad_study_recall(&w->study));
  return ad_cells_open(&w->cells, &w->study);
}

/* What has been added. A study whose cells were not all planned yet is read again: the warnings were given. */
static int refresh(struct watch *w) {
  size_t i = 0;
  while (i < w->study.count && w->study.cells[i].id != 0) {
    i++;
  }
  if (i == w->study.count) {
    return ad_cells_refresh(&w->cells);
  }
  close_study(w);
  ad_log_mute(1);
  const int status = open_study(w);
  ad_log_mute(0);
  return status;
}

static void print_change(const struct watch *w, size_t i, const struct ad_arm_summary *all) {
  const struct ad_cell_record *r = &w->cells.records[i];
  char label[200], now[STUDY_TIME];
  printf("%s  %s: %s", study_time(now), ad_shown(ad_study_label(&w->study, &w->study.cells[i], label, sizeof label)),
         ad_cell_state_name(r->state));
  if (r->state == AD_CELL_DONE) {
    printf(", %s.%s %.5g", ad_study_source_name(w->study.source), w->study.score->name, ad_cells_result(&w->cells, i));
  } else if (r->state == AD_CELL_FAILED) {
    printf(", %s", r->message == NULL ? ad_status_text(r->status) : ad_shown(r->message));
  }
  printf(" (%zu of %zu done)\n", all->of[AD_CELL_DONE], all->cells);
}

/* The state of the whole first, then a line for each cell whose state is another one. */
static int print_changes(struct watch *w, const struct ad_study_summary *summary) {
  const size_t count = w->study.count;
  char now[STUDY_TIME];
  if (w->states == NULL || w->count != count) {
    struct ad_buffer text = {0};
    ad_free(w->states);
    w->states = ad_malloc(count, sizeof *w->states);
    w->count = count;
    AD_TRY(w->states == NULL ? ad_fail_memory(count * sizeof *w->states, "the states of the cells") : AD_OK);
    const int status = study_describe_progress(summary, &text);
    printf("%s  %s\n", study_time(now), status == AD_OK ? text.data : "");
    ad_buffer_destroy(&text);
    AD_TRY(status);
  } else {
    for (size_t i = 0; i < count; i++) {
      if (w->states[i] != w->cells.records[i].state) {
        print_change(w, i, &summary->all);
      }
    }
  }
  for (size_t i = 0; i < count; i++) {
    w->states[i] = w->cells.records[i].state;
  }
  return AD_OK;
}

/* One look; *over 1 where no cell runs or waits. */
static int look(struct watch *w, int *over) {
  static const char CLEAR[] = "\033[H\033[2J\033[3J";
  struct ad_study_summary summary;
  int status = ad_study_summarise(&w->cells, &summary);
  *over = status == AD_OK && summary.all.of[AD_CELL_RUNNING] + summary.all.of[AD_CELL_WAITING] == 0;
  if (status == AD_OK && isatty(STDOUT_FILENO)) {
    char now[STUDY_TIME];
    printf("%s", CLEAR);
    status = print_study(&w->cells, &summary);
    printf("\n%s; looks again every %u seconds, Ctrl-C ends\n", study_time(now), w->view->every);
  } else if (status == AD_OK) {
    status = print_changes(w, &summary);
  }
  if (status == AD_OK && w->view->html != NULL) {
    status = study_page_write(w->view->html, &w->cells, &summary, w->view->every);
  }
  ad_study_summary_destroy(&summary);
  return status == AD_OK && fflush(stdout) != 0 ? ad_fail(AD_EIO, "standard output could not be written") : status;
}

int study_watch(const char *path, const struct study_view *view) {
  struct watch w = {.path = path, .view = view};
  int over = 0, status = open_study(&w);
  status = status == AD_OK ? look(&w, &over) : status;
  while (status == AD_OK && !over) {
    sleep(view->every);
    status = refresh(&w);
    status = status == AD_OK ? look(&w, &over) : status;
  }
  ad_free(w.states);
  close_study(&w);
  return status;
}
