#include "normalizer.h"

#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "files.h"
#include "rewrite.h"

enum { DEEPEST = 16 }; /* Sequences in each other */

struct ad_normalizer {
  struct ad_rewrite *step; /* [count], owned */
  size_t count, capacity;
  struct ad_buffer work[2]; /* a step reads one and writes the other */
  struct ad_codes codes[2];
};

/* What reading goes by: the file, and the component's type for messages. */
struct place {
  const char *path, *type;
  int depth;
};

/* ---- Reading ---- */

/* Appends an empty step. */
static int push(struct ad_normalizer *n, enum ad_rewrite_kind kind, struct ad_rewrite **step) {
  void *steps = n->step;
  AD_TRY(ad_reserve(&steps, &n->capacity, n->count + 1, sizeof *n->step));
  n->step = steps;
  *step = &n->step[n->count++];
  **step = (struct ad_rewrite){.kind = kind};
  ad_rewrite_prepare(*step);
  return AD_OK;
}

static int push_form(struct ad_normalizer *n, enum ad_form form) {
  struct ad_rewrite *step;
  AD_TRY(push(n, AD_REWRITE_FORM, &step));
  step->form = form;
  return AD_OK;
}

/* A boolean that must be there. */
static int read_flag(const struct place *place, const json_t *component, const char *key, int *flag) {
  char where[60];
  snprintf(where, sizeof where, "normalizer %.40s: ", place->type);
  *flag = -1;
  AD_TRY(ad_text_boolean(place->path, where, component, key, flag));
  return *flag >= 0 ? AD_OK
                    : ad_fail(AD_EINPUT, "%s: %s\"%s\" is nothing, expected true or false", place->path, where, key);
}

/* A text that must be there; the caller owns the copy. */
static int read_text(const struct place *place, const json_t *component, const char *key, char **copy) {
  const json_t *value = json_object_get(component, key);
  char text[80];
  if (!json_is_string(value)) {
    return ad_fail(AD_EINPUT, "%s: normalizer %s: \"%s\" is %s, expected a text", place->path, place->type, key,
                   ad_json_show(value, text, sizeof text));
  }
  *copy = ad_strdup(json_string_value(value));
  return *copy == NULL ? ad_fail_memory(json_string_length(value), "a text of a normalizer") : AD_OK;
}

/* BERT's normalizer is these steps, each by its own flag. */
static int read_bert(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  int clean, cjk, lower, accents = -1;
  struct ad_rewrite *step;
  AD_TRY(read_flag(place, component, "clean_text", &clean));
  AD_TRY(read_flag(place, component, "handle_chinese_chars", &cjk));
  AD_TRY(read_flag(place, component, "lowercase", &lower));
  const json_t *stated = json_object_get(component, "strip_accents");
  if (stated != NULL && !json_is_null(stated)) {
    AD_TRY(read_flag(place, component, "strip_accents", &accents));
  }
  accents = accents < 0 ? lower : accents;
  AD_TRY(clean ? push(n, AD_REWRITE_CLEAN, &step) : AD_OK);
  AD_TRY(cjk ? push(n, AD_REWRITE_CJK, &step) : AD_OK);
  AD_TRY(accents ? push_form(n, AD_FORM_NFD) : AD_OK);
  AD_TRY(accents ? push(n, AD_REWRITE_ACCENT, &step) : AD_OK);
  return lower ? push(n, AD_REWRITE_LOWER, &step) : AD_OK;
}

static int read_nfd(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  (void)place, (void)component;
  return push_form(n, AD_FORM_NFD);
}

static int read_nfkd(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  (void)place, (void)component;
  return push_form(n, AD_FORM_NFKD);
}

static int read_nfc(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  (void)place, (void)component;
  return push_form(n, AD_FORM_NFC);
}

static int read_nfkc(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  (void)place, (void)component;
  return push_form(n, AD_FORM_NFKC);
}

static int read_lowercase(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  struct ad_rewrite *step;
  (void)place, (void)component;
  return push(n, AD_REWRITE_LOWER, &step);
}

static int read_accents(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  struct ad_rewrite *step;
  (void)place, (void)component;
  return push(n, AD_REWRITE_MARK, &step);
}

static int read_nmt(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  struct ad_rewrite *step;
  (void)place, (void)component;
  return push(n, AD_REWRITE_NMT, &step);
}

static int read_strip(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  struct ad_rewrite *step;
  AD_TRY(push(n, AD_REWRITE_STRIP, &step));
  AD_TRY(read_flag(place, component, "strip_left", &step->left));
  return read_flag(place, component, "strip_right", &step->right);
}

