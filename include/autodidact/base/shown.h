/* Texts of files as people are shown them. Names of classes, tensors, arms and files may hold anything. Nothing of it
 * reaches a terminal as a command, or makes a line look like another. */
#ifndef AUTODIDACT_BASE_SHOWN_H
#define AUTODIDACT_BASE_SHOWN_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/buffer.h"

/* Whether a character (a code point) is shown as it is: 1 or 0. The joiners (U+200C, U+200D) are, which letters of
 * Persian and Hindi need, and emoji. */
int ad_is_plain(int32_t c);

/* Copies text [length] to out [size > 0] with a NUL, cut between two characters where it is too long. Control
 * characters become \n, \t, \r, \x1b. Invisible and directional ones (Unicode's Cf but the joiners, line and paragraph
 * separators, U+0080 to U+009F, U+FFFE, U+FFFF) become \u202e. Bytes that are no UTF-8 become \xff. Returns the bytes
 * in front of the NUL. What it gives is left alone by a second call. */
size_t ad_escape(const char *text, size_t length, char *out, size_t size);

/* Appends what ad_escape makes of text [length], whole. The escapes are those of YAML, too. AD_ENOMEM. */
int ad_escape_append(struct ad_buffer *out, const char *text, size_t length);

/* `text` itself where ad_escape leaves it alone, else an escaped copy of at most 1,000 bytes, which lives for 16
 * further calls in this thread: printf("%s\n", ad_shown(name)). "" for NULL. */
const char *ad_shown(const char *text);

#endif
