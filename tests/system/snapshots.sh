#!/usr/bin/env bash
# Snapshots of a training: what they hold, that they change nothing, the same bytes on any number of ranks, the budget.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}" OMPI_MCA_ess_singleton_isolated=1
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"

# run RANKS NAME [key=value ...]
run() {
  local ranks="$1" name="$2"
  shift 2
  "$source/launch/local" -n "$ranks" train config.yaml "run.dir=$name" batch.lanes=4 train.epochs=4 optim.lr=3e-3 \
    model.dropout=0.1 "$@" >"$name.out" 2>&1 || { echo "$name on $ranks ranks failed:"; cat "$name.out"; exit 1; }
}
# same REFERENCE NAME: every file of the snapshots to the byte; they hold no times and no names of machines.
same() {
  diff -r "$1/snapshots" "$2/snapshots" || { echo "$1 and $2 have different snapshots"; exit 1; }
  h5diff "$1/snapshots/all.h5" "$2/snapshots/all.h5"
  cmp "$1/log.jsonl" "$2/log.jsonl"
}
everything=(snapshot.every=3 snapshot.dense=2 snapshot.growth=1.6 snapshot.steps=11 snapshot.probe=5
  snapshot.probe_every=2 snapshot.sketch=64 snapshot.content=scalars,norms,sketch,probe,parameters)

for method in none sda sdv; do
  arm=("teacher.method=$method" teacher.window=2 teacher.every=2)
  run 1 "plain-$method" "${arm[@]}"
  run 1 "$method-1" "${arm[@]}" "${everything[@]}"
  cmp "plain-$method/log.jsonl" "$method-1/log.jsonl"
  cmp "plain-$method/model/model.safetensors" "$method-1/model/model.safetensors"
  [ ! -e "plain-$method/snapshots" ]
  for ranks in 2 3; do
    run "$ranks" "$method-$ranks" "${arm[@]}" "${everything[@]}"
    same "$method-1" "$method-$ranks"
  done
done
run 3 unshared teacher.method=sda teacher.window=2 teacher.every=2 "${everything[@]}" comm.shared=false
same sda-1 unshared
run 3 unsharded teacher.method=sda teacher.window=2 teacher.every=2 "${everything[@]}" optim.shard=false
same sda-1 unsharded
run 2 rounds teacher.method=sda teacher.window=2 teacher.every=2 "${everything[@]}" batch.rounds=2
same sda-1 rounds
echo "ok   the same bytes on 1, 2 and 3 ranks, and training as without snapshots"

run 1 frozen model.freeze=1 snapshot.every=1 snapshot.content=norms,sketch,parameters
run 2 frozen-2 model.freeze=1 snapshot.every=1 snapshot.content=norms,sketch,parameters
same frozen frozen-2
run 1 seed seed.order=1 "${everything[@]}"
python3 "$source/tests/system/snapshots.py"
# The virtual file finds its segments from any folder, also when the run has been moved.
mkdir moved && mv seed moved/ && (cd / && h5dump -d /step "$work/moved/seed/snapshots/all.h5" >"$work/steps")
grep -q '(0): 0, 1, 2, 3, 4, 6, 7, 9, 11, 12' steps || { cat steps; exit 1; }
echo "ok   the virtual file, from elsewhere"

# Where no file can be locked, all is as where they can; a segment that is not there is named, and shows no zeros.
cc -shared -fPIC -o nolock.so -x c - <<'C'
#include <errno.h>
int flock(int file, int operation) { (void)file, (void)operation; return errno = ENOLCK, -1; }
C
"$AD_PROGRAM" inspect moved/seed/snapshots/all.h5 >with-locks
for command in "verify moved/seed" "inspect moved/seed/snapshots/all.h5" "diff moved/seed moved/seed"; do
  # shellcheck disable=SC2086
  LD_PRELOAD=$PWD/nolock.so "$AD_PROGRAM" $command >without-locks 2>&1 ||
    { echo "$command:"; cat without-locks; exit 1; }
