#!/usr/bin/env python3
"""Reference numbers of votes, diversity and exact means: tests/parity/data/ensemble.h5.

    ensemble.py            writes the file
    ensemble.py --check    computes everything again and compares it with the stored file

Needs scipy, scikit-learn, h5py and numpy; the C test (tests/unit/test_ensemble.c) needs the stored file only.

  vote/NAME   logits [K,N,C] (float32), labels [N] (uint32); probability [N,C]: the sum over k of scipy's softmax in
              float64; prediction [N], each [K,N] (uint32): their argmax, and of each voter; loss: the mean of
              log K - logsumexp_k log_softmax[k, label]; matrix [K,K]: shares of examples on which two differ; q, kappa
              [pairs] in the order (0,1), (0,2), ..., (1,2), ...: Yule's Q from the counts of right and wrong, and
              scikit-learn's cohen_kappa_score of right and wrong, NaN where 0/0
  mean/NAME   values [K,n] and mean [n] (float32): sums as fractions (exact), rounded once to the nearest float32
"""

import argparse
import itertools
import pathlib
import sys
import warnings
from fractions import Fraction

import h5py
import numpy as np
import scipy.special
import sklearn.metrics

DATA = pathlib.Path(__file__).resolve().parent / "data"


def vote_cases():
    """Name to (logits [K,N,C], labels [N])."""
    random = np.random.RandomState(11)

    def noisy(K, N, C, signal):
        labels = random.randint(0, C, N)
        logits = random.normal(0.0, 1.0, (K, N, C)) + random.normal(0.0, 1.0, (1, N, C))
        logits[:, np.arange(N), labels] += signal
        return logits, labels

    perfect = noisy(3, 40, 3, 1.0)
    perfect[0][0, np.arange(40), perfect[1]] += 100.0  # the first voter is always right
    far, far_labels = noisy(2, 12, 2, 0.0)
    far[:, :, 0] += 2000.0  # the probability of class 1 underflows for both
    one_far, one_far_labels = noisy(3, 12, 2, 0.0)
    one_far[0, :, 0] += 2000.0  # for the first and the last, not for the second
    one_far[2, :, 0] += 2000.0
    same = noisy(1, 30, 4, 1.0)
    ties = np.zeros((2, 4, 3))
    ties[0, :, 1] = ties[1, :, 2] = 1.0  # the two voters mirror each other: classes 1 and 2 tie
    return {
        "two": noisy(2, 60, 2, 1.0),
        "three": noisy(3, 90, 3, 1.0),
        "seven": noisy(7, 30, 6, 1.5),
        "one-perfect": perfect,
        "all-perfect": (np.tile(50.0 * np.eye(3)[[0, 1, 2, 2]], (3, 1, 1)), np.array([0, 1, 2, 2])),
        "all-wrong": (np.tile(50.0 * np.eye(3)[[1, 2, 0, 0]], (3, 1, 1)), np.array([0, 1, 2, 2])),
        "the-same-twice": (np.tile(same[0], (2, 1, 1)), same[1]),
        "underflow": (far, far_labels),
        "underflow-not-all": (one_far, one_far_labels),
        "ties": (ties, np.array([0, 1, 2, 1])),
    }


def q_statistic(a, b):
    """Yule's Q of two vectors of right and wrong; NaN where 0/0."""
    n11, n00 = int(np.sum(a & b)), int(np.sum(~a & ~b))
    n10, n01 = int(np.sum(a & ~b)), int(np.sum(~a & b))
    below = n11 * n00 + n10 * n01
    return float(Fraction(n11 * n00 - n10 * n01, below)) if below else np.nan


def votes():
    data = {}
    for name, (logits, labels) in vote_cases().items():
        logits, K = logits.astype(np.float32), len(logits)
        wide = logits.astype(np.float64)
        probability = scipy.special.softmax(wide, axis=2).sum(axis=0)
        each = logits.argmax(axis=2)
        log_label = scipy.special.log_softmax(wide, axis=2)[:, np.arange(len(labels)), labels]
        right = each == labels
        pairs = list(itertools.combinations(range(K), 2))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn warns of 0/0
            kappa = [sklearn.metrics.cohen_kappa_score(right[a], right[b]) for a, b in pairs]
        values = {
            "logits": logits,
            "labels": labels.astype(np.uint32),
            "probability": probability,
            "prediction": probability.argmax(axis=1).astype(np.uint32),
            "each": each.astype(np.uint32),
            "loss": np.float64(np.mean(np.log(K) - scipy.special.logsumexp(log_label, axis=0))),
            "matrix": np.array([[np.mean(a != b) for b in each] for a in each]),
            "q": np.array([q_statistic(right[a], right[b]) for a, b in pairs]),
            "kappa": np.array(kappa, dtype=np.float64),
        }
        data |= {f"vote/{name}/{key}": value for key, value in values.items()}
    return data


