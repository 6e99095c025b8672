/* Unknown keys: what is meant by them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "config_internal.h"

/* Names of Hugging Face's TrainingArguments, Trainer, AutoModel and example scripts, and of other trainers. */
static const struct ad_config_alias aliases[] = {
    /* Optimizer and schedule. */
    {"learning_rate", "optim.lr", ""},
    {"head_learning_rate", "optim.head_lr", ""},
    {"classifier_learning_rate", "optim.head_lr", ""},
    {"weight_decay", "optim.decay", ""},
    {"adam_beta1", "optim.beta1", ""},
    {"adam_beta2", "optim.beta2", ""},
    {"adam_epsilon", "optim.eps", ""},
    {"epsilon", "optim.eps", ""},
    {"momentum", "optim.beta1", ""},
    {"correct_bias", "optim.bias_correction", ""},
    {"max_grad_norm", "optim.clip", ""},
    {"gradient_clip_val", "optim.clip", ""},
    {"clip_grad_norm", "optim.clip", ""},
    {"lr_scheduler_type", "optim.schedule", ""},
    {"lr_scheduler", "optim.schedule", ""},
    {"scheduler", "optim.schedule", ""},
    {"lr_scheduler_kwargs", "optim.schedule", "a schedule has no settings of its own"},
    {"warmup_ratio", "optim.warmup", ""},
    {"warmup_proportion", "optim.warmup", ""},
    {"warmup_steps", "optim.warmup", "a share of all steps, as 0.1"},
    {"num_warmup_steps", "optim.warmup", "a share of all steps, as 0.1"},
    {"layerwise_lr_decay", "optim.layer_decay", ""},
    {"layer_wise_lr_decay", "optim.layer_decay", ""},
    {"llrd", "optim.layer_decay", ""},
    {"optim", "", "AdamW is the one optimizer, optim.lr and other keys set it"},
    {"optimizer", "", "AdamW is the one optimizer, optim.lr and other keys set it"},
    {"optim_args", "", "AdamW is the one optimizer, optim.lr and other keys set it"},
    {"adafactor", "", "AdamW is the one optimizer"},
    {"label_smoothing_factor", "train.label_smoothing", ""},
    {"smoothing", "train.label_smoothing", ""},
    {"balanced", "train.class_weights", "balanced"},
    {"pos_weight", "train.class_weights", "a number for each class, as 1,2.5"},
    {"neftune_noise_alpha", "", "no noise is added to embeddings"},
    /* Batches and length. */
    {"per_device_train_batch_size", "batch.size", "the examples of a step on all ranks together"},
    {"per_gpu_train_batch_size", "batch.size", "the examples of a step on all ranks together"},
    {"train_batch_size", "batch.size", ""},
    {"auto_find_batch_size", "batch.size", "batch.rounds saves memory at the same bits"},
    {"per_device_eval_batch_size", "eval.batch", ""},
    {"per_gpu_eval_batch_size", "eval.batch", ""},
    {"eval_batch_size", "eval.batch", ""},
    {"gradient_accumulation_steps", "batch.rounds", "batch.size counts the examples of all rounds"},
    {"eval_accumulation_steps", "eval.batch", ""},
    {"gradient_checkpointing", "batch.rounds", "more rounds save activation memory"},
    {"num_train_epochs", "train.epochs", ""},
    {"num_epochs", "train.epochs", ""},
    {"n_epochs", "train.epochs", ""},
    {"max_epochs", "train.epochs", ""},
    {"max_steps", "train.steps", ""},
    {"max_train_steps", "train.steps", ""},
    {"total_steps", "train.steps", ""},
    /* Evaluation, saving, logging. */
    {"eval_steps", "eval.every", ""},
    {"eval_strategy", "eval.every", "steps, or 0 for the end of each epoch"},
    {"evaluation_strategy", "eval.every", "steps, or 0 for the end of each epoch"},
    {"eval_delay", "eval.every", ""},
    {"save_steps", "checkpoint.every", ""},
    {"save_strategy", "checkpoint.every checkpoint.minutes checkpoint.epoch", ""},
    {"save_total_limit", "checkpoint.keep", ""},
    {"save_safetensors", "", "model/ always has safetensors"},
    {"save_only_model", "checkpoint.finished", "a finished run keeps no checkpoint otherwise"},
    {"load_best_model_at_end", "run.select", "best"},
    {"metric_for_best_model", "run.metric", "with run.select=best"},
    {"greater_is_better", "run.metric", "a score knows its direction"},
    {"early_stopping", "train.patience", "in evaluations, with run.select=best"},
    {"early_stopping_patience", "train.patience", "in evaluations, with run.select=best"},
    {"early_stopping_threshold", "train.patience", "any better score counts, an equal one does not"},
    {"min_delta", "train.patience", "any better score counts, an equal one does not"},
    {"monitor", "run.metric", "with run.select=best or train.patience"},
    {"output_dir", "run.dir", ""},
    {"overwrite_output_dir", "run.overwrite", ""},
    {"run_name", "run.dir", ""},
    {"resume_from_checkpoint", "run.dir", "the same command goes on from the newest checkpoint there"},
    {"ignore_data_skip", "", "a run that goes on never sees an example twice"},
    {"logging_steps", "", "log.jsonl of the run has every step"},
    {"logging_strategy", "", "log.jsonl of the run has every step"},
    {"logging_first_step", "", "log.jsonl of the run has every step"},
    {"logging_dir", "", "log.jsonl of the run has every step"},
    {"report_to", "", "log.jsonl of the run has every step"},
    {"disable_tqdm", "", "progress lines are for terminals; elsewhere there is one each ten seconds"},
    {"prediction_loss_only", "eval.keep_logits", ""},
    {"do_train", "", "autodidact train trains"},
    {"do_eval", "", "autodidact eval scores a finished run"},
    {"do_predict", "", "autodidact predict classifies"},
    {"push_to_hub", "", "autodidact export writes the folder that can be uploaded"},
    {"hub_model_id", "", "autodidact export writes the folder that can be uploaded"},
    /* Seeds. */
    {"seed", "seed.init seed.order seed.dropout", ""},
    {"random_seed", "seed.init seed.order seed.dropout", ""},
    {"random_state", "seed.init seed.order seed.dropout", ""},
    {"data_seed", "seed.order", ""},
    {"shuffle", "seed.order", "every epoch has an order of its own"},
    {"full_determinism", "", "every training is reproducible to the bit"},
    /* Model. */
    {"model_name_or_path", "model.path", "a folder; launch/get-model fetches one"},
    {"pretrained_model_name_or_path", "model.path", "a folder; launch/get-model fetches one"},
    {"model_name", "model.path", "a folder; launch/get-model fetches one"},
    {"model", "model.path", "a folder; launch/get-model fetches one"},
    {"config_name", "model.path", "its config.json counts"},
    {"tokenizer_name", "model.path", "its tokenizer is taken"},
    {"tokenizer", "model.path", "its tokenizer is taken"},
    {"use_fast_tokenizer", "", "there is one tokenizer"},
    {"model_revision", "", "launch/get-model fetches a revision"},
    {"trust_remote_code", "", "no code is loaded"},
    {"cache_dir", "", "launch/get-model says where models are put; data.cache is for tokenised data"},
    {"vocab_file", "model.vocab", ""},
    {"vocab_size", "model.vocab", "a new encoder has as many words as that file"},
    {"do_lower_case", "model.cased", "of a pretrained model its own files say it"},
    {"hidden_size", "model.hidden", ""},
    {"num_hidden_layers", "model.layers", ""},
    {"num_attention_heads", "model.heads", ""},
    {"intermediate_size", "model.ffn", ""},
    {"max_position_embeddings", "model.positions", ""},
    {"hidden_dropout_prob", "model.dropout", "one probability for all places"},
    {"attention_probs_dropout_prob", "model.dropout", "one probability for all places"},
    {"classifier_dropout", "model.dropout", "one probability for all places"},
    {"dropout_rate", "model.dropout", ""},
    {"hidden_act", "", "config.json of the model says it"},
    {"layer_norm_eps", "", "config.json of the model says it"},
    {"type_vocab_size", "", "config.json of the model says it"},
    {"initializer_range", "", "new weights have a standard deviation of 0.02"},
    {"freeze_encoder", "model.freeze", ""},
    {"freeze_base_model", "model.freeze", "encoder"},
    {"num_labels", "data.descriptor", "its classes"},
    {"num_classes", "data.descriptor", "its classes"},
    {"label_list", "data.descriptor", "its classes"},
    {"id2label", "data.descriptor", "its classes"},
    {"label2id", "data.descriptor", "its classes"},
    {"problem_type", "data.task", "classification, multi_label or regression"},
    {"task_type", "data.task", ""},
    {"mlm", "data.task", "masked-language modelling is data.task=mlm"},
    {"mlm_probability", "train.mask_rate", ""},
    {"masking_probability", "train.mask_rate", ""},
    {"whole_word_mask", "train.mask_whole_words", ""},
    {"wwm", "train.mask_whole_words", ""},
    {"line_by_line", "data.task", "with data.task=mlm a file of one column has a text a line"},
    {"block_size", "data.max_tokens", "longer texts become several examples with data.task=mlm"},
    {"soft_labels", "data.descriptor", "its columns, probabilities"},
    {"teacher_model", "data.descriptor", "`predict --write` makes one that learns from a model's predictions"},
    /* Data. */
    {"max_seq_length", "data.max_tokens", ""},
    {"max_seq_len", "data.max_tokens", ""},
    {"max_length", "data.max_tokens", ""},
    {"model_max_length", "data.max_tokens", ""},
    {"truncation_side", "data.truncation", ""},
    {"padding", "", "there is no padding"},
    {"pad_to_max_length", "", "there is no padding"},
    {"pad_to_multiple_of", "", "there is no padding"},
    {"group_by_length", "", "there is no padding that it could save"},
    {"length_column_name", "", "there is no padding that it could save"},
    {"dataset_name", "data.descriptor", ""},
    {"dataset", "data.descriptor", ""},
    {"dataset_config_name", "data.descriptor", ""},
    {"task_name", "data.descriptor", ""},
    {"data_dir", "data.folder", ""},
    {"train_file", "data.train", ""},
    {"data", "data.train", ""},
    /* Keys of a descriptor. */
    {"title", "data.descriptor", "the key is one of descriptors, which this key names"},
    {"license", "data.descriptor", "the key is one of descriptors, which this key names"},
    {"format", "data.descriptor", "the key is one of descriptors, which this key names"},
    {"columns", "data.descriptor", "the key is one of descriptors, which this key names"},
    {"splits", "data.descriptor", "the key is one of descriptors, which this key names"},
    {"range", "data.descriptor", "the key is one of descriptors, which this key names"},
    {"classes", "data.descriptor", "the key is one of descriptors, which this key names"},
    {"validation_file", "data.dev", ""},
    {"test_file", "data.test", ""},
    {"validation_split_percentage", "data.hold_out", "a number of examples"},
    {"max_train_samples", "data.train_rows", ""},
    {"max_eval_samples", "", "dev is evaluated whole"},
    {"max_predict_samples", "", "a file is predicted whole"},
    {"text_column_name", "data.descriptor", "its columns"},
    {"text_column_names", "data.descriptor", "its columns"},
    {"label_column_name", "data.descriptor", "its columns"},
    {"remove_unused_columns", "data.descriptor", "its columns"},
    {"overwrite_cache", "data.cache", "what is out of date there is never used"},
    {"dataloader_num_workers", "", "data are in memory before the first step"},
    {"preprocessing_num_workers", "", "data are in memory before the first step"},
    {"dataloader_pin_memory", "", "data are in memory before the first step"},
    {"dataloader_drop_last", "", "the last batch of an epoch is smaller; no example is left out"},
    /* Machine and precision. */
    {"fp16", "train.precision", "float32 or bfloat16"},
    {"bf16", "train.precision", "bfloat16"},
    {"tf32", "train.precision", "float32 or bfloat16"},
    {"fp16_opt_level", "train.precision", "float32 or bfloat16"},
    {"half_precision_backend", "train.precision", "float32 or bfloat16"},
    {"torch_dtype", "train.precision", "float32 or bfloat16"},
    {"torch_compile", "", "there is nothing to compile"},
    {"no_cuda", "", "computing is on CPUs"},
    {"use_cpu", "", "computing is on CPUs"},
    {"device", "", "computing is on CPUs"},
    {"n_gpu", "", "ranks are the launcher's: mpirun -n N, launch/local, launch/submit"},
    {"num_threads", "", "ranks are the launcher's: mpirun -n N, launch/local, launch/submit"},
    {"num_processes", "", "ranks are the launcher's: mpirun -n N, launch/local, launch/submit"},
    {"local_rank", "", "ranks are the launcher's: mpirun -n N, launch/local, launch/submit"},
    {"ddp_backend", "comm.reduction", "MPI connects the ranks"},
    {"deepspeed", "optim.shard", "moments and teacher lie on shards"},
    {"fsdp", "optim.shard", "moments and teacher lie on shards"},
    /* Self-distillation. */
    {"lambda", "teacher.weight", ""},
    {"ema_decay", "teacher.decay", "with teacher.method in" AD_METHODS_WITH_DECAY},
};

