/* A run folder holds nothing that the run is given: it is written over, and cleared. */
#include <dirent.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "training_internal.h"

/* An input that exists, by the key that names it. */
static int check(const struct ad_training *t, const char *key, const char *path) {
  const char *folder = t->session.config.run_dir;
  return path == NULL || path[0] == '\0' || !ad_is_inside(path, folder)
             ? AD_OK
             : ad_fail(AD_ECONFIG,
                       "run.dir is '%s', which holds %s of this run, %s: choose a folder of the run's own, for example "
                       "run.dir=runs/first",
                       folder, key, path);
}

static int check_in(const struct ad_training *t, const char *key, const char *folder, const char *file) {
  char *path = ad_path_join(folder, file);
  const int status = path == NULL ? ad_fail_memory(strlen(folder) + strlen(file) + 2, "a path") : check(t, key, path);
  ad_free(path);
  return status;
}

/* A model's folder, and files of it that are links. */
static int check_model(const struct ad_training *t, const char *folder) {
  AD_TRY(check(t, "model.path", folder));
  DIR *opened = folder[0] == '\0' ? NULL : opendir(folder);
  int status = AD_OK;
  for (const struct dirent *entry = opened == NULL ? NULL : readdir(opened); status == AD_OK && entry != NULL;
       entry = readdir(opened)) {
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
      status = strcmp(entry->d_name, "..") == 0 ? AD_OK : check_in(t, "model.path", folder, entry->d_name);
    }
  }
  if (opened != NULL) {
    ad_ignore(closedir(opened));
  }
  return status;
}

static int check_data(const struct ad_training *t, const struct ad_descriptor *d, const struct ad_config *c, int anew) {
  const char *folder = ad_descriptor_place(d, c->data_folder);
  /* One that was found in the data is not read from there. */
  AD_TRY(anew && !t->session.detected ? check(t, "data.descriptor", d->path) : AD_OK);
  AD_TRY(check(t, "data.folder", folder));
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    const char *named = ad_split_file(c, s);
    AD_TRY(check(t, ad_split_key(s), named));
    if (named == NULL && folder != NULL && d->source[s].file != NULL) {
      AD_TRY(check_in(t, "data.folder", folder, d->source[s].file));
    }
  }
  return AD_OK;
}

/* Several data sets have their folders and files themselves. */
static int check_sets(const struct ad_training *t, int anew) {
  const struct ad_descriptor *d = &t->session.descriptor;
  struct ad_config none;
  if (d->set_count == 0) {
    return check_data(t, d, &t->session.config, anew);
  }
  AD_TRY(ad_config_create(&none));
  int status = AD_OK;
  for (size_t k = 0; k < d->set_count && status == AD_OK; k++) {
    status = check_data(t, &d->sets[k], &none, anew);
  }
  ad_config_destroy(&none);
  return status;
}

int ad__check_inputs(const struct ad_training *t, int anew) {
  const struct ad_config *c = &t->session.config;
  AD_TRY(anew ? check(t, "the configuration", t->session.file) : AD_OK);
  AD_TRY(check_model(t, c->model_path));
  AD_TRY(check(t, "model.vocab", c->model_vocab));
  AD_TRY(check(t, "data.cache", c->data_cache));
  AD_TRY(check(t, "teacher.ring_folder", c->teacher_ring_folder));
  return check_sets(t, anew);
}
