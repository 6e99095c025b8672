/* The gradient with bfloat16 operands against float32's: relative errors by layer and kind of tensor.
 *
 *     bench_precision DESCRIPTOR FOLDER MODEL [EXAMPLES [LIMIT]]
 *
 * The first EXAMPLES (default 256) of the training split, in batches of 16, texts cut at LIMIT (default 128) tokens;
 * the mean cross entropy's gradient at MODEL's parameters, its classifier drawn where it has none, without dropout.
 * FOLDER "" is the descriptor's own. An error is the norm of the difference over the norm of float32's gradient, of all
 * tensors of a row together; the cosine is that of the two. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"
#include "autodidact/model/encoder.h"
#include "autodidact/model/huggingface.h"

enum { BATCH = 16, KINDS = 3 };
static const char *const KIND_NAMES[KINDS] = {"matrices", "biases", "layer norms"};

struct precision {
  struct ad_math *math, bf16;
  struct ad_dataset data;
  struct ad_params params;
  struct ad_packer packer;
  float *theta, *logits, *dlogits, *loss, *batch_gradient;
  float *gradient[2]; /* float32, bfloat16: means over the batches */
  ad_bf16 *packed;
};

static int make_memory(struct precision *p, size_t tokens) {
  const size_t P = p->params.count, C = p->params.config.classes;
  p->logits = ad_calloc(BATCH * C, sizeof *p->logits);
  p->dlogits = ad_calloc(BATCH * C, sizeof *p->dlogits);
  p->loss = ad_calloc(BATCH, sizeof *p->loss);
  p->batch_gradient = ad_calloc(P, sizeof *p->batch_gradient);
  p->gradient[0] = ad_calloc(P, sizeof **p->gradient);
  p->gradient[1] = ad_calloc(P, sizeof **p->gradient);
  p->packed = ad_calloc(ad_weights_packed(&p->bf16, &p->params), sizeof *p->packed);
  if (p->logits == NULL || p->dlogits == NULL || p->loss == NULL || p->batch_gradient == NULL ||
      p->gradient[0] == NULL || p->gradient[1] == NULL || p->packed == NULL) {
    return ad_fail_memory(3 * P * sizeof(float), "the gradients");
  }
  return ad_packer_create(&p->packer, &p->params.form, tokens, BATCH, 1, 1);
}

/* Adds a batch's gradient to `sum`. */
static int add_batch(struct precision *p, struct ad_encoder *encoder, struct ad_replica theta, size_t first,
                     size_t count, float *sum) {
  const size_t lane[] = {0, count}, C = p->params.config.classes;
  uint32_t ids[BATCH], labels[BATCH];
  struct ad_batch batch;
  for (size_t b = 0; b < count; b++) {
    ids[b] = (uint32_t)(first + b);
    labels[b] = p->data.label[first + b];
  }
  AD_TRY(ad_packer_fill(&p->packer, &p->data, ids, 1, lane, NULL, &batch));
  AD_TRY(ad_encoder_forward(encoder, theta, &batch, NULL, p->logits));
  p->math->kernels->cross_entropy(count, C, p->logits, labels, 1.0f / (float)count, p->loss, p->dlogits);
  AD_TRY(ad_encoder_gradient(encoder, theta, &batch, NULL, p->dlogits, p->batch_gradient));
  p->math->kernels->add(p->params.count, sum, p->batch_gradient);
  return AD_OK;
}

static int differentiate(struct precision *p, const struct ad_math *math, size_t tokens, size_t examples, float *sum) {
  struct ad_weights theta = ad_weights_of(math, p->theta, p->packed, 1);
  struct ad_encoder *encoder;
  int status = AD_OK;
  ad_weights_pack(&theta, &p->params, 0, 1);
  AD_TRY(ad_encoder_create(&encoder, math, &p->params, tokens, BATCH, 1, 1));
  for (size_t first = 0; first < examples && status == AD_OK; first += BATCH) {
    const size_t count = examples - first < BATCH ? examples - first : BATCH;
    status = add_batch(p, encoder, ad_weights_replica(&theta), first, count, sum);
  }
  ad_encoder_destroy(encoder);
  return status;
}

static int kind_of(const struct ad_tensor *t) {
  return !t->vector ? 0 : strstr(t->name, "orm") != NULL ? 2 : 1;
}

/* Sums of one row of the table. */
struct row {
  double squares[2], product, difference;
};

