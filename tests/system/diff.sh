#!/usr/bin/env bash
# `autodidact diff`: what it prints, and its exit code, for runs that are equal, that part at a known place, and that
# are none.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 "${AD_SOURCE:?}/tests/system/tiny.py" "$work"
cd "$work"
export OMPI_MCA_ess_singleton_isolated=1

# run NAME [key=value ...]: trains into NAME.
run() {
  local name="$1"
  shift
  "${AD_PROGRAM:?}" train config.yaml train.epochs=2 optim.warmup=0 "run.dir=$name" "$@" >"$name.out" 2>&1 ||
    { cat "$name.out"; exit 1; }
}

# compared CODE A B...: the exit code is this; `has` and `lacks` then look at what was printed.
compared() {
  local code=0
  what="diff ${*:2}"
  "$AD_PROGRAM" diff "${@:2}" >out 2>err || code=$?
  [ "$code" = "$1" ] || { echo "$what: exit code $code, expected $1"; cat out err; exit 1; }
}
has() { grep -qE -- "$2" "$1" || { echo "$what: its $1 has no '$2':"; cat out err; exit 1; }; }
lacks() { if grep -qE -- "$2" "$1"; then echo "$what: its $1 has '$2':"; cat out err; exit 1; fi; }

run a
run b batch.rounds=2
# What says where and when is never a reason.
sed -i 's/"host": .*/"host": "elsewhere",/; s/"started": .*/"started": "2001-01-01T00:00:00Z",/
  s/"ranks": .*/"ranks": "4 on 2 nodes",/; s/"hosts": .*/"hosts": "2 x 64 cores of another",\n"job": "Slurm 99",/
' b/provenance.json
rows=$(wc -l <a/log.jsonl)
compared 0 a b
has out '^Inputs: no difference that could give other bits$'
has out '^  run\.dir +A: "a"$'
has out '^  batch\.rounds +A: 1$'
has out '^ +B: 2$'
has out "^Log: equal to the end, $rows rows$"
has out '^Result: equal, 41 tensors$'
has out '^Log and result are equal to the bit\.$'
lacks out 'elsewhere|2001|on 2 nodes|64 cores|Slurm'
[ ! -s err ] || { cat err; exit 1; }
compared 0 a a
echo "ok   equal runs"

run dropout seed.dropout=1
compared 1 a dropout
has out '^Inputs that differ:$'
has out '^  seed\.dropout +A: 0$'
has out '^Log: row 1 is the first that differs \(A: step 1, B: step 1\)$'
loss() { sed -n "$2"'s/.*"loss":\([^,]*\),.*/\1/p' "$1/log.jsonl"; }
has out "^  loss +A: $(loss a 1)$"
has out "^ +B: $(loss dropout 1)$"
where="a and dropout are not equal: first in row 1 of the log \(step 1\)"
has err "$where: loss is $(loss a 1) in A, $(loss dropout 1) in B$"
lacks out 'initial_parameters|data_train'
echo "ok   another seed.dropout"

run lr optim.lr=2e-3
compared 1 a lr
has out '^  optim\.lr +A: 0\.001$'
has out '^Log: row 1 is the first that differs'
has out '^  parameters +A: "[0-9a-f]{16}"$'
lacks out '^  (loss|norm) ' # the first forward and backward are the same
has out '^Result: 41 of 41 tensors differ, the first is bert\.embeddings\.word_embeddings\.weight$'
has out '^  F32 \[21, 16\]: [0-9]+ of 336 values differ, by [0-9.e-]+ at most$'
run init model.head=new seed.init=1
compared 1 a init
has out '^  initial_parameters +A: "[0-9a-f]{16}"$'
run every eval.every=2
compared 1 a every
has out "^Log: row 3 is the first that differs \\(A: step 3, B: evaluation of \"dev\" at step 2\\)$"
has out '^  eval +A: \(not there\)$'
has out '^Result: equal, 41 tensors$'
echo "ok   other configurations"

