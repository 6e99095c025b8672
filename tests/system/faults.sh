#!/usr/bin/env bash
# Calls that write fail, one at a time: said with the file's name, exit code 2, and the same command again ends with the
# same bits (faults.py). With two ranks only calls on checkpoints, which they write together. Trainings run side by
# side, as they mostly wait for the disk. All calls, which takes long: `bash tests/system/faults.sh --full`, with
# AD_SOURCE, AD_BUILD and AD_PROGRAM set; options of faults.py may follow.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}" TMPDIR="$work"
python3 "${AD_SOURCE:?}/tests/system/tiny.py" "$work/tiny"
faults() {
  python3 "$AD_SOURCE/tests/system/faults.py" "$@" "${AD_BUILD:?}/tests/libfaults.so" "$work/tiny"
}
if [ "${1:-}" = --full ]; then
  faults --jobs 4 "$@"
  faults --ranks 2 "$@"
else
  faults --jobs 4 "$@"
  faults --jobs 2 --ranks 2 --stride 80 --match checkpoints/ "$@"
fi
