#include "autodidact/mpi/teams.h"

#include <stdio.h>
#include <time.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "comm_internal.h"

struct ad_teams {
  MPI_Comm all, end; /* all ranks; this team's, for nothing but its ends */
  struct ad_comm *own;
  int rank, size; /* in `all` */
  int ranks;      /* of a team */
  int number, count;
  int first;             /* 1 on the first rank of a team */
  int word, sent;        /* what this team told, and whether it did */
  int heard, most;       /* teams that have told something, and the largest of it */
  MPI_Request *requests; /* [count] of the words that were sent */
};

static void pause_a_moment(void) {
  nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

static void wait_patiently(MPI_Request *request) {
  for (int done = 0; !done;) {
    MPI_Test(request, &done, MPI_STATUS_IGNORE);
    if (!done) {
      pause_a_moment();
    }
  }
}

int ad_teams_create(struct ad_teams **teams, uint32_t ranks) {
  int size;
  MPI_Comm_size(ad_mpi_ranks(), &size);
  *teams = NULL;
  if (ranks == 0 || ranks > (uint32_t)size) {
    return ad_fail(AD_ECONFIG, "study.ranks_per_trial is %u, the job has %d rank%s", ranks, size, size == 1 ? "" : "s");
  }
  struct ad_teams *t = ad_calloc(1, sizeof *t);
  if (t == NULL) {
    return ad_fail_memory(sizeof *t, "the teams");
  }
  t->size = size;
  t->ranks = (int)ranks;
  t->count = size / t->ranks;
  t->end = MPI_COMM_NULL;
  MPI_Comm_dup(ad_mpi_ranks(), &t->all);
  MPI_Comm_rank(t->all, &t->rank);
  t->number = t->rank / t->ranks;
  const int member = t->number < t->count;
  t->first = member && t->rank % t->ranks == 0;
  MPI_Comm_split(t->all, member ? t->number : MPI_UNDEFINED, t->rank, &t->end);
  t->requests = ad_calloc((size_t)t->count, sizeof *t->requests);
  int status = t->requests == NULL ? ad_fail_memory((size_t)t->count * sizeof *t->requests, "the teams") : AD_OK;
  if (status == AD_OK && member) {
    status = ad_mpi_comm_create(&t->own, t->end, 0);
  }
  if (status != AD_OK) {
    ad_teams_destroy(t);
    return status;
  }
  *teams = t;
  return AD_OK;
}

void ad_teams_destroy(struct ad_teams *teams) {
  if (teams == NULL) {
    return;
  }
  ad_comm_destroy(teams->own);
  if (teams->end != MPI_COMM_NULL) {
    MPI_Comm_free(&teams->end);
  }
  MPI_Comm_free(&teams->all);
  ad_free(teams->requests);
  ad_free(teams);
}

const struct ad_comm *ad_teams_own(const struct ad_teams *teams) {
  return teams->own;
}
uint32_t ad_teams_number(const struct ad_teams *teams) {
  return (uint32_t)teams->number;
}
uint32_t ad_teams_count(const struct ad_teams *teams) {
  return (uint32_t)teams->count;
}

int ad_teams_share(const struct ad_teams *teams, size_t size, void *data) {
  int count = 0;
  MPI_Request request;
  AD_TRY(ad_mpi_count(size, &count));
  MPI_Ibcast(data, count, MPI_BYTE, 0, teams->own->world, &request);
  wait_patiently(&request);
  return AD_OK;
}

int ad_teams_settle(const struct ad_teams *teams, int status, int *alone) {
  enum { LONGEST = 2000 };
  char message[LONGEST] = "";
  const int speaker = ad_mpi_end_on(teams->end, status, alone);
  if (*alone || speaker < 0) {
    return status;
  }
  snprintf(message, sizeof message, "%s", ad_error_message());
  MPI_Bcast(&status, 1, MPI_INT, speaker, teams->end);
  MPI_Bcast(message, sizeof message, MPI_CHAR, speaker, teams->end);
  return ad_fail(status, "%s", message);
}

void ad_teams_tell(struct ad_teams *teams, int reason) {
  struct ad_teams *t = teams;
  if (!t->first || t->sent) {
    return;
  }
  t->word = reason;
  t->sent = 1;
  for (int k = 0; k < t->count; k++) {
    t->requests[k] = MPI_REQUEST_NULL;
    if (k != t->number) {
      MPI_Isend(&t->word, 1, MPI_INT, k * t->ranks, AD_TAG_STOP, t->all, &t->requests[k]);
    }
  }
}

int ad_teams_told(struct ad_teams *teams) {
  struct ad_teams *t = teams;
  for (int there = t->first; there;) {
    MPI_Iprobe(MPI_ANY_SOURCE, AD_TAG_STOP, t->all, &there, MPI_STATUS_IGNORE);
    if (there) {
      int word;
      MPI_Recv(&word, 1, MPI_INT, MPI_ANY_SOURCE, AD_TAG_STOP, t->all, MPI_STATUS_IGNORE);
      t->heard++;
      t->most = word > t->most ? word : t->most;
    }
  }
  return t->most;
}

void ad_teams_meet(struct ad_teams *teams) {
  struct ad_teams *t = teams;
  /* Each team sends each other one word in all, so that none is left on the way. */
  ad_teams_tell(t, 0);
  while (t->first && t->heard < t->count - 1) {
    ad_teams_told(t);
    pause_a_moment();
  }
  for (int k = 0; t->first && k < t->count; k++) {
    wait_patiently(&t->requests[k]);
  }
  MPI_Request request;
  MPI_Ibarrier(t->all, &request);
  wait_patiently(&request);
}
