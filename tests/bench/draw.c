/* A model with new weights, of any architecture and size.
 *
 *     bench_draw FROM TO [SEED]
 *
 * FROM is a folder with config.json and a tokenizer, without weights; TO becomes a Hugging Face folder with both and
 * weights drawn from SEED (default 0). */
#include <stdio.h>
#include <stdlib.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/huggingface.h"

static int draw(const char *from, const char *to, uint64_t seed) {
  struct ad_model_config config;
  struct ad_names names = {0};
  struct ad_params params = {0};
  struct ad_tokenizer *tokenizer = NULL;
  float *theta = NULL;
  int status;
  AD_TRY_GOTO(ad_model_read_config(from, &config, &names), done);
  AD_TRY_GOTO(ad_tokenizer_load(&tokenizer, from), done);
  AD_TRY_GOTO(ad_model_draw(&config, seed, &params, &theta), done);
  AD_TRY_GOTO(ad_model_save(to, 0, &params, theta, tokenizer, NULL), done);
  printf("%zu parameters\n", params.count);
done:
  ad_free(theta);
  ad_params_destroy(&params);
  ad_tokenizer_destroy(tokenizer);
  ad_names_destroy(&names);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4) {
    fprintf(stderr, "usage: bench_draw FROM TO [SEED]\n");
    return 1;
  }
  const int status = draw(argv[1], argv[2], argc == 4 ? strtoull(argv[3], NULL, 10) : 0);
  if (status != AD_OK) {
    fprintf(stderr, "bench_draw: %s\n", ad_error_message());
  }
  return ad_status_exit_code(status);
}
