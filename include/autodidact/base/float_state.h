/* The floating-point state that the arithmetic asks for (docs/arithmetic.md): round to nearest even, subnormal numbers
 * kept, no traps. A library, a launcher or a compiler's start-up code may have set another one. */
#ifndef AUTODIDACT_BASE_FLOAT_STATE_H
#define AUTODIDACT_BASE_FLOAT_STATE_H

/* Sets it for this thread and those that it starts. AD_EINTERNAL where it cannot be had. */
int ad_float_start(void);

/* AD_OK where it is set in this thread; AD_EINTERNAL with the state that was found. Takes nanoseconds. */
int ad_float_check(void);

/* The state of this thread in words, "to nearest, subnormals kept" as it should be. Static storage, one thread. */
const char *ad_float_state(void);

#endif
