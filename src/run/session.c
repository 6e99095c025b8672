#include "autodidact/run/session.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/machine.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/joint.h"
#include "autodidact/run/model_name.h"
#include "autodidact/store/run_files.h"
#include "detected.h"

int ad_session_create(struct ad_session *session, const struct ad_math *math) {
  *session = (struct ad_session){.math = math};
  return ad_config_create(&session->config);
}

void ad_session_destroy(struct ad_session *session) {
  ad_file_unmap(&session->input);
  ad_model_report_destroy(&session->report);
  ad_free(session->theta);
  ad_params_destroy(&session->params);
  ad_tokenizer_destroy(session->tokenizer);
  ad_descriptor_destroy(&session->descriptor);
  ad_run_inputs_destroy(&session->inputs);
  ad_config_destroy(&session->config);
  ad_buffer_destroy(&session->told);
  *session = (struct ad_session){0};
}

/* A path from the file's own folder, where nothing is there in the current one; appended. */
static int place_path(const char *own, const char *path, size_t size, struct ad_buffer *out) {
  char *item = ad_strndup(path, size), *beside = item == NULL ? NULL : ad_path_join(own, item);
  int status = beside == NULL ? ad_fail_memory(size, "a path") : AD_OK;
  if (status == AD_OK) {
    const int here = size == 0 || item[0] == '/' || access(item, F_OK) == 0 || access(beside, F_OK) != 0;
    status = ad_buffer_puts(out, here ? item : beside);
  }
  ad_free(item);
  ad_free(beside);
  return status;
}

/* The paths of a key, which may be a list. */
static int place_list(struct ad_config *config, const char *file, const char *own, const char *key) {
  struct ad_buffer value = {0}, placed = {0};
  int status = ad_config_get(config, key, &value);
  status = status == AD_OK ? ad_buffer_puts(&placed, "") : status;
  const int list = ad_config_is_list(key) && ad_config_has_sets(config);
  for (const char *p = value.data; status == AD_OK && value.size > 0;) {
    const size_t size = list ? strcspn(p, ",") : strlen(p);
    status = place_path(own, p, size, &placed);
    p += size;
    if (*p == '\0') {
      break;
    }
    p++;
    status = status == AD_OK ? ad_buffer_puts(&placed, ",") : status;
  }
  if (status == AD_OK && value.size > 0 && strcmp(value.data, placed.data) != 0) {
    status = ad_config_set(config, file, key, placed.data);
  }
  ad_buffer_destroy(&value);
  ad_buffer_destroy(&placed);
  return status;
}

/* Paths of a configuration file from its own folder, where nothing is there in the current one. */
static int place_paths(struct ad_config *config, const char *file) {
  char *own = ad_path_folder(file);
  int status = own == NULL ? ad_fail_memory(strlen(file), "a path") : AD_OK;
  for (size_t i = 0; status == AD_OK && ad_config_key(i) != NULL; i++) {
    const char *key = ad_config_key(i);
    status = ad_config_role(key) == AD_ROLE_INPUT ? place_list(config, file, own, key) : AD_OK;
  }
  ad_free(own);
  return status;
}

int ad_session_configure(struct ad_session *session, size_t count, char *const *positional) {
  if (count > 0 && ad_is_folder(positional[0])) {
    return ad_fail(AD_ECONFIG, "%s: expected a configuration file, found a folder; that of a run is its %s",
                   positional[0], AD_RUN_FILE_CONFIG);
  }
  const size_t files = count > 0 && (strchr(positional[0], '=') == NULL || ad_is_file(positional[0]));
  if (files > 0) {
    session->file = positional[0];
    AD_TRY(ad_config_read(&session->config, positional[0]));
    AD_TRY(place_paths(&session->config, positional[0]));
  }
  for (size_t i = files; i < count; i++) {
    AD_TRY(ad_config_override(&session->config, positional[i]));
  }
  return ad__session_name_run(&session->config);
}

const char *ad_session_datasets(void) {
  const char *named = getenv("AUTODIDACT_DATASETS");
  if (named != NULL && named[0] != '\0') {
    return named;
  }
  /* Of a program in a prefix that was moved, and of one that uses the libraries of one that was not. */
  static char beside[PATH_MAX + sizeof AD_DATASETS_FROM_BIN];
  snprintf(beside, sizeof beside, "%s", ad_machine_program());
  char *slash = strrchr(beside, '/');
  if (slash != NULL) {
    memcpy(slash + 1, AD_DATASETS_FROM_BIN, sizeof AD_DATASETS_FROM_BIN);
  }
  return slash != NULL && ad_is_folder(beside) ? beside
         : ad_is_folder(AD_INSTALLED_DATASETS) ? AD_INSTALLED_DATASETS
                                               : AD_SOURCE_DATASETS;
}

