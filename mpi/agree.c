#include <inttypes.h>

#include "autodidact/base/status.h"
#include "comm_internal.h"

int ad_comm_debug(void) {
  return AD_DEBUG;
}

/* max(~v) is ~min(v): one reduction brings both ends. */
static int compare(const struct ad_comm *comm, const char *what, size_t first, size_t count, const size_t *values) {
  enum { MOST = 32 };
  uint64_t ends[2 * MOST];
  for (size_t done = 0; done < count; done += MOST) {
    const size_t length = count - done < MOST ? count - done : MOST;
    for (size_t i = 0; i < length; i++) {
      ends[2 * i] = values[done + i];
      ends[2 * i + 1] = ~(uint64_t)values[done + i];
    }
    MPI_Allreduce(MPI_IN_PLACE, ends, 2 * (int)length, MPI_UINT64_T, MPI_MAX, comm->world);
    for (size_t i = 0; i < length; i++) {
      if (ends[2 * i] != ~ends[2 * i + 1]) {
        return ad_fail(AD_EINTERNAL,
                       "%s, value %zu: the ranks passed from %" PRIu64 " to %" PRIu64 ", expected the same from all",
                       what, first + done + i, ~ends[2 * i + 1], ends[2 * i]);
      }
    }
  }
  return AD_OK;
}

int ad_comm_agree(const struct ad_comm *comm, const char *what, size_t count, const size_t *values) {
  /* Value 0 is their number: ranks that pass fewer would leave the others waiting. */
  AD_TRY(compare(comm, what, 0, 1, &count));
  return compare(comm, what, 1, count, values);
}
