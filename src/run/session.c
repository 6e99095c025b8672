#include "autodidact/run/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/looks.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"

int ad_session_create(struct ad_session *session, const struct ad_math *math) {
  *session = (struct ad_session){.math = math};
  return ad_config_create(&session->config);
}

void ad_session_destroy(struct ad_session *session) {
  ad_model_report_destroy(&session->report);
  ad_free(session->theta);
  ad_params_destroy(&session->params);
  ad_tokenizer_destroy(session->tokenizer);
  ad_descriptor_destroy(&session->descriptor);
  ad_run_inputs_destroy(&session->inputs);
  ad_config_destroy(&session->config);
  *session = (struct ad_session){0};
}

int ad_session_configure(struct ad_session *session, size_t count, char *const *positional) {
  session->file = positional[0];
  AD_TRY(ad_config_read(&session->config, positional[0]));
  for (size_t i = 1; i < count; i++) {
    AD_TRY(ad_config_override(&session->config, positional[i]));
  }
  return AD_OK;
}

const char *ad_session_datasets(void) {
  const char *named = getenv("AUTODIDACT_DATASETS");
  if (named != NULL && named[0] != '\0') {
    return named;
  }
  return ad_is_folder(AD_INSTALLED_DATASETS) ? AD_INSTALLED_DATASETS : AD_SOURCE_DATASETS;
}

int ad_session_load_descriptor(struct ad_session *session) {
  if (session->config.data_descriptor[0] == '\0') {
    return ad_fail(AD_ECONFIG,
                   "data.descriptor is not set: the name or path of a dataset descriptor, for example wordnet-nouns");
  }
  return ad_descriptor_load(&session->descriptor, session->config.data_descriptor, ad_session_datasets());
}

int ad_session_hold_out(struct ad_session *session) {
  const uint64_t rows = session->config.data_hold_out;
  return rows > 0 ? ad_descriptor_hold_out(&session->descriptor, rows, 0) : AD_OK;
}

int ad_session_load_tokenizer(struct ad_session *session, const char *model_folder) {
  const struct ad_config *c = &session->config;
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
                                        .cased = c->model_cased};
  return ad_model_draw(&model, c->seed_init, &session->params, &session->theta);
}

/* How many kinds of segments the data have; 0 where no descriptor says. */
static uint32_t segment_types(const struct ad_session *session) {
  uint32_t types = 0;
  for (enum ad_split split = 0; split < AD_SPLITS; split++) {
    types = session->descriptor.source[split].pair.count > 0 ? 2 : types;
  }
  return types;
}

/* What a training asks of the folder of model.path; the tokenizer's part where there is one yet. */
static struct ad_model_options base_options(const struct ad_session *session) {
  const struct ad_config *c = &session->config;
  const struct ad_tokenizer *tokenizer = session->tokenizer;
  return (struct ad_model_options){.classes = (uint32_t)session->descriptor.class_count,
                                   .classifier = c->model_classifier,
                                   .class_names = (const char *const *)session->descriptor.classes,
                                   .head = c->model_head,
                                   .seed_init = c->seed_init,
                                   .vocab = tokenizer == NULL ? 0 : ad_tokenizer_vocab(tokenizer),
                                   .types = segment_types(session),
                                   .cls_last = tokenizer != NULL && ad_tokenizer_cls_last(tokenizer),
                                   .one_type = tokenizer != NULL && ad_tokenizer_one_type(tokenizer),
                                   .cased = tokenizer != NULL && ad_tokenizer_cased(tokenizer)};
}

int ad_session_open_base(const struct ad_session *session, struct ad_model **model) {
  const struct ad_model_options options = base_options(session);
  return ad_model_open(model, session->config.model_path, &options);
}

