/* The post-processors of tokenizer.json: which special tokens stand around texts. */
#include <string.h>

#include "autodidact/base/status.h"
#include "pipeline.h"

static const char place[] = "post_processor";

/* ---- Templates ---- */

/* The text that a piece stands for, "A" or "B"; NULL: it is a special token. */
static const char *sequence_of(const json_t *piece, json_int_t *type) {
  const json_t *sequence = json_object_get(piece, "Sequence");
  *type = json_integer_value(json_object_get(sequence, "type_id"));
  return json_string_value(json_object_get(sequence, "id"));
}

/* What is known of a frame, going along a template. */
struct walk {
  unsigned *part;                       /* to which the pieces belong */
  unsigned texts;                       /* so many were met */
  json_int_t type[2];                   /* theirs */
  json_int_t token_type[AD_FRAME_MOST]; /* of each token of the frame */
  unsigned tokens;
};

/* Appends the tokens of a special token of a template, of which it has a list. */
static int put_special(const char *path, const json_t *specials, const json_t *piece, struct ad_frame *frame,
                       struct walk *walk) {
  const json_t *token = json_object_get(piece, "SpecialToken");
  const char *name = json_string_value(json_object_get(token, "id"));
  const json_t *special = name == NULL ? NULL : json_object_get(specials, name);
  const json_t *ids = json_object_get(special, "ids"), *tokens = json_object_get(special, "tokens");
  if (special == NULL || !json_is_array(ids) || json_array_size(ids) != json_array_size(tokens)) {
    return ad_pipeline_refuse(path, place, "SpecialToken", token, "one with \"ids\" and \"tokens\" in special_tokens");
  }
  for (size_t i = 0; i < json_array_size(ids); i++) {
    const json_t *id = json_array_get(ids, i);
    const char *content = json_string_value(json_array_get(tokens, i));
    if (!json_is_integer(id) || json_integer_value(id) < 0 || content == NULL) {
      return ad_pipeline_refuse(path, place, "special_tokens", special, "numbers of tokens and their texts");
    }
    const int status = ad_frame_put(frame, walk->part, content, json_integer_value(id));
    if (status != AD_OK) {
      return ad_fail_prefix(status, "%s: %s", path, place);
    }
    walk->token_type[walk->tokens++] = json_integer_value(json_object_get(token, "type_id"));
  }
  return AD_OK;
}

static int walk_text(const char *path, const json_t *piece, unsigned wanted, const char *name, struct ad_frame *frame,
                     struct walk *walk) {
  static const char *const names[] = {"A", "B"};
  if (walk->texts == wanted || strcmp(name, names[walk->texts]) != 0) {
    return ad_pipeline_refuse(path, place, "Sequence", piece, "A once, and in \"pair\" B once behind it");
  }
  sequence_of(piece, &walk->type[walk->texts++]);
  walk->part = walk->texts < wanted ? &frame->between : &frame->after;
  return AD_OK;
}

/* Those between that have the type of the second text are of its segment, if it has a type of its own. */
static void set_first(const struct walk *walk, struct ad_frame *frame) {
  frame->first = frame->between;
  frame->one_type = walk->texts == 2 && walk->type[0] == walk->type[1];
  for (unsigned i = 0; walk->type[0] != walk->type[1] && i < frame->between; i++) {
    if (walk->token_type[frame->before + i] == walk->type[1]) {
      frame->first = i;
      break;
    }
  }
}

static int read_template(const char *path, const json_t *processor, const char *key, unsigned wanted,
                         struct ad_frame *frame) {
  const json_t *template = json_object_get(processor, key);
  struct walk walk = {.part = &frame->before};
  size_t i;
  json_t *piece;
  if (!json_is_array(template)) {
    return ad_pipeline_refuse(path, place, key, template, "a list of texts and special tokens");
  }
  json_array_foreach(template, i, piece) {
    json_int_t type;
    const char *name = sequence_of(piece, &type);
    AD_TRY(name != NULL ? walk_text(path, piece, wanted, name, frame, &walk)
                        : put_special(path, json_object_get(processor, "special_tokens"), piece, frame, &walk));
  }
  if (walk.texts < wanted) {
    return ad_pipeline_refuse(path, place, key, template, wanted == 1 ? "the text A in it" : "the texts A and B in it");
  }
  set_first(&walk, frame);
  return AD_OK;
}

