#!/usr/bin/env bash
# Runs that are killed, stopped, starved of disk or damaged go on, on another number of ranks, to the bits of the
# unbroken run.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"

# The classes as sets of one, and as numbers.
sed '1i task: multi_label' tiny.yaml >sets.yaml
sed -e 's/^labels: .*/task: regression/' -e '/^classes:/,/positive$/d' tiny.yaml >number.yaml

common=(batch.lanes=8 train.epochs=6 model.dropout=0.2 eval.every=4 eval.batch=2 eval.keep_logits=true eval.means=true
  checkpoint.every=5)
# run RANKS NAME [argument ...]: the exit code in $code.
run() {
  local ranks="$1" name="$2"
  shift 2
  code=0
  "$source/launch/local" -n "$ranks" train config.yaml "run.dir=$name" "${common[@]}" "$@" >"$name.out" 2>&1 || code=$?
}
same() {
  for file in log.jsonl result.json model/model.safetensors variants/run/model.safetensors \
    variants/window/model.safetensors; do
    cmp "$1/$file" "$2/$file" || { echo "$1 and $2 differ"; cat "$2.out"; exit 1; }
  done
  [ "$(ls "$1/logits")" = "$(ls "$2/logits")" ] || { echo "$2 kept other logits"; exit 1; }
  [ ! -e "$2/checkpoints" ] || { echo "$2: its checkpoints are still there"; exit 1; }
}
# broken REFERENCE NAME CODE RANKS FAULTS RANKS [key=value ...]: breaks a run, and lets it go on.
broken() {
  local reference="$1" name="$2" expected="$3" first="$4" faults="$5" second="$6"
  shift 6
  rm -rf "$name"
  run "$first" "$name" "--inject=$faults" "$@"
  case "$expected" in
    killed) [ "$code" != 0 ] && [ "$code" != 1 ] ;;
    *) [ "$code" = "$expected" ] ;;
  esac || { echo "$name with $faults: exit code $code, expected $expected"; cat "$name.out"; exit 1; }
  [ ! -e "$name/result.json" ] || { echo "$name with $faults has a result"; exit 1; }
  run "$second" "$name" "$@"
  [ "$code" = 0 ] || { echo "$name with $faults does not go on:"; cat "$name.out"; exit 1; }
  same "$reference" "$name"
}

methods=("teacher.method=sda teacher.window=3 run.select=best run.result=teacher"
  "teacher.method=sdv teacher.window=3 teacher.every=2 teacher.dropout=on"
  "teacher.method=ema teacher.lag=0 teacher.decay=0.9 model.freeze=1" "teacher.method=sda teacher.window=all"
  "teacher.method=sda teacher.window=1 optim.shard=false"
  "teacher.method=sda teacher.window=3 data.descriptor=number.yaml run.select=best"
  "teacher.method=sda teacher.window=2 data.descriptor=sets.yaml run.select=best"
  "teacher.method=sdv teacher.window=2 train.precision=bfloat16")
number=0
for method in "${methods[@]}"; do
  read -ra keys <<<"$method"
  run 1 "whole-$number" "${keys[@]}"
  [ "$code" = 0 ] || { cat "whole-$number.out"; exit 1; }
  broken "whole-$number" "a-$number" killed 2 kill@11 3 "${keys[@]}"
  broken "whole-$number" "b-$number" 75 3 term@eval:2 1 "${keys[@]}"
  broken "whole-$number" "c-$number" killed 1 kill@save:2 4 "${keys[@]}" store.writer=root
  number=$((number + 1))
done
echo "ok   $number methods: killed, stopped, on another number of ranks"

# With bfloat16: begun by one way of products, gone on with by another.
keys=(teacher.method=sdv teacher.window=2 train.precision=bf16)
AUTODIDACT_BFLOAT16=fma run 2 ways "${keys[@]}" --inject=kill@11
[ "$code" != 0 ] && grep -q '"bfloat16": "fma"' ways/provenance.json
run 3 ways "${keys[@]}"
[ "$code" = 0 ] || { cat ways.out; exit 1; }
same "whole-$((number - 1))" ways
echo "ok   another way of bfloat16 products"

