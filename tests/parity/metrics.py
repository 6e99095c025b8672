#!/usr/bin/env python3
"""Reference numbers from scikit-learn and transformers: tests/parity/data/metrics.h5 and schedule.h5.

    metrics.py            writes the files
    metrics.py --check    computes everything again and compares it with the stored files

Needs scikit-learn, transformers, h5py and numpy; the C tests (tests/unit/test_metrics.c, test_schedule.c) need the
stored files only.

  metrics.h5    one group a case, each with classes (uint32), labels and predictions [N] (uint32), confusion [C,C]
                (uint64, by label and prediction), accuracy, macro_f1, matthews (float64): confusion_matrix(labels =
                0..C-1), accuracy_score, f1_score(average="macro") with its defaults (the mean is over the classes that
                occur, 0/0 is 0), matthews_corrcoef
  schedule.h5   one group a case, each with total and share (float64), warmup (TrainingArguments.get_warmup_steps), and
                the factors of the steps 0..total: linear, constant, cosine [total + 1] (float64)
"""

import argparse
import pathlib
import sys
import types
import warnings

import h5py
import numpy as np
import sklearn.metrics
import torch
import transformers

DATA = pathlib.Path(__file__).resolve().parent / "data"


def metrics_cases():
    """Name to (classes, labels, predictions)."""
    random = np.random.RandomState(7)

    def noisy(classes, count, share):
        labels = random.randint(0, classes, count)
        return labels, np.where(random.random_sample(count) < share, random.randint(0, classes, count), labels)

    skewed = (random.random_sample(400) < 0.07).astype(int)
    return {
        "binary": (2, *noisy(2, 300, 0.4)),
        "binary-skewed": (2, skewed, np.where(random.random_sample(400) < 0.05, 1 - skewed, skewed)),
        "mostly-wrong": (2, labels := random.randint(0, 2, 90), np.where(np.arange(90) % 5 == 0, labels, 1 - labels)),
        "three": (3, *noisy(3, 250, 0.3)),
        "twenty-six": (26, *noisy(26, 2000, 0.5)),
        "perfect": (4, labels := random.randint(0, 4, 77), labels),
        "all-wrong": (2, labels := random.randint(0, 2, 31), 1 - labels),
        "never-predicted": (4, random.randint(0, 4, 120), random.randint(0, 3, 120)),
        "absent-label": (4, random.randint(0, 3, 120), random.randint(0, 4, 120)),
        "absent-class": (5, *noisy(4, 150, 0.5)),
        "one-class-predicted": (3, random.randint(0, 3, 60), np.full(60, 1)),
        "one-class-labelled": (3, np.full(60, 2), random.randint(0, 3, 60)),
        "one-class-right": (2, np.full(10, 1), np.full(10, 1)),
        "one-class-wrong": (2, np.full(10, 1), np.full(10, 0)),
        "one-example": (2, np.array([0]), np.array([0])),
    }


def metrics():
    data = {}
    for name, (classes, labels, predictions) in metrics_cases().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn warns of each degenerate case
            values = {
                "classes": np.uint32(classes),
                "labels": labels.astype(np.uint32),
                "predictions": predictions.astype(np.uint32),
                "confusion": sklearn.metrics.confusion_matrix(
                    labels, predictions, labels=range(classes)).astype(np.uint64),
                "accuracy": np.float64(sklearn.metrics.accuracy_score(labels, predictions)),
                "macro_f1": np.float64(sklearn.metrics.f1_score(labels, predictions, average="macro")),
                "matthews": np.float64(sklearn.metrics.matthews_corrcoef(labels, predictions)),
            }
        data |= {f"{name}/{key}": value for key, value in values.items()}
    return data


def factors(create, total):
    """The factors that a scheduler of transformers puts on a learning rate of 1, at steps 0..total."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = create(optimizer)
    values = []
    for _ in range(total + 1):
        values.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return np.array(values, dtype=np.float64)


def schedules():
    data = {}
    runs = ((20, 0.2), (100, 0.1), (187, 0.06), (30, 0.1), (70, 0.1), (7, 0.5), (10, 0.0), (10, 0.999), (1, 0.0),
            (1, 0.1))
    for total, share in runs:
        # The method alone: a whole TrainingArguments needs the package accelerate.
        warmup = transformers.TrainingArguments.get_warmup_steps(types.SimpleNamespace(warmup_steps=share), total)
        name = f"{total}-{share}"
        data[f"{name}/total"] = np.float64(total)
        data[f"{name}/share"] = np.float64(share)
        data[f"{name}/warmup"] = np.float64(warmup)
        for kind, create in (
            ("linear", lambda o: transformers.get_linear_schedule_with_warmup(o, warmup, total)),
            ("constant", lambda o: transformers.get_constant_schedule_with_warmup(o, warmup)),
            ("cosine", lambda o: transformers.get_cosine_schedule_with_warmup(o, warmup, total)),
        ):
            data[f"{name}/{kind}"] = factors(create, total)
    return data


def write(path, data):
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        for key, value in data.items():
            packed = {"compression": 9, "shuffle": True, "chunks": value.shape} if value.size >= 256 else {}
            file.create_dataset(key, data=value, **packed)
    print(f"{path.name}: {path.stat().st_size} bytes, {len(data)} datasets")


def check(path, data):
    with h5py.File(path, "r") as file:
        stored = []
        file.visititems(lambda name, item: stored.append(name) if isinstance(item, h5py.Dataset) else None)
        bad = sorted(set(stored) ^ set(data))
        for key in set(stored) & set(data):
            same = file[key].dtype == data[key].dtype and file[key].shape == data[key].shape
            if not (same and np.allclose(file[key][()], data[key], rtol=1e-14, atol=1e-15)):
                bad.append(key)
    print(f"{path.name}: {len(data)} datasets, " + ("equal" if not bad else "DIFFERENT: " + ", ".join(bad)))
    return not bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored files instead of writing them")
    arguments = parser.parse_args()
    files = {DATA / "metrics.h5": metrics(), DATA / "schedule.h5": schedules()}
    if arguments.check:
        sys.exit(0 if all([check(path, data) for path, data in files.items()]) else 1)
    for path, data in files.items():
        write(path, data)


if __name__ == "__main__":
    main()
