#!/usr/bin/env python3
"""Makes every call of a tiny training that writes fail once, and lets the same command go on.

    faults.py [--ranks R] [--full | --stride N] [--match PATTERN] [--jobs N] [--say] LIBRARY FOLDER

LIBRARY is tests/system/faults.c, built; FOLDER holds what tests/system/tiny.py makes. An undisturbed training lists its
calls below the run's folder: write, sync, rename, link, close, truncate, allocate, open, mkdir, unlink. Then each of
them fails in turn, in a training of its own, in each way that it can fail. What must hold:

  - the training ends with exit code 2 and a message that names the file, or goes on to the same files as ever; never a
    crash, never a hang. What it may do without (snapshots on a full disk), it may leave out with a warning; a
    checkpoint or a lease that cannot be removed it may leave with one;
  - no checkpoint that it leaves is damaged;
  - the same command again ends with the same files, byte for byte.

--full tries all calls in all ways. Otherwise each kind of call on each kind of file is tried once, by the ways in turn,
and then every N-th call. --match takes only calls that are named so, as "write checkpoints/.partial.h5". Python's
standard library only."""

import argparse
import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEYS = ["run.dir=run", "checkpoint.every=1", "checkpoint.finished=true", "eval.keep_logits=true", "snapshot.every=2",
        "snapshot.sketch=16", "teacher.method=sda", "teacher.window=2"]
# How each call is made to fail: what a full disk, a broken one, a file system without the call does.
WAYS = {"write": ["ENOSPC", "EIO", "short"], "sync": ["EIO"], "rename": ["EIO"], "link": ["EIO", "EPERM"],
        "close": ["EIO", "ENOSPC"], "truncate": ["EIO"], "allocate": ["ENOSPC", "EOPNOTSUPP"],
        "open": ["EACCES", "ENOSPC"], "mkdir": ["ENOSPC"], "unlink": ["EIO"]}
# Ways after which a program goes on: none of them loses anything.
HARMLESS = {("write", "short"), ("allocate", "EOPNOTSUPP")}
PATIENCE = 180


def command(ranks):
    start = [os.environ["AUTODIDACT_PROGRAM"]] if ranks == 1 else [str(ROOT / "launch/local"), "-n", str(ranks)]
    return [*start, "train", "config.yaml", *KEYS]


