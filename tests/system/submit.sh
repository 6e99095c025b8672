#!/usr/bin/env bash
# launch/submit and the job scripts with stand-ins for Slurm's programs: what is filled in, what is refused, when a job
# is requeued. tests/slurm has the same in a real Slurm.
. "${AD_SOURCE:?}/tests/support/commands.sh"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
unset "${!SLURM_@}" "${!SBATCH_@}" AUTODIDACT_LAUNCHER

mkdir "$work/bin"
# A cluster of 32 cores a node, where `short` has a few smaller ones and a low limit.
cat > "$work/bin/sinfo" <<'SH'
#!/bin/sh
case "$*" in
  *'--format=%P') printf 'normal*\nshort\n' ;;
  *'--format=%R') printf 'normal\nshort\n' ;;
  *--partition=none*) ;;
  *--partition=short,long*) printf 'short 30:00 1 4 4000\nshort 30:00 1 8 8000\nlong infinite 2 16 64000\n' ;;
  *--partition=short*) printf 'short 30:00 1 4 4000\nshort 30:00 1 8 8000\n' ;;
  *--partition=long*) printf 'long infinite 2 16 1\n' ;;
  *) printf 'normal 1-00:00:00 2 16 64000+\nshort 30:00 1 4 4000\n' ;;
esac
SH
cat > "$work/bin/sbatch" <<'SH'
#!/bin/sh
printf '%s %s' "$AUTODIDACT_LAUNCHER" "$AUTODIDACT_PROGRAM"
printf ' <%s>' "$@"
echo
exit 3
SH
chmod +x "$work"/bin/*
PATH=$work/bin:$PATH
python3 tests/system/tiny.py "$work"
config=$work/config.yaml # batch.lanes is 4 there
# Jobs run in the folder that they are submitted from, which is not its own.
sed -i "s|path: model|path: $work/model|; s|tiny.yaml|$work/tiny.yaml|; s|folder: data|folder: $work/data|" "$config"
# Of 16 cells.
cat > "$work/s.yaml" <<YAML
study: {dir: $work/study, ranks_per_trial: 6}
base: {file: $config, batch: {lanes: 8}}
axes: {seed.init: 0..7}
arms: {plain: {}, sda: {teacher: {method: sda}}}
YAML
submit=(launch/submit --dry-run)

sent="AUTODIDACT_LAUNCHER=auto AUTODIDACT_LEAD=120 AUTODIDACT_PROGRAM=$AD_PROGRAM sbatch --export=ALL --job-name=run"
sent+=" --time=4:00:00 --nodes=1 --ntasks=4 --ntasks-per-node=4 --signal=B:USR1@120 --mem-per-cpu=[0-9]+M"
sent+=" $PWD/launch/slurm/train.sbatch"
expect 0 "^$sent $config$" "${submit[@]}" train "$config"
grep -q '^#SBATCH --requeue$' "$work/output" || fail "--dry-run does not show the script"
expect 0 'job-name=b --time=4:00:00 --nodes=1 --ntasks=32 --ntasks-per-node=32 ' \
  "${submit[@]}" train "$config" batch.lanes=128 run.dir=runs/b
expect 0 'nodes=2 --ntasks=64 --ntasks-per-node=32 ' "${submit[@]}" -N 2 train "$config" batch.lanes=128
expect 0 'nodes=2 --ntasks=48 --ntasks-per-node=24 ' "${submit[@]}" --ranks=48 train "$config" batch.lanes=128
expect 0 'time=30:00 --nodes=2 --ntasks=8 --ntasks-per-node=4 .*--partition=short ' \
  "${submit[@]}" -p short -n 8 train "$config" batch.lanes=8
expect 0 'time=4:00:00 .*--partition=long ' "${submit[@]}" -p long train "$config"
chosen='--account=a --partition=normal --qos=q --mem-per-cpu=2G --constraint=avx512 --exclusive '
expect 0 "job-name=j --time=1-0 .*signal=B:USR1@300 $chosen" \
  "${submit[@]}" -A a -p normal -q q -t 1-0 -m 2G -J j --lead 300 --sbatch=--constraint=avx512 \
  --sbatch --exclusive train "$config"
expect 0 'AUTODIDACT_LAUNCHER=mpirun .* run.dir=a\\ b$' \
  "${submit[@]}" --launcher mpirun -- train "$config" 'run.dir=a b'
expect 0 'time=30:00 --nodes=1 --ntasks=4 .*--partition=short.,long ' "${submit[@]}" -p short,long train "$config"
expect 0 'job-name=s .*--nodes=1 --ntasks=30 .*--array=1-3 .*/study.sbatch '"$work/s.yaml"' checkpoint.minutes=1$' \
  "${submit[@]}" -a 3 study "$work/s.yaml" checkpoint.minutes=1
