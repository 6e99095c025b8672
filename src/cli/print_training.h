/* What train prints at its end. Not installed. */
#ifndef AUTODIDACT_CLI_PRINT_TRAINING_H
#define AUTODIDACT_CLI_PRINT_TRAINING_H

#include "autodidact/run/training.h"

/* The evaluations of a training, a line each, and where the run is. */
void print_training(const struct ad_training_summary *s);

#endif
