/* Two runs compared: what they were given, their logs row by row, their results tensor by tensor. */
#ifndef AUTODIDACT_STORE_COMPARE_H
#define AUTODIDACT_STORE_COMPARE_H

#include <stddef.h>
#include <stdint.h>

/* A name that has other texts in the two runs; a text is NULL where that run has none. All owned. */
struct ad_difference {
  char *name;
  char *text[2];
};

struct ad_differences {
  struct ad_difference *items; /* [count] owned */
  size_t count, capacity;
};

/* Releases all of them; a zeroed struct is allowed. */
void ad_differences_destroy(struct ad_differences *differences);

/* Releases those whose name is one that `drops`, and closes the gaps. */
void ad_differences_drop(struct ad_differences *differences, int (*drops)(const char *name));

/* What two runs were given. */
struct ad_input_comparison {
  struct ad_differences
      reasons; /* may give other bits: configuration, then data, initial parameters, arithmetic, model files */
  struct ad_differences harmless; /* configuration keys that by the contract change no bit of log or result */
  int native[2];                  /* comm.reduction = native: the bits of that run are promised to nobody */
};

/* Compares config.yaml, provenance.json (host, start and, with the ordered reduction, number of ranks left out) and the
 * model files that are no weights. A file of the result that one run lacks is passed over: ad_compare_results reports
 * it. The caller owns `out`: ad_input_comparison_destroy, after a failure too. AD_EINPUT (not a run folder, not JSON),
 * AD_ECONFIG, AD_EIO, AD_ENOMEM. */
int ad_compare_inputs(const char *const folders[2], struct ad_input_comparison *out);
void ad_input_comparison_destroy(struct ad_input_comparison *comparison);

/* Keys of a path (data.descriptor, model.path) go from the reasons to the harmless ones where the digests in the
 * comparison say that all data and files of the model are the same. AD_ENOMEM. */
int ad_input_comparison_sort_paths(struct ad_input_comparison *comparison);

enum ad_log_verdict {
  AD_COMPARE_EQUAL,   /* to the end */
  AD_COMPARE_DIFFERS, /* the row after equal_rows differs */
  AD_COMPARE_ENDS /* equal as far as both have whole rows, but one ends first, or the last row of one is cut short */
};

struct ad_log_comparison {
  enum ad_log_verdict verdict;
  uint64_t equal_rows; /* from the start */
  uint64_t rows[2];    /* whole rows of each log; counted to the end unless the verdict is AD_COMPARE_DIFFERS */
  int cut[2];          /* behind those rows there is a part of one, without the newline at its end */
  struct ad_differences
      columns;       /* of the differing row, as the texts in the file; none where only order or spaces differ */
  char place[2][80]; /* what the differing row is about: "step 12", "evaluation of \"dev\" at step 12" */
};

/* Compares two log.jsonl byte by byte, a row of each in memory at a time. The caller owns `out`:
 * ad_log_comparison_destroy, after a failure too. AD_EINPUT naming path and line: a NUL byte, a row of more than 64
 * KiB, a differing row that is no JSON object. AD_EIO, AD_ENOMEM. */
int ad_compare_logs(const char *const paths[2], struct ad_log_comparison *out);
void ad_log_comparison_destroy(struct ad_log_comparison *comparison);

struct ad_result_comparison {
  size_t tensors;          /* names, in either file */
  size_t differing;        /* of them: other bits, other type or shape, or in one file only */
  int header;              /* no tensor differs but the bytes around them do: order, metadata */
  char *first;             /* the first that differs, in the order of the first file; NULL where none; owned */
  char form[2][200];       /* its type and shape in each file, "F32 [2, 16]"; "" where that file does not have it */
  int comparable;          /* type and shape are the same: the numbers below tell more */
  size_t values;           /* of the first */
  size_t differing_values; /* with other bits */
  size_t not_finite;       /* of those, where one of the two is NaN or infinite */
  double largest; /* largest absolute difference of the others; NaN where there is none, or the type is none of F32,
                     F16, BF16 */
};

/* Compares two safetensors files. The caller owns `out`: ad_result_comparison_destroy, after a failure too. AD_EINPUT,
 * AD_EIO, AD_ENOMEM. */
int ad_compare_results(const char *const paths[2], struct ad_result_comparison *out);
void ad_result_comparison_destroy(struct ad_result_comparison *comparison);

/* Steps of which both runs have kept something, from the first to the first that differs. */
struct ad_step_comparison {
  size_t common; /* steps that were compared */
  uint64_t step; /* the last of them; where something differs, that one */
  int differs;
  char what[64];           /* where: a vector ("student"), a dataset ("norms/value") */
  char tensor[100];        /* the first that differs there; "" where `what` has none */
  size_t tensors;          /* there, 0: it has none */
  size_t differing;        /* of them */
  size_t values;           /* of the first; 0: not known, only a norm of it */
  size_t differing_values; /* with other bits */
  size_t not_finite;       /* of those, where one of the two is NaN or infinite */
  double largest;          /* largest absolute difference of the others; NaN: there is none, or they are no floats */
};

/* Compares the checkpoints, or the snapshots, of steps that both runs have: vectors and datasets that both have, in
 * their order (of snapshots the parameters first). AD_EINPUT (a damaged file), AD_EIO, AD_ENOMEM. */
int ad_compare_checkpoints(const char *const runs[2], struct ad_step_comparison *out);
int ad_compare_snapshots(const char *const runs[2], struct ad_step_comparison *out);

/* The first difference of two runs, in a sentence, as the parts of a comparison add to it in this order: log, result,
 * checkpoints, snapshots. Zero-initialise. */
struct ad_run_verdict {
  char text[1000]; /* "": log and result are equal */
  int other_bits;  /* 1: not merely a run that ended earlier */
};

/* A log, or a result, as they were compared: nothing is added where both are equal. */
void ad_verdict_log(struct ad_run_verdict *verdict, const struct ad_log_comparison *log, const char *const paths[2]);
void ad_verdict_result(struct ad_run_verdict *verdict, const struct ad_result_comparison *result);

/* who: "A has", "B has", "A and B have" no result. */
void ad_verdict_no_result(struct ad_run_verdict *verdict, const char *who);

/* A step that differs; what: "checkpoints" or "snapshots". */
void ad_verdict_step(struct ad_run_verdict *verdict, const char *what, const struct ad_step_comparison *step);

#endif
