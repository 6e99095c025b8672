#include "autodidact/data/survey.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"

/* An example by its tokens. */
struct print {
  uint64_t digest;
  size_t example;
};

static int compare_prints(const void *a, const void *b) {
  const struct print *x = a, *y = b;
  if (x->digest != y->digest) {
    return x->digest < y->digest ? -1 : 1;
  }
  return x->example < y->example ? -1 : x->example > y->example;
}

/* Sorted prints [N]. The caller owns them. */
static int make_prints(const struct ad_dataset *d, struct print **prints) {
  *prints = ad_malloc(d->count, sizeof **prints);
  if (*prints == NULL) {
    return ad_fail_memory(d->count * sizeof **prints, "the digests of the examples");
  }
  for (size_t i = 0; i < d->count; i++) {
    const uint64_t ids = ad_digest(d->ids + d->offset[i], ad_dataset_length(d, i) * sizeof *d->ids);
    (*prints)[i] = (struct print){ad_digest_pair(ids, d->first[i]), i};
  }
  if (d->count > 0) {
    qsort(*prints, d->count, sizeof **prints, compare_prints);
  }
  return AD_OK;
}

static void count_unknown(const struct ad_dataset *d, uint32_t unknown, struct ad_survey *survey) {
  for (size_t i = 0; i < d->count; i++) {
    size_t found = 0;
    for (size_t t = d->offset[i]; t < d->offset[i + 1]; t++) {
      found += d->ids[t] == unknown;
    }
    survey->unknown_tokens += found;
    survey->unknown_examples += found > 0;
  }
}

static void count_repeated(const struct ad_dataset *d, const struct print *prints, struct ad_survey *survey) {
  size_t first = 0;
  for (size_t i = 1; i < d->count; i++) {
    if (prints[i].digest != prints[first].digest) {
      first = i;
      continue;
    }
    survey->repeated++;
    survey->contradicted += memcmp(ad_dataset_label(d, prints[i].example), ad_dataset_label(d, prints[first].example),
                                   d->words * sizeof *d->label) != 0;
  }
}

static size_t count_shared(const struct print *train, size_t trained, const struct print *other, size_t count) {
  size_t shared = 0;
  for (size_t i = 0, t = 0; i < count; i++) {
    while (t < trained && train[t].digest < other[i].digest) {
      t++;
    }
    shared += t < trained && train[t].digest == other[i].digest;
  }
  return shared;
}

int ad_survey_make(const struct ad_dataset *data, const struct ad_tokenizer *tokenizer,
                   struct ad_survey survey[AD_SPLITS]) {
  const uint32_t unknown = ad_tokenizer_unknown(tokenizer);
  struct print *prints[AD_SPLITS] = {0};
  int status = AD_OK;
  for (enum ad_split s = 0; status == AD_OK && s < AD_SPLITS; s++) {
    survey[s] = (struct ad_survey){0};
    status = make_prints(&data[s], &prints[s]);
    if (status == AD_OK) {
      count_unknown(&data[s], unknown, &survey[s]);
      count_repeated(&data[s], prints[s], &survey[s]);
    }
  }
  for (enum ad_split s = AD_SPLIT_TRAIN + 1; status == AD_OK && s < AD_SPLITS; s++) {
    survey[s].in_train = count_shared(prints[AD_SPLIT_TRAIN], data[AD_SPLIT_TRAIN].count, prints[s], data[s].count);
  }
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    ad_free(prints[s]);
  }
  return status;
}

/* --- What is said. */

static double percent(size_t part, size_t whole) {
  return whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;
}

static int print_split(struct ad_buffer *out, const struct ad_dataset *d, enum ad_split split,
                       const struct ad_survey *s) {
  AD_TRY(ad_buffer_printf(out, "  %-5s  unknown tokens %zu (%.2f%%), in %zu texts (%.2f%%); repeated %zu",
                          ad_split_name(split), s->unknown_tokens, percent(s->unknown_tokens, d->offset[d->count]),
                          s->unknown_examples, percent(s->unknown_examples, d->count), s->repeated));
  return split == AD_SPLIT_TRAIN ? ad_buffer_puts(out, "\n")
                                 : ad_buffer_printf(out, "; also in train %zu\n", s->in_train);
}

