/* The encoder's gradient against finite differences of its own forward, with dropout on: independent of any other
 * program, and what parity with PyTorch cannot check, as no other program has these masks.
 *
 * The loss is sum(logits * dlogits) with fixed random dlogits, added in double. Differences are of fourth order,
 *   f'(0) = [8 (f(h) - f(-h)) - (f(2h) - f(-2h))] / (12 h) + O(h^4),
 * so that h may be large: the float32 forward gives f to about 1e-6, hence f'(0) to about 1e-6 / h, and with h = 0.02
 * (a tenth of the weights' standard deviation) to about 5e-5, while the fourth-order error stays in that range for
 * functions as smooth as these. ReLU is not smooth; it is compared with PyTorch in test_parity.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"

enum { EXAMPLES = 5, LANES = 3, SAMPLE = 12 };

static const uint32_t LENGTHS[EXAMPLES] = {6, 1, 13, 4, 9};
static const double STEP = 0.02;

/* Relative to the scale of the gradient, four times what is expected at most. Of one parameter: 5e-5 (above) over an
 * RMS gradient of the tensor of 0.1 and more (SMALLEST_SCALE; asserted). Along a direction all entries of a tensor or
 * model take part: the derivative is of the size of the norm of the gradient, at least four times as large. */
static const double SAMPLE_TOLERANCE = 2e-3, DIRECTION_TOLERANCE = 5e-4, SMALLEST_SCALE = 0.1;