int ad_session_load_descriptor(struct ad_session *session) {
  const struct ad_config *c = &session->config;
  const struct ad_detect_columns *asked = &session->columns;
  if (c->data_descriptor[0] == '\0' && c->data_train[0] == '\0') {
    return ad_fail(
        AD_ECONFIG,
        "no data: expected a file of texts and labels (data.train, or --train FILE), or data.descriptor, the "
        "name or path of a dataset descriptor, for example wordnet-nouns");
  }
  if (c->data_descriptor[0] == '\0') {
    return ad_session_detect(session);
  }
  if (asked->text != NULL || asked->pair != NULL || asked->label != NULL) {
    return ad_fail(AD_ECONFIG,
                   "--text, --pair and --label are for files without a descriptor: expected them as `columns` in %s",
                   c->data_descriptor);
  }
  AD_TRY(ad_descriptor_configure(&session->descriptor, c, ad_session_datasets()));
  return ad_descriptor_complete(&session->descriptor, c->data_folder, ad_split_file(c, AD_SPLIT_TRAIN));
}

int ad_session_hold_out(struct ad_session *session) {
  const uint64_t rows = session->config.data_hold_out;
  return rows > 0 ? ad_descriptor_hold_out(&session->descriptor, rows, 0) : AD_OK;
}

int ad_session_load_tokenizer(struct ad_session *session, const char *model_folder) {
  const struct ad_config *c = &session->config;
  AD_TRY(model_folder == NULL ? ad_model_name_resolve(&session->config) : AD_OK);
  if (model_folder != NULL || c->model_path[0] != '\0') {
    const char *folder = model_folder != NULL ? model_folder : c->model_path;
    AD_TRY(ad_tokenizer_load(&session->tokenizer, folder));
    if (ad_tokenizer_specials(session->tokenizer) == 0) {
      return ad_fail(AD_EINPUT,
                     "%s: the tokenizer puts no special token around a text, expected one for the classifier", folder);
    }
    const size_t longest = ad_tokenizer_longest(session->tokenizer);
    if (model_folder == NULL && longest > 0 && longest < c->data_max_tokens) {
      ad_log(AD_LOG_WARNING, "%s/tokenizer_config.json: \"model_max_length\" is %zu, but data.max_tokens is %" PRIu64,
             folder, longest, c->data_max_tokens);
    }
    return AD_OK;
  }
  if (c->model_vocab[0] == '\0') {
    return ad_fail(AD_ECONFIG,
                   "neither model.path (a pretrained encoder) nor model.vocab (the vocabulary of a new one) is set");
  }
  struct ad_buffer text = {0};
  int status = ad_file_read(c->model_vocab, &text);
  if (status == AD_OK) {
    status = ad_tokenizer_create(&session->tokenizer, c->model_vocab, text.data == NULL ? "" : text.data, text.size,
                                 c->model_cased);
  }
  ad_buffer_destroy(&text);
  return status;
}

static int draw_encoder(struct ad_session *session) {
  const struct ad_config *c = &session->config;
  const float dropout = c->model_dropout < 0.0 ? 0.1f : (float)c->model_dropout;
  const struct ad_model_config model = {.hidden = (uint32_t)c->model_hidden,
                                        .heads = (uint32_t)c->model_heads,
                                        .ffn = (uint32_t)c->model_ffn,
                                        .layers = (uint32_t)c->model_layers,
                                        .vocab = (uint32_t)ad_tokenizer_vocab(session->tokenizer),
                                        .positions = (uint32_t)c->model_positions,
                                        .types = 2,
                                        .classes = (uint32_t)session->descriptor.class_count,
                                        .layer_norm_eps = 1e-12f,
                                        .hidden_dropout = dropout,
                                        .attention_dropout = dropout,
                                        .classifier_dropout = dropout,
                                        .activation = AD_ACTIVATION_GELU_ERF,
                                        .classifier = c->model_classifier,
                                        .cased = c->model_cased,
                                        .masked_lm = ad_task_hides(session->descriptor.task),
                                        .problem_type = session->descriptor.task->problem_type,
                                        .tasks = session->descriptor.task->heads};
  return ad_model_draw(&model, c->seed_init, &session->params, &session->theta);
}