static void warn_unknown(const struct ad_dataset *d, enum ad_split split, const struct ad_survey *s) {
  const size_t tokens = d->offset[d->count];
  if ((double)s->unknown_tokens >= AD_SURVEY_UNKNOWN * (double)tokens && s->unknown_tokens > 0) {
    ad_log(AD_LOG_WARNING,
           "%s: %.1f%% of the tokens are unknown to the vocabulary, in %.1f%% of the texts: the model cannot tell them "
           "apart; is it made for this language?",
           ad_split_name(split), percent(s->unknown_tokens, tokens), percent(s->unknown_examples, d->count));
  }
}

void ad_survey_warn_unknown(const struct ad_dataset *dataset, enum ad_split split,
                            const struct ad_tokenizer *tokenizer) {
  struct ad_survey survey = {0};
  count_unknown(dataset, ad_tokenizer_unknown(tokenizer), &survey);
  warn_unknown(dataset, split, &survey);
}

static void warn_split(const struct ad_dataset *d, enum ad_split split, const struct ad_survey *s) {
  const char *name = ad_split_name(split);
  warn_unknown(d, split, s);
  if (s->repeated > 0) {
    ad_log(AD_LOG_WARNING, "%s: %zu example%s the tokens of an earlier one, %zu of them with another label", name,
           s->repeated, s->repeated == 1 ? " has" : "s have", s->contradicted);
  }
  if (s->in_train > 0) {
    ad_log(AD_LOG_WARNING, "%s: %zu example%s the tokens of one in train: scores on them say little", name, s->in_train,
           s->in_train == 1 ? " has" : "s have");
  }
}

static void count_classes(const struct ad_dataset *d, size_t C, size_t *count) {
  for (size_t i = 0; i < d->count; i++) {
    const uint32_t *label = ad_dataset_label(d, i);
    if (*label != AD_NO_LABEL) {
      ad_ignore((long long)d->task->count(C, label, count));
    }
  }
}

/* The first few names of classes for which `takes` says so, as "a, b, ...". */
static int list_classes(const struct ad_descriptor *d, const int *takes, struct ad_buffer *out, size_t *found) {
  enum { MOST = 5 };
  *found = 0;
  for (size_t c = 0; c < d->class_count; c++) {
    if (takes[c] && ++*found <= MOST) {
      AD_TRY(ad_buffer_printf(out, "%s%s", *found == 1 ? "" : ", ", ad_shown(d->classes[c])));
    }
  }
  return *found > MOST ? ad_buffer_puts(out, ", ...") : AD_OK;
}

static int warn_few(const struct ad_descriptor *d, const size_t *train, int *takes) {
  struct ad_buffer list = {0};
  size_t found;
  for (size_t c = 0; c < d->class_count; c++) {
    takes[c] = train[c] < AD_SURVEY_FEW;
  }
  const int status = list_classes(d, takes, &list, &found);
  if (status == AD_OK && found > 0) {
    ad_log(AD_LOG_WARNING, "train: %zu class%s fewer than %d examples: %s", found, found == 1 ? " has" : "es have",
           AD_SURVEY_FEW, list.data);
  }
  ad_buffer_destroy(&list);
  return status;
}

static int warn_lacking(const struct ad_descriptor *d, enum ad_split split, const size_t *train, const size_t *other,
                        int *takes) {
  struct ad_buffer list = {0};
  size_t found;
  for (size_t c = 0; c < d->class_count; c++) {
    takes[c] = train[c] == 0 && other[c] > 0;
  }
  const int status = list_classes(d, takes, &list, &found);
  if (status == AD_OK && found > 0) {
    ad_log(AD_LOG_WARNING, "%s: %zu class%s no example in train: %s", ad_split_name(split), found,
           found == 1 ? " has" : "es have", list.data);
  }
  ad_buffer_destroy(&list);
  return status;
}

