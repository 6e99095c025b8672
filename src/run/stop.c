/* When a training must stop before its end, on which its ranks agree, and failures that one rank holds until they do.
 */
#include <stdio.h>

#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "autodidact/run/signals.h"
#include "training_internal.h"

void ad__hold(struct ad__stop *stop, int status) {
  if (status < 0 && stop->held == AD_OK) {
    stop->held = status;
    snprintf(stop->held_message, sizeof stop->held_message, "%s", ad_error_message());
  }
}

int ad__settle(struct ad_training *t) {
  return ad_comm_settle(t->ranks.comm, t->stop.held < 0 ? ad_fail(t->stop.held, "%s", t->stop.held_message) : AD_OK);
}

int ad__must_stop(struct ad_training *t) {
  int number = ad_signals_seen();
  const double limit = (double)t->session.config.run_time_limit;
  ad__hold(&t->stop, t->ranks.first ? ad_run_check(&t->run) : AD_OK);
  if (t->ranks.first && t->frame.asked != NULL) {
    const int asked = t->frame.asked(t->frame.context);
    ad__hold(&t->stop, asked < 0 ? asked : AD_OK);
    number = asked > 0 ? asked : number;
  }
  const int out_of_time = ad__out_of_time(limit, ad_clock() - t->stop.started, &t->stop.pace);
  const uint64_t word = ad_comm_largest(t->ranks.comm, ad__stop_word(t->stop.held < 0, number, out_of_time));
  if (word == AD__WORD_GO) {
    return 0;
  }
  if (word == AD__WORD_HELD) {
    return ad__settle(t);
  }
  if (word == AD__WORD_CLOCK) {
    snprintf(t->stop.reason, sizeof t->stop.reason, "run.time_limit=%.0f", limit);
  } else {
    t->stop.signal = (int)word - AD__WORD_SIGNAL;
    snprintf(t->stop.reason, sizeof t->stop.reason, "signal %s", ad_signals_name(t->stop.signal));
  }
  return 1;
}
