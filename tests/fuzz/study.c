/* Any bytes as a study file, as the plan.json of its folder, and as key=value lines that its cells would be run with.
 */
#include "fuzz.h"

#include "autodidact/study/study.h"

enum { LOOKED_AT = 8 };

/* What is promised of every study that is laid out. */
static void look(const struct ad_study *study) {
  char label[60];
  demand(study->count > 0 && study->arm_count > 0);
  for (size_t i = 0; i < study->count; i++) {
    demand(study->cells[i].arm < study->arm_count);
    for (size_t a = 0; a < study->axis_count; a++) {
      demand(study->cells[i].level[a] < study->axes[a].count);
    }
  }
  for (size_t i = 0; i < study->count && i < LOOKED_AT; i++) {
    struct ad_config config;
    demand(strlen(ad_study_label(study, &study->cells[i], label, sizeof label)) < sizeof label);
    demand(ad_study_config(study, &study->cells[i], &config) == AD_OK);
    ad_config_destroy(&config);
  }
}

/* The study's folder becomes this process's, whatever the file says. */
static void move_here(struct ad_study *study) {
  ad_free(study->dir);
  study->dir = ad_strdup(fuzz_folder());
  demand(study->dir != NULL);
}

void fuzz_input(const uint8_t *data, size_t size) {
  struct fuzz_part parts[2];
  struct ad_study study;
  fuzz_cut(data, size, parts, 2);
  fuzz_put_part("plan.json", parts[1]);
  if (fuzz_accepted(ad_study_read(&study, fuzz_put("study.yaml", parts[0].data, parts[0].size)))) {
    look(&study);
    move_here(&study);
    fuzz_accepted(ad_study_recall(&study));
  }
  ad_study_destroy(&study);
}
