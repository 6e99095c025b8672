/* autodidact verify: a run compared with its own digests, and some of its steps trained again. */
#include <stdint.h>
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "autodidact/run/replay.h"
#include "commands.h"

/* Prints findings from number `from` on. */
static void print_findings(const struct ad_verification *v, size_t from) {
  size_t width = 9;
  for (size_t i = 0; i < v->count; i++) {
    width = ad_text_widest(width, ad_shown(v->items[i].subject));
  }
  for (size_t i = from; i < v->count; i++) {
    const struct ad_finding *f = &v->items[i];
    const char *subject = ad_shown(f->subject);
    printf("  %-8s  %s%*s  %s\n", f->good ? "ok" : "WRONG", subject, ad_text_fill(subject, width), "",
           ad_shown(f->text));
  }
  ad_ignore(fflush(stdout));
}

static void print_changes(const struct ad_differences *changes) {
  for (size_t i = 0; i < changes->count; i++) {
    const struct ad_difference *d = &changes->items[i];
    printf("  changed   %s was %s, is %s\n", ad_shown(d->name), d->text[0] == NULL ? "(nothing)" : ad_shown(d->text[0]),
           d->text[1] == NULL ? "(nothing)" : ad_shown(d->text[1]));
  }
}

/* The verdict on rank 0 decides on all. */
static int conclude(const char *run, const struct ad_verification *f) {
  if (f->bad == 0) {
    printf("all %zu good\n", f->count);
    return AD_OK;
  }
  size_t first = 0;
  while (f->items[first].good) {
    first++;
  }
  printf("%zu of %zu wrong\n", f->bad, f->count);
  ad_ignore(fflush(stdout));
  return ad_fail(AD_EINPUT, "%s: %zu of %zu wrong, the first is %s: %.600s", run, f->bad, f->count,
                 f->items[first].subject, f->items[first].text);
}

static int verify(struct ad_replay *r, const char *run, uint64_t steps, uint64_t from) {
  const struct ad_verification *f = ad_replay_findings(r);
  const size_t files = f->count;
  if (ad_replay_is_first(r)) {
    printf("%s: %s, %zu steps\n", ad_shown(run), f->finished ? "a finished run" : "an unfinished run",
           f->log.step_count);
    print_findings(f, 0);
  }
  if (steps > 0) {
    AD_TRY(ad_replay_prepare(r, steps, from));
    print_changes(ad_replay_changes(r));
    AD_TRY(ad_replay_steps(r));
    if (ad_replay_is_first(r)) {
      print_findings(f, files);
    }
  }
  return ad_replay_settle(r, ad_replay_is_first(r) ? conclude(run, f) : AD_OK);
}

int ad_command_verify(const struct ad_math *math, int argc, char **argv) {
  const char *steps = NULL, *from = NULL;
  const struct argument options[] = {
      {"replay", "N", "Train N steps again, in memory, and compare each with the log to the bit", NULL, &steps},
      {"from", "STEP",
       "Begin the replay at the checkpoint of this step, 0: at the start (default: the newest that leaves N steps)",
       NULL, &from}};
  const struct arguments arguments = {
      "verify",
      "RUN",
      "Compares a run with itself: log.jsonl with its chain of digests, checkpoints, snapshots, logits, model/ and "
      "variants/ with their digests, the window's sum with its ring. Compares all of them with the log. A finished run "
      "must have each of its files, and no other. Writes nothing. Works on any number of ranks.\vExit code 0: "
      "everything is good. 1: something is wrong (each is printed), or the input is bad. 2: failure of the machine.\n",
      options,
      sizeof options / sizeof *options,
      1,
      1};
  uint64_t number = 0, start = UINT64_MAX;
  size_t count;
  int help;
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  AD_TRY(arguments_number("replay", steps, 1, &number));
  AD_TRY(arguments_number("from", from, 0, &start));
  if (from != NULL && steps == NULL) {
    return ad_fail(AD_ECONFIG, "--from goes with --replay");
  }
  struct ad_replay *replay;
  int status = ad_replay_open(&replay, math, argv[1]);
  status = status == AD_OK ? verify(replay, argv[1], number, start) : status;
  ad_replay_close(replay, status != AD_OK);
  return status;
}
