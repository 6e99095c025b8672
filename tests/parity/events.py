#!/usr/bin/env python3
"""Event files against TensorBoard's own package (pip install tensorboard).

    events.py bytes               prints what its writer gives for the events of tests/unit/test_events.c
    events.py run RUN EVENTS      compares what it reads from EVENTS (export --tensorboard) with RUN/log.jsonl"""

import io
import json
import struct
import sys
from pathlib import Path

if len(sys.argv) < 2 or {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))


def print_bytes():
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter
    out = io.BytesIO()
    writer = RecordWriter(out)

    def add(**event):
        writer.write(Event(**event).SerializeToString())

    def values(**scalars):
        return Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()])

    add(wall_time=1700000000.5, file_version="brain.Event:2")
    add(wall_time=1700000001.25, step=300, summary=values(**{"train/loss": 0.6931471805599453, "dev/matthews": -1.0}))
    add(summary=values(zero=0.0))
    writer.flush()
    print(out.getvalue().hex())


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def compare(run, folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(folder, size_guidance={"scalars": 0})
    events.Reload()
    rows = [json.loads(line) for line in (Path(run) / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    tags = [tag for tag in events.Tags()["scalars"] if tag != "train/learning_rate"]
    others = {tag.split("/")[0] for tag in tags if tag.startswith("dev-")}
    expected = {}
    for row in rows:
        if "eval" in row:
            group = f"dev-{row['model']}" if f"dev-{row['model']}" in others else "dev"
            names = {name: name for name in row.keys() - {"eval", "model", "step", "epoch", "examples", "task"}}
        else:
            group, names = "train", {"loss": "loss", "norm": "gradient_norm", "distance": "teacher_distance"}
        for name, tag in names.items():
            if row.get(name) is not None:
                expected.setdefault(f"{group}/{tag}", []).append((row["step"], single(row[name])))
    if sorted(tags) != sorted(expected):
        sys.exit(f"found the tags {sorted(tags)}, expected {sorted(expected)}")
    for tag in tags:
        found = [(scalar.step, scalar.value) for scalar in events.Scalars(tag)]
        if found != expected[tag]:
            sys.exit(f"{tag}: found {found[:3]}, expected {expected[tag][:3]}")
    print(f"ok   {folder}: {len(tags)} tags, {len(rows)} rows")


if __name__ == "__main__":
    if sys.argv[1] == "bytes":
        print_bytes()
    else:
        compare(*sys.argv[2:4])
