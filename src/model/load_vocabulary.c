/* The masked-language head of a model folder. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "load_internal.h"

struct ad__entry *ad__parameter_entry(const struct ad_model *model, const char *name) {
  const struct ad__vocabulary *v = &model->architecture->vocabulary;
  struct ad__entry *entry = ad__find_entry(model, name);
  const int is_bias = model->options.masked_lm && v->bias != NULL && strcmp(name, v->bias) == 0;
  return entry == NULL && is_bias && v->decoder[1] != NULL ? ad__find_entry(model, v->decoder[1]) : entry;
}

/* Whether a tensor is there with this shape (columns 1: a vector). If not, says so in note [size]. */
static int tensor_fits(const struct ad_model *model, const char *name, size_t rows, size_t columns, char *note,
                       size_t size) {
  const struct ad__entry *entry = ad__parameter_entry(model, name);
  const size_t shape[] = {rows, columns}, dimensions = columns == 1 ? 1 : 2;
  if (entry == NULL) {
    snprintf(note, size, "the folder has no %s", name);
    return 0;
  }
  if (entry->tensor->dimensions != dimensions || memcmp(entry->tensor->shape, shape, dimensions * sizeof *shape) != 0) {
    char found[60], expected[60];
    snprintf(note, size, "%s is %s, expected %s", entry->tensor->name,
             ad_shape_text(entry->tensor->shape, entry->tensor->dimensions, found, sizeof found),
             ad_shape_text(shape, dimensions, expected, sizeof expected));
    return 0;
  }
  return 1;
}

/* A tensor that the files have twice must be the same both times. `name` may be NULL, or none of theirs. */
static int check_copy(const struct ad_model *model, const char *name, const char *of) {
  struct ad__entry *copy = name == NULL ? NULL : ad__find_entry(model, name), *own = ad__find_entry(model, of);
  if (copy == NULL || own == NULL) {
    return AD_OK;
  }
  const struct ad_safetensor *a = copy->tensor, *b = own->tensor;
  if (a->dtype != b->dtype || a->bytes != b->bytes || memcmp(a->data, b->data, a->bytes) != 0) {
    return ad_fail(AD_EINPUT,
                   "%s: tensor %s differs from %s, expected the same numbers: they are one parameter here; "
                   "model.head=new draws another head",
                   copy->file->name, a->name, b->name);
  }
  copy->used = 1;
  return AD_OK;
}

int ad__vocabulary_fits(const struct ad_model *model, char *note, size_t size) {
  const struct ad__vocabulary *v = &model->architecture->vocabulary;
  const struct ad_model_config *m = &model->found.config;
  const size_t H = m->hidden, E = ad_model_embedding(m);
  if (!tensor_fits(model, v->dense[0], E, H, note, size) || !tensor_fits(model, v->dense[1], E, 1, note, size) ||
      !tensor_fits(model, v->norm[0], E, 1, note, size) || !tensor_fits(model, v->norm[1], E, 1, note, size) ||
      !tensor_fits(model, v->bias, m->vocab, 1, note, size)) {
    return 0;
  }
  snprintf(note, size, "its masked-language head fits");
  return 1;
}

int ad__vocabulary_check_copies(const struct ad_model *model) {
  const struct ad__vocabulary *v = &model->architecture->vocabulary;
  const char *const of[] = {model->params.tensors[0].name, v->bias}; /* the first tensor is the word embedding */
  if (model->found.untied) {
    return ad_fail(AD_EINPUT,
                   "%s/config.json: tie_word_embeddings is false, expected true: the last weight of a masked-language "
                   "head is the word embedding here; model.head=new draws another head",
                   model->folder);
  }
  for (size_t i = 0; i < 2; i++) {
    AD_TRY(check_copy(model, v->decoder[i], of[i]));
  }
  return AD_OK;
}
