/* What the files that read a model folder share. Private to model/. */
#ifndef AUTODIDACT_SRC_MODEL_LOAD_INTERNAL_H
#define AUTODIDACT_SRC_MODEL_LOAD_INTERNAL_H

#include "architecture.h"
#include "autodidact/model/safetensors.h"
#include "folder.h"

/* A tensor of the files under the name the parameter table has for it. */
struct ad__entry {
  char *name; /* owned: without prefix and alias */
  const struct ad_safetensors *file;
  const struct ad_safetensor *tensor;
  int used;
};

struct ad_model {
  char *folder;
  struct ad_model_options options;
  struct ad_folder_config found; /* what config.json says, of one head where one is chosen */
  struct ad__head_rows rows;     /* and its rows */
  const struct ad_architecture *architecture;
  struct ad_safetensors *files; /* [file_count] */
  size_t file_count, file_capacity;
  struct ad__entry *entries; /* [entry_count] sorted by name */
  size_t entry_count, entry_capacity;
  struct ad_params params;
  struct ad_model_report report;
};

/* The tensor of the files with this name of the parameter table; NULL: there is none. */
struct ad__entry *ad__find_entry(const struct ad_model *model, const char *name);

/* --- The masked-language head (load_vocabulary.c) --- */

/* The tensor that a parameter is read from: of its name, or the copy that files may have of a masked-language head's
 * bias. NULL: there is none. */
struct ad__entry *ad__parameter_entry(const struct ad_model *model, const char *name);

/* Whether the folder's masked-language head has all its tensors. If not, says why in note [size]. */
int ad__vocabulary_fits(const struct ad_model *model, char *note, size_t size);

/* The copies that the files have of such a head's parameters count as read. AD_EINPUT naming file and tensor: one
 * differs, or the head's last weight is not the word embedding. */
int ad__vocabulary_check_copies(const struct ad_model *model);

#endif