cp -r a short && head -n 3 a/log.jsonl >short/log.jsonl
compared 1 a short
has out "^Log: B is the beginning of A: $rows rows in A, 3 in B$"
has err "the log of A has $rows rows, that of B 3; the first 3 are equal$"
compared 1 short a
has out "^Log: A is the beginning of B: 3 rows in A, $rows in B$"
printf '{"step":4,"lo' >>short/log.jsonl
compared 1 a short
has out 'short/log\.jsonl:4: the last row is cut short'
rm -r short/model short/result.json
compared 1 a short
has out '^Result: not compared, B has no model/model\.safetensors: not finished$'
cp a/log.jsonl short/log.jsonl
compared 1 a short
has err 'the logs are equal, but B has no result$'
head -c -1 a/log.jsonl >short/log.jsonl
compared 1 a short
has out "short/log\\.jsonl:$rows: the last row is cut short"
echo "ok   logs cut short, a run without a result"

# The last value of the file, which is classifier.bias[1] or where the writer puts it, gets its lowest bit turned.
cp -r a flipped
tensor=$(python3 - flipped/model/model.safetensors <<'PYTHON'
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
data[-4] ^= 1
open(sys.argv[1], "wb").write(data)
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
print(max((entry["data_offsets"][1], name) for name, entry in header.items() if name != "__metadata__")[1])
PYTHON
)
compared 1 a flipped
has out "^Log: equal to the end, $rows rows$"
has out "^Result: 1 of 41 tensors differ, the first is $tensor$"
has out '^  F32 \[.*\]: 1 of [0-9]+ values differ, by [0-9.]+e-[0-9]+ at most$'
has err "the logs are equal, the results are not; first tensor that differs: $tensor; no recorded input explains it$"
echo "ok   one flipped bit"

# Inputs that are recorded beside the configuration.
cp -r a other
sed -i 's/"data_train": "[0-9a-f]*"/"data_train": "0123456789abcdef"/
  s/"compiler": .*/"compiler": "cc 1.0",/; s/"os": .*/"os": "another system",/; /"kernels"/d' other/provenance.json
echo >>other/model/vocab.txt
compared 0 a other
has out '^  data_train +A: "[0-9a-f]{16}"$'
has out '^ +B: "0123456789abcdef"$'
has out '^ +B: "cc 1\.0"$'
has out '^  os +A: ".*Linux .*"$'
has out '^ +B: "another system"$'
has out '^ +B: \(not there\)$'
has out '^  model/vocab\.txt +A: [0-9a-f]{16}$'

# What a run was given under the same names, or what left other traces nowhere: digests of descriptor and base model.
cp -r model edited && echo >>edited/config.json
{ cat tiny.yaml; echo "# edited"; } >edited.yaml
run edited_run model.path=edited data.descriptor=./edited.yaml
compared 0 a edited_run
has out '^  data_descriptor +A: "[0-9a-f]{16}"$'
has out '^  base_model +A: "[0-9a-f]{16}"$'
lacks out '^  (data_train|data_dev|initial_parameters) '
cp -r model moved && cp tiny.yaml moved.yaml
run moved_run model.path=moved data.descriptor=./moved.yaml
compared 0 a moved_run
has out '^Inputs: no difference that could give other bits$'
has out '^  model\.path '
lacks out '^  (data_descriptor|base_model) '
run new_a model.path= model.vocab=model/vocab.txt model.hidden=16 model.layers=1 model.heads=2 model.ffn=32
cp model/vocab.txt words.txt && echo word >>words.txt
run new_b model.path= model.vocab=words.txt model.hidden=16 model.layers=1 model.heads=2 model.ffn=32
compared 1 new_a new_b
has out '^  base_model +A: "[0-9a-f]{16}"$'
run native comm.reduction=native
compared 0 a native
has out '^B was trained with comm\.reduction=native: the reproducibility contract does not hold for it$'

# The job of a scheduler, as far as its number is one; a run outside of any has none.
grep -Eq '"hosts": "1 x [0-9]+ cores? of ' a/provenance.json && ! grep -q '"job"' a/provenance.json ||
  { cat a/provenance.json; exit 1; }
SLURM_JOB_ID=78 SLURM_ARRAY_JOB_ID=77 SLURM_ARRAY_TASK_ID=2 run in_array
grep -q '"job": "Slurm 77_2"' in_array/provenance.json || { cat in_array/provenance.json; exit 1; }
PBS_JOBID=$'12.server\e[31m' run in_pbs
grep -q '"job": "PBS 12.server"' in_pbs/provenance.json || { cat in_pbs/provenance.json; exit 1; }
"$AD_PROGRAM" inspect in_array >out
grep -Eq '^  job +"Slurm 77_2"$' out && grep -Eq '^  os +".*Linux' out || { cat out; exit 1; }
compared 0 in_array in_pbs
lacks out 'Slurm|PBS'
echo "ok   provenance"

