/* ranks: 1 2 3 5 8 */
/* The world cut into teams: who belongs where, what teams share, how their work ends, and words to stop. */
#include <string.h>
#include <time.h>

#include "autodidact/base/memory.h"
#include "autodidact/mpi/runtime.h"
#include "autodidact/mpi/teams.h"
#include "check.h"

static int rank, size;

static void wait_a_moment(double seconds) {
  const double whole = (double)(time_t)seconds;
  nanosleep(&(struct timespec){(time_t)whole, (long)(1e9 * (seconds - whole))}, NULL);
}

static void test_sizes(void) {
  struct ad_teams *teams;
  CHECK(ad_teams_create(&teams, 0) == AD_ECONFIG && teams == NULL);
  CHECK(ad_teams_create(&teams, (uint32_t)size + 1) == AD_ECONFIG && teams == NULL);
  char expected[100];
  snprintf(expected, sizeof expected, "study.ranks_per_trial is %d, the job has %d rank%s", size + 1, size,
           size == 1 ? "" : "s");
  CHECK(strcmp(ad_error_message(), expected) == 0);
  for (uint32_t ranks = 1; ranks <= (uint32_t)size; ranks++) {
    CHECK(ad_teams_create(&teams, ranks) == AD_OK);
    const uint32_t count = (uint32_t)size / ranks, number = (uint32_t)rank / ranks;
    CHECK(ad_teams_count(teams) == count);
    const struct ad_comm *own = ad_teams_own(teams);
    CHECK((own != NULL) == (number < count));
    if (own != NULL) {
      CHECK(ad_teams_number(teams) == number);
      CHECK(ad_comm_size(own) == ranks && ad_comm_rank(own) == (uint32_t)rank % ranks);
    }
    ad_teams_meet(teams);
    CHECK(ad_teams_told(teams) == 0);
    ad_teams_destroy(teams);
  }
  ad_teams_destroy(NULL);
}

/* Every team shares something else, teams of different length of work. */
static void test_share(const struct ad_teams *teams) {
  enum { COUNT = 100003 };
  static unsigned char data[COUNT];
  const struct ad_comm *own = ad_teams_own(teams);
  for (int round = 0; round < 3 && own != NULL; round++) {
    const unsigned number = ad_teams_number(teams);
    for (size_t i = 0; i < COUNT; i++) {
      data[i] = ad_comm_rank(own) == 0 ? (unsigned char)(i * 31 + number + (unsigned)round) : 0xee;
    }
    if (ad_comm_rank(own) == 0) {
      wait_a_moment(0.002 * number);
    }
    CHECK(ad_teams_share(teams, COUNT, data) == AD_OK);
    for (size_t i = 0; i < COUNT; i++) {
      CHECK(data[i] == (unsigned char)(i * 31 + number + (unsigned)round));
    }
    CHECK(ad_teams_share(teams, 0, data) == AD_OK);
    CHECK(ad_teams_share(teams, (size_t)1 << 31, data) == AD_EINTERNAL);
  }
}

/* Each rank of a team fails in turn, with a message, and all of the team hear it; other teams go on. */
static void test_settle(const struct ad_teams *teams) {
  const struct ad_comm *own = ad_teams_own(teams);
  int alone = 1;
  if (own == NULL) {
    return;
  }
  const uint32_t members = ad_comm_size(own), me = ad_comm_rank(own);
  const int odd_team = ad_teams_number(teams) % 2 == 1;
  CHECK(ad_teams_settle(teams, AD_OK, &alone) == AD_OK && !alone);
  for (uint32_t failed = 0; failed < members && !odd_team; failed++) {
    char expected[60];
    snprintf(expected, sizeof expected, "rank %u of team %u", failed, ad_teams_number(teams));
    /* Those behind it fail too: the lowest speaks. */
    ad_error_clear();
    const int status =
        me >= failed ? ad_fail(me == failed ? AD_EIO : AD_EINPUT, "rank %u of team %u", me, ad_teams_number(teams))
                     : AD_OK;
    CHECK(ad_teams_settle(teams, status, &alone) == AD_EIO && !alone);
    CHECK(strcmp(ad_error_message(), expected) == 0);
  }
  /* The lowest knows only that another one failed: that one's message counts. */
  if (members > 1) {
    ad_error_clear();
    const int status = me + 1 == members ? ad_fail(AD_EDIVERGED, "loss") : AD_EIO;
    CHECK(ad_teams_settle(teams, status, &alone) == AD_EDIVERGED && !alone);
    CHECK(strcmp(ad_error_message(), "loss") == 0);
  }
  CHECK(ad_teams_settle(teams, AD_OK, &alone) == AD_OK && !alone);
}

