/* Any numbers and any text as a schedule of snapshots: the count, the predecessor and the turns of the probe are those
 * that a walk over all steps finds. */
#include "fuzz.h"

#include "autodidact/store/snapshot.h"

enum { HEAD = 8, STEPS = 400 };

static void walk(const struct ad_snapshot_schedule *s, uint64_t every, size_t B) {
  uint64_t number = 0, previous = 0, turns = 0;
  for (uint64_t step = 0; step <= s->total; step++) {
    if (!ad_snapshot_due(s, step)) {
      continue;
    }
    size_t begin, count;
    demand(step == 0 || ad_snapshot_previous(s, step) == previous);
    ad_snapshot_probe_turn(s, step, every, B, &begin, &count);
    demand(count <= B && (begin < B || count == 0));
    turns += count;
    previous = step;
    number++;
  }
  demand(number == ad_snapshot_number(s) && !ad_snapshot_due(s, s->total + 1));
  demand(number < 2 || turns >= B);
}

void fuzz_input(const uint8_t *data, size_t size) {
  static const double growths[] = {0.0, 1.01, 1.5, 2.0, 1000.0, 0.5, -1.0, 1e308};
  struct ad_snapshot_schedule s;
  unsigned content;
  if (size < HEAD) {
    return;
  }
  const struct fuzz_part rest = {data + HEAD, size - HEAD};
  char *text = fuzz_text(rest);
  const uint64_t total = data[0] + 256 * (data[1] % 2), every = data[2] % 8 == 0 ? 0 : data[3] + 1,
                 dense = data[4] % 16;
  if (fuzz_accepted(ad_snapshot_schedule_create(&s, every, dense, growths[data[5] % 8], text, total % STEPS))) {
    walk(&s, data[6] + 1, data[7] % 32 + 1);
    ad_snapshot_schedule_destroy(&s);
  }
  if (fuzz_accepted(ad_snapshot_content_read(text, &content))) {
    demand(content > 0 && content < 32);
  }
  free(text);
}
