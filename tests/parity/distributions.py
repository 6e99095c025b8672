#!/usr/bin/env python3
"""Values of distribution functions of SciPy: tests/parity/data/distributions.txt.

    distributions.py            writes the file
    distributions.py --check    computes everything again and compares it with the stored file

Needs SciPy and mpmath; the C test (tests/unit/test_distributions.c) needs the stored file only. A line has the name of
a function of src/statistics/distributions.h, its arguments and its value. Student's t is mpmath's, as SciPy's loses
digits near 0.
"""

import pathlib
import sys

import mpmath
import scipy.special
import scipy.stats

FILE = pathlib.Path(__file__).resolve().parent / "data" / "distributions.txt"
mpmath.mp.dps = 40


def t_upper(t, df):
    if df > 200:  # where mpmath's series take too long, and SciPy's is exact
        return scipy.stats.t.sf(t, df)
    below = mpmath.mpf(df) / (df + mpmath.mpf(t) ** 2)
    tail = mpmath.betainc(mpmath.mpf(df) / 2, 0.5, 0, below, regularized=True) / 2
    return float(tail if t >= 0 else 1 - tail)


def lines():
    for z in (-12, -8.5, -3, -1, -0.1, 0, 0.3, 1, 1.96, 5, 10, 20):
        yield "normal_lower", (z,), float(mpmath.ncdf(z))
        yield "normal_upper", (z,), float(mpmath.ncdf(-z))
        yield "normal_density", (z,), float(mpmath.npdf(z))
    for q in (1e-300, 1e-20, 1e-6, 0.0125, 0.025, 0.05, 0.25, 0.4, 0.49999, 0.6, 0.975):
        yield "normal_upper_quantile", (q,), -scipy.special.ndtri(q)
    for df in (1, 1.7, 2, 4.2, 9.99, 30, 100.5, 1e4, 1e7):
        for t in (-40, -3, -0.5, 0.01, 0.5, 1, 2, 5, 12):
            yield "t_upper", (t, df), t_upper(t, df)
        for q in (1e-12, 1e-6, 0.0125, 0.025, 0.05, 0.3, 0.8, 0.975):
            yield "t_upper_quantile", (q, df), scipy.stats.t.isf(q, df)
    for above in (1, 2, 7, 20.5, 999):
        for below in (1, 5, 80, 500):
            for p in (1e-6, 0.01, 0.5, 0.55, 0.95):
                yield "f_lower_quantile", (p, above, below), scipy.stats.f.ppf(p, above, below)
    for n in (1, 2, 10, 33, 100, 1000, 1000000):
        for k in sorted({0, 1, n // 3, int(n * 0.49), n // 2, int(n * 0.501)} - {n}):
            value = scipy.stats.binom.cdf(k, n, 0.5)
            if value > 1e-40:
                yield "coins_lower", (k, n), value
    for z in (1e-3, 0.5, 1.5, 2.5, 7, 11.9, 12, 50, 1000.5, 1e6):
        yield "log_gamma", (z,), float(mpmath.loggamma(z))


def main():
    text = "".join(f"{name} {' '.join(map(repr, (*arguments, 0, 0)[:3]))} {float(value)!r}\n"
                   for name, arguments, value in lines())
    if sys.argv[1:] == ["--check"]:
        for made, stored in zip(text.splitlines(), FILE.read_text().splitlines(), strict=True):
            *call, value = made.split()
            *stored_call, stored_value = stored.split()
            if call != stored_call or not abs(float(value) - float(stored_value)) <= 1e-14 * abs(float(stored_value)):
                sys.exit(f"found {made}, stored is {stored}")
    else:
        FILE.write_text(text)


if __name__ == "__main__":
    main()