def train(folder, ranks, library=None, **fault):
    """The training's end as (exit code, message); a code of None: it hangs."""
    environment = {**os.environ, "OMPI_MCA_ess_singleton_isolated": "1", **fault}
    if library:
        environment.update(LD_PRELOAD=str(library), AD_FAULT_UNDER=str(folder / "run"))
    process = subprocess.Popen(command(ranks), cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    try:
        message = process.communicate(timeout=PATIENCE)[1]
        return process.returncode, message
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return None, "it hangs"


def files(folder):
    """{name: digest} of what a run keeps; of files that say when or where it ran the name alone. Files on their way to
    become a lease do not count: the next run takes them away."""
    found = {}
    for path in sorted((folder / "run").rglob("*")):
        name = str(path.relative_to(folder / "run"))
        if path.is_file() and not name.startswith(".lease-"):
            timed = (name in ("timing.jsonl", "provenance.json", "files.jsonl", "inputs.json")
                     or name.startswith("checkpoints/"))
            found[name] = "" if timed else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def kind(path):
    """Files of one kind: numbers left out, and the names inside a model."""
    return re.sub(r"\d+", "N",
                  re.sub(r"^(model|variants/\w+)(\.partial)?/[^/]*?(\.partial)?$", r"MODEL\2/FILE\3", path))


class Sweep:
    def __init__(self, options):
        self.ranks, self.library, self.source = options.ranks, options.library.resolve(), options.folder
        self.base = Path(tempfile.mkdtemp(prefix="faults."))
        self.whole = None

    def copy(self, name):
        folder = self.base / name
        shutil.copytree(self.source, folder)
        return folder

    def rank(self, rank):
        return {"AD_FAULT_RANK": str(rank)} if self.ranks > 1 else {}

    def calls(self, rank):
        """[(call, number of its kind from 1, path below the run)] of an undisturbed training."""
        folder = self.copy(f"calls-{rank}")
        code, message = train(folder, self.ranks, self.library, AD_FAULT_LOG=str(folder / "calls"), **self.rank(rank))
        self.whole = self.whole or files(folder)
        assert code == 0 and files(folder) == self.whole, message
        numbers, found = {}, []
        for line in (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []:
            call, path = line.split(" ", 1)
            numbers[call] = numbers.get(call, 0) + 1
            found.append((call, numbers[call], os.path.relpath(path, folder / "run")))
        return found

    def plan(self, stride, pattern):
        """[(rank, call, number, path, way)]; stride 0: all."""
        chosen = []
        for rank in range(self.ranks):
            seen, others = set(), 0
            for call, number, path in self.calls(rank):
                new = (call, kind(path)) not in seen
                seen.add((call, kind(path)))
                others += not new
                ways = WAYS[call] if stride == 0 else [WAYS[call][(len(seen) + others) % len(WAYS[call])]]
                if re.search(pattern, f"{call} {path}") and (stride == 0 or new or others % stride == 0):
                    chosen += [(rank, call, number, path, way) for way in ways]
        return chosen

    def judge(self, folder, call, way, path, code, message):
        """What is wrong with the end of a training whose `call` on `path` failed; None where nothing is."""
        left = files(folder) if (folder / "run").exists() else {}
        if code == 0:
            lost = sorted(name for name in {*left, *self.whole} if left.get(name) != self.whole.get(name))
            spared = ("checkpoints/", "lease.") if call == "unlink" else ("snapshots/",)
            allowed = "warning" in message and all(name.startswith(spared) for name in lost)
            return None if not lost or allowed else f"exit code 0, but these files are others: {lost}"
        if (call, way) in HARMLESS:
            return f"it ends, though nothing is lost: {message}"
        names = [path, path.replace(".partial", "")] + [os.path.dirname(path) + "/"] * (call == "rename")
        if code != 2:
            return f"exit code {code}: {message}"
        if not any(os.path.normpath(f"run/{name}") in message for name in names):
            return f"the message does not name {path}: {message}"
        return None

    def disturb(self, fault):
        rank, call, number, path, way = fault
        folder = Path(tempfile.mkdtemp(dir=self.base)) / "f"
        shutil.copytree(self.source, folder)
        how = way if way == "short" else getattr(errno, way)
        done = folder / "done"
        code, message = train(folder, self.ranks, self.library, AD_FAULT=f"{call} {number} {how}",
                              AD_FAULT_DONE=str(done), **self.rank(rank))
        if done.exists():
            where = os.path.relpath(done.read_text().strip().split(" ", 1)[1], folder / "run")
            wrong = self.judge(folder, call, way, where, code, message)
        else:
            wrong = "no such call came" if self.ranks == 1 else None  # ranks do not always share their work alike
        first = (code, message)
        if wrong is None and code != 0:
            code, message = train(folder, self.ranks)
            now = files(folder)
            differs = sorted(name for name in {*now, *self.whole} if now.get(name) != self.whole.get(name))
            if code != 0 or differs:
                wrong = (f"the same command again: exit code {code}, other files {differs}: "
                         f"{message}\n  (it was: {first})")
            elif "damaged" in message or "is tried" in message:
                wrong = f"a damaged checkpoint was left: {message}"
        shutil.rmtree(folder.parent)
        return wrong, first


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--stride", type=int, default=40, metavar="N")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--match", default="", metavar="PATTERN")
    parser.add_argument("--say", action="store_true", help="each outcome in a line")
    parser.add_argument("library", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    sweep = Sweep(options)
    faults = sweep.plan(0 if options.full else options.stride, options.match)
    bad, ends = 0, {}
    with ThreadPoolExecutor(options.jobs) as pool:
        for fault, (wrong, (code, message)) in zip(faults, pool.map(sweep.disturb, faults)):
            rank, call, number, path, way = fault
            ends[code] = ends.get(code, 0) + 1
            last = message.strip().splitlines()[-1] if message.strip() else ""
            if options.say:
                print(f"{call} {number} {way} rank {rank} {path}: {code} {last}", flush=True)
            if wrong:
                bad += 1
                print(f"FAIL {call} {number} of rank {rank} ({way}, {path}): {wrong}", flush=True)
    shutil.rmtree(sweep.base)
    print(f"{'FAIL' if bad else 'ok'}   {len(faults)} calls failed on {options.ranks} ranks: "
          f"exit codes {dict(sorted(ends.items(), key=str))}, {bad} wrong")
    sys.exit(1 if bad else 0)


main()
