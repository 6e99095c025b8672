/* verify: what the run was given, as its folder tells it and as it is now. */
#include <string.h>
#include <unistd.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"
#include "autodidact/model/huggingface.h"
#include "autodidact/store/run_files.h"
#include "autodidact/store/run_inputs.h"
#include "verify_internal.h"

/* The classes of the model are those of the descriptor, in its order. */
static int check_classes(const char *folder, const struct ad_descriptor *descriptor) {
  struct ad_model_config config = {0};
  struct ad_names names = {0};
  AD_TRY(ad_model_read_config(folder, &config, &names));
  int status = config.classes == descriptor->class_count
                   ? AD_OK
                   : ad_fail(AD_EINPUT, "%u classes, the descriptor has %zu", config.classes, descriptor->class_count);
  for (size_t c = 0; status == AD_OK && c < names.count; c++) {
    if (strcmp(names.items[c], descriptor->classes[c]) != 0) {
      status = ad_fail(AD_EINPUT, "class %zu is \"%s\", the descriptor has \"%s\"", c, names.items[c],
                       descriptor->classes[c]);
    }
  }
  ad_names_destroy(&names);
  return status;
}

static int verify_classes(struct verifier *v, const struct ad_descriptor *descriptor) {
  char *folder = ad_path_join(v->run, AD_RUN_FOLDER_MODEL);
  const int status = folder == NULL ? ad_fail_memory(64, "a path") : check_classes(folder, descriptor);
  ad_free(folder);
  return ad__verify_record(v, "model/config.json", status, "the classes are those of the descriptor");
}

/* The file that the descriptor was read from. */
static int verify_source(struct verifier *v, const struct ad_run_inputs *inputs,
                         const struct ad_descriptor *descriptor) {
  struct ad_buffer changes = {0};
  unsigned kinds;
  int there, status = ad_run_inputs_changes(inputs, v->config.data_task, descriptor, &there, &changes, &kinds);
  const char *path = inputs->descriptor != NULL ? inputs->descriptor : inputs->set_count > 0 ? descriptor->name : "";
  if (status == AD_OK && !there) {
    status = ad_verification_add(v->out, 1, "the descriptor", "%s is not there now: not compared", path);
  } else if (status == AD_OK) {
    const int good = (kinds & ~(unsigned)AD_CHANGED_ABOUT) == 0;
    status = ad_verification_add(v->out, good, "the descriptor", "%s %s%s", path,
                                 kinds == 0 ? "is as it was" : "has changed: ", changes.data);
  }
  ad_buffer_destroy(&changes);
  return status;
}

static int check_split(const struct verifier *v, const struct ad_descriptor *descriptor, enum ad_split split,
                       uint64_t was) {
  const struct ad_read_options options = {.folder = v->config.data_folder};
  uint64_t is;
  char texts[2][17];
  AD_TRY(ad_dataset_digest(descriptor, split, &options, &is));
  const char *file = descriptor->source[split].file;
  return is == was ? AD_OK
                   : ad_fail(AD_EINPUT, "%s has the digest %s, had %s when it was read",
                             file == NULL ? descriptor->name : file, ad_digest_text(is, texts[0]),
                             ad_digest_text(was, texts[1]));
}

static int verify_split(struct verifier *v, const struct ad_descriptor *descriptor, enum ad_split split, uint64_t was) {
  char subject[32], text[512];
  const char *file = descriptor->source[split].file;
  int there = file != NULL && access(file, F_OK) == 0;
  for (size_t k = 0; k < descriptor->set_count; k++) {
    const char *own = descriptor->sets[k].source[split].file;
    there = own != NULL && access(own, F_OK) == 0 && (k == 0 || there);
    file = descriptor->name;
  }
  if (was == 0 || file == NULL) {
    return AD_OK;
  }
  snprintf(subject, sizeof subject, "the %s split", ad_split_name(split));
  snprintf(text, sizeof text, "%s %s", file, there ? "is what was read" : "is not there now: not compared");
  return ad__verify_record(v, subject, there ? check_split(v, descriptor, split, was) : AD_OK, text);
}

static int verify_descriptor(struct verifier *v, const struct ad_run_inputs *inputs, struct ad_descriptor *descriptor) {
  AD_TRY(v->out->finished ? verify_classes(v, descriptor) : AD_OK);
  AD_TRY(verify_source(v, inputs, descriptor));
  if (v->config.data_hold_out > 0) {
    AD_TRY(ad_descriptor_hold_out(descriptor, v->config.data_hold_out, 0));
  }
  AD_TRY(ad_run_inputs_place(inputs, &v->config, NULL, descriptor));
  for (enum ad_split split = 0; split < AD_SPLITS; split++) {
    AD_TRY(verify_split(v, descriptor, split, inputs->digest[split]));
  }
  return AD_OK;
}

int ad__verify_inputs(struct verifier *v) {
  struct ad_run_inputs inputs;
  struct ad_descriptor descriptor = {0};
  int status = ad_run_inputs_read(&inputs, v->run);
  if (status == AD_OK && !inputs.found) {
    return AD_OK;
  }
  if (status != AD_OK) {
    return ad__verify_record(v, AD_RUN_FILE_INPUTS, status, "");
  }
  status = ad_run_inputs_descriptor(&inputs, v->run, &descriptor);
  const int good = status == AD_OK;
  status = ad__verify_record(v, AD_RUN_FILE_DESCRIPTOR, status, "its digest is that in inputs.json");
  status = status == AD_OK && good ? verify_descriptor(v, &inputs, &descriptor) : status;
  ad_descriptor_destroy(&descriptor);
  ad_run_inputs_destroy(&inputs);
  return status;
}
