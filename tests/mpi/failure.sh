#!/usr/bin/env bash
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
mpi=(mpirun --oversubscribe --quiet --mca mpi_yield_when_idle 1)
[ "$(id -u)" -ne 0 ] || mpi+=(--allow-run-as-root)

# expect NAME CODE PATTERN... -- COMMAND...: the exit code, one message that matches all patterns, ten seconds at most.
expect() {
  local name="$1" code="$2" patterns=() status=0 start=$SECONDS
  shift 2
  while [ "$1" != -- ]; do
    patterns+=("$1")
    shift
  done
  shift
  timeout 30 "$@" >out 2>&1 || status=$?
  local seconds=$((SECONDS - start))
  [ "$status" -eq "$code" ] || { echo "$name: exit code $status, expected $code"; cat out; exit 1; }
  [ "$seconds" -le 10 ] || { echo "$name: took $seconds s"; exit 1; }
  [ "$(grep -c 'autodidact: error:' out)" -eq 1 ] || { echo "$name: not one message"; cat out; exit 1; }
  for pattern in "${patterns[@]}"; do
    grep 'autodidact: error:' out | grep -Eq "$pattern" || { echo "$name: the message lacks $pattern"; cat out; exit 1; }
  done
  echo "ok   $name ($seconds s)"
}

expect more-ranks-than-lanes 1 '9 ranks' 'batch\.lanes=8' -- "$source/launch/local" -n 9 train config.yaml run.dir=a batch.lanes=8
expect bad-input 1 'none\.yaml' -- "$source/launch/local" -n 3 train none.yaml
expect configurations 1 'configuration' '0\.00123' 'rank 1' -- \
  "${mpi[@]}" -n 1 "$AD_PROGRAM" train config.yaml run.dir=b : -n 1 "$AD_PROGRAM" train other.yaml run.dir=b
if grep -q avx512dq /proc/cpuinfo; then
  expect kernels 1 'kernel family' 'v4' 'v3' -- \
    "${mpi[@]}" -n 1 "$AD_PROGRAM" train config.yaml run.dir=c : -n 1 env AUTODIDACT_KERNELS=v3 "$AD_PROGRAM" train config.yaml run.dir=c
fi
expect diverged 3 'step 1' 'finite' -- "$source/launch/local" -n 2 train config.yaml run.dir=d model.path=large
# Only the first rank writes: the others wait for it in vain.
mkdir full
expect one-rank 2 'full' -- "$source/launch/local" -n 2 train config.yaml run.dir=full/../config.yaml/x

start_long() {
  rm -rf long
  "$source/launch/local" -n 3 train config.yaml run.dir=long train.steps=100000000 eval.every=100000000 >long.out 2>&1 &
  launcher=$!
  for _ in $(seq 100); do
    [ -s long/log.jsonl ] && return
    sleep 0.1
  done
  echo "the long run did not start"
  cat long.out
  exit 1
}
start_long
mapfile -t ranks < <(pgrep -f "run.dir=long train.steps" | while read -r pid; do
  [ "$(readlink "/proc/$pid/exe")" = "$(realpath "$AD_PROGRAM")" ] && echo "$pid"
done)
[ "${#ranks[@]}" -eq 3 ] || { echo "found ${#ranks[@]} ranks, expected 3"; exit 1; }
kill -9 "${ranks[1]}"
start=$SECONDS status=0
wait "$launcher" || status=$?
[ "$status" -ne 0 ] || { echo "the launcher reports success"; exit 1; }
alive() { [ -e "/proc/$1" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }
for pid in "${ranks[@]}"; do
  while alive "$pid"; do
    [ $((SECONDS - start)) -le 10 ] || { echo "rank $pid is still there after ten seconds"; exit 1; }
    sleep 0.1
  done
done
echo "ok   a killed rank ($((SECONDS - start)) s)"
