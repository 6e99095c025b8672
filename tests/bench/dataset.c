/* What reading a training split costs, as JSON: seconds and bytes a token.
 *
 *     bench_dataset DESCRIPTOR FILE MODEL|VOCAB LIMIT CACHE
 *
 * FILE in place of the descriptor's training file; CACHE an empty folder. Times are least of several. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"

enum { TIMES = 7 };

static int load_tokenizer(struct ad_tokenizer **tokenizer, const char *path) {
  if (ad_is_folder(path)) {
    return ad_tokenizer_load(tokenizer, path);
  }
  struct ad_buffer text = {0};
  int status = ad_file_read(path, &text);
  if (status == AD_OK) {
    status = ad_tokenizer_create(tokenizer, path, text.data == NULL ? "" : text.data, text.size, 0);
  }
  ad_buffer_destroy(&text);
  return status;
}

/* Resident bytes of this process that are its own. */
static size_t resident(void) {
  size_t pages = 0, shared = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (file != NULL) {
    if (fscanf(file, "%*s %zu %zu", &pages, &shared) != 2) {
      pages = shared = 0;
    }
    fclose(file);
  }
  return (pages - shared) * (size_t)sysconf(_SC_PAGESIZE);
}

static double seconds_of(struct ad_dataset *data, const struct ad_descriptor *d, const struct ad_read_options *options,
                         struct ad_tokenizer *tokenizer, int times, int *status) {
  double least = 1e9;
  for (int i = 0; i < times && *status == AD_OK; i++) {
    ad_dataset_destroy(data);
    const double start = ad_clock();
    *status = ad_dataset_read(data, d, AD_SPLIT_TRAIN, options, tokenizer);
    const double took = ad_clock() - start;
    least = took < least ? took : least;
  }
  return least;
}

static int run(char **argv) {
  struct ad_descriptor descriptor = {0};
  struct ad_tokenizer *tokenizer = NULL;
  struct ad_dataset data = {0};
  struct ad_read_options options = {.file = argv[2], .limit = strtoul(argv[4], NULL, 10), .labels = 1};
  int status;
  AD_TRY_GOTO(ad_descriptor_load(&descriptor, argv[1], "datasets"), done);
  AD_TRY_GOTO(load_tokenizer(&tokenizer, argv[3]), done);
  ad_memory_trim();
  const size_t before = resident();
  status = ad_dataset_read(&data, &descriptor, AD_SPLIT_TRAIN, &options, tokenizer);
  const size_t bytes = resident() - before;
  const double reading = seconds_of(&data, &descriptor, &options, tokenizer, TIMES, &status);
  options.cache = argv[5];
  seconds_of(&data, &descriptor, &options, tokenizer, 1, &status);
  const double mapping = seconds_of(&data, &descriptor, &options, tokenizer, TIMES, &status);
  if (status == AD_OK) {
    const double tokens = (double)data.offset[data.count];
    printf(
        "{\"examples\":%zu,\"tokens\":%.0f,\"read_seconds\":%.9f,\"cached_seconds\":%.9f,\"resident_bytes\":%zu,"
        "\"array_bytes\":%zu}\n",
        data.count, tokens, reading, mapping, bytes,
        (size_t)tokens * sizeof *data.ids + data.count * (sizeof *data.first + sizeof *data.label) +
            (data.count + 1) * sizeof *data.offset);
  }
done:
  ad_dataset_destroy(&data);
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&descriptor);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: bench_dataset DESCRIPTOR FILE MODEL|VOCAB LIMIT CACHE\n");
    return 1;
  }
  const int status = run(argv);
  if (status != AD_OK) {
    fprintf(stderr, "bench_dataset: %s\n", ad_error_message());
  }
  return ad_status_exit_code(status);
}