int ad_session_describe_head(const char *folder, const struct ad_model_report *report, struct ad_buffer *text) {
  if (folder[0] == '\0') {
    return ad_buffer_printf(text, "encoder and classifier are drawn from seed.init: model.path is empty");
  }
  return report->head_loaded ? ad_buffer_printf(text, "the classifier is that of %s: %s", folder, report->head_note)
                             : ad_buffer_printf(text, "the classifier is drawn from seed.init, not taken from %s: %s",
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

int ad_session_load_classifier(struct ad_session *session, const char *model_folder) {
  const struct ad_model_options options = {.head = AD_HEAD_REQUIRE,
                                           .vocab = ad_tokenizer_vocab(session->tokenizer),
                                           .types = segment_types(session),
                                           .cls_last = ad_tokenizer_cls_last(session->tokenizer),
                                           .one_type = ad_tokenizer_one_type(session->tokenizer),
                                           .cased = ad_tokenizer_cased(session->tokenizer)};
  AD_TRY(ad_model_load(model_folder, &options, &session->params, &session->theta, &session->report));
  return ad_session_warn_keys(model_folder, &session->report);
}

/* subset: only the examples that the configuration trains on; every_row as in struct ad_read_options. */
static int read_split(struct ad_session *session, enum ad_split split, const char *file, int labels, int subset,
                      int every_row, struct ad_dataset *data) {
  const struct ad_config *c = &session->config;
  const struct ad_read_options options = {.folder = c->data_folder,
                                          .file = file,
                                          .limit = c->data_max_tokens,
                                          .truncation = c->data_truncation,
                                          .rows = subset ? c->data_train_rows : 0,
                                          .per_class = subset ? c->data_per_class : 0,
                                          .labels = labels,
                                          .every_row = every_row,
                                          .cache = c->data_cache};
  return ad_dataset_read(data, &session->descriptor, split, &options, session->tokenizer);
}

int ad_session_read(struct ad_session *session, enum ad_split split, const char *file, int labels,
                    struct ad_dataset *data) {
  return read_split(session, split, file, labels, split == AD_SPLIT_TRAIN, 0, data);
}

int ad_session_read_named(struct ad_session *session, const char *name, int labels, struct ad_dataset *data) {
  const struct ad_descriptor *d = &session->descriptor;
  const enum ad_split split = ad_split_find(name);
  if (split < AD_SPLITS) {
    AD_TRY(read_split(session, split, NULL, labels, split == AD_SPLIT_TRAIN, !labels, data));
    ad_session_tell_changed_data(session, split, data);
    return AD_OK;
  }
  const enum ad_split layout = ad_descriptor_has(d, AD_SPLIT_TEST) && (!labels || d->source[AD_SPLIT_TEST].labelled)
                                   ? AD_SPLIT_TEST
                               : ad_descriptor_has(d, AD_SPLIT_DEV) ? AD_SPLIT_DEV
                                                                    : AD_SPLIT_TRAIN;
  /* Another file is read whole, though it may have the layout of train. */
  return read_split(session, layout, name, labels, 0, !labels, data);
}

/* Appends one line as an example. */
static int add_line(struct ad_dataset *data, size_t *row_capacity, size_t *token_capacity,
                    const struct ad_encoding *e) {
  void *offset = data->offset, *first = data->first, *label = data->label, *ids = data->ids;
  size_t offsets = *row_capacity, firsts = *row_capacity, labels = *row_capacity;
  int status = ad_reserve(&offset, &offsets, data->count + 2, sizeof *data->offset);
  data->offset = offset;
  if (status == AD_OK) {
    status = ad_reserve(&first, &firsts, data->count + 2, sizeof *data->first);
    data->first = first;
  }
  if (status == AD_OK) {
    status = ad_reserve(&label, &labels, data->count + 2, sizeof *data->label);
    data->label = label;
  }
  const size_t used = data->count == 0 ? 0 : data->offset[data->count];
  if (status == AD_OK) {
    status = ad_reserve(&ids, token_capacity, used + e->count, sizeof *data->ids);
    data->ids = ids;
  }
  AD_TRY(status);
  *row_capacity = offsets;
  memcpy(data->ids + used, e->ids, e->count * sizeof *data->ids);
  data->offset[0] = 0;
  data->offset[data->count + 1] = used + e->count;
  data->first[data->count] = (uint32_t)e->first;
  data->label[data->count] = AD_NO_LABEL;
  data->longest = e->count > data->longest ? e->count : data->longest;
  data->truncated += (size_t)e->truncated;
  data->count++;
  return AD_OK;
}

int ad_session_read_lines(struct ad_session *session, const char *path, size_t limit, enum ad_truncation truncation,
                          struct ad_dataset *data) {
  const struct ad_input_form *form = &session->params.form;
  struct ad_file_map map;
  struct ad_encoding encoding = {0};
  size_t row_capacity = 0, token_capacity = 0;
  *data = (struct ad_dataset){.words = 1}; /* none of them is a label */
  AD_TRY(ad_file_map(path, &map));
  data->digest = ad_digest(map.data, map.size);
  int status = ad_looks_refuse(path, map.data, map.size);
  status = status == AD_OK ? ad_utf8_check(path, map.data, map.size) : status;
  for (size_t at = 0, line = 1; status == AD_OK && at < map.size; line++) {
    const char *text = map.data + at;
    const char *newline = memchr(text, '\n', map.size - at);
    size_t size = newline == NULL ? map.size - at : (size_t)(newline - text);
    at += size + 1;
    if (size > 0 && text[size - 1] == '\r') {
      size--;
    }
    const char *tab = memchr(text, '\t', size);
    const size_t first = tab == NULL ? size : (size_t)(tab - text);
    status = tab != NULL && form->second_type > 0 && form->second_type >= session->params.config.types
                 ? ad_fail(AD_EINPUT, "a pair of texts, but type_vocab_size of the model is %u, expected 2 for pairs",
                           session->params.config.types)
                 : ad_tokenizer_encode(session->tokenizer, text, first, tab == NULL ? NULL : tab + 1,
                                       tab == NULL ? 0 : size - first - 1, limit, truncation, &encoding);
    if (status == AD_OK) {
      status = add_line(data, &row_capacity, &token_capacity, &encoding);
    } else {
      status = ad_fail_prefix(status, "%s:%zu", path, line);
    }
  }
  if (status == AD_OK && data->count == 0) {
    status = ad_fail(AD_EINPUT, "%s: no lines, expected one example a line", path);
  }
  ad_encoding_destroy(&encoding);
  status = ad_looks_explain(status, AD_LOOKS_TEXT, path, map.data, map.size);
  ad_file_unmap(&map);
  return status;
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
