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
    expected[name] = [entry["dtype"], str(entry["shape"]), f"{norm:.6g}", f"{min(values):.6g}", f"{max(values):.6g}",
                      "0"]
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

# A run, and each kind of file in it, against what h5dump and Python's standard library find there.
python3 "$AD_SOURCE/tests/system/tiny.py" "$work"
cd "$work"
export OMPI_MCA_ess_singleton_isolated=1
"$AD_PROGRAM" train config.yaml train.epochs=2 run.dir=a eval.keep_logits=true checkpoint.finished=true \
  snapshot.every=2 seed.order=7 >train.out 2>&1 || { cat train.out; exit 1; }
show() { "$AD_PROGRAM" inspect "$1" >out 2>err || { echo "inspect $1:"; cat err; exit 1; }; }
has() { grep -Eq -- "$1" out || { echo "not shown: $1"; cat out; exit 1; }; }
show a
has '^a: a finished run$'
has '^  seed\.order: 7$'
has '^  data_train  *"[0-9a-f]{16}"$'
has '^a/log\.jsonl: 6 steps, 2 evaluations; the chain of digests holds$'
has '^steps  *6 '
has '^ *[0-9]+  checkpoints/step-000000006\.h5$'
has '^ *[0-9]+  snapshots/all\.h5$'
if grep -q 'seed\.dropout' out; then echo "a key at its default is shown"; exit 1; fi
show a/checkpoints/step-000000006.h5
has '^a/checkpoints/step-000000006\.h5: checkpoint after step 6, 5666 parameters in 41 tensors$'
has '^  trainer  done  *6$'
h5dump -d /student/classifier.weight -b LE -o bits a/checkpoints/step-000000006.h5 >dump
python3 - <<'PYTHON'
import math, struct
values = struct.unpack("<32f", open("bits", "rb").read())
expected = [f"{math.sqrt(math.fsum(x * x for x in values)):.6g}", f"{min(values):.6g}", f"{max(values):.6g}", "0"]
line = next(l for l in open("out", encoding="utf-8") if l.startswith("classifier.weight "))
assert line.split("]")[1].split() == expected, (line, expected)
PYTHON
show a/snapshots/all.h5
has '^a/snapshots/all\.h5: 4 snapshots, steps 0 to 6, virtual datasets over the segments beside it$'
has '^norms/value  *\[4, 41\]  *1  *L2 norm of each tensor after the update$'
has "^  first nan  last $(sed -n 's/.*"step":6,.*"loss":\([0-9.]\{8\}\).*"norm".*/\1/p' a/log.jsonl)"
show "a/snapshots/$(ls a/snapshots | grep -m 1 segment)"
show a/logits/dev-step-00000006.h5
has '^a/logits/dev-step-00000006\.h5: logits of 8 examples, 2 classes$'
error=$(sed -n 's/.*"eval":"dev".*"step":6,.*"error":\([0-9.]*\),.*/\1/p' a/log.jsonl)
has "^error $(python3 -c "print('%.4f' % (100 * $error))") %, "
for file in log.jsonl timing.jsonl result.json provenance.json config.yaml model/config.json; do
  show "a/$file"
done
# Not ours, cut short, empty: an error that names the file.
h5dump -d /logits -b LE -o bits a/logits/dev-step-00000006.h5 >dump
head -c 3000 a/checkpoints/step-000000006.h5 >cut.h5
head -c 600 a/logits/dev-step-00000006.h5 >short.h5
: >empty.h5
/usr/bin/python3 -c 'import h5py; h5py.File("other.h5", "w")["x"] = 1'
for file in cut.h5 short.h5 empty.h5 other.h5 nothing.h5; do
  code=0
  "$AD_PROGRAM" inspect "$file" >out 2>err || code=$?
  [ "$code" = 1 ] && grep -q "$file" err || { echo "inspect $file: exit code $code"; cat out err; exit 1; }
done
