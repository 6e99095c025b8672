#!/usr/bin/env bash
# The long tables of a report against the run folders, by h5py; runs that diverged, are missing or have no usable
# logits; calls that fail while tables are written; the lines of the document that read them.
set -euo pipefail
/usr/bin/python3 -c 'import h5py' 2>/dev/null ||
  { echo "skipped: /usr/bin/python3 has no h5py (package python3-h5py)"; exit 77; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}" OMPI_MCA_ess_singleton_isolated=1
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"
tables() {
  /usr/bin/python3 "$source/tests/system/tables.py" "$@"
}
report() {
  "$AD_PROGRAM" study report study.yaml --tables --out report >report.out 2>report.err || { cat report.err; exit 1; }
}

cat >study.yaml <<'YAML'
study: {name: tiny, dir: study, failed: never}
base: {file: config.yaml, train.epochs: 2, model.dropout: 0.1, model.head: new, run.signals: "TERM,USR1"}
axes: {seed.init: 0..1, seed.order: [3, 12]}
arms:
  base: {}
  "=1+1 é": {teacher: {method: sda, window: 2}, run.result: teacher, run.select: best}
  overflow: {optim: {lr: 10, decay: 10, clip: 0}, train.epochs: 6}
YAML
"$AD_PROGRAM" study run study.yaml >run.out 2>&1 || { cat run.out; exit 1; }
# One more order: cells that nobody has run.
sed -i 's/\[3, 12\]/[3, 12, 40]/' study.yaml
report
good=good,good,missing,good,good,missing
gone="${good//good/diverged}"
tables check report study "base:$good" "=1+1 é:$good" "overflow:$gone"
cp -r report whole
report
for table in runs.csv examples.csv tables.h5; do
  cmp "report/$table" "whole/$table"
done
echo "ok   made again, the same bytes"

# A file that is cut, one that is gone.
mapfile -t files < <(ls study/runs/*/logits/dev-step-00000006.h5)
truncate -s 600 "${files[0]}"
rm "${files[1]}"
report
grep -q 'examples.csv: finished runs that are not in it: 1 without logits, 1 with logits that cannot be used' \
  report.err || { cat report.err; exit 1; }
tables check report study "base:$good"

tables faults "${AD_BUILD:?}/tests/libfaults.so" study.yaml

# Without --tables there is runs.csv alone.
"$AD_PROGRAM" study report study.yaml --out short >short.out 2>&1
cmp short/runs.csv report/runs.csv
[ ! -e short/examples.csv ] && [ ! -e short/tables.h5 ] || { echo "examples that nobody asked for"; exit 1; }

for language in python R; do
  tables lines "$source/docs/user-guide.md" report "$language" >"read.$language"
done
if /usr/bin/python3 -c 'import pandas' 2>/dev/null; then
  /usr/bin/python3 read.python
  echo "ok   read by pandas"
fi
if command -v Rscript >/dev/null; then
  Rscript read.R
  echo "ok   read by R"
fi
