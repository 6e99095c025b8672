/* The table of BERT. */
#include "bert.h"

#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"

/* --- Tensors --- */

#define LIST(field, name, rows, columns, init, treatment, part) \
  o->field = ad__tensor(list, &(struct ad__tensor_row){name, rows, columns, AD_INIT_##init, treatment, part});

static void list_embedding(struct ad__tensors *list, const struct ad_model_config *m, void *offsets) {
  struct bert_embedding_offsets *o = offsets;
  BERT_EMBEDDING(LIST)
}

static void list_layer(struct ad__tensors *list, const struct ad_model_config *m, uint32_t layer, void *offsets) {
  struct bert_layer_offsets *o = offsets;
  (void)layer;
  BERT_LAYER(LIST)
}

#undef LIST

static int check(const struct ad_model_config *m) {
  const struct {
    const char *name;
    uint32_t value;
  } sizes[] = {{"hidden_size", m->hidden},    {"num_attention_heads", m->heads},
               {"intermediate_size", m->ffn}, {"num_hidden_layers", m->layers},
               {"vocab_size", m->vocab},      {"max_position_embeddings", m->positions},
               {"type_vocab_size", m->types}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (sizes[i].value == 0) {
      return ad_fail(AD_ECONFIG, "model: %s is 0, expected at least 1", sizes[i].name);
    }
  }
  if (m->hidden % m->heads != 0) {
    return ad_fail(AD_ECONFIG, "model: hidden_size %u is not a multiple of num_attention_heads %u", m->hidden,
                   m->heads);
  }
  return AD_OK;
}

static int recognise(struct ad_model_config *m, ad_shape_of shape, void *context) {
  uint32_t word[2], position[2], type[2], up[2];
  AD_TRY(shape(context, "embeddings.word_embeddings.weight", word));
  AD_TRY(shape(context, "embeddings.position_embeddings.weight", position));
  AD_TRY(shape(context, "embeddings.token_type_embeddings.weight", type));
  for (char name[80]; m->layers < 100000; m->layers++) {
    snprintf(name, sizeof name, "encoder.layer.%u.intermediate.dense.weight", m->layers);
    AD_TRY(shape(context, name, up));
    if (up[0] == 0) {
      break;
    }
    m->ffn = up[0];
  }
  m->vocab = word[0];
  m->hidden = word[1];
  m->positions = position[0];
  m->types = type[0];
  return AD_OK;
}

/* --- Memory --- */

static void take(struct ad_encoder *e, void *own) {
  const struct ad_model_config *m = &e->params->config;
  const size_t T = e->token_rows, H = m->hidden, longest = T < m->positions ? T : m->positions;
  struct bert unused, *b = own == NULL ? &unused : own;
  b->embedded = ad__take(e, T * H);
  b->mean0 = ad__take(e, T);
  b->rstd0 = ad__take(e, T);
  b->attention_work = ad__take(e, ad_attention_work(longest, longest, H / m->heads));
  b->df = ad__take_gradient(e, m->ffn);
  b->dqkv = ad__take_gradient(e, 3 * H);
}

static void take_layer(struct ad_encoder *e, void *own, int last) {
  const size_t T = e->token_rows, M = last ? e->example_rows : T, H = e->params->config.hidden,
               F = e->params->config.ffn;
  struct bert_layer unused, *s = own == NULL ? &unused : own;
  s->qkv = ad__take(e, T * (last ? 2 : 3) * H);
  s->xc = last ? ad__take(e, M * H) : NULL;
  s->q = last ? ad__take(e, M * H) : s->qkv;
  s->context = ad__take(e, M * H);
  s->z1 = ad__take(e, M * H);
  s->y1 = ad__take(e, M * H);
  s->u = ad__take(e, M * F);
  s->g = ad__take(e, M * F);
  s->z2 = ad__take(e, M * H);
  s->mean1 = ad__take(e, M);
  s->rstd1 = ad__take(e, M);
  s->mean2 = ad__take(e, M);
  s->rstd2 = ad__take(e, M);
}

static size_t shapes(const struct ad_model_config *m, size_t list[AD_SHAPES][2]) {
  const size_t H = m->hidden, F = m->ffn, all[][2] = {{3 * H, H}, {2 * H, H}, {H, H}, {F, H}, {H, F}};
  memcpy(list, all, sizeof all);
  return sizeof all / sizeof *all;
}

/* --- Names --- */

static const struct ad__alias aliases[] = {
    {"LayerNorm.gamma", "LayerNorm.weight"}, {"LayerNorm.beta", "LayerNorm.bias"}, {NULL, NULL}};
static const char *const inside[] = {"embeddings.", "encoder.", NULL};
static const char *const buffers[] = {"embeddings.position_ids", "embeddings.token_type_ids", NULL};
static const struct ad__stranger strangers[] = {{"distilbert.", "DistilBERT"},
                                                {"transformer.layer.", "DistilBERT"},
                                                {"roberta.", "RoBERTa"},
                                                {"electra.", "ELECTRA"},
                                                {"albert.", "ALBERT"},
                                                {"deberta.", "DeBERTa"},
                                                {"mpnet.", "MPNet"},
                                                {"xlm-roberta.", "RoBERTa"},
                                                {NULL, NULL}};

const struct ad_architecture ad_architecture_bert = {
    .title = "BERT",
    .model_type = "bert",
    .class_name = "Bert",
    .form = {.second_type = 1},
    .parts = BERT_PARTS,
    .embedding_size = sizeof(struct bert_embedding_offsets),
    .layer_size = sizeof(struct bert_layer_offsets),
    .list_embedding = list_embedding,
    .list_layer = list_layer,
    .prefix = "bert.",
    .layer_prefix = "encoder.layer.",
    .pooler = {"pooler.dense.weight", "pooler.dense.bias"},
    .classifier = {"classifier.weight", "classifier.bias"},
    .aliases = aliases,
    .inside = inside,
    .buffers = buffers,
    .strangers = strangers,
    .keys = ad__bert_keys,
    .read_config = ad__bert_read_config,
    .write_config = ad__bert_write_config,
    .check = check,
    .recognise = recognise,
    .own_size = sizeof(struct bert),
    .layer_own_size = sizeof(struct bert_layer),
    .take = take,
    .take_layer = take_layer,
    .shapes = shapes,
    .work = ad__bert_work,
    .embed = ad__bert_embed,
    .forward = ad__bert_forward,
    .backward = ad__bert_backward,
    .embed_backward = ad__bert_embed_backward,
};
