#include "owner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "autodidact/base/status.h"

/* The boot and the namespace that this process's number belongs to. */
static void find_place(struct owner *owner) {
  snprintf(owner->boot, sizeof owner->boot, "?");
  FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
  if (file != NULL) {
    if (fscanf(file, "%99s", owner->boot) != 1) {
      snprintf(owner->boot, sizeof owner->boot, "?");
    }
    ad_ignore(fclose(file));
  }
  const ssize_t length = readlink("/proc/self/ns/pid", owner->space, sizeof owner->space - 1);
  owner->space[length > 0 ? length : 0] = '\0';
  if (length <= 0) {
    snprintf(owner->space, sizeof owner->space, "?");
  }
}

/* When a process began; 0: there is none of that number, or it is one that has ended and waits for its parent. */
static unsigned long long start_of(long pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    return 0;
  }
  const size_t size = fread(text, 1, sizeof text - 1, file);
  ad_ignore(fclose(file));
  text[size] = '\0';
  /* The name in brackets may hold anything; field 3, the state, follows it, the start is field 22. */
  char *at = strrchr(text, ')');
  char state = '?';
  unsigned long long start = 0;
  if (at == NULL ||
      sscanf(at + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
             &start) != 2 ||
      state == 'Z' || state == 'X') {
    return 0;
  }
  return start;
}

void ad__owner_print(char text[OWNER_TEXT]) {
  struct owner self = {.host = ""};
  find_place(&self);
  gethostname(self.host, sizeof self.host - 1);
  self.host[strcspn(self.host, " \n")] = '\0';
  snprintf(text, OWNER_TEXT, "%s %ld %llu %s %s %lld\n", self.host[0] == '\0' ? "?" : self.host, (long)getpid(),
           start_of((long)getpid()), self.boot, self.space, (long long)time(NULL));
}

int ad__owner_read(const char *text, struct owner *owner) {
  *owner = (struct owner){.host = "?"};
  /* So many digits that each number fits. */
  return sscanf(text, "%99s %9ld %19llu %99s %99s %15lf", owner->host, &owner->pid, &owner->start, owner->boot,
                owner->space, &owner->since) >= 5;
}

enum owner_presence ad__owner_find(const struct owner *owner) {
  struct owner self;
  find_place(&self);
  if (strcmp(self.boot, "?") == 0 || strcmp(self.space, "?") == 0 || strcmp(self.boot, owner->boot) != 0 ||
      strcmp(self.space, owner->space) != 0) {
    return OWNER_ELSEWHERE;
  }
  /* EPERM: somebody else's, and /proc may show only one's own. */
  if (owner->pid > 0 && kill((pid_t)owner->pid, 0) != 0 && errno == EPERM && start_of(owner->pid) == 0) {
    return OWNER_PRESENT;
  }
  return owner->pid > 0 && owner->start != 0 && start_of(owner->pid) == owner->start ? OWNER_PRESENT : OWNER_GONE;
}
