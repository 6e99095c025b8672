/* What of the configuration needs the data's task: class weights, label smoothing, the score that decides. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "training_internal.h"

/* The weights as they are, which "balanced" alone does not tell; of a few classes. */
static int tell_weights(const struct ad_training *t) {
  enum { MOST = 12 };
  const struct ad_descriptor *d = &t->session.descriptor;
  struct ad_buffer text = {0};
  int status = AD_OK;
  for (size_t c = 0; c < d->class_count && c < MOST && status == AD_OK; c++) {
    status = ad_buffer_printf(&text, "%s%s %.4g", c == 0 ? "" : ", ", d->classes[c], t->class_weights[c]);
  }
  if (status == AD_OK) {
    ad_log(AD_LOG_INFO, "class weights in the loss: %s%s", text.data, d->class_count > MOST ? ", ..." : "");
  }
  ad_buffer_destroy(&text);
  return status;
}

int ad__choose_loss(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  const struct ad_descriptor *d = &t->session.descriptor;
  t->settings.loss.smoothing = c->train_label_smoothing;
  if (strcmp(c->train_class_weights, "none") == 0) {
    return AD_OK;
  }
  if (d->task->heads != NULL) {
    return ad_fail(AD_ECONFIG, "train.class_weights is '%s' with several tasks, expected it with one",
                   c->train_class_weights);
  }
  if (d->task->classes != AD_CLASSES_ONE) {
    return ad_fail(AD_ECONFIG, "train.class_weights is '%s', and the task %s has %s", c->train_class_weights,
                   d->task->name, d->task->classes ? "sets of classes, which have no weights" : "no classes");
  }
  t->class_weights = ad_malloc(d->class_count, sizeof *t->class_weights);
  if (t->class_weights == NULL) {
    return ad_fail_memory(d->class_count * sizeof *t->class_weights, "the weights of the classes");
  }
  AD_TRY(ad_class_weights_parse(c->train_class_weights, d->class_count, d->classes, ad_dataset_labels(&t->data.train),
                                t->class_weights));
  t->settings.loss.weights = t->class_weights;
  return t->ranks.first && !t->frame.quiet ? tell_weights(t) : AD_OK;
}

/* Whether an evaluation on dev has anything to predict, which its texts alone decide. */
static int check_hidden(const struct ad_training *t) {
  const struct ad_hiding_draw draw = {0};
  const struct ad_dataset *dev = &t->data.dev;
  for (size_t i = 0; i < dev->count; i++) {
    if (ad_hiding_count(&t->evaluation.hiding, &draw, dev, (uint32_t)i) > 0) {
      return AD_OK;
    }
  }
  return ad_fail(AD_EINPUT, "dev: nothing is hidden in its %zu text%s, expected more words to evaluate on (data.dev)",
                 dev->count, dev->count == 1 ? "" : "s");
}

int ad__choose_hiding(struct ad_training *t) {
  const struct ad_session *s = &t->session;
  struct ad_config *c = &t->session.config;
  if (!ad__hides(t)) {
    return AD_OK;
  }
  /* A study keeps logits unless it is told otherwise. */
  c->eval_keep_logits = c->eval_keep_logits && c->given[AD_KEY_eval_keep_logits];
  if (c->eval_keep_logits) {
    return ad_fail(AD_ECONFIG,
                   "eval.keep_logits=true, and the task %s keeps no logits: they are as many as the "
                   "vocabulary for each hidden token",
                   s->descriptor.task->name);
  }
  t->settings.hiding = &t->hiding;
  AD_TRY(ad_hiding_create(&t->hiding, s->tokenizer, c->train_mask_rate, c->train_mask_whole_words));
  AD_TRY(ad_hiding_create(&t->evaluation.hiding, s->tokenizer, AD_HIDING_EVALUATION, 0));
  return t->data.has_dev ? check_hidden(t) : AD_OK;
}

static int fail_metric(const struct ad_task *task, const char *name) {
  struct ad_buffer names = {0};
  int status = AD_OK;
  for (size_t i = 0; i < task->score_count && status == AD_OK; i++) {
    status = ad_buffer_printf(&names, "%s%s", i == 0 ? "" : ", ", task->scores[i].name);
  }
  status = status == AD_OK ? ad_fail(AD_ECONFIG, "run.metric is '%s', expected a score of the task %s: %s", name,
                                     task->name, names.data)
                           : status;
  ad_buffer_destroy(&names);
  return status;
}

int ad__choose_metric(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  const struct ad_task *task = t->session.descriptor.task;
  t->evaluation.metric = c->run_metric[0] == '\0' ? &task->scores[0] : ad_task_score(task, c->run_metric);
  AD_TRY(t->evaluation.metric == NULL ? fail_metric(task, c->run_metric) : AD_OK);
  if (t->data.has_dev || (c->run_select == AD_SELECT_LAST && c->train_patience == 0)) {
    return AD_OK;
  }
  return ad_fail(AD_ECONFIG, "%s needs a dev split, %s has none (data.dev or data.hold_out give one)",
                 c->run_select == AD_SELECT_LAST ? "train.patience" : "run.select=best", t->session.descriptor.name);
}
