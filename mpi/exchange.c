#include "autodidact/mpi/exchange.h"

#include <stdatomic.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/order.h"
#include "comm_internal.h"

/* What a rank tells its neighbours on the node, in its part of the shared memory. Reductions are numbered from 1; their
 * partial sums lie in slots by turns, the odd ones' and the even ones'. */
struct board {
  _Atomic uint64_t handed_in;     /* reductions up to this one: its partial sums may be read */
  _Atomic uint64_t done;          /* up to this one: it reads nobody's any more */
  size_t offset[2][AD_MAX_PARTS]; /* of the two newest: bytes from the rank's part of the shared memory */
};
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "numbers in shared memory need no lock");

/* A partial sum on its way through the tree: the part of a compact bucket that belongs to one shard. */
struct piece {
  struct ad_span span;
  int empty;
  float *values; /* [length of the part] */
};

struct ad_mpi_exchange {
  struct ad_exchange table;
  const struct ad_comm *comm;
  const struct ad_params *params;
  const struct ad_kernels *kernels;
  enum ad_reduction reduction;
  size_t lanes, floats, parts; /* most floats of a bucket; most parts of a rank */
  struct ad_shared shared;     /* board, then two times `parts` buckets */
  const struct ad_rows *rows;
  const size_t *lane_begin;

  uint64_t turn;        /* number of the newest reduction that has begun here */
  struct piece *pieces; /* of this rank's own shard: this node's partial sums, other nodes' node sums, in lane order;
                           [size * parts] */
  size_t piece_count;
  struct piece *scratch; /* [size * parts] of a shard that this rank is a delegate for */
  void *received;        /* float: parts from other nodes */
  size_t received_capacity;
  MPI_Request *requests; /* grown */
  size_t request_count, request_capacity;
  void *whole; /* float [floats]: native reduction, unsharded update */
  size_t whole_capacity;
  struct ad_mpi_traffic traffic;
};

enum { BOARD_BYTES = (sizeof(struct board) + 63) / 64 * 64 };

static struct board *board_of(const struct ad_mpi_exchange *x, int node_rank) {
  return (void *)x->shared.part[node_rank];
}

/* Waits until the node's ranks have come to a reduction, with handing in or with all of it. MPI goes on meanwhile: a
 * neighbour may be waiting for a message of this rank. */
static void await(const struct ad_mpi_exchange *x, uint64_t turn, int done) {
  for (int r = 0; r < x->comm->node_size; r++) {
    struct board *board = board_of(x, r);
    while (atomic_load_explicit(done ? &board->done : &board->handed_in, memory_order_acquire) < turn) {
      int unused;
      MPI_Iprobe(MPI_ANY_SOURCE, AD_TAG_NONE, x->comm->world, &unused, MPI_STATUS_IGNORE);
    }
  }
}

/* Memory for a partial sum of the reduction that comes next: once nobody reads the one there, of two reductions before.
 */
static float *next_slot(const struct ad_mpi_exchange *x, size_t part) {
  if (x->turn > 1) {
    await(x, x->turn - 1, 1);
  }
  return (float *)(void *)(x->shared.own + BOARD_BYTES) + ((x->turn + 1) % 2 * x->parts + part) * x->floats;
}

static float *place(void *context, uint32_t bucket, size_t part) {
  (void)bucket;
  return next_slot(context, part);
}

/* Debug builds: all ranks are in the same call with the same arguments. */
static int check(const struct ad_mpi_exchange *x, const char *call, size_t a, size_t b, size_t c) {
  return AD_DEBUG ? ad_comm_agree(x->comm, call, 4, (size_t[]){ad_digest(call, strlen(call)), a, b, c}) : AD_OK;
}

static int step_begin(void *context, const struct ad_rows *rows, const size_t *lane_begin) {
  struct ad_mpi_exchange *x = context;
  x->rows = rows;
  x->lane_begin = lane_begin;
  return check(x, "the start of a step", rows->count, ad_digest(rows->ids, rows->count * sizeof *rows->ids),
               ad_digest(lane_begin, (x->lanes + 1) * sizeof *lane_begin));
}

static int add_request(struct ad_mpi_exchange *x, MPI_Request **request) {
  void *array = x->requests;
  AD_TRY(ad_reserve(&array, &x->request_capacity, x->request_count + 1, sizeof *x->requests));
  x->requests = array;
  *request = &x->requests[x->request_count++];
  return AD_OK;
}

