#include "autodidact/run/signals.h"

#include <signal.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "autodidact/base/status.h"

static volatile sig_atomic_t signal_seen; /* its number */

static void on_signal(int number) {
  signal_seen = number;
}

/* Ctrl-C: the one after it ends the program. */
static void on_interrupt(int number) {
  static const char text[] = "\nautodidact: saving, to stop after this step; Ctrl-C again ends at once without\n";
  signal_seen = number;
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
    signal_seen = number; /* nothing can be said then */
  }
}

static const struct {
  const char *name;
  int number;
} signals[] = {{"TERM", SIGTERM}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
               {"INT", SIGINT},   {"HUP", SIGHUP},   {"XCPU", SIGXCPU}};

enum { SIGNALS = sizeof signals / sizeof *signals };

const char *ad_signals_name(int number) {
  for (size_t i = 0; i < SIGNALS; i++) {
    if (signals[i].number == number) {
      return signals[i].name;
    }
  }
  return "?";
}

int ad_signals_seen(void) {
  return (int)signal_seen;
}

/* The action of a signal that stops a run. The numbers are known ones, which the system does not refuse. */
static void watch(int number) {
  const int interrupt = number == SIGINT;
  struct sigaction action;
  /* What is ignored from the start stays so: nohup, and the background of a shell script. */
  if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
    return;
  }
  action = (struct sigaction){.sa_handler = interrupt ? on_interrupt : on_signal,
                              .sa_flags = interrupt ? SA_RESTART | SA_RESETHAND : SA_RESTART};
  sigemptyset(&action.sa_mask);
  ad_ignore(sigaction(number, &action, NULL));
}

static int for_each(const char *list, void (*act)(int number)) {
  for (const char *p = list; *p != '\0'; p += *p == ',') {
    const size_t length = strcspn(p, ",");
    const size_t prefix = length > 3 && strncasecmp(p, "SIG", 3) == 0 ? 3 : 0;
    size_t i = 0;
    while (i < SIGNALS && (strlen(signals[i].name) != length - prefix ||
                           strncasecmp(p + prefix, signals[i].name, length - prefix) != 0)) {
      i++;
    }
    if (i == SIGNALS) {
      return ad_fail(AD_ECONFIG, "run.signals is '%s', expected a list of TERM, USR1, USR2, INT, HUP, XCPU", list);
    }
    if (act != NULL) {
      act(signals[i].number);
    }
    p += length;
  }
  return AD_OK;
}

int ad_signals_check(const char *list) {
  return for_each(list, NULL);
}

int ad_signals_watch(const char *list) {
  if (isatty(STDIN_FILENO) || isatty(STDERR_FILENO)) {
    watch(SIGINT);
  }
  return for_each(list, watch);
}

void ad_signals_pretend(int number) {
  signal_seen = number;
}