enum { ALIASES = sizeof aliases / sizeof *aliases, MOST = 8 };

const struct ad_config_alias *ad_config_aliases(size_t *count) {
  *count = ALIASES;
  return aliases;
}

size_t ad_edit_distance(const char *a, const char *b) {
  enum { LONGEST = 63 };
  size_t row[LONGEST + 1];
  const size_t n = strlen(a) < LONGEST ? strlen(a) : LONGEST;
  const size_t m = strlen(b) < LONGEST ? strlen(b) : LONGEST;
  for (size_t j = 0; j <= m; j++) {
    row[j] = j;
  }
  for (size_t i = 1; i <= n; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t best = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      best = row[j] + 1 < best ? row[j] + 1 : best;
      best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
      row[j] = best;
    }
  }
  return row[m];
}

static const char *last_part(const char *key) {
  const char *dot = strrchr(key, '.');
  return dot == NULL ? key : dot + 1;
}

/* Letters small, and for each - or joint the same sign. */
static void normalise(const char *key, char joint, char *out, size_t size) {
  size_t i = 0;
  for (; key[i] != '\0' && i + 1 < size; i++) {
    out[i] = (char)(key[i] == '-' || key[i] == '_' ? joint : tolower((unsigned char)key[i]));
  }
  out[i] = '\0';
}

