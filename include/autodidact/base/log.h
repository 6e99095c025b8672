/* Messages for people, on standard error. Results go to standard output, records to files. */
#ifndef AUTODIDACT_BASE_LOG_H
#define AUTODIDACT_BASE_LOG_H

enum ad_log_level { AD_LOG_ERROR, AD_LOG_WARNING, AD_LOG_INFO, AD_LOG_DEBUG, AD_LOG_PROGRESS };

/* Where messages go in place of standard error: `text` without name, level and newline, as it is given to ad_log,
 * valid until the function returns; AD_LOG_PROGRESS: a progress line. NULL: standard error again. A function that does
 * nothing makes the library quiet. Not collective. */
typedef void (*ad_log_receiver)(void *context, enum ad_log_level level, const char *text);
void ad_log_to(ad_log_receiver receiver, void *context);

/* Messages above this level are dropped; the default is AD_LOG_INFO. */
void ad_log_set_level(enum ad_log_level level);

/* Stands behind "autodidact: " in messages from now on; "" for none. Copied. */
void ad_log_set_prefix(const char *prefix);

/* Only one rank speaks: a muted process prints errors only. */
void ad_log_mute(int muted);

/* "autodidact: warning: ..." and a newline; ends a pending progress line first. What a terminal must not get is escaped
 * (base/shown.h). */
void ad_log(enum ad_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The progress line. On a terminal it is rewritten in place; elsewhere a line is printed at most every 10 seconds.
 * `final` prints it in any case and ends the line. */
void ad_progress(const char *text, int final);

/* Seconds since some fixed point, monotonic; for rates and ETA only, never for anything that is saved as a result. */
double ad_clock(void);

#endif
