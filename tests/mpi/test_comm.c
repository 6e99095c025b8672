/* ranks: 1 2 3 5 8 */
/* Agreement among ranks, gathers, and evaluation across ranks. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "autodidact/base/memory.h"
#include "autodidact/mpi/evaluate.h"
#include "autodidact/mpi/runtime.h"
#include "check.h"
#include "comm_internal.h"
#include "support/kernel_sets.h"

static void test_same(const struct ad_comm *comm) {
  const int R = comm->size, rank = comm->rank;
  CHECK(ad_comm_same(comm, "a text", "equal") == AD_OK);
  CHECK(ad_comm_same(comm, "a text", "") == AD_OK);
  /* Each rank in turn differs from the others; rank 0 is what the others are compared with, so that then rank 1 is
   * named. */
  for (int odd = 0; odd < R && R > 1; odd++) {
    char expected[100];
    snprintf(expected, sizeof expected, "seed.init differs among the ranks: '%s' on rank 0, '%s' on rank %d",
             odd == 0 ? "7" : "42", odd == 0 ? "42" : "7", odd == 0 ? 1 : odd);
    CHECK(ad_comm_same(comm, "seed.init", rank == odd ? "7" : "42") == AD_ECONFIG);
    CHECK(strcmp(ad_error_message(), expected) == 0);
  }
}

static void test_agree(const struct ad_comm *comm) {
  enum { COUNT = 70 };
  const int R = comm->size, rank = comm->rank;
  size_t values[COUNT];
  for (size_t i = 0; i < COUNT; i++) {
    values[i] = i == 5 ? SIZE_MAX : i * i;
  }
  CHECK(ad_comm_agree(comm, "values", COUNT, values) == AD_OK);
  CHECK(ad_comm_agree(comm, "nothing", 0, NULL) == AD_OK);
  for (int odd = 0; odd < R && R > 1; odd++) {
    const size_t place = (size_t)odd * 9;
    const size_t held = values[place];
    values[place] = rank == odd ? 3 : 1000000007;
    CHECK(ad_comm_agree(comm, "values", COUNT, values) == AD_EINTERNAL);
    char expected[100];
    snprintf(expected, sizeof expected, "values, value %zu: the ranks passed from 3 to 1000000007", place + 1);
    CHECK(strncmp(ad_error_message(), expected, strlen(expected)) == 0);
    values[place] = held;
    /* More values on one rank than on the others. */
    CHECK(ad_comm_agree(comm, "values", rank == odd ? COUNT : COUNT - 40, values) == AD_EINTERNAL);
  }
}

static void test_gather(const struct ad_comm *comm) {
  enum { ROW = 5, MOST = 3 };
  size_t counts[64] = {0}, total = 0, own = 0;
  unsigned char data[64 * MOST * ROW];
  for (int r = 0; r < comm->size; r++) {
    counts[r] = (size_t)(r + 1) % MOST;
    own = r == comm->rank ? total : own;
    total += counts[r];
  }
  for (size_t i = 0; i < total * ROW; i++) {
    data[i] = i >= own * ROW && i < (own + counts[comm->rank]) * ROW ? (unsigned char)(i * 37) : 0;
  }
  CHECK(ad_comm_gather_rows(comm, counts, ROW, data) == AD_OK);
  for (size_t i = 0; i < total * ROW; i++) {
    CHECK(data[i] == (unsigned char)(i * 37));
  }
  /* Counts that differ among the ranks: found in debug builds. */
  if (ad_comm_debug() && comm->size > 1) {
    counts[0] += (size_t)comm->rank;
    CHECK(ad_comm_gather_rows(comm, counts, ROW, data) == AD_EINTERNAL);
    CHECK(strstr(ad_error_message(), "the counts of a gather") != NULL);
    CHECK(ad_comm_gather_rows(comm, counts, ROW + (size_t)comm->rank, data) == AD_EINTERNAL);
  }
  /* More than MPI can count: refused on all ranks. */
  CHECK(ad_comm_gather_rows(comm, counts, (size_t)1 << 31, data) == AD_EINTERNAL);
}

