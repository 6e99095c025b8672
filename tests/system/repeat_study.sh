#!/usr/bin/env bash
# datasets/studies/repeat: a record is written, repeated wholly and in part, and a planted difference is found; what is
# missing, wrong or unfinished is an error with a line.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}" OMPI_MCA_ess_singleton_isolated=1
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"

# expect NAME CODE PATTERN ARGUMENT...: `repeat ARGUMENT...` ends with CODE, and a line of what it prints matches.
expect() {
  local name="$1" code="$2" pattern="$3" found=0
  shift 3
  "$source/datasets/studies/repeat" "$@" >out 2>&1 || found=$?
  if [ "$found" != "$code" ] || ! grep -Eq -- "$pattern" out; then
    echo "$name: exit code $found, expected $code and a line like /$pattern/; it said:"
    cat out
    exit 1
  fi
}
# ran FOLDER COUNT: so many runs were trained there.
ran() {
  local found
  found=$(find "$1/runs" -name result.json | wc -l)
  [ "$found" = "$2" ] || { echo "$1 has $found runs, expected $2"; exit 1; }
}

mkdir studies
cat >studies/tiny.yaml <<'YAML'
study:  # dir: is next
  dir: runs/tiny
  failed: never
base: {file: config.yaml, train.epochs: 2, model.dropout: 0.1, model.head: new}
axes: {seed.init: 0..1, seed.order: [3, 12]}
arms:
  base: {}
  sda: {teacher: {method: sda, window: 2}, run.result: teacher}
  overflow: {optim: {lr: 10, decay: 10, clip: 0}, train.epochs: 6}
YAML
expect "nothing was run" 1 "^repeat: runs/tiny: no plan.json: nothing of studies/tiny.yaml has been run" \
  --record studies/tiny.yaml
expect "no record" 1 "^repeat: studies/tiny.yaml has no record: studies/records/tiny is not there" studies/tiny.yaml
sed 's/0..1/0/' studies/tiny.yaml >whole.yaml
mv whole.yaml studies/tiny.yaml
"$AD_PROGRAM" study run studies/tiny.yaml >run.out 2>&1 || { cat run.out; exit 1; }

# One more level: a study of which half is done.
sed -i 's/seed.init: 0/seed.init: 0..1/' studies/tiny.yaml
expect "unfinished" 1 "^repeat: runs/tiny: 6 of 12 runs are finished: run the others, or add --unfinished" \
  --record studies/tiny.yaml
expect "the record of half" 0 "^studies/records/tiny: 6 of 12 runs" --record studies/tiny.yaml --unfinished
expect "all of half" 1 "^repeat: studies/records/tiny has 6 of 12 runs, 12 were asked for: --cells takes 6$" \
  studies/tiny.yaml --out half
expect "a part of half" 0 "^tiny: 3 of 3 runs compared with the record, 0 differ$" \
  studies/tiny.yaml --cells 3 -n 1 --out half
if grep "different arithmetics" out; then
  echo "runs that were left out have an arithmetic of their own"
  exit 1
fi
ran half 2
arms=$(grep -oh '"arm":"[a-z]*"' half/records/*-*-*.jsonl | cut -d'"' -f 4 | sort | xargs)
[ "$arms" = "base overflow sda" ] || { echo "not a run of each arm"; cat half/records/*; exit 1; }
echo "ok   a study that is not finished"

"$AD_PROGRAM" study run studies/tiny.yaml >run.out 2>&1 || { cat run.out; exit 1; }
expect "a record" 0 "^studies/records/tiny: 12 of 12 runs" --record studies/tiny.yaml
if grep -rF -e '"host"' -e "$work" studies/records; then
  echo "the record says where it was made"
  exit 1
fi
mv runs/tiny first
mkdir -p runs
cp -r studies/records/tiny runs/tiny
"$AD_PROGRAM" study run studies/tiny.yaml >run.out 2>&1 || { cat run.out; exit 1; }
[ ! -e runs/tiny/runs ] || { echo "a record is no finished study"; exit 1; }
"$AD_PROGRAM" study report studies/tiny.yaml >/dev/null 2>report.err || { cat report.err; exit 1; }
echo "ok   a record is a finished study"

expect "a part" 0 "^tiny: 4 of 4 runs compared with the record, 0 differ" studies/tiny.yaml --cells 4 -n 2
expect "all, behind a part" 0 "^tiny: 12 of 12 .*, 0 differ \(4 were run by an earlier call\)$" studies/tiny.yaml -n 1
ran runs/tiny-repeat 8
echo "ok   repeated"

# Differences in the digest of one run, the last bit of a score of another one, the step where one diverged.
/usr/bin/env python3 - studies/records/tiny/records/record.jsonl <<'PY'
import json
import math
import sys
from pathlib import Path

path = Path(sys.argv[1])
lines = [json.loads(line) for line in path.read_text().splitlines()]
base, sda, overflow = (next(line for line in lines if line["arm"] == arm) for arm in ("base", "sda", "overflow"))
base["result"]["parameters"] = "0123456789abcdef"
sda["result"]["dev"]["loss"] = math.nextafter(sda["result"]["dev"]["loss"], 2)
overflow["step"] += 1
path.write_text("".join(json.dumps(line) + "\n" for line in lines))
PY
expect "differences" 1 "^tiny: 12 of 12 runs compared with the record, 3 differ" studies/tiny.yaml --all -n 1
for pattern in '^base seed.*: result.parameters is "[0-9a-f]{16}", the record has "0123456789abcdef"$' \
  '^sda seed.*: result.dev.loss is [0-9.]+, the record has [0-9.]+$' '^overflow seed.*: step is [0-9]+, the record'; do
  grep -Eq "$pattern" out || { echo "no line /$pattern/"; cat out; exit 1; }
done
[ "$(wc -l <out)" -ge 4 ]
echo "ok   planted differences are found"

expect "another study's folder" 1 "^repeat: first is a study already, and no repetition" studies/tiny.yaml --out first
expect "unknown name" 1 "^repeat: none: no such study, expected one of .*sst2-confirmatory, " none
expect "no such file" 1 "^repeat: none.yaml: no such study, expected a study file" none.yaml
expect "no such file to record" 1 "^repeat: none.yaml: no such study file" --record none.yaml
expect "no number" 2 "argument --cells: found '0', expected a whole number from 1" studies/tiny.yaml --cells 0
expect "more than there are" 1 "has 12 of 12 runs, 13 were asked for" studies/tiny.yaml --cells 13
expect "a folder in a file's place" 1 "^repeat: .*Not a directory" studies/tiny.yaml --out config.yaml/out
expect "nothing asked" 2 "expected either NAME or --record STUDY.yaml"
AUTODIDACT_PROGRAM=none expect "no program" 1 "^repeat: none is not there: build it" studies/tiny.yaml
# Other data: nothing is trained.
sed -i '2s/^/very /' data/train.tsv
expect "other data" 1 "was begun in other with training data [0-9a-f]{16}, now it is" studies/tiny.yaml --out other -n 1
grep -q "^tiny: 0 of 12 runs compared" out || { cat out; exit 1; }
ran other 0
sed -i 's/train.epochs: 2/train.epochs: 3/' studies/tiny.yaml
expect "another study file" 1 "of its 12 runs are not in studies/tiny.yaml: it was changed" studies/tiny.yaml --out more
echo '{"cell":' >>studies/records/tiny/records/record.jsonl
expect "a damaged record" 1 "record.jsonl:13: expected a JSON object with at, cell, arm, " studies/tiny.yaml
echo "ok   wrong calls"
