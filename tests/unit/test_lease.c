/* Leases: races, takeovers, signs of life; file systems without links. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/lease.h"
#include "autodidact/store/run.h"
#include "support/scratch.h"

/* In place of the system's, so that a test may have it fail as file systems do; *after_link happens behind a call. */
static int link_error;
static void (*after_link)(void);

int link(const char *from, const char *to) {
  if (link_error != 0) {
    errno = link_error;
    return -1;
  }
  const int result = linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
  if (after_link != NULL) {
    after_link();
  }
  return result;
}

static void age_file(const char *path, double seconds) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const struct timespec times[2] = {{now.tv_sec - (time_t)seconds, 0}, {now.tv_sec - (time_t)seconds, 0}};
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_lease(void **state) {
  (void)state;
  struct ad_lease first, second;
  struct ad_lease_entry *entries;
  size_t count;
  int taken;
  assert_int_equal(ad_lease_list("l", 60.0, &entries, &count), AD_OK);
  assert_int_equal(count, 0);
  assert_int_equal(ad_lease_take(&first, "l", "cell", 0, 60.0, &taken), AD_OK);
  assert_true(taken && ad_lease_beat(&first));
  assert_int_equal(ad_lease_take(&second, "l", "cell", 0, 60.0, &taken), AD_OK);
  assert_false(taken);
  assert_int_equal(ad_lease_take(&second, "l", "cell", 1, 60.0, &taken), AD_OK);
  assert_false(taken);
  assert_int_equal(ad_lease_list("l", 60.0, &entries, &count), AD_OK);
  assert_true(count == 1 && strcmp(entries[0].name, "cell") == 0 && entries[0].generation == 1 && entries[0].alive);
  ad_free(entries);
  /* Its holder is a process of this machine that exists: never overtaken, however old. */
  age_file("l/cell.1", 1e6);
  assert_int_equal(ad_lease_take(&second, "l", "cell", 1, 60.0, &taken), AD_OK);
  assert_false(taken);
  ad_lease_end(&first, 0);
  assert_int_equal(ad_lease_list("l", 60.0, &entries, &count), AD_OK);
  assert_true(count == 1 && !entries[0].alive);
  ad_free(entries);
  assert_int_equal(ad_lease_take(&second, "l", "cell", 1, 60.0, &taken), AD_OK);
  assert_true(taken);
  assert_int_equal(second.generation, 2);
  assert_false(ad_is_file("l/cell.1"));
  ad_lease_end(&second, 1);
  ad_lease_end(&second, 1);
  assert_int_equal(ad_lease_list("l", 60.0, &entries, &count), AD_OK);
  assert_int_equal(count, 0);
  ad_free(entries);
}

/* A holder on another machine: its age decides, and where it comes back it finds its lease lost. */
static void test_foreign_lease(void **state) {
  (void)state;
  struct ad_lease lease;
  int taken;
  assert_int_equal(ad_make_folders("f"), AD_OK);
  FILE *file = fopen("f/cell.4", "w+");
  fputs("elsewhere 17 1234 0000-boot pid:[1]\n", file);
  fflush(file);
  const struct ad_lease theirs = {.fd = fileno(file), .generation = 4};
  assert_true(ad_lease_beat(&theirs));
  assert_int_equal(ad_lease_take(&lease, "f", "cell", 4, 60.0, &taken), AD_OK);
  assert_false(taken);
  age_file("f/cell.4", 59.0);
  assert_int_equal(ad_lease_take(&lease, "f", "cell", 4, 62.0, &taken), AD_OK);
  assert_false(taken);
  age_file("f/cell.4", 65.0);
  assert_int_equal(ad_lease_take(&lease, "f", "cell", 4, 62.0, &taken), AD_OK);
  assert_true(taken && ad_lease_beat(&lease));
  assert_false(ad_lease_beat(&theirs));
  fclose(file);
  ad_lease_end(&lease, 1);
}

/* A holder that was killed is seen at once. */
static void test_dead_holder(void **state) {
  (void)state;
  struct ad_lease lease;
  int taken = 0, status;
  const pid_t child = fork();
  if (child == 0) {
    _exit(ad_lease_take(&lease, "dead", "cell", 0, 1e6, &taken) == AD_OK && taken ? 0 : 1);
  }
  assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_int_equal(ad_lease_take(&lease, "dead", "cell", 1, 1e6, &taken), AD_OK);
  assert_true(taken);
  ad_lease_end(&lease, 1);
}