done
LD_PRELOAD=$PWD/nolock.so "$AD_PROGRAM" inspect moved/seed/snapshots/all.h5 | cmp - with-locks
cp -r moved/seed missing && rm missing/snapshots/segment-000000000.h5
for command in "verify missing" "inspect missing/snapshots/all.h5" "diff missing $work/moved/seed"; do
  # shellcheck disable=SC2086
  if (cd moved/seed/snapshots && "$AD_PROGRAM" ${command//missing/"$work/missing"}) >out 2>&1; then
    echo "not seen: $command"
    exit 1
  fi
  grep -q 'missing/snapshots/segment-000000000.h5: No such file' out || { echo "$command:"; cat out; exit 1; }
done
echo "ok   without locks, and without a segment"

# resumed REFERENCE NAME CODE RANKS FAULT RANKS: a run that is broken off goes on to the snapshots of the unbroken one.
resumed() {
  local code=0
  "$source/launch/local" -n "$4" train config.yaml "run.dir=$2" "${broken[@]}" "--inject=$5" >"$2.out" 2>&1 || code=$?
  [ "$code" = "$3" ] || [ "$3" = killed ] && [ "$code" -gt 3 ] ||
    { echo "$2: exit code $code, expected $3"; cat "$2.out"; exit 1; }
  run "$6" "$2" "${broken[@]:4}"
  h5diff "$1/snapshots/all.h5" "$2/snapshots/all.h5"
  # Where nothing but checkpoints ends a segment, the files are the same too.
  [ "$3" != killed ] || same "$1" "$2"
}
broken=(batch.lanes=4 train.epochs=4 optim.lr=3e-3 model.dropout=0.1 "${everything[@]}" teacher.method=sda
  teacher.window=2 checkpoint.every=3)
run 1 whole "${broken[@]:4}"
[ "$(ls whole/snapshots | tr '\n' ' ')" = \
  "all.h5 segment-000000000.h5 segment-000000004.h5 segment-000000007.h5 segment-000000011.h5 " ]
resumed whole killed-first killed 2 kill@1 1
resumed whole killed-later killed 3 kill@8 2
resumed whole killed-in-save killed 1 kill@save:2 3
resumed whole stopped 75 2 term@5 1
resumed whole stopped-at-once 75 2 term@0 3
# What they hold may not change on the way.
"$source/launch/local" -n 1 train config.yaml run.dir=changing "${broken[@]}" --inject=kill@8 >changing.out 2>&1 &&
  exit 1
"$AD_PROGRAM" train config.yaml run.dir=changing "${broken[@]}" snapshot.content=norms >changing.out 2>&1 && exit 1
grep -q "segment-000000000.h5: its datasets are not those that this configuration makes" changing.out ||
  { cat changing.out; exit 1; }
run 2 changing "${broken[@]:4}"
same whole changing
echo "ok   killed and stopped runs go on with their snapshots"

# A run that diverges keeps what it has seen.
"$AD_PROGRAM" train config.yaml run.dir=diverged snapshot.every=1 --inject=nan@3 >diverged.out 2>&1 && exit 1
h5dump -d /step diverged/snapshots/all.h5 | grep -q '(0): 0, 1, 2$' && grep -q "must be finite" diverged.out ||
  { cat diverged.out; exit 1; }
echo "ok   a diverged run"

# refuse PATTERN [key=value ...]: before the run folder is made.
refuse() {
  local pattern="$1"
  shift
  if "$AD_PROGRAM" train config.yaml run.dir=refused "$@" >refused.out 2>&1; then
    echo "not refused: $*"
    exit 1
  fi
  grep -Eq -- "$pattern" refused.out || { echo "not said: $pattern"; cat refused.out; exit 1; }
  [ ! -e refused ] || { echo "$* left a folder"; exit 1; }
}
refuse "snapshots of this run take [0-9]+ bytes .*4 of [0-9]+\), snapshot.budget is 1000:" \
  snapshot.every=1 snapshot.budget=1000
refuse "snapshot.content is 'norms,all', expected some of scalars" snapshot.every=1 snapshot.content=norms,all
refuse "snapshot.steps is '1;2', expected steps with commas" "snapshot.steps=1;2"
refuse "snapshot.growth is 0.5, expected 0 or at least 1.01" snapshot.growth=0.5
refuse "a sketch of 1000 buckets, expected a power of two" snapshot.every=1 snapshot.sketch=1000
run 1 within snapshot.every=1 snapshot.budget=1000000
grep -q "snapshots: 13 of [0-9.]* kB, [0-9.]* MB in all before compression" within.out
echo "ok   the estimate and what is refused"

# Starting anew removes those of the run before.
run 1 within run.overwrite=true
[ ! -e within/snapshots ]
echo "ok   run.overwrite"
