#include "autodidact/run/evaluation.h"

#include <inttypes.h>
#include <stdio.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* Memory for logits, or for sums over hidden tokens. */
static int make_rows(struct ad_evaluation *evaluation, const struct ad_session *session, size_t rows) {
  if (session->params.config.masked_lm) {
    evaluation->row_sums = ad_malloc(rows, sizeof *evaluation->row_sums);
    return evaluation->row_sums == NULL
               ? ad_fail_memory(rows * sizeof *evaluation->row_sums, "the losses of hidden tokens")
               : ad_hiding_create(&evaluation->hiding, session->tokenizer, AD_HIDING_EVALUATION, 0);
  }
  const size_t C = session->params.config.classes;
  evaluation->logits = ad_malloc(rows * C, sizeof *evaluation->logits);
  return evaluation->logits == NULL ? ad_fail_memory(rows * C * sizeof *evaluation->logits, "the logits") : AD_OK;
}

int ad_evaluation_open(struct ad_evaluation *evaluation, const struct ad_session *session,
                       const struct ad_dataset *data, size_t rows) {
  char digest[17];
  AD_TRY(make_rows(evaluation, session, rows));
  AD_TRY(ad_comm_create_among(&evaluation->comm, evaluation->ranks, 1));
  AD_TRY(ad_comm_same(evaluation->comm, "the data's digest", ad_digest_text(data->digest, digest)));
  /* A run that goes on meanwhile may write a newer one. */
  char step[24] = "of the result";
  if (session->unfinished) {
    snprintf(step, sizeof step, "%" PRIu64, session->checkpoint);
  }
  AD_TRY(ad_comm_same(evaluation->comm, "the run's step", step));
  AD_TRY(ad_comm_same(evaluation->comm, "the descriptor's digest", ad_digest_text(session->descriptor.digest, digest)));
  const int bfloat16 = session->config.train_precision == AD_PRECISION_BFLOAT16;
  evaluation->math = *session->math;
  AD_TRY(bfloat16 ? ad_math_bfloat16(&evaluation->math, session->math) : AD_OK);
  const size_t packed = ad_weights_packed(&evaluation->math, &session->params);
  evaluation->packed = ad_malloc(packed, sizeof *evaluation->packed);
  if (evaluation->packed == NULL) {
    return ad_fail_memory(packed * sizeof *evaluation->packed, "the packed parameters");
  }
  AD_TRY(ad_evaluator_create(&evaluation->evaluator, &evaluation->math, &session->params, session->config.eval_batch));
  ad_evaluator_hide(evaluation->evaluator, &evaluation->hiding);
  return AD_OK;
}

int ad_evaluation_run(struct ad_evaluation *evaluation, const struct ad_session *session, const struct ad_dataset *data,
                      size_t first, size_t end) {
  if (evaluation->theta.values == NULL) {
    evaluation->theta = ad_weights_of(&evaluation->math, session->theta, evaluation->packed, 1);
    ad_weights_pack(&evaluation->theta, &session->params, 0, 1);
  }
  const struct ad_replica theta = ad_weights_replica(&evaluation->theta);
  const size_t B = session->config.eval_batch;
  return session->params.config.masked_lm
             ? ad_mpi_evaluate_hidden(evaluation->comm, evaluation->evaluator, B, &theta, 1, data, first, end,
                                      evaluation->row_sums)
             : ad_mpi_evaluate(evaluation->comm, evaluation->evaluator, B, session->params.config.classes, theta, data,
                               first, end, evaluation->logits);
}

int ad_evaluation_scores(const struct ad_evaluation *evaluation, const struct ad_session *session,
                         const struct ad_dataset *data, struct ad_scoring *scoring) {
  return evaluation->row_sums != NULL
             ? ad_scoring_create_summed(scoring, data->task, data->count, evaluation->row_sums)
             : ad_scoring_create_at(scoring, ad_dataset_labels(data), session->params.config.classes,
                                    evaluation->logits, session->params.config.threshold);
}

void ad_evaluation_close(struct ad_evaluation *evaluation, int status) {
  ad_evaluator_destroy(evaluation->evaluator);
  if (status == AD_OK || (evaluation->comm != NULL && ad_comm_size(evaluation->comm) == 1)) {
    ad_comm_destroy(evaluation->comm);
  }
  ad_math_bfloat16_destroy(&evaluation->math);
  ad_free(evaluation->packed);
  ad_free(evaluation->logits);
  ad_free(evaluation->row_sums);
  ad_hiding_destroy(&evaluation->hiding);
  *evaluation = (struct ad_evaluation){0};
}

/* A folder of a masked language model, and a file of texts. */
static int load_folder(struct ad_session *session, const char *folder, const char *name, struct ad_dataset *out) {
  struct ad_buffer text = {0};
  AD_TRY(ad_config_set(&session->config, "--data", "data.task", ad_task_hiding()->name));
  AD_TRY(ad_config_set(&session->config, "--data", "data.train", name));
  AD_TRY(ad_config_set(&session->config, "--data", "data.dev", name)); /* so that none is cut out of train */
  AD_TRY(ad_session_load_tokenizer(session, folder));
  int status = ad_session_detect_text(session, ".", &text);
  status = status == AD_OK ? ad_descriptor_parse(&session->descriptor, name, text.data, text.size) : status;
  ad_buffer_destroy(&text);
  AD_TRY(status);
  AD_TRY(ad_session_load_classifier(session, folder));
  return ad_session_read_named(session, name, 0, out);
}

int ad_evaluation_load(struct ad_session *session, const char *run, const char *model, const char *data,
                       const struct ad_session_data_options *where, struct ad_dataset *out) {
  int masked;
  AD_TRY(ad_session_is_masked_lm(run, &masked));
  if (masked) {
    return load_folder(session, run, data, out);
  }
  AD_TRY(ad_session_open_any_run(session, run));
  AD_TRY(ad_session_open_data(session, run, where));
  AD_TRY(ad_session_load_result(session, run, model));
  AD_TRY(ad_session_check_classes(session, run, &session->descriptor));
  return ad_session_read_named(session, data, 1, out);
}

int ad_evaluation_score(const struct ad_session *session, const struct ad_dataset *data, struct ad_scoring *scoring) {
  struct ad_evaluation evaluation = {0};
  *scoring = (struct ad_scoring){0};
  int status = ad_evaluation_open(&evaluation, session, data, data->count);
  if (status == AD_OK) {
    status = ad_evaluation_run(&evaluation, session, data, 0, data->count);
  }
  if (status == AD_OK) {
    status = ad_evaluation_scores(&evaluation, session, data, scoring);
    scoring->skipped = data->skipped;
  }
  ad_evaluation_close(&evaluation, status);
  return status;
}
