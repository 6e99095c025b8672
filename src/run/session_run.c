/* A run as eval, predict, export and studies use it: its model, its descriptor, its data. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/joint.h"
#include "autodidact/learn/teacher.h"
#include "autodidact/run/session.h"
#include "autodidact/store/run.h"
#include "autodidact/store/run_files.h"
#include "autodidact/task/heads.h"

int ad_session_open_any_run(struct ad_session *session, const char *run) {
  AD_TRY(ad_run_config(run, &session->config));
  char *result = ad_path_join(run, AD_RUN_FILE_RESULT);
  if (result == NULL) {
    return ad_fail_memory(strlen(run) + 16, "a path");
  }
  session->unfinished = !ad_is_file(result);
  ad_free(result);
  return AD_OK;
}

int ad_session_open_run(struct ad_session *session, const char *run) {
  AD_TRY(ad_session_open_any_run(session, run));
  return session->unfinished
             ? ad_fail(AD_EINPUT,
                       "%s: the run is not complete: it has no result.json; its train command, given again, ends it",
                       run)
             : AD_OK;
}

int ad_session_choose_precision(struct ad_session *session, const char *name) {
  static const char *const names[] = {AD_SET_precision(AD_SET_NAME)};
  const enum ad_precision trained = session->config.train_precision;
  AD_TRY(name == NULL ? AD_OK : ad_config_set(&session->config, "--precision", "train.precision", name));
  const enum ad_precision chosen = session->config.train_precision;
  if (trained != AD_PRECISION_FLOAT32 || chosen != AD_PRECISION_FLOAT32) {
    ad_log(AD_LOG_INFO, "computed in %s, trained in %s", names[chosen], names[trained]);
  }
  return AD_OK;
}

/* Tells what has changed in the descriptor since, and refuses what it must. */
static int judge_changes(const struct ad_session *session, const char *run,
                         const struct ad_session_data_options *options) {
  struct ad_buffer changes = {0};
  const char *path = session->inputs.descriptor != NULL ? session->inputs.descriptor : session->descriptor.name;
  unsigned kinds;
  int there, status = ad_run_inputs_changes(&session->inputs, session->config.data_task, &session->descriptor, &there,
                                            &changes, &kinds);
  if (status == AD_OK && (kinds & options->refused) != 0 && !options->own) {
    status = ad_fail(AD_EINPUT,
                     "%s: %s has changed since the training: %s; restore it, or go by the run's own descriptor with "
                     "--own-descriptor",
                     run, path, changes.data);
  } else if (status == AD_OK && (kinds & ~(unsigned)AD_CHANGED_ABOUT) != 0) {
    ad_log(AD_LOG_WARNING, "%s: %s has changed since the training: %s; the run's own descriptor is used", run, path,
           changes.data);
  }
  ad_buffer_destroy(&changes);
  return status;
}

/* One of a run's tasks: descriptor, inputs and configuration become its own. */
static int choose_task(struct ad_session *session, const char *run, const char *task) {
  struct ad_run_inputs *inputs = &session->inputs;
  const struct ad_descriptor *d = &session->descriptor;
  const size_t k = d->set_count > 0 ? ad_heads_find(d->task->heads, task) : 0;
  const int several = d->set_count > 0;
  const int status = ad_descriptor_choose(&session->descriptor, task);
  AD_TRY(status == AD_OK ? AD_OK : ad_fail_prefix(status, "%s", run));
  if (!several) {
    return AD_OK;
  }
  session->task = session->descriptor.name;
  if (k < inputs->set_count) {
    char *model = inputs->model;
    const struct ad_run_inputs chosen = inputs->sets[k];
    inputs->sets[k] = (struct ad_run_inputs){0};
    inputs->model = NULL;
    ad_run_inputs_destroy(inputs);
    *inputs = chosen;
    inputs->model = model;
    inputs->found = 1;
  }
  for (size_t i = 0; ad_config_key(i) != NULL; i++) {
    const int list = ad_config_is_list(ad_config_key(i)); /* its files are known */
    AD_TRY(list ? ad_config_set(&session->config, run, ad_config_key(i), "") : AD_OK);
  }
  return ad_config_set(&session->config, run, "data.descriptor", session->task);
}

