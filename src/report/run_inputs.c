/* What runs were given and where they come from: what differs between them, keys, facts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/provenance.h"
#include "autodidact/store/run_files.h"
#include "run_view.h"

/* A name with a text for each run: a key of the configuration, or a fact. */
struct named_row {
  const char *name, *bits; /* bits: "yes" where another text may give other ones */
  const char *text[AD_REPORT_RUNS];
};

/* The texts of a row, owned. */
struct texts {
  struct ad_buffer of[AD_REPORT_RUNS];
};

static void destroy_texts(struct texts *texts) {
  for (size_t k = 0; k < AD_REPORT_RUNS; k++) {
    ad_buffer_destroy(&texts->of[k]);
  }
}

/* Begins a table with a column for each run behind its first ones. */
static void begin_table(struct run_views *views, const char *id, const char *title, size_t count,
                        const struct document_column *first) {
  static const char *const ids[AD_REPORT_RUNS] = {"run_1", "run_2", "run_3", "run_4",
                                                  "run_5", "run_6", "run_7", "run_8"};
  struct document_column columns[2 + AD_REPORT_RUNS];
  memcpy(columns, first, count * sizeof *first);
  for (size_t k = 0; k < views->count; k++) {
    columns[count + k] = (struct document_column)COLUMN(ids[k], "value", UNIT_NONE, named_row, text[0]);
    columns[count + k].offset += k * sizeof(char *);
    if (ad__several(views)) {
      columns[count + k].head = views->view[k].name;
    }
  }
  ad__document_table(views->doc, id, title, count + views->count, columns);
}

static int add_row(struct run_views *views, const char *name, const char *bits, const struct texts *texts) {
  struct named_row row = {.name = name, .bits = bits};
  for (size_t k = 0; k < views->count; k++) {
    row.text[k] = texts->of[k].data == NULL ? "" : texts->of[k].data;
  }
  ad__document_row(views->doc, &row);
  return views->doc->status;
}

static int all_equal(const struct run_views *views, const struct texts *texts) {
  for (size_t k = 1; k < views->count; k++) {
    const char *a = texts->of[0].data, *b = texts->of[k].data;
    if (strcmp(a == NULL ? "" : a, b == NULL ? "" : b) != 0) {
      return 0;
    }
  }
  return 1;
}

/* ---- Keys ---- */

static int key_texts(const struct run_views *views, const char *key, struct texts *texts) {
  for (size_t k = 0; k < views->count; k++) {
    AD_TRY(ad_config_get(&views->view[k].config, key, &texts->of[k]));
  }
  return AD_OK;
}

static int is_changed(const struct run_views *views, const struct texts *texts, const char *initial) {
  int changed = 0;
  for (size_t k = 0; k < views->count; k++) {
    const char *text = texts->of[k].data;
    changed = changed || strcmp(text == NULL ? "" : text, initial) != 0;
  }
  return changed;
}

/* Which rows a table has. Of differences those come first that may change bits. */
enum rows { ROWS_ALL, ROWS_DIFFERENT_BITS, ROWS_DIFFERENT };

static int is_wanted(const struct run_views *views, const struct texts *texts, int bits, enum rows rows) {
  return !all_equal(views, texts) && bits == (rows == ROWS_DIFFERENT_BITS);
}

/* One key: of all, where it has not its default. */
static int key_row(struct run_views *views, const char *key, const struct ad_config *defaults, enum rows rows) {
  const int bits = !ad_config_keeps_bits(key);
  struct texts texts = {0};
  struct ad_buffer initial = {0};
  int status = key_texts(views, key, &texts);
  status = status == AD_OK ? ad_config_get(defaults, key, &initial) : status;
  const char *text = initial.data == NULL ? "" : initial.data;
  if (status == AD_OK && rows == ROWS_ALL && is_changed(views, &texts, text)) {
    status = add_row(views, key, text, &texts);
  } else if (status == AD_OK && rows != ROWS_ALL && is_wanted(views, &texts, bits, rows)) {
    status = add_row(views, key, bits ? "yes" : "no", &texts);
  }
  destroy_texts(&texts);
  ad_buffer_destroy(&initial);
  return status;
}

static int key_rows(struct run_views *views, enum rows rows) {
  struct ad_config defaults;
  int status = ad_config_create(&defaults);
  for (size_t i = 0; status == AD_OK && ad_config_key(i) != NULL; i++) {
    status = key_row(views, ad_config_key(i), &defaults, rows);
  }
  ad_config_destroy(&defaults);
  return status;
}

/* ---- Facts ---- */

#define FACT_NAME(name, kind) #name,
static const char *const facts[] = {AD_FACT_MAP(FACT_NAME)};
#undef FACT_NAME
enum { FACTS = sizeof facts / sizeof *facts };

static int is_listed(const char *name) {
  for (size_t i = 0; i < FACTS; i++) {
    if (strcmp(facts[i], name) == 0) {
      return 1;
    }
  }
  return 0;
}

