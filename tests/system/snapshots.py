#!/usr/bin/env python3
"""Reads the snapshots of the runs that snapshots.sh makes by h5dump, with Python's standard library, and recomputes
them from the parameters that they hold, from the log and from the saved models."""

import json
import math
import os
import re
import struct
import subprocess

SIZES = {"f": 4, "d": 8, "Q": 8, "q": 8, "I": 4}


def read(run, name, form, file="all.h5"):
    """The values of a dataset as one flat tuple; form "s": texts, which h5dump has no binary form of."""
    if form == "s":
        text = subprocess.run(["h5dump", "-d", name, f"{run}/snapshots/{file}"], check=True, capture_output=True,
                              text=True).stdout
        return re.findall(r'"([^"]*)"', text[text.index(" DATA {"):text.index("   ATTRIBUTE ")])
    subprocess.run(["h5dump", "-d", name, "-b", "LE", "-o", "values", f"{run}/snapshots/{file}"], check=True,
                   stdout=subprocess.DEVNULL)
    raw = open("values", "rb").read()
    os.unlink("values")
    return struct.unpack(f"<{len(raw) // SIZES[form]}{form}", raw)


def rows(values, count):
    width = len(values) // count
    assert width * count == len(values), (len(values), count)
    return [values[i * width:(i + 1) * width] for i in range(count)]


def log_steps(run):
    return {row["step"]: row for row in map(json.loads, open(f"{run}/log.jsonl")) if "parameters" in row}


def saved(path):
    """{name: values} of a safetensors file."""
    raw = open(path, "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    header.pop("__metadata__", None)
    part = {name: raw[8 + size + at["data_offsets"][0]:8 + size + at["data_offsets"][1]] for name, at in header.items()}
    return {name.removeprefix("bert."): struct.unpack(f"<{len(data) // 4}f", data) for name, data in part.items()}


def philox(counter, key=(0, 0)):
    """Philox 4x32-10 (Salmon et al., SC 2011)."""
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & 0xFFFFFFFF, a >> 32 ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


assert philox((0, 0, 0, 0)) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8], "the generator's published vector"