expect 0 'nodes=2 --ntasks=6 --ntasks-per-node=3 .*--array=1-1 ' "${submit[@]}" -p short study "$work/s.yaml"
expect 0 '--nodes=4 --ntasks=96 ' "${submit[@]}" -N 4 study "$work/s.yaml"
grep -q 'run_study' "$work/output" || fail "--dry-run does not show the script of studies"
expect 3 \
  "^srun $AD_PROGRAM <--export=ALL> <--job-name=run> .*<$PWD/launch/slurm/train.sbatch> <$config> <run.dir=a b>$" \
  launch/submit -J run --launcher srun train "$config" 'run.dir=a b'

expect 1 'what to submit is missing' launch/submit
expect 1 'found "eval", expected train or study' launch/submit eval runs/a
expect 1 'train: the file is missing' launch/submit train
expect 1 'nowhere.yaml is not a file' launch/submit train nowhere.yaml
expect 1 'unknown option "--fast"' launch/submit --fast train "$config"
expect 1 'sbatch=--gres=gpu:1 hands it to sbatch' launch/submit --gres=gpu:1 train "$config"
expect 1 'expected train or study before it: launch/submit train config.yaml' launch/submit config.yaml
expect 1 'options of launch/submit stand before train' launch/submit train "$config" -n 2
expect 0 'job-name=j .*--ntasks=2 .*--mem-per-cpu=4G ' \
  "${submit[@]}" --ntasks=2 --mem-per-cpu=4G --job-name=j train "$config"
expect 1 '--ranks needs a whole number from 1, found "0"' launch/submit --ranks 0 train "$config"
expect 1 '--time needs a value' launch/submit --time
expect 1 '--launcher needs srun, mpirun or auto, found "prun"' launch/submit --launcher=prun train "$config"
expect 1 '--time is "soon", expected' launch/submit -t soon train "$config"
expect 1 '--time 3 is too short' launch/submit -t 3 train "$config"
expect 1 '--time 2-0 is more than the partition allows: 1-00:00:00' launch/submit -t 2-0 train "$config"
expect 1 'no partition "none"; it has: normal short' launch/submit -p none train "$config"
expect 1 '--ranks 5: no more than batch.lanes=4' launch/submit -n 5 train "$config"
expect 1 '100 ranks on 2 nodes: 50 a node, but the partition has nodes with 32 cores' \
  launch/submit -n 100 -N 2 train "$config" batch.lanes=128
expect 1 '4 nodes for 2 ranks' launch/submit -n 2 -N 4 train "$config"
expect 1 '--ranks 5: each training of this study takes study.ranks_per_trial=6 ranks' \
  launch/submit -n 5 study "$work/s.yaml"
sed 's/teacher.*sda/optim: {rl: 1/' "$work/s.yaml" > "$work/bad.yaml"
expect 1 "optim.rl" launch/submit study "$work/bad.yaml"
expect 1 '--array is for a study' launch/submit -a 2 train "$config"
expect 1 "unknown key 'optim.rl'" launch/submit train "$config" optim.rl=1
expect 1 'run.dir is not set' launch/submit train "$config" run.dir=
expect 1 'run.overwrite=true would start anew' launch/submit train "$config" run.overwrite=true
expect 1 'nowhere is not there: build it' env AUTODIDACT_PROGRAM="$work/nowhere" launch/submit train "$config"

# Memory: of 954 MiB a fifth more and 100 MiB, in steps of 50; not where it is given, or Slurm does not count it.
cat > "$work/bin/planner" <<'SH'
#!/bin/sh
case "$*" in
  *--get\ batch.lanes*) echo 8 ;;
  *--get\ run.dir*) echo run ;;
  *--get*) echo false ;;
  *broken*) echo 'autodidact: error: reviews.csv:7: no label' >&2; exit 1 ;;
  *crash*) echo 'MPI_INIT failed' >&2; exit 1 ;;
  study\ status*) printf '{\n "ranks_per_trial": 6,\n "cells": 16\n}\n' ;;
  *--plan\ --json\ --ranks\ 8\ --nodes\ 2* | study\ plan*--json\ --nodes\ 2) printf '{\n  "memory": {\n    "peak": 1000000000\n  },\n}\n' ;;
  *) exit 2 ;;
esac
SH
chmod +x "$work/bin/planner"
planner=(env AUTODIDACT_PROGRAM="$work/bin/planner" "${submit[@]}")
expect 0 ' --mem-per-cpu=1250M .*train.sbatch' "${planner[@]}" -N 2 train "$config"
expect 0 ' --mem-per-cpu=3G .*train.sbatch' "${planner[@]}" -N 2 -m 3G train "$config"
expect 1 '4 ranks a node need 5000 MiB, but the partition has nodes with 4000 MiB' \
  "${planner[@]}" -N 2 -p short train "$config"
