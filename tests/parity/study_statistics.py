#!/usr/bin/env python3
"""Reference numbers of SciPy, statsmodels and the published formulas: tests/parity/data/statistics.h5.

    study_statistics.py            writes the file
    study_statistics.py --check    computes everything again and compares it with the stored file

Needs SciPy, statsmodels, pandas, h5py and numpy; the C tests (tests/unit/test_statistics*.c) need the stored file only.

One group a kind of statistic, in it one a case with its input and what is expected; NaN is "must not be there". Draws
of bootstraps and permutations are those of include/autodidact/statistics/statistics.h, computed here from Philox's
definition (Salmon et al. 2011); intervals come from SciPy's bootstrap, which is handed the replicates. What no library
has (Jordan 2024, Sellam et al. 2022, Ting et al. 1990, Tang et al. 2020) is the equation, written out over plain loops.
"""

import argparse
import math
import pathlib
import sys
import warnings

import h5py
import numpy as np
import scipy.optimize
import scipy.stats
import statsmodels.stats.contingency_tables
import statsmodels.stats.multitest
import statsmodels.stats.proportion

from draws import (EXAMPLES, LEVEL, NAN, NONE, PAIRS, REPLICATES, SECOND, SEED, SHUFFLE, TRIALS, both, draws, known,
                   percentile)
from variance_components import components

DATA = pathlib.Path(__file__).resolve().parent / "data"


# ---- One arm ----

def summaries():
    random = np.random.RandomState(3)
    cases = {
        "ten": random.normal(0.1, 0.01, 10), "thirty": random.normal(size=30), "skewed": random.gamma(1.0, size=57),
        "two": np.array([0.25, 0.5]), "three-tied": np.array([2.0, 1.0, 2.0]), "offset": 1e6 + random.normal(size=20),
        "thousand": random.normal(0.2, 0.03, 1000), "one": np.array([0.3]), "equal": np.full(6, 0.1),
        "none": np.array([]), "nan": np.array([0.1, NAN, 0.3]), "infinite": np.array([0.1, math.inf]),
    }
    data = {}
    for name, x in cases.items():
        n, keys = len(x), ("mean", "median", "sd", "minimum", "maximum", "lower", "upper", "iqr")
        expected = dict.fromkeys(keys, NAN)
        if n > 0 and np.isfinite(x).all():
            q = np.quantile(x, [0.25, 0.5, 0.75])
            expected |= {"mean": x.mean(), "median": q[1], "minimum": x.min(), "maximum": x.max(), "lower": q[0],
                         "upper": q[2], "iqr": scipy.stats.iqr(x)}
            if n > 1:
                expected["sd"] = x.std(ddof=1) if name != "equal" else 0.0
        data |= {f"summary/{name}/x": x} | {f"summary/{name}/{k}": v for k, v in expected.items()}
    return data


def wilsons():
    data = {}
    for count, n in ((0, 10), (3, 10), (10, 10), (1, 1), (7, 1000), (0, 0)):
        interval = statsmodels.stats.proportion.proportion_confint(count, n, 1 - LEVEL, "wilson") if n else NONE
        data |= {f"wilson/{count}-of-{n}/{k}": v
                 for k, v in ({"count": count, "n": n} | both("share", interval)).items()}
    return data


def correlations():
    random = np.random.RandomState(4)
    x = random.normal(size=25)
    cases = {"related": (x, x + random.normal(size=25)), "tied": (np.round(x), np.round(x + random.normal(size=25))),
             "unrelated": (x, random.normal(size=25)), "three": (np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])),
             "perfect": (x, np.exp(x)), "two": (x[:2], x[:2]), "equal": (x, np.full(25, 1.0)),
             "nan": (x, np.where(x > 1, NAN, x))}
    data = {}
    for name, (a, b) in cases.items():
        expected = {"rho": NAN, "p": NAN} | both("rho", NONE)
        if name not in ("two", "equal", "nan"):
            result = scipy.stats.spearmanr(a, b)
            rho = result.statistic
            expected["rho"] = rho
            if name != "perfect":
                expected["p"] = result.pvalue
            if name not in ("perfect", "three"):
                half = scipy.stats.norm.ppf(0.975) * math.sqrt((1 + rho ** 2 / 2) / (len(a) - 3))
                expected |= both("rho", np.tanh(np.arctanh(rho) + np.array([-half, half])))
        data |= {f"spearman/{name}/{k}": v for k, v in ({"x": a, "y": b} | expected).items()}
    return data