/* Sends or receives `count` floats; larger than an MPI count in pieces of 2^30. */
static int post(struct ad_mpi_exchange *x, int send, float *values, size_t count, int peer, int tag) {
  for (size_t at = 0; at < count;) {
    const size_t length = count - at < (1u << 30) ? count - at : (1u << 30);
    MPI_Request *request;
    int narrow;
    AD_TRY(ad_mpi_count(length, &narrow));
    AD_TRY(add_request(x, &request));
    if (send) {
      MPI_Isend(values + at, narrow, MPI_FLOAT, peer, tag, x->comm->world, request);
      x->traffic.messages++;
      x->traffic.bytes += length * sizeof(float);
    } else {
      MPI_Irecv(values + at, narrow, MPI_FLOAT, peer, tag, x->comm->world, request);
    }
    at += length;
  }
  return AD_OK;
}

static int wait_all(struct ad_mpi_exchange *x) {
  int count;
  AD_TRY(ad_mpi_count(x->request_count, &count));
  MPI_Waitall(count, x->requests, MPI_STATUSES_IGNORE);
  x->request_count = 0;
  return AD_OK;
}

/* The part of the compact bucket that belongs to a rank's shard. */
static void owned(const struct ad_mpi_exchange *x, uint32_t bucket, int rank, size_t *begin, size_t *end) {
  size_t flat_begin, flat_end;
  ad_shard_range(x->params, bucket, (uint32_t)rank, (uint32_t)x->comm->size, &flat_begin, &flat_end);
  ad_compact_range(x->params, bucket, x->rows, flat_begin, flat_end, begin, end);
}

/* Appends a piece and adds halves of nodes as long as there are any, in place into the lower half; the sum over all
 * lanes into `total`, if given. */
static void push(const struct ad_mpi_exchange *x, struct piece *stack, size_t *count, struct piece piece, size_t length,
                 int add, float *total) {
  stack[(*count)++] = piece;
  while (*count >= 2) {
    struct piece *left = &stack[*count - 2], *right = &stack[*count - 1];
    if (!ad_tree_are_halves(x->lanes, left->span, right->span)) {
      return;
    }
    if (left->empty) {
      left->values = right->values;
      left->empty = right->empty;
    } else if (!right->empty && add) {
      float *sum = total != NULL && left->span.lo == 0 && right->span.hi == x->lanes ? total : left->values;
      x->kernels->sum(length, left->values, right->values, sum);
      left->values = sum;
    }
    left->span.hi = right->span.hi;
    (*count)--;
  }
}

/* The partial sums that a rank hands in: the same computation on every rank. */
static size_t parts_of(const struct ad_mpi_exchange *x, int rank, struct ad_span *parts) {
  const size_t R = (size_t)x->comm->size;
  return ad_tree_parts(x->lanes, ad_lanes_first(x->lanes, R, (size_t)rank),
                       ad_lanes_first(x->lanes, R, (size_t)rank + 1), parts);
}

/* The partial sums of a node's ranks for a part of the compact bucket that begins at `begin`, into pieces; of another
 * node than one's own only which there are. */
static size_t partial_sums(const struct ad_mpi_exchange *x, int node, size_t begin, struct piece *pieces) {
  const struct ad_comm *c = x->comm;
  const int here = node == c->own_node;
  size_t count = 0;
  for (int m = c->node_begin[node]; m < c->node_begin[node + 1]; m++) {
    struct ad_span parts[AD_MAX_PARTS];
    const size_t part_count = parts_of(x, c->members[m], parts);
    for (size_t p = 0; p < part_count; p++) {
      struct piece piece = {.span = parts[p], .empty = x->lane_begin[parts[p].lo] == x->lane_begin[parts[p].hi]};
      if (here && !piece.empty) {
        const int r = m - c->node_begin[node];
        piece.values = (float *)(void *)(x->shared.part[r] + board_of(x, r)->offset[x->turn % 2][p]) + begin;
      }
      pieces[count++] = piece;
    }
  }
  return count;
}

/* The sums of a node, of its ranks' partial sums as far as the tree allows, into stack; of another node only which
 * there will be. */
static size_t node_sums(const struct ad_mpi_exchange *x, int node, size_t begin, size_t end, struct piece *stack) {
  const size_t parts = partial_sums(x, node, begin, stack);
  size_t count = 0;
  /* The stack never outgrows what has been read of it. */
  for (size_t p = 0; p < parts; p++) {
    push(x, stack, &count, stack[p], end - begin, node == x->comm->own_node, NULL);
  }
  return count;
}

