#!/usr/bin/env bash
# The same bits on 1, 2, 3, 4, 5, 7 and 8 ranks: log, weights, result, kept logits, and what eval and predict print.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"

# Pairs: the second text is the first of the next row.
python3 - <<'PY'
from pathlib import Path
Path("pairs").mkdir()
for split in ("train", "dev", "test"):
    path = Path("data") / f"{split}.tsv"
    if path.exists():
        rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
        lines = ["first\tsecond\tlabel"] + [f"{a[0]}\t{b[0]}\t{a[1]}" for a, b in zip(rows, rows[1:] + rows[:1])]
        (Path("pairs") / f"{split}.tsv").write_text("\n".join(lines) + "\n")
text = Path("tiny.yaml").read_text()
assert "  text: sentence\n" in text
Path("pairs.yaml").write_text(text.replace("  text: sentence\n", "  text: first\n  pair: second\n"))
PY

# A label of two numbers, words and the class; a set of two classes, long texts and the class.
python3 - <<'PY'
from pathlib import Path
Path("numbers").mkdir()
for split in ("train", "dev", "test"):
    rows = [line.split("\t") for line in (Path("data") / f"{split}.tsv").read_text().splitlines()[1:]]
    lines = ["sentence\twords\tlabel\tlong"] + [
        f"{row[0]}\t{len(row[0].split()) / 4}\t{row[1]}\t{int(len(row[0].split()) > 4)}" for row in rows]
    (Path("numbers") / f"{split}.tsv").write_text("\n".join(lines) + "\n")
text = Path("tiny.yaml").read_text()
text = text.replace("  label: label\nlabels: {\"0\": negative, \"1\": positive}\n", "  label: [words, label]\n")
text = text.replace("classes:\n  - negative\n  - positive\n", "task: regression\n")
Path("numbers.yaml").write_text(text)
Path("sets.yaml").write_text(text.replace("[words, label]", "[long, label]").replace("regression", "multi_label"))
PY

