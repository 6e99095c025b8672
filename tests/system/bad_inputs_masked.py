"""Rows of the table of bad inputs: masked-language modelling (data.task=mlm) on what cannot be done so. `masked` is a
finished run of it."""

from bad_inputs_rows import TRAIN, row, swap, train, write

MASKED = [*TRAIN, "data.task=mlm"]
TEXTS = ["train", "--train", "corpus.txt", "--model", "model", "--out", "new", "data.task=mlm"]
GOOD = ("masked-language modelling", ["train", "config.yaml", "run.dir=masked", "data.task=mlm"])


def keys(name, *given, told):
    train(f"masked-{name}", None, 1, *told, command=[*MASKED, *given])


keys("task", "data.task=mml", told=[r'data\.task: found "mml", expected one of: ', r"\bmlm\b"])
keys("rate-zero", "train.mask_rate=0", told=[r"train\.mask_rate is '0'", r"from 0\.001 to 1"])
keys("rate-high", "train.mask_rate=1.5", told=[r"train\.mask_rate is '1\.5'", r"from 0\.001 to 1"])
keys("rate-word", "train.mask_rate=some", told=[r"train\.mask_rate is 'some'", r"number"])
keys("keep-logits", "eval.keep_logits=true", told=[r"eval\.keep_logits=true", r"task mlm keeps no logits"])
keys("class-weights", "train.class_weights=balanced", told=[r"train\.class_weights is 'balanced'",
                                                            r"the task mlm has no classes"])
keys("smoothing", "train.label_smoothing=0.1", told=[r"train\.label_smoothing", r"the task mlm has neither"])
keys("per-class", "data.per_class=2", told=[r"data\.per_class 2", r"are no classes \(task mlm\)"])
keys("metric", "run.metric=error", told=[r"run\.metric is 'error'",
                                         r"score of the task mlm: perplexity, masked_accuracy, loss"])
keys("head", "model.head=keep", told=[r"masked-language head cannot be used", r"model\.head is keep"])
keys("short", "data.max_tokens=5", "data.train=short.tsv", told=[r"short\.tsv"])

# Tokenizers.
VOCABULARY = "model/vocab.txt"
train("masked-no-mask", swap(VOCABULARY, "[MASK]", "none"), 1, r"no mask token", r"\[MASK\]", command=MASKED)
train("masked-words", lambda work: [swap(VOCABULARY, "##s", "xs")(work), swap(VOCABULARY, "##ly", "xly")(work)], 1,
      r"train\.mask_whole_words=true", r"do not show where words begin",
      command=[*MASKED, "train.mask_whole_words=true"])

# Texts.
train("masked-missing", None, 1, r"corpus\.txt", r"No such file", command=TEXTS)
train("masked-empty", write("corpus.txt", ""), 1, r"corpus\.txt", r"the file is empty, expected rows of texts",
      command=TEXTS)
train("masked-blank", write("corpus.txt", "\n \n\r\n"), 1, r"corpus\.txt", r"the file is empty", command=TEXTS)
train("masked-one", write("corpus.txt", "good film\n"), 1, r"corpus\.txt", r"found 1 row with text", command=TEXTS)
train("masked-bytes", write("corpus.txt", b"good film\nbad \xff film\n"), 1, r"corpus\.txt:2", r"UTF-8", command=TEXTS)
train("masked-nul", write("corpus.txt", b"good film\nbad \x00 film\n"), 1, r"corpus\.txt:2", r"NUL", command=TEXTS)
train("masked-numbers", write("corpus.csv", "id,label\n1,0\n2,1\n3,0\n"), 1, r"corpus\.csv", r"--text COLUMN",
      command=[word.replace("corpus.txt", "corpus.csv") for word in TEXTS])

# What is done with runs and folders.
row("masked-predict", None, ["predict", "masked", "--data", "data/test.tsv"], 1, r"masked", r"mlm|masked")
row("masked-vote", None, ["eval", "masked", "run", "--data", "data/test.tsv", "--vote"], 1, r"masked and run cannot be")
row("masked-eval-empty", write("empty.txt", ""), ["eval", "masked/model", "--data", "empty.txt"], 1, r"empty\.txt")
row("masked-eval-nothing", write("short.txt", "good\n"), ["eval", "masked/model", "--data", "short.txt"], 1,
    r"no token of these 1 texts was hidden")