static const struct ad_model_config CONFIGS[] = {
    {.hidden = 24,
     .heads = 3,
     .ffn = 40,
     .layers = 2,
     .vocab = 19,
     .positions = 14,
     .types = 2,
     .classes = 3,
     .layer_norm_eps = 1e-12f,
     .hidden_dropout = 0.1f,
     .attention_dropout = 0.15f,
     .classifier_dropout = 0.2f,
     .activation = AD_ACTIVATION_GELU_ERF,
     .classifier = AD_CLASSIFIER_POOLER},
    {.hidden = 22,
     .heads = 2,
     .ffn = 27,
     .layers = 1,
     .vocab = 19,
     .positions = 14,
     .types = 2,
     .classes = 2,
     .layer_norm_eps = 1e-5f,
     .hidden_dropout = 0.3f,
     .attention_dropout = 0.0f,
     .classifier_dropout = 0.0f,
     .activation = AD_ACTIVATION_GELU_TANH,
     .classifier = AD_CLASSIFIER_CLS},
    {.hidden = 32,
     .heads = 1,
     .ffn = 16,
     .layers = 3,
     .vocab = 19,
     .positions = 14,
     .types = 2,
     .classes = 4,
     .layer_norm_eps = 1e-12f,
     .hidden_dropout = 0.0f,
     .attention_dropout = 0.4f,
     .classifier_dropout = 0.5f,
     .activation = AD_ACTIVATION_GELU_ERF,
     .classifier = AD_CLASSIFIER_CLS},
    /* Token 1 is padding, which is not counted; its embedding is trained here, unlike in a model from a folder. */
    {.architecture = AD_ARCHITECTURE_ROBERTA,
     .hidden = 22,
     .heads = 2,
     .ffn = 50,
     .layers = 2,
     .vocab = 19,
     .positions = 17,
     .types = 1,
     .classes = 7,
     .first_position = 2,
     .layer_norm_eps = 1e-5f,
     .hidden_dropout = 0.1f,
     .attention_dropout = 0.15f,
     .classifier_dropout = 0.3f,
     .activation = AD_ACTIVATION_GELU_ERF,
     .classifier = AD_CLASSIFIER_POOLER},
    {.architecture = AD_ARCHITECTURE_ELECTRA,
     .hidden = 20,
     .embedding = 11,
     .heads = 4,
     .ffn = 27,
     .layers = 2,
     .vocab = 19,
     .positions = 14,
     .types = 2,
     .classes = 6,
     .layer_norm_eps = 1e-12f,
     .hidden_dropout = 0.2f,
     .attention_dropout = 0.1f,
     .classifier_dropout = 0.25f,
     .activation = AD_ACTIVATION_GELU_ERF,
     .classifier = AD_CLASSIFIER_POOLER},
    {.architecture = AD_ARCHITECTURE_MPNET,
     .hidden = 22,
     .heads = 2,
     .ffn = 31,
     .layers = 2,
     .vocab = 19,
     .positions = 17,
     .classes = 11,
     .first_position = 2,
     .buckets = 32,
     .layer_norm_eps = 1e-12f,
     .hidden_dropout = 0.1f,
     .attention_dropout = 0.15f,
     .classifier_dropout = 0.1f,
     .activation = AD_ACTIVATION_GELU_ERF,
     .classifier = AD_CLASSIFIER_POOLER},
    /* Its own head has ReLU, which is not smooth. */
    {.architecture = AD_ARCHITECTURE_DISTILBERT,
     .hidden = 24,
     .heads = 2,
     .ffn = 30,
     .layers = 2,
     .vocab = 19,
     .positions = 14,
     .classes = 3,
     .layer_norm_eps = 1e-12f,
     .hidden_dropout = 0.15f,
     .attention_dropout = 0.1f,
     .classifier_dropout = 0.2f,
     .activation = AD_ACTIVATION_GELU_ERF,
     .classifier = AD_CLASSIFIER_CLS},
    {.architecture = AD_ARCHITECTURE_XLNET,
     .hidden = 24,
     .heads = 3,
     .ffn = 40,
     .layers = 2,
     .vocab = 19,
     .positions = 14,
     .types = 3,
     .classes = 3,
     .layer_norm_eps = 1e-12f,
     .hidden_dropout = 0.1f,
     .attention_dropout = 0.15f,
     .classifier_dropout = 0.2f,
     .activation = AD_ACTIVATION_GELU_ERF,
     .classifier = AD_CLASSIFIER_POOLER},
    {.architecture = AD_ARCHITECTURE_XLNET,
     .hidden = 22,
     .heads = 2,
     .ffn = 27,
     .layers = 1,
     .vocab = 19,
     .positions = 14,
     .types = 3,
     .classes = 2,
     .layer_norm_eps = 1e-5f,
     .hidden_dropout = 0.0f,
     .attention_dropout = 0.3f,
     .classifier_dropout = 0.0f,
     .activation = AD_ACTIVATION_GELU_TANH,
     .classifier = AD_CLASSIFIER_CLS},
    /* Masked-language heads: a vocabulary of two blocks, with a pooler that is kept; narrower embeddings; a bias by
     * distance. */
    {.hidden = 24,
     .heads = 3,
     .ffn = 40,
     .layers = 2,
     .vocab = AD_VOCABULARY_BLOCK + 70,
     .positions = 14,
     .types = 2,
     .layer_norm_eps = 1e-12f,
     .hidden_dropout = 0.1f,
     .attention_dropout = 0.15f,
     .activation = AD_ACTIVATION_GELU_TANH,
     .classifier = AD_CLASSIFIER_POOLER,
     .masked_lm = 1},
    {.architecture = AD_ARCHITECTURE_ELECTRA,
     .hidden = 20,
     .embedding = 11,
     .heads = 4,
     .ffn = 27,
     .layers = 1,
     .vocab = 19,
     .positions = 14,
     .types = 2,
     .layer_norm_eps = 1e-12f,
     .hidden_dropout = 0.2f,
     .attention_dropout = 0.1f,
     .activation = AD_ACTIVATION_GELU_ERF,
     .classifier = AD_CLASSIFIER_CLS,
     .masked_lm = 1},
    {.architecture = AD_ARCHITECTURE_MPNET,
     .hidden = 22,
     .heads = 2,
     .ffn = 31,
     .layers = 2,
     .vocab = 19,
     .positions = 17,
     .first_position = 2,
     .buckets = 32,
     .layer_norm_eps = 1e-12f,
     .hidden_dropout = 0.1f,
     .attention_dropout = 0.15f,
     .activation = AD_ACTIVATION_GELU_ERF,
     .classifier = AD_CLASSIFIER_CLS,
     .masked_lm = 1},
};
enum { CONFIG_COUNT = sizeof CONFIGS / sizeof *CONFIGS };

/* What a masked-language head reads here: no row of the second and of the fourth example. */
static const uint32_t READ[] = {0, 2, 5, 7, 8, 11, 15, 19, 28, 32};
static const size_t READ_LANE[LANES + 1] = {0, 3, 3, 10};
static const struct ad_reads READS = {sizeof READ / sizeof *READ, READ, READ_LANE};