/* Random examples of a tiny model; the logits of all ranks together against those of one. */
static void test_evaluate(const struct ad_comm *comm) {
  enum { N = 23, LONGEST = 9, C = 3, P_SEED = 1 };
  const struct ad_model_config config = {.hidden = 16,
                                         .heads = 2,
                                         .ffn = 32,
                                         .layers = 2,
                                         .vocab = 40,
                                         .positions = 16,
                                         .types = 2,
                                         .classes = C,
                                         .layer_norm_eps = 1e-12f};
  struct ad_params params;
  size_t offset[N + 1] = {0};
  uint32_t ids[N * LONGEST], first[N], label[N] = {0};
  for (size_t i = 0; i < N; i++) {
    const size_t length = 2 + i * 7 % (LONGEST - 1);
    first[i] = (uint32_t)length;
    offset[i + 1] = offset[i] + length;
    for (size_t t = 0; t < length; t++) {
      ids[offset[i] + t] = (uint32_t)((i * 31 + t * 17 + 3) % config.vocab);
    }
  }
  const struct ad_dataset data = {
      .count = N, .offset = offset, .ids = ids, .first = first, .label = label, .longest = LONGEST};
  CHECK(ad_params_create(&params, &config) == AD_OK);
  float *theta = ad_malloc(params.count, sizeof *theta);
  CHECK(theta != NULL);
  for (size_t i = 0; i < params.tensor_count; i++) {
    ad_params_draw(&params, i, P_SEED, theta);
  }
  CHECK(test_math_start(NULL, NULL) == AD_OK);
  for (size_t B = 1; B <= 32; B = 2 * B + 1) {
    struct ad_evaluator *evaluator;
    float alone[N * C], together[N * C];
    CHECK(ad_evaluator_create(&evaluator, test_math, &params, B) == AD_OK);
    for (size_t begin = 0; begin <= 4; begin += 4) {
      for (size_t end = begin; end <= N; end += 6) {
        memset(together, 0xff, sizeof together);
        CHECK(ad_evaluator_run(evaluator, ad_replica_float32(theta), &data, begin, end, alone) == AD_OK);
        CHECK(ad_mpi_evaluate(comm, evaluator, B, C, ad_replica_float32(theta), &data, begin, end, together) == AD_OK);
        CHECK(memcmp(alone, together, (end - begin) * C * sizeof(float)) == 0);
      }
    }
    ad_evaluator_destroy(evaluator);
  }
  test_math_end();
  ad_free(theta);
  ad_params_destroy(&params);
}

/* A part is zeroed, begins on a cache line, and holds what another rank wrote to it. Every rank has another length;
 * some have none. */
static void test_shared(const struct ad_comm *comm) {
  enum { LENGTH = 1000 };
  struct ad_shared shared;
  const size_t own = (size_t)(comm->rank % 3) * LENGTH;
  CHECK(ad_shared_create(&shared, comm, own) == AD_OK);
  CHECK(shared.own == shared.part[comm->node_rank]);
  for (int r = 0; r < comm->node_size; r++) {
    CHECK((uintptr_t)shared.part[r] % 64 == 0);
  }
  for (size_t i = 0; i < own; i++) {
    CHECK(shared.own[i] == 0);
  }
  ad_shared_wait(&shared, comm);
  const int next = (comm->node_rank + 1) % comm->node_size;
  memset(shared.part[next], 1 + comm->node_rank,
         (size_t)(comm->members[comm->node_begin[comm->own_node] + next] % 3) * LENGTH);
  ad_shared_wait(&shared, comm);
  for (size_t i = 0; i < own; i++) {
    CHECK(shared.own[i] == 1 + (comm->node_rank + comm->node_size - 1) % comm->node_size);
  }
  ad_shared_destroy(&shared);
  ad_shared_destroy(&shared);
}

/* No file may be longer than this: then there is no memory to share. All ranks learn of it, and go on. */
static void test_shared_room(const struct ad_comm *comm) {
  enum { LIMIT = 1 << 20 };
  struct ad_shared shared;
  struct rlimit before, limit;
  CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
  limit = (struct rlimit){LIMIT, before.rlim_max};
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const int status = ad_shared_create(&shared, comm, 2 * LIMIT);
  CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, handler);
  char expected[100];
  snprintf(expected, sizeof expected, "the ranks of this node share %d MiB", 2 * comm->node_size);
  CHECK(status == AD_ENOMEM && strstr(ad_error_message(), expected) != NULL &&
        strstr(ad_error_message(), "File too large") != NULL);
  CHECK(shared.memory == NULL && shared.part == NULL);
  ad_shared_destroy(&shared);
  test_shared(comm);
}

static void test_count(void) {
  int narrow = 0;
  CHECK(ad_mpi_count(2147483647u, &narrow) == AD_OK && narrow == 2147483647);
  CHECK(ad_mpi_count((size_t)2147483647 + 1, &narrow) == AD_EINTERNAL && narrow == 2147483647);
}

int main(int argc, char **argv) {
  int rank, size, alone;
  struct ad_comm *comm;
  CHECK(ad_mpi_start(&argc, &argv, &rank, &size) == AD_OK);
  CHECK(strstr(ad_mpi_version(), "MPI") != NULL);
  CHECK(ad_comm_create(&comm, 1) == AD_OK);
  CHECK(rank == (int)ad_comm_rank(comm) && size == (int)ad_comm_size(comm));
  test_count();
  test_same(comm);
  test_agree(comm);
  test_gather(comm);
  test_evaluate(comm);
  test_shared(comm);
  test_shared_room(comm);
  ad_comm_destroy(comm);
  CHECK(ad_memory_stats().live_blocks == 0);
  CHECK(ad_mpi_end(AD_OK, &alone) == -1 && !alone);
  /* The highest ranks failed: the lowest of them speaks. */
  CHECK(ad_mpi_end(rank >= size / 2 ? AD_EIO : AD_OK, &alone) == size / 2 && !alone);
  ad_mpi_finish();
  return 0;
}