def nearest(exact):
    """The float32 nearest to a fraction, the one with an even last bit where two are."""
    with np.errstate(over="ignore", under="ignore"):
        guess = np.float32(float(exact))
        candidates = {np.nextafter(guess, np.float32(-np.inf)), guess, np.nextafter(guess, np.float32(np.inf))}
    candidates = [c for c in candidates if np.isfinite(c)]
    return min(candidates, key=lambda c: (abs(Fraction(float(c)) - exact), int(c.view(np.uint32)) & 1))


def mean_cases():
    """Name to values [K,n]."""
    random = np.random.RandomState(12)

    def any_bits(K, n):
        bits = random.randint(0, 2**32, (K, n), dtype=np.uint64).astype(np.uint32)
        values = bits.view(np.float32)
        return np.where(np.isfinite(values), values, np.float32(1.0))

    top, least = np.finfo(np.float32).max, np.float32(2.0**-149)
    ulp = np.float32(2.0**-23)
    return {
        "weights": random.normal(0.0, 0.02, (4, 120)).astype(np.float32),
        "close": (np.float32(0.5) + random.randint(-8, 9, (3, 120)) * np.float32(2.0**-24)).astype(np.float32),
        "any-2": any_bits(2, 80),
        "any-3": any_bits(3, 150),
        "any-7": any_bits(7, 80),
        "any-10": any_bits(10, 60),
        "any-64": any_bits(64, 20),
        "subnormal": (random.randint(-20, 21, (3, 60)) * least).astype(np.float32),
        "subnormal-ties": (random.randint(-20, 21, (4, 60)) * least).astype(np.float32),
        # 1 + 2^-24 is a tie; a sixth of the smallest number more or less is not.
        "remainder": np.array([[6.0, -6.0, 6.0, 6.0], [3 * ulp, -3 * ulp, 3 * ulp, 3 * ulp],
                               [least, -least, -least, 0.0], [0.0] * 4, [0.0] * 4, [0.0] * 4], dtype=np.float32),
        # Largest and smallest numbers, exact ties, and ties that the smallest number breaks.
        "edges": np.array([
            [top, top, -top, 1.0, 1.0, 1.0, least, least, top, -1.0, 0.0, -0.0],
            [top, -top, -top, 1.0 + ulp, 1.0 + ulp, 1.0 + 2 * ulp, 0.0, least, least, -1.0 - ulp, 0.0, -0.0],
            [top, least, -top, 1.0, least, 1.0, 0.0, 0.0, -top, 0.0, 0.0, -0.0],
            [top, 0.0, -top, 1.0 + ulp, 2.0 + ulp, 1.0, least, 0.0, 0.0, 0.0, -0.0, -0.0]], dtype=np.float32),
    }


def means():
    data = {}
    for name, values in mean_cases().items():
        exact = [sum(Fraction(float(v)) for v in column) / len(values) for column in values.T]
        data[f"mean/{name}/values"] = values
        data[f"mean/{name}/mean"] = np.array([nearest(e) for e in exact], dtype=np.float32)
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
            tolerance = {} if data[key].dtype == np.float64 else {"rtol": 0, "atol": 0}
            if not (same and np.allclose(file[key][()], data[key], equal_nan=True,
                                         **{"rtol": 1e-14, "atol": 1e-15} | tolerance)):
                bad.append(key)
    print(f"{path.name}: {len(data)} datasets, " + ("equal" if not bad else "DIFFERENT: " + ", ".join(bad)))
    return not bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored file instead of writing it")
    arguments = parser.parse_args()
    path, data = DATA / "ensemble.h5", votes() | means()
    if arguments.check:
        sys.exit(0 if check(path, data) else 1)
    write(path, data)


if __name__ == "__main__":
    main()
