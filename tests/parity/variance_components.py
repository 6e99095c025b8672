"""Variance components and their intervals from least squares (statsmodels) and the published equations."""

import itertools
import math

import numpy as np
import pandas
import scipy.stats
import statsmodels.api as sm
import statsmodels.formula.api as smf

from draws import NAN, NONE, REPLICATES, ROWS, draws, percentile


def satterthwaite(k, ms, df):
    v = np.dot(k, ms)
    if v <= 0:
        return NONE
    n = v ** 2 / sum((k * ms) ** 2 / df)
    return (v * n / scipy.stats.chi2.ppf(0.975, n), v * n / scipy.stats.chi2.ppf(0.025, n)) if n >= 1 else NONE


def mls(k, ms, df, tail=0.025):
    """Burdick, Graybill 1992, section 3.3: sum of k[q] ms[q], positive terms P, negative ones N."""
    F = scipy.stats.f
    infinite = lambda p, n: scipy.stats.chi2.ppf(p, n) / n
    G = lambda n: 1 - 1 / infinite(1 - tail, n)
    H = lambda n: 1 / infinite(tail, n) - 1
    P, N = [q for q in range(len(k)) if k[q] > 0], [q for q in range(len(k)) if k[q] < 0]
    s = np.abs(k) * ms

    def star(terms):
        total = 0.0
        for x, q in enumerate(terms):
            for t in terms[x + 1:]:
                n, m = df[q], df[t]
                total += ((G(n + m) ** 2 * (n + m) ** 2 / (n * m) - G(n) ** 2 * n / m - G(m) ** 2 * m / n)
                          / (len(terms) - 1)) * s[q] * s[t]
        return total

    low = sum(G(df[q]) ** 2 * s[q] ** 2 for q in P) + sum(H(df[r]) ** 2 * s[r] ** 2 for r in N) + star(P)
    high = sum(H(df[q]) ** 2 * s[q] ** 2 for q in P) + sum(G(df[r]) ** 2 * s[r] ** 2 for r in N) + star(N)
    for q in P:
        for r in N:
            f = F.ppf(1 - tail, df[q], df[r])
            low += ((f - 1) ** 2 - G(df[q]) ** 2 * f ** 2 - H(df[r]) ** 2) / f * s[q] * s[r]
            f = F.ppf(tail, df[q], df[r])
            high += ((1 - f) ** 2 - H(df[q]) ** 2 * f ** 2 - G(df[r]) ** 2) / f * s[q] * s[r]
    v = np.dot(k, ms)
    return (v - math.sqrt(low), v + math.sqrt(high)) if low >= 0 and high >= 0 else NONE


def frame(y):
    places = np.argwhere(~np.isnan(y))
    return pandas.DataFrame({"y": y[~np.isnan(y)], "a": places[:, 0], "b": places[:, 1],
                             "c": places[:, 2] if y.ndim > 2 else 0})


def anova(y, formula, typ):
    table = sm.stats.anova_lm(smf.ols(formula, frame(y)).fit(), typ=typ)
    return {name: (row["sum_sq"], row["df"]) for name, row in table.iterrows()}


def complete(y):
    """Terms as tuples of axes to (combination of mean squares, their df), from a least-squares fit without the highest
    term."""
    letters = "abc"[:y.ndim]
    terms = [(i,) for i in range(y.ndim)] + ([(0, 1), (0, 2), (1, 2)] if y.ndim == 3 else [])
    name = lambda t: ":".join(f"C({letters[i]})" for i in t)
    table = anova(y, "y ~ " + " + ".join(name(t) for t in terms), 1)
    mean_square = {t: table[name(t)][0] / table[name(t)][1] for t in terms}
    df = {t: table[name(t)][1] for t in terms}
    top = tuple(range(y.ndim))
    mean_square[top], df[top] = table["Residual"][0] / table["Residual"][1], table["Residual"][1]
    result = []
    for t in terms + [top]:
        holders = [h for h in terms + [top] if set(t) <= set(h)]
        cells = np.prod([y.shape[i] for i in range(y.ndim) if i not in t])
        k = np.array([(-1.0) ** (len(h) - len(t)) / cells for h in holders])
        result.append((df[t], mean_square[t], k, np.array([mean_square[h] for h in holders]),
                       np.array([df[h] for h in holders])))
    return result


def fast_variances(y):
    """The same estimates from means, for the bootstrap; checked against the fit below."""
    axes = range(y.ndim)
    terms = [t for size in range(1, y.ndim + 1) for t in itertools.combinations(axes, size)]
    mean = lambda t: y.mean(tuple(i for i in axes if i not in t), keepdims=True)
    ms = {}
    for t in terms:
        effect = sum((-1) ** (len(t) - len(s)) * mean(s) for s in [()] + [s for s in terms if set(s) <= set(t)])
        ms[t] = (np.broadcast_to(effect, y.shape) ** 2).sum() / np.prod([y.shape[i] - 1 for i in t])
    return [sum((-1) ** (len(h) - len(t)) * ms[h] for h in terms if set(t) <= set(h))
            / np.prod([y.shape[i] for i in axes if i not in t])
            for t in terms]


