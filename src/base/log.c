#include "autodidact/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"

static enum ad_log_level level_limit = AD_LOG_INFO;
static int muted_process;
static ad_log_receiver log_receiver; /* NULL: standard error */
static void *log_context;
static char line_prefix[256];
static int line_pending; /* a progress line without its newline is on the terminal */
static double last_progress = -1.0e9;

static const double PLAIN_INTERVAL = 10.0; /* seconds between lines where there is no terminal */
static const double TTY_INTERVAL = 0.1;

void ad_log_set_level(enum ad_log_level level) {
  level_limit = level;
}

void ad_log_to(ad_log_receiver receiver, void *context) {
  log_receiver = receiver;
  log_context = context;
}

void ad_log_set_prefix(const char *prefix) {
  ad_escape(prefix, strlen(prefix), line_prefix, sizeof line_prefix);
}

void ad_log_mute(int muted) {
  muted_process = muted;
}

double ad_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void end_pending_line(void) {
  if (line_pending) {
    fputc('\n', stderr);
    line_pending = 0;
  }
}

void ad_log(enum ad_log_level level, const char *format, ...) {
  static const char *const names[] = {"error: ", "warning: ", "", "debug: "};
  if (level > level_limit || (muted_process && level != AD_LOG_ERROR)) {
    return;
  }
  if (log_receiver == NULL) {
    end_pending_line();
  }
  /* One write per message, so that lines of several processes do not mix. */
  char text[4096], shown[4096];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (log_receiver != NULL) {
    log_receiver(log_context, level, text);
    return;
  }
  ad_escape(text, strlen(text), shown, sizeof shown);
  fprintf(stderr, "autodidact: %s%s%s\n", line_prefix, names[level], shown);
}

void ad_progress(const char *text, int final) {
  if (muted_process || level_limit < AD_LOG_INFO) {
    return;
  }
  const int tty = isatty(STDERR_FILENO);
  const double now = ad_clock();
  if (!final && now - last_progress < (tty ? TTY_INTERVAL : PLAIN_INTERVAL)) {
    return;
  }
  last_progress = now;
  if (log_receiver != NULL) {
    log_receiver(log_context, AD_LOG_PROGRESS, text);
  } else if (tty) {
    fprintf(stderr, "\r\033[K%s", text);
    line_pending = 1;
    if (final) {
      end_pending_line();
    }
  } else {
    fprintf(stderr, "%s\n", text);
  }
  ad_ignore(fflush(stderr));
}
