#include "autodidact/store/run_files.h"

#include <stdio.h>

const char *ad_run_model_name(enum ad_variant variant, enum ad_variant result, char name[AD_RUN_MODEL_NAME]) {
  if (variant == result) {
    snprintf(name, AD_RUN_MODEL_NAME, "%s", AD_RUN_FOLDER_MODEL);
  } else {
    snprintf(name, AD_RUN_MODEL_NAME, "%s/%s", AD_RUN_FOLDER_VARIANTS, ad_variant_name(variant));
  }
  return name;
}
