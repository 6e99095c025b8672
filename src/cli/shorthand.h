/* Options that stand for keys of the configuration, for commands that read data: train, data, order. Not installed. */
#ifndef AUTODIDACT_CLI_SHORTHAND_H
#define AUTODIDACT_CLI_SHORTHAND_H

#include "arguments.h"
#include "autodidact/run/session.h"

/* X(option, value, key, help). */
#define SHORTHAND_MAP(X)                                                                                  \
  X(train, "FILE", "data.train", "Texts and labels to train on: CSV, TSV or JSON lines (data.train)")     \
  X(dev, "FILE", "data.dev", "The same to evaluate on during training (data.dev); else a tenth of train") \
  X(test, "FILE", "data.test", "The same for the end (data.test)")                                        \
  X(out, "DIR", "run.dir", "Folder of the run (run.dir); else runs/ and the name of the training file")   \
  X(model, "DIR|NAME", "model.path",                                                                      \
    "Pretrained encoder (model.path): a folder, or the name of a model to be fetched, minilm-l6 or OWNER/NAME")

struct shorthand {
#define SHORTHAND_FIELD(option, value, key, help) const char *option;
  SHORTHAND_MAP(SHORTHAND_FIELD)
#undef SHORTHAND_FIELD
  struct ad_detect_columns columns;
};

enum { SHORTHAND_OPTIONS = 8 };

/* Fills options [SHORTHAND_OPTIONS], which set `s`. */
void shorthand_options(struct shorthand *s, struct argument *options);

/* The words that ad_session_configure takes: positional [count] with the options as key=value behind the file and
 * before the keys. A first word that names a table or JSON lines is the training file. *words [*total] is one block,
 * the caller's. AD_ENOMEM. */
int shorthand_words(const struct shorthand *s, size_t count, char **positional, char ***words, size_t *total);

/* Parses a command line into the configuration of a new session (ad_session_destroy, after a failure too); `arguments`
 * has options that set `s`. *given 0: only the help was wanted. AD_ECONFIG, AD_EINPUT, AD_ENOMEM. */
int shorthand_configure(const struct arguments *arguments, const struct shorthand *s, int argc, char **argv,
                        struct ad_session *session, int *given);

/* Then descriptor and tokenizer, with warnings of what has no effect. Without a model there is no tokenizer; needed 1:
 * that is AD_ECONFIG. Other errors as above. */
int shorthand_load(struct ad_session *session, int needed);

#endif
