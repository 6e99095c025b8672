/* The table of keys for people: as text, section by section, and as docs/configuration.md. */
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "config_internal.h"

/* --- What is told of a key. */

/* 1 for the keys to look at first. */
static int is_first(const struct config_option *option) {
  static const size_t first[] = {
#define FIELD(field) offsetof(struct ad_config, field),
      AD_CONFIG_FIRST_MAP(FIELD)
#undef FIELD
  };
  size_t i = 0;
  while (i < sizeof first / sizeof *first && first[i] != option->offset) {
    i++;
  }
  return i < sizeof first / sizeof *first;
}

/* What the keys of a section are about; "" for a section that has no line. */
static const char *section_text(const char *key) {
  static const char *const sections[][2] = {
#define SECTION(name, text) {#name ".", text},
      AD_CONFIG_SECTION_MAP(SECTION)
#undef SECTION
  };
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    if (strncmp(sections[i][0], key, strlen(sections[i][0])) == 0) {
      return sections[i][1];
    }
  }
  return "";
}

/* Whether the key is the first of its section among those that are told. */
static int begins_section(const struct config_option *option, const struct config_option *before) {
  const size_t width = strcspn(option->key, ".") + 1;
  return before == NULL || strncmp(option->key, before->key, width) != 0;
}

static int put_values(struct ad_buffer *out, const struct config_option *option) {
  const char *kind = ad__config_kind(option->kind);
  switch (option->kind) {
    case CONFIG_KIND_CHOICE:
      for (const char *p = option->choices; *p != '\0';) {
        const size_t length = strcspn(p, "|");
        AD_TRY(ad_buffer_printf(out, "%s%.*s", p == option->choices ? "" : ", ", (int)length, p));
        p += length + (p[length] == '|');
      }
      return AD_OK;
    case CONFIG_KIND_COUNT:
    case CONFIG_KIND_REAL:
    case CONFIG_KIND_SPAN:
      return ad_buffer_printf(out, "%s, %.10g to %.10g%s%s", kind, option->lowest, option->highest,
                              option->choices[0] == '\0' ? "" : ", or ", option->choices);
    case CONFIG_KIND_TEXT:
    case CONFIG_KIND_SWITCH:
      break;
  }
  return ad_buffer_puts(out, kind);
}

/* A line for each choice, or in Markdown a part of the cell. The word beside a number stands among the values. */
static int put_choices(struct ad_buffer *out, const struct config_option *option, int markdown) {
  const char *help = option->choices_help;
  for (const char *p = option->kind == CONFIG_KIND_CHOICE ? option->choices : ""; *p != '\0';) {
    const int length = (int)strcspn(p, "|"), width = (int)strcspn(help, "|");
    AD_TRY(markdown ? ad_buffer_printf(out, ". <br>`%.*s`: %.*s", length, p, width, help)
                    : ad_buffer_printf(out, "%27s%-9.*s %.*s\n", "", length, p, width, help));
    p += length + (p[length] == '|');
    help += width + (help[width] == '|');
  }
  return AD_OK;
}

/* --- As text. */

static int put_key(struct ad_buffer *out, const struct config_option *option, const struct config_option *before) {
  if (begins_section(option, before)) {
    AD_TRY(ad_buffer_printf(out, "%s%.*s: %s\n", before == NULL ? "" : "\n", (int)strcspn(option->key, "."),
                            option->key, section_text(option->key)));
  }
  AD_TRY(ad_buffer_printf(out, "%c %-22s %s\n%25s(", is_first(option) ? '*' : ' ', option->key, option->help, ""));
  AD_TRY(put_values(out, option));
  AD_TRY(ad_buffer_printf(out, "; default %s)\n", option->initial[0] == '\0' ? "empty" : option->initial));
  AD_TRY(put_choices(out, option, 0));
  return option->when[0] == '\0' ? AD_OK : ad_buffer_printf(out, "%25swith %s\n", "", option->when);
}

