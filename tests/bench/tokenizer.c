/* Speed of the tokenizer on one core, from memory.
 *
 *     bench_tokenizer MODEL FILE [SECONDS]
 *
 * Encodes the lines of FILE over and over with the tokenizer of the folder MODEL, for at least SECONDS (default 2), and
 * prints tokens a second (special ones around a text not counted), of the whole run and of its fastest pass. */
#include "autodidact/text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/status.h"

/* Encodes all lines; adds their tokens to *tokens. */
static int encode_lines(struct ad_tokenizer *tokenizer, const struct ad_buffer *text, struct ad_encoding *encoding,
                        size_t *tokens) {
  for (size_t i = 0; i < text->size;) {
    const char *end = memchr(text->data + i, '\n', text->size - i);
    const size_t size = (end == NULL ? text->size : (size_t)(end - text->data)) - i;
    AD_TRY(ad_tokenizer_encode(tokenizer, text->data + i, size, NULL, 0, 0, AD_TRUNCATE_HEAD, encoding));
    *tokens += encoding->text[0];
    i += size + 1;
  }
  return AD_OK;
}

static int run(const char *model, const char *path, double seconds) {
  struct ad_tokenizer *tokenizer = NULL;
  struct ad_buffer text = {0};
  struct ad_encoding encoding = {0};
  size_t tokens = 0;
  size_t passes = 0;
  double elapsed = 0;
  double fastest = 0;
  int status;
  AD_TRY_GOTO(ad_file_read(path, &text), done);
  double start = ad_clock();
  AD_TRY_GOTO(ad_tokenizer_load(&tokenizer, model), done);
  const double load = ad_clock() - start;
  while (elapsed < seconds || passes == 0) {
    size_t count = 0;
    start = ad_clock();
    AD_TRY_GOTO(encode_lines(tokenizer, &text, &encoding, &count), done);
    const double time = ad_clock() - start;
    fastest = (double)count / time > fastest ? (double)count / time : fastest;
    tokens += count;
    elapsed += time;
    passes++;
  }
  printf("%.1f million tokens/s (fastest pass %.1f), %.0f MB/s; %zu passes over %zu tokens; loaded in %.0f ms\n",
         1e-6 * (double)tokens / elapsed, 1e-6 * fastest, 1e-6 * (double)(text.size * passes) / elapsed, passes,
         tokens / passes, 1e3 * load);
done:
  ad_encoding_destroy(&encoding);
  ad_buffer_destroy(&text);
  ad_tokenizer_destroy(tokenizer);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4) {
    fprintf(stderr, "usage: bench_tokenizer MODEL FILE [SECONDS]\n");
    return 1;
  }
  const int status = run(argv[1], argv[2], argc == 4 ? strtod(argv[3], NULL) : 2.0);
  if (status != AD_OK) {
    fprintf(stderr, "bench_tokenizer: %s\n", ad_error_message());
  }
  return ad_status_exit_code(status);
}