/* Hands in: partial sums from elsewhere (earlier rounds) are copied to this bucket's slots. */
static void hand_in(struct ad_mpi_exchange *x, uint32_t bucket, const struct ad_partial *partials, size_t count) {
  struct board *board = board_of(x, x->comm->node_rank);
  const uint64_t turn = x->turn + 1;
  for (size_t p = 0; p < count; p++) {
    float *at = next_slot(x, p);
    if (!partials[p].empty && partials[p].values != at) {
      memcpy(at, partials[p].values, ad_compact_count(x->params, bucket, x->rows) * sizeof *at);
    }
    board->offset[turn % 2][p] = (size_t)((char *)at - x->shared.own);
  }
  x->turn = turn;
  atomic_store_explicit(&board->handed_in, turn, memory_order_release);
}

/* For the shards of other nodes' ranks that this rank is the delegate of: add, and send. */
static int send_sums(struct ad_mpi_exchange *x, uint32_t bucket) {
  const struct ad_comm *c = x->comm;
  if (c->nodes > 1) {
    await(x, x->turn, 0);
  }
  for (int owner = 0; owner < c->size; owner++) {
    if (c->node_of[owner] == c->own_node || ad_comm_delegate(c, c->own_node, owner) != c->rank) {
      continue;
    }
    size_t begin, end;
    owned(x, bucket, owner, &begin, &end);
    const size_t count = node_sums(x, c->own_node, begin, end, x->scratch);
    for (size_t p = 0; p < count; p++) {
      if (!x->scratch[p].empty) {
        AD_TRY(post(x, 1, x->scratch[p].values, end - begin, owner, AD_TAG_REDUCE));
      }
    }
  }
  return AD_OK;
}

/* Memory for what arrives from other nodes in any step, or for a native sum, so that no step makes it. */
static int reserve(struct ad_mpi_exchange *x) {
  const struct ad_comm *c = x->comm;
  if (x->reduction == AD_REDUCTION_NATIVE) {
    return ad_reserve(&x->whole, &x->whole_capacity, x->floats, sizeof(float));
  }
  size_t *lanes = ad_calloc(x->lanes + 1, sizeof *lanes), parts = 0, most = 0;
  if (lanes == NULL) {
    return ad_fail_memory((x->lanes + 1) * sizeof *lanes, "the exchange");
  }
  for (size_t lane = 0; lane <= x->lanes; lane++) {
    lanes[lane] = lane; /* none is empty */
  }
  x->lane_begin = lanes;
  for (int node = 0; node < c->nodes; node++) {
    parts += node == c->own_node ? 0 : node_sums(x, node, 0, 0, x->scratch);
  }
  x->lane_begin = NULL;
  ad_free(lanes);
  for (uint32_t b = 0; b < x->params->buckets; b++) {
    size_t begin, end;
    ad_shard_range(x->params, b, (uint32_t)c->rank, (uint32_t)c->size, &begin, &end);
    most = end - begin > most ? end - begin : most;
  }
  most = most < x->floats ? most : x->floats;
  return ad_reserve(&x->received, &x->received_capacity, parts * most, sizeof(float));
}

/* Receives what other nodes will send for this rank's shard, node after node. */
static int collect(struct ad_mpi_exchange *x, uint32_t bucket) {
  const struct ad_comm *c = x->comm;
  size_t begin, end;
  owned(x, bucket, c->rank, &begin, &end);
  float *at = x->received;
  x->piece_count = 0;
  for (int node = 0; node < c->nodes; node++) {
    struct piece *sums = &x->pieces[x->piece_count];
    const size_t count = node == c->own_node ? 0 : node_sums(x, node, begin, end, sums);
    for (size_t p = 0; p < count; p++) {
      if (!sums[p].empty) {
        sums[p].values = at;
        AD_TRY(post(x, 0, at, end - begin, ad_comm_delegate(c, node, c->rank), AD_TAG_REDUCE));
        at += end - begin;
      }
    }
    x->piece_count += count;
  }
  return AD_OK;
}

static int compare_pieces(const struct piece *a, const struct piece *b) {
  return a->span.lo < b->span.lo ? -1 : 1;
}

