/* The configuration: every key defined once, in the table below.
 *
 * The table makes the struct, reads the YAML file and the key=value overrides, writes the resolved config.yaml, and
 * prints
 * --help and docs/configuration.md. */
#ifndef AUTODIDACT_BASE_CONFIG_H
#define AUTODIDACT_BASE_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/choices.h"
#include "autodidact/base/roles.h"

/* When a key has an effect, for several keys: snapshots are taken. */
#define AD_WITH_SNAPSHOTS "snapshot.every>0 or snapshot.dense>0 or snapshot.growth>0 or snapshot.steps is set"

/* X(kind, role, field, key, default, lowest, highest, choices, when, help). Kinds: TEXT (char *), COUNT (uint64_t),
 * REAL (double), SWITCH (int, true/false), CHOICE (the enum of the set that `choices` names, base/choices.h), SPAN
 * (uint64_t, "all" being 0). Of a REAL `choices` is a text, a word that stands for 0. lowest and highest bound COUNT,
 * SPAN and REAL, both included. role: what the key decides (base/roles.h).
 *
 * when: the condition under which the key has an effect; "" always. Clauses stand behind "; and ", each of them has
 * alternatives behind " or ". An alternative is KEY=VALUE|VALUE, KEY!=VALUE, KEY is one of VALUE VALUE (a list
 * that literals make), KEY>NUMBER, KEY is empty, KEY is set, LIST has WORD, or a fact. Facts are what data, ranks and
 * model tell: "a dev split", "several ranks", "new weights", "hidden tokens", "several tasks". A key that has itself no
 * effect counts at its default. Keys that say what is done should a case arise (run.overwrite, resume.allow,
 * checkpoint.full) always have one. */
