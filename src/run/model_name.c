#include "autodidact/run/model_name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/machine.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/run/program.h"
#include "autodidact/store/run_files.h"
#include "autodidact/text/tokenizer.h"

/* --- The script. */

/* The folder of launch/get-model: beside the program in an installed tree, wherever that was moved, else the sources'.
 * The caller owns it. */
static int find_script(char **script) {
  char *bin = ad_path_folder(ad_machine_program());
  struct ad_buffer path = {0};
  int status = bin == NULL ? ad_fail_memory(PATH_MAX, "a path")
                           : ad_buffer_printf(&path, "%s/" AD_INSTALLED_LAUNCH "/get-model", bin);
  *script = status != AD_OK ? NULL : ad_strdup(ad_is_file(path.data) ? path.data : AD_SOURCE_LAUNCH "/get-model");
  if (status == AD_OK && *script == NULL) {
    status = ad_fail_memory(path.size, "a path");
  }
  ad_buffer_destroy(&path);
  ad_free(bin);
  return status;
}

/* The environment with the program that the script asks, and without what says that this process is one of several
 * ranks. [n + 2] entries; the array and its first entry are the caller's. */
static char **make_environment(void) {
  static const char *const left_out[] = {"OMPI_", "PMIX_", "PMI_", "SLURM_PROCID=", "AUTODIDACT_PROGRAM="};
  size_t count = 0, kept = 0;
  char own[PATH_MAX + 32];
  snprintf(own, sizeof own, "AUTODIDACT_PROGRAM=%s", ad_machine_program());
  while (environ[count] != NULL) {
    count++;
  }
  char **all = ad_calloc(count + 2, sizeof *all), *first = ad_strdup(own);
  if (all == NULL || first == NULL) {
    ad_free(all);
    ad_free(first);
    return NULL;
  }
  all[kept++] = first;
  for (size_t i = 0; i < count; i++) {
    size_t k = 0;
    while (k < sizeof left_out / sizeof *left_out && strncmp(environ[i], left_out[k], strlen(left_out[k])) != 0) {
      k++;
    }
    if (k == sizeof left_out / sizeof *left_out) {
      all[kept++] = environ[i];
    }
  }
  return all;
}

/* Starts `bash script name` with its standard output into `output`. The first rank's has its own standard error. */
static int spawn(char *script, char *name, int output, pid_t *child) {
  char command[] = "bash", *words[] = {command, script, name, NULL};
  char **environment = make_environment();
  if (environment == NULL) {
    return ad_fail_memory(4096, "an environment");
  }
  posix_spawn_file_actions_t actions;
  int failed = posix_spawn_file_actions_init(&actions);
  if (failed == 0) {
    failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    failed = failed == 0 ? posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) : failed;
    if (failed == 0 && !ad_program_is_first()) {
      failed = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    failed = failed == 0 ? posix_spawnp(child, command, &actions, NULL, words, environment) : failed;
    posix_spawn_file_actions_destroy(&actions);
  }
  ad_free(environment[0]);
  ad_free(environment);
  return failed == 0 ? AD_OK : ad_fail(AD_EIO, "%s: could not be started by bash: %s", script, strerror(failed));
}

/* The script's output without the newline at its end, appended to `out`; *good: it ended with 0. */
static int run(char *script, char *name, struct ad_buffer *out, int *good) {
  pid_t child;
  int ends[2], code = 0;
  char piece[512];
  ssize_t size;
  *good = 0;
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ad_fail(AD_EIO, "%s: no pipe could be made: %s", script, strerror(errno));
  }
  int status = spawn(script, name, ends[1], &child);
  const int started = status == AD_OK;
  ad_ignore(close(ends[1]));
  while (started && ((size = read(ends[0], piece, sizeof piece)) > 0 || (size < 0 && errno == EINTR))) {
    status = status == AD_OK && size > 0 ? ad_buffer_append(out, piece, (size_t)size) : status;
  }
  ad_ignore(close(ends[0]));
  while (started && waitpid(child, &code, 0) < 0 && errno == EINTR) {
  }
  while (out->size > 0 && out->data[out->size - 1] == '\n') {
    out->data[--out->size] = '\0';
  }
  *good = started && WIFEXITED(code) && WEXITSTATUS(code) == 0 && out->size > 0;
  return status;
}

