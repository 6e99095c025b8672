#include "autodidact/report/page.h"

#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "picture.h"
#include "style.h"

int ad_page_text(struct ad_buffer *out, const char *text) {
  return ad__markup_text(out, ad_shown(text));
}

int ad_page_begin(struct ad_buffer *out, const char *title, unsigned refresh) {
  AD_TRY(ad_buffer_puts(out,
                        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"));
  AD_TRY(refresh == 0 ? AD_OK : ad_buffer_printf(out, "<meta http-equiv=\"refresh\" content=\"%u\">\n", refresh));
  AD_TRY(ad_buffer_puts(out, "<title>"));
  AD_TRY(ad_page_text(out, title));
  AD_TRY(ad_buffer_printf(out,
                          "</title>\n<style>%s%sprogress{width:100%%;accent-color:var(--mark)}td "
                          "progress{width:8em;vertical-align:middle}</style>"
                          "</head><body><main>\n<h1>",
                          ad__picture_style, ad__page_style));
  AD_TRY(ad_page_text(out, title));
  return ad_buffer_puts(out, "</h1>\n");
}

int ad_page_end(struct ad_buffer *out, const char *footer) {
  AD_TRY(ad_buffer_puts(out, "<footer>"));
  AD_TRY(ad_page_text(out, footer));
  return ad_buffer_printf(out, "</footer>\n</main>\n<script>%s</script></body></html>\n", ad__page_script);
}
