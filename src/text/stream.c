#include "autodidact/text/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/looks.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"

/* Encodes one line [size bytes], its line feed taken off. */
static int encode_line(struct ad_tokenizer *tokenizer, const struct ad_stream_options *o, const char *line, size_t size,
                       struct ad_encoding *encoding) {
  const char *second = NULL;
  size_t first_size = size;
  size_t second_size = 0;
  if (o->pair) {
    const char *tab = memchr(line, '\t', size);
    if (tab == NULL) {
      return ad_fail(AD_EINPUT, "no TAB, expected two texts with a TAB between them");
    }
    first_size = (size_t)(tab - line);
    second = tab + 1;
    second_size = size - first_size - 1;
    if (memchr(second, '\t', second_size) != NULL) {
      return ad_fail(AD_EINPUT, "more than one TAB, expected two texts with a TAB between them");
    }
  }
  return ad_tokenizer_encode(tokenizer, line, first_size, second, second_size, o->limit, o->truncation, encoding);
}

static int check_line(const char *name, size_t number, const char *line, size_t size) {
  const size_t valid = ad_utf8_valid(line, size);
  AD_TRY(number == 1 ? ad_looks_refuse(name, line, size) : AD_OK);
  return valid == size
             ? AD_OK
             : ad_looks_explain(ad_utf8_fail(name, number, line, size, valid), AD_LOOKS_TEXT, name, line, size);
}

int ad_tokenizer_stream(struct ad_tokenizer *tokenizer, FILE *stream, const char *name,
                        const struct ad_stream_options *options, ad_encoding_taker take, void *context) {
  struct ad_encoding encoding = {0};
  char *line = NULL;
  size_t capacity = 0;
  int status = AD_OK;
  errno = 0;
  for (size_t number = 1; status == AD_OK; number++) {
    ssize_t size = getline(&line, &capacity, stream);
    if (size < 0) {
      break;
    }
    size -= size > 0 && line[size - 1] == '\n';
    AD_TRY_GOTO(check_line(name, number, line, (size_t)size), done);
    status = encode_line(tokenizer, options, line, (size_t)size, &encoding);
    status = status == AD_OK ? take(context, tokenizer, &encoding) : ad_fail_prefix(status, "%s:%zu", name, number);
  }
  if (status == AD_OK && !feof(stream)) {
    status = errno == ENOMEM ? ad_fail_memory(capacity, name)
                             : ad_fail(errno == EISDIR ? AD_EINPUT : AD_EIO, "%s: %s", name, strerror(errno));
  }
done:
  free(line);
  ad_encoding_destroy(&encoding);
  return status;
}
