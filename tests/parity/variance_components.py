"""Variance components from least squares (statsmodels) and the published equations."""

import math

import numpy as np
import pandas
import statsmodels.api as sm
import statsmodels.formula.api as smf

from draws import NAN


def frame(y):
    places = np.argwhere(~np.isnan(y))
    return pandas.DataFrame({"y": y[~np.isnan(y)], "a": places[:, 0], "b": places[:, 1],
                             "c": places[:, 2] if y.ndim > 2 else 0})


def anova(y, formula, typ):
    table = sm.stats.anova_lm(smf.ols(formula, frame(y)).fit(), typ=typ)
    return {name: (row["sum_sq"], row["df"]) for name, row in table.iterrows()}


def complete(y):
    """Terms as tuples of axes to combination of mean squares, from a least-squares fit without the highest
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
        result.append((df[t], mean_square[t], k, np.array([mean_square[h] for h in holders])))
    return result


def component_cases():
    random = np.random.RandomState(10)
    two = (random.normal(0, 2, (10, 1)) + random.normal(0, 1, (1, 8)) + random.normal(0, 1.5, (10, 8)) + 88) / 100
    negative = random.normal(0, 1, (4, 5)) + 3
    negative -= negative.mean(1, keepdims=True)
    three = (random.normal(0, 1, (5, 1, 1)) + random.normal(0, 2, (1, 4, 1)) + random.normal(0, 1, (1, 1, 2))
             + random.normal(0, 1, (5, 4, 1)) + random.normal(0, 1, (5, 4, 2)))
    missing = two.copy()
    missing[3, 2] = NAN
    return {"two-way": two, "negative": negative, "three-way": three, "missing": missing, "equal": np.full((4, 4), 0.1),
            "one-level": two[:1], "infinite": np.where(two > 0.9, math.inf, two)}


def components():
    data = {}
    for name, y in component_cases().items():
        rows = complete(y) if name in ("two-way", "negative", "three-way") else []
        table = np.array([(df, ms, np.dot(k, m)) for df, ms, k, m in rows]).reshape(-1, 3)
        data |= {f"components/{name}/values": y, f"components/{name}/table": table}
    return data
