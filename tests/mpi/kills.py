#!/usr/bin/env python3
"""Kills and stops a tiny training at random moments, and compares what it ends with.

    kills.py KILLS STOPS    in a folder that tests/system/tiny.py has made; AD_SOURCE as the tests have it

A moment is a random time, a random length of the log, or a file that is being written (checkpoint, snapshots, logits).
The seed is printed; AD_SEED=N draws the same moments again (what a moment hits still hangs on the machine's speed).
Python's standard library only."""

import collections
import filecmp
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from patience import until

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

SOURCE = Path(os.environ["AD_SOURCE"])
RANKS = (1, 2, 3, 4)
STEPS = 24
KEYS = ["batch.lanes=4", "train.epochs=8", "model.dropout=0.2", "eval.every=5", "eval.batch=2", "eval.keep_logits=true",
        "eval.means=true", "checkpoint.every=4", "teacher.method=sda", "teacher.window=3", "run.select=best",
        "run.result=teacher", "snapshot.every=2", "snapshot.probe_every=4",
        "snapshot.content=scalars,norms,sketch,probe,parameters"]
SAME = ["log.jsonl", "result.json", "model/model.safetensors", "variants/student/model.safetensors",
        "variants/window/model.safetensors", "variants/run/model.safetensors"]


def fail(text, output=None):
    print(text)
    if output is not None and output.exists():
        print(output.read_text()[-4000:])
    sys.exit(1)


def start(name, ranks):
    output = Path(f"{name}.out")
    with output.open("w") as file:
        return output, subprocess.Popen([SOURCE / "launch/local", "-n", str(ranks), "train", "config.yaml",
                                         f"run.dir={name}", *KEYS], stdout=file, stderr=file)


def children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def ranks_of(launcher):
    """The processes of the ranks: the children of mpirun, which is the launcher's."""
    found = []
    for pid in [rank for mpirun in children(launcher.pid) for rank in children(mpirun)]:
        try:
            if Path(f"/proc/{pid}/exe").resolve().name == "autodidact":
                found.append(pid)
        except OSError:
            pass
    return found


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False


def ends(launcher, seconds):
    return until(seconds, lambda: launcher.poll() is not None)


def wait_for(launcher, killed, output):
    """The exit code. mpirun sometimes misses that ranks were killed while they started: then it is ended once they are
    gone."""
    if not ends(launcher, 15 if killed else 120):
        launcher.terminate()
        if not killed or any(map(is_alive, killed)) or not ends(launcher, 60):
            fail("does not end", output)
    return launcher.returncode


def is_writing(run, pattern):
    try:
        return next(iter(run.glob(pattern)), None) is not None
    except FileNotFoundError:
        return False


def rows_of(log):
    """A run that was killed before its first checkpoint starts anew, and its log is gone for a moment."""
    try:
        return log.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def draw_moment(draw, run, longest):
    """(what kind, a function that tells whether it is there)."""
    kind = draw.choice(["time", "time", "log", "log", "first steps", "epoch edge", "save", "save", "snapshot",
                        "evaluation"])
    begin = time.monotonic()
    if kind == "time":
        delay = draw.uniform(0.0, longest)
        return kind, lambda: time.monotonic() - begin >= delay
    if kind in ("log", "first steps", "epoch edge"):
        rows = {"log": draw.randrange(1, STEPS + 20), "first steps": draw.randrange(1, 4),
                "epoch edge": draw.choice([3, 6, 7, 11, 14, 17, 20])}[kind]
        pause = draw.choice([0.0, draw.uniform(0.0, 0.01)])
        log = run / "log.jsonl"
        at_start = rows_of(log)

        def reached():
            count = rows_of(log)
            if count >= rows and count != at_start:
                time.sleep(pause)
                return True
            return False
        return kind, reached
    pattern = {"save": "checkpoints/*.partial", "snapshot": "snapshots/*.partial",
               "evaluation": "logits/*.partial"}[kind]
    skipped = draw.randrange(0, 3)
    seen = []

    def writing():
        if is_writing(run, pattern):
            if not seen or time.monotonic() - seen[-1] > 0.005:
                seen.append(time.monotonic())
            return len(seen) > skipped
        return False
    return kind, writing