/* Words: the first of each team counts, all hear the largest, and who only waits hears nothing. */
static void test_words(uint32_t ranks) {
  struct ad_teams *teams;
  CHECK(ad_teams_create(&teams, ranks) == AD_OK);
  const struct ad_comm *own = ad_teams_own(teams);
  const int first = own != NULL && ad_comm_rank(own) == 0;
  const uint32_t count = ad_teams_count(teams);
  if (own != NULL && ad_teams_number(teams) % 3 == 0) {
    ad_teams_tell(teams, 10 + (int)ad_teams_number(teams)); /* by those that are not first it does nothing */
    ad_teams_tell(teams, 99);
  }
  /* The last team that is not this one, of those that tell. */
  int expected = 0;
  for (uint32_t k = 0; k < count; k += 3) {
    expected = first && k != ad_teams_number(teams) ? 10 + (int)k : expected;
  }
  for (int tries = 0; first && ad_teams_told(teams) != expected; tries++) {
    CHECK(tries < 20000);
    wait_a_moment(0.001);
  }
  ad_teams_meet(teams);
  CHECK(ad_teams_told(teams) == expected);
  ad_teams_destroy(teams);
}

/* Teams end their work at different times, and words are still on their way when all meet. */
static void test_late_words(void) {
  struct ad_teams *teams;
  CHECK(ad_teams_create(&teams, 1) == AD_OK);
  wait_a_moment(0.003 * rank);
  if (rank == size - 1) {
    ad_teams_tell(teams, 7);
  }
  ad_teams_meet(teams);
  CHECK(ad_teams_told(teams) == (rank == size - 1 ? 0 : 7));
  ad_teams_destroy(teams);
}

/* A rank that fails while the others of its team are stuck elsewhere learns that it is alone. */
static void test_alone(void) {
  struct ad_teams *teams;
  int alone = 0;
  CHECK(ad_teams_create(&teams, (uint32_t)size) == AD_OK);
  if (rank == 0) {
    CHECK(ad_teams_settle(teams, ad_fail(AD_EIO, "stuck"), &alone) == AD_EIO && alone);
    CHECK(strcmp(ad_error_message(), "stuck") == 0);
  }
  MPI_Barrier(MPI_COMM_WORLD); /* where the others are stuck */
  ad_teams_destroy(teams);
}

/* Out of memory, on all ranks alike. */
static void test_memory(uint32_t ranks) {
  const size_t before = ad_memory_stats().live_blocks;
  unsigned long n = 1;
  for (int status = AD_ENOMEM; status != AD_OK; n++) {
    struct ad_teams *teams;
    ad_memory_fail_at(n);
    status = ad_teams_create(&teams, ranks);
    ad_memory_fail_at(0);
    CHECK(status == AD_OK || (status == AD_ENOMEM && teams == NULL));
    ad_teams_destroy(teams);
    CHECK(ad_memory_stats().live_blocks == before);
  }
  CHECK(n > 3);
}

int main(int argc, char **argv) {
  int alone;
  struct ad_teams *teams;
  CHECK(ad_mpi_start(&argc, &argv, &rank, &size) == AD_OK);
  test_sizes();
  for (uint32_t ranks = 1; ranks <= (uint32_t)size; ranks = ranks < 3 ? ranks + 1 : 2 * ranks) {
    CHECK(ad_teams_create(&teams, ranks) == AD_OK);
    test_share(teams);
    test_settle(teams);
    ad_teams_meet(teams);
    ad_teams_destroy(teams);
    test_words(ranks);
  }
  test_late_words();
  if (size == 2) {
    test_alone();
  }
  test_memory(1);
  test_memory((uint32_t)size);
  CHECK(ad_memory_stats().live_blocks == 0);
  CHECK(ad_mpi_end(AD_OK, &alone) == -1 && !alone);
  ad_mpi_finish();
  return 0;
}
