#!/usr/bin/env python3
"""How often 95 % intervals of the mean of a crossed grid hold the true mean, by simulation: that of crossed seeds
(docs/statistics.md) and Student's over cells. Normal effects of rows, columns and cells with the given variances.

    crossed_coverage.py [GRIDS]      2,000 grids of each kind by default

Needs SciPy and numpy."""

import sys

import numpy as np
import scipy.stats

from variance_components import crossed_mean

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))


def intervals(y):
    mean, half = y.mean(), scipy.stats.t.ppf(0.975, y.size - 1) * y.std(ddof=1) / np.sqrt(y.size)
    return crossed_mean(y)[4:], (mean - half, mean + half)


def fast_complete(y):
    """Mean squares of a two-way table by its means; variance_components.complete fits them, which is slow."""
    mean, (rows, columns) = y.mean(), y.shape
    a, b = y.mean(1) - mean, y.mean(0) - mean
    squares = columns * (a ** 2).sum(), rows * (b ** 2).sum(), ((y - mean - a[:, None] - b) ** 2).sum()
    df = rows - 1.0, columns - 1.0, (rows - 1.0) * (columns - 1.0)
    ms = [s / d for s, d in zip(squares, df)]
    both = lambda i, n: (df[i], ms[i], np.array([1, -1]) / n, np.array([ms[i], ms[2]]), np.array([df[i], df[2]]))
    return [both(0, columns), both(1, rows), (df[2], ms[2], np.ones(1), np.array(ms[2:]), np.array(df[2:]))]


def main():
    grids = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    sys.modules["variance_components"].complete = fast_complete
    random = np.random.RandomState(1)
    print(f"{'grid':>8} {'V(row), V(column), V(cell)':>28} {'crossed':>8} {'cells':>6}")
    for shape in ((3, 3), (4, 4), (6, 6), (10, 10)):
        for v in ((0, 0, 1), (0.3, 0.3, 1), (1, 0, 1), (1, 1, 1)):
            held = np.zeros(2)
            for _ in range(grids):
                y = sum(random.normal(0, np.sqrt(x), s) for x, s in zip(v, ((shape[0], 1), (1, shape[1]), shape)))
                held += [low <= 0 <= high or np.isnan(low) for low, high in intervals(y)]
            print(f"{shape[0]:>5} x {shape[1]:<2}{str(v):>26} {100 * held[0] / grids:>7.1f}% "
                  f"{100 * held[1] / grids:>5.1f}%")


if __name__ == "__main__":
    main()
