/* The registry of architectures. An architecture is one line here and one folder, src/model/NAME/, which defines its
 * table (src/model/architecture.h). Which one a folder has, the model_type of its config.json says. */
#ifndef AUTODIDACT_MODEL_ARCHITECTURES_H
#define AUTODIDACT_MODEL_ARCHITECTURES_H

/* X(ID, name) */
/* clang-format off */
#define AD_ARCHITECTURES(X) \
  X(BERT, bert) \
  X(ROBERTA, roberta) \
  X(ELECTRA, electra) \
  X(DISTILBERT, distilbert) \
  X(MPNET, mpnet) \
  X(XLNET, xlnet)
/* clang-format on */

enum ad_architecture_id {
#define AD_ARCHITECTURE_ID(ID, name) AD_ARCHITECTURE_##ID,
  AD_ARCHITECTURES(AD_ARCHITECTURE_ID)
#undef AD_ARCHITECTURE_ID
      AD_ARCHITECTURE_COUNT
};

/* What people call it: "BERT". Static storage. */
const char *ad_architecture_title(enum ad_architecture_id id);

/* 1: its texts may have any length; the positions of a model's configuration are what this program has room for. */
int ad_architecture_any_length(enum ad_architecture_id id);

#endif