def holms():
    data = {}
    cases = {"four": [0.01, 0.04, 0.03, 0.005], "missing": [0.01, NAN, 0.03, 0.02], "one": [0.2],
             "ties": [0.02, 0.02, 0.9], "all-missing": [NAN, NAN]}
    for name, p in cases.items():
        p = np.array(p)
        adjusted, there = p.copy(), ~np.isnan(p)
        if there.any():
            adjusted[there] = statsmodels.stats.multitest.multipletests(p[there], method="holm")[1]
        data |= {f"holm/{name}/p": p, f"holm/{name}/adjusted": adjusted}
    return data


# ---- Two arms ----

def spread_of(x, y, estimate, remove, levels, centre):
    """Ratio, interval and p of estimate(x) / estimate(y), variances; `levels` are left out by remove(values, level)."""
    log = lambda x, y: 0.5 * np.log(estimate(x) / estimate(y))
    left = np.array([log(remove(x, i), remove(y, i)) for i in range(levels)])
    error = math.sqrt((levels - 1) / levels * ((left - left.mean()) ** 2).sum())
    half = scipy.stats.t.ppf(0.975, levels - 1) * error
    x, y = centre(x), centre(y)
    seen, large = abs(log(x, y)) * (1 - 1e-12), 0
    for r in range(REPLICATES):
        swap = (draws(SHUFFLE, r, levels, 2 ** 31) >= 2 ** 30).reshape(-1, *[1] * (x.ndim - 1))
        large += abs(log(np.where(swap, y, x), np.where(swap, x, y))) >= seen
    l = log(x, y)
    return [math.exp(l), math.exp(l - half), math.exp(l + half), (1 + large) / (1 + REPLICATES)]


