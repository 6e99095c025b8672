/* A rank alone as an exchange: it has all lanes, and updates everything. Not installed. */
#ifndef AUTODIDACT_LEARN_EXCHANGE_ALONE_H
#define AUTODIDACT_LEARN_EXCHANGE_ALONE_H

#include "autodidact/learn/exchange.h"

struct exchange_alone {
  struct ad_exchange table;
  const struct ad_params *params;
  const struct ad_kernels *kernels;
  const struct ad_rows *rows;     /* of the step */
  const struct ad_partial *whole; /* the one partial sum of the bucket that is being reduced */
};

/* Fills in *alone, whose table refers to it: it must not move. params must outlive it. */
void ad__exchange_alone_init(struct exchange_alone *alone, const struct ad_params *params,
                             const struct ad_kernels *kernels);

#endif
