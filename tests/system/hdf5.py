#!/usr/bin/env python3
"""Reads runs with h5py and numpy alone, as docs/hdf5.md says.

    hdf5.py DOCUMENT RUN...    with RUN-model, the exported folder, beside each"""

import json
import re
import struct
import sys
from pathlib import Path

import h5py
import numpy as np

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))


def weights(path):
    """{name without bert.: array} of a safetensors file."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name.removeprefix("bert."): np.frombuffer(data[8 + size:], "<f4", int(np.prod(entry["shape"])),
                                                      entry["data_offsets"][0]).reshape(entry["shape"])
            for name, entry in header.items()}


def same(a, b):
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def check_checkpoint(run, exported, document):
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    steps = [row for row in rows if "eval" not in row]
    path = max((run / "checkpoints").iterdir())
    with h5py.File(path) as file:
        assert (file.attrs["step"] == len(steps) == int(path.stem.split("-")[1]) and file.attrs["complete"] == 1
                and file.attrs["format"] == 3)
        state = json.loads(file["state"][()])
        assert state["trainer"]["done"] == len(steps) and state["trainer"]["chain"] == steps[-1]["chain"]
        assert sorted(file) == sorted([*file["flat"], "flat", "state"])
        order = sorted(exported, key=lambda name: (
            file[f"student/{name}"].virtual_sources()[0].src_space.get_select_bounds()[0][0]))
        for name, flat in file["flat"].items():
            assert re.search(rf"`(flat/)?{name}`", document), f"{name} is not in docs/hdf5.md"
            lead = flat.shape[:-1]
            assert (len(flat.attrs["xxh3"]) == (lead[0] if lead else 1)
                    and flat.attrs["slots"] >= (lead[0] if lead else 1))
            assert set(file[name]) == set(exported)
            for tensor, values in exported.items():
                dataset = file[f"{name}/{tensor}"]
                assert (dataset.shape == (*lead, *values.shape) and dataset.dtype == flat.dtype
                        and dataset.is_virtual), (name, tensor)
            parts = [file[f"{name}/{tensor}"][:].reshape(*lead, -1) for tensor in order]
            assert same(np.concatenate(parts, axis=-1), flat[:]), name
        check_index(path)
        best = file["best"] if "best" in file else file["student"]
        for tensor, values in exported.items():
            assert same(best[tensor][:], values), tensor
        return {name: flat[:] for name, flat in file["flat"].items()}, state


def check_index(path):
    """The index behind the HDF5 part, read as docs/hdf5.md says: what h5py tells, and values in their places."""
    known = ["student", "moment1", "moment2", "teacher", "window_sum", "window_ring", "run_sum", "past", "best"]
    data = path.read_bytes()
    magic, size, _, _ = struct.unpack("<8s3Q", data[-32:])
    index = data[-32 - size:-32]
    form, parameters, step, count, state_bytes = struct.unpack_from("<5Q", index)
    assert magic == b"ADINDEX\0" and form == 3
    at = 8 * (5 + 4 * len(known))
    with h5py.File(path) as file:
        assert count == len(file["flat"]) and step == file.attrs["step"]
        for v in range(count):
            which, rows, slots, begin = struct.unpack_from("<4Q", index, 8 * (5 + 4 * v))
            flat = file["flat"][known[which]]
            assert (flat.shape == ((rows, parameters) if flat.ndim == 2 else (parameters,))
                    and slots == flat.attrs["slots"])
            assert begin == flat.id.get_offset() and begin % 4096 == 0
            assert same(np.frombuffer(data, flat.dtype, flat.size, begin).reshape(flat.shape), flat[:])
            assert struct.unpack_from(f"<{rows}Q", index, at) == tuple(flat.attrs["xxh3"].tolist())
            at += 8 * rows
        assert index[at:] == file["state"][()] and len(index) == at + state_bytes


def check_window(vectors, slots):
    """The sum by its definition: integers on the grid."""
    shift = 57 - int(np.ceil(np.log2(slots)))
    total = np.rint(vectors["window_ring"].astype(np.float64) * 2.0**shift).astype(np.int64).sum(axis=0)
    assert same(total, vectors["window_sum"])


def check_others(run, vectors):
    with h5py.File(run / "snapshots/all.h5") as file:
        assert same(file["parameters/flat"][-1], vectors["student"])
        names = [name.decode() for name in file["tensors/name"][:]]
        for name, offset in zip(names, file["tensors/offset"][:].tolist()):
            values = file[f"parameters/{name}"][-1]
            assert same(values.ravel(), vectors["student"][offset:offset + values.size]), name
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    for row in (row for row in rows if "eval" in row):
        variant = "" if row["model"] == "student" else row["model"] + "-"
        with h5py.File(run / f"logits/dev-{variant}step-{row['step']:08d}.h5") as file:
            assert file["logits"].shape[0] == row["examples"] and file["labels"].attrs["unit"] == b"class"
            assert (file["logits"][:].argmax(axis=1) != file["labels"][:]).mean() == row["error"]


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    document, seen = Path(sys.argv[1]).read_text(encoding="utf-8"), set()
    for run in map(Path, sys.argv[2:]):
        vectors, state = check_checkpoint(run, weights(run.with_name(run.name + "-model") / "model.safetensors"),
                                          document)
        seen |= set(vectors)
        if run.name == "sda":
            check_window(vectors, 4)
            assert vectors["window_ring"].shape[0] == 4
        if run.name == "early":
            check_window(vectors, 9)
            assert vectors["window_ring"].shape[0] == state["trainer"]["window"] < 9
        check_others(run, vectors)
    assert seen == {"student", "moment1", "moment2", "teacher", "window_sum", "window_ring", "run_sum",
                    "past", "best"}, seen
    print(f"ok   {len(sys.argv) - 2} runs by h5py: names, shapes, values as exported")


main()
