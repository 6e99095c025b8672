#!/usr/bin/env python3
"""A small made-up study and what a report of it must say: tests/parity/data/study_report.h5.

    study_report.py            writes the file
    study_report.py --check    computes everything again and compares it with the stored file

Needs SciPy, statsmodels, h5py and numpy; tests/unit/test_report.c writes the runs with the program's own functions, has
the report made, and compares report.json with what is stored here, to 1e-9.

Three arms on 4 x 5 seeds (init x order), 64 dev examples of 3 classes. Arm 1 has a run that diverged and one that
failed by the rule (an error of 0.6 or more), arm 2 a cell without a result.

  logits     float32 [arms,20,64,3] after the last step; labels uint32 [64]
  state      uint32 [arms,20] 0 finished, 1 diverged, 2 missing
  scores     float64 [arms,20,4] dev errors after steps 2, 4, 6, 8
  loss, norm float64 [arms,20,8] of every step
  sketch     int64 [arms,20,3,16] at steps 0, 4, 8
  crossed/COLUMN the mean difference of arm 1 from arm 0 in the scores after step 2, of which all are there, with the
             error of crossed seeds
  parts      float64 [arms,20,3,4] at the same steps: norm of the gradient, of those of parts, examples, examples of a
             part
  expected/SECTION/TABLE/COLUMN   float64, a row a row of the table; NaN is null with a reason
"""

import argparse
import math
import pathlib
import sys
import warnings

import numpy as np
import scipy.optimize
import scipy.special
import scipy.stats
import statsmodels.stats.contingency_tables
import statsmodels.stats.multitest

from draws import NAN, NONE, both
from mixed_models import estimates
from study_statistics import check, write
from variance_components import complete

DATA = pathlib.Path(__file__).resolve().parent / "data"
ARMS, I, J, N, C, STEPS, EVALS, R = 3, 4, 5, 64, 3, 8, 4, 10000
POINTS = I * J
CROSSED = ("difference", "error", "df", "p", "interval_low", "interval_high")


def make():
    random = np.random.RandomState(21)
    labels = random.randint(0, C, N)
    hard = random.gamma(1.0, size=N)
    run = (random.normal(0, 0.3, (ARMS, I, 1)) + random.normal(0, 0.3, (1, 1, J))
           + random.normal(0, 0.2, (ARMS, I, J))).reshape(ARMS, POINTS)
    skill = 1.2 + run + np.array([0.0, 0.5, 0.2])[:, None]
    logits = random.normal(0, 0.7, (ARMS, POINTS, N, C)) + random.normal(0, 1, (1, 1, N, C))
    logits += np.eye(C)[labels] * (skill[:, :, None, None] - 0.4 * hard[None, None, :, None])
    state = np.zeros((ARMS, POINTS), np.uint32)
    logits[1, 7] = random.normal(size=(N, C)) - 2 * np.eye(C)[labels]  # fails
    state[1, 13], state[2, 4] = 1, 2
    logits = logits.astype(np.float32)
    error = (logits.argmax(-1) != labels).mean(-1)
    scores = np.stack([np.clip(error + random.normal(0, s, error.shape), 0, 1) for s in (0.1, 0.05, 0.02)] + [error],
                      -1)
    loss = np.exp(-np.arange(STEPS) / 4)[None, None] + random.rand(ARMS, POINTS, STEPS) * 0.2
    norm = random.gamma(2.0, size=(ARMS, POINTS, STEPS))
    sketch = np.cumsum(random.randint(-2 ** 38, 2 ** 38, (ARMS, POINTS, 3, 16)), 2)
    other = np.random.RandomState(22)
    examples = np.where(np.arange(3) < 2, 32.0, 24.0) * np.ones((ARMS, POINTS, 1))
    few = examples / 8 + other.randint(0, 3, examples.shape)
    gradient, covariance = (other.uniform(0.5, 1.5, examples.shape),
                            other.uniform(20, 80, (ARMS, POINTS, 1)) * np.arange(1, 4))
    norms = [np.sqrt(gradient + covariance / n) for n in (examples, few)]
    parts = np.stack([*norms, examples, few], -1)
    parts[1, 10] = parts[1, 10, :, [0, 1, 2, 2]].T  # batches of one lane
    return {"parts": parts, "logits": logits, "labels": labels.astype(np.uint32), "state": state, "scores": scores,
            "loss": loss, "norm": norm, "sketch": sketch}


def rows(dictionaries):
    """Columns from a list of rows."""
    return {key: np.array([row[key] for row in dictionaries], np.float64) for key in dictionaries[0]}


def levels(mask):
    """Levels of the terms of the runs of a grid [I,J] that are there."""
    return [axis[mask] for axis in np.indices((I, J)).reshape(2, -1)]


