/* When a training must stop before its end: signals and the clock. They set a flag; the ranks agree on it at step
 * edges. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "training_internal.h"

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

const char *ad__training_signal_name(int number) {
  for (size_t i = 0; i < SIGNALS; i++) {
    if (signals[i].number == number) {
      return signals[i].name;
    }
  }
  return "?";
}

int ad__training_signal(void) {
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

int ad__training_check_signals(const char *list) {
  return for_each(list, NULL);
}

int ad__training_watch_signals(const char *list) {
  if (isatty(STDIN_FILENO) || isatty(STDERR_FILENO)) {
    watch(SIGINT);
  }
  return for_each(list, watch);
}

void ad__training_pretend_signal(int number) {
  signal_seen = number;
}

/* The next step, an evaluation that may be due and the checkpoint must end before the limit: what the slowest of each
 * took, with a margin for a busier machine. */
static int out_of_time(const struct ad_training *t) {
  const double limit = (double)t->session.config.run_time_limit;
  const double ahead = 2.0 * (t->slowest_step + t->slowest_evaluation + t->slowest_save) + 0.02 * limit;
  return limit > 0.0 && ad_clock() - t->started + ahead >= limit;
}

void ad__training_hold(struct ad_training *t, int status) {
  if (status < 0 && t->held == AD_OK) {
    t->held = status;
    snprintf(t->held_message, sizeof t->held_message, "%s", ad_error_message());
  }
}

int ad__training_settle(struct ad_training *t) {
  return ad_comm_settle(t->comm, t->held < 0 ? ad_fail(t->held, "%s", t->held_message) : AD_OK);
}

enum { STOP_CLOCK = 1, STOP_SIGNAL = 2, STOP_HELD = 1000 };

int ad__training_must_stop(struct ad_training *t) {
  int number = ad__training_signal();
  ad__training_hold(t, t->first ? ad_run_check(&t->run) : AD_OK);
  if (t->first && t->frame.asked != NULL) {
    const int asked = t->frame.asked(t->frame.context);
    ad__training_hold(t, asked < 0 ? asked : AD_OK);
    number = asked > 0 ? asked : number;
  }
  const uint64_t own = t->held < 0      ? STOP_HELD
                       : number != 0    ? (uint64_t)(STOP_SIGNAL + number)
                       : out_of_time(t) ? STOP_CLOCK
                                        : 0;
  const uint64_t all = ad_comm_largest(t->comm, own);
  if (all == 0) {
    return 0;
  }
  if (all == STOP_HELD) {
    return ad__training_settle(t);
  }
  if (all == STOP_CLOCK) {
    snprintf(t->stop_reason, sizeof t->stop_reason, "run.time_limit=%llu",
             (unsigned long long)t->session.config.run_time_limit);
  } else {
    t->stop_signal = (int)all - STOP_SIGNAL;
    snprintf(t->stop_reason, sizeof t->stop_reason, "signal %s", ad__training_signal_name((int)all - STOP_SIGNAL));
  }
  return 1;
}
