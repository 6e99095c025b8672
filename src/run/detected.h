/* What a configuration without a descriptor has by itself. Private to src/run. */
#ifndef AUTODIDACT_SRC_RUN_DETECTED_H
#define AUTODIDACT_SRC_RUN_DETECTED_H

#include "autodidact/base/config.h"

/* An empty run.dir becomes runs/NAME, by the name of data.train, where there is no descriptor. AD_ENOMEM. */
int ad__session_name_run(struct ad_config *config);

#endif
