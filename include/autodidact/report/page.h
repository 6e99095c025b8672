/* Small HTML pages that look as reports do: light or dark as the reader's programs are, without other files. */
#ifndef AUTODIDACT_REPORT_PAGE_H
#define AUTODIDACT_REPORT_PAGE_H

#include "autodidact/base/buffer.h"

/* Appends all up to the contents, with the title as heading. refresh: seconds after which a browser loads the file
 * again, 0: never. AD_ENOMEM, as below. */
int ad_page_begin(struct ad_buffer *out, const char *title, unsigned refresh);

/* Appends a text, escaped for HTML and for readers (base/shown.h). */
int ad_page_text(struct ad_buffer *out, const char *text);

/* Appends the rest, behind a footer, which is a text. */
int ad_page_end(struct ad_buffer *out, const char *footer);

#endif
