/* Data sets without a descriptor: what is found in the files becomes the descriptor of the training. */
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/run/session.h"
#include "autodidact/store/run_files.h"
#include "detected.h"

/* "NAME" of "folder/NAME.csv". The caller owns it. */
static char *stem_of(const char *path) {
  const char *name = ad_path_name(path), *dot = strrchr(name, '.');
  return ad_strndup(name, dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name));
}

int ad__session_name_run(struct ad_config *config) {
  struct ad_buffer folder = {0};
  if (config->run_dir[0] != '\0' || config->data_train[0] == '\0' || config->data_descriptor[0] != '\0') {
    return AD_OK;
  }
  char *name = stem_of(config->data_train);
  int status = name == NULL ? ad_fail_memory(strlen(config->data_train), "a path") : AD_OK;
  status = status == AD_OK ? ad_buffer_printf(&folder, "runs/%s", name) : status;
  status = status == AD_OK ? ad_config_set_default(config, "run.dir", folder.data) : status;
  ad_buffer_destroy(&folder);
  ad_free(name);
  return status;
}

/* The configuration names the descriptor, which names the files. */
static int name_descriptor(struct ad_session *session, const char *folder, const char *path) {
  struct ad_config *config = &session->config;
  AD_TRY(ad_config_set_default(config, "data.descriptor", path));
  AD_TRY(ad_config_set_default(config, "data.folder", folder));
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    AD_TRY(ad_config_set_default(config, ad_split_key(s), ""));
  }
  return AD_OK;
}

/* A descriptor is called by the name of train's file. */
static int set_name(struct ad_descriptor *descriptor, const char *train) {
  char *name = stem_of(train), *title = ad_strdup(ad_path_name(train));
  ad_free(descriptor->name);
  ad_free(descriptor->title);
  descriptor->name = name;
  descriptor->title = title;
  return name == NULL || title == NULL ? ad_fail_memory(strlen(train), "a descriptor") : AD_OK;
}

static int take(struct ad_session *session, const struct ad_buffer *text, const char *folder) {
  struct ad_config *config = &session->config;
  char *path = ad_path_join(config->run_dir, AD_RUN_FILE_DESCRIPTOR);
  if (path == NULL) {
    return ad_fail_memory(strlen(config->run_dir), "a path");
  }
  int status = ad_descriptor_parse(&session->descriptor, path, text->data, text->size);
  status = status == AD_OK ? set_name(&session->descriptor, config->data_train) : status;
  status = status == AD_OK ? name_descriptor(session, folder, path) : status;
  status = status == AD_OK ? ad_descriptor_complete(&session->descriptor, folder, NULL) : status;
  session->detected = status == AD_OK;
  ad_free(path);
  return status;
}

int ad_session_detect_text(struct ad_session *session, const char *folder, struct ad_buffer *text) {
  const char *task = session->config.data_task;
  struct ad_detect_request request = {
      .folder = folder, .task = ad_task_find(task[0] == '\0' ? NULL : task), .columns = session->columns};
  AD_TRY(request.task == NULL ? ad_task_fail(AD_ECONFIG, "data.task", task) : AD_OK);
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    request.file[s] = ad_split_file(&session->config, s);
  }
  if (request.file[AD_SPLIT_TRAIN] == NULL) {
    return ad_fail(AD_ECONFIG, "no data: expected a file of texts and labels (data.train, or --train FILE)");
  }
  return ad_detect(&request, text, &session->told);
}

int ad_session_detect(struct ad_session *session) {
  struct ad_config *config = &session->config;
  struct ad_buffer text = {0};
  char *folder = ad_path_folder(config->data_train);
  int status = folder == NULL ? ad_fail_memory(strlen(config->data_train), "a path") : AD_OK;
  status = status == AD_OK ? ad_session_detect_text(session, folder, &text) : status;
  status = status == AD_OK ? take(session, &text, folder) : status;
  ad_free(folder);
  ad_buffer_destroy(&text);
  return status;
}

void ad_session_tell_detected(const struct ad_session *session) {
  for (const char *line = session->detected ? session->told.data : NULL; line != NULL && *line != '\0';) {
    const size_t length = strcspn(line, "\n");
    ad_log(AD_LOG_INFO, "%.*s", (int)length, line);
    line += length + (line[length] == '\n');
  }
}
