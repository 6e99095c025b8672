#!/usr/bin/env bash
# A disk that fills up during a checkpoint: it is said, the last good checkpoint stays, and with room again the run ends
# with the same bits.
set -euo pipefail
if [ -z "${AD_IN_NAMESPACE:-}" ]; then
  # A small disk of our own: a tmpfs, mounted where nobody else sees it.
  for enter in "unshare --mount" "unshare --mount --map-root-user"; do
    if $enter sh -c 'mount -t tmpfs -o size=1m none /mnt' 2>/dev/null; then
      AD_IN_NAMESPACE=1 exec $enter bash "$0"
    fi
  done
  echo "skipped: this system allows no mount of a tmpfs (neither unshare --mount nor --map-root-user)"
  exit 77
fi
work="$(mktemp -d)"
trap 'umount "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}" OMPI_MCA_ess_singleton_isolated=1
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"
mkdir small
mount -t tmpfs -o size=64m none small

keys=(batch.lanes=4 train.epochs=6 model.dropout=0.2 eval.every=5 teacher.method=sda teacher.window=3 checkpoint.every=3
  checkpoint.epoch=false checkpoint.keep=99)
# run RANKS NAME [key=value ...]
run() {
  local ranks="$1" name="$2"
  shift 2
  code=0
  "$source/launch/local" -n "$ranks" train config.yaml "run.dir=$name" "${keys[@]}" "$@" >out 2>&1 || code=$?
}
same() {
  for file in log.jsonl result.json model/model.safetensors; do
    cmp "whole/$file" "$1/$file" || { echo "$1 differs from the unbroken run"; cat out; exit 1; }
  done
}
run 1 whole
[ "$code" = 0 ] || { cat out; exit 1; }
holds() { [ "$@" ] || { echo "not so: $*"; cat out; df small; ls -lR small; exit 1; }; }
# What a checkpoint takes, and the room that it asks for: a disk that has it twice, and not a third time.
run 1 small/measure --inject=kill@4
bytes=$(stat -c %s small/measure/checkpoints/step-000000003.h5)
rm -r small/measure
mount -o remount,size=200k small
run 1 small/measure
holds "$code" = 2
asked=$(sed -n 's/.*a checkpoint needs \([0-9]*\) bytes.*/\1/p' out)
rm -r small/measure
size=$((asked + bytes * 3 / 2 + 60000))

number=0
for writer in all root; do
  for ranks in 1 2; do
    number=$((number + 1))
    mount -o remount,size=$size small
    run "$ranks" small/run "store.writer=$writer"
    holds "$code" = 2
    grep -q 'small/run/checkpoints/step-000000009.h5.partial: a checkpoint needs [0-9]* bytes' out ||
      { cat out; exit 1; }
    kept="$(ls small/run/checkpoints)"
    holds "$kept" = "$(printf 'step-00000000%d.h5\n' 3 6)"
    holds -z "$(find small/run -name "*.partial")"
    holds ! -e small/run/result.json
    "$AD_PROGRAM" verify small/run >verified || { cat verified; exit 1; }
    # Still no room: it says so again, and does no harm.
    run 1 small/run
    holds "$code" = 2
    holds "$(ls small/run/checkpoints)" = "$kept"
    mount -o remount,size=64m small
    run $((4 - ranks)) small/run
    [ "$code" = 0 ] && grep -q "goes on after step 6 of 18" out || { cat out; exit 1; }
    same small/run
    rm -r small/run
  done
done
echo "ok   full: said, exit code 2, the checkpoints before stay, the same bits with room ($number times)"

# checkpoint.full=wait goes on by itself.
mount -o remount,size=$size small
"$source/launch/local" -n 2 train config.yaml run.dir=small/run "${keys[@]}" checkpoint.full=wait >out 2>&1 &
waiting=$!
for _ in $(seq 6000); do
  grep -q "checkpoint.full=wait: tries again" out && break
  sleep 0.1
done
grep -q "a checkpoint needs .*; checkpoint.full=wait: tries again every" out || { cat out; exit 1; }
holds ! -e small/run/result.json
mount -o remount,size=64m small
wait "$waiting" || { cat out; exit 1; }
same small/run
rm -r small/run
echo "ok   checkpoint.full=wait"

# Snapshots are given up before checkpoints, and the run ends as without them.
mount -o remount,size=$size small
run 2 small/run checkpoint.keep=1 snapshot.every=1 snapshot.content=scalars,norms,parameters
[ "$code" = 0 ] &&
  grep -q 'would leave less than the [0-9]* that a checkpoint needs; the run goes on without further snapshots' out ||
  { cat out; df small; exit 1; }
same small/run
"$AD_PROGRAM" verify small/run >verified || { cat verified; exit 1; }
grep -q 'snapshots/all.h5 .*it shows what the segments hold' verified
echo "ok   snapshots go first"

# /dev/shm, which only this script sees: small as in a container, two jobs at once; then large and all but full. What
# MPI cannot have there is said.
mount -t tmpfs -o size=1m none /dev/shm
start=("$source/launch/local" -n 2 --bind none train config.yaml "${keys[@]}")
"${start[@]}" run.dir=other >other.out 2>&1 &
other=$!
run 2 small-shm
[ "$code" = 0 ] || { cat out; exit 1; }
wait "$other" || { cat other.out; exit 1; }
same small-shm
same other
! grep -h "not enough space" out other.out || { echo "MPI says something of /dev/shm"; exit 1; }
mount -o remount,size=2g /dev/shm
head -c 2040m /dev/zero >/dev/shm/filled
run 2 no-shm
holds "$code" = 2
said="error: /dev/shm/.*: 4 MiB of MPI's own memory .* could not be had: No space left on device."
grep -q "$said /dev/shm has .* MiB free of 2048: make room, or" out || { cat out; exit 1; }
rm /dev/shm/filled
run 2 no-shm
[ "$code" = 0 ] || { cat out; exit 1; }
same no-shm
echo "ok   /dev/shm small or full: trained, or said with exit code 2"