def compare(a, b, mask):
    """Of arm a against the baseline b, on common seeds."""
    a, b = a[mask], b[mask]
    d = np.where(np.abs(a - b) < 1e-12, 0.0, a - b)
    _, (mean, error, df, p, low, high, *_) = estimates(d, levels(mask))
    _, (base, *_, sd, _, _, _) = estimates(b, levels(mask))
    T, t = scipy.stats.nct, scipy.stats.t.ppf(0.975, df)
    errors = scipy.optimize.brentq(lambda e: T.sf(t, df, e) + np.nan_to_num(T.cdf(-t, df, e)) - 0.8, 0.1, 9, xtol=1e-13)
    return {"pairs": len(d), "difference": mean, "error": error, "df": df, "p": p, "share": mean / base,
            "in_sds": mean / sd, "smallest": errors * error, "better": ((d < 0) + 0.5 * (d == 0)).mean()} | \
        both("interval", (low, high)) | both("better_interval", NONE)


def holm(p):
    return statsmodels.stats.multitest.multipletests(p, method="holm")[1]


def summary(x):
    q = np.quantile(x, [0.25, 0.5, 0.75])
    return {"n": len(x), "median": q[1], "minimum": x.min(), "maximum": x.max(), "lower": q[0], "upper": q[2]}


def arm(x, mask, failed, missing):
    _, (mean, _, _, _, low, high, sd, sd_low, sd_high, _) = estimates(x[mask], levels(mask))
    return summary(x[mask]) | both("failed_share", NONE) | \
        {"cells": POINTS, "failed": failed, "missing": missing, "mean": mean, "sd": sd} | \
        both("mean_interval", (low, high)) | both("sd_interval", (sd_low, sd_high))


def component_rows(y):
    if np.isnan(y).any():
        mask = ~np.isnan(y.ravel())
        v, _ = estimates(y.ravel()[mask], levels(mask))
        return [{"variance": x, "sd": math.sqrt(x), "share": x / v.sum(), "df": NAN, "mean_square": NAN}
                for x in v]
    parts = complete(y)
    variances = [np.dot(k, m) for _, _, k, m in parts]
    return [{"df": df, "mean_square": ms, "variance": v, "sd": math.sqrt(v) if v >= 0 else NAN,
             "share": v / sum(variances)} for (df, ms, _, _), v in zip(parts, variances)]


