#!/usr/bin/env python3
"""HDF5 files that lead elsewhere, declare more than they have, or wait for ever: each is refused by its name, soon.

    hostile_hdf5.py RUN    a run with snapshots, logits and a checkpoint; AD_PROGRAM as the tests have it; needs h5py"""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import h5py

RUN = Path(sys.argv[1])
PROGRAM = os.environ["AD_PROGRAM"]
ALL = RUN / "snapshots/all.h5"
SEGMENT = sorted((RUN / "snapshots").glob("segment-*.h5"))[0]
CHECKPOINT = sorted((RUN / "checkpoints").glob("step-*.h5"))[-1]
LOGITS = sorted((RUN / "logits").glob("*.h5"))[0]
FIFO = os.path.abspath("fifo")
SECONDS, MEMORY = 30, 2 << 30  # of a look; the program's own children are held to less


def outside(file, name, source):
    """Values that lie in another file."""
    old = file[name]
    shape, kind = old.shape, old.dtype
    del file[name]
    file.create_dataset(name, shape, kind, external=[(source, 0, h5py.h5f.UNLIMITED)])


def view(file, name, source, endless=False):
    """A virtual dataset over `source`; endless: its rows are as many as the source has, or files of a %b in its
    name."""
    old = file[name]
    space, part = old.id.get_space(), old.id.get_space()
    if endless:
        unlimited = h5py.h5s.UNLIMITED
        space, part = h5py.h5s.create_simple((1,), (unlimited,)), h5py.h5s.create_simple((1,), (unlimited,))
        space.select_hyperslab((0,), (unlimited,), (1,), (1,))
        part.select_hyperslab((0,), (1 if "%" in source else unlimited,), (1,), (1,))
    kind, how = old.id.get_type(), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_virtual(space, source.encode(), name.encode(), part)
    del file[name]
    space.select_all()
    h5py.h5d.create(file.id, name.encode(), kind, space, how)


def link(file, name, target):
    del file[name]
    file[name] = target


def huge(file, name, shape, chunks=None, **how):
    kind = file[name].dtype
    del file[name]
    file.create_dataset(name, shape, kind, chunks=chunks, **how)


def wide(file, name, kind):
    """More values a row than the dataset has by its name, where one is read into one."""
    rows = file["step"].shape[0]
    del file[name]
    file.create_dataset(name, data=[[1] * 4096] * rows, dtype=kind)


def filtered(file, name):
    values = file[name][:]
    del file[name]
    file.create_dataset(name, data=values, chunks=True, compression="lzf")


