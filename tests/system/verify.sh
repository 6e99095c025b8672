#!/usr/bin/env bash
# `autodidact verify`: a good run is good, on any number of ranks; each thing that is changed in it is found, and
# nothing else.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}" OMPI_MCA_ess_singleton_isolated=1
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"
keys=(batch.lanes=4 train.epochs=4 model.dropout=0.2 eval.every=4 eval.keep_logits=true eval.means=true
  checkpoint.every=5 checkpoint.keep=9 checkpoint.finished=true model.freeze=1 teacher.method=sda teacher.window=3
  run.select=best run.result=teacher snapshot.every=2 snapshot.content=scalars,norms,sketch,probe,parameters)
"$source/launch/local" -n 2 train config.yaml run.dir=good "${keys[@]}" >train.out 2>&1 || { cat train.out; exit 1; }

# verified CODE RUN [argument ...]
verified() {
  local expected="$1" code=0
  shift
  "$AD_PROGRAM" verify "$@" >out 2>err || code=$?
  [ "$code" = "$expected" ] || { echo "verify $*: exit code $code, expected $expected"; cat out err; exit 1; }
}
verified 0 good
grep -qx 'all 3[0-9] good' out && ! grep -q WRONG out || { cat out; exit 1; }
for part in log.jsonl checkpoints/step-000000005.h5 checkpoints/step-000000012.h5 snapshots/segment-000000000.h5 \
  snapshots/all.h5 logits/dev-step-00000004.h5 logits/dev-teacher-step-00000012.h5 result.json \
  model/model.safetensors variants/student/model.safetensors; do
  grep -q "^  ok  *$part " out || { echo "$part is not looked at"; cat out; exit 1; }
done
checked="digests and tensors, the window's sum is that of its ring, parameters and chain as in the log"
grep -q "window_ring \[3\].*: $checked" out
for ranks in 1 2 3; do
  "$source/launch/local" -n "$ranks" verify good --replay 7 >out 2>err ||
    { echo "replay on $ranks ranks:"; cat out err; exit 1; }
  same="every row as in the log, to the bit; all vectors as in the 4 checkpoints on the way"
  grep -q "^  ok  *replay  *7 steps behind step 5 on $ranks ranks: $same" out || { cat out; exit 1; }
done
verified 0 good --replay 3 --from 0
grep -q '3 steps behind step 0 on 1 ranks.* 1 checkpoint on the way' out
verified 0 good --replay 100
grep -q '12 steps behind step 0 ' out
[ -z "$(find good -newer train.out -type f)" ] || { echo "verify has written into the run"; exit 1; }
verified 1 good --replay 3 --from 4
grep -q -- '--from 4: good has no good checkpoint of that step' err
verified 1 good --replay 0
verified 1 good --from 3
verified 1 nowhere
verified 1 model
echo "ok   a good run; replays on 1, 2 and 3 ranks"

base=good
# wrong PATTERN NUMBER PYTHON: changes a copy of $base, by the text of a program that finds it as the folder `run`.
wrong() {
  rm -rf run
  cp -r "$base" run
  python3 - "$3" <<'PY'
import json, os, re, struct, sys
from pathlib import Path
run = Path("run")
def flip(name, at=0.5):
    data = bytearray((run / name).read_bytes())
    data[int(len(data) * at)] ^= 4
    (run / name).write_bytes(data)
def flip_value(name, at=100):
    """A byte of the first vector of a checkpoint, whose place its index tells; byte -1 belongs to nothing."""
    data = bytearray((run / name).read_bytes())
    index = len(data) - 32 - struct.unpack_from("<Q", data, len(data) - 24)[0]
    data[struct.unpack_from("<Q", data, index + 8 * (5 + 3))[0] + at] ^= 4
    (run / name).write_bytes(data)
def rewrite(name, change):
    (run / name).write_text(change((run / name).read_text()))
exec(sys.argv[1])
PY
  verified 1 run
  [ "$(grep -c WRONG out)" = "$2" ] && grep -Eq "WRONG  +$1" out || { echo "not found: $3"; cat out err; exit 1; }
}
wrong 'checkpoints/step-000000005.h5 +damaged: row 0 of "student" does not match its digest' 1 \
  'flip_value("checkpoints/step-000000005.h5")'
