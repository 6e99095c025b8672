/* Several data sets as the data of one training: a task for each, with a head of its own (task/heads.h).
 *
 * A list of descriptors becomes one descriptor, whose text holds theirs below the key `sets`:
 *
 *   sets:
 *     "snli":
 *       title: ...
 *
 * So a run keeps one file of it, which is read like any other. */
#ifndef AUTODIDACT_DATA_JOINT_H
#define AUTODIDACT_DATA_JOINT_H

#include "autodidact/data/descriptor.h"

/* 1 where data.descriptor is a list: "snli,sst2". */
int ad_config_has_sets(const struct ad_config *config);

/* The descriptor of data.descriptor, or of several with commas between them, with the
 * tasks of data.task. Of one it is as ad_descriptor_load gives it. Several are complete, and have what data.folder,
 * data.train, data.dev and data.test say of each: lists of the same length, or empty. The caller owns it. AD_ECONFIG:
 * lists of different lengths, a data set that is there twice, more than there may be; and as ad_descriptor_load and
 * ad_descriptor_complete. */
int ad_descriptor_configure(struct ad_descriptor *descriptor, const struct ad_config *config, const char *folder);

/* Item k of a list "a, b,,c", without spaces around it; of an empty list "". The caller owns it. AD_ENOMEM. */
int ad_list_item(const char *list, size_t k, char **item);

/* Takes one of several data sets out of a descriptor, which becomes that one. AD_ECONFIG: there is none of this name,
 * or it is not several. */
int ad_descriptor_choose(struct ad_descriptor *descriptor, const char *name);

#endif
