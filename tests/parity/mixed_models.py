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
    two, one, three = [(0,), (1,)], [(0,)], [(0,), (1,), (2,)]
    pairs = three + [(0, 1), (0, 2), (1, 2)]
    return {"crossed": (full(6, 5), two), "thin": (full(10, 3), two), "two-levels": (full(2, 10), two),
            "wide": (full(6, 9), two),
            "one-missing": (np.delete(full(10, 10), 37, 0), two),
            "many-missing": (np.delete(full(8, 7), np.arange(3, 56, 4), 0), two), "nested": (nested, one),
            "ragged": (ragged, one), "latin": (latin, three),
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
    """By scoring with whole matrices: variances (0 where one would be negative), mean, its error, the degrees of
    freedom of its variance and of the sum of the variances."""
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
    slope, covariance = np.array([w @ g @ w for g in G])[used] / w.sum() ** 2, 2 * np.linalg.inv(information[part])
    return v, w @ y / w.sum(), w.sum() ** -0.5, max(1, 2 / w.sum() ** 2 / (slope @ covariance @ slope))


def grid(y, groups):
    """Error and degrees of freedom of the interval of a complete two-way table; None of another design."""
    if len(groups) != 2:
        return None
    cells = np.zeros([g.max() + 1 for g in groups])
    np.add.at(cells, tuple(groups), 1)
    if not (cells == 1).all():
        return None
    cells[tuple(groups)] = y - y.mean()
    if cells.shape[0] < cells.shape[1]:
        cells = cells.T
    (I, J), t2 = cells.shape, lambda df: scipy.stats.t.ppf(0.975, df) ** 2
    rows, columns = cells.mean(1, keepdims=True), cells.mean(0, keepdims=True)
    df = np.array([I - 1, J - 1, (I - 1) * (J - 1)])
    sums = np.array([J * (rows ** 2).sum(), I * (columns ** 2).sum(), ((cells - rows - columns) ** 2).sum()])
    squares, away = sums / df, 1 - (J - 1) / (I - 1)
    share = 0.5 if J < 4 else 0.55
    over = [max(0, s - min(1, scipy.stats.f.ppf(share, d, df[2])) * squares[2]) for s, d in zip(squares, df[:2])]
    if J == 2:
        parts, each = [(over[0], df[0]), (squares[1], 1)], 0.3 * away
    else:
        low = squares <= squares[2]
        parts = [(over[0], df[0]), (over[1], df[1]), (sums[low].sum() / df[low].sum(), df[low].sum())]
        each = 0.35 + 0.5 * away ** 2
    total = sum(s for s, _ in parts)
    all_df = max(1, total ** 2 / sum(s ** 2 / d for s, d in parts))
    half2 = each * sum(t2(d) * s for s, d in parts) + (1 - each) * t2(all_df) * total
    return np.sqrt(half2 / t2(all_df) / len(y)), all_df


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
    if groups:
        v, mean, error, df = reml(y, groups)
    else:
        v, mean, error, df = np.array([y.var(ddof=1)]), y.mean(), y.std(ddof=1) / np.sqrt(len(y)), len(y) - 1
    lme4_error, (error, df) = error, grid(y, groups) or (error, df)
    t, few = scipy.stats.t, grid(y, groups) and min(len(np.unique(g)) for g in groups) < 4
    p = np.nan if few else 2 * t.sf(abs(mean) / error, df)
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