wrong 'checkpoints/step-000000005.h5 +damaged: what HDF5 keeps of it does not match its digest' 1 \
  'flip_value("checkpoints/step-000000005.h5", -1)'
wrong 'checkpoints/step-000000010.h5 ' 1 \
  '(run / "checkpoints/step-000000010.h5").write_bytes((run / "checkpoints/step-000000010.h5").read_bytes()[:70000])'
wrong 'checkpoints/step-000000010.h5 +could not be read as HDF5' 1 \
  '(run / "checkpoints/step-000000010.h5").write_bytes(b"no HDF5")'
wrong 'checkpoints/step-000000010.h5 +it was written after step 5, its name says 10' 1 \
  '(run / "checkpoints/step-000000010.h5").write_bytes((run / "checkpoints/step-000000005.h5").read_bytes())'
wrong 'log.jsonl +[^ ]*:1[0-9]: the chain of digests is broken' 1 \
  'rewrite("log.jsonl", lambda t: re.sub(
    r"(\"step\":9,.*\"parameters\":\")(.)", lambda m: m[1] + ("1" if m[2] == "0" else "0"), t))'
wrong 'log.jsonl +[^ ]*:[0-9]+: found step 8, expected 7' 1 \
  'rewrite("log.jsonl", lambda t: "".join(l for l in t.splitlines(True) if not l.startswith("{\"step\":7,")))'
wrong 'log.jsonl +.*the last row is cut short' 1 'rewrite("log.jsonl", lambda t: t[:-1])'
wrong 'checkpoints/step-000000012.h5 +log.jsonl has [0-9]+ bytes and 11 steps, fewer' 8 \
  'rewrite("log.jsonl", lambda t: t[:t.index("{\"step\":12,")])'
wrong 'snapshots/segment-000000004.h5 +scalars/loss of step 4 is not that in the log' 2 \
  'rewrite("log.jsonl", lambda t: re.sub(
    r"(?m)(^\{\"step\":4,.*?\"loss\":0\.)(.)", lambda m: m[1] + ("1" if m[2] == "0" else "0"), t))'
wrong 'snapshots/segment-000000004.h5 ' 2 'flip("snapshots/segment-000000004.h5", 0.6)'
wrong 'snapshots/all.h5 ' 1 \
  '(run / "snapshots/all.h5").write_bytes(
    (run / "snapshots/all.h5").read_bytes().replace(b"segment-000000006.h5", b"segment-000000008.h5"))'
wrong 'logits/dev-step-00000008.h5 +logits does not have the digest' 1 'import subprocess
name = "logits/dev-step-00000008.h5"; data = bytearray((run / name).read_bytes())
told = subprocess.run(["h5dump", "-p", "-H", "-d", "/logits", "run/" + name], capture_output=True, text=True).stdout
at = int(told.split("OFFSET ")[1].split()[0])
data[at + 5] ^= 1; (run / name).write_bytes(data)'
wrong 'logits/dev-window-step-00000008.h5 +error [0-9.]+ and loss [0-9.]+, the log has' 1 \
  '(run / "logits/dev-window-step-00000008.h5").write_bytes((run / "logits/dev-window-step-00000004.h5").read_bytes())'
wrong 'model/model.safetensors +the digest of its values is [0-9a-f]{16}, result.json has [0-9a-f]{16}' 1 \
  'flip("model/model.safetensors", 0.9)'
wrong 'variants/run/model.safetensors ' 1 'flip("variants/run/model.safetensors", 0.9)'
wrong 'result.json +13 steps, the log has 12' 1 \
  'rewrite("result.json", lambda t: t.replace("\"steps\":12", "\"steps\":13"))'
