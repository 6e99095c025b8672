#include "autodidact/base/machine.h"

#include <gnu/libc-version.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"

/* The value of a line "name : value" of /proc/cpuinfo into text [size]; 1 if there is one. */
static int find_line(const char *name, char *text, size_t size) {
  char line[512];
  int found = 0;
  FILE *file = fopen("/proc/cpuinfo", "re");
  while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
    const char *value = strchr(line, ':');
    if (value != NULL && strncmp(line, name, strlen(name)) == 0) {
      value += 1 + strspn(value + 1, " \t");
      snprintf(text, size, "%.*s", (int)strcspn(value, "\n"), value);
      found = text[0] != '\0';
    }
  }
  if (file != NULL) {
    ad_ignore(fclose(file));
  }
  return found;
}

const char *ad_machine_cpu(void) {
  static char text[128];
  char part[64];
  if (text[0] == '\0' && !find_line("model name", text, sizeof text)) {
    /* Arm names no model: "CPU part : 0xd0c". */
    if (find_line("CPU part", part, sizeof part)) {
      snprintf(text, sizeof text, "Arm part %s", part);
    } else {
      snprintf(text, sizeof text, "unknown");
    }
  }
  return text;
}

/* The number behind the colon of a line of /proc/cpuinfo. */
static unsigned number_of(const char *line) {
  const char *colon = strchr(line, ':');
  unsigned number = 0;
  return colon != NULL && sscanf(colon + 1, "%u", &number) == 1 ? number : 0;
}

unsigned ad_machine_cores(void) {
  enum { MOST = 4096 };
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  char line[512];
  unsigned package = 0, count = 0;
  uint64_t *seen = ad_calloc(MOST, sizeof *seen); /* package and core of each */
  FILE *file = seen == NULL ? NULL : fopen("/proc/cpuinfo", "re");
  while (file != NULL && count < MOST && fgets(line, sizeof line, file) != NULL) {
    package = strncmp(line, "physical id", 11) == 0 ? number_of(line) : package;
    if (strncmp(line, "core id", 7) == 0) {
      const uint64_t core = ((uint64_t)package << 32) + number_of(line);
      unsigned i = 0;
      while (i < count && seen[i] != core) {
        i++;
      }
      seen[i] = core;
      count += i == count;
    }
  }
  if (file != NULL) {
    ad_ignore(fclose(file));
  }
  ad_free(seen);
  return count > 0 ? count : processors > 0 ? (unsigned)processors : 1;
}

/* PRETTY_NAME of os-release into name [size], without its quotes. */
static void find_system(char *name, size_t size) {
  char line[512];
  FILE *file = fopen("/etc/os-release", "re");
  file = file == NULL ? fopen("/usr/lib/os-release", "re") : file;
  snprintf(name, size, "unknown system");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "PRETTY_NAME=", 12) == 0) {
      const char *value = line + 12 + strspn(line + 12, "\"'");
      const size_t length = strcspn(value, "\"'\n");
      if (length > 0 && ad_utf8_valid(value, length) == length) {
        snprintf(name, size, "%.*s", (int)length, value);
      }
    }
  }
  if (file != NULL) {
    ad_ignore(fclose(file));
  }
}

const char *ad_machine_os(void) {
  static char text[256];
  char name[128];
  struct utsname kernel;
  if (text[0] == '\0') {
    find_system(name, sizeof name);
    const int known = uname(&kernel) == 0;
    snprintf(text, sizeof text, "%s, %.40s %.60s", name, known ? kernel.sysname : "kernel",
             known ? kernel.release : "unknown");
  }
  return text;
}

const char *ad_machine_libc(void) {
  static char text[32];
  snprintf(text, sizeof text, "glibc %.20s", gnu_get_libc_version());
  return text;
}

const char *ad_machine_program(void) {
  static char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  path[length < 0 ? 0 : length] = '\0';
  return path;
}
