/* A Hugging Face folder into the flat parameter vector. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architecture.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/safetensors.h"
#include "load_internal.h"

static int starts_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

/* Whether `text` begins with one of the list. */
static int starts_with_any(const char *text, const char *const *starts) {
  while (*starts != NULL && !starts_with(text, *starts)) {
    starts++;
  }
  return *starts != NULL;
}

static int ends_with(const char *text, const char *end) {
  const size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* "bert.encoder.layer.0.output.LayerNorm.gamma" is "encoder.layer.0.output.LayerNorm.weight". The caller owns it. */
static char *table_name(const struct ad_architecture *a, const char *name) {
  const char *start = starts_with(name, a->prefix) ? name + strlen(a->prefix) : name;
  const struct ad__alias *alias = a->aliases;
  while (alias->old != NULL && !ends_with(start, alias->old)) {
    alias++;
  }
  if (alias->old == NULL) {
    return ad_strdup(start);
  }
  const size_t kept = strlen(start) - strlen(alias->old), added = strlen(alias->now);
  char *copy = ad_malloc(kept + added + 1, 1);
  if (copy != NULL) {
    memcpy(copy, start, kept);
    memcpy(copy + kept, alias->now, added + 1);
  }
  return copy;
}

static int by_name(const void *a, const void *b) {
  const struct ad__entry *x = a, *y = b;
  return strcmp(x->name, y->name);
}

struct ad__entry *ad__find_entry(const struct ad_model *model, const char *name) {
  const struct ad__entry key = {.name = (char *)(uintptr_t)name};
  if (model->entry_count == 0) {
    return NULL;
  }
  return bsearch(&key, model->entries, model->entry_count, sizeof key, by_name);
}

static int shape_is(const struct ad_safetensor *tensor, size_t rows, size_t columns, int vector) {
  return tensor->shape[0] == rows &&
         (vector ? tensor->dimensions == 1 : tensor->dimensions == 2 && tensor->shape[1] == columns);
}

/* ---- The files ---- */

static int open_file(struct ad_model *model, const char *name) {
  char *path = ad_path_join(model->folder, name);
  if (path == NULL) {
    return ad_fail_memory(strlen(model->folder) + strlen(name), "a path");
  }
  void *files = model->files;
  int status = ad_reserve(&files, &model->file_capacity, model->file_count + 1, sizeof *model->files);
  model->files = files;
  if (status == AD_OK) {
    status = ad_safetensors_open(&model->files[model->file_count], path);
  }
  if (status == AD_OK) {
    model->file_count++;
  }
  ad_free(path);
  return status;
}

/* Index and shards must agree in both directions. */
static int check_index(const struct ad_model *model, const json_t *map) {
  size_t tensors = 0;
  for (size_t i = 0; i < model->file_count; i++) {
    const struct ad_safetensors *file = &model->files[i];
    tensors += file->count;
    for (size_t j = 0; j < file->count; j++) {
      const char *listed = json_string_value(json_object_get(map, file->tensors[j].name));
      if (listed == NULL || strcmp(listed, ad_path_name(file->name)) != 0) {
        return ad_fail(AD_EINPUT, "%s/%s: weight_map has %.60s for tensor %s, which is in %s", model->folder,
                       AD_WEIGHT_INDEX, listed == NULL ? "nothing" : listed, file->tensors[j].name,
                       ad_path_name(file->name));
      }
    }
  }
  if (tensors != json_object_size(map)) {
    return ad_fail(AD_EINPUT, "%s/%s: weight_map lists %zu tensors, but the files hold %zu", model->folder,
                   AD_WEIGHT_INDEX, json_object_size(map), tensors);
  }
  return AD_OK;
}

static int open_files(struct ad_model *model) {
  struct ad_names names = {0};
  json_t *map = NULL;
  int status = ad_folder_list_weights(model->folder, &names, &map);
  for (size_t i = 0; status == AD_OK && i < names.count; i++) {
    status = open_file(model, names.items[i]);
  }
  if (status == AD_OK && map != NULL) {
    status = check_index(model, map);
  }
  ad_names_destroy(&names);
  json_decref(map);
  return status;
}

static int list_entries(struct ad_model *model) {
  for (size_t i = 0; i < model->file_count; i++) {
    const struct ad_safetensors *file = &model->files[i];
    void *entries = model->entries;
    AD_TRY(ad_reserve(&entries, &model->entry_capacity, model->entry_count + file->count, sizeof *model->entries));
    model->entries = entries;
    for (size_t j = 0; j < file->count; j++) {
      char *name = table_name(model->architecture, file->tensors[j].name);
      if (name == NULL) {
        return ad_fail_memory(strlen(file->tensors[j].name), "the name of a tensor");
      }
      model->entries[model->entry_count++] =
          (struct ad__entry){.name = name, .file = file, .tensor = &file->tensors[j]};
    }
  }
  qsort(model->entries, model->entry_count, sizeof *model->entries, by_name);
  for (size_t i = 1; i < model->entry_count; i++) {
    const struct ad__entry *entry = &model->entries[i];
    if (strcmp(entry[-1].name, entry->name) == 0) {
      return ad_fail(AD_EINPUT, "%s: tensors %s and %s are the same parameter", entry->file->name,
                     entry[-1].tensor->name, entry->tensor->name);
    }
  }
  return AD_OK;
}

/* ---- The head ---- */

static int has_dense(const struct ad_model *model) {
  const char *const *names = model->architecture->head.dense;
  return ad__find_entry(model, names[0]) != NULL && ad__find_entry(model, names[1]) != NULL;
}

/* Whether the folder's classifier can be used. If not, says why in note [size]. */
static int head_fits(const struct ad_model *model, char *note, size_t size) {
  const struct ad_model_options *options = &model->options;
  const struct ad_folder_config *found = &model->found;
  const char *const *names = model->architecture->head.classifier;
  const struct ad__entry *weight = ad__find_entry(model, names[0]), *bias = ad__find_entry(model, names[1]);
  if (weight == NULL || bias == NULL) {
    snprintf(note, size, "the folder has no %s", names[weight != NULL]);
    return 0;
  }
  if (found->head_refusal[0] != '\0') {
    snprintf(note, size, "%s", found->head_refusal);
    return 0;
  }
  if (!ad__problem_fits(found, options, note, size)) {
    return 0;
  }
  const size_t least = ad__least_logits(found->config.problem_type);
  const size_t classes = options->classes != 0 ? options->classes : ad__heads_rows(&model->rows, weight->tensor);
  const size_t rows = model->rows.count == classes ? model->rows.total : classes;
  if (weight->tensor->dimensions != 2 || classes < least || !shape_is(weight->tensor, rows, found->config.hidden, 0) ||
      !shape_is(bias->tensor, rows, 1, 1)) {
    char weight_shape[60], bias_shape[60];
    snprintf(note, size, "%s is %s and %s %s, expected [%zu, %u] and [%zu]", names[0],
             ad_shape_text(weight->tensor->shape, weight->tensor->dimensions, weight_shape, sizeof weight_shape),
             names[1], ad_shape_text(bias->tensor->shape, bias->tensor->dimensions, bias_shape, sizeof bias_shape),
             classes < least ? least : classes, found->config.hidden, classes < least ? least : classes);
    return 0;
  }
  if (found->classes_stated && found->config.classes != classes) {
    snprintf(note, size, "it has %zu classes, but config.json names %u", classes, found->config.classes);
    return 0;
  }
  if (options->head != AD_HEAD_REQUIRE && options->classifier != found->config.classifier) {
    const int cls = found->config.classifier == AD_CLASSIFIER_CLS;
    snprintf(note, size, "it stands on %s, but model.classifier is %s", cls ? "the bare [CLS] state" : "the pooler",
             cls ? "pooler" : "cls");
    return 0;
  }
  if (found->config.classifier == AD_CLASSIFIER_POOLER && !has_dense(model)) {
    const char *const *dense = model->architecture->head.dense;
    if (model->architecture->head.pretrained) {
      snprintf(note, size, "it stands on a pooler that the folder does not have");
    } else {
      snprintf(note, size, "the folder has no %s", dense[ad__find_entry(model, dense[0]) != NULL]);
    }
    return 0;
  }
  return 1;
}

/* The place of `name` in names; count when it is not there. */
static size_t place_of(const struct ad_names *names, const char *name) {
  size_t i = 0;
  while (i < names->count && strcmp(names->items[i], name) != 0) {
    i++;
  }
  return i;
}

/* Whether the folder's classifier is for the classes that the options name; it fits already. Says why, or why not, in
 * note [size]. The same names in another order would be wrong without a sign. */
static int names_fit(const struct ad_model *model, char *note, size_t size) {
  const struct ad_names *own = &model->found.class_names;
  const char *const *wanted = model->options.class_names;
  const size_t count = model->options.classes;
  const int unnamed = !ad__has_class_names(own);
  size_t first = 0, common = 0;
  note[0] = '\0';
  if (model->options.head == AD_HEAD_REQUIRE || wanted == NULL) {
    return 1;
  }
  if (count == 1 || (unnamed && ad__least_logits(model->found.config.problem_type) == 1)) {
    snprintf(note, size, "it predicts as many numbers as the data have: %zu", count);
    return 1;
  }
  if (unnamed) {
    const int keep = model->options.head == AD_HEAD_KEEP;
    snprintf(note, size, "%sits config.json has no names of classes%s", keep ? "model.head is keep, and " : "",
             own->count > 0 ? ", only LABEL_0 and so on" : "");
    return keep;
  }
  while (first < count && strcmp(own->items[first], wanted[first]) == 0) {
    first++;
  }
  if (first == count) {
    snprintf(note, size, "its classes are those of the data, in the same order");
    return 1;
  }
  for (size_t i = 0; i < count; i++) {
    common += place_of(own, wanted[i]) < count;
  }
  snprintf(note, size, "its class %zu is \"%.60s\", that of the data \"%.60s\"%s", first, own->items[first],
           wanted[first], common == count ? ": the same classes in another order" : "");
  return 0;
}

static int copy_class_names(struct ad_model *model) {
  struct ad_names *names = &model->report.class_names;
  if (model->options.masked_lm) {
    return AD_OK;
  }
  if (model->report.head_loaded && model->options.class_names == NULL && model->found.class_names.count > 0) {
    *names = model->found.class_names;
    model->found.class_names = (struct ad_names){0};
    return AD_OK;
  }
  for (uint32_t i = 0; model->options.class_names != NULL && i < model->options.classes; i++) {
    AD_TRY(ad_names_add(names, model->options.class_names[i]));
  }
  return AD_OK;
}

/* Whether the folder's head is used; the report says why, or why not. */
static int use_head(struct ad_model *model) {
  char *note = model->report.head_note;
  const size_t size = sizeof model->report.head_note;
  if (model->options.head == AD_HEAD_NEW) {
    snprintf(note, size, "model.head is new");
    return 0;
  }
  return model->options.masked_lm ? ad__vocabulary_fits(model, note, size)
                                  : head_fits(model, note, size) && names_fit(model, note, size);
}

/* Decides on the head and makes the parameter table. */
static int make_table(struct ad_model *model) {
  const struct ad_model_options *options = &model->options;
  struct ad_model_report *report = &model->report;
  struct ad_model_config config = model->found.config;
  if (options->masked_lm && model->architecture->vocabulary.dense[0] == NULL) {
    return ad_fail(AD_EINPUT, "%s: the model is of the type %s, which has no head for masked-language modelling",
                   model->folder, model->architecture->title);
  }
  report->head_loaded = use_head(model);
  if (!report->head_loaded && (options->head == AD_HEAD_REQUIRE || options->head == AD_HEAD_KEEP)) {
    return ad_fail(AD_EINPUT, "%s: the %s cannot be used%s: %s", model->folder,
                   options->masked_lm ? "masked-language head" : "classification head",
                   options->head == AD_HEAD_KEEP ? ", and model.head is keep" : "", report->head_note);
  }
  report->unknown = model->found.unknown;
  model->found.unknown = (struct ad_names){0};
  config.masked_lm = options->masked_lm;
  if (config.masked_lm) {
    config.classes = 0;
    config.classifier = has_dense(model) ? AD_CLASSIFIER_POOLER : AD_CLASSIFIER_CLS;
  } else if (report->head_loaded) {
    const struct ad__entry *weight = ad__find_entry(model, model->architecture->head.classifier[0]);
    config.classes = (uint32_t)ad__heads_rows(&model->rows, weight->tensor);
    ad__heads_note(&model->rows, report->head_note, sizeof report->head_note);
  } else {
    config.tasks = options->tasks;
    config.classes = options->classes;
    config.problem_type = options->problem_type;
    config.threshold = 0.0f;
    config.classifier = options->classifier;
  }
  config.cased = options->cased;
  AD_TRY(copy_class_names(model));
  return ad_params_create(&model->params, &config);
}

/* ---- Matching tensors and parameters ---- */

static int check_tensor(const struct ad_model *model, const struct ad__entry *entry, const struct ad_tensor *wanted) {
  const struct ad_safetensor *tensor = entry->tensor;
  size_t shape[3];
  const size_t dimensions = ad_tensor_shape(wanted, shape);
  shape[0] = ad__heads_cut(&model->rows, model->architecture, wanted) ? model->rows.total : shape[0];
  if (tensor->dimensions != dimensions || memcmp(tensor->shape, shape, dimensions * sizeof *shape) != 0) {
    char found[200], expected[80];
    return ad_fail(AD_EINPUT, "%s: tensor %s has shape %s, but config.json makes it %s", entry->file->name,
                   tensor->name, ad_shape_text(tensor->shape, tensor->dimensions, found, sizeof found),
                   ad_shape_text(shape, dimensions, expected, sizeof expected));
  }
  if (tensor->dtype != AD_DTYPE_F32 && tensor->dtype != AD_DTYPE_F16 && tensor->dtype != AD_DTYPE_BF16) {
    return ad_fail(AD_EINPUT, "%s: tensor %s has dtype %s, expected F32, F16 or BF16", entry->file->name, tensor->name,
                   ad_dtype_name(tensor->dtype));
  }
  return AD_OK;
}

/* Whether a parameter is drawn although the files may have it, or because they lack it. */
static int is_drawn(const struct ad_model *model, const struct ad_tensor *tensor) {
  if (tensor->new_head) {
    return !model->report.head_loaded;
  }
  return tensor->optional && !has_dense(model);
}

static int match_parameters(struct ad_model *model) {
  const struct ad_params *params = &model->params;
  const struct ad_tensor *missing = NULL;
  size_t missing_count = 0;
  for (size_t i = 0; i < params->tensor_count; i++) {
    const struct ad_tensor *tensor = &params->tensors[i];
    struct ad__entry *entry = ad__parameter_entry(model, tensor->name);
    if (is_drawn(model, tensor)) {
      AD_TRY(ad_names_add(&model->report.drawn, tensor->name));
    } else if (entry == NULL) {
      missing = missing == NULL ? tensor : missing;
      missing_count++;
    } else {
      AD_TRY(check_tensor(model, entry, tensor));
      entry->used = 1;
      model->report.loaded++;
    }
  }
  if (missing != NULL) {
    return ad_fail(AD_EINPUT,
                   "%s/%s: tensor %s is missing, with and without the prefix %s (%zu of %zu tensors are missing)",
                   model->folder, model->file_count == 1 ? ad_path_name(model->files[0].name) : AD_WEIGHT_INDEX,
                   missing->name, model->architecture->prefix, missing_count, params->tensor_count);
  }
  return AD_OK;
}

/* Models of another architecture than config.json says. */
static int check_strangers(const struct ad_model *model) {
  const struct ad_architecture *a = model->architecture;
  for (size_t i = 0; i < model->entry_count; i++) {
    const char *title = ad__architecture_stranger(a, model->entries[i].tensor->name);
    if (title != NULL) {
      return ad_fail(AD_EINPUT, "%s: tensor %s is of a %s model, expected %s", model->entries[i].file->name,
                     model->entries[i].tensor->name, title, a->title);
    }
  }
  return AD_OK;
}

static int is_buffer(const struct ad_architecture *a, const char *name) {
  const char *const *buffer = a->buffers;
  while (*buffer != NULL && strcmp(*buffer, name) != 0) {
    buffer++;
  }
  return *buffer != NULL;
}

/* What no parameter took: heads and buffers are listed, but a tensor inside the encoder would change what it computes.
 */
static int list_ignored(struct ad_model *model) {
  for (size_t i = 0; i < model->entry_count; i++) {
    const struct ad__entry *entry = &model->entries[i];
    if (entry->used) {
      continue;
    }
    if (starts_with_any(entry->name, model->architecture->inside) && !is_buffer(model->architecture, entry->name)) {
      return ad_fail(AD_EINPUT, "%s: tensor %s has no place in the model that config.json describes (%u layers)",
                     entry->file->name, entry->tensor->name, model->params.config.layers);
    }
    AD_TRY(ad_names_add(&model->report.ignored, entry->tensor->name));
  }
  return AD_OK;
}

/* The type of a pair's second text. */
static uint32_t second_type(const struct ad_model *model) {
  return model->options.one_type ? 0 : model->architecture->form.second_type;
}

/* What the texts need of the model. Rows past the vocabulary are padding: they are read, kept and written, and no text
 * comes to them. */
static int check_inputs(const struct ad_model *model) {
  const struct ad_model_config *found = &model->found.config;
  if (model->options.vocab > found->vocab) {
    return ad_fail(
        AD_EINPUT,
        "%s/config.json: vocab_size is %u, but the tokenizer has %zu entries, expected no more than that: the "
        "model has no rows for the last %zu",
        model->folder, found->vocab, model->options.vocab, model->options.vocab - found->vocab);
  }
  const int cls_last = model->architecture->form.cls_last;
  if (model->options.vocab > 0 && model->options.cls_last != cls_last) {
    return ad_fail(
        AD_EINPUT,
        "%s: the tokenizer puts %s special token before a text, but a model of the type %s reads the state of "
        "an input's %s token: expected a tokenizer with its class token there",
        model->folder, cls_last ? "a" : "no", model->architecture->model_types[found->variant].name,
        cls_last ? "last" : "first");
  }
  /* A model whose second text has the type of the first has its own way to tell them apart. */
  if (second_type(model) > 0 && model->options.types > found->types) {
    return ad_fail(AD_EINPUT,
                   "%s/config.json: type_vocab_size is %u, expected %u for pairs of texts: the model cannot "
                   "tell the second text from the first",
                   model->folder, found->types, model->options.types);
  }
  return AD_OK;
}

static int open_model(struct ad_model *model) {
  AD_TRY(ad_folder_read_config(model->folder, &model->found));
  model->architecture = ad__architecture(model->found.config.architecture);
  AD_TRY(ad__heads_choose(&model->options, &model->found, &model->rows));
  AD_TRY(check_inputs(model));
  AD_TRY(open_files(model));
  AD_TRY(list_entries(model));
  AD_TRY(check_strangers(model));
  AD_TRY(make_table(model));
  model->params.form.second_type = second_type(model);
  AD_TRY(match_parameters(model));
  AD_TRY(model->options.masked_lm && model->report.head_loaded ? ad__vocabulary_check_copies(model) : AD_OK);
  return list_ignored(model);
}

/* ---- The public calls ---- */

void ad_model_report_destroy(struct ad_model_report *report) {
  ad_names_destroy(&report->drawn);
  ad_names_destroy(&report->ignored);
  ad_names_destroy(&report->class_names);
  ad_names_destroy(&report->unknown);
  *report = (struct ad_model_report){0};
}

int ad_model_open(struct ad_model **out, const char *folder, const struct ad_model_options *options) {
  *out = NULL;
  if (options->head != AD_HEAD_REQUIRE && !options->masked_lm &&
      options->classes < ad__least_logits(options->problem_type)) {
    return ad_fail(AD_ECONFIG, "model: %u classes, expected at least %zu", options->classes,
                   ad__least_logits(options->problem_type));
  }
  struct ad_model *model = ad_calloc(1, sizeof *model);
  if (model == NULL) {
    return ad_fail_memory(sizeof *model, "a model folder");
  }
  model->options = *options;
  model->folder = ad_strdup(folder);
  const int status = model->folder == NULL ? ad_fail_memory(strlen(folder) + 1, "a path") : open_model(model);
  if (status != AD_OK) {
    ad_model_close(model);
    return status;
  }
  model->options.class_names = NULL; /* the caller's, no longer needed */
  *out = model;
  return AD_OK;
}

void ad_model_close(struct ad_model *model) {
  if (model == NULL) {
    return;
  }
  for (size_t i = 0; i < model->entry_count; i++) {
    ad_free(model->entries[i].name);
  }
  ad_free(model->entries);
  for (size_t i = 0; i < model->file_count; i++) {
    ad_safetensors_close(&model->files[i]);
  }
  ad_free(model->files);
  ad_names_destroy(&model->found.class_names);
  ad_names_destroy(&model->found.unknown);
  ad_model_report_destroy(&model->report);
  ad_params_destroy(&model->params);
  ad_free(model->folder);
  ad_free(model);
}

const struct ad_params *ad_model_params(const struct ad_model *model) {
  return &model->params;
}

const struct ad_model_report *ad_model_get_report(const struct ad_model *model) {
  return &model->report;
}

size_t ad_first_not_finite(const float *values, size_t count) {
  size_t i = 0;
  while (i < count && isfinite(values[i])) {
    i++;
  }
  return i;
}

int ad_model_read_tensor(const struct ad_model *model, size_t index, float *values) {
  const struct ad_tensor *tensor = &model->params.tensors[index];
  if (is_drawn(model, tensor)) {
    return ad_fail(AD_EINTERNAL, "%s: tensor %s is not in the files", model->folder, tensor->name);
  }
  const struct ad__entry *entry = ad__parameter_entry(model, tensor->name);
  AD_TRY(ad__heads_cut(&model->rows, model->architecture, tensor)
             ? ad__heads_read_rows(entry->file, entry->tensor, &model->rows, values)
             : ad_safetensors_convert(entry->file, entry->tensor, values));
  const size_t bad = ad_first_not_finite(values, tensor->count);
  if (bad < tensor->count) {
    return ad_fail(AD_EINPUT, "%s: tensor %s: element %zu is %s, expected a finite number", entry->file->name,
                   entry->tensor->name, bad, isnan(values[bad]) ? "NaN" : "infinite");
  }
  return AD_OK;
}

int ad_model_read(const struct ad_model *model, float *theta) {
  for (size_t i = 0; i < model->params.tensor_count; i++) {
    const struct ad_tensor *tensor = &model->params.tensors[i];
    if (is_drawn(model, tensor)) {
      ad_params_draw(&model->params, i, model->options.seed_init, theta);
    } else {
      AD_TRY(ad_model_read_tensor(model, i, theta + tensor->offset));
    }
  }
  return AD_OK;
}

int ad_model_load(const char *folder, const struct ad_model_options *options, struct ad_params *params, float **theta,
                  struct ad_model_report *report) {
  *params = (struct ad_params){0};
  *theta = NULL;
  struct ad_model *model;
  AD_TRY(ad_model_open(&model, folder, options));
  float *values = ad_malloc(model->params.count, sizeof *values);
  const int status = values == NULL
                         ? ad_fail_memory((unsigned long long)model->params.count * sizeof *values, "the parameters")
                         : ad_model_read(model, values);
  if (status == AD_OK) {
    *theta = values;
    *params = model->params;
    model->params = (struct ad_params){0};
    if (report != NULL) {
      *report = model->report;
      model->report = (struct ad_model_report){0};
    }
  } else {
    ad_free(values);
  }
  ad_model_close(model);
  return status;
}

int ad_model_draw(const struct ad_model_config *config, uint64_t seed, struct ad_params *params, float **theta) {
  *theta = NULL;
  AD_TRY(ad_params_create(params, config));
  float *values = ad_malloc(params->count, sizeof *values);
  if (values == NULL) {
    const unsigned long long bytes = (unsigned long long)params->count * sizeof *values;
    ad_params_destroy(params);
    return ad_fail_memory(bytes, "the parameters");
  }
  for (size_t i = 0; i < params->tensor_count; i++) {
    ad_params_draw(params, i, seed, values);
  }
  *theta = values;
  return AD_OK;
}
