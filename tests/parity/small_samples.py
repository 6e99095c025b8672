#!/usr/bin/env python3
"""Coverage of three published intervals for few runs, by simulation: Wilson's of a share, Bonett and Wright's of
Spearman's rank correlation, the percentile bootstrap of a mean. docs/statistics.md quotes what this prints, and from
how many runs on reports have them. The formulas are those of docs/statistics.md; needs numpy and SciPy."""

import numpy as np
from scipy import stats

STUDIES = 2000
Z = stats.norm.ppf(0.975)
random = np.random.default_rng(19)


def wilson(n):
    """Lowest, highest and mean exact coverage over shares of 1 to 99 %."""
    k = np.arange(n + 1)
    middle = (k / n + Z * Z / 2 / n) / (1 + Z * Z / n)
    half = Z * np.sqrt(k / n * (1 - k / n) / n + Z * Z / 4 / n / n) / (1 + Z * Z / n)
    held = [stats.binom.pmf(k, n, p)[(middle - half <= p) & (p <= middle + half)].sum()
            for p in np.linspace(0.01, 0.99, 99)]
    return min(held), max(held), np.mean(held)


def spearman(n, rho):
    """Of normal values with this correlation, whose rank correlation is 6/pi asin(rho/2)."""
    truth, held = 6 / np.pi * np.arcsin(rho / 2), 0
    for _ in range(STUDIES):
        x = random.standard_normal(n)
        r = stats.spearmanr(x, rho * x + np.sqrt(1 - rho * rho) * random.standard_normal(n)).statistic
        half = Z * np.sqrt((1 + r * r / 2) / (n - 3))
        with np.errstate(divide="ignore"):
            held += np.tanh(np.arctanh(r) - half) <= truth <= np.tanh(np.arctanh(r) + half)
    return held / STUDIES


def bootstrap(n):
    """Of the mean of n pairs whose differences are normal: what the seeds add to a Multi-Bootstrap."""
    held = 0
    for _ in range(STUDIES):
        x = random.standard_normal(n)
        low, high = np.quantile(x[random.integers(0, n, (1000, n))].mean(1), [0.025, 0.975])
        held += low <= 0 <= high
    return held / STUDIES


for n in (5, 10, 20, 24, 50, 96, 400):
    print("Wilson, %3d runs: %.1f to %.1f %%, %.1f on average" % (n, *(100 * x for x in wilson(n))))
for n in (6, 8, 10, 12, 24, 60):
    print("Spearman, %2d runs:" % n, ", ".join("%.1f" % (100 * spearman(n, rho)) for rho in (0, 0.5, 0.8, 0.95)), "%")
for n in (6, 12, 20, 24, 30, 60):
    print("bootstrap, %2d pairs: %.1f %%" % (n, 100 * bootstrap(n)))