static double age_of(const char *path) {
  struct stat info;
  struct timespec now;
  assert_int_equal(stat(path, &info), 0);
  clock_gettime(CLOCK_REALTIME, &now);
  return (double)(now.tv_sec - info.st_mtim.tv_sec);
}

static pthread_t signalled;

static void on_signal(int number) {
  (void)number;
  signalled = pthread_self();
}

/* A thread gives signs of life, finds out that the lease is lost, leaves signals to others, and ends at once. */
static void test_heartbeat(void **state) {
  (void)state;
  enum { TRIES = 1000 }; /* of 10 ms */
  static const char path[] = "beat/cell.1";
  struct ad_lease lease;
  struct ad_heartbeat *heart;
  int taken, tries = 0;
  assert_int_equal(ad_lease_take(&lease, "beat", "cell", 0, 60.0, &taken), AD_OK);
  assert_true(taken);
  age_file(path, 1e5);
  assert_int_equal(ad_heartbeat_start(&heart, &lease, 0.02), AD_OK);
  for (; age_of(path) > 100.0 && tries < TRIES; tries++) {
    usleep(10000);
  }
  assert_true(tries < TRIES && !ad_heartbeat_lost(heart));
  signal(SIGUSR1, on_signal);
  assert_int_equal(kill(getpid(), SIGUSR1), 0);
  signal(SIGUSR1, SIG_DFL);
  assert_true(pthread_equal(signalled, pthread_self()));
  assert_int_equal(unlink(path), 0);
  for (tries = 0; !ad_heartbeat_lost(heart) && tries < TRIES; tries++) {
    usleep(10000);
  }
  assert_true(tries < TRIES);
  ad_heartbeat_stop(heart);
  /* The next sign of life would be far away. */
  const double start = ad_clock();
  assert_int_equal(ad_heartbeat_start(&heart, &lease, 1000.0), AD_OK);
  ad_heartbeat_stop(heart);
  ad_heartbeat_stop(NULL);
  assert_true(ad_clock() - start < 100.0);
  ad_lease_end(&lease, 1);
}

/* Neither memory nor a thread to be had. */
static void test_no_heartbeat(void **state) {
  (void)state;
  const struct ad_lease lease = {.fd = -1};
  struct ad_heartbeat *heart;
  ad_memory_fail_at(1);
  assert_int_equal(ad_heartbeat_start(&heart, &lease, 1.0), AD_ENOMEM);
  ad_memory_fail_at(0);
  assert_null(heart);
  pthread_attr_t normal, large;
  assert_int_equal(pthread_getattr_default_np(&normal), 0);
  assert_int_equal(pthread_attr_init(&large), 0);
  assert_int_equal(pthread_attr_setstacksize(&large, (size_t)1 << 46), 0);
  assert_int_equal(pthread_setattr_default_np(&large), 0);
  assert_int_equal(ad_heartbeat_start(&heart, &lease, 1.0), AD_EIO);
  assert_int_equal(pthread_setattr_default_np(&normal), 0);
  assert_null(heart);
  assert_non_null(strstr(ad_error_message(), "no thread could be had"));
  pthread_attr_destroy(&large);
  pthread_attr_destroy(&normal);
}

