#!/usr/bin/env bash
# What `study` says of wrong study files, of changes between two calls, of a folder that it may not write, of a full
# disk: one clear message each.
set -euo pipefail
if [ -z "${AD_IN_NAMESPACE:-}" ]; then
  # A small disk of our own, if this system allows it: a tmpfs, mounted where nobody else sees it.
  for enter in "unshare --mount" "unshare --mount --map-root-user"; do
    if $enter sh -c 'mount -t tmpfs -o size=1m none /mnt' 2>/dev/null; then
      AD_IN_NAMESPACE=1 exec $enter bash "$0"
    fi
  done
fi
work="$(mktemp -d)"
trap 'umount "$work/small" 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
program="${AD_PROGRAM:?}"
export OMPI_MCA_ess_singleton_isolated=1
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"

# expect NAME CODE PATTERN ARGUMENT...: `study ARGUMENT...` ends with CODE, and its last line on standard error matches.
expect() {
  local name="$1" code="$2" pattern="$3" found=0
  shift 3
  "$program" study "$@" >out 2>err || found=$?
  if [ "$found" != "$code" ] || ! tail -n 1 err | grep -Eq -- "$pattern"; then
    echo "$name: exit code $found, expected $code and a last line like /$pattern/; it said:"
    cat out err
    exit 1
  fi
}
# file NAME CODE PATTERN: the study file on standard input is refused by run, status and report alike, and leaves
# no folder.
file() {
  cat >wrong.yaml
  for command in run status report; do
    expect "$1, $command" "$2" "$3" "$command" wrong.yaml
  done
  [ ! -e s ] || { echo "$1 left a folder"; exit 1; }
}

file "no section" 1 "^autodidact: error: wrong.yaml:1: the section 'study' is missing" </dev/null
file "no mapping" 1 "wrong.yaml:1: expected keys and values" <<<"- study"
file "malformed" 1 "wrong.yaml:[0-9]+: malformed YAML" <<<"study: {dir: s"
file "unknown key" 1 "wrong.yaml:1: unknown key 'study.rank_per_trial'; the nearest one is 'study.ranks_per_trial'" \
  <<<"study: {dir: s, rank_per_trial: 2}"
stand='keys of the configuration stand below'
file "a key of the configuration" 1 \
  "wrong.yaml:1: unknown key 'study.learning_rate'; $stand base, axes or arms: here it is 'optim.lr'" \
  <<<"study: {dir: s, learning_rate: 2}"
file "a section of the configuration" 1 "wrong.yaml:2: unknown key 'optim'; $stand" \
  <<<$'study: {dir: s}\noptim: {lr: 2}'
file "a name of elsewhere in an arm" 1 "wrong.yaml:2: unknown key 'num_train_epochs'; here it is 'train.epochs'" \
  <<<$'study: {dir: s}\narms: {a: {num_train_epochs: 2}}'
file "unknown axis" 1 "wrong.yaml:2: unknown key 'seed.int'; the nearest one is 'seed.init'" \
  <<<$'study: {dir: s}\naxes: {seed.int: 0..2}'
file "range with a dash" 1 "wrong.yaml:2: axes: seed.init is '0-9', expected numbers; a range is written 0..9" \
  <<<$'study: {dir: s}\naxes: {seed.init: 0-9}'
file "empty list" 1 "wrong.yaml:2: axes: seed.init has no values" <<<$'study: {dir: s}\naxes: {seed.init: []}'
file "arm twice" 1 "wrong.yaml:4: the key \"a\" is there twice \(first at line 3\)" \
  <<<$'study: {dir: s}\narms:\n  a: {}\n  a: {optim.lr: 1}'
file "key of an arm twice" 1 "wrong.yaml:4: optim.lr is there twice \(first at line 3\)" \
  <<<$'study: {dir: s}\narms:\n  a: {optim: {lr: 1},\n      optim.lr: 2}'
file "key of the base twice" 1 "wrong.yaml:3: optim.lr is there twice \(first at line 2\)" \
  <<<$'study: {dir: s}\nbase: {optim.lr: 1,\n  optim: {lr: 2}}'
file "equal arms" 1 "two cells are the same training: \"a\" and \"b\"" <<<$'study: {dir: s}\narms:\n  a: {}\n  b: {}'
file "unknown key of an arm" 1 "wrong.yaml:2: unknown key 'teacher.metod'" \
  <<<$'study: {dir: s}\narms: {a: {teacher: {metod: sda}}}'
