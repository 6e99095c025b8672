#include "autodidact/base/machine.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"

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

const char *ad_machine_libc(void) {
  static char text[32];
  snprintf(text, sizeof text, "glibc %.20s", gnu_get_libc_version());
  return text;
}