def sketch(theta, buckets, first=0):
    """By its definition in docs/hdf5.md; of the parameters from number `first` on."""
    result = [0] * buckets
    for i in range(first, len(theta)):
        word = philox((i // 64, 0, 0, 6))[i // 16 % 4]
        value = round(theta[i] * 2.0**36)  # both exact, ties to even
        h = (word & 0xFFFF) * buckets // 65536
        bucket = h // 16 * 16 + (h + i) % 16
        result[bucket] += -value if word >> (16 + i % 16) & 1 else value
    return tuple(result)


def norm(values):
    return math.sqrt(math.fsum(x * x for x in values))


def near(a, b, relative):
    return abs(a - b) <= relative * abs(b)


def check(run, first_trained=0):
    steps = read(run, "/step", "Q")
    names, offsets = read(run, "/tensors/name", "s"), read(run, "/tensors/offset", "Q")
    assert len(names) == len(offsets) > 0
    thetas = rows(read(run, "/parameters/flat", "f"), len(steps))
    ends = (*offsets[1:], len(thetas[0]))
    values, updates = (rows(read(run, f"/norms/{name}", "d"), len(steps)) for name in ("value", "update"))
    sketches = rows(read(run, "/sketch", "q"), len(steps))
    frozen = [offset < first_trained for offset in offsets]
    for k, theta in enumerate(thetas):
        for i, (begin, end) in enumerate(zip(offsets, ends)):
            part = theta[begin:end]
            assert math.isnan(values[k][i]) if frozen[i] else near(values[k][i], norm(part), 1e-14), (run, k, names[i])
            if frozen[i] or steps[k] == 0:
                assert math.isnan(updates[k][i])
            elif k > 0 and steps[k - 1] == steps[k] - 1:
                change = norm([a - b for a, b in zip(part, thetas[k - 1][begin:end])])
                assert near(updates[k][i], change, 2.0**-23), (run, k, names[i])
        if k in (0, 1, len(steps) - 1):
            assert sketches[k] == sketch(theta, len(sketches[k]), first_trained), (run, k)
    model = saved(f"{run}/model/model.safetensors")
    for name, begin, end in zip(names, offsets, ends):
        assert thetas[-1][begin:end] == model[name], name
        assert rows(read(run, f"/parameters/{name}", "f"), len(steps))[-1] == model[name], name
    return steps, thetas, sketches


def check_scalars(run, steps):
    log = log_steps(run)
    gradients = rows(read(run, "/norms/gradient", "d"), len(steps))
    columns = {name: read(run, f"/scalars/{name}", form) for form, names in
               {"Q": ("epoch", "examples", "tokens", "parameters"),
                "d": ("loss", "norm", "factor", "distance", "weight")}.items() for name in names}
    part_norm, part_examples = read(run, "/scalars/part_norm", "d"), read(run, "/scalars/part_examples", "Q")
    for k, step in enumerate(steps):
        if step == 0:
            assert (all(math.isnan(x)
                        for x in (*(columns[name][k] for name in ("loss", "norm", "factor")), part_norm[k]))
                    and part_examples[k] == 0)
            continue
        # One of four lanes, filled by length.
        assert 1 <= part_examples[k] < columns["examples"][k] and 0 < part_norm[k] < math.inf, (run, step)
        row = dict(log[step], parameters=int(log[step]["parameters"], 16))
        for name, column in columns.items():
            expected = row.get(name, 0 if name == "weight" else None)
            assert math.isnan(column[k]) if expected is None else column[k] == expected, (run, step, name)
        assert near(norm(gradients[k]), row["norm"], 1e-13), (run, step)


def check_probe(run, steps, teacher):
    """By the turns of docs/hdf5.md: five examples in two steps; all of them at the last."""
    student = rows(read(run, "/probe/student", "f"), len(steps))
    classes = len(student[-1]) // 5
    for k, step in enumerate(steps):
        turns = range(steps[k - 1] * 5 // 2, step * 5 // 2) if k > 0 else ()
        due = set(range(5)) if step == steps[-1] else {j % 5 for j in turns}
        for b in range(5):
            assert all(math.isfinite(x) == (b in due)
                       for x in student[k][b * classes:(b + 1) * classes]), (run, step, b)
    labels = [int(line.split("\t")[1]) for line in open("data/dev.tsv").read().splitlines()[1:6]]
    assert list(read(run, "/probe/labels", "I")) == labels
    if teacher:
        taught = rows(read(run, "/probe/teacher", "f"), len(steps))
        assert (all(math.isnan(x) for x in taught[0]) and all(math.isfinite(x) for x in taught[-1])
                and taught[-1] != student[-1])
    # The last ones are those that the finished model gives.
    lines = open("data/dev.tsv").read().splitlines()[1:6]
    open("probe.tsv", "w").write("\n".join(["sentence\tlabel", *lines]) + "\n")
    output = subprocess.run([os.environ["AD_PROGRAM"], "predict", run, "--data", "./probe.tsv"], check=True,
                            capture_output=True, text=True).stdout
    best = [max(range(classes), key=lambda c: student[-1][b * classes + c]) for b in range(5)]
    predicted = [["negative", "positive"].index(next(word for word in line.split("\t")
                                                     if word in ("negative", "positive")))
                 for line in output.splitlines() if "negative" in line or "positive" in line]
    assert predicted == best, (predicted, best)


def main():
    for run in ("none-1", "sda-1", "sdv-1", "seed"):
        steps, thetas, sketches = check(run)
        assert steps == (0, 1, 2, 3, 4, 6, 7, 9, 11, 12), steps
        check_scalars(run, steps)
        check_probe(run, steps, run in ("sda-1", "sdv-1"))
        print(f"ok   {run}: norms, sketches, logits and scalars are those of its parameters and its log")
    # Distances by sketches: from the start, and between two runs. 64 buckets tell squares to 18 %; four times that.
    _, a, sa = check("none-1")
    _, b, sb = check("seed")
    for (x, y), (sx, sy) in (((a[-1], a[0]), (sa[-1], sa[0])), ((a[-1], b[-1]), (sa[-1], sb[-1]))):
        square = sum((p - q) ** 2 for p, q in zip(x, y))
        estimate = sum(((p - q) * 2.0**-36) ** 2 for p, q in zip(sx, sy))
        assert square > 0 and abs(estimate / square - 1) <= 4 * math.sqrt(2 / 64), (estimate, square)
    assert sa[0] == sb[0], "both begin with the same parameters"
    print("ok   distances told by sketches")
    begin = read("frozen", "/tensors/offset", "Q")[
        read("frozen", "/tensors/name", "s").index("encoder.layer.1.attention.self.query.weight")]
    check("frozen", begin)
    print("ok   frozen parameters")


main()
