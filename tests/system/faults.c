/* A library for LD_PRELOAD that makes one call of a program fail, as a disk that is full or broken does.
 *
 *   AD_FAULT_UNDER   the folder that is looked at: only calls on what lies in it, or on itself, count
 *   AD_FAULT_RANK    only this rank of MPI; not set: only a process that no mpirun has started
 *   AD_FAULT_LOG     each call that counts is a line in this file: "write PATH"
 *   AD_FAULT         "write 17 28": the 17th write fails with errno 28; "write 17 short": it writes half of its bytes
 *   AD_FAULT_DONE    this file is made when the call fails: no second one does, in a child process either
 *
 * Calls are write (also at a place, of several pieces), sync, rename, link, close, truncate, allocate, open (for
 * writing), mkdir, unlink. What C's streams write and close counts too: their own calls are inside the C library, where
 * nobody comes between, so a stream for writing becomes one that calls write and close here. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum outcome { WORKS, FAILS, SHORT };
enum { PATH_TEXT = 4096, STREAMS = 64 };

/* The function that would be called without this library. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Whether this process is the one that is looked at. */
static int is_meant(void) {
  const char *wanted = getenv("AD_FAULT_RANK"), *rank = getenv("OMPI_COMM_WORLD_RANK");
  return wanted == NULL ? rank == NULL : rank != NULL && strcmp(wanted, rank) == 0;
}