def crossed_mean(y):
    """Mean, standard error, df, p and interval of the mean over drawn levels: each positive variance over the number of
    combinations of its levels."""
    axes, total, parts = range(y.ndim), {}, complete(y)
    names = [(i,) for i in axes] + ([(0, 1), (0, 2), (1, 2)] if y.ndim == 3 else []) + [tuple(axes)]
    v = 0.0
    for term, (_, _, k, m, d) in zip(names, parts):
        if np.dot(k, m) > 0:
            drawn = np.prod([y.shape[i] for i in term])
            v += np.dot(k, m) / drawn
            for kk, mm, dd in zip(k, m, d):
                before = total.get((mm, dd), 0.0)
                total[mm, dd] = before + kk / drawn
    df = v ** 2 / sum((k * ms) ** 2 / d for (ms, d), k in total.items())
    t = scipy.stats.t
    half = t.ppf(0.975, df) * math.sqrt(v)
    return ((y.mean(), math.sqrt(v), df, 2 * t.sf(abs(y.mean()) / math.sqrt(v), df), y.mean() - half, y.mean() + half)
            if df >= 1 else (y.mean(),) + (NAN,) * 5)


def component_cases():
    random = np.random.RandomState(10)
    two = (random.normal(0, 2, (10, 1)) + random.normal(0, 1, (1, 8)) + random.normal(0, 1.5, (10, 8)) + 88) / 100
    negative = random.normal(0, 1, (4, 5)) + 3
    negative -= negative.mean(1, keepdims=True)
    three = (random.normal(0, 1, (5, 1, 1)) + random.normal(0, 2, (1, 4, 1)) + random.normal(0, 1, (1, 1, 2))
             + random.normal(0, 1, (5, 4, 1)) + random.normal(0, 1, (5, 4, 2)))
    four = random.normal(0, 1, (4, 4, 4)) + random.normal(0, 1, (4, 1, 1))
    missing = two.copy()
    missing[3, 2] = missing[7, 0] = missing[9, 7] = NAN
    half = np.where(random.rand(12, 6) < 0.4, NAN, random.normal(0, 1, (12, 6)) + random.normal(0, 1, (1, 6)))
    block = three.copy()
    block[2, 1, 0] = block[2, 3, 1] = NAN
    latin = np.full((5, 5, 5), NAN)
    for i in range(5):
        for j in range(5):
            latin[i, j, (i + j) % 5] = random.normal() + i
    apart = np.full((4, 4), NAN)
    apart[:2, :2] = apart[2:, 2:] = 1.0
    apart[0, 0] = apart[3, 3] = 2.0
    diagonal = np.full((4, 4, 4), NAN)
    diagonal[np.arange(4), np.arange(4), np.arange(4)] = np.arange(4.0)
    empty_row = two[:, :4].copy()
    empty_row[1] = NAN
    return {"two-way": two, "negative": negative, "three-way": three, "three-way-boot": four,
            "missing": missing, "wide-missing": missing.T, "half-missing": half, "block": block, "latin": latin,
            "not-connected": apart, "not-crossed": diagonal, "equal": np.full((4, 4), 0.1), "one-level": two[:1],
            "infinite": np.where(two > 0.9, math.inf, two), "empty-row": empty_row, "nothing": two * NAN}


def components():
    data = {}
    for name, y in component_cases().items():
        rows = []
        if name == "block":
            used = np.delete(y, 2, 0)
        else:
            used = y
        if name in ("two-way", "negative", "three-way", "three-way-boot", "block"):
            rows = [(df, ms, k, m, d) for df, ms, k, m, d in complete(used)]
            assert np.allclose(fast_variances(used), [np.dot(k, m) for _, _, k, m, _ in rows])
        elif name in ("missing", "wide-missing", "half-missing"):
            table, cells = anova(y, "y ~ C(a) + C(b)", 2), (~np.isnan(y)).sum()
            error = table["Residual"][0] / table["Residual"][1]
            for term, times in (("C(a)", cells - y.shape[1]), ("C(b)", cells - y.shape[0])):
                square, df = table[term]
                rows.append((df, square / df, np.array([df, -df]) / times, np.array([square / df, error]),
                             np.array([df, table["Residual"][1]])))
            rows.append((table["Residual"][1], error, np.array([1.0]), np.array([error]),
                         np.array([table["Residual"][1]])))
        elif name == "latin":
            table = anova(y, "y ~ C(a) + C(b) + C(c)", 1)
            error, df_error = table["Residual"][0] / 12, 12.0
            for term in ("C(a)", "C(b)", "C(c)"):
                rows.append((4.0, table[term][0] / 4, np.array([0.2, -0.2]), np.array([table[term][0] / 4, error]),
                             np.array([4.0, df_error])))
            rows.append((df_error, error, np.array([1.0]), np.array([error]), np.array([df_error])))
        boot = None
        if name in ("two-way", "negative", "three-way-boot"):
            boot = np.array([fast_variances(used[np.ix_(*[draws(ROWS + f, r, n, n) for f, n in enumerate(used.shape)])])
                             for r in range(REPLICATES)])
            boot += [np.dot(k, m) for _, _, k, m, _ in rows] - boot.mean(0)
        table = np.array([(df, ms, np.dot(k, m), *satterthwaite(k, m, d), *mls(k, m, d),
                           *(percentile(boot[:, i]) if boot is not None else NONE))
                          for i, (df, ms, k, m, d) in enumerate(rows)]).reshape(-1, 9)
        mean = crossed_mean(y) if rows and not np.isnan(y).any() else (NAN,) * 6
        data |= {f"components/{name}/{key}": value
                 for key, value in zip(("mean", "error", "df", "p", "mean_low", "mean_high"), mean)}
        data |= {f"components/{name}/values": y, f"components/{name}/table": table,
                 f"components/{name}/cells": float((~np.isnan(used)).sum())}
    return data
