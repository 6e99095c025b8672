#include "autodidact/base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autodidact/base/log.h"
#include "autodidact/base/status.h"

/* What a child may take: seconds of CPU and of the clock, memory on top of what it has. */
enum { SECONDS = 60, WALL_SECONDS = 120, MEMORY = 1 << 30, TIMES_THE_FILE = 8 };

/* Bytes of address space that this process has; 0: the system does not tell. */
static rlim_t address_space(void) {
  unsigned long long pages = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (file == NULL || fscanf(file, "%llu", &pages) != 1) {
    pages = 0;
  }
  if (file != NULL) {
    ad_ignore(fclose(file));
  }
  return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* A file that declares more than it has does not get the machine's memory. */
static void limit_memory(const char *path) {
  struct stat info;
  struct rlimit limit;
  const rlim_t now = address_space(), size = stat(path, &info) == 0 ? (rlim_t)info.st_size : 0;
  const rlim_t most = now + MEMORY + (size < RLIM_INFINITY / 64 ? TIMES_THE_FILE * size : 0);
  if (now > 0 && getrlimit(RLIMIT_AS, &limit) == 0 && (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > most)) {
    limit.rlim_cur = most;
    ad_ignore(setrlimit(RLIMIT_AS, &limit));
  }
}

/* In the child: a crash is silent, leaves no core, an endless loop ends, and so does what outlives the parent. */
static void confine(const char *path) {
  const struct rlimit none = {0, 0}, time = {SECONDS, SECONDS};
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) {
    ad_ignore(dup2(null, STDERR_FILENO));
  }
  ad_ignore(prctl(PR_SET_PDEATHSIG, SIGKILL));
  /* Handlers of MPI, or of a test, would go on with the parent's work. */
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    signal(signals[i], SIG_DFL);
  }
  ad_ignore(setrlimit(RLIMIT_CORE, &none));
  ad_ignore(setrlimit(RLIMIT_CPU, &time));
  limit_memory(path);
}

/* What the child tells: a status, and its message. */
struct answer {
  int status;
  char message[1024];
};

static void answer(int pipe, int status) {
  struct answer a = {.status = status};
  snprintf(a.message, sizeof a.message, "%s", status == AD_OK ? "" : ad_error_message());
  /* Less than a pipe takes at once. */
  const ssize_t written = write(pipe, &a, sizeof a);
  _exit(written == sizeof a ? 0 : 1);
}

enum outcome { ANSWERED, SILENT, LATE };

/* Takes the child's answer, if it gives one in time. */
static enum outcome take(int pipe, struct answer *a) {
  const double end = ad_clock() + WALL_SECONDS;
  for (size_t size = 0; size < sizeof *a;) {
    struct pollfd ready = {.fd = pipe, .events = POLLIN};
    const double left = end - ad_clock();
    const int polled = left <= 0.0 ? 0 : poll(&ready, 1, (int)(1000.0 * left) + 1);
    if (left <= 0.0) {
      return LATE;
    }
    const ssize_t count = polled > 0 ? read(pipe, (char *)a + size, sizeof *a - size) : 0;
    if ((polled > 0 && count == 0) || ((polled < 0 || count < 0) && errno != EINTR)) {
      return SILENT;
    }
    size += count > 0 ? (size_t)count : 0;
  }
  a->message[sizeof a->message - 1] = '\0';
  return ANSWERED;
}

/* What the parent makes of a child that has been waited for. */
static int judge(const char *path, enum outcome outcome, int how, const struct answer *a) {
  const int number = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
  if (outcome == ANSWERED) {
    return a->status == AD_OK ? AD_OK : ad_fail(a->status, "%s", a->message);
  }
  if (outcome == LATE) {
    return ad_fail(AD_EINPUT, "%s: it could not be read within %d seconds", path, WALL_SECONDS);
  }
  if (number == SIGKILL) {
    return ad_fail(AD_EINPUT, "%s: damaged: reading it takes more than %d seconds of CPU, or more memory than there is",
                   path, SECONDS);
  }
  return ad_fail(AD_EINPUT, "%s: damaged: the library that reads it crashes on it (signal %d)", path, number);
}

int ad_guard(const char *path, int (*look)(void *context), void *context) {
  int ends[2], how = 0;
  struct answer a;
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ad_fail(AD_EIO, "%s: no pipe could be made to look at it: %s", path, strerror(errno));
  }
  const pid_t child = fork();
  if (child == 0) {
    confine(path);
    answer(ends[1], look(context));
  }
  const int reason = errno;
  ad_ignore(close(ends[1]));
  const enum outcome outcome = child < 0 ? SILENT : take(ends[0], &a);
  ad_ignore(close(ends[0]));
  if (child < 0) {
    return ad_fail(AD_EIO, "%s: no process could be made to look at it: %s", path, strerror(reason));
  }
  if (outcome == LATE) {
    ad_ignore(kill(child, SIGKILL));
  }
  while (waitpid(child, &how, 0) < 0 && errno == EINTR) {
  }
  return judge(path, outcome, how, &a);
}
