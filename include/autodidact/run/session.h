/* What commands share: configuration, descriptor, tokenizer, model and data, loaded together. Words: docs/glossary.md.
 */
#ifndef AUTODIDACT_RUN_SESSION_H
#define AUTODIDACT_RUN_SESSION_H

#include "autodidact/base/config.h"
#include "autodidact/data/columns.h"
#include "autodidact/data/dataset.h"
#include "autodidact/data/detect.h"
#include "autodidact/learn/teacher.h"
#include "autodidact/math/context.h"
#include "autodidact/model/huggingface.h"
#include "autodidact/store/run_inputs.h"
#include "autodidact/text/tokenizer.h"

struct ad_session {
  const struct ad_math *math; /* NULL where nothing is computed; not owned */
  struct ad_config config;
  const char *file; /* that the configuration is from; NULL: not known; not owned */
  struct ad_descriptor descriptor;
  struct ad_detect_columns columns; /* what is known where there is no descriptor */
  const char *task;                 /* the one of several that the model's head is of; NULL: all; not owned */
  int detected;                     /* 1: the descriptor was found in the data (ad_session_detect) */
  struct ad_buffer told;            /* what was found there: lines for people */
  struct ad_run_inputs inputs;      /* of a run that was opened */
  int unfinished;                   /* 1: of that run the checkpoint after step `checkpoint` is used */
  uint64_t checkpoint;
  struct ad_file_map input; /* the bytes of a file that --data names, and what messages call it; NULL: none yet */
  const char *input_name;   /* not owned */
  struct ad_tokenizer *tokenizer;
  struct ad_params params;
  float *theta; /* [P] */
  struct ad_model_report report;
};

/* Configuration at its defaults; everything else empty. AD_ENOMEM. */
int ad_session_create(struct ad_session *session, const struct ad_math *math);
void ad_session_destroy(struct ad_session *session);

/* Applies CONFIG.yaml and key=value arguments: positional [count], the first of them the file, unless it is key=value
 * itself. Paths in the file are those from the current folder or, where nothing is there, from the file's own. Without
 * run.dir and data.descriptor the run's folder is runs/NAME, by the name of data.train.
 * AD_ECONFIG, AD_EINPUT. */
int ad_session_configure(struct ad_session *session, size_t count, char *const *positional);

/* The configuration of a finished run. AD_EINPUT where the folder is not one, or the run is not complete. */
int ad_session_open_run(struct ad_session *session, const char *run);

/* The same of a run that may not be finished: session->unfinished says so. */
int ad_session_open_any_run(struct ad_session *session, const char *run);

/* The descriptor of an opened run, from its folder, and where its data are. */
struct ad_session_data_options {
  const char *folder; /* where the data set's files are now, or NULL */
  unsigned refused;   /* kinds of changes (AD_CHANGED_*) in the descriptor's file that are refused; others warn */
  int own;            /* 1: none is refused */
  int optional;       /* 1: a run without a descriptor of its own goes without */
  const char *task;   /* of a run of several tasks the one that is meant; NULL: all of them */
};

/* Loads it, as the run was trained with it, data.hold_out included, so that the splits can be read from anywhere. A run
 * made before descriptors were kept takes the configuration's. AD_EINPUT, AD_ECONFIG, AD_EIO, AD_ENOMEM. */
int ad_session_open_data(struct ad_session *session, const char *run, const struct ad_session_data_options *options);

/* A warning where a split is not what the run has read, or not what the descriptor expects. */
void ad_session_tell_changed_data(const struct ad_session *session, enum ad_split split, const struct ad_dataset *data);

/* Descriptor and tokenizer of the configuration, hold-out of its own; the tokenizer from model_folder where not NULL.
 * Without data.descriptor, data.train is looked at (ad_session_detect). A model.path that is a name is fetched, and is
 * the folder from then on (run/model_name.h). */
int ad_session_load_descriptor(struct ad_session *session);
int ad_session_hold_out(struct ad_session *session);
int ad_session_load_tokenizer(struct ad_session *session, const char *model_folder);

/* Finds a descriptor in the files of data.train, data.dev and data.test. The configuration then is one that names the
 * descriptor (run.dir/descriptor.yaml) and data.folder, and no files. What was decided is in `told`. AD_EINPUT,
 * AD_ECONFIG, AD_ENOMEM. */
int ad_session_detect(struct ad_session *session);

/* The same as a text for a file in `folder`, appended to `text`; nothing but `told` changes. */
int ad_session_detect_text(struct ad_session *session, const char *folder, struct ad_buffer *text);

/* Logs what was found; nothing where there was a descriptor. */
void ad_session_tell_detected(const struct ad_session *session);

/* The pretrained encoder, its classifier as model.head says, or a new encoder (train). */
int ad_session_load_base(struct ad_session *session);

