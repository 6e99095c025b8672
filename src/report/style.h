/* How pages and pictures look, and what a page does when its tables are clicked. Static storage. */
#ifndef AUTODIDACT_SRC_REPORT_STYLE_H
#define AUTODIDACT_SRC_REPORT_STYLE_H

extern const char ad__picture_style[]; /* of a picture, in a page and as a file: light, or dark where the reader's
                                          programs are */
extern const char ad__page_style[];    /* of everything else in a page */
extern const char ad__page_script[];   /* sorts tables */

#endif