#define AD_CONFIG_MAP(X)                                                                                               \
  X(TEXT, PLACE, run_dir, "run.dir", "", 0, 0, "", "", "folder of the run; made by train, required")                   \
  X(SWITCH, STOP, run_overwrite, "run.overwrite", "false", 0, 0, "", "",                                               \
    "start anew in a folder that already holds a run")                                                                 \
  X(CHOICE, RESULT, run_select, "run.select", "last", 0, 0, select, "", "which parameters the run keeps")              \
  X(TEXT, RESULT, run_metric, "run.metric", "", 0, 0, "", "run.select=best or train.patience>0",                       \
    "the dev score that decides which parameters are best: error, accuracy, macro_f1, matthews or loss; of other "     \
    "tasks than classification their own; empty: the task's first")                                                    \
  X(CHOICE, RESULT, run_result, "run.result", "student", 0, 0, variant, "",                                            \
    "whose parameters are the result; eval.means=true keeps the means")                                                \
  X(SWITCH, OBSERVATION, run_variants, "run.variants", "true", 0, 0, "",                                               \
    "teacher.method is one of" AD_METHODS_WITH_EVERY                                                                   \
    " or eval.means=true; and teacher.method is one of" AD_METHODS_WITH_MEANS AD_METHODS_WITH_SINGLE                   \
    " or teacher.window=1 or eval.means=true",                                                                         \
    "keep the other evaluated parameters too, in variants/, as they are after the last step")                          \
  X(COUNT, STOP, run_time_limit, "run.time_limit", "0", 0, 1e9, "", "",                                                \
    "seconds after which the run stops with a checkpoint (exit code 75), so early that the checkpoint fits in; 0: "    \
    "none")                                                                                                            \
  X(TEXT, STOP, run_signals, "run.signals", "TERM,USR1", 0, 0, "", "",                                                 \
    "signals at which the run stops with a checkpoint (exit code 75)")                                                 \
  X(TEXT, STOP, resume_allow, "resume.allow", "", 0, 0, "", "",                                                        \
    "what may differ from the run that is resumed, a list of: configuration, data, model, arithmetic; what is named "  \
    "here breaks the contract for that run")                                                                           \
  X(COUNT, STOP, checkpoint_every, "checkpoint.every", "0", 0, 1e15, "", "",                                           \
    "steps between checkpoints; 0: not by steps")                                                                      \
  X(REAL, STOP, checkpoint_minutes, "checkpoint.minutes", "10", 0, 1e6, "", "",                                        \
    "minutes between checkpoints; 0: not by the clock")                                                                \
  X(SWITCH, STOP, checkpoint_epoch, "checkpoint.epoch", "true", 0, 0, "", "", "a checkpoint at the end of each epoch") \
  X(COUNT, STOP, checkpoint_keep, "checkpoint.keep", "2", 1, 1e6, "", "", "newest checkpoints that are kept")          \
  X(SWITCH, STOP, checkpoint_finished, "checkpoint.finished", "false", 0, 0, "", "",                                   \
    "a finished run writes and keeps a checkpoint of its end, and those before it")                                    \
  X(CHOICE, STOP, checkpoint_full, "checkpoint.full", "stop", 0, 0, full, "",                                          \
    "what the run does when there is no room for a checkpoint")                                                        \
  X(CHOICE, LAYOUT, store_writer, "store.writer", "all", 0, 0, writer, "several ranks", "who writes a checkpoint")     \
  X(TEXT, INPUT, model_path, "model.path", "", 0, 0, "", "",                                                           \
    "Hugging Face folder of the pretrained encoder, a run whose result it is, or a model by name (minilm-l6, "         \
    "OWNER/NAME); empty: draw a new one with the sizes below")                                                         \
  X(TEXT, INPUT, model_vocab, "model.vocab", "", 0, 0, "", "model.path is empty", "vocab.txt of a new encoder")        \
  X(SWITCH, RESULT, model_cased, "model.cased", "false", 0, 0, "", "model.path is empty",                              \
    "a new encoder's tokenizer keeps case")                                                                            \
  X(COUNT, RESULT, model_hidden, "model.hidden", "128", 1, 65536, "", "model.path is empty",                           \
    "a new encoder: hidden size")                                                                                      \
  X(COUNT, RESULT, model_layers, "model.layers", "2", 1, 1000, "", "model.path is empty", "a new encoder: layers")     \
  X(COUNT, RESULT, model_heads, "model.heads", "2", 1, 1024, "", "model.path is empty",                                \
    "a new encoder: attention heads")                                                                                  \
  X(COUNT, RESULT, model_ffn, "model.ffn", "512", 1, 262144, "", "model.path is empty",                                \
    "a new encoder: feed-forward size")                                                                                \
  X(COUNT, RESULT, model_positions, "model.positions", "512", 8, 65536, "", "model.path is empty",                     \
    "a new encoder: longest input in tokens")                                                                          \
  X(CHOICE, RESULT, model_classifier, "model.classifier", "pooler", 0, 0, classifier, "", "what the classifier reads") \
  X(CHOICE, RESULT, model_head, "model.head", "auto", 0, 0, head_use, "model.path is set",                             \
    "what becomes of the classifier in the folder of model.path")                                                      \
  X(TEXT, RESULT, model_freeze, "model.freeze", "none", 0, 0, "", "",                                                  \
    "what is not trained: none, embeddings, encoder (feature extraction), or a number n: the embeddings and the "      \
    "first n layers")                                                                                                  \
  X(REAL, RESULT, model_dropout, "model.dropout", "-1", -1, 0.999, "", "",                                             \
    "dropout probability everywhere; -1: as the model's config.json says")                                             \
  X(TEXT, INPUT, data_descriptor, "data.descriptor", "", 0, 0, "", "",                                                 \
    "name or path of a dataset descriptor (datasets/NAME.yaml); several with commas between them: a task for each, "   \
    "trained at once; empty: what data.train looks like is found in it")                                               \
  X(TEXT, RESULT, data_task, "data.task", "", 0, 0, "", "",                                                            \
    "task in place of the descriptor's, also where there is none; empty: the descriptor's, else classification. "      \
    "Of several descriptors this key and the next four are lists of that length, whose items may be empty")            \
  X(TEXT, INPUT, data_folder, "data.folder", "", 0, 0, "",                                                             \
    "data.train is empty or data.dev is empty or data.test is empty",                                                  \
    "where the descriptor's files are; empty: as the descriptor says")                                                 \
  X(TEXT, INPUT, data_train, "data.train", "", 0, 0, "", "", "training file in place of the descriptor's")             \
  X(TEXT, INPUT, data_dev, "data.dev", "", 0, 0, "", "", "dev file in place of the descriptor's")                      \
  X(TEXT, INPUT, data_test, "data.test", "", 0, 0, "", "", "test file in place of the descriptor's")                   \
  X(COUNT, TOKENS, data_max_tokens, "data.max_tokens", "128", 5, 65536, "", "",                                        \
    "longer inputs are cut to so many tokens, [CLS] and [SEP] included")                                               \
  X(CHOICE, TOKENS, data_truncation, "data.truncation", "head", 0, 0, truncation, "data.max_tokens>130",               \
    "what stays of a long input")                                                                                      \
  X(COUNT, EXAMPLES, data_train_rows, "data.train_rows", "0", 0, 4294967294.0, "", "",                                 \
    "train on the first so many examples; 0: all")                                                                     \
  X(COUNT, EXAMPLES, data_per_class, "data.per_class", "0", 0, 4294967294.0, "", "",                                   \
    "train on the first so many examples of each class (all other ones are left out); 0: all")                         \
  X(COUNT, EXAMPLES, data_hold_out, "data.hold_out", "0", 0, 4294967294.0, "",                                         \
    "data.train is empty or data.dev is empty",                                                                        \
    "for data sets without a dev split: so many training examples, drawn once and for all seeds alike, become one")    \
  X(REAL, RESULT, data_temperature, "data.temperature", "1", 0.01, 1e6, "", "several tasks",                           \
    "of several tasks at once: the share of a task with N examples in the batches is in proportion to "                \
    "N^(1/temperature)")                                                                                               \
  X(TEXT, PLACE, data_cache, "data.cache", "", 0, 0, "", "",                                                           \
    "folder where tokenised data are kept for later runs, and from where the ranks of a node share them; made where "  \
    "there is none; empty: each run and rank tokenises for itself")                                                    \
  X(COUNT, RESULT, batch_size, "batch.size", "32", 1, 1048576, "", "", "examples in a step")                           \
  X(COUNT, RESULT, batch_lanes, "batch.lanes", "8", 1, 1024, "", "",                                                   \
    "lanes a batch is cut into: the unit of reproducibility, and the most ranks that can work")                        \
  X(COUNT, LAYOUT, batch_rounds, "batch.rounds", "1", 1, 1024, "", "batch.lanes>1",                                    \
    "rounds a step is computed in, to save activation memory (gradient accumulation); same bits")                      \
  X(CHOICE, RESULT, optim_schedule, "optim.schedule", "linear", 0, 0, schedule, "optim.warmup!=1",                     \
    "course of the learning rate after the warm-up")                                                                   \
  X(REAL, RESULT, optim_lr, "optim.lr", "2e-5", 0, 10, "",                                                             \
    "optim.head_lr=0 or model.freeze!=encoder or model.classifier=pooler", "highest learning rate")                    \
  X(REAL, RESULT, optim_head_lr, "optim.head_lr", "0", 0, 10, "", "",                                                  \
    "highest learning rate of the classifier; 0: optim.lr")                                                            \
  X(REAL, RESULT, optim_layer_decay, "optim.layer_decay", "1", 0.01, 1, "", "model.freeze!=encoder",                   \
    "factor on the learning rate for each layer further from the classifier")                                          \
  X(REAL, RESULT, optim_warmup, "optim.warmup", "0.1", 0, 1, "", "",                                                   \
    "share of the steps in which the learning rate rises from zero")                                                   \
  X(REAL, RESULT, optim_beta1, "optim.beta1", "0.9", 0, 0.999999, "", "", "AdamW: decay of the first moment")          \
  X(REAL, RESULT, optim_beta2, "optim.beta2", "0.999", 0, 0.9999999, "", "", "AdamW: decay of the second moment")      \
  X(REAL, RESULT, optim_eps, "optim.eps", "1e-8", 1e-30, 1, "", "", "AdamW: added to the root of the second moment")   \
  X(REAL, RESULT, optim_decay, "optim.decay", "0.01", 0, 10, "", "",                                                   \
    "AdamW: weight decay, not on biases and layer norms")                                                              \
  X(SWITCH, RESULT, optim_bias_correction, "optim.bias_correction", "true", 0, 0, "", "",                              \
    "AdamW: bias correction of the moments (BERT's own code has none)")                                                \
  X(REAL, RESULT, optim_clip, "optim.clip", "1", 0, 1e30, "none", "",                                                  \
    "gradients are scaled down to this global norm; 0 or none: never")                                                 \
  X(SWITCH, LAYOUT, optim_shard, "optim.shard", "true", 0, 0, "", "several ranks",                                     \
    "each rank updates its shard; false: every rank updates everything on a replica of its own (same bits, for "       \
    "comparison)")                                                                                                     \
  X(SWITCH, LAYOUT, comm_shared, "comm.shared", "true", 0, 0, "", "several ranks; and optim.shard=true",               \
    "the ranks of a node share one replica of the parameters; false: each has its own (same bits)")                    \
  X(CHOICE, RESULT, comm_reduction, "comm.reduction", "ordered", 0, 0, reduction, "several ranks",                     \
    "how gradients are summed over ranks")                                                                             \
  X(CHOICE, RESULT, teacher_method, "teacher.method", "none", 0, 0, teacher_method, "",                                \
    "what the student learns from besides labels")                                                                     \
  X(SPAN, RESULT, teacher_window, "teacher.window", "1", 1, 1e9, "",                                                   \
    "teacher.method is one of" AD_METHODS_WITH_WINDOW " or eval.means=true",                                           \
    "K, past students in the window; all: every one so far (K = T - 1)")                                               \
  X(COUNT, RESULT, teacher_every, "teacher.every", "1", 1, 1e9, "",                                                    \
    "teacher.method is one of" AD_METHODS_WITH_EVERY " or eval.means=true",                                            \
    "steps between two students that enter the window")                                                                \
  X(COUNT, RESULT, teacher_lag, "teacher.lag", "1", 0, 1, "", "teacher.method is one of" AD_METHODS_WITH_LAG,          \
    "steps between the student and the newest one its teacher has seen: 1 as in the paper, or 0")                      \
  X(REAL, RESULT, teacher_weight, "teacher.weight", "1", 0, 1e6, "",                                                   \
    "teacher.method is one of" AD_METHODS_WITH_WEIGHT,                                                                 \
    "lambda, the weight of the distance from the teacher in the loss")                                                 \
  X(REAL, RESULT, teacher_ramp, "teacher.ramp", "0", 0, 1, "",                                                         \
    "teacher.method is one of" AD_METHODS_WITH_WEIGHT "; and teacher.weight>0",                                        \
    "share of the steps in which that weight rises from zero on a line")                                               \
  X(COUNT, RESULT, teacher_start, "teacher.start", "1", 1, 1e15, "",                                                   \
    "teacher.method is one of" AD_METHODS_WITH_WEIGHT "; and teacher.weight>0",                                        \
    "first step in which the distance counts")                                                                         \
  X(CHOICE, RESULT, teacher_dropout, "teacher.dropout", "off", 0, 0, teacher_dropout,                                  \
    "teacher.method is one of" AD_METHODS_WITH_LAG "; and teacher.weight>0; and model.dropout!=0",                     \
    "dropout in the teacher\'s forward")                                                                               \
  X(REAL, RESULT, teacher_decay, "teacher.decay", "0.999", 0, 0.999999999, "",                                         \
    "teacher.method is one of" AD_METHODS_WITH_DECAY, "decay of the moving average of the student\'s parameters")      \
  X(CHOICE, LAYOUT, teacher_ring, "teacher.ring", "memory", 0, 0, ring,                                                \
    "teacher.method is one of" AD_METHODS_WITH_RING                                                                    \
    " or eval.means=true; and teacher.window!=all; and teacher.method is one of" AD_METHODS_WITH_MEANS                 \
    " or teacher.window!=1 or eval.means=true",                                                                        \
    "where the window\'s past parameters lie; same bits")                                                              \
  X(TEXT, PLACE, teacher_ring_folder, "teacher.ring_folder", "", 0, 0, "", "teacher.ring=disk",                        \
    "a folder on a disk of the node for the ring; empty: $TMPDIR or /tmp")                                             \
  X(COUNT, LENGTH, train_epochs, "train.epochs", "3", 1, 100000, "", "train.steps=0",                                  \
    "passes over the training examples")                                                                               \
  X(COUNT, LENGTH, train_steps, "train.steps", "0", 0, 1e15, "", "",                                                   \
    "stop after so many steps; 0: after train.epochs")                                                                 \
  X(COUNT, RESULT, train_patience, "train.patience", "0", 0, 1e9, "", "",                                              \
    "early stopping: the training ends after so many evaluations in a row (eval.every) none of which was better than " \
    "the best before (run.metric; an equal one is not); 0: never. run.select=best then keeps the best")                \
  X(TEXT, RESULT, train_class_weights, "train.class_weights", "none", 0, 0, "", "",                                    \
    "weights of the classes in the loss: none, balanced (in inverse proportion to their training examples), or a "     \
    "number for each class in the descriptor's order, as 1,2.5")                                                       \
  X(REAL, RESULT, train_label_smoothing, "train.label_smoothing", "0", 0, 1, "", "",                                   \
    "share of each label that goes to all classes alike")                                                              \
  X(REAL, RESULT, train_mask_rate, "train.mask_rate", "0.15", 0.001, 1, "", "hidden tokens",                           \
    "masked-language modelling: share of the tokens that are hidden; of these 80 % become the mask token, 10 % any "   \
    "other, 10 % stay. Evaluations always hide 0.15")                                                                  \
  X(SWITCH, RESULT, train_mask_whole_words, "train.mask_whole_words", "false", 0, 0, "", "hidden tokens",              \
    "masked-language modelling: the tokens of a word are hidden together")                                             \
  X(CHOICE, RESULT, train_precision, "train.precision", "float32", 0, 0, precision, "",                                \
    "numbers that products of linear layers multiply")                                                                 \
  X(COUNT, RESULT, eval_every, "eval.every", "0", 0, 1e15, "", "a dev split",                                          \
    "steps between evaluations on dev; 0: at the end of each epoch")                                                   \
  X(COUNT, RESULT, eval_batch, "eval.batch", "64", 1, 65536, "", "", "examples in a batch of an evaluation")           \
  X(SWITCH, RESULT, eval_means, "eval.means", "false", 0, 0, "", "teacher.method is one of" AD_METHODS_WITHOUT_MEANS,  \
    "also evaluate the mean of the students over the run (SE) and over the window; implied by these values of "        \
    "teacher.method:" AD_METHODS_WITH_MEANS)                                                                           \
  X(SWITCH, OBSERVATION, eval_keep_logits, "eval.keep_logits", "false", 0, 0, "", "a dev split",                       \
    "keep the logits of every evaluation in logits/")                                                                  \
  X(COUNT, OBSERVATION, snapshot_every, "snapshot.every", "0", 0, 1e15, "", "",                                        \
    "steps between two snapshots, numbers kept for the analysis of variance; 0: none of this kind")                    \
  X(COUNT, OBSERVATION, snapshot_dense, "snapshot.dense", "0", 0, 1e15, "", "",                                        \
    "the first so many steps all have a snapshot")                                                                     \
  X(REAL, OBSERVATION, snapshot_growth, "snapshot.growth", "0", 0, 1000, "", "",                                       \
    "after these the steps of snapshots grow by this factor, from 1.01; 0: none of this kind")                         \
  X(TEXT, OBSERVATION, snapshot_steps, "snapshot.steps", "", 0, 0, "", "",                                             \
    "further steps with a snapshot, as 1,10,100")                                                                      \
  X(TEXT, OBSERVATION, snapshot_content, "snapshot.content", "scalars,norms,sketch,probe", 0, 0, "",                   \
    AD_WITH_SNAPSHOTS,                                                                                                 \
    "what a snapshot has: some of scalars, norms (of each tensor), sketch (of the parameters), probe (logits), "       \
    "parameters (all of them)")                                                                                        \
  X(COUNT, OBSERVATION, snapshot_sketch, "snapshot.sketch", "1024", 16, 65536, "",                                     \
    AD_WITH_SNAPSHOTS "; and snapshot.content has sketch",                                                             \
    "buckets of the sketch, a power of two: squared distances are known to about sqrt(2 / buckets)")                   \
  X(COUNT, OBSERVATION, snapshot_probe, "snapshot.probe", "64", 1, 1e9, "",                                            \
    AD_WITH_SNAPSHOTS "; and snapshot.content has probe; and a dev split", "the probe: so many first examples of dev") \
  X(COUNT, OBSERVATION, snapshot_probe_every, "snapshot.probe_every", "64", 1, 1e15, "",                               \
    AD_WITH_SNAPSHOTS "; and snapshot.content has probe; and a dev split",                                             \
    "steps in which each example of the probe is evaluated once: a snapshot has those whose turn came since the one "  \
    "before, the last has all")                                                                                        \
  X(COUNT, STOP, snapshot_budget, "snapshot.budget", "0", 0, 9007199254740991.0, "", AD_WITH_SNAPSHOTS,                \
    "most bytes of a run's snapshots before compression: more are refused before the run; 0: any")                     \
  X(COUNT, SEED, seed_init, "seed.init", "0", 0, 9007199254740991.0, "", "new weights", "seed of new weights")         \
  X(COUNT, SEED, seed_order, "seed.order", "0", 0, 9007199254740991.0, "", "", "seed of the order of the examples")    \
  X(COUNT, SEED, seed_dropout, "seed.dropout", "0", 0, 9007199254740991.0, "", "model.dropout!=0 or hidden tokens",    \
    "seed of the dropout masks, and of which tokens are hidden")