/* Opens that folder, which the configuration must name, without reading values: what would become of it. The caller
 * owns the model. Errors as of ad_model_open. */
int ad_session_open_base(const struct ad_session *session, struct ad_model **model);

/* Appends one sentence: where the head is from, and why; folder "": a new encoder. AD_ENOMEM. */
int ad_session_describe_head(const char *folder, const struct ad_model_config *model,
                             const struct ad_model_report *report, struct ad_buffer *text);

/* One warning that names the unknown keys of the folder's config.json, where there are any. AD_ENOMEM. */
int ad_session_warn_keys(const char *folder, const struct ad_model_report *report);

/* In which precision an opened run is evaluated: in that of its training, or where `name` is not NULL in the one of
 * this name. train.precision of the configuration says it from then on, and a line of the log unless both are float32.
 * AD_ECONFIG. */
int ad_session_choose_precision(struct ad_session *session, const char *name);

/* Whether a Hugging Face folder holds a masked language model; *masked 0 where it is no such folder. AD_EINPUT,
 * AD_ENOMEM. */
int ad_session_is_masked_lm(const char *folder, int *masked);

/* A model with its head (eval, predict) from a Hugging Face folder: a classifier, or that of a masked language model.
 */
int ad_session_load_classifier(struct ad_session *session, const char *model_folder);

/* Tokenizer and model of an opened run: its result where variant is NULL, else "student", "teacher", "window" or "run"
 * (learn/teacher.h), which may be the result itself. Of one that is not finished, by the function below. */
int ad_session_load_result(struct ad_session *session, const char *run, const char *variant);

/* Tokenizer and model of an opened run by its newest good checkpoint, and a line of the log that says of which step:
 * the student where variant is NULL, else also "teacher" where the checkpoint holds it as a vector. Reads the model
 * that the run began from. AD_EINPUT (no good checkpoint, or not with these parameters), AD_ECONFIG, AD_EIO, AD_ENOMEM.
 */
int ad_session_load_checkpoint(struct ad_session *session, const char *run, const char *variant);

/* The folder of that model; the caller frees it. AD_ECONFIG (no such variant), AD_EINPUT
 * (the run has not kept it: what it has), AD_ENOMEM. */
int ad_session_model_folder(const char *run, const char *variant, char **folder);

/* AD_OK where the loaded model of `run` has the classes of the descriptor, in its order. AD_EINPUT. */
int ad_session_check_classes(const struct ad_session *session, const char *run, const struct ad_descriptor *descriptor);

/* Reads one split; `file` in place of the descriptor's where not NULL. */
int ad_session_read(struct ad_session *session, enum ad_split split, const char *file, int labels,
                    struct ad_dataset *data);

/* Where descriptors named without a path are: AUTODIDACT_DATASETS, the installed or the source folder, ./datasets. */
const char *ad_session_datasets(void);

/* Reads what --data names: "train", "dev" or "test" for a split of the descriptor, otherwise a file in the layout of
 * its test split (dev or train where it has none). A file of that name in the current folder is meant by "./test".
 * labels 1: each row needs one, and rows that the descriptor leaves out are left out; 0: for predictions, every_row of
 * struct ad_read_options. */
int ad_session_read_named(struct ad_session *session, const char *name, int labels, struct ad_dataset *data);

/* The layout by which that is read with labels 0. The session's. */
const struct ad_source *ad_session_named_source(const struct ad_session *session, const char *name);

/* The columns that the rows have in the file itself, of what ad_session_read_named has read with labels 0. The caller
 * closes them, after a failure too. AD_ECONFIG (a selection of a file's rows), AD_EINPUT, AD_ENOMEM. */
int ad_session_open_columns(const struct ad_session *session, const char *name, struct ad_columns_reader **columns);

/* Standard input as --data names it: rank 0 reads it, and all ranks have it. */
#define AD_SESSION_STDIN "-"

/* Maps a file, packed by gzip or not, or reads standard input, into session->input, once: a pipe has its bytes once
 * only. For "-" collective over the world. AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_session_open_input(struct ad_session *session, const char *name);

/* Plain text for prediction, opened as above: one example a line, a TAB between the texts of a pair; no labels.
 * AD_EINPUT with the line. */
int ad_session_read_lines(struct ad_session *session, const char *name, size_t limit, enum ad_truncation truncation,
                          struct ad_dataset *data);

/* One example of one text, or of two (pair NULL: one). AD_EINPUT: no UTF-8, no words, a pair for a model of one type.
 */
int ad_session_read_text(struct ad_session *session, const char *text, const char *pair, size_t limit,
                         enum ad_truncation truncation, struct ad_dataset *data);

/* What a configuration says of the teacher, but for the folder of a ring on disk. */
struct ad_teacher_settings ad_session_teacher(const struct ad_config *config);

#endif
