/* The index behind a checkpoint's HDF5 part: what is needed to read the values, under digests of its own. HDF5 crashes
 * on damaged files, and to look at one in a child process first is slow where a process holds much and forbidden with
 * some networks below MPI; training reads by this and never opens a checkpoint with HDF5. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "checkpoint_internal.h"

/* A file is: HDF5's part; the header, the digests of all rows, vector by vector, and the state; the footer. Numbers are
 * little-endian, as the values are. */
struct header {
  uint64_t format, P, step, count, state_bytes;
  struct {
    uint64_t which, rows, slots, at; /* as ad__checkpoint_add takes them */
  } vectors[AD_STATE_VECTORS];
};

struct footer {
  char magic[8];
  uint64_t index_bytes;
  uint64_t rest;   /* digest of HDF5's part but for the values, which have theirs */
  uint64_t digest; /* of the index and of this up to here */
};

static const char magic[8] = "ADINDEX";

static uint64_t footer_digest(const struct footer *f, const void *index) {
  return ad_digest_pair(ad_digest(index, (size_t)f->index_bytes), ad_digest(f, offsetof(struct footer, digest)));
}

int ad__checkpoint_pack(const struct ad_checkpoint *c, struct ad_buffer *index) {
  struct header h = {
      .format = CHECKPOINT_FORMAT, .P = c->P, .step = c->step, .count = c->count, .state_bytes = strlen(c->state)};
  for (size_t v = 0; v < c->count; v++) {
    size_t which = 0;
    while (strcmp(ad__checkpoint_known[which].name, c->vectors[v].name) != 0) {
      which++;
    }
    h.vectors[v].which = which;
    h.vectors[v].rows = c->vectors[v].filled;
    h.vectors[v].slots = c->vectors[v].slots;
    h.vectors[v].at = c->stored[v].at;
  }
  int status = ad_buffer_append(index, &h, sizeof h);
  for (size_t v = 0; v < c->count && status == AD_OK; v++) {
    status = ad_buffer_append(index, c->stored[v].digests, c->vectors[v].filled * sizeof(uint64_t));
  }
  return status == AD_OK ? ad_buffer_append(index, c->state, strlen(c->state)) : status;
}

/* The next `size` bytes of an index, or NULL: it has no more. */
static const void *take(const struct ad_buffer *index, size_t *at, uint64_t size) {
  if (size > index->size - *at) {
    return NULL;
  }
  *at += (size_t)size;
  return index->data + *at - size;
}

static int unpack_vectors(struct ad_checkpoint *c, const struct header *h, const struct ad_buffer *index, size_t *at) {
  size_t end = 0;
  for (size_t v = 0; v < h->count; v++) {
    if (v >= AD_STATE_VECTORS || h->vectors[v].which >= CHECKPOINT_KNOWN ||
        ad__checkpoint_add(c, h->vectors[v].which, h->P, h->vectors[v].rows, h->vectors[v].slots, h->vectors[v].at) !=
            0 ||
        (c->vectors[v].filled > 0 && c->stored[v].at < end)) {
      return ad__checkpoint_damaged(c, "the vectors of its index");
    }
    end = c->vectors[v].filled > 0 ? c->stored[v].at + c->vectors[v].filled * c->P * c->vectors[v].bytes : end;
    const size_t bytes = c->vectors[v].filled * sizeof(uint64_t);
    const void *digests = take(index, at, bytes);
    c->stored[v].digests = digests == NULL ? NULL : ad_malloc(bytes, 1);
    if (digests == NULL) {
      return ad__checkpoint_damaged(c, "the digests of its index");
    }
    if (c->stored[v].digests == NULL) {
      return ad_fail_memory(bytes, "the digests of a checkpoint");
    }
    memcpy(c->stored[v].digests, digests, bytes);
  }
  return AD_OK;
}

/* c->size is that of the file. Nothing in the index is believed that could lead out of it or of memory. */
static int unpack(struct ad_checkpoint *c, const struct ad_buffer *index) {
  struct header h;
  size_t at = 0;
  const void *begin = take(index, &at, sizeof h);
  if (begin == NULL) {
    return ad__checkpoint_damaged(c, "its index is too short");
  }
  memcpy(&h, begin, sizeof h);
  if (h.format != CHECKPOINT_FORMAT) {
    return ad_fail(AD_EINPUT, "%s: checkpoint of format %" PRIu64 ", this program reads %d", c->path, h.format,
                   CHECKPOINT_FORMAT);
  }
  AD_TRY(unpack_vectors(c, &h, index, &at));
  const char *state = take(index, &at, h.state_bytes);
  const int whole = state != NULL && at == index->size && memchr(state, '\0', (size_t)h.state_bytes) == NULL;
  if (!whole || c->count == 0 || strcmp(c->vectors[0].name, "student") != 0) {
    return ad__checkpoint_damaged(c, "the state of its index");
  }
  c->step = h.step;
  c->state = ad_strndup(state, (size_t)h.state_bytes);
  return c->state == NULL ? ad_fail_memory(h.state_bytes, "the state of a checkpoint") : AD_OK;
}

