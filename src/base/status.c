#include "autodidact/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/shown.h"

enum { AD_MESSAGE_BYTES = 2001 };

static _Thread_local char message[AD_MESSAGE_BYTES];

const char *ad_status_name(int status) {
  switch (status) {
#define AD_STATUS_NAME(name, value, exit_code, text) \
  case value:                                        \
    return #name;
    AD_STATUS_MAP(AD_STATUS_NAME)
#undef AD_STATUS_NAME
    default:
      return "unknown status";
  }
}

const char *ad_status_text(int status) {
  switch (status) {
#define AD_STATUS_TEXT(name, value, exit_code, text) \
  case value:                                        \
    return text;
    AD_STATUS_MAP(AD_STATUS_TEXT)
#undef AD_STATUS_TEXT
    default:
      return "unknown status";
  }
}

int ad_status_exit_code(int status) {
  switch (status) {
#define AD_STATUS_EXIT(name, value, exit_code, text) \
  case value:                                        \
    return exit_code;
    AD_STATUS_MAP(AD_STATUS_EXIT)
#undef AD_STATUS_EXIT
    default:
      return 2;
  }
}

int ad_fail(int status, const char *format, ...) {
  /* Formatted aside first: an argument may be the recorded message itself. */
  char text[AD_MESSAGE_BYTES];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  ad_escape(text, strlen(text), message, sizeof message);
  return status;
}

int ad_fail_memory(unsigned long long bytes, const char *what) {
  return ad_fail(AD_ENOMEM, "out of memory: %llu bytes for %s could not be allocated", bytes, what);
}

int ad_fail_prefix(int status, const char *format, ...) {
  char text[AD_MESSAGE_BYTES];
  va_list args;
  va_start(args, format);
  const int used = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (used >= 0 && (size_t)used < sizeof text) {
    const size_t room = sizeof text - (size_t)used;
    if (snprintf(text + used, room, ": %s", message) < 0) {
      text[used] = '\0';
    }
  }
  ad_escape(text, strlen(text), message, sizeof message);
  return status;
}

const char *ad_error_message(void) {
  return message;
}

void ad_error_clear(void) {
  message[0] = '\0';
}