static int fact_text(const json_t *value, struct ad_buffer *out) {
  if (value == NULL) {
    return ad_buffer_puts(out, "");
  }
  return json_is_string(value) ? ad_buffer_puts(out, json_string_value(value))
                               : ad_json_print(value, JSON_ENCODE_ANY | JSON_SORT_KEYS, out);
}

static int fact_row(struct run_views *views, const char *name, enum rows rows) {
  const enum ad_fact_kind kind = ad_fact_kind(name);
  struct texts texts = {0};
  int status = AD_OK, there = 0;
  for (size_t k = 0; k < views->count && status == AD_OK; k++) {
    const json_t *value = json_object_get(views->view[k].facts, name);
    there = there || value != NULL;
    status = fact_text(value, &texts.of[k]);
  }
  /* The number of ranks is of no listed kind, and changes no bit. */
  const int bits = kind < AD_FACT_KINDS && strcmp(name, "ranks") != 0;
  if (status == AD_OK && there && (rows == ROWS_ALL || is_wanted(views, &texts, bits, rows))) {
    status = add_row(views, name, bits ? "yes" : "no", &texts);
  }
  destroy_texts(&texts);
  return status;
}

/* Facts that the runs have, first those of the list. */
static int fact_rows(struct run_views *views, enum rows rows) {
  for (size_t i = 0; i < FACTS; i++) {
    AD_TRY(fact_row(views, facts[i], rows));
  }
  for (size_t k = 0; k < views->count; k++) {
    const char *name;
    json_t *value;
    json_object_foreach(views->view[k].facts, name, value) {
      int before = is_listed(name);
      for (size_t j = 0; j < k; j++) {
        before = before || json_object_get(views->view[j].facts, name) != NULL;
      }
      AD_TRY(before ? AD_OK : fact_row(views, name, rows));
    }
  }
  return AD_OK;
}

/* ---- Sections ---- */

int ad__run_differences(struct run_views *views) {
  static const struct document_column first[] = {COLUMN("name", "key or fact", UNIT_NONE, named_row, name),
                                                 COLUMN("bits", "may change bits", UNIT_NONE, named_row, bits)};
  if (!ad__several(views)) {
    return AD_OK;
  }
  ad__document_section(views->doc, "differences", "What differs",
                       "Keys of the configuration and facts of the runs that are not the same in all of them.",
                       "several differences that may change bits: then none of them alone explains another result.");
  begin_table(views, "differences", "Differences", 2, first);
  for (enum rows rows = ROWS_DIFFERENT_BITS; rows <= ROWS_DIFFERENT; rows++) {
    AD_TRY(key_rows(views, rows));
    AD_TRY(fact_rows(views, rows));
  }
  return views->doc->status;
}

/* What the run ended with, as far as it has. */
static int digest_rows(struct run_views *views) {
  struct texts chain = {0}, result = {0};
  char digits[17];
  int status = AD_OK;
  for (size_t k = 0; k < views->count && status == AD_OK; k++) {
    const struct run_view *v = &views->view[k];
    const size_t steps = v->log.step_count;
    status = ad_buffer_puts(&chain.of[k], steps == 0 ? "" : ad_digest_text(v->log.steps[steps - 1].row.chain, digits));
    if (status == AD_OK && v->result.steps > 0) {
      status = ad_buffer_puts(&result.of[k], ad_digest_text(v->result.digest[v->result.model], digits));
    }
  }
  status = status == AD_OK ? add_row(views, "digest of all steps", "yes", &chain) : status;
  status = status == AD_OK ? add_row(views, "digest of the result", "yes", &result) : status;
  destroy_texts(&chain);
  destroy_texts(&result);
  return status;
}

int ad__run_provenance(struct run_views *views) {
  static const struct document_column keys[] = {COLUMN("name", "key", UNIT_NONE, named_row, name),
                                                COLUMN("default", "default", UNIT_NONE, named_row, bits)};
  static const struct document_column first[] = {COLUMN("name", "what", UNIT_NONE, named_row, name),
                                                 COLUMN("bits", "decides bits", UNIT_NONE, named_row, bits)};
  ad__document_section(views->doc, "provenance", "Provenance",
                       "What the runs were given, and by which program, where and when they ran.",
                       "a run folder that others have written into: `autodidact verify` compares it with its own "
                       "digests.");
  begin_table(views, "configuration", "Keys that are not at their default; config.yaml has all", 2, keys);
  AD_TRY(key_rows(views, ROWS_ALL));
  begin_table(views, "facts", "Facts of provenance.json, and digests", 2, first);
  AD_TRY(fact_rows(views, ROWS_ALL));
  AD_TRY(digest_rows(views));
  ad__facts(views->doc, "provenance", "The report");
  for (size_t k = 0; k < views->count; k++) {
    ad__fact(views->doc, ad__several(views) ? views->view[k].name : "run", views->view[k].folder);
  }
  ad__fact_program(views->doc);
  return views->doc->status;
}