struct problem {
  struct ad_params params;
  struct ad_packer packer;
  struct ad_batch batch;
  struct ad_encoder *encoder;
  struct ad_masks masks;
  float *theta, *moved, *gradient; /* [P] */
  size_t n;                        /* of all logits */
  float *logits, *dlogits;         /* [B,C] */
};

static double draw(uint32_t substream, size_t i) {
  return ad_random_normal(5, AD_STREAM_TEST, substream, i);
}

static void pack(struct problem *p) {
  size_t offset[EXAMPLES + 1] = {0};
  uint32_t ids[64], first[EXAMPLES], label[EXAMPLES] = {0}, order[EXAMPLES];
  for (uint32_t b = 0; b < EXAMPLES; b++) {
    offset[b + 1] = offset[b] + LENGTHS[b];
    first[b] = b % 2 == 0 ? (LENGTHS[b] + 1) / 2 : LENGTHS[b];
    order[b] = b;
  }
  for (size_t t = 0; t < offset[EXAMPLES]; t++) {
    ids[t] = (uint32_t)ad_random_below(5, AD_STREAM_TEST, 1, t, p->params.config.vocab);
  }
  const struct ad_dataset dataset = {.count = EXAMPLES, .offset = offset, .ids = ids, .first = first, .label = label};
  const size_t lane_begin[LANES + 1] = {0, 2, 2, EXAMPLES};
  assert_int_equal(ad_packer_create(&p->packer, &p->params.form, offset[EXAMPLES], EXAMPLES, LANES, 1), AD_OK);
  assert_int_equal(ad_packer_fill(&p->packer, &dataset, order, LANES, lane_begin, NULL, &p->batch), AD_OK);
}

/* Of weights. No layer norm stands between XLNet's words and its scores, where all its terms must tell. */
static double deviation_of(const struct problem *p, const struct ad_tensor *tensor) {
  const int of_scores = strstr(tensor->name, "rel_attn") != NULL && strstr(tensor->name, "norm") == NULL;
  return p->params.config.architecture != AD_ARCHITECTURE_XLNET ? 0.2
         : tensor->row_blocked                                  ? 2.0
         : of_scores                                            ? 0.4
                                                                : 0.2;
}

static void create(struct problem *p, const struct ad_model_config *config) {
  *p = (struct problem){.masks = {.seed = 0x123456789abcdefu, .step = 17, .pass = 1}};
  assert_int_equal(ad_params_create(&p->params, config), AD_OK);
  pack(p);
  p->batch.reads = config->masked_lm ? &READS : NULL;
  const size_t reads = config->masked_lm ? READS.count : EXAMPLES;
  assert_int_equal(ad_encoder_create(&p->encoder, test_math, &p->params, p->batch.tokens, reads, LANES, 1), AD_OK);
  const size_t P = p->params.count, n = reads * ad_model_logits(config);
  p->n = n;
  p->theta = calloc(P, sizeof *p->theta);
  p->moved = calloc(P, sizeof *p->moved);
  p->gradient = calloc(P, sizeof *p->gradient);
  p->logits = calloc(n, sizeof *p->logits);
  p->dlogits = calloc(n, sizeof *p->dlogits);
  for (size_t i = 0; i < p->params.tensor_count; i++) {
    const struct ad_tensor *tensor = &p->params.tensors[i];
    const double mean = tensor->init == AD_INIT_ONE ? 1.0 : 0.0, deviation = deviation_of(p, tensor);
    for (size_t k = tensor->offset; k < tensor->offset + tensor->count; k++) {
      p->theta[k] = (float)(mean + deviation * draw(2, k));
    }
  }
  for (size_t i = 0; i < n; i++) {
    p->dlogits[i] = (float)draw(3, i);
  }
  assert_int_equal(ad_encoder_forward(p->encoder, ad_replica_float32(p->theta), &p->batch, &p->masks, p->logits),
                   AD_OK);
  assert_int_equal(
      ad_encoder_gradient(p->encoder, ad_replica_float32(p->theta), &p->batch, &p->masks, p->dlogits, p->gradient),
      AD_OK);
}

static void destroy(struct problem *p) {
  ad_encoder_destroy(p->encoder);
  ad_packer_destroy(&p->packer);
  ad_params_destroy(&p->params);
  free(p->theta);
  free(p->moved);
  free(p->gradient);
  free(p->logits);
  free(p->dlogits);
}