/* Nodes may hold lanes in any mapping of ranks: the pieces in lane order (few, nearly sorted). */
static void order_pieces(struct piece *pieces, size_t count) {
  for (size_t i = 1; i < count; i++) {
    const struct piece held = pieces[i];
    size_t j = i;
    for (; j > 0 && compare_pieces(&held, &pieces[j - 1]) < 0; j--) {
      pieces[j] = pieces[j - 1];
    }
    pieces[j] = held;
  }
}

/* MPI's own sum of everything, in MPI's own order. */
static int reduce_native(struct ad_mpi_exchange *x, uint32_t bucket, const struct ad_partial *partials, size_t count) {
  const size_t n = ad_compact_count(x->params, bucket, x->rows);
  int narrow;
  AD_TRY(ad_mpi_count(n, &narrow));
  memset(x->whole, 0, n * sizeof(float));
  for (size_t p = 0; p < count; p++) {
    if (!partials[p].empty) {
      x->kernels->add(n, x->whole, partials[p].values);
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, x->whole, narrow, MPI_FLOAT, MPI_SUM, x->comm->world);
  return AD_OK;
}

static int reduce_begin(void *context, uint32_t bucket, const struct ad_partial *partials, size_t count) {
  struct ad_mpi_exchange *x = context;
  AD_TRY(check(x, "the start of a bucket's reduction", bucket, 0, 0));
  if (x->reduction == AD_REDUCTION_NATIVE) {
    return reduce_native(x, bucket, partials, count);
  }
  hand_in(x, bucket, partials, count);
  AD_TRY(collect(x, bucket));
  return send_sums(x, bucket);
}

/* Every rank's part becomes everybody's whole. */
static int spread(struct ad_mpi_exchange *x, uint32_t bucket, float *gradient) {
  const int R = x->comm->size;
  int *table = x->comm->gather, status = AD_OK;
  for (int r = 0; status == AD_OK && r < R; r++) {
    size_t begin, end;
    owned(x, bucket, r, &begin, &end);
    status = ad_mpi_count(end - begin, &table[r]);
    if (status == AD_OK) {
      status = ad_mpi_count(begin, &table[R + r]);
    }
  }
  if (status == AD_OK) {
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, gradient, table, table + R, MPI_FLOAT, x->comm->world);
  }
  return status;
}

static int reduce_ready(void *context) {
  struct ad_mpi_exchange *x = context;
  int done = 1;
  for (int r = 0; r < x->comm->node_size && x->reduction == AD_REDUCTION_ORDERED; r++) {
    done &= atomic_load_explicit(&board_of(x, r)->handed_in, memory_order_acquire) >= x->turn;
  }
  if (x->request_count > 0) {
    int arrived, count;
    AD_TRY(ad_mpi_count(x->request_count, &count));
    MPI_Testall(count, x->requests, &arrived, MPI_STATUSES_IGNORE);
    done &= arrived;
  }
  return done;
}

/* Finishes the tree for floats [at, at + length) of this rank's part of a bucket, in `sum` where it adds; where the
 * result lies, or NULL. */
static const float *finish_tree(struct ad_mpi_exchange *x, uint32_t bucket, size_t at, size_t length, float *sum) {
  size_t count = 0;
  for (size_t p = 0; p < x->piece_count; p++) {
    struct piece piece = x->pieces[p];
    piece.values = piece.empty ? NULL : piece.values + at;
    push(x, x->scratch, &count, piece, length, 1, sum);
  }
  if (count != 1 || x->scratch[0].empty) {
    ad_fail(AD_EINTERNAL, "bucket %u: %zu sums are left of the tree, expected one", bucket, count);
    return NULL;
  }
  return x->scratch[0].values;
}

/* Whether every rank updates everything. */
static int is_whole(const struct ad_mpi_exchange *x) {
  return x->table.shards < x->table.size;
}

