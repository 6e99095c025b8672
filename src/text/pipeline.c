#include "pipeline.h"

#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "normalizer.h"

enum { STEPS_MOST = 8 };

struct ad_pipeline {
  struct ad_normalizer *normalizer; /* owned; NULL: there is none */
  int normalizes;
  int bytes; /* 1: the last step is a ByteLevel, whose bytes the kind takes */
  struct ad_step step[STEPS_MOST];
  size_t steps;
  struct ad_buffer mapped; /* work memory: the characters of a piece of bytes */
  uint64_t digest;         /* of both components as the file has them */
};

/* ---- Reading ---- */

int ad_pipeline_refuse(const char *path, const char *where, const char *key, const json_t *found,
                       const char *expected) {
  char text[120];
  return ad_fail(AD_EINPUT, "%s: %s: \"%s\" is %s, expected %s", path, where, key,
                 ad_json_show(found, text, sizeof text), expected);
}

const char *ad_component_type(const json_t *component) {
  const char *type = json_string_value(json_object_get(component, "type"));
  return type == NULL ? "" : type;
}

int ad_component_check(const char *path, const char *where, const json_t *component, const char *listed) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)component, key, value) {
    if (!ad_text_is_listed(listed, key)) {
      char text[80];
      return ad_fail(AD_EINPUT, "%s: %s: %s has the key \"%.60s\" (%s), expected none but%s", path, where,
                     ad_component_type(component), key, ad_json_show(value, text, sizeof text), listed);
    }
  }
  return AD_OK;
}

static int read_boolean(const char *path, const json_t *component, const char *key, int *option) {
  return ad_text_boolean(path, "pre_tokenizer: ", component, key, option);
}

static int read_bytes(const char *path, const json_t *component, struct ad_step *step) {
  AD_TRY(ad_component_check(path, "pre_tokenizer", component, " type add_prefix_space trim_offsets use_regex "));
  *step = (struct ad_step){.kind = AD_STEP_BYTES, .prefix = 1, .splits = 1};
  AD_TRY(read_boolean(path, component, "add_prefix_space", &step->prefix));
  return read_boolean(path, component, "use_regex", &step->splits);
}

/* The older form has add_prefix_space alone; the library takes it where it is true. */
static int read_scheme(const char *path, const json_t *component, struct ad_step *step) {
  const json_t *value = json_object_get(component, "prepend_scheme");
  const char *scheme = value == NULL ? "always" : json_string_value(value);
  int older = 1;
  if (scheme != NULL && strcmp(scheme, "always") == 0) {
    step->prefix = 1;
  } else if (scheme != NULL && strcmp(scheme, "never") == 0) {
    step->prefix = 0;
  } else if (scheme != NULL && strcmp(scheme, "first") == 0) {
    step->prefix = -1;
  } else {
    return ad_pipeline_refuse(path, "pre_tokenizer", "prepend_scheme", value, "always, first or never");
  }
  AD_TRY(read_boolean(path, component, "add_prefix_space", &older));
  return older || step->prefix == 0 ? AD_OK
                                    : ad_pipeline_refuse(path, "pre_tokenizer", "prepend_scheme", value,
                                                         "\"never\", as \"add_prefix_space\" is false");
}

static int read_metaspace(const char *path, const json_t *component, struct ad_step *step) {
  AD_TRY(ad_component_check(path, "pre_tokenizer", component,
                            " type replacement str_rep add_prefix_space prepend_scheme split "));
  *step = (struct ad_step){.kind = AD_STEP_METASPACE, .splits = 1};
  const json_t *value = json_object_get(component, "replacement");
  const char *replacement = json_string_value(value);
  uint32_t c;
  if (replacement == NULL || replacement[0] == '\0' ||
      ad_utf8_read(replacement, strlen(replacement), &c) != strlen(replacement)) {
    return ad_pipeline_refuse(path, "pre_tokenizer", "replacement", value, "one character");
  }
  memcpy(step->replacement, replacement, strlen(replacement) + 1);
  AD_TRY(read_scheme(path, component, step));
  return read_boolean(path, component, "split", &step->splits);
}

