#!/usr/bin/env bash
# A study as job arrays of a real Slurm, by mpirun and by srun: at its time limit, preempted, a node lost while its
# cells run. The table ends complete, no finished cell is run again, each has the bits of a run without Slurm.
# Skipped (77) where no Slurm can be started.
set -euo pipefail
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
. "${AD_SOURCE:?}/tests/slurm/cluster"
cluster_enter "$0"
cluster_start

cells() { python3 "$AD_SOURCE/tests/system/study.py" "$@" || fail "study.py $*"; }
lines_of() { grep -hs '"state": *"done"' grid/records/*.jsonl || true; }
finished() { lines_of | wc -l; }
has_finished() { [ "$(finished)" -ge "$1" ]; }
# The tasks of an array that run on a node, and the leases that are held there.
tasks_on() { squeue --noheader --states=running --nodelist="$1" --Format=JobArrayID: | tr -d ' '; }
leases_of() { grep -ls "^$1 " grid/leases/*; }
have_leases() { leases_of node1 && leases_of node2; }
run_now() { [ "$(squeue --noheader --states=running --format=%i | wc -l)" = "$1" ]; }

# A training lasts a second on whatever machine this is: neither is the table done in the first dozen of seconds, nor
# nothing of it, and some cells are under way at whatever comes next.
pace() {
  mpirun -n 2 --oversubscribe "$AD_PROGRAM" train config.yaml run.dir="pace-$1" train.epochs="$1" eval.every=600 \
    checkpoint.epoch=false model.dropout=0.1 > pace.out 2>&1 || { cat pace.out; fail "a run to see the pace"; }
  date +%s%3N
}
start=$(pace 1)
epochs=$((500 * 1000 / ($(pace 500) - start)))
# What held the machine up while the pace was taken may be over.
[ "$epochs" -ge 400 ] || epochs=400

# Each training has two ranks. Its reference is the same training by itself, on one rank.
settings=(train.epochs="$epochs" eval.every=600 checkpoint.epoch=false)
cells write grid ranks_per_trial=2 lease=8 checkpoint.every=50 "${settings[@]}"
nice -n 19 python3 "$AD_SOURCE/tests/system/study.py" single grid "$AD_PROGRAM" "${settings[@]}" > single.out 2>&1 &
single=$!

# So many seconds are left until the ranks must stop, less than the study takes; Slurm's own signal is to come later
# than that.
left=12
limited=$(AUTODIDACT_LAUNCHER=mpirun AUTODIDACT_LEAD=$((60 - left)) sbatch --parsable --array=1 --time=1 \
  --signal=B:USR1@5 --ntasks=2 --job-name=limited "$AD_SOURCE/launch/slurm/study.sbatch" grid.yaml)_1
until_true "task $limited is back in the queue" requeued "$limited" 1
grep -q 'stopped with .* of 32 cells finished' limited-*.log || fail "task $limited did not stop for the clock"
! grep -Eq 'signal|TIME LIMIT' limited-*.log || fail "Slurm stopped task $limited, not the clock"
for run in grid/runs/*; do
  [ -e "$run/result.json" ] || compgen -G "$run/checkpoints/*" > /dev/null ||
    fail "$run was begun, and could neither end nor save"
done
cells note grid
echo "ok   $epochs epochs a cell; at the time limit $(finished) of 32 finished," \
  "the other that was begun has a checkpoint; back in the queue"

# It goes on, with more time, and beside it an array of two tasks, each with two trainings side by side.
scontrol update JobId="$limited" TimeLimit=30
until_true "task $limited runs again" runs_again "$limited"
array=$(submit -a 2 -n 4 -p low -t 30 -J array --launcher srun study grid.yaml)
until_true "all tasks run" run_now 3
until_true "cells of both nodes run" have_leases > /dev/null

# One task is preempted; the others go on.
preempted=$(tasks_on node2)
[[ "$preempted" = "$array"_[12] ]] || fail "on node2 runs \"$preempted\", expected one task of the array $array"
preempt
until_true "task $preempted is back in the queue" requeued "$preempted" 1
grep -q 'of 32 cells finished' "array-$preempted.log" || fail "task $preempted was preempted without saving"
echo "ok   task $preempted preempted on node2, back in the queue"

# Their plug is pulled while they train: the preempted one, back on its node, takes over what they had, and completes
# the table.
lost=$(tasks_on node1)
[ "$(wc -w <<< "$lost")" = 2 ] || fail "on node1 run: $lost"
until_true "cells of node1 run" leases_of node1 > /dev/null
cluster_kill node1
killed=$SECONDS
taken=$(leases_of node1) || fail "node1 held no cell when it was lost"
before=$(finished)
[ "$before" -lt 32 ] || fail "all cells were finished before the node was lost"
# The clock may have struck between two cells: these, or one of them, have a checkpoint.
mapfile -t held < <(for lease in $taken; do basename "${lease%.*}"; done)
cells lost grid "${held[@]}"
until_true "task $preempted runs again" runs_again "$preempted"
until_true "the table is complete" has_finished 32
for lease in $taken; do
  cell=$(basename "${lease%.*}")
  lines_of | grep "\"cell\": *\"$cell\"" | grep -q '"host": *"node2"' ||
    fail "cell $cell of the lost node was not done on the other"
done
echo "ok   node1 lost with $before cells finished and $(wc -w <<< "$taken") at work:" \
  "complete $((SECONDS - killed)) s later"

# Slurm puts those that lost their node back into the queue; nothing is left for them.
for task in $lost; do
  until_true "task $task, which lost its node, is back in the queue" requeued "$task" \
    "$([ "$task" = "$limited" ] && echo 2 || echo 1)"
done
for task in $preempted $lost; do
  until_true "task $task runs again" runs_again "$task"
  until_true "task $task is done" is_state "$task" COMPLETED
  [ "$(field "$task" ExitCode)" = 0:0 ] || fail "task $task: exit code $(field "$task" ExitCode)"
done
echo "ok   all tasks end with 0"
wait "$single" || { cat single.out; fail "the runs without Slurm"; }
cells check grid
echo "ok   all in $SECONDS s"
