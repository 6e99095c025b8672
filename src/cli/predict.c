/* autodidact predict: the class of each example of a file, with its logits if asked for. */
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/run/predict.h"
#include "commands.h"

/* context: whether logits are asked for. An empty line for a row that could not be read. */
static int print_row(void *context, const struct ad_prediction *p) {
  const int *logits = context;
  if (p != NULL && p->name != NULL) {
    printf("%s", ad_shown(p->name));
  } else if (p != NULL) {
    printf("%u", p->number);
  }
  for (size_t c = 0; p != NULL && *logits && c < p->classes; c++) {
    printf("\t%.9g", (double)p->logits[c]);
  }
  putchar('\n');
  return ferror(stdout) ? ad_fail(AD_EIO, "standard output could not be written") : AD_OK;
}

int ad_command_predict(const struct ad_math *math, int argc, char **argv) {
  int logits = 0;
  struct ad_predict_options o = {.where = {.refused = AD_CHANGED_TEXTS}}; /* the classes' names come from the model */
  size_t count;
  int help;
  const struct argument options[] = {
      {"data", "FILE",
       "What to classify (required). With a run: a file in the layout of its data set's test split, or train, dev, "
       "test for a split itself. With a model folder: one example a line, a TAB between the texts of a pair",
       NULL, &o.data},
      {"model", "NAME", help_model, NULL, &o.model},
      {"folder", "DIR", help_folder, NULL, &o.where.folder},
      {"own-descriptor", NULL, help_own_descriptor, &o.where.own, NULL},
      {"precision", "NAME", help_precision, NULL, &o.precision},
      {"lines", NULL, "With a run too: one example a line", &o.lines, NULL},
      {"logits", NULL, "Print the logits after the class, separated by TABs, to full precision", &logits, NULL}};
  const struct arguments arguments = {
      "predict",
      "RUN|MODEL --data FILE",
      "Prints one line for each row of the file, in order: the class. RUN is the folder of a finished run, MODEL a "
      "Hugging Face folder with a classifier. Labels are ignored. A row that cannot be read is an error. Where the "
      "descriptor lets such rows pass (incomplete, empty: skip), its line is empty, and a warning names it.",
      options,
      sizeof options / sizeof *options,
      0,
      1};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  if (count == 0 || o.data == NULL) {
    return ad_fail(AD_ECONFIG, "predict: %s is missing; usage: autodidact predict RUN|MODEL --data FILE",
                   count == 0 ? "the run or the model folder" : "--data");
  }
  if (o.model != NULL && !ad_predictor_is_run(argv[1])) {
    return ad_fail(AD_ECONFIG, "predict: --model is for runs, %s is none", argv[1]);
  }
  struct ad_predictor *predictor;
  int status = ad_predictor_open(&predictor, math, argv[1], &o);
  status = status == AD_OK ? ad_predictor_run(predictor, print_row, &logits) : status;
  ad_predictor_close(predictor, status != AD_OK);
  return status;
}
