#!/usr/bin/env bash
# Calls that write fail, one at a time: said with the file's name, exit code 2, and the same command again ends with the same bits. See faults.py;
# `bash tests/system/faults.sh --full` (with AD_SOURCE, AD_BUILD and AD_PROGRAM set) tries every call.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}" TMPDIR="$work"
python3 "${AD_SOURCE:?}/tests/system/tiny.py" "$work/tiny"
for ranks in 1 2; do
  python3 "$AD_SOURCE/tests/system/faults.py" --ranks $ranks "$@" "${AD_BUILD:?}/tests/libfaults.so" "$work/tiny"
done