# run RANKS NAME [key=value ...]
run() {
  local ranks="$1" name="$2"
  shift 2
  "$source/launch/local" -n "$ranks" train config.yaml "run.dir=$name" batch.lanes=8 train.epochs=2 model.dropout=0.2 \
    eval.keep_logits=true eval.every=2 eval.batch=3 "$@" >"$name.out" 2>&1 ||
    { echo "$name on $ranks ranks failed:"; cat "$name.out"; exit 1; }
  grep -q "\"ranks\": *\"$ranks on " "$name/provenance.json" ||
    { echo "$name did not run on $ranks ranks:"; cat "$name/provenance.json"; exit 1; }
}
# same REFERENCE NAME
same() {
  for file in log.jsonl result.json model/model.safetensors; do
    cmp "$1/$file" "$2/$file" || { echo "$1 and $2 differ"; exit 1; }
  done
  local folder
  for folder in "$1"/variants/*; do
    [ ! -d "$folder" ] || cmp "$folder/model.safetensors" "$2/variants/$(basename "$folder")/model.safetensors" ||
      { echo "$1 and $2 differ in variants"; exit 1; }
  done
  grep -q "keep_logits: false" "$1/config.yaml" && [ ! -d "$1/logits" ] && return
  # The bits of the logits; the HDF5 files themselves hold the time they were made.
  local name kept=0
  for file in "$1"/logits/*.h5; do
    name="$(basename "$file")"
    h5dump -d /logits -b LE -o bits-1 "$file" >dump.out
    h5dump -d /logits -b LE -o bits-2 "$2/logits/$name" >dump.out
    [ -s bits-1 ] && cmp bits-1 bits-2 || { echo "$1 and $2 differ in $name"; exit 1; }
    kept=$((kept + 1))
  done
  [ "$kept" -ge 2 ] && [ "$kept" = "$(find "$2/logits" -type f | wc -l)" ] ||
    { echo "$1 and $2 kept other numbers of logits"; exit 1; }
}
# compare NAME RANKS... -- [key=value ...]: each number of ranks against one.
compare() {
  local name="$1" ranks=()
  shift
  while [ "$1" != -- ]; do
    ranks+=("$1")
    shift
  done
  shift
  run 1 "$name-1" "$@"
  for r in "${ranks[@]}"; do
    run "$r" "$name-$r" "$@"
    same "$name-1" "$name-$r"
  done
  echo "ok   $name: 1 ${ranks[*]}"
}

compare plain 2 3 4 5 7 8 --
# 24 examples in batches of 7: the last one has 3, fewer than there are lanes.
compare uneven 2 3 4 5 7 8 -- batch.size=7
compare lanes-5 2 3 5 -- batch.lanes=5 batch.size=3
compare lanes-13 3 8 -- batch.lanes=13 batch.rounds=2
compare rounds 2 3 -- batch.rounds=3
compare cls 3 -- model.classifier=cls optim.layer_decay=0.9 optim.schedule=cosine
compare sda 2 3 4 5 7 8 -- teacher.method=sda teacher.window=3 eval.means=true run.result=teacher batch.size=7
[ -d sda-3/variants/student ] && [ -d sda-3/variants/window ] && [ -d sda-3/variants/run ]
compare sdv 2 3 5 8 -- teacher.method=sdv teacher.window=3 teacher.dropout=on teacher.every=2 eval.means=true
compare sda-all 2 8 -- teacher.method=sda teacher.window=all teacher.dropout=same teacher.ramp=0.5 teacher.start=2 \
  model.freeze=1
compare ema 3 7 -- teacher.method=ema teacher.lag=0 teacher.decay=0.9 run.result=teacher
compare rdrop 2 8 -- teacher.method=rdrop batch.rounds=2 batch.size=7
compare se 3 -- teacher.method=se teacher.window=4 teacher.every=2 run.result=run run.select=best model.freeze=encoder
compare pairs 2 3 4 5 7 8 -- data.descriptor=pairs.yaml data.folder=pairs
compare mlm 2 3 8 -- data.task=mlm eval.keep_logits=false teacher.method=sda teacher.window=3 batch.size=7
compare numbers 3 8 -- data.descriptor=numbers.yaml data.folder=numbers teacher.method=sda teacher.window=3
compare sets 3 8 -- data.descriptor=sets.yaml data.folder=numbers teacher.method=sda teacher.window=3

# Ways of moving the same numbers.
for r in 2 3 8; do
  run "$r" "private-$r" comm.shared=false
  run "$r" "unsharded-$r" optim.shard=false
  same plain-1 "private-$r"
  same plain-1 "unsharded-$r"
done
echo "ok   private replicas, unsharded update: 2 3 8"
for way in comm.shared=false optim.shard=false teacher.ring=disk; do
  for method in sda sdv; do
    run 3 "$method-way" teacher.method=$method teacher.window=3 eval.means=true run.overwrite=true
    run 3 "$method-$way" teacher.method=$method teacher.window=3 eval.means=true "$way"
    same "$method-way" "$method-$way"
  done
done
echo "ok   a teacher with private replicas, unsharded update, ring on disk: 3"

# OpenBLAS's kernels have bits of their own, the same on any number of ranks.
cores=()
grep -q avx2 /proc/cpuinfo && cores+=(Haswell)
grep -q avx512dq /proc/cpuinfo && cores+=(SkylakeX)
for core in ${cores[@]+"${cores[@]}"}; do
  AUTODIDACT_GEMM=openblas OPENBLAS_CORETYPE="$core" compare "core-$core" 2 3 8 -- batch.size=11
  grep -qi "\"products\": *\"$core\"" "core-$core-3/provenance.json" ||
    { echo "core-$core-3 ran with another core"; exit 1; }
done

for name in plain pairs numbers sets; do
  for ranks in 1 3; do
    "$source/launch/local" -n "$ranks" eval "$name-1" --data test --json >"eval-$ranks" 2>"eval-$ranks.err"
    "$source/launch/local" -n "$ranks" predict "$name-1" --data test --logits >"predict-$ranks" 2>"predict-$ranks.err"
  done
  [ -s eval-1 ] && [ "$(wc -l <predict-1)" -ge 8 ]
  cmp eval-1 eval-3
  cmp predict-1 predict-3
done
for ranks in 1 3; do
  "$source/launch/local" -n "$ranks" eval mlm-1 --data test --json >"masked-$ranks" 2>"masked-$ranks.err"
done
grep -q '"perplexity":' masked-1
cmp masked-1 masked-3
echo "ok   eval and predict: 1 3"

for ranks in 1 3; do
  "$source/launch/local" -n "$ranks" eval plain-1 lanes-5-1 uneven-1 --data test --json --vote \
    >"vote-$ranks" 2>"vote-$ranks.err"
  "$source/launch/local" -n "$ranks" eval plain-1 lanes-5-1 uneven-1 --data test --json --average \
    --out "averaged-$ranks" >"average-$ranks" 2>"average-$ranks.err"
done
grep -q '"vote":' vote-1 && grep -q '"average":' average-1
cmp vote-1 vote-3
cmp average-1 average-3
cmp averaged-1/model.safetensors averaged-3/model.safetensors
# A folder that only the first rank finds taken ends all of them.
code=0
"$source/launch/local" -n 3 eval plain-1 uneven-1 --data test --average --out averaged-1 >taken 2>taken.err || code=$?
[ "$code" != 0 ] && grep -q 'averaged-1' taken.err ||
  { echo "a taken --out gave exit code $code:"; cat taken.err; exit 1; }
echo "ok   vote and average: 1 3"