expect 1 'this training would be refused: reviews.csv:7: no label' "${planner[@]}" train "$config" broken
expect 0 'could not be found \(exit code 1\)' "${planner[@]}" train "$config" crash
expect 0 'could not be found \(exit code 2\)' "${planner[@]}" train "$config"
expect 0 ' --mem-per-cpu=1250M .*study.sbatch' "${planner[@]}" -N 2 -n 6 study "$work/s.yaml"
expect 0 ' --mem-per-cpu=[0-9]+M .*study.sbatch' "${submit[@]}" study "$work/s.yaml"
for given in '-m partition' '--sbatch=--mem=9G' '-p long'; do
  # shellcheck disable=SC2086 # options and their values
  expect 0 'train.sbatch' "${planner[@]}" -N 2 $given train "$config"
  ! grep -q -e '--mem-per-cpu' "$work/output" || fail "$given: memory was filled in"
done
expect 0 ' --ntasks-per-node=4 --signal=[^ ]* [^ ]*train.sbatch' \
  env SBATCH_MEM_PER_CPU=1G "${planner[@]}" -N 2 train "$config"
# A machine without Slurm.
mkdir "$work/plain"
for program in bash sed awk basename dirname realpath cat env grep tail; do
  ln -s "$(command -v "$program")" "$work/plain/"
done
expect 1 'sbatch is not there' env PATH="$work/plain" launch/submit train "$config"
expect 0 'time=4:00:00 --nodes=1 --ntasks=4 ' env PATH="$work/plain" "${submit[@]}" train "$config"
expect 1 'say --ranks N' env PATH="$work/plain" "${submit[@]}" study "$work/s.yaml"

# --- The job script. Its path has a blank, srun runs the "ranks" (the first argument that is no option, and on), the
# rest notes its calls.
mkdir -p "$work/a b/launch"
cp -r launch/slurm "$work/a b/launch/"
cat > "$work/bin/scontrol" <<'SH'
#!/bin/sh
[ "$1" = show ] || { echo "$*" >> "$STATE/calls"; exit 0; }
printf 'JobId=7 JobName=x\n   StartTime=2026-01-01T00:00:00 EndTime=%s Deadline=N/A\n' \
  "$(date -d "$END" +%FT%T 2> /dev/null || echo Unknown)"
printf '   Command=%s/%s.sbatch config.yaml run.dir=x\n   WorkDir=/\n' "$FOLDER" "${KIND:-train}"
SH
cat > "$work/bin/squeue" <<'SH'
#!/bin/sh
cat "$STATE/job"
SH
cat > "$work/bin/srun" <<'SH'
#!/bin/sh
case "$*" in
  --mpi=list) echo "pmix"; exit 0 ;;
  --overlap*) [ ! -e "$STATE/lost" ]; exit ;;
esac
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
SH
cat > "$work/bin/program" <<'SH'
#!/bin/sh
case "$*" in
  study\ status*)
    printf '{\n "all": {\n  "cells": 2\n },\n "cells": [\n  {\n   "step": 3,\n   "steps": 9\n  },\n'
    printf '  {\n   "step": %s,\n   "steps": 9\n  }\n ]\n}\n' "$(cat "$STATE/step")"; exit ;;
  study\ run*)
    echo "$*" > "$STATE/study"; [ ! -e "$STATE/longer" ] || echo 5 > "$STATE/step"; exit "$(cat "$STATE/code")" ;;
  *--get\ run.dir*) echo "$STATE/run" ;;
  *--get\ run.overwrite*) case "$*" in *run.overwrite=true*) echo true ;; *) echo false ;; esac ;;
  *slow*) trap 'mkdir -p "$STATE/run/checkpoints"; touch "$STATE/run/checkpoints/step-000000002.h5"; exit 75' USR1
    touch "$STATE/started"; while :; do sleep 0.05; done ;;
  *unsaved*) trap 'exit 0' USR1; touch "$STATE/started"; while :; do sleep 0.05; done ;;
  *) case "$*" in *saves*) mkdir -p "$STATE/run/checkpoints"; touch "$STATE/run/checkpoints/step-000000003.h5" ;; esac
    exit "$(sed -n 's/.*code=\([0-9]*\).*/\1/p' <<E
