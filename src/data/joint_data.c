/* The examples of several data sets, one behind another. */
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"
#include "autodidact/task/heads.h"
#include "joint_data.h"

/* Each data set has its own folder and files. */
static struct ad_read_options options_of_set(const struct ad_read_options *options) {
  struct ad_read_options own = *options;
  own.folder = own.file = NULL;
  own.content = NULL;
  return own;
}

int ad__dataset_digest_sets(const struct ad_descriptor *descriptor, enum ad_split split,
                            const struct ad_read_options *options, uint64_t *digest) {
  const struct ad_read_options own = options_of_set(options);
  *digest = 0;
  for (size_t k = 0; k < descriptor->set_count; k++) {
    uint64_t of_set;
    AD_TRY(ad_dataset_digest(&descriptor->sets[k], split, &own, &of_set));
    *digest = ad_digest_pair(*digest, of_set);
  }
  return AD_OK;
}

/* Memory for N examples. */
static int reserve(struct ad_dataset *data, size_t N, size_t tokens) {
  data->offset = ad_calloc(N + 1, sizeof *data->offset);
  data->ids = ad_malloc(tokens, sizeof *data->ids);
  data->first = ad_malloc(N, sizeof *data->first);
  data->label = ad_calloc(N * data->words, sizeof *data->label);
  if (data->offset != NULL && data->ids != NULL && data->first != NULL && data->label != NULL) {
    return AD_OK;
  }
  ad_dataset_destroy(data);
  return ad_fail_memory(N * (12 + 4 * data->words) + tokens * 4, "examples");
}

/* Room for the examples of all sets [count]. */
static int make_room(struct ad_dataset *all, const struct ad_dataset *sets, size_t count) {
  size_t N = 0, tokens = 0;
  for (size_t k = 0; k < count; k++) {
    N += sets[k].count;
    tokens += sets[k].offset[sets[k].count];
  }
  if (N >= UINT32_MAX) {
    return ad_fail(AD_EINPUT, "%zu examples of all tasks, expected less than %u", N, UINT32_MAX);
  }
  return reserve(all, N, tokens);
}

/* The examples of data set k behind those that are there. */
static void append(struct ad_dataset *all, const struct ad_dataset *set, size_t k) {
  const size_t at = all->count, tokens = at == 0 ? 0 : all->offset[at], own = set->offset[set->count];
  memcpy(all->ids + tokens, set->ids, own * sizeof *set->ids);
  memcpy(all->first + at, set->first, set->count * sizeof *set->first);
  for (size_t i = 0; i < set->count; i++) {
    uint32_t *label = all->label + (at + i) * all->words;
    all->offset[at + i] = tokens + set->offset[i];
    label[0] = (uint32_t)k;
    memcpy(label + 1, ad_dataset_label(set, i), set->words * sizeof *label);
  }
  all->count += set->count;
  all->offset[all->count] = tokens + own;
  all->longest = set->longest > all->longest ? set->longest : all->longest;
  all->truncated += set->truncated;
  all->skipped += set->skipped;
  all->empty += set->empty;
  all->digest = ad_digest_pair(all->digest, set->digest);
}

int ad__dataset_read_sets(struct ad_dataset *dataset, const struct ad_descriptor *descriptor, enum ad_split split,
                          const struct ad_read_options *options, struct ad_tokenizer *tokenizer) {
  struct ad_dataset sets[AD_MOST_HEADS] = {{0}};
  const struct ad_read_options own = options_of_set(options);
  const size_t K = descriptor->set_count;
  *dataset =
      (struct ad_dataset){.task = descriptor->task, .words = ad_task_words(descriptor->task, descriptor->class_count)};
  int status = options->file == NULL
                   ? AD_OK
                   : ad_fail(AD_ECONFIG, "%s has several tasks, found one file: expected one of them (--task)",
                             descriptor->name);
  for (size_t k = 0; k < K && status == AD_OK; k++) {
    status = ad_dataset_read(&sets[k], &descriptor->sets[k], split, &own, tokenizer);
    if (status == AD_OK && sets[k].targets != NULL) {
      status = ad_fail(AD_ECONFIG, "%s has probabilities as labels, expected classes: several tasks cannot learn them",
                       descriptor->sets[k].name);
    }
  }
  status = status == AD_OK ? make_room(dataset, sets, K) : status;
  for (size_t k = 0; k < K; k++) {
    if (status == AD_OK) {
      append(dataset, &sets[k], k);
    }
    ad_dataset_destroy(&sets[k]);
  }
  if (status != AD_OK) {
    ad_dataset_destroy(dataset);
  }
  return status;
}

void ad_dataset_tasks(const struct ad_dataset *dataset, size_t *count, size_t *begin) {
  const struct ad_heads *heads = dataset->task->heads;
  *count = heads == NULL ? 1 : heads->count;
  memset(begin, 0, (*count + 1) * sizeof *begin);
  for (size_t i = 0; heads != NULL && i < dataset->count; i++) {
    begin[*ad_dataset_label(dataset, i) + 1]++;
  }
  for (size_t t = 1; t <= *count; t++) {
    begin[t] += begin[t - 1];
  }
  begin[*count] = dataset->count;
}

/* Shares of the tasks of `count` examples: one each in turn, where a task has one left. */
static void share_out(size_t tasks, const size_t *begin, size_t count, size_t *share) {
  memset(share, 0, tasks * sizeof *share);
  for (size_t t = 0; count > 0; t = (t + 1) % tasks) {
    if (share[t] < begin[t + 1] - begin[t]) {
      share[t]++;
      count--;
    }
  }
}

int ad_dataset_take(struct ad_dataset *taken, const struct ad_dataset *dataset, size_t count) {
  size_t tasks, begin[AD_MOST_HEADS + 1], share[AD_MOST_HEADS], tokens = 0;
  ad_dataset_tasks(dataset, &tasks, begin);
  share_out(tasks, begin, count, share);
  *taken = (struct ad_dataset){.task = dataset->task, .words = dataset->words, .digest = dataset->digest};
  for (size_t t = 0; t < tasks; t++) {
    tokens += dataset->offset[begin[t] + share[t]] - dataset->offset[begin[t]];
  }
  AD_TRY(reserve(taken, count, tokens));
  for (size_t t = 0; t < tasks; t++) {
    for (size_t i = begin[t]; i < begin[t] + share[t]; i++) {
      const size_t n = taken->count++, length = ad_dataset_length(dataset, i);
      memcpy(taken->ids + taken->offset[n], dataset->ids + dataset->offset[i], length * sizeof *taken->ids);
      memcpy(taken->label + n * taken->words, ad_dataset_label(dataset, i), taken->words * sizeof *taken->label);
      taken->offset[n + 1] = taken->offset[n] + length;
      taken->first[n] = dataset->first[i];
      taken->longest = length > taken->longest ? length : taken->longest;
    }
  }
  return AD_OK;
}
