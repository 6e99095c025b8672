#!/usr/bin/env bash
# `autodidact inspect` against the numbers that Python's standard library finds in the same file.
set -euo pipefail
model=$AD_SOURCE/tests/parity/data/tiny-bert
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$AD_PROGRAM" inspect "$model" > "$work/folder"
"$AD_PROGRAM" inspect "$model/model.safetensors" > "$work/file"
"$AD_PROGRAM" inspect --help | grep -q "autodidact inspect" || { echo "inspect --help does not say how" >&2; exit 1; }
python3 - "$model/model.safetensors" "$work/folder" "$work/file" <<'PYTHON'
import json, math, struct, sys

data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
header.pop("__metadata__", None)
expected, total = {}, 0
for name, entry in header.items():
    begin, end = entry["data_offsets"]
    values = struct.unpack(f"<{(end - begin) // 4}f", data[8 + size + begin:8 + size + end])
    norm = math.sqrt(math.fsum(x * x for x in values))
    expected[name] = [entry["dtype"], str(entry["shape"]), f"{norm:.6g}", f"{min(values):.6g}", f"{max(values):.6g}", "0"]
    total += len(values)
for path in sys.argv[2:]:
    lines = open(path, encoding="utf-8").read().splitlines()
    found = {}
    for line in lines:
        name = line.split(" ")[0]
        if name in expected:
            kind, rest = line[len(name):].split(maxsplit=1)
            shape, rest = rest[:rest.index("]") + 1], rest[rest.index("]") + 1:].split()
            found[name] = [kind, shape, *rest[:4]]
            assert len(rest) == 5 and len(rest[4]) == 16, line
    for name in expected:
        assert found.get(name) == expected[name], f"{name}: {found.get(name)}, expected {expected[name]}"
    assert lines[-1] == f"{len(expected)} tensors, {total} values, {4 * total} bytes", lines[-1]
text = open(sys.argv[2], encoding="utf-8").read()
assert "2 layers, 8 wide, 2 heads, feed-forward 16, vocabulary 30, 16 positions, 2 types" in text
assert "class 1: plant" in text
PYTHON
