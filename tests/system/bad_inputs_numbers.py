"""Rows of the table of bad inputs: data whose labels are numbers (task: regression), and models of such data."""

import json

from bad_inputs_rows import TRAIN, model, row, swap, train, write

DESCRIPTOR = ("title: numbers\nsource: none\nlicence: none\ntask: regression\nformat: tsv\nheader: true\n"
              "columns: {text: sentence, label: score}\nsplits: {train: {file: train.tsv}, dev: {file: dev.tsv}}\n")
TWO = DESCRIPTOR.replace("label: score", "label: [score, length]")
GOOD = "sentence\tscore\tlength\ngood film\t4.5\t2\nbad film\t-1\t2\ndull\t1e-1\t1\n"


def numbers(last="", descriptor=DESCRIPTOR, edit=None, more=None):
    """tiny's data as numbers, with a row more, which is line 5; `edit`: (old, new) of the descriptor; `more` breaks
    something besides."""
    def make(work):
        text = descriptor
        if edit:
            assert edit[0] in text, edit
            text = text.replace(*edit)
        (work / "tiny.yaml").write_text(text)
        (work / "data/train.tsv").write_text(GOOD + last)
        (work / "data/dev.tsv").write_text(GOOD)
        if more:
            more(work)
    return make


LINE, DESCRIBED = r"data/train\.tsv:5: ", r"tiny\.yaml:\d+: "
for _name, _label in (("nan", "nan"), ("inf", "inf"), ("minus-inf", "-inf"), ("word", "good"), ("comma", "1,5"),
                      ("hexadecimal", "0x10"), ("two", "1 2"), ("too-large", "1e39"), ("percent", "50%")):
    train(f"numbers-{_name}", numbers(f"dull film\t{_label}\t2\n"), 1,
          LINE + f'unknown label "{_label}", expected a number')
train("numbers-empty", numbers("dull film\t\t2\n"), 1, LINE + r'unknown label ""')
train("numbers-blank", numbers("dull film\t \t2\n"), 1, LINE + r'unknown label " "')
train("numbers-few-columns", numbers("dull film\n"), 1, LINE + r"found 1 column")
IN_RANGE = ("label: score}", "label: score}\nrange: [-1, 5]")
train("numbers-below", numbers("dull film\t-1.01\t2\n", edit=IN_RANGE), 1, LINE, r"expected a number from -1 to 5")
train("numbers-above", numbers("dull film\t5.5\t2\n", edit=IN_RANGE), 1, LINE, r"expected a number from -1 to 5")
train("numbers-one-of-two", numbers("dull film\t1\tmany\n", TWO), 1, LINE + r'unknown label "1", "many"',
      r"expected 2 numbers")

# The descriptor.
for _name, _edit, *_told in (
        ("range-turned", ("range: [-1, 5]", "range: [5, -1]"), r"range: 5 is not below -1"),
        ("range-equal", ("range: [-1, 5]", "range: [1, 1]"), r"range: 1 is not below 1"),
        ("range-one", ("range: [-1, 5]", "range: [5]"), r"range: expected the least and the largest number"),
        ("range-word", ("range: [-1, 5]", "range: [low, high]"), r'range: found "low", expected a number'),
        ("range-nan", ("range: [-1, 5]", "range: [nan, 5]"), r'range: found "nan"'),
        ("range-text", ("range: [-1, 5]", "range: five"), r"range: expected the least"),
        ("labels", ("range: [-1, 5]", 'labels: {"1": good}'), r"labels: "),
        ("no-label", ("label: score", "pair: score"), r"classes|label"),
        ("class-count", ("range: [-1, 5]", "classes: [a, b]"), r"columns\.label: found 1 column, expected one"),
        ("task", ("task: regression", "task: regresion"), r'found "regresion", expected one of: .*, regr')):
    train(f"numbers-descriptor-{_name}", numbers(descriptor=DESCRIPTOR.replace(*IN_RANGE), edit=_edit), 1, *_told)
train("numbers-descriptor-few-columns",
      numbers(descriptor=TWO, edit=("format: tsv", "format: tsv\nclasses: [a, b, c]")), 1,
      DESCRIBED + r"columns\.label: found 2 columns, expected one for each of 3 targets")
train("numbers-range-of-classes", swap("tiny.yaml", "header: true", "header: true\nrange: [0, 1]"), 1,
      r"range: labels of the task classification are no numbers")
train("numbers-twice", numbers(edit=("label: score", "label: [score, score]")), 1, r"score.* twice")

# What the task does not have.
for _name, _key, *_told in (
        ("weights", "train.class_weights=balanced", r"class_weights is 'balanced'", r"regression has no classes"),
        ("smoothing", "train.label_smoothing=0.1", r"label_smoothing", r"the task regression has neither"),
        ("per-class", "data.per_class=2", r"data\.per_class 2", r"no classes \(task regression\)"),
        ("metric", "run.metric=error", r"run\.metric is 'error'", r"pearson, spearman, r2, mse"),
        ("keep", "model.head=keep", r"its problem_type is single_label_classification, expected regression")):
    train(f"numbers-{_name}", numbers(), 1, *_told, command=[*TRAIN, _key])
train("numbers-of-words", None, 1, r"data\.task=regression", command=[*TRAIN, "data.task=regression"])
train("numbers-task-unknown", None, 1, r'data\.task: found "numbers", expected one of: .*, regression',
      command=[*TRAIN, "data.task=numbers"])
train("numbers-keep-for-classes", model(problem_type="regression"), 1,
      r"its problem_type is regression, expected single_label_classification", command=[*TRAIN, "model.head=keep"])
train("numbers-found-none", write("words.csv", "text,label\ngood,yes\nbad,no\nso,yes\n"), 1,
      r'words\.csv: the label column "label" has no numbers',
      command=["train", "--train", "words.csv", "--model", "model", "data.task=regression", "run.dir=new"])


def as_numbers(work):
    """The finished run's model becomes one of two numbers; its weights stay."""
    path = work / "run/model/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"problem_type": "regression"}))


row("numbers-columns-class", as_numbers,
    ["predict", "run/model", "--data", "data/test.tsv", "--columns", "row,class"], 1,
    r"--columns: found class, which a model of the task regression does not give, expected row, own, logits, value")
row("numbers-columns-value", None, ["predict", "run", "--data", "data/test.tsv", "--columns", "value"], 1,
    r"found value, which a model of the task classification does not give")
row("numbers-run-of-classes", as_numbers, ["eval", "run", "--data", "data/test.tsv"], 1,
    r"the problem_type of its model is regression, expected single_label_classification")
train("numbers-problem-unknown", numbers(more=model(problem_type="ranking")), 1,
      r"its problem_type is ranking, which no task has", command=[*TRAIN, "model.head=keep"])
