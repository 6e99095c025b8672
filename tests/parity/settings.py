#!/usr/bin/env python3
"""A made-up study of three settings and what a report of it must say: tests/parity/data/settings.h5.

    settings.py            writes the file
    settings.py --check    computes everything again and compares it with the stored file

Needs SciPy, h5py and numpy. tests/unit/test_report_settings.c makes the report and compares it with this, to 1e-9.

Three arms, the first being the baseline, in three settings, on 4 x 3 seeds (init x order).

  scores     float64 [arms,settings,12] errors; NaN: the cell is missing
  expected/TABLE/COLUMN   float64, a row a row of the table; NaN is null with a reason
"""

import argparse
import pathlib
import sys

import numpy as np
import scipy.stats

from draws import NAN, both
from mixed_models import estimates
from study_statistics import check, write

PATH = pathlib.Path(__file__).resolve().parent / "data" / "settings.h5"
ARMS, SETTINGS, I, J = 3, 3, 4, 3
INIT, ORDER = np.indices((I, J)).reshape(2, -1)


def make():
    random = np.random.RandomState(33)
    level = np.array([0.12, 0.2, 0.35])[None, :, None] * np.array([1, 0.93, 1.04])[:, None, None]
    effects = (random.normal(0, 0.05, (ARMS, SETTINGS, I))[:, :, INIT]
               + random.normal(0, 0.03, (ARMS, SETTINGS, J))[:, :, ORDER]
               + random.normal(0, 0.06, (ARMS, SETTINGS, I * J)))
    scores = np.round(level * (1 + effects), 4)
    scores[2, 1, 5] = NAN
    return scores


def mean_of(values, there):
    """lme4's estimates over the runs that are there."""
    return estimates(values, [INIT[there], ORDER[there]])[1]


def change(arm, base):
    """Of each pair: the gradient of mean(arm) / mean(base) gives what it makes of their quotient."""
    a, b = arm.mean(), base.mean()
    return a / b - 1 + (arm - a) / b - a * (base - b) / b ** 2


def better(arm, base):
    """The U of Mann and Whitney counts pairs in which the first is larger."""
    return scipy.stats.mannwhitneyu(base, arm).statistic / len(arm) / len(base)


def setting_row(scores, k, s):
    arm, base = scores[k, s], scores[0, s]
    own, there = ~np.isnan(arm), ~np.isnan(arm) & ~np.isnan(base)
    found = mean_of(arm[own], own)
    row = {"n": own.sum(), "mean": found[0], "sd": found[6]}
    if k == 0:
        return row | {"change": NAN, "better": NAN} | both("change_interval", (NAN, NAN))
    found = mean_of(change(arm[there], base[there]), there)
    return row | {"change": found[0], "better": better(arm[own], base)} | both("change_interval", found[4:6])


def average_row(scores, k):
    there = ~np.isnan(scores[[0, k]]).any((0, 1))
    runs = [x[~np.isnan(x)] for x in scores[k]]
    middle = scipy.stats.trim_mean(np.concatenate([x / b.mean() for x, b in zip(runs, scores[0])]), 0.25)
    row = {"settings": SETTINGS, "n": there.sum(), "iqm": middle}
    if k == 0:
        return row | {"change": NAN, "better": NAN} | both("interval", (NAN, NAN))
    found = mean_of(np.mean([change(scores[k, s, there], scores[0, s, there]) for s in range(SETTINGS)], 0), there)
    return row | {"change": found[0], "better": np.mean([better(x, b) for x, b in zip(runs, scores[0])])} | \
        both("interval", found[4:6])


def columns(rows):
    return {key: np.array([row[key] for row in rows], np.float64) for key in rows[0]}


def everything():
    scores = make()
    tables = {"settings": columns([setting_row(scores, k, s) for s in range(SETTINGS) for k in range(ARMS)]),
              "settings_average": columns([average_row(scores, k) for k in range(ARMS)])}
    return {"scores": scores} | {f"expected/{table}/{key}": values for table, rows in tables.items()
                                 for key, values in rows.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored file instead of writing it")
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(0 if check(PATH, everything()) else 1)
    write(PATH, everything())


if __name__ == "__main__":
    main()