/* The digest of the bytes [0, end) of the file that are in no vector, read in pieces. Of one that is made they are
 * HDF5's part in memory, and are written where they belong. */
static int digest_rest(const struct ad_checkpoint *c, size_t end, uint64_t *digest) {
  enum { PIECE = 1 << 16 };
  char *piece = ad_malloc(PIECE, 1);
  int status = piece == NULL ? ad_fail_memory(PIECE, "a piece of a checkpoint") : AD_OK;
  size_t at = 0;
  *digest = 0;
  for (size_t v = 0; v <= c->count && status == AD_OK; v++) {
    const int last = v == c->count;
    if (!last && c->vectors[v].filled == 0) {
      continue;
    }
    const size_t gap_end = last ? end : c->stored[v].at;
    for (size_t length; at < gap_end && status == AD_OK; at += length) {
      length = gap_end - at < PIECE ? gap_end - at : PIECE;
      status = ad__checkpoint_pread(c, at, length, piece);
      status = status == AD_OK && c->out >= 0 ? ad__checkpoint_pwrite(c, at, length, piece) : status;
      *digest += status == AD_OK ? ad_digest_keyed(at, piece, length) : 0;
    }
    at = last ? end : c->stored[v].at + c->vectors[v].filled * c->P * c->vectors[v].bytes;
  }
  ad_free(piece);
  return status;
}

int ad__checkpoint_seal(struct ad_checkpoint *c, size_t *size) {
  struct ad_buffer index = {0};
  struct footer f = {0};
  const size_t end = c->size;
  int status = ad__checkpoint_pack(c, &index);
  status = status == AD_OK ? digest_rest(c, end, &f.rest) : status;
  if (status == AD_OK) {
    memcpy(f.magic, magic, sizeof magic);
    f.index_bytes = index.size;
    f.digest = footer_digest(&f, index.data);
    status = ad__checkpoint_pwrite(c, end, index.size, index.data);
  }
  status = status == AD_OK ? ad__checkpoint_pwrite(c, end + index.size, sizeof f, &f) : status;
  *size = end + index.size + sizeof f;
  ad_buffer_destroy(&index);
  return status;
}

static int read_index(struct ad_checkpoint *c, struct ad_buffer *index) {
  struct footer f = {0};
  uint64_t rest;
  if (c->size < sizeof f) {
    return ad__checkpoint_damaged(c, "it is too short");
  }
  AD_TRY(ad__checkpoint_pread(c, c->size - sizeof f, sizeof f, &f));
  if (memcmp(f.magic, magic, sizeof magic) != 0 || f.index_bytes > c->size - sizeof f ||
      f.index_bytes > CHECKPOINT_MOST_INDEX) {
    return ad__checkpoint_damaged(c, "it does not end with an index");
  }
  const size_t size = (size_t)f.index_bytes, end = c->size - sizeof f - size;
  char *bytes = ad_malloc(size, 1);
  int status =
      bytes == NULL ? ad_fail_memory(size, "the index of a checkpoint") : ad__checkpoint_pread(c, end, size, bytes);
  if (status == AD_OK && footer_digest(&f, bytes) != f.digest) {
    status = ad__checkpoint_damaged(c, "its index does not match its digest");
  }
  status = status == AD_OK ? ad_buffer_append(index, bytes, size) : status;
  ad_free(bytes);
  AD_TRY(status);
  c->size = end;
  AD_TRY(unpack(c, index));
  AD_TRY(digest_rest(c, end, &rest));
  return rest == f.rest ? AD_OK
                        : ad_fail(AD_EINPUT, "%s: damaged: what HDF5 keeps of it does not match its digest", c->path);
}

int ad_checkpoint_index(const char *path, struct ad_buffer *index) {
  struct ad_checkpoint *c;
  int status = ad__checkpoint_open_file(&c, path);
  status = status == AD_OK ? read_index(c, index) : status;
  ad_checkpoint_close(c);
  return status;
}

int ad_checkpoint_open_index(struct ad_checkpoint **checkpoint, const char *path, const struct ad_buffer *index,
                             const struct ad_params *params) {
  int status = ad__checkpoint_open_file(checkpoint, path);
  status = status == AD_OK ? unpack(*checkpoint, index) : status;
  status = status == AD_OK ? ad__checkpoint_check_count(*checkpoint, params) : status;
  if (status != AD_OK) {
    ad_checkpoint_close(*checkpoint);
    *checkpoint = NULL;
  }
  return status;
}
