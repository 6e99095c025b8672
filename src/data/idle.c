/* Keys of a descriptor that change nothing: those that a format has no use for, and those that every split overrides.
 */
#include <string.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "layout.h"

static int is_table(const struct ad_source *source) {
  return source->format == AD_FORMAT_TSV || source->format == AD_FORMAT_CSV;
}

/* NULL where the layout of a split makes use of a key; otherwise why not. */
static const char *why_idle(const struct ad_source *source, const char *key) {
  if (strcmp(key, "header") == 0) {
    return is_table(source) ? NULL : "only tables (tsv, csv) have one";
  }
  if (strcmp(key, "delimiter") == 0) {
    return source->format == AD_FORMAT_CSV ? NULL : "only csv has one";
  }
  if (strcmp(key, "fields") == 0) {
    return is_table(source) && !source->header ? NULL : "it matters in tables (tsv, csv) without header";
  }
  if (strcmp(key, "incomplete") == 0) {
    return is_table(source) || source->format == AD_FORMAT_JSONL ? NULL
                                                                 : "only rows of tsv, csv and jsonl may lack columns";
  }
  if (strcmp(key, "separator") == 0 && source->labelled && source->label.count != 1) {
    return "only one label column is cut";
  }
  if (strcmp(key, "skip") == 0 && source->format == AD_FORMAT_FOLDER) {
    return "only the folders of label values are read";
  }
  static const char *const of_labels[] = {"labels", "skip", "separator", "range"};
  int idle = 0;
  for (size_t i = 0; i < sizeof of_labels / sizeof *of_labels; i++) {
    idle = idle || (!source->labelled && strcmp(key, of_labels[i]) == 0);
  }
  return idle ? "the file has no labels" : NULL;
}

static int note(struct ad_descriptor *d, const struct ad_yaml *at, const char *key, const char *why) {
  struct ad_buffer line = {0};
  int status = ad_buffer_printf(&line, "%s%s:%zu: %s has no effect: %s\n", d->idle == NULL ? "" : d->idle, d->path,
                                at->line, key, why);
  if (status == AD_OK) {
    ad_free(d->idle);
    d->idle = ad_strdup(line.data);
    status = d->idle == NULL ? ad_fail_memory(line.size, "a descriptor") : AD_OK;
  }
  ad_buffer_destroy(&line);
  return status;
}

/* A key at the top: NULL where a split leaves it to the top and makes use of it. */
static const char *why_all_idle(const struct ad_descriptor *d, const struct ad_yaml *splits, const char *key) {
  const char *why = "each split has its own";
  for (enum ad_split s = 0; s < AD_SPLITS; s++) {
    const struct ad_yaml *split = ad_yaml_get(splits, ad_split_name(s));
    if (d->source[s].file == NULL || ad_yaml_get(split, key) != NULL) {
      continue;
    }
    why = why_idle(&d->source[s], key);
    if (why == NULL) {
      return NULL;
    }
  }
  return why;
}

int ad_layout_find_idle(struct ad_descriptor *d, const struct ad_yaml *tree) {
  static const char *const keys[] = {AD_LAYOUT_KEYS};
  const struct ad_yaml *splits = ad_yaml_get(tree, "splits");
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
    const struct ad_yaml *top = ad_yaml_get(tree, keys[k]);
    const char *why = top == NULL ? NULL : why_all_idle(d, splits, keys[k]);
    AD_TRY(why == NULL ? AD_OK : note(d, top, keys[k], why));
    for (enum ad_split s = 0; s < AD_SPLITS; s++) {
      const struct ad_yaml *own = ad_yaml_get(ad_yaml_get(splits, ad_split_name(s)), keys[k]);
      why = own == NULL ? NULL : why_idle(&d->source[s], keys[k]);
      AD_TRY(why == NULL ? AD_OK : note(d, own, keys[k], why));
    }
  }
  return AD_OK;
}

void ad_descriptor_warn_idle(const struct ad_descriptor *descriptor) {
  for (size_t k = 0; k < descriptor->set_count; k++) {
    ad_descriptor_warn_idle(&descriptor->sets[k]);
  }
  for (const char *p = descriptor->idle; p != NULL && *p != '\0';) {
    const size_t length = strcspn(p, "\n");
    ad_log(AD_LOG_WARNING, "%.*s", (int)length, p);
    p += length + 1;
  }
}
