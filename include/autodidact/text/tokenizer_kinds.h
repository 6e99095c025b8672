/* The registry of tokenizers. A kind is one line here and one folder, src/text/NAME/, which defines its table
 * (src/text/kind.h). From these lines comes the list of tables that a model's folder is looked up in. */
#ifndef AUTODIDACT_TEXT_TOKENIZER_KINDS_H
#define AUTODIDACT_TEXT_TOKENIZER_KINDS_H

/* X(name, type, file): which folders are of this kind. `type` is that of "model" in tokenizer.json. `file` holds the
 * vocabulary where there is no tokenizer.json. A type that is known decides; else a file that is there. A folder with
 * neither goes to the kind of the first line, which says what it expects. */
/* clang-format off */
#define AD_TOKENIZER_KINDS(X) \
  X(wordpiece, "WordPiece", "vocab.txt") \
  X(bpe, "BPE", "vocab.json") \
  X(unigram, "Unigram", "spiece.model")
/* clang-format on */

#endif