static double loss_at(struct problem *p, const float *theta, const struct ad_masks *masks) {
  assert_int_equal(ad_encoder_forward(p->encoder, ad_replica_float32(theta), &p->batch, masks, p->logits), AD_OK);
  double loss = 0.0;
  for (size_t i = 0; i < p->n; i++) {
    loss += (double)p->logits[i] * p->dlogits[i];
  }
  return loss;
}

/* The derivative along a direction that lives in [begin, end). The points visited are rounded to float32: an error of
 * 1e-8 / STEP in the direction, far below the tolerance. */
static double derivative(struct problem *p, size_t begin, size_t end, const double *direction) {
  double sum = 0.0;
  const double at[] = {1.0, -1.0, 2.0, -2.0}, weight[] = {8.0, -8.0, -1.0, 1.0};
  memcpy(p->moved, p->theta, p->params.count * sizeof *p->moved);
  for (size_t i = 0; i < 4; i++) {
    for (size_t k = begin; k < end; k++) {
      p->moved[k] = (float)(p->theta[k] + at[i] * STEP * direction[k - begin]);
    }
    sum += weight[i] * loss_at(p, p->moved, &p->masks);
  }
  return sum / (12.0 * STEP);
}

/* The scale of a tensor's gradient: RMS of its entries. The gradient of a key bias is zero for any loss, as it adds one
 * number to all scores of a softmax row (probabilities are dropped after the softmax), so its scale is the one of the
 * query bias beside it. XLNet's biases of distances and segments, and its segments, add to scores what differs little
 * along the row: theirs is that of the queries' weight. */
static double scale_of(const struct problem *p, const struct ad_tensor *tensor) {
  static const char *const beside[][2] = {
      {"r_r_bias", "q"}, {"r_s_bias", "q"}, {"seg_embed", "q"}, {"rel_attn.r", "rel_attn.q"}};
  char name[sizeof tensor->name];
  tensor = fixture_is_key_bias(tensor) ? tensor - 1 : tensor;
  for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
    const size_t length = strlen(tensor->name), tail = strlen(beside[i][0]);
    if (length > tail && strcmp(tensor->name + length - tail, beside[i][0]) == 0) {
      snprintf(name, sizeof name, "%.*s%s", (int)(length - tail), tensor->name, beside[i][1]);
      tensor = ad_params_find(&p->params, name);
    }
  }
  return norm(tensor->count, p->gradient + tensor->offset) / sqrt((double)tensor->count);
}

/* Whether a tensor is one that no forward reads: its gradient is zero. */
static int is_unread(const struct problem *p, const struct ad_tensor *tensor) {
  const int unread = fixture_is_unread(tensor) || (p->params.config.masked_lm && tensor->optional);
  for (size_t k = 0; unread && k < tensor->count; k++) {
    assert_true(p->gradient[tensor->offset + k] == 0.0f);
  }
  return unread;
}

static int differs(double got, double expected, double scale, double tolerance, const char *name, const char *what) {
  const double error = fabs(got - expected) / scale;
  if (!(error <= tolerance)) {
    print_error("%s, %s: gradient %.7g, by differences %.7g (%.2g of %.2g, allowed %.2g)\n", name, what, got, expected,
                error, scale, tolerance);
    return 1;
  }
  return 0;
}

static void test_parameters(void **state) {
  (void)state;
  int failures = 0;
  for (size_t c = 0; c < CONFIG_COUNT; c++) {
    struct problem p;
    create(&p, &CONFIGS[c]);
    for (size_t i = 0; i < p.params.tensor_count; i++) {
      const struct ad_tensor *tensor = &p.params.tensors[i];
      const double scale = scale_of(&p, tensor), one = 1.0;
      if (is_unread(&p, tensor)) {
        continue;
      }
      if (!(scale > SMALLEST_SCALE)) {
        fail_msg("%s: a gradient of scale %g", tensor->name, scale);
      }
      for (uint32_t k = 0; k < SAMPLE; k++) {
        const size_t at = tensor->offset + ad_random_below(5, AD_STREAM_TEST, 4, i * SAMPLE + k, tensor->count);
        failures += differs(p.gradient[at], derivative(&p, at, at + 1, &one), scale, SAMPLE_TOLERANCE, tensor->name,
                            "one parameter");
      }
    }
    destroy(&p);
  }
  assert_int_equal(failures, 0);
}