/* ---- Fixed ones ---- */

/* ["</s>", 2] */
static int read_pair(const char *path, const json_t *processor, const char *key, const char **content, int64_t *id) {
  const json_t *pair = json_object_get(processor, key);
  *content = json_string_value(json_array_get(pair, 0));
  *id = json_is_integer(json_array_get(pair, 1)) ? json_integer_value(json_array_get(pair, 1)) : -1;
  return json_array_size(pair) == 2 && *content != NULL && *id >= 0
             ? AD_OK
             : ad_pipeline_refuse(path, place, key, pair, "a token and its number");
}

static int read_fixed(struct ad_recipe *recipe, const char *path, const json_t *processor, unsigned between) {
  const char *cls, *sep;
  int64_t cls_id, sep_id;
  AD_TRY(read_pair(path, processor, "cls", &cls, &cls_id));
  AD_TRY(read_pair(path, processor, "sep", &sep, &sep_id));
  AD_TRY(ad_recipe_frame(recipe, cls, sep, between));
  for (unsigned pair = 0; pair < 2; pair++) {
    struct ad_frame *frame = &recipe->frame[pair];
    for (unsigned i = 0; i < frame->before + frame->between + frame->after; i++) {
      frame->token[i].id = i == 0 ? cls_id : sep_id;
    }
  }
  return AD_OK;
}

static int has_frame(const struct ad_recipe *recipe) {
  const struct ad_frame *pair = &recipe->frame[1];
  return pair->before + pair->between + pair->after > 0;
}

static int read_sequence(struct ad_recipe *recipe, const char *path, const json_t *processor) {
  const json_t *list = json_object_get(processor, "processors");
  size_t i;
  json_t *value;
  AD_TRY(ad_component_check(path, place, processor, " type processors "));
  if (!json_is_array(list)) {
    return ad_pipeline_refuse(path, place, "processors", list, "a list of components");
  }
  json_array_foreach(list, i, value) {
    if (strcmp(ad_component_type(value), "Sequence") == 0) {
      return ad_pipeline_refuse(path, place, "processors", value, "no Sequence inside another");
    }
    AD_TRY(ad_frame_read(recipe, path, value));
  }
  return AD_OK;
}

int ad_frame_read(struct ad_recipe *recipe, const char *path, const json_t *processor) {
  const char *type = ad_component_type(processor);
  if (processor == NULL || json_is_null(processor)) {
    return AD_OK;
  }
  if (strcmp(type, "ByteLevel") == 0) { /* changes offsets alone */
    return ad_component_check(path, place, processor, " type add_prefix_space trim_offsets use_regex ");
  }
  if (strcmp(type, "Sequence") == 0) {
    return read_sequence(recipe, path, processor);
  }
  if (has_frame(recipe)) {
    return ad_pipeline_refuse(path, place, "type", json_object_get(processor, "type"),
                              "one component that puts special tokens around texts");
  }
  if (strcmp(type, "BertProcessing") == 0) {
    AD_TRY(ad_component_check(path, place, processor, " type cls sep "));
    return read_fixed(recipe, path, processor, 1);
  }
  if (strcmp(type, "RobertaProcessing") == 0) {
    AD_TRY(ad_component_check(path, place, processor, " type cls sep add_prefix_space trim_offsets "));
    /* Without both flags the library takes it for BertProcessing. */
    const int whole = json_is_boolean(json_object_get(processor, "trim_offsets")) &&
                      json_is_boolean(json_object_get(processor, "add_prefix_space"));
    return read_fixed(recipe, path, processor, whole ? 2 : 1);
  }
  if (strcmp(type, "TemplateProcessing") == 0) {
    AD_TRY(ad_component_check(path, place, processor, " type single pair special_tokens "));
    AD_TRY(read_template(path, processor, "single", 1, &recipe->frame[0]));
    return read_template(path, processor, "pair", 2, &recipe->frame[1]);
  }
  char text[120];
  return ad_fail(AD_EINPUT,
                 "%s: post_processor: the component is %s, expected BertProcessing, ByteLevel, RobertaProcessing, "
                 "Sequence or TemplateProcessing",
                 path, ad_json_show(processor, text, sizeof text));
}
