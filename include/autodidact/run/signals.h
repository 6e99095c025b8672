/* The signals that stop a training (run.signals): they set a flag, on which the ranks agree between two steps. */
#ifndef AUTODIDACT_RUN_SIGNALS_H
#define AUTODIDACT_RUN_SIGNALS_H

/* AD_ECONFIG where this is no list of signals, as run.signals has it. */
int ad_signals_check(const char *list);

/* Those in the list, and INT in a terminal, set the flag from now on; a second INT ends the program. Before, when there
 * is nothing to save, any of them does. AD_ECONFIG. */
int ad_signals_watch(const char *list);

/* The number of the signal that came, 0: none. */
int ad_signals_seen(void);

/* Sets the flag, for tests. */
void ad_signals_pretend(int number);

/* "TERM"; "?" for one that is not in run.signals' set. Static storage. */
const char *ad_signals_name(int number);

#endif
