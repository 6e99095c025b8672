#!/usr/bin/env python3
"""Means and variances of runs that share seeds, by restricted maximum likelihood: tests/parity/data/mixed.h5.

    mixed_models.py            writes the file
    mixed_models.py --check    computes everything again and compares it with the stored file

The equations are solved with whole matrices (numpy). Variances, mean and standard error must be those of lme4 (R) to
the digits to which it finds its maximum. Needs Rscript with lme4, h5py, numpy and SciPy. tests/unit/test_mixed.c
compares the program with what is stored, to 1e-6. A case is a group:

  y [n], level [n, factors]   the values and the levels of the factors
  variance [terms + 1]        of the terms, and of the rest
  estimates [10]              mean, error, df, p, low, high, sd, sd_low, sd_high, error of lme4

The case `independent` has no terms: it is SciPy's t interval."""

import argparse
import io
import pathlib
import subprocess
import sys

import h5py
import numpy as np
import scipy.stats

PATH = pathlib.Path(__file__).resolve().parent / "data" / "mixed.h5"
R = """suppressMessages(library(lme4))
d <- read.csv("stdin")
d[-1] <- lapply(d[-1], factor)
f <- as.formula(paste("y ~ 1 +", paste0("(1|", names(d)[-1], ")", collapse = " + ")))
m <- suppressMessages(lmer(f, d, REML = TRUE, control = lmerControl(optimizer = "nloptwrap", calc.derivs = FALSE,
  optCtrl = list(algorithm = "NLOPT_LN_BOBYQA", xtol_abs = 1e-14, xtol_rel = 1e-14, ftol_abs = 1e-15, ftol_rel = 1e-15,
                 maxeval = 100000))))
v <- as.data.frame(VarCorr(m))
cat(c(v$vcov[match(c(names(d)[-1], "Residual"), v$grp)], fixef(m), sqrt(vcov(m)[1])), sep = "\\n")
cat("\\n", as.character(packageVersion("lme4")), sep = "")
"""

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))