def crossed_total(x, y):
    """The total of a grid, from mean squares; errors of rows and columns left out, less that of single cells."""
    def parts(y):
        I, J = y.shape
        a, b = y.mean(1, keepdims=True) - y.mean(), y.mean(0, keepdims=True) - y.mean()
        e = y - y.mean() - a - b
        return a ** 2 / (I - 1) / J + b ** 2 / (J - 1) / I + (1 - 1 / I - 1 / J) * e ** 2 / ((I - 1) * (J - 1))

    log = lambda x, y: 0.5 * math.log(parts(x).sum() / parts(y).sum())
    squares = []
    for axis in (0, 1):
        left = np.array([log(np.delete(x, i, axis), np.delete(y, i, axis)) for i in range(x.shape[axis])])
        squares.append((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum())
    cells = ((0.5 * (parts(x) / parts(x).sum() - parts(y) / parts(y).sum())) ** 2).sum() * x.size / (x.size - 1)
    error = math.sqrt(max(sum(squares) / 2, sum(squares) - cells))
    df = sum(squares) ** 2 / sum(v ** 2 / (n - 1) for v, n in zip(squares, x.shape))
    l, t = log(x, y), scipy.stats.t
    half = t.ppf(0.975, df) * error
    return [math.exp(l), math.exp(l - half), math.exp(l + half), NAN]


def spread_rows(x, y):
    """x, y [levels, runs of each]; of a grid where they are three-dimensional, [1,I,J]."""
    var = lambda v: v.var(ddof=1)
    drop = lambda v, i: np.delete(v, i, 0)
    within = lambda v: v.var(1, ddof=1).mean()
    total = lambda v: var(v.mean(1)) + (within(v) * (1 - 1 / v.shape[1]) if v.shape[1] > 1 else 0)
    if x.ndim == 2:
        rows = [spread_of(x, y, f, drop, len(x), lambda v: v - v.mean()) for f in (total, within)[:x.shape[1]]]
        return np.array(rows)
    rows = [crossed_total(x[0], y[0])]
    return np.array(rows + [spread_of(x[0].mean(a), y[0].mean(a), var, drop, x.shape[2 - a], lambda v: v - v.mean())
                            for a in (1, 0)])


def spreads():
    random = np.random.RandomState(9)
    grid = lambda I, J: sum(random.normal(0, 1, shape) for shape in ((1, I, 1), (1, 1, J), (1, I, J)))
    cases = {"pairs": [random.normal(0, s, (12, 1)) for s in (1, 2)],
             "nested": [random.normal(0, s, (8, 1)) + random.normal(0, 1, (8, 3)) for s in (1, 2)],
             "crossed": [grid(7, 6), 1.5 * grid(7, 6)], "large": [grid(11, 10), 1.5 * grid(11, 10)]}
    data = {}
    for name, (x, y) in cases.items():
        data |= {f"spread/{name}/a": x, f"spread/{name}/b": y, f"spread/{name}/table": spread_rows(x, y)}
    return data


# ---- Examples ----

def jordans():
    random = np.random.RandomState(11)
    hard = random.rand(150)
    wrong = (random.rand(12, 150) < hard * 0.4).astype(np.uint8)
    cases = {"twelve": wrong, "one-run": wrong[:1], "same-runs": np.repeat(wrong[:1], 4, 0), "two": wrong[:2],
             "one-example": wrong[:, :1], "perfect": wrong[:5] * 0}
    data = {}
    for name, w in cases.items():
        R, N = w.shape
        expected = dict.fromkeys(("error", "test", "distribution", "noise", "floor", "halves"), NAN)

        def estimate(w):
            each = sum(w[:, i].var(ddof=1) for i in range(N))
            test = w.mean(1).var(ddof=1)
            return test, N / (N - 1) * (test - each / N ** 2)

        if R > 1 and N > 1:
            test, distribution = estimate(w.astype(float))
            expected |= {"error": w.mean(), "test": test, "distribution": distribution, "noise": test - distribution,
                         "floor": w.mean() / (N * 3)}
            even, odd = w[:, ::2].sum(1), w[:, 1::2].sum(1)
            if R > 2 and np.ptp(even) and np.ptp(odd):
                expected["halves"] = scipy.stats.pearsonr(even, odd).statistic
        data |= {f"jordan/{name}/{k}": v for k, v in ({"wrong": w} | expected).items()}
    return data


def multi_bootstraps():
    random = np.random.RandomState(12)
    hard = random.rand(80)
    a, b = (random.rand(6, 80) < hard * 0.3).astype(np.uint8), (random.rand(6, 80) < hard * 0.4).astype(np.uint8)
    cases = {"paired": (a, b, 1), "unpaired": (a, b[:4], 0), "one": (a[:1], b[:1], 1), "same": (a * 0, b * 0, 1)}
    data = {}
    for name, (x, y, pair) in cases.items():
        expected = {"difference": x.mean() - y.mean(), "p": NAN} | both("difference", NONE)
        if name in ("paired", "unpaired"):
            replicates = []
            for r in range(REPLICATES):
                i, j, e = draws(PAIRS, r, len(x), len(x)), draws(SECOND, r, len(y), len(y)), draws(EXAMPLES, r, 80, 80)
                replicates.append(x[i][:, e].mean() - y[i if pair else j][:, e].mean())
            replicates = np.array(replicates)
            share = max(min((replicates <= 0).mean(), (replicates >= 0).mean()), 1 / REPLICATES)
            expected |= {"p": min(1.0, 2 * share)} | both("difference", percentile(replicates))
        data |= {f"multi-bootstrap/{name}/{k}": v for k, v in ({"a": x, "b": y, "paired": pair} | expected).items()}
    return data


def mcnemars():
    random = np.random.RandomState(17)
    hard = random.rand(400)
    a, b = ((random.rand(400) < hard * x).astype(np.uint8) for x in (0.4, 0.6))
    many = np.repeat([0, 1, 0, 1], [9000, 500, 430, 70])
    cases = {"apart": (a, b), "turned": (b, a), "one-way": (a, np.maximum(a, np.eye(1, 400, 3)[0])),
             "balanced": (np.array([1, 0, 0, 1]), np.array([0, 1, 0, 1])),
             "same": (a, a), "ten-thousand": (many, np.repeat([0, 1, 0, 1], [9000, 70, 500, 430]))}
    data = {}
    for name, (x, y) in cases.items():
        x, y = x.astype(np.uint8), y.astype(np.uint8)
        only = ((x > y).sum(), (y > x).sum())
        p = (statsmodels.stats.contingency_tables.mcnemar([[0, only[0]], [only[1], 0]], exact=True).pvalue
             if sum(only) else NAN)
        data |= {f"mcnemar/{name}/{k}": v
                 for k, v in {"a": x, "b": y, "only_a": only[0], "only_b": only[1], "p": p}.items()}
    return data


def ensembles():
    random = np.random.RandomState(13)
    data = {}
    for name, (K, N, C, scale) in {"five": (5, 60, 3, 2.0), "two-classes": (3, 40, 2, 5.0), "sharp": (2, 30, 4, 40.0),
                                   "one": (1, 10, 2, 1.0)}.items():
        labels = random.randint(0, C, N)
        logits = (random.normal(size=(K, N, C)) * scale + 2 * np.eye(C)[labels]).astype(np.float32)
        p = scipy.special.softmax(logits.astype(float), -1)

        def calibration(p):
            top, bins = p.max(-1), np.arange(1, 16) / 15
            place = np.minimum(np.searchsorted(bins, top, side="left"), 14)
            right = p.argmax(-1) == labels
            ece = sum(abs(right[place == b].sum() - top[place == b].sum()) for b in range(15)) / N
            return -np.log(p[np.arange(N), labels]).mean(), ((p - np.eye(C)[labels]) ** 2).sum(-1).mean(), ece

        each = np.array([(-scipy.special.log_softmax(l.astype(float), -1)[np.arange(N), labels].mean(),
                          *calibration(q)[1:]) for l, q in zip(logits, p)])
        mean = p.mean(0)
        diversity = ((p - mean) ** 2).sum(-1).mean() if K > 1 else NAN
        predictions = p.argmax(-1)
        churn = np.mean([(predictions[i] != predictions[j]).mean() for i in range(K) for j in range(K)])
        expected = {"each": each, "ensemble": np.array(calibration(mean)), "diversity": diversity, "churn": churn}
        data |= {f"ensemble/{name}/{k}": v
                 for k, v in ({"logits": logits, "labels": labels.astype(np.uint32)} | expected).items()}
    return data


# ---- Search and power ----

def best_ofs():
    random = np.random.RandomState(14)
    data = {}
    cases = {"twenty": (random.normal(size=20), 1), "error": (random.rand(31) * 0.2, 0),
             "tied": (np.round(random.rand(12), 1), 0), "equal": (np.full(6, 0.5), 1),
             "two": (np.array([0.1, 0.3]), 0)}
    for name, (x, higher) in cases.items():
        N, rows = len(x), []
        v = np.sort(x if higher else -x)
        sign = 1 if higher else -1

        def unbiased(v, n):
            return sum(v[i - 1] * math.comb(i - 1, n - 1) for i in range(1, len(v) + 1)) / math.comb(len(v), n)

        for n in range(1, N // 2 + 1):
            pmf = [(i / N) ** n - ((i - 1) / N) ** n for i in range(1, N + 1)]
            cdf = np.cumsum(pmf)
            band = [v[np.argmax(cdf >= q - 1e-12)] for q in (0.025, 0.975)]
            order = slice(None) if higher else slice(None, None, -1)
            rows.append((sign * np.dot(v, pmf), sign * unbiased(v, n), *np.array(band)[order] * sign))
        data |= {f"best-of/{name}/x": x, f"best-of/{name}/higher": higher, f"best-of/{name}/table": np.array(rows)}
    return data


def frontiers():
    random = np.random.RandomState(15)
    final = random.normal(size=14)
    scores = np.stack([final + random.normal(size=14) * s for s in (2, 0.7, 0)], 1)
    share, count = np.array([0.1, 0.4, 1.0]), 6
    data = {}
    for name, (s, higher) in {"up": (scores, 1), "down": (-scores, 0), "ends-only": (scores[:, 2:], 1),
                              "one": (scores[:1], 1)}.items():
        N, F = s.shape
        f_share, plans, plain = share[-F:], [], []
        good = s if higher else -s
        sign = 1 if higher else -1
        for budget in range(1, count + 1):
            if N < 2 or F < 2:
                plain.append(NAN)
                plans.append((NAN, budget, budget, F, budget))
                continue
            draw = lambda t, r: draws(TRIALS + t, r, t, N)
            plain.append(np.mean([good[draw(budget, r), -1].max() for r in range(REPLICATES)]))
        for budget in range(1, count + 1):
            if N < 2 or F < 2:
                continue
            best = (plain[budget - 1], budget, budget, F, float(budget))
            for f in range(F - 1):
                so_far = np.maximum.accumulate(good, 1)[:, f]
                for t in range(2, int(min(4 * count, count / share[0])) + 1):
                    if t * f_share[f] >= count:
                        continue
                    for p in range(1, t + 1):
                        cost = t * f_share[f] + p * (1 - f_share[f])
                        if cost > budget + 1e-9:
                            continue
                        value = np.mean([good[i[np.argsort(-so_far[i], kind="stable")[:p]], -1].max()
                                         for i in (draw(t, r) for r in range(REPLICATES))])
                        if value > best[0] + 1e-12:
                            best = (value, t, p, f, cost)
            plans.append(best)
        table = np.array([(sign * p[0], p[4], sign * q) for p, q in zip(plans, plain)])
        data |= {f"frontier/{name}/{k}": v
                 for k, v in {"scores": s, "share": f_share, "higher": higher, "table": table}.items()}
    return data


def powers():
    T, rows, smallest = scipy.stats.nct, [], []
    power = lambda errors, df: (T.sf(scipy.stats.t.ppf(0.975, df), df, errors)
                                + np.nan_to_num(T.cdf(scipy.stats.t.ppf(0.025, df), df, errors)))
    for errors, df in ((1.6, 9), (2.0, 99), (-2.0, 3), (1.1, 1), (1.6, 999.5), (5.0, 2)):
        rows.append((errors, df, power(abs(errors), df)))
    for df in (2, 3, 5, 23, 400):
        smallest.append((df, scipy.optimize.brentq(lambda e: power(e, df) - 0.8, 0.1, 9, xtol=1e-13)))
    return {"power/t/table": np.array(rows), "power/smallest/table": np.array(smallest)}


def trajectories():
    random = np.random.RandomState(16)
    values = random.normal(size=(9, 12))
    values[3, 8:] = values[5, 11:] = NAN
    values[:, 10] = NAN
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bands = np.nanquantile(values, [0.05, 0.25, 0.5, 0.75, 0.95], 0).T
    few, many = np.full(20, 8.0), np.full(20, 16.0)
    many_norm, few_norm = random.rand(20) + 1, random.rand(20) + 2
    few_norm[4] = NAN
    ok = ~np.isnan(few_norm)
    gradient = ((many * many_norm - few * few_norm) / (many - few))[ok].mean()
    covariance = ((few_norm - many_norm) / (1 / few - 1 / many))[ok].mean()
    a, b = random.randint(-2 ** 40, 2 ** 40, (2, 32)), random.randint(-2 ** 40, 2 ** 40, (2, 32))
    product = sum(int(x) * int(y) for x, y in zip(a[1] - a[0], b[1] - b[0])) / 2 ** 72
    return {"bands/values": values, "bands/quantiles": bands, "noise/few_norm": few_norm, "noise/many_norm": many_norm,
            "noise/few": few, "noise/many": many, "noise/gradient": gradient, "noise/covariance": covariance,
            "noise/scale": covariance / gradient if gradient > 0 else NAN,
            "sketch/a": a, "sketch/b": b, "sketch/product": float(product)}


def everything():
    known()
    data = {}
    for part in (summaries, wilsons, correlations, holms, spreads, components,
                 jordans, multi_bootstraps, mcnemars, ensembles, best_ofs, frontiers, powers, trajectories):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of degenerate cases
            data |= part()
    data |= {"level": LEVEL, "replicates": REPLICATES, "seed": SEED}
    return {key: (np.asarray(value)
                  if np.asarray(value).dtype in (np.uint8, np.uint32, np.float32, np.int64) and np.ndim(value)
                  else np.float64(value))
            for key, value in data.items()}


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
            if not (same and np.allclose(file[key][()], data[key], rtol=1e-10, atol=1e-13, equal_nan=True)):
                bad.append(key)
    print(f"{path.name}: {len(data)} datasets, " + ("equal" if not bad else "DIFFERENT: " + ", ".join(bad)))
    return not bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored file instead of writing it")
    arguments = parser.parse_args()
    path, data = DATA / "statistics.h5", everything()
    if arguments.check:
        sys.exit(0 if check(path, data) else 1)
    write(path, data)


if __name__ == "__main__":
    main()
