/* WordNet's data files (wndb(5WN)): "offset file-number type word-count ... | gloss"; lines that start with a space are
 * the licence. The text is the definition, the gloss up to its first example; the label is the lexicographer file's
 * number. */
#include <string.h>

#include "autodidact/base/status.h"
#include "reader.h"

static const char EXAMPLE[] = "; \"";

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* The definition: the gloss without examples and without spaces around it. */
static struct ad_text_span definition_of(struct ad_text_span gloss) {
  const char *example = memmem(gloss.data, gloss.size, EXAMPLE, strlen(EXAMPLE));
  if (example != NULL) {
    gloss.size = (size_t)(example - gloss.data);
  }
  while (gloss.size > 0 && gloss.data[0] == ' ') {
    gloss.data++;
    gloss.size--;
  }
  while (gloss.size > 0 && gloss.data[gloss.size - 1] == ' ') {
    gloss.size--;
  }
  return gloss;
}

static int next_wordnet(struct ad_reader *reader, struct ad_record *record) {
  struct ad_text_span line;
  do {
    const int status = reader->position >= reader->blank ? 0 : ad_reader_take_line(reader, &line);
    if (status <= 0) {
      return status;
    }
  } while (line.size > 0 && line.data[0] == ' ');
  /* Eight digits, a space, two digits, a space. */
  static const size_t NUMBER = 9, HEAD = 12;
  int well_formed = line.size >= HEAD;
  for (size_t i = 0; well_formed && i < HEAD; i++) {
    well_formed = i == NUMBER - 1 || i == HEAD - 1 ? line.data[i] == ' ' : is_digit(line.data[i]);
  }
  if (!well_formed) {
    return ad_reader_fail(reader, reader->begin,
                          "expected a synset: 8 digits, a space, 2 digits of the lexicographer file");
  }
  const char *bar = memmem(line.data, line.size, " | ", 3);
  if (bar == NULL) {
    return ad_reader_fail(reader, reader->begin, "the synset has no gloss after \" | \"");
  }
  const char *gloss = bar + 3;
  record->text = definition_of((struct ad_text_span){.data = gloss, .size = (size_t)(line.data + line.size - gloss)});
  AD_TRY(ad_reader_put_label(reader, (struct ad_text_span){.data = line.data + NUMBER, .size = 2}, record));
  record->position = reader->begin;
  return 1;
}

const struct ad_reader_format ad_reader_wordnet = {.next = next_wordnet};
