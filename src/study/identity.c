/* What a cell is: the digest of its configuration and of what it is given. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"
#include "autodidact/data/joint.h"
#include "autodidact/model/huggingface.h"
#include "study_internal.h"

uint64_t ad__study_key_digest(const char *key, const char *value) {
  const char *initial = ad_config_younger(key);
  if (initial != NULL && strcmp(initial, value) == 0) {
    return 0;
  }
  return ad_digest_keyed(ad_digest(key, strlen(key)), value, strlen(value));
}

static int base_part(const struct ad_study *study, const char *key, uint64_t *digest) {
  struct ad_buffer text = {0};
  const int status = ad_config_get(&study->base, key, &text);
  *digest = ad__study_key_digest(key, text.data == NULL ? "" : text.data);
  ad_buffer_destroy(&text);
  return status;
}

static int is_seed_axis(const struct ad_study *study, const char *key) {
  const int axis = ad_study_find_axis(study, key);
  return axis >= 0 && study->axes[axis].seed;
}

int ad__study_base_digest(const struct ad_study *study, int inputs, uint64_t *digest) {
  *digest = 0;
  for (size_t i = 0; ad_config_key(i) != NULL; i++) {
    const char *key = ad_config_key(i);
    const enum ad_identity counts = ad_config_identity(key);
    uint64_t part;
    if ((counts == AD_IDENTITY_VALUE || (inputs && counts == AD_IDENTITY_CONTENT)) && !is_seed_axis(study, key)) {
      AD_TRY(base_part(study, key, &part));
      *digest += part;
    }
  }
  return AD_OK;
}

int ad__study_digest_change(const struct ad_study *study, const char *key, const char *value, uint64_t *change) {
  AD_TRY(base_part(study, key, change));
  *change = ad__study_key_digest(key, value) - *change;
  return AD_OK;
}

/* `digest` of the arm, and the seeds. */
static uint64_t add_seeds(const struct ad_study *study, const struct ad_study_cell *cell, uint64_t digest) {
  for (size_t a = 0; a < study->axis_count; a++) {
    const struct ad_study_axis *axis = &study->axes[a];
    digest += axis->seed ? ad__study_key_digest(axis->key, axis->values[cell->level[a]]) : 0;
  }
  return digest;
}

uint64_t ad_study_cell_digest(const struct ad_study *study, const struct ad_study_cell *cell) {
  return add_seeds(study, cell, study->arms[cell->arm].digest);
}

int ad__study_cell_id(const struct ad_study *study, const struct ad_study_cell *cell, uint64_t digest, uint64_t inputs,
                      uint64_t *id) {
  *id = ad_digest_pair(add_seeds(study, cell, digest), inputs);
  *id += *id == 0; /* 0 stands for "not known" */
  return AD_OK;
}

int ad__study_copy_base(const struct ad_study *study, struct ad_config *config) {
  struct ad_buffer text = {0};
  AD_TRY(ad_config_create(config));
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && ad_config_key(i) != NULL; i++) {
    ad_buffer_clear(&text);
    status = ad_config_get(&study->base, ad_config_key(i), &text);
    const char *value = text.data == NULL || text.size == 0 ? "" : text.data;
    if (status == AD_OK) {
      status = study->base.given[i] ? ad_config_set(config, study->path, ad_config_key(i), value)
                                    : ad_config_set_default(config, ad_config_key(i), value);
    }
  }
  ad_buffer_destroy(&text);
  return status;
}

static int apply_arm(const struct ad_study *study, const struct ad_study_arm *arm, struct ad_config *config) {
  for (size_t i = 0; i < arm->count; i++) {
    AD_TRY(ad_config_set(config, study->path, arm->settings[i].key, arm->settings[i].value));
  }
  return AD_OK;
}

static int make_config(const struct ad_study *study, const struct ad_study_cell *cell, const char *folder,
                       struct ad_config *config) {
  AD_TRY(ad__study_copy_base(study, config));
  AD_TRY(apply_arm(study, &study->arms[cell->arm], config));
  for (size_t a = 0; a < study->axis_count; a++) {
    const struct ad_study_axis *axis = &study->axes[a];
    AD_TRY(ad_config_set(config, study->path, axis->key, axis->values[cell->level[a]]));
  }
  return ad_config_set(config, study->path, "run.dir", folder);
}

