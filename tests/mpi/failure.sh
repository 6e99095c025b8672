#!/usr/bin/env bash
# Alone: each failure has ten seconds to end all ranks.
# What goes wrong on one rank or on all ends all ranks within ten seconds, with one message of the program's.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"
sed 's/lr: .*/lr: 0.00123/' config.yaml >other.yaml
cmp -s config.yaml other.yaml && { echo "the two configurations are the same"; exit 1; }
# Weights so large that the first forward overflows.
python3 - "$source/tests/system" <<'PY'
import sys
from pathlib import Path
import shutil
sys.path.insert(0, sys.argv[1])
import tiny
shutil.copytree("model", "large")
content = tiny.tensors()
content["bert.encoder.layer.1.attention.self.query.weight"] = ([16, 16], [3e38] * 256)
Path("large/model.safetensors").write_bytes(tiny.safetensors(content, None))
PY
mpi=(mpirun --oversubscribe --bind-to none --mca mpi_yield_when_idle 1)
[ "$(id -u)" -ne 0 ] || mpi+=(--allow-run-as-root)

# ends PROCESS: within a hundred looks, which take ten seconds where the machine is not busy.
alive() { [ -e "/proc/$1" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }
ends() {
  local _
  for _ in $(seq 100); do
    alive "$1" || return 0
    sleep 0.1
  done
  return 1
}

# expect NAME CODE PATTERN... -- COMMAND...: the exit code, one message that matches all patterns, ten seconds at most.
expect() {
  local name="$1" code="$2" patterns=() status=0 start=$SECONDS
  shift 2
  while [ "$1" != -- ]; do
    patterns+=("$1")
    shift
  done
  shift
  "$@" >out 2>&1 </dev/null &
  ends $! || { echo "$name: does not end"; cat out; kill $!; exit 1; }
  wait $! || status=$?
  local seconds=$((SECONDS - start))
  [ "$status" -eq "$code" ] || { echo "$name: exit code $status, expected $code"; cat out; exit 1; }
  [ "$(grep -c 'autodidact: error:' out)" -eq 1 ] || { echo "$name: not one message"; cat out; exit 1; }
  for pattern in "${patterns[@]}"; do
    grep 'autodidact: error:' out | grep -Eq "$pattern" ||
      { echo "$name: the message lacks $pattern"; cat out; exit 1; }
  done
  echo "ok   $name ($seconds s)"
}

expect more-ranks-than-lanes 1 '9 ranks' 'batch\.lanes=8' -- \
  "$source/launch/local" -n 9 train config.yaml run.dir=a batch.lanes=8
expect bad-input 1 'none\.yaml' -- "$source/launch/local" -n 3 train none.yaml
expect configurations 1 'configuration' '0\.00123' 'rank 1' -- \
  "${mpi[@]}" -n 1 "$AD_PROGRAM" train config.yaml run.dir=b : -n 1 "$AD_PROGRAM" train other.yaml run.dir=b
if grep -q avx2 /proc/cpuinfo; then
  expect blas 1 'arithmetic' 'openblas-Nehalem' 'openblas-Haswell' -- "${mpi[@]}" -n 1 env AUTODIDACT_GEMM=openblas \
    OPENBLAS_CORETYPE=Nehalem "$AD_PROGRAM" train config.yaml run.dir=c : \
    -n 1 env AUTODIDACT_GEMM=openblas OPENBLAS_CORETYPE=Haswell "$AD_PROGRAM" train config.yaml run.dir=c
fi
expect backend 1 'arithmetic' "'1' on rank 0" 'openblas' -- "${mpi[@]}" -n 1 "$AD_PROGRAM" \
  train config.yaml run.dir=c : \
  -n 1 env AUTODIDACT_GEMM=openblas "$AD_PROGRAM" train config.yaml run.dir=c
expect diverged 3 'step 1' 'finite' -- "$source/launch/local" -n 2 train config.yaml run.dir=d model.path=large
# The same command in other folders: one rank's data cannot be read, or is other data.
mkdir other
cp -r model data tiny.yaml config.yaml other/
printf 'good film\t7\n' >>other/data/train.tsv
expect one-rank-input 1 'data/train\.tsv:26' -- \
  "${mpi[@]}" -n 2 "$AD_PROGRAM" train config.yaml run.dir=e : -n 1 -wdir "$work/other" "$AD_PROGRAM" \
  train config.yaml run.dir=e
sed -i '$s/7$/1/' other/data/train.tsv
expect data 1 'training data.*[0-9a-f]{16}.*[0-9a-f]{16}' -- \
  "${mpi[@]}" -n 2 "$AD_PROGRAM" train config.yaml run.dir=e : -n 1 -wdir "$work/other" "$AD_PROGRAM" \
  train config.yaml run.dir=e
cp data/train.tsv other/data/
sed -i 's/^title: .*/title: other/' other/tiny.yaml
expect descriptors 1 'descriptor.*[0-9a-f]{16}.*[0-9a-f]{16}' -- \
  "${mpi[@]}" -n 2 "$AD_PROGRAM" train config.yaml run.dir=e : -n 1 -wdir "$work/other" "$AD_PROGRAM" \
  train config.yaml run.dir=e
# The same of an evaluation.
"$AD_PROGRAM" train config.yaml run.dir=trained >out 2>&1 || { cat out; exit 1; }
cp -r trained other/
printf 'good film\t1\n' >>other/data/test.tsv
expect evaluated-data 1 "data's digest.*[0-9a-f]{16}.*[0-9a-f]{16}" -- \
  "${mpi[@]}" -n 2 "$AD_PROGRAM" eval trained --data data/test.tsv : -n 1 -wdir "$work/other" "$AD_PROGRAM" \
  eval trained --data data/test.tsv
# Only the first rank writes: the others wait for it in vain.
mkdir full
expect one-rank 2 'full' -- "$source/launch/local" -n 2 train config.yaml run.dir=full/../config.yaml/x

# What mpirun itself refuses or sees is told as well.
echo "localhost slots=1" >one-slot
status=0
"$source/launch/local" -n 3 --hostfile one-slot train config.yaml run.dir=f >out 2>&1 || status=$?
[ "$status" -ne 0 ] && grep -q 'not enough slots' out || { echo "too few slots: exit code $status"; cat out; exit 1; }
echo "ok   too few slots"

# kill_rank RANK: of three that train; all are to end within ten seconds.
kill_rank() {
  local ranks=() launcher victim pid status=0 start
  rm -rf long
  "$source/launch/local" -n 3 train config.yaml run.dir=long train.steps=100000000 eval.every=100000000 \
    >long.out 2>&1 </dev/null &
  launcher=$!
  for _ in $(seq 3000); do
    [ ! -s long/log.jsonl ] || break
    sleep 0.1
  done
  [ -s long/log.jsonl ] || { echo "the long run did not start"; cat long.out; kill "$launcher"; exit 1; }
  # shellcheck disable=SC2013  # numbers, all on one line
  for pid in $(cat /proc/"$(tr -d ' ' < /proc/"$launcher"/task/"$launcher"/children)"/task/*/children); do
    [ "$(readlink "/proc/$pid/exe")" != "$(realpath "$AD_PROGRAM")" ] || ranks+=("$pid")
    ! tr '\0' '\n' <"/proc/$pid/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1" || victim=$pid
  done
  [ "${#ranks[@]}" -eq 3 ] || { echo "found ${#ranks[@]} ranks, expected 3"; kill "$launcher"; exit 1; }
  start=$SECONDS
  kill -KILL "$victim"
  for pid in "${ranks[@]}" "$launcher"; do
    ends "$pid" || { echo "process $pid is still there long after rank $1 was killed"; kill "$launcher"; exit 1; }
  done
  wait "$launcher" || status=$?
  [ "$status" -ne 0 ] || { echo "the launcher reports success"; exit 1; }
  grep -q 'signal 9' long.out || { echo "nobody tells of the kill"; cat long.out; exit 1; }
  ! grep -q 'autodidact: error:' long.out || { echo "the killed rank's loss is told twice"; cat long.out; exit 1; }
  [ ! -e long/result.json ] || { echo "the killed run is said to be complete"; exit 1; }
  echo "ok   rank $1 killed: exit code $status ($((SECONDS - start)) s)"
}
kill_rank 0
kill_rank 1

# Ctrl-C, in a terminal; TERM to the launcher.
cd "$work"
python3 "$source/tests/system/tiny.py" .
python3 "$source/tests/system/terminal.py" "$AD_PROGRAM"
rm -rf once
python3 "$source/tests/system/tiny.py" .
python3 "$source/tests/system/terminal.py" "$source/launch/local" -n 2

# What Open MPI needs a folder for.
refused_scratch() { # PATTERN TMPDIR
  local status=0
  TMPDIR=$2 "$source/launch/local" -n 2 order config.yaml >out 2>&1 || status=$?
  [ "$status" = 1 ] && grep -q "^launch/local: TMPDIR=.*$1" out ||
    { echo "TMPDIR=$2: exit code $status"; cat out; exit 1; }
  echo "ok   TMPDIR: $1"
}
refused_scratch 'can be written' "$work/none"
# As long as the system's names of folders are.
long="$work/$(printf "$(printf 'x%.0s' {1..200})/%.0s" {1..15})"
mkdir -p "$long"
TMPDIR=$long "$source/launch/local" -n 2 order config.yaml >out 2>&1 ||
  { echo "TMPDIR of ${#long} characters"; cat out; exit 1; }
# Little address space is an error, not a hang.
for room in 100000 150000 200000; do
  expect "address-space-$room" 2 'ulimit -v' -- \
    bash -c "ulimit -v $room; exec '$AD_PROGRAM' train config.yaml run.dir=small"
done
