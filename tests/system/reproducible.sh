#!/usr/bin/env bash
# The same bits from the same inputs: twice in a row, in any number of rounds, with each family of BLAS kernels this CPU has;
# and each seed changes only what it names.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 "${AD_SOURCE:?}/tests/system/tiny.py" "$work"
cd "$work"
common=(train config.yaml batch.size=7 train.epochs=2 model.dropout=0.2)

# run NAME [key=value ...]: trains into NAME.
run() {
  local name="$1"
  shift
  "${AD_PROGRAM:?}" "${common[@]}" "run.dir=$name" "$@" >"$name.out" 2>&1 || { cat "$name.out"; exit 1; }
}
same() {
  cmp "$1/log.jsonl" "$2/log.jsonl"
  cmp "$1/model/model.safetensors" "$2/model/model.safetensors"
  cmp "$1/result.json" "$2/result.json"
}
differ() {
  if cmp -s "$1/$3" "$2/$3"; then
    echo "$1 and $2 have the same $3"
    exit 1
  fi
}
initial() { grep initial_parameters "$1/provenance.json"; }
order() { "$AD_PROGRAM" order config.yaml batch.size=7 train.epochs=2 "$@"; }

cores=(Nehalem)
grep -q avx2 /proc/cpuinfo && cores+=(Haswell Zen)
grep -q avx512dq /proc/cpuinfo && cores+=(SkylakeX Cooperlake)
[ "$(uname -m)" = x86_64 ] || cores=("")
for core in "${cores[@]}"; do
  export OPENBLAS_CORETYPE="$core"
  run "first-$core"
  run "second-$core"
  same "first-$core" "second-$core"
  for rounds in 2 3 8 20; do
    run "rounds-$rounds-$core" "batch.rounds=$rounds"
    same "first-$core" "rounds-$rounds-$core"
  done
  echo "ok   $core: twice, and in 1, 2, 3, 8 and 20 rounds"
done

base="first-${cores[0]}"
export OPENBLAS_CORETYPE="${cores[0]}"
run dropout seed.dropout=1
run order seed.order=1
run init seed.init=1
differ "$base" dropout log.jsonl
differ "$base" order log.jsonl
differ "$base" init log.jsonl
[ "$(initial "$base")" = "$(initial dropout)" ] && [ "$(initial "$base")" = "$(initial order)" ]
[ "$(initial "$base")" != "$(initial init)" ]
order >order.base
order seed.dropout=1 | cmp - order.base
order seed.init=1 | cmp - order.base
if order seed.order=1 | cmp -s - order.base; then
  echo "seed.order changes nothing"
  exit 1
fi
echo "ok   each seed changes only its own"