# (file, what is done to it, what the message must say)
CASES = [
    (SEGMENT, lambda f: outside(f, "step", FIFO), "step: its values lie in another file"),
    (SEGMENT, lambda f: outside(f, "scalars/loss", "/etc/passwd"), "scalars/loss: its values lie in another file"),
    (SEGMENT, lambda f: outside(f, "tensors/offset", "/dev/zero"), "tensors/offset: its values lie in another file"),
    (SEGMENT, lambda f: link(f, "scalars", h5py.ExternalLink(FIFO, "/scalars")),
     "a link that may lead out of the file"),
    (SEGMENT, lambda f: link(f, "step", h5py.ExternalLink("/etc/passwd", "/step")),
     "step: a link that may lead out of the file"),
    (SEGMENT, lambda f: link(f, "step", h5py.SoftLink("/scalars/epoch")), "step: a link that may lead out of the file"),
    (SEGMENT, lambda f: view(f, "step", "/etc/passwd"), "step: a virtual dataset over a file elsewhere"),
    (SEGMENT, lambda f: view(f, "step", FIFO), "step: a virtual dataset over a file elsewhere"),
    (SEGMENT, lambda f: view(f, "step", "../snapshots/" + SEGMENT.name),
     "step: a virtual dataset over a file elsewhere"),
    (SEGMENT, lambda f: view(f, "step", "segment-%b.h5", endless=True),
     "step: a virtual dataset over a file elsewhere"),
    (SEGMENT, lambda f: view(f, "step", "fifo", endless=True), "step: a virtual dataset without limits"),
    (SEGMENT, lambda f: view(f, "step", "fifo"), "scalars/epoch: not a whole file of snapshots"),
    (ALL, lambda f: view(f, "step", "fifo"), "it shows fifo, expected a segment"),
    (ALL, lambda f: view(f, "norms/value", "fifo"), "norms/value is not there, or does not show what step shows"),
    (ALL, lambda f: view(f, "parameters/classifier.bias", "segment-000000000.h5"),
     "parameters/classifier.bias is not there, or does not show"),
    (SEGMENT, lambda f: view(f, "scalars/loss", "fifo"), "scalars/loss: a virtual dataset, expected its values"),
    (SEGMENT, lambda f: huge(f, "step", (1 << 39,), (1 << 10,)), "step: another type or shape"),
    (SEGMENT, lambda f: huge(f, "step", (900,), (1 << 28,), maxshape=(None,)), "step: another type or shape"),
    (SEGMENT, lambda f: huge(f, "step", (1 << 34,)), "step: another type or shape"),
    (SEGMENT, lambda f: huge(f, "sketch", (f["step"].shape[0], 1 << 36), (1, 1 << 12)),
     "sketch: another type or shape"),
    (SEGMENT, lambda f: huge(f, "sketch", (f["step"].shape[0], 1 << 25), (1, 1 << 12), compression=1),
     "sketch: another type or shape"),
    (SEGMENT, lambda f: huge(f, "tensors/name", (1 << 30,), (1 << 10,)), "tensors/name: another type or shape"),
    (SEGMENT, lambda f: wide(f, "scalars/loss", "<f8"), "scalars/loss: another type or shape"),
    (SEGMENT, lambda f: wide(f, "scalars/parameters", "<u8"), "scalars/parameters: another type or shape"),
    (SEGMENT, lambda f: wide(f, "scalars/part_examples", "<u8"), "scalars/part_examples: another type or shape"),
    (SEGMENT, lambda f: huge(f, "norms/value", (f["step"].shape[0], 4, 4)), "norms/value: another type or shape"),
    (SEGMENT, lambda f: huge(f, "probe/student", (f["step"].shape[0], 4)), "probe/student: another type or shape"),
    (SEGMENT, lambda f: huge(f, "tensors/name", (4, 4)), "tensors/name: another type or shape"),
    (SEGMENT, lambda f: filtered(f, "scalars/loss"), "scalars/loss: a filter that this program does not use"),
    (LOGITS, lambda f: outside(f, "logits", FIFO), "logits: its values lie in another file"),
    (LOGITS, lambda f: view(f, "labels", FIFO), "labels: a virtual dataset, expected its values"),
    (LOGITS, lambda f: huge(f, "logits", (1 << 40, 2)), "logits: not a whole file of logits"),
    (LOGITS, lambda f: link(f, "labels", h5py.ExternalLink(FIFO, "/labels")),
     "labels: a link that may lead out of the file"),
    (CHECKPOINT, lambda f: outside(f, "flat/student", FIFO), "/flat/student: its values lie in another file"),
    (CHECKPOINT, lambda f: link(f, "flat", h5py.ExternalLink(FIFO, "/flat")),
     "/flat/student: a link that may lead out of the file"),
    (CHECKPOINT, lambda f: link(f, "student", h5py.ExternalLink(FIFO, "/student")),
     "a link that may lead out of the file"),
    (CHECKPOINT, lambda f: view(f, "student/classifier.bias", FIFO), "a virtual dataset over a file elsewhere"),
    (CHECKPOINT, lambda f: view(f, "student/classifier.bias", "fifo", endless=True),
     "a virtual dataset without limits"),
    (CHECKPOINT, lambda f: huge(f, "flat/moment1", (1 << 40,)), "/flat/moment1: "),
    (CHECKPOINT, lambda f: (link(f, "state", h5py.SoftLink("/flat/student"))),
     "state: a link that may lead out of the file"),
]


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def refused(arguments, words):
    """The program says no, by name, without waiting or taking the machine's memory."""
    try:
        found = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=SECONDS,
                               preexec_fn=limited)
    except subprocess.TimeoutExpired:
        raise SystemExit(f"{arguments}: still waits after {SECONDS} s") from None
    said = found.stdout + found.stderr
    if found.returncode != 1 or words not in said or "root:" in said:
        raise SystemExit(f"{arguments}: exit code {found.returncode}, expected 1 and {words!r}:\n{said}")


def main():
    os.mkfifo(FIFO)
    folder = Path("hostile")
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    for number, (source, change, words) in enumerate(CASES):
        path = folder / f"{number}.h5"
        shutil.copy(source, path)
        with h5py.File(path, "r+") as file:
            change(file)
        refused(["inspect", str(path)], words)
    print(f"ok   {len(CASES)} hostile files")
    # The same in a run: all.h5 names its segment, which names what is wrong; a segment that is no file at all.
    shaped = [(i, case[2]) for i, case in enumerate(CASES)
              if case[2] in ("step: another type or shape", "scalars/loss: another type or shape")]
    for number, words in ((0, CASES[0][2]), *shaped, (None, "expected a file, found a pipe")):
        shutil.rmtree("bad", ignore_errors=True)
        shutil.copytree(RUN, "bad")
        path = Path("bad/snapshots") / SEGMENT.name
        path.unlink()
        os.mkfifo(path) if number is None else shutil.copy(folder / f"{number}.h5", path)
        refused(["inspect", "bad/snapshots/all.h5"], f"{SEGMENT.name}: {words if number is None else ''}")
        refused(["verify", "bad"], words)
        refused(["diff", "bad", str(RUN)], words)
    print("ok   hostile segments of a run")


main()