def break_run(draw, name, ranks, number, longest):
    """Starts the run and sends the signal at a random moment. The kind of moment, or None where the run ended first."""
    run = Path(name)
    output, launcher = start(name, ranks)
    kind, is_there = draw_moment(draw, run, longest)
    if not until(120, lambda: launcher.poll() is not None or (is_there() and len(ranks_of(launcher)) == ranks),
                 pause=0.0002):
        launcher.kill()
        fail(f"{name}: does not end", output)
    pids = ranks_of(launcher) if launcher.poll() is None else []
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
    code = wait_for(launcher, pids if number == signal.SIGKILL else [], output)
    if (run / "result.json").exists():
        # The run is finished. A signal that came after that, and before the end of its process, may have left
        # checkpoints.
        if code != 0:
            shutil.rmtree(run / "checkpoints", ignore_errors=True)
        return None
    if number == signal.SIGTERM and code != 75:
        # Before the program has set its handlers the signal ends it.
        if (run / "log.jsonl").exists() and "signal TERM" not in output.read_text() and code not in (143, 15):
            fail(f"{name}: exit code {code} after SIGTERM, expected 75", output)
    if not pids:
        fail(f"{name}: ended with {code} before the signal", output)
    return kind


def compare(name):
    run, whole = Path(name), Path("whole")
    for file in SAME:
        if not filecmp.cmp(whole / file, run / file, shallow=False):
            fail(f"{name}: {file} differs from the unbroken run's", Path(f"{name}.out"))
    for folder in ("logits",):
        names = sorted(p.name for p in (whole / folder).iterdir())
        if sorted(p.name for p in (run / folder).iterdir()) != names:
            fail(f"{name}: other files in {folder}")
        for file in names:
            if not filecmp.cmp(whole / folder / file, run / folder / file, shallow=False):
                fail(f"{name}: {folder}/{file} differs")
    difference = subprocess.run(["h5diff", whole / "snapshots/all.h5", run / "snapshots/all.h5"],
                                capture_output=True, text=True)
    if difference.returncode != 0:
        fail(f"{name}: other snapshots: {difference.stdout}{difference.stderr}")
    check = subprocess.run([os.environ["AUTODIDACT_PROGRAM"], "verify", name], capture_output=True, text=True)
    if check.returncode != 0:
        fail(f"{name}: {check.stdout}{check.stderr}")
    if (run / "checkpoints").exists():
        fail(f"{name}: its checkpoints are still there")


def finish(name, ranks):
    output, launcher = start(name, ranks)
    if not ends(launcher, 300) or launcher.returncode != 0:
        fail(f"{name}: does not go on", output)
    compare(name)


def break_often(draw, label, number, count, each, longest):
    """`count` signals over several runs, `each` to a run, every start on another number of ranks."""
    kinds, done, run = collections.Counter(), 0, 0
    while done < count:
        name, ranks, here = f"{label}-{run}", draw.choice(RANKS), 0
        run += 1
        while here < each and done < count:
            kind = break_run(draw, name, ranks, number, longest)
            if kind is None:
                break
            kinds[kind] += 1
            here += 1
            done += 1
            ranks = draw.choice([r for r in RANKS if r != ranks])
        if (Path(name) / "result.json").exists():
            compare(name)
        else:
            finish(name, ranks)
        if run > 3 * count + 10:
            fail("the runs end before they are broken")
    print(f"ok   {label}: {done} times in {run} runs, every end as unbroken; moments: "
          + ", ".join(f"{k} {n}" for k, n in sorted(kinds.items())))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    seed = int(os.environ.get("AD_SEED") or random.randrange(10**9))
    print(f"seed {seed} (AD_SEED={seed} draws the same moments)", flush=True)
    draw = random.Random(seed)
    begin = time.monotonic()
    output, launcher = start("whole", 1)
    if not ends(launcher, 300) or launcher.returncode != 0:
        fail("the unbroken run failed", output)
    longest = time.monotonic() - begin
    break_often(draw, "killed", signal.SIGKILL, int(sys.argv[1]), 5, longest)
    break_often(draw, "stopped", signal.SIGTERM, int(sys.argv[2]), 4, longest)


main()