def designs():
    """Names to the levels [n, factors] and the columns of a term each."""
    full = lambda *shape: np.stack([i.ravel() for i in np.indices(shape)], 1)
    latin = np.array([(a, b, (a + b) % 5) for a in range(5) for b in range(5)])
    nested = np.stack([np.arange(96) // 4, np.arange(96)], 1)
    ragged = np.array([(i, 10 * i + j) for i, n in enumerate((5, 3, 1, 4, 2, 4, 4)) for j in range(n)])
    lopsided = np.array([(i, 20 * i + j) for i, n in enumerate((1, 1, 1, 1, 1, 12)) for j in range(n)])
    deep = np.array([(i, 2 * i + j, 6 * i + 3 * j + k) for i in range(7) for j in range(2) for k in range(3)])
    two, one, three = [(0,), (1,)], [(0,)], [(0,), (1,), (2,)]
    pairs = three + [(0, 1), (0, 2), (1, 2)]
    holes = np.delete(full(10, 10), [3, 37, 38, 71], 0)
    return {"crossed": (full(6, 5), two), "holes": (holes, two),
            "thin": (full(10, 3), two), "two-levels": (full(2, 10), two),
            "wide": (full(6, 9), two), "thin-missing": (np.delete(full(10, 3), 4, 0), two),
            "one-missing": (np.delete(full(10, 10), 37, 0), two),
            "many-missing": (np.delete(full(8, 7), np.arange(3, 56, 4), 0), two), "nested": (nested, one),
            "ragged": (ragged, one), "lopsided": (lopsided, one), "deep": (deep, [(0,), (0, 1)]),
            "latin": (latin, three),
            "three": (full(4, 3, 5), pairs), "three-missing": (np.delete(full(5, 4, 3), [7, 20, 21, 44], 0), pairs)}


VARIANCES = {"plain": 1.0, "still": 0.0, "strong": 9.0}


def make(level, columns, scale, random):
    y = random.normal(0, 1, len(level)) + 3
    for term in columns:
        group = np.unique(level[:, term], axis=0, return_inverse=True)[1].ravel()
        y += np.sqrt(scale * random.uniform(0.3, 1)) * random.normal(0, 1, group.max() + 1)[group]
    return y


def lme4(y, groups):
    text = io.StringIO()
    text.write("y," + ",".join(f"g{k}" for k in range(len(groups))) + "\n")
    for row in zip(y, *groups):
        text.write("%.17g," % row[0] + ",".join(map(str, row[1:])) + "\n")
    out = subprocess.run(["Rscript", "-e", R], input=text.getvalue(), capture_output=True, text=True, check=True)
    lines = out.stdout.split()
    return np.array(lines[:-1], float), lines[-1]


def reml(y, groups):
    """By scoring with whole matrices: variances (0 where one would be negative), mean, its error, the weights of the
    runs in the mean."""
    G = [(g[:, None] == g[None]).astype(float) for g in groups] + [np.eye(len(y))]
    v, used, back = np.full(len(G), y.var(ddof=1) / len(G)), np.ones(len(G), bool), 0
    for _ in range(1000):
        W = np.linalg.inv(sum(x * g for x, g in zip(v, G)))
        w = W.sum(0)
        P = W - np.outer(w, w) / w.sum()
        products = [P @ g for g in G]
        information = np.array([[np.sum(a * b.T) for b in products] for a in products])
        score = np.array([y @ a @ P @ y for a in products])
        while True:
            new, part = np.zeros(len(G)), np.ix_(used, used)
            new[used] = np.linalg.solve(information[part], score[used])
            if np.all(new >= 0):
                break
            used[np.argmin(new[:-1])] = False
        moved, v = np.abs(new - v).max() / v.sum(), v + (new - v) * (1 if back == 0 else 0.5)
        if moved < 1e-13:
            better = [k for k in range(len(G)) if not used[k] and score[k] > np.trace(products[k]) * (1 + 1e-9)]
            if not better or back > 20:
                break
            used[better[0]], back = True, back + 1
    return v, w @ y / w.sum(), w.sum() ** -0.5, w / w.sum()


def outer(groups):
    """The grouping whose levels hold whole levels of all others, or None."""
    for g in groups:
        if all(len({(a, b) for a, b in zip(g, other)}) == other.max() + 1 for other in groups):
            return g
    return None


def nested(y, weights, group, mean):
    """Error and degrees of freedom from the levels' parts of the mean; weights [n] of the runs, whose sum is 1."""
    w, part = np.bincount(group, weights), np.bincount(group, weights * (y - mean))
    if len(w) < 3 or 1 / (w @ w) < 2 / 3 * len(w):
        return None
    return np.sqrt(part @ part / (1 - w @ w)), 1 / (w @ w) - 1


def crossed(y, groups):
    """Error and degrees of freedom of the interval of crossed seeds, by regression; None where there is none."""
    n, levels, t2 = len(y), [g.max() + 1 for g in groups], lambda df: scipy.stats.t.ppf(0.975, df) ** 2
    if len(groups) > 3 or (len(groups) == 2 and min(levels) < 4 and n < np.prod(levels)):
        return None
    if len(groups) == 3 and min(levels) < 5:
        return None
    Z = [np.eye(m)[g] for m, g in zip(levels, groups)]
    others = [np.hstack(Z[:k] + Z[k + 1:]) for k in range(len(Z))]
    left = lambda X, y: y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    rest_df, rest = n - 1 - sum(m - 1 for m in levels), (left(np.hstack(Z), y) ** 2).sum()
    df, rest = np.array(levels) - 1, rest / rest_df
    squares = np.array([((left(X, y) - left(np.hstack(Z), y)) ** 2).sum() for X in others]) / df
    scale = [(z.sum(0) ** 2).sum() / n / ((left(X, z) ** 2).sum() / d) for X, z, d in zip(others, Z, df)]
    J, away = min(levels), 1 - (min(levels) - 1) / (max(levels) - 1)
    share, each = (0.5, 0.35) if J < 4 else (0.55, 0.35) if J < 6 and len(groups) == 2 else (0.6, 0.1)
    each += 0.5 * away ** 2
    over = [k * max(0, s - min(1, scipy.stats.f.ppf(share, d, rest_df)) * rest) for k, s, d in zip(scale, squares, df)]
    parts = list(zip(over, df))
    if J == 2:
        parts[int(np.argmin(df))], each = (squares[np.argmin(df)], 1), 0.3 * away
    else:
        low = squares <= rest
        total = rest_df + df[low].sum()
        parts.append(((rest * rest_df + (squares * df)[low].sum()) / total, total))
    total = sum(s for s, _ in parts)
    all_df = max(1, total ** 2 / sum(s ** 2 / d for s, d in parts))
    half2 = each * sum(t2(d) * s for s, d in parts) + (1 - each) * t2(all_df) * total
    return np.sqrt(half2 / t2(all_df) / n), all_df


def can_test(n, levels):
    """Whether a test of crossed seeds holds its level."""
    cells = np.prod(levels)
    return len(levels) == 2 and min(levels) >= 10 and n >= 0.8 * cells


def nested_variance(levels):
    """The sum of the variances between levels and within them, each an array of runs."""
    within = sum(((x - x.mean()) ** 2).sum() for x in levels) / max(1, sum(len(x) - 1 for x in levels))
    return np.var([x.mean() for x in levels], ddof=1) + within * (1 - np.mean([1 / len(x) for x in levels]))


def sd_interval(y, groups):
    """By the jackknife of log SD over whole levels, its error 15 % larger; NaN where there is none."""
    group = groups[0] if groups else np.arange(len(y))
    levels = [y[group == g] for g in np.unique(group)]
    if len(groups) > 1 or len(levels) < 6:
        return np.nan, np.nan
    log_sd, df = lambda levels: 0.5 * np.log(nested_variance(levels)), len(levels) - 1
    left = [log_sd(levels[:k] + levels[k + 1:]) for k in range(len(levels))]
    error, middle = np.sqrt(df * np.var(left)), len(left) * log_sd(levels) - df * np.mean(left)
    return np.exp(middle + 1.15 * scipy.stats.t.ppf([0.025, 0.975], df) * error)


def estimates(y, groups):
    """Variances, and mean, error, df, p, low, high, sd, sd_low, sd_high, lme4's error; without terms SciPy's t."""
    t, found = scipy.stats.t, None
    if not groups:
        v, mean, error = np.array([y.var(ddof=1)]), y.mean(), y.std(ddof=1) / np.sqrt(len(y))
        found, tested = (error, len(y) - 1), True
    else:
        v, mean, error, weights = reml(y, groups)
        tested = outer(groups) is not None or can_test(len(y), [g.max() + 1 for g in groups])
        found = nested(y, weights, outer(groups), mean) if outer(groups) is not None else crossed(y, groups)
    lme4_error, (error, df) = error, found or (np.nan, np.nan)
    p = 2 * t.sf(abs(mean) / error, df) if tested else np.nan
    return v, np.array([mean, error, df, p, *(mean + t.ppf([0.025, 0.975], df) * error), np.sqrt(v.sum()),
                        *sd_interval(y, groups), lme4_error])


def case(y, level, columns):
    groups = [np.unique(level[:, term], axis=0, return_inverse=True)[1].ravel() for term in columns]
    (v, found), version = estimates(y, groups), ""
    if groups:
        reference, version = lme4(y, groups)
        if not np.allclose([*v, found[0], found[9]], reference, 1e-4, 1e-5):
            sys.exit(f"lme4 has {reference}, the equations {v}, {found}")
    return {"y": y, "level": level.astype(np.uint32), "variance": v, "estimates": found}, version


def expected():
    random, result, version = np.random.RandomState(19), {}, ""
    for name, (level, columns) in designs().items():
        for kind, scale in VARIANCES.items():
            result[f"{name}-{kind}"], version = case(make(level, columns, scale, random), level, columns)
    result["independent"], _ = case(random.normal(1, 1, 12), np.arange(12)[:, None], [])
    return result, version


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored file instead of writing it")
    arguments = parser.parse_args()
    cases, version = expected()
    if arguments.check:
        with h5py.File(PATH) as file:
            worst = max(np.nanmax(np.abs(np.float64(file[c][k][()]) - v) / (1e-6 + np.abs(v)))
                        for c, columns in cases.items() for k, v in columns.items())
        print(f"largest relative difference {worst:.2g}")
        sys.exit(0 if worst <= 1e-6 else 1)
    with h5py.File(PATH, "w", libver="latest") as file:
        file.attrs["versions"] = f"lme4 {version}, scipy {scipy.__version__}"
        for name, columns in cases.items():
            for key, value in columns.items():
                file.create_dataset(f"{name}/{key}", data=value)


if __name__ == "__main__":
    main()
