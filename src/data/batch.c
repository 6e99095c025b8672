#include "autodidact/data/batch.h"

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/gemm.h"

int ad_packer_create(struct ad_packer *packer, const struct ad_input_form *form, size_t rows, size_t examples,
                     size_t lanes, size_t alignment) {
  *packer = (struct ad_packer){.form = *form,
                               .token_capacity = ad_round_rows(rows),
                               .example_capacity = examples,
                               .lane_capacity = lanes,
                               .alignment = alignment,
                               .copies = 1};
  const size_t T = packer->token_capacity;
  packer->lane_example = ad_calloc(lanes + 1, sizeof *packer->lane_example);
  packer->offset = ad_calloc(examples + 1, sizeof *packer->offset);
  packer->length = ad_calloc(examples, sizeof *packer->length);
  packer->ids = ad_calloc(T, sizeof *packer->ids);
  packer->types = ad_calloc(T, sizeof *packer->types);
  packer->positions = ad_calloc(T, sizeof *packer->positions);
  packer->places = ad_calloc(T, sizeof *packer->places);
  packer->token_stream = ad_calloc(T, sizeof *packer->token_stream);
  packer->example = ad_calloc(examples, sizeof *packer->example);
  packer->copy = ad_calloc(examples, sizeof *packer->copy);
  packer->stream = ad_calloc(examples, sizeof *packer->stream);
  if (packer->lane_example == NULL || packer->offset == NULL || packer->length == NULL || packer->ids == NULL ||
      packer->types == NULL || packer->positions == NULL || packer->places == NULL || packer->token_stream == NULL ||
      packer->example == NULL || packer->copy == NULL || packer->stream == NULL) {
    ad_packer_destroy(packer);
    return ad_fail_memory(5ull * T * sizeof(uint32_t), "a batch");
  }
  return AD_OK;
}

void ad_packer_destroy(struct ad_packer *packer) {
  ad_free(packer->lane_example);
  ad_free(packer->offset);
  ad_free(packer->length);
  ad_free(packer->ids);
  ad_free(packer->types);
  ad_free(packer->positions);
  ad_free(packer->places);
  ad_free(packer->token_stream);
  ad_free(packer->example);
  ad_free(packer->copy);
  ad_free(packer->stream);
  *packer = (struct ad_packer){0};
}

/* Appends a copy of an example at example b, token t. */
static void place(struct ad_packer *packer, const struct ad_dataset *dataset, uint32_t id, size_t copy, size_t b,
                  size_t t) {
  const uint32_t length = ad_dataset_length(dataset, id), stream = ad_batch_stream(id, (uint32_t)copy);
  const struct ad_input_form *form = &packer->form;
  packer->example[b] = id;
  packer->copy[b] = (uint32_t)copy;
  packer->stream[b] = stream;
  packer->offset[b] = t;
  packer->length[b] = length;
  memcpy(packer->ids + t, dataset->ids + dataset->offset[id], length * sizeof *packer->ids);
  uint32_t position = form->first_position;
  for (uint32_t i = 0; i < length; i++) {
    const int padding = packer->ids[t + i] + 1 == form->first_position;
    packer->types[t + i] = i >= dataset->first[id] ? form->second_type : 0;
    packer->positions[t + i] = padding ? form->first_position - 1 : position++;
    packer->places[t + i] = i;
    packer->token_stream[t + i] = stream;
  }
  if (form->cls_last) {
    packer->types[t + length - 1] = form->cls_type;
  }
}

/* Rows [t, end) hold no token. */
static void clear_rows(struct ad_packer *packer, size_t t, size_t end) {
  const size_t bytes = (end - t) * sizeof *packer->ids;
  memset(packer->ids + t, 0, bytes);
  memset(packer->types + t, 0, bytes);
  memset(packer->positions + t, 0, bytes);
  memset(packer->places + t, 0, bytes);
  memset(packer->token_stream + t, 0, bytes);
}

int ad_packer_fill(struct ad_packer *packer, const struct ad_dataset *dataset, const uint32_t *ids, size_t lanes,
                   const size_t *lane_begin, const uint32_t *member, struct ad_batch *batch) {
  const size_t examples = packer->copies * (lane_begin[lanes] - lane_begin[0]);
  if (lanes > packer->lane_capacity || examples > packer->example_capacity) {
    return ad_fail(AD_EINTERNAL, "a batch of %zu examples in %zu lanes, made for %zu in %zu", examples, lanes,
                   packer->example_capacity, packer->lane_capacity);
  }
  size_t b = 0, t = 0;
  for (size_t w = 0; w < lanes; w++) {
    packer->lane_example[w] = b;
    const size_t aligned = (t + packer->alignment - 1) / packer->alignment * packer->alignment;
    if (lane_begin[w + 1] > lane_begin[w] && aligned <= packer->token_capacity) {
      clear_rows(packer, t, aligned);
      t = aligned;
    }
    const size_t first = lane_begin[w], count = lane_begin[w + 1] - first;
    for (size_t i = 0; i < packer->copies * count; i++, b++) {
      const size_t k = first + i % count;
      const uint32_t id = ids[member == NULL ? k : member[k]];
      if (id >= dataset->count) {
        return ad_fail(AD_EINTERNAL, "example %u of a data set of %zu", id, dataset->count);
      }
      const uint32_t length = ad_dataset_length(dataset, id);
      if (length > packer->token_capacity - t) {
        return ad_fail(AD_EINTERNAL, "a batch of more than the %zu tokens it was made for", packer->token_capacity);
      }
      place(packer, dataset, id, i / count, b, t);
      t += length;
    }
  }
  packer->lane_example[lanes] = b;
  packer->offset[b] = t;
  clear_rows(packer, t, ad_round_rows(t));
  *batch = (struct ad_batch){.examples = b,
                             .tokens = t,
                             .lanes = lanes,
                             .lane_example = packer->lane_example,
                             .offset = packer->offset,
                             .length = packer->length,
                             .ids = packer->ids,
                             .types = packer->types,
                             .positions = packer->positions,
                             .places = packer->places,
                             .token_stream = packer->token_stream,
                             .example = packer->example,
                             .copy = packer->copy,
                             .stream = packer->stream};
  return AD_OK;
}