static int read_replace(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  struct ad_rewrite *step;
  AD_TRY(push(n, AD_REWRITE_REPLACE, &step));
  AD_TRY(ad_pattern_create(&step->pattern, place->path, "normalizer Replace", json_object_get(component, "pattern")));
  return read_text(place, component, "content", &step->text);
}

static int read_prepend(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  struct ad_rewrite *step;
  AD_TRY(push(n, AD_REWRITE_PREPEND, &step));
  return read_text(place, component, "prepend", &step->text);
}

static int read_precompiled(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  struct ad_rewrite *step;
  AD_TRY(push(n, AD_REWRITE_CHARSMAP, &step));
  return ad_charsmap_create(&step->charsmap, place->path, json_object_get(component, "precompiled_charsmap"));
}

static int read_sequence(struct ad_normalizer *n, const struct place *place, const json_t *component);

/* X(type, reader) */
#define NORMALIZERS(X)               \
  X("BertNormalizer", read_bert)     \
  X("NFC", read_nfc)                 \
  X("NFD", read_nfd)                 \
  X("NFKC", read_nfkc)               \
  X("NFKD", read_nfkd)               \
  X("Lowercase", read_lowercase)     \
  X("StripAccents", read_accents)    \
  X("Strip", read_strip)             \
  X("Replace", read_replace)         \
  X("Prepend", read_prepend)         \
  X("Precompiled", read_precompiled) \
  X("Nmt", read_nmt)                 \
  X("Sequence", read_sequence)

static const struct {
  const char *type;
  int (*read)(struct ad_normalizer *n, const struct place *place, const json_t *component);
} readers[] = {
#define NORMALIZER_ROW(type, reader) {type, reader},
    NORMALIZERS(NORMALIZER_ROW)
#undef NORMALIZER_ROW
};

static int read_component(struct ad_normalizer *n, const char *path, int depth, const json_t *component) {
  const char *type = json_string_value(json_object_get(component, "type"));
  char text[80];
  if (depth > DEEPEST) {
    return ad_fail(AD_EINPUT, "%s: normalizer Sequence: more than %d in each other", path, DEEPEST);
  }
  for (size_t i = 0; type != NULL && i < sizeof readers / sizeof *readers; i++) {
    if (strcmp(type, readers[i].type) == 0) {
      return readers[i].read(n, &(struct place){path, readers[i].type, depth}, component);
    }
  }
#define NORMALIZER_NAME(type, reader) " " type
  return ad_fail(AD_EINPUT, "%s: a normalizer is %s, expected one of the types" NORMALIZERS(NORMALIZER_NAME), path,
                 type != NULL ? type : ad_json_show(component, text, sizeof text));
#undef NORMALIZER_NAME
}

static int read_sequence(struct ad_normalizer *n, const struct place *place, const json_t *component) {
  const json_t *list = json_object_get(component, "normalizers");
  char text[80];
  size_t i;
  json_t *value;
  if (!json_is_array(list)) {
    return ad_fail(AD_EINPUT, "%s: normalizer Sequence: \"normalizers\" is %s, expected a list", place->path,
                   ad_json_show(list, text, sizeof text));
  }
  json_array_foreach(list, i, value) {
    AD_TRY(read_component(n, place->path, place->depth + 1, value));
  }
  return AD_OK;
}

int ad_normalizer_create(struct ad_normalizer **out, const char *path, const json_t *component) {
  *out = NULL;
  struct ad_normalizer *n = ad_calloc(1, sizeof *n);
  if (n == NULL) {
    return ad_fail_memory(sizeof *n, "a normalizer");
  }
  const int status = component == NULL || json_is_null(component) ? AD_OK : read_component(n, path, 0, component);
  if (status != AD_OK) {
    ad_normalizer_destroy(n);
    return status;
  }
  *out = n;
  return AD_OK;
}

void ad_normalizer_destroy(struct ad_normalizer *n) {
  if (n == NULL) {
    return;
  }
  for (size_t i = 0; i < n->count; i++) {
    ad_rewrite_destroy(&n->step[i]);
  }
  for (int i = 0; i < 2; i++) {
    ad_buffer_destroy(&n->work[i]);
    ad_codes_destroy(&n->codes[i]);
  }
  ad_free(n->step);
  ad_free(n);
}

/* ---- Texts ---- */

int ad_normalizer_apply(struct ad_normalizer *n, const char *text, size_t size, struct ad_buffer *out) {
  int next = 0;
  for (size_t i = 0; i < n->count; i++) {
    struct ad_buffer *work = &n->work[next];
    int changed;
    ad_buffer_clear(work);
    AD_TRY(ad_rewrite_apply(&n->step[i], text, size, n->codes, work, &changed));
    if (changed) {
      text = work->size == 0 ? "" : work->data;
      size = work->size;
      next = !next;
    }
  }
  return ad_buffer_append(out, text, size);
}