/* The sections, which are the first parts of the keys, in the table's order. X(name, what its keys are about). */
#define AD_CONFIG_SECTION_MAP(X)                            \
  X(run, "the run's folder, its result, and when it stops") \
  X(resume, "a run that goes on")                           \
  X(checkpoint, "checkpoints, from which a run goes on")    \
  X(store, "how files are written")                         \
  X(model, "the encoder and its classifier")                \
  X(data, "the examples")                                   \
  X(batch, "the examples of a step")                        \
  X(optim, "the optimizer")                                 \
  X(comm, "what ranks exchange")                            \
  X(teacher, "self-distillation and self-ensemble")         \
  X(train, "how long and how finely it trains")             \
  X(eval, "evaluations on dev during training")             \
  X(snapshot, "numbers that are kept of chosen steps")      \
  X(seed, "the three streams of random numbers")

/* Fields of the keys to look at first, which the lists of keys mark. */
#define AD_CONFIG_FIRST_MAP(X) \
  X(run_dir)                   \
  X(run_select)                \
  X(model_path)                \
  X(data_descriptor) X(data_max_tokens) X(batch_size) X(optim_lr) X(train_epochs) X(teacher_method) X(seed_init)

/* Fields of the keys that are younger than the first recorded studies: a plan without such a key has its default, and
 * at its default it is no part of a cell's id. */
