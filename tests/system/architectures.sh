#!/usr/bin/env bash
# Everything that the program does, on each architecture.
set -euo pipefail
exec python3 "${AD_SOURCE:?}/tests/system/architectures.py" "${AD_PROGRAM:?}"
