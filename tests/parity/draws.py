"""Draws and intervals of the reference numbers of statistics: those of include/autodidact/statistics/statistics.h."""

import math

import numpy as np

LEVEL, REPLICATES, SEED, STREAM = 0.95, 200, 7, 7
PAIRS, SECOND, SHUFFLE, EXAMPLES, TRIALS = 1, 2, 3, 8, 9  # purposes of draws
NAN = math.nan


def philox(counter, key):
    """Philox 4x32-10 of counters [n,4]."""
    c = [counter[:, i].astype(np.uint64) for i in range(4)]
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    mask = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ k0, p1 & mask, (p0 >> np.uint64(32)) ^ c[3] ^ k1, p0 & mask]
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & mask, (k1 + np.uint64(0xBB67AE85)) & mask
    return np.stack(c, 1)


def all_draws(purpose, replicates, n, below, seed=SEED):
    """Draws of replicates 0, 1, ... [replicates,n]."""
    blocks = (n + 3) // 4
    counter = np.zeros((replicates, blocks, 4), np.uint64)
    counter[:, :, 0] = np.arange(blocks)
    counter[:, :, 1] = np.arange(replicates)[:, None]
    counter[:, :, 2:] = (purpose, STREAM)
    words = philox(counter.reshape(-1, 4), (seed, 0)).reshape(replicates, -1)[:, :n]
    return ((words * np.uint64(below)) >> np.uint64(32)).astype(int)


def draws(purpose, replicate, n, below):
    """Those of one replicate [n]."""
    counter = np.zeros(((n + 3) // 4, 4), np.uint64)
    counter[:, 0] = np.arange(len(counter))
    counter[:, 1:] = (replicate, purpose, STREAM)
    words = philox(counter, (SEED, 0)).reshape(-1)[:n]
    return ((words * np.uint64(below)) >> np.uint64(32)).astype(int)


def known():
    """Philox against the vectors that come with Random123."""
    assert [hex(w) for w in philox(np.zeros((1, 4)), (0, 0))[0]] == ["0x6627e8d5", "0xe169c58d",
                                                                     "0xbc57ac4c", "0x9b00dbd8"]
    assert (all_draws(PAIRS, 3, 6, 10)[2] == draws(PAIRS, 2, 6, 10)).all()


def percentile(replicates):
    return tuple(np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))


def both(name, interval):
    return {f"{name}_low": interval[0], f"{name}_high": interval[1]}


NONE = (NAN, NAN)
