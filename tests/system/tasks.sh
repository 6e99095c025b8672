#!/usr/bin/env bash
# Several tasks at once (tasks.py): bits, files and scores of a run of two, one task of it, and what is refused.
set -euo pipefail
source="${AD_SOURCE:?}/tests/system"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export OMPI_MCA_ess_singleton_isolated=1 AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
python3 "$source/tiny.py" "$work"
cd "$work"
python3 "$source/tasks.py"