#define AD_CONFIG_YOUNGER_MAP(X) \
  X(run_metric)                  \
  X(train_patience)              \
  X(train_class_weights)         \
  X(train_label_smoothing) X(data_task) X(train_mask_rate) X(train_mask_whole_words) X(data_temperature)

/* Fields of the keys whose value may be a list, which a YAML file may also write as one: [a, b] is "a,b". */
#define AD_CONFIG_LISTS_MAP(X) X(data_descriptor) X(data_task) X(data_folder) X(data_train) X(data_dev) X(data_test)

#define AD_CONFIG_TYPE_TEXT(set) char *
#define AD_CONFIG_TYPE_COUNT(set) uint64_t
#define AD_CONFIG_TYPE_REAL(set) double
#define AD_CONFIG_TYPE_SWITCH(set) int
#define AD_CONFIG_TYPE_SPAN(set) uint64_t
#define AD_CONFIG_TYPE_CHOICE(set) enum ad_##set

/* The number of each key: AD_KEY_ and its field. */
enum ad_key {
#define AD_CONFIG_KEY(kind, role, field, ...) AD_KEY_##field,
  AD_CONFIG_MAP(AD_CONFIG_KEY)
#undef AD_CONFIG_KEY
      AD_CONFIG_KEYS
};

struct ad_config {
#define AD_CONFIG_FIELD(kind, role, field, key, initial, lowest, highest, choices, ...) \
  AD_CONFIG_TYPE_##kind(choices) field;
  AD_CONFIG_MAP(AD_CONFIG_FIELD)
#undef AD_CONFIG_FIELD
  unsigned char given[AD_CONFIG_KEYS]; /* 1: somebody asked for the value; in the table's order */
};

