/* autodidact predict: the class, or the numbers, of each example of a file: a line for each, or a table. */
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/run/predictions.h"
#include "commands.h"

/* What the command line asks for. */
struct request {
  struct ad_predict_options how;
  struct ad_predictions_options table;
  int logits; /* plain lines with the logits */
};

/* How plain lines are printed. */
struct lines {
  const struct ad_predictor *predictor;
  int logits; /* 1: they are asked for */
};

/* An empty line for a row that could not be read. */
static int print_row(void *context, const struct ad_prediction *p) {
  const struct lines *lines = context;
  const char *const *names;
  struct ad_buffer text = {0};
  if (p != NULL) {
    ad_predictor_classes(lines->predictor, &names);
    const int status = ad_prediction_print(p, names, &text);
    fputs(status == AD_OK && text.size > 0 ? ad_shown(text.data) : "", stdout);
    ad_buffer_destroy(&text);
    AD_TRY(status);
  }
  for (size_t c = 0; p != NULL && lines->logits && c < p->classes; c++) {
    printf("\t%.9g", (double)p->logits[c]);
  }
  putchar('\n');
  return ferror(stdout) ? ad_fail(AD_EIO, "standard output could not be written") : AD_OK;
}

static int wants_table(const struct request *r) {
  const struct ad_predictions_options *t = &r->table;
  return t->out != NULL || t->format != NULL || t->columns != NULL || t->keep || t->write != NULL;
}

/* The positional arguments [count] are behind argv[0]. */
static int check_request(const struct request *r, size_t count, char **argv) {
  const struct ad_predict_options *o = &r->how;
  if (count == 2 && (o->data != NULL || o->text != NULL)) {
    return ad_fail(AD_ECONFIG, "predict: found '%s' and --%s, expected one of them", argv[2],
                   o->data != NULL ? "data" : "text");
  }
  if (count == 0 || (count == 1 && o->data == NULL && o->text == NULL)) {
    return ad_fail(AD_ECONFIG, "predict: %s; usage: autodidact predict RUN|MODEL --data FILE",
                   count == 0 ? "the run or the model folder is missing"
                              : "--data FILE is missing (--data - reads standard input, --text \"...\" is one text)");
  }
  if (o->data != NULL && o->text != NULL) {
    return ad_fail(AD_ECONFIG, "predict: found both --data and --text, expected one of them");
  }
  if (o->pair != NULL && o->text == NULL) {
    return ad_fail(AD_ECONFIG, "predict: found --pair, expected --text with it: the first text of the pair");
  }
  if (r->logits && wants_table(r)) {
    return ad_fail(AD_ECONFIG,
                   "predict: --logits is for plain lines, expected --columns row,class,logits for those of a table");
  }
  return o->model == NULL || ad_predictor_is_run(argv[1])
             ? AD_OK
             : ad_fail(AD_ECONFIG, "predict: --model is for runs, %s is none", argv[1]);
}

static int predict(const struct ad_math *math, const char *source, struct request *r) {
  struct ad_predictor *predictor = NULL;
  struct ad_predictions *table = NULL;
  const int tabled = wants_table(r);
  int status = tabled ? ad_predictions_create(&table, &r->table) : AD_OK;
  status = status == AD_OK ? ad_predictor_open(&predictor, math, source, &r->how) : status;
  if (status == AD_OK) {
    struct lines lines = {predictor, r->logits};
    status = tabled ? ad_predictions_write(table, predictor) : ad_predictor_run(predictor, print_row, &lines);
  }
  ad_predictions_destroy(table);
  ad_predictor_close(predictor, status != AD_OK);
  return status;
}

int ad_command_predict(const struct ad_math *math, int argc, char **argv) {
  struct request r = {.how = {.where = {.refused = AD_CHANGED_TEXTS}}}; /* the classes' names come from the model */
  size_t count;
  int help;
  const struct argument options[] = {
      {"data", "FILE",
       "What to classify, as FILE behind the run. With a run: a file in the layout of its data set's test split, or "
       "train, dev, test for a split itself. With a model folder: one example a line, a TAB between the texts of a "
       "pair. - is standard input; gzip is unpacked",
       NULL, &r.how.data},
      {"text", "TEXT", "One text to classify, in place of --data", NULL, &r.how.text},
      {"pair", "TEXT", "The second text, for a run that was trained on pairs", NULL, &r.how.pair},
      {"out", "FILE",
       "Write a table with a header: CSV, TSV or JSON lines as the name ends (.csv, .tsv, .jsonl). It is put in place "
       "when it is whole",
       NULL, &r.table.out},
      {"columns", "LIST",
       "Columns of the table: row, own (the file's own), class, number, confidence, probabilities (of each class), "
       "logits; otherwise row,class,probabilities. Of a regression: row, own, value, logits; otherwise row,value. "
       "Of sets of classes there are no number and no confidence",
       NULL, &r.table.columns},
      {"keep", NULL, "The file's own columns in the table, too", &r.table.keep, NULL},
      {"format", "NAME", "csv, tsv or jsonl, whatever the name of --out; without --out the table is printed", NULL,
       &r.table.format},
      {"write", "FILE.yaml",
       "With --out: also write a descriptor by which `train` teaches another model the table's probabilities", NULL,
       &r.table.write},
      {"threshold", "X",
       "Of sets of classes: the probability, between 0 and 1, from which on a text has a class; otherwise the model's",
       NULL, &r.how.threshold},
      {"model", "NAME", help_model, NULL, &r.how.model},
      {"task", "NAME", help_task, NULL, &r.how.where.task},
      {"folder", "DIR", help_folder, NULL, &r.how.where.folder},
      {"own-descriptor", NULL, help_own_descriptor, &r.how.where.own, NULL},
      {"precision", "NAME", help_precision, NULL, &r.how.precision},
      {"lines", NULL, "With a run too: one example a line", &r.how.lines, NULL},
      {"logits", NULL, "Without a table: the logits behind the class, separated by TABs, to full precision", &r.logits,
       NULL}};
  const struct arguments arguments = {
      "predict",
      "RUN|MODEL [FILE]",
      "Prints the class of each row of the file, or its number of a regression, one a line, or writes a table with "
      "--out. RUN is the folder of a run, MODEL a Hugging Face folder with a head for sequences. Of a run that is not "
      "finished its newest checkpoint is used. Labels are ignored. A row that cannot be read is an error. Where the "
      "descriptor lets such rows pass (incomplete, empty: skip), its line, or its prediction in the table, is empty, "
      "and a warning names it.",
      options,
      sizeof options / sizeof *options,
      0,
      2};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  AD_TRY(check_request(&r, count, argv));
  r.table.data = r.how.data = count == 2 ? argv[2] : r.how.data;
  r.table.keep = r.table.keep || r.table.write != NULL; /* the texts */
  return predict(math, argv[1], &r);
}
