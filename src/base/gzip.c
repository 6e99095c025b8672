#include "autodidact/base/gzip.h"

#include <string.h>
#include <zlib.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

enum { GZIP_ALONE = 15 + 16 };               /* inflateInit2: the largest window, and gzip's frame around it */
static const size_t PIECE = (size_t)1 << 30; /* zlib counts bytes in 32 bits */

struct unpacking {
  const char *path;
  z_stream stream;
  const char *data; /* [size] packed */
  size_t size, taken;
  char *out; /* [capacity], of which `made` */
  size_t made, capacity;
};

int ad_is_gzip(const char *data, size_t size) {
  return size >= 2 && memcmp(data, "\x1F\x8B", 2) == 0;
}

static void *take_memory(void *opaque, unsigned count, unsigned size) {
  (void)opaque;
  return ad_malloc(count, size);
}

static void give_memory(void *opaque, void *block) {
  (void)opaque;
  ad_free(block);
}

static int fail_packed(const struct unpacking *u, const char *what) {
  return ad_fail(AD_EINPUT, "%s: gzip: byte %zu of %zu: %s", u->path, u->taken, u->size, what);
}

/* Unpacks as much as there is room and input for; zlib's status. */
static int inflate_piece(struct unpacking *u) {
  const size_t in = u->size - u->taken < PIECE ? u->size - u->taken : PIECE;
  const size_t room = u->capacity - u->made < PIECE ? u->capacity - u->made : PIECE;
  z_stream *z = &u->stream;
  z->next_in = (Bytef *)(uintptr_t)(u->data + u->taken);
  z->avail_in = (uInt)in;
  z->next_out = (Bytef *)u->out + u->made;
  z->avail_out = (uInt)room;
  const int result = inflate(z, Z_NO_FLUSH);
  u->taken += in - z->avail_in;
  u->made += room - z->avail_out;
  return result;
}

/* One member, from its header to its checksum. */
static int unpack_member(struct unpacking *u) {
  for (;;) {
    void *out = u->out;
    AD_TRY(ad_reserve(&out, &u->capacity, u->made + 4096, 1) == AD_OK
               ? AD_OK
               : ad_fail_memory(u->made + 4096, "an unpacked file"));
    u->out = out;
    const int result = inflate_piece(u);
    if (result == Z_STREAM_END) {
      return AD_OK;
    }
    if (result == Z_MEM_ERROR) {
      return ad_fail_memory(1 << 16, "unpacking a file");
    }
    if (result == Z_BUF_ERROR || (result == Z_OK && u->taken == u->size && u->made < u->capacity)) {
      return fail_packed(u, "the file ends here, expected more: was it cut off as it was copied?");
    }
    if (result != Z_OK) {
      return fail_packed(u, u->stream.msg == NULL ? "damaged" : u->stream.msg);
    }
  }
}

static int unpack_all(struct unpacking *u) {
  while (u->taken < u->size) {
    if (!ad_is_gzip(u->data + u->taken, u->size - u->taken)) {
      return fail_packed(u, "other bytes stand behind the packed ones");
    }
    if (inflateReset(&u->stream) != Z_OK) {
      return ad_fail(AD_EINTERNAL, "%s: zlib could not be started again", u->path);
    }
    AD_TRY(unpack_member(u));
  }
  return AD_OK;
}

int ad_text_map(const char *path, struct ad_file_map *map) {
  AD_TRY(ad_file_map(path, map));
  if (!ad_is_gzip(map->data, map->size)) {
    return AD_OK;
  }
  struct unpacking u = {
      .path = path, .stream = {.zalloc = take_memory, .zfree = give_memory}, .data = map->data, .size = map->size};
  int status = inflateInit2(&u.stream, GZIP_ALONE) == Z_OK ? AD_OK : ad_fail_memory(1 << 16, "unpacking a file");
  if (status == AD_OK) {
    status = unpack_all(&u);
    ad_ignore(inflateEnd(&u.stream));
  }
  ad_file_unmap(map);
  if (status != AD_OK || u.made == 0) {
    ad_free(u.out);
    return status;
  }
  *map = (struct ad_file_map){.data = u.out, .size = u.made, .copied = 1};
  return AD_OK;
}