keys=(teacher.method=sda teacher.window=3 run.select=best run.result=teacher)
broken whole-0 first killed 3 kill@1 2 "${keys[@]}"
broken whole-0 epoch killed 2 kill@3 1 "${keys[@]}" checkpoint.epoch=true checkpoint.every=0
broken whole-0 in-save killed 3 kill@save 2 "${keys[@]}"
broken whole-0 in-eval killed 2 kill@eval:7 3 "${keys[@]}"
broken whole-0 last killed 2 kill@18 4 "${keys[@]}"
broken whole-0 edge 75 1 term@9 2 "${keys[@]}"
broken whole-0 early 75 2 term@eval 1 "${keys[@]}"
broken whole-0 full 2 2 enospc@save:2 3 "${keys[@]}"
broken whole-0 full-root 2 3 enospc@save 2 "${keys[@]}" store.writer=root
broken whole-0 disk killed 2 kill@13 3 "${keys[@]}" teacher.ring=disk
broken whole-0 rounds killed 2 kill@13 1 "${keys[@]}" batch.rounds=2
echo "ok   killed at first and last steps, in saves, evaluations; no space; ring on disk"

# Several times on the way.
rm -rf often
for fault in kill@4 kill@save:2 kill@13; do
  run 2 often "${keys[@]}" "--inject=$fault"
  [ "$code" != 0 ]
done
run 3 often "${keys[@]}"
same whole-0 often
echo "ok   killed three times"