file "no such base" 1 "wrong.yaml:2: base: none.yaml: No such file" <<<$'study: {dir: s}\nbase: none.yaml'
expect "no such study" 1 "none.yaml: No such file" run none.yaml
expect "no subcommand" 1 "found no subcommand, expected one of run, plan, status, report"
expect "unknown subcommand" 1 "found start, expected one of run, plan, status, report" start wrong.yaml
echo "ok   wrong study files"

# write [KEYS OF study] [base] [arms]
write() {
  {
    printf 'study: {dir: s, failed: never%s}\nbase: {file: config.yaml, train.epochs: 2%s}\n' "${1:+, $1}" "${2:+, $2}"
    printf 'axes: {seed.init: 0..1}\narms: {a: {}%s}\n' "${3:+, $3}"
  } >study.yaml
}
write
expect "a report of nothing" 1 "study.yaml: no cell of it has been run in s" report study.yaml
expect "a key of the cells" 1 \
  "command line: optim.lr belongs to what the cells are: set it in study.yaml" run study.yaml optim.lr=1
expect "an unknown key" 1 \
  "command line: unknown key 'run.time_limt'; the nearest one is 'run.time_limit'" run study.yaml run.time_limt=3
write "ranks_per_trial: 2"
expect "too few ranks" 1 "study.ranks_per_trial is 2, the job has 1 rank$" run study.yaml
write "result: test.error, test: false"
expect "no test, but its result" 1 "study.test is false, but study.result is test.error" run study.yaml
write "result: teacher.error"
none="study.result is teacher.error, but the runs of arm 'a' have none"
expect "a result that no run has" 1 "$none: these values of teacher.method make one: sda sdv ema" run study.yaml
sed '/^  test:/,$d' tiny.yaml >untested.yaml
write "result: test.error" "data.descriptor: untested.yaml"
expect "no test split" 1 \
  "arm 'a': study.result or study.test asks for scores on test, but untested has no test split" run study.yaml
sed '/^  dev:/,$d' tiny.yaml >undeveloped.yaml
write "" "data.descriptor: undeveloped.yaml"
expect "no dev split" 1 "arm 'a': study.result is on dev, but undeveloped has no dev split" run study.yaml
[ ! -e s/runs ] || { echo "something was run"; exit 1; }
rm -rf s
echo "ok   what no arm could have"

# Keys that change nothing: each is told once, and a sweep over methods is left alone.
cat >idle.yaml <<'END'
study: {dir: s, failed: never}
base: {file: config.yaml, model.dropout: 0, teacher.window: 2, snapshot.sketch: 64, comm.shared: false}
axes: {seed.init: 0..1, seed.dropout: 0..1}
arms: {a: {}, b: {teacher.method: sda}, c: {teacher.method: ema, teacher.dropout: same}, d: {teacher.decay: 0.9}}
END
"$program" study run idle.yaml >out 2>err
for told in "base: comm.shared=false has no effect in any arm" "base: snapshot.sketch=64 has no effect in any arm" \
  "teacher.dropout=same has no effect in the arm 'c'" "teacher.decay=0.9 has no effect in the arm 'd'" \
  "axes: seed.dropout has no effect in any arm" "axes: seed.init has no effect in the arm 'a'" \
  "base: run.dir has no effect in a study"; do
  [ "$(grep -c "warning: idle.yaml: $told" err)" = 1 ] || { echo "not told once: $told"; cat err; exit 1; }
done
[ "$(grep -c "idle.yaml: arm 'a': the classifier is that of model: its classes are those of the data" err)" = 1 ] ||
  { cat err; exit 1; }
[ "$(grep -c "no effect" err)" = 7 ] || { echo "more is told"; cat err; exit 1; }
rm -r s
echo "ok   keys without effect"

# A cell that runs shows where it is, held still while one looks.
printf 'study: {dir: s, failed: never}\nbase: {file: config.yaml, train.steps: 100000000}\n' >long.yaml
"$program" study run long.yaml >long.out 2>&1 &
job=$!
until grep -qs '"steps":' s/runs/*/timing.jsonl; do
  kill -0 "$job" || { cat long.out; exit 1; }
  sleep 0.01
done
kill -STOP "$job"
"$program" study status long.yaml >out
step="$(sed -n 's/^running: base: step \([0-9]*\) of 100000000$/\1/p' out)"
"$program" study status long.yaml --json | python3 -c '
import json, sys
cell = json.load(sys.stdin)["cells"][0]
last = [row for row in map(json.loads, open(sys.argv[1]).read().split("\n")[:-1]) if "steps" in row][-1]
assert (cell["state"], cell["step"], cell["steps"]) == ("running", int(sys.argv[2]), 100000000), (cell, last)
assert cell["step"] == last["step"], (cell, last)
' s/runs/*/timing.jsonl "${step:-0}" || { cat out; exit 1; }
kill -TERM "$job"
kill -CONT "$job"
wait "$job" && found=0 || found=$?
[ "$found" = 75 ] || { echo "a stopped study ended with $found"; cat long.out; exit 1; }
rm -r s
echo "ok   the step of a running cell"
python3 "$source/tests/system/study_watch.py"

