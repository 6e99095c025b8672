/* Classifies each line of a text file with a finished run, or with any classifier in a Hugging Face folder:
 *
 *   predict RUN|MODEL FILE */
#include <autodidact/run/predict.h>
#include <autodidact/run/program.h>
#include <math.h>
#include <stdio.h>

/* The class and its probability, by the softmax of the logits. */
static int print(void *context, const struct ad_prediction *prediction) {
  (void)context;
  double sum = 0.0;
  if (prediction == NULL) {
    printf("(not read)\n");
    return AD_OK;
  }
  if (!prediction->task->classes) {
    printf("%.9g\n", (double)prediction->logits[0]);
    return AD_OK;
  }
  for (size_t c = 0; c < prediction->classes; c++) {
    sum += exp((double)prediction->logits[c] - (double)prediction->logits[prediction->number]);
  }
  printf("%s %.3f\n", prediction->name == NULL ? "?" : prediction->name, 1.0 / sum);
  return AD_OK;
}

static int predict(const struct ad_math *math, const char *source, const char *file) {
  const struct ad_predict_options options = {.data = file, .lines = 1};
  struct ad_predictor *predictor;
  int status = ad_predictor_open(&predictor, math, source, &options);
  status = status == AD_OK ? ad_predictor_run(predictor, print, NULL) : status;
  ad_predictor_close(predictor, status != AD_OK);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: predict RUN|MODEL FILE\n");
    return 1;
  }
  struct ad_math *math;
  const int status = ad_program_start(&argc, &argv, &math);
  return ad_program_end(status == AD_OK ? predict(math, argv[1], argv[2]) : status, math);
}
