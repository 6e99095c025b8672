/* What often goes wrong with data, counted in what the readers have read. */
#ifndef AUTODIDACT_DATA_SURVEY_H
#define AUTODIDACT_DATA_SURVEY_H

#include "autodidact/data/dataset.h"

/* A class of fewer training examples gives a warning, and so does a share of unknown tokens from here on. */
enum { AD_SURVEY_FEW = 10 };
#define AD_SURVEY_UNKNOWN 0.01

/* Two examples with the same tokens are one to the model, whatever was cut off or is unknown to the vocabulary. */
struct ad_survey {
  size_t unknown_tokens, unknown_examples; /* the unknown token, and examples with one */
  size_t repeated;                         /* examples with the tokens of an earlier one of the split */
  size_t contradicted;                     /* and of these, those with another label */
  size_t in_train;                         /* examples of dev or test with the tokens of one of train; of train 0 */
};

/* Counts for all splits: data [AD_SPLITS], of which those without examples are passed over. AD_ENOMEM. */
int ad_survey_make(const struct ad_dataset *data, const struct ad_tokenizer *tokenizer,
                   struct ad_survey survey[AD_SPLITS]);

/* Appends them to `out` as lines for people, and logs a warning for each thing to look at. Besides these counts that is
 * a class of few examples, one that train lacks, and two whose names are alike. AD_ENOMEM. */
int ad_survey_report(const struct ad_descriptor *descriptor, const struct ad_dataset *data,
                     const struct ad_survey survey[AD_SPLITS], struct ad_buffer *out);

/* Logs the warning of unknown tokens alone, where the split has as many. */
void ad_survey_warn_unknown(const struct ad_dataset *dataset, enum ad_split split,
                            const struct ad_tokenizer *tokenizer);

#endif