/* Whether a word of the text begins with the pattern, be letters capital or small: "lr" is no part of "already". */
static int has_word(const char *text, const char *pattern) {
  for (const char *p = text; *pattern != '\0' && (p = strcasestr(p, pattern)) != NULL; p++) {
    if (p == text || !isalnum((unsigned char)p[-1]) || !isalnum((unsigned char)*pattern)) {
      return 1;
    }
  }
  return 0;
}

static int matches(const struct config_option *option, const char *pattern) {
  if (strpbrk(pattern, "*?[") != NULL) {
    return fnmatch(pattern, option->key, FNM_CASEFOLD) == 0;
  }
  return strcasestr(option->key, pattern) != NULL || has_word(option->help, pattern) ||
         has_word(option->choices, pattern) || has_word(option->choices_help, pattern);
}

/* The keys that match, all where the pattern is NULL; *count of them. */
static int put_matches(struct ad_buffer *out, const char *pattern, size_t *count) {
  const struct config_option *before = NULL;
  *count = 0;
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    const struct config_option *option = &ad__config_options[i];
    if (pattern == NULL || matches(option, pattern)) {
      AD_TRY(put_key(out, option, before));
      before = option;
      ++*count;
    }
  }
  return AD_OK;
}

static int fail_none(const char *pattern) {
  struct ad_buffer meant = {0};
  int status = ad_config_suggest(pattern, &meant);
  status =
      status == AD_OK ? ad_fail(AD_ECONFIG, "no key has '%s' in its name or help; %s", pattern, meant.data) : status;
  ad_buffer_destroy(&meant);
  return status;
}

int ad_config_search(const char *pattern, struct ad_buffer *out) {
  size_t count;
  AD_TRY(put_matches(out, pattern, &count));
  return count > 0 ? AD_OK : fail_none(pattern);
}

/* --- As Markdown. */

/* A condition in a table of Markdown, where | ends a column. */
static int put_condition(struct ad_buffer *out, const char *when) {
  for (const char *p = when; *p != '\0'; p++) {
    AD_TRY(*p == '|' ? ad_buffer_puts(out, "\\|") : ad_buffer_append(out, p, 1));
  }
  return AD_OK;
}

static int put_row(struct ad_buffer *out, const struct config_option *option, const struct config_option *before) {
  const char *quote = option->initial[0] == '\0' ? "" : "`", *mark = is_first(option) ? "**" : "";
  if (begins_section(option, before)) {
    AD_TRY(ad_buffer_printf(out,
                            "\n## %.*s: %s\n\n| key | default | value | has an effect with | meaning |\n"
                            "| --- | --- | --- | --- | --- |\n",
                            (int)strcspn(option->key, "."), option->key, section_text(option->key)));
  }
  AD_TRY(ad_buffer_printf(out, "| %s`%s`%s | %s%s%s | ", mark, option->key, mark, quote, option->initial, quote));
  AD_TRY(put_values(out, option));
  AD_TRY(ad_buffer_puts(out, " | "));
  AD_TRY(put_condition(out, option->when));
  AD_TRY(ad_buffer_printf(out, " | %s", option->help));
  AD_TRY(put_choices(out, option, 1));
  return ad_buffer_puts(out, option->choices[0] == '\0' ? " |\n" : ". |\n");
}

static int put_markdown(struct ad_buffer *out) {
  AD_TRY(ad_buffer_puts(
      out,
      "# Configuration keys\n\nMade from the options table by `autodidact train --keys-markdown`. In the YAML file a "
      "key is nested (`optim:` then\n`lr: 1e-4`), on the command line dotted (`optim.lr=1e-4`). Where a condition is "
      "given, the key has an effect only then.\nA key without effect gives a warning. The keys to look at first are "
      "**bold**. `autodidact train --keys PATTERN` searches\nnames and meanings.\n"));
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    AD_TRY(put_row(out, &ad__config_options[i], i == 0 ? NULL : &ad__config_options[i - 1]));
  }
  return AD_OK;
}

int ad_config_help(struct ad_buffer *out, int markdown) {
  size_t count;
  if (markdown) {
    return put_markdown(out);
  }
  AD_TRY(ad_buffer_puts(out,
                        "The keys to look at first have a *. `autodidact train --keys PATTERN` shows those that "
                        "match.\n\n"));
  return put_matches(out, NULL, &count);
}