/* How many kinds of segments the data have; 0 where no descriptor says. */
static uint32_t segment_types(const struct ad_session *session) {
  return ad_descriptor_pairs(&session->descriptor) ? 2 : 0;
}

/* Whether a descriptor asks for a masked language model. */
static int hides_tokens(const struct ad_session *session) {
  return session->descriptor.task != NULL && ad_task_hides(session->descriptor.task);
}

/* What a training asks of the folder of model.path; the tokenizer's part where there is one yet. */
static struct ad_model_options base_options(const struct ad_session *session) {
  const struct ad_config *c = &session->config;
  const struct ad_tokenizer *tokenizer = session->tokenizer;
  return (struct ad_model_options){.classes = (uint32_t)session->descriptor.class_count,
                                   .problem_type = session->descriptor.task->problem_type,
                                   .classifier = c->model_classifier,
                                   .class_names = (const char *const *)session->descriptor.classes,
                                   .head = c->model_head,
                                   .tasks = session->descriptor.task->heads,
                                   .task = session->descriptor.set_count > 0 ? NULL : session->descriptor.name,
                                   .seed_init = c->seed_init,
                                   .vocab = tokenizer == NULL ? 0 : ad_tokenizer_vocab(tokenizer),
                                   .types = segment_types(session),
                                   .cls_last = tokenizer != NULL && ad_tokenizer_cls_last(tokenizer),
                                   .one_type = tokenizer != NULL && ad_tokenizer_one_type(tokenizer),
                                   .cased = tokenizer != NULL && ad_tokenizer_cased(tokenizer),
                                   .masked_lm = hides_tokens(session)};
}

int ad_session_open_base(const struct ad_session *session, struct ad_model **model) {
  const struct ad_model_options options = base_options(session);
  return ad_model_open(model, session->config.model_path, &options);
}

int ad_session_describe_head(const char *folder, const struct ad_model_config *model,
                             const struct ad_model_report *report, struct ad_buffer *text) {
  const char *head = model->masked_lm ? "masked-language head" : "classifier";
  if (folder[0] == '\0') {
    return ad_buffer_printf(text, "encoder and %s are drawn from seed.init: model.path is empty", head);
  }
  return report->head_loaded ? ad_buffer_printf(text, "the %s is that of %s: %s", head, folder, report->head_note)
                             : ad_buffer_printf(text, "the %s is drawn from seed.init, not taken from %s: %s", head,
                                                folder, report->head_note);
}

int ad_session_warn_keys(const char *folder, const struct ad_model_report *report) {
  struct ad_buffer list = {0};
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && i < report->unknown.count; i++) {
    status = ad_buffer_printf(&list, "%s\"%s\"", i == 0 ? "" : ", ", report->unknown.items[i]);
  }
  if (status == AD_OK && list.size > 0) {
    ad_log(AD_LOG_WARNING, "%s/config.json: not known here, and without effect: %s", folder, list.data);
  }
  ad_buffer_destroy(&list);
  return status;
}

int ad_session_load_base(struct ad_session *session) {
  const struct ad_config *c = &session->config;
  if (c->model_path[0] == '\0') {
    return draw_encoder(session);
  }
  const struct ad_model_options options = base_options(session);
  AD_TRY(ad_model_load(c->model_path, &options, &session->params, &session->theta, &session->report));
  if (c->model_dropout >= 0.0) {
    session->params.config.hidden_dropout = (float)c->model_dropout;
    session->params.config.attention_dropout = (float)c->model_dropout;
    session->params.config.classifier_dropout = (float)c->model_dropout;
  }
  return AD_OK;
}

int ad_session_is_masked_lm(const char *folder, int *masked) {
  char *path = ad_path_join(folder, "config.json");
  struct ad_model_config config = {0};
  struct ad_names names = {0};
  int status = path == NULL ? ad_fail_memory(strlen(folder) + 16, "a path") : AD_OK;
  *masked = 0;
  if (status == AD_OK && ad_is_file(path)) {
    status = ad_model_read_config(folder, &config, &names);
    *masked = config.masked_lm;
  }
  ad_names_destroy(&names);
  ad_free(path);
  return status;
}

