/* Files of tables: what HDF5 itself reads of them, on more rows than a chunk has; failures leave nothing. */
#include <hdf5.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/table_file.h"
#include "support/scratch.h"

enum { ROWS = 40000, WIDE = 7 };

static const struct ad_table_column columns[] = {{"name", AD_TABLE_TEXT, "", "a text", WIDE},
                                                 {"count", AD_TABLE_COUNT, "1", "a count", 0},
                                                 {"real", AD_TABLE_REAL, "s", "a number", 0},
                                                 {"float", AD_TABLE_FLOAT, "nats", "a float", 0},
                                                 {"on.off", AD_TABLE_SWITCH, "1", "a switch", 0}};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void make_row(size_t i, char text[WIDE + 1], union ad_table_value row[COLUMNS]) {
  snprintf(text, WIDE + 1, "%s%zu", i % 3 == 0 ? "" : "\u00e9", i);
  row[0].text = text;
  row[1].count = i % 5 == 0 ? AD_TABLE_NO_COUNT : (int64_t)i << 33;
  row[2].real = i % 7 == 0 ? NAN : (double)i / 3;
  row[3].real = i == 2 ? -INFINITY : (double)i / 3;
  row[4].count = i % 2;
}

/* Begins a table and adds rows to it; the file's status. */
static int write_rows(struct ad_table_file *file, const char *table, uint64_t expected, size_t rows) {
  AD_TRY(ad_table_file_begin(file, table, "a table", COLUMNS, columns, expected));
  for (size_t i = 0; i < rows; i++) {
    char text[WIDE + 1];
    union ad_table_value row[COLUMNS];
    make_row(i, text, row);
    AD_TRY(ad_table_file_add(file, row));
  }
  return ad_table_file_end(file);
}

static int write_file(const char *path, size_t rows) {
  struct ad_table_file *file = NULL;
  int status = ad_table_file_create(&file, path);
  status = status == AD_OK ? ad_table_file_note(file, "study", "a study") : status;
  status = status == AD_OK ? write_rows(file, "long", rows, rows) : status;
  /* More rows than expected, and none. */
  status = status == AD_OK ? write_rows(file, "short", 3, 10) : status;
  status = status == AD_OK ? write_rows(file, "empty", 0, 0) : status;
  return ad_table_file_finish(file, status);
}

static void read_set(hid_t table, const char *name, hid_t type, size_t rows, void *values) {
  const hid_t set = H5Dopen2(table, name, H5P_DEFAULT), space = H5Dget_space(set), how = H5Dget_create_plist(set);
  assert_true(set >= 0);
  assert_int_equal(H5Sget_simple_extent_npoints(space), rows);
  assert_int_equal(H5Pget_layout(how), H5D_CHUNKED);
  assert_int_equal(H5Pget_nfilters(how), 2);
  assert_true(H5Aexists(set, "unit") > 0 && H5Aexists(set, "meaning") > 0);
  assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Pclose(how);
  H5Sclose(space);
  H5Dclose(set);
}

static int same_real(double a, double b) {
  return a == b || (isnan(a) && isnan(b));
}

static void check_table(hid_t file, const char *name, size_t rows) {
  static char names[ROWS][WIDE];
  static int64_t counts[ROWS];
  static double reals[ROWS];
  static float floats[ROWS];
  static signed char switches[ROWS];
  const hid_t table = H5Gopen2(file, name, H5P_DEFAULT), text = H5Tcopy(H5T_C_S1), set = H5Dopen2(table, "on.off", 0);
  assert_true(H5Tset_size(text, WIDE) >= 0 && H5Tset_strpad(text, H5T_STR_NULLPAD) >= 0 &&
              H5Tset_cset(text, H5T_CSET_UTF8) >= 0);
  const hid_t on = H5Dget_type(set);
  char member[10];
  assert_true(H5Tget_class(on) == H5T_ENUM && H5Tenum_nameof(on, &(signed char){1}, member, sizeof member) >= 0);
  assert_string_equal(member, "TRUE");
  read_set(table, "name", text, rows, names);
  read_set(table, "count", H5T_NATIVE_INT64, rows, counts);
  read_set(table, "real", H5T_NATIVE_DOUBLE, rows, reals);
  read_set(table, "float", H5T_NATIVE_FLOAT, rows, floats);
  read_set(table, "on.off", on, rows, switches);
  for (size_t i = 0; i < rows; i++) {
    char expected[WIDE + 1];
    union ad_table_value row[COLUMNS];
    make_row(i, expected, row);
    if (strncmp(names[i], expected, WIDE) != 0 || counts[i] != row[1].count || !same_real(reals[i], row[2].real) ||
        floats[i] != (float)row[3].real || switches[i] != row[4].count) {
      fail_msg("%s, row %zu: %.7s %lld %g %g %d", name, i, names[i], (long long)counts[i], reals[i], floats[i],
               switches[i]);
    }
  }
  H5Tclose(on);
  H5Dclose(set);
  H5Tclose(text);
  H5Gclose(table);
}

