/* The columns of a log as curves. */
#include <math.h>

#include "logs.h"

const struct quantity_text ad__quantities[QUANTITIES] = {
    [QUANTITY_LOSS] = {"loss", "Training loss", "nats"},
    [QUANTITY_NORM] = {"gradient_norm", "Norm of the gradient", ""},
    [QUANTITY_DISTANCE] = {"teacher_distance", "Distance of the logits from the teacher's", ""},
    [QUANTITY_FACTOR] = {"learning_rate", "Learning rate", ""},
};

static double value_of(const struct ad_step_row *row, enum quantity quantity) {
  const double values[QUANTITIES] = {[QUANTITY_LOSS] = row->loss,
                                     [QUANTITY_NORM] = row->norm,
                                     [QUANTITY_DISTANCE] = row->distance,
                                     [QUANTITY_FACTOR] = row->factor};
  return values[quantity];
}

double ad__window_of(uint64_t steps) {
  return ceil((double)(steps > 0 ? steps : 1) / GRID);
}

void ad__log_windows(const struct ad_run_log *log, double window, enum quantity quantity,
                     struct log_window windows[GRID]) {
  size_t count[GRID] = {0};
  for (size_t i = 0; i < GRID; i++) {
    windows[i] = (struct log_window){0.0, INFINITY, -INFINITY};
  }
  for (size_t s = 0; s < log->step_count; s++) {
    const struct ad_step_row *row = &log->steps[s].row;
    const double place = ((double)row->step - 1) / window, value = value_of(row, quantity);
    if (place >= 0.0 && place < GRID && isfinite(value)) {
      struct log_window *w = &windows[(size_t)place];
      w->mean += value;
      w->low = fmin(w->low, value);
      w->high = fmax(w->high, value);
      count[(size_t)place]++;
    }
  }
  for (size_t i = 0; i < GRID; i++) {
    windows[i] = count[i] > 0 ? (struct log_window){windows[i].mean / (double)count[i], windows[i].low, windows[i].high}
                              : (struct log_window){NAN, NAN, NAN};
  }
}