/* Along a random direction of unit length in a tensor, or in all (NULL): every parameter takes part. Returns 1 where it
 * differs. */
static int check_direction(struct problem *p, const struct ad_tensor *tensor, uint32_t number) {
  const size_t begin = tensor == NULL ? 0 : tensor->offset,
               end = tensor == NULL ? p->params.count : begin + tensor->count;
  double *direction = calloc(end - begin, sizeof *direction);
  double length = 0.0, slope = 0.0;
  for (size_t k = begin; k < end; k++) {
    /* Signs follow the gradient: the slope is then of the size of its norm, and no terms cancel. */
    direction[k - begin] = copysign(draw(10 + number, k), p->gradient[k]);
    length += direction[k - begin] * direction[k - begin];
  }
  for (size_t k = begin; k < end; k++) {
    direction[k - begin] /= sqrt(length);
    slope += direction[k - begin] * p->gradient[k];
  }
  const double of_all = norm(end - begin, p->gradient + begin);
  const double scale = tensor == NULL ? of_all : fmax(of_all, scale_of(p, tensor) * sqrt((double)tensor->count));
  const double expected = derivative(p, begin, end, direction);
  const int failed =
      differs(slope, expected, scale, DIRECTION_TOLERANCE, tensor == NULL ? "all" : tensor->name, "direction");
  free(direction);
  return failed;
}

static void test_directions(void **state) {
  (void)state;
  int failures = 0;
  for (size_t c = 0; c < CONFIG_COUNT; c++) {
    struct problem p;
    create(&p, &CONFIGS[c]);
    for (uint32_t n = 0; n < 8; n++) {
      failures += check_direction(&p, NULL, n);
    }
    for (size_t i = 0; i < p.params.tensor_count; i++) {
      const struct ad_tensor *tensor = &p.params.tensors[i];
      if (!fixture_is_key_bias(tensor) && !is_unread(&p, tensor)) { /* zero in every direction: test_parameters */
        failures += check_direction(&p, tensor, 0);
      }
    }
    destroy(&p);
  }
  assert_int_equal(failures, 0);
}

/* That the masks are there, fixed, and named by seed, step and pass: else the tests above would test no dropout. */
static void test_masks(void **state) {
  (void)state;
  for (size_t c = 0; c < CONFIG_COUNT; c++) {
    struct problem p;
    create(&p, &CONFIGS[c]);
    const double loss = loss_at(&p, p.theta, &p.masks);
    assert_true(loss_at(&p, p.theta, &p.masks) == loss);
    struct ad_masks other[] = {p.masks, p.masks, p.masks};
    other[0].seed ^= 1;
    other[1].step++;
    other[2].pass = 2;
    for (size_t i = 0; i < 3; i++) {
      assert_true(fabs(loss_at(&p, p.theta, &other[i]) - loss) > 1e-3);
    }
    assert_true(fabs(loss_at(&p, p.theta, NULL) - loss) > 1e-3);
    destroy(&p);
  }
}

/* A sink into memory of its own, bucket by bucket, that writes NaN into all spare memory as soon as it is offered. */
struct spoiler {
  struct problem *p;
  float *bucket[16];
  size_t spare;     /* floats offered so far */
  const float *end; /* of them */
};

static float *spoiler_place(void *context, uint32_t bucket, size_t part) {
  (void)part;
  return ((struct spoiler *)context)->bucket[bucket];
}

static int spoiler_done(void *context, uint32_t bucket) {
  struct spoiler *s = context;
  size_t count;
  /* The layer whose two buckets are done, attention last; or the one above. */
  float *begin = ad_encoder_spare(s->p->encoder, bucket, &count);
  assert_true(count >= s->spare && (s->end == NULL || begin + count == s->end));
  s->spare = count;
  s->end = begin == NULL ? NULL : begin + count;
  for (size_t i = 0; i < count; i++) {
    begin[i] = NAN;
  }
  return AD_OK;
}

