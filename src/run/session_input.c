/* What --data and --text name: a file, standard input, one text; and plain text as examples. */
#include <stdint.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/gzip.h"
#include "autodidact/base/looks.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "autodidact/mpi/comm.h"
#include "autodidact/run/session.h"

/* The bytes of rank 0's standard input, on every rank. */
static int share_input(const struct ad_comm *comm, struct ad_file_map *map) {
  static const size_t PIECE = (size_t)1 << 28;
  const int first = ad_comm_rank(comm) == 0;
  AD_TRY(ad_comm_settle(comm, first ? ad_text_map("/dev/stdin", map) : AD_OK));
  uint64_t size = map->size;
  AD_TRY(ad_comm_broadcast(comm, sizeof size, &size));
  if (!first) {
    *map = (struct ad_file_map){.data = ad_malloc(size, 1), .size = size, .copied = 1};
  }
  const int status = map->data == NULL && size > 0 ? ad_fail_memory(size, "the data of standard input") : AD_OK;
  AD_TRY(ad_comm_settle(comm, status));
  for (size_t at = 0; at < size; at += PIECE) {
    AD_TRY(ad_comm_broadcast(comm, size - at < PIECE ? size - at : PIECE, (char *)(uintptr_t)map->data + at));
  }
  return AD_OK;
}

int ad_session_open_input(struct ad_session *session, const char *name) {
  struct ad_comm *comm;
  session->input_name = strcmp(name, AD_SESSION_STDIN) == 0 ? "standard input" : name;
  if (session->input_name == name) {
    return ad_text_map(name, &session->input);
  }
  AD_TRY(ad_comm_create(&comm, 0));
  const int status = share_input(comm, &session->input); /* the same on all ranks */
  ad_comm_destroy(comm);
  return status;
}

/* Appends one line as an example. */
static int add_line(struct ad_dataset *data, size_t *row_capacity, size_t *token_capacity,
                    const struct ad_encoding *e) {
  void *offset = data->offset, *first = data->first, *label = data->label, *ids = data->ids;
  size_t offsets = *row_capacity, firsts = *row_capacity, labels = *row_capacity;
  int status = ad_reserve(&offset, &offsets, data->count + 2, sizeof *data->offset);
  data->offset = offset;
  if (status == AD_OK) {
    status = ad_reserve(&first, &firsts, data->count + 2, sizeof *data->first);
    data->first = first;
  }
  if (status == AD_OK) {
    status = ad_reserve(&label, &labels, data->count + 2, sizeof *data->label);
    data->label = label;
  }
  const size_t used = data->count == 0 ? 0 : data->offset[data->count];
  if (status == AD_OK) {
    status = ad_reserve(&ids, token_capacity, used + e->count, sizeof *data->ids);
    data->ids = ids;
  }
  AD_TRY(status);
  *row_capacity = offsets;
  memcpy(data->ids + used, e->ids, e->count * sizeof *data->ids);
  data->offset[0] = 0;
  data->offset[data->count + 1] = used + e->count;
  data->first[data->count] = (uint32_t)e->first;
  data->label[data->count] = AD_NO_LABEL;
  data->longest = e->count > data->longest ? e->count : data->longest;
  data->truncated += (size_t)e->truncated;
  data->count++;
  return AD_OK;
}

/* The examples of plain text. */
struct lines {
  struct ad_session *session;
  struct ad_dataset *data;
  struct ad_encoding encoding;
  size_t row_capacity, token_capacity, limit;
  enum ad_truncation truncation;
};

/* pair NULL: one text. */
static int add_texts(struct lines *l, const char *text, size_t size, const char *pair, size_t pair_size) {
  const struct ad_params *params = &l->session->params;
  const uint32_t second = params->form.second_type, types = params->config.types;
  if (pair != NULL && second > 0 && second >= types) {
    return ad_fail(AD_EINPUT, "a pair of texts, but type_vocab_size of the model is %u, expected 2 for pairs", types);
  }
  AD_TRY(
      ad_tokenizer_encode(l->session->tokenizer, text, size, pair, pair_size, l->limit, l->truncation, &l->encoding));
  return add_line(l->data, &l->row_capacity, &l->token_capacity, &l->encoding);
}

static int read_lines(struct lines *l, const char *path, const struct ad_file_map *map) {
  for (size_t at = ad_utf8_mark(map->data, map->size), line = 1; at < map->size; line++) {
    const char *text = map->data + at;
    const char *newline = memchr(text, '\n', map->size - at);
    size_t size = newline == NULL ? map->size - at : (size_t)(newline - text);
    at += size + 1;
    size -= size > 0 && text[size - 1] == '\r';
    const char *tab = memchr(text, '\t', size);
    const size_t first = tab == NULL ? size : (size_t)(tab - text);
    const int status = add_texts(l, text, first, tab == NULL ? NULL : tab + 1, tab == NULL ? 0 : size - first - 1);
    if (status != AD_OK) {
      return ad_fail_prefix(status, "%s:%zu", path, line);
    }
  }
  return l->data->count > 0 ? AD_OK : ad_fail(AD_EINPUT, "%s: no lines, expected one example a line", path);
}

int ad_session_read_lines(struct ad_session *session, const char *name, size_t limit, enum ad_truncation truncation,
                          struct ad_dataset *data) {
  struct lines l = {.session = session, .data = data, .limit = limit, .truncation = truncation};
  const struct ad_file_map *map = &session->input;
  *data = (struct ad_dataset){.words = 1}; /* none of them is a label */
  AD_TRY(ad_session_open_input(session, name));
  const char *path = session->input_name;
  data->digest = ad_digest(map->data, map->size);
  int status = ad_looks_refuse(path, map->data, map->size);
  status = status == AD_OK ? ad_utf8_check(path, map->data, map->size) : status;
  status = status == AD_OK ? read_lines(&l, path, map) : status;
  ad_encoding_destroy(&l.encoding);
  return ad_looks_explain(status, AD_LOOKS_TEXT, path, map->data, map->size);
}

int ad_session_read_text(struct ad_session *session, const char *text, const char *pair, size_t limit,
                         enum ad_truncation truncation, struct ad_dataset *data) {
  struct lines l = {.session = session, .data = data, .limit = limit, .truncation = truncation};
  const size_t sizes[2] = {strlen(text), pair == NULL ? 0 : strlen(pair)};
  *data = (struct ad_dataset){.words = 1};
  data->digest = ad_digest_pair(ad_digest(text, sizes[0]), ad_digest(pair == NULL ? "" : pair, sizes[1]));
  AD_TRY(ad_utf8_check("--text", text, sizes[0]));
  AD_TRY(pair == NULL ? AD_OK : ad_utf8_check("--pair", pair, sizes[1]));
  int status = add_texts(&l, text, sizes[0], pair, sizes[1]);
  if (status == AD_OK && (l.encoding.text[0] == 0 || (pair != NULL && l.encoding.text[1] == 0))) {
    status = ad_fail(AD_EINPUT, "%s: found nothing but white space, expected words",
                     l.encoding.text[0] == 0 ? "--text" : "--pair");
  }
  ad_encoding_destroy(&l.encoding);
  return status;
}