static int read_behavior(const char *path, const json_t *component, struct ad_step *step) {
  static const char *const names[] = {[AD_REMOVED] = "Removed",
                                      [AD_ISOLATED] = "Isolated",
                                      [AD_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
                                      [AD_MERGED_WITH_NEXT] = "MergedWithNext",
                                      [AD_CONTIGUOUS] = "Contiguous"};
  static const enum ad_behavior behaviors[] = {AD_REMOVED, AD_ISOLATED, AD_MERGED_WITH_PREVIOUS, AD_MERGED_WITH_NEXT,
                                               AD_CONTIGUOUS};
  const json_t *value = json_object_get(component, "behavior");
  const char *name = json_string_value(value);
  for (size_t i = 0; name != NULL && i < sizeof names / sizeof *names; i++) {
    if (strcmp(name, names[i]) == 0) {
      step->behavior = behaviors[i];
      return AD_OK;
    }
  }
  return value == NULL && step->kind == AD_STEP_PUNCTUATION
             ? AD_OK
             : ad_pipeline_refuse(path, "pre_tokenizer", "behavior", value,
                                  "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

static int read_punctuation(const char *path, const json_t *component, struct ad_step *step) {
  AD_TRY(ad_component_check(path, "pre_tokenizer", component, " type behavior "));
  *step = (struct ad_step){.kind = AD_STEP_PUNCTUATION, .behavior = AD_ISOLATED};
  return read_behavior(path, component, step);
}

static int read_literal(const char *path, const json_t *component, struct ad_step *step) {
  AD_TRY(ad_component_check(path, "pre_tokenizer", component, " type pattern behavior invert "));
  *step = (struct ad_step){.kind = AD_STEP_LITERAL};
  const json_t *pattern = json_object_get(component, "pattern");
  const char *literal = json_object_size(pattern) == 1 ? json_string_value(json_object_get(pattern, "String")) : NULL;
  if (literal == NULL || literal[0] == '\0') {
    return ad_pipeline_refuse(path, "pre_tokenizer", "pattern", pattern, "{\"String\": ...}, a text that is not empty");
  }
  AD_TRY(read_behavior(path, component, step));
  AD_TRY(read_boolean(path, component, "invert", &step->inverted));
  step->pattern = ad_strdup(literal);
  return step->pattern == NULL ? ad_fail_memory(strlen(literal) + 1, "a pattern") : AD_OK;
}

static int read_plain(const char *path, const json_t *component, enum ad_step_kind kind, struct ad_step *step) {
  *step = (struct ad_step){.kind = kind};
  return ad_component_check(path, "pre_tokenizer", component, " type ");
}

static int read_steps(struct ad_pipeline *pipeline, const char *path, const json_t *component, int depth);

static int read_sequence(struct ad_pipeline *pipeline, const char *path, const json_t *component, int depth) {
  const json_t *list = json_object_get(component, "pretokenizers");
  size_t i;
  json_t *value;
  AD_TRY(ad_component_check(path, "pre_tokenizer", component, " type pretokenizers "));
  if (!json_is_array(list) || depth > 4) {
    return ad_pipeline_refuse(path, "pre_tokenizer", "pretokenizers", list, "a list of components, at most 4 deep");
  }
  json_array_foreach(list, i, value) {
    AD_TRY(read_steps(pipeline, path, value, depth + 1));
  }
  return AD_OK;
}

/* Appends the steps of a pre-tokenizer. */
static int read_steps(struct ad_pipeline *pipeline, const char *path, const json_t *component, int depth) {
  const char *type = ad_component_type(component);
  if (strcmp(type, "Sequence") == 0) {
    return read_sequence(pipeline, path, component, depth);
  }
  if (pipeline->steps == STEPS_MOST) {
    return ad_fail(AD_EINPUT, "%s: pre_tokenizer: more than %d components", path, STEPS_MOST);
  }
  if (pipeline->steps > 0 && pipeline->step[pipeline->steps - 1].kind == AD_STEP_BYTES) {
    return ad_fail(AD_EINPUT, "%s: pre_tokenizer: \"%s\" stands behind ByteLevel, expected this to be the last", path,
                   type);
  }
  struct ad_step *step = &pipeline->step[pipeline->steps++];
  if (strcmp(type, "ByteLevel") == 0) {
    return read_bytes(path, component, step);
  }
  if (strcmp(type, "Metaspace") == 0) {
    return read_metaspace(path, component, step);
  }
  if (strcmp(type, "Punctuation") == 0) {
    return read_punctuation(path, component, step);
  }
  if (strcmp(type, "Split") == 0) {
    return read_literal(path, component, step);
  }
  if (strcmp(type, "BertPreTokenizer") == 0) {
    return read_plain(path, component, AD_STEP_BERT, step);
  }
  if (strcmp(type, "WhitespaceSplit") == 0) {
    return read_plain(path, component, AD_STEP_WHITE, step);
  }
  if (strcmp(type, "Whitespace") == 0) {
    return read_plain(path, component, AD_STEP_WORDS, step);
  }
  pipeline->steps--;
  char text[120];
  return ad_fail(
      AD_EINPUT,
      "%s: pre_tokenizer: the component is %s, expected BertPreTokenizer, ByteLevel, Metaspace, Punctuation, "
      "Sequence, Split, Whitespace or WhitespaceSplit",
      path, ad_json_show(component, text, sizeof text));
}

static int has_normalized(const struct ad_added *added) {
  size_t i = 0;
  while (i < added->count && !added->items[i].normalized) {
    i++;
  }
  return i < added->count;
}

/* Where a normaliser takes characters away, or makes several of one that another step or an added token then parts,
 * "first" would depend on what stood there; none of the models known to the project has both. */
static int check_first(const struct ad_recipe *recipe, const char *path, const json_t *normalizer) {
  const struct ad_pipeline *pipeline = recipe->pipeline;
  const char *kept = has_normalized(&recipe->added) ? " Prepend " : " NFC NFD NFKC NFKD Lowercase Prepend ";
  for (size_t i = 0; i < pipeline->steps; i++) {
    if (pipeline->step[i].kind == AD_STEP_METASPACE && pipeline->step[i].prefix < 0 && pipeline->normalizes) {
      const char *type = ad_component_type(normalizer);
      if (i > 0 || !ad_text_is_listed(kept, type)) {
        return ad_pipeline_refuse(path, "pre_tokenizer", "prepend_scheme", json_object_get(normalizer, "type"),
                                  has_normalized(&recipe->added)
                                      ? "none but Prepend beside \"first\" and added tokens that are normalized"
                                      : "no such normalizer beside the prepend_scheme \"first\"");
      }
    }
  }
  return AD_OK;
}

static int read_components(struct ad_recipe *recipe, const char *path, const json_t *root, int bytes) {
  struct ad_pipeline *pipeline = recipe->pipeline;
  const json_t *normalizer = json_object_get(root, "normalizer"), *splitter = json_object_get(root, "pre_tokenizer");
  struct ad_buffer text = {0};
  pipeline->normalizes = normalizer != NULL && !json_is_null(normalizer);
  AD_TRY(ad_normalizer_create(&pipeline->normalizer, path, normalizer));
  if (splitter != NULL && !json_is_null(splitter)) {
    AD_TRY(read_steps(pipeline, path, splitter, 0));
  }
  AD_TRY(check_first(recipe, path, normalizer));
  pipeline->bytes = bytes && pipeline->steps > 0 && pipeline->step[pipeline->steps - 1].kind == AD_STEP_BYTES;
  json_t *both = json_pack("[O?, O?]", normalizer, splitter);
  int status = both == NULL ? ad_fail_memory(1000, path)
                            : ad_json_print(both, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII, &text);
  pipeline->digest = status == AD_OK ? ad_digest(text.data, text.size) : 0;
  json_decref(both);
  ad_buffer_destroy(&text);
  return status;
}

int ad_pipeline_read(struct ad_recipe *recipe, const char *path, const json_t *root, int bytes) {
  recipe->pipeline = ad_calloc(1, sizeof *recipe->pipeline);
  if (recipe->pipeline == NULL) {
    return ad_fail_memory(sizeof *recipe->pipeline, "a tokenizer");
  }
  recipe->options = (struct ad_tokenizer_options){0}; /* of BERT; case is the normalizer's */
  AD_TRY(read_components(recipe, path, root, bytes));
  return ad_frame_read(recipe, path, json_object_get(root, "post_processor"));
}

void ad_pipeline_destroy(struct ad_pipeline *pipeline) {
  if (pipeline == NULL) {
    return;
  }
  for (size_t i = 0; i < pipeline->steps; i++) {
    ad_free(pipeline->step[i].pattern);
    ad_buffer_destroy(&pipeline->step[i].text);
  }
  ad_buffer_destroy(&pipeline->mapped);
  ad_normalizer_destroy(pipeline->normalizer);
  ad_free(pipeline);
}

/* ---- Use ---- */

int ad_pipeline_normalizes(const struct ad_pipeline *pipeline) {
  return pipeline->normalizes;
}

int ad_pipeline_normalize(struct ad_pipeline *pipeline, const char *text, size_t size, struct ad_buffer *out) {
  return pipeline->normalizes ? ad_normalizer_apply(pipeline->normalizer, text, size, out)
                              : ad_buffer_append(out, text, size);
}

int ad_pipeline_gives_bytes(const struct ad_pipeline *pipeline) {
  return pipeline->bytes;
}

uint64_t ad_pipeline_digest(const struct ad_pipeline *pipeline, uint64_t digest) {
  return ad_digest_pair(digest, pipeline->digest);
}

uint32_t ad_byte_char(unsigned char byte) {
  const int shown = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
  const unsigned hidden = byte <= 0x20 ? byte : byte == 0xAD ? 67u : byte - 0x7Fu + 33u;
  return shown ? byte : 0x100u + hidden;
}

/* Takes the pieces of a step to the next one, or to the model. The taker comes first: a link is found by it. */
struct link {
  struct ad_piece_taker taker;
  struct ad_step *next;
  const struct ad_piece_taker *behind;
  struct ad_tokenizer *tokenizer;
  ad_text_encoder *model;
  struct ad_encoding *encoding;
};

static int take_step(const struct ad_piece_taker *taker, const char *piece, size_t size, int first) {
  const struct link *link = (const struct link *)taker;
  return ad_step_run(link->next, piece, size, first, link->behind);
}

static int take_model(const struct ad_piece_taker *taker, const char *piece, size_t size, int first) {
  const struct link *link = (const struct link *)taker;
  (void)first;
  return link->model(link->tokenizer, piece, size, link->encoding);
}

/* Of a kind that takes characters. */
static int take_mapped(const struct ad_piece_taker *taker, const char *piece, size_t size, int first) {
  const struct link *link = (const struct link *)taker;
  struct ad_buffer *mapped = &link->tokenizer->recipe.pipeline->mapped;
  (void)first;
  ad_buffer_clear(mapped);
  for (size_t i = 0; i < size; i++) {
    char out[4];
    AD_TRY(ad_buffer_append(mapped, out, ad_utf8_write(out, ad_byte_char((unsigned char)piece[i]))));
  }
  return link->model(link->tokenizer, mapped->data, mapped->size, link->encoding);
}

int ad_pipeline_encode(struct ad_tokenizer *tokenizer, const char *text, size_t size, ad_text_encoder *model,
                       struct ad_encoding *encoding) {
  struct ad_pipeline *pipeline = tokenizer->recipe.pipeline;
  const size_t steps = pipeline->steps;
  if (size == 0) {
    return AD_OK;
  }
  if (steps == 0) {
    return model(tokenizer, text, size, encoding);
  }
  struct link link[STEPS_MOST];
  const int maps = pipeline->step[steps - 1].kind == AD_STEP_BYTES && !pipeline->bytes;
  for (size_t i = 0; i < steps; i++) {
    const int last = i + 1 == steps;
    link[i] = (struct link){.taker = {!last  ? take_step
                                      : maps ? take_mapped
                                             : take_model},
                            .next = last ? NULL : &pipeline->step[i + 1],
                            .behind = last ? NULL : &link[i + 1].taker,
                            .tokenizer = tokenizer,
                            .model = model,
                            .encoding = encoding};
  }
  return ad_step_run(&pipeline->step[0], text, size, tokenizer->begins, &link[0].taker);
}