/* The alias that the key is, or nearly is: one letter in six may be wrong. NULL where there is none. */
static const struct ad_config_alias *find_alias(const char *key) {
  const struct ad_config_alias *nearest = NULL;
  char name[64] = "";
  size_t least = strlen(last_part(key)) / 6 + 1;
  normalise(last_part(key), '_', name, sizeof name);
  for (size_t i = 0; i < ALIASES; i++) {
    const size_t distance = ad_edit_distance(name, aliases[i].name);
    if (distance < least) {
      least = distance;
      nearest = &aliases[i];
    }
  }
  return nearest;
}

/* The options found for a key, nearest first. */
struct findings {
  const struct config_option *option[MOST];
  size_t distance[MOST], count;
};

/* The option takes its place; the last one goes where there are too many. */
static void add_finding(struct findings *f, const struct config_option *option, size_t distance) {
  size_t at = f->count < MOST ? f->count++ : MOST;
  for (; at > 0 && distance < f->distance[at - 1]; at--) {
    if (at < MOST) {
      f->option[at] = f->option[at - 1];
      f->distance[at] = f->distance[at - 1];
    }
  }
  if (at < MOST) {
    f->option[at] = option;
    f->distance[at] = distance;
  }
}

/* Equal but for an s at the end. */
static int same_word(const char *a, const char *b) {
  const size_t n = strlen(a), m = strlen(b), width = n < m ? n : m;
  return strncmp(a, b, width) == 0 && strcmp(n < m ? b + width : a + width, n == m ? "" : "s") == 0;
}

