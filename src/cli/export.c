/* autodidact export: the result of a run as a Hugging Face folder of its own. */
#include "arguments.h"
#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "autodidact/run/session.h"
#include "autodidact/store/run.h"
#include "commands.h"

static int export_run(struct ad_session *s, const char *run, const char *model, const char *out) {
  AD_TRY(ad_session_open_run(s, run));
  const struct ad_session_data_options where = {.optional = 1};
  AD_TRY(ad_session_load_result(s, run, model));
  AD_TRY(ad_session_open_data(s, run, &where));
  AD_TRY(s->inputs.found ? ad_session_check_classes(s, run, &s->descriptor) : AD_OK);
  AD_TRY(ad_model_save(out, 0, &s->params, s->theta, s->tokenizer, (const char *const *)s->report.class_names.items));
  ad_log(AD_LOG_INFO, "%s: config.json, model.safetensors and the tokenizer's files written%s", out,
         s->config.train_precision == AD_PRECISION_BFLOAT16 ? "; float32 values, trained in bfloat16" : "");
  return AD_OK;
}

int ad_command_export(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  const char *out = NULL, *model = NULL;
  size_t count;
  int help;
  const struct argument options[] = {
      {"out", "DIR", "Folder to make; it must not exist, or be empty (required)", NULL, &out},
      {"model", "NAME", help_model, NULL, &model}};
  const struct arguments arguments = {
      "export",
      "RUN --out DIR",
      "Writes the result of a finished run as a Hugging Face folder (config.json, model.safetensors, tokenizer).",
      options,
      sizeof options / sizeof *options,
      0,
      1};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  if (count == 0 || out == NULL) {
    return ad_fail(AD_ECONFIG, "export: %s is missing; usage: autodidact export RUN --out DIR",
                   count == 0 ? "the run" : "--out");
  }
  struct ad_session session;
  AD_TRY(ad_session_create(&session, NULL));
  const int status = export_run(&session, argv[1], model, out);
  ad_session_destroy(&session);
  return status;
}
