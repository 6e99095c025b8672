/* Files of logits and of snapshots. The first byte even: the others are the file's bytes, looked at under the guard, as
 * HDF5 itself crashes on some. Odd: they describe a file that HDF5 makes whole, with types, shapes and attributes of
 * any kind, and it is read without the guard. */
#include "fuzz.h"

#include <hdf5.h>

#include "autodidact/base/digest.h"
#include "autodidact/store/kind.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/snapshot.h"

static const char *const names[] = {
    "logits",          "labels",        "step",           "scalars/loss",  "scalars/parameters", "norms/value",
    "sketch",          "probe/student", "probe/labels",   "tensors/name",  "tensors/offset",     "tensors/shape",
    "parameters/flat", "scalars/epoch", "norms/gradient", "probe/teacher",
};
enum { NAMES = sizeof names / sizeof *names, MOST = 1 << 16 };

/* The bytes that describe a file, one after another; 0 behind their end. */
static struct fuzz_part rest;

static unsigned draw(unsigned choices) {
  if (rest.size == 0) {
    return 0;
  }
  rest.size--;
  return *rest.data++ % choices;
}

static hid_t draw_type(void) {
  const hid_t types[] = {H5T_IEEE_F32LE, H5T_STD_U32LE, H5T_STD_U64LE,  H5T_IEEE_F64LE,
                         H5T_STD_I64LE,  H5T_STD_I32BE, H5T_IEEE_F32BE, H5T_C_S1};
  const hid_t type = H5Tcopy(types[draw(8)]);
  if (H5Tget_class(type) == H5T_STRING) {
    static const size_t sizes[] = {96, 1, 97, H5T_VARIABLE};
    H5Tset_size(type, sizes[draw(4)]);
  }
  return type;
}

/* Numbers of bytes that such a shape has; SIZE_MAX: more than are written. */
static size_t draw_shape(int *rank, hsize_t shape[4], hid_t type) {
  static const hsize_t large[] = {0, 1ull << 20, 1ull << 32, 1ull << 39, 1ull << 40, 1ull << 63};
  size_t count = H5Tget_size(type);
  *rank = (int)draw(5);
  for (int d = 0; d < *rank; d++) {
    const unsigned extent = draw(24);
    shape[d] = extent < 18 ? extent + 1 : large[extent - 18];
    count = shape[d] <= MOST && count <= MOST ? count * (size_t)shape[d] : SIZE_MAX;
  }
  return count <= MOST ? count : SIZE_MAX;
}

static void put_attribute(hid_t object, const char *name, uint64_t value) {
  const hsize_t two = 2;
  const uint64_t values[2] = {value, value};
  const unsigned form = draw(4); /* 1: none, 2: an array, 3: another type */
  const hid_t space = form == 2 ? H5Screate_simple(1, &two, NULL) : H5Screate(H5S_SCALAR);
  if (form != 1) {
    const hid_t type = form == 3 ? H5T_IEEE_F64LE : H5T_STD_U64LE;
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, form == 3 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_UINT64, values);
    H5Aclose(attribute);
  }
  H5Sclose(space);
}

static hid_t draw_layout(int rank, const hsize_t shape[4], int large) {
  const hid_t how = H5Pcreate(H5P_DATASET_CREATE);
  const unsigned layout = draw(4);
  hsize_t chunk[4];
  for (int d = 0; d < rank; d++) {
    chunk[d] = shape[d] < 16 ? shape[d] : 16;
  }
  if (rank > 0 && (layout == 1 || layout == 2 || large)) {
    H5Pset_chunk(how, rank, chunk);
  }
  if (rank > 0 && layout == 2) {
    H5Pset_deflate(how, 1);
  }
  if (layout == 3 && !large) {
    H5Pset_layout(how, H5D_COMPACT);
  }
  return how;
}

static void put_dataset(hid_t file, const char *name) {
  static uint64_t values[MOST / 8];
  hsize_t shape[4] = {0};
  int rank;
  const hid_t type = draw_type();
  const size_t bytes = draw_shape(&rank, shape, type);
  const hid_t how = draw_layout(rank, shape, bytes == SIZE_MAX), links = H5Pcreate(H5P_LINK_CREATE);
  const hid_t space = H5Screate_simple(rank, shape, NULL);
  const unsigned step = draw(4);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t set = space < 0 ? -1 : H5Dcreate2(file, name, type, space, links, how, H5P_DEFAULT);
  for (size_t i = 0; i < MOST / 8; i++) {
    values[i] = step * i;
  }
  if (set >= 0) {
    const int written = bytes != SIZE_MAX && H5Tis_variable_str(type) <= 0;
    if (written) {
      H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    }
    put_attribute(set, "xxh3", written ? ad_digest(values, bytes) + (draw(8) == 7) : 0);
    H5Dclose(set);
  }
  H5Sclose(space);
  H5Pclose(links);
  H5Pclose(how);
  H5Tclose(type);
}

static void make_file(const char *path) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  demand(file >= 0);
  put_attribute(file, "format", 1 + draw(3));
  while (rest.size > 0) {
    put_dataset(file, names[draw(NAMES)]);
  }
  demand(H5Fclose(file) >= 0);
}

static void read_logits(const char *path) {
  struct ad_logits logits;
  if (fuzz_accepted(ad_logits_read(&logits, path))) {
    demand(logits.N > 0 && logits.C > 0);
    fuzz_touch(logits.logits, logits.N * logits.C * sizeof *logits.logits);
    fuzz_touch(logits.labels, logits.N * sizeof *logits.labels);
  }
  ad_logits_destroy(&logits);
}

/* Scalars have one value a row: those who read one have room for no more. */
static void read_rows(const struct ad_snapshot_file *file) {
  const uint64_t *steps;
  const struct ad_snapshot_column *columns;
  const size_t rows = ad_snapshot_file_rows(file, &steps), count = ad_snapshot_file_columns(file, &columns);
  demand(rows > 0);
  for (size_t c = 0; c < count; c++) {
    demand(strncmp(columns[c].name, "scalars/", 8) != 0 || columns[c].count == 1);
    void *values = columns[c].count <= MOST ? malloc(columns[c].count * columns[c].bytes) : NULL;
    for (size_t row = 0; values != NULL && row < rows && row < 100; row++) {
      fuzz_accepted(ad_snapshot_file_get(file, c, row, values));
      fuzz_touch(values, columns[c].count * columns[c].bytes);
    }
    free(values);
  }
}

static void read_snapshots(const char *path) {
  struct ad_snapshot_file *file;
  fuzz_accepted(ad_snapshots_check(path));
  if (fuzz_accepted(ad_snapshot_file_open(&file, path))) {
    read_rows(file);
    ad_snapshot_file_close(file);
  }
}

void fuzz_input(const uint8_t *data, size_t size) {
  enum ad_file_kind kind;
  if (size == 0) {
    return;
  }
  const char *path = fuzz_path("file.h5");
  fuzz_guarded = data[0] % 2 == 0;
  if (fuzz_guarded) {
    fuzz_put("file.h5", data + 1, size - 1);
  } else {
    rest = (struct fuzz_part){data + 1, size - 1};
    make_file(path);
  }
  fuzz_accepted(ad_file_kind(path, &kind));
  read_logits(path);
  read_snapshots(path);
}