static void add_tensor(const struct precision *p, const struct ad_tensor *t, struct row *row) {
  for (size_t i = t->offset; i < t->offset + t->count; i++) {
    const double a = (double)p->gradient[0][i], b = (double)p->gradient[1][i];
    row->squares[0] += a * a;
    row->squares[1] += b * b;
    row->product += a * b;
    row->difference += (a - b) * (a - b);
  }
}

static void print_row(const char *name, const struct row *rows, size_t count) {
  printf("%-12s", name);
  for (size_t k = 0; k < count; k++) {
    const struct row *r = &rows[k];
    if (r->squares[0] > 0.0) {
      printf("%14.4f %9.6f", sqrt(r->difference / r->squares[0]), r->product / sqrt(r->squares[0] * r->squares[1]));
    } else {
      printf("%14s %9s", "-", "-");
    }
  }
  putchar('\n');
}

static void print_table(const struct precision *p) {
  struct row all = {0};
  printf("%-12s", "layer");
  for (size_t k = 0; k < KINDS; k++) {
    printf("%14s %9s", KIND_NAMES[k], "cosine");
  }
  putchar('\n');
  for (uint32_t layer = 0; layer < p->params.config.layers + 2; layer++) {
    struct row rows[KINDS] = {{{0}, 0, 0}};
    char name[16];
    for (size_t i = 0; i < p->params.tensor_count; i++) {
      const struct ad_tensor *t = &p->params.tensors[i];
      if (t->layer == layer) {
        add_tensor(p, t, &rows[kind_of(t)]);
        add_tensor(p, t, &all);
      }
    }
    snprintf(name, sizeof name, "%u", layer);
    print_row(layer == 0 ? "embeddings" : layer > p->params.config.layers ? "head" : name, rows, KINDS);
  }
  print_row("all", &all, 1);
}

static int run(struct precision *p, int argc, char **argv) {
  struct ad_descriptor descriptor = {0};
  struct ad_tokenizer *tokenizer = NULL;
  const struct ad_read_options options = {
      .folder = argv[2], .limit = argc > 5 ? strtoul(argv[5], NULL, 10) : 128, .labels = 1};
  struct ad_model_options model = {.classifier = AD_CLASSIFIER_CLS, .head = AD_HEAD_AUTO};
  size_t examples = argc > 4 ? strtoul(argv[4], NULL, 10) : 256, tokens;
  int status;
  AD_TRY_GOTO(ad_math_create(&p->math), done);
  AD_TRY_GOTO(ad_math_bfloat16(&p->bf16, p->math), done);
  AD_TRY_GOTO(ad_descriptor_load(&descriptor, argv[1], AD_SOURCE_DATASETS), done);
  AD_TRY_GOTO(ad_tokenizer_load(&tokenizer, argv[3]), done);
  AD_TRY_GOTO(ad_dataset_read(&p->data, &descriptor, AD_SPLIT_TRAIN, &options, tokenizer), done);
  model.classes = (uint32_t)descriptor.class_count;
  AD_TRY_GOTO(ad_model_load(argv[3], &model, &p->params, &p->theta, NULL), done);
  AD_TRY_GOTO(ad_dataset_most_tokens(&p->data, BATCH, &tokens), done);
  AD_TRY_GOTO(make_memory(p, tokens), done);
  examples = examples < p->data.count ? examples : p->data.count;
  AD_TRY_GOTO(differentiate(p, p->math, tokens, examples, p->gradient[0]), done);
  AD_TRY_GOTO(differentiate(p, &p->bf16, tokens, examples, p->gradient[1]), done);
  printf("%zu examples; relative error of the gradient with bfloat16, and its cosine with float32's\n", examples);
  print_table(p);
done:
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&descriptor);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 4 || argc > 6) {
    fprintf(stderr, "usage: bench_precision DESCRIPTOR FOLDER MODEL [EXAMPLES [LIMIT]]\n");
    return 1;
  }
  struct precision p = {0};
  const int status = run(&p, argc, argv);
  if (status != AD_OK) {
    fprintf(stderr, "bench_precision: %s\n", ad_error_message());
  }
  float *all[] = {p.theta, p.logits, p.dlogits, p.loss, p.batch_gradient, p.gradient[0], p.gradient[1]};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    ad_free(all[i]);
  }
  ad_free(p.packed);
  ad_packer_destroy(&p.packer);
  ad_params_destroy(&p.params);
  ad_dataset_destroy(&p.data);
  ad_math_bfloat16_destroy(&p.bf16);
  ad_math_destroy(p.math);
  return ad_status_exit_code(status);
}
