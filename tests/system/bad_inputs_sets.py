"""Bad inputs of multi-label classification: labels that are lists of classes, or columns of 0 and 1."""

import json

from bad_inputs_rows import TRAIN, row, train

LISTS = 'text,labels\ngood film,"a, b"\nbad plot,\nvery dull,c\n'
COLUMNS = "text,a,b,c\ngood film,1,1,0\nbad plot,0,0,0\nvery dull,0,0,1\n"
JSON_LINES = '{"text": "good film", "labels": ["a", "b"]}\n{"text": "bad plot", "labels": []}\n'
SETS = [*TRAIN, "data.descriptor=sets.yaml", "model.head=new"]


def sets(rows, label="labels", more="classes: [a, b, c]", form="csv\nheader: true"):
    """A descriptor of a file with these rows, which is train and dev."""
    def make(work):
        (work / "data/sets").write_text(rows)
        (work / "sets.yaml").write_text(f"task: multi_label\nformat: {form}\n{more}\n"
                                        f"columns: {{text: text, label: {label}}}\n"
                                        "splits: {train: {file: sets}, dev: {file: sets}}\n")
    return make


# Names of the row, what breaks, what is said.
DATA_CASES = [
    ("unknown", sets(LISTS + 'a film,"a, x"\n'), r"data/sets:5: unknown label \"x\" in a list", r"one of: a, b, c"),
    ("twice", sets(LISTS + 'a film,"a, a"\n'), r"data/sets:5: found the label \"a\" for a class that the list has"),
    ("alias-twice", sets(LISTS + 'a film,"c,z"\n', more="labels: {a: a, b: b, c: c, z: c}"),
     r"data/sets:5: found the label \"z\" for a class that the list has"),
    ("end", sets(LISTS + 'a film,"a, "\n'), r"data/sets:5: unknown label \"\" in a list"),
    ("separator", sets(LISTS + "a film,a;b\n"), r"data/sets:5: unknown label \"a;b\" in a list"),
    ("separator-none", sets(LISTS, more='classes: [a, b, c]\nseparator: ""'), r"sets\.yaml:5: separator"),
    ("flag", sets(COLUMNS + "a film,1,2,0\n", "[a, b, c]"), r"data/sets:5: found \"2\" in a label column",
     r"expected 0 or 1"),
    ("flag-blank", sets(COLUMNS + "a film,1,,0\n", "[a, b, c]"), r"data/sets:5: found \"\" in a label column"),
    ("flag-nan", sets(COLUMNS + "a film,1,nan,0\n", "[a, b, c]"), r"data/sets:5: found \"nan\" in a label column"),
    ("columns-few", sets(COLUMNS, "[a, b]"), r"sets\.yaml:5: columns\.label: found 2 columns",
     r"one for each of 3 classes"),
    ("columns-other", sets(COLUMNS, "[a, b, text]"), r"sets\.yaml:5: columns\.label: \"text\" stands for no class"),
    ("columns-twice", sets(COLUMNS, "[a, b, b]"), r"sets\.yaml:5: columns\.label: \"b\" stands for a class that has"),
    ("columns-lost", sets(COLUMNS, "[a, b, d]", "classes: [a, b, d]"), r"data/sets:1: no column \"d\""),
    ("json-object", sets(JSON_LINES + '{"text": "a film", "labels": {"a": 1}}\n', form="jsonl"), r"data/sets:3"),
    ("json-nested", sets(JSON_LINES + '{"text": "a film", "labels": [["a"]]}\n', form="jsonl"), r"data/sets:3"),
    ("json-unknown", sets(JSON_LINES + '{"text": "a film", "labels": ["a", 7]}\n', form="jsonl"),
     r"data/sets:3: unknown label \"7\" in a list"),
    ("one-class", sets('text,labels\ngood film,a\nbad plot,"a"\n', more="title: t"), r"data/sets", r"at least two"),
    ("no-rows", sets("text,labels\n"), r"data/sets: no rows found"),
]
for case, make, *told in DATA_CASES:
    train(f"sets-{case}", make, 1, *told, command=SETS)

KEY_CASES = [
    ("weights", ["train.class_weights=balanced"], r"train\.class_weights is 'balanced'",
     r"multi_label has sets of classes"),
    ("smoothing", ["train.label_smoothing=0.1"], r"the task multi_label has neither"),
    ("per-class", ["data.per_class=1"], r"data\.per_class", r"task multi_label"),
    ("metric", ["run.metric=error"], r"run\.metric is 'error'", r"micro_f1, macro_f1, map, exact, loss"),
    ("keep", ["model.path=model", "model.head=keep"], r"model\.head is keep", r"single_label_classification, expected "
                                                                             r"multi_label_classification"),
]
for case, keys, *told in KEY_CASES:
    train(f"sets-{case}", sets(LISTS), 1, *told, command=[*SETS, *keys])
row("sets-of-classification", None, [*TRAIN, "data.task=multi"], 1, r"data\.task", r"multi_label", absent=["new"])


def threshold(value):
    def make(work):
        path = work / "run/model/config.json"
        config = json.loads(path.read_text())
        path.write_text(json.dumps(config | {"autodidact_threshold": value}))
    return make


def as_sets(work):
    """The run's model is one of sets of classes."""
    path = work / "run/model/config.json"
    path.write_text(path.read_text().replace("single_label", "multi_label"))


for value in (0, 1, -0.5, "half", "nan"):
    row(f"threshold-{value}", as_sets, ["predict", "run/model", "--text", "good film", "--threshold", str(value)], 1,
        rf"--threshold is '{value}'", r"between 0 and 1")
row("threshold-of-classification", None, ["predict", "run", "--text", "good film", "--threshold", "0.5"], 1,
    r"--threshold is '0\.5'", r"task classification, which has no threshold")
for case, value in (("large", 1.5), ("text", "0.5"), ("negative", -0.1)):
    row(f"threshold-model-{case}", threshold(value), ["predict", "run", "--text", "good film"], 1,
        r"run/model/config\.json", r"autodidact_threshold", r"a number from 0 to below 1")

