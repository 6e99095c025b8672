/* The pipeline of a tokenizer.json, which all kinds read alike: its normalizer, pre-tokenizer and post-processor. Only
 * a declared subset is known (docs/tokenizers.md). Any other component, and any option that would change an id, is
 * refused by its name. Truth is tokenizers.Tokenizer.from_file of the version of tests/parity/truth.py. */
#ifndef AUTODIDACT_SRC_TEXT_PIPELINE_H
#define AUTODIDACT_SRC_TEXT_PIPELINE_H

#include "files.h"
#include "tokenizer.h"

struct ad_pipeline;

/* Reads "normalizer" and "pre_tokenizer" of `root`, an object like that of a tokenizer.json, into recipe->pipeline, and
 * "post_processor" into the recipe's frames, whose added tokens are known. `path` is for messages. bytes: 1 where the
 * kind takes the pieces of a ByteLevel as the bytes of the text; 0: as the characters that stand for these. AD_EINPUT
 * with file, key, what was found and expected; AD_ENOMEM. */
int ad_pipeline_read(struct ad_recipe *recipe, const char *path, const json_t *root, int bytes);
void ad_pipeline_destroy(struct ad_pipeline *pipeline);

/* What else a folder with a tokenizer.json says to a kind that follows it alone: the added tokens of that file; names
 * of special tokens, longest input and rows, from the files around it; and keeps these files (ad_recipe_keep). Warns of
 * keys of tokenizer.json that are not known. AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_pipeline_read_folder(struct ad_recipe *recipe, const struct ad_text_files *files);

/* Whether there is a normalizer; appends what it makes of a text. AD_ENOMEM. */
int ad_pipeline_normalizes(const struct ad_pipeline *pipeline);
int ad_pipeline_normalize(struct ad_pipeline *pipeline, const char *text, size_t size, struct ad_buffer *out);

/* Splits a normalised text [size bytes] by the pre-tokenizer, and hands the pieces, none empty, to `model`: a kind's
 * `encode` is this call. AD_ENOMEM, or what `model` returns. */
int ad_pipeline_encode(struct ad_tokenizer *tokenizer, const char *text, size_t size, ad_text_encoder *model,
                       struct ad_encoding *encoding);

/* Whether the pieces are bytes: there is a ByteLevel, and the kind takes its bytes. */
int ad_pipeline_gives_bytes(const struct ad_pipeline *pipeline);

/* The character that stands for a byte in tokens of ByteLevel. */
uint32_t ad_byte_char(unsigned char byte);

/* Adds the normalizer and the pre-tokenizer to a digest. */
uint64_t ad_pipeline_digest(const struct ad_pipeline *pipeline, uint64_t digest);

/* ---- Parts of it, for the files of the pipeline ---- */

enum ad_step_kind {
  AD_STEP_BERT,
  AD_STEP_BYTES,
  AD_STEP_METASPACE,
  AD_STEP_WHITE, /* WhitespaceSplit */
  AD_STEP_WORDS, /* Whitespace */
  AD_STEP_PUNCTUATION,
  AD_STEP_LITERAL /* Split */
};

/* What becomes of what a pattern matches. */
enum ad_behavior { AD_REMOVED, AD_ISOLATED, AD_MERGED_WITH_PREVIOUS, AD_MERGED_WITH_NEXT, AD_CONTIGUOUS };

struct ad_step {
  enum ad_step_kind kind;
  int prefix;                /* Metaspace, ByteLevel: 1 always, 0 never, -1 (Metaspace): of the first piece */
  int splits;                /* Metaspace: before each replacement; ByteLevel: by GPT-2's pattern */
  char replacement[5];       /* Metaspace: for a space; owned by itself */
  enum ad_behavior behavior; /* Punctuation, Split */
  int inverted;              /* Split: what does not match is taken for what does */
  char *pattern;             /* Split: a literal; owned */
  struct ad_buffer text;     /* work memory: the text of Metaspace and ByteLevel */
};

/* Takes a piece of a text; `first`: 1 where it begins the text. */
struct ad_piece_taker {
  int (*take)(const struct ad_piece_taker *taker, const char *piece, size_t size, int first);
};

/* Splits a text [size > 0 bytes] by a step, and hands the pieces, none empty, to `next`. `first`: 1 where it begins the
 * whole text. AD_ENOMEM, or what `next` returns. */
int ad_step_run(struct ad_step *step, const char *text, size_t size, int first, const struct ad_piece_taker *next);

/* Hands the pieces of GPT-2's pattern to `next`. */
int ad_split_bytes(const char *text, size_t size, const struct ad_piece_taker *next);

/* Reads a post-processor into the frames of a recipe: null is none. AD_EINPUT, AD_ENOMEM. */
int ad_frame_read(struct ad_recipe *recipe, const char *path, const json_t *processor);

/* ad_fail of a value other than the expected: file, key inside `where`, found, expected. */
int ad_pipeline_refuse(const char *path, const char *where, const char *key, const json_t *found, const char *expected);

/* The type of a component; "" where it has none. Refuses keys that are not listed (a space before and behind each): an
 * option that is not known may change ids. AD_EINPUT. */
const char *ad_component_type(const json_t *component);
int ad_component_check(const char *path, const char *where, const json_t *component, const char *listed);

#endif
