#include "autodidact/base/yaml.h"

#include <string.h>
#include <yaml.h>

#include "autodidact/base/file.h"
#include "autodidact/base/looks.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/texts.h"
#include "autodidact/base/utf8.h"

/* Deeper trees than any configuration needs; the bound keeps the recursion off the end of the stack. */
enum { DEPTH_LIMIT = 64 };

struct reader {
  yaml_parser_t parser;
  const char *name;
  const char *text; /* [size] */
  size_t size;
};

static int build(struct reader *reader, const yaml_event_t *event, int depth, struct ad_yaml **out);

/* Errors of libyaml's reading stage have a byte offset and no line. */
static size_t line_of_offset(const struct reader *reader, size_t offset) {
  size_t line = 1;
  for (size_t i = 0; i < offset && i < reader->size; i++) {
    line += reader->text[i] == '\n';
  }
  return line;
}

static int fail_at(const struct reader *reader, size_t line, const char *what) {
  return ad_fail(AD_EINPUT, "%s:%zu: %s", reader->name, line, what);
}

static int next_event(struct reader *reader, yaml_event_t *event) {
  const yaml_parser_t *parser = &reader->parser;
  if (yaml_parser_parse(&reader->parser, event)) {
    return AD_OK;
  }
  const char *problem = parser->problem == NULL ? "unreadable" : parser->problem;
  switch (parser->error) {
    case YAML_MEMORY_ERROR:
      return ad_fail_memory(reader->size, "a YAML document");
    case YAML_READER_ERROR:
      return ad_fail(AD_EINPUT, "%s:%zu: malformed YAML: %s at byte %zu", reader->name,
                     line_of_offset(reader, parser->problem_offset), problem, parser->problem_offset);
    default:
      return ad_fail(AD_EINPUT, "%s:%zu: malformed YAML: %s%s%s", reader->name, parser->problem_mark.line + 1, problem,
                     parser->context == NULL ? "" : " ", parser->context == NULL ? "" : parser->context);
  }
}

/* Copies a scalar's text. */
static int scalar_text(const struct reader *reader, const yaml_event_t *event, char **text) {
  const char *value = (const char *)event->data.scalar.value;
  const size_t length = event->data.scalar.length;
  if (memchr(value, '\0', length) != NULL) {
    return fail_at(reader, event->start_mark.line + 1, "a text holds a NUL character");
  }
  *text = ad_strndup(value, length);
  return *text == NULL ? ad_fail_memory(length + 1, "a YAML scalar") : AD_OK;
}

static int append_item(struct ad_yaml *node, size_t *capacity, struct ad_yaml *item) {
  void *items = node->items;
  AD_TRY(ad_reserve(&items, capacity, node->count + 1, sizeof *node->items));
  node->items = items;
  node->items[node->count] = item;
  return AD_OK;
}

static int build_sequence(struct reader *reader, int depth, struct ad_yaml *node) {
  size_t capacity = 0;
  for (;;) {
    yaml_event_t event;
    AD_TRY(next_event(reader, &event));
    if (event.type == YAML_SEQUENCE_END_EVENT) {
      yaml_event_delete(&event);
      return AD_OK;
    }
    struct ad_yaml *item = NULL;
    int status = build(reader, &event, depth + 1, &item);
    yaml_event_delete(&event);
    if (status == AD_OK) {
      status = append_item(node, &capacity, item);
    }
    if (status < 0) {
      ad_yaml_destroy(item);
      return status;
    }
    node->count++;
  }
}

/* Reads a key into node->keys[node->count], from the event that starts it. */
static int build_key(struct reader *reader, const yaml_event_t *event, struct ad_yaml *node, size_t *capacity) {
  const size_t line = event->start_mark.line + 1;
  if (event->type != YAML_SCALAR_EVENT) {
    return fail_at(reader, line, "a key must be plain text");
  }
  if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL) {
    return fail_at(reader, line, "anchors, aliases and tags are not supported");
  }
  void *keys = node->keys;
  AD_TRY(ad_reserve(&keys, capacity, node->count + 1, sizeof *node->keys));
  node->keys = keys;
  char *key = NULL;
  AD_TRY(scalar_text(reader, event, &key));
  node->keys[node->count] = key;
  return AD_OK;
}