/* Whether two names differ by white space around them, or by the case of ASCII letters, alone. */
static int are_alike(const char *a, const char *b) {
  a += strspn(a, " \t");
  b += strspn(b, " \t");
  size_t m = strlen(a), n = strlen(b);
  while (m > 0 && strchr(" \t", a[m - 1]) != NULL) {
    m--;
  }
  while (n > 0 && strchr(" \t", b[n - 1]) != NULL) {
    n--;
  }
  return m == n && strncasecmp(a, b, m) == 0;
}

static void warn_alike(const struct ad_descriptor *d) {
  for (size_t a = 0; a < d->class_count; a++) {
    for (size_t b = a + 1; b < d->class_count; b++) {
      if (are_alike(d->classes[a], d->classes[b])) {
        ad_log(AD_LOG_WARNING, "the classes \"%s\" and \"%s\" differ by white space or case alone",
               ad_shown(d->classes[a]), ad_shown(d->classes[b]));
        return;
      }
    }
  }
}

/* Whether a name is a list of other names, with commas between them. */
static int is_list(const struct ad_descriptor *d, const char *name) {
  size_t pieces = 0;
  for (const char *at = name; *at != '\0'; pieces++) {
    at += strspn(at, " ");
    const size_t size = strcspn(at, ",");
    size_t c = 0;
    while (c < d->class_count && (strlen(d->classes[c]) != size || memcmp(d->classes[c], at, size) != 0)) {
      c++;
    }
    if (c == d->class_count) {
      return 0;
    }
    at += size + (at[size] == ',');
  }
  return pieces > 1;
}

static void warn_lists(const struct ad_descriptor *d) {
  size_t lists = 0, first = 0;
  for (size_t c = d->class_count; c-- > 0;) {
    if (is_list(d, d->classes[c])) {
      lists++;
      first = c;
    }
  }
  if (lists > 0) {
    ad_log(AD_LOG_WARNING,
           "the names of %zu class%s are lists of other classes, as \"%s\": data.task=multi_label has several classes "
           "a text",
           lists, lists == 1 ? "" : "es", ad_shown(d->classes[first]));
  }
}

static int warn_classes(const struct ad_descriptor *d, const struct ad_dataset *data) {
  const size_t C = d->class_count;
  size_t *count = ad_calloc(2 * C, sizeof *count);
  int *takes = ad_calloc(C, sizeof *takes);
  int status =
      count == NULL || takes == NULL ? ad_fail_memory(2 * C * sizeof *count, "the counts of the classes") : AD_OK;
  if (status == AD_OK) {
    count_classes(&data[AD_SPLIT_TRAIN], C, count);
    status = warn_few(d, count, takes);
    warn_alike(d);
    if (d->task->classes == AD_CLASSES_ONE) {
      warn_lists(d);
    }
  }
  for (enum ad_split s = AD_SPLIT_TRAIN + 1; status == AD_OK && s < AD_SPLITS; s++) {
    memset(count + C, 0, C * sizeof *count);
    count_classes(&data[s], C, count + C);
    status = warn_lacking(d, s, count, count + C, takes);
  }
  ad_free(count);
  ad_free(takes);
  return status;
}

int ad_survey_report(const struct ad_descriptor *descriptor, const struct ad_dataset *data,
                     const struct ad_survey survey[AD_SPLITS], struct ad_buffer *out) {
  AD_TRY(ad_buffer_puts(out, "worth a look\n"));
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    if (data[s].count > 0) {
      AD_TRY(print_split(out, &data[s], s, &survey[s]));
      warn_split(&data[s], s, &survey[s]);
    }
  }
  return descriptor->task->classes && data[AD_SPLIT_TRAIN].count > 0 ? warn_classes(descriptor, data) : AD_OK;
}