wrong 'result.json +.*result.json:1: ' 1 'rewrite("result.json", lambda t: t[:20])'
grep -q '^autodidact: error: run: 1 of [0-9]* wrong, the first is result.json: ' err
wrong 'model/vocab.txt +missing: the run has made it, with [0-9]+ bytes' 1 '(run / "model/vocab.txt").unlink()'
wrong 'checkpoints/step-000000010.h5 +missing: ' 1 '(run / "checkpoints/step-000000010.h5").unlink()'
wrong 'logits/dev-window-step-00000004.h5 +missing: ' 13 \
  'import shutil; shutil.rmtree(run / "logits"); (run / "timing.jsonl").unlink()'
wrong 'config.yaml +changed: its digest is [0-9a-f]{16}, files.jsonl has [0-9a-f]{16}' 1 \
  'rewrite("config.yaml", lambda t: t.replace("lr: 0.001", "lr: 0.002"))'
wrong 'variants/run/config.json +[0-9]+ bytes, the run has made it with [0-9]+' 1 \
  'rewrite("variants/run/config.json", lambda t: t + " ")'
wrong 'model/notes.txt +not of the run' 3 '(run / "model/notes.txt").write_text("x")
(run / "checkpoints/step-000000007.txt").write_text(""); (run / "data").mkdir()'
wrong 'model +a symbolic link, in place of what the run has made' 1 \
  '(run / "model").rename("moved-model"); (run / "model").symlink_to("../moved-model")'
wrong 'files.jsonl +missing: ' 1 '(run / "files.jsonl").unlink()'
wrong 'files.jsonl +cut short: it ends before the line of result.json' 1 'rewrite("files.jsonl", lambda t: t[:-1])'
wrong 'files.jsonl +[^ ]*files.jsonl:3: expected a file that a run has made' 1 \
  'rewrite("files.jsonl", lambda t: t.replace("log.jsonl", "../log.jsonl"))'
echo "ok   what was changed, lost or added is found"

"$AD_PROGRAM" train config.yaml run.dir=small >train.out 2>&1 || { cat train.out; exit 1; }
base=small
wrong 'descriptor.yaml +its digest is [0-9a-f]{16}, inputs.json has [0-9a-f]{16}' 1 \
  'rewrite("descriptor.yaml", lambda t: t.replace("tiny", "Tiny"))'
wrong 'inputs.json +.*inputs.json:2: ' 1 'rewrite("inputs.json", lambda t: t[:20])'
wrong 'model/config.json +class 1 is "good", the descriptor has "positive"' 1 \
  'rewrite("model/config.json", lambda t: t.replace("positive", "good"))'
wrong 'the train split +.*/train.tsv has the digest [0-9a-f]{16}, had [0-9a-f]{16}' 2 \
  'rewrite("inputs.json", lambda t: re.sub(
    r"(train.tsv\",\s+\"digest\": \")(.)", lambda m: m[1] + ("1" if m[2] == "0" else "0"), t))'
sed -i.kept 's/"0": negative, "1": positive/"1": negative, "0": positive/' tiny.yaml
verified 1 small
[ "$(grep -c WRONG out)" = 1 ] &&
  grep -q 'WRONG  *the descriptor  *.*/tiny.yaml has changed: the label "0" of train was negative, is positive' out ||
  { cat out; exit 1; }
sed 's/^title: .*/title: other/' tiny.yaml.kept >tiny.yaml
verified 0 small
grep -q '^  ok  *the descriptor  *.*/tiny.yaml has changed: the title was tiny, is other$' out || { cat out; exit 1; }
mv tiny.yaml.kept tiny.yaml

