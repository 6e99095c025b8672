/* JSON in and out, by jansson. All JSON that the program reads comes through here, so every file gives the same
 * messages. All valid JSON (RFC 8259) is read, although jansson cannot hold all of it.
 *
 * A value that jansson cannot hold is a `raw` value in the tree. Such are a number past 64 bits or past the largest
 * double, and a string with a NUL or with half of a surrogate pair. It is no number and no string to jansson, so
 * whoever needs one refuses it; whoever does not look never meets it. */
#ifndef AUTODIDACT_BASE_JSON_H
#define AUTODIDACT_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "autodidact/base/buffer.h"

/* Parses text [size], which is one object, behind a byte order mark or not. Its first line is line `line` of `name`,
 * for messages. The caller owns *object (json_decref); NULL after a failure. AD_EINPUT with "name:line:" and the byte
 * of the line: bytes that are not UTF-8, malformed JSON, a doubled key, nesting deeper than 2,048, another value than
 * an object. AD_ENOMEM. */
int ad_json_parse(json_t **object, const char *name, size_t line, const char *text, size_t size);

/* The object in a file, as ad_json_parse; a file of another kind is named (base/looks.h). AD_EINPUT, AD_EIO, AD_ENOMEM.
 */
int ad_json_read(json_t **object, const char *path);

/* Stands in a key for what jansson cannot hold there, a NUL or half of a surrogate pair: U+FFFF, no character. */
#define AD_JSON_NO_KEY "\xEF\xBF\xBF"

/* The text of a raw value as the file has it; NULL: it is none. */
const char *ad_json_raw(const json_t *value);

/* A value in one line, for messages, cut to fit text [size]; "nothing" for NULL. Returns text or a literal. */
const char *ad_json_show(const json_t *value, char *text, size_t size);

/* Appends the text of `value` to `out`, what a terminal must not get as \uXXXX; flags are jansson's. AD_ENOMEM (then
 * `out` holds a part of it). */
int ad_json_print(const json_t *value, size_t flags, struct ad_buffer *out);

#endif
