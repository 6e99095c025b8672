#!/usr/bin/env python3
"""Ctrl-C in a terminal: the first stops a run with a checkpoint, the second ends it at once.

    terminal.py PROGRAM                 runs the program in a terminal of its own, in a folder that tests/system/tiny.py
                                        has made
    terminal.py launch/local -n RANKS   the same through the launcher; only the first Ctrl-C

Python's standard library only."""

import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

import tiny

PATIENCE = 120  # seconds; only a hang takes so long


def run(name, keys, *presses):
    """Trains in a terminal; presses Ctrl-C each time when the next of `presses`, given what was shown, says so. (exit
    code, what was shown)"""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], [*sys.argv[1:], "train", "config.yaml", f"run.dir={name}", *keys])
    shown, presses, deadline = b"", list(presses), time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.02)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # the other end is closed
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()
        if presses and presses[0](shown):
            os.write(terminal, b"\x03")
            presses.pop(0)
    os.kill(pid, signal.SIGKILL)
    sys.exit(f"{name}: does not end\n{shown.decode()[-2000:]}")


def has_rows(_):
    log = Path("once/log.jsonl")
    return log.exists() and log.stat().st_size > 0


code, shown = run("once", ["train.steps=100000000", "eval.every=100000000", "checkpoint.epoch=false"], has_rows)
if code != 75 or not list(Path("once/checkpoints").glob("step-*")) or "with a checkpoint" not in shown:
    sys.exit(f"one Ctrl-C: exit code {code}, expected 75 and a checkpoint\n{shown[-2000:]}")
print("ok   one Ctrl-C: a checkpoint, exit code 75")
if len(sys.argv) > 2:
    sys.exit()

# One step that takes minutes.
Path("data/train.tsv").write_text("sentence\tlabel\n"
                                  + "".join(f"{text}\t{label}\n" for label, text in tiny.rows(24000, 1)))
code, shown = run("twice", ["batch.size=24000", "batch.rounds=200", "model.path=", "model.vocab=model/vocab.txt",
                            "model.hidden=64", "model.layers=40"],
                  lambda shown: b"training examples" in shown, lambda shown: b"Ctrl-C again" in shown)
if code != -signal.SIGINT:
    sys.exit(f"two Ctrl-C: exit code {code}, expected an end by SIGINT\n{shown[-2000:]}")
print("ok   two Ctrl-C: ended at once")
