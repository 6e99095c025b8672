#!/usr/bin/env bash
# A run's HDF5 files as others read them, by h5py and by h5dump and h5ls: names, shapes and values, against the
# exported weights.
set -euo pipefail
/usr/bin/python3 -c 'import h5py' 2>/dev/null ||
  { echo "skipped: /usr/bin/python3 has no h5py (package python3-h5py)"; exit 77; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}" OMPI_MCA_ess_singleton_isolated=1
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"
# run RANKS NAME [key=value ...]
run() {
  local ranks="$1" name="$2"
  shift 2
  "$source/launch/local" -n "$ranks" train config.yaml "run.dir=$name" batch.lanes=4 train.epochs=2 model.dropout=0.1 \
    checkpoint.finished=true eval.keep_logits=true snapshot.every=2 \
    snapshot.content=scalars,norms,sketch,probe,parameters "$@" \
    >"$name.out" 2>&1 || { cat "$name.out"; exit 1; }
  "$AD_PROGRAM" export "$name" --out "$name-model" 2>>"$name.out"
}
run 2 plain
run 3 sda teacher.method=sda teacher.window=4 eval.means=true run.select=best store.writer=root
run 1 early teacher.method=sda teacher.window=9
run 2 sdv teacher.method=sdv teacher.window=2 model.freeze=1
run 2 ema teacher.method=ema teacher.decay=0.9
/usr/bin/python3 "$source/tests/system/hdf5.py" "$source/docs/hdf5.md" plain sda early sdv ema
# The same by the tools of HDF5 alone.
h5ls -r plain/checkpoints/step-000000006.h5 >names
grep -Eq '^/flat/student +Dataset \{5666\}$' names &&
  grep -Eq '^/student/classifier.weight +Dataset \{2, 16\}$' names || { cat names; exit 1; }
h5dump -d /student/classifier.weight -b LE -o bits plain/checkpoints/step-000000006.h5 >dump
python3 - <<'PY'
import json, struct
data = open("plain-model/model.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
begin, end = json.loads(data[8:8 + size])["classifier.weight"]["data_offsets"]
assert open("bits", "rb").read() == data[8 + size + begin:8 + size + end]
PY
echo "ok   h5ls and h5dump"
/usr/bin/python3 "$source/tests/system/hostile_hdf5.py" plain
