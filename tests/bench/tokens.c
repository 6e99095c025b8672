/* The token ids of a training split as this program reads it, for others to train on the very same.
 *
 *     bench_tokens DESCRIPTOR FOLDER MODEL|VOCAB LIMIT
 *
 * Prints a line for each example: its class, then its ids. FOLDER "" is the descriptor's own. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"

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

static void print(const struct ad_dataset *data) {
  for (size_t i = 0; i < data->count; i++) {
    printf("%" PRIu32, data->label[i]);
    for (size_t k = data->offset[i]; k < data->offset[i + 1]; k++) {
      printf(" %" PRIu32, data->ids[k]);
    }
    putchar('\n');
  }
}

static int run(char **argv) {
  struct ad_descriptor descriptor = {0};
  struct ad_tokenizer *tokenizer = NULL;
  struct ad_dataset data = {0};
  const struct ad_read_options options = {.folder = argv[2], .limit = strtoul(argv[4], NULL, 10), .labels = 1};
  int status;
  AD_TRY_GOTO(ad_descriptor_load(&descriptor, argv[1], AD_SOURCE_DATASETS), done);
  AD_TRY_GOTO(load_tokenizer(&tokenizer, argv[3]), done);
  AD_TRY_GOTO(ad_dataset_read(&data, &descriptor, AD_SPLIT_TRAIN, &options, tokenizer), done);
  print(&data);
done:
  ad_dataset_destroy(&data);
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&descriptor);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: bench_tokens DESCRIPTOR FOLDER MODEL|VOCAB LIMIT\n");
    return 1;
  }
  const int status = run(argv);
  if (status != AD_OK) {
    fprintf(stderr, "bench_tokens: %s\n", ad_error_message());
  }
  return ad_status_exit_code(status);
}
