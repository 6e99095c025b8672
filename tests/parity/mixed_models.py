#!/usr/bin/env python3
"""Means and variances of runs that share seeds, by restricted maximum likelihood: tests/parity/data/mixed.h5.

    mixed_models.py            writes the file
    mixed_models.py --check    computes everything again and compares it with the stored file

The equations are solved with whole matrices (numpy). Variances, mean and standard error must be those of lme4 (R) to
the digits to which it finds its maximum. Needs Rscript with lme4, h5py, numpy and SciPy. tests/unit/test_mixed.c
compares the program with what is stored, to 1e-6. A case is a group:

  y [n], level [n, factors]   the values and the levels of the factors
  variance [terms + 1]        of the terms, and of the rest
  estimates [9]               mean, error, df, p, low, high, sd, sd_low, sd_high

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
    grid = lambda *shape: np.stack([i.ravel() for i in np.indices(shape)], 1)
    latin = np.array([(a, b, (a + b) % 5) for a in range(5) for b in range(5)])
    nested = np.stack([np.arange(96) // 4, np.arange(96)], 1)
    ragged = np.array([(i, 10 * i + j) for i, n in enumerate((5, 3, 1, 4, 2, 4, 4)) for j in range(n)])
    two, one, three = [(0,), (1,)], [(0,)], [(0,), (1,), (2,)]
    pairs = three + [(0, 1), (0, 2), (1, 2)]
    return {"crossed": (grid(6, 5), two), "thin": (grid(10, 3), two),
            "one-missing": (np.delete(grid(10, 10), 37, 0), two),
            "many-missing": (np.delete(grid(8, 7), np.arange(3, 56, 4), 0), two), "nested": (nested, one),
            "ragged": (ragged, one), "latin": (latin, three),
            "three": (grid(4, 3, 5), pairs), "three-missing": (np.delete(grid(5, 4, 3), [7, 20, 21, 44], 0), pairs)}


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
    return (v, w @ y / w.sum(), w.sum() ** -0.5, max(1, 2 / w.sum() ** 2 / (slope @ covariance @ slope)),
            2 * v.sum() ** 2 / covariance.sum())


def estimates(y, groups):
    """Variances, and mean, error, df, p, low, high, sd, sd_low, sd_high; without terms SciPy's t interval."""
    if groups:
        v, mean, error, df, total_df = reml(y, groups)
    else:
        v, mean, error = np.array([y.var(ddof=1)]), y.mean(), y.std(ddof=1) / np.sqrt(len(y))
        df = total_df = len(y) - 1
    t, sd, chi2 = scipy.stats.t, np.sqrt(v.sum()), scipy.stats.chi2.ppf
    return v, np.array([mean, error, df, 2 * t.sf(abs(mean) / error, df), *(mean + t.ppf([0.025, 0.975], df) * error),
                        sd, *(sd * np.sqrt(total_df / chi2([0.975, 0.025], total_df)))])


def case(y, level, columns):
    groups = [np.unique(level[:, term], axis=0, return_inverse=True)[1].ravel() for term in columns]
    (v, found), version = estimates(y, groups), ""
    if groups:
        reference, version = lme4(y, groups)
        if not np.allclose([*v, *found[:2]], reference, 1e-4, 1e-5):
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
            worst = max(np.max(np.abs(np.float64(file[c][k][()]) - v) / (1e-6 + np.abs(v)))
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
