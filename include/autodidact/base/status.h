/* Status codes and the error message that goes with them.
 *
 * Every call that can fail returns an int: AD_OK (0) or one of the negative codes below. The code says what kind of
 * failure it was (and so the program's exit code); the message says what was found, what was expected, and where.
 * Nothing in the library ends the process. */
#ifndef AUTODIDACT_BASE_STATUS_H
#define AUTODIDACT_BASE_STATUS_H

/* X(name, value, exit code of the program, what it means) */
#define AD_STATUS_MAP(X)                                                                   \
  X(AD_OK, 0, 0, "success")                                                                \
  X(AD_EINPUT, -1, 1, "bad input")          /* a file, a line, a tensor */                 \
  X(AD_ECONFIG, -2, 1, "bad configuration") /* an option, a combination, a command line */ \
  X(AD_EIO, -3, 2, "input/output failure")  /* the machine failed, not the input */        \
  X(AD_ENOMEM, -4, 2, "out of memory")                                                     \
  X(AD_EINTERNAL, -5, 2, "internal error")    /* a broken invariant: a bug */              \
  X(AD_EDIVERGED, -6, 3, "training diverged") /* not finite, or out of range */            \
  X(AD_ESTOPPED, -7, 75, "stopped with a checkpoint written")

enum ad_status {
#define AD_STATUS_ENUM(name, value, exit_code, text) name = value,
  AD_STATUS_MAP(AD_STATUS_ENUM)
#undef AD_STATUS_ENUM
};

/* Name ("AD_EINPUT") and meaning ("bad input") of a status; static storage; "unknown status" for any other number. */
const char *ad_status_name(int status);
const char *ad_status_text(int status);

/* Exit code of the program for a status (design: 0 done, 1 input, 2 machine, 3 diverged, 75 requeue). */
int ad_status_exit_code(int status);

/* Records a message for this thread and returns `status`, so that a failing call reads `return ad_fail(AD_EINPUT,
 * "%s:%zu: ...", path, line)`. The message has printf's format, is cut at 2,000 bytes, and is escaped for terminals
 * (base/shown.h). A later ad_fail replaces the message. */
int ad_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ad_fail(AD_ENOMEM) with the number of bytes that could not be had and what for. */
int ad_fail_memory(unsigned long long bytes, const char *what);

/* Puts "prefix: " in front of the recorded message and returns `status` unchanged: where a caller knows the place. */
int ad_fail_prefix(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The message of the last ad_fail in this thread; "" if none. Valid until the next ad_fail. */
const char *ad_error_message(void);

/* Forgets the recorded message. */
void ad_error_clear(void);

/* Takes the result of a call whose failure changes nothing: closing what was only read, removing what is thrown away,
 * printing the message about a failure. All other results are looked at (cmake/used_results.h). */
static inline void ad_ignore(long long result) {
  (void)result;
}

/* Hands a failure on to the caller. */
#define AD_TRY(call)                   \
  do {                                 \
    const int ad_try_status_ = (call); \
    if (ad_try_status_ < 0) {          \
      return ad_try_status_;           \
    }                                  \
  } while (0)

/* As AD_TRY where something must be released: needs `int status` and the label in scope. */
#define AD_TRY_GOTO(call, label) \
  do {                           \
    status = (call);             \
    if (status < 0) {            \
      goto label;                \
    }                            \
  } while (0)

#endif