static int is_under(const char *path) {
  const char *under = getenv("AD_FAULT_UNDER");
  const size_t length = under == NULL ? 0 : strlen(under);
  return length > 0 && strncmp(path, under, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* The absolute path of `name`, which stands below the folder `at`, or of what is open as `at` where name is NULL. */
static const char *place(int at, const char *name, char path[PATH_TEXT]) {
  char link[64];
  size_t length = 0;
  if (name == NULL || name[0] != '/') {
    snprintf(link, sizeof link, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
    const ssize_t size = readlink(link, path, PATH_TEXT - 1);
    length = size > 0 ? (size_t)size : 0;
  }
  path[length] = '\0';
  if (name != NULL) {
    snprintf(path + length, PATH_TEXT - length, "%s%s", length > 0 ? "/" : "", name);
  }
  return path;
}

/* Past this library, which would count it. */
static int append_line(const char *file, int how, const char *call, const char *path) {
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | how, 0600);
  char line[PATH_TEXT + 32];
  const int size = snprintf(line, sizeof line, "%s %s\n", call, path);
  const int written = fd >= 0 && syscall(SYS_write, fd, line, (size_t)size) == size;
  if (fd >= 0) {
    syscall(SYS_close, fd);
  }
  return written;
}

/* What becomes of a call on this path; errno is set where it fails. */
static enum outcome counted(const char *call, const char *path) {
  static long seen; /* of the kind that is to fail */
  const char *fault = getenv("AD_FAULT"), *log = getenv("AD_FAULT_LOG"), *done = getenv("AD_FAULT_DONE");
  char kind[16] = "", how[16] = "";
  long at = 0;
  const int before = errno;
  if (!is_meant() || !is_under(path)) {
    return WORKS;
  }
  if (log != NULL) {
    append_line(log, O_APPEND, call, path);
  }
  const int named = fault != NULL && sscanf(fault, "%15s %ld %15s", kind, &at, how) == 3 && strcmp(kind, call) == 0;
  if (!named || ++seen != at || done == NULL || !append_line(done, O_EXCL, call, path)) {
    errno = before;
    return WORKS;
  }
  errno = atoi(how);
  return strcmp(how, "short") == 0 ? SHORT : FAILS;
}

static enum outcome counted_fd(const char *call, int fd) {
  char path[PATH_TEXT];
  const int before = errno;
  place(fd, NULL, path);
  errno = before;
  return counted(call, path);
}

static enum outcome counted_name(const char *call, int at, const char *name) {
  char path[PATH_TEXT];
  const int before = errno;
  place(at, name, path);
  errno = before;
  return counted(call, path);
}

/* ---- Writing ---- */

static size_t half(enum outcome outcome, size_t size) {
  return outcome == SHORT && size > 1 ? size / 2 : size;
}

ssize_t write(int fd, const void *data, size_t size) {
  const enum outcome outcome = counted_fd("write", fd);
  return outcome == FAILS ? -1 : NEXT(write)(fd, data, half(outcome, size));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  const enum outcome outcome = counted_fd("write", fd);
  return outcome == FAILS ? -1 : NEXT(pwrite)(fd, data, half(outcome, size), at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  const enum outcome outcome = counted_fd("write", fd);
  return outcome == FAILS ? -1 : NEXT(pwrite64)(fd, data, half(outcome, size), at);
}

/* Short: half of the first piece. */
ssize_t writev(int fd, const struct iovec *pieces, int count) {
  const enum outcome outcome = counted_fd("write", fd);
  return outcome == FAILS   ? -1
         : outcome == SHORT ? NEXT(write)(fd, pieces->iov_base, half(SHORT, pieces->iov_len))
                            : NEXT(writev)(fd, pieces, count);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at) {
  const enum outcome outcome = counted_fd("write", fd);
  return outcome == FAILS   ? -1
         : outcome == SHORT ? NEXT(pwrite)(fd, pieces->iov_base, half(SHORT, pieces->iov_len), at)
                            : NEXT(pwritev)(fd, pieces, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at) {
  const enum outcome outcome = counted_fd("write", fd);
  return outcome == FAILS   ? -1
         : outcome == SHORT ? NEXT(pwrite64)(fd, pieces->iov_base, half(SHORT, pieces->iov_len), at)
                            : NEXT(pwritev64)(fd, pieces, count, at);
}

int ftruncate(int fd, off_t size) {
  return counted_fd("truncate", fd) == FAILS ? -1 : NEXT(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size) {
  return counted_fd("truncate", fd) == FAILS ? -1 : NEXT(ftruncate64)(fd, size);
}

int truncate(const char *path, off_t size) {
  return counted_name("truncate", AT_FDCWD, path) == FAILS ? -1 : NEXT(truncate)(path, size);
}

int fallocate(int fd, int mode, off_t at, off_t size) {
  return counted_fd("allocate", fd) == FAILS ? -1 : NEXT(fallocate)(fd, mode, at, size);
}

/* These return the error. */
int posix_fallocate(int fd, off_t at, off_t size) {
  return counted_fd("allocate", fd) == FAILS ? errno : NEXT(posix_fallocate)(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size) {
  return counted_fd("allocate", fd) == FAILS ? errno : NEXT(posix_fallocate64)(fd, at, size);
}

int fsync(int fd) {
  return counted_fd("sync", fd) == FAILS ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd) {
  return counted_fd("sync", fd) == FAILS ? -1 : NEXT(fdatasync)(fd);
}

/* The file is closed all the same, as by Linux. */
int close(int fd) {
  const enum outcome outcome = counted_fd("close", fd);
  const int reason = errno, result = NEXT(close)(fd);
  if (outcome == FAILS) {
    errno = reason;
    return -1;
  }
  return result;
}

/* ---- Names ---- */

int rename(const char *from, const char *to) {
  return counted_name("rename", AT_FDCWD, from) == FAILS ? -1 : NEXT(rename)(from, to);
}

int renameat(int from_at, const char *from, int to_at, const char *to) {
  return counted_name("rename", from_at, from) == FAILS ? -1 : NEXT(renameat)(from_at, from, to_at, to);
}

int link(const char *from, const char *to) {
  return counted_name("link", AT_FDCWD, to) == FAILS ? -1 : NEXT(link)(from, to);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
  return counted_name("link", to_at, to) == FAILS ? -1 : NEXT(linkat)(from_at, from, to_at, to, flags);
}

int unlink(const char *path) {
  return counted_name("unlink", AT_FDCWD, path) == FAILS ? -1 : NEXT(unlink)(path);
}

int unlinkat(int at, const char *path, int flags) {
  return counted_name("unlink", at, path) == FAILS ? -1 : NEXT(unlinkat)(at, path, flags);
}

int rmdir(const char *path) {
  return counted_name("unlink", AT_FDCWD, path) == FAILS ? -1 : NEXT(rmdir)(path);
}

int mkdir(const char *path, mode_t mode) {
  return counted_name("mkdir", AT_FDCWD, path) == FAILS ? -1 : NEXT(mkdir)(path, mode);
}

int mkdirat(int at, const char *path, mode_t mode) {
  return counted_name("mkdir", at, path) == FAILS ? -1 : NEXT(mkdirat)(at, path, mode);
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
  const int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;
  return writes && counted_name("open", at, path) == FAILS ? -1 : NEXT(openat)(at, path, flags, mode);
}

/* The mode, which is there where a file may be made. */
#define TAKE_MODE(flags)                          \
  mode_t mode = 0;                                \
  if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) { \
    va_list list;                                 \
    va_start(list, flags);                        \
    mode = va_arg(list, mode_t);                  \
    va_end(list);                                 \
  }

int open(const char *path, int flags, ...) {
  TAKE_MODE(flags)
  return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  TAKE_MODE(flags)
  return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int at, const char *path, int flags, ...) {
  TAKE_MODE(flags)
  return open_at(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
  TAKE_MODE(flags)
  return open_at(at, path, flags | O_LARGEFILE, mode);
}

/* ---- Streams ---- */

static struct stream {
  FILE *file;
  int fd;
} streams[STREAMS];

static struct stream *find_stream(const FILE *file) {
  for (size_t i = 0; i < STREAMS; i++) {
    if (streams[i].file == file) {
      return &streams[i];
    }
  }
  return NULL;
}

static ssize_t stream_write(void *cookie, const char *data, size_t size) {
  const struct stream *stream = cookie;
  size_t done = 0;
  while (done < size) {
    const ssize_t written = write(stream->fd, data + done, size - done);
    if (written < 0) {
      return 0;
    }
    done += (size_t)written;
  }
  return (ssize_t)done;
}

static int stream_seek(void *cookie, off64_t *at, int whence) {
  const struct stream *stream = cookie;
  const off64_t found = lseek64(stream->fd, *at, whence);
  *at = found;
  return found < 0 ? -1 : 0;
}

static int stream_close(void *cookie) {
  struct stream *stream = cookie;
  stream->file = NULL;
  return close(stream->fd);
}

static FILE *make_stream(int fd, const char *mode) {
  static const cookie_io_functions_t calls = {.write = stream_write, .seek = stream_seek, .close = stream_close};
  struct stream *stream = find_stream(NULL);
  if (stream == NULL) {
    errno = EMFILE;
    return NULL;
  }
  stream->fd = fd;
  stream->file = fopencookie(stream, mode, calls);
  return stream->file;
}

static int is_for_writing(const char *mode) {
  return strpbrk(mode, "wa+") != NULL && strchr(mode, 'r') == NULL;
}

static int opens_under(int at, const char *name) {
  char path[PATH_TEXT];
  return is_meant() && is_under(place(at, name, path));
}

FILE *fopen(const char *path, const char *mode) {
  if (!is_for_writing(mode) || !opens_under(AT_FDCWD, path)) {
    return NEXT(fopen)(path, mode);
  }
  const int how = (mode[0] == 'a' ? O_APPEND : O_TRUNC) | (strchr(mode, 'x') == NULL ? 0 : O_EXCL) |
                  (strchr(mode, 'e') == NULL ? 0 : O_CLOEXEC);
  const int fd = open(path, O_WRONLY | O_CREAT | how, 0666);
  return fd < 0 ? NULL : make_stream(fd, mode[0] == 'a' ? "a" : "w");
}

FILE *fopen64(const char *path, const char *mode) {
  return fopen(path, mode);
}

FILE *fdopen(int fd, const char *mode) {
  return is_for_writing(mode) && opens_under(fd, NULL) ? make_stream(fd, mode) : NEXT(fdopen)(fd, mode);
}

int fileno(FILE *file) {
  const struct stream *stream = file == NULL ? NULL : find_stream(file);
  return stream == NULL ? NEXT(fileno)(file) : stream->fd;
}