/* The option that the key is when its joints are taken as dots, or else those that end like it. */
static void find_parts(const char *key, struct findings *f) {
  char whole[128], end[128];
  const int dotted_name = strchr(key, '.') != NULL;
  normalise(key, '.', whole, sizeof whole);
  normalise(last_part(key), '_', end, sizeof end);
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    const struct config_option *option = &ad__config_options[i];
    char dotted[64];
    normalise(option->key, '.', dotted, sizeof dotted);
    if (strcmp(dotted, whole) == 0) {
      *f = (struct findings){.option = {option}, .count = 1};
      return;
    }
    if (same_word(last_part(option->key), end)) {
      add_finding(f, option,
                  dotted_name ? ad_edit_distance(option->key, key) : strlen(last_part(option->key)) != strlen(end));
    }
  }
}

/* The nearest options: by the whole of a dotted name, by its end otherwise. None where half of it would be wrong. */
static void find_nearest(const char *key, struct findings *f) {
  const int dotted = strchr(key, '.') != NULL;
  size_t least = SIZE_MAX;
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    const char *known = ad__config_options[i].key;
    const size_t distance = ad_edit_distance(dotted ? known : last_part(known), key);
    f->count = distance < least ? 0 : f->count;
    least = distance < least ? distance : least;
    if (distance == least && 2 * distance <= strlen(key)) {
      add_finding(f, &ad__config_options[i], distance);
    }
  }
}