# From elsewhere, with its data where they were, and with nothing around it.
mkdir elsewhere
cp -r small elsewhere/moved
(cd elsewhere && verified 0 moved --replay 3)
mv data gone
mv tiny.yaml tiny.gone
verified 0 elsewhere/moved
[ "$(grep -c 'is not there now: not compared' out)" = 3 ] || { cat out; exit 1; }
"$AD_PROGRAM" predict elsewhere/moved --data gone/test.tsv >predicted
[ "$(wc -l <predicted)" = 8 ] || { echo "a moved run does not predict"; exit 1; }
"$AD_PROGRAM" eval elsewhere/moved --data test --folder gone --json >moved.json
mv gone data
mv tiny.gone tiny.yaml
"$AD_PROGRAM" eval small --data test --json | cmp - moved.json
printf 'good film\t1\n' >>data/dev.tsv
"$AD_PROGRAM" eval small --data dev --json >/dev/null 2>err
grep -q 'data/dev.tsv: the dev split has the digest [0-9a-f]*, had [0-9a-f]* when the run read it' err ||
  { cat err; exit 1; }
sed -i '$d' data/dev.tsv
verified 0 small
# What has changed since is told, and with --own-descriptor the run goes by what it was trained with.
sed -i.kept 's/  - negative/  - X/; s/  - positive/  - negative/; s/  - X/  - positive/' tiny.yaml
"$AD_PROGRAM" eval small --data test --json --own-descriptor 2>err | cmp - moved.json
changed='class 0 was negative, is positive; the run.s own descriptor is used'
grep -q "warning: small: .*/tiny.yaml has changed since the training: $changed" err || { cat err; exit 1; }
"$AD_PROGRAM" predict small --data test 2>err | cmp - predicted
grep -q 'warning: small: .*class 0 was negative' err
mv tiny.yaml.kept tiny.yaml
echo "ok   inputs that changed, or are gone; a run that was moved"

# A replay finds what no digest tells: a log whose digests fit each other, but not the training.
rm -rf run
cp -r good run
sed -i 's/^  lr: .*/  lr: 0.002/' run/config.yaml
verified 1 run --replay 2 --from 5
grep -q 'WRONG  *replay  *step 6: found {"step":6,.*, the log has {"step":6,' out || { cat out; exit 1; }
cp -r good other && printf 'good film\t1\n' >>data/train.tsv
verified 1 other --replay 2
grep -q '^  changed   data_train was "[0-9a-f]*", is "[0-9a-f]*"$' out || { cat out; exit 1; }
echo "ok   replays that differ"

# --- A run folder is cleared of what a run has made, and of nothing else.

# refused PATTERN [argument ...]: nothing is touched.
refused() {
  local pattern="$1" code=0
  shift
  find . -mindepth 1 -not -name err -not -name out -printf '%p %y %s %T@ %l\n' | sort >before
  "$AD_PROGRAM" train config.yaml "$@" >out 2>err || code=$?
  [ "$code" = 1 ] && grep -Eq -- "$pattern" err ||
    { echo "train $*: exit code $code, expected 1 and /$pattern/"; cat out err; exit 1; }
  find . -mindepth 1 -not -name err -not -name out -not -name before -printf '%p %y %s %T@ %l\n' | sort |
    diff <(grep -v '^./before ' before) - || { echo "train $* has touched something"; exit 1; }
}
trained() {
  "$AD_PROGRAM" train config.yaml "$@" >out 2>err || { echo "train $*:"; cat out err; exit 1; }
}
rm -rf run other good
mkdir -p runs/with/notes runs/linked outside empty 'own model'
touch outside/config.json outside/step-000000001.h5 runs/linked/train-12.log 'runs/linked/slurm-7.out'
ln -s ../../outside runs/linked/checkpoints
ln -s . here
cp -r model 'own model/model'
cp model/vocab.txt empty/vocab.txt
mkdir linked-model && ln -s "$PWD/own model/model/"* linked-model
refused "run.dir is '.', which holds the configuration of this run, config.yaml: " run.dir=.
refused "run.dir is 'here/', which holds the configuration" run.dir=here/ run.overwrite=true
refused "run.dir is '$work', which holds the configuration" "run.dir=$work"
refused "which holds model.path of this run, own model/model: " 'run.dir=own model' 'model.path=own model/model' \
  run.overwrite=true