# A damaged checkpoint: the one before it is taken, and said. All of them damaged: an error, and nothing is touched.
keys+=(checkpoint.epoch=false)
run 2 damaged "${keys[@]}" --inject=corrupt@checkpoint:2,kill@13
[ "$(ls damaged/checkpoints)" = "$(printf 'step-%09d.h5\n' 5 10)" ]
cp -r damaged hopeless
run 3 damaged "${keys[@]}"
[ "$code" = 0 ] || { cat damaged.out; exit 1; }
grep -q 'step-000000010.h5: damaged: .* does not match its digest; the checkpoint before it is tried' damaged.out
grep -q "goes on after step 5 of 18" damaged.out
same whole-0 damaged
cp hopeless/log.jsonl log-before
python3 - <<'PY'
import os
path = "hopeless/checkpoints/step-000000005.h5"
with open(path, "r+b") as file:
    file.seek(os.path.getsize(path) // 2)
    byte = file.read(1)[0]
    file.seek(-1, 1)
    file.write(bytes([byte ^ 1]))
PY
run 2 hopeless "${keys[@]}"
[ "$code" = 1 ] && grep -q "no checkpoint is good" hopeless.out && cmp hopeless/log.jsonl log-before
# Cut short, or no HDF5 at all.
truncate -s 5000 hopeless/checkpoints/step-000000005.h5
echo "no HDF5" >hopeless/checkpoints/step-000000010.h5
run 1 hopeless "${keys[@]}"
[ "$code" = 1 ] && grep -q "no checkpoint is good" hopeless.out
echo "ok   damaged checkpoints"

# What may not change is refused with both values and the way to allow it.
run 2 changed "${keys[@]}" --inject=kill@13
refused() {
  local what="$1"
  shift
  run 2 changed "$@"
  [ "$code" = 1 ] && grep -q "$what" changed.out || { echo "not refused: $*"; cat changed.out; exit 1; }
}
refused "optim.lr 0.001, now it is 0.002.*resume.allow=configuration" "${keys[@]}" optim.lr=2e-3
refused "teacher.window 3, now it is 4" "${keys[@]}" teacher.window=4
refused 'train.precision "\?float32"\?, now it is "\?bfloat16' "${keys[@]}" train.precision=bfloat16
cp data/train.tsv held.tsv
printf 'good film\t1\n' >>data/train.tsv
refused 'data_train "[0-9a-f]*", now it is "[0-9a-f]*".*resume.allow=data' "${keys[@]}"
cp held.tsv data/train.tsv
refused "resume.allow is 'everything'" "${keys[@]}" resume.allow=everything
AUTODIDACT_GEMM=openblas refused 'arithmetic "1", now it is "1, products by openblas-.*resume.allow=arithmetic' \
  "${keys[@]}"
[ ! -e changed/.resume ]
# Another commit, compiler, CPU and kernel set are no change: the arithmetic is the same.
sed -i 's/"commit": "[^"]*"/"commit": "0123456789ab"/; s/"compiler": "[^"]*"/"compiler": "cc 1"/
  s/"kernels": "[^"]*"/"kernels": "neon"/; s/"cpu": "[^"]*"/"cpu": "other"/' changed/provenance.json
cp -r changed allowed
cp -r changed past
cp -r changed unbroken
run 1 allowed "${keys[@]}" optim.lr=2e-3 resume.allow=data,configuration
[ "$code" = 0 ] && grep -q "optim.lr was 0.001, is 0.002" allowed.out
run 1 changed "${keys[@]}" checkpoint.minutes=0 checkpoint.every=7 run.time_limit=1000 batch.rounds=2
[ "$code" = 0 ] || { cat changed.out; exit 1; }
same whole-0 changed
run 1 changed "${keys[@]}"
[ "$code" = 1 ] && grep -q "run.overwrite=true" changed.out
echo "ok   what has changed is refused, or allowed by name"

# Settings with fewer steps than are done are refused with both numbers; with as many, the result comes at once.
# 24 examples, 10 steps done.
cp past/log.jsonl log-before
for key in train.epochs=3 train.steps=9 batch.size=24 data.train_rows=8; do
  run 2 past "${keys[@]}" "$key" resume.allow=configuration,data
  [ "$code" = 1 ] && grep -Eq "past: 10 steps are done, these settings have [369]: " past.out ||
    { echo "$key is not refused: $code"; cat past.out; exit 1; }
  cmp past/log.jsonl log-before
done
run 2 past "${keys[@]}" train.steps=10 resume.allow=configuration
[ "$code" = 0 ] && grep -q '"steps":10,' past/result.json && ! grep -q '"step":11,' past/log.jsonl ||
  { cat past.out; exit 1; }
echo "ok   past the last step"

# Rows that the checkpoint knows: missing, fewer, others, broken. Nothing is begun anew, nothing cut.
for change in 'rm rows/log.jsonl' 'truncate -s 700 rows/log.jsonl' 'sed -i "/^{.step.:4,/d" rows/log.jsonl' \
  'sed -i "2s/./#/" rows/log.jsonl' 'sed -i "s/.step.:7,/\"step\":77,/" rows/log.jsonl' \
  'cat damaged/log.jsonl whole-1/log.jsonl | tail -n +9 >rows/log.jsonl' 'rm rows/log.jsonl; mkdir rows/log.jsonl'; do
  rm -rf rows
  cp -r unbroken rows
  eval "$change"
  ls -l rows >rows-before
  run 1 rows "${keys[@]}"
  [ "$code" = 1 ] && grep -q "the run cannot go on (run.overwrite=true starts anew): rows/log.jsonl" rows.out ||
    { echo "$change: exit code $code"; cat rows.out; exit 1; }
  ls -l rows | cmp - rows-before
done
rm -rf rows
cp -r unbroken rows
rm rows/log.jsonl
run 1 rows "${keys[@]}" run.overwrite=true
[ "$code" = 0 ] || { cat rows.out; exit 1; }
same whole-0 rows
echo "ok   a log that lacks what the checkpoint knows"

# Stopped before the first checkpoint: anew. A diverged run says so.
run 2 fresh "${keys[@]}" --inject=kill@3
run 1 fresh "${keys[@]}"
[ "$code" = 0 ] && grep -q "before the first checkpoint" fresh.out
same whole-0 fresh
run 2 diverged "${keys[@]}" --inject=nan@7
[ "$code" = 3 ] || { cat diverged.out; exit 1; }
echo "ok   before the first checkpoint; divergence"

# One process at a time in a folder, named in the refusal. $holder trains for ever.
log_rows() { { cat held/log.jsonl 2>/dev/null || true; } | wc -l; }
hold() {
  local before i
  before=$(log_rows)
  "$AUTODIDACT_PROGRAM" train config.yaml run.dir=held train.steps=1000000000 checkpoint.every=50 \
    eval.every=1000000000 checkpoint.epoch=false >held.out 2>&1 &
  holder=$!
  for ((i = 0; i < 3000; i++)); do
    [ "$(log_rows)" -lt $((before + 120)) ] || return 0
    kill -0 "$holder" || break
    sleep 0.1
  done
  cat held.out
  exit 1
}
second() {
  code=0
  "$source/launch/local" -n "$1" train config.yaml run.dir=held train.steps=1000000000 checkpoint.every=50 \
    eval.every=1000000000 checkpoint.epoch=false "${@:2}" >second.out 2>&1 || code=$?
}
rows() {
  python3 -c 'import json
rows = [json.loads(line)["step"] for line in open("held/log.jsonl")]
assert rows == list(range(1, len(rows) + 1)), rows'
}
hold
for keys in "" run.overwrite=true; do
  second 2 $keys
  [ "$code" = 1 ] &&
    grep -Eq "held is being trained by process $holder on $(hostname) since 20[0-9-]*T[0-9:]*Z: " second.out ||
    { cat second.out; exit 1; }
done
kill -TERM "$holder"
code=0 && wait "$holder" || code=$?
[ "$code" = 75 ] && rows && [ -z "$(find held -name '*lease*')" ] || { cat held.out; ls -A held; exit 1; }
# Killed: its lease is nobody's at once. Overtaken: it ends, and writes nothing more.
hold
kill -KILL "$holder"
wait "$holder" || true
[ -e held/lease.1 ]
hold
[ -e held/lease.2 ] && [ ! -e held/lease.1 ]
mv held/lease.2 held/lease.3
code=0 && wait "$holder" || code=$?
[ "$code" = 2 ] && grep -q "held: another process has taken this run over" held.out && rows && [ -e held/lease.3 ] ||
  { cat held.out; exit 1; }
# A holder elsewhere lives as long as its signs go on, and counts as gone once they have not for long enough.
echo 'elsewhere 17 1234 another-boot pid:[1] 1700000000' >held/lease.3
(while touch -c held/lease.3; do sleep 0.1; done) &
beats=$!
second 2
kill "$beats"
wait "$beats" || true
[ "$code" = 1 ] && grep -q "held is being trained by process 17 on elsewhere since 2023-11-14T22:13:20Z" second.out ||
  { cat second.out; exit 1; }
# Who waits for that stops at a signal, and leaves the lease to its holder.
touch held/lease.3
"$AUTODIDACT_PROGRAM" train config.yaml run.dir=held train.steps=1000000000 checkpoint.every=50 eval.every=1000000000 \
  checkpoint.epoch=false >waiting.out 2>&1 &
waiting=$!
until grep -q "it has 60 seconds to give a sign of life" waiting.out; do
  kill -0 "$waiting" || { cat waiting.out; exit 1; }
  sleep 0.1
done
kill -TERM "$waiting"
code=0 && wait "$waiting" || code=$?
[ "$code" = 75 ] && grep -q "signal TERM: stopped before its run was begun" waiting.out &&
  [ "$(ls -d held/*lease*)" = held/lease.3 ] || { cat waiting.out; exit 1; }
touch -d '-1 hour' held/lease.3
second 2 run.time_limit=1
[ "$code" = 75 ] && rows && [ -z "$(find held -name '*lease*')" ] || { cat second.out; exit 1; }
# As many as you like at one time: one trains, the others are refused.
rm -rf held
for i in 1 2 3 4; do
  (
    code=0 && "$AUTODIDACT_PROGRAM" train config.yaml run.dir=held train.epochs=100 >"held-$i.out" 2>&1 || code=$?
    echo "$code" >"held-$i.code"
  ) &
done
wait
[ "$(sort held-?.code | tr '\n' ' ')" = "0 1 1 1 " ] &&
  [ "$(grep -l "is being trained by\|holds a run already" held-?.out | wc -l)" = 3 ] ||
  { cat held-?.code held-?.out; exit 1; }
"$AUTODIDACT_PROGRAM" verify held >held.out || { cat held.out; exit 1; }
echo "ok   one process at a time"
