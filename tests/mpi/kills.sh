#!/usr/bin/env bash
# Runs that are killed (signal 9 to all ranks) or stopped (SIGTERM) at random moments go on, on other numbers of ranks,
# to the bits of the unbroken run.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
python3 "${AD_SOURCE:?}/tests/system/tiny.py" "$work"
cd "$work"
python3 "$AD_SOURCE/tests/mpi/kills.py" 30 8
