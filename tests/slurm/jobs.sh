#!/usr/bin/env bash
# Trainings as jobs of a real Slurm: preempted, at their time limit, their node lost, cancelled; each goes on to the
# bits of a run without Slurm, or ends as it should. Skipped (77) where no Slurm can be started.
set -euo pipefail
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
. "${AD_SOURCE:?}/tests/slurm/cluster"
cluster_enter "$0"
cluster_start

rows() { [ -e "$1/log.jsonl" ] && wc -l < "$1/log.jsonl" || echo 0; }
has_rows() { [ "$(rows "$1")" -ge "$2" ]; }
same() {
  for file in log.jsonl result.json model/model.safetensors; do
    cmp "$1/$file" "$2/$file" || fail "$2 differs from $1, a run without Slurm"
  done
}

job=(config.yaml batch.lanes=8 model.dropout=0.2 teacher.method=sda teacher.window=3 checkpoint.epoch=false
  checkpoint.every=100)
whole=("${job[@]}" train.epochs=1500 eval.every=1500)
endless=("${job[@]}" train.epochs=100000 eval.every=1000000)
"$AD_PROGRAM" train "${whole[@]}" run.dir=whole > whole.out 2>&1 || { cat whole.out; fail "the run without Slurm"; }

# Its time limit is a minute, the signal comes 10 to 40 s after the start; meanwhile the others run.
limited=$(AUTODIDACT_LAUNCHER=mpirun sbatch --parsable --time=1 --signal=B:USR1@20 --nodelist=node1 --ntasks=2 \
  --output=limited.log "$AD_SOURCE/launch/slurm/train.sbatch" "${endless[@]}" run.dir=limited)

# On two nodes, by each launcher: preempted on one of them, then that node is lost.
spans=(-p low -N 2 -n 2 -t 30 train "${whole[@]}")
by_srun=$(submit --launcher srun "${spans[@]}" run.dir=by-srun)
by_mpirun=$(submit --launcher mpirun "${spans[@]}" run.dir=by-mpirun)
until_true "job $by_srun trains" has_rows by-srun 150
until_true "job $by_mpirun trains" has_rows by-mpirun 150
grep -q '"ranks": *"2 on 2 nodes"' by-srun/provenance.json || fail "by-srun: not two ranks on two nodes"
grep -q '"ranks": *"2 on 2 nodes"' by-mpirun/provenance.json || fail "by-mpirun: not two ranks on two nodes"
preempt
both() { "$1" "$by_srun" "${@:2}" && "$1" "$by_mpirun" "${@:2}"; }
until_true "the preempted jobs are back in the queue" both requeued 1
[ -e by-srun/checkpoints ] && grep -q 'stopped at step .* with a checkpoint' by-srun-*.log ||
  fail "by-srun was preempted without a checkpoint"
srun_rows=$(rows by-srun) mpirun_rows=$(rows by-mpirun)
until_true "the preempted jobs run again" both runs_again
until_true "by-srun goes on" has_rows by-srun $((srun_rows + 150))
until_true "by-mpirun goes on" has_rows by-mpirun $((mpirun_rows + 150))
echo "ok   preempted on two nodes, by srun and by mpirun: back in the queue, and on from there"

lost=$SECONDS
cluster_kill node2
until_true "the jobs that lost a node are back in the queue" both requeued 2
echo "ok   a node lost: back in the queue within $((SECONDS - lost)) s"
grep -q 'a node does not answer' by-mpirun-*.log || fail "the job script did not see that a node was lost"
cluster_node node2
until_true "the jobs that lost a node run again" both runs_again
until_true "they are done" both is_state COMPLETED
for name in by-srun by-mpirun; do
  same whole "$name"
  [ "$(grep -c ' start [123] on ' "$name"-*.log)" = 3 ] || fail "$name was not started three times"
done
echo "ok   both end with the bits of a run without Slurm"

# A finished run that is requeued all the same (its job was lost after its end) is left as it is.
scontrol requeue "$by_srun"
until_true "job $by_srun runs again" runs_again "$by_srun"
until_true "job $by_srun is done again" grep -q 'by-srun is finished' by-srun-*.log
until_true "job $by_srun is done again" is_state "$by_srun" COMPLETED
same whole by-srun
echo "ok   a finished run is left as it is"

# With a minute's grace only the script is told, and puts the job back into the queue itself.
graced=$(submit --launcher srun -p grace -n 2 -t 30 --sbatch=--nodelist=node2 train "${endless[@]}" run.dir=graced)
until_true "job $graced trains" has_rows graced 150
preempt
until_true "job $graced is back in the queue" requeued "$graced" 1
grep -q 'with a checkpoint; back into the queue' graced-*.log || fail "graced was not requeued by its script"
graced_rows=$(rows graced)

# Stopped by the time limit's signal.
until_true "job $limited is back in the queue" requeued "$limited" 1
grep -q 'signal USR1: stopped at step .* with a checkpoint' limited.log ||
  fail "limited was not stopped by its time limit's signal"
limited_rows=$(rows limited)

# Both go on, for a while and with more time; after scancel a job stays away.
scontrol update JobId="$limited" TimeLimit=30
"$AD_PROGRAM" train "${endless[@]}" run.dir=reference > reference.out 2>&1 &
reference=$!
until_true "job $graced runs again" runs_again "$graced"
until_true "job $limited runs again" runs_again "$limited"
until_true "job $graced goes on" has_rows graced $((graced_rows + 20))
until_true "job $limited goes on" has_rows limited $((limited_rows + 20))
scancel "$graced" "$limited"
until_true "the run beside them is as far" has_rows reference $((limited_rows + 20))
until_true "the run beside them is as far" has_rows reference $((graced_rows + 20))
kill -TERM "$reference"
for name in graced limited; do
  upto=$(($([ $name = graced ] && echo "$graced_rows" || echo "$limited_rows") + 20))
  cmp <(head -n "$upto" reference/log.jsonl) <(head -n "$upto" "$name/log.jsonl") ||
    fail "$name differs from a run without Slurm"
done
until_true "job $graced is cancelled" is_state "$graced" CANCELLED
until_true "job $limited is cancelled" is_state "$limited" CANCELLED
echo "ok   preempted with grace after $graced_rows steps, at the time limit after $limited_rows:" \
  "on from there, the same bits"

# What will not get better is not requeued.
bad=$(sbatch --parsable --ntasks=2 --time=5 --output=bad.log "$AD_SOURCE/launch/slurm/train.sbatch" "${whole[@]}" \
  run.dir=bad data.folder=none)
until_true "job $bad has failed" is_state "$bad" FAILED
[ "$(field "$bad" ExitCode)" = 1:0 ] && [ "$(field "$bad" Restarts)" = 0 ] &&
  grep -q 'autodidact: error: none/' bad.log || fail "bad input: not as it should"
echo "ok   bad input: exit code 1, not requeued"
is_state "$graced" CANCELLED && is_state "$limited" CANCELLED || fail "a cancelled job came back"
echo "ok   all in $SECONDS s"