static int reduce_end(void *context, uint32_t bucket, float *gradient, double *squares, const float **reduced) {
  struct ad_mpi_exchange *x = context;
  size_t begin, end;
  *reduced = gradient;
  AD_TRY(check(x, "the end of a bucket's reduction", bucket, 0, 0));
  owned(x, bucket, x->comm->rank, &begin, &end);
  float *own = is_whole(x) ? gradient + begin : gradient;
  if (x->reduction == AD_REDUCTION_NATIVE) {
    const float *sum = x->whole;
    const size_t n = ad_compact_count(x->params, bucket, x->rows);
    memcpy(gradient, is_whole(x) ? sum : sum + begin, (is_whole(x) ? n : end - begin) * sizeof *sum);
    ad_compact_squares(x->params, x->kernels, bucket, x->rows, is_whole(x) ? 0 : begin, is_whole(x) ? n : end, gradient,
                       squares);
    return AD_OK;
  }
  AD_TRY(wait_all(x));
  await(x, x->turn, 0);
  x->piece_count += partial_sums(x, x->comm->own_node, begin, &x->pieces[x->piece_count]);
  order_pieces(x->pieces, x->piece_count);
  /* Block by block, so that what the tree adds up and the squares are taken of is in the first-level cache. */
  for (size_t at = begin, next; at < end; at = next) {
    next = ad_compact_block_end(x->params, bucket, x->rows, at, end);
    float *to = own + (at - begin);
    const float *sum = finish_tree(x, bucket, at - begin, next - at, to);
    if (sum == NULL) {
      return AD_EINTERNAL;
    }
    ad_compact_squares(x->params, x->kernels, bucket, x->rows, at, next, sum, squares);
    if (sum != to) {
      memcpy(to, sum, (next - at) * sizeof *sum);
    }
  }
  atomic_store_explicit(&board_of(x, x->comm->node_rank)->done, x->turn, memory_order_release);
  if (is_whole(x)) {
    AD_TRY(spread(x, bucket, gradient));
    ad_compact_squares(x->params, x->kernels, bucket, x->rows, 0, ad_compact_count(x->params, bucket, x->rows),
                       gradient, squares);
  }
  return AD_OK;
}

static int share(void *context, const size_t *counts, double *values) {
  const struct ad_mpi_exchange *x = context;
  AD_TRY(check(x, "a shared row of numbers", 0, 0, 0));
  return ad_comm_gather_rows(x->comm, counts, sizeof(double), values);
}

static int sum(void *context, size_t count, uint64_t *values) {
  enum { MOST = 1 << 24 }; /* numbers of a message, which counts in int */
  const struct ad_mpi_exchange *x = context;
  if (is_whole(x)) {
    return AD_OK;
  }
  AD_TRY(check(x, "sums", count, 0, 0));
  for (size_t at = 0; at < count; at += MOST) {
    const size_t length = count - at < MOST ? count - at : MOST;
    MPI_Allreduce(MPI_IN_PLACE, values + at, (int)length, MPI_UINT64_T, MPI_SUM, x->comm->world);
  }
  return AD_OK;
}

/* Each owner's slices to one rank of every other node, which has them written where all ranks of its node read them. */
static int publish(void *context, size_t count, const struct ad_weights *vectors) {
  struct ad_mpi_exchange *x = context;
  const struct ad_comm *c = x->comm;
  if (is_whole(x)) {
    return AD_OK;
  }
  AD_TRY(check(x, "the new parameters", count, 0, 0));
  for (size_t i = 0; i < count * x->params->buckets && c->nodes > 1; i++) {
    const uint32_t b = (uint32_t)(i % x->params->buckets);
    float *theta = vectors[i / x->params->buckets].values;
    for (int owner = 0; owner < c->size; owner++) {
      size_t begin, end;
      ad_shard_range(x->params, b, (uint32_t)owner, (uint32_t)c->size, &begin, &end);
      if (owner == c->rank) {
        for (int node = 0; node < c->nodes; node++) {
          if (node != c->own_node) {
            AD_TRY(post(x, 1, theta + begin, end - begin, ad_comm_delegate(c, node, owner), AD_TAG_PUBLISH));
          }
        }
      } else if (c->node_of[owner] != c->own_node && ad_comm_delegate(c, c->own_node, owner) == c->rank) {
        AD_TRY(post(x, 0, theta + begin, end - begin, owner, AD_TAG_PUBLISH));
      }
    }
  }
  AD_TRY(wait_all(x));
  ad_shared_wait(&x->shared, c);
  return AD_OK;
}

static int wait(void *context) {
  const struct ad_mpi_exchange *x = context;
  ad_shared_wait(&x->shared, x->comm);
  return AD_OK;
}

/* The most partial sums any rank hands in. */
static size_t most_parts(const struct ad_mpi_exchange *x) {
  size_t most = 1;
  for (int r = 0; r < x->comm->size; r++) {
    struct ad_span parts[AD_MAX_PARTS];
    const size_t count = parts_of(x, r, parts);
    most = count > most ? count : most;
  }
  return most;
}

