#!/usr/bin/env bash
# Studies: cells packed into ranks have the bits of single runs; killed, stopped, shared by two jobs they lose nothing
# and repeat nothing; what fails is alone.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
python3 "$source/tests/system/tiny.py" "$work"
cp "$source/tests/system/study.py" "$work"
cd "$work"

# study RANKS NAME [argument ...]: exit code in $code, output in NAME.out.
study() {
  local ranks="$1" name="$2"
  shift 2
  code=0
  "$source/launch/local" -n "$ranks" study run "$name.yaml" "$@" >"$name.out" 2>&1 || code=$?
}
fail() {
  echo "$1"
  cat "$2.out"
  exit 1
}

python3 study.py write grid ranks_per_trial=1
python3 study.py write pairs ranks_per_trial=2

# The 32 runs by themselves.
python3 study.py single grid "$AD_PROGRAM"

# Killed three times, one rank or all, some cells being done and others under way, and started again.
seed="${AD_SEED:-$RANDOM}"
echo "kills are drawn with AD_SEED=$seed"
for round in 1 2 3; do
  # nice: who kills must not wait for those who compute.
  nice "$source/launch/local" -n 8 study run grid.yaml >grid.out 2>&1 &
  job=$!
  python3 study.py kill grid "$job" $((seed + round)) || fail "no kill" grid
  code=0
  wait "$job" || code=$?
  [ "$code" != 0 ] && [ "$code" != 75 ] || fail "killed, and the exit code is $code" grid
  python3 study.py note grid more
done
study 8 grid
[ "$code" = 0 ] || fail "exit code $code after three kills" grid
python3 study.py check grid
python3 study.py summary grid "$AD_PROGRAM"
study 3 grid
[ "$code" = 0 ] || fail "a finished study: exit code $code" grid
python3 study.py check grid
echo "ok   32 cells on 8 ranks, killed three times"

# Two ranks a trial; stopped by a signal and by the clock; then two jobs at once.
nice "$source/launch/local" -n 8 study run pairs.yaml >pairs.out 2>&1 &
job=$!
python3 study.py wait pairs 2
kill -USR1 "$job"
code=0
wait "$job" || code=$?
[ "$code" = 75 ] && grep -q "of 32 cells finished; the same command goes on" pairs.out ||
  fail "a signal: exit code $code" pairs
python3 study.py note pairs
study 4 pairs run.time_limit=1 checkpoint.every=1
[ "$code" = 75 ] || fail "the clock: exit code $code" pairs
python3 study.py note pairs
"$source/launch/local" -n 5 study run pairs.yaml >pairs-other.out 2>&1 &
job=$!
study 4 pairs
code_other=0
wait "$job" || code_other=$?
[ "$code" = 0 ] && [ "$code_other" = 0 ] ||
  { cat pairs-other.out; fail "two jobs at once: exit codes $code and $code_other" pairs; }
python3 study.py check pairs
echo "ok   two ranks a trial; stopped by a signal and the clock; two jobs at once"

# A finished cell that never came into the table is taken, not run again.
rm -r pairs/records
study 2 pairs
[ "$code" = 0 ] || fail "without its records: exit code $code" pairs
python3 study.py check pairs
echo "ok   the table is made again from the runs"

# What has changed is refused.
sed 's/dropout: 0.1/dropout: 0.2/' grid.yaml >changed.yaml
study 2 changed
[ "$code" = 1 ] && grep -q "model.dropout 0.1, now it is 0.2" changed.out ||
  fail "a changed study: exit code $code" changed
study 2 grid train.epochs=3
[ "$code" = 1 ] && grep -q "train.epochs belongs to what the cells are" grid.out ||
  fail "a key of the cells: exit code $code" grid
study 1 pairs
[ "$code" = 1 ] && grep -q "study.ranks_per_trial is 2, the job has 1 rank" pairs.out ||
  fail "too few ranks: exit code $code" pairs
echo "ok   changes are refused"

# Arms that diverge, on all ranks or on one, and one whose settings make no run: the others are done all the same.
cat >arms.yaml <<'YAML'
study: {dir: arms, ranks_per_trial: 2, result: test.error, failed: never}
base: {file: config.yaml, train.epochs: 5, model.head: new}
axes: {seed.init: 0..1}
arms:
  plain: {}
  overflow: {optim: {lr: 10, decay: 10, clip: 0}}
  range: {optim: {lr: 10, decay: 10}, teacher: {method: sda, window: 3}}
  wrong: {teacher: {method: sdv, window: 2}, run.result: teacher}
YAML
study 4 arms
[ "$code" = 1 ] && grep -q "2 cells failed, the first: wrong, seed.init=0: run.result=teacher" arms.out ||
  fail "arms: exit code $code" arms
python3 study.py states arms plain=done overflow=failed range=failed wrong=failed
python3 study.py test arms "$AD_PROGRAM"
sed -i '/wrong/d' arms.yaml
study 4 arms
[ "$code" = 0 ] && ! grep -q "cells failed" arms.out || fail "arms without the wrong one: exit code $code" arms
echo "ok   arms that fail end no others; the test split"
