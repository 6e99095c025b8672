/* ranks: 2 3 */
/* A program that runs MPI itself and lends its ranks: the last one trains alone while the others train together, with
 * the same bits. Nothing uses MPI_COMM_WORLD meanwhile, and all messages go to the program. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/mpi/caller.h"
#include "autodidact/mpi/runtime.h"
#include "autodidact/run/program.h"
#include "autodidact/run/training.h"
#include "check.h"

/* --- Every use of a communicator is looked at while the ranks are lent. */

static int lent;

static void look(MPI_Comm comm) {
  if (lent && comm == MPI_COMM_WORLD) {
    fprintf(stderr, "MPI_COMM_WORLD was used\n");
    PMPI_Abort(MPI_COMM_WORLD, 1);
  }
}

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *copy) {
  look(comm);
  return PMPI_Comm_dup(comm, copy);
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *part) {
  look(comm);
  return PMPI_Comm_split(comm, color, key, part);
}

int MPI_Comm_rank(MPI_Comm comm, int *rank) {
  look(comm);
  return PMPI_Comm_rank(comm, rank);
}

int MPI_Comm_size(MPI_Comm comm, int *size) {
  look(comm);
  return PMPI_Comm_size(comm, size);
}

/* --- */

struct heard {
  size_t messages, progress, errors;
};

static void hear(void *context, enum ad_log_level level, const char *text) {
  struct heard *heard = context;
  CHECK(text[0] != '\0' && strchr(text, '\n') == NULL);
  heard->messages++;
  heard->progress += level == AD_LOG_PROGRESS;
  heard->errors += level == AD_LOG_ERROR;
}

static void put(const char *name, const char *text) {
  CHECK(ad_file_write(name, text, strlen(text)) == AD_OK);
}

static void make_files(void) {
  put("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\nfilm\nplot\n");
  put("rows.tsv", "sentence\tlabel\ngood film\t1\nbad film\t0\ngood plot\t1\nbad plot\t0\nfilm good\t1\nplot bad\t0\n");
  put("tiny.yaml",
      "title: tiny\nsource: made by tests\nlicence: none\nformat: tsv\nheader: true\ncolumns: {text: sentence, label: "
      "label}\nlabels: {\"0\": bad, \"1\": good}\nclasses: [bad, good]\nsplits:\n  train: {file: rows.tsv}\n"
      "  dev: {file: rows.tsv}\n");
  put("config.yaml",
      "model: {vocab: vocab.txt, hidden: 8, heads: 2, ffn: 16, layers: 1, positions: 32}\n"
      "data: {descriptor: tiny.yaml, folder: ., max_tokens: 16}\n"
      "batch: {size: 6, lanes: 4}\ntrain: {epochs: 3}\noptim: {lr: 0.01}\n");
}

static void train(const struct ad_math *math, const char *dir) {
  char folder[80], file[] = "config.yaml", *words[] = {file, folder};
  struct ad_training *t;
  int more = 1;
  snprintf(folder, sizeof folder, "run.dir=%s", dir);
  CHECK(ad_training_create(&t, math, &(struct ad_training_frame){0}) == AD_OK);
  CHECK(ad_training_configure(t, 2, words) == AD_OK && ad_training_open(t) == AD_OK);
  while (more) {
    CHECK(ad_training_step(t, &more) == AD_OK);
  }
  CHECK(ad_training_finish(t) == AD_OK && ad_training_close(t, 0) == AD_OK);
}

static void test_refusals(MPI_Comm part) {
  struct ad_math *math;
  int rank, size;
  CHECK(ad_mpi_joined() == -1 && ad_program_join(&math) == AD_EINTERNAL && math == NULL);
  CHECK(ad_mpi_start_on(MPI_COMM_NULL, &rank, &size) == AD_EINTERNAL);
  CHECK(strstr(ad_error_message(), "MPI_COMM_NULL") != NULL);
  CHECK(ad_mpi_start_on(part, &rank, &size) == AD_OK);
  CHECK(ad_mpi_start_on(part, &rank, &size) == AD_EINTERNAL);
  CHECK(strstr(ad_error_message(), "started already") != NULL);
  ad_mpi_finish();
}

/* Twice, so that what was lent comes back. */
static void test_training(MPI_Comm part, int last, const char *dir) {
  struct heard heard = {0};
  struct ad_math *math;
  int rank, size, part_rank;
  CHECK(PMPI_Comm_rank(part, &part_rank) == MPI_SUCCESS);
  lent = 1;
  ad_log_to(hear, &heard);
  CHECK(ad_mpi_start_on(part, &rank, &size) == AD_OK);
  CHECK(rank == part_rank && ad_mpi_joined() == rank && (!last || size == 1));
  CHECK(ad_program_join(&math) == AD_OK);
  train(math, dir);
  CHECK(heard.errors == 0 && (rank == 0) == (heard.messages > heard.progress));
  CHECK(ad_program_end(AD_OK, math) == 0);
  ad_log_to(NULL, NULL);
  lent = 0;
}

int main(int argc, char **argv) {
  char folder[64] = "/tmp/ad-test-XXXXXX", command[200];
  int provided, rank, size;
  MPI_Comm part;
  CHECK(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) == MPI_SUCCESS);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  CHECK(rank != 0 || mkdtemp(folder) != NULL);
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  CHECK(chdir(folder) == 0);
  if (rank == 0) {
    make_files();
  }
  const int last = rank == size - 1;
  MPI_Comm_split(MPI_COMM_WORLD, last, rank, &part);
  test_refusals(part);
  test_training(part, last, last ? "alone" : "together");
  test_training(part, last, last ? "again-alone" : "again-together");
  MPI_Barrier(MPI_COMM_WORLD); /* MPI still runs */
  snprintf(command, sizeof command,
           "cmp alone/log.jsonl together/log.jsonl && cmp alone/log.jsonl again-together/log.jsonl && rm -rf %s",
           folder);
  CHECK(rank != 0 || system(command) == 0);
  CHECK(ad_memory_stats().live_blocks == 0);
  MPI_Comm_free(&part);
  return MPI_Finalize();
}