static int put_list(struct ad_buffer *out, const struct findings *f) {
  for (size_t i = 0; i < f->count; i++) {
    AD_TRY(ad_buffer_printf(out, "%s'%s'", i == 0 ? "" : i + 1 == f->count ? " or " : ", ", f->option[i]->key));
  }
  return AD_OK;
}

static int put_alias(struct ad_buffer *out, const struct ad_config_alias *alias) {
  const char *note = alias->note;
  if (alias->keys[0] == '\0') {
    return ad_buffer_printf(out, "nothing here stands for it: %s", note);
  }
  AD_TRY(ad_buffer_puts(out, "here it is "));
  for (const char *p = alias->keys; *p != '\0';) {
    const size_t width = strcspn(p, " ");
    AD_TRY(ad_buffer_printf(out, "%s'%.*s'", p == alias->keys ? "" : p[width] == '\0' ? " and " : ", ", (int)width, p));
    p += width + (p[width] == ' ');
  }
  return note[0] == '\0' ? AD_OK : ad_buffer_printf(out, " (%s)", note);
}

int ad_config_suggest(const char *key, struct ad_buffer *out) {
  struct findings found = {.count = 0};
  const struct ad_config_alias *alias = find_alias(key);
  find_parts(key, &found);
  if (found.count > 0) {
    AD_TRY(ad_buffer_puts(out, "it could be "));
    return put_list(out, &found);
  }
  if (alias != NULL) {
    return put_alias(out, alias);
  }
  find_nearest(key, &found);
  if (found.count == 0) {
    return ad_buffer_puts(out, "none is like it; autodidact train --keys lists all");
  }
  AD_TRY(ad_buffer_puts(out, found.count == 1 ? "the nearest one is " : "the nearest ones are "));
  return put_list(out, &found);
}