/* --- Names. */

static int is_listed(const char *script, const char *name) {
  char *folder = ad_path_folder(script), *table = folder == NULL ? NULL : ad_path_join(folder, "models.txt");
  struct ad_buffer text = {0};
  int found = 0;
  if (table != NULL && ad_file_read(table, &text) == AD_OK) {
    for (const char *line = text.data; line != NULL && !found; line = strchr(line, '\n')) {
      line += *line == '\n';
      const size_t length = strlen(name);
      found = strncmp(line, name, length) == 0 && (line[length] == ' ' || line[length] == '\t');
    }
  }
  ad_buffer_destroy(&text);
  ad_free(table);
  ad_free(folder);
  return found;
}

/* Whether the script may be asked for it. OWNER/NAME with a folder OWNER here is a path with a slip. */
static int is_wanted(const char *script, const char *name) {
  const char *slash = strchr(name, '/');
  if (slash == NULL) {
    return is_listed(script, name) || strncmp(name, "bert-", 5) == 0;
  }
  char *owner = ad_strndup(name, (size_t)(slash - name));
  const int wanted = owner != NULL && !ad_is_folder(owner) && ad_is_model_name(name);
  ad_free(owner);
  return wanted;
}

static int fetch(char *script, const char *name, char **folder) {
  struct ad_buffer out = {0};
  char *copy = ad_strdup(name);
  int good = 0, status = copy == NULL ? ad_fail_memory(strlen(name), "a name") : run(script, copy, &out, &good);
  ad_free(copy);
  if (status == AD_OK && !good) {
    status = ad_fail(AD_EINPUT,
                     "%s: there is no such folder here, and the model of that name could not be fetched (the reason is "
                     "above). Where there is a network, `%s %s --out DIR` brings it; then give DIR in its place",
                     name, script, name);
  }
  *folder = status == AD_OK ? ad_strdup(out.data) : NULL;
  if (status == AD_OK && *folder == NULL) {
    status = ad_fail_memory(out.size, "a path");
  }
  ad_buffer_destroy(&out);
  return status;
}

/* --- Runs. */

static int has_file(const char *folder, const char *file) {
  char *path = ad_path_join(folder, file);
  const int found = path != NULL && ad_is_file(path);
  ad_free(path);
  return found;
}

/* Of the folder of a run: that of its result; NULL where it is none. AD_EINPUT: the run has no result yet. */
static int find_result(const char *name, char **folder) {
  if (name[0] == '\0' || !has_file(name, AD_RUN_FILE_CONFIG) || has_file(name, "config.json")) {
    return AD_OK;
  }
  *folder = ad_path_join(name, AD_RUN_FOLDER_MODEL);
  return *folder == NULL         ? ad_fail_memory(strlen(name), "a path")
         : ad_is_folder(*folder) ? AD_OK
                                 : ad_fail(AD_EINPUT, "%s: a run without a model yet: it is not finished", name);
}

int ad_model_name_find(const char *name, char **folder) {
  char *script = NULL;
  *folder = NULL;
  int status = find_result(name, folder);
  if (status == AD_OK && name[0] != '\0' && access(name, F_OK) != 0) {
    status = find_script(&script);
    status = status == AD_OK && is_wanted(script, name) ? fetch(script, name, folder) : status;
    ad_free(script);
  }
  if (status == AD_OK && *folder == NULL) {
    *folder = ad_strdup(name);
    status = *folder == NULL ? ad_fail_memory(strlen(name), "a path") : AD_OK;
  }
  if (status != AD_OK) {
    ad_free(*folder);
    *folder = NULL;
  }
  return status;
}

int ad_model_name_resolve(struct ad_config *config) {
  char *folder;
  AD_TRY(ad_model_name_find(config->model_path, &folder));
  const int status = strcmp(folder, config->model_path) == 0
                         ? AD_OK
                         : ad_config_set(config, "launch/get-model", ad_config_key(AD_KEY_model_path), folder);
  ad_free(folder);
  return status;
}
