#!/usr/bin/env bash
# The same bits from the same inputs: twice in a row, in any number of rounds, with each family of kernels this CPU has;
# and each seed changes only what it names.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 "${AD_SOURCE:?}/tests/system/tiny.py" "$work"
cd "$work"
common=(train config.yaml batch.size=7 train.epochs=2 model.dropout=0.2)

# run FOLDER [key=value ...]: trains into it.
run() {
  local folder="$1"
  shift
  "${AD_PROGRAM:?}" "${common[@]}" "run.dir=$folder" "$@" >"$folder.out" 2>&1 || { cat "$folder.out"; exit 1; }
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

# A family: the backend of matrix products, OpenBLAS's core type, the set of vector kernels; "-": as it comes.
families=("openblas Nehalem -")
grep -q avx2 /proc/cpuinfo && families+=("openblas Haswell -" "openblas Zen -" "chain - v3")
grep -q avx512dq /proc/cpuinfo && families+=("openblas SkylakeX -" "openblas Cooperlake -" "chain - v4")
[ "$(uname -m)" = x86_64 ] || families=("openblas - -")
choose() {
  name="${1// /_}"
  read -r AUTODIDACT_GEMM OPENBLAS_CORETYPE AUTODIDACT_KERNELS <<<"$1"
  OPENBLAS_CORETYPE="${OPENBLAS_CORETYPE#-}" AUTODIDACT_KERNELS="${AUTODIDACT_KERNELS#-}"
  export AUTODIDACT_GEMM OPENBLAS_CORETYPE AUTODIDACT_KERNELS
}
for family in "${families[@]}"; do
  choose "$family"
  run "first-$name"
  run "second-$name"
  same "first-$name" "second-$name"
  for rounds in 2 3 8 20; do
    run "rounds-$rounds-$name" "batch.rounds=$rounds"
    same "first-$name" "rounds-$rounds-$name"
  done
  echo "ok   $name: twice, and in 1, 2, 3, 8 and 20 rounds"
done

choose "${families[0]}"
base="first-$name"
run dropout seed.dropout=1
run order seed.order=1
run drawn model.head=new
run init model.head=new seed.init=1
differ "$base" dropout log.jsonl
differ "$base" order log.jsonl
differ drawn init log.jsonl
[ "$(initial "$base")" = "$(initial dropout)" ] && [ "$(initial "$base")" = "$(initial order)" ]
[ "$(initial drawn)" != "$(initial init)" ]
order >order.base
order seed.dropout=1 | cmp - order.base
order seed.init=1 | cmp - order.base
if order seed.order=1 | cmp -s - order.base; then
  echo "seed.order changes nothing"
  exit 1
fi
echo "ok   each seed changes only its own"

# Of a run with bfloat16, eval, predict and replays compute as it did, or in float32 where they are asked to.
unset AUTODIDACT_GEMM OPENBLAS_CORETYPE AUTODIDACT_KERNELS
run half train.precision=bf16
differ "$base" half log.jsonl
[ "$("$AD_PROGRAM" train --get=train.precision half/config.yaml)" = bfloat16 ]
grep -Eq '"bfloat16": "(amx|avx512_bf16|fma)"' half/provenance.json
"$AD_PROGRAM" verify half --replay 3 >verify.out 2>&1 || { cat verify.out; exit 1; }
"$AD_PROGRAM" eval half --data dev --json >own.json 2>own.err
"$AD_PROGRAM" eval half --data dev --json --precision float32 >single.json 2>single.err
grep -q 'computed in bfloat16, trained in bfloat16' own.err
grep -q 'computed in float32, trained in bfloat16' single.err
python3 - <<'PY'
import json
rows = [json.loads(line) for line in open("half/log.jsonl")]
logged = [row["loss"] for row in rows if row.get("eval") == "dev"][-1]
own, single = (json.load(open(f"{name}.json"))["loss"] for name in ("own", "single"))
assert own == logged and single != own and abs(single - own) < 0.01 * own, (logged, own, single)
PY
"$AD_PROGRAM" export half --out exported 2>export.err
grep -q 'trained in bfloat16' export.err
"$AD_PROGRAM" predict half --data dev --logits >own.txt 2>own.err
"$AD_PROGRAM" predict half --data dev --logits --precision float32 >single.txt 2>single.err
if cmp -s own.txt single.txt; then
  echo "predict has the same logits in both precisions"
  exit 1
fi
if "$AD_PROGRAM" eval half --data dev --precision half 2>err; then
  echo "eval took --precision half"
  exit 1
fi
grep -q "train.precision is 'half', expected one of float32|bfloat16" err
echo "ok   bfloat16: eval, predict, export and replays"
