/* Whether several runs can be combined. */
#include <string.h>
#include <sys/stat.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/run/ensemble.h"

/* What must be the same, as text for people: these, and keys of the configuration. */
enum { DESCRIPTOR, CLASSES, VOCABULARY, TOKENIZER, SHAPE, DATA, FIRST_KEY, PROPERTIES = FIRST_KEY + AD_CONFIG_KEYS };

static const char *name_of(size_t property) {
  static const char *const names[FIRST_KEY] = {"the descriptor", "the classes", "the vocabulary",
                                               "the tokenizer",  "the model",   "the data"};
  return property < FIRST_KEY ? names[property] : ad_config_key(property - FIRST_KEY);
}

struct identity {
  struct ad_buffer text[PROPERTIES]; /* empty: not asked for */
};

static void identity_destroy(struct identity *identity) {
  for (size_t i = 0; i < PROPERTIES; i++) {
    ad_buffer_destroy(&identity->text[i]);
  }
}

static int describe_keys(const struct ad_config *config, enum ad_role role, struct identity *identity) {
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    if (ad_config_role(ad_config_key(i)) == role) {
      AD_TRY(ad_config_get(config, ad_config_key(i), &identity->text[FIRST_KEY + i]));
    }
  }
  return AD_OK;
}

static int describe_inputs(const struct ad_session *s, struct identity *identity) {
  char hex[17];
  AD_TRY(ad_buffer_printf(&identity->text[DESCRIPTOR], "\"%s\" (%s, digest %s)", s->descriptor.title,
                          s->descriptor.name, ad_digest_text(s->descriptor.digest, hex)));
  AD_TRY(ad_buffer_printf(&identity->text[VOCABULARY], "%zu entries with digest %s", ad_tokenizer_vocab(s->tokenizer),
                          ad_digest_text(ad_tokenizer_digest(s->tokenizer), hex)));
  const struct ad_tokenizer_options t = ad_tokenizer_options(s->tokenizer);
  AD_TRY(ad_buffer_printf(&identity->text[TOKENIZER], "lower_case %d, strip_accents %d, split_cjk %d", t.lower_case,
                          t.strip_accents, t.split_cjk));
  return describe_keys(&s->config, AD_ROLE_TOKENS, identity);
}

/* What decides which rows a split has, besides the descriptor. */
static int describe_split(const struct ad_session *s, enum ad_split split, struct identity *identity) {
  const struct ad_read_options options = {.folder = s->config.data_folder, .labels = 1};
  uint64_t digest;
  char hex[17];
  AD_TRY(ad_dataset_digest(&s->descriptor, split, &options, &digest));
  AD_TRY(
      ad_buffer_printf(&identity->text[DATA], "%s with digest %s", ad_split_name(split), ad_digest_text(digest, hex)));
  return describe_keys(&s->config, AD_ROLE_EXAMPLES, identity);
}

static int describe_model(const char *folder, struct identity *identity) {
  struct ad_model_config m = {0};
  struct ad_names classes = {0};
  AD_TRY(ad_model_read_config(folder, &m, &classes));
#define AD_SIZE_FORMAT(field, name) ", " name " %u"
#define AD_SIZE_VALUE(field, name) , m.field
  int status = ad_buffer_printf(
      &identity->text[SHAPE], "%s" AD_MODEL_SIZES(AD_SIZE_FORMAT) ", epsilon %.9g, %s, classifier on the %s",
      ad_architecture_title(m.architecture) AD_MODEL_SIZES(AD_SIZE_VALUE), (double)m.layer_norm_eps,
      ad_activation_name(m.activation), m.classifier == AD_CLASSIFIER_POOLER ? "pooler" : "[CLS] state");
#undef AD_SIZE_FORMAT
#undef AD_SIZE_VALUE
  if (status == AD_OK && classes.count == 0) {
    status = ad_buffer_puts(&identity->text[CLASSES], "(no names)");
  }
  for (size_t i = 0; status == AD_OK && i < classes.count; i++) {
    status = ad_buffer_printf(&identity->text[CLASSES], "%s%s", i == 0 ? "" : ", ", classes.items[i]);
  }
  ad_names_destroy(&classes);
  return status;
}

static int describe(struct ad_session *s, const char *run, const struct ad_ensemble_options *options,
                    struct identity *identity) {
  const enum ad_split split = ad_split_find(options->data);
  AD_TRY(ad_session_open_run(s, run));
  AD_TRY(ad_session_open_data(s, run, &options->where));
  char *model;
  AD_TRY(ad_session_model_folder(run, options->model, &model));
  int status = ad_session_load_tokenizer(s, model);
  if (status == AD_OK) {
    status = describe_inputs(s, identity);
  }
  if (status == AD_OK) {
    status = describe_model(model, identity);
  }
  ad_free(model);
  return status == AD_OK && split < AD_SPLITS ? describe_split(s, split, identity) : status;
}

static int describe_run(const char *run, const struct ad_ensemble_options *options, struct identity *identity) {
  struct ad_session session;
  AD_TRY(ad_session_create(&session, NULL));
  const int status = describe(&session, run, options, identity);
  ad_session_destroy(&session);
  return status;
}

static int compare(const char *a, const struct identity *first, const char *b, const struct identity *other) {
  for (size_t i = 0; i < PROPERTIES; i++) {
    const char *x = first->text[i].data, *y = other->text[i].data;
    if (x != NULL && y != NULL && strcmp(x, y) != 0) {
      return ad_fail(AD_ECONFIG, "%s and %s cannot be combined: %s: expected %s as in the first, found %s", a, b,
                     name_of(i), x, y);
    }
  }
  return AD_OK;
}

/* Links and other spellings of a path lead to the same folder. */
static int refuse_doubled(char *const *runs, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < i; j++) {
      struct stat a, b;
      if (stat(runs[j], &a) == 0 && stat(runs[i], &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
        return ad_fail(AD_ECONFIG, "%s and %s are the same folder: expected each run once", runs[j], runs[i]);
      }
    }
  }
  return AD_OK;
}

int ad_ensemble_check(const struct ad_ensemble_options *options) {
  char *const *runs = options->runs;
  const size_t count = options->count;
  AD_TRY(refuse_doubled(runs, count));
  struct identity first = {0};
  int status = describe_run(runs[0], options, &first);
  for (size_t k = 1; status == AD_OK && k < count; k++) {
    struct identity other = {0};
    status = describe_run(runs[k], options, &other);
    if (status == AD_OK) {
      status = compare(runs[0], &first, runs[k], &other);
    }
    identity_destroy(&other);
  }
  identity_destroy(&first);
  return status;
}
