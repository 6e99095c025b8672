/* autodidact data: what training will see. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/data/survey.h"
#include "commands.h"
#include "shorthand.h"

static int report_split(struct ad_session *s, enum ad_split split, struct ad_dataset *data) {
  const char *file = ad_split_file(&s->config, split);
  if (file == NULL && !ad_descriptor_has(&s->descriptor, split)) {
    return AD_OK;
  }
  AD_TRY(ad_session_read(s, split, file, file != NULL || s->descriptor.source[split].labelled, data));
  return ad_dataset_report(stdout, &s->descriptor, split, data);
}

static int report_set(struct ad_session *s) {
  struct ad_dataset data[AD_SPLITS] = {{0}};
  struct ad_survey survey[AD_SPLITS];
  struct ad_buffer text = {0};
  int status = AD_OK;
  for (enum ad_split split = 0; status == AD_OK && split < AD_SPLITS; split++) {
    status = report_split(s, split, &data[split]);
  }
  status = status == AD_OK ? ad_survey_make(data, s->tokenizer, survey) : status;
  status = status == AD_OK ? ad_survey_report(&s->descriptor, data, survey, &text) : status;
  if (status == AD_OK) {
    fputs(text.data, stdout);
  }
  ad_buffer_destroy(&text);
  for (enum ad_split split = 0; split < AD_SPLITS; split++) {
    ad_dataset_destroy(&data[split]);
  }
  return status;
}

/* One data set after the other. Each has by then what the lists of the configuration say of it. */
static int report_sets(struct ad_session *s) {
  for (size_t i = 0; ad_config_key(i) != NULL; i++) {
    const char *key = ad_config_key(i);
    AD_TRY(ad_config_is_list(key) ? ad_config_set_default(&s->config, key, "") : AD_OK);
  }
  struct ad_descriptor all = s->descriptor;
  int status = AD_OK;
  for (size_t k = 0; k < all.set_count && status == AD_OK; k++) {
    s->descriptor = all.sets[k];
    status = report_set(s);
    all.sets[k] = s->descriptor;
  }
  s->descriptor = all;
  return status;
}

static int report(struct ad_session *s) {
  AD_TRY(shorthand_load(s, s->config.data_descriptor[0] != '\0'));
  if (s->told.size > 0) {
    fputs(s->told.data, stdout);
  }
  if (s->tokenizer == NULL) {
    puts("with --model DIR: lengths in tokens, unknown tokens, repeated texts");
    return AD_OK;
  }
  return s->descriptor.set_count > 0 ? report_sets(s) : report_set(s);
}

/* Writes a descriptor of the data to a new file. */
static int write_descriptor(struct ad_session *s, const char *path) {
  struct ad_buffer text = {0};
  if (s->config.data_descriptor[0] != '\0') {
    return ad_fail(AD_ECONFIG, "data: --write makes a descriptor; data.descriptor is %s already",
                   s->config.data_descriptor);
  }
  if (ad_is_file(path) || ad_is_folder(path)) {
    return ad_fail(AD_ECONFIG, "%s: it is there already; expected the name of a new file", path);
  }
  char *folder = ad_path_folder(path);
  int status = folder == NULL ? ad_fail_memory(strlen(path), "a path") : AD_OK;
  status = status == AD_OK ? ad_session_detect_text(s, folder, &text) : status;
  status = status == AD_OK ? ad_file_write(path, text.data, text.size) : status;
  if (status == AD_OK) {
    const char *name = ad_shown(path);
    printf("%swritten to %s; next: autodidact train data.descriptor=%s%s --model DIR --out DIR\n", s->told.data, name,
           strchr(path, '/') == NULL ? "./" : "", name);
  }
  ad_free(folder);
  ad_buffer_destroy(&text);
  return status;
}

int ad_command_data(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  struct ad_session session = {0};
  struct shorthand shorthand = {0};
  const char *write = NULL;
  int given;
  struct argument options[SHORTHAND_OPTIONS + 1];
  shorthand_options(&shorthand, options);
  options[SHORTHAND_OPTIONS] = (struct argument){
      "write", "FILE.yaml", "Write what was found as a descriptor, to be edited; read no further", NULL, &write};
  const struct arguments arguments = {"data",
                                      "[CONFIG.yaml|FILE] [key=value ...]",
                                      "Reads every split as train would and prints what it found: rows, classes, token "
                                      "lengths, truncated and skipped rows, digests. Says whether that is what the "
                                      "descriptor expects, and warns of what often goes wrong. FILE is a table or JSON "
                                      "lines without a descriptor.",
                                      options,
                                      sizeof options / sizeof *options,
                                      0,
                                      SIZE_MAX};
  int status = shorthand_configure(&arguments, &shorthand, argc, argv, &session, &given);
  if (status == AD_OK && given) {
    status = write != NULL ? write_descriptor(&session, write) : report(&session);
  }
  ad_session_destroy(&session);
  return status;
}