/* Memory of its own, and what the ranks of the node share. */
static int make_room(struct ad_mpi_exchange *x) {
  const struct ad_comm *comm = x->comm;
  const size_t pieces = (size_t)comm->size * x->parts, bytes = BOARD_BYTES + 2 * x->parts * x->floats * sizeof(float);
  x->pieces = ad_calloc(pieces, sizeof *x->pieces);
  x->scratch = ad_calloc(pieces, sizeof *x->scratch);
  if (comm->nodes > 1) {
    /* What publish has under way, of student and teacher; reductions have less. */
    void *array = NULL;
    AD_TRY(ad_reserve(&array, &x->request_capacity, 2 * x->params->buckets * (size_t)(comm->nodes + comm->size),
                      sizeof *x->requests));
    x->requests = array;
  }
  if (x->pieces == NULL || x->scratch == NULL) {
    return ad_fail_memory(2 * pieces * sizeof *x->pieces, "the exchange");
  }
  AD_TRY(reserve(x));
  AD_TRY(ad_shared_create(&x->shared, comm, bytes));
  struct board *board = board_of(x, comm->node_rank);
  atomic_init(&board->handed_in, 0);
  atomic_init(&board->done, 0);
  ad_shared_wait(&x->shared, comm); /* nobody reads a neighbour's board before */
  x->traffic.memory = bytes;
  return AD_OK;
}

static struct ad_exchange table_of(struct ad_mpi_exchange *x, int whole) {
  const struct ad_comm *comm = x->comm;
  return (struct ad_exchange){.context = x,
                              .rank = (uint32_t)comm->rank,
                              .size = (uint32_t)comm->size,
                              .shard = whole ? 0 : (uint32_t)comm->rank,
                              .shards = whole ? 1 : (uint32_t)comm->size,
                              .node_rank = (uint32_t)comm->node_rank,
                              .node_size = (uint32_t)comm->node_size,
                              .step_begin = step_begin,
                              .place = place,
                              .reduce_begin = reduce_begin,
                              .reduce_end = reduce_end,
                              .reduce_ready = reduce_ready,
                              .share = share,
                              .sum = sum,
                              .publish = publish,
                              .wait = wait};
}

int ad_mpi_exchange_create(struct ad_mpi_exchange **exchange, const struct ad_comm *comm,
                           const struct ad_kernels *kernels, const struct ad_params *params, size_t lanes,
                           size_t floats, int whole, enum ad_reduction reduction) {
  *exchange = NULL;
  if (AD_DEBUG) {
    AD_TRY(ad_comm_agree(comm, "an exchange's sizes", 5,
                         (size_t[]){params->count, lanes, floats, (size_t)whole, (size_t)reduction}));
  }
  if ((size_t)comm->size > lanes) {
    return ad_fail(AD_ECONFIG,
                   "%d ranks and batch.lanes=%zu: a lane is the least a rank can have; start at most %zu ranks",
                   comm->size, lanes, lanes);
  }
  struct ad_mpi_exchange *x = ad_calloc(1, sizeof *x);
  if (x == NULL) {
    return ad_fail_memory(sizeof *x, "the exchange");
  }
  /* Slots begin on cache lines. */
  *x = (struct ad_mpi_exchange){.comm = comm,
                                .params = params,
                                .kernels = kernels,
                                .reduction = reduction,
                                .lanes = lanes,
                                .floats = ad_whole_lines(floats)};
  x->parts = most_parts(x);
  x->table = table_of(x, whole);
  const int status = make_room(x);
  if (status != AD_OK) {
    ad_mpi_exchange_destroy(x);
    return status;
  }
  *exchange = x;
  return AD_OK;
}

void ad_mpi_exchange_destroy(struct ad_mpi_exchange *exchange) {
  if (exchange == NULL) {
    return;
  }
  ad_shared_destroy(&exchange->shared);
  ad_free(exchange->pieces);
  ad_free(exchange->scratch);
  ad_free(exchange->received);
  ad_free(exchange->requests);
  ad_free(exchange->whole);
  ad_free(exchange);
}

const struct ad_exchange *ad_mpi_exchange_table(const struct ad_mpi_exchange *exchange) {
  return &exchange->table;
}

struct ad_mpi_traffic ad_mpi_exchange_traffic(const struct ad_mpi_exchange *exchange) {
  struct ad_mpi_traffic traffic = exchange->traffic;
  traffic.memory += exchange->received_capacity * sizeof(float) + exchange->whole_capacity * sizeof(float);
  return traffic;
}