static int build_value(struct reader *reader, int depth, struct ad_yaml *node, size_t *capacity) {
  yaml_event_t event;
  AD_TRY(next_event(reader, &event));
  struct ad_yaml *item = NULL;
  int status = build(reader, &event, depth + 1, &item);
  yaml_event_delete(&event);
  if (status == AD_OK) {
    status = append_item(node, capacity, item);
  }
  if (status < 0) {
    ad_yaml_destroy(item);
  }
  return status;
}

/* Keys that are there twice; lines [count] of the keys. */
static int check_doubled(const struct reader *reader, const struct ad_yaml *node, const size_t *lines) {
  size_t before = 0, *order = ad_malloc(node->count, sizeof *order);
  if (order == NULL) {
    return ad_fail_memory(node->count * sizeof *order, "the keys of a YAML mapping");
  }
  const char *const *keys = (const char *const *)node->keys;
  ad_texts_order(keys, node->count, order);
  const size_t doubled = ad_texts_doubled(keys, node->count, order, &before);
  ad_free(order);
  return doubled == node->count ? AD_OK
                                : ad_fail(AD_EINPUT, "%s:%zu: the key \"%s\" is there twice (first at line %zu)",
                                          reader->name, lines[doubled], keys[doubled], lines[before]);
}

/* The entries of a mapping up to its end; *lines: of its keys, the caller's. */
static int build_entries(struct reader *reader, int depth, struct ad_yaml *node, size_t **lines) {
  size_t line_capacity = 0, key_capacity = 0, item_capacity = 0;
  for (;;) {
    yaml_event_t event;
    AD_TRY(next_event(reader, &event));
    if (event.type == YAML_MAPPING_END_EVENT) {
      yaml_event_delete(&event);
      return AD_OK;
    }
    void *grown = *lines;
    int status = ad_reserve(&grown, &line_capacity, node->count + 1, sizeof **lines);
    *lines = grown;
    if (status == AD_OK) {
      (*lines)[node->count] = event.start_mark.line + 1;
      status = build_key(reader, &event, node, &key_capacity);
    }
    yaml_event_delete(&event);
    AD_TRY(status);
    status = build_value(reader, depth, node, &item_capacity);
    if (status < 0) {
      ad_free(node->keys[node->count]);
      return status;
    }
    node->count++;
  }
}

static int build_mapping(struct reader *reader, int depth, struct ad_yaml *node) {
  size_t *lines = NULL;
  int status = build_entries(reader, depth, node, &lines);
  status = status == AD_OK && node->count > 1 ? check_doubled(reader, node, lines) : status;
  ad_free(lines);
  return status;
}

/* The tree of the node that starts with this event. On failure *out is NULL. */
static int build(struct reader *reader, const yaml_event_t *event, int depth, struct ad_yaml **out) {
  *out = NULL;
  const size_t line = event->start_mark.line + 1;
  const int marked =
      event->type == YAML_ALIAS_EVENT ||
      (event->type == YAML_SCALAR_EVENT && (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL)) ||
      (event->type == YAML_SEQUENCE_START_EVENT &&
       (event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL)) ||
      (event->type == YAML_MAPPING_START_EVENT &&
       (event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL));
  if (marked) {
    return fail_at(reader, line, "anchors, aliases and tags are not supported");
  }
  if (depth > DEPTH_LIMIT) {
    return fail_at(reader, line, "nested too deeply");
  }
  struct ad_yaml *node = ad_calloc(1, sizeof *node);
  if (node == NULL) {
    return ad_fail_memory(sizeof *node, "a YAML node");
  }
  node->line = line;
  int status;
  switch (event->type) {
    case YAML_SCALAR_EVENT:
      node->kind = AD_YAML_SCALAR;
      node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
      status = scalar_text(reader, event, &node->text);
      break;
    case YAML_SEQUENCE_START_EVENT:
      node->kind = AD_YAML_SEQUENCE;
      status = build_sequence(reader, depth, node);
      break;
    case YAML_MAPPING_START_EVENT:
      node->kind = AD_YAML_MAPPING;
      status = build_mapping(reader, depth, node);
      break;
    default:
      status = ad_fail(AD_EINTERNAL, "%s:%zu: unexpected YAML event %d", reader->name, line, (int)event->type);
      break;
  }
  if (status < 0) {
    ad_yaml_destroy(node);
    return status;
  }
  *out = node;
  return AD_OK;
}