$*
E
)" ;;
esac
SH
chmod +x "$work"/bin/*
export STATE="$work/state" END=never FOLDER="$work/a b/launch/slurm"
job=(env SLURM_JOB_ID=7 AUTODIDACT_PROGRAM="$work/bin/program" bash launch/slurm/train.sbatch config.yaml)
state() { # state WORD...: of the job, as squeue tells it
  rm -rf "$STATE"
  mkdir "$STATE"
  echo "$1" > "$STATE/job"
  : > "$STATE/calls"
}
calls() { cat "$STATE/calls"; }

state RUNNING
expect 75 'stopped with a checkpoint; back into the queue' "${job[@]}" saves code=75
[ "$(calls)" = "requeue Incomplete 7" ] || fail "calls: $(calls)"
grep -q 'start 1 on .*srun --mpi=pmix' "$work/output" || fail "not by srun where it knows PMIx"
state RUNNING
expect 75 'back into the queue' env SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=2 "${job[@]}" saves code=75
[ "$(calls)" = "requeue Incomplete 7_2" ] || fail "calls: $(calls)"
state COMPLETING
expect 75 'the job is COMPLETING: Slurm decides' "${job[@]}" saves code=75
[ "$(calls)" = "" ] || fail "calls: $(calls)"
state RUNNING
expect 75 'before a step was done: the time limit is too short' "${job[@]}" code=75
[ "$(calls)" = "" ] || fail "calls: $(calls)"
for code in 0 1 2 3 137; do
  state RUNNING
  expect "$code" "exit code $code$" "${job[@]}" code="$code"
  [ "$(calls)" = "" ] || fail "calls after exit code $code: $(calls)"
done
state RUNNING
touch "$STATE/lost"
expect 75 'a node does not answer \(exit code 137\); back' env SLURM_JOB_NUM_NODES=2 "${job[@]}" code=137
[ "$(calls)" = "requeue Incomplete 7" ] || fail "calls: $(calls)"
state RUNNING
expect 1 'run.overwrite=true would start anew' "${job[@]}" run.overwrite=true code=0
expect 1 'AUTODIDACT_LAUNCHER is "prun"' env AUTODIDACT_LAUNCHER=prun "${job[@]}" code=0
mkdir "$STATE/run"
touch "$STATE/run/result.json"
expect 0 'is finished' env SLURM_RESTART_COUNT=1 "${job[@]}" code=9
expect 1 'exit code 1' "${job[@]}" code=1
expect 1 'the path of train.sbatch is not in what scontrol' env FOLDER= "${job[@]}" code=0

# A study is told how long it has; where no cell came any further, another start would not get further either.
study=(env KIND=study "${job[@]:1:2}" bash launch/slurm/study.sbatch s.yaml)
state RUNNING
echo 0 > "$STATE/step"
echo 0 > "$STATE/code"
expect 0 'exit code 0' env END="now + 1000 seconds" "${study[@]}" checkpoint.minutes=1
grep -Eq '^study run s.yaml run.time_limit=(880|879) checkpoint.minutes=1$' "$STATE/study" ||
  fail "$(cat "$STATE/study")"
expect 0 'exit code 0' env END=never "${study[@]}"
grep -qx 'study run s.yaml' "$STATE/study" || fail "$(cat "$STATE/study")"
echo 75 > "$STATE/code"
expect 75 'no cell came to a step and a checkpoint within (880|879) s: the time limit is too short' \
  env END="now + 1000 seconds" "${study[@]}"
[ "$(calls)" = "" ] || fail "calls: $(calls)"
touch "$STATE/longer"
expect 75 'stopped with cells left; back into the queue' env END="now + 1000 seconds" "${study[@]}"
[ "$(calls)" = "requeue Incomplete 7" ] || fail "calls: $(calls)"

# Signals of Slurm to the script.
# signalled SIGNAL WORD: the script gets the signal while its ranks run; its exit code in `code`.
signalled() {
  local script
  state RUNNING
  "${job[@]}" "$2" > "$work/output" 2>&1 &
  script=$!
  for _ in $(seq 3000); do
    [ ! -e "$STATE/started" ] || break
    sleep 0.1
  done
  kill -"$1" "$script"
  code=0
  wait "$script" || code=$?
}
for signal in USR1 TERM; do
  signalled "$signal" slow
  [ "$code" = 75 ] && grep -q "signal $signal: the ranks are told" "$work/output" &&
    [ "$(calls)" = "requeue Incomplete 7" ] ||
    { cat "$work/output"; fail "signal $signal: exit code $code, calls: $(calls)"; }
  echo "ok   signal $signal"
done
# srun has been seen to end with 0 when it was made to end before its ranks.
signalled TERM unsaved
[ "$code" = 75 ] && grep -q 'ended by signal TERM before it could save (exit code 0); back' "$work/output" ||
  { cat "$work/output"; fail "a launcher that says 0: exit code $code"; }
echo "ok   a launcher that says 0"