/* Processes race for leases that are free, or stale: each has one winner in each generation. Each winner notes it. */
static void race(const char *dir, unsigned stale) {
  enum { RACERS = 6, IDS = 40 };
  pid_t children[RACERS];
  char text[100];
  assert_int_equal(ad_make_folders(dir), AD_OK);
  for (unsigned id = 0; id < IDS && stale > 0; id++) {
    snprintf(text, sizeof text, "%s/cell-%u.%u", dir, id, stale);
    FILE *file = fopen(text, "w");
    fputs("elsewhere 17 1234 0000-boot pid:[1]\n", file);
    fclose(file);
    age_file(text, 1000.0);
  }
  for (int k = 0; k < RACERS; k++) {
    children[k] = fork();
    if (children[k] == 0) {
      int bad = 0;
      for (unsigned id = 0; id < IDS; id++) {
        struct ad_lease lease;
        int taken;
        snprintf(text, sizeof text, "cell-%u", id);
        bad |= ad_lease_take(&lease, dir, text, stale, 60.0, &taken) != AD_OK;
        if (taken) {
          snprintf(text, sizeof text, "%s/won-%u-%d", dir, id, k);
          FILE *file = fopen(text, "w");
          bad |= file == NULL || fclose(file) != 0 || !ad_lease_beat(&lease);
        }
      }
      usleep(300000); /* so that none is dead while another one still tries */
      _exit(bad);
    }
  }
  for (int k = 0; k < RACERS; k++) {
    int status;
    assert_true(waitpid(children[k], &status, 0) == children[k] && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  for (unsigned id = 0; id < IDS; id++) {
    int winners = 0;
    for (int k = 0; k < RACERS; k++) {
      snprintf(text, sizeof text, "%s/won-%u-%d", dir, id, k);
      winners += ad_is_file(text);
    }
    assert_int_equal(winners, 1);
  }
}

static void test_races(void **state) {
  (void)state;
  race("free", 0);
  race("stale", 3);
}

/* What a lease tells of its holder. */
static void test_holder(void **state) {
  (void)state;
  struct ad_lease lease;
  struct ad_lease_entry entry;
  char host[100] = "";
  int taken;
  gethostname(host, sizeof host - 1);
  assert_int_equal(ad_lease_find("h", "cell", 60.0, &entry), AD_OK);
  assert_int_equal(entry.generation, 0);
  assert_int_equal(ad_lease_take(&lease, "h", "cell", 0, 60.0, &taken), AD_OK);
  assert_int_equal(ad_lease_find("h", "other", 60.0, &entry), AD_OK);
  assert_int_equal(entry.generation, 0);
  assert_int_equal(ad_lease_find("h", "cell", 60.0, &entry), AD_OK);
  assert_true(entry.generation == 1 && entry.alive && entry.certain && entry.pid == (long)getpid());
  assert_string_equal(entry.host, host);
  assert_true(entry.since > 1.7e9 && entry.since <= (double)time(NULL));
  assert_true(ad_lease_is_file("cell.12", "cell") && ad_lease_is_file(".cell-host-1-0", "cell"));
  assert_false(ad_lease_is_file("cell.x", "cell") || ad_lease_is_file("cell.", "cell") ||
               ad_lease_is_file("cell.1.2", "cell") || ad_lease_is_file(".cellar-1", "cell") ||
               ad_lease_is_file("cell.99999999999999999999", "cell"));
  ad_lease_end(&lease, 1);
}

/* Numbers that fit into no type, in a file that says it is a lease. */
static void test_strange_numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    long pid;
  } cases[] = {{"host 99999999999999999999999 1 boot space 1", 999999999},
               {"host 17 99999999999999999999999 boot space 1", 17},
               {"host 17 1 boot space 1e999", 17},
               {"host 17 1 boot space -1e300", 17},
               {"host 17 1 boot space nan", 17}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ad_lease_entry entry;
    assert_int_equal(ad_make_folders("numbers"), AD_OK);
    assert_int_equal(ad_file_write("numbers/cell.1", cases[i].text, strlen(cases[i].text)), AD_OK);
    assert_int_equal(ad_lease_find("numbers", "cell", 60.0, &entry), AD_OK);
    assert_int_equal(entry.pid, cases[i].pid);
    assert_int_equal(ad_run_refuse("numbers", &entry), AD_ECONFIG);
    assert_null(strstr(ad_error_message(), "since"));
  }
}

/* Names that are no leases, whatever they hold: nobody reads more of them than they have, nor waits for them. */
static void test_strange_files(void **state) {
  (void)state;
  struct ad_lease lease;
  struct ad_lease_entry entry;
  int taken;
  assert_int_equal(ad_make_folders("strange/cell.7"), AD_OK);
  assert_int_equal(mkfifo("strange/cell.8", 0600), 0);
  assert_int_equal(ad_lease_find("strange", "cell", 60.0, &entry), AD_OK);
  assert_int_equal(entry.generation, 8);
  assert_int_equal(ad_lease_take(&lease, "strange", "cell", 8, 1e9, &taken), AD_OK);
  assert_false(taken); /* somebody's, and not old */
}