/* What the encoder calls spare is not read again: neither by the rest of the backward nor by the next step. */
static void test_spare(void **state) {
  (void)state;
  for (size_t c = 0; c < CONFIG_COUNT; c++) {
    struct problem p;
    create(&p, &CONFIGS[c]);
    const size_t B = p.params.buckets, H = p.params.config.hidden, F = p.params.config.ffn, T = p.batch.tokens;
    const struct ad_span whole = {0, LANES};
    struct spoiler s = {.p = &p};
    struct ad_rows rows;
    assert_true(B <= sizeof s.bucket / sizeof *s.bucket);
    for (size_t b = 0; b < B; b++) {
      s.bucket[b] = calloc(p.params.bucket_begin[b + 1] - p.params.bucket_begin[b], sizeof(float));
    }
    assert_int_equal(ad_rows_create(&rows, p.params.config.vocab), AD_OK);
    ad_rows_fill(&rows); /* compact is flat */
    const struct ad_gradient_sink sink = {
        .context = &s, .part = &whole, .parts = 1, .place = spoiler_place, .done = spoiler_done};
    for (int step = 0; step < 2; step++) {
      s.spare = 0;
      s.end = NULL;
      assert_int_equal(ad_encoder_forward(p.encoder, ad_replica_float32(p.theta), &p.batch, &p.masks, p.logits), AD_OK);
      assert_null(ad_encoder_spare(p.encoder, p.params.buckets - 1, &s.spare));
      assert_int_equal(s.spare, 0);
      assert_int_equal(
          ad_encoder_backward(p.encoder, ad_replica_float32(p.theta), &p.batch, &p.masks, p.dlogits, &rows, &sink),
          AD_OK);
      /* All layers but the last keep 8 H + 2 F floats a token, and that one keys and values. */
      assert_true(s.spare >= T * ((p.params.config.layers - 1) * (8 * H + 2 * F) + 2 * H));
      for (size_t b = 0; b < B; b++) {
        const size_t begin = p.params.bucket_begin[b], count = p.params.bucket_begin[b + 1] - begin;
        assert_memory_equal(s.bucket[b], p.gradient + begin, count * sizeof(float));
      }
    }
    for (size_t b = 0; b < B; b++) {
      free(s.bucket[b]);
    }
    ad_rows_destroy(&rows);
    destroy(&p);
  }
}

/* A head that reads the rows of all tokens gives those of [CLS] the bits that they have alone. */
static void test_reads(void **state) {
  (void)state;
  for (size_t c = 0; c < CONFIG_COUNT; c++) {
    if (CONFIGS[c].architecture == AD_ARCHITECTURE_XLNET || CONFIGS[c].masked_lm) {
      continue;
    }
    struct problem p;
    create(&p, &CONFIGS[c]);
    const size_t C = CONFIGS[c].classes, T = p.batch.tokens;
    uint32_t row[64];
    size_t lane[LANES + 1];
    struct ad_encoder *encoder;
    float *logits = calloc(T * C, sizeof *logits);
    for (uint32_t t = 0; t < T; t++) {
      row[t] = t;
    }
    for (size_t w = 0; w <= LANES; w++) {
      lane[w] = p.batch.offset[p.batch.lane_example[w]];
    }
    const struct ad_reads reads = {T, row, lane};
    struct ad_batch batch = p.batch;
    batch.reads = &reads;
    assert_int_equal(ad_encoder_create(&encoder, test_math, &p.params, T, T, LANES, 0), AD_OK);
    assert_int_equal(ad_encoder_forward(encoder, ad_replica_float32(p.theta), &batch, NULL, logits), AD_OK);
    loss_at(&p, p.theta, NULL);
    /* Elsewhere the bits depend on the number of the row, which differs. */
    for (size_t b = 0; b < EXAMPLES && ad_encoder_alignment(test_math, &p.params) == 1; b++) {
      assert_memory_equal(p.logits + b * C, logits + p.batch.offset[b] * C, C * sizeof *logits);
    }
    row[T - 1] = row[T - 2];
    assert_int_equal(ad_encoder_forward(encoder, ad_replica_float32(p.theta), &batch, NULL, logits), AD_EINTERNAL);
    assert_int_equal(ad_encoder_forward(p.encoder, ad_replica_float32(p.theta), &batch, NULL, logits), AD_EINTERNAL);
    ad_encoder_destroy(encoder);
    free(logits);
    destroy(&p);
  }
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parameters), cmocka_unit_test(test_directions), cmocka_unit_test(test_masks),
      cmocka_unit_test(test_spare),      cmocka_unit_test(test_reads),
  };
  return cmocka_run_group_tests_name(kernels, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