int ad_study_config(const struct ad_study *study, const struct ad_study_cell *cell, struct ad_config *config) {
  char *folder = ad_study_folder(study, cell);
  *config = (struct ad_config){0};
  const int status =
      folder == NULL ? ad_fail_memory(strlen(study->dir) + 32, "a path") : make_config(study, cell, folder, config);
  ad_free(folder);
  if (status != AD_OK) {
    ad_config_destroy(config);
  }
  return status;
}

/* --- Inputs. */

struct inputs {
  char *key; /* the settings that name inputs, as one text; owned */
  uint64_t digest;
  char text[80];
};

static int digest_split(const struct ad_descriptor *descriptor, enum ad_split split, const struct ad_config *c,
                        uint64_t *digest) {
  const int several = descriptor->set_count > 0; /* which have their own */
  const struct ad_read_options options = {
      .folder = c->data_folder, .file = several ? NULL : ad_split_file(c, split), .labels = 1};
  return ad_dataset_digest(descriptor, split, &options, digest);
}

static int digest_model(const struct ad_study *study, const struct ad_config *c, uint64_t *digest) {
  char *folder = NULL;
  if (c->model_path[0] == '\0') {
    return ad_digest_file(c->model_vocab, digest);
  }
  int status = study->find_model == NULL ? AD_OK : study->find_model(c->model_path, &folder);
  status = status == AD_OK ? ad_model_digest(folder == NULL ? c->model_path : folder, digest) : status;
  ad_free(folder);
  return status;
}

static int digest_inputs(const struct ad_study *study, const struct ad_config *c, const char *datasets,
                         struct inputs *inputs) {
  struct ad_descriptor d = {0};
  uint64_t train = 0, dev = 0, model = 0;
  char texts[4][17];
  if (c->data_descriptor[0] == '\0') {
    return ad_fail(AD_ECONFIG, "data.descriptor is not set: `autodidact data FILE --write descriptor.yaml` makes one");
  }
  if (c->model_path[0] == '\0' && c->model_vocab[0] == '\0') {
    return ad_fail(AD_ECONFIG, "neither model.path (a pretrained encoder) nor model.vocab (a new one's) is set");
  }
  AD_TRY(ad_descriptor_configure(&d, c, datasets));
  int status = c->data_hold_out > 0 ? ad_descriptor_hold_out(&d, c->data_hold_out, 0) : AD_OK;
  status = status == AD_OK ? digest_split(&d, AD_SPLIT_TRAIN, c, &train) : status;
  if (status == AD_OK && (ad_descriptor_has(&d, AD_SPLIT_DEV) || ad_split_file(c, AD_SPLIT_DEV) != NULL)) {
    status = digest_split(&d, AD_SPLIT_DEV, c, &dev);
  }
  status = status == AD_OK ? digest_model(study, c, &model) : status;
  const uint64_t parts[] = {d.digest, train, dev, model};
  inputs->digest = 0;
  for (size_t i = 0; i < 4; i++) {
    inputs->digest = ad_digest_pair(inputs->digest, parts[i]);
    ad_digest_text(parts[i], texts[i]);
  }
  inputs->digest += inputs->digest == 0;
  snprintf(inputs->text, sizeof inputs->text, "%s %s %s %s", texts[0], texts[1], texts[2], texts[3]);
  ad_descriptor_destroy(&d);
  return status;
}

static int inputs_of(const struct ad_study *study, const struct ad_study_arm *arm, const char *datasets,
                     struct inputs *inputs) {
  struct ad_config config;
  int status = ad__study_copy_base(study, &config);
  status = status == AD_OK ? apply_arm(study, arm, &config) : status;
  status = status == AD_OK ? digest_inputs(study, &config, datasets, inputs) : status;
  ad_config_destroy(&config);
  return status < 0 ? ad_fail_prefix(status, "%s: arm '%s'", study->path, arm->name) : AD_OK;
}