static void test_values(void **state) {
  (void)state;
  assert_int_equal(write_file("t.h5", ROWS), AD_OK);
  assert_int_equal(access("t.h5.partial", F_OK), -1);
  const hid_t file = H5Fopen("t.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0 && H5Aexists(file, "format") > 0 && H5Aexists(file, "study") > 0);
  check_table(file, "long", ROWS);
  check_table(file, "short", 10);
  check_table(file, "empty", 0);
  H5Fclose(file);
  assert_int_equal(ad_memory_stats().live_blocks, 0);
}

/* A row in memory costs the same however many there are. */
static void test_memory(void **state) {
  (void)state;
  assert_int_equal(write_file("t.h5", ROWS), AD_OK);
  const size_t few = ad_memory_stats().peak_bytes;
  assert_int_equal(write_file("t.h5", (size_t)6 * ROWS), AD_OK);
  assert_int_equal(ad_memory_stats().peak_bytes, few);
}

static void check_nothing(const char *path) {
  char partial[40];
  snprintf(partial, sizeof partial, "%s.partial", path);
  assert_int_equal(access(path, F_OK), -1);
  assert_int_equal(access(partial, F_OK), -1);
  assert_int_equal(ad_memory_stats().live_blocks, 0);
}

static void test_refused(void **state) {
  (void)state;
  struct ad_table_file *file;
  const union ad_table_value row[COLUMNS] = {{.text = "12345678"}};
  assert_int_equal(ad_table_file_create(&file, "wide.h5"), AD_OK);
  assert_int_equal(ad_table_file_begin(file, "table", "a table", COLUMNS, columns, 1), AD_OK);
  assert_int_equal(ad_table_file_finish(file, ad_table_file_add(file, row)), AD_EINTERNAL);
  assert_non_null(strstr(ad_error_message(), "column name: a text of 8 bytes, expected at most 7"));
  check_nothing("wide.h5");
  assert_int_equal(write_file("nowhere/t.h5", 1), AD_EIO);
  assert_non_null(strstr(ad_error_message(), "nowhere/t.h5"));
  assert_int_equal(ad_memory_stats().live_blocks, 0);
  assert_int_equal(ad_table_file_finish(NULL, AD_EIO), AD_EIO);
}

/* A disk that is full after so many bytes, at the beginning, in the middle and at the end. */
static void test_full(void **state) {
  (void)state;
  struct rlimit before;
  struct stat info;
  assert_int_equal(write_file("t.h5", ROWS), AD_OK);
  assert_int_equal(stat("t.h5", &info), 0);
  const rlim_t whole = (rlim_t)info.st_size, sizes[] = {0, 50, whole / 20, whole / 2, whole - 1};
  getrlimit(RLIMIT_FSIZE, &before);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const struct rlimit small = {sizes[i], before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const int status = write_file("full.h5", ROWS);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, AD_EIO);
    assert_non_null(strstr(ad_error_message(), "full.h5.partial: could not be written: File too large"));
    check_nothing("full.h5");
  }
}

static void test_out_of_memory(void **state) {
  (void)state;
  const size_t before = ad_memory_stats().allocations;
  assert_int_equal(write_file("t.h5", 20), AD_OK);
  const unsigned long all = ad_memory_stats().allocations - before;
  assert_int_equal(unlink("t.h5"), 0);
  for (unsigned long n = 1; n <= all; n++) {
    ad_memory_fail_at(n);
    const int status = write_file("t.h5", 20);
    ad_memory_fail_at(0);
    /* The driver's own block is HDF5's to report. */
    assert_true(status == AD_ENOMEM || status == AD_EIO);
    check_nothing("t.h5");
  }
}

static int enter(void **state) {
  signal(SIGXFSZ, SIG_IGN);
  return scratch_enter(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory), cmocka_unit_test(test_values),
                                     cmocka_unit_test(test_refused), cmocka_unit_test(test_full),
                                     cmocka_unit_test(test_out_of_memory)};
  return cmocka_run_group_tests(tests, enter, scratch_leave);
}
