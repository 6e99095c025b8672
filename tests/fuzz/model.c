/* Any bytes as the files of a model folder. */
#include "fuzz.h"

#include "autodidact/model/huggingface.h"

static const char *const names[] = {"config.json", "vocab.txt", "model.safetensors.index.json", "model.safetensors"};
enum { FILES = sizeof names / sizeof *names };

static void read_config(const char *folder) {
  struct ad_model_config config;
  struct ad_names classes = {0};
  if (fuzz_accepted(ad_model_read_config(folder, &config, &classes))) {
    demand(config.hidden > 0 && config.heads > 0 && config.hidden % config.heads == 0 && config.classes > 0);
    demand(classes.count == 0 || classes.count == config.classes);
    ad_names_destroy(&classes);
  }
}

/* No file outside the folder is named. */
static void list_files(const char *folder) {
  struct ad_names paths = {0};
  const size_t length = strlen(folder);
  if (fuzz_accepted(ad_model_list_files(folder, &paths))) {
    demand(paths.count > 0);
    for (size_t i = 0; i < paths.count; i++) {
      demand(strncmp(paths.items[i], folder, length) == 0 && strchr(paths.items[i] + length + 1, '/') == NULL);
    }
  }
  ad_names_destroy(&paths);
}

static void open_model(const char *folder) {
  enum { MOST = 1 << 20 };
  static const char *const classes[] = {"negative", "positive"};
  for (int required = 0; required < 2; required++) {
    struct ad_model *model = NULL;
    const struct ad_model_options options = {.head = required ? AD_HEAD_REQUIRE : AD_HEAD_AUTO,
                                             .classes = required ? 0 : 2,
                                             .class_names = required ? NULL : classes};
    if (!fuzz_accepted(ad_model_open(&model, folder, &options))) {
      continue;
    }
    const size_t count = ad_model_params(model)->count;
    float *theta = count <= MOST ? ad_malloc(count, sizeof *theta) : NULL;
    if (theta != NULL && fuzz_accepted(ad_model_read(model, theta))) {
      fuzz_touch(theta, count * sizeof *theta);
    }
    ad_free(theta);
    ad_model_close(model);
  }
}

void fuzz_input(const uint8_t *data, size_t size) {
  struct fuzz_part parts[FILES];
  fuzz_cut(data, size, parts, FILES);
  for (size_t i = 0; i < FILES; i++) {
    fuzz_put_part(names[i], parts[i]);
  }
  uint64_t digest;
  read_config(fuzz_folder());
  list_files(fuzz_folder());
  open_model(fuzz_folder());
  demand(ad_model_digest(fuzz_folder(), &digest) != AD_EINTERNAL);
}