int ad_session_open_data(struct ad_session *session, const char *run, const struct ad_session_data_options *options) {
  struct ad_config *c = &session->config;
  AD_TRY(ad_run_inputs_read(&session->inputs, run));
  if (session->inputs.found) {
    AD_TRY(ad_run_inputs_descriptor(&session->inputs, run, &session->descriptor));
    AD_TRY(judge_changes(session, run, options));
  } else if (options->optional) {
    return AD_OK;
  } else {
    AD_TRY(ad_session_load_descriptor(session));
  }
  AD_TRY(ad_session_hold_out(session));
  /* A cache that is not there is not made by those who only read. */
  if (c->data_cache[0] != '\0' && !ad_is_folder(c->data_cache)) {
    AD_TRY(ad_config_set(c, run, "data.cache", ""));
  }
  AD_TRY(options->task != NULL ? choose_task(session, run, options->task) : AD_OK);
  return ad_run_inputs_place(&session->inputs, c, options->folder, &session->descriptor);
}

void ad_session_tell_changed_data(const struct ad_session *session, enum ad_split split,
                                  const struct ad_dataset *data) {
  const struct ad_source *source = &session->descriptor.source[split];
  const uint64_t was = session->inputs.digest[split];
  const char *name = source->file == NULL ? session->descriptor.name : source->file;
  char now[17], before[17];
  if (was != 0 && was != data->digest) {
    ad_log(AD_LOG_WARNING, "%s: the %s split has the digest %s, had %s when the run read it", name,
           ad_split_name(split), ad_digest_text(data->digest, now), ad_digest_text(was, before));
  } else if (was == 0 && data->whole && source->expected.digest_known && source->expected.digest != data->digest) {
    ad_log(AD_LOG_WARNING, "%s: the %s split has the digest %s, the descriptor expects %s", name, ad_split_name(split),
           ad_digest_text(data->digest, now), ad_digest_text(source->expected.digest, before));
  }
}

/* Which of its parameters a run's result is. */
static int result_of(const char *run, enum ad_variant *result) {
  struct ad_config config;
  AD_TRY(ad_config_create(&config));
  const int status = ad_run_config(run, &config);
  *result = config.run_result;
  ad_config_destroy(&config);
  return status;
}

int ad_session_model_folder(const char *run, const char *variant, char **folder) {
  const enum ad_variant v = ad_variant_find(variant);
  enum ad_variant result;
  char name[AD_RUN_MODEL_NAME];
  AD_TRY(result_of(run, &result));
  if (variant != NULL && v == AD_VARIANTS) {
    char names[AD_CHOICES_TEXT];
    return ad_fail(AD_ECONFIG, "--model is '%s', expected %s", variant,
                   ad_choices_text(AD_SET_CHOICES(variant), names));
  }
  *folder = ad_path_join(run, ad_run_model_name(variant == NULL ? result : v, result, name));
  if (*folder == NULL) {
    return ad_fail_memory(strlen(run) + sizeof name, "a path");
  }
  if (variant != NULL && !ad_is_folder(*folder)) {
    ad_free(*folder);
    *folder = NULL;
    return ad_fail(AD_EINPUT, "%s: it has not kept the parameters '%s' (no %s): its result is the %s", run, variant,
                   name, ad_variant_name(result));
  }
  return AD_OK;
}

int ad_session_load_result(struct ad_session *session, const char *run, const char *variant) {
  char *model;
  if (session->unfinished) {
    return ad_session_load_checkpoint(session, run, variant);
  }
  AD_TRY(ad_session_model_folder(run, variant, &model));
  int status = ad_session_load_tokenizer(session, model);
  if (status == AD_OK) {
    status = ad_session_load_classifier(session, model);
  }
  ad_free(model);
  return status;
}

int ad_session_check_classes(const struct ad_session *session, const char *run,
                             const struct ad_descriptor *descriptor) {
  const size_t classes = session->params.config.classes;
  const struct ad_names *names = &session->report.class_names;
  const struct ad_task *task = descriptor->task;
  const char *found = ad_model_problem(session->params.config.problem_type);
  if (strcmp(found, ad_model_problem(task->problem_type)) != 0) {
    return ad_fail(AD_EINPUT,
                   "%s: the problem_type of its model is %s, expected %s for the task %s of the descriptor %s", run,
                   found, ad_model_problem(task->problem_type), task->name, descriptor->path);
  }
  if (classes != descriptor->class_count) {
    return ad_fail(AD_EINPUT, "%s: its model has %zu %s, expected %zu as the descriptor %s has", run, classes,
                   ad_task_outputs(task, classes), descriptor->class_count, descriptor->path);
  }
  for (size_t c = 0; c < names->count; c++) {
    if (strcmp(names->items[c], descriptor->classes[c]) != 0) {
      return ad_fail(AD_EINPUT, "%s: %s %zu of its model is \"%s\", expected \"%s\" as the descriptor %s has", run,
                     ad_task_outputs(task, 1), c, names->items[c], descriptor->classes[c], descriptor->path);
    }
  }
  return AD_OK;
}
