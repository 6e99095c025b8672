#!/usr/bin/env bash
# Training with a teacher: what the log, the table and the run folder hold, and that the variants are what
# they are called.
set -euo pipefail
program="${AD_PROGRAM:?}"
source="${AD_SOURCE:?}/tests/system"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export OMPI_MCA_ess_singleton_isolated=1
python3 "$source/tiny.py" "$work"
cd "$work"

run() {
  local name="$1"
  shift
  "$program" train config.yaml "run.dir=$name" train.epochs=4 optim.lr=3e-3 model.dropout=0.1 "$@" \
    >"$name.out" 2>"$name.err" || { cat "$name.err"; exit 1; }
}
run plain
run se teacher.method=se teacher.window=3 run.result=run
run sda teacher.method=sda teacher.window=3 eval.means=true
run sda-teacher teacher.method=sda teacher.window=3 eval.means=true run.result=teacher
run sdv teacher.method=sdv teacher.window=3
run lean teacher.method=sda teacher.window=3 eval.means=true run.variants=false
run best teacher.method=sda teacher.window=all eval.every=1 run.select=best run.result=teacher model.freeze=1

# SE changes nothing in training; without a teacher the log has no columns of one.
diff <(grep '"step":.*"parameters"' plain/log.jsonl) <(grep '"step":.*"parameters"' se/log.jsonl)
cmp plain/model/model.safetensors se/variants/student/model.safetensors
if grep distance plain/log.jsonl; then exit 1; fi
echo "ok   self-ensemble trains as plain fine-tuning does"

python3 "$source/teacher.py"

# The same parameters, wherever they are kept.
cmp sda/model/model.safetensors sda-teacher/variants/student/model.safetensors
cmp sda/variants/teacher/model.safetensors sda-teacher/model/model.safetensors
cmp sda/model/model.safetensors lean/model/model.safetensors
[ ! -e lean/variants ] && [ ! -e sdv/variants ] && [ ! -e plain/variants ]
for name in student teacher window run; do
  "$program" eval sda --data dev --model "$name" --json >a 2>err
  "$program" eval sda-teacher --data dev --model "$name" --json >b 2>err
  cmp a b
  python3 - "$name" <<'PY'
import json, sys
last = json.load(open("sda/result.json"))["last"][sys.argv[1]]
found = {key: value for key, value in json.load(open("a")).items() if key in last}
assert found == last, (found, last)
PY
done
"$program" export sda --model window --out exported 2>err
cmp exported/model.safetensors sda/variants/window/model.safetensors
"$program" predict sda --model run --data test >predictions
[ "$(wc -l <predictions)" -ge 8 ]
echo "ok   --model: the variants of a run"

for title in "student error" "teacher error" "window error" "run error"; do
  grep -q "$title" sda.out || { cat sda.out; exit 1; }
done
grep -q "dev error" plain.out && ! grep -q "student error" plain.out
grep -q "memory a rank: [0-9]* MiB (program" sda.err &&
  grep -q '"memory":{"predicted":[0-9]*,"used":[0-9]*}' sda/timing.jsonl
echo "ok   what is printed"
