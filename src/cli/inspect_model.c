/* autodidact inspect: what a model's config.json says, without its weights. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/model/huggingface.h"
#include "autodidact/task/task.h"
#include "inspect.h"

int inspect_model(const char *folder) {
  struct ad_model_config m;
  struct ad_names names = {0};
  AD_TRY(ad_model_read_config(folder, &m, &names));
  printf("%s: %s, %u layers, %u wide, %u heads, feed-forward %u, vocabulary %u, ", ad_shown(folder),
         ad_architecture_title(m.architecture), m.layers, m.hidden, m.heads, m.ffn, m.vocab);
  printf(ad_architecture_any_length(m.architecture) ? "texts of any length (here up to %u tokens), %u types\n"
                                                    : "%u positions, %u types\n",
         m.positions, m.types);
  printf("activation %s, layer norm epsilon %g, dropout %g hidden, %g attention, %g classifier\n",
         ad_activation_name(m.activation), (double)m.layer_norm_eps, (double)m.hidden_dropout,
         (double)m.attention_dropout, (double)m.classifier_dropout);
  if (m.masked_lm) {
    printf("head for masked-language modelling, over the vocabulary\n");
  }
  if (m.threshold > 0.0f) {
    printf("a text has a class from a probability of %.6g on\n", (double)m.threshold);
  }
  const struct ad_task *task = ad_task_of_problem(ad_model_problem(m.problem_type));
  for (size_t i = 0; i < names.count; i++) {
    printf("%s %zu: %s\n", ad_task_outputs(task, 1), i, ad_shown(names.items[i]));
  }
  ad_names_destroy(&names);
  return AD_OK;
}

/* Whether the sizes make a model. */
static int check_sizes(const char *folder) {
  struct ad_model_config m;
  struct ad_names names = {0};
  struct ad_params params;
  AD_TRY(ad_model_read_config(folder, &m, &names));
  ad_names_destroy(&names);
  AD_TRY(ad_params_create(&params, &m));
  printf("%zu parameters\n", params.count);
  ad_params_destroy(&params);
  return AD_OK;
}

int inspect_model_config(const char *path) {
  char *folder = ad_path_folder(path);
  if (folder == NULL) {
    return ad_fail_memory(strlen(path) + 1, "a path");
  }
  int status = inspect_json(path);
  putchar('\n');
  status = status == AD_OK ? inspect_model(folder) : status;
  status = status == AD_OK ? check_sizes(folder) : status;
  ad_free(folder);
  return status;
}
