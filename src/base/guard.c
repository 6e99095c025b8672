#include "autodidact/base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autodidact/base/status.h"

enum { SECONDS = 60 };

/* In the child: a crash is silent, leaves no core, and an endless loop ends. */
static void confine(void) {
  const struct rlimit none = {0, 0}, time = {SECONDS, SECONDS};
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDERR_FILENO);
  }
  /* Handlers of MPI, or of a test, would go on with the parent's work. */
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    signal(signals[i], SIG_DFL);
  }
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_CPU, &time);
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

/* Takes the child's answer. 0, or -1 where it ended without one. */
static int take(int pipe, struct answer *a) {
  size_t size = 0;
  while (size < sizeof *a) {
    const ssize_t count = read(pipe, (char *)a + size, sizeof *a - size);
    if (count == 0 || (count < 0 && errno != EINTR)) {
      return -1;
    }
    size += count > 0 ? (size_t)count : 0;
  }
  a->message[sizeof a->message - 1] = '\0';
  return 0;
}

int ad_guard(const char *path, int (*look)(void *context), void *context) {
  int ends[2], how = 0;
  struct answer a;
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ad_fail(AD_EIO, "%s: no pipe could be made to look at it: %s", path, strerror(errno));
  }
  const pid_t child = fork();
  if (child == 0) {
    confine();
    answer(ends[1], look(context));
  }
  const int reason = errno;
  close(ends[1]);
  const int told = child < 0 ? -1 : take(ends[0], &a);
  close(ends[0]);
  if (child < 0) {
    return ad_fail(AD_EIO, "%s: no process could be made to look at it: %s", path, strerror(reason));
  }
  while (waitpid(child, &how, 0) < 0 && errno == EINTR) {
  }
  if (told != 0) {
    return ad_fail(AD_EINPUT, "%s: damaged: the library that reads it crashes on it (signal %d)", path,
                   WIFSIGNALED(how) ? WTERMSIG(how) : 0);
  }
  return a.status == AD_OK ? AD_OK : ad_fail(a.status, "%s", a.message);
}
