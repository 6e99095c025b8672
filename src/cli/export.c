/* autodidact export: the result of a run as a Hugging Face folder of its own, its log as TensorBoard reads it. */
#include "arguments.h"
#include "autodidact/base/log.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/run/session.h"
#include "autodidact/store/events.h"
#include "autodidact/store/run.h"
#include "commands.h"

static int export_run(struct ad_session *s, const char *run, const char *model, const char *task, const char *out) {
  AD_TRY(ad_session_open_run(s, run));
  const struct ad_session_data_options where = {.optional = 1, .task = task};
  AD_TRY(ad_session_open_data(s, run, &where));
  AD_TRY(ad_session_load_result(s, run, model));
  AD_TRY(s->inputs.found ? ad_session_check_classes(s, run, &s->descriptor) : AD_OK);
  AD_TRY(ad_model_save(out, 0, &s->params, s->theta, s->tokenizer, (const char *const *)s->report.class_names.items));
  ad_log(AD_LOG_INFO, "%s: config.json, model.safetensors and the tokenizer's files written%s", out,
         s->config.train_precision == AD_PRECISION_BFLOAT16 ? "; float32 values, trained in bfloat16" : "");
  return AD_OK;
}

static int export_model(const char *run, const char *model, const char *task, const char *out) {
  struct ad_session session;
  AD_TRY(ad_session_create(&session, NULL));
  const int status = export_run(&session, run, model, task, out);
  ad_session_destroy(&session);
  return status;
}

static int export_log(const char *run, const char *folder) {
  size_t steps, evaluations, damaged;
  AD_TRY(ad_events_export(run, folder, &steps, &evaluations, &damaged));
  ad_log(AD_LOG_INFO, "%s: %zu steps and %zu evaluations written as events: tensorboard --logdir %s", ad_shown(folder),
         steps, evaluations, ad_shown(folder));
  if (damaged > 0) {
    ad_log(AD_LOG_WARNING, "%s: %zu rows of its log cannot be read, and are left out", ad_shown(run), damaged);
  }
  return AD_OK;
}

int ad_command_export(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  const char *out = NULL, *model = NULL, *task = NULL, *tensorboard = NULL;
  size_t count;
  int help;
  const struct argument options[] = {
      {"out", "DIR", "Folder for the model; it must not exist, or be empty", NULL, &out},
      {"model", "NAME", help_model, NULL, &model},
      {"task", "NAME", help_task, NULL, &task},
      {"tensorboard", "DIR",
       "Folder for an event file with the run's log, finished or not: loss, gradient norm, learning rate, scores. One "
       "folder a run; `tensorboard --logdir` takes the folder around them",
       NULL, &tensorboard}};
  const struct arguments arguments = {"export",
                                      "RUN --out DIR | RUN --tensorboard DIR",
                                      "Writes the result of a finished run as a Hugging Face folder (config.json, "
                                      "model.safetensors, tokenizer), or the "
                                      "log of a run as TensorBoard reads it.",
                                      options,
                                      sizeof options / sizeof *options,
                                      0,
                                      1};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  if (count == 0 || (out == NULL && tensorboard == NULL)) {
    return ad_fail(AD_ECONFIG, "export: %s is missing; usage: autodidact export RUN --out DIR, or --tensorboard DIR",
                   count == 0 ? "the run" : "--out");
  }
  if ((model != NULL || task != NULL) && out == NULL) {
    return ad_fail(AD_ECONFIG, "export: --%s is for --out: the log has all that was evaluated",
                   model != NULL ? "model" : "task");
  }
  AD_TRY(out == NULL ? AD_OK : export_model(argv[1], model, task, out));
  return tensorboard == NULL ? AD_OK : export_log(argv[1], tensorboard);
}