# What changes between two calls.
write
expect "a good one" 0 "" run study.yaml
[ "$(ls s/runs | wc -l)" = 2 ]
write "" "optim.lr: 2e-3"
expect "a changed key" 1 \
  "the arm 'a' was begun in s with optim.lr 0.001, now it is 0.002: take the change back" run study.yaml
"$program" study status study.yaml >out 2>err
grep -q "warning: study.yaml: the arm 'a' was planned in s with optim.lr 0.001, now it is 0.002" err ||
  { cat err; exit 1; }
write
cp data/train.tsv kept && printf 'good film\t1\n' >>data/train.tsv
expect "changed data" 1 \
  "the arm 'a' was begun in s with training data [0-9a-f]{16}, now it is [0-9a-f]{16}" run study.yaml
mv kept data/train.tsv
mv data/dev.tsv kept
expect "lost data" 1 "arm 'a': data/dev.tsv: there is no such file" run study.yaml
mv kept data/dev.tsv
cp model/config.json kept && printf ' ' >>model/config.json
expect "a changed model" 1 "the arm 'a' was begun in s with base model" run study.yaml
mv kept model/config.json
cp -r s copy && echo '{"format":' >s/plan.json
expect "a broken plan" 1 "s/plan.json:1: malformed JSON" run study.yaml
rm -r s && mv copy s
records=(s/records/*.jsonl)
echo 'no line of ours' >>"${records[0]}"
for command in run status report; do
  expect "a broken line of the table, $command" 1 "${records[0]}:[0-9]+: malformed JSON" "$command" study.yaml
done
sed -i '$d' "${records[0]}"
expect "all as it was" 0 "" run study.yaml
expect "the only arm as a baseline" 1 "found --baseline a, which is the only arm" report study.yaml --baseline a
expect "an unknown baseline" 1 'study.yaml: found no arm "c" to compare with; the first is "a"' \
  report study.yaml --baseline c
rm -r s
echo "ok   changes between two calls"

# Folders.
echo >taken
sed 's/dir: s/dir: taken/' study.yaml >elsewhere.yaml
expect "a file in its place" 2 \
  "taken: the folder could not be made: there is something else of that name" run elsewhere.yaml
mkdir closed && chmod 500 closed
sed 's/dir: s/dir: closed\/s/' study.yaml >elsewhere.yaml
# Root may write anywhere, unless it gives that up.
bare="$program"
[ "$(id -u)" != 0 ] || {
  printf '#!/bin/sh\nexec setpriv --bounding-set=-dac_override "%s" "$@"\n' "$bare" >humble &&
    chmod +x humble && program=./humble
}
expect "no permission" 2 "closed/s: the folder could not be made: Permission denied" run elsewhere.yaml
program="$bare"
echo "ok   folders"

# A disk that is full: before anything is there, and while cells are run. With room again all goes on.
if [ -z "${AD_IN_NAMESPACE:-}" ]; then
  echo "     (this system allows no mount of a tmpfs: no test of a full disk)"
  exit 0
fi
mkdir small && mount -t tmpfs -o size=2m none small
sed 's/dir: s/dir: small\/s/' study.yaml >elsewhere.yaml
fill() { dd if=/dev/zero of=small/ballast bs=4k 2>/dev/null || true; }
fill
expect "a full disk" 2 \
  "small/s.*: (No space left on device|could not be written: No space left on device)" run elsewhere.yaml
rm small/ballast
expect "room" 0 "" run elsewhere.yaml
sed -i 's/0..1/0..9/' elsewhere.yaml
dd if=/dev/zero of=small/ballast bs=4k count=$(($(df --output=avail small | tail -n 1) / 4 - 12)) 2>/dev/null
expect "full on the way" 2 "No space left on device|bytes are free" run elsewhere.yaml
"$program" study status elsewhere.yaml >out 2>err
rm small/ballast
expect "room again" 0 "" run elsewhere.yaml
[ "$("$program" study status elsewhere.yaml --json |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["all"]["done"])')" = 10 ]
echo "ok   a full disk"