refused "which holds model.path of this run, model: " run.dir=model
held='which holds model.path of this run, linked-model/'
refused "${held}config.json|$held" 'run.dir=own model' model.path=linked-model
refused "which holds model.vocab of this run, empty/vocab.txt: " run.dir=empty model.path= model.vocab=empty/vocab.txt
refused "which holds data.folder of this run, data: " run.dir=data
refused "which holds data.dev of this run, empty/vocab.txt|empty/vocab.txt" run.dir=empty data.dev=empty/vocab.txt
refused "runs/with holds notes/, which no run has made" run.dir=runs/with run.overwrite=true
refused "runs/linked holds checkpoints, which no run has made" run.dir=runs/linked
refused "empty holds vocab.txt, which no run has made" run.dir=empty
rm runs/linked/checkpoints empty/vocab.txt
trained run.dir=runs/linked
trained run.dir=runs/linked run.overwrite=true
[ -e runs/linked/train-12.log ] && [ -e runs/linked/slurm-7.out ] # Slurm's
ln -s empty by-link
trained run.dir=by-link
trained run.dir=by-link run.overwrite=true
verified 0 empty
# Links in the place of what a run has made go, not what they lead to; foreign files stay, and so does the run.
for name in model logits checkpoints; do
  rm -rf run
  trained run.dir=run eval.keep_logits=true checkpoint.finished=true
  rm -r "run/$name"
  ln -s ../outside "run/$name"
  ln -sf ../outside/config.json run/timing.jsonl
  trained run.dir=run run.overwrite=true
  [ "$(ls outside)" = "$(printf 'config.json\nstep-000000001.h5')" ] && [ ! -s outside/config.json ] ||
    { echo "run/$name was followed"; exit 1; }
  verified 0 run
done
for name in logits/mine.h5 checkpoints/step-000000001.h5 model/notes.txt .hidden result.json.bak; do
  mkdir -p "run/$(dirname "$name")"
  echo mine >"run/$name"
  refused "run holds [^ ]*, which no run has made" run.dir=run run.overwrite=true
  [ "$(cat "run/$name")" = mine ]
  rm "run/$name"
  rmdir -p "run/$(dirname "$name")" 2>/dev/null || true
done
# An unfinished run goes on beside foreign files, which stay; over none of them, and into no link.
"$AD_PROGRAM" train config.yaml run.dir=stopped train.epochs=4 checkpoint.every=1 checkpoint.finished=true \
  checkpoint.keep=9 --inject=term@5 >out 2>err || [ $? = 75 ]
verified 0 stopped
echo mine >stopped/notes
echo mine >stopped/checkpoints/step-000000001.txt
touch stopped/log.jsonl.partial && ln -s ../outside/config.json stopped/checkpoints/step-000000006.h5.partial
cp -r stopped linked
mkdir stopped/model
echo mine >stopped/model/config.json
refused_start() {
  code=0
  "$AD_PROGRAM" train config.yaml train.epochs=4 checkpoint.every=1 checkpoint.finished=true checkpoint.keep=9 \
    "${@:2}" >out 2>err || code=$?
  [ "$code" = 1 ] && grep -q "$1" err || { cat err; exit 1; }
}
refused_start "stopped/model/config.json: is there already, and no run has made it" run.dir=stopped
[ "$(cat stopped/model/config.json)" = mine ] && [ ! -e stopped/result.json ]
rm -r stopped/model
"$AD_PROGRAM" train config.yaml run.dir=stopped train.epochs=4 checkpoint.every=1 checkpoint.finished=true \
  checkpoint.keep=9 >out 2>err || { cat err; exit 1; }
[ "$(cat stopped/notes stopped/checkpoints/step-000000001.txt)" = "$(printf 'mine\nmine')" ] &&
  [ ! -s outside/config.json ]
[ -z "$(find stopped -name '*.partial')" ]
rm stopped/notes stopped/checkpoints/step-000000001.txt
verified 0 stopped
mv linked/checkpoints outside/ && ln -s ../outside/checkpoints linked/checkpoints
refused_start "linked/checkpoints: a symbolic link: a run writes into files and folders of its own only" run.dir=linked
echo "ok   only what a run has made is removed"
