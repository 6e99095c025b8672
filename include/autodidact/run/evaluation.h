/* Evaluation of a loaded model over all ranks, as eval and predict need it. */
#ifndef AUTODIDACT_RUN_EVALUATION_H
#define AUTODIDACT_RUN_EVALUATION_H

#include "autodidact/mpi/evaluate.h"
#include "autodidact/run/session.h"
#include "autodidact/task/scores.h"

/* Zero-initialise, then set `ranks` where it is not for all. */
struct ad_evaluation {
  const struct ad_comm *ranks; /* NULL: the world */
  struct ad_comm *comm;
  struct ad_math math;     /* the session's, in the precision of its configuration */
  struct ad_weights theta; /* the session's; with bfloat16 made when it is first run */
  ad_bf16 *packed;
  struct ad_evaluator *evaluator;
  float *logits;                /* [rows, classes]; NULL where the task hides tokens, */
  struct ad_row_sums *row_sums; /* [rows] then */
  struct ad_hiding hiding;
};

/* For `rows` examples of the data at a time. Collective over the ranks. AD_ENOMEM, AD_ECONFIG (data or descriptor are
 * not the same on all ranks). */
int ad_evaluation_open(struct ad_evaluation *evaluation, const struct ad_session *session,
                       const struct ad_dataset *data, size_t rows);

/* The logits of the examples [first, end), at most `rows` of them, into evaluation->logits, or their sums into
 * evaluation->row_sums. Collective over the world. */
int ad_evaluation_run(struct ad_evaluation *evaluation, const struct ad_session *session, const struct ad_dataset *data,
                      size_t first, size_t end);

/* The scores of all rows, which were run at once. The caller owns them: ad_scoring_destroy, after a failure too. Not
 * collective. AD_EINPUT, AD_EDIVERGED, AD_ENOMEM. */
int ad_evaluation_scores(const struct ad_evaluation *evaluation, const struct ad_session *session,
                         const struct ad_dataset *data, struct ad_scoring *scoring);

/* Releases all; status: how the command went, for what takes all ranks is left after a failure of this one. */
void ad_evaluation_close(struct ad_evaluation *evaluation, int status);

/* What a finished run is evaluated on: its model (NULL: its result) and the data, as ad_session_load_result and
 * ad_session_read_named take them. In place of a run a folder of a masked language model: then the data are a file of
 * texts, whose form is found in it. session: created. The caller owns the data. AD_EINPUT, AD_ECONFIG, AD_EIO,
 * AD_ENOMEM. */
int ad_evaluation_load(struct ad_session *session, const char *run, const char *model, const char *data,
                       const struct ad_session_data_options *where, struct ad_dataset *out);

/* Scores of what was loaded, on every rank. The caller owns them: ad_scoring_destroy, after a failure too. Collective
 * over the world. AD_EINPUT, AD_EDIVERGED, AD_ENOMEM. */
int ad_evaluation_score(const struct ad_session *session, const struct ad_dataset *data, struct ad_scoring *scoring);

#endif
