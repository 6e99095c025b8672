#include "shorthand.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

void shorthand_options(struct shorthand *s, struct argument *options) {
  const struct argument all[] = {
#define SHORTHAND_OPTION(option, value, key, help) {#option, value, help, NULL, &s->option},
      SHORTHAND_MAP(SHORTHAND_OPTION)
#undef SHORTHAND_OPTION
          {"text", "COLUMN", "Which column has the text, by name or number, where there is no descriptor", NULL,
           &s->columns.text},
      {"pair", "COLUMN", "Which column has the second text of a pair", NULL, &s->columns.pair},
      {"label", "COLUMN", "Which column has the label", NULL, &s->columns.label}};
  _Static_assert(sizeof all / sizeof *all == SHORTHAND_OPTIONS, "as many as the header says");
  memcpy(options, all, sizeof all);
}

/* Whether a word names a file of data by its end. */
static int names_data(const char *word) {
  static const char *const ends[] = {".csv", ".tsv", ".txt", ".tab", ".json", ".jsonl", ".ndjson"};
  const size_t length = strlen(word);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    const size_t tail = strlen(ends[i]);
    if (length > tail && strcasecmp(word + length - tail, ends[i]) == 0) {
      return strchr(word, '=') == NULL;
    }
  }
  return 0;
}

int shorthand_words(const struct shorthand *s, size_t count, char **positional, char ***words, size_t *total) {
  const int data_first = count > 0 && names_data(positional[0]);
  const struct {
    const char *key, *value;
  } given[] = {{"data.train", data_first ? positional[0] : NULL},
#define SHORTHAND_GIVEN(option, value, key, help) {key, s->option},
               SHORTHAND_MAP(SHORTHAND_GIVEN)
#undef SHORTHAND_GIVEN
  };
  if (data_first && s->train != NULL) {
    return ad_fail(AD_ECONFIG, "found %s and --train %s, expected one file", positional[0], s->train);
  }
  const size_t most = sizeof given / sizeof *given;
  size_t bytes = (count + most) * sizeof **words, first = (size_t)data_first;
  for (size_t i = 0; i < most; i++) {
    bytes += given[i].value == NULL ? 0 : strlen(given[i].key) + strlen(given[i].value) + 2;
  }
  *words = ad_malloc(bytes, 1);
  if (*words == NULL) {
    return ad_fail_memory(bytes, "the command line");
  }
  char *text = (char *)(*words + count + most);
  *total = 0;
  if (!data_first && count > 0 && strchr(positional[0], '=') == NULL) {
    (*words)[(*total)++] = positional[first++];
  }
  for (size_t i = 0; i < most; i++) {
    if (given[i].value != NULL) {
      (*words)[(*total)++] = text;
      text += sprintf(text, "%s=%s", given[i].key, given[i].value) + 1;
    }
  }
  for (; first < count; first++) {
    (*words)[(*total)++] = positional[first];
  }
  return AD_OK;
}

int shorthand_configure(const struct arguments *arguments, const struct shorthand *s, int argc, char **argv,
                        struct ad_session *session, int *given) {
  int help;
  size_t count, total;
  char **words;
  *given = 0;
  AD_TRY(arguments_parse(arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  AD_TRY(shorthand_words(s, count, argv + 1, &words, &total));
  int status = total > 0 ? ad_session_create(session, NULL)
                         : ad_fail(AD_ECONFIG, "%s: neither a configuration file nor --train; usage: autodidact %s %s",
                                   arguments->command, arguments->command, arguments->usage);
  session->columns = s->columns;
  status = status == AD_OK ? ad_session_configure(session, total, words) : status;
  *given = status == AD_OK;
  ad_free(words);
  return status;
}

int shorthand_load(struct ad_session *session, int needed) {
  AD_TRY(ad_session_load_descriptor(session));
  AD_TRY(ad_config_warn_idle(&session->config, NULL));
  ad_descriptor_warn_idle(&session->descriptor);
  AD_TRY(ad_session_hold_out(session));
  const int named = session->config.model_path[0] != '\0' || session->config.model_vocab[0] != '\0';
  return named || needed ? ad_session_load_tokenizer(session, NULL) : AD_OK;
}
