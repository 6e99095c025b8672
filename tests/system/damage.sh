#!/usr/bin/env bash
# A checkpoint with one byte changed, or cut, anywhere: train says what is damaged, goes on from the one before, and
# ends with the bits of the unbroken run.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
python3 "${AD_SOURCE:?}/tests/system/tiny.py" "$work"
cd "$work"
python3 "$AD_SOURCE/tests/system/damage.py"
