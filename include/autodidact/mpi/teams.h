/* The world cut into teams of so many ranks, each of which does work of its own: the trials of a study.
 *
 * Teams are consecutive ranks, so that a team is on one node where possible. Teams only wait for each other at the end.
 * The first ranks pass on a word that all should stop. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MPI_TEAMS_H
#define AUTODIDACT_MPI_TEAMS_H

#include "autodidact/mpi/comm.h"

struct ad_teams;

/* As many teams of `ranks` ranks as there are; the ranks that are left belong to none. Collective over the world. The
 * caller owns it: ad_teams_destroy. AD_ECONFIG (fewer ranks than a team needs), AD_ENOMEM. */
int ad_teams_create(struct ad_teams **teams, uint32_t ranks);

/* Collective over the world. NULL is allowed. */
void ad_teams_destroy(struct ad_teams *teams);

/* This rank's team, NULL for those that belong to none; its number, and the number of teams. Not collective. */
const struct ad_comm *ad_teams_own(const struct ad_teams *teams);
uint32_t ad_teams_number(const struct ad_teams *teams);
uint32_t ad_teams_count(const struct ad_teams *teams);

/* Bytes [size] of the team's first rank become those of all its ranks. Those that wait use no processor time.
 * Collective over the team. AD_EINTERNAL (more than a message can count). */
int ad_teams_share(const struct ad_teams *teams, size_t size, void *data);

/* How a piece of work ends for a team: every rank comes here with its status. Returns the status of the rank that
 * failed, with its message, on every rank; AD_OK where none did. *alone 1: this rank failed and the others do not come,
 * because they wait for it elsewhere; the job can then only be ended (ad_mpi_abort). Collective over the team. */
int ad_teams_settle(const struct ad_teams *teams, int status, int *alone);

/* Sends the other teams a reason to stop, a number above 0; only the first one of a team is sent. Not collective: for
 * first ranks of teams. */
void ad_teams_tell(struct ad_teams *teams, int reason);

/* The largest reason that another team has sent so far; 0: none. Not collective: for first ranks of teams. */
int ad_teams_told(struct ad_teams *teams);

/* Waits until all ranks of the world have come here, without using processor time. Collective over the world. */
void ad_teams_meet(struct ad_teams *teams);

#endif
