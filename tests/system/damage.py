#!/usr/bin/env python3
"""Damages the newest checkpoint of a run in many places, one at a time, and lets the run go on. Then files that the
system lets grow no further (`ulimit -f`).

    damage.py    in a folder that tests/system/tiny.py has made; AD_SOURCE and AUTODIDACT_PROGRAM as the tests have them

Places of values are taken from the file's index as docs/hdf5.md has it. Python's standard library only."""

import filecmp
import os
import resource
import shutil
import struct
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

KNOWN = ["student", "moment1", "moment2", "teacher", "window_sum", "window_ring", "run_sum", "past", "best"]
KEYS = ["run.dir=run", "batch.lanes=4", "train.epochs=4", "model.dropout=0.2", "eval.every=4", "eval.means=true",
        "teacher.method=sda", "teacher.window=3", "run.select=best", "checkpoint.every=4", "checkpoint.epoch=false"]
NEWEST = Path("run/checkpoints/step-000000008.h5")


def train(*more, largest=resource.RLIM_INFINITY):
    """largest: bytes that a file may have. What Python itself ignores, SIGXFSZ, is as it was again in a child."""
    return subprocess.run([os.environ["AUTODIDACT_PROGRAM"], "train", "config.yaml", *KEYS, *more], capture_output=True,
                          text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest)))


def places(data):
    """{what: (offset, text of the message)} of bytes to change."""
    size = struct.unpack_from("<Q", data, len(data) - 24)[0]
    index = len(data) - 32 - size
    form, parameters, step, count = struct.unpack_from("<4Q", data, index)
    assert data[-32:-24] == b"ADINDEX\0" and form == 3 and step == 8
    found, metadata = {}, "what HDF5 keeps of it does not match its digest"
    for v in range(count):
        which, rows, _, begin = struct.unpack_from("<4Q", data, index + 8 * (5 + 4 * v))
        bytes_a_row = parameters * (8 if KNOWN[which].endswith("_sum") else 4)
        for row in range(rows):
            for place, at in (("first", 0), ("inner", bytes_a_row // 2 + 3), ("last", bytes_a_row - 1)):
                if row == rows - 1 or place == "inner":
                    found[f"{KNOWN[which]}, row {row}, {place} byte"] = (
                        begin + row * bytes_a_row + at, f'row {row} of "{KNOWN[which]}" does not match its digest')
    assert ({"student", "moment1", "moment2", "window_sum", "window_ring", "best"}
            <= {name.split(",")[0] for name in found})
    found["state"] = (data.index(b'{"trainer"') + 20, metadata)
    found["a virtual dataset's source"] = (data.index(b"/flat/moment1\0") + 7, metadata)
    found["a tensor's name"] = (data.index(b"query.weight") + 2, metadata)
    for attribute in (b"xxh3", b"slots", b"complete", b"format"):
        found[f"attribute {attribute.decode()}"] = (data.index(attribute + b"\0") + len(attribute) + 12, metadata)
    found["superblock"] = (9, metadata)
    found["index"] = (index + 8, "its index does not match its digest")
    found["state of the index"] = (data.rindex(b'{"trainer"') + 20, "its index does not match its digest")
    found["footer"] = (len(data) - 30, "it does not end with an index")
    return found


def go_on(what, *expected):
    result = train()
    missing = [text for text in expected if text not in result.stderr]
    if result.returncode != 0 or missing:
        sys.exit(f"{what}: exit code {result.returncode}, not said: {missing}\n{result.stderr}")
    for file in ("log.jsonl", "result.json", "model/model.safetensors"):
        if not filecmp.cmp(f"whole/{file}", f"run/{file}", shallow=False):
            sys.exit(f"{what}: {file} is another one than the unbroken run's")


def main():
    result = train()
    assert result.returncode == 0, result.stderr
    Path("run").rename("whole")
    assert (train("--inject=kill@11").returncode != 0
            and sorted(p.name for p in NEWEST.parent.iterdir()) == ["step-000000004.h5", NEWEST.name])
    Path("run").rename("broken")
    good = (Path("broken") / NEWEST.relative_to("run")).read_bytes()
    changed = places(good)
    damages = [(what, good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1:], message)
               for what, (at, message) in changed.items()]
    damages += [(f"cut to {size}", good[:size], "not a whole checkpoint")
                for size in (0, 1, 31, 32, 5000, len(good) // 2, len(good) - 33, len(good) - 32, len(good) - 1)]
    damages += [("longer", good + b"\0", "it does not end with an index"),
                ("zeros", bytes(len(good)), "a file of NUL bytes"),
                ("text", b"no HDF5\n", "not a whole checkpoint")]
    for what, data, message in damages:
        shutil.copytree("broken", "run")
        NEWEST.write_bytes(data)
        go_on(what, f"{NEWEST}: ", message, "the checkpoint before it is tried", "goes on after step 4 of ")
        shutil.rmtree("run")
    print(f"ok   {len(changed)} bytes changed, {len(damages) - len(changed)} files cut or replaced: each is named, "
          "and the run goes on from the checkpoint before")
    log = Path("broken/log.jsonl").stat().st_size
    for largest, every, message in ((len(good) // 2, 1, "step-000000009.h5.partial: a checkpoint needs"),
                                    (log + 1, 99, "could not be written"), (0, 99, "could not be written")):
        shutil.copytree("broken", "run")
        result = train(f"checkpoint.every={every}", largest=largest)
        if (result.returncode != 2 or message not in result.stderr or "File too large" not in result.stderr
                or NEWEST.read_bytes() != good):
            sys.exit(f"files of {largest} bytes: exit code {result.returncode}, "
                     f"expected 2 and {message}\n{result.stderr}")
        go_on(f"files of {largest} bytes", "goes on after step 8 of ")
        shutil.rmtree("run")
    print("ok   files that may grow no further: it is told, and the checkpoint stays")


main()
