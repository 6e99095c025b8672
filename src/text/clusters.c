#include "clusters.h"

#include "cluster_table.h"
#include "pages_table.h"
#include "unicode.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The kinds as the table numbers them, and above them one further property. */
enum kind { OTHER, CR, LF, CONTROL, EXTEND, JOINER, SPACING, PREPEND, LEAD, VOWEL, TAIL, OPEN, CLOSED };
#define KIND 15u
#define FURTHER 112u
enum { PICTOGRAPH = 16, CONSONANT = 32, LINKER = 48, INNER = 64 };

/* What a cluster has had so far that decides whether it goes on. */
struct state {
  unsigned before; /* the last character's properties */
  int picture;     /* 1: a pictograph and what extends it; 2: a joiner behind them */
  int conjunct;    /* 1: a consonant and what extends it; 2: a linker among that */
};

static unsigned properties(uint32_t c) {
  const size_t run = ad_run_of(cluster_runs, COUNT(cluster_runs), CLUSTER_BITS, cluster_pages, c);
  return cluster_runs[run] & ((1u << CLUSTER_BITS) - 1);
}

/* Rules GB3 to GB8. */
static int joins_hangul(unsigned before, unsigned after) {
  switch (before) {
    case LEAD:
      return after == LEAD || after == VOWEL || after == OPEN || after == CLOSED;
    case OPEN:
    case VOWEL:
      return after == VOWEL || after == TAIL;
    case CLOSED:
    case TAIL:
      return after == TAIL;
    default:
      return 0;
  }
}

static int goes_on(const struct state *state, unsigned next) {
  const unsigned before = state->before & KIND, after = next & KIND;
  if (before == CR || before == LF || before == CONTROL) {
    return before == CR && after == LF;
  }
  if (after == CR || after == LF || after == CONTROL) {
    return 0;
  }
  return after == EXTEND || after == JOINER || after == SPACING || before == PREPEND || joins_hangul(before, after) ||
         ((next & FURTHER) == CONSONANT && state->conjunct == 2) ||
         ((next & FURTHER) == PICTOGRAPH && state->picture == 2);
}

/* The state behind a further character. */
static struct state follow(struct state state, unsigned next) {
  const unsigned kind = next & KIND, further = next & FURTHER;
  if (further == PICTOGRAPH) {
    state.picture = 1;
  } else if (kind == JOINER) {
    state.picture = state.picture == 1 ? 2 : 0;
  } else {
    state.picture = kind == EXTEND && state.picture == 1;
  }
  if (further == CONSONANT) {
    state.conjunct = 1;
  } else if (further == LINKER) {
    state.conjunct = state.conjunct != 0 ? 2 : 0;
  } else {
    state.conjunct = further == INNER ? state.conjunct : 0;
  }
  state.before = next;
  return state;
}

size_t ad_cluster_end(const char *text, size_t size, size_t start, int *single) {
  uint32_t c;
  size_t at = start + ad_utf8_read(text + start, size - start, &c);
  struct state state = follow((struct state){0}, properties(c));
  *single = 1;
  while (at < size) {
    const size_t bytes = ad_utf8_read(text + at, size - at, &c);
    const unsigned next = properties(c);
    if (!goes_on(&state, next)) {
      break;
    }
    state = follow(state, next);
    at += bytes;
    *single = 0;
  }
  return at;
}
