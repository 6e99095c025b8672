/* Signs of life of a lease. The thread knows nothing but a file descriptor: no MPI, no memory, no messages. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/lease.h"

struct ad_heartbeat {
  const struct ad_lease *lease;
  double interval;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  int stop, lost;
};

static void *beat(void *context) {
  struct ad_heartbeat *h = context;
  pthread_mutex_lock(&h->mutex);
  while (!h->stop) {
    struct timespec next;
    clock_gettime(CLOCK_REALTIME, &next);
    next.tv_sec += (time_t)h->interval;
    next.tv_nsec += (long)(1e9 * (h->interval - (double)(time_t)h->interval));
    next.tv_sec += next.tv_nsec / 1000000000;
    next.tv_nsec %= 1000000000;
    if (pthread_cond_timedwait(&h->wake, &h->mutex, &next) == ETIMEDOUT && !h->stop) {
      h->lost |= !ad_lease_beat(h->lease);
    }
  }
  pthread_mutex_unlock(&h->mutex);
  return NULL;
}

int ad_heartbeat_start(struct ad_heartbeat **heartbeat, const struct ad_lease *lease, double interval) {
  struct ad_heartbeat *h = *heartbeat = ad_calloc(1, sizeof *h);
  sigset_t all, before;
  if (h == NULL) {
    return ad_fail_memory(sizeof *h, "a heartbeat");
  }
  h->lease = lease;
  h->interval = interval;
  pthread_mutex_init(&h->mutex, NULL);
  pthread_cond_init(&h->wake, NULL);
  /* Signals are the main thread's. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int reason = pthread_create(&h->thread, NULL, beat, h);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (reason != 0) {
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->mutex);
    ad_free(h);
    *heartbeat = NULL;
    return ad_fail(AD_EIO, "no thread could be had for the sign of life of a lease: %s", strerror(reason));
  }
  return AD_OK;
}

int ad_heartbeat_lost(struct ad_heartbeat *heartbeat) {
  pthread_mutex_lock(&heartbeat->mutex);
  const int lost = heartbeat->lost;
  pthread_mutex_unlock(&heartbeat->mutex);
  return lost;
}

void ad_heartbeat_stop(struct ad_heartbeat *heartbeat) {
  if (heartbeat == NULL) {
    return;
  }
  pthread_mutex_lock(&heartbeat->mutex);
  heartbeat->stop = 1;
  pthread_cond_signal(&heartbeat->wake);
  pthread_mutex_unlock(&heartbeat->mutex);
  pthread_join(heartbeat->thread, NULL);
  pthread_cond_destroy(&heartbeat->wake);
  pthread_mutex_destroy(&heartbeat->mutex);
  ad_free(heartbeat);
}