/* What decides an arm's inputs, as a text. data.hold_out decides which splits there are. */
static int inputs_key(const struct ad_study_arm *arm, char **key) {
  struct ad_buffer text = {0};
  int status = ad_buffer_puts(&text, "");
  for (size_t i = 0; status == AD_OK && i < arm->count; i++) {
    const struct ad_study_setting *s = &arm->settings[i];
    if (ad_config_identity(s->key) == AD_IDENTITY_CONTENT || strcmp(s->key, ad_config_key(AD_KEY_data_hold_out)) == 0) {
      status = ad_buffer_printf(&text, "%s=%s\n", s->key, s->value);
    }
  }
  *key = text.data;
  return status;
}

static int find_inputs(const struct ad_study *study, const struct ad_study_arm *arm, const char *datasets, void **known,
                       size_t *count, size_t *capacity, const struct inputs **found) {
  char *key = NULL;
  int status = inputs_key(arm, &key);
  struct inputs *list = *known;
  for (size_t i = 0; status == AD_OK && i < *count; i++) {
    if (strcmp(list[i].key, key) == 0) {
      ad_free(key);
      *found = &list[i];
      return AD_OK;
    }
  }
  status = status == AD_OK ? ad_reserve(known, capacity, *count + 1, sizeof *list) : status;
  list = *known;
  if (status == AD_OK) {
    list[*count].key = key;
    status = inputs_of(study, arm, datasets, &list[*count]);
  }
  if (status != AD_OK) {
    ad_free(key);
    return status;
  }
  *found = &list[(*count)++];
  return AD_OK;
}

static int by_id(const void *a, const void *b) {
  const struct ad_study_cell *x = *(const struct ad_study_cell *const *)a, *y = *(const struct ad_study_cell *const *)b;
  return x->id != y->id ? (x->id < y->id ? -1 : 1) : (x > y) - (x < y);
}

/* Two names of the same data would make the same cell. */
static int check_ids(const struct ad_study *study) {
  const struct ad_study_cell **sorted = ad_malloc(study->count, sizeof *sorted);
  if (sorted == NULL) {
    return ad_fail_memory(study->count * sizeof *sorted, "the cells of a study");
  }
  for (size_t i = 0; i < study->count; i++) {
    sorted[i] = &study->cells[i];
  }
  qsort(sorted, study->count, sizeof *sorted, by_id);
  int status = AD_OK;
  for (size_t i = 1; status == AD_OK && i < study->count; i++) {
    if (sorted[i]->id == sorted[i - 1]->id) {
      char one[300], other[300];
      status = ad_fail(AD_ECONFIG,
                       "%s: two cells are the same training, as their data and models have the same bytes: \"%s\" and "
                       "\"%s\"",
                       study->path, ad_study_label(study, sorted[i - 1], one, sizeof one),
                       ad_study_label(study, sorted[i], other, sizeof other));
    }
  }
  ad_free(sorted);
  return status;
}

int ad_study_identify(struct ad_study *study, const char *datasets) {
  void *known = NULL;
  size_t count = 0, capacity = 0;
  int status = AD_OK;
  for (size_t k = 0; status == AD_OK && k < study->arm_count; k++) {
    struct ad_study_arm *arm = &study->arms[k];
    const struct inputs *inputs = NULL;
    status = find_inputs(study, arm, datasets, &known, &count, &capacity, &inputs);
    if (status == AD_OK) {
      arm->inputs = inputs->digest;
      snprintf(arm->input_text, sizeof arm->input_text, "%s", inputs->text);
    }
  }
  for (size_t i = 0; i < count; i++) {
    ad_free(((struct inputs *)known)[i].key);
  }
  ad_free(known);
  for (size_t i = 0; status == AD_OK && i < study->count; i++) {
    struct ad_study_cell *cell = &study->cells[i];
    const struct ad_study_arm *arm = &study->arms[cell->arm];
    status = ad__study_cell_id(study, cell, arm->digest, arm->inputs, &cell->id);
  }
  return status == AD_OK ? check_ids(study) : status;
}