/* A document that holds nothing is a mapping without entries, whether it has a "---" or not. */
static int make_empty(struct ad_yaml **tree) {
  ad_yaml_destroy(*tree);
  *tree = ad_calloc(1, sizeof **tree);
  if (*tree == NULL) {
    return ad_fail_memory(sizeof **tree, "a YAML node");
  }
  (*tree)->kind = AD_YAML_MAPPING;
  (*tree)->line = 1;
  return AD_OK;
}

/* Goes through the events of the stream; *tree is NULL or owned by the caller afterwards, also on failure. */
static int read_stream(struct reader *reader, struct ad_yaml **tree) {
  int documents = 0;
  for (;;) {
    yaml_event_t event;
    AD_TRY(next_event(reader, &event));
    int status = AD_OK;
    const yaml_event_type_t type = event.type;
    if (type == YAML_DOCUMENT_START_EVENT && ++documents > 1) {
      status = fail_at(reader, event.start_mark.line + 1, "a second document starts, expected one");
    } else if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT && type != YAML_DOCUMENT_START_EVENT &&
               type != YAML_DOCUMENT_END_EVENT) {
      status = build(reader, &event, 0, tree);
    }
    yaml_event_delete(&event);
    AD_TRY(status);
    if (type == YAML_STREAM_END_EVENT) {
      break;
    }
  }
  const struct ad_yaml *root = *tree;
  if (root == NULL || (root->kind == AD_YAML_SCALAR && root->text[0] == '\0' && !root->quoted)) {
    return make_empty(tree);
  }
  return root->kind == AD_YAML_MAPPING  ? AD_OK
         : root->kind == AD_YAML_SCALAR ? fail_at(reader, root->line, "expected keys and values, found plain text")
                                        : fail_at(reader, root->line, "expected keys and values, found a list");
}

static int parse(struct ad_yaml **tree, const char *name, const char *text, size_t size) {
  struct reader reader = {.name = name, .text = text == NULL ? "" : text, .size = size};
  AD_TRY(ad_looks_refuse(name, reader.text, size));
  AD_TRY(ad_utf8_check(name, reader.text, size));
  if (!yaml_parser_initialize(&reader.parser)) {
    return ad_fail_memory(sizeof reader.parser, "a YAML parser");
  }
  yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.text, size);
  const int status = read_stream(&reader, tree);
  yaml_parser_delete(&reader.parser);
  return status;
}

int ad_yaml_parse(struct ad_yaml **tree, const char *name, const char *text, size_t size) {
  *tree = NULL;
  const size_t mark = ad_utf8_mark(text, size);
  const int status = parse(tree, name, text == NULL ? NULL : text + mark, size - mark);
  if (status < 0) {
    ad_yaml_destroy(*tree);
    *tree = NULL;
  }
  return ad_looks_explain(status, AD_LOOKS_TEXT, name, text, size);
}

int ad_yaml_read(struct ad_yaml **tree, const char *path) {
  *tree = NULL;
  struct ad_file_map map;
  AD_TRY(ad_file_map(path, &map));
  const int status = ad_yaml_parse(tree, path, map.data, map.size);
  ad_file_unmap(&map);
  return status;
}

void ad_yaml_destroy(struct ad_yaml *tree) {
  if (tree == NULL) {
    return;
  }
  for (size_t i = 0; i < tree->count; i++) {
    if (tree->keys != NULL) {
      ad_free(tree->keys[i]);
    }
    ad_yaml_destroy(tree->items[i]);
  }
  ad_free(tree->keys);
  ad_free(tree->items);
  ad_free(tree->text);
  ad_free(tree);
}

const struct ad_yaml *ad_yaml_get(const struct ad_yaml *tree, const char *key) {
  if (tree == NULL || tree->kind != AD_YAML_MAPPING) {
    return NULL;
  }
  for (size_t i = 0; i < tree->count; i++) {
    if (strcmp(tree->keys[i], key) == 0) {
      return tree->items[i];
    }
  }
  return NULL;
}

int ad_yaml_quote(struct ad_buffer *out, const char *text) {
  AD_TRY(ad_buffer_puts(out, "\""));
  for (size_t length; *text != '\0'; text += length) {
    length = strcspn(text, "\"\\");
    AD_TRY(ad_escape_append(out, text, length));
    if (text[length] != '\0') {
      AD_TRY(ad_buffer_printf(out, "\\%c", text[length++]));
    }
  }
  return ad_buffer_puts(out, "\"");
}