int ad_session_load_classifier(struct ad_session *session, const char *model_folder) {
  int masked;
  AD_TRY(ad_session_is_masked_lm(model_folder, &masked));
  const struct ad_model_options options = {.head = AD_HEAD_REQUIRE,
                                           .task = session->task,
                                           .vocab = ad_tokenizer_vocab(session->tokenizer),
                                           .types = segment_types(session),
                                           .cls_last = ad_tokenizer_cls_last(session->tokenizer),
                                           .one_type = ad_tokenizer_one_type(session->tokenizer),
                                           .cased = ad_tokenizer_cased(session->tokenizer),
                                           .masked_lm = masked};
  AD_TRY(ad_model_load(model_folder, &options, &session->params, &session->theta, &session->report));
  return ad_session_warn_keys(model_folder, &session->report);
}

/* subset: only the examples that the configuration trains on. */
static struct ad_read_options read_options(const struct ad_config *c, const char *file, int labels, int subset) {
  return (struct ad_read_options){.folder = c->data_folder,
                                  .file = file,
                                  .limit = c->data_max_tokens,
                                  .truncation = c->data_truncation,
                                  .rows = subset ? c->data_train_rows : 0,
                                  .per_class = subset ? c->data_per_class : 0,
                                  .labels = labels,
                                  .cache = c->data_cache};
}

int ad_session_read(struct ad_session *session, enum ad_split split, const char *file, int labels,
                    struct ad_dataset *data) {
  const char *own = session->descriptor.set_count > 0 ? NULL : file; /* several data sets have theirs */
  const struct ad_read_options options = read_options(&session->config, own, labels, split == AD_SPLIT_TRAIN);
  return ad_dataset_read(data, &session->descriptor, split, &options, session->tokenizer);
}

/* What --data names: the split whose layout it has, and how it is read. Its bytes are the session's. */
static enum ad_split find_named(const struct ad_session *session, const char *name, int labels,
                                struct ad_read_options *options) {
  const struct ad_descriptor *d = &session->descriptor;
  const enum ad_split split = ad_split_find(name);
  if (split < AD_SPLITS) {
    *options = read_options(&session->config, NULL, labels, split == AD_SPLIT_TRAIN);
    options->every_row = !labels;
    return split;
  }
  /* Another file is read whole, though it may have the layout of train. */
  *options = read_options(&session->config, name, labels, 0);
  options->every_row = !labels;
  return ad_descriptor_has(d, AD_SPLIT_TEST) && (!labels || d->source[AD_SPLIT_TEST].labelled) ? AD_SPLIT_TEST
         : ad_descriptor_has(d, AD_SPLIT_DEV)                                                  ? AD_SPLIT_DEV
                                                                                               : AD_SPLIT_TRAIN;
}

/* Lets a file be read from the session's memory. */
static void use_input(const struct ad_session *session, struct ad_read_options *options) {
  if (session->input_name != NULL) {
    options->file = session->input_name;
    options->content = &session->input;
  }
}

int ad_session_read_named(struct ad_session *session, const char *name, int labels, struct ad_dataset *data) {
  struct ad_read_options options;
  const enum ad_split split = find_named(session, name, labels, &options);
  if (options.file != NULL && session->descriptor.source[split].format != AD_FORMAT_FOLDER) {
    AD_TRY(ad_session_open_input(session, name));
    use_input(session, &options);
  }
  AD_TRY(ad_dataset_read(data, &session->descriptor, split, &options, session->tokenizer));
  if (options.file == NULL) {
    ad_session_tell_changed_data(session, split, data);
  }
  return AD_OK;
}

const struct ad_source *ad_session_named_source(const struct ad_session *session, const char *name) {
  struct ad_read_options options;
  return &session->descriptor.source[find_named(session, name, 0, &options)];
}

int ad_session_open_columns(const struct ad_session *session, const char *name, struct ad_columns_reader **columns) {
  struct ad_read_options options;
  const enum ad_split split = find_named(session, name, 0, &options);
  use_input(session, &options);
  return ad_columns_open(columns, &session->descriptor, split, &options);
}

struct ad_teacher_settings ad_session_teacher(const struct ad_config *c) {
  return (struct ad_teacher_settings){.method = c->teacher_method,
                                      .window = c->teacher_window,
                                      .every = c->teacher_every,
                                      .lag = (int)c->teacher_lag,
                                      .weight = c->teacher_weight,
                                      .ramp = c->teacher_ramp,
                                      .start = c->teacher_start,
                                      .dropout = c->teacher_dropout,
                                      .decay = c->teacher_decay,
                                      .means = c->eval_means};
}
