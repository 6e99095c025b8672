#!/usr/bin/env python3
"""What eval --vote and --average should say, computed from predict --logits and the runs' safetensors.

    ensemble.py data FILE                            writes a labelled file, some of its labels by chance
    ensemble.py vote FILE FOUND LOGITS OWN ...       FOUND: eval --vote --json; for each run its logits and eval --json
    ensemble.py average MODEL FOUND OWN ... -- RUN ...
    ensemble.py score FILE LOGITS FOUND              FOUND: eval --average --json of the model that gave the logits
    ensemble.py agree FILE LOGITS ...                prints the rows of FILE on which all runs are right

Python's standard library only."""

import itertools
import json
import math
import random
import struct
import sys
from fractions import Fraction
from pathlib import Path

import tiny

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

NUMBER = {name: number for number, name in enumerate(tiny.CLASSES)}


def near(what, found, expected):
    if not abs(found - expected) <= 1e-12 * max(1.0, abs(expected)):
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def equal(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def write_data(path):
    draw = random.Random(5)
    lines = [f"{text}\t{label if draw.random() < 0.7 else draw.randrange(2)}\n" for label, text in tiny.rows(120, 9)]
    Path(path).write_text("sentence\tlabel\n" + "".join(lines))


def labels_of(path):
    return [int(line.split("\t")[1]) for line in Path(path).read_text().splitlines()[1:]]


def logits_of(path):
    rows = [line.split("\t") for line in Path(path).read_text().splitlines()]
    # Nine digits tell the float32 values apart; they are not the values themselves.
    logits = [[struct.unpack("<f", struct.pack("<f", float(x)))[0] for x in row[1:]] for row in rows]
    equal(f"{path}: classes", [NUMBER[row[0]] for row in rows], [row.index(max(row)) for row in logits])
    return logits


def softmax(row):
    top = max(row)
    parts = [math.exp(x - top) for x in row]
    return [p / math.fsum(parts) for p in parts]


def check_scores(found, labels, predictions, loss):
    """The figures of one set of predictions, from their definitions."""
    N, C = len(labels), len(tiny.CLASSES)
    right = sum(a == b for a, b in zip(labels, predictions))
    count = [[sum(a == r and b == c for a, b in zip(labels, predictions)) for c in range(C)] for r in range(C)]
    f1 = [2 * count[c][c] / max(1, sum(count[c]) + sum(row[c] for row in count)) for c in range(C)]
    tn, fp, fn, tp = count[0][0], count[0][1], count[1][0], count[1][1]
    spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    equal("examples", found["examples"], N)
    near("error", found["error"], (N - right) / N)
    near("accuracy", found["accuracy"], right / N)
    near("macro F1", found["macro_f1"], sum(f1) / C)
    near("Matthews", found["matthews"], (tp * tn - fp * fn) / math.sqrt(spread) if spread else 0.0)
    near("loss", found["loss"], loss)


SCORES = ("examples", "error", "accuracy", "macro_f1", "matthews", "loss")


def check_classes(found, labels, predictions):
    """Precision, recall, F1 and support of each class, and the confusion matrix without zeros: from their
    definitions."""
    pairs = list(zip(labels, predictions))
    equal("confusion", found["confusion"], [[*pair, pairs.count(pair)] for pair in sorted(set(pairs))])
    equal("names", [entry["class"] for entry in found["classes"]], tiny.CLASSES)
    for c, entry in enumerate(found["classes"]):
        right, support, predicted = pairs.count((c, c)), list(labels).count(c), list(predictions).count(c)
        equal("support", entry["support"], support)
        near("precision", entry["precision"], right / predicted if predicted else 0.0)
        near("recall", entry["recall"], right / support if support else 0.0)
        near("F1", entry["f1"], 2 * right / (support + predicted) if support + predicted else 0.0)


def check_own(found, own):
    for run, path in zip(found["runs"], own):
        expected = json.loads(Path(path).read_text())
        equal(f"{run['run']} alone", {key: value for key, value in run.items() if key != "run"},
              {key: expected[key] for key in SCORES})
    near("mean error", found["mean_error"], math.fsum(run["error"] for run in found["runs"]) / len(own))


def vote(path, found, *files):
    labels, found = labels_of(path), json.loads(Path(found).read_text())
    logits, own = [logits_of(f) for f in files[::2]], files[1::2]
    K, N = len(logits), len(labels)
    equal("runs", len(found["runs"]), K)
    check_own(found, own)
    total = [[math.fsum(parts) for parts in zip(*(softmax(run[i]) for run in logits))] for i in range(N)]
    check_scores(found["vote"], labels, [row.index(max(row)) for row in total],
                 math.fsum(-math.log(row[label] / K) for row, label in zip(total, labels)) / N)
    each = [[row.index(max(row)) for row in run] for run in logits]
    check_classes(found["vote"], labels, [row.index(max(row)) for row in total])
    for predictions, path in zip(each, own):
        check_classes(json.loads(Path(path).read_text()), labels, predictions)
    for a, b in itertools.product(range(K), repeat=2):
        near(f"disagreement {a} {b}", found["disagreement"]["matrix"][a][b],
             sum(x != y for x, y in zip(each[a], each[b])) / N)
    pairs = list(itertools.combinations(range(K), 2))
    matrix = found["disagreement"]["matrix"]
    near("mean disagreement", found["disagreement"]["mean"], math.fsum(matrix[a][b] for a, b in pairs) / len(pairs))
    q, kappa = [], []
    for a, b in pairs:
        answers = [(x == label, y == label) for x, y, label in zip(each[a], each[b], labels)]
        n11, n00, n10, n01 = (answers.count(pair)
                              for pair in [(True, True), (False, False), (True, False), (False, True)])
        observed = Fraction(n11 + n00, N)
        chance = Fraction((n11 + n10) * (n11 + n01) + (n00 + n01) * (n00 + n10), N * N)
        if n11 * n00 + n10 * n01:
            q.append(Fraction(n11 * n00 - n10 * n01, n11 * n00 + n10 * n01))
        if chance != 1:
            kappa.append((observed - chance) / (1 - chance))
    equal("pairs", (found["pairs"], found["q_pairs"], found["kappa_pairs"]), (len(pairs), len(q), len(kappa)))
    if not (q and kappa and all(matrix[a][b] > 0 for a, b in pairs)):
        sys.exit("the runs do not differ: this test needs runs that do")
    near("Q", found["q"], float(sum(q) / len(q)))
    near("kappa", found["kappa"], float(sum(kappa) / len(kappa)))
    print(f"ok   the vote of {K} runs: error {found['vote']['error']:.4f}, "
          f"mean of the voters {found['mean_error']:.4f}, "
          f"disagreement {found['disagreement']['mean']:.4f}, Q {found['q']:.4f}, kappa {found['kappa']:.4f}")


def tensors_of(path):
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    result = {}
    for name, entry in header.items():
        begin, end = (8 + size + place for place in entry["data_offsets"])
        result[name] = struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
    return result


def average(model, found, *rest):
    own, runs = rest[:rest.index("--")], rest[rest.index("--") + 1:]
    check_own(json.loads(Path(found).read_text()), own)
    mean, each = (tensors_of(f"{model}/model.safetensors"),
                  [tensors_of(f"{run}/model/model.safetensors") for run in runs])
    values = 0
    for name, tensor in mean.items():
        for i, value in enumerate(tensor):
            exact = sum(Fraction(run[name][i]) for run in each) / len(each)
            expected = struct.unpack("<f", struct.pack("<f", float(exact)))[0]
            equal(f"{name}[{i}]", value, expected)
            values += 1
    equal("tensors", sorted(mean), sorted(each[0]))
    print(f"ok   the mean of {len(runs)} runs: {values} values, equal to the exact mean rounded once")


def score(path, logits, found):
    labels, rows = labels_of(path), logits_of(logits)
    check_classes(json.loads(Path(found).read_text())["average"], labels, [row.index(max(row)) for row in rows])
    check_scores(json.loads(Path(found).read_text())["average"], labels, [row.index(max(row)) for row in rows],
                 math.fsum(-math.log(softmax(row)[label]) for row, label in zip(rows, labels)) / len(labels))


def agree(path, *files):
    lines, labels = Path(path).read_text().splitlines(), labels_of(path)
    each = [[row.index(max(row)) for row in logits_of(f)] for f in files]
    kept = [i for i, label in enumerate(labels) if all(run[i] == label for run in each)]
    if not kept:
        sys.exit("no row on which all runs are right")
    print("\n".join([lines[0], *(lines[i + 1] for i in kept)]))


if __name__ == "__main__":
    commands = {"data": write_data, "vote": vote, "average": average, "score": score, "agree": agree}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