/* A file system without links: made by O_EXCL, and the same after that. A failure of another kind is told. */
static void test_without_links(void **state) {
  (void)state;
  static const int reasons[] = {EPERM, EOPNOTSUPP, ENOSYS, EMLINK};
  struct ad_lease first, second;
  int taken;
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
    link_error = reasons[i];
    assert_int_equal(ad_lease_take(&first, "n", "cell", 0, 60.0, &taken), AD_OK);
    assert_true(taken && ad_lease_beat(&first) && ad_lease_held(&first));
    assert_int_equal(ad_lease_take(&second, "n", "cell", 0, 60.0, &taken), AD_OK);
    assert_false(taken);
    assert_int_equal(unlink("n/cell.1"), 0);
    assert_false(ad_lease_held(&first) || ad_lease_beat(&first));
    ad_lease_end(&first, 1);
  }
  link_error = EACCES;
  assert_int_equal(ad_lease_take(&first, "n", "cell", 0, 60.0, &taken), AD_EIO);
  assert_non_null(strstr(ad_error_message(), "n/cell.1: could not be made: Permission denied"));
  assert_int_equal(rmdir("n"), 0); /* nothing is left */
  link_error = EPERM;
  race("no-links", 0);
  link_error = 0;
}

static void others_come(void) {
  after_link = NULL;
  FILE *file = fopen("late/cell.2", "w");
  fclose(file);
}

/* Between a look into the folder and the link others have come and gone, so that generation 1 is free again while the
 * valid one is 2: whoever gets 1 gives it back. */
static void test_known_too_little(void **state) {
  (void)state;
  struct ad_lease lease;
  int taken;
  after_link = others_come;
  assert_int_equal(ad_lease_take(&lease, "late", "cell", 0, 60.0, &taken), AD_OK);
  assert_false(taken || ad_is_file("late/cell.1"));
  /* An earlier one that lives: somebody began anew behind our back. */
  FILE *file = fopen("late/cell.1", "w");
  fclose(file);
  age_file("late/cell.2", 1000.0);
  assert_int_equal(ad_lease_take(&lease, "late", "cell", 2, 60.0, &taken), AD_OK);
  assert_false(taken || ad_is_file("late/cell.3"));
  age_file("late/cell.1", 1000.0);
  assert_int_equal(ad_lease_take(&lease, "late", "cell", 2, 60.0, &taken), AD_OK);
  assert_true(taken);
  ad_lease_end(&lease, 1);
}

/* What a process left that was killed while it took one goes with the next; that of one that lives stays, and so does
 * what is no lease. */
static void test_left_on_the_way(void **state) {
  (void)state;
  struct ad_lease lease;
  int taken;
  assert_int_equal(ad_make_folders("way"), AD_OK);
  FILE *file = fopen("way/.cell-elsewhere-17-0", "w");
  fputs("elsewhere 17 1234 0000-boot pid:[1]\n", file);
  fclose(file);
  age_file("way/.cell-elsewhere-17-0", 1000.0);
  file = fopen("way/.cell-elsewhere-18-0", "w");
  fclose(file);
  file = fopen("way/.notes", "w");
  fclose(file);
  age_file("way/.notes", 1000.0);
  assert_int_equal(ad_lease_take(&lease, "way", "cell", 0, 60.0, &taken), AD_OK);
  assert_true(taken && !ad_is_file("way/.cell-elsewhere-17-0"));
  assert_true(ad_is_file("way/.cell-elsewhere-18-0") && ad_is_file("way/.notes"));
  ad_lease_end(&lease, 1);
}

static void test_memory(void **state) {
  (void)state;
  int failed = 1;
  for (unsigned long n = 1; failed; n++) {
    struct ad_lease lease;
    struct ad_lease_entry entry;
    int taken;
    const size_t before = ad_memory_stats().live_blocks;
    ad_memory_fail_at(n);
    int status = ad_lease_take(&lease, "memory", "cell", 0, 60.0, &taken);
    status = status == AD_OK && taken ? ad_lease_find("memory", "cell", 60.0, &entry) : AD_ENOMEM;
    failed = status != AD_OK;
    ad_memory_fail_at(0);
    ad_lease_end(&lease, 1);
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
}

int main(void) {
  ad_log_set_level(AD_LOG_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lease),     cmocka_unit_test(test_foreign_lease),   cmocka_unit_test(test_dead_holder),
      cmocka_unit_test(test_holder),    cmocka_unit_test(test_strange_numbers), cmocka_unit_test(test_strange_files),
      cmocka_unit_test(test_races),     cmocka_unit_test(test_without_links),   cmocka_unit_test(test_known_too_little),
      cmocka_unit_test(test_heartbeat), cmocka_unit_test(test_left_on_the_way), cmocka_unit_test(test_no_heartbeat),
      cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