/* Every key at its default. The caller owns the texts: ad_config_destroy. AD_ENOMEM. */
int ad_config_create(struct ad_config *config);
void ad_config_destroy(struct ad_config *config);

/* Sets one key from text; `place` ("run.yaml:7") opens the message. AD_ECONFIG: unknown key (the nearest one is named),
 * a value of the wrong type or out of range (what was found, what was expected), a text that is no UTF-8. */
int ad_config_set(struct ad_config *config, const char *place, const char *key, const char *value);

/* The same for the value that a key has where nobody asks for another: it does not count as given. */
int ad_config_set_default(struct ad_config *config, const char *key, const char *value);

/* Gives all keys of a role their defaults; they count as not given. AD_ENOMEM. */
int ad_config_reset(struct ad_config *config, enum ad_role role);

/* Sets keys from a YAML file (nested mappings are dotted keys). Where a file has more than half of all keys, it is the
 * resolved configuration of a run: nobody gave them, and one without model.head is of a version that drew every
 * classifier anew, so that it means new. AD_EINPUT, AD_ECONFIG, AD_ENOMEM. */
int ad_config_read(struct ad_config *config, const char *path);

/* Sets one key from "key=value". AD_ECONFIG. */
int ad_config_override(struct ad_config *config, const char *assignment);

