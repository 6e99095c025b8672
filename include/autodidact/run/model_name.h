/* Models by name: minilm-l6, or OWNER/NAME of the model hub, as launch/get-model brings them; and by the run that made
 * them. */
#ifndef AUTODIDACT_RUN_MODEL_NAME_H
#define AUTODIDACT_RUN_MODEL_NAME_H

#include "autodidact/base/config.h"

/* Puts the folder of the model in place of a model.path that is a name: launch/get-model brings the model into its
 * cache, where it is not there yet. A name is OWNER/NAME where there is no folder OWNER, one of launch/models.txt, or
 * bert-NAME. Of the folder of a run it is that of its result. A path of another folder, and what is no name, stay as
 * they are. Each rank calls it for itself; the script lets one after the other in. AD_EINPUT: the model could not be
 * had, and what to do; the run has none yet. AD_EIO: the script could not be started. AD_ENOMEM. */
int ad_model_name_resolve(struct ad_config *config);

/* The same for a path that is no key: *folder is the folder, or a copy of `name`. The caller owns it. */
int ad_model_name_find(const char *name, char **folder);

#endif
