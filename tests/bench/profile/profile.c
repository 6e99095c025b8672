#include "profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"

enum { DEPTH = 64, PRODUCTS = 64, PRODUCT = PROFILE_COUNT, MOST = PROFILE_COUNT + PRODUCTS };

struct entry {
  double seconds, flops;
  unsigned long calls;
};

/* The products of a weight's shape, of one kind, of student or teacher. */
struct product {
  enum profile_product kind;
  size_t N, K;
};

static struct product products[PRODUCTS];
static size_t product_count;
static struct entry entries[2][MOST]; /* student and all else; teacher's forwards */
static double attention_flops[2];
static int stack[DEPTH];
static int depth, inside_product, in_step, teaching;
static unsigned long seen, steps;
static double last, step_began, step_seconds;
static size_t tokens;
static unsigned long skip;

static int counts(void) {
  return in_step && seen >= skip;
}

/* Time since the last change belongs to the part on top. */
static void charge(void) {
  const double now = ad_clock();
  if (depth > 0 && seen >= skip) {
    entries[teaching][stack[depth - 1]].seconds += now - last;
  }
  last = now;
}

static void push(int slot) {
  charge();
  if (depth == DEPTH) {
    abort();
  }
  stack[depth++] = slot;
  if (seen >= skip) {
    entries[teaching][slot].calls++;
  }
}

void profile_enter(enum profile_part part) {
  if (inside_product > 0 || (!in_step && part != PROFILE_LOG)) {
    inside_product += inside_product > 0;
    return;
  }
  push((int)part);
}

void profile_leave(void) {
  if (inside_product > 1) {
    inside_product--;
    return;
  }
  if (depth == 0) {
    return;
  }
  inside_product = 0;
  charge();
  depth--;
}

static size_t product_slot(enum profile_product kind, size_t N, size_t K) {
  size_t i = 0;
  while (i < product_count && (products[i].kind != kind || products[i].N != N || products[i].K != K)) {
    i++;
  }
  if (i == product_count) {
    if (i == PRODUCTS) {
      abort();
    }
    products[product_count++] = (struct product){kind, N, K};
  }
  return i;
}

void profile_enter_product(enum profile_product kind, size_t M, size_t N, size_t K) {
  if (!in_step) {
    return;
  }
  const int slot = PRODUCT + (int)product_slot(kind, N, K);
  push(slot);
  inside_product = 1;
  if (counts()) {
    entries[teaching][slot].flops += 2.0 * (double)M * (double)N * (double)K;
  }
}

void profile_attention(double flops) {
  if (counts()) {
    attention_flops[teaching] += flops;
  }
}

void profile_begin_step(void) {
  in_step = 1;
  step_began = ad_clock();
  profile_enter(PROFILE_STEP);
}

void profile_end_step(size_t step_tokens) {
  profile_leave();
  if (counts()) {
    step_seconds += ad_clock() - step_began;
    tokens += step_tokens;
    steps++;
  }
  in_step = 0;
  seen++;
}

void profile_teach(int on) {
  charge();
  teaching = on;
}

static void print_entry(FILE *out, const char **comma, const char *what, const char *name, const struct entry *e) {
  if (e->calls > 0) {
    fprintf(out, "%s\n  {\"of\":\"%s\",%s,\"seconds\":%.9f,\"calls\":%lu,\"flops\":%.0f}", *comma, what, name,
            e->seconds, e->calls, e->flops);
    *comma = ",";
  }
}

static void print_all(FILE *out) {
  static const char *const names[] = {
#define PROFILE_NAME(part, name) name,
      PROFILE_PARTS(PROFILE_NAME)
#undef PROFILE_NAME
  };
  static const char *const kinds[] = {"forward", "input", "weight"}, *const of[] = {"student", "teacher"};
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  fprintf(out,
          "{\"steps\":%lu,\"tokens\":%zu,\"seconds\":%.9f,\"attention_flops\":[%.0f,%.0f],\"peak\":%zu,\"parts\":[",
          steps, tokens, step_seconds, attention_flops[0], attention_flops[1], (size_t)usage.ru_maxrss * 1024);
  const char *comma = "";
  char name[160];
  for (int t = 0; t < 2; t++) {
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
      snprintf(name, sizeof name, "\"part\":\"%s\"", names[i]);
      print_entry(out, &comma, of[t], name, &entries[t][i]);
    }
    for (size_t i = 0; i < product_count; i++) {
      snprintf(name, sizeof name, "\"product\":\"%s\",\"N\":%zu,\"K\":%zu", kinds[products[i].kind], products[i].N,
               products[i].K);
      print_entry(out, &comma, of[t], name, &entries[t][PRODUCT + i]);
    }
  }
  fprintf(out, "\n]}\n");
}

static void __attribute__((constructor)) start(void) {
  const char *text = getenv("AUTODIDACT_PROFILE_SKIP");
  skip = text == NULL ? 0 : strtoul(text, NULL, 10);
}

static void __attribute__((destructor)) report(void) {
  const char *path = getenv("AUTODIDACT_PROFILE"), *rank = getenv("OMPI_COMM_WORLD_RANK");
  char name[4096];
  if (path == NULL || steps == 0) {
    return;
  }
  snprintf(name, sizeof name, "%s.%s", path, rank == NULL ? "0" : rank);
  FILE *out = fopen(name, "we");
  if (out == NULL) {
    perror(name);
    return;
  }
  print_all(out);
  fclose(out);
}