/* Appends the resolved configuration as YAML, all keys in the table's order, numbers to full precision. AD_ENOMEM. */
int ad_config_print(const struct ad_config *config, struct ad_buffer *out);

/* Keys in the table's order; NULL after the last. Static storage. */
const char *ad_config_key(size_t i);

/* What a known key decides, whether a change of it keeps the bits (1), and what counts of it. An unknown key: as a key
 * of role result. */
enum ad_role ad_config_role(const char *key);
int ad_config_keeps_bits(const char *key);
enum ad_identity ad_config_identity(const char *key);

/* 1 where a known key is one of AD_CONFIG_LISTS_MAP. */
int ad_config_is_list(const char *key);

/* Of a key of AD_CONFIG_YOUNGER_MAP its default, as ad_config_get has it; NULL: it is none. */
const char *ad_config_younger(const char *key);

/* What the values of a known key are, choices and spans being texts; and the table's sentence about it. An unknown key:
 * texts, "". Static storage. */
enum ad_config_values { AD_VALUES_TEXT, AD_VALUES_COUNT, AD_VALUES_REAL, AD_VALUES_SWITCH };
enum ad_config_values ad_config_values(const char *key);
const char *ad_config_meaning(const char *key);

/* Appends the value of a known key as ad_config_print writes it, texts without their quotes. AD_ECONFIG (unknown key),
 * AD_ENOMEM. */