def best_rows(x):
    v, n_all, result = np.sort(-x), len(x), []
    for n in range(1, n_all // 2 + 1):
        pmf = np.array([(i / n_all) ** n - ((i - 1) / n_all) ** n for i in range(1, n_all + 1)])
        unbiased = sum(v[i - 1] * math.comb(i - 1, n - 1) for i in range(1, n_all + 1)) / math.comb(n_all, n)
        result.append({"n": n, "unbiased": -unbiased, "plug_in": -np.dot(v, pmf)})
    return result


def jordan(wrong):
    runs, w = len(wrong), wrong.astype(float)

    def estimate(w):
        test = w.mean(-1).var(-1, ddof=1)
        return test, N / (N - 1) * (test - w.var(-2, ddof=1).sum(-1) / N ** 2)

    test, distribution = estimate(w)
    root = lambda v: math.sqrt(v) if v >= 0 else NAN
    return {"runs": runs, "examples": N, "error": w.mean(), "test_sd": root(test),
             "distribution_sd": root(distribution), "floor_sd": math.sqrt(w.mean() / (N * C)),
             "test_variance": test, "distribution_variance": distribution, "noise_variance": test - distribution,
             "halves": scipy.stats.pearsonr(w[:, ::2].sum(1), w[:, 1::2].sum(1)).statistic}


def multi(a, b):
    """On a grid the runs are not independent: no interval and no p."""
    return {"pairs": len(a), "examples": N, "difference": (a.astype(float) - b).mean(), "p": NAN} | \
        both("interval", NONE)


def mcnemar_pairs(a, b):
    rows = [((x & ~y).sum(), (y & ~x).sum()) for x, y in zip(a, b)]
    return [{"only_arm": x, "only_baseline": y,
             "p": statsmodels.stats.contingency_tables.mcnemar([[0, x], [y, 0]], exact=True).pvalue} for x, y in rows]


def mcnemar_sums(pairs):
    better = sum(row["p"] < 0.05 and row["only_arm"] < row["only_baseline"] for row in pairs)
    worse = sum(row["p"] < 0.05 and row["only_arm"] > row["only_baseline"] for row in pairs)
    return {"pairs": len(pairs), "better": better, "worse": worse, "undecided": len(pairs) - better - worse} | \
        {key: np.mean([row[key] for row in pairs]) / N for key in ("only_arm", "only_baseline")}


def prediction_row(logits, labels):
    p, predicted = scipy.special.softmax(logits.astype(float), -1), logits.argmax(-1)
    pairs = [(i, j) for i in range(len(p)) for j in range(i + 1, len(p))]
    right, one = predicted == labels, np.eye(C)[labels]

    def scores(p):
        top = p.max(-1)
        place = np.minimum(np.searchsorted(np.arange(1, 16) / 15, top, side="left"), 14)
        hit = p.argmax(-1) == labels
        return (-np.log(p[np.arange(N), labels]).mean(), ((p - one) ** 2).sum(-1).mean(),
                sum(abs(hit[place == b].sum() - top[place == b].sum()) for b in range(15)) / N)

    q, kappa = [], []
    for i, j in pairs:
        n11, n10, n01, n00 = ((right[i] & right[j]).sum(), (right[i] & ~right[j]).sum(), (~right[i] & right[j]).sum(),
                              (~right[i] & ~right[j]).sum())
        q.append((n11 * n00 - n10 * n01) / (n11 * n00 + n10 * n01))
        kappa.append(2 * (n11 * n00 - n10 * n01) / ((n11 + n10) * (n10 + n00) + (n11 + n01) * (n01 + n00)))
    each, vote = np.mean([scores(x) for x in p], 0), scores(p.mean(0))
    return {"runs": len(p), "churn": np.mean([(predicted[i] != predicted[j]).mean() for i, j in pairs]),
            "consistency": np.mean([(predicted[i] == predicted[j]).mean() for i, j in pairs]),
            "correct_consistency": np.mean([(right[i] & right[j]).mean() for i, j in pairs]),
            "q": np.nanmean(q), "kappa": np.nanmean(kappa), "nll": each[0],
            "brier": each[1], "ece": each[2], "vote_error": (p.mean(0).argmax(-1) != labels).mean(),
            "vote_nll": vote[0], "vote_brier": vote[1], "vote_ece": vote[2],
            "diversity": ((p - p.mean(0)) ** 2).sum(-1).mean()}


def between(a, b, labels):
    """Predictions [runs,N] of two arms, over all pairs of runs."""
    return {key: np.mean([share(x, y) for x in a for y in b]) for key, share in
            {"churn": lambda x, y: (x != y).mean(), "consistency": lambda x, y: (x == y).mean(),
             "correct_consistency": lambda x, y: ((x == labels) & (y == labels)).mean()}.items()}


def correlation(x, y):
    """On a grid the runs are not independent: no interval and no p."""
    return {"runs": len(x), "rho": scipy.stats.spearmanr(x, y).statistic, "p": NAN} | both("interval", NONE)


def distances(sketch, base):
    """sketch [runs,3,16] as numbers; base: rows of the baseline with the same seeds, or None."""
    s, result, chosen = sketch / 2.0 ** 36, [], range(len(sketch))
    length = lambda v: math.sqrt((v ** 2).sum())
    for t in range(3):
        pairs = [(i, j) for i in chosen for j in chosen if i < j]
        turn = [np.dot(s[i, t] - s[i, 0], s[j, t] - s[j, 0]) / length(s[i, t] - s[i, 0]) / length(s[j, t] - s[j, 0])
                for i, j in pairs] if t else []
        result.append({"step": 4 * t, "from_start": np.mean([length(s[i, t] - s[i, 0]) for i in chosen]),
                       "between": np.mean([length(s[i, t] - s[j, t]) for i, j in pairs]),
                       "cosine": np.mean(turn) if t else NAN,
                       "from_baseline": np.mean([length(a[t] - b[t]) for a, b in zip(s, base / 2.0 ** 36)])
                       if base is not None else NAN})
    return result


def noise_rows(parts):
    """parts [runs,3,4] of steps 0, 4, 8 of 8; McCandlish et al. 2018, equations A.1 and A.2."""
    def estimate(rows):
        big, small, B, b = np.stack(rows).T if len(rows) else np.zeros((4, 0))
        use = b < B
        big, small, B, b = (x[use] for x in (big ** 2, small ** 2, B, b))
        if len(B) == 0:
            return 0, NAN, NAN, NAN
        g, s = ((B * big - b * small) / (B - b)).mean(), ((small - big) / (1 / b - 1 / B)).mean()
        return len(B), g, s, s / g if g > 0 and s >= 0 else NAN

    result = []
    for steps in ((1, 2), (), (1,), (2,)):
        n, g, s, scale = estimate([run[t] for run in parts for t in steps])
        own = [estimate([run[t] for t in steps])[3] for run in parts]
        own = [x for x in own if not np.isnan(x)] or [NAN]
        result.append({"runs": len(parts), "steps": n, "gradient": g, "covariance": s, "scale": scale,
                       "lowest": min(own), "highest": max(own)})
    return result


def expected(study):
    labels, logits, state, error = study["labels"], study["logits"], study["state"], study["scores"][:, :, -1]
    finished = [state[a] == 0 for a in range(ARMS)]
    fine = [finished[a] & (error[a] < 0.6) for a in range(ARMS)]
    others = range(1, ARMS)

    found = rows([compare(error[a], error[0], finished[a] & finished[0]) for a in others])
    comparison = found | {"holm_p": holm(found["p"])}
    conditional = {
        key: np.array([compare(error[a], error[0], fine[a] & fine[0])[key] for a in others])
        for key in ("pairs", "difference", "better")}
    failed = [((finished[a] & ~fine[a]).sum() + (state[a] == 1).sum(), (state[a] == 2).sum()) for a in range(ARMS)]
    holes = {key: np.full(2, NAN) for key in ("ratio", "interval_low", "interval_high", "p")}  # both arms lack a cell
    wrong = logits.argmax(-1) != labels
    grids = [np.where(finished[a], error[a], NAN).reshape(I, J) for a in range(ARMS)]
    pairs = [mcnemar_pairs(wrong[a][finished[a] & finished[0]], wrong[0][finished[a] & finished[0]]) for a in others]
    chosen = [k * POINTS // 12 for k in range(12)]
    sketched = [[k for k in chosen if finished[a][k]] for a in range(ARMS)]
    tables = {
        "comparison/comparison": comparison, "comparison/comparison_without_failed": conditional,
        "arms/arms": rows([arm(error[a], finished[a], *failed[a]) for a in range(ARMS)]),
        "arms/arms_without_failed": rows([summary(error[a][fine[a]]) | {"mean": error[a][fine[a]].mean()}
                                          for a in range(ARMS)]),
        "arms/runs": {"score": np.concatenate([np.where(finished[a], error[a], NAN) for a in range(ARMS)])},
        "spread/spread": holes,
        "variance/components": rows([row for grid in grids for row in component_rows(grid)]),
        "test_set/test_set": rows([jordan(wrong[a][finished[a]]) for a in range(ARMS)]),
        "test_set/multi_bootstrap": rows([multi(wrong[a][finished[a] & finished[0]],
                                                wrong[0][finished[a] & finished[0]]) for a in others]),
        "test_set/mcnemar": rows([mcnemar_sums(m) for m in pairs]),
        "test_set/mcnemar_pairs": rows([row for m in pairs for row in m]),
        "predictions/predictions": rows([prediction_row(logits[a][finished[a]], labels) for a in range(ARMS)]),
        "predictions/churn_between": rows([between(logits[a][finished[a]].argmax(-1),
                                                   logits[b][finished[b]].argmax(-1), labels)
                                           for a in range(ARMS) for b in range(a + 1, ARMS)]),
        "early/early_correlation": rows([{"step": 2 * (e + 1), "share": (e + 1) / 4} |
                                         correlation(study["scores"][a, finished[a], e], error[a][finished[a]])
                                         for a in range(ARMS) for e in range(EVALS - 1)]),
        "best/best": rows([row for a in range(ARMS) for row in best_rows(error[a][finished[a]])]),
        "distances/distances": rows([row for a in range(ARMS)
                                     for row in distances(study["sketch"][a][sketched[a]],
                                                          study["sketch"][0][sketched[a]] if a else None)]),
        "noise/noise": rows([row for a in range(ARMS) for row in noise_rows(study["parts"][a][sketched[a]])]),
    }
    bands = []
    for quantity, steps in (("loss", np.arange(1, STEPS + 1)), ("scores", 2 * np.arange(1, EVALS + 1)),
                            ("norm", np.arange(1, STEPS + 1))):
        for a in range(ARMS):
            q = np.quantile(study[quantity][a][finished[a]], [0.05, 0.25, 0.5, 0.75, 0.95], 0)
            bands += [{"step": s, "runs": finished[a].sum(), "q05": q[0, t], "q25": q[1, t], "q50": q[2, t],
                       "q75": q[3, t], "q95": q[4, t]} for t, s in enumerate(steps)]
    tables["trajectories/trajectories"] = rows(bands)
    whole = compare(study["scores"][1, :, 0], study["scores"][0, :, 0], np.ones(POINTS, bool))
    return ({f"crossed/{column}": np.float64(whole[column]) for column in CROSSED}
            | {f"expected/{table}/{column}": np.float64(values)
               for table, columns in tables.items() for column, values in columns.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored file instead of writing it")
    arguments = parser.parse_args()
    study = make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = study | expected(study)
    path = DATA / "study_report.h5"
    if arguments.check:
        sys.exit(0 if check(path, data) else 1)
    write(path, data)


if __name__ == "__main__":
    main()