# What both kept on the way: a run that goes on from its fourth step with another learning rate parts from the other at
# the fifth.
kept=(checkpoint.every=2 checkpoint.keep=9 checkpoint.finished=true snapshot.every=1
  snapshot.content=scalars,norms,parameters)
"$AD_PROGRAM" train config.yaml train.epochs=2 run.dir=way_a "${kept[@]}" --inject=kill@5 >way.out 2>&1 && exit 1
cp -r way_a way_b
run way_a "${kept[@]}" optim.warmup=0.1
run way_b "${kept[@]}" optim.warmup=0.1 optim.lr=2e-3 resume.allow=configuration
compared 0 way_a way_a
has out '^Checkpoints: equal at all 4 steps that both have, the last is 6$'
has out '^Snapshots: equal at all 7 steps that both have, the last is 6$'
compared 1 way_a way_b
first='[0-9]+ of 41 tensors, the first is embeddings\.word_embeddings\.weight$'
has out "^Checkpoints: step 6 is the first that differs, in student: $first"
has out "^Snapshots: step 5 is the first that differs, in parameters/flat: $first"
has out '^  [0-9]+ of 336 values differ, by 0\.[0-9]+ at most$'
# One bit of one moment, under a digest that fits it: the log knows nothing of it.
cp -r way_a turned
"$AD_PROGRAM" verify turned >verified

/usr/bin/python3 - <<'PYTHON'
import h5py, numpy
with h5py.File("turned/checkpoints/step-000000004.h5", "r+") as file:
    file["moment2/pooler.dense.bias"][3] *= numpy.float32(1.5)
PYTHON
compared 0 way_a turned # its digest is the old one: diff compares these, verify finds it
"$AD_PROGRAM" verify turned >verified 2>&1 && exit 1
grep -q 'row 0 of "moment2" does not match its digest' verified
/usr/bin/python3 - <<'PYTHON'
import h5py, numpy
with h5py.File("turned/checkpoints/step-000000004.h5", "r+") as file:
    file["flat/moment2"].attrs.modify("xxh3", file["flat/moment2"].attrs["xxh3"] + numpy.uint64(1))
PYTHON
compared 1 way_a turned
has out '^Checkpoints: step 4 is the first that differs, in moment2: 1 of 41 tensors, the first is pooler\.dense\.bias$'
has out '^  1 of 16 values differ, by [0-9.e-]+ at most$'
has err 'first in the checkpoints of step 4: moment2 pooler\.dense\.bias; no recorded input explains it$'
echo "ok   checkpoints and snapshots"

# What is no run, or a broken one.
broken() {
  local pattern="$1"
  compared 1 a broken
  has err "$pattern"
  rm -rf broken
  cp -r a broken
}
compared 1 a nowhere
has err 'nowhere: expected the folder of a run, found nothing'
compared 1 model a
has err 'model: not the folder of a run: it has no config\.yaml'
cp -r a broken
rm broken/provenance.json && broken 'broken/provenance\.json'
echo '{' >broken/provenance.json && broken 'broken/provenance\.json:[0-9]+: '
rm broken/log.jsonl && broken 'broken/log\.jsonl: expected the log of a run, found nothing'
{ head -n 2 a/log.jsonl; printf '\0\0\0\n'; } >broken/log.jsonl && broken 'broken/log\.jsonl:3: found a NUL byte'
sed -i '2s/.*/no object/' broken/log.jsonl && broken 'broken/log\.jsonl:2: malformed JSON'
truncate -s -1 broken/model/model.safetensors && broken 'broken/model/model\.safetensors'
"$AD_PROGRAM" diff --help | grep -q 'Exit code 0' || { echo "diff --help does not tell the exit codes"; exit 1; }
echo "ok   bad input"

# Several runs, each with the first.
compared 0 a a other
[ "$(grep -c '^Log and result are equal to the bit\.$' out)" = 2 ]
compared 1 a other lr dropout
[ "$(grep -cE '^B: (other|lr|dropout)$' out)" = 3 ]
has err 'error: 2 of 3 runs are not equal to a; the first is lr: first in row 1 of the log \(step 1\): parameters is'
compared 1 a other nowhere lr
has err 'nowhere: expected the folder of a run, found nothing'
echo "ok   several runs"

python3 "$AD_SOURCE/tests/system/runs.py"