int ad_config_get(const struct ad_config *config, const char *key, struct ad_buffer *out);

/* What a configuration alone does not tell: 1, 0, or -1 where it is not known yet (a condition on it then counts as
 * met). NULL in place of a pointer to it: nothing is known. */
struct ad_config_facts {
  int dev;    /* there are examples to evaluate on during training */
  int ranks;  /* several ranks train together */
  int drawn;  /* some weights are drawn: the model's folder lacks them, or there is none */
  int hidden; /* the task is masked-language modelling */
  int tasks;  /* there are several tasks */
};

/* The condition under which a key has an effect, as the table has it; "" for always. Static storage. */
const char *ad_config_condition(const char *key);

/* 1 where a key has an effect in this configuration. */
int ad_config_has_effect(const struct ad_config *config, const struct ad_config_facts *facts, const char *key);

/* 1 where a key was given, with a value other than its default, and has no effect. */
int ad_config_is_idle(const struct ad_config *config, const struct ad_config_facts *facts, const char *key);

/* A warning for each such key, with its value and its condition. No error, so that the keys of one teacher.method can
 * stay in a file where others are tried. AD_ENOMEM. */
int ad_config_warn_idle(const struct ad_config *config, const struct ad_config_facts *facts);

/* A name under which other programs have one of these keys, or what there is here in its place. */
struct ad_config_alias {
  const char *name; /* letters, digits and _ */
  const char *keys; /* keys of the table with a space between them; "" where there is none */
  const char *note; /* "" or what else is to be known */
};

/* All such names; *count of them. Static storage. */
const struct ad_config_alias *ad_config_aliases(size_t *count);

/* Appends what is meant by a key that is not in the table: "it is 'optim.lr' here", "expected one of ...". AD_ENOMEM.
 */
int ad_config_suggest(const char *key, struct ad_buffer *out);

/* Levenshtein distance of the first 63 characters, for suggestions after an unknown word. */
size_t ad_edit_distance(const char *a, const char *b);

/* Appends the table of keys, section by section: as text for people, or as the Markdown of docs/configuration.md.
 * AD_ENOMEM. */
int ad_config_help(struct ad_buffer *out, int markdown);

/* The same text for the keys whose name, help or choices match a pattern: a part of them, or where it holds *, ? or [,
 * a glob for the whole name. Capital letters match small ones. AD_ECONFIG (none matches: what may be meant), AD_ENOMEM.
 */
int ad_config_search(const char *pattern, struct ad_buffer *out);

/* Appends the roles and their keys, as the table in docs/reproducibility.md. AD_ENOMEM. */
int ad_config_roles(struct ad_buffer *out);

#endif
